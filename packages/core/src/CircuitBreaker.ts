/**
 * Leaves a backend alone that keeps failing, and lets a probe through now and then to see whether it is back.
 *
 * What counts against the backend are the errors that are its own fault
 * (`LlmError.isBackendFault`). Every other answer, a refusal included, shows that it is there, and counts as a
 * success. What never reached it, and what was interrupted, counts as nothing.
 *
 * A call is judged when its answer has *ended*, so a stream that breaks half-way is a failure, and one that its
 * consumer leaves early is none. A probe alone is judged as soon as it has answered, which for a stream is its first
 * part: the others do not wait until a long answer has been read. Should that stream break later, it counts then, as
 * any other would.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as MutableRef from "effect/MutableRef"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as PubSub from "effect/PubSub"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Circuit from "./internal/circuit.js"
import * as InvalidOptions from "./InvalidOptions.js"
import * as LlmError from "./LlmError.js"
import * as Monitor from "./Monitor.js"
import type * as Policy from "./Policy.js"

export {
  /**
   * Opens at so many failures in a row; one success forgets them.
   *
   * @since 0.1.0
   * @category constructors
   */
  consecutive
} from "./internal/circuit.js"
export type { Closed, HalfOpen, Open, Outcome, Rule, State } from "./internal/circuit.js"

// -----------------------------------------------------------------------------
// outcomes
// -----------------------------------------------------------------------------

/** Whether the backend was asked at all, when a call ends in this error. */
const wasAsked: { readonly [T in LlmError.Tag]: boolean } = {
  RateLimited: true,
  QuotaExhausted: true,
  AuthenticationFailed: true,
  PermissionDenied: true,
  InvalidRequest: true,
  ModelNotFound: true,
  NotFound: true,
  Conflict: true,
  ContentFiltered: true,
  ServerFault: true,
  NetworkFailure: true,
  MalformedResponse: true,
  StreamInterrupted: true,
  Unsupported: false,
  InvalidOutput: true,
  TimedOut: true,
  DeadlineExceeded: false,
  CircuitOpen: false,
  QueueFull: false,
  KeysCooling: false,
  KeysExhausted: false,
  BudgetExceeded: false,
  PartialFailure: false
}

/**
 * What the end of a call says of its backend. An interruption says nothing, nor does a bug, nor an error that is not
 * one of `LlmError`.
 *
 * @since 0.1.0
 * @category outcomes
 */
export const outcome = (exit: Exit.Exit<unknown, unknown>): Circuit.Outcome =>
  exit._tag === "Success" ? "Success" : Option.match(failure(exit.cause), {
    onNone: () => "Neutral",
    onSome: (error) => LlmError.isBackendFault(error) ? "Failure" : wasAsked[error._tag] ? "Success" : "Neutral"
  })

const failure = (cause: Cause.Cause<unknown>) => Option.filter(Cause.failureOption(cause), LlmError.isLlmError)

// -----------------------------------------------------------------------------
// breakers
// -----------------------------------------------------------------------------

/**
 * How a breaker is built.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Whose circuit it is, in errors and for the monitor. */
  readonly backend: string
  /**
   * Failures in a row that open the circuit, from 1.
   *
   * @default 5
   */
  readonly failures?: number | undefined
  /**
   * Another rule for when to open; `failures` then means nothing.
   *
   * @default consecutive(failures)
   */
  readonly rule?: Circuit.Rule | undefined
  /**
   * How long an open circuit lets nothing through, from 1 millisecond. A probe that has not answered in this time is
   * waited for no longer: one more goes.
   *
   * @default 30 seconds
   */
  readonly openFor?: Duration.DurationInput | undefined
  /**
   * Most probes under way at once, from 1.
   *
   * @default 1
   */
  readonly probes?: number | undefined
  /**
   * Probes that must succeed before the circuit closes, from 1. The first that fails opens it again.
   *
   * @default 1
   */
  readonly successes?: number | undefined
}

/**
 * A backend's circuit breaker.
 *
 * @since 0.1.0
 * @category models
 */
export interface CircuitBreaker {
  /** Lets a call through, or fails at once with `CircuitOpen`, whose `retryAfter` is what is left. */
  readonly policy: Policy.Policy
  /** What the circuit is. It becomes half-open when a call comes, so one that nobody calls stays open. */
  readonly state: Effect.Effect<Circuit.State>
  /** What the circuit is, and then what it becomes. */
  readonly changes: Stream.Stream<Circuit.State>
  /** Opens it by hand: nothing goes through until `close`. */
  readonly open: Effect.Effect<void>
  /** Closes it by hand, with nothing recorded. */
  readonly close: Effect.Effect<void>
}

const count = InvalidOptions.whole({ atLeast: 1 })

const validate = InvalidOptions.validate(
  "CircuitBreaker",
  Schema.Struct({
    backend: InvalidOptions.name,
    failures: Schema.optionalWith(count, { default: () => 5 }),
    rule: Schema.optionalWith(
      Schema.declare((u): u is Circuit.Rule => Predicate.hasProperty(u, "after") && typeof u.after === "function").annotations({
        message: () => ({ message: "must be a rule", override: true })
      }),
      { as: "Option" }
    ),
    openFor: Schema.optionalWith(InvalidOptions.duration({ atLeast: 1 }), { default: () => Duration.seconds(30) }),
    probes: Schema.optionalWith(count, { default: () => 1 }),
    successes: Schema.optionalWith(count, { default: () => 1 })
  })
)

