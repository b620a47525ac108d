/**
 * The store of objects against a real server of S3 that checks every signature: OpenStack Swift's s3api, or whatever
 * else `SPILLWAY_S3_ENDPOINT` leads to.
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import type * as HttpClient from "@effect/platform/HttpClient"
import { assert, describe, it } from "@effect/vitest"
import type * as Objects from "@spillway/core/Objects"
import type * as ObjectStore from "@spillway/core/ObjectStore"
import * as ObjectStores from "@spillway/core/ObjectStores"
import * as Resilience from "@spillway/core/Resilience"
import * as S3 from "@spillway/providers/S3"
import { Chunk, Clock, Effect, Layer, Redacted, Stream } from "effect"
import { randomBytes } from "node:crypto"
import { inject } from "vitest"
import type * as Servers from "../../../testing/test/servers/found.js"

const { s3 } = inject("servers")

const endpointOf = ({ secretAccessKey, ...server }: Servers.S3): S3.Endpoint => ({
  ...server,
  secretAccessKey: Redacted.make(secretAccessKey)
})

const MiB = 1024 * 1024
const bytes = (text: string) => new TextEncoder().encode(text)
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
const entries = (stream: Stream.Stream<Objects.Entry, unknown>) =>
  Effect.map(Stream.runCollect(stream), (all) =>
    Chunk.toReadonlyArray(all).map((one) => one._tag === "Object" ? one.info.key : `${one.prefix} …`))

/** Keys that an encoding may get wrong. */
const awkward = [
  "plain",
  "with space",
  "plus+and%20percent%",
  "question?and#hash&amp=1",
  "quotes'\"<tag>",
  "semi;colon:comma,at@dollar$star*(paren)!tilde~",
  "dir/sub//double",
  "trailing/",
  "umlaut-é-ß-漢字-😀",
  "back\\slash|pipe^caret`tick{brace}[bracket]",
  "..dots..",
  "a/.hidden/b"
]

if ("missing" in s3) {
  describe("S3 against a real server", () => {
    it("is not here", ({ skip }) => skip(s3.missing))
  })
} else {
  const clients: { readonly [name: string]: Layer.Layer<HttpClient.HttpClient> } = {
    fetch: FetchHttpClient.layer,
    undici: NodeHttpClient.layerUndici
  }
  for (const [name, client] of Object.entries(clients)) {
    describe(`S3 against a real server, through ${name}`, () => {
      tests(client, endpointOf(s3.at))
    })
  }
}

