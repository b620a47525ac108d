/**
 * A limit of so much per window, as a bucket that fills evenly: exact to the millisecond, since it counts in whole
 * numbers of (amount × window) and never divides before the end.
 *
 * @since 0.1.0
 */

/**
 * A bucket. It changes in place; who reads it passes the time.
 *
 * @since 0.1.0
 * @category models
 */
export interface Limit {
  readonly amount: number
  readonly windowMillis: number
  readonly capacity: number
  level: number
  filledAt: number
}

/**
 * A full bucket that gets `amount` per window and holds `burst`; nothing where the amount is infinite.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (amount: number, windowMillis: number, burst: number, now: number): Limit | undefined =>
  Number.isFinite(amount)
    ? { amount, windowMillis, capacity: burst * windowMillis, level: burst * windowMillis, filledAt: now }
    : undefined

const fill = (limit: Limit, now: number): Limit => {
  if (now > limit.filledAt) {
    limit.level = Math.min(limit.capacity, limit.level + (now - limit.filledAt) * limit.amount)
    limit.filledAt = now
  }
  return limit
}

/**
 * How many milliseconds until `wanted` is there: zero if it is, infinite if the bucket is too small for it.
 *
 * @since 0.1.0
 * @category accessors
 */
export const wait = (limit: Limit | undefined, wanted: number, now: number): number => {
  if (limit === undefined) return 0
  const cost = wanted * limit.windowMillis
  if (cost > limit.capacity) return Infinity
  return Math.max(0, Math.ceil((cost - fill(limit, now).level) / limit.amount))
}

/**
 * Takes from the bucket what `wait` has found to be there.
 *
 * @since 0.1.0
 * @category combinators
 */
export const take = (limit: Limit | undefined, wanted: number, now: number): void => {
  if (limit !== undefined) fill(limit, now).level -= wanted * limit.windowMillis
}

/**
 * How much is left, in whole units.
 *
 * @since 0.1.0
 * @category accessors
 */
export const remaining = (limit: Limit, now: number): number => Math.floor(fill(limit, now).level / limit.windowMillis)

/**
 * How many milliseconds until the bucket is full again.
 *
 * @since 0.1.0
 * @category accessors
 */
export const fullIn = (limit: Limit, now: number): number =>
  Math.ceil((limit.capacity - fill(limit, now).level) / limit.amount)
