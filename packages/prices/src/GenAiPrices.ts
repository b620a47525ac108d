/**
 * The prices of `@pydantic/genai-prices`, and one's own before them, as a `PriceBook`.
 *
 * They are a part of that package, at the version that is installed: nothing is fetched, at no time. They know the
 * vendors' models, with their tiers and the hours at which they are cheaper, and none of a server of one's own. What
 * they leave out is not known to be free, though that package adds it up to nothing; only a name that ends in `:free` is.
 *
 * Tokens are priced, and requests. What is sold by another measure (seconds of audio, pages, searches) is in no usage,
 * and so in no cost.
 *
 * @see https://github.com/pydantic/genai-prices
 * @since 0.1.0
 */
import * as GenAi from "@pydantic/genai-prices"
import type * as InvalidOptions from "@spillway/core/InvalidOptions"
import * as PriceBook from "@spillway/core/PriceBook"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * What is to be known besides.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Prices of one's own, which come first. @default none */
  readonly prices?: ReadonlyArray<PriceBook.Entry> | undefined
  /**
   * What that package calls backends whose names differ from its own: `{ "groq-eu": "groq" }`.
   *
   * @default `providers`
   */
  readonly providers?: { readonly [backend: string]: string } | undefined
}

/**
 * What `@pydantic/genai-prices` calls backends of `@spillway/providers` whose names differ.
 *
 * @since 0.1.0
 * @category constants
 */
export const providers: { readonly [backend: string]: string } = { gemini: "google", xai: "x-ai" }

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * A book of these prices.
 *
 * @since 0.1.0
 * @category constructors
 * @example
 * ```ts
 * import { PriceBook } from "@spillway/core"
 * import { GenAiPrices } from "@spillway/prices"
 * import { Effect, Either, Option } from "effect"
 * import * as assert from "node:assert"
 *
 * const book = Effect.runSync(GenAiPrices.make({ prices: [{ backend: "ollama", price: PriceBook.free }] }))
 * const price = Option.getOrThrow(book.price("openai", "gpt-4o", 0))
 * const usage = { inputTokens: 1000, cachedInputTokens: 200, outputTokens: 100 }
 * assert.deepStrictEqual(PriceBook.cost(price, usage), Either.right(3250))
 * assert.ok(Option.isNone(book.price("vllm", "my-own", 0)))
 * ```
 */
export const make = (options: Options = {}): Effect.Effect<PriceBook.PriceBook, InvalidOptions.InvalidOptions> =>
  Effect.map(PriceBook.make(options.prices ?? []), (own) =>
    PriceBook.orElse(own, bundled({ ...providers, ...options.providers })))

/**
 * These prices for all budgets and all telemetry that are made with them.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: Options = {}
): Layer.Layer<PriceBook.CurrentPriceBook, InvalidOptions.InvalidOptions> =>
  Layer.effect(PriceBook.CurrentPriceBook, make(options))

// -----------------------------------------------------------------------------
// the bundled prices
// -----------------------------------------------------------------------------

/** A price that was looked up, which takes long; what depends on the hour is looked up anew every minute. */
interface Known {
  readonly price: Option.Option<PriceBook.Price>
  readonly since: number
  readonly until: number
}

const minute = 60_000
// models are named by callers, who may make them up
const mostKnown = 1_000
const longestName = 200

const bundled = (names: { readonly [backend: string]: string }): PriceBook.PriceBook => {
  const known = new Map<string, Known>()
  return {
    price(backend, model, at) {
      if (model.length > longestName) return Option.none()
      const key = `${backend}\n${model}`
      const seen = known.get(key)
      if (seen !== undefined && seen.since <= at && at < seen.until) return seen.price
      const found = find(Object.hasOwn(names, backend) ? names[backend]! : backend, model, at)
      if (known.size >= mostKnown) known.clear()
      known.set(key, found)
      return found.price
    }
  }
}

// it throws at prices that contradict each other, and at times that are none
const lookUp = Option.liftThrowable((provider: string, model: string, at: number) =>
  GenAi.findProvider({ providerId: provider })?.id === provider
    ? GenAi.calcPrice({}, model, { providerId: provider, timestamp: new Date(at) })
    : null
)

const find = (provider: string, model: string, at: number): Known => {
  const found = Option.getOrNull(lookUp(provider, model, at))
  if (found === null) return { ...always, price: Option.none() }
  const since = Math.floor(at / minute) * minute
  return {
    ...(Array.isArray(found.model.prices) ? { since, until: since + minute } : always),
    price: toPrice(found.model.id, found.model_price)
  }
}

const always = { since: -Infinity, until: Infinity }

const toPrice = (model: string, price: GenAi.ModelPrice): Option.Option<PriceBook.Price> => {
  const { cache_read_mtok, cache_write_mtok, input_mtok, output_mtok, output_reasoning_mtok, requests_kcount } = price
  if (model.endsWith(":free") && Object.keys(price).length === 0) return Option.some(PriceBook.free)
  return input_mtok === undefined ? Option.none() : Option.some({
    input: toRate(input_mtok),
    output: toOptionalRate(output_mtok),
    cachedInput: toOptionalRate(cache_read_mtok),
    cacheWrite: toOptionalRate(cache_write_mtok),
    reasoning: toOptionalRate(output_reasoning_mtok),
    ...(typeof requests_kcount === "number" && { perRequest: requests_kcount / 1000 })
  })
}

const toRate = (price: number | GenAi.TieredPrices): PriceBook.Rate =>
  typeof price === "number"
    ? price
    : { base: price.base, above: price.tiers.map(({ price, start }) => ({ tokens: start, rate: price })) }

const toOptionalRate = (price: number | GenAi.TieredPrices | undefined) => price === undefined ? undefined : toRate(price)
