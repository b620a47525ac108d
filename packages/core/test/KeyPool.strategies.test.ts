/**
 * Which key is taken: the cases KP-18 and LB of balancing. Not ours: a hundred nodes (LB-01), which a pool of keys never
 * is; panic, when all are down (LB-04): keys that are down for good are refused, and one that had a fault is still taken
 * (`faultCooldown`); readiness that is polled (LB-07); a buffer around the best (LB-12), where two choices do the same.
 */
import { assert, describe, it } from "@effect/vitest"
import { KeyPool, LlmError, PriceBook } from "@spillway/core"
import { Effect, Either, FastCheck, Random, Redacted, TestClock } from "effect"
import * as Latency from "../src/internal/keyLatency.js"

const model = "llama"
const key = (name: string, options: KeyPool.KeyOptions = {}): KeyPool.NamedKey => ({
  name,
  key: Redacted.make(`sk-${name}`),
  ...options
})
const make = (
  strategy: KeyPool.Strategy,
  first: KeyPool.NamedKey,
  ...others: ReadonlyArray<KeyPool.NamedKey>
) => KeyPool.make({ backend: "groq", strategy, keys: [first, ...others] })

/** The names of the next keys, each given back at once. */
const next = (pool: KeyPool.KeyPool, n: number, wanted?: KeyPool.Wanted) =>
  Effect.replicateEffect(
    Effect.map(pool.acquire(model, wanted), (lease) => {
      lease.release()
      return lease.id
    }),
    n
  )

const count = (ids: ReadonlyArray<string>) =>
  ids.reduce<Record<string, number>>((counts, id) => ({ ...counts, [id]: (counts[id] ?? 0) + 1 }), {})

/** One attempt that takes so long. */
const answer = (pool: KeyPool.KeyPool, id: string, millis: number) =>
  Effect.gen(function*() {
    const lease = yield* pool.acquire(model, { id })
    yield* TestClock.adjust(millis)
    lease.answered()
    lease.succeeded({})
    lease.release()
  })

describe("KeyPool, by weight", () => {
  it.scoped("three to one is interleaved, and exact over any four (LB-10)", () =>
    Effect.gen(function*() {
      const pool = yield* make("weighted", key("a", { weight: 3 }), key("b", { weight: 1 }))
      const first = yield* next(pool, 8)
      assert.notInclude(first.join(""), "aaaa")
      assert.deepStrictEqual(first.join(""), "aabaaaba")
      assert.deepStrictEqual(count(yield* next(pool, 392)), { a: 294, b: 98 })
    }))

  it.scoped("a key that cools is left out, and the others keep their proportion", () =>
    Effect.gen(function*() {
      const pool = yield* make("weighted", key("a", { weight: 5 }), key("b", { weight: 2 }), key("c"))
      const lease = yield* pool.acquire(model, { id: "a" })
      lease.failed(new LlmError.QuotaExhausted({ backend: "groq", message: "used up" }))
      lease.release()
      assert.deepStrictEqual(count(yield* next(pool, 300)), { b: 200, c: 100 })
    }))

  it.effect.prop(
    "whatever the weights, no key is ever a whole turn ahead of its share or behind it",
    [FastCheck.array(FastCheck.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 })],
    ([weights]) =>
      Effect.scoped(Effect.gen(function*() {
        const [first, ...others] = weights.map((weight, index) => key(`k${index}`, { weight }))
        const pool = yield* make("weighted", first!, ...others)
        const total = weights.reduce((sum, weight) => sum + weight, 0)
        const taken = weights.map(() => 0)
        for (let n = 1; n <= 3 * total; n++) {
          const [id] = yield* next(pool, 1)
          taken[Number(id!.slice(1))]!++
          weights.forEach((weight, index) => {
            assert.isAtMost(Math.abs(taken[index]! - n * weight / total), weights.length)
          })
        }
        assert.deepStrictEqual(taken, weights.map((weight) => 3 * weight))
      })),
    { fastCheck: { numRuns: 100 } }
  )
})

