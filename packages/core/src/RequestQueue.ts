/**
 * A waiting room with a limited number of places behind it: the calls that a backend takes at once, and those that
 * wait for one of them to end. It is a `Queue` and a `Semaphore` in one, since a semaphore of its own would wake all who
 * wait each time a place comes free.
 *
 * A call that finds a free place and nobody waiting takes it in one synchronous step. Otherwise it waits, and the
 * place of a call that ends is handed to the one whose turn it is: nobody polls, no newcomer slips in between, and
 * a caller who gives up is out in the same instant. A place is held until the answer has *ended*, which for a stream
 * is when its last part is there, or its consumer goes away.
 *
 * **Whose turn it is**, the stronger rule first:
 *
 * 1. *Priority* (`Policy.CurrentPriority`): the most urgent level.
 * 2. *Fairness* (`Policy.CurrentTenant`): between the tenants who have a call at that level it goes round, and each has
 *    as much as its weight says. Whoever has many calls waiting makes its own wait, not those of others.
 * 3. *Deadlines* (`Policy.CurrentDeadline`): of a tenant's calls, the one that would have to be given up first, by its
 *    deadline or by the queue's longest wait; so those without a deadline go in the order they came.
 * 4. *Seniority*: whoever came first. A further attempt stands where the first one stood.
 *
 * Against starvation there is *ageing*: a call's patience ends when it has waited `ageing` × (1 + its level). As long as
 * any such call waits, levels do not count between tenants: it goes round all of them, and of a tenant those calls go
 * first that have waited their patience, the one that did so first before the others, then the rest by the rules above.
 * So of its own tenant's calls only those overtake a call that came less than its patience after it, and of the other
 * tenants' only as many as have their turns.
 *
 * **What is not let in** is told so at once, and costs no call to the backend: `QueueFull` when no more may wait (or,
 * by option, one that is less urgent has to go), `DeadlineExceeded` when it would wait past its deadline by the pace at
 * which calls have been ending. The pace is measured, never assumed: nothing is refused on its account before sixteen
 * calls have ended while others waited, nor ever more than a share of the calls that come.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Alarms from "./internal/alarms.js"
import { listed } from "./internal/listed.js"
import * as QueueOptions from "./internal/queueOptions.js"
import * as Turnstile from "./internal/turnstile.js"
import type * as InvalidOptions from "./InvalidOptions.js"
import type * as LlmError from "./LlmError.js"
import * as Monitor from "./Monitor.js"
import * as Policy from "./Policy.js"

export { Options } from "./internal/queueOptions.js"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * How a queue is built.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Whose queue it is, in errors and for the monitor. */
  readonly backend: string
  /**
   * Most calls that wait. A newcomer who finds them all there is refused with `QueueFull`; with 0 nobody ever waits.
   *
   * @default 100
   */
  readonly capacity?: number | undefined
  /**
   * Most calls under way at once, from 1.
   *
   * @default 5
   */
  readonly concurrency?: number | undefined
  /**
   * Longest wait, from 1 millisecond. Then the call fails with `QueueFull`: nothing was sent, and waiting again
   * would not be shorter.
   *
   * @default 300 seconds
   */
  readonly maxWait?: Duration.DurationInput | undefined
  /**
   * How long a `high` call waits until its patience ends and it goes before its tenant's others, from 1 millisecond; a
   * `normal` one waits twice as long, a `low` one three times. With `Duration.infinity` more urgent calls always go
   * first, and low ones starve.
   *
   * @default 30 seconds
   */
  readonly ageing?: Duration.DurationInput | undefined
  /**
   * What becomes of a newcomer when no more calls may wait: it is refused, or it displaces the one that came last of
   * those at the least urgent level, provided that this is less urgent than its own and that the other has not waited
   * its patience (see `ageing`). One of the two fails with `QueueFull`.
   *
   * @default "refuse"
   */
  readonly overflow?: "refuse" | "displace" | undefined
  /**
   * Most calls of one tenant that wait, from 1: more are refused with `QueueFull`, though there be room.
   *
   * @default as many as all together
   */
  readonly tenantCapacity?: number | undefined
  /**
   * How the places are shared between tenants who all have calls waiting. The tenants of calls that name none are one
   * tenant.
   *
   * @default the same number of calls to each
   */
  readonly fairness?: Fairness | undefined
  /**
   * Most calls that are refused with `DeadlineExceeded` when they come, because by the pace at which calls have been
   * ending they would not be let in before their deadline: a share, from 0 (none) to 1, of the calls that come. Beyond it
   * they wait and see, as all do until a pace has been measured: a wrong one must not shut everybody out.
   *
   * @default 0.2
   */
  readonly lateShare?: number | undefined
}

