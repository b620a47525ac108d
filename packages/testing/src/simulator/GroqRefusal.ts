/**
 * Groq's refusals: statuses, codes and texts as the service has them. Some of its words are OpenAI's.
 *
 * @see https://console.groq.com/docs/errors
 * @since 0.1.0
 */
import type * as Fields from "./Fields.js"
import * as GoDuration from "./GoDuration.js"
import * as OpenAi from "./OpenAiRefusal.js"
import type * as Wire from "./Wire.js"

interface Problem {
  readonly message: string
  readonly type?: string
  readonly code?: string | undefined
  readonly status_code?: number
}

const body = ({ message, type = "invalid_request_error", ...rest }: Problem): string =>
  JSON.stringify({ error: { message, type, ...rest } })

const windows = {
  requests: "requests per minute (RPM)",
  tokens: "tokens per minute (TPM)",
  "daily requests": "requests per day (RPD)"
} as const

/**
 * How Groq reports an error of its own in the midst of a stream.
 *
 * @since 0.1.0
 * @category constants
 */
export const inStream = body({
  message: "An error occurred while generating the answer.",
  type: "internal_server_error",
  code: "internal_server_error",
  status_code: 500
})

/**
 * How Groq refuses.
 *
 * @since 0.1.0
 * @category conversions
 */
export const refuse: Wire.Wire["refuse"] = {
  NoRoute: ({ method, path }) => ({
    status: 404,
    content: body({
      message: `Unknown request URL: ${method} ${path}. Please check the URL for typos, or see the docs at https://console.groq.com/docs/`,
      code: "unknown_url"
    })
  }),
  WrongMethod: ({ method, path }) => ({
    status: 405,
    content: body({ message: `Method ${method} is not allowed on ${path}`, code: "method_not_allowed" })
  }),
  NoKey: () => ({ status: 401, content: body({ message: "Invalid API Key", code: "invalid_api_key" }) }),
  UnknownKey: () => ({ status: 401, content: body({ message: "Invalid API Key", code: "invalid_api_key" }) }),
  KeyExhausted: () => ({
    status: 429,
    content: body({
      message:
        "Rate limit reached for model in organization `org_simulator` service tier `on_demand` on tokens per day (TPD): Limit 100000, Used 100000, Requested 669. " +
        "Please try again in 9m38.016s. Need more tokens? Upgrade to Dev Tier today at https://console.groq.com/settings/billing",
      type: "tokens",
      code: "rate_limit_exceeded"
    })
  }),
  NotJson: ({ reason }) => ({
    status: 400,
    content: body({ message: `could not parse the JSON body of the request: ${reason}` })
  }),
  WrongContentType: ({ contentType }) => ({
    status: 415,
    content: body({ message: `unsupported content type: '${contentType}'` })
  }),
  BodyTooLarge: () => ({
    status: 413,
    content: body({ message: "Request Entity Too Large", code: "request_too_large" })
  }),
  Invalid: ({ violation }) => ({
    status: 400,
    content: body({ message: `'${violation.path.join(".")}' : ${explanations[violation.problem](violation)}` })
  }),
  Rejected: ({ code, message, status = 400 }) => ({ status, content: body({ message, code }) }),
  NoModel: ({ model }) => ({
    status: 404,
    content: body(OpenAi.noModel(model))
  }),
  RateLimited: ({ limit, model, of, used, waitMillis, wanted }) => ({
    status: 429,
    limits: true,
    waits: true,
    content: body({
      message:
        `Rate limit reached for model \`${model}\` in organization \`org_simulator\` service tier \`on_demand\` on ${windows[of]}: ` +
        `Limit ${limit}, Used ${used}, Requested ${wanted}. Please try again in ${GoDuration.fromMillis(waitMillis)}. Visit https://console.groq.com/docs/rate-limits for more information.`,
      type: of === "tokens" ? "tokens" : "requests",
      code: "rate_limit_exceeded"
    })
  }),
  TooManyTokens: ({ limit, model, wanted }) => ({
    status: 413,
    content: body({
      message:
        `Request too large for model \`${model}\` in organization \`org_simulator\` service tier \`on_demand\` on tokens per minute (TPM): Limit ${limit}, Requested ${wanted}, ` +
        "please reduce your message size and try again.",
      type: "tokens",
      code: "rate_limit_exceeded"
    })
  }),
  ServerError: () => ({
    status: 500,
    content: body({ message: "Internal Server Error", type: "internal_server_error" })
  }),
  Overloaded: () => ({
    status: 503,
    waits: true,
    content: body({ message: "Service Unavailable", type: "internal_server_error", code: "service_unavailable" })
  })
}

const explanations: { readonly [P in Fields.Problem]: (violation: Fields.Violation) => string } = {
  Missing: () => "property is missing",
  Unknown: ({ path }) => `property '${path.at(-1)}' is unsupported`,
  Type: ({ expected }) =>
    `value must be ${expected
      .filter((one) => one !== "null")
      .map((one) => `a ${one}`)
      .join(" or ")}`,
  Value: ({ expected }) => `value must be one of [${expected.map((one) => `"${one}"`).join(", ")}]`,
  Tag: ({ path }) => `discriminator property '${path.at(-1)}' has invalid value`,
  BelowMinimum: ({ expected: [bound] }) => `number must be at least ${bound}`,
  AboveMaximum: ({ expected: [bound] }) => `number must be at most ${bound}`,
  TooShort: ({ expected: [bound] }) => `minimum number of items is ${bound}`,
  TooLong: ({ expected: [bound] }) => `maximum number of items is ${bound}`,
  Pattern: ({ expected: [pattern] }) => `string does not match pattern ${pattern}`
}
