import { HttpApp } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, Exit, Fiber, Layer, Redacted, Stream, TestClock } from "effect"
import { HttpClient } from "@effect/platform"
import * as Simulator from "@spillway/testing/Simulator"
import { answer, anthropic, ask, chat, groq, ollama, openai, text } from "./SimulatorCalls.js"

const second = { authorization: "Bearer sim-key-2" }

describe("Simulator: keys and limits", () => {
  it.effect("has four keys unless told otherwise, and knows no others", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      assert.deepStrictEqual(simulator.keys.map(Redacted.value), ["sim-key-1", "sim-key-2", "sim-key-3", "sim-key-4"])
      assert.strictEqual((yield* ask(simulator, openai, chat("hi"), { authorization: "Bearer sim-key-4" })).status, 200)
      assert.strictEqual((yield* ask(simulator, openai, chat("hi"), { authorization: "Bearer sim-key-5" })).status, 401)
    })
  )

  it.effect("refuses the request over the limit, and takes it exactly when it said so", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make({ requestsPerMinute: 7, burst: 2 })
      assert.strictEqual((yield* ask(simulator, openai, chat("1"))).status, 200)
      assert.strictEqual((yield* ask(simulator, openai, chat("2"))).status, 200)
      const refused = yield* answer(simulator, openai, chat("3"))
      assert.strictEqual(refused.status, 429)
      assert.strictEqual(refused.headers["retry-after-ms"], "8572")
      yield* TestClock.adjust("8571 millis")
      assert.strictEqual((yield* ask(simulator, openai, chat("4"))).status, 429)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* ask(simulator, openai, chat("5"))).status, 200)
      assert.strictEqual((yield* ask(simulator, openai, chat("6"))).status, 429)
    })
  )

  it.effect("limits each key by itself, and on each wire by itself", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make({ requestsPerMinute: 1 })
      assert.strictEqual((yield* ask(simulator, openai, chat("hi"))).status, 200)
      assert.strictEqual((yield* ask(simulator, openai, chat("hi"))).status, 429)
      assert.strictEqual((yield* ask(simulator, openai, chat("hi"), second)).status, 200)
      assert.strictEqual((yield* ask(simulator, groq, chat("hi"))).status, 200)
      assert.strictEqual((yield* ask(simulator, anthropic, { ...chat("hi"), max_tokens: 9 })).status, 200)
    })
  )

  it.effect("counts tokens: what was used is gone for a while, what can never fit says so", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make({ tokensPerMinute: 100 })
      const first = yield* answer(simulator, openai, chat("hi"))
      const used = first.body.usage.total_tokens
      assert.strictEqual(first.headers["x-ratelimit-remaining-tokens"], String(100 - used))
      const refused = yield* answer(simulator, openai, chat("hi"))
      assert.strictEqual(refused.status, 429)
      assert.strictEqual(refused.body.error.type, "tokens")
      assert.strictEqual(refused.headers["retry-after-ms"], String(Math.ceil((2 * used - 100) * 600)))
      const huge = yield* answer(simulator, openai, chat("hi ".repeat(400)))
      assert.strictEqual(huge.status, 429)
      assert.match(huge.body.error.message, /Request too large/)
      assert.isUndefined(huge.headers["retry-after"])
      assert.strictEqual((yield* ask(simulator, groq, chat("hi ".repeat(400)))).status, 413)
    })
  )

  it.effect("takes nothing for a request that is refused", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make({ requestsPerMinute: 10 })
      yield* ask(simulator, openai, chat("hi", { temperature: 9 }))
      yield* ask(simulator, openai, chat("hi", { model: "nope" }))
      const good = yield* answer(simulator, openai, chat("hi"))
      assert.strictEqual(good.headers["x-ratelimit-remaining-requests"], "9")
    })
  )

  it.effect("says when to come back in the form that it is told", () =>
    Effect.gen(function*() {
      const forms = [
        ["vendor", { "retry-after": "13", "retry-after-ms": "12500" }],
        ["seconds", { "retry-after": "13" }],
        ["date", { "retry-after": "Thu, 01 Jan 1970 00:01:13 GMT" }],
        ["milliseconds", { "retry-after-ms": "12500" }],
        ["none", {}]
      ] as const
      for (const [retryAfter, expected] of forms) {
        yield* TestClock.setTime(60_000)
        const simulator = yield* Simulator.make({ requestsPerMinute: 4.8, burst: 1, retryAfter })
        yield* ask(simulator, openai, chat("hi"))
        const { headers, status } = yield* answer(simulator, openai, chat("hi"))
        assert.strictEqual(status, 429)
        const shown = Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith("retry-after")))
        assert.deepStrictEqual(shown, expected)
      }
    })
  )

  it.effect("shows what is left in each vendor's own words", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(1_000_000_000_000)
      const simulator = yield* Simulator.make({ requestsPerMinute: 50, tokensPerMinute: 1000, requestsPerDay: 1000 })
      const open = yield* answer(simulator, openai, chat("hi"))
      const left = 1000 - open.body.usage.total_tokens
      assert.strictEqual(open.headers["x-ratelimit-limit-requests"], "50")
      assert.strictEqual(open.headers["x-ratelimit-remaining-requests"], "49")
      assert.strictEqual(open.headers["x-ratelimit-reset-requests"], "1.2s")
      assert.strictEqual(open.headers["x-ratelimit-limit-tokens"], "1000")
      assert.strictEqual(open.headers["x-ratelimit-remaining-tokens"], String(left))
      assert.strictEqual(open.headers["x-ratelimit-reset-tokens"], `${((1000 - left) * 60) / 1000}s`)
      const fast = yield* answer(simulator, groq, chat("hi"))
      assert.strictEqual(fast.headers["x-ratelimit-limit-requests"], "1000")
      assert.strictEqual(fast.headers["x-ratelimit-reset-requests"], "1m26.4s")
      const claude = yield* answer(simulator, anthropic, { ...chat("hi"), max_tokens: 9 })
      assert.strictEqual(claude.headers["anthropic-ratelimit-requests-limit"], "50")
      assert.strictEqual(claude.headers["anthropic-ratelimit-requests-remaining"], "49")
      assert.strictEqual(claude.headers["anthropic-ratelimit-requests-reset"], "2001-09-09T01:46:42Z")
      const local = yield* answer(simulator, ollama, chat("hi", { stream: false }))
      assert.deepStrictEqual(
        Object.keys(local.headers).filter((name) => name.includes("limit")),
        []
      )
    })
  )

  it.effect("has no limits, and no headers of them, where they are lifted", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make({ requestsPerMinute: Infinity, tokensPerMinute: Infinity })
      const { headers } = yield* answer(simulator, openai, chat("hi"))
      assert.deepStrictEqual(
        Object.keys(headers).filter((name) => name.includes("ratelimit")),
        []
      )
      yield* Effect.forEach(Array.from({ length: 600 }), () => ask(simulator, openai, chat("hi")), { discard: true })
      assert.strictEqual((yield* simulator.stats)[0]?.succeeded, 601)
    })
  )

  it.effect("refuses a key that was revoked, and one that is out of quota in the way that is no rate limit", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      yield* simulator.setKey(0, "revoked")
      assert.strictEqual((yield* ask(simulator, openai, chat("hi"))).status, 401)
      yield* simulator.setKey(0, "exhausted")
      const open = yield* answer(simulator, openai, chat("hi"))
      assert.strictEqual(open.status, 429)
      assert.strictEqual(open.body.error.code, "insufficient_quota")
      assert.isUndefined(open.headers["retry-after"])
      const claude = yield* answer(simulator, anthropic, { ...chat("hi"), max_tokens: 9 })
      assert.strictEqual(claude.body.error.details.error_code, "enforced_spend_limit_reached")
      yield* simulator.setKey(0, "good", "openai")
      assert.strictEqual((yield* ask(simulator, openai, chat("hi"))).status, 200)
      assert.strictEqual((yield* ask(simulator, groq, chat("hi"))).status, 429)
      assert.deepStrictEqual(
        (yield* simulator.stats).map(({ failed, key, refused, requests, succeeded, wire }) => ({
          wire,
          key,
          requests,
          succeeded,
          refused,
          failed
        })),
        [
          { wire: "openai", key: "sim-key-1", requests: 3, succeeded: 1, refused: 1, failed: 1 },
          { wire: "anthropic", key: "sim-key-1", requests: 1, succeeded: 0, refused: 1, failed: 0 },
          { wire: "groq", key: "sim-key-1", requests: 1, succeeded: 0, refused: 1, failed: 0 }
        ]
      )
    })
  )
})

