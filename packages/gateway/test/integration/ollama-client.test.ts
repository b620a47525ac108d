import { assert, describe, it } from "@effect/vitest"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Prompt from "@spillway/core/Prompt"
import * as ScriptedLlm from "@spillway/testing/ScriptedLlm"
import { Effect, Layer } from "effect"
import { type Message, Ollama } from "ollama"
import { collect, given, rejection, served, until } from "./served.js"

/** A gateway before a script, called by Ollama's own client. */
const scripted = (...script: ReadonlyArray<ScriptedLlm.Step | ScriptedLlm.Repeat>) =>
  Effect.gen(function*() {
    const llm = yield* ScriptedLlm.make(...script)
    const { gateway, origin } = yield* served(Layer.succeed(LlmService.LlmService, llm))
    return { llm, gateway, origin, client: new Ollama({ host: origin }) }
  })

const hi = { model: "scripted/parrot", messages: [{ role: "user", content: "hi" }] }

const weather = {
  type: "function",
  function: {
    name: "get_weather",
    description: "The weather in a city, now",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] }
  }
}

const answer: ScriptedLlm.Answer = {
  content: [{ _tag: "Reasoning", text: "let me see" }, Prompt.text("hello to you")],
  usage: { inputTokens: 3, outputTokens: 4 }
}

const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="

/** What the service was asked. */
const requests = (llm: ScriptedLlm.Scripted) =>
  Effect.map(llm.requests, (asked) => asked.map((asked) => "request" in asked ? asked.request : undefined))

