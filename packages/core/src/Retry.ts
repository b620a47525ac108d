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
 * the defaults about 1, 2, 4, 8 and 16 seconds. What the backend asks for is obeyed to the millisecond and not capped;
 * where it asks for more than `maxRetryAfter`, or for more than is left to the call's deadline, waiting is pointless,
 * and the call fails at once with the error that says how long it would have been. So the error that comes out is
 * always that of the last attempt.
 *
 * A call that sleeps here holds nothing: what an attempt took has been given back before.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as ScheduleDecision from "effect/ScheduleDecision"
import * as ScheduleInterval from "effect/ScheduleInterval"
import * as ScheduleIntervals from "effect/ScheduleIntervals"
import * as Schema from "effect/Schema"
import * as InvalidOptions from "./InvalidOptions.js"
import * as LlmError from "./LlmError.js"
import * as Policy from "./Policy.js"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * How a backoff of `d` is spread, so that those who failed together do not come back together: `full` anywhere from 0
 * to d, `equal` from d/2 to d, `none` not at all; a number from 0 to 1 is a share of d on either side, 0.2 from 0.8 d
 * to 1.2 d.
 *
 * @since 0.1.0
 * @category models
 */
export type Jitter = "full" | "equal" | "none" | number

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
   * Most times that a call goes on at once with another key, 0 to 1,000. They are not counted as retries; the pool
   * ends them by itself when it has no other key, so that this only guards against services that have none.
   *
   * @default 10
   */
  readonly maxRotations?: number | undefined
}

const delay = InvalidOptions.duration({ atMost: "1 day" })
const jitterWords = ["full", "equal", "none"] as const

const Settings = Schema.Struct({
  maxRetries: Schema.optionalWith(InvalidOptions.whole({ atLeast: 0, atMost: 100 }), { default: () => 5 }),
  initialDelay: Schema.optionalWith(InvalidOptions.duration({ atMost: "1 hour" }), {
    default: () => Duration.seconds(1)
  }),
  factor: Schema.optionalWith(InvalidOptions.number({ atLeast: 1, atMost: 100 }), { default: () => 2 }),
  maxDelay: Schema.optionalWith(delay, { default: () => Duration.seconds(16) }),
  jitter: Schema.optionalWith(
    Schema.Union(InvalidOptions.oneOf(...jitterWords), InvalidOptions.number({ atLeast: 0, atMost: 1 })).annotations({
      message: (issue) => ({
        message: `must be ${jitterWords.map((word) => `"${word}"`).join(", ")} or a number from 0 to 1, not ${issue.actual}`,
        override: true
      })
    }),
    { default: () => 0.2 }
  ),
  maxRetryAfter: Schema.optionalWith(delay, { default: () => Duration.seconds(60) }),
  maxRotations: Schema.optionalWith(InvalidOptions.whole({ atLeast: 0, atMost: 1000 }), { default: () => 10 })
})
type Settings = typeof Settings.Type

const validate = InvalidOptions.validate("Retry", Settings)

/**
 * How a backend's calls are tried again.
 *
 * @since 0.1.0
 * @category models
 */
export interface Retry {
  readonly policy: Policy.Policy
  /**
   * The same as a schedule, for effects that are no calls of a service: fails where it ends.
   */
  readonly schedule: Schedule.Schedule<LlmError.LlmError, LlmError.LlmError>
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
  Effect.map(validate(options), (settings) => {
    const schedule = makeSchedule(settings)
    return { schedule, policy: makePolicy(schedule) }
  })

// -----------------------------------------------------------------------------
// waits
// -----------------------------------------------------------------------------

interface State {
  readonly rotations: number
  /** The backoff's own. */
  readonly backoff: unknown
}

type Step = (
  now: number,
  error: LlmError.LlmError,
  state: State
) => Effect.Effect<readonly [State, LlmError.LlmError, ScheduleDecision.ScheduleDecision]>

const makeSchedule = (settings: Settings): Retry["schedule"] => {
  const { maxRetryAfter, maxRotations } = settings
  const backoff = makeBackoff(settings)

  const stop: Step = (_, error, state) => Effect.succeed([state, error, ScheduleDecision.done])

  const rotate: Step = (now, error, state) =>
    state.rotations >= maxRotations
      ? stop(now, error, state)
      : Effect.succeed([{ ...state, rotations: state.rotations + 1 }, error, continueAt(now)])

  const wait: Step = (now, error, state) => {
    const asked = LlmError.retryAfter(error)
    const another = error._tag === "RateLimited" && Option.exists(asked, Duration.equals(Duration.zero))
    if (another && state.rotations < maxRotations) return rotate(now, error, state)
    if (Option.exists(asked, Duration.greaterThan(maxRetryAfter))) return stop(now, error, state)
    return Effect.map(backoff.step(now, error, state.backoff), ([backoff, , decision]) => [
      { ...state, backoff },
      error,
      Option.isSome(asked) && !another && ScheduleDecision.isContinue(decision)
        ? continueAt(now + Duration.toMillis(asked.value))
        : decision
    ])
  }

  const steps: { readonly [V in LlmError.Retriability]: Step } = {
    Never: stop,
    Failover: stop,
    RotateKey: rotate,
    Retry: wait
  }
  return Schedule.makeWithState<State, LlmError.LlmError, LlmError.LlmError>(
    { rotations: 0, backoff: backoff.initial },
    (now, error, state) => steps[LlmError.retriability(error)](now, error, state)
  )
}

const continueAt = (time: number) => ScheduleDecision.continueWith(ScheduleInterval.after(time))

const makeBackoff = ({ factor, initialDelay, jitter, maxDelay, maxRetries }: Settings) => {
  const [from, to] = typeof jitter === "number" ? [1 - jitter, 1 + jitter] : spreads[jitter]
  const capped = Duration.min(maxDelay)
  return Schedule.exponential(initialDelay, factor).pipe(
    // capped before the jitter, lest all who have reached the cap come together; after it, since it is the cap
    Schedule.modifyDelayEffect((_, delay) =>
      Effect.map(Random.next, (chance) =>
        capped(Duration.millis(Math.round(Duration.toMillis(capped(delay)) * (from + chance * (to - from))))))
    ),
    Schedule.intersect(Schedule.recurs(maxRetries))
  )
}

const spreads: { readonly [J in Extract<Jitter, string>]: readonly [number, number] } = {
  full: [0, 1],
  equal: [0.5, 1],
  none: [1, 1]
}

// -----------------------------------------------------------------------------
// the policy
// -----------------------------------------------------------------------------

const makePolicy = (schedule: Retry["schedule"]): Policy.Policy => <A, R>(next: Policy.Next<A, R>) => {
  const attempt = (call: Policy.Call, state: unknown): Effect.Effect<A, LlmError.LlmError, R> =>
    Effect.catchAll(Policy.attempt(next, call), (error) => recover(call, error, state))

  const recover = (call: Policy.Call, error: LlmError.LlmError, state: unknown) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) =>
      Effect.flatMap(schedule.step(now, error, state), ([state, , decision]) => {
        if (ScheduleDecision.isDone(decision)) return Effect.fail(error)
        const time = ScheduleIntervals.start(decision.intervals)
        if (Option.exists(call.deadline, (deadline) => time >= deadline)) return Effect.fail(error)
        const again = attempt({ ...call, attempt: call.attempt + 1, previous: error }, state)
        return time <= now ? again : Effect.zipRight(Effect.sleep(Duration.millis(time - now)), again)
      }))

  return (call) => attempt(call, schedule.initial)
}
