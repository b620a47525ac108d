/**
 * What a circuit can be: immutable values of plain data, and what the transitions between them go by.
 */
import type * as Option from "effect/Option"
import type * as Rule from "./circuitRule.js"

// -----------------------------------------------------------------------------
// states
// -----------------------------------------------------------------------------

/**
 * What every state knows.
 *
 * @since 0.1.0
 * @category models
 */
export interface Known {
  /** Grows with every change of state, so that what began in an earlier one is told apart. */
  readonly generation: number
  /** How long the latest answers took on average, in milliseconds; 0 until one took longer than half the patience. */
  readonly usual: number
  /** The last failure. */
  readonly fault: Option.Option<Fault>
}

/**
 * A failure, to say why.
 *
 * @since 0.1.0
 * @category models
 */
export interface Fault {
  /** The error's tag, or `Interrupted` where a caller gave up. */
  readonly error: string
  /** Short, on one line; holds no key and no prompt. */
  readonly message: string
}

/**
 * Every call goes through.
 *
 * @since 0.1.0
 * @category models
 */
export interface Closed extends Known {
  readonly _tag: "Closed"
  readonly memory: Rule.Memory
}

/**
 * No call goes through.
 *
 * @since 0.1.0
 * @category models
 */
export interface Open extends Known {
  readonly _tag: "Open"
  /** From when on a probe may go, in milliseconds on the `Clock`; `Infinity` when it is to be closed by hand. */
  readonly until: number
  /** What opened it: failures, slow answers, or somebody. */
  readonly why: "failures" | "slowness" | "hand"
  /** How often it has opened again since it was last closed. */
  readonly reopened: number
}

/**
 * A few calls go through, to see whether the backend is back.
 *
 * @since 0.1.0
 * @category models
 */
export interface HalfOpen extends Known {
  readonly _tag: "HalfOpen"
  /** Probes under way. */
  readonly probing: number
  /** Probes that succeeded. */
  readonly succeeded: number
  /** Probes that failed. */
  readonly failed: number
  /** When one more probe may go even if those under way have not answered, in milliseconds on the `Clock`. */
  readonly until: number
  /** What had opened it. */
  readonly why: Open["why"]
  /** How often it has opened again since it was last closed. */
  readonly reopened: number
}

/**
 * No call goes through for as long as somebody holds it so.
 *
 * @since 0.1.0
 * @category models
 */
export interface Isolated extends Known {
  readonly _tag: "Isolated"
  /** How many hold it. */
  readonly holders: number
}

/**
 * Every call goes through, and nothing is remembered of any.
 *
 * @since 0.1.0
 * @category models
 */
export interface Disabled extends Known {
  readonly _tag: "Disabled"
}

/**
 * What a circuit can be.
 *
 * @since 0.1.0
 * @category models
 */
export type State = Closed | Open | HalfOpen | Isolated | Disabled

// -----------------------------------------------------------------------------
// settings
// -----------------------------------------------------------------------------

/** What the transitions go by; times are milliseconds. */
export interface Settings {
  readonly rule: Rule.Rule
  readonly openFor: number
  /** How much longer it is open each time that it opens again. */
  readonly growth: number
  readonly maxOpenFor: number
  /** By what share of it the open time is longer or shorter, at random. */
  readonly jitter: number
  /** What chance begins with. */
  readonly seed: number
  /** Most probes under way at once. */
  readonly probes: number
  /** Probes that must succeed to close it. */
  readonly successes: number
  /** Probes that may fail without opening it again. */
  readonly failedProbes: number
  /** How long a probe is waited for before one more goes. */
  readonly probeWait: number
  /** How long a call must have waited that its caller gave up, to be a failure. */
  readonly patience: number
}

/** Opens at five failures in a row, for 30 seconds; then one probe decides. */
export const defaults: Settings = {
  rule: { failures: 5 },
  openFor: 30_000,
  growth: 1,
  maxOpenFor: 300_000,
  jitter: 0,
  seed: 0,
  probes: 1,
  successes: 1,
  failedProbes: 0,
  probeWait: 30_000,
  patience: 1000
}

// -----------------------------------------------------------------------------
// calls
// -----------------------------------------------------------------------------

/**
 * What a call that was let through carries, to be judged by.
 */
export interface Ticket {
  readonly generation: number
  /** A `call` went through a closed circuit, a `probe` takes part in finding out, an `answered` probe has its success. */
  readonly kind: "call" | "probe" | "answered"
}

/**
 * What the end of a call says of its backend.
 *
 * | | |
 * |---|---|
 * | `Success` | it gave an answer |
 * | `Refusal` | it gave an answer that is an error, but not by a fault of its own: it is there, which counts as a success |
 * | `Failure` | it failed |
 * | `GivenUp` | it had not answered when the caller went away: a failure if he has been patient, else nothing |
 * | `Neutral` | nothing |
 *
 * @since 0.1.0
 * @category models
 */
export type Outcome = "Success" | "Refusal" | "Failure" | "GivenUp" | "Neutral"
