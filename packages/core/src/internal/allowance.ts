/**
 * What may be done to a share of those who come, and not to more: what is done on a mere estimate, say, lest a wrong one
 * shut everybody out.
 */
export interface Allowance {
  /** Whether it may be done once more; so many have come by now. */
  readonly take: (came: number) => boolean
}

// how often it may be done in a row, to more than the share, after it has not been done for long
const most = 10

export const make = (share: number): Allowance => {
  let counted = 0
  let left = 0
  return {
    take(came) {
      left = Math.min(left + (came - counted) * share, most)
      counted = came
      if (left < 1) return false
      left--
      return true
    }
  }
}
