import * as Gemini from "@spillway/providers/Gemini"
import * as Conformance from "@spillway/testing/Conformance"
import * as RecordedHttp from "@spillway/testing/RecordedHttp"
import { event } from "./gemini.js"

const model = "gemini-2.5-flash"

const usageMetadata = { promptTokenCount: 10, candidatesTokenCount: 4, thoughtsTokenCount: 6, totalTokenCount: 20 }

const usage = { inputTokens: 10, outputTokens: 10, reasoningTokens: 6 }

const said = (parts: ReadonlyArray<object> | undefined, finishReason?: string, fields: object = { usageMetadata }) => ({
  candidates: [{
    content: { role: "model", ...(parts && { parts }) },
    index: 0,
    ...(finishReason !== undefined && { finishReason })
  }],
  modelVersion: model,
  responseId: "8e97asPMLaS4",
  ...fields
})

const answer = (parts: ReadonlyArray<object> | undefined, finishReason = "STOP") =>
  RecordedHttp.json(said(parts, finishReason))

const events = (...events: ReadonlyArray<object | string>) =>
  RecordedHttp.text("text/event-stream", events.map((one) => typeof one === "string" ? one : event(one)).join(""))

const text = (text: string) => [{ text }]

const call = { functionCall: { name: "get_weather", args: { city: "Oslo" } }, thoughtSignature: "c2lnbmF0dXJl" }

const refusal = (code: number, status: string, message: string, ...details: ReadonlyArray<object>) =>
  RecordedHttp.json({ error: { code, message, status, ...(details.length > 0 && { details }) } }, { status: code })

