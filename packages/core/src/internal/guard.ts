/**
 * Work with an end set to it: one effect, or what is left of a stream. Both run in a fiber of their own, which is
 * interrupted when the time has come, and is asked nothing in between: no timeout per call, no race per part.
 */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import type * as Held from "../Held.js"
import type { LlmError } from "../LlmError.js"
import type * as Alarms from "./alarms.js"
import * as Child from "./child.js"

/**
 * Interrupts the effect when it has not ended at `time`, and fails once it has given everything back.
 */
export const until = <A, R>(
  effect: Effect.Effect<A, LlmError, R>,
  alarms: Alarms.Alarms,
  time: number,
  late: () => LlmError
): Effect.Effect<A, LlmError, R> =>
  Effect.withFiberRuntime((parent, status) =>
    Effect.async<A, LlmError>((resume) => {
      const child = Child.start(Child.runtimeOf<R>(parent, status), effect, true)
      const done = child.unsafePoll()
      if (done !== null) return resume(Exit.flatten(done))
      let isLate = false
      const alarm = alarms.set(time, () => {
        isLate = true
        child.unsafeInterruptAsFork(FiberId.none)
      })
      child.addObserver((exit) => {
        alarms.clear(alarm)
        resume(isLate && Exit.isInterrupted(exit) ? Effect.fail(late()) : Exit.flatten(exit))
      })
      return Effect.suspend(() => Fiber.interrupt(child))
    })
  )

/** How the rest of a stream is watched; the longest times are `Infinity`. */
export interface Limits {
  readonly alarms: Alarms.Alarms
  /** Longest silence of the backend, in milliseconds. That the consumer is slow is not the backend's silence. */
  readonly idle: number
  readonly silent: () => LlmError
  /** When it must have ended, whoever is slow. */
  readonly deadline: number
  readonly late: () => LlmError
}

// parts that the backend may be ahead of a consumer who takes his time
const farAhead = 64

type Resume<A, E> = (effect: Effect.Effect<A, E>) => void
type Ended = Option.Option<LlmError>

/**
 * Pulls the rest of a stream, a little ahead of its consumer, and cuts it off when it is silent for too long, or late.
 * A cut closes what the call holds at once; the consumer hears of it after the parts that wait for him.
 */
export const watch = <A>(
  rest: Held.Pull<A>,
  held: Held.Held,
  { alarms, deadline, idle, late, silent }: Limits
): Effect.Effect<Held.Pull<A>> =>
  Effect.withFiberRuntime((parent, status) => {
    let ahead: Array<A> = []
    let end: Exit.Exit<never, Ended> | undefined
    let taker: Resume<Held.Parts<A>, Ended> | undefined
    let puller: Resume<void, Ended> | undefined
    // since when the backend has been waited for; it is not while the consumer is
    let since = alarms.now()
    let cut: LlmError | undefined

    const hasRoom = Effect.async<void, Ended>((resume) => {
      if (ahead.length < farAhead) return resume(Effect.void)
      since = Infinity
      puller = resume
    })
    const put = (parts: Held.Parts<A>) => {
      since = alarms.now()
      if (taker === undefined) {
        for (const part of parts) ahead.push(part)
        return ahead.length < farAhead ? pump : Effect.zipRight(hasRoom, pump)
      }
      const resume = taker
      taker = undefined
      resume(Exit.succeed(parts))
      return pump
    }
    const pump: Effect.Effect<never, Ended> = Effect.flatMap(rest, put)
    const take = () => {
      const parts = Chunk.unsafeFromArray(ahead)
      ahead = []
      if (puller !== undefined) {
        since = alarms.now()
        const resume = puller
        puller = undefined
        resume(Effect.void)
      }
      return Exit.succeed(parts)
    }
    const wait = Effect.async<Held.Parts<A>, Ended>((resume) => {
      if (ahead.length > 0) return resume(take())
      if (end !== undefined) return resume(end)
      taker = resume
      return Effect.sync(() => {
        if (taker === resume) taker = undefined
      })
    })

    const runtime = Child.runtimeOf<never>(parent, status)
    const child = Child.start(runtime, pump, false)
    const next = () => Math.min(deadline, (since === Infinity ? alarms.now() : since) + idle)
    const ring = () => {
      const now = alarms.now()
      // a clock that was put back says nothing of how long it has been silent
      if (since > now && since < Infinity) since = now
      cut = deadline <= now ? late() : since + idle <= now ? silent() : undefined
      if (cut === undefined) alarm = alarms.set(next(), ring)
      else child.unsafeInterruptAsFork(FiberId.none)
    }
    let alarm = alarms.set(next(), ring)
    child.addObserver((exit) => {
      alarms.clear(alarm)
      const isCut = cut !== undefined && Exit.isInterrupted(exit)
      end = isCut ? Exit.fail(Option.some(cut!)) : Exit.flatten(exit)
      // an error of the backend has closed it already, within `rest`
      Runtime.runFork(runtime)(held.close(isCut ? Exit.fail(cut!) : end))
      const resume = taker
      taker = undefined
      resume?.(end)
    })
    // the fiber itself gives back what is held, when the backend has ended; it cannot wait for its own end
    held.add(() =>
      Effect.withFiberRuntime<void>((fiber) => fiber.id() === child.id() ? Effect.void : Fiber.interrupt(child))
    )
    return Effect.succeed(Effect.suspend(() => ahead.length > 0 ? take() : end ?? wait))
  })
