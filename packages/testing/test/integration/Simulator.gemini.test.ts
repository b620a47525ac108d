import { ApiError, FunctionCallingConfigMode, GoogleGenAI, ThinkingLevel } from "@google/genai"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type * as Simulator from "@spillway/testing/Simulator"
import { collect, rejection, served, until } from "./served.js"

const client = (options?: Simulator.Options, apiKey = "sim-key-1") =>
  Effect.map(served(options), ({ simulator, variable }) => ({
    simulator,
    google: new GoogleGenAI({ apiKey, httpOptions: { baseUrl: variable("GEMINI_BASE_URL") } })
  }))

const hello = { model: "gemini-2.5-flash", contents: "Hello there" }

const weather = {
  functionDeclarations: [
    {
      name: "get_weather",
      parametersJsonSchema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] }
    }
  ]
}

const refused = (attempt: () => PromiseLike<unknown>) =>
  Effect.map(rejection(attempt), (error) => {
    assert.instanceOf(error, ApiError)
    return { status: error.status, error: JSON.parse(error.message).error }
  })

describe("the official @google/genai and the simulator", () => {
  it.scopedLive("answer", () =>
    Effect.gen(function*() {
      const { google, simulator } = yield* client()
      const answer = yield* Effect.promise(() => google.models.generateContent(hello))
      assert.match(answer.text ?? "", /^You said: “Hello there”\./)
      assert.strictEqual(answer.candidates?.[0]?.finishReason, "STOP")
      assert.strictEqual(answer.modelVersion, "gemini-2.5-flash")
      const { candidatesTokenCount = 0, promptTokenCount = 0, thoughtsTokenCount = 0, totalTokenCount } =
        answer.usageMetadata ?? {}
      assert.strictEqual(candidatesTokenCount, 48)
      assert.strictEqual(promptTokenCount + candidatesTokenCount + thoughtsTokenCount, totalTokenCount)
      const config = { maxOutputTokens: 5, thinkingConfig: { thinkingBudget: 0 } }
      const cut = yield* Effect.promise(() => google.models.generateContent({ ...hello, config }))
      assert.strictEqual(cut.candidates?.[0]?.finishReason, "MAX_TOKENS")
      assert.isUndefined((yield* simulator.requests)[0]?.headers["authorization"])
      assert.strictEqual((yield* simulator.requests)[0]?.key, "sim-key-1")
    })
  )

  it.scopedLive("stream, which adds up to the whole answer", () =>
    Effect.gen(function*() {
      const { google } = yield* client({ tokenDelay: "1 millis" })
      const request = { ...hello, config: { thinkingConfig: { includeThoughts: true } } }
      const whole = yield* Effect.promise(() => google.models.generateContent(request))
      const pieces = yield* Effect.promise(async () => collect(await google.models.generateContentStream(request)))
      const said = (thought: boolean) =>
        pieces
          .flatMap(({ candidates }) => candidates?.[0]?.content?.parts ?? [])
          .filter((part) => (part.thought === true) === thought)
          .map(({ text }) => text)
          .join("")
      assert.strictEqual(said(false), whole.text)
      assert.strictEqual(said(true), whole.candidates?.[0]?.content?.parts?.[0]?.text)
      assert.deepStrictEqual(pieces.at(-1)?.usageMetadata, whole.usageMetadata)
      assert.deepStrictEqual(
        pieces.flatMap(({ candidates }) => candidates?.[0]?.finishReason ?? []),
        ["STOP"]
      )
    })
  )

  it.scopedLive("tool calls and their round trip, whose signatures have to come back", () =>
    Effect.gen(function*() {
      const { google } = yield* client()
      const request = {
        model: "gemini-3.6-flash",
        contents: [{ role: "user", parts: [{ text: "What is the weather in Tokyo?" }] }],
        config: { tools: [weather], thinkingConfig: { thinkingLevel: ThinkingLevel.LOW } }
      }
      const asked = yield* Effect.promise(() => google.models.generateContent(request))
      const call = asked.functionCalls?.[0]
      assert.deepStrictEqual([call?.name, call?.args], ["get_weather", { city: "Tokyo" }])
      const answer = {
        functionResponse: { ...(call?.id && { id: call.id }), name: "get_weather", response: { sun: 1 } }
      }
      const back = (parts: ReadonlyArray<object> = []) => () =>
        google.models.generateContent({
          ...request,
          contents: [...request.contents, { role: "model", parts: [...parts] }, { role: "user", parts: [answer] }]
        })
      const parts = asked.candidates?.[0]?.content?.parts
      assert.match((yield* Effect.promise(back(parts))).text ?? "", /The tool get_weather returned: {"sun":1}\./)
      const unsigned = parts?.map(({ thoughtSignature: _, ...part }) => part)
      const { error, status } = yield* refused(back(unsigned))
      assert.strictEqual(status, 400)
      assert.match(error.message, /^Function call is missing a thought_signature/)
      const forced = yield* Effect.promise(() =>
        google.models.generateContent({
          ...request,
          contents: "Hi",
          config: {
            ...request.config,
            toolConfig: { functionCallingConfig: { mode: FunctionCallingConfigMode.ANY } }
          }
        })
      )
      assert.strictEqual(forced.functionCalls?.length, 1)
    })
  )

  it.scopedLive("structured output, in either dialect", () =>
    Effect.gen(function*() {
      const { google } = yield* client()
      const ask = (config: object) =>
        Effect.promise(() =>
          google.models.generateContent({ ...hello, config: { responseMimeType: "application/json", ...config } })
        )
      const json = yield* ask({ responseJsonSchema: { type: "object", properties: { n: { type: "integer" } } } })
      assert.isTrue(Number.isInteger(JSON.parse(json.text ?? "").n))
      const openApi = yield* ask({ responseSchema: { type: "OBJECT", properties: { n: { type: "BOOLEAN" } } } })
      assert.isBoolean(JSON.parse(openApi.text ?? "").n)
    })
  )

  it.scopedLive("embeddings, counts, models page by page, and caches", () =>
    Effect.gen(function*() {
      const { google } = yield* client()
      const embedded = yield* Effect.promise(() =>
        google.models.embedContent({
          model: "gemini-embedding-001",
          contents: ["a", "b", "a"],
          config: { outputDimensionality: 4 }
        })
      )
      const vectors = embedded.embeddings?.map(({ values }) => values)
      assert.strictEqual(vectors?.length, 3)
      assert.deepStrictEqual(vectors?.[0], vectors?.[2])
      assert.notDeepEqual(vectors?.[0], vectors?.[1])
      const { totalTokens } = yield* Effect.promise(() => google.models.countTokens(hello))
      const whole = yield* Effect.promise(() => google.models.generateContent(hello))
      assert.strictEqual(whole.usageMetadata?.promptTokenCount, totalTokens)
      const models = yield* Effect.promise(async () => collect(await google.models.list({ config: { pageSize: 2 } })))
      assert.include(
        models.map(({ name }) => name),
        "models/sim-chat"
      )
      assert.strictEqual(new Set(models.map(({ name }) => name)).size, models.length)
      const cache = yield* Effect.promise(() =>
        google.caches.create({ model: hello.model, config: { systemInstruction: "Know it all.", ttl: "60s" } })
      )
      const name = cache.name ?? ""
      const cached = yield* Effect.promise(() =>
        google.models.generateContent({ ...hello, config: { cachedContent: name } })
      )
      assert.strictEqual(cached.usageMetadata?.cachedContentTokenCount, cache.usageMetadata?.totalTokenCount)
      yield* Effect.promise(() => google.caches.update({ name, config: { ttl: "120s" } }))
      assert.strictEqual((yield* Effect.promise(async () => collect(await google.caches.list()))).length, 1)
      yield* Effect.promise(() => google.caches.delete({ name }))
      const { error } = yield* refused(() => google.caches.get({ name }))
      assert.deepStrictEqual([error.code, error.status], [403, "PERMISSION_DENIED"])
    })
  )

  it.scopedLive("errors, which the client knows", () =>
    Effect.gen(function*() {
      const { google, simulator } = yield* client({ requestsPerMinute: 5 })
      const ask = (request: object) => () => google.models.generateContent({ ...hello, ...request })
      const absent = yield* refused(ask({ model: "nope" }))
      assert.deepStrictEqual([absent.status, absent.error.status], [404, "NOT_FOUND"])
      const wrong = yield* refused(ask({ config: { temperature: 9 } }))
      assert.deepStrictEqual([wrong.status, wrong.error.status], [400, "INVALID_ARGUMENT"])
      yield* simulator.inject("overloaded", "rateLimited")
      assert.strictEqual((yield* refused(ask({}))).error.status, "UNAVAILABLE")
      const limited = yield* refused(ask({}))
      assert.deepStrictEqual([limited.status, limited.error.status], [429, "RESOURCE_EXHAUSTED"])
      assert.match(JSON.stringify(limited.error.details), /PerMinute.*"retryDelay":"1s"/)
      yield* simulator.setKey(0, "exhausted", "gemini")
      assert.match(JSON.stringify((yield* refused(ask({}))).error.details), /PerDay.*"retryDelay":"36.43s"/)
      const { google: stranger } = yield* client({}, "not-a-key")
      const unknown = yield* refused(() => stranger.models.generateContent(hello))
      assert.strictEqual(unknown.status, 400)
      assert.match(JSON.stringify(unknown.error.details), /API_KEY_INVALID/)
    })
  )

  it.scopedLive("an error in the midst of a stream, and a caller who leaves", () =>
    Effect.gen(function*() {
      const { google, simulator } = yield* client({ tokenDelay: "2 millis" })
      yield* simulator.inject("streamError")
      const error = yield* rejection(async () => collect(await google.models.generateContentStream(hello)))
      // the client knows it for what it is only where it comes in a packet of its own
      assert.match(String(error), /UNAVAILABLE|Incomplete JSON/)
      const abort = new AbortController()
      yield* rejection(async () => {
        const pieces = await google.models.generateContentStream({ ...hello, config: { abortSignal: abort.signal } })
        for await (const _ of pieces) abort.abort()
      })
      const last = yield* until(
        Effect.map(simulator.requests, (all) => all.at(-1)),
        (one) => one?.outcome !== "Open"
      )
      assert.strictEqual(last?.outcome, "Aborted")
    })
  )
})
