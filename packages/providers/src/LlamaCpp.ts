/**
 * llama.cpp's `llama-server` on a machine of yours, on OpenAI's wire, with embeddings and ranking of documents.
 *
 * How it differs: it serves the model that it was started with, whatever name is asked for; `top_k` is known; reasoning
 * is told in `reasoning_content`; while it loads its model it is a 503; an operation for which it was not started
 * (`--embeddings`, `--reranking`) is a 501. A key is wanted only if it was started with one.
 *
 * @see https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md
 * @since 0.1.0
 */
import * as OpenAiCompat from "./OpenAiCompat.js"

/**
 * How llama.cpp speaks OpenAI's wire.
 *
 * @since 0.1.0
 * @category profile
 */
export const profile: OpenAiCompat.Profile = {
  backend: "llamacpp",
  baseUrl: "http://127.0.0.1:8080",
  baseUrlVariable: "LLAMACPP_BASE_URL",
  keyVariable: "LLAMA_API_KEY",
  path: "/v1",
  operations: ["generateText", "streamText", "embed", "rerank", "listModels", "health"],
  healthPath: "/health",
  topK: true,
  files: "audio",
  reasoningField: "reasoning_content"
}

/**
 * llama.cpp as a service, from options or as the environment says (`LLAMACPP_BASE_URL` without `/v1`, and
 * `LLAMA_API_KEY`, from which the server itself takes its key). Without a word there, the server on this machine.
 *
 * @since 0.1.0
 * @category layers
 */
export const { config, layer, layerConfig, make } = OpenAiCompat.selfHosted(profile)
