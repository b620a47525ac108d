/**
 * Leaves a backend alone that keeps failing, and lets a probe through now and then to see whether it is back.
 *
 * | state | what goes through | becomes |
 * |---|---|---|
 * | closed | everything | open, at so many failures in a row or (`rate`) at a share of failures or of slow answers |
 * | open | nothing | half-open, with the first call after the open time |
 * | half-open | a few probes | closed or open, as they fare |
 * | isolated | nothing | closed, when nobody holds it so any longer |
 * | disabled | everything, and nothing is counted | closed, when it is enabled |
 *
 * **What counts.** A failure is an error that is the backend's own fault (`LlmError.isBackendFault`). Every other answer,
 * a refusal included, shows that it is there, and counts as a success. What never reached it counts as nothing.
 *
 * **In a row.** Of calls that began together those that fail come back first, and a few of many are no sign that the
 * backend is dead. So a row must also be half as long as there are calls that wait for an answer: with the queue's 5
 * places that is always so, with 64 it takes 32.
 *
 * **When.** A call is judged when its answer has *ended*, so a stream that breaks half-way is a failure, and one that its
 * consumer leaves early is none. A probe alone is judged as soon as it has answered, which for a stream is its first
 * part: the others do not wait until a long answer has been read. Should that stream break later, it counts then, as
 * any other would.
 *
 * **A backend that hangs.** An attempt timeout is a failure. But callers may be gone before it, each at a deadline of his
 * own or interrupted, and a backend that answers nobody would never be found out. So a call that was given up without
 * an answer is a failure too, if it had waited for at least a second (`patience`) and for twice as long as the latest
 * answers took on average. Who wants an answer sooner than that has learnt nothing of the backend, and is none: a
 * caller with a deadline of 10 milliseconds opens nobody's circuit. Before a backend that hangs the queue uses up what
 * callers have of time: so it counts as waited too, as far as another has waited so long and nobody was answered since.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as MutableRef from "effect/MutableRef"
import * as Option from "effect/Option"
import * as PubSub from "effect/PubSub"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Circuit from "./internal/circuit.js"
import * as CircuitOptions from "./internal/circuitOptions.js"
import * as Outcome from "./internal/circuitOutcome.js"
import * as Report from "./internal/circuitReport.js"
import * as CircuitSnapshot from "./internal/circuitSnapshot.js"
import { listed } from "./internal/listed.js"
import * as Unanswered from "./internal/unanswered.js"
import * as InvalidOptions from "./InvalidOptions.js"
import * as Monitor from "./Monitor.js"
import type * as Policy from "./Policy.js"

export { Options, type Rate } from "./internal/circuitOptions.js"
export type { Memory } from "./internal/circuitRule.js"
export type { Snapshot } from "./internal/circuitSnapshot.js"
export type { Closed, Disabled, Fault, HalfOpen, Isolated, Known, Open, Outcome, State } from "./internal/circuitState.js"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * A backend's circuit breaker.
 *
 * @since 0.1.0
 * @category models
 */
export interface CircuitBreaker {
  readonly backend: string
  /** Lets a call through, or fails at once with `CircuitOpen`, whose `retryAfter` is what is left. */
  readonly policy: Policy.Policy
  /** What the circuit is. It becomes half-open when a call comes, so one that nobody calls stays open. */
  readonly state: Effect.Effect<Circuit.State>
  /** What the circuit is, and then what it becomes. */
  readonly changes: Stream.Stream<Circuit.State>
  /** How it becomes something else, from now on; each time is told once. */
  readonly transitions: Stream.Stream<Monitor.CircuitTransition>
  /** Opens it by hand: nothing goes through until `close`. */
  readonly open: Effect.Effect<void>
  /** Opens it by hand for a time, from 1 millisecond; then it is probed. */
  readonly openFor: (time: Duration.DurationInput) => Effect.Effect<void, InvalidOptions.InvalidOptions>
  /** Opens it by hand until a moment, in milliseconds since 1970; then it is probed. */
  readonly openUntil: (moment: number) => Effect.Effect<void, InvalidOptions.InvalidOptions>
  /** Closes it by hand, whatever it is, with nothing remembered. */
  readonly close: Effect.Effect<void>
  /**
   * Lets nothing through until the scope closes: it is closed when the last of those who isolated it has gone. Where
   * somebody said otherwise in the meantime (`close`, `open`, `disable`), that holds.
   */
  readonly isolate: Effect.Effect<void, never, Scope.Scope>
  /** Takes it out of use: everything goes through, and nothing is counted, until `enable`. */
  readonly disable: Effect.Effect<void>
  /** Takes a disabled circuit into use again, closed. */
  readonly enable: Effect.Effect<void>
  /** The circuit as JSON, to go on with later. */
  readonly snapshot: Effect.Effect<CircuitSnapshot.Snapshot>
  /**
   * Goes on as it was once saved. What is no snapshot is named, and changes nothing; what was counted by another rule is
   * forgotten, an isolation has ended with those who held it, and an open time that was not set by hand is no longer
   * than it can be here.
   */
  readonly restore: (snapshot: CircuitSnapshot.Snapshot) => Effect.Effect<void, InvalidOptions.InvalidOptions>
}

