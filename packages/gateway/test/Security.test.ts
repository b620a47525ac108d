// What SECURITY.md promises of the gateway, beyond what Access.test.ts (S12 to S15), JsonBody.test.ts, Gateway.test.ts and
// Admin.test.ts hold it to. S7, S8, S17 and S25 need sockets: packages/cli/test/integration/Security.test.ts.
import * as HttpClient from "@effect/platform/HttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Monitor from "@spillway/core/Monitor"
import * as Resilience from "@spillway/core/Resilience"
import * as Telemetry from "@spillway/core/Telemetry"
import * as Tokens from "@spillway/core/Tokens"
import * as Access from "@spillway/gateway/Access"
import * as OpenAi from "@spillway/providers/OpenAi"
import * as RecordedHttp from "@spillway/testing/RecordedHttp"
import * as ScriptedLlm from "@spillway/testing/ScriptedLlm"
import { Duration, Effect, Layer, Logger, LogLevel, Redacted, TestClock } from "effect"
import { events, hi, json, serve, text as read, type Web } from "./web.js"

/** Lets everything that can go on without time go on, promises included. */
const settle = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

/** What moves a terminal, ends a line, or is nothing that one sees. */
const controls = /[\p{Cc}\p{Zl}\p{Zp}]/u

const user = (content: unknown) => [{ role: "user", content }]

const routesOf = (web: Web): Effect.Effect<ReadonlyArray<{ method: string; path: string; access: string }>> =>
  Effect.map(Effect.flatMap(web.fetch("/version"), json), ({ routes }) => routes)

/** Every path under which a client may have a call made; what is served under a prefix as well is the same. */
const callsOf = (web: Web) =>
  Effect.map(routesOf(web), (routes) =>
    routes.filter(({ access, method, path }) => access === "user" && method === "POST" && !path.startsWith("/openai/"))
      .map(({ path }) => path))

/** A gateway before OpenAI's backend, whose HTTP is recorded. */
const house = (...script: ReadonlyArray<RecordedHttp.Step | RecordedHttp.Repeat>) =>
  Effect.gen(function*() {
    const http = yield* RecordedHttp.make(...script)
    const context = yield* Layer.build(
      OpenAi.layer({ apiKeys: [Redacted.make("sk-provider-0123456789")] }).pipe(
        Resilience.layer({ retry: { maxRetries: 0 } }),
        Layer.provide(Layer.succeed(HttpClient.HttpClient, http.client))
      )
    )
    return { http, web: yield* Effect.flatMap(LlmService.LlmService, serve).pipe(Effect.provide(context)) }
  })

const chat = (content: string) =>
  RecordedHttp.json({
    id: "c",
    model: "m",
    choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }],
    usage: { prompt_tokens: 1, completion_tokens: 1 }
  })