describe("Simulator: faults", () => {
  const fates = (simulator: Simulator.Service, count: number) =>
    Effect.forEach(Array.from({ length: count }), () =>
      Effect.map(Effect.either(ask(simulator, openai, chat("hi"))), (result) =>
        Either.isLeft(result) ? "reset" : result.right.status
      )
    )

  const faults = { serverError: 0.2, overloaded: 0.1, rateLimited: 0.1, connectionReset: 0.1 }

  it.effect("come in the same sequence for the same seed, and in another for another", () =>
    Effect.gen(function*() {
      const one = yield* fates(yield* Simulator.make({ faults, seed: "a" }), 100)
      const same = yield* fates(yield* Simulator.make({ faults, seed: "a" }), 100)
      const other = yield* fates(yield* Simulator.make({ faults, seed: "b" }), 100)
      assert.deepStrictEqual(one, same)
      assert.notDeepEqual(one, other)
      assert.deepStrictEqual(Array.from(new Set(one)).sort(), [200, 429, 500, 503, "reset"].sort())
    })
  )

  it.effect("come in about the shares that were asked for", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make({ faults, requestsPerMinute: Infinity, tokensPerMinute: Infinity })
      const all = yield* fates(simulator, 1500)
      for (const [fate, share] of [
        [500, 0.2],
        [503, 0.1],
        [429, 0.1],
        ["reset", 0.1],
        [200, 0.5]
      ] as const) {
        assert.closeTo(all.filter((one) => one === fate).length / 1500, share, 0.04)
      }
    })
  )

  it.effect("begin again after a reset, and stop when they are taken away", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make({ faults })
      const one = yield* fates(simulator, 30)
      yield* simulator.reset
      assert.strictEqual(yield* simulator.total, 0)
      assert.deepStrictEqual(yield* fates(simulator, 30), one)
      yield* simulator.setFaults({})
      assert.deepStrictEqual(Array.from(new Set(yield* fates(simulator, 30))), [200])
    })
  )

  it.effect("can be put before the next requests, one each", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      yield* simulator.inject("serverError", "none", "overloaded", "rateLimited", "connectionReset")
      assert.deepStrictEqual(yield* fates(simulator, 7), [500, 200, 503, 429, "reset", 200, 200])
      assert.deepStrictEqual(
        (yield* simulator.requests).map(({ fault }) => fault),
        ["serverError", undefined, "overloaded", "rateLimited", "connectionReset", undefined, undefined]
      )
    })
  )

  it.effect("spoil the JSON of an answer, or of one event of a stream that goes on", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make({ faults: { malformed: 1 } })
      const paths = [
        [openai, {}],
        [groq, {}],
        [anthropic, { max_tokens: 99 }],
        [ollama, {}]
      ] as const
      for (const [path, more] of paths) {
        const whole = yield* ask(simulator, path, chat("hi", { stream: false, ...more }))
        assert.strictEqual(whole.status, 200)
        assert.isTrue(Exit.isFailure(yield* Effect.exit(whole.json)))
        const stream = yield* text(simulator, path, chat("hi", { stream: true, ...more }))
        const payloads = stream
          .split("\n")
          .filter((line) => /^(data: )?\{/.test(line))
          .map((line) => line.replace(/^data: /, ""))
        const spoiled = payloads.filter((payload) => Either.isLeft(Either.try((): unknown => JSON.parse(payload))))
        assert.strictEqual(spoiled.length, 1)
        assert.isAbove(payloads.length, payloads.indexOf(spoiled[0] ?? "") + 1)
      }
    })
  )

  it.effect(
    "end a stream half way: with the vendor's error, with nothing, with a broken connection, or not at all",
    () =>
      Effect.gen(function*() {
        const simulator = yield* Simulator.make()
        const stream = (path: string) =>
          Effect.flatMap(
            ask(simulator, path, chat("hi", { stream: true, max_tokens: 99 })),
            (response) => response.text
          )
        yield* simulator.inject(
          "streamError",
          "streamError",
          "streamError",
          "streamError",
          "streamCut",
          "streamReset",
          "streamStall"
        )
        assert.match(yield* stream(openai), /\n\ndata: \{"error":\{"message":"The server had an error[^\n]*\n\n$/)
        assert.match(yield* stream(groq), /\n\nevent: error\ndata: \{"error":\{[^\n]*"status_code":500\}\}\n\n$/)
        assert.match(
          yield* stream(anthropic),
          /\n\nevent: error\ndata: \{"type":"error","error":\{"type":"overloaded_error"[^\n]*\n\n$/
        )
        assert.match(yield* stream(ollama), /\n\{"error":"an error was encountered while running the model"\}\n$/)
        const cut = yield* stream(openai)
        assert.match(cut, /"content"/)
        assert.notMatch(cut, /DONE/)
        const reset = yield* Effect.flip(stream(openai))
        assert.strictEqual(reset._tag, "ResponseError")
        const stalled = yield* Effect.fork(stream(openai))
        yield* TestClock.adjust("1 hour")
        assert.isNull(stalled.unsafePoll())
        yield* Fiber.interrupt(stalled)
        assert.deepStrictEqual(
          (yield* simulator.requests).map(({ fault, outcome }) => [fault, outcome]),
          [
            ["streamError", "Broken"],
            ["streamError", "Broken"],
            ["streamError", "Broken"],
            ["streamError", "Broken"],
            ["streamCut", "Broken"],
            ["streamReset", "Broken"],
            ["streamStall", "Aborted"]
          ]
        )
      })
  )

  it.effect("of streams do not concern an answer that is whole", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make({ faults: { streamCut: 1 } })
      assert.strictEqual((yield* answer(simulator, openai, chat("hi"))).status, 200)
      assert.isUndefined((yield* simulator.requests)[0]?.fault)
    })
  )

  it.effect("never answer a request that hangs", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make({ faults: { hang: 1 } })
      const fiber = yield* Effect.fork(ask(simulator, openai, chat("hi")))
      yield* TestClock.adjust("1 day")
      assert.isNull(fiber.unsafePoll())
      yield* Fiber.interrupt(fiber)
      assert.strictEqual((yield* simulator.requests)[0]?.outcome, "Aborted")
    })
  )
})

