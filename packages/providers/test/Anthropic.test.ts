import { assert, describe, it } from "@effect/vitest"
import * as Completion from "@spillway/core/Completion"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Monitor from "@spillway/core/Monitor"
import * as Anthropic from "@spillway/providers/Anthropic"
import * as Chunk from "effect/Chunk"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { type Answer, fetching, inPieces, refusal, through } from "./fetching.js"

const secret = "sk-ant-api03-0123456789abcdef"

const make = (options: Partial<Anthropic.Options> = {}) =>
  Effect.map(Anthropic.make({ apiKeys: [Redacted.make(secret)], ...options }), ({ llm }) => llm)

const message = {
  id: "msg_1",
  type: "message",
  model: "claude-sonnet-5",
  content: [{ type: "text", text: "Hello" }],
  stop_reason: "end_turn",
  usage: { input_tokens: 3, output_tokens: 1 }
}

const failed = (error: object, status: number, headers?: Record<string, string>): Answer => ({
  status,
  body: { type: "error", error, request_id: "req_1" },
  ...(headers && { headers })
})

describe("Anthropic", () => {
  it.effect("shows its key in x-api-key, and the API's version", () => {
    const { fetch, sent } = fetching(() => ({ body: message }))
    return through(fetch, make(), (service) =>
      Effect.map(service.generateText({ model: "claude-sonnet-5", prompt: "hi" }), (completion) => {
        assert.strictEqual(completion.text, "Hello")
        const { headers, host, method, path } = sent[0]!
        assert.deepStrictEqual([method, host, path], ["POST", "api.anthropic.com", "/v1/messages"])
        assert.strictEqual(headers["x-api-key"], secret)
        assert.strictEqual(headers["anthropic-version"], "2023-06-01")
        assert.strictEqual(headers["content-type"], "application/json")
        assert.isUndefined(headers["authorization"])
        assert.isUndefined(headers["anthropic-beta"])
        assert.deepStrictEqual(service.operations, new Set(["generateText", "streamText", "listModels", "health"]))
      }))
  })

  it.effect("asks for beta features, another version, address and most of tokens where it is told to", () => {
    const { fetch, sent } = fetching(() => ({ body: message }))
    const options = { version: "2026-10-21", baseUrl: "http://localhost:8080/", maxTokens: 9 }
    return through(fetch, make(options), (service) =>
      Effect.map(
        service.generateText({
          model: "claude-sonnet-5",
          prompt: "hi",
          providerOptions: { anthropic: { betas: ["files-api-2025-04-14", "other-2026-01-01"] } }
        }),
        () => {
          const { body, headers, host, path } = sent[0]!
          assert.deepStrictEqual([host, path], ["localhost:8080", "/v1/messages"])
          assert.strictEqual(headers["anthropic-version"], "2026-10-21")
          assert.strictEqual(headers["anthropic-beta"], "files-api-2025-04-14,other-2026-01-01")
          assert.strictEqual(body.max_tokens, 9)
        }
      ))
  })

  it.effect("sends nothing for a request that the API's version refuses", () => {
    const { fetch, sent } = fetching(() => ({ body: message }))
    return through(fetch, make({ version: "2026-10-21" }), (service) =>
      Effect.map(
        Effect.flip(service.generateText({ model: "claude-sonnet-5", prompt: "hi", temperature: 0 })),
        (error) => {
          assert.instanceOf(error, LlmError.Unsupported)
          assert.strictEqual(sent.length, 0)
        }
      ))
  })

  it.effect("refuses options that cannot be meant when it is made", () =>
    Effect.gen(function*() {
      for (const options of [{ maxTokens: 0 }, { version: "" }, { baseUrl: "api.anthropic.com" }]) {
        const error = yield* Effect.flip(make(options)).pipe(Effect.provide(FetchHttpClient.layer), Effect.scoped)
        assert.strictEqual(error._tag, "InvalidOptions")
        assert.strictEqual(error.field, Object.keys(options)[0])
      }
    }))

  it.effect("reads the models page by page", () => {
    const model = (id: string, fields: object = {}) => ({ type: "model", id, ...fields })
    const { fetch, sent } = fetching((_, index) => ({
      body: index === 0
        ? {
          data: [
            model("claude-a", {
              display_name: "Claude A",
              created_at: "2026-10-01T00:00:00Z",
              max_input_tokens: 1_000_000,
              max_tokens: 128_000
            }),
            { nonsense: true }
          ],
          has_more: true,
          last_id: "claude/a"
        }
        : { data: [model("claude-b", { created_at: "1970-01-01T00:00:00Z" })], has_more: false, last_id: "claude-b" }
    }))
    return through(fetch, make(), (service) =>
      Effect.map(service.listModels, (models) => {
        assert.deepStrictEqual(models, [
          {
            id: "claude-a",
            displayName: "Claude A",
            created: 1790812800,
            contextWindow: 1_000_000,
            maxOutputTokens: 128_000
          },
          { id: "claude-b" }
        ])
        assert.deepStrictEqual(
          sent.map(({ method, path }) => `${method} ${path}`),
          ["GET /v1/models?limit=1000", "GET /v1/models?limit=1000&after_id=claude%2Fa"]
        )
      }))
  })

  it.effect("tells what a model can do, and how long it will be there", () => {
    const yes = { supported: true }
    const { fetch, sent } = fetching(() => ({
      body: {
        type: "model",
        id: "claude-opus-5-5",
        lifecycle: "deprecated",
        line: "opus",
        deprecated_at: "2026-10-01T00:00:00Z",
        retires_at: null,
        max_input_tokens: null,
        capabilities: {
          image_input: yes,
          pdf_input: { supported: false },
          effort: { supported: true, high: yes, xhigh: null },
          thinking: { supported: true, types: { adaptive: yes, enabled: { supported: false } } },
          of_tomorrow: ["?"]
        }
      }
    }))
    const own = Anthropic.make({ apiKeys: [Redacted.make(secret)] })
    return through(fetch, own, ({ anthropic }) =>
      Effect.map(anthropic.model("claude/opus"), (model) => {
        assert.strictEqual(sent[0]!.path, "/v1/models/claude%2Fopus")
        assert.deepStrictEqual(model, {
          id: "claude-opus-5-5",
          lifecycle: "deprecated",
          line: "opus",
          deprecated: 1790812800,
          capabilities: new Set(["image_input", "effort", "effort.high", "thinking", "thinking.types.adaptive"])
        })
      }))
  })

  it.effect("counts the tokens of a request without what does not count, and with the betas it wants", () => {
    const { fetch, sent } = fetching((_, index) => ({ body: index === 0 ? { input_tokens: 14 } : { tokens: 14 } }))
    const own = Anthropic.make({ apiKeys: [Redacted.make(secret)] })
    return through(fetch, own, ({ anthropic }) =>
      Effect.gen(function*() {
        const request = {
          model: "claude-sonnet-5",
          prompt: "hi",
          maxTokens: 9,
          temperature: 0,
          providerOptions: { anthropic: { betas: ["one", "two"], thinking: { budgetTokens: 2000 } } }
        }
        assert.strictEqual(yield* anthropic.countTokens(request), 14)
        assert.deepStrictEqual(sent[0]!.body, {
          model: "claude-sonnet-5",
          messages: [{ role: "user", content: [{ type: "text", text: "hi" }] }],
          thinking: { type: "enabled", budget_tokens: 2000 }
        })
        assert.strictEqual(sent[0]!.headers["anthropic-beta"], "one,two")
        assert.strictEqual((yield* Effect.flip(anthropic.countTokens(request)))._tag, "MalformedResponse")
      }))
  })

  it.effect("is well when it lists a model, and not when it is not the API that answers", () => {
    const { fetch, sent } = fetching((_, index) => ({ body: index === 0 ? { data: [{ id: "a" }] } : { status: "ok" } }))
    return through(fetch, make(), ({ health }) =>
      Effect.gen(function*() {
        yield* health
        assert.deepStrictEqual([sent[0]!.method, sent[0]!.path], ["GET", "/v1/models?limit=1"])
        assert.strictEqual((yield* Effect.flip(health))._tag, "MalformedResponse")
      }))
  })

  it.effect("does not ask for the same page of models for ever", () => {
    const { fetch, sent } = fetching(() => ({ body: { data: [{ id: "a" }], has_more: true, last_id: "a" } }))
    return through(fetch, make(), (service) =>
      Effect.map(service.listModels, (models) => {
        assert.strictEqual(models.length, 2)
        assert.strictEqual(sent.length, 2)
      }))
  })

  it.effect("tells its pool what is left of the key's limits, with every answer", () => {
    const answers: ReadonlyArray<Answer> = [
      {
        body: message,
        headers: {
          "anthropic-ratelimit-requests-limit": "1000",
          "anthropic-ratelimit-requests-remaining": "999",
          "anthropic-ratelimit-requests-reset": "1970-01-01T00:00:05Z",
          "anthropic-ratelimit-tokens-limit": "96000",
          "anthropic-ratelimit-tokens-remaining": "90000",
          "anthropic-ratelimit-tokens-reset": "1970-01-01T00:00:05Z",
          "anthropic-ratelimit-input-tokens-remaining": "1",
          // sent with a success it asks nobody to wait
          "retry-after": "25"
        }
      },
      { body: message, headers: { "anthropic-ratelimit-input-tokens-remaining": "70000" } }
    ]
    const { fetch, sent } = fetching((_, index) => answers[index]!)
    return through(fetch, make(), (service) =>
      Effect.gen(function*() {
        yield* service.generateText({ model: "m", prompt: "hi" })
        const remaining = Effect.map(Monitor.snapshot, ({ backends }) => backends[0]?.keys?.[0]?.remaining)
        assert.deepStrictEqual(yield* remaining, { requests: 999, tokens: 90000 })
        yield* service.generateText({ model: "m", prompt: "hi" })
        assert.strictEqual((yield* remaining)?.tokens, 70000)
        assert.strictEqual(sent.length, 2)
      })).pipe(Effect.provideService(Monitor.CurrentMonitor, Monitor.unsafeMake()))
  })

  const refusals: ReadonlyArray<readonly [name: string, Answer, tag: LlmError.Tag]> = [
    ["429", failed({ type: "rate_limit_error", message: "slow" }, 429, { "retry-after": "7" }), "RateLimited"],
    [
      "429 of the ramp",
      failed(
        { type: "rate_limit_error", message: "slow", details: { error_code: "ramp_limit_exceeded" } },
        429,
        { "retry-after": "7" }
      ),
      "RateLimited"
    ],
    ...["enforced_spend_limit_reached", "contract_spend_limit_reached"].map((error_code) =>
      [
        `429 ${error_code}`,
        failed({ type: "rate_limit_error", message: "spent", details: { error_code } }, 429),
        "QuotaExhausted"
      ] as const
    ),
    ["402", failed({ type: "billing_error", message: "pay" }, 402), "QuotaExhausted"],
    [
      "400 without credit",
      failed({ type: "invalid_request_error", message: "Your credit balance is too low to access the API." }, 400),
      "QuotaExhausted"
    ],
    ...["API", "workspace API"].map((whose) =>
      [
        `400 at the limit one set oneself (${whose})`,
        failed({
          type: "invalid_request_error",
          message: `You have reached your specified ${whose} usage limits. You will regain access on 2026-12-01.`
        }, 400),
        "QuotaExhausted"
      ] as const
    ),
    ["400", failed({ type: "invalid_request_error", message: "prompt is too long" }, 400), "InvalidRequest"],
    ["401", failed({ type: "authentication_error", message: "invalid x-api-key" }, 401), "AuthenticationFailed"],
    ["403", failed({ type: "permission_error", message: "not yours" }, 403), "AuthenticationFailed"],
    ["404", failed({ type: "not_found_error", message: "model: nope" }, 404), "ModelNotFound"],
    ["409", failed({ type: "conflict_error", message: "conflict" }, 409), "InvalidRequest"],
    ["413", failed({ type: "request_too_large", message: "too large" }, 413), "InvalidRequest"],
    ["413 of a proxy", { status: 413, body: "<html>413</html>" }, "InvalidRequest"],
    ["422", failed({ type: "invalid_request_error", message: "no" }, 422), "InvalidRequest"],
    ["500", failed({ type: "api_error", message: "Internal server error" }, 500), "ServerFault"],
    ["500 that means overload", failed({ type: "api_error", message: "Overloaded" }, 500), "ServerFault"],
    ["503", { status: 503, body: "" }, "ServerFault"],
    ["504", failed({ type: "timeout_error", message: "too slow" }, 504), "ServerFault"],
    ["529", failed({ type: "overloaded_error", message: "Overloaded" }, 529), "ServerFault"],
    ["a page in place of an answer", { body: "<html>welcome</html>" }, "MalformedResponse"],
    ["a message without content", { body: { type: "message" } }, "MalformedResponse"]
  ]

  for (const [name, answer, tag] of refusals) {
    it.effect(`reads ${name} as ${tag}`, () =>
      Effect.map(refusal(make(), answer), (error) => {
        assert.strictEqual(error._tag, tag)
        assert.strictEqual(error.backend, "anthropic")
        assert.notInclude(JSON.stringify(error), secret)
      }))
  }

  it.effect("keeps the wait, the code, the request's id and the words of an error", () =>
    Effect.map(refusal(make(), refusals[1]![1]), (error) => {
      assert.instanceOf(error, LlmError.RateLimited)
      assert.strictEqual(error.code, "ramp_limit_exceeded")
      assert.strictEqual(error.requestId, "req_1")
      assert.strictEqual(error.model, "some-model")
      assert.deepStrictEqual(error.retryAfter, Duration.seconds(7))
      assert.include(error.message, "slow")
    }))

  it.effect("turns to another key when the money of one is used up", () => {
    const other = "sk-ant-api03-fedcba9876543210"
    const { fetch, sent } = fetching(({ headers }) =>
      headers["x-api-key"] === secret ? refusals[2]![1] : { body: message }
    )
    return through(fetch, make({ apiKeys: [Redacted.make(secret), Redacted.make(other)] }), (service) =>
      Effect.gen(function*() {
        const request = { model: "m", prompt: "hi" }
        assert.strictEqual((yield* Effect.flip(service.generateText(request)))._tag, "QuotaExhausted")
        yield* service.generateText(request)
        yield* service.generateText(request)
        assert.deepStrictEqual(sent.map(({ headers }) => headers["x-api-key"]), [secret, other, other])
      }))
  })
})

