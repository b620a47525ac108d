/**
 * CASES.md, RB-14, RB-16 and RB-17: the arithmetic is that of AWS's clients; the share (0.7), the scale (0.4) and the
 * smoothing (0.8) are not to be chosen. What is ours alone is said in the module.
 */
import { assert, describe, it } from "@effect/vitest"
import * as AdaptiveRate from "@spillway/core/AdaptiveRate"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Monitor from "@spillway/core/Monitor"
import * as Policy from "@spillway/core/Policy"
import * as Resilience from "@spillway/core/Resilience"
import * as ScriptedLlm from "@spillway/testing/ScriptedLlm"
import { Duration, Effect, Exit, FastCheck as fc, Fiber, Option, TestClock } from "effect"
import * as Rate from "../src/internal/adaptiveRate.js"
import * as VirtualClock from "./virtualClock.js"

const backend = "scripted"
const request = { model: "m", prompt: "hi" }
const limited = (retryAfter?: Duration.DurationInput) =>
  new LlmError.RateLimited({
    backend,
    message: "slow down",
    ...(retryAfter !== undefined && { retryAfter: Duration.decode(retryAfter) })
  })

// -----------------------------------------------------------------------------
// arithmetic
// -----------------------------------------------------------------------------

describe("the pace", () => {
  const paced = (times: ReadonlyArray<number>) => times.reduce(Rate.record, { count: 0, since: 0, perSecond: 0 })

  it("is counted by half seconds and smoothed (RB-16)", () => {
    assert.approximately(paced([1000]).perSecond, 0.8, 1e-9)
    assert.strictEqual(paced([0, 100, 200, 300, 490]).perSecond, 0)
    assert.approximately(paced([0, 100, 200, 300, 490, 500]).perSecond, 9.6, 1e-9)
    assert.approximately(paced(Array.from({ length: 20 }, (_, n) => (n + 1) * 1000)).perSecond, 1, 0.01)
  })
})

