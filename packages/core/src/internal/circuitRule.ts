/**
 * When a closed circuit opens: what is remembered of the calls that went through it, and when that is enough.
 */
import * as Window from "./circuitWindow.js"

/**
 * What is enough to open: so many failures in a row, or a rate of the latest calls, whichever comes first.
 */
export interface Rule {
  /** Failures in a row, at least; `Infinity` where only the rate decides. */
  readonly failures: number
  readonly rate?: Rate
}

/** A rate is judged by ≥, and unknown below `minimumCalls`. */
export interface Rate {
  readonly over: Window.Span
  readonly minimumCalls: number
  /** Shares of the calls, above 0 to 1. */
  readonly failureRate: number
  readonly slowRate: number
  /** From how many milliseconds on an answer is slow; `Infinity` where none is. */
  readonly slowAfter: number
}

/**
 * What is remembered of the calls through a closed circuit.
 *
 * @since 0.1.0
 * @category models
 */
export interface Memory {
  /** Failures since the last call that was none. */
  readonly row: number
  /** The latest calls, where a rate decides. */
  readonly window?: Window.Window
}

/** Nothing is remembered. */
export const empty = ({ rate }: Rule): Memory =>
  rate === undefined ? nothing : { row: 0, window: Window.empty(rate.over) }

const nothing: Memory = { row: 0 }

/** Whether an answer that took so long is slow. */
export const isSlow = (rule: Rule, millis: number): boolean => rule.rate !== undefined && millis >= rule.rate.slowAfter

/** What is remembered after one more call; the same one when there is nothing new to remember. */
export const after = (memory: Memory, ended: Window.Ended, now: number): Memory => {
  const row = ended.isFailure ? memory.row + 1 : 0
  return memory.window !== undefined
    ? { row, window: Window.add(memory.window, ended, now) }
    : row === memory.row
    ? memory
    : { row }
}

/**
 * Why it is enough to open; `undefined` when it is not. Of calls that began together the failures come back first: a
 * row must be half as long as there were calls `waiting` for an answer, to say something of them all.
 */
export const reached = (
  memory: Memory,
  rule: Rule,
  now: number,
  waiting: number
): "failures" | "slowness" | undefined => {
  if (memory.row >= Math.max(rule.failures, waiting / 2)) return "failures"
  if (rule.rate === undefined) return undefined
  const { failureRate, slowRate } = rates(memory, rule, now)
  return failureRate !== undefined && failureRate >= rule.rate.failureRate
    ? "failures"
    : slowRate !== undefined && slowRate >= rule.rate.slowRate
    ? "slowness"
    : undefined
}

/** What a rate is judged by: the calls in its window, and their shares where there are enough of them. */
export interface Rates extends Window.Counts {
  readonly failureRate?: number
  readonly slowRate?: number
}

/** What is remembered of the latest calls; nothing where no rate decides. */
export const rates = ({ window }: Memory, { rate }: Rule, now: number): Rates => {
  if (window === undefined || rate === undefined) return { calls: 0, failures: 0, slow: 0 }
  const { calls, failures, slow } = Window.counts(window, now)
  return {
    calls,
    failures,
    slow,
    ...(calls >= rate.minimumCalls && { failureRate: failures / calls }),
    ...(calls >= rate.minimumCalls && rate.slowAfter < Infinity && { slowRate: slow / calls })
  }
}

/** What was remembered at another time, as far as this rule would have; never of calls that are still to come. */
export const resumed = ({ row, window }: Memory, { rate }: Rule, now: number): Memory => {
  if (rate === undefined) return { row }
  const fresh = Window.empty(rate.over)
  return window?._tag === "Count" && fresh._tag === "Count" && window.marks.length === fresh.marks.length
    ? { row, window }
    : window?._tag === "Time" && fresh._tag === "Time" && window.width === fresh.width
    ? { row, window: { ...window, buckets: window.buckets.filter(({ slot }) => slot <= Window.slotOf(window, now)) } }
    : { row, window: fresh }
}
