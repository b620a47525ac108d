/**
 * Keys that are added, removed, disabled, enabled, replaced and validated while the pool runs; defaults from outside; and
 * a circuit for each key.
 */
import { assert, describe, it } from "@effect/vitest"
import { CircuitBreaker, InvalidOptions, KeyPool, LlmError, LlmService, Resilience } from "@spillway/core"
import { Deferred, Duration, Effect, Exit, Fiber, Option, Redacted, Scope, TestClock } from "effect"

const model = "llama"
const secret = (name: string) => Redacted.make(`sk-${name}`)
const make = (options: Partial<KeyPool.Options> = {}) =>
  KeyPool.make({ backend: "groq", keys: [{ name: "a", key: secret("a") }, { name: "b", key: secret("b") }], ...options })

const unauthorized = new LlmError.AuthenticationFailed({ backend: "groq", message: "no such key", status: 401 })
const broken = new LlmError.ServerFault({ backend: "groq", message: "broken" })

/** The names of the next keys, each given back at once. */
const next = (pool: KeyPool.KeyPool, n: number) =>
  Effect.replicateEffect(
    Effect.map(pool.acquire(model), (lease) => {
      lease.release()
      return lease.id
    }),
    n
  )

const fail = (pool: KeyPool.KeyPool, error: LlmError.LlmError, id?: string) =>
  Effect.map(pool.acquire(model, { id }), (lease) => {
    const failure = lease.failed(error)
    lease.release()
    return failure
  })

const states = (pool: KeyPool.KeyPool) =>
  Effect.map(pool.stats, (keys) => Object.fromEntries(keys.map(({ id, state }) => [id, state])))

describe("KeyPool, while it runs", () => {
  it.scoped("takes one key more, which has its turn at once, by a name of its own", () =>
    Effect.gen(function*() {
      const pool = yield* make()
      yield* next(pool, 2)
      assert.strictEqual(yield* pool.add(secret("c")), "key-3")
      assert.strictEqual(yield* pool.add({ name: "d", key: secret("d"), weight: 2 }), "d")
      assert.deepStrictEqual(yield* next(pool, 4), ["key-3", "d", "a", "b"])
    }))

  it.scoped("takes no key that is there already, no name twice, and nothing that no key can be", () =>
    Effect.gen(function*() {
      const pool = yield* make()
      const problem = (key: Redacted.Redacted | KeyPool.NamedKey) => Effect.map(Effect.flip(pool.add(key)), ({ message }) => message)
      assert.strictEqual(yield* problem(secret("a")), "KeyPool.keys: key-3 is the same key as a")
      assert.strictEqual(yield* problem({ name: "a", key: secret("c") }), "KeyPool.keys: two keys have the name \"a\"")
      assert.strictEqual(yield* problem(Redacted.make("")), "KeyPool.keys: key-3 is set but empty")
      assert.strictEqual(yield* problem({ key: secret("c"), burst: 0 }), "KeyPool.keys.key-3.burst: must be a whole number of at least 1, not 0")
      assert.deepStrictEqual(yield* states(pool), { a: "ready", b: "ready" })
    }))

  it.scoped("gives a key that was removed to nobody; what it has under way ends, and is seen until then (LB-03)", () =>
    Effect.gen(function*() {
      const pool = yield* make()
      const lease = yield* pool.acquire(model)
      assert.strictEqual(lease.id, "a")
      assert.isTrue(yield* pool.remove("a"))
      assert.isFalse(yield* pool.remove("a"))
      assert.deepStrictEqual(yield* next(pool, 3), ["b", "b", "b"])
      assert.deepStrictEqual(yield* states(pool), { b: "ready", a: "disabled" })
      lease.succeeded({ inputTokens: 5 })
      assert.deepInclude((yield* pool.stats)[1], { id: "a", requests: 1, successes: 1, inputTokens: 5 })
      lease.release()
      assert.deepStrictEqual(yield* states(pool), { b: "ready" })
      yield* pool.remove("b")
      assert.deepInclude(yield* Effect.flip(pool.acquire(model)), { _tag: "KeysExhausted", message: "groq has no key" })
      yield* pool.add(secret("c"))
      assert.deepStrictEqual(yield* next(pool, 1), ["key-3"])
    }))

  it.scoped("leaves a disabled key alone until it is enabled, as it was", () =>
    Effect.gen(function*() {
      const pool = yield* make()
      const lease = yield* pool.acquire(model)
      assert.isTrue(yield* pool.disable("a"))
      assert.isFalse(yield* pool.disable("c"))
      assert.deepStrictEqual(yield* next(pool, 2), ["b", "b"])
      lease.failed(new LlmError.RateLimited({ backend: "groq", message: "slow", retryAfter: Duration.seconds(20) }))
      lease.release()
      assert.deepStrictEqual(yield* states(pool), { a: "disabled", b: "ready" })
      assert.isTrue(yield* pool.enable("a"))
      assert.deepStrictEqual(yield* states(pool), { a: "cooling", b: "ready" })
      assert.isFalse(yield* pool.enable("c"))
    }))

  it.scoped("tells who waits for a key that goes away, and serves who waits when one comes", () =>
    Effect.gen(function*() {
      const pool = yield* make({ maxConcurrent: 1 })
      const [a, b] = yield* Effect.replicateEffect(pool.acquire(model), 2)
      const named = yield* Effect.fork(Effect.flip(pool.acquire(model, { id: "a" })))
      const any = yield* Effect.fork(pool.acquire(model))
      yield* TestClock.adjust(0)
      assert.deepStrictEqual((yield* pool.stats).map((key) => key.queued), [2, 1])
      yield* pool.remove("a")
      assert.strictEqual((yield* Fiber.join(named)).message, "groq has no key a")
      yield* pool.add(secret("c"))
      assert.strictEqual((yield* Fiber.join(any)).id, "key-3")
      a!.release()
      b!.release()
      assert.deepStrictEqual((yield* pool.stats).map((key) => [key.id, key.inFlight]), [["b", 0], ["key-3", 1]])
    }))

  it.scoped("keeps its keys for good where it is told to", () =>
    Effect.gen(function*() {
      const pool = yield* make({ canChange: false })
      for (const change of [Effect.asVoid(pool.add(secret("c"))), Effect.asVoid(pool.replace("a", secret("c")))]) {
        assert.strictEqual((yield* Effect.flip(change)).message, "KeyPool.keys: groq has its keys for good")
      }
      assert.isTrue(yield* pool.disable("a"))
    }))

  it.effect("is found in the list of pools for as long as its scope lasts", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const pool = yield* Scope.extend(make(), scope)
      const other = yield* Scope.extend(KeyPool.anonymous("ollama"), scope)
      assert.deepStrictEqual(yield* KeyPool.pools, [pool, other])
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(yield* KeyPool.pools, [])
    }).pipe(Effect.provideService(KeyPool.CurrentPools, new Set())))
})

