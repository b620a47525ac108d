import { assert, describe, it } from "@effect/vitest"
import * as Completion from "@spillway/core/Completion"
import * as Prompt from "@spillway/core/Prompt"
import * as Tool from "@spillway/core/Tool"
import * as Either from "effect/Either"
import * as OpenAiStream from "../src/internal/openAiStream.js"
import * as OpenAiWire from "../src/OpenAiWire.js"
import { exchange, read } from "./exchange.js"

const dialect: OpenAiWire.Dialect = { backend: "any" }

const request: Completion.Request = { model: "m", prompt: "hi" }

/** The body as it is sent. */
const sent = (fields: Partial<Completion.Request>, of: OpenAiWire.Dialect = dialect, stream = false): any =>
  JSON.parse(JSON.stringify(Either.getOrThrow(OpenAiWire.toChatBody({ ...request, ...fields }, of, stream))))

const answered = (message: object, rest: object = {}, choice: object = {}) =>
  Either.getOrThrow(OpenAiWire.toCompletion(
    { id: "c", model: "m-1", choices: [{ finish_reason: "stop", message, ...choice }], ...rest },
    exchange(request, "any")
  ))

const streamed = (...chunks: ReadonlyArray<object | string>) =>
  read(
    OpenAiStream.reader(exchange(request, "any")),
    chunks.map((chunk) => ({ data: typeof chunk === "string" ? chunk : JSON.stringify(chunk) }))
  )

const delta = (delta: object, finish_reason: string | null = null) => ({
  id: "c",
  model: "m-1",
  choices: [{ index: 0, delta, finish_reason }]
})

const tool = Tool.fromJsonSchema({ name: "f", parameters: { type: "object" } })

