/**
 * OpenVINO Model Server, on a machine of yours: any model over tensors, and language models over OpenAI's wire.
 *
 * How it differs: tensors go over KServe's wire (`KServeWire`), chat, embeddings and ranking over OpenAI's and Cohere's
 * under `/v3`. It wants a key for `/v3` alone, if it was given one, and says that it is wrong with a 500; what went
 * wrong stands in words alone, and within a stream as bare JSON that need not even be that. Chat takes no `user`, no
 * `parallelToolCalls` and no `reasoning` (say it to the model's template by `chatTemplateKwargs`), which are not sent;
 * in a stream the text of `stop` is part of the answer. Embeddings cannot be shortened. Where an output may hold NaN,
 * which the server writes as broken JSON, ask for bytes (`providerOptions.ovms.form`) and name the output.
 *
 * JSON goes over TensorFlow Serving's wire (`TfServingWire`), which v2026.3 gave up: which server it is, is asked once
 * (`GET /v2`), and again after a prediction failed; where it is a newer one, JSON is `Unsupported`.
 *
 * @see https://docs.openvino.ai/2026/model-server/ovms_docs_rest_api_kfs.html
 * @see https://docs.openvino.ai/2026/model-server/ovms_docs_rest_api_chat.html
 * @since 0.1.0
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import type * as Completion from "@spillway/core/Completion"
import * as Inference from "@spillway/core/Inference"
import type * as InvalidOptions from "@spillway/core/InvalidOptions"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Protection from "@spillway/core/Protection"
import type * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import * as HttpBackend from "./HttpBackend.js"
import * as Operations from "./internal/ovmsOperations.js"
import * as SelfHosted from "./internal/selfHosted.js"
import type * as KServeWire from "./KServeWire.js"
import * as OvmsWire from "./OvmsWire.js"
import * as TfServingWire from "./TfServingWire.js"

/**
 * What there is to set.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends SelfHosted.Options {
  /** The address, without `/v2` and `/v3`. @default "http://127.0.0.1:8000" */
  readonly baseUrl?: string
}

// -----------------------------------------------------------------------------
// what is only its own
// -----------------------------------------------------------------------------

/**
 * What OpenVINO Model Server does that no other backend does.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** What the server says of itself. */
  readonly server: Effect.Effect<KServeWire.ServerMetadata, LlmError.LlmError>
  /** Whether it is up. */
  readonly live: Effect.Effect<boolean, LlmError.LlmError>
  /** Whether all its models are loaded. */
  readonly ready: Effect.Effect<boolean, LlmError.LlmError>
  /** Which tensors a model takes and gives. */
  readonly metadata: (
    model: TfServingWire.ModelVersion
  ) => Effect.Effect<KServeWire.ModelMetadata, LlmError.LlmError>
  /** Whether a model is there and loaded. */
  readonly modelReady: (model: TfServingWire.ModelVersion) => Effect.Effect<boolean, LlmError.LlmError>
  /** How all models are. */
  readonly config: Effect.Effect<ReadonlyArray<TfServingWire.ModelStatus>, LlmError.LlmError>
  /** Has the server read its configuration again. */
  readonly reload: Effect.Effect<OvmsWire.Reloaded, LlmError.LlmError>
  /** How the versions of a model are. */
  readonly status: (
    model: TfServingWire.ModelVersion
  ) => Effect.Effect<ReadonlyArray<TfServingWire.VersionStatus>, LlmError.LlmError>
  /** What a model makes of JSON; `Unsupported` from v2026.3 on. */
  readonly predict: (request: TfServingWire.PredictRequest) => Effect.Effect<unknown, LlmError.LlmError>
  /** A text that goes on from the prompt, without a chat template. */
  readonly complete: (
    request: OvmsWire.CompleteRequest
  ) => Effect.Effect<Completion.Completion, LlmError.LlmError>
  /** Such a text as it comes. */
  readonly streamComplete: (
    request: OvmsWire.CompleteRequest
  ) => Stream.Stream<Completion.Part, LlmError.LlmError>
  /** The tokens of each text. */
  readonly tokenize: (
    request: OvmsWire.TokenizeRequest
  ) => Effect.Effect<ReadonlyArray<ReadonlyArray<number>>, LlmError.LlmError>
}

/**
 * The tag under which a program finds what is only OpenVINO Model Server's.
 *
 * @since 0.1.0
 * @category tags
 */
export class Ovms extends Context.Tag("@spillway/providers/Ovms")<Ovms, Service>() {}

/**
 * A server by both its services.
 *
 * @since 0.1.0
 * @category models
 */
export interface Backend {
  readonly llm: LlmService.Service
  readonly ovms: Service
}

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
): Effect.Effect<Backend, InvalidOptions.InvalidOptions, HttpClient.HttpClient | Scope.Scope> =>
  Effect.flatMap(
    SelfHosted.pool(Operations.backend, options),
    (pool) => Effect.map(HttpBackend.make(Operations.definition(options), pool, options.http), toBackend)
  )

