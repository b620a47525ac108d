/**
 * What is going on now, for people and dashboards: one typed snapshot of every queue, circuit, key pool and count of
 * calls in the program.
 *
 * Nothing is pushed. Whoever has state registers a way to read it, and it is read when somebody asks: watching costs
 * a call nothing, and what is shown is exact at that moment. No key and no prompt is in any of it.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { listed } from "./internal/listed.js"
import type * as LlmError from "./LlmError.js"

/**
 * Every mode of a queue, for those who go through them all.
 *
 * @since 0.1.0
 * @category constants
 */
export const queueModes = ["open", "paused", "draining", "shut"] as const

/**
 * A queue, now.
 *
 * @since 0.1.0
 * @category models
 */
export interface Queue {
  /** Whether it lets calls through (`paused`: nobody, for now), and takes newcomers (`draining`, `shut`: none). */
  readonly mode?: typeof queueModes[number]
  /** Most calls that may wait. */
  readonly capacity: number
  /** Most calls under way at once. */
  readonly concurrency: number
  /** Calls that wait. */
  readonly waiting: number
  /** Calls under way. */
  readonly inFlight: number
  /** How long the oldest waiting call has waited, in milliseconds; 0 when none waits. */
  readonly oldestWaitMillis: number
  /** Calls that were ever admitted, refused when they came, and given up or sent away while they waited. */
  readonly admitted: number
  readonly rejected: number
  readonly abandoned: number
  /** Why calls were refused or sent away; those whose callers went away are not among them. */
  readonly refusals?: { readonly [R in QueueRefusal]?: number }
  /** How long the last calls that were admitted (at most 1,024 of them) had waited, in milliseconds; 0 without a wait. */
  readonly waitMillis?: Percentiles
  /** Calls that ended within the last minute, per second. */
  readonly perSecond?: number
}

/**
 * Why a queue refuses a call, or sends one away that waits:
 *
 * - `full`, `tenant-full`: as many wait as may, in all or of one tenant;
 * - `displaced`: as many wait as may, and a more urgent one came;
 * - `late`: it would not be let in before its deadline, as fast as calls have lately been ending;
 * - `expired`: its deadline has passed;
 * - `waited-too-long`: it has waited the queue's longest wait;
 * - `draining`, `shut`: the queue takes no more calls.
 *
 * @since 0.1.0
 * @category models
 */
export type QueueRefusal =
  | "full"
  | "tenant-full"
  | "displaced"
  | "late"
  | "expired"
  | "waited-too-long"
  | "draining"
  | "shut"

/**
 * Every state of a circuit, for those who go through them all.
 *
 * @since 0.1.0
 * @category constants
 */
export const circuitStates = ["closed", "open", "half-open", "isolated", "disabled"] as const

/**
 * A circuit, now.
 *
 * @since 0.1.0
 * @category models
 */
export interface Circuit {
  /** `isolated`: held open by hand; `disabled`: out of use, everything goes through. */
  readonly state: typeof circuitStates[number]
  /** Failures in a row while closed. */
  readonly failures: number
  /** When an open circuit lets a probe through, in milliseconds since 1970; absent where somebody has to close it. */
  readonly openUntil?: number
  /** How often it has opened. */
  readonly opened: number
  /** The latest calls while closed, where their rates decide. */
  readonly window?: CircuitWindow
  /** The probes of a half-open circuit. */
  readonly probes?: { readonly underWay: number; readonly succeeded: number; readonly failed: number }
  /** Calls that it has refused. */
  readonly refused?: number
  /** The last error, of those that are the backend's fault. */
  readonly lastFault?: string
  /** How often it has become something else, in all and from what to what. */
  readonly transitions?: number
  readonly changes?: ReadonlyArray<CircuitChange>
  /** The last 50 of those times, the oldest first. */
  readonly timeline?: ReadonlyArray<CircuitTransition>
}

/**
 * What a circuit's rates are made of. A rate (from 0 to 1) is unknown, and absent, as long as there are too few calls.
 *
 * @since 0.1.0
 * @category models
 */
export interface CircuitWindow {
  readonly calls: number
  readonly failures: number
  readonly slow: number
  readonly failureRate?: number
  readonly slowRate?: number
}

