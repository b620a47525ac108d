/**
 * CASES.md, RT. Of its rules these are not ours:
 *
 * - RT-04 and RT-07, as far as they are about linear backoff: `factor: 1` is constant, and nobody grows linearly.
 * - RT-06: there is no attempt 0 to ask for.
 * - RT-09's second version of decorrelated jitter (of Polly and cockatiel): ours is AWS's.
 * - RT-13 (a longer base for throttled attempts): who is throttled is nearly always told for how long.
 * - RT-15: what is asked for is not clipped in silence, it is refused beyond 100.
 * - RT-22 is the opposite of ours: a call that waits holds no place.
 * - RT-30, as far as a pushback is unreadable or restarts the backoff: what says nothing is as if it were not there
 *   (RT-31 has it so), and the backoff goes on growing.
 * - RT-36, RT-37: a header of somebody's own is for his backend's `refineError`; the limits that a success tells of pace
 *   the pool.
 *
 * RT-12, RT-27, RT-31 and RT-33 are about reading answers: `packages/providers/test/{httpFailure,retryAfter}.test.ts`.
 */
import { assert, describe, it } from "@effect/vitest"
import type * as Completion from "@spillway/core/Completion"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Policy from "@spillway/core/Policy"
import * as RequestQueue from "@spillway/core/RequestQueue"
import * as Resilience from "@spillway/core/Resilience"
import * as Retry from "@spillway/core/Retry"
import type * as RetryBudget from "@spillway/core/RetryBudget"
import * as ScriptedLlm from "@spillway/testing/ScriptedLlm"
import { Cause, Chunk, Duration, Effect, Exit, Fiber, Random, Stream, TestClock } from "effect"
import { getEventListeners } from "node:events"

const backend = "scripted"
const request = { model: "m", prompt: "hi" }
const fault = (n = 0) => new LlmError.ServerFault({ backend, message: `fault ${n}` })
const limited = (millis: number) =>
  new LlmError.RateLimited({ backend, message: "slow down", retryAfter: Duration.millis(millis) })
const refused = new LlmError.AuthenticationFailed({ backend, message: "wrong key" })

const make = (options: Retry.Options, ...script: ReadonlyArray<ScriptedLlm.Step | ScriptedLlm.Repeat>) =>
  Effect.gen(function*() {
    const llm = yield* ScriptedLlm.make(...script)
    const retry = yield* Retry.make({ jitter: "none", ...options })
    return {
      llm: Resilience.protect(llm, retry.policy),
      /** When each attempt was made. */
      times: Effect.map(llm.requests, (requests) => requests.map(({ at }) => at))
    }
  })

/** Randomness that always draws the same. */
const fixed = (chance: number): Random.Random => ({ ...Random.make("fixed"), next: Effect.succeed(chance) })

/** Runs an effect until it has ended, letting as much time pass as it takes, and says when it ended. */
const play = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.fork(
      Effect.zip(Effect.exit(effect), Effect.clockWith((clock) => clock.currentTimeMillis))
    )
    yield* TestClock.adjust("1 day")
    const [exit, endedAt] = yield* Fiber.join(fiber)
    return { exit, endedAt }
  })

const errorOf = <A>(exit: Exit.Exit<A, LlmError.LlmError>) =>
  Exit.match(exit, {
    onFailure: (cause) => Cause.squash(cause) as LlmError.LlmError,
    onSuccess: () => undefined
  })

