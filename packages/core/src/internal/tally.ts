/**
 * The calls of one backend, counted: what the monitor shows of them. Counting is synchronous and keeps no more than
 * the last 1,024 durations.
 */
import type * as LlmError from "../LlmError.js"
import type * as Monitor from "../Monitor.js"
import * as Sample from "./sample.js"
import * as Throughput from "./throughput.js"

/** How a call ended: well, with an error, given up by its caller, or by a bug. */
export type Outcome = "success" | "interrupted" | "died" | LlmError.Tag

/** Counts; times are the `Clock`'s, in milliseconds. */
export interface Tally {
  readonly started: (now: number) => void
  readonly answered: (millis: number) => void
  readonly ended: (now: number, millis: number, outcome: Outcome) => void
  readonly used: (inputTokens: number, outputTokens: number) => void
  readonly retried: (reason: LlmError.Tag) => void
  /** A call or an attempt failed with an error. */
  readonly fault: (failure: Monitor.CallFailure) => void
  readonly read: (now: number) => Monitor.Calls
}

type Counts = { [T in LlmError.Tag]?: number }

export const make = (): Tally => {
  let started = 0
  let firstStart = 0
  let succeeded = 0
  let interrupted = 0
  let died = 0
  let inputTokens = 0
  let outputTokens = 0
  const failed: Counts = {}
  const retries: Counts = {}
  const latencies = Sample.make(sampleSize)
  const firstParts = Sample.make(sampleSize)
  const throughput = Throughput.make()
  const lastFailures: Array<Monitor.CallFailure> = []
  return {
    started(now) {
      if (started++ === 0) firstStart = now
    },
    answered: firstParts.add,
    ended(now, millis, outcome) {
      throughput.add(now)
      if (outcome === "success") {
        succeeded++
        latencies.add(millis)
      } else if (outcome === "interrupted") interrupted++
      else if (outcome === "died") died++
      else failed[outcome] = (failed[outcome] ?? 0) + 1
    },
    used(input, output) {
      inputTokens += input
      outputTokens += output
    },
    retried(reason) {
      retries[reason] = (retries[reason] ?? 0) + 1
    },
    fault(failure) {
      lastFailures.push(failure)
      if (lastFailures.length > mostFailures) lastFailures.shift()
    },
    read: (now) => ({
      started,
      succeeded,
      failed: { ...failed },
      interrupted,
      died,
      retries: { ...retries },
      inputTokens,
      outputTokens,
      perSecond: started === 0 ? 0 : throughput.read(now, firstStart),
      latencyMillis: latencies.percentiles(),
      firstPartMillis: firstParts.percentiles(),
      lastFailures: [...lastFailures]
    })
  }
}

const sampleSize = 1024
const mostFailures = 50
