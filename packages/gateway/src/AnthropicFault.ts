/**
 * What Anthropic's clients hear when something goes wrong: a status from which they make their own typed errors (529
 * for overload among them), and a body with the `type` that Anthropic would have used and our own name of the error
 * in the `details`.
 *
 * @see https://platform.claude.com/docs/en/api/errors
 * @since 0.1.0
 */
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import type { Exchange, Failure } from "./Exchange.js"
import * as Fault from "./Fault.js"

/**
 * The `type` of each error. A new error without a line here does not compile.
 *
 * @since 0.1.0
 * @category tables
 */
export const types: { readonly [N in Fault.Name]: string } = {
  RateLimited: "rate_limit_error",
  QuotaExhausted: "billing_error",
  AuthenticationFailed: "authentication_error",
  PermissionDenied: "permission_error",
  InvalidRequest: "invalid_request_error",
  ModelNotFound: "not_found_error",
  NotFound: "not_found_error",
  Conflict: "conflict_error",
  ContentFiltered: "invalid_request_error",
  ServerFault: "api_error",
  NetworkFailure: "api_error",
  MalformedResponse: "api_error",
  StreamInterrupted: "api_error",
  Unsupported: "invalid_request_error",
  InvalidOutput: "api_error",
  TimedOut: "timeout_error",
  DeadlineExceeded: "timeout_error",
  CircuitOpen: "overloaded_error",
  QueueFull: "overloaded_error",
  KeysCooling: "rate_limit_error",
  KeysExhausted: "api_error",
  BudgetExceeded: "billing_error",
  PartialFailure: "api_error",
  InvalidJson: "invalid_request_error",
  BodyTooLarge: "request_too_large",
  UnsupportedEncoding: "invalid_request_error",
  Unauthorized: "authentication_error",
  Forbidden: "permission_error",
  LimitReached: "rate_limit_error",
  CrossOrigin: "permission_error",
  UnknownRoute: "not_found_error",
  MethodNotAllowed: "invalid_request_error",
  Draining: "overloaded_error",
  InternalError: "api_error"
}

// the statuses that this API has of its own
const statuses: { readonly [type: string]: number } = { billing_error: 402, overloaded_error: 529 }

/**
 * The body: `{ type: "error", error: { type, message, details }, request_id }`.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toJson = (failure: Failure, { id }: Pick<Exchange, "id">) => {
  const field = Fault.fieldOf(failure)
  return {
    type: "error",
    error: {
      type: types[Fault.toldAs(failure)],
      message: failure.message,
      details: {
        // by this code clients know to send the whole conversation in its stead
        error_code: field === "thread" ? "thread_unsupported_request" : Fault.codeOf(failure),
        ...(field !== undefined && { field })
      }
    },
    request_id: id
  }
}

/**
 * The whole response.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toResponse = (failure: Failure, exchange: Pick<Exchange, "id">): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.setHeader(
    Fault.toResponse(failure, toJson(failure, exchange), statuses[types[Fault.toldAs(failure)]]),
    "request-id",
    exchange.id
  )
