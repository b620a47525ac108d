/**
 * AWS's Signature Version 4, as S3 has it (a path is encoded once, and not normalised): in headers, or in the query of
 * an address that others may use for a while. Pure; the time is an argument.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 */
import { hmac } from "@noble/hashes/hmac.js"
import { sha256 } from "@noble/hashes/sha2.js"
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js"

/** Who signs. */
export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
}

/** What is signed: all of it goes over the wire as it is here. */
export interface Signable {
  readonly method: string
  /** With its port, unless it is the one that the scheme implies. */
  readonly host: string
  /** Encoded (`encodePath`), from the first slash on. */
  readonly path: string
  /** Names and values, not encoded. */
  readonly query: ReadonlyArray<readonly [name: string, value: string]>
  /** All that are to be signed but `host`, their names in lower case. */
  readonly headers: Readonly<Record<string, string>>
}

/** By whom, where and when. */
export interface Signing {
  readonly credentials: Credentials
  readonly region: string
  /** Milliseconds since 1970. */
  readonly now: number
}

/** The hash of a body that is not signed, for transports that keep it whole by themselves. */
export const unsignedPayload = "UNSIGNED-PAYLOAD"

/** The hash of a body. */
export const hash = (body: Uint8Array): string => bytesToHex(sha256(body))

/** The hash of no body. */
export const emptyHash = hash(new Uint8Array())

/** Percent-encodes all but what RFC 3986 calls unreserved. The text must be well-formed. */
export const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)

/** Like `encode`, leaving slashes as they are. */
export const encodePath = (path: string): string => path.split("/").map(encode).join("/")

/** A query, encoded and in the order in which it is signed; empty, or begins with a question mark. */
export const encodeQuery = (query: Signable["query"]): string =>
  query.length === 0 ? "" : `?${canonicalQuery(query)}`

/** The headers that a request needs besides its own to be taken for what it is; `payload` is the hash of its body. */
export const sign = (request: Signable, signing: Signing, payload: string): Readonly<Record<string, string>> => {
  const { credentials: { accessKeyId, sessionToken } } = signing
  const time = toTime(signing.now)
  const added = {
    "x-amz-content-sha256": payload,
    "x-amz-date": time,
    ...(sessionToken !== undefined && { "x-amz-security-token": sessionToken })
  }
  const { canonical, names } = canonicalRequest({ ...request, headers: { ...request.headers, ...added } }, payload)
  return {
    ...added,
    authorization: `${algorithm} Credential=${accessKeyId}/${scopeOf(signing)}, SignedHeaders=${names}, Signature=${
      signatureOf(canonical, signing)
    }`
  }
}

/** The query (encoded, with its question mark) by which the request may be made without further headers for a while. */
export const presign = (request: Signable, signing: Signing, seconds: number): string => {
  const { credentials: { accessKeyId, sessionToken } } = signing
  const names = signedNames(request)
  const query = [
    ...request.query,
    ["X-Amz-Algorithm", algorithm],
    ["X-Amz-Credential", `${accessKeyId}/${scopeOf(signing)}`],
    ["X-Amz-Date", toTime(signing.now)],
    ["X-Amz-Expires", String(seconds)],
    ...(sessionToken === undefined ? [] : [["X-Amz-Security-Token", sessionToken]]),
    ["X-Amz-SignedHeaders", names]
  ] as Signable["query"]
  const { canonical } = canonicalRequest({ ...request, query }, unsignedPayload)
  return `${encodeQuery(query)}&X-Amz-Signature=${signatureOf(canonical, signing)}`
}

// -----------------------------------------------------------------------------
// the steps
// -----------------------------------------------------------------------------

const algorithm = "AWS4-HMAC-SHA256"

/** `20130524T000000Z` */
const toTime = (now: number): string => new Date(now).toISOString().replace(/[:-]|\.\d{3}/g, "")

const toDay = (now: number): string => toTime(now).slice(0, 8)

const scopeOf = ({ now, region }: Signing): string => `${toDay(now)}/${region}/s3/aws4_request`

const signedNames = ({ headers }: Signable): string => ["host", ...Object.keys(headers)].toSorted().join(";")

const canonicalQuery = (query: Signable["query"]): string =>
  query.map(([name, value]) => [encode(name), encode(value)] as const)
    .toSorted(([a, x], [b, y]) => a === b ? compare(x, y) : compare(a, b))
    .map(([name, value]) => `${name}=${value}`)
    .join("&")

// by code point, which for encoded texts is by code unit
const compare = (a: string, b: string): number => a < b ? -1 : a > b ? 1 : 0

const canonicalRequest = (request: Signable, payload: string) => {
  const names = signedNames(request)
  const headers: Readonly<Record<string, string>> = { ...request.headers, host: request.host }
  const lines = names.split(";").map((name) => `${name}:${headers[name]!.trim().replace(/\s+/g, " ")}\n`)
  const canonical = [request.method, request.path, canonicalQuery(request.query), lines.join(""), names, payload]
  return { canonical: canonical.join("\n"), names }
}

const signatureOf = (canonical: string, signing: Signing): string => {
  const toSign = [algorithm, toTime(signing.now), scopeOf(signing), hash(utf8ToBytes(canonical))].join("\n")
  return bytesToHex(hmac(sha256, signingKey(signing), utf8ToBytes(toSign)))
}

interface Key {
  readonly scope: string
  readonly bytes: Uint8Array
}

// a key serves for a day: the one that each credentials used last is kept
const keys = new WeakMap<Credentials, Key>()

const signingKey = (signing: Signing): Uint8Array => {
  const { credentials, now, region } = signing
  const scope = scopeOf(signing)
  const known = keys.get(credentials)
  if (known !== undefined && known.scope === scope) return known.bytes
  const bytes = [toDay(now), region, "s3", "aws4_request"].reduce<Uint8Array>(
    (key, part) => hmac(sha256, key, utf8ToBytes(part)),
    utf8ToBytes(`AWS4${credentials.secretAccessKey}`)
  )
  keys.set(credentials, { scope, bytes })
  return bytes
}
