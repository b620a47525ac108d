import { assert, describe, it } from "@effect/vitest"
import * as Completion from "@spillway/core/Completion"
import * as Prompt from "@spillway/core/Prompt"
import * as Tool from "@spillway/core/Tool"
import * as Conformance from "@spillway/testing/Conformance"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import * as Responses from "../src/internal/openAiResponses.js"
import * as ResponsesStream from "../src/internal/openAiResponsesStream.js"
import * as OpenAi from "../src/OpenAi.js"
import * as OpenAiModerationWire from "../src/OpenAiModerationWire.js"
import * as Wire from "../src/OpenAiResponsesWire.js"
import { exchange, read } from "./exchange.js"
import { type Answer, fetching, through } from "./fetching.js"
import { body, call, completed, created, message, recordings, text } from "./fixtures/openaiResponses.js"

Conformance.suite({
  backend: "openai",
  layer: (options) => OpenAi.layer({ ...options, api: "responses" }),
  model: "gpt-test",
  recordings
})

const request: Completion.Request = { model: "m", prompt: "hi" }

/** The body as it is sent. */
const sent = (fields: Partial<Completion.Request>, options?: Wire.Options, stream = false): any =>
  JSON.parse(JSON.stringify(Either.getOrThrow(Wire.toBody({ ...request, ...fields }, "openai", options, stream))))

const answered = (output: ReadonlyArray<object>, rest: object = {}) =>
  Either.getOrThrow(Wire.toCompletion(body(output, rest), exchange(request, "openai")))

const streamed = (...events: ReadonlyArray<object | string>) =>
  read(
    ResponsesStream.reader(exchange(request, "openai")),
    events.map((event) => ({ data: typeof event === "string" ? event : JSON.stringify(event) }))
  )

const reasoning = (fields: object = {}) => ({
  id: "rs_1",
  type: "reasoning",
  summary: [{ type: "summary_text", text: "First." }, { type: "summary_text", text: "Then." }],
  encrypted_content: "sealed",
  ...fields
})

const thought: Prompt.ReasoningPart = {
  _tag: "Reasoning",
  text: "First.\n\nThen.",
  signature: "rs_1",
  redacted: "sealed"
}

