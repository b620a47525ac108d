/**
 * TEI's refusals: `error` and `error_type`, which OpenAI's route calls by other names and does not wrap; nothing at all
 * for a key, and plain text for what its web server refuses by itself.
 *
 * @since 0.1.0
 */
import * as Fields from "./Fields.js"
import type * as Wire from "./Wire.js"

const own = (status: number, error: string, type: string) => (_: unknown, { path }: Wire.Refused): Wire.Refusal => ({
  status,
  content: JSON.stringify(
    path.endsWith("/embeddings") ? { message: error, code: status, type } : { error, error_type: type }
  )
})

const plain = (status: number, content = ""): Wire.Refusal => ({ status, content, contentType: "text/plain; charset=utf-8" })

/**
 * How TEI refuses.
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
  Rejected: ({ code = "Validation", message, status = 422 }, call) => own(status, message, code)(undefined, call),
  NoModel: () => plain(404),
  RateLimited: own(429, "Model is overloaded", "Overloaded"),
  TooManyTokens: own(429, "Model is overloaded", "Overloaded"),
  ServerError: own(424, "Backend error: Inference error: CUDA error", "Backend"),
  Overloaded: own(429, "Model is overloaded", "Overloaded")
}

const explained = ({ expected: [first = ""], got, path, problem }: Fields.Violation): string =>
  problem === "Missing"
    ? `missing field \`${path.at(-1)}\``
    : `${path.join(".")}: invalid type: ${Fields.kindOf(got)}, expected ${first === "" ? "something else" : first}`
