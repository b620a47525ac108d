/**
 * An endpoint of S3 and what has been learnt of it: by how much its clock differs from ours, and in which regions its
 * buckets are.
 */
import * as Redacted from "effect/Redacted"
import * as SigV4 from "./sigV4.js"

/** What is known of an endpoint beforehand. */
export interface Settings {
  readonly name: string
  /** None for Amazon's own, whose address follows from the region. */
  readonly url: URL | undefined
  readonly region: string
  readonly addressing: "path" | "virtual-host"
  readonly accessKeyId: string
  readonly secretAccessKey: Redacted.Redacted
  readonly sessionToken: Redacted.Redacted | undefined
}

/** An endpoint. What is learnt changes in place, and is kept. */
export interface Endpoint extends Settings {
  readonly credentials: SigV4.Credentials
  /** Milliseconds that its clock is ahead of ours. */
  ahead: number
  /** Where buckets are that are not in its own region. */
  readonly regions: Map<string, string>
}

export const make = (settings: Settings): Endpoint => ({
  ...settings,
  credentials: {
    accessKeyId: settings.accessKeyId,
    secretAccessKey: Redacted.value(settings.secretAccessKey),
    sessionToken: settings.sessionToken === undefined ? undefined : Redacted.value(settings.sessionToken)
  },
  ahead: 0,
  regions: new Map()
})

/** Who signs, where, and at which moment of the endpoint's own clock. */
export const signing = (endpoint: Endpoint, bucket: string | undefined, now: number): SigV4.Signing => ({
  credentials: endpoint.credentials,
  region: regionOf(endpoint, bucket),
  now: now + endpoint.ahead
})

const regionOf = ({ region, regions }: Endpoint, bucket: string | undefined): string =>
  (bucket === undefined ? undefined : regions.get(bucket)) ?? region

/** Where something is. */
export interface Place {
  readonly origin: string
  readonly host: string
  /** Encoded. */
  readonly path: string
}

/** The address of an object, of a bucket, or of all buckets. */
export const locate = (endpoint: Endpoint, bucket?: string, key?: string): Place => {
  const url = endpoint.url ?? amazon(regionOf(endpoint, bucket))
  const base = url.pathname.replace(/\/+$/, "")
  const object = key === undefined ? "" : SigV4.encodePath(key)
  if (bucket === undefined) return { origin: url.origin, host: url.host, path: `${base}/` }
  if (endpoint.addressing === "virtual-host" && isHostName(bucket)) {
    const host = `${bucket}.${url.host}`
    return { origin: `${url.protocol}//${host}`, host, path: `${base}/${object}` }
  }
  const path = `${base}/${SigV4.encode(bucket)}`
  return { origin: url.origin, host: url.host, path: key === undefined ? path : `${path}/${object}` }
}

const amazon = (region: string): URL =>
  new URL(`https://s3.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}`)

/** Whether a bucket's name can be a host's: one with dots would not fit Amazon's certificate. */
const isHostName = (bucket: string): boolean => /^[a-z\d][a-z\d-]{1,61}[a-z\d]$/.test(bucket)

/** What is wrong with credentials, if anything, and with which of them. It quotes nothing of them. */
export const problem = (
  key: string,
  secret: string,
  token: string | undefined
): { readonly of: "key" | "secret" | "token"; readonly what: string } | undefined =>
  !/^[\x21-\x2b\x2d-\x7e]{1,256}$/.test(key)
    ? { of: "key", what: "is no access key: it is empty, too long, or has a character that none has" }
    : !/^[\x21-\x7e]{1,256}$/.test(secret)
    ? { of: "secret", what: "is no secret: it is empty, too long, or has a space or a character that none has" }
    : token !== undefined && !/^[\x21-\x7e]{1,8192}$/.test(token)
    ? { of: "token", what: "is no session token: it is empty, too long, or has a character that no header carries" }
    : undefined

/** Whether a text can be the name of a region, which becomes a part of the host's name. */
export const isRegion = (text: string): boolean => /^[a-z\d][a-z\d-]{0,62}$/.test(text)
