/**
 * How fast calls have lately been ending while others waited, and what follows of it: how long a call will wait.
 */

/** The pace; times are in milliseconds on the clock. */
export interface Pace {
  /** Somebody waits and places come free: from now on it is measured, unless it is already. */
  readonly start: (at: number) => void
  /** Nobody waits any more, or no place comes free. */
  readonly stop: () => void
  readonly ended: (at: number) => void
  /** Calls end so many times as fast from now on, as far as it is known. */
  readonly quicken: (times: number) => void
  /** How long until so many have ended; absent where none has been seen to end. */
  readonly expect: (calls: number) => number | undefined
  /** How long, at least, one will wait that so many go before; nothing where too little has been seen. */
  readonly wait: (ahead: number, at: number) => number
}

// the share that the past keeps each time a call ends
const memory = 15 / 16
// how many have to have ended before anybody is sent away for it
const enough = 16

/** Nothing has been seen yet. */
export const make = (): Pace => {
  let since: number | undefined
  let millis = 0
  let calls = 0
  let seen = 0
  return {
    start(at) {
      since ??= at
    },
    stop() {
      since = undefined
    },
    ended(at) {
      if (since === undefined) return
      millis = millis * memory + Math.max(at - since, 0)
      calls = calls * memory + 1
      seen++
      since = at
    },
    quicken(times) {
      millis /= times
    },
    expect: (count) => calls === 0 ? undefined : count * millis / calls,
    wait(ahead, at) {
      if (seen < enough || since === undefined) return 0
      const each = millis / calls
      // the first of them goes when the one ends that is next to end, which it has been some time about
      return ahead * each + Math.min(Math.max(each - (at - since), 0), each)
    }
  }
}
