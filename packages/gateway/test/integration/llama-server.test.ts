/** OpenAI's own client, the gateway, both wires, and a real model server behind them, which is not of our making. */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it, layer } from "@effect/vitest"
import { LlmService, Monitor, Resilience, Router, Tool, ToolLoop } from "@spillway/core"
import { Anthropic, OpenAi } from "@spillway/providers"
import { Effect, Layer, Option, Redacted, Schema, Stream } from "effect"
import OpenAI from "openai"
import * as LlamaServer from "../../../testing/test/llamaServer.js"
import { collect, given, rejection, served, until } from "./served.js"

/** Both backends before the server at this address, each behind the standard policies. */
const backends = (origin: string, key = LlamaServer.key, resilience?: Resilience.Options) => {
  const apiKeys = [Redacted.make(key)] as const
  return Router.layer({
    openai: OpenAi.layer({ apiKeys, baseUrl: `${origin}/v1` }).pipe(Resilience.layer(resilience)),
    anthropic: Anthropic.layer({ apiKeys, baseUrl: origin }).pipe(Resilience.layer(resilience))
  }).pipe(Layer.provide(NodeHttpClient.layerUndici))
}

/** The gateway before them, and OpenAI's client before that. */
const gateway = (key?: string, resilience?: Resilience.Options) =>
  Effect.gen(function*() {
    const server = yield* LlamaServer.LlamaServer
    return { server, ...(yield* served(backends(server.origin, key, resilience))) }
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

const argumentsOf = (message: OpenAI.ChatCompletionMessage): ReadonlyArray<unknown> | undefined =>
  message.tool_calls?.map((call) => call.type === "function" && JSON.parse(call.function.arguments))

describe("a real model server", () => {
  const missing = LlamaServer.missing
  if (missing !== undefined) return it("is not here", ({ skip }) => skip(missing))

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
            ["a tool", "What is the weather in Bern?", [bern]],
            ["two tools at once", "What is the weather in these two cities?", [bern, geneva]]
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
                assert.deepStrictEqual(argumentsOf(message), [...calls])
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
          }))

        it.scoped("does not take a wrong key, and the client hears so without seeing it", () =>
          Effect.gen(function*() {
            const wrong = "a-key-that-is-wrong"
            for (
              const [resilience, code] of [
                // the key's refusal itself, and that there is no other key
                [{ retry: { maxRotations: 0 } }, "authentication_failed"],
                [{}, "keys_exhausted"]
              ] as const
            ) {
              const { client } = yield* gateway(wrong, resilience)
              const refused = yield* rejection(() => client.chat.completions.create({ ...ask("hi"), stream: true }))
              assert.instanceOf(refused, OpenAI.AuthenticationError)
              assert.deepStrictEqual([refused.status, refused.code], [401, code])
              assert.notInclude(`${refused.message}${refused.stack}`, "is-wrong")
            }
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
            const [whole, last] = yield* Effect.all([
              ToolLoop.run(request, { tools: [getWeather] }),
              Stream.runLast(ToolLoop.stream(request, { tools: [getWeather] }))
            ]).pipe(Effect.provide(backends(origin)))
            const streamed = Option.getOrThrow(last)
            assert(streamed._tag === "Done")
            for (const { completion, steps } of [whole, streamed]) {
              assert.deepStrictEqual([completion.text, steps], ["It is 12°C in Bern.", 2])
            }
            assert.deepStrictEqual(asked, [bern, geneva, bern, geneva])
          }))
      })
    }

    it.scoped("lists its model, which is found by its bare name too", () =>
      Effect.gen(function*() {
        const { client } = yield* gateway()
        const models = yield* given(() => client.models.list().then(collect))
        assert.deepStrictEqual(models.map(({ id }) => id), ["openai/scripted", "anthropic/scripted"])
        const answer = yield* given(() =>
          client.chat.completions.create({ model: "scripted", messages: [{ role: "user", content: "hi" }] })
        )
        assert.strictEqual(answer.choices[0]?.message.content, text)
      }))

    it.scoped("gives values of a schema where it holds the model to it, and where it does not, that is told", () =>
      Effect.gen(function*() {
        const { origin } = yield* LlamaServer.LlamaServer
        const Weather = Schema.Struct({ unit: Schema.Literal("c", "f"), warm: Schema.Boolean })
        const ask = (model: string) => LlmService.generateObject({ model, prompt: "Is it warm?", maxTokens: 500 }, Weather)
        const [held, free] = yield* Effect.all([ask("openai/scripted"), Effect.flip(ask("anthropic/scripted"))]).pipe(
          Effect.provide(backends(origin))
        )
        assert.deepStrictEqual(held.value, JSON.parse(held.completion.text))
        assert(free._tag === "InvalidOutput")
        // its own form of Claude's API knows of no such thing
        assert.strictEqual(free.text, text)
      }))
  })

  it.scopedLive("embeds through the gateway exactly as it does by itself", () =>
    Effect.gen(function*() {
      const server = yield* LlamaServer.start("bert", "tiny-bert-embed.gguf", "--embeddings")
      const { client } = yield* served(backends(server.origin))
      const input = ["Hello, world!", "Grüße aus Genève", "😀"]
      const direct = JSON.parse(yield* server.ask("/v1/embeddings", { model: "bert", input }))
      const vectors: ReadonlyArray<ReadonlyArray<number>> = direct.data.map(({ embedding }: OpenAI.Embedding) => embedding)
      for (const encoding_format of [undefined, "float", "base64"] as const) {
        const { data, usage } = yield* given(() =>
          client.embeddings.create({ model: "openai/bert", input, ...(encoding_format && { encoding_format }) })
        )
        const floats = (embedding: ReadonlyArray<number> | string) =>
          typeof embedding === "string"
            ? [...new Float32Array(Uint8Array.from(Buffer.from(embedding, "base64")).buffer)]
            : embedding
        assert.deepStrictEqual(
          data.map(({ embedding }) => floats(embedding)),
          vectors.map((vector) => vector.map(Math.fround))
        )
        assert.strictEqual(usage.prompt_tokens, direct.usage.prompt_tokens)
      }
    }))
})
