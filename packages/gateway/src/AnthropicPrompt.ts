/**
 * A conversation of Anthropic's wire as a prompt of core, and up to where it is kept.
 *
 * How they differ: there, what a tool answered is a block of the user's next message, and may hold pictures; here it is
 * a message of its own, of text, and the pictures follow it as the user's. There, any block may be marked as the end of
 * what is kept for later requests; here a mark stands for the tools, the system messages or the prompt that it is in.
 *
 * @since 0.1.0
 */
import * as Prompt from "@spillway/core/Prompt"
import type * as AnthropicWire from "@spillway/providers/AnthropicWire"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import { isNotNullable } from "effect/Predicate"
import type * as AnthropicFields from "./AnthropicFields.js"
import { field, type Refusal } from "./Refusal.js"

type Conversation = AnthropicFields.Conversation

/**
 * The prompt of a conversation.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = ({ messages, system }: Conversation): Either.Either<Prompt.Prompt, Refusal> => {
  const prompt: Array<Prompt.Message> = []
  const names = new Map<string, string>()
  if (isNotNullable(system) && system.length > 0) prompt.push(Prompt.system(toText(system)))
  for (const [i, message] of messages.entries()) {
    switch (message.role) {
      case "system":
        prompt.push(Prompt.system(toText(message.content)))
        break
      case "assistant":
        if (typeof message.content !== "string") {
          for (const block of message.content) if (block.type === "tool_use") names.set(block.id, block.name)
        }
        prompt.push(
          Prompt.assistant(
            typeof message.content === "string"
              ? message.content
              // an empty answer is an answer
              : message.content.length === 0 ? "" : message.content.map(toAssistantPart)
          )
        )
        break
      case "user": {
        if (typeof message.content === "string") {
          prompt.push(Prompt.user(message.content))
          break
        }
        const unknown = message.content.findIndex((block) =>
          block.type === "tool_result" && !names.has(block.tool_use_id)
        )
        if (unknown >= 0) {
          return Either.left(
            field(`messages[${i}].content[${unknown}].tool_use_id`, "is not the id of a call in a message before")
          )
        }
        prompt.push(...toUserMessages(message.content, names))
        break
      }
    }
  }
  return Either.right(prompt)
}

const toText = (content: string | ReadonlyArray<AnthropicFields.UserBlock>): string =>
  typeof content === "string"
    ? content
    : content.flatMap((block) => block.type === "text" ? [block.text] : []).join("\n")

// Results answer the calls before them together, so they come first, and what else they hold comes right after them.
const toUserMessages = (
  blocks: ReadonlyArray<AnthropicFields.UserBlock | AnthropicFields.ToolResultBlock>,
  names: ReadonlyMap<string, string>
): ReadonlyArray<Prompt.Message> => {
  const results: Array<Prompt.ToolResultPart> = []
  const parts: Array<Prompt.UserPart> = []
  for (const block of blocks) {
    if (block.type !== "tool_result") {
      parts.push(...toUserParts(block))
      continue
    }
    const { content, is_error, tool_use_id: id } = block
    const inner = isNotNullable(content) && typeof content !== "string" ? content : []
    results.push({
      _tag: "ToolResult",
      id,
      name: names.get(id) ?? "",
      result: typeof content === "string" ? content : toText(inner),
      ...(is_error === true && { isError: true })
    })
    for (const block of inner) if (block.type !== "text") parts.push(...toUserParts(block))
  }
  return [
    ...(results.length === 0 ? [] : [Prompt.tool(results)]),
    ...(parts.length === 0 ? [] : [Prompt.user(parts)])
  ]
}

const toUserParts = (block: AnthropicFields.UserBlock): ReadonlyArray<Prompt.UserPart> => {
  switch (block.type) {
    case "text":
      return [Prompt.text(block.text)]
    case "image":
      return [
        block.source.type === "url"
          ? Prompt.imageUrl(block.source.url)
          : Prompt.image(block.source.data, block.source.media_type)
      ]
    case "document":
      return [
        { _tag: "File", source: toSource(block.source), ...(isNotNullable(block.title) && { name: block.title }) },
        ...insideOf(block).flatMap((inner) => inner.type === "image" ? toUserParts(inner) : [])
      ]
  }
}

type Document = Extract<AnthropicFields.UserBlock, { readonly type: "document" }>

const insideOf = ({ source }: Document) =>
  source.type === "content" && typeof source.content !== "string" ? source.content : []

const toSource = (source: Document["source"]): Prompt.Source => {
  switch (source.type) {
    case "url":
      return { _tag: "Url", url: source.url }
    case "base64":
      return { _tag: "Base64", mediaType: source.media_type, data: source.data }
    case "text":
      return plain(source.data)
    case "content":
      return plain(toText(source.content))
  }
}

const plain = (text: string): Prompt.Source => ({
  _tag: "Base64",
  mediaType: "text/plain",
  data: Encoding.encodeBase64(text)
})

const toAssistantPart = (block: AnthropicFields.AssistantBlock): Prompt.AssistantPart => {
  switch (block.type) {
    case "text":
      return Prompt.text(block.text)
    case "thinking":
      return {
        _tag: "Reasoning",
        text: block.thinking,
        // a backend that signs nothing gave an empty one
        ...(block.signature !== "" && { signature: block.signature })
      }
    case "redacted_thinking":
      return {
        _tag: "Reasoning",
        text: "",
        redacted: block.data,
        ...(isNotNullable(block.signature) && { signature: block.signature })
      }
    case "tool_use":
      return {
        _tag: "ToolCall",
        id: block.id,
        name: block.name,
        arguments: JSON.stringify(block.input),
        ...(isNotNullable(block.signature) && { signature: block.signature })
      }
  }
}

// -----------------------------------------------------------------------------
// what is kept
// -----------------------------------------------------------------------------

interface Marked {
  readonly cache_control?: AnthropicFields.CacheControl
}

/**
 * What of a conversation is to be kept for later ones; for the longest time that any mark says.
 *
 * @since 0.1.0
 * @category destructors
 */
