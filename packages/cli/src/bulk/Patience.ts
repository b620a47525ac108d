/**
 * Bulk work has time. A call that was not let in, because the backend is down, its keys are cooling or the queue is
 * full, has cost nothing and comes again; one for which the budget has no room waits until those under way have cost
 * less than they had reserved. When nothing at all has gone on for long enough, the work stops and can be taken up
 * again; no line has failed for that.
 *
 * @since 0.1.0
 */
import * as LlmError from "@spillway/core/LlmError"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * Why the work stops before its end:
 *
 * - `interrupted`: somebody said so;
 * - `deadline`: its time is over;
 * - `budget`: its money is spent;
 * - `price`: there is a budget, and nobody knows what a model costs;
 * - `standstill`: nothing has gone on for too long.
 *
 * @since 0.1.0
 * @category models
 */
export type Reason = "interrupted" | "deadline" | "budget" | "price" | "standstill"

/**
 * The work has stopped, and the line is left for another time.
 *
 * @since 0.1.0
 * @category errors
 */
export class Left extends Data.TaggedError("Left") {}

/**
 * Asks until there is an answer, or an error that says something of the line.
 *
 * @since 0.1.0
 * @category models
 */
export interface Patience {
  readonly ask: <A>(call: Effect.Effect<A, LlmError.LlmError>) => Effect.Effect<A, LlmError.LlmError | Left>
  /** Nothing more is begun; what is under way ends. The first reason stands. */
  readonly stop: (reason: Reason, detail?: string) => Effect.Effect<void>
  readonly stopped: () => Stopped | undefined
  /** Calls that wait to come again. */
  readonly held: () => number
}

/**
 * That it has stopped, and why.
 *
 * @since 0.1.0
 * @category models
 */
export interface Stopped {
  readonly reason: Reason
  /** In words, where there is more to say. */
  readonly detail?: string
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Patience that is over when nothing has gone on for as long as `standstill`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (standstill: Duration.Duration): Effect.Effect<Patience> =>
  Effect.gen(function*() {
    const stopping = yield* Deferred.make<void>()
    const room = yield* Effect.makeLatch(false)
    let stopped: Stopped | undefined
    let lastEnd = yield* Clock.currentTimeMillis
    let underWay = 0
    let held = 0

    const stop: Patience["stop"] = (reason, detail) =>
      Effect.suspend(() => {
        stopped ??= { reason, ...(detail !== undefined && { detail }) }
        return Deferred.succeed(stopping, undefined)
      })
    const ended = Effect.flatMap(Clock.currentTimeMillis, (now) => {
      lastEnd = now
      return room.release
    })
    const hold = (until: Effect.Effect<void>): Effect.Effect<void, Left> =>
      Effect.suspend(() => {
        held++
        return Effect.raceFirst(until, Deferred.await(stopping))
      }).pipe(
        Effect.ensuring(Effect.sync(() => held--)),
        Effect.zipRight(Effect.suspend(() => stopped === undefined ? Effect.void : new Left()))
      )
    const leave = (reason: Reason, detail?: string) => Effect.zipRight(stop(reason, detail), new Left())

    const comeAgain: { readonly [F in Fate]: (error: LlmError.LlmError) => Effect.Effect<void, LlmError.LlmError | Left> } = {
      fails: (error) => Effect.zipRight(ended, Effect.fail(error)),
      waits: (error) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) => {
          const patience = lastEnd + Duration.toMillis(standstill) - now
          if (patience <= 0) return leave("standstill", error.message)
          const wait = Option.match(LlmError.retryAfter(error), { onNone: () => aWhile, onSome: Duration.toMillis })
          // a call under way may have reserved what this one lacks
          return Effect.zipRight(room.release, hold(Effect.sleep(Math.max(leastWait, Math.min(wait, patience)))))
        }),
      // the last one for which there was room has ended by now, or this one would have been it
      parks: (error) =>
        error._tag === "BudgetExceeded" && error.reason === "PriceUnknown"
          ? leave("price", error.message)
          : underWay === 0 ? leave("budget") : hold(room.await),
      isLate: () => leave("deadline")
    }
    const ask: Patience["ask"] = (call) =>
      Effect.suspend(() => {
        underWay++
        return Effect.matchEffect(Effect.ensuring(call, Effect.sync(() => underWay--)), {
          onSuccess: (answer) => Effect.as(ended, answer),
          onFailure: (error) => Effect.flatMap(comeAgain[fates[error._tag]](error), () => ask(call))
        })
      })
    return { ask, stop, stopped: () => stopped, held: () => held }
  })

const aWhile = 1000

/** A backend that says "at once" and does not mean it is not asked more often than this. */
const leastWait = 250

/** What becomes of a line whose call has failed: it fails, it waits for time or for room, or it is too late for it. */
type Fate = "fails" | "waits" | "parks" | "isLate"

const fates: { readonly [T in LlmError.Tag]: Fate } = {
  RateLimited: "waits",
  QuotaExhausted: "fails",
  AuthenticationFailed: "fails",
  PermissionDenied: "fails",
  InvalidRequest: "fails",
  ModelNotFound: "fails",
  NotFound: "fails",
  Conflict: "fails",
  ContentFiltered: "fails",
  // retries have not helped, and the circuit is not open: it may well be this request
  ServerFault: "fails",
  NetworkFailure: "fails",
  MalformedResponse: "fails",
  StreamInterrupted: "fails",
  Unsupported: "fails",
  InvalidOutput: "fails",
  TimedOut: "fails",
  DeadlineExceeded: "isLate",
  CircuitOpen: "waits",
  QueueFull: "waits",
  KeysCooling: "waits",
  KeysExhausted: "fails",
  BudgetExceeded: "parks",
  PartialFailure: "fails"
}
