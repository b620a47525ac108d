import { FetchHttpClient, Headers, HttpClient } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import type { Completion, KeyPool } from "@spillway/core"
import * as LlmError from "@spillway/core/LlmError"
import * as RecordedHttp from "@spillway/testing/RecordedHttp"
import { Chunk, Duration, Effect, Either, Fiber, FiberRef, Redacted, Stream, TestClock, Tracer } from "effect"
import * as HttpBackend from "../src/HttpBackend.js"
import * as Json from "../src/internal/json.js"

const request: Completion.Request = { model: "m", prompt: "hi" }

/** A wire of three words: `{"text": …}` whole, `say …` and `bye` in events. */
const definition: HttpBackend.Definition = {
  backend: "tiny",
  baseUrl: "http://tiny.test/base/",
  authenticate: (key) => ({ "x-tiny-key": Redacted.value(key) }),
  keyHeaders: ["x-tiny-key"],
  limits: (headers) =>
    headers["x-left"] === undefined ? undefined : { requests: { remaining: Number(headers["x-left"]) } },
  generateText: {
    request: ({ model }) => Either.right({ method: "POST", path: "/say?q=1", body: { model } }),
    response: (body, exchange) => {
      const text = Json.string(Json.get(body, "text"))
      return text === undefined
        ? Either.left(exchange.malformed("no text"))
        : Either.right({
          model: exchange.model,
          content: [],
          text,
          toolCalls: [],
          finishReason: "stop",
          usage: { outputTokens: 1 }
        })
    }
  },
  streamText: {
    request: ({ model }) => Either.right({ method: "POST", path: "/stream", body: { model } }),
    framing: "sse",
    reader: (exchange) => ({
      frame({ data }, out) {
        if (data === "bye") return HttpBackend.ended({ outputTokens: 2 })
        if (data.startsWith("{")) return exchange.failure(Json.parse(data))
        if (!data.startsWith("say ")) return exchange.malformed("no word of mine")
        out.push({ _tag: "TextDelta", text: data.slice(4) })
        return undefined
      }
    })
  }
}

/** A pool that writes down what it hears. */
const listening = (...keys: ReadonlyArray<string>) => {
  const heard: Array<unknown> = []
  let next = 0
  const redacted = keys.map((key) => Redacted.make(key))
  const acquire = () =>
    Effect.sync((): KeyPool.Lease => {
      const id = next++ % keys.length
      heard.push(`acquire ${id}`)
      let released = false
      return {
        key: redacted[id]!,
        id: `key-${id}`,
        answered: () => undefined,
        succeeded: (usage) => heard.push(usage),
        failed: (error) => {
          heard.push(error._tag)
          return new LlmError.RateLimited({ backend: "tiny", message: `pool: ${error.message}` })
        },
        observed: (limits) => heard.push(limits),
        spent: (microDollars) => heard.push(microDollars),
        release: () => {
          if (!released) heard.push(`release ${id}`)
          released = true
        },
        cancel: () => heard.push(`cancel ${id}`)
      }
    })
  const pool: HttpBackend.Pool = { acquire, validateBy: () => Effect.void }
  return { heard, pool }
}

const stage = (
  script: ReadonlyArray<RecordedHttp.Step>,
  changes: Partial<HttpBackend.Definition> = {},
  keys: ReadonlyArray<string> = ["sk-tiny-0123456789"],
  options?: HttpBackend.Options
) =>
  Effect.gen(function*() {
    const http = yield* RecordedHttp.make(...script)
    const { heard, pool } = listening(...keys)
    const backend = yield* HttpBackend.make({ ...definition, ...changes }, pool, options).pipe(
      Effect.provideService(HttpClient.HttpClient, http.client)
    )
    return { http, heard, llm: backend.service, backend }
  })

const said = (text: string, headers = {}) => RecordedHttp.json({ text }, { headers })

const events = (...data: ReadonlyArray<string>) =>
  RecordedHttp.text("text/event-stream", data.map((line) => `data: ${line}\n\n`).join(""))

const spin = Effect.forEach(Array.from({ length: 50 }), () => Effect.promise(() => Promise.resolve()), {
  discard: true
})

