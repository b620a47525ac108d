/**
 * vLLM and llama.cpp, and a real server that is not of our making: llama.cpp's, which speaks OpenAI's wire with much of
 * what vLLM adds to it (`/rerank`, `/health`, `top_k`), and has none of vLLM's own routes.
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { assert, describe, it, layer } from "@effect/vitest"
import { Completion, type LlmError, LlmService, Prompt, Tool, ToolLoop } from "@spillway/core"
import * as LlamaCpp from "@spillway/providers/LlamaCpp"
import * as Vllm from "@spillway/providers/Vllm"
import { Duration, Effect, Fiber, Redacted, Schema, Stream } from "effect"
import * as LlamaServer from "../../../testing/test/llamaServer.js"

const missing = LlamaServer.missing

interface Options {
  readonly baseUrl: string
  readonly apiKeys: readonly [Redacted.Redacted]
}

const backends = {
  vllm: (options: Options) => Effect.map(Vllm.make(options), ({ llm }) => llm),
  llamacpp: LlamaCpp.make
}

/** What only vLLM has, before this server. */
const own = (server: LlamaServer.Running) =>
  Effect.map(Vllm.make({ baseUrl: server.origin, apiKeys: [Redacted.make(LlamaServer.key)] }), ({ vllm }) => vllm).pipe(
    Effect.provide(FetchHttpClient.layer)
  )

const text = "Hello, world! This text is scripted."
const bern = { city: "Bern", unit: "c" }
const geneva = { city: "Genève", unit: "f" }

const weather = Tool.make("get_weather", {
  description: "The weather in a city, now",
  parameters: Schema.Struct({ city: Schema.String, unit: Schema.Literal("c", "f") })
})

const query = "Which animal is it?"
const documents = ["a cat", "a bird of the sea", "the train to Bern", "Grüße aus Genève 🌊", "cats and dogs"]

const request = (prompt: Prompt.Input) => ({ model: "scripted", prompt })

/** Waits until the server works on so many requests. */
const works = (server: LlamaServer.Running, count: number, pause = Duration.millis(5)): Effect.Effect<void> =>
  Effect.flatMap(server.processing, (n) =>
    n === count ? Effect.void : Effect.zipRight(Effect.sleep(pause), works(server, count, pause)))

