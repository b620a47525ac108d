/**
 * Ollama's wire for the models that a server has: pulled, looked at, in memory, removed; and for the server's version.
 *
 * @see https://docs.ollama.com/api/pull
 * @see https://docs.ollama.com/api/ps
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as HttpBackend from "./HttpBackend.js"
import * as Json from "./internal/json.js"
import * as OllamaLines from "./internal/ollamaLines.js"

const post = (path: string, body: object) => Either.right<HttpBackend.Outgoing>({ method: "POST", path, body })

/**
 * What there is to know of a model that the server has; what an older one does not tell is absent.
 *
 * @since 0.1.0
 * @category models
 */
export interface Details {
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
export const show: HttpBackend.Operation<string, Details> = {
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
export interface Running {
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
export const running: HttpBackend.Operation<void, ReadonlyArray<Running>> = {
  request: () => Either.right({ method: "GET", path: "/api/ps" }),
  response: (body, exchange) => {
    const models = Json.get(body, "models")
    return Array.isArray(models)
      ? Either.right(models.flatMap(toRunning))
      : Either.left(exchange.malformed("a list of running models without models"))
  }
}

const toRunning = (model: unknown): ReadonlyArray<Running> => {
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
export interface Progress {
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
export const pull: HttpBackend.Streaming<PullRequest, Progress> = {
  request: ({ insecure, model }) => post("/api/pull", { model, insecure, stream: true }),
  framing: "ndjson",
  reader: (exchange) =>
    OllamaLines.reader(exchange, (line, out) => {
      const status = Json.string(line["status"])
      if (status === undefined) return undefined
      out.push(Json.defined({
        status,
        digest: Json.name(line["digest"]),
        total: Json.count(line["total"]),
        completed: Json.count(line["completed"])
      }))
      return status === "success" ? HttpBackend.ended({}) : undefined
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
