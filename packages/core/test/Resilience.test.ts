import { assert, describe, it } from "@effect/vitest"
import * as Budget from "@spillway/core/Budget"
import * as CircuitBreaker from "@spillway/core/CircuitBreaker"
import type * as Completion from "@spillway/core/Completion"
import * as KeyPool from "@spillway/core/KeyPool"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Monitor from "@spillway/core/Monitor"
import * as Policy from "@spillway/core/Policy"
import * as Resilience from "@spillway/core/Resilience"
import * as ScriptedLlm from "@spillway/testing/ScriptedLlm"
import {
  Cause,
  Chunk,
  Clock,
  Duration,
  Effect,
  Either,
  Exit,
  FastCheck as fc,
  Fiber,
  Layer,
  Option,
  Random,
  Redacted,
  Stream,
  TestClock
} from "effect"
import * as VirtualClock from "./virtualClock.js"

const request = { model: "m", prompt: "hi" }
const backend = "scripted"
const fault = new LlmError.ServerFault({ backend, message: "broken" })
const text = (text: string): Completion.Part => ({ _tag: "TextDelta", text })
const finish: Completion.Part = { _tag: "Finish", finishReason: "stop", usage: { outputTokens: 2 } }
const later = <A, E>(value: Effect.Effect<A, E>, after: Duration.DurationInput) => Effect.delay(value, after)

let names = 0

/** A scripted service within the standard policies, with what the monitor says of it. */
const make = (options: Resilience.Options, ...script: ReadonlyArray<ScriptedLlm.Step | ScriptedLlm.Repeat>) =>
  Effect.gen(function*() {
    const name = `resilience-${++names}`
    const scripted = yield* ScriptedLlm.named(name, ...script)
    const policy = yield* Resilience.standard(name, { ...options, retry: noJitter(options.retry) })
    return {
      scripted,
      llm: Resilience.protect(scripted, policy),
      times: Effect.map(scripted.requests, (requests) => requests.map(({ at }) => at)),
      monitor: Effect.map(Monitor.snapshot, ({ backends }) => backends.find(({ backend }) => backend === name)!)
    }
  })

const noJitter = (retry: Resilience.Options["retry"]) => retry === false ? false : { jitter: "none" as const, ...retry }

const settle = TestClock.adjust(0)

const play = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.fork(Effect.either(effect))
    yield* TestClock.adjust("10 minutes")
    return yield* Fiber.join(fiber)
  })

const tagOf = <A>(result: Either.Either<A, LlmError.LlmError>) => Either.isLeft(result) ? result.left._tag : "success"

