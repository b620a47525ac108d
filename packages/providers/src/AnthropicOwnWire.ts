/**
 * The wire of what only Claude does: counting tokens before they are spent, and what there is to know of its models.
 *
 * @see https://platform.claude.com/docs/en/api/messages/count_tokens
 * @see https://platform.claude.com/docs/en/api/models/list
 * @since 0.1.0
 */
import type * as Completion from "@spillway/core/Completion"
import type * as LlmError from "@spillway/core/LlmError"
import type * as Model from "@spillway/core/Model"
import * as Either from "effect/Either"
import * as AnthropicWire from "./AnthropicWire.js"
import type * as HttpBackend from "./HttpBackend.js"
import * as Json from "./internal/json.js"

/**
 * The header that asks for beta features, for a request that wants some.
 *
 * @since 0.1.0
 * @category translations
 */
export const toBetas = ({ providerOptions }: Completion.Request): Pick<HttpBackend.Outgoing, "headers"> => {
  const betas = providerOptions?.anthropic?.betas ?? []
  return betas.length === 0 ? {} : { headers: { "anthropic-beta": betas.join(",") } }
}

// -----------------------------------------------------------------------------
// tokens
// -----------------------------------------------------------------------------

/**
 * The tokens of what a request says, counted without asking the model.
 *
 * @since 0.1.0
 * @category operations
 */
export const countTokens: HttpBackend.Operation<Completion.Request, number> = {
  request: (request) =>
    Either.map(AnthropicWire.toInput(request, { backend: "anthropic" }), (body) => ({
      method: "POST",
      path: "/v1/messages/count_tokens",
      body,
      ...toBetas(request)
    })),
  response: (body, exchange) => {
    const tokens = Json.count(Json.get(body, "input_tokens"))
    return tokens === undefined
      ? Either.left(exchange.malformed("a count of tokens without input_tokens"))
      : Either.right(tokens)
  }
}

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * What Anthropic says of a model; what an older server does not tell is absent.
 *
 * @since 0.1.0
 * @category models
 */
export interface ModelDetails extends Model.Model {
  /** Where it stands: `active`, `deprecated` (it still answers), `retired` (it does not), or a later word. */
  readonly lifecycle?: string
  /** The line it belongs to: `opus`, `sonnet`, `haiku` … */
  readonly line?: string
  /** When it was deprecated, in seconds since 1970. */
  readonly deprecated?: number
  /** When it is to be retired, in seconds since 1970; a date in the past does not mean that it was. */
  readonly retires?: number
  /**
   * What it can do, in the API's own words: `image_input`, `pdf_input`, `structured_outputs`, and below them, as
   * `thinking.types.adaptive` or `effort.high`.
   */
  readonly capabilities?: ReadonlySet<string>
}

/**
 * The common part of what is known of a model.
 *
 * @since 0.1.0
 * @category translations
 */
export const toModel = ({ contextWindow, created, displayName, id, maxOutputTokens }: ModelDetails): Model.Model =>
  Json.defined({ id, displayName, created, contextWindow, maxOutputTokens })

/**
 * Models as they come, page by page.
 *
 * @since 0.1.0
 * @category models
 */
export interface Page {
  readonly models: ReadonlyArray<ModelDetails>
  /** The model after which the next page begins. */
  readonly next: string | undefined
}

/**
 * A page of models, the first or the one after that model.
 *
 * @since 0.1.0
 * @category operations
 */
export const models: HttpBackend.Operation<string | undefined, Page> = {
  request: (after) =>
    Either.right({
      method: "GET",
      path: `/v1/models?limit=1000${after === undefined ? "" : `&after_id=${encodeURIComponent(after)}`}`
    }),
  response: (body, exchange) => {
    const data = Json.get(body, "data")
    if (!Array.isArray(data)) return Either.left(exchange.malformed("a list of models without data"))
    const last = Json.get(body, "has_more") === true ? Json.name(Json.get(body, "last_id")) : undefined
    return Either.right({
      models: data.flatMap((model) => toDetails(model) ?? []),
      next: last === exchange.input ? undefined : last
    })
  }
}

/**
 * One model.
 *
 * @since 0.1.0
 * @category operations
 */
export const model: HttpBackend.Operation<string, ModelDetails> = {
  request: (id) => Either.right({ method: "GET", path: `/v1/models/${encodeURIComponent(id)}` }),
  response: (body, exchange): Either.Either<ModelDetails, LlmError.LlmError> => {
    const details = toDetails(body)
    return details === undefined ? Either.left(exchange.malformed("a model without id")) : Either.right(details)
  }
}

const toDetails = (model: unknown): ModelDetails | undefined => {
  const id = Json.name(Json.get(model, "id"))
  return id === undefined ? undefined : Json.defined({
    id,
    displayName: Json.name(Json.get(model, "display_name")),
    // a date that is not known comes as the first day of 1970
    created: instant(Json.get(model, "created_at")) || undefined,
    contextWindow: Json.count(Json.get(model, "max_input_tokens")),
    maxOutputTokens: Json.count(Json.get(model, "max_tokens")),
    lifecycle: Json.name(Json.get(model, "lifecycle")),
    line: Json.name(Json.get(model, "line")),
    deprecated: instant(Json.get(model, "deprecated_at")),
    retires: instant(Json.get(model, "retires_at")),
    capabilities: capabilitiesOf(Json.get(model, "capabilities"))
  })
}

const instant = (u: unknown): number | undefined => {
  const millis = Date.parse(Json.string(u) ?? "")
  return Number.isNaN(millis) ? undefined : Math.max(0, Math.floor(millis / 1000))
}

/** The paths of all that is `supported`. */
const capabilitiesOf = (capabilities: unknown): ReadonlySet<string> | undefined => {
  if (!Json.isObject(capabilities)) return undefined
  const supported = new Set<string>()
  const visit = (at: Json.Fields, path: string): void => {
    if (at["supported"] === true && path !== "") supported.add(path)
    for (const [name, below] of Object.entries(at)) {
      if (Json.isObject(below)) visit(below, path === "" ? name : `${path}.${name}`)
    }
  }
  visit(capabilities, "")
  return supported
}
