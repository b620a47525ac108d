import { assert, describe, it } from "@effect/vitest"
import * as Completion from "@spillway/core/Completion"
import type * as Embedding from "@spillway/core/Embedding"
import * as LlmError from "@spillway/core/LlmError"
import * as Prompt from "@spillway/core/Prompt"
import * as Tool from "@spillway/core/Tool"
import * as OllamaWire from "@spillway/providers/OllamaWire"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { exchange, read } from "./exchange.js"

const weather = Tool.make("get_weather", {
  description: "The weather in a city, now",
  parameters: Schema.Struct({ city: Schema.String })
})

const sent = (request: Partial<Completion.Request>, stream = false): any =>
  JSON.parse(JSON.stringify(Either.getOrThrow(
    OllamaWire.toBody({ model: "llama3.2", prompt: "hi", ...request }, "ollama", stream)
  )))

const refused = (request: Partial<Completion.Request>) =>
  Either.getOrThrow(Either.flip(OllamaWire.toBody({ model: "llama3.2", prompt: "hi", ...request }, "ollama", false)))

describe("OllamaWire.toBody", () => {
  it("always says whether to stream, since the server's default is to", () => {
    const body = { model: "llama3.2", messages: [{ role: "user", content: "hi" }] }
    assert.deepStrictEqual(sent({}), { ...body, stream: false })
    assert.deepStrictEqual(sent({}, true), { ...body, stream: true })
  })

  it("puts what shapes generation into options", () => {
    const body = sent({
      maxTokens: 7,
      temperature: 0,
      topP: 0.5,
      topK: 3,
      seed: 1,
      stop: ["END"],
      presencePenalty: 0.25,
      frequencyPenalty: 0.75,
      user: "u-1",
      parallelToolCalls: false,
      providerOptions: { ollama: { numCtx: 8192, keepAlive: "5m" } }
    })
    assert.deepStrictEqual(body, {
      ...sent({}),
      options: {
        num_predict: 7,
        temperature: 0,
        top_p: 0.5,
        top_k: 3,
        seed: 1,
        stop: ["END"],
        presence_penalty: 0.25,
        frequency_penalty: 0.75,
        num_ctx: 8192
      },
      keep_alive: "5m"
    })
  })

  it("joins texts, and puts pictures beside them", () => {
    const prompt = [
      Prompt.system("Be brief."),
      Prompt.user([Prompt.text("What is"), Prompt.image("aGk=", "image/png"), Prompt.text("this?")])
    ]
    assert.deepStrictEqual(sent({ prompt }).messages, [
      { role: "system", content: "Be brief." },
      { role: "user", content: "What is\nthis?", images: ["aGk="] }
    ])
  })

  it("sends calls with their arguments as an object, and a result by the name of its tool", () => {
    const prompt: Prompt.Prompt = [
      Prompt.assistant([
        { _tag: "Reasoning", text: "I need the weather." },
        { _tag: "ToolCall", id: "t1", name: "get_weather", arguments: "{\"city\":\"Oslo\"}" },
        { _tag: "ToolCall", id: "t2", name: "get_time", arguments: "" },
        { _tag: "ToolCall", id: "t3", name: "get_time", arguments: "{\"zone" }
      ]),
      Prompt.tool([
        { _tag: "ToolResult", id: "t1", name: "get_weather", result: "3 °C" },
        { _tag: "ToolResult", id: "t2", name: "get_time", result: "noon", isError: true }
      ])
    ]
    assert.deepStrictEqual(sent({ prompt }).messages, [
      {
        role: "assistant",
        content: "",
        thinking: "I need the weather.",
        tool_calls: [
          { id: "t1", function: { name: "get_weather", arguments: { city: "Oslo" } } },
          { id: "t2", function: { name: "get_time", arguments: {} } },
          { id: "t3", function: { name: "get_time", arguments: { invalid_arguments: "{\"zone" } } }
        ]
      },
      { role: "tool", content: "3 °C", tool_name: "get_weather", tool_call_id: "t1" },
      { role: "tool", content: "noon", tool_name: "get_time", tool_call_id: "t2" }
    ])
  })

  it("offers tools, none of them where none may be called", () => {
    assert.deepStrictEqual(sent({ tools: [weather], toolChoice: "auto" }).tools, [{
      type: "function",
      function: { name: "get_weather", description: "The weather in a city, now", parameters: weather.parameters }
    }])
    assert.isUndefined(sent({ tools: [weather], toolChoice: "none" }).tools)
  })

  it("asks for JSON, and for JSON by schema", () => {
    const schema = { type: "object" }
    assert.strictEqual(sent({ format: { _tag: "Json" } }).format, "json")
    assert.deepStrictEqual(sent({ format: { _tag: "JsonSchema", name: "it", schema } }).format, schema)
    assert.isUndefined(sent({ format: { _tag: "Text" } }).format)
  })

  it("maps effort to thinking, and lets the request's own word win", () => {
    const efforts = ["none", "minimal", "low", "medium", "high"] as const
    assert.deepStrictEqual(
      efforts.map((effort) => sent({ reasoning: { effort } }).think),
      [false, "low", "low", "medium", "high"]
    )
    const think = sent({ reasoning: { effort: "low" }, providerOptions: { ollama: { think: "max" } } }).think
    assert.strictEqual(think, "max")
  })

  it("refuses before anything is sent what the server would ignore or cannot do", () => {
    const features = [
      refused({ prompt: Prompt.user([Prompt.imageUrl("https://example.com/a.jpg")]) }),
      refused({ prompt: Prompt.user([Prompt.file("JVBERg==", "application/pdf")]) }),
      refused({ tools: [weather], toolChoice: "required" }),
      refused({ tools: [weather], toolChoice: { tool: "get_weather" } })
    ].map((error) => error._tag === "Unsupported" ? error.feature : error)
    assert.deepStrictEqual(features, ["image by URL", "file", "toolChoice", "toolChoice"])
  })
})

