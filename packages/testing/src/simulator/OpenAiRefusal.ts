/**
 * OpenAI's refusals: statuses, codes and texts as the service has them.
 *
 * @see https://platform.openai.com/docs/guides/error-codes
 * @since 0.1.0
 */
import * as Fields from "./Fields.js"
import * as GoDuration from "./GoDuration.js"
import type * as Wire from "./Wire.js"

interface Problem {
  readonly message: string
  readonly type?: string
  readonly param?: string | null
  readonly code?: string | null
}

const body = ({ code = null, message, param = null, type = "invalid_request_error" }: Problem): string =>
  JSON.stringify({ error: { message, type, param, code } })

/**
 * An error of OpenAI's own.
 *
 * @since 0.1.0
 * @category constants
 */
export const serverProblem = {
  message: "The server had an error while processing your request. Sorry about that!",
  type: "server_error",
  param: null,
  code: null
}

/**
 * How OpenAI reports an error of its own, also inside of a stream of chat completions.
 *
 * @since 0.1.0
 * @category conversions
 */
export const serverError = body(serverProblem)

/**
 * What is wrong with a model that nobody has.
 *
 * @since 0.1.0
 * @category conversions
 */
export const noModel = (model: string) => ({
  message: `The model \`${model}\` does not exist or you do not have access to it.`,
  code: "model_not_found"
})

/**
 * A key as OpenAI quotes it: recognizable to who knows it, of no use to others.
 *
 * @since 0.1.0
 * @category conversions
 */
export const masked = (key: string): string =>
  key.length <= 8 ? "*".repeat(key.length) : `${key.slice(0, 3)}${"*".repeat(key.length - 7)}${key.slice(-4)}`

/**
 * How OpenAI refuses.
 *
 * @since 0.1.0
 * @category conversions
 */
export const refuse: Wire.Wire["refuse"] = {
  NoRoute: ({ method, path }) => ({ status: 404, content: body({ message: `Invalid URL (${method} ${path})` }) }),
  WrongMethod: ({ method, path }) => ({
    status: 405,
    content: body({ message: `Not allowed to ${method} on ${path}.`, code: "method_not_supported" })
  }),
  NoKey: () => ({
    status: 401,
    content: body({
      message:
        "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY). " +
        "You can obtain an API key from https://platform.openai.com/account/api-keys."
    })
  }),
  UnknownKey: ({ presented }) => ({
    status: 401,
    content: body({
      message: `Incorrect API key provided: ${masked(presented)}. You can find your API key at https://platform.openai.com/account/api-keys.`,
      code: "invalid_api_key"
    })
  }),
  KeyExhausted: () => ({
    status: 429,
    content: body({
      message:
        "You exceeded your current quota, please check your plan and billing details. For more information on this error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors.",
      type: "insufficient_quota",
      code: "insufficient_quota"
    })
  }),
  NotJson: () => ({
    status: 400,
    content: body({
      message:
        "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library correctly. " +
        "The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)"
    })
  }),
  WrongContentType: ({ contentType }) => ({
    status: 400,
    content: body({
      message: `Unsupported content type: '${contentType}'. This API method only accepts 'application/json' requests, but you specified the header 'Content-Type: ${contentType}'. Please try again with a supported content type.`,
      code: "unsupported_content_type"
    })
  }),
  BodyTooLarge: () => ({ status: 413, content: body({ message: "Request body is too large." }) }),
  Invalid: ({ violation }) => ({ status: 400, limits: true, content: body(explained(violation)) }),
  Rejected: ({ code = null, message, param = null, status = 400 }) => ({
    status,
    limits: true,
    content: body({ message, param, code })
  }),
  NoModel: ({ model }) => ({
    status: 404,
    content: body(noModel(model))
  }),
  RateLimited: ({ limit, model, of, used, waitMillis, wanted }) => ({
    status: 429,
    limits: true,
    waits: true,
    content: body({
      message:
        `Rate limit reached for ${model} in organization org-simulator on ${of === "tokens" ? "tokens per min (TPM)" : "requests per min (RPM)"}: ` +
        `Limit ${limit}, Used ${used}, Requested ${wanted}. Please try again in ${GoDuration.fromMillis(waitMillis)}. Visit https://platform.openai.com/account/rate-limits to learn more.`,
      type: of === "tokens" ? "tokens" : "requests",
      code: "rate_limit_exceeded"
    })
  }),
  TooManyTokens: ({ limit, model, wanted }) => ({
    status: 429,
    limits: true,
    content: body({
      message:
        `Request too large for ${model} in organization org-simulator on tokens per min (TPM): Limit ${limit}, Requested ${wanted}. ` +
        "The input or output tokens must be reduced in order to run successfully. Visit https://platform.openai.com/account/rate-limits to learn more.",
      type: "tokens",
      code: "rate_limit_exceeded"
    })
  }),
  ServerError: () => ({ status: 500, content: serverError }),
  Overloaded: () => ({
    status: 503,
    waits: true,
    content: body({
      message: "The server is currently overloaded with other requests. Please try again later.",
      type: "service_unavailable_error",
      code: "server_is_overloaded"
    })
  })
}

