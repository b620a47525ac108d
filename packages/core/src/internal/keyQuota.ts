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
  /** The day that is counted. */
  day: Period.Period
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
    : { requestsPerDay, spendLimit, calendar, day: noDay, usedToday: 0, spent: 0 }

const noDay: Period.Period = { start: 0, end: 0 }

// a clock that was put back takes the day along, with what has been used on it: nobody waits for its return
const dayOf = (quota: Quota, now: number): Period.Period => {
  if (now < quota.day.start) quota.day = quota.calendar(now)
  return quota.day
}

/** Until when it is used up; a moment that has passed, when it is not. */
export const usedUpUntil = (quota: Quota, now: number): number => {
  if (quota.spent >= quota.spendLimit) return Infinity
  const { end } = dayOf(quota, now)
  return quota.usedToday >= quota.requestsPerDay && now < end ? end : 0
}

/** One request more. */
export const count = (quota: Quota, now: number): void => {
  if (now >= dayOf(quota, now).end) {
    quota.day = quota.calendar(now)
    quota.usedToday = 0
  }
  quota.usedToday++
}

/** One request was refused, and is not counted. */
export const uncount = (quota: Quota, now: number): void => {
  if (now < quota.day.end && quota.usedToday > 0) quota.usedToday--
}

/** How much of it is left, from 0 to 1. */
export const share = (quota: Quota, now: number): number =>
  Math.max(
    0,
    Math.min(
      quota.requestsPerDay === Infinity || now >= quota.day.end ? 1 : 1 - quota.usedToday / quota.requestsPerDay,
      quota.spendLimit === Infinity ? 1 : 1 - quota.spent / quota.spendLimit
    )
  )

/** Begins anew. */
export const restore = (quota: Quota): void => {
  quota.day = noDay
  quota.usedToday = quota.spent = 0
}
