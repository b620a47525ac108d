/**
 * A waiting room with a limited number of places behind it: the calls that a backend takes at once, and those that
 * wait for one of them to end.
 *
 * A call that finds a free place and nobody waiting takes it in one synchronous step. Otherwise it waits, and the
 * place of a call that ends is handed to the one whose turn it is: nobody polls, no newcomer slips in between, and
 * a caller who gives up is out in the same instant. A place is held until the answer has *ended*, which for a stream
 * is when its last part is there, or its consumer goes away.
 *
 * **Whose turn it is.** The most urgent level first (`Policy.CurrentPriority`). Within a level, the call that would
 * have to be given up first: by its deadline, or by the queue's longest wait, so that those without a deadline go in
 * the order they came. Nobody starves: a call that has waited `ageing` × (1 + its level) goes before all that have
 * not, so it is overtaken only by calls accepted less than that time after it.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type * as Held from "./Held.js"
import * as Alarms from "./internal/alarms.js"
import * as WaitingRoom from "./internal/waitingRoom.js"
import * as InvalidOptions from "./InvalidOptions.js"
import * as LlmError from "./LlmError.js"
import * as Monitor from "./Monitor.js"
import type * as Policy from "./Policy.js"

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
   * How long a `high` call waits before it goes first in any case, from 1 millisecond; a `normal` one waits twice as
   * long, a `low` one three times. With `Duration.infinity` more urgent calls always go first, and low ones starve.
   *
   * @default 30 seconds
   */
  readonly ageing?: Duration.DurationInput | undefined
}

/**
 * A backend's queue.
 *
 * @since 0.1.0
 * @category models
 */
export interface RequestQueue {
  /** Lets a call through when it has a place, which it gives back when its answer has ended. */
  readonly policy: Policy.Policy
  /** Calls that wait. */
  readonly size: Effect.Effect<number>
  /** Calls under way. */
  readonly inFlight: Effect.Effect<number>
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

interface Waiter extends WaitingRoom.Waiter {
  readonly call: Policy.Call
  readonly resume: (outcome: Effect.Effect<void, LlmError.LlmError>) => void
  /** Rings when it is due; none where that is never. */
  alarm: Alarms.Alarm | undefined
}

const whole = InvalidOptions.whole
const duration = InvalidOptions.duration

const limits = {
  capacity: whole({ atLeast: 0 }),
  concurrency: whole({ atLeast: 1 })
}

const validate = InvalidOptions.validate(
  "RequestQueue",
  Schema.Struct({
    backend: InvalidOptions.name,
    capacity: Schema.optionalWith(limits.capacity, { default: () => 100 }),
    concurrency: Schema.optionalWith(limits.concurrency, { default: () => 5 }),
    maxWait: Schema.optionalWith(duration({ atLeast: 1 }), { default: () => Duration.seconds(300) }),
    ageing: Schema.optionalWith(duration({ atLeast: 1 }), { default: () => Duration.seconds(30) })
  })
)
const validateCapacity = InvalidOptions.validate("RequestQueue", Schema.Struct({ capacity: limits.capacity }))
const validateConcurrency = InvalidOptions.validate("RequestQueue", Schema.Struct({ concurrency: limits.concurrency }))

/** What a queue does with newcomers and with those who wait; where it takes no newcomers, `refusal` says why. */
const modes = {
  open: { goes: true, refusal: undefined },
  paused: { goes: false, refusal: undefined },
  draining: { goes: true, refusal: "is draining and takes no more calls" },
  shut: { goes: false, refusal: "is shut down" }
} as const

// the share that the past keeps in the measured pace, each time a call ends
const memory = 15 / 16

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * A queue that nobody waits in. It tells the `Monitor` of itself until its scope closes.
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
    const { backend, ...settings } = yield* validate(options)
    const maxWait = Duration.toMillis(settings.maxWait)
    const ageing = Duration.toMillis(settings.ageing)
    const alarms = yield* Alarms.make
    const now = alarms.now

    const room = WaitingRoom.make<Waiter>()
    const idlers = new Set<() => void>()
    let { capacity, concurrency } = settings
    let mode: keyof typeof modes = "open"
    let inFlight = 0
    let sequence = 0
    let admitted = 0
    let rejected = 0
    let abandoned = 0
    // how long it has lately taken, while others waited, from the end of one call to the end of the next
    let busySince: number | undefined
    let busyMillis = 0
    let ended = 0

    const admit = (call: Policy.Call) => {
      inFlight++
      admitted++
      call.held.add(leave)
    }

    const leave: Held.Release = () => {
      inFlight--
      const at = now()
      if (busySince !== undefined) {
        busyMillis = busyMillis * memory + (at - busySince)
        ended = ended * memory + 1
        busySince = at
      }
      advance(at)
    }

    /** Lets in as many of those who wait as there are places. */
    const advance = (at: number) => {
      while (inFlight < concurrency && modes[mode].goes) {
        const waiter = room.next(at)
        if (waiter === undefined) break
        disarm(waiter)
        if (waiter.due <= at) {
          abandoned++
          waiter.resume(Effect.fail(tooLate(waiter.call, at)))
        } else {
          admit(waiter.call)
          waiter.resume(Effect.void)
        }
      }
      if (room.size() > 0) return
      busySince = undefined
      if (inFlight > 0) return
      for (const idler of idlers) idler()
      idlers.clear()
    }

