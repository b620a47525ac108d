/**
 * How long a key takes to answer: an average that rises to its peak at once and falls slowly (peak-EWMA). Whatever was
 * long ago weighs less and less, so that a key that was slow once is tried again.
 */

/** An average; times are milliseconds. */
export interface Latency {
  average: number
  at: number
}

/** Nothing is known. */
export const make = (): Latency => ({ average: 0, at: 0 })

const decay = 10_000

/** What the average counts for now. */
export const read = ({ at, average }: Latency, now: number): number =>
  average * Math.exp(-Math.max(0, now - at) / decay)

/** An answer took so long. */
export const note = (latency: Latency, millis: number, now: number): void => {
  const share = Math.exp(-Math.max(0, now - latency.at) / decay)
  latency.average = millis > latency.average ? millis : latency.average * share + millis * (1 - share)
  latency.at = now
}
