/**
 * Inference over KServe's wire as OpenVINO Model Server speaks it: tensors in JSON, in which whole numbers have 32 bits
 * whatever their datatype, or as bytes behind the JSON. Floats of 16 bits it takes as bytes, and gives in no form.
 *
 * Two models are there: `sim-infer` gives for the rows of `input` (FP32, two dimensions) their shares of one whole, and
 * `sim-identity` gives back what it is given, of any datatype.
 *
 * @see https://github.com/openvinotoolkit/model_server/blob/main/src/rest_parser.cpp
 * @see https://github.com/openvinotoolkit/model_server/blob/main/src/rest_utils.cpp
 * @since 0.1.0
 */
import * as Tensor from "@spillway/core/Tensor"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Fields from "./Fields.js"
import * as Wire from "./Wire.js"

/**
 * A model over tensors.
 *
 * @since 0.1.0
 * @category models
 */
export interface Model {
  readonly name: string
  readonly inputs: ReadonlyArray<Description>
  readonly outputs: ReadonlyArray<Description>
  readonly compute: (inputs: ReadonlyArray<Tensor.Tensor>) => Either.Either<ReadonlyArray<Tensor.Tensor>, string>
}

interface Description {
  readonly name: string
  readonly datatype: string
  readonly shape: ReadonlyArray<number>
}

/**
 * The models.
 *
 * @since 0.1.0
 * @category constants
 */
export const models: ReadonlyArray<Model> = [
  {
    name: "sim-infer",
    inputs: [{ name: "input", datatype: "FP32", shape: [-1, -1] }],
    outputs: [{ name: "output", datatype: "FP32", shape: [-1, -1] }],
    compute: (inputs) => {
      const [input] = inputs
      if (inputs.length !== 1) return Either.left(`Invalid number of inputs - Expected: 1; Actual: ${inputs.length}`)
      if (input?.name !== "input") return Either.left("Missing input with specific name - Required input: input")
      if (input.datatype !== "FP32") {
        return Either.left(`Invalid input precision - Expected: FP32; Actual: ${input.datatype}`)
      }
      const [, width] = input.shape
      return width !== undefined && input.shape.length === 2
        ? Either.right([Tensor.make("output", "FP32", input.shape, shares(Tensor.elements(input), width))])
        : Either.left(`Invalid number of shape dimensions - Expected: (-1,-1); Actual: (${input.shape.join(",")})`)
    }
  },
  { name: "sim-identity", inputs: [], outputs: [], compute: Either.right }
]

/** Each number's share of the whole of its row. */
const shares = (values: ReadonlyArray<number>, width: number): ReadonlyArray<number> => {
  const weights = values.map(Math.exp)
  return weights.map((weight, i) => {
    const row = i - (i % width)
    return weight / weights.slice(row, row + width).reduce((sum, one) => sum + one, 0)
  })
}

/**
 * A path below `/v2/models/` taken apart.
 *
 * @since 0.1.0
 * @category conversions
 */
export const place = (rest: string): { readonly name: string; readonly version?: string; readonly verb?: string } => {
  const [, name = "", version, verb] = /^(.+?)(?:\/versions\/(\d+))?(?:\/(infer|ready))?\/?$/.exec(rest) ?? []
  return { name, ...(version === undefined ? {} : { version }), ...(verb === undefined ? {} : { verb }) }
}

/**
 * The model at a place, if it is there in this version (there is one: 1).
 *
 * @since 0.1.0
 * @category accessors
 */
export const find = (name: string, version = "1"): Either.Either<Model, Wire.Failure> => {
  const model = models.find((one) => one.name === name)
  if (model === undefined) return Either.left(Wire.Failure.NoModel({ model: name }))
  return version === "1"
    ? Either.right(model)
    : Either.left(Wire.Failure.Rejected({ status: 404, message: "Model with requested version is not found" }))
}

