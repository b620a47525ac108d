import { assert, describe, it } from "@effect/vitest"
import * as Completion from "@spillway/core/Completion"
import type * as LlmError from "@spillway/core/LlmError"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as Groq from "../src/Groq.js"
import * as OpenAi from "../src/OpenAi.js"
import * as Wire from "../src/OpenAiResponsesWire.js"
import { absent, type Example, examples, sse } from "./examples.js"
import { exchange } from "./exchange.js"
import { type Answer, fetching, through } from "./fetching.js"

const apiKeys = [Redacted.make("sk-test")] as const

const request: Completion.Request = { model: "asked", prompt: "hi" }

const asking = <A>(answer: Answer, ask: (backend: OpenAi.Backend) => Effect.Effect<A, LlmError.LlmError>) =>
  through(fetching(() => answer).fetch, OpenAi.make({ apiKeys, api: "responses" }), ask)

/** What a recorded response says, by the plainest reading of it. */
const plain = ({ id, model, output, usage }: any) => ({
  id,
  model,
  text: output.flatMap(({ content }: any) => content ?? []).map(({ text }: any) => text ?? "").join(""),
  calls: output
    .filter(({ type }: any) => type === "function_call")
    .map(({ arguments: args, call_id, name }: any) => [call_id, name, args]),
  input: usage.input_tokens,
  output: usage.output_tokens,
  cached: usage.input_tokens_details.cached_tokens
})

const said = ({ id, model, text, toolCalls, usage }: Completion.Completion) => ({
  id,
  model,
  text,
  calls: toolCalls.map(({ arguments: args, id, name }) => [id, name, args]),
  input: usage.inputTokens,
  output: usage.outputTokens,
  cached: usage.cachedInputTokens
})

/** The last response that a recorded stream tells of. */
const lastOf = (raw: string) =>
  raw.split("\n").flatMap((line) => line.startsWith("data: ") ? [JSON.parse(line.slice(6)).response ?? []].flat() : [])
    .at(-1)

const failing = (tag: LlmError.Tag, words: string) => ({ answer, body }: Example) => {
  const framed = typeof body === "string" ? { ...answer, body: `event: error\ndata: ${body}\n\n` } : answer
  return Effect.map(
    Effect.flip(asking(framed, ({ llm }) => Stream.runDrain(llm.streamText(request)))),
    (error) => {
      assert.strictEqual(error._tag, tag)
      assert.include(error.message, words)
    }
  )
}

const whole = (finishReason: Completion.FinishReason) => ({ answer, body }: Example) =>
  Effect.map(asking(answer, ({ llm }) => llm.generateText(request)), (completion) => {
    assert.deepStrictEqual(said(completion), plain(body))
    assert.strictEqual(completion.finishReason, finishReason)
  })

const streamed = (finishReason: Completion.FinishReason) => ({ answer, body }: Example) =>
  Effect.map(asking(answer, ({ llm }) => Completion.collect(llm.streamText(request))), (completion) => {
    assert.deepStrictEqual(said(completion), plain(lastOf(body)))
    assert.strictEqual(completion.finishReason, finishReason)
  })

const readings: { readonly [name: string]: (example: Example) => Effect.Effect<void, unknown> } = {
  error_400_model_responses: ({ answer }) =>
    Effect.map(Effect.flip(asking(answer, ({ llm }) => llm.generateText(request))), ({ _tag }) => {
      assert.strictEqual(_tag, "ModelNotFound")
    }),
  responses_background_poll: ({ answer, body }) =>
    Effect.map(asking(answer, ({ openai }) => openai.retrieveResponse(body.id)), (kept) => {
      assert.deepStrictEqual(kept, { id: body.id, status: "in_progress" })
    }),
  responses_input_tokens: ({ answer }) =>
    Effect.map(asking(answer, ({ openai }) => openai.countInputTokens(request)), (tokens) => {
      assert.strictEqual(tokens, 18)
    }),
  responses_stream_error_insufficient_quota: failing("QuotaExhausted", "insufficient_quota"),
  responses_stream_error_overloaded: failing("ServerFault", "server_is_overloaded"),
  responses_stream_text: streamed("stop"),
  responses_stream_tool_call: streamed("tool-calls"),
  responses_structured_output: whole("stop"),
  responses_text: whole("stop"),
  responses_tool_call: whole("tool-calls")
}

const recorded = examples("openai", sse)

const ofGroq = examples("groq", sse)

if (recorded === undefined || ofGroq === undefined) {
  describe.skip(`recorded responses (${absent})`, () => {
    it("are read", () => {})
  })
} else {
  describe("recorded responses", () => {
    for (const example of recorded.filter(({ name }) => /responses/.test(name))) {
      it.effect(`openai/${example.name} is read as what it is (W-15, W-16)`, () =>
        readings[example.name]?.(example) ?? Effect.die("there is no reading of it"))
    }

    it("are all of those that are known", () => {
      const names = recorded.map(({ name }) => name).filter((name) => /responses/.test(name))
      assert.deepStrictEqual(names, Object.keys(readings).toSorted())
    })

    it("of Groq, whose responses are OpenAI's, are read", () => {
      const { body } = ofGroq.find(({ name }) => name === "doc_responses")!
      assert.deepStrictEqual(
        said(Either.getOrThrow(Wire.toCompletion(body, exchange(request, "groq")))),
        plain(body)
      )
    })
  })

  describe("groq's documented ranking", () => {
    const { answer, body } = ofGroq.find(({ name }) => name === "doc_reranking")!
    const documents = body.results.map(({ doc }: any) => doc).toReversed()

    const ranked = (topN?: number) =>
      through(fetching(() => answer).fetch, Groq.make({ apiKeys }), ({ llm }) =>
        llm.rerank({ model: "asked", query: "q", documents, ...(topN !== undefined && { topN }) }))

    it.effect("gives each document its place in the request", () =>
      Effect.gen(function*() {
        const { model, results, usage } = yield* ranked()
        assert.strictEqual(model, "asked")
        assert.deepStrictEqual(usage, {})
        assert.deepStrictEqual(results.map(({ index }) => index), [2, 1, 0])
        assert.deepStrictEqual(results.map(({ document, score }) => ({ doc: document, score })), body.results)
      }))

    it.effect("is cut to what was asked for", () =>
      Effect.map(ranked(2), ({ results }) => {
        assert.deepStrictEqual(results.map(({ index }) => index), [2, 1])
      }))
  })
}
