/**
 * What S3 is asked in each exchange. Everything is looked at before: what cannot be said on this wire is an
 * `InvalidRequest` that says why, and nothing is sent.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
 */
import * as LlmError from "@spillway/core/LlmError"
import type * as ObjectBackend from "@spillway/core/ObjectBackend"
import type * as Objects from "@spillway/core/Objects"
import * as Either from "effect/Either"
import * as Json from "./json.js"
import * as Md5 from "./md5.js"
import * as SigV4 from "./sigV4.js"
import * as Xml from "./xml.js"

/** What is sent, by whomever and wherever. */
export interface Outgoing {
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE"
  readonly bucket?: string
  readonly key?: string
  readonly query: SigV4.Signable["query"]
  /** Those that are signed, besides what the signature adds; names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** What it is may depend on the region where it is sent. */
  readonly body?: Uint8Array | ((region: string) => Uint8Array | undefined)
  /** Whether the body is what an object consists of, rather than words of the wire. */
  readonly content?: true
}

type Request = Either.Either<Outgoing, LlmError.LlmError>

const xml = (root: string, content: ReadonlyArray<string>): Uint8Array =>
  new TextEncoder().encode(
    `<?xml version="1.0" encoding="UTF-8"?><${root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${
      content.join("")
    }</${root}>`
  )

// where buckets are by default they must not be asked to be
const constraint = (region: string): Uint8Array | undefined =>
  region === "us-east-1"
    ? undefined
    : xml("CreateBucketConfiguration", [Xml.element("LocationConstraint", region)])

const pairs = (query: Readonly<Record<string, string | undefined>>): SigV4.Signable["query"] =>
  Object.entries(query).flatMap(([name, value]) => value === undefined ? [] : [[name, value] as const])

/** The requests of a backend of that name. */
export const make = (backend: string) => {
  const invalid = (field: string, problem: string) =>
    new LlmError.InvalidRequest({ backend, field, message: `${backend}: ${problem}` })

  /** The request, unless one of the problems is one. */
  const unless = (request: Outgoing, ...problems: ReadonlyArray<Problem | undefined>): Request => {
    const found = problems.find((problem) => problem !== undefined)
    return found === undefined ? Either.right(request) : Either.left(invalid(found.field, found.problem))
  }

  const put = (object: ObjectBackend.Whole): Request =>
    unless(
      {
        method: "PUT",
        bucket: object.bucket,
        key: object.key,
        query: [],
        headers: { ...describing(object), ...ifAbsent(object.ifAbsent) },
        body: object.body,
        content: true
      },
      bucketProblem(object.bucket),
      keyProblem(object.key),
      descriptionProblem(object)
    )

  const get = (at: Objects.Location, range: Objects.Range | undefined): Request =>
    unless(
      {
        method: "GET",
        ...at,
        query: [],
        headers: range === undefined ? {} : { range: rangeOf(range) }
      },
      bucketProblem(at.bucket),
      keyProblem(at.key),
      range === undefined ? undefined : rangeProblem(range)
    )

  const ofObject = (
    method: Outgoing["method"],
    { bucket, key }: Objects.Location,
    query: Readonly<Record<string, string>> = {},
    headers: Outgoing["headers"] = {},
    body?: Uint8Array
  ): Request =>
    unless(
      { method, bucket, key, query: pairs(query), headers, ...(body !== undefined && { body }) },
      bucketProblem(bucket),
      keyProblem(key)
    )

  const ofBucket = (
    method: Outgoing["method"],
    bucket: string,
    query: Readonly<Record<string, string | undefined>> = {},
    body?: Outgoing["body"],
    headers: Outgoing["headers"] = {}
  ): Request =>
    unless(
      { method, bucket, query: pairs(query), headers, ...(body !== undefined && { body }) },
      bucketProblem(bucket)
    )

  const copying = (from: Objects.Location, then: (headers: Outgoing["headers"]) => Request): Request => {
    const problem = bucketProblem(from.bucket) ?? keyProblem(from.key)
    return problem === undefined
      ? then({ "x-amz-copy-source": `/${SigV4.encode(from.bucket)}/${SigV4.encodePath(from.key)}` })
      : Either.left(invalid(problem.field, problem.problem))
  }

  return {
    invalid,
    put,
    get,
    head: (at: Objects.Location): Request => ofObject("HEAD", at),
    list: ({ after, bucket, delimiter, pageSize = 1000, prefix }: Objects.List, token: string | undefined): Request =>
      Number.isInteger(pageSize) && pageSize >= 1 && pageSize <= 1000
        ? ofBucket("GET", bucket, {
          "list-type": "2",
          "encoding-type": "url",
          "max-keys": String(pageSize),
          prefix: prefix === "" ? undefined : prefix,
          delimiter,
          "start-after": after,
          "continuation-token": token
        })
        : Either.left(invalid("pageSize", `a page has 1 to 1000 keys, not ${pageSize}`)),
    remove: (at: Objects.Location): Request => ofObject("DELETE", at),
    removeMany: (bucket: string, keys: ReadonlyArray<string>): Request => {
      const body = xml("Delete", keys.map((key) => Xml.element("Object", [Xml.element("Key", key)])))
      // older servers insist on it, newer ones take it as well as one of their checksums
      const headers = { "content-type": "application/xml", "content-md5": Md5.base64(body) }
      return ofBucket("POST", bucket, { delete: "" }, body, headers)
    },
    copy: (from: Objects.Location, to: Objects.Location): Request =>
      copying(from, (headers) => ofObject("PUT", to, {}, headers)),
    begin: (object: Objects.Description): Request =>
      unless(
        {
          method: "POST",
          bucket: object.bucket,
          key: object.key,
          query: [["uploads", ""]],
          headers: describing(object)
        },
        bucketProblem(object.bucket),
        keyProblem(object.key),
        descriptionProblem(object)
      ),
    sendPart: (upload: Objects.Upload, number: number, body: Uint8Array): Request =>
      Either.map(
        ofObject("PUT", upload, { partNumber: String(number), uploadId: upload.id }, {}, body),
        (request): Outgoing => ({ ...request, content: true })
      ),
    copyPart: (
      upload: Objects.Upload,
      number: number,
      from: Objects.Location,
      { end, start }: { readonly start: number; readonly end: number }
    ): Request =>
      copying(from, (headers) =>
        ofObject("PUT", upload, { partNumber: String(number), uploadId: upload.id }, {
          ...headers,
          "x-amz-copy-source-range": `bytes=${start}-${end}`
        })),
    listParts: (upload: Objects.Upload, after: string | undefined): Request =>
      ofObject("GET", upload, {
        uploadId: upload.id,
        "max-parts": "1000",
        ...(after !== undefined && { "part-number-marker": after })
      }),
    complete: (upload: Objects.Upload, parts: ReadonlyArray<ObjectBackend.Part>, absent: boolean): Request =>
      ofObject(
        "POST",
        upload,
        { uploadId: upload.id },
        { "content-type": "application/xml", ...ifAbsent(absent) },
        xml(
          "CompleteMultipartUpload",
          parts.map(({ etag, number }) =>
            Xml.element("Part", [Xml.element("PartNumber", String(number)), Xml.element("ETag", `"${etag}"`)])
          )
        )
      ),
    abort: (upload: Objects.Upload): Request => ofObject("DELETE", upload, { uploadId: upload.id }),
    uploads: (bucket: string, prefix: string | undefined, after: string | undefined): Request => {
      const last = after === undefined ? undefined : Json.parse(after)
      const [key, id] = Json.array(last)
      return ofBucket("GET", bucket, {
        uploads: "",
        "encoding-type": "url",
        prefix,
        "key-marker": Json.string(key),
        "upload-id-marker": Json.string(id)
      })
    },
    createBucket: (bucket: string): Request => ofBucket("PUT", bucket, {}, constraint),
    deleteBucket: (bucket: string): Request => ofBucket("DELETE", bucket),
    headBucket: (bucket: string): Request => ofBucket("HEAD", bucket),
    listBuckets: (): Request => Either.right({ method: "GET", query: [], headers: {} })
  }
}

