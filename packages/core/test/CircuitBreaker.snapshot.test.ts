import { assert, describe, it } from "@effect/vitest"
import type * as CircuitBreaker from "@spillway/core/CircuitBreaker"
import { Effect, Fiber, TestClock } from "effect"
import { failed, fault, forked, make, times } from "./toldBackend.js"
import * as VirtualClock from "./virtualClock.js"

/** As it is after a restart: another breaker, and what the first one saved, read from a file. */
const restarted = (breaker: CircuitBreaker.CircuitBreaker, options: Partial<CircuitBreaker.Options> = {}) =>
  Effect.gen(function*() {
    const saved = JSON.parse(JSON.stringify(yield* breaker.snapshot))
    const self = yield* make(options)
    yield* self.breaker.restore(saved)
    return self
  })

const open: CircuitBreaker.Snapshot = {
  _tag: "Open",
  generation: 3,
  usual: 0,
  fault: null,
  until: 1000,
  why: "failures",
  reopened: 0
}
const closed: CircuitBreaker.Snapshot = { _tag: "Closed", generation: 0, usual: 0, fault: null, memory: { row: 0 } }

describe("CircuitBreaker, saved and restored", () => {
  it.scoped("counts on where it was", () =>
    Effect.gen(function*() {
      const rate = { calls: 4, minimumCalls: 4, failureRate: 0.75 }
      for (
        const [options, before, after] of [
          [{}, "FFFF", "F"],
          [{ rate }, "SFF", "F"],
          [{ rate }, "SSSSFF", "F"],
          [{ rate: { within: "1 minute", minimumCalls: 4 } }, "SFF", "F"]
        ] as const
      ) {
        const first = yield* make(options)
        yield* first.play(before)
        const second = yield* restarted(first.breaker, options)
        assert.strictEqual(yield* second.tag, "Closed")
        yield* second.play(after)
        assert.strictEqual(yield* second.tag, "Open", before)
      }
    }))

  it("can be saved when a clock was put back during a call", () => {
    const clock = VirtualClock.make(1_000_000_000)
    return Effect.runPromise(Effect.gen(function*() {
      const { as, breaker } = yield* make()
      yield* as(clock.stall(60_000))
      yield* as(clock.stall(-3_600_000))
      const { usual } = yield* breaker.snapshot
      assert.isTrue(usual > 0 && usual < 60_000, `${usual}`)
    }).pipe(Effect.scoped, Effect.withClock(clock)))
  })

  it.scoped("stays open as long as it would have, and says why", () =>
    Effect.gen(function*() {
      const first = yield* make({ failures: 1, growth: 2 })
      yield* first.fail
      yield* TestClock.adjust("10 seconds")
      const second = yield* restarted(first.breaker, { growth: 2 })
      assert.strictEqual(
        failed(yield* Effect.exit(second.ask)).message,
        "test has been failing (ServerFault: 500), and is left alone for 20s"
      )
      yield* TestClock.adjust("20 seconds")
      yield* second.fail
      yield* TestClock.adjust("59 seconds")
      assert.strictEqual(yield* second.outcome, "CircuitOpen")
      yield* TestClock.adjust("1 second")
      yield* second.succeed
      assert.strictEqual(yield* second.tag, "Closed")
    }))

  it.scoped("stays open for ever when somebody said so, or out of use", () =>
    Effect.gen(function*() {
      const first = yield* make()
      yield* first.breaker.open
      assert.deepInclude(yield* first.breaker.snapshot, { until: null })
      const second = yield* restarted(first.breaker)
      yield* TestClock.adjust("1 day")
      assert.strictEqual(yield* second.outcome, "CircuitOpen")
      yield* first.breaker.disable
      const third = yield* restarted(first.breaker)
      assert.strictEqual(yield* third.tag, "Disabled")
    }))

  it.scoped("forgets who isolated it, and which probes were under way: they are not there any longer", () =>
    Effect.gen(function*() {
      const first = yield* make({ failures: 1 })
      yield* first.fail
      yield* TestClock.adjust("30 seconds")
      yield* first.answers(Effect.never)
      yield* forked(first.ask)
      const second = yield* restarted(first.breaker)
      assert.strictEqual(yield* second.tag, "HalfOpen")
      yield* second.succeed
      assert.strictEqual(yield* second.tag, "Closed")
      yield* first.breaker.isolate
      const third = yield* restarted(first.breaker)
      assert.strictEqual(yield* third.tag, "Closed")
    }))

  it.scoped("is not judged by calls that were under way when it was restored", () =>
    Effect.gen(function*() {
      const { answers, ask, breaker, tag } = yield* make({ failures: 1 })
      const saved = yield* breaker.snapshot
      yield* answers(Effect.zipRight(Effect.sleep("1 second"), fault))
      const late = yield* forked(Effect.exit(ask))
      yield* breaker.restore(saved)
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(late)
      assert.strictEqual(yield* tag, "Closed")
    }))

  it.scoped("forgets what was counted by another rule, and keeps the rest", () =>
    Effect.gen(function*() {
      const first = yield* make({ rate: { calls: 4, minimumCalls: 4 } })
      yield* first.play("FFF")
      const options = [{ rate: { calls: 5, minimumCalls: 4 } }, { rate: { within: "1 minute", minimumCalls: 4 } }] as const
      for (const another of options) {
        const second = yield* restarted(first.breaker, another)
        yield* second.fail
        assert.strictEqual(yield* second.tag, "Closed")
      }
      const inRow = yield* restarted(first.breaker, { failures: 4 })
      yield* inRow.fail
      assert.strictEqual(yield* inRow.tag, "Open")
    }))

  it.scoped("is never longer open than it can be, whatever was saved", () =>
    Effect.gen(function*() {
      const { breaker, outcome, tag } = yield* make()
      yield* breaker.restore({ ...open, until: 1e300, reopened: 1e15 })
      yield* TestClock.adjust("5 minutes")
      assert.strictEqual(yield* outcome, "Success")
      yield* breaker.restore({
        _tag: "HalfOpen",
        generation: 1e12,
        usual: 0,
        fault: null,
        probing: 1e9,
        succeeded: 1e9,
        failed: 1e9,
        until: 1e300,
        why: "failures",
        reopened: 0
      })
      assert.strictEqual(yield* tag, "HalfOpen")
      assert.strictEqual(yield* outcome, "Success")
      assert.strictEqual(yield* tag, "Closed")
    }))

  it.scoped("forgets calls that are still to come: the clock that saved them was ahead", () =>
    Effect.gen(function*() {
      const options = { rate: { within: "10 seconds", minimumCalls: 2 } } as const
      const { breaker, fail, tag } = yield* make(options)
      const bucket = { slot: 100, calls: 9, failures: 9, slow: 0 }
      yield* breaker.restore({ ...closed, memory: { row: 9, window: { _tag: "Time", width: 1000, buckets: [bucket] } } })
      yield* fail
      assert.strictEqual(yield* tag, "Closed")
    }))

  it.scoped("refuses what is no snapshot, says where it is wrong, and stays what it is", () =>
    Effect.gen(function*() {
      const { breaker, fail, failures } = yield* make()
      yield* times(3)(fail)
      const count = (window: unknown) => ({ ...closed, memory: { row: 0, window } })
      const bucket = { slot: 1, calls: 1, failures: 0, slow: 0 }
      const time = { _tag: "Time", width: 1000, buckets: [bucket] }
      for (
        const [snapshot, field] of [
          [null, ""],
          ["Closed", ""],
          [{}, "_tag"],
          [{ ...closed, _tag: "Ajar" }, "_tag"],
          [{ ...closed, generation: -1 }, "generation"],
          [{ ...closed, generation: 2 ** 53 }, "generation"],
          [{ ...closed, usual: Number.NaN }, "usual"],
          [{ ...closed, usual: 1e9 }, "usual"],
          [{ ...closed, extra: 1 }, "extra"],
          [{ ...closed, fault: { error: "x", message: "x".repeat(301) } }, "fault.message"],
          [{ ...closed, memory: { row: 0.5 } }, "memory.row"],
          [{ ...closed, memory: { row: Infinity } }, "memory.row"],
          [count({ _tag: "Count", size: 1e9, marks: "" }), "memory.window.size"],
          [count({ _tag: "Count", size: 4, marks: "0124" }), "memory.window.marks"],
          [count({ _tag: "Count", size: 4, marks: "0".repeat(10_001) }), "memory.window.marks"],
          [count({ ...time, width: 0 }), "memory.window.width"],
          [count({ ...time, buckets: [{ ...bucket, failures: 2 }] }), "memory.window.buckets.0"],
          [count({ ...time, buckets: [bucket, bucket] }), "memory.window.buckets"],
          [count({ ...time, buckets: Array.from({ length: 11 }, (_, slot) => ({ ...bucket, slot })) }), "memory.window.buckets"],
          [{ ...open, until: -1 }, "until"],
          [{ ...open, until: "soon" }, "until"],
          [{ ...open, why: "fun" }, "why"],
          [JSON.parse(`{"__proto__":{"_tag":"Closed"}}`), "_tag"]
        ] as ReadonlyArray<readonly [unknown, string]>
      ) {
        // a file may hold anything
        const error = yield* Effect.flip(breaker.restore(snapshot as CircuitBreaker.Snapshot))
        assert.strictEqual(error._tag, "InvalidOptions")
        assert.strictEqual(error.field, field === "" ? "snapshot" : `snapshot.${field}`, JSON.stringify(snapshot))
      }
      assert.strictEqual(yield* failures, 3)
    }))
})
