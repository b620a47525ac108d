/** What we send, held against Amazon's own description of S3. */
import * as HttpClient from "@effect/platform/HttpClient"
import { assert, describe, it } from "@effect/vitest"
import type * as LlmError from "@spillway/core/LlmError"
import type * as ObjectBackend from "@spillway/core/ObjectBackend"
import type * as ObjectStore from "@spillway/core/ObjectStore"
import * as S3 from "@spillway/providers/S3"
import * as Simulator from "@spillway/testing/Simulator"
import { Effect, Redacted, Stream } from "effect"
import { ask, at, endpoint } from "./s3.js"
import * as S3Spec from "./s3Spec.js"
import { absent } from "./spec.js"

const MiB = 1024 * 1024
const large = new Uint8Array(11 * MiB)

/** What is asked of a store that has its bucket, and which operations that is made of. */
type Case = readonly [
  operations: ReadonlyArray<string>,
  call: (s3: S3.S3) => Effect.Effect<unknown, LlmError.LlmError>
]

const stored = (s3: S3.S3) => s3.store.put({ ...at, body: "0123456789" })
const begun = (s3: S3.S3) => s3.store.begin(at)
const after = <A>(
  first: (s3: S3.S3) => Effect.Effect<A, LlmError.LlmError>,
  then: (store: ObjectStore.Service, value: A) => Effect.Effect<unknown, LlmError.LlmError>
): Case[1] =>
(s3) => Effect.flatMap(first(s3), (value) => then(s3.store, value))

const cases: { readonly [O in ObjectBackend.Operation | "service"]: ReadonlyArray<Case> } = {
  put: [
    [["PutObject"], stored],
    [["PutObject"], ({ store }) =>
      store.put({ ...at, body: "", contentType: "text/plain", metadata: { Origin: "here" }, ifAbsent: true })]
  ],
  get: [
    [["PutObject", "GetObject"], after(stored, (store) => store.read(at))],
    ...[{ start: 1, end: 2 }, { start: 1 }, { last: 2 }].map((range): Case => [
      ["PutObject", "GetObject"],
      after(stored, (store) => Effect.scoped(store.get(at, range)))
    ])
  ],
  head: [[["PutObject", "HeadObject"], after(stored, (store) => store.head(at))]],
  list: [
    [["ListObjectsV2"], ({ store }) => Stream.runDrain(store.list({ bucket: at.bucket }))],
    [["PutObject", "PutObject", "ListObjectsV2", "ListObjectsV2"], ({ store }) =>
      Effect.gen(function*() {
        for (const key of ["a/b +é", "c/"]) yield* store.put({ ...at, key, body: "" })
        const what = { bucket: at.bucket, delimiter: "/", after: "A", pageSize: 1 }
        yield* Stream.runDrain(store.list(what))
      })],
    [["ListObjectsV2"], ({ store }) => Stream.runDrain(store.list({ bucket: at.bucket, prefix: "a/ +é&" }))]
  ],
  remove: [[["DeleteObject"], ({ store }) => store.remove(at)]],
  removeMany: [[["DeleteObjects", "DeleteObject"], ({ store }) =>
    store.removeMany(at.bucket, ["a", "b & <c>", "é😀", "\u0001"])]],
  copy: [[["PutObject", "CopyObject", "HeadObject"], after(stored, (store) => store.copy(at, { ...at, key: "copy é+" }))]],
  begin: [
    [["CreateMultipartUpload"], ({ store }) => store.begin({ ...at, contentType: "text/plain", metadata: { a: "b" } })]
  ],
  sendPart: [[["CreateMultipartUpload", "UploadPart"], after(begun, (store, upload) =>
    store.definition.exchanges.sendPart(upload, 1, new Uint8Array(1)))]],
  copyPart: [[["PutObject", "CreateMultipartUpload", "UploadPartCopy"], (s3) =>
    Effect.flatMap(stored(s3), () =>
      after(begun, ({ definition: { exchanges } }, upload) =>
        exchanges.copyPart(upload, 10_000, at, { start: 0, end: 3 }))(s3))]],
  listParts: [
    [["CreateMultipartUpload", "ListParts", "ListParts"], after(begun, ({ definition: { exchanges } }, upload) =>
      Effect.zipRight(exchanges.listParts(upload), exchanges.listParts(upload, { token: "7" })))]
  ],
  complete: [
    [["CreateMultipartUpload", "UploadPart", "UploadPart", "UploadPart", "CompleteMultipartUpload"], ({ store }) =>
      store.put({ ...at, body: large, ifAbsent: true })],
    [["CreateMultipartUpload", "ListParts", "UploadPart", "UploadPart", "UploadPart", "CompleteMultipartUpload"],
      after(begun, (store, upload) => store.resume(upload, large))]
  ],
  abort: [[["CreateMultipartUpload", "AbortMultipartUpload"], after(begun, (store, upload) => store.abort(upload))]],
  uploads: [
    [["ListMultipartUploads"], ({ store }) => Stream.runDrain(store.uploads(at.bucket, "a/"))],
    [["CreateMultipartUpload", "ListMultipartUploads"], after(begun, ({ definition: { exchanges } }, { id, key }) =>
      exchanges.uploads(at.bucket, undefined, { token: JSON.stringify([key, id]) }))]
  ],
  createBucket: [[["CreateBucket"], ({ store }) => store.createBucket("another")]],
  deleteBucket: [[["DeleteBucket"], ({ store }) => store.deleteBucket(at.bucket)]],
  listBuckets: [[["ListBuckets"], ({ store }) => store.listBuckets]],
  service: [
    [["HeadBucket"], ({ service }) => service.health],
    [["ListObjectsV2"], ({ service }) => service.listModels]
  ]
}

