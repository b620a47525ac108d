import { assert, describe, it } from "@effect/vitest"
import * as CircuitBreaker from "@spillway/core/CircuitBreaker"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Monitor from "@spillway/core/Monitor"
import * as Policy from "@spillway/core/Policy"
import * as Resilience from "@spillway/core/Resilience"
import * as Timeout from "@spillway/core/Timeout"
import { Duration, Effect, Fiber, Random, Stream, TestClock } from "effect"
import { forked, make, times } from "./toldBackend.js"
import * as VirtualClock from "./virtualClock.js"

// A backend that hangs: it takes calls and answers none, and callers are gone before the attempt timeout.

/** A backend that hangs, behind the attempt timeout, and callers who give it so long. */
const hanging = (options: Partial<CircuitBreaker.Options> = {}) =>
  Effect.gen(function*() {
    const { policy } = yield* Timeout.make()
    const self = yield* make(options, policy)
    yield* self.answers(Effect.never)
    return {
      ...self,
      /** Asks, and gives up at a deadline. */
      give: (time: Duration.DurationInput) =>
        Effect.gen(function*() {
          yield* self.answers(Effect.never)
          const call = yield* Effect.fork(Effect.flip(Policy.withDeadline(self.ask, time)))
          yield* TestClock.adjust(time)
          return yield* Fiber.join(call)
        })
    }
  })

