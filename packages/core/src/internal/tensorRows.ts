/**
 * Tensors as lists of rows: what lies along the first dimension, which for most models is the batch.
 */
import * as Option from "effect/Option"
import { join as concat } from "../Bytes.js"
import * as Tensor from "../Tensor.js"
import * as Bytes from "./tensorBytes.js"

/** How many rows a tensor has; none where it has no rows, or its elements are not as its shape says. */
export const rows = (tensor: Tensor.Tensor): number | undefined =>
  Option.isNone(Tensor.flaw(tensor)) ? tensor.shape[0] : undefined

/** The rows of several tensors one after the other; they differ in the number of rows alone. */
export const join = (first: Tensor.Tensor, others: ReadonlyArray<Tensor.Tensor>): Tensor.Tensor => {
  const all = [first, ...others]
  const rows = all.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0)
  const bytes = all.flatMap(({ data }) => data instanceof Uint8Array ? [data] : [])
  return {
    ...first,
    shape: [rows, ...first.shape.slice(1)],
    data: bytes.length === all.length ? concat(bytes) : all.flatMap((tensor) => Tensor.elements(tensor))
    // of the first's datatype, as all of them are
  } as Tensor.Tensor
}

/** The rows from one to another, that one not included. */
export const slice = (tensor: Tensor.Tensor, from: number, to: number): Tensor.Tensor => {
  const shape = [to - from, ...tensor.shape.slice(1)]
  const width = Tensor.count(tensor.shape.slice(1))
  const [begin, end] = [from * width, to * width]
  const { data, datatype } = tensor
  const part = !(data instanceof Uint8Array)
    ? data.slice(begin, end)
    : datatype === "BYTES"
    ? Bytes.cut(data).pieces.slice(begin, end)
    : data.slice(begin * Bytes.layouts[datatype].size, end * Bytes.layouts[datatype].size)
  // elements of a tensor are of its datatype
  return { ...tensor, shape, data: part } as Tensor.Tensor
}
