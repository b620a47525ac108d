import { assert, describe, it } from "@effect/vitest"
import * as Monitor from "@spillway/core/Monitor"
import * as ScriptedLlm from "@spillway/testing/ScriptedLlm"
import { Effect, TestClock } from "effect"
import { read } from "./exposition.js"
import { hi, json, serve, text } from "./web.js"

const key = (id: string, state: Monitor.Key["state"]): Monitor.Key => ({
  id,
  state,
  inFlight: 0,
  requests: 0,
  successes: 0,
  failures: {},
  inputTokens: 0,
  outputTokens: 0
})

const queue: Monitor.Queue = {
  capacity: 10,
  concurrency: 5,
  waiting: 0,
  inFlight: 0,
  oldestWaitMillis: 0,
  admitted: 0,
  rejected: 0,
  abandoned: 0
}

/** A gateway that sees the given backends, and no others. */
const watching = (...backends: ReadonlyArray<Monitor.Backend>) =>
  Effect.gen(function*() {
    const monitor = Monitor.unsafeMake()
    for (const { backend, ...rest } of backends) yield* monitor.register({ backend, read: () => rest })
    const llm = yield* ScriptedLlm.make(ScriptedLlm.repeat("x"))
    return yield* Effect.provideService(serve(llm, { version: "1.2.3" }), Monitor.CurrentMonitor, monitor)
  })

describe("Status", () => {
  it.scoped("/healthz is well as long as there is an answer at all", () =>
    Effect.gen(function*() {
      const web = yield* watching({ backend: "openai", keys: [key("one", "retired")] })
      yield* web.gateway.drain
      const response = yield* web.fetch("/healthz")
      assert.deepStrictEqual([response.status, yield* json(response)], [200, { status: "ok" }])
    }))

  it.scoped("/readyz is ready when one backend can serve", () =>
    Effect.gen(function*() {
      const dead: Monitor.Backend = { backend: "dead", keys: [key("a", "retired"), key("b", "exhausted")] }
      for (
        const [backends, status] of [
          [[], 200],
          [[{ backend: "bare" }], 200],
          [[dead], 503],
          [[dead, { backend: "groq", keys: [key("a", "retired"), key("b", "ready")] }], 200],
          [[{ backend: "groq", keys: [key("a", "cooling")] }], 200],
          [[{ backend: "groq", circuit: { state: "open", failures: 5, opened: 1 } }], 503],
          [[{ backend: "groq", circuit: { state: "open", failures: 0, opened: 1, openUntil: 1 } }], 503],
          [[{ backend: "groq", circuit: { state: "open", failures: 0, opened: 1, openUntil: 0 } }], 200],
          [[{ backend: "groq", circuit: { state: "half-open", failures: 5, opened: 1 } }], 200],
          [[{ backend: "groq", circuit: { state: "isolated", failures: 0, opened: 1 } }], 503],
          [[{ backend: "groq", circuit: { state: "disabled", failures: 0, opened: 1 } }], 200],
          [[{ backend: "groq", queue: { ...queue, waiting: 10 } }], 503],
          [[{ backend: "groq", queue: { ...queue, waiting: 9 } }], 200],
          [[{ backend: "groq", queue: { ...queue, mode: "open" } }], 200],
          [[{ backend: "groq", queue: { ...queue, mode: "paused" } }], 503],
          [[{ backend: "groq", queue: { ...queue, mode: "shut" } }], 503]
        ] as const
      ) {
        const web = yield* watching(...backends)
        const response = yield* web.fetch("/readyz")
        assert.strictEqual(response.status, status, JSON.stringify(backends))
        assert.deepStrictEqual(
          yield* json(response),
          status === 200 ? { status: "ready" } : { status: "unready", reason: "no backend can serve" }
        )
      }
    }))

  it.scoped("/readyz is not ready once the gateway drains", () =>
    Effect.gen(function*() {
      const web = yield* watching()
      yield* web.gateway.drain
      const response = yield* web.fetch("/readyz")
      assert.deepStrictEqual([response.status, yield* json(response)], [503, { status: "unready", reason: "draining" }])
    }))

  it.scoped("/status.json shows everything that is going on", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(1000)
      const openai: Monitor.Backend = {
        backend: "openai",
        queue,
        circuit: { state: "closed", failures: 0, opened: 0 },
        keys: [key("one", "ready")]
      }
      const web = yield* watching(openai, { backend: "groq" })
      yield* web.post("/v1/chat/completions", hi)
      yield* web.post("/v1/chat/completions", "{")
      yield* TestClock.adjust("5 seconds")
      const response = yield* web.fetch("/status.json")
      assert.strictEqual(response.headers.get("cache-control"), "no-store")
      assert.deepStrictEqual(yield* json(response), {
        version: "1.2.3",
        state: "accepting",
        startedAt: 1000,
        uptimeMillis: 5000,
        inFlight: 0,
        requests: [
          { route: "POST /v1/chat/completions", status: 200, count: 1 },
          { route: "POST /v1/chat/completions", status: 400, count: 1 }
        ],
        at: 6000,
        backends: [openai, { backend: "groq" }]
      })
    }))

  it.scoped("/metrics is in the format that Prometheus scrapes", () =>
    Effect.gen(function*() {
      const web = yield* watching({ backend: "openai", queue, keys: [key("o\"ne", "ready")] })
      yield* web.post("/v1/chat/completions", hi)
      yield* web.fetch("/no\"where\n")
      yield* web.fetch("/else")
      yield* TestClock.adjust("2 seconds")
      const response = yield* web.fetch("/metrics")
      assert.strictEqual(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8")
      const samples = read(yield* text(response))
      for (
        const [series, value] of [
          ["spillway_http_requests_total{route=\"POST /v1/chat/completions\",status=\"200\"}", 1],
          ["spillway_http_requests_total{route=\"unknown\",status=\"404\"}", 2],
          ["spillway_http_in_flight", 0],
          ["spillway_uptime_seconds", 2],
          ["spillway_queue_capacity{backend=\"openai\"}", 10],
          ["spillway_key_state{backend=\"openai\",key=\"o\\\"ne\",state=\"ready\"}", 1]
        ] as const
      ) assert.strictEqual(samples.get(series), value, series)
    }))

  it.scoped("none of them holds what a client sent (S1, S20)", () =>
    Effect.gen(function*() {
      const web = yield* watching({ backend: "openai" })
      yield* web.post("/v1/chat/completions?key=sk-secret", { ...hi, user: "sk-secret" }, {
        headers: { authorization: "Bearer sk-secret", "x-request-id": "sk-secret" }
      })
      yield* web.fetch("/sk-secret")
      for (const path of ["/status.json", "/metrics", "/readyz", "/healthz"]) {
        assert.notInclude(yield* Effect.flatMap(web.fetch(path), text), "sk-secret", path)
      }
    }))
})
