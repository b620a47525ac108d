/**
 * The properties of limits (P37 to P39) and of pools of keys (P1, P41 to P46), whatever happens in whatever order.
 */
import { assert, describe, it } from "@effect/vitest"
import { KeyPool, LlmError, type Monitor, PriceBook } from "@spillway/core"
import { Clock, Duration, Effect, Either, FastCheck as fc, Fiber, Redacted } from "effect"
import * as Bucket from "../src/internal/keyBucket.js"
import * as Pace from "../src/internal/keyPace.js"
import * as Sends from "../src/internal/keySends.js"
import * as VirtualClock from "./virtualClock.js"

const array = <A>(arbitrary: fc.Arbitrary<A>) => fc.array(arbitrary, { minLength: 30, maxLength: 150, size: "max" })

/** No window of these times has more in it than may go at once and in its length. */
const assertWithin = (grants: ReadonlyArray<readonly [at: number, amount: number]>, burst: number, rate: number) => {
  for (let from = 0; from < grants.length; from++) {
    let sum = 0
    for (let to = from; to < grants.length; to++) {
      sum += grants[to]![1]
      const most = burst + rate * (grants[to]![0] - grants[from]![0]) + 1e-4
      // an assertion for every window would take most of the time
      if (sum > most) assert.fail(`${sum} from ${grants[from]![0]} to ${grants[to]![0]}, where ${most} are allowed`)
    }
  }
}

describe("the bucket", () => {
  const limit = fc.record({ perMinute: fc.integer({ min: 1, max: 6000 }), capacity: fc.integer({ min: 1, max: 50 }) })
  const steps = array(fc.record({ wait: fc.nat(3000), amount: fc.integer({ min: 1, max: 60 }) }))

  it("gives no more in any time than fits in it, and asking takes nothing (P37, RL-24)", () => {
    fc.assert(fc.property(limit, steps, ({ capacity, perMinute }, steps) => {
      const bucket = Bucket.make(perMinute, capacity)
      const grants: Array<readonly [number, number]> = []
      let now = 0
      for (const { amount, wait } of steps) {
        now += wait
        const wanted = Math.min(amount, capacity)
        const ready = Bucket.readyAt(bucket, wanted, now)
        const before = { ...bucket }
        assert.strictEqual(Bucket.readyAt(bucket, wanted, now), ready)
        assert.deepStrictEqual(bucket, before)
        if (ready > now) {
          // there is nothing a moment before, and enough then
          assert.isBelow(bucket.level + (ready - 1 - now) * bucket.rate, wanted)
          continue
        }
        Bucket.take(bucket, wanted)
        grants.push([now, wanted])
      }
      assertWithin(grants, capacity, perMinute / 60_000)
    }), { numRuns: 500 })
  })

  it("what was taken too much is given back, what was used too much is made up for, and it is never more than full (P38)", () => {
    const step = fc.record({ wait: fc.nat(3000), reserved: fc.nat(30), used: fc.nat(60), lasts: fc.nat(5) })
    fc.assert(fc.property(limit, array(step), ({ capacity, perMinute }, steps) => {
      const bucket = Bucket.make(perMinute, capacity)
      const open: Array<{ readonly until: number; readonly reserved: number; readonly used: number }> = []
      let now = 0
      for (const [index, { lasts, reserved, used, wait }] of steps.entries()) {
        now += wait
        if (Bucket.readyAt(bucket, reserved, now) <= now) {
          const held = bucket.level
          Bucket.take(bucket, reserved)
          assert.strictEqual(bucket.level, held - reserved)
          open.push({ until: index + lasts, reserved, used })
        } else assert.isBelow(bucket.level, reserved)
        for (const ended of open.filter(({ until }) => until <= index)) {
          open.splice(open.indexOf(ended), 1)
          const held = bucket.level
          Bucket.give(bucket, ended.reserved - ended.used)
          assert.approximately(bucket.level, Math.min(capacity, held + ended.reserved - ended.used), 1e-9)
          if (bucket.level < 0) assert.isAbove(Bucket.readyAt(bucket, 1, now), now)
        }
        assert.isAtMost(bucket.level, capacity)
      }
    }), { numRuns: 300 })
  })

  it("a clock that stands still or goes back gives nothing, and nobody waits for its return (P39)", () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.integer({ min: 0, max: 2000 }) },
      { weight: 1, arbitrary: fc.integer({ min: -3_600_000, max: 0 }) }
    )
    fc.assert(fc.property(limit, array(step), ({ capacity, perMinute }, steps) => {
      const bucket = Bucket.make(perMinute, capacity)
      const window = capacity / (perMinute / 60_000)
      let now = 1_000_000_000
      let granted = 0
      let forward = 0
      for (const step of steps) {
        now += step
        forward += Math.max(0, step)
        const ready = Bucket.readyAt(bucket, 1, now)
        assert.isAtMost(ready - now, window + 1)
        if (ready > now) {
          // and then it is there
          const then = Math.ceil(ready)
          assert.isAtMost(Bucket.readyAt({ ...bucket }, 1, then), then)
          continue
        }
        Bucket.take(bucket, 1)
        granted++
      }
      assert.isAtMost(granted, capacity + forward * perMinute / 60_000 + 1e-4)
    }), { numRuns: 500 })
  })
})

