/** P22 to P28, as far as they are about retrying; of the budget by itself, see `RetryBudget.test.ts`. */
import { assert, describe, it } from "@effect/vitest"
import type * as Completion from "@spillway/core/Completion"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Policy from "@spillway/core/Policy"
import * as Resilience from "@spillway/core/Resilience"
import * as Retry from "@spillway/core/Retry"
import * as RetryBudget from "@spillway/core/RetryBudget"
import { Cause, Context, Duration, Effect, Exit, FastCheck as fc, Fiber, Option, Random, Stream } from "effect"
import * as Backoff from "../src/internal/backoff.js"
import * as VirtualClock from "./virtualClock.js"

const backend = "scripted"
const day = 86_400_000

// -----------------------------------------------------------------------------
// what may happen
// -----------------------------------------------------------------------------

const message = "no"
const errors = {
  fault: () => new LlmError.ServerFault({ backend, message }),
  network: () => new LlmError.NetworkFailure({ backend, message }),
  refused: () => new LlmError.AuthenticationFailed({ backend, message }),
  spent: () => new LlmError.QuotaExhausted({ backend, message }),
  invalid: () => new LlmError.InvalidRequest({ backend, message }),
  filtered: () => new LlmError.ContentFiltered({ backend, message }),
  unknown: () => new LlmError.ModelNotFound({ backend, message }),
  open: () => new LlmError.CircuitOpen({ backend, message })
}
const waiting = {
  limited: (retryAfter?: Duration.Duration) => new LlmError.RateLimited({ backend, message, ...(retryAfter && { retryAfter }) }),
  overloaded: (retryAfter?: Duration.Duration) =>
    new LlmError.ServerFault({ backend, message, ...(retryAfter && { retryAfter }) }),
  cooling: (retryAfter?: Duration.Duration) => new LlmError.KeysCooling({ backend, message, ...(retryAfter && { retryAfter }) })
}

const named = <K extends string, A>(from: { readonly [N in K]: A }) =>
  fc.constantFrom(...Object.keys(from) as Array<K>).map((name) => from[name])

// what a backend asks for, be it mad
const hint = fc.oneof(
  { weight: 3, arbitrary: fc.nat(100_000).map((millis) => Duration.millis(millis)) },
  { weight: 2, arbitrary: fc.constant(Duration.zero) },
  { weight: 1, arbitrary: fc.double({ min: 0, max: 5, noNaN: true }).map((millis) => Duration.millis(millis)) },
  { weight: 1, arbitrary: fc.nat(9_999_999).map((nanos) => Duration.nanos(BigInt(nanos))) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(Duration.infinity, Duration.millis(2 ** 31), Duration.millis(2 ** 53), Duration.weeks(1e12))
  }
)

const failure: fc.Arbitrary<LlmError.LlmError> = fc.oneof(
  { weight: 6, arbitrary: named(errors).map((make) => make()) },
  { weight: 4, arbitrary: fc.tuple(named(waiting), fc.option(hint, { nil: undefined })).map(([make, after]) => make(after)) }
)
const passing: fc.Arbitrary<LlmError.LlmError> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(errors.fault, errors.network, errors.refused).map((make) => make()) },
  { weight: 2, arbitrary: fc.tuple(named(waiting), fc.nat(3000)).map(([make, millis]) => make(Duration.millis(millis))) }
)

// spread evenly: half of all doubles between 0 and 1 are so small that nothing comes of them
const share = fc.nat(1_000_000).map((millionths) => millionths / 1_000_000)
const chance = fc.nat(999_999).map((millionths) => millionths / 1_000_000)
// down to a nanosecond
const millis = (max: number) => fc.oneof(fc.nat(max), fc.constantFrom(0, 1e-6, 0.5, 1, max), share.map((share) => share * max))

