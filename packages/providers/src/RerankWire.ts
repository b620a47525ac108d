/**
 * The rerank wire that Jina and Cohere began and many have copied (vLLM, llama.cpp, Together, Fireworks, OpenRouter),
 * and its translation into the common words.
 *
 * @see https://jina.ai/reranker
 * @see https://docs.cohere.com/reference/rerank
 * @since 0.1.0
 */
import type * as Completion from "@spillway/core/Completion"
import type * as LlmError from "@spillway/core/LlmError"
import type * as Rerank from "@spillway/core/Rerank"
import * as Either from "effect/Either"
import type * as HttpBackend from "./HttpBackend.js"
import * as Json from "./internal/json.js"
import * as OpenAiWire from "./OpenAiWire.js"

/**
 * The body of `POST /rerank`. Documents are not asked back, since they are known; most send them all the same.
 *
 * @since 0.1.0
 * @category translations
 */
export const toBody = (request: Rerank.Request): Json.Fields => ({
  model: request.model,
  query: request.query,
  documents: request.documents,
  top_n: request.topN
})

/**
 * The ranking in an answer, best first, whatever the order in which it came.
 *
 * @since 0.1.0
 * @category translations
 */
export const toRanking = (
  body: unknown,
  exchange: HttpBackend.Exchange<Rerank.Request>
): Either.Either<Rerank.Ranking, LlmError.LlmError> => {
  // Fireworks calls it data
  const list = Json.get(body, "results") ?? Json.get(body, "data")
  if (!Array.isArray(list)) {
    return Either.left(
      OpenAiWire.isError(body) ? exchange.failure(body) : exchange.malformed("a ranking without results")
    )
  }
  const { documents, topN = documents.length } = exchange.input
  const results: Array<Rerank.Result> = []
  for (const ranked of list) {
    const index = Json.count(Json.get(ranked, "index"))
    const score = Json.number(Json.get(ranked, "relevance_score")) ?? Json.number(Json.get(ranked, "score"))
    const document = index === undefined ? undefined : documents[index]
    if (index === undefined || document === undefined || score === undefined) {
      return Either.left(exchange.malformed("a ranking of documents that were not asked about, or without a score"))
    }
    results.push({ index, score, document })
  }
  return Either.right({
    model: OpenAiWire.identify(body, exchange.model).model,
    results: results.toSorted((one, other) => other.score - one.score).slice(0, topN),
    usage: usageOf(Json.get(body, "usage"))
  })
}

/** Some tell no more than the total, which is the input: nothing is written. */
const usageOf = (usage: unknown): Completion.Usage => {
  const input = Json.count(Json.get(usage, "prompt_tokens")) ?? Json.count(Json.get(usage, "total_tokens"))
  return input === undefined ? {} : { inputTokens: input }
}
