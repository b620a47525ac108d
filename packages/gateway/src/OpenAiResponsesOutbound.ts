/**
 * Answers in the words of core, written as OpenAI's clients read responses.
 *
 * @since 0.1.0
 */
import type * as Completion from "@spillway/core/Completion"
import { isNotNullable } from "effect/Predicate"
import type { Failure } from "./Exchange.js"
import * as Fault from "./Fault.js"
import * as OpenAiReasoning from "./OpenAiReasoning.js"
import type * as OpenAiResponsesFields from "./OpenAiResponsesFields.js"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * What the response to one request carries besides what was said.
 *
 * @since 0.1.0
 * @category models
 */
export interface Envelope {
  /** The id to give when the backend gave none; those of the items end like it. */
  readonly id: string
  /** When it was made, in milliseconds since 1970. */
  readonly now: number
  /** What was asked, of which a response repeats a good deal. */
  readonly asked: OpenAiResponsesFields.Request
}

/**
 * What comes of a request, as far as it is known.
 *
 * @since 0.1.0
 * @category models
 */
export interface State {
  readonly id: string
  readonly model: string
  readonly status: "in_progress" | "completed" | "incomplete" | "failed"
  readonly output: ReadonlyArray<object>
  readonly incomplete?: string | undefined
  readonly failure?: Failure
  readonly usage?: Completion.Usage
}

// -----------------------------------------------------------------------------
// responses
// -----------------------------------------------------------------------------

/**
 * A whole answer.
 *
 * @since 0.1.0
 * @category conversions
 */
export const fromCompletion = (completion: Completion.Completion, envelope: Envelope) => {
  const { status, incomplete } = ending(completion.finishReason)
  const output: Array<object> = []
  const next = (kind: Kind) => itemId(kind, envelope, output.length)
  for (const part of completion.content) {
    switch (part._tag) {
      case "Text":
        if (part.text !== "") output.push(message(next("msg"), part.text, status))
        break
      case "Reasoning":
        output.push(OpenAiReasoning.toItem(part, next("rs")))
        break
      case "ToolCall":
        if (part.signature !== undefined) output.push(OpenAiReasoning.fromProof(part.signature, next("rs")))
        output.push(call(next("fc"), part, part.arguments, status))
    }
  }
  return response(envelope, {
    id: completion.id ?? envelope.id,
    model: completion.model === "" ? envelope.asked.model : completion.model,
    status,
    output,
    incomplete,
    usage: completion.usage
  })
}

/**
 * A response in any of its states.
 *
 * @since 0.1.0
 * @category conversions
 */
export const response = ({ asked, now }: Envelope, state: State) => {
  const { failure, incomplete, usage, ...told } = state
  const counted = usage === undefined ? undefined : fromUsage(usage)
  return {
    ...told,
    object: "response",
    created_at: Math.floor(now / 1000),
    error: failure === undefined ? null : fromFailure(failure),
    incomplete_details: incomplete === undefined ? null : { reason: incomplete },
    background: false,
    instructions: asked.instructions ?? null,
    max_output_tokens: asked.max_output_tokens ?? null,
    metadata: asked.metadata ?? {},
    parallel_tool_calls: asked.parallel_tool_calls ?? true,
    previous_response_id: null,
    reasoning: { effort: asked.reasoning?.effort ?? null, summary: asked.reasoning?.summary ?? null },
    store: false,
    temperature: asked.temperature ?? null,
    text: { format: asked.text?.format ?? { type: "text" } },
    tool_choice: asked.tool_choice ?? "auto",
    tools: (asked.tools ?? []).map(({ description, name, parameters, strict }) => ({
      type: "function",
      name,
      parameters: parameters ?? null,
      strict: strict ?? null,
      ...(isNotNullable(description) && { description })
    })),
    top_p: asked.top_p ?? null,
    truncation: "disabled",
    ...(isNotNullable(asked.user) && { user: asked.user }),
    ...(isNotNullable(asked.safety_identifier) && { safety_identifier: asked.safety_identifier }),
    ...(counted !== undefined && { usage: counted })
  }
}

/**
 * How a response ends for a reason, and what it then tells of it.
 *
 * @since 0.1.0
 * @category conversions
 */
export const ending = (reason: Completion.FinishReason): {
  readonly status: "completed" | "incomplete"
  readonly incomplete?: string
} => {
  const incomplete = endings[reason]
  return incomplete === null ? { status: "completed" } : { status: "incomplete", incomplete }
}

const endings: { readonly [R in Completion.FinishReason]: string | null } = {
  stop: null,
  "tool-calls": null,
  length: "max_output_tokens",
  "content-filter": "content_filter",
  // the wire has no word for it
  other: null
}

// The wire's numbers are always there, or the whole is not: what nobody counted is not zero.
const fromUsage = (usage: Completion.Usage) => {
  const { cacheWriteTokens = 0, cachedInputTokens = 0, inputTokens, outputTokens, reasoningTokens = 0 } = usage
  return inputTokens === undefined && outputTokens === undefined ? undefined : {
    input_tokens: inputTokens ?? 0,
    input_tokens_details: { cached_tokens: cachedInputTokens, cache_write_tokens: cacheWriteTokens },
    output_tokens: outputTokens ?? 0,
    output_tokens_details: { reasoning_tokens: reasoningTokens },
    total_tokens: (inputTokens ?? 0) + (outputTokens ?? 0)
  }
}

// the codes of a response that failed are a short list of the vendor's own
const fromFailure = (failure: Failure) => {
  const { status } = Fault.faults[Fault.toldAs(failure)]
  return {
    code: status === 429 ? "rate_limit_exceeded" : status < 500 ? "invalid_prompt" : "server_error",
    message: failure.message
  }
}

// -----------------------------------------------------------------------------
// items
// -----------------------------------------------------------------------------

type Kind = "msg" | "rs" | "fc"

/**
 * How far an item is.
 *
 * @since 0.1.0
 * @category models
 */
export type Status = "in_progress" | "completed" | "incomplete"

/**
 * The id of an item, by its place.
 *
 * @since 0.1.0
 * @category constructors
 */
export const itemId = (kind: Kind, { id }: Envelope, index: number): string =>
  `${kind}_${id.replace(/^resp_/, "")}_${index}`

/**
 * A part of a message, of text.
 *
 * @since 0.1.0
 * @category constructors
 */
export const text = (text: string) => ({ type: "output_text", text, annotations: [], logprobs: [] })

/**
 * A message of the model; without a text as long as there is none.
 *
 * @since 0.1.0
 * @category constructors
 */
export const message = (id: string, said: string | undefined, status: Status) => ({
  type: "message",
  id,
  status,
  role: "assistant",
  content: said === undefined ? [] : [text(said)]
})

/**
 * A call of a tool. Its own id is not the item's.
 *
 * @since 0.1.0
 * @category constructors
 */
export const call = (
  id: string,
  { id: call_id, name }: { readonly id: string; readonly name: string },
  args: string,
  status: Status
) => ({ type: "function_call", id, call_id, name, arguments: args, status })