const states = { Closed: "closed", Open: "open", HalfOpen: "half-open" } as const

/**
 * A closed circuit. It tells the `Monitor` of itself until its scope closes.
 *
 * @since 0.1.0
 * @category constructors
 * @example
 * ```ts
 * import { CircuitBreaker, LlmError, LlmService, Resilience } from "@spillway/core"
 * import { Effect } from "effect"
 * import * as assert from "node:assert"
 *
 * const dead = LlmService.make("dead", {
 *   listModels: new LlmError.NetworkFailure({ backend: "dead", message: "connection refused" })
 * })
 *
 * const program = Effect.gen(function*() {
 *   const breaker = yield* CircuitBreaker.make({ backend: "dead", failures: 1 })
 *   const service = Resilience.protect(dead, breaker.policy)
 *   assert.strictEqual((yield* Effect.flip(service.listModels))._tag, "NetworkFailure")
 *   assert.strictEqual((yield* Effect.flip(service.listModels))._tag, "CircuitOpen")
 * })
 *
 * Effect.runPromise(Effect.scoped(program))
 * ```
 */
export const make = (
  options: Options
): Effect.Effect<CircuitBreaker, InvalidOptions.InvalidOptions, Scope.Scope> =>
  Effect.gen(function*() {
    const { backend, failures, probes, successes, ...rest } = yield* validate(options)
    const settings: Circuit.Settings = {
      rule: Option.getOrElse(rest.rule, () => Circuit.consecutive(failures)),
      openFor: Duration.toMillis(rest.openFor),
      probes,
      successes
    }
    const clock = yield* Effect.clock
    const hub = yield* PubSub.unbounded<Circuit.State>()
    const current = MutableRef.make(Circuit.initial(settings))
    let openings = 0

    const now = () => clock.unsafeCurrentTimeMillis()

    const become = (state: Circuit.State) => {
      const before = MutableRef.get(current)
      MutableRef.set(current, state)
      if (before._tag === state._tag) return
      if (state._tag === "Open") openings++
      hub.unsafeOffer(state)
    }

    const enter = (): Option.Option<Circuit.Ticket> => {
      const [ticket, state] = Circuit.admit(MutableRef.get(current), now(), settings)
      become(state)
      return ticket
    }

    const judge = (ticket: Circuit.Ticket, exit: Exit.Exit<unknown, unknown>) =>
      become(Circuit.settle(
        MutableRef.get(current),
        ticket,
        outcome(exit),
        now(),
        settings,
        exit._tag === "Success" ? Option.none() : Option.map(failure(exit.cause), (error) => error._tag)
      ))

    const circuitOpen = (call: Policy.Call) => {
      const state = MutableRef.get(current)
      const left = state._tag === "Closed" ? 0 : state.until - now()
      const retryAfter = Duration.millis(Math.max(left, 0))
      return new LlmError.CircuitOpen({
        backend,
        model: call.model,
        ...(Number.isFinite(left) && { retryAfter }),
        message: state._tag === "HalfOpen"
          ? `${backend} has been failing, and is being probed`
          : state._tag === "Open" && Option.isSome(state.reason)
          ? `${backend} has been failing (${state.reason.value}), and is left alone for ${Duration.format(retryAfter)}`
          : `${backend}'s circuit was opened by hand`
      })
    }

    yield* Monitor.register({
      backend,
      read: () => {
        const state = MutableRef.get(current)
        return {
          circuit: {
            state: states[state._tag],
            failures: state._tag === "Closed" ? state.rule.failures : 0,
            ...(state._tag === "Open" && Number.isFinite(state.until) && { openUntil: state.until }),
            opened: openings
          }
        }
      }
    })

    return {
      policy: (next) => (call) =>
        Effect.suspend(() => {
          const entered = enter()
          if (entered._tag === "None") return Effect.fail(circuitOpen(call))
          let ticket = entered.value
          call.held.add((exit) => judge(ticket, exit))
          return ticket.kind === "call" ? next(call) : Effect.map(next(call), (answer) => {
            const [later, state] = Circuit.answer(MutableRef.get(current), ticket, now(), settings)
            ticket = later
            become(state)
            return answer
          })
        }),
      state: Effect.sync(() => MutableRef.get(current)),
      changes: Stream.unwrapScoped(
        Effect.map(PubSub.subscribe(hub), (later) =>
          Stream.changesWith(
            Stream.concat(Stream.make(MutableRef.get(current)), Stream.fromQueue(later)),
            (self, that) => self._tag === that._tag
          ))
      ),
      open: Effect.sync(() => become(Circuit.opened(MutableRef.get(current), Infinity))),
      close: Effect.sync(() => become(Circuit.closed(MutableRef.get(current), settings)))
    }
  })
