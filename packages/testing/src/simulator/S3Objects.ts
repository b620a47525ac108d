/**
 * The buckets of the simulated S3, with all that is in them. They change in place.
 *
 * @since 0.1.0
 */
import { md5 } from "@noble/hashes/legacy.js"
import { bytesToHex, concatBytes, hexToBytes } from "@noble/hashes/utils.js"

/**
 * An object.
 *
 * @since 0.1.0
 * @category models
 */
export interface Stored {
  readonly key: string
  readonly content: Uint8Array
  /** Without quotation marks. */
  readonly etag: string
  /** Milliseconds since 1970. */
  readonly modified: number
  /** Its content type, and whatever was said of it in `x-amz-meta-*`. */
  readonly headers: { readonly [name: string]: string }
}

/**
 * A part of an upload.
 *
 * @since 0.1.0
 * @category models
 */
export interface Part {
  readonly number: number
  readonly content: Uint8Array
  readonly etag: string
  readonly modified: number
}

/**
 * An upload in parts.
 *
 * @since 0.1.0
 * @category models
 */
export interface Upload {
  readonly id: string
  readonly key: string
  readonly headers: Stored["headers"]
  readonly initiated: number
  readonly parts: Map<number, Part>
}

/**
 * A bucket.
 *
 * @since 0.1.0
 * @category models
 */
export interface Bucket {
  readonly name: string
  readonly created: number
  readonly objects: Map<string, Stored>
  readonly uploads: Map<string, Upload>
}

/**
 * All buckets, by name.
 *
 * @since 0.1.0
 * @category models
 */
export type Buckets = Map<string, Bucket>

/**
 * An empty bucket.
 *
 * @since 0.1.0
 * @category constructors
 */
export const bucket = (name: string, created: number): Bucket => ({
  name,
  created,
  objects: new Map(),
  uploads: new Map()
})

/**
 * The etag of what was sent at once.
 *
 * @since 0.1.0
 * @category conversions
 */
export const etagOf = (content: Uint8Array): string => bytesToHex(md5(content))

/**
 * The etag of what came in parts.
 *
 * @since 0.1.0
 * @category conversions
 */
export const etagOfParts = (parts: ReadonlyArray<Part>): string =>
  `${bytesToHex(md5(concatBytes(...parts.map(({ etag }) => hexToBytes(etag)))))}-${parts.length}`

/**
 * The content of parts, one after the other.
 *
 * @since 0.1.0
 * @category conversions
 */
export const join = (parts: ReadonlyArray<Part>): Uint8Array => concatBytes(...parts.map(({ content }) => content))

/**
 * Keeps an object in the place of another of its key.
 *
 * @since 0.1.0
 * @category combinators
 */
export const put = ({ objects }: Bucket, stored: Stored): void => {
  objects.set(stored.key, stored)
}

const encoder = new TextEncoder()

/**
 * The order of keys, which is that of their bytes.
 *
 * @since 0.1.0
 * @category conversions
 */
export const compare = (one: string, other: string): number => {
  const [a, b] = [encoder.encode(one), encoder.encode(other)]
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    if (a[i] !== b[i]) return (a[i] ?? 0) - (b[i] ?? 0)
  }
  return a.length - b.length
}

/**
 * A line of a listing: an object, or a prefix that several have in common.
 *
 * @since 0.1.0
 * @category models
 */
export type Line = { readonly name: string; readonly stored: Stored | undefined }

/**
 * What was told last, after which a page begins: a key, or a prefix with all that is in it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Last {
  readonly name: string
  readonly isPrefix: boolean
}

/**
 * A page of a bucket's lines.
 *
 * @since 0.1.0
 * @category conversions
 */
export const page = (
  { objects }: Bucket,
  of: {
    readonly prefix: string
    readonly delimiter: string
    readonly after: Last | undefined
    readonly most: number
  }
): { readonly lines: ReadonlyArray<Line>; readonly next: Last | undefined } => {
  const { after, delimiter, most, prefix } = of
  const lines = new Map<string, Line>()
  for (const stored of objects.values()) {
    if (!stored.key.startsWith(prefix) || (after !== undefined && isTold(stored.key, after))) continue
    const end = delimiter === "" ? -1 : stored.key.indexOf(delimiter, prefix.length)
    const name = end < 0 ? stored.key : stored.key.slice(0, end + delimiter.length)
    lines.set(name, { name, stored: end < 0 ? stored : undefined })
  }
  const all = Array.from(lines.values()).toSorted((one, other) => compare(one.name, other.name))
  const some = all.slice(0, most)
  const last = some.at(-1)
  return {
    lines: some,
    next:
      last === undefined || all.length === some.length
        ? undefined
        : { name: last.name, isPrefix: last.stored === undefined }
  }
}

const isTold = (key: string, { isPrefix, name }: Last): boolean =>
  compare(key, name) <= 0 || (isPrefix && key.startsWith(name))
