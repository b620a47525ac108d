/**
 * A key's account with one vendor: whether it is good, what is left of its limits, what it has been through.
 *
 * @since 0.1.0
 */
import * as Journal from "./Journal.js"
import * as Limit from "./Limit.js"
import type { Settings } from "./Settings.js"
import * as Wire from "./Wire.js"

/**
 * What a vendor thinks of a key: `good`, `revoked` (it is answered as an unknown one), or `exhausted` (out of quota).
 *
 * @since 0.1.0
 * @category models
 */
export type Standing = "good" | "revoked" | "exhausted"

/**
 * An account. It changes in place.
 *
 * @since 0.1.0
 * @category models
 */
export interface Account {
  readonly name: string
  readonly counts: Journal.Counts
  standing: Standing
  limits: Limits
}

/**
 * The limits of a key; one that is absent does not bind.
 *
 * @since 0.1.0
 * @category models
 */
export interface Limits {
  readonly requests: Limit.Limit | undefined
  readonly tokens: Limit.Limit | undefined
  readonly daily: Limit.Limit | undefined
}

const minute = 60_000
const day = 86_400_000

/**
 * Full limits, as this wire has them.
 *
 * @since 0.1.0
 * @category constructors
 */
export const limits = (settings: Settings, wire: Wire.Wire, now: number): Limits => {
  const when = (applies: boolean, amount: number, window: number, burst: number) =>
    applies ? Limit.make(amount, window, burst, now) : undefined
  return {
    requests: when(wire.keyed, settings.requestsPerMinute, minute, settings.burst),
    tokens: when(wire.keyed, settings.tokensPerMinute, minute, settings.tokensPerMinute),
    daily: when(wire.daily, settings.requestsPerDay, day, Math.max(1, settings.requestsPerDay))
  }
}

/**
 * An account in good standing.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (name: string, limits: Limits): Account => ({
  name,
  counts: Journal.counts(),
  standing: "good",
  limits
})

/**
 * Why another request may not be made now, if it may not.
 *
 * @since 0.1.0
 * @category accessors
 */
export const refusesRequest = ({ limits }: Account, model: string, now: number): Wire.Failure | undefined =>
  short("requests", limits.requests, 1, model, now) ?? short("daily requests", limits.daily, 1, model, now)

/**
 * Why so many tokens may not be used now, if they may not.
 *
 * @since 0.1.0
 * @category accessors
 */
export const refusesTokens = (
  { limits }: Account,
  wanted: number,
  model: string,
  now: number
): Wire.Failure | undefined => short("tokens", limits.tokens, wanted, model, now)

/**
 * Takes a request and its tokens from the limits.
 *
 * @since 0.1.0
 * @category combinators
 */
export const charge = ({ counts, limits }: Account, input: number, output: number, now: number): void => {
  Limit.take(limits.requests, 1, now)
  Limit.take(limits.daily, 1, now)
  Limit.take(limits.tokens, input + output, now)
  counts.inputTokens += input
  counts.outputTokens += output
}

const short = (
  of: "requests" | "tokens" | "daily requests",
  limit: Limit.Limit | undefined,
  wanted: number,
  model: string,
  now: number
): Wire.Failure | undefined => {
  const waitMillis = Limit.wait(limit, wanted, now)
  if (waitMillis === 0 || limit === undefined) return undefined
  return Number.isFinite(waitMillis)
    ? Wire.Failure.RateLimited({
        of,
        limit: limit.amount,
        used: limit.amount - Math.max(0, Limit.remaining(limit, now)),
        wanted,
        waitMillis,
        model
      })
    : Wire.Failure.TooManyTokens({ limit: limit.amount, wanted, model })
}
