/**
 * Gemini's cached contents: the beginnings of conversations that it keeps for a while.
 *
 * @see https://ai.google.dev/api/caching
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Fields from "./Fields.js"
import * as Conversation from "./GeminiConversation.js"
import * as Request from "./GeminiRequest.js"
import type * as Models from "./Models.js"
import * as Reply from "./Reply.js"
import * as Seed from "./Seed.js"
import * as Wire from "./Wire.js"

/**
 * Something that is kept.
 *
 * @since 0.1.0
 * @category models
 */
export interface Cached {
  readonly name: string
  readonly body: Fields.Json
  readonly model: Models.Model
  readonly tokens: number
  readonly createdAt: number
  readonly expiresAt: number
}

/**
 * All that is kept, by name. It changes in place.
 *
 * @since 0.1.0
 * @category models
 */
export type Caches = Map<string, Cached>

/**
 * What is kept under that name and has not expired.
 *
 * @since 0.1.0
 * @category accessors
 */
export const find = (caches: Caches, name: string, now: number): Cached | undefined => {
  const found = caches.get(name)
  return found === undefined || found.expiresAt <= now ? undefined : found
}

/**
 * There is none, or it is another's: which of the two is not told.
 *
 * @since 0.1.0
 * @category constructors
 */
export const absent = Wire.Failure.Rejected({
  status: 403,
  code: "PERMISSION_DENIED",
  message: "CachedContent not found (or permission denied)"
})

const hour = 3_600_000

/**
 * What can be asked about them, below `/v1beta`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const routes = (
  caches: Caches,
  modelOf: (name: string) => Models.Model | undefined
): ReadonlyArray<Wire.Route> => {
  const one = (call: Wire.Call, then: (found: Cached) => unknown): Either.Either<Wire.Answer, Wire.Failure> => {
    const found = find(caches, `cachedContents/${call.rest}`, call.now)
    return found === undefined ? Either.left(absent) : Either.right(Wire.free(then(found)))
  }
  return [
    { method: "GET", path: "/v1beta/cachedContents", answer: ({ now }) => listed(caches, now) },
    { method: "POST", path: "/v1beta/cachedContents", answer: (call) => create(caches, modelOf, call) },
    { method: "GET", path: "/v1beta/cachedContents/*", answer: (call) => one(call, described) },
    {
      method: "PATCH",
      path: "/v1beta/cachedContents/*",
      answer: (call) => {
        const body = bodyOf(call)
        const violation = Request.requests.updateCache(body)
        return violation !== undefined
          ? Either.left(Wire.Failure.Invalid({ violation, body }))
          : one(call, (found) => {
              const kept = { ...found, expiresAt: expiry(body, call.now) }
              caches.set(found.name, kept)
              return described(kept)
            })
      }
    },
    {
      method: "DELETE",
      path: "/v1beta/cachedContents/*",
      answer: (call) =>
        one(call, ({ name }) => {
          caches.delete(name)
          return {}
        })
    }
  ]
}

const listed = (caches: Caches, now: number): Either.Either<Wire.Answer, Wire.Failure> => {
  const kept = Array.from(caches.values()).filter(({ expiresAt }) => expiresAt > now)
  return Either.right(Wire.free(kept.length === 0 ? {} : { cachedContents: kept.map(described) }))
}

const create = (
  caches: Caches,
  modelOf: (name: string) => Models.Model | undefined,
  call: Wire.Call
): Either.Either<Wire.Answer, Wire.Failure> => {
  const { id, now } = call
  const body = bodyOf(call)
  const violation = Request.requests.createCache(body)
  if (violation !== undefined) return Either.left(Wire.Failure.Invalid({ violation, body }))
  const named = Fields.stringOf(body["model"]).replace(/^models\//, "")
  const model = modelOf(named)
  if (model === undefined || model.kind === "embedding") return Either.left(Wire.Failure.NoModel({ model: named }))
  const cached: Cached = {
    name: `cachedContents/${Seed.identifier(Seed.at(id, 5), 40, "abcdefghijklmnopqrstuvwxyz0123456789")}`,
    body,
    model,
    tokens: Reply.input(Conversation.from(body, model, undefined, 1)),
    createdAt: now,
    expiresAt: expiry(body, now)
  }
  caches.set(cached.name, cached)
  return Either.right(Wire.free(described(cached)))
}

const bodyOf = (call: Wire.Call): Fields.Json => {
  const named = Request.camel(call.body)
  return Fields.isJson(named) ? named : {}
}

const expiry = (body: Fields.Json, now: number): number => {
  const [, seconds] = /^(\d+(?:\.\d+)?)s$/.exec(Fields.stringOf(body["ttl"])) ?? []
  if (seconds !== undefined) return now + Number(seconds) * 1000
  const time = Date.parse(Fields.stringOf(body["expireTime"]))
  return Number.isNaN(time) ? now + hour : time
}

const described = ({ body, createdAt, expiresAt, model, name, tokens }: Cached) => ({
  name,
  model: `models/${model.id}`,
  createTime: new Date(createdAt).toISOString(),
  updateTime: new Date(createdAt).toISOString(),
  expireTime: new Date(expiresAt).toISOString(),
  ...(body["displayName"] === undefined ? {} : { displayName: body["displayName"] }),
  usageMetadata: { totalTokenCount: tokens }
})
