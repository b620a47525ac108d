import * as Opea from "@spillway/providers/Opea"
import * as Conformance from "@spillway/testing/Conformance"
import * as RecordedHttp from "@spillway/testing/RecordedHttp"
import { messages, posted } from "./openAiChat.js"

const model = "meta-llama/Meta-Llama-3-8B-Instruct"

const answer = (content: string, finish_reason = "stop") =>
  RecordedHttp.json({
    id: "chatcmpl-ML6oimVzQFmk5dgsAFDSKo",
    object: "chat.completion",
    created: 1743668853,
    model: "chatqna",
    choices: [{ index: 0, message: { role: "assistant", content }, finish_reason, metadata: null }],
    usage: { prompt_tokens: 0, total_tokens: 0, completion_tokens: 0 }
  })

const events = (...payloads: ReadonlyArray<string>) => {
  const body = payloads.map((payload) => `data: ${payload}\n\n`).join("")
  return { ...RecordedHttp.text("text/event-stream; charset=utf-8", body), body }
}

const refusal = (status: number, detail: unknown) => RecordedHttp.json({ detail }, { status })

const sent = (body: object) => posted("/v1/chatqna", body)

Conformance.suite({
  backend: "opea",
  layer: Opea.layer,
  model,
  recordings: {
    chat: {
      answer: answer("Hello there!"),
      text: "Hello there!",
      usage: {},
      sent: sent({
        model,
        stream: false,
        max_tokens: 64,
        messages: messages.chat
      })
    },
    stream: {
      framing: "sse",
      // a character cut in two between events, quotes of both kinds, escapes, and the model's own end of text
      answer: events(
        "b'Gr\\xc3'",
        "b'\\xbc\\xc3\\x9fe, '",
        "b\"it's\"",
        "b' \"\\'\\\\\\n'",
        "b'\\xf0\\x9f\\x8c\\x8a!'",
        "b'</s>'",
        "[DONE]"
      ),
      text: "Grüße, it's \"'\\\n🌊!",
      usage: {},
      endMarker: "[DONE]",
      unknownFrames: ["event: ping\ndata: {\"type\":\"ping\"}", "data: {\"ops\":[{\"op\":\"replace\",\"path\":\"\",\"value\":{}}]}"],
      sent: sent({ model, stream: true })
    },
    embeddings: {
      answer: RecordedHttp.json({
        object: "list",
        model: "BAAI/bge-base-en-v1.5",
        data: [
          { object: "embedding", index: 1, embedding: [1, 2] },
          { object: "embedding", index: 0, embedding: [0.25, 0.5] }
        ],
        usage: { prompt_tokens: 8, total_tokens: 8, completion_tokens: 0 }
      }),
      vectors: [[0.25, 0.5], [1, 2]],
      usage: { inputTokens: 8, outputTokens: 0 },
      sent: { method: "POST", path: "/v1/embeddings", body: { model, input: ["first", "second"] } }
    },
    finishReasons: { stop: answer("x"), length: answer("x", "length") },
    empty: answer(""),
    errors: [
      { title: "a gateway's wrong key", answer: refusal(401, `Invalid token ${Conformance.key}`), error: "AuthenticationFailed" },
      { title: "a path that is not there", answer: refusal(404, "Not Found"), error: "MalformedResponse" },
      {
        title: "a request without messages",
        answer: refusal(422, [{ loc: ["body", "messages"], msg: "Field required", type: "missing" }]),
        error: "InvalidRequest"
      },
      {
        title: "an exception",
        answer: RecordedHttp.text("text/plain; charset=utf-8", "Internal Server Error", { status: 500 }),
        error: "ServerFault"
      }
    ],
    rateLimited: refusal(429, "Too Many Requests"),
    streamErrors: [
      { title: "nothing but the end marker", answer: events("[DONE]"), error: "ServerFault" },
      {
        title: "an error of the model's server, passed on",
        answer: events("b'He'", JSON.stringify({ error: { message: "EngineCore died", type: "InternalServerError", code: 500 } })),
        error: "ServerFault"
      },
      { title: "an event that is no literal", answer: events("b'He'", "b'He", "[DONE]"), error: "MalformedResponse" }
    ]
  }
})