describe("a request", () => {
  it("says no more than it was given", () => {
    assert.deepStrictEqual(sent({}), { model: "m", messages: [{ role: "user", content: "hi" }] })
    assert.deepStrictEqual(sent({}, dialect, true), {
      model: "m",
      messages: [{ role: "user", content: "hi" }],
      stream: true,
      stream_options: { include_usage: true }
    })
  })

  it("has no tools, and no choice among them, when there are none", () => {
    assert.deepStrictEqual(sent({ tools: [], toolChoice: "auto", parallelToolCalls: true }), sent({}))
    assert.deepStrictEqual(sent({ toolChoice: "required" }), sent({}))
  })

  for (
    const [choice, expected] of [
      ["auto", "auto"],
      ["none", "none"],
      ["required", "required"],
      [{ tool: "f" }, { type: "function", function: { name: "f" } }]
    ] as ReadonlyArray<readonly [Tool.Choice, unknown]>
  ) {
    it(`knows the tool choice ${JSON.stringify(choice)}`, () => {
      const { tool_choice, tools } = sent({ tools: [tool], toolChoice: choice })
      assert.deepStrictEqual(tool_choice, expected)
      assert.deepStrictEqual(tools, [{ type: "function", function: { name: "f", parameters: { type: "object" } } }])
    })
  }

  it("knows the forms of an answer", () => {
    assert.deepStrictEqual(sent({ format: { _tag: "Text" } }).response_format, { type: "text" })
    assert.deepStrictEqual(sent({ format: { _tag: "Json" } }).response_format, { type: "json_object" })
  })

  it("speaks the dialect", () => {
    const fields: Partial<Completion.Request> = {
      maxTokens: 7,
      topK: 5,
      reasoning: { effort: "minimal" },
      prompt: [Prompt.assistant([{ _tag: "Reasoning", text: "Hm." }, Prompt.text("Yes.")])]
    }
    assert.deepStrictEqual(sent(fields), {
      model: "m",
      messages: [{ role: "assistant", content: "Yes." }],
      max_tokens: 7,
      reasoning_effort: "minimal"
    })
    assert.deepStrictEqual(
      sent(fields, {
        backend: "other",
        maxTokensField: "max_completion_tokens",
        topK: true,
        reasoningField: "reasoning_content",
        reasoningEfforts: { minimal: "low" },
        usageUnasked: true,
        extraFields: () => ({ extra: 1, none: undefined })
      }, true),
      {
        model: "m",
        messages: [{ role: "assistant", content: "Yes.", reasoning_content: "Hm." }],
        stream: true,
        max_completion_tokens: 7,
        top_k: 5,
        reasoning_effort: "low",
        extra: 1
      }
    )
  })

  it("has text as text, and several parts as a list", () => {
    const image: Prompt.ImagePart = { _tag: "Image", source: { _tag: "Url", url: "http://x/y.png" }, detail: "low" }
    assert.deepStrictEqual(sent({ prompt: Prompt.user([Prompt.text("a"), Prompt.text("b"), image]) }).messages, [{
      role: "user",
      content: [
        { type: "text", text: "a" },
        { type: "text", text: "b" },
        { type: "image_url", image_url: { url: "http://x/y.png", detail: "low" } }
      ]
    }])
  })

  it("gives each tool result a message of its own, and calls JSON for arguments", () => {
    const call = (id: string, args: string) => ({ _tag: "ToolCall", id, name: "f", arguments: args }) as const
    const result = (id: string) => ({ _tag: "ToolResult", id, name: "f", result: `r${id}`, isError: true }) as const
    const { messages } = sent({
      prompt: [Prompt.assistant([call("1", ""), call("2", "{bad")]), Prompt.tool([result("1"), result("2")])]
    })
    assert.deepStrictEqual(messages, [
      {
        role: "assistant",
        content: null,
        tool_calls: [
          { id: "1", type: "function", function: { name: "f", arguments: "{}" } },
          { id: "2", type: "function", function: { name: "f", arguments: "{bad" } }
        ]
      },
      { role: "tool", tool_call_id: "1", content: "r1" },
      { role: "tool", tool_call_id: "2", content: "r2" }
    ])
  })

  it("refuses a file that it cannot say", () => {
    const refused = (part: Prompt.FilePart, of: OpenAiWire.Dialect) =>
      OpenAiWire.toChatBody({ ...request, prompt: Prompt.user([part]) }, of, false).pipe(
        Either.flip,
        Either.getOrThrow
      )
    const atUrl: Prompt.FilePart = { _tag: "File", source: { _tag: "Url", url: "http://x/y.pdf" } }
    const text = Prompt.file("aGk=", "text/plain")
    for (const error of [refused(atUrl, { ...dialect, files: true }), refused(text, dialect)]) {
      assert.strictEqual(error._tag, "Unsupported")
      assert.strictEqual(error.backend, "any")
      assert.strictEqual(error.model, "m")
    }
  })
})

