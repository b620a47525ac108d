/**
 * Keeps answers for a while, and gives them to who asks for the same again: nothing is sent then, nothing waits in a
 * queue, and nothing is paid. A service becomes a service. Nothing is kept unless this stands there.
 *
 * **What is the same.** As in `Coalescing`: the tenant, and everything that is in the request, compared by its whole
 * content. What one tenant asked is given to no other. An answer of a model is the same whether it is asked for whole or
 * as a stream; a stream is given from what is kept all at once.
 *
 * **What is kept.** Answers that would be the same again: vectors, rankings and inferences, and texts where the request
 * has a `seed` or the `temperature` 0 (`texts: "all"` keeps others as well, for those who would rather have the same
 * text again than another). Only what came to its proper end: no error, no stream that broke or was left, no text that a
 * filter cut. What is kept is as it was given, its `usage` and its `id` included.
 *
 * **How long.** Until its time is over, or others need its room: first goes what was used the longest ago.
 *
 * A caller may have it otherwise (`withMode`): `refresh` asks anew and keeps the answer, `bypass` does neither read nor
 * keep.
 *
 * It stands outermost, outside of `Coalescing` and of whatever protects and counts: what it gives is no call.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import { dual } from "effect/Function"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Completion from "./Completion.js"
import * as CacheStore from "./internal/cacheStore.js"
import { canonical } from "./internal/canonical.js"
import * as ServiceLayer from "./internal/serviceLayer.js"
import * as InvalidOptions from "./InvalidOptions.js"
import type { LlmError } from "./LlmError.js"
import type * as LlmService from "./LlmService.js"
import * as Monitor from "./Monitor.js"
import * as Policy from "./Policy.js"
import * as Prompt from "./Prompt.js"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * What is kept, and how much of it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * Which operations are answered from what is kept.
   *
   * @default ["generateText", "streamText", "embed", "rerank", "infer"]
   */
  readonly operations?: ReadonlyArray<typeof operations[number]> | undefined
  /**
   * Which texts are kept: those of requests with a `seed` or the `temperature` 0, or `all`.
   *
   * @default "deterministic"
   */
  readonly texts?: "deterministic" | "all" | undefined
  /**
   * How long an answer is given again, from 1 millisecond, or `Duration.infinity`.
   *
   * @default 5 minutes
   */
  readonly timeToLive?: Duration.DurationInput | undefined
  /**
   * Most answers that are kept, from 1.
   *
   * @default 1,000
   */
  readonly maxEntries?: number | undefined
  /**
   * Most bytes of memory, about, for answers and what was asked, from 1,024.
   *
   * @default 67,108,864 (64 MiB)
   */
  readonly maxBytes?: number | undefined
}

const operations = ["generateText", "streamText", "embed", "rerank", "infer"] as const

/**
 * The options as a schema, for who reads them from a file.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Options = Schema.Struct({
  operations: Schema.optionalWith(Schema.Array(InvalidOptions.oneOf(...operations)), { default: () => operations }),
  texts: Schema.optionalWith(InvalidOptions.oneOf("deterministic", "all"), { default: () => "deterministic" as const }),
  timeToLive: Schema.optionalWith(InvalidOptions.duration({ atLeast: 1 }), { default: () => Duration.minutes(5) }),
  maxEntries: Schema.optionalWith(InvalidOptions.whole({ atLeast: 1 }), { default: () => 1000 }),
  maxBytes: Schema.optionalWith(InvalidOptions.whole({ atLeast: 1024 }), { default: () => 64 * 1024 ** 2 })
})

const validate = InvalidOptions.validate("Caching", Options)

/**
 * What a caller wants of what is kept: to `use` it, to have it asked anew (`refresh`), or neither to read nor to keep
 * (`bypass`).
 *
 * @since 0.1.0
 * @category models
 */
export type Mode = "use" | "refresh" | "bypass"

