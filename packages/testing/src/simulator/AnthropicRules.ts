/**
 * What Anthropic's API demands of a request beyond the form of its fields, in its own words.
 *
 * @see https://docs.claude.com/en/api/messages
 * @since 0.1.0
 */
import * as Encoding from "effect/Encoding"
import { blocks, maxTokens, newest } from "./AnthropicRequest.js"
import * as Fields from "./Fields.js"
import * as Seed from "./Seed.js"

const ids = (message: Fields.Json | undefined, type: string, member: string): ReadonlyArray<string> =>
  blocks(message)
    .filter((one) => one["type"] === type)
    .map((one) => Fields.stringOf(one[member]))

/**
 * The first rule that is broken, in the service's words.
 *
 * @since 0.1.0
 * @category conversions
 */
export const broken = (body: Fields.Json, version: string, seed: number): string | undefined => {
  const messages = Fields.objects(body["messages"])
  return (
    samplingRule(body, version) ??
    blockRule(messages, version) ??
    lengthRule(body) ??
    toolRule(body) ??
    messages.reduce<string | undefined>((found, _, index) => found ?? messageRule(messages, index, seed), undefined) ??
    thinkingRule(body, messages)
  )
}

const samplingRule = (body: Fields.Json, version: string): string | undefined => {
  const used =
    version === newest ? ["temperature", "top_p", "top_k"].find((name) => body[name] !== undefined) : undefined
  return used === undefined ? undefined : `${used}: sampling parameters are not supported in API version ${newest}`
}

// What the older version accepted without a use for it.
const blockRule = (messages: ReadonlyArray<Fields.Json>, version: string): string | undefined => {
  if (version !== newest) return undefined
  for (const [index, message] of messages.entries()) {
    for (const [at, block] of blocks(message).entries()) {
      const place = `messages.${index}.content.${at}`
      if (message["role"] === "assistant" && block["type"] === "document") {
        return `${place}: document blocks are not permitted in assistant messages`
      }
      if (message["role"] === "user" && block["type"] === "text" && Array.isArray(block["citations"])) {
        return `${place}.citations: Extra inputs are not permitted`
      }
    }
  }
  return undefined
}

const lengthRule = (body: Fields.Json): string | undefined => {
  const wanted = body["max_tokens"]
  if (typeof wanted !== "number") return undefined
  if (wanted > maxTokens) {
    return `max_tokens: ${wanted} > ${maxTokens}, which is the maximum allowed number of output tokens for ${Fields.stringOf(body["model"])}`
  }
  const thinking = body["thinking"]
  const budget = Fields.isJson(thinking) ? thinking["budget_tokens"] : undefined
  return typeof budget === "number" && budget >= wanted
    ? "`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking#max-tokens-and-context-window-size"
    : undefined
}

const toolRule = (body: Fields.Json): string | undefined => {
  const wanted = body["tool_choice"]
  if (!Fields.isJson(wanted) || wanted["type"] === "none") return undefined
  const offered = Fields.objects(body["tools"])
  if (offered.length === 0) return "tool_choice may only be specified while providing tools."
  return wanted["type"] === "tool" && !offered.some((one) => one["name"] === wanted["name"])
    ? `Tool '${Fields.stringOf(wanted["name"])}' not found in provided tools`
    : undefined
}

const messageRule = (messages: ReadonlyArray<Fields.Json>, index: number, seed: number): string | undefined => {
  const current = messages[index]
  const next = messages[index + 1]
  const previous = messages[index - 1]
  if (index === 0 && current?.["role"] === "assistant") return 'messages: first message must use the "user" role'
  const empty = current?.["content"] === "" || (Array.isArray(current?.["content"]) && current["content"].length === 0)
  if (empty && !(next === undefined && current["role"] === "assistant")) {
    return `messages.${index}: all messages must have non-empty content except for the optional final assistant message`
  }
  const uses = ids(current, "tool_use", "id")
  const results = ids(current, "tool_result", "tool_use_id")
  const asked = ids(previous, "tool_use", "id")
  const stray = results.find((id) => !asked.includes(id))
  if (stray !== undefined) {
    const at = blocks(current).findIndex((one) => one["tool_use_id"] === stray)
    return `messages.${index}.content.${at}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${stray}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`
  }
  const unanswered = uses.filter((id) => !ids(next, "tool_result", "tool_use_id").includes(id))
  if (unanswered.length > 0) {
    return `messages.${index}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${unanswered.join(", ")}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`
  }
  const forged = blocks(current).findIndex(
    (one) => one["type"] === "thinking" && one["signature"] !== signature(Fields.stringOf(one["thinking"]), seed)
  )
  return forged >= 0 ? `messages.${index}.content.${forged}: Invalid \`signature\` in \`thinking\` block` : undefined
}

// While the model thinks, the turn of its that called a tool has to come back with its thoughts.
const thinkingRule = (body: Fields.Json, messages: ReadonlyArray<Fields.Json>): string | undefined => {
  const thinking = body["thinking"]
  const last = messages.findLastIndex((one) => one["role"] === "assistant")
  if (!Fields.isJson(thinking) || thinking["type"] !== "enabled" || last < 0) return undefined
  const first = blocks(messages[last])[0]?.["type"]
  return ids(messages[last], "tool_use", "id").length > 0 && first !== "thinking" && first !== "redacted_thinking"
    ? `messages.${last}.content.0.type: Expected \`thinking\` or \`redacted_thinking\`, but found \`${Fields.stringOf(first)}\`. When \`thinking\` is enabled, a final \`assistant\` message must start with a thinking block (preceeding the lastmost set of \`tool_use\` and \`tool_result\` blocks).`
    : undefined
}

/**
 * What proves that a thought is the model's own.
 *
 * @since 0.1.0
 * @category constructors
 */
export const signature = (thinking: string, seed: number): string =>
  Encoding.encodeBase64(Seed.identifier(Seed.of(`${seed}\n${thinking}`), 48))
