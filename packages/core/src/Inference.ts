/**
 * Inference on anything but text: named tensors, or whatever JSON a model takes.
 *
 * @since 0.1.0
 */
import type * as Completion from "./Completion.js"

/**
 * What a backend's own module adds to this interface (by declaration merging) is what may be asked of that backend.
 *
 * @since 0.1.0
 * @category models
 */
export interface ProviderOptions {}

/**
 * The kind of a tensor's elements, in the words of the Open Inference Protocol.
 *
 * @see https://github.com/kserve/open-inference-protocol
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
  | "FP32"
  | "FP64"
  | "BYTES"

/**
 * A tensor with a name. `data` holds the elements in row-major order; as bytes they are little-endian, and each
 * element of a `BYTES` tensor has its length (4 bytes) before it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Tensor {
  readonly name: string
  readonly datatype: Datatype
  readonly shape: ReadonlyArray<number>
  readonly data: ReadonlyArray<number | bigint | boolean | string> | Uint8Array
}

/**
 * What goes into a model and comes out of it: tensors, or JSON of a form that only the model knows.
 *
 * @since 0.1.0
 * @category models
 */
export type Values =
  | { readonly _tag: "Tensors"; readonly tensors: ReadonlyArray<Tensor> }
  | { readonly _tag: "Json"; readonly value: unknown }

/**
 * What is asked of a model.
 *
 * @since 0.1.0
 * @category models
 */
export interface Request {
  readonly model: string
  /** Which version of the model; the backend's choice when absent. */
  readonly version?: string
  readonly input: Values
  /** Names of the outputs wanted; all when absent. */
  readonly outputs?: ReadonlyArray<string>
  readonly providerOptions?: ProviderOptions
}

/**
 * What the model made of it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Inference {
  readonly model: string
  readonly version?: string
  readonly output: Values
  readonly usage: Completion.Usage
}

/**
 * Tensors as values.
 *
 * @since 0.1.0
 * @category constructors
 */
export const tensors = (...tensors: ReadonlyArray<Tensor>): Values => ({ _tag: "Tensors", tensors })

/**
 * JSON as values.
 *
 * @since 0.1.0
 * @category constructors
 */
export const json = (value: unknown): Values => ({ _tag: "Json", value })
