/**
 * What is said of objects in buckets: where one is, what is known of it, what is to be stored, listed or removed.
 *
 * @since 0.1.0
 */
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
 * What is stored with an object, besides its content.
 *
 * @since 0.1.0
 * @category models
 */
export interface Description extends Location {
  readonly contentType?: string
  /** Names and values in ASCII; names in lower case. */
  readonly metadata?: { readonly [name: string]: string }
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
 * An object and its content, which is read as it is needed, once.
 *
 * @since 0.1.0
 * @category models
 */
export interface Content {
  readonly info: Info
  /** How many bytes come: fewer than it has where a part was asked for. Absent where the backend does not say. */
  readonly length?: number
  readonly bytes: Stream.Stream<Uint8Array, LlmError.LlmError>
}

/**
 * What to store. What is larger than a part goes up in parts, as does a stream of which that is not known.
 *
 * @since 0.1.0
 * @category models
 */
export interface Put extends Description {
  /**
   * A stream is run once, and held in memory part by part. Where it fails with an error that is none of `LlmError`, the
   * call fails with an `InvalidRequest` that says so.
   */
  readonly body: Uint8Array | string | Stream.Stream<Uint8Array, unknown>
  /** The bytes of a stream, if they are known; one that turns out to have more or fewer is not stored. */
  readonly size?: number
  /** Fail with `Conflict` when there is an object already, where the backend can. @default false */
  readonly ifAbsent?: boolean
}

/**
 * Which part of an object, in bytes: from `start` (the first is 0) to `end`, both included; or the `last` so many.
 *
 * @since 0.1.0
 * @category models
 */
export type Range = { readonly start: number; readonly end?: number } | { readonly last: number }

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
  /** Which of a backend's endpoints knows of it, where there are several. */
  readonly at?: string
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
