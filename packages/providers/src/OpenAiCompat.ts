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
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as HttpBackend from "./HttpBackend.js"
import * as Address from "./internal/address.js"
import * as Limits from "./internal/limits.js"
import * as OpenAiErrors from "./internal/openAiErrors.js"
import * as OpenAiStream from "./internal/openAiStream.js"
import * as OpenAiWire from "./OpenAiWire.js"

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
  /** What it can do. @default chat, streamed chat, embeddings, list of models */
  readonly operations?: ReadonlyArray<"generateText" | "streamText" | "embed" | "listModels">
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
  const chat = (stream: boolean): HttpBackend.Definition["generateText"] & {} => ({
    request: (request) =>
      Either.map(OpenAiWire.toChatBody(request, profile, stream), (body) => ({
        method: "POST",
        path: `${path}/chat/completions`,
        body
      })),
    response: OpenAiWire.toCompletion
  })
  const all: Required<Pick<HttpBackend.Definition, "generateText" | "streamText" | "embed" | "listModels">> = {
    generateText: chat(false),
    streamText: { request: chat(true).request, framing: "sse", reader: OpenAiStream.reader },
    embed: {
      request: (request) =>
        Either.right({
          method: "POST",
          path: `${path}/embeddings`,
          body: OpenAiWire.toEmbeddingBody(request, profile)
        }),
      response: OpenAiWire.toEmbeddings
    },
    listModels: {
      request: () => Either.right({ method: "GET", path: `${path}/models` }),
      response: OpenAiWire.toModels
    }
  }
  const has = new Set(profile.operations ?? ["generateText", "streamText", "embed", "listModels"])
  return {
    backend: profile.backend,
    baseUrl,
    authenticate: (key) => ({ authorization: `Bearer ${Redacted.value(key)}` }),
    ...(headers !== undefined && { headers }),
    limits: Limits.fromHeaders,
    refineError: (failure) => profile.refineError?.(failure) ?? OpenAiErrors.refine(failure),
    ...(has.has("generateText") && { generateText: all.generateText }),
    ...(has.has("streamText") && { streamText: all.streamText }),
    ...(has.has("embed") && { embed: all.embed }),
    ...(has.has("listModels") && { listModels: all.listModels })
  }
}

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
  Effect.flatMap(
    KeyPool.make({ ...keys, backend: profile.backend, keys: apiKeys }),
    (pool) => Effect.map(HttpBackend.make(toDefinition(profile, rest), pool, http), ({ service }) => service)
  )

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
