/**
 * LM Studio's server on a machine of yours, on OpenAI's wire.
 *
 * How it differs: a model that is not loaded is loaded when it is asked for; `top_k` is known; reasoning is told in
 * `reasoning_content`, or in `reasoning`; of formats it knows text and schema only, so that "some JSON" is a schema of
 * any object. A token is wanted only where that is switched on.
 *
 * @see https://lmstudio.ai/docs/developer/openai-compat
 * @see https://lmstudio.ai/docs/developer/core/authentication
 * @since 0.1.0
 */
import * as OpenAiCompat from "./OpenAiCompat.js"

const anyObject = { type: "json_schema", json_schema: { name: "object", schema: { type: "object" } } }

/**
 * How LM Studio speaks OpenAI's wire.
 *
 * @since 0.1.0
 * @category profile
 */
export const profile: OpenAiCompat.Profile = {
  backend: "lmstudio",
  baseUrl: "http://127.0.0.1:1234/v1",
  baseUrlVariable: "LMSTUDIO_BASE_URL",
  keyVariable: "LM_API_TOKEN",
  topK: true,
  extraFields: ({ format }) => format?._tag === "Json" ? { response_format: anyObject } : undefined
}

/**
 * LM Studio as a service, from options or as the environment says (`LMSTUDIO_BASE_URL` with `/v1`, and `LM_API_TOKEN`,
 * as LM Studio calls it). Without a word there, the server on this machine.
 *
 * @since 0.1.0
 * @category layers
 */
export const { config, layer, layerConfig, make } = OpenAiCompat.selfHosted(profile)
