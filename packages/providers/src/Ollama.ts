/**
 * Ollama, over its own API: models on a machine of yours, or in Ollama's cloud.
 *
 * How it differs: no key on one's own machine (one anonymous key stands in the pool, so that a 429 rests the whole
 * backend), a Bearer key in the cloud; streams are lines of JSON; errors are one sentence without a code, so that a
 * few are told apart by their words. A model must be pulled before it answers. See `OllamaWire` for what becomes of a
 * request's fields.
 *
 * @see https://docs.ollama.com/api/introduction
 * @see https://docs.ollama.com/api/errors
 * @since 0.1.0
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import type * as Completion from "@spillway/core/Completion"
import type * as InvalidOptions from "@spillway/core/InvalidOptions"
import * as KeyPool from "@spillway/core/KeyPool"
import type * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import type * as Model from "@spillway/core/Model"
import * as Protection from "@spillway/core/Protection"
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import * as HttpBackend from "./HttpBackend.js"
import * as Json from "./internal/json.js"
import * as SelfHosted from "./internal/selfHosted.js"
import * as OllamaGenerateWire from "./OllamaGenerateWire.js"
import * as OllamaModelsWire from "./OllamaModelsWire.js"
import * as OllamaWire from "./OllamaWire.js"

/**
 * What there is to set.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends SelfHosted.Options {
  /** The address before `/api`. @default "http://127.0.0.1:11434" */
  readonly baseUrl?: string
}

/**
 * What Ollama does besides what every backend does.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** A text that goes on from the prompt; without one, loads or unloads the model. */
  readonly generate: (
    request: OllamaGenerateWire.Request
  ) => Effect.Effect<OllamaGenerateWire.Generation, LlmError.LlmError>
  /** A text as it is generated; ends with `Done`, or fails. */
  readonly generateStream: (
    request: OllamaGenerateWire.Request
  ) => Stream.Stream<OllamaGenerateWire.Part, LlmError.LlmError>
  /** What there is to know of a model that the server has. */
  readonly show: (model: string) => Effect.Effect<OllamaModelsWire.Details, LlmError.LlmError>
  /** The models in memory. */
  readonly running: Effect.Effect<ReadonlyArray<OllamaModelsWire.Running>, LlmError.LlmError>
  /**
   * Fetches a model from the registry, telling how far it has come: whole with the status `success`, interrupted
   * without. A server goes on with what it already has when it is asked again. While it verifies a large model it says
   * nothing for minutes: behind a `Timeout`, give it an `idle` that is longer.
   */
  readonly pull: (
    request: OllamaModelsWire.PullRequest
  ) => Stream.Stream<OllamaModelsWire.Progress, LlmError.LlmError>
  /** Removes a model from the server's disk. */
  readonly remove: (model: string) => Effect.Effect<void, LlmError.LlmError>
  /** The server's version. */
  readonly version: Effect.Effect<string, LlmError.LlmError>
}

/**
 * The tag under which a program finds what only Ollama does.
 *
 * @since 0.1.0
 * @category tags
 */
export class Ollama extends Context.Tag("@spillway/providers/Ollama")<Ollama, Service>() {}

/**
 * Ollama by both its services.
 *
 * @since 0.1.0
 * @category models
 */
export interface Backend {
  readonly llm: LlmService.Service
  readonly ollama: Service
}

const backend = "ollama"

const local = "http://127.0.0.1:11434"

const definition = (baseUrl: string, headers: Options["headers"]): HttpBackend.Definition => ({
  backend,
  baseUrl,
  authenticate: SelfHosted.bearer,
  ...(headers !== undefined && { headers }),
  refineError,
  generateText: {
    request: (request) => toChat(request, false),
    response: OllamaWire.toCompletion
  },
  streamText: {
    request: (request) => toChat(request, true),
    framing: "ndjson",
    reader: OllamaWire.reader
  },
  embed: {
    request: (request) => Either.right({ method: "POST", path: "/api/embed", body: OllamaWire.toEmbedBody(request) }),
    response: OllamaWire.toEmbeddings
  },
  listModels: {
    request: () => Either.right({ method: "GET", path: "/api/tags" }),
    response: (body, exchange) => {
      const models = Json.get(body, "models")
      return Array.isArray(models)
        ? Either.right(models.flatMap(toModel))
        : Either.left(exchange.malformed("a list of models without models"))
    }
  },
  health: {
    request: OllamaModelsWire.version.request,
    response: (body, exchange) => Either.flatMap(OllamaModelsWire.version.response(body, exchange), () => Either.void)
  }
})

const toChat = (
  request: Completion.Request,
  stream: boolean
): Either.Either<HttpBackend.Outgoing, LlmError.LlmError> =>
  Either.map(OllamaWire.toBody(request, backend, stream), (body) => ({ method: "POST", path: "/api/chat", body }))

const toModel = (model: unknown): ReadonlyArray<Model.Model> => {
  const id = Json.name(Json.get(model, "model")) ?? Json.name(Json.get(model, "name"))
  return id === undefined
    ? []
    : [Json.defined({ id, contextWindow: Json.count(Json.get2(model, "details", "context_length")) })]
}

// -----------------------------------------------------------------------------
// errors
// -----------------------------------------------------------------------------

/**
 * What Ollama means, found in its words where its status says something else. A 401 or 403 of a server that took no
 * key concerns a model in the cloud to which this machine is not signed in: no reason to give up the local ones.
 */
