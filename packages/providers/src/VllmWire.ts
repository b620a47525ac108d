/**
 * What vLLM has beyond OpenAI's wire for a model that generates: the further fields of its requests, and tokens of a
 * text.
 *
 * @see https://docs.vllm.ai/en/latest/serving/online_serving/
 * @since 0.1.0
 */
import type * as Completion from "@spillway/core/Completion"
import type * as LlmError from "@spillway/core/LlmError"
import type * as Prompt from "@spillway/core/Prompt"
import type * as Tool from "@spillway/core/Tool"
import * as Either from "effect/Either"
import type * as HttpBackend from "./HttpBackend.js"
import * as Json from "./internal/json.js"
import * as OpenAiWire from "./OpenAiWire.js"

declare module "@spillway/core/Completion" {
  interface ProviderOptions {
    /** What only vLLM can be asked for. */
    readonly vllm?: RequestOptions
  }
}

// -----------------------------------------------------------------------------
// further fields
// -----------------------------------------------------------------------------

/**
 * What only vLLM can be asked for, with one request for text. What is left out is the server's default, which may come
 * from the model.
 *
 * @see https://docs.vllm.ai/en/latest/serving/openai_compatible_server/
 * @since 0.1.0
 * @category models
 */
export interface RequestOptions {
  /** What the answer must match, besides `format`. */
  readonly structuredOutputs?: StructuredOutputs
  /** Least likelihood of a token, as a share of the likeliest one's: 0 to 1. */
  readonly minP?: number
  /** Punishes tokens that were used, in the prompt too: more than 1; rewards them: less. */
  readonly repetitionPenalty?: number
  /** Least tokens to generate before the end, or a `stop`, counts. */
  readonly minTokens?: number
  /** Tokens at which generation ends, by their number. */
  readonly stopTokenIds?: ReadonlyArray<number>
  /** Words that must not be generated. */
  readonly badWords?: ReadonlyArray<string>
  /** Whether to go on after the model's own end. @default false */
  readonly ignoreEos?: boolean
  /** Most tokens of the prompt, of which the last are kept; -1 is as many as the model takes. */
  readonly truncatePromptTokens?: number
  /** Whether reasoning is told. @default true */
  readonly includeReasoning?: boolean
  /** Lower goes first; for a server that schedules by priority, any other refuses what is not 0. @default 0 */
  readonly priority?: number
  /** Keeps the cache of this prompt from all who do not know the salt. */
  readonly cacheSalt?: string
  /** The chat template, in place of the model's; for a server that trusts requests with it. */
  readonly chatTemplate?: string
  /** What the chat template takes besides messages and tools: `{ enable_thinking: false }`. */
  readonly chatTemplateKwargs?: Readonly<Record<string, unknown>>
  /** What the processor of pictures and the like takes. */
  readonly mmProcessorKwargs?: Readonly<Record<string, unknown>>
  /** Whether the last message, the assistant's, is to be gone on with. @default false */
  readonly continueFinalMessage?: boolean
  /** What extensions of the server take. */
  readonly xargs?: Readonly<Record<string, string | number | ReadonlyArray<string | number>>>
}

/**
 * What an answer must match: one of these.
 *
 * @see https://docs.vllm.ai/en/latest/features/structured_outputs/
 * @since 0.1.0
 * @category models
 */
export type StructuredOutputs =
  | { readonly json: Tool.JsonSchema }
  | { readonly regex: string }
  | { readonly choice: ReadonlyArray<string> }
  /** A context-free grammar, in EBNF. */
  | { readonly grammar: string }
  /** JSON between tags, within free text; the server's own form, as text. */
  | { readonly structuralTag: string }

/**
 * The fields of a request for text that only vLLM has. A server from before 0.12 knows what an answer must match as
 * `guided_json` and so on, and ignores `structured_outputs`.
 *
 * @since 0.1.0
 * @category translations
 */
export const toFields = (options: RequestOptions | undefined, guided: boolean): Json.Fields | undefined =>
  options && {
    ...toStructure(options.structuredOutputs, guided),
    min_p: options.minP,
    repetition_penalty: options.repetitionPenalty,
    min_tokens: options.minTokens,
    stop_token_ids: options.stopTokenIds,
    bad_words: options.badWords,
    ignore_eos: options.ignoreEos,
    truncate_prompt_tokens: options.truncatePromptTokens,
    include_reasoning: options.includeReasoning,
    priority: options.priority,
    cache_salt: options.cacheSalt,
    chat_template: options.chatTemplate,
    chat_template_kwargs: options.chatTemplateKwargs,
    mm_processor_kwargs: options.mmProcessorKwargs,
    ...(options.continueFinalMessage === true && { continue_final_message: true, add_generation_prompt: false }),
    vllm_xargs: options.xargs
  }

