/**
 * What we send over Responses, to moderation and to transcription, beside what the vendors' own clients send when they
 * are asked for the same, and beside the vendors' descriptions.
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import { assert, describe, it } from "@effect/vitest"
import type * as Completion from "@spillway/core/Completion"
import * as Prompt from "@spillway/core/Prompt"
import * as Tool from "@spillway/core/Tool"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { Scope } from "effect/Scope"
import * as Stream from "effect/Stream"
import GroqClient, { toFile } from "groq-sdk"
import Client from "openai"
import * as Groq from "../src/Groq.js"
import * as OpenAi from "../src/OpenAi.js"
import { type Answer, fetching, type Sent, through } from "./fetching.js"
import { body, completed, created, message } from "./fixtures/openaiResponses.js"
import { absent, spec } from "./spec.js"

const apiKey = "sk-test"

const openai = (fetch: typeof globalThis.fetch) =>
  new Client({ apiKey, fetch, maxRetries: 0, organization: null, project: null })

const ours = OpenAi.make({ apiKeys: [Redacted.make(apiKey)], api: "responses" })

/** Two requests to the same place: the vendor's client's, then ours; the check compares their bodies. */
const compare = <B>(
  answer: Answer,
  theirs: (fetch: typeof globalThis.fetch) => Promise<unknown>,
  backend: Effect.Effect<B, unknown, HttpClient.HttpClient | Scope>,
  ask: (backend: B) => Effect.Effect<unknown, unknown>,
  check: (their: Sent, our: Sent) => unknown = (their, our) => {
    assert.deepStrictEqual(our.body, their.body)
    for (const name of ["content-type", "accept"]) assert.strictEqual(our.headers[name], their.headers[name], name)
  }
) => {
  const { fetch, sent: all } = fetching(() => answer)
  return Effect.gen(function*() {
    yield* Effect.promise(() => theirs(fetch))
    yield* through(fetch, backend, ask)
    // the clients try out at an address that is none whether a `fetch` can send forms
    const sent = all.filter(({ host }) => host !== "")
    assert.strictEqual(sent.length, 2)
    const [their, our] = [sent[0]!, sent[1]!]
    assert.deepStrictEqual([our.method, our.host, our.path], [their.method, their.host, their.path])
    assert.strictEqual(our.headers["authorization"], their.headers["authorization"])
    yield* Effect.promise(async () => check(their, our))
  })
}

const whole: Answer = { body: body([message("x")]) }

const streamed: Answer = {
  headers: { "content-type": "text/event-stream" },
  body: [created, completed].map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join("")
}

const weather = Tool.make("get_weather", {
  description: "The weather in a city, now",
  parameters: Schema.Struct({ city: Schema.String }),
  strict: true
})

const schema = {
  type: "object",
  properties: { name: { type: "string" } },
  required: ["name"],
  additionalProperties: false
}

const chat: Completion.Request = {
  model: "m",
  prompt: [
    Prompt.system("Be brief."),
    Prompt.user("Hi"),
    Prompt.assistant("Hello"),
    Prompt.user([
      Prompt.text("What is this?"),
      { ...Prompt.image("aGk=", "image/png"), detail: "low" },
      Prompt.file("aGk=", "application/pdf", "a.pdf")
    ])
  ],
  maxTokens: 100,
  temperature: 0.5,
  topP: 0.9,
  user: "u-1",
  reasoning: { effort: "low" },
  format: { _tag: "JsonSchema", name: "thing", schema, strict: true },
  providerOptions: {
    openai: {
      serviceTier: "flex",
      verbosity: "low",
      store: true,
      metadata: { a: "b" },
      promptCacheKey: "k",
      safetyIdentifier: "s",
      reasoningSummary: "auto",
      previousResponseId: "resp_0"
    }
  }
}

const theirChat: Client.Responses.ResponseCreateParamsNonStreaming = {
  model: "m",
  instructions: "Be brief.",
  input: [
    { role: "user", content: "Hi" },
    { role: "assistant", content: "Hello" },
    {
      role: "user",
      content: [
        { type: "input_text", text: "What is this?" },
        { type: "input_image", image_url: "data:image/png;base64,aGk=", detail: "low" },
        { type: "input_file", filename: "a.pdf", file_data: "data:application/pdf;base64,aGk=" }
      ]
    }
  ],
  store: true,
  include: ["reasoning.encrypted_content"],
  previous_response_id: "resp_0",
  max_output_tokens: 100,
  temperature: 0.5,
  top_p: 0.9,
  text: { format: { type: "json_schema", name: "thing", schema, strict: true }, verbosity: "low" },
  reasoning: { effort: "low", summary: "auto" },
  user: "u-1",
  service_tier: "flex",
  metadata: { a: "b" },
  prompt_cache_key: "k",
  safety_identifier: "s"
}

