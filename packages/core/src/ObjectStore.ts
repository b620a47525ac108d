/**
 * Objects in buckets, behind the same policies and keys as models are: where models, documents and results are kept.
 *
 * It is a sibling of `LlmService`, not a part of it: nobody who asks a model wants `put`, and a store has no answer to a
 * prompt.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type * as Stream from "effect/Stream"
import type * as LlmError from "./LlmError.js"

/**
 * Where an object is.
 *
 * @since 0.1.0
 * @category models
 */
export interface Location {
  readonly bucket: string
  readonly key: string
}

/**
 * What is known of an object without reading it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Info extends Location {
  /** In bytes. */
  readonly size: number
  /** What tells this content from another, without its quotation marks. */
  readonly etag?: string
  /** Milliseconds since 1970. */
  readonly lastModified?: number
  readonly contentType?: string
  /** What was stored beside it; names in lower case. */
  readonly metadata: { readonly [name: string]: string }
}

/**
 * An object and its content, which is read as it is needed.
 *
 * @since 0.1.0
 * @category models
 */
export interface Content {
  readonly info: Info
  readonly bytes: Stream.Stream<Uint8Array, LlmError.LlmError>
}

/**
 * What to store. A stream whose size is not known goes up in parts.
 *
 * @since 0.1.0
 * @category models
 */
export interface Put extends Location {
  readonly body: Uint8Array | string | Stream.Stream<Uint8Array, LlmError.LlmError>
  /** The bytes of a stream, if they are known. */
  readonly size?: number
  readonly contentType?: string
  readonly metadata?: { readonly [name: string]: string }
  /** Fail with `Conflict` when there is an object already, where the backend can. @default false */
  readonly ifAbsent?: boolean
}

/**
 * Which part of an object, in bytes: from `start` (the first is 0) to `end`, both included.
 *
 * @since 0.1.0
 * @category models
 */
export interface Range {
  readonly start: number
  readonly end?: number
}

/**
 * What to list: every key that begins with `prefix`; with a `delimiter`, what lies deeper appears as one prefix.
 *
 * @since 0.1.0
 * @category models
 */
export interface List {
  readonly bucket: string
  readonly prefix?: string
  readonly delimiter?: string
  /** Keys after this one only. */
  readonly after?: string
  /** How many are asked for at once, 1 to 1000. @default 1000 */
  readonly pageSize?: number
}

/**
 * One line of a listing.
 *
 * @since 0.1.0
 * @category models
 */
export type Entry =
  | { readonly _tag: "Object"; readonly info: Info }
  | { readonly _tag: "Prefix"; readonly prefix: string }

/**
 * An upload in parts that was begun. It can be kept, and gone on with after a crash.
 *
 * @since 0.1.0
 * @category models
 */
export interface Upload extends Location {
  readonly id: string
}

/**
 * What became of one key of many.
 *
 * @since 0.1.0
 * @category models
 */
export interface Deleted {
  readonly key: string
  readonly error?: LlmError.LlmError
}

/**
 * A store of objects.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  readonly backend: string
  readonly put: (object: Put) => Effect.Effect<Info, LlmError.LlmError>
  readonly get: (at: Location, range?: Range) => Effect.Effect<Content, LlmError.LlmError>
  readonly head: (at: Location) => Effect.Effect<Info, LlmError.LlmError>
  /** Every entry, page after page, as it is read. */
  readonly list: (what: List) => Stream.Stream<Entry, LlmError.LlmError>
  /** Succeeds when there is no object, before or after. */
  readonly remove: (at: Location) => Effect.Effect<void, LlmError.LlmError>
  /** Any number of keys; what became of each, in order. */
  readonly removeMany: (
    bucket: string,
    keys: ReadonlyArray<string>
  ) => Effect.Effect<ReadonlyArray<Deleted>, LlmError.LlmError>
  readonly copy: (from: Location, to: Location) => Effect.Effect<Info, LlmError.LlmError>
  /** Uploads under way in a bucket. */
  readonly uploads: (bucket: string, prefix?: string) => Stream.Stream<Upload, LlmError.LlmError>
  /** Begins an upload in parts. */
  readonly begin: (object: Omit<Put, "body" | "size">) => Effect.Effect<Upload, LlmError.LlmError>
  /** Sends what an upload still lacks of `body`, and completes it. Parts that are there already are not sent again. */
  readonly resume: (
    upload: Upload,
    body: Uint8Array | Stream.Stream<Uint8Array, LlmError.LlmError>
  ) => Effect.Effect<Info, LlmError.LlmError>
  readonly abort: (upload: Upload) => Effect.Effect<void, LlmError.LlmError>
  /** An address that anyone may read (or write) this object at for a while; it holds a signature, so it is a secret. */
  readonly presign: (
    method: "GET" | "PUT",
    at: Location,
    validFor?: Duration.DurationInput
  ) => Effect.Effect<Redacted.Redacted, LlmError.LlmError>
  readonly createBucket: (bucket: string) => Effect.Effect<void, LlmError.LlmError>
  readonly deleteBucket: (bucket: string) => Effect.Effect<void, LlmError.LlmError>
  readonly listBuckets: Effect.Effect<ReadonlyArray<string>, LlmError.LlmError>
}

/**
 * The tag under which a program finds its store.
 *
 * @since 0.1.0
 * @category tags
 */
export class ObjectStore extends Context.Tag("@spillway/core/ObjectStore")<ObjectStore, Service>() {}