describe("KeyPool, by defaults", () => {
  it.scoped("of pools and of keys by name, what it is told itself comes first", () =>
    Effect.gen(function*() {
      const pool = yield* make({ maxConcurrent: 5 })
      assert.deepStrictEqual(yield* next(pool, 4), ["a", "a", "b", "a"])
      const plain = yield* KeyPool.make({ backend: "x", keys: [secret("c")], strategy: "failover" })
      yield* plain.add(secret("d"))
      assert.deepStrictEqual(yield* next(plain, 2), ["key-1", "key-1"])
      const local = yield* KeyPool.anonymous("ollama")
      yield* Effect.replicateEffect(local.acquire(model), 3)
      assert.strictEqual((yield* Effect.fork(local.acquire(model)).pipe(Effect.flatMap(Fiber.poll)))._tag, "None")
    }).pipe(Effect.provideService(KeyPool.CurrentDefaults, {
      pool: { strategy: "weighted", maxConcurrent: 3 },
      keys: { a: { weight: 3 } }
    })))

  it.scoped("give keys that have names others, by which they are known from then on", () =>
    Effect.gen(function*() {
      const pool = yield* make()
      assert.deepStrictEqual((yield* pool.stats).map(({ id }) => id), ["spare", "b"])
      assert.match((yield* Effect.flip(KeyPool.make({ backend: "x", keys: [
        { name: "a", key: secret("1") },
        { name: "spare", key: secret("2") }
      ] }))).message, /two keys have the name "spare"/)
    }).pipe(Effect.provideService(KeyPool.CurrentDefaults, { keys: { a: { name: "spare", weight: 3 } } })))

  it.scoped("are refused when they cannot be meant", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(make())
      assert.instanceOf(error, InvalidOptions.InvalidOptions)
      assert.strictEqual(error.message, "KeyPool.keys.b.weight: must be a number from 0.001 to 1000000, not -1")
    }).pipe(Effect.provideService(KeyPool.CurrentDefaults, { keys: { b: { weight: -1 } } })))
})