const toolTurn: Completion.Request = {
  model: "m",
  tools: [weather],
  toolChoice: { tool: "get_weather" },
  parallelToolCalls: false,
  prompt: [
    Prompt.user("What is the weather in Oslo?"),
    Prompt.assistant([
      { _tag: "Reasoning", text: "They ask.", signature: "rs_1", redacted: "sealed" },
      { _tag: "ToolCall", id: "call_1", name: "get_weather", arguments: "{\"city\":\"Oslo\"}" }
    ]),
    Prompt.tool([{ _tag: "ToolResult", id: "call_1", name: "get_weather", result: "clear" }])
  ]
}

const theirToolTurn: Client.Responses.ResponseCreateParamsNonStreaming = {
  model: "m",
  tools: [{
    type: "function",
    name: "get_weather",
    description: "The weather in a city, now",
    parameters: { ...weather.parameters },
    strict: true
  }],
  tool_choice: { type: "function", name: "get_weather" },
  parallel_tool_calls: false,
  store: false,
  input: [
    { role: "user", content: "What is the weather in Oslo?" },
    {
      type: "reasoning",
      id: "rs_1",
      summary: [{ type: "summary_text", text: "They ask." }],
      encrypted_content: "sealed"
    },
    { type: "function_call", call_id: "call_1", name: "get_weather", arguments: "{\"city\":\"Oslo\"}" },
    { type: "function_call_output", call_id: "call_1", output: "clear" }
  ]
}

const drain = async (events: AsyncIterable<unknown>) => {
  for await (const _ of events);
}

const moderation = { flagged: false, categories: {}, category_scores: {} }

describe("OpenAI's own client sends the same", () => {
  it.effect("for a response with all that there is to say", () =>
    compare(whole, (fetch) => openai(fetch).responses.create(theirChat), ours, ({ llm }) => llm.generateText(chat)))

  it.effect("for a stream", () =>
    compare(
      streamed,
      async (fetch) =>
        drain(
          await openai(fetch).responses.create({
            model: "m",
            input: [{ role: "user", content: "Hi" }],
            stream: true,
            store: false
          })
        ),
      ours,
      ({ llm }) => Stream.runDrain(llm.streamText({ model: "m", prompt: "Hi" }))
    ))

  it.effect("for a tool call and the turn after it", () =>
    compare(
      whole,
      (fetch) => openai(fetch).responses.create(theirToolTurn),
      ours,
      ({ llm }) => llm.generateText(toolTurn)
    ))

  it.effect("for a count of tokens", () =>
    compare(
      { body: { object: "response.input_tokens", input_tokens: 1 } },
      (fetch) =>
        openai(fetch).responses.inputTokens.count({
          model: "m",
          instructions: "Be brief.",
          input: [{ role: "user", content: "Hi" }]
        }),
      ours,
      ({ openai }) => openai.countInputTokens({ model: "m", prompt: [Prompt.system("Be brief."), Prompt.user("Hi")] })
    ))

  it.effect("for a response in the background, its retrieval and its end", () =>
    Effect.gen(function*() {
      yield* compare(
        whole,
        (fetch) =>
          openai(fetch).responses.create({
            model: "m",
            input: [{ role: "user", content: "Hi" }],
            background: true,
            store: true
          }),
        ours,
        ({ openai }) => openai.startResponse({ model: "m", prompt: "Hi" })
      )
      yield* compare(
        whole,
        (fetch) => openai(fetch).responses.retrieve("resp_1"),
        ours,
        ({ openai }) => openai.retrieveResponse("resp_1")
      )
      yield* compare(
        whole,
        (fetch) => openai(fetch).responses.cancel("resp_1"),
        ours,
        ({ openai }) => openai.cancelResponse("resp_1")
      )
    }))

  it.effect("for moderation of a text, of several, and of a text with a picture", () =>
    Effect.gen(function*() {
      const model = "omni-moderation-latest"
      yield* compare(
        { body: { results: [moderation] } },
        (fetch) => openai(fetch).moderations.create({ model, input: "a" }),
        ours,
        ({ openai }) => openai.moderate({ input: "a" })
      )
      yield* compare(
        { body: { results: [moderation, moderation] } },
        (fetch) => openai(fetch).moderations.create({ model, input: ["a", "b"] }),
        ours,
        ({ openai }) => openai.moderate({ input: ["a", "b"] })
      )
      yield* compare(
        { body: { results: [moderation] } },
        (fetch) =>
          openai(fetch).moderations.create({
            model,
            input: [{ type: "text", text: "a" }, { type: "image_url", image_url: { url: "https://x.test/a.png" } }]
          }),
        ours,
        ({ openai }) => openai.moderate({ input: [Prompt.text("a"), Prompt.imageUrl("https://x.test/a.png")] })
      )
    }))
})

