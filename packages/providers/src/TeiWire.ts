/**
 * What TEI's routes can be asked for, and what they answer, where the common words have no word for it.
 *
 * @see https://huggingface.github.io/text-embeddings-inference/
 * @since 0.1.0
 */

declare module "@spillway/core/Embedding" {
  interface ProviderOptions {
    /** What only TEI can be asked for. */
    readonly tei?: EmbedOptions
  }
}

declare module "@spillway/core/Rerank" {
  interface ProviderOptions {
    /** What only TEI can be asked for. */
    readonly tei?: RerankOptions
  }
}

/**
 * What becomes of a text that is too long for the model.
 *
 * @since 0.1.0
 * @category models
 */
export interface Truncation {
  /** Whether it is cut; `false` makes it an error. @default what the server was started with */
  readonly truncate?: boolean
  /** At which end it is cut. @default "right" */
  readonly truncationDirection?: "left" | "right"
}

/**
 * How a text is given to the model.
 *
 * @since 0.1.0
 * @category models
 */
export interface Prompted {
  /** Which of the model's own prompts is put before each text (`query`, `passage`). @default none */
  readonly promptName?: string
}

/**
 * What only TEI can be asked for, with one request for embeddings.
 *
 * @since 0.1.0
 * @category models
 */
export interface EmbedOptions extends Truncation, Prompted {
  /** Whether each vector has the length 1. @default true (the server's) */
  readonly normalize?: boolean
}

/**
 * What only TEI can be asked for, with one request for a ranking.
 *
 * @since 0.1.0
 * @category models
 */
export interface RerankOptions extends Truncation {
  /** Whether scores are as the model gave them, and not brought between 0 and 1. @default false (the server's) */
  readonly rawScores?: boolean
}

/**
 * Texts, each to be made into vectors: one a token, or a sparse one.
 *
 * @since 0.1.0
 * @category models
 */
export interface TextsRequest extends Truncation, Prompted {
  readonly input: ReadonlyArray<string>
}

/**
 * A place of a sparse vector that is not zero.
 *
 * @since 0.1.0
 * @category models
 */
export interface SparseValue {
  readonly index: number
  readonly value: number
}

/**
 * Texts, or pairs of them, to be classified.
 *
 * @since 0.1.0
 * @category models
 */
export interface PredictRequest extends RerankOptions {
  readonly input: ReadonlyArray<string | readonly [string, string]>
}

/**
 * How well a label fits.
 *
 * @since 0.1.0
 * @category models
 */
export interface Prediction {
  readonly label: string
  readonly score: number
}

/**
 * Sentences to be compared with another.
 *
 * @since 0.1.0
 * @category models
 */
export interface SimilarityRequest extends Truncation, Prompted {
  readonly source: string
  readonly sentences: ReadonlyArray<string>
}

/**
 * Texts to be taken apart.
 *
 * @since 0.1.0
 * @category models
 */
export interface TokenizeRequest extends Prompted {
  readonly input: ReadonlyArray<string>
  /** Whether the marks that the model wants around a text are put there. @default true (the server's) */
  readonly addSpecialTokens?: boolean
}

/**
 * A token of a text; `start` and `stop` (in characters) are absent for one that stands for no text.
 *
 * @since 0.1.0
 * @category models
 */
export interface Token {
  readonly id: number
  readonly text: string
  readonly special: boolean
  readonly start?: number
  readonly stop?: number
}

/**
 * Tokens to be put together again.
 *
 * @since 0.1.0
 * @category models
 */
export interface DecodeRequest {
  readonly ids: ReadonlyArray<ReadonlyArray<number>>
  /** Whether the model's own marks are left out. @default true (the server's) */
  readonly skipSpecialTokens?: boolean
}

/**
 * What a server says of itself; what an older one does not tell is absent.
 *
 * @since 0.1.0
 * @category models
 */
export interface Info {
  readonly model: string
  /** Under which name it serves the model. */
  readonly servedModel?: string
  /** What the model can be asked: to embed, to rank, to classify. */
  readonly kind?: "embedding" | "reranker" | "classifier"
  /** How vectors of tokens become one: `cls`, `mean`, `splade` … */
  readonly pooling?: string
  /** What a classifier may answer. */
  readonly labels?: ReadonlyArray<string>
  /** The server's version. */
  readonly version?: string
  /** Most tokens of one text. */
  readonly maxInputLength?: number
  /** Most tokens that it works on at once. */
  readonly maxBatchTokens?: number
  /** Most texts of one request. */
  readonly maxClientBatchSize?: number
  /** Most texts at once, of all requests; the next one is refused. */
  readonly maxConcurrentRequests?: number
  /** Whether texts that are too long are cut, where a request does not say. */
  readonly autoTruncate?: boolean
}
