/**
 * What S3 is asked, what comes of it, and why nothing does.
 *
 * @since 0.1.0
 */
import * as Objects from "./S3Objects.js"
import type { Refused } from "./S3Signature.js"
import type * as Wire from "./Wire.js"

/**
 * A request of somebody who may make it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Asked {
  readonly buckets: Objects.Buckets
  readonly method: string
  /** Empty where all buckets are meant. */
  readonly bucket: string
  /** Empty where the bucket itself is meant. */
  readonly key: string
  readonly query: URLSearchParams
  readonly headers: Wire.Headers
  readonly body: Uint8Array
  readonly now: number
  readonly id: number
}

/**
 * What came of it. `Late` is a document that is begun before it is known whether it is true.
 *
 * @since 0.1.0
 * @category models
 */
export type Result =
  | {
      readonly _tag: "Content"
      readonly status: number
      readonly content: Uint8Array
      readonly headers: { readonly [name: string]: string }
    }
  | {
      readonly _tag: "Document"
      readonly xml: string
      readonly headers?: { readonly [name: string]: string }
    }
  | { readonly _tag: "Late"; readonly xml: string }
  | { readonly _tag: "Nothing"; readonly status: number; readonly headers?: { readonly [name: string]: string } }

/**
 * What is to be done, once nothing stands against it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Done {
  readonly perform: () => Result
}

/**
 * What is to be done, or why it is not.
 *
 * @since 0.1.0
 * @category models
 */
export type Answer = Done | Refused

/**
 * Nothing stands against it.
 *
 * @since 0.1.0
 * @category constructors
 */
export const done = (perform: () => Result): Done => ({ perform })

/**
 * It is not done.
 *
 * @since 0.1.0
 * @category constructors
 */
export const refused = (status: number, code: string, message: string, more?: Refused["more"]): Refused => ({
  status,
  code,
  message,
  ...(more === undefined ? {} : { more })
})

/**
 * Nothing has this method.
 *
 * @since 0.1.0
 * @category constants
 */
export const notAllowed = refused(405, "MethodNotAllowed", "The specified method is not allowed against this resource.")

/**
 * There is no such bucket.
 *
 * @since 0.1.0
 * @category constructors
 */
export const noBucket = ({ bucket }: Asked): Refused =>
  refused(404, "NoSuchBucket", "The specified bucket does not exist", { BucketName: bucket })

/**
 * There is no such object.
 *
 * @since 0.1.0
 * @category constructors
 */
export const noKey = (key: string): Refused =>
  refused(404, "NoSuchKey", "The specified key does not exist.", { Key: key })

/**
 * There is no such upload.
 *
 * @since 0.1.0
 * @category constructors
 */
export const noUpload = (id: string): Refused =>
  refused(
    404,
    "NoSuchUpload",
    "The specified multipart upload does not exist. It may have been aborted or completed.",
    { UploadId: id }
  )

/**
 * The XML is none.
 *
 * @since 0.1.0
 * @category constants
 */
export const malformed = refused(
  400,
  "MalformedXML",
  "The XML you provided was not well-formed or did not validate against our published schema"
)

/**
 * An argument is wrong.
 *
 * @since 0.1.0
 * @category constructors
 */
export const invalid = (message: string): Refused => refused(400, "InvalidArgument", message)

/**
 * A moment, as XML has it.
 *
 * @since 0.1.0
 * @category conversions
 */
export const instant = (millis: number): string => new Date(millis).toISOString()

/**
 * An etag, as it is sent.
 *
 * @since 0.1.0
 * @category conversions
 */
export const quoted = (etag: string): string => `"${etag}"`

/**
 * How names are written in a listing.
 *
 * @since 0.1.0
 * @category conversions
 */
export const encodedAs = (query: URLSearchParams): ((text: string) => string) =>
  query.get("encoding-type") === "url"
    ? (text) => encodeURIComponent(text).replaceAll("%20", "+").replaceAll("%2F", "/")
    : (text) => text

/**
 * A hexadecimal text in base 64.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toBase64 = (hex: string): string =>
  btoa((hex.match(/../g) ?? []).map((byte) => String.fromCharCode(Number.parseInt(byte, 16))).join(""))

/**
 * What is kept of the headers that an object came with.
 *
 * @since 0.1.0
 * @category conversions
 */
export const described = (headers: Wire.Headers): Objects.Stored["headers"] => ({
  "content-type": headers["content-type"] ?? "binary/octet-stream",
  ...Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value !== undefined && name.startsWith("x-amz-meta-") ? [[name, value]] : []
    )
  )
})

/**
 * An object that must not be there is.
 *
 * @since 0.1.0
 * @category conversions
 */
export const exists = ({ headers, key }: Asked, bucket: Objects.Bucket): Refused | undefined =>
  headers["if-none-match"] === "*" && bucket.objects.has(key)
    ? refused(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold", {
        Condition: "If-None-Match"
      })
    : undefined

/**
 * From where to where (not included); nothing where there is no range, null where it cannot be.
 *
 * @since 0.1.0
 * @category conversions
 */
export const rangeOf = (header: string | undefined, size: number): readonly [number, number] | undefined | null => {
  const [, from = "", to = ""] = /^bytes=(\d*)-(\d*)$/.exec(header ?? "") ?? []
  if (from === "" && to === "") return undefined
  const [start, end] =
    from === ""
      ? [Math.max(0, size - Number(to)), size]
      : [Number(from), to === "" ? size : Math.min(size, Number(to) + 1)]
  return start < end ? [start, end] : null
}

/**
 * What is to be copied.
 *
 * @since 0.1.0
 * @category conversions
 */
export const sourceOf = ({ buckets, headers }: Asked): Objects.Stored | Refused => {
  const path = decodeURIComponent(headers["x-amz-copy-source"] ?? "").replace(/^\//, "")
  const at = path.indexOf("/")
  const bucket = buckets.get(path.slice(0, at))
  if (bucket === undefined) return refused(404, "NoSuchBucket", "The specified bucket does not exist")
  return bucket.objects.get(path.slice(at + 1)) ?? noKey(path.slice(at + 1))
}