describe("a lease", () => {
  it.effect("is taken, told of the success, and given back", () =>
    Effect.gen(function*() {
      const { heard, llm } = yield* stage([said("hello", { "x-left": "3" })])
      assert.strictEqual((yield* llm.generateText(request)).text, "hello")
      assert.deepStrictEqual(heard, ["acquire 0", { requests: { remaining: 3 } }, { outputTokens: 1 }, "release 0"])
    }))

  it.effect("is told of the failure and of the limits, and its word is the error", () =>
    Effect.gen(function*() {
      const { heard, llm } = yield* stage([
        RecordedHttp.json({ error: { message: "no" } }, { status: 500, headers: { "x-left": "0" } })
      ])
      const error = yield* Effect.flip(llm.generateText(request))
      assert.strictEqual(error.message, "pool: tiny answered 500: no")
      assert.deepStrictEqual(heard, ["acquire 0", { requests: { remaining: 0 } }, "ServerFault", "release 0"])
    }))

  it.effect("is given back when nothing could be sent, and when the answer made no sense", () =>
    Effect.gen(function*() {
      const { heard, llm } = yield* stage([RecordedHttp.unreachable(), RecordedHttp.json({})])
      yield* Effect.flip(llm.generateText(request))
      yield* Effect.flip(llm.generateText(request))
      assert.deepStrictEqual(heard, [
        "acquire 0",
        "NetworkFailure",
        "release 0",
        "acquire 0",
        "MalformedResponse",
        "release 0"
      ])
    }))

  it.effect("is given back by an interruption, and told nothing", () =>
    Effect.gen(function*() {
      const { heard, llm } = yield* stage([Effect.never, { body: ["{", RecordedHttp.hang] }, Effect.never])
      const whole = llm.generateText(request)
      for (const call of [whole, whole, Stream.runDrain(llm.streamText(request))]) {
        heard.length = 0
        const fiber = yield* Effect.fork(call)
        yield* spin
        assert.deepStrictEqual(heard, ["acquire 0"])
        yield* Fiber.interrupt(fiber)
        assert.deepStrictEqual(heard, ["acquire 0", "release 0"])
      }
    }))

  it.effect("is given back when a translation has a bug", () =>
    Effect.gen(function*() {
      const { heard, llm } = yield* stage([said("x"), events("say x")], {
        generateText: { ...definition.generateText!, response: () => assert.fail("a bug") },
        streamText: { ...definition.streamText!, reader: () => ({ frame: () => assert.fail("a bug") }) }
      })
      yield* Effect.exit(llm.generateText(request))
      yield* Effect.exit(Stream.runDrain(llm.streamText(request)))
      assert.deepStrictEqual(heard, ["acquire 0", "release 0", "acquire 0", "release 0"])
    }))

  it.effect("of a stream lasts until its end marker, and is given back with the last pieces", () =>
    Effect.gen(function*() {
      const { heard, llm } = yield* stage([{
        ...events(),
        body: ["data: say a\n\n", "data: say b\n\ndata: bye\n\n"]
      }])
      const seen: Array<unknown> = []
      yield* Stream.runForEach(llm.streamText(request), (part) =>
        Effect.sync(() => {
          seen.push(part._tag === "TextDelta" ? part.text : part._tag, heard.includes("release 0"))
        }))
      assert.deepStrictEqual(seen, ["a", false, "b", true])
      assert.deepStrictEqual(heard, ["acquire 0", { outputTokens: 2 }, "release 0"])
    }))

  it.effect("of a stream is told of an error in its midst, after the pieces before it were handed over", () =>
    Effect.gen(function*() {
      const { heard, llm } = yield* stage([events("say a", "{\"error\":{\"type\":\"overloaded_error\"}}", "say b")])
      const seen: Array<string> = []
      const error = yield* Effect.flip(Stream.runForEach(llm.streamText(request), (part) =>
        Effect.sync(() => {
          seen.push(part._tag)
        })))
      assert.deepStrictEqual(seen, ["TextDelta"])
      assert.strictEqual(error._tag, "RateLimited")
      assert.deepStrictEqual(heard, ["acquire 0", "ServerFault", "release 0"])
    }))

  it.effect("of a stream is given back when its reader leaves", () =>
    Effect.gen(function*() {
      const { heard, http, llm } = yield* stage([{ ...events(), body: ["data: say a\n\n", RecordedHttp.hang] }])
      assert.strictEqual(Chunk.size(yield* Stream.runCollect(Stream.take(llm.streamText(request), 1))), 1)
      assert.deepStrictEqual(heard, ["acquire 0", "release 0"])
      assert.strictEqual(yield* http.open, 0)
    }))

  it.effect("is taken anew each time that a stream is run", () =>
    Effect.gen(function*() {
      const { heard, llm } = yield* stage([events("say a", "bye"), events("say a", "bye")], {}, ["sk-1", "sk-2"])
      const stream = llm.streamText(request)
      yield* Stream.runDrain(stream)
      yield* Stream.runDrain(stream)
      assert.deepStrictEqual(heard.filter((word) => typeof word === "string"), [
        "acquire 0",
        "release 0",
        "acquire 1",
        "release 1"
      ])
    }))

  it.effect("is not taken for a request that cannot be said", () =>
    Effect.gen(function*() {
      const refusal = new LlmError.Unsupported({ backend: "tiny", feature: "file", message: "no files" })
      const { heard, http, llm } = yield* stage([], {
        generateText: { ...definition.generateText!, request: () => Either.left(refusal) },
        streamText: {
          ...definition.streamText!,
          request: () => Either.right({ method: "POST", path: "/", body: { n: 1n } })
        }
      })
      assert.strictEqual(yield* Effect.flip(llm.generateText(request)), refusal)
      assert.strictEqual((yield* Effect.flip(Stream.runDrain(llm.streamText(request))))._tag, "InvalidRequest")
      assert.deepStrictEqual(heard, [])
      assert.deepStrictEqual(yield* http.requests, [])
    }))
})

