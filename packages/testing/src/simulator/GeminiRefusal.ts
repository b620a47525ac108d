/**
 * Gemini's refusals: one envelope with the status by number and by name, and details that say what the status does not.
 *
 * @see https://ai.google.dev/gemini-api/docs/troubleshooting
 * @since 0.1.0
 */
import type * as Fields from "./Fields.js"
import * as Request from "./GeminiRequest.js"
import type * as Wire from "./Wire.js"

const contentType = "application/json; charset=UTF-8"

/**
 * The body of a refusal, laid out as the service lays it out.
 *
 * @since 0.1.0
 * @category constructors
 */
export const content = (code: number, status: string, message: string, details: ReadonlyArray<Fields.Json>): string =>
  `${JSON.stringify({ error: { code, message, status, ...(details.length === 0 ? {} : { details }) } }, undefined, 2)}\n`

const refusal = (
  code: number,
  status: string,
  message: string,
  ...details: ReadonlyArray<Fields.Json>
): Wire.Refusal => ({ status: code, content: content(code, status, message, details), contentType })

const invalid = (message: string, ...details: ReadonlyArray<Fields.Json>) =>
  refusal(400, "INVALID_ARGUMENT", message, ...details)

const detail = (type: string, fields: Fields.Json): Fields.Json => ({ "@type": `type.googleapis.com/${type}`, ...fields })

const service = "generativelanguage.googleapis.com"

const info = (reason: string) =>
  detail("google.rpc.ErrorInfo", { reason, domain: "googleapis.com", metadata: { service } })

const page = (status: number, title: string): Wire.Refusal => ({
  status,
  content: `<!DOCTYPE html>\n<html lang=en>\n  <title>Error ${status} (${title})!!1</title>\n  <p><b>${status}.</b> <ins>That’s an error.</ins>\n`,
  contentType: "text/html; charset=UTF-8"
})

const help = "For more information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits."

const exhausted = (metric: string, quotaId: string, value: number, model: string, waitMillis: number): Wire.Refusal => {
  const seconds = waitMillis / 1000
  return refusal(
    429,
    "RESOURCE_EXHAUSTED",
    `You exceeded your current quota, please check your plan and billing details. ${help} \n* Quota exceeded for metric: ${service}/${metric}, limit: ${value}, model: ${model}\nPlease retry in ${seconds}s.`,
    detail("google.rpc.QuotaFailure", {
      violations: [
        {
          quotaMetric: `${service}/${metric}`,
          quotaId,
          quotaDimensions: { location: "global", model },
          quotaValue: `${value}`
        }
      ]
    }),
    detail("google.rpc.Help", {
      links: [
        {
          description: "Learn more about Gemini API quotas",
          url: "https://ai.google.dev/gemini-api/docs/rate-limits"
        }
      ]
    }),
    detail("google.rpc.RetryInfo", { retryDelay: `${seconds}s` })
  )
}

/**
 * The model and the method that a path asks for: `models/x:generateContent`.
 *
 * @since 0.1.0
 * @category accessors
 */
export const asked = (path: string): { readonly model: string; readonly method: string } => {
  const [, model = "", method = ""] = /\/(?:models|tunedModels)\/([^:]*)(?::(\w+))?/.exec(path) ?? []
  return { model, method }
}

const metrics = {
  requests: { metric: "generate_content_free_tier_requests", quotaId: "GenerateRequestsPerMinutePerProjectPerModel" },
  tokens: {
    metric: "generate_content_free_tier_input_token_count",
    quotaId: "GenerateContentInputTokensPerModelPerMinute"
  },
  "daily requests": {
    metric: "generate_content_free_tier_requests",
    quotaId: "GenerateRequestsPerDayPerProjectPerModel"
  }
} as const

/**
 * How Gemini refuses.
 *
 * @since 0.1.0
 * @category conversions
 */
export const refuse: Wire.Wire["refuse"] = {
  NoRoute: () => page(404, "Not Found"),
  WrongMethod: () => page(405, "Method Not Allowed"),
  NoKey: () =>
    refusal(
      403,
      "PERMISSION_DENIED",
      "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API."
    ),
  UnknownKey: () =>
    invalid(
      "API key not valid. Please pass a valid API key.",
      info("API_KEY_INVALID"),
      detail("google.rpc.LocalizedMessage", {
        locale: "en-US",
        message: "API key not valid. Please pass a valid API key."
      })
    ),
  // Though the day is used up, it says to come back in seconds.
  KeyExhausted: (_, { path }) =>
    exhausted(metrics["daily requests"].metric, metrics["daily requests"].quotaId, 20, asked(path).model, 36_430),
  NotJson: ({ empty, reason }) =>
    invalid(
      empty
        ? "* GenerateContentRequest.contents: contents is not specified\n"
        : `Invalid JSON payload received. ${reason}`
    ),
  WrongContentType: ({ contentType }) => invalid(`Invalid content type: ${contentType}`),
  BodyTooLarge: () => invalid("Request payload size exceeds the limit: 20971520 bytes."),
  Invalid: ({ violation }) => {
    const { field, message } = Request.explained(violation)
    return invalid(
      message,
      detail("google.rpc.BadRequest", {
        fieldViolations: [{ ...(field === "" ? {} : { field }), description: message }]
      })
    )
  },
  Rejected: ({ code = "INVALID_ARGUMENT", message, status = 400 }) => refusal(status, code, message),
  NoModel: ({ model }, { path }) => {
    const { method } = asked(path)
    return refusal(
      404,
      "NOT_FOUND",
      `models/${model} is not found for API version v1beta, or is not supported for ${method === "" ? "get" : method}. Call ModelService.ListModels to see the list of available models and their supported methods.`
    )
  },
  RateLimited: ({ limit, of, waitMillis }, { path }) =>
    exhausted(metrics[of].metric, metrics[of].quotaId, limit, asked(path).model, waitMillis),
  TooManyTokens: ({ limit }, { path }) =>
    exhausted(metrics.tokens.metric, metrics.tokens.quotaId, limit, asked(path).model, 60_000),
  ServerError: () =>
    refusal(
      500,
      "INTERNAL",
      "An internal error has occurred. Please retry or report in https://developers.generativeai.google/guide/troubleshooting"
    ),
  Overloaded: () => refusal(503, "UNAVAILABLE", "The model is overloaded. Please try again later.")
}
