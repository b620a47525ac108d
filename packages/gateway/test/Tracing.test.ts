import { assert, describe, it } from "@effect/vitest"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as TraceContext from "@spillway/core/TraceContext"
import { Effect, Exit, Logger, Option, Stream, Tracer } from "effect"
import { hi, serve, text } from "./web.js"

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736"
const traceparent = `00-${traceId}-00f067aa0ba902b7-01`

/** A tracer that keeps what it is told. */
const recording = () => {
  const spans: Array<Tracer.Span & { exit?: Exit.Exit<unknown, unknown> }> = []
  const tracer = Tracer.make({
    span: (name, parent, context, links, startTime, kind) => {
      const attributes = new Map<string, unknown>()
      const span: typeof spans[number] = {
        _tag: "Span",
        name,
        spanId: String(spans.length + 1).padStart(16, "0"),
        traceId: Option.isSome(parent) ? parent.value.traceId : "a".repeat(32),
        parent,
        context,
        status: { _tag: "Started", startTime },
        attributes,
        links,
        sampled: true,
        kind,
        end: (_, exit) => void (span.exit = exit),
        attribute: (name, value) => void attributes.set(name, value),
        event() {},
        addLinks() {}
      }
      spans.push(span)
      return span
    },
    context: (run) => run()
  })
  return { spans, tracer }
}

/** A service that remembers what a backend would be told of the trace. */
const service = () => {
  const told: Array<unknown> = []
  const tell = Effect.withFiberRuntime<void>((fiber) => Effect.sync(() => told.push(TraceContext.ofFiber(fiber))))
  const llm = LlmService.make("told", {
    generateText: ({ model }) =>
      Effect.zipRight(tell, Effect.fail(new LlmError.ServerFault({ backend: "told", model, message: "gone" }))),
    streamText: ({ model }) =>
      Stream.concat(
        Stream.fromEffect(Effect.as(tell, { _tag: "Start", model } as const)),
        Stream.fromEffect(Effect.as(tell, { _tag: "Finish", finishReason: "stop", usage: {} } as const))
      )
  })
  return { llm, told }
}

describe("the trace of a request", () => {
  it.effect("is passed on to the backend as it came where there is no tracer, with every part of a stream", () =>
    Effect.gen(function*() {
      const { llm, told } = service()
      const web = yield* serve(llm)
      const headers = { traceparent, tracestate: "congo=t61rcWkgMzE" }
      yield* Effect.flatMap(web.post("/v1/chat/completions", { ...hi, stream: true }, { headers }), text)
      yield* Effect.flatMap(web.post("/v1/chat/completions", hi, { headers }), text)
      assert.deepStrictEqual(told, [headers, headers, headers])
    }))

  it.effect("is none where none came, or one that is none", () =>
    Effect.gen(function*() {
      const { llm, told } = service()
      const web = yield* serve(llm)
      yield* web.post("/v1/chat/completions", hi)
      yield* web.post("/v1/chat/completions", hi, { headers: { traceparent: "00-1-2-3" } })
      assert.deepStrictEqual(told, [undefined, undefined])
    }))

  it.effect("goes on in a span of the gateway's where there is a tracer, which lasts as long as the answer", () =>
    Effect.gen(function*() {
      const { llm, told } = service()
      const { spans, tracer } = recording()
      yield* Effect.gen(function*() {
        const web = yield* serve(llm)
        const path = "/v1/chat/completions?secret=1"
        const headers = { traceparent, authorization: "Bearer sk-secret" }
        const response = yield* web.post(path, { ...hi, stream: true }, { headers })
        const server = () => spans.filter(({ name }) => name === "POST /v1/chat/completions")
        assert.isUndefined(server()[0]!.exit)
        yield* text(response)
        yield* web.post(path, hi)
        yield* web.post(path, "{")
        yield* web.fetch("/healthz")
        assert.deepStrictEqual(
          server().map(({ attributes, exit, kind, traceId }) => [
            kind,
            traceId,
            exit?._tag,
            attributes.get("http.response.status_code"),
            attributes.get("error.type")
          ]),
          [
            ["server", traceId, "Success", 200, undefined],
            ["server", "a".repeat(32), "Failure", 502, "ServerFault"],
            ["server", "a".repeat(32), "Success", 400, "InvalidJson"]
          ]
        )
        assert.deepStrictEqual(told[0], { traceparent: `00-${traceId}-${server()[0]!.spanId}-01` })
        const all = JSON.stringify(server().map(({ attributes, name }) => [name, [...attributes]]))
        assert.notInclude(all, "secret")
      }).pipe(Effect.withTracer(tracer))
    }))

  it.effect("is named in the log, beside the tenant; a model's name is written so that a terminal takes no orders", () =>
    Effect.gen(function*() {
      const lines: Array<Record<string, unknown>> = []
      const logger = Logger.make(({ annotations }) => void lines.push(Object.fromEntries(annotations)))
      yield* Effect.gen(function*() {
        const web = yield* serve(service().llm)
        const headers = { traceparent, "x-spillway-tenant": "acme" }
        yield* Effect.flatMap(web.post("/v1/chat/completions", { ...hi, model: "m\u202ecipher" }, { headers }), text)
        while (lines.length === 0) yield* Effect.yieldNow()
      }).pipe(Effect.provide(Logger.replace(Logger.defaultLogger, logger)))
      assert.deepInclude(lines.at(-1), { traceId, tenant: "acme", model: "m\ufffdcipher", status: 502, error: "ServerFault" })
    }))
})
