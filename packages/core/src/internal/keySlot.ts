/**
 * One key of a pool: whether it may be used, and how it is doing. All of it is synchronous; `now` is the `Clock`'s
 * time in milliseconds.
 */
import type * as Redacted from "effect/Redacted"
import type * as Completion from "../Completion.js"
import type * as LlmError from "../LlmError.js"
import type * as Monitor from "../Monitor.js"

/** A key and what is known of it. */
export interface Slot {
  readonly id: string
  key: Redacted.Redacted
  /** Which of the keys that stood here this is; what an earlier one did does not concern it. */
  generation: number
  /** The turn in which it was last chosen. */
  turn: number
  retired: boolean
  exhaustedUntil: number
  /** Until when the whole key cools. */
  coolingUntil: number
  /** Until when it cools for a model. */
  readonly cooling: Map<string, number>
  /** Until when others are preferred to it, and why. */
  rest: { readonly until: number; readonly reason: LlmError.Tag } | undefined
  inFlight: number
  requests: number
  successes: number
  failures: { [T in LlmError.Tag]?: number }
  inputTokens: number
  outputTokens: number
  lastUsed: number | undefined
  /** What is left of its limits, as the backend last said. */
  remaining: Monitor.Key["remaining"]
}

export const make = (id: string, key: Redacted.Redacted): Slot => ({
  id,
  key,
  generation: 0,
  turn: 0,
  retired: false,
  exhaustedUntil: 0,
  coolingUntil: 0,
  cooling: new Map(),
  rest: undefined,
  inFlight: 0,
  requests: 0,
  successes: 0,
  failures: {},
  inputTokens: 0,
  outputTokens: 0,
  lastUsed: undefined,
  remaining: undefined
})

/** When the key may be used for a model: a moment that may have passed, or never (`Infinity`). */
export const readyAt = (slot: Slot, model: string): number =>
  slot.retired
    ? Infinity
    : Math.max(slot.exhaustedUntil, slot.coolingUntil, slot.cooling.size === 0 ? 0 : slot.cooling.get(model) ?? 0)

/** For how long others are preferred to it; zero when it is as good as any. */
export const restsFor = (slot: Slot, now: number): number =>
  slot.rest === undefined ? 0 : Math.max(0, slot.rest.until - now)

/** Whether waiting a little does not help. */
export const isSpent = (slot: Slot, now: number): boolean => slot.retired || slot.exhaustedUntil > now

/** Leaves the key alone, for one model or for all. A shorter wait never shortens a longer one. */
export const cool = (slot: Slot, model: string | undefined, until: number, now: number): void => {
  if (model === undefined) {
    slot.coolingUntil = Math.max(slot.coolingUntil, until)
    return
  }
  for (const [other, end] of slot.cooling) {
    if (end <= now) slot.cooling.delete(other)
  }
  slot.cooling.set(model, Math.max(slot.cooling.get(model) ?? 0, until))
  // while two models cool, it is the key that was meant
  const second = [...slot.cooling.values()].sort((a, b) => b - a)[1]
  if (second !== undefined) slot.coolingUntil = Math.max(slot.coolingUntil, second)
}

/** Prefers others to the key, for a while. */
export const rest = (slot: Slot, reason: LlmError.Tag, until: number): void => {
  if (slot.rest === undefined || slot.rest.until <= until) slot.rest = { until, reason }
}

export const exhaust = (slot: Slot, until: number): void => {
  slot.exhaustedUntil = Math.max(slot.exhaustedUntil, until)
}

/** Takes the key back into use, whatever was held against it. */
export const restore = (slot: Slot, key = slot.key): void => {
  slot.key = key
  slot.generation++
  slot.retired = false
  slot.exhaustedUntil = 0
  slot.coolingUntil = 0
  slot.cooling.clear()
  slot.rest = undefined
  slot.remaining = undefined
}

export const succeeded = (slot: Slot, usage: Completion.Usage): void => {
  slot.successes++
  slot.inputTokens += usage.inputTokens ?? 0
  slot.outputTokens += usage.outputTokens ?? 0
}

export const failed = (slot: Slot, tag: LlmError.Tag): void => {
  slot.failures[tag] = (slot.failures[tag] ?? 0) + 1
}

export const toMonitor = (slot: Slot, now: number): Monitor.Key => ({
  id: slot.id,
  ...toState(slot, now),
  inFlight: slot.inFlight,
  requests: slot.requests,
  successes: slot.successes,
  failures: { ...slot.failures },
  inputTokens: slot.inputTokens,
  outputTokens: slot.outputTokens,
  ...(slot.lastUsed !== undefined && { lastUsed: slot.lastUsed }),
  ...(slot.remaining !== undefined && { remaining: slot.remaining })
})

const toState = (slot: Slot, now: number): Pick<Monitor.Key, "state" | "until" | "reason"> => {
  if (slot.retired) return { state: "retired", reason: "AuthenticationFailed" }
  if (slot.exhaustedUntil > now) {
    return { state: "exhausted", until: slot.exhaustedUntil, reason: "QuotaExhausted" }
  }
  const until = Math.max(slot.coolingUntil, ...slot.cooling.values())
  if (until > now) return { state: "cooling", until, reason: "RateLimited" }
  return slot.rest !== undefined && slot.rest.until > now ? { state: "cooling", ...slot.rest } : { state: "ready" }
}
