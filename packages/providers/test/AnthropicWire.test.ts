import { assert, describe, it } from "@effect/vitest"
import * as Completion from "@spillway/core/Completion"
import * as LlmError from "@spillway/core/LlmError"
import * as Prompt from "@spillway/core/Prompt"
import * as Tool from "@spillway/core/Tool"
import * as AnthropicWire from "@spillway/providers/AnthropicWire"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import * as AnthropicAnswer from "../src/internal/anthropicAnswer.js"
import * as AnthropicStream from "../src/internal/anthropicStream.js"
import { exchange, read } from "./exchange.js"

const settings: AnthropicWire.Settings = { backend: "anthropic", version: "2023-06-01", maxTokens: 4096 }

const weather = Tool.make("get_weather", {
  description: "The weather in a city, now",
  parameters: Schema.Struct({ city: Schema.String })
})

/** What is sent, as the other side reads it. */
const sent = (request: Partial<Completion.Request>, stream = false, version = settings.version): any =>
  JSON.parse(JSON.stringify(Either.getOrThrow(
    AnthropicWire.toBody({ model: "claude-sonnet-5", prompt: "hi", ...request }, { ...settings, version }, stream)
  )))

const refused = (request: Partial<Completion.Request>, version = settings.version) =>
  Either.getOrThrow(Either.flip(
    AnthropicWire.toBody({ model: "claude-sonnet-5", prompt: "hi", ...request }, { ...settings, version }, false)
  ))