describe("the pace", () => {
  it("sends no more than its bucket allows, whatever it is told, and what it learns is a rate (P37)", () => {
    const step = fc.record({
      wait: fc.nat(400),
      told: fc.constantFrom("nothing", "nothing", "nothing", "refused", "refused"),
      said: fc.option(fc.constantFrom(0, 40, 1000, 20_000), { nil: undefined }),
      late: fc.nat(3)
    })
    fc.assert(fc.property(array(step), fc.integer({ min: 1, max: 20 }), (steps, storm) => {
      const settings: Pace.Settings = { cooldown: 5000, spread: 1 }
      const history = Sends.make()
      for (let n = 0; n < storm; n++) Sends.note(history, 0)
      const pace = Pace.make(history, settings, 0, 5, 40)
      const sent: Array<number> = []
      let now = 5
      for (const { late, said, told, wait } of steps) {
        now += wait
        if (Pace.readyAt(pace, now) <= now) {
          assert.isAtLeast(now, pace.restsUntil)
          assert.isAtLeast(pace.bucket.level, 1 - 1e-6)
          Pace.take(pace, now)
          sent.push(now)
        }
        const sentAt = sent[sent.length - 1 - late]
        if (told === "refused" && sentAt !== undefined) {
          sent.splice(sent.length - 1 - late, 1)
          now += 1
          Pace.refused(pace, settings, sentAt, now, said)
          assert.isAtLeast(pace.restsUntil, now + (said ?? 0))
        }
        const { bucket, known } = pace
        for (const rate of [bucket.rate, known.rate, known.from]) {
          assert.isTrue(Number.isFinite(rate))
          assert.isAtLeast(rate, 1 / 600_000 - 1e-12)
        }
        assert.isTrue(Number.isFinite(bucket.level))
        assert.isAtMost(bucket.level, Math.max(1, bucket.capacity))
        // nobody is made to wait for longer than he was told, or for the time of one request and what it is owed
        assert.isAtMost(
          Pace.readyAt(pace, now),
          Math.max(now, pace.restsUntil) + (1 + Math.max(0, -bucket.level)) / bucket.rate + 1
        )
      }
    }), { numRuns: 500 })
  })
})

const secret = (n: number) => Redacted.make(`sk-${n}`)
const keysOf = (n: number) => Array.from({ length: n }, (_, index) => secret(index + 1)) as [Redacted.Redacted, ...Array<Redacted.Redacted>]

