/**
 * Together, on OpenAI's wire, with embeddings and ranking of documents.
 *
 * How it differs: `top_k` is known; reasoning is told in `reasoning` and switched off by a field of its own; the list
 * of models is bare; what it does not document (the end user, how vectors are encoded) is not sent.
 *
 * @see https://docs.together.ai/reference/chat-completions-1
 * @see https://docs.together.ai/reference/rerank-1
 * @since 0.1.0
 */
import * as OpenAiCompat from "./OpenAiCompat.js"

/**
 * How Together speaks OpenAI's wire.
 *
 * @since 0.1.0
 * @category profile
 */
export const profile: OpenAiCompat.Profile = {
  backend: "together",
  baseUrl: "https://api.together.ai/v1",
  baseUrlVariable: "TOGETHER_BASE_URL",
  keyVariable: "TOGETHER_API_KEY",
  operations: ["generateText", "streamText", "embed", "rerank", "listModels", "health"],
  topK: true,
  reasoningField: "reasoning",
  reasoningEfforts: { minimal: "low" },
  extraFields: ({ reasoning }) => ({
    user: undefined,
    parallel_tool_calls: undefined,
    ...(reasoning?.effort === "none" && { reasoning: { enabled: false }, reasoning_effort: undefined })
  }),
  extraEmbeddingFields: () => ({ encoding_format: undefined, dimensions: undefined, user: undefined })
}

/**
 * Together as a service, from options or as the environment says (`TOGETHER_API_KEY`, `TOGETHER_API_KEY_1` …,
 * `TOGETHER_BASE_URL`).
 *
 * @since 0.1.0
 * @category layers
 */
export const { config, layer, layerConfig, make } = OpenAiCompat.hosted(profile)
