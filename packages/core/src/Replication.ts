/**
 * Several stores as one, each of which holds every object: what is written is written to all of them, what is read is
 * read from the first that has it.
 *
 * A write that reached some of them only is a `PartialFailure` that names both; to write again does no harm where it is
 * written. One that reached none fails as it failed with the first. A read goes on to the next store after any error
 * that another store may not have; that an object is in none of them is said only when all have answered so.
 *
 * Put policies around each of the stores rather than around all of them: what one of them failed at is then tried again
 * there alone, and the open circuit of one keeps nobody from reading another.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Stream from "effect/Stream"
import { pages } from "./internal/objectBatches.js"
import * as Copies from "./internal/objectCopies.js"
import * as LlmError from "./LlmError.js"
import type * as ObjectBackend from "./ObjectBackend.js"
import type * as Objects from "./Objects.js"
import * as ObjectStore from "./ObjectStore.js"

/**
 * One store of several.
 *
 * @since 0.1.0
 * @category models
 */
export interface Replica {
  /** What a `PartialFailure` calls it. */
  readonly name: string
  readonly store: ObjectStore.Service
}

/**
 * Several stores as one. Listings are those of the first store that answers; `uploads` names those of every store
 * apart, to be aborted; a presigned address to write at is `Unsupported`, since it leads to one store only.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  backend: string,
  replicas: Arr.NonEmptyReadonlyArray<Replica>
): ObjectStore.Service => {
  const stores = Arr.map(replicas, ({ store }) => store.definition)
  const first = stores[0]
  const everywhere = writer(backend, replicas)
  const anywhere = reader(stores)
  const once = <A>(answers: Effect.Effect<Arr.NonEmptyReadonlyArray<A>, LlmError.LlmError>) =>
    Effect.map(answers, (all) => all[0])
  const nowhere = (upload: Objects.Upload) =>
    new LlmError.NotFound({
      backend,
      resource: `${upload.bucket}/${upload.key}`,
      message: `${backend}: this replica has no part in the upload ${upload.id}`
    })
  const own = <A>(
    upload: Objects.Upload,
    exchange: (
      store: ObjectBackend.Definition,
      upload: Objects.Upload,
      index: number
    ) => Effect.Effect<A, LlmError.LlmError>
  ) =>
    everywhere((store, index) => {
      const its = Copies.uploadOf(upload, index)
      return its === undefined ? Effect.fail(nowhere(upload)) : exchange(store, its, index)
    })
  const joinParts = (parts: Arr.NonEmptyReadonlyArray<ObjectBackend.Part>): ObjectBackend.Part => ({
    ...parts[0],
    etag: Copies.joinEtags(parts.map(({ etag }) => etag))
  })

  const exchanges: ObjectBackend.Exchanges = {
    put: (object) => once(everywhere(({ exchanges }) => exchanges.put(object))),
    get: (at, range) => anywhere(({ exchanges }) => exchanges.get(at, range)),
    head: (at) => anywhere(({ exchanges }) => exchanges.head(at)),
    list(what, from) {
      const { cursor, index } = Copies.cursorOf(from)
      const page = (store: ObjectBackend.Definition, index: number) =>
        Effect.map(store.exchanges.list(what, cursor), ({ items, next }) => ({
          items,
          ...(next !== undefined && { next: Copies.joinCursor(index, next) })
        }))
      return from === undefined ? anywhere(page) : page(stores[index] ?? first, index)
    },
    remove: (at) => once(everywhere(({ exchanges }) => exchanges.remove(at))),
    removeMany: (bucket, keys) =>
      Effect.map(everywhere(({ exchanges }) => exchanges.removeMany(bucket, keys)), (answers) => {
        const told = answers.map((answer) => new Map(answer.map((one) => [one.key, one] as const)))
        return keys.flatMap((key) => {
          const ones = told.flatMap((of) => of.get(key) ?? [])
          if (ones.length < told.length) return []
          const failed = ones.flatMap(({ error }, index) => error === undefined ? [] : [{ index, error }])
          return [Arr.isNonEmptyArray(failed) ? { key, error: verdict(backend, replicas, failed) } : { key }]
        })
      }),
    copy: (from, to) => once(everywhere(({ exchanges }) => exchanges.copy(from, to))),
    begin: (object) =>
      Effect.map(
        everywhere(({ exchanges }) => exchanges.begin(object), (begun) =>
          Effect.forEach(begun, ([index, upload]) => Effect.ignore(stores[index]!.exchanges.abort(upload)), {
            discard: true
          })),
        (uploads) => Copies.joinUploads(object, uploads)
      ),
    sendPart: (upload, number, bytes) =>
      Effect.map(own(upload, ({ exchanges }, its) => exchanges.sendPart(its, number, bytes)), joinParts),
    copyPart: (upload, number, from, range) =>
      Effect.map(own(upload, ({ exchanges }, its) => exchanges.copyPart(its, number, from, range)), joinParts),
    listParts: (upload) =>
      Effect.map(
        own(upload, ({ exchanges }, its) =>
          Effect.map(
            Stream.runCollect(pages((from) => exchanges.listParts(its, from))),
            (parts) => new Map(Chunk.map(parts, (part) => [part.number, part] as const))
          )),
        ([first, ...others]) => ({
          items: Array.from(first.values()).flatMap((part) => {
            const same = others.map((parts) => parts.get(part.number)).filter((other) => other?.size === part.size)
            return same.length < others.length ? [] : [joinParts([part, ...same.map((other) => other!)])]
          })
        })
      ),
    complete: (upload, parts, ifAbsent) =>
      once(own(upload, ({ exchanges }, its, index) =>
        exchanges.complete(its, parts.map((part) => Copies.etagOf(part, index)), ifAbsent))),
    abort: (upload) =>
      once(everywhere(({ exchanges }, index) => {
        const its = Copies.uploadOf(upload, index)
        return its === undefined ? Effect.void : exchanges.abort(its)
      })),
    uploads(bucket, prefix, from) {
      const { cursor, index } = Copies.cursorOf(from)
      const store = stores[index] ?? first
      return Effect.map(store.exchanges.uploads(bucket, prefix, cursor), ({ items, next }) => ({
        items: items.map((upload) =>
          Copies.joinUploads(upload, stores.map((_, at) => at === index ? upload : undefined))
        ),
        ...(next !== undefined
          ? { next: Copies.joinCursor(index, next) }
          : index + 1 < stores.length && { next: Copies.joinCursor(index + 1, undefined) })
      }))
    },
    createBucket: (bucket) => once(everywhere(({ exchanges }) => exchanges.createBucket(bucket))),
    deleteBucket: (bucket) => once(everywhere(({ exchanges }) => exchanges.deleteBucket(bucket))),
    listBuckets: () => anywhere(({ exchanges }) => exchanges.listBuckets())
  }

  return ObjectStore.make({
    backend,
    exchanges,
    presign: (method, at, validFor) =>
      method === "GET"
        ? first.presign(method, at, validFor)
        : Effect.fail(
          new LlmError.Unsupported({
            backend,
            feature: "presign",
            message: `${backend}: an address to write at leads to one of the replicas only`
          })
        ),
    parts: {
      ...first.parts,
      bytes: Math.max(...stores.map(({ parts }) => parts.bytes)),
      minBytes: Math.max(...stores.map(({ parts }) => parts.minBytes)),
      concurrency: Math.min(...stores.map(({ parts }) => parts.concurrency)),
      most: Math.min(...stores.map(({ parts }) => parts.most)),
      maxCopyBytes: Math.min(...stores.map(({ parts }) => parts.maxCopyBytes)),
      etagOfAll: (parts) => first.parts.etagOfAll(parts.map((part) => Copies.etagOf(part, 0)))
    }
  })
}

// -----------------------------------------------------------------------------
// all, or the first
// -----------------------------------------------------------------------------

interface Failed {
  readonly index: number
  readonly error: LlmError.LlmError
}

/** What to say of what failed with some. */
const verdict = (
  backend: string,
  replicas: ReadonlyArray<Replica>,
  failed: Arr.NonEmptyReadonlyArray<Failed>
): LlmError.LlmError => {
  if (failed.length === replicas.length) return failed[0].error
  const name = ({ index }: Failed) => replicas[index]!.name
  const done = replicas.filter((_, at) => failed.every(({ index }) => index !== at))
  return new LlmError.PartialFailure({
    backend,
    message: `${backend}: done with ${done.map(({ name }) => name).join(", ")}; ${
      failed.map((one) => `not with ${name(one)}: ${one.error.message}`).join("; ")
    }`,
    done: done.map(({ name }) => name),
    failed: failed.map((one) => ({ at: name(one), reason: one.error._tag, message: one.error.message }))
  })
}

