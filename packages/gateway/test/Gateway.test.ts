import * as HttpApp from "@effect/platform/HttpApp"
import { assert, describe, it } from "@effect/vitest"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Gateway from "@spillway/gateway/Gateway"
import * as ScriptedLlm from "@spillway/testing/ScriptedLlm"
import { Effect, Exit, Fiber, Layer, Logger, LogLevel, Stream, TestClock } from "effect"
import { hi, json, serve, text } from "./web.js"

const mebibyte = 1024 * 1024

describe("Gateway", () => {
  describe("a request", () => {
    it.effect("for a path that is not served is told so in OpenAI's words", () =>
      Effect.gen(function*() {
        const web = yield* serve(yield* ScriptedLlm.make())
        for (const path of ["/v1", "/chat/completions", "/v1/chat/completions/", "/v1/modelsx", "/constructor"]) {
          const response = yield* web.fetch(path)
          assert.strictEqual(response.status, 404, path)
          assert.deepStrictEqual(yield* json(response), {
            error: {
              message: "There is nothing under this path",
              type: "invalid_request_error",
              param: null,
              code: "unknown_route"
            }
          })
        }
      }))

    it.effect("with a method that the path does not take is told which it takes", () =>
      Effect.gen(function*() {
        const web = yield* serve(yield* ScriptedLlm.make())
        for (
          const [method, path, allow] of [
            ["GET", "/v1/chat/completions", "POST"],
            ["DELETE", "/v1/chat/completions", "POST"],
            ["OPTIONS", "/v1/embeddings", "POST"],
            ["POST", "/v1/models", "GET"],
            ["DELETE", "/v1/models/a/b", "GET"],
            ["PUT", "/healthz", "GET"]
          ] as const
        ) {
          const response = yield* web.fetch(path, { method })
          assert.strictEqual(response.status, 405, `${method} ${path}`)
          assert.strictEqual(response.headers.get("allow"), allow)
          assert.strictEqual((yield* json(response)).error.code, "method_not_allowed")
        }
      }))

    it.effect("for the head of a page gets no body", () =>
      Effect.gen(function*() {
        const web = yield* serve(yield* ScriptedLlm.make())
        const response = yield* web.fetch("/healthz", { method: "HEAD" })
        assert.deepStrictEqual([response.status, yield* text(response)], [200, ""])
      }))

    it.effect("keeps its id, or is given one unlike any other", () =>
      Effect.gen(function*() {
        const web = yield* serve(yield* ScriptedLlm.make(ScriptedLlm.repeat("x")))
        const id = (init?: RequestInit) =>
          Effect.map(web.post("/v1/chat/completions", hi, init), (response) => response.headers.get("x-request-id"))
        assert.strictEqual(yield* id({ headers: { "x-request-id": "mine-1" } }), "mine-1")
        const ids = yield* Effect.all([id(), id(), id({ headers: { "x-request-id": "not one" } })])
        for (const made of ids) assert.match(made ?? "", /^req-[a-z0-9]+-[a-z0-9]+-[a-z0-9]+$/)
        assert.strictEqual(new Set(ids).size, 3)
        assert.isNotNull((yield* web.fetch("/nowhere")).headers.get("x-request-id"))
      }))

    it.effect("from a web page of another origin is refused (S29)", () =>
      Effect.gen(function*() {
        const llm = yield* ScriptedLlm.make(ScriptedLlm.repeat("x"))
        const web = yield* serve(llm)
        const ask = (origin: string) =>
          web.post("/v1/chat/completions", hi, { headers: { origin, host: "127.0.0.1:8787" } })
        for (const origin of ["https://evil.example", "null", "http://127.0.0.1:3000", "http://127.0.0.1:87870"]) {
          const response = yield* ask(origin)
          assert.deepStrictEqual([response.status, (yield* json(response)).error.code], [403, "cross_origin"])
        }
        assert.strictEqual((yield* llm.requests).length, 0)
        assert.strictEqual((yield* ask("http://127.0.0.1:8787")).status, 200)
      }))

    it.effect("with a header that cannot be read is refused by the header's name", () =>
      Effect.gen(function*() {
        const llm = yield* ScriptedLlm.make()
        const web = yield* serve(llm)
        const response = yield* web.post("/v1/chat/completions", hi, { headers: { "x-spillway-priority": "urgent" } })
        const { error } = yield* json(response)
        assert.deepStrictEqual([response.status, error.param, error.code], [400, "x-spillway-priority", "invalid_request"])
        assert.strictEqual((yield* llm.requests).length, 0)
      }))

    it.effect("that meets a bug is told so, without what the bug says", () =>
      Effect.gen(function*() {
        const web = yield* serve(yield* ScriptedLlm.make(Effect.die(new Error("sk-secret"))))
        const response = yield* web.post("/v1/chat/completions", hi, { headers: { "x-request-id": "r-1" } })
        const body = yield* json(response)
        assert.deepStrictEqual([response.status, body.error.code], [500, "internal_error"])
        assert.include(body.error.message, "r-1")
        assert.notInclude(JSON.stringify(body), "sk-secret")
      }))
  })

  describe("a body", () => {
    it.effect("that is no JSON is refused with the place", () =>
      Effect.gen(function*() {
        const web = yield* serve(yield* ScriptedLlm.make())
        const response = yield* web.post("/v1/chat/completions", "{\n  \"model\": parrot\n}")
        assert.deepStrictEqual([response.status, yield* json(response)], [400, {
          error: {
            message: "The body is not JSON: line 2, column 12: expected a value",
            type: "invalid_request_error",
            param: null,
            code: "invalid_json"
          }
        }])
        for (const path of ["/v1/chat/completions", "/v1/embeddings"]) {
          assert.strictEqual((yield* web.fetch(path, { method: "POST" })).status, 400)
          assert.strictEqual((yield* web.post(path, "")).status, 400)
        }
      }))

    it.effect("may come under any content type, but not compressed (S9)", () =>
      Effect.gen(function*() {
        const web = yield* serve(yield* ScriptedLlm.make(ScriptedLlm.repeat("x")))
        for (const type of ["application/json", "text/plain", "application/x-www-form-urlencoded"]) {
          const response = yield* web.post("/v1/chat/completions", hi, { headers: { "content-type": type } })
          assert.strictEqual(response.status, 200, type)
        }
        const response = yield* web.post("/v1/chat/completions", hi, { headers: { "content-encoding": "gzip" } })
        assert.deepStrictEqual([response.status, (yield* json(response)).error.code], [415, "unsupported_encoding"])
      }))

    it.effect("of 10 MiB is taken and one byte more is not, whether it says its length or not (S9)", () =>
      Effect.gen(function*() {
        const web = yield* serve(yield* ScriptedLlm.make(ScriptedLlm.repeat("x")))
        const body = (bytes: number) => {
          const json = JSON.stringify(hi)
          return json + " ".repeat(bytes - json.length)
        }
        // lib.dom does not know of duplex, which a streamed body needs
        const chunked = (text: string): RequestInit =>
          Object.assign({ duplex: "half" }, { method: "POST", body: new Blob([text]).stream() })
        for (const [bytes, status] of [[10 * mebibyte, 200], [10 * mebibyte + 1, 413]] as const) {
          const told = yield* web.post("/v1/chat/completions", body(bytes), { headers: { "content-length": `${bytes}` } })
          assert.strictEqual(told.status, status)
          const untold = yield* web.fetch("/v1/chat/completions", chunked(body(bytes)))
          assert.strictEqual(untold.status, status)
          if (status === 413) assert.strictEqual((yield* json(untold)).error.code, "body_too_large")
        }
        assert.strictEqual((yield* web.fetch("/v1/chat/completions", chunked(body(21 * mebibyte)))).status, 413)
        const lying = yield* web.post("/v1/chat/completions", body(11 * mebibyte), { headers: { "content-length": "9" } })
        assert.strictEqual(lying.status, 413)
      }))

    it.effect("may be allowed to be smaller", () =>
      Effect.gen(function*() {
        const web = yield* serve(yield* ScriptedLlm.make(ScriptedLlm.repeat("x")), { bodyLimit: 1024 })
        const long = { ...hi, messages: [{ role: "user", content: "é".repeat(600) }] }
        assert.strictEqual((yield* web.post("/v1/chat/completions", long)).status, 413)
        assert.strictEqual((yield* web.post("/v1/chat/completions", hi)).status, 200)
      }))

    it.effect("that would reach into a prototype is refused (S10)", () =>
      Effect.gen(function*() {
        const web = yield* serve(yield* ScriptedLlm.make())
        const response = yield* web.post("/v1/chat/completions", "{\"__proto__\": {\"polluted\": true}}")
        assert.deepStrictEqual([response.status, (yield* json(response)).error.param], [400, "__proto__"])
        assert.isUndefined(({} as Record<string, unknown>)["polluted"])
      }))
  })

  describe("a client that goes away", () => {
    it.effect("before the answer takes the call with it", () =>
      Effect.gen(function*() {
        const llm = yield* ScriptedLlm.make(ScriptedLlm.repeat(Effect.never))
        const web = yield* serve(llm)
        for (const [i, stream] of [false, true].entries()) {
          const abort = new AbortController()
          yield* Effect.fork(web.post("/v1/chat/completions", { ...hi, stream }, { signal: abort.signal }))
          yield* until(Effect.map(llm.inFlight, (n) => n === 1))
          assert.strictEqual(yield* web.gateway.inFlight, 1)
          abort.abort()
          yield* until(Effect.map(llm.interrupted, (n) => n === i + 1))
          yield* until(Effect.map(web.gateway.inFlight, (n) => n === 0))
          assert.strictEqual(yield* llm.inFlight, 0)
        }
      }))

    it.effect("in the midst of a stream takes the call with it", () =>
      Effect.gen(function*() {
        const llm = yield* ScriptedLlm.make([
          { _tag: "Start", model: "parrot" },
          { _tag: "TextDelta", text: "hel" },
          Effect.never
        ])
        const web = yield* serve(llm)
        const response = yield* web.post("/v1/chat/completions", { ...hi, stream: true })
        const reader = response.body!.getReader()
        yield* Effect.promise(() => reader.read())
        yield* Effect.promise(() => reader.read())
        assert.deepStrictEqual([yield* llm.inFlight, yield* web.gateway.inFlight], [1, 1])
        yield* Effect.promise(() => reader.cancel())
        assert.deepStrictEqual([yield* llm.interrupted, yield* llm.inFlight], [1, 0])
        assert.strictEqual(yield* web.gateway.inFlight, 0)
      }))

    it.effect("is known to the backend for one who left, and one who stays for one who was served", () =>
      Effect.gen(function*() {
        const exits: Array<boolean> = []
        const web = yield* serve(LlmService.make("watching", {
          streamText: ({ model }) =>
            Stream.unwrapScoped(Effect.as(
              Effect.addFinalizer((exit) => Effect.sync(() => exits.push(Exit.isInterrupted(exit)))),
              Stream.concat(
                Stream.make({ _tag: "Start", model } as const),
                model === "short"
                  ? Stream.make({ _tag: "Finish", finishReason: "stop", usage: {} } as const)
                  : Stream.never
              )
            ))
        }))
        const ask = (model: string) => web.post("/v1/chat/completions", { ...hi, model, stream: true })
        yield* Effect.flatMap(ask("short"), text)
        assert.deepStrictEqual(exits, [false])
        const response = yield* ask("endless")
        yield* settle
        yield* Effect.promise(() => response.body!.cancel())
        assert.deepStrictEqual(exits, [false, true])
      }))

    it.effect("without reading holds the backend back", () =>
      Effect.gen(function*() {
        let pulled = 0
        const web = yield* serve(LlmService.make("endless", {
          streamText: () =>
            Stream.repeatEffect(Effect.sync(() => {
              pulled++
              return pulled === 1
                ? { _tag: "Start", model: "endless" } as const
                : { _tag: "TextDelta", text: "x" } as const
            }))
        }))
        const response = yield* web.post("/v1/chat/completions", { ...hi, stream: true })
        for (let i = 0; i < 1000; i++) yield* Effect.yieldNow()
        assert.isBelow(pulled, 5)
        yield* Effect.promise(() => response.body!.cancel())
      }))
  })

  describe("draining", () => {
    const slow = Effect.delay(Effect.succeed("done"), "10 seconds")

    it.effect("lets calls in flight end, refuses new ones, and stays alive (S25)", () =>
      Effect.gen(function*() {
        const llm = yield* ScriptedLlm.make(slow, [
          { _tag: "Start", model: "parrot" },
          Effect.delay(Effect.succeed({ _tag: "Finish", finishReason: "stop", usage: {} } as const), "20 seconds")
        ])
        const web = yield* serve(llm)
        const whole = yield* Effect.fork(web.post("/v1/chat/completions", hi))
        yield* until(Effect.map(llm.inFlight, (n) => n === 1))
        const streamed = yield* web.post("/v1/chat/completions", { ...hi, stream: true })
        const streamedText = yield* Effect.fork(text(streamed))
        assert.strictEqual(yield* web.gateway.inFlight, 2)

        const drained = yield* Effect.fork(web.gateway.drain)
        yield* until(Effect.map(web.fetch("/readyz"), (response) => response.status === 503))
        for (const refused of [yield* web.post("/v1/chat/completions", hi), yield* web.fetch("/v1/models")]) {
          assert.strictEqual(refused.status, 503)
          assert.strictEqual(refused.headers.get("retry-after"), "1")
          assert.isNull(refused.headers.get("x-should-retry"))
          assert.strictEqual((yield* json(refused)).error.code, "draining")
        }
        assert.strictEqual((yield* web.fetch("/healthz")).status, 200)
        assert.strictEqual((yield* Effect.flatMap(web.fetch("/status.json"), json)).state, "draining")

        yield* TestClock.adjust("10 seconds")
        assert.strictEqual((yield* Fiber.join(whole)).status, 200)
        assert.isNull(yield* Effect.sync(() => drained.unsafePoll()))
        yield* TestClock.adjust("10 seconds")
        assert.include(yield* Fiber.join(streamedText), "data: [DONE]")
        assert.deepStrictEqual(yield* Fiber.join(drained), { ended: 2, cut: 0 })
        assert.deepStrictEqual(yield* web.gateway.drain, { ended: 2, cut: 0 }, "and again is the same")
      }))

    it.effect("is over at once when there is nothing to wait for", () =>
      Effect.gen(function*() {
        const web = yield* serve(yield* ScriptedLlm.make())
        assert.deepStrictEqual(yield* web.gateway.drain, { ended: 0, cut: 0 })
      }))

    it.effect("ends streams that outlast the grace with an event that says so, the silent ones too, and cuts what is no stream (S25)", () =>
      Effect.gen(function*() {
        const tick = Effect.delay(Effect.succeed({ _tag: "TextDelta", text: "x" } as const), "300 millis")
        const llm = yield* ScriptedLlm.make(
          Effect.never,
          [{ _tag: "Start", model: "parrot" }, ...Array.from({ length: 100 }, () => tick)],
          [{ _tag: "Start", model: "parrot" }, Effect.never]
        )
        const web = yield* serve(llm, { grace: "5 seconds" })
        const whole = yield* Effect.fork(web.post("/v1/chat/completions", hi))
        yield* until(Effect.map(llm.inFlight, (n) => n === 1))
        const busy = yield* Effect.flatMap(web.post("/v1/chat/completions", { ...hi, stream: true }), (response) =>
          Effect.fork(text(response)))
        const silent = yield* Effect.flatMap(web.post("/v1/chat/completions", { ...hi, stream: true }), (response) =>
          Effect.fork(text(response)))
        const drained = yield* Effect.fork(web.gateway.drain)
        for (let i = 0; i < 80; i++) yield* Effect.zipRight(TestClock.adjust("100 millis"), settle)

        assert.deepStrictEqual(yield* Fiber.join(drained), { ended: 2, cut: 1 })
        for (const said of [yield* Fiber.join(busy), yield* Fiber.join(silent)]) {
          assert.notInclude(said, "[DONE]")
          assert.deepStrictEqual(JSON.parse(said.trimEnd().split("\n\n").at(-1)!.slice(6)).error.code, "draining")
        }
        const response = yield* Fiber.join(whole)
        assert.deepStrictEqual([response.status, (yield* json(response)).error.code], [503, "draining"])
        assert.deepStrictEqual([yield* llm.inFlight, yield* web.gateway.inFlight], [0, 0])
      }))

    it.effect("waits no longer than the grace where it cannot be interrupted: as the last thing that a program does (S25)", () =>
      Effect.gen(function*() {
        const llm = yield* ScriptedLlm.make(Effect.never)
        const web = yield* serve(llm, { grace: "5 seconds" })
        const whole = yield* Effect.fork(web.post("/v1/chat/completions", hi))
        yield* until(Effect.map(llm.inFlight, (n) => n === 1))
        const drained = yield* Effect.fork(Effect.uninterruptible(web.gateway.drain))
        for (let i = 0; i < 80; i++) yield* Effect.zipRight(TestClock.adjust("100 millis"), settle)
        assert.isNotNull(drained.unsafePoll())
        assert.deepStrictEqual(yield* Fiber.join(drained), { ended: 0, cut: 1 })
        assert.strictEqual((yield* Fiber.join(whole)).status, 503)
      }))
  })

  describe("the access log", () => {
    const logged = <A, E>(effect: Effect.Effect<A, E>) => {
      const lines: Array<string> = []
      const logger = Logger.map(Logger.structuredLogger, (line) => void lines.push(JSON.stringify(line)))
      return effect.pipe(
        Effect.provide(Layer.merge(Logger.add(logger), Logger.minimumLogLevel(LogLevel.All))),
        Effect.as(lines)
      )
    }

    it.effect("has one line for a request, told when its answer has ended, and no prompt, answer or key in it (S1, S20)", () =>
      Effect.gen(function*() {
        const llm = yield* ScriptedLlm.make(
          "the answer",
          [
            { _tag: "Start", model: "parrot" },
            Effect.delay(Effect.succeed({ _tag: "TextDelta", text: "the answer" } as const), "2 seconds"),
            new LlmError.ServerFault({ backend: "scripted", message: "gone" })
          ]
        )
        const lines = yield* logged(Effect.gen(function*() {
          const web = yield* serve(llm)
          const init = { headers: { authorization: "Bearer sk-secret", "x-request-id": "r-1" } }
          const ask = { ...hi, messages: [{ role: "user", content: "the prompt" }] }
          yield* web.post("/v1/chat/completions?api_key=sk-secret", ask, init)
          const response = yield* web.post("/v1/chat/completions", { ...ask, stream: true }, init)
          const body = yield* Effect.fork(text(response))
          yield* settle
          yield* TestClock.adjust("2 seconds")
          yield* Fiber.join(body)
          yield* web.fetch("/v1/models/", { method: "POST" })
          yield* web.fetch("/healthz")
        }))
        for (const secret of ["sk-secret", "the prompt", "the answer"]) assert.notInclude(lines.join(), secret)
        const told = lines.map((line) => JSON.parse(line)).map(({ logLevel, message, annotations }) => ({
          logLevel,
          message,
          ...annotations
        }))
        assert.deepStrictEqual(told, [
          {
            logLevel: "INFO",
            message: "request",
            requestId: "r-1",
            route: "POST /v1/chat/completions",
            status: 200,
            millis: 0,
            model: "scripted/parrot"
          },
          {
            logLevel: "INFO",
            message: "request",
            requestId: "r-1",
            route: "POST /v1/chat/completions",
            status: 200,
            millis: 2000,
            model: "scripted/parrot",
            error: "ServerFault"
          },
          {
            logLevel: "INFO",
            message: "request",
            requestId: told[2].requestId,
            route: "unknown",
            status: 405,
            millis: 0,
            error: "MethodNotAllowed"
          },
          {
            logLevel: "DEBUG",
            message: "request",
            requestId: told[3].requestId,
            route: "GET /healthz",
            status: 200,
            millis: 0
          }
        ])
      }))
  })

  describe("options", () => {
    it.effect("that cannot be meant are refused when the gateway is made", () =>
      Effect.gen(function*() {
        for (
          const [options, field] of [
            [{ bodyLimit: 0 }, "bodyLimit"],
            [{ bodyLimit: 1.5e6 + 0.5 }, "bodyLimit"],
            [{ grace: -1 }, "grace"],
            [{ version: "" }, "version"]
          ] as const
        ) {
          const error = yield* Effect.flip(Gateway.make(options))
          assert.strictEqual(error.field, field)
        }
      }).pipe(Effect.provide(ScriptedLlm.layer())))
  })

  it("is an app like any other: a Request in, a Response out", async () => {
    const { handler, dispose } = HttpApp.toWebHandlerLayer(
      Effect.flatMap(Gateway.Gateway, ({ app }) => app),
      Layer.mergeAll(
        Gateway.layer().pipe(Layer.provide(ScriptedLlm.layer("hello"))),
        Logger.remove(Logger.defaultLogger)
      )
    )
    const response = await handler(
      new Request("http://localhost/v1/chat/completions", { method: "POST", body: JSON.stringify(hi) })
    )
    const body: any = await response.json()
    assert.strictEqual(body.choices[0].message.content, "hello")
    await dispose()
  })
})

/** Lets everything that can go on without time go on, promises included. */
const settle = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

const until = (condition: Effect.Effect<boolean>): Effect.Effect<void> =>
  Effect.flatMap(Effect.zipRight(settle, condition), (met) => met ? Effect.void : until(condition))
