/**
 * Anthropic's messages as a conversation.
 *
 * @since 0.1.0
 */
import { blocks, isOwn } from "./AnthropicRequest.js"
import * as Fields from "./Fields.js"
import type * as Models from "./Models.js"
import type * as Reply from "./Reply.js"

/**
 * The conversation of a request for an answer of about `length` tokens.
 *
 * @since 0.1.0
 * @category conversions
 */
export const from = (body: Fields.Json, model: Models.Model, length: number): Reply.Conversation => {
  const wanted: Fields.Json = Fields.isJson(body["tool_choice"]) ? body["tool_choice"] : {}
  const output: Fields.Json = Fields.isJson(body["output_config"]) ? body["output_config"] : {}
  const thinking: Fields.Json = Fields.isJson(body["thinking"]) ? body["thinking"] : {}
  const messages = Fields.objects(body["messages"])
  const names = new Map(
    messages
      .flatMap(blocks)
      .filter((one) => one["type"] === "tool_use")
      .map((one) => [one["id"], Fields.stringOf(one["name"])])
  )
  const said = spoken(body["system"])
  return {
    model: model.snapshot,
    turns: [
      ...(said === "" ? [] : [{ role: "system" as const, text: said, shown: [] }]),
      ...messages.flatMap((one) => turns(one, names))
    ],
    tools: Fields.objects(body["tools"])
      .filter(isOwn)
      .map((one) => ({ name: Fields.stringOf(one["name"]), parameters: one["input_schema"] })),
    choice: choices(wanted),
    parallel: wanted["disable_parallel_tool_use"] !== true,
    format: Fields.isJson(output["format"]) ? { schema: output["format"]["schema"] } : "text",
    reasoning:
      thinking["type"] === "enabled" ||
      thinking["type"] === "adaptive" ||
      (model.kind === "reasoning" && thinking["type"] !== "disabled"),
    maxTokens: typeof body["max_tokens"] === "number" ? body["max_tokens"] : Infinity,
    stop: Array.isArray(body["stop_sequences"]) ? body["stop_sequences"].map(Fields.stringOf) : [],
    length,
    variant: 0
  }
}

const choices = (wanted: Fields.Json): Reply.Conversation["choice"] =>
  wanted["type"] === "any"
    ? "required"
    : wanted["type"] === "none"
      ? "none"
      : wanted["type"] === "tool"
        ? { name: Fields.stringOf(wanted["name"]) }
        : "auto"

const spoken = (content: unknown): string =>
  typeof content === "string"
    ? content
    : Fields.objects(content)
        .map((one) => Fields.stringOf(one["text"]))
        .filter((one) => one !== "")
        .join("\n")

// A user's message with results of tools in it is first these results, then, if there is more, what the user says.
const turns = (message: Fields.Json, names: ReadonlyMap<unknown, string>): ReadonlyArray<Reply.Turn> => {
  const parts = blocks(message)
  const results = parts
    .filter((one) => one["type"] === "tool_result")
    .map((one): Reply.Turn => ({
      role: "tool",
      text: spoken(one["content"]),
      shown: Fields.objects(one["content"]).flatMap(shown),
      tool: names.get(one["tool_use_id"])
    }))
  const role = message["role"] === "assistant" ? "assistant" : message["role"] === "system" ? "system" : "user"
  const text = spoken(message["content"])
  return results.length > 0 && text === "" ? results : [...results, { role, text, shown: parts.flatMap(shown) }]
}

const shown = (part: Fields.Json): ReadonlyArray<string> => {
  const source: Fields.Json = Fields.isJson(part["source"]) ? part["source"] : {}
  const type =
    typeof source["media_type"] === "string"
      ? ` (${source["media_type"]})`
      : source["type"] === "url"
        ? " by its address"
        : ""
  return part["type"] === "image" ? [`an image${type}`] : part["type"] === "document" ? [`a document${type}`] : []
}
