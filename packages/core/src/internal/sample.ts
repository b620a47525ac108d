/**
 * The last so many values of something that is measured again and again. Adding one is a synchronous step; reading
 * sorts them.
 */
import type * as Monitor from "../Monitor.js"

/** A sample of the latest values. */
export interface Sample {
  readonly add: (value: number) => void
  /** How many have ever been added. */
  readonly added: () => number
  /** The smallest value that so much of the sample (0 to 1) does not exceed (nearest rank); 0 when there is none. */
  readonly quantile: (share: number) => number
  readonly percentiles: () => Monitor.Percentiles
}

export const make = (length: number): Sample => {
  const values = new Float64Array(length)
  let added = 0
  const sorted = () => values.slice(0, Math.min(added, length)).sort()
  const at = (sorted: Float64Array, share: number) => sorted[Math.max(Math.ceil(share * sorted.length) - 1, 0)] ?? 0
  return {
    add(value) {
      // of durations and sizes; what lasted less than nothing was measured by a clock that was put back
      values[added++ % length] = Math.max(value, 0)
    },
    added: () => added,
    quantile: (share) => at(sorted(), share),
    percentiles() {
      const all = sorted()
      return { p50: at(all, 0.5), p95: at(all, 0.95), p99: at(all, 0.99) }
    }
  }
}