describe("an answer", () => {
  it("may give its content as a list of parts", () => {
    assert.strictEqual(answered({ content: [{ type: "text", text: "a" }, { type: "text", text: "b" }] }).text, "ab")
  })

  it("may refuse, in words of its own", () => {
    const { finishReason, text } = answered({ content: null, refusal: "I will not." })
    assert.deepStrictEqual({ finishReason, text }, { finishReason: "content-filter", text: "I will not." })
  })

  it("may tell its reasoning under either name", () => {
    for (const name of ["reasoning", "reasoning_content"]) {
      assert.deepStrictEqual(answered({ content: "4", [name]: "2+2" }).content, [
        { _tag: "Reasoning", text: "2+2" },
        { _tag: "Text", text: "4" }
      ])
    }
  })

  it("calls tools even where it says stop, gives no id, or an object for arguments (W-31, W-39)", () => {
    const { finishReason, toolCalls } = answered({
      content: "",
      tool_calls: [{ function: { name: "f", arguments: { a: 1 } } }, { id: "", function: { name: "g" } }]
    })
    assert.strictEqual(finishReason, "tool-calls")
    assert.deepStrictEqual(toolCalls, [
      { _tag: "ToolCall", id: "call_0", name: "f", arguments: "{\"a\":1}" },
      { _tag: "ToolCall", id: "call_1", name: "g", arguments: "" }
    ])
  })

  it("keeps the reason of calls that were cut off", () => {
    const calls = { tool_calls: [{ id: "1", function: { name: "f", arguments: "{\"a" } }] }
    assert.strictEqual(answered(calls, {}, { finish_reason: "length" }).finishReason, "length")
    assert.strictEqual(answered(calls, {}, { finish_reason: null }).finishReason, "tool-calls")
  })

  it("is text though tools were forced (W-40)", () => {
    const { finishReason, text } = answered({ content: "No tool fits." }, {}, { finish_reason: "stop" })
    assert.deepStrictEqual({ finishReason, text }, { finishReason: "stop", text: "No tool fits." })
  })

  it("is of the model asked for, and has no id, where it does not say", () => {
    const completion = answered({ content: "x" }, { id: "", model: null })
    assert.strictEqual(completion.model, "m")
    assert.notProperty(completion, "id")
  })

  it("has no usage where it tells none, or none that can be", () => {
    assert.deepStrictEqual(answered({ content: "x" }).usage, {})
    const made = { prompt_tokens: -1, completion_tokens: 1.5, prompt_tokens_details: { cached_tokens: "3" } }
    assert.deepStrictEqual(answered({ content: "x" }, { usage: made }).usage, {})
    assert.deepStrictEqual(answered({ content: "x" }, { usage: null }).usage, {})
  })

  it("with an error in it is that error", () => {
    const failed = (body: unknown) =>
      Either.getOrThrow(Either.flip(OpenAiWire.toCompletion(body, exchange(request, "any"))))
    assert.strictEqual(failed({ error: { message: "no" } })._tag, "ServerFault")
    assert.strictEqual(failed({ object: "error", message: "no" })._tag, "ServerFault")
    for (const body of [{}, [], null, "x", 1, { choices: [] }, { choices: [{}] }, { choices: {} }, { error: null }]) {
      assert.strictEqual(failed(body)._tag, "MalformedResponse")
    }
  })
})

