// SECURITY: S14 (what is for operators), S29 (no page of another origin works the gateway).
import { assert, describe, it } from "@effect/vitest"
import * as CircuitBreaker from "@spillway/core/CircuitBreaker"
import * as KeyPool from "@spillway/core/KeyPool"
import * as LlmError from "@spillway/core/LlmError"
import * as Monitor from "@spillway/core/Monitor"
import * as RequestQueue from "@spillway/core/RequestQueue"
import type * as Gateway from "@spillway/gateway/Gateway"
import * as ScriptedLlm from "@spillway/testing/ScriptedLlm"
import { Effect, HashMap, Logger, Redacted, type Scope, TestClock } from "effect"
import { json, serve, type Web } from "./web.js"

const secret = "gsk-a-key-that-nobody-may-see"
const root = "sk-spillway-root-0123456789"
const user = "sk-spillway-user-0123456789"

interface House {
  readonly web: Web
  readonly monitor: Monitor.Monitor
  readonly breaker: CircuitBreaker.CircuitBreaker
  readonly pool: KeyPool.KeyPool
  readonly log: Array<Record<string, unknown>>
  readonly act: (path: string, body: unknown, headers?: Record<string, string>) => Effect.Effect<readonly [number, any]>
}

/** A gateway with one backend, groq, and what its admin has in hand. */
const house = (options?: Gateway.Options): Effect.Effect<House, unknown, Scope.Scope> => {
  const log: House["log"] = []
  const logger = Logger.make(({ annotations, message }) => {
    log.push({ message: String(message), ...Object.fromEntries(HashMap.entries(annotations)) })
  })
  return Effect.gen(function*() {
    yield* RequestQueue.make({ backend: "groq", concurrency: 5 })
    const breaker = yield* CircuitBreaker.make({ backend: "groq" })
    const pool = yield* KeyPool.make({
      backend: "groq",
      keys: [{ name: "main", key: Redacted.make(secret) }, { name: "spare", key: Redacted.make("gsk-another") }]
    })
    yield* CircuitBreaker.make({ backend: "ollama" })
    const web = yield* serve(yield* ScriptedLlm.make(ScriptedLlm.repeat("x")), options)
    return {
      web,
      monitor: yield* Monitor.CurrentMonitor,
      breaker,
      pool,
      log,
      act: (path: string, body: unknown, headers = {}) =>
        Effect.gen(function*() {
          const response = yield* web.post(`/admin/${path}`, body, {
            headers: { "content-type": "application/json", ...headers }
          })
          return [response.status, yield* json(response)] as const
        })
    }
  }).pipe(
    Effect.provideService(RequestQueue.CurrentQueues, new Set()),
    Effect.provideService(CircuitBreaker.CurrentBreakers, new Set()),
    Effect.provideService(KeyPool.CurrentPools, new Set()),
    Effect.provideService(Monitor.CurrentMonitor, Monitor.unsafeMake()),
    Effect.provide(Logger.replace(Logger.defaultLogger, logger))
  )
}

const groq = { backend: "groq" }
const main = { backend: "groq", key: "main" }

