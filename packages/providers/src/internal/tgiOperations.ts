/**
 * TGI's routes: how each is asked, and how its answer is read.
 *
 * A request says how to sample in `parameters`: once they are there (we always ask for details) generation is greedy,
 * unless `do_sample` or a parameter of sampling says otherwise. A stream is a list of tokens; the last one comes with
 * the whole text, and that is its end marker. Every error of it, a wrong parameter too, comes with status 200.
 *
 * @see https://huggingface.co/docs/text-generation-inference/basic_tutorials/consuming_tgi
 */
import type * as Completion from "@spillway/core/Completion"
import type * as LlmError from "@spillway/core/LlmError"
import type * as Model from "@spillway/core/Model"
import * as Either from "effect/Either"
import * as HttpBackend from "../HttpBackend.js"
import type * as TgiWire from "../TgiWire.js"
import * as Json from "./json.js"
import * as TgiChat from "./tgiChat.js"

type Operation<I, A> = HttpBackend.Operation<I, A>

const post = (path: string, body: object): HttpBackend.Outgoing => ({ method: "POST", path, body })

const get = (path: string) => () => Either.right<HttpBackend.Outgoing>({ method: "GET", path })

// -----------------------------------------------------------------------------
// chat
// -----------------------------------------------------------------------------

const toChat = (stream: boolean) => (request: Completion.Request) =>
  Either.map(TgiChat.toBody(request, stream), (body) => post("/v1/chat/completions", body))

/** `POST /v1/chat/completions`. */
export const generateText: Operation<Completion.Request, Completion.Completion> = {
  request: toChat(false),
  response: TgiChat.toCompletion
}

/** The same, as a stream. */
export const streamText: HttpBackend.Streaming<Completion.Request, Completion.Part> = {
  request: toChat(true),
  framing: "sse",
  reader: TgiChat.reader
}

// -----------------------------------------------------------------------------
// texts that are continued
// -----------------------------------------------------------------------------

const toBody = (request: TgiWire.GenerateRequest): object => ({
  inputs: request.prompt,
  parameters: {
    details: true,
    max_new_tokens: request.maxNewTokens,
    do_sample: request.doSample,
    temperature: request.temperature,
    top_k: request.topK,
    top_p: request.topP,
    typical_p: request.typicalP,
    repetition_penalty: request.repetitionPenalty,
    frequency_penalty: request.frequencyPenalty,
    stop: request.stop,
    seed: request.seed,
    grammar: request.grammar === undefined ? undefined : TgiChat.toGrammar(request.grammar),
    adapter_id: request.adapterId,
    truncate: request.truncate,
    return_full_text: request.returnFullText,
    watermark: request.watermark,
    top_n_tokens: request.topNTokens,
    best_of: request.bestOf,
    decoder_input_details: request.prefill
  }
})

const toSequence = (details: unknown) => ({
  ...toEnd(details),
  tokens: toTokens(Json.get(details, "tokens")),
  prefill: toTokens(Json.get(details, "prefill")),
  topTokens: Json.array(Json.get(details, "top_tokens")).map(toTokens)
})

const toEnd = (details: unknown): Pick<TgiWire.Generation, "finishReason" | "seed"> =>
  Json.defined({
    finishReason: finishReasons.get(Json.get(details, "finish_reason")),
    seed: Json.number(Json.get(details, "seed"))
  })

const finishReasons: ReadonlyMap<unknown, TgiWire.FinishReason> = new Map(
  (["length", "eos_token", "stop_sequence"] as const).map((reason) => [reason, reason])
)

const toTokens = (tokens: unknown): ReadonlyArray<TgiWire.Token> => Json.array(tokens).map(toToken)

const toToken = (token: unknown): TgiWire.Token =>
  Json.defined({
    id: Json.count(Json.get(token, "id")) ?? 0,
    text: Json.string(Json.get(token, "text")) ?? "",
    logprob: Json.number(Json.get(token, "logprob")),
    special: Json.get(token, "special") === true
  })

/** `POST /generate`. The tokens of its prompt are told by a header. */
export const generate: Operation<TgiWire.GenerateRequest, TgiWire.Generation> = {
  request: (request) => Either.right(post("/generate", toBody(request))),
  response: (body, { failure, headers, malformed }) => {
    // `POST /` gives it as the only one of a list, and so do old deployments for `/generate`
    const answer = Array.isArray(body) ? body[0] : body
    const text = Json.string(Json.get(answer, "generated_text"))
    if (text === undefined) {
      return Either.left(
        Json.get(answer, "error") === undefined ? malformed("a generation without generated_text") : failure(answer)
      )
    }
    const details = Json.get(answer, "details")
    return Either.right({
      text,
      ...toSequence(details),
      usage: Json.defined({
        inputTokens: Json.digits(headers["x-prompt-tokens"]),
        outputTokens: Json.count(Json.get(details, "generated_tokens")) ?? Json.digits(headers["x-generated-tokens"])
      }),
      others: Json.array(Json.get(details, "best_of_sequences")).map((other) => ({
        text: Json.string(Json.get(other, "generated_text")) ?? "",
        ...toSequence(other)
      }))
    })
  }
}

