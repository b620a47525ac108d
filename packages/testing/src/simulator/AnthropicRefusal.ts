/**
 * Anthropic's refusals: one envelope, a type for each kind, and the number of the request.
 *
 * @see https://docs.claude.com/en/api/errors
 * @since 0.1.0
 */
import * as Request from "./AnthropicRequest.js"
import type * as Fields from "./Fields.js"
import * as Seed from "./Seed.js"
import type * as Wire from "./Wire.js"

/**
 * The number of a request, as headers and errors show it.
 *
 * @since 0.1.0
 * @category conversions
 */
export const requestId = (id: number): string => `req_011C${Seed.identifier(Seed.at(id, 99), 20)}`

const refusal =
  (status: number, type: string, message: (call: Wire.Refused) => string, details?: Fields.Json) =>
  (call: Wire.Refused): Wire.Refusal => ({
    status,
    content: JSON.stringify({
      type: "error",
      error: { type, message: message(call), ...(details === undefined ? {} : { details }) },
      request_id: requestId(call.id)
    })
  })

const invalid = (message: string, status = 400) => refusal(status, "invalid_request_error", () => message)

/**
 * How Anthropic refuses.
 *
 * @since 0.1.0
 * @category conversions
 */
export const refuse: Wire.Wire["refuse"] = {
  NoRoute: (_, call) => refusal(404, "not_found_error", () => "Not Found")(call),
  WrongMethod: (_, call) => invalid("Method Not Allowed", 405)(call),
  NoKey: (_, call) => refusal(401, "authentication_error", () => "x-api-key header is required")(call),
  UnknownKey: (_, call) => refusal(401, "authentication_error", () => "invalid x-api-key")(call),
  KeyExhausted: (_, call) =>
    refusal(429, "rate_limit_error", () => "You have reached your specified API usage limits.", {
      error_code: "enforced_spend_limit_reached"
    })(call),
  NotJson: ({ reason }, call) => invalid(`The request body is not valid JSON: ${reason}`)(call),
  WrongContentType: ({ contentType }, call) => invalid(`content-type: ${contentType} is not supported`)(call),
  BodyTooLarge: (_, call) => refusal(413, "request_too_large", () => "Request exceeds the maximum size")(call),
  Invalid: ({ violation }, call) => invalid(Request.explained(violation))(call),
  Rejected: ({ message, status = 400 }, call) => invalid(message, status)(call),
  NoModel: ({ model }, call) => refusal(404, "not_found_error", () => `model: ${model}`)(call),
  RateLimited: ({ limit, of }, call) => ({
    ...refusal(
      429,
      "rate_limit_error",
      () =>
        `This request would exceed your organization's rate limit of ${limit} ${of === "tokens" ? "tokens" : "requests"} per minute. Please try again later.`
    )(call),
    limits: true,
    waits: true
  }),
  TooManyTokens: ({ limit }, call) => ({
    ...refusal(
      429,
      "rate_limit_error",
      () =>
        `This request would exceed your organization's rate limit of ${limit} tokens per minute, also when nothing else is asked. Reduce its size.`
    )(call),
    limits: true
  }),
  ServerError: (_, call) => refusal(500, "api_error", () => "Internal server error")(call),
  Overloaded: (_, call) => refusal(529, "overloaded_error", () => "Overloaded")(call)
}
