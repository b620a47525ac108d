/**
 * The elements of tensors as JSON: which of them it can say, how they are written, and how they are read.
 */
import * as Tensor from "@spillway/core/Tensor"
import * as Either from "effect/Either"

/**
 * Whether JSON says a tensor without loss, to every server: OpenVINO's takes whole numbers of 32 bits from JSON,
 * whatever the datatype, reads FP64 as FP32, no FP16, and texts up to a NUL.
 *
 * @see https://github.com/openvinotoolkit/model_server/blob/main/src/rest_parser.cpp
 */
export const isLossless = ({ data, datatype }: Tensor.Tensor): boolean => {
  const fits = fitsJson[datatype]
  return !(data instanceof Uint8Array) &&
    (typeof fits === "boolean" ? fits : data.every((element: Tensor.Given) => fits(element)))
}

const fitsJson: { readonly [D in Tensor.Datatype]: boolean | ((element: Tensor.Given) => boolean) } = {
  BOOL: true,
  UINT8: true,
  UINT16: true,
  UINT32: true,
  UINT64: (element) => Number(element) < 2 ** 32,
  INT8: true,
  INT16: true,
  INT32: true,
  INT64: (element) => Math.abs(Number(element)) < 2 ** 31,
  FP16: false,
  BF16: false,
  FP32: (element) => Number.isFinite(element) && !Object.is(element, -0),
  FP64: false,
  BYTES: (element) => typeof element === "string" && !element.includes("\0")
}

/** The elements as a JSON list; none where it has no word for one of them: NaN, an infinity, bytes that are no text. */
export const write = <D extends Tensor.Datatype>(tensor: Tensor.Of<D>): string | undefined => {
  const items: Array<string> = []
  for (const element of Tensor.elements<Tensor.Datatype>(tensor)) {
    const item = writeElement(element, isFloat.has(tensor.datatype))
    if (item === undefined) return undefined
    items.push(item)
  }
  return `[${items.join(",")}]`
}

const isFloat: ReadonlySet<Tensor.Datatype> = new Set(["FP16", "BF16", "FP32", "FP64"])

const writeElement = (element: Tensor.Element, float: boolean): string | undefined => {
  if (element instanceof Uint8Array) {
    const text = Either.try(() => decoder.decode(element))
    return Either.isRight(text) ? JSON.stringify(text.right) : undefined
  }
  if (typeof element !== "number") return String(element)
  if (!Number.isFinite(element)) return undefined
  // the sign of a zero is part of a float
  return float && Object.is(element, -0) ? "-0.0" : String(element)
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** The elements of a list, however deep in lists; what is none of the datatype stays as it is. */
export const read = (list: ReadonlyArray<unknown>, datatype: Tensor.Datatype): ReadonlyArray<unknown> => {
  const flat: ReadonlyArray<unknown> = list.some(Array.isArray) ? list.flat(Infinity) : list
  return datatype === "INT64" || datatype === "UINT64"
    ? flat.map(toBigInt)
    : isFloat.has(datatype)
    ? flat.map(toFloat)
    : flat
}

/** Numbers of many digits are read as the text of them. */
const toBigInt = (element: unknown): unknown =>
  Number.isSafeInteger(element) || typeof element === "string" && /^-?\d+$/.test(element)
    ? BigInt(String(element))
    : element

const toFloat = (element: unknown): unknown =>
  typeof element === "string" && /^-?(\d+|Infinity)$|^NaN$/.test(element) ? Number(element) : element

/** The elements in lists of lists, as their shape says; none where JSON has no word for one of them. */
export const nest = <D extends Tensor.Datatype>(tensor: Tensor.Of<D>): unknown => {
  const values = Tensor.elements<Tensor.Datatype>(tensor).map(toValue)
  return values.includes(undefined) ? undefined : nested(values, tensor.shape, 0)
}

const nested = (values: ReadonlyArray<unknown>, [length, ...rest]: ReadonlyArray<number>, from: number): unknown =>
  length === undefined
    ? values[from]
    : Array.from({ length }, (_, i) => nested(values, rest, from + i * Tensor.count(rest)))

const toValue = (element: Tensor.Element): number | boolean | string | undefined => {
  if (element instanceof Uint8Array) return Either.getOrUndefined(Either.try(() => decoder.decode(element)))
  if (typeof element === "boolean") return element
  const number = Number(element)
  return (typeof element === "bigint" ? Number.isSafeInteger(number) : Number.isFinite(number)) ? number : undefined
}
