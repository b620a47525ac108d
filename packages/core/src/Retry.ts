/**
 * Tries again what time or another key may help, and waits in between: as long as the backend says, else longer each
 * time.
 *
 * | verdict on the error | what is done |
 * |---|---|
 * | `Retry` | waits what the error's `retryAfter` says, else the backoff; at most `maxRetries` times |
 * | `RotateKey`, or `RateLimited` with a `retryAfter` of zero | again at once, as another key is ready; at most `maxRotations` times |
 * | `Failover`, `Never` | fails |
 *
 * The backoff before retry n is `initialDelay` × `factor`ⁿ⁻¹, spread by the jitter, never more than `maxDelay`: with
 * the defaults about 1, 2, 4, 8 and 16 seconds. What the backend asks for is obeyed to the millisecond and not capped
 * (`retryAfterWindow` and `retryAfterJitter` have it otherwise); where it asks for more than `maxRetryAfter`, or for
 * more than is left to the call's deadline, waiting is pointless, and the call fails at once with the error that says
 * how long it would have been. So the error that comes out is always that of the last attempt.
 *
 * Against a backend that is dead all calls together have a budget (see `RetryBudget`). A retry takes one out when it
 * is decided on, before its wait; with none left the call fails at once. Two kinds take nothing: one after
 * `RateLimited` or `KeysCooling`, as who says when to come back is not dead, and everybody obeys; and a rotation, as
 * the key is set aside for all, so that there are no more of them than keys.
 *
 * A call that sleeps here holds nothing: what an attempt took has been given back before. When it comes back, it stands
 * in the queue where it stood first.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as ScheduleDecision from "effect/ScheduleDecision"
import * as ScheduleInterval from "effect/ScheduleInterval"
import * as Schema from "effect/Schema"
import * as Arrival from "./internal/arrival.js"
import * as Backoff from "./internal/backoff.js"
import * as InvalidOptions from "./InvalidOptions.js"
import type * as LlmError from "./LlmError.js"
import * as Policy from "./Policy.js"
import * as RetryBudget from "./RetryBudget.js"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * How a backoff of `d` is spread, so that those who failed together do not come back together: `full` anywhere from 0
 * to d, `equal` from d/2 to d, `none` not at all; a number from 0 to 1 is a share of d on either side, 0.2 from 0.8 d
 * to 1.2 d. `decorrelated` knows no d and no `factor`: anywhere from `initialDelay` to three times the backoff before
 * (before the first, three times `initialDelay`), so that each caller grows at a pace of his own.
 *
 * @since 0.1.0
 * @category models
 */
export type Jitter = Backoff.Jitter

/**
 * How often a call is tried again, and after how long.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * Most times that a call is tried again after a wait, 0 to 100.
   *
   * @default 5
   */
  readonly maxRetries?: number | undefined
  /**
   * The backoff before the first retry, 0 to one hour.
   *
   * @default 1 second
   */
  readonly initialDelay?: Duration.DurationInput | undefined
  /**
   * How much longer each backoff is than the one before, 1 to 100.
   *
   * @default 2
   */
  readonly factor?: number | undefined
  /**
   * Longest backoff, jitter included; 0 to one day.
   *
   * @default 16 seconds
   */
  readonly maxDelay?: Duration.DurationInput | undefined
  /**
   * How a backoff is spread.
   *
   * @default 0.2
   */
  readonly jitter?: Jitter | undefined
  /**
   * Longest wait that is obeyed when the backend asks for one, 0 to one day. Beyond it the call fails at once.
   *
   * @default 60 seconds
   */
  readonly maxRetryAfter?: Duration.DurationInput | undefined
  /**
   * With it, what the backend asks for is not obeyed exactly: the call waits no less than its own backoff, and no more
   * than this time longer, whatever is said; 0 to one day. AWS's clients have 5 seconds. What the pool says of its own
   * keys (`KeysCooling`) is obeyed all the same.
   *
   * @default none: the backend is obeyed exactly
   */
  readonly retryAfterWindow?: Duration.DurationInput | undefined
  /**
   * A share of the wait that the backend asks for, 0 to 1, by up to which a call comes later than it was told, so that
   * those who were told the same moment do not come back together. Never earlier, and never so late that
   * `maxRetryAfter` or the deadline is passed.
   *
   * @default 0, as the queue lets no more of them through than it may
   */
  readonly retryAfterJitter?: number | undefined
  /**
   * Most times that a call goes on at once with another key, 0 to 1,000. They are not counted as retries; the pool
   * ends them by itself when it has no other key, so that this only guards against services that have none.
   *
   * @default 10
   */
  readonly maxRotations?: number | undefined
  /**
   * How many retries all calls may make together: what a budget is made of, one that exists and is shared, or `false`
   * for as many as they like.
   *
   * @default as `RetryBudget` has it
   */
  readonly budget?: RetryBudget.Options | RetryBudget.RetryBudget | false | undefined
}

const delay = InvalidOptions.duration({ atMost: "1 day" })
const share = InvalidOptions.number({ atLeast: 0, atMost: 1 })
const jitterWords = ["full", "equal", "decorrelated", "none"] as const
const quotedWords = jitterWords.map((word) => `"${word}"`).join(", ")

