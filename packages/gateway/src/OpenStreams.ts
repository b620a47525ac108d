/**
 * The streamed answers that are under way: who of them owes its reader a sign of life, and whose reader has stalled.
 *
 * One fiber sleeps for all of them, until the first of them is due, and none when there is no stream. What a stream
 * does, part by part, sets no timer and takes none back.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Runtime from "effect/Runtime"
import * as RuntimeFlags from "effect/RuntimeFlags"

/**
 * How long a stream may be silent, and its reader still.
 *
 * @since 0.1.0
 * @category models
 */
export interface Times {
  /** After how long without a part a heartbeat is sent. */
  readonly heartbeat: Duration.Duration
  /** After how long without taking what was written a reader is cut. */
  readonly stall: Duration.Duration
}

/**
 * One of the streams. It is asked what is due at `now`, does it, and says when to ask again, in milliseconds on the
 * `Clock`: no sooner than after the shorter of the `Times`.
 *
 * @since 0.1.0
 * @category models
 */
export interface OpenStream {
  readonly look: (now: number) => number
  /** Has it say at once that it is cut, should it be waiting for its backend. */
  readonly cut: () => void
}

/**
 * All of them. Everything here is synchronous.
 *
 * @since 0.1.0
 * @category models
 */
export interface OpenStreams {
  /** The `Times`, in milliseconds. */
  readonly heartbeat: number
  readonly stall: number
  readonly now: () => number
  readonly size: () => number
  readonly enter: (stream: OpenStream) => void
  readonly leave: (stream: OpenStream) => void
  /** Cuts those that wait for their backends; the others learn of it when they ask for the next part. */
  readonly cut: () => void
}

/**
 * No stream yet.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (times: Times): Effect.Effect<OpenStreams> =>
  Effect.zipWith(Effect.runtime<never>(), Clock.clockWith(Effect.succeed), (runtime, clock) => {
    const heartbeat = Duration.toMillis(times.heartbeat)
    const stall = Duration.toMillis(times.stall)
    const shortest = Math.min(heartbeat, stall)
    const streams = new Set<OpenStream>()
    // what is built may be built where nothing can be interrupted; the sleeper must be
    const fork = Runtime.runFork(Runtime.enableRuntimeFlag(runtime, RuntimeFlags.Interruption))
    const now = () => clock.unsafeCurrentTimeMillis()
    let sleeper: Fiber.RuntimeFiber<void> | undefined

    const round: Effect.Effect<void> = Effect.suspend(() => {
      const time = now()
      // a stream that comes, or changes what it waits for, is not due before this either
      let next = time + shortest
      for (const stream of streams) next = Math.min(next, stream.look(time))
      return Effect.zipRight(clock.sleep(Duration.millis(Math.min(next - time, longestSleep))), round)
    })
    return {
      heartbeat,
      stall,
      now,
      size: () => streams.size,
      enter(stream) {
        streams.add(stream)
        if (sleeper === undefined && shortest < Infinity) sleeper = fork(round)
      },
      leave(stream) {
        streams.delete(stream)
        if (streams.size > 0 || sleeper === undefined) return
        sleeper.unsafeInterruptAsFork(FiberId.none)
        sleeper = undefined
      },
      cut() {
        for (const stream of [...streams]) stream.cut()
      }
    }
  })

// timers beyond this never ring, https://developer.mozilla.org/docs/Web/API/Window/setTimeout#maximum_delay_value
const longestSleep = 2 ** 31 - 1
