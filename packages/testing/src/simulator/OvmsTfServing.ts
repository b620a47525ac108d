/**
 * TensorFlow Serving's wire, as OpenVINO Model Server spoke it before v2026.3: predictions from instances or inputs in
 * JSON. What it predicts for a list of numbers is their sum.
 *
 * @see https://www.tensorflow.org/tfx/serving/api_rest
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Fields from "./Fields.js"
import * as Tensors from "./OvmsTensors.js"
import * as Wire from "./Wire.js"

/**
 * How a version of a model is, in the server's words.
 *
 * @since 0.1.0
 * @category constants
 */
export const status = {
  model_version_status: [{ version: "1", state: "AVAILABLE", status: { error_code: "OK", error_message: "OK" } }]
}

/**
 * The answer of `POST /v1/models/…:predict`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const predict = (call: Wire.Call): Either.Either<Wire.Answer, Wire.Failure> => {
  const [, name, version] = /^([^/:]+)(?:\/versions\/(\d+))?:predict$/.exec(call.rest) ?? []
  if (name === undefined) return Either.left(Wire.Failure.NoRoute({ method: "POST", path: call.path }))
  return Either.flatMap(Tensors.find(name, version), () => {
    const body: Fields.Json = Fields.isJson(call.body) ? call.body : {}
    if ("instances" in body === "inputs" in body) {
      return rejected("Invalid JSON structure. Could not detect row or column format")
    }
    if ("inputs" in body) return Either.right(Wire.free({ outputs: sum(body["inputs"]) }))
    const { instances } = body
    return Array.isArray(instances) && instances.length > 0
      ? Either.right(Wire.free({ predictions: instances.map(sum) }))
      : rejected("Invalid JSON structure. Missing instances in row format")
  })
}

const rejected = (message: string) => Either.left(Wire.Failure.Rejected({ message }))

const sum = (value: unknown): number =>
  typeof value === "number"
    ? value
    : typeof value === "object" && value !== null
      ? Object.values(value).reduce((total: number, one) => total + sum(one), 0)
      : 0

/**
 * The answer of `GET /v1/models/…`: how a model is.
 *
 * @since 0.1.0
 * @category constructors
 */
export const described = (call: Wire.Call): Either.Either<Wire.Answer, Wire.Failure> => {
  const { name, version } = Tensors.place(call.rest)
  return Either.map(Tensors.find(name, version), () => Wire.free(status))
}
