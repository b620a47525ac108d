import { assert, describe, it } from "@effect/vitest"
import type * as Completion from "@spillway/core/Completion"
import * as LlmError from "@spillway/core/LlmError"
import * as Prompt from "@spillway/core/Prompt"
import * as ScriptedLlm from "@spillway/testing/ScriptedLlm"
import { Duration, Effect, TestClock } from "effect"
import { json, serve, text } from "./web.js"

const hi = { model: "scripted/parrot", messages: [{ role: "user", content: "hi" }] }

const at = 1_700_000_000_900

const lines = (text: string): ReadonlyArray<any> => text.split("\n").slice(0, -1).map((line) => JSON.parse(line))

const slow: ScriptedLlm.Step = Effect.delay(
  Effect.succeed<ScriptedLlm.Step>({
    id: "x",
    model: "parrot-2",
    content: [Prompt.text("hello")],
    usage: { inputTokens: 9, outputTokens: 3 }
  }),
  "1500 millis"
)

describe("OllamaApi", () => {
  it.effect("answers a chat, with how long it took", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(at)
      const web = yield* serve(yield* ScriptedLlm.make(slow))
      const asked = yield* Effect.fork(web.post("/api/chat", { ...hi, stream: false }))
      yield* TestClock.adjust("1500 millis")
      const response = yield* asked
      assert.strictEqual(response.headers.get("content-type"), "application/json")
      assert.deepStrictEqual(yield* json(response), {
        model: "parrot-2",
        created_at: new Date(at + 1500).toISOString(),
        message: { role: "assistant", content: "hello" },
        done: true,
        done_reason: "stop",
        total_duration: 1_500_000_000,
        prompt_eval_count: 9,
        eval_count: 3
      })
    }))

  it.effect("streams by default, in lines, calls whole and before the last", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(at)
      const parts: ReadonlyArray<Completion.Part> = [
        { _tag: "Start", model: "parrot-2" },
        { _tag: "ReasoningDelta", index: 0, text: "hm" },
        { _tag: "ReasoningDelta", index: 0, text: "", signature: "sig" },
        { _tag: "TextDelta", text: "so" },
        { _tag: "ToolCallStart", index: 3, id: "a", name: "get_weather" },
        { _tag: "ToolCallStart", index: 5, id: "b", name: "get_time", signature: "proof" },
        { _tag: "ToolCallDelta", index: 5, arguments: "{\"zone\"" },
        { _tag: "ToolCallDelta", index: 3, arguments: "{\"city\":\"Oslo\"}" },
        { _tag: "ToolCallDelta", index: 5, arguments: ":1" },
        { _tag: "Finish", finishReason: "tool-calls", usage: {} }
      ]
      const web = yield* serve(yield* ScriptedLlm.make(parts))
      const response = yield* web.post("/api/chat", hi)
      assert.strictEqual(response.headers.get("content-type"), "application/x-ndjson")
      const head = { model: "parrot-2", created_at: new Date(at).toISOString() }
      assert.deepStrictEqual(lines(yield* text(response)), [
        { ...head, message: { role: "assistant", content: "", thinking: "hm" }, done: false },
        { ...head, message: { role: "assistant", content: "so" }, done: false },
        {
          ...head,
          message: {
            role: "assistant",
            content: "",
            thoughts: [{ text: "hm", signature: "sig" }],
            tool_calls: [
              { id: "a", function: { index: 0, name: "get_weather", arguments: { city: "Oslo" } } },
              { id: "b", function: { index: 1, name: "get_time", arguments: { invalid_arguments: "{\"zone\":1" } }, signature: "proof" }
            ]
          },
          done: false
        },
        { ...head, message: { role: "assistant", content: "" }, done: true, done_reason: "stop", total_duration: 0 }
      ])
    }))

  it.effect("has a reason for every end", () =>
    Effect.gen(function*() {
      const reasons = ["stop", "length", "tool-calls", "content-filter", "other"] as const
      const web = yield* serve(yield* ScriptedLlm.make(...reasons.map((finishReason) => ({ content: [], finishReason }))))
      for (const reason of ["stop", "length", "stop", "content_filter", "stop"]) {
        const body = yield* Effect.flatMap(web.post("/api/generate", { model: "m", prompt: "hi", stream: false }), json)
        assert.deepStrictEqual([body.response, body.done_reason], ["", reason])
      }
    }))

  it.effect("ends a stream that breaks off with a line that says so, and no line with done", () =>
    Effect.gen(function*() {
      const web = yield* serve(yield* ScriptedLlm.make([
        { _tag: "Start", model: "parrot" },
        { _tag: "TextDelta", text: "hel" },
        new LlmError.StreamInterrupted({ backend: "scripted", message: "cut" })
      ]))
      const all = lines(yield* Effect.flatMap(web.post("/api/generate", { model: "m", prompt: "hi" }), text))
      assert.strictEqual(all[0].response, "hel")
      assert.deepStrictEqual(all.slice(1), [{ error: "cut" }])
    }))

  it.effect("tells an error by a sentence and a status, and when to come again", () =>
    Effect.gen(function*() {
      const error = new LlmError.KeysCooling({ backend: "scripted", message: "it is so", retryAfter: Duration.millis(2100) })
      const web = yield* serve(yield* ScriptedLlm.make(ScriptedLlm.repeat(error)))
      for (
        const ask of [
          web.post("/api/chat", hi),
          web.post("/api/generate", { model: "m", prompt: "hi" }),
          web.post("/api/embed", { model: "m", input: "hi" }),
          web.post("/api/embeddings", { model: "m", prompt: "hi" }),
          web.post("/api/show", { model: "m" }),
          web.fetch("/api/tags")
        ]
      ) {
        const response = yield* ask
        assert.strictEqual(response.status, 429)
        assert.deepStrictEqual(yield* json(response), { error: "it is so" })
        assert.strictEqual(response.headers.get("retry-after"), "3")
      }
    }))

  it.effect("says in Ollama's words what is no JSON, what is not served, and by which method", () =>
    Effect.gen(function*() {
      const web = yield* serve(yield* ScriptedLlm.make())
      for (
        const [ask, status, says] of [
          [web.post("/api/chat", "{\"model\":"), 400, "The body is not JSON"],
          [web.post("/api/pull", { model: "m" }), 404, "There is nothing under this path"],
          [web.fetch("/api/chat"), 405, "This path takes POST"]
        ] as const
      ) {
        const response = yield* ask
        assert.strictEqual(response.status, status)
        const body = yield* json(response)
        assert.deepStrictEqual(Object.keys(body), ["error"])
        assert.include(body.error, says)
      }
    }))

  it.effect("shows what is known of a model, and what it can be asked for", () =>
    Effect.gen(function*() {
      const models = [{ id: "openai/gpt-4o", displayName: "GPT-4o", contextWindow: 128_000 }]
      const web = yield* serve(yield* ScriptedLlm.make(ScriptedLlm.repeat(models)))
      const shown = yield* Effect.flatMap(web.post("/api/show", { name: "openai/gpt-4o" }), json)
      assert.deepStrictEqual(shown.model_info, {
        "general.architecture": "gateway",
        "general.basename": "GPT-4o",
        "gateway.context_length": 128_000
      })
      assert.deepStrictEqual(shown.capabilities, ["completion", "tools", "vision", "thinking", "embedding"])
      const missing = yield* web.post("/api/show", { name: "nope" })
      assert.deepStrictEqual([missing.status, yield* json(missing)], [404, { error: "There is no such model" }])
    }))
})