/**
 * How often a circuit became something else.
 *
 * @since 0.1.0
 * @category models
 */
export interface CircuitChange extends Pick<CircuitTransition, "from" | "to"> {
  readonly times: number
}

/**
 * A circuit becomes something else.
 *
 * @since 0.1.0
 * @category models
 */
export interface CircuitTransition {
  /** When, in milliseconds since 1970. */
  readonly at: number
  readonly from: Circuit["state"]
  readonly to: Circuit["state"]
  /**
   * Why: there were `failures`, or slow answers (`slowness`); the open time was over (`time`); enough `probes` succeeded;
   * somebody said so (`hand`); it went on as it had been saved (`snapshot`).
   */
  readonly reason: "failures" | "slowness" | "time" | "probes" | "hand" | "snapshot"
  /** The last error, where it opened for failures. */
  readonly fault?: string
}

/**
 * What the calls of a backend may still try again, now.
 *
 * @since 0.1.0
 * @category models
 */
export interface RetryBudget {
  /** Attempts beyond a call's first that may be made now, with the fraction that is saved up for the next. */
  readonly balance: number
  /** Most that can be saved. */
  readonly reserve: number
  /** How many were not made for want of it. */
  readonly refused: number
}

/**
 * The rate that a backend has been found to take, now.
 *
 * @since 0.1.0
 * @category models
 */
export interface AdaptiveRate {
  /** Attempts per second that are let through; absent while all of them are. */
  readonly perSecond?: number
  /** Attempts that wait for their time. */
  readonly waiting: number
  /** Refusals that it has learned from. */
  readonly refusals: number
}

/**
 * Every state of a key, for those who go through them all.
 *
 * @since 0.1.0
 * @category constants
 */
export const keyStates = ["ready", "cooling", "exhausted", "retired", "disabled"] as const

/**
 * A key, now. `id` is its name or fingerprint; the key itself is nowhere.
 *
 * @since 0.1.0
 * @category models
 */
export interface Key {
  readonly id: string
  /** `retired`: not accepted; `disabled`: out of use by hand. */
  readonly state: typeof keyStates[number]
  /** Until when it cools or is out of quota, in milliseconds since 1970; absent where somebody has to take it back. */
  readonly until?: number
  /** The error that brought it there. */
  readonly reason?: LlmError.Tag
  readonly inFlight: number
  /** Calls that wait in the pool for a key, this one among those that would do. */
  readonly queued?: number
  readonly requests: number
  readonly successes: number
  readonly failures: { readonly [T in LlmError.Tag]?: number }
  readonly inputTokens: number
  readonly outputTokens: number
  /** What it has cost, as far as that is known, in millionths of a dollar. */
  readonly microDollars?: number
  /** How long it has lately taken to answer, on average, in milliseconds; the longer ago, the less. */
  readonly latencyMillis?: number
  /** When it was last leased, in milliseconds since 1970. */
  readonly lastUsed?: number
  /** What the backend's own headers last said is left of the key's limits. */
  readonly remaining?: { readonly requests?: number; readonly tokens?: number }
  /** Every limit that is known of it. */
  readonly limits?: ReadonlyArray<KeyLimit>
  /** How much is left of the one of them that is the nearest, from 0 to 1. */
  readonly headroom?: number
}

/**
 * A limit of a key, now.
 *
 * @since 0.1.0
 * @category models
 */
export interface KeyLimit {
  /** The model that it is a limit of; absent where it is one of the whole key. */
  readonly model?: string
  readonly of: "requests" | "tokens"
  /** Who said so: the options, the backend's headers, or its refusals. */
  readonly source: "config" | "headers" | "learned"
  readonly perMinute: number
  /** Most at once. */
  readonly atOnce: number
  /** What of that may go now. */
  readonly remaining: number
}

/**
 * The calls of a backend, counted since the program began.
 *
 * @since 0.1.0
 * @category models
 */
