/**
 * Hugging Face's Text Generation Inference: a server of one model on a machine of yours or behind an Inference
 * Endpoint, and Hugging Face's router, which finds somebody to serve a model.
 *
 * How it differs: chat goes over OpenAI's wire, with a grammar in place of a response format, and texts are continued
 * over its own (`Tgi`). The model's name is that of a LoRA adapter, or any other word for the model itself. Errors are
 * `{error, error_type}`; within a stream every error comes with status 200, and in a chat under the same code 422, so
 * that it is told apart by its words. A key is wanted only where the server was started with one; its open routes
 * (`/info`, `/health`) take it as well.
 *
 * The router speaks OpenAI's wire as its providers do, each with extras of its own, which are skipped.
 *
 * @see https://huggingface.co/docs/text-generation-inference
 * @see https://huggingface.co/docs/inference-providers
 * @since 0.1.0
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import type * as Completion from "@spillway/core/Completion"
import type * as InvalidOptions from "@spillway/core/InvalidOptions"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Protection from "@spillway/core/Protection"
import type * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as HttpBackend from "./HttpBackend.js"
import * as SelfHosted from "./internal/selfHosted.js"
import * as TgiErrors from "./internal/tgiErrors.js"
import * as Operations from "./internal/tgiOperations.js"
import * as TgiRouter from "./internal/tgiRouter.js"
import type * as TgiWire from "./TgiWire.js"

/**
 * What there is to set.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends SelfHosted.Options {
  /**
   * The address, without `/v1` and without a slash at the end; with the host of the router, it is the router.
   * @default "http://127.0.0.1:3000"
   */
  readonly baseUrl?: string
  /** The organisation that pays for what the router is asked. @default whose the key is */
  readonly billTo?: string
}

/**
 * What TGI does that no other backend does. The router does none of it: it is `Unsupported` there.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** A text that goes on from the prompt, without a chat template. */
  readonly generate: (request: TgiWire.GenerateRequest) => Effect.Effect<TgiWire.Generation, LlmError.LlmError>
  /** A text as it is generated, token by token; ends with `Done`, or fails. */
  readonly generateStream: (
    request: TgiWire.GenerateRequest
  ) => Stream.Stream<TgiWire.GenerationPart, LlmError.LlmError>
  /** The tokens of a text. */
  readonly tokenize: (text: string) => Effect.Effect<ReadonlyArray<TgiWire.TextToken>, LlmError.LlmError>
  /** The text and the tokens that a chat's prompt becomes. */
  readonly chatTokenize: (request: Completion.Request) => Effect.Effect<TgiWire.Templated, LlmError.LlmError>
  /** What the server says of itself. */
  readonly info: Effect.Effect<TgiWire.Info, LlmError.LlmError>
  /** Succeeds when the model answers. */
  readonly health: Effect.Effect<void, LlmError.LlmError>
}

/**
 * The tag under which a program finds what is only TGI's.
 *
 * @since 0.1.0
 * @category tags
 */
export class Tgi extends Context.Tag("@spillway/providers/Tgi")<Tgi, Service>() {}

/**
 * A server by both its services.
 *
 * @since 0.1.0
 * @category models
 */
export interface Backend {
  readonly llm: LlmService.Service
  readonly tgi: Service
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

const backend = "tgi"

const local = "http://127.0.0.1:3000"

const definition = (baseUrl: string, headers: Options["headers"]): HttpBackend.Definition => ({
  backend,
  baseUrl,
  authenticate: SelfHosted.bearer,
  ...(headers !== undefined && { headers }),
  refineError: TgiErrors.refine,
  generateText: Operations.generateText,
  streamText: Operations.streamText,
  listModels: Operations.listModels,
  health: Operations.health
})

/**
 * A server (without options: the one on this machine) or the router, by both services. Its keys, if it has any, are
 * watched by the monitor until the scope closes.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options = {}
): Effect.Effect<Backend, InvalidOptions.InvalidOptions, HttpClient.HttpClient | Scope.Scope> => {
  const { baseUrl = local, headers, http } = options
  if (TgiRouter.isRouter(baseUrl)) {
    return Effect.map(TgiRouter.make({ ...options, baseUrl }), (llm) => ({
      llm,
      tgi: Protection.own(backend, (protection) => nothing(Protection.llm(llm, protection)))
    }))
  }
  return Effect.flatMap(SelfHosted.pool(backend, options), (pool) =>
    Effect.map(HttpBackend.make(definition(baseUrl, headers), pool, http), ({ service, within }) => ({
      llm: service,
      tgi: Protection.own(backend, (protection) => serve(within(protection)))
    })))
}

const serve = ({ run, stream }: HttpBackend.Exchanges): Service => ({
  generate: (request) => run("generate", Operations.generate, request, "", ({ usage }) => usage),
  generateStream: (request) =>
    stream(
      "generateStream",
      Operations.generateStream,
      request,
      "",
      (last) => last._tag === "Done" ? last.usage : undefined
    ),
  tokenize: (text) => run("tokenize", Operations.tokenize, text, ""),
  chatTokenize: (request) => run("chatTokenize", Operations.chatTokenize, request, request.model),
  info: run("info", Operations.info, undefined, ""),
  health: run("health", Operations.health, undefined, "")
})

const nothing = ({ backend, health }: LlmService.Service): Service => {
  const unsupported = (feature: keyof Service) =>
    Effect.fail(new LlmError.Unsupported({ backend, feature, message: `${backend} has no operation ${feature}` }))
  return {
    generate: () => unsupported("generate"),
    generateStream: () => Stream.fromEffect(unsupported("generateStream")),
    tokenize: () => unsupported("tokenize"),
    chatTokenize: () => unsupported("chatTokenize"),
    info: unsupported("info"),
    health
  }
}

// -----------------------------------------------------------------------------
// layers
// -----------------------------------------------------------------------------

/**
 * A server, or the router, from options; without any, the server on this machine.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: Options = {}
): Layer.Layer<LlmService.LlmService | Tgi, InvalidOptions.InvalidOptions, HttpClient.HttpClient> =>
  Layer.scopedContext(
    Effect.map(make(options), ({ llm, tgi }) =>
      Context.make(LlmService.LlmService, llm).pipe(Context.add(Tgi, tgi)))
  )

/**
 * Hugging Face's router, from options: hundreds of models, served by whoever serves them (`model:provider` says who).
 *
 * @since 0.1.0
 * @category layers
 */
export const router = (
  options: Omit<Options, "apiKeys"> & Required<Pick<Options, "apiKeys">>
): Layer.Layer<LlmService.LlmService, InvalidOptions.InvalidOptions, HttpClient.HttpClient> =>
  Layer.scoped(LlmService.LlmService, TgiRouter.make(options))

/**
 * What the environment says: `TGI_BASE_URL` (`https://router.huggingface.co` is the router), and the keys of
 * `HF_API_TOKEN` and `HF_TOKEN`, `HF_API_TOKEN_1` …, if there are any.
 *
 * @since 0.1.0
 * @category config
 */
export const config: Config.Config<Options> = SelfHosted.config({
  address: "TGI_BASE_URL",
  baseUrl: local,
  keys: ["HF_API_TOKEN", "HF_TOKEN"]
})

/**
 * A server, or the router, as the environment says; without a word there, the server on this machine.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig: Layer.Layer<
  LlmService.LlmService | Tgi,
  ConfigError.ConfigError | InvalidOptions.InvalidOptions,
  HttpClient.HttpClient
> = Layer.unwrapEffect(Effect.map(config, layer))
