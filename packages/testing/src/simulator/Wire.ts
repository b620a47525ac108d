/**
 * What a vendor's API has to say for itself, so that the simulator can speak it: one file a wire. The simulator does
 * the rest once for all of them: keys, limits, faults, delays, the journal.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import type * as Either from "effect/Either"
import type * as Fields from "./Fields.js"
import type * as Limit from "./Limit.js"
import type * as Models from "./Models.js"
import type { RetryAfter } from "./Settings.js"

/**
 * A wire.
 *
 * @since 0.1.0
 * @category models
 */
export interface Wire {
  /** The vendor, which is also where its paths begin: "groq" for `/groq/openai/v1/models`. */
  readonly name: string
  /** What comes between the origin and the vendor's paths in the variable that holds its base URL: "/openai/v1". */
  readonly baseUrl: string
  /** The vendor's variables for base URL and key; no key where the API has none. */
  readonly variables: {
    readonly baseUrl: string
    readonly key?: string
    /** Whatever else a program must be told, by variable. */
    readonly more?: (keys: ReadonlyArray<string>) => { readonly [variable: string]: string }
  }
  /** Whether a request needs a key. Without one there are no limits either. */
  readonly keyed: boolean
  /** Whether the limits count requests per day besides those per minute. */
  readonly daily: boolean
  /** Whether a body must call itself JSON. */
  readonly demandsJson: boolean
  readonly routes: ReadonlyArray<Route>
  /** The key that a request presents, in its headers or its query (which begins with `?`, or is empty). */
  readonly credential: (headers: Headers, query: string) => string | undefined
  /** The headers of every answer to a request whose key is good. */
  readonly headers: (answered: Answered) => { readonly [name: string]: string }
  /** The forms in which this vendor says how long to wait, when it is left to itself. */
  readonly retryAfter: Exclude<RetryAfter, "vendor" | "none"> | "both"
  readonly refuse: {
    readonly [F in Failure["_tag"]]: (failure: Extract<Failure, { readonly _tag: F }>, call: Refused) => Refusal
  }
  /** The event that reports an error in the midst of a stream. */
  readonly streamError: (path: string, id: number) => string
}

/**
 * The headers of a request, in lower case.
 *
 * @since 0.1.0
 * @category models
 */
export type Headers = { readonly [name: string]: string | undefined }

/**
 * What can be asked of a vendor: a path (one that ends in `/*` stands for all below it, an exact one goes first), and
 * the answer to it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE"
  readonly path: string
  /** Open to anybody, key or not. */
  readonly open?: true
  /** Counts against the limits of its key. */
  readonly metered?: true
  /** Takes its body as bytes, which need not be JSON. */
  readonly raw?: true
  readonly answer: (call: Call) => Either.Either<Answer, Failure>
}

/**
 * A request with a good key, and what it is answered from.
 *
 * @since 0.1.0
 * @category models
 */
export interface Call {
  /** What the identifiers of the answer are made from. */
  readonly id: number
  readonly now: number
  /** As it was asked: a HEAD is answered as a GET is, and its content is not sent. */
  readonly method: string
  /** Path and query as they came. */
  readonly url: string
  readonly path: string
  /** What a `/*` in the path stands for, decoded. */
  readonly rest: string
  readonly query: URLSearchParams
  readonly headers: Headers
  /** The parsed body, the bytes of it where the route takes them; `undefined` for a GET, or a DELETE without one. */
  readonly body: unknown
  readonly answerTokens: number
  readonly latencyMillis: number
  readonly tokenDelayMillis: number
  /** Makes what must not be made up by the caller: a thinking block's signature. */
  readonly seed: number
}

/**
 * The answer to a good request. What it costs is known before it is written down.
 *
 * @since 0.1.0
 * @category models
 */
export interface Answer {
  readonly input: number
  readonly output: number
  readonly render: () => Body
}

