/**
 * Fireworks, on OpenAI's wire, with embeddings and ranking of documents.
 *
 * How it differs: models go by a path (`accounts/fireworks/models/…`); `top_k` is known; reasoning is told in
 * `reasoning_content`, and read back from earlier turns; an account that is suspended, for its bills mostly, is a 412.
 *
 * @see https://docs.fireworks.ai/api-reference/post-chatcompletions
 * @see https://docs.fireworks.ai/guides/inference-error-codes
 * @since 0.1.0
 */
import * as OpenAiCompat from "./OpenAiCompat.js"

/**
 * How Fireworks speaks OpenAI's wire.
 *
 * @since 0.1.0
 * @category profile
 */
export const profile: OpenAiCompat.Profile = {
  backend: "fireworks",
  baseUrl: "https://api.fireworks.ai/inference/v1",
  baseUrlVariable: "FIREWORKS_BASE_URL",
  keyVariable: "FIREWORKS_API_KEY",
  operations: ["generateText", "streamText", "embed", "rerank", "listModels", "health"],
  topK: true,
  reasoningField: "reasoning_content",
  reasoningEfforts: { minimal: "low" },
  refineError: ({ message, status }) =>
    status !== 412 ? undefined : /suspended|billing|payment|spend/i.test(message) ? "QuotaExhausted" : "ModelNotFound"
}

/**
 * Fireworks as a service, from options or as the environment says (`FIREWORKS_API_KEY`, `FIREWORKS_API_KEY_1` …,
 * `FIREWORKS_BASE_URL`).
 *
 * @since 0.1.0
 * @category layers
 */
export const { config, layer, layerConfig, make } = OpenAiCompat.hosted(profile)
