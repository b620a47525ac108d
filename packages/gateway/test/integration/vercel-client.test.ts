import { createOpenAICompatible } from "@ai-sdk/openai-compatible"
import { assert, describe, it } from "@effect/vitest"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Prompt from "@spillway/core/Prompt"
import * as ScriptedLlm from "@spillway/testing/ScriptedLlm"
import { APICallError, embedMany, generateText, Output, stepCountIs, streamText, tool } from "ai"
import { Duration, Effect, Layer } from "effect"
import { z } from "zod"
import { given, rejection, served } from "./served.js"

/** A gateway before a script, called by the Vercel AI SDK as a server of OpenAI's API. */
const scripted = (...script: ReadonlyArray<ScriptedLlm.Step | ScriptedLlm.Repeat>) => named("spillway", ...script)

const named = (name: string, ...script: ReadonlyArray<ScriptedLlm.Step | ScriptedLlm.Repeat>) =>
  Effect.gen(function*() {
    const llm = yield* ScriptedLlm.make(...script)
    const { origin } = yield* served(Layer.succeed(LlmService.LlmService, llm))
    const provider = createOpenAICompatible({
      name,
      baseURL: `${origin}/v1`,
      apiKey: "anything",
      includeUsage: true,
      supportsStructuredOutputs: true
    })
    return { llm, provider, model: provider.chatModel("scripted/parrot") }
  })

const weather = tool({
  description: "The weather in a city, now",
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => `rain in ${city}`
})

const promptOf = (asked: ScriptedLlm.Asked | undefined) =>
  asked !== undefined && (asked.operation === "generateText" || asked.operation === "streamText") ? asked.request : undefined

