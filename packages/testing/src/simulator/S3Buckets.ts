/**
 * What S3 does with buckets: makes, lists and removes them, lists what is in them, and removes much of it at once.
 *
 * @since 0.1.0
 */
import * as Asked from "./S3Asked.js"
import * as Objects from "./S3Objects.js"
import * as Uploads from "./S3Uploads.js"
import * as Xml from "./S3Xml.js"

/**
 * All buckets.
 *
 * @since 0.1.0
 * @category conversions
 */
export const listBuckets = ({ buckets }: Asked.Asked): Asked.Answer =>
  Asked.done(() => ({
    _tag: "Document",
    xml: Xml.root("ListAllMyBucketsResult", [
      Xml.element("Owner", [Xml.element("ID", "simulator"), Xml.element("DisplayName", "simulator")]),
      Xml.element(
        "Buckets",
        Array.from(buckets.values())
          .toSorted((one, other) => Objects.compare(one.name, other.name))
          .map(({ created, name }) =>
            Xml.element("Bucket", [Xml.element("Name", name), Xml.element("CreationDate", Asked.instant(created))])
          )
      )
    ])
  }))

/**
 * A new bucket.
 *
 * @since 0.1.0
 * @category conversions
 */
export const createBucket = ({ bucket, buckets, now }: Asked.Asked): Asked.Answer =>
  /^[a-z\d][a-z\d.-]{1,61}[a-z\d]$/.test(bucket)
    ? Asked.done(() => {
        // In its oldest region a bucket that is one's own may be made again.
        if (!buckets.has(bucket)) buckets.set(bucket, Objects.bucket(bucket, now))
        return { _tag: "Nothing", status: 200, headers: { location: `/${bucket}` } }
      })
    : Asked.refused(400, "InvalidBucketName", "The specified bucket is not valid.", { BucketName: bucket })

/**
 * Whatever is asked of a bucket that is there.
 *
 * @since 0.1.0
 * @category conversions
 */
export const ofBucket = (asked: Asked.Asked, bucket: Objects.Bucket): Asked.Answer => {
  const { buckets, method, query } = asked
  if (method === "HEAD") {
    return Asked.done(() => ({ _tag: "Nothing", status: 200, headers: { "x-amz-bucket-region": "us-east-1" } }))
  }
  if (method === "DELETE") {
    return bucket.objects.size > 0
      ? Asked.refused(409, "BucketNotEmpty", "The bucket you tried to delete is not empty", { BucketName: bucket.name })
      : Asked.done(() => {
          buckets.delete(bucket.name)
          return { _tag: "Nothing", status: 204 }
        })
  }
  if (method === "POST") return query.has("delete") ? removeMany(asked, bucket) : Asked.notAllowed
  if (query.has("location")) {
    return Asked.done(() => ({ _tag: "Document", xml: Xml.root("LocationConstraint", []) }))
  }
  return query.has("uploads") ? Uploads.list(asked, bucket) : list(asked, bucket)
}

const list = ({ query }: Asked.Asked, bucket: Objects.Bucket): Asked.Answer => {
  const most = Number(query.get("max-keys") ?? "1000")
  if (!Number.isInteger(most) || most < 0) return Asked.invalid("Provided max-keys not an integer")
  if (query.get("list-type") !== "2") {
    return Asked.refused(501, "NotImplemented", "Only the second version of listing is.")
  }
  const encoded = Asked.encodedAs(query)
  const prefix = query.get("prefix") ?? ""
  const delimiter = query.get("delimiter") ?? ""
  const token = query.get("continuation-token")
  const start = query.get("start-after")
  const after = token === null ? (start === null ? undefined : { name: start, isPrefix: false }) : lastOf(token)
  if (after === null) return Asked.invalid("The continuation token provided is incorrect")
  return Asked.done(() => {
    const { lines, next } = Objects.page(bucket, { prefix, delimiter, after, most: Math.min(most, 1000) })
    return {
      _tag: "Document",
      xml: Xml.root("ListBucketResult", [
        Xml.element("Name", bucket.name),
        Xml.element("Prefix", encoded(prefix)),
        ...(delimiter === "" ? [] : [Xml.element("Delimiter", encoded(delimiter))]),
        Xml.element("MaxKeys", most),
        ...(query.has("encoding-type") ? [Xml.element("EncodingType", "url")] : []),
        Xml.element("KeyCount", lines.length),
        Xml.element("IsTruncated", String(next !== undefined)),
        ...(token === null ? [] : [Xml.element("ContinuationToken", token)]),
        ...(next === undefined ? [] : [Xml.element("NextContinuationToken", tokenOf(next))]),
        ...lines.map(({ name, stored }) =>
          stored === undefined
            ? Xml.element("CommonPrefixes", [Xml.element("Prefix", encoded(name))])
            : Xml.element("Contents", [
                Xml.element("Key", encoded(name)),
                Xml.element("LastModified", Asked.instant(stored.modified)),
                Xml.element("ETag", Asked.quoted(stored.etag)),
                Xml.element("Size", stored.content.length),
                Xml.element("StorageClass", "STANDARD")
              ])
        )
      ])
    }
  })
}

const tokenOf = ({ isPrefix, name }: Objects.Last): string => `${isPrefix ? "p" : "k"}+${encodeURIComponent(name)}`

const lastOf = (token: string): Objects.Last | null =>
  /^[pk]\+/.test(token) ? { name: decodeURIComponent(token.slice(2)), isPrefix: token.startsWith("p") } : null

const removeMany = ({ body, headers }: Asked.Asked, bucket: Objects.Bucket): Asked.Answer => {
  const summed = headers["content-md5"] ?? Object.keys(headers).find((name) => name.startsWith("x-amz-checksum-"))
  if (summed === undefined) {
    return Asked.refused(400, "InvalidRequest", "Missing required header for this request: Content-MD5")
  }
  if (headers["content-md5"] !== undefined && headers["content-md5"] !== Asked.toBase64(Objects.etagOf(body))) {
    return Asked.refused(400, "BadDigest", "The Content-MD5 you specified did not match what we received.")
  }
  const xml = new TextDecoder().decode(body)
  const keys = Xml.inside(xml, "Object").map((one) => Xml.textOf(one, "Key"))
  if (Xml.inside(xml, "Delete").length !== 1 || keys.length === 0 || keys.length > 1000) return Asked.malformed
  const quiet = Xml.textOf(xml, "Quiet") === "true"
  return Asked.done(() => {
    for (const key of keys) bucket.objects.delete(key ?? "")
    const deleted = keys.map((key) => Xml.element("Deleted", [Xml.element("Key", key ?? "")]))
    return { _tag: "Late", xml: Xml.root("DeleteResult", quiet ? [] : deleted) }
  })
}
