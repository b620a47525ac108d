/**
 * CASES.md, RB, as far as it is about budgets. Of its rules these are not ours: RB-01's prices (14 for a fault, 5 for a
 * throttled attempt, given back when the retry succeeds) and RB-07's deposits for every call that expire: here only
 * successes pay, and all that is saved is `reserve` (see the module). RB-04: a budget is not replaced while it is in use.
 * RB-10 (a share of the calls under way), RB-11 and RB-13 (refusing first attempts by chance): the first attempt of a
 * call is never refused here, that is the circuit's.
 */
import { assert, describe, it } from "@effect/vitest"
import * as LlmError from "@spillway/core/LlmError"
import * as Monitor from "@spillway/core/Monitor"
import * as Policy from "@spillway/core/Policy"
import * as Resilience from "@spillway/core/Resilience"
import * as Retry from "@spillway/core/Retry"
import * as RetryBudget from "@spillway/core/RetryBudget"
import * as ScriptedLlm from "@spillway/testing/ScriptedLlm"
import { Cause, Duration, Effect, Exit, FastCheck as fc, Fiber, Option, TestClock } from "effect"

const backend = "scripted"
const request = { model: "m", prompt: "hi" }
const fault = new LlmError.ServerFault({ backend, message: "broken" })
const limited = new LlmError.RateLimited({ backend, message: "slow down", retryAfter: Duration.seconds(1) })
const refused = new LlmError.AuthenticationFailed({ backend, message: "wrong key" })

const make = (options: RetryBudget.Options = {}) => Effect.runSync(RetryBudget.make({ perSecond: 0, ...options }))
const withdraw = (budget: RetryBudget.RetryBudget, times: number, now = 0) =>
  Array.from({ length: times }, () => budget.tryWithdraw(now)).filter((taken) => taken).length

