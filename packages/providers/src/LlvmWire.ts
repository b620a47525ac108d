/**
 * The wire of the generic inference server that goes by the name of LLVM (and has nothing to do with the compiler): any
 * model, any JSON.
 *
 * @since 0.1.0
 */
import type * as Inference from "@spillway/core/Inference"
import * as LlmError from "@spillway/core/LlmError"
import type * as Model from "@spillway/core/Model"
import * as Tensor from "@spillway/core/Tensor"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type * as HttpBackend from "./HttpBackend.js"
import * as Json from "./internal/json.js"
import * as TensorJson from "./internal/tensorJson.js"

declare module "@spillway/core/Inference" {
  interface ProviderOptions {
    /** What only this server can be asked for. */
    readonly llvm?: InferOptions
  }
}

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * JSON of a form that only the server knows.
 *
 * @since 0.1.0
 * @category models
 */
export type Value = string | number | boolean | null | ReadonlyArray<Value> | { readonly [name: string]: Value }

/**
 * What a model is told besides its input.
 *
 * @since 0.1.0
 * @category models
 */
export interface InferOptions {
  /** What the model understands. */
  readonly parameters?: { readonly [name: string]: Value }
}

/**
 * What the server says of a model; what it does not tell is absent.
 *
 * @since 0.1.0
 * @category models
 */
export interface ModelInfo {
  readonly id: string
  /** `nlp`, `vision`, `audio`, or what the server calls it. */
  readonly type?: string
  readonly description?: string
  /** Whether it takes several inputs at once. */
  readonly batches?: boolean
  /** How exactly it can compute: `fp32`, `int8` … */
  readonly precisions: ReadonlyArray<string>
  /** For what it can be optimized. */
  readonly optimizations: ReadonlyArray<string>
}

/**
 * Several inputs for one model.
 *
 * @since 0.1.0
 * @category models
 */
export interface BatchRequest extends InferOptions {
  readonly model: string
  readonly inputs: ReadonlyArray<Value>
}

/**
 * What a model is to be optimized for.
 *
 * @since 0.1.0
 * @category models
 */
export type Optimization = "speed" | "memory" | "balanced"

/**
 * What the server says, in its own words.
 *
 * @since 0.1.0
 * @category models
 */
export type Report = { readonly [name: string]: unknown }

// -----------------------------------------------------------------------------
// translations
// -----------------------------------------------------------------------------

/**
 * The path of a model, or of what can be done with it.
 *
 * @since 0.1.0
 * @category translations
 */
export const toPath = (model: string, verb?: string): string =>
  `/models/${encodeURIComponent(model)}${verb === undefined ? "" : `/${verb}`}`

/**
 * The body of `POST /models/{id}/infer`. Tensors become lists of lists; several of them an object, by their names.
 *
 * @since 0.1.0
 * @category translations
 */
export const toInferBody = (
  { input, model, outputs, providerOptions, version }: Inference.Request,
  backend: string
): Either.Either<object, LlmError.LlmError> => {
  const feature = version !== undefined ? "version" : outputs !== undefined ? "outputs" : undefined
  if (feature !== undefined) {
    return Either.left(
      new LlmError.Unsupported({ backend, model, feature, message: `${backend} has no word for ${feature}` })
    )
  }
  const parameters = providerOptions?.llvm?.parameters
  return Either.map(
    input._tag === "Json" ? Either.right(input.value) : fromTensors(input.tensors, model, backend),
    (value) => ({ input: value, parameters })
  )
}

const fromTensors = (
  tensors: ReadonlyArray<Tensor.Tensor>,
  model: string,
  backend: string
): Either.Either<unknown, LlmError.InvalidRequest> => {
  const named: Array<readonly [string, unknown]> = []
  for (const tensor of tensors) {
    const flaw = Option.getOrUndefined(Tensor.flaw(tensor))
    const value = flaw === undefined ? TensorJson.nest(tensor) : undefined
    if (value === undefined) {
      const why = flaw ?? "JSON has no word for one of its elements"
      return Either.left(
        new LlmError.InvalidRequest({
          backend,
          model,
          field: tensor.name,
          message: `${backend}: the tensor ${tensor.name} cannot be sent: ${why}`
        })
      )
    }
    named.push([tensor.name, value])
  }
  return Either.right(named.length === 1 ? named[0]![1] : Object.fromEntries(named))
}

/**
 * What a model made of its input: the answer, as it is.
 *
 * @since 0.1.0
 * @category translations
 */
export const toInference = (
  body: unknown,
  exchange: HttpBackend.Exchange<Inference.Request>
): Either.Either<Inference.Inference, LlmError.LlmError> =>
  isError(body)
    ? Either.left(exchange.failure(body))
    : Either.right({ model: exchange.model, output: { _tag: "Json", value: body }, usage: {} })

/** Some say with a success that it was none. */
const isError = (body: unknown): boolean => (Json.get(body, "error") ?? undefined) !== undefined

/**
 * What a model made of each input.
 *
 * @since 0.1.0
 * @category translations
 */
export const toResults = (
  body: unknown,
  exchange: HttpBackend.Exchange<BatchRequest>
): Either.Either<ReadonlyArray<unknown>, LlmError.LlmError> => {
  const results = Json.get(body, "results")
  const expected = exchange.input.inputs.length
  return Array.isArray(results) && results.length === expected
    ? Either.right(results)
    : Either.left(
      isError(body) ? exchange.failure(body) : exchange.malformed(`no results for each of ${expected} inputs`)
    )
}

/**
 * What the server says.
 *
 * @since 0.1.0
 * @category translations
 */
export const toReport = <I>(
  body: unknown,
  exchange: HttpBackend.Exchange<I>
): Either.Either<Report, LlmError.LlmError> =>
  !Json.isObject(body)
    ? Either.left(exchange.malformed("an answer that is no object"))
    : isError(body)
    ? Either.left(exchange.failure(body))
    : Either.right(body)

/**
 * What the server says of a model.
 *
 * @since 0.1.0
 * @category translations
 */
export const toModelInfo = (
  body: unknown,
  exchange: HttpBackend.Exchange<string>
): Either.Either<ModelInfo, LlmError.LlmError> =>
  Either.map(toReport(body, exchange), (model) =>
    Json.defined({
      id: idOf(model) ?? exchange.input,
      type: Json.name(model["type"]),
      description: Json.name(model["description"]),
      batches: typeof model["batch_support"] === "boolean" ? model["batch_support"] : undefined,
      precisions: texts(model["precision_modes"]),
      optimizations: texts(model["optimization_profiles"])
    }))

const texts = (list: unknown): ReadonlyArray<string> => Json.array(list).filter((one) => typeof one === "string")

const idOf = (model: unknown): string | undefined =>
  Json.name(model) ?? Json.name(Json.get(model, "id")) ?? Json.name(Json.get(model, "model_id")) ??
    Json.name(Json.get(model, "name"))

/**
 * The models, in a list of names or of descriptions, by itself or in an object.
 *
 * @since 0.1.0
 * @category translations
 */
export const toModels = (
  body: unknown,
  exchange: HttpBackend.Exchange<void>
): Either.Either<ReadonlyArray<Model.Model>, LlmError.LlmError> => {
  const list = Array.isArray(body) ? body : Json.get(body, "models") ?? Json.get(body, "data")
  if (!Array.isArray(list)) {
    return Either.left(isError(body) ? exchange.failure(body) : exchange.malformed("a list of models without models"))
  }
  return Either.right(list.flatMap((model) => {
    const id = idOf(model)
    return id === undefined ? [] : [{ id }]
  }))
}
