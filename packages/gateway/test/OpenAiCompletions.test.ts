import { assert, describe, it } from "@effect/vitest"
import * as LlmError from "@spillway/core/LlmError"
import * as Prompt from "@spillway/core/Prompt"
import * as OpenAiCompletions from "@spillway/gateway/OpenAiCompletions"
import * as ScriptedLlm from "@spillway/testing/ScriptedLlm"
import { Effect, Either, TestClock } from "effect"
import { absent, spec } from "../../providers/test/spec.js"
import { events, json, serve } from "./web.js"

const ask = { model: "scripted/parrot", prompt: "Once" }
const openai = spec("openai/openapi.yaml")

const answer: ScriptedLlm.Answer = {
  id: "cmpl-1",
  model: "parrot-2",
  content: [{ _tag: "Reasoning", text: "hm" }, Prompt.text(" upon a time")],
  finishReason: "length",
  usage: { inputTokens: 1, outputTokens: 3 }
}

describe("POST /v1/completions", () => {
  it.effect("answers with the text that goes on", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(1_700_000_000_900)
      const llm = yield* ScriptedLlm.make(answer, { content: [Prompt.text("x")] })
      const web = yield* serve(llm)
      assert.deepStrictEqual(yield* Effect.flatMap(web.post("/v1/completions", ask), json), {
        id: "cmpl-1",
        object: "text_completion",
        created: 1_700_000_000,
        model: "parrot-2",
        choices: [{ text: " upon a time", index: 0, logprobs: null, finish_reason: "length" }],
        usage: { prompt_tokens: 1, completion_tokens: 3, total_tokens: 4 }
      })
      const other = yield* web.post("/v1/completions", { ...ask, echo: true }, { headers: { "x-request-id": "mine" } })
      const { choices, id, model, usage } = yield* json(other)
      assert.deepStrictEqual([id, model, usage], ["cmpl-mine", "scripted/parrot", undefined])
      assert.deepStrictEqual(choices, [{ text: "Oncex", index: 0, logprobs: null, finish_reason: "stop" }])
      const asked = (yield* llm.requests)[0]!
      assert.deepStrictEqual(asked.operation === "generateText" && asked.request, { model: ask.model, prompt: "Once" })
    }))

  it.effect("streams it, with the usage where that is wanted", () =>
    Effect.gen(function*() {
      const web = yield* serve(yield* ScriptedLlm.make(ScriptedLlm.repeat(answer)))
      const streamed = (fields: object) =>
        Effect.flatMap(web.post("/v1/completions", { ...ask, stream: true, ...fields }), events)
      const plain = yield* streamed({})
      assert.strictEqual(plain.at(-1), "[DONE]")
      assert.deepStrictEqual(plain.slice(0, -1).map(({ choices }) => choices[0].text), [" ", "upon ", "a ", "time", ""])
      assert.deepStrictEqual(plain.slice(0, -1).map(({ choices }) => choices[0].finish_reason), [null, null, null, null, "length"])
      assert.isTrue(plain.slice(0, -1).every((chunk) => !("usage" in chunk)))
      const counted = yield* streamed({ echo: true, stream_options: { include_usage: true } })
      assert.strictEqual(counted[0].choices[0].text, "Once")
      assert.strictEqual(counted[0].usage, null)
      assert.deepStrictEqual(counted.at(-2).choices, [])
      assert.deepStrictEqual(counted.at(-2).usage, { prompt_tokens: 1, completion_tokens: 3, total_tokens: 4 })
    }))

  it.effect("ends with the error, and without [DONE], when it breaks off", () =>
    Effect.gen(function*() {
      const broken = new LlmError.StreamInterrupted({ backend: "scripted", message: "cut" })
      const web = yield* serve(
        yield* ScriptedLlm.make([{ _tag: "Start", model: "" }, { _tag: "TextDelta", text: "a" }, broken])
      )
      const heard = yield* Effect.flatMap(web.post("/v1/completions", { ...ask, stream: true }), events)
      assert.deepStrictEqual(heard.map(({ choices, error }) => choices?.[0].text ?? error.code), ["a", "stream_interrupted"])
    }))

  it("takes one text, which may stand in a list, and no tokens", () => {
    const read = (fields: object) => OpenAiCompletions.toContinuation({ ...ask, ...fields })
    assert.strictEqual(Either.getOrThrow(read({ prompt: ["Once"] })).request.prompt, "Once")
    for (
      const [fields, field] of [
        [{ prompt: ["a", "b"] }, "prompt"],
        [{ prompt: [] }, "prompt"],
        [{ prompt: [1, 2] }, "prompt"],
        [{ prompt: [[1, 2]] }, "prompt"],
        [{ n: 2 }, "n"],
        [{ suffix: "end" }, "suffix"],
        [{ logprobs: 1 }, "logprobs"],
        [{ stream_options: {} }, "stream_options"],
        [{ messages: [] }, "messages"]
      ] as const
    ) assert.include(Either.getOrThrow(Either.flip(read(fields))).field, field)
  })

  it.effect.skipIf(openai === undefined)(
    `answers as OpenAI describes, whole and in every chunk${openai === undefined ? ` (${absent})` : ""}`,
    () =>
      Effect.gen(function*() {
        const check = openai!.response("post", "/completions", 200)
        const web = yield* serve(yield* ScriptedLlm.make(ScriptedLlm.repeat(answer)))
        assert.deepStrictEqual(check(yield* Effect.flatMap(web.post("/v1/completions", ask), json)), [])
        const heard = yield* Effect.flatMap(web.post("/v1/completions", { ...ask, stream: true }), events)
        for (const { choices: [choice], ...chunk } of heard.slice(0, -1)) {
          // chunks before the last have null, which the description, of whole answers alone, does not know
          const finish_reason = choice.finish_reason ?? "stop"
          assert.deepStrictEqual(check({ ...chunk, choices: [{ ...choice, finish_reason }] }), [])
        }
      })
  )
})
