/**
 * Gemini by Google, over its own API (`generateContent`).
 *
 * How it differs: the key goes in `x-goog-api-key`, never into the address; a wrong key is a 400; a 429 is for a minute
 * (wait) or for a day (another key), and names a wait of seconds in both cases; a prompt that was blocked is a success
 * without an answer; a stream has no end marker but the end of the connection; there are no headers about limits. See
 * `GeminiWire` for what becomes of a request's fields.
 *
 * The version of the API is `v1beta`: `v1` knows neither tools nor structured output.
 *
 * @see https://ai.google.dev/api
 * @see https://ai.google.dev/gemini-api/docs/troubleshooting
 * @see https://ai.google.dev/gemini-api/docs/rate-limits
 * @since 0.1.0
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import type * as Completion from "@spillway/core/Completion"
import * as InvalidOptions from "@spillway/core/InvalidOptions"
import * as KeyPool from "@spillway/core/KeyPool"
import type * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Protection from "@spillway/core/Protection"
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as GeminiCacheWire from "./GeminiCacheWire.js"
import * as GeminiOwnWire from "./GeminiOwnWire.js"
import * as GeminiWire from "./GeminiWire.js"
import * as HttpBackend from "./HttpBackend.js"
import * as Answer from "./internal/geminiAnswer.js"
import * as Errors from "./internal/geminiErrors.js"
import * as Models from "./internal/geminiModels.js"
import * as GeminiStream from "./internal/geminiStream.js"

/**
 * What there is to set.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The keys. */
  readonly apiKeys: KeyPool.Options["keys"]
  /** How the keys are used. */
  readonly keys?: Omit<KeyPool.Options, "backend" | "keys">
  /** The address before the version. @default "https://generativelanguage.googleapis.com" */
  readonly baseUrl?: string
  /** The API's version. @default "v1beta" */
  readonly version?: string
  /** Headers of every request. */
  readonly headers?: Readonly<Record<string, string>>
  /** How the wire is used. */
  readonly http?: HttpBackend.Options
}

/**
 * What Gemini does besides what every backend does, with the same keys.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** Counts the tokens of what a request says, its tools and system messages included. */
  readonly countTokens: (request: Completion.Request) => Effect.Effect<GeminiOwnWire.TokenCount, LlmError.LlmError>
  /** One vector of one content, which may hold pictures where the model sees them. */
  readonly embedContent: (
    request: GeminiOwnWire.EmbedContent
  ) => Effect.Effect<GeminiOwnWire.Embedded, LlmError.LlmError>
  /** All models, with what can be asked of each. */
  readonly models: Effect.Effect<ReadonlyArray<GeminiOwnWire.ModelDetails>, LlmError.LlmError>
  /** What there is to know of one model. */
  readonly model: (id: string) => Effect.Effect<GeminiOwnWire.ModelDetails, LlmError.LlmError>
  /** Keeps the beginning of a conversation for later requests. */
  readonly createCache: (cache: GeminiCacheWire.Create) => Effect.Effect<GeminiCacheWire.Cache, LlmError.LlmError>
  /** What is known of a cache; a cache that expired is `NotFound`. */
  readonly getCache: (name: string) => Effect.Effect<GeminiCacheWire.Cache, LlmError.LlmError>
  /** All caches. */
  readonly listCaches: Effect.Effect<ReadonlyArray<GeminiCacheWire.Cache>, LlmError.LlmError>
  /** Keeps a cache for that long from now on. */
  readonly keepCache: (
    name: string,
    ttl: Duration.DurationInput
  ) => Effect.Effect<GeminiCacheWire.Cache, LlmError.LlmError>
  /** Keeps a cache no longer. */
  readonly deleteCache: (name: string) => Effect.Effect<void, LlmError.LlmError>
}

/**
 * The tag under which a program finds what only Gemini does.
 *
 * @since 0.1.0
 * @category tags
 */
