/**
 * Whatever speaks OpenAI's wire, from a profile of a few lines: how its dialect differs, where it is, and which
 * variables name its address and its keys.
 *
 * @since 0.1.0
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import * as InvalidOptions from "@spillway/core/InvalidOptions"
import * as KeyPool from "@spillway/core/KeyPool"
import * as LlmService from "@spillway/core/LlmService"
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as HttpBackend from "./HttpBackend.js"
import * as Address from "./internal/address.js"
import * as Limits from "./internal/limits.js"
import * as OpenAiErrors from "./internal/openAiErrors.js"
import * as OpenAiStream from "./internal/openAiStream.js"
import * as SelfHosted from "./internal/selfHosted.js"
import * as OpenAiWire from "./OpenAiWire.js"
import * as RerankWire from "./RerankWire.js"

/**
 * A backend that speaks OpenAI's wire.
 *
 * @since 0.1.0
 * @category models
 */
export interface Profile extends OpenAiWire.Dialect {
  /** The address, without a slash at the end; what is set by `baseUrl` or the variable takes its place. */
  readonly baseUrl: string
  /** The variable that holds the address. */
  readonly baseUrlVariable: string
  /** The variable that holds a key; its numbered kin (`…_1`) hold more. */
  readonly keyVariable: string
  /** What stands between the address and a route. @default "" */
  readonly path?: string
  /** Where a route is found, for a model that is part of the address. @default path and route */
  readonly route?: (route: string, model: string) => string
  /** What it can do. @default chat, streamed chat, embeddings, list of models, health */
  readonly operations?: ReadonlyArray<Exclude<LlmService.Operation, "infer">>
  /** The route, from the address, that says whether it is well. @default the list of models, the cheapest sign of life */
  readonly healthPath?: string
  /** The route, from path on, that wants a key where the list of models does not. @default the list of models */
  readonly validatePath?: string
  /** The route, from the address, that ranks documents. @default path and "/rerank" */
  readonly rerankPath?: string
  /** The headers that show a key; their names are to be in `keyHeaders`. @default "Authorization: Bearer …" */
  readonly authenticate?: HttpBackend.Definition["authenticate"]
  /** Names of headers, in lower case, that carry a key. @default ["authorization", "x-api-key"] */
  readonly keyHeaders?: ReadonlyArray<string>
  /** What the headers of an answer say of the key's limits. @default as OpenAI's say it */
  readonly limits?: HttpBackend.Definition["limits"]
  /** What it means by a failure, where that is not what OpenAI means by it. */
  readonly refineError?: (failure: HttpBackend.Failure) => HttpBackend.Refinement | undefined
}

/**
 * What there is to set of any such backend.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The keys. */
  readonly apiKeys: KeyPool.Options["keys"]
  /** How the keys are used. */
  readonly keys?: Omit<KeyPool.Options, "backend" | "keys">
  /** The address. @default the profile's */
  readonly baseUrl?: string
  /** Headers of every request. */
  readonly headers?: Readonly<Record<string, string>>
  /** How the wire is used. */
  readonly http?: HttpBackend.Options
}

/**
 * What there is to set of such a backend that is a server of one's own, and may do without a key.
 *
 * @since 0.1.0
 * @category models
 */
export interface ServerOptions extends SelfHosted.Options {}

/**
 * All that a module of a backend offers, from its profile.
 *
 * @since 0.1.0
 * @category models
 */
export interface Backend<O, Arguments extends ReadonlyArray<O | undefined> = readonly [options: O]> {
  /** The service. The pool of its keys is watched by the monitor until the scope closes. */
  readonly make: (
    ...options: Arguments
  ) => Effect.Effect<LlmService.Service, InvalidOptions.InvalidOptions, HttpClient.HttpClient | Scope.Scope>
  /** The service, from options. */
  readonly layer: (
    ...options: Arguments
  ) => Layer.Layer<LlmService.LlmService, InvalidOptions.InvalidOptions, HttpClient.HttpClient>
  /** What the environment says. A variable that is set but empty is an error that names it. */
  readonly config: Config.Config<O>
  /** The service, as the environment says. */
  readonly layerConfig: Layer.Layer<
    LlmService.LlmService,
    ConfigError.ConfigError | InvalidOptions.InvalidOptions,
    HttpClient.HttpClient
  >
}

