/**
 * Whether a request to S3 was signed by who it says, with SigV4 in its headers or in its query: written from what
 * Amazon documents of checking it, and not from how Spillway signs.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html
 * @since 0.1.0
 */
import { hmac } from "@noble/hashes/hmac.js"
import { sha256 } from "@noble/hashes/sha2.js"
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js"
import type * as Wire from "./Wire.js"

/**
 * A request as it came.
 *
 * @since 0.1.0
 * @category models
 */
export interface Signed {
  readonly method: string
  /** Path and query, as they came. */
  readonly url: string
  readonly headers: Wire.Headers
  readonly body: Uint8Array
  readonly now: number
}

/**
 * Why a request is refused.
 *
 * @since 0.1.0
 * @category models
 */
export interface Refused {
  readonly status: number
  readonly code: string
  readonly message: string
  /** Further elements of the answer. */
  readonly more?: { readonly [element: string]: string }
}

/**
 * The region that everything is in.
 *
 * @since 0.1.0
 * @category constants
 */
export const region = "us-east-1"

/**
 * The secret that belongs to an access key. Everybody may know it: it protects nothing.
 *
 * @since 0.1.0
 * @category conversions
 */
export const secretOf = (accessKey: string): string => `${accessKey}-secret`

/**
 * The access key that a request shows; it is not checked yet.
 *
 * @since 0.1.0
 * @category conversions
 */
export const accessKey = (headers: Wire.Headers, query: string): string | undefined => {
  const credential =
    /^AWS4-HMAC-SHA256\b.*\bCredential=([^,\s]+)/.exec(headers["authorization"] ?? "")?.[1] ??
    new URLSearchParams(query).get("X-Amz-Credential") ??
    undefined
  return credential?.split("/").slice(0, -4).join("/")
}

/**
 * Why a request is not what it says it is; `undefined` when it is.
 *
 * @since 0.1.0
 * @category conversions
 */
export const check = (signed: Signed, accessKey: string): Refused | undefined => {
  const claim = claimOf(signed)
  if (!("signature" in claim)) return claim
  const { credential, date, headers, names, payload, query, signature } = claim
  const [day = "", where = "", service, end] = credential.split("/").slice(-4)
  if (where !== region) {
    return refused(
      400,
      "AuthorizationHeaderMalformed",
      `The authorization header is malformed; the region '${where}' is wrong; expecting '${region}'`,
      { Region: region }
    )
  }
  if (service !== "s3" || end !== "aws4_request" || !date.startsWith(day)) {
    return refused(400, "AuthorizationHeaderMalformed", "The authorization header is malformed")
  }
  const lines = names.map((name) => `${name}:${(headers[name] ?? "").trim().replace(/ +/g, " ")}\n`)
  const canonical = [
    signed.method,
    canonicalPath(pathOf(signed.url)),
    query,
    lines.join(""),
    names.join(";"),
    payload
  ].join("\n")
  const scope = [day, where, service, end]
  const text = ["AWS4-HMAC-SHA256", date, scope.join("/"), bytesToHex(sha256(utf8ToBytes(canonical)))].join("\n")
  const key = scope.reduce<Uint8Array>(
    (key, part) => hmac(sha256, key, utf8ToBytes(part)),
    utf8ToBytes(`AWS4${secretOf(accessKey)}`)
  )
  return bytesToHex(hmac(sha256, key, utf8ToBytes(text))) === signature
    ? undefined
    : refused(
        403,
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided.",
        { AWSAccessKeyId: accessKey, StringToSign: text, SignatureProvided: signature, CanonicalRequest: canonical }
      )
}

// -----------------------------------------------------------------------------
// what is claimed
// -----------------------------------------------------------------------------

interface Claim {
  readonly credential: string
  readonly signature: string
  readonly date: string
  readonly names: ReadonlyArray<string>
  readonly headers: Wire.Headers
  readonly query: string
  readonly payload: string
}

const refused = (status: number, code: string, message: string, more?: Refused["more"]): Refused => ({
  status,
  code,
  message,
  ...(more === undefined ? {} : { more })
})

const claimOf = (signed: Signed): Claim | Refused => {
  const query = new URLSearchParams(queryOf(signed.url))
  return query.has("X-Amz-Signature") ? inQuery(signed, query) : inHeaders(signed)
}

const skewed = (sent: number, now: number): Refused =>
  refused(403, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.", {
    RequestTime: new Date(sent).toISOString(),
    ServerTime: new Date(now).toISOString(),
    MaxAllowedSkewMilliseconds: largestSkew.toString()
  })