/** What a simulated server is asked in a call. */
const asked = (call: Case[1]) =>
  Effect.gen(function*() {
    const simulator = yield* Simulator.make()
    const sent: Array<S3Spec.Asked> = []
    const client = HttpClient.make((request, url) => {
      const { pathname, search } = url
      const body = request.body._tag === "Uint8Array" ? request.body.body : new Uint8Array()
      sent.push({ method: request.method, path: pathname.slice("/s3".length) + search, headers: request.headers, body })
      return simulator.client.execute(request)
    })
    const s3 = yield* S3.make({
      endpoints: [{
        url: "http://simulator/s3",
        accessKeyId: "sim-key-1",
        secretAccessKey: Redacted.make("sim-key-1-secret")
      }],
      bucket: at.bucket,
      partBytes: 5 * MiB,
      partConcurrency: 1
    }).pipe(Effect.provideService(HttpClient.HttpClient, client))
    yield* s3.store.createBucket(at.bucket)
    yield* call(s3)
    return sent.slice(1)
  }).pipe(Effect.scoped)

describe("S3 and Amazon's description of it", () => {
  const description = S3Spec.description()
  if (description === undefined) {
    it.skip(`${absent}`, () => {})
    return
  }
  const check = S3Spec.checking(description)

  describe("what we send is described", () => {
    for (const [name, calls] of Object.entries(cases)) {
      for (const [index, [operations, call]] of calls.entries()) {
        it.effect(`${name} ${index + 1}: ${operations.join(", ")}`, () =>
          Effect.map(asked(call), (sent) => {
            assert.deepStrictEqual(sent.map(check), operations.map((operation) => ({ operation, problems: [] })))
          }))
      }
    }

    it.effect("with credentials that last for a while, and a bucket in a region and in the host's name", () =>
      Effect.gen(function*() {
        const session = { ...endpoint, url: undefined, region: "eu-west-1", sessionToken: Redacted.make("session") }
        const { sent } = yield* ask(() => ({ body: "" }), (store) =>
          Effect.zipRight(store.createBucket("bucket"), store.read(at)), { endpoints: [session] })
        const verdicts = sent.map((one) => {
          const [, bucket] = /^(bucket)\.s3\.eu-west-1\.amazonaws\.com$/.exec(one.host) ?? []
          return check({ ...one, path: one.path.replace(/^\/?/, `/${bucket}/`).replace(/^\/bucket\/$/, "/bucket") })
        })
        assert.deepStrictEqual(verdicts.map(({ operation, problems }) => [operation, ...problems]), [
          ["CreateBucket"],
          ["GetObject"]
        ])
        assert.include(sent[0]!.text, "<LocationConstraint>eu-west-1</LocationConstraint>")
        assert.property(sent[1]!.headers, "x-amz-security-token")
      }))

    it.effect("by whoever uses an address that was signed", () =>
      Effect.gen(function*() {
        for (const [method, operation] of [["GET", "GetObject"], ["PUT", "PutObject"]] as const) {
          const { exit } = yield* ask(() => ({ body: "" }), (store) => store.presign(method, at), {
            endpoints: [{ ...endpoint, sessionToken: Redacted.make("session") }]
          })
          const { pathname, search } = new URL(Redacted.value(yield* exit))
          const verdict = check({ method, path: pathname + search, headers: {}, body: new Uint8Array() })
          assert.deepStrictEqual(verdict, { operation, problems: [] })
        }
      }))

    const xml = `<?xml version="1.0"?><X xmlns="http://s3.amazonaws.com/doc/2006-03-01/">`
    const wrong: { readonly [name: string]: readonly [string, operation: string, ...problems: ReadonlyArray<string>] } = {
      "a wrong name in the query": ["GET /b?list-type=2&maxkeys=1", "ListObjectsV2", "?maxkeys is not described"],
      "a name in other letters": ["PUT /b/k?partnumber=1&uploadId=u", "PutObject", "?partnumber is not described", "?uploadId is not described"],
      "a name twice": ["GET /b?list-type=2&prefix=a&prefix=b", "ListObjectsV2", "?prefix occurs twice"],
      "a number that is none": ["GET /b?list-type=2&max-keys=many", "ListObjectsV2", "?max-keys is no MaxKeys: \"many\""],
      "a value that is not among them": ["GET /b?list-type=2&encoding-type=utf8", "ListObjectsV2", "?encoding-type is no EncodingType: \"utf8\""],
      "a header that is not its": ["GET /b/k|x-amz-copy-source:/b/a", "GetObject", "x-amz-copy-source is not described"],
      "a header with a wrong value": ["PUT /b/k|x-amz-storage-class:WARM", "PutObject", "x-amz-storage-class is no StorageClass: \"WARM\""],
      "what is missing": ["PUT /b/k?uploadId=u", "PutObject", "?uploadId is not described"],
      "a body where there is none": ["DELETE /b/k||x", "DeleteObject", "the body is not described"],
      "a body that is missing": ["POST /b?delete=", "DeleteObjects", "Delete is missing", "a checksum is wanted"],
      "another root": [`POST /b/k?uploadId=u||${xml}</X>`, "CompleteMultipartUpload", "the body's root is X"],
      "another namespace": ["POST /b/k?uploadId=u||<CompleteMultipartUpload/>", "CompleteMultipartUpload", "the root says/"],
      "what is no document": ["POST /b/k?uploadId=u||<A>", "CompleteMultipartUpload", "the body is no document"]
    }
    for (const [name, [request, operation, ...problems]] of Object.entries(wrong)) {
      it(`but ${name} is not`, () => {
        const [line = "", header = "", body = ""] = request.split("|")
        const [method = "", path = ""] = line.split(" ")
        const headers = header === "" ? {} : Object.fromEntries([header.split(/:(.*)/s)])
        assert.deepStrictEqual(check({ method, path, headers, body: new TextEncoder().encode(body) }), { operation, problems })
      })
    }

    it("but elements that a document has not, has twice, has too few of or has otherwise are not", () => {
      const inside = {
        "<Object><Key>a</Key></Object><Quiet>yes</Quiet>": ["Delete/Quiet is no Quiet: \"yes\""],
        "<Object><Name>a</Name></Object>": ["Delete/Object/Key is missing", "Delete/Object/Name is no member of ObjectIdentifier"],
        "<Object><Key>a</Key><Key>b</Key></Object>": ["Delete/Object/Key occurs twice"],
        "<Object><Key><b/></Key></Object>": ["Delete/Object/Key/b stands in a text", "Delete/Object/Key is no ObjectKey: \"\""],
        "<Objects><Object><Key>a</Key></Object></Objects>": ["Delete/Object is missing", "Delete/Objects is no member of Delete"],
        "a<Object><Key>a</Key><Size>1.5</Size></Object>": ["Delete has a text", "Delete/Object/Size is no Size: \"1.5\""]
      }
      for (const [content, problems] of Object.entries(inside)) {
        const body = new TextEncoder().encode(`<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${content}</Delete>`)
        const verdict = check({ method: "POST", path: "/b?delete", headers: { "content-md5": "" }, body })
        assert.deepStrictEqual(verdict.problems, [...problems, "content-md5 is not the body's"])
      }
    })
  })
})