/**
 * What the end of a call says of its backend, unless the options say otherwise. A bug says nothing, nor does an error
 * that is not one of `LlmError`.
 *
 * @since 0.1.0
 * @category outcomes
 */
export const outcome = (exit: Exit.Exit<unknown, unknown>): Circuit.Outcome => Outcome.ofExit(exit, Outcome.ofError)

// -----------------------------------------------------------------------------
// references
// -----------------------------------------------------------------------------

/**
 * Where circuit breakers are found that are made here: one list for the whole program, unless another is provided.
 *
 * @since 0.1.0
 * @category references
 */
export class CurrentBreakers extends Context.Reference<CurrentBreakers>()("@spillway/core/CurrentBreakers", {
  defaultValue: (): Set<CircuitBreaker> => new Set()
}) {}

/**
 * Every circuit breaker that there is now, by the current list: to open and close them from outside.
 *
 * @since 0.1.0
 * @category combinators
 */
export const breakers: Effect.Effect<ReadonlyArray<CircuitBreaker>> = Effect.map(
  CurrentBreakers,
  (breakers) => [...breakers]
)

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

const mostRemembered = 50

const validateOpenFor = InvalidOptions.validate(
  "CircuitBreaker",
  Schema.Struct({ openFor: InvalidOptions.duration({ atLeast: 1 }) })
)
const validateOpenUntil = InvalidOptions.validate(
  "CircuitBreaker",
  Schema.Struct({ openUntil: InvalidOptions.number({ atLeast: 0 }) })
)

