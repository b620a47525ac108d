// SECURITY: S12 (who may use the gateway), S13 and S28 (tenants apart), S14 (what is for operators), S15 (limits of each
// client).
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import { assert, describe, it } from "@effect/vitest"
import * as Coalescing from "@spillway/core/Coalescing"
import * as InvalidOptions from "@spillway/core/InvalidOptions"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Prompt from "@spillway/core/Prompt"
import * as Access from "@spillway/gateway/Access"
import * as AccessKey from "@spillway/gateway/AccessKey"
import * as FailedAttempts from "@spillway/gateway/FailedAttempts"
import * as Gateway from "@spillway/gateway/Gateway"
import * as ScriptedLlm from "@spillway/testing/ScriptedLlm"
import { Duration, Effect, Either, Encoding, Fiber, Logger, LogLevel, Redacted, Schema, TestClock } from "effect"
import { events, hi, json, serve, text } from "./web.js"

const alice = "sk-spillway-alice-0123456789"
const bob = "sk-spillway-bob-0123456789"
const root = "sk-spillway-root-0123456789"

const access: Access.Options = {
  keys: [
    { name: "alice", key: Redacted.make(alice), tenant: "acme" },
    { name: "bob", key: AccessKey.hash(Redacted.make(bob)) },
    { name: "root", key: Redacted.make(root), role: "admin" }
  ]
}

const bearer = (key: string) => ({ headers: { authorization: `Bearer ${key}` } })

const only = (limits: Omit<Access.Key, "name" | "key">, more: Partial<Access.Options> = {}): Gateway.Options => ({
  access: { keys: [{ name: "alice", key: Redacted.make(alice), ...limits }], ...more }
})

const answer = (inputTokens: number, outputTokens: number): ScriptedLlm.Answer => ({
  content: [Prompt.text("hello")],
  usage: { inputTokens, outputTokens }
})

