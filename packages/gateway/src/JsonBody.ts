/**
 * The JSON of a request's body, read within limits: so many bytes and no more, so deep and no deeper, and no key that
 * would reach into a prototype. What is not JSON is refused with the place where it stops being JSON.
 *
 * @since 0.1.0
 */
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Refusal } from "./Refusal.js"

/**
 * How deep arrays and objects may be nested in a body.
 *
 * @since 0.1.0
 * @category limits
 */
export const maxDepth = 64

/**
 * Reads and parses the body of a request, of at most `limit` bytes. The scope is that of the request.
 *
 * @since 0.1.0
 * @category constructors
 */
export const read = (
  request: HttpServerRequest.HttpServerRequest,
  limit: number
): Effect.Effect<unknown, Refusal, Scope.Scope> => Effect.flatMap(text(request, limit), parse)

/**
 * Parses JSON; what is wrong with it is told by line and column, and never by what stands there.
 *
 * @since 0.1.0
 * @category constructors
 */
export const parse = (text: string): Either.Either<unknown, Refusal> => {
  // a byte order mark is no part of JSON, but some clients send one
  const json = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
  return Either.flatMap(
    Either.try({
      try: (): unknown => JSON.parse(json),
      catch: () => new Refusal({ reason: "InvalidJson", message: `The body is not JSON: ${findFault(json)}` })
    }),
    (value) => {
      const fault = forbidden(value, "", 1)
      return fault === undefined ? Either.right(value) : Either.left(fault)
    }
  )
}

// -----------------------------------------------------------------------------
// bytes
// -----------------------------------------------------------------------------

const text = (
  request: HttpServerRequest.HttpServerRequest,
  limit: number
): Effect.Effect<string, Refusal, Scope.Scope> => {
  const encoding = request.headers["content-encoding"]
  if (encoding !== undefined && encoding !== "identity") {
    return Effect.fail(
      new Refusal({ reason: "UnsupportedEncoding", message: "The body is compressed; send it as it is" })
    )
  }
  const length = request.headers["content-length"]
  if (length === undefined || !/^\d+$/.test(length)) return counted(request, limit)
  return Number(length) > limit
    ? Effect.fail(tooLarge(limit))
    : Effect.flatMap(
      Effect.mapError(request.text, () => unreadable),
      (text) => text.length > limit ? Effect.fail(tooLarge(limit)) : Effect.succeed(text)
    )
}

// A body whose size nobody announced. One that is too large is read on, and dropped, up to twice the limit: whoever
// sends a little too much then hears why, where a closed connection would tell nothing.
const counted = (
  request: HttpServerRequest.HttpServerRequest,
  limit: number
): Effect.Effect<string, Refusal, Scope.Scope> =>
  Effect.flatMap(Stream.toPull(request.stream), (pull) => {
    const decoder = new TextDecoder()
    let text = ""
    let size = 0
    const rest: Effect.Effect<string, Refusal> = Effect.matchEffect(pull, {
      onFailure: (failure) =>
        Option.isSome(failure)
          ? Effect.fail(unreadable)
          : size > limit
          ? Effect.fail(tooLarge(limit))
          : Effect.succeed(text + decoder.decode()),
      onSuccess: (chunk) => {
        for (const bytes of chunk) {
          size += bytes.length
          if (size <= limit) text += decoder.decode(bytes, { stream: true })
        }
        return size > 2 * limit ? Effect.fail(tooLarge(limit)) : rest
      }
    })
    return rest
  })

const tooLarge = (limit: number) =>
  new Refusal({ reason: "BodyTooLarge", message: `The body has more than ${limit} bytes, the most that is taken` })

const unreadable = new Refusal({ reason: "InvalidJson", message: "The body is missing, or broke off" })

// -----------------------------------------------------------------------------
// values
// -----------------------------------------------------------------------------