describe("Resilience", () => {
  describe("protect", () => {
    it.effect("sends every operation through the policy, each with its model", () =>
      Effect.gen(function*() {
        const seen: Array<string> = []
        const policy: Policy.Policy = (next) => (call) => {
          seen.push(`${call.backend} ${call.operation} ${call.model}`)
          return next(call)
        }
        const embeddings = { model: "e", vectors: [[1]], usage: {} }
        const ranking = { model: "r", results: [], usage: {} }
        const scripted = yield* ScriptedLlm.make("one", "two", embeddings, ranking, [{ id: "m" }])
        const llm = Resilience.protect(scripted, policy)
        assert.strictEqual((yield* llm.generateText(request)).text, "one")
        assert.isAbove(yield* Stream.runCount(llm.streamText(request)), 1)
        assert.deepStrictEqual(yield* llm.embed({ model: "e", input: ["x"] }), embeddings)
        assert.deepStrictEqual(yield* llm.rerank({ model: "r", query: "q", documents: [] }), ranking)
        assert.deepStrictEqual(yield* llm.listModels, [{ id: "m" }])
        assert.deepStrictEqual(seen, [
          "scripted generateText m",
          "scripted streamText m",
          "scripted embed e",
          "scripted rerank r",
          "scripted listModels "
        ])
        assert.deepStrictEqual(llm.operations, scripted.operations)
        assert.strictEqual(llm.backend, "scripted")
      }))

    it.effect("can be piped", () =>
      Effect.gen(function*() {
        const llm = yield* ScriptedLlm.make("hello").pipe(Effect.map(Resilience.protect(Policy.identity)))
        assert.strictEqual((yield* llm.generateText(request)).text, "hello")
      }))

    /** Says how what a call holds was given back. */
    const holding = (log: Array<unknown>): Policy.Policy => (next) => (call) =>
      Effect.suspend(() => {
        call.held.add((exit) =>
          void log.push(
            Exit.match(exit, {
              onFailure: (cause) => Option.getOrElse(Cause.failureOption(cause), () => Cause.isInterruptedOnly(cause) ? "interrupted" : "died"),
              onSuccess: (value) => value
            })
          )
        )
        return next(call)
      })

    it.effect("gives back what a call holds when it has ended, and tells how", () =>
      Effect.gen(function*() {
        const log: Array<unknown> = []
        const scripted = yield* ScriptedLlm.make("hello", fault, Effect.die("a bug"), Effect.never)
        const llm = Resilience.protect(scripted, holding(log))
        const answer = yield* llm.generateText(request)
        yield* Effect.exit(llm.generateText(request))
        yield* Effect.exit(llm.generateText(request))
        const fiber = yield* Effect.fork(llm.generateText(request))
        yield* settle
        yield* Fiber.interrupt(fiber)
        assert.deepStrictEqual(log, [answer, fault, "died", "interrupted"])
      }))

    it.effect("gives back what a stream holds when its last part is there, before the consumer is done with it", () =>
      Effect.gen(function*() {
        const log: Array<unknown> = []
        const scripted = yield* ScriptedLlm.make([text("a"), text("b"), finish])
        const llm = Resilience.protect(scripted, holding(log))
        const pull = yield* Effect.scoped(Effect.gen(function*() {
          const pull = yield* Stream.toPull(llm.streamText(request))
          for (let n = 0; n < 3; n++) {
            yield* pull
            assert.deepStrictEqual(log, [])
          }
          assert.isTrue(Option.isNone(yield* Effect.flip(pull)))
          assert.deepStrictEqual(log, [finish])
          assert.strictEqual(yield* scripted.inFlight, 0)
          return pull
        }))
        assert.isTrue(Effect.isEffect(pull))
        assert.deepStrictEqual(log, [finish])
      }))

    it.effect("gives back what a stream holds when it breaks, when it is left, and when its consumer goes away", () =>
      Effect.gen(function*() {
        const log: Array<unknown> = []
        const scripted = yield* ScriptedLlm.make([text("a"), fault], [text("a"), finish], [text("a"), Effect.never])
        const llm = Resilience.protect(scripted, holding(log))
        const stream = llm.streamText(request)
        assert.strictEqual(yield* Effect.flip(Stream.runDrain(stream)), fault)
        yield* Stream.runDrain(Stream.take(stream, 1))
        const fiber = yield* Effect.fork(Stream.runDrain(stream))
        yield* settle
        assert.strictEqual(yield* scripted.inFlight, 1)
        yield* Fiber.interrupt(fiber)
        assert.deepStrictEqual(log, [fault, undefined, "interrupted"])
        assert.strictEqual(yield* scripted.inFlight, 0)
      }))

    it.effect("takes a stream without any part for one that broke", () =>
      Effect.gen(function*() {
        const llm = Resilience.protect(yield* ScriptedLlm.make([]), Policy.identity)
        const error = yield* Effect.flip(Stream.runDrain(llm.streamText(request)))
        assert.deepInclude(error, { _tag: "StreamInterrupted", backend: "scripted", model: "m" })
      }))

    it.effect("opens a stream anew each time it is run", () =>
      Effect.gen(function*() {
        const scripted = yield* ScriptedLlm.make("one", "two")
        const stream = Resilience.protect(scripted, Policy.identity).streamText(request)
        assert.deepStrictEqual(Chunk.size(yield* Stream.runCollect(stream)), Chunk.size(yield* Stream.runCollect(stream)))
        assert.lengthOf(yield* scripted.requests, 2)
      }))
  })

  describe("standard", () => {
    it.scoped("has the defaults that are documented", () =>
      Effect.gen(function*() {
        const { llm, monitor, times } = yield* make({}, ScriptedLlm.repeat(fault))
        assert.deepInclude((yield* monitor).queue, { capacity: 100, concurrency: 5 })
        assert.deepStrictEqual((yield* monitor).retryBudget, { balance: 500, reserve: 500, refused: 0 })
        assert.isUndefined((yield* monitor).adaptiveRate)
        // the fifth failure in a row opens the circuit, so the sixth attempt is not made
        assert.strictEqual(tagOf(yield* play(llm.generateText(request))), "CircuitOpen")
        assert.deepStrictEqual(yield* times, [0, 1000, 3000, 7000, 15_000])
        assert.deepInclude((yield* monitor).circuit, { state: "open", opened: 1, openUntil: 45_000 })
        assert.deepInclude((yield* monitor).calls, { started: 1, retries: { ServerFault: 4 }, failed: { CircuitOpen: 1 } })
      }))

    it.scoped("asks twice only when it is told to, within the retry budget and the money there is", () =>
      Effect.gen(function*() {
        const slow = later(Effect.succeed("slow"), "5 seconds")
        const off = yield* make({}, slow)
        assert.strictEqual(tagOf(yield* play(off.llm.generateText(request))), "success")
        assert.lengthOf(yield* off.times, 1)

        const retry = { budget: { reserve: 1, ratio: 0, perSecond: 0 } }
        const on = yield* make({ hedge: { delay: "1 second" }, retry }, Effect.never, "second", slow)
        const began = yield* Clock.currentTimeMillis
        assert.strictEqual(Either.getOrThrow(yield* play(on.llm.generateText(request))).text, "second")
        assert.strictEqual(Either.getOrThrow(yield* play(on.llm.generateText(request))).text, "slow")
        assert.deepStrictEqual((yield* on.times).map((at) => at - began), [0, 1000, 600_000])
        assert.deepInclude(yield* on.monitor, { hedges: { begun: 1, won: 1, lost: 0, refused: 1 } })

        const poor = new LlmError.BudgetExceeded({ backend, message: "none", limit: "all", reason: "LimitReached", atLimit: "refuse" })
        let reserved = 0
        const budget = yield* Budget.make({ limits: [] })
        const once: Policy.Policy = (next) => (call) => Effect.suspend(() => reserved++ === 0 ? next(call) : Effect.fail(poor))
        const thrifty = yield* make({ hedge: { delay: "1 second" }, budget: { ...budget, policy: once } }, slow)
        assert.strictEqual(tagOf(yield* play(thrifty.llm.generateText(request))), "success")
        assert.deepStrictEqual([reserved, (yield* thrifty.times).length], [2, 1])

        const learning = yield* make({ hedge: true }, slow)
        assert.strictEqual(tagOf(yield* play(learning.llm.generateText(request))), "success")
        assert.lengthOf(yield* learning.times, 1)
      }))

    it.scoped("takes every policy's options, and leaves out what is false", () =>
      Effect.gen(function*() {
        const all = yield* make(
          { queue: { concurrency: 2, capacity: 3 }, retry: { maxRetries: 1, budget: { reserve: 7, perSecond: 0 } }, adaptive: true, breaker: { failures: 1 }, timeout: { attempt: "2 seconds" } },
          ScriptedLlm.repeat(Effect.never)
        )
        assert.strictEqual(tagOf(yield* play(all.llm.generateText(request))), "CircuitOpen")
        assert.deepInclude((yield* all.monitor).queue, { capacity: 3, concurrency: 2 })
        assert.deepStrictEqual((yield* all.monitor).retryBudget, { balance: 6, reserve: 7, refused: 0 })
        assert.deepStrictEqual((yield* all.monitor).adaptiveRate, { waiting: 0, refusals: 0 })
        assert.lengthOf(yield* all.times, 1)

        const off = { telemetry: false, queue: false, breaker: false, timeout: false } as const
        const none = yield* make({ ...off, telemetry: {}, retry: false }, fault, later(Effect.succeed("late"), "5 minutes"))
        assert.strictEqual(tagOf(yield* play(none.llm.generateText(request))), "ServerFault")
        assert.strictEqual(tagOf(yield* play(none.llm.generateText(request))), "success")
        const { calls, circuit, queue } = yield* none.monitor
        assert.deepStrictEqual([calls?.started, circuit, queue], [2, undefined, undefined])

        const bare = yield* make({ ...off, retry: { budget: false } }, "hello")
        assert.strictEqual(tagOf(yield* play(bare.llm.generateText(request))), "success")
        assert.isUndefined(yield* bare.monitor)
      }))

    it.scoped("takes a breaker that is there already, which can be opened by hand", () =>
      Effect.gen(function*() {
        const breaker = yield* CircuitBreaker.make({ backend: "scripted" })
        const { llm, scripted } = yield* make({ breaker }, ScriptedLlm.repeat("hello"))
        yield* breaker.open
        assert.strictEqual(tagOf(yield* play(llm.generateText(request))), "CircuitOpen")
        yield* breaker.close
        assert.strictEqual(tagOf(yield* play(llm.generateText(request))), "success")
        assert.lengthOf(yield* scripted.requests, 1)
      }))

    it.scoped("names the module and the field of a wrong option", () =>
      Effect.gen(function*() {
        const wrong = [
          [{ queue: { concurrency: 0 } }, "RequestQueue", "concurrency"],
          [{ retry: { factor: 0 } }, "Retry", "factor"],
          [{ retry: { budget: { ratio: -1 } } }, "RetryBudget", "ratio"],
          [{ adaptive: { floor: 0 } }, "AdaptiveRate", "floor"],
          [{ breaker: { failures: 0 } }, "CircuitBreaker", "failures"],
          [{ timeout: { attempt: 0 } }, "Timeout", "attempt"],
          [{ telemetry: { models: -1 } }, "Telemetry", "models"],
          // a setting that did not come through the types
          [{ quue: {} } as Resilience.Options, "Resilience", "quue"]
        ] as const
        for (const [options, module, field] of wrong) {
          const error = yield* Effect.flip(Resilience.standard("x", options))
          assert.deepStrictEqual([error.module, error.field], [module, field])
        }
      }))

    it.scoped("goes with several keys from one that is limited to the next with the clock standing still", () =>
      Effect.gen(function*() {
        const { asked, llm } = yield* withKeys(["key-a", "key-b"], (key) => key === "key-a" ? limited("20 seconds") : "hello")
        const answer = yield* llm.generateText(request)
        assert.strictEqual(answer.text, "hello")
        assert.deepStrictEqual(asked(), [["key-a", 0], ["key-b", 0]])
      }))

    it.scoped("waits with one key exactly as long as the backend says", () =>
      Effect.gen(function*() {
        let n = 0
        const { asked, llm } = yield* withKeys(["key-a"], () => ++n === 1 ? limited("20 seconds") : "hello")
        assert.strictEqual(tagOf(yield* play(llm.generateText(request))), "success")
        assert.deepStrictEqual(asked(), [["key-a", 0], ["key-a", 20_000]])
      }))

    it.scoped("never uses a key again that was refused, and says so when none is left", () =>
      Effect.gen(function*() {
        const refused = new LlmError.AuthenticationFailed({ backend, message: "wrong key" })
        const { asked, llm } = yield* withKeys(["key-a", "key-b"], (key) => key === "key-a" ? refused : "hello")
        for (let n = 0; n < 3; n++) yield* llm.generateText(request)
        assert.deepStrictEqual(asked().map(([key]) => key), ["key-a", "key-b", "key-b", "key-b"])
        const none = yield* withKeys(["key-a", "key-b"], () => refused)
        assert.strictEqual(tagOf(yield* play(none.llm.generateText(request))), "KeysExhausted")
        assert.lengthOf(none.asked(), 2)
      }))
  })

  describe("what a call holds", () => {
    const one = { queue: { concurrency: 1 } }

    it.scoped("is a place until its stream has ended", () =>
      Effect.gen(function*() {
        const { llm, monitor, scripted } = yield* make(
          one,
          [text("a"), later(Effect.succeed(text("b")), "10 seconds"), later(Effect.succeed(finish), "10 seconds")],
          "hello"
        )
        const stream = yield* Effect.fork(Stream.runDrain(llm.streamText(request)))
        yield* settle
        const whole = yield* Effect.fork(llm.generateText(request))
        yield* TestClock.adjust("19 seconds")
        assert.deepInclude((yield* monitor).queue, { inFlight: 1, waiting: 1 })
        assert.lengthOf(yield* scripted.requests, 1)
        yield* TestClock.adjust("1 second")
        assert.strictEqual((yield* Fiber.join(whole)).text, "hello")
        yield* Fiber.join(stream)
        assert.deepInclude((yield* monitor).queue, { inFlight: 0, waiting: 0 })
      }))

    it.scoped("is nothing while it sleeps between attempts", () =>
      Effect.gen(function*() {
        const { llm, monitor, times } = yield* make(
          { ...one, breaker: false },
          fault,
          ...Array.from({ length: 3 }, () => later(Effect.succeed("meanwhile"), 250)),
          "again"
        )
        const retried = yield* Effect.fork(llm.generateText(request))
        yield* TestClock.adjust(100)
        assert.deepInclude((yield* monitor).queue, { inFlight: 0, waiting: 0 })
        const others = yield* Effect.fork(Effect.all(Array.from({ length: 3 }, () => llm.generateText(request))))
        yield* TestClock.adjust(750)
        assert.deepStrictEqual((yield* Fiber.join(others)).map(({ text }) => text), ["meanwhile", "meanwhile", "meanwhile"])
        yield* TestClock.adjust("1 second")
        assert.strictEqual((yield* Fiber.join(retried)).text, "again")
        assert.deepStrictEqual(yield* times, [0, 100, 350, 600, 1000])
      }))

    it.scoped("is given back by a caller who is interrupted: in an attempt, in the queue, asleep, in a stream", () =>
      Effect.gen(function*() {
        const { llm, monitor, scripted } = yield* make(
          { ...one, breaker: false },
          Effect.never,
          fault,
          [text("a"), Effect.never],
          "hello"
        )
        const idle = { inFlight: 0, waiting: 0 }
        const attempt = yield* Effect.fork(llm.generateText(request))
        yield* settle
        const queued = yield* Effect.fork(llm.generateText(request))
        yield* settle
        assert.deepInclude((yield* monitor).queue, { inFlight: 1, waiting: 1 })
        yield* Fiber.interrupt(queued)
        assert.deepInclude((yield* monitor).queue, { inFlight: 1, waiting: 0, abandoned: 1 })
        yield* Fiber.interrupt(attempt)
        assert.deepInclude((yield* monitor).queue, idle)

        const asleep = yield* Effect.fork(llm.generateText(request))
        yield* TestClock.adjust("500 millis")
        yield* Fiber.interrupt(asleep)
        assert.deepInclude((yield* monitor).queue, idle)

        const stream = yield* Effect.fork(Stream.runDrain(llm.streamText(request)))
        yield* settle
        assert.deepInclude((yield* monitor).queue, { inFlight: 1 })
        yield* Fiber.interrupt(stream)
        assert.deepInclude((yield* monitor).queue, idle)
        assert.strictEqual(yield* scripted.inFlight, 0)

        assert.strictEqual((yield* llm.generateText(request)).text, "hello")
        assert.deepInclude((yield* monitor).calls, { started: 5, succeeded: 1, interrupted: 4 })
      }))

    it.scoped("is freed by the attempt timeout of a backend that hangs", () =>
      Effect.gen(function*() {
        const { llm, monitor, scripted } = yield* make(
          { ...one, retry: false, timeout: { attempt: "5 seconds" } },
          ScriptedLlm.repeat(Effect.never)
        )
        const calls = yield* Effect.fork(
          Effect.all(Array.from({ length: 20 }, () => Effect.either(llm.generateText(request))), { concurrency: "unbounded" })
        )
        yield* TestClock.adjust("25 seconds")
        // five that timed out one after the other opened the circuit, which emptied the queue at once
        const results = yield* Fiber.join(calls)
        assert.deepStrictEqual(results.map(tagOf).sort(), [
          ...Array.from({ length: 15 }, () => "CircuitOpen"),
          ...Array.from({ length: 5 }, () => "TimedOut")
        ])
        assert.lengthOf(yield* scripted.requests, 5)
        assert.deepInclude((yield* monitor).queue, { inFlight: 0, waiting: 0 })
        assert.strictEqual(yield* scripted.inFlight, 0)
      }))
  })

  describe("a stream", () => {
    it.scoped("is tried again before its first part, and never after", () =>
      Effect.gen(function*() {
        const { llm, times } = yield* make({}, fault, [fault], [text("hel"), fault], "never asked for")
        const seen: Array<Completion.Part> = []
        const result = yield* play(Stream.runForEach(llm.streamText(request), (part) => Effect.sync(() => seen.push(part))))
        assert.deepStrictEqual(result, Either.left(fault))
        assert.deepStrictEqual(seen, [text("hel")])
        assert.deepStrictEqual(yield* times, [0, 1000, 3000])
      }))

    it.scoped("that fails in its midst, or falls silent, is a failure to the breaker", () =>
      Effect.gen(function*() {
        for (const midst of [fault, Effect.never]) {
          const { llm, monitor } = yield* make(
            { breaker: { failures: 2 }, timeout: { idle: "3 seconds" } },
            [text("a"), midst],
            [text("a"), midst]
          )
          const broken = Effect.gen(function*() {
            const fiber = yield* Effect.fork(Effect.flip(Stream.runDrain(llm.streamText(request))))
            yield* TestClock.adjust("5 seconds")
            return yield* Fiber.join(fiber)
          })
          yield* broken
          assert.deepInclude((yield* monitor).circuit, { state: "closed", failures: 1 })
          yield* broken
          assert.deepInclude((yield* monitor).circuit, { state: "open" })
          assert.strictEqual((yield* broken)._tag, "CircuitOpen")
        }
      }))

    it.scoped("is cut by the deadline of the call, which is no failure to the breaker", () =>
      Effect.gen(function*() {
        const { llm, monitor, scripted } = yield* make(
          { breaker: { failures: 1 } },
          Array.from({ length: 100 }, () => later(Effect.succeed(text("x")), "1 second"))
        )
        const result = yield* play(Stream.runDrain(Policy.withDeadlineStream(llm.streamText(request), "5500 millis")))
        assert.deepInclude(Either.getOrThrow(Either.flip(result)), { _tag: "DeadlineExceeded", phase: "stream" })
        assert.deepInclude((yield* monitor).circuit, { state: "closed", failures: 0 })
        assert.deepInclude((yield* monitor).queue, { inFlight: 0 })
        assert.strictEqual(yield* scripted.inFlight, 0)
      }))
  })

  describe("a deadline", () => {
    it.scoped("ends a call wherever it is, and says where", () =>
      Effect.gen(function*() {
        const { llm, times } = yield* make({ queue: { concurrency: 1 } }, ScriptedLlm.repeat(Effect.never))
        const within = (after: Duration.DurationInput) => Policy.withDeadline(llm.generateText(request), after)
        const attempt = yield* Effect.fork(Effect.flip(within("4 seconds")))
        yield* settle
        const queued = yield* Effect.fork(Effect.flip(within("2 seconds")))
        yield* TestClock.adjust("10 seconds")
        assert.deepInclude(yield* Fiber.join(queued), { _tag: "DeadlineExceeded", phase: "queued" })
        assert.deepInclude(yield* Fiber.join(attempt), { _tag: "DeadlineExceeded", phase: "attempt" })
        assert.deepStrictEqual(yield* times, [0])
      }))
  })

  describe("layer", () => {
    const Scripted = (...script: ReadonlyArray<ScriptedLlm.Step | ScriptedLlm.Repeat>) =>
      Layer.effect(LlmService.LlmService, ScriptedLlm.named("layered", ...script))

    it.effect("puts the standard policies around a layer", () =>
      Effect.gen(function*() {
        const result = yield* play(LlmService.generateText(request))
        assert.strictEqual(Either.isRight(result) && result.right.text, "hello")
      }).pipe(Effect.provide(Scripted(fault, "hello").pipe(Resilience.layer()))))

    it.effect("has one queue and one circuit for as long as it lives, and new ones when it is built anew", () =>
      Effect.gen(function*() {
        const Live = Scripted(ScriptedLlm.repeat(fault)).pipe(Resilience.layer({ breaker: { failures: 2 }, retry: false }))
        const thrice = Effect.replicateEffect(Effect.flip(LlmService.generateText(request)), 3)
        for (let n = 0; n < 2; n++) {
          const errors = yield* Effect.provide(thrice, Live)
          assert.deepStrictEqual(errors.map(({ _tag }) => _tag), ["ServerFault", "ServerFault", "CircuitOpen"])
        }
      }))

    it.effect("fails to build with options that are wrong", () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(Layer.build(Scripted().pipe(Resilience.layer({ queue: { capacity: -1 } }))))
        assert.deepInclude(error, { _tag: "InvalidOptions", module: "RequestQueue", field: "capacity" })
      }).pipe(Effect.scoped))
  })

  describe("under everything at once", () => {
    const outcomes = fc.constantFrom("answer", "stream", "fault", "limited", "broken stream", "silent stream", "hang", "bug")
    const fates = fc.constantFrom("stays", "leaves", "has a deadline")

    it.effect.prop(
      "no place and no call is lost, whatever happens",
      {
        calls: fc.array(
          fc.record({ outcome: outcomes, fate: fates, start: fc.nat(20_000), takes: fc.nat(8000), patience: fc.nat(15_000) }),
          { minLength: 30, maxLength: 60 }
        ),
        seed: fc.string()
      },
      ({ calls, seed }) => {
        const clock = VirtualClock.make()
        return Effect.gen(function*() {
          const name = `resilience-${++names}`
          const steps = calls.map(({ outcome, takes }): ScriptedLlm.Step => {
            const step: { readonly [outcome: string]: ScriptedLlm.Step } = {
              answer: Effect.delay(Effect.succeed("x"), takes),
              stream: [text("x"), later(Effect.succeed(text("y")), takes), finish],
              fault: later(fault, takes),
              limited: later(limited(takes), takes),
              "broken stream": [text("x"), later(fault, takes)],
              "silent stream": [text("x"), Effect.never],
              hang: Effect.never,
              bug: Effect.die("a bug")
            }
            return step[outcome]!
          })
          const scripted = yield* ScriptedLlm.named(name, ...steps, ScriptedLlm.repeat("late"))
          const policy = yield* Resilience.standard(name, {
            queue: { concurrency: 3 },
            timeout: { attempt: "5 seconds", idle: "3 seconds" }
          })
          const llm = Resilience.protect(scripted, policy)
          const fibers = yield* Effect.forEach(calls, ({ fate, outcome, patience, start }) => {
            const call = outcome.includes("stream")
              ? Stream.runDrain(llm.streamText(request))
              : Effect.asVoid(llm.generateText(request))
            const fated = fate === "has a deadline" ? Policy.withDeadline(call, patience) : call
            return Effect.tap(Effect.fork(Effect.delay(fated, start)), (fiber) =>
              fate === "leaves"
                ? Effect.fork(Effect.delay(Fiber.interruptFork(fiber), start + patience))
                : Effect.void)
          })
          for (let n = 0; n < 50; n++) {
            yield* clock.advance(700)
            assert.isAtMost(yield* scripted.inFlight, 3)
          }
          yield* clock.advance(600_000)
          for (const fiber of fibers) assert.isNotNull(fiber.unsafePoll())
          const { backends } = yield* Monitor.snapshot
          const { calls: counts, queue } = backends.find(({ backend }) => backend === name)!
          assert.deepInclude(queue, { inFlight: 0, waiting: 0 })
          assert.strictEqual(yield* scripted.inFlight, 0)
          const failed = Object.values(counts!.failed).reduce((sum, n) => sum + n, 0)
          assert.strictEqual(counts!.started, counts!.succeeded + counts!.interrupted + counts!.died + failed)
        }).pipe(Effect.scoped, Effect.withClock(clock), Effect.withRandom(Random.make(seed)))
      },
      { fastCheck: { numRuns: 25 }, timeout: 60_000 }
    )
  })
})