function tests(client: Layer.Layer<HttpClient.HttpClient>, endpoint: S3.Endpoint) {
  let buckets = 0

  /** A store with a bucket of its own, which is emptied and removed at the end. */
  const on = <A, E>(
    use: (store: ObjectStore.Service, bucket: string, s3: S3.S3) => Effect.Effect<A, E>,
    options: Partial<S3.Options> = {}
  ) =>
    Effect.gen(function*() {
      const bucket = `spillway-${randomBytes(6).toString("hex")}-${++buckets}`
      const s3 = yield* S3.make({ endpoints: [endpoint], bucket, ...options })
      const policy = yield* Resilience.standard("s3", { queue: { concurrency: 10 } })
      const store = ObjectStores.protect(s3.store, policy)
      yield* store.createBucket(bucket)
      const empty = Effect.gen(function*() {
        yield* Stream.runForEach(store.uploads(bucket), store.abort)
        const all = yield* Stream.runCollect(store.list({ bucket }))
        const keys = Chunk.toReadonlyArray(all).flatMap((one) => one._tag === "Object" ? one.info.key : [])
        yield* store.removeMany(bucket, keys)
        yield* store.deleteBucket(bucket)
      })
      return yield* Effect.ensuring(use(store, bucket, s3), Effect.orDie(empty))
    }).pipe(Effect.scoped, Effect.provide(client))

  it.live("makes, finds and removes buckets", () =>
    on((store, bucket) =>
      Effect.gen(function*() {
        const other = `${bucket}-b`
        yield* store.createBucket(other)
        yield* store.createBucket(other)
        assert.includeMembers([...yield* store.listBuckets], [bucket, other])
        yield* store.put({ bucket: other, key: "a", body: "x" })
        assert.strictEqual((yield* Effect.flip(store.deleteBucket(other)))._tag, "Conflict")
        yield* store.remove({ bucket: other, key: "a" })
        yield* store.deleteBucket(other)
        assert.notInclude([...yield* store.listBuckets], other)
        assert.strictEqual((yield* Effect.flip(store.deleteBucket(other)))._tag, "NotFound")
      })
    ))

  it.live("stores and reads objects by any key, with all that is said of them", () =>
    on((store, bucket) =>
      Effect.gen(function*() {
        for (const key of awkward) {
          const at = { bucket, key }
          const metadata = { origin: "here", "two-words": "and some  spaces, = and +" }
          const put = yield* store.put({ ...at, body: `content of ${key}`, contentType: "text/plain", metadata })
          const info = yield* store.head(at)
          assert.deepInclude(info, { ...at, size: put.size, metadata }, key)
          assert.match(info.contentType!, /^text\/plain/)
          assert.strictEqual(info.etag, put.etag)
          assert.isAbove(info.lastModified!, Date.UTC(2024, 0))
          assert.strictEqual(text(yield* store.read(at)), `content of ${key}`)
        }
        assert.sameMembers([...yield* entries(store.list({ bucket, pageSize: 2 }))], awkward)
        const gone = yield* store.removeMany(bucket, ["never", ...awkward])
        assert.deepStrictEqual(gone, ["never", ...awkward].map((key) => ({ key })))
        assert.deepStrictEqual(yield* entries(store.list({ bucket })), [])
      })
    ))

  it.live("reads the part that is asked for, and knows an empty object from none", () =>
    on((store, bucket) =>
      Effect.gen(function*() {
        const at = { bucket, key: "digits" }
        yield* store.put({ ...at, body: "0123456789" })
        assert.strictEqual(text(yield* store.read(at, { start: 2, end: 4 })), "234")
        assert.strictEqual(text(yield* store.read(at, { start: 7 })), "789")
        assert.strictEqual(text(yield* store.read(at, { last: 2 })), "89")
        const { info, length } = yield* Effect.scoped(store.get(at, { start: 2, end: 4 }))
        assert.deepStrictEqual([info.size, length], [10, 3])
        assert.strictEqual((yield* Effect.flip(store.read(at, { start: 10 })))._tag, "InvalidRequest")
        yield* store.put({ ...at, body: new Uint8Array() })
        assert.strictEqual((yield* store.read(at)).length, 0)
        assert.deepInclude(yield* Effect.flip(store.read({ bucket, key: "none" })), {
          _tag: "NotFound",
          resource: `${bucket}/none`,
          code: "NoSuchKey"
        })
        assert.strictEqual((yield* Effect.flip(store.head({ bucket, key: "none" })))._tag, "NotFound")
        assert.deepInclude(yield* Effect.flip(store.read({ bucket: `${bucket}-none`, key: "a" })), {
          _tag: "NotFound",
          code: "NoSuchBucket"
        })
        yield* store.remove({ bucket, key: "none" })
      })
    ))

  it.live("lists by prefix and delimiter, page after page, and from a key on", () =>
    on((store, bucket) =>
      Effect.gen(function*() {
        const keys = ["a/1", "a/2", "a/b/3", "c d/4", "e+f", "g"]
        for (const key of keys) yield* store.put({ bucket, key, body: key })
        assert.deepStrictEqual(yield* entries(store.list({ bucket, pageSize: 1 })), keys)
        assert.deepStrictEqual(yield* entries(store.list({ bucket, prefix: "a/" })), ["a/1", "a/2", "a/b/3"])
        assert.sameMembers([...yield* entries(store.list({ bucket, delimiter: "/", pageSize: 2 }))], [
          "a/ …",
          "c d/ …",
          "e+f",
          "g"
        ])
        assert.deepStrictEqual(yield* entries(store.list({ bucket, after: "c d/4" })), ["e+f", "g"])
      })
    ))

  it.live("copies within the server", () =>
    on((store, bucket) =>
      Effect.gen(function*() {
        const from = { bucket, key: "from é/+ %" }
        const to = { bucket, key: "to ü/+ %" }
        yield* store.put({ ...from, body: "content", contentType: "text/plain", metadata: { a: "b" } })
        const info = yield* store.copy(from, to)
        assert.deepInclude(info, { ...to, size: 7, metadata: { a: "b" } })
        assert.strictEqual(text(yield* store.read(to)), "content")
        assert.strictEqual((yield* Effect.flip(store.copy({ bucket, key: "none" }, to)))._tag, "NotFound")
      })
    ))

  it.live("sends a large body in parts, and goes on with an upload that was cut", () =>
    on((store, bucket, { store: { definition } }) =>
      Effect.gen(function*() {
        const body = new Uint8Array(randomBytes(11 * MiB))
        const at = { bucket, key: "large" }
        const pieces = Array.from({ length: 44 }, (_, index) => body.subarray(index * MiB / 4, (index + 1) * MiB / 4))
        const put = yield* store.put({ ...at, body: Stream.fromIterable(pieces), metadata: { a: "b" } })
        assert.strictEqual(put.size, body.length)
        const info = yield* store.head(at)
        assert.deepInclude(info, { size: body.length, etag: put.etag!, metadata: { a: "b" } })
        assert.isTrue(Buffer.from(body).equals(yield* store.read(at)))

        const upload = yield* store.begin({ bucket, key: "resumed" })
        const sent = yield* definition.exchanges.sendPart(upload, 2, body.subarray(5 * MiB, 10 * MiB))
        assert.strictEqual(sent.etag, definition.parts.etagOf(body.subarray(5 * MiB, 10 * MiB)))
        assert.deepStrictEqual((yield* definition.exchanges.listParts(upload)).items, [sent])
        assert.deepStrictEqual(Chunk.toReadonlyArray(yield* Stream.runCollect(store.uploads(bucket))), [upload])
        const resumed = yield* store.resume(upload, body)
        assert.strictEqual(resumed.etag, put.etag)
        assert.isTrue(Buffer.from(body).equals(yield* store.read(upload)))

        const given = yield* store.begin({ bucket, key: "given up" })
        yield* store.abort(given)
        yield* store.abort(given)
        assert.strictEqual((yield* Effect.flip(store.resume(given, body)))._tag, "NotFound")
        assert.deepStrictEqual(yield* entries(store.list({ bucket })), ["large", "resumed"])
      }), { partBytes: 5 * MiB }
    ))

  it.live("gives addresses at which anyone may read and write for a while, and no longer", () =>
    on((store, bucket) =>
      Effect.gen(function*() {
        const at = { bucket, key: "shared é+/ file" }
        const fetched = (url: Redacted.Redacted, init?: RequestInit) =>
          Effect.promise(async () => {
            const response = await fetch(Redacted.value(url), init)
            return [response.status, await response.text()] as const
          })
        const [status] = yield* fetched(yield* store.presign("PUT", at), { method: "PUT", body: "from elsewhere" })
        assert.strictEqual(status, 200)
        const address = yield* store.presign("GET", at, "10 minutes")
        assert.deepStrictEqual(yield* fetched(address), [200, "from elsewhere"])
        const forged = Redacted.make(Redacted.value(address).replace("X-Amz-Expires=600", "X-Amz-Expires=6000"))
        assert.strictEqual((yield* fetched(forged))[0], 403)
        const past = yield* Effect.withClock(store.presign("GET", at, "1 minute"), yield* earlier(10 * 60_000))
        assert.strictEqual((yield* fetched(past))[0], 403)
        assert.strictEqual((yield* fetched(address, { method: "DELETE" }))[0], 403)
        assert.strictEqual((yield* Effect.flip(store.presign("GET", at, "8 days")))._tag, "InvalidRequest")
      })
    ))

  it.live("sets its clock by the server's, once", () =>
    on((store, bucket, s3) =>
      Effect.gen(function*() {
        const clock = yield* earlier(60 * 60_000)
        const at = { bucket, key: "late" }
        const late = Effect.withClock(s3.store.put({ ...at, body: "in time" }), clock)
        assert.strictEqual((yield* late).size, 7)
        assert.strictEqual((yield* Effect.withClock(s3.store.head(at), clock)).size, 7)
        assert.strictEqual(text(yield* store.read(at)), "in time")
      })
    ))

  it.live("is refused with another secret, and with another key", () =>
    on((store, bucket) =>
      Effect.gen(function*() {
        yield* store.put({ bucket, key: "a", body: "a" })
        const others = [
          [{ ...endpoint, secretAccessKey: Redacted.make("another-secret") }, "SignatureDoesNotMatch"],
          [{ ...endpoint, accessKeyId: "nobody" }, undefined]
        ] as const
        for (const [other, code] of others) {
          const { store } = yield* S3.make({ endpoints: [other] })
          const error = yield* Effect.flip(store.read({ bucket, key: "a" }))
          assert.include(["AuthenticationFailed", "PermissionDenied"], error._tag)
          if (code !== undefined) assert.deepInclude(error, { _tag: "AuthenticationFailed", code })
          assert.notInclude(error.message, "another-secret")
        }
      }).pipe(Effect.scoped, Effect.provide(client))
    ))

  it.live("lists the model files of its bucket, and is there", () =>
    on((store, bucket, { service }) =>
      Effect.gen(function*() {
        for (const key of ["llama/a.gguf", "llama/readme.md", "b.safetensors"]) {
          yield* store.put({ bucket, key, body: bytes(key) })
        }
        assert.deepStrictEqual((yield* service.listModels).map(({ id }) => id), ["b.safetensors", "llama/a.gguf"])
        yield* service.health
      })
    ))
}

/** A clock that is so many milliseconds late. */
const earlier = (millis: number) =>
  Effect.map(Effect.clock, (clock): Clock.Clock => ({
    ...clock,
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis: () => clock.unsafeCurrentTimeMillis() - millis,
    currentTimeMillis: Effect.map(clock.currentTimeMillis, (now) => now - millis),
    sleep: (duration) => clock.sleep(duration)
  }))
