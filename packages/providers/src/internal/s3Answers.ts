/**
 * Our words from S3's answers. What is absent or unknown is skipped; only what an answer is asked for must be there.
 */
import type * as ObjectBackend from "@spillway/core/ObjectBackend"
import type * as Objects from "@spillway/core/Objects"
import * as S3Errors from "./s3Errors.js"
import * as Xml from "./xml.js"

type Headers = { readonly [name: string]: string | undefined }

/** What the headers tell of an object. */
export const info = (at: Objects.Location, headers: Headers, size: number): Objects.Info => {
  const etag = bare(headers["etag"])
  const modified = moment(headers["last-modified"])
  const contentType = headers["content-type"]
  return {
    bucket: at.bucket,
    key: at.key,
    size,
    ...(etag !== undefined && { etag }),
    ...(modified !== undefined && { lastModified: modified }),
    ...(contentType !== undefined && { contentType }),
    metadata: Object.fromEntries(
      Object.entries(headers).flatMap(([name, value]) =>
        name.startsWith(meta) && value !== undefined ? [[name.slice(meta.length), value]] : []
      )
    )
  }
}

const meta = "x-amz-meta-"

/** An etag without its quotation marks. */
export const bare = (etag: string | undefined): string | undefined =>
  etag === undefined || etag === "" ? undefined : etag.replace(/^(?:W\/)?"?|"$/g, "")

const moment = (text: string | undefined): number | undefined => {
  const millis = text === undefined ? NaN : Date.parse(text)
  return Number.isNaN(millis) ? undefined : millis
}

/** A count of bytes; nothing for what is none. */
export const count = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined

/** Of which part of an object the bytes come, `bytes 1-2/5`: how many that are, and of how many. */
export const part = (contentRange: string | undefined): { readonly length?: number; readonly size?: number } => {
  const [, from, to, of] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(contentRange ?? "") ?? []
  const [start, end, size] = [count(from), count(to), count(of)]
  return {
    ...(start !== undefined && end !== undefined && end >= start && { length: end - start + 1 }),
    ...(size !== undefined && { size })
  }
}

/** A key or prefix as it is, where the listing is encoded. */
const decoder = (root: Xml.Element): (text: string) => string => {
  if (Xml.textOf(root, "EncodingType") !== "url") return (text) => text
  return (text) => {
    try {
      // a plus sign stands for a space, as in a form
      return decodeURIComponent(text.replaceAll("+", " "))
    } catch {
      return text
    }
  }
}

/** Some of many; `rest` tells where the rest begins, or that nobody knows where. */
export interface Page<A> {
  readonly items: ReadonlyArray<A>
  readonly rest: { readonly token: string } | "unknown" | undefined
}

const restOf = (root: Xml.Element, token: string | undefined): Page<never>["rest"] =>
  Xml.textOf(root, "IsTruncated") !== "true" ? undefined : token === undefined ? "unknown" : { token }

/** A page of a listing, and the token of the next. */
export const list = (root: Xml.Element, bucket: string): Page<Objects.Entry> => {
  const decode = decoder(root)
  const objects = Xml.all(root, "Contents").flatMap((one): ReadonlyArray<Objects.Entry> => {
    const key = Xml.textOf(one, "Key")
    const etag = bare(Xml.textOf(one, "ETag"))
    const modified = moment(Xml.textOf(one, "LastModified"))
    return key === undefined ? [] : [{
      _tag: "Object",
      info: {
        bucket,
        key: decode(key),
        size: count(Xml.textOf(one, "Size")) ?? 0,
        ...(etag !== undefined && { etag }),
        ...(modified !== undefined && { lastModified: modified }),
        metadata: {}
      }
    }]
  })
  const prefixes = Xml.all(root, "CommonPrefixes").flatMap((one): ReadonlyArray<Objects.Entry> => {
    const prefix = Xml.textOf(one, "Prefix")
    return prefix === undefined ? [] : [{ _tag: "Prefix", prefix: decode(prefix) }]
  })
  return { items: [...objects, ...prefixes], rest: restOf(root, Xml.textOf(root, "NextContinuationToken")) }
}

/** What became of each key; a failure for those that are still there. */
export const removed = (
  root: Xml.Element
): ReadonlyArray<{ readonly key: string; readonly failure: S3Errors.Failure | undefined }> => [
  ...Xml.all(root, "Deleted").map((one) => ({ key: Xml.textOf(one, "Key") ?? "", failure: undefined })),
  ...Xml.all(root, "Error").map((one) => ({
    key: Xml.textOf(one, "Key") ?? "",
    failure: {
      status: 200,
      code: Xml.textOf(one, "Code"),
      message: Xml.textOf(one, "Message") ?? "",
      requestId: undefined,
      region: undefined,
      foreign: false
    }
  }))
]

/** Some parts of an upload, and the number after which the rest comes. */
export const parts = (root: Xml.Element): Page<ObjectBackend.Part> => ({
  items: Xml.all(root, "Part").flatMap((one) => {
    const number = count(Xml.textOf(one, "PartNumber"))
    const etag = bare(Xml.textOf(one, "ETag"))
    const size = count(Xml.textOf(one, "Size"))
    return number === undefined || etag === undefined || size === undefined ? [] : [{ number, etag, size }]
  }),
  rest: restOf(root, Xml.textOf(root, "NextPartNumberMarker"))
})

/** Some uploads of a bucket, and the last of them, after which the rest comes. */
export const uploads = (root: Xml.Element, bucket: string): Page<Objects.Upload> => {
  const decode = decoder(root)
  const key = Xml.textOf(root, "NextKeyMarker")
  return {
    items: Xml.all(root, "Upload").flatMap((one) => {
      const key = Xml.textOf(one, "Key")
      const id = Xml.textOf(one, "UploadId")
      return key === undefined || id === undefined ? [] : [{ bucket, key: decode(key), id }]
    }),
    rest: restOf(
      root,
      // two texts in one, since the next page wants both
      key === undefined ? undefined : JSON.stringify([decode(key), Xml.textOf(root, "NextUploadIdMarker") ?? ""])
    )
  }
}

/** The names of buckets. */
export const buckets = (root: Xml.Element): ReadonlyArray<string> =>
  Xml.all(root, "Buckets").flatMap((buckets) =>
    Xml.all(buckets, "Bucket").flatMap((bucket) => Xml.textOf(bucket, "Name") ?? [])
  )
