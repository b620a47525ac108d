/** OpenAI's own client, the gateway, both wires, and a real model server behind them, which is not of our making. */
import * as HttpClient from "@effect/platform/HttpClient"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it, layer } from "@effect/vitest"
import { LlmError, LlmService, Monitor, Resilience, Router, Tool, ToolLoop } from "@spillway/core"
import { Anthropic, OpenAi } from "@spillway/providers"
import { Effect, Layer, Option, Redacted, Schema, Stream } from "effect"
import OpenAI from "openai"
import * as LlamaServer from "./llamaServer.js"
import { collect, given, rejection, served, until } from "./served.js"

/** Both backends before the server at this address, each behind the standard policies. */
const backends = (origin: string, key = LlamaServer.key) => {
  const apiKeys = [Redacted.make(key)] as const
  return Router.layer({
    openai: OpenAi.layer({ apiKeys, baseUrl: `${origin}/v1` }).pipe(Resilience.layer()),
    anthropic: Anthropic.layer({ apiKeys, baseUrl: origin }).pipe(Resilience.layer())
  }).pipe(Layer.provide(NodeHttpClient.layerUndici))
}

const gateway = (key?: string) =>
  Effect.gen(function*() {
    const server = yield* LlamaServer.LlamaServer
    return { server, ...(yield* served(backends(server.origin, key))) }
  }).pipe(Effect.provideService(Monitor.CurrentMonitor, Monitor.unsafeMake()))

const weather: OpenAI.ChatCompletionTool = {
  type: "function",
  function: {
    name: "get_weather",
    description: "The weather in a city, now",
    parameters: {
      type: "object",
      properties: { city: { type: "string" }, unit: { type: "string", enum: ["c", "f"] } },
      required: ["city", "unit"],
      additionalProperties: false
    }
  }
}

const text = "Hello, world! This text is scripted."
const bern = { city: "Bern", unit: "c" }
const geneva = { city: "Genève", unit: "f" }

const argumentsOf = (message: OpenAI.ChatCompletionMessage) =>
  message.tool_calls?.map((call) => call.type === "function" && [call.function.name, JSON.parse(call.function.arguments)])

const skipped = LlamaServer.missing === undefined ? "" : ` (skipped: ${LlamaServer.missing})`

