import { assert, describe, it } from "@effect/vitest"
import * as CircuitBreaker from "@spillway/core/CircuitBreaker"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Monitor from "@spillway/core/Monitor"
import * as Resilience from "@spillway/core/Resilience"
import { Chunk, Duration, Effect, Exit, Scope, Stream, TestClock } from "effect"
import { failed, fault, forked, make, times } from "./toldBackend.js"

// CB-52: nobody can say "half-open" by hand, so there is no illegal change to refuse; that each change is told once is
// held below.

describe("CircuitBreaker", () => {
  describe("by hand", () => {
    it.scoped("stays open until it is closed, however often it was opened", () =>
      Effect.gen(function*() {
        const { ask, asked, breaker, outcome, succeed, tag } = yield* make()
        yield* breaker.open
        yield* breaker.open
        yield* TestClock.adjust("1 day")
        const error = failed(yield* Effect.exit(ask))
        assert.ok(error._tag === "CircuitOpen")
        assert.strictEqual(error.retryAfter, undefined)
        assert.strictEqual(error.message, "test's circuit was opened by hand, until it is closed")
        assert.strictEqual(asked.times, 0)
        yield* breaker.close
        assert.strictEqual(yield* tag, "Closed")
        yield* succeed
        assert.strictEqual(yield* outcome, "Success")
      }))

    it.scoped("opens for a time, or until a moment, and is probed then (CB-38)", () =>
      Effect.gen(function*() {
        yield* TestClock.adjust("1 hour")
        const { ask, breaker, outcome, tag } = yield* make()
        for (const open of [breaker.openFor("2 hours"), breaker.openUntil(Duration.toMillis("3 hours"))]) {
          yield* TestClock.setTime(Duration.toMillis("1 hour"))
          yield* open
          yield* TestClock.adjust("1 hour")
          const error = failed(yield* Effect.exit(ask))
          assert.ok(error._tag === "CircuitOpen")
          assert.deepStrictEqual(error.retryAfter, Duration.hours(1))
          assert.strictEqual(error.message, "test's circuit was opened by hand, for 1h")
          assert.strictEqual(error.fault, undefined)
          yield* TestClock.adjust("61 minutes")
          assert.strictEqual(yield* outcome, "Success")
          assert.strictEqual(yield* tag, "Closed")
        }
        assert.strictEqual((yield* Effect.flip(breaker.openFor(0))).field, "openFor")
        assert.strictEqual((yield* Effect.flip(breaker.openUntil(Number.NaN))).field, "openUntil")
        assert.strictEqual(yield* tag, "Closed")
      }))

    it.scoped("closes an open one at once, and forgets the failures of a closed one", () =>
      Effect.gen(function*() {
        const { breaker, fail, tag } = yield* make({ failures: 2 })
        yield* times(2)(fail)
        yield* breaker.close
        assert.strictEqual(yield* tag, "Closed")
        yield* fail
        yield* breaker.close
        yield* fail
        assert.strictEqual(yield* tag, "Closed")
      }))

    it.scoped("is isolated as long as one of those who isolated it is there (CB-53)", () =>
      Effect.gen(function*() {
        const { ask, asked, breaker, tag } = yield* make()
        const seen: Array<string> = []
        yield* forked(Stream.runForEach(breaker.transitions, ({ from, to }) => Effect.sync(() => seen.push(`${from} ${to}`))))
        const [one, two] = [yield* Scope.make(), yield* Scope.make()]
        yield* Scope.extend(breaker.isolate, one)
        yield* Scope.extend(breaker.isolate, two)
        yield* Scope.close(one, Exit.void)
        yield* Scope.close(one, Exit.void)
        yield* TestClock.adjust("1 day")
        const error = failed(yield* Effect.exit(ask))
        assert.deepInclude(error, { _tag: "CircuitOpen", message: "test is isolated by hand" })
        assert.strictEqual(asked.times, 0)
        assert.strictEqual(yield* tag, "Isolated")
        yield* Scope.close(two, Exit.void)
        assert.strictEqual(yield* tag, "Closed")
        yield* TestClock.adjust(0)
        assert.deepStrictEqual(seen, ["closed isolated", "isolated closed"])
      }))

    it.scoped("who isolated it does not end what was said later", () =>
      Effect.gen(function*() {
        const { breaker, tag } = yield* make()
        const scope = yield* Scope.make()
        yield* Scope.extend(breaker.isolate, scope)
        yield* breaker.close
        yield* breaker.isolate
        yield* Scope.close(scope, Exit.void)
        assert.strictEqual(yield* tag, "Isolated", "somebody else holds it")
        yield* breaker.open
        assert.strictEqual(yield* tag, "Open")
      }))

    it.scoped("lets everything through and counts nothing while it is disabled", () =>
      Effect.gen(function*() {
        const { breaker, fail, outcome, tag } = yield* make({ failures: 1 })
        yield* fail
        assert.strictEqual(yield* outcome, "CircuitOpen")
        yield* breaker.disable
        yield* times(9)(fail)
        assert.strictEqual(yield* tag, "Disabled")
        assert.strictEqual(yield* outcome, "ServerFault")
        yield* breaker.enable
        assert.strictEqual(yield* tag, "Closed")
        yield* fail
        assert.strictEqual(yield* outcome, "CircuitOpen")
        yield* breaker.enable
        assert.strictEqual(yield* tag, "Open", "it was not disabled")
      }))
  })

  describe("seen from outside", () => {
    it.scoped("tells each change once, beginning with what it is (CB-52)", () =>
      Effect.gen(function*() {
        const { breaker, fail, succeed } = yield* make({ failures: 2, openFor: "1 second" })
        const seen: Array<string> = []
        yield* forked(Stream.runForEach(breaker.changes, ({ _tag }) => Effect.sync(() => seen.push(_tag))))
        yield* times(2)(fail)
        yield* fail
        yield* TestClock.adjust("1 second")
        yield* succeed
        yield* breaker.close
        yield* breaker.open
        yield* breaker.open
        yield* TestClock.adjust(0)
        assert.deepStrictEqual(seen, ["Closed", "Open", "HalfOpen", "Closed", "Open"])
        const late = yield* Stream.runCollect(Stream.take(breaker.changes, 1))
        assert.deepStrictEqual(Chunk.toReadonlyArray(late).map(({ _tag }) => _tag), ["Open"])
      }))

    it.scoped("says why it changed, to who listens and to the monitor", () =>
      Effect.gen(function*() {
        const { breaker, fail, succeed } = yield* make({ failures: 2, openFor: "1 second" })
        const seen: Array<Monitor.CircuitTransition> = []
        yield* forked(Stream.runForEach(breaker.transitions, (change) => Effect.sync(() => seen.push(change))))
        yield* times(2)(fail)
        yield* TestClock.adjust("1 second")
        yield* succeed
        yield* breaker.open
        yield* breaker.disable
        yield* TestClock.adjust(0)
        assert.deepStrictEqual(seen, [
          { at: 0, from: "closed", to: "open", reason: "failures", fault: "ServerFault" },
          { at: 1000, from: "open", to: "half-open", reason: "time" },
          { at: 1000, from: "half-open", to: "closed", reason: "probes" },
          { at: 1000, from: "closed", to: "open", reason: "hand" },
          { at: 1000, from: "open", to: "disabled", reason: "hand" }
        ])
        const { circuit } = (yield* Monitor.snapshot).backends[0]!
        assert.deepStrictEqual(circuit, {
          state: "disabled",
          failures: 0,
          opened: 2,
          refused: 0,
          transitions: 5,
          changes: [
            { from: "closed", to: "open", times: 2 },
            { from: "open", to: "half-open", times: 1 },
            { from: "half-open", to: "closed", times: 1 },
            { from: "open", to: "disabled", times: 1 }
          ],
          timeline: seen,
          lastFault: "ServerFault"
        })
      }).pipe(Effect.provideService(Monitor.CurrentMonitor, Monitor.unsafeMake())))

    it.effect("is found in the list of breakers for as long as its scope lasts", () =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const breaker = yield* Scope.extend(CircuitBreaker.make({ backend: "test" }), scope)
        assert.deepStrictEqual(yield* CircuitBreaker.breakers, [breaker])
        assert.strictEqual(breaker.backend, "test")
        yield* Scope.close(scope, Exit.void)
        assert.deepStrictEqual(yield* CircuitBreaker.breakers, [])
      }).pipe(Effect.provideService(CircuitBreaker.CurrentBreakers, new Set())))

    it.effect("is told to the monitor, until its scope closes", () =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const { answers, ask, breaker, fail } = yield* Scope.extend(make({ failures: 2 }), scope)
        const read = Effect.map(Monitor.snapshot, ({ backends }) => {
          if (backends[0]?.circuit === undefined) return undefined
          const { changes: _, timeline: __, ...circuit } = backends[0].circuit
          return circuit
        })
        const counts = { opened: 0, refused: 0, transitions: 0 }
        assert.deepStrictEqual(yield* read, { state: "closed", failures: 0, ...counts })
        yield* fail
        const faulty = { ...counts, lastFault: "ServerFault" }
        assert.deepStrictEqual(yield* read, { state: "closed", failures: 1, ...faulty })
        yield* TestClock.adjust(7)
        yield* fail
        yield* fail
        const once = { ...faulty, opened: 1, refused: 1, transitions: 1 }
        assert.deepStrictEqual(yield* read, { state: "open", failures: 0, openUntil: 30_007, ...once })
        yield* TestClock.adjust("30 seconds")
        yield* answers(Effect.never)
        yield* forked(ask)
        assert.deepStrictEqual(yield* read, {
          state: "half-open",
          failures: 0,
          probes: { underWay: 1, succeeded: 0, failed: 0 },
          ...once,
          transitions: 2
        })
        yield* breaker.open
        yield* breaker.open
        assert.deepStrictEqual(yield* read, { state: "open", failures: 0, ...once, opened: 2, transitions: 3 })
        yield* Scope.close(scope, Exit.void)
        assert.strictEqual(yield* read, undefined)
      }).pipe(Effect.provideService(Monitor.CurrentMonitor, Monitor.unsafeMake())))

    it.scoped("remembers no more than its last fifty changes", () =>
      Effect.gen(function*() {
        const { breaker } = yield* make()
        yield* times(60)(Effect.zipRight(breaker.open, breaker.close))
        const { circuit } = (yield* Monitor.snapshot).backends[0]!
        assert.strictEqual(circuit?.transitions, 120)
        assert.lengthOf(circuit?.timeline ?? [], 50)
        assert.strictEqual(circuit?.timeline?.at(-1)?.to, "closed")
      }).pipe(Effect.provideService(Monitor.CurrentMonitor, Monitor.unsafeMake())))

    it.scoped("says in short, and on one line, what went wrong last", () =>
      Effect.gen(function*() {
        const { as, ask } = yield* make({ failures: 2 })
        yield* as(fault)
        yield* as(new LlmError.ServerFault({ backend: "test", message: `a\r\n b\u2028\u0007${"c".repeat(1000)}` }))
        const error = failed(yield* Effect.exit(ask))
        assert.ok(error._tag === "CircuitOpen" && error.fault !== undefined)
        assert.strictEqual(error.fault.error, "ServerFault")
        assert.strictEqual(error.fault.message, `a b ${"c".repeat(196)}…`)
        assert.include(error.message, error.fault.message)
      }))

    it.scoped("costs a call nothing that waits while it is closed", () =>
      Effect.gen(function*() {
        const breaker = yield* CircuitBreaker.make({ backend: "test" })
        const service = Resilience.protect(LlmService.make("test", { listModels: Effect.succeed([]) }), breaker.policy)
        // runSync fails at the first asynchronous step
        assert.deepStrictEqual(Effect.runSync(service.listModels), [])
      }))

    it.effect("has its options checked when it is built (CB-56)", () =>
      Effect.gen(function*() {
        for (
          const [options, field] of [
            [{ failures: 0 }, "failures"],
            [{ failures: 1.5 }, "failures"],
            [{ failures: Number.NaN }, "failures"],
            [{ openFor: 0 }, "openFor"],
            [{ openFor: "-1 seconds" }, "openFor"],
            [{ growth: 0.5 }, "growth"],
            [{ maxOpenFor: "29 seconds" }, "maxOpenFor"],
            [{ jitter: 1.1 }, "jitter"],
            [{ probes: 0 }, "probes"],
            [{ successes: 0 }, "successes"],
            [{ failedProbes: -1 }, "failedProbes"],
            [{ probeWait: 0 }, "probeWait"],
            [{ patience: 0 }, "patience"],
            [{ outcomes: { ServerFault: "Fatal" as "Failure" } }, "outcomes.ServerFault"],
            [{ outcomes: { Teapot: "Failure" } as {} }, "outcomes.Teapot"],
            [{ judge: "Failure" as never }, "judge"],
            [{ backend: " " }, "backend"],
            [{ rule: {} } as {}, "rule"]
          ] as const
        ) {
          const built = Effect.scoped(CircuitBreaker.make({ backend: "test", ...options }))
          assert.strictEqual((yield* Effect.flip(built)).field, field)
        }
      }))
  })
})
