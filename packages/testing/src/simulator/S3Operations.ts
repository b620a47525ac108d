/**
 * What S3 does when it is asked, and why it does not. A request is looked at first, and changes nothing before it is
 * performed, so that one that meets a fault has done nothing.
 *
 * @since 0.1.0
 */
import * as Asked from "./S3Asked.js"
import * as Buckets from "./S3Buckets.js"
import * as Objects from "./S3Objects.js"
import * as Uploads from "./S3Uploads.js"
import * as Xml from "./S3Xml.js"
import type * as Wire from "./Wire.js"

/**
 * What a request asks for, or why it is not done.
 *
 * @since 0.1.0
 * @category conversions
 */
export const run = (asked: Asked.Asked): Asked.Answer => {
  const unknown = Array.from(asked.query.keys()).find((name) => subresources.has(name))
  if (unknown !== undefined) {
    const message = `A header you provided implies functionality that is not implemented: ${unknown}`
    return Asked.refused(501, "NotImplemented", message)
  }
  if (asked.bucket === "") return asked.method === "GET" ? Buckets.listBuckets(asked) : Asked.notAllowed
  if (asked.key !== "") return ofObject(asked)
  if (asked.method === "PUT") return Buckets.createBucket(asked)
  const bucket = asked.buckets.get(asked.bucket)
  return bucket === undefined ? Asked.noBucket(asked) : Buckets.ofBucket(asked, bucket)
}

const subresources = new Set(["acl", "tagging", "policy", "lifecycle", "versioning", "versions", "cors", "website"])

/**
 * A body as it is meant: Amazon's own clients send some of theirs in chunks with a checksum behind them.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 * @since 0.1.0
 * @category conversions
 */
export const plainBody = (headers: Wire.Headers, body: Uint8Array): Uint8Array => {
  if (headers["x-amz-content-sha256"]?.startsWith("STREAMING-") !== true) return body
  const text = new TextDecoder("latin1").decode(body)
  const chunks: Array<Uint8Array> = []
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf("\r\n", at)
    const size = Number.parseInt(text.slice(at, end), 16)
    if (end < 0 || !(size > 0)) break
    chunks.push(body.slice(end + 2, end + 2 + size))
    at = end + 2 + size + 2
  }
  return Objects.join(chunks.map((content) => ({ content, number: 0, etag: "", modified: 0 })))
}

// -----------------------------------------------------------------------------
// objects
// -----------------------------------------------------------------------------

const ofObject = (asked: Asked.Asked): Asked.Answer => {
  const { buckets, headers, key, method, query } = asked
  const bucket = buckets.get(asked.bucket)
  if (bucket === undefined) return Asked.noBucket(asked)
  if (new TextEncoder().encode(key).length > 1024) {
    return Asked.refused(400, "KeyTooLongError", "Your key is too long")
  }
  const uploadId = query.get("uploadId")
  if (uploadId !== null) return Uploads.ofUpload(asked, bucket, uploadId)
  switch (method) {
    case "GET":
    case "HEAD":
      return get(asked, bucket)
    case "PUT":
      return headers["x-amz-copy-source"] === undefined ? put(asked, bucket) : copy(asked, bucket)
    case "POST":
      return query.has("uploads") ? Uploads.begin(asked, bucket) : Asked.notAllowed
    default:
      return Asked.done(() => {
        bucket.objects.delete(key)
        return { _tag: "Nothing", status: 204 }
      })
  }
}

const put = (asked: Asked.Asked, bucket: Objects.Bucket): Asked.Answer => {
  const { body, headers, key, now } = asked
  const digest = headers["content-md5"]
  if (digest !== undefined && digest !== Asked.toBase64(Objects.etagOf(body))) {
    return Asked.refused(400, "BadDigest", "The Content-MD5 you specified did not match what we received.")
  }
  return (
    Asked.exists(asked, bucket) ??
    Asked.done(() => {
      const etag = Objects.etagOf(body)
      Objects.put(bucket, { key, content: body.slice(), etag, modified: now, headers: Asked.described(headers) })
      return { _tag: "Nothing", status: 200, headers: { etag: Asked.quoted(etag) } }
    })
  )
}

const get = ({ headers, key }: Asked.Asked, bucket: Objects.Bucket): Asked.Answer => {
  const stored = bucket.objects.get(key)
  if (stored === undefined) return Asked.noKey(key)
  const { content, etag, modified } = stored
  const range = Asked.rangeOf(headers["range"], content.length)
  if (range === null) {
    return Asked.refused(416, "InvalidRange", "The requested range is not satisfiable", {
      ActualObjectSize: content.length.toString()
    })
  }
  const [start, end] = range ?? [0, content.length]
  return Asked.done(() => ({
    _tag: "Content",
    status: range === undefined ? 200 : 206,
    content: content.subarray(start, end),
    headers: {
      ...stored.headers,
      "accept-ranges": "bytes",
      etag: Asked.quoted(etag),
      "last-modified": new Date(modified).toUTCString(),
      ...(range === undefined ? {} : { "content-range": `bytes ${start}-${end - 1}/${content.length}` })
    }
  }))
}

const copy = (asked: Asked.Asked, bucket: Objects.Bucket): Asked.Answer => {
  const source = Asked.sourceOf(asked)
  if ("code" in source) return source
  const replaces = asked.headers["x-amz-metadata-directive"] === "REPLACE"
  return Asked.done(() => {
    const { content, etag } = source
    const headers = replaces ? Asked.described(asked.headers) : source.headers
    Objects.put(bucket, { key: asked.key, content, etag, modified: asked.now, headers })
    return {
      _tag: "Late",
      xml: Xml.root("CopyObjectResult", [
        Xml.element("LastModified", Asked.instant(asked.now)),
        Xml.element("ETag", Asked.quoted(etag))
      ])
    }
  })
}