/** Anything that the options allow. */
const settings = fc.record({
  maxRetries: fc.nat(100),
  maxRotations: fc.nat(20),
  initialDelay: millis(3_600_000),
  maxDelay: millis(day),
  factor: fc.oneof(fc.constantFrom(1, 2, 100), share.map((share) => 1 + 99 * share)),
  jitter: fc.oneof(fc.constantFrom<Retry.Jitter>("full", "equal", "decorrelated", "none"), share),
  // about as long as is asked for, too
  maxRetryAfter: fc.oneof(millis(day), millis(150_000)),
  retryAfterWindow: fc.option(millis(day), { freq: 2, nil: undefined }),
  retryAfterJitter: fc.oneof(fc.constant(0), share)
})

// -----------------------------------------------------------------------------
// waits
// -----------------------------------------------------------------------------

/** Where a backoff has to be, by the formulas as they are written down: least and most. */
const bounds = ({ factor, initialDelay, jitter, maxDelay }: Backoff.Settings, retries: number, previous: number) => {
  let nominal = initialDelay
  for (let n = 0; n < retries && nominal > 0 && nominal < maxDelay && factor > 1; n++) nominal *= factor
  const d = Math.min(nominal, maxDelay)
  switch (jitter) {
    case "full":
      return [0, d] as const
    case "equal":
      return [d / 2, d] as const
    case "none":
      return [d, d] as const
    case "decorrelated":
      return [initialDelay, 3 * Math.max(previous, initialDelay)] as const
    default:
      return [d - jitter * d, d + jitter * d] as const
  }
}

describe("a backoff", () => {
  it("is a whole number of milliseconds, where the formula has it and no more than the cap, at any retry (P23, RT-09)", () => {
    fc.assert(
      fc.property(
        settings,
        fc.oneof(fc.nat(10), fc.nat(1_000_000)),
        millis(day),
        chance,
        ({ retryAfterWindow, ...options }, retries, backoff, chance) => {
          const settings = { ...options, retryAfterWindow: retryAfterWindow ?? Infinity }
          const wait = Backoff.draw(settings, { retries, rotations: 0, backoff }, chance)
          assert.isTrue(Number.isSafeInteger(wait) && wait >= 0, `${wait}`)
          assert.isAtMost(wait, settings.maxDelay)
          const [least, most] = bounds(settings, retries, backoff)
          // half a millisecond is rounded away, and a product is not exact
          assert.isAtLeast(wait, Math.min(Math.floor(settings.maxDelay), least * (1 - 1e-9) - 0.5))
          assert.isAtMost(wait, most * (1 + 1e-9) + 0.5)
        }
      ),
      { numRuns: 10_000 }
    )
  })

  it("that is decorrelated stays finite for ever, and covers all of its range (RT-09)", () => {
    const options: Backoff.Settings = {
      maxRetries: 100,
      maxRotations: 10,
      initialDelay: 45_000,
      maxDelay: 900_000,
      factor: 2,
      jitter: "decorrelated",
      maxRetryAfter: 60_000,
      retryAfterWindow: Infinity,
      retryAfterJitter: 0
    }
    const drawn = Effect.runSync(Effect.withRandom(
      Effect.map(Effect.replicateEffect(Random.next, 3000), (chances) => {
        let backoff = 0
        return chances.map((chance, retries) => backoff = Backoff.draw(options, { retries, rotations: 0, backoff }, chance))
      }),
      Random.make("decorrelated")
    ))
    for (const wait of drawn) assert.isTrue(Number.isInteger(wait) && wait >= 45_000 && wait <= 900_000, `${wait}`)
    assert.isBelow(Math.min(...drawn), 60_000)
    assert.strictEqual(Math.max(...drawn), 900_000)
  })
})