describe("OllamaWire.toEmbedBody", () => {
  it("says what was asked and nothing else", () => {
    const body = (request: Partial<Embedding.Request>) =>
      JSON.parse(JSON.stringify(OllamaWire.toEmbedBody({ model: "m", input: ["a", "b"], ...request })))
    assert.deepStrictEqual(body({}), { model: "m", input: ["a", "b"] })
    assert.deepStrictEqual(
      body({ dimensions: 128, user: "u", providerOptions: { ollama: { truncate: false, keepAlive: 0 } } }),
      { model: "m", input: ["a", "b"], dimensions: 128, truncate: false, keep_alive: "0s" }
    )
  })
})

describe("OllamaWire.toCompletion", () => {
  const toCompletion = (body: unknown) =>
    OllamaWire.toCompletion(body, exchange({ model: "asked", prompt: "hi" }, "ollama"))

  it("reads reasoning, text, calls and counts", () => {
    const completion = Either.getOrThrow(toCompletion({
      model: "qwen3",
      created_at: "2026-11-24T10:52:17.616539758Z",
      message: {
        role: "assistant",
        content: "Looking.",
        thinking: "hm",
        tool_calls: [
          { function: { name: "get_weather", arguments: { city: "Oslo" } } },
          { id: "own", function: { index: 1, name: "get_time", arguments: {} } }
        ]
      },
      done: true,
      done_reason: "stop",
      prompt_eval_count: 5,
      eval_count: 4
    }))
    assert.deepStrictEqual(completion, Completion.make({
      model: "qwen3",
      content: [
        { _tag: "Reasoning", text: "hm" },
        { _tag: "Text", text: "Looking." },
        {
          _tag: "ToolCall",
          id: "call_20261124105217616539758_0",
          name: "get_weather",
          arguments: "{\"city\":\"Oslo\"}"
        },
        { _tag: "ToolCall", id: "own", name: "get_time", arguments: "{}" }
      ],
      finishReason: "tool-calls",
      usage: { inputTokens: 5, outputTokens: 4 }
    }))
  })

  it("gives calls without an id one that is the same at each reading and another in each answer", () => {
    const id = (created_at: unknown) =>
      Either.getOrThrow(toCompletion({ created_at, message: { tool_calls: [{ function: { name: "f" } }] } }))
        .toolCalls[0]?.id
    assert.strictEqual(id("2026-11-24T10:52:17Z"), id("2026-11-24T10:52:17Z"))
    assert.notStrictEqual(id("2026-11-24T10:52:17Z"), id("2026-11-24T10:52:18Z"))
    assert.match(id(undefined)!, /^[a-zA-Z0-9_-]+$/)
  })

  it("maps every reason to stop, none as an older server's stop", () => {
    const reason = (done_reason?: unknown) =>
      Either.getOrThrow(toCompletion({ message: { content: "x" }, done: true, done_reason })).finishReason
    assert.deepStrictEqual(
      ["stop", "length", "load", "unload", "toString", undefined].map(reason),
      ["stop", "length", "other", "other", "other", "stop"]
    )
  })

  it("fails with a typed error where there is no message", () => {
    assert.instanceOf(Either.getOrThrow(Either.flip(toCompletion([]))), LlmError.MalformedResponse)
    assert.instanceOf(Either.getOrThrow(Either.flip(toCompletion({ error: "no" }))), LlmError.ServerFault)
  })
})

