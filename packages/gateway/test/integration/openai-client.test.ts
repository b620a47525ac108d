import { assert, describe, it } from "@effect/vitest"
import type * as Completion from "@spillway/core/Completion"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Prompt from "@spillway/core/Prompt"
import * as ScriptedLlm from "@spillway/testing/ScriptedLlm"
import { Duration, Effect, Exit, Layer, Scope } from "effect"
import OpenAI from "openai"
import { collect, given, rejection, served, until } from "./served.js"

/** A gateway before a script, called by OpenAI's own client. */
const scripted = (...script: ReadonlyArray<ScriptedLlm.Step | ScriptedLlm.Repeat>) =>
  Effect.gen(function*() {
    const llm = yield* ScriptedLlm.make(...script)
    return { llm, ...(yield* served(Layer.succeed(LlmService.LlmService, llm))) }
  })

const hi: OpenAI.ChatCompletionCreateParamsNonStreaming = {
  model: "scripted/parrot",
  messages: [{ role: "user", content: "hi" }]
}

const weather: OpenAI.ChatCompletionTool = {
  type: "function",
  function: { name: "get_weather", parameters: { type: "object", properties: { city: { type: "string" } } } }
}

describe("OpenAI's client", () => {
  it.scopedLive("chats", () =>
    Effect.gen(function*() {
      const { client, llm } = yield* scripted({
        content: [Prompt.text("hello")],
        usage: { inputTokens: 3, outputTokens: 1 }
      })
      const { data, request_id } = yield* given(() => client.chat.completions.create(hi).withResponse())
      assert.strictEqual(data.choices[0]?.message.content, "hello")
      assert.strictEqual(data.choices[0]?.finish_reason, "stop")
      assert.deepInclude(data.usage, { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 })
      assert.match(request_id ?? "", /^req-/)
      assert.strictEqual((yield* llm.requests)[0]?.operation, "generateText")
    }))

  it.scopedLive("streams a chat, with its usage", () =>
    Effect.gen(function*() {
      const { client } = yield* scripted({
        content: [Prompt.text("hello to you all")],
        usage: { inputTokens: 3, outputTokens: 4 }
      })
      const chunks = yield* given(() =>
        client.chat.completions.create({ ...hi, stream: true, stream_options: { include_usage: true } }).then(collect)
      )
      assert.strictEqual(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join(""), "hello to you all")
      assert.isAbove(chunks.length, 4)
      assert.strictEqual(chunks.at(-1)?.usage?.total_tokens, 7)
    }))

  it.scopedLive("calls tools and answers with their results, whole and streamed", () =>
    Effect.gen(function*() {
      const call = ScriptedLlm.toolCall("get_weather", { city: "Oslo" }, "call_1")
      const { client, llm } = yield* scripted(call, "rain", call, "rain")
      const ask = { ...hi, tools: [weather] }
      const first = yield* given(() => client.chat.completions.create(ask))
      const streamed = (messages: ReadonlyArray<OpenAI.ChatCompletionMessageParam>) =>
        given(() => client.chat.completions.stream({ ...ask, stream: true, messages: [...messages] }).finalMessage())
      const result: OpenAI.ChatCompletionToolMessageParam = { role: "tool", tool_call_id: "call_1", content: "12°" }

      const message = first.choices[0]!.message
      assert.deepStrictEqual(message.tool_calls, [{
        id: "call_1",
        type: "function",
        function: { name: "get_weather", arguments: "{\"city\":\"Oslo\"}" }
      }])
      const second = yield* given(() =>
        client.chat.completions.create({ ...ask, messages: [...ask.messages, message, result] })
      )
      assert.strictEqual(second.choices[0]?.message.content, "rain")

      const streamedMessage = yield* streamed(ask.messages)
      const [streamedCall] = streamedMessage.tool_calls ?? []
      assert.strictEqual(streamedCall?.type === "function" && streamedCall.function.arguments, "{\"city\":\"Oslo\"}")
      const last = yield* streamed([...ask.messages, streamedMessage, result])
      assert.strictEqual(last.content, "rain")

      const asked = (yield* llm.requests).map((asked) => "request" in asked && "prompt" in asked.request && asked.request.prompt)
      const whole = [
        Prompt.user("hi"),
        Prompt.assistant([call]),
        Prompt.tool([{ _tag: "ToolResult", id: "call_1", name: "get_weather", result: "12°" }])
      ]
      assert.deepStrictEqual(asked, [whole.slice(0, 1), whole, whole.slice(0, 1), whole])
    }))

  it.scopedLive("runs tools by itself until the model is done", () =>
    Effect.gen(function*() {
      const { client } = yield* scripted(ScriptedLlm.toolCall("get_weather", { city: "Oslo" }), "rain in Oslo")
      const answer = yield* given(() =>
        client.chat.completions.runTools({
          ...hi,
          tools: [{
            type: "function",
            function: {
              name: "get_weather",
              description: "The weather in a city, now",
              parameters: { type: "object", properties: { city: { type: "string" } } },
              parse: JSON.parse,
              function: ({ city }: { city: string }) => `rain in ${city}`
            }
          }]
        }).finalContent()
      )
      assert.strictEqual(answer, "rain in Oslo")
    }))

  it.scopedLive("embeds, in base64 as it asks by itself, and in numbers", () =>
    Effect.gen(function*() {
      const vectors = [[0.5, -1.25, 3], [0, 1e-3, 2]]
      const { client, llm } = yield* scripted(ScriptedLlm.repeat({ model: "small", vectors, usage: { inputTokens: 2 } }))
      const ask = { model: "scripted/small", input: ["a", "b"] }
      const packed = yield* given(() => client.embeddings.create(ask))
      const plain = yield* given(() => client.embeddings.create({ ...ask, encoding_format: "float" }))
      assert.deepStrictEqual(plain.data.map(({ embedding }) => embedding), vectors)
      assert.deepStrictEqual(
        packed.data.map(({ embedding }) => [...embedding]),
        vectors.map((vector) => vector.map(Math.fround))
      )
      assert.strictEqual(packed.usage.prompt_tokens, 2)
      assert.strictEqual((yield* llm.requests).length, 2)
    }))

  it.scopedLive("lists models, and finds one whose name has slashes", () =>
    Effect.gen(function*() {
      const { client } = yield* scripted(ScriptedLlm.repeat([{ id: "openai/gpt-4o" }, { id: "groq/meta-llama/Llama-3" }]))
      const models = yield* given(() => client.models.list().then(collect))
      assert.deepStrictEqual(models.map(({ id }) => id), ["openai/gpt-4o", "groq/meta-llama/Llama-3"])
      const model = yield* given(() => client.models.retrieve("groq/meta-llama/Llama-3"))
      assert.deepStrictEqual([model.id, model.owned_by], ["groq/meta-llama/Llama-3", "groq"])
    }))

  it.scopedLive("throws its own typed errors", () =>
    Effect.gen(function*() {
      const common = { backend: "scripted", message: "it is so" }
      for (
        const [error, type, status, code] of [
          [new LlmError.AuthenticationFailed(common), OpenAI.AuthenticationError, 401, "authentication_failed"],
          [new LlmError.ModelNotFound(common), OpenAI.NotFoundError, 404, "model_not_found"],
          [
            new LlmError.RateLimited({ ...common, retryAfter: Duration.seconds(7) }),
            OpenAI.RateLimitError,
            429,
            "rate_limited"
          ],
          [new LlmError.InvalidRequest({ ...common, field: "seed" }), OpenAI.BadRequestError, 400, "invalid_request"],
          [new LlmError.ServerFault(common), OpenAI.InternalServerError, 502, "server_fault"]
        ] as const
      ) {
        const { client } = yield* scripted(ScriptedLlm.repeat(error))
        for (
          const ask of [
            () => client.chat.completions.create(hi),
            () => client.chat.completions.create({ ...hi, stream: true }),
            () => client.embeddings.create({ model: "a", input: "b" }),
            () => client.models.list()
          ]
        ) {
          const thrown = yield* rejection(ask)
          assert.instanceOf(thrown, type)
          assert.strictEqual(thrown.status, status)
          assert.strictEqual(thrown.code, code)
          assert.include(thrown.message, "it is so")
          assert.match(thrown.requestID ?? "", /^req-/)
          if (status === 429) assert.strictEqual(thrown.headers?.get("retry-after"), "7")
          if (status === 400) assert.strictEqual(thrown.param, "seed")
        }
      }
    }))

  it.scopedLive("is told what it asked wrongly, in the same way", () =>
    Effect.gen(function*() {
      const { client, llm } = yield* scripted()
      const thrown = yield* rejection(() => client.chat.completions.create({ ...hi, n: 2 }))
      assert.instanceOf(thrown, OpenAI.BadRequestError)
      assert.strictEqual(thrown.param, "n")
      assert.instanceOf(yield* rejection(() => client.files.list()), OpenAI.NotFoundError)
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
      assert.instanceOf(yield* rejection(() => eager.chat.completions.create(hi)), OpenAI.InternalServerError)
      assert.strictEqual((yield* llm.requests).length, 1)
      const answer = yield* given(() => eager.chat.completions.create(hi))
      assert.strictEqual(answer.choices[0]?.message.content, "hello")
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
      const thrown = yield* rejection(async () => {
        for await (const chunk of await client.chat.completions.create({ ...hi, stream: true })) {
          text += chunk.choices[0]?.delta.content ?? ""
        }
      })
      assert.strictEqual(text, "hel")
      assert.instanceOf(thrown, OpenAI.APIError)
      assert.strictEqual(thrown.code, "stream_interrupted")
    }))

  it.scopedLive("takes its call with it when it goes away, before the answer and in the midst of it", () =>
    Effect.gen(function*() {
      const { client, llm, gateway } = yield* scripted(Effect.never, Effect.never, [
        { _tag: "Start", model: "parrot" },
        Effect.never
      ])
      const gone = Effect.zipWith(llm.inFlight, gateway.inFlight, (calls, requests) => calls + requests === 0)
      for (const stream of [false, true]) {
        const abort = new AbortController()
        const asked = yield* Effect.fork(
          rejection(() => client.chat.completions.create({ ...hi, stream }, { signal: abort.signal }))
        )
        yield* until(Effect.map(llm.inFlight, (n) => n === 1))
        abort.abort()
        yield* asked
        yield* until(gone)
      }
      const stream = yield* given(() => client.chat.completions.create({ ...hi, stream: true }))
      yield* given(() => stream[Symbol.asyncIterator]().next())
      assert.strictEqual(yield* gateway.inFlight, 1)
      stream.controller.abort()
      yield* until(gone)
      assert.strictEqual(yield* llm.interrupted, 3)
    }))

  it.scopedLive("that sends too much hears so, whether it says how much or not", () =>
    Effect.gen(function*() {
      const { client, origin } = yield* scripted()
      const long = { ...hi, messages: [{ role: "user", content: "x".repeat(11 * 1024 * 1024) } as const] }
      const thrown = yield* rejection(() => client.chat.completions.create(long))
      assert.instanceOf(thrown, OpenAI.APIError)
      assert.strictEqual(thrown.status, 413)
      const streamed = yield* given(() =>
        fetch(
          `${origin}/v1/chat/completions`,
          // lib.dom does not know of duplex, which a streamed body needs
          Object.assign({ duplex: "half" }, { method: "POST", body: new Blob([JSON.stringify(long)]).stream() })
        )
      )
      assert.strictEqual(streamed.status, 413)
      yield* given(() => streamed.text())
    }))

  it.scopedLive("gets its answer to the end when the server closes, and no new one", () =>
    Effect.gen(function*() {
      const slow: ReadonlyArray<Completion.Part | Effect.Effect<Completion.Part>> = [
        { _tag: "Start", model: "parrot" },
        Effect.delay(Effect.succeed({ _tag: "TextDelta", text: "still here" }), "200 millis"),
        { _tag: "Finish", finishReason: "stop", usage: {} }
      ]
      const scope = yield* Scope.make()
      const { client } = yield* Scope.extend(scripted(slow), scope)
      const stream = yield* given(() => client.chat.completions.create({ ...hi, stream: true }))
      const answer = yield* Effect.fork(given(() => collect(stream)))
      const closed = yield* Effect.fork(Scope.close(scope, Exit.void))
      yield* Effect.yieldNow()
      const refused = yield* rejection(() => client.chat.completions.create(hi))
      assert.instanceOf(refused, OpenAI.InternalServerError)
      assert.deepStrictEqual([refused.status, refused.code], [503, "draining"])
      const chunks = yield* answer
      assert.strictEqual(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join(""), "still here")
      yield* closed
      assert.instanceOf(yield* rejection(() => client.chat.completions.create(hi)), OpenAI.APIConnectionError)
    }))
})
