/**
 * OpenAI's API: chat completions, responses, embeddings, moderations, models.
 *
 * @see https://platform.openai.com/docs/api-reference
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Fields from "./Fields.js"
import * as GoDuration from "./GoDuration.js"
import * as Limit from "./Limit.js"
import * as Models from "./Models.js"
import * as Chat from "./OpenAiChat.js"
import * as Embeddings from "./OpenAiEmbeddings.js"
import * as Moderation from "./OpenAiModeration.js"
import * as Refusal from "./OpenAiRefusal.js"
import * as Request from "./OpenAiRequest.js"
import * as Responses from "./OpenAiResponses.js"
import * as Seed from "./Seed.js"
import * as Wire from "./Wire.js"

/**
 * The wire, with `further` models besides its own.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (further: ReadonlyArray<string>): Wire.Wire => {
  const models = [...catalogue, ...Models.simulated(further)]
  return {
    name: "openai",
    baseUrl: "/openai/v1",
    variables: { baseUrl: "OPENAI_BASE_URL", key: "OPENAI_API_KEY" },
    keyed: true,
    daily: false,
    demandsJson: true,
    retryAfter: "both",
    credential: bearer,
    headers,
    refuse: Refusal.refuse,
    streamError: (path) =>
      path === responses ? Responses.streamError(Refusal.serverProblem) : `data: ${Refusal.serverError}\n\n`,
    routes: [
      { method: "POST", path: "/v1/chat/completions", metered: true, answer: Chat.answer(dialect(models)) },
      { method: "POST", path: responses, metered: true, answer: Responses.answer(models) },
      { method: "POST", path: `${responses}/input_tokens`, answer: Responses.count(models) },
      { method: "GET", path: `${responses}/*`, answer: Responses.missing },
      { method: "POST", path: "/v1/embeddings", metered: true, answer: Embeddings.answer(models, true) },
      { method: "POST", path: "/v1/moderations", metered: true, answer: Moderation.answer },
      {
        method: "GET",
        path: "/v1/models",
        answer: () => Either.right(Wire.free({ object: "list", data: models.map(described) }))
      },
      {
        method: "GET",
        path: "/v1/models/*",
        answer: ({ rest }) => {
          const found = Wire.find(models, rest)
          return found === undefined
            ? Either.left(Wire.Failure.NoModel({ model: rest }))
            : Either.right(Wire.free(described(found)))
        }
      }
    ]
  }
}

const responses = "/v1/responses"

const catalogue = [
  Models.make("gpt-4o", { snapshot: "gpt-4o-2024-08-06", owner: "system", created: 1_715_367_049 }),
  Models.make("gpt-4o-mini", { snapshot: "gpt-4o-mini-2024-07-18", owner: "system", created: 1_721_172_741 }),
  Models.make("gpt-4.1", {
    snapshot: "gpt-4.1-2025-04-14",
    owner: "system",
    created: 1_744_316_542,
    context: 1_047_576
  }),
  Models.make("gpt-5-mini", {
    snapshot: "gpt-5-mini-2025-08-07",
    kind: "reasoning",
    owner: "system",
    created: 1_754_425_928,
    context: 400_000
  }),
  Models.make("text-embedding-3-small", { owner: "system", created: 1_705_948_997, dimensions: 1536, context: 8192 }),
  Models.make("text-embedding-3-large", { owner: "system", created: 1_705_953_180, dimensions: 3072, context: 8192 })
]

const described = ({ created, id, owner }: Models.Model) => ({ id, object: "model", created, owned_by: owner })

/**
 * The key of `Authorization: Bearer …`.
 *
 * @since 0.1.0
 * @category accessors
 */
export const bearer = (headers: Wire.Headers): string | undefined =>
  /^bearer\s+(\S.*)$/i.exec(headers["authorization"] ?? "")?.[1]?.trim()

const dialect = (models: ReadonlyArray<Models.Model>): Chat.Dialect => ({
  models,
  fields,
  rules,
  completionId: (id) => `chatcmpl-${Seed.identifier(id, 29)}`,
  toolCallId: (id) => `call_${Seed.identifier(id, 24)}`,
  reasoningIn: () => "nowhere",
  members: () => ({ service_tier: "default", system_fingerprint: "fp_5117a7e512" }),
  wholeMembers: () => ({}),
  messageMembers: { refusal: null, annotations: [] },
  firstDeltaMembers: { refusal: null },
  noText: null,
  usage: ({ input, output, reasoning }) => ({
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: reasoning,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0
    }
  }),
  firstMembers: () => ({}),
  lastMembers: () => ({}),
  wholeToolCalls: false,
  padded: true
})

