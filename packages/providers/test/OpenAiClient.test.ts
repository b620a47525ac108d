/**
 * What we send, beside what OpenAI's own client sends when it is asked for the same; and Groq's, which is made of it.
 *
 * Where they differ by intent: the clients tell of themselves in `user-agent` and in headers that begin with
 * `x-stainless`, and we do not.
 */
import { assert, describe, it } from "@effect/vitest"
import type * as Completion from "@spillway/core/Completion"
import type * as LlmService from "@spillway/core/LlmService"
import * as Prompt from "@spillway/core/Prompt"
import * as Tool from "@spillway/core/Tool"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import GroqClient from "groq-sdk"
import type * as GroqParams from "groq-sdk/resources/chat/completions"
import Client from "openai"
import * as Groq from "../src/Groq.js"
import * as OpenAi from "../src/OpenAi.js"
import * as OpenAiCompat from "../src/OpenAiCompat.js"
import { type Answer, fetching, through } from "./fetching.js"

const apiKey = "sk-test"

const whole: Answer = {
  body: { id: "c", object: "chat.completion", model: "m", choices: [{ index: 0, message: { content: "" } }] }
}

const streamed: Answer = {
  headers: { "content-type": "text/event-stream" },
  body: `data: ${JSON.stringify({ id: "c", model: "m", choices: [] })}\n\ndata: [DONE]\n\n`
}

/** Two requests to the same place: the vendor's client's, then ours. */
const compare = (
  answer: Answer,
  theirs: (fetch: typeof globalThis.fetch) => Promise<unknown>,
  profile: OpenAiCompat.Profile,
  ours: (service: LlmService.Service) => Effect.Effect<unknown, unknown>
) => {
  const { fetch, sent } = fetching(() => answer)
  return Effect.gen(function*() {
    yield* Effect.promise(() => theirs(fetch))
    yield* through(fetch, OpenAiCompat.make(profile, { apiKeys: [Redacted.make(apiKey)] }), ours)
    assert.strictEqual(sent.length, 2)
    const [their, our] = [sent[0]!, sent[1]!]
    assert.deepStrictEqual([our.method, our.host, our.path], [their.method, their.host, their.path])
    assert.deepStrictEqual(our.body, their.body)
    assert.strictEqual(our.headers["authorization"], `Bearer ${apiKey}`)
    for (const name of ["authorization", "content-type", "accept"]) {
      assert.strictEqual(our.headers[name], their.headers[name], name)
    }
  })
}

const weather = Tool.make("get_weather", {
  description: "The weather in a city, now",
  parameters: Schema.Struct({ city: Schema.String }),
  strict: true
})

const schema = { type: "object", properties: { name: { type: "string" } }, required: ["name"] }

/** What is asked of both, in our words and in theirs, which Groq's client takes as well. */
const chat = {
  ours: {
    model: "m",
    prompt: [
      Prompt.system("Be brief."),
      Prompt.user("Hi"),
      Prompt.assistant("Hello"),
      Prompt.user("What is the capital of Norway?")
    ],
    maxTokens: 100,
    temperature: 0.5,
    topP: 0.9,
    stop: ["END"],
    seed: 7,
    presencePenalty: 0.1,
    frequencyPenalty: 0.2,
    user: "u-1",
    reasoning: { effort: "low" },
    format: { _tag: "JsonSchema", name: "capital", schema, strict: true }
  } satisfies Completion.Request,
  theirs: {
    model: "m",
    messages: [
      { role: "system", content: "Be brief." },
      { role: "user", content: "Hi" },
      { role: "assistant", content: "Hello" },
      { role: "user", content: "What is the capital of Norway?" }
    ],
    max_completion_tokens: 100,
    temperature: 0.5,
    top_p: 0.9,
    stop: ["END"],
    seed: 7,
    presence_penalty: 0.1,
    frequency_penalty: 0.2,
    user: "u-1",
    reasoning_effort: "low",
    response_format: { type: "json_schema", json_schema: { name: "capital", schema, strict: true } }
  } satisfies Client.ChatCompletionCreateParamsNonStreaming & GroqParams.ChatCompletionCreateParamsNonStreaming
}

const stream = {
  ours: { model: "m", prompt: "Hi" } satisfies Completion.Request,
  theirs: {
    model: "m",
    messages: [{ role: "user" as const, content: "Hi" }],
    stream: true as const
  } satisfies Client.ChatCompletionCreateParamsStreaming & GroqParams.ChatCompletionCreateParamsStreaming
}

const toolCall = {
  ours: {
    model: "m",
    tools: [weather],
    toolChoice: { tool: "get_weather" },
    parallelToolCalls: false,
    prompt: [
      Prompt.user([Prompt.text("What is the weather there?"), Prompt.image("aGk=", "image/png")]),
      Prompt.assistant([{ _tag: "ToolCall", id: "call_1", name: "get_weather", arguments: "{\"city\":\"Oslo\"}" }]),
      Prompt.tool([{ _tag: "ToolResult", id: "call_1", name: "get_weather", result: "clear" }])
    ]
  } satisfies Completion.Request,
  theirs: {
    model: "m",
    tools: [{
      type: "function",
      function: {
        name: "get_weather",
        description: "The weather in a city, now",
        parameters: weather.parameters,
        strict: true
      }
    }],
    tool_choice: { type: "function", function: { name: "get_weather" } },
    parallel_tool_calls: false,
    messages: [
      {
        role: "user",
        content: [
          { type: "text", text: "What is the weather there?" },
          { type: "image_url", image_url: { url: "data:image/png;base64,aGk=" } }
        ]
      },
      {
        role: "assistant",
        content: null,
        tool_calls: [{
          id: "call_1",
          type: "function",
          function: { name: "get_weather", arguments: "{\"city\":\"Oslo\"}" }
        }]
      },
      { role: "tool", tool_call_id: "call_1", content: "clear" }
    ]
  } satisfies Client.ChatCompletionCreateParamsNonStreaming & GroqParams.ChatCompletionCreateParamsNonStreaming
}