describe("RetryBudget", () => {
  it("is full in the beginning, at 500, and gives no more than it has (RB-02)", () => {
    const budget = make()
    assert.strictEqual(budget.balance(0), 500)
    assert.strictEqual(withdraw(budget, 600), 500)
    assert.strictEqual(budget.balance(0), 0)
    assert.strictEqual(budget.refused(), 100)
  })

  it("earns half a retry with each call that succeeds, and saves no more than its reserve (RB-01)", () => {
    const budget = make({ reserve: 2 })
    budget.deposit()
    assert.strictEqual(budget.balance(0), 2)
    assert.strictEqual(withdraw(budget, 3), 2)
    budget.deposit()
    assert.strictEqual(withdraw(budget, 1), 0)
    budget.deposit()
    assert.strictEqual(withdraw(budget, 2), 1)
    for (let n = 0; n < 100; n++) budget.deposit()
    assert.strictEqual(budget.balance(0), 2)
  })

  it("is exact for shares that no float is: ten tenths are one", () => {
    const budget = make({ reserve: 1, ratio: 0.1 })
    withdraw(budget, 1)
    for (let n = 0; n < 9; n++) budget.deposit()
    assert.isFalse(budget.tryWithdraw(0))
    budget.deposit()
    assert.isTrue(budget.tryWithdraw(0))
  })

  it("earns with time as well, so that few calls are tried again all the same (RB-07)", () => {
    const budget = make({ reserve: 10, perSecond: 2 })
    assert.strictEqual(withdraw(budget, 20), 10)
    assert.strictEqual(withdraw(budget, 5, 499), 0)
    assert.strictEqual(withdraw(budget, 5, 500), 1)
    assert.strictEqual(withdraw(budget, 5, 1500), 2)
    assert.strictEqual(budget.balance(1_000_000), 10)
  })

  it("earns nothing by a clock that is put back, nor twice what was earned before", () => {
    const budget = make({ reserve: 5, perSecond: 1 })
    withdraw(budget, 5, 10_000)
    assert.strictEqual(budget.balance(3000), 0)
    assert.strictEqual(budget.balance(10_000), 0)
    assert.strictEqual(budget.balance(11_000), 1)
  })

  it("may be empty for good: no reserve, and nothing is earned (RB-02, RB-08)", () => {
    const budget = make({ reserve: 0, ratio: 0 })
    budget.deposit()
    assert.isFalse(budget.tryWithdraw(1e12))
    assert.strictEqual(budget.refused(), 1)
  })

  for (
    const [field, options] of [
      ["ratio", { ratio: -0.1 }],
      ["ratio", { ratio: NaN }],
      ["ratio", { ratio: 101 }],
      ["reserve", { reserve: -1 }],
      ["reserve", { reserve: 0.5 }],
      ["reserve", { reserve: Infinity }],
      ["perSecond", { perSecond: -1 }],
      ["perSecond", { perSecond: 1001 }],
      ["ttl", { ttl: 5 }]
    ] as Array<[string, RetryBudget.Options]>
  ) {
    it.effect(`names ${field} in ${JSON.stringify(options)} as wrong (RB-08)`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(RetryBudget.make(options))
        assert.deepStrictEqual([error.module, error.field], ["RetryBudget", field])
      }))
  }

  it.scoped("is seen by the monitor", () =>
    Effect.gen(function*() {
      const budget = make({ reserve: 1 })
      withdraw(budget, 3)
      yield* RetryBudget.register(budget, backend)
      const { backends } = yield* Monitor.snapshot
      assert.deepStrictEqual(backends, [{ backend, retryBudget: { balance: 0, reserve: 1, refused: 2 } }])
    }).pipe(Effect.provideService(Monitor.CurrentMonitor, Monitor.unsafeMake())))

  // what is left, and what would be by the rule in its plainest form, whatever happens at whatever times
  it("makes in any time no more retries than the reserve, what successes and what seconds pay for (P27)", () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.constant("withdraw" as const) },
      { weight: 3, arbitrary: fc.constant("deposit" as const) },
      { weight: 1, arbitrary: fc.integer({ min: -500, max: 3000 }) }
    )
    fc.assert(
      fc.property(
        fc.record({
          reserve: fc.nat(8),
          ratio: fc.constantFrom(0, 0.1, 0.2, 0.5, 1, 3),
          perSecond: fc.constantFrom(0, 0.3, 1, 10)
        }),
        fc.array(step, { minLength: 40, maxLength: 150, size: "max" }),
        (options, steps) => {
          const budget = make(options)
          const { perSecond, ratio, reserve } = options
          let now = 0
          let latest = 0
          assert.strictEqual(budget.balance(now), reserve)
          // how far retries are ahead of what paid for them, now and when they were least so
          let ahead = 0
          let least = 0
          for (const step of steps) {
            if (step === "deposit") {
              budget.deposit()
              ahead -= ratio
            } else if (step === "withdraw") {
              const had = budget.balance(now)
              const taken = budget.tryWithdraw(now)
              assert.strictEqual(taken, had >= 1, `${had} left`)
              assert.approximately(budget.balance(now), taken ? had - 1 : had, 1e-9)
              if (taken) ahead++
            } else {
              now += step
              ahead -= perSecond * Math.max(now - latest, 0) / 1000
              latest = Math.max(latest, now)
            }
            least = Math.min(least, ahead)
            assert.isAtMost(ahead - least, reserve + 1e-6, "retries since then")
            const balance = budget.balance(now)
            assert.isTrue(balance >= 0 && balance <= reserve, `${balance} of ${reserve}`)
          }
        }
      ),
      { numRuns: 300 }
    )
  })
})