describe("KeyPool, validating", () => {
  /** A backend that thinks of keys what is said here. */
  const judge = (thinks: Record<string, LlmError.LlmError | undefined>) => {
    const asked: Array<string> = []
    return {
      asked,
      check: (pool: KeyPool.KeyPool): KeyPool.Check => (id) =>
        Effect.acquireUseRelease(
          pool.acquire("", { id, probe: true }),
          (lease) =>
            Effect.suspend(() => {
              asked.push(lease.id)
              const error = thinks[lease.id]
              return error === undefined ? Effect.sync(() => lease.succeeded({})) : Effect.fail(lease.failed(error))
            }),
          (lease) => Effect.sync(lease.release)
        )
    }
  }

  it.scoped("retires what is not accepted, takes back what is, and leaves alone what could not be found out", () =>
    Effect.gen(function*() {
      const pool = yield* make({ keys: [secret("1"), secret("2"), secret("3"), secret("4")] })
      const network = new LlmError.NetworkFailure({ backend: "groq", message: "no route" })
      const quota = new LlmError.QuotaExhausted({ backend: "groq", message: "used up" })
      const { check } = judge({ "key-2": unauthorized, "key-3": network, "key-4": quota })
      yield* pool.validateBy(check(pool))
      yield* fail(pool, unauthorized, "key-1")
      yield* fail(pool, unauthorized, "key-3")
      assert.deepStrictEqual(yield* pool.validateAll, [
        { id: "key-1", verdict: "valid" },
        { id: "key-2", verdict: "invalid", error: unauthorized },
        { id: "key-3", verdict: "unknown", error: network },
        { id: "key-4", verdict: "valid", error: new LlmError.QuotaExhausted({ ...quota, message: "used up", retryAfter: Duration.zero }) }
      ])
      assert.deepStrictEqual(yield* states(pool), { "key-1": "ready", "key-2": "retired", "key-3": "retired", "key-4": "exhausted" })
    }))

  it.scoped("one key, also while it is retired or cools; none of another name", () =>
    Effect.gen(function*() {
      const pool = yield* make()
      const { asked, check } = judge({})
      yield* pool.validateBy(check(pool))
      yield* fail(pool, unauthorized, "a")
      assert.deepStrictEqual(yield* pool.validate("a"), Option.some({ id: "a", verdict: "valid" as const }))
      assert.deepStrictEqual(yield* pool.validate("c"), Option.none())
      assert.deepStrictEqual(asked, ["a"])
      assert.deepStrictEqual(yield* states(pool), { a: "ready", b: "ready" })
    }))

  it.scoped("not one that is disabled, unless it is named; and nothing is known without a way to ask", () =>
    Effect.gen(function*() {
      const pool = yield* make()
      yield* pool.disable("a")
      assert.deepStrictEqual(yield* pool.validateAll, [{ id: "b", verdict: "unknown" as const }])
      const { asked, check } = judge({})
      yield* pool.validateBy(check(pool))
      yield* pool.validateAll
      yield* pool.validate("a")
      assert.deepStrictEqual(asked, ["b", "a"])
      assert.deepStrictEqual(yield* states(pool), { a: "disabled", b: "ready" })
    }))

  it.scoped("what does not answer is not known after half a minute", () =>
    Effect.gen(function*() {
      const pool = yield* make()
      yield* pool.validateBy(() => Effect.never)
      const verdicts = yield* Effect.fork(pool.validateAll)
      yield* TestClock.adjust("30 seconds")
      const [first] = yield* Fiber.join(verdicts)
      assert.deepInclude(first, { id: "a", verdict: "unknown" })
      assert.strictEqual(first!.error?._tag, "TimedOut")
    }))

  it.scoped("a key that was replaced in the meantime is not judged by what was asked of the old one", () =>
    Effect.gen(function*() {
      const pool = yield* make()
      const answer = yield* Deferred.make<void, LlmError.LlmError>()
      yield* pool.validateBy(() => Deferred.await(answer))
      const verdict = yield* Effect.fork(pool.validate("a"))
      yield* TestClock.adjust(0)
      yield* pool.replace("a", secret("new"))
      yield* Deferred.fail(answer, unauthorized)
      assert.strictEqual(Option.getOrThrow(yield* Fiber.join(verdict)).verdict, "invalid")
      assert.deepStrictEqual(yield* states(pool), { a: "ready", b: "ready" })
    }))

  it.scoped("by itself: at the start, and again and again what was not accepted, until the scope closes", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const pool = yield* Scope.extend(make({ validateAtStart: true, revalidateEvery: "1 minute" }), scope)
      const thinks: Record<string, LlmError.LlmError | undefined> = { a: unauthorized }
      const { asked, check } = judge(thinks)
      yield* pool.validateBy(check(pool))
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(asked, ["a", "b"])
      assert.deepStrictEqual(yield* states(pool), { a: "retired", b: "ready" })
      yield* TestClock.adjust("2 minutes")
      assert.deepStrictEqual(asked, ["a", "b", "a", "a"])
      thinks["a"] = undefined
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* states(pool), { a: "ready", b: "ready" })
      yield* TestClock.adjust("5 minutes")
      assert.strictEqual(asked.length, 5)
      thinks["a"] = unauthorized
      yield* pool.validate("a")
      yield* Scope.close(scope, Exit.void)
      yield* TestClock.adjust("5 minutes")
      assert.strictEqual(asked.length, 6)
    }))

  it.scoped("a retired key is asked of, and used for nothing else meanwhile", () =>
    Effect.gen(function*() {
      const pool = yield* make({ keys: [secret("1")] })
      yield* fail(pool, unauthorized)
      const probe = yield* pool.acquire("", { id: "key-1", probe: true })
      assert.strictEqual((yield* Effect.flip(pool.acquire(model)))._tag, "KeysExhausted")
      probe.succeeded({})
      probe.release()
      assert.strictEqual((yield* Effect.flip(pool.acquire(model)))._tag, "KeysExhausted")
    }))
})

