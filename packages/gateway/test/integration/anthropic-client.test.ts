import Anthropic from "@anthropic-ai/sdk"
import { assert, describe, it } from "@effect/vitest"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Prompt from "@spillway/core/Prompt"
import * as ScriptedLlm from "@spillway/testing/ScriptedLlm"
import { Duration, Effect, Layer } from "effect"
import { collect, given, rejection, served, until } from "./served.js"

/** A gateway before a script, called by Anthropic's own client. */
const scripted = (...script: ReadonlyArray<ScriptedLlm.Step | ScriptedLlm.Repeat>) =>
  Effect.gen(function*() {
    const llm = yield* ScriptedLlm.make(...script)
    const { gateway, origin } = yield* served(Layer.succeed(LlmService.LlmService, llm))
    return { llm, gateway, client: new Anthropic({ baseURL: origin, apiKey: "anything", maxRetries: 0 }) }
  })

const hi: Anthropic.MessageCreateParamsNonStreaming = {
  model: "scripted/parrot",
  max_tokens: 100,
  messages: [{ role: "user", content: "hi" }]
}

const weather: Anthropic.Tool = {
  name: "get_weather",
  input_schema: { type: "object", properties: { city: { type: "string" } } }
}

const answer: ScriptedLlm.Answer = {
  content: [{ _tag: "Reasoning", text: "let me see", signature: "signed" }, Prompt.text("hello to you")],
  usage: { inputTokens: 30, outputTokens: 4, cachedInputTokens: 20, reasoningTokens: 2 }
}

/** What the service was asked to say something to. */
const prompts = (llm: ScriptedLlm.Scripted) =>
  Effect.map(llm.requests, (asked) =>
    asked.map((asked) => "request" in asked && "prompt" in asked.request ? asked.request.prompt : undefined))

