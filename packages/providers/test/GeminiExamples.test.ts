import { assert, describe, it } from "@effect/vitest"
import * as Completion from "@spillway/core/Completion"
import * as LlmError from "@spillway/core/LlmError"
import * as Prompt from "@spillway/core/Prompt"
import * as GeminiWire from "@spillway/providers/GeminiWire"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { absent, type Example, examples } from "./examples.js"
import { type Answer, fetching, inPieces, refusal } from "./fetching.js"
import * as Gemini from "./gemini.js"

const recorded = examples("gemini", Gemini.event)

const request = { model: "asked", prompt: "hi" }

/** What the error is, and how long is waited with the only key: 5 seconds and an hour are the pool's own. */
const errors: { readonly [name: string]: readonly [tag: LlmError.Tag, seconds?: number] } = {
  error_400_api_key_invalid: ["AuthenticationFailed"],
  error_403_api_not_enabled: ["AuthenticationFailed"],
  error_404_model_embed: ["ModelNotFound"],
  error_404_model_generate: ["ModelNotFound"],
  error_404_unknown_model: ["ModelNotFound"],
  error_429_bare: ["RateLimited", 5],
  error_429_quota_metric_vertex: ["QuotaExhausted", 3600],
  error_429_quota_per_day: ["QuotaExhausted", 3600],
  error_429_quota_per_minute: ["RateLimited", 26]
}

const reasons: { readonly [reason: string]: Completion.FinishReason } = {
  STOP: "stop",
  MAX_TOKENS: "length",
  SAFETY: "content-filter"
}

/** Holds a completion against the answers (one, or those of a stream) that it was read from. */
const says = (completion: Completion.Completion, answers: ReadonlyArray<any>) => {
  const last = answers.at(-1)
  const parts = answers.flatMap(({ candidates: [{ content }] }) => content.parts ?? [])
  const calls = parts.filter(({ functionCall }) => functionCall !== undefined)
  const spoken = (isThought: boolean) =>
    parts.filter(({ text, thought }) => text !== undefined && (thought === true) === isThought)
      .map(({ text }) => text).join("")
  assert.strictEqual(completion.model, last.modelVersion ?? "asked")
  assert.strictEqual(completion.id, last.responseId)
  assert.strictEqual(completion.text, spoken(false))
  const thoughts = completion.content.flatMap((part) => part._tag === "Reasoning" ? [part.text] : [])
  assert.strictEqual(thoughts.join(""), spoken(true))
  assert.deepStrictEqual(
    completion.toolCalls.map(({ arguments: args, name, signature }) => ({ args: JSON.parse(args), name, signature })),
    calls.map(({ functionCall, thoughtSignature }) => ({ ...functionCall, signature: thoughtSignature }))
  )
  for (const { id } of completion.toolCalls) assert.match(id, /^call_[\w-]+$/)
  const reason = reasons[last.candidates[0].finishReason]
  assert.strictEqual(completion.finishReason, reason === "stop" && calls.length > 0 ? "tool-calls" : reason)
  const {
    cachedContentTokenCount: cached,
    candidatesTokenCount: candidates,
    promptTokenCount: prompt,
    thoughtsTokenCount: thought,
    totalTokenCount: total
  } = last.usageMetadata ?? {}
  assert.deepStrictEqual(completion.usage, {
    ...(prompt !== undefined && { inputTokens: prompt }),
    ...((candidates ?? thought) !== undefined && { outputTokens: (candidates ?? 0) + (thought ?? 0) }),
    ...(cached !== undefined && { cachedInputTokens: cached }),
    ...(thought !== undefined && { reasoningTokens: thought })
  })
  const { inputTokens = 0, outputTokens = 0 } = completion.usage
  assert.strictEqual(inputTokens + outputTokens, total ?? 0)
}

const eventsOf = (raw: string): ReadonlyArray<any> =>
  raw.split(/\r?\n\r?\n/).filter((one) => one.startsWith("data: ")).map((one) => JSON.parse(one.slice(6)))

const collected = (answer: Answer) =>
  Gemini.through(
    fetching(() => answer).fetch,
    ({ llm }) => Completion.collect(llm.streamText(request))
  )

const named = (name: string): Example => recorded!.find((example) => example.name === name)!

