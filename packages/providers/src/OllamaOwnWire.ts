/**
 * The wire of what only Ollama does: texts without a chat, and the models that a server has: pulled, looked at, loaded,
 * removed.
 *
 * @see https://docs.ollama.com/api/generate
 * @see https://docs.ollama.com/api/pull
 * @since 0.1.0
 */
import type * as Completion from "@spillway/core/Completion"
import * as Either from "effect/Either"
import * as HttpBackend from "./HttpBackend.js"
import * as Json from "./internal/json.js"
import * as OllamaWire from "./OllamaWire.js"

const post = (path: string, body: object) => Either.right<HttpBackend.Outgoing>({ method: "POST", path, body })

// -----------------------------------------------------------------------------
// generate
// -----------------------------------------------------------------------------

/**
 * A text to go on from. Fields of the common words mean what they mean there.
 *
 * @since 0.1.0
 * @category models
 */
export interface GenerateRequest extends
  OllamaWire.RequestOptions,
  Pick<
    Completion.Request,
    | "model"
    | "maxTokens"
    | "temperature"
    | "topP"
    | "topK"
    | "stop"
    | "seed"
    | "presencePenalty"
    | "frequencyPenalty"
    | "format"
  >
{
  /** Left out, nothing is generated: the model is loaded, or unloaded with `keepAlive: 0`. */
  readonly prompt?: string
  /** What comes after the answer, for models that fill in the middle. */
  readonly suffix?: string
  /** Standing instructions. @default those of the model */
  readonly system?: string
  /** Pictures as base64. */
  readonly images?: ReadonlyArray<string>
  /** Whether the prompt is taken as it is, without the model's template. @default false (the server's) */
  readonly raw?: boolean
}

/**
 * A text that was generated.
 *
 * @since 0.1.0
 * @category models
 */
export interface Generation {
  readonly model: string
  readonly text: string
  /** What the model thought before; empty where it did not, or did not tell. */
  readonly reasoning: string
  readonly finishReason: Completion.FinishReason
  readonly usage: Completion.Usage
}

/**
 * A piece of a text that is generated; `Done` comes last.
 *
 * @since 0.1.0
 * @category models
 */
export type GenerationPart =
  | { readonly _tag: "Reasoning"; readonly text: string }
  | { readonly _tag: "Text"; readonly text: string }
  | {
    readonly _tag: "Done"
    readonly model: string
    readonly finishReason: Completion.FinishReason
    readonly usage: Completion.Usage
  }

const toGenerateBody = (request: GenerateRequest, stream: boolean) => {
  const { format, images, keepAlive, model, numCtx, prompt, raw, suffix, system, think, ...sampling } = request
  return post("/api/generate", {
    model,
    prompt,
    suffix,
    system,
    images,
    raw,
    stream,
    think,
    format: OllamaWire.toFormat(format),
    options: OllamaWire.toOptions(sampling, numCtx),
    keep_alive: keepAlive
  })
}

const toEnd = (body: unknown, exchange: HttpBackend.Exchange<GenerateRequest>) => ({
  model: Json.name(Json.get(body, "model")) ?? exchange.model,
  finishReason: OllamaWire.toFinishReason(Json.get(body, "done_reason"), 0),
  usage: OllamaWire.toUsage(body)
})

/**
 * A whole text.
 *
 * @since 0.1.0
 * @category operations
 */
export const generate: HttpBackend.Operation<GenerateRequest, Generation> = {
  request: (request) => toGenerateBody(request, false),
  response: (body, exchange) => {
    if (Json.get(body, "error") !== undefined) return Either.left(exchange.failure(body))
    const text = Json.string(Json.get(body, "response"))
    return text === undefined
      ? Either.left(exchange.malformed("a generation without response"))
      : Either.right({ ...toEnd(body, exchange), text, reasoning: Json.string(Json.get(body, "thinking")) ?? "" })
  }
}

/**
 * A text in pieces, up to the line that says it is done.
 *
 * @since 0.1.0
 * @category operations
 */
export const generateStream: HttpBackend.Streaming<GenerateRequest, GenerationPart> = {
  request: (request) => toGenerateBody(request, true),
  framing: "ndjson",
  reader: (exchange) => ({
    frame(frame, out) {
      const line = Json.parse(frame.data)
      if (!Json.isObject(line)) return exchange.malformed("a line that is not JSON")
      if (line["error"] !== undefined) return exchange.failure(line)
      const reasoning = Json.name(line["thinking"])
      if (reasoning !== undefined) out.push({ _tag: "Reasoning", text: reasoning })
      const text = Json.name(line["response"])
      if (text !== undefined) out.push({ _tag: "Text", text })
      if (line["done"] !== true) return undefined
      const end = toEnd(line, exchange)
      out.push({ _tag: "Done", ...end })
      return HttpBackend.ended(end.usage)
    }
  })
}

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * What there is to know of a model that the server has; what an older one does not tell is absent.
 *
 * @since 0.1.0
 * @category models
 */