describe("Simulator: outages", () => {
  it.effect("close connections, answer with an error, or hang, until it is over", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make({ outage: "refuse" })
      const refused = yield* Effect.flip(ask(simulator, openai, chat("hi")))
      assert.strictEqual(refused._tag, "RequestError")
      assert.strictEqual(refused.reason, "Transport")
      yield* simulator.down("error")
      assert.strictEqual((yield* ask(simulator, openai, chat("hi"))).status, 503)
      assert.strictEqual((yield* ask(simulator, anthropic, chat("hi"))).status, 529)
      yield* simulator.down("hang")
      const hanging = yield* Effect.fork(ask(simulator, ollama, chat("hi")))
      yield* TestClock.adjust("1 hour")
      assert.isNull(hanging.unsafePoll())
      yield* simulator.up()
      assert.strictEqual((yield* ask(simulator, ollama, chat("hi"))).status, 200)
      assert.isNull(hanging.unsafePoll())
      yield* simulator.hangUp
      assert.strictEqual((yield* Effect.flip(Fiber.join(hanging)))._tag, "RequestError")
    })
  )

  it.effect("can befall one vendor alone", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      yield* simulator.down("error", "openai")
      assert.strictEqual((yield* ask(simulator, openai, chat("hi"))).status, 503)
      assert.strictEqual((yield* ask(simulator, groq, chat("hi"))).status, 200)
      yield* simulator.up("openai")
      assert.strictEqual((yield* ask(simulator, openai, chat("hi"))).status, 200)
    })
  )
})