describe("Groq's own client sends the same", () => {
  const groq = (fetch: typeof globalThis.fetch) => new GroqClient({ apiKey, fetch, maxRetries: 0 })

  const mine = Groq.make({ apiKeys: [Redacted.make(apiKey)] })

  /** The fields of a form, whatever their order; of files, the name, the type and the bytes. */
  const fieldsOf = (form: FormData) =>
    Promise.all(Array.from(form.entries(), async ([name, value]) =>
      typeof value === "string"
        ? [name, value]
        : [name, value.name, value.type, Array.from(new Uint8Array(await value.arrayBuffer()))])).then((fields) =>
        fields.toSorted(([a], [b]) => String(a) < String(b) ? -1 : 1)
      )

  const sameForm = async (their: Sent, our: Sent) => {
    const fields = await fieldsOf(our.body)
    assert.isAbove(fields.length, 2)
    assert.deepStrictEqual(fields, await fieldsOf(their.body))
    assert.match(our.headers["content-type"] ?? "", /^multipart\/form-data; boundary=/)
    assert.strictEqual(our.headers["accept"], their.headers["accept"])
  }

  // bytes that are no text, and look like what stands between fields
  const content = new Uint8Array([0, 255, 13, 10, 45, 45, ...Buffer.from("----spillway-form-boundary-0\r\n"), 10])

  it.effect("for a sound", () =>
    compare(
      { body: { text: "hi" } },
      async (fetch) =>
        groq(fetch).audio.transcriptions.create({
          model: "whisper-large-v3",
          file: await toFile(content, "a \"b\".wav", { type: "audio/wav" }),
          language: "en",
          prompt: "Grüße, Ø",
          temperature: 0.5,
          response_format: "json"
        }),
      mine,
      ({ groq }) =>
        groq.transcribe({
          model: "whisper-large-v3",
          audio: { _tag: "File", name: "a \"b\".wav", content, mediaType: "audio/wav" },
          language: "en",
          prompt: "Grüße, Ø",
          temperature: 0.5
        }),
      sameForm
    ))

  it.effect("for an address, and the times at which words were said", () =>
    compare(
      { body: { text: "hi" } },
      (fetch) =>
        groq(fetch).audio.transcriptions.create({
          model: "whisper-large-v3-turbo",
          url: "https://x.test/a.mp3",
          response_format: "verbose_json",
          timestamp_granularities: ["word", "segment"]
        }),
      mine,
      ({ groq }) =>
        groq.transcribe({ audio: { _tag: "Url", url: "https://x.test/a.mp3" }, timestamps: ["word", "segment"] }),
      sameForm
    ))
})

// in the description a message without a type is of two kinds, of which it may be one: every client's would be refused
const described = spec("openai/openapi.yaml", (text) => text.replaceAll(/^(\s*(?:- )?)oneOf:/gm, "$1anyOf:"))

const groqDescribed = spec("groq/openapi.yaml")

if (described === undefined || groqDescribed === undefined) {
  describe.skip(`the vendors' descriptions (${absent})`, () => {
    it("allow what we send", () => {})
  })
} else {
  const allowed = <B>(
    answer: Answer,
    backend: Effect.Effect<B, unknown, HttpClient.HttpClient | Scope>,
    ask: (backend: B) => Effect.Effect<unknown, unknown>,
    check: (value: unknown) => ReadonlyArray<string>
  ) => {
    const { fetch, sent } = fetching(() => answer)
    return Effect.map(through(fetch, backend, ask), () => {
      assert.deepStrictEqual(check(sent[0]!.body), [])
    })
  }

  describe("the vendors' descriptions allow what we send", () => {
    for (const [name, request] of Object.entries({ chat, toolTurn })) {
      it.effect(`over Responses (${name})`, () =>
        allowed(whole, ours, ({ llm }) => llm.generateText(request), described.request("post", "/responses")))

      it.effect(`to count (${name})`, () =>
        allowed(
          { body: { input_tokens: 1 } },
          ours,
          ({ openai }) => openai.countInputTokens(request),
          described.request("post", "/responses/input_tokens")
        ))
    }

    it.effect("to moderation", () =>
      allowed(
        { body: { results: [moderation] } },
        ours,
        ({ openai }) => openai.moderate({ input: [Prompt.text("a"), Prompt.imageUrl("https://x.test/a.png")] }),
        described.request("post", "/moderations")
      ))

    it.effect("to ranking", () =>
      allowed(
        { body: { results: [{ doc: "a", score: 0.5 }] } },
        Groq.make({ apiKeys: [Redacted.make(apiKey)] }),
        ({ llm }) =>
          llm.rerank({
            model: "m",
            query: "q",
            documents: ["a"],
            providerOptions: { groq: { instruction: "the first" } }
          }),
        groqDescribed.request("post", "/openai/v1/reranking")
      ))

    it("and would not allow another shape", () => {
      assert.isNotEmpty(described.request("post", "/responses")({ model: "m", input: [{ type: "function_call" }] }))
      assert.isNotEmpty(described.request("post", "/moderations")({}))
      assert.isNotEmpty(groqDescribed.request("post", "/openai/v1/reranking")({ model: "m", query: "q", docs: "a" }))
    })
  })
}
