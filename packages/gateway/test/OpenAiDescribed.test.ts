/**
 * Answers are what OpenAI describes: chats whole and in chunks, embeddings, models and errors. (Responses, completions and
 * moderations are in files of their own.)
 */
import { assert, describe, it } from "@effect/vitest"
import * as Prompt from "@spillway/core/Prompt"
import * as ScriptedLlm from "@spillway/testing/ScriptedLlm"
import { Effect } from "effect"
import { absent, spec } from "../../providers/test/spec.js"
import { events, hi, json, serve } from "./web.js"

const openai = spec("openai/openapi.yaml")
const test = it.effect.skipIf(openai === undefined)

const answer: ScriptedLlm.Answer = {
  content: [
    { _tag: "Reasoning", text: "hm", signature: "signed" },
    Prompt.text("hello there"),
    { ...ScriptedLlm.toolCall("get_weather", { city: "Oslo" }, "call_1"), signature: "proof" }
  ],
  usage: { inputTokens: 9, outputTokens: 3, cachedInputTokens: 4, reasoningTokens: 1 }
}

describe(`answers are as OpenAI describes${openai === undefined ? ` (${absent})` : ""}`, () => {
  test("chats", () =>
    Effect.gen(function*() {
      const check = openai!.response("post", "/chat/completions", 200)
      const chunk = openai!.at("/components/schemas/CreateChatCompletionStreamResponse")
      assert.isNotEmpty(chunk({ object: "chat.completion.chunk" }))
      const web = yield* serve(yield* ScriptedLlm.make(ScriptedLlm.repeat(answer)))
      const whole = yield* Effect.flatMap(web.post("/v1/chat/completions", hi), json)
      assert.deepStrictEqual(check(whole), [])
      const [call] = whole.choices[0].message.tool_calls
      assert.deepStrictEqual(call.extra_content, { google: { thought_signature: "proof" } })
      const stream = { stream: true, stream_options: { include_usage: true } }
      const heard = yield* Effect.flatMap(web.post("/v1/chat/completions", { ...hi, ...stream }), events)
      const calls = heard.flatMap((chunk) => chunk.choices?.[0]?.delta.tool_calls ?? [])
      assert.deepStrictEqual(calls[0].extra_content, { google: { thought_signature: "proof" } })
      for (const { usage, ...said } of heard.slice(0, -1)) {
        // null, where the description knows only of a number
        assert.deepStrictEqual(chunk({ ...said, ...(usage !== null && { usage }) }), [])
      }
    }))

  test("embeddings and models", () =>
    Effect.gen(function*() {
      const web = yield* serve(
        yield* ScriptedLlm.make(
          { model: "small", vectors: [[0.5, -1]], usage: {} },
          ScriptedLlm.repeat([{ id: "groq/meta-llama/Llama-3", contextWindow: 8192, created: 7 }])
        )
      )
      const embeddings = yield* Effect.flatMap(web.post("/v1/embeddings", { model: "a/small", input: "hi" }), json)
      assert.deepStrictEqual(openai!.response("post", "/embeddings", 200)(embeddings), [])
      const models = yield* Effect.flatMap(web.fetch("/v1/models"), json)
      assert.deepStrictEqual(openai!.response("get", "/models", 200)(models), [])
      const model = yield* Effect.flatMap(web.fetch("/v1/models/groq/meta-llama/Llama-3"), json)
      assert.deepStrictEqual(openai!.response("get", "/models/{model}", 200)(model), [])
      // where Groq's client asks for the same
      assert.deepStrictEqual(yield* Effect.flatMap(web.fetch("/openai/v1/models/groq/meta-llama/Llama-3"), json), model)
      assert.deepStrictEqual(yield* Effect.flatMap(web.fetch("/openai/v1/models"), json), models)
    }))

  test("errors", () =>
    Effect.gen(function*() {
      const check = openai!.at("/components/schemas/ErrorResponse")
      const web = yield* serve(yield* ScriptedLlm.make())
      for (const path of ["chat/completions", "responses", "completions", "embeddings", "moderations", "rerank", "none"]) {
        const response = yield* web.post(`/v1/${path}`, { nothing: "of use" })
        assert.strictEqual(response.status, path === "none" ? 404 : 400)
        assert.deepStrictEqual(check(yield* json(response)), [], path)
      }
    }))
})