describe("a wait", () => {
  it("is within what is obeyed and what is left, whatever is asked for (P26, RT-33)", () => {
    fc.assert(
      fc.property(
        settings,
        failure,
        fc.nat(100),
        chance,
        fc.oneof(fc.constant(Infinity), fc.integer({ min: -5, max: 200_000 })),
        ({ retryAfterWindow, ...options }, error, retries, chance, left) => {
          const settings = { ...options, retryAfterWindow: retryAfterWindow ?? Infinity }
          const next = Backoff.next(settings, { retries, rotations: 0, backoff: 0 }, error, chance, left)
          if (next === undefined) return
          assert.isTrue(Number.isSafeInteger(next.wait) && next.wait >= 0, `${next.wait}`)
          assert.isBelow(next.wait, left)
          assert.isAtMost(next.wait, Math.max(settings.maxDelay, settings.maxRetryAfter))
          assert.isBelow(next.wait, 2 ** 31)
          const asked = Option.map(LlmError.retryAfter(error), Duration.toMillis)
          if (retryAfterWindow === undefined && Option.exists(asked, (asked) => asked > 0)) {
            assert.isAtLeast(next.wait, Option.getOrThrow(asked), "never earlier than asked")
            assert.isAtMost(next.wait, Math.ceil(Option.getOrThrow(asked)) * (1 + settings.retryAfterJitter) + 1)
            assert.isAtMost(next.wait, settings.maxRetryAfter)
          }
        }
      ),
      { numRuns: 10_000 }
    )
  })
})

// -----------------------------------------------------------------------------
// calls
// -----------------------------------------------------------------------------

interface Attempt {
  readonly takes: number
  /** None is an answer. */
  readonly error: Option.Option<LlmError.LlmError>
}

interface Trace {
  readonly starts: ReadonlyArray<number>
  readonly end: number
  readonly outcome: "success" | "interrupted" | LlmError.LlmError
}

const attempts = (error: fc.Arbitrary<LlmError.LlmError>, length: number) =>
  fc.array(fc.record({ takes: fc.nat(3000), error: fc.option(error, { freq: 15, nil: undefined }).map(Option.fromNullable) }), {
    minLength: length,
    maxLength: length
  })

/** A clock that counts who sleeps, and for how long at most. */
const watched = (clock: VirtualClock.VirtualClock) => {
  const seen = { asleep: 0, longest: 0 }
  const sleep: VirtualClock.VirtualClock["sleep"] = (duration) =>
    Effect.suspend(() => {
      seen.asleep++
      seen.longest = Math.max(seen.longest, Duration.toMillis(duration))
      return Effect.ensuring(clock.sleep(duration), Effect.sync(() => seen.asleep--))
    })
  return { clock: { ...clock, sleep }, seen }
}

const call = (deadline: number): Policy.Call => ({
  ...Policy.makeCall(Context.empty(), backend, { operation: "generateText", model: "m" }, false),
  deadline: deadline === Infinity ? Option.none() : Option.some(deadline)
})

/** Runs one call through a policy and says what became of it. */
const trace = (
  policy: Policy.Policy,
  script: ReadonlyArray<Attempt>,
  deadline: number,
  starts: Array<number>
): Effect.Effect<Exit.Exit<void, LlmError.LlmError>> =>
  Effect.suspend(() => {
    const one = call(deadline)
    const way = policy(() =>
      Effect.clockWith((clock) => {
        const attempt = script[starts.length]
        starts.push(clock.unsafeCurrentTimeMillis())
        return attempt === undefined
          ? Effect.dieMessage("asked more often than there are attempts")
          : Effect.delay(Option.match(attempt.error, { onNone: () => Effect.void, onSome: Effect.fail }), attempt.takes)
      })
    )
    return Effect.exit(Effect.onExit(way(one), one.held.close))
  })

const outcomeOf = (exit: Exit.Exit<void, LlmError.LlmError>): Trace["outcome"] =>
  Exit.match(exit, {
    onSuccess: () => "success" as const,
    onFailure: (cause) => Option.getOrElse(Cause.failureOption(cause), () => "interrupted" as const)
  })

interface Rules {
  readonly maxRetries: number
  readonly maxRotations: number
  readonly initialDelay: number
  readonly factor: number
  readonly maxDelay: number
  readonly maxRetryAfter: number
}

