/**
 * How many things happen in a second, by the last minute. Counting one allocates nothing.
 */

/** Things counted by when they happened; times are the `Clock`'s, in milliseconds. */
export interface Throughput {
  readonly add: (now: number) => void
  /** How many a second; things have been counted since `since`. */
  readonly read: (now: number, since: number) => number
}

const minute = 60

export const make = (): Throughput => {
  const counts = new Uint32Array(minute)
  const seconds = new Float64Array(minute)
  return {
    add(now) {
      const second = Math.floor(now / 1000)
      const slot = second % minute
      if (seconds[slot] !== second) {
        seconds[slot] = second
        counts[slot] = 0
      }
      counts[slot]!++
    },
    read(now, since) {
      const second = Math.floor(now / 1000)
      const isRecent = (then: number) => then <= second && second - then < minute
      const sum = counts.reduce((sum, count, slot) => isRecent(seconds[slot]!) ? sum + count : sum, 0)
      return sum / Math.min(Math.max((now - since) / 1000, 1), minute)
    }
  }
}