/**
 * A closed circuit. It tells the `Monitor` of itself, and is in the list of breakers, until its scope closes.
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
  options: CircuitOptions.Options
): Effect.Effect<CircuitBreaker, InvalidOptions.InvalidOptions, Scope.Scope> =>
  Effect.gen(function*() {
    const { backend, judge, settings } = yield* CircuitOptions.read(options, yield* Random.nextInt)
    const clock = yield* Effect.clock
    const hub = yield* PubSub.unbounded<Change>()
    const current = MutableRef.make(Circuit.initial(settings))
    const unanswered = Unanswered.make()
    const timeline: Array<Monitor.CircuitTransition> = []
    const counts = { opened: 0, refused: 0, transitions: 0 }
    const changes = new Map<string, Monitor.CircuitChange>()

    const now = () => clock.unsafeCurrentTimeMillis()

    const become = (state: Circuit.State, reason?: Monitor.CircuitTransition["reason"]) => {
      const before = MutableRef.get(current)
      MutableRef.set(current, state)
      if (before._tag === state._tag) return
      const transition = Report.transition(before, state, now(), reason)
      timeline.push(transition)
      if (timeline.length > mostRemembered) timeline.shift()
      counts.transitions++
      const { from, to } = transition
      const change = `${from} ${to}`
      changes.set(change, { from, to, times: 1 + (changes.get(change)?.times ?? 0) })
      if (state._tag === "Open") counts.opened++
      hub.unsafeOffer({ state, transition })
    }

    const byHand = (change: (state: Circuit.State) => Circuit.State) =>
      Effect.sync(() => {
        become(change(MutableRef.get(current)), "hand")
        return MutableRef.get(current).generation
      })

    yield* Monitor.register({
      backend,
      read: (now) => ({
        circuit: {
          ...Report.toMonitor(MutableRef.get(current), settings, now),
          ...counts,
          changes: [...changes.values()],
          timeline: [...timeline]
        }
      })
    })

    const policy: Policy.Policy = (next) => (call) =>
      Effect.suspend(() => {
        const since = now()
        const [entered, state] = Circuit.admit(MutableRef.get(current), since, settings)
        become(state)
        if (entered === undefined) {
          counts.refused++
          return Effect.fail(Report.refusal(backend, call.model, state, since))
        }
        unanswered.began()
        let ticket = entered
        let answeredAfter: number | undefined
        call.held.add((exit) => {
          const at = now()
          const said = Outcome.ofExit(exit, judge)
          // who leaves an answer early says nothing of it
          const outcome = answeredAfter !== undefined && said === "GivenUp" ? "Neutral" : said
          let waited = answeredAfter ?? at - since
          if (outcome === "Success" || outcome === "Refusal") unanswered.heard(at)
          else if (outcome === "GivenUp" && ticket.kind === "call") {
            unanswered.gaveUp(waited, at)
            waited = Math.max(waited, Math.min(at - (call.arrival.since ?? since), unanswered.longest()))
          }
          const fault = outcome === "Failure" || outcome === "GivenUp" ? Outcome.faultOf(exit) : Option.none()
          const state = MutableRef.get(current)
          become(Circuit.record(state, ticket, outcome, waited, at, settings, fault, unanswered.count()))
          if (answeredAfter === undefined) unanswered.ended()
        })
        if (ticket.kind === "call" && !call.isStreamed) return next(call)
        return Effect.map(next(call), (answer) => {
          const at = now()
          unanswered.ended()
          unanswered.heard(at)
          answeredAfter = at - since
          const [later, state] = Circuit.answer(MutableRef.get(current), ticket, answeredAfter, at, settings)
          ticket = later
          become(state)
          return answer
        })
      })

    const follow = <A>(read: (change: Change) => A) =>
      Effect.map(PubSub.subscribe(hub), (changes) => Stream.map(Stream.fromQueue(changes), read))

    return yield* listed<CircuitBreaker>(yield* CurrentBreakers, {
      backend,
      policy,
      state: Effect.sync(() => MutableRef.get(current)),
      changes: Stream.unwrapScoped(
        Effect.map(follow(({ state }) => state), (later) =>
          Stream.changesWith(
            Stream.concat(Stream.make(MutableRef.get(current)), later),
            (self, that) => self._tag === that._tag
          ))
      ),
      transitions: Stream.unwrapScoped(follow(({ transition }) => transition)),
      open: Effect.asVoid(byHand((state) => Circuit.opened(state, Infinity))),
      openFor: (time) =>
        Effect.flatMap(
          validateOpenFor({ openFor: time }),
          ({ openFor }) => byHand((state) => Circuit.opened(state, now() + Duration.toMillis(openFor)))
        ),
      openUntil: (moment) =>
        Effect.flatMap(
          validateOpenUntil({ openUntil: moment }),
          ({ openUntil }) => byHand((state) => Circuit.opened(state, openUntil))
        ),
      close: Effect.asVoid(byHand((state) => Circuit.closed(state, settings))),
      isolate: Effect.asVoid(Effect.acquireRelease(
        byHand(Circuit.isolated),
        (generation) => byHand((state) => Circuit.released(state, generation, settings))
      )),
      disable: Effect.asVoid(byHand(Circuit.disabled)),
      enable: Effect.asVoid(byHand((state) => Circuit.enabled(state, settings))),
      snapshot: Effect.sync(() => CircuitSnapshot.toSnapshot(MutableRef.get(current))),
      restore: (snapshot) =>
        Effect.flatMap(CircuitSnapshot.fromSnapshot({ snapshot }), ({ snapshot }) =>
          Effect.sync(() =>
            become(CircuitSnapshot.resumed(snapshot, MutableRef.get(current), now(), settings), "snapshot")
          ))
    })
  })

interface Change {
  readonly state: Circuit.State
  readonly transition: Monitor.CircuitTransition
}
