/**
 * One request under a leased endpoint: signed, sent, and what went wrong classified, of which the pool has heard.
 *
 * Two things an endpoint may say are learnt from and the request made once more at once, since to make it again as it
 * was could not help: that our clock is wrong (its own time is taken from then on), and that a bucket is in another
 * region.
 */
import type * as Headers from "@effect/platform/Headers"
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import type * as KeyPool from "@spillway/core/KeyPool"
import * as LlmError from "@spillway/core/LlmError"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Body from "./body.js"
import * as RetryAfter from "./retryAfter.js"
import * as S3Endpoint from "./s3Endpoint.js"
import * as S3Errors from "./s3Errors.js"
import type { Outgoing } from "./s3Requests.js"
import { hide, scrub } from "./scrub.js"
import * as Sending from "./sending.js"
import * as SigV4 from "./sigV4.js"

/** What exchanges are made with. */
export interface Wire {
  readonly backend: string
  readonly endpoints: ReadonlyMap<string, S3Endpoint.Endpoint>
  readonly pool: KeyPool.KeyPool
  readonly execute: Sending.Execute
  /** Whether the content of objects is signed too, over this address. */
  readonly signsContent: (origin: string) => boolean
  /** Most bytes of an answer that is no object. */
  readonly maxResponseBytes: number
}

/** A request that an endpoint is leased for. */
export interface Attempt {
  readonly wire: Wire
  readonly operation: string
  readonly outgoing: Outgoing
  readonly endpoint: S3Endpoint.Endpoint
  readonly lease: KeyPool.Lease
}

/** What came back. */
export type Response = HttpClientResponse.HttpClientResponse

// -----------------------------------------------------------------------------
// sending
// -----------------------------------------------------------------------------

// clients and proxies have their own mind about these; what is compressed on the way would be of another length
const unsigned = { accept: "*/*", "accept-encoding": "identity", "user-agent": "spillway" }

const toRequest = (
  { endpoint, outgoing, wire }: Attempt,
  now: number
): HttpClientRequest.HttpClientRequest => {
  const { bucket, content, headers, key, method, query } = outgoing
  const { host, origin, path } = S3Endpoint.locate(endpoint, bucket, key)
  const signing = S3Endpoint.signing(endpoint, bucket, now)
  const body = typeof outgoing.body === "function" ? outgoing.body(signing.region) : outgoing.body
  const payload = body === undefined
    ? SigV4.emptyHash
    : content === true && !wire.signsContent(origin)
    ? SigV4.unsignedPayload
    : SigV4.hash(body)
  const signed = SigV4.sign({ method, host, path, query, headers }, signing, payload)
  const type = headers["content-type"]
  return HttpClientRequest.make(method)(origin + path + SigV4.encodeQuery(query), {
    headers: { ...unsigned, ...headers, ...signed },
    ...(body !== undefined && { body: HttpBody.uint8Array(body, type ?? "application/octet-stream") })
  })
}

type Learnt = { readonly [L in "time" | "region"]?: true }

/** Sends the request, and again where something was learnt; `use` takes a good answer, or says what it failed with. */
export const send = <A, R>(
  attempt: Attempt,
  use: (response: Response) => Effect.Effect<A, LlmError.LlmError | S3Errors.Failure, R>,
  learnt: Learnt = {}
): Effect.Effect<A, LlmError.LlmError, R> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) =>
    Effect.matchEffect(attempt.wire.execute(toRequest(attempt, now)), {
      onFailure: (error) =>
        error._tag === "ResponseError" && error.reason === "StatusCode"
          // a client that was given to us with `filterStatusOk` on it
          ? refused(attempt, error.response, now, use, learnt)
          : failWith(attempt, networkFailure(attempt, "could not be reached", error)),
      onSuccess: (response) =>
        response.status < 200 || response.status >= 300
          ? refused(attempt, response, now, use, learnt)
          : Effect.catchAll(use(response), (error) =>
            LlmError.isLlmError(error) ? failWith(attempt, error) : failWith(attempt, toError(attempt, error)))
    }))

const maxErrorBytes = 64 * 1024

