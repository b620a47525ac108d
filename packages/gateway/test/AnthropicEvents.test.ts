import { assert, describe, it } from "@effect/vitest"
import * as Completion from "@spillway/core/Completion"
import * as LlmError from "@spillway/core/LlmError"
import * as Prompt from "@spillway/core/Prompt"
import * as AnthropicEvents from "@spillway/gateway/AnthropicEvents"
import * as AnthropicOutbound from "@spillway/gateway/AnthropicOutbound"
import { Chunk, FastCheck as fc } from "effect"

const envelope = { id: "msg_req-1", model: "asked" }

const write = (parts: ReadonlyArray<Completion.Part>) => {
  const writer = AnthropicEvents.writer(envelope, { id: "req-1" })
  return parts.map((part) => writer.parts(Chunk.of(part))).join("") + writer.ended()
}

/** The data of every event, each held to the name before it. */
const read = (text: string): ReadonlyArray<any> =>
  text.split("\n\n").slice(0, -1).map((event) => {
    const [, name, data] = /^event: (\w+)\ndata: (.*)$/.exec(event) ?? []
    const parsed = JSON.parse(data ?? "")
    assert.strictEqual(parsed.type, name)
    return parsed
  })

/** The message that the events make, by a reader that knows one open block and no other. */
const collect = (events: ReadonlyArray<any>) => {
  let message: any
  let open: any
  let json = ""
  for (const event of events) {
    switch (event.type) {
      case "message_start":
        message = event.message
        break
      case "content_block_start":
        assert.isUndefined(open, "one block is open at a time")
        assert.strictEqual(event.index, message.content.length)
        open = event.content_block
        json = ""
        break
      case "content_block_delta":
        assert.strictEqual(event.index, message.content.length)
        open.text = event.delta.text === undefined ? open.text : open.text + event.delta.text
        open.thinking = event.delta.thinking === undefined ? open.thinking : open.thinking + event.delta.thinking
        open.signature = event.delta.signature === undefined ? open.signature : open.signature + event.delta.signature
        json += event.delta.partial_json ?? ""
        break
      case "content_block_stop":
        if (json !== "") open.input = JSON.parse(json)
        message.content.push(open)
        open = undefined
        break
      case "message_delta":
        assert.isUndefined(open)
        message = { ...message, ...event.delta, usage: event.usage }
        break
    }
  }
  return JSON.parse(JSON.stringify(message))
}

const start: Completion.Part = { _tag: "Start", id: "msg_1", model: "parrot" }
const finish: Completion.Part = { _tag: "Finish", finishReason: "tool-calls", usage: { inputTokens: 9, outputTokens: 3 } }
const call = (index: number): Completion.Part => ({ _tag: "ToolCallStart", index, id: `call_${index}`, name: `tool_${index}` })
const piece = (index: number, args: string): Completion.Part => ({ _tag: "ToolCallDelta", index, arguments: args })
const say = (text: string): Completion.Part => ({ _tag: "TextDelta", text })

