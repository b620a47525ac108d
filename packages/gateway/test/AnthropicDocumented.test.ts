/**
 * Every field that Anthropic documents, of the requests that the gateway takes in its words, is honoured, or refused by
 * its name, and never dropped. What may be said and changes nothing is listed one by one: it asks for what is done
 * anyway, or is sent back as it was received.
 */
import { assert, describe, it } from "@effect/vitest"
import * as AnthropicInbound from "@spillway/gateway/AnthropicInbound"
import { absent } from "../../providers/test/spec.js"
import { anthropic, type Asking, walk } from "./documented.js"

const base = { model: "a/b", messages: [{ role: "user", content: "hi" }] }

const asking: Omit<Asking, "base"> = {
  besides: { tool_choice: { tools: [{ name: "x", input_schema: { type: "object" } }] } },
  before: { messages: [{ role: "assistant", content: [{ type: "tool_use", id: "x", name: "x", input: {} }] }] },
  values: {
    url: "https://example.org/x",
    data: "aGk=",
    input: { a: 1 },
    input_schema: { type: "object" },
    schema: { type: "object" },
    budget_tokens: 2048
  }
}

const conversation = {
  honoured: [
    "cache_control",
    "cache_control.ttl",
    "messages[1].content[0].cache_control",
    "messages[1].content[0].cache_control.ttl",
    "messages[1].content[0].content",
    "messages[1].content[0].content[0]",
    "messages[1].content[0].content[0].cache_control",
    "messages[1].content[0].content[0].cache_control.ttl",
    "messages[1].content[0].content[0].source.content[0].cache_control",
    "messages[1].content[0].content[0].source.content[0].cache_control.ttl",
    "messages[1].content[0].content[0].title",
    "messages[1].content[0].is_error",
    "messages[1].content[0].source.content[0].cache_control",
    "messages[1].content[0].source.content[0].cache_control.ttl",
    "messages[1].content[0].title",
    "output_config.effort",
    "output_config.format",
    "system",
    "system[0]",
    "system[0].cache_control",
    "system[0].cache_control.ttl",
    "thinking",
    "tool_choice",
    "tool_choice.disable_parallel_tool_use",
    "tools[0]",
    "tools[0].cache_control",
    "tools[0].cache_control.ttl",
    "tools[0].description",
    "tools[0].input_schema.properties",
    "tools[0].input_schema.required[0]",
    "tools[0].strict"
  ],
  without: [
    "messages[1].content[0].caller = {\"type\":\"direct\"}",
    "messages[1].content[0].citations = {}",
    "messages[1].content[0].citations.enabled = false",
    "messages[1].content[0].content[0].citations = {}",
    "messages[1].content[0].content[0].citations.enabled = false",
    "messages[1].content[0].is_error = false",
    "output_config = {}",
    "speed = \"standard\"",
    "thinking.display = \"summarized\"",
    "tools[0].allowed_callers[0] = \"direct\"",
    "tools[0].defer_loading = false",
    // how finely arguments are streamed, and not which
    "tools[0].eager_input_streaming = false",
    "tools[0].eager_input_streaming = true",
    "tools[0].type = \"custom\""
  ]
}

describe(`every field that Anthropic documents${anthropic === undefined ? ` (${absent})` : ""}`, () => {
  it.skipIf(anthropic === undefined)("of a request for a message is honoured or refused", () => {
    const { honoured, refused, without, wrong } = walk(
      "MessageCreateParamsBase",
      { ...asking, base: { ...base, max_tokens: 20_000 } },
      AnthropicInbound.toMessage,
      anthropic
    )
    assert.deepStrictEqual(wrong, [])
    const own = ["metadata.user_id", "service_tier", "stop_sequences[0]", "stream"]
    assert.deepStrictEqual([...honoured].sort(), [...conversation.honoured, ...own].sort())
    assert.deepStrictEqual([...without].sort(), [...conversation.without, "metadata = {}", "stream = false"].sort())
    for (const field of ["container", "diagnostics", "inference_geo", "speed", "user_profile_id", "workspace_id"]) {
      assert.isTrue(refused.has(field), field)
    }
  })

  it.skipIf(anthropic === undefined)("of a request for a number of tokens is honoured or refused", () => {
    const walked = walk("MessageCountTokensParams", { ...asking, base }, AnthropicInbound.toCount, anthropic)
    assert.deepStrictEqual(walked.wrong, [])
    assert.deepStrictEqual([...walked.honoured].sort(), [...conversation.honoured].sort())
    assert.deepStrictEqual([...walked.without].sort(), [...conversation.without].sort())
  })
})
