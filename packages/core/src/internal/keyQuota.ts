/**
 * What a key may be used for in all: so many requests on a day of the calendar, and for so much money.
 */
import * as Period from "./period.js"

/** What is set of it. */
export interface Settings {
  readonly requestsPerDay?: number | undefined
  readonly spendLimit?: number | undefined
}

/** How much of it has been used. */
export interface Quota {
  readonly requestsPerDay: number
  readonly spendLimit: number
  readonly calendar: Period.Calendar
  /** The end of the day that is counted. */
  dayEnds: number
  usedToday: number
  /** In micro-dollars. */
  spent: number
}

/** Nothing of it has been used; nothing where nothing is limited. */
export const make = (
  { requestsPerDay = Infinity, spendLimit = Infinity }: Settings,
  calendar: Period.Calendar
): Quota | undefined =>
  requestsPerDay === Infinity && spendLimit === Infinity
    ? undefined
    : { requestsPerDay, spendLimit, calendar, dayEnds: 0, usedToday: 0, spent: 0 }

/** Until when it is used up; a moment that has passed, when it is not. */
export const usedUpUntil = (quota: Quota, now: number): number => {
  if (quota.spent >= quota.spendLimit) return Infinity
  return quota.usedToday >= quota.requestsPerDay && now < quota.dayEnds ? quota.dayEnds : 0
}

/** One request more. */
export const count = (quota: Quota, now: number): void => {
  if (now >= quota.dayEnds) {
    quota.dayEnds = quota.calendar(now).end
    quota.usedToday = 0
  }
  quota.usedToday++
}

/** One request was refused, and is not counted. */
export const uncount = (quota: Quota, now: number): void => {
  if (now < quota.dayEnds && quota.usedToday > 0) quota.usedToday--
}

/** How much of it is left, from 0 to 1. */
export const share = (quota: Quota, now: number): number =>
  Math.max(
    0,
    Math.min(
      quota.requestsPerDay === Infinity || now >= quota.dayEnds ? 1 : 1 - quota.usedToday / quota.requestsPerDay,
      quota.spendLimit === Infinity ? 1 : 1 - quota.spent / quota.spendLimit
    )
  )

/** Begins anew. */
export const restore = (quota: Quota): void => {
  quota.dayEnds = quota.usedToday = quota.spent = 0
}
