/**
 * The same calls under different settings, measured: which strategy for the keys, how many places, whether to try again.
 *
 * @since 0.1.0
 */
import * as KeyPool from "@spillway/core/KeyPool"
import type * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Monitor from "@spillway/core/Monitor"
import type * as Resilience from "@spillway/core/Resilience"
import * as Arr from "effect/Array"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Settings from "./Settings.js"

/**
 * What is compared.
 *
 * @since 0.1.0
 * @category models
 */
export interface Setting {
  readonly name: string
  readonly strategy: NonNullable<NonNullable<KeyPool.Defaults["pool"]>["strategy"]>
  /** Whether the first key is the only one. */
  readonly isSingle: boolean
  readonly policies: Resilience.Options
}

/**
 * What was measured under a setting.
 *
 * @since 0.1.0
 * @category models
 */
export interface Measured {
  readonly setting: string
  readonly answered: number
  readonly failed: { readonly [T in LlmError.Tag]?: number }
  /** From the first call to the last answer. */
  readonly millis: number
  readonly perSecond: number
  /** Of the calls that were answered, their waits and retries included. */
  readonly latencyMillis: Monitor.Percentiles
  /** Attempts that the backend refused for being too many. */
  readonly refused: number
  readonly retries: number
}

/**
 * The settings that are compared for so many calls, of which so many are made at once.
 *
 * @since 0.1.0
 * @category constructors
 */
export const settings = (calls: number, concurrency: number): ReadonlyArray<Setting> => {
  const queue = { concurrency, capacity: calls }
  const keys = (strategy: Setting["strategy"]): Setting => ({ name: strategy, strategy, isSingle: false, policies: { queue } })
  const turns = keys("round-robin")
  return [
    { ...turns, name: "one key", isSingle: true },
    turns,
    keys("least-loaded"),
    keys("most-headroom"),
    {
      ...turns,
      name: "round-robin, a quarter of the places",
      policies: { queue: { ...queue, concurrency: Math.ceil(concurrency / 4) } }
    },
    { ...turns, name: "round-robin, paced by refusals", policies: { queue, adaptive: true } },
    { ...turns, name: "round-robin, short backoff", policies: { queue, retry: { initialDelay: "100 millis" } } },
    { ...turns, name: "round-robin, never again", policies: { queue, retry: false } }
  ]
}

/**
 * Makes the calls under a setting, on the backends of the environment, made for it.
 *
 * @since 0.1.0
 * @category combinators
 */
export const measure = (
  setting: Setting,
  options: { readonly backend: string; readonly calls: number; readonly concurrency: number },
  call: Effect.Effect<unknown, LlmError.LlmError, LlmService.LlmService>
) =>
  Effect.gen(function*() {
    const monitor = yield* Monitor.CurrentMonitor
    const backends = yield* Settings.backends(setting.policies)
    return yield* Effect.gen(function*() {
      yield* LlmService.LlmService
      const { backends: seen } = yield* monitor.snapshot
      const used = seen.find(({ backend }) => backend === options.backend)
      const first = setting.isSingle ? Option.fromNullable(used?.keys?.[0]?.id) : Option.none()
      const began = yield* Clock.currentTimeMillis
      const ended = yield* Effect.forEach(Arr.range(1, options.calls), () => timed(call), { concurrency: options.concurrency }).pipe(
        Effect.provideService(KeyPool.CurrentKey, first)
      )
      const millis = (yield* Clock.currentTimeMillis) - began
      return toMeasured(setting.name, ended, millis, yield* monitor.snapshot)
    }).pipe(Effect.provide(backends.layer))
  }).pipe(
    Effect.scoped,
    Effect.provideService(KeyPool.CurrentDefaults, { pool: { strategy: setting.strategy } }),
    Effect.provideService(KeyPool.CurrentPools, new Set<KeyPool.KeyPool>()),
    Effect.provideService(Monitor.CurrentMonitor, Monitor.unsafeMake())
  )

interface Ended {
  readonly millis: number
  readonly error: LlmError.Tag | undefined
}

const timed = <R>(call: Effect.Effect<unknown, LlmError.LlmError, R>): Effect.Effect<Ended, never, R> =>
  Effect.flatMap(Clock.currentTimeMillis, (began) =>
    Effect.flatMap(
      Effect.match(call, { onFailure: ({ _tag }) => _tag, onSuccess: () => undefined }),
      (error) => Effect.map(Clock.currentTimeMillis, (now) => ({ millis: now - began, error }))
    ))

/**
 * What the ends of calls, and what the monitor saw of them, come to.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toMeasured = (
  setting: string,
  ended: ReadonlyArray<Ended>,
  millis: number,
  { backends }: Monitor.Snapshot
): Measured => {
  const times = ended.flatMap(({ error, millis }) => error === undefined ? [millis] : []).sort((a, b) => a - b)
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(share * times.length))] ?? 0
  const failed: { [T in LlmError.Tag]?: number } = {}
  for (const { error } of ended) if (error !== undefined) failed[error] = (failed[error] ?? 0) + 1
  const keys = backends.flatMap(({ keys = [] }) => keys)
  return {
    setting,
    answered: times.length,
    failed,
    millis,
    perSecond: millis === 0 ? 0 : times.length * 1000 / millis,
    latencyMillis: { p50: at(0.5), p95: at(0.95), p99: at(0.99) },
    refused: keys.reduce((sum, { failures: { RateLimited = 0 } }) => sum + RateLimited, 0),
    retries: backends.flatMap(({ calls }) => Object.values(calls?.retries ?? {})).reduce((sum, n) => sum + n, 0)
  }
}
