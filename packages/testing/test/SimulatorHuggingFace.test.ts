/** The wires of TGI and TEI, held to the descriptions of the vendor, and their rules that no description tells. */
import { assert, describe, it } from "@effect/vitest"
import * as Simulator from "@spillway/testing/Simulator"
import { Effect } from "effect"
import { absent, spec } from "../../providers/test/spec.js"
import { answer, ask, text } from "./SimulatorCalls.js"

const messages = [{ role: "user", content: "Where is Oslo?" }]

const tool = {
  type: "function",
  function: { name: "look", parameters: { type: "object", properties: { at: { type: "string" } }, required: ["at"] } }
}

const asked: { readonly [vendor: string]: ReadonlyArray<readonly [path: string, body?: object]> } = {
  tgi: [
    ["/v1/chat/completions", { messages }],
    ["/v1/chat/completions", { messages, tools: [tool] }],
    ["/v1/chat/completions", { messages, max_tokens: 1_000_000 }],
    ["/generate", { inputs: "hi" }],
    ["/generate", { inputs: "hi", parameters: { details: true, decoder_input_details: true, top_n_tokens: 1 } }],
    ["/generate", { inputs: "" }],
    ["/tokenize", { inputs: "hi there" }],
    ["/chat_tokenize", { messages }],
    ["/info"]
  ],
  tei: [
    ["/embed", { inputs: "hi" }],
    ["/embed", { inputs: ["hi", [1, 2]], dimensions: 3, prompt_name: "query" }],
    ["/embed", { inputs: [] }],
    ["/embed", { inputs: "x".repeat(10_000) }],
    ["/embed_all", { inputs: ["hi", "there"] }],
    ["/embed_sparse", { inputs: ["hi", "there"] }],
    ["/v1/embeddings", { input: ["hi", "there"] }],
    ["/v1/embeddings", { input: ["hi", "there"], encoding_format: "base64" }],
    ["/rerank", { query: "hi", texts: ["hi", "there"], return_text: true }],
    ["/predict", { inputs: "hi" }],
    ["/predict", { inputs: [["hi"], ["hi", "there"]] }],
    ["/similarity", { inputs: { source_sentence: "hi", sentences: ["hi", "there"] } }],
    ["/tokenize", { inputs: ["hi", "there"] }],
    ["/decode", { ids: [[1104, 1105]] }],
    ["/info"]
  ]
}

for (const [vendor, requests] of Object.entries(asked)) {
  const description = spec(`${vendor}/openapi.json`)
  describe.skipIf(description === undefined)(`Simulator: ${vendor}${description === undefined ? ` (${absent})` : ""}`, () => {
    for (const [path, body] of requests) {
      it.effect(`answers ${path} ${JSON.stringify(body ?? "").slice(0, 60)} as the description says`, () =>
        Effect.gen(function* () {
          const simulator = yield* Simulator.make()
          const answered = yield* answer(simulator, `/${vendor}${path}`, body)
          const method = body === undefined ? "get" : "post"
          assert.deepStrictEqual(description?.response(method, path, answered.status)(answered.body), [])
        })
      )
    }
  })
}

