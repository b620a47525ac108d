/**
 * What TGI and TEI have in common, as servers of the same house: a key that is asked for, health that is open to all,
 * and the plain words of the web server under them.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Fields from "./Fields.js"
import * as OpenAi from "./OpenAiWire.js"
import type * as Wire from "./Wire.js"

/**
 * What is the same of both wires.
 *
 * @since 0.1.0
 * @category constants
 */
export const server = {
  keyed: true,
  daily: false,
  demandsJson: true,
  retryAfter: "seconds",
  credential: OpenAi.bearer,
  headers: () => ({ vary: "origin, access-control-request-method, access-control-request-headers" })
} as const

/**
 * The variable for a key of either.
 *
 * @since 0.1.0
 * @category constants
 */
export const key = "HF_API_TOKEN"

/**
 * A route that costs something.
 *
 * @since 0.1.0
 * @category constructors
 */
export const post = (path: string, answer: Wire.Route["answer"]): Wire.Route => ({
  method: "POST",
  path,
  metered: true,
  answer
})

/**
 * The routes that say that all is well.
 *
 * @since 0.1.0
 * @category constants
 */
export const health: ReadonlyArray<Wire.Route> = ["/health", "/ping"].map((path) => ({
  method: "GET",
  path,
  open: true,
  answer: () =>
    Either.right({ input: 0, output: 0, render: () => ({ _tag: "Whole", contentType: "text/plain", content: "" }) })
}))

const plain = (status: number, content = ""): Wire.Refusal => ({
  status,
  content,
  contentType: "text/plain; charset=utf-8"
})

/**
 * What the web server refuses by itself: nothing at all for a key or a path, a sentence for a body.
 *
 * @since 0.1.0
 * @category constants
 */
export const refuse: Pick<
  Wire.Wire["refuse"],
  | "NoRoute"
  | "WrongMethod"
  | "NoKey"
  | "UnknownKey"
  | "KeyExhausted"
  | "NotJson"
  | "WrongContentType"
  | "BodyTooLarge"
  | "Invalid"
  | "NoModel"
> = {
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
  NoModel: () => plain(404)
}

const explained = ({ expected: [first = ""], got, path, problem }: Fields.Violation): string => {
  const place = path.slice(0, -1).join(".")
  const where = place === "" ? "" : `${place}: `
  return problem === "Missing"
    ? `${where}missing field \`${path.at(-1)}\``
    : `${where}${path.at(-1)}: invalid type: ${Fields.kindOf(got)}, expected ${first === "" ? "something else" : first}`
}
