/**
 * Chats and embeddings over OpenAI's wire, held against what OpenAI and Groq say of it themselves: what we send, and
 * what the simulator answers.
 */
import * as HttpBody from "@effect/platform/HttpBody"
import { assert, describe, it } from "@effect/vitest"
import type * as Completion from "@spillway/core/Completion"
import type * as Embedding from "@spillway/core/Embedding"
import * as Prompt from "@spillway/core/Prompt"
import * as Tool from "@spillway/core/Tool"
import * as AzureOpenAi from "@spillway/providers/AzureOpenAi"
import * as Groq from "@spillway/providers/Groq"
import * as OpenAi from "@spillway/providers/OpenAi"
import type * as OpenAiCompat from "@spillway/providers/OpenAiCompat"
import * as OpenAiWire from "@spillway/providers/OpenAiWire"
import * as Simulator from "@spillway/testing/Simulator"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { absent, type Check, spec } from "./spec.js"

// what is one of several may be two of them in the descriptions; a field of a chat that is not described is wrong
const strict = (text: string) =>
  text
    .replaceAll(/^(\s*(?:- )?)oneOf:/gm, "$1anyOf:")
    .replace(/^( {4}CreateChatCompletionRequest:\n)( {6}allOf:)/m, "$1      unevaluatedProperties: false\n$2")

const openai = spec("openai/openapi.yaml", strict)

const groq = spec("groq/openapi.yaml", strict)

const weather = Tool.make("get_weather", {
  description: "The weather in a city, now",
  parameters: Schema.Struct({ city: Schema.String }),
  strict: true
})

const capital = { type: "object", properties: { name: { type: "string" } }, required: ["name"] }

const model = "m"

const chats: { readonly [title: string]: Completion.Request } = {
  "a question": { model, prompt: "hi" },
  "a conversation with pictures and tools": {
    model,
    prompt: [
      Prompt.system("Be brief."),
      Prompt.user([
        Prompt.text("What is this?"),
        Prompt.image("aGk=", "image/png"),
        { _tag: "Image", source: { _tag: "Url", url: "https://example.org/a.png" } }
      ]),
      Prompt.assistant([
        { _tag: "Reasoning", text: "Hm." },
        Prompt.text("Let me look."),
        { _tag: "ToolCall", id: "call_1", name: "get_weather", arguments: "{\"city\":\"Oslo\"}" },
        { _tag: "ToolCall", id: "call_2", name: "get_weather", arguments: "" }
      ]),
      Prompt.tool([
        { _tag: "ToolResult", id: "call_1", name: "get_weather", result: "{\"warm\":false}" },
        { _tag: "ToolResult", id: "call_2", name: "get_weather", result: "no city", isError: true }
      ]),
      Prompt.assistant("It is cold."),
      Prompt.user("And now?")
    ],
    tools: [weather, Tool.fromJsonSchema({ name: "f", parameters: { type: "object" } })],
    toolChoice: { tool: "get_weather" },
    parallelToolCalls: false
  },
  "an answer by schema, sampled, limited and thought through": {
    model,
    prompt: "Which is the capital of Norway?",
    maxTokens: 100,
    temperature: 0.5,
    topP: 0.9,
    stop: ["END", "STOP"],
    seed: 7,
    presencePenalty: 0.1,
    frequencyPenalty: -0.2,
    tools: [weather],
    toolChoice: "required",
    format: { _tag: "JsonSchema", name: "capital", schema: capital, strict: true },
    reasoning: { effort: "high" },
    user: "u-1"
  },
  "some JSON, and no tool": { model, prompt: "hi", format: { _tag: "Json" }, tools: [weather], toolChoice: "none" }
}

const onlyOpenAi: typeof chats = {
  "files and a sound": {
    model,
    prompt: Prompt.user([Prompt.file("aGk=", "application/pdf", "a.pdf"), Prompt.file("aGk=", "audio/wav")])
  },
  "what only OpenAI can be asked for": {
    model,
    prompt: "hi",
    reasoning: { effort: "minimal" },
    providerOptions: {
      openai: {
        serviceTier: "flex",
        verbosity: "low",
        store: true,
        metadata: { a: "b" },
        logitBias: { "7": -100 },
        promptCacheKey: "k",
        safetyIdentifier: "s"
      }
    }
  }
}

const onlyGroq: typeof chats = {
  "what only Groq can be asked for": {
    model,
    prompt: "hi",
    providerOptions: { groq: { reasoningFormat: "parsed", serviceTier: "flex" } }
  }
}

const embeddings: { readonly [title: string]: Embedding.Request } = {
  "one text": { model, input: ["a"] },
  "two texts, of few dimensions, for somebody": { model, input: ["a", "b"], dimensions: 3, user: "u-1" }
}

/** A body as it is on the wire. */
const sent = (body: object): unknown => JSON.parse(JSON.stringify(body))

const sends = (profile: OpenAiCompat.Profile, requests: typeof chats, chat: Check, embedding?: Check) => {
  for (const [title, request] of Object.entries(requests)) {
    for (const stream of [false, true]) {
      it(`${title}, ${stream ? "streamed" : "whole"}`, () => {
        const body = Either.getOrThrow(OpenAiWire.toChatBody(request, profile, stream))
        assert.deepStrictEqual(chat(sent(body)), [])
      })
    }
  }
  if (embedding === undefined) return
  for (const [title, request] of Object.entries(embeddings)) {
    it(`embeddings of ${title}`, () =>
      assert.deepStrictEqual(embedding(sent(OpenAiWire.toEmbeddingBody(request, profile))), []))
  }
}