export interface Calls {
  readonly started: number
  readonly succeeded: number
  readonly failed: { readonly [T in LlmError.Tag]?: number }
  /** Given up by their callers: interrupted, or a stream that was left before its end. */
  readonly interrupted: number
  /** Ended by a bug rather than an error. */
  readonly died: number
  /** Attempts after the first, by the error of the attempt before. */
  readonly retries: { readonly [T in LlmError.Tag]?: number }
  readonly inputTokens: number
  readonly outputTokens: number
  /** Calls that ended within the last minute, per second. */
  readonly perSecond: number
  /** Duration of the last calls that succeeded (at most 1,024 of them), in milliseconds. */
  readonly latencyMillis: Percentiles
  /** Time to the first part of the last streams (at most 1,024 of them), in milliseconds. */
  readonly firstPartMillis: Percentiles
  /** The last 50 errors, of calls and of attempts, the oldest first. */
  readonly lastFailures?: ReadonlyArray<CallFailure>
}

/**
 * A call, or an attempt of one, failed.
 *
 * @since 0.1.0
 * @category models
 */
export interface CallFailure {
  /** When, in milliseconds since 1970. */
  readonly at: number
  readonly operation: string
  /** The model asked for, its first 100 characters; empty where the operation has none. */
  readonly model: string
  readonly error: LlmError.Tag
  /** What may help against it. */
  readonly verdict: LlmError.Retriability
  /** Which attempt it was; absent where the call failed as a whole, and its caller was told. */
  readonly attempt?: number
}

/**
 * The batches in which a backend was asked for what several callers wanted, counted since the program began.
 *
 * @since 0.1.0
 * @category models
 */
export interface Batches {
  /** Requests that wait for others. */
  readonly waiting: number
  /** Batches that were sent, the requests in them, and the items (texts, documents, rows) in those. */
  readonly sent: number
  readonly requests: number
  readonly items: number
  /** Batches that were sent again in halves, to find out which request was at fault. */
  readonly parted: number
  /** Items of the last batches (at most 1,024 of them). */
  readonly size: Percentiles
  /** How long the last requests (at most 1,024 of them) waited for others, in milliseconds. */
  readonly waitMillis: Percentiles
}

/**
 * Attempts made beside another that was slow to answer, counted since the program began.
 *
 * @since 0.1.0
 * @category models
 */
export interface Hedges {
  /** Attempts that were begun beside another. */
  readonly begun: number
  /** Those that answered first, and those that did not. */
  readonly won: number
  readonly lost: number
  /** Those that were not begun, as the retry budget did not allow it. */
  readonly refused: number
}

/**
 * Calls that several callers shared, counted since the program began.
 *
 * @since 0.1.0
 * @category models
 */
export interface Coalesced {
  /** Calls that were made. */
  readonly made: number
  /** Callers who joined one that was under way. */
  readonly joined: number
}

/**
 * What is kept of answers, and how often it was wanted, counted since the program began.
 *
 * @since 0.1.0
 * @category models
 */
export interface Cache {
  /** Calls that were answered from it. */
  readonly hits: number
  /** Calls that might have been, and were made. */
  readonly misses: number
  /** Answers that are kept now, and about how many bytes of memory they take. */
  readonly entries: number
  readonly bytes: number
  /** Answers that made room for others before their time was over. */
  readonly evicted: number
}

/**
 * Percentiles of a sample; all zero when there is none.
 *
 * @since 0.1.0
 * @category models
 */
export interface Percentiles {
  readonly p50: number
  readonly p95: number
  readonly p99: number
}

/**
 * What a backend's calls have cost, counted since the program began, in micro-dollars. Of models and tenants the first
 * hundred have a count of their own, all others together are `other`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Spend {
  readonly microDollars: number
  readonly byModel: { readonly [model: string]: number }
  /** The empty name is nobody in particular. */
  readonly byTenant: { readonly [tenant: string]: number }
  /** Answers whose cost is not known: they have no price, or tell no count, or one that cannot be. */
  readonly unknown: number
}

/**
 * What one backend has going on. What it has not (a backend without a queue) is absent.
 *
 * @since 0.1.0
 * @category models
 */
export interface Backend {
  readonly backend: string
  readonly queue?: Queue
  readonly circuit?: Circuit
  readonly retryBudget?: RetryBudget
  readonly adaptiveRate?: AdaptiveRate
  readonly keys?: ReadonlyArray<Key>
  readonly calls?: Calls
  readonly spend?: Spend
  readonly batches?: Batches
  readonly hedges?: Hedges
  readonly coalesced?: Coalesced
  readonly cache?: Cache
}

