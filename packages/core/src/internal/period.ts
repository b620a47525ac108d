/**
 * Periods of the calendar: the minute, day or month that a moment lies in, as the clocks of a time zone have it. Days on
 * which the clocks are changed are as much longer or shorter as they are.
 */
import * as DateTime from "effect/DateTime"

/** From `start` until before `end`, in milliseconds since 1970. */
export interface Period {
  readonly start: number
  readonly end: number
}

/** How long a period is. */
export type Unit = "minute" | "day" | "month"

/** The period that a moment lies in. */
export type Calendar = (now: number) => Period

const minute = 60_000
const hour = 60 * minute

// from the start of a period so far on is always in the next one, and never beyond it
const intoNext = { day: 36 * hour, month: 40 * 24 * hour } as const

/** The calendar of a unit in a zone. */
export const calendar = (unit: Unit, timeZone: DateTime.TimeZone): Calendar => {
  if (unit === "minute") {
    return (now) => {
      const start = Math.floor(now / minute) * minute
      return { start, end: start + minute }
    }
  }
  const startOf = (time: number) => DateTime.startOf(DateTime.unsafeMakeZoned(time, { timeZone }), unit).epochMillis
  return (now) => {
    const start = startOf(now)
    return { start, end: startOf(start + intoNext[unit]) }
  }
}
