/**
 * The latest calls, counted: those of a number, or those of a time. A window is an immutable value of plain data, and
 * forgets by itself: what it says depends on the time it is asked for, not on when it was last told something.
 */

/** Calls, counted. */
export interface Counts {
  readonly calls: number
  readonly failures: number
  /** Calls that took too long to be answered, whether or not they failed. */
  readonly slow: number
}

/** One call that ended. */
export interface Ended {
  readonly isFailure: boolean
  readonly isSlow: boolean
}

/** How many calls a window sees, or for how long it sees them. */
export type Span = { readonly _tag: "Calls"; readonly calls: number } | { readonly _tag: "Time"; readonly millis: number }

/** The last `marks.length` calls. */
export interface CountWindow extends Counts {
  readonly _tag: "Count"
  /** A ring: of each call, 1 for failed and 2 for slow; 0 also where there was none yet. */
  readonly marks: Uint8Array
  /** Where the next call goes. */
  readonly next: number
}

/**
 * The calls of the last ten buckets of time. The newest of them is the present one, which has only begun, so that calls
 * are seen for nine to ten tenths of the time.
 */
export interface TimeWindow {
  readonly _tag: "Time"
  /** Milliseconds of a bucket. */
  readonly width: number
  /** Those that saw a call, the oldest first. */
  readonly buckets: ReadonlyArray<Bucket>
}

export interface Bucket extends Counts {
  /** Which of all buckets since 1970. */
  readonly slot: number
}

export type Window = CountWindow | TimeWindow

/** How many buckets a time window has. */
export const bucketCount = 10

/** A window that has seen nothing. */
export const empty = (span: Span): Window =>
  span._tag === "Calls"
    ? { _tag: "Count", marks: new Uint8Array(span.calls), next: 0, calls: 0, failures: 0, slow: 0 }
    : { _tag: "Time", width: span.millis / bucketCount, buckets: [] }

/** The window after one more call. */
export const add = (window: Window, ended: Ended, now: number): Window =>
  window._tag === "Count" ? addToRing(window, ended) : addToBuckets(window, ended, now)

/** What the window sees. */
export const counts = (window: Window, now: number): Counts =>
  window._tag === "Count" ? window : window.buckets.reduce(
    (sum, bucket) => isSeen(window, bucket, now) ? plus(sum, bucket) : sum,
    nothing
  )

const nothing: Counts = { calls: 0, failures: 0, slow: 0 }

const plus = (a: Counts, b: Counts): Counts => ({
  calls: a.calls + b.calls,
  failures: a.failures + b.failures,
  slow: a.slow + b.slow
})

const one = ({ isFailure, isSlow }: Ended): Counts => ({ calls: 1, failures: isFailure ? 1 : 0, slow: isSlow ? 1 : 0 })

const addToRing = (window: CountWindow, ended: Ended): CountWindow => {
  const { calls, failures, slow } = one(ended)
  const marks = window.marks.slice()
  const forgotten = marks[window.next]!
  marks[window.next] = failures | slow << 1
  return {
    _tag: "Count",
    marks,
    next: (window.next + 1) % marks.length,
    calls: Math.min(window.calls + calls, marks.length),
    failures: window.failures + failures - (forgotten & 1),
    slow: window.slow + slow - (forgotten >> 1)
  }
}

/** The bucket that a moment falls into. */
export const slotOf = (window: TimeWindow, now: number): number => Math.floor(now / window.width)

const isSeen = (window: TimeWindow, { slot }: Bucket, now: number) => slotOf(window, now) - slot < bucketCount

const addToBuckets = (window: TimeWindow, ended: Ended, now: number): TimeWindow => {
  const slot = slotOf(window, now)
  const buckets = asOf(window.buckets, slot)
  const newest = buckets.at(-1)
  return {
    ...window,
    buckets: newest?.slot === slot
      ? [...buckets.slice(0, -1), { slot, ...plus(newest, one(ended)) }]
      : [...buckets.filter((bucket) => slot - bucket.slot < bucketCount), { slot, ...one(ended) }]
  }
}

// a clock that was put back takes them with it, or they would be seen until it is there again
const asOf = (buckets: ReadonlyArray<Bucket>, now: number): ReadonlyArray<Bucket> => {
  const ahead = (buckets.at(-1)?.slot ?? now) - now
  return ahead > 0 ? buckets.map((bucket) => ({ ...bucket, slot: bucket.slot - ahead })) : buckets
}