describe("KeyPool, by latency", () => {
  it("an average rises to its peak at once and falls slowly (LB-06)", () => {
    const latency = Latency.make()
    Latency.note(latency, 20, 0)
    Latency.note(latency, 200, 0)
    assert.strictEqual(Latency.read(latency, 0), 200)
    Latency.note(latency, 100, 1000)
    assert.isAbove(Latency.read(latency, 1000), 190)
    assert.isBelow(Latency.read(latency, 11_000), 80)
    assert.isBelow(Latency.read(latency, 120_000), 0.01)
    // a clock that is set back makes it no larger
    assert.strictEqual(Latency.read(latency, 0), Latency.read(latency, 1000))
  })

  it.scoped("of two, the one that has lately answered sooner is taken; one that was slow is tried again after a while", () =>
    Effect.gen(function*() {
      const pool = yield* make("lowest-latency", key("a"), key("b"))
      yield* answer(pool, "a", 400)
      yield* answer(pool, "b", 40)
      assert.deepStrictEqual(count(yield* next(pool, 20)), { b: 20 })
      yield* TestClock.adjust("5 minutes")
      yield* answer(pool, "b", 40)
      assert.deepStrictEqual(count(yield* next(pool, 20)), { a: 20 })
    }))

  it.scoped("a key of which nothing is known gets one request, and no more until it has answered", () =>
    Effect.gen(function*() {
      const pool = yield* make("lowest-latency", key("a"), key("b"))
      yield* answer(pool, "a", 40)
      const unknown = yield* pool.acquire(model)
      assert.strictEqual(unknown.id, "b")
      assert.deepStrictEqual(count(yield* next(pool, 20)), { a: 20 })
      yield* TestClock.adjust(10)
      unknown.succeeded({})
      unknown.release()
      assert.deepStrictEqual(count(yield* next(pool, 20)), { b: 20 })
    }))

  it.scoped("what is under way counts", () =>
    Effect.gen(function*() {
      const pool = yield* make("lowest-latency", key("a"), key("b"))
      yield* answer(pool, "a", 100)
      yield* answer(pool, "b", 60)
      const leases = yield* Effect.replicateEffect(pool.acquire(model), 8)
      assert.deepStrictEqual(count(leases.map(({ id }) => id)), { a: 3, b: 5 })
    }))

  it.scoped("an attempt that failed by the server's fault counts as a very long one (LB-12)", () =>
    Effect.gen(function*() {
      const pool = yield* make("lowest-latency", key("a"), key("b"))
      yield* answer(pool, "a", 10)
      yield* answer(pool, "b", 1000)
      const lease = yield* pool.acquire(model)
      assert.strictEqual(lease.id, "a")
      lease.failed(new LlmError.ServerFault({ backend: "groq", message: "broken" }))
      lease.release()
      assert.deepStrictEqual(count(yield* next(pool, 20)), { b: 20 })
    }))

  it.scoped("with many keys it is two picked by chance that are compared, so that the best is not stormed", () =>
    Effect.gen(function*() {
      const [first, ...others] = ["a", "b", "c", "d", "e"].map((name) => key(name))
      const pool = yield* make("lowest-latency", first!, ...others)
      for (const [index, name] of ["a", "b", "c", "d", "e"].entries()) yield* answer(pool, name, 100 + index)
      const taken = count(yield* next(pool, 1000))
      // of ten pairs the best wins four and the worst none
      assert.approximately(taken["a"]!, 400, 60)
      assert.approximately(taken["b"]!, 300, 60)
      assert.isUndefined(taken["e"])
    }).pipe(Effect.withRandom(Random.make("pairs"))))
})