const refineError = (failure: HttpBackend.Failure): HttpBackend.Refinement | undefined => {
  const { body, message, model, operation, status } = failure
  if (/^model .* not found/.test(message)) {
    return operation === "remove" ? "ModelNotFound" : {
      kind: "ModelNotFound",
      advice: `pull it first: ollama pull ${model}`
    }
  }
  // the registry's word for a model that it does not have
  if (message.startsWith("pull model manifest: file does not exist")) return "ModelNotFound"
  if (/^option ".*" must be of/.test(message)) return "InvalidRequest"
  return status === 403 || status === 401 && Json.get(body, "signin_url") !== undefined ? "ModelNotFound" : undefined
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Ollama, as the service that every backend is (`llm`) and with what only Ollama does (`ollama`). Its keys, if it has
 * any, are watched by the monitor until the scope closes.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options = {}
): Effect.Effect<Backend, InvalidOptions.InvalidOptions, HttpClient.HttpClient | Scope.Scope> => {
  const { baseUrl = local, headers, http } = options
  return Effect.flatMap(SelfHosted.pool(backend, options), (pool) =>
    Effect.map(
      HttpBackend.make(definition(baseUrl, headers), pool, http),
      ({ service, within }): Backend => ({
        llm: service,
        ollama: Protection.own(backend, (protection) => serve(within(protection)))
      })
    ))
}

const serve = ({ run, stream }: HttpBackend.Exchanges): Service => ({
  generate: (request) => run("generate", OllamaGenerateWire.generate, request, request.model, ({ usage }) => usage),
  generateStream: (request) =>
    stream(
      "generateStream",
      OllamaGenerateWire.generateStream,
      request,
      request.model,
      (last) => last._tag === "Done" ? last.usage : undefined
    ),
  show: (model) => run("show", OllamaModelsWire.show, model, model),
  running: run("running", OllamaModelsWire.running, undefined, ""),
  pull: (request) => stream("pull", OllamaModelsWire.pull, request, request.model),
  remove: (model) => run("remove", OllamaModelsWire.remove, model, model),
  version: run("version", OllamaModelsWire.version, undefined, "")
})

/**
 * Ollama, from options; without any, the server on this machine.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: Options = {}
): Layer.Layer<LlmService.LlmService | Ollama, InvalidOptions.InvalidOptions, HttpClient.HttpClient> =>
  Layer.scopedContext(
    Effect.map(make(options), ({ llm, ollama }) =>
      Context.make(LlmService.LlmService, llm).pipe(Context.add(Ollama, ollama)))
  )

// -----------------------------------------------------------------------------
// configuration
// -----------------------------------------------------------------------------

/**
 * The base URL that a value of `OLLAMA_HOST` means, in any of the forms that Ollama itself takes: a host, with or
 * without a port and a scheme. An address that only a server can have (`0.0.0.0`) becomes the one by which it is
 * reached. None for what is no address.
 *
 * @since 0.1.0
 * @category config
 * @example
 * ```ts
 * import { Ollama } from "@spillway/providers"
 * import { Option } from "effect"
 * import * as assert from "node:assert"
 *
 * assert.deepStrictEqual(Ollama.toBaseUrl("0.0.0.0"), Option.some("http://127.0.0.1:11434"))
 * assert.deepStrictEqual(Ollama.toBaseUrl("https://ollama.com"), Option.some("https://ollama.com"))
 * ```
 */
export const toBaseUrl = (host: string): Option.Option<string> => {
  const [, scheme, address = ""] = /^["']?(?:(https?):\/\/)?(.*?)\/*["']?$/i.exec(host.trim()) ?? []
  if (address === "" || address.includes("://")) return Option.none()
  const [authority = "", ...path] = address.split("/")
  const ipv6 = /^[\da-f]*:[\da-f]*:[\da-f:.]*$/i.test(authority)
  const reachable = ipv6 ? `[${authority}]` : authority.startsWith(":") ? `127.0.0.1${authority}` : authority
  const url = `${scheme ?? "http"}://${[reachable, ...path].join("/")}`
  if (!URL.canParse(url)) return Option.none()
  const { hostname, password, pathname, port, protocol, username } = new URL(url)
  if (username !== "" || password !== "") return Option.none()
  // a URL does not keep the port that its scheme implies
  const stated = /:\d+$/.test(reachable) ? port && `:${port}` : scheme === undefined ? ":11434" : ""
  return Option.some(
    `${protocol}//${reached.get(hostname) ?? hostname}${stated}${pathname === "/" ? "" : pathname}`
  )
}

const reached: ReadonlyMap<string, string> = new Map([["0.0.0.0", "127.0.0.1"], ["[::]", "[::1]"]])

/**
 * What the environment says: `OLLAMA_HOST`, in any form that Ollama itself takes, and `OLLAMA_API_KEY`,
 * `OLLAMA_API_KEY_1` …, which are shown only to a host that is spoken to over https.
 *
 * @since 0.1.0
 * @category config
 */
export const config: Config.Config<Options> = Config.map(
  Config.all({
    baseUrl: Config.withDefault(
      Config.mapOrFail(Config.string("OLLAMA_HOST"), (host) =>
        Either.fromOption(toBaseUrl(host), () =>
          ConfigError.InvalidData(
            ["OLLAMA_HOST"],
            "Expected a host, host:port or an address that begins with http:// or https://"
          ))),
      local
    ),
    apiKeys: Config.option(KeyPool.config("OLLAMA_API_KEY"))
  }),
  ({ apiKeys, baseUrl }) =>
    Option.isSome(apiKeys) && baseUrl.startsWith("https:") ? { baseUrl, apiKeys: apiKeys.value } : { baseUrl }
)

/**
 * Ollama, as the environment says; without a word there, the server on this machine.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig: Layer.Layer<
  LlmService.LlmService | Ollama,
  ConfigError.ConfigError | InvalidOptions.InvalidOptions,
  HttpClient.HttpClient
> = Layer.unwrapEffect(Effect.map(config, layer))
