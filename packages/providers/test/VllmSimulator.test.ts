/** The backend and the simulator, which keeps vLLM's rules as its source has them. */
import { assert, describe, it } from "@effect/vitest"
import * as Completion from "@spillway/core/Completion"
import type * as LlmError from "@spillway/core/LlmError"
import * as Prompt from "@spillway/core/Prompt"
import * as Vllm from "@spillway/providers/Vllm"
import * as Simulator from "@spillway/testing/Simulator"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import { callTool, failFor, ofStreams, simulated, streamed, weather } from "./simulated.js"

const model = "Qwen/Qwen2.5-1.5B-Instruct"

const on = <A, E>(
  use: (backend: Vllm.Backend, simulator: Simulator.Service) => Effect.Effect<A, E>,
  options: Simulator.Options = {},
  key = "sim-key-1"
) =>
  simulated(
    () => Vllm.make({ baseUrl: "http://simulator/vllm", ...(key !== "" && { apiKeys: [Redacted.make(key)] as const }) }),
    use,
    options
  )

describe("vLLM and the simulator", () => {
  it.effect("chat, whole and streamed, with the same answer and the same count", () =>
    on(({ llm }) =>
      Effect.gen(function*() {
        const request: Completion.Request = {
          model,
          prompt: [Prompt.system("Be brief."), Prompt.user("Hello there")],
          temperature: 0,
          topK: 5,
          providerOptions: { vllm: { minP: 0.1, cacheSalt: "salt", chatTemplateKwargs: { enable_thinking: false } } }
        }
        const { id: _, ...whole } = yield* llm.generateText(request)
        assert.match(whole.text, /^You said: “Hello there”\./)
        const { id, ...inPieces } = yield* streamed(llm)(request)
        assert.match(id ?? "", /^chatcmpl-/)
        assert.deepStrictEqual(inPieces, whole)
      })
    ))

  it.effect("call a tool and send its result back, whole and streamed", () =>
    on(({ llm }) =>
      callTool(llm, { model, prompt: "What is the weather in Tokyo?", tools: [weather] }, ({ id }) =>
        assert.match(id, /^chatcmpl-tool-/))
    ))

  it.effect("answer by schema, by choice and by length, and think aloud unless told not to", () =>
    on(({ llm }) =>
      Effect.gen(function*() {
        const schema = { type: "object", properties: { name: { type: "string" } }, required: ["name"] }
        const format = { _tag: "JsonSchema", name: "person", schema } as const
        assert.isString(JSON.parse((yield* llm.generateText({ model, prompt: "Who?", format })).text).name)
        const json = { vllm: { structuredOutputs: { json: schema } } }
        const guided = yield* llm.generateText({ model, prompt: "Who?", providerOptions: json })
        assert.isString(JSON.parse(guided.text).name)
        const choice = { vllm: { structuredOutputs: { choice: ["positive", "negative"] } } }
        const chosen = yield* Completion.collect(
          llm.streamText({ model, prompt: "vLLM is wonderful!", providerOptions: choice })
        )
        assert.strictEqual(chosen.text, "positive")
        const short = yield* llm.generateText({ model, prompt: "Hello", maxTokens: 2 })
        assert.strictEqual(short.finishReason, "length")
        for (const includeReasoning of [true, false]) {
          const request = { model: "Qwen/Qwen3-0.6B", prompt: "Why?", providerOptions: { vllm: { includeReasoning } } }
          const whole = yield* llm.generateText(request)
          const inPieces = yield* streamed(llm)(request)
          for (const thought of [whole, inPieces]) {
            assert.strictEqual(thought.content[0]?._tag, includeReasoning ? "Reasoning" : "Text")
          }
        }
      })
    ))

  it.effect("embed, rank and score by likeness, classify and pool", () =>
    on(({ llm, vllm }) =>
      Effect.gen(function*() {
        const { usage, vectors } = yield* llm.embed({ model: "BAAI/bge-m3", input: ["first", "second", "first"] })
        assert.deepStrictEqual(vectors[0], vectors[2])
        assert.strictEqual(vectors[0]!.length, 1024)
        assert.isAbove(usage.inputTokens!, 0)
        const ranker = "BAAI/bge-reranker-v2-m3"
        const query = "the capital of France"
        const documents = ["Horses eat hay", "Paris is the capital of France", "The capital of Norway is Oslo"]
        const { results } = yield* llm.rerank({ model: ranker, query, documents, topN: 2 })
        assert.deepStrictEqual(results.map(({ index }) => index), [1, 2])
        const { scores } = yield* vllm.score({ model: ranker, queries: query, documents })
        assert.deepStrictEqual([scores[1], scores[2]], results.map(({ score }) => score))
        const { classes } = yield* vllm.classify({ model: ranker, input: ["good", "bad"] })
        assert.strictEqual(classes.length, 2)
        for (const { label, probabilities } of classes) {
          assert.isString(label)
          assert.closeTo(probabilities.reduce((sum, one) => sum + one, 0), 1, 1e-9)
        }
        const { outputs } = yield* vllm.pooling({ model: "BAAI/bge-m3", input: ["two words"] })
        assert.isAbove(outputs[0]!.length, 1)
      })
    ))

  it.effect("take a text apart and put it together", () =>
    on(({ vllm }) =>
      Effect.gen(function*() {
        const text = "Grüße, 🌊! What  is this?"
        const { count, maxModelLen, texts, tokens } = yield* vllm.tokenize({ model, text, texts: true })
        assert.strictEqual(count, tokens.length)
        assert.strictEqual(texts!.length, count)
        assert.strictEqual(maxModelLen, 32_768)
        assert.strictEqual(yield* vllm.detokenize({ model, tokens }), text)
        const chat = yield* vllm.tokenize({ model, prompt: [Prompt.system("Be brief."), Prompt.user("hi")] })
        assert.isAbove(chat.count, 2)
        assert.notProperty(chat, "texts")
      })
    ))

  it.effect("load an adapter, ask it, and unload it", () =>
    on(({ llm, vllm }) =>
      Effect.gen(function*() {
        const ids = Effect.map(llm.listModels, (models) => models.map(({ id }) => id))
        const lora = { name: "sql", path: "/adapters/sql" }
        assert.strictEqual((yield* Effect.flip(llm.generateText({ model: "sql", prompt: "hi" })))._tag, "ModelNotFound")
        yield* vllm.loadLora(lora)
        assert.include(yield* ids, "sql")
        assert.include((yield* llm.generateText({ model: "sql", prompt: "hi" })).text, "hi")
        assert.strictEqual((yield* Effect.flip(vllm.loadLora(lora)))._tag, "Conflict")
        yield* vllm.loadLora({ ...lora, inPlace: true })
        yield* vllm.unloadLora("sql")
        assert.notInclude(yield* ids, "sql")
        assert.strictEqual((yield* Effect.flip(vllm.unloadLora("sql")))._tag, "NotFound")
        const missing = yield* Effect.flip(vllm.loadLora({ name: "x", path: "/missing" }))
        assert.strictEqual(missing._tag, "NotFound")
      })
    ))

  it.effect("tell how busy it is", () =>
    on(({ llm, vllm }, simulator) =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* vllm.load, { running: 0, waiting: 0, kvCacheUsage: 0, inFlight: 0 })
        yield* simulator.update({ tokenDelay: "1 second" })
        const asked = yield* Effect.fork(llm.generateText({ model, prompt: "hi" }))
        yield* TestClock.adjust("10 seconds")
        const { inFlight, running } = yield* vllm.load
        assert.deepStrictEqual([running, inFlight], [1, 1])
        yield* TestClock.adjust("10 minutes")
        yield* Fiber.join(asked)
        assert.strictEqual((yield* vllm.load).running, 0)
        assert.strictEqual(yield* vllm.version, "0.13.0")
      })
    ))

  type Ask = (backend: Vllm.Backend) => Effect.Effect<unknown, LlmError.LlmError>

  const guarded: ReadonlyArray<readonly [what: string, ask: Ask]> = [
    ["chat", ({ llm }) => llm.generateText({ model, prompt: "hi" })],
    ["embeddings", ({ llm }) => llm.embed({ model: "BAAI/bge-m3", input: ["a"] })],
    ["the list of models", ({ llm }) => llm.listModels],
    ["adapters", ({ vllm }) => vllm.loadLora({ name: "a", path: "/a" })]
  ]

  for (const [what, ask] of guarded) {
    it.effect(`protect ${what} with a key`, () =>
      Effect.map(on((backend) => Effect.flip(ask(backend)), {}, ""), ({ _tag }) => {
        assert.strictEqual(_tag, "AuthenticationFailed")
      }))
  }

  it.effect("leave the rest open to everybody", () =>
    on(({ llm, vllm }) =>
      Effect.gen(function*() {
        yield* llm.rerank({ model: "BAAI/bge-reranker-v2-m3", query: "a", documents: ["a"] })
        yield* vllm.tokenize({ model, text: "a" })
        yield* vllm.score({ model: "BAAI/bge-m3", queries: "a", documents: ["a"] })
        yield* vllm.pooling({ model: "BAAI/bge-m3", input: ["a"] })
        yield* vllm.load
        yield* llm.health
      }), {}, ""))

  it.effect("are told a wrong key, a prompt too long, a field that is wrong, a model of another kind", () =>
    Effect.gen(function*() {
      const asked = (request: Partial<Completion.Request>, key?: string) =>
        on(({ llm }) => Effect.flip(llm.generateText({ model, prompt: "hi", ...request })), {}, key)
      assert.strictEqual((yield* asked({}, "wrong"))._tag, "AuthenticationFailed")
      const long = yield* asked({ maxTokens: 32_768 })
      assert.strictEqual(long._tag, "InvalidRequest")
      assert.include(long.message, "maximum context length is 32768 tokens")
      assert.strictEqual((yield* asked({ temperature: 3 }))._tag, "InvalidRequest")
      assert.strictEqual((yield* asked({ providerOptions: { vllm: { priority: 1 } } }))._tag, "InvalidRequest")
      assert.strictEqual((yield* asked({ model: "nope" }))._tag, "ModelNotFound")
    }))

  failFor(ofStreams, on, ({ llm }) => streamed(llm)({ model, prompt: "Hello there" }))

  it.effect("are unwell while the engine is dead, and well again", () =>
    on(({ llm }, simulator) =>
      Effect.gen(function*() {
        yield* simulator.down("error", "vllm")
        const error = yield* Effect.flip(llm.health)
        assert.strictEqual(error._tag, "ServerFault")
        yield* simulator.up("vllm")
        yield* llm.health
      })
    ))
})