describe("the Vercel AI SDK", () => {
  it.scopedLive("chats, whole and streamed, with reasoning and usage", () =>
    Effect.gen(function*() {
      const { llm, model } = yield* scripted(ScriptedLlm.repeat({
        content: [{ _tag: "Reasoning", text: "hm" }, Prompt.text("hello to you all")],
        usage: { inputTokens: 3, outputTokens: 4, cachedInputTokens: 1, reasoningTokens: 2 }
      }))
      const image = new Uint8Array([0x89, 0x50, 0x4e, 0x47])
      const whole = yield* given(() =>
        generateText({
          model,
          system: "be brief",
          temperature: 0.5,
          maxOutputTokens: 9,
          messages: [{
            role: "user",
            content: [{ type: "text", text: "hi" }, { type: "image", image, mediaType: "image/png" }]
          }]
        })
      )
      assert.deepStrictEqual([whole.text, whole.reasoningText, whole.finishReason], ["hello to you all", "hm", "stop"])
      assert.deepInclude(whole.usage, { inputTokens: 3, outputTokens: 4, totalTokens: 7 })
      assert.strictEqual(whole.usage.inputTokenDetails.cacheReadTokens, 1)
      assert.deepStrictEqual(promptOf((yield* llm.requests)[0]), {
        model: "scripted/parrot",
        prompt: [Prompt.system("be brief"), Prompt.user([Prompt.text("hi"), Prompt.image(image, "image/png")])],
        temperature: 0.5,
        maxTokens: 9
      })
      const streamed = streamText({ model, prompt: "hi" })
      assert.strictEqual(yield* given(() => streamed.text), "hello to you all")
      assert.strictEqual(yield* given(() => streamed.reasoningText), "hm")
      assert.deepInclude(yield* given(() => streamed.usage), { inputTokens: 3, outputTokens: 4 })
      assert.strictEqual(yield* given(() => streamed.finishReason), "stop")
    }))

  it.scopedLive("runs tools by itself, whole and streamed, and sends back what proves a call where it knows the proof", () =>
    Effect.gen(function*() {
      const call = ScriptedLlm.toolCall("weather", { city: "Oslo" }, "call_1")
      const thought: Prompt.ReasoningPart = { _tag: "Reasoning", text: "hm" }
      const first: ScriptedLlm.Answer = { content: [thought, { ...call, signature: "proof" }] }
      // it reads the proof in any case, and sends it under Google's name alone
      for (const [name, asked] of [["spillway", call], ["google", { ...call, signature: "proof" }]] as const) {
        const { llm, model } = yield* named(name, first, "it rains", first, "it rains")
        const ask = { model, prompt: "hi", tools: { weather }, stopWhen: stepCountIs(3) }
        const whole = yield* given(() => generateText(ask))
        assert.deepStrictEqual([whole.text, whole.steps.length], ["it rains", 2])
        assert.strictEqual(yield* given(() => streamText(ask).text), "it rains")
        const requests = yield* llm.requests
        for (const at of [1, 3]) {
          assert.deepStrictEqual<unknown>(promptOf(requests[at])?.prompt, [
            Prompt.user("hi"),
            Prompt.assistant([thought, asked]),
            Prompt.tool([{ _tag: "ToolResult", id: "call_1", name: "weather", result: "rain in Oslo" }])
          ])
        }
      }
    }))

  it.scopedLive("reads answers of a schema", () =>
    Effect.gen(function*() {
      const { llm, model } = yield* scripted("{\"name\":\"Ada\",\"age\":36}")
      const schema = z.object({ name: z.string(), age: z.number() })
      const { output } = yield* given(() => generateText({ model, prompt: "who?", output: Output.object({ schema }) }))
      assert.deepStrictEqual(output, { name: "Ada", age: 36 })
      const format = promptOf((yield* llm.requests)[0])?.format
      assert.strictEqual(format?._tag, "JsonSchema")
    }))

  it.scopedLive("embeds", () =>
    Effect.gen(function*() {
      const { provider } = yield* scripted({ model: "small", vectors: [[0.5, -1.25], [1, 2]], usage: { inputTokens: 2 } })
      const { embeddings, usage } = yield* given(() =>
        embedMany({ model: provider.embeddingModel("scripted/small"), values: ["a", "b"] })
      )
      assert.deepStrictEqual(embeddings, [[0.5, -1.25], [1, 2]])
      assert.strictEqual(usage.tokens, 2)
    }))

  it.scopedLive("goes on from a text", () =>
    Effect.gen(function*() {
      const { provider } = yield* scripted(ScriptedLlm.repeat(" upon a time"))
      const model = provider.completionModel("scripted/parrot")
      assert.strictEqual((yield* given(() => generateText({ model, prompt: "Once" }))).text, " upon a time")
      assert.strictEqual(yield* given(() => streamText({ model, prompt: "Once" }).text), " upon a time")
    }))

  it.scopedLive("throws its own errors, and hears of a stream that breaks off after what came", () =>
    Effect.gen(function*() {
      const common = { backend: "scripted", message: "it is so" }
      const { llm, model } = yield* scripted(
        new LlmError.InvalidRequest({ ...common, field: "seed" }),
        new LlmError.ServerFault(common),
        new LlmError.QueueFull({ ...common, capacity: 1, waiting: 1, retryAfter: Duration.millis(1) }),
        "hello",
        [{ _tag: "Start", model: "parrot" }, { _tag: "TextDelta", text: "hel" }, new LlmError.StreamInterrupted(common)]
      )
      const wrong = yield* rejection(() => generateText({ model, prompt: "hi", maxRetries: 0 }))
      assert.isTrue(APICallError.isInstance(wrong))
      assert.deepInclude(wrong, { statusCode: 400, message: "it is so", isRetryable: false })
      const fault = yield* rejection(() => generateText({ model, prompt: "hi", maxRetries: 0 }))
      assert.deepInclude(fault, { statusCode: 502, message: "it is so" })
      // what was never sent it asks for again by itself
      assert.strictEqual((yield* given(() => generateText({ model, prompt: "hi", maxRetries: 1 }))).text, "hello")
      let heard: unknown
      const streamed = streamText({ model, prompt: "hi", maxRetries: 0, onError: ({ error }) => void (heard = error) })
      let text = ""
      yield* given(async () => {
        for await (const delta of streamed.textStream) text += delta
      })
      assert.strictEqual(text, "hel")
      assert.include(JSON.stringify(heard) + String(heard), "it is so")
      assert.strictEqual((yield* llm.requests).length, 5)
    }))
})
