/**
 * What keeps a backend going, tried out on it with a few real calls: whether the queue holds its limit, a refusal is
 * waited for, and every key is used.
 *
 * @since 0.1.0
 */
import type * as InvalidOptions from "@spillway/core/InvalidOptions"
import * as KeyPool from "@spillway/core/KeyPool"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Resilience from "@spillway/core/Resilience"
import type * as Catalogue from "@spillway/providers/Catalogue"
import * as Arr from "effect/Array"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Probe from "./Probe.js"

/**
 * Tries it, on a backend that no policy stands around.
 *
 * @since 0.1.0
 * @category constructors
 */
export const run = (
  backend: Catalogue.Name,
  { models }: Pick<Catalogue.Entry, "models">,
  service: LlmService.Service
): Effect.Effect<Probe.Loaded, InvalidOptions.InvalidOptions> =>
  Effect.gen(function*() {
    const ask = asking(models, service)
    if (ask === undefined) {
      const skipped = Probe.skipped("it has nothing that is cheap to ask")
      return { queue: skipped, backoff: skipped, multiplexing: skipped }
    }
    const under = (options: Resilience.Options, attempt: Attempt) =>
      Effect.map(Resilience.standard(backend, options), (policy) => ask(Resilience.protect(counted(service, attempt), policy)))

    const queue = Effect.scoped(Effect.gen(function*() {
      let underWay = 0
      let most = 0
      const call = yield* under({ queue: { concurrency } }, (attempt) =>
        Effect.suspend(() => {
          most = Math.max(most, ++underWay)
          return Effect.ensuring(attempt, Effect.sync(() => underWay--))
        }))
      return yield* judged(together(calls, call), () =>
        most <= concurrency ? undefined : `${most} calls were under way at once, where ${concurrency} may be`)
    }))

    const backoff = Effect.scoped(Effect.gen(function*() {
      let attempts = 0
      const refusal = new LlmError.RateLimited({ backend, message: "made up to see what becomes of it", retryAfter })
      const call = yield* under({}, (attempt) => Effect.suspend(() => attempts++ === 0 ? Effect.fail(refusal) : attempt))
      const began = yield* Clock.currentTimeMillis
      return yield* judged(call, (now) =>
        now - began < Duration.toMillis(retryAfter)
          ? `it was tried again after ${now - began} ms, and not after the ${Duration.toMillis(retryAfter)} ms that it was told`
          : undefined)
    }))

    const multiplexing = Effect.scoped(Effect.gen(function*() {
      const usable = Effect.map(
        Effect.flatMap(KeyPool.pools, (pools) =>
          Effect.forEach(pools.filter((pool) => pool.backend === backend), ({ stats }) => stats)),
        (stats) => stats.flat().filter(({ state }) => state === "ready")
      )
      const before = yield* usable
      if (before.length < 2) return Probe.skipped(`it has ${before.length === 1 ? "one key" : "no other key"}`)
      const call = yield* under({ queue: { concurrency: 2 * before.length } }, (attempt) => attempt)
      const outcome = yield* judged(together(Math.min(2 * before.length, mostCalls), call), () => undefined)
      const after = yield* usable
      const idle = before.filter(({ id, requests }) => after.some((key) => key.id === id && key.requests === requests))
      if (outcome._tag !== "Passed") return outcome
      return idle.length > 0 && before.length <= mostCalls
        ? Probe.wrong(outcome.millis, `${idle.map(({ id }) => id).join(", ")} had nothing to do`)
        : Probe.passed(outcome.millis, `${before.length} keys`)
    }))

    return yield* Effect.all({ queue, backoff, multiplexing })
  })

const concurrency = 2

const calls = 6

/** So many keys and no more are tried at once. */
const mostCalls = 16

const retryAfter = Duration.millis(300)

type Attempt = <A>(attempt: Effect.Effect<A, LlmError.LlmError>) => Effect.Effect<A, LlmError.LlmError>

type Ask = (service: LlmService.Service) => Effect.Effect<unknown, LlmError.LlmError>

const asking = (models: Catalogue.Entry["models"], { operations }: LlmService.Service): Ask | undefined => {
  const { embed, generateText } = models
  return generateText !== undefined && operations.has("generateText")
    ? (service) => service.generateText({ model: generateText, prompt: "Say hello.", maxTokens: 8 })
    : embed !== undefined && operations.has("embed")
    ? (service) => service.embed({ model: embed, input: ["spillway"] })
    : undefined
}

const counted = (service: LlmService.Service, attempt: Attempt): LlmService.Service => ({
  ...service,
  generateText: (request) => attempt(service.generateText(request)),
  embed: (request) => attempt(service.embed(request))
})

const together = <E>(count: number, call: Effect.Effect<unknown, E>): Effect.Effect<void, E> =>
  Effect.forEach(Arr.range(1, count), () => call, { concurrency: "unbounded", discard: true })

const judged = (
  calls: Effect.Effect<unknown, LlmError.LlmError>,
  wrong: (now: number) => string | undefined
): Effect.Effect<Probe.Outcome> =>
  Effect.map(Effect.either(Probe.timed(calls)), (ended) => {
    if (ended._tag === "Left") return Probe.failed(ended.left)
    const [, millis, now] = ended.right
    const message = wrong(now)
    return message === undefined ? Probe.passed(millis) : Probe.wrong(millis, message)
  })
