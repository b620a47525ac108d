/**
 * How the elements of tensors lie in bytes: little-endian, one after the other; those of `BYTES`, which are of any
 * size, each after its length.
 */
import * as SmallFloat from "./smallFloat.js"

/** An element that has a size of its own. */
export type Scalar = number | bigint | boolean

/** How elements of one size lie in bytes. */
export interface Layout {
  /** In bytes. */
  readonly size: number
  readonly isElement: (value: unknown) => boolean
  /** An element as it is read, where that is not how it was given. */
  readonly settle?: (value: unknown) => Scalar
  readonly read: (view: DataView, at: number) => Scalar
  readonly write: (view: DataView, at: number, value: unknown) => void
}

const whole = (
  size: number,
  min: number,
  read: (view: DataView, at: number) => number,
  write: (view: DataView, at: number, value: number) => void
): Layout => ({
  size,
  isElement: (value) => Number.isInteger(value) && Number(value) >= min && Number(value) < min + 2 ** (8 * size),
  read,
  write: (view, at, value) => write(view, at, Number(value))
})

const big = (
  min: bigint,
  read: (view: DataView, at: number) => bigint,
  write: (view: DataView, at: number, value: bigint) => void
): Layout => ({
  size: 8,
  isElement: (value) =>
    typeof value === "bigint"
      ? value >= min && value < min + 2n ** 64n
      : Number.isSafeInteger(value) && Number(value) >= min,
  settle: toBigInt,
  read,
  write: (view, at, value) => write(view, at, toBigInt(value))
})

const toBigInt = (value: unknown): bigint =>
  typeof value === "bigint" ? value : Number.isFinite(Number(value)) ? BigInt(Math.trunc(Number(value))) : 0n

const float = (
  size: number,
  read: (view: DataView, at: number) => number,
  write: (view: DataView, at: number, value: number) => void
): Layout => ({
  size,
  isElement: (value) => typeof value === "number",
  read,
  write: (view, at, value) => write(view, at, Number(value))
})

const smallFloat = (exponentBits: SmallFloat.ExponentBits): Layout =>
  float(
    2,
    (view, at) => SmallFloat.fromBits(view.getUint16(at, true), exponentBits),
    (view, at, value) => view.setUint16(at, SmallFloat.toBits(value, exponentBits), true)
  )

/** The layout of each datatype whose elements are of one size. */
export const layouts = {
  BOOL: {
    size: 1,
    isElement: (value) => typeof value === "boolean",
    read: (view, at) => view.getUint8(at) !== 0,
    write: (view, at, value) => view.setUint8(at, value === true ? 1 : 0)
  },
  UINT8: whole(1, 0, (view, at) => view.getUint8(at), (view, at, value) => view.setUint8(at, value)),
  UINT16: whole(2, 0, (view, at) => view.getUint16(at, true), (view, at, value) => view.setUint16(at, value, true)),
  UINT32: whole(4, 0, (view, at) => view.getUint32(at, true), (view, at, value) => view.setUint32(at, value, true)),
  UINT64: big(0n, (view, at) => view.getBigUint64(at, true), (view, at, value) => view.setBigUint64(at, value, true)),
  INT8: whole(1, -(2 ** 7), (view, at) => view.getInt8(at), (view, at, value) => view.setInt8(at, value)),
  INT16: whole(
    2,
    -(2 ** 15),
    (view, at) => view.getInt16(at, true),
    (view, at, value) => view.setInt16(at, value, true)
  ),
  INT32: whole(
    4,
    -(2 ** 31),
    (view, at) => view.getInt32(at, true),
    (view, at, value) => view.setInt32(at, value, true)
  ),
  INT64: big(
    -(2n ** 63n),
    (view, at) => view.getBigInt64(at, true),
    (view, at, value) => view.setBigInt64(at, value, true)
  ),
  FP16: smallFloat(5),
  BF16: smallFloat(8),
  FP32: float(4, (view, at) => view.getFloat32(at, true), (view, at, value) => view.setFloat32(at, value, true)),
  FP64: float(8, (view, at) => view.getFloat64(at, true), (view, at, value) => view.setFloat64(at, value, true))
} as const satisfies { readonly [datatype: string]: Layout }

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** The elements in bytes. */
export const read = (bytes: Uint8Array, { read, size }: Layout): ReadonlyArray<Scalar> => {
  const view = viewOf(bytes)
  const out = new Array<Scalar>(Math.floor(bytes.length / size))
  for (let i = 0; i < out.length; i++) out[i] = read(view, i * size)
  return out
}

/** The bytes of elements. */
export const write = (elements: ReadonlyArray<unknown>, { size, write }: Layout): Uint8Array => {
  const bytes = new Uint8Array(elements.length * size)
  const view = viewOf(bytes)
  for (let i = 0; i < elements.length; i++) write(view, i * size, elements[i])
  return bytes
}

/** How many bytes tell the length of an element of a `BYTES` tensor. */
const prefix = 4

/** The elements in the bytes of a `BYTES` tensor, and how many bytes are left over. */
export const cut = (bytes: Uint8Array): { readonly pieces: ReadonlyArray<Uint8Array>; readonly rest: number } => {
  const view = viewOf(bytes)
  const pieces: Array<Uint8Array> = []
  let at = 0
  while (at + prefix <= bytes.length) {
    const end = at + prefix + view.getUint32(at, true)
    if (end > bytes.length) break
    pieces.push(bytes.subarray(at + prefix, end))
    at = end
  }
  return { pieces, rest: bytes.length - at }
}

/** The bytes of a `BYTES` tensor of these elements. */
export const join = (pieces: ReadonlyArray<Uint8Array>): Uint8Array => {
  const bytes = new Uint8Array(pieces.reduce((size, piece) => size + prefix + piece.length, 0))
  const view = viewOf(bytes)
  let at = 0
  for (const piece of pieces) {
    view.setUint32(at, piece.length, true)
    bytes.set(piece, at + prefix)
    at += prefix + piece.length
  }
  return bytes
}
