/**
 * Cases of other systems whose rule is not ours: of HG-02, requests that cannot be copied (ours are values); of HG-08,
 * a share that is changed while running (what may be asked twice is what the retry budget has); of HG-11, that both are
 * reserved and the loser is charged: each attempt goes through what is inside, a loser as one that was given up, so that
 * this is `Budget`'s. That its refusal fails no call is tested here.
 */
import { assert, describe, it } from "@effect/vitest"
import type * as Completion from "@spillway/core/Completion"
import * as Hedging from "@spillway/core/Hedging"
import * as LlmError from "@spillway/core/LlmError"
import * as Monitor from "@spillway/core/Monitor"
import * as Policy from "@spillway/core/Policy"
import * as RequestQueue from "@spillway/core/RequestQueue"
import * as Resilience from "@spillway/core/Resilience"
import * as RetryBudget from "@spillway/core/RetryBudget"
import * as ScriptedLlm from "@spillway/testing/ScriptedLlm"
import { Cause, Chunk, Duration, Effect, Either, Exit, Fiber, Option, Stream, TestClock } from "effect"

const backend = "scripted"
const request = { model: "m", prompt: "hi" }
const fault = new LlmError.ServerFault({ backend, message: "broken" })
const text = (text: string): Completion.Part => ({ _tag: "TextDelta", text })
const finish: Completion.Part = { _tag: "Finish", finishReason: "stop", usage: { outputTokens: 2 } }
const later = <A, E>(value: Effect.Effect<A, E>, after: Duration.DurationInput) => Effect.delay(value, after)
const answers = (text: string, after: Duration.DurationInput) => later(Effect.succeed(text), after)
const fails = (error: LlmError.LlmError, after: Duration.DurationInput) => later(Effect.fail(error), after)

const tagOf = (cause: Cause.Cause<unknown>) =>
  Option.match(Cause.failureOption(cause as Cause.Cause<LlmError.LlmError>), {
    onNone: () => Cause.isInterruptedOnly(cause) ? "interrupted" : "died",
    onSome: ({ _tag }) => _tag
  })

const make = (
  options: Omit<Hedging.Options, "backend"> & { readonly queue?: Policy.Policy; readonly budget?: RetryBudget.RetryBudget },
  ...script: ReadonlyArray<ScriptedLlm.Step | ScriptedLlm.Repeat>
) =>
  Effect.gen(function*() {
    const { budget, queue, ...rest } = options
    const monitor = Monitor.unsafeMake()
    const scripted = yield* ScriptedLlm.make(...script)
    const hedging = yield* Hedging.make({ backend, ...rest }, budget).pipe(Effect.provideService(Monitor.CurrentMonitor, monitor))
    const log: Array<string> = []
    const calls: Array<Policy.Call> = []
    const holding: Policy.Policy = (next) => (call) =>
      Effect.suspend(() => {
        const nth = calls.push(call)
        call.held.add((exit) => void log.push(`${nth} ${Exit.match(exit, { onFailure: tagOf, onSuccess: (value) => value === undefined ? "left" : "answered" })}`))
        return next(call)
      })
    const hedged = queue === undefined ? hedging.policy : hedging.around(queue)
    return {
      ...scripted,
      llm: Resilience.protect(scripted, Policy.compose(hedged, holding)),
      /** What became of what each attempt held. */
      log,
      /** The attempts as those inside see them. */
      calls,
      times: Effect.map(scripted.requests, (requests) => requests.map(({ at }) => at)),
      hedges: Effect.map(monitor.snapshot, ({ backends }) => backends[0]!.hedges!)
    }
  })

const now = Effect.clockWith((clock) => clock.currentTimeMillis)
/** The answer or the error's tag, and when it was there. */
const play = <A, R>(effect: Effect.Effect<A, LlmError.LlmError, R>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.fork(Effect.zip(Effect.either(effect), now))
    yield* TestClock.adjust("10 minutes")
    const [result, at] = yield* Fiber.join(fiber)
    return [Either.match(result, { onLeft: ({ _tag }) => _tag as string, onRight: (answer) => (answer as { text?: string }).text }), at] as const
  })