    const disarm = (waiter: Waiter) => {
      if (waiter.alarm !== undefined) alarms.clear(waiter.alarm)
    }

    const wait = (call: Policy.Call) =>
      Effect.async<void, LlmError.LlmError>((resume) => {
        const at = now()
        const due = Math.min(deadlineOf(call), at + maxWait)
        const goes = modes[mode].goes
        const refusal = mode === "draining" && call.attempt > 1 ? undefined : modes[mode].refusal
        if (due <= at) {
          abandoned++
          return resume(Effect.fail(tooLate(call, at)))
        }
        if (refusal === undefined && goes && inFlight < concurrency) {
          admit(call)
          return resume(Effect.void)
        }
        if (refusal !== undefined || room.size() >= capacity) {
          rejected++
          return resume(Effect.fail(queueFull(call, refusal)))
        }
        if (goes) busySince ??= at
        const waiter: Waiter = {
          call,
          resume,
          level: call.priority,
          since: at,
          sequence: sequence++,
          due,
          patience: at + ageing * (1 + call.priority),
          alarm: undefined,
          turnAt: 0,
          patienceAt: 0
        }
        room.add(waiter)
        if (due < Infinity) {
          waiter.alarm = alarms.set(due, () => {
            room.remove(waiter)
            abandoned++
            resume(Effect.fail(tooLate(call, now())))
            advance(now())
          })
        }
        return Effect.sync(() => {
          if (!room.remove(waiter)) return
          disarm(waiter)
          abandoned++
          advance(now())
        })
      })

    const tooLate = (call: Policy.Call, at: number) =>
      deadlineOf(call) <= at ? deadlineExceeded(call) : waitedTooLong(call)

    const deadlineExceeded = (call: Policy.Call) =>
      new LlmError.DeadlineExceeded({
        backend,
        model: call.model,
        phase: "queued",
        message: `the call's deadline passed before ${backend}'s queue had a place for it`
      })

    const waitedTooLong = (call: Policy.Call) =>
      new LlmError.QueueFull({
        backend,
        model: call.model,
        capacity,
        waiting: room.size(),
        message: `the call waited ${Duration.format(settings.maxWait)} in ${backend}'s queue, the longest that a call may`
      })

    const queueFull = (call: Policy.Call, refusal: string | undefined) =>
      new LlmError.QueueFull({
        backend,
        model: call.model,
        capacity,
        waiting: room.size(),
        ...(refusal === undefined && ended > 0 && {
          retryAfter: Duration.millis(Math.ceil((room.size() + 1) * busyMillis / ended))
        }),
        message: `${backend}'s queue ${refusal ?? `is full: no more than ${capacity} calls may wait`}`
      })

    const idle = Effect.async<void>((resume) => {
      if (inFlight === 0 && room.size() === 0) return resume(Effect.void)
      const idler = () => resume(Effect.void)
      idlers.add(idler)
      return Effect.sync(() => idlers.delete(idler))
    })

    const turn = (to: keyof typeof modes) => {
      if (mode === "shut") return
      const at = now()
      mode = to
      busySince = modes[to].goes ? at : undefined
      advance(at)
    }

    const shut = Effect.sync(() => {
      turn("shut")
      for (let waiter = room.next(0); waiter !== undefined; waiter = room.next(0)) {
        disarm(waiter)
        abandoned++
        waiter.resume(Effect.fail(queueFull(waiter.call, modes.shut.refusal)))
      }
      advance(now())
    })
    yield* Effect.addFinalizer(() => shut)

    yield* Monitor.register({
      backend,
      read: (at) => ({
        queue: {
          capacity,
          concurrency,
          waiting: room.size(),
          inFlight,
          oldestWaitMillis: room.size() === 0 ? 0 : Math.max(at - room.oldest(), 0),
          admitted,
          rejected,
          abandoned
        }
      })
    })

    return {
      policy: (next) => (call) =>
        Effect.suspend(() => {
          // a place is free only while nobody waits: whoever waited would have been handed it
          if (mode === "open" && inFlight < concurrency && now() < deadlineOf(call)) {
            admit(call)
            return next(call)
          }
          return Effect.flatMap(wait(call), () => next(call))
        }),
      size: Effect.sync(() => room.size()),
      inFlight: Effect.sync(() => inFlight),
      setConcurrency: (value) =>
        Effect.map(validateConcurrency({ concurrency: value }), () => {
          concurrency = value
          advance(now())
        }),
      setCapacity: (value) =>
        Effect.map(validateCapacity({ capacity: value }), () => {
          capacity = value
        }),
      pause: Effect.sync(() => {
        if (mode === "open") turn("paused")
      }),
      resume: Effect.sync(() => turn("open")),
      drain: Effect.zipRight(Effect.sync(() => turn("draining")), idle),
      shutdown: Effect.zipRight(shut, idle)
    }
  })

const deadlineOf = (call: Policy.Call) => call.deadline._tag === "Some" ? call.deadline.value : Infinity
