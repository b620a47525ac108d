import { type Completion, LlmError, LlmService, Policy, Prompt } from "@spillway/core"
import { ScriptedLlm } from "@spillway/testing"
import { assert, describe, it } from "@effect/vitest"
import { Chunk, Effect, Exit, Fiber, Option, Stream, TestClock } from "effect"

const request: Completion.Request = { model: "parrot", prompt: "hi" }
const slowDown = new LlmError.RateLimited({ backend: "scripted", message: "slow down" })
const parts: ReadonlyArray<Completion.Part> = [
  { _tag: "Start", model: "parrot" },
  { _tag: "TextDelta", text: "hel" },
  { _tag: "TextDelta", text: "lo" },
  { _tag: "Finish", finishReason: "stop", usage: { outputTokens: 2 } }
]

describe("ScriptedLlm", () => {
  it.effect("plays its steps in order and remembers what was asked", () =>
    Effect.gen(function*() {
      const llm = yield* ScriptedLlm.make("one", slowDown, "two")
      assert.strictEqual((yield* llm.generateText(request)).text, "one")
      assert.strictEqual(yield* Effect.flip(llm.generateText({ ...request, model: "other" })), slowDown)
      yield* TestClock.adjust("3 seconds")
      const answer = yield* llm.generateText(request)
      assert.deepStrictEqual(answer, {
        model: "parrot",
        content: [Prompt.text("two")],
        text: "two",
        toolCalls: [],
        finishReason: "stop",
        usage: {}
      })
      const asked = yield* llm.requests
      assert.deepStrictEqual(
        asked.map((asked) => [asked.operation, asked.operation === "generateText" && asked.request.model, asked.at]),
        [["generateText", "parrot", 0], ["generateText", "other", 0], ["generateText", "parrot", 3000]]
      )
    }))

  it.effect("dies when it is asked more than the script holds", () =>
    Effect.gen(function*() {
      const llm = yield* ScriptedLlm.make("one")
      yield* llm.generateText(request)
      const exit = yield* Effect.exit(llm.generateText(request))
      assert.isTrue(Exit.isFailure(exit))
      assert.include(String(exit), "scripted: the script has 1 steps, and this is call 2 (generateText)")
    }))

  it.effect("repeats a step for ever", () =>
    Effect.gen(function*() {
      const llm = yield* ScriptedLlm.make("first", ScriptedLlm.repeat("again"))
      const texts = yield* Effect.forEach([1, 2, 3], () => Effect.map(llm.generateText(request), ({ text }) => text))
      assert.deepStrictEqual(texts, ["first", "again", "again"])
    }))

  it.effect("streams a text word by word, and the same answer whole", () =>
    Effect.gen(function*() {
      const llm = yield* ScriptedLlm.make(ScriptedLlm.repeat("hello big world"))
      const streamed = Chunk.toReadonlyArray(yield* Stream.runCollect(llm.streamText(request)))
      assert.deepStrictEqual(
        streamed.map((part) => part._tag === "TextDelta" ? part.text : part._tag),
        ["Start", "hello ", "big ", "world", "Finish"]
      )
      assert.strictEqual((yield* llm.generateText(request)).text, "hello big world")
    }))

  it.effect("breaks a stream off where the script says so", () =>
    Effect.gen(function*() {
      const cut = new LlmError.StreamInterrupted({ backend: "scripted", message: "cut" })
      const llm = yield* ScriptedLlm.make(ScriptedLlm.repeat([...parts.slice(0, 2), cut]))
      const seen: Array<Completion.Part> = []
      const error = yield* Effect.flip(Stream.runForEach(llm.streamText(request), (part) =>
        Effect.sync(() => seen.push(part))))
      assert.strictEqual(error, cut)
      assert.deepStrictEqual(seen, parts.slice(0, 2))
      assert.strictEqual(yield* Effect.flip(llm.generateText(request)), cut)
      assert.strictEqual(yield* llm.inFlight, 0)
      assert.strictEqual(yield* llm.interrupted, 0)
    }))

  it.effect("folds a list of parts into a whole answer", () =>
    Effect.gen(function*() {
      const llm = yield* ScriptedLlm.make(parts)
      const answer = yield* llm.generateText(request)
      assert.strictEqual(answer.text, "hello")
      assert.deepStrictEqual(answer.usage, { outputTokens: 2 })
    }))

  it.effect("takes its time where a step is an effect", () =>
    Effect.gen(function*() {
      const llm = yield* ScriptedLlm.make(
        Effect.delay(Effect.succeed("late"), "2 seconds"),
        parts.map((part) => Effect.delay(Effect.succeed(part), "1 second"))
      )
      const answer = yield* Effect.fork(llm.generateText(request))
      yield* TestClock.adjust("1999 millis")
      assert.isTrue(Option.isNone(yield* Fiber.poll(answer)))
      assert.strictEqual(yield* llm.inFlight, 1)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* Fiber.join(answer)).text, "late")
      assert.strictEqual(yield* llm.inFlight, 0)

      const seen: Array<Completion.Part> = []
      const stream = yield* Effect.fork(
        Stream.runForEach(llm.streamText(request), (part) => Effect.sync(() => seen.push(part)))
      )
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(seen.length, 2)
      assert.strictEqual(yield* llm.inFlight, 1)
      yield* TestClock.adjust("2 seconds")
      yield* Fiber.join(stream)
      assert.strictEqual(yield* llm.inFlight, 0)
    }))

  it.effect("counts the calls that were given up", () =>
    Effect.gen(function*() {
      const llm = yield* ScriptedLlm.make(Effect.never, [...parts.slice(0, 1), Effect.never], "a b c", "whole")
      const answer = yield* Effect.fork(llm.generateText(request))
      const stream = yield* Effect.fork(Stream.runDrain(llm.streamText(request)))
      yield* Effect.yieldNow()
      yield* TestClock.adjust(0)
      assert.strictEqual(yield* llm.inFlight, 2)
      yield* Fiber.interrupt(answer)
      assert.strictEqual(yield* llm.interrupted, 1)
      yield* Fiber.interrupt(stream)
      assert.strictEqual(yield* llm.interrupted, 2)
      yield* Stream.runDrain(Stream.take(llm.streamText(request), 1))
      assert.strictEqual(yield* llm.interrupted, 3)
      yield* Stream.runDrain(llm.streamText(request))
      assert.strictEqual(yield* llm.interrupted, 3)
      assert.strictEqual(yield* llm.inFlight, 0)
    }))

  it.effect("plays tool calls, and completions as far as they are told", () =>
    Effect.gen(function*() {
      const call = ScriptedLlm.toolCall("weather", { city: "Oslo" })
      const llm = yield* ScriptedLlm.make(call, {
        content: [{ _tag: "Reasoning", text: "hm", signature: "s" }, call],
        usage: { inputTokens: 3 }
      })
      const first = yield* llm.generateText(request)
      assert.deepStrictEqual(first.toolCalls, [
        { _tag: "ToolCall", id: "call_weather", name: "weather", arguments: "{\"city\":\"Oslo\"}" }
      ])
      assert.strictEqual(first.finishReason, "tool-calls")
      const second = yield* llm.generateText(request)
      assert.deepStrictEqual(second.usage, { inputTokens: 3 })
      assert.strictEqual(second.content.length, 2)
    }))

  it.effect("answers embeddings, rankings and model lists, and dies of a step that does not fit", () =>
    Effect.gen(function*() {
      const llm = yield* ScriptedLlm.make(
        { model: "e", vectors: [[1, 0]], usage: {} },
        { model: "r", results: [{ index: 0, score: 1, document: "d" }], usage: {} },
        [{ id: "parrot" }],
        "text"
      )
      assert.deepStrictEqual((yield* llm.embed({ model: "e", input: ["x"] })).vectors, [[1, 0]])
      assert.strictEqual((yield* llm.rerank({ model: "r", query: "q", documents: ["d"] })).results.length, 1)
      assert.deepStrictEqual(yield* llm.listModels, [{ id: "parrot" }])
      const exit = yield* Effect.exit(llm.embed({ model: "e", input: ["x"] }))
      assert.include(String(exit), "scripted: this step of the script is no answer to embed")
    }))

  it.effect("answers by what was asked", () =>
    Effect.gen(function*() {
      const llm = yield* ScriptedLlm.make(
        ScriptedLlm.repeat((asked) => asked.operation === "generateText" ? `I am ${asked.request.model}` : slowDown)
      )
      assert.strictEqual((yield* llm.generateText(request)).text, "I am parrot")
      assert.strictEqual(yield* Effect.flip(Stream.runDrain(llm.streamText(request))), slowDown)
    }))

  it.effect("sees what a caller says of its call", () =>
    Effect.gen(function*() {
      const scripted = yield* ScriptedLlm.ScriptedLlm
      yield* LlmService.generateText(request).pipe(
        Policy.withPriority("high"),
        Policy.withDeadline("5 seconds"),
        Policy.withTenant("acme")
      )
      const [asked] = yield* scripted.requests
      assert.strictEqual(asked?.priority, "high")
      assert.deepStrictEqual(Option.getOrNull(asked!.deadline), 5000)
      assert.strictEqual(asked?.tenant, "acme")
    }).pipe(Effect.provide(ScriptedLlm.layer("hello"))))
})
