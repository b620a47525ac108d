/**
 * Anthropic's API: messages, token counts, models; versions 2023-06-01 and 2026-10-21.
 *
 * @see https://docs.claude.com/en/api/messages
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Conversation from "./AnthropicConversation.js"
import * as Request from "./AnthropicRequest.js"
import * as Rules from "./AnthropicRules.js"
import * as Fields from "./Fields.js"
import * as Limit from "./Limit.js"
import * as Models from "./Models.js"
import * as OpenAi from "./OpenAiWire.js"
import * as Reply from "./Reply.js"
import * as Seed from "./Seed.js"
import * as Wire from "./Wire.js"

/**
 * The wire, with `further` models besides its own.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (further: ReadonlyArray<string>): Wire.Wire => {
  const models = [...catalogue, ...Models.simulated(further).filter((model) => model.kind !== "embedding")]
  return {
    name: "anthropic",
    baseUrl: "/anthropic",
    variables: { baseUrl: "ANTHROPIC_BASE_URL", key: "ANTHROPIC_API_KEY" },
    keyed: true,
    daily: false,
    demandsJson: false,
    retryAfter: "seconds",
    credential: (headers) => headers["x-api-key"] ?? OpenAi.bearer(headers),
    headers,
    refuse,
    streamError: (_, id) => event(id, { type: "error", error: { type: "overloaded_error", message: "Overloaded" }, request_id: requestId(id) }),
    routes: [
      { method: "POST", path: "/v1/messages", metered: true, answer: messages(models) },
      { method: "POST", path: "/v1/messages/count_tokens", answer: countTokens(models) },
      { method: "GET", path: "/v1/models", answer: (call) => versioned(call, () => Either.right(Wire.free(page(models, call.query)))) },
      {
        method: "GET",
        path: "/v1/models/*",
        answer: (call) =>
          versioned(call, () => {
            const found = Wire.find(models, call.rest)
            return found === undefined ? Either.left(Wire.Failure.NoModel({ model: call.rest })) : Either.right(Wire.free(described(found)))
          })
      }
    ]
  }
}

const catalogue = [
  Models.make("claude-sonnet-5-5", { title: "Claude Sonnet 5.5", created: 1_790_000_000, context: 200_000 }),
  Models.make("claude-haiku-5-5", { title: "Claude Haiku 5.5", created: 1_790_000_000, context: 200_000 }),
  Models.make("claude-sonnet-4-5", { snapshot: "claude-sonnet-4-5-20250929", title: "Claude Sonnet 4.5", created: 1_759_104_000, context: 200_000 }),
  Models.make("claude-haiku-4-5", { snapshot: "claude-haiku-4-5-20251001", title: "Claude Haiku 4.5", created: 1_760_486_400, context: 200_000 }),
  Models.make("claude-opus-4-6", { title: "Claude Opus 4.6", created: 1_770_249_600, context: 200_000 })
]

const described = (model: Models.Model) => ({
  type: "model",
  id: model.snapshot,
  display_name: model.title,
  created_at: new Date(model.created * 1000).toISOString().replace(".000", ""),
  max_input_tokens: model.context,
  max_tokens: Request.maxTokens,
  lifecycle: "active",
  line: null,
  capabilities: null,
  deprecated_at: null,
  retires_at: null
})

const page = (models: ReadonlyArray<Models.Model>, query: URLSearchParams) => {
  const position = (cursor: string | null) => models.findIndex((model) => model.snapshot === cursor)
  const size = Math.min(1000, Math.max(1, Number(query.get("limit") ?? 20) || 20))
  const before = position(query.get("before_id"))
  const from = before >= 0 ? Math.max(0, before - size) : position(query.get("after_id")) + 1
  const to = before >= 0 ? before : from + size
  const data = models.slice(from, to).map(described)
  return { data, has_more: before >= 0 ? from > 0 : to < models.length, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null }
}

// The version comes first: without it the service looks at nothing else.
const versioned = (
  call: Wire.Call,
  then: (version: string) => Either.Either<Wire.Answer, Wire.Failure>
): Either.Either<Wire.Answer, Wire.Failure> => {
  const version = call.headers["anthropic-version"]
  if (version === undefined) return Either.left(Wire.Failure.Rejected({ message: "anthropic-version: header is required" }))
  return Request.versions.includes(version)
    ? then(version)
    : Either.left(Wire.Failure.Rejected({ message: `anthropic-version: "${version}" is not a valid version` }))
}

const asked = (models: ReadonlyArray<Models.Model>, call: Wire.Call, use: Request.Use) =>
(
  then: (body: Fields.Json, model: Models.Model) => Either.Either<Wire.Answer, Wire.Failure>
): Either.Either<Wire.Answer, Wire.Failure> =>
  versioned(call, (version) => {
    const body: Fields.Json = Fields.isJson(call.body) ? call.body : {}
    const violation = Request.check(body, use, version)
    if (violation !== undefined) return Either.left(Wire.Failure.Invalid({ violation, body }))
    const name = Fields.stringOf(body["model"])
    const model = Wire.find(models, name)
    if (model === undefined) return Either.left(Wire.Failure.NoModel({ model: name }))
    const broken = Rules.broken(body, version, call.seed)
    return broken === undefined ? then(body, model) : Either.left(Wire.Failure.Rejected({ message: broken }))
  })

const countTokens = (models: ReadonlyArray<Models.Model>) => (call: Wire.Call) =>
  asked(models, call, "count")((body, model) =>
    Either.right(Wire.free({ input_tokens: Reply.input(Conversation.from(body, model, call.answerTokens)) }))
  )

const messages = (models: ReadonlyArray<Models.Model>) => (call: Wire.Call) =>
  asked(models, call, "message")((body, model) => {
    const reply = Reply.to(Conversation.from(body, model, call.answerTokens))
    return Either.right({
      input: reply.usage.input,
      output: reply.usage.output,
      render: () => body["stream"] === true ? streamed(call, model, reply) : Wire.json(message(call, model, reply))
    })
  })

const stopReasons: { readonly [F in Reply.Reply["finish"]]: string } = { stop: "end_turn", length: "max_tokens", tools: "tool_use" }

const ending = (reply: Reply.Reply) => ({
  stop_reason: reply.stopped === undefined ? stopReasons[reply.finish] : "stop_sequence",
  stop_sequence: reply.stopped ?? null
})

// The members that only the newer version has.
const newer = (call: Wire.Call, members: Fields.Json): Fields.Json => call.headers["anthropic-version"] === Request.newest ? members : {}

const newerMessage = { container: null, diagnostics: null, stop_details: null }
const newerDelta = { container: null, stop_details: null }
const newerToolUse = { caller: { type: "direct" } }

const usage = (input: number, output: number) => ({
  input_tokens: input,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
  output_tokens: output,
  service_tier: "standard",
  inference_geo: "not_available"
})

const message = (call: Wire.Call, model: Models.Model, reply: Reply.Reply) => ({
  model: model.snapshot,
  id: messageId(call.id),
  type: "message",
  role: "assistant",
  content: [
    ...(reply.reasoning.length > 0
      ? [{ type: "thinking", thinking: reply.reasoning.join(""), signature: Rules.signature(reply.reasoning.join(""), call.seed) }]
      : []),
    ...(reply.text.length > 0 ? [{ type: "text", text: reply.text.join("") }] : []),
    ...reply.calls.map((one, index) => ({ type: "tool_use", id: toolUseId(call.id, index), name: one.name, input: parsed(one.fragments.join("")), ...newer(call, newerToolUse) }))
  ],
  ...ending(reply),
  ...newer(call, newerMessage),
  usage: usage(reply.usage.input, reply.usage.output)
})

// Arguments that were cut off by max_tokens are no JSON; the service then shows none.
const parsed = (json: string): unknown => Either.getOrElse(Either.try((): unknown => JSON.parse(json)), () => ({}))

const messageId = (id: number): string => `msg_01${Seed.identifier(id, 22)}`
const toolUseId = (id: number, index: number): string => `toolu_01${Seed.identifier(Seed.at(id, index), 22)}`
const requestId = (id: number): string => `req_011C${Seed.identifier(Seed.at(id, 99), 20)}`

// The service pads each event with blanks before the brace that ends it or after; a parser must not mind.
const event = (id: number, data: Fields.Json & { readonly type: string }): string =>
  `event: ${data.type}\ndata: ${JSON.stringify(data)}${" ".repeat(Seed.of(id + data.type.length) & 15)}\n\n`

const streamed = (call: Wire.Call, model: Models.Model, reply: Reply.Reply): Wire.Body => {
  let events = 0
  const write = (data: Fields.Json & { readonly type: string }) => event(Seed.at(call.id, events++), data)
  const ping = "event: ping\ndata: {\"type\": \"ping\"}\n\n"
  const tokens: Array<string> = []
  let index = 0
  // What begins or ends a block comes with the token that follows or precedes it.
  const block = (start: Fields.Json, deltas: ReadonlyArray<Fields.Json>, last: ReadonlyArray<Fields.Json> = []) => {
    const position = index++
    const written = deltas.map((delta) => write({ type: "content_block_delta", index: position, delta }))
    const ended = [
      ...last.map((delta) => write({ type: "content_block_delta", index: position, delta })),
      write({ type: "content_block_stop", index: position })
    ].join("")
    const started = write({ type: "content_block_start", index: position, content_block: start }) + (position === 0 ? ping : "")
    const only = written.length === 0 ? [""] : written
    tokens.push(...only.map((one, at) => `${at === 0 ? started : ""}${one}${at === only.length - 1 ? ended : ""}`))
  }
  if (reply.reasoning.length > 0) {
    block(
      { type: "thinking", thinking: "", signature: "" },
      reply.reasoning.map((thinking) => ({ type: "thinking_delta", thinking })),
      [{ type: "signature_delta", signature: Rules.signature(reply.reasoning.join(""), call.seed) }]
    )
  }
  if (reply.text.length > 0 || (reply.calls.length === 0 && reply.reasoning.length === 0)) {
    block({ type: "text", text: "" }, reply.text.map((text) => ({ type: "text_delta", text })))
  }
  for (const [position, { fragments, name }] of reply.calls.entries()) {
    // An empty object is sent as no fragment at all but the empty one that every tool call begins with.
    const shown = fragments.join("") === "{}" ? [] : fragments
    block(
      { type: "tool_use", id: toolUseId(call.id, position), name, input: {}, ...newer(call, newerToolUse) },
      ["", ...shown].map((partial_json) => ({ type: "input_json_delta", partial_json }))
    )
  }
  const { cache_creation: _, inference_geo: __, service_tier: ___, ...counts } = usage(reply.usage.input, reply.usage.output)
  return {
    _tag: "Frames",
    contentType: "text/event-stream; charset=utf-8",
    opening: write({
      type: "message_start",
      message: {
        model: model.snapshot,
        id: messageId(call.id),
        type: "message",
        role: "assistant",
        content: [],
        stop_reason: null,
        stop_sequence: null,
        ...newer(call, newerMessage),
        usage: usage(reply.usage.input, 1)
      }
    }),
    tokens,
    closing: write({ type: "message_delta", delta: { ...ending(reply), ...newer(call, newerDelta) }, usage: counts }) + write({ type: "message_stop" })
  }
}

const headers = ({ id, now, requests, tokens }: Wire.Answered): { readonly [name: string]: string } => ({
  "request-id": requestId(id),
  "anthropic-organization-id": "00000000-0000-4000-8000-000000000000",
  ...limitHeaders("requests", requests, now),
  ...limitHeaders("tokens", tokens, now),
  ...limitHeaders("input-tokens", tokens, now),
  ...limitHeaders("output-tokens", tokens, now)
})

const limitHeaders = (of: string, limit: Limit.Limit | undefined, now: number) =>
  limit === undefined ? {} : {
    [`anthropic-ratelimit-${of}-limit`]: limit.amount.toString(),
    [`anthropic-ratelimit-${of}-remaining`]: Limit.remaining(limit, now).toString(),
    [`anthropic-ratelimit-${of}-reset`]: instant(now + Limit.fullIn(limit, now))
  }

// RFC 3339 to the second, and not before the limit is whole.
const instant = (millis: number): string => new Date(Math.ceil(millis / 1000) * 1000).toISOString().replace(".000", "")

const refusal = (status: number, type: string, message: (call: Wire.Refused) => string, details?: Fields.Json) => (call: Wire.Refused): Wire.Refusal => ({
  status,
  content: JSON.stringify({ type: "error", error: { type, message: message(call), ...(details === undefined ? {} : { details }) }, request_id: requestId(call.id) })
})

const invalid = (message: string, status = 400) => refusal(status, "invalid_request_error", () => message)

const refuse: Wire.Wire["refuse"] = {
  NoRoute: (_, call) => refusal(404, "not_found_error", () => "Not Found")(call),
  WrongMethod: (_, call) => invalid("Method Not Allowed", 405)(call),
  NoKey: (_, call) => refusal(401, "authentication_error", () => "x-api-key header is required")(call),
  UnknownKey: (_, call) => refusal(401, "authentication_error", () => "invalid x-api-key")(call),
  KeyExhausted: (_, call) =>
    refusal(429, "rate_limit_error", () => "You have reached your specified API usage limits.", { error_code: "enforced_spend_limit_reached" })(call),
  NotJson: ({ reason }, call) => invalid(`The request body is not valid JSON: ${reason}`)(call),
  WrongContentType: ({ contentType }, call) => invalid(`content-type: ${contentType} is not supported`)(call),
  BodyTooLarge: (_, call) => refusal(413, "request_too_large", () => "Request exceeds the maximum size")(call),
  Invalid: ({ violation }, call) => invalid(Request.explained(violation))(call),
  Rejected: ({ message, status = 400 }, call) => invalid(message, status)(call),
  NoModel: ({ model }, call) => refusal(404, "not_found_error", () => `model: ${model}`)(call),
  RateLimited: ({ limit, of }, call) => ({
    ...refusal(429, "rate_limit_error", () => `This request would exceed your organization's rate limit of ${limit} ${of === "tokens" ? "tokens" : "requests"} per minute. Please try again later.`)(call),
    limits: true,
    waits: true
  }),
  TooManyTokens: ({ limit }, call) => ({
    ...refusal(429, "rate_limit_error", () => `This request would exceed your organization's rate limit of ${limit} tokens per minute, also when nothing else is asked. Reduce its size.`)(call),
    limits: true
  }),
  ServerError: (_, call) => refusal(500, "api_error", () => "Internal server error")(call),
  Overloaded: (_, call) => refusal(529, "overloaded_error", () => "Overloaded")(call)
}
