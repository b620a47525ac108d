/**
 * So much per time: a bucket that fills evenly and holds no more than its capacity. Every step is synchronous; `now` is
 * the `Clock`'s time in milliseconds.
 *
 * Only what is granted is taken from it: who asks, waits or gives up leaves no trace. Where more was used than had been
 * taken for it, the level is below zero, and nothing is granted until that is made up for.
 */

/** A bucket. It changes in place; who reads it passes the time. */
export interface Bucket {
  /** What it gets in a millisecond. */
  rate: number
  capacity: number
  level: number
  /** When it was at that level. */
  at: number
}

/** A full one. */
export const make = (perMinute: number, capacity: number): Bucket => ({
  rate: perMinute / minute,
  capacity,
  level: capacity,
  at: 0
})

export const minute = 60_000

/** Passes the time. A clock that stands still or is set back gives nothing, and makes nobody wait for its return. */
export const fill = (bucket: Bucket, now: number): Bucket => {
  if (now > bucket.at && bucket.level < bucket.capacity) {
    bucket.level = Math.min(bucket.capacity, bucket.level + (now - bucket.at) * bucket.rate)
  }
  bucket.at = now
  return bucket
}

// what is lost in adding up fractions is not waited for
const rounding = 1e-6

/** When so much is there; what it never holds goes when it is full. */
export const readyAt = (bucket: Bucket, amount: number, now: number): number => {
  const missing = Math.min(amount, bucket.capacity) - fill(bucket, now).level
  return missing <= rounding ? now : now + missing / bucket.rate
}

/** Takes what is there, or is owed from now on. */
export const take = (bucket: Bucket, amount: number): void => {
  bucket.level -= amount
}

/** Gives back what was taken and not used. */
export const give = (bucket: Bucket, amount: number): void => {
  bucket.level = Math.min(bucket.capacity, bucket.level + amount)
}

/** How full it is, from 0 to 1. */
export const share = (bucket: Bucket, now: number): number =>
  Math.max(0, Math.min(1, fill(bucket, now).level / bucket.capacity))
