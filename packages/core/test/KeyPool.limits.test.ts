/**
 * Limits that are set or told by headers: the cases RL. Not ours: a request that is more than a limit ever holds goes
 * when all of it is there, since it is an estimate, and is neither refused nor waits forever (RL-01, RL-07); one program
 * has no store whose update could be lost, and several share none (RL-03, P40; nor does anything else of this package
 * outlive its program or leave it: all of DX); limits come back evenly, not at the beginning of a window, except where a
 * backend does so (RL-04, RL-12, RL-13, RL-16); a weight is tokens, and places have none (RL-18). How a limit is learned
 * from refusals (RL-09, RL-10) is in `KeyPool.learning.test.ts`.
 */
import { assert, describe, it } from "@effect/vitest"
import { type Completion, KeyPool, LlmError, Policy, PriceBook, Tokens } from "@spillway/core"
import { Duration, Effect, Either, Fiber, Option, Redacted, TestClock } from "effect"

const model = "llama"
const keys = [Redacted.make("sk-one")] as const
const make = (options: Partial<KeyPool.Options> = {}) =>
  KeyPool.make({ backend: "groq", keys, maxWait: "1 hour", ...options })

/** A key, given back at once; its name and how long it took, in milliseconds. */
const use = (pool: KeyPool.KeyPool, wanted?: KeyPool.Wanted, of = model) =>
  Effect.timed(Effect.map(pool.acquire(of, wanted), (lease) => {
    lease.release()
    return lease.id
  })).pipe(Effect.map(([waited, id]) => ({ id, waited: Duration.toMillis(waited) })))

/** So many at the same time, and how long each of them waited. */
const waits = (pool: KeyPool.KeyPool, n: number, wanted?: KeyPool.Wanted) =>
  Effect.gen(function*() {
    const fibers = yield* Effect.replicateEffect(Effect.fork(use(pool, wanted)), n)
    yield* TestClock.adjust("1 hour")
    return (yield* Fiber.joinAll(fibers)).map(({ waited }) => waited)
  })

const text = (tokens: number): Completion.Request => {
  const request = (n: number): Completion.Request => ({ model, prompt: "word ".repeat(n), maxTokens: 0 })
  let n = tokens
  while (Tokens.estimate(request(n)).input > tokens) n--
  assert.strictEqual(Tokens.estimate(request(n)).input, tokens)
  return request(n)
}

describe("KeyPool, with requests per minute", () => {
  it.scoped("a minute's requests go at once, and then one as soon as there is one again (RL-01, RL-06)", () =>
    Effect.gen(function*() {
      const pool = yield* make({ requestsPerMinute: 5 })
      assert.deepStrictEqual(yield* waits(pool, 8), [0, 0, 0, 0, 0, 12_000, 24_000, 36_000])
    }))

  it.scoped("what is not used is saved up to a minute's, and no further (RL-12)", () =>
    Effect.gen(function*() {
      const pool = yield* make({ requestsPerMinute: 2 })
      yield* TestClock.adjust("5 hours")
      assert.deepStrictEqual(yield* waits(pool, 4), [0, 0, 30_000, 60_000])
    }))

  it.scoped("as many go at once as are set", () =>
    Effect.gen(function*() {
      const pool = yield* make({ requestsPerMinute: 1500, burst: 5 })
      assert.deepStrictEqual(yield* waits(pool, 8), [0, 0, 0, 0, 0, 40, 80, 120])
    }))

  it.scoped("each key has its own, and whoever waits takes the first that is ready", () =>
    Effect.gen(function*() {
      const [one, two] = ["one", "two"].map((name) => Redacted.make(`sk-${name}`)) as [Redacted.Redacted, Redacted.Redacted]
      const pool = yield* make({
        keys: [{ name: "slow", key: one, requestsPerMinute: 1 }, { name: "fast", key: two, requestsPerMinute: 6 }],
        burst: 1
      })
      assert.deepStrictEqual(yield* waits(pool, 7), [0, 0, 10_000, 20_000, 30_000, 40_000, 50_000])
      assert.deepStrictEqual((yield* pool.stats).map((key) => [key.id, key.requests]), [["slow", 1], ["fast", 6]])
    }))

  it.scoped("who comes later does not pass who waits, and who gives up leaves nothing taken (RL-15, RL-21)", () =>
    Effect.gen(function*() {
      const pool = yield* make({ requestsPerMinute: 60, burst: 1 })
      yield* use(pool)
      const order: Array<string> = []
      const waiting = yield* Effect.forEach(["a", "b", "c"], (name) =>
        Effect.fork(Effect.zipRight(use(pool), Effect.sync(() => order.push(name)))))
      yield* TestClock.adjust("500 millis")
      assert.deepStrictEqual((yield* pool.stats).map((key) => [key.requests, key.queued]), [[1, 3]])
      yield* Fiber.interrupt(waiting[0]!)
      yield* TestClock.adjust("500 millis")
      assert.deepStrictEqual(order, ["b"])
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(order, ["b", "c"])
    }))

  it.scoped("a request that was refused is given back, one that failed otherwise is not (RL-21)", () =>
    Effect.gen(function*() {
      const pool = yield* make({ requestsPerMinute: 10, requestsPerDay: 10, pacing: false, cooldown: 0 })
      const left = Effect.map(pool.stats, ([key]) => key!.limits![0]!.remaining)
      const lease = yield* pool.acquire(model)
      assert.strictEqual(yield* left, 9)
      lease.failed(new LlmError.RateLimited({ backend: "groq", message: "slow down" }))
      lease.failed(new LlmError.RateLimited({ backend: "groq", message: "slow down" }))
      assert.strictEqual(yield* left, 10)
      const other = yield* pool.acquire(model)
      other.failed(new LlmError.ServerFault({ backend: "groq", message: "broken" }))
      other.release()
      assert.strictEqual(yield* left, 9)
    }))
})