describe("Simulator: time", () => {
  it.effect("answers after its latency, and a whole answer after that of all its tokens", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make({ latency: "2 seconds", tokenDelay: "10 millis", answerTokens: 40 })
      const fiber = yield* Effect.fork(ask(simulator, openai, chat("hi")))
      yield* TestClock.adjust("2399 millis")
      assert.isNull(fiber.unsafePoll())
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* Fiber.join(fiber)).status, 200)
      assert.strictEqual((yield* simulator.requests)[0]?.endedAt, 2400)
    })
  )

  it.effect("streams one token after the other", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make({ latency: "1 second", tokenDelay: "100 millis", answerTokens: 40 })
      const arrivals: Array<number> = []
      const fiber = yield* Effect.fork(
        Effect.flatMap(ask(simulator, openai, chat("hi", { stream: true })), (response) =>
          Stream.runForEach(response.stream, () =>
            Effect.clockWith((clock) => Effect.map(clock.currentTimeMillis, (now) => arrivals.push(now)))
          )
        )
      )
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(arrivals, [1000, ...Array.from({ length: 40 }, (_, index) => 1100 + 100 * index)])
    })
  )

  it.effect("varies its latency by the seed and within the jitter", () =>
    Effect.gen(function*() {
      const run = Effect.gen(function*() {
        const simulator = yield* Simulator.make({ latency: "1 second", jitter: 0.5, seed: 7 })
        const fiber = yield* Effect.fork(
          Effect.all(
            Array.from({ length: 50 }, () => ask(simulator, openai, chat("hi"))),
            { concurrency: 50, discard: true }
          )
        )
        yield* TestClock.adjust("2 seconds")
        yield* Fiber.join(fiber)
        return (yield* simulator.requests).map(({ endedAt, startedAt }) => (endedAt ?? NaN) - startedAt)
      })
      const taken = yield* run
      assert.deepStrictEqual(yield* run, taken)
      assert.isTrue(taken.every((millis) => millis >= 500 && millis <= 1500))
      assert.isAbove(new Set(taken).size, 40)
    })
  )
})

