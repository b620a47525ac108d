/**
 * Tensors: elements of one kind in a grid of any number of dimensions, as they go into a model and come out of it.
 *
 * A tensor holds its elements as a list, or as the bytes that go over a wire: row by row, little-endian, each element
 * of a `BYTES` tensor after its length (4 bytes). `elements` and `toBytes` lead from either to the other, and make
 * something of every tensor, also of one that is not as its shape says: `flaw` tells those.
 *
 * @see https://github.com/kserve/open-inference-protocol
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import * as Bytes from "./internal/tensorBytes.js"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * The kind of a tensor's elements, in the words of the Open Inference Protocol; and `BF16`, which servers add to them.
 *
 * @since 0.1.0
 * @category models
 */
export type Datatype =
  | "BOOL"
  | "UINT8"
  | "UINT16"
  | "UINT32"
  | "UINT64"
  | "INT8"
  | "INT16"
  | "INT32"
  | "INT64"
  | "FP16"
  | "BF16"
  | "FP32"
  | "FP64"
  | "BYTES"

/**
 * An element as it is read: whole numbers of 64 bits are `bigint`, since a `number` holds 53 of them.
 *
 * @since 0.1.0
 * @category models
 */
export type Element<D extends Datatype = Datatype> = D extends "BOOL" ? boolean
  : D extends "INT64" | "UINT64" ? bigint
  : D extends "BYTES" ? Uint8Array
  : number

/**
 * An element as it may be given: besides what is read, a `number` for 64 bits, and a text for its UTF-8 bytes.
 *
 * @since 0.1.0
 * @category models
 */
export type Given<D extends Datatype = Datatype> =
  | Element<D>
  | (D extends "INT64" | "UINT64" ? number : D extends "BYTES" ? string : never)

/**
 * A tensor of elements of kind `D`. `shape` says how many there are in each dimension, none in all being one element.
 *
 * @since 0.1.0
 * @category models
 */
export interface Of<D extends Datatype> {
  readonly name: string
  readonly datatype: D
  readonly shape: ReadonlyArray<number>
  readonly data: ReadonlyArray<Given<D>> | Uint8Array
}

/**
 * A tensor with a name; its `datatype` tells what its elements are.
 *
 * @since 0.1.0
 * @category models
 */
export type Tensor = { [D in Datatype]: Of<D> }[Datatype]

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * A tensor.
 *
 * @since 0.1.0
 * @category constructors
 * @example
 * ```ts
 * import { Tensor } from "@spillway/core"
 * import * as assert from "node:assert"
 *
 * const tensor = Tensor.make("ids", "INT64", [1, 2], [101, 2n ** 62n])
 * assert.deepStrictEqual(Tensor.elements(tensor), [101n, 2n ** 62n])
 * assert.strictEqual(Tensor.toBytes(tensor).length, 16)
 * ```
 */
export const make = <D extends Datatype>(
  name: string,
  datatype: D,
  shape: ReadonlyArray<number>,
  data: Of<D>["data"]
): Of<D> => ({ name, datatype, shape, data })

// -----------------------------------------------------------------------------
// conversions
// -----------------------------------------------------------------------------

/**
 * Whether a name is that of a datatype.
 *
 * @since 0.1.0
 * @category guards
 */
export const isDatatype = (name: string): name is Datatype => name === "BYTES" || Object.hasOwn(Bytes.layouts, name)

/** How the elements lie in bytes when they are of one size; those of `BYTES` are not. */
const layoutOf = (datatype: Datatype): Bytes.Layout | undefined =>
  datatype === "BYTES" ? undefined : Bytes.layouts[datatype]

const encoder = new TextEncoder()

const decoder = new TextDecoder("utf-8", { ignoreBOM: true })

/**
 * How many elements a shape has room for.
 *
 * @since 0.1.0
 * @category conversions
 */
export const count = (shape: ReadonlyArray<number>): number => shape.reduce((product, length) => product * length, 1)