describe("a streamed answer", () => {
  it("is read chunk by chunk, with the usage last (W-01)", () => {
    assert.deepStrictEqual(
      streamed(
        delta({ role: "assistant", content: "" }),
        delta({ content: "a" }),
        delta({ content: "b" }, "stop"),
        { choices: [], usage: { prompt_tokens: 1, completion_tokens: 2 } },
        "[DONE]"
      ),
      {
        parts: [
          { _tag: "Start", id: "c", model: "m-1" },
          { _tag: "TextDelta", text: "a" },
          { _tag: "TextDelta", text: "b" },
          { _tag: "Finish", finishReason: "stop", usage: { inputTokens: 1, outputTokens: 2 } }
        ],
        ended: { _tag: "End", usage: { inputTokens: 1, outputTokens: 2 } }
      }
    )
  })

  it("takes the last of many usages (W-24), and the one in x_groq", () => {
    const usage = (n: number) => ({ prompt_tokens: n, completion_tokens: n })
    const all = streamed({ ...delta({ content: "a" }), usage: usage(0) }, { ...delta({}), usage: usage(3) }, "[DONE]")
    assert.deepStrictEqual(all.ended?.usage, { inputTokens: 3, outputTokens: 3 })
    const groq = streamed({ ...delta({}), x_groq: { usage: usage(4) } }, "[DONE]")
    assert.deepStrictEqual(groq.ended?.usage, { inputTokens: 4, outputTokens: 4 })
  })

  const calls = (...chunks: ReadonlyArray<object>) => {
    const { ended, parts } = streamed(...chunks, "[DONE]")
    assert.isDefined(ended)
    return Completion.fromParts(parts).toolCalls.map(({ arguments: args, id, name }) => [id, name, args])
  }

  it("has tool calls whose deltas interleave (W-02, W-42)", () => {
    const call = (index: number, args: string, id?: string) => ({
      index,
      ...(id && { id }),
      function: { ...(id && { name: `f${id}` }), arguments: args }
    })
    assert.deepStrictEqual(
      calls(
        delta({ tool_calls: [call(0, "", "a"), call(1, "", "b")] }),
        delta({ tool_calls: [call(1, "{\"b\":")] }),
        delta({ tool_calls: [call(0, "{\"a\":"), call(1, "2}")] }),
        delta({ tool_calls: [call(0, "1}")] }, "tool_calls")
      ),
      [["a", "fa", "{\"a\":1}"], ["b", "fb", "{\"b\":2}"]]
    )
  })

  it("has tool calls without indices, or all of the same one, or with their id in every delta", () => {
    const f = (name: string, args: string) => ({ function: { name, arguments: args } })
    const expected = [["a", "f", "{\"x\":1}"], ["b", "g", "{}"]]
    assert.deepStrictEqual(
      calls(
        delta({ tool_calls: [{ id: "a", ...f("f", "{\"x\":") }] }),
        delta({ tool_calls: [{ function: { arguments: "1}" } }] }),
        delta({ tool_calls: [{ id: "b", ...f("g", "{}") }] })
      ),
      expected
    )
    assert.deepStrictEqual(
      calls(
        delta({ tool_calls: [{ index: 0, id: "a", ...f("f", "{\"x\":1}") }] }),
        delta({ tool_calls: [{ index: 0, id: "b", ...f("g", "{}") }] })
      ),
      expected
    )
    assert.deepStrictEqual(
      calls(
        delta({ tool_calls: [{ index: 0, id: "a", ...f("f", "{\"x\":") }] }),
        delta({ tool_calls: [{ index: 1, id: "b", ...f("g", "{") }] }),
        delta({ tool_calls: [{ index: 0, id: "a", ...f("f", "1}") }, { index: 1, id: "b", ...f("g", "}") }] })
      ),
      expected
    )
  })

  it("has tool calls without ids", () => {
    assert.deepStrictEqual(
      calls(
        delta({ tool_calls: [{ index: 0, function: { name: "f", arguments: "{" } }] }),
        delta({ tool_calls: [{ index: 0, function: { arguments: "}" } }, { index: 1, function: { name: "g" } }] })
      ),
      [["call_0", "f", "{}"], ["call_1", "g", ""]]
    )
  })

  it("has reasoning before its text, under either name", () => {
    for (const name of ["reasoning", "reasoning_content"]) {
      const { parts } = streamed(delta({ [name]: "Hm" }), delta({ [name]: "." }), delta({ content: "4" }), "[DONE]")
      assert.deepStrictEqual(Completion.fromParts(parts).content, [
        { _tag: "Reasoning", text: "Hm." },
        { _tag: "Text", text: "4" }
      ])
    }
  })

  it("may refuse, in words of its own", () => {
    const { parts } = streamed(delta({ refusal: "I will" }), delta({ refusal: " not." }, "stop"), "[DONE]")
    const { finishReason, text } = Completion.fromParts(parts)
    assert.deepStrictEqual({ finishReason, text }, { finishReason: "content-filter", text: "I will not." })
  })

  it("is that of the first choice alone", () => {
    const { parts } = streamed(
      { choices: [{ index: 1, delta: { content: "no" }, finish_reason: "length" }] },
      { choices: [{ index: 0, delta: { content: "yes" }, finish_reason: "stop" }] },
      { choices: [{ index: 1, delta: {}, finish_reason: "length" }] },
      "[DONE]"
    )
    const { finishReason, text } = Completion.fromParts(parts)
    assert.deepStrictEqual({ finishReason, text }, { finishReason: "stop", text: "yes" })
  })

  it("may hold the words of the end marker as text", () => {
    const { ended, parts } = streamed(delta({ content: "data: [DONE]\n\n[DONE]" }), "[DONE]")
    assert.isDefined(ended)
    assert.strictEqual(Completion.fromParts(parts).text, "data: [DONE]\n\n[DONE]")
  })

  it("is malformed when it ends before its first chunk, or a chunk is no JSON", () => {
    assert.strictEqual(streamed("[DONE]").error?._tag, "MalformedResponse")
    assert.strictEqual(streamed(delta({}), "{\"choices\":[").error?._tag, "MalformedResponse")
  })

  it("fails with an error in it, in any of its shapes", () => {
    for (
      const chunk of [
        { error: { message: "no" } },
        { error: "no" },
        { object: "error", message: "no" },
        { ...delta({}), error: { message: "no" } },
        { ...delta({}), x_groq: { error: "no" } }
      ]
    ) {
      const { error, parts } = streamed(delta({ content: "a" }), chunk, "[DONE]")
      assert.strictEqual(error?._tag, "ServerFault")
      assert.strictEqual(parts.length, 2)
    }
    const named = read(OpenAiStream.reader(exchange(request, "any")), [{
      event: "error",
      data: "{\"message\":\"no\"}"
    }])
    assert.strictEqual(named.error?._tag, "ServerFault")
  })
})