describe("OllamaWire.reader", () => {
  const lines = (...lines: ReadonlyArray<object>) =>
    read(
      OllamaWire.reader(exchange({ model: "asked", prompt: "hi" }, "ollama")),
      lines.map((line) => ({ data: JSON.stringify(line) }))
    )

  it("reads reasoning, text and whole calls, and counts at the end", () => {
    const { ended, parts } = lines(
      { model: "qwen3", message: { role: "assistant", content: "", thinking: "h" }, done: false },
      { model: "qwen3", message: { role: "assistant", content: "", thinking: "m" }, done: false },
      { model: "qwen3", message: { role: "assistant", content: "Look" }, done: false },
      {
        model: "qwen3",
        created_at: "2026-11-24T10:52:17Z",
        message: { content: "", tool_calls: [{ function: { name: "f", arguments: { a: 1 } } }] },
        done: false
      },
      {
        model: "qwen3",
        created_at: "2026-11-24T10:52:17Z",
        message: { content: "", tool_calls: [{ id: "own", function: { name: "g", arguments: {} } }] },
        done: false
      },
      { model: "qwen3", message: { content: "" }, done: true, done_reason: "stop", prompt_eval_count: 5, eval_count: 4 }
    )
    const usage = { inputTokens: 5, outputTokens: 4 }
    assert.deepStrictEqual(parts, [
      { _tag: "Start", model: "qwen3" },
      { _tag: "ReasoningDelta", index: 0, text: "h" },
      { _tag: "ReasoningDelta", index: 0, text: "m" },
      { _tag: "TextDelta", text: "Look" },
      { _tag: "ToolCallStart", index: 0, id: "call_20261124105217_0", name: "f" },
      { _tag: "ToolCallDelta", index: 0, arguments: "{\"a\":1}" },
      { _tag: "ToolCallStart", index: 1, id: "own", name: "g" },
      { _tag: "ToolCallDelta", index: 1, arguments: "{}" },
      { _tag: "Finish", finishReason: "tool-calls", usage }
    ])
    assert.deepStrictEqual(ended, { _tag: "End", usage })
  })

  it("fails with the error that a line holds, after what came before it", () => {
    const { error, parts } = lines(
      { model: "m", message: { content: "a" }, done: false },
      { error: "an error was encountered while running the model: unexpected EOF" }
    )
    assert.strictEqual(parts.length, 2)
    assert.instanceOf(error, LlmError.ServerFault)
  })

  it("fails with a typed error for a line that is not JSON", () => {
    const reader = OllamaWire.reader(exchange({ model: "asked", prompt: "hi" }, "ollama"))
    assert.instanceOf(reader.frame({ data: "<html>" }, []), LlmError.MalformedResponse)
  })
})

describe("OllamaWire.toEmbeddings", () => {
  const toEmbeddings = (body: unknown) =>
    OllamaWire.toEmbeddings(body, exchange({ model: "asked", input: ["a", "b"] }, "ollama"))

  it("gives the vectors in the order of the texts", () => {
    assert.deepStrictEqual(
      Either.getOrThrow(toEmbeddings({ model: "m", embeddings: [[1, 2], [3, 4]], prompt_eval_count: 8 })),
      { model: "m", vectors: [[1, 2], [3, 4]], usage: { inputTokens: 8 } }
    )
  })

  it("fails with a typed error unless there is one vector for each text", () => {
    for (const embeddings of [undefined, [], [[1]], [[1], [2], [3]], [[1], ["2"]], [[1], null]]) {
      assert.instanceOf(Either.getOrThrow(Either.flip(toEmbeddings({ embeddings }))), LlmError.MalformedResponse)
    }
  })
})