describe("a request over Responses", () => {
  it("says no more than it was given, and that it is not to be kept", () => {
    assert.deepStrictEqual(sent({}), { model: "m", input: [{ role: "user", content: "hi" }], store: false })
    assert.deepStrictEqual(sent({}, {}, true), {
      model: "m",
      input: [{ role: "user", content: "hi" }],
      stream: true,
      store: false
    })
  })

  it("has what the system says first as instructions, and in its place what it says later", () => {
    const { input, instructions } = sent({
      prompt: [Prompt.system("One."), Prompt.system("Two."), Prompt.user("a"), Prompt.system("Three."), Prompt.user("b")]
    })
    assert.strictEqual(instructions, "One.\n\nTwo.")
    assert.deepStrictEqual(input, [
      { role: "user", content: "a" },
      { role: "system", content: "Three." },
      { role: "user", content: "b" }
    ])
  })

  it("has what the system says as its input where nobody else says anything, since it must have one", () => {
    assert.deepStrictEqual(sent({ prompt: Prompt.system("Only this.") }), {
      model: "m",
      input: [{ role: "system", content: "Only this." }],
      store: false
    })
  })

  it("shows pictures and files, by their bytes and by their addresses", () => {
    const { input } = sent({
      prompt: Prompt.user([
        Prompt.image("aGk=", "image/png"),
        { ...Prompt.imageUrl("https://x.test/a.png"), detail: "low" },
        Prompt.file("aGk=", "application/pdf", "a.pdf"),
        { _tag: "File", source: Prompt.fromUrl("https://x.test/a.pdf") }
      ])
    })
    assert.deepStrictEqual(input[0].content, [
      { type: "input_image", image_url: "data:image/png;base64,aGk=", detail: "auto" },
      { type: "input_image", image_url: "https://x.test/a.png", detail: "low" },
      { type: "input_file", filename: "a.pdf", file_data: "data:application/pdf;base64,aGk=" },
      { type: "input_file", file_url: "https://x.test/a.pdf" }
    ])
  })

  it("asks that reasoning come sealed where it asks for reasoning, or is told to", () => {
    const include = (fields: Partial<Completion.Request>, options?: Wire.Options) => sent(fields, options).include
    assert.deepStrictEqual(include({ reasoning: { effort: "low" } }), ["reasoning.encrypted_content"])
    assert.deepStrictEqual(include({}, { encryptedReasoning: true }), ["reasoning.encrypted_content"])
    assert.isUndefined(include({}))
    assert.isUndefined(include({ reasoning: { effort: "none" } }))
    assert.isUndefined(include({ reasoning: { effort: "low" } }, { encryptedReasoning: false }))
  })

  it("sends sealed reasoning back in its place, and leaves out what another backend thought", () => {
    const { input } = sent({
      prompt: [
        Prompt.user("hi"),
        Prompt.assistant([
          thought,
          { _tag: "Reasoning", text: "of a stranger" },
          { _tag: "Reasoning", text: "signed", signature: "by a stranger" },
          { _tag: "Reasoning", text: "", redacted: "by a stranger" },
          { _tag: "ToolCall", id: "call_1", name: "f", arguments: " " }
        ]),
        Prompt.tool([{ _tag: "ToolResult", id: "call_1", name: "f", result: "1" }])
      ]
    })
    assert.deepStrictEqual(input.slice(1), [
      {
        type: "reasoning",
        id: "rs_1",
        summary: [{ type: "summary_text", text: "First.\n\nThen." }],
        encrypted_content: "sealed"
      },
      { type: "function_call", call_id: "call_1", name: "f", arguments: "{}" },
      { type: "function_call_output", call_id: "call_1", output: "1" }
    ])
  })

  it("says of every tool whether it is strict, since silence would mean that it is", () => {
    const tools = [
      Tool.fromJsonSchema({ name: "f", parameters: { type: "object" } }),
      Tool.fromJsonSchema({ name: "g", parameters: { type: "object" }, strict: true })
    ]
    const body = sent({ tools, toolChoice: { tool: "f" }, parallelToolCalls: false })
    assert.deepStrictEqual(body.tools.map(({ strict }: any) => strict), [false, true])
    assert.deepStrictEqual(body.tool_choice, { type: "function", name: "f" })
    assert.isFalse(body.parallel_tool_calls)
  })

  it("has no tools, and no choice among them, when there are none", () => {
    assert.deepStrictEqual(sent({ tools: [], toolChoice: "required", parallelToolCalls: true }), sent({}))
  })

  it("cannot be told where to stop", () => {
    const refused = Either.getOrThrow(Either.flip(Wire.toBody({ ...request, stop: ["x"] }, "openai")))
    assert.strictEqual(refused._tag, "Unsupported")
    assert.strictEqual(refused._tag === "Unsupported" && refused.feature, "stop")
    assert.deepStrictEqual(sent({ stop: [] }), sent({}))
  })

  it("leaves out what the wire has no word for", () => {
    assert.deepStrictEqual(sent({ topK: 1, seed: 1, presencePenalty: 1, frequencyPenalty: 1 }), sent({}))
  })

  it("asks for what only OpenAI has", () => {
    const body = sent({ user: "u", temperature: 0.5, topP: 0.9, maxTokens: 7, format: { _tag: "Json" } }, {
      serviceTier: "flex",
      verbosity: "low",
      store: true,
      metadata: { a: "b" },
      promptCacheKey: "k",
      safetyIdentifier: "s",
      reasoningSummary: "concise",
      previousResponseId: "resp_0"
    })
    assert.deepStrictEqual(body, {
      model: "m",
      input: [{ role: "user", content: "hi" }],
      store: true,
      previous_response_id: "resp_0",
      max_output_tokens: 7,
      temperature: 0.5,
      top_p: 0.9,
      text: { format: { type: "json_object" }, verbosity: "low" },
      reasoning: { summary: "concise" },
      user: "u",
      service_tier: "flex",
      metadata: { a: "b" },
      prompt_cache_key: "k",
      safety_identifier: "s"
    })
  })
})

