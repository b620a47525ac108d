import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Completion from "@spillway/core/Completion"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Prompt from "@spillway/core/Prompt"
import * as Gemini from "@spillway/providers/Gemini"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { type Answer, fetching, inPieces, refusal } from "./fetching.js"
import { crlf, event, llm, make, secret, through } from "./gemini.js"

const said = (parts: ReadonlyArray<any>, fields: object = {}, more: object = {}) => ({
  candidates: [{ content: { parts, role: "model" }, index: 0, ...fields }],
  ...more
})

const hello = said([{ text: "Hello" }], { finishReason: "STOP" }, {
  usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 1, thoughtsTokenCount: 5, totalTokenCount: 9 },
  modelVersion: "gemini-2.5-flash",
  responseId: "8e97-asP"
})

const request = { model: "gemini-2.5-flash", prompt: "hi" }

describe("Gemini", () => {
  it.effect("shows its key in a header of its own, and never in the address", () => {
    const { fetch, sent } = fetching(() => ({ body: hello }))
    return through(fetch, ({ llm }) =>
      Effect.map(llm.generateText(request), (completion) => {
        assert.strictEqual(completion.text, "Hello")
        const { headers, host, method, path } = sent[0]!
        assert.deepStrictEqual(
          [method, host, path],
          ["POST", "generativelanguage.googleapis.com", "/v1beta/models/gemini-2.5-flash:generateContent"]
        )
        assert.strictEqual(headers["x-goog-api-key"], secret)
        assert.isUndefined(headers["authorization"])
        assert.notInclude(path, secret)
        assert.deepStrictEqual(
          llm.operations,
          new Set(["generateText", "streamText", "embed", "listModels"] as const)
        )
      }))
  })

  it.effect("goes to another address and version where it is told to, and to whatever is called a model", () => {
    const { fetch, sent } = fetching(() => ({ body: hello }))
    return through(
      fetch,
      ({ llm }) =>
        Effect.gen(function*() {
          for (const model of ["models/a", "tunedModels/b", "../files/c?key=x#"]) {
            yield* llm.generateText({ model, prompt: "hi" })
          }
          assert.deepStrictEqual(sent.map(({ host, path }) => host + path), [
            "localhost:8080/proxy/v1/models/a:generateContent",
            "localhost:8080/proxy/v1/tunedModels/b:generateContent",
            "localhost:8080/proxy/v1/models/..%2Ffiles%2Fc%3Fkey%3Dx%23:generateContent"
          ])
          assert.strictEqual(sent[0]!.headers["x-team"], "blue")
        }),
      { baseUrl: "http://localhost:8080/proxy/", version: "v1", headers: { "x-team": "blue" } }
    )
  })

  it.effect("refuses options that cannot be meant when it is made", () =>
    Effect.gen(function*() {
      for (const options of [{ version: "" }, { baseUrl: "generativelanguage.googleapis.com" }]) {
        const error = yield* Effect.flip(make(options)).pipe(Effect.provide(FetchHttpClient.layer), Effect.scoped)
        assert.strictEqual(error._tag, "InvalidOptions")
        assert.strictEqual(error.field, Object.keys(options)[0])
      }
    }))

  it.effect("is one layer for what all backends do and for what only Gemini does", () => {
    const { fetch } = fetching(({ path }) => ({ body: path.endsWith("countTokens") ? { totalTokens: 7 } : hello }))
    return Effect.gen(function*() {
      assert.strictEqual((yield* LlmService.generateText(request)).text, "Hello")
      assert.deepStrictEqual(yield* (yield* Gemini.Gemini).countTokens(request), { tokens: 7 })
    }).pipe(
      Effect.provide(Gemini.layer({ apiKeys: [Redacted.make(secret)] })),
      Effect.provide(FetchHttpClient.layer),
      Effect.provideService(FetchHttpClient.Fetch, fetch)
    )
  })

  it.effect("counts thoughts as output, what its own tools read as input, and what it did not tell not at all", () => {
    const counts: ReadonlyArray<readonly [object | undefined, Completion.Usage]> = [
      [
        {
          promptTokenCount: 10,
          toolUsePromptTokenCount: 5,
          candidatesTokenCount: 8,
          thoughtsTokenCount: 20,
          cachedContentTokenCount: 4
        },
        { inputTokens: 15, outputTokens: 28, reasoningTokens: 20, cachedInputTokens: 4 }
      ],
      [{ promptTokenCount: 10, candidatesTokenCount: 8 }, { inputTokens: 10, outputTokens: 8 }],
      [{ promptTokenCount: 10, thoughtsTokenCount: 2 }, { inputTokens: 10, outputTokens: 2, reasoningTokens: 2 }],
      [{ promptTokenCount: -1, candidatesTokenCount: "8" }, {}],
      [undefined, {}]
    ]
    const { fetch } = fetching((_, index) => ({ body: { ...hello, usageMetadata: counts[index]![0] } }))
    return through(fetch, ({ llm }) =>
      Effect.forEach(counts, ([, usage]) =>
        Effect.map(llm.generateText(request), (completion) => assert.deepStrictEqual(completion.usage, usage))))
  })

  it.effect("gives a call without an id one of its own, the same whenever the answer is read (W-39)", () => {
    const call = { functionCall: { name: "f" } }
    const body = { ...said([call, { functionCall: { id: "", name: "g" } }, { functionCall: { id: "x", name: "h" } }]) }
    const { fetch } = fetching((_, index) => ({ body: index < 2 ? { ...body, responseId: "8e+/-_" } : body }))
    return through(fetch, ({ llm }) =>
      Effect.gen(function*() {
        const ids = Effect.map(llm.generateText(request), ({ toolCalls }) => toolCalls.map(({ id }) => id))
        assert.deepStrictEqual(yield* ids, ["call_8e-__0", "call_8e-__1", "x"])
        assert.deepStrictEqual(yield* ids, ["call_8e-__0", "call_8e-__1", "x"])
        assert.deepStrictEqual(yield* ids, ["call__0", "call__1", "x"])
      }))
  })

  it.effect("skips parts that our words have none for, and candidates beyond the first", () => {
    const parts = [
      { inlineData: { mimeType: "image/png", data: "aGk=" } },
      { executableCode: { code: "1 + 1" }, thoughtSignature: "x" },
      { text: "two" },
      null,
      "what?"
    ]
    const body = { candidates: [...said(parts, { finishReason: "STOP" }).candidates, ...hello.candidates] }
    return through(fetching(() => ({ body })).fetch, ({ llm }) =>
      Effect.map(llm.generateText(request), ({ content, finishReason }) => {
        assert.deepStrictEqual(content, [Prompt.text("two")])
        assert.strictEqual(finishReason, "stop")
      }))
  })

  const reasons: ReadonlyArray<readonly [reason: string, expected: Completion.FinishReason]> = [
    ["STOP", "stop"],
    ["MAX_TOKENS", "length"],
    ["SAFETY", "content-filter"],
    ["RECITATION", "content-filter"],
    ["LANGUAGE", "content-filter"],
    ["BLOCKLIST", "content-filter"],
    ["PROHIBITED_CONTENT", "content-filter"],
    ["SPII", "content-filter"],
    ["IMAGE_SAFETY", "content-filter"],
    ["MALFORMED_FUNCTION_CALL", "other"],
    ["UNEXPECTED_TOOL_CALL", "other"],
    ["TOO_MANY_TOOL_CALLS", "other"],
    ["FINISH_REASON_UNSPECIFIED", "other"],
    ["SOMETHING_NEW", "other"],
    ["constructor", "other"]
  ]

  it.effect("knows why the model stopped, and takes calls for a reason only when it stopped by itself", () =>
    through(
      fetching(({ body }) => {
        const [finishReason, parts] = JSON.parse(body.contents[0].parts[0].text)
        return { body: said(parts, { finishReason }) }
      }).fetch,
      ({ llm }) =>
        Effect.gen(function*() {
          const ask = (finishReason: string, parts: ReadonlyArray<object>) =>
            Effect.map(
              llm.generateText({ ...request, prompt: JSON.stringify([finishReason, parts]) }),
              (completion) => completion.finishReason
            )
          for (const [reason, expected] of reasons) {
            assert.strictEqual(yield* ask(reason, []), expected)
          }
          const call = { functionCall: { name: "f", args: {} } }
          assert.strictEqual(yield* ask("STOP", [call]), "tool-calls")
          assert.strictEqual(yield* ask("MAX_TOKENS", [call]), "length")
        })
    ))

  it.effect("fails with ContentFiltered when there is no answer because the prompt was blocked", () =>
    Effect.gen(function*() {
      for (const [blockReason, code] of [["SAFETY", "SAFETY"], ["a\u001b b", "OTHER"], [7, "OTHER"]] as const) {
        const error = yield* refusal(llm(), { body: { promptFeedback: { blockReason } } }, "gemini-2.5-flash")
        assert.instanceOf(error, LlmError.ContentFiltered)
        assert.deepStrictEqual([error.code, error.model], [code, "gemini-2.5-flash"])
      }
      for (const promptFeedback of [{}, { blockReason: null }, { safetyRatings: [] }]) {
        const error = yield* refusal(llm(), { body: { promptFeedback, usageMetadata: {} } })
        assert.strictEqual(error._tag, "MalformedResponse")
      }
    }))

  it.effect("reads the models page by page, and never the same page twice", () => {
    const { fetch, sent } = fetching((_, index) => ({
      body: index === 0
        ? {
          models: [
            {
              name: "models/gemini-2.5-flash",
              displayName: "Gemini 2.5 Flash",
              description: "Fast",
              inputTokenLimit: 1_048_576,
              outputTokenLimit: 65_536,
              supportedGenerationMethods: ["generateContent", 7, "countTokens"],
              thinking: true
            },
            { nonsense: true }
          ],
          nextPageToken: "a/b="
        }
        : { models: [{ name: "models/b" }], nextPageToken: "a/b=" }
    }))
    return through(fetch, ({ gemini, llm }) =>
      Effect.gen(function*() {
        const models = yield* gemini.models
        assert.deepStrictEqual(models, [
          {
            id: "gemini-2.5-flash",
            displayName: "Gemini 2.5 Flash",
            description: "Fast",
            contextWindow: 1_048_576,
            maxOutputTokens: 65_536,
            methods: ["generateContent", "countTokens"],
            thinks: true
          },
          { id: "b", methods: [] }
        ])
        assert.deepStrictEqual(
          sent.map(({ path }) => path),
          ["/v1beta/models?pageSize=1000", "/v1beta/models?pageSize=1000&pageToken=a%2Fb%3D"]
        )
        assert.deepStrictEqual((yield* llm.listModels).map(({ id }) => id), ["b", "b"])
      }))
  })

  const failed = (status: string, message: string, code: number, details: ReadonlyArray<object> = []): Answer => ({
    status: code,
    body: { error: { code, message, status, details } }
  })

  const wait = (retryDelay: string) => ({ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay })

  const violations = (...quotaIds: ReadonlyArray<string>) => ({
    "@type": "type.googleapis.com/google.rpc.QuotaFailure",
    violations: quotaIds.map((quotaId) => ({ quotaId, quotaValue: "20" }))
  })

  const exhausted = (message: string, ...details: ReadonlyArray<object>) =>
    failed("RESOURCE_EXHAUSTED", message, 429, details)

  const waits: ReadonlyArray<readonly [title: string, Answer, tag: LlmError.Tag, seconds: number]> = [
    ["as a minute's quota says", exhausted("x", violations("XPerMinuteY"), wait("34.4s")), "RateLimited", 34.4],
    ["as nothing but a wait says", exhausted("x", wait("2s")), "RateLimited", 2],
    ["as the words say, for want of details", exhausted("Please retry in 36.5s."), "RateLimited", 36.5],
    ["as the words say, in milliseconds", exhausted("Please retry in 359.8ms."), "RateLimited", 0.36],
    ["as the pool does, for want of words", exhausted("Resource has been exhausted"), "RateLimited", 5],
    ["as the pool does, for want of sense", exhausted("x", wait("soon")), "RateLimited", 5],
    ["longer than a day's quota says", exhausted("x", violations("XPerDayY"), wait("36s")), "QuotaExhausted", 3600],
    [
      "longer than a minute's, when the day's is used up too",
      exhausted("x", violations("XPerMinuteY", "XPerDayY"), wait("36s")),
      "QuotaExhausted",
      3600
    ],
    ["longer for a quota of nothing", exhausted("limit: 0, model: x", wait("36s")), "QuotaExhausted", 3600],
    ["shorter for a quota that only begins so", exhausted("limit: 05", wait("36s")), "RateLimited", 36]
  ]

  for (const [title, answer, tag, seconds] of waits) {
    it.effect(`waits ${title} (W-13)`, () =>
      Effect.map(refusal(llm(), answer), (error) => {
        assert.strictEqual(error._tag, tag)
        const waited = "retryAfter" in error ? error.retryAfter : undefined
        assert.deepStrictEqual(waited && Duration.toMillis(waited), seconds * 1000)
      }))
  }

  it.effect("comes back to an overloaded model when it is told to", () =>
    Effect.map(refusal(llm(), failed("UNAVAILABLE", "overloaded", 503, [wait("7s")])), (error) => {
      assert.instanceOf(error, LlmError.ServerFault)
      assert.deepStrictEqual(error.retryAfter, Duration.seconds(7))
    }))

  const refusals: ReadonlyArray<readonly [Answer, LlmError.Tag]> = [
    [failed("INVALID_ARGUMENT", "Unable to submit request", 400), "InvalidRequest"],
    [failed("OUT_OF_RANGE", "x", 400), "InvalidRequest"],
    [failed("FAILED_PRECONDITION", "The File abc is not in an ACTIVE state", 400), "InvalidRequest"],
    [failed("UNAUTHENTICATED", "x", 401), "AuthenticationFailed"],
    [failed("PERMISSION_DENIED", "The caller does not have permission", 403), "AuthenticationFailed"],
    [
      failed("PERMISSION_DENIED", "Requests from referer x are blocked", 403, [
        { reason: "API_KEY_HTTP_REFERRER_BLOCKED" }
      ]),
      "AuthenticationFailed"
    ],
    [
      failed("PERMISSION_DENIED", "You do not have permission to access the File ab12 or it may not exist.", 403),
      "NotFound"
    ],
    [failed("PERMISSION_DENIED", "You do not have permission to access tuned model x", 403), "ModelNotFound"],
    [failed("NOT_FOUND", "CachedContent not found", 404), "NotFound"],
    [failed("NOT_FOUND", "Requested entity was not found.", 404), "ModelNotFound"],
    [failed("ALREADY_EXISTS", "x", 409), "Conflict"],
    [failed("ABORTED", "x", 409), "ServerFault"],
    [failed("CANCELLED", "x", 499), "ServerFault"],
    [failed("UNKNOWN", "x", 500), "ServerFault"],
    [failed("UNIMPLEMENTED", "x", 501), "Unsupported"],
    [failed("SOMETHING_NEW", "x", 400), "InvalidRequest"],
    [failed("SOMETHING_NEW", "x", 500), "ServerFault"],
    [{ status: 402, body: { error: { code: "payment_required", message: "x" } } }, "QuotaExhausted"],
    [{ status: 400, body: [{ error: { code: 400, message: "x", status: "INVALID_ARGUMENT" } }] }, "InvalidRequest"],
    [{ body: { error: { code: 503, message: "in a success", status: "UNAVAILABLE" } } }, "ServerFault"]
  ]

  for (const [answer, tag] of refusals) {
    const { status = 200 } = answer
    it.effect(`reads ${status} ${JSON.stringify(answer.body).slice(0, 70)} as ${tag}`, () =>
      Effect.map(refusal(llm(), answer), (error) => assert.strictEqual(error._tag, tag)))
  }
})

