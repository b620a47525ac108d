/**
 * How long a backend asks to be left alone, in any of the forms in which backends say it. What is hostile or broken
 * (negative, not a number, hex, a date gone by) says nothing, and nobody may send us away for more than a day.
 */
import * as Duration from "effect/Duration"

type Headers = { readonly [name: string]: string | undefined }

const day = 86_400_000

const decimal = /^\d+(\.\d+)?$/

/** Milliseconds as a duration, held within a day; `undefined` for what is no length of time. */
export const fromMillis = (millis: number | undefined): Duration.Duration | undefined =>
  millis === undefined || !(millis >= 0) ? undefined : Duration.millis(Math.min(Math.ceil(millis), day))

/** What the headers say: milliseconds before seconds before a date. `now` is milliseconds since 1970. */
export const fromHeaders = (headers: Headers, now: number): Duration.Duration | undefined =>
  fromMillis(
    number(headers["retry-after-ms"]) ?? number(headers["x-ms-retry-after-ms"]) ??
      afterSeconds(headers["retry-after"], now)
  )

const number = (text: string | undefined): number | undefined =>
  text !== undefined && decimal.test(text.trim()) ? Number(text) : undefined

const afterSeconds = (text: string | undefined, now: number): number | undefined => {
  if (text === undefined) return undefined
  const seconds = number(text)
  if (seconds !== undefined) return seconds * 1000
  // `Date.parse` reads "-1" and "1.5x" as dates of its own making; an HTTP date begins with the name of a day
  if (!/^[A-Z][a-z]+,? /.test(text)) return undefined
  const millis = Date.parse(text) - now
  return millis > 0 ? millis : undefined
}

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
