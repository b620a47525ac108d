/**
 * What TGI's own routes can be asked for, and what they answer, where the common words have no word for it.
 *
 * @see https://huggingface.github.io/text-generation-inference/
 * @since 0.1.0
 */
import type * as Completion from "@spillway/core/Completion"
import type * as Tool from "@spillway/core/Tool"

declare module "@spillway/core/Completion" {
  interface ProviderOptions {
    /** What only TGI can be asked for. */
    readonly tgi?: RequestOptions
  }
}

/**
 * What only TGI can be asked for, with one request for text.
 *
 * @since 0.1.0
 * @category models
 */
export interface RequestOptions {
  /** What the answer must match, in place of `format`: a regular expression. Not together with tools. */
  readonly regex?: string
  /** What the model is told before the tools. @default the server's */
  readonly toolPrompt?: string
}

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
  /** Whether to sample, and not to take the likeliest token each time. @default whether a way to sample is said */
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

/**
 * What a server says of itself; what an older one does not tell is absent.
 *
 * @since 0.1.0
 * @category models
 */
export interface Info {
  readonly model: string
  /** The server's version. */
  readonly version?: string
  /** Most tokens of a prompt. */
  readonly maxInputTokens?: number
  /** Most tokens of prompt and answer together. */
  readonly maxTotalTokens?: number
  /** Most requests at once; the next one is refused. */
  readonly maxConcurrentRequests?: number
  /** Most texts in `stop`. */
  readonly maxStopSequences?: number
  /** Most texts of `bestOf`. */
  readonly maxBestOf?: number
}

/**
 * A conversation as the model sees it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Templated {
  /** The text that the chat template made of it. */
  readonly text: string
  readonly tokens: ReadonlyArray<TextToken>
}
