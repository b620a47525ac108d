/**
 * A backend of objects as data: how each single exchange with it goes, and how it wants what goes up in parts.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type * as LlmError from "./LlmError.js"
import type * as Objects from "./Objects.js"

/**
 * What a backend of objects is: all that `ObjectStore.make` has to know of it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Definition {
  /** The backend's name, as errors and metrics carry it. */
  readonly backend: string
  readonly exchanges: Exchanges
  readonly presign: (
    method: "GET" | "PUT",
    at: Objects.Location,
    validFor?: Duration.DurationInput
  ) => Effect.Effect<Redacted.Redacted, LlmError.LlmError>
  readonly parts: Parts
}

/**
 * Single exchanges with a backend: one request, one answer. What needs several is `ObjectStore.make`'s.
 *
 * @since 0.1.0
 * @category models
 */
export interface Exchanges {
  readonly put: (object: Whole) => Effect.Effect<Objects.Info, LlmError.LlmError>
  readonly get: (
    at: Objects.Location,
    range?: Objects.Range
  ) => Effect.Effect<Objects.Content, LlmError.LlmError, Scope.Scope>
  readonly head: (at: Objects.Location) => Effect.Effect<Objects.Info, LlmError.LlmError>
  readonly list: (
    what: Objects.List,
    from?: Cursor
  ) => Effect.Effect<Page<Objects.Entry>, LlmError.LlmError>
  readonly remove: (at: Objects.Location) => Effect.Effect<void, LlmError.LlmError>
  /** At most 1000 keys, each once; what became of each that the backend spoke of. */
  readonly removeMany: (
    bucket: string,
    keys: ReadonlyArray<string>
  ) => Effect.Effect<ReadonlyArray<Objects.Deleted>, LlmError.LlmError>
  /** An object of at most 5 GiB. */
  readonly copy: (from: Objects.Location, to: Objects.Location) => Effect.Effect<void, LlmError.LlmError>
  readonly begin: (object: Objects.Description) => Effect.Effect<Objects.Upload, LlmError.LlmError>
  readonly sendPart: (
    upload: Objects.Upload,
    number: number,
    bytes: Uint8Array
  ) => Effect.Effect<Part, LlmError.LlmError>
  readonly copyPart: (
    upload: Objects.Upload,
    number: number,
    from: Objects.Location,
    range: { readonly start: number; readonly end: number }
  ) => Effect.Effect<Part, LlmError.LlmError>
  /** The parts that an upload has. */
  readonly listParts: (upload: Objects.Upload, from?: Cursor) => Effect.Effect<Page<Part>, LlmError.LlmError>
  /** `NotFound` when there is no such upload (any more). */
  readonly complete: (
    upload: Objects.Upload,
    parts: ReadonlyArray<Part>,
    ifAbsent: boolean
  ) => Effect.Effect<Objects.Info, LlmError.LlmError>
  readonly abort: (upload: Objects.Upload) => Effect.Effect<void, LlmError.LlmError>
  readonly uploads: (
    bucket: string,
    prefix: string | undefined,
    from?: Cursor
  ) => Effect.Effect<Page<Objects.Upload>, LlmError.LlmError>
  readonly createBucket: (bucket: string) => Effect.Effect<void, LlmError.LlmError>
  readonly deleteBucket: (bucket: string) => Effect.Effect<void, LlmError.LlmError>
  readonly listBuckets: () => Effect.Effect<ReadonlyArray<string>, LlmError.LlmError>
}

/**
 * What can be asked of a store: the name of each single exchange, as policies, metrics and traces see it.
 *
 * @since 0.1.0
 * @category models
 */
export type Operation = keyof Exchanges

/**
 * An object that is sent in one exchange.
 *
 * @since 0.1.0
 * @category models
 */
export interface Whole extends Objects.Description {
  readonly body: Uint8Array
  readonly ifAbsent: boolean
}

/**
 * Some of many, and where the rest begins, if there is more.
 *
 * @since 0.1.0
 * @category models
 */
export interface Page<A> {
  readonly items: ReadonlyArray<A>
  readonly next?: Cursor
}

/**
 * Where the rest of many begins, in words that only the backend understands.
 *
 * @since 0.1.0
 * @category models
 */
export interface Cursor {
  readonly token: string
  /** Which of a backend's endpoints knows the token, where there are several. */
  readonly at?: string
}

/**
 * One part of an upload; the first has the number 1.
 *
 * @since 0.1.0
 * @category models
 */
export interface Part {
  readonly number: number
  readonly etag: string
  /** In bytes. */
  readonly size: number
}

/**
 * How a backend wants what goes up in parts.
 *
 * @since 0.1.0
 * @category models
 */
export interface Parts {
  /** Bytes of a part, but the last. Past the thousandth part of a stream whose size is not known they grow. */
  readonly bytes: number
  /** How many are sent at once. */
  readonly concurrency: number
  /** Fewest bytes of a part, but the last. */
  readonly minBytes: number
  /** Most parts of an upload. */
  readonly most: number
  /** Most bytes that are copied in one exchange. */
  readonly maxCopyBytes: number
  /** The etag that a part of these bytes has; it tells whether a part that is there is the same. */
  readonly etagOf: (bytes: Uint8Array) => string
  /** The etag that an object of these parts has; it tells whether a completion whose answer was lost has been made. */
  readonly etagOfAll: (parts: ReadonlyArray<Part>) => string
}