describe("CircuitBreaker, before a backend that hangs", () => {
  it.scoped("opens when as many callers as it takes have waited in vain, each shorter than an attempt may take", () =>
    Effect.gen(function*() {
      const { ask, asked, give, tag } = yield* hanging()
      for (let i = 1; i <= 5; i++) {
        assert.strictEqual(yield* tag, "Closed")
        assert.deepInclude(yield* give("2 seconds"), { _tag: "DeadlineExceeded", phase: "attempt" })
      }
      assert.strictEqual(yield* tag, "Open")
      assert.deepInclude(yield* Effect.flip(ask), {
        message: "test has been failing (DeadlineExceeded: the call to test was not answered by its deadline), " +
          "and is left alone for 30s"
      })
      assert.strictEqual(asked.times, 5)
    }))

  it.scoped("is not opened by callers who wait no time at all, however many they are", () =>
    Effect.gen(function*() {
      const { failures, give } = yield* hanging()
      yield* times(50)(give("10 millis"))
      yield* times(5)(give("999 millis"))
      assert.strictEqual(yield* failures, 0)
      yield* give("1 second")
      assert.strictEqual(yield* failures, 1)
    }))

  it.scoped("is not opened by callers who want an answer sooner than it usually comes", () =>
    Effect.gen(function*() {
      const { after, failures, give, tag } = yield* hanging()
      yield* times(20)(after("10 seconds"))
      yield* times(9)(give("15 seconds"))
      assert.strictEqual(yield* failures, 0)
      yield* times(5)(give("25 seconds"))
      assert.strictEqual(yield* tag, "Open")
    }))

  it.scoped("learns from the latest answers how long they take, and from refusals nothing", () =>
    Effect.gen(function*() {
      const { after, as, failures, give, succeed } = yield* hanging()
      yield* times(20)(after("10 seconds"))
      yield* times(40)(as(new LlmError.RateLimited({ backend: "test", message: "slow down" })))
      yield* give("15 seconds")
      assert.strictEqual(yield* failures, 0)
      yield* times(40)(succeed)
      yield* give("15 seconds")
      assert.strictEqual(yield* failures, 1)
    }))

  it.scoped("is judged by those who are interrupted as well", () =>
    Effect.gen(function*() {
      const { ask, failures, tag } = yield* hanging()
      const interrupted = (time: Duration.DurationInput) =>
        Effect.gen(function*() {
          const call = yield* forked(ask)
          yield* TestClock.adjust(time)
          yield* Fiber.interrupt(call)
        })
      yield* times(9)(interrupted("999 millis"))
      assert.strictEqual(yield* failures, 0)
      yield* times(4)(interrupted("2 seconds"))
      assert.strictEqual(yield* failures, 4)
      yield* interrupted("2 seconds")
      assert.strictEqual(yield* tag, "Open")
      assert.include((yield* Effect.flip(ask)).message, "(Interrupted: no answer before the caller gave up)")
    }))

  it.scoped("is there when it answers anybody", () =>
    Effect.gen(function*() {
      const { failures, give, succeed } = yield* hanging()
      for (let i = 0; i < 9; i++) {
        yield* times(4)(give("2 seconds"))
        assert.strictEqual(yield* failures, 4)
        yield* succeed
      }
    }))

  it.scoped("has the patience that it was told to have", () =>
    Effect.gen(function*() {
      const endless = yield* hanging({ patience: Duration.infinity, rate: { slowAfter: "1 second" } })
      yield* times(9)(endless.give("50 seconds"))
      assert.strictEqual(yield* endless.failures, 0)
      const short = yield* hanging({ patience: "100 millis" })
      yield* times(5)(short.give("100 millis"))
      assert.strictEqual(yield* short.tag, "Open")
    }))

  it.scoped("takes what is slow for long enough", () =>
    Effect.gen(function*() {
      const { after, give, failures } = yield* hanging({ failures: 9, rate: { slowAfter: "12 seconds" } })
      yield* times(20)(after("10 seconds"))
      yield* give("11 seconds")
      assert.strictEqual(yield* failures, 0)
      yield* give("12 seconds")
      assert.strictEqual(yield* failures, 1)
    }))

  it.scoped("a probe that is given up soon gives its slot back, one that waited long enough has failed", () =>
    Effect.gen(function*() {
      const { asked, give, tag } = yield* hanging({ failures: 1 })
      yield* give("2 seconds")
      yield* TestClock.adjust("30 seconds")
      yield* times(3)(give("10 millis"))
      assert.strictEqual(yield* tag, "HalfOpen")
      assert.strictEqual(asked.times, 4)
      yield* give("2 seconds")
      assert.strictEqual(yield* tag, "Open")
    }))

  it.scoped("a stream that has begun is not given up in vain", () =>
    Effect.gen(function*() {
      const breaker = yield* CircuitBreaker.make({ backend: "test", failures: 1 })
      const { policy } = yield* Timeout.make()
      const first = Stream.fromEffect(Effect.delay(Effect.succeed({ _tag: "TextDelta", text: "a" } as const), "3 seconds"))
      const service = Resilience.protect(
        LlmService.make("test", {
          streamText: ({ model }) => model === "begins" ? Stream.concat(first, Stream.never) : Stream.never
        }),
        Policy.compose(breaker.policy, policy)
      )
      const give = (model: string) =>
        Effect.gen(function*() {
          const stream = service.streamText({ model, prompt: "" })
          yield* Effect.fork(Effect.exit(Stream.runDrain(Policy.withDeadlineStream(stream, "9 seconds"))))
          const left = yield* Effect.fork(Stream.runDrain(stream))
          yield* TestClock.adjust("9 seconds")
          yield* Fiber.interrupt(left)
          return (yield* breaker.state)._tag
        })
      assert.strictEqual(yield* give("begins"), "Closed")
      assert.strictEqual(yield* give("hangs"), "Open")
    }))

  describe("behind a queue, which uses up what callers have of time", () => {
    /** Callers who come one after the other, each with a deadline of 2 seconds, to a queue of two places. */
    const nothing: Effect.Effect<[]> = Effect.succeed([])
    const crowd = (answer: (n: number) => Effect.Effect<[]>) =>
      Effect.gen(function*() {
        const clock = VirtualClock.make()
        const monitor = Monitor.unsafeMake()
        let asked = 0
        return yield* Effect.gen(function*() {
          const service = Resilience.protect(
            LlmService.make("test", { listModels: Effect.suspend(() => answer(asked++)) }),
            yield* Resilience.standard("test", { queue: { concurrency: 2 } })
          )
          const caller = Effect.exit(Policy.withDeadline(service.listModels, "2 seconds"))
          yield* Effect.forkScoped(Effect.forever(Effect.zipRight(Effect.fork(caller), Effect.sleep("50 millis"))))
          yield* clock.advance(20_000)
          return { asked, ...(yield* monitor.snapshot).backends[0] }
        }).pipe(Effect.scoped, Effect.withClock(clock), Effect.provideService(Monitor.CurrentMonitor, monitor))
      })

    it.effect("opens though the next in the queue has no time left to wait for long", () =>
      Effect.gen(function*() {
        const { asked, circuit } = yield* crowd(() => Effect.never)
        assert.deepInclude(circuit, { state: "open", opened: 1 })
        assert.strictEqual(asked, 5 + 1)
      }))

    it.effect("stays closed where others are answered meanwhile, or nobody was given the time to be", () =>
      Effect.gen(function*() {
        for (const time of ["50 millis", "600 millis"] as const) {
          const { asked, circuit } = yield* crowd((n) => n % 4 === 0 ? Effect.never : Effect.delay(nothing, time))
          assert.deepInclude(circuit, { state: "closed", opened: 0 })
          assert.isAbove(asked, 20)
        }
      }))
  })

  it.effect("behind the standard policies is asked no more than it takes to find out, and a probe now and then", () => {
    const clock = VirtualClock.make()
    let isDead = false
    let asked = 0
    const ends: Array<string> = []
    return Effect.gen(function*() {
      const service = Resilience.protect(
        LlmService.make("test", {
          listModels: Effect.suspend(() => {
            if (isDead) asked++
            return isDead ? Effect.never : Effect.delay(Effect.succeed([]), "100 millis")
          })
        }),
        yield* Resilience.standard("test")
      )
      const caller = Effect.gen(function*() {
        yield* Effect.sleep(yield* Random.nextIntBetween(0, 5000))
        const time = yield* Random.choice(["2 seconds", "5 seconds", "20 seconds"] as const)
        ends.push(yield* Effect.match(Policy.withDeadline(service.listModels, time), {
          onFailure: ({ _tag }) => _tag,
          onSuccess: () => "Success"
        }))
      })
      for (let i = 0; i < 20; i++) {
        yield* Effect.forkScoped(Effect.withRandom(Effect.forever(caller), Random.make(`caller ${i}`)))
      }
      yield* clock.advance(10_000)
      assert.deepStrictEqual([...new Set(ends)], ["Success"])
      isDead = true
      yield* clock.advance(120_000)
      // five to find out and four at most beside them, and one in each open time
      assert.isAtMost(asked, 5 + 4 + 4)
      isDead = false
      ends.length = 0
      yield* clock.advance(45_000)
      assert.strictEqual(ends.at(-1), "Success")
    }).pipe(Effect.scoped, Effect.withClock(clock), Effect.provideService(Monitor.CurrentMonitor, Monitor.unsafeMake()))
  })
})
