/**
 * The rerank wire that Jina and Cohere began and many have copied.
 *
 * @see https://docs.cohere.com/reference/rerank
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Fields from "./Fields.js"
import type * as Models from "./Models.js"
import * as Request from "./OpenAiRequest.js"
import * as Seed from "./Seed.js"
import * as Tokens from "./Tokens.js"
import * as Vector from "./Vector.js"
import * as Wire from "./Wire.js"

/**
 * How one vendor's ranking differs.
 *
 * @since 0.1.0
 * @category models
 */
export interface Dialect {
  readonly models: ReadonlyArray<Models.Model>
  /** What the list of results is called. @default "results" */
  readonly list?: "results" | "data"
  /** A document as it is sent back; `undefined` leaves it out. */
  readonly document: (text: string) => unknown
}

const fields = Fields.object(
  {
    model: Fields.string(),
    query: Fields.string(),
    documents: Fields.array(Fields.string(), { min: 1 }),
    top_n: Fields.nullish(Fields.integer({ min: 0 }))
  },
  { open: true }
)

/**
 * The answer of `POST …/rerank`: documents that share words with the query stand above those that do not.
 *
 * @since 0.1.0
 * @category constructors
 */
export const answer =
  ({ document, list = "results", models }: Dialect): Wire.Route["answer"] =>
  (call) =>
    Either.gen(function* () {
      const body: Fields.Json = Fields.isJson(call.body) ? call.body : {}
      const model = yield* Request.model(models, body, "embedding")
      const violation = fields(body)
      if (violation !== undefined) return yield* Either.left(Wire.Failure.Invalid({ violation, body }))
      const query = Fields.stringOf(body["query"])
      const texts: ReadonlyArray<string> = Array.isArray(body["documents"])
        ? body["documents"].map(Fields.stringOf)
        : []
      const tokens = texts.reduce((sum, text) => sum + Math.max(1, Tokens.estimate(query.length + text.length)), 0)
      const most = typeof body["top_n"] === "number" && body["top_n"] > 0 ? body["top_n"] : texts.length
      return {
        input: tokens,
        output: 0,
        render: () =>
          Wire.json({
            id: `rerank-${Seed.identifier(call.id, 32, Seed.hexadecimal)}`,
            model: model.snapshot,
            usage: { prompt_tokens: tokens, total_tokens: tokens },
            [list]: texts
              .map((text, index) => ({ index, document: document(text), relevance_score: score(query, text, model) }))
              .toSorted((one, other) => other.relevance_score - one.relevance_score)
              .slice(0, most)
          })
      }
    })

/**
 * How near two texts are, between 0 and 1.
 *
 * @since 0.1.0
 * @category accessors
 */
export const score = (one: string, other: string, { dimensions }: Models.Model): number => {
  const vector = Vector.of(other, dimensions)
  const cosine = Vector.of(one, dimensions).reduce((sum, value, index) => sum + value * (vector[index] ?? 0), 0)
  return 1 / (1 + Math.exp(5 - 10 * cosine))
}
