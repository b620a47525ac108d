/**
 * The batches of one backend, counted: what the monitor shows of them.
 */
import type * as Monitor from "../Monitor.js"
import * as Sample from "./sample.js"

/** Counts. */
export interface Tally {
  /** Has a room's waiting requests among those that are read. */
  readonly watch: (waiting: () => number) => void
  readonly waited: (millis: number) => void
  readonly sent: (requests: number, items: number) => void
  readonly parted: () => void
  readonly read: () => Monitor.Batches
}

const sampleSize = 1024

export const make = (): Tally => {
  const rooms: Array<() => number> = []
  let sent = 0
  let requests = 0
  let items = 0
  let parted = 0
  const sizes = Sample.make(sampleSize)
  const waits = Sample.make(sampleSize)
  return {
    watch: (waiting) => void rooms.push(waiting),
    waited: waits.add,
    sent(some, of) {
      sent++
      requests += some
      items += of
      sizes.add(of)
    },
    parted: () => void parted++,
    read: () => ({
      waiting: rooms.reduce((sum, waiting) => sum + waiting(), 0),
      sent,
      requests,
      items,
      parted,
      size: sizes.percentiles(),
      waitMillis: waits.percentiles()
    })
  }
}
