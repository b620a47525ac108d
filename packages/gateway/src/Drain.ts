/**
 * Shutting down without losing an answer: new calls are refused, those in flight end, and what takes too long is cut.
 *
 * The three steps: `accepting`, until `drain` is run; `draining`, until every call has ended or the grace is over;
 * `closing`, when streams end with an error that says so, and a second later all that is left is interrupted.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"

/**
 * How far the shutting down has come.
 *
 * @since 0.1.0
 * @category models
 */
export type State = "accepting" | "draining" | "closing"

/**
 * A call in flight, from its arrival until the last byte of its answer. `fiber` is what to interrupt.
 *
 * @since 0.1.0
 * @category models
 */
export interface Running {
  fiber: Fiber.RuntimeFiber<unknown, unknown>
}

/**
 * How it ended: the calls that came to their end, and those that were cut.
 *
 * @since 0.1.0
 * @category models
 */
export interface Drained {
  readonly ended: number
  readonly cut: number
}

/**
 * Knows the calls in flight. `state`, `inFlight`, `enter` and `leave` are synchronous.
 *
 * @since 0.1.0
 * @category models
 */
export interface Drain {
  readonly state: () => State
  readonly inFlight: () => number
  readonly enter: (fiber: Fiber.RuntimeFiber<unknown, unknown>) => Running
  readonly leave: (running: Running) => void
  /** Shuts down, and succeeds when no call is left. Run again, it waits for the same end. */
  readonly drain: Effect.Effect<Drained>
}

/**
 * Accepts calls until its `drain` is run; then those in flight have `grace` to end. `closing` is run when it is over.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (grace: Duration.Duration, closing: () => void): Effect.Effect<Drain> =>
  Effect.suspend(() => {
    const calls = new Set<Running>()
    let state: State = "accepting"
    let whenIdle: (() => void) | undefined

    const idle = Effect.async<void>((resume) => {
      if (calls.size === 0) return resume(Effect.void)
      whenIdle = () => resume(Effect.void)
    })
    // the end of a program is uninterruptible, and so would be the wait in it
    const idleWithin = (time: Duration.DurationInput) => Effect.timeoutOption(Effect.interruptible(idle), time)

    const shutDown = Effect.gen(function*() {
      const before = calls.size
      state = "draining"
      yield* Effect.logInfo("draining").pipe(Effect.annotateLogs({ inFlight: before }))
      yield* idleWithin(grace)
      state = "closing"
      closing()
      yield* idleWithin(farewell)
      const cut = calls.size
      if (cut > 0) {
        yield* Effect.logWarning("cutting calls that outlast the grace").pipe(Effect.annotateLogs({ inFlight: cut }))
        yield* Effect.forEach([...calls], (running) => Fiber.interruptFork(running.fiber), { discard: true })
        yield* idleWithin(farewell)
      }
      return { ended: before - cut, cut }
    })

    return Effect.map(Effect.cached(shutDown), (drain): Drain => ({
      state: () => state,
      inFlight: () => calls.size,
      enter: (fiber) => {
        const running = { fiber }
        calls.add(running)
        return running
      },
      leave: (running) => {
        calls.delete(running)
        if (calls.size === 0) whenIdle?.()
      },
      drain
    }))
  })

// how long streams have to say that they are cut, and the cut to give back what they hold
const farewell = Duration.seconds(1)
