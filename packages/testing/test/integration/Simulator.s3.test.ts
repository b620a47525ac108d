import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client
} from "@aws-sdk/client-s3"
import { getSignedUrl } from "@aws-sdk/s3-request-presigner"
import { FetchHttpClient } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Stream } from "effect"
import * as S3 from "@spillway/providers/S3"
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

  it.scopedLive("are asked the same by it and by our backend", () =>
    Effect.gen(function*() {
      const { s3, simulator, variable } = yield* client()
      const asked = Effect.map(simulator.requests, (requests) =>
        requests.map(({ headers, method, url }) => {
          const { pathname, searchParams } = new URL(url, "http://simulator")
          searchParams.delete("x-id") // which only says to people what it is
          searchParams.delete("encoding-type") // ours asks for it, since keys may hold what XML cannot
          searchParams.sort()
          const told = ["content-type", "range", "x-amz-copy-source", "x-amz-meta-x"]
          // a slash behind a bucket, and before a source, may stand there or not
          const values = told.map((name) => headers[name] && decodeURIComponent(headers[name]).replace(/^\//, ""))
          return [method, pathname.replace(/\/$/, ""), `${searchParams}`, ...values]
        }))
      const begun = (yield* asked).length
      yield* Effect.promise(async () => {
        const Key = "dir/é b+c"
        await s3.send(new PutObjectCommand({ Bucket, Key, Body: "content", ContentType: "text/plain", Metadata: { x: "1" } }))
        await s3.send(new HeadObjectCommand({ Bucket, Key }))
        await (await s3.send(new GetObjectCommand({ Bucket, Key, Range: "bytes=0-2" }))).Body!.transformToString()
        await s3.send(new CopyObjectCommand({ Bucket, Key: "copy", CopySource: `${Bucket}/${encodeURIComponent(Key)}` }))
        await s3.send(new ListObjectsV2Command({ Bucket, Prefix: "dir/", Delimiter: "/", MaxKeys: 10 }))
      })
      const theirs = (yield* asked).slice(begun)
      const { store } = yield* S3.make({
        endpoints: [{
          url: variable("S3_ENDPOINT"),
          accessKeyId: variable("S3_ACCESS_KEY") || variable("S3_ACCESS_KEY_1"),
          secretAccessKey: Redacted.make(variable("S3_SECRET_KEY") || variable("S3_SECRET_KEY_1")),
          region: "us-east-1"
        }]
      }).pipe(Effect.provide(FetchHttpClient.layer))
      const at = { bucket: Bucket, key: "dir/é b+c" }
      yield* store.put({ ...at, body: "content", contentType: "text/plain", metadata: { x: "1" } })
      yield* store.head(at)
      yield* store.read(at, { start: 0, end: 2 })
      yield* store.copy(at, { bucket: Bucket, key: "copy" })
      yield* Stream.runDrain(store.list({ bucket: Bucket, prefix: "dir/", delimiter: "/", pageSize: 10 }))
      const ours = (yield* asked).slice(begun + theirs.length)
      // ours also looks at the copy, to say what is there now
      const copied = ours.findIndex(([method, path]) => method === "HEAD" && path?.endsWith("/copy"))
      assert.deepStrictEqual(ours.toSpliced(copied, 1), theirs)
    }))
})
