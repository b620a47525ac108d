/**
 * A clock that moves only when told, and quickly: `TestClock` takes some 11 ms of real time for every instant at
 * which somebody wakes, which is too long for properties.
 */
import { Clock, Duration, Effect } from "effect"

export interface VirtualClock extends Clock.Clock {
  /** Moves the time, waking each sleeper at its own instant. */
  readonly advance: (millis: number) => Effect.Effect<void>
  /** Moves the time and wakes nobody, as when something has held up the program. */
  readonly stall: (millis: number) => Effect.Effect<void>
  /** Lets every fiber run until it waits for something. */
  readonly settle: Effect.Effect<void>
}

export const make = (start = 0): VirtualClock => {
  const sleepers = new Set<{ readonly at: number; readonly wake: () => void }>()
  let now = start
  const settle = Effect.async<void>((resume) => {
    setImmediate(() => resume(Effect.void))
  })
  return {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis: () => now,
    currentTimeMillis: Effect.sync(() => now),
    unsafeCurrentTimeNanos: () => BigInt(Math.floor(now * 1_000_000)),
    currentTimeNanos: Effect.sync(() => BigInt(Math.floor(now * 1_000_000))),
    sleep: (duration) =>
      Effect.async<void>((resume) => {
        const sleeper = { at: now + Duration.toMillis(duration), wake: () => resume(Effect.void) }
        sleepers.add(sleeper)
        return Effect.sync(() => sleepers.delete(sleeper))
      }),
    settle,
    stall: (millis) =>
      Effect.sync(() => {
        now += millis
      }),
    advance: (millis) =>
      Effect.gen(function*() {
        const end = now + millis
        while (true) {
          yield* settle
          const at = Math.min(...Array.from(sleepers, (sleeper) => sleeper.at))
          if (at > end) break
          now = Math.max(now, at)
          for (const sleeper of sleepers) {
            if (sleeper.at > at) continue
            sleepers.delete(sleeper)
            sleeper.wake()
          }
        }
        now = end
      })
  }
}
