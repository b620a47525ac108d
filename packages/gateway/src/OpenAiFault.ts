/**
 * What OpenAI's clients hear when something goes wrong: a status from which they make their own typed errors, and a
 * body with the `type` that OpenAI would have used and our own name of the error as the `code`.
 *
 * @since 0.1.0
 */
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import type { Failure } from "./Exchange.js"
import type { Reason } from "./Refusal.js"

/**
 * How one error is told.
 *
 * @since 0.1.0
 * @category models
 */
export interface Fault {
  readonly status: number
  readonly type: string
  /**
   * Whether a client's own retry is of no use: because the request would fail again, or because the backend was asked
   * as often as the policies allow, and retries upon retries are what keeps it down.
   */
  readonly final: boolean
}

const request = { type: "invalid_request_error", final: true }
const server = { type: "server_error", final: true }

/**
 * How each error is told. A new error without a line here does not compile.
 *
 * @since 0.1.0
 * @category tables
 */
export const faults: { readonly [T in LlmError.Tag | Reason]: Fault } = {
  RateLimited: { status: 429, type: "rate_limit_error", final: true },
  QuotaExhausted: { status: 429, type: "insufficient_quota", final: true },
  AuthenticationFailed: { status: 401, type: "authentication_error", final: true },
  PermissionDenied: { status: 403, type: "permission_error", final: true },
  InvalidRequest: { status: 400, ...request },
  ModelNotFound: { status: 404, ...request },
  NotFound: { status: 404, ...request },
  Conflict: { status: 409, ...request },
  ContentFiltered: { status: 400, ...request },
  ServerFault: { status: 502, ...server },
  NetworkFailure: { status: 502, ...server },
  MalformedResponse: { status: 502, ...server },
  StreamInterrupted: { status: 502, ...server },
  // the client may ask for something else, or another model: 501 would be retried, and look like our fault
  Unsupported: { status: 400, ...request },
  InvalidOutput: { status: 502, ...server },
  TimedOut: { status: 504, type: "timeout_error", final: true },
  DeadlineExceeded: { status: 504, type: "timeout_error", final: true },
  // nothing was sent in these three: who comes again after `retry-after` does no harm
  CircuitOpen: { status: 503, type: "server_error", final: false },
  QueueFull: { status: 503, type: "overloaded_error", final: false },
  KeysCooling: { status: 429, type: "rate_limit_error", final: false },
  KeysExhausted: { status: 503, ...server },
  BudgetExceeded: { status: 429, type: "insufficient_quota", final: true },
  PartialFailure: { status: 502, ...server },
  InvalidJson: { status: 400, ...request },
  BodyTooLarge: { status: 413, ...request },
  UnsupportedEncoding: { status: 415, ...request },
  Unauthorized: { status: 401, type: "authentication_error", final: true },
  Forbidden: { status: 403, type: "permission_error", final: true },
  LimitReached: { status: 429, type: "rate_limit_error", final: false },
  CrossOrigin: { status: 403, type: "permission_error", final: true },
  UnknownRoute: { status: 404, ...request },
  MethodNotAllowed: { status: 405, ...request },
  Draining: { status: 503, type: "server_error", final: false },
  InternalError: { status: 500, ...server }
}

/**
 * The name of a failure in the table.
 *
 * @since 0.1.0
 * @category destructors
 */
export const nameOf = (failure: Failure): LlmError.Tag | Reason =>
  failure._tag === "Refusal" ? failure.reason : failure._tag

/**
 * The body: `{ error: { message, type, param, code } }`.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toJson = (failure: Failure) => {
  return {
    error: {
      message: failure.message,
      type: faultOf(failure).type,
      param: paramOf(failure),
      code: toSnakeCase(nameOf(failure))
    }
  }
}

// a backend that takes none of its keys is for the client what a backend is that does not take its only one
const faultOf = (failure: Failure): Fault =>
  faults[failure._tag === "KeysExhausted" && failure.reason !== undefined ? failure.reason : nameOf(failure)]

/**
 * The whole response, with what a client should know of coming again.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toResponse = (failure: Failure): HttpServerResponse.HttpServerResponse => {
  const fault = faultOf(failure)
  const headers: Record<string, string> = {}
  const wait = failure._tag === "Refusal" ? Option.fromNullable(failure.retryAfter) : LlmError.retryAfter(failure)
  if (Option.isSome(wait) && Duration.isFinite(wait.value)) {
    const millis = Math.ceil(Duration.toMillis(wait.value))
    headers["retry-after"] = String(Math.ceil(millis / 1000))
    headers["retry-after-ms"] = String(millis)
  }
  if (fault.final) headers["x-should-retry"] = "false"
  if (failure._tag === "Refusal" && failure.allow !== undefined) headers["allow"] = failure.allow
  if (failure._tag === "Refusal" && failure.challenge !== undefined) headers["www-authenticate"] = failure.challenge
  return HttpServerResponse.text(JSON.stringify(toJson(failure)), {
    status: fault.status,
    contentType: "application/json",
    headers
  })
}

const paramOf = (failure: Failure): string | null =>
  failure._tag === "Refusal" || failure._tag === "InvalidRequest"
    ? failure.field ?? null
    : failure._tag === "Unsupported"
    ? LlmService.operations.some((operation) => operation === failure.feature) ? null : failure.feature
    : failure._tag === "ModelNotFound"
    ? "model"
    : null

const toSnakeCase = (name: string): string => name.replace(/(?<=[a-z])[A-Z]/g, "_$&").toLowerCase()
