/**
 * Several API keys of one backend as one: who may be used now, and how each is doing.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type * as Completion from "./Completion.js"
import type * as LlmError from "./LlmError.js"
import type * as Monitor from "./Monitor.js"

/**
 * What a backend's headers say of the limits of the key that was used.
 *
 * @since 0.1.0
 * @category models
 */
export interface Limits {
  readonly requests?: Limit
  readonly tokens?: Limit
}

/**
 * One limit: how much of it is left, and in how many milliseconds it is full again.
 *
 * @since 0.1.0
 * @category models
 */
export interface Limit {
  readonly limit?: number
  readonly remaining?: number
  readonly resetMillis?: number
}

/**
 * A key in use by one attempt. The four functions are synchronous; `release` may be called more than once.
 *
 * @since 0.1.0
 * @category models
 */
export interface Lease {
  readonly key: Redacted.Redacted
  /** The key's name or fingerprint, for people: never the key. */
  readonly id: string
  /** The attempt succeeded; `usage` as far as it is known. */
  readonly succeeded: (usage: Completion.Usage) => void
  /**
   * The attempt failed. The pool cools or retires the key as the error demands, and returns the error to fail with:
   * its `retryAfter` is now when the *pool* can serve again, zero if another key is ready.
   */
  readonly failed: (error: LlmError.LlmError) => LlmError.LlmError
  /** What the answer's headers said of the key's limits. */
  readonly observed: (limits: Limits) => void
  /** The attempt is over. */
  readonly release: () => void
}

/**
 * Several keys as one.
 *
 * @since 0.1.0
 * @category models
 */
export interface KeyPool {
  readonly backend: string
  /** A key for one attempt with `model`, to be released by the taker in every case. */
  readonly acquire: (model: string) => Effect.Effect<Lease, LlmError.KeysCooling | LlmError.KeysExhausted>
  /** A key for as long as the scope lasts. */
  readonly lease: (
    model: string
  ) => Effect.Effect<Lease, LlmError.KeysCooling | LlmError.KeysExhausted, Scope.Scope>
  /** Every key of the pool, now. */
  readonly stats: Effect.Effect<ReadonlyArray<Monitor.Key>>
}
