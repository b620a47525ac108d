import { assert, describe, it } from "@effect/vitest"
import * as LlmError from "@spillway/core/LlmError"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as Patience from "../../src/bulk/Patience.js"

const backend = "b"
const open = (seconds?: number) =>
  new LlmError.CircuitOpen({ backend, message: "open", ...(seconds !== undefined && { retryAfter: Duration.seconds(seconds) }) })
const spent = new LlmError.BudgetExceeded({ backend, message: "spent", limit: "bulk", reason: "LimitReached", atLimit: "refuse" })

/** Fails with each of these in turn, then answers. */
const after = (...errors: ReadonlyArray<LlmError.LlmError>) => {
  let asked = 0
  return {
    asked: () => asked,
    call: Effect.suspend((): Effect.Effect<string, LlmError.LlmError> => {
      const error = errors[asked++]
      return error === undefined ? Effect.succeed("answer") : Effect.fail(error)
    })
  }
}

const make = Patience.make(Duration.minutes(10))

describe("Patience", () => {
  it.effect("comes again when a backend that let nobody in says so", () =>
    Effect.gen(function*() {
      const patience = yield* make
      const { asked, call } = after(open(30), open())
      const fiber = yield* Effect.fork(patience.ask(call))
      yield* TestClock.adjust("29 seconds")
      assert.deepStrictEqual([asked(), patience.held()], [1, 1])
      yield* TestClock.adjust("1 second")
      assert.strictEqual(asked(), 2)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual([yield* Fiber.join(fiber), asked(), patience.held()], ["answer", 3, 0])
    }))

  it.effect("does not come again for what is wrong with the line", () =>
    Effect.gen(function*() {
      const patience = yield* make
      const error = new LlmError.InvalidRequest({ backend, message: "no" })
      assert.deepStrictEqual(yield* Effect.exit(patience.ask(after(error).call)), Exit.fail(error))
      assert.isUndefined(patience.stopped())
    }))

  it.effect("stops when nothing has gone on for too long, and fails no line for it", () =>
    Effect.gen(function*() {
      const patience = yield* make
      const fiber = yield* Effect.fork(patience.ask(Effect.fail(open(30))))
      yield* TestClock.adjust("9 minutes")
      yield* patience.ask(Effect.succeed("something goes on"))
      yield* TestClock.adjust("9 minutes")
      assert.isUndefined(patience.stopped())
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* Fiber.await(fiber), Exit.fail(new Patience.Left()))
      assert.deepStrictEqual(patience.stopped(), { reason: "standstill", detail: "open" })
    }))

  it.effect("waits while calls under way may have reserved what the budget lacks", () =>
    Effect.gen(function*() {
      const patience = yield* make
      const answered = yield* Deferred.make<string, LlmError.LlmError>()
      const under = yield* Effect.fork(patience.ask(Deferred.await(answered)))
      const { asked, call } = after(spent)
      const fiber = yield* Effect.fork(patience.ask(call))
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual([asked(), patience.held(), patience.stopped()], [1, 1, undefined])
      yield* Deferred.succeed(answered, "cheaper than feared")
      assert.deepStrictEqual([yield* Fiber.join(under), yield* Fiber.join(fiber)], ["cheaper than feared", "answer"])
    }))

  it.effect("stops when the budget has no room although nothing is under way", () =>
    Effect.gen(function*() {
      const patience = yield* make
      assert.deepStrictEqual(yield* Effect.exit(patience.ask(after(spent).call)), Exit.fail(new Patience.Left()))
      assert.deepStrictEqual(patience.stopped(), { reason: "budget" })
    }))

  it.effect("stops at once when a budget is to be kept and nobody knows the price", () =>
    Effect.gen(function*() {
      const patience = yield* make
      const error = new LlmError.BudgetExceeded({ backend, message: "price?", limit: "bulk", reason: "PriceUnknown", atLimit: "refuse" })
      assert.deepStrictEqual(yield* Effect.exit(patience.ask(after(error).call)), Exit.fail(new Patience.Left()))
      assert.deepStrictEqual(patience.stopped(), { reason: "price", detail: "price?" })
    }))

  it.effect("leaves those who wait when it is stopped, for the first reason that is given", () =>
    Effect.gen(function*() {
      const patience = yield* make
      const fiber = yield* Effect.fork(patience.ask(Effect.fail(open(30))))
      yield* TestClock.adjust("1 second")
      yield* patience.stop("interrupted")
      yield* patience.stop("deadline")
      assert.deepStrictEqual(yield* Fiber.await(fiber), Exit.fail(new Patience.Left()))
      assert.deepStrictEqual(patience.stopped(), { reason: "interrupted" })
    }))
})