describe("an answer over Responses", () => {
  it("has its items in their order, and its calls by their own ids", () => {
    const { content, finishReason, toolCalls } = answered([reasoning(), message("Let me look."), call])
    assert.deepStrictEqual(content, [
      thought,
      { _tag: "Text", text: "Let me look." },
      { _tag: "ToolCall", id: "call_abc", name: "get_weather", arguments: "{\"city\":\"Oslo\"}" }
    ])
    assert.strictEqual(toolCalls[0]?.id, "call_abc")
    assert.strictEqual(finishReason, "tool-calls")
  })

  it("has no reasoning where nothing is told of it and nothing sealed", () => {
    assert.deepStrictEqual(answered([reasoning({ summary: [], encrypted_content: null })]).content, [])
  })

  it("tells the reasoning of models whose thoughts are open", () => {
    const open = reasoning({ summary: [], encrypted_content: null, content: [{ type: "reasoning_text", text: "So." }] })
    assert.deepStrictEqual(answered([open]).content, [{ _tag: "Reasoning", text: "So.", signature: "rs_1" }])
  })

  it("skips items and parts that it does not know", () => {
    const { text } = answered([
      { type: "web_search_call", id: "ws_1", status: "completed" },
      { type: "message", content: [{ type: "brand_new" }, { type: "output_text", text: "x" }] }
    ])
    assert.strictEqual(text, "x")
  })

  it("is filtered when the model refuses, and says how", () => {
    const { finishReason, text } = answered([{ type: "message", content: [{ type: "refusal", refusal: "No." }] }])
    assert.strictEqual(text, "No.")
    assert.strictEqual(finishReason, "content-filter")
  })

  it("is malformed without output", () => {
    const wrong = Either.flip(Wire.toCompletion({ id: "r", status: "completed" }, exchange(request, "openai")))
    assert.strictEqual(Either.getOrThrow(wrong)._tag, "MalformedResponse")
  })
})

describe("a stream over Responses", () => {
  const added = (item: object, output_index = 0) => ({ type: "response.output_item.added", output_index, item })
  const done = (item: object, output_index = 0) => ({ type: "response.output_item.done", output_index, item })
  const thinking = (delta: string, summary_index: number) => ({
    type: "response.reasoning_summary_text.delta",
    output_index: 0,
    summary_index,
    delta
  })
  const argument = (delta: string, output_index: number) => ({
    type: "response.function_call_arguments.delta",
    output_index,
    delta
  })

  it("gives what a whole answer would have been", () => {
    const second = { ...call, id: "fc_2", call_id: "call_def", arguments: "{}" }
    const output = [reasoning(), message("Let me look."), call, second]
    const { parts } = streamed(
      created,
      added(reasoning({ summary: [], encrypted_content: "incomplete" })),
      thinking("Fir", 0),
      thinking("st.", 0),
      thinking("Then.", 1),
      done(reasoning()),
      added(message(""), 1),
      { ...text("Let me "), output_index: 1 },
      { ...text("look."), output_index: 1 },
      done(message("Let me look."), 1),
      added({ ...call, arguments: "" }, 2),
      added({ ...second, arguments: "" }, 3),
      argument("{\"city\":", 2),
      argument("{}", 3),
      argument("\"Oslo\"}", 2),
      done(call, 2),
      done(second, 3),
      { type: "response.completed", response: body(output, { id: "r", model: "gpt-test" }) }
    )
    assert.deepStrictEqual(Completion.fromParts(parts), answered(output, { id: "r", model: "gpt-test" }))
    assert.strictEqual(parts.filter(({ _tag }) => _tag === "Start").length, 1)
    assert.deepStrictEqual(parts.at(-1), {
      _tag: "Finish",
      finishReason: "tool-calls",
      usage: { inputTokens: 12, outputTokens: 5, cachedInputTokens: 4, reasoningTokens: 2 }
    })
  })

  it("takes from an item that is done what no delta told", () => {
    const { parts } = streamed(
      created,
      done(reasoning()),
      done(message("Whole."), 1),
      done(call, 2),
      completed
    )
    assert.deepStrictEqual(Completion.fromParts(parts).content, [
      thought,
      { _tag: "Text", text: "Whole." },
      { _tag: "ToolCall", id: "call_abc", name: "get_weather", arguments: "{\"city\":\"Oslo\"}" }
    ])
  })

  it("begins with whatever comes first", () => {
    const { parts } = streamed(text("x"), completed)
    assert.deepStrictEqual(parts[0], { _tag: "Start", model: "m" })
    assert.strictEqual(Completion.fromParts(parts).text, "x")
  })

  it("is filtered when the model refuses", () => {
    const { parts } = streamed(created, { type: "response.refusal.delta", output_index: 0, delta: "No." }, completed)
    assert.strictEqual(Completion.fromParts(parts).text, "No.")
    assert.strictEqual(Completion.fromParts(parts).finishReason, "content-filter")
  })

  it("ends as incomplete for the reason that it names", () => {
    const { ended, parts } = streamed(created, text("x"), {
      type: "response.incomplete",
      response: { status: "incomplete", incomplete_details: { reason: "max_output_tokens" }, usage: { output_tokens: 1 } }
    })
    assert.strictEqual(Completion.fromParts(parts).finishReason, "length")
    assert.deepStrictEqual(ended?.usage, { outputTokens: 1 })
  })

  it("is not over with another wire's end marker", () => {
    assert.deepStrictEqual(Object.keys(streamed(created, text("x"), "[DONE]")), ["parts"])
  })
})