/** What must become of a call, by the rules in their plainest form; without jitter. */
const expected = (rules: Rules, script: ReadonlyArray<Attempt>, deadline: number, interruptedAt: number): Trace => {
  const starts: Array<number> = []
  let now = 0
  let retries = 0
  let rotations = 0
  while (true) {
    const { error, takes } = script[starts.length]!
    starts.push(now)
    if (interruptedAt < now + takes) return { starts, end: interruptedAt, outcome: "interrupted" }
    now += takes
    if (Option.isNone(error)) return { starts, end: now, outcome: "success" }
    const failed: Trace = { starts, end: now, outcome: error.value }
    const tag = error.value._tag
    const asked = Option.getOrElse(Option.map(LlmError.retryAfter(error.value), Duration.toMillis), () => undefined)
    let wait: number
    if (tag === "RateLimited" && asked === 0 && rotations < rules.maxRotations) {
      rotations++
      wait = 0
    } else if (tag === "AuthenticationFailed" || tag === "QuotaExhausted") {
      if (rotations === rules.maxRotations) return failed
      rotations++
      wait = 0
    } else if (["RateLimited", "ServerFault", "NetworkFailure", "KeysCooling"].includes(tag)) {
      if (retries === rules.maxRetries || asked !== undefined && asked > rules.maxRetryAfter) return failed
      const backoff = Math.min(Math.round(Math.min(rules.initialDelay * rules.factor ** retries, rules.maxDelay)), rules.maxDelay)
      wait = asked === undefined || tag === "RateLimited" && asked === 0 ? backoff : Math.ceil(asked)
      retries++
    } else return failed
    if (now + wait >= deadline) return failed
    if (interruptedAt < now + wait) return { starts, end: interruptedAt, outcome: "interrupted" }
    now += wait
  }
}