describe("the rate", () => {
  const settings: Rate.Settings = { floor: 0.5, memory: 60_000 }
  const on = (fields: Partial<Rate.On>): Rate.On => ({
    _tag: "On",
    pace: { count: 0, since: 0, perSecond: 1000 },
    rate: 10,
    tokens: 0,
    at: 0,
    refusedAt: -1,
    refusedRate: 10,
    ...fields
  })

  it("returns to where it was refused along a cubic, and goes on beyond (RB-14)", () => {
    const k = 1957.43
    assert.approximately(Rate.cubic(10, k), 10, 1e-6)
    assert.isBelow(Rate.cubic(10, k - 500), 10)
    assert.isAbove(Rate.cubic(10, k + 500), 10)
    assert.approximately(Rate.cubic(8, 0), 5.6, 1e-9)
    assert.approximately(Rate.cubic(8, 1817.12), 8, 1e-6)
  })

  it("is taken down to a share of what was sent, and is that still for an answer in the same instant (RB-14)", () => {
    const refused = Rate.refused(on({ rate: 8 }), settings, 0, 5000) as Rate.On
    assert.approximately(refused.rate, 5.6, 1e-9)
    assert.approximately((Rate.answered(refused, settings, 5000) as Rate.On).rate, 5.6, 1e-9)
    // no more was sent than that
    const slow = Rate.refused(on({ rate: 8, pace: { count: 0, since: 0, perSecond: 4 } }), settings, 0, 5000) as Rate.On
    assert.approximately(slow.rate, 2.8, 1e-9)
  })

  it("is never less than the floor, and a bucket always holds one (RB-17)", () => {
    const least = Rate.refused(on({ rate: 0.6, at: 1000 }), settings, 0, 1000) as Rate.On
    assert.strictEqual(least.rate, 0.5)
    assert.strictEqual(Rate.take(least, 1000), 2000)
    const later = Rate.take({ ...least, at: 1000 }, 1_000_000) as Rate.On
    assert.strictEqual(later.tokens, 0)
  })

  it("is no more than twice what is sent", () => {
    const rate = (perSecond: number) =>
      (Rate.answered(on({ pace: { count: 0, since: 0, perSecond }, refusedAt: 0 }), settings, 30_000) as Rate.On).rate
    assert.strictEqual(rate(6), 12)
    // but for what it was taken down to
    assert.strictEqual(rate(3), 7)
  })

  it("lets wait for exactly what is missing (RB-17)", () => {
    const state = on({ rate: 10, tokens: 0.25, at: 1000 })
    assert.strictEqual(Rate.take(state, 1000), 75)
    assert.strictEqual((Rate.take(state, 1075) as Rate.On).tokens, 0)
    // a clock that is put back fills nothing
    assert.strictEqual(Rate.take(state, 0), 75)
  })

  it("is learned from the first refusal of those that were under way together (CC-24)", () => {
    const first = Rate.refused(Rate.initial(0), settings, 0, 100) as Rate.On
    assert.strictEqual(Rate.refused(first, settings, 50, 200), first)
    assert.strictEqual(Rate.refused(first, settings, 100, 200), first)
    assert.notStrictEqual(Rate.refused(first, settings, 101, 200), first)
  })

  // whatever is sent, answered and refused at whatever times, also by a clock that is put back
  it("keeps its bounds, goes down once for all that were under way, and lets nobody wait for more than one (P5, P39)", () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.constant("send" as const) },
      { weight: 3, arbitrary: fc.constant("answer" as const) },
      { weight: 2, arbitrary: fc.record({ refused: fc.nat(20) }) },
      { weight: 4, arbitrary: fc.nat(400) },
      { weight: 1, arbitrary: fc.integer({ min: -3_600_000, max: 20_000 }) }
    )
    let waited = 0
    fc.assert(
      fc.property(
        fc.record({ floor: fc.constantFrom(0.01, 0.5, 5), memory: fc.constantFrom(1000, 60_000) }),
        fc.array(step, { minLength: 50, maxLength: 300, size: "max" }),
        (settings, steps) => {
          let now = 1_000_000_000
          let state = Rate.initial(now)
          let sent: Array<number> = []
          let mostInHalfASecond = 1
          // how far those let through are ahead of what the rate gives, and when they were least so
          let ahead = 0
          let least = 0
          let mostAtOnce = 1
          for (const step of steps) {
            const before = state
            if (typeof step === "number") {
              now += step
              // what was sent by a clock that is put back no longer tells when
              if (step < 0) sent = []
              else if (state._tag === "On") ahead -= step * state.rate / 1000
            } else if (step === "send") {
              state = Rate.asOf(state, now)
              const taken = Rate.take(state, now)
              if (typeof taken === "object") {
                state = taken
                sent.push(now)
                const halfASecond = Math.floor(now / 500)
                mostInHalfASecond = Math.max(mostInHalfASecond, sent.filter((at) => Math.floor(at / 500) >= halfASecond - 1).length)
                ahead++
              } else if (state._tag === "On") {
                waited++
                assert.isAtMost(taken, Math.ceil(1000 / state.rate), "the time of one")
                assert.isObject(Rate.take(state, now + taken), "which is there then")
              }
            } else if (step === "answer") {
              state = Rate.answered(state, settings, now)
              if (state._tag === "On") {
                // a half second that is lived twice may have twice as many
                const most = Math.max(8 * mostInHalfASecond, 0.7 * state.refusedRate, settings.floor)
                assert.isAtMost(state.rate, most + 1e-9, "twice what was ever sent")
              }
            } else {
              const sentAt = sent[sent.length - 1 - step.refused]
              if (sentAt === undefined) continue
              state = Rate.refused(state, settings, sentAt, now)
              if (before._tag === "On") {
                if (sentAt <= before.refusedAt) assert.strictEqual(state, before, "no news")
                else assert.isAtMost((state as Rate.On).rate, Math.max(0.7 * before.rate, settings.floor) + 1e-9, "a share")
              }
            }
            if (state._tag === "Off") ahead = least = 0
            else {
              assert.isTrue(state.rate >= settings.floor && state.rate < Infinity, `${state.rate} a second`)
              assert.isAtLeast(state.tokens, 0)
              mostAtOnce = Math.max(mostAtOnce, state.rate)
              least = Math.min(least, ahead)
              assert.isAtMost(ahead - least, mostAtOnce + 1e-3, "no more than fits and its rate gives")
            }
          }
        }
      ),
      { numRuns: 500 }
    )
    assert.isAbove(waited, 1000)
  })

  it("is of no more interest a minute after the last refusal", () => {
    const state = on({ refusedAt: 0 })
    assert.strictEqual(Rate.answered(state, settings, 59_999)._tag, "On")
    assert.strictEqual(Rate.answered(state, settings, 60_000)._tag, "Off")
  })
})

// -----------------------------------------------------------------------------
// the policy
// -----------------------------------------------------------------------------

const withScript = (
  options: Partial<AdaptiveRate.Options>,
  ...script: ReadonlyArray<ScriptedLlm.Step | ScriptedLlm.Repeat>
) =>
  Effect.gen(function*() {
    const adaptive = yield* AdaptiveRate.make({ backend, ...options })
    const scripted = yield* ScriptedLlm.make(...script)
    return {
      adaptive,
      call: Effect.exit(Resilience.protect(scripted, adaptive.policy).generateText(request)),
      times: Effect.map(scripted.requests, (requests) => requests.map(({ at }) => at)),
      monitor: Effect.map(Monitor.snapshot, ({ backends }) => backends.at(-1)!.adaptiveRate!)
    }
  })