/**
 * How tenants take turns: weighted deficit round robin.
 *
 * @since 0.1.0
 * @category models
 */
export interface Fairness {
  /**
   * What is shared: calls, or tokens by `Tokens.estimate` of what the call asks and the most it may be answered. Only
   * what waits is counted, and only while more than one tenant does.
   *
   * @default "calls"
   */
  readonly cost?: "calls" | "tokens" | undefined
  /**
   * How many of these a tenant with a weight of 1 has in a round, from 1. With more, a tenant has more calls in a row, and
   * the others wait for longer until it is their turn.
   *
   * @default 1 call, or 1,000 tokens
   */
  readonly quantum?: number | undefined
  /**
   * How much a tenant has for each that one with a weight of 1 has, 0.001 to 1,000.
   *
   * @default {}
   */
  readonly weights?: { readonly [tenant: string]: number } | undefined
  /**
   * The weight of all other tenants, 0.001 to 1,000.
   *
   * @default 1
   */
  readonly defaultWeight?: number | undefined
}

/**
 * A backend's queue.
 *
 * @since 0.1.0
 * @category models
 */
export interface RequestQueue {
  readonly backend: string
  /** Lets a call through when it has a place, which it gives back when its answer has ended. */
  readonly policy: Policy.Policy
  /** Calls that wait. */
  readonly size: Effect.Effect<number>
  /** Calls under way. */
  readonly inFlight: Effect.Effect<number>
  /**
   * Gives the calls that wait by this name (`Policy.withCallId`) another priority; they are as old as before. Whether any
   * does wait by that name: one that is under way, or waits for its next attempt, does not.
   */
  readonly boost: (id: string, priority: Policy.Priority) => Effect.Effect<boolean>
  /**
   * Changes how many calls may be under way at once. More: as many who wait go at once. Fewer: nobody is stopped, and
   * nobody is let through until the number has come down.
   */
  readonly setConcurrency: (concurrency: number) => Effect.Effect<void, InvalidOptions.InvalidOptions>
  /** Changes how many calls may wait. Nobody who waits already is sent away. */
  readonly setCapacity: (capacity: number) => Effect.Effect<void, InvalidOptions.InvalidOptions>
  /** Lets nobody through until `resume`; newcomers wait. A queue that drains goes on draining. */
  readonly pause: Effect.Effect<void>
  /** Ends a pause, or takes newcomers again after a drain. After `shutdown` it does nothing. */
  readonly resume: Effect.Effect<void>
  /**
   * Refuses newcomers with `QueueFull`, and returns when all who wait have had their turn and ended. A call that comes
   * back for a further attempt is no newcomer.
   */
  readonly drain: Effect.Effect<void>
  /**
   * For good: refuses newcomers and sends away all who wait, both with `QueueFull`, and returns when the calls under
   * way have ended. The end of the queue's scope does the same, and waits for nobody.
   */
  readonly shutdown: Effect.Effect<void>
}

// -----------------------------------------------------------------------------
// references
// -----------------------------------------------------------------------------

/**
 * Where queues are found that are made here: one list for the whole program, unless another is provided.
 *
 * @since 0.1.0
 * @category references
 */
export class CurrentQueues extends Context.Reference<CurrentQueues>()("@spillway/core/CurrentQueues", {
  defaultValue: (): Set<RequestQueue> => new Set()
}) {}

