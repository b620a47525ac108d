/**
 * OpenAI's models on Azure, on OpenAI's wire.
 *
 * How it differs: each resource has an address of its own, and a model is a deployment, by the name that it was given
 * there; the key is shown in `api-key`; what its filters think of prompt and answer comes along, and a prompt that they
 * refuse is a 400; headers tell the limits, and not when they are full again. Which deployments there are, only Azure's
 * management API tells; that it is well shows in the list of models that could be deployed.
 *
 * Where no version is named it is the v1 API; a dated one is the API by deployments of before.
 *
 * @see https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle
 * @see https://learn.microsoft.com/azure/ai-foundry/openai/reference
 * @since 0.1.0
 */
import type { HttpClient } from "@effect/platform/HttpClient"
import type { InvalidOptions } from "@spillway/core/InvalidOptions"
import * as KeyPool from "@spillway/core/KeyPool"
import * as LlmService from "@spillway/core/LlmService"
import * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { Scope } from "effect/Scope"
import * as Address from "./internal/address.js"
import * as OpenAiCompat from "./OpenAiCompat.js"

/**
 * What there is to set.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends OpenAiCompat.Options {
  /** The endpoint of the resource: `https://….openai.azure.com`, with or without `/openai/v1`. */
  readonly baseUrl: string
  /** Which version of the API: a date, for the API by deployments; `preview`, for that of the v1 API. @default v1 */
  readonly apiVersion?: string
}

/**
 * How Azure speaks OpenAI's wire, in this version.
 *
 * @since 0.1.0
 * @category profile
 */
export const profile = (apiVersion?: string): OpenAiCompat.Profile => ({
  backend: "azure",
  baseUrl: "",
  baseUrlVariable: "AZURE_OPENAI_ENDPOINT",
  keyVariable: "AZURE_OPENAI_API_KEY",
  route: (route, model) => {
    const query = apiVersion === undefined ? "" : `?api-version=${encodeURIComponent(apiVersion)}`
    if (!/^\d{4}-/.test(apiVersion ?? "")) return `/openai/v1${route}${query}`
    return `/openai${model === "" ? "" : `/deployments/${encodeURIComponent(model)}`}${route}${query}`
  },
  operations: ["generateText", "streamText", "embed", "health"],
  authenticate: (key) => ({ "api-key": Redacted.value(key) }),
  keyHeaders: ["api-key"],
  maxTokensField: "max_completion_tokens",
  files: true,
  embeddingEncoding: "base64",
  refineError: ({ code, status }) =>
    code === "OperationNotSupported"
      ? "Unsupported"
      // the address or the version is wrong; a deployment that is not there is `DeploymentNotFound`
      : status === 404 && code === "404"
      ? "MalformedResponse"
      : undefined
})

/**
 * OpenAI on Azure, as a service. The pool of its keys is watched by the monitor until the scope closes.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  { apiVersion, baseUrl, ...options }: Options
): Effect.Effect<LlmService.Service, InvalidOptions, HttpClient | Scope> =>
  OpenAiCompat.make(profile(apiVersion), { ...options, baseUrl: baseUrl.replace(/\/openai(\/v1)?\/*$/, "") })

/**
 * OpenAI on Azure, from options.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options): Layer.Layer<LlmService.LlmService, InvalidOptions, HttpClient> =>
  Layer.scoped(LlmService.LlmService, make(options))

/**
 * What the environment says: `AZURE_OPENAI_ENDPOINT`, `AZURE_OPENAI_API_KEY`, `AZURE_OPENAI_API_KEY_1` …, and
 * `OPENAI_API_VERSION`, as OpenAI's own client calls it.
 *
 * @since 0.1.0
 * @category config
 */
export const config: Config.Config<Options> = Config.map(
  Config.all({
    baseUrl: Address.config("AZURE_OPENAI_ENDPOINT"),
    apiKeys: KeyPool.config("AZURE_OPENAI_API_KEY"),
    apiVersion: Config.option(Config.nonEmptyString("OPENAI_API_VERSION"))
  }),
  ({ apiVersion, ...options }) => Option.isSome(apiVersion) ? { ...options, apiVersion: apiVersion.value } : options
)

/**
 * OpenAI on Azure, as the environment says.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig: Layer.Layer<LlmService.LlmService, ConfigError | InvalidOptions, HttpClient> = Layer
  .unwrapEffect(Effect.map(config, layer))
