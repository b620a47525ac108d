/**
 * The cases KP of a pool's first duties; more of them in the other files of this name. Not ours: a pool of one key cools
 * it like any other, as its error says when it is ready again (KP-03); how often a key fails is no measure, as only what
 * it is to blame for counts (KP-06); no status is looked at here (KP-07); that an empty balance is a quota is the
 * backend's own to know (KP-09, in its tests); another backend by status is the router's (KP-25).
 */
import { assert, describe, it } from "@effect/vitest"
import { Completion, InvalidOptions, KeyPool, LlmError, LlmService, Monitor, Resilience } from "@spillway/core"
import {
  Cause,
  ConfigProvider,
  Duration,
  Effect,
  Exit,
  Fiber,
  Inspectable,
  Option,
  Redacted,
  Scope,
  TestClock
} from "effect"
import { inspect } from "node:util"

const model = "llama"
const [one, two, three] = ["sk-first-secret", "sk-second-secret", "sk-third-secret"].map((key) => Redacted.make(key)) as [
  Redacted.Redacted,
  Redacted.Redacted,
  Redacted.Redacted
]
const rateLimited = (retryAfter?: Duration.DurationInput) =>
  new LlmError.RateLimited({
    backend: "groq",
    message: "slow down",
    model,
    status: 429,
    code: "rate_limit_exceeded",
    requestId: "req_1",
    shouldRetry: true,
    ...(retryAfter !== undefined && { retryAfter: Duration.decode(retryAfter) })
  })
const quotaExhausted = (retryAfter?: Duration.DurationInput) =>
  new LlmError.QuotaExhausted({
    backend: "groq",
    message: "used up",
    ...(retryAfter !== undefined && { retryAfter: Duration.decode(retryAfter) })
  })
const unauthorized = new LlmError.AuthenticationFailed({ backend: "groq", message: "no such key", status: 401 })
const serverFault = new LlmError.ServerFault({ backend: "groq", message: "broken", retryAfter: Duration.seconds(3) })

const make = (options: Partial<KeyPool.Options> = {}) => KeyPool.make({ backend: "groq", keys: [one, two, three], ...options })

/** Leases a key, lets it fail, gives it back, and hands over the error to fail with. */
const fail = (pool: KeyPool.KeyPool, error: LlmError.LlmError, of = model) =>
  Effect.map(pool.acquire(of), (lease) => {
    const failure = lease.failed(error)
    lease.release()
    return { id: lease.id, failure, retryAfter: Option.getOrUndefined(LlmError.retryAfter(failure)) }
  })

/** The id of the next key, given back at once. */
const next = (pool: KeyPool.KeyPool, of = model) =>
  Effect.map(pool.acquire(of), (lease) => {
    lease.release()
    return lease.id
  })

const ids = (pool: KeyPool.KeyPool, n: number, of = model) => Effect.replicateEffect(next(pool, of), n)

const states = (pool: KeyPool.KeyPool) =>
  Effect.map(pool.stats, (keys) => keys.map(({ state, until }) => until === undefined ? state : `${state} ${until}`))

