/**
 * What models cost, and what a call has cost: in whole micro-dollars, millionths of a US dollar.
 *
 * A price that is not known is not zero: there is none, and the cost is unknown. That holds for servers of one's own as
 * well (Ollama, vLLM, TGI …): they cost somebody something, and some of their addresses are somebody else's. Whoever
 * holds one for free says so: `{ backend: "ollama", price: PriceBook.free }`.
 *
 * Prices are written as price lists write them, in dollars for a million tokens, which is micro-dollars for a token.
 * The cost of a call is rounded up to the next micro-dollar, once: sums of costs are exact, and never less than what the
 * backend charges by the same prices. Nothing is rounded in between, as a token is reckoned in millionths of a
 * micro-dollar.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { dual } from "effect/Function"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Completion from "./Completion.js"
import * as Pattern from "./internal/pattern.js"
import * as PriceField from "./internal/priceField.js"
import * as InvalidOptions from "./InvalidOptions.js"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * Dollars for a million tokens: the same for all, or by how long the prompt is.
 *
 * @since 0.1.0
 * @category models
 */
export type Rate = number | Tiers

/**
 * A rate that depends on how many tokens the prompt has. Where it has more than a tier's, that tier's rate is the rate
 * of all tokens, not of those beyond.
 *
 * @since 0.1.0
 * @category models
 */
export interface Tiers {
  readonly base: number
  /** The shortest prompts first. */
  readonly above: ReadonlyArray<{ readonly tokens: number; readonly rate: number }>
}

/**
 * What a model costs at a backend.
 *
 * @since 0.1.0
 * @category models
 */
export interface Price {
  /** Tokens of the prompt. */
  readonly input: Rate
  /** Tokens that the model generates; absent for one that generates none. */
  readonly output?: Rate | undefined
  /** Tokens of the prompt that the backend had cached. @default as `input` */
  readonly cachedInput?: Rate | undefined
  /** Tokens of the prompt that the backend puts into its cache. @default as `input` */
  readonly cacheWrite?: Rate | undefined
  /** Generated tokens that are reasoning. @default as `output` */
  readonly reasoning?: Rate | undefined
  /** Dollars for the request itself. @default 0 */
  readonly perRequest?: number | undefined
}

/**
 * A price, and for what.
 *
 * @since 0.1.0
 * @category models
 */
export interface Entry {
  /** The backend's name, in which `*` is any text. @default "*" */
  readonly backend?: string | undefined
  /** The model's name, in which `*` is any text. @default "*" */
  readonly model?: string | undefined
  readonly price: Price
}

/**
 * What models cost. The one that policies look into is `CurrentPriceBook`.
 *
 * @since 0.1.0
 * @category models
 */
export interface PriceBook {
  /**
   * What the model costs at the backend at a time (milliseconds since 1970); none where that is not known. Asked for
   * every call: it is to be quick, and never to fail.
   */
  readonly price: (backend: string, model: string, at: number) => Option.Option<Price>
}

/**
 * Why a cost is not known: there is no price for these tokens; the backend did not say how many there were; or what it
 * said cannot be (less than none, more cached than there were).
 *
 * @since 0.1.0
 * @category models
 */
export type Unknown = "PriceUnknown" | "UsageUnknown" | "UsageInvalid"

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Knows no price.
 *
 * @since 0.1.0
 * @category constructors
 */
export const empty: PriceBook = { price: () => Option.none() }

/**
 * The price of what is known to cost nothing.
 *
 * @since 0.1.0
 * @category constructors
 */
export const free: Price = { input: 0, output: 0 }

/**
 * Prices of one's own as a schema, for who reads them from a file.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Options = Schema.Struct({
  prices: Schema.Array(Schema.Struct({
    backend: Schema.optional(InvalidOptions.name),
    model: Schema.optional(InvalidOptions.name),
    price: PriceField.price
  }))
})

const validate = InvalidOptions.validate("PriceBook", Options)

/**
 * Prices of one's own. Where several fit, the first counts.
 *
 * @since 0.1.0
 * @category constructors
 * @example
 * ```ts
 * import { PriceBook } from "@spillway/core"
 * import { Effect, Either, Option } from "effect"
 * import * as assert from "node:assert"
 *
 * const book = Effect.runSync(PriceBook.make([
 *   { backend: "openai", model: "gpt-4o*", price: { input: 2.5, cachedInput: 1.25, output: 10 } },
 *   { backend: "ollama", price: PriceBook.free }
 * ]))
 * const price = Option.getOrThrow(book.price("openai", "gpt-4o", 0))
 * const usage = { inputTokens: 1000, cachedInputTokens: 200, outputTokens: 100 }
 * assert.deepStrictEqual(PriceBook.cost(price, usage), Either.right(3250))
 * assert.ok(Option.isNone(book.price("openai", "o3", 0)))
 * ```
 */
