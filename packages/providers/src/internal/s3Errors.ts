/**
 * What S3 means by a failure: its code decides, and where there is none (the answer to a HEAD has no body, a proxy
 * speaks another language) its status.
 *
 * That a request is denied says nothing against the key: a denied object is no denied store, and to a key that may not
 * list, an object that is not there is denied as well. So only what concerns the key itself retires it.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList
 */
import * as LlmError from "@spillway/core/LlmError"
import type * as Duration from "effect/Duration"
import * as Xml from "./xml.js"

/** What S3 answered in place of an answer. */
export interface Failure {
  /** 200 for an error that came as a success, or for one key of many. */
  readonly status: number
  readonly code: string | undefined
  /** S3's words. */
  readonly message: string
  readonly requestId: string | undefined
  /** The region that the bucket is in, where S3 says that it was asked in another. */
  readonly region: string | undefined
  /** A body that is no XML. */
  readonly foreign: boolean
  /** The wait that the headers ask for: not Amazon's, but those of other stores. */
  readonly retryAfter?: Duration.Duration | undefined
}

type Headers = { readonly [name: string]: string | undefined }

/** The failure that an answer is. */
export const read = (status: number, headers: Headers, body: string): Failure => {
  const error = Xml.parse(body)?.root
  const found = error === undefined || error.name !== "Error" ? undefined : error
  const of = (name: string) => found === undefined ? undefined : Xml.textOf(found, name)?.trim()
  return {
    status,
    code: of("Code"),
    message: of("Message") ?? (found === undefined ? body.replace(/<[^<>]*>|\s+/g, " ").trim() : ""),
    requestId: headers["x-amz-request-id"] ?? of("RequestId"),
    region: headers["x-amz-bucket-region"] ?? of("Region"),
    foreign: found === undefined && body.trim() !== ""
  }
}

// -----------------------------------------------------------------------------
// kinds
// -----------------------------------------------------------------------------

/** What a failure can be. */
export type Kind =
  | "RateLimited"
  | "AuthenticationFailed"
  | "PermissionDenied"
  | "InvalidRequest"
  | "NotFound"
  | "Conflict"
  | "ServerFault"
  | "MalformedResponse"
  | "Unsupported"

const kinds: { readonly [K in Kind]?: ReadonlyArray<string> } = {
  RateLimited: [
    "SlowDown",
    "SlowDownRead",
    "SlowDownWrite",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestLimitExceeded",
    "BandwidthLimitExceeded",
    "TooManyRequests",
    "TooManyRequestsException"
  ],
  AuthenticationFailed: [
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "ExpiredToken",
    "InvalidToken",
    "TokenRefreshRequired",
    "AccountProblem",
    "AllAccessDisabled",
    "NotSignedUp",
    "InvalidSecurity",
    "CredentialsNotSupported",
    "UnauthorizedAccess"
  ],
  ServerFault: [
    "InternalError",
    "InternalFailure",
    "ServiceUnavailable",
    "ServiceFailure",
    "Busy",
    "RequestTimeout",
    "RequestTimeoutException",
    "IncompleteBody",
    // a bucket that is new or was just removed, and what happens to be written by two at once: soon it is settled
    "OperationAborted",
    "ConditionalRequestConflict",
    "TemporaryRedirect"
  ],
  NotFound: ["NoSuchKey", "NoSuchBucket", "NoSuchUpload", "NoSuchVersion", "NotFound"],
  Conflict: [
    "PreconditionFailed",
    "BucketAlreadyExists",
    "BucketAlreadyOwnedByYou",
    "BucketNotEmpty",
    "InvalidBucketState",
    "InvalidObjectState",
    "RestoreAlreadyInProgress",
    "KeyAlreadyExists"
  ],
  PermissionDenied: ["AccessDenied", "QuotaExceeded"],
  Unsupported: ["NotImplemented", "MethodNotAllowed"],
  // a clock that could not be set right is nobody else's fault
  InvalidRequest: ["RequestTimeTooSkewed", "PermanentRedirect"]
}

const byCode: ReadonlyMap<string | undefined, Kind> = new Map(
  Object.entries(kinds).flatMap(([kind, codes]) => codes.map((code) => [code, kind as Kind])) // its keys are `Kind`s
)

const byStatus: { readonly [status: number]: Kind } = {
  401: "AuthenticationFailed",
  403: "PermissionDenied",
  404: "NotFound",
  405: "Unsupported",
  408: "ServerFault",
  409: "Conflict",
  412: "Conflict",
  429: "RateLimited",
  501: "Unsupported",
  509: "RateLimited"
}

/** What a failure is. */
export const kindOf = ({ code, foreign, status }: Failure): Kind => {
  const known = byCode.get(code)
  if (known !== undefined) return known
  // a page of another server: the address is wrong, not the key of the object
  if (foreign && status === 404) return "MalformedResponse"
  if (status < 300 || status >= 500) return byStatus[status] ?? "ServerFault"
  if (status === 307) return "ServerFault"
  return byStatus[status] ?? "InvalidRequest"
}

// -----------------------------------------------------------------------------
// errors
// -----------------------------------------------------------------------------

/** Where the exchange stood that failed. */
export interface Context {
  readonly backend: string
  readonly operation: string
  /** What was asked for: a bucket, an object, an upload. */
  readonly resource: string | undefined
  /** Frees a text of secrets. */
  readonly say: (text: string) => string
}

/** The error that a failure is. */
export const toError = (failure: Failure, { backend, operation, resource, say }: Context): LlmError.LlmError => {
  const { code, message, requestId, retryAfter, status } = failure
  const what = status < 300 ? "failed at it" : `answered ${status}`
  const fields = {
    backend,
    message: say(
      `${backend} ${what}${code === undefined ? "" : ` (${code})`}${resource === undefined ? "" : ` for ${resource}`}${
        message === "" ? "" : `: ${message}`
      }`
    ),
    status,
    ...(code !== undefined && { code: say(code) }),
    ...(requestId !== undefined && { requestId: say(requestId) })
  }
  return build[kindOf(failure)](fields, { ...(retryAfter !== undefined && { retryAfter }) }, operation, resource)
}

interface Fields {
  readonly backend: string
  readonly message: string
  readonly status: number
  readonly code?: string
  readonly requestId?: string
}

interface Wait {
  readonly retryAfter?: Duration.Duration
}

type Build = (fields: Fields, wait: Wait, operation: string, resource: string | undefined) => LlmError.LlmError

const build: { readonly [K in Kind]: Build } = {
  RateLimited: (fields, wait) => new LlmError.RateLimited({ ...fields, ...wait }),
  AuthenticationFailed: (fields) => new LlmError.AuthenticationFailed(fields),
  PermissionDenied: (fields) => new LlmError.PermissionDenied(fields),
  InvalidRequest: (fields) => new LlmError.InvalidRequest(fields),
  NotFound: (fields, _, __, resource) => new LlmError.NotFound({ ...fields, ...(resource !== undefined && { resource }) }),
  Conflict: (fields) => new LlmError.Conflict(fields),
  ServerFault: (fields, wait) => new LlmError.ServerFault({ ...fields, ...wait }),
  MalformedResponse: (fields) => new LlmError.MalformedResponse(fields),
  Unsupported: ({ backend, message }, _, operation) => new LlmError.Unsupported({ backend, message, feature: operation })
}