describe("AnthropicWire.toBody", () => {
  it("says max_tokens even where the request does not, and nothing else that was not asked for", () => {
    assert.deepStrictEqual(sent({}), {
      model: "claude-sonnet-5",
      max_tokens: 4096,
      messages: [{ role: "user", content: [{ type: "text", text: "hi" }] }]
    })
    assert.strictEqual(sent({ maxTokens: 7 }).max_tokens, 7)
    assert.strictEqual(sent({}, true).stream, true)
  })

  it("lifts system messages out of the conversation, in their order", () => {
    const prompt = [Prompt.system("Be brief."), Prompt.user("hi")]
    assert.strictEqual(sent({ prompt }).system, "Be brief.")
    assert.deepStrictEqual(sent({ prompt: [...prompt, Prompt.system("Be kind.")] }).system, [
      { type: "text", text: "Be brief." },
      { type: "text", text: "Be kind." }
    ])
    assert.strictEqual(sent({ prompt }).messages.length, 1)
  })

  it("makes one message of neighbours of one role, tool results and the user's words among them", () => {
    const prompt: Prompt.Prompt = [
      Prompt.user("Weather?"),
      Prompt.assistant([
        Prompt.text("Let me look."),
        { _tag: "ToolCall", id: "t1", name: "get_weather", arguments: "{\"city\":\"Oslo\"}" },
        { _tag: "ToolCall", id: "t2", name: "get_time", arguments: "" }
      ]),
      Prompt.tool([{ _tag: "ToolResult", id: "t1", name: "get_weather", result: "3 °C" }]),
      Prompt.tool([{ _tag: "ToolResult", id: "t2", name: "get_time", result: "no clock", isError: true }]),
      Prompt.user("And tomorrow?")
    ]
    assert.deepStrictEqual(sent({ prompt }).messages, [
      { role: "user", content: [{ type: "text", text: "Weather?" }] },
      {
        role: "assistant",
        content: [
          { type: "text", text: "Let me look." },
          { type: "tool_use", id: "t1", name: "get_weather", input: { city: "Oslo" } },
          { type: "tool_use", id: "t2", name: "get_time", input: {} }
        ]
      },
      {
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "t1", content: "3 °C" },
          { type: "tool_result", tool_use_id: "t2", content: "no clock", is_error: true },
          { type: "text", text: "And tomorrow?" }
        ]
      }
    ])
  })

  it("sends signed and sealed reasoning back as it came, and drops what another backend reasoned", () => {
    const prompt = [
      Prompt.user("hi"),
      Prompt.assistant([
        { _tag: "Reasoning", text: "hm", signature: "sig" },
        { _tag: "Reasoning", text: "", redacted: "sealed" },
        { _tag: "Reasoning", text: "unsigned" },
        Prompt.text("yes")
      ]),
      Prompt.user("why?")
    ]
    assert.deepStrictEqual(sent({ prompt }).messages[1].content, [
      { type: "thinking", thinking: "hm", signature: "sig" },
      { type: "redacted_thinking", data: "sealed" },
      { type: "text", text: "yes" }
    ])
  })

  it("leaves out texts that are empty, which the API refuses", () => {
    const texts = ["", "so?"].map(Prompt.text)
    const prompt = [Prompt.system(""), Prompt.user("hi"), Prompt.assistant(""), Prompt.user(texts)]
    assert.deepStrictEqual(sent({ prompt }).messages, [
      { role: "user", content: [{ type: "text", text: "hi" }, { type: "text", text: "so?" }] }
    ])
    assert.isUndefined(sent({ prompt }).system)
  })

  it("shows the model the arguments it wrote even where they are no JSON object", () => {
    const call = (args: string) => {
      const prompt = [Prompt.assistant([{ _tag: "ToolCall", id: "t", name: "f", arguments: args }])]
      return sent({ prompt }).messages[0].content[0].input
    }
    assert.deepStrictEqual(call("{\"city\": \"Os"), { invalid_arguments: "{\"city\": \"Os" })
    assert.deepStrictEqual(call("[1]"), { invalid_arguments: "[1]" })
  })

  it("sends pictures and documents by bytes and by address", () => {
    const content = [
      Prompt.image("aGk=", "image/png"),
      Prompt.imageUrl("https://example.com/a.jpg"),
      Prompt.file("JVBERg==", "application/pdf", "report.pdf"),
      Prompt.file(new TextEncoder().encode("Grüße"), "text/markdown"),
      { _tag: "File" as const, source: Prompt.fromUrl("https://example.com/b.pdf") }
    ]
    assert.deepStrictEqual(sent({ prompt: Prompt.user(content) }).messages[0].content, [
      { type: "image", source: { type: "base64", media_type: "image/png", data: "aGk=" } },
      { type: "image", source: { type: "url", url: "https://example.com/a.jpg" } },
      {
        type: "document",
        source: { type: "base64", media_type: "application/pdf", data: "JVBERg==" },
        title: "report.pdf"
      },
      { type: "document", source: { type: "text", media_type: "text/plain", data: "Grüße" } },
      { type: "document", source: { type: "url", url: "https://example.com/b.pdf" } }
    ])
  })

  it("refuses files that it cannot read before anything is sent", () => {
    const sound = refused({ prompt: Prompt.user([Prompt.file("AAAA", "audio/wav")]) })
    assert.instanceOf(sound, LlmError.Unsupported)
    assert.strictEqual((sound as LlmError.Unsupported).feature, "file of type audio/wav")
    const broken = refused({ prompt: Prompt.user([Prompt.file("%%%", "text/plain")]) })
    assert.instanceOf(broken, LlmError.InvalidRequest)
  })

  it("offers tools, and says which may, must or must not be called, how many at once", () => {
    const choice = (request: Partial<Completion.Request>) => sent({ tools: [weather], ...request }).tool_choice
    assert.deepStrictEqual(sent({ tools: [weather] }).tools, [{
      name: "get_weather",
      description: "The weather in a city, now",
      input_schema: weather.parameters
    }])
    assert.isUndefined(choice({}))
    assert.deepStrictEqual(choice({ toolChoice: "auto" }), { type: "auto" })
    assert.deepStrictEqual(choice({ toolChoice: "none" }), { type: "none" })
    assert.deepStrictEqual(choice({ toolChoice: "required" }), { type: "any" })
    assert.deepStrictEqual(choice({ toolChoice: { tool: "get_weather" } }), { type: "tool", name: "get_weather" })
    assert.deepStrictEqual(choice({ parallelToolCalls: false }), { type: "auto", disable_parallel_tool_use: true })
    assert.deepStrictEqual(choice({ parallelToolCalls: false, toolChoice: "required" }), {
      type: "any",
      disable_parallel_tool_use: true
    })
    assert.isUndefined(sent({ toolChoice: "required" }).tool_choice)
  })

  it("asks for an answer by schema natively, and for some JSON in the system prompt", () => {
    const schema = { type: "object", properties: {}, additionalProperties: false }
    assert.deepStrictEqual(sent({ format: { _tag: "JsonSchema", name: "it", schema } }).output_config, {
      format: { type: "json_schema", schema }
    })
    const json = sent({ format: { _tag: "Json" }, prompt: [Prompt.system("Be brief."), Prompt.user("hi")] })
    assert.isUndefined(json.output_config)
    assert.strictEqual(json.system.length, 2)
    assert.include(json.system[1].text, "JSON")
  })

  it("maps effort to adaptive thinking, and takes a budget of tokens where a model wants one", () => {
    const effort = (effort: "none" | "minimal" | "low" | "medium" | "high") => {
      const { output_config, thinking } = sent({ reasoning: { effort } })
      return [thinking, output_config]
    }
    assert.deepStrictEqual(effort("none"), [{ type: "disabled" }, undefined])
    assert.deepStrictEqual(effort("minimal"), [{ type: "adaptive" }, { effort: "low" }])
    assert.deepStrictEqual(effort("high"), [{ type: "adaptive" }, { effort: "high" }])
    const budget = sent({ providerOptions: { anthropic: { thinking: { budgetTokens: 2000 } } } })
    assert.deepStrictEqual(budget.thinking, { type: "enabled", budget_tokens: 2000 })
    assert.strictEqual(budget.max_tokens, 6096)
    assert.deepStrictEqual(
      sent({ reasoning: { effort: "low" }, providerOptions: { anthropic: { thinking: "between_tools" } } }).thinking,
      { type: "between_tools" }
    )
  })

  it("takes an effort of Anthropic's own in place of the common word, and says none beside a budget", () => {
    const said = (anthropic: AnthropicWire.RequestOptions) => {
      const { output_config, thinking } = sent({ reasoning: { effort: "high" }, providerOptions: { anthropic } })
      return [thinking, output_config]
    }
    assert.deepStrictEqual(said({ effort: "max" }), [undefined, { effort: "max" }])
    assert.deepStrictEqual(said({ effort: "xhigh", thinking: "adaptive" }), [{ type: "adaptive" }, { effort: "xhigh" }])
    assert.deepStrictEqual(said({ thinking: "adaptive" }), [{ type: "adaptive" }, { effort: "high" }])
    const budget = { type: "enabled", budget_tokens: 2000 }
    assert.deepStrictEqual(said({ thinking: { budgetTokens: 2000 } }), [budget, undefined])
    assert.deepStrictEqual(said({ thinking: { budgetTokens: 2000 }, effort: "low" }), [budget, { effort: "low" }])
  })

  it("passes on sampling, stops, the user and what only Anthropic has", () => {
    const body = sent({
      temperature: 0,
      topP: 0.5,
      topK: 3,
      stop: ["END"],
      user: "u-1",
      seed: 1,
      presencePenalty: 1,
      providerOptions: { anthropic: { cacheControl: { ttl: "1h" }, serviceTier: "standard_only" } }
    })
    assert.deepStrictEqual(body, {
      ...sent({}),
      temperature: 0,
      top_p: 0.5,
      top_k: 3,
      stop_sequences: ["END"],
      metadata: { user_id: "u-1" },
      cache_control: { type: "ephemeral", ttl: "1h" },
      service_tier: "standard_only"
    })
  })

  it("marks up to where a prompt is kept: its tools, its system messages, its end", () => {
    const body = (at: ReadonlyArray<"tools" | "system" | "prompt"> | undefined, more: object = {}) =>
      sent({
        prompt: [Prompt.system("Be brief."), Prompt.system("Be kind."), Prompt.user("hi")],
        tools: [{ name: "a", parameters: {} }, { name: "b", parameters: {} }],
        providerOptions: { anthropic: { cacheControl: { ...(at && { at }) } } },
        ...more
      })
    const mark = { type: "ephemeral" }
    const marked = ({ cache_control, system, tools }: any) => [
      ...(tools ?? []).flatMap((tool: any) => tool.cache_control === undefined ? [] : [tool.name]),
      ...(typeof system === "string" ? [] : system ?? []).flatMap((block: any) =>
        block.cache_control === undefined ? [] : [block.text]
      ),
      ...(cache_control === undefined ? [] : ["prompt"])
    ]
    assert.deepStrictEqual(marked(body(undefined)), ["prompt"])
    assert.deepStrictEqual(marked(body(["tools", "system", "prompt"])), ["b", "Be kind.", "prompt"])
    assert.deepStrictEqual(body(["system"]).system[1], { type: "text", text: "Be kind.", cache_control: mark })
    assert.deepStrictEqual(marked(body([])), [])
    assert.deepStrictEqual(marked(body(["tools", "system"], { prompt: "hi", tools: [] })), [])
  })

  it("refuses sampling parameters on the API version that refuses them, and names which", () => {
    const error = refused({ topP: 1 }, "2026-10-21")
    assert.instanceOf(error, LlmError.Unsupported)
    assert.strictEqual((error as LlmError.Unsupported).feature, "topP")
    assert.include(error.message, "2023-06-01")
    assert.strictEqual(sent({}, false, "2026-10-21").max_tokens, 4096)
  })
})