export const make = (prices: ReadonlyArray<Entry>): Effect.Effect<PriceBook, InvalidOptions.InvalidOptions> =>
  Either.map(validate({ prices }), ({ prices }) => {
    const entries = prices.map(({ backend = "*", model = "*", price }) => ({
      isBackend: Pattern.make(backend),
      isModel: Pattern.make(model),
      price
    }))
    return {
      price: (backend, model) =>
        Option.map(
          Option.fromNullable(entries.find(({ isBackend, isModel }) => isBackend(backend) && isModel(model))),
          ({ price }) => price
        )
    }
  })

// -----------------------------------------------------------------------------
// combinators
// -----------------------------------------------------------------------------

/**
 * Both books as one: what the first does not know, the second is asked.
 *
 * @since 0.1.0
 * @category combinators
 */
export const orElse: {
  (that: PriceBook): (self: PriceBook) => PriceBook
  (self: PriceBook, that: PriceBook): PriceBook
} = dual(2, (self: PriceBook, that: PriceBook): PriceBook => ({
  price: (backend, model, at) => Option.orElse(self.price(backend, model, at), () => that.price(backend, model, at))
}))

/**
 * What a call costs, in whole micro-dollars, or why that is not known. A rate of zero asks for no count.
 *
 * @since 0.1.0
 * @category combinators
 */
export const cost: {
  (usage: Completion.Usage): (self: Price) => Either.Either<number, Unknown>
  (self: Price, usage: Completion.Usage): Either.Either<number, Unknown>
} = dual(2, (self: Price, usage: Completion.Usage): Either.Either<number, Unknown> => {
  const { cachedInputTokens: cached = 0, cacheWriteTokens: written = 0, reasoningTokens: reasoning = 0 } = usage
  const { inputTokens, outputTokens = self.output === undefined ? 0 : undefined } = usage
  if (
    ![cached, written, reasoning, inputTokens ?? 0, outputTokens ?? 0].every(isCount) ||
    (inputTokens !== undefined && cached + written > inputTokens) ||
    (outputTokens !== undefined && reasoning > outputTokens)
  ) return Either.left("UsageInvalid")

  const { cachedInput = self.input, cacheWrite = self.input, input, output, perRequest = 0 } = self
  const parts: ReadonlyArray<readonly [Rate | undefined, number | undefined]> = [
    [cachedInput, cached],
    [cacheWrite, written],
    [input, inputTokens === undefined ? undefined : inputTokens - cached - written],
    [self.reasoning ?? output, reasoning],
    [output, outputTokens === undefined ? undefined : outputTokens - reasoning]
  ]
  let sum = toFine(perRequest * million)
  for (const [rate, tokens] of parts) {
    if (rate === 0 || tokens === 0) continue
    if (rate === undefined) return Either.left("PriceUnknown")
    if (tokens === undefined || inputTokens === undefined && typeof rate !== "number") return Either.left("UsageUnknown")
    sum += toFine(rateFor(rate, inputTokens ?? 0)) * tokens
  }
  return Either.right(Math.ceil(sum / million))
})

const million = 1_000_000

const isCount = (tokens: number) => Number.isSafeInteger(tokens) && tokens >= 0

/** Micro-dollars as whole millionths of them. What costs anything at all costs at least one. */
const toFine = (rate: number): number => rate === 0 ? 0 : Math.max(1, Math.round(rate * million))

const rateFor = (rate: Rate, inputTokens: number): number =>
  typeof rate === "number" ? rate : rate.above.reduce((best, tier) => inputTokens > tier.tokens ? tier.rate : best, rate.base)

// -----------------------------------------------------------------------------
// the current book
// -----------------------------------------------------------------------------

/**
 * The book that budgets and telemetry made here look into: one that knows no price, unless another is provided.
 *
 * @since 0.1.0
 * @category references
 */
export class CurrentPriceBook extends Context.Reference<CurrentPriceBook>()("@spillway/core/CurrentPriceBook", {
  defaultValue: (): PriceBook => empty
}) {}
