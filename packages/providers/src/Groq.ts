/**
 * Groq, on OpenAI's wire.
 *
 * How it differs: reasoning is told (`reasoning`, and read back from earlier turns) when `reasoningFormat` is
 * `parsed`; usage arrives unasked; a request that is larger than the key's limit is a 413 that calls itself a rate
 * limit; a day's limit that is used up is a 429 like a minute's; a tool call that does not fit its schema is refused
 * with what the model wrote (`InvalidOutput`). Its limits are told per day for requests and per minute for tokens. It
 * ranks documents at a route of its own, whose answer has texts in place of numbers, and writes down speech.
 *
 * @see https://console.groq.com/docs/api-reference
 * @see https://console.groq.com/docs/errors
 * @see https://console.groq.com/docs/rate-limits
 * @since 0.1.0
 */
import type { HttpClient } from "@effect/platform/HttpClient"
import type { InvalidOptions } from "@spillway/core/InvalidOptions"
import * as KeyPool from "@spillway/core/KeyPool"
import type * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Protection from "@spillway/core/Protection"
import type * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Scope } from "effect/Scope"
import * as GroqWire from "./GroqWire.js"
import * as HttpBackend from "./HttpBackend.js"
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

/**
 * What Groq does that no other backend does.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** Writes down what is said. */
  readonly transcribe: (
    request: GroqWire.TranscriptionRequest
  ) => Effect.Effect<GroqWire.Transcription, LlmError.LlmError>
}

/**
 * The tag under which a program finds what is only Groq's.
 *
 * @since 0.1.0
 * @category tags
 */
export class Groq extends Context.Tag("@spillway/providers/Groq")<Groq, Service>() {}

/**
 * Groq by both its services.
 *
 * @since 0.1.0
 * @category models
 */
export interface Backend {
  readonly llm: LlmService.Service
  readonly groq: Service
}

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
 * Groq, as its two services. The pool of its keys is watched by the monitor until the scope closes.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  { apiKeys, http, keys, ...options }: Options
): Effect.Effect<Backend, InvalidOptions, HttpClient | Scope> =>
  Effect.gen(function*() {
    const pool = yield* KeyPool.make({ ...keys, backend: profile.backend, keys: apiKeys })
    const definition = { ...OpenAiCompat.toDefinition(profile, options), rerank: GroqWire.rerank }
    const { service, within } = yield* HttpBackend.make(definition, pool, http)
    return { llm: service, groq: Protection.own(profile.backend, (protection) => serve(within(protection))) }
  })

const serve = ({ run }: HttpBackend.Exchanges): Service => ({
  transcribe: (request) => run("transcribe", GroqWire.transcribe, request, request.model ?? GroqWire.model)
})

/**
 * Groq, from options.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options): Layer.Layer<LlmService.LlmService | Groq, InvalidOptions, HttpClient> =>
  Layer.scopedContext(
    Effect.map(make(options), ({ groq, llm }) =>
      Context.make(LlmService.LlmService, llm).pipe(Context.add(Groq, groq)))
  )

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
export const layerConfig: Layer.Layer<LlmService.LlmService | Groq, ConfigError | InvalidOptions, HttpClient> = Layer
  .unwrapEffect(Effect.map(config, layer))
