/**
 * TGI's refusals: `error` and `error_type`, nothing at all for a key, and plain text for what its web server refuses
 * by itself. `/generate_stream` says everything as an event, with status 200.
 *
 * @since 0.1.0
 */
import * as Fields from "./Fields.js"
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
export const broke = "Request failed during generation: Server error: CUDA error: an illegal memory access was encountered"

const own = (status: number, error: string, type: string) => (_: unknown, { path }: Wire.Refused): Wire.Refusal =>
  path === "/generate_stream"
    ? { status: 200, contentType: "text/event-stream", content: event(body(error, type)) }
    : { status, content: body(error, type) }

const plain = (status: number, content = ""): Wire.Refusal => ({ status, content, contentType: "text/plain; charset=utf-8" })

/**
 * How TGI refuses.
 *
 * @since 0.1.0
 * @category conversions
 */
export const refuse: Wire.Wire["refuse"] = {
  NoRoute: () => plain(404),
  WrongMethod: () => plain(405),
  NoKey: () => plain(401),
  UnknownKey: () => plain(401),
  // a server by itself knows no such thing; who stands before it may
  KeyExhausted: () => ({
    status: 402,
    content: JSON.stringify({ error: "You have exceeded your monthly included credits for Inference Providers." })
  }),
  NotJson: ({ reason }) => plain(400, `Failed to parse the request body as JSON: ${reason}`),
  WrongContentType: () => plain(415, "Expected request with `Content-Type: application/json`"),
  BodyTooLarge: () => plain(413, "length limit exceeded"),
  Invalid: ({ violation }) =>
    plain(422, `Failed to deserialize the JSON body into the target type: ${explained(violation)}`),
  Rejected: ({ code = "validation", message, status = 422 }, call) => own(status, message, code)(undefined, call),
  NoModel: () => plain(404),
  RateLimited: own(429, "Model is overloaded", "overloaded"),
  TooManyTokens: own(429, "Model is overloaded", "overloaded"),
  ServerError: own(424, broke, "generation"),
  Overloaded: own(429, "Model is overloaded", "overloaded")
}

const explained = ({ expected: [first = ""], got, path, problem }: Fields.Violation): string => {
  const place = path.slice(0, -1).join(".")
  const where = place === "" ? "" : `${place}: `
  return problem === "Missing"
    ? `${where}missing field \`${path.at(-1)}\``
    : `${where}${path.at(-1)}: invalid type: ${Fields.kindOf(got)}, expected ${first === "" ? "something else" : first}`
}
