/**
 * DeepSeek, on OpenAI's wire.
 *
 * How it differs: it thinks unless told not to, tells it in `reasoning_content` and, after tool calls, wants it back; a
 * JSON schema goes into the prompt, since the API knows only "some JSON"; it has no embeddings. A balance that is used
 * up is a 402. While its queue is long it sends blank lines and comments.
 *
 * @see https://api-docs.deepseek.com/api/create-chat-completion
 * @see https://api-docs.deepseek.com/guides/thinking_mode
 * @see https://api-docs.deepseek.com/quick_start/error_codes
 * @since 0.1.0
 */
import * as OpenAiCompat from "./OpenAiCompat.js"

/**
 * How DeepSeek speaks OpenAI's wire.
 *
 * @since 0.1.0
 * @category profile
 */
export const profile: OpenAiCompat.Profile = {
  backend: "deepseek",
  baseUrl: "https://api.deepseek.com",
  baseUrlVariable: "DEEPSEEK_BASE_URL",
  keyVariable: "DEEPSEEK_API_KEY",
  operations: ["generateText", "streamText", "listModels", "health"],
  reasoningField: "reasoning_content",
  reasoningEfforts: { minimal: "low" },
  schemaInPrompt: true,
  extraFields: ({ reasoning }) => ({
    seed: undefined,
    user: undefined,
    parallel_tool_calls: undefined,
    ...(reasoning !== undefined && { thinking: { type: reasoning.effort === "none" ? "disabled" : "enabled" } }),
    ...(reasoning?.effort === "none" && { reasoning_effort: undefined })
  })
}

/**
 * DeepSeek as a service, from options or as the environment says (`DEEPSEEK_API_KEY`, `DEEPSEEK_API_KEY_1` …,
 * `DEEPSEEK_BASE_URL`).
 *
 * @since 0.1.0
 * @category layers
 */
export const { config, layer, layerConfig, make } = OpenAiCompat.hosted(profile)