describe("AnthropicAnswer.toCompletion", () => {
  const toCompletion = (body: unknown) =>
    AnthropicAnswer.toCompletion(body, exchange({ model: "asked", prompt: "hi" }, "anthropic"))

  it("keeps text, reasoning and calls in the order of the model, and counts cached tokens as input", () => {
    const completion = Either.getOrThrow(toCompletion({
      id: "msg_1",
      type: "message",
      model: "claude-sonnet-5-20261001",
      content: [
        { type: "thinking", thinking: "hm", signature: "sig" },
        { type: "redacted_thinking", data: "sealed" },
        { type: "text", text: "Looking.", citations: null },
        { type: "server_tool_use", id: "srv", name: "web_search", input: {} },
        { type: "tool_use", id: "t1", name: "get_weather", input: { city: "Oslo" } },
        { type: "tool_use", id: "t2", name: "get_time", input: {} },
        "nonsense"
      ],
      stop_reason: "tool_use",
      usage: {
        input_tokens: 10,
        cache_creation_input_tokens: 100,
        cache_read_input_tokens: 1000,
        output_tokens: 20,
        output_tokens_details: { thinking_tokens: 5 }
      }
    }))
    assert.deepStrictEqual(completion, Completion.make({
      id: "msg_1",
      model: "claude-sonnet-5-20261001",
      content: [
        { _tag: "Reasoning", text: "hm", signature: "sig" },
        { _tag: "Reasoning", text: "", redacted: "sealed" },
        { _tag: "Text", text: "Looking." },
        { _tag: "ToolCall", id: "t1", name: "get_weather", arguments: "{\"city\":\"Oslo\"}" },
        { _tag: "ToolCall", id: "t2", name: "get_time", arguments: "{}" }
      ],
      finishReason: "tool-calls",
      usage: {
        inputTokens: 1110,
        outputTokens: 20,
        cachedInputTokens: 1000,
        cacheWriteTokens: 100,
        reasoningTokens: 5
      }
    }))
  })

  it("needs nothing but the content, and believes no count that cannot be", () => {
    const completion = Either.getOrThrow(
      toCompletion({ content: [], usage: { input_tokens: -1, output_tokens: 1.5, cache_read_input_tokens: null } })
    )
    assert.deepStrictEqual(completion, Completion.make({
      model: "asked",
      content: [],
      finishReason: "other",
      usage: {}
    }))
  })

  it("maps every reason to stop, later ones to other", () => {
    const reason = (stop_reason: unknown) => Either.getOrThrow(toCompletion({ content: [], stop_reason })).finishReason
    assert.deepStrictEqual(
      [
        "end_turn",
        "stop_sequence",
        "max_tokens",
        "model_context_window_exceeded",
        "tool_use",
        "refusal",
        "pause_turn",
        "constructor",
        null
      ].map(reason),
      ["stop", "stop", "length", "length", "tool-calls", "content-filter", "other", "other", "other"]
    )
  })

  it("fails with a typed error where there is no message", () => {
    assert.instanceOf(Either.getOrThrow(Either.flip(toCompletion({}))), LlmError.MalformedResponse)
    assert.instanceOf(Either.getOrThrow(Either.flip(toCompletion(null))), LlmError.MalformedResponse)
    const error = toCompletion({ type: "error", error: { type: "overloaded_error", message: "Overloaded" } })
    assert.instanceOf(Either.getOrThrow(Either.flip(error)), LlmError.ServerFault)
  })

  it("gives back in the next turn what the model said in this one", () => {
    const content = [
      { type: "thinking", thinking: "", signature: "only-signed" },
      { type: "redacted_thinking", data: "sealed" },
      { type: "text", text: "Looking." },
      { type: "tool_use", id: "t1", name: "f", input: { a: [1, { b: null }] } }
    ]
    const completion = Either.getOrThrow(toCompletion({ content }))
    assert.deepStrictEqual(sent({ prompt: [Prompt.assistant(completion.content)] }).messages[0].content, content)
  })
})