describe("embeddings", () => {
  const two = { model: "m", input: ["a", "b"] }
  const read = (data: unknown) => OpenAiWire.toEmbeddings({ data }, exchange(two, "any"))

  it("are put in the order of the texts", () => {
    const answer = read([{ index: 1, embedding: [2] }, { index: 0, embedding: [1] }])
    assert.deepStrictEqual(Either.getOrThrow(answer), { model: "m", vectors: [[1], [2]], usage: {} })
  })

  it("are in the order of the texts where they have no index", () => {
    assert.deepStrictEqual(Either.getOrThrow(read([{ embedding: [1] }, { embedding: [2] }])).vectors, [[1], [2]])
  })

  for (
    const [title, data] of [
      ["too few", [{ index: 0, embedding: [1] }]],
      ["too many", [0, 1, 2].map((index) => ({ index, embedding: [1] }))],
      ["two of one text", [0, 0].map((index) => ({ index, embedding: [1] }))],
      ["an index that is far off", [0, 1e9].map((index) => ({ index, embedding: [1] }))],
      ["no vector", [{ index: 0, embedding: [1] }, { index: 1, embedding: null }]],
      ["a vector of words", [{ index: 0, embedding: [1] }, { index: 1, embedding: ["x"] }]],
      ["broken base64", [{ index: 0, embedding: [1] }, { index: 1, embedding: "!!" }]],
      ["base64 of part of a float", [{ index: 0, embedding: [1] }, { index: 1, embedding: "AAA=" }]],
      ["nothing", undefined]
    ] as const
  ) {
    it(`are malformed with ${title}`, () => {
      assert.strictEqual(Either.getOrThrow(Either.flip(read(data)))._tag, "MalformedResponse")
    })
  }
})

describe("models", () => {
  const read = (body: unknown) => OpenAiWire.toModels(body, exchange({ model: "" }, "any") as never)

  it("tell their context under any of its names, and are skipped without an id", () => {
    const data = [
      { id: "a", owned_by: "o", created: 1, context_window: 10, max_completion_tokens: 5 },
      { id: "b", context_length: 20, name: "B" },
      { id: "c", max_model_len: 30, created: null },
      { name: "none" },
      null
    ]
    const expected = [
      { id: "a", owner: "o", created: 1, contextWindow: 10, maxOutputTokens: 5 },
      { id: "b", contextWindow: 20, displayName: "B" },
      { id: "c", contextWindow: 30 }
    ]
    assert.deepStrictEqual(Either.getOrThrow(read({ data })), expected)
    assert.deepStrictEqual(Either.getOrThrow(read(data)), expected)
  })

  it("are malformed without a list", () => {
    assert.strictEqual(Either.getOrThrow(Either.flip(read({})))._tag, "MalformedResponse")
  })
})
