import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Ollama } from "ollama"
import type * as Simulator from "@spillway/testing/Simulator"
import { collect, rejection, served, until } from "./served.js"

const client = (options?: Simulator.Options) =>
  Effect.map(served(options), ({ simulator, variable }) => ({
    simulator,
    ollama: new Ollama({ host: variable("OLLAMA_HOST") })
  }))

const user = (content: string) => [{ role: "user", content }]

const weather = {
  type: "function",
  function: {
    name: "get_weather",
    description: "The weather of a city",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] }
  }
}

describe("the official ollama client and the simulator", () => {
  it.scopedLive("chat and generate, and streams that add up to them", () =>
    Effect.gen(function*() {
      const { ollama } = yield* client({ tokenDelay: "1 millis" })
      const chatted = yield* Effect.promise(() => ollama.chat({ model: "llama3.2", messages: user("Hello there") }))
      assert.match(chatted.message.content, /^You said: “Hello there”\./)
      assert.deepStrictEqual([chatted.done, chatted.done_reason, chatted.eval_count], [true, "stop", 48])
      const parts = yield* Effect.promise(async () =>
        collect(await ollama.chat({ model: "llama3.2", messages: user("Hello there"), stream: true }))
      )
      assert.strictEqual(parts.map(({ message }) => message.content).join(""), chatted.message.content)
      assert.strictEqual(parts.at(-1)?.eval_count, 48)
      const generated = yield* Effect.promise(() =>
        ollama.generate({ model: "llama3.2:latest", prompt: "Hello there", options: { num_predict: 5 } })
      )
      assert.deepStrictEqual([generated.response, generated.done_reason], ["You said: “Hello", "length"])
      const pieces = yield* Effect.promise(async () =>
        collect(await ollama.generate({ model: "llama3.2", prompt: "Hello there", stream: true }))
      )
      assert.strictEqual(pieces.map(({ response }) => response).join(""), chatted.message.content)
    })
  )

  it.scopedLive("tool calls and their round trip", () =>
    Effect.gen(function*() {
      const { ollama } = yield* client()
      const messages = user("What is the weather in Tokyo?")
      const asked = yield* Effect.promise(() => ollama.chat({ model: "llama3.2", messages, tools: [weather] }))
      assert.deepStrictEqual(
        asked.message.tool_calls?.map((call) => call.function.arguments),
        [{ city: "Tokyo" }]
      )
      const parts = yield* Effect.promise(async () =>
        collect(await ollama.chat({ model: "llama3.2", messages, tools: [weather], stream: true }))
      )
      assert.deepStrictEqual(
        parts.flatMap(({ message }) => message.tool_calls ?? []).map((call) => call.function.arguments),
        [{ city: "Tokyo" }]
      )
      const answered = yield* Effect.promise(() =>
        ollama.chat({
          model: "llama3.2",
          messages: [...messages, asked.message, { role: "tool", content: "rain", tool_name: "get_weather" }],
          tools: [weather]
        })
      )
      assert.match(answered.message.content, /The tool get_weather returned: rain\./)
    })
  )

  it.scopedLive("structured output, thinking, images in", () =>
    Effect.gen(function*() {
      const { ollama } = yield* client()
      const format = { type: "object", properties: { age: { type: "integer" } }, required: ["age"] }
      const structured = yield* Effect.promise(() =>
        ollama.chat({ model: "llama3.2", messages: user("Ada is 36"), format })
      )
      assert.deepStrictEqual(JSON.parse(structured.message.content), { age: 36 })
      const thoughtful = yield* Effect.promise(() => ollama.chat({ model: "qwen3", messages: user("hi"), think: true }))
      assert.match(thoughtful.message.thinking ?? "", /^The user said “hi”/)
      const quick = yield* Effect.promise(() => ollama.chat({ model: "qwen3", messages: user("hi"), think: false }))
      assert.isUndefined(quick.message.thinking)
      const seen = yield* Effect.promise(() =>
        ollama.chat({
          model: "llama3.2",
          messages: [{ role: "user", content: "What is this?", images: [new Uint8Array([137, 80, 78, 71])] }]
        })
      )
      assert.match(seen.message.content, /You showed me an image\./)
    })
  )

  it.scopedLive("embeddings, in order", () =>
    Effect.gen(function*() {
      const { ollama } = yield* client()
      const both = yield* Effect.promise(() => ollama.embed({ model: "all-minilm", input: ["one", "two"] }))
      const second = yield* Effect.promise(() => ollama.embed({ model: "all-minilm", input: "two" }))
      assert.strictEqual(both.embeddings.length, 2)
      assert.deepStrictEqual(both.embeddings[1], second.embeddings[0])
      assert.strictEqual(both.embeddings[0]?.length, 384)
    })
  )

  it.scopedLive("models: all, one, those in memory; the version", () =>
    Effect.gen(function*() {
      const { ollama } = yield* client()
      assert.includeMembers(
        (yield* Effect.promise(() => ollama.list())).models.map(({ name }) => name),
        ["llama3.2:latest", "sim-chat:latest"]
      )
      const shown = yield* Effect.promise(() => ollama.show({ model: "qwen3" }))
      assert.include(shown.capabilities, "thinking")
      assert.deepStrictEqual((yield* Effect.promise(() => ollama.ps())).models, [])
      yield* Effect.promise(() => ollama.chat({ model: "llama3.2", messages: user("hi") }))
      assert.deepStrictEqual(
        (yield* Effect.promise(() => ollama.ps())).models.map(({ name }) => name),
        ["llama3.2:latest"]
      )
      yield* Effect.promise(() => ollama.chat({ model: "llama3.2", messages: [], keep_alive: 0 }))
      assert.deepStrictEqual((yield* Effect.promise(() => ollama.ps())).models, [])
      assert.match((yield* Effect.promise(() => ollama.version())).version, /^\d+\.\d+/)
    })
  )

  it.scopedLive(
    "its own errors: 404, 400, 500, 503, a broken connection, an error in the stream, a stream cut short",
    () =>
      Effect.gen(function*() {
        const { ollama, simulator } = yield* client()
        const ask =
          (more: object = {}) =>
          () =>
            ollama.chat({ model: "llama3.2", messages: user("hi"), ...more })
        const failed = (more: object, status: number, message: RegExp) =>
          Effect.map(rejection(ask(more)), (error) => {
            assert.strictEqual((error as { readonly status_code?: number }).status_code, status)
            assert.match((error as Error).message, message)
          })
        yield* failed({ model: "nope" }, 404, /^model 'nope' not found$/)
        yield* failed({ model: "" }, 400, /^model is required$/)
        yield* failed({ messages: "hi" }, 400, /cannot unmarshal string into Go struct field Request\.messages/)
        yield* failed({ think: true }, 400, /^"llama3.2" does not support thinking$/)
        yield* failed({ messages: [{ role: "wizard", content: "hi" }] }, 400, /^invalid role: wizard/)
        yield* failed({ options: { num_predict: "x" } }, 500, /^option "num_predict" must be of type integer$/)
        yield* simulator.inject("overloaded", "connectionReset", "streamError", "streamCut")
        yield* failed({}, 503, /^server busy, please try again/)
        assert.instanceOf(yield* rejection(ask()), TypeError)
        const stream = () => ollama.chat({ model: "llama3.2", messages: user("hi"), stream: true }).then(collect)
        assert.match(String(yield* rejection(stream)), /an error was encountered while running the model/)
        assert.match(String(yield* rejection(stream)), /Did not receive done or success response in stream/)
      })
  )

  it.scopedLive("an abort, which the simulator sees", () =>
    Effect.gen(function*() {
      const { ollama, simulator } = yield* client({ tokenDelay: "20 millis", answerTokens: 1000 })
      yield* rejection(async () => {
        for await (const _ of await ollama.chat({ model: "llama3.2", messages: user("hi"), stream: true }))
          ollama.abort()
      })
      const [request] = yield* until(simulator.requests, ([one]) => one?.outcome !== "Open")
      assert.strictEqual(request?.outcome, "Aborted")
    })
  )
})
