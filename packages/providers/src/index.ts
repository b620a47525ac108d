// Written by `npm run codegen`.

/**
 * Claude by Anthropic, over its Messages API.
 *
 * @since 0.1.0
 */
export * as Anthropic from "./Anthropic.js"

/**
 * The wire of what only Claude does: counting tokens before they are spent, and what there is to know of its models.
 *
 * @since 0.1.0
 */
export * as AnthropicOwnWire from "./AnthropicOwnWire.js"

/**
 * Anthropic's wire: what the Messages API takes, said in the common words.
 *
 * @since 0.1.0
 */
export * as AnthropicWire from "./AnthropicWire.js"

/**
 * OpenAI's models on Azure, on OpenAI's wire.
 *
 * @since 0.1.0
 */
export * as AzureOpenAi from "./AzureOpenAi.js"

/**
 * Every backend by its name: how the environment speaks of it, and its layer.
 *
 * @since 0.1.0
 */
export * as Catalogue from "./Catalogue.js"

/**
 * Cerebras, on OpenAI's wire.
 *
 * @since 0.1.0
 */
export * as Cerebras from "./Cerebras.js"

/**
 * DeepSeek, on OpenAI's wire.
 *
 * @since 0.1.0
 */
export * as DeepSeek from "./DeepSeek.js"

/**
 * Fireworks, on OpenAI's wire, with embeddings and ranking of documents.
 *
 * @since 0.1.0
 */
export * as Fireworks from "./Fireworks.js"

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
 * What Groq's wire has besides OpenAI's: speech that is written down, and documents that are ranked.
 *
 * @since 0.1.0
 */
export * as GroqWire from "./GroqWire.js"

/**
 * A backend as data, and the one place that goes over the wire for all of them.
 *
 * @since 0.1.0
 */
export * as HttpBackend from "./HttpBackend.js"

/**
 * The wire of KServe's Open Inference Protocol (v2): what a model takes and gives as named tensors, and its translation into the common words.
 *
 * @since 0.1.0
 */
export * as KServeWire from "./KServeWire.js"

/**
 * llama.cpp's `llama-server` on a machine of yours, on OpenAI's wire, with embeddings and ranking of documents.
 *
 * @since 0.1.0
 */
export * as LlamaCpp from "./LlamaCpp.js"

/**
 * The generic inference server that goes by the name of LLVM: any model, any JSON, on a machine of yours.
 *
 * @since 0.1.0
 */
export * as Llvm from "./Llvm.js"

/**
 * The wire of the generic inference server that goes by the name of LLVM (and has nothing to do with the compiler): any model, any JSON.
 *
 * @since 0.1.0
 */
export * as LlvmWire from "./LlvmWire.js"

/**
 * LM Studio's server on a machine of yours, on OpenAI's wire.
 *
 * @since 0.1.0
 */
export * as LmStudio from "./LmStudio.js"

/**
 * Mistral, on OpenAI's wire.
 *
 * @since 0.1.0
 */
export * as Mistral from "./Mistral.js"

/**
 * Ollama, over its own API: models on a machine of yours, or in Ollama's cloud.
 *
 * @since 0.1.0
 */
export * as Ollama from "./Ollama.js"

/**
 * Ollama's wire for texts without a chat: what `/api/generate` takes and gives.
 *
 * @since 0.1.0
 */
export * as OllamaGenerateWire from "./OllamaGenerateWire.js"

/**
 * Ollama's wire for the models that a server has: pulled, looked at, in memory, removed; and for the server's version.
 *
 * @since 0.1.0
 */
export * as OllamaModelsWire from "./OllamaModelsWire.js"

/**
 * Ollama's own wire: what `/api/chat` and `/api/embed` take and give, and its translation into the common words.
 *
 * @since 0.1.0
 */
export * as OllamaWire from "./OllamaWire.js"

/**
 * OPEA, the Open Platform for Enterprise AI, on servers of your own: a megaservice (a whole application, such as question answering over your documents) and the component services that it is made of.
 *
 * @since 0.1.0
 */
export * as Opea from "./Opea.js"

/**
 * The wire of OPEA's component services: what reranking, retrieval and dataprep take and give.
 *
 * @since 0.1.0
 */
export * as OpeaComponentWire from "./OpeaComponentWire.js"

