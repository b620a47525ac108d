/**
 * What OpenAI's clients hear when something goes wrong: a status from which they make their own typed errors, and a
 * body with the `type` that OpenAI would have used and our own name of the error as the `code`.
 *
 * @since 0.1.0
 */
import type * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import type { Failure } from "./Exchange.js"
import * as Fault from "./Fault.js"

/**
 * The `type` of each error. A new error without a line here does not compile.
 *
 * @since 0.1.0
 * @category tables
 */
export const types: { readonly [N in Fault.Name]: string } = {
  RateLimited: "rate_limit_error",
  QuotaExhausted: "insufficient_quota",
  AuthenticationFailed: "authentication_error",
  PermissionDenied: "permission_error",
  InvalidRequest: "invalid_request_error",
  ModelNotFound: "invalid_request_error",
  NotFound: "invalid_request_error",
  Conflict: "invalid_request_error",
  ContentFiltered: "invalid_request_error",
  ServerFault: "server_error",
  NetworkFailure: "server_error",
  MalformedResponse: "server_error",
  StreamInterrupted: "server_error",
  Unsupported: "invalid_request_error",
  InvalidOutput: "server_error",
  TimedOut: "timeout_error",
  DeadlineExceeded: "timeout_error",
  CircuitOpen: "server_error",
  QueueFull: "overloaded_error",
  KeysCooling: "rate_limit_error",
  KeysExhausted: "server_error",
  BudgetExceeded: "insufficient_quota",
  PartialFailure: "server_error",
  InvalidJson: "invalid_request_error",
  BodyTooLarge: "invalid_request_error",
  UnsupportedEncoding: "invalid_request_error",
  Unauthorized: "authentication_error",
  Forbidden: "permission_error",
  LimitReached: "rate_limit_error",
  CrossOrigin: "permission_error",
  UnknownRoute: "invalid_request_error",
  MethodNotAllowed: "invalid_request_error",
  Draining: "server_error",
  InternalError: "server_error"
}

/**
 * The body: `{ error: { message, type, param, code } }`.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toJson = (failure: Failure) => ({
  error: {
    message: failure.message,
    type: types[Fault.toldAs(failure)],
    param: Fault.fieldOf(failure) ?? null,
    code: Fault.codeOf(failure)
  }
})

/**
 * The whole response.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toResponse = (failure: Failure): HttpServerResponse.HttpServerResponse =>
  Fault.toResponse(failure, toJson(failure))