const largestSkew = 15 * 60_000

const inHeaders = ({ body, headers, now, url }: Signed): Claim | Refused => {
  const field = (name: string) => new RegExp(`\\b${name}=([^,\\s]+)`).exec(headers["authorization"] ?? "")?.[1]
  const [credential, names, signature] = [field("Credential"), field("SignedHeaders"), field("Signature")]
  if (credential === undefined || names === undefined || signature === undefined) {
    return refused(400, "AuthorizationHeaderMalformed", "The authorization header is malformed")
  }
  const date = headers["x-amz-date"] ?? ""
  const sent = millisOf(date)
  if (Number.isNaN(sent)) {
    return refused(403, "AccessDenied", "AWS authentication requires a valid Date or x-amz-date header")
  }
  if (Math.abs(sent - now) > largestSkew) return skewed(sent, now)
  const signedNames = names.split(";")
  const unsigned = Object.keys(headers).filter((name) => name.startsWith("x-amz-") && !signedNames.includes(name))
  if (unsigned.length > 0 || !signedNames.includes("host")) {
    return refused(403, "AccessDenied", "There were headers present in the request which were not signed", {
      HeadersNotSigned: unsigned.join(", ")
    })
  }
  const payload = headers["x-amz-content-sha256"]
  if (payload === undefined) {
    return refused(400, "InvalidRequest", "Missing required header for this request: x-amz-content-sha256")
  }
  if (/^[\da-f]{64}$/.test(payload) && payload !== bytesToHex(sha256(body))) {
    const message = "The provided 'x-amz-content-sha256' header does not match what was computed."
    return refused(400, "XAmzContentSHA256Mismatch", message)
  }
  return { credential, signature, date, names: signedNames, headers, query: canonicalQuery(url, []), payload }
}

const inQuery = ({ headers, now, url }: Signed, query: URLSearchParams): Claim | Refused => {
  const [credential, names, signature] = [
    query.get("X-Amz-Credential"),
    query.get("X-Amz-SignedHeaders"),
    query.get("X-Amz-Signature")
  ]
  const date = query.get("X-Amz-Date") ?? ""
  const sent = millisOf(date)
  const seconds = Number(query.get("X-Amz-Expires") ?? NaN)
  if (credential === null || names === null || signature === null || Number.isNaN(sent) || Number.isNaN(seconds)) {
    const message = "Query-string authentication version 4 requires the X-Amz parameters"
    return refused(400, "AuthorizationQueryParametersError", message)
  }
  if (!(seconds >= 1 && seconds <= 604_800)) {
    return refused(
      400,
      "AuthorizationQueryParametersError",
      "X-Amz-Expires must be less than a week (in seconds); that is, less than 604800 seconds"
    )
  }
  if (sent - now > largestSkew) return refused(403, "AccessDenied", "Request is not valid yet")
  if (now > sent + seconds * 1000) {
    return refused(403, "AccessDenied", "Request has expired", {
      "X-Amz-Expires": seconds.toString(),
      Expires: new Date(sent + seconds * 1000).toISOString(),
      ServerTime: new Date(now).toISOString()
    })
  }
  return {
    credential,
    signature,
    date,
    names: names.split(";"),
    headers,
    query: canonicalQuery(url, ["X-Amz-Signature"]),
    payload: headers["x-amz-content-sha256"] ?? "UNSIGNED-PAYLOAD"
  }
}

/** Of `20130524T000000Z`. */
const millisOf = (date: string): number =>
  Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"))

// -----------------------------------------------------------------------------
// the canonical form
// -----------------------------------------------------------------------------

const pathOf = (url: string): string => url.replace(/\?.*$/s, "")

const queryOf = (url: string): string => (url.includes("?") ? url.slice(url.indexOf("?") + 1) : "")

const strictly = (text: string): string =>
  encodeURIComponent(decoded(text)).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`
  )

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const canonicalPath = (path: string): string => path.split("/").map(strictly).join("/")

const canonicalQuery = (url: string, without: ReadonlyArray<string>): string =>
  queryOf(url)
    .split("&")
    .filter((pair) => pair !== "")
    .map((pair) => {
      const at = pair.indexOf("=")
      const [name, value] = at < 0 ? [pair, ""] : [pair.slice(0, at), pair.slice(at + 1)]
      return [strictly(name), strictly(value)] as const
    })
    .filter(([name]) => !without.includes(name))
    .toSorted(([one, first], [other, second]) => (one === other ? (first < second ? -1 : 1) : one < other ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join("&")