/** `POST /generate_stream`. Events without a token are skipped; the one with the whole text is the end. */
export const generateStream: HttpBackend.Streaming<TgiWire.GenerateRequest, TgiWire.GenerationPart> = {
  request: (request) => Either.right(post("/generate_stream", toBody(request))),
  framing: "sse",
  reader: ({ failure, malformed }) => ({
    frame({ data }, out) {
      const event = Json.parse(data)
      if (event === undefined) return malformed("an event of the stream is no JSON")
      if ((Json.get(event, "error") ?? undefined) !== undefined) return failure(event)
      const token = Json.get(event, "token")
      if (Json.isObject(token)) {
        out.push({ _tag: "Token", token: toToken(token), topTokens: toTokens(Json.get(event, "top_tokens")) })
      }
      const text = Json.string(Json.get(event, "generated_text"))
      if (text === undefined) return undefined
      const details = Json.get(event, "details")
      const usage = Json.defined({
        inputTokens: Json.count(Json.get(details, "input_length")),
        outputTokens: Json.count(Json.get(details, "generated_tokens"))
      })
      out.push({ _tag: "Done", text, ...toEnd(details), usage })
      return HttpBackend.ended(usage)
    }
  })
}

// -----------------------------------------------------------------------------
// texts that are taken apart
// -----------------------------------------------------------------------------

/** The tokens of a text that was taken apart. */
const toTextTokens = (
  body: unknown,
  { malformed }: Pick<HttpBackend.Exchange<never>, "malformed">
): Either.Either<ReadonlyArray<TgiWire.TextToken>, LlmError.LlmError> =>
  Array.isArray(body)
    ? Either.right(body.map((token) => ({
      id: Json.count(Json.get(token, "id")) ?? 0,
      text: Json.string(Json.get(token, "text")) ?? "",
      start: Json.count(Json.get(token, "start")) ?? 0,
      stop: Json.count(Json.get(token, "stop")) ?? 0
    })))
    : Either.left(malformed("tokens that are no list"))

/** `POST /tokenize`. */
export const tokenize: Operation<string, ReadonlyArray<TgiWire.TextToken>> = {
  request: (text) => Either.right(post("/tokenize", { inputs: text })),
  response: toTextTokens
}

/** `POST /chat_tokenize`. */
export const chatTokenize: Operation<Completion.Request, TgiWire.Templated> = {
  request: (request) => Either.map(TgiChat.toBody(request, false), (body) => post("/chat_tokenize", body)),
  response: (body, exchange) =>
    Either.map(toTextTokens(Json.get(body, "tokenize_response"), exchange), (tokens) => ({
      text: Json.string(Json.get(body, "templated_text")) ?? "",
      tokens
    }))
}

// -----------------------------------------------------------------------------
// the server
// -----------------------------------------------------------------------------

/** `GET /info`. */
export const info: Operation<void, TgiWire.Info> = {
  request: get("/info"),
  response: (body, { malformed }) => {
    const model = Json.name(Json.get(body, "model_id"))
    if (model === undefined) return Either.left(malformed("an info without model_id"))
    return Either.right(Json.defined({
      model,
      version: Json.name(Json.get(body, "version")),
      // so called before version 2
      maxInputTokens: Json.count(Json.get(body, "max_input_tokens")) ?? Json.count(Json.get(body, "max_input_length")),
      maxTotalTokens: Json.count(Json.get(body, "max_total_tokens")),
      maxConcurrentRequests: Json.count(Json.get(body, "max_concurrent_requests")),
      maxStopSequences: Json.count(Json.get(body, "max_stop_sequences")),
      maxBestOf: Json.count(Json.get(body, "max_best_of"))
    }))
  }
}

/** The one model of the server, as `/info` tells of it. */
export const listModels: Operation<void, ReadonlyArray<Model.Model>> = {
  request: info.request,
  response: (body, exchange) =>
    Either.map(info.response(body, exchange), ({ maxTotalTokens, model }) => [
      Json.defined({ id: model, contextWindow: maxTotalTokens })
    ])
}

/** `GET /health`. */
export const health: Operation<void, void> = { request: get("/health"), reads: "text", response: () => Either.void }
