/** Any API of the gateway before any backend: the same conversations, through the words of core. */
import * as HttpClient from "@effect/platform/HttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as LlmService from "@spillway/core/LlmService"
import * as Router from "@spillway/core/Router"
import * as Anthropic from "@spillway/providers/Anthropic"
import * as Gemini from "@spillway/providers/Gemini"
import * as Groq from "@spillway/providers/Groq"
import * as Ollama from "@spillway/providers/Ollama"
import * as OpenAi from "@spillway/providers/OpenAi"
import * as ScriptedLlm from "@spillway/testing/ScriptedLlm"
import * as Simulator from "@spillway/testing/Simulator"
import { Effect, Layer, Redacted } from "effect"
import { dialects } from "./dialects.js"
import { json, serve, type Web } from "./web.js"

/** A gateway before all backends, each before the same simulator. */
const house = <A>(use: (web: Web, simulator: Simulator.Service) => Effect.Effect<A>) =>
  Effect.scoped(Effect.gen(function*() {
    const simulator = yield* Simulator.make({ models: ["some-reasoning"] })
    const apiKeys = simulator.keys
    const at = (path: string) => ({ apiKeys, baseUrl: `http://simulator/${path}` })
    const router = Router.layer({
      openai: OpenAi.layer(at("openai/v1")),
      anthropic: Anthropic.layer(at("anthropic")),
      gemini: Gemini.layer(at("gemini")),
      groq: Groq.layer(at("groq")),
      ollama: Ollama.layer({ baseUrl: "http://simulator/ollama" })
    }).pipe(Layer.provide(Layer.succeed(HttpClient.HttpClient, simulator.client)))
    const service = yield* Effect.provide(LlmService.LlmService, yield* Layer.build(router))
    return yield* use(yield* serve(service), simulator)
  }))

const backends = {
  openai: { model: "openai/gpt-4o-mini", thinker: undefined },
  anthropic: { model: "anthropic/claude-sonnet-5-5", thinker: "anthropic/claude-sonnet-5-5" },
  gemini: { model: "gemini/gemini-2.5-flash", thinker: "gemini/gemini-3.6-flash" },
  groq: { model: "groq/openai/gpt-oss-20b", thinker: "groq/openai/gpt-oss-20b" },
  ollama: { model: "ollama/llama3.2", thinker: "ollama/some-reasoning" }
}

const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="

const stops = { "OpenAI's chat": "tool_calls", "Anthropic's messages": "tool_use", "Ollama's chat": "stop" }

for (const dialect of dialects) {
  describe(`${dialect.name} before`, () => {
    for (const [backend, { model, thinker }] of Object.entries(backends)) {
      it.effect(`${backend}: text comes back the same, whole and streamed, with its usage`, () =>
        house((web) =>
          Effect.gen(function*() {
            const ask = { model, user: "Hello there" }
            const whole = yield* dialect.whole(web, ask)
            assert.include(whole.text, "Hello there")
            assert.isAbove(whole.input ?? 0, 0)
            assert.isAbove(whole.output ?? 0, 0)
            const streamed = yield* dialect.streamed(web, ask)
            assert.strictEqual(streamed.text, whole.text)
            if (streamed.input !== undefined) {
              assert.deepStrictEqual([streamed.input, streamed.output], [whole.input, whole.output])
            }
          })
        ))

      it.effect(`${backend}: a tool is called and its result comes home, whole and streamed`, () =>
        house((web) =>
          Effect.gen(function*() {
            const ask = {
              model: thinker ?? model,
              user: "What is the weather in Tokyo?",
              tool: true,
              think: thinker !== undefined
            }
            for (const say of [dialect.whole, dialect.streamed]) {
              const said = yield* say(web, ask)
              assert.deepStrictEqual(said.calls.map(({ args, name }) => ({ args, name })), [
                { args: { city: "Tokyo" }, name: "get_weather" }
              ])
              assert.strictEqual(said.stop, stops[dialect.name as keyof typeof stops])
              const answer = yield* say(web, { ...ask, before: { said, result: "21 degrees and sunny" } })
              assert.include(answer.text, "21 degrees and sunny")
            }
          })
        ))

      if (thinker !== undefined) {
        it.effect(`${backend}: thinking is told apart from text, whole and streamed`, () =>
          house((web) =>
            Effect.gen(function*() {
              const ask = { model: thinker, user: "Why?", think: true }
              const whole = yield* dialect.whole(web, ask)
              const streamed = yield* dialect.streamed(web, ask)
              for (const { text, thinking } of [whole, streamed]) {
                assert.notStrictEqual(thinking, "")
                assert.notStrictEqual(text, "")
                assert.notInclude(text, thinking)
              }
              assert.strictEqual(streamed.thinking, whole.thinking)
            })
          ))
      }

      if (backend !== "groq") {
        it.effect(`${backend}: pictures are seen`, () =>
          house((web) =>
            Effect.gen(function*() {
              const { text } = yield* dialect.whole(web, { model, user: "What is this?", image: png })
              assert.include(text, "You showed me")
            })
          ))
      }

      it.effect(`${backend}: a model that is not there is a 404 in its own words`, () =>
        house((web) =>
          Effect.gen(function*() {
            for (const stream of [false, true]) {
              const response = yield* dialect.ask(web, { model: `${backend}/no-such-model`, user: "hi" }, stream)
              assert.strictEqual(response.status, 404)
              assert.notStrictEqual(dialect.wrong(yield* json(response)), "")
            }
          })
        ))

      if (backend !== "ollama") {
        it.effect(`${backend}: a key that is taken no more is a 401 in its own words`, () =>
          house((web, simulator) =>
            Effect.gen(function*() {
              for (const i of simulator.keys.keys()) yield* simulator.setKey(i, "revoked")
              for (const stream of [false, true]) {
                const response = yield* dialect.ask(web, { model, user: "hi" }, stream)
                assert.strictEqual(response.status, 401)
                assert.notStrictEqual(dialect.wrong(yield* json(response)), "")
              }
            })
          ))
      }
    }
  })
}

describe("a gateway with keys", () => {
  const key = "sk-spillway-alice-0123456789"
  const access = { keys: [{ name: "alice", key: Redacted.make(key) }] }

  for (const dialect of dialects) {
    it.effect(`asks for one in the words of ${dialect.name}, and takes it`, () =>
      Effect.gen(function*() {
        const web = yield* serve(yield* ScriptedLlm.make("hello"), { access })
        const stranger = yield* dialect.ask(web, { model: "m", user: "hi" }, false)
        assert.strictEqual(stranger.status, 401)
        assert.include(dialect.wrong(yield* json(stranger)), "key")
        const known: Web = {
          ...web,
          post: (path, body, init) => web.post(path, body, { ...init, headers: { authorization: `Bearer ${key}` } })
        }
        assert.strictEqual((yield* dialect.whole(known, { model: "m", user: "hi" })).text, "hello")
      }))
  }
})
