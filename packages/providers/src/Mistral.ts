/**
 * Mistral, on OpenAI's wire.
 *
 * How it differs: a field that it does not know is a 422, so that `seed` is `random_seed`, `dimensions` of a vector are
 * `output_dimension`, and nothing is said of the end user; usage arrives unasked; thoughts are parts of the content;
 * ids of tool calls have nine letters or digits, and those of other backends are made so.
 *
 * @see https://docs.mistral.ai/api
 * @see https://docs.mistral.ai/capabilities/reasoning
 * @since 0.1.0
 */
import * as OpenAiCompat from "./OpenAiCompat.js"

/** The same nine letters and digits for the same id. */
const toolCallId = (id: string): string => {
  if (/^[a-zA-Z0-9]{9}$/.test(id)) return id
  let hash = 0
  for (let i = 0; i < id.length; i++) hash = (hash * 31 + id.charCodeAt(i)) % 36 ** 9
  return hash.toString(36).padStart(9, "0")
}

/**
 * How Mistral speaks OpenAI's wire.
 *
 * @since 0.1.0
 * @category profile
 */
export const profile: OpenAiCompat.Profile = {
  backend: "mistral",
  baseUrl: "https://api.mistral.ai/v1",
  baseUrlVariable: "MISTRAL_BASE_URL",
  keyVariable: "MISTRAL_API_KEY",
  usageUnasked: true,
  reasoningField: "content",
  toolCallId,
  refineError: ({ type }) => type === "invalid_model" ? "ModelNotFound" : undefined,
  extraFields: ({ seed }) => ({ seed: undefined, random_seed: seed, user: undefined }),
  extraEmbeddingFields: ({ dimensions }) => ({ dimensions: undefined, output_dimension: dimensions, user: undefined })
}

/**
 * Mistral as a service, from options or as the environment says (`MISTRAL_API_KEY`, `MISTRAL_API_KEY_1` …,
 * `MISTRAL_BASE_URL`).
 *
 * @since 0.1.0
 * @category layers
 */
export const { config, layer, layerConfig, make } = OpenAiCompat.hosted(profile)