/**
 * A limit of a budget, now, in micro-dollars.
 *
 * @since 0.1.0
 * @category models
 */
export interface Budget {
  /** The name of the limit. */
  readonly limit: string
  /** How much each of those who have it may spend. */
  readonly limitMicroDollars: number
  /** When what was spent no longer counts, in milliseconds since 1970; absent where that is not by the calendar. */
  readonly until?: number
  /** Calls that it has refused. */
  readonly refused: number
  /** How many have spent under it. */
  readonly accounts: number
  /** The hundred of them who have spent the most. */
  readonly largest: ReadonlyArray<{
    readonly account: string
    readonly spentMicroDollars: number
    /** What calls under way may cost. */
    readonly reservedMicroDollars: number
  }>
}

/**
 * Everything that is going on.
 *
 * @since 0.1.0
 * @category models
 */
export interface Snapshot {
  /** When it was taken, in milliseconds since 1970. */
  readonly at: number
  readonly backends: ReadonlyArray<Backend>
  /** The limits of every budget; absent where there is none. */
  readonly budgets?: ReadonlyArray<Budget>
}

/**
 * One thing that can be read, synchronously and cheaply. `now` is the `Clock`'s time in milliseconds.
 *
 * @since 0.1.0
 * @category models
 */
export interface Source {
  readonly backend: string
  readonly read: (now: number) => Partial<Omit<Backend, "backend">>
}

/**
 * The limits of a budget that can be read, as a source can.
 *
 * @since 0.1.0
 * @category models
 */
export type BudgetSource = (now: number) => ReadonlyArray<Budget>

/**
 * Where sources register.
 *
 * @since 0.1.0
 * @category models
 */
export interface Monitor {
  /** Makes a source part of every snapshot until the scope closes. */
  readonly register: (source: Source) => Effect.Effect<void, never, Scope.Scope>
  /** The same for a budget, which is no backend's. */
  readonly registerBudget: (read: BudgetSource) => Effect.Effect<void, never, Scope.Scope>
  readonly snapshot: Effect.Effect<Snapshot>
}

/**
 * A monitor that knows nothing yet.
 *
 * @since 0.1.0
 * @category constructors
 */
export const unsafeMake = (): Monitor => {
  const sources = new Set<Source>()
  const budgets = new Set<BudgetSource>()
  return {
    register: (source) => Effect.asVoid(listed(sources, source)),
    registerBudget: (read) => Effect.asVoid(listed(budgets, read)),
    snapshot: Effect.map(Clock.currentTimeMillis, (now) => {
      const backends = new Map<string, Backend>()
      for (const source of sources) {
        backends.set(source.backend, { backend: source.backend, ...backends.get(source.backend), ...source.read(now) })
      }
      return {
        at: now,
        backends: [...backends.values()],
        ...(budgets.size > 0 && { budgets: Array.from(budgets).flatMap((read) => read(now)) })
      }
    })
  }
}

/**
 * The monitor that queues, circuits, pools and calls made here register with: one for the whole program, unless
 * another is provided.
 *
 * @since 0.1.0
 * @category references
 */
export class CurrentMonitor extends Context.Reference<CurrentMonitor>()("@spillway/core/CurrentMonitor", {
  defaultValue: unsafeMake
}) {}

/**
 * Makes a source part of every snapshot of the current monitor until the scope closes.
 *
 * @since 0.1.0
 * @category combinators
 */
export const register = (source: Source): Effect.Effect<void, never, Scope.Scope> =>
  Effect.flatMap(CurrentMonitor, (monitor) => monitor.register(source))

/**
 * Makes a budget part of every snapshot of the current monitor until the scope closes.
 *
 * @since 0.1.0
 * @category combinators
 */
export const registerBudget = (read: BudgetSource): Effect.Effect<void, never, Scope.Scope> =>
  Effect.flatMap(CurrentMonitor, (monitor) => monitor.registerBudget(read))

/**
 * Everything that is going on, by the current monitor.
 *
 * @since 0.1.0
 * @category combinators
 */
export const snapshot: Effect.Effect<Snapshot> = Effect.flatMap(CurrentMonitor, (monitor) => monitor.snapshot)
