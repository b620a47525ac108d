/**
 * CASES.md, TO. Not ours of TO-03, that somebody counts by how much calls were late: each says so by its own error.
 */
import { assert, describe, it } from "@effect/vitest"
import type * as Completion from "@spillway/core/Completion"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Policy from "@spillway/core/Policy"
import * as Resilience from "@spillway/core/Resilience"
import * as Retry from "@spillway/core/Retry"
import * as Timeout from "@spillway/core/Timeout"
import * as ScriptedLlm from "@spillway/testing/ScriptedLlm"
import {
  Cause,
  Chunk,
  Deferred,
  Duration,
  Effect,
  Either,
  Exit,
  Fiber,
  Logger,
  LogLevel,
  Option,
  Queue,
  Scope,
  Stream,
  TestClock
} from "effect"
import * as VirtualClock from "./virtualClock.js"

const backend = "scripted"
const request = { model: "m", prompt: "hi" }
const fault = new LlmError.ServerFault({ backend, message: "broken" })
const text = (text: string): Completion.Part => ({ _tag: "TextDelta", text })
const finish: Completion.Part = { _tag: "Finish", finishReason: "stop", usage: { outputTokens: 2 } }
const later = <A, E>(value: Effect.Effect<A, E>, after: Duration.DurationInput) => Effect.delay(value, after)

const make = (options: Timeout.Options, ...script: ReadonlyArray<ScriptedLlm.Step | ScriptedLlm.Repeat>) =>
  Effect.gen(function*() {
    const llm = yield* ScriptedLlm.make(...script)
    const timeout = yield* Timeout.make(options)
    const log: Array<string> = []
    const holding: Policy.Policy = (next) => (call) =>
      Effect.suspend(() => {
        call.held.add((exit) => void log.push(Exit.match(exit, { onFailure: tagOf, onSuccess: () => "given back" })))
        return next(call)
      })
    return {
      ...llm,
      llm: Resilience.protect(llm, Policy.compose(Timeout.deadline, holding, timeout.policy)),
      /** What became of what each call held. */
      log
    }
  })

const tagOf = (cause: Cause.Cause<unknown>) =>
  Option.match(Cause.failureOption(cause as Cause.Cause<LlmError.LlmError>), {
    onNone: () => Cause.isInterruptedOnly(cause) ? "interrupted" : "died",
    onSome: (error) => error._tag
  })

const now = Effect.clockWith((clock) => clock.currentTimeMillis)

/** Forks an effect, with the error it fails with and when. */
const watch = <A, R>(effect: Effect.Effect<A, LlmError.LlmError, R>) =>
  Effect.fork(Effect.zip(Effect.either(effect), now))

