/**
 * When a key was last used: the times of the latest requests that were not refused. What they say of the backend's limit
 * is meant for a limit that is a bucket: so much per time, and so much at once.
 */

/** The latest times, in milliseconds on the clock, in the order in which the requests were sent. */
export interface Sends {
  readonly times: Float64Array
  /** How many there ever were. */
  count: number
}

/** None yet. */
export const make = (): Sends => ({ times: new Float64Array(256).fill(-Infinity), count: 0 })

/** The same ones, to go on apart. */
export const copy = ({ count, times }: Sends): Sends => ({ times: times.slice(), count })

export const note = (sends: Sends, time: number): void => {
  sends.times[sends.count++ % sends.times.length] = time
}

/** One that was sent at a time was refused. */
export const forget = (sends: Sends, time: number): void => {
  const { times } = sends
  for (let nth = 1; nth <= known(sends) && last(sends, nth) >= time; nth++) {
    if (last(sends, nth) !== time) continue
    for (let later = nth; later > 1; later--) {
      times[(sends.count - later) % times.length] = last(sends, later - 1)
    }
    times[--sends.count % times.length] = -Infinity
    return
  }
}

/** How many were sent after one time until another, that included. */
export const between = (sends: Sends, after: number, until: number): number => {
  let n = 0
  for (let nth = 1; nth <= known(sends) && last(sends, nth) > after; nth++) {
    if (last(sends, nth) <= until) n++
  }
  return n
}

/** How much the limit allows at once, if this is its rate, as what was sent until then has been let through. */
export const burst = (sends: Sends, rate: number, until: number): number => {
  let most = 1
  let n = 0
  for (let nth = 1; nth <= known(sends); nth++) {
    const time = last(sends, nth)
    if (time <= until) most = Math.max(most, ++n - rate * (until - time))
  }
  return most
}

/**
 * The rate that the limit allows, if it allows so much at once, as what was sent in between has been let through and then
 * one more has not.
 */
export const rate = (sends: Sends, burst: number, from: number, until: number): number => {
  let most = 0
  const n = known(sends)
  for (let to = 1; to <= n && last(sends, to) >= from; to++) {
    const end = last(sends, to)
    if (end > until) continue
    for (let nth = to; nth <= n && last(sends, nth) >= from; nth++) {
      const begin = last(sends, nth)
      const count = nth - to + 1 - burst
      if (begin < end) most = Math.max(most, count / (end - begin))
      // between so many and one more
      if (begin < until) most = Math.max(most, (count + 0.5) / (until - begin))
    }
  }
  return most
}

const known = ({ count, times }: Sends): number => Math.min(count, times.length)

const last = ({ count, times }: Sends, nth: number): number => times[(count - nth) % times.length]!