describe("Simulator: what it remembers", () => {
  it.effect("sees a client that goes away: while it waits, and in the midst of a stream", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make({ latency: "1 second", tokenDelay: "1 second" })
      const waiting = yield* Effect.fork(ask(simulator, openai, chat("hi")))
      const streaming = yield* Effect.fork(text(simulator, openai, chat("hi", { stream: true })))
      yield* TestClock.adjust("500 millis")
      assert.strictEqual((yield* simulator.stats)[0]?.inFlight, 2)
      yield* Fiber.interrupt(waiting)
      yield* TestClock.adjust("5 seconds")
      yield* Fiber.interrupt(streaming)
      const seen = (yield* simulator.requests).map(({ endedAt, outcome, streamed }) => ({ endedAt, outcome, streamed }))
      assert.deepStrictEqual(seen, [
        { endedAt: 500, outcome: "Aborted", streamed: 0 },
        { endedAt: 5500, outcome: "Aborted", streamed: 4 }
      ])
      const stats = (yield* simulator.stats)[0]
      assert.strictEqual(stats?.inFlight, 0)
      assert.strictEqual(stats?.aborted, 2)
    })
  )

  it.effect("remembers what was asked, and no key", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make({ keys: ["a-secret-of-mine", Redacted.make("another-secret")] })
      yield* ask(simulator, openai, chat("hi"), { authorization: "Bearer another-secret", "x-mine": "yes" })
      yield* ask(
        simulator,
        `${anthropic}?beta=true&api_key=a-secret-of-mine`,
        { ...chat("hi"), max_tokens: 1 },
        { authorization: "", "x-api-key": "wrong-secret" }
      )
      const [first, last] = yield* simulator.requests
      assert.strictEqual(first?.key, "key-2")
      assert.strictEqual(first?.headers["authorization"], "<redacted>")
      assert.strictEqual(first?.headers["x-mine"], "yes")
      assert.deepStrictEqual(first?.body, chat("hi"))
      assert.strictEqual(last?.key, "unknown")
      assert.strictEqual(last?.url, "/anthropic/v1/messages?beta=true&api_key=<redacted>")
      const shown = JSON.stringify([
        yield* simulator.requests,
        yield* simulator.stats,
        simulator.keys,
        String(simulator)
      ])
      assert.notMatch(shown, /secret/)
    })
  )

  it.effect("remembers the latest requests, as many as it is to", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make({ log: 3 })
      for (let i = 0; i < 20; i++) yield* ask(simulator, openai, chat(`${i}`))
      assert.deepStrictEqual(
        (yield* simulator.requests).map(({ ordinal }) => ordinal),
        [18, 19, 20]
      )
      assert.strictEqual(yield* simulator.total, 20)
      const forgetful = yield* Simulator.make({ log: 0 })
      yield* ask(forgetful, openai, chat("hi"))
      assert.deepStrictEqual(yield* forgetful.requests, [])
      assert.strictEqual((yield* forgetful.stats)[0]?.requests, 1)
    })
  )
})