/**
 * Every queue that there is now, by the current list: to pause, resume and resize them from outside.
 *
 * @since 0.1.0
 * @category combinators
 */
export const queues: Effect.Effect<ReadonlyArray<RequestQueue>> = Effect.map(CurrentQueues, (queues) => [...queues])

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * A queue that nobody waits in. It tells the `Monitor` of itself, and is in the list of queues, until its scope closes.
 *
 * @since 0.1.0
 * @category constructors
 * @example
 * ```ts
 * import { LlmService, RequestQueue, Resilience } from "@spillway/core"
 * import { Effect } from "effect"
 * import * as assert from "node:assert"
 *
 * const echo = LlmService.make("echo", { listModels: Effect.succeed([]) })
 *
 * const program = Effect.gen(function*() {
 *   const queue = yield* RequestQueue.make({ backend: "echo", concurrency: 20 })
 *   const service = Resilience.protect(echo, queue.policy)
 *   assert.deepStrictEqual(yield* service.listModels, [])
 *   assert.strictEqual(yield* queue.inFlight, 0)
 * })
 *
 * Effect.runPromise(Effect.scoped(program))
 * ```
 */
export const make = (
  options: Options
): Effect.Effect<RequestQueue, InvalidOptions.InvalidOptions, Scope.Scope> =>
  Effect.gen(function*() {
    const settings = yield* QueueOptions.validate(options)
    const alarms = yield* Alarms.make
    const idlers = new Set<() => void>()
    const turnstile = Turnstile.make(settings, alarms.now, () => {
      for (const idler of idlers) idler()
      idlers.clear()
    })

    const wait = (call: Policy.Call) =>
      Effect.async<void, LlmError.LlmError>((resume) => {
        let alarm: Alarms.Alarm | undefined
        const waiter = turnstile.come(call, (refusal) => {
          if (alarm !== undefined) alarms.clear(alarm)
          resume(refusal === undefined ? Effect.void : Effect.fail(refusal))
        })
        if (waiter === undefined) return
        if (waiter.until < Infinity) alarm = alarms.set(waiter.until, () => turnstile.giveUp(waiter))
        return Effect.sync(() => {
          if (turnstile.withdraw(waiter) && alarm !== undefined) alarms.clear(alarm)
        })
      })

    const idle = Effect.async<void>((resume) => {
      if (turnstile.inFlight() === 0 && turnstile.waiting() === 0) return resume(Effect.void)
      const idler = () => resume(Effect.void)
      idlers.add(idler)
      return Effect.sync(() => idlers.delete(idler))
    })

    const shut = Effect.sync(() => turnstile.turn("shut"))
    yield* Effect.addFinalizer(() => shut)

    yield* Monitor.register({
      backend: settings.backend,
      read: (at) => ({ queue: turnstile.read(at) })
    })

    return yield* listed<RequestQueue>(yield* CurrentQueues, {
      backend: settings.backend,
      policy: (next) => (call) =>
        Effect.suspend(() =>
          turnstile.pass(call) ? next(call) : Effect.flatMap(wait(call), () => next(call))
        ),
      size: Effect.sync(turnstile.waiting),
      inFlight: Effect.sync(turnstile.inFlight),
      boost: (id, priority) => Effect.sync(() => turnstile.boost(id, Policy.toLevel(priority))),
      setConcurrency: (value) =>
        Effect.map(QueueOptions.validateConcurrency({ concurrency: value }), () => turnstile.setConcurrency(value)),
      setCapacity: (value) =>
        Effect.map(QueueOptions.validateCapacity({ capacity: value }), () => turnstile.setCapacity(value)),
      pause: Effect.sync(() => {
        if (turnstile.mode() === "open") turnstile.turn("paused")
      }),
      resume: Effect.sync(() => turnstile.turn("open")),
      drain: Effect.zipRight(Effect.sync(() => turnstile.turn("draining")), idle),
      shutdown: Effect.zipRight(shut, idle)
    })
  })