describe("a request", () => {
  it.effect("goes to the base URL, with the key, and with nothing of the caller's trace", () =>
    Effect.gen(function*() {
      const spans: Array<string> = []
      const tracer = Tracer.make({
        context: (f) => f(),
        span: (name, parent, context, links, startTime, kind) => {
          spans.push(name)
          return {
            _tag: "Span",
            name,
            spanId: "1",
            traceId: "1",
            parent,
            context,
            status: { _tag: "Started", startTime },
            attributes: new Map(),
            links,
            sampled: true,
            kind,
            end() {},
            attribute() {},
            event() {},
            addLinks() {}
          }
        }
      })
      const { http, llm } = yield* stage([said("hello")])
      yield* Effect.withTracer(Effect.withSpan(llm.generateText(request), "caller"), tracer)
      const [asked] = yield* http.requests
      assert.strictEqual(asked!.url.href, "http://tiny.test/base/say?q=1")
      assert.strictEqual(asked!.method, "POST")
      assert.deepStrictEqual({ ...asked!.headers }, {
        accept: "application/json",
        "user-agent": "spillway",
        "x-tiny-key": "sk-tiny-0123456789",
        "content-type": "application/json",
        "content-length": "13"
      })
      assert.deepStrictEqual(asked!.body, { model: "m" })
      assert.deepStrictEqual(spans, ["caller"])
    }))

  it.effect("is a span when asked for, on which the key is hidden (S1, S3)", () =>
    Effect.gen(function*() {
      const attributes = new Map<string, unknown>()
      const tracer = Tracer.make({
        context: (f) => f(),
        span: (name, parent, context, links, startTime, kind) => ({
          _tag: "Span",
          name,
          spanId: "1",
          traceId: "1",
          parent,
          context,
          status: { _tag: "Started", startTime },
          attributes,
          links,
          sampled: true,
          kind,
          end() {},
          attribute: (key, value) => {
            attributes.set(key, value)
          },
          event() {},
          addLinks() {}
        })
      })
      const { http, llm } = yield* stage([said("hello")], {}, ["sk-tiny-0123456789"], { spans: true })
      yield* Effect.withTracer(llm.generateText(request), tracer)
      assert.strictEqual(attributes.get("http.request.method"), "POST")
      assert.notInclude(JSON.stringify([...attributes]), "sk-tiny")
      assert.isUndefined((yield* http.requests)[0]!.headers["traceparent"])
      assert.notInclude(yield* FiberRef.get(Headers.currentRedactedNames), "x-tiny-key")
    }))

  it.effect("has its headers made once for each key", () =>
    Effect.gen(function*() {
      let made = 0
      const { http, llm } = yield* stage([said("a"), said("b"), said("c"), said("d")], {
        authenticate: (key) => {
          made++
          return { "x-tiny-key": Redacted.value(key) }
        },
        headers: { "x-version": "7" }
      }, ["sk-1", "sk-2"])
      for (let i = 0; i < 4; i++) yield* llm.generateText(request)
      assert.strictEqual(made, 2)
      assert.deepStrictEqual(
        (yield* http.requests).map(({ headers }) => [headers["x-tiny-key"], headers["x-version"]]),
        [["sk-1", "7"], ["sk-2", "7"], ["sk-1", "7"], ["sk-2", "7"]]
      )
    }))

  it.effect("shows no key where there is none", () =>
    Effect.gen(function*() {
      const { http, llm } = yield* stage([said("a")], { authenticate: () => assert.fail("there is no key") }, [""])
      yield* llm.generateText(request)
      assert.isUndefined((yield* http.requests)[0]!.headers["x-tiny-key"])
    }))

  for (const key of ["sk-a\nb", "sk-a\r\nx-evil: 1", "sk-ä", "sk-\u0000"]) {
    it.effect(`is not sent with a key that no header can carry (S2): ${JSON.stringify(key)}`, () =>
      Effect.gen(function*() {
        const { heard, http, llm } = yield* stage([], {}, [key])
        const error = yield* Effect.flip(llm.generateText(request))
        assert.strictEqual(heard[1], "AuthenticationFailed")
        assert.notInclude(JSON.stringify(error), "sk-")
        assert.deepStrictEqual(yield* http.requests, [])
      }))
  }

  it.effect("is not redirected by fetch, and keeps what the program says of fetch (S4, S5)", () =>
    Effect.gen(function*() {
      const seen: Array<RequestInit | undefined> = []
      const fetch: typeof globalThis.fetch = (_, init) => {
        seen.push(init)
        return Promise.resolve(Response.json({ text: "hello" }))
      }
      const { pool } = listening("sk-1")
      const { service } = yield* HttpBackend.make(definition, pool).pipe(
        Effect.provide(FetchHttpClient.layer),
        Effect.provideService(FetchHttpClient.RequestInit, { credentials: "omit", redirect: "follow" })
      )
      yield* Effect.provideService(service.generateText(request), FetchHttpClient.Fetch, fetch)
      assert.strictEqual(seen[0]?.redirect, "manual")
      assert.strictEqual(seen[0]?.credentials, "omit")
    }))

  for (
    const baseUrl of [
      "",
      "tiny.test",
      "ftp://tiny.test",
      "http://",
      "http://u:p@tiny.test",
      "http://tiny.test/?key=1",
      "http://x/#y"
    ]
  ) {
    it.effect(`has no base URL ${JSON.stringify(baseUrl)}, and that is told when the backend is built (S5)`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(stage([], { baseUrl }))
        assert.strictEqual(error._tag, "InvalidOptions")
        assert.strictEqual(error.field, "baseUrl")
        assert.notInclude(error.message, "key=1")
        assert.notInclude(error.message, "u:p")
      }))
  }

  it.effect("has limits that can be meant", () =>
    Effect.map(Effect.flip(stage([], {}, ["sk-1"], { maxEventBytes: 0 })), (error) => {
      assert.strictEqual(error.field, "maxEventBytes")
    }))
})

