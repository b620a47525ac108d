import { assert, describe, it } from "@effect/vitest"
import * as Completion from "@spillway/core/Completion"
import * as KeyPool from "@spillway/core/KeyPool"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Prompt from "@spillway/core/Prompt"
import type * as Catalogue from "@spillway/providers/Catalogue"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import * as Load from "../src/Load.js"

const backend = "openai"
const entry: Pick<Catalogue.Entry, "models"> = { models: { generateText: "m" } }
const answer = Completion.make({ model: "m", content: [Prompt.text("hello")], finishReason: "stop", usage: {} })

/** Every call takes ten milliseconds. */
const run = (call: Effect.Effect<unknown, LlmError.LlmError>) =>
  Effect.gen(function*() {
    const service = LlmService.make(backend, { generateText: () => Effect.as(Effect.zipLeft(call, Effect.sleep(10)), answer) })
    const fiber = yield* Effect.fork(Load.run(backend, entry, service))
    yield* TestClock.adjust("10 minutes")
    return yield* Fiber.join(fiber)
  })

const pool = Effect.map(
  KeyPool.make({ backend, keys: [Redacted.make("sk-one"), Redacted.make("sk-two")] }),
  (pool) => (id?: string) =>
    Effect.scoped(Effect.map(pool.lease("m", id === undefined ? {} : { id }), (lease) => lease.succeeded({})))
)

describe("Load", () => {
  it.effect("finds the queue and backoff of a backend that answers in order", () =>
    Effect.gen(function*() {
      const { backoff, multiplexing, queue } = yield* run(Effect.void)
      // six calls, two at once
      assert.deepStrictEqual(queue, { _tag: "Passed", millis: 30 })
      assert.deepStrictEqual(backoff, { _tag: "Passed", millis: 310 })
      assert.strictEqual(multiplexing._tag, "Skipped")
    }))

  it.effect("finds every key at work, or tells of the idle ones", () =>
    Effect.scoped(Effect.gen(function*() {
      const use = yield* pool
      assert.deepStrictEqual((yield* run(use())).multiplexing, { _tag: "Passed", millis: 10, detail: "2 keys" })
      const { multiplexing } = yield* run(use("key-1"))
      assert.strictEqual(multiplexing._tag === "Failed" && multiplexing.message, "key-2 had nothing to do")
    })))

  it.effect("tells the error of a backend that cannot take it", () =>
    Effect.gen(function*() {
      const { backoff, queue } = yield* run(Effect.fail(new LlmError.InvalidRequest({ backend, message: "no" })))
      assert.deepStrictEqual(queue, { _tag: "Failed", millis: 0, error: "InvalidRequest", message: "no" })
      assert.strictEqual(backoff._tag, "Failed")
    }))

  it.effect("asks nothing where nothing is cheap to ask", () =>
    Effect.gen(function*() {
      const { queue } = yield* Load.run(backend, { models: {} }, LlmService.make(backend, {}))
      assert.strictEqual(queue._tag, "Skipped")
    }))
})