describe("where a request goes, and with which key (S4)", () => {
  const forbidden = [
    "api_base",
    "base_url",
    "baseURL",
    "api_key",
    "apiKey",
    "key",
    "headers",
    "extra_headers",
    "extra_body",
    "organization",
    "project",
    "proxy",
    "proxies",
    "timeout",
    "max_retries",
    "api_version",
    "custom_llm_provider",
    "deployment_id",
    "url",
    "endpoint",
    "litellm_params"
  ]

  it.effect("is no field of any body", () =>
    Effect.gen(function*() {
      const llm = yield* ScriptedLlm.make()
      const web = yield* serve(llm)
      const paths = yield* callsOf(web)
      assert.includeMembers([...paths], ["/v1/chat/completions", "/v1/embeddings", "/v1/messages"])
      for (const path of paths) {
        yield* settle
        for (const name of forbidden) {
          const response = yield* web.post(path, { model: "m", [name]: "http://attacker.test/v1" })
          const said = yield* read(response)
          assert.strictEqual(response.status, 400, `${path} ${name}`)
          assert.include(said, name, `${path} ${name}`)
          assert.notInclude(said, "attacker", `${path} ${name}`)
        }
      }
      assert.deepStrictEqual(yield* llm.requests, [])
    }))

  it.scoped("is neither in the query nor in headers: the backend gets its own, made anew", () =>
    Effect.gen(function*() {
      const { http, web } = yield* house(RecordedHttp.repeat(chat("hello")))
      const query = forbidden.map((name) => `${name}=${encodeURIComponent("http://attacker.test")}`).join("&")
      const response = yield* web.post(`/v1/chat/completions?${query}`, hi, {
        headers: {
          authorization: "Bearer attacker",
          "api-key": "attacker",
          "openai-organization": "attacker",
          "openai-project": "attacker",
          "x-api-base": "http://attacker.test",
          "x-forwarded-host": "attacker.test",
          "x-litellm-api-base": "http://attacker.test",
          cookie: "session=attacker",
          referer: "http://attacker.test",
          baggage: "attacker=1"
        }
      })
      assert.strictEqual(response.status, 200)
      const [asked] = yield* http.requests
      assert.isDefined(asked)
      assert.strictEqual(asked.url.href, "https://api.openai.com/v1/chat/completions")
      assert.notInclude(JSON.stringify([asked.headers, asked.body]), "attacker")
      assert.deepStrictEqual(Object.keys(asked.headers).toSorted(), [
        "accept",
        "authorization",
        "content-length",
        "content-type",
        "user-agent"
      ])
      assert.strictEqual(asked.headers["authorization"], "Bearer sk-provider-0123456789")
    }))

  it.scoped("is not followed when a backend sends it elsewhere: the key is for one origin (S5)", () =>
    Effect.gen(function*() {
      for (const status of [301, 302, 303, 307, 308]) {
        const { http, web } = yield* house({ status, headers: { location: "http://169.254.169.254/latest/meta-data" } })
        assert.strictEqual((yield* web.post("/v1/chat/completions", hi)).status, 502)
        assert.strictEqual((yield* http.requests).length, 1)
      }
    }))
})

describe("the address of a picture (S5)", () => {
  // thirty spellings of this machine, of its network, and of the services of a cloud
  const addresses = [
    "http://127.0.0.1/",
    "http://localhost/",
    "http://127.1/",
    "http://127.0.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.0.0.1/",
    "http://0177.0.0.1/",
    "http://017700000001/",
    "http://0/",
    "http://0.0.0.0/",
    "http://[::]/",
    "http://[::1]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://169.254.169.254/latest/meta-data",
    "http://[fd00:ec2::254]/latest/meta-data",
    "http://2852039166/",
    "http://metadata.google.internal/",
    "http://100.64.0.1/",
    "http://100.100.100.200/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://192.168.0.1/",
    "http://[fe80::1]/",
    "http://[fc00::1]/",
    "http://127.0.0.1.nip.io/",
    "http://user@127.0.0.1:8787/"
  ]

  it.scoped("is handed on as it is, and never fetched: whoever is sent it decides", () =>
    Effect.gen(function*() {
      assert.strictEqual(addresses.length, 30)
      const { http, web } = yield* house(RecordedHttp.repeat(chat("hello")))
      for (const url of addresses) {
        const response = yield* web.post("/v1/chat/completions", {
          ...hi,
          messages: user([{ type: "image_url", image_url: { url } }])
        })
        assert.strictEqual(response.status, 200, url)
      }
      const asked = yield* http.requests
      assert.strictEqual(asked.length, addresses.length)
      for (const { url } of asked) assert.strictEqual(url.origin, "https://api.openai.com")
    }))

  it.effect("is that of a web page or the picture itself, and of nothing on a disk", () =>
    Effect.gen(function*() {
      const llm = yield* ScriptedLlm.make()
      const web = yield* serve(llm)
      for (const url of ["file:///etc/passwd", "ftp://x/", "gopher://x/", "javascript:alert(1)", "//x/", "/etc/passwd", ""]) {
        const response = yield* web.post("/v1/chat/completions", {
          ...hi,
          messages: user([{ type: "image_url", image_url: { url } }])
        })
        assert.strictEqual(response.status, 400, url)
      }
      assert.deepStrictEqual(yield* llm.requests, [])
    }))
})

