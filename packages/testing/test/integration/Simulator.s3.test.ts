import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  type GetObjectCommandInput,
  HeadObjectCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
  UploadPartCopyCommand
} from "@aws-sdk/client-s3"
import { getSignedUrl } from "@aws-sdk/s3-request-presigner"
import { FetchHttpClient } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import type { LlmError, ObjectStore } from "@spillway/core"
import * as S3 from "@spillway/providers/S3"
import type * as Simulator from "@spillway/testing/Simulator"
import { Effect, Redacted, Stream } from "effect"
import * as Xml from "../../../providers/src/internal/xml.js"
import { rejection, served } from "./served.js"

const Bucket = "spillway"

/** Amazon's own client before a simulator that has the bucket. */
const client = (secret?: string) =>
  Effect.gen(function*() {
    const { simulator, variable } = yield* served()
    const make = (secretAccessKey: string) =>
      new S3Client({
        endpoint: variable("S3_ENDPOINT"),
        region: "us-east-1",
        forcePathStyle: true,
        maxAttempts: 1,
        credentials: { accessKeyId: variable("S3_ACCESS_KEY") || variable("S3_ACCESS_KEY_1"), secretAccessKey }
      })
    const s3 = make(variable("S3_SECRET_KEY") || variable("S3_SECRET_KEY_1"))
    yield* Effect.promise(() => s3.send(new CreateBucketCommand({ Bucket })))
    return { simulator, variable, s3: secret === undefined ? s3 : make(secret) }
  })

/** Both before the same simulator, with the same credentials. */
const both = Effect.gen(function*() {
  const { s3, simulator, variable } = yield* client()
  const { store } = yield* S3.make({
    endpoints: [{
      url: variable("S3_ENDPOINT"),
      accessKeyId: variable("S3_ACCESS_KEY") || variable("S3_ACCESS_KEY_1"),
      secretAccessKey: Redacted.make(variable("S3_SECRET_KEY") || variable("S3_SECRET_KEY_1")),
      region: "us-east-1"
    }]
  }).pipe(Effect.provide(FetchHttpClient.layer))
  return { s3, simulator, store }
})

const large = new Uint8Array(5 * 1024 * 1024)

const read = async (s3: S3Client, what: GetObjectCommandInput) =>
  (await s3.send(new GetObjectCommand(what))).Body!.transformToString()

/** A document as lines, whatever the order of its elements. */
const lines = ({ children, name, text }: Xml.Element): ReadonlyArray<string> =>
  children.length === 0
    ? [`${name}: ${text}`]
    : children.flatMap(lines).map((line) => `${name}/${line}`).toSorted()

