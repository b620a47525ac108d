/** What each profile of OpenAI's wire sends and where, which variables it reads, and what it makes of refusals. */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import type * as HttpClient from "@effect/platform/HttpClient"
import { assert, describe, it } from "@effect/vitest"
import type * as Completion from "@spillway/core/Completion"
import type * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Monitor from "@spillway/core/Monitor"
import * as Prompt from "@spillway/core/Prompt"
import * as Tool from "@spillway/core/Tool"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { AzureOpenAI } from "openai"
import * as AzureOpenAi from "../src/AzureOpenAi.js"
import * as Cerebras from "../src/Cerebras.js"
import * as DeepSeek from "../src/DeepSeek.js"
import * as Fireworks from "../src/Fireworks.js"
import * as LlamaCpp from "../src/LlamaCpp.js"
import * as LmStudio from "../src/LmStudio.js"
import * as Mistral from "../src/Mistral.js"
import * as OpenRouter from "../src/OpenRouter.js"
import * as Together from "../src/Together.js"
import * as Xai from "../src/Xai.js"
import { type Answer, fetching, refusal, type Sent, through } from "./fetching.js"

const key = "key-1"

const apiKeys = [Redacted.make(key)] as const

const whole: Answer = {
  body: { id: "c", object: "chat.completion", model: "m", choices: [{ index: 0, message: { content: "" } }] }
}

const streamed: Answer = {
  headers: { "content-type": "text/event-stream" },
  body: `data: ${JSON.stringify({ id: "c", model: "m", choices: [] })}\n\ndata: [DONE]\n\n`
}

const vectors: Answer = { body: { data: [{ index: 0, embedding: [1] }] } }

const ranking: Answer = { body: { results: [{ index: 0, relevance_score: 0.5 }] } }

const list: Answer = { body: { object: "list", data: [{ id: "m" }] } }

/** A request that says all that can be said of sampling and the like. */
const full: Completion.Request = {
  model: "m",
  prompt: [
    Prompt.user("hi"),
    Prompt.assistant([
      { _tag: "Reasoning", text: "hm" },
      { _tag: "ToolCall", id: "call_1", name: "f", arguments: "{}" }
    ]),
    Prompt.tool([{ _tag: "ToolResult", id: "call_1", name: "f", result: "done" }])
  ],
  tools: [Tool.fromJsonSchema({ name: "f", parameters: { type: "object" } })],
  parallelToolCalls: false,
  maxTokens: 9,
  topK: 3,
  seed: 7,
  user: "u",
  reasoning: { effort: "minimal" }
}

/** What is in question of the body of `full`; the rest is as OpenAI has it. */
const marks = [
  "max_tokens",
  "max_completion_tokens",
  "top_k",
  "seed",
  "random_seed",
  "user",
  "parallel_tool_calls",
  "reasoning_effort",
  "thinking",
  "reasoning"
]

interface Subject {
  readonly backend: string
  readonly make: Parameters<typeof refusal>[0]
  readonly layerConfig: Layer.Layer<LlmService.LlmService, unknown, HttpClient.HttpClient>
  /** Where requests go: the origin, and the routes under it. */
  readonly origin: string
  readonly chat: string
  readonly embeddings?: string
  readonly rerank?: string
  readonly models?: string
  readonly health: string
  readonly header?: readonly [name: string, value: string]
  readonly variables: { readonly key: string; readonly address: string }
  /** The path of a chat where the address is `http://127.0.0.1:9/x`. */
  readonly elsewhere: string
  readonly keyless?: true
  readonly body: object
  /** The message of the assistant in `full`, and the id that its tool call has. */
  readonly assistant: object
  readonly callId?: string
  readonly streamOptions?: false
  readonly embeddingBody?: object
}

const openAiVector = { model: "m", input: ["a"], encoding_format: "float", dimensions: 2, user: "u" }

const common = { seed: 7, user: "u", parallel_tool_calls: false }