describe("Access", () => {
  describe("a key", () => {
    it.effect("is taken as a bearer's, as x-api-key, as api-key, and as a password", () =>
      Effect.gen(function*() {
        const web = yield* serve(yield* ScriptedLlm.make(ScriptedLlm.repeat("x")), { access })
        for (const key of [alice, bob, root]) {
          for (
            const headers of [
              { authorization: `Bearer ${key}` },
              { authorization: `bearer  ${key} ` },
              { "x-api-key": key },
              { "api-key": key },
              { authorization: `Basic ${Encoding.encodeBase64(`anybody:${key}`)}` }
            ]
          ) {
            assert.strictEqual((yield* web.post("/v1/chat/completions", hi, { headers })).status, 200)
          }
        }
      }))

    it.effect("that is none, of whatever kind, is told so in the same words, and nobody is asked (S12)", () =>
      Effect.gen(function*() {
        const llm = yield* ScriptedLlm.make()
        const wrong: ReadonlyArray<Record<string, string>> = [
          {},
          { authorization: "" },
          { authorization: "Bearer" },
          { authorization: "Bearer " },
          { authorization: alice },
          { authorization: `Bearer ${alice.slice(0, -1)}` },
          { authorization: `Bearer ${alice}0` },
          { authorization: `Bearer ${alice.toUpperCase()}` },
          { authorization: `Bearer ${"a".repeat(1024 * 1024)}` },
          { authorization: `Bearer ${AccessKey.hash(Redacted.make(alice))}` },
          { authorization: `Bearer ${bob}, Bearer ${alice}` },
          { authorization: `Digest ${alice}` },
          { authorization: "Basic !" },
          { authorization: `Basic ${Encoding.encodeBase64(alice)}0` },
          { authorization: `Basic ${"QUJD".repeat(100_000)}` },
          { authorization: "Bearer nobody", "x-api-key": alice },
          { "x-api-key": "__proto__" },
          { "api-key": "\u00e9" }
        ]
        const heard = new Set<string>()
        for (const headers of wrong) {
          // a gateway each: who is wrong this often would be told to wait
          const web = yield* serve(llm, { access })
          const response = yield* web.post("/v1/chat/completions", hi, { headers })
          assert.strictEqual(response.status, 401, JSON.stringify(headers).slice(0, 80))
          heard.add(JSON.stringify([response.headers.get("www-authenticate"), yield* text(response)]))
        }
        assert.deepStrictEqual([...heard].map((one) => JSON.parse(one)), [[
          "Bearer realm=\"spillway\"",
          JSON.stringify({
            error: {
              message: "This needs a key of this gateway, and the request has none that is right",
              type: "authentication_error",
              param: null,
              code: "unauthorized"
            }
          })
        ]])
        assert.deepStrictEqual(yield* llm.requests, [])
      }))

    it.effect("that is none is told so in the words of the API that its client speaks", () =>
      Effect.gen(function*() {
        const web = yield* serve(yield* ScriptedLlm.make(), { access })
        const heard = (path: string, key: string) =>
          Effect.flatMap(web.post(path, hi, { headers: { "x-api-key": key, "anthropic-version": "2023-06-01" } }), json)
        const message = "This needs a key of this gateway, and the request has none that is right"
        const { error, type } = yield* heard("/v1/messages", "wrong")
        assert.deepStrictEqual([type, error.type, error.message], ["error", "authentication_error", message])
        assert.deepStrictEqual(yield* heard("/api/chat", "wrong"), { error: message })
      }))

    it.effect("is not taken from the address, where it would be logged (S12)", () =>
      Effect.gen(function*() {
        const web = yield* serve(yield* ScriptedLlm.make(), { access })
        for (const query of [`key=${alice}`, `api_key=${alice}`, `access_token=${alice}`]) {
          assert.strictEqual((yield* web.post(`/v1/chat/completions?${query}`, hi)).status, 401)
        }
      }))

    it.effect("is in no log, and neither is one that is wrong; whose it is stands there (S1)", () => {
      const lines: Array<string> = []
      const logger = Logger.make((line) => lines.push(Logger.stringLogger.log(line)))
      return Effect.gen(function*() {
        const web = yield* serve(yield* ScriptedLlm.make("x"), { access })
        yield* Effect.flatMap(web.post("/v1/chat/completions", hi, bearer(alice)), text)
        yield* Effect.flatMap(web.post("/v1/chat/completions", hi, bearer("sk-spillway-wrong-0123456789")), text)
        const log = lines.join("\n")
        assert.include(log, "client=alice")
        assert.include(log, "Unauthorized")
        assert.notInclude(log, "0123456789")
      }).pipe(Effect.provide(Logger.replace(Logger.defaultLogger, logger)), Logger.withMinimumLogLevel(LogLevel.All))
    })

    it("is made of random bytes, and kept as its hash", () => {
      const made = AccessKey.fromBytes(new Uint8Array(32).fill(7))
      assert.strictEqual(Redacted.value(made.key), "sk-spillway-BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc")
      assert.strictEqual(made.hash, AccessKey.hash(made.key))
      // what sha256sum says of "abc"
      assert.strictEqual(AccessKey.digest("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    })
  })

  describe("who says wrong keys", () => {
    const check = (kept: Access.Access, key: string, address: string, now: number) =>
      kept.check(
        HttpServerRequest.fromWeb(new Request("http://gateway.test/", bearer(key))).modify({ remoteAddress: address }),
        "user",
        now
      )
    const kept = () => Access.make(Schema.decodeSync(Access.Settings)(access))

    it("is told to wait after ten of them, twice as long each time, and up to a minute (S12)", () => {
      const gate = kept()
      const waits = Array.from({ length: 20 }, () =>
        Either.match(check(gate, "wrong", "192.0.2.1", 0), {
          onLeft: ({ reason, retryAfter }) =>
            reason === "LimitReached" && retryAfter !== undefined ? Duration.toMillis(retryAfter) : reason,
          onRight: () => "let in"
        }))
      assert.deepStrictEqual(waits, [
        ...Array.from({ length: 10 }, () => "Unauthorized"),
        1000,
        2000,
        4000,
        8000,
        16_000,
        32_000,
        60_000,
        60_000,
        60_000,
        60_000
      ])
    })

    it("shuts nobody out: neither who comes from elsewhere, nor who has a right key, be it from the same address", () => {
      const gate = kept()
      for (let i = 0; i < 100; i++) check(gate, "wrong", "192.0.2.1", i)
      assert.isTrue(Either.isRight(check(gate, alice, "192.0.2.1", 100)))
      const other = check(gate, "wrong", "192.0.2.2", 100)
      assert.strictEqual(Either.getOrThrow(Either.flip(other)).reason, "Unauthorized")
    })

    it("does not guess who says none", () => {
      const gate = kept()
      const request = HttpServerRequest.fromWeb(new Request("http://gateway.test/")).modify({ remoteAddress: "192.0.2.1" })
      for (let i = 0; i < 100; i++) {
        assert.strictEqual(Either.getOrThrow(Either.flip(gate.check(request, "user", i))).reason, "Unauthorized")
      }
    })

    it("begins anew after a minute of silence", () => {
      const gate = kept()
      for (let i = 0; i < 100; i++) check(gate, "wrong", "192.0.2.1", 0)
      const later = (now: number) => Either.getOrThrow(Either.flip(check(gate, "wrong", "192.0.2.1", now))).reason
      assert.strictEqual(later(59_999), "LimitReached")
      assert.strictEqual(later(59_999 + 60_000), "Unauthorized")
    })

    it("is known by the network that is his, however it is written, and takes no memory without end (S21)", () => {
      const failed = FailedAttempts.make()
      for (
        const address of ["2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2:3::", "2001:db8:1:2:0:0:0:1"]
      ) failed.add(address, 0)
      assert.strictEqual(failed.size(), 1)
      failed.add("::ffff:192.0.2.1", 0)
      failed.add("192.0.2.1", 0)
      assert.strictEqual(failed.size(), 2)
      for (const address of ["::1", "2001:db8::1", "fe80::1"]) failed.add(address, 0)
      assert.strictEqual(failed.size(), 5)
      for (let i = 0; i < 3 * FailedAttempts.most; i++) failed.add(`a${i}`, i)
      assert.strictEqual(failed.size(), FailedAttempts.most)
    })
  })

  describe("what is for operators", () => {
    const pages = ["/status.json", "/metrics"]

    it.effect("is shown to nobody without a key, and to none but admins (S14)", () =>
      Effect.gen(function*() {
        const web = yield* serve(yield* ScriptedLlm.make(), { access })
        for (const path of pages) {
          assert.strictEqual((yield* web.fetch(path)).status, 401, path)
          const user = yield* web.fetch(path, bearer(alice))
          assert.deepStrictEqual([user.status, (yield* json(user)).error.code], [403, "forbidden"], path)
          assert.strictEqual((yield* web.fetch(path, bearer(root))).status, 200, path)
        }
      }))

    it.effect("asks a browser for its password, and a program for its bearer's key", () =>
      Effect.gen(function*() {
        const web = yield* serve(yield* ScriptedLlm.make(), { access })
        const challenge = (headers: HeadersInit) =>
          Effect.map(web.fetch("/status.json", { headers }), (response) => response.headers.get("www-authenticate"))
        assert.strictEqual(yield* challenge({ accept: "text/html,*/*" }), "Basic realm=\"spillway\", charset=\"UTF-8\"")
        assert.strictEqual(yield* challenge({ accept: "*/*" }), "Bearer realm=\"spillway\"")
      }))

    it.effect("does not hold whether it lives and is ready, which tell nothing else (S14)", () =>
      Effect.gen(function*() {
        const web = yield* serve(yield* ScriptedLlm.make(), { access, version: "9.9.9" })
        assert.deepStrictEqual(yield* Effect.flatMap(web.fetch("/healthz"), json), { status: "ok" })
        assert.deepStrictEqual(yield* Effect.flatMap(web.fetch("/readyz"), json), { status: "ready" })
      }))

    it.effect("is open, as all else is, where the gateway has no keys", () =>
      Effect.gen(function*() {
        const web = yield* serve(yield* ScriptedLlm.make("x"))
        for (const path of pages) assert.strictEqual((yield* web.fetch(path)).status, 200)
        assert.strictEqual((yield* web.post("/v1/chat/completions", hi)).status, 200)
      }))

    it.effect("tells no page of another origin anything, by no header that would let it read (S14)", () =>
      Effect.gen(function*() {
        const web = yield* serve(yield* ScriptedLlm.make(), { access })
        for (const path of [...pages, "/healthz"]) {
          const response = yield* web.fetch(path, { headers: { origin: "https://evil.example", ...bearer(root).headers } })
          for (const name of response.headers.keys()) assert.notInclude(name, "access-control")
        }
      }))
  })

  describe("a tenant", () => {
    it.effect("is the key's, and no header chooses another (S13)", () =>
      Effect.gen(function*() {
        const llm = yield* ScriptedLlm.make(ScriptedLlm.repeat("x"))
        const web = yield* serve(llm, { access })
        const ask = (key: string, tenant?: string) =>
          web.post("/v1/chat/completions", hi, {
            headers: { ...bearer(key).headers, ...(tenant !== undefined && { "x-spillway-tenant": tenant }) }
          })
        yield* ask(alice)
        yield* ask(alice, "acme")
        yield* ask(bob)
        assert.deepStrictEqual((yield* llm.requests).map(({ tenant }) => tenant), ["acme", "acme", "bob"])
        for (const key of [bob, root]) {
          const response = yield* ask(key, "acme")
          const { error } = yield* json(response)
          assert.deepStrictEqual([response.status, error.code, error.param], [403, "forbidden", "x-spillway-tenant"])
        }
        assert.strictEqual((yield* llm.requests).length, 3)
      }))

    it.effect("does not share another's answer to the same question (S13, S28)", () =>
      Effect.gen(function*() {
        const vectors = { model: "m", vectors: [[1]], usage: {} }
        const llm = yield* ScriptedLlm.make(ScriptedLlm.repeat(Effect.delay(Effect.succeed(vectors), "1 second")))
        const web = yield* serve(yield* Coalescing.make(llm), { access })
        const ask = (key: string) => web.post("/v1/embeddings", { model: "m", input: "the same" }, bearer(key))
        const asked = yield* Effect.fork(
          Effect.all([ask(alice), ask(alice), ask(bob), ask(bob)], { concurrency: "unbounded" })
        )
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual((yield* Fiber.join(asked)).map(({ status }) => status), [200, 200, 200, 200])
        assert.deepStrictEqual((yield* llm.requests).map(({ tenant }) => tenant), ["acme", "bob"])
      }).pipe(Effect.scoped))
  })

  describe("a client", () => {
    it.effect("is as urgent as it says, and no more than it may", () =>
      Effect.gen(function*() {
        const llm = yield* ScriptedLlm.make(ScriptedLlm.repeat("x"))
        for (
          const [priority, said, is] of [
            [undefined, undefined, 1],
            [undefined, "high", 0],
            ["normal", "high", 1],
            ["normal", "low", 2],
            ["low", undefined, 2],
            [1.5, "0.5", 1.5],
            [1.5, "1.7", 1.7]
          ] as const
        ) {
          const web = yield* serve(llm, only({ priority }))
          const headers = { ...bearer(alice).headers, ...(said !== undefined && { "x-spillway-priority": said }) }
          yield* web.post("/v1/chat/completions", hi, { headers })
          assert.strictEqual((yield* llm.requests).at(-1)?.priority, is)
        }
      }))

    it.effect("is told when to come again, once it has made its requests of the minute (S15)", () =>
      Effect.gen(function*() {
        const llm = yield* ScriptedLlm.make(ScriptedLlm.repeat("x"))
        const web = yield* serve(llm, only({ requestsPerMinute: 3 }))
        const ask = web.post("/v1/chat/completions", hi, bearer(alice))
        for (let i = 0; i < 3; i++) assert.strictEqual((yield* ask).status, 200)
        const refused = yield* ask
        assert.strictEqual(refused.status, 429)
        assert.strictEqual(refused.headers.get("retry-after"), "20")
        assert.isNull(refused.headers.get("x-should-retry"))
        assert.deepStrictEqual((yield* json(refused)).error.code, "limit_reached")
        assert.strictEqual((yield* llm.requests).length, 3)
        yield* TestClock.adjust("19 seconds")
        assert.strictEqual((yield* ask).status, 429)
        yield* TestClock.adjust("1 second")
        assert.strictEqual((yield* ask).status, 200)
        assert.strictEqual((yield* ask).status, 429)
      }))

    it.effect("has so many calls at once, streams until their last byte, and no more (S15)", () =>
      Effect.gen(function*() {
        const slow = Effect.delay(Effect.succeed("x"), "1 minute")
        const web = yield* serve(yield* ScriptedLlm.make(slow, "in one go", "y", "z"), only({ maxConcurrent: 2 }))
        const ask = (more = {}) => web.post("/v1/chat/completions", { ...hi, ...more }, bearer(alice))
        const waiting = yield* Effect.fork(ask())
        yield* TestClock.adjust(1)
        const stream = yield* ask({ stream: true })
        assert.strictEqual(stream.status, 200)
        const refused = yield* ask()
        assert.deepStrictEqual([refused.status, refused.headers.get("retry-after")], [429, "1"])
        yield* events(stream)
        assert.strictEqual((yield* ask()).status, 200)
        yield* Fiber.interrupt(waiting)
        yield* TestClock.adjust("1 minute")
        const later = yield* ask()
        assert.strictEqual(later.status, 200)
      }))

    it.effect("takes the tokens that a call may use, and is charged what it has used (S15)", () =>
      Effect.gen(function*() {
        const llm = yield* ScriptedLlm.make(ScriptedLlm.repeat(answer(10, 90)))
        const web = yield* serve(llm, only({ tokensPerMinute: 1000 }))
        const ask = (max_tokens: number, stream = false) =>
          Effect.tap(
            web.post("/v1/chat/completions", { ...hi, max_tokens, stream }, bearer(alice)),
            (response) => response.status === 200 ? text(response) : Effect.void
          )
        // 1000 are there; 500 and the prompt are taken, 100 were used, five times, whether the answer is streamed or not
        for (const stream of [false, true, false, true, false]) assert.strictEqual((yield* ask(500, stream)).status, 200)
        // 500 are left
        const refused = yield* ask(600)
        assert.strictEqual(refused.status, 429)
        assert.strictEqual((yield* json(refused)).error.code, "limit_reached")
        assert.isNull(refused.headers.get("x-should-retry"))
        assert.strictEqual(Number(refused.headers.get("retry-after")), 7)
        yield* TestClock.adjust("7 seconds")
        assert.strictEqual((yield* ask(600)).status, 200)
      }))

    it.effect("gets the tokens back of a call that failed, and owes what was used beyond the estimate (S15)", () =>
      Effect.gen(function*() {
        const fault = new LlmError.ServerFault({ backend: "scripted", message: "down" })
        const llm = yield* ScriptedLlm.make(fault, fault, [fault], answer(0, 1500), "x")
        const web = yield* serve(llm, only({ tokensPerMinute: 1000 }))
        const ask = (more = {}) => web.post("/v1/chat/completions", { ...hi, max_tokens: 900, ...more }, bearer(alice))
        for (const more of [{}, {}, { stream: true }]) assert.strictEqual((yield* ask(more)).status, 502)
        assert.strictEqual((yield* ask()).status, 200)
        const refused = yield* ask({ max_tokens: 1 })
        assert.strictEqual(refused.status, 429)
        assert.isAtLeast(Number(refused.headers.get("retry-after")), 30)
        yield* TestClock.adjust("31 seconds")
        assert.strictEqual((yield* ask({ max_tokens: 1 })).status, 200)
      }))

    it.effect("that asks for more than a minute's tokens waits until all of them are there, and no longer", () =>
      Effect.gen(function*() {
        const web = yield* serve(yield* ScriptedLlm.make(ScriptedLlm.repeat("x")), only({ tokensPerMinute: 100 }))
        const ask = web.post("/v1/chat/completions", { ...hi, max_tokens: 150 }, bearer(alice))
        assert.strictEqual((yield* ask).status, 200)
        assert.strictEqual((yield* ask).status, 429)
        yield* TestClock.adjust("2 minutes")
        assert.strictEqual((yield* ask).status, 200)
      }))

    it.effect("asks for no more tokens than it may, and gets that bound where it sets none (S15)", () =>
      Effect.gen(function*() {
        const llm = yield* ScriptedLlm.make(ScriptedLlm.repeat("x"))
        const web = yield* serve(llm, only({ maxTokens: 100 }))
        const ask = (more = {}) => web.post("/v1/chat/completions", { ...hi, ...more }, bearer(alice))
        const refused = yield* ask({ max_tokens: 101 })
        const { error } = yield* json(refused)
        assert.deepStrictEqual([refused.status, error.code, error.param], [400, "invalid_request", "max_tokens"])
        yield* ask({ max_tokens: 100 })
        yield* ask({ max_tokens: 7 })
        yield* ask()
        yield* Effect.flatMap(ask({ stream: true }), text)
        assert.deepStrictEqual(
          (yield* llm.requests).map((asked) => "request" in asked && "maxTokens" in asked.request && asked.request.maxTokens),
          [100, 7, 100, 100]
        )
      }))

    it.effect("sees and asks the models that it may, and of others not even that they are there (S13)", () =>
      Effect.gen(function*() {
        const models = ["groq/a", "groq/b", "openai/c", "fast"].map((id) => ({ id }))
        const llm = yield* ScriptedLlm.make(ScriptedLlm.repeat(({ operation }) => operation === "listModels" ? models : "x"))
        const web = yield* serve(llm, only({ models: ["groq/*", "fast"] }))
        const list = yield* Effect.flatMap(web.fetch("/v1/models", bearer(alice)), json)
        assert.deepStrictEqual(list.data.map(({ id }: { readonly id: string }) => id), ["groq/a", "groq/b", "fast"])
        assert.strictEqual((yield* web.fetch("/v1/models/openai/c", bearer(alice))).status, 404)
        const ask = (model: string) => web.post("/v1/chat/completions", { ...hi, model }, bearer(alice))
        for (const model of ["groq/a", "fast"]) assert.strictEqual((yield* ask(model)).status, 200)
        for (const model of ["openai/c", "GROQ/a", "groq", "fast/", ""]) {
          assert.include([400, 404], (yield* ask(model)).status, model)
        }
      }))

    it.effect("shares its tenant's limits with the tenant's other keys, and a refusal takes nothing from either (S15)", () =>
      Effect.gen(function*() {
        const web = yield* serve(yield* ScriptedLlm.make(ScriptedLlm.repeat("x")), {
          access: {
            keys: [
              { name: "one", key: Redacted.make(alice), tenant: "acme", requestsPerMinute: 2 },
              { name: "two", key: Redacted.make(bob), tenant: "acme" },
              { name: "else", key: Redacted.make(root) }
            ],
            tenants: { acme: { requestsPerMinute: 4 } }
          }
        })
        const ask = (key: string) =>
          Effect.map(web.post("/v1/chat/completions", hi, bearer(key)), ({ status }) => status)
        assert.deepStrictEqual(yield* Effect.all([ask(alice), ask(alice), ask(alice), ask(alice)]), [200, 200, 429, 429])
        assert.deepStrictEqual(yield* Effect.all([ask(bob), ask(bob), ask(bob)]), [200, 200, 429])
        assert.strictEqual(yield* ask(root), 200)
      }))
  })

  describe("options", () => {
    const wrong = (access: unknown) =>
      Effect.flip(Gateway.make({ access: access as Access.Options })).pipe(
        Effect.provideService(LlmService.LlmService, LlmService.make("none", {}))
      )
    const key = { name: "a", key: Redacted.make(alice) }

    it.effect("that cannot be meant are told by field, and never with a key", () =>
      Effect.gen(function*() {
        for (
          const [access, field] of [
            [{ keys: [] }, "access.keys"],
            [{ keys: [{ ...key, key: "sk-in-the-clear-0123456789" }] }, "access.keys.0.key"],
            [{ keys: [{ ...key, key: Redacted.make("too-short") }] }, "access.keys.0.key"],
            [{ keys: [{ ...key, key: Redacted.make("with a line\nend 0123456789") }] }, "access.keys.0.key"],
            [{ keys: [{ ...key, key: Redacted.make("x".repeat(513)) }] }, "access.keys.0.key"],
            [{ keys: [{ ...key, key: "sha256:abc0123456789" }] }, "access.keys.0.key"],
            [{ keys: [{ ...key, key: Redacted.make("sha256:abc0123456789") }] }, "access.keys.0.key"],
            [{ keys: [key, { ...key, key: Redacted.make(bob) }] }, "access.keys.1.name"],
            [{ keys: [key, { name: "b", key: AccessKey.hash(key.key) }] }, "access.keys.1.key"],
            [{ keys: [{ ...key, name: "a b" }] }, "access.keys.0.name"],
            [{ keys: [{ ...key, tenant: "" }] }, "access.keys.0.tenant"],
            [{ keys: [{ ...key, role: "root" }] }, "access.keys.0.role"],
            [{ keys: [{ ...key, priority: 3 }] }, "access.keys.0.priority"],
            [{ keys: [{ ...key, requestsPerMinute: 0 }] }, "access.keys.0.requestsPerMinute"],
            [{ keys: [{ ...key, models: [""] }] }, "access.keys.0.models.0"],
            [{ keys: [{ ...key, burst: 1 }] }, "access.keys.0.burst"],
            [{ keys: [key], tenants: { acme: { maxConcurrent: 0.5 } } }, "access.tenants.acme.maxConcurrent"]
          ] as const
        ) {
          const error = yield* wrong(access)
          assert.instanceOf(error, InvalidOptions.InvalidOptions)
          assert.strictEqual(error.field, field)
          assert.notInclude(error.message, "0123456789")
        }
      }))
  })
})