describe("KeyPool", () => {
  describe("takes turns", () => {
    it.scoped("round robin: nine attempts are three of each (KP-01)", () =>
      Effect.gen(function*() {
        const pool = yield* make()
        assert.deepStrictEqual(yield* ids(pool, 9), [
          "key-1",
          "key-2",
          "key-3",
          "key-1",
          "key-2",
          "key-3",
          "key-1",
          "key-2",
          "key-3"
        ])
        assert.deepStrictEqual((yield* pool.stats).map((key) => key.requests), [3, 3, 3])
      }))

    it.scoped("round robin stays fair among those that are ready", () =>
      Effect.gen(function*() {
        const pool = yield* make()
        assert.strictEqual((yield* fail(pool, rateLimited("10 seconds"))).id, "key-1")
        assert.deepStrictEqual(yield* ids(pool, 4), ["key-2", "key-3", "key-2", "key-3"])
        yield* TestClock.adjust("10 seconds")
        assert.deepStrictEqual(yield* ids(pool, 3), ["key-1", "key-2", "key-3"])
      }))

    it.scoped("least loaded takes the one with the fewest attempts under way, among equals by turns (KP-01, LB-09)", () =>
      Effect.gen(function*() {
        const pool = yield* make({ strategy: "least-loaded" })
        assert.deepStrictEqual(yield* ids(pool, 4), ["key-1", "key-2", "key-3", "key-1"])
        assert.deepStrictEqual(yield* ids(pool, 2), ["key-2", "key-3"])
        const leases = yield* Effect.replicateEffect(pool.acquire(model), 6)
        assert.deepStrictEqual(leases.map((lease) => lease.id), ["key-1", "key-2", "key-3", "key-1", "key-2", "key-3"])
        leases[1]!.release()
        assert.strictEqual((yield* pool.acquire(model)).id, "key-2")
        leases[2]!.release()
        leases[5]!.release()
        assert.deepStrictEqual((yield* pool.stats).map((key) => key.inFlight), [2, 2, 0])
        assert.strictEqual((yield* pool.acquire(model)).id, "key-3")
        assert.strictEqual((yield* pool.acquire(model)).id, "key-3")
        assert.strictEqual((yield* pool.acquire(model)).id, "key-1")
      }))
  })

  it.scoped("made twice from one description is two pools, which do not know of each other's failures", () =>
    Effect.gen(function*() {
      for (const description of [make({ keys: [one] }), KeyPool.anonymous("ollama")]) {
        const [first, second] = yield* Effect.all([description, description])
        yield* fail(first, rateLimited("20 seconds"))
        assert.strictEqual((yield* Effect.either(first.acquire(model)))._tag, "Left")
        assert.strictEqual((yield* Effect.either(second.acquire(model)))._tag, "Right")
      }
    }))

  describe("after a 429", () => {
    it.scoped("the next key is leased with the clock standing still (KP-19)", () =>
      Effect.gen(function*() {
        const pool = yield* make({ keys: [one, two] })
        const { failure, id, retryAfter } = yield* fail(pool, rateLimited("20 seconds"))
        assert.strictEqual(id, "key-1")
        assert.deepStrictEqual(retryAfter, Duration.zero)
        assert.strictEqual(failure._tag, "RateLimited")
        assert.deepStrictEqual(yield* ids(pool, 2), ["key-2", "key-2"])
        assert.deepStrictEqual(yield* states(pool), ["cooling 20000", "ready"])
      }))

    it.scoped("the error keeps all it said, but for the wait", () =>
      Effect.gen(function*() {
        const pool = yield* make({ keys: [one] })
        const { failure } = yield* fail(pool, rateLimited("20 seconds"))
        const { stack: _, ...rest } = failure as LlmError.RateLimited
        assert.deepStrictEqual({ ...rest, message: failure.message }, {
          _tag: "RateLimited",
          backend: "groq",
          message: "slow down",
          model,
          status: 429,
          code: "rate_limit_exceeded",
          requestId: "req_1",
          shouldRetry: true,
          retryAfter: Duration.seconds(20)
        })
      }))

    it.scoped("with one key, the pool is ready exactly when the backend said", () =>
      Effect.gen(function*() {
        const pool = yield* make({ keys: [one] })
        const { retryAfter } = yield* fail(pool, rateLimited("20 seconds"))
        assert.deepStrictEqual(retryAfter, Duration.seconds(20))
        yield* TestClock.adjust("18999 millis")
        const refusal = yield* Effect.flip(pool.acquire(model))
        assert.strictEqual(refusal._tag, "KeysCooling")
        assert.deepStrictEqual(Option.getOrNull(LlmError.retryAfter(refusal)), Duration.millis(1001))
        assert.strictEqual((yield* pool.stats)[0]!.requests, 1)
        yield* TestClock.adjust("1001 millis")
        assert.strictEqual(yield* next(pool), "key-1")
      }))

    it.scoped("a backend that does not say how long is left alone for the cooldown", () =>
      Effect.gen(function*() {
        const pool = yield* make({ keys: [one] })
        assert.deepStrictEqual((yield* fail(pool, rateLimited())).retryAfter, Duration.seconds(5))
        const own = yield* make({ keys: [one], cooldown: "2 seconds" })
        assert.deepStrictEqual((yield* fail(own, rateLimited())).retryAfter, Duration.seconds(2))
        assert.deepStrictEqual((yield* fail(yield* make({ keys: [one] }), rateLimited(0))).retryAfter, Duration.zero)
      }))

    it.scoped("when all cool, the error says when the first is ready and nothing is leased (KP-13)", () =>
      Effect.gen(function*() {
        const pool = yield* make()
        yield* fail(pool, rateLimited("8 seconds"))
        yield* fail(pool, rateLimited("5 seconds"))
        const { retryAfter } = yield* fail(pool, rateLimited("12 seconds"))
        assert.deepStrictEqual(retryAfter, Duration.seconds(5))
        const refusal = yield* Effect.flip(pool.acquire(model))
        assert.strictEqual(refusal._tag, "KeysCooling")
        assert.deepStrictEqual(Option.getOrNull(LlmError.retryAfter(refusal)), Duration.seconds(5))
        assert.strictEqual(refusal.message, "every key of groq is cooling down, the first for another 5s")
        assert.deepStrictEqual((yield* pool.stats).map((key) => key.requests), [1, 1, 1])
        yield* TestClock.adjust("5 seconds")
        assert.strictEqual(yield* next(pool), "key-2")
      }))

    it.scoped("a later word lengthens the wait and never shortens it (KP-12)", () =>
      Effect.gen(function*() {
        const pool = yield* make({ keys: [one] })
        const [first, second, last] = yield* Effect.replicateEffect(pool.acquire(model), 3)
        first!.failed(rateLimited("5 seconds"))
        yield* TestClock.adjust("3 seconds")
        second!.failed(rateLimited("5 seconds"))
        last!.failed(rateLimited("1 seconds"))
        assert.deepStrictEqual(yield* states(pool), ["cooling 8000"])
      }))

    it.scoped("the key still serves other models (KP-16)", () =>
      Effect.gen(function*() {
        const pool = yield* make({ keys: [one] })
        yield* fail(pool, rateLimited("20 seconds"), "x")
        assert.strictEqual(yield* next(pool, "y"), "key-1")
        assert.strictEqual((yield* Effect.flip(pool.acquire("x")))._tag, "KeysCooling")
      }))

    it.scoped("a key that cools for two models cools for all, as long as both do (KP-16)", () =>
      Effect.gen(function*() {
        const pool = yield* make({ keys: [one] })
        yield* fail(pool, rateLimited("1 hour"), "x")
        yield* fail(pool, rateLimited("2 seconds"), "y")
        const refusal = yield* Effect.flip(pool.acquire("z"))
        assert.deepStrictEqual(Option.getOrNull(LlmError.retryAfter(refusal)), Duration.seconds(2))
        yield* TestClock.adjust("2 seconds")
        assert.deepStrictEqual(yield* ids(pool, 2, "z"), ["key-1", "key-1"])
        assert.strictEqual(yield* next(pool, "y"), "key-1")
        assert.strictEqual((yield* Effect.flip(pool.acquire("x")))._tag, "KeysCooling")
        // the first two are forgotten: one model alone does not stop the others
        yield* TestClock.adjust("1 hour")
        yield* fail(pool, rateLimited("1 hour"), "y")
        assert.strictEqual(yield* next(pool, "z"), "key-1")
      }))

    it.scoped("a wait that no clock can count does not become none", () =>
      Effect.gen(function*() {
        const pool = yield* make({ keys: [one] })
        const { retryAfter } = yield* fail(pool, rateLimited(Duration.infinity))
        assert.deepStrictEqual(retryAfter, Duration.days(31))
      }))
  })

  describe("a key that cannot be used", () => {
    it.scoped("is never taken again after a 401, and is the only one to suffer (KP-04)", () =>
      Effect.gen(function*() {
        const pool = yield* make({ keys: [one, two] })
        const { failure } = yield* fail(pool, unauthorized)
        assert.strictEqual(failure, unauthorized)
        yield* TestClock.adjust("30 days")
        assert.deepStrictEqual(yield* ids(pool, 3), ["key-2", "key-2", "key-2"])
        assert.deepStrictEqual(yield* states(pool), ["retired", "ready"])
        yield* fail(pool, unauthorized)
        const refusal = yield* Effect.flip(pool.acquire(model))
        assert.strictEqual(refusal._tag, "KeysExhausted")
        assert.strictEqual(refusal.message, "no key of groq can be used: 2 not accepted, 0 out of quota")
      }))

    it.scoped("comes back when it is said to be good again", () =>
      Effect.gen(function*() {
        const pool = yield* make({ keys: [one] })
        yield* fail(pool, unauthorized)
        assert.isTrue(yield* pool.revalidate("key-1"))
        assert.isFalse(yield* pool.revalidate("key-9"))
        assert.strictEqual(yield* next(pool), "key-1")
      }))

    it.scoped("is replaced by another, which what the old one did does not touch", () =>
      Effect.gen(function*() {
        const pool = yield* make({ keys: [one] })
        const late = yield* pool.acquire(model)
        assert.isTrue(yield* pool.replace("key-1", two))
        late.failed(unauthorized)
        late.observed({ requests: { remaining: 1 } })
        late.release()
        const lease = yield* pool.acquire(model)
        assert.strictEqual(lease.key, two)
        const [key] = yield* pool.stats
        assert.strictEqual(key!.remaining, undefined)
        assert.strictEqual(key!.inFlight, 1)
        const error = yield* Effect.flip(pool.replace("key-1", Redacted.make("sk secret")))
        assert.strictEqual(
          error.message,
          "KeyPool.key: the new key for key-1 holds a space, a line break or another character that no key has"
        )
      }))

    it.scoped("is set aside when its quota is used up, until the quota is back", () =>
      Effect.gen(function*() {
        const pool = yield* make({ keys: [one, two] })
        assert.deepStrictEqual((yield* fail(pool, quotaExhausted("90 minutes"))).retryAfter, Duration.zero)
        assert.deepStrictEqual(yield* ids(pool, 2, "another"), ["key-2", "key-2"])
        assert.deepStrictEqual((yield* fail(pool, quotaExhausted())).retryAfter, Duration.hours(1))
        assert.deepStrictEqual(yield* states(pool), ["exhausted 5400000", "exhausted 3600000"])
        const refusal = yield* Effect.flip(pool.acquire(model))
        assert.strictEqual(refusal._tag, "KeysExhausted")
        assert.strictEqual(refusal.message, "no key of groq can be used: 0 not accepted, 2 out of quota")
        yield* TestClock.adjust("1 hour")
        assert.deepStrictEqual(yield* ids(pool, 2), ["key-2", "key-2"])
        yield* TestClock.adjust("30 minutes")
        assert.strictEqual(yield* next(pool), "key-1")
      }))

    it.scoped("leaves the pool waiting for the others", () =>
      Effect.gen(function*() {
        const pool = yield* make()
        yield* fail(pool, unauthorized)
        yield* fail(pool, quotaExhausted("1 hour"))
        yield* fail(pool, rateLimited("7 seconds"))
        const refusal = yield* Effect.flip(pool.acquire(model))
        assert.strictEqual(refusal._tag, "KeysCooling")
        assert.deepStrictEqual(Option.getOrNull(LlmError.retryAfter(refusal)), Duration.seconds(7))
      }))
  })

  it.scoped("an error that is not the key's fault changes nothing", () =>
    Effect.gen(function*() {
      const pool = yield* make({ keys: [one] })
      const { failure } = yield* fail(pool, serverFault)
      assert.strictEqual(failure, serverFault)
      assert.deepStrictEqual(yield* states(pool), ["ready"])
    }))

  describe("whose keys lead to servers of their own", () => {
    const network = new LlmError.NetworkFailure({ backend: "s3", message: "no route", model })
    const fresh = new LlmError.ServerFault({ backend: "s3", message: "broken", model, status: 500 })
    const failover = make({ strategy: "failover", faultCooldown: "10 seconds" })

    it.scoped("takes the first, for as long as it is well", () =>
      Effect.gen(function*() {
        const pool = yield* failover
        for (let i = 0; i < 3; i++) assert.strictEqual(yield* next(pool), "key-1")
        const failed = yield* fail(pool, network)
        const again = new LlmError.NetworkFailure({ ...network, message: "no route", retryAfter: Duration.zero })
        assert.deepStrictEqual(failed.failure, again)
        assert.strictEqual(yield* next(pool), "key-2")
        assert.deepInclude((yield* pool.stats)[0], { state: "cooling", until: 10_000, reason: "NetworkFailure" })
        yield* TestClock.adjust("10 seconds")
        assert.strictEqual(yield* next(pool), "key-1")
      }))

    it.scoped("says to go on at once only where another is well", () =>
      Effect.gen(function*() {
        const pool = yield* failover
        const waits = []
        for (let i = 0; i < 3; i++) {
          waits.push((yield* fail(pool, fresh)).retryAfter)
          yield* TestClock.adjust("1 second")
        }
        assert.deepStrictEqual(waits, [Duration.zero, Duration.zero, undefined])
      }))

    it.scoped("a fault makes no key unusable: when all have had one, the first whose time is over is taken", () =>
      Effect.gen(function*() {
        const pool = yield* failover
        for (const id of ["key-1", "key-2", "key-3", "key-1"]) {
          assert.strictEqual((yield* fail(pool, network)).id, id)
          yield* TestClock.adjust("1 second")
        }
        assert.strictEqual(yield* next(pool), "key-2")
      }))

    it.scoped("a key of one's own choice is leased whatever the turn, and answers for itself alone", () =>
      Effect.gen(function*() {
        const pool = yield* failover
        const third = yield* pool.acquire(model, { id: "key-3" })
        assert.strictEqual(third.id, "key-3")
        assert.strictEqual(third.failed(network), network)
        const throttled = third.failed(rateLimited("20 seconds"))
        assert.deepStrictEqual(Option.getOrNull(LlmError.retryAfter(throttled)), Duration.seconds(20))
        const refused = yield* Effect.flip(pool.acquire(model, { id: "key-3" }))
        assert.deepInclude(refused, { _tag: "KeysCooling", retryAfter: Duration.seconds(20) })
        assert.strictEqual((yield* Effect.flip(pool.acquire(model, { id: "key-9" }))).message, "groq has no key key-9")
        assert.strictEqual(yield* next(pool), "key-1")
      }))
  })

  it.scoped("each attempt of a request counts against its own key (KP-10)", () =>
    Effect.gen(function*() {
      const pool = yield* make({ keys: [one, two] })
      yield* fail(pool, rateLimited("5 seconds"))
      yield* fail(pool, rateLimited("5 seconds"))
      assert.deepStrictEqual(yield* states(pool), ["cooling 5000", "cooling 5000"])
    }))

  it.scoped("knows of every key what it did", () =>
    Effect.gen(function*() {
      const pool = yield* make({ keys: [{ name: "GROQ_API_KEY", key: one }, two] })
      yield* TestClock.adjust("1 second")
      const lease = yield* pool.acquire(model)
      lease.observed({ requests: { limit: 30, remaining: 29, resetMillis: 2000 }, tokens: { remaining: 5000 } })
      lease.succeeded({ inputTokens: 10, outputTokens: 3 })
      lease.release()
      lease.release()
      yield* next(pool)
      yield* fail(pool, serverFault)
      yield* pool.acquire(model)
      assert.deepStrictEqual(yield* pool.stats, [
        {
          id: "GROQ_API_KEY",
          state: "ready",
          inFlight: 0,
          queued: 0,
          requests: 2,
          successes: 1,
          failures: { ServerFault: 1 },
          inputTokens: 10,
          outputTokens: 3,
          microDollars: 0,
          latencyMillis: 30_000,
          lastUsed: 1000,
          remaining: { requests: 29, tokens: 5000 },
          limits: [
            { of: "requests", source: "headers", model, perMinute: 30, atOnce: 30, remaining: 28 },
            { of: "tokens", source: "headers", model, perMinute: 5000, atOnce: 5000, remaining: 5000 }
          ],
          headroom: 28 / 30
        },
        {
          id: "key-2",
          state: "ready",
          inFlight: 1,
          queued: 0,
          requests: 2,
          successes: 0,
          failures: {},
          inputTokens: 0,
          outputTokens: 0,
          microDollars: 0,
          latencyMillis: 0,
          lastUsed: 1000
        }
      ])
    }))

  it.effect("is part of the snapshot for as long as its scope lasts", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const pool = yield* Scope.extend(make({ keys: [one] }), scope)
      yield* fail(pool, rateLimited("4 seconds"))
      const { backends } = yield* Monitor.snapshot
      assert.deepStrictEqual(backends.map(({ backend, keys }) => [backend, keys?.map((key) => key.reason)]), [
        ["groq", ["RateLimited"]]
      ])
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual((yield* Monitor.snapshot).backends, [])
    }).pipe(Effect.provideServiceEffect(Monitor.CurrentMonitor, Effect.sync(Monitor.unsafeMake))))

  it.scoped("a lease lasts as long as its scope", () =>
    Effect.gen(function*() {
      const pool = yield* make({ keys: [one] })
      yield* Effect.scoped(Effect.gen(function*() {
        yield* pool.lease(model)
        assert.strictEqual((yield* pool.stats)[0]!.inFlight, 1)
      }))
      assert.strictEqual((yield* pool.stats)[0]!.inFlight, 0)
    }))

  it.scoped("of a backend without keys, a 429 rests the whole backend", () =>
    Effect.gen(function*() {
      const pool = yield* KeyPool.anonymous("ollama")
      const lease = yield* pool.acquire("x")
      assert.strictEqual(Redacted.value(lease.key), "")
      const failure = lease.failed(rateLimited("3 seconds"))
      assert.deepStrictEqual(Option.getOrNull(LlmError.retryAfter(failure)), Duration.seconds(3))
      assert.strictEqual((yield* Effect.flip(pool.acquire("y")))._tag, "KeysCooling")
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual(yield* next(pool, "y"), "anonymous")
    }))

  describe("with a limit per key", () => {
    it.scoped("whoever comes when all are taken waits, in order of arrival (CC-01, CC-04)", () =>
      Effect.gen(function*() {
        const pool = yield* make({ keys: [one, two], maxConcurrent: 1 })
        const [first, second] = yield* Effect.replicateEffect(pool.acquire(model), 2)
        const order: Array<string> = []
        const waiting = yield* Effect.forEach(["a", "b", "c"], (name) =>
          Effect.fork(Effect.map(pool.acquire(model), (lease) => {
            order.push(`${name} ${lease.id}`)
            return lease
          })))
        yield* TestClock.adjust(0)
        assert.deepStrictEqual(order, [])
        second!.release()
        yield* TestClock.adjust(0)
        assert.deepStrictEqual(order, ["a key-2"])
        first!.release()
        yield* TestClock.adjust(0)
        assert.deepStrictEqual(order, ["a key-2", "b key-1"])
        const lease = yield* Fiber.join(waiting[0]!)
        lease.release()
        yield* TestClock.adjust(0)
        assert.deepStrictEqual(order, ["a key-2", "b key-1", "c key-2"])
        assert.deepStrictEqual((yield* pool.stats).map((key) => key.inFlight), [1, 1])
      }))

    it.scoped("whoever waits takes a key that has cooled down meanwhile", () =>
      Effect.gen(function*() {
        const pool = yield* make({ keys: [one, two], maxConcurrent: 1 })
        yield* fail(pool, rateLimited("5 seconds"))
        yield* pool.acquire(model)
        const waiting = yield* Effect.fork(pool.acquire(model))
        yield* TestClock.adjust("4999 millis")
        assert.isTrue(Option.isNone(yield* Fiber.poll(waiting)))
        yield* TestClock.adjust("1 millis")
        assert.strictEqual((yield* Fiber.join(waiting)).id, "key-1")
      }))

    it.scoped("whoever waits is told when there is nothing left to wait for", () =>
      Effect.gen(function*() {
        const pool = yield* make({ keys: [one], maxConcurrent: 1 })
        const lease = yield* pool.acquire(model)
        const waiting = yield* Effect.fork(Effect.flip(pool.acquire(model)))
        yield* TestClock.adjust(0)
        lease.failed(rateLimited("5 seconds"))
        lease.release()
        const refusal = yield* Fiber.join(waiting)
        assert.strictEqual(refusal._tag, "KeysCooling")
        assert.deepStrictEqual(Option.getOrNull(LlmError.retryAfter(refusal)), Duration.seconds(5))
      }))

    it.scoped("whoever is interrupted while waiting leaves no trace, even in the moment its key comes (CC-03)", () =>
      Effect.gen(function*() {
        const pool = yield* make({ keys: [one], maxConcurrent: 1 })
        const first = yield* pool.acquire(model)
        const gone = yield* Effect.fork(Effect.scoped(pool.lease(model)))
        const late = yield* Effect.fork(Effect.zipRight(pool.lease(model), Effect.never))
        const patient = yield* Effect.fork(pool.acquire(model))
        yield* TestClock.adjust(0)
        yield* Fiber.interrupt(gone)
        // the key is handed to `late`, which is interrupted before it runs again
        first.release()
        yield* Fiber.interrupt(late)
        yield* TestClock.adjust(0)
        const lease = yield* Fiber.join(patient)
        assert.deepStrictEqual((yield* pool.stats).map((key) => [key.inFlight, key.requests]), [[1, 2]])
        lease.release()
        assert.deepStrictEqual((yield* pool.stats).map((key) => key.inFlight), [0])
      }))
  })

  describe("refuses options that cannot be meant", () => {
    const refused: ReadonlyArray<[string, Partial<KeyPool.Options>, string]> = [
      ["no backend", { backend: "" }, "KeyPool.backend: must be a text that is not empty, not \"\""],
      ["no such strategy", { strategy: "best" as "round-robin" }, "KeyPool.strategy: must be \"round-robin\" or \"least-loaded\" or \"failover\" or \"weighted\" or \"lowest-latency\" or \"most-headroom\" or \"lowest-cost\", not \"best\""],
      ["no keys", { keys: [] as unknown as [Redacted.Redacted] }, "KeyPool.keys: must hold a key"],
      ["an empty key", { keys: [one, Redacted.make("")] }, "KeyPool.keys: key-2 is set but empty"],
      ["a key with a line break", { keys: [Redacted.make("sk-secret\nx")] }, "KeyPool.keys: key-1 holds a space, a line break or another character that no key has"],
      ["a bare text", { keys: ["sk-secret" as unknown as Redacted.Redacted] }, "KeyPool.keys: key-1 must be Redacted"],
      ["two of a name", { keys: [{ name: "a", key: one }, { name: "a", key: two }] }, "KeyPool.keys: two keys have the name \"a\""],
      ["no places", { maxConcurrent: 0 }, "KeyPool.maxConcurrent: must be a whole number of at least 1, not 0"],
      ["a cooldown below zero", { cooldown: -1 }, "KeyPool.cooldown: must be a duration, not -1"],
      ["no wait that could be meant", { maxWait: Number.NaN }, "KeyPool.maxWait: must be a duration, not NaN"],
      ["no weight", { weight: 0 }, "KeyPool.weight: must be a number from 0.001 to 1000000, not 0"],
      ["less than one request", { requestsPerMinute: 0.5 }, "KeyPool.requestsPerMinute: must be a number of at least 1, not 0.5"],
      ["half a request at once", { burst: 1.5 }, "KeyPool.burst: must be a whole number of at least 1, not 1.5"],
      ["a zone that is none", { resetZone: "Mars" }, "KeyPool.resetZone: must be a time zone, not \"Mars\""],
      ["money that is none", { spendLimit: -1 }, "KeyPool.spendLimit: must be a whole number of at least 0, not -1"],
      ["a circuit that never opens", { circuit: { failures: 0 } }, "KeyPool.circuit.failures: must be a whole number of at least 1, not 0"],
      ["of one key", { keys: [{ name: "a", key: one, tokensPerMinute: 0 }] }, "KeyPool.keys.a.tokensPerMinute: must be a number of at least 1, not 0"],
      ["what there is not", { rpm: 5 } as object, "KeyPool.rpm: is unexpected, expected"]
    ]
    for (const [name, options, message] of refused) {
      it.scoped(name, () =>
        Effect.gen(function*() {
          const error = yield* Effect.flip(make(options))
          assert.instanceOf(error, InvalidOptions.InvalidOptions)
          assert.strictEqual(error.message.slice(0, message.length), message)
        }))
    }

    it.scoped("a key that occurs twice counts once", () =>
      Effect.gen(function*() {
        const pool = yield* make({ keys: [one, Redacted.make("sk-first-secret"), two] })
        assert.deepStrictEqual((yield* pool.stats).map((key) => key.id), ["key-1", "key-3"])
      }))
  })

  describe("in the environment", () => {
    const read = (
      variables: Record<string, string>,
      prefixes: readonly [string, ...ReadonlyArray<string>] = ["GROQ_API_KEY"]
    ) =>
      KeyPool.config(...prefixes).pipe(
        Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(variables)))),
        Effect.map((keys) => keys.map(({ key, name }) => `${name}=${Redacted.value(key)}`))
      )

    it.effect("reads the plain variable and the numbered ones up to a gap", () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* read({ GROQ_API_KEY: "a" }), ["GROQ_API_KEY=a"])
        assert.deepStrictEqual(yield* read({ GROQ_API_KEY_1: "a", GROQ_API_KEY_2: "b" }), [
          "GROQ_API_KEY_1=a",
          "GROQ_API_KEY_2=b"
        ])
        assert.deepStrictEqual(yield* read({ GROQ_API_KEY: "a", GROQ_API_KEY_1: "b", GROQ_API_KEY_3: "c" }), [
          "GROQ_API_KEY=a",
          "GROQ_API_KEY_1=b"
        ])
      }))

    it.effect("reads several prefixes, and a key that occurs twice once", () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(
          yield* read(
            { GOOGLE_API_KEY: "a", GEMINI_API_KEY: "a", GEMINI_API_KEY_1: "b", GEMINI_API_KEY_2: "b" },
            ["GOOGLE_API_KEY", "GEMINI_API_KEY"]
          ),
          ["GOOGLE_API_KEY=a", "GEMINI_API_KEY_1=b"]
        )
      }))

    it.effect("names the variable when there is none", () =>
      Effect.gen(function*() {
        assert.strictEqual(
          String(yield* Effect.flip(read({}))),
          "(Missing data at GROQ_API_KEY: \"no key: set GROQ_API_KEY (GROQ_API_KEY_1, GROQ_API_KEY_2 … for several)\")"
        )
        assert.include(String(yield* Effect.flip(read({}, ["GOOGLE_API_KEY", "GEMINI_API_KEY"]))), "set GOOGLE_API_KEY or GEMINI_API_KEY")
      }))

    it.effect("names the variable that holds no key, and does not repeat what it holds", () =>
      Effect.gen(function*() {
        assert.strictEqual(
          String(yield* Effect.flip(read({ GROQ_API_KEY: "" }))),
          "(Invalid data at GROQ_API_KEY: \"is set but empty\")"
        )
        for (const value of ["sk-secret\nx", "sk-secret x", "sk-sécret", ` sk-secret`, "sk-secret".repeat(60)]) {
          const error = yield* Effect.flip(read({ GROQ_API_KEY: "fine", GROQ_API_KEY_1: value }))
          assert.include(String(error), "(Invalid data at GROQ_API_KEY_1: ")
          assert.notInclude(JSON.stringify(error) + String(error) + inspect(error, { depth: 9 }), "sk-s")
        }
      }))

    it.scoped("gives keys that make a pool, named by their variables", () =>
      Effect.gen(function*() {
        const keys = yield* KeyPool.config("GROQ_API_KEY").pipe(
          Effect.withConfigProvider(ConfigProvider.fromMap(new Map([["GROQ_API_KEY_1", "a"], ["GROQ_API_KEY_2", "b"]])))
        )
        const pool = yield* make({ keys })
        assert.deepStrictEqual(yield* ids(pool, 2), ["GROQ_API_KEY_1", "GROQ_API_KEY_2"])
      }))
  })

  it.scoped("shows no part of a key, however it is printed (KP-24)", () =>
    Effect.gen(function*() {
      const secrets = ["sk-q7Zp2LmX9vTb4Rn8", "sk-K3wYd6HsJ1fGc5Qe"]
      const keys = yield* KeyPool.config("GROQ_API_KEY").pipe(
        Effect.withConfigProvider(ConfigProvider.fromMap(new Map([["GROQ_API_KEY", secrets[0]!]])))
      )
      const pool = yield* make({ keys: [...keys, Redacted.make(secrets[1]!)], validateAtStart: true })
      yield* pool.validateBy((id) => Effect.asVoid(pool.acquire("", { id, probe: true })))
      const lease = yield* pool.acquire(model)
      lease.observed({ requests: { limit: 3, remaining: 2 } })
      const failures = [rateLimited("1 second"), quotaExhausted(), unauthorized, serverFault].map(lease.failed)
      yield* fail(pool, unauthorized)
      const refusal = yield* Effect.flip(pool.acquire(model))
      const invalid = yield* Effect.flip(pool.add(Redacted.make(secrets[0]!)))
      const values = [keys, pool, lease, ...failures, refusal, invalid, yield* pool.stats, yield* pool.validateAll, yield* Monitor.snapshot]
      const texts = values.flatMap((value) => [
        String(value),
        JSON.stringify(value),
        Inspectable.toStringUnknown(value),
        Cause.pretty(Cause.die(value)),
        inspect(value, { showHidden: true, depth: 9 }),
        inspect(value, { customInspect: false, depth: 9 }),
        ...(value instanceof Error ? [value.message, String(value.stack), String(value.cause)] : [])
      ])
      const windows = secrets.flatMap((secret) =>
        Array.from({ length: secret.length - 10 }, (_, at) => secret.slice(at + 3, at + 11))
      )
      for (const text of texts) assert.deepStrictEqual(windows.filter((window) => text.includes(window)), [])
    }))
})

