/**
 * What we send, beside what Google's own client sends when it is asked for the same.
 *
 * Where they differ by intent: we ask for pages as large as they come, a DELETE has no body of ours, and we do not tell
 * Google which client we are.
 */
import { FunctionCallingConfigMode, GoogleGenAI, MediaResolution, ServiceTier, ThinkingLevel } from "@google/genai"
import { HarmBlockThreshold, HarmCategory } from "@google/genai"
import { assert, describe, it } from "@effect/vitest"
import type * as LlmService from "@spillway/core/LlmService"
import * as Prompt from "@spillway/core/Prompt"
import * as Tool from "@spillway/core/Tool"
import type * as Gemini from "@spillway/providers/Gemini"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { type Answer, fetching } from "./fetching.js"
import { crlf, event, secret, through } from "./gemini.js"

const answered = {
  candidates: [{ content: { role: "model", parts: [{ text: "Hello" }] }, finishReason: "STOP" }],
  usageMetadata: { promptTokenCount: 1, totalTokenCount: 1 }
}

// the client takes no `fetch`: it has the global one for as long as it is asked
const borrowing = async (fetch: typeof globalThis.fetch, use: (client: GoogleGenAI) => Promise<unknown>) => {
  const own = globalThis.fetch
  globalThis.fetch = fetch
  try {
    await use(new GoogleGenAI({ apiKey: secret }))
  } finally {
    globalThis.fetch = own
  }
}

const compare = (
  answer: Answer,
  theirs: (client: GoogleGenAI) => Promise<unknown>,
  ours: (made: { readonly llm: LlmService.Service; readonly gemini: Gemini.Service }) => Effect.Effect<unknown, unknown>
) => {
  const { fetch, sent } = fetching(() => answer)
  return Effect.gen(function*() {
    yield* Effect.promise(() => borrowing(fetch, theirs))
    yield* through(fetch, ours)
    assert.strictEqual(sent.length, 2)
    const [their, our] = [sent[0]!, sent[1]!]
    assert.deepStrictEqual([our.method, our.host, our.path], [their.method, their.host, their.path])
    assert.strictEqual(our.headers["x-goog-api-key"], their.headers["x-goog-api-key"])
    assert.strictEqual(our.headers["authorization"], their.headers["authorization"])
    if (our.body !== undefined) assert.strictEqual(our.headers["content-type"], their.headers["content-type"])
    return [our.body, their.body] as const
  })
}

const same = ([our, their]: readonly [any, any]) => assert.deepStrictEqual(our, their)

const weather = Tool.make("get_weather", {
  description: "The weather in a city, now",
  parameters: Schema.Struct({ city: Schema.String })
})

const declarations = [{
  name: "get_weather",
  description: "The weather in a city, now",
  parametersJsonSchema: weather.parameters
}]