const limited = (after: Duration.DurationInput) =>
  new LlmError.RateLimited({ backend, message: "slow down", retryAfter: Duration.decode(after) })

/** A backend with a pool of keys, within the standard policies. */
const withKeys = (
  keys: readonly [string, ...Array<string>],
  answer: (key: string) => LlmError.LlmError | string
) =>
  Effect.gen(function*() {
    const pool = yield* KeyPool.make({
      backend,
      keys: keys.map((key) => Redacted.make(key)) as [Redacted.Redacted, ...Array<Redacted.Redacted>]
    })
    const asked: Array<readonly [string, number]> = []
    const scripted = yield* ScriptedLlm.make(ScriptedLlm.repeat("hello"))
    const service = LlmService.make(backend, {
      generateText: (request) =>
        Effect.scoped(Effect.gen(function*() {
          const lease = yield* pool.lease(request.model)
          const key = Redacted.value(lease.key)
          asked.push([key, yield* Effect.clockWith((clock) => clock.currentTimeMillis)])
          const result = answer(key)
          if (typeof result !== "string") return yield* Effect.fail(lease.failed(result))
          lease.succeeded({})
          return yield* scripted.generateText(request)
        }))
    })
    const policy = yield* Resilience.standard(backend, { retry: { jitter: "none" }, breaker: false })
    return { llm: Resilience.protect(service, policy), asked: () => asked }
  })