const refused = <A, R>(
  attempt: Attempt,
  response: Response,
  now: number,
  use: (response: Response) => Effect.Effect<A, LlmError.LlmError | S3Errors.Failure, R>,
  learnt: Learnt
): Effect.Effect<A, LlmError.LlmError, R> =>
  Effect.flatMap(
    attempt.outgoing.method === "HEAD"
      ? Effect.succeed("")
      : Effect.orElseSucceed(Body.readText(response, response.headers, maxErrorBytes), () => ""),
    (text) => {
      const failure = {
        ...S3Errors.read(response.status, response.headers, text),
        retryAfter: RetryAfter.fromHeaders(response.headers, now)
      }
      const lesson = learn(attempt, failure, response.headers, now)
      return lesson === undefined || learnt[lesson] === true
        ? failWith(attempt, toError(attempt, failure))
        : send(attempt, use, { ...learnt, [lesson]: true })
    }
  )

// S3 refuses a signature whose time is off by more than fifteen minutes; a refusal without words may mean just that
const suspicious = 5 * 60_000

const learn = (
  { endpoint, outgoing: { bucket } }: Attempt,
  { code, region, status }: S3Errors.Failure,
  headers: Headers.Headers,
  now: number
): keyof Learnt | undefined => {
  const ahead = Date.parse(headers["date"] ?? "") - now
  if (code === "RequestTimeTooSkewed" || code === undefined && status === 403 && isOff(ahead - endpoint.ahead)) {
    if (Number.isNaN(ahead)) return undefined
    endpoint.ahead = ahead
    return "time"
  }
  if (bucket === undefined || region === undefined || !S3Endpoint.isRegion(region) || !isElsewhere(status, code)) {
    return undefined
  }
  if ((endpoint.regions.get(bucket) ?? endpoint.region) === region) return undefined
  endpoint.regions.set(bucket, region)
  return "region"
}

const isOff = (millis: number): boolean => Math.abs(millis) > suspicious

/** The answer to a HEAD has no code. */
const isElsewhere = (status: number, code: string | undefined): boolean =>
  code === undefined
    ? status === 301 || status === 400
    : code === "PermanentRedirect" || code === "AuthorizationHeaderMalformed" ||
      code === "IllegalLocationConstraintException"

// -----------------------------------------------------------------------------
// what can go wrong
// -----------------------------------------------------------------------------

/** Fails with what the pool makes of the error. */
export const failWith = ({ lease }: Attempt, error: LlmError.LlmError): Effect.Effect<never, LlmError.LlmError> =>
  Effect.suspend(() => Effect.fail(lease.failed(error)))

/** What may stand in an error: none of the endpoint's secrets. */
export const said = ({ endpoint: { credentials: { secretAccessKey, sessionToken } } }: Attempt, text: string): string =>
  scrub(sessionToken === undefined ? text : hide(text, sessionToken), secretAccessKey)

/** No answer came, or it broke off; `what` says which. */
export const networkFailure = (
  attempt: Attempt,
  what: string,
  error: Parameters<typeof Sending.reasonOf>[0]
): LlmError.NetworkFailure => {
  const { endpoint, outgoing: { bucket, key }, wire: { backend } } = attempt
  const { origin, path } = S3Endpoint.locate(endpoint, bucket, key)
  return new LlmError.NetworkFailure({
    backend,
    message: said(attempt, `${backend} ${what} at ${origin}${path}: ${Sending.reasonOf(error)}`)
  })
}

/** The answer is not this wire; `what` says what is wrong with it, and quotes nothing of it. */
export const malformedResponse = (attempt: Attempt, response: Response, what: string): LlmError.MalformedResponse =>
  new LlmError.MalformedResponse({
    backend: attempt.wire.backend,
    message: `${attempt.wire.backend}: ${what}`,
    ...common(attempt, response)
  })

/** What an error says of the answer that it came with. */
export const common = (attempt: Attempt, { headers, status }: Response) => {
  const requestId = headers["x-amz-request-id"]
  return { status, ...(requestId !== undefined && { requestId: said(attempt, requestId) }) }
}

/** The error that a failure is. */
export const toError = (
  attempt: Attempt,
  failure: S3Errors.Failure,
  resource = resourceOf(attempt.outgoing)
): LlmError.LlmError =>
  S3Errors.toError(failure, {
    backend: attempt.wire.backend,
    operation: attempt.operation,
    resource,
    say: (text) => said(attempt, text)
  })

const resourceOf = ({ bucket, key, query }: Outgoing): string | undefined => {
  const upload = query.find(([name]) => name === "uploadId")?.[1]
  const object = key === undefined ? bucket : `${bucket}/${key}`
  return upload === undefined ? object : `${object} (the upload ${upload})`
}
