/**
 * The standard policies before a backend that fails: what callers see of it, and what it sees of them. In simulated
 * time, by a seed that a failure prints.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Completion from "@spillway/core/Completion"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Monitor from "@spillway/core/Monitor"
import * as Prompt from "@spillway/core/Prompt"
import * as Resilience from "@spillway/core/Resilience"
import { Duration, Effect, Exit, Fiber, Random } from "effect"
import * as VirtualClock from "./virtualClock.js"

const backend = "scripted"
const request = { model: "m", prompt: "hi" }
const completion = Completion.make({ model: "m", content: [Prompt.text("hello")], finishReason: "stop", usage: {} })
const answer = Effect.delay(Effect.succeed(completion), "30 millis")
const broken = Effect.delay(Effect.fail(new LlmError.ServerFault({ backend, status: 500, message: "broken" })), "10 millis")
const reset = Effect.delay(Effect.fail(new LlmError.NetworkFailure({ backend, message: "reset" })), "5 millis")
const refused = Effect.fail(new LlmError.NetworkFailure({ backend, message: "refused" }))
const limited = Effect.delay(
  Effect.fail(new LlmError.RateLimited({ backend, message: "slow down", retryAfter: Duration.seconds(1) })),
  "5 millis"
)

/** A backend that answers each attempt as it is told, behind the standard policies, on a clock of its own. */
const world = <A, E>(
  seed: string,
  options: Resilience.Options,
  attempt: (now: number) => Effect.Effect<Completion.Completion, LlmError.LlmError>,
  use: (
    llm: LlmService.Service,
    sent: ReadonlyArray<number>,
    clock: VirtualClock.VirtualClock
  ) => Effect.Effect<A, E>
) => {
  const clock = VirtualClock.make()
  const sent: Array<number> = []
  const service = LlmService.make(backend, {
    generateText: () =>
      Effect.suspend(() => {
        const now = clock.unsafeCurrentTimeMillis()
        sent.push(now)
        return attempt(now)
      })
  })
  return Effect.flatMap(Resilience.standard(backend, options), (policy) =>
    use(Resilience.protect(service, policy), sent, clock)).pipe(
      Effect.scoped,
      Effect.provideService(Monitor.CurrentMonitor, Monitor.unsafeMake()),
      Effect.withRandom(Random.make(seed)),
      Effect.withClock(clock)
    )
}

const chance = (seed: string) => {
  const random = Random.make(seed)
  return Effect.runSync(Effect.map(Effect.replicateEffect(random.next, 20_000), (values) => {
    let next = 0
    return () => values[next++ % values.length]!
  }))
}

describe("the standard policies", () => {
  it.effect("before one attempt in five that fails, 64 at once, lose no call and send no more than they must", () =>
    Effect.forEach(Array.from({ length: 8 }, (_, n) => `faults-${n}`), (seed) => {
      const draw = chance(seed)
      const attempt = () => {
        const drawn = draw()
        return drawn < 0.1 ? broken : drawn < 0.15 ? reset : drawn < 0.2 ? limited : answer
      }
      return world(seed, { queue: { concurrency: 64 } }, attempt, (llm, sent, clock) =>
        Effect.gen(function*() {
          let asked = 0
          const failures: Array<string> = []
          const caller: Effect.Effect<void> = Effect.suspend(() =>
            asked++ >= 2_000 ? Effect.void : Effect.zipRight(
              Effect.catchAll(llm.generateText(request), (error) => Effect.sync(() => failures.push(error._tag))),
              caller
            ))
          const callers = yield* Effect.fork(Effect.all(Array.from({ length: 64 }, () => caller), { concurrency: "unbounded" }))
          yield* clock.advance(300_000)
          assert.isNotNull(callers.unsafePoll(), seed)
          assert.deepStrictEqual(failures, [], seed)
          assert.isAtMost(sent.length / 2_000, 1.3, seed)
        }))
    }, { discard: true }), 120_000)

  const outages: ReadonlyArray<readonly [string, Effect.Effect<never, LlmError.LlmError>, Resilience.Options]> = [
    ["refuses", refused, {}],
    ["hangs", Effect.never, { timeout: { attempt: "1 second" } }]
  ]
  const dies = 5_000
  const returns = 65_000
  const openFor = 30_000
  for (const [how, dead, options] of outages) {
    it.effect(`before a backend that dies and ${how}, ask it no more than they must, and are back soon after it`, () =>
      world("outage", options, (now) => now >= dies && now < returns ? dead : answer, (llm, sent, clock) =>
        Effect.gen(function*() {
          const ends: Array<{ readonly at: number; readonly success: boolean }> = []
          const call = Effect.flatMap(Effect.exit(llm.generateText(request)), (exit) =>
            Effect.sync(() => ends.push({ at: clock.unsafeCurrentTimeMillis(), success: Exit.isSuccess(exit) })))
          // 100 calls a second, of which it could serve 166
          const source = yield* Effect.fork(
            Effect.forever(Effect.zipRight(Effect.fork(call), Effect.sleep("10 millis")))
          )
          yield* clock.advance(returns + openFor + 5_000)
          yield* Fiber.interrupt(source)
          const meanwhile = sent.filter((at) => at >= dies && at < returns).length
          // 5 failures open it; 5 may be under way then; a probe every 30 seconds
          assert.isAtMost(meanwhile, 5 + 5 + (returns - dies) / openFor)
          assert.isAtMost(Math.min(...ends.filter(({ at, success }) => success && at > returns).map(({ at }) => at)), returns + openFor + 100)
          const late = ends.filter(({ at }) => at > returns + openFor + 1_000)
          assert.isAbove(late.filter(({ success }) => success).length, 300)
        })), 60_000)
  }
})
