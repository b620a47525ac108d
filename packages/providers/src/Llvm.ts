/**
 * The generic inference server that goes by the name of LLVM: any model, any JSON, on a machine of yours. It has
 * nothing to do with the compiler, and is not vLLM, which is a backend of its own.
 *
 * How it differs: it generates no text; `infer` takes JSON of a form that the model knows, and gives its answer as it
 * is. Tensors are sent as lists of lists. See `LlvmWire`.
 *
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
import * as SelfHosted from "./internal/selfHosted.js"
import * as LlvmWire from "./LlvmWire.js"

/**
 * What there is to set.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends SelfHosted.Options {
  /** The address, without `/models`. @default "http://localhost:8090" */
  readonly baseUrl?: string
}

// -----------------------------------------------------------------------------
// what is only its own
// -----------------------------------------------------------------------------

/**
 * What this server does that no other backend does.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** What the server says of a model. */
  readonly info: (model: string) => Effect.Effect<LlvmWire.ModelInfo, LlmError.LlmError>
  /** What a model makes of each of several inputs, in their order. */
  readonly batchInfer: (
    request: LlvmWire.BatchRequest
  ) => Effect.Effect<ReadonlyArray<unknown>, LlmError.LlmError>
  /** How much a model was used. */
  readonly statistics: (model: string) => Effect.Effect<LlvmWire.Report, LlmError.LlmError>
  /** Has the server optimize a model. */
  readonly optimize: (
    model: string,
    optimization: LlvmWire.Optimization
  ) => Effect.Effect<LlvmWire.Report, LlmError.LlmError>
  /** Has the server load a model again. */
  readonly reload: (model: string) => Effect.Effect<LlvmWire.Report, LlmError.LlmError>
  /** How the server is. */
  readonly status: Effect.Effect<LlvmWire.Report, LlmError.LlmError>
}

/**
 * The tag under which a program finds what is only this server's.
 *
 * @since 0.1.0
 * @category tags
 */
export class Llvm extends Context.Tag("@spillway/providers/Llvm")<Llvm, Service>() {}

/**
 * A server by both its services.
 *
 * @since 0.1.0
 * @category models
 */
export interface Backend {
  readonly llm: LlmService.Service
  readonly llvm: Service
}

// -----------------------------------------------------------------------------
// the wire
// -----------------------------------------------------------------------------

const backend = "llvm"

const local = "http://localhost:8090"

const get = (path: string): Either.Either<HttpBackend.Outgoing> => Either.right({ method: "GET", path })

const post = (path: string, body?: object): Either.Either<HttpBackend.Outgoing> =>
  Either.right({ method: "POST", path, ...(body !== undefined && { body }) })

const info: HttpBackend.Operation<string, LlvmWire.ModelInfo> = {
  request: (model) => get(LlvmWire.toPath(model)),
  response: LlvmWire.toModelInfo
}

const batchInfer: HttpBackend.Operation<LlvmWire.BatchRequest, ReadonlyArray<unknown>> = {
  request: ({ model, ...body }) => post(LlvmWire.toPath(model, "batch_infer"), body),
  response: LlvmWire.toResults
}

const statistics: HttpBackend.Operation<string, LlvmWire.Report> = {
  request: (model) => get(LlvmWire.toPath(model, "statistics")),
  response: LlvmWire.toReport
}

const optimize: HttpBackend.Operation<
  { readonly model: string; readonly optimization: LlvmWire.Optimization },
  LlvmWire.Report
> = {
  request: ({ model, optimization }) =>
    post(LlvmWire.toPath(model, "optimize"), { optimization_type: optimization }),
  response: LlvmWire.toReport
}

const reload: HttpBackend.Operation<string, LlvmWire.Report> = {
  request: (model) => post(LlvmWire.toPath(model, "reload")),
  response: LlvmWire.toReport
}

const status: HttpBackend.Operation<void, LlvmWire.Report> = {
  request: () => get("/status"),
  response: LlvmWire.toReport
}

const definition = (baseUrl: string, headers: Options["headers"]): HttpBackend.Definition => ({
  backend,
  baseUrl,
  authenticate: SelfHosted.bearer,
  ...(headers !== undefined && { headers }),
  // it is busy loading or optimizing the model that it should reload or optimize
  refineError: (failure) => failure.status === 409 ? "Conflict" : undefined,
  infer: {
    request: (request) =>
      Either.flatMap(LlvmWire.toInferBody(request, backend), (body) =>
        post(LlvmWire.toPath(request.model, "infer"), body)),
    response: LlvmWire.toInference
  },
  listModels: { request: () => get("/models"), response: LlvmWire.toModels },
  health: {
    request: status.request,
    response: (body, exchange) => Either.map(status.response(body, exchange), () => undefined)
  }
})

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * A server, by both its services; without options, the one on this machine. Its keys, if it has any, are watched by the
 * monitor until the scope closes.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options = {}
): Effect.Effect<Backend, InvalidOptions.InvalidOptions, HttpClient.HttpClient | Scope.Scope> => {
  const { baseUrl = local, headers, http } = options
  return Effect.flatMap(SelfHosted.pool(backend, options), (pool) =>
    Effect.map(HttpBackend.make(definition(baseUrl, headers), pool, http), ({ service, within }) => ({
      llm: service,
      llvm: Protection.own(backend, (protection) => serve(within(protection)))
    })))
}

const serve = ({ run }: HttpBackend.Exchanges): Service => ({
  info: (model) => run("info", info, model, model),
  batchInfer: (request) => run("batchInfer", batchInfer, request, request.model),
  statistics: (model) => run("statistics", statistics, model, model),
  optimize: (model, optimization) => run("optimize", optimize, { model, optimization }, model),
  reload: (model) => run("reload", reload, model, model),
  status: run("status", status, undefined, "")
})

// -----------------------------------------------------------------------------
// layers
// -----------------------------------------------------------------------------

/**
 * A server, from options; without any, the server on this machine.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: Options = {}
): Layer.Layer<LlmService.LlmService | Llvm, InvalidOptions.InvalidOptions, HttpClient.HttpClient> =>
  Layer.scopedContext(
    Effect.map(make(options), ({ llm, llvm }) =>
      Context.make(LlmService.LlmService, llm).pipe(Context.add(Llvm, llvm)))
  )

/**
 * What the environment says: `LLVM_BASE_URL`, or else `LLVM_API_URL`, and the keys of `LLVM_API_KEY`,
 * `LLVM_API_KEY_1` …, if there are any.
 *
 * @since 0.1.0
 * @category config
 */
export const config: Config.Config<Options> = SelfHosted.config({
  address: ["LLVM_BASE_URL", "LLVM_API_URL"],
  baseUrl: local,
  keys: ["LLVM_API_KEY"]
})

/**
 * A server, as the environment says; without a word there, the server on this machine.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig: Layer.Layer<
  LlmService.LlmService | Llvm,
  ConfigError.ConfigError | InvalidOptions.InvalidOptions,
  HttpClient.HttpClient
> = Layer.unwrapEffect(Effect.map(config, layer))
