/** A collector of OpenTelemetry on loopback, and what it is told of the calls of a gateway. */
import { assert, describe, it } from "@effect/vitest"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpServer from "@effect/platform/HttpServer"
import * as Monitor from "@spillway/core/Monitor"
import * as Resilience from "@spillway/core/Resilience"
import * as Router from "@spillway/core/Router"
import * as Gateway from "@spillway/gateway/Gateway"
import * as OpenAi from "@spillway/providers/OpenAi"
import * as Simulator from "@spillway/testing/Simulator"
import { ConfigProvider, Effect, Layer, Logger, Redacted } from "effect"
import * as Http from "node:http"
import type * as Net from "node:net"
import * as NodeHttp from "../../src/NodeHttp.js"
import * as OpenTelemetry from "../../src/OpenTelemetry.js"
import * as Spillway from "./spillway.js"

interface Told {
  readonly path: string
  readonly headers: Http.IncomingHttpHeaders
  readonly body: string
}

const collector = Effect.acquireRelease(
  Effect.async<{ readonly url: string; readonly told: ReadonlyArray<Told>; readonly server: Http.Server }>((resume) => {
    const told: Array<Told> = []
    const server = Http.createServer((request, response) => {
      let body = ""
      request.setEncoding("latin1").on("data", (data) => body += data).on("end", () => {
        told.push({ path: request.url!, headers: request.headers, body })
        response.end("{}")
      })
    })
    server.listen(0, "127.0.0.1", () =>
      resume(Effect.succeed({ url: `http://127.0.0.1:${(server.address() as Net.AddressInfo).port}`, told, server })))
  }),
  ({ server }) => Effect.sync(() => server.close())
)

const key = "sk-secret-of-the-provider"
const prompt = "the prompt that nobody may see"
const traceId = "4bf92f3577b34da6a3ce929d0e0e4736"
const traceparent = `00-${traceId}-00f067aa0ba902b7-01`

/** Runs calls through a gateway in the environment, which has ended when this has. */
const served = (environment: Record<string, string>, calls: (url: string) => Promise<unknown>) =>
  Effect.gen(function*() {
    const simulator = yield* Simulator.make({ keys: [key] })
    const server = yield* NodeHttp.listen({ host: "127.0.0.1", port: 0 })
    const openai = OpenAi.layer({ apiKeys: [Redacted.make(key)], baseUrl: "http://simulator/openai/v1" }).pipe(
      Resilience.layer({ retry: { maxRetries: 1, initialDelay: "10 millis" } })
    )
    yield* Layer.build(
      Gateway.serve().pipe(
        Layer.provide(Layer.succeed(HttpServer.HttpServer, server)),
        Layer.provide(Router.layer({ openai })),
        Layer.provide(Layer.succeed(HttpClient.HttpClient, simulator.client))
      )
    )
    yield* Effect.promise(() => calls(NodeHttp.urlOf(server, "127.0.0.1")))
    return yield* simulator.requests
  }).pipe(
    Effect.scoped,
    Effect.provide(OpenTelemetry.layer),
    Effect.provideService(Monitor.CurrentMonitor, Monitor.unsafeMake()),
    Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(environment)))),
    Effect.provide(Logger.remove(Logger.defaultLogger))
  )

const ask = (url: string, body: object, headers: Record<string, string> = {}) =>
  fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers,
    body: JSON.stringify({ messages: [{ role: "user", content: prompt }], model: "openai/gpt-4o-mini", ...body })
  }).then((response) => response.text())