describe("KeyPool, with tokens per minute", () => {
  it.scoped("room is needed for requests and tokens at once, and who waits for one holds none of the other (RL-19)", () =>
    Effect.gen(function*() {
      const pool = yield* make({ requestsPerMinute: 60, tokensPerMinute: 1000 })
      const requests = Effect.map(pool.stats, ([key]) => key!.limits!.map(({ remaining }) => Math.floor(remaining)))
      yield* use(pool, { request: text(900) })
      const waiting = yield* Effect.fork(use(pool, { request: text(200) }))
      yield* TestClock.adjust("5999 millis")
      assert.deepStrictEqual(yield* requests, [60, 199])
      assert.isTrue(Option.isNone(yield* Fiber.poll(waiting)))
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* Fiber.join(waiting)).waited, 6000)
      assert.deepStrictEqual(yield* requests, [59, 0])
    }))

  it.scoped("what was estimated is settled by what was used: less is given back, more is made up for (RL-06)", () =>
    Effect.gen(function*() {
      const pool = yield* make({ tokensPerMinute: 1000 })
      const left = Effect.map(pool.stats, ([key]) => key!.limits![0]!.remaining)
      const first = yield* pool.acquire(model, { request: { ...text(300), maxTokens: 500 } })
      assert.strictEqual(yield* left, 200)
      first.succeeded({ inputTokens: 310, outputTokens: 90 })
      first.release()
      assert.strictEqual(yield* left, 600)
      const second = yield* pool.acquire(model, { request: text(100) })
      second.succeeded({ inputTokens: 100, outputTokens: 1400 })
      second.release()
      // 900 below nothing: a whole minute and the time for what is asked
      assert.deepStrictEqual(yield* waits(pool, 2, { request: text(100) }), [60_000, 66_000])
    }))

  it.scoped("who sets no bound is taken to generate as much as others did", () =>
    Effect.gen(function*() {
      const pool = yield* make({ tokensPerMinute: 1000 })
      const lease = yield* pool.acquire(model)
      lease.succeeded({ inputTokens: 0, outputTokens: 400 })
      lease.release()
      yield* TestClock.adjust("1 minute")
      const { maxTokens: _, ...unbounded } = text(100)
      yield* use(pool, { request: unbounded })
      assert.strictEqual((yield* pool.stats)[0]!.limits![0]!.remaining, 500)
    }))

  it.scoped("a request that is estimated at more than there ever is goes when all of it is there (RL-07)", () =>
    Effect.gen(function*() {
      const pool = yield* make({ tokensPerMinute: 1000 })
      assert.deepStrictEqual(yield* waits(pool, 2, { request: { ...text(100), maxTokens: 4000 } }), [0, 246_000])
    }))

  it.scoped("one that waits for many tokens is not passed by others who need few, on no model", () =>
    Effect.gen(function*() {
      const pool = yield* make({ tokensPerMinute: 600 })
      yield* use(pool, { request: text(600) })
      const big = yield* Effect.fork(use(pool, { request: text(300) }))
      yield* TestClock.adjust(1)
      const small = yield* Effect.fork(use(pool, { request: text(50) }, "another"))
      yield* TestClock.adjust("40 seconds")
      assert.strictEqual((yield* Fiber.join(big)).waited, 30_000)
      assert.strictEqual((yield* Fiber.join(small)).waited, 34_999)
    }))
})

