/** How long a stream may take to begin, where that is another time than an answer may take to be whole. */
import { assert, describe, it } from "@effect/vitest"
import type * as Completion from "@spillway/core/Completion"
import * as InvalidOptions from "@spillway/core/InvalidOptions"
import * as Resilience from "@spillway/core/Resilience"
import * as Timeout from "@spillway/core/Timeout"
import * as ScriptedLlm from "@spillway/testing/ScriptedLlm"
import { Effect, Either, Fiber, Stream, TestClock } from "effect"

const request = { model: "m", prompt: "hi" }
const start: Completion.Part = { _tag: "Start", model: "m" }
const finish: Completion.Part = { _tag: "Finish", finishReason: "stop", usage: {} }

const make = (options: Timeout.Options, ...script: ReadonlyArray<ScriptedLlm.Step>) =>
  Effect.gen(function*() {
    const llm = yield* ScriptedLlm.make(...script)
    return Resilience.protect(llm, (yield* Timeout.make(options)).policy)
  })

/** What it fails with, and when. */
const fate = <A, E extends { readonly _tag: string }>(effect: Effect.Effect<A, E>, seconds: number) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.fork(
      Effect.zip(Effect.either(effect), Effect.clockWith((clock) => clock.currentTimeMillis))
    )
    yield* TestClock.adjust(`${seconds} seconds`)
    const [ended, at] = yield* Fiber.join(fiber)
    return [Either.isLeft(ended) ? ended.left._tag : "answered", at]
  })

describe("Timeout", () => {
  it.scoped("firstPart ends a stream that does not begin, and no answer that is not streamed", () =>
    Effect.gen(function*() {
      const llm = yield* make({ attempt: "60 seconds", firstPart: "5 seconds" }, Effect.never, Effect.never)
      assert.deepStrictEqual(yield* fate(Stream.runDrain(llm.streamText(request)), 5), ["TimedOut", 5_000])
      assert.deepStrictEqual(yield* fate(llm.generateText(request), 60), ["TimedOut", 65_000])
    }))

  it.scoped("firstPart says how long it was, and no more once the stream has begun", () =>
    Effect.gen(function*() {
      const llm = yield* make({ firstPart: "5 seconds" }, Effect.never, [
        Effect.delay(Effect.succeed(start), "4 seconds"),
        Effect.delay(Effect.succeed(finish), "50 seconds")
      ])
      const late = yield* Effect.fork(Effect.flip(Stream.runDrain(llm.streamText(request))))
      yield* TestClock.adjust("5 seconds")
      assert.include((yield* Fiber.join(late)).message, "within 5s")
      assert.deepStrictEqual(yield* fate(Stream.runDrain(llm.streamText(request)), 54), ["answered", 59_000])
    }))

  it.scoped("firstPart may be longer than an attempt, or endless", () =>
    Effect.gen(function*() {
      const llm = yield* make({ attempt: "5 seconds", firstPart: Infinity }, [
        Effect.delay(Effect.succeed(start), "1 hours"),
        finish
      ], Effect.never)
      assert.deepStrictEqual(yield* fate(Stream.runDrain(llm.streamText(request)), 3600), ["answered", 3_600_000])
      assert.deepStrictEqual(yield* fate(llm.generateText(request), 5), ["TimedOut", 3_605_000])
    }))

  it.scoped("firstPart must be a time", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Timeout.make({ firstPart: 0 }))
      assert.instanceOf(error, InvalidOptions.InvalidOptions)
      assert.include(error.message, "firstPart")
    }))
})
