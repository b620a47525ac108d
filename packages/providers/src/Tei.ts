/**
 * Hugging Face's Text Embeddings Inference: a server of one model, which embeds, ranks or classifies texts.
 *
 * How it differs: it has no chat and no list of models but the one that it serves; what it cannot do (since its model
 * is of another kind) is `Unsupported` when it is asked for. It takes only so many texts in one request (32, if it was
 * not told otherwise): more are sent in several, one after the other, and joined in order. A text that is too long is
 * a 422, and was a 413 before version 1.9; `error_type` is written large on the wire and small in the documents. A key
 * is wanted only where the server was started with one.
 *
 * @see https://huggingface.co/docs/text-embeddings-inference
 * @since 0.1.0
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import type * as Embedding from "@spillway/core/Embedding"
import * as InvalidOptions from "@spillway/core/InvalidOptions"
import type * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Protection from "@spillway/core/Protection"
import type * as Rerank from "@spillway/core/Rerank"
import type * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as HttpBackend from "./HttpBackend.js"
import * as SelfHosted from "./internal/selfHosted.js"
import * as Batches from "./internal/teiBatches.js"
import * as TeiErrors from "./internal/teiErrors.js"
import * as Operations from "./internal/teiOperations.js"
import type * as TeiWire from "./TeiWire.js"

/**
 * What there is to set.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends SelfHosted.Options {
  /** The address, without a slash at the end. @default "http://127.0.0.1:3000" */
  readonly baseUrl?: string
  /**
   * Over which route texts are embedded: TEI's own, or OpenAI's, which tells the model's name and sends vectors in
   * half of the bytes, and has no words for `providerOptions.tei`.
   * @default "/embed"
   */
  readonly embedRoute?: "/embed" | "/v1/embeddings"
  /** Most texts of one request, from 1. @default what the server says (`/info`, asked once); 32 if it says nothing */
  readonly maxBatchSize?: number
}

/**
 * What TEI does that no other backend does. Of more texts than the server takes at once, each answer is the same as if
 * it took them.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** Of each text, a vector for each of its tokens. For models that were started without pooling. */
  readonly embedAll: (
    request: TeiWire.TextsRequest
  ) => Effect.Effect<ReadonlyArray<ReadonlyArray<ReadonlyArray<number>>>, LlmError.LlmError>
  /** A sparse vector for each text. For models that were started with SPLADE pooling. */
  readonly embedSparse: (
    request: TeiWire.TextsRequest
  ) => Effect.Effect<ReadonlyArray<ReadonlyArray<TeiWire.SparseValue>>, LlmError.LlmError>
  /** How well each label fits each text, best first. For classifiers. */
  readonly predict: (
    request: TeiWire.PredictRequest
  ) => Effect.Effect<ReadonlyArray<ReadonlyArray<TeiWire.Prediction>>, LlmError.LlmError>
  /** How like another each sentence is: the cosine of the angle between their vectors. */
  readonly similarity: (request: TeiWire.SimilarityRequest) => Effect.Effect<ReadonlyArray<number>, LlmError.LlmError>
  /** The tokens of each text. */
  readonly tokenize: (
    request: TeiWire.TokenizeRequest
  ) => Effect.Effect<ReadonlyArray<ReadonlyArray<TeiWire.Token>>, LlmError.LlmError>
  /** The text of each list of tokens. */
  readonly decode: (request: TeiWire.DecodeRequest) => Effect.Effect<ReadonlyArray<string>, LlmError.LlmError>
  /** What the server says of itself. */
  readonly info: Effect.Effect<TeiWire.Info, LlmError.LlmError>
  /** Succeeds when the model answers. */
  readonly health: Effect.Effect<void, LlmError.LlmError>
}

/**
 * The tag under which a program finds what is only TEI's.
 *
 * @since 0.1.0
 * @category tags
 */
export class Tei extends Context.Tag("@spillway/providers/Tei")<Tei, Service>() {}

/**
 * A server by both its services.
 *
 * @since 0.1.0
 * @category models
 */
export interface Backend {
  readonly llm: LlmService.Service
  readonly tei: Service
}

// -----------------------------------------------------------------------------
// more texts than go into one request
// -----------------------------------------------------------------------------

const embedding: Batches.Batches<Embedding.Request, Embedding.Embeddings> = {
  ...Batches.byInput(),
  join: (answers) => ({
    model: answers[0].model,
    vectors: answers.flatMap(({ vectors }) => vectors),
    usage: Batches.total(answers)
  })
}

const ranking: Batches.Batches<Rerank.Request, Rerank.Ranking> = {
  size: ({ documents }) => documents.length,
  slice: (request, start, end) => ({ ...request, documents: request.documents.slice(start, end) }),
  join: (answers, starts) => ({
    model: answers[0].model,
    results: answers.flatMap(({ results }, i) =>
      results.map((result) => ({ ...result, index: result.index + starts[i]! }))
    ),
    usage: Batches.total(answers)
  })
}

const cut = (ranking: Rerank.Ranking, topN: number | undefined): Rerank.Ranking => ({
  ...ranking,
  results: ranking.results.toSorted((a, b) => b.score - a.score || a.index - b.index).slice(0, topN)
})