describe("KeyPool, by headers", () => {
  const told = (pool: KeyPool.KeyPool, limits: KeyPool.Limits, of = model) =>
    Effect.map(pool.acquire(of), (lease) => {
      lease.observed(limits)
      lease.succeeded({})
      lease.release()
    })
  const limited = (retryAfter: Duration.DurationInput) =>
    new LlmError.RateLimited({ backend: "groq", message: "slow down", retryAfter: Duration.decode(retryAfter) })

  it.scoped("goes by what is left and when all of it is back, of that model (RL-22)", () =>
    Effect.gen(function*() {
      const pool = yield* make()
      yield* told(pool, { requests: { limit: 60, remaining: 2, resetMillis: 58_000 } })
      assert.deepStrictEqual(yield* waits(pool, 4), [0, 0, 1000, 2000])
      yield* told(pool, { requests: { limit: 60, remaining: 0, resetMillis: 60_000 } })
      assert.strictEqual((yield* use(pool, undefined, "another")).waited, 0)
    }))

  it.scoped("less than was thought holds at once, more than is set does not (RL-22)", () =>
    Effect.gen(function*() {
      const pool = yield* make({ requestsPerMinute: 60 })
      yield* told(pool, { requests: { limit: 300, remaining: 290, resetMillis: 2000 } })
      assert.deepStrictEqual((yield* waits(pool, 61)).slice(-2), [1000, 2000])
      yield* told(pool, { requests: { limit: 50, remaining: 3, resetMillis: 60_000 } })
      assert.deepStrictEqual((yield* waits(pool, 4)).slice(-2).map((wait) => wait > 0), [false, true])
    }))

  it.scoped("does not count on what is under way and may not have been counted", () =>
    Effect.gen(function*() {
      const pool = yield* make()
      const [first, second, third] = yield* Effect.replicateEffect(pool.acquire(model), 3)
      first!.observed({ requests: { limit: 5, remaining: 4, resetMillis: 60_000 } })
      const left = Effect.map(pool.stats, ([key]) => key!.limits![0]!.remaining)
      assert.strictEqual(yield* left, 2)
      third!.observed({ requests: { limit: 5, remaining: 1, resetMillis: 60_000 } })
      assert.strictEqual(yield* left, 1)
      // the answer to an earlier one that comes later knows less
      second!.observed({ requests: { limit: 5, remaining: 3, resetMillis: 60_000 } })
      assert.strictEqual(yield* left, 1)
    }))

  it.scoped("a limit without a reset is one of a minute", () =>
    Effect.gen(function*() {
      const pool = yield* make()
      yield* told(pool, { requests: { limit: 6, remaining: 0 } })
      assert.deepStrictEqual(yield* waits(pool, 2), [10_000, 20_000])
    }))

  it.scoped("tokens are waited for as well, each request for its own", () =>
    Effect.gen(function*() {
      const pool = yield* make()
      yield* told(pool, { tokens: { limit: 6000, remaining: 150, resetMillis: 58_500 } })
      assert.deepStrictEqual(yield* waits(pool, 3, { request: text(100) }), [0, 500, 1500])
    }))

  it.scoped("a refusal that they explain teaches nothing; one that says to wait for the reset tells that all comes back then", () =>
    Effect.gen(function*() {
      const pool = yield* make()
      const lease = yield* pool.acquire(model)
      lease.observed({ requests: { limit: 30, remaining: 0, resetMillis: 40_000 } })
      lease.failed(limited("40 seconds"))
      lease.release()
      const sources = Effect.map(pool.stats, ([key]) => key!.limits!.map(({ source }) => source))
      assert.deepStrictEqual(yield* sources, ["headers"])
      yield* TestClock.adjust("40 seconds")
      yield* told(pool, { requests: { limit: 30, remaining: 1, resetMillis: 50_000 } })
      assert.deepStrictEqual(yield* waits(pool, 4), [0, 50_000, 50_000, 50_000])
    }))

  it.scoped("with pacing off, they are written down and nothing else", () =>
    Effect.gen(function*() {
      const pool = yield* make({ pacing: false })
      yield* told(pool, { requests: { limit: 60, remaining: 0, resetMillis: 60_000 } })
      assert.deepStrictEqual(yield* waits(pool, 3), [0, 0, 0])
      assert.deepStrictEqual((yield* pool.stats)[0]!.remaining, { requests: 0 })
    }))
})

