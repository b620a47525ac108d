/**
 * The API that Anthropic's clients speak: messages, the counting of tokens, and models, for every backend there is.
 *
 * @since 0.1.0
 */
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as LlmError from "@spillway/core/LlmError"
import type * as LlmService from "@spillway/core/LlmService"
import type * as Model from "@spillway/core/Model"
import * as Tokens from "@spillway/core/Tokens"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as AnthropicEvents from "./AnthropicEvents.js"
import * as AnthropicFault from "./AnthropicFault.js"
import * as AnthropicInbound from "./AnthropicInbound.js"
import * as AnthropicOutbound from "./AnthropicOutbound.js"
import * as EventStream from "./EventStream.js"
import * as Exchange from "./Exchange.js"
import * as JsonBody from "./JsonBody.js"
import * as ModelNames from "./ModelNames.js"
import { field, type Refusal } from "./Refusal.js"

/**
 * The routes of this API. Its models have the paths that OpenAI's have too: who sends `anthropic-version` means these.
 *
 * @since 0.1.0
 * @category constructors
 */
export const routes = (service: LlmService.Service, options: {
  /** Most bytes of a request's body. */
  readonly bodyLimit: number
}): ReadonlyArray<Exchange.Route> => {
  const common = { kind: "call", refuse: AnthropicFault.toResponse } as const
  const models = { ...common, method: "GET", header: "anthropic-version" } as const

  const messages: Exchange.Route["handle"] = (exchange) =>
    Effect.flatMap(
      Effect.flatMap(JsonBody.read(exchange.request, options.bodyLimit), AnthropicInbound.toMessage),
      ({ request, stream }) => {
        exchange.model = request.model
        const envelope = { id: `msg_${exchange.id}`, model: request.model }
        return stream
          ? Effect.map(
            EventStream.respond(exchange, service.streamText(request), () => AnthropicEvents.writer(envelope, exchange)),
            (response) => withId(response, exchange)
          )
          : Effect.map(
            Exchange.under(exchange, service.generateText(request)),
            (completion) => json(AnthropicOutbound.fromCompletion(completion, envelope), exchange)
          )
      }
    )

  const countTokens: Exchange.Route["handle"] = (exchange) =>
    Effect.map(
      Effect.flatMap(JsonBody.read(exchange.request, options.bodyLimit), AnthropicInbound.toCount),
      (request) => {
        exchange.model = request.model
        return json({ input_tokens: Tokens.estimate(request).input }, exchange)
      }
    )

  const list: Exchange.Route["handle"] = (exchange) =>
    Effect.flatMap(pageOf(exchange.request.url), (page) =>
      Effect.flatMap(Exchange.under(exchange, service.listModels), (models) =>
        Effect.map(cut(models, page), (body) => json(body, exchange))))

  const one: Exchange.Route["handle"] = (exchange) =>
    Effect.flatMap(Exchange.under(exchange, service.listModels), (models) => {
      const found = ModelNames.find(models, exchange.path.slice("/v1/models/".length))
      return Option.isSome(found)
        ? Effect.succeed(json(AnthropicOutbound.fromModel(found.value), exchange))
        : Effect.fail(new LlmError.ModelNotFound({ backend: service.backend, message: "There is no such model" }))
    })

  return [
    { ...common, method: "POST", path: "/v1/messages", handle: messages },
    { ...common, method: "POST", path: "/v1/messages/count_tokens", handle: countTokens },
    { ...models, path: "/v1/models", handle: list },
    { ...models, path: "/v1/models/", prefix: true, handle: one }
  ]
}

const withId = (response: HttpServerResponse.HttpServerResponse, { id }: Exchange.Exchange) =>
  HttpServerResponse.setHeader(response, "request-id", id)

const json = (body: object, exchange: Exchange.Exchange) =>
  withId(HttpServerResponse.text(JSON.stringify(body), { contentType: "application/json" }), exchange)

// -----------------------------------------------------------------------------
// pages
// -----------------------------------------------------------------------------

interface Page {
  readonly limit: number
  readonly after: string | null
  readonly before: string | null
}

const parameters: ReadonlySet<string> = new Set(["limit", "after_id", "before_id", "beta"])

const pageOf = (url: string): Either.Either<Page, Refusal> => {
  const query = new URLSearchParams(url.split("?")[1] ?? "")
  for (const name of query.keys()) {
    if (!parameters.has(name)) return Either.left(field(name.slice(0, 100), "is not a parameter of this API"))
  }
  const limit = query.get("limit") ?? "20"
  const [after, before] = [query.get("after_id"), query.get("before_id")]
  if (!/^\d{1,4}$/.test(limit) || Number(limit) < 1 || Number(limit) > 1000) {
    return Either.left(field("limit", "must be a whole number from 1 to 1000"))
  }
  return after !== null && before !== null
    ? Either.left(field("before_id", "cannot be said beside after_id"))
    : Either.right({ limit: Number(limit), after, before })
}

const cut = (models: ReadonlyArray<Model.Model>, { after, before, limit }: Page): Either.Either<object, Refusal> => {
  const cursor = after ?? before
  const at = cursor === null ? -1 : models.findIndex(({ id }) => id === cursor)
  if (cursor !== null && at < 0) {
    return Either.left(field(after === null ? "before_id" : "after_id", "is not the id of a model"))
  }
  const from = before === null ? at + 1 : Math.max(0, at - limit)
  const to = before === null ? Math.min(models.length, from + limit) : at
  const data = models.slice(from, to).map(AnthropicOutbound.fromModel)
  return Either.right({
    data,
    has_more: before === null ? to < models.length : from > 0,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null
  })
}
