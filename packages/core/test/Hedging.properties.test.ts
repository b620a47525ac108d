import { assert, describe, it } from "@effect/vitest"
import type * as Completion from "@spillway/core/Completion"
import * as Hedging from "@spillway/core/Hedging"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Monitor from "@spillway/core/Monitor"
import * as Policy from "@spillway/core/Policy"
import * as Resilience from "@spillway/core/Resilience"
import { Cause, Chunk, Duration, Effect, Exit, FastCheck as fc, Fiber, Option, Stream } from "effect"
import * as VirtualClock from "./virtualClock.js"

const backend = "test"
const errors = {
  fault: new LlmError.ServerFault({ backend, message: "broken" }),
  rotate: new LlmError.AuthenticationFailed({ backend, message: "no" }),
  rest: new LlmError.RateLimited({ backend, message: "slow down", retryAfter: Duration.seconds(1) }),
  elsewhere: new LlmError.CircuitOpen({ backend, message: "open" }),
  fatal: new LlmError.InvalidRequest({ backend, message: "never" })
}

const outcome = fc.oneof(
  { weight: 6, arbitrary: fc.constant("answers" as const) },
  { weight: 3, arbitrary: fc.constantFrom("fault" as const, "rotate" as const) },
  { weight: 1, arbitrary: fc.constantFrom("rest" as const, "elsewhere" as const, "fatal" as const) }
)
const attempt = fc.record({ millis: fc.nat(60), outcome, stubborn: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }) })
const ask = fc.record({
  at: fc.nat(100),
  streamed: fc.boolean(),
  attempts: fc.array(attempt, { minLength: 5, maxLength: 5 }),
  deadline: fc.option(fc.integer({ min: 1, max: 120 }), { freq: 3 }),
  givenUpAt: fc.option(fc.nat(150), { freq: 4 })
})
type Ask = typeof ask extends fc.Arbitrary<infer A> ? A : never

interface Attempt {
  readonly nth: number
  readonly stubborn: boolean
  readonly from: number
  /** When it had answered, failed or been interrupted. */
  to?: number
  end?: "answered" | "failed" | "interrupted"
}

