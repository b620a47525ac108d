/**
 * Calls that would not be let in before their deadline are told so at once (P16's other half: nothing is sent for
 * them), and a wrong estimate shuts nobody out.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, FastCheck as fc, Fiber, Option, TestClock } from "effect"
import * as Allowance from "../src/internal/allowance.js"
import * as Pace from "../src/internal/pace.js"
import { type Ask, failed, forked, make, settle } from "./queueing.js"

type Queueing = Effect.Effect.Success<ReturnType<typeof make>>

/** One call ends every second, others wait, and so it has been for so long; `0` is under way. */
const busy = (options: Parameters<typeof make>[0] = {}, ends = 20) =>
  Effect.tap(make(options), ({ ask }) =>
    Effect.gen(function*() {
      for (let i = ends; i >= 0; i--) yield* forked(ask(`${i}`))
      yield* TestClock.adjust(ends * 1000)
    }))

const isRefused = ({ ask, started }: Queueing, name: string, asked: Ask) =>
  Effect.gen(function*() {
    const fiber = yield* forked(Effect.exit(ask(name, asked)))
    const exit = yield* Fiber.poll(fiber)
    if (Option.isNone(exit)) {
      yield* Fiber.interrupt(fiber)
      return false
    }
    const error = failed(Exit.flatten(exit.value))
    assert.ok(error._tag === "DeadlineExceeded")
    assert.strictEqual(error.phase, "queued")
    assert.match(error.message, /^the call's deadline will have passed before test's queue has a place/)
    assert.notInclude(started, name)
    return true
  })

describe("a call that would be late", () => {
  it.scoped("is refused when it comes, and one that would not be is not", () =>
    Effect.gen(function*() {
      const queueing = yield* busy({ lateShare: 1 })
      const { ask, queue, read } = queueing
      for (const name of ["a", "b", "c"]) yield* forked(ask(name))
      yield* TestClock.adjust(400)
      // 600 ms of the one under way, and then three, which it cannot overtake: it would be let in after 3.6 s
      const asks = (deadline: number) => isRefused(queueing, "late", { deadline, priority: "low" })
      assert.deepStrictEqual(yield* Effect.forEach([100, 3500, 3700], asks), [true, true, false])
      assert.strictEqual(yield* queue.size, 3)
      assert.deepInclude((yield* read)?.refusals, { late: 2 })
      assert.strictEqual((yield* read)?.rejected, 2)
    }))

  it.scoped("is not behind those that are less urgent, are due later, or are another tenant's many", () =>
    Effect.gen(function*() {
      const queueing = yield* busy({ lateShare: 1 })
      for (let i = 0; i < 10; i++) yield* forked(queueing.ask(`many ${i}`, { tenant: "many" }))
      const refused = (more: Ask) => isRefused(queueing, "x", { deadline: 1500, tenant: "many", ...more })
      assert.isTrue(yield* refused({ priority: "low" }))
      assert.isTrue(yield* refused({ priority: "low", tenant: "one" }))
      assert.isFalse(yield* refused({ priority: "normal" }))
      assert.isFalse(yield* refused({ priority: "high" }))
      assert.isFalse(yield* refused({ priority: "normal", tenant: "one" }))
    }))

  it.scoped("is behind as many of the other tenants' as have their turns before it", () =>
    Effect.gen(function*() {
      const queueing = yield* busy({ lateShare: 1 })
      const come = (tenant: string, calls: number, asked: Ask = {}) =>
        Effect.forEach(Array.from({ length: calls }), (_, i) => forked(queueing.ask(`${tenant} ${i}`, { tenant, ...asked })))
      yield* come("a", 2, { deadline: 5000 })
      yield* come("b", 10)
      yield* come("c", 1)
      // one second of the one under way, two of its own tenant, two of the one and the one of the other
      const asks = (deadline: number) => isRefused(queueing, "x", { deadline, tenant: "a" })
      assert.deepStrictEqual(yield* Effect.forEach([5900, 6100], asks), [true, false])
    }))

  it.scoped("is behind all who have lost their patience", () =>
    Effect.gen(function*() {
      const queueing = yield* busy({ lateShare: 1, ageing: "10 seconds" })
      for (let i = 0; i < 40; i++) yield* forked(queueing.ask(`low ${i}`, { priority: "low" }))
      yield* TestClock.adjust("29 seconds")
      assert.isFalse(yield* isRefused(queueing, "x", { deadline: 1500, priority: "high" }))
      yield* TestClock.adjust("1 second")
      assert.isTrue(yield* isRefused(queueing, "x", { deadline: 1500, priority: "high" }))
    }))

  it.scoped("is let wait as long as no pace has been measured, while nothing moves, and where it is to be", () =>
    Effect.gen(function*() {
      const soon = { deadline: 100, priority: "low" } as const
      const young = yield* busy({ lateShare: 1 }, 14)
      yield* forked(young.ask("waits"))
      assert.isFalse(yield* isRefused(young, "x", soon))

      const paused = yield* busy({ lateShare: 1 })
      yield* paused.queue.pause
      yield* forked(paused.ask("waits"))
      assert.isFalse(yield* isRefused(paused, "x", soon))
      yield* paused.queue.resume
      yield* settle
      assert.isTrue(yield* isRefused(paused, "x", soon))

      const patient = yield* busy({ lateShare: 0 })
      yield* forked(patient.ask("waits"))
      assert.isFalse(yield* isRefused(patient, "x", soon))
    }))

  it.scoped("is not among more than a share of the calls that come", () =>
    Effect.gen(function*() {
      const queueing = yield* busy({ capacity: 1000 })
      yield* forked(queueing.ask("waits"))
      let refused = 0
      for (let i = 0; i < 500; i++) {
        if (yield* isRefused(queueing, `late ${i}`, { deadline: 1, priority: "low" })) refused++
      }
      // a fifth of the 21 that came before, and of these
      assert.approximately(refused, 104, 1)
    }))

  it.scoped("is judged by how many may be under way now", () =>
    Effect.gen(function*() {
      const queueing = yield* busy({ lateShare: 1 })
      yield* forked(queueing.ask("long", { takes: "1 hour" }))
      for (let i = 0; i < 40; i++) yield* forked(queueing.ask(`${i} waits`, { takes: "1 hour" }))
      assert.isTrue(yield* isRefused(queueing, "x", { deadline: 10_000, priority: "low" }))
      yield* queueing.queue.setConcurrency(10)
      assert.isFalse(yield* isRefused(queueing, "x", { deadline: 10_000, priority: "low" }))
    }))
})

