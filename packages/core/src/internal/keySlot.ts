/**
 * One key of a pool: whether it may be used, and how it is doing. All of it is synchronous; `now` is the `Clock`'s
 * time in milliseconds.
 */
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import type * as Completion from "../Completion.js"
import * as LlmError from "../LlmError.js"
import type * as Monitor from "../Monitor.js"
import * as Circuit from "./circuit.js"
import * as Allowance from "./keyAllowance.js"
import * as Latency from "./keyLatency.js"
import * as Quota from "./keyQuota.js"
import * as Sends from "./keySends.js"

/** What is set of a key once it is in a pool. */
export interface Settings {
  readonly id: string
  readonly weight: number
  readonly cost: number
  readonly maxConcurrent: number
  readonly allowance: Allowance.Allowance
  /** What its circuit goes by, if it has one. */
  readonly circuit: Circuit.Settings | undefined
}

/** A key and what is known of it. */
export interface Slot extends Settings {
  key: Redacted.Redacted
  /** Which of the keys that stood here this is; what an earlier one did does not concern it. */
  generation: number
  /** The turn in which it was last chosen. */
  turn: number
  /** How far it is ahead of its weight, or behind. */
  credit: number
  isDisabled: boolean
  retired: boolean
  exhaustedUntil: number
  /** Until when the whole key cools. */
  coolingUntil: number
  /** Until when it cools for a model. */
  readonly cooling: Map<string, number>
  /** Until when others are preferred to it, and why. */
  rest: { readonly until: number; readonly reason: LlmError.Tag } | undefined
  state: Circuit.State | undefined
  readonly sends: Sends.Sends
  readonly latency: Latency.Latency
  inFlight: number
  requests: number
  successes: number
  failures: { [T in LlmError.Tag]?: number }
  inputTokens: number
  outputTokens: number
  microDollars: number
  /** Tokens that are taken to be used by what is under way. */
  reserved: number
  lastUsed: number | undefined
  /** What is left of its limits, as the backend last said. */
  remaining: Monitor.Key["remaining"]
}

export const make = (settings: Settings, key: Redacted.Redacted): Slot => ({
  ...settings,
  key,
  generation: 0,
  turn: 0,
  credit: 0,
  isDisabled: false,
  retired: false,
  exhaustedUntil: 0,
  coolingUntil: 0,
  cooling: new Map(),
  rest: undefined,
  state: settings.circuit && Circuit.initial(settings.circuit),
  sends: Sends.make(),
  latency: Latency.make(),
  inFlight: 0,
  requests: 0,
  successes: 0,
  failures: {},
  inputTokens: 0,
  outputTokens: 0,
  microDollars: 0,
  reserved: 0,
  lastUsed: undefined,
  remaining: undefined
})

// -----------------------------------------------------------------------------
// whether it may be used
// -----------------------------------------------------------------------------

/**
 * When the key may be used for a model, pace apart: a moment that may have passed, or never (`Infinity`).
 */
export const readyAt = (slot: Slot, model: string, now: number): number =>
  slot.retired || slot.isDisabled
    ? Infinity
    : Math.max(
      slot.exhaustedUntil,
      slot.coolingUntil,
      slot.cooling.size === 0 ? 0 : slot.cooling.get(model) ?? 0,
      slot.allowance.quota === undefined ? 0 : Quota.usedUpUntil(slot.allowance.quota, now),
      slot.state === undefined || slot.circuit === undefined || Circuit.admits(slot.state, now, slot.circuit)
        ? 0
        : Math.max(Circuit.readyAt(slot.state, now), now + 1)
    )

/** For how long others are preferred to it; zero when it is as good as any. */
export const restsFor = (slot: Slot, now: number): number =>
  slot.rest === undefined ? 0 : Math.max(0, slot.rest.until - now)

/** Whether waiting a little does not help. */
export const isSpent = (slot: Slot, now: number): boolean =>
  slot.retired || slot.isDisabled || exhaustedUntil(slot, now) > now

const exhaustedUntil = (slot: Slot, now: number): number =>
  Math.max(
    slot.exhaustedUntil,
    slot.allowance.quota === undefined ? 0 : Quota.usedUpUntil(slot.allowance.quota, now)
  )

// -----------------------------------------------------------------------------
// what is held against it
// -----------------------------------------------------------------------------

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
  slot.isDisabled = false
  slot.retired = false
  slot.exhaustedUntil = 0
  slot.coolingUntil = 0
  slot.cooling.clear()
  slot.rest = undefined
  slot.remaining = undefined
  Allowance.restore(slot.allowance)
  if (slot.state !== undefined && slot.circuit !== undefined) slot.state = Circuit.closed(slot.state, slot.circuit)
}

// -----------------------------------------------------------------------------
// how it is doing
// -----------------------------------------------------------------------------

export const succeeded = (slot: Slot, usage: Completion.Usage): void => {
  slot.successes++
  slot.inputTokens += usage.inputTokens ?? 0
  slot.outputTokens += usage.outputTokens ?? 0
}

export const failed = (slot: Slot, tag: LlmError.Tag): void => {
  slot.failures[tag] = (slot.failures[tag] ?? 0) + 1
}

/** It has cost so much more, or less, than was thought. */
export const spent = (slot: Slot, microDollars: number): void => {
  slot.microDollars += microDollars
  if (slot.allowance.quota !== undefined) slot.allowance.quota.spent += microDollars
}

/** How many tokens an answer of it has on average. */
export const usualOutput = ({ outputTokens, successes }: Slot): number => successes === 0 ? 0 : outputTokens / successes

export const toMonitor = (slot: Slot, queued: number, now: number): Monitor.Key => ({
  id: slot.id,
  ...toState(slot, now),
  inFlight: slot.inFlight,
  queued,
  requests: slot.requests,
  successes: slot.successes,
  failures: { ...slot.failures },
  inputTokens: slot.inputTokens,
  outputTokens: slot.outputTokens,
  microDollars: slot.microDollars,
  latencyMillis: Latency.read(slot.latency, now),
  ...(slot.lastUsed !== undefined && { lastUsed: slot.lastUsed }),
  ...(slot.remaining !== undefined && { remaining: slot.remaining }),
  ...Allowance.toMonitor(slot.allowance, now)
})

const toState = (slot: Slot, now: number): Pick<Monitor.Key, "state" | "until" | "reason"> => {
  if (slot.isDisabled) return { state: "disabled" }
  if (slot.retired) return { state: "retired", reason: "AuthenticationFailed" }
  const exhausted = exhaustedUntil(slot, now)
  if (exhausted > now) {
    return { state: "exhausted", ...(exhausted < Infinity && { until: exhausted }), reason: "QuotaExhausted" }
  }
  const until = Math.max(slot.coolingUntil, ...slot.cooling.values(), Allowance.refusedUntil(slot.allowance, now))
  if (until > now) return { state: "cooling", until, reason: "RateLimited" }
  if (slot.state?._tag === "Open" && slot.state.until > now) {
    const fault = Option.map(slot.state.fault, ({ error }) => error)
    return {
      state: "cooling",
      until: slot.state.until,
      ...(Option.isSome(fault) && isTag(fault.value) && { reason: fault.value })
    }
  }
  return slot.rest !== undefined && slot.rest.until > now ? { state: "cooling", ...slot.rest } : { state: "ready" }
}

const isTag = (name: string): name is LlmError.Tag => Object.hasOwn(LlmError.verdicts, name)