describe("Simulator: options", () => {
  it.effect("names the option that cannot be", () =>
    Effect.gen(function*() {
      const wrong: ReadonlyArray<readonly [string, Simulator.Options]> = [
        ["keys", { keys: 0 }],
        ["keys", { keys: [] }],
        ["keys.1", { keys: ["good", " "] }],
        ["requestsPerMinute", { requestsPerMinute: 0 }],
        ["tokensPerMinute", { tokensPerMinute: NaN }],
        ["burst", { burst: 0.5 }],
        ["latency", { latency: "infinity" as "1 second" }],
        ["jitter", { jitter: 1.1 }],
        ["faults.hang", { faults: { hang: -0.1 } }],
        ["faults", { faults: { hang: 0.6, serverError: 0.6 } }],
        ["faults.unheard", { faults: { unheard: 1 } as Simulator.Shares }],
        ["answerTokens", { answerTokens: 1.5 }],
        ["outage", { outage: "never" as "none" }],
        ["log", { log: -1 }],
        ["unheard", { unheard: 1 } as Simulator.Options]
      ]
      for (const [field, options] of wrong) {
        const error = yield* Effect.flip(Simulator.make(options))
        assert.deepInclude(error, { _tag: "InvalidOptions", module: "Simulator", field })
        assert.isTrue(error.message.startsWith(`Simulator.${field}: `), error.message)
      }
    })
  )

  it.effect("can change while it runs, and a change that cannot be changes nothing", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make({ requestsPerMinute: 1 })
      yield* ask(simulator, openai, chat("hi"))
      assert.strictEqual((yield* ask(simulator, openai, chat("hi"))).status, 429)
      yield* Effect.flip(simulator.update({ requestsPerMinute: -1, faults: { hang: 1 } }))
      assert.strictEqual((yield* ask(simulator, openai, chat("hi"))).status, 429)
      yield* simulator.update({ requestsPerMinute: 2 })
      assert.strictEqual((yield* ask(simulator, openai, chat("hi"))).status, 200)
    })
  )

  it.effect("can add models, whose names tell what they are", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make({ models: ["my-model", "my-embedder", "my-reasoning"] })
      assert.strictEqual((yield* ask(simulator, openai, chat("hi", { model: "my-model" }))).status, 200)
      assert.strictEqual((yield* ask(simulator, ollama, chat("hi", { model: "my-model" }))).status, 200)
      assert.strictEqual(
        (yield* ask(simulator, "/openai/v1/embeddings", { model: "my-embedder", input: "hi" })).status,
        200
      )
      const { body } = yield* answer(simulator, groq, chat("hi", { model: "my-reasoning" }))
      assert.match(body.choices[0].message.reasoning, /simulator/)
    })
  )

  it.effect("leads a program here by the vendors' own variables", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make({ keys: 2 })
      assert.deepInclude(Object.fromEntries(simulator.environment("http://127.0.0.1:9999/")), {
        OPENAI_BASE_URL: "http://127.0.0.1:9999/openai/v1",
        OPENAI_API_KEY_1: "sim-key-1",
        OPENAI_API_KEY_2: "sim-key-2",
        ANTHROPIC_BASE_URL: "http://127.0.0.1:9999/anthropic",
        ANTHROPIC_API_KEY_1: "sim-key-1",
        ANTHROPIC_API_KEY_2: "sim-key-2",
        GROQ_BASE_URL: "http://127.0.0.1:9999/groq",
        GROQ_API_KEY_1: "sim-key-1",
        GROQ_API_KEY_2: "sim-key-2",
        OLLAMA_HOST: "http://127.0.0.1:9999/ollama"
      })
    })
  )

  it.effect("demonstrates with options that are good", () => Simulator.make(Simulator.demo))
})