const similarities: Batches.Batches<TeiWire.SimilarityRequest, ReadonlyArray<number>> = {
  size: ({ sentences }) => sentences.length,
  slice: (request, start, end) => ({ ...request, sentences: request.sentences.slice(start, end) }),
  join: Batches.concat,
  // the source is one of the texts
  reserved: 1
}

const decoded: Batches.Batches<TeiWire.DecodeRequest, ReadonlyArray<string>> = {
  size: ({ ids }) => ids.length,
  slice: (request, start, end) => ({ ...request, ids: request.ids.slice(start, end) }),
  join: Batches.concat
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

const backend = "tei"

const local = "http://127.0.0.1:3000"

const definition = (baseUrl: string, headers: Options["headers"]): HttpBackend.Definition => ({
  backend,
  baseUrl,
  authenticate: SelfHosted.bearer,
  ...(headers !== undefined && { headers }),
  refineError: TeiErrors.refine,
  listModels: Operations.listModels,
  health: Operations.health
})

/**
 * A server by both its services; without options, the one on this machine. Its keys, if it has any, are watched by the
 * monitor until the scope closes.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = ({ baseUrl = local, headers, http, ...options }: Options = {}): Effect.Effect<
  Backend,
  InvalidOptions.InvalidOptions,
  HttpClient.HttpClient | Scope.Scope
> =>
  Effect.gen(function*() {
    const { embedRoute, maxBatchSize } = yield* validate({
      embedRoute: options.embedRoute,
      maxBatchSize: options.maxBatchSize
    })
    const pool = yield* SelfHosted.pool(backend, options)
    const { run, service, within } = yield* HttpBackend.make(definition(baseUrl, headers), pool, http)

    const info = run("info", Operations.info, undefined, "")
    const limit = Batches.limit(maxBatchSize, info)

    const embed = embedRoute === "/embed" ? Operations.embed : Operations.embedOpenAi(backend)
    const rerank = Batches.run(
      ranking,
      limit,
      (request) => run("rerank", Operations.rerank, request, request.model, ({ usage }) => usage)
    )
    const serve = ({ whole }: HttpBackend.Protected): Service => {
      const own = <I, A>(name: keyof Service, operation: HttpBackend.Operation<I, A>, batches: Batches.Batches<I, A>) => {
        const ask = Batches.run(batches, limit, (request: I) => run(name, operation, request, ""))
        return (request: I) => whole(name, "", ask(request))
      }
      return {
        embedAll: own("embedAll", Operations.embedAll, Batches.lists()),
        embedSparse: own("embedSparse", Operations.embedSparse, Batches.lists()),
        predict: own("predict", Operations.predict, Batches.lists()),
        similarity: own("similarity", Operations.similarity, similarities),
        tokenize: own("tokenize", Operations.tokenize, Batches.lists()),
        decode: own("decode", Operations.decode, decoded),
        info: whole("info", "", info),
        health: whole("health", "", service.health)
      }
    }

    return {
      llm: LlmService.make(backend, {
        embed: Batches.run(
          embedding,
          limit,
          (request) => run("embed", embed, request, request.model, ({ usage }) => usage)
        ),
        rerank: (request) => Effect.map(rerank(request), (ranking) => cut(ranking, request.topN)),
        listModels: service.listModels,
        health: service.health
      }),
      tei: Protection.own(backend, (protection) => serve(within(protection)))
    }
  })

const validate = InvalidOptions.validate(
  "Tei",
  Schema.Struct({
    embedRoute: Schema.optionalWith(InvalidOptions.oneOf("/embed", "/v1/embeddings"), { default: () => "/embed" }),
    maxBatchSize: Schema.optional(InvalidOptions.whole({ atLeast: 1 }))
  })
)

// -----------------------------------------------------------------------------
// layers
// -----------------------------------------------------------------------------

/**
 * A server, from options; without any, the server on this machine.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: Options = {}
): Layer.Layer<LlmService.LlmService | Tei, InvalidOptions.InvalidOptions, HttpClient.HttpClient> =>
  Layer.scopedContext(
    Effect.map(make(options), ({ llm, tei }) =>
      Context.make(LlmService.LlmService, llm).pipe(Context.add(Tei, tei)))
  )

/**
 * What the environment says: `TEI_BASE_URL`, and the keys of `HF_API_TOKEN` and `HF_TOKEN`, `HF_API_TOKEN_1` …, if
 * there are any.
 *
 * @since 0.1.0
 * @category config
 */
export const config: Config.Config<Options> = SelfHosted.config({
  address: "TEI_BASE_URL",
  baseUrl: local,
  keys: ["HF_API_TOKEN", "HF_TOKEN"]
})

/**
 * A server, as the environment says; without a word there, the server on this machine.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig: Layer.Layer<
  LlmService.LlmService | Tei,
  ConfigError.ConfigError | InvalidOptions.InvalidOptions,
  HttpClient.HttpClient
> = Layer.unwrapEffect(Effect.map(config, layer))
