import * as Ollama from "@spillway/providers/Ollama"
import * as Conformance from "@spillway/testing/Conformance"
import * as RecordedHttp from "@spillway/testing/RecordedHttp"
import { ndjson } from "./examples.js"
import { messages, posted, weather } from "./openAiChat.js"

const model = "llama3.2"

const line = (message: object, last: object = { done: false }) => ({
  model,
  created_at: "2026-11-24T10:52:17.616539758Z",
  message: { role: "assistant", content: "", ...message },
  ...last
})

const done = (done_reason?: string) => ({
  done: true,
  ...(done_reason !== undefined && { done_reason }),
  total_duration: 15820943,
  prompt_eval_count: 10,
  eval_count: 4
})

const answer = (message: object, reason?: string) => RecordedHttp.json(line(message, done(reason)))

const lines = (...lines: ReadonlyArray<object>) => {
  const body = lines.map(ndjson).join("")
  return { ...RecordedHttp.text("application/x-ndjson", body), body }
}

const call = { function: { name: "get_weather", arguments: { city: "Oslo" } } }

const refusal = (status: number, error: string) => RecordedHttp.json({ error }, { status })

const sent = (body: object) => posted("/api/chat", body)

Conformance.suite({
  backend: "ollama",
  layer: Ollama.layer,
  model,
  toolChoice: "auto",
  recordings: {
    chat: {
      answer: answer({ content: "Hello there!" }, "stop"),
      text: "Hello there!",
      usage: { inputTokens: 10, outputTokens: 4 },
      sent: sent({
        model,
        stream: false,
        options: { num_predict: 64 },
        messages: messages.chat
      })
    },
    stream: {
      framing: "ndjson",
      answer: lines(line({ content: "Grüße, " }), line({ content: "🌊!" }), line({}, done("stop"))),
      text: "Grüße, 🌊!",
      usage: { inputTokens: 10, outputTokens: 4 },
      endMarker: "\"eval_count\":4}",
      unknownFrames: ["{\"status\":\"warming up\"}", "  "],
      sent: sent({ model, stream: true })
    },
    toolCall: {
      answer: answer({ tool_calls: [call] }, "stop"),
      streamed: lines(line({ tool_calls: [call] }), line({}, done("stop"))),
      name: "get_weather",
      arguments: { city: "Oslo" },
      sent: sent({ tools: [weather] })
    },
    toolRoundTrip: {
      sent: sent({
        messages: [
          { role: "user", content: "How is the weather in Oslo?" },
          { role: "assistant", content: "Let me look.", tool_calls: [{ id: "call_1", ...call }] },
          { role: "tool", content: "{\"sky\":\"clear\"}", tool_name: "get_weather", tool_call_id: "call_1" }
        ],
        tools: [weather]
      })
    },
    structured: {
      answer: answer({ content: "{\"name\":\"Ada\",\"age\":36}" }, "stop"),
      value: { name: "Ada", age: 36 },
      sent: sent({ format: { type: "object", required: ["name", "age"] } })
    },
    image: { sent: sent({ messages: [{ role: "user", content: "What is this?", images: [Conformance.picture] }] }) },
    embeddings: {
      answer: RecordedHttp.json({ model, embeddings: [[0.25, 0.5], [1, 2]], prompt_eval_count: 8 }),
      vectors: [[0.25, 0.5], [1, 2]],
      usage: { inputTokens: 8 },
      sent: { method: "POST", path: "/api/embed", body: { model, input: ["first", "second"] } }
    },
    models: {
      answer: RecordedHttp.json({ models: [{ name: "a:latest", model: "a:latest" }, { name: "b:1b", model: "b:1b" }] }),
      ids: ["a:latest", "b:1b"],
      sent: { method: "GET", path: "/api/tags" }
    },
    finishReasons: {
      stop: answer({ content: "x" }),
      length: answer({ content: "x" }, "length"),
      "tool-calls": answer({ tool_calls: [call] }, "stop"),
      other: answer({}, "load")
    },
    empty: answer({}, "stop"),
    errors: [
      { title: "a wrong key", answer: refusal(401, `unauthorized: ${Conformance.key}`), error: "AuthenticationFailed" },
      { title: "a model that is not there", answer: refusal(404, "model 'x' not found"), error: "ModelNotFound" },
      {
        title: "a path that is not there",
        answer: RecordedHttp.text("text/plain", "404 page not found", { status: 404 }),
        error: "MalformedResponse"
      },
      { title: "a wrong request", answer: refusal(400, "x does not support tools"), error: "InvalidRequest" },
      {
        title: "a wrong option (a 500)",
        answer: refusal(500, "option \"num_predict\" must be of type integer"),
        error: "InvalidRequest"
      },
      { title: "too many requests", answer: refusal(429, "too many requests"), error: "RateLimited" },
      {
        title: "a full queue",
        answer: refusal(503, "server busy, please try again.  maximum pending requests exceeded"),
        error: "ServerFault"
      },
      { title: "a fault", answer: refusal(500, "llama runner process has terminated"), error: "ServerFault" }
    ],
    rateLimited: refusal(429, "too many requests"),
    streamErrors: [
      {
        title: "a runner that died, after some text",
        answer: lines(
          line({ content: "He" }),
          { error: "an error was encountered while running the model: unexpected EOF" }
        ),
        error: "ServerFault"
      },
      {
        title: "a wrong option, at once",
        answer: lines({ error: "option \"stop\" must be of an array of strings" }),
        error: "InvalidRequest"
      }
    ]
  }
})