/** What of a request must be the same, whoever sends it. */
const asked = ({ body, headers, method, url }: Simulator.Exchange) => {
  const { pathname, searchParams } = new URL(url, "http://simulator")
  searchParams.delete("x-id") // which only says to people what it is
  searchParams.delete("encoding-type") // ours asks for it, since keys may hold what XML cannot
  if (searchParams.get("prefix") === "") searchParams.delete("prefix")
  if (searchParams.has("uploadId")) searchParams.set("uploadId", "one of many")
  searchParams.sort()
  const told = ["content-type", "range", "if-none-match", "x-amz-copy-source", "x-amz-copy-source-range", "x-amz-meta-x"]
  // a slash behind a bucket, and before a source, may stand there or not
  const values = told.map((name) => headers[name] && decodeURIComponent(headers[name]).replace(/^\//, ""))
  if (body === undefined || body === "") values.shift() // theirs says what a body would be that is not there
  const document = typeof body === "string" && body.startsWith("<") ? Xml.parse(body) : undefined
  return [method, pathname.replace(/\/$/, ""), `${searchParams}`, ...values, document === undefined ? body : lines(document.root)]
}

describe("Amazon's own client and the simulator", () => {
  it.scopedLive("store, find, copy and remove objects, by awkward keys too", () =>
    Effect.gen(function*() {
      const { s3 } = yield* client()
      yield* Effect.promise(async () => {
        const keys = ["a b+c%20", "dir/é-漢.txt", "plain"]
        for (const Key of keys) await s3.send(new PutObjectCommand({ Bucket, Key, Body: `of ${Key}`, Metadata: { x: "1" } }))
        const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: keys[0]! }))
        assert.strictEqual(await Body!.transformToString(), `of ${keys[0]!}`)
        assert.deepStrictEqual((await s3.send(new HeadObjectCommand({ Bucket, Key: keys[1]! }))).Metadata, { x: "1" })
        await s3.send(new CopyObjectCommand({ Bucket, Key: "copy", CopySource: `${Bucket}/plain` }))
        const listed = await s3.send(new ListObjectsV2Command({ Bucket, MaxKeys: 3 }))
        assert.deepStrictEqual(listed.Contents?.map(({ Key }) => Key), ["a b+c%20", "copy", "dir/é-漢.txt"])
        const Objects = [{ Key: "copy" }, { Key: "plain" }]
        assert.strictEqual((await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }))).Deleted?.length, 2)
      })
    }))

  it.scopedLive("agree on an address that is signed for a while", () =>
    Effect.gen(function*() {
      const { s3 } = yield* client()
      const read = yield* Effect.promise(async () => {
        await s3.send(new PutObjectCommand({ Bucket, Key: "a", Body: "content" }))
        const url = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: "a" }), { expiresIn: 60 })
        const forged = url.replace(/X-Amz-Signature=./, (begin) => begin.slice(0, -1) + (begin.endsWith("0") ? "1" : "0"))
        return [await (await fetch(url)).text(), (await fetch(forged)).status]
      })
      assert.deepStrictEqual(read, ["content", 403])
    }))

  it.scopedLive("disagree on another secret, and on what is not there", () =>
    Effect.gen(function*() {
      const other = yield* client("another-secret")
      const refused = yield* rejection(() => other.s3.send(new ListObjectsV2Command({ Bucket })))
      assert.propertyVal(refused, "name", "SignatureDoesNotMatch")
      const { s3 } = yield* client()
      const missing = yield* rejection(() => s3.send(new GetObjectCommand({ Bucket, Key: "nothing" })))
      assert.propertyVal(missing, "name", "NoSuchKey")
    }))

  const Key = "dir/é b+c"
  const at = { bucket: Bucket, key: Key }
  const objects = { "dir/é b+c": "0123456789", "<a> & b": "x" }

  /** What is asked of a bucket that holds these objects: through Amazon's client, and through our backend. */
  const alike: {
    readonly [name: string]: readonly [
      theirs: (s3: S3Client) => Promise<unknown>,
      ours: (store: ObjectStore.Service) => Effect.Effect<unknown, LlmError.LlmError>
    ]
  } = {
    "to store an object": [
      (s3) => s3.send(new PutObjectCommand({ Bucket, Key, Body: "content", ContentType: "text/plain", Metadata: { x: "1" } })),
      (store) => store.put({ ...at, body: "content", contentType: "text/plain", metadata: { x: "1" } })
    ],
    "to store what is not there yet": [
      (s3) => s3.send(new PutObjectCommand({ Bucket, Key: "new", Body: "new", IfNoneMatch: "*" })),
      (store) => store.put({ ...at, key: "new", body: "new", ifAbsent: true })
    ],
    "what an object is": [(s3) => s3.send(new HeadObjectCommand({ Bucket, Key })), (store) => store.head(at)],
    "for an object": [(s3) => read(s3, { Bucket, Key }), (store) => store.read(at)],
    "for a part of an object": [
      (s3) => read(s3, { Bucket, Key, Range: "bytes=0-2" }),
      (store) => store.read(at, { start: 0, end: 2 })
    ],
    "for a listing, page by page": [
      async (s3) => {
        const what = { Bucket, Prefix: "", MaxKeys: 1, StartAfter: "!" }
        const { NextContinuationToken } = await s3.send(new ListObjectsV2Command(what))
        await s3.send(new ListObjectsV2Command({ ...what, ContinuationToken: NextContinuationToken! }))
      },
      (store) => Stream.runDrain(store.list({ bucket: Bucket, pageSize: 1, after: "!" }))
    ],
    "for a listing of what lies under a prefix": [
      (s3) => s3.send(new ListObjectsV2Command({ Bucket, Prefix: "dir/", Delimiter: "/", MaxKeys: 10 })),
      (store) => Stream.runDrain(store.list({ bucket: Bucket, prefix: "dir/", delimiter: "/", pageSize: 10 }))
    ],
    "to copy": [
      (s3) => s3.send(new CopyObjectCommand({ Bucket, Key: "copy", CopySource: `${Bucket}/${encodeURIComponent(Key)}` })),
      ({ definition: { exchanges } }) => exchanges.copy(at, { ...at, key: "copy" })
    ],
    "to remove": [(s3) => s3.send(new DeleteObjectCommand({ Bucket, Key })), (store) => store.remove(at)],
    "to remove many": [
      (s3) =>
        s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: Object.keys(objects).map((Key) => ({ Key })) } })),
      (store) => store.removeMany(Bucket, Object.keys(objects))
    ],
    "to upload in parts, where one is a copy": [
      async (s3) => {
        const description = { Bucket, Key: "new", ContentType: "a/b", Metadata: { x: "1" } }
        const { UploadId } = await s3.send(new CreateMultipartUploadCommand(description))
        const upload = { Bucket, Key: "new", UploadId }
        const { ETag } = await s3.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body: large }))
        const CopySource = `${Bucket}/${encodeURIComponent("<a> & b")}`
        const { CopyPartResult } = await s3.send(
          new UploadPartCopyCommand({ ...upload, PartNumber: 2, CopySource, CopySourceRange: "bytes=0-0" })
        )
        await s3.send(new ListPartsCommand({ ...upload, MaxParts: 1000 }))
        const Parts = [{ ETag, PartNumber: 1 }, { ETag: CopyPartResult?.ETag, PartNumber: 2 }]
        const MultipartUpload = { Parts }
        await s3.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload, IfNoneMatch: "*" }))
      },
      ({ definition: { exchanges } }) =>
        Effect.gen(function*() {
          const description = { ...at, key: "new", contentType: "a/b", metadata: { x: "1" } }
          const upload = yield* exchanges.begin(description)
          const first = yield* exchanges.sendPart(upload, 1, large)
          const second = yield* exchanges.copyPart(upload, 2, { ...at, key: "<a> & b" }, { start: 0, end: 0 })
          yield* exchanges.listParts(upload)
          yield* exchanges.complete(upload, [first, second], true)
        })
    ],
    "for uploads that were begun, and to abort one": [
      async (s3) => {
        const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key, ContentType: "a/b" }))
        await s3.send(new ListMultipartUploadsCommand({ Bucket, Prefix: "dir/" }))
        await s3.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }))
      },
      (store) =>
        Effect.gen(function*() {
          const upload = yield* store.begin({ ...at, contentType: "a/b" })
          yield* Stream.runDrain(store.uploads(Bucket, "dir/"))
          yield* store.abort(upload)
        })
    ],
    "for buckets": [
      async (s3) => {
        await s3.send(new CreateBucketCommand({ Bucket: "another" }))
        await s3.send(new ListBucketsCommand())
        await s3.send(new DeleteBucketCommand({ Bucket: "another" }))
      },
      (store) =>
        Effect.gen(function*() {
          yield* store.createBucket("another")
          yield* store.listBuckets
          yield* store.deleteBucket("another")
        })
    ]
  }
  for (const [name, [theirs, ours]] of Object.entries(alike)) {
    it.scopedLive(`are asked the same by it and by our backend: ${name}`, () =>
      Effect.gen(function*() {
        const during = (call: (s3: S3Client, store: ObjectStore.Service) => Effect.Effect<unknown, LlmError.LlmError>) =>
          Effect.gen(function*() {
            const { s3, simulator, store } = yield* both
            for (const [key, body] of Object.entries(objects)) yield* store.put({ ...at, key, body })
            const begun = (yield* simulator.requests).length
            yield* call(s3, store)
            return (yield* simulator.requests).slice(begun).map(asked)
          })
        const expected = yield* during((s3) => Effect.promise(() => theirs(s3)))
        const sent = yield* during((_, store) => ours(store))
        assert.deepStrictEqual(sent, expected)
      }))
  }

  it.scopedLive("are given the same address to read or write at, and take both", () =>
    Effect.gen(function*() {
      const { s3, store } = yield* both
      const theirs = {
        GET: (how: { readonly signingDate: Date }) =>
          getSignedUrl(s3, new GetObjectCommand({ Bucket, Key }), { ...how, expiresIn: 600 }),
        PUT: (how: { readonly signingDate: Date }) =>
          getSignedUrl(s3, new PutObjectCommand({ Bucket, Key }), { ...how, expiresIn: 600 })
      }
      for (const method of ["GET", "PUT"] as const) {
        const our = new URL(Redacted.value(yield* store.presign(method, at, "10 minutes")))
        const signed = our.searchParams.get("X-Amz-Date")!.replace(/^(....)(..)(..T..)(..)/, "$1-$2-$3:$4:")
        const their = new URL(yield* Effect.promise(() => theirs[method]({ signingDate: new Date(signed) })))
        // what it says beside signing: a name for people, that the body is not signed, checksums it would like
        const more = /^(x-id|X-Amz-Content-Sha256|X-Amz-Signature|x-amz-checksum-.*|x-amz-sdk-.*)$/
        const told = ({ host, pathname, searchParams }: URL) => [
          host,
          pathname,
          ...[...searchParams].filter(([name]) => !more.test(name)).toSorted()
        ]
        assert.deepStrictEqual(told(our), told(their))
        for (const url of [our, their]) {
          yield* store.put({ ...at, body: "content" })
          const { status } = yield* Effect.promise(() => fetch(url, { method, ...(method === "PUT" && { body: "new" }) }))
          const is = new TextDecoder().decode(yield* store.read(at))
          assert.deepStrictEqual([status, is], [200, method === "PUT" ? "new" : "content"])
        }
      }
    }))
})
