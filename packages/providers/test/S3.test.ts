import { assert, describe, it } from "@effect/vitest"
import * as LlmError from "@spillway/core/LlmError"
import type * as ObjectStore from "@spillway/core/ObjectStore"
import type * as S3 from "@spillway/providers/S3"
import { Duration, Effect, Exit, Option, Stream, TestClock } from "effect"
import * as Fs from "node:fs"
import * as S3Errors from "../src/internal/s3Errors.js"
import { absent } from "./examples.js"
import { type Answer, inPieces } from "./fetching.js"
import { ask, at, type Call, endpoint, failure, value, xml } from "./s3.js"

describe("S3", () => {
  describe("errors", () => {
    const table: ReadonlyArray<readonly [status: number, code: string | undefined, tag: LlmError.Tag]> = [
      [503, "SlowDown", "RateLimited"],
      [200, "SlowDown", "RateLimited"],
      [503, "ServiceUnavailable", "ServerFault"],
      [500, "InternalError", "ServerFault"],
      [200, "InternalError", "ServerFault"],
      [200, "SomethingNew", "ServerFault"],
      [502, undefined, "ServerFault"],
      [504, undefined, "ServerFault"],
      [400, "RequestTimeout", "ServerFault"],
      [409, "OperationAborted", "ServerFault"],
      [409, "ConditionalRequestConflict", "ServerFault"],
      [403, "RequestTimeTooSkewed", "InvalidRequest"],
      [403, "AccessDenied", "PermissionDenied"],
      [403, undefined, "PermissionDenied"],
      [403, "InvalidAccessKeyId", "AuthenticationFailed"],
      [403, "SignatureDoesNotMatch", "AuthenticationFailed"],
      [400, "ExpiredToken", "AuthenticationFailed"],
      [404, "NoSuchKey", "NotFound"],
      [404, "NoSuchBucket", "NotFound"],
      [404, "NoSuchUpload", "NotFound"],
      [404, undefined, "NotFound"],
      [409, "BucketNotEmpty", "Conflict"],
      [412, "PreconditionFailed", "Conflict"],
      [400, "EntityTooLarge", "InvalidRequest"],
      [416, "InvalidRange", "InvalidRequest"],
      [301, "PermanentRedirect", "InvalidRequest"],
      [307, "TemporaryRedirect", "ServerFault"],
      [501, "NotImplemented", "Unsupported"],
      [405, "MethodNotAllowed", "Unsupported"],
      [429, undefined, "RateLimited"]
    ]
    for (const [status, code, tag] of table) {
      it.effect(`${status} ${code ?? "without a code"} is ${tag}`, () =>
        Effect.gen(function*() {
          const answer = { status, body: code === undefined ? "" : xml(code), headers: { "x-amz-request-id": "REQ0" } }
          const error = yield* failure(answer, (store) => store.definition.exchanges.copy(at, at))
          assert.strictEqual(error._tag, tag)
          if (tag === "Unsupported") return
          assert.deepInclude(error, { backend: "s3", status, requestId: "REQ0", ...(code !== undefined && { code }) })
          if (code !== undefined) assert.include(error.message, "so it is")
        }))
    }

    it.effect("a page of another server is no missing object", () =>
      Effect.map(
        failure({ status: 404, body: "<html><title>nginx</title></html>" }, (store) => store.read(at)),
        (error) => assert.strictEqual(error._tag, "MalformedResponse")
      ))

    it.effect("says what was looked for", () =>
      Effect.gen(function*() {
        const error = yield* failure({ status: 404, body: xml("NoSuchKey") }, (store) => store.read(at))
        assert.deepInclude(error, { resource: "bucket/a/b c", requestId: "REQ1" })
        const upload = { ...at, id: "U1" }
        const gone = yield* failure({ status: 404, body: xml("NoSuchUpload") }, (store) => store.resume(upload, "x"))
        assert.deepInclude(gone, { resource: "bucket/a/b c (the upload U1)" })
      }))

    it.effect("say how long to wait, where the store says so", () =>
      Effect.gen(function*() {
        for (const [code, tag] of [["SlowDown", "RateLimited"], ["ServiceUnavailable", "ServerFault"]] as const) {
          const answer = { status: 503, headers: { "retry-after": "7" }, body: xml(code) }
          const error = yield* failure(answer, (store) => store.head(at))
          assert.strictEqual(error._tag, "ServerFault", "the answer to a HEAD has no body")
          const read = yield* failure(answer, (store) => store.read(at))
          assert.strictEqual(read._tag, tag)
          for (const one of [error, read]) {
            assert.deepStrictEqual(Option.getOrUndefined(LlmError.retryAfter(one)), Duration.seconds(7))
          }
        }
      }))

    it.effect("of the answer to a HEAD follow from its status, W-36", () =>
      Effect.gen(function*() {
        for (const [status, tag] of [[404, "NotFound"], [403, "PermissionDenied"], [503, "ServerFault"]] as const) {
          const error = yield* failure({ status, body: "" }, (store) => store.head(at))
          assert.strictEqual(error._tag, tag)
        }
      }))

    it.effect("of single keys of many are told for each, W-35", () =>
      Effect.gen(function*() {
        const body = `<DeleteResult><Deleted><Key>a</Key></Deleted><Error><Key>b &amp; c</Key>` +
          `<Code>AccessDenied</Code><Message>no</Message></Error></DeleteResult>`
        const became = yield* value({ body }, (store) => store.removeMany("bucket", ["a", "b & c", "d"]))
        assert.deepStrictEqual(became.map(({ error, key }) => [key, error?._tag]), [
          ["a", undefined],
          ["b & c", "PermissionDenied"],
          ["d", "MalformedResponse"]
        ])
        assert.deepInclude(became[1]!.error, { status: 200, code: "AccessDenied" })
      }))

    it("are all known that Amazon documents", (context) => {
      const model = new URL("../../../../shared/specs/s3/service-2.json", import.meta.url)
      if (!Fs.existsSync(model)) return context.skip(absent)
      const { shapes } = JSON.parse(Fs.readFileSync(model, "utf8"))
      const text: string = shapes.Error.members.Code.documentation
      const documented = [...text.matchAll(/<i>Code:<\/i> ?(\w{2,}).*?<i>HTTP Status Code:<\/i> ?(\d+)?/gs)]
        .map(([, code = "", status = "400"]) => [code, Number(status)] as const)
      assert.isAbove(documented.length, 70)
      const kinds = new Map(documented.map(([code, status]) =>
        [code, S3Errors.kindOf({ ...S3Errors.read(status, {}, xml(code)) })]
      ))
      const of = (kind: S3Errors.Kind) => [...kinds].filter(([, one]) => one === kind).map(([code]) => code).toSorted()
      assert.deepStrictEqual(of("RateLimited"), ["SlowDown"])
      assert.deepStrictEqual(of("AuthenticationFailed"), [
        "AccountProblem",
        "AllAccessDisabled",
        "CredentialsNotSupported",
        "ExpiredToken",
        "InvalidAccessKeyId",
        "InvalidSecurity",
        "InvalidToken",
        "NotSignedUp",
        "SignatureDoesNotMatch",
        "TokenRefreshRequired"
      ])
      assert.deepStrictEqual(of("ServerFault"), [
        "IncompleteBody",
        "InternalError",
        "OperationAborted",
        "Redirect",
        "RequestTimeout",
        "ServiceUnavailable",
        "TemporaryRedirect"
      ])
      assert.deepStrictEqual(of("PermissionDenied"), ["AccessDenied", "CrossLocationLoggingProhibited", "InvalidPayer"])
      assert.deepStrictEqual(of("Unsupported"), ["MethodNotAllowed", "NotImplemented"])
      assert.includeMembers(of("NotFound"), ["NoSuchBucket", "NoSuchKey", "NoSuchUpload", "NoSuchVersion"])
      assert.includeMembers(of("Conflict"), ["BucketAlreadyExists", "InvalidObjectState", "PreconditionFailed"])
      assert.includeMembers(of("InvalidRequest"), ["BadDigest", "InvalidPart", "RequestTimeTooSkewed", "MalformedXML"])
    })
  })

  describe("answers", () => {
    it.effect("that come as a 200 after blanks, and then fail, have failed", () =>
      Effect.gen(function*() {
        const late: Answer = {
          body: inPieces(...["<?xml version=\"1.0\"?>", "  \n", " ", xml("InternalError").slice(39)].map((text) =>
            new TextEncoder().encode(text)))
        }
        const upload = { ...at, id: "U" }
        const error = yield* failure(late, (store) => store.definition.exchanges.complete(upload, [], false))
        assert.deepInclude(error, { _tag: "ServerFault", status: 200, code: "InternalError" })
      }))

    it.effect("that are no success are none", () =>
      Effect.gen(function*() {
        const upload = { ...at, id: "U" }
        const unusable: ReadonlyArray<readonly [Answer, Call]> = [
          [{ body: "" }, (store) => store.definition.exchanges.complete(upload, [], false)],
          [{ body: "<CompleteMultipartUploadResult><ETag>" }, (store) =>
            store.definition.exchanges.complete(upload, [], false)],
          [{ body: "" }, (store) => store.definition.exchanges.copy(at, at)],
          [{ body: "{}" }, (store) => store.begin(at)],
          [{ body: "<InitiateMultipartUploadResult/>" }, (store) => store.begin(at)],
          [{ body: "" }, (store) => store.definition.exchanges.sendPart(upload, 1, new Uint8Array(1))],
          [{ body: "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>" }, (store) =>
            Stream.runDrain(store.list({ bucket: "bucket" }))],
          [{ body: "whole" }, (store) => store.read(at, { start: 1, end: 2 })],
          [{ body: "x".repeat(2000) }, (store) => store.listBuckets]
        ]
        for (const [answer, call] of unusable) {
          const { exit } = yield* ask(() => answer, call, { http: { maxResponseBytes: 1000 } })
          assert.strictEqual((yield* Effect.flip(exit))._tag, "MalformedResponse")
        }
      }))

    it.effect("that lead a listing in a circle end it", () =>
      Effect.gen(function*() {
        const page = `<ListBucketResult><IsTruncated>true</IsTruncated>` +
          `<NextContinuationToken>again</NextContinuationToken></ListBucketResult>`
        const list: Call = (store) => Stream.runDrain(store.list({ bucket: "b" }))
        const { exit, sent } = yield* ask(() => ({ body: page }), list)
        assert.strictEqual((yield* Effect.flip(exit))._tag, "MalformedResponse")
        assert.strictEqual(sent.length, 2)
      }))

    it.effect("with fewer or more bytes than were announced are told", () =>
      Effect.gen(function*() {
        for (const [length, body] of [["9", "short"], ["3", "longer"]] as const) {
          const error = yield* failure({ body, headers: { "content-length": length } }, (store) =>
            Effect.scoped(Effect.flatMap(store.get(at), ({ bytes }) => Stream.runDrain(bytes))))
          assert.strictEqual(error._tag, "StreamInterrupted")
        }
        // what was decompressed on the way has another length
        const answer = { body: "longer", headers: { "content-length": "3", "content-encoding": "br" } }
        yield* value(answer, (store) =>
          Effect.scoped(Effect.flatMap(store.get(at), ({ bytes }) => Stream.runDrain(bytes)))).pipe(Effect.exit)
      }))
  })

  describe("what cannot be said", () => {
    const wrong: { readonly [name: string]: readonly [field: string, Call] } = {
      "an empty key": ["key", (store) => store.head({ bucket: "b", key: "" })],
      "a key that a URL would take for another": ["key", (store) => store.read({ bucket: "b", key: "a/../secret" })],
      "a key with a step that says nothing": ["key", (store) => store.put({ bucket: "b", key: "./a", body: "" })],
      "half a character": ["key", (store) => store.remove({ bucket: "b", key: "\ud83d" })],
      "a key that is too long": ["key", (store) => store.begin({ bucket: "b", key: "é".repeat(513) })],
      "a bucket with a slash": ["bucket", (store) => store.createBucket("a/b")],
      "a bucket that is a step": ["bucket", (store) => store.deleteBucket("..")],
      "a copy from nowhere": ["key", (store) => store.definition.exchanges.copy({ bucket: "b", key: "" }, at)],
      "metadata that is no header": ["metadata", (store) => store.put({ ...at, body: "", metadata: { a: "é" } })],
      "a name of metadata that is none": ["metadata", (store) =>
        store.put({ ...at, body: "", metadata: { "a b": "c" } })],
      "a content type of two lines": ["contentType", (store) =>
        store.put({ ...at, body: "", contentType: "a\r\nb: c" })],
      "a range that ends before it starts": ["range", (store) => store.read(at, { start: 2, end: 1 })],
      "a range of nothing": ["range", (store) => store.read(at, { last: 0 })],
      "a page of too many": ["pageSize", (store) => Stream.runDrain(store.list({ bucket: "b", pageSize: 1001 }))]
    }
    for (const [name, [field, call]] of Object.entries(wrong)) {
      it.effect(`${name} is not sent`, () =>
        Effect.gen(function*() {
          const { exit, sent } = yield* ask(() => ({ body: "" }), call)
          assert.deepInclude(yield* Effect.flip(exit), { _tag: "InvalidRequest", field })
          assert.strictEqual(sent.length, 0)
        }))
    }
  })

  describe("addresses", () => {
    const hosts = (options: Partial<S3.Endpoint>, bucket = "bucket") =>
      Effect.map(
        ask(() => ({ body: "" }), (store) => store.put({ bucket, key: "a b", body: "x" }), {
          endpoints: [{ ...endpoint, ...options }]
        }),
        ({ sent }) => `${sent[0]!.host}${sent[0]!.path}`
      )

    it.effect("are Amazon's by the region, with the bucket in the host's name where it can be", () =>
      Effect.gen(function*() {
        const table = [
          [{}, "bucket", "bucket.s3.us-east-1.amazonaws.com/a%20b"],
          [{ region: "eu-west-1" }, "bucket", "bucket.s3.eu-west-1.amazonaws.com/a%20b"],
          [{ region: "cn-north-1" }, "b.c", "s3.cn-north-1.amazonaws.com.cn/b.c/a%20b"],
          [{ addressing: "path" }, "bucket", "s3.us-east-1.amazonaws.com/bucket/a%20b"]
        ] as const
        for (const [options, bucket, expected] of table) {
          assert.strictEqual(yield* hosts({ url: undefined, ...options }, bucket), expected)
        }
      }))

    it.effect("of other servers keep their path, and take the bucket in the host's name only when asked to", () =>
      Effect.gen(function*() {
        assert.strictEqual(yield* hosts({ url: "https://store.test/s3/" }), "store.test/s3/bucket/a%20b")
        assert.strictEqual(
          yield* hosts({ url: "https://store.test:8443/s3", addressing: "virtual-host" }),
          "bucket.store.test:8443/s3/a%20b"
        )
      }))

    it.effect("at Amazon follow the bucket to its region, which is remembered", () =>
      Effect.gen(function*() {
        const headers = { "x-amz-bucket-region": "eu-west-1" }
        const moved: Answer = { status: 301, body: xml("PermanentRedirect"), headers }
        const { exit, sent } = yield* ask(
          (index) => index === 0 ? moved : { body: "x" },
          (store) => Effect.zipRight(store.read(at), store.read(at)),
          { endpoints: [{ ...endpoint, url: undefined }] }
        )
        assert.isTrue(Exit.isSuccess(exit))
        assert.deepStrictEqual(sent.map(({ host }) => host), [
          "bucket.s3.us-east-1.amazonaws.com",
          "bucket.s3.eu-west-1.amazonaws.com",
          "bucket.s3.eu-west-1.amazonaws.com"
        ])
        assert.match(sent[1]!.headers["authorization"]!, /\/eu-west-1\/s3\/aws4_request/)
      }))

    it.effect("follow no region that is none, and none twice", () =>
      Effect.gen(function*() {
        for (const region of ["evil.example/", "eu-west-1"]) {
          const answer: Answer = { status: 301, body: "", headers: { "x-amz-bucket-region": region } }
          const { exit, sent } = yield* ask(() => answer, (store) => store.head(at), {
            endpoints: [{ ...endpoint, url: undefined }]
          })
          assert.strictEqual((yield* Effect.flip(exit))._tag, "InvalidRequest")
          assert.strictEqual(sent.length, region === "eu-west-1" ? 2 : 1)
        }
      }))
  })

  describe("signing", () => {
    it.effect("leaves content unsigned over https alone, and signs all else", () =>
      Effect.gen(function*() {
        const put = (store: ObjectStore.Service) =>
          Effect.zipRight(store.put({ ...at, body: "x" }), store.definition.exchanges.copy(at, at))
        const hashes = (url: string, signContent?: boolean) =>
          Effect.map(
            ask(() => ({ body: "<CopyObjectResult/>" }), put, { endpoints: [{ ...endpoint, url }], signContent }),
            ({ sent }) => sent.map(({ headers }) => headers["x-amz-content-sha256"])
          )
        const x = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
        const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        assert.deepStrictEqual(yield* hashes("http://s3.test"), [x, empty])
        assert.deepStrictEqual(yield* hashes("https://s3.test"), ["UNSIGNED-PAYLOAD", empty])
        assert.deepStrictEqual(yield* hashes("https://s3.test", true), [x, empty])
        assert.deepStrictEqual(yield* hashes("http://s3.test", false), ["UNSIGNED-PAYLOAD", empty])
      }))

    it.effect("is the same for the same moment", () =>
      Effect.gen(function*() {
        yield* TestClock.setTime(Date.UTC(2026, 10, 24))
        const signed = Effect.map(
          ask(() => ({ body: "" }), (store) => store.head(at)),
          ({ sent }) => sent[0]!.headers["authorization"]
        )
        const first = yield* signed
        assert.strictEqual(yield* signed, first)
        yield* TestClock.adjust("1 second")
        assert.notStrictEqual(yield* signed, first)
      }))

    it.effect("corrects its clock once, and not for ever", () =>
      Effect.gen(function*() {
        const answer: Answer = {
          status: 403,
          body: xml("RequestTimeTooSkewed"),
          headers: { date: "Tue, 24 Nov 2026 10:00:00 GMT" }
        }
        const { exit, sent } = yield* ask(() => answer, (store) => store.read(at))
        assert.deepInclude(yield* Effect.flip(exit), { _tag: "InvalidRequest", code: "RequestTimeTooSkewed" })
        const times = sent.map(({ headers }) => headers["x-amz-date"])
        assert.deepStrictEqual(times, ["19700101T000000Z", "20261124T100000Z"])
        const timeless = { status: 403, body: xml("RequestTimeTooSkewed") }
        const dateless = yield* ask(() => timeless, (store) => store.read(at))
        assert.strictEqual(dateless.sent.length, 1)
      }))
  })


})