describe("Timeout", () => {
  describe("attempt", () => {
    it.scoped("ends with TimedOut when there is no answer in time, and gives everything back", () =>
      Effect.gen(function*() {
        const { inFlight, interrupted, llm, log } = yield* make({ attempt: "5 seconds" }, Effect.never)
        const fiber = yield* watch(llm.generateText(request))
        yield* TestClock.adjust("4999 millis")
        assert.isNull(fiber.unsafePoll())
        assert.strictEqual(yield* inFlight, 1)
        yield* TestClock.adjust("1 millis")
        const [result, at] = yield* Fiber.join(fiber)
        const error = Either.getOrThrow(Either.flip(result))
        assert.strictEqual(error._tag, "TimedOut")
        assert.strictEqual(error._tag === "TimedOut" && Duration.toMillis(error.after), 5000)
        assert.strictEqual(error.message, "scripted did not answer within 5s")
        assert.strictEqual(error.model, "m")
        assert.strictEqual(at, 5000)
        assert.deepStrictEqual([yield* inFlight, yield* interrupted, log], [0, 1, ["TimedOut"]])
      }))

    it.scoped("lets what answers in time be: an answer, an error, a bug", () =>
      Effect.gen(function*() {
        const { llm } = yield* make(
          { attempt: "5 seconds" },
          later(Effect.succeed("hello"), "4 seconds"),
          later(fault, "4 seconds"),
          later(Effect.die("a bug"), "4 seconds"),
          "at once"
        )
        const ask = llm.generateText(request)
        const all = yield* Effect.fork(Effect.all([Effect.exit(ask), Effect.exit(ask), Effect.exit(ask), Effect.exit(ask)]))
        yield* TestClock.adjust("1 hour")
        const [answer, error, bug, atOnce] = yield* Fiber.join(all)
        assert.strictEqual(Exit.isSuccess(answer) && answer.value.text, "hello")
        assert.deepStrictEqual(error, Exit.fail(fault))
        assert.deepStrictEqual(bug, Exit.die("a bug"))
        assert.strictEqual(Exit.isSuccess(atOnce) && atOnce.value.text, "at once")
      }))

    it.scoped("takes 60 seconds when nothing is said", () =>
      Effect.gen(function*() {
        const { llm } = yield* make({}, Effect.never)
        const fiber = yield* watch(llm.generateText(request))
        yield* TestClock.adjust("1 hour")
        assert.strictEqual((yield* Fiber.join(fiber))[1], 60_000)
      }))

    it.scoped("counts for each call by itself, whatever the order in which they end", () =>
      Effect.gen(function*() {
        const { llm } = yield* make(
          { attempt: "5 seconds" },
          Effect.never,
          later(Effect.succeed("quick"), "1 second"),
          Effect.never,
          later(Effect.succeed("slow"), "4 seconds")
        )
        const ask = (after: Duration.DurationInput) => watch(later(llm.generateText(request), after))
        const fibers = yield* Effect.all([ask(0), ask(1000), ask(2000), ask(3000)])
        yield* TestClock.adjust("1 hour")
        const ends = yield* Effect.forEach(fibers, Fiber.join)
        assert.deepStrictEqual(
          ends.map(([result, at]) => [Either.match(result, { onLeft: ({ _tag }) => _tag, onRight: ({ text }) => text }), at]),
          [["TimedOut", 5000], ["quick", 2000], ["TimedOut", 7000], ["slow", 7000]]
        )
      }))

    it.scoped("is given up with its caller, who waits until everything is given back", () =>
      Effect.gen(function*() {
        const { inFlight, interrupted, llm, log } = yield* make({ attempt: "5 seconds" }, Effect.never)
        const fiber = yield* watch(llm.generateText(request))
        yield* TestClock.adjust("1 second")
        yield* Fiber.interrupt(fiber)
        assert.deepStrictEqual([yield* inFlight, yield* interrupted, log], [0, 1, ["interrupted"]])
      }))

    it.scoped("waits for what cannot be interrupted, lest it goes on unseen", () =>
      Effect.gen(function*() {
        const { inFlight, llm } = yield* make(
          { attempt: "5 seconds" },
          Effect.uninterruptible(later(Effect.succeed("too late"), "7 seconds"))
        )
        const fiber = yield* watch(llm.generateText(request))
        yield* TestClock.adjust("6 seconds")
        assert.isNull(fiber.unsafePoll())
        yield* TestClock.adjust("1 hour")
        const [result, at] = yield* Fiber.join(fiber)
        assert.strictEqual(Either.isLeft(result) && result.left._tag, "TimedOut")
        assert.deepStrictEqual([at, yield* inFlight], [7000, 0])
      }))

    it.scoped("passes on what the caller provides", () =>
      Effect.gen(function*() {
        const { llm, requests } = yield* make({}, "hello")
        yield* llm.generateText(request).pipe(Policy.withTenant("acme"), Policy.withPriority("high"))
        assert.deepInclude((yield* requests)[0], { tenant: "acme", priority: "high" })
      }))

    it.scoped("is tried again by a retry outside of it (TO-08)", () =>
      Effect.gen(function*() {
        const llm = yield* ScriptedLlm.make(Effect.never, "hello")
        const timeout = yield* Timeout.make({ attempt: "5 seconds" })
        const retry = yield* Retry.make({ jitter: "none" })
        const service = Resilience.protect(llm, Policy.compose(retry.policy, timeout.policy))
        const fiber = yield* watch(service.generateText(request))
        yield* TestClock.adjust("1 hour")
        const [result, at] = yield* Fiber.join(fiber)
        assert.strictEqual(Either.isRight(result) && result.right.text, "hello")
        assert.strictEqual(at, 6000)
      }))

    it.scoped("holds for a stream until its first part, and no longer", () =>
      Effect.gen(function*() {
        const { llm, log } = yield* make(
          { attempt: "5 seconds", idle: "1 hour" },
          Effect.never,
          [later(Effect.succeed(text("a")), "4 seconds"), later(Effect.succeed(finish), "50 minutes")]
        )
        const silent = yield* watch(Stream.runDrain(llm.streamText(request)))
        yield* TestClock.adjust("5 seconds")
        const [result] = yield* Fiber.join(silent)
        assert.strictEqual(Either.isLeft(result) && result.left._tag, "TimedOut")
        const slow = yield* watch(Stream.runCollect(llm.streamText(request)))
        yield* TestClock.adjust("1 hour")
        const [parts] = yield* Fiber.join(slow)
        assert.deepStrictEqual(Either.map(parts, Chunk.toReadonlyArray), Either.right([text("a"), finish]))
        assert.deepStrictEqual(log, ["TimedOut", "given back"])
      }))
  })

  describe("deadline", () => {
    it.scoped("refuses a call that comes after it, and asks nobody", () =>
      Effect.gen(function*() {
        const { llm, requests } = yield* make({}, ScriptedLlm.repeat("hello"))
        yield* TestClock.adjust("10 seconds")
        for (const deadline of [9_000, 10_000]) {
          const error = yield* Effect.flip(
            Effect.provideService(llm.generateText(request), Policy.CurrentDeadline, Option.some(deadline))
          )
          assert.deepInclude(error, { _tag: "DeadlineExceeded", phase: "queued", backend, model: "m" })
        }
        assert.lengthOf(yield* requests, 0)
      }))

    it.scoped("begins no attempt in the moment of the deadline, wherever the call has been meanwhile", () =>
      Effect.gen(function*() {
        const llm = yield* ScriptedLlm.make(ScriptedLlm.repeat("hello"))
        const timeout = yield* Timeout.make()
        const slept: Policy.Policy = (next) => (call) => Effect.delay(next(call), "2 seconds")
        const service = Resilience.protect(llm, Policy.compose(Timeout.deadline, slept, timeout.policy))
        const fiber = yield* watch(Policy.withDeadline(service.generateText(request), "2 seconds"))
        yield* TestClock.adjust("2 seconds")
        const [result] = yield* Fiber.join(fiber)
        assert.deepInclude(Either.getOrThrow(Either.flip(result)), { _tag: "DeadlineExceeded", phase: "attempt" })
        assert.lengthOf(yield* llm.requests, 0)
      }))

    it.scoped("ends an attempt that is under way when it comes, and is final (TO-08)", () =>
      Effect.gen(function*() {
        const { inFlight, llm, log } = yield* make({ attempt: "60 seconds" }, Effect.never)
        const fiber = yield* watch(Policy.withDeadline(llm.generateText(request), "1500 millis"))
        yield* TestClock.adjust("1 hour")
        const [result, at] = yield* Fiber.join(fiber)
        assert.deepInclude(Either.getOrThrow(Either.flip(result)), { _tag: "DeadlineExceeded", phase: "attempt" })
        assert.strictEqual(at, 1500)
        assert.deepStrictEqual([yield* inFlight, log], [0, ["DeadlineExceeded"]])
      }))

    it.scoped("holds where no other time does", () =>
      Effect.gen(function*() {
        const { llm } = yield* make(Timeout.never, ScriptedLlm.repeat(Effect.never))
        const whole = yield* watch(Policy.withDeadline(llm.generateText(request), "2 seconds"))
        const stream = yield* watch(Stream.runDrain(Policy.withDeadlineStream(llm.streamText(request), "3 seconds")))
        const without = yield* watch(llm.generateText(request))
        yield* TestClock.adjust("1 day")
        assert.strictEqual((yield* Fiber.join(whole))[1], 2000)
        assert.strictEqual((yield* Fiber.join(stream))[1], 3000)
        assert.isNull(without.unsafePoll())
        yield* Fiber.interrupt(without)
      }))

    it.scoped("leaves a timeout that comes earlier its turn, and takes its own when both come at once", () =>
      Effect.gen(function*() {
        const { llm } = yield* make({ attempt: "5 seconds" }, ScriptedLlm.repeat(Effect.never))
        const earlier = yield* watch(Policy.withDeadline(llm.generateText(request), "6 seconds"))
        const same = yield* watch(Policy.withDeadline(llm.generateText(request), "5 seconds"))
        yield* TestClock.adjust("1 hour")
        const tags = yield* Effect.forEach([earlier, same], (fiber) =>
          Effect.map(Fiber.join(fiber), ([result]) => Either.isLeft(result) && result.left._tag))
        assert.deepStrictEqual(tags, ["TimedOut", "DeadlineExceeded"])
      }))

    it.scoped("is one for all attempts: none is begun that it would cut off while waiting (TO-05)", () =>
      Effect.gen(function*() {
        const llm = yield* ScriptedLlm.make(ScriptedLlm.repeat(Effect.never))
        const timeout = yield* Timeout.make({ attempt: "5 seconds" })
        const retry = yield* Retry.make({ jitter: "none" })
        const service = Resilience.protect(llm, Policy.compose(Timeout.deadline, retry.policy, timeout.policy))
        const fiber = yield* watch(Policy.withDeadline(service.generateText(request), "12 seconds"))
        yield* TestClock.adjust("1 hour")
        const [result, at] = yield* Fiber.join(fiber)
        // 5 s, wait 1, 5 s more, and two more to wait would be 13
        assert.strictEqual(at, 11_000)
        assert.strictEqual(Either.isLeft(result) && result.left._tag, "TimedOut")
        assert.lengthOf(yield* llm.requests, 2)
      }))

    it.scoped("cuts a stream in its midst, after the parts that came in time, each of them before it was idle for too long (TO-06)", () =>
      Effect.gen(function*() {
        const { inFlight, interrupted, llm, log } = yield* make(
          { idle: "1 second" },
          Array.from({ length: 100 }, (_, n) => later(Effect.succeed(text(`${n}`)), "900 millis"))
        )
        const seen: Array<string> = []
        const fiber = yield* watch(
          Stream.runForEach(Policy.withDeadlineStream(llm.streamText(request), "4 seconds"), (part) =>
            Effect.sync(() => seen.push(part._tag === "TextDelta" ? part.text : part._tag)))
        )
        yield* TestClock.adjust("1 hour")
        const [result, at] = yield* Fiber.join(fiber)
        assert.deepInclude(Either.getOrThrow(Either.flip(result)), { _tag: "DeadlineExceeded", phase: "stream" })
        assert.strictEqual(at, 4000)
        assert.deepStrictEqual(seen, ["0", "1", "2", "3"])
        assert.deepStrictEqual([yield* inFlight, yield* interrupted, log], [0, 1, ["DeadlineExceeded"]])
      }))

    it.scoped("frees what a stream holds even when its consumer sleeps", () =>
      Effect.gen(function*() {
        const { inFlight, llm, log } = yield* make({}, [
          text("a"),
          text("b"),
          later(Effect.succeed(finish), "10 seconds")
        ])
        const fiber = yield* watch(
          Stream.runForEach(Policy.withDeadlineStream(llm.streamText(request), "4 seconds"), () => Effect.sleep("1 minute"))
        )
        yield* TestClock.adjust("4 seconds")
        assert.deepStrictEqual([yield* inFlight, log], [0, ["DeadlineExceeded"]])
        assert.isNull(fiber.unsafePoll())
        yield* TestClock.adjust("1 hour")
        const [result, at] = yield* Fiber.join(fiber)
        assert.strictEqual(Either.isLeft(result) && result.left._tag, "DeadlineExceeded")
        assert.strictEqual(at, 120_000)
      }))
  })

  describe("idle", () => {
    it.scoped("ends a stream that falls silent with TimedOut, and gives everything back", () =>
      Effect.gen(function*() {
        const { inFlight, interrupted, llm, log } = yield* make(
          { idle: "3 seconds" },
          [text("a"), later(Effect.succeed(text("b")), "2 seconds"), Effect.never]
        )
        const fiber = yield* watch(Stream.runDrain(llm.streamText(request)))
        yield* TestClock.adjust("4999 millis")
        assert.isNull(fiber.unsafePoll())
        yield* TestClock.adjust("1 millis")
        const [result, at] = yield* Fiber.join(fiber)
        const error = Either.getOrThrow(Either.flip(result))
        assert.strictEqual(error._tag, "TimedOut")
        assert.strictEqual(error.message, "scripted fell silent for 3s in the midst of its answer")
        assert.strictEqual(at, 5000)
        assert.deepStrictEqual([yield* inFlight, yield* interrupted, log], [0, 1, ["TimedOut"]])
      }))

    it.scoped("starts anew with each part", () =>
      Effect.gen(function*() {
        const { llm, log } = yield* make(
          { idle: "3 seconds" },
          [...Array.from({ length: 20 }, () => later(Effect.succeed(text("x")), "2900 millis")), finish]
        )
        const fiber = yield* watch(Stream.runCount(llm.streamText(request)))
        yield* TestClock.adjust("1 hour")
        assert.deepStrictEqual(yield* Fiber.join(fiber), [Either.right(21), 58_000])
        assert.deepStrictEqual(log, ["given back"])
      }))

    it.scoped("does not count the time that the consumer takes", () =>
      Effect.gen(function*() {
        const parts = Array.from({ length: 299 }, (_, n) => text(`${n}`))
        const { llm } = yield* make({ idle: "1 minute" }, [...parts, finish])
        let taken = 0
        const fiber = yield* watch(Stream.runForEach(llm.streamText(request), () =>
          Effect.suspend(() => ++taken % 50 === 0 ? Effect.sleep("10 minutes") : Effect.void)))
        yield* TestClock.adjust("1 day")
        assert.deepStrictEqual(yield* Fiber.join(fiber), [Either.right(undefined), 3_600_000])
        assert.strictEqual(taken, 300)
      }))

    it.scoped("counts again once the consumer has caught up", () =>
      Effect.gen(function*() {
        const { llm } = yield* make(
          { idle: "1 second" },
          [...Array.from({ length: 200 }, () => text("x")), Effect.never]
        )
        let taken = 0
        const fiber = yield* watch(Stream.runForEach(llm.streamText(request), () =>
          Effect.suspend(() => ++taken === 1 ? Effect.sleep("1 minute") : Effect.void)))
        yield* TestClock.adjust("1 day")
        const [result, at] = yield* Fiber.join(fiber)
        assert.strictEqual(Either.isLeft(result) && result.left._tag, "TimedOut")
        assert.strictEqual(taken, 200)
        assert.strictEqual(at, 61_000)
      }))
  })

  describe("a watched stream", () => {
    const feed = Effect.gen(function*() {
      const queue = yield* Queue.unbounded<Exit.Exit<Completion.Part, Option.Option<LlmError.LlmError>>>()
      let pulled = 0
      let closed = false
      const source = Stream.fromPull(Effect.as(
        Effect.addFinalizer(() => Effect.sync(() => void (closed = true))),
        Effect.map(Effect.flatten(Queue.take(queue)), (part) => {
          pulled++
          return Chunk.of(part)
        })
      ))
      const timeout = yield* Timeout.make()
      return {
        put: (...texts: ReadonlyArray<string>) => Queue.offerAll(queue, texts.map((name) => Exit.succeed(text(name)))),
        end: Queue.offer(queue, Exit.fail(Option.none())),
        pulled: () => pulled,
        closed: () => closed,
        stream: Resilience.protect(LlmService.make(backend, { streamText: () => source }), timeout.policy)
          .streamText(request)
      }
    })

    it.scoped("passes each part on as it comes", () =>
      Effect.gen(function*() {
        const { end, put, stream } = yield* feed
        const seen: Array<string> = []
        const fiber = yield* Effect.fork(Stream.runForEach(stream, (part) => Effect.sync(() => seen.push((part as { text: string }).text))))
        for (const name of ["a", "b", "c"]) {
          yield* put(name)
          yield* TestClock.adjust(0)
          assert.strictEqual(seen.at(-1), name)
        }
        yield* end
        yield* Fiber.join(fiber)
        assert.deepStrictEqual(seen, ["a", "b", "c"])
      }))

    it.scoped("does not run away from a consumer who is slow", () =>
      Effect.gen(function*() {
        const { end, pulled, put, stream } = yield* feed
        yield* put(...Array.from({ length: 1000 }, (_, n) => `${n}`))
        yield* end
        const gate = yield* Deferred.make<void>()
        const seen: Array<string> = []
        const fiber = yield* Effect.fork(Stream.runForEach(stream, (part) =>
          Effect.zipRight(Deferred.await(gate), Effect.sync(() => seen.push((part as { text: string }).text)))))
        yield* TestClock.adjust("10 seconds")
        assert.isAtMost(pulled(), 70)
        yield* Deferred.succeed(gate, undefined)
        yield* Fiber.join(fiber)
        assert.deepStrictEqual(seen, Array.from({ length: 1000 }, (_, n) => `${n}`))
      }))

    it.scoped("is closed with its consumer", () =>
      Effect.gen(function*() {
        const { closed, put, stream } = yield* feed
        yield* put("a", "b")
        const first = yield* Stream.runCollect(Stream.take(stream, 1))
        assert.lengthOf(first, 1)
        assert.isTrue(closed())
      }))

    it.scoped("waits for nothing any more once its consumer is gone", () =>
      Effect.gen(function*() {
        let gaveUp = 0
        const waiting = Effect.onInterrupt(Effect.never, () => Effect.sync(() => gaveUp++))
        const { llm } = yield* make({}, ScriptedLlm.repeat([text("a"), waiting]))
        yield* Stream.runDrain(Stream.take(llm.streamText(request), 1))
        assert.strictEqual(gaveUp, 1)
        const fiber = yield* Effect.fork(Stream.runDrain(llm.streamText(request)))
        yield* TestClock.adjust("1 second")
        yield* Fiber.interrupt(fiber)
        assert.strictEqual(gaveUp, 2)
      }))

    it.scoped("is closed when its consumer is interrupted", () =>
      Effect.gen(function*() {
        const { closed, put, stream } = yield* feed
        yield* put("a")
        const fiber = yield* Effect.fork(Stream.runDrain(stream))
        yield* TestClock.adjust("1 second")
        assert.isFalse(closed())
        yield* Fiber.interrupt(fiber)
        assert.isTrue(closed())
      }))

    it.scoped("loses no part when a pull is given up and taken up again", () =>
      Effect.gen(function*() {
        const { put, stream } = yield* feed
        yield* put("a")
        const pull = yield* Stream.toPull(stream)
        assert.deepStrictEqual(Chunk.toReadonlyArray(yield* pull), [text("a")])
        const waiting = yield* Effect.fork(pull)
        yield* TestClock.adjust("1 second")
        yield* Fiber.interrupt(waiting)
        yield* put("b")
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(Chunk.toReadonlyArray(yield* pull), [text("b")])
      }))

    it.scoped("dies of the backend's bug, and gives back what it held", () =>
      Effect.gen(function*() {
        const { inFlight, llm, log } = yield* make({}, [text("a"), Effect.die("a bug")])
        const exit = yield* Effect.exit(Stream.runDrain(llm.streamText(request)))
        assert.isTrue(Exit.isFailure(exit) && Cause.isDie(exit.cause))
        assert.deepStrictEqual([yield* inFlight, log], [0, ["died"]])
      }))

    it.scoped("hands on the backend's error after the parts before it", () =>
      Effect.gen(function*() {
        const { inFlight, llm, log } = yield* make({}, [text("a"), text("b"), fault])
        const seen: Array<Completion.Part> = []
        const error = yield* Effect.flip(Stream.runForEach(llm.streamText(request), (part) => Effect.sync(() => seen.push(part))))
        assert.strictEqual(error, fault)
        assert.deepStrictEqual(seen, [text("a"), text("b")])
        assert.deepStrictEqual([yield* inFlight, log], [0, ["ServerFault"]])
      }))
  })

  it.scoped("logs nothing of errors that its caller hears of, nor of streams that end", () =>
    Effect.gen(function*() {
      const logged: Array<unknown> = []
      const logger = Logger.make(({ message }) => void logged.push(message))
      const { llm } = yield* make(
        { attempt: "5 seconds" },
        Effect.delay(fault, 1000),
        Effect.never,
        [text("a"), later(Effect.succeed(finish), 1000)]
      )
      const fiber = yield* Effect.fork(
        Effect.gen(function*() {
          yield* Effect.exit(llm.generateText(request))
          yield* Effect.exit(llm.generateText(request))
          yield* Effect.exit(Stream.runDrain(llm.streamText(request)))
        }).pipe(
          Effect.provide(Logger.replace(Logger.defaultLogger, logger)),
          Logger.withMinimumLogLevel(LogLevel.All)
        )
      )
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(logged, [])
    }))

  describe("the alarm", () => {
    it.scoped("rings for a call that has less time than those before it", () =>
      Effect.gen(function*() {
        const { llm } = yield* make({}, ScriptedLlm.repeat(Effect.never))
        const long = yield* watch(llm.generateText(request))
        yield* TestClock.adjust("1 second")
        const short = yield* watch(Policy.withDeadline(llm.generateText(request), "2 seconds"))
        yield* TestClock.adjust("2 seconds")
        assert.strictEqual((yield* Fiber.join(short))[1], 3000)
        yield* TestClock.adjust("1 hour")
        assert.strictEqual((yield* Fiber.join(long))[1], 60_000)
      }))

    it("is one sleeping fiber for all calls, which ends with the scope", () =>
      Effect.runPromise(Effect.gen(function*() {
        const clock = VirtualClock.make()
        let sleeping = 0
        const counted: typeof clock = {
          ...clock,
          sleep: (duration) =>
            Effect.acquireUseRelease(
              Effect.sync(() => sleeping++),
              () => clock.sleep(duration),
              () => Effect.sync(() => sleeping--)
            )
        }
        yield* Effect.withClock(
          Effect.gen(function*() {
            const scope = yield* Scope.make()
            const llm = yield* ScriptedLlm.make(
              ScriptedLlm.repeat(({ operation }) => operation === "streamText" ? "a few words" : Effect.never)
            )
            const timeout = yield* Effect.uninterruptible(Scope.extend(Timeout.make(), scope))
            const service = Resilience.protect(llm, timeout.policy)
            const fibers = yield* Effect.replicateEffect(Effect.fork(service.generateText(request)), 1000)
            yield* clock.settle
            assert.strictEqual(yield* llm.inFlight, 1000)
            assert.strictEqual(sleeping, 1)
            yield* Fiber.interruptAll(fibers)
            yield* Stream.runDrain(Stream.take(service.streamText(request), 1))
            yield* Stream.runDrain(service.streamText(request))
            assert.isAtMost(sleeping, 1)
            yield* Scope.close(scope, Exit.void)
            yield* clock.settle
            assert.strictEqual(sleeping, 0)
          }),
          counted
        )
      })))

    it("rings when its time has passed, though the clock on the wall is put back meanwhile", () => {
      const clock = VirtualClock.make(1_000_000_000)
      let putBack = 0
      const wall: typeof clock = {
        ...clock,
        unsafeCurrentTimeMillis: () => clock.unsafeCurrentTimeMillis() - putBack,
        currentTimeMillis: Effect.sync(() => clock.unsafeCurrentTimeMillis() - putBack)
      }
      return Effect.runPromise(Effect.gen(function*() {
        const { llm } = yield* make(
          { attempt: "60 seconds", idle: "30 seconds" },
          Effect.never,
          [text("a"), Effect.never],
          Effect.never
        )
        const whole = yield* watch(llm.generateText(request))
        const stream = yield* watch(Stream.runDrain(llm.streamText(request)))
        yield* clock.advance(10_000)
        putBack = 3_600_000
        const later = yield* watch(llm.generateText(request))
        yield* clock.advance(49_000)
        assert.isNull(whole.unsafePoll())
        yield* clock.advance(1000)
        // of the silence before nothing is known any more
        for (const fiber of [whole, stream] as Array<Fiber.Fiber<readonly [Either.Either<unknown, LlmError.LlmError>, number]>>) {
          const [result] = yield* Fiber.join(fiber)
          assert.strictEqual(Either.isLeft(result) && result.left._tag, "TimedOut")
        }
        assert.isNull(later.unsafePoll())
        yield* clock.advance(10_000)
        assert.isNotNull(later.unsafePoll())
      }).pipe(Effect.scoped, Effect.withClock(wall)))
    })

    it.effect("rings for calls that outlive the scope", () =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const llm = yield* ScriptedLlm.make(ScriptedLlm.repeat(Effect.never))
        const timeout = yield* Scope.extend(Timeout.make(), scope)
        const service = Resilience.protect(llm, timeout.policy)
        const before = yield* watch(service.generateText(request))
        yield* TestClock.adjust("1 second")
        yield* Scope.close(scope, Exit.void)
        const after = yield* watch(service.generateText(request))
        yield* TestClock.adjust("1 hour")
        assert.deepStrictEqual([(yield* Fiber.join(before))[1], (yield* Fiber.join(after))[1]], [60_000, 61_000])
      }))
  })

  describe("options", () => {
    for (
      const [field, options] of [
        ["attempt", { attempt: 0 }],
        ["idle", { idle: "-1 seconds" }],
        ["atempt", { atempt: "5 seconds" }]
      ] as Array<[string, Timeout.Options]>
    ) {
      it.scoped(`name ${field} in ${JSON.stringify(options)} as wrong`, () =>
        Effect.gen(function*() {
          assert.strictEqual((yield* Effect.flip(Timeout.make(options))).field, field)
        }))
    }
  })
})
