/**
 * Shares a call that is under way with all who ask for the same meanwhile: it is made once, and all get its answer. A
 * service becomes a service.
 *
 * **What is the same.** The operation, the tenant, and everything that is in the request, whatever the order of its
 * fields: requests are compared by their whole content, and none by a digest of it. One in which there is anything whose
 * content cannot be compared (an instance of a class) is shared with none. Nothing is kept: a call that has ended is
 * shared no more, whether it ended well or not.
 *
 * **What is shared.** The answer, whatever it is, errors as well; its usage is that of the one call. So only such
 * operations are shared as nobody minds: models write another text each time they are asked, and who asks twice for
 * one may want two. Texts are shared only where they are named (`operations`).
 *
 * **Who shares.** Who goes away leaves the others to it, and with the last of them the call is given up. It is made in
 * the context and with the priority of the first; who is more urgent has one made of his own. It has no deadline, since
 * each has his own, which ends his own wait.
 *
 * A stream is read by each from its first part on. It is asked for parts as fast as the fastest reads; those who are
 * slower find them kept. Of a stream longer than `maxParts` only the last are: it is joined no more, and who falls
 * further behind than that fails with `StreamInterrupted`, rather than hold up the others.
 *
 * It stands outside of what protects the service, and outside of `Batching`: what is the same is sent once, and what is
 * left is sent together.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Alarms from "./internal/alarms.js"
import { canonical } from "./internal/canonical.js"
import * as ServiceLayer from "./internal/serviceLayer.js"
import * as SharedAnswer from "./internal/sharedAnswer.js"
import * as SharedStream from "./internal/sharedStream.js"
import * as InvalidOptions from "./InvalidOptions.js"
import type { LlmError } from "./LlmError.js"
import * as LlmService from "./LlmService.js"
import * as Monitor from "./Monitor.js"
import * as Prompt from "./Prompt.js"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * What is shared.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * Which operations are shared.
   *
   * @default ["embed", "rerank", "listModels"]
   */
  readonly operations?: ReadonlyArray<LlmService.Operation> | undefined
  /**
   * Most parts of a stream that are kept for those who come later or read more slowly, from 1.
   *
   * @default 10,000
   */
  readonly maxParts?: number | undefined
}

/**
 * The options as a schema, for who reads them from a file.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Options = Schema.Struct({
  operations: Schema.optionalWith(Schema.Array(InvalidOptions.oneOf(...LlmService.operations)), {
    default: (): ReadonlyArray<LlmService.Operation> => ["embed", "rerank", "listModels"]
  }),
  maxParts: Schema.optionalWith(InvalidOptions.whole({ atLeast: 1 }), { default: () => 10_000 })
})

const validate = InvalidOptions.validate("Coalescing", Options)

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * A service whose calls are shared. It tells the `Monitor` of them until the scope closes.
 *
 * @since 0.1.0
 * @category constructors
 * @example
 * ```ts
 * import { Coalescing, LlmService } from "@spillway/core"
 * import { Effect } from "effect"
 * import * as assert from "node:assert"
 *
 * let calls = 0
 * const lengths = LlmService.make("lengths", {
 *   embed: ({ input, model }) =>
 *     Effect.as(Effect.sleep("10 millis"), { model, vectors: input.map((text) => [text.length]), usage: {} }).pipe(
 *       Effect.zipLeft(Effect.sync(() => calls++))
 *     )
 * })
 *
 * const program = Effect.gen(function*() {
 *   const { embed } = yield* Coalescing.make(lengths)
 *   const ask = embed({ model: "m", input: ["abc"] })
 *   const answers = yield* Effect.all([ask, ask, ask], { concurrency: "unbounded" })
 *   assert.deepStrictEqual(answers.map(({ vectors }) => vectors), [[[3]], [[3]], [[3]]])
 *   assert.strictEqual(calls, 1)
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
    const { maxParts, operations } = yield* validate(options)
    const { backend } = self
    const counts = { made: 0, joined: 0 }
    const settings: SharedAnswer.Settings = { backend, alarms: yield* Alarms.make, counts }
    yield* Monitor.register({ backend, read: () => ({ coalesced: { ...counts } }) })

    const isShared = (operation: LlmService.Operation) => operations.includes(operation) && self.operations.has(operation)
    const shared = <Request extends LlmService.Request, Answer>(
      operation: LlmService.Operation,
      ask: (request: Request) => Answer,
      share: (asked: SharedAnswer.Asked, answer: Answer) => Answer
    ) =>
      isShared(operation)
        ? (request: Request) => {
          const key = keyOf(request)
          return key === undefined ? ask(request) : share({ key, model: request.model }, ask(request))
        }
        : ask
    const sharedAlways = <A>(operation: LlmService.Operation, answer: Effect.Effect<A, LlmError>) =>
      isShared(operation) ? SharedAnswer.make<A>(settings)({ key: "", model: "" }, answer) : answer
    return {
      ...self,
      generateText: shared("generateText", self.generateText, SharedAnswer.make(settings)),
      streamText: shared("streamText", self.streamText, SharedStream.make(settings, maxParts)),
      embed: shared("embed", self.embed, SharedAnswer.make(settings)),
      rerank: shared("rerank", self.rerank, SharedAnswer.make(settings)),
      infer: shared("infer", self.infer, SharedAnswer.make(settings)),
      listModels: sharedAlways("listModels", self.listModels),
      health: sharedAlways("health", self.health)
    }
  })

/** What is asked, as a text; none where there is something in it that cannot be compared. */
const keyOf = (request: LlmService.Request): string | undefined =>
  canonical("prompt" in request ? { ...request, prompt: Prompt.make(request.prompt) } : request)

/**
 * The same for the service of a layer; what else the layer gives comes out as it is.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * ```ts
 * import { Batching, Coalescing, LlmService, Resilience } from "@spillway/core"
 * import * as Layer from "effect/Layer"
 *
 * const Backend = Layer.succeed(LlmService.LlmService, LlmService.make("tei", {}))
 * const Live = Backend.pipe(Resilience.layer(), Batching.layer(), Coalescing.layer())
 * ```
 */
export const layer = (options: Options = {}): <E, R, Own = never>(
  self: Layer.Layer<LlmService.LlmService | Own, E, R>
) => Layer.Layer<LlmService.LlmService | Own, E | InvalidOptions.InvalidOptions, R> =>
  ServiceLayer.map((service) => make(service, options))