describe("KeyPool, with a quota", () => {
  const day = 24 * 60 * 60 * 1000

  it.scoped("a day's requests are back when the day ends where the key is at home (KP-18)", () =>
    Effect.gen(function*() {
      // half past nine in the evening of the 7th of March 2026 in Los Angeles, the night in which clocks go forward
      yield* TestClock.setTime(Date.UTC(2026, 2, 8, 5, 30))
      const pool = yield* make({ requestsPerDay: 2, resetZone: "America/Los_Angeles" })
      const end = Date.UTC(2026, 2, 8, 8)
      yield* Effect.replicateEffect(use(pool), 2)
      const refusal = yield* Effect.flip(pool.acquire(model))
      assert.deepInclude(refusal, { _tag: "KeysExhausted", reason: "QuotaExhausted" })
      assert.deepInclude((yield* pool.stats)[0], { state: "exhausted", until: end, headroom: 0 })
      yield* TestClock.setTime(end - 60 * 60 * 1000 - 1)
      assert.strictEqual((yield* Effect.flip(pool.acquire(model)))._tag, "KeysExhausted")
      yield* TestClock.setTime(end)
      yield* Effect.replicateEffect(use(pool), 2)
      // that day has 23 hours
      assert.deepInclude((yield* pool.stats)[0], { state: "exhausted", until: end + day - 60 * 60 * 1000 })
    }))

  it.scoped("a day that a clock was ahead of is not waited for when it is put back, and what was used on it is (P39)", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(Date.UTC(2031, 0, 1, 12))
      const pool = yield* make({ requestsPerDay: 2 })
      yield* Effect.replicateEffect(use(pool), 2)
      yield* TestClock.setTime(Date.UTC(2026, 2, 8, 12))
      assert.deepInclude((yield* pool.stats)[0], { state: "exhausted", until: Date.UTC(2026, 2, 9), headroom: 0 })
      assert.strictEqual((yield* Effect.flip(pool.acquire(model)))._tag, "KeysExhausted")
      yield* TestClock.setTime(Date.UTC(2026, 2, 9))
      yield* Effect.replicateEffect(use(pool), 2)
    }))

  it.scoped("a key that has cost what it may is set aside until it is taken back", () =>
    Effect.gen(function*() {
      const pool = yield* make({ spendLimit: 1000 })
      const [first, second] = yield* Effect.replicateEffect(pool.acquire(model), 2)
      first!.succeeded({ inputTokens: 600 })
      second!.succeeded({ inputTokens: 300 })
      assert.strictEqual((yield* use(pool)).id, "key-1")
      // somebody knows better
      second!.spent(450)
      assert.deepInclude((yield* pool.stats)[0], { state: "exhausted", reason: "QuotaExhausted", microDollars: 1050 })
      assert.notProperty((yield* pool.stats)[0], "until")
      yield* TestClock.adjust("10 days")
      assert.strictEqual((yield* Effect.flip(pool.acquire(model)))._tag, "KeysExhausted")
      yield* pool.revalidate("key-1")
      assert.strictEqual((yield* use(pool)).id, "key-1")
      assert.deepInclude((yield* pool.stats)[0], { state: "ready", microDollars: 1050, headroom: 1 })
    }).pipe(Effect.provideServiceEffect(PriceBook.CurrentPriceBook, PriceBook.make([{ price: { input: 1 } }]))))

  it.scoped("what an answer cost is not known without prices, and is not nothing then", () =>
    Effect.gen(function*() {
      const pool = yield* make({ spendLimit: 1 })
      const lease = yield* pool.acquire(model)
      lease.succeeded({ inputTokens: 1e6 })
      assert.strictEqual((yield* use(pool)).id, "key-1")
    }))
})

