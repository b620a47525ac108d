import { assert, describe, it } from "@effect/vitest"
import * as CircuitBreaker from "@spillway/core/CircuitBreaker"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Policy from "@spillway/core/Policy"
import * as Resilience from "@spillway/core/Resilience"
import * as Timeout from "@spillway/core/Timeout"
import { Duration, Effect, Fiber, Random, Stream, TestClock } from "effect"
import { forked, make, times } from "./toldBackend.js"

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
      const first = Stream.make({ _tag: "TextDelta", text: "a" } as const)
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

  it.scoped("behind the standard policies is asked no more than it takes to find out, and a probe now and then", () =>
    Effect.gen(function*() {
      let isDead = false
      let asked = 0
      const service = Resilience.protect(
        LlmService.make("test", {
          listModels: Effect.suspend(() => {
            if (isDead) asked++
            return isDead ? Effect.never : Effect.delay(Effect.succeed([]), "100 millis")
          })
        }),
        yield* Resilience.standard("test")
      )
      const ends: Array<string> = []
      const call = Effect.gen(function*() {
        yield* Effect.sleep(yield* Random.nextIntBetween(0, 5000))
        // a third of them asks for more than anybody can have
        const time = yield* Random.choice(["10 millis", "2 seconds", "5 seconds"] as const)
        ends.push(yield* Effect.match(Policy.withDeadline(service.listModels, time), {
          onFailure: ({ _tag }) => _tag,
          onSuccess: () => "Success"
        }))
      }).pipe(Effect.forever, Effect.withRandom(Random.make("callers")))
      yield* Effect.forkScoped(Effect.all(Array.from({ length: 20 }, () => call), { concurrency: "unbounded" }))
      yield* TestClock.adjust("10 seconds")
      assert.include(ends, "Success")
      isDead = true
      yield* TestClock.adjust("2 minutes")
      // five to find out, four at most beside them, and one probe in each of four open times, with those before it that
      // were given up too soon to say anything
      assert.isAtMost(asked, 30)
      isDead = false
      ends.length = 0
      yield* TestClock.adjust("45 seconds")
      assert.strictEqual(ends.at(-1), "Success")
    }))
})
