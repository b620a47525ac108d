import * as Vllm from "@spillway/providers/Vllm"
import * as Conformance from "@spillway/testing/Conformance"
import * as RecordedHttp from "@spillway/testing/RecordedHttp"
import { messages, posted, sse, weather } from "./openAiChat.js"

const model = "Qwen/Qwen3-0.6B"

const id = "chatcmpl-9f8c1b0c6a5e4d7f8a9b0c1d2e3f4a5b"

const usage = { prompt_tokens: 10, total_tokens: 14, completion_tokens: 4, prompt_tokens_details: null }

const answer = (message: object, finish_reason = "stop") =>
  RecordedHttp.json({
    id,
    object: "chat.completion",
    created: 1764068000,
    model,
    choices: [{
      index: 0,
      message: {
        role: "assistant",
        content: null,
        refusal: null,
        annotations: null,
        audio: null,
        function_call: null,
        tool_calls: [],
        reasoning: null,
        ...message
      },
      logprobs: null,
      finish_reason,
      stop_reason: null,
      token_ids: null
    }],
    service_tier: null,
    system_fingerprint: null,
    usage,
    prompt_logprobs: null,
    prompt_token_ids: null,
    kv_transfer_params: null
  })

const chunk = (delta: object, finish_reason: string | null = null) => ({
  id,
  object: "chat.completion.chunk",
  created: 1764068000,
  model,
  choices: [{ index: 0, delta, logprobs: null, finish_reason, token_ids: null }]
})

const call = {
  id: "chatcmpl-tool-3b1c",
  type: "function",
  function: { name: "get_weather", arguments: "{\"city\": \"Oslo\"}" }
}

const refusal = (status: number, type: string, message: string, param: string | null = null) =>
  RecordedHttp.json({ error: { message, type, param, code: status } }, { status })

const chat = (body: object) => posted("/v1/chat/completions", body)

const tooLong = "This model's maximum context length is 1024 tokens. However, you requested 1029 tokens."

