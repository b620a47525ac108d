/**
 * A limit as the backend's own headers tell it. It is taken at its word, and counted on from there.
 *
 * Most limits come back evenly, and the reset they tell is when all of it is back; so what is missing through that time
 * is the rate. Some come back all at once. Nothing in the headers says which, but a refusal does: with nothing left, and
 * a wait about as long as the reset. From then on nothing goes before that.
 */
import * as Bucket from "./keyBucket.js"
import type * as Lease from "./keyLease.js"

/** What the headers last said. */
export interface Reported {
  readonly bucket: Bucket.Bucket
  /** When all of it is back. */
  resetAt: number
  comesBackAtOnce: boolean
  /** Whether a refusal has belied the rate that it tells: from then on refusals themselves are learned from. */
  isBelied: boolean
  /** The turn of the lease whose answer said so; an earlier one may come later, and knows less. */
  turn: number
}

/** What an answer said, and to which lease, while so much was under way that it may not have counted. */
export interface Told {
  readonly limit: Lease.Limit
  readonly turn: number
  readonly underWay: number
}

/** What there is to go by, if that says what is left. */
export const observe = (reported: Reported | undefined, told: Told, now: number): Reported | undefined => {
  const { limit: { limit, remaining, resetMillis }, turn, underWay } = told
  if (remaining === undefined) return reported
  const result = reported ?? {
    bucket: { rate: 0, capacity: Math.max(1, remaining), level: Infinity, at: now },
    resetAt: now,
    comesBackAtOnce: false,
    isBelied: false,
    turn
  }
  const { bucket } = result
  const level = remaining - underWay
  if (turn < result.turn) {
    bucket.level = Math.min(Bucket.fill(bucket, now).level, level)
    return result
  }
  result.turn = turn
  bucket.capacity = Math.max(1, limit ?? bucket.capacity)
  const missing = bucket.capacity - remaining
  // without a reset, it is what is allowed in a minute
  const rate = missing > 0 && resetMillis !== undefined && resetMillis > 0
    ? missing / resetMillis
    : bucket.capacity / Bucket.minute
  result.resetAt = now + Math.max(0, resetMillis ?? missing / rate)
  bucket.rate = result.comesBackAtOnce ? 0 : rate
  bucket.level = Math.min(bucket.capacity, level)
  bucket.at = now
  return result
}

/** When so much is there. */
export const readyAt = ({ bucket, comesBackAtOnce, resetAt }: Reported, amount: number, now: number): number => {
  if (!comesBackAtOnce) return Bucket.readyAt(bucket, amount, now)
  if (now >= resetAt && bucket.at < resetAt) bucket.level = bucket.capacity
  bucket.at = now
  return bucket.level >= Math.min(amount, bucket.capacity) ? now : Math.max(now, resetAt)
}

/** What comes back in a millisecond, in the long run; without a limit where it comes back all at once. */
export const rate = ({ bucket, comesBackAtOnce }: Reported): number => comesBackAtOnce ? Infinity : bucket.rate

/**
 * Whether it says that a refusal was to be expected, and for how long; from how long was to be waited it learns how it
 * comes back.
 */
export const explains = (reported: Reported, said: number | undefined, now: number): boolean => {
  const { bucket, resetAt } = reported
  if (Bucket.fill(bucket, now).level >= 1) return false
  const left = resetAt - now
  if (said !== undefined && left > 2000 && said >= 0.8 * left) {
    reported.comesBackAtOnce = true
    bucket.rate = 0
  }
  // a backend that allows less at once than its limit tells a rate that its own refusals belie
  if (said !== undefined && !reported.comesBackAtOnce) {
    reported.isBelied ||= said > 2 * (1 - bucket.level) / bucket.rate + slack
  }
  return !reported.isBelied
}

// milliseconds in which nobody's word is doubted
const slack = 100
