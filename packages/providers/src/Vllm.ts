/**
 * vLLM: a server of one model, and of adapters to it, on a machine of yours.
 *
 * How it differs: it speaks OpenAI's wire, with fields of its own (`providerOptions.vllm`), and has routes of its own
 * (`Vllm`); which of them are there depends on the model (one generates, or embeds, or scores), and what is not there
 * is `Unsupported`. A key is wanted only where the server was started with one; without one, a 429 rests the whole
 * server. Errors name no code but the status; a prompt that is too long is a 400, streamed or not.
 *
 * **A key protects what lies under `/v1` and `/v2`, and nothing else**: whoever reaches a "protected" server may
 * tokenize, score, rank and pool on it, and read its load and its metrics. Let nobody but your own programs reach it.
 *
 * @see https://docs.vllm.ai/en/latest/serving/online_serving/
 * @see https://docs.vllm.ai/en/latest/usage/security/
 * @since 0.1.0
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import type * as InvalidOptions from "@spillway/core/InvalidOptions"
import type * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Protection from "@spillway/core/Protection"
import type * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as HttpBackend from "./HttpBackend.js"
import * as Json from "./internal/json.js"
import * as SelfHosted from "./internal/selfHosted.js"
import * as VllmErrors from "./internal/vllmErrors.js"
import * as Operations from "./internal/vllmOperations.js"
import * as OpenAiCompat from "./OpenAiCompat.js"
import * as RerankWire from "./RerankWire.js"
import * as VllmPoolingWire from "./VllmPoolingWire.js"
import * as VllmWire from "./VllmWire.js"

/**
 * What there is to set.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends SelfHosted.Options {
  /** The address, with or without `/v1`. @default "http://127.0.0.1:8000" */
  readonly baseUrl?: string
  /** Whether the server is older than 0.12, and knows `structuredOutputs` as `guided_json` and so on. @default false */
  readonly guided?: boolean
}

// -----------------------------------------------------------------------------
// what is only its own
// -----------------------------------------------------------------------------

/**
 * What vLLM does that no other backend does. What the server was not started for is `Unsupported`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** The tokens of a text, or of a chat as the model's template writes it. */
  readonly tokenize: (request: VllmWire.TokenizeRequest) => Effect.Effect<VllmWire.Tokens, LlmError.LlmError>
  /** The text of tokens. */
  readonly detokenize: (request: VllmWire.DetokenizeRequest) => Effect.Effect<string, LlmError.LlmError>
  /** How near texts are to each other. */
  readonly score: (
    request: VllmPoolingWire.ScoreRequest
  ) => Effect.Effect<VllmPoolingWire.Scores, LlmError.LlmError>
  /** The classes of texts. */
  readonly classify: (
    request: VllmPoolingWire.PoolingRequest
  ) => Effect.Effect<VllmPoolingWire.Classes, LlmError.LlmError>
  /** What the model pools for texts. */
  readonly pooling: (
    request: VllmPoolingWire.PoolingRequest
  ) => Effect.Effect<VllmPoolingWire.Pooled, LlmError.LlmError>
  /** How busy the server is, from `/metrics` and `/load`. */
  readonly load: Effect.Effect<VllmWire.Load, LlmError.LlmError>
  /** Makes an adapter a model that can be asked. */
  readonly loadLora: (lora: VllmWire.Lora) => Effect.Effect<void, LlmError.LlmError>
  /** Takes an adapter away; one that is not there is `NotFound`. */
  readonly unloadLora: (name: string) => Effect.Effect<void, LlmError.LlmError>
  /** The server's version. */
  readonly version: Effect.Effect<string, LlmError.LlmError>
}

/**
 * The tag under which a program finds what is only vLLM's.
 *
 * @since 0.1.0
 * @category tags
 */
export class Vllm extends Context.Tag("@spillway/providers/Vllm")<Vllm, Service>() {}

/**
 * A server by both its services.
 *
 * @since 0.1.0
 * @category models
 */
export interface Backend {
  readonly llm: LlmService.Service
  readonly vllm: Service
}

// -----------------------------------------------------------------------------
// the wire
// -----------------------------------------------------------------------------

/**
 * How vLLM speaks OpenAI's wire; `guided` is for a server from before 0.12.
 *
 * @since 0.1.0
 * @category profile
 */
