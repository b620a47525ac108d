import { assert, describe, it } from "@effect/vitest"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Prompt from "@spillway/core/Prompt"
import * as ScriptedLlm from "@spillway/testing/ScriptedLlm"
import { Duration, Effect, Layer } from "effect"
import Groq from "groq-sdk"
import type { ChatCompletionCreateParamsNonStreaming } from "groq-sdk/resources/chat/completions"
import { collect, given, rejection, served } from "./served.js"

/** A gateway before a script, called by Groq's own client, which puts `/openai/v1` before its paths by itself. */
const scripted = (...script: ReadonlyArray<ScriptedLlm.Step | ScriptedLlm.Repeat>) =>
  Effect.gen(function*() {
    const llm = yield* ScriptedLlm.make(...script)
    const { origin } = yield* served(Layer.succeed(LlmService.LlmService, llm))
    return { llm, client: new Groq({ baseURL: origin, apiKey: "anything", maxRetries: 0 }) }
  })

const hi: ChatCompletionCreateParamsNonStreaming = {
  model: "scripted/parrot",
  messages: [{ role: "user", content: "hi" }]
}

const weather: Groq.Chat.Completions.ChatCompletionTool = {
  type: "function",
  function: { name: "get_weather", parameters: { type: "object", properties: { city: { type: "string" } } } }
}

describe("Groq's client", () => {
  it.scopedLive("chats, whole and streamed", () =>
    Effect.gen(function*() {
      const { client } = yield* scripted(ScriptedLlm.repeat({
        content: [{ _tag: "Reasoning", text: "hm" }, Prompt.text("hello to you all")],
        usage: { inputTokens: 3, outputTokens: 4 }
      }))
      const whole = yield* given(() => client.chat.completions.create({ ...hi, reasoning_format: "parsed" }))
      assert.strictEqual(whole.choices[0]?.message.content, "hello to you all")
      assert.strictEqual(whole.choices[0]?.message.reasoning, "hm")
      assert.strictEqual(whole.usage?.total_tokens, 7)
      const chunks = yield* given(() =>
        client.chat.completions.create({ ...hi, include_reasoning: true, stream: true }).then(collect)
      )
      assert.strictEqual(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join(""), "hello to you all")
      assert.strictEqual(chunks.map((chunk) => chunk.choices[0]?.delta.reasoning ?? "").join(""), "hm")
      assert.strictEqual(chunks.at(-1)?.choices[0]?.finish_reason, "stop")
      const hidden = { ...hi, reasoning_format: "hidden" } as const
      const quiet = yield* given(() => client.chat.completions.create(hidden))
      assert.notProperty(quiet.choices[0]?.message, "reasoning")
      const silent = yield* given(() => client.chat.completions.create({ ...hidden, stream: true }).then(collect))
      assert.isTrue(silent.every((chunk) => chunk.choices[0]?.delta.reasoning === undefined))
    }))

  it.scopedLive("calls tools and answers with their results", () =>
    Effect.gen(function*() {
      const call = ScriptedLlm.toolCall("get_weather", { city: "Oslo" }, "call_1")
      const { client, llm } = yield* scripted(call, call, "rain")
      const ask: ChatCompletionCreateParamsNonStreaming = { ...hi, tools: [weather], tool_choice: "auto" }
      const chunks = yield* given(() => client.chat.completions.create({ ...ask, stream: true }).then(collect))
      const [begun, rest] = chunks.flatMap((chunk) => chunk.choices[0]?.delta.tool_calls ?? [])
      assert.strictEqual(begun?.function?.name, "get_weather")
      assert.strictEqual(rest?.function?.arguments, "{\"city\":\"Oslo\"}")
      const { message } = (yield* given(() => client.chat.completions.create(ask))).choices[0]!
      assert.strictEqual(message.tool_calls?.[0]?.id, "call_1")
      const result = { role: "tool", tool_call_id: "call_1", content: "12°" } as const
      const last = yield* given(() => client.chat.completions.create({ ...ask, messages: [...hi.messages, message, result] }))
      assert.strictEqual(last.choices[0]?.message.content, "rain")
      const asked = (yield* llm.requests)[2]!
      assert.deepStrictEqual(asked.operation === "generateText" && asked.request.prompt, [
        Prompt.user("hi"),
        Prompt.assistant([call]),
        Prompt.tool([{ _tag: "ToolResult", id: "call_1", name: "get_weather", result: "12°" }])
      ])
    }))

  it.scopedLive("embeds and lists models", () =>
    Effect.gen(function*() {
      const { client } = yield* scripted(
        { model: "small", vectors: [[0.5, -1.25]], usage: {} },
        ScriptedLlm.repeat([{ id: "groq/meta-llama/Llama-3" }])
      )
      const { data } = yield* given(() =>
        client.embeddings.create({ model: "scripted/small", input: "a", encoding_format: "float" })
      )
      assert.deepStrictEqual(data[0]?.embedding, [0.5, -1.25])
      assert.deepStrictEqual((yield* given(() => client.models.list())).data.map(({ id }) => id), ["groq/meta-llama/Llama-3"])
      assert.strictEqual((yield* given(() => client.models.retrieve("groq/meta-llama/Llama-3"))).owned_by, "groq")
    }))

  it.scopedLive("throws its own typed errors, and hears what it asked wrongly", () =>
    Effect.gen(function*() {
      const common = { backend: "scripted", message: "it is so" }
      const { client } = yield* scripted(
        new LlmError.RateLimited({ ...common, retryAfter: Duration.seconds(7) }),
        [{ _tag: "Start", model: "parrot" }, { _tag: "TextDelta", text: "hel" }, new LlmError.ServerFault(common)]
      )
      const limited = yield* rejection(() => client.chat.completions.create(hi))
      assert.instanceOf(limited, Groq.RateLimitError)
      assert.strictEqual(limited.headers.get("retry-after"), "7")
      const broken = yield* rejection(() => client.chat.completions.create({ ...hi, stream: true }).then(collect))
      assert.instanceOf(broken, Groq.APIError)
      assert.include(broken.message, "it is so")
      const wrong = yield* rejection(() => client.chat.completions.create({ ...hi, search_settings: { country: "no" } }))
      assert.instanceOf(wrong, Groq.BadRequestError)
      assert.include(wrong.message, "search_settings")
    }))
})
