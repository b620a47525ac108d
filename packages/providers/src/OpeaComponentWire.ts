/**
 * The wire of OPEA's component services: what reranking, retrieval and dataprep take and give.
 *
 * @see https://github.com/opea-project/GenAIComps/blob/main/comps/cores/proto/api_protocol.py
 * @see https://github.com/opea-project/GenAIComps/tree/main/comps/dataprep
 * @since 0.1.0
 */
import type * as LlmError from "@spillway/core/LlmError"
import type * as Rerank from "@spillway/core/Rerank"
import * as Either from "effect/Either"
import type * as HttpBackend from "./HttpBackend.js"
import * as Json from "./internal/json.js"
import * as Multipart from "./internal/multipart.js"

// -----------------------------------------------------------------------------
// ranking
// -----------------------------------------------------------------------------

/**
 * The body of `POST /v1/reranking`. Asked with `initial_query` in place of `input`, it answers without scores. The most
 * results are always said, since the server's default is one.
 *
 * @since 0.1.0
 * @category translations
 */
export const toRerankBody = ({ documents, query, topN }: Rerank.Request): object => ({
  input: query,
  retrieved_docs: documents.map((text) => ({ text })),
  top_n: Math.max(1, topN ?? documents.length)
})

/**
 * The ranking in an answer, best first. Documents come back as their texts, so that of equal ones the first is meant.
 *
 * @since 0.1.0
 * @category translations
 */
export const toRanking = (
  body: unknown,
  exchange: HttpBackend.Exchange<Rerank.Request>
): Either.Either<Rerank.Ranking, LlmError.LlmError> => {
  const ranked = Json.get(body, "reranked_docs")
  if (!Array.isArray(ranked)) return Either.left(exchange.malformed("a ranking without reranked_docs"))
  const places = new Map<string, Array<number>>()
  exchange.input.documents.forEach((text, index) => places.set(text, [...places.get(text) ?? [], index]))
  const results: Array<Rerank.Result> = []
  for (const one of ranked) {
    const document = Json.string(Json.get(one, "text"))
    const index = document === undefined ? undefined : places.get(document)?.shift()
    const score = Json.number(Json.get(one, "score"))
    if (document === undefined || index === undefined || score === undefined) {
      return Either.left(exchange.malformed("a ranking of documents that were not asked about, or without a score"))
    }
    results.push({ index, score, document })
  }
  return Either.right({
    model: exchange.model,
    results: results.toSorted((one, other) => other.score - one.score),
    usage: {}
  })
}

// -----------------------------------------------------------------------------
// retrieval
// -----------------------------------------------------------------------------

/**
 * How documents are searched.
 *
 * @since 0.1.0
 * @category models
 */
export interface Search {
  /** @default "similarity" (the server's) */
  readonly searchType?: "similarity" | "similarity_distance_threshold" | "similarity_score_threshold" | "mmr"
  /** Most documents, from 1. @default 4 (the server's) */
  readonly k?: number
  /** Largest distance of a document, for `similarity_distance_threshold`. */
  readonly distanceThreshold?: number
  /** Least score of a document, for `similarity_score_threshold`. @default 0.2 (the server's) */
  readonly scoreThreshold?: number
  /** Documents that `mmr` chooses among. @default 20 (the server's) */
  readonly fetchK?: number
  /** What `mmr` values: 1 likeness, 0 diversity. @default 0.5 (the server's) */
  readonly lambdaMult?: number
}

/**
 * How documents are searched, as the wire says it.
 *
 * @since 0.1.0
 * @category translations
 */
export const toSearch = ({ distanceThreshold, fetchK, k, lambdaMult, scoreThreshold, searchType }: Search): object => ({
  search_type: searchType,
  k,
  distance_threshold: distanceThreshold,
  score_threshold: scoreThreshold,
  fetch_k: fetchK,
  lambda_mult: lambdaMult
})

/**
 * What to retrieve: what lies near a vector. Some stores search for the text itself instead.
 *
 * @since 0.1.0
 * @category models
 */
export interface RetrieveRequest extends Search {
  readonly query: string
  /** The vector of the query, from the embedding model with which the documents were taken in. */
  readonly embedding: ReadonlyArray<number>
}

/**
 * A piece of a document that was taken in.
 *
 * @since 0.1.0
 * @category models
 */
export interface RetrievedDocument {
  readonly text: string
  /** What the store knows of it, in its own words; none where it tells nothing. */
  readonly metadata: Readonly<Record<string, unknown>>
}