/**
 * The mode of calls made here; `use` unless a caller says otherwise.
 *
 * @since 0.1.0
 * @category references
 */
export class CurrentMode extends Context.Reference<CurrentMode>()("@spillway/core/Caching/CurrentMode", {
  defaultValue: (): Mode => "use"
}) {}

/**
 * Runs an effect whose calls have the given mode. For a stream, use `Stream.provideService` with `CurrentMode`.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withMode: {
  (mode: Mode): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  <A, E, R>(self: Effect.Effect<A, E, R>, mode: Mode): Effect.Effect<A, E, R>
} = dual(2, <A, E, R>(self: Effect.Effect<A, E, R>, mode: Mode) => Effect.provideService(self, CurrentMode, mode))

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * A service that gives again what it has given. It tells the `Monitor` of it until the scope closes.
 *
 * @since 0.1.0
 * @category constructors
 * @example
 * ```ts
 * import { Caching, LlmService } from "@spillway/core"
 * import { Effect } from "effect"
 * import * as assert from "node:assert"
 *
 * let calls = 0
 * const lengths = LlmService.make("lengths", {
 *   embed: ({ input, model }) =>
 *     Effect.sync(() => {
 *       calls++
 *       return { model, vectors: input.map((text) => [text.length]), usage: {} }
 *     })
 * })
 *
 * const program = Effect.gen(function*() {
 *   const { embed } = yield* Caching.make(lengths, { timeToLive: "1 hour" })
 *   const ask = embed({ model: "m", input: ["abc"] })
 *   assert.deepStrictEqual(yield* ask, yield* ask)
 *   assert.strictEqual(calls, 1)
 *   yield* Caching.withMode(ask, "refresh")
 *   assert.strictEqual(calls, 2)
 * })
 *
 * Effect.runPromise(Effect.scoped(program))
 * ```
 */
export const make = (
  self: LlmService.Service,
  options: Options = {}
): Effect.Effect<LlmService.Service, InvalidOptions.InvalidOptions, Scope.Scope> =>
  Effect.gen(function*() {
    const settings = yield* validate(options)
    const clock = yield* Clock.clockWith(Effect.succeed)
    const { backend } = self
    const counts = { hits: 0, misses: 0 }
    const store = CacheStore.make<unknown>({ ...settings, timeToLive: Duration.toMillis(settings.timeToLive) })
    const read = () => ({
      cache: { ...counts, entries: store.entries(), bytes: store.bytes(), evicted: store.evicted() }
    })
    yield* Monitor.register({ backend, read })

    /** What is kept of the answer to a request, and how the answer is kept; `undefined` where it is neither. */
    const placeOf = <A>(fiber: Fiber.RuntimeFiber<unknown, unknown>, kind: string, request: LlmService.Request) => {
      const mode = Context.get(fiber.currentContext, CurrentMode)
      const key = mode === "bypass" ? undefined : keyOf(fiber, kind, request)
      if (key === undefined) return undefined
      // what is kept under a key of this kind was put there as an answer of this kind
      const found = mode === "use" ? store.get(key, clock.unsafeCurrentTimeMillis()) as A | undefined : undefined
      if (found === undefined) counts.misses++
      else counts.hits++
      const keep = (answer: A) => store.put(key, answer, CacheStore.sizeOf(answer), clock.unsafeCurrentTimeMillis())
      return { found, keep }
    }
    const isKept = (operation: typeof operations[number]) =>
      settings.operations.includes(operation) && self.operations.has(operation)
    const isWanted = (request: LlmService.Request) =>
      !("prompt" in request) || settings.texts === "all" || request.seed !== undefined || request.temperature === 0

    const whole = <Request extends LlmService.Request, A>(
      operation: typeof operations[number],
      kind: string,
      ask: (request: Request) => Effect.Effect<A, LlmError>,
      isWhole: (answer: A) => boolean = () => true
    ) =>
      !isKept(operation) ? ask : (request: Request): Effect.Effect<A, LlmError> =>
        !isWanted(request) ? ask(request) : Effect.withFiberRuntime((fiber) => {
          const place = placeOf<A>(fiber, kind, request)
          return place === undefined
            ? ask(request)
            : place.found !== undefined
            ? Effect.succeed(place.found)
            : Effect.map(ask(request), (answer) => {
              if (isWhole(answer)) place.keep(answer)
              return answer
            })
        })

    const streamed: LlmService.Service["streamText"] = (request) =>
      !isWanted(request) ? self.streamText(request) : Stream.unwrap(Effect.withFiberRuntime((fiber) => {
        const place = placeOf<Completion.Completion>(fiber, "text", request)
        return Effect.succeed(
          place === undefined
            ? self.streamText(request)
            : place.found !== undefined
            ? Stream.fromIterable(Completion.toParts(place.found))
            : keeping(self.streamText(request), settings.maxBytes, place.keep)
        )
      }))
    return {
      ...self,
      generateText: whole("generateText", "text", self.generateText, hasEnded),
      streamText: isKept("streamText") ? streamed : self.streamText,
      embed: whole("embed", "embed", self.embed),
      rerank: whole("rerank", "rerank", self.rerank),
      infer: whole("infer", "infer", self.infer)
    }
  })

