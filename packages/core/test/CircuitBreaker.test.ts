import { assert, describe, it } from "@effect/vitest"
import * as CircuitBreaker from "@spillway/core/CircuitBreaker"
import type * as Completion from "@spillway/core/Completion"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Policy from "@spillway/core/Policy"
import * as Resilience from "@spillway/core/Resilience"
import {
  Cause,
  Deferred,
  Duration,
  Effect,
  Either,
  Exit,
  Fiber,
  FiberId,
  Option,
  Queue,
  Random,
  Stream,
  TestClock
} from "effect"
import { failed, fault, forked, make, times } from "./toldBackend.js"

// Rates and slow answers: CircuitBreaker.rates.test.ts. Hanging backends: CircuitBreaker.hang.test.ts. What is done by
// hand, seen from outside and saved: CircuitBreaker.hand.test.ts.
//
// Not ours: CB-05 (ours is ≥, as in CB-04); CB-55 (the queue is what shuts down); CB-59 (how many keys may be out at once
// is the pool's: it always has one, the first whose time is over).

describe("CircuitBreaker", () => {
  describe("closed", () => {
    it.scoped("opens at as many failures in a row as it was told, and then asks the backend no more (CB-13)", () =>
      Effect.gen(function*() {
        const { asked, fail, outcome, tag } = yield* make({ failures: 2 })
        yield* fail
        assert.strictEqual(yield* tag, "Closed")
        yield* fail
        assert.strictEqual(yield* tag, "Open")
        assert.strictEqual(yield* outcome, "CircuitOpen")
        assert.strictEqual(asked.times, 2)
      }))

    it.scoped("forgets the failures at one success (CB-14, CB-17)", () =>
      Effect.gen(function*() {
        const { fail, succeed, tag } = yield* make({ failures: 3 })
        yield* times(2)(fail)
        yield* succeed
        yield* times(2)(fail)
        assert.strictEqual(yield* tag, "Closed")
        yield* fail
        assert.strictEqual(yield* tag, "Open")
      }))

    it.scoped("takes the failures that come back first of many calls for a row only when they are half of them", () =>
      Effect.gen(function*() {
        const { answers, ask, asked, failures, tag } = yield* make()
        for (const [failing, expected] of [[32, "Closed"], [33, "Open"]] as const) {
          yield* answers(Effect.sleep("1 second"))
          yield* forked(Effect.all(Array.from({ length: 64 }, () => Effect.exit(ask)), { concurrency: "unbounded" }))
          yield* answers(fault)
          // each of them is one of 65 that wait
          yield* times(failing)(Effect.exit(ask))
          assert.strictEqual(yield* tag, expected)
          yield* TestClock.adjust("1 second")
        }
        assert.strictEqual(yield* failures, -1)
        assert.strictEqual(asked.times, 64 + 32 + 64 + 33)
      }))

    it.scoped("by default opens at the fifth failure, for 30 seconds", () =>
      Effect.gen(function*() {
        const { breaker, fail, tag } = yield* make()
        yield* times(4)(fail)
        assert.strictEqual(yield* tag, "Closed")
        yield* fail
        const state = yield* breaker.state
        assert.ok(state._tag === "Open")
        assert.strictEqual(state.until, 30_000)
        assert.deepStrictEqual(Option.getOrNull(state.fault), { error: "ServerFault", message: "500" })
      }))

    it.scoped("counts what is the backend's fault, forgets at what it answered, overlooks what never reached it (CB-10, CB-28)", () =>
      Effect.gen(function*() {
        const common = { backend: "test", message: "" }
        const errors: { readonly [T in LlmError.Tag]: readonly [Extract<LlmError.LlmError, { _tag: T }>, string] } = {
          ServerFault: [new LlmError.ServerFault(common), "counts"],
          NetworkFailure: [new LlmError.NetworkFailure(common), "counts"],
          MalformedResponse: [new LlmError.MalformedResponse(common), "counts"],
          StreamInterrupted: [new LlmError.StreamInterrupted(common), "counts"],
          TimedOut: [new LlmError.TimedOut({ ...common, after: Duration.seconds(1) }), "counts"],
          RateLimited: [new LlmError.RateLimited(common), "forgets"],
          QuotaExhausted: [new LlmError.QuotaExhausted(common), "forgets"],
          AuthenticationFailed: [new LlmError.AuthenticationFailed(common), "forgets"],
          PermissionDenied: [new LlmError.PermissionDenied(common), "forgets"],
          InvalidRequest: [new LlmError.InvalidRequest(common), "forgets"],
          ModelNotFound: [new LlmError.ModelNotFound(common), "forgets"],
          NotFound: [new LlmError.NotFound(common), "forgets"],
          Conflict: [new LlmError.Conflict(common), "forgets"],
          ContentFiltered: [new LlmError.ContentFiltered(common), "forgets"],
          InvalidOutput: [new LlmError.InvalidOutput({ ...common, text: "" }), "forgets"],
          Unsupported: [new LlmError.Unsupported({ ...common, feature: "embed" }), "overlooks"],
          DeadlineExceeded: [new LlmError.DeadlineExceeded({ ...common, phase: "attempt" }), "overlooks"],
          CircuitOpen: [new LlmError.CircuitOpen(common), "overlooks"],
          QueueFull: [new LlmError.QueueFull({ ...common, capacity: 0, waiting: 0 }), "overlooks"],
          KeysCooling: [new LlmError.KeysCooling(common), "overlooks"],
          KeysExhausted: [new LlmError.KeysExhausted(common), "overlooks"],
          BudgetExceeded: [
            new LlmError.BudgetExceeded({ ...common, limit: "all per day", reason: "LimitReached", atLimit: "refuse" }),
            "overlooks"
          ],
          PartialFailure: [new LlmError.PartialFailure({ ...common, done: [], failed: [] }), "overlooks"]
        }
        const failures = (breaker: CircuitBreaker.CircuitBreaker) =>
          Effect.map(breaker.state, (state) => state._tag === "Closed" ? state.memory.row : -1)
        const read = { 0: "forgets", 1: "overlooks", 2: "counts" } as Record<number, string>
        for (const [error, expected] of Object.values(errors)) {
          const { as, breaker, fail } = yield* make()
          yield* fail
          yield* as(Effect.fail(error))
          assert.strictEqual(read[yield* failures(breaker)], expected, error._tag)
        }
        const others = [Effect.die("a bug"), Effect.interrupt, Effect.fail("something else" as never)]
        for (const other of others) {
          const { as, breaker, fail } = yield* make()
          yield* fail
          yield* Effect.exit(Effect.fork(as(other)).pipe(Effect.flatMap(Fiber.join)))
          assert.strictEqual(yield* failures(breaker), 1)
        }
      }))

    it.scoped("judges errors as it is told, by their names or by a look at them", () =>
      Effect.gen(function*() {
        const limited = new LlmError.RateLimited({ backend: "test", message: "slow down" })
        const { as, failures } = yield* make({
          outcomes: { RateLimited: "Failure", ServerFault: "Neutral" },
          judge: (error) => error.message === "teapot" ? "Failure" : undefined
        })
        yield* as(limited)
        assert.strictEqual(yield* failures, 1)
        yield* as(fault)
        assert.strictEqual(yield* failures, 1)
        yield* as(new LlmError.ServerFault({ backend: "test", message: "teapot" }))
        assert.strictEqual(yield* failures, 2)
        yield* as(new LlmError.ContentFiltered({ backend: "test", message: "no" }))
        assert.strictEqual(yield* failures, 0)
      }))

    it.scoped("takes an error for a success where it is told to (CB-30)", () =>
      Effect.gen(function*() {
        const { fail, failures, as } = yield* make({ outcomes: { MalformedResponse: "Success" } })
        yield* fail
        yield* as(new LlmError.MalformedResponse({ backend: "test", message: "" }))
        assert.strictEqual(yield* failures, 0)
      }))

    it.scoped("counts exactly what many fibers do (CB-61)", () =>
      Effect.gen(function*() {
        const { answers, ask, breaker } = yield* make({ rate: { calls: 10_000, failureRate: 1 } })
        let n = 0
        yield* answers(Effect.suspend(() => Effect.zipRight(Effect.yieldNow(), n++ % 2 === 0 ? fault : Effect.void)))
        yield* Effect.forEach(
          Array.from({ length: 10 }),
          () => times(500)(Effect.exit(ask)),
          { concurrency: "unbounded", discard: true }
        )
        const state = yield* breaker.state
        assert.ok(state._tag === "Closed")
        assert.deepInclude(state.memory.window, { calls: 5000, failures: 2500, slow: 0 })
      }))
  })

  describe("open", () => {
    it.scoped("asks nothing until its time is over, and a probe in that moment (CB-31, CB-32)", () =>
      Effect.gen(function*() {
        const { asked, fail, outcome, succeed, tag } = yield* make({ failures: 1 })
        yield* fail
        yield* TestClock.adjust(29_999)
        assert.strictEqual(yield* outcome, "CircuitOpen")
        assert.strictEqual(asked.times, 1)
        yield* TestClock.adjust(1)
        assert.strictEqual(yield* tag, "Open", "until a call comes")
        yield* succeed
        assert.strictEqual(asked.times, 2)
        assert.strictEqual(yield* tag, "Closed")
      }))

    it.scoped("says how long it will be open still, and why (CB-37)", () =>
      Effect.gen(function*() {
        const { ask, fail } = yield* make({ failures: 1, openFor: "5 seconds" })
        yield* fail
        yield* TestClock.adjust(1)
        const error = failed(yield* Effect.exit(ask))
        assert.ok(error._tag === "CircuitOpen")
        assert.strictEqual(Duration.toMillis(error.retryAfter!), 4999)
        assert.strictEqual(error.backend, "test")
        assert.strictEqual(error.model, "m")
        assert.strictEqual(error.message, "test has been failing (ServerFault: 500), and is left alone for 4s 999ms")
      }))

    it.scoped("is not closed by a call that began before (CB-26)", () =>
      Effect.gen(function*() {
        const { answers, ask, fail, tag } = yield* make({ failures: 1 })
        yield* answers(Effect.sleep("1 second"))
        const late = yield* forked(ask)
        yield* fail
        yield* TestClock.adjust("1 second")
        assert.isTrue(Exit.isSuccess(yield* Fiber.await(late)))
        assert.strictEqual(yield* tag, "Open")
      }))

    it.scoped("nor is what comes after it judged by one (CB-26)", () =>
      Effect.gen(function*() {
        const { answers, ask, fail, succeed, tag } = yield* make({ failures: 1, openFor: "1 second" })
        yield* answers(Effect.zipRight(Effect.sleep("1 minute"), fault))
        yield* forked(Effect.exit(ask))
        yield* fail
        yield* TestClock.adjust("1 second")
        yield* succeed
        assert.strictEqual(yield* tag, "Closed")
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(yield* tag, "Closed")
      }))
  })

  describe("half-open", () => {
    const halfOpen = (options: Partial<CircuitBreaker.Options> = {}) =>
      Effect.gen(function*() {
        const self = yield* make({ failures: 1, openFor: "30 seconds", ...options })
        yield* self.fail
        yield* TestClock.adjust("30 seconds")
        self.asked.times = 0
        return self
      })

    it.scoped("of fifty that come at once lets one through, and tells the others when (CB-50)", () =>
      Effect.gen(function*() {
        const { answers, ask, asked, tag } = yield* halfOpen()
        yield* answers(Effect.sleep("1 second"))
        const answered = yield* forked(
          Effect.forEach(Array.from({ length: 50 }), () => Effect.exit(ask), { concurrency: "unbounded" })
        )
        assert.strictEqual(asked.times, 1)
        assert.strictEqual(yield* tag, "HalfOpen")
        yield* TestClock.adjust("1 second")
        const exits = yield* Fiber.join(answered)
        assert.strictEqual(exits.filter(Exit.isSuccess).length, 1)
        for (const exit of exits.filter(Exit.isFailure)) {
          const error = failed(exit)
          assert.ok(error._tag === "CircuitOpen")
          assert.strictEqual(Duration.toMillis(error.retryAfter!), 30_000)
        }
        assert.strictEqual(yield* tag, "Closed")
      }))

    it.scoped("opens again at a probe that fails, for the whole time, as often as it takes (CB-08, CB-46)", () =>
      Effect.gen(function*() {
        const { asked, fail, outcome, succeed, tag } = yield* halfOpen()
        yield* fail
        assert.strictEqual(yield* tag, "Open")
        yield* TestClock.adjust(29_999)
        assert.strictEqual(yield* outcome, "CircuitOpen")
        yield* TestClock.adjust(1)
        yield* fail
        assert.strictEqual(yield* tag, "Open")
        assert.strictEqual(asked.times, 2)
        yield* TestClock.adjust("30 seconds")
        yield* times(3)(succeed)
        assert.strictEqual(yield* tag, "Closed")
        assert.strictEqual(asked.times, 5)
      }))

    it.scoped("gives the slot of an interrupted probe to the next call (CB-49)", () =>
      Effect.gen(function*() {
        const { answers, ask, asked, outcome, succeed, tag } = yield* halfOpen()
        yield* answers(Effect.never)
        const probe = yield* forked(ask)
        assert.strictEqual(yield* outcome, "CircuitOpen")
        yield* Fiber.interrupt(probe)
        assert.strictEqual(yield* tag, "HalfOpen")
        yield* succeed
        assert.strictEqual(asked.times, 2)
        assert.strictEqual(yield* tag, "Closed")
      }))

    it.scoped("gives the slot of a probe that never reached the backend to the next call (CB-28, CB-29)", () =>
      Effect.gen(function*() {
        const { as, asked, succeed, tag } = yield* halfOpen()
        yield* times(4)(as(new LlmError.KeysExhausted({ backend: "test", message: "" })))
        assert.strictEqual(yield* tag, "HalfOpen")
        yield* succeed
        assert.strictEqual(asked.times, 5)
        assert.strictEqual(yield* tag, "Closed")
      }))

    it.scoped("closes at a probe that was refused: the backend is there", () =>
      Effect.gen(function*() {
        const { as, tag } = yield* halfOpen()
        yield* as(new LlmError.RateLimited({ backend: "test", message: "slow down" }))
        assert.strictEqual(yield* tag, "Closed")
      }))

    it.scoped("closes at as many successes as it was told, and opens at one failure among them (CB-43)", () =>
      Effect.gen(function*() {
        const { fail, succeed, tag } = yield* halfOpen({ successes: 3 })
        yield* times(2)(succeed)
        assert.strictEqual(yield* tag, "HalfOpen")
        yield* fail
        assert.strictEqual(yield* tag, "Open")
        yield* TestClock.adjust("30 seconds")
        yield* times(3)(succeed)
        assert.strictEqual(yield* tag, "Closed")
      }))

    it.scoped("closes or opens as soon as it is clear which, where some probes may fail (CB-29, CB-40, CB-43)", () =>
      Effect.gen(function*() {
        for (
          const [options, script, expected] of [
            [{ successes: 3, failedProbes: 1 }, "FF", "Open"],
            [{ successes: 3, failedProbes: 1 }, "FSF", "Open"],
            [{ successes: 3, failedProbes: 1 }, "FSSS", "Closed"],
            [{ successes: 3, failedProbes: 1 }, "SSS", "Closed"],
            [{ successes: 3, failedProbes: 1 }, "SSF", "HalfOpen"],
            [{ successes: 2, failedProbes: 1 }, "FSF", "Open"],
            [{ successes: 2, failedProbes: 1 }, "FSS", "Closed"]
          ] as const
        ) {
          const { play, tag } = yield* halfOpen(options)
          yield* play(script)
          assert.strictEqual(yield* tag, expected, script)
        }
      }))

    it.scoped("forgets what was counted before, when it closes (CB-40)", () =>
      Effect.gen(function*() {
        const { play, succeed, tag } = yield* halfOpen({ failures: 1, rate: { calls: 4, minimumCalls: 2 } })
        yield* succeed
        yield* play("S")
        assert.strictEqual(yield* tag, "Closed")
        yield* play("F")
        assert.strictEqual(yield* tag, "Open")
      }))

    it.scoped("has no more probes under way than may still be needed (CB-44)", () =>
      Effect.gen(function*() {
        const { answers, ask, breaker, outcome, succeed, tag } = yield* halfOpen({ probes: 3, successes: 3 })
        yield* times(2)(succeed)
        yield* answers(Effect.sleep("1 second"))
        const third = yield* forked(ask)
        assert.strictEqual(yield* outcome, "CircuitOpen")
        yield* TestClock.adjust("1 second")
        assert.isTrue(Exit.isSuccess(yield* Fiber.await(third)))
        assert.strictEqual(yield* tag, "Closed")
        const state = yield* breaker.state
        assert.strictEqual(state._tag === "Closed" && state.memory.row, 0)
      }))

    it.scoped("lets as many probes through at once as it was told", () =>
      Effect.gen(function*() {
        const { answers, ask, asked, outcome } = yield* halfOpen({ probes: 3 })
        yield* answers(Effect.sleep("1 second"))
        for (let i = 0; i < 3; i++) yield* forked(ask)
        assert.strictEqual(yield* outcome, "CircuitOpen")
        assert.strictEqual(asked.times, 3)
      }))

    it.scoped("does not wait for a probe that never answers: one more goes after the open time (CB-47)", () =>
      Effect.gen(function*() {
        const { answers, ask, asked, outcome, succeed, tag } = yield* halfOpen()
        yield* answers(Effect.never)
        yield* forked(ask)
        yield* TestClock.adjust(29_999)
        assert.strictEqual(yield* outcome, "CircuitOpen")
        yield* TestClock.adjust(1)
        yield* succeed
        assert.strictEqual(asked.times, 2)
        assert.strictEqual(yield* tag, "Closed")
      }))

    it.scoped("waits for a probe as long as it was told", () =>
      Effect.gen(function*() {
        const { answers, ask, asked, outcome } = yield* halfOpen({ probeWait: "1 second" })
        yield* answers(Effect.never)
        yield* forked(ask)
        yield* TestClock.adjust(999)
        assert.strictEqual(yield* outcome, "CircuitOpen")
        yield* TestClock.adjust(1)
        yield* forked(ask)
        assert.strictEqual(asked.times, 2)
        assert.strictEqual(yield* outcome, "CircuitOpen")
      }))

    it.scoped("closes also when every probe takes longer than the open time", () =>
      Effect.gen(function*() {
        const { answers, ask, tag } = yield* halfOpen()
        yield* answers(Effect.sleep("45 seconds"))
        yield* forked(ask)
        yield* TestClock.adjust("30 seconds")
        yield* forked(ask)
        yield* TestClock.adjust("15 seconds")
        assert.strictEqual(yield* tag, "Closed")
      }))
  })

  describe("the open time", () => {
    /** Fails each probe the moment that it may go, and tells how long each open time was. */
    const openTimes = (n: number, { breaker, fail, tag }: Effect.Effect.Success<ReturnType<typeof make>>) =>
      Effect.replicateEffect(
        Effect.gen(function*() {
          yield* fail
          assert.strictEqual(yield* tag, "Open")
          const state = yield* breaker.state
          const left = state._tag === "Open" ? state.until - (yield* TestClock.currentTimeMillis) : 0
          yield* TestClock.adjust(left)
          return left
        }),
        n
      )

    it.scoped("grows each time that it opens again, up to the longest, and begins anew once it has closed (CB-34, CB-35)", () =>
      Effect.gen(function*() {
        const self = yield* make({ failures: 1, openFor: "1 second", growth: 2, maxOpenFor: "10 seconds" })
        assert.deepStrictEqual(yield* openTimes(6, self), [1000, 2000, 4000, 8000, 10_000, 10_000])
        yield* self.succeed
        assert.strictEqual(yield* self.tag, "Closed")
        assert.deepStrictEqual(yield* openTimes(3, self), [1000, 2000, 4000])
      }))

    it.scoped("is always the same by default, also of a key that fails a second time (CB-58)", () =>
      Effect.gen(function*() {
        const self = yield* make({ failures: 1 })
        assert.deepStrictEqual(yield* openTimes(3, self), [30_000, 30_000, 30_000])
      }))

    it.scoped("is spread by chance, and never longer than the longest", () =>
      Effect.gen(function*() {
        const options = { failures: 1, openFor: "10 seconds", jitter: 0.5 } as const
        const self = yield* Effect.withRandom(make({ ...options, maxOpenFor: "12 seconds" }), Random.make("one"))
        const spread = yield* openTimes(100, self)
        assert.isAtLeast(Math.min(...spread), 5000)
        assert.isBelow(Math.min(...spread), 6000)
        assert.strictEqual(Math.max(...spread), 12_000)
        const another = yield* Effect.withRandom(make(options), Random.make("another"))
        assert.notDeepEqual(yield* openTimes(5, another), spread.slice(0, 5))
      }))

    it.scoped("may be longer than the longest by default, and without end", () =>
      Effect.gen(function*() {
        const hours = yield* make({ failures: 1, openFor: "2 hours" })
        assert.deepStrictEqual(yield* openTimes(1, hours), [7_200_000])
        const latch = yield* make({ failures: 1, openFor: Duration.infinity, jitter: 1 })
        yield* latch.fail
        yield* TestClock.adjust("1000 days")
        const error = failed(yield* Effect.exit(latch.ask))
        assert.deepInclude(error, { _tag: "CircuitOpen", message: "test has been failing (ServerFault: 500), and is left alone until it is closed" })
        assert.notProperty(error, "retryAfter")
      }))
  })

  // ---------------------------------------------------------------------------

  describe("streams", () => {
    type Item = Either.Either<Completion.Part, Option.Option<LlmError.LlmError>>
    const part: Item = Either.right({ _tag: "TextDelta", text: "a" })
    const finish: Item = Either.right({ _tag: "Finish", finishReason: "stop", usage: {} })
    const end: Item = Either.left(Option.none())
    const broken: Item = Either.left(
      Option.some(new LlmError.StreamInterrupted({ backend: "test", message: "cut" }))
    )

    /** A stream that is fed by hand. */
    const fed = (options: Partial<CircuitBreaker.Options> = {}) =>
      Effect.gen(function*() {
        const breaker = yield* CircuitBreaker.make({ backend: "test", failures: 2, openFor: "1 second", ...options })
        const feed = yield* Queue.unbounded<Item>()
        const service = Resilience.protect(
          LlmService.make("test", {
            streamText: () => Stream.repeatEffectOption(Effect.flatten(Queue.take(feed))),
            listModels: fault
          }),
          breaker.policy
        )
        return {
          breaker,
          feed: (...items: ReadonlyArray<Item>) => Effect.zipRight(Queue.offerAll(feed, items), TestClock.adjust(0)),
          stream: service.streamText({ model: "m", prompt: "" }),
          fail: Effect.asVoid(Effect.exit(service.listModels)),
          tag: Effect.map(breaker.state, ({ _tag }) => _tag),
          failures: Effect.map(breaker.state, (state) => state._tag === "Closed" ? state.memory.row : -1)
        }
      })

    it.scoped("one that breaks half-way is a failure", () =>
      Effect.gen(function*() {
        const { failures, feed, stream, tag } = yield* fed()
        for (let i = 1; i <= 2; i++) {
          const answer = yield* forked(Effect.exit(Stream.runDrain(stream)))
          yield* feed(part)
          assert.strictEqual(yield* failures, i - 1, "beginning well is no success")
          yield* feed(part, broken)
          assert.strictEqual(failed(yield* Fiber.join(answer))._tag, "StreamInterrupted")
        }
        assert.strictEqual(yield* tag, "Open")
      }))

    it.scoped("one that ends is a success, in that moment", () =>
      Effect.gen(function*() {
        const { fail, failures, feed, stream } = yield* fed()
        yield* fail
        const answer = yield* forked(Stream.runDrain(stream))
        yield* feed(part, finish)
        assert.strictEqual(yield* failures, 1)
        yield* feed(end)
        yield* Fiber.join(answer)
        assert.strictEqual(yield* failures, 0)
      }))

    it.scoped("one whose consumer goes away is no failure", () =>
      Effect.gen(function*() {
        const { failures, feed, stream } = yield* fed()
        const interrupted = yield* forked(Stream.runDrain(stream))
        yield* feed(part)
        yield* Fiber.interrupt(interrupted)
        assert.strictEqual(yield* failures, 0)
        const few = yield* forked(Stream.runDrain(Stream.take(stream, 1)))
        yield* feed(part)
        yield* Fiber.join(few)
        assert.strictEqual(yield* failures, 0)
      }))

    it.scoped("one whose consumer fails is no failure of the backend", () =>
      Effect.gen(function*() {
        const { failures, feed, stream } = yield* fed()
        // what a consumer may fail with: an error of another backend that it asks meanwhile
        const elsewhere = new LlmError.ServerFault({ backend: "another", message: "500" })
        const answer = yield* forked(Effect.exit(Stream.runForEach(stream, () => elsewhere)))
        yield* feed(part)
        assert.strictEqual(failed(yield* Fiber.join(answer)), elsewhere)
        assert.strictEqual(yield* failures, 0)
      }))

    it.scoped("a probe's first part closes the circuit, and if it breaks later it counts as any other", () =>
      Effect.gen(function*() {
        const { fail, failures, feed, stream, tag } = yield* fed()
        yield* times(2)(fail)
        yield* TestClock.adjust("1 second")
        const answer = yield* forked(Effect.exit(Stream.runDrain(stream)))
        assert.strictEqual(yield* tag, "HalfOpen")
        yield* feed(part)
        assert.strictEqual(yield* tag, "Closed")
        yield* fail
        yield* feed(part, finish)
        assert.strictEqual(yield* failures, 1, "its success is counted already")
        yield* feed(broken)
        yield* Fiber.join(answer)
        assert.strictEqual(yield* tag, "Open")
      }))

    it.scoped("a probe that breaks before its first part opens the circuit again", () =>
      Effect.gen(function*() {
        const { fail, feed, stream, tag } = yield* fed()
        yield* times(2)(fail)
        yield* TestClock.adjust("1 second")
        yield* forked(Effect.exit(Stream.runDrain(stream)))
        yield* feed(broken)
        assert.strictEqual(yield* tag, "Open")
      }))

    it.scoped("a probe whose later break comes after the circuit has changed again changes nothing", () =>
      Effect.gen(function*() {
        const { breaker, fail, failures, feed, stream } = yield* fed()
        yield* times(2)(fail)
        yield* TestClock.adjust("1 second")
        const answer = yield* forked(Effect.exit(Stream.runDrain(stream)))
        yield* feed(part)
        yield* breaker.close
        yield* feed(broken)
        yield* Fiber.join(answer)
        assert.strictEqual(yield* failures, 0)
      }))
  })

  // ---------------------------------------------------------------------------

  describe("outcomes", () => {
    it("an interruption beside a fault is the fault", () => {
      const both = Cause.parallel(Cause.interrupt(FiberId.none), Cause.fail(fault))
      assert.strictEqual(CircuitBreaker.outcome(Exit.failCause(both)), "Failure")
      assert.strictEqual(CircuitBreaker.outcome(Exit.interrupt(FiberId.none)), "GivenUp")
      assert.strictEqual(CircuitBreaker.outcome(Exit.die("a bug")), "Neutral")
      assert.strictEqual(CircuitBreaker.outcome(Exit.succeed(1)), "Success")
    })

    it.scoped("a call that is retried is judged attempt by attempt", () =>
      Effect.gen(function*() {
        const breaker = yield* CircuitBreaker.make({ backend: "test", failures: 2 })
        const open = yield* Deferred.make<void>()
        const again: Policy.Policy = (next) => (call) => {
          const go = (attempt: number): ReturnType<typeof ask> =>
            Effect.catchTag(ask({ ...call, attempt }), "ServerFault", () => go(attempt + 1))
          const ask = (call: Policy.Call) => Policy.attempt(next, call)
          return go(1)
        }
        const service = Resilience.protect(
          LlmService.make("test", { listModels: Effect.zipRight(Deferred.succeed(open, undefined), fault) }),
          Policy.compose(again, breaker.policy)
        )
        assert.strictEqual((yield* Effect.flip(service.listModels))._tag, "CircuitOpen")
      }))
  })
})