describe("text that would be taken for something else", () => {
  const evil = [
    "\r\nset-cookie: a=b",
    "\nx: y",
    "a\u0000b",
    "a\u2028b\u2029c\u0085d",
    "\u001b[31mred\u001b[0m",
    "data: [DONE]\n\n",
    "\n\ndata: {}\n\n",
    "\revent: error\r",
    "\uFEFFdata: x",
    "\"}\n{\"level\":\"INFO\"",
    "%0d%0aset-cookie:%20a=b",
    "`${process.exit()}`"
  ]

  const logged = <A, E, R>(effect: Effect.Effect<A, E, R>) => {
    const lines: Array<string> = []
    const logger = Logger.make((line) => lines.push(Logger.jsonLogger.log(line)))
    return Effect.map(
      Effect.provide(effect, Layer.merge(Logger.replace(Logger.defaultLogger, logger), Logger.minimumLogLevel(LogLevel.All))),
      () => lines
    )
  }

  // a model's name is the one text of a client's that the gateway says again: in answers, in the log
  it.effect("comes out of no field of a request into a header, a line of the log, or a metric (S6)", () =>
    Effect.gen(function*() {
      const llm = yield* ScriptedLlm.make(ScriptedLlm.repeat(({ operation }) => operation === "listModels" ? [] : "hello"))
      const responses: Array<Response> = []
      let metrics = ""
      const lines = yield* logged(Effect.gen(function*() {
        const web = yield* serve(llm)
        for (const text of evil) {
          yield* settle
          for (
            const ask of [
              { ...hi, model: text },
              { ...hi, model: `m${text}` },
              { ...hi, user: text },
              { ...hi, stop: text },
              { ...hi, messages: user(text) },
              { ...hi, messages: [{ role: text, content: "x" }] },
              { ...hi, metadata: { [text]: text } },
              { ...hi, [text]: text },
              { ...hi, tools: [{ type: "function", function: { name: text, description: text } }] }
            ]
          ) {
            responses.push(yield* web.post("/v1/chat/completions", ask, { headers: { "x-request-id": encodeURIComponent(text) } }))
          }
          responses.push(yield* web.fetch(`/v1/models/${encodeURIComponent(text)}`), yield* web.fetch(`/${encodeURIComponent(text)}`))
        }
        metrics = yield* Effect.flatMap(web.fetch("/metrics"), read)
      }))
      assert.strictEqual(responses.length, evil.length * 11)
      for (const [index, response] of responses.entries()) {
        assert.isBelow(response.status, 500, `${index % 11} of ${Math.floor(index / 11)}`)
        for (const [name, value] of response.headers) {
          assert.match(`${name}: ${value}`, /^[\x20-\x7e]*$/)
          assert.notInclude(name, "cookie")
          assert.notInclude(value, "set-cookie")
        }
      }
      assert.isAbove(lines.length, 0)
      for (const line of lines) {
        assert.notMatch(line, controls)
        assert.isObject(JSON.parse(line))
      }
      for (const line of metrics.split("\n")) {
        assert.match(line, /^(?:|# (?:HELP|TYPE) .*|[a-zA-Z_:][\w:]*(?:\{.*\})? \S+)$/)
        assert.notMatch(line, controls)
      }
    }))

  it.effect("arrives as the text it is, in whatever pieces it comes, when a model says it (S11)", () =>
    Effect.gen(function*() {
      for (const said of evil) {
        const pieces = [...said].map((text) => ({ _tag: "TextDelta", text } as const))
        const llm = yield* ScriptedLlm.make([
          { _tag: "Start", model: "m" },
          { _tag: "TextDelta", text: said },
          ...pieces,
          { _tag: "Finish", finishReason: "stop", usage: {} }
        ])
        const web = yield* serve(llm)
        const parts = yield* Effect.flatMap(web.post("/v1/chat/completions", { ...hi, stream: true }), events)
        assert.strictEqual(parts.at(-1), "[DONE]")
        const heard = parts.slice(0, -1).map((part) => part.choices[0]?.delta.content ?? "").join("")
        assert.strictEqual(heard, said + said)
      }
    }))

  it.scoped("is no end of a stream, and no event, when a backend has it in its text (S11)", () =>
    Effect.gen(function*() {
      for (const said of evil) {
        const part = (delta: object, finish_reason: string | null = null) =>
          `data: ${JSON.stringify({ id: "c", model: "m", choices: [{ index: 0, delta, finish_reason }] })}\n\n`
        const { web } = yield* house({
          headers: { "content-type": "text/event-stream" },
          body: [part({ role: "assistant", content: said }), part({ content: said }), part({}, "stop"), "data: [DONE]\n\n"]
        })
        const parts = yield* Effect.flatMap(web.post("/v1/chat/completions", { ...hi, stream: true }), events)
        const heard = parts.slice(0, -1).map((part) => part.choices[0]?.delta.content ?? "").join("")
        assert.strictEqual(heard, said + said)
      }
    }))
})

describe("what is too much (S9)", () => {
  const boundary = (what: string, most: number, ask: (n: number) => object) =>
    it.effect(`is one more than ${most} ${what}, and neither one less nor as many`, () =>
      Effect.gen(function*() {
        const web = yield* serve(yield* ScriptedLlm.make(ScriptedLlm.repeat("x")))
        for (const [n, status] of [[most - 1, 200], [most, 200], [most + 1, 400]] as const) {
          assert.strictEqual((yield* web.post("/v1/chat/completions", { ...hi, ...ask(n) })).status, status, `${n}`)
        }
      }))

  const nested = (levels: number): unknown => levels === 0 ? 1 : [nested(levels - 1)]
  const tool = (n: number) => ({ type: "function", function: { name: `t${n}`, parameters: { type: "object" } } })
  const many = <A>(n: number, item: (n: number) => A) => Array.from({ length: n }, (_, n) => item(n))

  boundary("messages", 2048, (n) => ({ messages: many(n, () => ({ role: "user", content: "x" })) }))
  boundary("tools", 256, (n) => ({ tools: many(n, tool) }))
  boundary("stops", 16, (n) => ({ stop: many(n, (n) => `s${n}`) }))
  boundary("characters of a model's name", 256, (n) => ({ model: "m".repeat(n) }))
  // the body, tools, the tool, its function and its parameters are levels, too
  boundary("levels", 64, (n) => ({
    tools: [{ type: "function", function: { name: "t", parameters: { type: "object", x: nested(n - 5) } } }]
  }))

  it.effect("is a number out of its range, or one that is none", () =>
    Effect.gen(function*() {
      const llm = yield* ScriptedLlm.make()
      const web = yield* serve(llm)
      for (
        const ask of [
          "\"max_tokens\": 0",
          "\"max_tokens\": -1",
          "\"max_tokens\": 1.5",
          "\"max_tokens\": 1e400",
          "\"max_tokens\": 9007199254740992",
          "\"max_tokens\": \"0x10\"",
          "\"n\": 0",
          "\"n\": 1000000",
          "\"temperature\": -0.1",
          "\"temperature\": 1e9",
          "\"top_logprobs\": 1000",
          "\"best_of\": 50"
        ]
      ) {
        const response = yield* web.post("/v1/chat/completions", `{"model":"m","messages":[{"role":"user","content":"x"}],${ask}}`)
        assert.strictEqual(response.status, 400, ask)
      }
      assert.deepStrictEqual(yield* llm.requests, [])
    }))
})

describe("keys that reach into prototypes (S10)", () => {
  it.effect("are refused or taken for the names they are, and nothing has them afterwards", () =>
    Effect.gen(function*() {
      const web = yield* serve(yield* ScriptedLlm.make(ScriptedLlm.repeat("x")))
      const paths = yield* callsOf(web)
      for (const key of ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "__defineGetter__"]) {
        const evil = `{"${key}":{"polluted":true,"prototype":{"polluted":true}},"polluted":true}`
        for (const path of paths) {
          yield* settle
          for (
            const body of [
              evil,
              `{"model":"m","metadata":${evil}}`,
              `{"model":"m","messages":[{"role":"user","content":"x","${key}":${evil}}]}`,
              `{"model":"m","messages":[{"role":"user","content":"x"}],"metadata":{"${key}":"x"},"logit_bias":{"${key}":1}}`,
              `{"model":"m","messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"t","parameters":${evil}}}]}`
            ]
          ) {
            assert.isBelow((yield* web.post(path, body)).status, 500, body)
            assert.isUndefined(({} as Record<string, unknown>)["polluted"])
            assert.isUndefined((Object as unknown as Record<string, unknown>)["polluted"])
            assert.strictEqual(Object.prototype.toString.call({}), "[object Object]")
          }
        }
      }
    }))
})

describe("text that is dear to count (S16)", () => {
  for (const [what, unit] of [["one letter", "a"], ["spaces", " "], ["lines", "\n"], ["emoji", "👩‍👩‍👧"], ["Chinese", "水"], ["marks", "?!"]] as const) {
    // what takes four times as long for twice as much, takes minutes for this
    it(`is half a megabyte of ${what}, and counted like any other`, () => {
      const text = unit.repeat(512 * 1024 / unit.length)
      const whole = Tokens.ofText(text)
      const half = Tokens.ofText(text.slice(0, text.length / 2))
      assert.isAtLeast(whole, 2 * half - 2)
      assert.isAtMost(whole, 2 * half + 2)
    })
  }
})

describe("what backends say (S19)", () => {
  const page = `<html><body>${"<h1>502 Bad Gateway</h1>".repeat(1000)}\u0000\u001b[31m</body></html>`

  it.scoped("is not taken for an answer when it is a page, and told in a kibibyte without its controls", () =>
    Effect.gen(function*() {
      for (const status of [200, 500, 502]) {
        const { web } = yield* house({ status, headers: { "content-type": "text/html" }, body: page })
        const response = yield* web.post("/v1/chat/completions", hi)
        assert.strictEqual(response.status, 502)
        assert.strictEqual(response.headers.get("content-type"), "application/json")
        const { error } = yield* json(response)
        assert.isBelow(error.message.length, 1200)
        assert.notMatch(error.message, controls)
      }
    }))

  it.scoped("of usage counts only where it can be meant", () =>
    Effect.gen(function*() {
      for (const wrong of [-5, 1.5, "7", null, 1e300, { a: 1 }, [], true]) {
        const { web } = yield* house(RecordedHttp.json({
          id: "c",
          model: "m",
          choices: [{ index: 0, message: { role: "assistant", content: "hello" }, finish_reason: "stop" }],
          usage: { prompt_tokens: wrong, completion_tokens: wrong, total_tokens: wrong }
        }))
        const response = yield* web.post("/v1/chat/completions", hi)
        if (response.status !== 200) {
          assert.strictEqual(response.status, 502)
          continue
        }
        const { usage } = yield* json(response)
        for (const count of Object.values(usage ?? {})) {
          if (typeof count === "number") assert.isTrue(Number.isSafeInteger(count) && count >= 0, `${JSON.stringify(wrong)}: ${count}`)
        }
      }
    }))

  it.scoped("is never an exception, whatever JSON it is", () =>
    Effect.gen(function*() {
      const values = [null, 1, "x", [], {}, [[]], { choices: null }, { choices: [null] }, { choices: [{ message: 7 }] }, {
        choices: [{ message: { content: { a: 1 }, tool_calls: [null] } }]
      }, { error: null }, { error: { message: {} } }, { model: {}, choices: [{ message: { content: "x" } }] }]
      for (const status of [200, 400, 429, 500]) {
        for (const value of values) {
          yield* settle
          const { web } = yield* house(RecordedHttp.json(value, { status }))
          const response = yield* web.post("/v1/chat/completions", hi)
          const said = yield* json(response)
          assert.notStrictEqual(said.error?.code, "internal_error", JSON.stringify([status, value]))
        }
      }
    }))
})

describe("telemetry", () => {
  it.scoped("has nothing of what is asked and answered, in the log, the metrics or the status (S20)", () =>
    Effect.gen(function*() {
      const lines: Array<string> = []
      const logger = Logger.make((line) => lines.push(Logger.jsonLogger.log(line)))
      const pages = yield* Effect.gen(function*() {
        const { web } = yield* house(chat("the-answer"), RecordedHttp.json({ error: { message: "no the-prompt" } }, { status: 400 }))
        const ask = { ...hi, messages: [{ role: "system", content: "the-system" }, ...user("the-prompt")], user: "the-user" }
        for (let i = 0; i < 2; i++) yield* Effect.flatMap(web.post("/v1/chat/completions", ask), read)
        return yield* Effect.forEach(["/status.json", "/metrics"], (path) => Effect.flatMap(web.fetch(path), read))
      }).pipe(
        Effect.provideService(Monitor.CurrentMonitor, Monitor.unsafeMake()),
        Effect.provide(Layer.merge(Logger.replace(Logger.defaultLogger, logger), Logger.minimumLogLevel(LogLevel.All)))
      )
      assert.isAbove(lines.length, 0)
      for (const said of [...lines, ...pages]) {
        for (const content of ["the-prompt", "the-answer", "the-system", "the-user"]) assert.notInclude(said, content)
      }
    }))

  it.scoped("has no more series for all the names that clients think of (S21)", () =>
    Effect.gen(function*() {
      const fault = new LlmError.ModelNotFound({ backend: "scripted", message: "no" })
      const llm = Resilience.protect(
        yield* ScriptedLlm.make(ScriptedLlm.repeat(fault)),
        (yield* Telemetry.make("scripted")).policy
      )
      const web = yield* serve(llm)
      const series = Effect.map(Effect.flatMap(web.fetch("/metrics"), read), (text) => text.split("\n").length)
      const ask = (n: number) =>
        Effect.zipRight(
          web.post("/v1/chat/completions", { ...hi, model: `made-up-${n}`, user: `user-${n}` }, {
            headers: { "x-spillway-tenant": `tenant-${n}`, "x-request-id": `id-${n}` }
          }),
          web.fetch(`/made-up/${n}`)
        )
      for (let n = 0; n < 200; n++) yield* Effect.zipRight(settle, ask(n))
      const before = yield* series
      for (let n = 200; n < 500; n++) yield* Effect.zipRight(settle, ask(n))
      assert.isAtMost(yield* series, before + 5)
    }))
})

describe("a client's own retries (S27)", () => {
  const causes: ReadonlyArray<readonly [LlmError.LlmError, boolean]> = [
    [new LlmError.ServerFault({ backend: "b", message: "x" }), false],
    [new LlmError.NetworkFailure({ backend: "b", message: "x" }), false],
    [new LlmError.RateLimited({ backend: "b", message: "x" }), false],
    [new LlmError.TimedOut({ backend: "b", message: "x", after: Duration.seconds(1) }), false],
    [new LlmError.QueueFull({ backend: "b", message: "x", capacity: 1, waiting: 1 }), true],
    [new LlmError.CircuitOpen({ backend: "b", message: "x" }), true]
  ]

  it.effect("are of no use where the gateway has tried, and of use where nothing was sent", () =>
    Effect.gen(function*() {
      for (const [error, isOfUse] of causes) {
        for (const stream of [false, true]) {
          const web = yield* serve(yield* ScriptedLlm.make(error))
          const response = yield* web.post("/v1/chat/completions", { ...hi, stream })
          assert.isAtLeast(response.status, 429)
          assert.strictEqual(response.headers.get("x-should-retry"), isOfUse ? null : "false", error._tag)
        }
      }
    }))

  it.scoped("reach a dead backend no more than its own share, from a hundred clients that each try three times", () =>
    Effect.gen(function*() {
      const http = yield* RecordedHttp.make(RecordedHttp.repeat({ status: 503, body: "dead" }))
      const context = yield* Layer.build(
        OpenAi.layer({ apiKeys: [Redacted.make("sk-provider-0123456789")] }).pipe(
          Resilience.layer({ retry: { maxRetries: 5 } }),
          Layer.provide(Layer.succeed(HttpClient.HttpClient, http.client))
        )
      )
      const web = yield* Effect.flatMap(LlmService.LlmService, serve).pipe(Effect.provide(context))
      let offered = 0
      // what official clients do: again after a 5xx, unless told that it is of no use
      const client = Effect.gen(function*() {
        for (let attempt = 0; attempt < 3; attempt++) {
          offered++
          const response = yield* web.post("/v1/chat/completions", hi)
          if (response.headers.get("x-should-retry") === "false") return
        }
      })
      const asked = yield* Effect.fork(Effect.forEach(Array.from({ length: 100 }), () => client, { concurrency: 10, discard: true }))
      while (asked.unsafePoll() === null) {
        yield* settle
        yield* TestClock.adjust("1 second")
      }
      assert.isAtMost((yield* http.requests).length, 1.1 * offered + 10)
    }))
})

describe("what there is (S30)", () => {
  it.effect("is told to admins: the version, and every route, each of which is there", () =>
    Effect.gen(function*() {
      const web = yield* serve(yield* ScriptedLlm.make(ScriptedLlm.repeat("x")), { version: "1.2.3" })
      const { version } = yield* Effect.flatMap(web.fetch("/version"), json)
      assert.strictEqual(version, "1.2.3")
      const listed = (yield* routesOf(web)).map(({ access, method, path }) => `${access} ${method} ${path}`)
      assert.deepStrictEqual(listed.filter((route) => !route.startsWith("open GET /dashboard/")).toSorted(), ROUTES)
    }))

  it.effect("asks for the key of an admin wherever it tells of the gateway or changes it, and for some key wherever it costs", () =>
    Effect.gen(function*() {
      const key = "sk-spillway-0123456789"
      const access: Access.Options = { keys: [{ name: "somebody", key: Redacted.make(key) }] }
      const llm = yield* ScriptedLlm.make()
      const web = yield* serve(llm)
      for (const route of yield* routesOf(web)) {
        // a gateway each: who is wrong this often would be told to wait
        const guarded = yield* serve(llm, { access })
        const path = route.path.replace("*", "x")
        const init = { method: route.method }
        const stranger = yield* guarded.fetch(path, init)
        assert.strictEqual(stranger.status === 401, route.access !== "open", `${route.method} ${path}`)
        if (route.access !== "admin") continue
        const somebody = yield* guarded.fetch(path, { ...init, headers: { authorization: `Bearer ${key}` } })
        assert.strictEqual(somebody.status, 403, `${route.method} ${path}`)
      }
      assert.deepStrictEqual(yield* llm.requests, [])
    }))
})

// by hand: a route that nobody meant to add is seen here; the dashboard's own files are not listed
const ROUTES: ReadonlyArray<string> = [
  "admin GET /metrics",
  "admin GET /status.json",
  "admin GET /status/events",
  "admin GET /version",
  "admin POST /admin/circuit/close",
  "admin POST /admin/circuit/disable",
  "admin POST /admin/circuit/enable",
  "admin POST /admin/circuit/open",
  "admin POST /admin/key/disable",
  "admin POST /admin/key/enable",
  "admin POST /admin/key/restore",
  "admin POST /admin/key/validate",
  "admin POST /admin/queue/limits",
  "admin POST /admin/queue/pause",
  "admin POST /admin/queue/resume",
  "open GET /",
  "open GET /api/version",
  "open GET /dashboard",
  "open GET /healthz",
  "open GET /readyz",
  "user GET /api/ps",
  "user GET /api/tags",
  "user GET /openai/v1/models",
  "user GET /openai/v1/models/*",
  "user GET /v1/models",
  "user GET /v1/models",
  "user GET /v1/models/*",
  "user GET /v1/models/*",
  "user POST /api/chat",
  "user POST /api/embed",
  "user POST /api/embeddings",
  "user POST /api/generate",
  "user POST /api/show",
  "user POST /openai/v1/chat/completions",
  "user POST /openai/v1/completions",
  "user POST /openai/v1/embeddings",
  "user POST /openai/v1/moderations",
  "user POST /openai/v1/responses",
  "user POST /rerank",
  "user POST /v1/chat/completions",
  "user POST /v1/completions",
  "user POST /v1/embeddings",
  "user POST /v1/messages",
  "user POST /v1/messages/count_tokens",
  "user POST /v1/moderations",
  "user POST /v1/rerank",
  "user POST /v1/responses",
  "user POST /v2/rerank"
]
