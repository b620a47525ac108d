/**
 * What only Gemini does on its wire, besides caches (`GeminiCacheWire`): it counts the tokens of a prompt, embeds
 * contents that are more than text, and says of its models what can be asked of them.
 *
 * @see https://ai.google.dev/api/tokens
 * @see https://ai.google.dev/api/embeddings
 * @see https://ai.google.dev/api/models
 * @since 0.1.0
 */
import type * as Completion from "@spillway/core/Completion"
import type * as Embedding from "@spillway/core/Embedding"
import type * as Model from "@spillway/core/Model"
import type * as Prompt from "@spillway/core/Prompt"
import * as Either from "effect/Either"
import * as GeminiWire from "./GeminiWire.js"
import type * as HttpBackend from "./HttpBackend.js"
import * as Answer from "./internal/geminiAnswer.js"
import * as Models from "./internal/geminiModels.js"
import * as Json from "./internal/json.js"

/**
 * How many tokens a prompt has.
 *
 * @since 0.1.0
 * @category models
 */
export interface TokenCount {
  readonly tokens: number
  /** How many of them are cached. */
  readonly cachedTokens?: number
}

/**
 * Something to embed that is more than a text: a picture, a page, with words to it.
 *
 * @since 0.1.0
 * @category models
 */
export interface EmbedContent extends Omit<Embedding.Request, "input" | "user"> {
  readonly content: ReadonlyArray<Prompt.UserPart>
}

/**
 * A vector.
 *
 * @since 0.1.0
 * @category models
 */
export interface Embedded {
  readonly vector: ReadonlyArray<number>
  readonly usage: Completion.Usage
}

/**
 * What Gemini says of a model.
 *
 * @since 0.1.0
 * @category models
 */
export interface ModelDetails extends Model.Model {
  readonly description?: string
  /** What can be asked of it: `generateContent`, `embedContent`, `countTokens` … */
  readonly methods: ReadonlyArray<string>
  /** Whether it thinks; absent where it is not told. */
  readonly thinks?: boolean
}

/**
 * Models, and where the next of them begin.
 *
 * @since 0.1.0
 * @category models
 */
export interface Page {
  readonly models: ReadonlyArray<ModelDetails>
  readonly next: string | undefined
}

/**
 * Counts the tokens of what a request says. `root` is the path of the API's version, here and below.
 *
 * @since 0.1.0
 * @category operations
 */
export const countTokens = (root: string): HttpBackend.Operation<Completion.Request, TokenCount> => ({
  request: (request) => {
    const { contents, ...rest } = GeminiWire.toBody(request)
    const isMore = [rest.systemInstruction, rest.tools, rest.cachedContent].some((said) => said !== undefined)
    return Either.right({
      method: "POST",
      path: `${root}/${Models.path(request.model)}:countTokens`,
      body: isMore
        ? { generateContentRequest: { model: Models.resource(request.model), contents, ...rest } }
        : { contents }
    })
  },
  response: (body, exchange) => {
    const tokens = Json.count(Json.get(body, "totalTokens"))
    return tokens === undefined
      ? Either.left(exchange.malformed("a count of tokens without a number"))
      : Either.right(Json.defined({ tokens, cachedTokens: Json.count(Json.get(body, "cachedContentTokenCount")) }))
  }
})

/**
 * One vector of one content.
 *
 * @since 0.1.0
 * @category operations
 */
export const embedContent = (root: string): HttpBackend.Operation<EmbedContent, Embedded> => ({
  request: ({ content, ...request }) =>
    Either.right({
      method: "POST",
      path: `${root}/${Models.path(request.model)}:embedContent`,
      body: GeminiWire.toEmbedRequest(request, content)
    }),
  response: (body, exchange) => {
    const vector = Json.get2(body, "embedding", "values")
    return Answer.isVector(vector)
      ? Either.right({ vector, usage: Answer.toUsage(Json.get(body, "usageMetadata")) })
      : Either.left(exchange.malformed("an embedding without a vector"))
  }
})

/**
 * A page of the models; the input is where it begins.
 *
 * @since 0.1.0
 * @category operations
 */
export const models = (root: string): HttpBackend.Operation<string | undefined, Page> => ({
  request: (token) =>
    Either.right({
      method: "GET",
      path: `${root}/models?pageSize=1000${token === undefined ? "" : `&pageToken=${encodeURIComponent(token)}`}`
    }),
  response: (body, exchange) => {
    const models = Json.get(body, "models")
    return Array.isArray(models)
      ? Either.right({ models: models.flatMap(toModel), next: Json.name(Json.get(body, "nextPageToken")) })
      : Either.left(exchange.malformed("a list of models without models"))
  }
})

/**
 * What there is to know of one model; the input is its name.
 *
 * @since 0.1.0
 * @category operations
 */
export const model = (root: string): HttpBackend.Operation<string, ModelDetails> => ({
  request: (id) => Either.right({ method: "GET", path: `${root}/${Models.path(id)}` }),
  response: (body, exchange) => {
    const [model] = toModel(body)
    return model === undefined ? Either.left(exchange.malformed("a model without a name")) : Either.right(model)
  }
})

const toModel = (model: unknown): ReadonlyArray<ModelDetails> => {
  const id = Json.name(Json.get(model, "name"))?.replace(/^models\//, "")
  const thinks = Json.get(model, "thinking")
  return id === undefined ? [] : [Json.defined({
    id,
    displayName: Json.name(Json.get(model, "displayName")),
    description: Json.name(Json.get(model, "description")),
    contextWindow: Json.count(Json.get(model, "inputTokenLimit")),
    maxOutputTokens: Json.count(Json.get(model, "outputTokenLimit")),
    methods: Json.array(Json.get(model, "supportedGenerationMethods")).flatMap((name) => Json.name(name) ?? []),
    thinks: typeof thinks === "boolean" ? thinks : undefined
  })]
}