// -----------------------------------------------------------------------------
// what is only OpenAI's
// -----------------------------------------------------------------------------

const apiKeys = [Redacted.make("sk-test")] as const

const asking = <A, E>(answers: ReadonlyArray<Answer>, program: (openai: OpenAi.Service) => Effect.Effect<A, E>) => {
  const { fetch, sent } = fetching((_, index) => answers[Math.min(index, answers.length - 1)]!)
  return Effect.map(
    through(fetch, OpenAi.make({ apiKeys }), ({ openai }) => program(openai)),
    (answer) => ({ answer, sent })
  )
}

describe("moderation", () => {
  const result = {
    flagged: true,
    categories: { violence: true, "self-harm/intent": false, illicit: null, brand_new: true },
    category_scores: { violence: 0.9, "self-harm/intent": 0.001, brand_new: 1 },
    category_applied_input_types: { violence: ["text", "image"] }
  }

  it.effect("tells of each kind whether, how surely and where it was found", () =>
    Effect.gen(function*() {
      const { answer, sent } = yield* asking(
        [{ body: { id: "modr-1", model: "omni-moderation-2024-09-26", results: [result] } }],
        ({ moderate }) => moderate({ input: "I am angry" })
      )
      assert.deepStrictEqual(sent[0]!.body, { model: "omni-moderation-latest", input: "I am angry" })
      assert.strictEqual(sent[0]!.path, "/v1/moderations")
      assert.deepStrictEqual(answer, {
        id: "modr-1",
        model: "omni-moderation-2024-09-26",
        findings: [{
          flagged: true,
          categories: { violence: true, "self-harm/intent": false },
          scores: { violence: 0.9, "self-harm/intent": 0.001 },
          appliedTo: { violence: ["text", "image"] }
        }]
      })
    }))

  it.effect("takes parts that belong together as one input, and texts as many", () =>
    Effect.gen(function*() {
      const parts = [Prompt.text("x"), Prompt.imageUrl("https://x.test/a.png")]
      const { answer, sent } = yield* asking([{ body: { results: [result] } }], ({ moderate }) =>
        Effect.zip(moderate({ input: parts, model: "m" }), Effect.flip(moderate({ input: ["a", "b"] }))))
      assert.deepStrictEqual(sent[0]!.body, {
        model: "m",
        input: [{ type: "text", text: "x" }, { type: "image_url", image_url: { url: "https://x.test/a.png" } }]
      })
      assert.strictEqual(answer[0].findings.length, 1)
      assert.strictEqual(answer[1]._tag, "MalformedResponse")
    }))

  it("knows each kind by one name", () => {
    assert.strictEqual(new Set(OpenAiModerationWire.categories).size, 13)
  })
})

describe("a count of tokens", () => {
  it.effect("is of all that a request has", () =>
    Effect.gen(function*() {
      const { answer, sent } = yield* asking(
        [{ body: { object: "response.input_tokens", input_tokens: 11 } }],
        ({ countInputTokens }) =>
          countInputTokens({
            model: "m",
            prompt: [Prompt.system("s"), Prompt.user("hi")],
            maxTokens: 5,
            user: "u",
            tools: [Tool.fromJsonSchema({ name: "f", parameters: { type: "object" } })],
            providerOptions: { openai: { serviceTier: "flex" } }
          })
      )
      assert.strictEqual(answer, 11)
      assert.strictEqual(sent[0]!.path, "/v1/responses/input_tokens")
      assert.deepStrictEqual(sent[0]!.body, {
        model: "m",
        instructions: "s",
        input: [{ role: "user", content: "hi" }],
        tools: [{ type: "function", name: "f", parameters: { type: "object" }, strict: false }]
      })
    }))
})