const openai = (fetch: typeof globalThis.fetch) =>
  new Client({ apiKey, fetch, maxRetries: 0, organization: null, project: null })

const groq = (fetch: typeof globalThis.fetch) => new GroqClient({ apiKey, fetch, maxRetries: 0 })

const drain = async (events: AsyncIterable<unknown>) => {
  for await (const _ of events);
}

describe("OpenAI sends what OpenAI's own client sends", () => {
  it.effect("for a chat", () =>
    compare(
      whole,
      (fetch) => openai(fetch).chat.completions.create(chat.theirs),
      OpenAi.profile,
      (service) => service.generateText(chat.ours)
    ))

  it.effect("for a stream", () =>
    compare(
      streamed,
      async (fetch) =>
        drain(
          await openai(fetch).chat.completions.create({
            ...stream.theirs,
            stream: true,
            stream_options: { include_usage: true }
          })
        ),
      OpenAi.profile,
      (service) => Stream.runDrain(service.streamText(stream.ours))
    ))

  it.effect("for a tool call and the turn after it, with a picture", () =>
    compare(
      whole,
      (fetch) => openai(fetch).chat.completions.create(toolCall.theirs),
      OpenAi.profile,
      (service) => service.generateText(toolCall.ours)
    ))

  it.effect("for a file and a sound", () =>
    compare(
      whole,
      (fetch) =>
        openai(fetch).chat.completions.create({
          model: "m",
          messages: [{
            role: "user",
            content: [
              { type: "file", file: { filename: "a.pdf", file_data: "data:application/pdf;base64,aGk=" } },
              { type: "input_audio", input_audio: { data: "aGk=", format: "wav" } }
            ]
          }]
        }),
      OpenAi.profile,
      (service) =>
        service.generateText({
          model: "m",
          prompt: Prompt.user([
            Prompt.file("aGk=", "application/pdf", "a.pdf"),
            Prompt.file("aGk=", "audio/wav")
          ])
        })
    ))

  it.effect("for what only OpenAI can be asked for", () =>
    compare(
      whole,
      (fetch) =>
        openai(fetch).chat.completions.create({
          model: "m",
          messages: [{ role: "user", content: "Hi" }],
          service_tier: "flex",
          verbosity: "low",
          store: true,
          metadata: { a: "b" },
          logit_bias: { "7": -100 },
          prompt_cache_key: "k",
          safety_identifier: "s"
        }),
      OpenAi.profile,
      (service) =>
        service.generateText({
          model: "m",
          prompt: "Hi",
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
        })
    ))

  it.effect("for embeddings", () =>
    compare(
      { body: { data: [{ index: 0, embedding: "AACAPw==" }, { index: 1, embedding: "AACAPw==" }] } },
      (fetch) => openai(fetch).embeddings.create({ model: "m", input: ["a", "b"], dimensions: 1, user: "u-1" }),
      OpenAi.profile,
      (service) => service.embed({ model: "m", input: ["a", "b"], dimensions: 1, user: "u-1" })
    ))

  it.effect("for the list of models", () =>
    compare(
      { body: { object: "list", data: [] } },
      (fetch) => openai(fetch).models.list(),
      OpenAi.profile,
      (service) => service.listModels
    ))

  it.effect("for an organization and a project", () => {
    const { fetch, sent } = fetching(() => whole)
    return Effect.gen(function*() {
      const client = new Client({ apiKey, fetch, organization: "org-1", project: "proj-1" })
      yield* Effect.promise(() => client.chat.completions.create(chat.theirs))
      const options = { apiKeys: [Redacted.make(apiKey)] as const, organization: "org-1", project: "proj-1" }
      yield* through(fetch, OpenAi.make(options), ({ llm }) => llm.generateText(chat.ours))
      for (const name of ["openai-organization", "openai-project"]) {
        assert.strictEqual(sent[1]!.headers[name], sent[0]!.headers[name])
      }
      assert.strictEqual(sent[1]!.headers["openai-project"], "proj-1")
    })
  })
})

describe("Groq sends what Groq's own client sends", () => {
  it.effect("for a chat", () =>
    compare(
      whole,
      (fetch) => groq(fetch).chat.completions.create(chat.theirs),
      Groq.profile,
      (service) => service.generateText(chat.ours)
    ))

  it.effect("for a stream", () =>
    compare(
      streamed,
      async (fetch) => drain(await groq(fetch).chat.completions.create(stream.theirs)),
      Groq.profile,
      (service) => Stream.runDrain(service.streamText(stream.ours))
    ))

  it.effect("for a tool call and the turn after it, with a picture", () =>
    compare(
      whole,
      (fetch) => groq(fetch).chat.completions.create(toolCall.theirs),
      Groq.profile,
      (service) => service.generateText(toolCall.ours)
    ))

  it.effect("for what only Groq can be asked for", () =>
    compare(
      whole,
      (fetch) =>
        groq(fetch).chat.completions.create({
          model: "m",
          messages: [{ role: "user", content: "Hi" }],
          reasoning_format: "parsed",
          service_tier: "flex"
        }),
      Groq.profile,
      (service) =>
        service.generateText({
          model: "m",
          prompt: "Hi",
          providerOptions: { groq: { reasoningFormat: "parsed", serviceTier: "flex" } }
        })
    ))

  it.effect("for the list of models", () =>
    compare(
      { body: { object: "list", data: [] } },
      (fetch) => groq(fetch).models.list(),
      Groq.profile,
      (service) => service.listModels
    ))
})
