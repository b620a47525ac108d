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
