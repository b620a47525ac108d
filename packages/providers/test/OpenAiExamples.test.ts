import { assert, describe, it } from "@effect/vitest"
import * as Completion from "@spillway/core/Completion"
import type * as LlmError from "@spillway/core/LlmError"
import * as Monitor from "@spillway/core/Monitor"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as Groq from "../src/Groq.js"
import * as OpenAi from "../src/OpenAi.js"
import * as OpenAiCompat from "../src/OpenAiCompat.js"
import { absent, type Example, examples } from "./examples.js"
import { fetching, refusal, through } from "./fetching.js"

const apiKeys = [Redacted.make("sk-test")] as const

const backends = {
  openai: OpenAiCompat.make(OpenAi.profile, { apiKeys }),
  groq: OpenAiCompat.make(Groq.profile, { apiKeys })
}

const request = { model: "asked", prompt: "hi" }

const empty = { choices: [{ message: { content: null } }] }

const errors: { readonly [name: string]: LlmError.Tag } = {
  "openai/envoy_chat_bad_request": "InvalidRequest",
  "openai/envoy_chat_no_messages": "InvalidRequest",
  "openai/envoy_chat_unknown_model": "ModelNotFound",
  "openai/envoy_completion_bad_request": "InvalidRequest",
  "openai/envoy_completion_unknown_model": "ModelNotFound",
  "openai/envoy_embeddings_bad_request": "InvalidRequest",
  "openai/envoy_embeddings_unknown_model": "ModelNotFound",
  "openai/error_400_context_length_exceeded": "InvalidRequest",
  "openai/error_400_model_responses": "ModelNotFound",
  "openai/error_400_unsupported_parameter": "InvalidRequest",
  "openai/error_400_unsupported_value": "InvalidRequest",
  "openai/error_404_model_chat": "ModelNotFound",
  "openai/error_404_model_embeddings": "ModelNotFound",
  "openai/error_429_insufficient_quota": "QuotaExhausted",
  "openai/error_429_rate_limit_exceeded": "RateLimited",
  "groq/error_400_tool_use_failed": "InvalidOutput",
  "groq/error_404_model": "ModelNotFound",
  "groq/error_413_request_too_large": "InvalidRequest",
  "groq/error_429_rate_limit": "RateLimited"
}

const finishReasons: { readonly [reason: string]: Completion.FinishReason } = {
  stop: "stop",
  length: "length",
  tool_calls: "tool-calls"
}

/** What a stream builds up, by the plainest reading of its chunks. */
const assembled = (chunks: ReadonlyArray<any>) => {
  const message = { content: "", reasoning: "", tool_calls: [] as Array<any> }
  let finish_reason
  for (const { choices: [choice] } of chunks) {
    message.content += choice?.delta.content ?? ""
    message.reasoning += choice?.delta.reasoning ?? ""
    for (const { function: f, id, index } of choice?.delta.tool_calls ?? []) {
      const call = message.tool_calls[index] ??= { id, function: { name: f.name, arguments: "" } }
      call.function.arguments += f.arguments
    }
    finish_reason = choice?.finish_reason ?? finish_reason
  }
  const usage = chunks.findLast((chunk) => chunk.usage)?.usage
  return { ...chunks[0], choices: [{ message, finish_reason }], usage }
}

const says = (completion: Completion.Completion, { choices: [choice], id, model, usage }: any) => {
  assert.strictEqual(completion.id, id)
  assert.strictEqual(completion.model, model)
  assert.strictEqual(completion.text, choice.message.content ?? "")
  assert.strictEqual(completion.finishReason, finishReasons[choice.finish_reason])
  assert.deepStrictEqual(
    completion.toolCalls.map(({ arguments: args, id, name }) => [id, name, args]),
    (choice.message.tool_calls ?? []).map((call: any) => [call.id, call.function.name, call.function.arguments])
  )
  const reasoning = completion.content.flatMap((part) => part._tag === "Reasoning" ? [part.text] : []).join("")
  assert.strictEqual(reasoning, choice.message.reasoning ?? "")
  assert.strictEqual(completion.usage.inputTokens, usage?.prompt_tokens)
  assert.strictEqual(completion.usage.outputTokens, usage?.completion_tokens)
  assert.strictEqual(completion.usage.cachedInputTokens, usage?.prompt_tokens_details?.cached_tokens)
  assert.strictEqual(completion.usage.reasoningTokens, usage?.completion_tokens_details?.reasoning_tokens)
}

const chunksOf = ({ answer, chunks }: Example): ReadonlyArray<any> =>
  chunks ??
    [...String(answer.body).matchAll(/^data: ?(\{.*\})$/gm)].map(([, data]) => JSON.parse(data!))

