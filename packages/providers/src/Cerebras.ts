/**
 * Cerebras, on OpenAI's wire.
 *
 * How it differs: reasoning is told in `reasoning`, and read back from earlier turns; its limits are told per day for
 * requests and per minute for tokens, which are counted as if all of `maxTokens` were used; a long queue is a 429 that
 * concerns everybody, whatever the key; it has no embeddings.
 *
 * @see https://inference-docs.cerebras.ai/api-reference/chat-completions
 * @see https://inference-docs.cerebras.ai/support/rate-limits
 * @since 0.1.0
 */
import * as Limits from "./internal/limits.js"
import * as OpenAiCompat from "./OpenAiCompat.js"

/**
 * How Cerebras speaks OpenAI's wire.
 *
 * @since 0.1.0
 * @category profile
 */
export const profile: OpenAiCompat.Profile = {
  backend: "cerebras",
  baseUrl: "https://api.cerebras.ai/v1",
  baseUrlVariable: "CEREBRAS_BASE_URL",
  keyVariable: "CEREBRAS_API_KEY",
  operations: ["generateText", "streamText", "listModels", "health"],
  maxTokensField: "max_completion_tokens",
  reasoningField: "reasoning",
  reasoningEfforts: { minimal: "low" },
  limits: Limits.named("requests-day", "tokens-minute"),
  refineError: ({ code, message, status }) =>
    code === "queue_exceeded"
      ? "ServerFault"
      : status === 429 && /per day/i.test(message)
      ? "QuotaExhausted"
      : undefined
}

/**
 * Cerebras as a service, from options or as the environment says (`CEREBRAS_API_KEY`, `CEREBRAS_API_KEY_1` …,
 * `CEREBRAS_BASE_URL`).
 *
 * @since 0.1.0
 * @category layers
 */
export const { config, layer, layerConfig, make } = OpenAiCompat.hosted(profile)