describe("Gemini sends what Google's own client sends", () => {
  it.effect("for a chat with everything", () =>
    Effect.map(
      compare(
        { body: answered },
        (client) =>
          client.models.generateContent({
            model: "gemini-2.5-flash",
            contents: [{
              role: "user",
              parts: [
                { text: "What is this?" },
                { inlineData: { mimeType: "image/png", data: "aGk=" } },
                { fileData: { mimeType: "application/pdf", fileUri: "https://example.com/a.pdf" } }
              ]
            }],
            config: {
              systemInstruction: "Be brief.",
              maxOutputTokens: 100,
              temperature: 0,
              topP: 0.5,
              topK: 3,
              stopSequences: ["END"],
              seed: 1,
              presencePenalty: 0.1,
              frequencyPenalty: 0.2,
              responseMimeType: "application/json",
              responseJsonSchema: { type: "object", properties: { a: { type: "string" } }, required: ["a"] },
              thinkingConfig: { thinkingBudget: 1024, includeThoughts: true },
              mediaResolution: MediaResolution.MEDIA_RESOLUTION_LOW,
              safetySettings: [{
                category: HarmCategory.HARM_CATEGORY_HARASSMENT,
                threshold: HarmBlockThreshold.BLOCK_ONLY_HIGH
              }],
              serviceTier: ServiceTier.FLEX
            }
          }),
        ({ llm }) =>
          llm.generateText({
            model: "gemini-2.5-flash",
            prompt: [
              Prompt.system("Be brief."),
              Prompt.user([
                Prompt.text("What is this?"),
                Prompt.image("aGk=", "image/png"),
                { _tag: "File", source: { _tag: "Url", url: "https://example.com/a.pdf" } }
              ])
            ],
            maxTokens: 100,
            temperature: 0,
            topP: 0.5,
            topK: 3,
            stop: ["END"],
            seed: 1,
            presencePenalty: 0.1,
            frequencyPenalty: 0.2,
            format: {
              _tag: "JsonSchema",
              name: "thing",
              schema: { type: "object", properties: { a: { type: "string" } }, required: ["a"] }
            },
            reasoning: { effort: "low" },
            providerOptions: {
              gemini: {
                mediaResolution: "low",
                safetySettings: [{ category: "HARM_CATEGORY_HARASSMENT", threshold: "BLOCK_ONLY_HIGH" }],
                serviceTier: "flex"
              }
            }
          })
      ),
      same
    ))

  it.effect("for a stream", () =>
    Effect.map(
      compare(
        { body: crlf(event(answered)), headers: { "content-type": "text/event-stream" } },
        async (client) => {
          const pieces = await client.models.generateContentStream({
            model: "gemini-3.6-flash",
            contents: "Hi",
            config: { thinkingConfig: { thinkingLevel: ThinkingLevel.HIGH, includeThoughts: true } }
          })
          for await (const _ of pieces);
        },
        ({ llm }) =>
          Stream.runDrain(
            llm.streamText({ model: "gemini-3.6-flash", prompt: "Hi", reasoning: { effort: "high" } })
          )
      ),
      same
    ))

  it.effect("for a tool call and the turn after it", () =>
    Effect.map(
      compare(
        { body: answered },
        (client) =>
          client.models.generateContent({
            model: "gemini-3.6-flash",
            contents: [
              { role: "user", parts: [{ text: "What is the weather in Oslo?" }] },
              {
                role: "model",
                parts: [
                  { text: "I must look.", thought: true },
                  {
                    functionCall: { id: "a1", name: "get_weather", args: { city: "Oslo" } },
                    thoughtSignature: "c2ln"
                  },
                  { functionCall: { id: "a2", name: "get_weather", args: { city: "Bergen" } } }
                ]
              },
              {
                role: "user",
                parts: [
                  { functionResponse: { id: "a1", name: "get_weather", response: { celsius: 3 } } },
                  { functionResponse: { id: "a2", name: "get_weather", response: { error: "no such city" } } }
                ]
              }
            ],
            config: {
              tools: [{ functionDeclarations: declarations }, { googleSearch: {} }],
              toolConfig: {
                functionCallingConfig: { mode: FunctionCallingConfigMode.ANY, allowedFunctionNames: ["get_weather"] }
              }
            }
          }),
        ({ llm }) =>
          llm.generateText({
            model: "gemini-3.6-flash",
            prompt: [
              Prompt.user("What is the weather in Oslo?"),
              Prompt.assistant([
                { _tag: "Reasoning", text: "I must look." },
                {
                  _tag: "ToolCall",
                  id: "a1",
                  name: "get_weather",
                  arguments: "{\"city\":\"Oslo\"}",
                  signature: "c2ln"
                },
                { _tag: "ToolCall", id: "a2", name: "get_weather", arguments: "{\"city\":\"Bergen\"}" }
              ]),
              Prompt.tool([
                { _tag: "ToolResult", id: "a1", name: "get_weather", result: "{\"celsius\":3}" },
                { _tag: "ToolResult", id: "a2", name: "get_weather", result: "no such city", isError: true }
              ])
            ],
            tools: [weather],
            toolChoice: { tool: "get_weather" },
            providerOptions: { gemini: { builtInTools: ["googleSearch"] } }
          })
      ),
      // with tools and nothing else, the client says that it says nothing
      ([our, { generationConfig, ...their }]) => {
        assert.deepStrictEqual(generationConfig, {})
        assert.deepStrictEqual(our, their)
      }
    ))

  it.effect("for embeddings", () =>
    Effect.map(
      compare(
        { body: { embeddings: [{ values: [1] }, { values: [2] }] } },
        (client) =>
          client.models.embedContent({
            model: "gemini-embedding-001",
            contents: ["a", "b"],
            config: { outputDimensionality: 1, taskType: "RETRIEVAL_DOCUMENT", title: "c" }
          }),
        ({ llm }) =>
          llm.embed({
            model: "gemini-embedding-001",
            input: ["a", "b"],
            dimensions: 1,
            providerOptions: { gemini: { taskType: "RETRIEVAL_DOCUMENT", title: "c" } }
          })
      ),
      same
    ))

  it.effect("for a count of tokens", () =>
    Effect.map(
      compare(
        { body: { totalTokens: 1 } },
        (client) => client.models.countTokens({ model: "models/gemini-2.5-flash", contents: "Hi" }),
        ({ gemini }) => gemini.countTokens({ model: "models/gemini-2.5-flash", prompt: "Hi" })
      ),
      same
    ))

  it.effect("for the models, and for one of them", () =>
    Effect.gen(function*() {
      same(
        yield* compare(
          { body: { models: [] } },
          (client) => client.models.list({ config: { pageSize: 1000 } }),
          ({ gemini }) => gemini.models
        )
      )
      same(
        yield* compare(
          { body: { name: "tunedModels/mine" } },
          (client) => client.models.get({ model: "tunedModels/mine" }),
          ({ gemini }) => gemini.model("tunedModels/mine")
        )
      )
    }))

  it.effect("for a cache, from its beginning to its end", () =>
    Effect.gen(function*() {
      const name = "cachedContents/a1"
      same(
        yield* compare(
          { body: { name } },
          (client) =>
            client.caches.create({
              model: "gemini-2.5-flash",
              config: {
                systemInstruction: "You know the library.",
                contents: "Here it is: …",
                tools: [{ functionDeclarations: declarations }],
                ttl: "300s",
                displayName: "library"
              }
            }),
          ({ gemini }) =>
            gemini.createCache({
              model: "gemini-2.5-flash",
              prompt: [Prompt.system("You know the library."), Prompt.user("Here it is: …")],
              tools: [weather],
              ttl: "5 minutes",
              displayName: "library"
            })
        )
      )
      same(
        yield* compare(
          { body: { name } },
          (client) => client.caches.get({ name }),
          ({ gemini }) => gemini.getCache("a1")
        )
      )
      same(
        yield* compare(
          { body: {} },
          (client) => client.caches.list({ config: { pageSize: 1000 } }),
          ({ gemini }) => gemini.listCaches
        )
      )
      same(
        yield* compare(
          { body: { name } },
          (client) => client.caches.update({ name, config: { ttl: "1.5s" } }),
          ({ gemini }) => gemini.keepCache(name, "1500 millis")
        )
      )
      const [our, their] = yield* compare(
        { body: {} },
        (client) => client.caches.delete({ name }),
        ({ gemini }) => gemini.deleteCache(name)
      )
      assert.deepStrictEqual([our, their], [undefined, {}])
    }))
})