describe("AdaptiveRate", () => {
  it.scoped("lets everything through until a refusal, and paces what comes then", () =>
    Effect.gen(function*() {
      const { adaptive, call, monitor, times } = yield* withScript(
        {},
        ...Array.from({ length: 10 }, () => "hello"),
        limited("1 second"),
        ScriptedLlm.repeat("hello")
      )
      for (let n = 0; n < 10; n++) {
        yield* call
        yield* TestClock.adjust("100 millis")
      }
      assert.isTrue(Option.isNone(yield* adaptive.rate))
      assert.deepStrictEqual(yield* monitor, { waiting: 0, refusals: 0 })
      yield* call
      const rate = Option.getOrThrow(yield* adaptive.rate)
      assert.isTrue(rate > 4 && rate < 10, `${rate}`)

      const fibers = yield* Effect.all(Array.from({ length: 5 }, () => Effect.fork(call)))
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(yield* monitor, { perSecond: rate, waiting: 5, refusals: 1 })
      yield* TestClock.adjust("10 seconds")
      assert.isTrue((yield* Effect.forEach(fibers, Fiber.join)).every(Exit.isSuccess))
      const later = (yield* times).slice(11)
      assert.lengthOf(later, 5)
      assert.strictEqual(later[0], 1000 + Math.ceil(1000 / rate))
      later.slice(1).forEach((at, n) => assert.isAbove(at - later[n]!, 50))
      assert.strictEqual((yield* monitor).waiting, 0)
    }))

  it.scoped("takes a refusal while another key is ready, and any other error, for none", () =>
    Effect.gen(function*() {
      const { adaptive, call } = yield* withScript(
        {},
        limited(0),
        new LlmError.ServerFault({ backend, message: "broken" }),
        new LlmError.KeysCooling({ backend, message: "all cool", retryAfter: Duration.seconds(1) }),
        limited()
      )
      for (let n = 0; n < 3; n++) yield* call
      assert.isTrue(Option.isNone(yield* adaptive.rate))
      yield* call
      assert.isTrue(Option.isSome(yield* adaptive.rate))
    }))

  it.scoped("forgets after a time in which nothing was refused", () =>
    Effect.gen(function*() {
      const { adaptive, call } = yield* withScript({ memory: "10 seconds" }, limited(), ScriptedLlm.repeat("hello"))
      yield* call
      yield* TestClock.adjust("9 seconds")
      yield* call
      assert.isTrue(Option.isSome(yield* adaptive.rate))
      yield* TestClock.adjust("1 second")
      yield* call
      assert.isTrue(Option.isNone(yield* adaptive.rate))
    }))

  it.scoped("gives up who waits at his deadline, and lets the next one have his turn", () =>
    Effect.gen(function*() {
      const { call, times } = yield* withScript({ floor: 0.5 }, limited(), "hello", "never asked for")
      yield* call
      const first = yield* Effect.fork(Policy.withDeadline(call, "500 millis"))
      yield* TestClock.adjust(0)
      const second = yield* Effect.fork(call)
      yield* TestClock.adjust("499 millis")
      assert.isTrue(Option.isNone(yield* Fiber.poll(first)))
      yield* TestClock.adjust("1 milli")
      const exit = yield* Fiber.join(first)
      assert.isTrue(Exit.isFailure(exit) && exit.cause._tag === "Fail" && exit.cause.error._tag === "DeadlineExceeded")
      yield* TestClock.adjust("1 second")
      assert.isTrue(Exit.isSuccess(yield* Fiber.join(second)))
      assert.strictEqual((yield* times).length, 2)
    }))

  it.scoped("is left at once by who is interrupted, and the turn is not lost", () =>
    Effect.gen(function*() {
      const { call, monitor, times } = yield* withScript({}, limited(), "hello", "never asked for")
      yield* call
      const first = yield* Effect.fork(call)
      yield* TestClock.adjust(0)
      const second = yield* Effect.fork(call)
      yield* TestClock.adjust(0)
      const rate = (yield* monitor).perSecond!
      yield* Fiber.interrupt(first)
      assert.strictEqual((yield* monitor).waiting, 1)
      yield* TestClock.adjust(Math.ceil(1000 / rate))
      assert.isTrue(Exit.isSuccess(yield* Fiber.join(second)))
      assert.deepStrictEqual(yield* times, [0, Math.ceil(1000 / rate)])
    }))

  for (
    const [field, options] of [
      ["floor", { floor: 0 }],
      ["floor", { floor: NaN }],
      ["memory", { memory: 999 }],
      ["backend", { backend: "" }],
      ["beta", { beta: 0.6 }]
    ] as Array<[string, Partial<AdaptiveRate.Options>]>
  ) {
    it.scoped(`names ${field} in ${JSON.stringify(options)} as wrong`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(AdaptiveRate.make({ backend, ...options }))
        assert.deepStrictEqual([error.module, error.field], ["AdaptiveRate", field])
      }))
  }
})

