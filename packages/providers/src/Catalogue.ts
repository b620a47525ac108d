/**
 * Every backend by its name: how the environment speaks of it, and its layer. The one place that knows them all, for a
 * program that decides at run time which to use.
 *
 * @since 0.1.0
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import type * as InvalidOptions from "@spillway/core/InvalidOptions"
import type * as LlmService from "@spillway/core/LlmService"
import type * as Arr from "effect/Array"
import type * as ConfigError from "effect/ConfigError"
import type * as Layer from "effect/Layer"
import * as Anthropic from "./Anthropic.js"
import * as Gemini from "./Gemini.js"
import * as Groq from "./Groq.js"
import * as Ollama from "./Ollama.js"
import * as Opea from "./Opea.js"
import * as OpenAi from "./OpenAi.js"
import * as Tei from "./Tei.js"
import * as Tgi from "./Tgi.js"

/**
 * What the catalogue knows of a backend.
 *
 * @since 0.1.0
 * @category models
 */
export interface Entry {
  /**
   * The variables (each with its numbered kin, `…_1`) that hold the keys of a backend which nobody can use without one:
   * it is there when one of them is set. Absent where a backend can do without: it is there when its address is.
   */
  readonly keyVariables?: Arr.NonEmptyReadonlyArray<string>
  /** The variables that may hold the address, the first that is set counts. */
  readonly addressVariables: Arr.NonEmptyReadonlyArray<string>
  /** A model to ask for each operation, where nobody names one: small, cheap and likely to be there. */
  readonly models: { readonly [O in LlmService.Operation]?: string }
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
  openai: {
    keyVariables: ["OPENAI_API_KEY"],
    addressVariables: ["OPENAI_BASE_URL"],
    models: { generateText: "gpt-4o-mini", embed: "text-embedding-3-small" },
    layer: OpenAi.layerConfig
  },
  anthropic: {
    keyVariables: ["ANTHROPIC_API_KEY"],
    addressVariables: ["ANTHROPIC_BASE_URL"],
    models: { generateText: "claude-haiku-4-5" },
    layer: Anthropic.layerConfig
  },
  groq: {
    keyVariables: ["GROQ_API_KEY"],
    addressVariables: ["GROQ_BASE_URL"],
    models: { generateText: "llama-3.1-8b-instant" },
    layer: Groq.layerConfig
  },
  ollama: {
    addressVariables: ["OLLAMA_HOST"],
    models: { generateText: "llama3.2", embed: "all-minilm" },
    layer: Ollama.layerConfig
  },
  gemini: {
    keyVariables: ["GOOGLE_API_KEY", "GEMINI_API_KEY"],
    addressVariables: ["GEMINI_BASE_URL", "GOOGLE_GEMINI_BASE_URL"],
    models: { generateText: "gemini-flash-lite-latest", embed: "gemini-embedding-001" },
    layer: Gemini.layerConfig
  },
  opea: {
    addressVariables: ["OPEA_BASE_URL", "OPEA_API_ENDPOINT"],
    models: { generateText: "chatqna", embed: "BAAI/bge-base-en-v1.5", rerank: "BAAI/bge-reranker-base" },
    layer: Opea.layerConfig
  },
  tgi: {
    addressVariables: ["TGI_BASE_URL"],
    // a server answers to any name with the model that it has
    models: { generateText: "tgi" },
    layer: Tgi.layerConfig
  },
  tei: {
    addressVariables: ["TEI_BASE_URL"],
    models: { embed: "BAAI/bge-small-en-v1.5", rerank: "BAAI/bge-reranker-base" },
    layer: Tei.layerConfig
  }
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
