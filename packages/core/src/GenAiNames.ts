/**
 * What OpenTelemetry calls things of generative AI, in one place: none of these names is stable.
 *
 * @see https://github.com/open-telemetry/semantic-conventions-genai
 * @since 0.1.0
 */
import type { Operation } from "./LlmService.js"
import type * as Protection from "./Protection.js"

/**
 * The names of one version of the conventions.
 *
 * @since 0.1.0
 * @category models
 */
export interface GenAiNames {
  readonly operationName: string
  readonly providerName: string
  readonly requestModel: string
  readonly responseId: string
  readonly responseModel: string
  readonly finishReasons: string
  readonly inputTokens: string
  readonly outputTokens: string
  readonly cachedInputTokens: string
  readonly cacheWriteTokens: string
  readonly metrics: MetricNames
  /** What an operation is called; where the conventions have no name for it, it is ours. */
  readonly operations: { readonly [O in Operation]: string }
  /** What backends are called whose names differ from ours. */
  readonly providers: { readonly [backend: string]: string }
}

/**
 * What is measured of calls.
 *
 * @since 0.1.0
 * @category models
 */
export interface MetricNames {
  /** How long a call took that generates text, and one of another kind. */
  readonly completionDuration: string
  readonly duration: string
  /** How long a stream took to begin. */
  readonly firstPart: string
  /** How many tokens it had; where both are one metric, labels tell them apart. */
  readonly tokens: { readonly [D in "input" | "output"]: { readonly name: string; readonly labels: Record<string, string> } }
}

/**
 * The last version that was part of the general conventions: what tracing backends know.
 *
 * @since 0.1.0
 * @category constructors
 */
export const v1_41: GenAiNames = {
  operationName: "gen_ai.operation.name",
  providerName: "gen_ai.provider.name",
  requestModel: "gen_ai.request.model",
  responseId: "gen_ai.response.id",
  responseModel: "gen_ai.response.model",
  finishReasons: "gen_ai.response.finish_reasons",
  inputTokens: "gen_ai.usage.input_tokens",
  outputTokens: "gen_ai.usage.output_tokens",
  cachedInputTokens: "gen_ai.usage.cache_read.input_tokens",
  cacheWriteTokens: "gen_ai.usage.cache_creation.input_tokens",
  metrics: {
    completionDuration: "gen_ai.client.operation.duration",
    duration: "gen_ai.client.operation.duration",
    firstPart: "gen_ai.client.operation.time_to_first_chunk",
    tokens: {
      input: { name: "gen_ai.client.token.usage", labels: { "gen_ai.token.type": "input" } },
      output: { name: "gen_ai.client.token.usage", labels: { "gen_ai.token.type": "output" } }
    }
  },
  operations: {
    generateText: "chat",
    streamText: "chat",
    embed: "embeddings",
    rerank: "rerank",
    infer: "infer",
    health: "health",
    listModels: "list_models"
  },
  providers: { gemini: "gcp.gemini", mistral: "mistral_ai", xai: "x_ai" }
}

/**
 * The conventions as they are being rewritten, in a repository of their own.
 *
 * @since 0.1.0
 * @category constructors
 */
export const dev: GenAiNames = {
  ...v1_41,
  cacheWriteTokens: "gen_ai.usage.cache_write.input_tokens",
  metrics: {
    completionDuration: "gen_ai.client.inference.duration",
    duration: "gen_ai.client.operation.duration",
    firstPart: "gen_ai.client.inference.time_to_first_chunk",
    tokens: {
      input: { name: "gen_ai.client.inference.operation.input_tokens", labels: {} },
      output: { name: "gen_ai.client.inference.operation.output_tokens", labels: {} }
    }
  }
}

/**
 * Every version, by what a setting calls it.
 *
 * @since 0.1.0
 * @category constructors
 */
export const versions = { "v1.41": v1_41, dev } as const

/**
 * What a setting calls a version.
 *
 * @since 0.1.0
 * @category models
 */
export type Version = keyof typeof versions

/**
 * What an operation is called. The conventions know nothing of stores of objects, and of what only one backend does:
 * there it is called as we call it.
 *
 * @since 0.1.0
 * @category destructors
 */
export const operation = (names: GenAiNames, operation: Protection.Operation): string =>
  isOfModels(names, operation) ? names.operations[operation] : operation

/**
 * Whether an operation is one of models, and none of stores or of one backend alone.
 *
 * @since 0.1.0
 * @category guards
 */
export const isOfModels = (names: GenAiNames, operation: string): operation is Operation =>
  Object.hasOwn(names.operations, operation)

/**
 * What a backend is called.
 *
 * @since 0.1.0
 * @category destructors
 */
export const provider = (names: GenAiNames, backend: string): string =>
  Object.hasOwn(names.providers, backend) ? names.providers[backend]! : backend