const called = (id = "call_1") => ({
  role: "assistant",
  content: null,
  tool_calls: [{ id, type: "function", function: { name: "f", arguments: "{}" } }]
})

const subjects: ReadonlyArray<Subject> = [
  {
    backend: "xai",
    make: Xai.make({ apiKeys }),
    layerConfig: Xai.layerConfig,
    origin: "api.x.ai",
    chat: "/v1/chat/completions",
    embeddings: "/v1/embeddings",
    models: "/v1/models",
    health: "/v1/models",
    variables: { key: "XAI_API_KEY", address: "XAI_BASE_URL" },
    elsewhere: "/x/chat/completions",
    body: { ...common, max_completion_tokens: 9, reasoning_effort: "low" },
    assistant: called(),
    embeddingBody: openAiVector
  },
  {
    backend: "mistral",
    make: Mistral.make({ apiKeys }),
    layerConfig: Mistral.layerConfig,
    origin: "api.mistral.ai",
    chat: "/v1/chat/completions",
    embeddings: "/v1/embeddings",
    models: "/v1/models",
    health: "/v1/models",
    variables: { key: "MISTRAL_API_KEY", address: "MISTRAL_BASE_URL" },
    elsewhere: "/x/chat/completions",
    body: { max_tokens: 9, random_seed: 7, parallel_tool_calls: false, reasoning_effort: "minimal" },
    assistant: {
      ...called("001cervkg"),
      content: [{ type: "thinking", thinking: [{ type: "text", text: "hm" }] }]
    },
    callId: "001cervkg",
    streamOptions: false,
    embeddingBody: { model: "m", input: ["a"], encoding_format: "float", output_dimension: 2 }
  },
  {
    backend: "deepseek",
    make: DeepSeek.make({ apiKeys }),
    layerConfig: DeepSeek.layerConfig,
    origin: "api.deepseek.com",
    chat: "/chat/completions",
    models: "/models",
    health: "/models",
    variables: { key: "DEEPSEEK_API_KEY", address: "DEEPSEEK_BASE_URL" },
    elsewhere: "/x/chat/completions",
    body: { max_tokens: 9, reasoning_effort: "low", thinking: { type: "enabled" } },
    assistant: { ...called(), reasoning_content: "hm" }
  },
  {
    backend: "together",
    make: Together.make({ apiKeys }),
    layerConfig: Together.layerConfig,
    origin: "api.together.ai",
    chat: "/v1/chat/completions",
    embeddings: "/v1/embeddings",
    rerank: "/v1/rerank",
    models: "/v1/models",
    health: "/v1/models",
    variables: { key: "TOGETHER_API_KEY", address: "TOGETHER_BASE_URL" },
    elsewhere: "/x/chat/completions",
    body: { max_tokens: 9, top_k: 3, seed: 7, reasoning_effort: "low" },
    assistant: { ...called(), reasoning: "hm" },
    embeddingBody: { model: "m", input: ["a"] }
  },
  {
    backend: "fireworks",
    make: Fireworks.make({ apiKeys }),
    layerConfig: Fireworks.layerConfig,
    origin: "api.fireworks.ai",
    chat: "/inference/v1/chat/completions",
    embeddings: "/inference/v1/embeddings",
    rerank: "/inference/v1/rerank",
    models: "/inference/v1/models",
    health: "/inference/v1/models",
    variables: { key: "FIREWORKS_API_KEY", address: "FIREWORKS_BASE_URL" },
    elsewhere: "/x/chat/completions",
    body: { ...common, max_tokens: 9, top_k: 3, reasoning_effort: "low" },
    assistant: { ...called(), reasoning_content: "hm" },
    embeddingBody: openAiVector
  },
  {
    backend: "openrouter",
    make: OpenRouter.make({ apiKeys }),
    layerConfig: OpenRouter.layerConfig,
    origin: "openrouter.ai",
    chat: "/api/v1/chat/completions",
    embeddings: "/api/v1/embeddings",
    rerank: "/api/v1/rerank",
    models: "/api/v1/models",
    health: "/api/v1/models",
    variables: { key: "OPENROUTER_API_KEY", address: "OPENROUTER_BASE_URL" },
    elsewhere: "/x/chat/completions",
    body: { ...common, max_completion_tokens: 9, top_k: 3, reasoning_effort: "minimal" },
    assistant: { ...called(), reasoning: "hm" },
    streamOptions: false,
    embeddingBody: openAiVector
  },
  {
    backend: "cerebras",
    make: Cerebras.make({ apiKeys }),
    layerConfig: Cerebras.layerConfig,
    origin: "api.cerebras.ai",
    chat: "/v1/chat/completions",
    models: "/v1/models",
    health: "/v1/models",
    variables: { key: "CEREBRAS_API_KEY", address: "CEREBRAS_BASE_URL" },
    elsewhere: "/x/chat/completions",
    body: { ...common, max_completion_tokens: 9, reasoning_effort: "low" },
    assistant: { ...called(), reasoning: "hm" }
  },
  {
    backend: "azure",
    make: AzureOpenAi.make({ apiKeys, baseUrl: "https://me.openai.azure.com/" }),
    layerConfig: AzureOpenAi.layerConfig,
    origin: "me.openai.azure.com",
    chat: "/openai/v1/chat/completions",
    embeddings: "/openai/v1/embeddings",
    health: "/openai/v1/models",
    header: ["api-key", key],
    variables: { key: "AZURE_OPENAI_API_KEY", address: "AZURE_OPENAI_ENDPOINT" },
    elsewhere: "/x/openai/v1/chat/completions",
    body: { ...common, max_completion_tokens: 9, reasoning_effort: "minimal" },
    assistant: called(),
    embeddingBody: { ...openAiVector, encoding_format: "base64" }
  },
  {
    backend: "llamacpp",
    make: LlamaCpp.make({ apiKeys }),
    layerConfig: LlamaCpp.layerConfig,
    origin: "127.0.0.1:8080",
    chat: "/v1/chat/completions",
    embeddings: "/v1/embeddings",
    rerank: "/v1/rerank",
    models: "/v1/models",
    health: "/health",
    variables: { key: "LLAMA_API_KEY", address: "LLAMACPP_BASE_URL" },
    elsewhere: "/x/v1/chat/completions",
    keyless: true,
    body: { ...common, max_tokens: 9, top_k: 3, reasoning_effort: "minimal" },
    assistant: { ...called(), reasoning_content: "hm" },
    embeddingBody: openAiVector
  },
  {
    backend: "lmstudio",
    make: LmStudio.make({ apiKeys }),
    layerConfig: LmStudio.layerConfig,
    origin: "127.0.0.1:1234",
    chat: "/v1/chat/completions",
    embeddings: "/v1/embeddings",
    models: "/v1/models",
    health: "/v1/models",
    variables: { key: "LM_API_TOKEN", address: "LMSTUDIO_BASE_URL" },
    elsewhere: "/x/chat/completions",
    keyless: true,
    body: { ...common, max_tokens: 9, top_k: 3, reasoning_effort: "minimal" },
    assistant: called(),
    embeddingBody: openAiVector
  }
]