describe("KeyPool, by headroom", () => {
  it.scoped("ten a day and a thousand a day are used one to a hundred, until both are used up (KP-18)", () =>
    Effect.gen(function*() {
      const pool = yield* make("most-headroom", key("a", { requestsPerDay: 10 }), key("b", { requestsPerDay: 1000 }))
      assert.deepStrictEqual(count(yield* next(pool, 101)), { a: 1, b: 100 })
      assert.deepStrictEqual(count(yield* next(pool, 909)), { a: 9, b: 900 })
      const refusal = yield* Effect.flip(pool.acquire(model))
      assert.strictEqual(refusal.message, "no key of groq can be used: 0 not accepted, 2 out of quota")
    }))

  it.scoped("goes by what the headers say is left, as a share", () =>
    Effect.gen(function*() {
      const pool = yield* make("most-headroom", key("a"), key("b"), key("c"))
      for (const [id, limit, remaining] of [["a", 1000, 100], ["b", 50, 40], ["c", 10, 3]] as const) {
        const lease = yield* pool.acquire(model, { id })
        lease.observed({ requests: { limit, remaining, resetMillis: 60_000 }, tokens: { limit: 1e6, remaining: 9e5 } })
        lease.release()
      }
      assert.deepStrictEqual(yield* next(pool, 3), ["b", "b", "b"])
      assert.deepStrictEqual((yield* pool.stats).map((key) => key.headroom), [0.1, 37 / 50, 0.3])
    }))

  it.scoped("keys of which nothing is known go by turns", () =>
    Effect.gen(function*() {
      const pool = yield* make("most-headroom", key("a"), key("b"))
      assert.deepStrictEqual(yield* next(pool, 4), ["a", "b", "a", "b"])
    }))
})

describe("KeyPool, by cost", () => {
  const book = Either.getOrThrow(Effect.runSync(Effect.either(PriceBook.make([{ price: { input: 1, output: 2 } }]))))

  it.scoped("the one whose requests cost the least is taken as long as it may be used", () =>
    Effect.gen(function*() {
      const pool = yield* make("lowest-cost", key("a", { cost: 2 }), key("b", { cost: 1, requestsPerDay: 3 }))
      assert.deepStrictEqual(yield* next(pool, 5), ["b", "b", "b", "a", "a"])
    }))

  it.scoped("of those that cost the same, the one that has cost the least so far", () =>
    Effect.gen(function*() {
      const pool = yield* make("lowest-cost", key("a"), key("b"))
      const used: Array<string> = []
      for (const inputTokens of [100, 30, 30, 30, 30, 50]) {
        const lease = yield* pool.acquire(model)
        lease.succeeded({ inputTokens, outputTokens: 0 })
        lease.release()
        used.push(lease.id)
      }
      assert.deepStrictEqual(used, ["a", "b", "b", "b", "b", "a"])
      assert.deepStrictEqual((yield* pool.stats).map((key) => key.microDollars), [150, 120])
    }).pipe(Effect.provideService(PriceBook.CurrentPriceBook, book)))
})

describe("KeyPool, by name", () => {
  it.scoped("a caller may use one key only, whatever the strategy", () =>
    Effect.gen(function*() {
      const pool = yield* make("round-robin", key("a"), key("b"))
      assert.deepStrictEqual(yield* KeyPool.withKey(next(pool, 3), "b"), ["b", "b", "b"])
      assert.deepStrictEqual(yield* next(pool, 2), ["a", "b"])
      // what was begun with a key is gone on with by it
      assert.deepStrictEqual(yield* KeyPool.withKey(next(pool, 2, { id: "a" }), "b"), ["a", "a"])
    }))

  it.scoped("and is told when there is no such key, or when it may not be used now (LB-03)", () =>
    Effect.gen(function*() {
      const pool = yield* make("round-robin", key("a"), key("b"))
      const missing = yield* Effect.flip(KeyPool.withKey(pool.acquire(model), "c"))
      assert.deepInclude(missing, { _tag: "KeysExhausted", message: "groq has no key c" })
      yield* pool.disable("b")
      const disabled = yield* Effect.flip(pool.acquire(model).pipe(KeyPool.withKey("b")))
      assert.strictEqual(disabled.message, "no key of groq can be used: 0 not accepted, 0 out of quota, 1 disabled")
    }))
})