const toStructure = (structure: StructuredOutputs | undefined, guided: boolean): Json.Fields | undefined => {
  if (structure === undefined) return undefined
  const fields = "structuralTag" in structure ? { structural_tag: structure.structuralTag } : structure
  if (!guided) return { structured_outputs: fields }
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name === "structural_tag" ? name : `guided_${name}`, value])
  )
}

// -----------------------------------------------------------------------------
// tokens
// -----------------------------------------------------------------------------

/**
 * What is to be cut into tokens: a text as it is, or a chat as the model's template writes it.
 *
 * @since 0.1.0
 * @category models
 */
export type TokenizeRequest = {
  readonly model: string
  /** Whether the tokens are wanted as text too. @default false */
  readonly texts?: boolean
  /** Whether to add what begins a text. @default true for a text, false for a chat, whose template adds it */
  readonly addSpecialTokens?: boolean
} & ({ readonly text: string } | { readonly prompt: Prompt.Input; readonly tools?: ReadonlyArray<Tool.Definition> })

/**
 * The tokens of a text or a chat.
 *
 * @since 0.1.0
 * @category models
 */
export interface Tokens {
  readonly tokens: ReadonlyArray<number>
  /** The tokens as text, where they were asked for. */
  readonly texts?: ReadonlyArray<string>
  /** How many there are. */
  readonly count: number
  /** Most tokens that the model takes, prompt and answer together. */
  readonly maxModelLen?: number
}

/**
 * Tokens that are to become text again.
 *
 * @since 0.1.0
 * @category models
 */
export interface DetokenizeRequest {
  readonly model: string
  readonly tokens: ReadonlyArray<number>
}

/**
 * The body of `POST /tokenize`.
 *
 * @since 0.1.0
 * @category translations
 */
export const toTokenizeBody = (
  request: TokenizeRequest,
  dialect: OpenAiWire.Dialect
): Either.Either<object, LlmError.LlmError> => {
  const further = { return_token_strs: request.texts, add_special_tokens: request.addSpecialTokens }
  if ("text" in request) return Either.right({ model: request.model, prompt: request.text, ...further })
  const { model, prompt, tools } = request
  const chat: Completion.Request = tools === undefined ? { model, prompt } : { model, prompt, tools }
  return Either.map(OpenAiWire.toChatBody(chat, dialect, false), (body) => ({
    model,
    messages: Json.get(body, "messages"),
    tools: Json.get(body, "tools"),
    ...further
  }))
}

/**
 * The tokens in an answer of `/tokenize`.
 *
 * @since 0.1.0
 * @category translations
 */
export const toTokens = (
  body: unknown,
  exchange: HttpBackend.Exchange<TokenizeRequest>
): Either.Either<Tokens, LlmError.LlmError> => {
  const tokens = Json.get(body, "tokens")
  const count = Json.count(Json.get(body, "count"))
  // llama.cpp, which has the same route and other fields, answers no tokens and no count
  if (!isNumbers(tokens) || count === undefined) return wrong(body, exchange, "tokens that are not counted")
  const texts = Json.get(body, "token_strs")
  return Either.right(Json.defined({
    tokens,
    texts: Array.isArray(texts) ? texts.map(String) : undefined,
    count,
    maxModelLen: Json.count(Json.get(body, "max_model_len"))
  }))
}

/**
 * The text in an answer of `/detokenize`.
 *
 * @since 0.1.0
 * @category translations
 */
export const toText = (
  body: unknown,
  exchange: HttpBackend.Exchange<DetokenizeRequest>
): Either.Either<string, LlmError.LlmError> => {
  const text = Json.string(Json.get(body, "prompt"))
  return text === undefined ? wrong(body, exchange, "a text without prompt") : Either.right(text)
}

// -----------------------------------------------------------------------------
// the server
// -----------------------------------------------------------------------------

/**
 * How busy a server is.
 *
 * @since 0.1.0
 * @category models
 */
export interface Load {
  /** Requests that its engines work on. */
  readonly running: number
  /** Requests that wait for an engine. */
  readonly waiting: number
  /** Which share of its key-value cache is used, 0 to 1; that of the fullest engine. */
  readonly kvCacheUsage?: number
  /** Requests that came and are not answered yet; 0 unless it was started with `--enable-server-load-tracking`. */
  readonly inFlight?: number
}

/**
 * An adapter to the model, as a directory or a repository.
 *
 * @since 0.1.0
 * @category models
 */
export interface Lora {
  /** The name of a model, under which it is asked for. */
  readonly name: string
  /** Where it is, as the server sees it. */
  readonly path: string
  /** Whether to put it in the place of one of the same name. @default false, which is a `Conflict` then */
  readonly inPlace?: boolean
}

const isNumbers = (u: unknown): u is ReadonlyArray<number> =>
  Array.isArray(u) && u.every((n) => typeof n === "number")

const wrong = <I>(body: unknown, exchange: HttpBackend.Exchange<I>, what: string) =>
  Either.left(OpenAiWire.isError(body) ? exchange.failure(body) : exchange.malformed(what))
