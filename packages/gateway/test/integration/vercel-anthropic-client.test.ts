import { createAnthropic } from "@ai-sdk/anthropic"
import { assert, describe, it } from "@effect/vitest"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Prompt from "@spillway/core/Prompt"
import * as ScriptedLlm from "@spillway/testing/ScriptedLlm"
import { APICallError, generateText, Output, stepCountIs, streamText, tool } from "ai"
import { Effect, Layer } from "effect"
import { z } from "zod"
import { collect, given, rejection, served } from "./served.js"

/** A gateway before a script, called by the Vercel AI SDK as it calls Anthropic. */
const scripted = (...script: ReadonlyArray<ScriptedLlm.Step | ScriptedLlm.Repeat>) =>
  Effect.gen(function*() {
    const llm = yield* ScriptedLlm.make(...script)
    const { origin } = yield* served(Layer.succeed(LlmService.LlmService, llm))
    const provider = createAnthropic({ baseURL: `${origin}/v1`, apiKey: "anything" })
    return { llm, model: provider("scripted/parrot") }
  })

const answer: ScriptedLlm.Answer = {
  content: [{ _tag: "Reasoning", text: "let me see", signature: "signed" }, Prompt.text("hello to you")],
  usage: { inputTokens: 30, outputTokens: 4, cachedInputTokens: 20 }
}

const weather = tool({
  description: "The weather in a city, now",
  inputSchema: z.object({ city: z.string() }),
  execute: ({ city }) => Promise.resolve(`rain in ${city}`)
})

const prompts = (llm: ScriptedLlm.Scripted) =>
  Effect.map(llm.requests, (asked) =>
    asked.map((asked) => "request" in asked && "prompt" in asked.request ? asked.request.prompt : undefined))

describe("the Vercel AI SDK, as it calls Anthropic", () => {
  it.scopedLive("generates and streams text, with reasoning and usage", () =>
    Effect.gen(function*() {
      const { model } = yield* scripted(ScriptedLlm.repeat(answer))
      const whole = yield* given(() => generateText({ model, system: "be brief", prompt: "hi", maxOutputTokens: 100, maxRetries: 0 }))
      assert.strictEqual(whole.text, "hello to you")
      assert.strictEqual(whole.reasoningText, "let me see")
      assert.strictEqual(whole.finishReason, "stop")
      assert.deepInclude(whole.usage, { inputTokens: 30, outputTokens: 4 })
      const stream = streamText({ model, prompt: "hi", maxOutputTokens: 100, maxRetries: 0 })
      const texts = yield* given(() => collect(stream.textStream))
      assert.strictEqual(texts.join(""), "hello to you")
      assert.isAbove(texts.length, 1)
      assert.strictEqual(yield* given(() => stream.reasoningText), "let me see")
      assert.deepInclude(yield* given(() => stream.usage), { inputTokens: 30, outputTokens: 4 })
    }))

  it.scopedLive("runs tools until the model is done, whole and streamed, and keeps what proves the thinking", () =>
    Effect.gen(function*() {
      const call = ScriptedLlm.toolCall("weather", { city: "Oslo" }, "call_1")
      const thought: Prompt.ReasoningPart = { _tag: "Reasoning", text: "hm", signature: "signed" }
      const asks: ScriptedLlm.Answer = { content: [thought, call], finishReason: "tool-calls" }
      const { llm, model } = yield* scripted(asks, "rain", asks, "rain")
      const ask = { model, prompt: "hi", tools: { weather }, stopWhen: stepCountIs(3), maxOutputTokens: 100, maxRetries: 0 }
      const whole = yield* given(() => generateText(ask))
      assert.strictEqual(whole.text, "rain")
      const streamed = streamText(ask)
      assert.strictEqual((yield* given(() => collect(streamed.textStream))).join(""), "rain")
      const conversation = [
        Prompt.user("hi"),
        Prompt.assistant([thought, call]),
        Prompt.tool([{ _tag: "ToolResult", id: "call_1", name: "weather", result: "rain in Oslo" }])
      ]
      assert.deepStrictEqual(yield* prompts(llm), [
        conversation.slice(0, 1),
        conversation,
        conversation.slice(0, 1),
        conversation
      ])
    }))

  it.scopedLive("sends pictures and documents", () =>
    Effect.gen(function*() {
      const { llm, model } = yield* scripted("a cat")
      yield* given(() =>
        generateText({
          model,
          maxOutputTokens: 100,
          maxRetries: 0,
          messages: [{
            role: "user",
            content: [
              { type: "text", text: "look" },
              { type: "image", image: "iVBORw0KGgo=", mediaType: "image/png" },
              { type: "file", data: "JVBERi0=", mediaType: "application/pdf", filename: "a.pdf" }
            ]
          }]
        })
      )
      assert.deepStrictEqual((yield* prompts(llm))[0], [
        Prompt.user([
          Prompt.text("look"),
          Prompt.image("iVBORw0KGgo=", "image/png"),
          Prompt.file("JVBERi0=", "application/pdf", "a.pdf")
        ])
      ])
    }))

  it.scopedLive("gets an object of a schema", () =>
    Effect.gen(function*() {
      const { llm, model } = yield* scripted(ScriptedLlm.toolCall("json", { city: "Oslo" }))
      const { output } = yield* given(() =>
        generateText({
          model,
          prompt: "hi",
          maxOutputTokens: 100,
          maxRetries: 0,
          output: Output.object({ schema: z.object({ city: z.string() }) })
        })
      )
      assert.deepStrictEqual(output, { city: "Oslo" })
      const [asked] = yield* llm.requests
      assert.deepInclude<object>(asked !== undefined && "request" in asked ? asked.request : {}, {
        toolChoice: "required",
        parallelToolCalls: false
      })
    }))

  it.scopedLive("throws its own errors, and retries only what may be", () =>
    Effect.gen(function*() {
      const common = { backend: "scripted", message: "it is so" }
      for (
        const [error, status, isRetryable] of [
          [new LlmError.AuthenticationFailed(common), 401, false],
          [new LlmError.ModelNotFound(common), 404, false],
          [new LlmError.InvalidRequest(common), 400, false],
          [new LlmError.QuotaExhausted(common), 402, false],
          [new LlmError.QueueFull({ ...common, capacity: 1, waiting: 1 }), 529, true]
        ] as const
      ) {
        const { model } = yield* scripted(ScriptedLlm.repeat(error))
        const thrown = yield* rejection(() => generateText({ model, prompt: "hi", maxOutputTokens: 100, maxRetries: 0 }))
        assert.isTrue(APICallError.isInstance(thrown))
        assert.deepInclude<object>(thrown as APICallError, { statusCode: status, isRetryable, message: "it is so" })
      }
    }))

  it.scopedLive("hears of a stream that breaks off, after what came", () =>
    Effect.gen(function*() {
      const { model } = yield* scripted([
        { _tag: "Start", model: "parrot" },
        { _tag: "TextDelta", text: "hel" },
        new LlmError.StreamInterrupted({ backend: "scripted", message: "cut" })
      ])
      const stream = streamText({ model, prompt: "hi", maxOutputTokens: 100, maxRetries: 0, onError: () => {} })
      const parts = yield* given(() => collect(stream.fullStream))
      assert.strictEqual(parts.map((part) => part.type === "text-delta" ? part.text : "").join(""), "hel")
      const broken = parts.find((part) => part.type === "error")
      assert.include(JSON.stringify(broken), "cut")
    }))
})