describe("the pool", () => {
  it.live("keeps its limits whoever comes, leaves or fails, in order of arrival, and gives nothing away (P37, P12)", () => {
    const caller = fc.record({ wait: fc.nat(900), gone: fc.option(fc.nat(5000), { nil: undefined }), refused: fc.boolean() })
    return Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(
          array(caller),
          fc.record({ perMinute: fc.integer({ min: 20, max: 300 }), burst: fc.integer({ min: 1, max: 6 }) }),
          (callers, { burst, perMinute }) => {
            const clock = VirtualClock.make()
            return Effect.runPromise(Effect.scoped(Effect.gen(function*() {
              const pool = yield* KeyPool.make({
                backend: "x",
                keys: keysOf(1),
                requestsPerMinute: perMinute,
                burst,
                pacing: false,
                maxWait: "1 day"
              })
              const sent: Array<readonly [at: number, caller: number]> = []
              const fibers: Array<Fiber.RuntimeFiber<void, unknown>> = []
              let refusals = 0
              for (const [index, { gone, refused, wait }] of callers.entries()) {
                yield* clock.advance(wait)
                const fiber = yield* Effect.fork(Effect.flatMap(pool.acquire("m"), (lease) =>
                  Effect.flatMap(Clock.currentTimeMillis, (now) =>
                    Effect.sync(() => {
                      // the server counts none that it refuses, and so may one more go
                      if (refused && refusals < 3) {
                        refusals++
                        lease.failed(new LlmError.RateLimited({ backend: "x", message: "no", retryAfter: Duration.zero }))
                      } else sent.push([now, index])
                      lease.release()
                    }))))
                fibers.push(fiber)
                if (gone !== undefined) yield* Effect.fork(Effect.zipRight(Effect.sleep(gone), Fiber.interrupt(fiber)))
              }
              yield* clock.advance(10 * 60 * 60 * 1000)
              assertWithin(sent.map(([at]) => [at, 1]), burst, perMinute / 60_000)
              assert.deepStrictEqual(sent.map(([, index]) => index), sent.map(([, index]) => index).sort((a, b) => a - b))
              const [key] = yield* pool.stats
              assert.deepInclude(key, { inFlight: 0, queued: 0, requests: sent.length + refusals })
              assert.strictEqual(key!.limits![0]!.remaining, burst)
            })).pipe(Effect.withClock(clock)))
          }
        ),
        { numRuns: 25 }
      )
    )
  }, 60_000)

  const event = fc.record({
    kind: fc.constantFrom("acquire", "acquire", "release", "429", "401", "quota", "pass"),
    which: fc.nat(20),
    model: fc.constantFrom<"x" | "y" | "z">("x", "y", "z"),
    seconds: fc.integer({ min: 0, max: 20 })
  })
  const limited = (millis: number) =>
    new LlmError.RateLimited({ backend: "x", message: "slow", retryAfter: Duration.millis(millis) })
  const quota = (millis: number) =>
    new LlmError.QuotaExhausted({ backend: "x", message: "used up", retryAfter: Duration.millis(millis) })
  const unauthorized = new LlmError.AuthenticationFailed({ backend: "x", message: "no such key" })

  // against a naive account of what each key may do
  it.effect.prop(
    "a key that cools is not used, one that may be used is found, and the first to be ready is named (P42, P44, P45)",
    [array(event)],
    ([events]) => {
      let now = 0
      const clock = { ...Clock.make(), unsafeCurrentTimeMillis: () => now }
      return Effect.scoped(Effect.gen(function*() {
        const pool = yield* KeyPool.make({ backend: "x", keys: keysOf(3), pacing: false, maxWait: 0 })
        const rests = [1, 2, 3].map(() => ({ whole: 0, x: 0, y: 0, z: 0, retired: false }))
        const readyAt = ({ retired, whole, x, y, z }: typeof rests[number], of: number) =>
          retired ? Infinity : Math.max(whole, of, [x, y, z].sort((a, b) => b - a)[1]!)
        const open: Array<{ readonly lease: KeyPool.Lease; readonly model: "x" | "y" | "z" }> = []
        let leased = 0
        for (const { kind, model, seconds, which } of events) {
          const held = open[which % Math.max(1, open.length)]
          const rest = rests[Number(held?.lease.id.slice(4)) - 1]
          if (kind === "pass") {
            now += seconds * 1000
          } else if (kind === "acquire" || held === undefined || rest === undefined) {
            const ready = rests.map((rest) => readyAt(rest, rest[model]))
            const answer = yield* Effect.either(pool.acquire(model))
            if (Either.isRight(answer)) {
              leased++
              open.push({ lease: answer.right, model })
              assert.isAtMost(ready[Number(answer.right.id.slice(4)) - 1]!, now)
            } else {
              assert.isAbove(Math.min(...ready), now)
              if (answer.left._tag === "KeysCooling") {
                assert.strictEqual(Duration.toMillis(answer.left.retryAfter!), Math.min(...ready) - now)
              } else {
                assert.isTrue(rests.every(({ retired, whole }) => retired || whole > now))
              }
            }
          } else if (kind === "release") {
            held.lease.release()
            open.splice(open.indexOf(held), 1)
          } else if (kind === "429") {
            held.lease.failed(limited(seconds * 1000))
            rest[held.model] = Math.max(rest[held.model], now + seconds * 1000)
          } else if (kind === "quota") {
            held.lease.failed(quota(seconds * 1000))
            rest.whole = Math.max(rest.whole, now + seconds * 1000)
          } else if (seconds > 18) {
            held.lease.failed(unauthorized)
            rest.retired = true
          }
        }
        const stats = yield* pool.stats
        assert.strictEqual(stats.reduce((sum, key) => sum + key.requests, 0), leased)
        assert.strictEqual(stats.reduce((sum, key) => sum + key.inFlight, 0), open.length)
      })).pipe(Effect.withClock(clock))
    },
    { fastCheck: { numRuns: 300 } }
  )

  it.effect.prop(
    "turns differ by at most one over any run with the same keys ready, whichever those are (P41)",
    [fc.integer({ min: 1, max: 6 }), fc.array(fc.nat(5), { maxLength: 4 }), fc.integer({ min: 1, max: 60 })],
    ([count, resting, picks]) =>
      Effect.scoped(Effect.gen(function*() {
        const pool = yield* KeyPool.make({ backend: "x", keys: keysOf(count), maxWait: 0 })
        const ids = Array.from({ length: count }, (_, index) => `key-${index + 1}`)
        const rested = new Set(resting.map((which) => ids[which % count]!))
        for (const id of rested) {
          const lease = yield* pool.acquire("m", { id })
          lease.failed(limited(60_000))
          lease.release()
        }
        const before = (yield* pool.stats).map((key) => key.requests)
        const answers = yield* Effect.replicateEffect(Effect.either(pool.acquire("m")), picks)
        assert.strictEqual(answers.filter(Either.isRight).length, rested.size === count ? 0 : picks)
        const taken = (yield* pool.stats).map((key, index) => key.requests - before[index]!)
        const ready = taken.filter((_, index) => !rested.has(ids[index]!))
        assert.deepStrictEqual(taken.filter((n, index) => rested.has(ids[index]!) && n > 0), [])
        if (ready.length > 0) assert.isAtMost(Math.max(...ready) - Math.min(...ready), 1)
      })),
    { fastCheck: { numRuns: 200 } }
  )

  // keys come and go, callers come and leave, and a backend keeps its own account of it
  it.live("nothing is lost while keys are added, removed, disabled, enabled and replaced (P1, P43, P46, KP-22)", () => {
    const step = fc.oneof(
      { weight: 8, arbitrary: fc.record({ kind: fc.constant("call" as const), takes: fc.nat(300), ends: fc.nat(9) }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant("leave" as const), which: fc.nat(50) }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant("pass" as const), millis: fc.nat(200) }) },
      {
        weight: 3,
        arbitrary: fc.record({
          kind: fc.constantFrom("add" as const, "remove" as const, "disable" as const, "enable" as const, "replace" as const),
          which: fc.nat(6)
        })
      }
    )
    return Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(array(step), fc.integer({ min: 1, max: 3 }), (steps, maxConcurrent) => {
          const clock = VirtualClock.make()
          return Effect.runPromise(Effect.scoped(Effect.gen(function*() {
            const pool = yield* KeyPool.make({ backend: "x", keys: keysOf(2), maxConcurrent, pacing: false })
            const upstream = { requests: 0, successes: 0, tokens: 0, microDollars: 0 }
            const busy = new Map<string, number>()
            // what was last seen of keys that have gone
            const gone = new Map<string, Monitor.Key>()
            const disabled = new Set<string>()
            const fibers: Array<Fiber.RuntimeFiber<string, never>> = []
            let made = 2
            const counted = { requests: 0, successes: 0, tokens: 0, microDollars: 0 }
            const count = (keys: Iterable<Monitor.Key>) => {
              for (const { inputTokens, microDollars, requests, successes } of keys) {
                counted.requests += requests
                counted.successes += successes
                counted.tokens += inputTokens
                counted.microDollars += microDollars!
              }
            }
            const call = (takes: number, ends: number) =>
              pool.acquire("m").pipe(
                Effect.flatMap((lease) =>
                  Effect.suspend(() => {
                    upstream.requests++
                    assert.isFalse(disabled.has(lease.id))
                    assert.isFalse(gone.has(lease.id))
                    busy.set(lease.id, (busy.get(lease.id) ?? 0) + 1)
                    assert.isAtMost(busy.get(lease.id)!, maxConcurrent)
                    return Effect.ensuring(
                      Effect.map(Effect.sleep(takes), () => {
                        if (ends === 0) lease.failed(new LlmError.ServerFault({ backend: "x", message: "broken" }))
                        else {
                          upstream.successes++
                          upstream.tokens += takes
                          upstream.microDollars += 3 * takes
                          lease.succeeded({ inputTokens: takes })
                        }
                        return "answered"
                      }),
                      Effect.map(pool.stats, (keys) => {
                        if (gone.has(lease.id)) gone.set(lease.id, keys.find(({ id }) => id === lease.id)!)
                        busy.set(lease.id, busy.get(lease.id)! - 1)
                        lease.release()
                      })
                    )
                  })
                ),
                Effect.catchAll((refusal) => Effect.succeed(refusal._tag))
              )
            const ids = () => Array.from({ length: made }, (_, index) => `key-${index + 1}`).filter((id) => !gone.has(id))
            for (const step of steps) {
              switch (step.kind) {
                case "call":
                  fibers.push(yield* Effect.fork(call(step.takes, step.ends)))
                  break
                case "leave": {
                  const fiber = fibers[step.which % Math.max(1, fibers.length)]
                  if (fiber !== undefined) yield* Fiber.interrupt(fiber)
                  break
                }
                case "pass":
                  yield* clock.advance(step.millis)
                  break
                case "add":
                  assert.strictEqual(yield* pool.add(secret(++made)), `key-${made}`)
                  break
                default: {
                  const id = ids()[step.which % Math.max(1, ids().length)]
                  if (id === undefined) break
                  yield* clock.settle
                  if (step.kind === "remove") gone.set(id, (yield* pool.stats).find((key) => key.id === id)!)
                  if (step.kind === "disable") disabled.add(id)
                  else disabled.delete(id)
                  if (step.kind === "replace") assert.isTrue(yield* pool.replace(id, secret(1000 + made)))
                  else assert.isTrue(yield* pool[step.kind](id))
                }
              }
              yield* clock.settle
              for (const { id, inFlight } of yield* pool.stats) assert.strictEqual(inFlight, busy.get(id) ?? 0)
            }
            yield* clock.advance(10_000)
            if (ids().every((id) => disabled.has(id))) yield* pool.add(secret(++made))
            yield* clock.advance(100_000)
            // nobody waits who could be served or told
            for (const fiber of fibers) assert.isTrue((yield* Fiber.status(fiber))._tag === "Done")
            const left = yield* pool.stats
            assert.deepStrictEqual(left.map((key) => key.id), ids())
            assert.deepStrictEqual(left.map(({ inFlight, queued }) => [inFlight, queued]), left.map(() => [0, 0]))
            count(left)
            count(gone.values())
            assert.deepStrictEqual(counted, upstream)
          })).pipe(
            Effect.withClock(clock),
            Effect.provideServiceEffect(PriceBook.CurrentPriceBook, PriceBook.make([{ price: { input: 3 } }]))
          ))
        }),
        { numRuns: 150 }
      )
    )
  }, 60_000)
})
