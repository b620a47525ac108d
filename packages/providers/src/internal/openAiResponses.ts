/**
 * The routes of OpenAI's newer wire: how each is asked, and how its answer is read.
 */
import type * as Completion from "@spillway/core/Completion"
import type * as LlmError from "@spillway/core/LlmError"
import * as Either from "effect/Either"
import type * as HttpBackend from "../HttpBackend.js"
import * as Wire from "../OpenAiResponsesWire.js"
import * as OpenAiWire from "../OpenAiWire.js"
import * as Json from "./json.js"
import * as Stream from "./openAiResponsesStream.js"

type Operation<I, A> = HttpBackend.Operation<I, A>

/** How the operations are called in errors and spans. */
export const names = { start: "startResponse", retrieve: "retrieveResponse", cancel: "cancelResponse" } as const

/** Whether an operation is about a response that is kept. */
export const isKept = (operation: string): boolean => operation === names.retrieve || operation === names.cancel

const body = (
  backend: string,
  { providerOptions, ...request }: Completion.Request,
  stream = false
): Either.Either<Json.Fields, LlmError.LlmError> => Wire.toBody(request, backend, providerOptions?.openai, stream)

const post = (path: string) => (body: object): HttpBackend.Outgoing => ({ method: "POST", path, body })

/** The operations of a backend of that name. */
export const operations = (backend: string) => {
  const generateText: Operation<Completion.Request, Completion.Completion> = {
    request: (request) => Either.map(body(backend, request), post("/responses")),
    response: Wire.toCompletion
  }
  const streamText: HttpBackend.Streaming<Completion.Request, Completion.Part> = {
    request: (request) => Either.map(body(backend, request, true), post("/responses")),
    framing: "sse",
    reader: Stream.reader
  }
  const countInputTokens: Operation<Completion.Request, number> = {
    request: (request) =>
      Either.map(body(backend, request), (body) => post("/responses/input_tokens")(counted(body))),
    response: (body, exchange) => {
      const tokens = Json.count(Json.get(body, "input_tokens"))
      if (tokens !== undefined) return Either.right(tokens)
      return Either.left(
        OpenAiWire.isError(body) ? exchange.failure(body) : exchange.malformed("a count of tokens without input_tokens")
      )
    }
  }
  const start: Operation<Completion.Request, Wire.Kept> = {
    // what is not kept cannot be asked after
    request: (request) =>
      Either.map(body(backend, request), (body) => post("/responses")({ ...body, background: true, store: true })),
    response: kept
  }
  const retrieve: Operation<string, Wire.Kept> = {
    request: (id) => Either.right({ method: "GET", path: `/responses/${encodeURIComponent(id)}` }),
    response: kept
  }
  const cancel: Operation<string, Wire.Kept> = {
    request: (id) => Either.right({ method: "POST", path: `/responses/${encodeURIComponent(id)}/cancel` }),
    response: kept
  }
  return { generateText, streamText, countInputTokens, start, retrieve, cancel }
}

// all that has tokens, and what decides how they are made of it
const counted = (body: Json.Fields): object => {
  const { input, instructions, model, parallel_tool_calls, previous_response_id, reasoning, text } = body
  const { tool_choice, tools } = body
  return { model, instructions, input, previous_response_id, tools, tool_choice, parallel_tool_calls, text, reasoning }
}

const kept = (body: unknown, exchange: HttpBackend.Exchange<unknown>): Either.Either<Wire.Kept, LlmError.LlmError> => {
  const id = Json.name(Json.get(body, "id"))
  const status = Json.name(Json.get(body, "status"))
  if (id === undefined || status === undefined) {
    return Either.left(
      OpenAiWire.isError(body) ? exchange.failure(body) : exchange.malformed("a response without id and status")
    )
  }
  return Either.right(pending.has(status) ? { id, status } : { id, status, outcome: Wire.toCompletion(body, exchange) })
}

const pending: ReadonlySet<string> = new Set(["queued", "in_progress"])