Conformance.suite({
  backend: "vllm",
  layer: Vllm.layer,
  model,
  recordings: {
    chat: {
      answer: answer({ content: "Hello there!" }),
      text: "Hello there!",
      usage: { inputTokens: 10, outputTokens: 4 },
      sent: chat({
        model,
        max_tokens: 64,
        messages: messages.chat
      })
    },
    stream: {
      framing: "sse",
      answer: sse(
        chunk({ role: "assistant", content: "" }),
        chunk({ content: "Grüße, 🌊" }),
        chunk({ content: "!" }, "stop"),
        { ...chunk({}), choices: [], usage },
        "[DONE]"
      ),
      text: "Grüße, 🌊!",
      usage: { inputTokens: 10, outputTokens: 4 },
      endMarker: "[DONE]",
      unknownFrames: ["event: metrics\ndata: {\"busy\":1}"],
      sent: chat({ model, stream: true, stream_options: { include_usage: true } })
    },
    toolCall: {
      answer: answer({ tool_calls: [call] }, "tool_calls"),
      streamed: sse(
        chunk({ role: "assistant", content: "" }),
        chunk({ tool_calls: [{ ...call, index: 0, function: { name: "get_weather", arguments: "" } }] }),
        chunk({ tool_calls: [{ index: 0, function: { arguments: "{\"city\": \"Os" } }] }),
        chunk({ tool_calls: [{ index: 0, function: { arguments: "lo\"}" } }] }, "tool_calls"),
        "[DONE]"
      ),
      name: "get_weather",
      arguments: { city: "Oslo" },
      sent: chat({
        tools: [weather],
        tool_choice: "required"
      })
    },
    toolRoundTrip: {
      sent: chat({
        messages: messages.toolRoundTrip()
      })
    },
    structured: {
      answer: answer({ content: "{\"name\": \"Ada\", \"age\": 36}" }),
      value: { name: "Ada", age: 36 },
      sent: chat({ response_format: { type: "json_schema", json_schema: { name: "person", strict: true } } })
    },
    image: {
      sent: chat({
        messages: messages.image
      })
    },
    embeddings: {
      answer: RecordedHttp.json({
        id: "embd-1",
        object: "list",
        created: 1764068000,
        model,
        data: [
          { index: 1, object: "embedding", embedding: [1, 2] },
          { index: 0, object: "embedding", embedding: [0.25, 0.5] }
        ],
        usage: { prompt_tokens: 8, total_tokens: 8, completion_tokens: 0, prompt_tokens_details: null }
      }),
      vectors: [[0.25, 0.5], [1, 2]],
      usage: { inputTokens: 8, outputTokens: 0 },
      sent: posted("/v1/embeddings", { model, input: ["first", "second"], encoding_format: "float" })
    },
    models: {
      answer: RecordedHttp.json({
        object: "list",
        data: [
          { id: model, object: "model", owned_by: "vllm", root: model, parent: null, max_model_len: 4096 },
          { id: "sql", object: "model", owned_by: "vllm", root: "/adapters/sql", parent: model, max_model_len: null }
        ]
      }),
      ids: [model, "sql"],
      sent: { method: "GET", path: "/v1/models" }
    },
    finishReasons: {
      stop: answer({ content: "x" }),
      length: answer({ content: "x" }, "length"),
      "tool-calls": answer({ tool_calls: [call] }, "tool_calls"),
      other: answer({ content: "x" }, "abort")
    },
    empty: answer({ content: "" }),
    errors: [
      {
        title: "a wrong key",
        answer: RecordedHttp.json({ error: "Unauthorized", hint: Conformance.key }, { status: 401 }),
        error: "AuthenticationFailed"
      },
      {
        title: "a model that is not there",
        answer: refusal(404, "NotFoundError", `The model \`x\` does not exist. ${Conformance.key}`, "model"),
        error: "ModelNotFound"
      },
      { title: "a prompt that is too long", answer: refusal(400, "BadRequestError", tooLong), error: "InvalidRequest" },
      {
        title: "a field of the wrong kind",
        answer: refusal(400, "Bad Request", "1 validation error: …", "body.messages"),
        error: "InvalidRequest"
      },
      {
        title: "a wrong field, flat as older servers say it",
        answer: RecordedHttp.json(
          { object: "error", message: "top_p must be in (0, 1].", type: "BadRequestError", param: null, code: 400 },
          { status: 400 }
        ),
        error: "InvalidRequest"
      },
      {
        title: "tools for a server that was not started for them",
        answer: refusal(400, "BadRequestError", "\"auto\" tool choice requires --enable-auto-tool-choice to be set"),
        error: "Unsupported"
      },
      {
        title: "a model that does something else",
        answer: refusal(400, "BadRequestError", "The model does not support Chat Completions API"),
        error: "Unsupported"
      },
      { title: "a route that is not there", answer: refusal(404, "Not Found", "Not Found"), error: "Unsupported" },
      {
        title: "what is not implemented",
        answer: refusal(501, "NotImplementedError", "Tool usage is not supported"),
        error: "Unsupported"
      },
      {
        title: "a dead engine",
        answer: refusal(500, "InternalServerError", "EngineCore encountered an issue."),
        error: "ServerFault"
      },
      { title: "a server that is going down", answer: { status: 503 }, error: "ServerFault" }
    ],
    rateLimited: RecordedHttp.json({ detail: "Too many requests" }, { status: 429 }),
    streamErrors: [
      {
        title: "an error of the engine, after some text, and an end marker all the same",
        answer: sse(
          chunk({ role: "assistant", content: "He" }),
          { error: { message: "EngineCore has an issue.", type: "InternalServerError", param: null, code: 500 } },
          "[DONE]"
        ),
        error: "ServerFault"
      },
      {
        title: "a request that turns out wrong, flat as older servers say it",
        answer: sse({ object: "error", message: tooLong, type: "BadRequestError", param: null, code: 400 }, "[DONE]"),
        error: "InvalidRequest"
      }
    ]
  }
})
