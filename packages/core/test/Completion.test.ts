import { assert, describe, it } from "@effect/vitest"
import { Completion, Prompt } from "@spillway/core"
import { Chunk, Effect, Exit, FastCheck, Stream } from "effect"

const completion = Completion.make({
  id: "1",
  model: "m",
  content: [
    { _tag: "Reasoning", text: "let me see", signature: "signed" },
    { _tag: "Reasoning", text: "", redacted: "sealed" },
    Prompt.text("Two calls: "),
    { _tag: "ToolCall", id: "a", name: "f", arguments: `{"x":1}`, signature: "proof" },
    { _tag: "ToolCall", id: "b", name: "g", arguments: "" },
    { _tag: "Text", text: "done", signature: "text proof" }
  ],
  finishReason: "tool-calls",
  usage: { inputTokens: 3, reasoningTokens: 2 }
})

describe("Completion", () => {
  it("finds its text and its calls in its content", () => {
    assert.strictEqual(completion.text, "Two calls: done")
    assert.deepStrictEqual(completion.toolCalls.map((call) => call.id), ["a", "b"])
  })

  it("comes apart into parts, and together again", () => {
    const parts = Completion.toParts(completion)
    assert.deepStrictEqual(parts.map((part) => part._tag), [
      "Start",
      "ReasoningDelta",
      "ReasoningDelta",
      "TextDelta",
      "ToolCallStart",
      "ToolCallDelta",
      "ToolCallStart",
      "ToolCallDelta",
      "TextDelta",
      "Finish"
    ])
    assert.deepStrictEqual(Completion.fromParts(parts), completion)
  })

  it("comes together from calls that interleave", () => {
    const { toolCalls } = Completion.fromParts([
      { _tag: "Start", model: "m" },
      { _tag: "ToolCallStart", index: 0, id: "a", name: "f" },
      { _tag: "ToolCallStart", index: 1, id: "b", name: "g" },
      { _tag: "ToolCallDelta", index: 1, arguments: `{"y"` },
      { _tag: "ToolCallDelta", index: 0, arguments: `{"x"` },
      { _tag: "ToolCallDelta", index: 1, arguments: `:2}` },
      { _tag: "ToolCallDelta", index: 0, arguments: `:1}` },
      { _tag: "Finish", finishReason: "tool-calls", usage: {} }
    ])
    assert.deepStrictEqual(toolCalls.map((call) => call.arguments), [`{"x":1}`, `{"y":2}`])
  })

  it("joins the fragments of a thought by its index, and takes its signature when it comes", () => {
    const { content } = Completion.fromParts([
      { _tag: "Start", model: "m" },
      { _tag: "ReasoningDelta", index: 0, text: "one " },
      { _tag: "ReasoningDelta", index: 0, text: "two" },
      { _tag: "ReasoningDelta", index: 0, text: "", signature: "signed" },
      { _tag: "ReasoningDelta", index: 1, text: "", redacted: "sealed" },
      { _tag: "TextDelta", text: "hi" },
      { _tag: "Finish", finishReason: "stop", usage: {} }
    ])
    assert.deepStrictEqual(content, [
      { _tag: "Reasoning", text: "one two", signature: "signed" },
      { _tag: "Reasoning", text: "", redacted: "sealed" },
      Prompt.text("hi")
    ])
  })

  it("makes up nothing that was not sent", () => {
    assert.deepStrictEqual(Completion.fromParts([]), {
      model: "",
      content: [],
      text: "",
      toolCalls: [],
      finishReason: "other",
      usage: {}
    })
    assert.deepStrictEqual(Completion.fromParts([{ _tag: "TextDelta", text: "" }]).content, [])
  })

  it.effect("is collected from a stream however it is cut into chunks, and the stream can be run again", () =>
    Effect.gen(function*() {
      const parts = Completion.toParts(completion)
      for (const size of [1, 2, 3, 100]) {
        const collected = Completion.collect(Stream.rechunk(Stream.fromIterable(parts), size))
        assert.deepStrictEqual(yield* collected, completion)
        assert.deepStrictEqual(yield* collected, completion)
      }
    }))

  it.effect("is not there when its stream breaks", () =>
    Effect.gen(function*() {
      const broken = Stream.concat(Stream.fromIterable(Completion.toParts(completion)), Stream.fail("cut"))
      assert.deepStrictEqual(yield* Effect.exit(Completion.collect(broken)), Exit.fail("cut"))
    }))

  it.effect("shows only its text, piece by piece, on demand", () =>
    Effect.gen(function*() {
      const texts = yield* Stream.runCollect(Completion.textOf(Stream.fromIterable(Completion.toParts(completion))))
      assert.deepStrictEqual(Chunk.toReadonlyArray(texts), ["Two calls: ", "done"])
    }))

  const part: FastCheck.Arbitrary<Prompt.AssistantPart> = FastCheck.oneof(
    FastCheck.record({ _tag: FastCheck.constant("Text" as const), text: FastCheck.string({ minLength: 1 }) }),
    FastCheck.record({
      _tag: FastCheck.constant("Reasoning" as const),
      text: FastCheck.string(),
      signature: FastCheck.string()
    }),
    FastCheck.record({
      _tag: FastCheck.constant("ToolCall" as const),
      id: FastCheck.string(),
      name: FastCheck.string(),
      arguments: FastCheck.json()
    })
  )

  it.prop(
    "loses nothing on the way through parts, but the seam between two texts",
    [FastCheck.array(part, { maxLength: 20, size: "max" })],
    ([content]) => {
      const whole = Completion.make({ model: "m", content, finishReason: "stop", usage: { outputTokens: 1 } })
      const joined: Array<Prompt.AssistantPart> = []
      for (const part of content) {
        const last = joined.at(-1)
        if (part._tag === "Text" && last?._tag === "Text") joined[joined.length - 1] = Prompt.text(last.text + part.text)
        else joined.push(part)
      }
      assert.deepStrictEqual(Completion.fromParts(Completion.toParts(whole)), { ...whole, content: joined })
    }
  )
})
