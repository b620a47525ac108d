/**
 * Claude by Anthropic, over its Messages API.
 *
 * How it differs: the key goes in `x-api-key`, the API has a version in a header, overload is a status of its own
 * (529), money that is used up hides in a 429 or a 400, and limits are told in headers of its own with every answer.
 * There are no embeddings. See `AnthropicWire` for what becomes of a request's fields.
 *
 * The version is `2023-06-01` unless you set another: from `2026-10-21` on the API refuses `temperature`, `topP` and
 * `topK`, so a request that has one is `Unsupported` before it is sent.
 *
 * @see https://platform.claude.com/docs/en/api/overview
 * @see https://platform.claude.com/docs/en/api/errors
 * @see https://platform.claude.com/docs/en/api/rate-limits
 * @see https://platform.claude.com/docs/en/api/migration-2026-10-21
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
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as AnthropicOwnWire from "./AnthropicOwnWire.js"
import * as AnthropicWire from "./AnthropicWire.js"
import * as HttpBackend from "./HttpBackend.js"
import * as AnthropicAnswer from "./internal/anthropicAnswer.js"
import * as AnthropicStream from "./internal/anthropicStream.js"
import * as Json from "./internal/json.js"
import * as Limits from "./internal/limits.js"

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
  /** The address before `/v1`. @default "https://api.anthropic.com" */
  readonly baseUrl?: string
  /** The API's version, a date. @default "2023-06-01" */
  readonly version?: string
  /** Most tokens of an answer where the request says nothing, which the API wants to be told; from 1. @default 4096 */
  readonly maxTokens?: number
  /** Headers of every request. */
  readonly headers?: Readonly<Record<string, string>>
  /** How the wire is used. */
  readonly http?: HttpBackend.Options
}

/**
 * What Claude does besides what every backend does, with the same keys.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** Counts the tokens of what a request says, its tools and system messages included; costs nothing. */
  readonly countTokens: (request: Completion.Request) => Effect.Effect<number, LlmError.LlmError>
  /** All models, with what each can do and how long it will be there. */
  readonly models: Effect.Effect<ReadonlyArray<AnthropicOwnWire.ModelDetails>, LlmError.LlmError>
  /** What there is to know of one model, also by a name that stands for the latest of its kind. */
  readonly model: (id: string) => Effect.Effect<AnthropicOwnWire.ModelDetails, LlmError.LlmError>
}

/**
 * The tag under which a program finds what only Claude does.
 *
 * @since 0.1.0
 * @category tags
 */
export class Anthropic extends Context.Tag("@spillway/providers/Anthropic")<Anthropic, Service>() {}

/**
 * Claude by both its services.
 *
 * @since 0.1.0
 * @category models
 */
export interface Backend {
  readonly llm: LlmService.Service
  readonly anthropic: Service
}

const backend = "anthropic"

const official = "https://api.anthropic.com"

const readOptions = InvalidOptions.validate(
  "Anthropic",
  Schema.Struct({
    baseUrl: Schema.optionalWith(InvalidOptions.name, { default: () => official }),
    version: Schema.optionalWith(InvalidOptions.name, { default: () => "2023-06-01" }),
    maxTokens: Schema.optionalWith(InvalidOptions.whole({ atLeast: 1 }), { default: () => 4096 })
  })
)

const definition = (
  baseUrl: string,
  headers: Options["headers"],
  settings: AnthropicWire.Settings
): HttpBackend.Definition => ({
  backend,
  baseUrl,
  authenticate: (key) => ({ "x-api-key": Redacted.value(key) }),
  keyHeaders: ["x-api-key"],
  headers: { "anthropic-version": settings.version, ...headers },
  limits: toLimits,
  refineError,
  generateText: {
    request: (request) => toMessages(request, settings, false),
    response: AnthropicAnswer.toCompletion
  },
  streamText: {
    request: (request) => toMessages(request, settings, true),
    framing: "sse",
    reader: AnthropicStream.reader
  },
  // a list of one model is the cheapest sign of life: it takes a good key and counts against no limit
  health: {
    request: () => Either.right({ method: "GET", path: "/v1/models?limit=1" }),
    response: (body, exchange) =>
      Either.flatMap(AnthropicOwnWire.models.response(body, { ...exchange, input: undefined }), () => Either.void)
  }
})

const toMessages = (
  request: Completion.Request,
  settings: AnthropicWire.Settings,
  stream: boolean
): Either.Either<HttpBackend.Outgoing, LlmError.LlmError> =>
  Either.map(AnthropicWire.toBody(request, settings, stream), (body) => ({
    method: "POST",
    path: "/v1/messages",
    body,
    ...AnthropicOwnWire.toBetas(request)
  }))