describe("OpenTelemetry", () => {
  it.scopedLive("a collector is told of calls by the names of generative AI, and of no key, prompt or answer", () =>
    Effect.gen(function*() {
      const { told, url } = yield* collector
      let answer = ""
      yield* served({
        OTEL_EXPORTER_OTLP_ENDPOINT: `${url}/`,
        OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
        OTEL_EXPORTER_OTLP_HEADERS: "x-tenant=a%20b",
        OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=test"
      }, async (url) => {
        answer = JSON.parse(await ask(url, {}, { traceparent })).choices[0].message.content
        await ask(url, { stream: true })
        await ask(url, { model: "openai/no-such-model" })
      })
      assert.includeMembers(told.map(({ path }) => path), ["/v1/traces", "/v1/metrics"])
      assert.isTrue(told.every(({ headers }) => headers["x-tenant"] === "a b"))

      const traces = told.filter(({ path }) => path === "/v1/traces").map(({ body }) => JSON.parse(body).resourceSpans[0])
      const resource = new Map(traces[0].resource.attributes.map((a: any) => [a.key, a.value.stringValue]))
      assert.deepStrictEqual(
        [resource.get("service.name"), resource.get("deployment.environment.name")],
        ["spillway", "test"]
      )
      const spans: Array<any> = traces.flatMap(({ scopeSpans }) => scopeSpans[0].spans)
      const attributes = (span: any) => Object.fromEntries(span.attributes.map((a: any) => [a.key, Object.values(a.value)[0]]))
      const ours = spans.filter((span) => span.traceId === traceId)
      const byName = (name: string) => ours.find((span) => span.name === name)
      const server = byName("POST /v1/chat/completions")
      const call = byName("chat gpt-4o-mini")
      assert.strictEqual(server.parentSpanId, "00f067aa0ba902b7")
      assert.strictEqual(call.parentSpanId, server.spanId)
      assert.strictEqual(byName("attempt").parentSpanId, call.spanId)
      const said = attributes(call)
      assert.deepInclude(said, {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o-mini"
      })
      assert.isAbove(Number(said["gen_ai.usage.input_tokens"]), 0)
      const failed = spans.find((span) => span.name === "chat no-such-model")
      assert.deepInclude(attributes(failed), { "error.type": "ModelNotFound" })

      const everything = told.map(({ body, headers }) => JSON.stringify(headers) + body).join("\n")
      assert.include(everything, "llm_requests_total")
      assert.isAbove(answer.length, 10)
      for (const secret of [key, prompt, answer]) assert.notInclude(everything, secret)
    }))

  it.scopedLive("backends are told of the trace, and of the span that asks them", () =>
    Effect.gen(function*() {
      const { told, url } = yield* collector
      const backend = yield* Effect.acquireRelease(
        Effect.async<{ readonly url: string; readonly asked: Array<Http.IncomingHttpHeaders>; readonly server: Http.Server }>(
          (resume) => {
            const asked: Array<Http.IncomingHttpHeaders> = []
            const server = Http.createServer((request, response) => {
              asked.push(request.headers)
              response.writeHead(404, { "content-type": "application/json" }).end("{}")
            })
            server.listen(0, "127.0.0.1", () => {
              resume(Effect.succeed({ url: `http://127.0.0.1:${(server.address() as Net.AddressInfo).port}`, asked, server }))
            })
          }
        ),
        ({ server }) => Effect.sync(() => server.close())
      )
      yield* Effect.gen(function*() {
        const server = yield* NodeHttp.listen({ host: "127.0.0.1", port: 0 })
        yield* Layer.build(
          Gateway.serve().pipe(
            Layer.provide(Layer.succeed(HttpServer.HttpServer, server)),
            Layer.provide(OpenAi.layer({ apiKeys: [Redacted.make(key)], baseUrl: backend.url }).pipe(Resilience.layer())),
            Layer.provide(NodeHttp.client)
          )
        )
        const gateway = NodeHttp.urlOf(server, "127.0.0.1")
        yield* Effect.promise(() => ask(gateway, {}, { traceparent, tracestate: "congo=t61" }))
      }).pipe(
        Effect.scoped,
        Effect.provide(OpenTelemetry.layer),
        Effect.withConfigProvider(ConfigProvider.fromMap(
          new Map([["OTEL_EXPORTER_OTLP_ENDPOINT", url], ["OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"]])
        )),
        Effect.provide(Logger.remove(Logger.defaultLogger))
      )
      const spans = told.filter(({ path }) => path === "/v1/traces")
        .flatMap(({ body }) => JSON.parse(body).resourceSpans[0].scopeSpans[0].spans)
      const attempt = spans.find((span) => span.name === "attempt")
      assert.strictEqual(backend.asked[0]?.["traceparent"], `00-${traceId}-${attempt.spanId}-01`)
      assert.strictEqual(backend.asked[0]?.["tracestate"], "congo=t61")
    }))

  it.scopedLive("nothing is told of a trace whose caller did not sample it, nor by protobuf what JSON would not", () =>
    Effect.gen(function*() {
      const { told, url } = yield* collector
      yield* served({ OTEL_EXPORTER_OTLP_ENDPOINT: url }, (url) =>
        ask(url, {}, { traceparent: traceparent.replace(/01$/, "00") }))
      assert.isFalse(told.some(({ path }) => path === "/v1/traces"))
      assert.isTrue(told.every(({ headers }) => headers["content-type"] === "application/x-protobuf"))
      for (const secret of [key, prompt]) assert.notInclude(told.map(({ body }) => body).join(), secret)
    }))

  it.skipIf(Spillway.missing !== undefined)("what is not told yet is told when the process is asked to end", () =>
    Effect.gen(function*() {
      const { told, url } = yield* collector
      const process = (words: ReadonlyArray<string>, environment?: Record<string, string>) =>
        Effect.acquireRelease(
          Effect.sync(() => Spillway.start(words, environment)),
          ({ ended, process }) => Effect.promise(() => (process.kill("SIGKILL"), ended))
        )
      const simulator = yield* process(["simulate", "--port", "0"])
      const gateway = yield* process(["serve", "--port", "0"], {
        OPENAI_API_KEY: "sim-key-1",
        OPENAI_BASE_URL: `${yield* Effect.promise(() => simulator.url)}/openai/v1`,
        OTEL_EXPORTER_OTLP_ENDPOINT: url,
        OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
        OTEL_BSP_SCHEDULE_DELAY: "600000",
        OTEL_METRIC_EXPORT_INTERVAL: "600000"
      })
      const address = yield* Effect.promise(() => gateway.url)
      yield* Effect.promise(() => ask(address, {}))
      assert.lengthOf(told, 0)
      gateway.process.kill("SIGTERM")
      assert.strictEqual((yield* Effect.promise(() => gateway.ended)).code, 0)
      assert.sameMembers(told.map(({ path }) => path), ["/v1/traces", "/v1/metrics"])
      const everything = told.map(({ body }) => body).join("\n")
      assert.include(everything, "chat gpt-4o-mini")
      for (const secret of ["sim-key-1", prompt]) assert.notInclude(everything, secret)
    }).pipe(Effect.scoped, Effect.runPromise), 60_000)

  it.scopedLive("what cannot be meant is refused, without quoting it", () =>
    Effect.gen(function*() {
      for (
        const [environment, says] of [
          [{ OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4318" }, "OTEL_EXPORTER_OTLP_ENDPOINT"],
          [{ OTEL_EXPORTER_OTLP_HEADERS: "secret" }, "OTEL_EXPORTER_OTLP_HEADERS"],
          [{ OTEL_EXPORTER_OTLP_HEADERS: "a=%E0%A4%A" }, "OTEL_EXPORTER_OTLP_HEADERS"],
          [{ OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }, "OTEL_EXPORTER_OTLP_PROTOCOL"],
          [{ OTEL_TRACES_SAMPLER: "some" }, "OTEL_TRACES_SAMPLER"],
          [{ OTEL_TRACES_SAMPLER_ARG: "2" }, "OTEL_TRACES_SAMPLER_ARG"]
        ] as const
      ) {
        const error = yield* Layer.build(OpenTelemetry.layer).pipe(
          Effect.flip,
          Effect.withConfigProvider(ConfigProvider.fromMap(
            new Map(Object.entries({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1", ...environment }))
          ))
        )
        assert.include(String(error), says)
        assert.notInclude(String(error), "secret")
      }
    }))

  it.scopedLive("where no collector is named nothing is loaded", () =>
    Effect.gen(function*() {
      for (const environment of [{}, { OTEL_EXPORTER_OTLP_ENDPOINT: "" }, { OTEL_EXPORTER_OTLP_ENDPOINT: "http://x", OTEL_SDK_DISABLED: "true" }]) {
        const asked = yield* served(environment as Record<string, string>, (url) => ask(url, {}))
        assert.lengthOf(asked, 1)
      }
    }))
})
