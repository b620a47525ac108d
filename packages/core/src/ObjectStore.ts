/**
 * Objects in buckets, behind the same policies and keys as models are: where models, documents and results are kept.
 *
 * It is a sibling of `LlmService`, not a part of it: nobody who asks a model wants `put`, and a store has no answer to
 * a prompt.
 *
 * There are two sides to it. A backend says in an `ObjectBackend.Definition` how each single exchange with it goes;
 * `make` builds the `Service` that a program uses from that, once for all backends: a large body goes up in parts, a
 * listing is one stream over its pages, any number of keys is removed in batches, and a download that breaks off is
 * gone on with. A policy stands around each *exchange* (see `ObjectStores`), so that what is tried again is one part,
 * not the upload.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Batches from "./internal/objectBatches.js"
import * as Reading from "./internal/objectReading.js"
import * as Uploading from "./internal/objectUpload.js"
import type * as LlmError from "./LlmError.js"
import type * as ObjectBackend from "./ObjectBackend.js"
import type * as Objects from "./Objects.js"
import * as Protection from "./Protection.js"

// -----------------------------------------------------------------------------
// what a program uses
// -----------------------------------------------------------------------------

/**
 * A store of objects.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  readonly backend: string
  /** What it is made from; policies and replication are put around its exchanges. */
  readonly definition: ObjectBackend.Definition
  readonly put: (object: Objects.Put) => Effect.Effect<Objects.Info, LlmError.LlmError>
  /** Opens an object. It is held open until its bytes are read, or the scope closes. */
  readonly get: (
    at: Objects.Location,
    range?: Objects.Range
  ) => Effect.Effect<Objects.Content, LlmError.LlmError, Scope.Scope>
  /**
   * The bytes of an object. Where they break off, reading goes on from there, if the object is still the same
   * (`Conflict` otherwise).
   */
  readonly stream: (at: Objects.Location, range?: Objects.Range) => Stream.Stream<Uint8Array, LlmError.LlmError>
  /** An object (or a part of it) as a whole, in memory. */
  readonly read: (at: Objects.Location, range?: Objects.Range) => Effect.Effect<Uint8Array, LlmError.LlmError>
  readonly head: (at: Objects.Location) => Effect.Effect<Objects.Info, LlmError.LlmError>
  /** Every entry, page after page, as it is read. */
  readonly list: (what: Objects.List) => Stream.Stream<Objects.Entry, LlmError.LlmError>
  /** Succeeds when there is no object, before or after. */
  readonly remove: (at: Objects.Location) => Effect.Effect<void, LlmError.LlmError>
  /**
   * Any number of keys; what became of each, in order. Fails only where nothing came of the very first batch; a later
   * batch that fails is the error of each of its keys.
   */
  readonly removeMany: (
    bucket: string,
    keys: ReadonlyArray<string>
  ) => Effect.Effect<ReadonlyArray<Objects.Deleted>, LlmError.LlmError>
  /** Within the backend; no byte comes here. */
  readonly copy: (from: Objects.Location, to: Objects.Location) => Effect.Effect<Objects.Info, LlmError.LlmError>
  /** Uploads under way in a bucket. */
  readonly uploads: (bucket: string, prefix?: string) => Stream.Stream<Objects.Upload, LlmError.LlmError>
  /** Begins an upload in parts, for `resume` to fill. */
  readonly begin: (object: Objects.Description) => Effect.Effect<Objects.Upload, LlmError.LlmError>
  /**
   * Sends what an upload still lacks of `body`, and completes it. The body is the whole one: parts of it that are there
   * already, and are the same, are not sent again.
   */
  readonly resume: (
    upload: Objects.Upload,
    body: Objects.Put["body"],
    options?: Pick<Objects.Put, "size" | "ifAbsent">
  ) => Effect.Effect<Objects.Info, LlmError.LlmError>
  /** Gives an upload up, and the parts it has. */
  readonly abort: (upload: Objects.Upload) => Effect.Effect<void, LlmError.LlmError>
  /**
   * An address at which anyone may read (or write) this object for a while, one hour if nothing else is said. It holds
   * a signature, so it is a secret.
   */
  readonly presign: (
    method: "GET" | "PUT",
    at: Objects.Location,
    validFor?: Duration.DurationInput
  ) => Effect.Effect<Redacted.Redacted, LlmError.LlmError>
  /** Succeeds when it is there already and one's own. */
  readonly createBucket: (bucket: string) => Effect.Effect<void, LlmError.LlmError>
  readonly deleteBucket: (bucket: string) => Effect.Effect<void, LlmError.LlmError>
  readonly listBuckets: Effect.Effect<ReadonlyArray<string>, LlmError.LlmError>
}

// -----------------------------------------------------------------------------
// the store
// -----------------------------------------------------------------------------

/**
 * The tag under which a program finds its store.
 *
 * @since 0.1.0
 * @category tags
 */
export class ObjectStore extends Context.Tag("@spillway/core/ObjectStore")<ObjectStore, Service>() {}