for (const subject of subjects) {
  const { backend, body, make } = subject

  const asked = (answer: Answer, ask: (service: LlmService.Service) => Effect.Effect<unknown, LlmError.LlmError>) => {
    const { fetch, sent } = fetching(() => answer)
    return Effect.map(through(fetch, make, ask), () => sent[0]!)
  }

  const went = (sent: Sent, method: string, path: string) =>
    assert.deepStrictEqual([sent.method, sent.host, sent.path], [method, subject.origin, path])

  describe(`${backend}, by its profile`, () => {
    it.effect("is where it is, and is shown its key", () =>
      Effect.map(asked(whole, (service) => service.generateText({ model: "m", prompt: "hi" })), (sent) => {
        went(sent, "POST", subject.chat)
        const [name, value] = subject.header ?? ["authorization", `Bearer ${key}`]
        assert.strictEqual(sent.headers[name], value)
        assert.deepStrictEqual(Object.values(sent.headers).filter((value) => value.includes(key)), [value])
        assert.deepStrictEqual(sent.body, { model: "m", messages: [{ role: "user", content: "hi" }] })
      }))

    it.effect("is told in its own words how to answer", () =>
      Effect.map(asked(whole, (service) => service.generateText(full)), (sent) => {
        const said = Object.fromEntries(Object.entries(sent.body).filter(([name]) => marks.includes(name)))
        assert.deepStrictEqual(said, body as any)
        assert.deepStrictEqual(sent.body.messages[1], subject.assistant)
        assert.strictEqual(sent.body.messages[2].tool_call_id, subject.callId ?? "call_1")
      }))

    it.effect("is asked for the usage of a stream where it would not tell it otherwise", () =>
      Effect.map(
        asked(streamed, (service) => Stream.runDrain(service.streamText({ model: "m", prompt: "hi" }))),
        ({ body }) => {
          assert.strictEqual(body.stream, true)
          const asks = subject.streamOptions === false ? undefined : { include_usage: true }
          assert.deepStrictEqual(body.stream_options, asks)
        }
      ))

    const { embeddings, models, rerank } = subject
    const operations = ["generateText", "streamText", "health"]

    if (embeddings !== undefined) {
      operations.push("embed")
      it.effect("embeds", () =>
        Effect.map(
          asked(vectors, (service) => service.embed({ model: "m", input: ["a"], dimensions: 2, user: "u" })),
          (sent) => {
            went(sent, "POST", embeddings)
            assert.deepStrictEqual(sent.body, subject.embeddingBody as any)
          }
        ))
    }

    if (rerank !== undefined) {
      operations.push("rerank")
      it.effect("ranks", () =>
        Effect.map(
          asked(ranking, (service) => service.rerank({ model: "m", query: "q", documents: ["a"], topN: 1 })),
          (sent) => {
            went(sent, "POST", rerank)
            assert.deepStrictEqual(sent.body, { model: "m", query: "q", documents: ["a"], top_n: 1 })
          }
        ))
    }

    if (models !== undefined) {
      operations.push("listModels")
      it.effect("lists its models", () =>
        Effect.map(asked(list, (service) => service.listModels), (sent) => went(sent, "GET", models)))
    }

    it.effect("says whether it is well", () =>
      Effect.map(asked(list, (service) => service.health), (sent) => went(sent, "GET", subject.health)))

    it.effect("says what it can do", () =>
      through(fetching(() => whole).fetch, make, ({ operations: has }) =>
        Effect.sync(() => assert.deepStrictEqual([...has].toSorted(), operations.toSorted()))))

    const within = (environment: Readonly<Record<string, string>>) => {
      const { fetch, sent } = fetching(() => whole)
      return LlmService.generateText({ model: "m", prompt: "hi" }).pipe(
        Effect.map(() => sent[0]!),
        Effect.provide(subject.layerConfig),
        Effect.provide(FetchHttpClient.layer),
        Effect.provideService(FetchHttpClient.Fetch, fetch),
        Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(environment))))
      )
    }

    it.effect("is found by its variables", () =>
      Effect.map(
        within({ [`${subject.variables.key}_1`]: key, [subject.variables.address]: "http://127.0.0.1:9/x/" }),
        (sent) => {
          assert.deepStrictEqual([sent.host, sent.path], ["127.0.0.1:9", subject.elsewhere])
          const [name, value] = subject.header ?? ["authorization", `Bearer ${key}`]
          assert.strictEqual(sent.headers[name], value)
        }
      ))

    it.effect(subject.keyless === true ? "does without a key" : "names the variable of a key that is missing", () =>
      subject.keyless === true
        ? Effect.map(within({}), (sent) => {
          assert.deepStrictEqual([sent.host, sent.headers["authorization"]], [subject.origin, undefined])
        })
        : Effect.map(
          Effect.flip(within({ [subject.variables.address]: "http://127.0.0.1:9/x" })),
          (error) => assert.include(String(error), subject.variables.key)
        ))

    for (const variable of [subject.variables.key, subject.variables.address]) {
      it.effect(`names ${variable} where it is set to nothing`, () =>
        Effect.map(
          Effect.flip(within({
            [subject.variables.key]: key,
            [subject.variables.address]: "http://127.0.0.1:9/x",
            [variable]: ""
          })),
          (error) => assert.include(String(error), variable)
        ))
    }
  })
}

