/**
 * How long a backend asks to be left alone, in any of the forms in which backends say it. What is hostile or broken
 * (negative, not a number, hex, a date gone by) says nothing, and nobody may send us away for more than a day.
 */
import * as Duration from "effect/Duration"
import * as Json from "./json.js"

type Headers = { readonly [name: string]: string | undefined }

const day = 86_400_000

const decimal = /^\d+(\.\d+)?$/

/** Milliseconds as a duration, held within a day; `undefined` for what is no length of time. */
export const fromMillis = (millis: number | undefined): Duration.Duration | undefined =>
  millis === undefined || !(millis >= 0) ? undefined : Duration.millis(Math.min(Math.ceil(millis), day))

/** What the headers say: milliseconds before seconds before a date. `now` is milliseconds since 1970. */
export const fromHeaders = (headers: Headers, now: number): Duration.Duration | undefined =>
  fromMillis(
    number(headers["retry-after-ms"]) ?? number(headers["x-ms-retry-after-ms"]) ?? afterSeconds(headers, now)
  )

const number = (text: string | undefined): number | undefined =>
  text !== undefined && decimal.test(text.trim()) ? Number(text) : undefined

const afterSeconds = (headers: Headers, now: number): number | undefined => {
  const seconds = number(headers["retry-after"])
  if (seconds !== undefined) return seconds * 1000
  const date = httpDate(headers["retry-after"])
  // a moment is meant by the clock of whoever names it, and ours may be another
  return date === undefined ? undefined : later(date - (httpDate(headers["date"]) ?? now))
}

const later = (millis: number): number | undefined => millis > 0 ? millis : undefined

// of the three forms that there are the last names no zone, and means the same one as the others do:
// https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7
const httpDate = (header: string | undefined): number | undefined => {
  const text = header?.trim() ?? ""
  if (!dated.test(text)) return undefined
  const millis = Date.parse(text.endsWith("GMT") ? text : `${text} GMT`)
  return Number.isNaN(millis) ? undefined : millis
}

// `Date.parse` reads "-1" and "abc 5" as dates of its own making
const dated = /^[A-Z][a-z]{2,8},? [\w -]{5,11} \d\d:\d\d:\d\d( GMT| \d{4})$/

/**
 * What the details of an error say in the manner of Google (`google.rpc.RetryInfo`): a duration, written as text or as
 * seconds and nanoseconds.
 *
 * @see https://github.com/googleapis/googleapis/blob/master/google/rpc/error_details.proto
 */
export const fromDetails = (details: ReadonlyArray<unknown>): Duration.Duration | undefined => {
  for (const detail of details) {
    const delay = Json.get(detail, "retryDelay")
    const seconds = number(String(Json.get(delay, "seconds")))
    const millis = seconds === undefined
      ? goMillis(Json.string(delay))
      : seconds * 1000 + (Json.number(Json.get(delay, "nanos")) ?? 0) / 1e6
    if (millis !== undefined) return fromMillis(millis)
  }
  return undefined
}

/**
 * When the one limit that the headers tell of is full again, where it is used up: seconds, a moment (seconds or
 * milliseconds since 1970), a duration, or the parameters of `ratelimit` (`"default";r=0;t=30`).
 *
 * @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/
 */
export const fromReset = (headers: Headers, now: number): Duration.Duration | undefined => {
  const [, left, seconds] = /;\s*r=(\d{1,15})\b.*;\s*t=(\d{1,15})\b/.exec(headers["ratelimit"] ?? "") ?? []
  if (left !== undefined) return Number(left) > 0 ? undefined : fromMillis(Number(seconds) * 1000)
  for (const prefix of ["x-ratelimit-", "ratelimit-", "x-rate-limit-"]) {
    if ((number(headers[`${prefix}remaining`]) ?? 0) > 0) continue
    const reset = headers[`${prefix}reset`]
    const time = number(reset)
    const millis = time === undefined || time < aYearOfSeconds ? goMillis(reset) : later(toMillis(time) - now)
    if (millis !== undefined) return fromMillis(millis)
  }
  return undefined
}

// nobody is sent away for longer than a year, so that this is a moment; after the year 5138, one in milliseconds
const aYearOfSeconds = 365 * 86_400
const toMillis = (time: number): number => time < 1e11 ? time * 1000 : time

const unit: { readonly [name: string]: number } = {
  ns: 1e-6,
  us: 1e-3,
  "µs": 1e-3,
  "μs": 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000
}

/** Milliseconds of a duration as Go writes it (`6m0s`, `1m26.4s`, `80ms`); a bare number is seconds. */
export const goMillis = (text: string | undefined): number | undefined => {
  if (text === undefined) return undefined
  const seconds = number(text)
  if (seconds !== undefined) return seconds * 1000
  if (!/^(\d+(\.\d+)?(ns|us|µs|μs|ms|s|m|h))+$/.test(text)) return undefined
  let millis = 0
  for (const [, value, name] of text.matchAll(/(\d+(?:\.\d+)?)([a-zµμ]+)/g)) millis += Number(value) * unit[name!]!
  return millis
}