describe("KeyPool, where one waits", () => {
  const cooled = (pool: KeyPool.KeyPool, retryAfter: Duration.DurationInput) =>
    Effect.map(pool.acquire(model), (lease) => {
      lease.failed(new LlmError.RateLimited({ backend: "groq", message: "slow", retryAfter: Duration.decode(retryAfter) }))
      lease.release()
    })
  const defaults = { maxWait: undefined }

  it.scoped("ten seconds for a turn at most: who comes too late for that is told at once when it would be his", () =>
    Effect.gen(function*() {
      const pool = yield* make({ ...defaults, requestsPerMinute: 60, burst: 1 })
      yield* use(pool)
      const fibers = yield* Effect.replicateEffect(Effect.fork(Effect.either(use(pool))), 12)
      yield* TestClock.adjust(0)
      const refused = Effect.map(
        Effect.forEach(fibers, Fiber.poll),
        (polled) => polled.flatMap((exit) => Option.isSome(exit) && exit.value._tag === "Success" ? [exit.value.value] : [])
      )
      const known = (yield* refused).flatMap(Either.match({ onLeft: (error) => [error], onRight: () => [] }))
      assert.deepStrictEqual(
        known.map((error) => Option.getOrUndefined(Option.map(LlmError.retryAfter(error), Duration.toMillis))),
        [11_000, 11_000]
      )
      assert.include(known[0]!.message, "every key of groq is used as often as it may be, and it is one's turn in another 11s")
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* Fiber.joinAll(fibers)).filter(Either.isRight).length, 10)
    }))

  it.scoped("a second for a key that cools; for longer, one is told at once, and keeps no place (KP-13)", () =>
    Effect.gen(function*() {
      const pool = yield* make(defaults)
      yield* cooled(pool, "1 second")
      assert.deepStrictEqual((yield* waits(pool, 1))[0], 1000)
      yield* cooled(pool, "1001 millis")
      assert.strictEqual((yield* Effect.flip(pool.acquire(model)))._tag, "KeysCooling")
    }))

  it.scoped("as long as is set, for either (KP-13)", () =>
    Effect.gen(function*() {
      const pool = yield* make({
        maxWait: "6 seconds",
        keys: [Redacted.make("a"), Redacted.make("b"), Redacted.make("c")]
      })
      for (const wait of ["5 seconds", "8 seconds", "12 seconds"] as const) yield* cooled(pool, wait)
      const waiting = yield* Effect.fork(use(pool))
      yield* TestClock.adjust("6 seconds")
      assert.deepStrictEqual(yield* Fiber.join(waiting), { id: "key-1", waited: 5000 })
      const none = yield* make({ maxWait: 0, requestsPerMinute: 60, burst: 1 })
      yield* use(none)
      assert.strictEqual((yield* Effect.flip(use(none)))._tag, "KeysCooling")
    }))

  it.scoped("never beyond one's deadline, which is known from the start", () =>
    Effect.gen(function*() {
      const pool = yield* make({ requestsPerMinute: 60, burst: 1 })
      yield* use(pool)
      const late = yield* Effect.flip(Policy.withDeadline(use(pool), "1 second"))
      assert.deepStrictEqual(Option.getOrThrow(LlmError.retryAfter(late)), Duration.seconds(1))
      const inTime = yield* Effect.fork(Policy.withDeadline(use(pool), "1001 millis"))
      const behind = yield* Effect.fork(Effect.flip(Policy.withDeadline(use(pool), "2 seconds")))
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(Option.getOrThrow(LlmError.retryAfter(yield* Fiber.join(behind))), Duration.seconds(2))
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(inTime)).waited, 1000)
    }))

  it.scoped("who waits when a key comes free that is not limited gets it in that instant", () =>
    Effect.gen(function*() {
      const pool = yield* make({ requestsPerMinute: 1, burst: 1 })
      yield* use(pool)
      const waiting = yield* Effect.fork(use(pool))
      yield* TestClock.adjust("1 second")
      yield* pool.add({ name: "new", key: Redacted.make("sk-new"), requestsPerMinute: 60 })
      assert.deepStrictEqual(yield* Fiber.join(waiting), { id: "new", waited: 1000 })
    }))
})
