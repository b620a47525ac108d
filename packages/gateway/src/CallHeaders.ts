/**
 * What a client may say of a call in its headers: how urgent it is, by when it must have ended, and on whose behalf it
 * is made; whether it may be answered from what is kept; and the id under which both sides log it.
 *
 * | header | values |
 * |---|---|
 * | `x-spillway-priority` | `high`, `normal`, `low`, or a number from 0 (most urgent) to 2 |
 * | `x-spillway-deadline` | a length of time from now: `1500ms`, `30s`, `2m`; a plain number is milliseconds |
 * | `x-spillway-tenant` | a name of letters, digits and `. _ : @ / -`, at most 64 |
 * | `cache-control` | `no-cache` has it asked anew, `no-store` has nothing kept of it; others say nothing here |
 * | `x-request-id` | letters, digits and `. _ : -`, at most 128; one is made when there is none |
 *
 * @since 0.1.0
 */
import type * as Headers from "@effect/platform/Headers"
import * as Caching from "@spillway/core/Caching"
import * as Policy from "@spillway/core/Policy"
import * as Context from "effect/Context"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { field, type Refusal } from "./Refusal.js"

/**
 * What the headers say of a call that arrived at `now`, as the references of core; `undefined` when they say
 * nothing. A value that cannot be read, and a header of ours that does not exist, are refused: a deadline that is not
 * kept because of a slip of the pen is worse than none.
 *
 * @since 0.1.0
 * @category constructors
 */
export const read = (
  headers: Headers.Headers,
  now: number
): Either.Either<Context.Context<never> | undefined, Refusal> => {
  let given: Context.Context<never> | undefined
  for (const name in headers) {
    if (!name.startsWith("x-spillway-")) continue
    const reader = Object.hasOwn(readers, name) ? readers[name] : undefined
    if (reader === undefined) {
      return Either.left(field(name, `is not a header of this gateway; there are ${Object.keys(readers).join(", ")}`))
    }
    const value = headers[name]?.trim() ?? ""
    const next = reader.read(value, now)
    if (next === undefined) return Either.left(field(name, `must be ${reader.says}`))
    given = given === undefined ? next : Context.merge(given, next)
  }
  const mode = modeOf(headers["cache-control"])
  if (mode === undefined) return Either.right(given)
  const cached = Context.make(Caching.CurrentMode, mode)
  return Either.right(given === undefined ? cached : Context.merge(given, cached))
}

const modeOf = (control: string | undefined): Caching.Mode | undefined => {
  if (control === undefined) return undefined
  const words = control.toLowerCase().split(",").map((word) => word.trim())
  return words.includes("no-store") ? "bypass" : words.includes("no-cache") ? "refresh" : undefined
}

interface Reader {
  readonly says: string
  readonly read: (value: string, now: number) => Context.Context<never> | undefined
}

const longestDeadline = 24 * 60 * 60 * 1000

const units: { readonly [unit: string]: number } = { ms: 1, s: 1000, m: 60_000 }

const readers: { readonly [header: string]: Reader } = {
  "x-spillway-priority": {
    says: "high, normal, low, or a number from 0 (most urgent) to 2",
    read: (value) =>
      value === "high" || value === "normal" || value === "low"
        ? Context.make(Policy.CurrentPriority, value)
        : /^(?:[01](?:\.\d{1,9})?|2(?:\.0{1,9})?)$/.test(value)
        ? Context.make(Policy.CurrentPriority, Number(value))
        : undefined
  },
  "x-spillway-deadline": {
    says: "a length of time of at most 24 hours, such as 1500ms, 30s or 2m",
    read: (value, now) => {
      const [, amount, unit = "ms"] = /^(\d{1,12}(?:\.\d{1,6})?)(ms|s|m)?$/.exec(value) ?? []
      const millis = Number(amount) * units[unit]!
      return millis > 0 && millis <= longestDeadline
        ? Context.make(Policy.CurrentDeadline, Option.some(now + millis))
        : undefined
    }
  },
  "x-spillway-tenant": {
    says: "a name of 1 to 64 letters, digits and . _ : @ / -",
    read: (value) => isTenant(value) ? Context.make(Policy.CurrentTenant, value) : undefined
  }
}

/**
 * Whether a text can be the name of a tenant.
 *
 * @since 0.1.0
 * @category guards
 */
export const isTenant = (text: string): boolean => /^[A-Za-z0-9._:@/-]{1,64}$/.test(text)

/**
 * The id that the client gave the request, if it gave one that can be written to a log and a header as it is.
 *
 * @since 0.1.0
 * @category constructors
 */
export const requestId = (headers: Headers.Headers): string | undefined => {
  const id = headers["x-request-id"]
  return id !== undefined && /^[A-Za-z0-9._:-]{1,128}$/.test(id) ? id : undefined
}
