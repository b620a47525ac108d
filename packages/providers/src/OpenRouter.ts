/**
 * OpenRouter, on OpenAI's wire: models of many vendors under one key, with embeddings and ranking of documents.
 *
 * How it differs: models go by `vendor/model`; usage arrives unasked; reasoning is told in `reasoning`; what a vendor
 * does wrong comes as a 502, or within a stream that began well; a 403 is a prompt that was flagged, or a key whose own
 * limit is used up. Anybody may list the models. It is told by headers who asks: `headers: { "http-referer": …, "x-title": … }`.
 *
 * @see https://openrouter.ai/docs/api/reference/overview
 * @see https://openrouter.ai/docs/api/reference/errors-and-debugging
 * @since 0.1.0
 */
import * as OpenAiCompat from "./OpenAiCompat.js"

/**
 * How OpenRouter speaks OpenAI's wire.
 *
 * @since 0.1.0
 * @category profile
 */
export const profile: OpenAiCompat.Profile = {
  backend: "openrouter",
  baseUrl: "https://openrouter.ai/api/v1",
  baseUrlVariable: "OPENROUTER_BASE_URL",
  keyVariable: "OPENROUTER_API_KEY",
  operations: ["generateText", "streamText", "embed", "rerank", "listModels", "health"],
  // https://openrouter.ai/docs/api/api-reference/api-keys/get-current-key
  validatePath: "/key",
  maxTokensField: "max_completion_tokens",
  usageUnasked: true,
  topK: true,
  files: true,
  reasoningField: "reasoning",
  refineError: ({ message, status }) =>
    (status === 403 && /limit exceeded/i.test(message)) || (status === 429 && /per-day/i.test(message))
      ? "QuotaExhausted"
      : status === 403 && /moderation|flagged/i.test(message)
      ? "ContentFiltered"
      : undefined
}

/**
 * OpenRouter as a service, from options or as the environment says (`OPENROUTER_API_KEY`, `OPENROUTER_API_KEY_1` …,
 * `OPENROUTER_BASE_URL`).
 *
 * @since 0.1.0
 * @category layers
 */
export const { config, layer, layerConfig, make } = OpenAiCompat.hosted(profile)
