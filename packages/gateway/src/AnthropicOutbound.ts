/**
 * Answers in the words of core, written as Anthropic's clients read them.
 *
 * Its usage has numbers always, and counts cached tokens apart: what nobody counted is 0 here, since clients refuse an
 * answer without. Which of the stop sequences was met core does not know: it is an `end_turn` like any other.
 *
 * @see https://platform.claude.com/docs/en/api/messages
 * @since 0.1.0
 */
import type * as Completion from "@spillway/core/Completion"
import type * as Model from "@spillway/core/Model"
import type * as Prompt from "@spillway/core/Prompt"
import * as ToolArguments from "./ToolArguments.js"

/**
 * What the answer to one request carries besides what was said.
 *
 * @since 0.1.0
 * @category models
 */
export interface Envelope {
  /** The id to give when the backend gave none. */
  readonly id: string
  /** The model to name when the backend named none. */
  readonly model: string
}

/**
 * A message that has not begun to say anything.
 *
 * @since 0.1.0
 * @category constructors
 */
export const empty = ({ id, model }: Envelope) => ({
  id,
  type: "message",
  role: "assistant",
  model,
  content: [],
  ...ending(undefined),
  container: null,
  diagnostics: null,
  usage: toUsage({})
})

/**
 * A whole answer.
 *
 * @since 0.1.0
 * @category conversions
 */
export const fromCompletion = (completion: Completion.Completion, envelope: Envelope) => ({
  ...empty({ id: completion.id ?? envelope.id, model: completion.model === "" ? envelope.model : completion.model }),
  content: completion.content.flatMap((part) => toBlock(part) ?? []),
  ...ending(completion.finishReason),
  usage: toUsage(completion.usage)
})

/**
 * Why a message ended; that of one that has not is not known.
 *
 * @since 0.1.0
 * @category conversions
 */
export const ending = (reason: Completion.FinishReason | undefined) => ({
  stop_reason: reason === undefined ? null : stopReasons[reason],
  stop_sequence: null,
  stop_details: reason === "content-filter" ? { type: "refusal", category: null, explanation: null } : null
})

const stopReasons: { readonly [R in Completion.FinishReason]: string } = {
  stop: "end_turn",
  length: "max_tokens",
  "tool-calls": "tool_use",
  "content-filter": "refusal",
  // the wire has no word for it
  other: "end_turn"
}

/**
 * Tokens as this wire counts them: those read from a cache, and those written to one, are not among the `input_tokens`.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toUsage = (usage: Completion.Usage) => {
  const { cacheWriteTokens = 0, cachedInputTokens = 0, inputTokens = 0, outputTokens = 0, reasoningTokens } = usage
  return {
    input_tokens: Math.max(0, inputTokens - cachedInputTokens - cacheWriteTokens),
    cache_creation_input_tokens: cacheWriteTokens,
    cache_read_input_tokens: cachedInputTokens,
    output_tokens: outputTokens,
    output_tokens_details: reasoningTokens === undefined ? null : { thinking_tokens: reasoningTokens },
    server_tool_use: null
  }
}

const toBlock = (part: Prompt.AssistantPart): object | undefined => {
  switch (part._tag) {
    case "Text":
      return part.text === "" ? undefined : { type: "text", text: part.text }
    case "Reasoning":
      return part.redacted === undefined
        ? { type: "thinking", thinking: part.text, signature: part.signature ?? "" }
        : sealed(part.redacted, part.signature)
    case "ToolCall":
      return { ...toolUse(part), input: ToolArguments.toObject(part.arguments) }
  }
}

/**
 * A thought that only its backend can read.
 *
 * @since 0.1.0
 * @category conversions
 */
export const sealed = (data: string, signature: string | undefined) => ({
  type: "redacted_thinking",
  data,
  ...(signature !== undefined && { signature })
})

/**
 * The block of a tool call, before its input is there.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toolUse = ({ id, name, signature }: Pick<Prompt.ToolCallPart, "id" | "name" | "signature">) => ({
  type: "tool_use",
  id,
  name,
  input: {},
  caller: { type: "direct" },
  ...(signature !== undefined && { signature })
})

/**
 * A model; what its backend does not tell is null, and its day of birth then the first of 1970, as the API has it.
 *
 * @since 0.1.0
 * @category conversions
 */
export const fromModel = (model: Model.Model) => ({
  type: "model",
  id: model.id,
  display_name: model.displayName ?? model.id,
  created_at: new Date((model.created ?? 0) * 1000).toISOString().replace(".000Z", "Z"),
  max_input_tokens: model.contextWindow ?? null,
  max_tokens: model.maxOutputTokens ?? null,
  capabilities: null,
  line: null,
  lifecycle: "active",
  deprecated_at: null,
  retires_at: null
})
