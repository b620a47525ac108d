/**
 * What is asked of a pool by one call: which key would do, and when.
 */
import type * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Tokens from "../Tokens.js"
import * as Allowance from "./keyAllowance.js"
import type * as KeyLease from "./keyLease.js"
import * as Slot from "./keySlot.js"

/** What is asked. */
export interface Asked {
  readonly model: string
  /** The model, or nothing where what one model shows is true of all. */
  readonly scope: string
  /** The only key that will do. */
  readonly id: string | undefined
  readonly isProbe: boolean
  readonly request: KeyLease.Wanted["request"]
  readonly clock: Clock.Clock
  readonly context: Context.Context<never>
  readonly since: number
  /** When its call came first, if it has been tried before. */
  readonly first: number | undefined
  /** Made when it is first needed. */
  estimate: Tokens.Estimate | undefined
}

/** Where those wait who ask for the same. */
export const line = ({ id, model }: Asked): string => `${model}\n${id ?? ""}`

/** How many tokens it would take of a key; none where that does not matter. */
export const tokens = (asked: Asked, slot: Slot.Slot): number => {
  const { request, scope } = asked
  if (request === undefined || !Allowance.countsTokens(slot.allowance, scope)) return 0
  const { input, output } = asked.estimate ??= Tokens.estimate(request)
  return input + (output ?? Slot.usualOutput(slot))
}

/** When a key may be used for it: a moment that may have passed, or never (`Infinity`). */
export const readyAt = (asked: Asked, slot: Slot.Slot, now: number): number => {
  const at = Slot.readyAt(slot, asked.model, now)
  return at === Infinity || !Allowance.isLimited(slot.allowance)
    ? at
    : Math.max(at, Allowance.readyAt(slot.allowance, asked.scope, tokens(asked, slot), now))
}

/** How long it is until then, in whole milliseconds; a wait that no clock can count must not become none at all. */
export const waitUntil = (at: number, now: number): number => Math.min(longestWait, Math.max(0, Math.ceil(at - now)))

export const longestWait = 31 * 24 * 60 * 60 * 1000
