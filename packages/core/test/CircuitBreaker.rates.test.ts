import { assert, describe, it } from "@effect/vitest"
import type * as CircuitBreaker from "@spillway/core/CircuitBreaker"
import * as LlmError from "@spillway/core/LlmError"
import * as Monitor from "@spillway/core/Monitor"
import { Effect, TestClock } from "effect"
import { fault, make, times } from "./toldBackend.js"
import * as VirtualClock from "./virtualClock.js"

// CB-26 (an interval that ends while a call is under way) is about fixed intervals. Ours rolls: a call belongs to the
// moment in which it ended. What it says of generations is held in CircuitBreaker.test.ts.

/** A breaker, and what the monitor says of its window. */
const watched = (rate: CircuitBreaker.Rate, options: Partial<CircuitBreaker.Options> = {}) =>
  Effect.gen(function*() {
    const monitor = Monitor.unsafeMake()
    const self = yield* Effect.provideService(make({ rate, ...options }), Monitor.CurrentMonitor, monitor)
    const circuit = Effect.map(monitor.snapshot, ({ backends }) => backends[0]!.circuit!)
    return { ...self, circuit, window: Effect.map(circuit, ({ window }) => window) }
  })

describe("CircuitBreaker, by rates", () => {
  describe("of the latest calls", () => {
    it.scoped("is unknown below so many calls, and so is no reason to open (CB-02, CB-07)", () =>
      Effect.gen(function*() {
        const { play, tag, window } = yield* watched({ minimumCalls: 5 })
        yield* play("FFFF")
        assert.strictEqual(yield* tag, "Closed")
        assert.deepStrictEqual(yield* window, { calls: 4, failures: 4, slow: 0 })
      }))

    it.scoped("opens when the share is reached, not when it is passed (CB-04, CB-05)", () =>
      Effect.gen(function*() {
        for (
          const [successes, failures, tag] of [
            [10, 0, "Closed"],
            [9, 1, "Open"],
            [9, 2, "Open"],
            [5, 4, "Closed"]
          ] as const
        ) {
          const self = yield* make({ rate: { minimumCalls: 10, failureRate: 0.1 } })
          yield* self.play("S".repeat(successes) + "F".repeat(failures))
          assert.strictEqual(yield* self.tag, tag, `${failures} of ${successes + failures}`)
        }
        const half = yield* make({ rate: { calls: 50, minimumCalls: 50, failureRate: 0.5 } })
        yield* half.play("S".repeat(25) + "F".repeat(24))
        assert.strictEqual(yield* half.tag, "Closed")
        yield* half.fail
        assert.strictEqual(yield* half.tag, "Open")
      }))

    it.scoped("is judged after a success as well (CB-01)", () =>
      Effect.gen(function*() {
        const { circuit, play, tag } = yield* watched({ within: "20 seconds", minimumCalls: 5 })
        yield* play("FFFS")
        assert.strictEqual(yield* tag, "Closed")
        yield* play("S")
        assert.strictEqual(yield* tag, "Open")
        assert.deepStrictEqual((yield* circuit).timeline, [
          { at: 0, from: "closed", to: "open", reason: "failures", fault: "ServerFault" }
        ])
      }))

    it.scoped("even a small share waits for the fewest calls, but a probe that fails does not (CB-08)", () =>
      Effect.gen(function*() {
        const { fail, tag } = yield* make({ rate: { minimumCalls: 3, failureRate: 0.01 } })
        yield* times(2)(fail)
        assert.strictEqual(yield* tag, "Closed")
        yield* fail
        assert.strictEqual(yield* tag, "Open")
        yield* TestClock.adjust("30 seconds")
        yield* fail
        assert.strictEqual(yield* tag, "Open")
      }))

    it.scoped("so many of so many (CB-16)", () =>
      Effect.gen(function*() {
        const two = yield* make({ rate: { calls: 3, minimumCalls: 3, failureRate: 2 / 3 } })
        yield* two.play("FSF")
        assert.strictEqual(yield* two.tag, "Open")
        const three = yield* make({ rate: { calls: 4, minimumCalls: 4, failureRate: 3 / 4 } })
        yield* three.play("SF".repeat(20))
        assert.strictEqual(yield* three.tag, "Closed")
      }))

    it.scoped("the oldest call is forgotten for the newest (CB-22)", () =>
      Effect.gen(function*() {
        const { play, window } = yield* watched({ calls: 4, minimumCalls: 1, failureRate: 1 }, { failures: 9 })
        const rates: Array<number | undefined> = []
        yield* play("S")
        for (const letter of "FSSSS") {
          yield* play(letter)
          rates.push((yield* window)?.failureRate)
        }
        assert.deepStrictEqual(rates, [1 / 2, 1 / 3, 1 / 4, 1 / 4, 0])
      }))

    it.scoped("what says nothing of the backend is not counted (CB-28)", () =>
      Effect.gen(function*() {
        const { as, window } = yield* watched({ minimumCalls: 1 })
        yield* times(9)(as(new LlmError.QueueFull({ backend: "test", message: "", capacity: 1, waiting: 1 })))
        assert.deepStrictEqual(yield* window, { calls: 0, failures: 0, slow: 0 })
      }))

    it.scoped("failures in a row open it as well, where both are asked for", () =>
      Effect.gen(function*() {
        const both = yield* make({ failures: 3, rate: { minimumCalls: 100 } })
        yield* both.play("SSSFFF")
        assert.strictEqual(yield* both.tag, "Open")
        const rate = yield* make({ rate: { minimumCalls: 100 } })
        yield* rate.play("F".repeat(50))
        assert.strictEqual(yield* rate.tag, "Closed")
      }))
  })

  describe("of a time", () => {
    it.scoped("forgets what is older, also when nobody calls (CB-20)", () =>
      Effect.gen(function*() {
        const { after, window } = yield* watched({ within: "5 seconds", minimumCalls: 100, slowAfter: 500 })
        yield* after(100, fault)
        yield* after(100)
        yield* after(600, fault)
        assert.deepStrictEqual(yield* window, { calls: 3, failures: 2, slow: 1 })
        yield* TestClock.adjust(4000)
        assert.deepStrictEqual(yield* window, { calls: 3, failures: 2, slow: 1 })
        yield* TestClock.adjust(1000)
        assert.deepStrictEqual(yield* window, { calls: 0, failures: 0, slow: 0 })
      }))

    it.scoped("sees nine tenths of it and the one that has begun (CB-23)", () =>
      Effect.gen(function*() {
        const { succeed, window } = yield* watched({ within: "10 seconds" })
        for (let i = 0; i < 10; i++) {
          yield* succeed
          yield* TestClock.adjust("1 second")
        }
        assert.strictEqual((yield* window)?.calls, 9)
        yield* TestClock.adjust("1 second")
        assert.strictEqual((yield* window)?.calls, 8)
        yield* TestClock.adjust("10 seconds")
        assert.strictEqual((yield* window)?.calls, 0)
      }))

    it("is no longer when the clock is put back", () => {
      const clock = VirtualClock.make(1_000_000_000)
      return Effect.runPromise(Effect.gen(function*() {
        const { fail, succeed, window } = yield* watched({ within: "10 seconds", minimumCalls: 100 })
        yield* fail
        yield* clock.stall(5000)
        yield* fail
        yield* clock.stall(-3_600_000)
        yield* succeed
        assert.deepStrictEqual(yield* window, { calls: 3, failures: 2, slow: 0 })
        yield* clock.stall(5000)
        assert.deepStrictEqual(yield* window, { calls: 2, failures: 1, slow: 0 })
        yield* clock.stall(5000)
        assert.deepStrictEqual(yield* window, { calls: 0, failures: 0, slow: 0 })
      }).pipe(Effect.scoped, Effect.withClock(clock)))
    })

    it.scoped("keeps no more than it sees", () =>
      Effect.gen(function*() {
        const { breaker, succeed } = yield* make({ rate: { within: "10 seconds" } })
        yield* times(30)(Effect.zipRight(succeed, TestClock.adjust("1 second")))
        const snapshot = yield* breaker.snapshot
        assert.ok(snapshot._tag === "Closed" && snapshot.memory.window?._tag === "Time")
        assert.lengthOf(snapshot.memory.window.buckets, 10)
      }))

    it.scoped("is not fooled by an idle time between failures (CB-24, CB-25)", () =>
      Effect.gen(function*() {
        const { fail, tag, window } = yield* watched({ within: "30 seconds", minimumCalls: 4 })
        yield* times(3)(fail)
        yield* TestClock.adjust(29_999)
        assert.strictEqual((yield* window)?.calls, 3)
        yield* TestClock.adjust(1001)
        yield* fail
        assert.strictEqual(yield* tag, "Closed")
        assert.strictEqual((yield* window)?.calls, 1)
      }))

    it.scoped("opens at the call that makes them enough (CB-19)", () =>
      Effect.gen(function*() {
        const { fail, tag } = yield* make({ rate: { within: "30 seconds", minimumCalls: 5, failureRate: 1 } })
        yield* TestClock.adjust("30 seconds")
        yield* times(4)(fail)
        assert.strictEqual(yield* tag, "Closed")
        yield* fail
        assert.strictEqual(yield* tag, "Open")
      }))
  })

  describe("of slow answers", () => {
    it.scoped("opens though most of them are no failures (CB-11)", () =>
      Effect.gen(function*() {
        const { after, ask, circuit, tag } = yield* watched({
          minimumCalls: 5,
          failureRate: 1,
          slowAfter: "4 seconds",
          slowRate: 0.5
        })
        yield* after("5 seconds", fault)
        yield* after("5 seconds")
        yield* after(100, fault)
        yield* after(100)
        assert.strictEqual(yield* tag, "Closed")
        yield* after("5 seconds")
        assert.strictEqual(yield* tag, "Open")
        assert.deepInclude((yield* circuit).timeline?.[0], { reason: "slowness" })
        const error = yield* Effect.flip(ask)
        assert.strictEqual(error.message, "test has been slow to answer, and is left alone for 30s")
      }))

    it.scoped("a probe that is slow has failed (CB-41)", () =>
      Effect.gen(function*() {
        const { after, fail, tag } = yield* make({
          failures: 1,
          rate: { slowAfter: "4 seconds" },
          successes: 3,
          failedProbes: 1
        })
        yield* fail
        yield* TestClock.adjust("30 seconds")
        yield* after("3 seconds")
        yield* after("4 seconds")
        assert.strictEqual(yield* tag, "HalfOpen")
        yield* after("4 seconds")
        assert.strictEqual(yield* tag, "Open")
      }))
  })

  it.effect("is checked when the breaker is built (CB-56)", () =>
    Effect.gen(function*() {
      for (
        const [rate, field] of [
          [{ calls: 0 }, "calls"],
          [{ calls: 1.5 }, "calls"],
          [{ calls: 10_001 }, "calls"],
          [{ within: 0 }, "within"],
          [{ within: "1 minute", calls: 5 }, "within"],
          [{ minimumCalls: 0 }, "minimumCalls"],
          [{ calls: 10, minimumCalls: 11 }, "minimumCalls"],
          [{ minimumCalls: 101 }, "minimumCalls"],
          [{ failureRate: 0 }, "failureRate"],
          [{ failureRate: 1.01 }, "failureRate"],
          [{ failureRate: Number.NaN }, "failureRate"],
          [{ slowAfter: 0 }, "slowAfter"],
          [{ slowRate: 0 }, "slowRate"]
        ] as const
      ) {
        const error = yield* Effect.flip(Effect.scoped(make({ rate })))
        assert.strictEqual(error.field, `rate.${field}`)
        assert.include(error.message, `CircuitBreaker.rate.${field}: must`)
      }
      yield* Effect.scoped(make({ rate: { within: "1 minute", minimumCalls: 500 } }))
    }))
})