describe("Anthropic, streaming", () => {
  const events = (...events: ReadonlyArray<object>) =>
    events.map((event) => `event: ${(event as { type: string }).type}\ndata: ${JSON.stringify(event)}\n\n`).join("")

  const start = {
    type: "message_start",
    message: { ...message, content: [], usage: { input_tokens: 3, output_tokens: 1 } }
  }

  const whole = [
    start,
    { type: "content_block_start", index: 0, content_block: { type: "thinking", thinking: "", signature: "" } },
    { type: "content_block_delta", index: 0, delta: { type: "thinking_delta", thinking: "Ω hm" } },
    { type: "content_block_delta", index: 0, delta: { type: "signature_delta", signature: "sig" } },
    { type: "content_block_stop", index: 0 },
    { type: "ping" },
    { type: "content_block_start", index: 1, content_block: { type: "text", text: "" } },
    { type: "content_block_delta", index: 1, delta: { type: "text_delta", text: "Grüße 👋" } },
    { type: "content_block_stop", index: 1 },
    { type: "content_block_start", index: 2, content_block: { type: "tool_use", id: "t1", name: "f", input: {} } },
    { type: "content_block_delta", index: 2, delta: { type: "input_json_delta", partial_json: "{\"a\":" } },
    { type: "content_block_delta", index: 2, delta: { type: "input_json_delta", partial_json: "1}" } },
    { type: "content_block_stop", index: 2 },
    { type: "message_delta", delta: { stop_reason: "tool_use" }, usage: { output_tokens: 9 } },
    { type: "message_stop" }
  ]

  const expected = Completion.make({
    id: "msg_1",
    model: "claude-sonnet-5",
    content: [
      { _tag: "Reasoning", text: "Ω hm", signature: "sig" },
      { _tag: "Text", text: "Grüße 👋" },
      { _tag: "ToolCall", id: "t1", name: "f", arguments: "{\"a\":1}" }
    ],
    finishReason: "tool-calls",
    usage: { inputTokens: 3, outputTokens: 9 }
  })

  const streamed = (service: LlmService.Service) => service.streamText({ model: "asked", prompt: "hi" })

  it.effect("reads the same answer wherever its bytes are cut", () => {
    const bytes = new TextEncoder().encode(events(...whole))
    const { fetch, sent } = fetching(() => ({ body: inPieces(...Array.from(bytes, (byte) => Uint8Array.of(byte))) }))
    return through(fetch, make(), (service) =>
      Effect.map(Completion.collect(streamed(service)), (completion) => {
        assert.deepStrictEqual(completion, expected)
        assert.strictEqual(sent[0]!.body.stream, true)
      }))
  })

  it.effect("never takes an answer that was cut short for a whole one", () => {
    const bytes = new TextEncoder().encode(events({ type: "message_start" }, whole[6]!, whole[7]!, whole[14]!))
    // the last two bytes are line ends: the end marker is whole without them
    const cuts = bytes.length - 2
    const { fetch, sent } = fetching((_, index) => ({ body: inPieces(bytes.slice(0, index)) }))
    return through(fetch, make(), (service) =>
      Effect.gen(function*() {
        for (let cut = 0; cut < cuts; cut++) {
          const error = yield* Effect.flip(Completion.collect(streamed(service)))
          assert.strictEqual(error._tag, "StreamInterrupted")
        }
        assert.strictEqual((yield* Completion.collect(streamed(service))).text, "Grüße 👋")
        assert.strictEqual(sent.length, cuts + 1)
      }))
  })

  const inStream: ReadonlyArray<readonly [type: string, tag: LlmError.Tag]> = [
    ["overloaded_error", "ServerFault"],
    ["api_error", "ServerFault"],
    ["timeout_error", "ServerFault"],
    ["rate_limit_error", "RateLimited"],
    ["invalid_request_error", "InvalidRequest"],
    ["authentication_error", "AuthenticationFailed"],
    ["some_later_error", "ServerFault"],
    ["constructor", "ServerFault"]
  ]

  for (const [type, tag] of inStream) {
    it.effect(`reads an ${type} in the midst of a stream as ${tag}, after what came before`, () => {
      const body = events(...whole.slice(0, 3), { type: "error", error: { type, message: "no more" } })
      return through(fetching(() => ({ body })).fetch, make(), (service) =>
        Effect.gen(function*() {
          const parts: Array<Completion.Part> = []
          const error = yield* Effect.flip(
            Stream.runForEach(streamed(service), (part) => Effect.sync(() => parts.push(part)))
          )
          assert.strictEqual(error._tag, tag)
          assert.deepStrictEqual(parts.map((part) => part._tag), ["Start", "ReasoningDelta"])
        }))
    })
  }

  it.effect("reads nothing after the end marker", () => {
    const body = events(...whole, { type: "error", error: { type: "api_error", message: "late" } })
    return through(fetching(() => ({ body })).fetch, make(), (service) =>
      Effect.map(Stream.runCollect(streamed(service)), (parts) =>
        assert.strictEqual(Chunk.toReadonlyArray(parts).at(-1)?._tag, "Finish")))
  })

  it.effect("fails with the true status of an answer that is no stream", () =>
    through(fetching(() => refusals529).fetch, make(), (service) =>
      Effect.map(Effect.flip(Stream.runDrain(streamed(service))), (error) => {
        assert.instanceOf(error, LlmError.ServerFault)
        assert.strictEqual(error.status, 529)
      })))

  const refusals529 = failed({ type: "overloaded_error", message: "Overloaded" }, 529)
})