// -----------------------------------------------------------------------------
// before a backend with a limit
// -----------------------------------------------------------------------------

/** Callers without end before a backend that takes so many a second, for a minute: what it answered, and refused. */
const load = (adaptive: boolean, perSecond: number, callers: number) => {
  const clock = VirtualClock.make()
  const seen = { answered: 0, refused: 0 }
  let tokens = 5
  let at = 0
  const service = LlmService.make(backend, {
    listModels: Effect.suspend(() => {
      const now = clock.unsafeCurrentTimeMillis()
      tokens = Math.min(tokens + (now - at) * perSecond / 1000, 5)
      at = now
      const isTaken = tokens >= 1
      if (isTaken) tokens--
      seen[isTaken ? "answered" : "refused"]++
      return Effect.delay(isTaken ? Effect.succeed([]) : Effect.fail(limited()), "50 millis")
    })
  })
  const program = Effect.gen(function*() {
    const policy = yield* Resilience.standard(backend, {
      adaptive,
      queue: { concurrency: callers },
      retry: { initialDelay: "200 millis", maxRetries: 20 }
    })
    const llm = Resilience.protect(service, policy)
    yield* Effect.forEach(Array.from({ length: callers }), () => Effect.fork(Effect.forever(Effect.exit(llm.listModels))))
    yield* clock.advance(60_000)
    return seen
  })
  return Effect.runPromise(program.pipe(
    Effect.scoped,
    Effect.provideService(Monitor.CurrentMonitor, Monitor.unsafeMake()),
    Effect.withClock(clock)
  ))
}

describe("before a backend that takes 20 a second, of 32 callers", () => {
  it("few are refused, and most of what it takes is used", { timeout: 60_000 }, async () => {
    const without = await load(false, 20, 32)
    const seen = await load(true, 20, 32)
    assert.isAbove(seen.answered, 0.8 * 20 * 60)
    assert.isBelow(seen.refused, 0.1 * seen.answered)
    assert.isBelow(seen.refused, without.refused / 3)
  })

  it("nobody is forgotten or let through twice, whoever leaves", { timeout: 60_000 }, async () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.constant("call" as const) },
      { weight: 2, arbitrary: fc.constant("refuse" as const) },
      { weight: 2, arbitrary: fc.nat().map((which) => ({ which })) },
      { weight: 3, arbitrary: fc.nat(1500) }
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 80, size: "max" }), async (steps) => {
        const clock = VirtualClock.make()
        let asked = 0
        let isRefusing = false
        const service = LlmService.make(backend, {
          listModels: Effect.suspend(() => {
            asked++
            const answer = isRefusing ? Effect.fail(limited()) : Effect.succeed([])
            isRefusing = false
            return Effect.delay(answer, "10 millis")
          })
        })
        const program = Effect.gen(function*() {
          const { policy, rate } = yield* AdaptiveRate.make({ backend })
          const llm = Resilience.protect(service, policy)
          const fibers: Array<Fiber.RuntimeFiber<unknown, LlmError.LlmError>> = []
          let left = 0
          for (const step of steps) {
            if (step === "call") fibers.push(yield* Effect.fork(llm.listModels))
            else if (step === "refuse") isRefusing = true
            else if (typeof step === "number") yield* clock.advance(step)
            else {
              const fiber = fibers[step.which % fibers.length]
              if (fiber === undefined) continue
              yield* clock.settle
              const before = asked
              const isHere = Option.isNone(yield* Fiber.poll(fiber))
              yield* Fiber.interrupt(fiber)
              assert.strictEqual(asked, before, "who leaves sends nobody before his time")
              if (isHere) left++
            }
            yield* clock.settle
            Option.map(yield* rate, (rate) => assert.isAtLeast(rate, 0.5))
          }
          yield* clock.advance(600_000)
          const exits = yield* Effect.forEach(fibers, Fiber.poll)
          assert.isTrue(exits.every(Option.isSome), "everybody had his turn")
          assert.isAtMost(asked, fibers.length)
          assert.isAtLeast(asked, fibers.length - left)
        })
        await Effect.runPromise(program.pipe(
          Effect.scoped,
          Effect.provideService(Monitor.CurrentMonitor, Monitor.unsafeMake()),
          Effect.withClock(clock)
        ))
      }),
      { numRuns: 100 }
    )
  })
})