describe("Gemini, streaming", () => {
  const usageMetadata = { promptTokenCount: 4, candidatesTokenCount: 9, thoughtsTokenCount: 2 }

  const events = [
    said([{ text: "Ω hm", thought: true }], {}, {
      responseId: "r1",
      modelVersion: "gemini-3.6-flash",
      usageMetadata: { promptTokenCount: 4, thoughtsTokenCount: 2 }
    }),
    said([{ text: " so", thought: true, thoughtSignature: "cg==" }]),
    said([{ text: "Grüße" }]),
    said([{ text: " 👋" }, { functionCall: { name: "f", args: { a: 1 } }, thoughtSignature: "Yw==" }]),
    said([{ text: "again", thought: true }, { functionCall: { id: "i2", name: "g" } }]),
    said([{ text: "", thoughtSignature: "ZQ==" }], { finishReason: "STOP" }, {
      usageMetadata: { candidatesTokenCount: 9 }
    })
  ]

  const expected = Completion.make({
    id: "r1",
    model: "gemini-3.6-flash",
    content: [
      { _tag: "Reasoning", text: "Ω hm so", signature: "cg==" },
      { _tag: "Text", text: "Grüße 👋" },
      { _tag: "ToolCall", id: "call_r1_0", name: "f", arguments: "{\"a\":1}", signature: "Yw==" },
      { _tag: "Reasoning", text: "again" },
      { _tag: "ToolCall", id: "i2", name: "g", arguments: "{}" },
      { _tag: "Text", text: "", signature: "ZQ==" }
    ],
    finishReason: "tool-calls",
    usage: { inputTokens: 4, outputTokens: 11, reasoningTokens: 2 }
  })

  const bytes = new TextEncoder().encode(
    crlf(events.map((one) => event({ ...one, responseId: "r1" })).join(""))
  )

  const streamed = (service: LlmService.Service) => service.streamText({ ...request, model: "asked" })

  it.effect("reads the same answer wherever its bytes are cut", () => {
    const { fetch, sent } = fetching(() => ({ body: inPieces(...Array.from(bytes, (byte) => Uint8Array.of(byte))) }))
    return through(fetch, ({ llm }) =>
      Effect.map(Completion.collect(streamed(llm)), (completion) => {
        assert.deepStrictEqual(completion, expected)
        assert.strictEqual(sent[0]!.path, "/v1beta/models/asked:streamGenerateContent?alt=sse")
      }))
  })

  it.effect("reads a whole answer as the stream of it", () => {
    const parts = events.flatMap(({ candidates: [one] }) => one!.content.parts)
    const body = said(parts, { finishReason: "STOP" }, {
      responseId: "r1",
      modelVersion: "gemini-3.6-flash",
      usageMetadata
    })
    return through(fetching(() => ({ body })).fetch, ({ llm }) =>
      Effect.map(llm.generateText(request), (completion) => {
        assert.strictEqual(completion.text, expected.text)
        assert.deepStrictEqual(completion.toolCalls, expected.toolCalls)
        assert.deepStrictEqual(completion.usage, expected.usage)
      }))
  })

  it.effect("never takes an answer for whole in which nothing said why it stopped", () => {
    const cuts = [0, 1, 2, 3, 4, 5].map((count) => crlf(events.slice(0, count).map(event).join("")))
    return through(fetching((_, index) => ({ body: cuts[index] })).fetch, ({ llm }) =>
      Effect.forEach(cuts, () =>
        Effect.map(Effect.flip(Completion.collect(streamed(llm))), (error) => {
          assert.strictEqual(error._tag, "StreamInterrupted")
        })))
  })

  it.effect("fails with what comes after it said why it stopped", () => {
    const body = crlf(`${event(hello)}${event({ error: { code: 500, message: "late", status: "INTERNAL" } })}`)
    return through(fetching(() => ({ body })).fetch, ({ llm }) =>
      Effect.gen(function*() {
        const parts: Array<Completion.Part> = []
        const error = yield* Effect.flip(
          Stream.runForEach(streamed(llm), (part) => Effect.sync(() => parts.push(part)))
        )
        assert.strictEqual(error._tag, "ServerFault")
        assert.deepStrictEqual(parts.map(({ _tag }) => _tag), ["Start", "TextDelta"])
      }))
  })

  const within: ReadonlyArray<readonly [status: string, code: number, tag: LlmError.Tag]> = [
    ["CANCELLED", 499, "ServerFault"],
    ["UNAVAILABLE", 503, "ServerFault"],
    ["DEADLINE_EXCEEDED", 504, "ServerFault"],
    ["RESOURCE_EXHAUSTED", 429, "RateLimited"],
    ["INVALID_ARGUMENT", 400, "InvalidRequest"],
    ["SOMETHING_NEW", 403, "AuthenticationFailed"]
  ]

  for (const [status, code, tag] of within) {
    it.effect(`reads ${status} in the midst of a stream, bare or as an event, as ${tag}`, () => {
      const error = { error: { code, message: "no more", status } }
      const bodies = [`${JSON.stringify(error, null, 2)}\n`, JSON.stringify([error]), event(error)]
      const { fetch } = fetching((_, index) => ({ body: crlf(event(events[0]) + bodies[index]!) }))
      return through(
        fetch,
        ({ llm }) =>
          Effect.forEach(bodies, () =>
            Effect.map(Effect.flip(Stream.runDrain(streamed(llm))), (error) => assert.strictEqual(error._tag, tag))),
        { apiKeys: [Redacted.make(secret), Redacted.make("second"), Redacted.make("third")] }
      )
    })
  }
})

