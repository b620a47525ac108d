/**
 * TGI's own wire: what `/generate`, `/generate_stream` and `/tokenize` take and give.
 *
 * A request says how to sample in `parameters`: once they are there (we always ask for details) generation is greedy,
 * unless `doSample` or a sampling parameter says otherwise. A stream is a list of tokens; the last one comes with the
 * whole text, and that is its end marker. Every error of a stream, a wrong parameter too, comes with status 200.
 *
 * @see https://huggingface.co/docs/text-generation-inference/basic_tutorials/consuming_tgi
 * @see https://huggingface.github.io/text-generation-inference/
 * @since 0.1.0
 */
import type * as Completion from "@spillway/core/Completion"
import type * as LlmError from "@spillway/core/LlmError"
import type * as Tool from "@spillway/core/Tool"
import * as Either from "effect/Either"
import * as HttpBackend from "./HttpBackend.js"
import * as Json from "./internal/json.js"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * What the text must look like: JSON of a schema (which must have `properties`), or a match of a regular expression.
 *
 * @since 0.1.0
 * @category models
 */
export type Grammar =
  | { readonly _tag: "Json"; readonly schema: Tool.JsonSchema }
  | { readonly _tag: "Regex"; readonly pattern: string }

/**
 * A text to be continued, without any chat template. What is left out is the server's default.
 *
 * @since 0.1.0
 * @category models
 */
export interface GenerateRequest {
  readonly prompt: string
  /** Most tokens to generate, from 1. @default what is left of the server's `maxTotalTokens` */
  readonly maxNewTokens?: number
  /** Whether to sample, and not to take the likeliest token each time. @default false, unless a parameter of sampling is given */
  readonly doSample?: boolean
  /** Randomness, greater than 0. @default 1 */
  readonly temperature?: number
  /** Sample from the K likeliest tokens, from 1. */
  readonly topK?: number
  /** Nucleus sampling, between 0 and 1. */
  readonly topP?: number
  /** Typical decoding, between 0 and 1. */
  readonly typicalP?: number
  /** Punishes tokens that were used: greater than 0, 1 does nothing. */
  readonly repetitionPenalty?: number
  /** Punishes tokens by how often they were used: -2 to 2. */
  readonly frequencyPenalty?: number
  /** Texts at which generation ends. @default none; servers take 4 at most */
  readonly stop?: ReadonlyArray<string>
  /** Makes sampling repeatable, from 1. */
  readonly seed?: number
  /** What the text must look like. */
  readonly grammar?: Grammar
  /** Which of the server's LoRA adapters to use. */
  readonly adapterId?: string
  /** Keeps only so many tokens of the prompt, its last ones. */
  readonly truncate?: number
  /** Whether the text begins with the prompt. @default false */
  readonly returnFullText?: boolean
  /** Whether to mark the text as a machine's. @default false */
  readonly watermark?: boolean
  /** How many of the likeliest tokens to tell at each place. */
  readonly topNTokens?: number
  /** Generates so many texts and gives the likeliest; not for streams. */
  readonly bestOf?: number
  /** Whether the prompt's tokens are told; not for streams. @default false */
  readonly prefill?: boolean
}

/**
 * A token of an answer.
 *
 * @since 0.1.0
 * @category models
 */
export interface Token {
  readonly id: number
  readonly text: string
  /** Absent where the server knows none: the first token of a prompt. */
  readonly logprob?: number
  /** Whether it is a mark of the model's (an end of text), and no text. */
  readonly special: boolean
}

/**
 * Why generation ended.
 *
 * @since 0.1.0
 * @category models
 */
export type FinishReason = "length" | "eos_token" | "stop_sequence"

/**
 * A text that was generated.
 *
 * @since 0.1.0
 * @category models
 */
export interface Generation {
  readonly text: string
  /** Absent where the server does not say, or says a word that is none of these. */
  readonly finishReason?: FinishReason
  readonly usage: Completion.Usage
  /** What sampling began with. */
  readonly seed?: number
  readonly tokens: ReadonlyArray<Token>
  /** The prompt's tokens, if they were asked for. */
  readonly prefill: ReadonlyArray<Token>
  /** The likeliest tokens at each place, if they were asked for. */
  readonly topTokens: ReadonlyArray<ReadonlyArray<Token>>
  /** The other texts of `bestOf`. */
  readonly others: ReadonlyArray<Omit<Generation, "usage" | "others">>
}

/**
 * A piece of a text as it is generated: its tokens, then `Done`, once, with the whole of it.
 *
 * @since 0.1.0
 * @category models
 */
export type GenerationPart =
  | { readonly _tag: "Token"; readonly token: Token; readonly topTokens: ReadonlyArray<Token> }
  | ({ readonly _tag: "Done" } & Pick<Generation, "text" | "finishReason" | "usage" | "seed">)

/**
 * A token of a text that was only taken apart: it stands from `start` to `stop` (in characters).
 *
 * @since 0.1.0
 * @category models
 */
export interface TextToken {
  readonly id: number
  readonly text: string
  readonly start: number
  readonly stop: number
}

// -----------------------------------------------------------------------------
// request
// -----------------------------------------------------------------------------

/**
 * The body of `POST /generate` and `POST /generate_stream`.
 *
 * @since 0.1.0
 * @category translations
 */
