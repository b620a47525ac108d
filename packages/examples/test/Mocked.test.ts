/**
 * A program and its retries, tested without a model, a network or a key: the clock is simulated, so no test waits.
 */
import { assert, it } from "@effect/vitest"
import { LlmError, LlmService, Resilience } from "@spillway/core"
import { ScriptedLlm } from "@spillway/testing"
import { Duration, Effect, Fiber, TestClock } from "effect"

const greet = Effect.map(LlmService.generateText({ model: "any", prompt: "Say hello." }), (answer) => answer.text)
const rateLimited = new LlmError.RateLimited({
  backend: "scripted",
  message: "slow down",
  retryAfter: Duration.seconds(20)
})

it.effect("says what the model says", () =>
  Effect.gen(function*() {
    assert.strictEqual(yield* greet, "hello")
  }).pipe(Effect.provide(ScriptedLlm.layer("hello"))))

it.scoped("waits as long as the backend asks, and no longer", () =>
  Effect.gen(function*() {
    const scripted = yield* ScriptedLlm.make(rateLimited, "hello")
    const policy = yield* Resilience.standard(scripted.backend)
    const service = Resilience.protect(scripted, policy)

    const greeting = yield* Effect.fork(Effect.provideService(greet, LlmService.LlmService, service))
    yield* TestClock.adjust("20 seconds")

    assert.strictEqual(yield* Fiber.join(greeting), "hello")
    assert.deepStrictEqual((yield* scripted.requests).map((request) => request.at), [0, 20_000])
  }))
