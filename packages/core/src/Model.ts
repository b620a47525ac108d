/**
 * What a backend says of a model.
 *
 * @since 0.1.0
 */

/**
 * A model in a backend's catalogue. Only the name is sure; the rest is there when the API tells.
 *
 * @since 0.1.0
 * @category models
 */
export interface Model {
  /** The name to put into a request. */
  readonly id: string
  /** Who made or owns it, in the backend's words. */
  readonly owner?: string
  /** When it was made, in seconds since 1970. */
  readonly created?: number
  /** Most tokens of prompt and answer together. */
  readonly contextWindow?: number
  /** Most tokens of an answer. */
  readonly maxOutputTokens?: number
  /** A name for people. */
  readonly displayName?: string
}