export class Gemini extends Context.Tag("@spillway/providers/Gemini")<Gemini, Service>() {}

/**
 * Gemini by both its services.
 *
 * @since 0.1.0
 * @category models
 */
export interface Backend {
  readonly llm: LlmService.Service
  readonly gemini: Service
}

const backend = "gemini"

const official = "https://generativelanguage.googleapis.com"

const readOptions = InvalidOptions.validate(
  "Gemini",
  Schema.Struct({
    baseUrl: Schema.optionalWith(InvalidOptions.name, { default: () => official }),
    version: Schema.optionalWith(InvalidOptions.name, { default: () => "v1beta" })
  })
)

const definition = (root: string, baseUrl: string, headers: Options["headers"]): HttpBackend.Definition => ({
  backend,
  baseUrl,
  authenticate: (key) => ({ "x-goog-api-key": Redacted.value(key) }),
  keyHeaders: ["x-goog-api-key"],
  ...(headers !== undefined && { headers }),
  refineError: Errors.refine,
  generateText: {
    request: (request) => post(root, request, "generateContent", GeminiWire.toBody(request)),
    response: Answer.toCompletion
  },
  streamText: {
    // without `alt` the stream is one long list
    request: (request) => post(root, request, "streamGenerateContent?alt=sse", GeminiWire.toBody(request)),
    framing: "sse",
    reader: GeminiStream.reader
  },
  embed: {
    request: (request) => post(root, request, "batchEmbedContents", GeminiWire.toEmbedBody(request)),
    response: Answer.toEmbeddings
  },
  // a page of one model takes a good key, and counts against no limit
  validate: {
    request: () => Either.right({ method: "GET", path: `${root}/models?pageSize=1` }),
    response: (body, exchange) => GeminiOwnWire.models(root).response(body, { ...exchange, input: undefined })
  }
})

const post = (
  root: string,
  { model }: { readonly model: string },
  method: string,
  body: object
): Either.Either<HttpBackend.Outgoing> =>
  Either.right({ method: "POST", path: `${root}/${Models.path(model)}:${method}`, body })

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Gemini, as the service that every backend is (`llm`) and with what only Gemini does (`gemini`). The pool of its keys
 * is watched by the monitor until the scope closes.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options
): Effect.Effect<Backend, InvalidOptions.InvalidOptions, HttpClient.HttpClient | Scope.Scope> => {
  const { apiKeys, headers, http, keys, ...rest } = options
  return Effect.flatMap(readOptions(rest), ({ baseUrl, version }) => {
    const root = `/${version}`
    return Effect.flatMap(KeyPool.make({ ...keys, backend, keys: apiKeys }), (pool) =>
      Effect.map(HttpBackend.make(definition(root, baseUrl, headers), pool, http), (made) => {
        const { service } = made
        const gemini = Protection.own(backend, (protection) => serve(root, made, made.within(protection)))
        const llm = LlmService.make(backend, {
          generateText: service.generateText,
          streamText: service.streamText,
          embed: inBatches(service.embed),
          listModels: gemini.models
        })
        return { llm, gemini }
      }))
  })
}

const serve = (
  root: string,
  { run: ask }: HttpBackend.Exchanges,
  { run, whole }: HttpBackend.Protected
): Service => {
  const countTokens = GeminiOwnWire.countTokens(root)
  const embedContent = GeminiOwnWire.embedContent(root)
  const model = GeminiOwnWire.model(root)
  const create = GeminiCacheWire.create(root)
  const get = GeminiCacheWire.get(root)
  const keep = GeminiCacheWire.keep(root)
  const remove = GeminiCacheWire.remove(root)
  return {
    countTokens: (request) => run("countTokens", countTokens, request, request.model),
    embedContent: (request) => run("embedContent", embedContent, request, request.model, ({ usage }) => usage),
    models: whole("models", "", pages(
      (token) => ask("models", GeminiOwnWire.models(root), token, ""),
      ({ models }) => models
    )),
    model: (id) => run("model", model, id, id),
    createCache: (cache) => run("createCache", create, cache, cache.model),
    getCache: (name) => run("getCache", get, name, ""),
    listCaches: whole("listCaches", "", pages(
      (token) => ask("listCaches", GeminiCacheWire.list(root), token, ""),
      ({ caches }) => caches
    )),
    keepCache: (name, ttl) => run("keepCache", keep, { name, ttl }, ""),
    deleteCache: (name) => run("deleteCache", remove, name, "")
  }
}