const hasEnded = ({ finishReason }: Completion.Completion) => ends[finishReason]

const ends: { readonly [R in Completion.FinishReason]: boolean } = {
  stop: true,
  length: true,
  "tool-calls": true,
  "content-filter": false,
  // nobody knows whether the answer is whole
  other: false
}

/** The parts as they come; when they have all come, what they make is kept, unless it is too much. */
const keeping = (
  parts: Stream.Stream<Completion.Part, LlmError>,
  maxBytes: number,
  keep: (answer: Completion.Completion) => void
): Stream.Stream<Completion.Part, LlmError> => {
  let seen: Array<Completion.Part> | undefined = []
  let bytes = 0
  const see = (part: Completion.Part) => {
    bytes += CacheStore.sizeOf(part)
    if (bytes > maxBytes) seen = undefined
    else seen?.push(part)
  }
  const ended = Stream.execute(Effect.sync(() => {
    const answer = seen && Completion.fromParts(seen)
    if (answer !== undefined && hasEnded(answer)) keep(answer)
  }))
  return Stream.concat(
    Stream.mapChunks(parts, (chunk) => {
      if (seen !== undefined) for (const part of chunk) see(part)
      return chunk
    }),
    ended
  )
}

/** Who asks, and what, as a text; none where there is something in it that cannot be compared. */
const keyOf = (
  fiber: Fiber.RuntimeFiber<unknown, unknown>,
  kind: string,
  request: LlmService.Request
): string | undefined => {
  const asked = canonical("prompt" in request ? { ...request, prompt: Prompt.make(request.prompt) } : request)
  return asked && `${kind} ${JSON.stringify(Context.get(fiber.currentContext, Policy.CurrentTenant))} ${asked}`
}

/**
 * The same for the service of a layer; what else the layer gives comes out as it is.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * ```ts
 * import { Caching, Coalescing, LlmService, Resilience } from "@spillway/core"
 * import * as Layer from "effect/Layer"
 *
 * const Backend = Layer.succeed(LlmService.LlmService, LlmService.make("tei", {}))
 * const Live = Backend.pipe(Resilience.layer(), Coalescing.layer(), Caching.layer({ timeToLive: "1 hour" }))
 * ```
 */
export const layer = (options: Options = {}): <E, R, Own = never>(
  self: Layer.Layer<LlmService.LlmService | Own, E, R>
) => Layer.Layer<LlmService.LlmService | Own, E | InvalidOptions.InvalidOptions, R> =>
  ServiceLayer.map((service) => make(service, options))