// -----------------------------------------------------------------------------
// errors, limits
// -----------------------------------------------------------------------------

/** Money that is used up comes as a 429 like any rate limit, and as a 400 that only its words tell apart. */
const refineError = ({ code, message }: HttpBackend.Failure): HttpBackend.Refinement | undefined =>
  code !== undefined && spendLimits.has(code) || usedUp.test(message) ? "QuotaExhausted" : undefined

const spendLimits = new Set([
  "enforced_spend_limit_reached",
  "contract_spend_limit_reached",
  "linked_organization_spend_limit_reached",
  "linked_organization_billing_unavailable"
])

const usedUp = /^(Your credit balance is too low|You have reached your specified (workspace )?API usage limits)/

const toLimits = (
  headers: { readonly [name: string]: string | undefined },
  now: number
): KeyPool.Limits | undefined => {
  const limit = (name: string) => {
    const reset = Date.parse(headers[`anthropic-ratelimit-${name}-reset`] ?? "") - now
    return Limits.limit(
      headers[`anthropic-ratelimit-${name}-limit`],
      headers[`anthropic-ratelimit-${name}-remaining`],
      Number.isNaN(reset) ? undefined : Math.max(0, reset)
    )
  }
  const requests = limit("requests")
  // `tokens` is the tightest of all token limits; without it, what goes in is usually the first to be met
  const tokens = limit("tokens") ?? limit("input-tokens")
  return requests === undefined && tokens === undefined ? undefined : Json.defined({ requests, tokens })
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Claude, as the service that every backend is (`llm`) and with what only Claude does (`anthropic`). The pool of its
 * keys is watched by the monitor until the scope closes.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options
): Effect.Effect<Backend, InvalidOptions.InvalidOptions, HttpClient.HttpClient | Scope.Scope> => {
  const { apiKeys, headers, http, keys, ...rest } = options
  return Effect.flatMap(readOptions(rest), ({ baseUrl, ...settings }) =>
    Effect.flatMap(KeyPool.make({ ...keys, backend, keys: apiKeys }), (pool) =>
      Effect.map(
        HttpBackend.make(definition(baseUrl, headers, { backend, ...settings }), pool, http),
        ({ run, service, within }): Backend => {
          const models = pages(run, undefined)
          return {
            llm: LlmService.make(backend, {
              generateText: service.generateText,
              streamText: service.streamText,
              listModels: Effect.map(models, (models) => models.map(AnthropicOwnWire.toModel)),
              health: service.health
            }),
            anthropic: Protection.own(backend, (protection) => serve(models, within(protection)))
          }
        }
      )))
}

const serve = (models: Service["models"], { run, whole }: HttpBackend.Protected): Service => ({
  countTokens: (request) => run("countTokens", AnthropicOwnWire.countTokens, request, request.model),
  models: whole("models", "", models),
  model: (id) => run("model", AnthropicOwnWire.model, id, id)
})

/** Page after page, until there is no next one. */
const pages = (
  run: HttpBackend.Exchanges["run"],
  after: string | undefined
): Effect.Effect<ReadonlyArray<AnthropicOwnWire.ModelDetails>, LlmError.LlmError> =>
  Effect.flatMap(run("listModels", AnthropicOwnWire.models, after, ""), ({ models, next }) =>
    next === undefined || models.length === 0
      ? Effect.succeed(models)
      : Effect.map(pages(run, next), (rest) => [...models, ...rest]))

/**
 * Claude, from options.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: Options
): Layer.Layer<LlmService.LlmService | Anthropic, InvalidOptions.InvalidOptions, HttpClient.HttpClient> =>
  Layer.scopedContext(
    Effect.map(make(options), ({ anthropic, llm }) =>
      Context.make(LlmService.LlmService, llm).pipe(Context.add(Anthropic, anthropic)))
  )

/**
 * What the environment says: `ANTHROPIC_API_KEY`, `ANTHROPIC_API_KEY_1` …, and `ANTHROPIC_BASE_URL`.
 *
 * @since 0.1.0
 * @category config
 */
export const config: Config.Config<Options> = Config.all({
  apiKeys: KeyPool.config("ANTHROPIC_API_KEY"),
  baseUrl: Config.string("ANTHROPIC_BASE_URL").pipe(
    Config.validate({
      message: "Expected an address that begins with http:// or https://",
      validation: (address) => /^https?:\/\//.test(address)
    }),
    Config.withDefault(official)
  )
})

/**
 * Claude, as the environment says.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig: Layer.Layer<
  LlmService.LlmService | Anthropic,
  ConfigError.ConfigError | InvalidOptions.InvalidOptions,
  HttpClient.HttpClient
> = Layer.unwrapEffect(Effect.map(config, layer))
