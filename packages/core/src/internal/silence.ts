/**
 * How long a backend that answers nobody has let a call wait.
 */
export interface Silence {
  /** The backend gave a sign of life. */
  readonly broken: (now: number) => void
  /** A call had waited so long when it was given up. */
  readonly kept: (waited: number, now: number) => void
  /** The longest that a call waited in vain since the last sign of life. */
  readonly longest: () => number
}

export const make = (): Silence => {
  let since = -Infinity
  let longest = 0
  return {
    broken(now) {
      since = now
      longest = 0
    },
    kept(waited, now) {
      longest = Math.max(longest, Math.min(waited, now - since))
    },
    longest: () => longest
  }
}
