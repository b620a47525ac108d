import * as Tei from "@spillway/providers/Tei"
import * as Conformance from "@spillway/testing/Conformance"
import * as RecordedHttp from "@spillway/testing/RecordedHttp"

const model = "BAAI/bge-small-en-v1.5"

const refusal = (status: number, error: string, error_type: string) =>
  RecordedHttp.json({ error, error_type }, { status })

const errors: Conformance.OperationSubject["errors"] = [
  { title: "a wrong key (no body)", answer: { status: 401 }, error: "AuthenticationFailed" },
  {
    title: "a wrong key, repeated by a proxy",
    answer: RecordedHttp.json({ error: `Invalid token ${Conformance.key}` }, { status: 401 }),
    error: "AuthenticationFailed"
  },
  ...[413, 422].map((status) => ({
    title: `a text that is too long, as a ${status}`,
    answer: refusal(status, "Input validation error: `inputs` must have less than 512 tokens. Given: 3002", "Validation"),
    error: "InvalidRequest" as const
  })),
  {
    title: "too many texts",
    answer: refusal(422, "batch size 33 > maximum allowed batch size 32", "Validation"),
    error: "InvalidRequest"
  },
  { title: "no texts", answer: refusal(400, "`inputs` cannot be empty", "Empty"), error: "InvalidRequest" },
  { title: "texts that are none", answer: refusal(422, "Tokenization error", "Tokenizer"), error: "InvalidRequest" },
  {
    title: "a body that is too large",
    answer: RecordedHttp.text("text/plain", "length limit exceeded", { status: 413 }),
    error: "InvalidRequest"
  },
  { title: "a fault of the model", answer: refusal(424, "Inference failed", "Backend"), error: "ServerFault" },
  {
    title: "a model of another kind",
    answer: refusal(424, "Backend error: Inference error: model is not a re-ranker model", "Backend"),
    error: "Unsupported"
  },
  {
    title: "a text that is too long for llama.cpp",
    answer: RecordedHttp.json({
      error: { code: 500, message: "input (5007 tokens) is too large to process. increase the physical batch size", type: "server_error" }
    }, { status: 500 }),
    error: "InvalidRequest"
  },
  { title: "another path", answer: RecordedHttp.json({ error: "not found" }, { status: 404 }), error: "MalformedResponse" },
  { title: "too many requests", answer: refusal(429, "Model is overloaded", "Overloaded"), error: "RateLimited" },
  // statuses have changed from version to version; types have not
  { title: "too many requests, with another status", answer: refusal(503, "Model is overloaded", "Overloaded"), error: "RateLimited" },
  { title: "a wrong text, with another status", answer: refusal(500, "Tokenization error", "Tokenizer"), error: "InvalidRequest" },
  { title: "too many requests, as documented", answer: refusal(429, "Model is overloaded", "overloaded"), error: "RateLimited" },
  { title: "a model that is not well", answer: refusal(503, "unhealthy", "Unhealthy"), error: "ServerFault" },
  { title: "a path that is not there (no body)", answer: { status: 404 }, error: "MalformedResponse" },
  {
    title: "an error of OpenAI's route, which has no wrapper",
    answer: RecordedHttp.json({ message: "Model is overloaded", code: 429, type: "Overloaded" }, { status: 429 }),
    error: "RateLimited"
  },
  {
    title: "a text that is too long, of OpenAI's route",
    answer: RecordedHttp.json({ message: "`inputs` must have less than 512 tokens", code: 413, type: "Validation" }, { status: 413 }),
    error: "InvalidRequest"
  }
]

const rateLimited = refusal(429, "Model is overloaded", "Overloaded")

const headers = { authorization: `Bearer ${Conformance.key}` }

const tokens = { headers: { "x-compute-tokens": "8", "x-compute-time": "1" } }

Conformance.operation({
  backend: "tei",
  // so many texts that no limit has to be asked for
  layer: (options) => Tei.layer({ ...options, maxBatchSize: 32 }),
  operation: "embed",
  ask: (llm) => llm.embed(Conformance.embedding(model)),
  answer: RecordedHttp.json([[0.25, 0.5], [1, 2]], tokens),
  gives: { model, vectors: [[0.25, 0.5], [1, 2]], usage: { inputTokens: 8 } },
  sent: { method: "POST", path: "/embed", headers, body: { inputs: ["first", "second"] } },
  errors,
  rateLimited
})

Conformance.operation({
  backend: "tei",
  layer: (options) => Tei.layer({ ...options, maxBatchSize: 32, embedRoute: "/v1/embeddings" }),
  operation: "embed",
  ask: (llm) => llm.embed(Conformance.embedding(model)),
  answer: RecordedHttp.json({
    object: "list",
    data: [
      { object: "embedding", index: 1, embedding: [1, 2] },
      // little-endian floats of four bytes: 0.25, 0.5
      { object: "embedding", index: 0, embedding: "AACAPgAAAD8=" }
    ],
    model: "served",
    usage: { prompt_tokens: 8, total_tokens: 8 }
  }),
  gives: { model: "served", vectors: [[0.25, 0.5], [1, 2]], usage: { inputTokens: 8 } },
  sent: {
    method: "POST",
    path: "/v1/embeddings",
    headers,
    body: { model, input: ["first", "second"], encoding_format: "base64" }
  },
  errors,
  rateLimited
})

Conformance.operation({
  backend: "tei",
  layer: (options) => Tei.layer({ ...options, maxBatchSize: 32 }),
  operation: "rerank",
  ask: (llm) => llm.rerank({ model, query: "What is it?", documents: ["no", "yes", "perhaps"], topN: 2 }),
  answer: RecordedHttp.json([{ index: 2, score: 0.5 }, { index: 0, score: 0.01 }, { index: 1, score: 0.9 }], tokens),
  gives: {
    model,
    results: [{ index: 1, score: 0.9, document: "yes" }, { index: 2, score: 0.5, document: "perhaps" }],
    usage: { inputTokens: 8 }
  },
  sent: { method: "POST", path: "/rerank", headers, body: { query: "What is it?", texts: ["no", "yes", "perhaps"] } },
  errors,
  rateLimited
})