describe("Anthropic's stream", () => {
  const events = (...events: ReadonlyArray<object>) =>
    read(AnthropicStream.reader(exchange({ model: "asked", prompt: "hi" }, "anthropic")), events.map((event) => ({
      event: (event as { type: string }).type,
      data: JSON.stringify(event)
    })))

  const start = {
    type: "message_start",
    message: { id: "msg_1", model: "claude", usage: { input_tokens: 3, cache_read_input_tokens: 4, output_tokens: 1 } }
  }
  const block = (index: number, content_block: object) => ({ type: "content_block_start", index, content_block })
  const delta = (index: number, delta: object) => ({ type: "content_block_delta", index, delta })
  const closed = (index: number) => ({ type: "content_block_stop", index })
  const stopped = (stop_reason: string, usage: object = { output_tokens: 9 }) => ({
    type: "message_delta",
    delta: { stop_reason },
    usage
  })
  const end = { type: "message_stop" }

  it("reads text, and counts as totals what comes first and what comes last", () => {
    const { ended, parts } = events(
      start,
      { type: "ping" },
      block(0, { type: "text", text: "" }),
      delta(0, { type: "text_delta", text: "Hel" }),
      delta(0, { type: "text_delta", text: "lo" }),
      closed(0),
      stopped("end_turn", { input_tokens: null, output_tokens: 9 }),
      end
    )
    const usage = { inputTokens: 7, outputTokens: 9, cachedInputTokens: 4 }
    assert.deepStrictEqual(parts, [
      { _tag: "Start", id: "msg_1", model: "claude" },
      { _tag: "TextDelta", text: "Hel" },
      { _tag: "TextDelta", text: "lo" },
      { _tag: "Finish", finishReason: "stop", usage }
    ])
    assert.deepStrictEqual(ended, { _tag: "End", usage })
  })

  it("keeps reasoning with its signature, and sealed reasoning", () => {
    const { parts } = events(
      start,
      block(0, { type: "thinking", thinking: "", signature: "" }),
      delta(0, { type: "thinking_delta", thinking: "hm" }),
      delta(0, { type: "signature_delta", signature: "sig" }),
      closed(0),
      block(1, { type: "redacted_thinking", data: "sealed" }),
      closed(1),
      block(2, { type: "text", text: "" }),
      delta(2, { type: "text_delta", text: "yes" }),
      closed(2),
      stopped("end_turn"),
      end
    )
    assert.deepStrictEqual(Completion.fromParts(parts).content, [
      { _tag: "Reasoning", text: "hm", signature: "sig" },
      { _tag: "Reasoning", text: "", redacted: "sealed" },
      { _tag: "Text", text: "yes" }
    ])
  })

  it("reads tool calls, and {} for a tool that takes nothing", () => {
    const { parts } = events(
      start,
      block(0, { type: "tool_use", id: "t1", name: "get_weather", input: {} }),
      delta(0, { type: "input_json_delta", partial_json: "" }),
      delta(0, { type: "input_json_delta", partial_json: "{\"city\":" }),
      delta(0, { type: "input_json_delta", partial_json: "\"Oslo\"}" }),
      closed(0),
      block(1, { type: "tool_use", id: "t2", name: "get_time", input: {} }),
      delta(1, { type: "input_json_delta", partial_json: "" }),
      closed(1),
      block(2, { type: "tool_use", id: "t3", name: "never_closed", input: {} }),
      stopped("tool_use"),
      end
    )
    const completion = Completion.fromParts(parts)
    assert.deepStrictEqual(completion.toolCalls.map(({ arguments: args, id }) => [id, args]), [
      ["t1", "{\"city\":\"Oslo\"}"],
      ["t2", "{}"],
      ["t3", "{}"]
    ])
    assert.strictEqual(completion.finishReason, "tool-calls")
    assert.strictEqual(parts.at(-1)?._tag, "Finish")
  })

  it("skips events, blocks and deltas that it does not know", () => {
    const { ended, parts } = events(
      start,
      { type: "message_weighed", grams: 3 },
      block(0, { type: "web_search_tool_result", content: [] }),
      delta(0, { type: "hologram_delta", hologram: "…" }),
      closed(0),
      block(1, { type: "text", text: "" }),
      delta(1, { type: "citations_delta", citation: {} }),
      delta(1, { type: "text_delta", text: "ok" }),
      closed(1),
      stopped("end_turn"),
      end
    )
    assert.deepStrictEqual(parts.map((part) => part._tag), ["Start", "TextDelta", "Finish"])
    assert.strictEqual(ended?._tag, "End")
  })

  it("starts once, even where message_start never came", () => {
    const { parts } = events(block(0, { type: "text", text: "hi" }), end)
    assert.deepStrictEqual(parts, [
      { _tag: "Start", model: "asked" },
      { _tag: "TextDelta", text: "hi" },
      { _tag: "Finish", finishReason: "other", usage: {} }
    ])
  })

  it("fails with the error that the backend sends, and with a typed one for what is not its wire", () => {
    const sentError = events(start, { type: "error", error: { type: "overloaded_error", message: "Overloaded" } })
    assert.instanceOf(sentError.error, LlmError.ServerFault)
    const reader = AnthropicStream.reader(exchange({ model: "asked", prompt: "hi" }, "anthropic"))
    assert.instanceOf(reader.frame({ event: "message_start", data: "<html>" }, []), LlmError.MalformedResponse)
  })
})
