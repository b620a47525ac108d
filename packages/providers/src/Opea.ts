/**
 * OPEA, the Open Platform for Enterprise AI, on servers of your own: a megaservice (a whole application, such as
 * question answering over your documents) and the component services that it is made of.
 *
 * How it differs: text comes from a megaservice, `ChatQnA` unless another is chosen, which decides by itself which
 * model it asks; embeddings and rankings come from components. Each listens on a port of its own, on one host unless
 * you say otherwise. Nobody asks for a key, but a gateway in front may. A stream is events of Python literals (see
 * `internal/opeaStream`); one that has nothing but its end marker is a `ServerFault`, the only sign of a model that
 * failed. A list of models there is none.
 *
 * The language model behind a megaservice can be asked directly (`Opea.llm`): on OpenAI's wire, with pictures and JSON
 * (a schema for which is said in the prompt), and with a tool if it is named.
 *
 * @see https://opea-project.github.io/latest/
 * @see https://github.com/opea-project/GenAIComps
 * @since 0.1.0
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Completion from "@spillway/core/Completion"
import * as InvalidOptions from "@spillway/core/InvalidOptions"
import * as KeyPool from "@spillway/core/KeyPool"
import type * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Protection from "@spillway/core/Protection"
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as HttpBackend from "./HttpBackend.js"
import * as Address from "./internal/address.js"
import * as OpeaOperations from "./internal/opeaOperations.js"
import * as SelfHosted from "./internal/selfHosted.js"
import type * as OpeaComponentWire from "./OpeaComponentWire.js"
import * as OpeaWire from "./OpeaWire.js"

// -----------------------------------------------------------------------------
// options
// -----------------------------------------------------------------------------

/**
 * The ports on which the component services listen, unless they were told others.
 *
 * @since 0.1.0
 * @category components
 */
export const ports = { embedding: 6000, reranking: 8000, retriever: 7000, dataprep: 5000, llm: 9000 } as const

/**
 * A component service.
 *
 * @since 0.1.0
 * @category models
 */
export type Component = keyof typeof ports

/**
 * What there is to set.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends SelfHosted.Options {
  /** Which megaservice gives text. @default "ChatQnA" */
  readonly megaservice?: OpeaWire.Megaservice
  /** The megaservice's address, without `/v1`. @default "http://127.0.0.1" and the megaservice's port */
  readonly baseUrl?: string
  /**
   * Addresses of component services, without `/v1`.
   * @default the host of `baseUrl` with the component's port; `baseUrl` itself, if that has a path, since it is a gateway's
   */
  readonly components?: { readonly [C in Component]?: string }
}

const readOptions = InvalidOptions.validate(
  "Opea",
  Schema.Struct({
    megaservice: Schema.optionalWith(
      InvalidOptions.oneOf(...OpeaWire.names),
      { default: (): OpeaWire.Megaservice => "ChatQnA" }
    ),
    baseUrl: Schema.optional(InvalidOptions.name)
  })
)

/** Where a component is, from where the megaservice is. An address that is none is reported by `HttpBackend`. */
const beside = (baseUrl: string, port: number): string => {
  if (!URL.canParse(baseUrl)) return baseUrl
  const url = new URL(baseUrl)
  return url.pathname === "/" ? `${url.protocol}//${url.hostname}:${port}` : baseUrl
}

// -----------------------------------------------------------------------------
// what is only its own
// -----------------------------------------------------------------------------

/**
 * What OPEA's component services do beyond the common words.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** The language model behind a megaservice, without retrieval: text, whole and streamed. */
  readonly llm: LlmService.Service
  /** The pieces of documents that lie nearest to a query, the nearest first. */
  readonly retrieve: (
    request: OpeaComponentWire.RetrieveRequest
  ) => Effect.Effect<ReadonlyArray<OpeaComponentWire.RetrievedDocument>, LlmError.LlmError>
  /** Takes in documents, which are then retrieved. `Conflict` where there is one of that name. */
  readonly ingest: (request: OpeaComponentWire.IngestRequest) => Effect.Effect<void, LlmError.LlmError>
  /** What was taken in; of one index, where the store is Redis (`all` for every one). */
  readonly files: (indexName?: string) => Effect.Effect<ReadonlyArray<OpeaComponentWire.IngestedFile>, LlmError.LlmError>
  /** Removes a file by its id (all of them: `all`). `NotFound` where there is none. */
  readonly removeFile: (id: string, indexName?: string) => Effect.Effect<void, LlmError.LlmError>
  /** Succeeds when that component is up. */
  readonly health: (component: Component) => Effect.Effect<void, LlmError.LlmError>
}

/**
 * The tag under which a program finds what is only OPEA's.
 *
 * @since 0.1.0
 * @category tags
 */
export class Opea extends Context.Tag("@spillway/providers/Opea")<Opea, Service>() {}

/**
 * OPEA by both its services.
 *
 * @since 0.1.0
 * @category models
 */