describe("Gemini.layerConfig", () => {
  const withEnvironment = (environment: Record<string, string>) => {
    const { fetch, sent } = fetching(() => ({ body: hello }))
    return Effect.replicateEffect(LlmService.generateText(request), 4).pipe(
      Effect.as(sent),
      Effect.provide(Gemini.layerConfig),
      Effect.provide(FetchHttpClient.layer),
      Effect.provideService(FetchHttpClient.Fetch, fetch),
      Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(environment))))
    )
  }

  it.effect("reads the keys of both names, Google's first, and the address", () =>
    Effect.gen(function*() {
      const sent = yield* withEnvironment({
        GEMINI_API_KEY_1: "c",
        GEMINI_API_KEY: "b",
        GOOGLE_API_KEY: "a",
        GEMINI_BASE_URL: "http://127.0.0.1:9999",
        GOOGLE_GEMINI_BASE_URL: "http://127.0.0.1:1111"
      })
      assert.deepStrictEqual(sent.map(({ headers }) => headers["x-goog-api-key"]), ["a", "b", "c", "a"])
      assert.strictEqual(sent[0]!.host, "127.0.0.1:9999")
      const [other] = yield* withEnvironment({
        GEMINI_API_KEY_1: "c",
        GOOGLE_GEMINI_BASE_URL: "http://127.0.0.1:1111"
      })
      assert.deepStrictEqual([other!.host, other!.headers["x-goog-api-key"]], ["127.0.0.1:1111", "c"])
      const [official] = yield* withEnvironment({ GEMINI_API_KEY: "b" })
      assert.strictEqual(official!.host, "generativelanguage.googleapis.com")
    }))

  it.effect("names the variable that is missing or empty", () =>
    Effect.gen(function*() {
      assert.include(String(yield* Effect.flip(withEnvironment({}))), "GOOGLE_API_KEY or GEMINI_API_KEY")
      for (const name of ["GOOGLE_API_KEY", "GEMINI_API_KEY", "GEMINI_BASE_URL", "GOOGLE_GEMINI_BASE_URL"]) {
        const environment = withEnvironment({ GEMINI_API_KEY_1: "a", [name]: "" })
        assert.include(String(yield* Effect.flip(environment)), name)
      }
    }))
})