describe("Admin", () => {
  it.scoped("pauses a backend, lets it go on, and changes its limits", () =>
    Effect.gen(function*() {
      const { act } = yield* house()
      const [status, { backend, queue }] = yield* act("queue/pause", groq)
      assert.deepStrictEqual([status, backend, queue.mode], [200, "groq", "paused"])
      assert.strictEqual((yield* act("queue/resume", groq))[1].queue.mode, "open")
      assert.deepInclude((yield* act("queue/limits", { ...groq, concurrency: 7 }))[1].queue, { concurrency: 7, capacity: 100 })
      assert.deepInclude((yield* act("queue/limits", { ...groq, capacity: 0 }))[1].queue, { concurrency: 7, capacity: 0 })
    }))

  it.scoped("opens a circuit until it is closed, or for a time, and takes it out of use", () =>
    Effect.gen(function*() {
      const { act, breaker } = yield* house()
      const tag = Effect.map(breaker.state, ({ _tag }) => _tag)
      const [status, { circuit }] = yield* act("circuit/open", groq)
      assert.deepStrictEqual([status, circuit.state, circuit.openUntil], [200, "open", undefined])
      assert.strictEqual((yield* act("circuit/close", groq))[1].circuit.state, "closed")
      yield* TestClock.setTime(1000)
      assert.deepInclude((yield* act("circuit/open", { ...groq, seconds: 60 }))[1].circuit, { state: "open", openUntil: 61_000 })
      yield* act("circuit/disable", groq)
      assert.strictEqual(yield* tag, "Disabled")
      yield* act("circuit/enable", groq)
      assert.strictEqual(yield* tag, "Closed")
    }))

  it.scoped("takes a key out of use and back, and one that was retired", () =>
    Effect.gen(function*() {
      const { act, pool } = yield* house()
      assert.strictEqual((yield* act("key/disable", main))[1].key.state, "disabled")
      assert.strictEqual((yield* pool.lease("llama")).id, "spare")
      assert.strictEqual((yield* act("key/enable", main))[1].key.state, "ready")
      const lease = yield* pool.lease("llama", { id: "main" })
      lease.failed(new LlmError.AuthenticationFailed({ ...groq, message: "no" }))
      assert.strictEqual((yield* pool.stats).find(({ id }) => id === "main")?.state, "retired")
      assert.strictEqual((yield* act("key/restore", main))[1].key.state, "ready")
    }))

  it.scoped("validates a key by asking the backend, and tells the name of the error alone", () =>
    Effect.gen(function*() {
      const { act, pool } = yield* house()
      assert.deepInclude((yield* act("key/validate", main))[1], { verdict: "unknown" })
      yield* pool.validateBy((id) =>
        id === "main"
          ? Effect.fail(new LlmError.AuthenticationFailed({ ...groq, message: `${secret} is wrong` }))
          : Effect.void
      )
      const [status, answer] = yield* act("key/validate", main)
      assert.deepStrictEqual([status, answer.verdict, answer.error], [200, "invalid", "AuthenticationFailed"])
      assert.strictEqual(answer.key.state, "retired")
      assert.notInclude(JSON.stringify(answer), secret)
      assert.deepInclude((yield* act("key/validate", { ...main, key: "spare" }))[1], { verdict: "valid" })
    }))

  it.scoped("says what is wrong with what it is asked, and changes nothing", () =>
    Effect.gen(function*() {
      const { act, monitor } = yield* house()
      for (
        const [path, body, message] of [
          ["queue/pause", { backend: "openai" }, "backend must be one with a queue: groq"],
          ["circuit/open", { backend: "openai" }, "backend must be one with a circuit: groq, ollama"],
          ["key/disable", { ...groq, key: "other" }, "key must be the name of a key of groq"],
          ["queue/limits", { ...groq, concurrency: 0 }, "concurrency must be a whole number from 1 to 100000"],
          ["queue/limits", { ...groq, concurrency: 2.5 }, "concurrency must be a whole number from 1 to 100000"],
          ["circuit/open", { ...groq, seconds: -1 }, "seconds must be a number of seconds up to 86400"],
          ["queue/pause", {}, "backend is missing"],
          ["queue/pause", { ...groq, force: true }, "force is not a field of this API"],
          ["queue/pause", "{", /The body is not JSON/]
        ] as const
      ) {
        const [status, { error }] = yield* act(path, body)
        assert.strictEqual(status, 400, message.toString())
        if (typeof message === "string") assert.strictEqual(error.message, message)
        else assert.match(error.message, message)
      }
      assert.strictEqual((yield* act("queue/unheard-of", groq))[0], 404)
      const { circuit, queue } = (yield* monitor.snapshot).backends.find(({ backend }) => backend === "groq")!
      assert.deepInclude(queue, { mode: "open", concurrency: 5, capacity: 100 })
      assert.strictEqual(circuit?.state, "closed")
    }))

  it.scoped("writes each action into the log, with who did it and on what, and no key", () =>
    Effect.gen(function*() {
      const { act, log } = yield* house({
        access: { keys: [{ name: "olga", key: Redacted.make(root), role: "admin" }] }
      })
      const headers = { authorization: `Bearer ${root}`, "x-request-id": "r-1" }
      yield* act("queue/limits", { ...groq, concurrency: 9 }, headers)
      yield* act("key/disable", main, headers)
      yield* act("key/disable", { ...main, key: "none" }, headers)
      const by = { message: "admin", requestId: "r-1", by: "olga", backend: "groq" }
      assert.deepStrictEqual(log.filter(({ message }) => message === "admin"), [
        { ...by, action: "queue/limits", concurrency: 9 },
        { ...by, action: "key/disable", key: "main" },
        { ...by, action: "key/disable", key: "none", refused: "key must be the name of a key of groq" }
      ])
      assert.notInclude(JSON.stringify(log), secret)
    }))

  it.scoped("does nothing for whoever is no admin (S14)", () =>
    Effect.gen(function*() {
      const { act, web } = yield* house({
        access: {
          keys: [{ name: "olga", key: Redacted.make(root), role: "admin" }, { name: "u", key: Redacted.make(user) }]
        }
      })
      for (const path of ["queue/pause", "circuit/open", "key/disable", "key/validate"]) {
        assert.strictEqual((yield* act(path, main))[0], 401, path)
        assert.strictEqual((yield* act(path, main, { authorization: `Bearer ${user}` }))[0], 403, path)
      }
      assert.strictEqual((yield* web.fetch("/status/events")).status, 401)
      assert.strictEqual((yield* act("queue/pause", groq, { authorization: `Bearer ${root}` }))[0], 200)
    }))

  it.scoped("does nothing for a page of another origin, nor for what a form can send (S29)", () =>
    Effect.gen(function*() {
      const { act, log, monitor } = yield* house()
      const host = "gateway.test"
      const [status, { error }] = yield* act("queue/pause", groq, { host, origin: "https://elsewhere.test" })
      assert.deepStrictEqual([status, error.code], [403, "cross_origin"])
      assert.strictEqual((yield* act("queue/pause", groq, { host, origin: "null" }))[0], 403)
      for (const type of ["text/plain", "application/x-www-form-urlencoded", "text/plain; application/json"]) {
        assert.strictEqual((yield* act("queue/pause", groq, { "content-type": type }))[0], 400, type)
      }
      assert.isFalse(log.some(({ message }) => message === "admin"))
      assert.strictEqual((yield* monitor.snapshot).backends.find(({ backend }) => backend === "groq")?.queue?.mode, "open")
      assert.strictEqual((yield* act("queue/pause", groq, { host, origin: `http://${host}` }))[0], 200)
    }))
})
