/** What we send, held against Google's own description of the API, and what we read of it as well. */
import { assert, describe, it } from "@effect/vitest"
import type * as Completion from "@spillway/core/Completion"
import * as Prompt from "@spillway/core/Prompt"
import * as Tool from "@spillway/core/Tool"
import * as GeminiCacheWire from "@spillway/providers/GeminiCacheWire"
import * as GeminiOwnWire from "@spillway/providers/GeminiOwnWire"
import * as GeminiWire from "@spillway/providers/GeminiWire"
import * as Conformance from "@spillway/testing/Conformance"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { examples } from "./examples.js"
import { event } from "./gemini.js"
import { protos } from "./protos.js"
import { absent } from "./spec.js"

const check = protos("gemini/generativelanguage.protos.json", "google.ai.generativelanguage.v1beta")

/** What the service has and its description (of an earlier date) has not. */
const newer = /\/(thinkingLevel|serviceTier) is no field of/

const problems = (message: string, value: unknown): ReadonlyArray<string> =>
  check!(message)(JSON.parse(JSON.stringify(value))).filter((problem) => !newer.test(problem))

const model = "gemini-2.5-flash"

const everything: Completion.Request = {
  model,
  prompt: [
    Prompt.system("Be brief."),
    Prompt.user([
      Prompt.text("What is this?"),
      Prompt.image("aGk=", "image/png"),
      Prompt.imageUrl("https://example.com/picture"),
      Prompt.file("aGk=", "application/pdf", "a.pdf")
    ]),
    Prompt.assistant([
      { _tag: "Reasoning", text: "Hm.", signature: "c2ln" },
      { _tag: "Text", text: "I must look.", signature: "c2ln" },
      { _tag: "ToolCall", id: "a", name: "get_weather", arguments: "{\"city\":[1,null]}", signature: "c2ln" }
    ]),
    Prompt.tool([{ _tag: "ToolResult", id: "a", name: "get_weather", result: "rain" }])
  ],
  maxTokens: 1,
  temperature: 0.5,
  topP: 0.5,
  topK: 3,
  stop: ["END"],
  seed: 1,
  presencePenalty: 1,
  frequencyPenalty: 1,
  tools: [Tool.make("get_weather", { parameters: Schema.Struct({ city: Schema.String }), strict: true })],
  toolChoice: "auto",
  format: { _tag: "JsonSchema", name: "x", schema: { type: "object", properties: { a: { const: 1 } } } },
  reasoning: { effort: "high" },
  user: "somebody",
  providerOptions: {
    gemini: {
      cachedContent: "cachedContents/a",
      safetySettings: [{ category: "HARM_CATEGORY_CIVIC_INTEGRITY", threshold: "OFF" }],
      builtInTools: ["googleSearch", "urlContext", "codeExecution", "googleMaps"],
      mediaResolution: "high",
      serviceTier: "priority"
    }
  }
}

const requests: { readonly [name: string]: Completion.Request } = {
  everything,
  "a level of thinking": { ...everything, model: "gemini-3.6-flash" },
  "one tool by its name": { ...everything, toolChoice: { tool: "get_weather" } },
  "any tool": { ...everything, toolChoice: "required" },
  "no tool": { ...everything, toolChoice: "none" },
  "some JSON": { ...everything, format: { _tag: "Json" } },
  chat: Conformance.chat(model),
  "a tool round trip": Conformance.toolRoundTrip(model),
  "structured output": Conformance.structuredChat(model),
  "a picture": Conformance.imageChat(model)
}

const sent = <I>(operation: { readonly request: (input: I) => Either.Either<object, unknown> }, input: I): any =>
  Either.getOrThrow(operation.request(input))

if (check === undefined) {
  describe.skip(`Gemini's own description (${absent})`, () => {
    it("holds for what is sent", () => {})
  })
} else {
  describe("Gemini's own description holds for", () => {
    for (const [name, request] of Object.entries(requests)) {
      it(`a request: ${name}`, () => {
        assert.deepStrictEqual(problems("GenerateContentRequest", GeminiWire.toBody(request)), [])
        const counted = sent(GeminiOwnWire.countTokens("/v1beta"), request)
        assert.deepStrictEqual(problems("CountTokensRequest", counted.body), [])
        const kept = sent(GeminiCacheWire.create("/v1beta"), { ...request, ttl: "90 seconds", displayName: "x" })
        assert.deepStrictEqual(problems("CachedContent", kept.body), [])
      })
    }

    it("embeddings", () => {
      const body = GeminiWire.toEmbedBody({
        model,
        input: ["a", "b"],
        dimensions: 3,
        providerOptions: { gemini: { taskType: "CODE_RETRIEVAL_QUERY", title: "t" } }
      })
      assert.deepStrictEqual(problems("BatchEmbedContentsRequest", body), [])
      const content = [Prompt.image("aGk=", "image/png")]
      const one = sent(GeminiOwnWire.embedContent("/v1beta"), { model, content, dimensions: 3 })
      assert.deepStrictEqual(problems("EmbedContentRequest", one.body), [])
    })

    it("a cache that is kept for longer", () => {
      const { body } = sent(GeminiCacheWire.keep("/v1beta"), { name: "a", ttl: "1500 millis" })
      assert.deepStrictEqual(problems("CachedContent", body), [])
    })

    it("nothing that it does not describe", () => {
      const wrong = {
        contents: [{ parts: [{ text: 1, thoughtSignature: "*" }], rôle: "user" }],
        generationConfig: { topK: "many", mediaResolution: "LOW" },
        safetySettings: {}
      }
      assert.strictEqual(problems("GenerateContentRequest", wrong).length, 6)
    })

    it("the answers that were recorded", () => {
      let held = 0
      for (const { body, name } of examples("gemini", event) ?? []) {
        if (!name.startsWith("generate_")) continue
        const missing = problems("GenerateContentResponse", body)
        assert.deepStrictEqual(missing.filter((one) => !/is no field of (UsageMetadata|GenerateContent)/.test(one)), [])
        held++
      }
      assert.isAbove(held, 5)
    })
  })
}