/**
 * A store from the exchanges of a backend.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (definition: ObjectBackend.Definition): Service =>
  Protection.own(definition.backend, (protection) => serve(within(definition, protection)))

const serve = (definition: ObjectBackend.Definition): Service => {
  const { backend, exchanges, presign } = definition
  return {
    backend,
    definition,
    put: (object) => Uploading.put(definition, object),
    get: exchanges.get,
    stream: (at, range) => Reading.stream(definition, at, range),
    read: (at, range) => Reading.whole(Reading.stream(definition, at, range)),
    head: exchanges.head,
    list: (what) => Batches.pages((from) => exchanges.list(what, from)),
    remove: exchanges.remove,
    removeMany: (bucket, keys) => Batches.removeMany(definition, bucket, keys),
    copy: (from, to) => Uploading.copy(definition, from, to),
    uploads: (bucket, prefix) => Batches.pages((from) => exchanges.uploads(bucket, prefix, from)),
    begin: exchanges.begin,
    resume: (upload, body, options) => Uploading.resume(definition, upload, body, options),
    abort: exchanges.abort,
    presign,
    createBucket: exchanges.createBucket,
    deleteBucket: exchanges.deleteBucket,
    listBuckets: Effect.suspend(exchanges.listBuckets)
  }
}

/** Each single exchange is protected, so that what is tried again is one part, not the upload. */
const within = (definition: ObjectBackend.Definition, protection: Protection.Protection): ObjectBackend.Definition => {
  const { exchanges } = definition
  const whole = <I extends ReadonlyArray<unknown>, A>(
    operation: ObjectBackend.Operation,
    exchange: (...input: I) => Effect.Effect<A, LlmError.LlmError>
  ) =>
  (...input: I): Effect.Effect<A, LlmError.LlmError> =>
    protection.whole({ operation, model: "" }, Effect.suspend(() => exchange(...input)))
  return {
    ...definition,
    exchanges: {
      put: whole("put", exchanges.put),
      get: (at, range) => protection.opened({ operation: "get", model: "" }, exchanges.get(at, range)),
      head: whole("head", exchanges.head),
      list: whole("list", exchanges.list),
      remove: whole("remove", exchanges.remove),
      removeMany: whole("removeMany", exchanges.removeMany),
      copy: whole("copy", exchanges.copy),
      begin: whole("begin", exchanges.begin),
      sendPart: whole("sendPart", exchanges.sendPart),
      copyPart: whole("copyPart", exchanges.copyPart),
      listParts: whole("listParts", exchanges.listParts),
      complete: whole("complete", exchanges.complete),
      abort: whole("abort", exchanges.abort),
      uploads: whole("uploads", exchanges.uploads),
      createBucket: whole("createBucket", exchanges.createBucket),
      deleteBucket: whole("deleteBucket", exchanges.deleteBucket),
      listBuckets: whole("listBuckets", exchanges.listBuckets)
    }
  }
}

// -----------------------------------------------------------------------------
// accessors
// -----------------------------------------------------------------------------

/**
 * Stores an object in whichever store the program was given.
 *
 * @since 0.1.0
 * @category accessors
 */
export const put = (object: Objects.Put): Effect.Effect<Objects.Info, LlmError.LlmError, ObjectStore> =>
  Effect.flatMap(ObjectStore, (store) => store.put(object))

/**
 * The bytes of an object, as they come.
 *
 * @since 0.1.0
 * @category accessors
 */
export const stream = (
  at: Objects.Location,
  range?: Objects.Range
): Stream.Stream<Uint8Array, LlmError.LlmError, ObjectStore> =>
  Stream.unwrap(Effect.map(ObjectStore, (store) => store.stream(at, range)))

/**
 * An object (or a part of it) as a whole, in memory.
 *
 * @since 0.1.0
 * @category accessors
 */
export const read = (
  at: Objects.Location,
  range?: Objects.Range
): Effect.Effect<Uint8Array, LlmError.LlmError, ObjectStore> =>
  Effect.flatMap(ObjectStore, (store) => store.read(at, range))

/**
 * What is known of an object without reading it.
 *
 * @since 0.1.0
 * @category accessors
 */
export const head = (at: Objects.Location): Effect.Effect<Objects.Info, LlmError.LlmError, ObjectStore> =>
  Effect.flatMap(ObjectStore, (store) => store.head(at))

/**
 * Every entry of a bucket, page after page, as it is read.
 *
 * @since 0.1.0
 * @category accessors
 */
export const list = (what: Objects.List): Stream.Stream<Objects.Entry, LlmError.LlmError, ObjectStore> =>
  Stream.unwrap(Effect.map(ObjectStore, (store) => store.list(what)))

/**
 * Removes an object; succeeds when there is none.
 *
 * @since 0.1.0
 * @category accessors
 */
export const remove = (at: Objects.Location): Effect.Effect<void, LlmError.LlmError, ObjectStore> =>
  Effect.flatMap(ObjectStore, (store) => store.remove(at))
