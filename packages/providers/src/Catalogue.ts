/**
 * Every backend by its name: how the environment speaks of it, and its layer. The one place that knows them all, for a
 * program that decides at run time which to use.
 *
 * @since 0.1.0
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import type * as InvalidOptions from "@spillway/core/InvalidOptions"
import type * as LlmService from "@spillway/core/LlmService"
import type * as ConfigError from "effect/ConfigError"
import type * as Layer from "effect/Layer"
import * as Anthropic from "./Anthropic.js"
import * as Groq from "./Groq.js"
import * as Ollama from "./Ollama.js"
import * as OpenAi from "./OpenAi.js"

/**
 * What the catalogue knows of a backend.
 *
 * @since 0.1.0
 * @category models
 */
export interface Entry {
  /** The variable (and its numbered kin, `…_1`) that holds a key; absent where no key is needed. */
  readonly keyVariable?: string
  /** The variable that holds the address. */
  readonly addressVariable: string
  /** The backend as the environment says. */
  readonly layer: Layer.Layer<
    LlmService.LlmService,
    ConfigError.ConfigError | InvalidOptions.InvalidOptions,
    HttpClient.HttpClient
  >
}

/**
 * The backends.
 *
 * @since 0.1.0
 * @category catalogue
 */
export const backends = {
  openai: { keyVariable: "OPENAI_API_KEY", addressVariable: "OPENAI_BASE_URL", layer: OpenAi.layerConfig },
  anthropic: { keyVariable: "ANTHROPIC_API_KEY", addressVariable: "ANTHROPIC_BASE_URL", layer: Anthropic.layerConfig },
  groq: { keyVariable: "GROQ_API_KEY", addressVariable: "GROQ_BASE_URL", layer: Groq.layerConfig },
  ollama: { addressVariable: "OLLAMA_HOST", layer: Ollama.layerConfig }
} as const satisfies { readonly [backend: string]: Entry }

/**
 * The name of a backend in the catalogue.
 *
 * @since 0.1.0
 * @category models
 */
export type Name = keyof typeof backends

/**
 * The names, in the order in which they are listed.
 *
 * @since 0.1.0
 * @category catalogue
 */
export const names: ReadonlyArray<Name> = Object.keys(backends) as ReadonlyArray<Name> // `keyof` of the object above
