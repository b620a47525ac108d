/**
 * A backend that allows each key so many requests a second and so many at once, by GCRA, refuses the others, and says
 * in one form or another how long to wait; and callers who ask it through a pool, one call after the other, and again
 * when they were refused.
 */
import { KeyPool, LlmError } from "@spillway/core"
import { Clock, Duration, Effect, Option } from "effect"
import * as Arrival from "../src/internal/arrival.js"

/** How a refusal says how long to wait: to the millisecond, rounded up to seconds, or not at all. */
export type Form = "exact" | "whole" | "none"

export interface Settings {
  /** What a key is allowed at a time. */
  readonly perSecond: (at: number, key: string) => number
  readonly burst: number
  readonly form: Form
  /** How long an answer takes, in milliseconds. */
  readonly latency: Effect.Effect<number>
}

/** What was asked of it, and what became of that. */
export interface Asked {
  readonly at: number
  readonly key: string
  readonly isRefused: boolean
}

export const make = ({ burst, form, latency, perSecond }: Settings) => {
  const arrivals = new Map<string, number>()
  const asked: Array<Asked> = []
  const forms: { readonly [F in Form]: (millis: number) => number | undefined } = {
    exact: (millis) => Math.ceil(millis),
    whole: (millis) => Math.ceil(millis / 1000) * 1000,
    none: () => undefined
  }
  /** One request with a key. */
  const ask = (key: string): Effect.Effect<void, LlmError.RateLimited> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const period = 1000 / perSecond(now, key)
      const due = Math.max(now, arrivals.get(key) ?? 0)
      const wait = due + period - now - burst * period
      asked.push({ at: now, key, isRefused: wait > 0 })
      if (wait > 0) {
        const millis = forms[form](wait)
        return new LlmError.RateLimited({
          backend: "limited",
          message: "slow down",
          ...(millis !== undefined && { retryAfter: Duration.millis(millis) })
        })
      }
      arrivals.set(key, due + period)
      return Effect.flatMap(latency, (millis) => Effect.sleep(Duration.millis(millis)))
    })
  return { ask, asked }
}

/** What callers saw: how long each call took, and when it ended. */
export interface Seen {
  readonly waits: Array<number>
  readonly ends: Array<number>
  failed: number
}

/** So many callers, who ask until a time. */
export const callers = (
  pool: KeyPool.KeyPool,
  ask: (key: string) => Effect.Effect<void, LlmError.RateLimited>,
  count: number,
  until: number
) => {
  const seen: Seen = { waits: [], ends: [], failed: 0 }
  const once: Effect.Effect<void, LlmError.LlmError> = Effect.acquireUseRelease(
    pool.acquire("model"),
    (lease) =>
      Effect.matchEffect(ask(lease.id), {
        onFailure: (error) => Effect.fail(lease.failed(error)),
        onSuccess: () => Effect.sync(() => lease.succeeded({}))
      }),
    (lease) => Effect.sync(lease.release)
  )
  const call = (tries: number): Effect.Effect<void, LlmError.LlmError> =>
    Effect.catchAll(once, (error) => {
      const wait = Option.getOrElse(LlmError.retryAfter(error), () => Duration.seconds(1))
      return tries === 5 ? Effect.fail(error) : Effect.delay(Effect.suspend(() => call(tries + 1)), wait)
    })
  const caller: Effect.Effect<void> = Effect.flatMap(Clock.currentTimeMillis, (began) =>
    began >= until ? Effect.void : call(0).pipe(
      Effect.provideService(Arrival.CurrentArrival, began),
      Effect.matchEffect({
        onFailure: () => Effect.sync(() => void seen.failed++),
        onSuccess: () =>
          Effect.map(Clock.currentTimeMillis, (now) => {
            seen.waits.push(now - began)
            seen.ends.push(now)
          })
      }),
      Effect.zipRight(Effect.suspend(() => caller))
    ))
  return Effect.as(Effect.forEach(Array.from({ length: count }), () => Effect.fork(caller)), seen)
}