describe("KeyPool, with a circuit for each key", () => {
  const circuit = { failures: 3, openFor: "30 seconds" } as const

  it.scoped("a key that keeps failing is left alone, and the others are not (KP-15)", () =>
    Effect.gen(function*() {
      const pool = yield* make({ circuit })
      for (let n = 0; n < 3; n++) yield* fail(pool, broken, "a")
      assert.deepStrictEqual(yield* next(pool, 3), ["b", "b", "b"])
      assert.deepInclude((yield* pool.stats)[0], { state: "cooling", until: 30_000, reason: "ServerFault" })
      const refusal = yield* Effect.flip(pool.acquire(model, { id: "a" }))
      assert.deepStrictEqual(Option.getOrThrow(LlmError.retryAfter(refusal)), Duration.seconds(30))
    }))

  it.scoped("a key that fails alone does not open the circuit of the backend, one with all of them does (KP-15)", () =>
    Effect.gen(function*() {
      const pool = yield* make({})
      const breaker = yield* CircuitBreaker.make({ backend: "groq", failures: 3 })
      let ill = ["a"]
      const service = LlmService.make("groq", {
        listModels: Effect.acquireUseRelease(
          pool.acquire(""),
          (lease) => ill.includes(lease.id) ? Effect.mapError(broken, lease.failed) : Effect.sync(() => (lease.succeeded({}), [])),
          (lease) => Effect.sync(lease.release)
        )
      })
      const ask = Effect.exit(Resilience.protect(service, breaker.policy).listModels)
      // it is tried again each time that it has rested
      for (let minute = 0; minute < 10; minute++) {
        yield* Effect.replicateEffect(ask, 5)
        yield* TestClock.adjust("1 minute")
      }
      assert.strictEqual((yield* breaker.state)._tag, "Closed")
      assert.isAbove((yield* pool.stats)[0]!.failures.ServerFault!, 3)
      ill = ["a", "b"]
      yield* Effect.replicateEffect(ask, 5)
      assert.strictEqual((yield* breaker.state)._tag, "Open")
    }))

  it.scoped("is tried once when its time is over, and used again when that goes well", () =>
    Effect.gen(function*() {
      const pool = yield* make({ circuit, strategy: "failover" })
      for (let n = 0; n < 3; n++) yield* fail(pool, broken, "a")
      yield* TestClock.adjust("30 seconds")
      const probe = yield* pool.acquire(model)
      assert.strictEqual(probe.id, "a")
      assert.deepStrictEqual(yield* next(pool, 2), ["b", "b"])
      probe.succeeded({})
      probe.release()
      assert.deepStrictEqual(yield* next(pool, 2), ["a", "a"])
    }))

  it.scoped("a refusal is no fault, a success ends a row of them, and a probe that was given up gives its place back", () =>
    Effect.gen(function*() {
      const pool = yield* make({ circuit, keys: [secret("1")] })
      yield* fail(pool, broken)
      yield* fail(pool, broken)
      yield* fail(pool, new LlmError.InvalidRequest({ backend: "groq", message: "no" }))
      yield* fail(pool, broken)
      yield* fail(pool, broken)
      assert.deepStrictEqual(yield* states(pool), { "key-1": "ready" })
      yield* fail(pool, broken)
      yield* TestClock.adjust("30 seconds")
      const probe = yield* pool.acquire(model)
      assert.strictEqual((yield* Effect.flip(pool.acquire(model)))._tag, "KeysCooling")
      probe.release()
      assert.deepStrictEqual(yield* next(pool, 1), ["key-1"])
    }))

  it.scoped("which is closed when the key is replaced or taken back", () =>
    Effect.gen(function*() {
      const pool = yield* make({ circuit })
      for (let n = 0; n < 3; n++) yield* fail(pool, broken, "a")
      yield* pool.replace("a", secret("new"))
      assert.deepStrictEqual(yield* states(pool), { a: "ready", b: "ready" })
    }))
})