// -----------------------------------------------------------------------------
// refusals
// -----------------------------------------------------------------------------

const said = (status: number, body: unknown): Answer => ({ status, body })

const error = (status: number, error: object | string) => said(status, { error })

const refusals: ReadonlyArray<
  readonly [
    backend: string,
    make: Subject["make"],
    cases: ReadonlyArray<readonly [title: string, answer: Answer, tag: LlmError.Tag]>
  ]
> = [
  ["xai", Xai.make({ apiKeys }), [
    [
      "a wrong key, a 400",
      said(400, { code: "Client specified an invalid argument", error: "Incorrect API key provided: xa***." }),
      "AuthenticationFailed"
    ],
    [
      "a wrong argument",
      said(400, { code: "Client specified an invalid argument", error: "Argument not supported: stop" }),
      "InvalidRequest"
    ],
    [
      "credits used up",
      said(429, { code: "Some resource has been exhausted", error: "Your team has used all available credits." }),
      "QuotaExhausted"
    ],
    ["a rate limit", said(429, { code: "Too many requests", error: "Rate limited" }), "RateLimited"],
    [
      "refused content",
      said(403, { code: "forbidden", error: "Content violates usage guidelines. Failed check: SAFETY_CHECK" }),
      "ContentFiltered"
    ],
    ["a blocked key", said(403, { code: "forbidden", error: "Your API key is blocked" }), "AuthenticationFailed"],
    [
      "an error within a success",
      said(200, { code: "The service is currently unavailable", error: "busy" }),
      "ServerFault"
    ]
  ]],
  ["mistral", Mistral.make({ apiKeys }), [
    [
      "a field too many",
      said(422, { object: "error", message: { detail: [{ type: "extra_forbidden", loc: ["body", "x"] }] } }),
      "InvalidRequest"
    ],
    ["a wrong key", said(401, { detail: "Unauthorized" }), "AuthenticationFailed"],
    [
      "a full tier",
      said(429, { object: "error", message: "Service tier capacity exceeded for this model.", code: "3505" }),
      "RateLimited"
    ],
    [
      "a model that is not there",
      said(400, { object: "error", message: "Invalid model: x", type: "invalid_model", code: "1500" }),
      "ModelNotFound"
    ]
  ]],
  ["deepseek", DeepSeek.make({ apiKeys }), [
    ["a balance used up", error(402, { message: "Insufficient Balance", type: "unknown_error" }), "QuotaExhausted"],
    [
      "a wrong key",
      error(401, { message: "Authentication Fails", type: "authentication_error" }),
      "AuthenticationFailed"
    ],
    ["parameters that are wrong", error(422, { message: "temperature" }), "InvalidRequest"],
    ["an overload", error(503, { message: "busy" }), "ServerFault"]
  ]],
  ["fireworks", Fireworks.make({ apiKeys }), [
    [
      "a suspended account",
      error(412, "Account me is suspended, possibly due to reaching the spending limit"),
      "QuotaExhausted"
    ],
    ["an adapter that did not load", error(412, { message: "LoRA could not be loaded" }), "ModelNotFound"],
    ["no credits", error(402, "Payment required"), "QuotaExhausted"]
  ]],
  ["openrouter", OpenRouter.make({ apiKeys }), [
    [
      "a flagged prompt",
      error(403, { code: 403, message: "Your input was flagged", metadata: { reasons: ["x"] } }),
      "ContentFiltered"
    ],
    ["a key at its limit", error(403, { code: 403, message: "Key limit exceeded (total limit)." }), "QuotaExhausted"],
    ["a key that may not", error(403, { code: 403, message: "Only management keys" }), "AuthenticationFailed"],
    [
      "a day's free requests used up",
      error(429, { code: 429, message: "Rate limit exceeded: free-models-per-day." }),
      "QuotaExhausted"
    ],
    ["a minute's", error(429, { code: 429, message: "Rate limit exceeded: free-models-per-min." }), "RateLimited"],
    ["no credits", error(402, { code: 402, message: "Insufficient credits" }), "QuotaExhausted"],
    ["a vendor that is down", error(502, { code: 502, message: "Provider returned error" }), "ServerFault"],
    ["an error within a success", said(200, { error: { code: 429, message: "upstream" } }), "RateLimited"],
    ["no vendor for the model", error(404, { code: 404, message: "No endpoints found for x." }), "ModelNotFound"]
  ]],
  ["cerebras", Cerebras.make({ apiKeys }), [
    [
      "a long queue",
      said(429, { message: "We're experiencing high traffic!", type: "too_many_requests_error", code: "queue_exceeded" }),
      "ServerFault"
    ],
    [
      "a day's tokens used up",
      said(429, { message: "Tokens per day limit exceeded", type: "x", code: "token_quota_exceeded" }),
      "QuotaExhausted"
    ],
    [
      "a minute's",
      said(429, { message: "Requests per minute limit exceeded", type: "x", code: "request_quota_exceeded" }),
      "RateLimited"
    ],
    [
      "a wrong key",
      said(401, { message: "Wrong API Key", type: "invalid_request_error", code: "wrong_api_key" }),
      "AuthenticationFailed"
    ]
  ]],
  ["azure", AzureOpenAi.make({ apiKeys, baseUrl: "https://me.openai.azure.com" }), [
    [
      "a prompt that the filters refuse",
      error(400, { message: "The response was filtered", type: null, param: "prompt", code: "content_filter" }),
      "ContentFiltered"
    ],
    [
      "a deployment that is not there",
      error(404, { code: "DeploymentNotFound", message: "The API deployment" }),
      "ModelNotFound"
    ],
    ["a wrong address", error(404, { code: "404", message: "Resource not found" }), "MalformedResponse"],
    ["an operation of another model", error(400, { code: "OperationNotSupported", message: "x" }), "Unsupported"],
    [
      "a wrong key",
      error(401, { code: "401", message: "Access denied due to invalid subscription key" }),
      "AuthenticationFailed"
    ],
    ["a rate limit", error(429, { code: "RateLimitReached", message: "x" }), "RateLimited"]
  ]],
  ["llamacpp", LlamaCpp.make(), [
    [
      "a prompt too long",
      error(400, { code: 400, message: "exceeds the available context size", type: "exceed_context_size_error" }),
      "InvalidRequest"
    ],
    [
      "a model that is loading",
      error(503, { code: 503, message: "Loading model", type: "unavailable_error" }),
      "ServerFault"
    ],
    [
      "an operation it was not started for",
      error(501, { code: 501, message: "x", type: "not_supported_error" }),
      "Unsupported"
    ],
    [
      "a wrong key",
      error(401, { code: 401, message: "Invalid API Key", type: "authentication_error" }),
      "AuthenticationFailed"
    ]
  ]]
]

