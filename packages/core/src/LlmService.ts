/**
 * The one service that every backend provides: text, streamed text, embeddings, ranking, and the models there are.
 *
 * A program asks for `LlmService` and does not know who answers: a backend, a router over several, or a scripted
 * stand-in in a test. What a backend lacks answers `Unsupported`, and its `operations` say so.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import type * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type * as Completion from "./Completion.js"
import type * as Embedding from "./Embedding.js"
import type * as Inference from "./Inference.js"
import * as LlmError from "./LlmError.js"
import type * as Model from "./Model.js"
import type * as Rerank from "./Rerank.js"
import * as StructuredOutput from "./StructuredOutput.js"

/**
 * What can be asked of a backend.
 *
 * @since 0.1.0
 * @category models
 */
export type Operation = "generateText" | "streamText" | "embed" | "rerank" | "infer" | "listModels" | "health"

/**
 * Every operation, for those who go through them all.
 *
 * @since 0.1.0
 * @category models
 */
export const operations = [
  "generateText",
  "streamText",
  "embed",
  "rerank",
  "infer",
  "listModels",
  "health"
] as const satisfies ReadonlyArray<Operation>

/**
 * What is asked of a model, whichever way.
 *
 * @since 0.1.0
 * @category models
 */
export type Request = Completion.Request | Embedding.Request | Rerank.Request | Inference.Request

/**
 * What a backend does for a program.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** The backend's name, as errors and metrics carry it. */
  readonly backend: string
  /** What it can do; the rest answers `Unsupported`. */
  readonly operations: ReadonlySet<Operation>
  /** A whole answer. */
  readonly generateText: (request: Completion.Request) => Effect.Effect<Completion.Completion, LlmError.LlmError>
  /** An answer as it comes; ends with a `Finish` part, or fails. */
  readonly streamText: (request: Completion.Request) => Stream.Stream<Completion.Part, LlmError.LlmError>
  /** One vector for each text, in order. */
  readonly embed: (request: Embedding.Request) => Effect.Effect<Embedding.Embeddings, LlmError.LlmError>
  /** Documents in the order of their worth for a query. */
  readonly rerank: (request: Rerank.Request) => Effect.Effect<Rerank.Ranking, LlmError.LlmError>
  /** What a model that is no language model makes of tensors, or of JSON. */
  readonly infer: (request: Inference.Request) => Effect.Effect<Inference.Inference, LlmError.LlmError>
  /** The models that the backend offers now. */
  readonly listModels: Effect.Effect<ReadonlyArray<Model.Model>, LlmError.LlmError>
  /** Succeeds when the backend says of itself that it is up and ready. */
  readonly health: Effect.Effect<void, LlmError.LlmError>
}

/**
 * The tag under which a program finds the service.
 *
 * @since 0.1.0
 * @category tags
 */
export class LlmService extends Context.Tag("@spillway/core/LlmService")<LlmService, Service>() {}

/**
 * The operations of a service, without what `make` derives.
 *
 * @since 0.1.0
 * @category models
 */
export type Implementation = Partial<Omit<Service, "backend" | "operations">>

/**
 * A service from the operations that a backend has.
 *
 * @since 0.1.0
 * @category constructors
 * @example
 * ```ts
 * import { Completion, LlmService, Prompt } from "@spillway/core"
 * import * as Effect from "effect/Effect"
 *
 * const echo = LlmService.make("echo", {
 *   generateText: (request) =>
 *     Effect.succeed(Completion.make({
 *       model: request.model,
 *       content: [Prompt.text("you said something")],
 *       finishReason: "stop",
 *       usage: {}
 *     }))
 * })
 *
 * const program = LlmService.generateText({ model: "parrot", prompt: "hello" })
 * Effect.runSync(Effect.provideService(program, LlmService.LlmService, echo))
 * ```
 */
export const make = (backend: string, implementation: Implementation): Service => {
  const unsupported = (feature: Operation) =>
    new LlmError.Unsupported({ backend, feature, message: `${backend} has no operation ${feature}` })
  return {
    backend,
    operations: new Set(operations.filter((operation) => implementation[operation] !== undefined)),
    generateText: implementation.generateText ?? (() => Effect.fail(unsupported("generateText"))),
    streamText: implementation.streamText ?? (() => Stream.fail(unsupported("streamText"))),
    embed: implementation.embed ?? (() => Effect.fail(unsupported("embed"))),
    rerank: implementation.rerank ?? (() => Effect.fail(unsupported("rerank"))),
    infer: implementation.infer ?? (() => Effect.fail(unsupported("infer"))),
    listModels: implementation.listModels ?? Effect.suspend(() => Effect.fail(unsupported("listModels"))),
    health: implementation.health ?? Effect.suspend(() => Effect.fail(unsupported("health")))
  }
}