/**
 * The elements, row by row.
 *
 * @since 0.1.0
 * @category conversions
 */
export const elements = <D extends Datatype>({ data, datatype }: Of<D>): ReadonlyArray<Element<D>> => {
  const layout = layoutOf(datatype)
  const given: ReadonlyArray<Given> | Uint8Array = data
  const read = given instanceof Uint8Array
    ? layout === undefined ? Bytes.cut(given).pieces : Bytes.read(given, layout)
    : layout === undefined
    ? given.map(encode)
    : layout.settle === undefined
    ? given
    : given.map(layout.settle)
  return read as ReadonlyArray<Element<D>> // what the layout of the datatype reads and settles
}

const encode = (given: Given): Uint8Array =>
  given instanceof Uint8Array ? given : encoder.encode(typeof given === "string" ? given : "")

/**
 * The elements of a `BYTES` tensor as texts. What is no UTF-8 in them becomes U+FFFD.
 *
 * @since 0.1.0
 * @category conversions
 */
export const texts = (tensor: Of<"BYTES">): ReadonlyArray<string> =>
  tensor.data instanceof Uint8Array
    ? Bytes.cut(tensor.data).pieces.map((piece) => decoder.decode(piece))
    : tensor.data.map((one) => typeof one === "string" ? one : decoder.decode(one))

/**
 * The elements as bytes, as they go over a wire; of a tensor that holds bytes, those.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toBytes = <D extends Datatype>({ data, datatype }: Of<D>): Uint8Array => {
  const layout = layoutOf(datatype)
  const given: ReadonlyArray<Given> | Uint8Array = data
  return given instanceof Uint8Array
    ? given
    : layout === undefined
    ? Bytes.join(given.map(encode))
    : Bytes.write(given, layout)
}

/**
 * What is wrong with a tensor, if anything is: a shape that is none, more or fewer elements than it has room for, an
 * element that its datatype does not have. Quotes nothing of the data.
 *
 * @since 0.1.0
 * @category guards
 * @example
 * ```ts
 * import { Tensor } from "@spillway/core"
 * import { Option } from "effect"
 * import * as assert from "node:assert"
 *
 * assert.deepStrictEqual(
 *   Tensor.flaw(Tensor.make("x", "UINT8", [2], [1, 256])),
 *   Option.some("element 1 is no UINT8")
 * )
 * assert.deepStrictEqual(Tensor.flaw(Tensor.make("x", "FP32", [2, 2], [1, 2, 3, 4])), Option.none())
 * ```
 */
export const flaw = ({ data, datatype, shape }: Tensor): Option.Option<string> => {
  if (!isDatatype(datatype)) return Option.some(`no datatype is called ${String(datatype)}`)
  if (!shape.every((length) => Number.isSafeInteger(length) && length >= 0)) {
    return Option.some("a shape is made of whole numbers of at least 0")
  }
  const layout = layoutOf(datatype)
  const given: ReadonlyArray<Given> | Uint8Array = data
  let found: number
  if (given instanceof Uint8Array) {
    const { pieces, rest } = layout === undefined
      ? Bytes.cut(given)
      : { pieces: { length: given.length / layout.size }, rest: given.length % layout.size }
    if (rest > 0) return Option.some(`${rest} bytes are left over after the last whole element`)
    found = pieces.length
  } else {
    const isElement = layout?.isElement ?? isBytes
    const wrong = given.findIndex((element) => !isElement(element))
    if (wrong !== -1) return Option.some(`element ${wrong} is no ${datatype}`)
    found = given.length
  }
  const expected = count(shape)
  return found === expected
    ? Option.none()
    : Option.some(`the shape [${shape.join(", ")}] has room for ${expected} elements, and there are ${found}`)
}

/** A half of a surrogate pair has no UTF-8. */
const isBytes = (value: unknown): boolean =>
  typeof value === "string" ? !/\p{Surrogate}/u.test(value) : value instanceof Uint8Array
