/**
 * Joins what several callers ask of a model at about the same time: one call goes to the backend, and each caller gets
 * the answer to his own request. A service becomes a service.
 *
 * Joined are requests for the same operation, of the same model, with the same parameters, for the same tenant. They
 * wait for each other until there are enough of them (`maxItems`, `maxTokens`), or the first has waited for `maxDelay`.
 *
 * | operation | what is joined |
 * |---|---|
 * | `embed` | texts |
 * | `rerank` | documents for the same query; who wants only the best few gets the best of his own |
 * | `infer` | tensors of the same names, kinds and shapes, along their first dimension. Of JSON only the model knows |
 *
 * **One for all.** A batch goes with the most urgent priority of those in it, and with the latest deadline; each caller's
 * own deadline ends his own wait. Who goes away before it is sent is not in it; with the last who waits for it, it is
 * given up. What the answer says was used is shared out by the size of the requests, in whole tokens that add up.
 *
 * **One against all.** When the backend refuses the batch for what is in it (`InvalidRequest`, `ContentFiltered`), it
 * is sent again in halves, and those that are refused in halves of halves: the one at fault gets its error and the
 * others their answers, after at most 2⌈log₂ n⌉ + 1 calls for one among n. All other errors are everybody's: so is an
 * answer that has not one result for each item (`MalformedResponse`).
 *
 * It stands outside of what protects the service (`Batching.layer` comes after `Resilience.layer`): a batch is one call,
 * which waits in the queue once, and is tried again as a whole. It is worth its delay where many callers ask for little
 * each, as gateways and searches do; one who has many texts sends them in one request himself. A request that cannot
 * be joined, or is as large as a batch by itself, is sent at once.
 *
 * Effect's `RequestResolver` is not beneath it: that joins what one fiber asks for in one `Effect.forEach`, with no time
 * to wait, no deadlines, and one fate for all who asked; here the callers are strangers to each other.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Alarms from "./internal/alarms.js"
import * as Batcher from "./internal/batcher.js"
import * as BatchTally from "./internal/batchTally.js"
import * as Joining from "./internal/joining.js"
import * as ServiceLayer from "./internal/serviceLayer.js"
import * as InvalidOptions from "./InvalidOptions.js"
import type * as LlmService from "./LlmService.js"
import * as Monitor from "./Monitor.js"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * What can be asked together.
 *
 * @since 0.1.0
 * @category models
 */
export type Operation = "embed" | "rerank" | "infer"

/**
 * What is joined, and how much of it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * Which operations are joined. `rerank` is for models that score each document by itself, as cross-encoders do;
   * `infer` is for models that take their inputs in batches.
   *
   * @default ["embed"]
   */
  readonly operations?: ReadonlyArray<Operation> | undefined
  /**
   * Most texts, documents or rows of a batch, from 2. No more than the backend takes at once: OpenAI 2,048 texts, TEI
   * what it was started with (`--max-client-batch-size`, 32 by default), Gemini 100.
   *
   * @default 32
   */
  readonly maxItems?: number | undefined
  /**
   * Most tokens of a batch, as `Tokens` estimates them, from 1. OpenAI takes 300,000.
   *
   * @default 100,000
   */
  readonly maxTokens?: number | undefined
  /**
   * Longest that a request waits for others, 0 to one minute; with 0 for those that come in the same turn. One whose
   * deadline would pass meanwhile has its batch sent at once.
   *
   * @default 10 milliseconds
   */
  readonly maxDelay?: Duration.DurationInput | undefined
}

const operations = ["embed", "rerank", "infer"] as const satisfies ReadonlyArray<Operation>

/**
 * The options as a schema, for who reads them from a file.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Options = Schema.Struct({
  operations: Schema.optionalWith(Schema.Array(InvalidOptions.oneOf(...operations)), {
    default: (): ReadonlyArray<Operation> => ["embed"]
  }),
  maxItems: Schema.optionalWith(InvalidOptions.whole({ atLeast: 2 }), { default: () => 32 }),
  maxTokens: Schema.optionalWith(InvalidOptions.whole({ atLeast: 1 }), { default: () => 100_000 }),
  maxDelay: Schema.optionalWith(InvalidOptions.duration({ atMost: "1 minute" }), {
    default: () => Duration.millis(10)
  })
})

const validate = InvalidOptions.validate("Batching", Options)

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * A service whose callers are joined; operations that it lacks stay as they are. It tells the `Monitor` of its batches
 * until the scope closes.
 *
 * @since 0.1.0
 * @category constructors
 * @example
 * ```ts
 * import { Batching, LlmService } from "@spillway/core"
 * import { Effect } from "effect"
 * import * as assert from "node:assert"
 *
 * let calls = 0
 * const lengths = LlmService.make("lengths", {
 *   embed: ({ input, model }) => {
 *     calls++
 *     return Effect.succeed({ model, vectors: input.map((text) => [text.length]), usage: { inputTokens: 10 } })
 *   }
 * })
 *
 * const program = Effect.gen(function*() {
 *   const { embed } = yield* Batching.make(lengths, { maxItems: 3 })
 *   const ask = (text: string) => embed({ model: "m", input: [text] })
 *   const answers = yield* Effect.all([ask("a"), ask("bcd"), ask("ef")], { concurrency: "unbounded" })
 *   assert.deepStrictEqual(answers.map(({ vectors }) => vectors), [[[1]], [[3]], [[2]]])
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
    const { maxDelay, maxItems, maxTokens, operations } = yield* validate(options)
    const { backend } = self
    const tally = BatchTally.make()
    const alarms = yield* Alarms.make
    const settings = { backend, maxItems, maxTokens, maxDelay: Duration.toMillis(maxDelay), alarms, tally }
    yield* Monitor.register({ backend, read: () => ({ batches: tally.read() }) })
    const isJoined = (operation: Operation) => operations.includes(operation) && self.operations.has(operation)
    return {
      ...self,
      ...(isJoined("embed") && { embed: Batcher.make(Joining.embed, self.embed, settings) }),
      ...(isJoined("rerank") && { rerank: Batcher.make(Joining.rerank, self.rerank, settings) }),
      ...(isJoined("infer") && { infer: Batcher.make(Joining.infer, self.infer, settings) })
    }
  })

/**
 * The same for the service of a layer; what else the layer gives comes out as it is.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * ```ts
 * import { Batching, LlmService, Resilience } from "@spillway/core"
 * import * as Layer from "effect/Layer"
 *
 * const Backend = Layer.succeed(LlmService.LlmService, LlmService.make("tei", {}))
 * const Live = Backend.pipe(Resilience.layer(), Batching.layer({ maxItems: 32, maxDelay: "5 millis" }))
 * ```
 */
export const layer = (options: Options = {}): <E, R, Own = never>(
  self: Layer.Layer<LlmService.LlmService | Own, E, R>
) => Layer.Layer<LlmService.LlmService | Own, E | InvalidOptions.InvalidOptions, R> =>
  ServiceLayer.map((service) => make(service, options))
