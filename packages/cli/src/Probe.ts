/**
 * What a backend can do, tried out: whether it is there, takes the key, and answers each kind of request.
 *
 * @since 0.1.0
 */
import * as Completion from "@spillway/core/Completion"
import * as Inference from "@spillway/core/Inference"
import * as LlmError from "@spillway/core/LlmError"
import type * as LlmService from "@spillway/core/LlmService"
import type * as Catalogue from "@spillway/providers/Catalogue"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"

/**
 * What is tried.
 *
 * @since 0.1.0
 * @category models
 */
export type Name = "reachable" | "key" | "models" | "chat" | "stream" | "embeddings" | "rerank" | "inference"

/**
 * What is tried of what stands around a backend that answers: see `Load`.
 *
 * @since 0.1.0
 * @category models
 */
export type Loaded = { readonly [N in "queue" | "backoff" | "multiplexing"]: Outcome }

/**
 * How it went.
 *
 * @since 0.1.0
 * @category models
 */
export type Outcome =
  | { readonly _tag: "Passed"; readonly millis: number; readonly detail?: string }
  | { readonly _tag: "Failed"; readonly millis: number; readonly error: LlmError.Tag | "WrongAnswer"; readonly message: string }
  | { readonly _tag: "Skipped"; readonly reason: string }

/**
 * All that was tried of a backend.
 *
 * @since 0.1.0
 * @category models
 */
export interface Report {
  readonly backend: Catalogue.Name
  readonly probes: { readonly [N in Name]: Outcome } & Partial<Loaded>
}

/**
 * How the reason begins when a backend simply has no such operation.
 *
 * @since 0.1.0
 * @category constants
 */
export const lacking = "it has no operation"

/**
 * Whether nothing failed.
 *
 * @since 0.1.0
 * @category guards
 */
export const isWell = (report: Report): boolean =>
  Object.values(report.probes).every(({ _tag }) => _tag !== "Failed")

/**
 * Tries everything that a backend has.
 *
 * @since 0.1.0
 * @category constructors
 */
export const run = (
  backend: Catalogue.Name,
  { keyVariables, models }: Catalogue.Entry,
  service: LlmService.Service
): Effect.Effect<Report> =>
  Effect.gen(function*() {
    const has = (operation: LlmService.Operation) => service.operations.has(operation)
    const list = Effect.either(timed(service.listModels))
    // where nothing says more cheaply whether it is there, the list of models does, and is read once
    const first = has("health") ? undefined : yield* list
    const sign: Either.Either<readonly [unknown, millis: number, now: number], Failure> = first ??
      (yield* Effect.either(timed(service.health)))
    const away = Either.isLeft(sign) && isAway(sign.left.error) ? skipped("not reachable") : undefined
    const refused = Either.isLeft(sign) && isRefused(sign.left.error) ? failed(sign.left) : undefined
    const only = away ?? (refused && skipped("the key is not accepted"))

    const probe = <A>(
      operation: LlmService.Operation,
      model: string | undefined,
      ask: (model: string) => Effect.Effect<A, LlmError.LlmError>,
      fault: (answer: A) => string | undefined
    ): Effect.Effect<Outcome> =>
      only !== undefined
        ? Effect.succeed(only)
        : !has(operation)
        ? Effect.succeed(skipped(`${lacking} ${operation}`))
        : model === undefined
        ? Effect.succeed(skipped("no model is known for it"))
        : Effect.match(timed(ask(model)), {
          onFailure: failed,
          onSuccess: ([answer, millis]) => {
            const message = fault(answer)
            return message === undefined ? passed(millis) : wrong(millis, message)
          }
        })

    const listed = only === undefined && has("listModels") ? first ?? (yield* list) : undefined
    const chat = models.generateText
    return {
      backend,
      probes: {
        reachable: Either.match(sign, {
          onLeft: (failure) => isAway(failure.error) ? failed(failure) : passed(failure.millis),
          onRight: ([, millis]) => passed(millis)
        }),
        key: away ?? refused ?? (keyVariables === undefined ? skipped("it needs none") : passed(0)),
        models: listed === undefined
          ? only ?? skipped(`${lacking} listModels`)
          : Either.match(listed, {
            onLeft: failed,
            onRight: ([models, millis]) => passed(millis, `${models.length} models`)
          }),
        chat: yield* probe("generateText", chat, (model) => service.generateText({ ...hello, model }), wrongText),
        stream: yield* probe(
          "streamText",
          chat,
          (model) => Completion.collect(service.streamText({ ...hello, model })),
          wrongText
        ),
        embeddings: yield* probe(
          "embed",
          models.embed,
          (model) => service.embed({ model, input: ["spill", "way"] }),
          ({ vectors }) => vectors.length === 2 ? undefined : `${vectors.length} vectors for 2 texts`
        ),
        rerank: yield* probe(
          "rerank",
          models.rerank,
          (model) => service.rerank({ model, query: "water", documents: ["a river", "a stone"] }),
          ({ results }) => results.length === 2 ? undefined : `${results.length} results for 2 documents`
        ),
        inference: yield* probe(
          "infer",
          models.infer,
          (model) => service.infer({ model, input: sample }),
          () => undefined
        )
      }
    }
  })

const hello = { prompt: "Say hello.", maxTokens: 16 }

const sample = Inference.tensors({ name: "input", datatype: "FP32", shape: [1, 4], data: [1, 2, 3, 4] })

const wrongText = ({ finishReason, text }: Completion.Completion): string | undefined =>
  // a model that thinks may have used up its tokens before it said anything
  text === "" && finishReason !== "length" ? "an answer without text" : undefined

/**
 * An error, and how long it took to come.
 *
 * @since 0.1.0
 * @category models
 */
export interface Failure {
  readonly error: LlmError.LlmError
  readonly millis: number
}

/**
 * An answer, how long it took to come, and when it was there, in milliseconds.
 *
 * @since 0.1.0
 * @category combinators
 */
export const timed = <A>(
  effect: Effect.Effect<A, LlmError.LlmError>
): Effect.Effect<readonly [A, millis: number, now: number], Failure> =>
  Effect.flatMap(Clock.currentTimeMillis, (began) =>
    Effect.matchEffect(effect, {
      onFailure: (error) => Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.fail({ error, millis: now - began })),
      onSuccess: (answer) => Effect.map(Clock.currentTimeMillis, (now) => [answer, now - began, now] as const)
    }))

/**
 * It went as it must.
 *
 * @since 0.1.0
 * @category constructors
 */
export const passed = (millis: number, detail?: string): Outcome => ({
  _tag: "Passed",
  millis,
  ...(detail !== undefined && { detail })
})

/**
 * There was an error.
 *
 * @since 0.1.0
 * @category constructors
 */
export const failed = ({ error, millis }: Failure): Outcome => ({
  _tag: "Failed",
  millis,
  error: error._tag,
  message: error.message
})

/**
 * There was an answer, and not as it must be.
 *
 * @since 0.1.0
 * @category constructors
 */
export const wrong = (millis: number, message: string): Outcome => ({ _tag: "Failed", millis, error: "WrongAnswer", message })

/**
 * It was not tried.
 *
 * @since 0.1.0
 * @category constructors
 */
export const skipped = (reason: string): Outcome => ({ _tag: "Skipped", reason })

const isAway = ({ _tag }: LlmError.LlmError): boolean =>
  _tag === "NetworkFailure" || _tag === "TimedOut" || _tag === "CircuitOpen"

const isRefused = ({ _tag }: LlmError.LlmError): boolean => _tag === "AuthenticationFailed" || _tag === "KeysExhausted"
