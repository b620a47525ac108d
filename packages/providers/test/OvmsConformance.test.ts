import * as Ovms from "@spillway/providers/Ovms"
import * as Conformance from "@spillway/testing/Conformance"
import * as RecordedHttp from "@spillway/testing/RecordedHttp"
import { messages, posted, sse } from "./openAiChat.js"

const model = "OpenVINO/Qwen3-8B-int4-ov"

const usage = { completion_tokens: 4, prompt_tokens: 10, total_tokens: 14 }

// it gives no id
const answer = (message: object, finish_reason = "stop") =>
  RecordedHttp.json({
    choices: [{ finish_reason, index: 0, logprobs: null, message: { content: "", role: "assistant", ...message } }],
    created: 1764068000,
    model,
    object: "chat.completion",
    usage
  })

const chunk = (delta: object, finish_reason: string | null = null) => ({
  choices: [{ index: 0, logprobs: null, delta, finish_reason }],
  created: 1764068000,
  model,
  object: "chat.completion.chunk",
  usage: null
})

const first = chunk({ role: "assistant", content: null })

const counted = { ...first, choices: [], usage }

const streamed = (...chunks: ReadonlyArray<object>) => sse(first, ...chunks, counted, "[DONE]")

/** A stream into whose midst this is written. */
const brokenOff = (error: string) => {
  const begun = sse(first, chunk({ content: "He" }))
  return { ...begun, body: begun.body + error }
}

const call = { id: "q3x9k2m1a", type: "function", function: { name: "get_weather", arguments: "{\"city\": \"Oslo\"}" } }

const graph = (status: string, why: string) =>
  `Mediapipe execution failed. MP status - ${status}: CalculatorGraph::Run() failed: \n` +
  `Calculator::Process() for node "LLMExecutor" failed: ${why}`

const refusal = (status: number, error: string) => RecordedHttp.json({ error }, { status })

const sent = (body: object, path = "/v3/chat/completions") => posted(path, body)

Conformance.suite({
  backend: "ovms",
  layer: Ovms.layer,
  model,
  recordings: {
    chat: {
      answer: answer({ content: "Hello there!" }),
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
      answer: streamed(chunk({ content: "Grüße, " }), chunk({ content: "🌊!" }, "stop")),
      text: "Grüße, 🌊!",
      usage: { inputTokens: 10, outputTokens: 4 },
      endMarker: "data: [DONE]",
      unknownFrames: [": still here\n\n", "event: news\ndata: {\"choices\":[]}\n\n", "id: 1\n\n"],
      sent: sent({ model, stream: true, stream_options: { include_usage: true } })
    },
    toolCall: {
      answer: answer({ tool_calls: [call] }, "tool_calls"),
      streamed: streamed(
        chunk({ tool_calls: [{ ...call, index: 0, function: { name: "get_weather" } }] }),
        chunk({ tool_calls: [{ index: 0, function: { arguments: "{\"city\": " } }] }),
        chunk({ tool_calls: [{ index: 0, function: { arguments: "\"Oslo\"}" } }] }),
        chunk({}, "tool_calls")
      ),
      name: "get_weather",
      arguments: { city: "Oslo" },
      sent: sent({ tool_choice: "required", tools: [{ type: "function", function: { name: "get_weather" } }] })
    },
    toolRoundTrip: {
      sent: sent({
        messages: messages.toolRoundTrip()
      })
    },
    structured: {
      answer: answer({ content: "{\"name\":\"Ada\",\"age\":36}" }),
      value: { name: "Ada", age: 36 },
      sent: sent({ response_format: { type: "json_schema", json_schema: { name: "person", strict: true } } })
    },
    image: {
      sent: sent({
        messages: messages.image
      })
    },
    embeddings: {
      answer: RecordedHttp.json({
        object: "list",
        data: [
          { object: "embedding", embedding: [1, 2], index: 1 },
          { object: "embedding", embedding: [0.25, 0.5], index: 0 }
        ],
        usage: { prompt_tokens: 8, total_tokens: 8 }
      }),
      vectors: [[0.25, 0.5], [1, 2]],
      usage: { inputTokens: 8 },
      sent: sent({ model, input: ["first", "second"], encoding_format: "base64" }, "/v3/embeddings")
    },
    models: {
      answer: RecordedHttp.json({
        data: ["resnet", model].map((id) => ({ id, object: "model", created: 1764068000, owned_by: "OVMS" })),
        object: "list"
      }),
      ids: ["resnet", model],
      sent: { method: "GET", path: "/v3/models" }
    },
    finishReasons: {
      stop: answer({ content: "x" }),
      length: answer({ content: "x" }, "length"),
      "tool-calls": answer({ tool_calls: [call] }, "tool_calls"),
      other: answer({ content: "x" }, "unknown")
    },
    empty: answer({}),
    errors: [
      {
        title: "a wrong key (a 500)",
        answer: refusal(500, `Unauthorized request due to invalid or missing api-key ${Conformance.key}`),
        error: "AuthenticationFailed"
      },
      {
        title: "a model that is not there",
        answer: refusal(404, "Mediapipe graph definition with requested name is not found"),
        error: "ModelNotFound"
      },
      { title: "a path that is not there", answer: refusal(400, "Invalid request URL"), error: "Unsupported" },
      { title: "a body that is no JSON", answer: refusal(412, "The file is not valid json"), error: "InvalidRequest" },
      {
        title: "a wrong request",
        answer: refusal(400, graph("INVALID_ARGUMENT", "temperature out of range(0.0, 2.0)")),
        error: "InvalidRequest"
      },
      {
        title: "a graph that broke (a 400)",
        answer: refusal(400, graph("INTERNAL", "out of memory")),
        error: "ServerFault"
      },
      { title: "a server that is not ready", answer: refusal(503, "Server is not ready"), error: "ServerFault" },
      { title: "a fault", answer: refusal(500, "Internal server error"), error: "ServerFault" }
    ],
    rateLimited: RecordedHttp.text("text/html", "<html>too many requests</html>", { status: 429 }),
    streamErrors: [
      {
        title: "bare JSON after some text",
        answer: brokenOff(`{"error": "gone"}`),
        error: "ServerFault"
      },
      {
        title: "bare JSON that nobody escaped, after some text",
        answer: brokenOff(`{"error": "${graph("INVALID_ARGUMENT", "a \"word\"")}; error"}`),
        error: "InvalidRequest"
      }
    ]
  }
})
