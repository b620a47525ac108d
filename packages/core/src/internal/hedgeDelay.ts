/**
 * How long an attempt may take before another is begun beside it: always the same time, or what is learned from those
 * that have answered.
 */
import type * as Policy from "../Policy.js"
import * as Sample from "./sample.js"

/** Times are in milliseconds. */
export interface Delays {
  /** `Infinity` as long as it is not known. */
  readonly of: (call: Policy.Call) => number
  /** An answer came so long after the first attempt had begun. */
  readonly answered: (call: Policy.Call, millis: number) => void
}

export const fixed = (millis: number): Delays => ({ of: () => millis, answered: () => {} })

/** How many of the last answers are looked at. */
export const sampleSize = 500

// a quantile is sorted for: it is looked up anew after so many answers
const freshFor = 16

// of how many models there is a sample; a name is a caller's claim until the backend has answered to it
const most = 100

interface Known {
  readonly sample: Sample.Sample
  delay: number
  /** When it is looked up anew, in answers. */
  next: number
}

/**
 * As long as so much (`quantile`) of the last answers took, but no less than `least`; of each operation and model by
 * itself, and from `minSamples` answers on.
 */
export const learned = (quantile: number, minSamples: number, least: number): Delays => {
  const known = new Map<string, Known>()
  const nameOf = ({ model, operation }: Policy.Call) => `${operation} ${model}`
  return {
    of: (call) => known.get(nameOf(call))?.delay ?? Infinity,
    answered(call, millis) {
      const name = nameOf(call)
      let one = known.get(name)
      if (one === undefined) {
        if (known.size >= most) return
        known.set(name, one = { sample: Sample.make(sampleSize), delay: Infinity, next: minSamples })
      }
      one.sample.add(millis)
      if (one.sample.added() < one.next) return
      one.next = one.sample.added() + freshFor
      one.delay = Math.max(one.sample.quantile(quantile), least)
    }
  }
}