export const profile = (guided = false): OpenAiCompat.Profile => ({
  backend: "vllm",
  baseUrl: "http://127.0.0.1:8000",
  baseUrlVariable: "VLLM_BASE_URL",
  keyVariable: "VLLM_API_KEY",
  path: "/v1",
  operations: ["generateText", "streamText", "embed", "rerank", "listModels", "health"],
  healthPath: "/health",
  topK: true,
  files: "audio",
  reasoningField: "reasoning",
  reasoningEfforts: { minimal: "low" },
  extraFields: ({ providerOptions }) => VllmWire.toFields(providerOptions?.vllm, guided),
  extraEmbeddingFields: ({ providerOptions }) =>
    VllmPoolingWire.toPoolingFields(providerOptions?.vllm, "normalize"),
  refineError: VllmErrors.refine
})

const definition = (guided: boolean, options: Pick<Options, "baseUrl" | "headers">): HttpBackend.Definition => ({
  ...OpenAiCompat.toDefinition(profile(guided), options),
  rerank: {
    request: (request) =>
      Either.right({
        method: "POST",
        path: "/rerank",
        body: { ...RerankWire.toBody(request), ...VllmPoolingWire.toPoolingFields(request.providerOptions?.vllm) }
      }),
    response: RerankWire.toRanking
  }
})

const serve = (unprotected: HttpBackend.Exchanges, { run, whole }: HttpBackend.Protected): Service => ({
  tokenize: (request) => run("tokenize", Operations.tokenize(profile()), request, request.model),
  detokenize: (request) => run("detokenize", Operations.detokenize, request, request.model),
  score: (request) => run("score", Operations.score, request, request.model, ({ usage }) => usage),
  classify: (request) => run("classify", Operations.classify, request, request.model, ({ usage }) => usage),
  pooling: (request) => run("pooling", Operations.pooling, request, request.model, ({ usage }) => usage),
  load: whole("load", "", load(unprotected)),
  loadLora: (lora) => run("loadLora", Operations.loadLora, lora, ""),
  unloadLora: (name) => run("unloadLora", Operations.unloadLora, name, ""),
  version: run("version", Operations.version, undefined, "")
})

const load = ({ run }: HttpBackend.Exchanges): Service["load"] =>
  Effect.zipWith(
    run("load", Operations.metrics, undefined, ""),
    // a server from before 0.8 has no such route
    Effect.catchTag(run("load", Operations.inFlight, undefined, ""), "Unsupported", () => Effect.succeed(undefined)),
    (load, inFlight) => Json.defined({ ...load, inFlight }),
    { concurrent: true }
  )

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * A server by both its services; without options, the one on this machine. Its keys, if it has any, are watched by the
 * monitor until the scope closes.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  { guided = false, http, ...options }: Options = {}
): Effect.Effect<Backend, InvalidOptions.InvalidOptions, HttpClient.HttpClient | Scope.Scope> => {
  const { backend, baseUrl: local } = profile()
  const baseUrl = (options.baseUrl ?? local).replace(/\/v1\/*$/, "")
  return Effect.flatMap(SelfHosted.pool(backend, options), (pool) =>
    Effect.map(HttpBackend.make(definition(guided, { ...options, baseUrl }), pool, http), (made) => ({
      llm: made.service,
      vllm: Protection.own(backend, (protection) => serve(made, made.within(protection)))
    })))
}

// -----------------------------------------------------------------------------
// layers
// -----------------------------------------------------------------------------

/**
 * A server, from options; without any, the one on this machine.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: Options = {}
): Layer.Layer<LlmService.LlmService | Vllm, InvalidOptions.InvalidOptions, HttpClient.HttpClient> =>
  Layer.scopedContext(
    Effect.map(make(options), ({ llm, vllm }) =>
      Context.make(LlmService.LlmService, llm).pipe(Context.add(Vllm, vllm)))
  )

/**
 * What the environment says: `VLLM_BASE_URL` (or `VLLM_API_URL`), with or without `/v1`, and the keys of
 * `VLLM_API_KEY`, `VLLM_API_KEY_1` …, if there are any.
 *
 * @since 0.1.0
 * @category config
 */
export const config: Config.Config<Options> = SelfHosted.config({
  address: ["VLLM_BASE_URL", "VLLM_API_URL"],
  baseUrl: profile().baseUrl,
  keys: ["VLLM_API_KEY"]
})

/**
 * A server, as the environment says; without a word there, the one on this machine.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig: Layer.Layer<
  LlmService.LlmService | Vllm,
  ConfigError.ConfigError | InvalidOptions.InvalidOptions,
  HttpClient.HttpClient
> = Layer.unwrapEffect(Effect.map(config, layer))