const fields = Fields.object({
  ...Request.common,
  messages: Request.messages(
    {
      image_url: Request.imagePart,
      input_audio: Fields.object({
        type: Fields.any,
        input_audio: Fields.object({ data: Fields.string(), format: Fields.oneOf("wav", "mp3") }),
        prompt_cache_breakpoint: Fields.optional(Fields.any)
      }),
      file: Fields.object({
        type: Fields.any,
        file: Fields.record,
        prompt_cache_breakpoint: Fields.optional(Fields.any)
      })
    },
    {
      refusal: Fields.nullish(Fields.string()),
      audio: Fields.nullish(Fields.record),
      annotations: Fields.optional(Fields.any)
    }
  ),
  n: Fields.nullish(Fields.integer({ min: 1, max: 128 })),
  reasoning_effort: Fields.nullish(Fields.oneOf("none", "minimal", "low", "medium", "high", "xhigh", "max")),
  verbosity: Fields.nullish(Fields.oneOf("low", "medium", "high")),
  service_tier: Fields.nullish(Fields.oneOf("auto", "default", "flex", "scale", "priority", "fast")),
  modalities: Fields.nullish(Fields.array(Fields.oneOf("text", "audio"))),
  audio: Fields.nullish(Fields.record),
  function_call: Fields.optional(Fields.any),
  functions: Fields.optional(Fields.array(Fields.record)),
  moderation: Fields.nullish(Fields.any),
  prediction: Fields.nullish(Fields.record),
  prompt_cache_key: Fields.nullish(Fields.string()),
  prompt_cache_options: Fields.nullish(Fields.record),
  prompt_cache_retention: Fields.nullish(Fields.string()),
  safety_identifier: Fields.nullish(Fields.string({ max: 64 })),
  web_search_options: Fields.nullish(Fields.record)
})

const given = (value: unknown): boolean => value !== undefined && value !== null

const rules = (body: Fields.Json, model: Models.Model): Wire.Failure | undefined => {
  const rejected = (message: string, param: string, code?: string) =>
    Wire.Failure.Rejected({ message, param, ...(code === undefined ? {} : { code }) })
  if (model.kind === "reasoning") {
    if (given(body["max_tokens"])) {
      return rejected(
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        "max_tokens",
        "unsupported_parameter"
      )
    }
    if (given(body["temperature"]) && body["temperature"] !== 1) {
      return rejected(
        `Unsupported value: 'temperature' does not support ${JSON.stringify(body["temperature"])} with this model. Only the default (1) value is supported.`,
        "temperature",
        "unsupported_value"
      )
    }
  }
  if (given(body["max_tokens"]) && given(body["max_completion_tokens"])) {
    return rejected(
      "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
      "max_tokens",
      "invalid_parameter_combination"
    )
  }
  if (given(body["stream_options"]) && body["stream"] !== true) {
    return rejected("The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options")
  }
  return toolRules(body) ?? formatRules(body)
}

const toolRules = (body: Fields.Json): Wire.Failure | undefined => {
  const offered = Request.tools(body)
  if (Array.isArray(body["tools"]) && offered.length === 0) {
    return Wire.Failure.Invalid({ violation: { path: ["tools"], problem: "TooShort", expected: ["1"], got: [] }, body })
  }
  if (given(body["tool_choice"]) && offered.length === 0) {
    return Wire.Failure.Rejected({
      message: "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.",
      param: "tool_choice"
    })
  }
  const choice = body["tool_choice"]
  const named =
    Fields.isJson(choice) && Fields.isJson(choice["function"]) ? Fields.stringOf(choice["function"]["name"]) : undefined
  return named === undefined || offered.some((tool) => tool.name === named)
    ? undefined
    : Wire.Failure.Rejected({ message: `Tool choice '${named}' not found in 'tools' parameter.`, param: "tool_choice" })
}

const formatRules = (body: Fields.Json): Wire.Failure | undefined => {
  const format = body["response_format"]
  if (!Fields.isJson(format) || format["type"] !== "json_object") return undefined
  return /json/i.test(JSON.stringify(body["messages"]))
    ? undefined
    : Wire.Failure.Rejected({
        message:
          "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
        param: "messages"
      })
}

/**
 * The `x-ratelimit-*` headers of OpenAI and those who follow it.
 *
 * @since 0.1.0
 * @category conversions
 */
export const limitHeaders = (
  requests: Limit.Limit | undefined,
  tokens: Limit.Limit | undefined,
  now: number
): { readonly [name: string]: string } => ({
  ...(requests === undefined
    ? {}
    : {
        "x-ratelimit-limit-requests": requests.amount.toString(),
        "x-ratelimit-remaining-requests": Limit.remaining(requests, now).toString(),
        "x-ratelimit-reset-requests": GoDuration.fromMillis(Limit.fullIn(requests, now))
      }),
  ...(tokens === undefined
    ? {}
    : {
        "x-ratelimit-limit-tokens": tokens.amount.toString(),
        "x-ratelimit-remaining-tokens": Limit.remaining(tokens, now).toString(),
        "x-ratelimit-reset-tokens": GoDuration.fromMillis(Limit.fullIn(tokens, now))
      })
})

const headers = ({ elapsedMillis, id, now, requests, tokens }: Wire.Answered) => ({
  "access-control-expose-headers": "X-Request-ID",
  "openai-organization": "org-simulator",
  "openai-processing-ms": elapsedMillis.toString(),
  "openai-version": "2020-10-01",
  "x-request-id": `req_${Seed.identifier(id, 32, Seed.hexadecimal)}`,
  ...limitHeaders(requests, tokens, now)
})