describe("a call", () => {
  it(
    "is tried as often and as late as the rules say, to the millisecond, and ends where they end it (P22, P24, P28)",
    { timeout: 60_000 },
    async () => {
      const outcomes = new Map<string, number>()
      await fc.assert(
        fc.asyncProperty(
          fc.record({
            maxRetries: fc.nat(6),
            maxRotations: fc.nat(4),
            initialDelay: fc.nat(3000),
            factor: fc.constantFrom(1, 1.5, 2, 10),
            maxDelay: fc.nat(20_000),
            maxRetryAfter: fc.integer({ min: 1000, max: 60_000 })
          }),
          attempts(fc.oneof({ weight: 1, arbitrary: failure }, { weight: 3, arbitrary: passing }), 12),
          fc.option(fc.integer({ min: 1, max: 60_000 }), { nil: Infinity }),
          // never within the same millisecond as anything else
          fc.option(fc.nat(30_000).map((millis) => millis + 0.5), { nil: Infinity }),
          async (rules, script, deadline, interruptedAt) => {
            const { clock, seen } = watched(VirtualClock.make())
            const starts: Array<number> = []
            const result = await Effect.runPromise(
              Effect.gen(function*() {
                const { policy } = yield* Retry.make({ ...rules, jitter: "none" })
                const fiber = yield* Effect.fork(Effect.zip(
                  trace(policy, script, deadline, starts),
                  Effect.sync(() => clock.unsafeCurrentTimeMillis())
                ))
                if (interruptedAt < Infinity) {
                  yield* clock.advance(interruptedAt)
                  yield* Fiber.interrupt(fiber)
                  assert.strictEqual(seen.asleep, 0, "its sleep ends with it")
                }
                yield* clock.advance(day)
                return yield* Fiber.await(fiber)
              }).pipe(Effect.withClock(clock))
            )
            const [outcome, end] = Exit.match(result, {
              onSuccess: ([exit, end]) => [outcomeOf(exit), end] as const,
              onFailure: () => ["interrupted" as const, interruptedAt] as const
            })
            assert.deepStrictEqual({ starts, end, outcome }, expected(rules, script, deadline, interruptedAt))
            assert.isBelow(seen.longest, 2 ** 31)
            const name = typeof outcome === "string" ? outcome : outcome._tag
            outcomes.set(name, (outcomes.get(name) ?? 0) + 1)
          }
        ),
        { numRuns: 400 }
      )
      for (const name of ["success", "interrupted", "ServerFault", "RateLimited", "KeysCooling", "InvalidRequest", "AuthenticationFailed"]) {
        assert.isAbove(outcomes.get(name) ?? 0, 2, `${name} was seen`)
      }
    }
  )

  it("that is final is made exactly once (P24)", async () => {
    const finals: ReadonlyArray<LlmError.LlmError> = [
      ...["invalid", "filtered", "unknown", "open"].map((name) => errors[name as keyof typeof errors]()),
      new LlmError.NotFound({ backend, message }),
      new LlmError.Conflict({ backend, message }),
      new LlmError.PermissionDenied({ backend, message }),
      new LlmError.Unsupported({ backend, message, feature: "embed" }),
      new LlmError.DeadlineExceeded({ backend, message, phase: "attempt" })
    ]
    await fc.assert(
      fc.asyncProperty(settings, fc.constantFrom(...finals), async (options, error) => {
        const starts: Array<number> = []
        const exit = await Effect.runPromise(Effect.flatMap(Retry.make(options), ({ policy }) =>
          trace(policy, [{ takes: 0, error: Option.some(error) }], Infinity, starts)))
        assert.strictEqual(outcomeOf(exit), error)
        assert.lengthOf(starts, 1)
      }),
      { numRuns: 200 }
    )
  })

  it("whose first part has come is made no more, whatever becomes of it (P25)", async () => {
    const part: Completion.Part = { _tag: "TextDelta", text: "x" }
    const attempt = fc.record({
      parts: fc.nat(3),
      end: fc.option(passing, { nil: undefined }),
      takes: fc.nat(100)
    })
    await fc.assert(
      fc.asyncProperty(fc.array(attempt, { minLength: 12, maxLength: 12 }), async (script) => {
        let asked = 0
        const seen: Array<number> = []
        const clock = VirtualClock.make()
        const program = Effect.gen(function*() {
          const { policy } = yield* Retry.make({ maxRetries: 20, maxRotations: 20, jitter: "none", factor: 1 })
          const llm = Resilience.protect(
            LlmService.make(backend, {
              streamText: () =>
                Stream.suspend(() => {
                  const mine = asked++
                  const { end, parts, takes } = script[mine] ?? { parts: 1, end: undefined, takes: 0 }
                  return Stream.concat(
                    Stream.tap(Stream.repeatEffect(Effect.delay(Effect.succeed(part), takes)), () =>
                      Effect.sync(() => seen.push(mine))).pipe(Stream.take(parts)),
                    end === undefined ? Stream.empty : Stream.fail(end)
                  )
                })
            }),
            policy
          )
          const fiber = yield* Effect.fork(Effect.exit(Stream.runDrain(llm.streamText({ model: "m", prompt: "hi" }))))
          yield* clock.advance(day)
          return yield* Fiber.join(fiber)
        })
        await Effect.runPromise(Effect.withClock(program, clock))
        assert.isAtMost(new Set(seen).size, 1, "parts of one attempt only")
        if (seen.length > 0) assert.strictEqual(seen[0], asked - 1, "nothing was asked after the first part")
      }),
      { numRuns: 200 }
    )
  })
})

const free: ReadonlyArray<LlmError.Tag> = ["RateLimited", "KeysCooling", "AuthenticationFailed", "QuotaExhausted"]
const isCharged = (error: LlmError.LlmError) => !free.includes(error._tag)