describe("Simulator: doors", () => {
  it.effect("can be the HttpClient of a test", () =>
    Effect.gen(function*() {
      const client = yield* HttpClient.HttpClient
      const response = yield* client.get("http://anywhere/ollama/api/version")
      assert.strictEqual(response.status, 200)
      assert.strictEqual(yield* (yield* Simulator.Simulator).total, 1)
    }).pipe(Effect.provide(Layer.fresh(Simulator.layerTest())))
  )

  it.effect("answers at the root with what it speaks, and elsewhere that nobody is there", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const root = yield* answer(simulator, "/")
      assert.strictEqual(root.status, 200)
      assert.deepStrictEqual(
        root.body.wires.map(({ name }: { readonly name: string }) => name),
        Array.from(simulator.wires)
      )
      assert.strictEqual((yield* ask(simulator, "/nobody/v1/models")).status, 404)
    })
  )

  it.effect("is a web handler as well, whose streams flow and whose caller may go away", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make({ tokenDelay: "1 millis" })
      const handler = HttpApp.toWebHandler(simulator.app)
      const request = (signal?: AbortSignal) =>
        new Request(`http://simulator${openai}`, {
          method: "POST",
          headers: { authorization: "Bearer sim-key-1", "content-type": "application/json" },
          body: JSON.stringify(chat("hi", { stream: true })),
          ...(signal === undefined ? {} : { signal })
        })
      const whole = yield* Effect.promise(async () => (await handler(request())).text())
      assert.match(whole, /data: \[DONE\]\n\n$/)
      yield* Effect.promise(async () => {
        const reader = (await handler(request())).body?.getReader()
        await reader?.read()
        await reader?.cancel()
      })
      assert.deepStrictEqual(
        (yield* simulator.requests).map(({ outcome }) => outcome),
        ["Answered", "Aborted"]
      )
    })
  )
})
