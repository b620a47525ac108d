/**
 * A circuit: three states, each an immutable value with the data it needs, and the transitions between them, which
 * are functions without effects.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import type * as LlmError from "../LlmError.js"

// -----------------------------------------------------------------------------
// rules
// -----------------------------------------------------------------------------

/**
 * What the end of a call says of its backend.
 *
 * @since 0.1.0
 * @category models
 */
export type Outcome = "Success" | "Failure" | "Neutral"

/**
 * When to open: an immutable record of the outcomes while the circuit is closed.
 *
 * @since 0.1.0
 * @category models
 */
export interface Rule {
  /** How many failures count now. */
  readonly failures: number
  /** Whether that is enough to open. */
  readonly isTripped: boolean
  /** The record after one more outcome; the same one when that changes nothing. */
  readonly after: (outcome: "Success" | "Failure", now: number) => Rule
}

/**
 * Opens at so many failures in a row; one success forgets them.
 *
 * @since 0.1.0
 * @category constructors
 * @example
 * ```ts
 * import { CircuitBreaker } from "@spillway/core"
 * import * as assert from "node:assert"
 *
 * const rule = CircuitBreaker.consecutive(2)
 * assert.strictEqual(rule.after("Failure", 0).after("Success", 1).after("Failure", 2).isTripped, false)
 * assert.strictEqual(rule.after("Failure", 0).after("Failure", 1).isTripped, true)
 * ```
 */
export const consecutive = (threshold: number): Rule => {
  const none: Rule = {
    failures: 0,
    isTripped: false,
    after: (outcome) => outcome === "Success" ? none : some(1)
  }
  const some = (failures: number): Rule => ({
    failures,
    isTripped: failures >= threshold,
    after: (outcome) => outcome === "Success" ? none : some(failures + 1)
  })
  return none
}

// -----------------------------------------------------------------------------
// states
// -----------------------------------------------------------------------------

/**
 * Every call goes through.
 *
 * @since 0.1.0
 * @category models
 */
export interface Closed {
  readonly _tag: "Closed"
  /** Grows with every change of state, so that what began in an earlier one is told apart. */
  readonly generation: number
  readonly rule: Rule
}

/**
 * No call goes through.
 *
 * @since 0.1.0
 * @category models
 */
export interface Open {
  readonly _tag: "Open"
  readonly generation: number
  /** From when on a probe may go, in milliseconds on the `Clock`; `Infinity` when it was opened by hand. */
  readonly until: number
  /** The last failure; none when it was opened by hand. */
  readonly reason: Option.Option<LlmError.Tag>
}

/**
 * A few calls go through, to see whether the backend is back.
 *
 * @since 0.1.0
 * @category models
 */
export interface HalfOpen {
  readonly _tag: "HalfOpen"
  readonly generation: number
  /** Probes under way. */
  readonly probing: number
  /** Probes that succeeded. */
  readonly succeeded: number
  /** When one more probe may go even if those under way have not answered, in milliseconds on the `Clock`. */
  readonly until: number
}

/**
 * What a circuit can be.
 *
 * @since 0.1.0
 * @category models
 */
export type State = Closed | Open | HalfOpen

/**
 * What the transitions go by.
 *
 * @since 0.1.0
 * @category models
 */
export interface Settings {
  /** The rule, with nothing recorded. */
  readonly rule: Rule
  /** Milliseconds. */
  readonly openFor: number
  readonly probes: number
  readonly successes: number
}

/**
 * What a call that was let through carries, to be judged by.
 *
 * @since 0.1.0
 * @category models
 */
export interface Ticket {
  readonly generation: number
  /** A `call` went through a closed circuit, a `probe` takes part in finding out, an `answered` probe has its success. */
  readonly kind: "call" | "probe" | "answered"
}

/**
 * A closed circuit that has seen nothing.
 *
 * @since 0.1.0
 * @category transitions
 */
export const initial = (settings: Settings): State => ({ _tag: "Closed", generation: 0, rule: settings.rule })

/**
 * Whether a call may go now, and what the circuit is then. No ticket: it may not.
 *
 * @since 0.1.0
 * @category transitions
 */
export const admit = (state: State, now: number, settings: Settings): readonly [Option.Option<Ticket>, State] => {
  switch (state._tag) {
    case "Closed":
      return [Option.some({ generation: state.generation, kind: "call" }), state]
    case "Open":
      return now < state.until ? [Option.none(), state] : probe({
        _tag: "HalfOpen",
        generation: state.generation + 1,
        probing: 0,
        succeeded: 0,
        until: now + settings.openFor
      })
    case "HalfOpen":
      return state.probing < settings.probes &&
          state.probing + state.succeeded < Math.max(settings.probes, settings.successes)
        ? probe(state)
        : now < state.until
        ? [Option.none(), state]
        : probe({ ...state, until: now + settings.openFor })
  }
}

const probe = (state: HalfOpen): readonly [Option.Option<Ticket>, State] => [
  Option.some({ generation: state.generation, kind: "probe" }),
  { ...state, probing: state.probing + 1 }
]

/**
 * What the circuit is after a call's outcome. The outcome of a call that began in an earlier generation changes
 * nothing.
 *
 * @since 0.1.0
 * @category transitions
 */
export const settle = (
  state: State,
  ticket: Ticket,
  outcome: Outcome,
  now: number,
  settings: Settings,
  reason: Option.Option<LlmError.Tag> = Option.none()
): State => {
  if (ticket.generation !== state.generation) return state
  switch (state._tag) {
    case "Open":
      return state
    case "Closed": {
      if (outcome === "Neutral" || outcome === "Success" && ticket.kind === "answered") return state
      const rule = state.rule.after(outcome, now)
      return rule.isTripped
        ? opened(state, now + settings.openFor, reason)
        : rule === state.rule
        ? state
        : { ...state, rule }
    }
    case "HalfOpen": {
      if (outcome === "Failure") return opened(state, now + settings.openFor, reason)
      if (ticket.kind !== "probe") return state
      const succeeded = state.succeeded + (outcome === "Success" ? 1 : 0)
      return succeeded >= settings.successes
        ? closed(state, settings)
        : { ...state, probing: state.probing - 1, succeeded }
    }
  }
}

/**
 * A call has answered, and its answer goes on: a probe has its success now, and its ticket is good for what the answer
 * does in the rest of its time.
 *
 * @since 0.1.0
 * @category transitions
 */
export const answer = (state: State, ticket: Ticket, now: number, settings: Settings): readonly [Ticket, State] => {
  if (ticket.generation !== state.generation || ticket.kind !== "probe") return [ticket, state]
  const after = settle(state, ticket, "Success", now, settings)
  return [{ generation: after.generation, kind: "answered" }, after]
}

/**
 * The circuit opened, until a moment.
 *
 * @since 0.1.0
 * @category transitions
 */
export const opened = (state: State, until: number, reason: Option.Option<LlmError.Tag> = Option.none()): State => ({
  _tag: "Open",
  generation: state.generation + 1,
  until,
  reason
})

/**
 * The circuit closed, with nothing recorded.
 *
 * @since 0.1.0
 * @category transitions
 */
export const closed = (state: State, settings: Settings): State => ({
  _tag: "Closed",
  generation: state.generation + 1,
  rule: settings.rule
})