describe("many calls", () => {
  it(
    "keep within their attempts, deadlines and budget, and leave nothing behind (P22, P27, P28)",
    { timeout: 60_000 },
    async () => {
      let refused = 0
      const one = fc.record({
        at: fc.nat(10_000),
        script: attempts(fc.oneof({ weight: 1, arbitrary: failure }, { weight: 6, arbitrary: passing }), 30),
        deadline: fc.option(fc.nat(40_000), { nil: Infinity }),
        interruptedAfter: fc.option(fc.nat(20_000), { freq: 3, nil: Infinity })
      })
      await fc.assert(
        fc.asyncProperty(
          fc.array(one, { minLength: 5, maxLength: 30, size: "max" }),
          fc.record({ reserve: fc.nat(6), ratio: fc.constantFrom(0, 0.2, 0.5), perSecond: fc.constantFrom(0, 0.5) }),
          fc.constantFrom<Retry.Jitter>("full", "equal", "decorrelated", 0.2),
          fc.string(),
          async (calls, budgetOptions, jitter, seed) => {
            const { clock, seen } = watched(VirtualClock.make())
            const now = () => clock.unsafeCurrentTimeMillis()
            const options = { maxRetries: 5, maxRotations: 3, retryAfterJitter: 0.2 }
            const retries: Array<number> = []
            const program = Effect.gen(function*() {
              const budget = yield* RetryBudget.make(budgetOptions)
              const taken: RetryBudget.RetryBudget = {
                ...budget,
                tryWithdraw: (at) => {
                  const isTaken = budget.tryWithdraw(at)
                  if (isTaken) retries.push(at)
                  assert.isAtLeast(budget.balance(at), 0)
                  assert.isAtMost(budget.balance(at), budget.reserve)
                  return isTaken
                }
              }
              const { policy } = yield* Retry.make({ ...options, jitter, budget: taken })
              const fibers = yield* Effect.forEach(calls, ({ at, deadline, interruptedAfter, script }) => {
                const starts: Array<number> = []
                const run = Effect.delay(
                  Effect.suspend(() =>
                    trace(policy, script, at + deadline, starts).pipe(Effect.map((exit) => ({ exit, end: now(), starts, script })))
                  ),
                  at
                )
                return Effect.fork(interruptedAfter === Infinity
                  ? run
                  : Effect.flatMap(Effect.fork(run), (fiber) =>
                    Effect.raceFirst(
                      Fiber.join(fiber),
                      Effect.zipRight(
                        Effect.sleep(at + interruptedAfter),
                        Effect.map(Fiber.interrupt(fiber), () => ({ exit: Exit.interrupt(fiber.id()), end: now(), starts, script }))
                      )
                    )))
              })
              yield* clock.advance(day)
              return { all: yield* Effect.forEach(fibers, Fiber.join), budget }
            })
            const { all, budget } = await Effect.runPromise(
              program.pipe(Effect.withClock(clock), Effect.withRandom(Random.make(seed)))
            )
            refused += budget.refused()
            assert.strictEqual(seen.asleep, 0, "nobody sleeps on")
            const made = all.flatMap(({ script, starts }) =>
              starts.slice(1).filter((_, n) => isCharged(Option.getOrThrow(script[n]!.error)))
            )
            assert.isAtMost(made.length, retries.length, "nothing is tried again for nothing")
            const successes = all.filter(({ exit }) => Exit.isSuccess(exit)).map(({ end }) => end)
            all.forEach(({ end, exit, script, starts }, n) => {
              const { at, deadline } = calls[n]!
              assert.isAtMost(starts.length, 1 + options.maxRetries + options.maxRotations)
              starts.slice(1).forEach((start) => assert.isBelow(start, at + deadline))
              const last = starts.length - 1
              const outcome = outcomeOf(exit)
              if (outcome === "interrupted") return
              // it ends in the instant in which its last attempt does, with what that came to
              assert.strictEqual(end, starts[last]! + script[last]!.takes)
              assert.strictEqual(outcome, Option.getOrElse(script[last]!.error, () => "success" as const))
            })
            const { perSecond, ratio, reserve } = budgetOptions
            retries.forEach((from, first) =>
              retries.slice(first).forEach((to, n) => {
                const paid = successes.filter((at) => at >= from && at <= to).length * ratio
                assert.isAtMost(n + 1, reserve + paid + (to - from) / 1000 * perSecond + 1e-6)
              })
            )
          }
        ),
        { numRuns: 60 }
      )
      assert.isAbove(refused, 50, "budgets were exhausted")
    }
  )
})