describe.skipIf(LlamaServer.missing !== undefined)(`a real model server${skipped}`, () => {
  layer(LlamaServer.layer, { excludeTestServices: true, timeout: "30 seconds" })((it) => {
    for (const backend of ["openai", "anthropic"] as const) {
      const model = `${backend}/scripted`
      const ask = (content: string): OpenAI.ChatCompletionCreateParamsNonStreaming => ({
        model,
        messages: [{ role: "user", content }]
      })

      describe(`through the ${backend} backend`, () => {
        it.scoped("says its text, whole and streamed, and how many tokens that took", () =>
          Effect.gen(function*() {
            const { client, server } = yield* gateway()
            const { usage } = JSON.parse(yield* server.ask("/v1/chat/completions", { ...ask("hi"), model: "scripted" }))
            const { prompt_tokens, completion_tokens, total_tokens } = usage
            const whole = yield* given(() => client.chat.completions.create(ask("hi")))
            assert.strictEqual(whole.choices[0]?.message.content, text)
            assert.strictEqual(whole.choices[0]?.finish_reason, "stop")
            assert.deepInclude(whole.usage, { prompt_tokens, completion_tokens, total_tokens })
            const chunks = yield* given(() =>
              client.chat.completions.create({ ...ask("hi"), stream: true, stream_options: { include_usage: true } })
                .then(collect)
            )
            const pieces = chunks.flatMap((chunk) => chunk.choices[0]?.delta.content || [])
            assert.strictEqual(pieces.join(""), text)
            assert.isAbove(pieces.length, 4, "as it was made, piece by piece")
            assert.deepInclude(chunks.at(-1)?.usage, { prompt_tokens, completion_tokens, total_tokens })
          }))

        it.scoped("puts a character together that comes in four tokens", () =>
          Effect.gen(function*() {
            const { client } = yield* gateway()
            const whole = yield* given(() => client.chat.completions.create(ask("emoji, please")))
            assert.strictEqual(whole.choices[0]?.message.content, "Smile 😀 done")
            const streamed = yield* given(() =>
              client.chat.completions.stream({ ...ask("emoji, please"), stream: true }).finalContent()
            )
            assert.strictEqual(streamed, "Smile 😀 done")
          }))

        for (
          const [name, prompt, calls] of [
            ["a tool", "What is the weather in Bern?", [["get_weather", bern]]],
            ["two tools at once", "What is the weather in these two cities?", [["get_weather", bern], ["get_weather", geneva]]]
          ] as const
        ) {
          it.scoped(`calls ${name}, whole and streamed, and answers with what came of it`, () =>
            Effect.gen(function*() {
              const { client } = yield* gateway()
              const first = { ...ask(prompt), tools: [weather] }
              const whole = (yield* given(() => client.chat.completions.create(first))).choices[0]!
              const streamed = yield* given(() =>
                client.chat.completions.stream({ ...first, stream: true }).finalChatCompletion()
              )
              for (const { finish_reason, message } of [whole, streamed.choices[0]!]) {
                assert.strictEqual(finish_reason, "tool_calls")
                assert.deepStrictEqual(argumentsOf(message), calls)
                assert.strictEqual(new Set(message.tool_calls?.map(({ id }) => id)).size, calls.length)
                const results = message.tool_calls!.map(({ id }) => ({ role: "tool", tool_call_id: id, content: "12°C" } as const))
                const answer = yield* given(() =>
                  client.chat.completions.create({ ...first, messages: [...first.messages, message, ...results] })
                )
                assert.strictEqual(answer.choices[0]?.message.content, "It is 12°C in Bern.")
              }
            }))
        }

        it.scoped("is left alone by a client that went away", () =>
          Effect.gen(function*() {
            const { client, gateway: { inFlight }, server } = yield* gateway()
            // its context shifts, so that it would go on until somebody stops it
            const stream = yield* given(() =>
              client.chat.completions.create({ ...ask("endless"), max_tokens: 100_000_000, stream: true })
            )
            const chunks = stream[Symbol.asyncIterator]()
            yield* given(() => chunks.next())
            yield* given(() => chunks.next())
            assert.strictEqual(yield* server.processing, 1)
            stream.controller.abort()
            yield* until(Effect.map(Effect.zipWith(inFlight, server.processing, (a, b) => a + b), (n) => n === 0))
          }))

        it.scoped("says what is wrong, and the client makes its own errors of it", () =>
          Effect.gen(function*() {
            const { client } = yield* gateway()
            for (const stream of [false, true]) {
              const tooLong = yield* rejection(() => client.chat.completions.create({ ...ask("x ".repeat(5000)), stream }))
              assert.instanceOf(tooLong, OpenAI.BadRequestError)
              assert.strictEqual(tooLong.code, "invalid_request")
              assert.include(tooLong.message, "exceeds the available context size")
            }
            const { client: stranger } = yield* gateway("a-key-that-is-wrong")
            const refused = yield* rejection(() => stranger.chat.completions.create(ask("hi")))
            assert.instanceOf(refused, OpenAI.AuthenticationError)
            assert.strictEqual(refused.code, "authentication_failed")
            assert.notInclude(refused.message, "is-wrong")
          }))

        it.scoped("is run by a tool loop, whole and streamed, until it has its answer", () =>
          Effect.gen(function*() {
            const { origin } = yield* LlamaServer.LlamaServer
            const asked: Array<unknown> = []
            const getWeather = Tool.handle(
              Tool.make("get_weather", {
                parameters: Schema.Struct({ city: Schema.String, unit: Schema.Literal("c", "f") })
              }),
              (parameters) => Effect.sync(() => asked.push(parameters)).pipe(Effect.as("12°C"))
            )
            const request = { model, prompt: "What is the weather in these two cities?" }
            const [whole, streamed] = yield* Effect.all([
              ToolLoop.run(request, { tools: [getWeather] }),
              Effect.map(Stream.runLast(ToolLoop.stream(request, { tools: [getWeather] })), (last) => last.pipe(
                Option.filter((event) => event._tag === "Done"),
                Option.getOrThrow
              ))
            ]).pipe(Effect.provide(backends(origin)))
            assert.deepStrictEqual([whole.completion.text, streamed.completion.text], ["It is 12°C in Bern.", "It is 12°C in Bern."])
            assert.deepStrictEqual([whole.steps, streamed.steps], [2, 2])
            assert.deepStrictEqual(asked, [bern, geneva, bern, geneva])
          }))
      })
    }
  })
})