if (openai === undefined || groq === undefined) {
  describe.skip(`chats and embeddings over OpenAI's wire (${absent})`, () => {
    it("are as described", () => {})
  })
} else {
  const chat = openai.request("post", "/chat/completions")
  const embedding = openai.request("post", "/embeddings")

  describe("the descriptions tell wrong from right", () => {
    const groqChat = groq.request("post", "/openai/v1/chat/completions")
    const right = { model, messages: [{ role: "user", content: "hi" }] }

    for (const [name, check] of Object.entries({ openai: chat, groq: groqChat })) {
      it(`${name}'s`, () => {
        assert.deepStrictEqual(check(right), [])
        for (
          const wrong of [{ messages: [] }, { model: undefined }, { messages: "hi" }, { top_k: 3 }, { temperature: 3 }]
        ) {
          assert.notDeepEqual(check(sent({ ...right, ...wrong })), [], JSON.stringify(wrong))
        }
      })
    }
  })

  describe("what is sent to OpenAI is as it describes", () => {
    sends(OpenAi.profile, { ...chats, ...onlyOpenAi }, chat, embedding)
  })

  describe("what is sent to OpenAI's models on Azure is as OpenAI describes", () => {
    sends(AzureOpenAi.profile(), { ...chats, ...onlyOpenAi }, chat, embedding)
  })

  describe("what is sent to Groq is as it describes", () => {
    sends(Groq.profile, { ...chats, ...onlyGroq }, groq.request("post", "/openai/v1/chat/completions"))
  })

  const vendors = {
    openai: { described: openai, prefix: "", base: "/openai/v1", model: "gpt-4o-mini" },
    groq: { described: groq, prefix: "/openai/v1", base: "/groq/openai/v1", model: "llama-3.1-8b-instant" }
  }

  for (const [vendor, { base, described, model, prefix }] of Object.entries(vendors)) {
    describe(`the simulator answers as ${vendor} describes`, () => {
      const asked = (path: string, body: object | undefined, status = 200) =>
        Effect.gen(function*() {
          const simulator = yield* Simulator.make()
          const options = { headers: { authorization: `Bearer ${status === 401 ? "wrong" : "sim-key-1"}` } }
          const url = `http://simulator${base}${path}`
          const response = yield* body === undefined
            ? simulator.client.get(url, options)
            : simulator.client.post(url, { ...options, body: HttpBody.unsafeJson(body) })
          assert.strictEqual(response.status, status)
          return yield* response.text
        }).pipe(Effect.scoped)

      const answer = (method: string, path: string) => described.response(method, `${prefix}${path}`, 200)

      // on the wire Groq's is null where it is not known, and no content is none, whatever its description says
      const known = ({ usage_breakdown, ...rest }: any) => ({
        ...rest,
        ...(usage_breakdown !== null && { usage_breakdown }),
        choices: rest.choices.map(({ message, ...choice }: any) => ({ ...choice, message: { content: null, ...message } }))
      })

      const tools = [{ type: "function", function: { name: "f", parameters: { type: "object" } } }]

      const requests = {
        text: { model, messages: [{ role: "user", content: "hi" }] },
        "an end before the end": { model, messages: [{ role: "user", content: "hi" }], max_tokens: 2 },
        "calls of tools": { model, messages: [{ role: "user", content: "do both" }], tools }
      }

      for (const [title, request] of Object.entries(requests)) {
        it.effect(`a chat: ${title}`, () =>
          Effect.gen(function*() {
            const whole = JSON.parse(yield* asked("/chat/completions", request))
            assert.deepStrictEqual(answer("post", "/chat/completions")(known(whole)), [])
            const stream = yield* asked("/chat/completions", { ...request, stream: true })
            const frames = stream.split("\n\n").slice(0, -1)
            assert.strictEqual(frames.at(-1), "data: [DONE]")
            assert.isAbove(frames.length, 3)
            const chunk = described.at("/components/schemas/CreateChatCompletionStreamResponse")
            for (const frame of frames.slice(0, -1)) {
              assert.deepStrictEqual(chunk(JSON.parse(frame.slice("data: ".length))), [], frame)
            }
          }))
      }

      it.effect("the list of models", () =>
        Effect.map(asked("/models", undefined), (text) =>
          assert.deepStrictEqual(answer("get", "/models")(JSON.parse(text)), [])))

      it.effect("a refusal", () =>
        Effect.gen(function*() {
          const error = described.at("/components/schemas/ErrorResponse")
          assert.notDeepEqual(error({ message: "no" }), [])
          for (
            const [path, body, status] of [
              ["/chat/completions", requests.text, 401],
              ["/chat/completions", { model }, 400],
              ["/chat/completions", { ...requests.text, model: "nobody" }, 404]
            ] as const
          ) {
            assert.deepStrictEqual(error(JSON.parse(yield* asked(path, body, status))), [])
          }
        }))

      if (vendor === "openai") {
        it.effect("embeddings", () =>
          Effect.gen(function*() {
            const request = { model: "text-embedding-3-small", input: ["a", "b"], encoding_format: "float" }
            const embedded = JSON.parse(yield* asked("/embeddings", request))
            assert.deepStrictEqual(answer("post", "/embeddings")(embedded), [])
          }))
      }
    })
  }
}
