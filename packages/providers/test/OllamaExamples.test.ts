import { assert, describe, it } from "@effect/vitest"
import * as Completion from "@spillway/core/Completion"
import * as LlmError from "@spillway/core/LlmError"
import * as Ollama from "@spillway/providers/Ollama"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { absent, type Example, examples, ndjson } from "./examples.js"
import { fetching, refusal, through } from "./fetching.js"

const recorded = examples("ollama", ndjson)

const request = { model: "asked", prompt: "hi" }

const errors: { readonly [name: string]: LlmError.Tag } = {
  live_error_400_bad_json: "InvalidRequest",
  live_error_400_empty_body: "InvalidRequest",
  live_error_400_no_model: "InvalidRequest",
  live_error_400_no_thinking_support: "InvalidRequest",
  live_error_400_no_tools_support: "InvalidRequest",
  live_error_404_model: "ModelNotFound",
  live_error_404_model_delete: "ModelNotFound",
  live_error_404_model_show: "ModelNotFound",
  live_error_404_path: "MalformedResponse",
  live_error_405: "MalformedResponse",
  live_error_500_bad_option: "InvalidRequest",
  live_error_503_queue_full: "ServerFault",
  live_error_embed_unsupported: "Unsupported"
}

const finishReasons: { readonly [reason: string]: Completion.FinishReason } = { stop: "stop", length: "length" }

const says = (completion: Completion.Completion, lines: ReadonlyArray<any>) => {
  const last = lines.at(-1)
  const calls = lines.flatMap(({ message }) => message.tool_calls ?? [])
  assert.strictEqual(completion.model, last.model)
  assert.strictEqual(completion.text, lines.map(({ message }) => message.content).join(""))
  assert.deepStrictEqual(
    completion.toolCalls.map(({ arguments: args, name }) => ({ name, arguments: JSON.parse(args) })),
    calls.map(({ function: { arguments: args, name } }) => ({ name, arguments: args }))
  )
  for (const { id } of completion.toolCalls) assert.match(id, /^[a-zA-Z0-9_-]+$/)
  const reason = last.done_reason === undefined ? "stop" : finishReasons[last.done_reason] ?? "other"
  assert.strictEqual(completion.finishReason, calls.length > 0 ? "tool-calls" : reason)
  assert.deepStrictEqual(completion.usage, {
    ...(last.prompt_eval_count !== undefined && { inputTokens: last.prompt_eval_count }),
    ...(last.eval_count !== undefined && { outputTokens: last.eval_count })
  })
}

const linesOf = ({ answer, body, chunks }: Example): ReadonlyArray<any> =>
  chunks ??
    (typeof answer.body === "string"
      ? answer.body.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line))
      : [body])

const collected = (example: Example) =>
  through(
    fetching(() => example.answer).fetch,
    Ollama.make(),
    (service) => Completion.collect(service.streamText(request))
  )

if (recorded === undefined) {
  describe.skip(`Ollama's recorded answers (${absent})`, () => {
    it("are read", () => {})
  })
} else {
  describe("Ollama's recorded answers", () => {
    for (const example of recorded) {
      const { answer, body, name } = example
      const tag = errors[name]
      if (tag !== undefined) {
        it.effect(`${name} is ${tag} (W-25, W-26, W-28)`, () =>
          Effect.map(refusal(Ollama.make(), answer), (error) => {
            assert.strictEqual(error._tag, tag)
            assert.include(error.message, body.error ?? body)
          }))
      } else if (/^(live_)?chat_stream/.test(name)) {
        it.effect(`${name} reads as the answer that it streams (W-27)`, () =>
          Effect.map(collected(example), (completion) => says(completion, linesOf(example))))
      } else if (/^(live_)?chat/.test(name)) {
        it.effect(`${name} reads as what it says (W-27, W-29)`, () =>
          through(fetching(() => answer).fetch, Ollama.make(), (service) =>
            Effect.map(service.generateText(request), (completion) => says(completion, [body]))))
      } else if (/^(live_error_midstream_chat|stream_midstream_error|live_error_pull_midstream)$/.test(name)) {
        it.effect(`${name} fails with the error of its last line, after what came before (W-22)`, () =>
          through(fetching(() => answer).fetch, Ollama.make(), (service) =>
            Effect.gen(function*() {
              const parts: Array<Completion.Part> = []
              const error = yield* Effect.flip(
                Stream.runForEach(service.streamText(request), (part) => Effect.sync(() => parts.push(part)))
              )
              const lines = linesOf(example)
              assert.instanceOf(error, LlmError.ServerFault)
              assert.include(error.message, lines.at(-1).error.slice(0, 40))
              const texts = lines.flatMap(({ message }) => message?.content || [])
              assert.deepStrictEqual(parts.flatMap((part) => part._tag === "TextDelta" ? [part.text] : []), texts)
            })))
      } else if (/^embed(_multi)?$/.test(name)) {
        it.effect(`${name} reads as its vectors`, () => {
          const input = [example.request?.body.input].flat()
          return through(fetching(() => answer).fetch, Ollama.make(), (service) =>
            Effect.map(service.embed({ model: "asked", input }), ({ vectors }) =>
              assert.deepStrictEqual(vectors, body.embeddings)))
        })
      } else if (/^(live_)?tags$/.test(name)) {
        it.effect(`${name} reads as the names of its models`, () =>
          through(fetching(() => answer).fetch, Ollama.make(), (service) =>
            Effect.map(service.listModels, (models) =>
              assert.deepStrictEqual(models.map(({ id }) => id), body.models.map(({ name }: any) => name)))))
      }
    }

    it.effect("say of a structured answer that was cut off that it was (W-29)", () => {
      const example = recorded.find(({ name }) => name === "live_chat_structured")!
      return through(fetching(() => example.answer).fetch, Ollama.make(), (service) =>
        Effect.map(service.generateText(request), ({ finishReason, text }) => {
          assert.strictEqual(finishReason, "length")
          assert.throws(() => JSON.parse(text))
        }))
    })
  })
}
