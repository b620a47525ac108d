/**
 * What is counted of a queue, for the monitor. Counting is synchronous and allocates nothing.
 */
import type * as Monitor from "../Monitor.js"
import * as Sample from "./sample.js"
import * as Throughput from "./throughput.js"

/** Counts; times are the `Clock`'s, in milliseconds. */
export interface QueueCounts {
  /** One was let through, so long after it came. */
  readonly admitted: (waited: number) => void
  /** One that was let through has ended. */
  readonly ended: (now: number) => void
  /** One was sent away when it came. */
  readonly refused: (reason: Monitor.QueueRefusal) => void
  /** One that waited does no more: its caller went away, or it was sent away. */
  readonly abandoned: (reason?: Monitor.QueueRefusal) => void
  readonly read: (now: number) => Pick<Monitor.Queue, Counted>
}
type Counted = "admitted" | "rejected" | "abandoned" | "refusals" | "waitMillis" | "perSecond"

const lastWaits = 1024

export const make = (since: number): QueueCounts => {
  let admitted = 0
  let rejected = 0
  let abandoned = 0
  const refusals: { [R in Monitor.QueueRefusal]?: number } = {}
  const waits = Sample.make(lastWaits)
  const throughput = Throughput.make()
  const count = (reason: Monitor.QueueRefusal) => {
    refusals[reason] = (refusals[reason] ?? 0) + 1
  }
  return {
    admitted(waited) {
      admitted++
      waits.add(waited)
    },
    ended: throughput.add,
    refused(reason) {
      rejected++
      count(reason)
    },
    abandoned(reason) {
      abandoned++
      if (reason !== undefined) count(reason)
    },
    read: (now) => ({
      admitted,
      rejected,
      abandoned,
      refusals: { ...refusals },
      waitMillis: waits.percentiles(),
      perSecond: throughput.read(now, since)
    })
  }
}