/**
 * An answer as it goes over the wire: whole, as content of unknown kind, or as a stream of an opening, one frame per
 * token, and a closing.
 *
 * @since 0.1.0
 * @category models
 */
export type Body =
  | {
      readonly _tag: "Whole"
      readonly contentType: string
      readonly content: string | Uint8Array
      /** Headers of this answer alone. */
      readonly headers?: { readonly [name: string]: string }
      /** @default 200 */
      readonly status?: number
    }
  | {
      /** What has no words of its own: of such an answer nothing can be malformed, but it can stop half way. */
      readonly _tag: "Content"
      readonly contentType: string
      readonly content: Uint8Array
      readonly headers?: { readonly [name: string]: string }
      /** @default 200 */
      readonly status?: number
    }
  | {
      readonly _tag: "Frames"
      readonly contentType: string
      readonly opening: string
      readonly tokens: ReadonlyArray<string>
      readonly closing: string
    }

/**
 * Why a request is refused.
 *
 * @since 0.1.0
 * @category models
 */
export type Failure = Data.TaggedEnum<{
  NoRoute: { readonly method: string; readonly path: string }
  WrongMethod: { readonly method: string; readonly path: string; readonly allowed: string }
  NoKey: {}
  UnknownKey: { readonly presented: string }
  KeyExhausted: {}
  NotJson: { readonly reason: string; readonly empty: boolean }
  WrongContentType: { readonly contentType: string }
  BodyTooLarge: {}
  Invalid: { readonly violation: Fields.Violation; readonly body: unknown }
  /** A rule that only this vendor has, in its own words. */
  Rejected: { readonly message: string; readonly status?: number; readonly param?: string; readonly code?: string }
  NoModel: { readonly model: string }
  RateLimited: {
    readonly of: "requests" | "tokens" | "daily requests"
    readonly limit: number
    readonly used: number
    readonly wanted: number
    readonly waitMillis: number
    readonly model: string
  }
  TooManyTokens: { readonly limit: number; readonly wanted: number; readonly model: string }
  ServerError: {}
  Overloaded: {}
}>

/**
 * Makes and matches failures.
 *
 * @since 0.1.0
 * @category constructors
 */
export const Failure = Data.taggedEnum<Failure>()

/**
 * What a refusal may quote.
 *
 * @since 0.1.0
 * @category models
 */
export interface Refused {
  readonly id: number
  readonly path: string
}

/**
 * A refusal as it goes over the wire.
 *
 * @since 0.1.0
 * @category models
 */
export interface Refusal {
  readonly status: number
  readonly content: string
  /** @default "application/json" */
  readonly contentType?: string
  /** Whether the vendor shows what is left of the limits with it. */
  readonly limits?: true
  /** Whether the vendor says when to come back, if it knows. */
  readonly waits?: true
}

/**
 * What the headers of an answer may show.
 *
 * @since 0.1.0
 * @category models
 */
export interface Answered {
  readonly id: number
  readonly now: number
  readonly elapsedMillis: number
  /** What is left for this key; absent where nothing is limited or the vendor does not show it. */
  readonly requests: Limit.Limit | undefined
  readonly tokens: Limit.Limit | undefined
  readonly daily: Limit.Limit | undefined
}

/**
 * The model of that name among those that a vendor has.
 *
 * @since 0.1.0
 * @category accessors
 */
export const find = (models: ReadonlyArray<Models.Model>, name: string): Models.Model | undefined =>
  models.find((model) => model.id === name || model.snapshot === name)

/**
 * A whole answer in JSON.
 *
 * @since 0.1.0
 * @category constructors
 */
export const json = (content: unknown, contentType = "application/json"): Body => ({
  _tag: "Whole",
  contentType,
  content: typeof content === "string" ? content : JSON.stringify(content)
})

/**
 * An answer that costs nothing: a list, a description.
 *
 * @since 0.1.0
 * @category constructors
 */
export const free = (content: unknown, contentType?: string): Answer => ({
  input: 0,
  output: 0,
  render: () => json(content, contentType)
})
