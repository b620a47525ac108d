/**
 * What the Messages API gives, in the common words: parts of a message, counts, and why it ended.
 */
import * as Completion from "@spillway/core/Completion"
import type * as LlmError from "@spillway/core/LlmError"
import type * as Prompt from "@spillway/core/Prompt"
import * as Either from "effect/Either"
import type * as HttpBackend from "../HttpBackend.js"
import * as Json from "./json.js"
import * as ToolArguments from "./toolArguments.js"

/** @see https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons */
const finishReasons: ReadonlyMap<unknown, Completion.FinishReason> = new Map([
  ["end_turn", "stop"],
  ["stop_sequence", "stop"],
  ["max_tokens", "length"],
  ["model_context_window_exceeded", "length"],
  ["tool_use", "tool-calls"],
  ["refusal", "content-filter"]
])

/** Why the model stopped; reasons of later date are `other`. */
export const toFinishReason = (reason: unknown): Completion.FinishReason => finishReasons.get(reason) ?? "other"

/** Tokens as the wire counts them: what was read from the cache and written to it stands apart. */
export interface Counts {
  readonly input: number | undefined
  readonly output: number | undefined
  readonly read: number | undefined
  readonly written: number | undefined
  readonly reasoning: number | undefined
}

/** What is counted so far: a stream tells some counts first and some last, each as a total. */
export const toCounts = (usage: unknown, before?: Counts): Counts => ({
  input: Json.count(Json.get(usage, "input_tokens")) ?? before?.input,
  output: Json.count(Json.get(usage, "output_tokens")) ?? before?.output,
  read: Json.count(Json.get(usage, "cache_read_input_tokens")) ?? before?.read,
  written: Json.count(Json.get(usage, "cache_creation_input_tokens")) ?? before?.written,
  reasoning: Json.count(Json.get2(usage, "output_tokens_details", "thinking_tokens")) ?? before?.reasoning
})

/** Our count of tokens: what came from the cache is part of the input. */
export const toUsage = ({ input, output, read, reasoning, written }: Counts): Completion.Usage =>
  Json.defined({
    inputTokens: input === undefined ? undefined : input + (read ?? 0) + (written ?? 0),
    outputTokens: output,
    cachedInputTokens: read,
    cacheWriteTokens: written,
    reasoningTokens: reasoning
  })

/** The completion of a message. Blocks of unknown type (the vendor's own tools at work) are skipped. */
export const toCompletion = (
  body: unknown,
  exchange: HttpBackend.Exchange<Completion.Request>
): Either.Either<Completion.Completion, LlmError.LlmError> => {
  const blocks = Json.get(body, "content")
  if (!Array.isArray(blocks)) {
    return Either.left(
      Json.get(body, "type") === "error" ? exchange.failure(body) : exchange.malformed("a message without content")
    )
  }
  const content: Array<Prompt.AssistantPart> = []
  for (const block of blocks) {
    const part = toPart(block)
    if (part !== undefined) content.push(part)
  }
  return Either.right(Completion.make({
    ...Json.defined({ id: Json.name(Json.get(body, "id")) }),
    model: Json.name(Json.get(body, "model")) ?? exchange.model,
    content,
    finishReason: toFinishReason(Json.get(body, "stop_reason")),
    usage: toUsage(toCounts(Json.get(body, "usage")))
  }))
}

/** The part that a block is; none for a block of unknown type. */
export const toPart = (block: unknown): Prompt.AssistantPart | undefined => {
  switch (Json.get(block, "type")) {
    case "text":
      return { _tag: "Text", text: Json.string(Json.get(block, "text")) ?? "" }
    case "thinking": {
      const signature = Json.name(Json.get(block, "signature"))
      return {
        _tag: "Reasoning",
        text: Json.string(Json.get(block, "thinking")) ?? "",
        ...(signature !== undefined && { signature })
      }
    }
    case "redacted_thinking":
      return { _tag: "Reasoning", text: "", redacted: Json.string(Json.get(block, "data")) ?? "" }
    case "tool_use":
      return {
        _tag: "ToolCall",
        id: Json.string(Json.get(block, "id")) ?? "",
        name: Json.string(Json.get(block, "name")) ?? "",
        arguments: ToolArguments.fromObject(Json.get(block, "input"))
      }
    default:
      return undefined
  }
}
