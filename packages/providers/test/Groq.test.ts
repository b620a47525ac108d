import { assert, describe, it } from "@effect/vitest"
import { LlmError, LlmService } from "@spillway/core"
import * as Conformance from "@spillway/testing/Conformance"
import * as RecordedHttp from "@spillway/testing/RecordedHttp"
import { ConfigProvider, Duration, Effect, Layer, Option, Redacted } from "effect"
import * as Groq from "../src/Groq.js"
import { recordings } from "./fixtures/groq.js"
import { completion, message, refusal } from "./fixtures/openai.js"

Conformance.suite({ backend: "groq", layer: Groq.layer, model: "gpt-test", recordings })

const ask = (...script: ReadonlyArray<RecordedHttp.Step>) =>
  Groq.layer({ apiKeys: [Redacted.make("gsk_1")] }).pipe(Layer.provideMerge(RecordedHttp.layer(...script)))

const answer = completion({ message: { role: "assistant", content: "4", reasoning: "Simple." }, finish_reason: "stop" })

describe("groq", () => {
  it.effect("tells its reasoning, and takes it back", () =>
    Effect.gen(function*() {
      const first = yield* LlmService.generateText({
        model: "gpt-oss",
        prompt: "2+2?",
        reasoning: { effort: "minimal" },
        providerOptions: { groq: { reasoningFormat: "parsed", serviceTier: "flex" } }
      })
      assert.deepStrictEqual(first.content, [{ _tag: "Reasoning", text: "Simple." }, { _tag: "Text", text: "4" }])
      yield* LlmService.generateText({ model: "gpt-oss", prompt: [{ role: "assistant", content: first.content }] })
      const [one, two] = yield* Effect.flatMap(RecordedHttp.RecordedHttp, (http) => http.requests)
      assert.deepInclude(one!.body, { reasoning_effort: "low", reasoning_format: "parsed", service_tier: "flex" })
      assert.deepInclude(two!.body, { messages: [{ role: "assistant", content: "4", reasoning: "Simple." }] })
    }).pipe(Effect.provide(ask(answer, answer))))

  it.effect("waits as long as a message says, where no header does", () =>
    Effect.gen(function*() {
      const rate = yield* Effect.flip(LlmService.generateText({ model: "m", prompt: "hi" }))
      assert.strictEqual(rate._tag, "RateLimited")
      assert.deepStrictEqual(Option.getOrNull(Option.map(LlmError.retryAfter(rate), Duration.toMillis)), 50_598)
    }).pipe(Effect.provide(ask(
      refusal(429, { message: "Please try again in 50.597142857s. Visit", type: "tokens", code: "rate_limit_exceeded" })
    ))))

  it.effect("sets a key aside until its day's limit is back", () =>
    Effect.gen(function*() {
      const quota = yield* Effect.flip(LlmService.generateText({ model: "m", prompt: "hi" }))
      assert.strictEqual(quota._tag, "QuotaExhausted")
      assert.deepStrictEqual(Option.getOrNull(Option.map(LlmError.retryAfter(quota), Duration.toMillis)), 578_016)
    }).pipe(Effect.provide(ask(
      refusal(429, { message: "on tokens per day (TPD): Please try again in 9m38.016s.", code: "rate_limit_exceeded" })
    ))))

  it.effect("keeps what the model wrote when its tool call does not fit", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(LlmService.generateText({ model: "m", prompt: "hi" }))
      assert(error._tag === "InvalidOutput")
      assert.strictEqual(error.text, "{\"name\": 1}")
      assert.notInclude(error.message, "\"name\"")
    }).pipe(Effect.provide(ask(
      refusal(400, { message: "validation failed", code: "tool_use_failed", failed_generation: "{\"name\": 1}" })
    ))))

  it.effect("is found by its variables", () =>
    Effect.gen(function*() {
      yield* LlmService.generateText({ model: "m", prompt: "hi" })
      const [asked] = yield* Effect.flatMap(RecordedHttp.RecordedHttp, (http) => http.requests)
      assert.strictEqual(asked!.url.href, "http://127.0.0.1:9/openai/v1/chat/completions")
      assert.strictEqual(asked!.headers["authorization"], "Bearer gsk_7")
    }).pipe(
      Effect.provide(Groq.layerConfig.pipe(
        Layer.provideMerge(RecordedHttp.layer(completion({ message: message({ content: "x" }) }))),
        Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(
          new Map([["GROQ_API_KEY", "gsk_7"], ["GROQ_BASE_URL", "http://127.0.0.1:9/"]])
        )))
      ))
    ))

  for (
    const [title, environment, words] of [
      ["no key", [], "GROQ_API_KEY"],
      ["an empty address", [["GROQ_API_KEY", "gsk_7"], ["GROQ_BASE_URL", " "]], "GROQ_BASE_URL"],
      ["no address", [["GROQ_API_KEY", "gsk_7"], ["GROQ_BASE_URL", "groq"]], "base URL of groq"]
    ] as const
  ) {
    it.effect(`says what is wrong with its variables: ${title}`, () =>
      Effect.gen(function*() {
        const error = yield* Layer.build(Groq.layerConfig).pipe(
          Effect.scoped,
          Effect.provide(RecordedHttp.layer()),
          Effect.withConfigProvider(ConfigProvider.fromMap(new Map(environment))),
          Effect.flip
        )
        assert.include(String(error), words)
        assert.notInclude(String(error), "gsk_7")
      }))
  }
})
