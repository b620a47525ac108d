/**
 * Many alarms on one sleeping fiber: setting one and taking it back again are synchronous and cost no fiber and no
 * timer, as long as an earlier one is set. Nearly all are taken back before they ring.
 *
 * The clock is the one where the alarms were made. It may be put forward or back, as clocks of walls are; an alarm rings
 * when as much time has passed as was left when it was set.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Runtime from "effect/Runtime"
import * as RuntimeFlags from "effect/RuntimeFlags"
import type * as Scope from "effect/Scope"
import * as Heap from "./heap.js"

/** An alarm that was set. */
export type Alarm = Heap.Place<() => void>

/** Alarms on one clock. */
export interface Alarms {
  /** The clock's time in milliseconds. */
  readonly now: () => number
  /** Rings when it is as long until `time` (milliseconds on the clock) as the clock says now; once. */
  readonly set: (time: number, ring: () => void) => Alarm
  /** Takes an alarm back; one that has rung is let be. */
  readonly clear: (alarm: Alarm) => void
}

// timers beyond this never ring, https://developer.mozilla.org/docs/Web/API/Window/setTimeout#maximum_delay_value
const longestSleep = 2 ** 31 - 1

// what is lost in adding up fractions of milliseconds is not slept for
const rounding = 0.001

/** No alarm yet. When the scope has closed, nothing sleeps on once the last alarm is gone. */
export const make: Effect.Effect<Alarms, never, Scope.Scope> = Effect.gen(function*() {
  // what is built may be built where nothing can be interrupted; the sleeper must be
  const runtime = Runtime.enableRuntimeFlag(yield* Effect.runtime<never>(), RuntimeFlags.Interruption)
  const clock = yield* Clock.clockWith(Effect.succeed)
  const alarms = Heap.make<() => void>()
  const now = () => clock.unsafeCurrentTimeMillis()
  // the time that passes, which nobody puts forward or back; alarms are kept by it
  const passed = () => Number(clock.unsafeCurrentTimeNanos()) / 1_000_000
  let isOpen = true
  let sleeper: Fiber.RuntimeFiber<void> | undefined
  let wakesAt = Infinity

  const rouse = () => {
    sleeper?.unsafeInterruptAsFork(FiberId.none)
    sleeper = undefined
    wakesAt = Infinity
  }
  const sleepUntilFirst = () => {
    const first = alarms.keys[0] ?? Infinity
    if (first >= wakesAt) return
    rouse()
    wakesAt = first
    const millis = Math.min(Math.max(first - passed(), 0), longestSleep)
    sleeper = Runtime.runFork(runtime)(Effect.flatMap(clock.sleep(Duration.millis(millis)), () => wake))
  }
  const wake = Effect.sync(() => {
    sleeper = undefined
    wakesAt = Infinity
    const time = passed() + rounding
    while (alarms.keys[0]! <= time) {
      const first = alarms.places[0]!
      Heap.remove(alarms, first)
      first.item()
    }
    sleepUntilFirst()
  })

  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      isOpen = false
      if (Heap.size(alarms) === 0) rouse()
    })
  )
  return {
    now,
    set(time, ring) {
      const alarm = Heap.add(alarms, ring, passed() + (time - now()))
      sleepUntilFirst()
      return alarm
    },
    clear(alarm) {
      if (!Heap.has(alarms, alarm)) return
      Heap.remove(alarms, alarm)
      if (!isOpen && Heap.size(alarms) === 0) rouse()
    }
  }
})
