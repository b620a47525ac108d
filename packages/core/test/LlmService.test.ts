import { assert, describe, it } from "@effect/vitest"
import { Completion, Inference, type LlmError, LlmService, Prompt } from "@spillway/core"
import { ScriptedLlm } from "@spillway/testing"
import { Chunk, Effect, Stream } from "effect"

const echo = LlmService.make("echo", {
  generateText: ({ model }) =>
    Effect.succeed(Completion.make({ model, content: [Prompt.text("hi")], finishReason: "stop", usage: {} }))
})
const text = { model: "m", prompt: "p" }

describe("LlmService", () => {
  it.effect("answers Unsupported to what the backend lacks, and says what it has", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual([...echo.operations], ["generateText"])
      assert.strictEqual((yield* echo.generateText(text)).text, "hi")
      const lacking: Record<string, Effect.Effect<unknown, LlmError.LlmError>> = {
        streamText: Stream.runDrain(echo.streamText(text)),
        embed: echo.embed({ model: "m", input: ["x"] }),
        rerank: echo.rerank({ model: "m", query: "q", documents: [] }),
        listModels: echo.listModels
      }
      for (const [feature, effect] of Object.entries(lacking)) {
        const error = yield* Effect.flip(effect)
        assert.strictEqual(error._tag === "Unsupported" && error.feature, feature)
        assert.strictEqual(error.backend, "echo")
        assert.strictEqual(error.message, `echo has no operation ${feature}`)
      }
    }))

  it("has every operation that is implemented", () => {
    const { listModels, ...operations } = echo
    assert.deepStrictEqual([...LlmService.make("all", { ...operations, listModels }).operations], [
      ...LlmService.operations
    ])
  })

  it.effect("is asked through whichever service the program is given", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* LlmService.generateText(text)).text, "whole")
      const parts = yield* Stream.runCollect(Completion.textOf(LlmService.streamText(text)))
      assert.deepStrictEqual(Chunk.toReadonlyArray(parts), ["as ", "it ", "comes"])
      assert.deepStrictEqual((yield* LlmService.embed({ model: "e", input: ["x"] })).vectors, [[1]])
      assert.deepStrictEqual((yield* LlmService.rerank({ model: "r", query: "q", documents: [] })).results, [])
      const input = Inference.json({ x: 1 })
      assert.deepStrictEqual((yield* LlmService.infer({ model: "i", input })).output, Inference.json({ y: 2 }))
      assert.deepStrictEqual(yield* LlmService.listModels, [{ id: "m" }])
      yield* LlmService.health
      const { requests } = yield* ScriptedLlm.ScriptedLlm
      assert.deepStrictEqual(
        (yield* requests).map((asked) => asked.operation),
        // a script is always well, and does not count who asks
        LlmService.operations.filter((operation) => operation !== "health")
      )
    }).pipe(Effect.provide(ScriptedLlm.layer(
      "whole",
      "as it comes",
      { model: "e", vectors: [[1]], usage: {} },
      { model: "r", results: [], usage: {} },
      { model: "i", output: Inference.json({ y: 2 }), usage: {} },
      [{ id: "m" }]
    ))))
})
