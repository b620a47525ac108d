import { assert, describe, it } from "@effect/vitest"
import * as Held from "@spillway/core/Held"
import * as LlmError from "@spillway/core/LlmError"
import * as Policy from "@spillway/core/Policy"
import * as Resilience from "@spillway/core/Resilience"
import * as ScriptedLlm from "@spillway/testing/ScriptedLlm"
import { Cause, Effect, Exit, Fiber, Option, Stream, TestClock } from "effect"

const request = { model: "m", prompt: "hi" }
const fault = new LlmError.ServerFault({ backend: "scripted", message: "broken" })

const call = (held = Held.make()): Policy.Call => ({
  backend: "scripted",
  operation: "generateText",
  isStreamed: false,
  model: "m",
  priority: 1,
  deadline: Option.none(),
  tenant: "",
  id: Option.none(),
  attempt: 1,
  arrival: { since: undefined, sequence: 0 },
  held
})

/** Remembers what it saw of each call, and lets it through. */
const recorder = () => {
  const calls: Array<Policy.Call> = []
  const policy: Policy.Policy = (next) => (call) => {
    calls.push(call)
    return next(call)
  }
  return { calls, policy }
}

describe("Policy", () => {
  it("has a number for every priority, within high and low", () => {
    assert.deepStrictEqual(
      (["high", "normal", "low", 0, 0.5, 2, -1, 3, Infinity, -Infinity, NaN] as const).map(Policy.toLevel),
      [0, 1, 2, 0, 0.5, 2, 0, 2, 2, 0, 1]
    )
  })

  it.effect("sees of a call what its caller says of it", () =>
    Effect.gen(function*() {
      const { calls, policy } = recorder()
      const service = Resilience.protect(yield* ScriptedLlm.make(ScriptedLlm.repeat("hello")), policy)
      yield* TestClock.adjust("1 second")
      yield* service.generateText(request)
      yield* service.generateText(request).pipe(
        Policy.withPriority("high"),
        Policy.withTenant("acme"),
        Policy.withDeadline("5 seconds")
      )
      yield* Stream.runDrain(service.streamText(request).pipe(
        Policy.withDeadlineStream("2 seconds"),
        Stream.provideService(Policy.CurrentPriority, 2)
      ))
      assert.deepStrictEqual(
        calls.map(({ attempt, backend, deadline, model, operation, priority, tenant }) => (
          { attempt, backend, deadline: Option.getOrNull(deadline), model, operation, priority, tenant }
        )),
        [
          { backend: "scripted", operation: "generateText", model: "m", priority: 1, deadline: null, tenant: "", attempt: 1 },
          { backend: "scripted", operation: "generateText", model: "m", priority: 0, deadline: 6000, tenant: "acme", attempt: 1 },
          { backend: "scripted", operation: "streamText", model: "m", priority: 2, deadline: 3000, tenant: "", attempt: 1 }
        ]
      )
    }))

  it.effect("counts a deadline from when the effect starts, and the earlier of two holds", () =>
    Effect.gen(function*() {
      const deadline = Effect.map(Policy.CurrentDeadline, Option.getOrNull)
      const inner = yield* deadline.pipe(Policy.withDeadline("5 seconds"), Policy.withDeadline("2 seconds"))
      const outer = yield* deadline.pipe(Policy.withDeadline("2 seconds"), Policy.withDeadline("5 seconds"))
      assert.deepStrictEqual([inner, outer], [2000, 2000])
      const later = Policy.withDeadline(deadline, "1 second")
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* later, 11_000)
    }))

  it.effect("composed, shows the call to the first one first", () =>
    Effect.gen(function*() {
      const order: Array<string> = []
      const named = (name: string): Policy.Policy => (next) => (call) => {
        order.push(name)
        return Effect.tap(next(call), () => void order.push(`${name} back`))
      }
      yield* Policy.compose(named("outer"), Policy.identity, named("inner"))(() => Effect.void)(call())
      assert.deepStrictEqual(order, ["outer", "inner", "inner back", "outer back"])
    }))

  describe("attempt", () => {
    const taking = (log: Array<string>, then: Effect.Effect<string, LlmError.LlmError>) => (call: Policy.Call) =>
      Effect.suspend(() => {
        call.held.add((exit) => void log.push(exit._tag))
        return then
      })

    it.effect("gives back what a failed attempt took before anyone hears of the failure", () =>
      Effect.gen(function*() {
        const log: Array<string> = []
        const held = Held.make()
        const attempt = Policy.attempt(taking(log, fault), call(held))
        yield* Effect.catchAll(attempt, () => Effect.sync(() => log.push("caught")))
        assert.deepStrictEqual(log, ["Failure", "caught"])
        yield* held.close(Exit.void)
        assert.deepStrictEqual(log, ["Failure", "caught"])
      }))

    it.effect("gives back at once when it is interrupted, or dies", () =>
      Effect.gen(function*() {
        const log: Array<string> = []
        const fiber = yield* Effect.fork(Policy.attempt(taking(log, Effect.never), call()))
        yield* TestClock.adjust(0)
        yield* Fiber.interrupt(fiber)
        assert.deepStrictEqual(log, ["Failure"])
        const exit = yield* Effect.exit(Policy.attempt(taking(log, Effect.die("a bug")), call()))
        assert.isTrue(Exit.isFailure(exit) && Cause.isDieType(exit.cause))
        assert.deepStrictEqual(log, ["Failure", "Failure"])
      }))

    it.effect("hands what a successful attempt took to the call, which gives it back when it ends", () =>
      Effect.gen(function*() {
        const log: Array<string> = []
        const held = Held.make()
        assert.strictEqual(yield* Policy.attempt(taking(log, Effect.succeed("answer")), call(held)), "answer")
        assert.deepStrictEqual(log, [])
        yield* held.close(Exit.void)
        assert.deepStrictEqual(log, ["Success"])
      }))
  })
})
