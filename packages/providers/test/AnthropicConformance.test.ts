import * as Anthropic from "@spillway/providers/Anthropic"
import * as Conformance from "@spillway/testing/Conformance"
import * as RecordedHttp from "@spillway/testing/RecordedHttp"
import { sse } from "./examples.js"

const model = "claude-sonnet-5"

const usage = { input_tokens: 10, cache_creation_input_tokens: 2, cache_read_input_tokens: 3, output_tokens: 4 }

const message = (content: ReadonlyArray<object>, stop_reason = "end_turn") =>
  RecordedHttp.json({
    id: "msg_1",
    type: "message",
    role: "assistant",
    model,
    content,
    stop_reason,
    stop_sequence: null,
    usage
  }, { headers: { "request-id": "req_1" } })

const text = (text: string) => ({ type: "text", text })

const call = { type: "tool_use", id: "toolu_1", name: "get_weather" }

const events = (...events: ReadonlyArray<object>) => {
  const body = events.map(sse).join("")
  return { ...RecordedHttp.text("text/event-stream; charset=utf-8", body), body }
}

const start = {
  type: "message_start",
  message: { id: "msg_1", model, content: [], usage: { ...usage, output_tokens: 1 } }
}

const block = (index: number, content_block: object, ...deltas: ReadonlyArray<object>) => [
  { type: "content_block_start", index, content_block },
  ...deltas.map((delta) => ({ type: "content_block_delta", index, delta })),
  { type: "content_block_stop", index }
]

const stop = (stop_reason: string) => [
  { type: "message_delta", delta: { stop_reason }, usage: { output_tokens: 4 } },
  { type: "message_stop" }
]

const refusal = (status: number, type: string, message: string) =>
  RecordedHttp.json({ type: "error", error: { type, message }, request_id: "req_1" }, { status })

const headers = { "x-api-key": Conformance.key, "anthropic-version": "2023-06-01" }

const sent = (body: object): Conformance.Sent => ({ method: "POST", path: "/v1/messages", headers, body })

const weather = {
  name: "get_weather",
  description: "The weather in a city, now",
  input_schema: Conformance.weather.parameters
}

Conformance.suite({
  backend: "anthropic",
  layer: Anthropic.layer,
  model,
  recordings: {
    chat: {
      answer: message([text("Hello "), text("there!")]),
      text: "Hello there!",
      usage: { inputTokens: 15, outputTokens: 4, cachedInputTokens: 3, cacheWriteTokens: 2 },
      sent: sent({
        model,
        max_tokens: 64,
        system: "Be brief.",
        messages: [{ role: "user", content: [text("Say hello.")] }]
      })
    },
    stream: {
      framing: "sse",
      answer: events(
        start,
        ...block(0, text(""), { type: "text_delta", text: "Grüße, " }, { type: "text_delta", text: "🌊!" }),
        ...stop("end_turn")
      ),
      text: "Grüße, 🌊!",
      usage: { inputTokens: 15, outputTokens: 4, cachedInputTokens: 3, cacheWriteTokens: 2 },
      endMarker: "{\"type\":\"message_stop\"}",
      unknownFrames: [
        "event: ping\ndata: {\"type\": \"ping\"}",
        "event: message_weighed\ndata: {\"type\":\"message_weighed\",\"grams\":3}   ",
        sse({ type: "content_block_delta", index: 9, delta: { type: "smell_delta" } }).trimEnd()
      ],
      sent: sent({ model, max_tokens: 64, stream: true })
    },
    toolCall: {
      answer: message([text("Let me look."), { ...call, input: { city: "Oslo" } }], "tool_use"),
      streamed: events(
        start,
        ...block(
          0,
          { ...call, input: {} },
          { type: "input_json_delta", partial_json: "" },
          { type: "input_json_delta", partial_json: "{\"city\"" },
          { type: "input_json_delta", partial_json: ": \"Oslo\"}" }
        ),
        ...stop("tool_use")
      ),
      name: "get_weather",
      arguments: { city: "Oslo" },
      sent: sent({ max_tokens: 4096, tools: [weather], tool_choice: { type: "any" } })
    },
    toolRoundTrip: {
      sent: sent({
        messages: [
          { role: "user", content: [text("How is the weather in Oslo?")] },
          {
            role: "assistant",
            content: [text("Let me look."), { ...call, id: "call_1", input: { city: "Oslo" } }]
          },
          { role: "user", content: [{ type: "tool_result", tool_use_id: "call_1", content: "{\"sky\":\"clear\"}" }] }
        ],
        tools: [weather]
      })
    },
    structured: {
      answer: message([text("{\"name\":\"Ada\",\"age\":36}")]),
      value: { name: "Ada", age: 36 },
      sent: sent({
        output_config: {
          format: { type: "json_schema", schema: { type: "object", additionalProperties: false } }
        }
      })
    },
    image: {
      sent: sent({
        messages: [{
          role: "user",
          content: [
            text("What is this?"),
            { type: "image", source: { type: "base64", media_type: "image/png", data: Conformance.picture } }
          ]
        }]
      })
    },
    models: {
      answer: RecordedHttp.json({
        data: [
          { type: "model", id: "claude-opus-5", display_name: "Claude Opus 5", created_at: "2026-05-01T00:00:00Z" },
          { type: "model", id: model, display_name: "Claude Sonnet 5", created_at: "2026-07-01T00:00:00Z" }
        ],
        has_more: false,
        first_id: "claude-opus-5",
        last_id: model
      }),
      ids: ["claude-opus-5", model],
      sent: { method: "GET", path: "/v1/models?limit=1000", headers }
    },
    finishReasons: {
      stop: message([text("x")], "stop_sequence"),
      length: message([text("x")], "max_tokens"),
      "tool-calls": message([{ ...call, input: {} }], "tool_use"),
      "content-filter": message([], "refusal"),
      other: message([], "pause_turn")
    },
    empty: message([]),
    errors: [
      {
        title: "a wrong key",
        answer: refusal(401, "authentication_error", `invalid x-api-key: ${Conformance.key}`),
        error: "AuthenticationFailed"
      },
      { title: "an absent model", answer: refusal(404, "not_found_error", "model: x"), error: "ModelNotFound" },
      { title: "a wrong request", answer: refusal(400, "invalid_request_error", "no"), error: "InvalidRequest" },
      {
        title: "no credit",
        answer: refusal(400, "invalid_request_error", "Your credit balance is too low to access the Anthropic API."),
        error: "QuotaExhausted"
      },
      { title: "an unpaid bill", answer: refusal(402, "billing_error", "pay"), error: "QuotaExhausted" },
      { title: "too many requests", answer: refusal(429, "rate_limit_error", "slow"), error: "RateLimited" },
      { title: "overload", answer: refusal(529, "overloaded_error", "Overloaded"), error: "ServerFault" },
      { title: "a fault", answer: refusal(500, "api_error", "Overloaded"), error: "ServerFault" }
    ],
    rateLimited: refusal(429, "rate_limit_error", "This request would exceed your account's rate limit."),
    streamErrors: [
      {
        title: "overload",
        answer: events(start, { type: "error", error: { type: "overloaded_error", message: "Overloaded" } }),
        error: "ServerFault"
      },
      {
        title: "a rate limit, after some text",
        answer: events(
          start,
          ...block(0, text(""), { type: "text_delta", text: "He" }),
          { type: "error", error: { type: "rate_limit_error", message: `too fast for ${Conformance.key}` } }
        ),
        error: "RateLimited"
      }
    ]
  }
})