describe("a retry", () => {
  const policies = (options: Retry.Options) => Retry.make({ jitter: "none", ...options })
  const play = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.gen(function*() {
      const fiber = yield* Effect.fork(
        Effect.zip(Effect.exit(effect), Effect.clockWith((clock) => clock.currentTimeMillis))
      )
      yield* TestClock.adjust("1 hour")
      const [exit, endedAt] = yield* Fiber.join(fiber)
      return { exit, endedAt }
    })
  const errorOf = (exit: Exit.Exit<unknown, LlmError.LlmError>) =>
    Exit.match(exit, { onFailure: Cause.squash, onSuccess: () => undefined })

  it.effect("is not made when nothing is left: the call fails in that instant with the error it had (RB-05, P27)", () =>
    Effect.gen(function*() {
      const { budget, policy } = yield* policies({ budget: { reserve: 2, perSecond: 0 } })
      const scripted = yield* ScriptedLlm.make(ScriptedLlm.repeat(fault))
      const llm = Resilience.protect(scripted, policy)
      const first = yield* play(llm.generateText(request))
      assert.strictEqual(errorOf(first.exit), fault)
      assert.strictEqual(first.endedAt, 3000)
      // the first attempt is made all the same, and nothing is waited for
      const begun = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
      const second = yield* play(llm.generateText(request))
      assert.strictEqual(errorOf(second.exit), fault)
      assert.strictEqual(second.endedAt, begun)
      assert.lengthOf(yield* scripted.requests, 4)
      assert.strictEqual(Option.getOrThrow(budget).refused(), 2)
    }))

  it.effect("is paid for by the calls that succeed, at whichever attempt", () =>
    Effect.gen(function*() {
      const { budget, policy } = yield* policies({ budget: { reserve: 1, perSecond: 0, ratio: 0.5 } })
      const llm = Resilience.protect(yield* ScriptedLlm.make(fault, "one", fault, fault, "two", "three", fault, "four"), policy)
      const balance = () => Option.getOrThrow(budget).balance(0)
      yield* play(llm.generateText(request))
      assert.strictEqual(balance(), 0.5)
      assert.strictEqual(errorOf((yield* play(llm.generateText(request))).exit), fault)
      assert.strictEqual(errorOf((yield* play(llm.generateText(request))).exit), fault)
      yield* play(llm.generateText(request))
      assert.strictEqual(balance(), 1)
      yield* play(llm.generateText(request))
      assert.isTrue(Exit.isSuccess((yield* play(llm.generateText(request))).exit))
      assert.strictEqual(balance(), 0.5)
    }))

  it.effect("is free where the backend says when to come back, and where another key is ready", () =>
    Effect.gen(function*() {
      const cooling = new LlmError.KeysCooling({ backend, message: "all cool", retryAfter: Duration.seconds(1) })
      const { budget, policy } = yield* policies({ budget: { reserve: 0, ratio: 0, perSecond: 0 } })
      const llm = Resilience.protect(yield* ScriptedLlm.make(limited, cooling, refused, "hello"), policy)
      assert.isTrue(Exit.isSuccess((yield* play(llm.generateText(request))).exit))
      assert.strictEqual(Option.getOrThrow(budget).refused(), 0)
    }))

  it.effect("takes nothing where none would be made: after the last, after what is final, beyond the deadline", () =>
    Effect.gen(function*() {
      const invalid = new LlmError.InvalidRequest({ backend, message: "no" })
      const { budget, policy } = yield* policies({ maxRetries: 1, budget: { reserve: 9, perSecond: 0 } })
      const llm = Resilience.protect(yield* ScriptedLlm.make(fault, fault, invalid, fault), policy)
      yield* play(llm.generateText(request))
      yield* play(llm.generateText(request))
      yield* play(Policy.withDeadline(llm.generateText(request), "1 second"))
      assert.strictEqual(Option.getOrThrow(budget).balance(0), 8)
    }))

  it.effect("shares a budget with the calls of others who were given the same", () =>
    Effect.gen(function*() {
      const budget = yield* RetryBudget.make({ reserve: 1, perSecond: 0 })
      const one = yield* policies({ budget })
      const two = yield* policies({ budget })
      assert.strictEqual(Option.getOrUndefined(one.budget), budget)
      const scripted = yield* ScriptedLlm.make(ScriptedLlm.repeat(fault))
      for (const { policy } of [one, two]) yield* play(Resilience.protect(scripted, policy).generateText(request))
      assert.lengthOf(yield* scripted.requests, 3)
    }))

  it.effect("has no budget where there is to be none", () =>
    Effect.gen(function*() {
      const { budget, policy } = yield* policies({ budget: false, maxRetries: 1, initialDelay: 0 })
      const scripted = yield* ScriptedLlm.make(ScriptedLlm.repeat(fault))
      const llm = Resilience.protect(scripted, policy)
      for (let n = 0; n < 600; n++) yield* Effect.exit(llm.generateText(request))
      assert.isTrue(Option.isNone(budget))
      assert.lengthOf(yield* scripted.requests, 1200)
    }))

  it.effect("of a dead backend is made as often as the reserve allows, however many call", () =>
    Effect.gen(function*() {
      const { policy } = yield* policies({ initialDelay: 0, budget: { perSecond: 0 } })
      const scripted = yield* ScriptedLlm.make(ScriptedLlm.repeat(fault))
      const llm = Resilience.protect(scripted, policy)
      for (let n = 0; n < 1000; n++) yield* Effect.exit(llm.generateText(request))
      assert.lengthOf(yield* scripted.requests, 1500)
    }))
})