/** Page after page, until there is no next one, or it is the same again. */
const pages = <P extends { readonly next: string | undefined }, A>(
  page: (token: string | undefined) => Effect.Effect<P, LlmError.LlmError>,
  items: (page: P) => ReadonlyArray<A>
): Effect.Effect<ReadonlyArray<A>, LlmError.LlmError> => {
  const from = (token: string | undefined): Effect.Effect<ReadonlyArray<A>, LlmError.LlmError> =>
    Effect.flatMap(page(token), (read) =>
      read.next === undefined || read.next === token
        ? Effect.succeed(items(read))
        : Effect.map(from(read.next), (rest) => [...items(read), ...rest]))
  return Effect.suspend(() => from(undefined))
}

/** @see https://ai.google.dev/api/embeddings#method:-models.batchembedcontents */
const mostTexts = 100

const inBatches = (embed: LlmService.Service["embed"]): LlmService.Service["embed"] => (request) => {
  if (request.input.length <= mostTexts) return embed(request)
  const rest = { ...request, input: request.input.slice(mostTexts) }
  return Effect.zipWith(
    embed({ ...request, input: request.input.slice(0, mostTexts) }),
    Effect.suspend(() => inBatches(embed)(rest)),
    (first, others) => ({
      ...first,
      vectors: [...first.vectors, ...others.vectors],
      usage: Answer.add(first.usage, others.usage)
    })
  )
}

/**
 * Gemini, from options.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: Options
): Layer.Layer<LlmService.LlmService | Gemini, InvalidOptions.InvalidOptions, HttpClient.HttpClient> =>
  Layer.scopedContext(
    Effect.map(make(options), ({ gemini, llm }) =>
      Context.add(Context.make(LlmService.LlmService, llm), Gemini, gemini))
  )

// -----------------------------------------------------------------------------
// configuration
// -----------------------------------------------------------------------------

const address = (variable: string): Config.Config<Option.Option<string>> =>
  Config.string(variable).pipe(
    Config.validate({
      message: "Expected an address that begins with http:// or https://",
      validation: (address) => /^https?:\/\//.test(address)
    }),
    Config.option
  )

/**
 * What the environment says: `GOOGLE_API_KEY`, `GOOGLE_API_KEY_1` …, `GEMINI_API_KEY`, `GEMINI_API_KEY_1` … (all of them
 * together are the pool), and the address before the version: `GEMINI_BASE_URL`, or `GOOGLE_GEMINI_BASE_URL`, as
 * Google's own client calls it.
 *
 * @since 0.1.0
 * @category config
 */
export const config: Config.Config<Options> = Config.map(
  Config.all({
    apiKeys: KeyPool.config("GOOGLE_API_KEY", "GEMINI_API_KEY"),
    ours: address("GEMINI_BASE_URL"),
    googles: address("GOOGLE_GEMINI_BASE_URL")
  }),
  ({ apiKeys, googles, ours }) => ({
    apiKeys,
    baseUrl: Option.getOrElse(Option.orElse(ours, () => googles), () => official)
  })
)

/**
 * Gemini, as the environment says.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig: Layer.Layer<
  LlmService.LlmService | Gemini,
  ConfigError.ConfigError | InvalidOptions.InvalidOptions,
  HttpClient.HttpClient
> = Layer.unwrapEffect(Effect.map(config, layer))
