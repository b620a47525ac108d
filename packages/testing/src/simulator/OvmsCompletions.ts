/**
 * What OpenVINO Model Server does with texts besides chat: goes on from them, ranks them, and takes them apart.
 *
 * @see https://docs.openvino.ai/2026/model-server/ovms_docs_rest_api_completion.html
 * @see https://docs.openvino.ai/2026/model-server/ovms_docs_rest_api_rerank.html
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Fields from "./Fields.js"
import type * as Models from "./Models.js"
import * as Reply from "./Reply.js"
import * as Seed from "./Seed.js"
import * as Tokens from "./Tokens.js"
import * as Vector from "./Vector.js"
import * as Wire from "./Wire.js"

const optional = Fields.nullish

const boolean = optional(Fields.boolean)

/**
 * The checks of what chat and completions have in common.
 *
 * @since 0.1.0
 * @category constructors
 */
export const common: { readonly [field: string]: Fields.Check } = {
  model: Fields.string(),
  stream: boolean,
  stream_options: optional(Fields.object({ include_usage: Fields.optional(Fields.boolean) })),
  max_tokens: optional(Fields.integer({ min: 1, max: 4_294_967_295 })),
  temperature: optional(Fields.number({ min: 0, max: 2 })),
  top_p: optional(Fields.number({ min: 0, max: 1 })),
  top_k: optional(Fields.integer({ min: -1 })),
  min_p: optional(Fields.number({ min: 0, max: 1 })),
  frequency_penalty: optional(Fields.number({ min: -2, max: 2 })),
  presence_penalty: optional(Fields.number({ min: -2, max: 2 })),
  repetition_penalty: optional(Fields.number()),
  length_penalty: optional(Fields.number()),
  best_of: optional(Fields.integer({ min: 1 })),
  seed: optional(Fields.integer({ min: 0, max: 4_294_967_295 })),
  stop: optional(Fields.either(Fields.string(), Fields.array(Fields.string(), { max: 16 }))),
  ignore_eos: boolean,
  include_stop_str_in_output: boolean,
  skip_special_tokens: boolean,
  logprobs: optional(Fields.any),
  num_assistant_tokens: optional(Fields.integer({ min: 1 })),
  assistant_confidence_threshold: optional(Fields.number({ min: 0, max: 1 })),
  max_ngram_size: optional(Fields.integer({ min: 1 }))
}

const fields = Fields.object({ ...common, prompt: Fields.string({ min: 1 }), echo: boolean })

/**
 * The answer of `POST /v3/completions`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const answer =
  (models: ReadonlyArray<Models.Model>) =>
  (call: Wire.Call): Either.Either<Wire.Answer, Wire.Failure> => {
    const body: Fields.Json = Fields.isJson(call.body) ? call.body : {}
    const violation = fields(body)
    if (violation !== undefined) return Either.left(Wire.Failure.Invalid({ violation, body }))
    const model = Wire.find(models, Fields.stringOf(body["model"]))?.snapshot ?? ""
    const prompt = Fields.stringOf(body["prompt"])
    const reply = Reply.to({
      model,
      turns: [{ role: "user", text: prompt, shown: [] }],
      tools: [],
      choice: "none",
      parallel: false,
      format: "text",
      reasoning: false,
      maxTokens: typeof body["max_tokens"] === "number" ? body["max_tokens"] : Infinity,
      stop: Array.isArray(body["stop"]) ? body["stop"].map(Fields.stringOf) : [Fields.stringOf(body["stop"])],
      length: call.answerTokens,
      variant: 0
    })
    const { input, output } = reply.usage
    const usage = { completion_tokens: output, prompt_tokens: input, total_tokens: input + output }
    const members = { created: Math.floor(call.now / 1000), model }
    const finish = reply.finish === "length" ? "length" : "stop"
    const choice = (text: string, finish_reason: string | null) => [{ finish_reason, index: 0, logprobs: null, text }]
    const chunk = (choices: ReadonlyArray<object>, more: object = {}) =>
      `data: ${JSON.stringify({ choices, ...members, object: "text_completion.chunk", ...more })}\n\n`
    const spoken = [...(body["echo"] === true ? [prompt] : []), ...reply.text]
    const counts = Fields.isJson(body["stream_options"]) && body["stream_options"]["include_usage"] === true
    return Either.right({
      input,
      output,
      render: () =>
        body["stream"] === true
          ? {
              _tag: "Frames",
              contentType: "text/event-stream",
              opening: "",
              tokens: spoken.map((token) => chunk(choice(token, null))),
              closing: `${chunk(choice("", finish))}${counts ? chunk([], { usage }) : ""}data: [DONE]\n\n`
            }
          : Wire.json({ choices: choice(spoken.join(""), finish), ...members, object: "text_completion", usage })
    })
  }

const ranking = Fields.object({
  model: Fields.string(),
  query: Fields.string(),
  documents: Fields.array(Fields.string(), { min: 1, max: 100 }),
  top_n: optional(Fields.integer({ min: 1 })),
  return_documents: boolean
})

/**
 * The answer of `POST /v3/rerank`: documents whose words are near those of the query, first.
 *
 * @since 0.1.0
 * @category constructors
 */
export const rerank = (call: Wire.Call): Either.Either<Wire.Answer, Wire.Failure> => {
  const body: Fields.Json = Fields.isJson(call.body) ? call.body : {}
  const violation = ranking(body)
  if (violation !== undefined) return Either.left(Wire.Failure.Invalid({ violation, body }))
  const query = Vector.of(Fields.stringOf(body["query"]), 256)
  const documents = Array.isArray(body["documents"]) ? body["documents"].map(Fields.stringOf) : []
  const results = documents
    .map((text, index) => ({
      index,
      relevance_score: (1 + Vector.of(text, 256).reduce((sum, value, i) => sum + value * (query[i] ?? 0), 0)) / 2,
      ...(body["return_documents"] === true ? { document: { text } } : {})
    }))
    .sort((one, other) => other.relevance_score - one.relevance_score)
  return Either.right(
    Wire.free({ results: results.slice(0, typeof body["top_n"] === "number" ? body["top_n"] : results.length) })
  )
}

const tokenizing = Fields.object({
  model: Fields.string(),
  text: Fields.either(Fields.string(), Fields.array(Fields.string(), { min: 1 })),
  max_length: Fields.optional(Fields.integer({ min: 1 })),
  pad_to_max_length: Fields.optional(Fields.boolean),
  add_special_tokens: Fields.optional(Fields.boolean),
  padding_side: Fields.optional(Fields.oneOf("left", "right"))
})

/**
 * The answer of `POST /v3/tokenize`: of one text its tokens, of several a list for each.
 *
 * @since 0.1.0
 * @category constructors
 */
export const tokenize = (call: Wire.Call): Either.Either<Wire.Answer, Wire.Failure> => {
  const body: Fields.Json = Fields.isJson(call.body) ? call.body : {}
  const violation = tokenizing(body)
  if (violation !== undefined) return Either.left(Wire.Failure.Invalid({ violation, body }))
  const texts = Array.isArray(body["text"]) ? body["text"].map(Fields.stringOf) : [Fields.stringOf(body["text"])]
  const most = typeof body["max_length"] === "number" ? body["max_length"] : Infinity
  const lists = texts.map((text) => Tokens.cut(text).slice(0, most).map((token) => Seed.of(token) >>> 16))
  return Either.right(Wire.free({ tokens: lists.length === 1 ? lists[0] : lists }))
}
