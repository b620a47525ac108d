/**
 * What may go wrong with a request, and whether it does: a matter of the seed and of the request's number, so that a
 * run can be had again.
 *
 * @since 0.1.0
 */
import * as Seed from "./Seed.js"

/**
 * The faults, in the order in which a share of all requests is dealt to them.
 *
 * - `connectionReset`: the connection breaks before a byte of the answer.
 * - `serverError`: the vendor's internal error, a 500.
 * - `overloaded`: the vendor's word for it, a 503 or 529.
 * - `rateLimited`: a 429 though the key is within its limits.
 * - `hang`: no answer at all, for ever.
 * - `malformed`: a 200 whose JSON does not parse: the body, or one event of the stream.
 * - `streamError`: the vendor's error inside of a stream that began well. Concerns streams only, as do the next three.
 * - `streamStall`: a stream that says no more, and does not end.
 * - `streamCut`: a stream that ends without its end marker.
 * - `streamReset`: a stream whose connection breaks.
 *
 * @since 0.1.0
 * @category models
 */
export const all = [
  "connectionReset",
  "serverError",
  "overloaded",
  "rateLimited",
  "hang",
  "malformed",
  "streamError",
  "streamStall",
  "streamCut",
  "streamReset"
] as const

/**
 * One of the faults.
 *
 * @since 0.1.0
 * @category models
 */
export type Fault = (typeof all)[number]

/**
 * Which share of the requests meets which fault. The shares add up to at most 1; the rest meet none.
 *
 * @since 0.1.0
 * @category models
 */
export type Shares = { readonly [F in Fault]?: number | undefined }

/**
 * The fault that request `ordinal` meets, if any.
 *
 * @since 0.1.0
 * @category constructors
 */
export const of = (shares: Shares, seed: number, ordinal: number): Fault | undefined => {
  let drawn = Seed.fraction(Seed.at(seed, ordinal))
  for (const fault of all) {
    drawn -= shares[fault] ?? 0
    if (drawn < 0) return fault
  }
  return undefined
}
