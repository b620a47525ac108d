/**
 * How long an attempt may take, how long a stream may be silent, and the deadline of the whole call.
 *
 * Three times, each with its own error. A **timeout** ends one attempt that has not answered (a stream has when its
 * first part is there) with `TimedOut`: the backend is to blame, the breaker hears of it, and it is tried again. The
 * **idle timeout** ends a stream that has begun and then fell silent, with `TimedOut` too. The **deadline** of the call
 * (`Policy.withDeadline`) ends whatever is under way, an attempt or a stream in its midst, with `DeadlineExceeded`: it
 * is over, nobody tries again.
 *
 * Where a call waits for something else than its backend, those who let it wait keep the deadline: the queue does not
 * hold a call beyond it, and `Retry` does not sleep past it.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Alarms from "./internal/alarms.js"
import * as Deadline from "./internal/deadline.js"
import * as Guard from "./internal/guard.js"
import * as InvalidOptions from "./InvalidOptions.js"
import * as LlmError from "./LlmError.js"
import * as Policy from "./Policy.js"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * How long things may take.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * Until the answer of one attempt is whole, or the first part of a stream is there; from 1 millisecond, or
   * `Duration.infinity`.
   *
   * @default 60 seconds
   */
  readonly attempt?: Duration.DurationInput | undefined
  /**
   * Until the first part of a stream is there, where that is to be another time than `attempt`; from 1 millisecond, or
   * `Duration.infinity`.
   *
   * @default the same as `attempt`
   */
  readonly firstPart?: Duration.DurationInput | undefined
  /**
   * Between the parts of a stream; from 1 millisecond, or `Duration.infinity`. Time that the consumer takes does not
   * count.
   *
   * @default 60 seconds
   */
  readonly idle?: Duration.DurationInput | undefined
}

/**
 * The times of one backend.
 *
 * @since 0.1.0
 * @category models
 */
export interface Timeout {
  /** Ends what takes too long; stands next to the backend. */
  readonly policy: Policy.Policy
}

/**
 * No time but the call's own deadline.
 *
 * @since 0.1.0
 * @category models
 */
export const never: Options = { attempt: Duration.infinity, idle: Duration.infinity }

const time = InvalidOptions.duration({ atLeast: 1 })

/**
 * The options as a schema, for who reads them from a file.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Options = Schema.Struct({
  attempt: Schema.optionalWith(time, { default: () => Duration.seconds(60) }),
  firstPart: Schema.optional(time),
  idle: Schema.optionalWith(time, { default: () => Duration.seconds(60) })
})

const validate = InvalidOptions.validate("Timeout", Options)

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Times to keep. All calls share one sleeping fiber, which ends with the scope.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options = {}
): Effect.Effect<Timeout, InvalidOptions.InvalidOptions, Scope.Scope> =>
  Effect.flatMap(validate(options), (times) =>
    Effect.map(Alarms.make, (alarms) => ({ policy: policy(times, alarms) })))

/**
 * Refuses a call whose deadline has passed already; stands where the call comes in.
 *
 * @since 0.1.0
 * @category constructors
 */
export const deadline: Policy.Policy = (next) => (call) => {
  if (Option.isNone(call.deadline)) return next(call)
  const end = call.deadline.value
  return Effect.flatMap(Clock.currentTimeMillis, (now) => 
    now < end ? next(call) : Effect.fail(late(call, "queued", "came after its deadline")))
}

const policy = (times: typeof Options.Type, alarms: Alarms.Alarms): Policy.Policy => {
  const first = times.firstPart ?? times.attempt
  const attempts = { whole: Duration.toMillis(times.attempt), streamed: Duration.toMillis(first) }
  const idle = Duration.toMillis(times.idle)
  const watch = (call: Policy.Call, deadline: number) => {
    if (idle === Infinity && deadline === Infinity) return
    const limits: Guard.Limits = {
      alarms,
      idle,
      silent: () => silent(call, times.idle),
      deadline,
      late: () => late(call, "stream", "had not ended by its deadline")
    }
    call.held.watch((rest, held) => Guard.watch(rest, held, limits))
  }
  return (next) => (call) =>
    Effect.suspend(() => {
      const deadline = Deadline.toMillis(call.deadline)
      const attempt = call.isStreamed ? attempts.streamed : attempts.whole
      if (call.isStreamed) watch(call, deadline)
      if (attempt === Infinity && deadline === Infinity) return next(call)
      const now = alarms.now()
      if (now >= deadline) return Effect.fail(late(call, "attempt", "would be tried again only after its deadline"))
      return deadline <= now + attempt
        ? Guard.until(next(call), alarms, deadline, () => late(call, "attempt", "was not answered by its deadline"))
        : Guard.until(next(call), alarms, now + attempt, () => unanswered(call, call.isStreamed ? first : times.attempt))
    })
}

// -----------------------------------------------------------------------------
// errors
// -----------------------------------------------------------------------------

const unanswered = (call: Policy.Call, after: Duration.Duration) =>
  timedOut(call, after, `${call.backend} did not answer within ${Duration.format(after)}`)

const silent = (call: Policy.Call, after: Duration.Duration) =>
  timedOut(call, after, `${call.backend} fell silent for ${Duration.format(after)} in the midst of its answer`)

const timedOut = ({ backend, model }: Policy.Call, after: Duration.Duration, message: string) =>
  new LlmError.TimedOut({ backend, model, after, message })

const late = ({ backend, model }: Policy.Call, phase: LlmError.DeadlineExceeded["phase"], what: string) =>
  new LlmError.DeadlineExceeded({ backend, model, phase, message: `the call to ${backend} ${what}` })