const nouns: { readonly [kind: string]: string } = {
  string: "a string",
  number: "a decimal",
  integer: "an integer",
  boolean: "a boolean",
  array: "an array",
  object: "an object",
  null: "null"
}

const noun = (kind: string): string => nouns[kind] ?? kind

const sequence = (things: ReadonlyArray<string>, last: string): string =>
  things.length < 2
    ? things.join("")
    : `${things.slice(0, -1).join(", ")}${things.length > 2 ? "," : ""} ${last} ${things.at(-1)}`

const explained = (violation: Fields.Violation): Problem => {
  const param = violation.path.reduce<string>(
    (whole, step) => (typeof step === "number" ? `${whole}[${step}]` : whole === "" ? step : `${whole}.${step}`),
    ""
  )
  return { param, ...explanations[violation.problem](param, violation) }
}

const unsupported = (_: string, { expected, got }: Fields.Violation): Problem => ({
  message: `Invalid value: '${Fields.stringOf(got)}'. Supported values are: ${sequence(
    expected.map((one) => `'${one}'`),
    "and"
  )}.`,
  code: "invalid_value"
})

const outOfRange =
  (side: "below" | "above", bound: "min" | "max", sign: ">=" | "<=") =>
  (param: string, { expected: [limit, kind], got }: Fields.Violation): Problem => {
    const number = kind === "integer" ? "integer" : "decimal"
    return {
      message: `Invalid '${param}': ${number} ${side} ${bound}imum value. Expected a value ${sign} ${limit}, but got ${String(got)} instead.`,
      code: `${number}_${side}_${bound}_value`
    }
  }

const wrongLength =
  (side: "below" | "above", bound: "min" | "max", word: "short" | "long") =>
  (param: string, { expected: [limit], got }: Fields.Violation): Problem => {
    const thing = Array.isArray(got) ? "array" : "string"
    const length = Array.isArray(got) || typeof got === "string" ? got.length : 0
    const wanted = `Expected ${noun(thing)} with ${bound}imum length ${limit}, but got an`
    return length === 0
      ? { message: `Invalid '${param}': empty ${thing}. ${wanted} empty ${thing} instead.`, code: `empty_${thing}` }
      : {
          message: `Invalid '${param}': ${thing} too ${word}. ${wanted} ${thing} with length ${length} instead.`,
          code: `${thing}_${side}_${bound}_length`
        }
  }

const explanations: { readonly [P in Fields.Problem]: (param: string, violation: Fields.Violation) => Problem } = {
  Missing: (param) => ({ message: `Missing required parameter: '${param}'.`, code: "missing_required_parameter" }),
  Unknown: (param) => ({ message: `Unknown parameter: '${param}'.`, code: "unknown_parameter" }),
  Type: (param, { expected, got }) => {
    const wanted = expected.filter((one) => one !== "null").map(noun)
    return {
      message: `Invalid type for '${param}': expected ${wanted.length > 1 ? "one of " : ""}${sequence(wanted, "or")}, but got ${noun(Fields.kindOf(got))} instead.`,
      code: "invalid_type"
    }
  },
  Value: unsupported,
  Tag: unsupported,
  BelowMinimum: outOfRange("below", "min", ">="),
  AboveMaximum: outOfRange("above", "max", "<="),
  TooShort: wrongLength("below", "min", "short"),
  TooLong: wrongLength("above", "max", "long"),
  Pattern: (param, { expected: [pattern] }) => ({
    message: `Invalid '${param}': string does not match pattern. Expected a string that matches the pattern '${pattern}'.`,
    code: "invalid_value"
  })
}
