/**
 * Learns from a backend's refusals how fast it may be asked, and asks no faster: for backends whose limits nobody
 * knows, and that do not say in their headers what is left.
 *
 * It does nothing until the first `RateLimited`. Then attempts are paced by a bucket that fills at 0.7 of the rate at
 * which they were sent; while they are answered the rate rises again, fast at first, slowly near the one that was
 * refused, and then beyond it, but there never to more than twice what is used. After a minute without a refusal nobody
 * waits any more. So a limit that many callers exceed at once costs a few refusals, not one for each of them.
 *
 * The rule is that of AWS's clients in their adaptive mode, with three differences: of attempts that were under way
 * together only the first refusal counts, as the others tell nothing new; where little is sent, the rate does not fall
 * below the 0.7; and it ends. A refusal while another key is
 * ready (with a `retryAfter` of zero) concerns one key, and is none here.
 *
 * It stands inside the queue, which decides whose turn it is, and the call keeps its place while it waits here, first
 * come first served: places are what all of them wait for anyway.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Rate from "./internal/adaptiveRate.js"
import * as Alarms from "./internal/alarms.js"
import * as Deadline from "./internal/deadline.js"
import * as InvalidOptions from "./InvalidOptions.js"
import * as LlmError from "./LlmError.js"
import * as Monitor from "./Monitor.js"
import type * as Policy from "./Policy.js"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * How a backend's rate is learned.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Whose rate it is, in errors and for the monitor. */
  readonly backend: string
  /**
   * Attempts per second that are sent however often they are refused, 0.01 to 1,000.
   *
   * @default 0.5
   */
  readonly floor?: number | undefined
  /**
   * How long after the last refusal attempts are paced, from 1 second.
   *
   * @default 1 minute
   */
  readonly memory?: Duration.DurationInput | undefined
}

/**
 * The rate that a backend takes.
 *
 * @since 0.1.0
 * @category models
 */
export interface AdaptiveRate {
  /** Lets an attempt through when its time has come, or fails when its deadline comes before. */
  readonly policy: Policy.Policy
  /** Attempts per second that are let through now; none while all of them are. */
  readonly rate: Effect.Effect<Option.Option<number>>
}

interface Waiter {
  readonly go: () => void
}

/**
 * The options as a schema, for who reads them from a file.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Options = Schema.Struct({
  floor: Schema.optionalWith(InvalidOptions.number({ atLeast: 0.01, atMost: 1000 }), { default: () => 0.5 }),
  memory: Schema.optionalWith(InvalidOptions.duration({ atLeast: "1 second" }), {
    default: () => Duration.minutes(1)
  })
})

const validate = InvalidOptions.validate("AdaptiveRate", Schema.Struct({ backend: InvalidOptions.name, ...Options.fields }))

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Paces nobody yet. It tells the `Monitor` of itself until its scope closes.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<AdaptiveRate, InvalidOptions.InvalidOptions, Scope.Scope> =>
  Effect.gen(function*() {
    const { backend, floor, memory } = yield* validate(options)
    const settings: Rate.Settings = { floor, memory: Duration.toMillis(memory) }
    const alarms = yield* Alarms.make
    const waiting = new Set<Waiter>()
    let state = Rate.initial(alarms.now())
    let alarm: Alarms.Alarm | undefined
    let refusals = 0

    const become = (next: Rate.State) => {
      const isNews = next !== state
      state = next
      if (isNews && waiting.size > 0) advance()
    }

    /** Lets through as many as may go, and wakes up again when the next one may. */
    const advance = () => {
      if (alarm !== undefined) alarms.clear(alarm)
      alarm = undefined
      for (const waiter of waiting) {
        const now = alarms.now()
        state = Rate.asOf(state, now)
        const taken = Rate.take(state, now)
        if (typeof taken === "number") {
          alarm = alarms.set(now + taken, advance)
          return
        }
        state = taken
        waiting.delete(waiter)
        waiter.go()
      }
    }

    const send = (call: Policy.Call) => {
      const sentAt = alarms.now()
      call.held.add((exit) => {
        const now = alarms.now()
        if (isRefusal(exit)) {
          refusals++
          become(Rate.refused(state, settings, sentAt, now))
        } else if (exit._tag === "Success") become(Rate.answered(state, settings, now))
      })
    }

    const wait = (call: Policy.Call) =>
      Effect.async<void, LlmError.LlmError>((resume) => {
        const deadline = Deadline.toMillis(call.deadline)
        const late = deadline === Infinity ? undefined : alarms.set(deadline, () => {
          waiting.delete(waiter)
          resume(Effect.fail(deadlineExceeded(call)))
          advance()
        })
        const waiter: Waiter = {
          go() {
            if (late !== undefined) alarms.clear(late)
            send(call)
            resume(Effect.void)
          }
        }
        waiting.add(waiter)
        advance()
        return Effect.sync(() => {
          if (late !== undefined) alarms.clear(late)
          if (waiting.delete(waiter)) advance()
        })
      })

    const deadlineExceeded = (call: Policy.Call) =>
      new LlmError.DeadlineExceeded({
        backend,
        model: call.model,
        phase: "queued",
        message: `the call's deadline passed before ${backend} could be asked again at the rate that it takes`
      })

    const rate = () => state._tag === "On" ? Option.some(state.rate) : Option.none()

    yield* Monitor.register({
      backend,
      read: () => ({
        adaptiveRate: { ...(state._tag === "On" && { perSecond: state.rate }), waiting: waiting.size, refusals }
      })
    })

    return {
      policy: (next) => (call) =>
        Effect.suspend(() => {
          const taken = waiting.size === 0 ? Rate.take(state, alarms.now()) : 0
          if (typeof taken === "number") return Effect.flatMap(wait(call), () => next(call))
          state = taken
          send(call)
          return next(call)
        }),
      rate: Effect.sync(rate)
    }
  })

const isRefusal = (exit: Exit.Exit<unknown, unknown>): boolean =>
  exit._tag === "Failure" && Option.exists(
    Option.filter(Cause.failureOption(exit.cause), LlmError.isLlmError),
    (error) =>
      error._tag === "RateLimited" && !Option.exists(LlmError.retryAfter(error), Duration.equals(Duration.zero))
  )