describe("Ollama's client", () => {
  it.scopedLive("chats, whole and streamed", () =>
    Effect.gen(function*() {
      const { client } = yield* scripted(ScriptedLlm.repeat(answer))
      const whole = yield* given(() => client.chat({ ...hi, think: true }))
      assert.deepStrictEqual(whole.message, { role: "assistant", content: "hello to you", thinking: "let me see" })
      assert.deepInclude(whole, {
        model: "scripted/parrot",
        done: true,
        done_reason: "stop",
        prompt_eval_count: 3,
        eval_count: 4
      })
      const parts = yield* given(() => client.chat({ ...hi, stream: true }).then(collect))
      assert.strictEqual(parts.map(({ message }) => message.content).join(""), "hello to you")
      assert.strictEqual(parts.map(({ message }) => message.thinking ?? "").join(""), "let me see")
      assert.isAbove(parts.length, 3)
      assert.deepStrictEqual(parts.map(({ done }) => done), [...parts.slice(1).map(() => false), true])
      assert.deepInclude(parts.at(-1), { done_reason: "stop", prompt_eval_count: 3, eval_count: 4 })
    }))

  it.scopedLive("calls tools and answers with their results, whole and streamed, with and without ids", () =>
    Effect.gen(function*() {
      const calls: ScriptedLlm.Answer = {
        content: [
          { _tag: "Reasoning", text: "two", signature: "signed" },
          ScriptedLlm.toolCall("get_weather", { city: "Oslo" }, "call_1"),
          { ...ScriptedLlm.toolCall("get_weather", { city: "Rome" }, "call_2"), signature: "proof" }
        ],
        finishReason: "tool-calls"
      }
      const { client, llm } = yield* scripted(calls, "rain", calls, "rain", "rain")
      const ask = { ...hi, tools: [weather] }
      const results: ReadonlyArray<Message> = [
        { role: "tool", content: "12°", tool_name: "get_weather" },
        { role: "tool", content: "21°", tool_name: "get_weather" }
      ]
      const whole = (messages: ReadonlyArray<Message>) => given(() => client.chat({ ...ask, messages: [...messages] }))
      const streamed = (messages: ReadonlyArray<Message>) =>
        Effect.map(given(() => client.chat({ ...ask, messages: [...messages], stream: true }).then(collect)), (parts) => ({
          message: parts.find(({ message }) => message.tool_calls !== undefined)?.message ?? parts[0]!.message
        }))
      for (const say of [whole, streamed]) {
        const { message } = yield* say(hi.messages)
        assert.deepStrictEqual(message.tool_calls?.map(({ function: { arguments: args, name } }) => ({ name, args })), [
          { name: "get_weather", args: { city: "Oslo" } },
          { name: "get_weather", args: { city: "Rome" } }
        ])
        assert.strictEqual((yield* say([...hi.messages, message, ...results])).message.content, "rain")
      }
      const conversation = [
        Prompt.user("hi"),
        Prompt.assistant(calls.content),
        Prompt.tool([
          { _tag: "ToolResult", id: "call_1", name: "get_weather", result: "12°" },
          { _tag: "ToolResult", id: "call_2", name: "get_weather", result: "21°" }
        ])
      ]
      const asked = (yield* requests(llm)).map((request) => request !== undefined && "prompt" in request && request.prompt)
      assert.deepStrictEqual(asked, [conversation.slice(0, 1), conversation, conversation.slice(0, 1), conversation])

      // as a program writes it that keeps nothing but names and arguments
      yield* whole([
        ...hi.messages,
        { role: "assistant", content: "", tool_calls: [{ function: { name: "get_weather", arguments: { city: "Oslo" } } }] },
        { role: "tool", content: "12°" }
      ])
      const last = (yield* requests(llm)).at(-1)
      assert.deepStrictEqual(last !== undefined && "prompt" in last && last.prompt, [
        Prompt.user("hi"),
        Prompt.assistant([{ _tag: "ToolCall", id: "call_1_0", name: "get_weather", arguments: "{\"city\":\"Oslo\"}" }]),
        Prompt.tool([{ _tag: "ToolResult", id: "call_1_0", name: "get_weather", result: "12°" }])
      ])
    }))

  it.scopedLive("sends pictures, the form of the answer, and options", () =>
    Effect.gen(function*() {
      const { client, llm } = yield* scripted(ScriptedLlm.repeat("{}"))
      const bytes = Uint8Array.from(atob(png), (char) => char.charCodeAt(0))
      const schema = { type: "object", properties: { a: { type: "number" } } }
      yield* given(() =>
        client.chat({
          model: "m",
          messages: [{ role: "user", content: "look", images: [bytes] }],
          format: schema,
          think: "high",
          keep_alive: "5m",
          options: { temperature: 0.5, top_p: 0.9, top_k: 40, seed: 7, stop: ["END"], num_predict: 9, num_ctx: 4096, num_gpu: 1 }
        })
      )
      assert.deepStrictEqual((yield* requests(llm))[0], {
        model: "m",
        prompt: [Prompt.user([Prompt.text("look"), Prompt.image(png, "image/png")])],
        maxTokens: 9,
        temperature: 0.5,
        topP: 0.9,
        topK: 40,
        stop: ["END"],
        seed: 7,
        format: { _tag: "JsonSchema", name: "answer", schema },
        reasoning: { effort: "high" },
        providerOptions: { ollama: { think: "high", numCtx: 4096, keepAlive: "5m" } }
      })
    }))

  it.scopedLive("generates, whole and streamed", () =>
    Effect.gen(function*() {
      const { client, llm } = yield* scripted(ScriptedLlm.repeat(answer))
      const ask = { model: "m", prompt: "hi", system: "be brief", images: [png] }
      const whole = yield* given(() => client.generate(ask))
      assert.deepInclude(whole, { response: "hello to you", thinking: "let me see", done: true, done_reason: "stop" })
      const parts = yield* given(() => client.generate({ ...ask, stream: true }).then(collect))
      assert.strictEqual(parts.map(({ response }) => response).join(""), "hello to you")
      const request = (yield* requests(llm))[0]
      assert.deepStrictEqual(request !== undefined && "prompt" in request && request.prompt, [
        Prompt.system("be brief"),
        Prompt.user([Prompt.text("hi"), Prompt.image(png, "image/png")])
      ])
    }))

  it.scopedLive("embeds, in the new way and in the old", () =>
    Effect.gen(function*() {
      const vectors = [[0.5, -1.25], [0, 1e-3]]
      const { client, llm } = yield* scripted(ScriptedLlm.repeat({ model: "small", vectors, usage: { inputTokens: 2 } }))
      const embedded = yield* given(() => client.embed({ model: "m", input: ["a", "b"], truncate: false, dimensions: 2 }))
      assert.deepStrictEqual(embedded.embeddings, vectors)
      assert.strictEqual(embedded.prompt_eval_count, 2)
      assert.deepStrictEqual((yield* given(() => client.embeddings({ model: "m", prompt: "a" }))).embedding, vectors[0])
      assert.deepStrictEqual(yield* requests(llm), [
        { model: "m", input: ["a", "b"], dimensions: 2, providerOptions: { ollama: { truncate: false } } },
        { model: "m", input: ["a"] }
      ])
    }))

  it.scopedLive("lists models, shows one, and asks which are running and which version it is", () =>
    Effect.gen(function*() {
      const { client } = yield* scripted(ScriptedLlm.repeat([
        { id: "openai/gpt-4o", owner: "openai", contextWindow: 128_000, created: 1_700_000_000 },
        { id: "groq/meta-llama/Llama-3" }
      ]))
      const { models } = yield* given(() => client.list())
      assert.deepStrictEqual(models.map(({ name }) => name), ["openai/gpt-4o", "groq/meta-llama/Llama-3"])
      assert.deepInclude<object>(models[0]!.details, { family: "openai", context_length: 128_000 })
      const shown = yield* given(() => client.show({ model: "gpt-4o" }))
      assert.deepInclude(shown.model_info, { "general.architecture": "gateway", "gateway.context_length": 128_000 })
      assert.includeMembers(shown.capabilities, ["completion", "tools", "embedding"])
      assert.deepStrictEqual((yield* given(() => client.ps())).models, [])
      assert.match((yield* given(() => client.version())).version, /^\d+\.\d+\.\d+$/)
    }))

  it.scopedLive("hears at once that a model is held ready that is there, and that one is not that is not", () =>
    Effect.gen(function*() {
      const { client, llm } = yield* scripted(ScriptedLlm.repeat([{ id: "m" }]))
      const load = yield* given(() => client.generate({ model: "m", prompt: "" }))
      assert.deepInclude(load, { response: "", done: true, done_reason: "load" })
      const unload = yield* given(() => client.chat({ model: "m", messages: [], keep_alive: 0 }))
      assert.deepInclude(unload, { done: true, done_reason: "unload" })
      assert.deepInclude(yield* rejection(() => client.generate({ model: "n", prompt: "" })), { status_code: 404 })
      assert.deepStrictEqual((yield* llm.requests).map(({ operation }) => operation), ["listModels", "listModels", "listModels"])
    }))

  it.scopedLive("throws its own errors", () =>
    Effect.gen(function*() {
      const common = { backend: "scripted", message: "it is so" }
      for (
        const [error, status] of [
          [new LlmError.AuthenticationFailed(common), 401],
          [new LlmError.ModelNotFound(common), 404],
          [new LlmError.RateLimited(common), 429],
          [new LlmError.Unsupported({ ...common, feature: "tools" }), 400],
          [new LlmError.QueueFull({ ...common, capacity: 1, waiting: 1 }), 503],
          [new LlmError.ServerFault(common), 502]
        ] as const
      ) {
        const { client } = yield* scripted(ScriptedLlm.repeat(error))
        for (
          const ask of [
            () => client.chat(hi),
            () => client.chat({ ...hi, stream: true }),
            () => client.generate({ model: "m", prompt: "hi" }),
            () => client.embed({ model: "m", input: "a" }),
            () => client.list(),
            () => client.show({ model: "m" })
          ]
        ) {
          const thrown = yield* rejection(ask)
          assert.deepInclude(thrown, { name: "ResponseError", status_code: status, error: "it is so" })
        }
      }
    }))

  it.scopedLive("is told what it asked wrongly, by name, and what is not served", () =>
    Effect.gen(function*() {
      const { client, llm } = yield* scripted()
      for (
        const [ask, says] of [
          [() => client.chat({ ...hi, options: { mirostat: 2 } }), "options.mirostat must be 0"],
          [() => client.generate({ model: "m", prompt: "a", suffix: "b" }), "suffix must be \"\""],
          [() => client.chat({ ...hi, logprobs: true }), "logprobs must be false"]
        ] as const
      ) {
        const thrown = yield* rejection(ask)
        assert.deepInclude(thrown, { name: "ResponseError", status_code: 400 })
        assert.include((thrown as Error).message, says)
      }
      assert.deepInclude(yield* rejection(() => client.pull({ model: "m" })), {
        status_code: 404,
        error: "There is nothing under this path"
      })
      assert.strictEqual((yield* llm.requests).length, 0)
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
        for await (const part of await client.chat({ ...hi, stream: true })) text += part.message.content
      })
      assert.strictEqual(text, "hel")
      assert.instanceOf(thrown, Error)
      assert.strictEqual(thrown.message, "cut")
    }))

  it.scopedLive("takes its call with it when it goes away", () =>
    Effect.gen(function*() {
      const { client, llm, gateway } = yield* scripted([
        { _tag: "Start", model: "parrot" },
        { _tag: "TextDelta", text: "hel" },
        Effect.never
      ])
      const stream = yield* given(() => client.chat({ ...hi, stream: true }))
      yield* given(() => stream[Symbol.asyncIterator]().next())
      assert.strictEqual(yield* gateway.inFlight, 1)
      stream.abort()
      yield* until(Effect.zipWith(llm.inFlight, gateway.inFlight, (calls, requests) => calls + requests === 0))
      assert.strictEqual(yield* llm.interrupted, 1)
    }))

  it.scopedLive("finds somebody at home", () =>
    Effect.gen(function*() {
      const { origin } = yield* scripted()
      const response = yield* given(() => fetch(origin))
      assert.deepStrictEqual([response.status, yield* given(() => response.text())], [200, "Spillway is running"])
      const head = yield* given(() => fetch(origin, { method: "HEAD" }))
      assert.deepStrictEqual([head.status, yield* given(() => head.text())], [200, ""])
    }))
})
