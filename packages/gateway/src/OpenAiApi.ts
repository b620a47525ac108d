/**
 * The API that OpenAI's clients speak: chat completions, embeddings and models, for every backend there is.
 *
 * @since 0.1.0
 */
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as LlmError from "@spillway/core/LlmError"
import type * as LlmService from "@spillway/core/LlmService"
import type * as Model from "@spillway/core/Model"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as EventStream from "./EventStream.js"
import * as Exchange from "./Exchange.js"
import * as JsonBody from "./JsonBody.js"
import * as ModelNames from "./ModelNames.js"
import * as OpenAiEmbeddings from "./OpenAiEmbeddings.js"
import * as OpenAiFault from "./OpenAiFault.js"
import * as OpenAiInbound from "./OpenAiInbound.js"
import * as OpenAiOutbound from "./OpenAiOutbound.js"

/**
 * The routes of this API.
 *
 * @since 0.1.0
 * @category constructors
 */
export const routes = (service: LlmService.Service, options: {
  /** Most bytes of a request's body. */
  readonly bodyLimit: number
}): ReadonlyArray<Exchange.Route> => {
  const route = (
    method: Exchange.Route["method"],
    path: string,
    handle: Exchange.Route["handle"],
    prefix = false
  ): Exchange.Route => ({ method, path, prefix, kind: "call", handle, refuse: OpenAiFault.toResponse })

  const chat: Exchange.Route["handle"] = (exchange) =>
    Effect.flatMap(Effect.flatMap(JsonBody.read(exchange.request, options.bodyLimit), OpenAiInbound.toChat), (chat) => {
      const { request } = chat
      exchange.model = request.model
      const envelope = (now: number) => ({ id: `chatcmpl-${exchange.id}`, model: request.model, now })
      return chat.stream
        ? EventStream.respond(
          exchange,
          service.streamText(request),
          (now) => OpenAiOutbound.writer(envelope(now), chat.includeUsage)
        )
        : Effect.zipWith(
          Exchange.under(exchange, service.generateText(request)),
          Clock.currentTimeMillis,
          (completion, now) => json(OpenAiOutbound.fromCompletion(completion, envelope(now)))
        )
    })

  const embeddings: Exchange.Route["handle"] = (exchange) =>
    Effect.flatMap(
      Effect.flatMap(JsonBody.read(exchange.request, options.bodyLimit), OpenAiEmbeddings.toEmbed),
      ({ request, base64 }) => {
        exchange.model = request.model
        return Effect.map(
          Exchange.under(exchange, service.embed(request)),
          (embeddings) => json(OpenAiEmbeddings.fromEmbeddings(embeddings, request.model, base64))
        )
      }
    )

  // a router names models after their backends
  const ownerOf = ({ id }: Model.Model) => id.includes("/") ? id.slice(0, id.indexOf("/")) : service.backend

  const models: Exchange.Route["handle"] = (exchange) =>
    Effect.map(Exchange.under(exchange, service.listModels), (models) =>
      json({ object: "list", data: models.map((model) => OpenAiOutbound.fromModel(model, ownerOf(model))) }))

  const model: Exchange.Route["handle"] = (exchange) => {
    const id = exchange.path.slice("/v1/models/".length)
    return Effect.flatMap(Exchange.under(exchange, service.listModels), (models) => {
      const found = ModelNames.find(models, id)
      return Option.isSome(found)
        ? Effect.succeed(json(OpenAiOutbound.fromModel(found.value, ownerOf(found.value))))
        : Effect.fail(new LlmError.ModelNotFound({ backend: service.backend, message: "There is no such model" }))
    })
  }

  return [
    route("POST", "/v1/chat/completions", chat),
    route("POST", "/v1/embeddings", embeddings),
    route("GET", "/v1/models", models),
    // a model's id holds slashes, which some clients encode and some do not
    route("GET", "/v1/models/", model, true)
  ]
}

const json = (body: unknown) => HttpServerResponse.text(JSON.stringify(body), { contentType: "application/json" })