describe("a response in the background", () => {
  const kept = (status: string, rest: object = {}) => ({ body: body([message("Done.")], { status, ...rest }) })

  it.effect("is started to be kept, and awaited until it is done", () =>
    Effect.gen(function*() {
      const { fetch, sent } = fetching((_, index) => kept(["queued", "in_progress", "completed"][index]!))
      const text = yield* through(fetch, OpenAi.make({ apiKeys }), ({ openai }) =>
        Effect.gen(function*() {
          const started = yield* openai.startResponse(request)
          assert.deepStrictEqual(started, { id: "resp_1", status: "queued" })
          const waiting = yield* Effect.fork(openai.awaitResponse(started.id, "3 seconds"))
          while (sent.length < 2) yield* Effect.promise(() => new Promise((next) => setImmediate(next)))
          assert.isNull(waiting.unsafePoll())
          while (sent.length < 3) yield* Effect.zipRight(
            TestClock.adjust("1 second"),
            Effect.promise(() => new Promise((next) => setImmediate(next)))
          )
          return (yield* Fiber.join(waiting)).text
        }))
      assert.strictEqual(text, "Done.")
      assert.deepStrictEqual(sent.map(({ method, path }) => [method, path]), [
        ["POST", "/v1/responses"],
        ["GET", "/v1/responses/resp_1"],
        ["GET", "/v1/responses/resp_1"]
      ])
      assert.include(sent[0]!.body, { background: true, store: true })
    }))

  it.effect("says why it failed, as an outcome and to who waits for it", () =>
    Effect.gen(function*() {
      const failed = kept("failed", { error: { code: "rate_limit_exceeded", message: "slow down" } })
      const { answer } = yield* asking([failed], ({ awaitResponse, retrieveResponse }) =>
        Effect.zip(retrieveResponse("resp_1"), Effect.flip(awaitResponse("resp_1"))))
      assert.strictEqual(answer[0].status, "failed")
      assert.strictEqual(answer[0].outcome?._tag === "Left" && answer[0].outcome.left._tag, "RateLimited")
      assert.strictEqual(answer[1]._tag, "RateLimited")
    }))

  it.effect("can be cancelled, by an id that is no path", () =>
    Effect.gen(function*() {
      const { answer, sent } = yield* asking([kept("cancelled")], ({ cancelResponse }) => cancelResponse("a/b"))
      assert.strictEqual(answer.status, "cancelled")
      assert.deepStrictEqual([sent[0]!.method, sent[0]!.path], ["POST", "/v1/responses/a%2Fb/cancel"])
    }))

  it.effect("that nobody knows is not found, and no model", () =>
    Effect.gen(function*() {
      const unknown = { status: 404, body: { error: { message: "Response with id 'x' not found.", code: null } } }
      const { answer } = yield* asking([unknown], ({ retrieveResponse }) => Effect.flip(retrieveResponse("x")))
      assert.strictEqual(answer._tag, "NotFound")
    }))

  it("is told apart from others by its operation", () => {
    assert.isTrue(Responses.isKept("retrieveResponse"))
    assert.isFalse(Responses.isKept("generateText"))
  })
})

describe("the choice between OpenAI's wires", () => {
  const chosen = (api: OpenAi.Options["api"]) => {
    const { fetch, sent } = fetching(() => ({ body: body([message("x")]) }))
    return Effect.as(
      through(fetch, OpenAi.make({ apiKeys, ...(api !== undefined && { api }) }), ({ llm }) =>
        Effect.exit(llm.generateText(request))),
      sent
    )
  }

  it.effect("falls on chat completions where nobody chooses", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* chosen(undefined))[0]!.path, "/v1/chat/completions")
      assert.strictEqual((yield* chosen("chat-completions"))[0]!.path, "/v1/chat/completions")
      assert.strictEqual((yield* chosen("responses"))[0]!.path, "/v1/responses")
    }))

  it.scoped("is told at once when it is none", () =>
    Effect.gen(function*() {
      const { fetch } = fetching(() => ({ body: {} }))
      // a program that is not type-checked may say anything
      const options = { apiKeys, api: "assistants" as never }
      const error = yield* Effect.flip(Effect.sandbox(through(fetch, OpenAi.make(options), () => Effect.void)))
      assert.include(String(error), "OpenAi.api")
    }))
})
