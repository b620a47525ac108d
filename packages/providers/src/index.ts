// Written by `npm run codegen`.

/**
 * Claude by Anthropic, over its Messages API.
 *
 * @since 0.1.0
 */
export * as Anthropic from "./Anthropic.js"

/**
 * Anthropic's wire: what the Messages API takes and gives, and its translation into the common words.
 *
 * @since 0.1.0
 */
export * as AnthropicWire from "./AnthropicWire.js"

/**
 * Every backend by its name: how the environment speaks of it, and its layer.
 *
 * @since 0.1.0
 */
export * as Catalogue from "./Catalogue.js"

/**
 * Gemini by Google, over its own API (`generateContent`).
 *
 * @since 0.1.0
 */
export * as Gemini from "./Gemini.js"

/**
 * What Gemini keeps for later requests: the beginning of a conversation (system messages, files, tools), paid for by the hour, and then for less than if it were sent again.
 *
 * @since 0.1.0
 */
export * as GeminiCacheWire from "./GeminiCacheWire.js"

/**
 * What only Gemini does on its wire, besides caches (`GeminiCacheWire`): it counts the tokens of a prompt, embeds contents that are more than text, and says of its models what can be asked of them.
 *
 * @since 0.1.0
 */
export * as GeminiOwnWire from "./GeminiOwnWire.js"

/**
 * Gemini's wire: what `generateContent` and its kin take and give, and its translation into the common words.
 *
 * @since 0.1.0
 */
export * as GeminiWire from "./GeminiWire.js"

/**
 * Groq, on OpenAI's wire.
 *
 * @since 0.1.0
 */
export * as Groq from "./Groq.js"

/**
 * A backend as data, and the one place that goes over the wire for all of them.
 *
 * @since 0.1.0
 */
export * as HttpBackend from "./HttpBackend.js"

/**
 * Ollama, over its own API: models on a machine of yours, or in Ollama's cloud.
 *
 * @since 0.1.0
 */
export * as Ollama from "./Ollama.js"

/**
 * Ollama's own wire: what `/api/chat` and `/api/embed` take and give, and its translation into the common words.
 *
 * @since 0.1.0
 */
export * as OllamaWire from "./OllamaWire.js"

/**
 * OpenAI, over its chat completions.
 *
 * @since 0.1.0
 */
export * as OpenAi from "./OpenAi.js"

/**
 * Whatever speaks OpenAI's wire, from a profile of a few lines: how its dialect differs, where it is, and which variables name its address and its keys.
 *
 * @since 0.1.0
 */
export * as OpenAiCompat from "./OpenAiCompat.js"

/**
 * OpenAI's wire: what chat completions, embeddings and the list of models take and give, and its translation into the common words.
 *
 * @since 0.1.0
 */
export * as OpenAiWire from "./OpenAiWire.js"
