/**
 * What vLLM has for a model that pools: vectors, scores, classes, or whatever else it makes of a text, and the further
 * fields of such requests.
 *
 * @see https://docs.vllm.ai/en/latest/models/pooling_models/
 * @since 0.1.0
 */
import type * as Completion from "@spillway/core/Completion"
import type * as LlmError from "@spillway/core/LlmError"
import * as Either from "effect/Either"
import type * as HttpBackend from "./HttpBackend.js"
import * as Json from "./internal/json.js"
import * as OpenAiWire from "./OpenAiWire.js"

declare module "@spillway/core/Embedding" {
  interface ProviderOptions {
    /** What only vLLM can be asked for. */
    readonly vllm?: PoolingOptions
  }
}

declare module "@spillway/core/Rerank" {
  interface ProviderOptions {
    /** What only vLLM can be asked for. */
    readonly vllm?: PoolingOptions
  }
}

/**
 * What only vLLM can be asked for, where a text becomes vectors, scores or classes.
 *
 * @since 0.1.0
 * @category models
 */
export interface PoolingOptions {
  /** Most tokens of each text, of which the last are kept; -1 is as many as the model takes. */
  readonly truncatePromptTokens?: number
  /** Lower goes first; for a server that schedules by priority. @default 0 */
  readonly priority?: number
  /** Whether the model's normalisation (of vectors) or activation (of scores and classes) is applied. @default true */
  readonly activation?: boolean
}

/**
 * The fields of a request for vectors, scores or classes that only vLLM has; `activation` is what it calls the last.
 *
 * @since 0.1.0
 * @category translations
 */
export const toPoolingFields = (
  options: PoolingOptions | undefined,
  activation: "normalize" | "use_activation" = "use_activation"
): Json.Fields | undefined =>
  options && {
    truncate_prompt_tokens: options.truncatePromptTokens,
    priority: options.priority,
    [activation]: options.activation
  }

/**
 * Texts to be compared: one with many, or the first with the first and so on.
 *
 * @since 0.1.0
 * @category models
 */
export interface ScoreRequest extends PoolingOptions {
  readonly model: string
  readonly queries: string | ReadonlyArray<string>
  readonly documents: ReadonlyArray<string>
}

/**
 * How near the texts are, in the order of the documents.
 *
 * @since 0.1.0
 * @category models
 */
export interface Scores {
  readonly model: string
  readonly scores: ReadonlyArray<number>
  readonly usage: Completion.Usage
}

/**
 * Texts to be put into the model's classes, or to be given what it pools for them.
 *
 * @since 0.1.0
 * @category models
 */
export interface PoolingRequest extends PoolingOptions {
  readonly model: string
  readonly input: ReadonlyArray<string>
}

/**
 * What became of a text: how likely each class is, and the likeliest by its name, if the model has names for them.
 *
 * @since 0.1.0
 * @category models
 */
export interface Class {
  readonly label?: string
  readonly probabilities: ReadonlyArray<number>
}

/**
 * The classes, in the order of the texts.
 *
 * @since 0.1.0
 * @category models
 */
export interface Classes {
  readonly model: string
  readonly classes: ReadonlyArray<Class>
  readonly usage: Completion.Usage
}

/**
 * What the model pools for a text: a list of numbers, or one for each token.
 *
 * @since 0.1.0
 * @category models
 */
export type Output = ReadonlyArray<number> | ReadonlyArray<ReadonlyArray<number>>

/**
 * What the model pools, in the order of the texts.
 *
 * @since 0.1.0
 * @category models
 */
export interface Pooled {
  readonly model: string
  readonly outputs: ReadonlyArray<Output>
  readonly usage: Completion.Usage
}

/**
 * The body of `POST /score`, in the names that every version takes.
 *
 * @since 0.1.0
 * @category translations
 */
export const toScoreBody = ({ documents, model, queries, ...options }: ScoreRequest): object => ({
  model,
  text_1: queries,
  text_2: documents,
  ...toPoolingFields(options)
})

/**
 * The body of `POST /classify` and `POST /pooling`.
 *
 * @since 0.1.0
 * @category translations
 */
export const toPoolingBody = ({ input, model, ...options }: PoolingRequest): object => ({
  model,
  input,
  ...toPoolingFields(options)
})

/**
 * The scores in an answer of `/score`.
 *
 * @since 0.1.0
 * @category translations
 */
export const toScores = (
  body: unknown,
  exchange: HttpBackend.Exchange<ScoreRequest>
): Either.Either<Scores, LlmError.LlmError> =>
  Either.map(
    each(body, exchange, exchange.input.documents.length, "scores", (one) => Json.number(Json.get(one, "score"))),
    (scores) => ({ ...told(body, exchange), scores })
  )

/**
 * The classes in an answer of `/classify`.
 *
 * @since 0.1.0
 * @category translations
 */
export const toClasses = (
  body: unknown,
  exchange: HttpBackend.Exchange<PoolingRequest>
): Either.Either<Classes, LlmError.LlmError> =>
  Either.map(
    each(body, exchange, exchange.input.input.length, "classes", (one): Class | undefined => {
      const probabilities = Json.get(one, "probs")
      return isNumbers(probabilities)
        ? Json.defined({ label: Json.name(Json.get(one, "label")), probabilities })
        : undefined
    }),
    (classes) => ({ ...told(body, exchange), classes })
  )

/**
 * What was pooled, in an answer of `/pooling`.
 *
 * @since 0.1.0
 * @category translations
 */
export const toPooled = (
  body: unknown,
  exchange: HttpBackend.Exchange<PoolingRequest>
): Either.Either<Pooled, LlmError.LlmError> =>
  Either.map(
    each(body, exchange, exchange.input.input.length, "what is pooled", (one): Output | undefined => {
      const data = Json.get(one, "data")
      return isNumbers(data) || (Array.isArray(data) && data.every(isNumbers)) ? data : undefined
    }),
    (outputs) => ({ ...told(body, exchange), outputs })
  )

/** What `data` holds for each of the texts, in their order, whatever the order in which it came. */
const each = <I, A>(
  body: unknown,
  exchange: HttpBackend.Exchange<I>,
  expected: number,
  what: string,
  read: (one: unknown) => A | undefined
): Either.Either<ReadonlyArray<A>, LlmError.LlmError> => {
  const data = Json.get(body, "data")
  if (!Array.isArray(data)) {
    return Either.left(
      OpenAiWire.isError(body) ? exchange.failure(body) : exchange.malformed(`${what} without data`)
    )
  }
  const found = new Map<number, A>()
  for (let i = 0; i < data.length; i++) {
    const one = read(data[i])
    if (one === undefined) return Either.left(exchange.malformed(`${what} where data[${i}] is none`))
    found.set(Json.count(Json.get(data[i], "index")) ?? i, one)
  }
  const all = Array.from({ length: expected }, (_, index) => found.get(index)).filter((one) => one !== undefined)
  return all.length === expected && found.size === expected
    ? Either.right(all)
    : Either.left(exchange.malformed(`${what} for ${found.size} texts, of ${expected}`))
}

const told = <I>(body: unknown, exchange: HttpBackend.Exchange<I>) => ({
  model: OpenAiWire.identify(body, exchange.model).model,
  usage: Json.defined({ inputTokens: Json.count(Json.get2(body, "usage", "prompt_tokens")) })
})

const isNumbers = (u: unknown): u is ReadonlyArray<number> =>
  Array.isArray(u) && u.every((n) => typeof n === "number")