for (const [backend, make, cases] of refusals) {
  describe(`${backend} means`, () => {
    for (const [title, answer, tag] of cases) {
      it.effect(`${tag} by ${title}`, () =>
        Effect.map(refusal(make, answer), (error) => {
          assert.strictEqual(error._tag, tag, error.message)
          assert.strictEqual(error.backend, backend)
        }))
    }
  })
}

// -----------------------------------------------------------------------------
// one by one
// -----------------------------------------------------------------------------

describe("azure", () => {
  const sentBy = (
    options: Partial<AzureOpenAi.Options>,
    answer: Answer,
    ask: (service: LlmService.Service) => Effect.Effect<unknown, unknown>
  ) => {
    const { fetch, sent } = fetching(() => answer)
    const azure = AzureOpenAi.make({ apiKeys, baseUrl: "https://me.openai.azure.com", ...options })
    return Effect.map(through(fetch, azure, ask), () => sent[0]!)
  }

  it.effect("sends by deployment what OpenAI's own client sends there", () =>
    Effect.gen(function*() {
      const { fetch, sent } = fetching((_, index) => index === 0 ? whole : vectors)
      const client = new AzureOpenAI({
        apiKey: key,
        endpoint: "https://me.openai.azure.com",
        apiVersion: "2024-10-21",
        fetch
      })
      yield* Effect.promise(() =>
        client.chat.completions.create({ model: "my gpt", messages: [{ role: "user", content: "hi" }] })
      )
      yield* Effect.promise(() => client.embeddings.create({ model: "my-ada", input: ["a"] }))
      const ours = [
        yield* sentBy({ apiVersion: "2024-10-21" }, whole, (service) =>
          service.generateText({ model: "my gpt", prompt: "hi" })),
        yield* sentBy({ apiVersion: "2024-10-21" }, vectors, (service) =>
          service.embed({ model: "my-ada", input: ["a"] }))
      ]
      for (const [i, our] of ours.entries()) {
        const their = sent[i]!
        assert.deepStrictEqual([our.method, our.host, our.path], [their.method, their.host, their.path])
        assert.deepStrictEqual(our.body, their.body)
        assert.strictEqual(our.headers["api-key"], their.headers["api-key"])
        assert.strictEqual(our.headers["authorization"], their.headers["authorization"])
      }
    }))

  it.effect("takes a version of the v1 API along", () =>
    Effect.map(
      sentBy({ apiVersion: "preview", baseUrl: "https://me.openai.azure.com/openai/v1/" }, whole, (service) =>
        service.generateText({ model: "m", prompt: "hi" })),
      ({ path }) => assert.strictEqual(path, "/openai/v1/chat/completions?api-version=preview")
    ))

  it.effect("is well by deployments too", () =>
    Effect.map(
      sentBy({ apiVersion: "2024-10-21" }, list, (service) => service.health),
      ({ path }) => assert.strictEqual(path, "/openai/models?api-version=2024-10-21")
    ))

  it.effect("tells limits without saying when they are full again (W-19)", () =>
    through(
      fetching(() => ({
        ...whole,
        headers: {
          "x-ratelimit-limit-requests": "100",
          "x-ratelimit-remaining-requests": "99",
          "x-ratelimit-limit-tokens": "100000",
          "x-ratelimit-remaining-tokens": "99998"
        }
      })).fetch,
      AzureOpenAi.make({ apiKeys, baseUrl: "https://me.openai.azure.com" }),
      (service) =>
        Effect.gen(function*() {
          yield* service.generateText({ model: "m", prompt: "hi" })
          const { backends } = yield* Monitor.snapshot
          assert.deepStrictEqual(backends[0]?.keys?.[0]?.remaining, { requests: 99, tokens: 99_998 })
        })
    ).pipe(Effect.provideService(Monitor.CurrentMonitor, Monitor.unsafeMake())))

  it.effect("reads what its filters add as if they added nothing", () => {
    const none = { hate: { filtered: false, severity: "safe" } }
    const chunks = [
      { choices: [], id: "", model: "", object: "", prompt_filter_results: [{ content_filter_results: none }] },
      { id: "c", model: "gpt", choices: [{ index: 0, content_filter_results: none, delta: { content: "Hello" } }] },
      { id: "c", model: "gpt", choices: [{ index: 0, delta: {}, finish_reason: "content_filter" }] }
    ]
    const body = [...chunks.map((chunk) => JSON.stringify(chunk)), "[DONE]"].map((data) => `data: ${data}\n\n`).join("")
    return through(
      fetching(() => ({ body, headers: { "content-type": "text/event-stream" } })).fetch,
      AzureOpenAi.make({ apiKeys, baseUrl: "https://me.openai.azure.com" }),
      (service) =>
        Effect.map(Stream.runCollect(service.streamText({ model: "m", prompt: "hi" })), (parts) => {
          assert.deepStrictEqual([...parts].slice(1), [
            { _tag: "TextDelta", text: "Hello" },
            { _tag: "Finish", finishReason: "content-filter", usage: {} }
          ])
        })
    )
  })
})