export interface Backend {
  readonly llm: LlmService.Service
  readonly opea: Service
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

const backend = "opea"

/**
 * OPEA, by both services; without options, on this machine. Its keys, if it has any, are watched by the monitor until
 * the scope closes.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options = {}
): Effect.Effect<Backend, InvalidOptions.InvalidOptions, HttpClient.HttpClient | Scope.Scope> =>
  Effect.gen(function*() {
    const { apiKeys: _, components, headers, http, keys: __, ...rest } = options
    const { baseUrl, megaservice } = yield* readOptions(rest)
    const shape: OpeaWire.Shape = OpeaWire.megaservices[megaservice]
    const address = baseUrl ?? `http://127.0.0.1:${shape.port}`
    const pool = yield* SelfHosted.pool(backend, options)
    const at = (baseUrl: string, operations: Partial<HttpBackend.Definition>) =>
      HttpBackend.make(
        {
          backend,
          baseUrl,
          authenticate: SelfHosted.bearer,
          ...(headers !== undefined && { headers }),
          refineError: OpeaOperations.refineError,
          health: OpeaOperations.health,
          ...operations
        },
        pool,
        http
      )
    const component = (name: Component, operations: Partial<HttpBackend.Definition>) =>
      at(components?.[name] ?? beside(address, ports[name]), operations)
    const mega = yield* at(address, OpeaOperations.text(megaservice))
    const embedding = yield* component("embedding", { embed: OpeaOperations.embed })
    const reranking = yield* component("reranking", { rerank: OpeaOperations.rerank })
    const retriever = yield* component("retriever", {})
    const dataprep = yield* component("dataprep", {})
    const llm = yield* component("llm", OpeaOperations.llm)
    const { health, streamText } = mega.service
    const all = { embedding, reranking, retriever, dataprep, llm }
    return {
      llm: LlmService.make(backend, {
        generateText: shape.alwaysStreams === true
          ? (request) => Completion.collect(streamText(request))
          : mega.service.generateText,
        streamText,
        embed: embedding.service.embed,
        rerank: (request) =>
          request.documents.length === 0
            ? Effect.succeed({ model: request.model, results: [], usage: {} })
            : reranking.service.rerank(request),
        health
      }),
      opea: Protection.own(backend, (protection) => serve(all, protection))
    }
  })

const serve = (
  components: { readonly [C in Component]: HttpBackend.HttpBackend },
  protection: Protection.Protection
): Service => {
  const { run: retrieve } = components.retriever.within(protection)
  const { run: prepare } = components.dataprep.within(protection)
  return {
    llm: Protection.llm(components.llm.service, protection),
    retrieve: (request) => retrieve("retrieve", OpeaOperations.retrieve, request, ""),
    ingest: (request) => prepare("ingest", OpeaOperations.ingest, request, ""),
    files: (indexName) => prepare("files", OpeaOperations.listFiles, indexName, ""),
    removeFile: (id, indexName) => prepare("removeFile", OpeaOperations.removeFile, { id, indexName }, ""),
    health: (component) => Protection.llm(components[component].service, protection).health
  }
}

/**
 * OPEA, from options; without any, on this machine.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: Options = {}
): Layer.Layer<LlmService.LlmService | Opea, InvalidOptions.InvalidOptions, HttpClient.HttpClient> =>
  Layer.scopedContext(
    Effect.map(make(options), ({ llm, opea }) =>
      Context.make(LlmService.LlmService, llm).pipe(Context.add(Opea, opea)))
  )

// -----------------------------------------------------------------------------
// configuration
// -----------------------------------------------------------------------------

const optional = <A>(name: string, variable: Config.Config<A>): Config.Config<{ readonly [key: string]: A }> =>
  Config.map(Config.option(variable), Option.match({ onNone: () => ({}), onSome: (value) => ({ [name]: value }) }))

/** Without the `/v1` with which some write it. */
const address = (variable: string): Config.Config<string> =>
  Config.map(Address.config(variable), (text) => text.replace(/\/(v1\/?)?$/, ""))

const addressOf = (component: Component) => optional(component, address(`OPEA_${component.toUpperCase()}_BASE_URL`))

/**
 * What the environment says: `OPEA_BASE_URL` (or `OPEA_API_ENDPOINT`), the megaservice's name in `OPEA_MEGASERVICE`,
 * the addresses of components in `OPEA_EMBEDDING_BASE_URL`, `OPEA_RERANKING_BASE_URL`, `OPEA_RETRIEVER_BASE_URL`,
 * `OPEA_DATAPREP_BASE_URL` and `OPEA_LLM_BASE_URL`, and the keys of `OPEA_API_KEY`, `OPEA_API_KEY_1` …, if there are
 * any.
 *
 * @since 0.1.0
 * @category config
 */
export const config: Config.Config<Options> = Config.map(
  Config.all({
    baseUrl: optional(
      "baseUrl",
      Config.orElseIf(address("OPEA_BASE_URL"), {
        if: ConfigError.isMissingDataOnly,
        orElse: () => address("OPEA_API_ENDPOINT")
      })
    ),
    megaservice: optional("megaservice", Config.literal(...OpeaWire.names)("OPEA_MEGASERVICE")),
    components: Config.all([
      addressOf("embedding"),
      addressOf("reranking"),
      addressOf("retriever"),
      addressOf("dataprep"),
      addressOf("llm")
    ]),
    apiKeys: optional("apiKeys", KeyPool.config("OPEA_API_KEY"))
  }),
  ({ apiKeys, baseUrl, components, megaservice }): Options => ({
    ...baseUrl,
    ...megaservice,
    ...apiKeys,
    components: Object.assign({}, ...components)
  })
)

/**
 * OPEA, as the environment says; without a word there, on this machine.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig: Layer.Layer<
  LlmService.LlmService | Opea,
  ConfigError.ConfigError | InvalidOptions.InvalidOptions,
  HttpClient.HttpClient
> = Layer.unwrapEffect(Effect.map(config, layer))