/**
 * OPEA's own wire: what its megaservices take and give, and its translation into the common words.
 *
 * @since 0.1.0
 */
export * as OpeaWire from "./OpeaWire.js"

/**
 * OpenAI, over its chat completions or its newer Responses.
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
 * What OpenAI's moderation takes and gives: texts and pictures, and whether and how much each is of a kind that its rules forbid.
 *
 * @since 0.1.0
 */
export * as OpenAiModerationWire from "./OpenAiModerationWire.js"

/**
 * OpenAI's newer wire: what `/responses` takes and gives, and its translation into the common words.
 *
 * @since 0.1.0
 */
export * as OpenAiResponsesWire from "./OpenAiResponsesWire.js"

/**
 * OpenAI's wire: what chat completions, embeddings and the list of models take and give, and its translation into the common words.
 *
 * @since 0.1.0
 */
export * as OpenAiWire from "./OpenAiWire.js"

/**
 * OpenRouter, on OpenAI's wire: models of many vendors under one key, with embeddings and ranking of documents.
 *
 * @since 0.1.0
 */
export * as OpenRouter from "./OpenRouter.js"

/**
 * OpenVINO Model Server, on a machine of yours: any model over tensors, and language models over OpenAI's wire.
 *
 * @since 0.1.0
 */
export * as Ovms from "./Ovms.js"

/**
 * What of OpenVINO Model Server's wire is neither OpenAI's, KServe's nor TensorFlow Serving's: more to say of how a text is generated, tokens, and its configuration.
 *
 * @since 0.1.0
 */
export * as OvmsWire from "./OvmsWire.js"

/**
 * The rerank wire that Jina and Cohere began and many have copied (vLLM, llama.cpp, Together, Fireworks, OpenRouter), and its translation into the common words.
 *
 * @since 0.1.0
 */
export * as RerankWire from "./RerankWire.js"

/**
 * S3: objects in buckets, at Amazon or at any server that speaks as Amazon does (MinIO, Ceph, R2, Swift …), at one endpoint or at several.
 *
 * @since 0.1.0
 */
export * as S3 from "./S3.js"

/**
 * Hugging Face's Text Embeddings Inference: a server of one model, which embeds, ranks or classifies texts.
 *
 * @since 0.1.0
 */
export * as Tei from "./Tei.js"

/**
 * What TEI's routes can be asked for, and what they answer, where the common words have no word for it.
 *
 * @since 0.1.0
 */
export * as TeiWire from "./TeiWire.js"

/**
 * OpenAI's older wire: a text that goes on from a prompt, without roles and without a chat template.
 *
 * @since 0.1.0
 */
export * as TextCompletionsWire from "./TextCompletionsWire.js"

/**
 * TensorFlow Serving's wire (v1), as OpenVINO Model Server speaks it: predictions from instances or inputs in JSON, and the state of each version of each model.
 *
 * @since 0.1.0
 */
export * as TfServingWire from "./TfServingWire.js"

/**
 * Hugging Face's Text Generation Inference: a server of one model on a machine of yours or behind an Inference Endpoint, and Hugging Face's router, which finds somebody to serve a model.
 *
 * @since 0.1.0
 */
export * as Tgi from "./Tgi.js"

/**
 * What TGI's own routes can be asked for, and what they answer, where the common words have no word for it.
 *
 * @since 0.1.0
 */
export * as TgiWire from "./TgiWire.js"

/**
 * Together, on OpenAI's wire, with embeddings and ranking of documents.
 *
 * @since 0.1.0
 */
export * as Together from "./Together.js"

/**
 * vLLM: a server of one model, and of adapters to it, on a machine of yours.
 *
 * @since 0.1.0
 */
export * as Vllm from "./Vllm.js"

/**
 * What vLLM has for a model that pools: vectors, scores, classes, or whatever else it makes of a text, and the further fields of such requests.
 *
 * @since 0.1.0
 */
export * as VllmPoolingWire from "./VllmPoolingWire.js"

/**
 * What vLLM has beyond OpenAI's wire for a model that generates: the further fields of its requests, and tokens of a text.
 *
 * @since 0.1.0
 */
export * as VllmWire from "./VllmWire.js"

/**
 * xAI (Grok), on OpenAI's wire.
 *
 * @since 0.1.0
 */
export * as Xai from "./Xai.js"