describe("cerebras", () => {
  it.effect("tells its limits of a day and of a minute", () =>
    through(
      fetching(() => ({
        ...whole,
        headers: {
          "x-ratelimit-limit-requests-day": "14400",
          "x-ratelimit-remaining-requests-day": "14399",
          "x-ratelimit-reset-requests-day": "33011.382867097855",
          "x-ratelimit-limit-tokens-minute": "60000",
          "x-ratelimit-remaining-tokens-minute": "59000",
          "x-ratelimit-reset-tokens-minute": "11.382867097854614"
        }
      })).fetch,
      Cerebras.make({ apiKeys }),
      (service) =>
        Effect.gen(function*() {
          yield* service.generateText({ model: "m", prompt: "hi" })
          const { backends } = yield* Monitor.snapshot
          assert.deepStrictEqual(backends[0]?.keys?.[0]?.remaining, { requests: 14_399, tokens: 59_000 })
        })
    ).pipe(Effect.provideService(Monitor.CurrentMonitor, Monitor.unsafeMake())))
})

describe("what is only said to some", () => {
  const bodyOf = (make: Subject["make"], request: Partial<Completion.Request>) => {
    const { fetch, sent } = fetching(() => whole)
    return Effect.map(
      through(fetch, make, (service) => service.generateText({ model: "m", prompt: "hi", ...request })),
      () => sent[0]!.body
    )
  }

  it.effect("deepseek is told not to think, and Together", () =>
    Effect.gen(function*() {
      const request = { reasoning: { effort: "none" } } as const
      const deepseek = yield* bodyOf(DeepSeek.make({ apiKeys }), request)
      assert.deepInclude(deepseek, { thinking: { type: "disabled" } })
      assert.notProperty(deepseek, "reasoning_effort")
      const together = yield* bodyOf(Together.make({ apiKeys }), request)
      assert.deepInclude(together, { reasoning: { enabled: false } })
      assert.notProperty(together, "reasoning_effort")
    }))

  it.effect("LM Studio is asked for any object where others are asked for JSON", () =>
    Effect.gen(function*() {
      const body = yield* bodyOf(LmStudio.make(), { format: { _tag: "Json" } })
      assert.strictEqual(body.response_format.type, "json_schema")
      assert.deepStrictEqual(body.response_format.json_schema.schema, { type: "object" })
      const text = yield* bodyOf(LmStudio.make(), { format: { _tag: "Text" } })
      assert.deepStrictEqual(text.response_format, { type: "text" })
    }))

  it.effect("mistral is given ids of nine letters and digits, and its own as they are", () =>
    Effect.gen(function*() {
      const ids = yield* Effect.forEach(["gSIMJiOkT", "call_1", "call_2", "toolu_01T1x1fJ34qAmk2tNTrN7Up6"], (id) =>
        Effect.map(
          bodyOf(Mistral.make({ apiKeys }), {
            prompt: Prompt.assistant([{ _tag: "ToolCall", id, name: "f", arguments: "" }])
          }),
          ({ messages }) => messages[0].tool_calls[0].id as string
        ))
      assert.strictEqual(ids[0], "gSIMJiOkT")
      assert.isTrue(ids.every((id) => /^[a-zA-Z0-9]{9}$/.test(id)))
      assert.strictEqual(new Set(ids).size, ids.length)
    }))
})
