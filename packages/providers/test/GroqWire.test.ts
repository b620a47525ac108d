import { assert, describe, it } from "@effect/vitest"
import type { LlmError } from "@spillway/core/LlmError"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import * as Groq from "../src/Groq.js"
import * as GroqWire from "../src/GroqWire.js"
import { exchange } from "./exchange.js"
import { type Answer, fetching, through } from "./fetching.js"

const wav = { _tag: "File", name: "a.wav", content: new Uint8Array([1, 2]) } as const

const heard = (answer: Answer, request: GroqWire.TranscriptionRequest = { audio: wav }) => {
  const { fetch, sent } = fetching(() => answer)
  return Effect.map(
    Effect.either(
      through(fetch, Groq.make({ apiKeys: [Redacted.make("gsk_1")] }), ({ groq }) => groq.transcribe(request))
    ),
    (answer) => ({ answer, sent })
  )
}

const tagOf = (answer: Either.Either<unknown, LlmError>) => Either.getOrThrow(Either.flip(answer))._tag

describe("a transcription", () => {
  it.effect("is asked of a small model, and for the text alone, where nothing else is said", () =>
    Effect.gen(function*() {
      const { answer, sent } = yield* heard({ body: { text: " Hello", x_groq: { id: "req_1" } } })
      assert.deepStrictEqual(answer, Either.right({ text: " Hello" }))
      const form: FormData = sent[0]!.body
      assert.deepStrictEqual(Array.from(form.keys()), ["file", "model", "response_format"])
      assert.strictEqual(form.get("model"), "whisper-large-v3-turbo")
      assert.strictEqual(form.get("response_format"), "json")
      assert.strictEqual(sent[0]!.path, "/openai/v1/audio/transcriptions")
    }))

  it.effect("has its times in seconds, whether they come as numbers or as text", () =>
    Effect.gen(function*() {
      const { answer } = yield* heard({
        body: {
          text: "Hello you",
          language: "English",
          duration: "1.5",
          words: [{ word: "Hello", start: 0, end: 0.5 }, { word: "you", start: "0.5", end: 1 }, { word: "?" }],
          segments: [{ id: 0, text: "Hello you", start: 0, end: 1.5, tokens: [1] }]
        }
      }, { audio: wav, timestamps: ["word", "segment"] })
      assert.deepStrictEqual(answer, Either.right({
        text: "Hello you",
        language: "English",
        duration: 1.5,
        words: [{ text: "Hello", start: 0, end: 0.5 }, { text: "you", start: 0.5, end: 1 }],
        segments: [{ text: "Hello you", start: 0, end: 1.5 }]
      }))
    }))

  it.effect("is malformed without text, and an error where it says so", () =>
    Effect.gen(function*() {
      assert.strictEqual(tagOf((yield* heard({ body: {} })).answer), "MalformedResponse")
      const limited = { status: 429, body: { error: { message: "slow", code: "rate_limit_exceeded" } } }
      assert.strictEqual(tagOf((yield* heard(limited)).answer), "RateLimited")
      const missing = { status: 404, body: { error: { message: "no", code: "model_not_found" } } }
      assert.strictEqual(tagOf((yield* heard(missing)).answer), "ModelNotFound")
    }))
})

describe("a ranking", () => {
  const request = { model: "m", query: "q", documents: ["same", "other", "same"] }

  const ranked = (...results: ReadonlyArray<object>) => GroqWire.rerank.response({ results }, exchange(request, "groq"))

  it("tells documents that are the same apart by their order", () => {
    const { results } = Either.getOrThrow(ranked({ doc: "same", score: 0.5 }, { doc: "same", score: 0.9 }))
    assert.deepStrictEqual(results, [
      { index: 2, score: 0.9, document: "same" },
      { index: 0, score: 0.5, document: "same" }
    ])
  })

  it("is malformed with a document that nobody asked about, or one too often", () => {
    assert.strictEqual(tagOf(ranked({ doc: "new", score: 1 })), "MalformedResponse")
    assert.strictEqual(tagOf(ranked({ doc: "other", score: 1 }, { doc: "other", score: 1 })), "MalformedResponse")
    assert.strictEqual(tagOf(ranked({ doc: "other" })), "MalformedResponse")
  })
})