describe("KeyPool, inside a retry", () => {
  it.scoped("a call that failed stands where it stood before, not behind those who came later", () =>
    Effect.gen(function*() {
      const pool = yield* KeyPool.make({ backend: "groq", keys: [one], maxConcurrent: 1 })
      const ended: Array<string> = []
      let isBroken = true
      const backend = LlmService.make("groq", {
        generateText: ({ prompt }) =>
          Effect.acquireUseRelease(
            pool.acquire(model),
            (lease) =>
              Effect.suspend(() => {
                if (prompt !== "first" || !isBroken) return Effect.delay(Effect.sync(() => ended.push(String(prompt))), "1 second")
                isBroken = false
                return Effect.fail(lease.failed(new LlmError.ServerFault({ backend: "groq", message: "broken" })))
              }),
            (lease) => Effect.sync(lease.release)
          ).pipe(Effect.as(Completion.make({ model, content: [], finishReason: "stop", usage: {} })))
      })
      const policy = yield* Resilience.standard("groq", { retry: { initialDelay: "10 millis", jitter: "none" } })
      const service = Resilience.protect(backend, policy)
      for (const prompt of ["first", "second", "third", "fourth"]) {
        yield* Effect.fork(service.generateText({ model, prompt }))
        yield* TestClock.adjust("1 millis")
      }
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(ended, ["second", "first", "third", "fourth"])
    }))
})
