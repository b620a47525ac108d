/**
 * Nothing may stay behind of a call, however it ended: no fiber, no timer, no sleeper, no memory. 30,000 calls are
 * made through every policy and a pool of keys, in simulated time; a million with `SOAK=1`.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Completion from "@spillway/core/Completion"
import * as KeyPool from "@spillway/core/KeyPool"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Monitor from "@spillway/core/Monitor"
import * as Policy from "@spillway/core/Policy"
import * as Prompt from "@spillway/core/Prompt"
import * as Resilience from "@spillway/core/Resilience"
import { Array as Arr, Cause, Duration, Effect, Exit, Fiber, Option, Random, Redacted, Stream, Supervisor } from "effect"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import * as VirtualClock from "./virtualClock.js"

const total = process.env["SOAK"] === "1" ? 1_000_000 : 30_000
// what the first calls leave is what the program keeps anyway: caches, compiled code, samples
const warmUp = Math.max(total / 10, 10_000)
const wave = 500
const backend = "scripted"

setFlagsFromString("--expose-gc")
const collect: () => void = runInNewContext("gc")

const heap = Effect.promise(async () => {
  for (let i = 0; i < 3; i++) {
    await new Promise(setImmediate)
    collect()
  }
  return process.memoryUsage().heapUsed
})

const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length

/** Counts the fibers that began and have not ended. */
class Living extends Supervisor.AbstractSupervisor<number> {
  count = 0
  value = Effect.sync(() => this.count)
  override onStart() {
    this.count++
  }
  override onEnd() {
    this.count--
  }
}

const completion = Completion.make({
  model: "m",
  content: [Prompt.text("hello")],
  finishReason: "stop",
  usage: { inputTokens: 5, outputTokens: 1 }
})

const later = (millis: number) => Effect.delay(Effect.succeed(completion), millis)

/** What becomes of the attempts that do not succeed at once: every kind of end has its turn, every so many attempts. */
const ends: ReadonlyArray<readonly [every: number, end: Effect.Effect<Completion.Completion, LlmError.LlmError>]> = [
  [101, Effect.never],
  [97, Effect.die("a bug")],
  [89, Effect.fail(new LlmError.InvalidRequest({ backend, message: "no" }))],
  [53, Effect.fail(new LlmError.NetworkFailure({ backend, message: "reset" }))],
  [43, Effect.delay(Effect.fail(new LlmError.ServerFault({ backend, message: "broken" })), 5)],
  [61, Effect.fail(new LlmError.RateLimited({ backend, message: "slow down", retryAfter: Duration.millis(8) }))],
  [3, later(20)],
  [2, later(7)]
]

const endOf = (attempt: number) => ends.find(([every]) => attempt % every === 0)?.[1] ?? Effect.succeed(completion)

const service = (pool: KeyPool.KeyPool): LlmService.Service => {
  let attempts = 0
  const attempt = Effect.acquireUseRelease(
    pool.acquire("m"),
    (lease) =>
      Effect.suspend(() => endOf(++attempts)).pipe(
        Effect.tap(({ usage }) => Effect.sync(() => lease.succeeded(usage))),
        Effect.mapError(lease.failed)
      ),
    (lease) => Effect.sync(lease.release)
  )
  return LlmService.make(backend, {
    generateText: () => attempt,
    streamText: () => Stream.unwrap(Effect.map(attempt, (answer) => Stream.fromIterable(Completion.toParts(answer))))
  })
}

describe("a call", () => {
  it.effect(`leaves nothing behind, were there ${total.toLocaleString("en")} of them`, () => {
    const clock = VirtualClock.make(1_000_000)
    const living = new Living()
    const soak = Effect.gen(function*() {
      const keys = Arr.makeBy(8, (n) => Redacted.make(`key-number-${n}`))
      const pool = yield* KeyPool.make({ backend, keys, strategy: "least-loaded" })
      const policy = yield* Resilience.standard(backend, {
        retry: { maxRetries: 2, initialDelay: "10 millis", maxDelay: "50 millis" },
        queue: { capacity: wave - 50, concurrency: 20 },
        breaker: { failures: 20, openFor: "50 millis" },
        timeout: { attempt: "200 millis", idle: "200 millis" }
      })
      const llm = Resilience.protect(service(pool), policy)
      const request = { model: "m", prompt: "hi" }
      const outcomes = new Map<string, number>()
      const count = (exit: Exit.Exit<unknown, LlmError.LlmError>) => {
        const outcome = Exit.match(exit, {
          onSuccess: () => "success",
          onFailure: (cause) =>
            Cause.isInterrupted(cause)
              ? "interrupted"
              : Option.match(Cause.failureOption(cause), { onNone: () => "died", onSome: ({ _tag }) => _tag })
        })
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
      }
      const call = (n: number): Effect.Effect<unknown, LlmError.LlmError> => {
        if (n % 11 === 0) return Stream.runDrain(llm.streamText(request))
        if (n % 13 === 0) return Stream.runDrain(Stream.take(llm.streamText(request), 1))
        if (n % 17 === 0) return Policy.withDeadline(llm.generateText(request), "30 millis")
        if (n % 5 === 0) return Policy.withTenant(llm.generateText(request), `tenant-${n % 7}`)
        return n % 3 === 0 ? Policy.withPriority(llm.generateText(request), n % 2) : llm.generateText(request)
      }
      const runWave = Effect.gen(function*() {
        const fibers: Array<Fiber.RuntimeFiber<unknown, LlmError.LlmError>> = []
        for (let n = 0; n < wave; n++) fibers.push(yield* Effect.fork(call(n)))
        yield* clock.advance(15)
        // some lose patience
        yield* Effect.forEach(fibers.filter((_, n) => n % 29 === 0), Fiber.interruptFork, { discard: true })
        yield* clock.advance(10_000)
        for (const fiber of fibers) count(yield* Fiber.await(fiber))
      })
      for (let done = 0; done < warmUp; done += wave) yield* runWave
      yield* clock.settle
      const before = { heap: yield* heap, timers: timers(), fibers: living.count }
      for (let done = warmUp; done < total; done += wave) yield* runWave
      yield* clock.settle
      const after = { heap: yield* heap, timers: timers(), fibers: living.count }

      const { backends: [seen] } = yield* Monitor.snapshot
      assert.strictEqual([...outcomes.values()].reduce((sum, n) => sum + n, 0), total)
      for (const outcome of ["success", "ServerFault", "QueueFull", "DeadlineExceeded", "interrupted", "InvalidRequest", "died"]) {
        assert.isAbove(outcomes.get(outcome) ?? 0, 0, outcome)
      }
      assert.deepInclude(seen?.queue, { waiting: 0, inFlight: 0 })
      assert.deepStrictEqual(seen?.keys?.map(({ inFlight }) => inFlight), Array(8).fill(0))
      assert.strictEqual(after.fibers, before.fibers, "fibers")
      assert.isAtMost(after.timers, before.timers, "timers")
      // one byte for every call would be a megabyte of a million; noise is less than that
      assert.isBelow(after.heap - before.heap, 1_000_000, "heap")
    })
    return Effect.scoped(soak).pipe(
      Effect.provideService(Monitor.CurrentMonitor, Monitor.unsafeMake()),
      Effect.withClock(clock),
      Effect.withRandom(Random.make("soak")),
      Effect.provide(Supervisor.addSupervisor(living))
    )
  }, 900_000)
})
