import { assert, describe, it } from "@effect/vitest"
import { HumanMessage, ToolMessage } from "@langchain/core/messages"
import { tool } from "@langchain/core/tools"
import { ChatOllama, OllamaEmbeddings } from "@langchain/ollama"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Prompt from "@spillway/core/Prompt"
import * as ScriptedLlm from "@spillway/testing/ScriptedLlm"
import { Effect, Layer } from "effect"
import { z } from "zod"
import { collect, given, rejection, served } from "./served.js"

/** A gateway before a script, called by LangChain as it calls Ollama. */
const scripted = (...script: ReadonlyArray<ScriptedLlm.Step | ScriptedLlm.Repeat>) =>
  Effect.gen(function*() {
    const llm = yield* ScriptedLlm.make(...script)
    const { origin } = yield* served(Layer.succeed(LlmService.LlmService, llm))
    return { llm, origin, model: new ChatOllama({ baseUrl: origin, model: "scripted/parrot", maxRetries: 0 }) }
  })

const weather = tool(({ city }: { city: string }) => `rain in ${city}`, {
  name: "get_weather",
  description: "The weather in a city, now",
  schema: z.object({ city: z.string() })
})

describe("LangChain, as it calls Ollama", () => {
  it.scopedLive("invokes and streams, with usage", () =>
    Effect.gen(function*() {
      const { model } = yield* scripted(ScriptedLlm.repeat({
        content: [Prompt.text("hello to you")],
        usage: { inputTokens: 3, outputTokens: 4 }
      }))
      const message = yield* given(() => model.invoke("hi"))
      assert.strictEqual(message.content, "hello to you")
      assert.deepInclude<object>(message.usage_metadata ?? {}, { input_tokens: 3, output_tokens: 4 })
      const chunks = yield* given(() => model.stream("hi").then(collect))
      assert.strictEqual(chunks.map(({ content }) => content).join(""), "hello to you")
      assert.isAbove(chunks.length, 2)
    }))

  it.scopedLive("calls tools and answers with their results, and sends what it was set up with", () =>
    Effect.gen(function*() {
      const call = ScriptedLlm.toolCall("get_weather", { city: "Oslo" }, "call_1")
      const { llm, origin } = yield* scripted(call, "rain")
      const model = new ChatOllama({
        baseUrl: origin,
        model: "m",
        maxRetries: 0,
        temperature: 0.5,
        topP: 0.9,
        numCtx: 4096,
        numGpu: 1,
        keepAlive: "5m"
      }).bindTools([weather])
      const first = yield* given(() => model.invoke("hi"))
      assert.deepStrictEqual(first.tool_calls?.map(({ args, name }) => ({ args, name })), [
        { args: { city: "Oslo" }, name: "get_weather" }
      ])
      const result = new ToolMessage({ content: "12°", tool_call_id: first.tool_calls![0]!.id ?? "", name: "get_weather" })
      const second = yield* given(() => model.invoke([new HumanMessage("hi"), first, result]))
      assert.strictEqual(second.content, "rain")
      const asked = (yield* llm.requests)[1]
      assert.deepInclude<object>(asked !== undefined && "request" in asked ? asked.request : {}, {
        temperature: 0.5,
        topP: 0.9,
        providerOptions: { ollama: { numCtx: 4096, keepAlive: "5m" } }
      })
      const prompt = asked !== undefined && "request" in asked && "prompt" in asked.request ? Prompt.make(asked.request.prompt) : []
      assert.deepStrictEqual(prompt.map(({ role }) => role), ["user", "assistant", "tool"])
      const [last] = prompt[2]?.role === "tool" ? prompt[2].content : []
      assert.deepInclude(last, { name: "get_weather", result: "12°" })
    }))

  it.scopedLive("embeds", () =>
    Effect.gen(function*() {
      const vectors = [[0.5, -1.25], [0, 1e-3]]
      const { origin } = yield* scripted({ model: "small", vectors, usage: {} })
      const embeddings = new OllamaEmbeddings({ baseUrl: origin, model: "small", maxRetries: 0 })
      assert.deepStrictEqual(yield* given(() => embeddings.embedDocuments(["a", "b"])), vectors)
    }))

  it.scopedLive("throws what went wrong", () =>
    Effect.gen(function*() {
      const common = { backend: "scripted", message: "it is so" }
      for (const [error, status] of [[new LlmError.ModelNotFound(common), 404], [new LlmError.ServerFault(common), 502]] as const) {
        const { model } = yield* scripted(ScriptedLlm.repeat(error))
        const thrown = yield* rejection(() => model.invoke("hi"))
        assert.deepInclude(thrown, { status_code: status, error: "it is so" })
      }
    }))
})
