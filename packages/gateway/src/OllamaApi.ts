/**
 * The API that Ollama's clients speak: chats, texts, embeddings, and what there is to know of models, for every backend
 * there is. What manages the models of one's own machine (`/api/pull`, `/api/delete` …) is not served.
 *
 * @since 0.1.0
 */
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as LlmError from "@spillway/core/LlmError"
import type * as LlmService from "@spillway/core/LlmService"
import type * as Model from "@spillway/core/Model"
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as EventStream from "./EventStream.js"
import * as Exchange from "./Exchange.js"
import * as JsonBody from "./JsonBody.js"
import * as ModelNames from "./ModelNames.js"
import * as OllamaFault from "./OllamaFault.js"
import * as OllamaInbound from "./OllamaInbound.js"
import * as OllamaOutbound from "./OllamaOutbound.js"
import type { Refusal } from "./Refusal.js"

/**
 * The version of Ollama whose API this is, which is what its clients ask for.
 *
 * @since 0.1.0
 * @category constants
 */
export const version = "0.33.0"

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
  const common = { kind: "call", refuse: OllamaFault.toResponse } as const
  const open = { kind: "probe", access: "open", method: "GET", refuse: OllamaFault.toResponse } as const

  const read = <A>(exchange: Exchange.Exchange, decode: (body: unknown) => Either.Either<A, Refusal>) =>
    Effect.flatMap(JsonBody.read(exchange.request, options.bodyLimit), decode)

  const envelopeOf = (exchange: Exchange.Exchange, model: string): OllamaOutbound.Envelope => {
    exchange.model = model
    return { model, arrived: exchange.arrived, now: exchange.streams.now }
  }

  const find = (exchange: Exchange.Exchange, name: string): Effect.Effect<Model.Model, LlmError.LlmError> =>
    Effect.flatMap(
      Exchange.under(exchange, service.listModels),
      (models) =>
        Option.match(ModelNames.find(models, name), {
          onSome: Effect.succeed,
          onNone: () =>
            Effect.fail(new LlmError.ModelNotFound({ backend: service.backend, message: "There is no such model" }))
        })
    )

  const text = (
    decode: (body: unknown) => Either.Either<OllamaInbound.Asked, Refusal>,
    shape: OllamaOutbound.Shape
  ): Exchange.Route["handle"] =>
  (exchange) =>
    Effect.flatMap(read(exchange, decode), (asked) => {
      if (asked._tag !== "Text") {
        const envelope = envelopeOf(exchange, asked.model)
        const reason = asked._tag === "Load" ? "load" : "unload"
        return Effect.map(find(exchange, asked.model), () => json(OllamaOutbound.held(reason, envelope, shape)))
      }
      const { request, stream } = asked
      const envelope = envelopeOf(exchange, request.model)
      return stream
        ? EventStream.respond(exchange, service.streamText(request), () => OllamaOutbound.writer(envelope, shape))
        : Effect.map(
          Exchange.under(exchange, service.generateText(request)),
          (completion) => json(OllamaOutbound.fromCompletion(completion, envelope, shape))
        )
    })

  const embed: Exchange.Route["handle"] = (exchange) =>
    Effect.flatMap(read(exchange, OllamaInbound.toEmbed), (request) => {
      const envelope = envelopeOf(exchange, request.model)
      return Effect.map(
        Exchange.under(exchange, service.embed(request)),
        (embeddings) => json(OllamaOutbound.fromEmbeddings(embeddings, envelope))
      )
    })

  const embeddings: Exchange.Route["handle"] = (exchange) =>
    Effect.flatMap(read(exchange, OllamaInbound.toEmbeddings), (request) => {
      exchange.model = request.model
      return Effect.map(
        Exchange.under(exchange, service.embed(request)),
        ({ vectors }) => json({ embedding: vectors[0] })
      )
    })

  const capabilities = [
    ...(service.operations.has("generateText") ? ["completion", "tools", "vision", "thinking"] : []),
    ...(service.operations.has("embed") ? ["embedding"] : [])
  ]

  const show: Exchange.Route["handle"] = (exchange) =>
    Effect.flatMap(read(exchange, OllamaInbound.toShow), (name) =>
      Effect.map(find(exchange, name), (model) => json(OllamaOutbound.fromDetails(model, capabilities))))

  const tags: Exchange.Route["handle"] = (exchange) =>
    Effect.map(
      Exchange.under(exchange, service.listModels),
      (models) => json({ models: models.map(OllamaOutbound.fromModel) })
    )

  const say = (body: object): Exchange.Route["handle"] => () => Effect.succeed(json(body))

  return [
    { ...common, method: "POST", path: "/api/chat", handle: text(OllamaInbound.toChat, OllamaOutbound.chat) },
    { ...common, method: "POST", path: "/api/generate", handle: text(OllamaInbound.toGenerate, OllamaOutbound.generate) },
    { ...common, method: "POST", path: "/api/embed", handle: embed },
    { ...common, method: "POST", path: "/api/embeddings", handle: embeddings },
    { ...common, method: "POST", path: "/api/show", handle: show },
    { ...common, method: "GET", path: "/api/tags", handle: tags },
    // the gateway holds no model in memory
    { ...common, method: "GET", path: "/api/ps", handle: say({ models: [] }) },
    { ...open, path: "/api/version", handle: say({ version }) },
    { ...open, path: "/", handle: () => Effect.succeed(HttpServerResponse.text("Spillway is running")) }
  ]
}

const json = (body: object) => HttpServerResponse.text(JSON.stringify(body), { contentType: "application/json" })
