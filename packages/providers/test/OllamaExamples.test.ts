import { assert, describe, it } from "@effect/vitest"
import * as Completion from "@spillway/core/Completion"
import * as LlmError from "@spillway/core/LlmError"
import * as Ollama from "@spillway/providers/Ollama"
import type * as OllamaGenerateWire from "@spillway/providers/OllamaGenerateWire"
import type * as OllamaModelsWire from "@spillway/providers/OllamaModelsWire"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { absent, type Example, examples, ndjson } from "./examples.js"
import { fetching, refusal, type Sent, through } from "./fetching.js"

const recorded = examples("ollama", ndjson)

const make = Effect.map(Ollama.make(), ({ llm }) => llm)

/** Uses what only Ollama does. */
const own = <A, E>({ answer }: Example, use: (ollama: Ollama.Service) => Effect.Effect<A, E>) => {
  const { fetch, sent } = fetching(() => answer)
  return Effect.map(through(fetch, Ollama.make(), ({ ollama }) => use(ollama)), (result) => ({ result, sent }))
}

/** What a request of ours must be: the recorded one, which is answered so. */
const same = (sent: ReadonlyArray<Sent>, { request }: Example, more: object = {}) => {
  assert.strictEqual(sent[0]!.method, request!.method)
  assert.isTrue(request!.uri.endsWith(sent[0]!.path))
  const body = request!.body ?? undefined
  assert.deepStrictEqual(sent[0]!.body, body === undefined ? undefined : { ...body, ...more })
}

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
    make,
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
          Effect.map(refusal(make, answer), (error) => {
            assert.strictEqual(error._tag, tag)
            assert.include(error.message, body.error ?? body)
          }))
      } else if (/^(live_)?chat_stream/.test(name)) {
        it.effect(`${name} reads as the answer that it streams (W-27)`, () =>
          Effect.map(collected(example), (completion) => says(completion, linesOf(example))))
      } else if (/^(live_)?chat/.test(name)) {
        it.effect(`${name} reads as what it says (W-27, W-29)`, () =>
          through(fetching(() => answer).fetch, make, (service) =>
            Effect.map(service.generateText(request), (completion) => says(completion, [body]))))
      } else if (name === "live_error_pull_midstream") {
        it.effect(`${name} is the error of its last line, after how far it had come (W-22)`, () => {
          const seen: Array<OllamaModelsWire.Progress> = []
          return Effect.map(
            own(example, ({ pull }) =>
              Effect.flip(Stream.runForEach(pull({ model: "llama3" }), (one) => Effect.sync(() => seen.push(one))))),
            ({ result: error, sent }) => {
              assert.instanceOf(error, LlmError.ServerFault)
              assert.include(error.message, "no such host")
              assert.deepStrictEqual(seen, [{ status: "pulling manifest" }])
              same(sent, example, { stream: true })
            }
          )
        })
      } else if (name === "pull_stream") {
        it.effect(`${name} reads as how far it has come, up to its first success`, () =>
          Effect.map(
            own(example, ({ pull }) => Stream.runCollect(pull({ model: "llama3.2" }))),
            ({ result, sent }) => {
              assert.deepStrictEqual([...result], linesOf(example).slice(0, -1))
              same(sent, example, { stream: true })
            }
          ))
      } else if (/^(live_generate|live_generate_stream|generate|generate_stream|generate_structured|live_unload)$/.test(name)) {
        const { options = {}, ...asked } = example.request?.body ?? {}
        const { format, keep_alive: keepAlive, model, prompt } = asked
        const request: OllamaGenerateWire.Request = {
          model,
          ...(prompt !== undefined && { prompt }),
          ...(keepAlive !== undefined && { keepAlive }),
          ...(format !== undefined && { format: { _tag: "JsonSchema", name: "n", schema: format } }),
          ...(options.num_predict !== undefined && { maxTokens: options.num_predict }),
          ...(options.temperature !== undefined && { temperature: options.temperature }),
          ...(options.seed !== undefined && { seed: options.seed })
        }
        const lines = linesOf(example)
        const last = lines.at(-1)
        const end = {
          model: last.model,
          finishReason: last.done_reason === undefined ? "stop" : finishReasons[last.done_reason] ?? "other",
          usage: last.eval_count === undefined
            ? {}
            : { inputTokens: last.prompt_eval_count, outputTokens: last.eval_count }
        }
        const text = lines.map(({ response }) => response).join("")
        if (name.endsWith("stream")) {
          it.effect(`${name} reads as the text that it streams, and answers what we send`, () =>
            Effect.map(
              own(example, ({ generateStream }) => Stream.runCollect(generateStream(request))),
              ({ result, sent }) => {
                const parts = [...result]
                assert.strictEqual(parts.map((part) => part._tag === "Text" ? part.text : "").join(""), text)
                assert.deepStrictEqual(parts.at(-1), { _tag: "Done", ...end } as OllamaGenerateWire.Part)
                same(sent, example, { stream: true })
              }
            ))
        } else {
          it.effect(`${name} reads as what it says, and answers what we send (W-29)`, () =>
            Effect.map(own(example, ({ generate }) => generate(request)), ({ result, sent }) => {
              assert.deepStrictEqual(result, { ...end, text, reasoning: "" } as OllamaGenerateWire.Generation)
              same(sent, example, { stream: false })
            }))
        }
      } else if (/^(live_)?ps(_empty)?$/.test(name)) {
        it.effect(`${name} reads as the models in memory`, () =>
          Effect.map(own(example, ({ running }) => running), ({ result, sent }) => {
            assert.deepStrictEqual(
              result.map(({ contextLength, expires, id, size, sizeVram }) => ({
                id,
                size,
                sizeVram,
                contextLength,
                expires
              })),
              body.models.map(({ context_length, expires_at, model, size, size_vram }: any) => ({
                id: model,
                size,
                sizeVram: size_vram,
                contextLength: context_length,
                expires: Math.floor(Date.parse(expires_at) / 1000)
              }))
            )
            same(sent, example)
          }))
      } else if (name === "live_show") {
        it.effect(`${name} reads as what there is to know of a model`, () =>
          Effect.map(own(example, ({ show }) => show("stories260k")), ({ result, sent }) => {
            const { info, template, ...rest } = result
            assert.deepStrictEqual(rest, {
              family: "llama",
              parameterSize: "293K",
              quantization: "unknown",
              capabilities: new Set<string>(body.capabilities),
              contextWindow: 8192,
              dimensions: 64
            })
            assert.strictEqual(template, body.template)
            assert.deepStrictEqual(info, body.model_info)
            same(sent, example)
          }))
      } else if (/^(live_)?version$/.test(name)) {
        it.effect(`${name} reads as the version, and as a sign of life`, () =>
          Effect.zipRight(
            through(fetching(() => answer).fetch, make, ({ health }) => health),
            Effect.map(own(example, ({ version }) => version), ({ result, sent }) => {
              assert.strictEqual(result, body.version)
              same(sent, example)
            })
          ))
      } else if (/^(live_error_midstream_chat|stream_midstream_error)$/.test(name)) {
        it.effect(`${name} fails with the error of its last line, after what came before (W-22)`, () =>
          through(fetching(() => answer).fetch, make, (service) =>
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
          return through(fetching(() => answer).fetch, make, (service) =>
            Effect.map(service.embed({ model: "asked", input }), ({ vectors }) =>
              assert.deepStrictEqual(vectors, body.embeddings)))
        })
      } else if (/^(live_)?tags$/.test(name)) {
        it.effect(`${name} reads as the names of its models`, () =>
          through(fetching(() => answer).fetch, make, (service) =>
            Effect.map(service.listModels, (models) =>
              assert.deepStrictEqual(models.map(({ id }) => id), body.models.map(({ name }: any) => name)))))
      }
    }

    it.effect("say of a structured answer that was cut off that it was (W-29)", () => {
      const example = recorded.find(({ name }) => name === "live_chat_structured")!
      return through(fetching(() => example.answer).fetch, make, (service) =>
        Effect.map(service.generateText(request), ({ finishReason, text }) => {
          assert.strictEqual(finishReason, "length")
          assert.throws(() => JSON.parse(text))
        }))
    })
  })
}