/**
 * A whole answer from whichever service the program was given.
 *
 * @since 0.1.0
 * @category accessors
 */
export const generateText = (
  request: Completion.Request
): Effect.Effect<Completion.Completion, LlmError.LlmError, LlmService> =>
  Effect.flatMap(LlmService, (service) => service.generateText(request))

/**
 * An answer as it comes.
 *
 * @since 0.1.0
 * @category accessors
 */
export const streamText = (
  request: Completion.Request
): Stream.Stream<Completion.Part, LlmError.LlmError, LlmService> =>
  Stream.unwrap(Effect.map(LlmService, (service) => service.streamText(request)))

/**
 * An answer as a value of a schema. What does not decode is an `InvalidOutput` that keeps the answer.
 *
 * @since 0.1.0
 * @category accessors
 * @example
 * ```ts
 * import { Completion, LlmService, Prompt } from "@spillway/core"
 * import { Effect, Schema } from "effect"
 * import * as assert from "node:assert"
 *
 * class Person extends Schema.Class<Person>("Person")({ name: Schema.String, age: Schema.Int }) {}
 *
 * const parrot = LlmService.make("parrot", {
 *   generateText: ({ model }) => {
 *     const content = [Prompt.text(`{ "name": "Ada", "age": 36 }`)]
 *     return Effect.succeed(Completion.make({ model, content, finishReason: "stop", usage: {} }))
 *   }
 * })
 *
 * const program = LlmService.generateObject({ model: "grey", prompt: "Who wrote the first program?" }, Person)
 * const { value } = Effect.runSync(Effect.provideService(program, LlmService.LlmService, parrot))
 * assert.strictEqual(value.name, "Ada")
 * ```
 */
export const generateObject: {
  <A, I>(
    schema: Schema.Schema<A, I>
  ): (request: StructuredOutput.Request) => Effect.Effect<StructuredOutput.Output<A>, LlmError.LlmError, LlmService>
  <A, I>(
    request: StructuredOutput.Request,
    schema: Schema.Schema<A, I>
  ): Effect.Effect<StructuredOutput.Output<A>, LlmError.LlmError, LlmService>
} = dual(2, <A, I>(request: StructuredOutput.Request, schema: Schema.Schema<A, I>) =>
  Effect.flatMap(LlmService, (service) =>
    Effect.flatMap(
      service.generateText({ ...request, format: StructuredOutput.toFormat(schema) }),
      (completion) =>
        Effect.map(StructuredOutput.decode(completion, schema, service.backend), (value) => ({ value, completion }))
    )))

/**
 * One vector for each text, in order.
 *
 * @since 0.1.0
 * @category accessors
 */
export const embed = (
  request: Embedding.Request
): Effect.Effect<Embedding.Embeddings, LlmError.LlmError, LlmService> =>
  Effect.flatMap(LlmService, (service) => service.embed(request))

/**
 * Documents in the order of their worth for a query.
 *
 * @since 0.1.0
 * @category accessors
 */
export const rerank = (request: Rerank.Request): Effect.Effect<Rerank.Ranking, LlmError.LlmError, LlmService> =>
  Effect.flatMap(LlmService, (service) => service.rerank(request))

/**
 * What a model that is no language model makes of tensors, or of JSON.
 *
 * @since 0.1.0
 * @category accessors
 */
export const infer = (
  request: Inference.Request
): Effect.Effect<Inference.Inference, LlmError.LlmError, LlmService> =>
  Effect.flatMap(LlmService, (service) => service.infer(request))

/**
 * Succeeds when the service says of itself that it is up and ready.
 *
 * @since 0.1.0
 * @category accessors
 */
export const health: Effect.Effect<void, LlmError.LlmError, LlmService> = Effect.flatMap(
  LlmService,
  (service) => service.health
)

/**
 * The models that the service offers now.
 *
 * @since 0.1.0
 * @category accessors
 */
export const listModels: Effect.Effect<ReadonlyArray<Model.Model>, LlmError.LlmError, LlmService> = Effect.flatMap(
  LlmService,
  (service) => service.listModels
)
