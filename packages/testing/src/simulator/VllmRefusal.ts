/**
 * vLLM's refusals: the status under `code`, the name of an exception or of the status under `type`, no code of their
 * own; and no more than a word for a wrong key.
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
export const body = (code: number, type: string, message: string, param: string | null = null): string =>
  JSON.stringify({ error: { message, type, param, code } })

const refusal = (status: number, type: string, message: string, param?: string): Wire.Refusal => ({
  status,
  content: body(status, type, message, param)
})

const engine = "EngineCore encountered an issue. See stack trace (above) for the root cause."

const unauthorized: Wire.Refusal = { status: 401, content: JSON.stringify({ error: "Unauthorized" }) }

/**
 * An error in the midst of a stream, and its end.
 *
 * @since 0.1.0
 * @category conversions
 */
export const inStream = `data: ${body(500, "InternalServerError", engine)}\n\ndata: [DONE]\n\n`

/**
 * How vLLM refuses.
 *
 * @since 0.1.0
 * @category conversions
 */
export const refuse: Wire.Wire["refuse"] = {
  NoRoute: () => refusal(404, "Not Found", "Not Found"),
  WrongMethod: () => refusal(405, "Method Not Allowed", "Method Not Allowed"),
  NoKey: () => unauthorized,
  UnknownKey: () => unauthorized,
  // a server by itself knows no such thing; who stands before it may
  KeyExhausted: () => refusal(429, "Too Many Requests", "You have used up what this key may"),
  NotJson: ({ reason }) => refusal(400, "Bad Request", `1 validation error:\n  JSON decode error: ${reason}`, "body"),
  WrongContentType: () =>
    refusal(415, "Unsupported Media Type", "Unsupported Media Type: Only 'application/json' is allowed"),
  BodyTooLarge: () => refusal(413, "Request Entity Too Large", "Request Entity Too Large"),
  Invalid: ({ violation }) =>
    refusal(
      400,
      "Bad Request",
      `1 validation error:\n  ${["body", ...violation.path].join(".")}: ${explained(violation)}`,
      ["body", ...violation.path].join(".")
    ),
  Rejected: ({ code = "BadRequestError", message, param, status = 400 }) => refusal(status, code, message, param),
  NoModel: ({ model }) => refusal(404, "NotFoundError", `The model \`${model}\` does not exist.`, "model"),
  RateLimited: () => refusal(429, "Too Many Requests", "Too many requests"),
  TooManyTokens: ({ limit, wanted }) =>
    refusal(400, "BadRequestError", `This key may use ${limit} tokens a minute, and this takes ${wanted}.`),
  ServerError: () => refusal(500, "InternalServerError", engine),
  Overloaded: (_, { path }) =>
    path === "/health" || path === "/ping"
      ? { status: 503, content: "" }
      : refusal(503, "Service Unavailable", "Service Unavailable")
}

const explained = ({ expected, problem }: Fields.Violation): string =>
  problem === "Missing"
    ? "Field required"
    : problem === "Type"
      ? `Input should be a valid ${expected.filter((kind) => kind !== "null").join(" or ")}`
      : problem === "Value" || problem === "Tag"
        ? `Input should be ${expected.map((one) => `'${one}'`).join(" or ")}`
        : `Input should keep ${problem} ${expected[0] ?? ""}`
