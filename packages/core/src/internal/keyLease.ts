/**
 * What a key in use is, and what may be said of how it went.
 */
import type * as Redacted from "effect/Redacted"
import type * as Completion from "../Completion.js"
import type * as LlmError from "../LlmError.js"
import type * as LlmService from "../LlmService.js"

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
 * What may be said of the key that is wanted.
 *
 * @since 0.1.0
 * @category models
 */
export interface Wanted {
  /** This key and no other, by its name: for what was begun with it and is known nowhere else. @default any */
  readonly id?: string | undefined
  /** What it is wanted for, so that a limit of tokens knows whether there is room. @default what takes no tokens */
  readonly request?: LlmService.Request | undefined
  /** Whether a key that may not be used now will do: to find out whether it can be used again. @default false */
  readonly probe?: boolean | undefined
}

/**
 * A key in use by one attempt. The functions are synchronous; `release` may be called more than once.
 *
 * @since 0.1.0
 * @category models
 */
export interface Lease {
  readonly key: Redacted.Redacted
  /** The key's name or fingerprint, for people: never the key. */
  readonly id: string
  /** The backend has begun to answer: how long that took is what `lowest-latency` goes by. */
  readonly answered: () => void
  /** The attempt succeeded; `usage` as far as it is known. */
  readonly succeeded: (usage: Completion.Usage) => void
  /**
   * The attempt failed. The pool cools or retires the key as the error demands, and returns the error to fail with:
   * its `retryAfter` is now when the *pool* can serve again, zero if another key is ready.
   */
  readonly failed: (error: LlmError.LlmError) => LlmError.LlmError
  /** What the answer's headers said of the key's limits. */
  readonly observed: (limits: Limits) => void
  /**
   * What the attempt has cost, in micro-dollars (millionths of a dollar), for whoever knows better than the price book
   * (`PriceBook.CurrentPriceBook`): it takes the place of what that says when the attempt has succeeded.
   */
  readonly spent: (microDollars: number) => void
  /** The attempt is over. */
  readonly release: () => void
  /** Nothing was sent with it after all: it is given back as if it had never been taken. */
  readonly cancel: () => void
}
