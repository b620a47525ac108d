/**
 * Documents in the order of their worth for a query.
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
 * Documents to rank against a query.
 *
 * @since 0.1.0
 * @category models
 */
export interface Request {
  readonly model: string
  readonly query: string
  readonly documents: ReadonlyArray<string>
  /** Most results to return, a positive integer; all when absent. */
  readonly topN?: number
  readonly providerOptions?: ProviderOptions
}

/**
 * One document's rank: `index` is its place in the request, `score` is comparable within one answer only.
 *
 * @since 0.1.0
 * @category models
 */
export interface Result {
  readonly index: number
  readonly score: number
  readonly document: string
}

/**
 * The results, best first.
 *
 * @since 0.1.0
 * @category models
 */
export interface Ranking {
  readonly model: string
  readonly results: ReadonlyArray<Result>
  readonly usage: Completion.Usage
}