describe("an answer", () => {
  it.effect("that is an error is shown to the backend's own table first", () =>
    Effect.gen(function*() {
      const seen: Array<HttpBackend.Failure> = []
      const { heard, llm } = yield* stage([
        RecordedHttp.json({ error: { message: "no", type: "t", code: "c", param: "p" } }, {
          status: 418,
          headers: { "x-request-id": "r1", "retry-after": "3" }
        })
      ], {
        refineError: (failure) => {
          seen.push(failure)
          return { kind: "QuotaExhausted", retryAfter: Duration.minutes(1) }
        }
      })
      yield* Effect.flip(llm.generateText(request))
      assert.strictEqual(heard[1], "QuotaExhausted")
      const [{ code, field, message, model, operation, requestId, retryAfter, status, type } = assert.fail()] = seen
      assert.deepStrictEqual(
        { code, field, message, model, operation, requestId, status, type, wait: Duration.toMillis(retryAfter!) },
        {
          code: "c",
          field: "p",
          message: "no",
          model: "m",
          operation: "generateText",
          requestId: "r1",
          status: 418,
          type: "t",
          wait: 3000
        }
      )
    }))

  it.effect("that is an error is read even when the client has failed on its status", () =>
    Effect.gen(function*() {
      const http = yield* RecordedHttp.make(RecordedHttp.json({ error: "busy" }, { status: 503 }))
      const { heard, pool } = listening("sk-1")
      const { service } = yield* HttpBackend.make(definition, pool).pipe(
        Effect.provideService(HttpClient.HttpClient, HttpClient.filterStatusOk(http.client))
      )
      const error = yield* Effect.flip(service.generateText(request))
      assert.strictEqual(heard[1], "ServerFault")
      assert.include(error.message, "busy")
    }))

  it.effect("that is an error with an endless body is cut off (S7)", () =>
    Effect.gen(function*() {
      const { heard, http, llm } = yield* stage([{
        status: 500,
        body: [...Array.from({ length: 100 }, () => "x".repeat(1024)), RecordedHttp.hang]
      }])
      yield* Effect.flip(llm.generateText(request))
      assert.strictEqual(heard[1], "ServerFault")
      assert.strictEqual(yield* http.open, 0)
    }))

  it.effect("is read at once when its size is known, and counted when it is compressed (S7)", () =>
    Effect.gen(function*() {
      const body = JSON.stringify({ text: "x".repeat(100) })
      const known = { "content-length": String(body.length) }
      const { heard, llm } = yield* stage(
        [
          { body, headers: known },
          { body, headers: { ...known, "content-encoding": "gzip", "content-length": "20" } },
          { body, headers: { "content-length": "1e9" } }
        ],
        {},
        ["sk-1"],
        { maxResponseBytes: 50 }
      )
      for (let i = 0; i < 3; i++) yield* Effect.flip(llm.generateText(request))
      assert.deepStrictEqual(heard.filter((word) => word === "MalformedResponse").length, 3)
    }))

  it.effect("may be text", () =>
    Effect.gen(function*() {
      const { backend } = yield* stage([{ body: "pong" }])
      const operation: HttpBackend.Operation<void, string> = {
        reads: "text",
        request: () => Either.right({ method: "GET", path: "/ping" }),
        response: (body) => Either.right(String(body))
      }
      assert.strictEqual(yield* backend.run("ping", operation, undefined, ""), "pong")
    }))

  const raw: HttpBackend.Operation<Uint8Array, unknown> = {
    reads: "bytes",
    request: (body) => Either.right({ method: "POST", path: "/raw", body, headers: { "x-length": "1" } }),
    response: Either.right
  }
  const bytes = Uint8Array.of(0, 255, 195, 40, 10)

  it.effect("may be bytes, and so may be what is asked", () =>
    Effect.gen(function*() {
      const { backend, http } = yield* stage([
        { body: [bytes.slice(0, 2), bytes.slice(2)] },
        { body: [bytes], headers: { "content-length": "5" } },
        { body: [] }
      ])
      assert.deepStrictEqual(yield* backend.run("raw", raw, bytes, ""), bytes)
      assert.deepStrictEqual(yield* backend.run("raw", raw, bytes, ""), bytes)
      assert.deepStrictEqual(yield* backend.run("raw", raw, new Uint8Array(), ""), new Uint8Array())
      const [asked] = yield* http.requests
      assert.deepStrictEqual(asked!.bytes, bytes)
      assert.strictEqual(asked!.headers["content-type"], "application/octet-stream")
      assert.strictEqual(asked!.headers["x-length"], "1")
      assert.strictEqual(yield* http.open, 0)
    }))

  it.effect("of bytes is held to the same limit", () =>
    Effect.gen(function*() {
      const endless: RecordedHttp.Step = { body: [bytes, bytes, RecordedHttp.hang] }
      const { backend, heard, http } = yield* stage([endless], {}, ["sk-1"], { maxResponseBytes: 9 })
      yield* Effect.flip(backend.run("raw", raw, bytes, ""))
      assert.strictEqual(heard[1], "MalformedResponse")
      assert.strictEqual(yield* http.open, 0)
    }))
})

