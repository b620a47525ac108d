/**
 * Inference on anything but text: named tensors, or whatever JSON a model takes.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import type * as Completion from "./Completion.js"
import type * as Tensor from "./Tensor.js"

/**
 * What a backend's own module adds to this interface (by declaration merging) is what may be asked of that backend.
 *
 * @since 0.1.0
 * @category models
 */
export interface ProviderOptions {}

/**
 * What goes into a model and comes out of it: tensors, or JSON of a form that only the model knows.
 *
 * @since 0.1.0
 * @category models
 */
export type Values =
  | { readonly _tag: "Tensors"; readonly tensors: ReadonlyArray<Tensor.Tensor> }
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
export const tensors = (...tensors: ReadonlyArray<Tensor.Tensor>): Values => ({ _tag: "Tensors", tensors })

/**
 * JSON as values.
 *
 * @since 0.1.0
 * @category constructors
 */
export const json = (value: unknown): Values => ({ _tag: "Json", value })

/**
 * The tensor of that name, if these are tensors and it is among them.
 *
 * @since 0.1.0
 * @category accessors
 */
export const tensor = (values: Values, name: string): Option.Option<Tensor.Tensor> =>
  values._tag === "Tensors"
    ? Option.fromNullable(values.tensors.find((tensor) => tensor.name === name))
    : Option.none()