describe("Anthropic.layerConfig", () => {
  const withEnvironment = (environment: Record<string, string>) => {
    const { fetch, sent } = fetching(() => ({ body: message }))
    return LlmService.generateText({ model: "m", prompt: "hi" }).pipe(
      Effect.as(sent),
      Effect.provide(Anthropic.layerConfig),
      Effect.provide(FetchHttpClient.layer),
      Effect.provideService(FetchHttpClient.Fetch, fetch),
      Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(environment)))),
      Effect.zipLeft(TestClock.adjust(0))
    )
  }

  it.effect("reads keys and address from the environment", () =>
    Effect.map(
      withEnvironment({ ANTHROPIC_API_KEY_1: secret, ANTHROPIC_BASE_URL: "http://127.0.0.1:9999" }),
      ([sent]) => assert.deepStrictEqual([sent!.host, sent!.headers["x-api-key"]], ["127.0.0.1:9999", secret])
    ))

  it.effect("names the variable that is missing or empty", () =>
    Effect.gen(function*() {
      assert.include(String(yield* Effect.flip(withEnvironment({}))), "ANTHROPIC_API_KEY")
      assert.include(String(yield* Effect.flip(withEnvironment({ ANTHROPIC_API_KEY: "" }))), "ANTHROPIC_API_KEY")
      const address = withEnvironment({ ANTHROPIC_API_KEY: secret, ANTHROPIC_BASE_URL: "" })
      assert.include(String(yield* Effect.flip(address)), "ANTHROPIC_BASE_URL")
    }))
})

describe("Anthropic.layer", () => {
  it.effect("gives what every backend does, and what only Claude does, with the same key", () =>
    Effect.gen(function*() {
      const { fetch, sent } = fetching(({ path }) => ({ body: path === "/v1/messages" ? message : { input_tokens: 3 } }))
      const request = { model: "claude-sonnet-5", prompt: "hi" }
      const program = Effect.zip(
        LlmService.generateText(request),
        Effect.flatMap(Anthropic.Anthropic, ({ countTokens }) => countTokens(request))
      )
      const [{ usage }, tokens] = yield* program.pipe(
        Effect.provide(Anthropic.layer({ apiKeys: [Redacted.make(secret)] })),
        Effect.provide(FetchHttpClient.layer),
        Effect.provideService(FetchHttpClient.Fetch, fetch)
      )
      assert.strictEqual(usage.inputTokens, tokens)
      assert.deepStrictEqual(sent.map(({ headers }) => headers["x-api-key"]), [secret, secret])
    }))
})
