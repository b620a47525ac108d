/** OpenAI's own client, the gateway, the router, the policies, the backends, and the simulator: all of it, on loopback. */
import { assert, describe, it } from "@effect/vitest"
import * as Monitor from "@spillway/core/Monitor"
import * as Resilience from "@spillway/core/Resilience"
import * as Router from "@spillway/core/Router"
import * as OpenAi from "@spillway/providers/OpenAi"
import * as Simulator from "@spillway/testing/Simulator"
import * as HttpClient from "@effect/platform/HttpClient"
import { Effect, Layer, Redacted } from "effect"
import OpenAI from "openai"
import { read } from "../exposition.js"
import { collect, given, rejection, served, until } from "./served.js"

const keys = ["sk-secret-one", "sk-secret-two"] as const

/** The house, with two keys for its one backend. */
const house = (options: Simulator.Options = {}, resilience: Resilience.Options = {}) =>
  Effect.gen(function*() {
    const simulator = yield* Simulator.make({ keys, ...options })
    const openai = OpenAi.layer({
      apiKeys: [Redacted.make(keys[0]), Redacted.make(keys[1])],
      baseUrl: "http://simulator/openai/v1"
    }).pipe(Resilience.layer(resilience))
    const llm = Router.layer({ openai }).pipe(
      Layer.provide(Layer.succeed(HttpClient.HttpClient, simulator.client))
    )
    return { simulator, ...(yield* served(llm)) }
  }).pipe(Effect.provideService(Monitor.CurrentMonitor, Monitor.unsafeMake()))

const hi: OpenAI.ChatCompletionCreateParamsNonStreaming = {
  model: "openai/gpt-4o-mini",
  messages: [{ role: "user", content: "Hello there" }]
}

const weather: OpenAI.ChatCompletionTool = {
  type: "function",
  function: {
    name: "get_weather",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] }
  }
}