export const toGenerateBody = (request: GenerateRequest): object => ({
  inputs: request.prompt,
  parameters: {
    details: true,
    max_new_tokens: request.maxNewTokens,
    do_sample: request.doSample,
    temperature: request.temperature,
    top_k: request.topK,
    top_p: request.topP,
    typical_p: request.typicalP,
    repetition_penalty: request.repetitionPenalty,
    frequency_penalty: request.frequencyPenalty,
    stop: request.stop,
    seed: request.seed,
    grammar: request.grammar === undefined ? undefined : toGrammar(request.grammar),
    adapter_id: request.adapterId,
    truncate: request.truncate,
    return_full_text: request.returnFullText,
    watermark: request.watermark,
    top_n_tokens: request.topNTokens,
    best_of: request.bestOf,
    decoder_input_details: request.prefill
  }
})

/**
 * A grammar as the server writes it, in `parameters.grammar` and in a chat's `response_format` alike.
 *
 * @since 0.1.0
 * @category translations
 */
export const toGrammar = (grammar: Grammar): object =>
  grammar._tag === "Json" ? { type: "json", value: grammar.schema } : { type: "regex", value: grammar.pattern }

// -----------------------------------------------------------------------------
// answer
// -----------------------------------------------------------------------------

/**
 * The text of `/generate`; the tokens of its prompt are told by a header.
 *
 * @since 0.1.0
 * @category translations
 */
export const toGeneration = (
  body: unknown,
  exchange: HttpBackend.Exchange<GenerateRequest>
): Either.Either<Generation, LlmError.LlmError> => {
  // `POST /` gives it as the only one of a list, and so do old deployments for `/generate`
  const answer = Array.isArray(body) ? body[0] : body
  const text = Json.string(Json.get(answer, "generated_text"))
  if (text === undefined) {
    return Either.left(
      Json.get(answer, "error") === undefined
        ? exchange.malformed("a generation without generated_text")
        : exchange.failure(answer)
    )
  }
  const details = Json.get(answer, "details")
  const told = exchange.headers
  return Either.right({
    text,
    ...toSequence(details),
    usage: Json.defined({
      inputTokens: countOf(told["x-prompt-tokens"]),
      outputTokens: Json.count(Json.get(details, "generated_tokens")) ?? countOf(told["x-generated-tokens"])
    }),
    others: Json.array(Json.get(details, "best_of_sequences")).map((other) => ({
      text: Json.string(Json.get(other, "generated_text")) ?? "",
      ...toSequence(other)
    }))
  })
}

const toSequence = (details: unknown) => ({
  ...toEnd(details),
  tokens: toTokens(Json.get(details, "tokens")),
  prefill: toTokens(Json.get(details, "prefill")),
  topTokens: Json.array(Json.get(details, "top_tokens")).map(toTokens)
})

const toEnd = (details: unknown): Pick<Generation, "finishReason" | "seed"> =>
  Json.defined({
    finishReason: finishReasons.get(Json.get(details, "finish_reason")),
    seed: Json.number(Json.get(details, "seed"))
  })

const finishReasons: ReadonlyMap<unknown, FinishReason> = new Map(
  (["length", "eos_token", "stop_sequence"] as const).map((reason) => [reason, reason])
)

const countOf = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined

const toTokens = (tokens: unknown): ReadonlyArray<Token> => Json.array(tokens).map(toToken)

const toToken = (token: unknown): Token =>
  Json.defined({
    id: Json.count(Json.get(token, "id")) ?? 0,
    text: Json.string(Json.get(token, "text")) ?? "",
    logprob: Json.number(Json.get(token, "logprob")),
    special: Json.get(token, "special") === true
  })

/**
 * Reads the events of `/generate_stream`, up to the one that holds the whole text. Events without a token are skipped.
 *
 * @since 0.1.0
 * @category translations
 */
export const generateReader = (
  exchange: HttpBackend.Exchange<GenerateRequest>
): HttpBackend.Reader<GenerationPart> => ({
  frame({ data }, out) {
    const event = Json.parse(data)
    if (event === undefined) return exchange.malformed("an event of the stream is no JSON")
    if ((Json.get(event, "error") ?? undefined) !== undefined) return exchange.failure(event)
    const token = Json.get(event, "token")
    if (Json.isObject(token)) {
      out.push({ _tag: "Token", token: toToken(token), topTokens: toTokens(Json.get(event, "top_tokens")) })
    }
    const text = Json.string(Json.get(event, "generated_text"))
    if (text === undefined) return undefined
    const details = Json.get(event, "details")
    const usage = Json.defined({
      inputTokens: Json.count(Json.get(details, "input_length")),
      outputTokens: Json.count(Json.get(details, "generated_tokens"))
    })
    out.push({ _tag: "Done", text, ...toEnd(details), usage })
    return HttpBackend.ended(usage)
  }
})

/**
 * The tokens of a text that was taken apart.
 *
 * @since 0.1.0
 * @category translations
 */
export const toTextTokens = (
  body: unknown,
  { malformed }: Pick<HttpBackend.Exchange<never>, "malformed">
): Either.Either<ReadonlyArray<TextToken>, LlmError.LlmError> =>
  Array.isArray(body)
    ? Either.right(body.map((token) => ({
      id: Json.count(Json.get(token, "id")) ?? 0,
      text: Json.string(Json.get(token, "text")) ?? "",
      start: Json.count(Json.get(token, "start")) ?? 0,
      stop: Json.count(Json.get(token, "stop")) ?? 0
    })))
    : Either.left(malformed("tokens that are no list"))
