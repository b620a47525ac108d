/**
 * TensorFlow Serving's wire (v1), as OpenVINO Model Server speaks it: predictions from instances or inputs in JSON, and
 * the state of each version of each model.
 *
 * @see https://www.tensorflow.org/tfx/serving/api_rest
 * @since 0.1.0
 */
import * as LlmError from "@spillway/core/LlmError"
import * as Either from "effect/Either"
import type * as HttpBackend from "./HttpBackend.js"
import * as Json from "./internal/json.js"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * What is asked of a model, row by row (`instances`: a list, one item each) or column by column (`inputs`: a value, or
 * one by each name).
 *
 * @since 0.1.0
 * @category models
 */
export type PredictRequest =
  & {
    readonly model: string
    /** Which version of the model; the latest when absent. */
    readonly version?: string
    /** Which of the model's signatures. @default the model's */
    readonly signatureName?: string
  }
  & ({ readonly instances: ReadonlyArray<unknown> } | { readonly inputs: unknown })

/**
 * A model, or one version of it.
 *
 * @since 0.1.0
 * @category models
 */
export interface ModelVersion {
  readonly model: string
  /** @default the server's choice, or all */
  readonly version?: string
}

/**
 * How a version of a model is.
 *
 * @since 0.1.0
 * @category models
 */
export interface VersionStatus {
  readonly version: string
  /** The server's word: START, LOADING, AVAILABLE, UNLOADING or END so far. */
  readonly state: string
  /** `OK`, or what is wrong. */
  readonly errorCode: string
  readonly errorMessage: string
}

/**
 * How the versions of a model are.
 *
 * @since 0.1.0
 * @category models
 */
export interface ModelStatus {
  readonly model: string
  readonly versions: ReadonlyArray<VersionStatus>
}

// -----------------------------------------------------------------------------
// translations
// -----------------------------------------------------------------------------

/**
 * The path of a model, or of one of its versions.
 *
 * @since 0.1.0
 * @category translations
 */
export const toPath = ({ model, version }: ModelVersion): string =>
  `/v1/models/${encodeURIComponent(model)}${version === undefined ? "" : `/versions/${encodeURIComponent(version)}`}`

/**
 * The request of `POST …:predict`.
 *
 * @since 0.1.0
 * @category translations
 */
export const toPredict = (request: PredictRequest): HttpBackend.Outgoing => ({
  method: "POST",
  path: `${toPath(request)}:predict`,
  body: {
    signature_name: request.signatureName,
    ...("instances" in request ? { instances: request.instances } : { inputs: request.inputs })
  }
})

/**
 * JSON as what is asked of a model: an object that has `instances` or `inputs`, or a list of instances.
 *
 * @since 0.1.0
 * @category translations
 */
export const fromJson = (
  { model, version }: ModelVersion,
  value: unknown,
  backend: string
): Either.Either<PredictRequest, LlmError.InvalidRequest> => {
  const at: ModelVersion = version === undefined ? { model } : { model, version }
  const signatureName = Json.name(Json.get(value, "signature_name"))
  const common = signatureName === undefined ? at : { ...at, signatureName }
  const instances = Array.isArray(value) ? value : Json.get(value, "instances")
  if (Array.isArray(instances)) return Either.right({ ...common, instances })
  const inputs = Json.get(value, "inputs")
  return inputs === undefined
    ? Either.left(
      new LlmError.InvalidRequest({
        backend,
        model,
        field: "input",
        message: `${backend}: JSON for a model is a list of instances, or an object with instances or inputs`
      })
    )
    : Either.right({ ...common, inputs })
}

/**
 * What a model made of it: predictions of instances, outputs of inputs.
 *
 * @since 0.1.0
 * @category translations
 */
export const toPrediction = <I>(
  body: unknown,
  exchange: HttpBackend.Exchange<I>
): Either.Either<unknown, LlmError.LlmError> => {
  const prediction = Json.get(body, "predictions") ?? Json.get(body, "outputs")
  return prediction !== undefined
    ? Either.right(prediction)
    : Either.left(
      Json.get(body, "error") === undefined
        ? exchange.malformed("an answer without predictions and outputs")
        : exchange.failure(body)
    )
}

/**
 * How the versions of a model are, in the body of `GET /v1/models/…`.
 *
 * @since 0.1.0
 * @category translations
 */
export const toVersions = <I>(
  body: unknown,
  exchange: HttpBackend.Exchange<I>
): Either.Either<ReadonlyArray<VersionStatus>, LlmError.LlmError> => {
  const versions = Json.get(body, "model_version_status")
  return Array.isArray(versions)
    ? Either.right(versions.flatMap(toVersion))
    : Either.left(exchange.malformed("the status of a model without its versions"))
}

const toVersion = (status: unknown): ReadonlyArray<VersionStatus> => {
  const version = Json.string(Json.get(status, "version"))
  return version === undefined ? [] : [{
    version,
    state: Json.string(Json.get(status, "state")) ?? "",
    errorCode: Json.string(Json.get2(status, "status", "error_code")) ?? "",
    errorMessage: Json.string(Json.get2(status, "status", "error_message")) ?? ""
  }]
}

/**
 * How the versions of all models are, in the body of `GET /v1/config` and of `POST /v1/config/reload`.
 *
 * @since 0.1.0
 * @category translations
 */
export const toModels = <I>(
  body: unknown,
  exchange: HttpBackend.Exchange<I>
): Either.Either<ReadonlyArray<ModelStatus>, LlmError.LlmError> =>
  Json.isObject(body)
    ? Either.all(
      Object.entries(body).map(([model, status]) =>
        Either.map(toVersions(status, exchange), (versions) => ({ model, versions }))
      )
    )
    : Either.left(exchange.malformed("the status of all models is no object"))