describe("Hedging", () => {
  describe("when another attempt is begun", () => {
    it.scoped("asks once more each time the delay has passed without an answer, and no more often than it may (HG-01)", () =>
      Effect.gen(function*() {
        const { inFlight, llm, times } = yield* make({ delay: "500 millis", maxExtra: 3 }, ScriptedLlm.repeat(Effect.never))
        const fiber = yield* Effect.fork(llm.generateText(request))
        const seen: Array<number> = []
        for (const at of [1, 501, 1001, 1501, 9999]) {
          yield* TestClock.setTime(at)
          seen.push(yield* inFlight)
        }
        assert.deepStrictEqual(seen, [1, 2, 3, 4, 4])
        assert.deepStrictEqual(yield* times, [0, 500, 1000, 1500])
        yield* Fiber.interrupt(fiber)
        assert.strictEqual(yield* inFlight, 0)
      }))

    it.scoped("asks once where the answer is there before the delay (HG-02)", () =>
      Effect.gen(function*() {
        const { hedges, llm, times } = yield* make({ delay: "500 millis" }, answers("quick", "499 millis"), "at once")
        assert.deepStrictEqual(yield* play(llm.generateText(request)), ["quick", 499])
        assert.strictEqual((yield* llm.generateText(request)).text, "at once")
        assert.lengthOf(yield* times, 2)
        assert.deepStrictEqual(yield* hedges, { begun: 0, won: 0, lost: 0, refused: 0 })
      }))

    it.scoped("asks as often as it may at once when the delay is nothing, and only after a failure when it has no end", () =>
      Effect.gen(function*() {
        const atOnce = yield* make({ delay: 0, maxExtra: 2 }, Effect.never, answers("second", "1 second"), Effect.never)
        assert.deepStrictEqual(yield* play(atOnce.llm.generateText(request)), ["second", 1000])
        assert.deepStrictEqual(yield* atOnce.times, [0, 0, 0])
        const patient = yield* make({ delay: Duration.infinity }, answers("slow", "5 minutes"), fails(fault, "1 second"), "again")
        assert.strictEqual((yield* play(patient.llm.generateText(request)))[0], "slow")
        assert.strictEqual((yield* play(patient.llm.generateText(request)))[0], "again")
        assert.lengthOf(yield* patient.times, 3)
      }))

    it.scoped("is off where it is not asked for, and for what is not named", () =>
      Effect.gen(function*() {
        const embeddings = { model: "m", vectors: [[1]], usage: {} }
        const { llm, times } = yield* make({ delay: "1 second", operations: ["embed"] }, answers("slow", "5 seconds"), Effect.never, embeddings, later(Effect.succeed([]), "5 seconds"))
        assert.deepStrictEqual(yield* play(llm.generateText(request)), ["slow", 5000])
        yield* play(llm.embed({ model: "m", input: ["x"] }))
        yield* play(llm.listModels)
        assert.lengthOf(yield* times, 4)
        const none = yield* make({ delay: "1 second", maxExtra: 0 }, answers("slow", "5 seconds"))
        assert.strictEqual((yield* play(none.llm.generateText(request)))[0], "slow")
      }))

    it.scoped("counts from when an attempt has its place, not while it waits for one", () =>
      Effect.gen(function*() {
        const queue = yield* RequestQueue.make({ backend, concurrency: 2 })
        const { llm, times } = yield* make(
          { delay: "1 second", queue: queue.policy },
          answers("first", "900 millis"),
          answers("second", "900 millis"),
          ScriptedLlm.repeat(answers("late", "1500 millis"))
        )
        const fibers = yield* Effect.forEach([1, 2, 3], () => Effect.fork(llm.generateText(request)))
        yield* TestClock.adjust("10 minutes")
        const texts = yield* Effect.forEach(fibers, Effect.map(({ text }) => text))
        assert.deepStrictEqual(texts, ["first", "second", "late"])
        // the third went in at 900, and was slow a second later
        assert.deepStrictEqual(yield* times, [0, 0, 900, 1900])
      }))

    it.scoped("does not begin what its deadline would end", () =>
      Effect.gen(function*() {
        const { llm, times } = yield* make({ delay: "1 second" }, ScriptedLlm.repeat(fails(fault, "3 seconds")))
        const call = Policy.withDeadline("1 second")(llm.generateText(request))
        assert.deepStrictEqual(yield* play(call), ["ServerFault", 3000])
        assert.lengthOf(yield* times, 1)
      }))

    it.scoped("is another's newcomer in the queue, and no retry for who counts them", () =>
      Effect.gen(function*() {
        const retried: Policy.Policy = (next) => (call) => next({ ...call, attempt: 2, previous: fault })
        const scripted = yield* ScriptedLlm.make(Effect.never, "second")
        const hedging = yield* Hedging.make({ backend, delay: "1 second" })
        const calls: Array<Policy.Call> = []
        const seeing: Policy.Policy = (next) => (call) => {
          calls.push(call)
          return next(call)
        }
        const llm = Resilience.protect(scripted, Policy.compose(retried, hedging.policy, seeing))
        yield* play(llm.generateText(request))
        assert.deepStrictEqual(calls.map(({ attempt, previous }) => [attempt, previous]), [[2, fault], [2, undefined]])
        assert.notStrictEqual(calls[0]?.arrival, calls[1]?.arrival)
        assert.notStrictEqual(calls[0]?.held, calls[1]?.held)
      }))
  })

  describe("the delay that is learned", () => {
    const embeddings = { model: "m", vectors: [[1]], usage: {} }
    const slow = (millis: number): ScriptedLlm.Step => later(Effect.succeed(embeddings), millis)

    it.scoped("is as long as so many of the last answers took, of the same operation and model (HG-08)", () =>
      Effect.gen(function*() {
        const script = Array.from({ length: 100 }, (_, n) => slow(n + 1))
        const { llm, times } = yield* make({ quantile: 0.9, minSamples: 100 }, ...script, Effect.never, embeddings, slow(3000), slow(3000))
        for (let n = 0; n < 100; n++) yield* play(llm.embed({ model: "m", input: ["x"] }))
        const began = yield* now
        yield* play(llm.embed({ model: "m", input: ["x"] }))
        // another model has its own, and so far none
        yield* play(llm.embed({ model: "other", input: ["x"] }))
        assert.deepStrictEqual((yield* times).slice(100).map((at) => at - began), [0, 90, 600_000])
      }))

    it.scoped("is not there before there are enough answers, nor shorter than the shortest", () =>
      Effect.gen(function*() {
        const { llm, times } = yield* make({ minSamples: 3, minDelay: "200 millis" }, slow(5), slow(5), slow(1000), Effect.never, embeddings)
        const ask = llm.embed({ model: "m", input: ["x"] })
        for (let n = 0; n < 3; n++) yield* play(ask)
        assert.lengthOf(yield* times, 3)
        yield* play(ask)
        assert.strictEqual((yield* times).length, 5)
        const tiny = yield* make({ minSamples: 1, minDelay: "200 millis" }, slow(5), Effect.never, embeddings)
        const began = yield* now
        yield* play(tiny.llm.embed({ model: "m", input: ["x"] }))
        yield* play(tiny.llm.embed({ model: "m", input: ["x"] }))
        assert.deepStrictEqual((yield* tiny.times).map((at) => at - began), [0, 600_000, 600_200])
      }))

    it.scoped("does not shrink by the answers that came sooner for being asked twice", () =>
      Effect.gen(function*() {
        // one in ten is slow for good: what lasts longer than the delay stays one in ten
        let asked = 0
        const step: ScriptedLlm.Step = () => asked++ % 11 === 10 ? later(Effect.succeed(embeddings), "1 minute") : later(Effect.succeed(embeddings), "100 millis")
        const { hedges, llm } = yield* make({ quantile: 0.95, minSamples: 20, minDelay: 1 }, ScriptedLlm.repeat(step))
        for (let n = 0; n < 200; n++) yield* play(llm.embed({ model: "m", input: ["x"] }))
        const { begun } = yield* hedges
        assert.isAtMost(begun, 20)
        assert.isAtLeast(begun, 5)
      }), 60_000)
  })

  describe("who wins", () => {
    it.scoped("gives the first one's answer when it comes first after all, and the other's when that does (HG-02)", () =>
      Effect.gen(function*() {
        const { hedges, llm, log } = yield* make(
          { delay: "1 second" },
          answers("first", "1500 millis"),
          answers("second", "1 second"),
          answers("third", "5 seconds"),
          answers("fourth", "1 second")
        )
        assert.deepStrictEqual(yield* play(llm.generateText(request)), ["first", 1500])
        assert.strictEqual((yield* play(llm.generateText(request)))[0], "fourth")
        // the loser has given back before the winner's call is over
        assert.deepStrictEqual(log, ["2 interrupted", "1 answered", "3 interrupted", "4 answered"])
        assert.deepStrictEqual(yield* hedges, { begun: 2, won: 1, lost: 1, refused: 0 })
      }))

    it.scoped("interrupts the losers in the instant in which one has won, and all with the caller (HG-05)", () =>
      Effect.gen(function*() {
        const { inFlight, interrupted, llm, log } = yield* make(
          { delay: "1 second", maxExtra: 2 },
          Effect.never,
          Effect.never,
          answers("third", "1 second"),
          ScriptedLlm.repeat(Effect.never)
        )
        const fiber = yield* Effect.fork(llm.generateText(request))
        yield* TestClock.adjust("3 seconds")
        assert.strictEqual((yield* Fiber.join(fiber)).text, "third")
        assert.deepStrictEqual([yield* inFlight, yield* interrupted], [0, 2])
        const given = yield* Effect.fork(llm.generateText(request))
        yield* TestClock.adjust("2 seconds")
        assert.strictEqual(yield* inFlight, 3)
        yield* Fiber.interrupt(given)
        assert.deepStrictEqual([yield* inFlight, yield* interrupted], [0, 5])
        assert.sameMembers(log, ["1 interrupted", "2 interrupted", "3 answered", "4 interrupted", "5 interrupted", "6 interrupted"])
      }))

    it.scoped("delivers one answer where two come in the same instant (HG-05)", () =>
      Effect.gen(function*() {
        const { hedges, llm, log } = yield* make({ delay: "1 second" }, answers("first", "2 seconds"), answers("second", "1 second"))
        const texts: Array<string> = []
        const fiber = yield* Effect.fork(Effect.map(llm.generateText(request), ({ text }) => texts.push(text)))
        yield* TestClock.adjust("2 seconds")
        yield* Fiber.join(fiber)
        assert.lengthOf(texts, 1)
        assert.lengthOf(log, 2)
        const { begun, lost, won } = yield* hedges
        assert.deepStrictEqual([begun, won + lost], [1, 1])
      }))

    it.scoped("does not wait for a loser that cannot be interrupted, and takes back what it held when it has ended (HG-05)", () =>
      Effect.gen(function*() {
        const { inFlight, llm, log } = yield* make(
          { delay: "1 second" },
          Effect.uninterruptible(answers("too late", "5 seconds")),
          answers("second", "1 second")
        )
        const fiber = yield* Effect.fork(llm.generateText(request))
        yield* TestClock.adjust("2 seconds")
        assert.strictEqual((yield* Fiber.join(fiber)).text, "second")
        assert.deepStrictEqual([yield* inFlight, log], [1, ["2 answered"]])
        yield* TestClock.adjust("3 seconds")
        assert.deepStrictEqual([yield* inFlight, log], [0, ["2 answered", "1 interrupted"]])
      }))

    it.scoped("takes the stream that begins first, and nothing of the other (HG-10)", () =>
      Effect.gen(function*() {
        const slow = [later(Effect.succeed(text("slow")), "5 seconds"), finish]
        const quick = [later(Effect.succeed(text("quick ")), "500 millis"), later(Effect.succeed(text("one")), "10 seconds"), finish]
        const { calls, inFlight, llm, log, times } = yield* make({ delay: "1 second" }, slow, quick, quick)
        const seen: Array<Completion.Part> = []
        const read = Stream.runForEach(llm.streamText(request), (part) => Effect.sync(() => seen.push(part)))
        const fiber = yield* Effect.fork(read)
        yield* TestClock.adjust("1500 millis")
        assert.deepStrictEqual(seen, [text("quick ")])
        assert.deepStrictEqual([yield* inFlight, log], [1, ["1 interrupted"]])
        yield* TestClock.adjust("10 seconds")
        yield* Fiber.join(fiber)
        assert.deepStrictEqual(seen, [text("quick "), text("one"), finish])
        assert.deepStrictEqual(log, ["1 interrupted", "2 answered"])
        assert.isTrue(calls.every(({ isStreamed }) => isStreamed))
        // one that has begun is slow as it likes
        const again = yield* Effect.fork(Stream.runCollect(llm.streamText(request)))
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(Chunk.size(yield* Fiber.join(again)), 3)
        assert.lengthOf(yield* times, 3)
      }))
  })

  describe("what fails", () => {
    it.scoped("asks the next at once when one has failed that may help against", () =>
      Effect.gen(function*() {
        const zero = new LlmError.RateLimited({ backend, message: "slow down", retryAfter: Duration.zero })
        for (const error of [fault, zero, new LlmError.AuthenticationFailed({ backend, message: "no" })]) {
          const { llm, times } = yield* make({ delay: "10 seconds" }, fails(error, "1 second"), answers("second", "1 second"))
          const began = yield* now
          assert.strictEqual((yield* play(llm.generateText(request)))[0], "second")
          assert.deepStrictEqual((yield* times).map((at) => at - began), [0, 1000])
        }
      }))

    it.scoped("does not ask again where the same backend cannot help, or wants to be left alone; what is under way goes on", () =>
      Effect.gen(function*() {
        const rest = Duration.seconds(20)
        for (
          const error of [
            new LlmError.RateLimited({ backend, message: "slow down", retryAfter: rest }),
            new LlmError.RateLimited({ backend, message: "slow down" }),
            new LlmError.ServerFault({ backend, message: "later", retryAfter: rest }),
            new LlmError.CircuitOpen({ backend, message: "open" }),
            new LlmError.ModelNotFound({ backend, message: "unknown" })
          ]
        ) {
          const alone = yield* make({ delay: "10 seconds", maxExtra: 5 }, fails(error, "1 second"))
          assert.strictEqual((yield* play(alone.llm.generateText(request)))[0], error._tag)
          assert.lengthOf(yield* alone.times, 1)
          const beside = yield* make({ delay: "1 second", maxExtra: 5 }, fails(error, "1500 millis"), answers("second", "3 seconds"))
          assert.strictEqual((yield* play(beside.llm.generateText(request)))[0], "second")
          assert.lengthOf(yield* beside.times, 2)
        }
      }))

    it.scoped("fails at once with an error that concerns every attempt, and begins no other (HG-04)", () =>
      Effect.gen(function*() {
        const invalid = new LlmError.InvalidRequest({ backend, message: "no" })
        const first = yield* make({ delay: "10 seconds" }, fails(invalid, "1 second"))
        assert.deepStrictEqual(yield* play(first.llm.generateText(request)), ["InvalidRequest", 1000])
        assert.lengthOf(yield* first.times, 1)
        const second = yield* make({ delay: "1 second" }, Effect.never, fails(invalid, "1 second"))
        assert.strictEqual((yield* play(second.llm.generateText(request)))[0], "InvalidRequest")
        assert.deepStrictEqual(second.log, ["2 InvalidRequest", "1 interrupted"])
      }))

    it.scoped("fails with the error of the last, when all of them do (HG-04)", () =>
      Effect.gen(function*() {
        const slow = new LlmError.ServerFault({ backend, message: "the first" })
        const quick = new LlmError.ServerFault({ backend, message: "beside it" })
        const { llm } = yield* make({ delay: "1 second" }, fails(slow, "5 seconds"), fails(quick, "1 second"))
        const fiber = yield* Effect.fork(Effect.flip(llm.generateText(request)))
        yield* TestClock.adjust("5 seconds")
        assert.strictEqual(yield* Fiber.join(fiber), slow)
      }))

    it.scoped("fails with what may be tried again, not with why an attempt beside it was not made", () =>
      Effect.gen(function*() {
        const full = new LlmError.QueueFull({ backend, capacity: 0, waiting: 0, message: "full" })
        const poor = new LlmError.BudgetExceeded({ backend, message: "no money", limit: "all", reason: "LimitReached", atLimit: "refuse" })
        for (const refusal of [full, poor]) {
          const { llm } = yield* make({ delay: "1 second" }, fails(fault, "3 seconds"), refusal, answers("well", "3 seconds"), refusal)
          assert.strictEqual((yield* play(llm.generateText(request)))[0], "ServerFault")
          assert.strictEqual((yield* play(llm.generateText(request)))[0], "well")
          const after = yield* make({ delay: "10 seconds" }, fails(fault, "1 second"), refusal)
          assert.strictEqual((yield* play(after.llm.generateText(request)))[0], "ServerFault")
        }
      }))

    it.scoped("dies of a bug in any attempt, and leaves none behind", () =>
      Effect.gen(function*() {
        const { inFlight, llm } = yield* make({ delay: "1 second" }, Effect.never, Effect.die("a bug"))
        const fiber = yield* Effect.fork(Effect.exit(llm.generateText(request)))
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(yield* Fiber.join(fiber), Exit.die("a bug"))
        assert.strictEqual(yield* inFlight, 0)
      }))
  })

  describe("what it costs", () => {
    it.scoped("is paid for by the retry budget; without, the first goes on alone (HG-07)", () =>
      Effect.gen(function*() {
        const budget = yield* RetryBudget.make({ reserve: 1, ratio: 0, perSecond: 0 })
        const { hedges, llm, times } = yield* make(
          { delay: "1 second", maxExtra: 2, budget },
          answers("first", "5 seconds"),
          Effect.never,
          answers("alone", "5 seconds"),
          fails(fault, "1 second")
        )
        assert.strictEqual((yield* play(llm.generateText(request)))[0], "first")
        assert.strictEqual((yield* play(llm.generateText(request)))[0], "alone")
        assert.strictEqual((yield* play(llm.generateText(request)))[0], "ServerFault")
        assert.lengthOf(yield* times, 4)
        assert.deepStrictEqual(yield* hedges, { begun: 1, won: 0, lost: 1, refused: 3 })
      }))

    it("is told of an option that cannot be meant when it is built (HG-08)", () => {
      const refused = (options: object) => {
        const exit = Effect.runSyncExit(Effect.scoped(Hedging.make({ backend, ...options })))
        return Exit.match(exit, { onSuccess: () => "", onFailure: (cause) => cause._tag === "Fail" ? cause.error.message : cause._tag })
      }
      assert.strictEqual(refused({ quantile: 1 }), "Hedging.quantile: must be a number from 0.5 to 0.99, not 1")
      assert.strictEqual(refused({ maxExtra: 6 }), "Hedging.maxExtra: must be a whole number from 0 to 5, not 6")
      assert.strictEqual(refused({ minSamples: 501 }), "Hedging.minSamples: must be a whole number from 1 to 500, not 501")
      assert.include(refused({ delay: -1 }), "Hedging.delay: must be a duration")
      assert.include(refused({ minDelay: 0 }), "Hedging.minDelay: must be a duration")
      assert.include(refused({ operations: ["health"] }), "Hedging.operations.0")
      assert.include(refused({ delays: 1 }), "Hedging.delays")
    })
  })
})
