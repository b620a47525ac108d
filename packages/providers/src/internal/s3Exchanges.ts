/**
 * Every exchange that a store of objects is made of, as S3 has it.
 */
import * as LlmError from "@spillway/core/LlmError"
import type * as ObjectBackend from "@spillway/core/ObjectBackend"
import type * as Objects from "@spillway/core/Objects"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as S3Answers from "./s3Answers.js"
import type { Wire } from "./s3Attempt.js"
import * as S3Exchange from "./s3Exchange.js"
import * as S3Requests from "./s3Requests.js"
import * as Xml from "./xml.js"

type Read<A> = (answer: S3Exchange.Answer) => Either.Either<A, LlmError.LlmError>

const nothing: Read<void> = () => Either.void

/** The document of an answer, or that there is none. */
const document = <A>(read: (root: Xml.Element, answer: S3Exchange.Answer) => A): Read<A> => (answer) =>
  answer.root === undefined
    ? Either.left(answer.malformed("the answer is no XML"))
    : Either.right(read(answer.root, answer))

/** The exchanges over a wire. With `only`, an endpoint is named by what it gives out, since others do not know it. */
export const make = (wire: Wire, only: string | undefined): ObjectBackend.Exchanges => {
  const requests = S3Requests.make(wire.backend)
  const several = only === undefined && wire.endpoints.size > 1
  const ask = <A>(operation: string, request: S3Exchange.Asked["request"], read: Read<A>, at = only) =>
    S3Exchange.whole(wire, { operation, request, at }, read)
  const named = (answer: S3Exchange.Answer) => several ? { at: answer.endpoint.name } : {}

  const pageOf = <A>(
    page: (root: Xml.Element, answer: S3Exchange.Answer) => S3Answers.Page<A>,
    from: ObjectBackend.Cursor | undefined
  ): Read<ObjectBackend.Page<A>> =>
  (answer) =>
    Either.flatMap(document(page)(answer), ({ items, rest }): Either.Either<ObjectBackend.Page<A>, LlmError.LlmError> =>
      rest === undefined
        ? Either.right({ items })
        // a listing that leads to where it came from would never end, and one that leads nowhere is not whole
        : rest === "unknown" || rest.token === from?.token
        ? Either.left(answer.malformed("the listing goes on, and does not say where"))
        : Either.right({ items, next: { ...rest, ...named(answer) } }))

  const etagOf = (answer: S3Exchange.Answer): string | undefined =>
    answer.root === undefined
      ? S3Answers.bare(answer.headers["etag"])
      : S3Answers.bare(Xml.textOf(answer.root, "ETag")?.trim())

  const stored = (at: Objects.Description, size: number): Read<Objects.Info> => (answer) => {
    const etag = etagOf(answer)
    return Either.right({
      bucket: at.bucket,
      key: at.key,
      size,
      ...(etag !== undefined && { etag }),
      ...(at.contentType !== undefined && { contentType: at.contentType }),
      metadata: at.metadata ?? {}
    })
  }

  const partOf = (number: number, size: number): Read<ObjectBackend.Part> => (answer) => {
    const etag = etagOf(answer)
    return etag === undefined
      ? Either.left(answer.malformed("the answer to a part has no etag"))
      : Either.right({ number, etag, size })
  }

  const remove: ObjectBackend.Exchanges["remove"] = (at) => ask("remove", requests.remove(at), nothing)

  /** Keys that XML has no way to write go one by one. */
  const removeEach = (bucket: string, keys: ReadonlyArray<string>) =>
    Effect.forEach(keys, (key) =>
      Effect.match(remove({ bucket, key }), {
        onSuccess: (): Objects.Deleted => ({ key }),
        onFailure: (error): Objects.Deleted => ({ key, error })
      }))

  const removeBatch = (bucket: string, keys: ReadonlyArray<string>) =>
    keys.length === 0 ? Effect.succeed([]) : ask(
      "removeMany",
      requests.removeMany(bucket, keys),
      document((root, answer): ReadonlyArray<Objects.Deleted> =>
        S3Answers.removed(root).map(({ failure, key }) =>
          failure === undefined ? { key } : { key, error: answer.failure(failure, `${bucket}/${key}`) }
        )
      )
    )

  return {
    put: (object) => ask("put", requests.put(object), stored(object, object.body.length)),
    get: (at, range) =>
      Effect.map(
        S3Exchange.open(
          wire,
          { operation: "get", request: requests.get(at, range), at: only },
          (status) =>
            range !== undefined && status !== 206 ? "the answer is not the part that was asked for" : undefined
        ),
        ({ bytes, headers }): Objects.Content => {
          const part = S3Answers.part(headers["content-range"])
          const length = S3Answers.count(headers["content-length"]) ?? part.length
          const size = part.size ?? length ?? 0
          return { info: S3Answers.info(at, headers, size), ...(length !== undefined && { length }), bytes }
        }
      ),
    head: (at) =>
      ask("head", requests.head(at), ({ headers, malformed }) => {
        const size = S3Answers.count(headers["content-length"])
        return size === undefined
          ? Either.left(malformed("the answer does not tell the object's size"))
          : Either.right(S3Answers.info(at, headers, size))
      }),
    list: (what, from) =>
      ask(
        "list",
        requests.list(what, from?.token),
        pageOf((root) => S3Answers.list(root, what.bucket), from),
        from?.at
      ),
    remove,
    removeMany: (bucket, keys) =>
      Effect.flatMap(removeBatch(bucket, keys.filter(Xml.isSpeakable)), (told) =>
        Effect.map(removeEach(bucket, keys.filter((key) => !Xml.isSpeakable(key))), (others) => [...told, ...others])),
    copy: (from, to) => ask("copy", requests.copy(from, to), document(() => undefined)),
    begin: (object) =>
      ask("begin", requests.begin(object), (answer) =>
        Either.flatMap(document((root) => Xml.textOf(root, "UploadId"))(answer), (id) =>
          id === undefined
            ? Either.left(answer.malformed("the upload that was begun has no id"))
            : Either.right({ bucket: object.bucket, key: object.key, id, ...named(answer) }))),
    sendPart: (upload, number, bytes) =>
      ask("sendPart", requests.sendPart(upload, number, bytes), partOf(number, bytes.length), upload.at),
    copyPart: (upload, number, from, range) =>
      ask(
        "copyPart",
        requests.copyPart(upload, number, from, range),
        partOf(number, range.end - range.start + 1),
        upload.at
      ),
    listParts: (upload, from) =>
      ask("listParts", requests.listParts(upload, from?.token), pageOf(S3Answers.parts, from), upload.at),
    complete: (upload, parts, ifAbsent) =>
      ask(
        "complete",
        requests.complete(upload, parts, ifAbsent),
        (answer) =>
          answer.root === undefined
            ? Either.left(answer.malformed("the answer does not say whether the upload was completed"))
            : stored(upload, parts.reduce((size, part) => size + part.size, 0))(answer),
        upload.at
      ),
    abort: (upload) =>
      Effect.catchTag(ask("abort", requests.abort(upload), nothing, upload.at), "NotFound", () => Effect.void),
    uploads: (bucket, prefix, from) =>
      ask(
        "uploads",
        requests.uploads(bucket, prefix, from?.token),
        pageOf((root, answer) => {
          const { items, rest } = S3Answers.uploads(root, bucket)
          return { items: items.map((upload) => ({ ...upload, ...named(answer) })), rest }
        }, from),
        from?.at
      ),
    createBucket: (bucket) =>
      Effect.catchIf(
        ask("createBucket", requests.createBucket(bucket), nothing),
        (error) => error._tag === "Conflict" && error.code === "BucketAlreadyOwnedByYou",
        () => Effect.void
      ),
    deleteBucket: (bucket) => ask("deleteBucket", requests.deleteBucket(bucket), nothing),
    listBuckets: () => ask("listBuckets", requests.listBuckets(), document(S3Answers.buckets))
  }
}

/** Succeeds when the bucket is there, and one may look into it. */
export const headBucket = (wire: Wire, bucket: string): Effect.Effect<void, LlmError.LlmError> =>
  S3Exchange.whole(wire, { operation: "health", request: S3Requests.make(wire.backend).headBucket(bucket) }, nothing)