const forbidden = (value: unknown, path: string, depth: number): Refusal | undefined => {
  if (typeof value !== "object" || value === null) return undefined
  if (depth > maxDepth) {
    return new Refusal({
      reason: "InvalidRequest",
      message: `The body is nested deeper than ${maxDepth} levels`
    })
  }
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const item: unknown = value[i]
      const fault = typeof item === "object" ? forbidden(item, `${path}[${i}]`, depth + 1) : undefined
      if (fault !== undefined) return fault
    }
    return undefined
  }
  for (const [key, item] of Object.entries(value)) {
    const here = path === "" ? key : `${path}.${key}`
    if (key === "__proto__") {
      return new Refusal({ reason: "InvalidRequest", message: `${here} is a key that is not taken`, field: here })
    }
    const fault = typeof item === "object" ? forbidden(item, here, depth + 1) : undefined
    if (fault !== undefined) return fault
  }
  return undefined
}

// -----------------------------------------------------------------------------
// the place where JSON stops being JSON
// -----------------------------------------------------------------------------

// Engines differ in what they say of a fault, and most quote the text around it, which is somebody's prompt.
const findFault = (json: string): string => {
  const { at, expected } = scan(json)
  const before = json.slice(0, at)
  const line = before.split("\n").length
  const column = at - before.lastIndexOf("\n")
  return at < json.length
    ? `line ${line}, column ${column}: expected ${expected}`
    : json.trim() === ""
    ? "it is empty"
    : `it ends at line ${line}, column ${column}, where ${expected} is expected`
}

type Wanted = keyof typeof wanted

const wanted = {
  value: "a value",
  valueOrClose: "a value or ]",
  key: "a key in double quotes",
  keyOrClose: "a key in double quotes or }",
  colon: "a colon after the key",
  comma: "a comma or the closing bracket",
  nothing: "nothing more"
}

const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y

const scan = (json: string): { readonly at: number; readonly expected: string } => {
  const open: Array<"}" | "]"> = []
  let want: Wanted = "value"
  let at = 0
  const after = (): Wanted => open.length === 0 ? "nothing" : "comma"
  while (true) {
    while (json[at] === " " || json[at] === "\n" || json[at] === "\r" || json[at] === "\t") at++
    const here = json[at]
    const closes = here !== undefined && here === open.at(-1)
    if (here === undefined) return { at, expected: wanted[want] }
    if (want === "colon" && here === ":") {
      want = "value"
      at++
    } else if (want === "comma" && here === ",") {
      want = open.at(-1) === "}" ? "key" : "value"
      at++
    } else if (closes && (want === "comma" || want === "valueOrClose" || want === "keyOrClose")) {
      open.pop()
      want = after()
      at++
    } else if (want === "key" || want === "keyOrClose") {
      if (here !== "\"") return { at, expected: wanted[want] }
      const end = endOfString(json, at)
      if (typeof end === "object") return end
      want = "colon"
      at = end
    } else if (want === "value" || want === "valueOrClose") {
      if (here === "{" || here === "[") {
        open.push(here === "{" ? "}" : "]")
        want = here === "{" ? "keyOrClose" : "valueOrClose"
        at++
      } else if (here === "\"") {
        const end = endOfString(json, at)
        if (typeof end === "object") return end
        want = after()
        at = end
      } else {
        number.lastIndex = at
        const literal = ["true", "false", "null"].find((word) => json.startsWith(word, at)) ?? number.exec(json)?.[0]
        if (literal === undefined) return { at, expected: wanted[want] }
        want = after()
        at += literal.length
      }
    } else {
      return { at, expected: wanted[want] }
    }
  }
}

const endOfString = (json: string, start: number): number | { readonly at: number; readonly expected: string } => {
  let at = start + 1
  while (at < json.length) {
    const code = json.charCodeAt(at)
    if (code === 0x22) return at + 1
    if (code < 0x20) return { at, expected: "the text to be escaped: it holds a control character" }
    if (code === 0x5c) {
      const escape = /^\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/.exec(json.slice(at, at + 6))
      if (escape === null) return { at, expected: "an escape that JSON knows" }
      at += escape[0].length
    } else {
      at++
    }
  }
  return { at, expected: "the end of a text" }
}
