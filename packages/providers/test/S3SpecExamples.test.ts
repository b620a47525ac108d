/** Amazon's own examples: what they say of answers, written as its description of S3 has it, and read again. */
import { assert, describe, it } from "@effect/vitest"
import type * as LlmError from "@spillway/core/LlmError"
import type * as ObjectBackend from "@spillway/core/ObjectBackend"
import { Effect, Stream } from "effect"
import * as Fs from "node:fs"
import { value } from "./s3.js"
import * as S3Spec from "./s3Spec.js"
import * as S3SpecAnswers from "./s3SpecAnswers.js"
import { absent } from "./spec.js"

const bare = (etag: string) => etag.replaceAll("\"", "")
const place = (input: any) => ({ bucket: input.Bucket, key: input.Key })
const uploadOf = (input: any) => ({ ...place(input), id: input.UploadId })
const source = (input: any) => {
  const [, bucket = "", key = ""] = /^\/([^/]+)\/(.+)$/.exec(input.CopySource) ?? []
  return { bucket, key }
}
const described = (input: any, output: any) => ({
  ...place(input),
  size: Number(output.ContentRange?.split("/")[1] ?? output.ContentLength),
  etag: bare(output.ETag),
  lastModified: Date.parse(output.LastModified),
  contentType: output.ContentType,
  metadata: output.Metadata
})

/** What is asked for an example, and what is to be read from its answer. */
type Read = (
  exchanges: ObjectBackend.Exchanges,
  input: any,
  output: any
) => readonly [Effect.Effect<unknown, LlmError.LlmError>, expected: unknown]

// of a list of buckets there is no example
const reads: { readonly [O in Exclude<ObjectBackend.Operation, "listBuckets">]: readonly [operation: string, Read] } = {
  put: ["PutObject", ({ put }, { Body, Metadata = {}, ...input }, { ETag }) => [
    put({ ...place(input), body: new TextEncoder().encode(Body), metadata: Metadata, ifAbsent: false }),
    { ...place(input), size: Body.length, etag: bare(ETag), metadata: Metadata }
  ]],
  get: ["GetObject", ({ get }, input, output) => {
    const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(input.Range ?? "") ?? []
    const range = start === undefined ? undefined : { start: Number(start), end: Number(end) }
    const length = Number(output.ContentLength)
    return [
      Effect.scoped(Effect.flatMap(get(place(input), range), ({ bytes, info, length }) =>
        Effect.map(Stream.runFold(bytes, 0, (size, { length }) => size + length), (size) => [info, length, size]))),
      [described(input, output), length, length]
    ]
  }],
  head: ["HeadObject", ({ head }, input, output) => [head(place(input)), described(input, output)]],
  list: ["ListObjectsV2", ({ list }, { Bucket, MaxKeys }, { Contents, NextContinuationToken }) => [
    list({ bucket: Bucket, pageSize: Number(MaxKeys) }),
    {
      items: Contents.map(({ ETag, Key, LastModified, Size }: any) => ({
        _tag: "Object",
        info: { bucket: Bucket, key: Key, size: Size, etag: bare(ETag), lastModified: Date.parse(LastModified), metadata: {} }
      })),
      next: { token: NextContinuationToken }
    }
  ]],
  remove: ["DeleteObject", ({ remove }, input) => [remove(place(input)), undefined]],
  removeMany: ["DeleteObjects", ({ removeMany }, { Bucket, Delete }, { Deleted }) => [
    removeMany(Bucket, Delete.Objects.map(({ Key }: any) => Key)),
    Deleted.map(({ Key }: any) => ({ key: Key }))
  ]],
  copy: ["CopyObject", ({ copy }, input) => [copy(source(input), place(input)), undefined]],
  begin: ["CreateMultipartUpload", ({ begin }, input, output) => [begin(place(input)), uploadOf(output)]],
  sendPart: ["UploadPart", ({ sendPart }, { Body, PartNumber, ...input }, { ETag }) => [
    sendPart(uploadOf(input), Number(PartNumber), new TextEncoder().encode(Body)),
    { number: Number(PartNumber), etag: bare(ETag), size: Body.length }
  ]],
  copyPart: ["UploadPartCopy", ({ copyPart }, { PartNumber, ...input }, { CopyPartResult: { ETag } }) => [
    copyPart(uploadOf(input), Number(PartNumber), source(input), { start: 1, end: 100_000 }),
    { number: Number(PartNumber), etag: bare(ETag), size: 100_000 }
  ]],
  listParts: ["ListParts", ({ listParts }, input, { Parts }) => [
    listParts(uploadOf(input)),
    {
      items: Parts.map(({ ETag, PartNumber, Size }: any) => ({ number: Number(PartNumber), etag: bare(ETag), size: Size }))
    }
  ]],
  complete: ["CompleteMultipartUpload", ({ complete }, { MultipartUpload: { Parts }, ...input }, { ETag }) => [
    complete(
      uploadOf(input),
      Parts.map(({ ETag, PartNumber }: any) => ({ number: Number(PartNumber), etag: bare(ETag), size: 5 })),
      false
    ),
    { ...place(input), size: 5 * Parts.length, etag: bare(ETag), metadata: {} }
  ]],
  abort: ["AbortMultipartUpload", ({ abort }, input) => [abort(uploadOf(input)), undefined]],
  uploads: ["ListMultipartUploads", ({ uploads }, { Bucket, KeyMarker, UploadIdMarker }, output) => [
    uploads(Bucket, undefined, KeyMarker && { token: JSON.stringify([KeyMarker, UploadIdMarker]) }),
    {
      items: output.Uploads.map(({ Key, UploadId }: any) => ({ bucket: Bucket, key: Key, id: UploadId })),
      ...(output.IsTruncated && { next: { token: JSON.stringify([output.NextKeyMarker, output.NextUploadIdMarker]) } })
    }
  ]],
  createBucket: ["CreateBucket", ({ createBucket }, { Bucket }) => [createBucket(Bucket), undefined]],
  deleteBucket: ["DeleteBucket", ({ deleteBucket }, { Bucket }) => [deleteBucket(Bucket), undefined]]
}

describe("S3: what Amazon's examples say is read", () => {
  const description = S3Spec.description()
  if (description === undefined) {
    it.skip(`${absent}`, () => {})
    return
  }
  const answer = S3SpecAnswers.answering(description)
  const file = new URL("../../../../shared/specs/s3/examples-1.json", import.meta.url)
  const { examples } = JSON.parse(Fs.readFileSync(file, "utf8"))

  for (const [operation, read] of Object.values(reads)) {
    for (const { id, input, output = {} } of examples[operation]) {
      it.effect(`${operation}: ${id}`, () =>
        Effect.gen(function*() {
          const [told, expected] = yield* value(answer(operation, output), (store) => {
            const [call, expected] = read(store.definition.exchanges, input, output)
            return Effect.map(call, (told) => [told, expected])
          })
          assert.deepStrictEqual(told, expected)
        }))
    }
  }
})