describe("AnthropicEvents", () => {
  it("writes these bytes and no others", () => {
    assert.strictEqual(
      write([start, say("hel"), say(""), say("lo\u2028"), { ...finish, finishReason: "stop" }]),
      [
        "event: message_start",
        "data: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"parrot\"," +
        "\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,\"stop_details\":null,\"container\":null,\"diagnostics\":null," +
        "\"usage\":{\"input_tokens\":0,\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":0,\"output_tokens\":0," +
        "\"output_tokens_details\":null,\"server_tool_use\":null}}}",
        "",
        "event: content_block_start",
        "data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}",
        "",
        "event: content_block_delta",
        "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"hel\"}}",
        "",
        "event: content_block_delta",
        "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"lo\\u2028\"}}",
        "",
        "event: content_block_stop",
        "data: {\"type\":\"content_block_stop\",\"index\":0}",
        "",
        "event: message_delta",
        "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":null,\"stop_details\":null," +
        "\"container\":null},\"usage\":{\"input_tokens\":9,\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":0," +
        "\"output_tokens\":3,\"output_tokens_details\":null,\"server_tool_use\":null}}",
        "",
        "event: message_stop",
        "data: {\"type\":\"message_stop\"}",
        "",
        ""
      ].join("\n")
    )
  })

  it("tells thoughts apart, with what proves them", () => {
    const think = (index: number, more: object): Completion.Part => ({ _tag: "ReasoningDelta", index, text: "", ...more })
    const message = collect(read(write([
      start,
      think(0, { text: "a" }),
      think(0, { text: "b" }),
      think(0, { signature: "sig" }),
      think(1, { redacted: "sealed" }),
      think(2, { text: "c" }),
      think(3, { text: "d" }),
      say("e"),
      finish
    ])))
    assert.deepStrictEqual(message.content, [
      { type: "thinking", thinking: "ab", signature: "sig" },
      { type: "redacted_thinking", data: "sealed" },
      { type: "thinking", thinking: "c", signature: "" },
      { type: "thinking", thinking: "d", signature: "" },
      { type: "text", text: "e" }
    ])
  })

  it("says each call as it comes when calls come one after the other", () => {
    const writer = AnthropicEvents.writer(envelope, { id: "req-1" })
    const one = (part: Completion.Part) => read(writer.parts(Chunk.of(part))).map(({ type }) => type)
    one(start)
    assert.deepStrictEqual(one(call(0)), ["content_block_start"])
    assert.deepStrictEqual(one(piece(0, "{\"a\"")), ["content_block_delta"])
    assert.deepStrictEqual(one(piece(0, ":1}")), ["content_block_delta"])
    assert.deepStrictEqual(one(call(1)), ["content_block_stop", "content_block_start"])
    assert.deepStrictEqual(one(piece(1, "{}")), ["content_block_delta"])
    assert.deepStrictEqual(one(say("so")), ["content_block_stop", "content_block_start", "content_block_delta"])
    assert.deepStrictEqual(one(finish), ["content_block_stop", "message_delta"])
  })

  it("holds back what comes between the pieces of a call, until its arguments are complete", () => {
    const writer = AnthropicEvents.writer(envelope, { id: "req-1" })
    const texts = [start, call(0), call(1), piece(1, "{\"b\":"), piece(0, "{\"a\":1"), say("x"), piece(1, "2}"), piece(0, "}")]
      .map((part) => writer.parts(Chunk.of(part)))
    assert.deepStrictEqual(texts.map((text) => text !== ""), [true, true, false, false, true, false, false, true])
    const message = collect(read(texts.join("") + writer.parts(Chunk.of(finish))))
    assert.deepStrictEqual(message.content.map(({ input, text }: any) => input ?? text), [{ a: 1 }, { b: 2 }, "x"])
  })

  it("makes the same message as the whole answer, however the pieces of its calls are mixed", () => {
    const args = fc.constantFrom("{}", "{\"a\":1}", "{\"b\":{\"c\":\"}\"}}", "{\"d\":\"\u2028\"}")
    fc.assert(fc.property(
      fc.array(fc.tuple(args, fc.array(fc.nat(20), { maxLength: 3 })), { minLength: 1, maxLength: 4 }),
      fc.infiniteStream(fc.nat(100)),
      (calls, turns) => {
        const queues = calls.map(([args, cuts], index) => {
          const at = [0, ...cuts.map((cut) => cut % args.length).sort((a, b) => a - b), args.length]
          return [call(index), ...at.slice(1).map((end, i) => piece(index, args.slice(at[i], end)))]
        })
        const parts: Array<Completion.Part> = [start, say("first")]
        // starts come in order, and after that whatever comes next
        while (queues.some((queue) => queue.length > 0)) {
          const waiting = queues.findIndex(([head]) => head?._tag === "ToolCallStart")
          const open = queues.slice(0, waiting < 0 ? undefined : waiting + 1).filter((queue) => queue.length > 0)
          const queue = open[turns.next().value % open.length]!
          parts.push(queue.shift()!)
        }
        parts.push(finish)
        const whole = AnthropicOutbound.fromCompletion(Completion.fromParts(parts), envelope)
        const { content, ...rest } = collect(read(write(parts)))
        assert.deepStrictEqual(content, JSON.parse(JSON.stringify(whole.content)))
        assert.deepStrictEqual([rest.stop_reason, rest.usage], [whole.stop_reason, whole.usage])
      }
    ))
  })

  it("keeps what comes after a call without arguments, and cuts nothing off at the end", () => {
    const message = collect(read(write([start, call(0), call(1), say("x"), finish])))
    assert.deepStrictEqual(message.content.map(({ id, text }: any) => id ?? text), ["call_0", "call_1", "x"])
  })

  it("says of a stream that broke off what a response would have said", () => {
    const writer = AnthropicEvents.writer(envelope, { id: "req-1" })
    const text = writer.failed(new LlmError.StreamInterrupted({ backend: "scripted", message: "cut" }))
    assert.strictEqual(
      text,
      "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"cut\"," +
        "\"details\":{\"error_code\":\"stream_interrupted\"}},\"request_id\":\"req-1\"}\n\n"
    )
    assert.strictEqual(writer.heartbeat, "event: ping\ndata: {\"type\":\"ping\"}\n\n")
  })
})

describe("AnthropicOutbound", () => {
  it("counts cached tokens apart, and never below nothing", () => {
    const usage = (usage: Completion.Usage) => AnthropicOutbound.toUsage(usage)
    assert.deepInclude(usage({ inputTokens: 100, cachedInputTokens: 60, cacheWriteTokens: 10, outputTokens: 5 }), {
      input_tokens: 30,
      cache_read_input_tokens: 60,
      cache_creation_input_tokens: 10,
      output_tokens: 5
    })
    assert.strictEqual(usage({ cachedInputTokens: 60 }).input_tokens, 0)
    assert.deepStrictEqual(usage({ reasoningTokens: 7 }).output_tokens_details, { thinking_tokens: 7 })
  })

  it("has a reason for every end", () => {
    const reasons = (["stop", "length", "tool-calls", "content-filter", "other"] as const).map((finishReason) => {
      const { stop_details, stop_reason } = AnthropicOutbound.ending(finishReason)
      return [stop_reason, stop_details?.type]
    })
    assert.deepStrictEqual(reasons, [
      ["end_turn", undefined],
      ["max_tokens", undefined],
      ["tool_use", undefined],
      ["refusal", "refusal"],
      ["end_turn", undefined]
    ])
  })

  it("shows arguments that are no object under a name of their own, and no empty text", () => {
    const toolCall = (args: string): Prompt.ToolCallPart => ({ _tag: "ToolCall", id: "a", name: "b", arguments: args })
    const { content } = AnthropicOutbound.fromCompletion(
      Completion.make({
        model: "",
        content: [Prompt.text(""), toolCall("{\"a\":"), toolCall("[1]"), toolCall(" ")],
        finishReason: "tool-calls",
        usage: {}
      }),
      envelope
    )
    assert.deepStrictEqual(content.map((block) => "input" in block && block.input), [
      { invalid_arguments: "{\"a\":" },
      { invalid_arguments: "[1]" },
      {}
    ])
  })
})