describe("Anthropic's client", () => {
  it.scopedLive("creates a message", () =>
    Effect.gen(function*() {
      const { client, llm } = yield* scripted(answer)
      const { data, request_id } = yield* given(() =>
        client.messages.create({ ...hi, system: "be brief", thinking: { type: "adaptive" } }).withResponse()
      )
      assert.deepStrictEqual(data.content as ReadonlyArray<unknown>, [
        { type: "thinking", thinking: "let me see", signature: "signed" },
        { type: "text", text: "hello to you" }
      ])
      assert.deepStrictEqual([data.type, data.role, data.stop_reason], ["message", "assistant", "end_turn"])
      assert.deepInclude(data.usage, { input_tokens: 10, cache_read_input_tokens: 20, output_tokens: 4 })
      assert.deepStrictEqual(data.usage.output_tokens_details, { thinking_tokens: 2 })
      assert.match(request_id ?? "", /^req-/)
      assert.strictEqual((yield* llm.requests)[0]?.operation, "generateText")
    }))

  it.scopedLive("streams a message, by events and by its helper, to the same end as a whole one", () =>
    Effect.gen(function*() {
      const { client } = yield* scripted(ScriptedLlm.repeat(answer))
      const whole = yield* given(() => client.messages.create(hi))
      const events = yield* given(() => client.messages.create({ ...hi, stream: true }).then(collect))
      assert.deepStrictEqual([...new Set(events.map(({ type }) => type))], [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop"
      ])
      let text = ""
      const streamed = yield* given(() => {
        const stream = client.messages.stream(hi)
        stream.on("text", (delta) => text += delta)
        return stream.finalMessage()
      })
      assert.strictEqual(text, "hello to you")
      assert.deepStrictEqual(streamed.content, whole.content)
      assert.strictEqual(streamed.stop_reason, whole.stop_reason)
      assert.deepInclude(streamed.usage, { input_tokens: 10, cache_read_input_tokens: 20, output_tokens: 4 })
    }))

  it.scopedLive("calls tools and answers with their results, whole and streamed, and sends back what it received", () =>
    Effect.gen(function*() {
      const calls: ScriptedLlm.Answer = {
        content: [
          { _tag: "Reasoning", text: "two", signature: "signed" },
          { _tag: "Reasoning", text: "", redacted: "sealed" },
          Prompt.text("I ask"),
          ScriptedLlm.toolCall("get_weather", { city: "Oslo" }, "call_1"),
          { ...ScriptedLlm.toolCall("get_weather", {}, "call_2"), signature: "proof" }
        ],
        finishReason: "tool-calls"
      }
      const { client, llm } = yield* scripted(calls, "rain", calls, "rain")
      const ask = { ...hi, tools: [weather] }
      const results: Anthropic.MessageParam = {
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "call_1", content: "12°" },
          { type: "tool_result", tool_use_id: "call_2", content: [{ type: "text", text: "where?" }], is_error: true },
          { type: "text", text: "so?" }
        ]
      }
      const create = (messages: ReadonlyArray<Anthropic.MessageParam>) =>
        given(() => client.messages.create({ ...ask, messages: [...messages] }))
      const stream = (messages: ReadonlyArray<Anthropic.MessageParam>) =>
        given(() => client.messages.stream({ ...ask, messages: [...messages] }).finalMessage())
      for (const say of [create, stream]) {
        const first = yield* say(hi.messages)
        assert.strictEqual(first.stop_reason, "tool_use")
        assert.deepStrictEqual(first.content.map(({ type }) => type), [
          "thinking",
          "redacted_thinking",
          "text",
          "tool_use",
          "tool_use"
        ])
        const second = yield* say([...hi.messages, { role: "assistant", content: first.content }, results])
        assert.deepInclude(second.content[0], { type: "text", text: "rain" })
      }
      const asked = yield* prompts(llm)
      const conversation = [
        Prompt.user("hi"),
        Prompt.assistant(calls.content),
        Prompt.tool([
          { _tag: "ToolResult", id: "call_1", name: "get_weather", result: "12°" },
          { _tag: "ToolResult", id: "call_2", name: "get_weather", result: "where?", isError: true }
        ]),
        Prompt.user("so?")
      ]
      assert.deepStrictEqual(asked, [conversation.slice(0, 1), conversation, conversation.slice(0, 1), conversation])
    }))

  it.scopedLive("runs tools by itself until the model is done", () =>
    Effect.gen(function*() {
      const { client, llm } = yield* scripted(ScriptedLlm.toolCall("get_weather", { city: "Oslo" }, "call_1"), "rain in Oslo")
      const last = yield* given(() =>
        client.beta.messages.toolRunner({
          ...hi,
          tools: [{
            ...weather,
            description: "The weather in a city, now",
            parse: (input: unknown) => input as { city: string },
            run: ({ city }: { city: string }) => `rain in ${city}`
          }]
        })
      )
      assert.deepInclude(last.content[0], { type: "text", text: "rain in Oslo" })
      assert.deepInclude((yield* prompts(llm))[1], Prompt.tool([{
        _tag: "ToolResult",
        id: "call_1",
        name: "get_weather",
        result: "rain in Oslo"
      }]))
    }))

  it.scopedLive("counts tokens", () =>
    Effect.gen(function*() {
      const { client, llm } = yield* scripted()
      const count = (content: string) =>
        given(() => client.messages.countTokens({ model: hi.model, messages: [{ role: "user", content }], tools: [weather] }))
      const few = yield* count("hi")
      const many = yield* count("Why is the sky blue? ".repeat(100))
      assert.isAbove(few.input_tokens, 0)
      assert.isAbove(many.input_tokens, few.input_tokens + 400)
      assert.strictEqual((yield* llm.requests).length, 0)
    }))

  it.scopedLive("lists models page by page, and finds one whose name has slashes", () =>
    Effect.gen(function*() {
      const ids = Array.from({ length: 5 }, (_, i) => `anthropic/claude-${i}`)
      const models = [
        ...ids.map((id) => ({ id })),
        { id: "groq/meta-llama/Llama-3", displayName: "Llama", created: 1_700_000_000, contextWindow: 8192 }
      ]
      const { client, llm } = yield* scripted(ScriptedLlm.repeat(models))
      const listed = yield* given(() => collect(client.models.list({ limit: 2 })))
      assert.deepStrictEqual(listed.map(({ id }) => id), models.map(({ id }) => id))
      assert.strictEqual((yield* llm.requests).length, 3)
      const page = yield* given(() => client.models.list({ before_id: ids[3]!, limit: 2 }))
      assert.deepStrictEqual([page.data.map(({ id }) => id), page.has_more], [ids.slice(1, 3), true])
      const model = yield* given(() => client.models.retrieve("groq/meta-llama/Llama-3"))
      assert.deepInclude(model, {
        id: "groq/meta-llama/Llama-3",
        display_name: "Llama",
        created_at: "2023-11-14T22:13:20Z",
        max_input_tokens: 8192,
        max_tokens: null
      })
    }))

  it.scopedLive("throws its own typed errors", () =>
    Effect.gen(function*() {
      const common = { backend: "scripted", message: "it is so" }
      for (
        const [error, thrownType, status, type] of [
          [new LlmError.AuthenticationFailed(common), Anthropic.AuthenticationError, 401, "authentication_error"],
          [new LlmError.PermissionDenied(common), Anthropic.PermissionDeniedError, 403, "permission_error"],
          [new LlmError.ModelNotFound(common), Anthropic.NotFoundError, 404, "not_found_error"],
          [
            new LlmError.RateLimited({ ...common, retryAfter: Duration.seconds(7) }),
            Anthropic.RateLimitError,
            429,
            "rate_limit_error"
          ],
          [new LlmError.InvalidRequest({ ...common, field: "seed" }), Anthropic.BadRequestError, 400, "invalid_request_error"],
          [new LlmError.Conflict(common), Anthropic.ConflictError, 409, "conflict_error"],
          [new LlmError.QuotaExhausted(common), Anthropic.APIError, 402, "billing_error"],
          [
            new LlmError.QueueFull({ ...common, capacity: 1, waiting: 1 }),
            Anthropic.InternalServerError,
            529,
            "overloaded_error"
          ],
          [new LlmError.ServerFault(common), Anthropic.InternalServerError, 502, "api_error"]
        ] as const
      ) {
        const { client } = yield* scripted(ScriptedLlm.repeat(error))
        for (
          const ask of [
            () => client.messages.create(hi),
            () => client.messages.create({ ...hi, stream: true }),
            () => client.messages.stream(hi).finalMessage(),
            () => client.models.list(),
            () => client.models.retrieve("a")
          ]
        ) {
          const thrown = yield* rejection(ask)
          assert.instanceOf(thrown, thrownType)
          assert.strictEqual(thrown.status, status)
          assert.strictEqual(thrown.type, type)
          assert.include(thrown.message, "it is so")
          assert.match(thrown.requestID ?? "", /^req-/)
          if (status === 429) assert.strictEqual(thrown.headers?.get("retry-after"), "7")
        }
      }
    }))

  it.scopedLive("is told what it asked wrongly, by name, and nothing is sent", () =>
    Effect.gen(function*() {
      const { client, llm } = yield* scripted()
      for (
        const [ask, field] of [
          [() => client.messages.create({ ...hi, inference_geo: "us" }), "inference_geo"],
          [() => client.messages.create({ ...hi, tools: [{ type: "web_search_20250305", name: "web_search" }] }), "tools[0].type"],
          [() => client.messages.create({ ...hi, messages: [] }), "messages"]
        ] as const
      ) {
        const thrown = yield* rejection(ask)
        assert.instanceOf(thrown, Anthropic.BadRequestError)
        assert.include(thrown.message, field)
      }
      assert.instanceOf(yield* rejection(() => client.messages.batches.list()), Anthropic.NotFoundError)
      assert.strictEqual((yield* llm.requests).length, 0)
    }))

  it.scopedLive("does not retry what the gateway has given up on, and does retry what was never sent", () =>
    Effect.gen(function*() {
      const common = { backend: "scripted", message: "it is so" }
      const { client, llm } = yield* scripted(
        new LlmError.ServerFault(common),
        new LlmError.QueueFull({ ...common, capacity: 1, waiting: 1, retryAfter: Duration.millis(1) }),
        "hello"
      )
      const eager = client.withOptions({ maxRetries: 2 })
      assert.instanceOf(yield* rejection(() => eager.messages.create(hi)), Anthropic.InternalServerError)
      assert.strictEqual((yield* llm.requests).length, 1)
      const message = yield* given(() => eager.messages.create(hi))
      assert.deepInclude(message.content[0], { type: "text", text: "hello" })
      assert.strictEqual((yield* llm.requests).length, 3)
    }))

  it.scopedLive("hears of a stream that breaks off, after what came", () =>
    Effect.gen(function*() {
      const { client } = yield* scripted([
        { _tag: "Start", model: "parrot" },
        { _tag: "TextDelta", text: "hel" },
        new LlmError.StreamInterrupted({ backend: "scripted", message: "cut" })
      ])
      let text = ""
      const thrown = yield* rejection(() => client.messages.stream(hi).on("text", (delta) => text += delta).finalMessage())
      assert.strictEqual(text, "hel")
      assert.instanceOf(thrown, Anthropic.APIError)
      assert.strictEqual(thrown.type, "api_error")
      assert.include(thrown.message, "cut")
    }))

  it.scopedLive("takes its call with it when it goes away", () =>
    Effect.gen(function*() {
      const { client, llm, gateway } = yield* scripted([{ _tag: "Start", model: "parrot" }, Effect.never])
      const stream = yield* given(() => client.messages.create({ ...hi, stream: true }))
      yield* given(() => stream[Symbol.asyncIterator]().next())
      assert.strictEqual(yield* gateway.inFlight, 1)
      stream.controller.abort()
      yield* until(Effect.zipWith(llm.inFlight, gateway.inFlight, (calls, requests) => calls + requests === 0))
      assert.strictEqual(yield* llm.interrupted, 1)
    }))
})
