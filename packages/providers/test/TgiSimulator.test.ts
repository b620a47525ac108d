/** The backend and the simulator, which keeps TGI's rules and is held to its description elsewhere. */
import { assert, describe, it } from "@effect/vitest"
import type * as LlmError from "@spillway/core/LlmError"
import * as Prompt from "@spillway/core/Prompt"
import * as StructuredOutput from "@spillway/core/StructuredOutput"
import * as Tgi from "@spillway/providers/Tgi"
import type * as TgiWire from "@spillway/providers/TgiWire"
import * as Simulator from "@spillway/testing/Simulator"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { failFor, ofStreams, simulated, streamed, weather } from "./simulated.js"

const model = "tgi"

const on = <A, E>(
  use: (backend: Tgi.Backend, simulator: Simulator.Service) => Effect.Effect<A, E>,
  options: Tgi.Options = {}
) =>
  simulated(
    ({ keys: [key] }) => Tgi.make({ baseUrl: "http://simulator/tgi", apiKeys: [key], ...options }),
    use
  )

const parts = (parts: Stream.Stream<TgiWire.GenerationPart, LlmError.LlmError>) =>
  Effect.map(Stream.runCollect(parts), (parts) => [...parts])

describe("Tgi and the simulator", () => {
  it.effect("chat, whole and streamed, with the same answer and the same count", () =>
    on(({ llm }) =>
      Effect.gen(function*() {
        const request = { model, prompt: [Prompt.system("Be brief."), Prompt.user("Hello there")], temperature: 0 }
        const whole = yield* llm.generateText(request)
        assert.match(whole.text, /^You said: “Hello there”\./)
        assert.deepStrictEqual(yield* streamed(llm)(request), whole)
        const short = yield* streamed(llm)({ ...request, maxTokens: 3 })
        assert.deepStrictEqual([short.finishReason, short.usage.outputTokens], ["length", 3])
      })
    ))

  it.effect("call a tool again and again, whole and streamed, each call under a number of its own", () =>
    on(({ llm }) =>
      Effect.gen(function*() {
        for (const ask of [llm.generateText, streamed(llm)]) {
          let prompt = Prompt.make("What is the weather in Tokyo?")
          for (const number of ["0", "1", "2"]) {
            const asked = yield* ask({ model, prompt, tools: [weather], toolChoice: "required" })
            assert.strictEqual(asked.finishReason, "tool-calls")
            const { arguments: args, id, name } = asked.toolCalls[0]!
            assert.deepStrictEqual([id, name, JSON.parse(args)], [number, "get_weather", { city: "Tokyo" }])
            prompt = [
              ...prompt,
              Prompt.assistant(asked.content),
              Prompt.tool([{ _tag: "ToolResult", id, name, result: `${number}1 degrees and sunny` }])
            ]
          }
          const answered = yield* ask({ model, prompt, tools: [weather], toolChoice: "none" })
          assert.include(answered.text, "21 degrees and sunny")
        }
      })
    ))

  it.effect("give a value of a schema, and a match of a regular expression", () =>
    on(({ llm }) =>
      Effect.gen(function*() {
        const Person = Schema.Struct({ name: Schema.String, age: Schema.Int })
        for (const ask of [llm.generateText, streamed(llm)]) {
          const person = yield* ask({ model, prompt: "Who is it?", format: StructuredOutput.toFormat(Person) })
          yield* Schema.decodeUnknown(Schema.parseJson(Person))(person.text)
          const number = yield* ask({ model, prompt: "How many?", providerOptions: { tgi: { regex: "\\d+" } } })
          assert.match(number.text, /^\d+$/)
        }
        const refused = yield* Effect.flip(
          llm.generateText({ model, prompt: "x", format: StructuredOutput.toFormat(Person), tools: [weather] })
        )
        assert.strictEqual(refused._tag, "InvalidRequest")
        assert.include(refused.message, "mutually exclusive")
      })
    ))

  it.effect("continue a text, at once and as a stream, with the same text and the same count", () =>
    on(({ tgi }) =>
      Effect.gen(function*() {
        const request = { prompt: "Once upon a time", maxNewTokens: 8, seed: 3 }
        const whole = yield* tgi.generate(request)
        assert.deepStrictEqual([whole.finishReason, whole.seed, whole.tokens.length], ["length", 3, 8])
        const pieces = yield* parts(tgi.generateStream(request))
        const { finishReason, seed, text, tokens, usage } = whole
        assert.deepStrictEqual(pieces, [
          ...tokens.map((token) => ({ _tag: "Token" as const, token, topTokens: [] })),
          { _tag: "Done" as const, text, finishReason: finishReason!, seed: seed!, usage }
        ])
        assert.strictEqual(whole.text, tokens.map((token) => token.text).join(""))
        const ended = yield* tgi.generate({ prompt: "Once" })
        assert.deepStrictEqual([ended.finishReason, ended.tokens.at(-1)?.special], ["eos_token", true])
      })
    ))

  it.effect("tell the prompt, the likeliest tokens, and other texts", () =>
    on(({ tgi }) =>
      Effect.gen(function*() {
        const { others, prefill, text, topTokens } = yield* tgi.generate({
          prompt: "Once upon",
          maxNewTokens: 30,
          doSample: true,
          bestOf: 2,
          topNTokens: 1,
          prefill: true,
          returnFullText: true
        })
        assert.isTrue(text.startsWith("Once upon"))
        assert.strictEqual(prefill.map((token) => token.text).join(""), "Once upon")
        assert.isAbove(topTokens.length, 0)
        assert.strictEqual(others.length, 1)
      })
    ))

  const refusals: ReadonlyArray<readonly [Partial<TgiWire.GenerateRequest>, RegExp]> = [
    [{ temperature: 0 }, /`temperature` must be strictly positive/],
    [{ topP: 2 }, /`top_p` must be > 0\.0 and < 1\.0/],
    [{ stop: ["a", "b", "c", "d", "e"] }, /`stop` supports up to 4 stop sequences\. Given: 5/],
    [{ maxNewTokens: 100_000 }, /must be <= 8192/],
    [{ prompt: "" }, /`inputs` cannot be empty/],
    [{ grammar: { _tag: "Json", schema: { type: "object" } } }, /must have a 'properties' field/]
  ]

  for (const [wrong, words] of refusals) {
    it.effect(`refuse ${JSON.stringify(wrong)} in the same words, whole and streamed`, () =>
      on(({ tgi }) =>
        Effect.gen(function*() {
          const request = { prompt: "x", ...wrong }
          const [whole, streamed] = yield* Effect.all([
            Effect.flip(tgi.generate(request)),
            Effect.flip(parts(tgi.generateStream(request)))
          ])
          for (const error of [whole, streamed]) {
            assert.strictEqual(error._tag, "InvalidRequest")
            assert.match(error.message, words)
          }
        })
      ))
  }

  it.effect("refuse a wrong chat as well, at once or in a stream that seems to be one", () =>
    on(({ llm }) =>
      Effect.gen(function*() {
        for (const ask of [llm.generateText, streamed(llm)]) {
          const error = yield* Effect.flip(ask({ model, prompt: "x", topP: 2 }))
          assert.strictEqual(error._tag, "InvalidRequest")
          assert.include(error.message, "`top_p` must be > 0.0 and < 1.0")
        }
      })
    ))

  it.effect("take texts and conversations apart", () =>
    on(({ tgi }) =>
      Effect.gen(function*() {
        const text = "Hello there, you"
        const tokens = yield* tgi.tokenize(text)
        assert.strictEqual(tokens.map((token) => token.text).join(""), text)
        for (const { start, stop, text: piece } of tokens) assert.strictEqual(text.slice(start, stop), piece)
        const templated = yield* tgi.chatTokenize({ model, prompt: [Prompt.system("Be brief."), Prompt.user(text)] })
        assert.include(templated.text, text)
        assert.strictEqual(templated.tokens.map((token) => token.text).join(""), templated.text)
      })
    ))

  it.effect("know the one model, and that it is well", () =>
    on(({ llm, tgi }) =>
      Effect.gen(function*() {
        const [{ contextWindow, id } = { id: "" }] = yield* llm.listModels
        const info = yield* tgi.info
        assert.deepStrictEqual([id, contextWindow], [info.model, info.maxTotalTokens])
        yield* llm.health
      })
    ))

  it.effect("do not go together with a wrong key, but for what is open to all", () =>
    on(({ llm, tgi }, simulator) =>
      Effect.gen(function*() {
        yield* simulator.setKey(0, "revoked")
        yield* tgi.info
        yield* llm.health
        const error = yield* Effect.flip(llm.generateText({ model, prompt: "hi" }))
        assert.strictEqual(error._tag, "AuthenticationFailed")
      })
    ))

  describe("in a chat and in a text", () => {
    failFor(
      { ...ofStreams, overloaded: "RateLimited" },
      on,
      ({ llm }) => streamed(llm)({ model, prompt: "Hello there" }),
      ({ tgi }) => parts(tgi.generateStream({ prompt: "Hello there" }))
    )
  })
})