const ifAbsent = (absent: boolean): Outgoing["headers"] => absent ? { "if-none-match": "*" } : {}

const describing = ({ contentType, metadata = {} }: Objects.Description): Outgoing["headers"] => ({
  "content-type": contentType ?? "application/octet-stream",
  ...Object.fromEntries(
    Object.entries(metadata).map(([name, value]) => [`x-amz-meta-${name.toLowerCase()}`, value])
  )
})

const rangeOf = (range: Objects.Range): string =>
  "last" in range ? `bytes=-${range.last}` : `bytes=${range.start}-${range.end ?? ""}`

// -----------------------------------------------------------------------------
// what cannot be said
// -----------------------------------------------------------------------------

interface Problem {
  readonly field: string
  readonly problem: string
}

const bucketProblem = (bucket: string): Problem | undefined =>
  /^[a-z\d][\w.:-]{0,254}$/i.test(bucket)
    ? undefined
    : { field: "bucket", problem: "a bucket's name has letters, digits, dots and hyphens, at most 255" }

const longestKey = 1024

const keyProblem = (key: string): Problem | undefined => {
  const problem = key === ""
    ? "is empty"
    : /[\ud800-\udfff]/u.test(key)
    ? "is no well-formed text"
    : new TextEncoder().encode(key).length > longestKey
    ? `has more than ${longestKey} bytes`
    // every URL parser takes these for steps of a path, and leads to another object
    : key.split("/").some((step) => step === "." || step === "..")
    ? "has a step `.` or `..`, which no address can have"
    : undefined
  return problem === undefined ? undefined : { field: "key", problem: `the key of the object ${problem}` }
}

const descriptionProblem = ({ contentType, metadata = {} }: Objects.Description): Problem | undefined => {
  if (contentType !== undefined && !/^[\x21-\x7e][\x20-\x7e]*$/.test(contentType)) {
    return { field: "contentType", problem: "a content type has no other characters than ASCII's" }
  }
  const wrong = Object.entries(metadata).find(([name, value]) =>
    !/^[\w!#$%&'*+.^`|~-]+$/.test(name) || !/^[\x20-\x7e]*$/.test(value)
  )
  return wrong === undefined ? undefined : {
    field: "metadata",
    problem: `the metadata ${wrong[0].slice(0, 40)} cannot stand in a header: names and values are ASCII`
  }
}

const isCount = (n: number, least: number): boolean => Number.isSafeInteger(n) && n >= least

const rangeProblem = (range: Objects.Range): Problem | undefined => {
  const fine = "last" in range
    ? isCount(range.last, 1)
    : isCount(range.start, 0) && (range.end === undefined || isCount(range.end, range.start))
  return fine ? undefined : { field: "range", problem: "a range is of whole numbers, and ends after its start" }
}
