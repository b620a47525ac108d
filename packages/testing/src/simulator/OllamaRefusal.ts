/**
 * Ollama's refusals: one text, no code; what decoding Go structs says of a wrong type; plain text for what it does not
 * route.
 *
 * @since 0.1.0
 */
import * as Fields from "./Fields.js"
import type * as Wire from "./Wire.js"

const contentType = "application/json; charset=utf-8"

const refusal = (status: number, error: string): Wire.Refusal => ({
  status,
  content: JSON.stringify({ error }),
  contentType
})

const plain = (status: number, content: string): Wire.Refusal => ({ status, content, contentType: "text/plain" })

const goTypes: { readonly [kind: string]: string } = {
  string: "string",
  number: "float64",
  integer: "int",
  boolean: "bool",
  array: "[]api.Message",
  object: "map[string]interface {}"
}

const goKinds: { readonly [K in Fields.Kind]: string } = {
  string: "string",
  number: "number",
  integer: "number",
  boolean: "bool",
  array: "array",
  object: "object",
  null: "null"
}

/**
 * How Ollama refuses.
 *
 * @since 0.1.0
 * @category conversions
 */
export const refuse: Wire.Wire["refuse"] = {
  NoRoute: () => plain(404, "404 page not found"),
  WrongMethod: () => plain(405, "405 method not allowed"),
  NoKey: () => refusal(401, "unauthorized"),
  UnknownKey: () => refusal(401, "unauthorized"),
  KeyExhausted: () => refusal(429, "you have reached your usage limit"),
  NotJson: ({ empty, reason }) => refusal(400, empty ? "missing request body" : reason),
  WrongContentType: ({ contentType }) => refusal(400, `unsupported content type: ${contentType}`),
  BodyTooLarge: () => refusal(413, "http: request body too large"),
  Invalid: ({
    violation: {
      expected: [first = ""],
      got,
      path
    }
  }) =>
    refusal(
      400,
      `json: cannot unmarshal ${goKinds[Fields.kindOf(got)]} into Go struct field ${["Request", ...path.filter((step) => typeof step === "string")].join(".")} of type ${goTypes[first] ?? first}`
    ),
  Rejected: ({ message, status = 400 }) => refusal(status, message),
  NoModel: ({ model }) => refusal(404, `model '${model}' not found`),
  RateLimited: () => ({ ...refusal(429, "too many concurrent requests"), waits: true }),
  TooManyTokens: () => refusal(400, "the input length exceeds the context length"),
  ServerError: () => refusal(500, "an error was encountered while running the model"),
  Overloaded: () => refusal(503, "server busy, please try again.  maximum pending requests exceeded")
}