describe("a stream", () => {
  const text = (parts: Iterable<Completion.Part>) =>
    Array.from(parts, (part) => part._tag === "TextDelta" ? part.text : "").join("")

  it.effect("that goes on after its end marker is cut off a second later, when the program is long gone on", () =>
    Effect.gen(function*() {
      const { http, llm } = yield* stage([{
        ...events(),
        body: ["data: bye\n\n", "data: say x\n\n", RecordedHttp.hang]
      }])
      assert.strictEqual(Chunk.size(yield* Stream.runCollect(llm.streamText(request))), 0)
      yield* spin
      assert.strictEqual(yield* http.open, 1)
      yield* TestClock.adjust("1 second")
      yield* spin
      assert.strictEqual(yield* http.open, 0)
      assert.strictEqual(yield* http.cancelled, 1)
    }))

  it.effect("that pours on after its end marker is cut off at once", () =>
    Effect.gen(function*() {
      const { http, llm } = yield* stage([{
        ...events(),
        body: ["data: bye\n\n", ...Array.from({ length: 100 }, () => "x".repeat(1024)), RecordedHttp.hang]
      }])
      yield* Stream.runDrain(llm.streamText(request))
      yield* spin
      yield* spin
      yield* spin
      assert.strictEqual(yield* http.open, 0)
    }))

  it.effect("on a wire without an end marker ends when its bytes do, if the wire says so", () =>
    Effect.gen(function*() {
      const { heard, llm } = yield* stage([events("say a", "say b"), events("say a", "say b")], {
        streamText: {
          ...definition.streamText!,
          reader: (exchange) => {
            const { frame } = definition.streamText!.reader(exchange)
            let seen = 0
            return {
              frame: (event, out) => {
                seen++
                return frame(event, out)
              },
              end: (out) => {
                out.push({ _tag: "TextDelta", text: "!" })
                return seen === 2 ? HttpBackend.ended({}) : undefined
              }
            }
          }
        }
      })
      assert.strictEqual(text(yield* Stream.runCollect(llm.streamText(request))), "ab!")
      assert.deepStrictEqual(heard, ["acquire 0", {}, "release 0"])
    }))

  it.effect("that was cut in the midst of an event is interrupted, not malformed", () =>
    Effect.gen(function*() {
      const { heard, llm } = yield* stage([{ ...events(), body: "data: say a\n\ndata: sa" }])
      yield* Effect.flip(Stream.runDrain(llm.streamText(request)))
      assert.strictEqual(heard[1], "StreamInterrupted")
    }))

  for (
    const [title, bare] of [
      ["on one line", "{\"error\":{\"code\":503,\"status\":\"UNAVAILABLE\",\"message\":\"no\"}}\n"],
      ["on several lines", "{\n  \"error\": {\n    \"code\": 503,\n    \"message\": \"no\"\n  }\n}\n"],
      ["in a list", "[{\n  \"error\": {\n    \"code\": 503,\n    \"message\": \"no\"\n  }\n}\n]\n"],
      ["that is not quite JSON", "{\"error\": \"he said \"no\" to me\"}"]
    ] as const
  ) {
    it.effect(`tells of an error that is bare JSON ${title}`, () =>
      Effect.gen(function*() {
        const { heard, llm } = yield* stage([{ ...events(), body: `data: say a\n\n${bare}` }])
        const error = yield* Effect.flip(Stream.runDrain(llm.streamText(request)))
        assert.strictEqual(heard[1], "ServerFault")
        assert.include(error.message, "no")
      }))
  }

  it.effect("that is empty is interrupted", () =>
    Effect.gen(function*() {
      const { heard, llm } = yield* stage([{ status: 200 }])
      yield* Effect.flip(Stream.runDrain(llm.streamText(request)))
      assert.strictEqual(heard[1], "StreamInterrupted")
    }))

  it.effect("hands over what came together in one chunk", () =>
    Effect.gen(function*() {
      const { llm } = yield* stage([events("say a", "say b", "say c", "bye")])
      const chunks = yield* Stream.runCollect(Stream.chunks(llm.streamText(request)))
      assert.deepStrictEqual(Chunk.toReadonlyArray(chunks).map(Chunk.size), [3])
    }))
})