/**
 * The options as a schema, for who reads them from a file.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Options = Schema.Struct({
  maxRetries: Schema.optionalWith(InvalidOptions.whole({ atLeast: 0, atMost: 100 }), { default: () => 5 }),
  initialDelay: Schema.optionalWith(InvalidOptions.duration({ atMost: "1 hour" }), {
    default: () => Duration.seconds(1)
  }),
  factor: Schema.optionalWith(InvalidOptions.number({ atLeast: 1, atMost: 100 }), { default: () => 2 }),
  maxDelay: Schema.optionalWith(delay, { default: () => Duration.seconds(16) }),
  jitter: Schema.optionalWith(
    Schema.Union(InvalidOptions.oneOf(...jitterWords), share).annotations({
      message: (issue) => ({
        message: `must be ${quotedWords} or a number from 0 to 1, not ${issue.actual}`,
        override: true
      })
    }),
    { default: () => 0.2 }
  ),
  maxRetryAfter: Schema.optionalWith(delay, { default: () => Duration.seconds(60) }),
  retryAfterWindow: Schema.optionalWith(delay, { as: "Option" }),
  retryAfterJitter: Schema.optionalWith(share, { default: () => 0 }),
  maxRotations: Schema.optionalWith(InvalidOptions.whole({ atLeast: 0, atMost: 1000 }), { default: () => 10 }),
  // validated where it belongs
  budget: Schema.optional(Schema.Unknown)
})

const validate = InvalidOptions.validate("Retry", Options)

/**
 * How a backend's calls are tried again.
 *
 * @since 0.1.0
 * @category models
 */
export interface Retry {
  readonly policy: Policy.Policy
  /**
   * The same as a schedule, for effects that are no calls of a service: fails where it ends. It knows no deadline, and
   * takes nothing out of the budget.
   */
  readonly schedule: Schedule.Schedule<LlmError.LlmError, LlmError.LlmError>
  /** What the calls share; others that send more than one attempt for a call should take it from here too. */
  readonly budget: Option.Option<RetryBudget.RetryBudget>
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Retries by the options given.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options = {}): Effect.Effect<Retry, InvalidOptions.InvalidOptions> =>
  Effect.flatMap(validate(options), (valid) =>
    Effect.map(makeBudget(options.budget), (budget) => {
      const settings: Backoff.Settings = {
        ...valid,
        initialDelay: Duration.toMillis(valid.initialDelay),
        maxDelay: Duration.toMillis(valid.maxDelay),
        maxRetryAfter: Duration.toMillis(valid.maxRetryAfter),
        retryAfterWindow: Option.match(valid.retryAfterWindow, { onNone: () => Infinity, onSome: Duration.toMillis })
      }
      return { policy: makePolicy(settings, budget), schedule: makeSchedule(settings), budget }
    }))

const makeBudget = (
  budget: Options["budget"]
): Effect.Effect<Option.Option<RetryBudget.RetryBudget>, InvalidOptions.InvalidOptions> =>
  budget === false
    ? Effect.succeedNone
    : isMade(budget)
    ? Effect.succeedSome(budget)
    : Effect.asSome(RetryBudget.make(budget))

const isMade = (budget: Options["budget"]): budget is RetryBudget.RetryBudget =>
  Predicate.hasProperty(budget, "tryWithdraw")

const makeSchedule = (settings: Backoff.Settings): Retry["schedule"] =>
  Schedule.makeWithState(Backoff.initial, (now, error, state) =>
    Effect.map(Random.next, (chance) => {
      const next = Backoff.next(settings, state, error, chance, Infinity)
      return next === undefined
        ? [state, error, ScheduleDecision.done]
        : [next.state, error, ScheduleDecision.continueWith(ScheduleInterval.after(now + next.wait))]
    }))

const makePolicy = (
  settings: Backoff.Settings,
  budget: Option.Option<RetryBudget.RetryBudget>
): Policy.Policy => {
  const pays = Option.match(budget, { onNone: () => Effect.succeed, onSome: payingInto })
  const mayPay = Option.match(budget, { onNone: () => () => true, onSome: ({ tryWithdraw }) => tryWithdraw })

  return <A, R>(next: Policy.Next<A, R>) => {
    const attempt = (call: Policy.Call, state: Backoff.State): Effect.Effect<A, LlmError.LlmError, R> =>
      Effect.matchEffect(Policy.attempt(next, call), {
        onFailure: (error) => recover(call, error, state),
        onSuccess: pays<A>
      })

    const recover = (call: Policy.Call, error: LlmError.LlmError, state: Backoff.State) =>
      Effect.zipWith(Clock.currentTimeMillis, Random.next, (now, chance) => {
        const left = Option.match(call.deadline, { onNone: () => Infinity, onSome: (deadline) => deadline - now })
        const next = Backoff.next(settings, state, error, chance, left)
        if (next === undefined || next.isCharged && !mayPay(now)) return Effect.fail(error)
        const again = Effect.provideService(
          attempt({ ...call, attempt: call.attempt + 1, previous: error }, next.state),
          Arrival.CurrentArrival,
          call.arrival.since
        )
        return next.wait === 0 ? again : Effect.zipRight(Effect.sleep(Duration.millis(next.wait)), again)
      }).pipe(Effect.flatten)

    return (call) => attempt(call, Backoff.initial)
  }
}

const payingInto = ({ deposit }: RetryBudget.RetryBudget) => <A>(answer: A): Effect.Effect<A> => {
  deposit()
  return Effect.succeed(answer)
}
