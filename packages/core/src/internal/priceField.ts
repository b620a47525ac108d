/**
 * A price as an option.
 */
import * as Schema from "effect/Schema"
import * as InvalidOptions from "../InvalidOptions.js"

const dollars = InvalidOptions.number({ atLeast: 0, atMost: 1_000_000 })

const rate = Schema.Union(
  dollars,
  Schema.Struct({
    base: dollars,
    above: Schema.Array(Schema.Struct({ tokens: InvalidOptions.whole({ atLeast: 0 }), rate: dollars })).pipe(
      Schema.filter((tiers) => tiers.every(({ tokens }, i) => i === 0 || tokens > tiers[i - 1]!.tokens))
    )
  })
).annotations({
  message: () => ({
    message: "must be dollars for a million tokens, from 0 to 1000000, or tiers of them with the shortest prompts first",
    override: true
  })
})

/** What a model costs: a `PriceBook.Price`. */
export const price = Schema.Struct({
  input: rate,
  output: Schema.optional(rate),
  cachedInput: Schema.optional(rate),
  cacheWrite: Schema.optional(rate),
  reasoning: Schema.optional(rate),
  perRequest: Schema.optional(dollars)
})