const writer = (backend: string, replicas: Arr.NonEmptyReadonlyArray<Replica>) =>
<A>(
  exchange: (store: ObjectBackend.Definition, index: number) => Effect.Effect<A, LlmError.LlmError>,
  undo: (done: ReadonlyArray<readonly [index: number, answer: A]>) => Effect.Effect<void> = () => Effect.void
): Effect.Effect<Arr.NonEmptyReadonlyArray<A>, LlmError.LlmError> =>
  Effect.flatMap(
    Effect.forEach(replicas, ({ store }, index) => Effect.either(exchange(store.definition, index)), {
      concurrency: "unbounded"
    }),
    (answers) => {
      const done = answers.flatMap((answer, index) => Either.isRight(answer) ? [[index, answer.right] as const] : [])
      const failed = answers.flatMap((answer, index) => Either.isLeft(answer) ? [{ index, error: answer.left }] : [])
      const all = done.map(([, answer]) => answer)
      if (Arr.isNonEmptyReadonlyArray(failed)) {
        return Effect.zipRight(undo(done), Effect.fail(verdict(backend, replicas, failed)))
      }
      // with none failed there are as many answers as stores
      return Effect.succeed(all as unknown as Arr.NonEmptyReadonlyArray<A>)
    }
  )

const reader = (stores: ReadonlyArray<ObjectBackend.Definition>) =>
<A, R>(
  exchange: (store: ObjectBackend.Definition, index: number) => Effect.Effect<A, LlmError.LlmError, R>
): Effect.Effect<A, LlmError.LlmError, R> => {
  const from = (index: number, worst: LlmError.LlmError | undefined): Effect.Effect<A, LlmError.LlmError, R> =>
    Effect.catchAll(exchange(stores[index]!, index), (error) => {
      if (LlmError.retriability(error) === "Never") return Effect.fail(error)
      // that one of them is out of reach leaves open whether it has the object
      const said = worst === undefined || worst._tag === "NotFound" ? error : worst
      return index + 1 < stores.length ? from(index + 1, said) : Effect.fail(said)
    })
  return from(0, undefined)
}