/**
 * The body of `POST /v1/retrieval`.
 *
 * @since 0.1.0
 * @category translations
 */
export const toRetrieveBody = (request: RetrieveRequest): object => ({
  input: request.query,
  embedding: request.embedding,
  ...toSearch(request)
})

/**
 * The documents in an answer, the nearest first.
 *
 * @since 0.1.0
 * @category translations
 */
export const toDocuments = (
  body: unknown,
  exchange: HttpBackend.Exchange<RetrieveRequest>
): Either.Either<ReadonlyArray<RetrievedDocument>, LlmError.LlmError> => {
  const found = Json.get(body, "retrieved_docs")
  if (!Array.isArray(found)) return Either.left(exchange.malformed("a retrieval without retrieved_docs"))
  const documents: Array<RetrievedDocument> = []
  for (const one of found) {
    const text = Json.string(Json.get(one, "text"))
    if (text === undefined) return Either.left(exchange.malformed("a retrieval with a document that has no text"))
    const metadata = Json.get(one, "metadata")
    documents.push({ text, metadata: Json.isObject(metadata) ? metadata : {} })
  }
  return Either.right(documents)
}

// -----------------------------------------------------------------------------
// dataprep
// -----------------------------------------------------------------------------

/**
 * Where documents come from: a file's bytes, or addresses of pages that the server fetches.
 *
 * @since 0.1.0
 * @category models
 */
export type Documents =
  | { readonly _tag: "File"; readonly name: string; readonly mediaType: string; readonly content: Uint8Array }
  | { readonly _tag: "Links"; readonly links: ReadonlyArray<string> }

/**
 * Documents to take in, so that they can be retrieved. One file at a time: of several the server would take in the last
 * alone.
 *
 * @since 0.1.0
 * @category models
 */
export interface IngestRequest {
  readonly documents: Documents
  /** How large the pieces are into which documents are cut, in characters, from 1. @default 1500 (the server's) */
  readonly chunkSize?: number
  /** How many characters two pieces share. @default 100 (the server's) */
  readonly chunkOverlap?: number
  /** Whether tables of a PDF are read as such. @default false (the server's) */
  readonly processTable?: boolean
  /** How tables are read. @default "fast" (the server's) */
  readonly tableStrategy?: "fast" | "hq" | "llm"
  /** Into which index, where the store is Redis. @default the server's */
  readonly indexName?: string
}

/**
 * The body of `POST /v1/dataprep/ingest`, a form.
 *
 * @since 0.1.0
 * @category translations
 */
export const toIngestBody = (request: IngestRequest): Pick<HttpBackend.Outgoing, "body" | "headers"> => {
  const { chunkOverlap, chunkSize, documents, indexName, processTable, tableStrategy } = request
  const fields: Array<Multipart.Field> = [
    documents._tag === "File"
      ? { name: "files", file: documents.name, mediaType: documents.mediaType, content: documents.content }
      : { name: "link_list", value: JSON.stringify(documents.links) }
  ]
  const said = {
    chunk_size: chunkSize,
    chunk_overlap: chunkOverlap,
    process_table: processTable,
    table_strategy: tableStrategy,
    index_name: indexName
  }
  for (const [name, value] of Object.entries(said)) if (value !== undefined) fields.push({ name, value: String(value) })
  return Multipart.encode(fields)
}

/**
 * A file, or a page, that was taken in.
 *
 * @since 0.1.0
 * @category models
 */
export interface IngestedFile {
  /** By which it is removed. */
  readonly id: string
  readonly name: string
  /** The folder in which it lies; empty for none. */
  readonly parent: string
}

/**
 * The files in an answer of `POST /v1/dataprep/get`.
 *
 * @since 0.1.0
 * @category translations
 */
export const toFiles = (
  body: unknown,
  exchange: HttpBackend.Exchange<unknown>
): Either.Either<ReadonlyArray<IngestedFile>, LlmError.LlmError> => {
  if (!Array.isArray(body)) return Either.left(exchange.malformed("files that are no list"))
  const files: Array<IngestedFile> = []
  for (const file of body) {
    const name = Json.name(Json.get(file, "name"))
    const id = Json.name(Json.get(file, "id")) ?? name
    if (id === undefined) return Either.left(exchange.malformed("a file without a name"))
    files.push({ id, name: name ?? id, parent: Json.string(Json.get(file, "parent")) ?? "" })
  }
  return Either.right(files)
}
