/**
 * What every client hears when something goes wrong, whichever API it speaks: a status, whether its own retry helps,
 * and when to come again. Each API adds its own words for it, and its own status where its clients know a better one.
 *
 * @since 0.1.0
 */
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import type { Failure } from "./Exchange.js"
import * as Moderation from "./Moderation.js"
import type { Reason } from "./Refusal.js"

/**
 * What a failure is called.
 *
 * @since 0.1.0
 * @category models
 */
export type Name = LlmError.Tag | Reason

/**
 * How one error is told.
 *
 * @since 0.1.0
 * @category models
 */
export interface Fault {
  readonly status: number
  /**
   * Whether a client's own retry is of no use: because the request would fail again, or because the backend was asked
   * as often as the policies allow, and retries upon retries are what keeps it down.
   */
  readonly final: boolean
}

/**
 * How each error is told. A new error without a line here does not compile.
 *
 * @since 0.1.0
 * @category tables
 */
export const faults: { readonly [N in Name]: Fault } = {
  RateLimited: { status: 429, final: true },
  QuotaExhausted: { status: 429, final: true },
  AuthenticationFailed: { status: 401, final: true },
  PermissionDenied: { status: 403, final: true },
  InvalidRequest: { status: 400, final: true },
  ModelNotFound: { status: 404, final: true },
  NotFound: { status: 404, final: true },
  Conflict: { status: 409, final: true },
  ContentFiltered: { status: 400, final: true },
  ServerFault: { status: 502, final: true },
  NetworkFailure: { status: 502, final: true },
  MalformedResponse: { status: 502, final: true },
  StreamInterrupted: { status: 502, final: true },
  // the client may ask for something else, or another model: 501 would be retried, and look like our fault
  Unsupported: { status: 400, final: true },
  InvalidOutput: { status: 502, final: true },
  TimedOut: { status: 504, final: true },
  DeadlineExceeded: { status: 504, final: true },
  // nothing was sent in these three: who comes again after `retry-after` does no harm
  CircuitOpen: { status: 503, final: false },
  QueueFull: { status: 503, final: false },
  KeysCooling: { status: 429, final: false },
  KeysExhausted: { status: 503, final: true },
  BudgetExceeded: { status: 429, final: true },
  PartialFailure: { status: 502, final: true },
  InvalidJson: { status: 400, final: true },
  BodyTooLarge: { status: 413, final: true },
  UnsupportedEncoding: { status: 415, final: true },
  Unauthorized: { status: 401, final: true },
  Forbidden: { status: 403, final: true },
  LimitReached: { status: 429, final: false },
  CrossOrigin: { status: 403, final: true },
  UnknownRoute: { status: 404, final: true },
  MethodNotAllowed: { status: 405, final: true },
  Draining: { status: 503, final: false },
  InternalError: { status: 500, final: true }
}

/**
 * The name of a failure, as the log has it.
 *
 * @since 0.1.0
 * @category destructors
 */
export const nameOf = (failure: Failure): Name => failure._tag === "Refusal" ? failure.reason : failure._tag

/**
 * The name by which a failure is told: a backend that takes none of its keys is for the client what a backend is that
 * does not take its only one.
 *
 * @since 0.1.0
 * @category destructors
 */
export const toldAs = (failure: Failure): Name =>
  failure._tag === "KeysExhausted" && failure.reason !== undefined ? failure.reason : nameOf(failure)

/**
 * The name of a failure as a code for programs: `model_not_found`.
 *
 * @since 0.1.0
 * @category destructors
 */
export const codeOf = (failure: Failure): string => nameOf(failure).replace(/(?<=[a-z])[A-Z]/g, "_$&").toLowerCase()

/**
 * The field, the header or the feature that is wrong, where one is.
 *
 * @since 0.1.0
 * @category destructors
 */
export const fieldOf = (failure: Failure): string | undefined =>
  failure._tag === "Refusal" || failure._tag === "InvalidRequest"
    ? failure.field
    : failure._tag === "Unsupported"
    ? operations.has(failure.feature) ? undefined : failure.feature
    : failure._tag === "ModelNotFound"
    ? "model"
    : undefined

// that a backend cannot do it at all is no fault of a field
const operations: ReadonlySet<string> = new Set([...LlmService.operations, Moderation.operation])

/**
 * The whole response: a body in an API's own words, with what a client should know of coming again.
 *
 * @since 0.1.0
 * @category constructors
 */
export const toResponse = (
  failure: Failure,
  body: object,
  status: number = faults[toldAs(failure)].status
): HttpServerResponse.HttpServerResponse => {
  const headers: Record<string, string> = {}
  const wait = failure._tag === "Refusal" ? Option.fromNullable(failure.retryAfter) : LlmError.retryAfter(failure)
  if (Option.isSome(wait) && Duration.isFinite(wait.value)) {
    const millis = Math.ceil(Duration.toMillis(wait.value))
    headers["retry-after"] = String(Math.ceil(millis / 1000))
    headers["retry-after-ms"] = String(millis)
  }
  if (faults[toldAs(failure)].final) headers["x-should-retry"] = "false"
  if (failure._tag === "Refusal" && failure.allow !== undefined) headers["allow"] = failure.allow
  if (failure._tag === "Refusal" && failure.challenge !== undefined) headers["www-authenticate"] = failure.challenge
  return HttpServerResponse.text(JSON.stringify(body), { status, contentType: "application/json", headers })
}