if (recorded === undefined) {
  describe.skip(`Gemini's recorded answers (${absent})`, () => {
    it("are read", () => {})
  })
} else {
  describe("Gemini's recorded answers", () => {
    for (const { answer, body, name } of recorded) {
      const expected = errors[name]
      if (expected !== undefined) {
        it.effect(`${name} is ${expected[0]} (W-12, W-13)`, () =>
          Effect.map(refusal(Gemini.llm(), answer), (error) => {
            assert.strictEqual(error._tag, expected[0])
            assert.include(error.message, body.error.message.slice(0, 40))
            assert.strictEqual("code" in error && error.code, String(body.error.code))
            const waited = Option.map(LlmError.retryAfter(error), Duration.toSeconds)
            assert.strictEqual(Option.getOrUndefined(waited), expected[1])
          }))
      } else if (name.startsWith("generate_")) {
        it.effect(`${name} reads as what it says (W-06, W-11)`, () =>
          Gemini.through(
            fetching(() => answer).fetch,
            ({ llm }) => Effect.map(llm.generateText(request), (completion) => says(completion, [body]))
          ))
      } else if (/^stream_(?!error|prompt)/.test(name)) {
        it.effect(`${name} reads as the answer that it streams (W-06, W-07)`, () =>
          Effect.map(collected(answer), (completion) => says(completion, eventsOf(body))))
      }
    }

    it.effect("are whole answers only when they are whole, and the same wherever they are cut (W-07, W-08)", () => {
      const { answer, body } = named("stream_utf8_vertex")
      const bytes = new TextEncoder().encode(body)
      const whole = eventsOf(body)
      // its characters have three bytes each: a cut at every fifth comes at each of them
      const { fetch } = fetching((_, index) => ({
        ...answer,
        body: index === 0
          ? inPieces(...Array.from(bytes, (byte) => Uint8Array.of(byte)))
          : inPieces(bytes.slice(0, 5 * index), bytes.slice(5 * index))
      }))
      return Gemini.through(fetch, ({ llm }) =>
        Effect.gen(function*() {
          for (let at = 0; at < bytes.length; at += 5) {
            says(yield* Completion.collect(llm.streamText(request)), whole)
          }
        }))
    }, 30_000)

    it.effect("are not over for an event that says why they stopped, if the next one is cut off", () => {
      // every event of this one says so
      const { answer, body } = named("stream_utf8_vertex")
      const second = body.indexOf("data: ", 10)
      return Effect.gen(function*() {
        for (const at of [second + "data: ".length, second + 20, body.length - 10]) {
          const error = yield* Effect.flip(collected({ ...answer, body: body.slice(0, at) }))
          assert.strictEqual(error._tag, "StreamInterrupted")
        }
      })
    })

    it.effect("fail with the error that stands bare in their midst, after what came before (W-09)", () => {
      const { answer } = named("stream_error_mid_stream_vertex")
      return Gemini.through(fetching(() => answer).fetch, ({ llm }) =>
        Effect.gen(function*() {
          const parts: Array<Completion.Part> = []
          const error = yield* Effect.flip(
            Stream.runForEach(llm.streamText(request), (part) => Effect.sync(() => parts.push(part)))
          )
          assert.instanceOf(error, LlmError.ServerFault)
          assert.include(error.message, "The operation was cancelled.")
          assert.strictEqual(error.code, "499")
          const texts = parts.flatMap((part) => part._tag === "TextDelta" ? [part.text] : [])
          assert.deepStrictEqual(texts, ["First ", "Second "])
        }))
    })

    it.effect("fail with ContentFiltered when the prompt was blocked (W-10)", () =>
      Effect.map(Effect.flip(collected(named("stream_prompt_blocked").answer)), (error) => {
        assert.instanceOf(error, LlmError.ContentFiltered)
        assert.strictEqual(error.code, "SAFETY")
      }))

    it.effect("give back the signature of a call as it came (W-06)", () =>
      Effect.map(collected(named("stream_tool_call_thought_signature").answer), ({ content, toolCalls }) => {
        const prompt = [
          Prompt.user("hi"),
          Prompt.assistant(content),
          Prompt.tool(toolCalls.map(({ id, name }) => ({ _tag: "ToolResult", id, name, result: "Norway" })))
        ]
        const { contents } = GeminiWire.toBody({ model: "gemini-3-pro-preview", prompt })
        const [original] = eventsOf(named("stream_tool_call_thought_signature").body)[0].candidates[0].content.parts
        assert.strictEqual(contents[1]!.parts[0]!["thoughtSignature"], original.thoughtSignature)
      }))

    it.effect("are read as vectors, and as a count of tokens", () => {
      const vectors = named("batch_embed_contents")
      const count = named("count_tokens")
      const { fetch } = fetching((_, index) => index === 0 ? vectors.answer : count.answer)
      return Gemini.through(fetch, ({ gemini, llm }) =>
        Effect.gen(function*() {
          const embedded = yield* llm.embed({ model: "asked", input: ["Hello, world!"] })
          assert.deepStrictEqual(embedded.vectors, [vectors.body.embeddings[0].values])
          assert.deepStrictEqual(yield* gemini.countTokens(request), { tokens: count.body.totalTokens })
        }))
    })
  })
}
