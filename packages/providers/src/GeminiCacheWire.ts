/**
 * What Gemini keeps for later requests: the beginning of a conversation (system messages, files, tools), paid for by
 * the hour, and then for less than if it were sent again. A request names it in `providerOptions.gemini.cachedContent`.
 * It belongs to the project of the key that it was made with: let all keys of a pool be of one project, if you use it.
 *
 * @see https://ai.google.dev/api/caching
 * @since 0.1.0
 */
import type * as Completion from "@spillway/core/Completion"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as GeminiWire from "./GeminiWire.js"
import type * as HttpBackend from "./HttpBackend.js"
import * as Models from "./internal/geminiModels.js"
import * as Json from "./internal/json.js"

/**
 * What is to be kept, and for how long.
 *
 * @since 0.1.0
 * @category models
 */
export interface Create extends Pick<Completion.Request, "model" | "prompt" | "tools" | "toolChoice"> {
  /** How long it is kept, from one second on. @default "1 hour" (the API's) */
  readonly ttl?: Duration.DurationInput
  /** A name for people. */
  readonly displayName?: string
}

/**
 * Something that is kept.
 *
 * @since 0.1.0
 * @category models
 */
export interface Cache {
  /** What a request calls it: `cachedContents/…`. */
  readonly name: string
  /** The model that can use it. */
  readonly model: string
  readonly displayName?: string
  /** Until when it is kept, in milliseconds since 1970. */
  readonly expiresAt?: number
  /** How many tokens it has. */
  readonly tokens?: number
}

/**
 * Caches, and where the next of them begin.
 *
 * @since 0.1.0
 * @category models
 */
export interface Page {
  readonly caches: ReadonlyArray<Cache>
  readonly next: string | undefined
}

/**
 * Keeps something.
 *
 * @since 0.1.0
 * @category operations
 */
export const create = (root: string): HttpBackend.Operation<Create, Cache> => ({
  request: ({ displayName, ttl, ...said }) =>
    Either.right({
      method: "POST",
      path: `${root}/cachedContents`,
      body: {
        model: Models.resource(said.model),
        displayName,
        ...GeminiWire.toConversation(said),
        ttl: ttl === undefined ? undefined : seconds(ttl)
      }
    }),
  response: one
})

/**
 * What is known of something that is kept.
 *
 * @since 0.1.0
 * @category operations
 */
export const get = (root: string): HttpBackend.Operation<string, Cache> => ({
  request: (name) => Either.right({ method: "GET", path: `${root}/${pathOf(name)}` }),
  response: one
})

/**
 * A page of all that is kept; the input is where it begins.
 *
 * @since 0.1.0
 * @category operations
 */
export const list = (root: string): HttpBackend.Operation<string | undefined, Page> => ({
  request: (token) =>
    Either.right({
      method: "GET",
      path: `${root}/cachedContents?pageSize=1000${
        token === undefined ? "" : `&pageToken=${encodeURIComponent(token)}`
      }`
    }),
  // an empty list is told by telling nothing
  response: (body) =>
    Either.right({
      caches: Json.array(Json.get(body, "cachedContents")).flatMap(toCache),
      next: Json.name(Json.get(body, "nextPageToken"))
    })
})

/**
 * Keeps something for that long from now on.
 *
 * @since 0.1.0
 * @category operations
 */
export const keep = (
  root: string
): HttpBackend.Operation<{ readonly name: string; readonly ttl: Duration.DurationInput }, Cache> => ({
  request: ({ name, ttl }) =>
    Either.right({ method: "PATCH", path: `${root}/${pathOf(name)}`, body: { ttl: seconds(ttl) } }),
  response: one
})

/**
 * Keeps something no longer.
 *
 * @since 0.1.0
 * @category operations
 */
export const remove = (root: string): HttpBackend.Operation<string, void> => ({
  request: (name) => Either.right({ method: "DELETE", path: `${root}/${pathOf(name)}` }),
  reads: "text",
  response: () => Either.void
})

const pathOf = (name: string): string => `cachedContents/${encodeURIComponent(name.replace(/^cachedContents\//, ""))}`

const seconds = (ttl: Duration.DurationInput): string => `${Duration.toSeconds(ttl)}s`

const one: HttpBackend.Operation<unknown, Cache>["response"] = (body, exchange) => {
  const [cache] = toCache(body)
  return cache === undefined ? Either.left(exchange.malformed("a cache without a name")) : Either.right(cache)
}

const toCache = (cache: unknown): ReadonlyArray<Cache> => {
  const name = Json.name(Json.get(cache, "name"))
  const expiresAt = Date.parse(Json.string(Json.get(cache, "expireTime")) ?? "")
  return name === undefined ? [] : [Json.defined({
    name,
    model: (Json.string(Json.get(cache, "model")) ?? "").replace(/^models\//, ""),
    displayName: Json.name(Json.get(cache, "displayName")),
    expiresAt: Number.isNaN(expiresAt) ? undefined : expiresAt,
    tokens: Json.count(Json.get2(cache, "usageMetadata", "totalTokenCount"))
  })]
}
