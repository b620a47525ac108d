/**
 * What of OpenVINO Model Server's wire is neither OpenAI's, KServe's nor TensorFlow Serving's: more to say of how a
 * text is generated, tokens, and its configuration.
 *
 * @see https://docs.openvino.ai/2026/model-server/ovms_docs_rest_api_chat.html
 * @since 0.1.0
 */
import type * as LlmError from "@spillway/core/LlmError"
import * as Either from "effect/Either"
import type * as HttpBackend from "./HttpBackend.js"
import * as Json from "./internal/json.js"
import type * as KServeWire from "./KServeWire.js"
import type * as TextCompletionsWire from "./TextCompletionsWire.js"
import * as TfServingWire from "./TfServingWire.js"

declare module "@spillway/core/Completion" {
  interface ProviderOptions {
    /** What only OpenVINO Model Server can be asked for. */
    readonly ovms?: GenerationOptions
  }
}

declare module "@spillway/core/Inference" {
  interface ProviderOptions {
    /** How tensors go to OpenVINO Model Server. */
    readonly ovms?: KServeWire.Settings
  }
}

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * What only OpenVINO Model Server can be asked for, of a text that is generated.
 *
 * @since 0.1.0
 * @category models
 */
export interface GenerationOptions {
  /** Tokens less likely than this share of the likeliest are left out, 0 to 1. @default 0 */
  readonly minP?: number
  /** Punishes tokens that stand in the prompt or the answer; 1 is no punishment. @default 1 */
  readonly repetitionPenalty?: number
  /** How many answers are generated, the best of which is given, from 1. @default 1 */
  readonly bestOf?: number
  /** With several answers, above 0 favours the longer ones. @default 1 */
  readonly lengthPenalty?: number
  /** Whether generation goes on after the model's own end. @default false */
  readonly ignoreEos?: boolean
  /** Whether the text of `stop` is part of the answer; of a streamed one it always is. @default false */
  readonly includeStop?: boolean
  /** Whether tokens that are no text are left out. @default true */
  readonly skipSpecialTokens?: boolean
  /** What the model's chat template is told: `{ enable_thinking: false }`. */
  readonly chatTemplateKwargs?: { readonly [name: string]: string | number | boolean }
  /** How many tokens a draft model, or a look-up in the prompt, proposes. */
  readonly numAssistantTokens?: number
  /** How sure a draft model must be of a token, 0 to 1; in place of `numAssistantTokens`. */
  readonly assistantConfidenceThreshold?: number
  /** The longest run of tokens that is looked up in the prompt. */
  readonly maxNgramSize?: number
}

/**
 * A prompt to go on from, without a chat template.
 *
 * @since 0.1.0
 * @category models
 */
export interface CompleteRequest extends TextCompletionsWire.Request {
  readonly options?: Omit<GenerationOptions, "chatTemplateKwargs">
}

/**
 * Texts to tokenize.
 *
 * @since 0.1.0
 * @category models
 */
export interface TokenizeRequest {
  readonly model: string
  /** At least one. */
  readonly texts: ReadonlyArray<string>
  /** Most tokens of each text, from 1. @default all of them */
  readonly maxLength?: number
  /** Whether tokens are added that begin or end a text. @default true */
  readonly addSpecialTokens?: boolean
}

/**
 * What came of reading the configuration again.
 *
 * @since 0.1.0
 * @category models
 */
export interface Reloaded {
  /** Whether there was something new; a server that does not say so leaves it false. */
  readonly changed: boolean
  readonly models: ReadonlyArray<TfServingWire.ModelStatus>
}

// -----------------------------------------------------------------------------
// translations
// -----------------------------------------------------------------------------

/**
 * The fields of a request that are only this server's.
 *
 * @since 0.1.0
 * @category translations
 */
export const toFields = (options: GenerationOptions = {}): Json.Fields => ({
  min_p: options.minP,
  repetition_penalty: options.repetitionPenalty,
  best_of: options.bestOf,
  length_penalty: options.lengthPenalty,
  ignore_eos: options.ignoreEos,
  include_stop_str_in_output: options.includeStop,
  skip_special_tokens: options.skipSpecialTokens,
  chat_template_kwargs: options.chatTemplateKwargs,
  num_assistant_tokens: options.numAssistantTokens,
  assistant_confidence_threshold: options.assistantConfidenceThreshold,
  max_ngram_size: options.maxNgramSize
})

/**
 * The body of `POST /v3/tokenize`.
 *
 * @since 0.1.0
 * @category translations
 */
export const toTokenizeBody = ({ addSpecialTokens, maxLength, model, texts }: TokenizeRequest): Json.Fields => ({
  model,
  text: texts,
  max_length: maxLength,
  add_special_tokens: addSpecialTokens
})

/**
 * The tokens of each text; those of a single one come as a list of their own.
 *
 * @since 0.1.0
 * @category translations
 */
export const toTokens = (
  body: unknown,
  exchange: HttpBackend.Exchange<TokenizeRequest>
): Either.Either<ReadonlyArray<ReadonlyArray<number>>, LlmError.LlmError> => {
  const tokens = Json.get(body, "tokens")
  const expected = exchange.input.texts.length
  const lists = Array.isArray(tokens) && !tokens.some(Array.isArray) && expected === 1 ? [tokens] : tokens
  return Array.isArray(lists) && lists.length === expected && lists.every(isTokens)
    ? Either.right(lists)
    : Either.left(exchange.malformed(`no tokens for each of ${expected} texts`))
}

const isTokens = (list: unknown): list is ReadonlyArray<number> =>
  Array.isArray(list) && list.every((token) => Json.count(token) !== undefined)

/**
 * What came of reading the configuration again.
 *
 * @since 0.1.0
 * @category translations
 */
export const toReloaded = <I>(
  body: unknown,
  exchange: HttpBackend.Exchange<I>
): Either.Either<Reloaded, LlmError.LlmError> =>
  Either.map(TfServingWire.toModels(body, exchange), (models) => ({ changed: exchange.status === 201, models }))

/**
 * Whether a server of this version still speaks TensorFlow Serving's wire, which v2026.3 gave up. A version that says
 * nothing is taken for a new one.
 *
 * @since 0.1.0
 * @category guards
 */
export const speaksTfServing = (version: string): boolean => {
  const [known, year, release] = /^(\d{4})\.(\d+)/.exec(version) ?? []
  return known !== undefined && (Number(year) < 2026 || Number(year) === 2026 && Number(release) < 3)
}
