/**
 * What is asked of OpenVINO Model Server, and over which of its wires.
 */
import type * as Embedding from "@spillway/core/Embedding"
import type * as Inference from "@spillway/core/Inference"
import * as LlmError from "@spillway/core/LlmError"
import * as Either from "effect/Either"
import type * as HttpBackend from "../HttpBackend.js"
import * as KServeWire from "../KServeWire.js"
import * as OpenAiCompat from "../OpenAiCompat.js"
import * as OvmsWire from "../OvmsWire.js"
import * as TextCompletionsWire from "../TextCompletionsWire.js"
import * as TfServingWire from "../TfServingWire.js"
import * as OvmsErrors from "./ovmsErrors.js"
import type * as SelfHosted from "./selfHosted.js"

/** Its name. */
export const backend = "ovms"

/** The address of one on this machine. */
export const local = "http://127.0.0.1:8000"

const profile: OpenAiCompat.Profile = {
  backend,
  baseUrl: local,
  baseUrlVariable: "OVMS_BASE_URL",
  keyVariable: "OVMS_API_KEY",
  path: "/v3",
  operations: ["generateText", "streamText", "embed", "rerank", "listModels", "health"],
  healthPath: "/v2/health/ready",
  topK: true,
  reasoningField: "reasoning_content",
  embeddingEncoding: "base64",
  extraFields: ({ providerOptions }) => ({
    user: undefined,
    parallel_tool_calls: undefined,
    reasoning_effort: undefined,
    ...OvmsWire.toFields(providerOptions?.ovms)
  })
}

/** The definition of a server. */
export const definition = ({ apiKeys, baseUrl = local, headers }: SelfHosted.Options): HttpBackend.Definition => {
  const base = OpenAiCompat.toDefinition(
    { ...profile, refineError: OvmsErrors.refine(apiKeys === undefined) },
    headers === undefined ? { baseUrl } : { baseUrl, headers }
  )
  return { ...base, infer: operations.infer, ...(base.embed !== undefined && { embed: unshortened(base.embed) }) }
}

/** What it cannot do is not asked for: it would pass over the field, and over the user. */
const unshortened = (
  embed: HttpBackend.Operation<Embedding.Request, Embedding.Embeddings>
): HttpBackend.Operation<Embedding.Request, Embedding.Embeddings> => ({
  ...embed,
  request: ({ dimensions, user: _, ...request }) =>
    dimensions === undefined
      ? embed.request(request)
      : Either.left(unsupported(request.model, "dimensions", "it does not shorten vectors"))
})

/** It cannot do what is asked. */
export const unsupported = (model: string, feature: string, why: string): LlmError.Unsupported =>
  new LlmError.Unsupported({ backend, model, feature, message: `${backend}: ${why}` })

const get = (path: string): Either.Either<HttpBackend.Outgoing> => Either.right({ method: "GET", path })

const post = (path: string, body?: object): Either.Either<HttpBackend.Outgoing> =>
  Either.right({ method: "POST", path, ...(body !== undefined && { body }) })

/** Versions are numbers; anything else would be a path that the server does not know. */
const versioned = <I extends TfServingWire.ModelVersion, A>(
  request: (input: I) => Either.Either<A, LlmError.LlmError>
) =>
(input: I): Either.Either<A, LlmError.LlmError> =>
  input.version === undefined || /^\d+$/.test(input.version)
    ? request(input)
    : Either.left(
      new LlmError.InvalidRequest({
        backend,
        model: input.model,
        field: "version",
        message: `${backend}: a version is a number`
      })
    )

const toCompleteBody = ({ options, ...request }: OvmsWire.CompleteRequest, stream: boolean): object =>
  TextCompletionsWire.toBody(request, stream, OvmsWire.toFields(options))

const silent = (path: string): HttpBackend.Operation<void, boolean> => ({
  request: () => get(path),
  reads: "text",
  response: () => Either.right(true)
})

const modelPath = ({ model, version }: TfServingWire.ModelVersion): string => KServeWire.toPath(model, version)

/** What is asked of it over its own wires, one exchange each. */
export const operations = {
  infer: {
    request: versioned((request: Inference.Request) =>
      request.input._tag === "Tensors"
        ? KServeWire.toInfer(request, request.input.tensors, backend, request.providerOptions?.ovms)
        : Either.left(unsupported(request.model, "JSON", "infer takes tensors here, and predict JSON"))
    ),
    reads: "bytes",
    response: KServeWire.toInference
  },
  server: { request: () => get("/v2"), response: KServeWire.toServerMetadata },
  live: silent("/v2/health/live"),
  ready: silent("/v2/health/ready"),
  metadata: {
    request: versioned((input: TfServingWire.ModelVersion) => get(modelPath(input))),
    response: KServeWire.toModelMetadata
  },
  modelReady: {
    request: versioned((input: TfServingWire.ModelVersion) => get(`${modelPath(input)}/ready`)),
    reads: "text",
    response: () => Either.right(true)
  },
  config: { request: () => get("/v1/config"), response: TfServingWire.toModels },
  reload: { request: () => post("/v1/config/reload"), response: OvmsWire.toReloaded },
  status: {
    request: versioned((input: TfServingWire.ModelVersion) => get(TfServingWire.toPath(input))),
    response: TfServingWire.toVersions
  },
  predict: {
    request: versioned((request: TfServingWire.PredictRequest) => Either.right(TfServingWire.toPredict(request))),
    response: TfServingWire.toPrediction
  },
  complete: {
    request: (request: OvmsWire.CompleteRequest) => post("/v3/completions", toCompleteBody(request, false)),
    response: TextCompletionsWire.toCompletion
  },
  streamComplete: {
    request: (request: OvmsWire.CompleteRequest) => post("/v3/completions", toCompleteBody(request, true)),
    framing: "sse",
    reader: TextCompletionsWire.reader
  },
  tokenize: {
    request: (request: OvmsWire.TokenizeRequest) => post("/v3/tokenize", OvmsWire.toTokenizeBody(request)),
    response: OvmsWire.toTokens
  }
} as const
