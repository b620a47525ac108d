/**
 * Groq, on OpenAI's wire.
 *
 * How it differs: reasoning is told (`reasoning`, and read back from earlier turns) when `reasoningFormat` is
 * `parsed`; usage arrives unasked; a request that is larger than the key's limit is a 413 that calls itself a rate
 * limit; a day's limit that is used up is a 429 like a minute's; a tool call that does not fit its schema is refused
 * with what the model wrote (`InvalidOutput`). Its limits are told per day for requests and per minute for tokens.
 *
 * @see https://console.groq.com/docs/api-reference
 * @see https://console.groq.com/docs/errors
 * @see https://console.groq.com/docs/rate-limits
 * @since 0.1.0
 */
import type { HttpClient } from "@effect/platform/HttpClient"
import type { InvalidOptions } from "@spillway/core/InvalidOptions"
import type { LlmService, Service } from "@spillway/core/LlmService"
import type * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type { Scope } from "effect/Scope"
import type * as HttpBackend from "./HttpBackend.js"
import * as OpenAiErrors from "./internal/openAiErrors.js"
import * as OpenAiCompat from "./OpenAiCompat.js"

declare module "@spillway/core/Completion" {
  interface ProviderOptions {
    /** What only Groq can be asked for. */
    readonly groq?: RequestOptions
  }
}

/**
 * What only Groq can be asked for, with one request.
 *
 * @since 0.1.0
 * @category models
 */
export interface RequestOptions {
  /** Where reasoning goes: a field of its own, into the text between `<think>` marks, or nowhere. */
  readonly reasoningFormat?: "parsed" | "raw" | "hidden"
  /** At which price and speed. @default "on_demand" */
  readonly serviceTier?: "auto" | "on_demand" | "flex" | "performance"
}

/**
 * What there is to set.
 *
 * @since 0.1.0
 * @category models
 */
export type Options = OpenAiCompat.Options

const refineError = (failure: HttpBackend.Failure): HttpBackend.Refinement | undefined => {
  const { code, message, retryAfter, status } = failure
  if (code === "tool_use_failed") return "InvalidOutput"
  if (status === 413) return "InvalidRequest"
  // flex capacity is short for everybody, whatever the key
  if (status === 498) return "ServerFault"
  return status === 429 && /\b(per day|[TR]PD)\b/.test(message)
    ? { kind: "QuotaExhausted", retryAfter: retryAfter ?? OpenAiErrors.waitIn(message) }
    : undefined
}

/**
 * How Groq speaks OpenAI's wire.
 *
 * @since 0.1.0
 * @category profile
 */
export const profile: OpenAiCompat.Profile = {
  backend: "groq",
  baseUrl: "https://api.groq.com",
  baseUrlVariable: "GROQ_BASE_URL",
  keyVariable: "GROQ_API_KEY",
  path: "/openai/v1",
  maxTokensField: "max_completion_tokens",
  usageUnasked: true,
  reasoningField: "reasoning",
  reasoningEfforts: { minimal: "low" },
  refineError,
  extraFields: ({ providerOptions }) => ({
    reasoning_format: providerOptions?.groq?.reasoningFormat,
    service_tier: providerOptions?.groq?.serviceTier
  })
}

/**
 * Groq, as a service. The pool of its keys is watched by the monitor until the scope closes.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<Service, InvalidOptions, HttpClient | Scope> =>
  OpenAiCompat.make(profile, options)

/**
 * Groq, from options.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options): Layer.Layer<LlmService, InvalidOptions, HttpClient> =>
  OpenAiCompat.layer(profile, options)

/**
 * What the environment says: `GROQ_API_KEY`, `GROQ_API_KEY_1` …, and `GROQ_BASE_URL` (without its `/openai/v1`).
 *
 * @since 0.1.0
 * @category config
 */
export const config: Config.Config<Options> = OpenAiCompat.config(profile)

/**
 * Groq, as the environment says.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig: Layer.Layer<LlmService, ConfigError | InvalidOptions, HttpClient> = OpenAiCompat.layerConfig(
  profile
)
