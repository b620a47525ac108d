/**
 * Documents in the order of their worth for a query, as the clients of Jina and Cohere ask for them and read them.
 *
 * @see https://jina.ai/reranker
 * @see https://docs.cohere.com/reference/rerank
 * @since 0.1.0
 */
import type * as Rerank from "@spillway/core/Rerank"
import * as Either from "effect/Either"
import { isNotNullable } from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as Fields from "./Fields.js"
import type { Refusal } from "./Refusal.js"
import * as Values from "./Values.js"

/**
 * A question: the request itself, and whether the client wants the documents back.
 *
 * @since 0.1.0
 * @category models
 */
export interface Ranked {
  readonly request: Rerank.Request
  readonly returnDocuments: boolean
}

const decode = Fields.decode(Schema.Struct({
  model: Values.model,
  query: Schema.String,
  documents: Values.list(Schema.Union(Schema.String, Schema.Struct({ text: Schema.String })), 1, 10_000),
  top_n: Fields.optional(Values.whole(1)),
  return_documents: Fields.optional(Schema.Boolean),
  max_chunks_per_doc: Fields.unsupported,
  max_tokens_per_doc: Fields.unsupported,
  priority: Fields.unsupported,
  rank_fields: Fields.unsupported,
  truncation: Fields.unsupported,
  truncate_prompt_tokens: Fields.unsupported
}))

/**
 * Reads a request for a ranking.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toRanked = (body: unknown): Either.Either<Ranked, Refusal> =>
  Either.map(decode(body), ({ documents, model, query, return_documents, top_n }): Ranked => ({
    request: {
      model,
      query,
      documents: documents.map((document) => typeof document === "string" ? document : document.text),
      ...(isNotNullable(top_n) && { topN: top_n })
    },
    returnDocuments: return_documents ?? false
  }))

/**
 * The ranking, best first.
 *
 * @since 0.1.0
 * @category conversions
 */
export const fromRanking = (
  { model, results, usage: { inputTokens } }: Rerank.Ranking,
  { request, returnDocuments }: Ranked,
  id: string
) => ({
  id,
  object: "list",
  model: model === "" ? request.model : model,
  results: results.map(({ document, index, score }) => ({
    index,
    relevance_score: score,
    ...(returnDocuments && { document: { text: document } })
  })),
  ...(inputTokens !== undefined && { usage: { prompt_tokens: inputTokens, total_tokens: inputTokens } })
})