const isChat = ({ body, chunks, name }: Example) =>
  !/^(completion|envoy_completion|responses)/.test(name) &&
  (body?.object === "chat.completion" || /stream/.test(name) || chunks !== undefined)

/** Reads every recording that is of an operation we have; the others must be known here by name. */
const others = /^(completion_|envoy_completion_|responses_|doc_(batch|reranking|responses)|transcription)/

for (const [name, make] of Object.entries(backends)) {
  const recorded = examples(name, (chunk) => `data: ${JSON.stringify(chunk)}\n\n`)
  if (recorded === undefined) {
    describe.skip(`${name}'s recorded answers (${absent})`, () => {
      it("are read", () => {})
    })
    continue
  }
  describe(`${name}'s recorded answers`, () => {
    for (const example of recorded) {
      const { answer, body, chunks } = example
      const title = `${name}/${example.name}`
      const tag = errors[title]
      if (tag !== undefined) {
        it.effect(`${title} is ${tag} (W-14, W-15, W-18, W-41)`, () =>
          Effect.map(refusal(make, answer), (error) => {
            assert.strictEqual(error._tag, tag)
            assert.include(error.message, body.error.message.slice(0, 60))
            if (error._tag === "InvalidOutput") assert.strictEqual(error.text, body.error.failed_generation)
          }))
      } else if (example.name === "headers_chat_200") {
        it.effect(`${title} tell what is left of the key's limits (W-19)`, () =>
          through(fetching(() => ({ ...answer, body: empty })).fetch, make, (service) =>
            Effect.gen(function*() {
              yield* service.generateText(request)
              const { backends } = yield* Monitor.snapshot
              assert.deepStrictEqual(
                backends[0]?.keys?.[0]?.remaining,
                name === "openai" ? { requests: 4999, tokens: 799_970 } : { requests: 999, tokens: 5992 }
              )
            })).pipe(Effect.provideService(Monitor.CurrentMonitor, Monitor.unsafeMake())))
      } else if (example.name === "stream_midstream_error") {
        it.effect(`${title} fails with what it says in its midst (W-17)`, () =>
          through(fetching(() => answer).fetch, make, (service) =>
            Effect.gen(function*() {
              const error = yield* Effect.flip(Stream.runDrain(service.streamText(request)))
              assert.strictEqual(error._tag, "InvalidOutput")
              assert.include(error.message, "tool_use_failed")
            })))
      } else if (/embeddings/.test(example.name)) {
        const texts = Array.from(body.data, () => "text")
        it.effect(`${title} is ${texts.length} vectors (W-38)`, () =>
          through(fetching(() => answer).fetch, make, (service) =>
            Effect.gen(function*() {
              const { usage, vectors } = yield* service.embed({ model: "asked", input: texts })
              assert.strictEqual(vectors.length, texts.length)
              for (const [i, vector] of vectors.entries()) {
                const raw = body.data[i].embedding
                const bytes = Buffer.from(raw, "base64")
                const floats = Array.from({ length: bytes.length / 4 }, (_, n) => bytes.readFloatLE(n * 4))
                assert.deepStrictEqual(vector, Array.isArray(raw) ? raw : floats)
              }
              assert.strictEqual(usage.inputTokens, body.usage.prompt_tokens)
            })))
      } else if (example.name === "doc_models") {
        it.effect(`${title} is a list of models`, () =>
          through(fetching(() => answer).fetch, make, (service) =>
            Effect.map(service.listModels, (models) => {
              assert.deepStrictEqual(models.map(({ id }) => id), body.data.map((model: any) => model.id))
              assert.deepStrictEqual(
                models.map(({ contextWindow }) => contextWindow),
                body.data.map((model: any) => model.context_window)
              )
            })))
      } else if (isChat(example) && typeof answer.body === "string") {
        it.effect(`${title} reads as the message that it streams (W-01, W-02)`, () =>
          through(
            fetching(() => chunks === undefined ? answer : { ...answer, body: `${answer.body}data: [DONE]\n\n` }).fetch,
            make,
            (service) =>
              Effect.map(
                Completion.collect(service.streamText(request)),
                (completion) => says(completion, assembled(chunksOf(example)))
              )
          ))
      } else if (isChat(example)) {
        it.effect(`${title} reads as what it says (W-03, W-42)`, () =>
          through(fetching(() => answer).fetch, make, (service) =>
            Effect.map(service.generateText(request), (completion) => says(completion, body))))
      } else {
        it(`${title} is of an operation that is another module's`, () => {
          assert.match(example.name, others)
        })
      }
    }
  })
}
