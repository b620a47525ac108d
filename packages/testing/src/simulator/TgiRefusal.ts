/**
 * TGI's refusals: `error` and `error_type`. `/generate_stream` says everything as an event, with status 200.
 *
 * @since 0.1.0
 */
import * as HuggingFace from "./HuggingFace.js"
import type * as Wire from "./Wire.js"

/**
 * An error as the server writes it.
 *
 * @since 0.1.0
 * @category conversions
 */
export const body = (error: string, error_type: string): string => JSON.stringify({ error, error_type })

/**
 * An error in the midst of a streamed chat, which always calls itself a 422, and the end of that stream.
 *
 * @since 0.1.0
 * @category conversions
 */
export const inChat = (message: string): string =>
  `data: ${JSON.stringify({ error: { message, http_status_code: 422 } })}\n\ndata: [DONE]\n\n`

/**
 * An event of `/generate_stream`.
 *
 * @since 0.1.0
 * @category conversions
 */
export const event = (content: string): string => `data:${content}\n\n`

/**
 * What is said when the model breaks.
 *
 * @since 0.1.0
 * @category constants
 */
export const broke =
  "Request failed during generation: Server error: CUDA error: an illegal memory access was encountered"

const own = (status: number, error: string, type: string) => (_: unknown, { path }: Wire.Refused): Wire.Refusal =>
  path === "/generate_stream"
    ? { status: 200, contentType: "text/event-stream", content: event(body(error, type)) }
    : { status, content: body(error, type) }

const overloaded = own(429, "Model is overloaded", "overloaded")

/**
 * How TGI refuses.
 *
 * @since 0.1.0
 * @category conversions
 */
export const refuse: Wire.Wire["refuse"] = {
  ...HuggingFace.refuse,
  Rejected: ({ code = "validation", message, status = 422 }, call) => own(status, message, code)(undefined, call),
  RateLimited: overloaded,
  TooManyTokens: overloaded,
  ServerError: own(424, broke, "generation"),
  Overloaded: overloaded
}
