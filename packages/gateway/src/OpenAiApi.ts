/**
 * The API that OpenAI's clients speak, for every backend there is: chat completions, responses, completions, embeddings,
 * moderations and models; and rerank, in the place where servers of this API have it.
 *
 * @since 0.1.0
 */
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import type * as Completion from "@spillway/core/Completion"
import * as LlmError from "@spillway/core/LlmError"
import type * as LlmService from "@spillway/core/LlmService"
import type * as Model from "@spillway/core/Model"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as EventStream from "./EventStream.js"
import * as Exchange from "./Exchange.js"
import * as JsonBody from "./JsonBody.js"
import * as ModelNames from "./ModelNames.js"
import type * as Moderation from "./Moderation.js"
import * as OpenAiCompletions from "./OpenAiCompletions.js"
import * as OpenAiEmbeddings from "./OpenAiEmbeddings.js"
import * as OpenAiFault from "./OpenAiFault.js"
import * as OpenAiInbound from "./OpenAiInbound.js"
import * as OpenAiModerations from "./OpenAiModerations.js"
import * as OpenAiOutbound from "./OpenAiOutbound.js"
import * as OpenAiResponsesEvents from "./OpenAiResponsesEvents.js"
import * as OpenAiResponsesInbound from "./OpenAiResponsesInbound.js"
import * as OpenAiResponsesOutbound from "./OpenAiResponsesOutbound.js"
import type { Refusal } from "./Refusal.js"
import * as Reranking from "./Reranking.js"

type Handle = Exchange.Route["handle"]

/**
 * The routes of this API.
 *
 * @since 0.1.0
 * @category constructors
 */
export const routes = (service: LlmService.Service, moderation: Moderation.Service, options: {
  /** Most bytes of a request's body. */
  readonly bodyLimit: number
}): ReadonlyArray<Exchange.Route> => {
  const asked = <A>(
    read: (body: unknown) => Either.Either<A, Refusal>,
    answer: (exchange: Exchange.Exchange, asked: A) => ReturnType<Handle>
  ): Handle =>
  (exchange) =>
    Effect.flatMap(
      Effect.flatMap(JsonBody.read(exchange.request, options.bodyLimit), read),
      (asked) => answer(exchange, asked)
    )

  const texts = (
    exchange: Exchange.Exchange,
    { request, stream }: { readonly request: Completion.Request; readonly stream: boolean },
    form: {
      readonly writer: (now: number) => EventStream.Writer
      readonly whole: (completion: Completion.Completion, now: number) => unknown
    }
  ): ReturnType<Handle> => {
    exchange.model = request.model
    return stream
      ? EventStream.respond(exchange, service.streamText(request), form.writer)
      : Effect.zipWith(
        Exchange.under(exchange, service.generateText(request)),
        Clock.currentTimeMillis,
        (completion, now) => json(form.whole(completion, now))
      )
  }

  const chat = asked(OpenAiInbound.toChat, (exchange, chat) => {
    const envelope = (now: number) => ({ id: `chatcmpl-${exchange.id}`, model: chat.request.model, now })
    return texts(exchange, chat, {
      writer: (now) => OpenAiOutbound.writer(envelope(now), chat.includeUsage, chat.thoughts),
      whole: (completion, now) => OpenAiOutbound.fromCompletion(completion, envelope(now), chat.thoughts)
    })
  })

  const responses = asked(OpenAiResponsesInbound.toQuestion, (exchange, question) => {
    const envelope = (now: number) => ({ id: `resp_${exchange.id}`, now, asked: question.asked })
    return texts(exchange, question, {
      writer: (now) => OpenAiResponsesEvents.writer(envelope(now)),
      whole: (completion, now) => OpenAiResponsesOutbound.fromCompletion(completion, envelope(now))
    })
  })

  const completions = asked(OpenAiCompletions.toContinuation, (exchange, { echo, includeUsage, ...text }) => {
    const envelope = (now: number) => ({ id: `cmpl-${exchange.id}`, model: text.request.model, now })
    return texts(exchange, text, {
      writer: (now) => OpenAiCompletions.writer(envelope(now), echo, includeUsage),
      whole: (completion, now) => OpenAiCompletions.fromCompletion(completion, envelope(now), echo)
    })
  })

  const embeddings = asked(OpenAiEmbeddings.toEmbed, (exchange, { base64, request }) => {
    exchange.model = request.model
    return Effect.map(
      Exchange.under(exchange, service.embed(request)),
      (embeddings) => json(OpenAiEmbeddings.fromEmbeddings(embeddings, request.model, base64))
    )
  })

  const moderations = asked(OpenAiModerations.toRequest, (exchange, request) => {
    exchange.model = request.model ?? ""
    return Effect.map(
      Exchange.under(exchange, moderation.moderate(request)),
      (found) => json(OpenAiModerations.fromModeration(found, `modr-${exchange.id}`))
    )
  })

  const rerank = asked(Reranking.toRanked, (exchange, ranked) => {
    exchange.model = ranked.request.model
    return Effect.map(
      Exchange.under(exchange, service.rerank(ranked.request)),
      (ranking) => json(Reranking.fromRanking(ranking, ranked, `rerank-${exchange.id}`))
    )
  })

  // a router names models after their backends
  const ownerOf = ({ id }: Model.Model) => id.includes("/") ? id.slice(0, id.indexOf("/")) : service.backend

  const models: Handle = (exchange) =>
    Effect.map(Exchange.under(exchange, service.listModels), (models) =>
      json({ object: "list", data: models.map((model) => OpenAiOutbound.fromModel(model, ownerOf(model))) }))

  const model: Handle = (exchange) => {
    const id = exchange.path.slice(exchange.path.indexOf("/v1/models/") + "/v1/models/".length)
    return Effect.flatMap(Exchange.under(exchange, service.listModels), (models) => {
      const found = ModelNames.find(models, id)
      return Option.isSome(found)
        ? Effect.succeed(json(OpenAiOutbound.fromModel(found.value, ownerOf(found.value))))
        : Effect.fail(new LlmError.ModelNotFound({ backend: service.backend, message: "There is no such model" }))
    })
  }

  const common = { kind: "call", refuse: OpenAiFault.toResponse } as const
  const post = (path: string, handle: Handle): Exchange.Route => ({ ...common, method: "POST", path, handle })
  const own: ReadonlyArray<Exchange.Route> = [
    post("/v1/chat/completions", chat),
    post("/v1/responses", responses),
    post("/v1/completions", completions),
    post("/v1/embeddings", embeddings),
    post("/v1/moderations", moderations),
    { ...common, method: "GET", path: "/v1/models", handle: models },
    // a model's id holds slashes, which some clients encode and some do not
    { ...common, method: "GET", path: "/v1/models/", prefix: true, handle: model }
  ]
  return [
    ...own,
    // where Groq's client looks for the same, and would not look elsewhere
    ...own.map((route) => ({ ...route, path: `/openai${route.path}` })),
    // Jina and Cohere number it differently, and others not at all
    ...["/v1/rerank", "/v2/rerank", "/rerank"].map((path) => post(path, rerank))
  ]
}

const json = (body: unknown) => HttpServerResponse.text(JSON.stringify(body), { contentType: "application/json" })