describe("the pace", () => {
  it("is none by a clock that is put back", () => {
    const pace = Pace.make()
    pace.start(3_600_000)
    for (let second = 1; second <= 20; second++) pace.ended(3_600_000 + second * 1000)
    const before = pace.expect(10)!
    pace.ended(1000)
    assert.isAtMost(pace.expect(10)!, before)
    assert.isAtLeast(pace.expect(10)!, 0.9 * before)
    assert.isAtMost(pace.wait(1, 0), 2000)
  })

  it("is that of the last calls, while others waited", () => {
    const pace = Pace.make()
    assert.strictEqual(pace.expect(1), undefined)
    pace.ended(5)
    assert.strictEqual(pace.expect(1), undefined, "nobody waited")
    pace.start(1000)
    for (let i = 1; i <= 100; i++) pace.ended(1000 + i * 10)
    assert.approximately(pace.expect(5)!, 50, 1e-6)
    assert.approximately(pace.wait(3, 2000 + 4), 36, 1e-6)
    assert.approximately(pace.wait(3, 2000 + 400), 30, 1e-6)
    pace.stop()
    assert.strictEqual(pace.wait(3, 9000), 0)
    pace.start(9000)
    for (let i = 1; i <= 100; i++) pace.ended(9000 + i * 100)
    assert.approximately(pace.expect(1)!, 100, 1)
    pace.quicken(4)
    assert.approximately(pace.expect(1)!, 25, 1)
  })
})

describe("an allowance", () => {
  it("is a share of those who come, and ten at a time", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.array(fc.nat(30), { minLength: 10, maxLength: 200, size: "max" }),
        (share, comings) => {
          const allowance = Allowance.make(share)
          let came = 0
          let done = 0
          for (const more of comings) {
            came += more
            if (allowance.take(came)) done++
            assert.isAtMost(done, came * share + 1e-6)
          }
        }
      ),
      { numRuns: 500 }
    )
    const allowance = Allowance.make(0.5)
    const inARow = Array.from({ length: 50 }, () => allowance.take(1_000)).filter(Boolean)
    assert.strictEqual(inARow.length, 10)
  })
})