const run = (asks: ReadonlyArray<Ask>, delay: number, maxExtra: number, clock: VirtualClock.VirtualClock) =>
  Effect.gen(function*() {
    const now = () => clock.unsafeCurrentTimeMillis()
    const monitor = Monitor.unsafeMake()
    const hedging = yield* Hedging.make({ backend, delay, maxExtra }).pipe(Effect.provideService(Monitor.CurrentMonitor, monitor))
    let held = 0
    const holding: Policy.Policy = (next) => (call) =>
      Effect.suspend(() => {
        held++
        call.held.add(() => void held--)
        return next(call)
      })
    const seen = { hedged: 0, won: 0 }

    const callers = yield* Effect.forEach(asks, (ask, id) =>
      Effect.gen(function*() {
        const attempts: Array<Attempt> = []
        const one = Effect.suspend(() => {
          const nth = attempts.length
          const plan = ask.attempts[nth % 5]!
          const record: Attempt = { nth, stubborn: plan.stubborn, from: now() }
          attempts.push(record)
          // P29
          assert.isAtMost(attempts.filter(({ to }) => to === undefined).length, 1 + maxExtra)
          const answer: Effect.Effect<string, LlmError.LlmError> = plan.outcome === "answers"
            ? Effect.succeed(`${id}/${nth}`)
            : Effect.fail(errors[plan.outcome])
          const slow = Effect.delay(answer, plan.millis)
          return Effect.onExit(plan.stubborn ? Effect.uninterruptible(slow) : slow, (exit) =>
            Effect.sync(() => {
              record.to = now()
              record.end = Exit.isSuccess(exit) ? "answered" : Exit.isInterrupted(exit) ? "interrupted" : "failed"
            }))
        })
        const text = (text: string): Completion.Part => ({ _tag: "TextDelta", text })
        const service = Resilience.protect(
          LlmService.make(backend, {
            generateText: ({ model }) =>
              Effect.map(one, (text) => ({ model, content: [], text, toolCalls: [], finishReason: "stop", usage: {} })),
            streamText: () =>
              Stream.flatMap(Stream.fromEffect(one), (answer) =>
                Stream.concat(
                  Stream.make(text(answer)),
                  Stream.fromEffect(Effect.delay(Effect.succeed(text(answer)), 5))
                ))
          }),
          Policy.compose(hedging.policy, holding)
        )
        const request = { model: "m", prompt: "hi" }
        const delivered: Array<string> = []
        let committed: number | undefined
        const note = (answer: string) => {
          committed ??= now()
          delivered.push(answer)
        }
        const use: Effect.Effect<void, LlmError.LlmError> = ask.streamed
          ? Stream.runForEachChunk(service.streamText(request), (parts) =>
            Effect.sync(() => Chunk.forEach(parts, (part) => note(part._tag === "TextDelta" ? part.text : ""))))
          : Effect.map(service.generateText(request), ({ text }) => note(text))
        const call = ask.deadline === null ? use : Policy.withDeadline(use, ask.deadline)
        const fiber = yield* Effect.fork(Effect.delay(call, ask.at))
        if (ask.givenUpAt !== null) {
          yield* Effect.fork(Effect.delay(Fiber.interrupt(fiber), ask.givenUpAt))
        }
        let endedAt = Infinity
        fiber.addObserver(() => {
          endedAt = now()
        })
        return { ask, attempts, delivered, fiber, committedAt: () => committed, endedAt: () => endedAt }
      }))
    yield* clock.advance(10_000)

    for (const { ask, attempts, committedAt, delivered, endedAt, fiber } of callers) {
      const exit = fiber.unsafePoll()
      assert.isNotNull(exit)
      assert.isAtMost(attempts.length, 1 + maxExtra)
      seen.hedged += attempts.length > 1 ? 1 : 0
      // P8, P9, P29: what is delivered is one attempt's, and that one had answered
      assert.isAtMost(new Set(delivered).size, 1)
      const committed = committedAt()
      const over = Math.min(committed ?? Infinity, endedAt())
      const winner = committed === undefined ? undefined : attempts[Number(delivered[0]!.split("/")[1])]
      if (winner !== undefined) {
        assert.deepStrictEqual([winner.end, winner.to], ["answered", committed])
        seen.won += winner.nth > 0 ? 1 : 0
      }
      for (const attempt of attempts) {
        assert.isDefined(attempt.to)
        // nothing is begun when it is over, or would be too late
        assert.isAtMost(attempt.from, over)
        if (attempt.nth > 0 && ask.deadline !== null) assert.isBelow(attempt.from, ask.at + ask.deadline)
        // losers end in the instant in which the winner commits, and all with the call
        if (attempt !== winner && !attempt.stubborn) assert.isAtMost(attempt.to!, over)
        if (attempt !== winner && attempt.to === over) assert.notStrictEqual(attempt.end, undefined)
      }
      // the next is begun when the one before has been slow, or one has failed
      for (const attempt of attempts.slice(1)) {
        const before = attempts[attempt.nth - 1]!
        const failed = attempts.some(({ end, nth, to }) => nth < attempt.nth && end === "failed" && to === attempt.from)
        assert.isTrue(attempt.from === before.from + delay || failed)
      }
      if (Exit.isFailure(exit!) && ask.givenUpAt === null) {
        const error = Option.getOrThrow(Cause.failureOption(exit.cause))
        const ended = attempts.filter(({ end }) => end === "failed")
        // nobody has answered, and either all have failed or one for good
        assert.isTrue(ended.length > 0 && attempts.every(({ end, stubborn }) => end !== "answered" || stubborn))
        if (error._tag !== "InvalidRequest") assert.strictEqual(ended.length, attempts.length)
      }
    }
    // P2
    assert.strictEqual(held, 0)
    const hedges = (yield* monitor.snapshot).backends[0]!.hedges!
    assert.strictEqual(hedges.begun, hedges.won + hedges.lost)
    assert.strictEqual(hedges.begun, callers.reduce((sum, { attempts }) => sum + Math.max(attempts.length - 1, 0), 0))
    return seen
  })

describe("Hedging", () => {
  it("has no more than one attempt and those beside it under way, delivers one answer, and leaves nothing behind (P2, P8, P9, P29)", async () => {
    const seen = { hedged: 0, won: 0 }
    await fc.assert(
      fc.asyncProperty(
        fc.array(ask, { minLength: 5, maxLength: 20, size: "max" }),
        fc.nat(40),
        fc.nat(3),
        (asks, delay, maxExtra) => {
          const clock = VirtualClock.make()
          return run(asks, delay, maxExtra, clock).pipe(Effect.withClock(clock), Effect.scoped, Effect.runPromise).then((found) => {
            seen.hedged += found.hedged
            seen.won += found.won
          })
        }
      ),
      { numRuns: 80 }
    )
    assert.isAbove(seen.hedged, 150)
    assert.isAbove(seen.won, 50)
  }, 60_000)
})