const toBackend = ({ run: ask, service, within }: HttpBackend.HttpBackend): Backend => {
  const { operations } = Operations
  const server = ask("server", operations.server, undefined, "")
  const config = ask("config", operations.config, undefined, "")

  let known: Generation | undefined
  const generation = Effect.suspend(() =>
    known === undefined
      ? Effect.map(generationOf(server), (found) => known = found)
      : Effect.succeed(known)
  )

  const predict: Service["predict"] = (request) =>
    Effect.flatMap(generation, ({ tfServing, version }) =>
      tfServing
        ? Effect.tapError(ask("predict", operations.predict, request, request.model), () =>
          // it may have been replaced by a newer one
          Effect.sync(() => known = undefined))
        : Effect.fail(
          Operations.unsupported(request.model, "predict", `a server of v${version} takes tensors alone, and no JSON`)
        ))

  const infer: LlmService.Service["infer"] = (request) => {
    if (request.input._tag === "Tensors") return service.infer(request)
    if (request.outputs !== undefined) {
      return Effect.fail(Operations.unsupported(request.model, "outputs", "with JSON all outputs come"))
    }
    return Effect.flatMap(TfServingWire.fromJson(request, request.input.value, Operations.backend), (asked) =>
      Effect.map(predict(asked), (value): Inference.Inference => ({
        model: request.model,
        ...(request.version !== undefined && { version: request.version }),
        output: Inference.json(value),
        usage: {}
      })))
  }

  const status: Service["status"] = (model) =>
    Effect.flatMap(generation, ({ tfServing }) =>
      tfServing
        ? ask("status", operations.status, model, model.model)
        : Effect.flatMap(config, (models) => versionsOf(models, model)))

  const serve = ({ run, stream, whole }: HttpBackend.Protected): Service => ({
    server: whole("server", "", server),
    // that it is not is an answer, and no reason to try again
    live: whole("live", "", isSo(ask("live", operations.live, undefined, ""))),
    ready: whole("ready", "", isSo(ask("ready", operations.ready, undefined, ""))),
    metadata: (model) => run("metadata", operations.metadata, model, model.model),
    modelReady: (model) =>
      whole("modelReady", model.model, isSo(ask("modelReady", operations.modelReady, model, model.model))),
    config: whole("config", "", config),
    reload: run("reload", operations.reload, undefined, ""),
    status: (model) => whole("status", model.model, status(model)),
    predict: (request) => whole("predict", request.model, predict(request)),
    complete: (request) => run("complete", operations.complete, request, request.model, ({ usage }) => usage),
    streamComplete: (request) =>
      stream(
        "streamComplete",
        operations.streamComplete,
        request,
        request.model,
        (last) => last._tag === "Finish" ? last.usage : undefined
      ),
    tokenize: (request) => run("tokenize", operations.tokenize, request, request.model)
  })

  return {
    llm: {
      ...service,
      infer,
      // before v2025.3 there was no list of models but that of the configuration
      listModels: Effect.catchTag(service.listModels, "Unsupported", () =>
        Effect.map(config, (models) => models.map(({ model }) => ({ id: model }))))
    },
    ovms: Protection.own(Operations.backend, (protection) => serve(within(protection)))
  }
}

/** Which server it is, as far as that decides over which wire it is spoken to. */
interface Generation {
  readonly version: string
  readonly tfServing: boolean
}

const generationOf = (
  server: Service["server"]
): Effect.Effect<Generation, LlmError.LlmError> =>
  server.pipe(
    Effect.map(({ version }) => ({ version, tfServing: OvmsWire.speaksTfServing(version) })),
    // one that knows nothing of KServe's wire is older still, or TensorFlow Serving itself
    Effect.catchTags({
      Unsupported: () => Effect.succeed(ancient),
      MalformedResponse: () => Effect.succeed(ancient)
    })
  )

const ancient: Generation = { version: "", tfServing: true }

const versionsOf = (
  models: ReadonlyArray<TfServingWire.ModelStatus>,
  { model, version }: TfServingWire.ModelVersion
): Either.Either<ReadonlyArray<TfServingWire.VersionStatus>, LlmError.ModelNotFound> => {
  const versions = models.find((status) => status.model === model)?.versions
    .filter((status) => version === undefined || status.version === version)
  return versions === undefined || versions.length === 0
    ? Either.left(
      new LlmError.ModelNotFound({
        backend: Operations.backend,
        model,
        message: `${Operations.backend} has no model ${model}${version === undefined ? "" : ` of version ${version}`}`
      })
    )
    : Either.right(versions)
}

/** An answer to a question that a server answers by its status alone. */
const isSo = (answer: Effect.Effect<boolean, LlmError.LlmError>): Effect.Effect<boolean, LlmError.LlmError> =>
  Effect.catchIf(answer, ({ _tag }) => _tag === "ModelNotFound" || _tag === "ServerFault", () => Effect.succeed(false))

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
): Layer.Layer<LlmService.LlmService | Ovms, InvalidOptions.InvalidOptions, HttpClient.HttpClient> =>
  Layer.scopedContext(
    Effect.map(make(options), ({ llm, ovms }) =>
      Context.make(LlmService.LlmService, llm).pipe(Context.add(Ovms, ovms)))
  )

/**
 * What the environment says: `OVMS_BASE_URL`, or else `OVMS_API_URL`, and the keys of `OVMS_API_KEY`,
 * `OVMS_API_KEY_1` …, if there are any.
 *
 * @since 0.1.0
 * @category config
 */
export const config: Config.Config<Options> = SelfHosted.config({
  address: ["OVMS_BASE_URL", "OVMS_API_URL"],
  baseUrl: Operations.local,
  keys: ["OVMS_API_KEY"]
})

/**
 * A server, as the environment says; without a word there, the server on this machine.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig: Layer.Layer<
  LlmService.LlmService | Ovms,
  ConfigError.ConfigError | InvalidOptions.InvalidOptions,
  HttpClient.HttpClient
> = Layer.unwrapEffect(Effect.map(config, layer))
