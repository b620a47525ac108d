/**
 * What Anthropic's and Ollama's clients are answered, held against the vendors' own descriptions. Those of Anthropic's
 * newest version want what its older ones do not have, and the clients of those do not take: that is left out of them.
 */
import { assert, describe, it } from "@effect/vitest"
import * as LlmError from "@spillway/core/LlmError"
import * as Prompt from "@spillway/core/Prompt"
import * as ScriptedLlm from "@spillway/testing/ScriptedLlm"
import { Effect } from "effect"
import { absent, spec } from "../../providers/test/spec.js"
import { json, serve, text } from "./web.js"

const newest: ReadonlySet<string> = new Set(["citations", "inference_geo", "service_tier", "speed", "cache_creation"])

const anthropic = spec("anthropic/sdk-1.12.0.derived.schema.json", (text) =>
  JSON.stringify(JSON.parse(text), (key, value) =>
    key === "required" && Array.isArray(value) ? value.filter((name) => !newest.has(name)) : value))

const ollama = spec("ollama/openapi.yaml")

const answer: ScriptedLlm.Answer = {
  content: [
    { _tag: "Reasoning", text: "hm", signature: "sig" },
    { _tag: "Reasoning", text: "", redacted: "sealed" },
    Prompt.text("hello"),
    ScriptedLlm.toolCall("get_weather", { city: "Oslo" }, "call_1")
  ],
  finishReason: "tool-calls",
  usage: { inputTokens: 9, outputTokens: 3, cachedInputTokens: 4, reasoningTokens: 1 }
}

const broken = new LlmError.ModelNotFound({ backend: "scripted", message: "it is so" })

const models = [{ id: "openai/gpt-4o", owner: "openai", created: 1_700_000_000, contextWindow: 128_000 }, { id: "parrot" }]

describe(`what Anthropic's clients are answered${anthropic === undefined ? ` (${absent})` : ""}`, () => {
  const ask = { model: "m", max_tokens: 100, messages: [{ role: "user", content: "hi" }] }
  const headers = { "anthropic-version": "2023-06-01" }
  const holds = (name: string, value: unknown) => assert.deepStrictEqual(anthropic!.at(`/definitions/${name}`)(value), [])

  it.effect.skipIf(anthropic === undefined)("is as their types say", () =>
    Effect.gen(function*() {
      const web = yield* serve(yield* ScriptedLlm.make(answer, answer, models, broken))
      holds("Message", yield* Effect.flatMap(web.post("/v1/messages", ask), json))
      const events = yield* Effect.flatMap(web.post("/v1/messages", { ...ask, stream: true }), text)
      for (const event of events.split("\n\n").slice(0, -1)) {
        holds("RawMessageStreamEvent", JSON.parse(event.split("\ndata: ")[1]!))
      }
      for (const model of (yield* Effect.flatMap(web.fetch("/v1/models", { headers }), json)).data) holds("ModelInfo", model)
      holds("ErrorResponse", yield* Effect.flatMap(web.post("/v1/messages", ask), json))
      const { max_tokens: _, ...count } = ask
      holds("MessageTokensCount", yield* Effect.flatMap(web.post("/v1/messages/count_tokens", count), json))
    }))
})

describe(`what Ollama's clients are answered${ollama === undefined ? ` (${absent})` : ""}`, () => {
  const holds = (name: string, value: unknown) => assert.deepStrictEqual(ollama!.at(`/components/schemas/${name}`)(value), [])

  it.effect.skipIf(ollama === undefined)("is as is described", () =>
    Effect.gen(function*() {
      const vectors = { model: "m", vectors: [[0.5, 1]], usage: { inputTokens: 2 } }
      const web = yield* serve(yield* ScriptedLlm.make(answer, answer, answer, answer, vectors, models, models, broken))
      const post = (path: string, body: object) => web.post(path, { model: "m", ...body })
      const lines = (response: Response) =>
        Effect.map(text(response), (text) => text.split("\n").slice(0, -1).map((line) => JSON.parse(line)))
      const messages = [{ role: "user", content: "hi" }]
      holds("ChatResponse", yield* Effect.flatMap(post("/api/chat", { messages, stream: false }), json))
      for (const line of yield* Effect.flatMap(post("/api/chat", { messages }), lines)) holds("ChatStreamEvent", line)
      holds("GenerateResponse", yield* Effect.flatMap(post("/api/generate", { prompt: "hi", stream: false }), json))
      for (const line of yield* Effect.flatMap(post("/api/generate", { prompt: "hi" }), lines)) {
        holds("GenerateStreamEvent", line)
      }
      holds("EmbedResponse", yield* Effect.flatMap(post("/api/embed", { input: "hi" }), json))
      holds("ListResponse", yield* Effect.flatMap(web.fetch("/api/tags"), json))
      holds("ShowResponse", yield* Effect.flatMap(web.post("/api/show", { model: "parrot" }), json))
      holds("PsResponse", yield* Effect.flatMap(web.fetch("/api/ps"), json))
      holds("VersionResponse", yield* Effect.flatMap(web.fetch("/api/version"), json))
      holds("ErrorResponse", yield* Effect.flatMap(post("/api/chat", { messages }), json))
    }))
})
