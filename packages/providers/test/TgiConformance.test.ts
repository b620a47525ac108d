import * as Tgi from "@spillway/providers/Tgi"
import * as Conformance from "@spillway/testing/Conformance"
import * as RecordedHttp from "@spillway/testing/RecordedHttp"
import { messages, posted, weather } from "./openAiChat.js"

const model = "tgi"

// as version 3.3 writes them: no id, its own fingerprint, null for what is not there
const completion = (message: object, finish_reason: string) =>
  RecordedHttp.json({
    object: "chat.completion",
    id: "",
    created: 1732525803,
    model: "HuggingFaceTB/SmolLM2-1.7B-Instruct",
    system_fingerprint: "3.3.6-dev0-native",
    choices: [{ index: 0, message: { role: "assistant", ...message }, logprobs: null, finish_reason }],
    usage: { prompt_tokens: 10, completion_tokens: 4, total_tokens: 14 }
  })

const chunk = (choices: ReadonlyArray<object>, usage: object | null = null) => ({
  object: "chat.completion.chunk",
  id: "",
  created: 1732525803,
  model: "HuggingFaceTB/SmolLM2-1.7B-Instruct",
  system_fingerprint: "3.3.6-dev0-native",
  choices,
  usage
})

const piece = (delta: object, finish_reason: string | null = null) =>
  chunk([{ index: 0, delta: { role: "assistant", ...delta }, logprobs: null, finish_reason }])

const used = chunk([], { prompt_tokens: 10, completion_tokens: 4, total_tokens: 14 })

const events = (...events: ReadonlyArray<object | string>) =>
  RecordedHttp.text(
    "text/event-stream",
    events.map((event) => `data:${typeof event === "string" ? event : JSON.stringify(event)}\n\n`).join("")
  )

const call = (name: string | null, args: string) => ({
  tool_calls: [{ index: 0, id: "0", type: "function", function: { name, arguments: args } }]
})

const refusal = (status: number, error: string, error_type: string) =>
  RecordedHttp.json({ error, error_type }, { status })

const broken = (message: string) => ({ error: { message, http_status_code: 422 } })

const sent = (body: object) => posted("/v1/chat/completions", body)

Conformance.suite({
  backend: "tgi",
  layer: Tgi.layer,
  model,
  recordings: {
    chat: {
      answer: completion({ content: "Hello there!" }, "stop"),
      text: "Hello there!",
      usage: { inputTokens: 10, outputTokens: 4 },
      sent: sent({
        model,
        max_tokens: 64,
        messages: messages.chat
      })
    },
    stream: {
      framing: "sse",
      answer: events(piece({ content: "Grüße, " }), piece({ content: "🌊!" }), piece({ content: "" }, "stop"), used, "[DONE]"),
      text: "Grüße, 🌊!",
      usage: { inputTokens: 10, outputTokens: 4 },
      endMarker: "[DONE]",
      unknownFrames: [":", "event: warming\ndata:{}", "data:{\"unknown\":[]}"],
      sent: sent({ stream: true, stream_options: { include_usage: true } })
    },
    toolCall: {
      answer: completion({
        tool_calls: [{
          id: "0",
          type: "function",
          function: { description: null, name: "get_weather", arguments: "{\"city\":\"Oslo\"}" }
        }]
      }, "stop"),
      // no reason to end is told: the last token of a call is not one of the text
      streamed: events(
        piece(call("get_weather", "{")),
        piece(call(null, "\"city\"")),
        piece(call(null, ":\"Os")),
        piece(call(null, "lo\"}")),
        used,
        "[DONE]"
      ),
      name: "get_weather",
      arguments: { city: "Oslo" },
      sent: sent({ tools: [weather], tool_choice: "required" })
    },
    toolRoundTrip: {
      sent: sent({
        messages: messages.toolRoundTrip(null),
        tools: [weather]
      })
    },
    structured: {
      answer: completion({ content: "{ \"name\": \"Ada\", \"age\": 36 }" }, "stop"),
      value: { name: "Ada", age: 36 },
      sent: sent({ response_format: { type: "json", value: { type: "object", required: ["name", "age"] } } })
    },
    image: {
      sent: sent({
        messages: messages.image
      })
    },
    models: {
      answer: RecordedHttp.json({ model_id: "HuggingFaceTB/SmolLM2-1.7B-Instruct", max_total_tokens: 8192 }),
      ids: ["HuggingFaceTB/SmolLM2-1.7B-Instruct"],
      sent: { method: "GET", path: "/info" }
    },
    finishReasons: {
      stop: completion({ content: "x" }, "stop_sequence"),
      length: completion({ content: "x" }, "length"),
      "tool-calls": completion({
        tool_calls: [{ id: "0", type: "function", function: { name: "get_weather", arguments: "{}" } }]
      }, "stop"),
      other: completion({ content: "x" }, "a_new_reason")
    },
    empty: completion({ content: "" }, "stop"),
    errors: [
      { title: "a wrong key (no body)", answer: { status: 401 }, error: "AuthenticationFailed" },
      {
        title: "a wrong key, repeated by a proxy",
        answer: RecordedHttp.json({ error: `Invalid token ${Conformance.key}` }, { status: 401 }),
        error: "AuthenticationFailed"
      },
      {
        title: "a prompt that is too long",
        answer: refusal(
          422,
          "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 2048. Given: 2020 and 64",
          "validation"
        ),
        error: "InvalidRequest"
      },
      { title: "a template that fails", answer: refusal(422, "Template error: x", "template_error"), error: "InvalidRequest" },
      { title: "tools and a grammar", answer: refusal(422, "Tool error: x", "tool_error"), error: "InvalidRequest" },
      {
        title: "a body of another form",
        answer: RecordedHttp.text("text/plain", "Failed to deserialize the JSON body into the target type", { status: 422 }),
        error: "InvalidRequest"
      },
      { title: "too many requests", answer: refusal(429, "Model is overloaded", "overloaded"), error: "RateLimited" },
      {
        title: "a fault in generation",
        answer: refusal(424, "Request failed during generation: CUDA out of memory", "generation"),
        error: "ServerFault"
      },
      { title: "a fault in generation, without a word", answer: { status: 424 }, error: "ServerFault" },
      {
        title: "an end too early",
        answer: refusal(500, "Incomplete generation", "incomplete_generation"),
        error: "ServerFault"
      },
      { title: "a model that is not well", answer: refusal(503, "unhealthy", "healthcheck"), error: "ServerFault" },
      {
        title: "a path that is not there (no body)",
        answer: { status: 404 },
        error: "MalformedResponse"
      }
    ],
    rateLimited: refusal(429, "Model is overloaded", "overloaded"),
    // all of them say that they are a 422, and [DONE] comes after them
    streamErrors: [
      {
        title: "a fault",
        answer: events(
          piece({ content: "He" }),
          broken("Request failed during generation: Server error: CUDA error"),
          "[DONE]"
        ),
        error: "ServerFault"
      },
      { title: "an end too early", answer: events(piece({ content: "He" }), broken("Incomplete generation stream"), "[DONE]"), error: "ServerFault" },
      { title: "no room, at once", answer: events(broken("Model is overloaded"), "[DONE]"), error: "RateLimited" },
      {
        title: "a wrong request, at once",
        answer: events(broken("Input validation error: `top_p` must be > 0.0 and < 1.0"), "[DONE]"),
        error: "InvalidRequest"
      }
    ]
  }
})
