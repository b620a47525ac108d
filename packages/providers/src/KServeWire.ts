/**
 * The wire of KServe's Open Inference Protocol (v2): what a model takes and gives as named tensors, and its translation
 * into the common words. OpenVINO Model Server, Triton and others speak it.
 *
 * Tensors go as JSON, or behind it as the bytes that they are (the binary tensor extension). Left to itself a request
 * goes as JSON where JSON can say it without loss to every server: whole numbers of 64 bits that do not fit into 32,
 * floats of 16 and 64 bits, NaN, infinities, texts that hold a NUL, and whatever was given as bytes go binary.
 *
 * @see https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
 * @see https://docs.nvidia.com/deeplearning/triton-inference-server/user-guide/docs/protocol/extension_binary_data.html
 * @since 0.1.0
 */
import * as Bytes from "@spillway/core/Bytes"
import type * as Inference from "@spillway/core/Inference"
import * as LlmError from "@spillway/core/LlmError"
import * as Tensor from "@spillway/core/Tensor"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type * as HttpBackend from "./HttpBackend.js"
import * as ExactJson from "./internal/exactJson.js"
import * as Json from "./internal/json.js"
import * as TensorJson from "./internal/tensorJson.js"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * How tensors go over the wire.
 *
 * @since 0.1.0
 * @category models
 */
export interface Settings {
  /**
   * In which form they go out, and are asked back. A server may still answer with JSON. @default JSON where it can say
   * it, and answers in JSON
   */
  readonly form?: "json" | "binary" | undefined
  /** What the server or the model understands beyond the protocol. */
  readonly parameters?: { readonly [name: string]: string | number | boolean } | undefined
}

/**
 * What a server says of itself.
 *
 * @since 0.1.0
 * @category models
 */
export interface ServerMetadata {
  readonly name: string
  readonly version: string
  /** What it speaks beyond the protocol, as far as it tells. */
  readonly extensions: ReadonlyArray<string>
}

/**
 * A tensor that a model takes or gives. `datatype` is the server's word, and a length of -1 in `shape` is any.
 *
 * @since 0.1.0
 * @category models
 */
export interface TensorMetadata {
  readonly name: string
  readonly datatype: string
  readonly shape: ReadonlyArray<number>
}

/**
 * What a server says of a model.
 *
 * @since 0.1.0
 * @category models
 */
export interface ModelMetadata {
  readonly name: string
  readonly versions: ReadonlyArray<string>
  readonly platform: string
  readonly inputs: ReadonlyArray<TensorMetadata>
  readonly outputs: ReadonlyArray<TensorMetadata>
}

/**
 * The header that says how many of the first bytes of a body are JSON, the rest being tensors.
 *
 * @since 0.1.0
 * @category constants
 */
export const lengthHeader = "inference-header-content-length"

// -----------------------------------------------------------------------------
// request
// -----------------------------------------------------------------------------

/**
 * The path of a model, or of one of its versions.
 *
 * @since 0.1.0
 * @category translations
 */
export const toPath = (model: string, version?: string): string =>
  `/v2/models/${encodeURIComponent(model)}${version === undefined ? "" : `/versions/${encodeURIComponent(version)}`}`

/**
 * The request of `POST …/infer` for these tensors; `InvalidRequest` names the one that cannot be said.
 *
 * @since 0.1.0
 * @category translations
 */
export const toInfer = (
  request: Inference.Request,
  tensors: ReadonlyArray<Tensor.Tensor>,
  backend: string,
  { form, parameters }: Settings = {}
): Either.Either<HttpBackend.Outgoing, LlmError.InvalidRequest> => {
  const wrong = ({ name }: Tensor.Tensor, what: string) =>
    Either.left(
      new LlmError.InvalidRequest({
        backend,
        model: request.model,
        field: name,
        message: `${backend}: the tensor ${name} cannot be sent: ${what}`
      })
    )
  for (const tensor of tensors) {
    const flaw = Tensor.flaw(tensor)
    if (Option.isSome(flaw)) return wrong(tensor, flaw.value)
  }
  const outgoing = (body: Uint8Array, headers: Readonly<Record<string, string>>): HttpBackend.Outgoing => ({
    method: "POST",
    path: `${toPath(request.model, request.version)}/infer`,
    body,
    headers
  })
  const rest = restOf(request, form === "binary", parameters)
  if (form === "binary" || form !== "json" && !tensors.every(TensorJson.isLossless)) {
    const bytes = tensors.map((tensor) => Tensor.toBytes(tensor))
    const inputs = tensors.map((tensor, i) =>
      `{${headOf(tensor)},"parameters":{"binary_data_size":${bytes[i]!.length}}}`
    )
    const head = encoder.encode(`{"inputs":[${inputs.join(",")}]${rest}}`)
    return Either.right(outgoing(Bytes.join([head, ...bytes]), {
      "content-type": "application/octet-stream",
      [lengthHeader]: String(head.length)
    }))
  }
  const inputs: Array<string> = []
  for (const tensor of tensors) {
    const list = TensorJson.write(tensor)
    if (list === undefined) return wrong(tensor, "JSON has no word for one of its elements, and JSON was asked for")
    inputs.push(`{${headOf(tensor)},"data":${list}}`)
  }
  return Either.right(
    outgoing(encoder.encode(`{"inputs":[${inputs.join(",")}]${rest}}`), { "content-type": "application/json" })
  )
}

const encoder = new TextEncoder()

