/**
 * TEI's routes: how each is asked, and how its answer is read.
 *
 * A server has one model, which no request names. Every answer is a list with one entry for each text; how many tokens
 * the texts had is told by a header.
 */
import type * as Completion from "@spillway/core/Completion"
import type * as Embedding from "@spillway/core/Embedding"
import * as LlmError from "@spillway/core/LlmError"
import type * as Model from "@spillway/core/Model"
import type * as Rerank from "@spillway/core/Rerank"
import * as Either from "effect/Either"
import type * as HttpBackend from "../HttpBackend.js"
import * as OpenAiWire from "../OpenAiWire.js"
import type * as TeiWire from "../TeiWire.js"
import * as Json from "./json.js"

type Operation<I, A> = HttpBackend.Operation<I, A>

const post = (path: string, body: object) => Either.right<HttpBackend.Outgoing>({ method: "POST", path, body })

const get = (path: string) => () => Either.right<HttpBackend.Outgoing>({ method: "GET", path })

const truncation = ({ truncate, truncationDirection }: TeiWire.Truncation = {}) => ({
  truncate,
  truncation_direction: truncationDirection && directions[truncationDirection]
})

const directions = { left: "Left", right: "Right" } as const

// -----------------------------------------------------------------------------
// reading
// -----------------------------------------------------------------------------

type Answer = Pick<HttpBackend.Exchange<unknown>, "failure" | "malformed">

/** All of a list, if it is one and all of it can be read. */
const each = <A>(read: (one: unknown) => A | undefined) => (many: unknown): ReadonlyArray<A> | undefined => {
  if (!Array.isArray(many)) return undefined
  const all: Array<A> = []
  for (const one of many) {
    const known = read(one)
    if (known === undefined) return undefined
    all.push(known)
  }
  return all
}

/** A list with an entry for each of `count` texts. */
const list = <A>(
  body: unknown,
  { failure, malformed }: Answer,
  count: number,
  read: (one: unknown) => A | undefined
) => {
  const all = each(read)(body)
  if (all !== undefined && all.length === count) return Either.right(all)
  return Either.left(
    Json.get(body, "error") === undefined
      ? malformed(`not a list of ${count} answers, one for each text`)
      : failure(body)
  )
}

const usageOf = ({ headers }: Pick<HttpBackend.Exchange<unknown>, "headers">): Completion.Usage =>
  Json.defined({ inputTokens: Json.digits(headers["x-compute-tokens"]) })

const vector = each(Json.number)

// -----------------------------------------------------------------------------
// the common words
// -----------------------------------------------------------------------------

/** `POST /embed`. It has no word for `user`. */
export const embed: Operation<Embedding.Request, Embedding.Embeddings> = {
  request: ({ dimensions, input, providerOptions }) =>
    post("/embed", {
      inputs: input,
      ...truncation(providerOptions?.tei),
      prompt_name: providerOptions?.tei?.promptName,
      normalize: providerOptions?.tei?.normalize,
      dimensions
    }),
  response: (body, exchange) =>
    Either.map(list(body, exchange, exchange.input.input.length, vector), (vectors) => ({
      model: exchange.model,
      vectors,
      usage: usageOf(exchange)
    }))
}

/** `POST /v1/embeddings`: OpenAI's form, which has no words for what only TEI can be asked. */
export const embedOpenAi = (backend: string): Operation<Embedding.Request, Embedding.Embeddings> => ({
  request: (request) => {
    const own = Object.entries(request.providerOptions?.tei ?? {}).find(([, value]) => value !== undefined)?.[0]
    return own === undefined
      ? post("/v1/embeddings", OpenAiWire.toEmbeddingBody(request, { backend, embeddingEncoding: "base64" }))
      : Either.left(
        new LlmError.Unsupported({
          backend,
          model: request.model,
          feature: `providerOptions.tei.${own}`,
          message: `${backend} has no word for ${own} at /v1/embeddings`
        })
      )
  },
  response: OpenAiWire.toEmbeddings
})

/** `POST /rerank`: all of the documents, whatever `topN` says, which is the caller's to cut. */
export const rerank: Operation<Rerank.Request, Rerank.Ranking> = {
  request: ({ documents, providerOptions, query }) =>
    post("/rerank", {
      query,
      texts: documents,
      ...truncation(providerOptions?.tei),
      raw_scores: providerOptions?.tei?.rawScores
    }),
  response: (body, exchange) => {
    const { documents } = exchange.input
    const seen = new Set<number>()
    const rank = (one: unknown): Rerank.Result | undefined => {
      const index = Json.count(Json.get(one, "index")) ?? -1
      const score = Json.number(Json.get(one, "score"))
      const document = documents[index]
      if (document === undefined || score === undefined || seen.has(index)) return undefined
      seen.add(index)
      return { index, score, document }
    }
    return Either.map(list(body, exchange, documents.length, rank), (results) => ({
      model: exchange.model,
      results,
      usage: usageOf(exchange)
    }))
  }
}

// -----------------------------------------------------------------------------
// what is only its own
// -----------------------------------------------------------------------------

const texts = ({ input, promptName, ...rest }: TeiWire.TextsRequest) => ({
  inputs: input,
  ...truncation(rest),
  prompt_name: promptName
})