export const cacheControlOf = (wire: Conversation): AnthropicWire.CacheControl | undefined => {
  const marks = {
    tools: marksOf(wire.tools),
    system: marksOf(typeof wire.system === "string" ? undefined : wire.system),
    prompt: [wire, ...wire.messages.flatMap(blocksOf)].flatMap(markOf)
  }
  const at = (["tools", "system", "prompt"] as const).filter((place) => marks[place].length > 0)
  if (at.length === 0) return undefined
  const ttls = Object.values(marks).flat().map(({ ttl }) => ttl)
  const ttl = ttls.includes("1h") ? "1h" : ttls.includes("5m") ? "5m" : undefined
  return { at, ...(ttl !== undefined && { ttl }) }
}

const markOf = ({ cache_control }: Marked) => isNotNullable(cache_control) ? [cache_control] : []

const marksOf = (blocks: ReadonlyArray<Marked> | null | undefined) => (blocks ?? []).flatMap(markOf)

const blocksOf = ({ content }: AnthropicFields.Message): ReadonlyArray<Marked> =>
  typeof content === "string" ? [] : content.flatMap(withInner)

const withInner = (block: Block): ReadonlyArray<Marked> => {
  switch (block.type) {
    case "thinking":
    case "redacted_thinking":
      return []
    case "document":
      return [block, ...insideOf(block)]
    case "tool_result":
      return [
        block,
        ...(isNotNullable(block.content) && typeof block.content !== "string" ? block.content.flatMap(withInner) : [])
      ]
    default:
      return [block]
  }
}

type Block = AnthropicFields.UserBlock | AnthropicFields.ToolResultBlock | AnthropicFields.AssistantBlock