const headOf = ({ datatype, name, shape }: Tensor.Tensor): string =>
  `"name":${JSON.stringify(name)},"shape":[${shape.join(",")}],"datatype":"${datatype}"`

const restOf = (
  { outputs }: Inference.Request,
  binary: boolean,
  parameters: Settings["parameters"]
): string => {
  const all = { ...parameters, ...(binary && { binary_data_output: true }) }
  const named = outputs?.map((name) => ({ name, ...(binary && { parameters: { binary_data: true } }) }))
  return `${named === undefined ? "" : `,"outputs":${JSON.stringify(named)}`}${
    Object.keys(all).length === 0 ? "" : `,"parameters":${JSON.stringify(all)}`
  }`
}

// -----------------------------------------------------------------------------
// answer
// -----------------------------------------------------------------------------

/**
 * The inference in the bytes of an answer, JSON alone or with tensors behind it; of the outputs, those that were asked
 * for.
 *
 * @since 0.1.0
 * @category translations
 */
export const toInference = (
  body: unknown,
  exchange: HttpBackend.Exchange<Inference.Request>
): Either.Either<Inference.Inference, LlmError.LlmError> => {
  const bytes = body instanceof Uint8Array ? body : new Uint8Array()
  // the content type is no sign: OpenVINO's server calls all of it JSON
  const length = exchange.headers[lengthHeader]
  const end = length === undefined ? bytes.length : Number(length)
  const json = ExactJson.parse(decoder.decode(bytes.subarray(0, end)))
  const outputs = Json.get(json, "outputs")
  if (!Array.isArray(outputs)) {
    return Either.left(
      Json.get(json, "error") === undefined
        ? exchange.malformed(
          json === undefined ? "the answer to an inference is no JSON" : "an inference without outputs"
        )
        : exchange.failure(json)
    )
  }
  const wanted = exchange.input.outputs
  const tensors: Array<Tensor.Tensor> = []
  let at = end
  for (const output of outputs) {
    const size = Json.count(Json.get2(output, "parameters", "binary_data_size")) ?? 0
    const tensor = toTensor(output, bytes.subarray(at, at += size))
    if (typeof tensor === "string") return Either.left(exchange.malformed(tensor))
    if (wanted === undefined || wanted.includes(tensor.name)) tensors.push(tensor)
  }
  return Either.right(Json.defined({
    model: Json.name(Json.get(json, "model_name")) ?? exchange.model,
    version: Json.name(Json.get(json, "model_version")),
    output: { _tag: "Tensors" as const, tensors },
    usage: {}
  }))
}

const decoder = new TextDecoder()

/** A tensor, or what is wrong with it. */
const toTensor = (output: unknown, bytes: Uint8Array): Tensor.Tensor | string => {
  const name = Json.string(Json.get(output, "name"))
  const datatype = Json.string(Json.get(output, "datatype"))
  const shape = Json.get(output, "shape")
  if (name === undefined || datatype === undefined || !Array.isArray(shape)) {
    return "an output without name, datatype and shape"
  }
  if (!Tensor.isDatatype(datatype)) return `the output ${name} is of a datatype that is none`
  const data = Json.get(output, "data")
  const tensor = {
    name,
    datatype,
    shape,
    data: Array.isArray(data) ? TensorJson.read(data, datatype) : bytes
  } as Tensor.Tensor // or it has a flaw, and that is told
  return Option.match(Tensor.flaw(tensor), {
    onNone: () => tensor,
    onSome: (flaw) => `the output ${name} is not what it says: ${flaw}`
  })
}

// -----------------------------------------------------------------------------
// metadata
// -----------------------------------------------------------------------------

/**
 * The server in the body of `GET /v2`.
 *
 * @since 0.1.0
 * @category translations
 */
export const toServerMetadata = <I>(
  body: unknown,
  exchange: HttpBackend.Exchange<I>
): Either.Either<ServerMetadata, LlmError.LlmError> => {
  const name = Json.name(Json.get(body, "name"))
  return name === undefined
    ? Either.left(exchange.malformed("a server without a name"))
    : Either.right({
      name,
      version: Json.string(Json.get(body, "version")) ?? "",
      extensions: texts(Json.get(body, "extensions"))
    })
}

/**
 * The model in the body of `GET /v2/models/…`.
 *
 * @since 0.1.0
 * @category translations
 */
export const toModelMetadata = <I>(
  body: unknown,
  exchange: HttpBackend.Exchange<I>
): Either.Either<ModelMetadata, LlmError.LlmError> => {
  const name = Json.name(Json.get(body, "name"))
  return name === undefined
    ? Either.left(exchange.malformed("a model without a name"))
    : Either.right({
      name,
      versions: texts(Json.get(body, "versions")),
      platform: Json.string(Json.get(body, "platform")) ?? "",
      inputs: Json.array(Json.get(body, "inputs")).flatMap(toTensorMetadata),
      outputs: Json.array(Json.get(body, "outputs")).flatMap(toTensorMetadata)
    })
}

const texts = (list: unknown): ReadonlyArray<string> => Json.array(list).filter((one) => typeof one === "string")

const toTensorMetadata = (tensor: unknown): ReadonlyArray<TensorMetadata> => {
  const name = Json.string(Json.get(tensor, "name"))
  return name === undefined ? [] : [{
    name,
    datatype: Json.string(Json.get(tensor, "datatype")) ?? "",
    // some write lengths as texts
    shape: Json.array(Json.get(tensor, "shape")).map(Number)
  }]
}
