/**
 * What several stores call differently, in one word: their ids of an upload, their etags of a part, their cursors.
 */
import type * as ObjectBackend from "../ObjectBackend.js"
import type * as Objects from "../Objects.js"

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const isTexts = (u: unknown): u is ReadonlyArray<string> =>
  Array.isArray(u) && u.every((one) => typeof one === "string")

/** One etag of all; several where they differ. */
export const joinEtags = (etags: ReadonlyArray<string>): string =>
  etags.every((etag) => etag === etags[0]) ? etags[0] ?? "" : JSON.stringify(etags)

/** The etag that one store gave a part. */
export const etagOf = (part: ObjectBackend.Part, index: number): ObjectBackend.Part => {
  const etags = part.etag.startsWith("[") ? parse(part.etag) : undefined
  return isTexts(etags) ? { ...part, etag: etags[index] ?? part.etag } : part
}

/** An upload of all stores; `undefined` for one that has none. */
export const joinUploads = (
  at: Objects.Location,
  uploads: ReadonlyArray<Objects.Upload | undefined>
): Objects.Upload => ({
  bucket: at.bucket,
  key: at.key,
  id: JSON.stringify(uploads.map((upload) => [upload?.id, upload?.at].filter((one) => one !== undefined)))
})

/** The upload of one store; `undefined` where it has none. */
export const uploadOf = ({ bucket, id, key }: Objects.Upload, index: number): Objects.Upload | undefined => {
  const ids = parse(id)
  const own: unknown = Array.isArray(ids) ? ids[index] : undefined
  if (!isTexts(own)) return undefined
  const [first, at] = own
  return first === undefined ? undefined : { bucket, key, id: first, ...(at !== undefined && { at }) }
}

/** A cursor of the store at that index. */
export const joinCursor = (index: number, cursor: ObjectBackend.Cursor | undefined): ObjectBackend.Cursor => ({
  token: JSON.stringify([index, cursor])
})

/** Which store a cursor belongs to, and its own cursor. */
export const cursorOf = (
  from: ObjectBackend.Cursor | undefined
): { readonly index: number; readonly cursor: ObjectBackend.Cursor | undefined } => {
  const pair = from === undefined ? undefined : parse(from.token)
  // a cursor comes from `joinCursor` alone: a listing never leaves the program that began it
  const [index, cursor] = (Array.isArray(pair) ? pair : [0]) as [number, ObjectBackend.Cursor?]
  return { index, cursor: cursor ?? undefined }
}
