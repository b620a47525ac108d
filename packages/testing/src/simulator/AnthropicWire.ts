/**
 * Anthropic's API: messages, token counts, models; versions 2023-06-01 and 2026-10-21.
 *
 * @see https://docs.claude.com/en/api/messages
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Conversation from "./AnthropicConversation.js"
import * as Message from "./AnthropicMessage.js"
import * as Refusal from "./AnthropicRefusal.js"
import * as Request from "./AnthropicRequest.js"
import * as Rules from "./AnthropicRules.js"
import * as Fields from "./Fields.js"
import * as Limit from "./Limit.js"
import * as Models from "./Models.js"
import * as OpenAi from "./OpenAiWire.js"
import * as Reply from "./Reply.js"
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
    refuse: Refusal.refuse,
    streamError: (_, id) =>
      Message.event(id, {
        type: "error",
        error: { type: "overloaded_error", message: "Overloaded" },
        request_id: Refusal.requestId(id)
      }),
    routes: [
      { method: "POST", path: "/v1/messages", metered: true, answer: messages(models) },
      { method: "POST", path: "/v1/messages/count_tokens", answer: countTokens(models) },
      {
        method: "GET",
        path: "/v1/models",
        answer: (call) => versioned(call, () => Either.right(Wire.free(page(models, call.query))))
      },
      {
        method: "GET",
        path: "/v1/models/*",
        answer: (call) =>
          versioned(call, () => {
            const found = Wire.find(models, call.rest)
            return found === undefined
              ? Either.left(Wire.Failure.NoModel({ model: call.rest }))
              : Either.right(Wire.free(described(found)))
          })
      }
    ]
  }
}

const catalogue = [
  Models.make("claude-sonnet-5-5", { title: "Claude Sonnet 5.5", created: 1_790_000_000, context: 200_000 }),
  Models.make("claude-haiku-5-5", { title: "Claude Haiku 5.5", created: 1_790_000_000, context: 200_000 }),
  Models.make("claude-sonnet-4-5", {
    snapshot: "claude-sonnet-4-5-20250929",
    title: "Claude Sonnet 4.5",
    created: 1_759_104_000,
    context: 200_000
  }),
  Models.make("claude-haiku-4-5", {
    snapshot: "claude-haiku-4-5-20251001",
    title: "Claude Haiku 4.5",
    created: 1_760_486_400,
    context: 200_000
  }),
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
  return {
    data,
    has_more: before >= 0 ? from > 0 : to < models.length,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null
  }
}

// The version comes first: without it the service looks at nothing else.
const versioned = (
  call: Wire.Call,
  then: (version: string) => Either.Either<Wire.Answer, Wire.Failure>
): Either.Either<Wire.Answer, Wire.Failure> => {
  const version = call.headers["anthropic-version"]
  if (version === undefined) {
    return Either.left(Wire.Failure.Rejected({ message: "anthropic-version: header is required" }))
  }
  return Request.versions.includes(version)
    ? then(version)
    : Either.left(Wire.Failure.Rejected({ message: `anthropic-version: "${version}" is not a valid version` }))
}

const asked =
  (models: ReadonlyArray<Models.Model>, call: Wire.Call, use: Request.Use) =>
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
  asked(
    models,
    call,
    "count"
  )((body, model) =>
    Either.right(Wire.free({ input_tokens: Reply.input(Conversation.from(body, model, call.answerTokens)) }))
  )

const messages = (models: ReadonlyArray<Models.Model>) => (call: Wire.Call) =>
  asked(
    models,
    call,
    "message"
  )((body, model) => {
    const reply = Reply.to(Conversation.from(body, model, call.answerTokens))
    return Either.right({
      input: reply.usage.input,
      output: reply.usage.output,
      render: () =>
        body["stream"] === true ? Message.streamed(call, model, reply) : Wire.json(Message.whole(call, model, reply))
    })
  })

const headers = ({ id, now, requests, tokens }: Wire.Answered): { readonly [name: string]: string } => ({
  "request-id": Refusal.requestId(id),
  "anthropic-organization-id": "00000000-0000-4000-8000-000000000000",
  ...limitHeaders("requests", requests, now),
  ...limitHeaders("tokens", tokens, now),
  ...limitHeaders("input-tokens", tokens, now),
  ...limitHeaders("output-tokens", tokens, now)
})

const limitHeaders = (of: string, limit: Limit.Limit | undefined, now: number) =>
  limit === undefined
    ? {}
    : {
        [`anthropic-ratelimit-${of}-limit`]: limit.amount.toString(),
        [`anthropic-ratelimit-${of}-remaining`]: Limit.remaining(limit, now).toString(),
        [`anthropic-ratelimit-${of}-reset`]: instant(now + Limit.fullIn(limit, now))
      }

// RFC 3339 to the second, and not before the limit is whole.
const instant = (millis: number): string => new Date(Math.ceil(millis / 1000) * 1000).toISOString().replace(".000", "")