describe("Simulator: TGI", () => {
  const chat = "/tgi/v1/chat/completions"

  const events = (stream: string) =>
    stream
      .split("\n\n")
      .filter((event) => event !== "")
      .map((event) => event.replace(/^data: ?/, ""))

  const description = spec("tgi/openapi.json")

  it.effect("streams a chat in pieces that each have a role, with the usage when it is asked for", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({ answerTokens: 1 })
      const request = { messages, max_tokens: 2, stream: true }
      const pieces = events(yield* text(simulator, chat, request))
      assert.strictEqual(pieces.at(-1), "[DONE]")
      const chunks = pieces.slice(0, -1).map((event) => JSON.parse(event))
      assert.deepStrictEqual(
        chunks.map(({ choices: [{ delta, finish_reason }] }) => [delta.role, delta.content, finish_reason]),
        [
          ["assistant", "You", null],
          ["assistant", " said", "length"]
        ]
      )
      const counted = events(yield* text(simulator, chat, { ...request, stream_options: { include_usage: true } }))
      const { choices, usage } = JSON.parse(counted.at(-2) ?? "")
      assert.deepStrictEqual([choices, usage.completion_tokens], [[], 2])
      for (const chunk of chunks) {
        assert.deepStrictEqual(description?.at("/components/schemas/ChatCompletionChunk")(chunk) ?? [], [])
      }
    })
  )

  it.effect("gives every whole call the id 0 and the reason stop, and never two", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const request = { messages: [{ role: "user", content: "Look at both" }], tools: [tool, tool] }
      const { body } = yield* answer(simulator, chat, request)
      const [{ finish_reason, message }] = body.choices
      assert.strictEqual(body.id, "")
      assert.strictEqual(finish_reason, "stop")
      assert.deepStrictEqual(
        message.tool_calls.map(({ id }: { readonly id: string }) => id),
        ["0"]
      )
      assert.isFalse("content" in message)
    })
  )

  it.effect("says what is wrong with a stream in the stream, and always as a 422", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const response = yield* ask(simulator, chat, { messages, top_p: 7, stream: true })
      assert.strictEqual(response.status, 200)
      assert.strictEqual(
        yield* response.text,
        'data: {"error":{"message":"Input validation error: `top_p` must be > 0.0 and < 1.0","http_status_code":422}}\n\n' +
          "data: [DONE]\n\n"
      )
      assert.strictEqual((yield* ask(simulator, chat, { messages, top_p: 7 })).status, 422)
      yield* simulator.inject("overloaded")
      const generated = yield* ask(simulator, "/tgi/generate_stream", { inputs: "hi" })
      assert.strictEqual(generated.status, 200)
      assert.strictEqual(yield* generated.text, 'data:{"error":"Model is overloaded","error_type":"overloaded"}\n\n')
    })
  )

  it.effect("ends a generated text with an event that has the whole of it, and no other mark", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const parameters = { max_new_tokens: 4, details: true }
      const pieces = events(yield* text(simulator, "/tgi/generate_stream", { inputs: "hi", parameters })).map((event) =>
        JSON.parse(event)
      )
      const whole = yield* answer(simulator, "/tgi/generate", { inputs: "hi", parameters })
      assert.deepStrictEqual(
        pieces.map(({ generated_text }) => generated_text),
        [null, null, null, whole.body.generated_text]
      )
      assert.strictEqual(whole.headers["x-generated-tokens"], "4")
      for (const piece of pieces) {
        assert.deepStrictEqual(description?.at("/components/schemas/StreamResponse")(piece) ?? [], [])
      }
    })
  )

  it.effect("lets anybody see how it is, and nobody else use it", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const none = { authorization: "" }
      for (const path of ["/tgi/info", "/tgi/health", "/tgi/v1/models"]) {
        assert.strictEqual((yield* ask(simulator, path, undefined, none)).status, 200)
      }
      assert.strictEqual((yield* ask(simulator, "/tgi/chat_tokenize", { messages }, none)).status, 200)
      const refused = yield* ask(simulator, "/tgi/generate", { inputs: "hi" }, none)
      assert.deepStrictEqual([refused.status, yield* refused.text], [401, ""])
    })
  )

  it.effect("refuses a form of OpenAI's for an answer, which is not its own", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const response_format = { type: "json_schema", json_schema: { name: "x", schema: { type: "object" } } }
      const refused = yield* ask(simulator, chat, { messages, response_format })
      assert.strictEqual(refused.status, 422)
      assert.match(yield* refused.text, /^Failed to deserialize the JSON body .* missing field `value`$/)
    })
  )
})

describe("Simulator: TEI", () => {
  it.effect("takes 32 texts and no more, of which the source of a comparison is one", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const texts = (count: number) => Array.from({ length: count }, (_, index) => `text ${index}`)
      const similar = (count: number) => ({ inputs: { source_sentence: "hi", sentences: texts(count) } })
      assert.strictEqual((yield* ask(simulator, "/tei/embed", { inputs: texts(32) })).status, 200)
      assert.strictEqual((yield* ask(simulator, "/tei/similarity", similar(31))).status, 200)
      assert.strictEqual((yield* ask(simulator, "/tei/similarity", similar(32))).status, 422)
      const { body, status } = yield* answer(simulator, "/tei/embed", { inputs: texts(33) })
      assert.deepStrictEqual(
        [status, body],
        [422, { error: "batch size 33 > maximum allowed batch size 32", error_type: "Validation" }]
      )
      const openai = yield* answer(simulator, "/tei/v1/embeddings", { input: texts(33) })
      assert.deepStrictEqual(openai.body, {
        message: "batch size 33 > maximum allowed batch size 32",
        code: 422,
        type: "Validation"
      })
    })
  )

  it.effect("cuts a text that is too long where it may, at the end that it is told", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const inputs = `${"a".repeat(3000)}${"b".repeat(3000)}`
      assert.strictEqual((yield* ask(simulator, "/tei/embed", { inputs })).status, 422)
      const [right, left] = yield* Effect.all([
        answer(simulator, "/tei/embed", { inputs, truncate: true }),
        answer(simulator, "/tei/embed", { inputs, truncate: true, truncation_direction: "Left" })
      ])
      assert.strictEqual(right.headers["x-compute-tokens"], "512")
      assert.notDeepEqual(right.body, left.body)
    })
  )

  it.effect("puts the model's own prompt before a text, and knows no other", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const [named, written] = yield* Effect.all([
        answer(simulator, "/tei/embed", { inputs: "hi", prompt_name: "query" }),
        answer(simulator, "/tei/embed", { inputs: "query: hi" })
      ])
      assert.deepStrictEqual(named.body, written.body)
      assert.strictEqual((yield* ask(simulator, "/tei/embed", { inputs: "hi", prompt_name: "x" })).status, 422)
    })
  )

  it.effect("asks for a key where the server does, and answers without a word", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const none = { authorization: "" }
      assert.strictEqual((yield* ask(simulator, "/tei/health", undefined, none)).status, 200)
      const refused = yield* ask(simulator, "/tei/info", undefined, none)
      assert.deepStrictEqual([refused.status, yield* refused.text], [401, ""])
    })
  )
})
