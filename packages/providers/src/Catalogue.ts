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
import * as AzureOpenAi from "./AzureOpenAi.js"
import * as Cerebras from "./Cerebras.js"
import * as DeepSeek from "./DeepSeek.js"
import * as Fireworks from "./Fireworks.js"
import * as Gemini from "./Gemini.js"
import * as Groq from "./Groq.js"
import * as LlamaCpp from "./LlamaCpp.js"
import * as Llvm from "./Llvm.js"
import * as LmStudio from "./LmStudio.js"
import * as Mistral from "./Mistral.js"
import * as Ollama from "./Ollama.js"
import * as Opea from "./Opea.js"
import * as OpenAi from "./OpenAi.js"
import * as OpenRouter from "./OpenRouter.js"
import * as Ovms from "./Ovms.js"
import * as S3 from "./S3.js"
import * as Tei from "./Tei.js"
import * as Tgi from "./Tgi.js"
import * as Together from "./Together.js"
import * as Vllm from "./Vllm.js"
import * as Xai from "./Xai.js"

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
  /** The variables that hold the keys of a backend which may or may not want one. */
  readonly optionalKeyVariables?: Arr.NonEmptyReadonlyArray<string>
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
    optionalKeyVariables: ["OPEA_API_KEY"],
    addressVariables: ["OPEA_BASE_URL", "OPEA_API_ENDPOINT"],
    models: { generateText: "chatqna", embed: "BAAI/bge-base-en-v1.5", rerank: "BAAI/bge-reranker-base" },
    layer: Opea.layerConfig
  },
  tgi: {
    optionalKeyVariables: ["HF_API_TOKEN", "HF_TOKEN"],
    addressVariables: ["TGI_BASE_URL"],
    // a server answers to any name with the model that it has
    models: { generateText: "tgi" },
    layer: Tgi.layerConfig
  },
  tei: {
    optionalKeyVariables: ["HF_API_TOKEN", "HF_TOKEN"],
    addressVariables: ["TEI_BASE_URL"],
    models: { embed: "BAAI/bge-small-en-v1.5", rerank: "BAAI/bge-reranker-base" },
    layer: Tei.layerConfig
  },
  vllm: {
    optionalKeyVariables: ["VLLM_API_KEY"],
    addressVariables: ["VLLM_BASE_URL", "VLLM_API_URL"],
    models: {
      generateText: "Qwen/Qwen2.5-1.5B-Instruct",
      embed: "BAAI/bge-m3",
      rerank: "BAAI/bge-reranker-v2-m3"
    },
    layer: Vllm.layerConfig
  },
  ovms: {
    optionalKeyVariables: ["OVMS_API_KEY"],
    addressVariables: ["OVMS_BASE_URL", "OVMS_API_URL"],
    models: {
      generateText: "OpenVINO/Qwen3-8B-int4-ov",
      embed: "OpenVINO/bge-base-en-v1.5-fp16-ov",
      rerank: "OpenVINO/bge-reranker-base-fp16-ov"
    },
    layer: Ovms.layerConfig
  },
  llvm: {
    optionalKeyVariables: ["LLVM_API_KEY"],
    addressVariables: ["LLVM_BASE_URL", "LLVM_API_URL"],
    models: { infer: "bert-base" },
    layer: Llvm.layerConfig
  },
  s3: {
    keyVariables: ["S3_ACCESS_KEY"],
    addressVariables: ["S3_ENDPOINT", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"],
    models: {},
    layer: S3.layerConfig
  },
  xai: {
    keyVariables: ["XAI_API_KEY"],
    addressVariables: ["XAI_BASE_URL"],
    models: { generateText: "grok-4-1-fast-non-reasoning" },
    layer: Xai.layerConfig
  },
  mistral: {
    keyVariables: ["MISTRAL_API_KEY"],
    addressVariables: ["MISTRAL_BASE_URL"],
    models: { generateText: "mistral-small-latest", embed: "mistral-embed" },
    layer: Mistral.layerConfig
  },
  deepseek: {
    keyVariables: ["DEEPSEEK_API_KEY"],
    addressVariables: ["DEEPSEEK_BASE_URL"],
    models: { generateText: "deepseek-chat" },
    layer: DeepSeek.layerConfig
  },
  together: {
    keyVariables: ["TOGETHER_API_KEY"],
    addressVariables: ["TOGETHER_BASE_URL"],
    models: { generateText: "openai/gpt-oss-20b", embed: "intfloat/multilingual-e5-large-instruct" },
    layer: Together.layerConfig
  },
  fireworks: {
    keyVariables: ["FIREWORKS_API_KEY"],
    addressVariables: ["FIREWORKS_BASE_URL"],
    models: {
      generateText: "accounts/fireworks/models/gpt-oss-20b",
      embed: "nomic-ai/nomic-embed-text-v1.5",
      rerank: "fireworks/qwen3-reranker-8b"
    },
    layer: Fireworks.layerConfig
  },
  openrouter: {
    keyVariables: ["OPENROUTER_API_KEY"],
    addressVariables: ["OPENROUTER_BASE_URL"],
    models: { generateText: "openai/gpt-4o-mini", embed: "openai/text-embedding-3-small" },
    layer: OpenRouter.layerConfig
  },
  cerebras: {
    keyVariables: ["CEREBRAS_API_KEY"],
    addressVariables: ["CEREBRAS_BASE_URL"],
    models: { generateText: "llama3.1-8b" },
    layer: Cerebras.layerConfig
  },
  azure: {
    keyVariables: ["AZURE_OPENAI_API_KEY"],
    addressVariables: ["AZURE_OPENAI_ENDPOINT"],
    // deployments, which mostly are called as their models are
    models: { generateText: "gpt-4o-mini", embed: "text-embedding-3-small" },
    layer: AzureOpenAi.layerConfig
  },
  llamacpp: {
    optionalKeyVariables: ["LLAMA_API_KEY"],
    addressVariables: ["LLAMACPP_BASE_URL"],
    // a server answers to any name with the model that it has
    models: { generateText: "default" },
    layer: LlamaCpp.layerConfig
  },
  lmstudio: {
    optionalKeyVariables: ["LM_API_TOKEN"],
    addressVariables: ["LMSTUDIO_BASE_URL"],
    models: { generateText: "openai/gpt-oss-20b", embed: "text-embedding-nomic-embed-text-v1.5" },
    layer: LmStudio.layerConfig
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