const reason = (reason: string) => ({ "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason })

const quota = (quotaId: string) => ({
  "@type": "type.googleapis.com/google.rpc.QuotaFailure",
  violations: [{ quotaId }]
})

const wait = (retryDelay: string) => ({ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay })

const bare = refusal(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota).")

const sent = (method: string, body: object): Conformance.Sent => ({
  method: "POST",
  path: `/v1beta/models/${model}:${method}`,
  headers: { "x-goog-api-key": Conformance.key },
  body
})

const user = (...parts: ReadonlyArray<object>) => ({ role: "user", parts })

const weather = {
  functionDeclarations: [{
    name: "get_weather",
    description: "The weather in a city, now",
    parametersJsonSchema: Conformance.weather.parameters
  }]
}

Conformance.suite({
  backend: "gemini",
  layer: Gemini.layer,
  model,
  recordings: {
    chat: {
      answer: answer(text("Hello there!")),
      text: "Hello there!",
      usage,
      sent: sent("generateContent", {
        systemInstruction: { parts: text("Be brief.") },
        contents: [user({ text: "Say hello." })],
        generationConfig: { maxOutputTokens: 64 }
      })
    },
    stream: {
      framing: "sse",
      answer: events(
        said(text("Grüße, "), undefined, { usageMetadata: { promptTokenCount: 10 } }),
        said(text("🌊!"), "STOP")
      ),
      text: "Grüße, 🌊!",
      usage,
      endMarker: "\"totalTokenCount\":20}}",
      unknownFrames: ["data: {\"weather\":\"fair\"}", "event: heartbeat\ndata: {}", "data: {\"candidates\":[]}"],
      sent: sent("streamGenerateContent?alt=sse", { contents: [user({ text: "Say hello." })] })
    },
    toolCall: {
      answer: answer([call]),
      streamed: events(said([call]), said(text(""), "STOP")),
      name: "get_weather",
      arguments: { city: "Oslo" },
      sent: sent("generateContent", {
        tools: [weather],
        toolConfig: { functionCallingConfig: { mode: "ANY" } }
      })
    },
    toolRoundTrip: {
      sent: sent("generateContent", {
        contents: [
          user({ text: "How is the weather in Oslo?" }),
          {
            role: "model",
            parts: [
              { text: "Let me look." },
              { functionCall: { id: "call_1", name: "get_weather", args: { city: "Oslo" } } }
            ]
          },
          user({ functionResponse: { id: "call_1", name: "get_weather", response: { sky: "clear" } } })
        ],
        tools: [weather]
      })
    },
    structured: {
      answer: answer(text("{\"name\":\"Ada\",\"age\":36}")),
      value: { name: "Ada", age: 36 },
      sent: sent("generateContent", {
        generationConfig: {
          responseMimeType: "application/json",
          responseJsonSchema: { type: "object", required: ["name", "age"] }
        }
      })
    },
    image: {
      sent: sent("generateContent", {
        contents: [
          user({ text: "What is this?" }, { inlineData: { mimeType: "image/png", data: Conformance.picture } })
        ]
      })
    },
    embeddings: {
      answer: RecordedHttp.json({
        embeddings: [{ values: [0.25, 0.5] }, { values: [1, 2] }],
        usageMetadata: { promptTokenCount: 8 }
      }),
      vectors: [[0.25, 0.5], [1, 2]],
      usage: { inputTokens: 8 },
      sent: sent("batchEmbedContents", {
        requests: ["first", "second"].map((text) => ({ model: `models/${model}`, content: { parts: [{ text }] } }))
      })
    },
    models: {
      answer: RecordedHttp.json({ models: [{ name: "models/a" }, { name: "tunedModels/b" }] }),
      ids: ["a", "tunedModels/b"],
      sent: { method: "GET", path: "/v1beta/models?pageSize=1000" }
    },
    finishReasons: {
      stop: answer(text("x")),
      length: answer(undefined, "MAX_TOKENS"),
      "tool-calls": answer([call]),
      "content-filter": answer(text("x"), "SAFETY"),
      other: answer(undefined, "MALFORMED_FUNCTION_CALL")
    },
    empty: answer(undefined),
    errors: [
      {
        title: "a wrong key (a 400)",
        answer: refusal(400, "INVALID_ARGUMENT", `API key not valid: ${Conformance.key}`, reason("API_KEY_INVALID")),
        error: "AuthenticationFailed"
      },
      {
        title: "a key that may not",
        answer: refusal(403, "PERMISSION_DENIED", "The API has not been used before", reason("SERVICE_DISABLED")),
        error: "AuthenticationFailed"
      },
      { title: "no key", answer: refusal(401, "UNAUTHENTICATED", "no credentials"), error: "AuthenticationFailed" },
      {
        title: "a place from which it is not to be had",
        answer: refusal(400, "FAILED_PRECONDITION", "User location is not supported for the API use."),
        error: "PermissionDenied"
      },
      {
        title: "an account that has not paid",
        answer: refusal(400, "FAILED_PRECONDITION", "Gemini API free tier is not available, please enable billing"),
        error: "AuthenticationFailed"
      },
      {
        title: "a file that is not ready",
        answer: refusal(400, "FAILED_PRECONDITION", "The File abc is not in an ACTIVE state"),
        error: "InvalidRequest"
      },
      {
        title: "a cache that is gone (a 403)",
        answer: refusal(403, "PERMISSION_DENIED", "CachedContent not found (or permission denied)"),
        error: "NotFound"
      },
      {
        title: "a model that is not there",
        answer: refusal(404, "NOT_FOUND", "models/x is not found for API version v1beta"),
        error: "ModelNotFound"
      },
      {
        title: "a path that is not there",
        answer: RecordedHttp.text("text/html", "<!DOCTYPE html><p>404.</p>", { status: 404 }),
        error: "MalformedResponse"
      },
      {
        title: "a wrong request",
        answer: refusal(400, "INVALID_ARGUMENT", "* GenerateContentRequest.contents: contents is not specified"),
        error: "InvalidRequest"
      },
      {
        title: "too much in a minute",
        answer: refusal(429, "RESOURCE_EXHAUSTED", "quota", quota("GenerateRequestsPerMinutePerProject"), wait("26s")),
        error: "RateLimited"
      },
      {
        title: "too much in a day",
        answer: refusal(429, "RESOURCE_EXHAUSTED", "quota", quota("GenerateRequestsPerDayPerProject"), wait("36s")),
        error: "QuotaExhausted"
      },
      {
        title: "a quota of nothing",
        answer: refusal(429, "RESOURCE_EXHAUSTED", "Quota exceeded for metric: x, limit: 0, model: y", wait("36s")),
        error: "QuotaExhausted"
      },
      { title: "a fault", answer: refusal(500, "INTERNAL", "An internal error has occurred."), error: "ServerFault" },
      { title: "overload", answer: refusal(503, "UNAVAILABLE", "The model is overloaded."), error: "ServerFault" },
      { title: "a deadline of theirs", answer: refusal(504, "DEADLINE_EXCEEDED", "too slow"), error: "ServerFault" }
    ],
    rateLimited: bare,
    streamErrors: [
      {
        title: "bare JSON, after some text and after it said why it stopped",
        answer: events(
          said(text("First "), "STOP"),
          `${JSON.stringify({ error: { code: 499, message: "The operation was cancelled.", status: "CANCELLED" } }, null, 2)}\n`
        ),
        error: "ServerFault"
      },
      {
        title: "an event, after some text",
        answer: events(said(text("First ")), { error: { code: 503, message: "overloaded", status: "UNAVAILABLE" } }),
        error: "ServerFault"
      },
      {
        title: "the quota of the day, in a list",
        answer: events(
          said(text("First ")),
          `${JSON.stringify([{ error: { code: 429, status: "RESOURCE_EXHAUSTED", details: [quota("XPerDayY")] } }])}\n`
        ),
        error: "QuotaExhausted"
      },
      {
        title: "a prompt that was blocked",
        answer: events({ promptFeedback: { blockReason: "PROHIBITED_CONTENT" } }),
        error: "ContentFiltered"
      }
    ]
  }
})