/**
 * What a profile says to `HttpBackend`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const toDefinition = (
  profile: Profile,
  { baseUrl = profile.baseUrl, headers }: Pick<Options, "baseUrl" | "headers"> = {}
): HttpBackend.Definition => {
  const path = profile.path ?? ""
  const at = (route: string, model: string) => profile.route?.(route, model) ?? `${path}${route}`
  const chat = (stream: boolean): HttpBackend.Definition["generateText"] & {} => ({
    request: (request) =>
      Either.map(OpenAiWire.toChatBody(request, profile, stream), (body) => ({
        method: "POST",
        path: at("/chat/completions", request.model),
        body
      })),
    response: OpenAiWire.toCompletion
  })
  const listModels: HttpBackend.Definition["listModels"] & {} = {
    request: () => Either.right({ method: "GET", path: at("/models", "") }),
    response: OpenAiWire.toModels
  }
  const all: Required<Pick<HttpBackend.Definition, Exclude<LlmService.Operation, "infer">>> = {
    generateText: chat(false),
    streamText: { request: chat(true).request, framing: "sse", reader: OpenAiStream.reader },
    embed: {
      request: (request) =>
        Either.right({
          method: "POST",
          path: at("/embeddings", request.model),
          body: OpenAiWire.toEmbeddingBody(request, profile)
        }),
      response: OpenAiWire.toEmbeddings
    },
    rerank: {
      request: (request) =>
        Either.right({
          method: "POST",
          path: profile.rerankPath ?? at("/rerank", request.model),
          body: RerankWire.toBody(request)
        }),
      response: RerankWire.toRanking
    },
    listModels,
    health: toHealth(profile.healthPath, listModels)
  }
  const has = new Set(profile.operations ?? ["generateText", "streamText", "embed", "listModels", "health"])
  return {
    backend: profile.backend,
    baseUrl,
    authenticate: profile.authenticate ?? SelfHosted.bearer,
    ...(profile.keyHeaders !== undefined && { keyHeaders: profile.keyHeaders }),
    ...(headers !== undefined && { headers }),
    limits: profile.limits ?? Limits.fromHeaders,
    refineError: (failure) => profile.refineError?.(failure) ?? OpenAiErrors.refine(failure),
    ...(has.has("generateText") && { generateText: all.generateText }),
    ...(has.has("streamText") && { streamText: all.streamText }),
    ...(has.has("embed") && { embed: all.embed }),
    ...(has.has("rerank") && { rerank: all.rerank }),
    ...(has.has("listModels") && { listModels: all.listModels }),
    ...(has.has("health") && { health: all.health }),
    ...(profile.validatePath !== undefined && { validate: toHealth(at(profile.validatePath, ""), listModels) })
  }
}

const toHealth = (
  path: string | undefined,
  { request, response }: HttpBackend.Definition["listModels"] & {}
): HttpBackend.Definition["health"] & {} =>
  path === undefined
    ? { request, response: (body, exchange) => Either.map(response(body, exchange), () => undefined) }
    : { request: () => Either.right({ method: "GET", path }), reads: "text", response: () => Either.void }

/**
 * The backend of a profile, as a service. The pool of its keys is watched by the monitor until the scope closes.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  profile: Profile,
  { apiKeys, http, keys, ...rest }: Options
): Effect.Effect<LlmService.Service, InvalidOptions.InvalidOptions, HttpClient.HttpClient | Scope.Scope> =>
  start(profile, KeyPool.make({ ...keys, backend: profile.backend, keys: apiKeys }), rest, http)

const start = (
  profile: Profile,
  pool: Effect.Effect<KeyPool.KeyPool, InvalidOptions.InvalidOptions, Scope.Scope>,
  options: Pick<Options, "baseUrl" | "headers">,
  http: HttpBackend.Options | undefined
) =>
  Effect.flatMap(pool, (pool) =>
    Effect.map(HttpBackend.make(toDefinition(profile, options), pool, http), ({ service }) => service))

/**
 * A service for whom nobody does without a key, from its profile.
 *
 * @since 0.1.0
 * @category constructors
 * @example
 * ```ts
 * import { OpenAiCompat } from "@spillway/providers"
 * import { Redacted } from "effect"
 *
 * const { layer } = OpenAiCompat.hosted({
 *   backend: "moonshot",
 *   baseUrl: "https://api.moonshot.ai/v1",
 *   baseUrlVariable: "MOONSHOT_BASE_URL",
 *   keyVariable: "MOONSHOT_API_KEY",
 *   reasoningField: "reasoning_content"
 * })
 *
 * const Moonshot = layer({ apiKeys: [Redacted.make("sk-1")] })
 * ```
 */
export const hosted = (profile: Profile): Backend<Options> => ({
  make: (options) => make(profile, options),
  layer: (options) => layer(profile, options),
  config: config(profile),
  layerConfig: layerConfig(profile)
})

/**
 * A server of one's own, which may do without a key, from its profile.
 *
 * @since 0.1.0
 * @category constructors
 */
export const selfHosted = (profile: Profile): Backend<ServerOptions, readonly [options?: ServerOptions]> => {
  const make = ({ http, ...options }: ServerOptions = {}) =>
    start(profile, SelfHosted.pool(profile.backend, options), options, http)
  const layer = (options?: ServerOptions) => Layer.scoped(LlmService.LlmService, make(options))
  const config = SelfHosted.config({
    address: profile.baseUrlVariable,
    baseUrl: profile.baseUrl,
    keys: [profile.keyVariable]
  })
  return { make, layer, config, layerConfig: Layer.unwrapEffect(Effect.map(config, layer)) }
}

/**
 * The backend of a profile, from options.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  profile: Profile,
  options: Options
): Layer.Layer<LlmService.LlmService, InvalidOptions.InvalidOptions, HttpClient.HttpClient> =>
  Layer.scoped(LlmService.LlmService, make(profile, options))

/**
 * What the environment says of the backend of a profile: its keys, and its address if it is another. A variable that
 * is set but empty is an error.
 *
 * @since 0.1.0
 * @category config
 */
export const config = (profile: Profile): Config.Config<Options> =>
  Config.all({
    apiKeys: KeyPool.config(profile.keyVariable),
    baseUrl: Config.withDefault(Address.config(profile.baseUrlVariable), profile.baseUrl)
  })

/**
 * The backend of a profile, as the environment says.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (profile: Profile): Layer.Layer<
  LlmService.LlmService,
  ConfigError.ConfigError | InvalidOptions.InvalidOptions,
  HttpClient.HttpClient
> => Layer.unwrapEffect(Effect.map(config(profile), (options) => layer(profile, options)))