describe("Retry", () => {
  describe("backoff", () => {
    it.effect("tries 5 times more after 1, 2, 4, 8 and 16 seconds, and fails with the last error (RT-01)", () =>
      Effect.gen(function*() {
        let n = 0
        const { llm, times } = yield* make({}, ScriptedLlm.repeat(() => fault(++n)))
        const { endedAt, exit } = yield* play(llm.generateText(request))
        assert.deepStrictEqual(yield* times, [0, 1000, 3000, 7000, 15_000, 31_000])
        assert.strictEqual(endedAt, 31_000)
        assert.strictEqual(errorOf(exit)?.message, "fault 6")
      }))

    for (
      const [options, waits] of [
        [{ factor: 3 }, [1000, 3000, 9000, 16_000, 16_000]],
        [{ initialDelay: 2, maxDelay: 15 }, [2, 4, 8, 15, 15]],
        [{ factor: 1, maxRetries: 3 }, [1000, 1000, 1000]],
        [{ initialDelay: 0, maxRetries: 2 }, [0, 0]],
        [{ maxRetries: 0 }, []]
      ] as Array<[Retry.Options, Array<number>]>
    ) {
      it.effect(`waits ${waits.join(", ") || "for nothing"} with ${JSON.stringify(options)} (RT-03, RT-04)`, () =>
        Effect.gen(function*() {
          const { llm, times } = yield* make(options, ScriptedLlm.repeat(fault()))
          yield* play(llm.generateText(request))
          const at = yield* times
          assert.deepStrictEqual(at.slice(1).map((time, n) => time - at[n]!), waits)
        }))
    }

    it.effect("counts anew for each call, and waits no longer than it takes (RT-18)", () =>
      Effect.gen(function*() {
        const { llm, times } = yield* make({}, fault(), "one", fault(), "two")
        const twice = Effect.zipRight(llm.generateText(request), llm.generateText(request))
        const { exit } = yield* play(twice)
        assert.strictEqual(Exit.isSuccess(exit) && exit.value.text, "two")
        assert.deepStrictEqual(yield* times, [0, 1000, 1000, 2000])
      }))
  })

  describe("jitter", () => {
    const firstWait = (options: Retry.Options, chance: number) =>
      Effect.gen(function*() {
        const { llm, times } = yield* make({ maxRetries: 1, ...options }, ScriptedLlm.repeat(fault()))
        yield* play(Effect.withRandom(llm.generateText(request), fixed(chance)))
        const [first, second] = yield* times
        return second! - first!
      })

    for (
      const [jitter, waits] of [
        [undefined, [800, 900, 1000, 1180]],
        ["full", [0, 250, 500, 950]],
        ["equal", [500, 625, 750, 975]],
        ["none", [1000, 1000, 1000, 1000]],
        ["decorrelated", [1000, 1500, 2000, 2900]],
        [0.25, [750, 875, 1000, 1225]],
        [1, [0, 500, 1000, 1900]]
      ] as Array<[Retry.Jitter | undefined, Array<number>]>
    ) {
      it.effect(`spreads a backoff of a second by ${jitter ?? "its default"} (RT-07)`, () =>
        Effect.gen(function*() {
          const seen = yield* Effect.forEach([0, 0.25, 0.5, 0.95], (chance) => firstWait({ jitter }, chance))
          assert.deepStrictEqual(seen, waits)
        }))
    }

    it.effect("never makes a backoff longer than the cap", () =>
      Effect.gen(function*() {
        assert.strictEqual(yield* firstWait({ initialDelay: "16 seconds", jitter: 0.2 }, 0.99), 16_000)
        // and those who have reached the cap are still spread
        assert.strictEqual(yield* firstWait({ initialDelay: "20 seconds", jitter: 0.2 }, 0), 12_800)
      }))

    it.effect("grows from 50 ms to 20 s and no further, drawn as long as it may be (RT-10)", () =>
      Effect.gen(function*() {
        const { schedule } = yield* Retry.make({
          jitter: "full",
          maxRetries: 11,
          initialDelay: "50 millis",
          maxDelay: "20 seconds"
        })
        const drawn = yield* Effect.withRandom(waits(schedule, Array.from({ length: 20 }, () => fault())), fixed(1 - 1e-9))
        assert.deepStrictEqual(drawn, [50, 100, 200, 400, 800, 1600, 3200, 6400, 12_800, 20_000, 20_000])
      }))

    it.effect("of one that is decorrelated goes by the backoff before", () =>
      Effect.gen(function*() {
        const { schedule } = yield* Retry.make({ jitter: "decorrelated", maxRetries: 6 })
        const drawn = (chance: number) =>
          Effect.withRandom(waits(schedule, Array.from({ length: 6 }, () => fault())), fixed(chance))
        assert.deepStrictEqual(yield* drawn(0), [1000, 1000, 1000, 1000, 1000, 1000])
        assert.deepStrictEqual(yield* drawn(0.5), [2000, 3500, 5750, 9125, 14_188, 16_000])
        assert.deepStrictEqual(yield* drawn(1 - 1e-9), [3000, 9000, 16_000, 16_000, 16_000, 16_000])
      }))

    it.effect("is the same with the same seed, and spreads evenly (RT-10)", () =>
      Effect.gen(function*() {
        const { schedule } = yield* Retry.make({ jitter: "full", maxRetries: 100, factor: 1, initialDelay: "10 seconds" })
        const draw = waits(schedule, Array.from({ length: 100 }, () => fault()))
        const many = yield* Effect.withRandom(
          Effect.map(Effect.replicateEffect(draw, 100), (waits) => waits.flat()),
          Random.make("another seed")
        )
        assert.deepStrictEqual(
          yield* Effect.withRandom(draw, Random.make("seed")),
          yield* Effect.withRandom(draw, Random.make("seed"))
        )
        assert.lengthOf(many, 10_000)
        for (let second = 0; second < 10; second++) {
          const within = many.filter((millis) => Math.floor(Math.min(millis, 9999) / 1000) === second).length
          assert.isTrue(Math.abs(within - 1000) < 200, `${within} of 10,000 in second ${second}`)
        }
      }))
  })

  describe("what the backend says", () => {
    it.effect("waits as long as the backend says, to the millisecond, without jitter (RT-30)", () =>
      Effect.gen(function*() {
        const { llm, times } = yield* make({ jitter: "full" }, limited(20_250), "hello")
        yield* play(llm.generateText(request))
        assert.deepStrictEqual(yield* times, [0, 20_250])
      }))

    it.effect("does not try more often because of it (RT-30)", () =>
      Effect.gen(function*() {
        const { llm, times } = yield* make({ maxRetries: 2 }, ScriptedLlm.repeat(limited(250)))
        yield* play(llm.generateText(request))
        assert.deepStrictEqual(yield* times, [0, 250, 500])
      }))

    it.effect("returns to its own backoff when the backend says nothing more", () =>
      Effect.gen(function*() {
        const { llm, times } = yield* make({}, limited(5000), fault(), "hello")
        yield* play(llm.generateText(request))
        assert.deepStrictEqual(yield* times, [0, 5000, 7000])
      }))

    it.effect("fails at once when it is asked to wait longer than it would, with the error that says so (RT-28, RT-33)", () =>
      Effect.gen(function*() {
        for (const millis of [60_001, 2_147_484_000, Infinity]) {
          const { llm, times } = yield* make({}, limited(millis))
          const { endedAt, exit } = yield* play(llm.generateText(request))
          const error = errorOf(exit)
          assert.strictEqual(error?._tag === "RateLimited" && Duration.toMillis(error.retryAfter!), millis)
          const [at] = yield* times
          assert.strictEqual(endedAt, at)
        }
        const { llm, times } = yield* make({ maxRetryAfter: "1 hour" }, limited(3_600_000), "hello")
        yield* play(llm.generateText(request))
        const [first, second] = yield* times
        assert.strictEqual(second! - first!, 3_600_000)
      }))

    for (
      const [asked, waited] of [[0, 2000], [1, 2000], [2500, 2500], [4000, 4000], [4001, 4000], [3_600_000, 4000], [Infinity, 4000]] as const
    ) {
      it.effect(`waits ${waited} where it is asked for ${asked}, its backoff is 2000 and the window 2000 (RT-29)`, () =>
        Effect.gen(function*() {
          const { llm, times } = yield* make(
            { retryAfterWindow: "2 seconds", initialDelay: "2 seconds", maxRotations: 0 },
            limited(asked),
            "hello"
          )
          yield* play(llm.generateText(request))
          assert.deepStrictEqual(yield* times, [0, waited])
        }))
    }

    it.effect("obeys its own pool to the millisecond, whatever the window", () =>
      Effect.gen(function*() {
        const cooling = new LlmError.KeysCooling({ backend, message: "all cool", retryAfter: Duration.seconds(40) })
        const { llm, times } = yield* make({ retryAfterWindow: 0 }, cooling, "hello")
        yield* play(llm.generateText(request))
        assert.deepStrictEqual(yield* times, [0, 40_000])
      }))

    it.effect("comes later by up to the share that it is told, never earlier, and never too late", () =>
      Effect.gen(function*() {
        const wait = (chance: number, millis: number, deadline?: number) =>
          Effect.gen(function*() {
            const { llm, times } = yield* make({ retryAfterJitter: 0.1 }, limited(millis), "hello")
            const call = Effect.withRandom(llm.generateText(request), fixed(chance))
            yield* play(deadline === undefined ? call : Policy.withDeadline(call, deadline))
            const [first, second] = yield* times
            return second === undefined ? undefined : second - first!
          })
        assert.strictEqual(yield* wait(0, 20_000), 20_000)
        assert.strictEqual(yield* wait(0.5, 20_000), 21_000)
        assert.strictEqual(yield* wait(1 - 1e-9, 20_000), 22_000)
        // up to the longest wait that is obeyed
        assert.strictEqual(yield* wait(1 - 1e-9, 59_000), 60_000)
        // up to the last millisecond before the deadline, which it would have met without
        assert.strictEqual(yield* wait(1 - 1e-9, 20_000, 20_500), 20_499)
        assert.strictEqual(yield* wait(1 - 1e-9, 20_000, 20_001), 20_000)
        assert.isUndefined(yield* wait(0, 20_000, 20_000))
      }))

    it.effect("is no earlier than it is asked, should that be a fraction of a millisecond", () =>
      Effect.gen(function*() {
        const { llm, times } = yield* make({}, limited(2.4), "hello")
        yield* play(llm.generateText(request))
        assert.deepStrictEqual(yield* times, [0, 3])
      }))

    it.effect("waits for a pool whose keys cool down", () =>
      Effect.gen(function*() {
        const cooling = new LlmError.KeysCooling({ backend, message: "all cool", retryAfter: Duration.seconds(7) })
        const { llm, times } = yield* make({}, cooling, "hello")
        yield* play(llm.generateText(request))
        assert.deepStrictEqual(yield* times, [0, 7000])
      }))
  })

  describe("another key", () => {
    it.effect("goes on at once after a key that is refused, or limited while another is ready", () =>
      Effect.gen(function*() {
        const quota = new LlmError.QuotaExhausted({ backend, message: "used up" })
        const { llm, times } = yield* make({}, refused, quota, limited(0), "hello")
        const { exit } = yield* play(llm.generateText(request))
        assert.strictEqual(Exit.isSuccess(exit) && exit.value.text, "hello")
        assert.deepStrictEqual(yield* times, [0, 0, 0, 0])
      }))

    it.effect("does not count it as a retry", () =>
      Effect.gen(function*() {
        const { llm, times } = yield* make({ maxRetries: 1 }, limited(0), limited(0), limited(3000), limited(0), "hello")
        const { exit } = yield* play(llm.generateText(request))
        assert.isTrue(Exit.isSuccess(exit))
        assert.deepStrictEqual(yield* times, [0, 0, 0, 3000, 3000])
      }))

    it.effect("ends when the pool has no key left", () =>
      Effect.gen(function*() {
        const exhausted = new LlmError.KeysExhausted({ backend, message: "no key left" })
        const { llm, times } = yield* make({}, refused, refused, exhausted)
        const { exit } = yield* play(llm.generateText(request))
        assert.strictEqual(errorOf(exit)?._tag, "KeysExhausted")
        assert.deepStrictEqual(yield* times, [0, 0, 0])
      }))

    it.effect("ends where nobody counts the keys", () =>
      Effect.gen(function*() {
        const { llm, times } = yield* make({ maxRotations: 3 }, ScriptedLlm.repeat(refused))
        const { exit } = yield* play(llm.generateText(request))
        assert.strictEqual(errorOf(exit)?._tag, "AuthenticationFailed")
        assert.deepStrictEqual(yield* times, [0, 0, 0, 0])
      }))

    it.effect("backs off from a backend that says \"at once\" without end", () =>
      Effect.gen(function*() {
        const { llm, times } = yield* make({ maxRotations: 2, maxRetries: 2 }, ScriptedLlm.repeat(limited(0)))
        yield* play(llm.generateText(request))
        assert.deepStrictEqual(yield* times, [0, 0, 0, 1000, 3000])
      }))
  })

  describe("verdicts", () => {
    const sample = (tag: LlmError.Tag): LlmError.LlmError => {
      // the tag names the class; what it may want beyond what all have is of no concern here
      const make = (LlmError as unknown as Record<
        string,
        new(fields: object, options: { disableValidation: boolean }) => LlmError.LlmError
      >)[tag]!
      return new make({ backend, message: tag }, { disableValidation: true })
    }
    const attempts = { Never: 1, Failover: 1, RotateKey: 11, Retry: 6 } as const

    for (const tag of Object.keys(LlmError.verdicts) as Array<LlmError.Tag>) {
      const count = attempts[LlmError.verdicts[tag].retriability]
      it.effect(`asks ${count} times when the answer is always ${tag}`, () =>
        Effect.gen(function*() {
          const { llm, times } = yield* make({}, ScriptedLlm.repeat(sample(tag)))
          const { exit } = yield* play(llm.generateText(request))
          assert.strictEqual(errorOf(exit)?._tag, tag)
          assert.lengthOf(yield* times, count)
        }))
    }

    it.effect("does as the backend itself says, of what would be final and of what would not (RT-25)", () =>
      Effect.gen(function*() {
        const invalid = new LlmError.InvalidRequest({ backend, message: "no", status: 400, shouldRetry: true })
        const again = yield* make({}, invalid, "hello")
        assert.isTrue(Exit.isSuccess((yield* play(again.llm.generateText(request))).exit))
        const broken = new LlmError.ServerFault({ backend, message: "no", status: 500, shouldRetry: false })
        const never = yield* make({}, broken)
        assert.strictEqual(errorOf((yield* play(never.llm.generateText(request))).exit), broken)
        // that the key is of no more use says nothing of another, which is ready
        const key = new LlmError.RateLimited({ backend, message: "no", shouldRetry: false, retryAfter: Duration.zero })
        const rotated = yield* make({}, key, "hello")
        assert.isTrue(Exit.isSuccess((yield* play(rotated.llm.generateText(request))).exit))
        const alone = new LlmError.RateLimited({ backend, message: "no", shouldRetry: false, retryAfter: Duration.seconds(1) })
        const refused = yield* make({}, alone)
        assert.strictEqual(errorOf((yield* play(refused.llm.generateText(request))).exit), alone)
      }))

    it.effect("gives up at the first error that time does not help (RT-16)", () =>
      Effect.gen(function*() {
        const invalid = new LlmError.InvalidRequest({ backend, message: "no" })
        const { llm, times } = yield* make({}, fault(), invalid)
        const { exit } = yield* play(llm.generateText(request))
        assert.strictEqual(errorOf(exit), invalid)
        assert.deepStrictEqual(yield* times, [0, 1000])
      }))

    it.effect("does not try a bug again", () =>
      Effect.gen(function*() {
        const { llm, times } = yield* make({}, Effect.die("a bug"))
        const { exit } = yield* play(llm.generateText(request))
        assert.isTrue(Exit.isFailure(exit) && Cause.isDie(exit.cause))
        assert.lengthOf(yield* times, 1)
      }))
  })

  describe("deadline", () => {
    it.effect("fails at once with the last error when the wait would pass it (RT-34)", () =>
      Effect.gen(function*() {
        const { llm, times } = yield* make({}, limited(30_000))
        const { endedAt, exit } = yield* play(Policy.withDeadline(llm.generateText(request), "10 seconds"))
        const error = errorOf(exit)
        assert.strictEqual(error?._tag === "RateLimited" && Duration.toSeconds(error.retryAfter!), 30)
        assert.strictEqual(endedAt, 0)
        assert.deepStrictEqual(yield* times, [0])
      }))

    it.effect("does not begin an attempt at the deadline itself", () =>
      Effect.gen(function*() {
        const { llm, times } = yield* make({}, ScriptedLlm.repeat(fault()))
        const { endedAt } = yield* play(Policy.withDeadline(llm.generateText(request), "3 seconds"))
        assert.deepStrictEqual(yield* times, [0, 1000])
        assert.strictEqual(endedAt, 1000)
      }))
  })

  describe("attempts", () => {
    const watching = (log: Array<string>): Policy.Policy => (next) => (call) =>
      Effect.suspend(() => {
        log.push(`${call.attempt}${call.previous === undefined ? "" : ` after ${call.previous._tag}`}`)
        call.held.add((exit) => void log.push(`${call.attempt} ${exit._tag}`))
        return next(call)
      })

    it.effect("are numbered, know why they are made, and give back what they took before the wait (RT-21)", () =>
      Effect.gen(function*() {
        const log: Array<string> = []
        const retry = yield* Retry.make({ jitter: "none" })
        const llm = Resilience.protect(
          yield* ScriptedLlm.make(fault(), limited(0), "hello"),
          Policy.compose(retry.policy, watching(log))
        )
        const fiber = yield* Effect.fork(llm.generateText(request))
        yield* TestClock.adjust("500 millis")
        assert.deepStrictEqual(log, ["1", "1 Failure"])
        yield* TestClock.adjust("500 millis")
        yield* Fiber.join(fiber)
        assert.deepStrictEqual(log, [
          "1",
          "1 Failure",
          "2 after ServerFault",
          "2 Failure",
          "3 after RateLimited",
          "3 Success"
        ])
      }))

    it.effect("end with their caller: before the first, in the midst of one, and while waiting (RT-19)", () =>
      Effect.gen(function*() {
        const log: Array<string> = []
        const retry = yield* Retry.make({ jitter: "none" })
        const llm = yield* ScriptedLlm.make(Effect.never, fault(), "not asked for")
        const service = Resilience.protect(llm, Policy.compose(retry.policy, watching(log)))

        const inAttempt = yield* Effect.fork(service.generateText(request))
        yield* TestClock.adjust("1 second")
        yield* Fiber.interrupt(inAttempt)
        assert.deepStrictEqual(log, ["1", "1 Failure"])

        const inWait = yield* Effect.fork(service.generateText(request))
        yield* TestClock.adjust("500 millis")
        assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(inWait)))
        yield* TestClock.adjust("1 hour")
        assert.lengthOf(yield* llm.requests, 2)

        const before = yield* Effect.fork(Effect.delay(service.generateText(request), "1 second"))
        yield* Fiber.interrupt(before)
        yield* TestClock.adjust("1 hour")
        assert.lengthOf(yield* llm.requests, 2)
      }))
  })

  it("leaves nothing with its caller's signal, however often it is tried again (TO-02)", async () => {
    const { signal } = new AbortController()
    let attempts = 0
    let most = 0
    const llm = LlmService.make(backend, {
      listModels: Effect.suspend(() => {
        most = Math.max(most, getEventListeners(signal, "abort").length)
        return ++attempts > 15 ? Effect.succeed([]) : Effect.yieldNow().pipe(Effect.zipRight(Effect.fail(fault(attempts))))
      })
    })
    const run = Effect.flatMap(Retry.make({ maxRetries: 15, initialDelay: 0 }), ({ policy }) =>
      Resilience.protect(llm, policy).listModels)
    await Effect.runPromise(run, { signal })
    assert.deepStrictEqual([attempts, most], [16, 1])
    assert.lengthOf(getEventListeners(signal, "abort"), 0)
  })

  describe("a call that waits behind a queue", () => {
    /** Calls with a name each, one at a time; the log says who was asked when. */
    const queued = (answers: (name: string) => Effect.Effect<string, LlmError.LlmError>) =>
      Effect.gen(function*() {
        const log: Array<string> = []
        const retry = yield* Retry.make({ jitter: "none" })
        const queue = yield* RequestQueue.make({ backend, concurrency: 1 })
        const scripted = yield* ScriptedLlm.make(ScriptedLlm.repeat((asked) =>
          Effect.clockWith((clock) => {
            const name = "request" in asked ? asked.request.model : ""
            log.push(`${name} at ${clock.unsafeCurrentTimeMillis()}`)
            return answers(name)
          })
        ))
        const llm = Resilience.protect(scripted, Policy.compose(retry.policy, queue.policy))
        return { log, call: (model: string) => Effect.fork(llm.generateText({ model, prompt: "hi" })), queue }
      })

    it.scoped("holds no place, so that others are answered meanwhile", () =>
      Effect.gen(function*() {
        let failures = 0
        const { call, log, queue } = yield* queued((name) =>
          name === "a" && failures++ === 0 ? Effect.fail(fault()) : Effect.succeed(name)
        )
        const a = yield* call("a")
        yield* TestClock.adjust("500 millis")
        assert.strictEqual(yield* queue.inFlight, 0)
        yield* Fiber.join(yield* call("b"))
        yield* TestClock.adjust("500 millis")
        yield* Fiber.join(a)
        assert.deepStrictEqual(log, ["a at 0", "b at 500", "a at 1000"])
      }))

    it.scoped("comes back before those who have come after it", () =>
      Effect.gen(function*() {
        let failures = 0
        const { call, log } = yield* queued((name) =>
          name === "a" && failures++ === 0
            ? Effect.fail(fault())
            : name === "b"
            ? Effect.delay(Effect.succeed(name), "5 seconds")
            : Effect.succeed(name)
        )
        const fibers = [yield* call("a")]
        for (const name of ["b", "c", "d"]) {
          yield* TestClock.adjust("100 millis")
          fibers.push(yield* call(name))
        }
        yield* TestClock.adjust("1 minute")
        yield* Effect.forEach(fibers, Fiber.join)
        assert.deepStrictEqual(log, ["a at 0", "b at 100", "a at 5100", "c at 5100", "d at 5100"])
      }))
  })

  describe("streams", () => {
    const part = (text: string): Completion.Part => ({ _tag: "TextDelta", text })
    const finish: Completion.Part = { _tag: "Finish", finishReason: "stop", usage: {} }

    it.effect("are tried again until their first part is there", () =>
      Effect.gen(function*() {
        const { llm, times } = yield* make({}, fault(), [fault()], [], [part("hello"), finish])
        const { exit } = yield* play(Stream.runCollect(llm.streamText(request)))
        assert.deepStrictEqual(Exit.isSuccess(exit) && Chunk.toReadonlyArray(exit.value), [part("hello"), finish])
        assert.deepStrictEqual(yield* times, [0, 1000, 3000, 7000])
      }))

    it.effect("are never tried again after it: the consumer keeps what came, and hears of the error (RT-24)", () =>
      Effect.gen(function*() {
        const { llm, times } = yield* make({}, [part("hel"), fault(7), part("lo"), finish], "never asked for")
        const seen: Array<string> = []
        const { endedAt, exit } = yield* play(
          Stream.runForEach(llm.streamText(request), (part) => Effect.sync(() => seen.push(part._tag)))
        )
        assert.deepStrictEqual(seen, ["TextDelta"])
        assert.strictEqual(errorOf(exit)?.message, "fault 7")
        assert.deepStrictEqual(yield* times, [0])
        assert.strictEqual(endedAt, 0)
      }))

    it.effect("are not begun by a chunk with no part in it", () =>
      Effect.gen(function*() {
        let calls = 0
        const retry = yield* Retry.make()
        const llm = Resilience.protect(
          LlmService.make("empty first", {
            streamText: () =>
              Stream.suspend(() =>
                ++calls === 1
                  ? Stream.concat(Stream.mapChunks(Stream.make(finish), Chunk.empty<Completion.Part>), Stream.fail(fault()))
                  : Stream.make(part("hello"), finish)
              )
          }),
          retry.policy
        )
        const { exit } = yield* play(Stream.runCollect(llm.streamText(request)))
        assert.isTrue(Exit.isSuccess(exit))
        assert.strictEqual(calls, 2)
      }))
  })

  describe("schedule", () => {
    it.effect("does the same for any effect", () =>
      Effect.gen(function*() {
        const { schedule } = yield* Retry.make({ jitter: "none", maxRetries: 3 })
        const errors = [fault(), limited(0), limited(2500), fault()]
        const times: Array<number> = []
        const { exit } = yield* play(Effect.retry(
          Effect.clockWith((clock) => {
            times.push(clock.unsafeCurrentTimeMillis())
            const error = errors[times.length - 1]
            return error === undefined ? Effect.succeed("done") : Effect.fail(error)
          }),
          schedule
        ))
        assert.deepStrictEqual(exit, Exit.succeed("done"))
        assert.deepStrictEqual(times, [0, 1000, 1000, 3500, 7500])
      }))
  })

  describe("options", () => {
    for (
      const [field, options] of [
        ["maxRetries", { maxRetries: -1 }],
        ["maxRetries", { maxRetries: 1.5 }],
        ["initialDelay", { initialDelay: -1 }],
        ["factor", { factor: 0.5 }],
        ["factor", { factor: NaN }],
        ["maxDelay", { maxDelay: "2 days" }],
        ["jitter", { jitter: -0.0001 }],
        ["jitter", { jitter: 1.0001 }],
        ["jitter", { jitter: "some" }],
        ["maxRetryAfter", { maxRetryAfter: Duration.infinity }],
        ["retryAfterWindow", { retryAfterWindow: "25 hours" }],
        ["retryAfterJitter", { retryAfterJitter: 1.5 }],
        ["maxRotations", { maxRotations: 1001 }],
        ["retries", { retries: 3 }]
      ] as Array<[string, Retry.Options]>
    ) {
      it.effect(`name ${field} in ${JSON.stringify(options)} as wrong`, () =>
        Effect.gen(function*() {
          const error = yield* Effect.flip(Retry.make(options))
          assert.strictEqual(error.field, field)
          assert.include(error.message, `Retry.${field}: `)
        }))
    }

    it.effect("name those of the budget by its own name", () =>
      Effect.gen(function*() {
        for (const [field, budget] of [["ratio", { ratio: -1 }], ["", 5], ["", null]] as Array<[string, RetryBudget.Options]>) {
          const error = yield* Effect.flip(Retry.make({ budget }))
          assert.deepStrictEqual([error.module, error.field], ["RetryBudget", field])
        }
      }))

    it.effect("say what a jitter may be", () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(Retry.make({ jitter: 2 }))
        assert.strictEqual(
          error.message,
          "Retry.jitter: must be \"full\", \"equal\", \"decorrelated\", \"none\" or a number from 0 to 1, not 2"
        )
      }))
  })
})

/** The waits that a schedule takes for these errors, until it ends. */
const waits = (schedule: Retry.Retry["schedule"], errors: ReadonlyArray<LlmError.LlmError>) =>
  Effect.gen(function*() {
    const all: Array<number> = []
    let state = schedule.initial
    let now = 0
    for (const error of errors) {
      const [next, , decision] = yield* schedule.step(now, error, state)
      if (decision._tag === "Done") break
      const start = [...decision.intervals.intervals][0]!.startMillis
      all.push(start - now)
      now = start
      state = next
    }
    return all
  })
