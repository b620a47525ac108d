/**
 * The calls that wait for a backend to answer: how many they are, and how long one has waited in vain.
 */
export interface Unanswered {
  /** A call goes. */
  readonly began: () => void
  /** One of them waits no longer. */
  readonly ended: () => void
  readonly count: () => number
  /** The backend gave a sign of life. */
  readonly heard: (now: number) => void
  /** A call had waited so long when it was given up. */
  readonly gaveUp: (waited: number, now: number) => void
  /** The longest that a call waited in vain since the last sign of life. */
  readonly longest: () => number
}

export const make = (): Unanswered => {
  let count = 0
  let since = -Infinity
  let longest = 0
  return {
    began() {
      count++
    },
    ended() {
      count--
    },
    count: () => count,
    heard(now) {
      since = now
      longest = 0
    },
    gaveUp(waited, now) {
      longest = Math.max(longest, Math.min(waited, now - since))
    },
    longest: () => longest
  }
}