export interface ModelDetails {
  readonly family?: string
  /** How many parameters, in words: `8.0B`. */
  readonly parameterSize?: string
  /** How they are stored: `Q4_K_M`. */
  readonly quantization?: string
  /** What it can do: `completion`, `embedding`, `tools`, `vision`, `thinking`, `insert`. */
  readonly capabilities?: ReadonlySet<string>
  /** Most tokens of prompt and answer together that the model knows; the server may load it with fewer. */
  readonly contextWindow?: number
  /** Length of its vectors. */
  readonly dimensions?: number
  readonly template?: string
  readonly license?: string
  /** What its file says of it (`general.architecture` …), as it is. */
  readonly info: Readonly<Record<string, unknown>>
}

/**
 * What there is to know of the model of that name.
 *
 * @since 0.1.0
 * @category operations
 */
export const show: HttpBackend.Operation<string, ModelDetails> = {
  request: (model) => post("/api/show", { model }),
  response: (body, exchange) => {
    if (!Json.isObject(body) || (body["details"] === undefined && body["model_info"] === undefined)) {
      return Either.left(exchange.malformed("a model without details"))
    }
    const info = Json.isObject(body["model_info"]) ? body["model_info"] : {}
    const architecture = Json.string(info["general.architecture"]) ?? ""
    const capabilities = body["capabilities"]
    return Either.right({
      ...Json.defined({
        family: Json.name(Json.get2(body, "details", "family")),
        parameterSize: Json.name(Json.get2(body, "details", "parameter_size")),
        quantization: Json.name(Json.get2(body, "details", "quantization_level")),
        capabilities: Array.isArray(capabilities)
          ? new Set(capabilities.filter((name): name is string => typeof name === "string"))
          : undefined,
        contextWindow: Json.count(info[`${architecture}.context_length`]),
        dimensions: Json.count(info[`${architecture}.embedding_length`]),
        template: Json.name(body["template"]),
        license: Json.name(body["license"])
      }),
      info
    })
  }
}

/**
 * A model in memory.
 *
 * @since 0.1.0
 * @category models
 */
export interface RunningModel {
  readonly id: string
  /** Bytes in all, and those of them in the memory of a graphics card. */
  readonly size?: number
  readonly sizeVram?: number
  /** When it leaves memory unless it is asked again, in seconds since 1970. */
  readonly expires?: number
  /** Tokens of context it was loaded with. */
  readonly contextLength?: number
}

/**
 * The models in memory.
 *
 * @since 0.1.0
 * @category operations
 */
export const running: HttpBackend.Operation<void, ReadonlyArray<RunningModel>> = {
  request: () => Either.right({ method: "GET", path: "/api/ps" }),
  response: (body, exchange) => {
    const models = Json.get(body, "models")
    return Array.isArray(models)
      ? Either.right(models.flatMap(toRunning))
      : Either.left(exchange.malformed("a list of running models without models"))
  }
}

const toRunning = (model: unknown): ReadonlyArray<RunningModel> => {
  const id = Json.name(Json.get(model, "model")) ?? Json.name(Json.get(model, "name"))
  if (id === undefined) return []
  const expires = Math.floor(Date.parse(Json.string(Json.get(model, "expires_at")) ?? "") / 1000)
  return [Json.defined({
    id,
    size: Json.count(Json.get(model, "size")),
    sizeVram: Json.count(Json.get(model, "size_vram")),
    expires: Json.count(expires),
    contextLength: Json.count(Json.get(model, "context_length"))
  })]
}

/**
 * A model to be pulled.
 *
 * @since 0.1.0
 * @category models
 */
export interface PullRequest {
  readonly model: string
  /** Whether the registry may be spoken to without a certificate that is good. @default false (the server's) */
  readonly insecure?: boolean
}

/**
 * How far a pull has come. Bytes are those of one layer, which `digest` names; `success` is the last status.
 *
 * @since 0.1.0
 * @category models
 */
export interface PullProgress {
  readonly status: string
  readonly digest?: string
  readonly total?: number
  readonly completed?: number
}

/**
 * Pulls a model, and tells how far it has come; whole when its status is `success`.
 *
 * @since 0.1.0
 * @category operations
 */
export const pull: HttpBackend.Streaming<PullRequest, PullProgress> = {
  request: ({ insecure, model }) => post("/api/pull", { model, insecure, stream: true }),
  framing: "ndjson",
  reader: (exchange) => ({
    frame(frame, out) {
      const line = Json.parse(frame.data)
      if (!Json.isObject(line)) return exchange.malformed("a line that is not JSON")
      if (line["error"] !== undefined) return exchange.failure(line)
      const status = Json.string(line["status"])
      if (status === undefined) return undefined
      out.push(Json.defined({
        status,
        digest: Json.name(line["digest"]),
        total: Json.count(line["total"]),
        completed: Json.count(line["completed"])
      }))
      return status === "success" ? HttpBackend.ended({}) : undefined
    }
  })
}

/**
 * Removes a model from the server's disk.
 *
 * @since 0.1.0
 * @category operations
 */
export const remove: HttpBackend.Operation<string, void> = {
  request: (model) => Either.right({ method: "DELETE", path: "/api/delete", body: { model } }),
  reads: "text",
  response: () => Either.void
}

/**
 * The server's version.
 *
 * @since 0.1.0
 * @category operations
 */
export const version: HttpBackend.Operation<void, string> = {
  request: () => Either.right({ method: "GET", path: "/api/version" }),
  response: (body, exchange) => {
    const version = Json.name(Json.get(body, "version"))
    return version === undefined ? Either.left(exchange.malformed("a version without version")) : Either.right(version)
  }
}
