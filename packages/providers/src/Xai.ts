/**
 * xAI (Grok), on OpenAI's wire.
 *
 * How it differs: reasoning is told in `reasoning_content`, and counted apart from the answer; an unknown key is a 400;
 * credits that are used up are a 429 or a 403 like any other, told apart by their words, as is content that its checks
 * refuse. Its reasoning models refuse `stop` and the penalties.
 *
 * @see https://docs.x.ai/docs/api-reference
 * @see https://docs.x.ai/docs/key-information/debugging
 * @since 0.1.0
 */
import * as OpenAiCompat from "./OpenAiCompat.js"

/**
 * How xAI speaks OpenAI's wire.
 *
 * @since 0.1.0
 * @category profile
 */
export const profile: OpenAiCompat.Profile = {
  backend: "xai",
  baseUrl: "https://api.x.ai/v1",
  baseUrlVariable: "XAI_BASE_URL",
  keyVariable: "XAI_API_KEY",
  maxTokensField: "max_completion_tokens",
  reasoningEfforts: { minimal: "low" },
  refineError: ({ message, status }) =>
    /violates usage guidelines|failed check/i.test(message)
      ? "ContentFiltered"
      : status !== 400 && /\bcredits\b|spending limit/i.test(message)
      ? "QuotaExhausted"
      : status === 400 && /incorrect api key/i.test(message)
      ? "AuthenticationFailed"
      : undefined
}

/**
 * xAI as a service, from options or as the environment says (`XAI_API_KEY`, `XAI_API_KEY_1` …, `XAI_BASE_URL`).
 *
 * @since 0.1.0
 * @category layers
 */
export const { config, layer, layerConfig, make } = OpenAiCompat.hosted(profile)