describe("a real model server", () => {
  if (missing !== undefined) return it("is not here", ({ skip }) => skip(missing))

  for (const [name, make] of Object.entries(backends)) {
    const before = (server: LlamaServer.Running, key = LlamaServer.key) =>
      make({ baseUrl: server.origin, apiKeys: [Redacted.make(key)] }).pipe(Effect.provide(FetchHttpClient.layer))

    describe(`before ${name}`, () => {
      layer(LlamaServer.layer, { excludeTestServices: true, timeout: "30 seconds" })((it) => {
        const scripted = (key?: string) => Effect.flatMap(LlamaServer.LlamaServer, (server) => before(server, key))

        it.scoped("says its text, whole and streamed, and how many tokens that took", () =>
          Effect.gen(function*() {
            const server = yield* LlamaServer.LlamaServer
            const llm = yield* scripted()
            const { usage } = JSON.parse(
              yield* server.ask("/v1/chat/completions", {
                model: "scripted",
                messages: [{ role: "user", content: "hi" }]
              })
            )
            const whole = yield* llm.generateText(request("hi"))
            const parts = yield* Stream.runCollect(llm.streamText(request("hi")))
            const streamed = yield* Completion.collect(Stream.fromIterable(parts))
            for (const completion of [whole, streamed]) {
              assert.deepInclude(completion, { model: "scripted", text, finishReason: "stop" })
              assert.match(completion.id ?? "", /^chatcmpl-/)
              assert.deepInclude(completion.usage, {
                inputTokens: usage.prompt_tokens,
                outputTokens: usage.completion_tokens
              })
            }
            assert.isAbove([...parts].filter(({ _tag }) => _tag === "TextDelta").length, 4, "as it was made")
          }))

        it.scoped("puts a character together that comes in four tokens", () =>
          Effect.gen(function*() {
            const llm = yield* scripted()
            const said = yield* Completion.collect(llm.streamText(request("emoji, please")))
            assert.strictEqual(said.text, "Smile 😀 done")
          }))

        for (
          const [what, prompt, calls] of [
            ["a tool", "What is the weather in Bern?", [bern]],
            ["two tools at once", "What is the weather in these two cities?", [bern, geneva]]
          ] as const
        ) {
          it.scoped(`calls ${what}, whole and streamed, and answers with what came of it`, () =>
            Effect.gen(function*() {
              const llm = yield* scripted()
              const first = { ...request(prompt), tools: [weather] }
              const whole = yield* llm.generateText(first)
              const streamed = yield* Completion.collect(llm.streamText(first))
              for (const { content, finishReason, toolCalls } of [whole, streamed]) {
                assert.strictEqual(finishReason, "tool-calls")
                assert.deepStrictEqual(toolCalls.map((call) => JSON.parse(call.arguments)), [...calls])
                assert.strictEqual(new Set(toolCalls.map(({ id }) => id)).size, calls.length)
                const answer = yield* llm.generateText({
                  ...first,
                  prompt: [
                    Prompt.user(prompt),
                    Prompt.assistant(content),
                    Prompt.tool(toolCalls.map(({ id, name }) => ({ _tag: "ToolResult", id, name, result: "12°C" })))
                  ]
                })
                assert.strictEqual(answer.text, "It is 12°C in Bern.")
              }
            }))
        }

        it.scoped("is run by a tool loop until it has its answer", () =>
          Effect.gen(function*() {
            const llm = yield* scripted()
            const asked: Array<unknown> = []
            const handled = Tool.handle(weather, (parameters) =>
              Effect.sync(() => asked.push(parameters)).pipe(Effect.as("12°C")))
            const { completion, steps } = yield* ToolLoop.run(request("What is the weather in these two cities?"), {
              tools: [handled]
            }).pipe(Effect.provideService(LlmService.LlmService, llm))
            assert.deepStrictEqual([completion.text, steps], ["It is 12°C in Bern.", 2])
            assert.deepStrictEqual(asked, [bern, geneva])
          }))

        it.scoped("holds its model to a schema", () =>
          Effect.gen(function*() {
            const llm = yield* scripted()
            const Weather = Schema.Struct({ unit: Schema.Literal("c", "f"), warm: Schema.Boolean })
            const { completion, value } = yield* LlmService.generateObject(
              { ...request("Is it warm?"), maxTokens: 500 },
              Weather
            ).pipe(Effect.provideService(LlmService.LlmService, llm))
            assert.deepStrictEqual(value, JSON.parse(completion.text))
          }))

        it.scoped("takes the fields that are not OpenAI's", () =>
          Effect.gen(function*() {
            const llm = yield* scripted()
            const { text } = yield* llm.generateText({
              ...request("Is it warm?"),
              topK: 4,
              maxTokens: 3,
              providerOptions: { vllm: { minP: 0.1, chatTemplateKwargs: { enable_thinking: false } } }
            })
            assert.strictEqual(text, "Hello, world")
          }))

        it.scoped("stops where it was told to, and says why", () =>
          Effect.gen(function*() {
            const llm = yield* scripted()
            const short = yield* llm.generateText({ ...request("hi"), maxTokens: 2 })
            assert.deepStrictEqual([short.text, short.finishReason], ["Hello, wor", "length"])
            const stopped = yield* llm.generateText({ ...request("hi"), stop: ["!"] })
            assert.deepStrictEqual([stopped.text, stopped.finishReason], ["Hello, world", "stop"])
          }))

        it.scoped("is left alone by whoever goes away", () =>
          Effect.gen(function*() {
            const server = yield* LlamaServer.LlamaServer
            const llm = yield* scripted()
            // its context shifts, so that it would go on until somebody stops it
            const endless = { ...request("endless"), maxTokens: 100_000_000 }
            yield* Stream.runDrain(Stream.take(llm.streamText(endless), 5))
            yield* works(server, 0)
            const whole = yield* Effect.fork(llm.generateText(endless))
            yield* works(server, 1)
            yield* Fiber.interrupt(whole)
            // it looks after its clients once a second, unless it is asked something else meanwhile
            yield* works(server, 0, Duration.millis(1200))
          }).pipe(Effect.timeout(Duration.seconds(20))))

        it.scoped("is well, and lists its model", () =>
          Effect.gen(function*() {
            const llm = yield* scripted()
            yield* llm.health
            const models = yield* llm.listModels
            assert.deepStrictEqual(models.map(({ id }) => id), ["scripted"])
          }))

        it.scoped("says what is wrong", () =>
          Effect.gen(function*() {
            const llm = yield* scripted()
            const long = request("x ".repeat(5000))
            for (
              const call of [llm.generateText(long), Stream.runDrain(llm.streamText(long))] as ReadonlyArray<
                Effect.Effect<unknown, LlmError.LlmError>
              >
            ) {
              const error = yield* Effect.flip(call)
              assert.strictEqual(error._tag, "InvalidRequest")
              assert.include(error.message, "exceeds the available context size")
            }
            for (
              const call of [
                llm.embed({ model: "scripted", input: ["a"] }),
                llm.rerank({ model: "scripted", query, documents })
              ] as ReadonlyArray<Effect.Effect<unknown, LlmError.LlmError>>
            ) {
              const error = yield* Effect.flip(call)
              assert.strictEqual(error._tag, "Unsupported")
              assert.match(error.message, /Start it with `--(embeddings|reranking)`/)
            }
          }))

        it.scoped("does not take a wrong key, nor is that key seen", () =>
          Effect.gen(function*() {
            for (
              const call of [
                (llm) => llm.generateText(request("hi")),
                (llm) => Stream.runDrain(llm.streamText(request("hi")))
              ] as ReadonlyArray<(llm: LlmService.Service) => Effect.Effect<unknown, LlmError.LlmError>>
            ) {
              const error = yield* Effect.flip(Effect.flatMap(scripted("a-key-that-is-wrong"), call))
              assert.strictEqual(error._tag, "AuthenticationFailed")
              assert.notInclude(`${error.message}${error.stack}`, "is-wrong")
            }
          }))
      })

      it.scopedLive("embeds exactly as the server does by itself", () =>
        Effect.gen(function*() {
          const server = yield* LlamaServer.start("bert", "tiny-bert-embed.gguf", "--embeddings")
          const llm = yield* before(server)
          const input = ["Hello, world!", "Grüße aus Genève", "😀"]
          const { data, usage } = JSON.parse(yield* server.ask("/v1/embeddings", { model: "bert", input }))
          const embedded = yield* llm.embed({ model: "bert", input })
          assert.deepStrictEqual(
            embedded.vectors.map((vector) => [...vector].map(Math.fround)),
            data.map(({ embedding }: { readonly embedding: ReadonlyArray<number> }) => embedding.map(Math.fround))
          )
          assert.strictEqual(embedded.usage.inputTokens, usage.prompt_tokens)
        }))

      it.scopedLive("ranks documents exactly as the server does by itself", () =>
        Effect.gen(function*() {
          const server = yield* LlamaServer.start("ranker", "tiny-bert-rerank.gguf", "--reranking")
          const llm = yield* before(server)
          const direct: {
            readonly results: ReadonlyArray<{ readonly index: number; readonly relevance_score: number }>
            readonly usage: { readonly prompt_tokens: number }
          } = JSON.parse(yield* server.ask("/v1/rerank", { model: "ranker", query, documents }))
          const { results, usage } = yield* llm.rerank({ model: "ranker", query, documents })
          assert.deepStrictEqual(
            results,
            direct.results.map(({ index, relevance_score }) => ({
              index,
              score: relevance_score,
              document: documents[index]!
            }))
          )
          assert.strictEqual(usage?.inputTokens, direct.usage.prompt_tokens)
          const best = yield* llm.rerank({ model: "ranker", query, documents, topN: 2 })
          assert.deepStrictEqual(best.results, results.slice(0, 2))
        }))
    })
  }

  layer(LlamaServer.layer, { excludeTestServices: true, timeout: "30 seconds" })((it) => {
    it.scoped("is not taken for vLLM, whose own routes it lacks", () =>
      Effect.gen(function*() {
        const vllm = yield* Effect.flatMap(LlamaServer.LlamaServer, own)
        const wrong: ReadonlyArray<readonly [LlmError.Tag, Effect.Effect<unknown, LlmError.LlmError>]> = [
          ["MalformedResponse", vllm.version],
          ["MalformedResponse", vllm.loadLora({ name: "a", path: "/a" })],
          // routes of the same name, which speak otherwise
          ["MalformedResponse", vllm.load],
          ["MalformedResponse", vllm.tokenize({ model: "scripted", text: "Hello" })]
        ]
        for (const [tag, call] of wrong) {
          const error = yield* Effect.flip(call)
          assert.strictEqual(error._tag, tag, error.message)
        }
      }))
  })
})