describe("through the whole house", () => {
  it.scopedLive("a chat comes back the same, whole and streamed, by its prefixed and by its bare name", () =>
    Effect.gen(function*() {
      const { client } = yield* house()
      const whole = yield* given(() => client.chat.completions.create(hi))
      assert.include(whole.choices[0]?.message.content, "Hello there")
      assert.isAbove(whole.usage?.total_tokens ?? 0, 0)
      const chunks = yield* given(() =>
        client.chat.completions.create({
          ...hi,
          model: "gpt-4o-mini",
          stream: true,
          stream_options: { include_usage: true }
        }).then(collect)
      )
      assert.strictEqual(
        chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join(""),
        whole.choices[0]?.message.content
      )
      assert.strictEqual(chunks.at(-1)?.usage?.completion_tokens, whole.usage?.completion_tokens)
    }))

  it.scopedLive("a tool is called, and its result comes home", () =>
    Effect.gen(function*() {
      const { client } = yield* house()
      const ask = { ...hi, messages: [{ role: "user" as const, content: "What is the weather in Tokyo?" }], tools: [weather] }
      const message = (yield* given(() => client.chat.completions.create(ask))).choices[0]!.message
      const [call] = message.tool_calls ?? []
      assert.strictEqual(call?.type === "function" && call.function.arguments, "{\"city\":\"Tokyo\"}")
      const answer = yield* given(() =>
        client.chat.completions.create({
          ...ask,
          messages: [...ask.messages, message, { role: "tool", tool_call_id: call!.id, content: "21 degrees and sunny" }]
        })
      )
      assert.include(answer.choices[0]?.message.content, "21 degrees and sunny")
    }))

  it.scopedLive("texts are embedded, and the models are listed under their backend's name", () =>
    Effect.gen(function*() {
      const { client } = yield* house()
      const { data } = yield* given(() =>
        client.embeddings.create({ model: "openai/text-embedding-3-small", input: ["a", "b"], dimensions: 8 })
      )
      assert.deepStrictEqual(data.map(({ embedding }) => embedding.length), [8, 8])
      const models = yield* given(() => client.models.list().then(collect))
      assert.include(models.map(({ id }) => id), "openai/gpt-4o-mini")
    }))

  it.scopedLive("errors keep their meaning all the way", () =>
    Effect.gen(function*() {
      const { client, simulator } = yield* house({}, { retry: { maxRetries: 1 } })
      for (const model of ["openai/no-such-model", "no-such-model"]) {
        const thrown = yield* rejection(() => client.chat.completions.create({ ...hi, model }))
        assert.instanceOf(thrown, OpenAI.NotFoundError, model)
        assert.strictEqual(thrown.code, "model_not_found")
      }
      // what the gateway lets pass, and the backend does not
      const bad = yield* rejection(() =>
        client.chat.completions.create({ ...hi, model: "openai/gpt-5-mini", temperature: 0.5 })
      )
      assert.instanceOf(bad, OpenAI.BadRequestError)
      assert.deepStrictEqual([bad.code, bad.param], ["invalid_request", "temperature"])

      yield* simulator.setKey(0, "revoked")
      yield* simulator.setKey(1, "revoked")
      const unauthorized = yield* rejection(() => client.chat.completions.create(hi))
      assert.instanceOf(unauthorized, OpenAI.AuthenticationError)
      assert.deepStrictEqual([unauthorized.status, unauthorized.code], [401, "keys_exhausted"])
      assert.notInclude(unauthorized.message, "sk-secret")
    }))

  it.scopedLive("a key at its limit is left for the other, and the client is none the wiser", () =>
    Effect.gen(function*() {
      const { client, simulator } = yield* house({ requestsPerMinute: 60, burst: 2 })
      for (let i = 0; i < 4; i++) yield* given(() => client.chat.completions.create(hi))
      const stats = yield* simulator.stats
      assert.deepStrictEqual(stats.map(({ requests }) => requests >= 2), [true, true])
    }))

  it.scopedLive("when all keys have to rest, it is a 429 that says when to come again", () =>
    Effect.gen(function*() {
      const { client, simulator } = yield* house({ requestsPerMinute: 1, burst: 1 }, { retry: false })
      yield* given(() => client.chat.completions.create(hi))
      yield* given(() => client.chat.completions.create(hi))
      // without retries, a client hears of each key that finds out that it has to
      yield* rejection(() => client.chat.completions.create(hi))
      yield* rejection(() => client.chat.completions.create(hi))
      const asked = yield* simulator.total
      const thrown = yield* rejection(() => client.chat.completions.create(hi))
      assert.instanceOf(thrown, OpenAI.RateLimitError)
      assert.strictEqual(thrown.code, "keys_cooling")
      const wait = Number(thrown.headers?.get("retry-after"))
      assert.isTrue(wait >= 1 && wait <= 60, `retry-after: ${wait}`)
      assert.strictEqual(yield* simulator.total, asked, "nothing was sent")
    }))

  it.scopedLive("a client that goes away is missed at the backend at once", () =>
    Effect.gen(function*() {
      const { client, gateway, simulator } = yield* house({ tokenDelay: "20 millis", answerTokens: 10_000 })
      const stream = yield* given(() => client.chat.completions.create({ ...hi, stream: true }))
      yield* given(() => stream[Symbol.asyncIterator]().next())
      stream.controller.abort()
      yield* until(Effect.map(simulator.requests, (requests) => requests.at(-1)?.outcome === "Aborted"))
      yield* until(Effect.map(gateway.inFlight, (n) => n === 0))
    }))

  it.scopedLive("a deadline that a client sets is kept", () =>
    Effect.gen(function*() {
      const { client } = yield* house({ latency: "30 seconds" })
      const thrown = yield* rejection(() =>
        client.chat.completions.create(hi, { headers: { "x-spillway-deadline": "100ms" } })
      )
      assert.instanceOf(thrown, OpenAI.InternalServerError)
      assert.deepStrictEqual([thrown.status, thrown.code], [504, "deadline_exceeded"])
    }))

  it.scopedLive("the queue, the circuit and the keys can be watched, and no key is seen", () =>
    Effect.gen(function*() {
      const { client, origin } = yield* house()
      yield* given(() => client.chat.completions.create(hi))
      const status = yield* given(() => fetch(`${origin}/status.json`).then((response) => response.text()))
      const backend = JSON.parse(status).backends.find(({ backend }: Monitor.Backend) => backend === "openai")
      assert.strictEqual(backend.queue.admitted, 1)
      assert.strictEqual(backend.circuit.state, "closed")
      assert.deepStrictEqual(backend.keys.map(({ state }: Monitor.Key) => state), ["ready", "ready"])
      assert.strictEqual(backend.calls.succeeded, 1)
      const metrics = yield* given(() => fetch(`${origin}/metrics`).then((response) => response.text()))
      const samples = read(metrics)
      assert.strictEqual(samples.get("spillway_queue_admitted_total{backend=\"openai\"}"), 1)
      assert.strictEqual(samples.get("spillway_circuit_state{backend=\"openai\",state=\"closed\"}"), 1)
      assert.isTrue([...samples.keys()].some((series) => series.startsWith("llm_requests_total{")))
      for (const key of keys) {
        assert.notInclude(status, key)
        assert.notInclude(metrics, key)
      }
    }))

  it.scopedLive("what a stranger must not say is refused before anything is sent", () =>
    Effect.gen(function*() {
      const { origin, simulator } = yield* house()
      for (
        const [field, value] of [
          ["base_url", "https://evil.example"],
          ["api_base", "https://evil.example"],
          ["api_key", "sk-mine"],
          ["headers", { authorization: "x" }],
          ["organization", "x"]
        ] as const
      ) {
        const response = yield* given(() =>
          fetch(`${origin}/v1/chat/completions`, { method: "POST", body: JSON.stringify({ ...hi, [field]: value }) })
        )
        assert.strictEqual(response.status, 400, field)
        yield* given(() => response.text())
      }
      const response = yield* given(() =>
        fetch(`${origin}/v1/chat/completions?base_url=https://evil.example&api_key=sk-mine`, {
          method: "POST",
          body: JSON.stringify(hi),
          headers: { authorization: "Bearer sk-mine", "x-forwarded-host": "evil.example", "openai-organization": "theirs" }
        })
      )
      assert.strictEqual(response.status, 200)
      yield* given(() => response.text())
      const sent = yield* simulator.requests
      assert.strictEqual(sent.length, 1)
      assert.notInclude(JSON.stringify(sent), "evil.example")
      assert.notInclude(JSON.stringify(sent), "theirs")
      assert.oneOf(sent[0]?.key, ["key-1", "key-2"], "with one of our keys, never with theirs")
    }))
})
