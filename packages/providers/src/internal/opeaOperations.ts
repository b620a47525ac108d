/**
 * The operations of OPEA's services, each with its route, and what their failures mean.
 */
import type * as Completion from "@spillway/core/Completion"
import * as LlmError from "@spillway/core/LlmError"
import * as Either from "effect/Either"
import type * as HttpBackend from "../HttpBackend.js"
import * as OpenAiWire from "../OpenAiWire.js"
import * as OpeaComponentWire from "../OpeaComponentWire.js"
import * as OpeaWire from "../OpeaWire.js"
import * as Json from "./json.js"
import * as OpenAiStream from "./openAiStream.js"
import * as OpeaStream from "./opeaStream.js"

const post = (path: string, body: object): HttpBackend.Outgoing => ({ method: "POST", path, body })

/** A route that is not there is a wrong address; what an application does not find is another thing. */
export const refineError = ({ message, operation, status }: HttpBackend.Failure): HttpBackend.Refinement | undefined => {
  if (status === 404) return message === "Not Found" ? "MalformedResponse" : files.has(operation) ? "NotFound" : undefined
  return operation === "ingest" && status === 400 && /already exists/.test(message) ? "Conflict" : undefined
}

const files: ReadonlySet<string> = new Set(["ingest", "files", "removeFile"])

/** Every service, mega or not, has this route. */
export const health: HttpBackend.Definition["health"] & {} = {
  request: () => Either.right({ method: "GET", path: "/v1/health_check" }),
  reads: "text",
  response: () => Either.void
}

// -----------------------------------------------------------------------------
// text
// -----------------------------------------------------------------------------

/** Text from a megaservice. */
export const text = (
  megaservice: OpeaWire.Megaservice
): Required<Pick<HttpBackend.Definition, "generateText" | "streamText">> => {
  const { path } = OpeaWire.megaservices[megaservice]
  const ask = (stream: boolean) => (request: Completion.Request) =>
    Either.map(OpeaWire.toBody(request, megaservice, stream), (body) => post(path, body))
  return {
    generateText: { request: ask(false), response: OpeaWire.toCompletion },
    streamText: { request: ask(true), framing: "sse", reader: OpeaStream.reader }
  }
}

/** Text from the language model's own service. */
export const llm: Required<Pick<HttpBackend.Definition, "generateText" | "streamText">> = {
  generateText: {
    request: (request) => chat(request, false),
    response: OpenAiWire.toCompletion
  },
  streamText: { request: (request) => chat(request, true), framing: "sse", reader: OpenAiStream.reader }
}

const dialect: OpenAiWire.Dialect = { backend: "opea", topK: true, schemaInPrompt: true }

/** Without a choice it takes for granted that no tool is to be called, and of choices it knows that one and a name. */
const chat = (
  request: Completion.Request,
  stream: boolean
): Either.Either<HttpBackend.Outgoing, LlmError.LlmError> => {
  const { model, toolChoice, tools } = request
  if (tools !== undefined && tools.length > 0 && toolChoice !== "none" && typeof toolChoice !== "object") {
    return Either.left(
      new LlmError.Unsupported({
        backend: dialect.backend,
        model,
        feature: "toolChoice",
        message: "opea calls a tool only if it is named in toolChoice"
      })
    )
  }
  return Either.map(OpenAiWire.toChatBody(request, dialect, stream), (body) =>
    post("/v1/chat/completions", { ...body, messages: Json.array(Json.get(body, "messages")).map(withContent) }))
}

/** Its check of requests knows no message without content. */
const withContent = (message: unknown): unknown =>
  Json.isObject(message) && message["content"] === null ? { ...message, content: "" } : message

// -----------------------------------------------------------------------------
// components
// -----------------------------------------------------------------------------

/** Vectors, on OpenAI's wire. */
export const embed: HttpBackend.Definition["embed"] & {} = {
  request: (request) => Either.right(post("/v1/embeddings", OpenAiWire.toEmbeddingBody(request, dialect))),
  response: OpenAiWire.toEmbeddings
}

/** Documents in the order of their worth. */
export const rerank: HttpBackend.Definition["rerank"] & {} = {
  request: (request) => Either.right(post("/v1/reranking", OpeaComponentWire.toRerankBody(request))),
  response: OpeaComponentWire.toRanking
}

/** Documents near a query. */
export const retrieve: HttpBackend.Operation<
  OpeaComponentWire.RetrieveRequest,
  ReadonlyArray<OpeaComponentWire.RetrievedDocument>
> = {
  request: (request) => Either.right(post("/v1/retrieval", OpeaComponentWire.toRetrieveBody(request))),
  response: OpeaComponentWire.toDocuments
}

/** Documents to take in. What it answers differs from store to store; a status says enough. */
export const ingest: HttpBackend.Operation<OpeaComponentWire.IngestRequest, void> = {
  request: (request) =>
    Either.right({ method: "POST", path: "/v1/dataprep/ingest", ...OpeaComponentWire.toIngestBody(request) }),
  reads: "text",
  response: () => Either.void
}

/** What was taken in. */
export const listFiles: HttpBackend.Operation<string | undefined, ReadonlyArray<OpeaComponentWire.IngestedFile>> = {
  request: (indexName) => Either.right(post("/v1/dataprep/get", { index_name: indexName })),
  response: OpeaComponentWire.toFiles
}

/** Takes a file out again. */
export const removeFile: HttpBackend.Operation<{ readonly id: string; readonly indexName: string | undefined }, void> = {
  request: ({ id, indexName }) =>
    Either.right(post("/v1/dataprep/delete", { file_path: id, index_name: indexName })),
  reads: "text",
  response: () => Either.void
}
