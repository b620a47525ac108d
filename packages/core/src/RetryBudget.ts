/**
 * How many attempts beyond their first the calls of a backend may make together, so that one that is dead is not asked
 * six times as often as one that is well.
 *
 * A bucket of attempts. It is full in the beginning; every call that succeeds puts a part of one in, and each further
 * attempt takes one out. So they are paid for by successes: of a backend that answers, two calls in three may fail
 * without anybody noticing; one that answers nothing more is asked `reserve` times too often, and then once a call.
 * In any time, further attempts ≤ `reserve` + `ratio` × calls that succeeded + `perSecond` × seconds.
 *
 * Others count each call as a deposit that expires (Finagle, tower), which multiplies a dead backend by a fifth for as
 * long as it is dead; or give a retry that has helped its price back (AWS), which bounds only those in vain. What
 * counts here are successes (as with gRPC and Google), and nothing expires, since the bucket is full at `reserve`.
 *
 * Everything is one synchronous step of a few additions. The first attempt of a call takes nothing and is always made.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as InvalidOptions from "./InvalidOptions.js"
import * as Monitor from "./Monitor.js"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * How much a budget allows.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * Further attempts that each call pays for which succeeds, 0 to 100. With 0.5 a backend of whose attempts a third
   * fails is tried again without limit, and one where more of them fail is asked at most 1.5 times a call.
   *
   * @default 0.5
   */
  readonly ratio?: number | undefined
  /**
   * Further attempts that may be made before any call has succeeded, and the most that can be saved; a whole number
   * from 0 to a million.
   *
   * @default 500, as many as 100 calls take that fail and are tried again 5 times
   */
  readonly reserve?: number | undefined
  /**
   * Further attempts that every second allows, whatever becomes of them, 0 to 1,000: where there is little to do, a
   * few calls that fail after an outage are tried again all the same.
   *
   * @default 1
   */
  readonly perSecond?: number | undefined
}

/**
 * The further attempts that the calls of a backend share. Whoever asks it says what time it is, in milliseconds on the
 * `Clock`.
 *
 * @since 0.1.0
 * @category models
 */
export interface RetryBudget {
  /** A call has succeeded. */
  readonly deposit: () => void
  /** Takes one further attempt out; false, and nothing taken, when there is none. */
  readonly tryWithdraw: (now: number) => boolean
  /** Further attempts that may be made now: 0 to `reserve`, with the fraction that is saved up for the next. */
  readonly balance: (now: number) => number
  /** Most that can be saved. */
  readonly reserve: number
  /** How many further attempts were asked for in vain. */
  readonly refused: () => number
}

/**
 * The options as a schema, for who reads them from a file.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Options = Schema.Struct({
  ratio: Schema.optionalWith(InvalidOptions.number({ atLeast: 0, atMost: 100 }), { default: () => 0.5 }),
  reserve: Schema.optionalWith(InvalidOptions.whole({ atLeast: 0, atMost: 1_000_000 }), { default: () => 500 }),
  perSecond: Schema.optionalWith(InvalidOptions.number({ atLeast: 0, atMost: 1000 }), { default: () => 1 })
})

const validate = InvalidOptions.validate("RetryBudget", Options)

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * A full budget.
 *
 * @since 0.1.0
 * @category constructors
 * @example
 * ```ts
 * import { RetryBudget } from "@spillway/core"
 * import { Effect } from "effect"
 * import * as assert from "node:assert"
 *
 * const program = Effect.gen(function*() {
 *   const budget = yield* RetryBudget.make({ reserve: 1, ratio: 0.5, perSecond: 0 })
 *   assert.strictEqual(budget.tryWithdraw(0), true)
 *   assert.strictEqual(budget.tryWithdraw(0), false)
 *   budget.deposit()
 *   budget.deposit()
 *   assert.strictEqual(budget.tryWithdraw(0), true)
 * })
 *
 * Effect.runPromise(program)
 * ```
 */
export const make = (options: Options = {}): Effect.Effect<RetryBudget, InvalidOptions.InvalidOptions> =>
  Effect.map(validate(options), ({ perSecond, ratio, reserve }) => {
    // in thousandths of an attempt, so that ten tenths are one
    const most = reserve * price
    const deposited = ratio * price
    let saved = most
    let at = -Infinity
    let refused = 0

    const earn = (now: number) => {
      // a clock that is put back earns nothing twice
      if (now <= at) return
      if (at > -Infinity) saved = Math.min(saved + (now - at) * perSecond, most)
      at = now
    }

    return {
      reserve,
      deposit: () => {
        saved = Math.min(saved + deposited, most)
      },
      tryWithdraw: (now) => {
        earn(now)
        if (saved < price) {
          refused++
          return false
        }
        saved -= price
        return true
      },
      balance: (now) => {
        earn(now)
        return saved / price
      },
      refused: () => refused
    }
  })

const price = 1000

/**
 * Makes a budget part of every snapshot of the current monitor until the scope closes, as that of the backend.
 *
 * @since 0.1.0
 * @category combinators
 */
export const register = (budget: RetryBudget, backend: string): Effect.Effect<void, never, Scope.Scope> =>
  Monitor.register({
    backend,
    read: (now) => ({
      retryBudget: { balance: budget.balance(now), reserve: budget.reserve, refused: budget.refused() }
    })
  })