/** `POST /embed_all`. */
export const embedAll: Operation<TeiWire.TextsRequest, ReadonlyArray<ReadonlyArray<ReadonlyArray<number>>>> = {
  request: (request) => post("/embed_all", texts(request)),
  response: (body, exchange) => list(body, exchange, exchange.input.input.length, each(vector))
}

/** `POST /embed_sparse`. */
export const embedSparse: Operation<TeiWire.TextsRequest, ReadonlyArray<ReadonlyArray<TeiWire.SparseValue>>> = {
  request: (request) => post("/embed_sparse", texts(request)),
  response: (body, exchange) => list(body, exchange, exchange.input.input.length, each(sparseValue))
}

const sparseValue = (one: unknown): TeiWire.SparseValue | undefined => {
  const index = Json.count(Json.get(one, "index"))
  const value = Json.number(Json.get(one, "value"))
  return index === undefined || value === undefined ? undefined : { index, value }
}

/** `POST /predict`, always with a batch. */
export const predict: Operation<TeiWire.PredictRequest, ReadonlyArray<ReadonlyArray<TeiWire.Prediction>>> = {
  request: ({ input, rawScores, ...rest }) =>
    post("/predict", {
      inputs: input.map((one) => typeof one === "string" ? [one] : one),
      ...truncation(rest),
      raw_scores: rawScores
    }),
  response: (body, exchange) => list(body, exchange, exchange.input.input.length, each(prediction))
}

const prediction = (one: unknown): TeiWire.Prediction | undefined => {
  const label = Json.string(Json.get(one, "label"))
  const score = Json.number(Json.get(one, "score"))
  return label === undefined || score === undefined ? undefined : { label, score }
}

/** `POST /similarity`. */
export const similarity: Operation<TeiWire.SimilarityRequest, ReadonlyArray<number>> = {
  request: ({ promptName, sentences, source, ...rest }) => {
    const parameters = Json.defined({ ...truncation(rest), prompt_name: promptName })
    return post("/similarity", {
      inputs: { source_sentence: source, sentences },
      ...(Object.keys(parameters).length > 0 && { parameters })
    })
  },
  response: (body, exchange) => list(body, exchange, exchange.input.sentences.length, Json.number)
}

/** `POST /tokenize`. */
export const tokenize: Operation<TeiWire.TokenizeRequest, ReadonlyArray<ReadonlyArray<TeiWire.Token>>> = {
  request: ({ addSpecialTokens, input, promptName }) =>
    post("/tokenize", { inputs: input, add_special_tokens: addSpecialTokens, prompt_name: promptName }),
  response: (body, exchange) => list(body, exchange, exchange.input.input.length, each(token))
}

const token = (one: unknown): TeiWire.Token | undefined => {
  const id = Json.count(Json.get(one, "id"))
  const text = Json.string(Json.get(one, "text"))
  return id === undefined || text === undefined ? undefined : Json.defined({
    id,
    text,
    special: Json.get(one, "special") === true,
    start: Json.count(Json.get(one, "start")),
    stop: Json.count(Json.get(one, "stop"))
  })
}

/** `POST /decode`. */
export const decode: Operation<TeiWire.DecodeRequest, ReadonlyArray<string>> = {
  request: ({ ids, skipSpecialTokens }) => post("/decode", { ids, skip_special_tokens: skipSpecialTokens }),
  response: (body, exchange) => list(body, exchange, exchange.input.ids.length, Json.string)
}

/** `GET /info`. */
export const info: Operation<void, TeiWire.Info> = {
  request: get("/info"),
  response: (body, exchange) => {
    const model = Json.name(Json.get(body, "model_id"))
    if (model === undefined) return Either.left(exchange.malformed("an info without model_id"))
    const type = Json.get(body, "model_type")
    const labels = Json.get2(type, "classifier", "id2label")
    return Either.right(Json.defined({
      model,
      servedModel: Json.name(Json.get(body, "served_model_name")),
      kind: kinds.find((kind) => Json.get(type, kind) !== undefined),
      pooling: Json.name(Json.get2(type, "embedding", "pooling")),
      labels: Json.isObject(labels) ? each(Json.string)(Object.values(labels)) : undefined,
      version: Json.name(Json.get(body, "version")),
      maxInputLength: Json.count(Json.get(body, "max_input_length")),
      maxBatchTokens: Json.count(Json.get(body, "max_batch_tokens")),
      maxClientBatchSize: Json.count(Json.get(body, "max_client_batch_size")),
      maxConcurrentRequests: Json.count(Json.get(body, "max_concurrent_requests")),
      autoTruncate: boolean(Json.get(body, "auto_truncate"))
    }))
  }
}

const kinds = ["embedding", "reranker", "classifier"] as const

const boolean = (u: unknown): boolean | undefined => typeof u === "boolean" ? u : undefined

/** The one model of the server, as `/info` tells of it. */
export const listModels: Operation<void, ReadonlyArray<Model.Model>> = {
  request: info.request,
  response: (body, exchange) =>
    Either.map(info.response(body, exchange), ({ maxInputLength, model, servedModel }) => [
      Json.defined({ id: servedModel ?? model, contextWindow: maxInputLength })
    ])
}

/** `GET /health`. */
export const health: Operation<void, void> = { request: get("/health"), reads: "text", response: () => Either.void }
