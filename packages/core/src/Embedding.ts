/**
 * Texts as vectors.
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
 * Texts to embed; one vector comes back for each, in the same order.
 *
 * @since 0.1.0
 * @category models
 */
export interface Request {
  readonly model: string
  readonly input: ReadonlyArray<string>
  /** Length of each vector, where the model can shorten it. */
  readonly dimensions?: number
  /** An opaque id of the end user, for the backend's abuse detection. */
  readonly user?: string
  readonly providerOptions?: ProviderOptions
}

/**
 * The vectors, in the order of the texts.
 *
 * @since 0.1.0
 * @category models
 */
export interface Embeddings {
  readonly model: string
  readonly vectors: ReadonlyArray<ReadonlyArray<number>>
  readonly usage: Completion.Usage
}
