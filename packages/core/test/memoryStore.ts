import type * as ObjectBackend from "@spillway/core/ObjectBackend"
import type * as Objects from "@spillway/core/Objects"
import * as LlmError from "@spillway/core/LlmError"
import * as ObjectStore from "@spillway/core/ObjectStore"
import { Effect, Redacted, Stream } from "effect"
import { createHash } from "node:crypto"

interface Stored {
  readonly bytes: Uint8Array
  readonly info: Objects.Info
}

/** One exchange that a store was asked for. */
export interface Asked {
  readonly operation: ObjectBackend.Operation
  readonly input: ReadonlyArray<any>
}

export type Memory = ReturnType<typeof make>

const md5 = (bytes: Uint8Array): string => createHash("md5").update(bytes).digest("hex")

/** A backend of objects in memory. `before` runs before each exchange, and may fail it. */
export const make = (options: {
  readonly backend?: string
  readonly parts?: Partial<ObjectBackend.Parts>
  readonly pageSize?: number
  readonly before?: (asked: Asked, index: number) => Effect.Effect<void, LlmError.LlmError>
  /** The bytes of an object as they come. */
  readonly content?: (bytes: Uint8Array) => Stream.Stream<Uint8Array, LlmError.LlmError>
} = {}) => {
  const { backend = "memory", before = () => Effect.void, content = Stream.make, pageSize = 2, parts } = options
  const objects = new Map<string, Stored>()
  const uploads = new Map<string, { readonly at: Objects.Upload; readonly parts: Map<number, Uint8Array> }>()
  const asked: Array<Asked> = []
  let ids = 0

  const asks = <I extends ReadonlyArray<any>, A, R = never>(
    operation: ObjectBackend.Operation,
    answer: (...input: I) => Effect.Effect<A, LlmError.LlmError, R>
  ) =>
  (...input: I): Effect.Effect<A, LlmError.LlmError, R> =>
    Effect.suspend(() => {
      const one = { operation, input }
      asked.push(one)
      return Effect.zipRight(before(one, asked.length - 1), Effect.suspend(() => answer(...input)))
    })

  const name = ({ bucket, key }: Objects.Location) => `${bucket}/${key}`
  const notFound = (resource: string) =>
    new LlmError.NotFound({ backend, resource, message: `no ${resource}` })
  const find = (at: Objects.Location) => {
    const stored = objects.get(name(at))
    return stored === undefined ? Effect.fail(notFound(name(at))) : Effect.succeed(stored)
  }
  const upload = ({ id }: Objects.Upload) => {
    const found = uploads.get(id)
    return found === undefined ? Effect.fail(notFound(id)) : Effect.succeed(found)
  }
  const store = (of: Objects.Description, bytes: Uint8Array, etag = md5(bytes)) =>
    Effect.sync(() => {
      const { bucket, contentType, key, metadata = {} } = of
      const described = { bucket, key, metadata, ...(contentType !== undefined && { contentType }) }
      const info = { ...described, size: bytes.length, etag }
      objects.set(name(info), { bytes, info })
      return info
    })
  const etagOfAll: ObjectBackend.Parts["etagOfAll"] = (parts) =>
    `${md5(Buffer.concat(parts.map(({ etag }) => Buffer.from(etag, "hex"))))}-${parts.length}`
  const page = <A>(all: ReadonlyArray<A>, from: ObjectBackend.Cursor | undefined): ObjectBackend.Page<A> => {
    const start = from === undefined ? 0 : Number(from.token)
    const end = start + pageSize
    return { items: all.slice(start, end), ...(end < all.length && { next: { token: String(end) } }) }
  }

  const exchanges: ObjectBackend.Exchanges = {
    put: asks("put", (object) =>
      object.ifAbsent && objects.has(name(object))
        ? Effect.fail(new LlmError.Conflict({ backend, message: "there is one" }))
        : store(object, object.body)),
    get: asks("get", (at, range) =>
      Effect.map(find(at), ({ bytes, info }) => {
        const [start, end] = range === undefined
          ? [0, bytes.length]
          : "last" in range
          ? [Math.max(0, bytes.length - range.last), bytes.length]
          : [range.start, (range.end ?? bytes.length - 1) + 1]
        const some = bytes.slice(start, end)
        return { info, length: some.length, bytes: content(some) }
      })),
    head: asks("head", (at) => Effect.map(find(at), ({ info }) => info)),
    list: asks("list", ({ bucket, prefix = "" }, from) =>
      Effect.sync(() => {
        const infos = [...objects.values()].map(({ info }) => info)
          .filter((info) => info.bucket === bucket && info.key.startsWith(prefix))
        const sorted = infos.toSorted((a, b) => a.key < b.key ? -1 : 1)
        return page(sorted.map((info) => ({ _tag: "Object" as const, info })), from)
      })),
    remove: asks("remove", (at) => Effect.sync(() => void objects.delete(name(at)))),
    removeMany: asks("removeMany", (bucket, keys) =>
      Effect.sync(() => {
        for (const key of keys) objects.delete(name({ bucket, key }))
        return keys.map((key) => ({ key }))
      })),
    copy: asks("copy", (from, to) =>
      Effect.flatMap(find(from), ({ bytes, info }) =>
        bytes.length > (parts?.maxCopyBytes ?? Infinity)
          ? Effect.fail(new LlmError.InvalidRequest({ backend, message: "too large to be copied" }))
          : Effect.asVoid(store({ ...info, ...to }, bytes)))),
    begin: asks("begin", (object) =>
      Effect.sync(() => {
        const at = { bucket: object.bucket, key: object.key, id: `upload-${++ids}` }
        uploads.set(at.id, { at, parts: new Map() })
        return at
      })),
    sendPart: asks("sendPart", (at, number, bytes) =>
      Effect.map(upload(at), (upload) => {
        upload.parts.set(number, bytes.slice())
        return { number, etag: md5(bytes), size: bytes.length }
      })),
    copyPart: asks("copyPart", (at, number, from, { end, start }) =>
      Effect.flatMap(upload(at), (upload) =>
        Effect.map(find(from), (stored) => {
          const bytes = stored.bytes.slice(start, end + 1)
          upload.parts.set(number, bytes)
          return { number, etag: md5(bytes), size: bytes.length }
        }))),
    listParts: asks("listParts", (at, from) =>
      Effect.map(upload(at), (upload) =>
        page(
          [...upload.parts].map(([number, bytes]) => ({ number, etag: md5(bytes), size: bytes.length }))
            .toSorted((a, b) => a.number - b.number),
          from
        ))),
    complete: asks("complete", (at, parts) =>
      Effect.flatMap(upload(at), (upload) => {
        uploads.delete(at.id)
        return store(at, Buffer.concat(parts.map(({ number }) => upload.parts.get(number)!)), etagOfAll(parts))
      })),
    abort: asks("abort", (at) => Effect.sync(() => void uploads.delete(at.id))),
    uploads: asks("uploads", (bucket, prefix = "", from) =>
      Effect.sync(() => {
        const all = [...uploads.values()].map(({ at }) => at)
        return page(all.filter((at) => at.bucket === bucket && at.key.startsWith(prefix)), from)
      })),
    createBucket: asks("createBucket", () => Effect.void),
    deleteBucket: asks("deleteBucket", () => Effect.void),
    listBuckets: asks("listBuckets", () =>
      Effect.sync(() => [...new Set(Array.from(objects.values(), ({ info }) => info.bucket))]))
  }
  const definition: ObjectBackend.Definition = {
    backend,
    exchanges,
    presign: (method, at) => Effect.succeed(Redacted.make(`${method} ${name(at)}`)),
    parts: {
      bytes: 4,
      concurrency: 2,
      minBytes: 2,
      most: 10_000,
      maxCopyBytes: 1000,
      etagOf: md5,
      etagOfAll,
      ...parts
    }
  }
  return {
    store: ObjectStore.make(definition),
    objects,
    uploads,
    asked,
    operations: () => asked.map(({ operation }) => operation),
    text: (at: Objects.Location) => {
      const stored = objects.get(name(at))
      return stored === undefined ? undefined : new TextDecoder().decode(stored.bytes)
    }
  }
}
