/** The backend and the simulator, which keeps Gemini's rules and is held to Google's own client. */
import { assert, describe, it } from "@effect/vitest"
import * as Completion from "@spillway/core/Completion"
import * as Prompt from "@spillway/core/Prompt"
import * as Tool from "@spillway/core/Tool"
import * as Gemini from "@spillway/providers/Gemini"
import * as Simulator from "@spillway/testing/Simulator"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import { callTool, failFor, ofStreams, simulated, streamed } from "./simulated.js"

const model = "gemini-2.5-flash"

/** One of the models that want the signatures of their calls back. */
const strict = "gemini-3.6-flash"

const weather = Tool.make("get_weather", { parameters: Schema.Struct({ city: Schema.String }), strict: true })

const on = <A, E>(
  use: (backend: Gemini.Backend, simulator: Simulator.Service) => Effect.Effect<A, E>,
  options?: Simulator.Options
) => simulated(({ keys }) => Gemini.make({ apiKeys: keys, baseUrl: "http://simulator/gemini" }), use, options)

describe("Gemini and the simulator", () => {
  it.effect("chat, whole and streamed, with the same answer and the same count", () =>
    on(({ llm }) =>
      Effect.gen(function*() {
        const request: Completion.Request = {
          model,
          prompt: [Prompt.system("Be brief."), Prompt.user("Hello there")],
          temperature: 0,
          reasoning: { effort: "low" }
        }
        const { id: _, ...whole } = yield* llm.generateText(request)
        assert.match(whole.text, /^You said: “Hello there”\./)
        assert.deepStrictEqual(whole.content.map(({ _tag }) => _tag), ["Reasoning", "Text"])
        assert.isAbove(whole.usage.outputTokens!, whole.usage.reasoningTokens!)
        const { id: __, ...pieces } = yield* streamed(llm)(request)
        assert.deepStrictEqual(pieces, whole)
      })
    ))

  it.effect("call a tool and send its result back with the signatures, whole and streamed", () =>
    on(({ llm }) =>
      callTool(llm, { model: strict, prompt: "The weather in Tokyo?", tools: [weather] }, ({ signature }) =>
        assert.isDefined(signature))
    ))

  const called = (signature?: string): Completion.Request => ({
    model: strict,
    prompt: [
      Prompt.user("Both the weather here and there?"),
      Prompt.assistant([
        { _tag: "Reasoning", text: "I must look.", signature: "EqQBCkYIB" },
        { _tag: "ToolCall", id: "toolu_1", name: "get_weather", arguments: "{}", ...(signature && { signature }) },
        { _tag: "ToolCall", id: "toolu_2", name: "get_weather", arguments: "{}" }
      ]),
      // as OpenAI has it: a message for each result
      Prompt.tool([{ _tag: "ToolResult", id: "toolu_1", name: "get_weather", result: "rain" }]),
      Prompt.tool([{ _tag: "ToolResult", id: "toolu_2", name: "get_weather", result: "[\"sun\"]", isError: true }])
    ],
    tools: [weather]
  })

  it.effect("go on with the thoughts and tool calls of another backend, which Google did not sign", () =>
    on(({ llm }) =>
      Effect.map(llm.generateText(called()), ({ text }) => {
        assert.include(text, "returned: rain")
        assert.include(text, "sun")
      })
    ))

  it.effect("refuse a signature that was altered", () =>
    on(({ llm }) =>
      Effect.map(Effect.flip(llm.generateText(called("altered"))), (error) => {
        assert.strictEqual(error._tag, "InvalidRequest")
        assert.include(error.message, "Corrupted thought signature")
      })
    ))

  it.effect("answer by schema and by length, in one word or with none", () =>
    on(({ llm }) =>
      Effect.gen(function*() {
        const schema = { type: "object", properties: { name: { const: "Ada" } }, required: ["name"] }
        const format = { _tag: "JsonSchema", name: "person", schema } as const
        const structured = yield* llm.generateText({ model, prompt: "Who?", format })
        assert.deepStrictEqual(JSON.parse(structured.text), { name: "Ada" })
        // the thoughts took it all
        const short = yield* llm.generateText({ model, prompt: "Hello", maxTokens: 2 })
        assert.deepStrictEqual([short.finishReason, short.content], ["length", []])
        const thoughtless = yield* llm.generateText({ model, prompt: "Hi", reasoning: { effort: "none" } })
        assert.isUndefined(thoughtless.usage.reasoningTokens)
      })
    ))

  it.effect("make every effort that can be asked for one that the model takes", () =>
    on(({ llm }) =>
      Effect.gen(function*() {
        for (const model of ["gemini-2.5-flash", "gemini-2.5-pro", "gemini-3.6-flash", "gemini-flash-lite-latest"]) {
          for (const effort of ["none", "minimal", "low", "medium", "high"] as const) {
            yield* llm.generateText({ model, prompt: "Hi", reasoning: { effort } })
          }
        }
        yield* llm.generateText({ model: "gemini-2.0-flash", prompt: "Hi", reasoning: { effort: "none" } })
      })
    ))

  it.effect("see pictures and documents", () =>
    on(({ llm }) =>
      Effect.map(
        llm.generateText({
          model,
          prompt: Prompt.user([
            Prompt.text("What is this?"),
            Prompt.image("aGk=", "image/png"),
            Prompt.imageUrl("https://example.com/a.png"),
            Prompt.file("aGk=", "application/pdf")
          ])
        }),
        ({ text }) => assert.include(text, "image/png, a file by its address, application/pdf")
      )
    ))

  it.effect("fail with ContentFiltered when the prompt was blocked, whole and streamed", () =>
    on(({ llm }) =>
      Effect.gen(function*() {
        const request = { model, prompt: "Please block this prompt" }
        for (const ask of [llm.generateText, streamed(llm)]) {
          const error = yield* Effect.flip(ask(request))
          assert.strictEqual(error._tag, "ContentFiltered")
          assert.include(error.message, "PROHIBITED_CONTENT")
        }
      })
    ))

  it.effect("embed texts in order, more than one request holds", () =>
    on(({ gemini, llm }, simulator) =>
      Effect.gen(function*() {
        const input = Array.from({ length: 230 }, (_, index) => `text ${index % 115}`)
        const { vectors } = yield* llm.embed({ model: "gemini-embedding-001", input, dimensions: 8 })
        assert.strictEqual(vectors.length, 230)
        assert.isTrue(vectors.every((vector) => vector.length === 8))
        assert.deepStrictEqual(vectors.slice(0, 115), vectors.slice(115))
        assert.notDeepEqual(vectors[0], vectors[1])
        assert.strictEqual(yield* simulator.total, 3)
        const one = yield* gemini.embedContent({
          model: "gemini-embedding-001",
          content: [Prompt.text("text 1")],
          dimensions: 8,
          providerOptions: { gemini: { taskType: "RETRIEVAL_DOCUMENT", title: "One" } }
        })
        assert.deepStrictEqual(one.vector, vectors[1])
      })
    ))

  it.effect("list the models, with what can be asked of them", () =>
    on(({ gemini, llm }) =>
      Effect.gen(function*() {
        const ids = (yield* llm.listModels).map(({ id }) => id)
        assert.include(ids, model)
        assert.include(ids, "sim-chat")
        const known = yield* gemini.model(model)
        assert.strictEqual(known.contextWindow, 1_048_576)
        assert.isTrue(known.thinks)
        assert.include(known.methods, "generateContent")
        assert.deepStrictEqual((yield* gemini.models).find(({ id }) => id === model), known)
        assert.strictEqual((yield* Effect.flip(gemini.model("nope")))._tag, "ModelNotFound")
      })
    ))

  it.effect("count tokens as the answer counts them, with system messages and tools", () =>
    on(({ gemini, llm }) =>
      Effect.gen(function*() {
        for (
          const request of [
            { model, prompt: "Hello there" },
            { model, prompt: [Prompt.system("Be brief."), Prompt.user("Hello there")], tools: [weather] }
          ]
        ) {
          const { tokens } = yield* gemini.countTokens(request)
          assert.strictEqual(tokens, (yield* llm.generateText(request)).usage.inputTokens)
        }
      })
    ))

  it.effect("keep the beginning of a conversation, for as long as it is told", () =>
    on(({ gemini, llm }) =>
      Effect.gen(function*() {
        const cache = yield* gemini.createCache({
          model,
          prompt: [Prompt.system("You know the whole library."), Prompt.user("Here it is: …")],
          tools: [weather],
          ttl: "5 minutes",
          displayName: "library"
        })
        assert.match(cache.name, /^cachedContents\//)
        assert.deepStrictEqual([cache.model, cache.displayName, cache.expiresAt], [model, "library", 300_000])
        assert.deepStrictEqual(yield* gemini.getCache(cache.name), cache)
        assert.deepStrictEqual(yield* gemini.listCaches, [cache])
        const request = { model, prompt: "Hi", providerOptions: { gemini: { cachedContent: cache.name } } }
        const { usage } = yield* llm.generateText(request)
        assert.strictEqual(usage.cachedInputTokens, cache.tokens)
        assert.isAbove(usage.inputTokens!, cache.tokens!)
        yield* TestClock.adjust("4 minutes")
        assert.strictEqual((yield* gemini.keepCache(cache.name, Duration.minutes(2))).expiresAt, 360_000)
        yield* TestClock.adjust("2 minutes")
        assert.strictEqual((yield* Effect.flip(gemini.getCache(cache.name)))._tag, "NotFound")
        // a key is not given up for a cache that is gone
        assert.strictEqual((yield* Effect.flip(llm.generateText(request)))._tag, "NotFound")
        assert.deepStrictEqual(yield* gemini.listCaches, [])
        const another = yield* gemini.createCache({ model, prompt: "Hello" })
        yield* gemini.deleteCache(another.name)
        assert.strictEqual((yield* Effect.flip(gemini.deleteCache(another.name)))._tag, "NotFound")
      }), { keys: 1 }))

  it.effect("fail with ModelNotFound for an absent model", () =>
    on(({ llm }) =>
      Effect.map(Effect.flip(llm.generateText({ model: "nope", prompt: "hi" })), (error) => {
        assert.strictEqual(error._tag, "ModelNotFound")
        assert.include(error.message, "models/nope is not found")
      })
    ))

  it.effect("wait as long as a minute's quota says, and turn to another key when a day's is used up", () =>
    on(({ llm }, simulator) =>
      Effect.gen(function*() {
        const request = { model, prompt: "hi" }
        yield* llm.generateText(request)
        yield* llm.generateText(request)
        const limited = yield* Effect.flip(llm.generateText(request))
        assert.strictEqual(limited._tag, "RateLimited")
        // the other key is asked next, which is ready
        assert.strictEqual((yield* Effect.flip(llm.generateText(request)))._tag, "RateLimited")
        const cooling = yield* Effect.flip(llm.generateText(request))
        assert.strictEqual(cooling._tag, "KeysCooling")
        assert.deepStrictEqual("retryAfter" in cooling && cooling.retryAfter, Duration.seconds(30))
        yield* TestClock.adjust("30 seconds")
        yield* llm.generateText(request)
        yield* TestClock.adjust("1 minute")
        yield* simulator.setKey(0, "exhausted", "gemini")
        // of the key that is left the limit is known by now, and waited for
        const fiber = yield* Effect.fork(Effect.forEach([1, 2, 3], () => Effect.either(llm.generateText(request))))
        yield* TestClock.adjust("5 minutes")
        const results = yield* Fiber.join(fiber)
        const tags = results.map((result) => result._tag === "Left" ? result.left._tag : "answered")
        assert.deepStrictEqual(tags, ["answered", "QuotaExhausted", "RateLimited"])
      }), { keys: 2, requestsPerMinute: 2, burst: 1 }))

  it.effect("retire a key that is wrong", () =>
    on(({ llm }, simulator) =>
      Effect.gen(function*() {
        yield* simulator.setKey(0, "revoked", "gemini")
        const request = { model, prompt: "hi" }
        const results = yield* Effect.forEach([1, 2, 3, 4], () => Effect.either(llm.generateText(request)))
        const tags = results.flatMap((result) => result._tag === "Left" ? [result.left._tag] : [])
        assert.deepStrictEqual(tags, ["AuthenticationFailed"])
      }), { keys: 2 }))

  failFor(ofStreams, on, ({ llm }) => streamed(llm)({ model, prompt: "Hello there" }))
})