/**
 * The answer of `POST /v2/models/…/infer`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const answer = (model: Model, call: Wire.Call): Either.Either<Wire.Answer, Wire.Failure> =>
  Either.gen(function* () {
    const bytes = call.body instanceof Uint8Array ? call.body : new Uint8Array()
    const length = call.headers["inference-header-content-length"]
    const end = length === undefined ? bytes.length : Number(length)
    if (!(end <= bytes.length)) {
      return yield* rejected("Inference-Header-Content-Length header exceeds actual payload length", 500)
    }
    const json = yield* Either.try({
      try: (): unknown => JSON.parse(decoder.decode(bytes.subarray(0, end))),
      catch: () => Wire.Failure.NotJson({ reason: "", empty: false })
    })
    if (!Fields.isJson(json)) return yield* rejected("Request body should be JSON object")
    const inputs = Fields.objects(json["inputs"])
    if (inputs.length === 0) return yield* rejected("Invalid JSON structure, missing inputs")
    const tensors: Array<Tensor.Tensor> = []
    let at = end
    for (const input of inputs) {
      const size = binarySize(input, inputs.length === 1, bytes.length - at)
      if (at + size > bytes.length) {
        return yield* rejected("Received buffer size is smaller than binary_data_size parameter indicates")
      }
      tensors.push(yield* tensorOf(input, bytes.subarray(at, (at += size))))
    }
    const outputs = yield* Either.mapLeft(model.compute(tensors), (message) => Wire.Failure.Rejected({ message }))
    const unspoken = outputs.find(({ datatype }) => datatype === "FP16" || datatype === "BF16")
    if (unspoken !== undefined) {
      return yield* rejected(
        `Could not parse input content. Unsupported data precision detected - Unsupported precision${unspoken.datatype}`
      )
    }
    return { input: 0, output: 0, render: () => rendered(model, outputs, json) }
  })

const decoder = new TextDecoder()

const rejected = (message: string, status = 400) => Either.left(Wire.Failure.Rejected({ message, status }))

const unparsed = rejected("Could not parse input content. Not valid ndarray detected")

const parameter = (tensor: Fields.Json, name: string): unknown =>
  Fields.isJson(tensor["parameters"]) ? tensor["parameters"][name] : undefined

const binarySize = (input: Fields.Json, alone: boolean, left: number): number => {
  const stated = parameter(input, "binary_data_size")
  if (typeof stated === "number") return stated
  if ("data" in input) return 0
  if (alone && input["datatype"] === "BYTES") return left
  const shape = Array.isArray(input["shape"]) ? input["shape"].map(Number) : []
  const one = Tensor.toBytes(Tensor.make("", datatypeOf(input) ?? "UINT8", [1], [0])).length
  return Tensor.count(shape) * one
}

const datatypeOf = (input: Fields.Json): Exclude<Tensor.Datatype, "BYTES" | "BOOL"> | undefined => {
  const name = Fields.stringOf(input["datatype"])
  return Tensor.isDatatype(name) && name !== "BYTES" && name !== "BOOL" ? name : undefined
}

const tensorOf = (input: Fields.Json, bytes: Uint8Array): Either.Either<Tensor.Tensor, Wire.Failure> => {
  const datatype = Fields.stringOf(input["datatype"])
  const shape = input["shape"]
  if (typeof input["name"] !== "string" || !Array.isArray(shape) || !Tensor.isDatatype(datatype)) return unparsed
  const data = input["data"]
  if (Array.isArray(data) && (datatype === "FP16" || datatype === "BF16")) return unparsed
  const elements: ReadonlyArray<unknown> | undefined = Array.isArray(data) ? data.flat(Infinity) : undefined
  if (elements !== undefined && !elements.every(jsonHas[datatype])) return unparsed
  // its flaws are told
  const tensor = { name: input["name"], datatype, shape, data: elements ?? bytes } as Tensor.Tensor
  return Option.match(Tensor.flaw(tensor), {
    onNone: () => Either.right(tensor),
    onSome: (flaw) => rejected(`Invalid number of values in tensor proto container - ${flaw}`)
  })
}

const isWhole = (min: number, max: number) => (element: unknown) =>
  Number.isInteger(element) && Number(element) >= min && Number(element) <= max

const isInt = isWhole(-(2 ** 31), 2 ** 31 - 1)
const isUint = isWhole(0, 2 ** 32 - 1)
const isNumber = (element: unknown) => typeof element === "number"

const jsonHas: { readonly [D in Tensor.Datatype]: (element: unknown) => boolean } = {
  BOOL: (element) => typeof element === "boolean",
  UINT8: isUint,
  UINT16: isUint,
  UINT32: isUint,
  UINT64: isUint,
  INT8: isInt,
  INT16: isInt,
  INT32: isInt,
  INT64: isInt,
  FP16: () => false,
  BF16: () => false,
  FP32: isNumber,
  FP64: isNumber,
  BYTES: (element) => typeof element === "string"
}

const rendered = (model: Model, outputs: ReadonlyArray<Tensor.Tensor>, request: Fields.Json): Wire.Body => {
  const asked = Fields.objects(request["outputs"])
  const isBinary = ({ name }: Tensor.Tensor) => {
    const one = asked.find((output) => output["name"] === name)
    return one !== undefined && (parameter(one, "binary_data") ?? parameter(request, "binary_data_output")) === true
  }
  const pieces: Array<Uint8Array> = []
  const written = outputs.map((output) => {
    const { datatype, name, shape } = output
    const head = `"name":${JSON.stringify(name)},"shape":[${shape.join(",")}],"datatype":"${datatype}"`
    if (!isBinary(output)) return `{${head},"data":[${listed(output).join(",")}]}`
    const bytes = Tensor.toBytes(output)
    pieces.push(bytes)
    return `{${head}${bytes.length === 0 ? "" : `,"parameters":{"binary_data_size":${bytes.length}}`}}`
  })
  const json = `{"model_name":"${model.name}","model_version":"1","outputs":[${written.join(",")}]}`
  const size = pieces.reduce((sum, piece) => sum + piece.length, 0)
  if (size === 0) return Wire.json(json)
  const head = new TextEncoder().encode(json)
  const content = new Uint8Array(head.length + size)
  content.set(head)
  pieces.reduce((at, piece) => {
    content.set(piece, at)
    return at + piece.length
  }, head.length)
  return {
    _tag: "Whole",
    contentType: "application/json",
    content,
    headers: { "inference-header-content-length": head.length.toString() }
  }
}

const listed = (tensor: Tensor.Tensor): ReadonlyArray<string> =>
  tensor.datatype === "BYTES"
    ? Tensor.texts(tensor).map((text) => JSON.stringify(text))
    : Tensor.elements<Exclude<Tensor.Datatype, "BYTES">>(tensor).map(String)
