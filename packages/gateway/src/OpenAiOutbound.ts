/**
 * Answers in the words of core, written as OpenAI's clients read them.
 *
 * What OpenAI's wire has no word for travels in the fields that other servers of this wire use: reasoning as
 * `reasoning_content`, and what proves it as `reasoning_details`, so that a client that sends a message back as it was
 * received sends everything back.
 *
 * @since 0.1.0
 */
import type * as Completion from "@spillway/core/Completion"
import type * as Model from "@spillway/core/Model"
import type { Writer } from "./EventStream.js"
import { event, keepAlive } from "./EventStream.js"
import * as OpenAiFault from "./OpenAiFault.js"

/**
 * What the answer to one request carries besides what was said.
 *
 * @since 0.1.0
 * @category models
 */
export interface Envelope {
  /** The id to give when the backend gave none. */
  readonly id: string
  /** When it was made, in milliseconds since 1970. */
  readonly now: number
  /** The model to name when the backend named none. */
  readonly model: string
}

/**
 * Where reasoning is told, if at all: in the field that most servers of this wire have for it, or in that of Groq, whose
 * clients ask for it.
 *
 * @since 0.1.0
 * @category models
 */
export type Thoughts = "reasoning_content" | "reasoning" | "hidden"

/**
 * A whole answer.
 *
 * @since 0.1.0
 * @category conversions
 */
export const fromCompletion = (
  completion: Completion.Completion,
  envelope: Envelope,
  told: Thoughts = "reasoning_content"
) => {
  const usage = fromUsage(completion.usage)
  const thoughts = told === "hidden" ? [] : completion.content.filter((part) => part._tag === "Reasoning")
  return {
    id: completion.id ?? envelope.id,
    object: "chat.completion",
    created: Math.floor(envelope.now / 1000),
    model: completion.model === "" ? envelope.model : completion.model,
    choices: [{
      index: 0,
      message: {
        role: "assistant",
        content: completion.text === "" && completion.toolCalls.length > 0 ? null : completion.text,
        refusal: null,
        ...(thoughts.length > 0 && { [told]: thoughts.map((thought) => thought.text).join("") }),
        ...proofs(thoughts),
        ...(completion.toolCalls.length > 0 && {
          tool_calls: completion.toolCalls.map((call) => toolCall(call, call.arguments))
        })
      },
      logprobs: null,
      finish_reason: finishReasons[completion.finishReason]
    }],
    ...(usage !== null && { usage })
  }
}

/**
 * Writes a streamed answer chunk by chunk.
 *
 * @since 0.1.0
 * @category constructors
 */
export const writer = (envelope: Envelope, includeUsage: boolean, told: Thoughts = "reasoning_content"): Writer => {
  const created = Math.floor(envelope.now / 1000)
  const usageOf = includeUsage ? ",\"usage\":null}" : "}"
  // backends number calls in their own ways; clients count on 0, 1, 2
  const calls = new Map<number, number>()
  const thoughts = new Map<number, Thought>()
  let head = ""
  const begin = (id: string, model: string) => {
    head = `{"id":${JSON.stringify(id)},"object":"chat.completion.chunk","created":${created},"model":${
      JSON.stringify(model)
    },"choices":[`
  }
  begin(envelope.id, envelope.model)
  const chunk = (delta: object, finishReason: string = "null") =>
    event(
      `${head}{"index":0,"delta":${JSON.stringify(delta)},"logprobs":null,"finish_reason":${finishReason}}]${usageOf}`
    )
  const write = (part: Completion.Part): string => {
    switch (part._tag) {
      case "Start":
        begin(part.id ?? envelope.id, part.model === "" ? envelope.model : part.model)
        return chunk({ role: "assistant", content: "" })
      case "TextDelta":
        return part.text === "" ? "" : chunk({ content: part.text })
      case "ReasoningDelta": {
        if (told === "hidden") return ""
        const { text = "", signature = "", redacted } = thoughts.get(part.index) ?? {}
        thoughts.set(part.index, {
          text: text + part.text,
          signature: signature + (part.signature ?? ""),
          redacted: part.redacted ?? redacted
        })
        return part.text === "" ? "" : chunk({ [told]: part.text })
      }
      case "ToolCallStart": {
        const index = calls.size
        calls.set(part.index, index)
        return chunk({ tool_calls: [{ index, ...toolCall(part, "") }] })
      }
      case "ToolCallDelta": {
        const index = calls.get(part.index)
        return index === undefined || part.arguments === ""
          ? ""
          : chunk({ tool_calls: [{ index, function: { arguments: part.arguments } }] })
      }
      case "Finish": {
        const proof = proofs([...thoughts.values()])
        return (proof === undefined ? "" : chunk(proof)) +
          chunk({}, JSON.stringify(finishReasons[part.finishReason])) +
          (includeUsage ? event(`${head}],"usage":${JSON.stringify(fromUsage(part.usage))}}`) : "")
      }
    }
  }
  return {
    heartbeat: keepAlive,
    parts: (parts) => {
      let text = ""
      for (const part of parts) text += write(part)
      return text
    },
    ended: () => "data: [DONE]\n\n",
    failed: (failure) => event(JSON.stringify(OpenAiFault.toJson(failure)))
  }
}

/**
 * A model; `owner` is who to name when the backend did not tell.
 *
 * @since 0.1.0
 * @category conversions
 */
export const fromModel = (model: Model.Model, owner: string) => ({
  id: model.id,
  object: "model",
  created: model.created ?? 0,
  owned_by: model.owner ?? owner,
  ...(model.contextWindow !== undefined && { context_window: model.contextWindow }),
  ...(model.maxOutputTokens !== undefined && { max_completion_tokens: model.maxOutputTokens }),
  ...(model.displayName !== undefined && { display_name: model.displayName })
})

const finishReasons: { readonly [R in Completion.FinishReason]: string } = {
  stop: "stop",
  length: "length",
  "tool-calls": "tool_calls",
  "content-filter": "content_filter",
  // the wire has no word for it
  other: "stop"
}

/**
 * What was counted. The wire's three numbers are always there, or the whole is not: what nobody counted is not zero.
 *
 * @since 0.1.0
 * @category conversions
 */
export const fromUsage = ({ inputTokens, outputTokens, cachedInputTokens, reasoningTokens }: Completion.Usage) =>
  inputTokens === undefined && outputTokens === undefined ? null : {
    prompt_tokens: inputTokens ?? 0,
    completion_tokens: outputTokens ?? 0,
    total_tokens: (inputTokens ?? 0) + (outputTokens ?? 0),
    ...(cachedInputTokens !== undefined && { prompt_tokens_details: { cached_tokens: cachedInputTokens } }),
    ...(reasoningTokens !== undefined && { completion_tokens_details: { reasoning_tokens: reasoningTokens } })
  }

const toolCall = (
  { id, name, signature }: { readonly id: string; readonly name: string; readonly signature?: string },
  args: string
) => ({
  id,
  type: "function",
  function: { name, arguments: args },
  // where Gemini's own service of this wire puts it, and its clients look for it
  ...(signature !== undefined && { extra_content: { google: { thought_signature: signature } } })
})

interface Thought {
  readonly text: string
  readonly signature?: string | undefined
  readonly redacted?: string | undefined
}

const proofs = (thoughts: ReadonlyArray<Thought>) =>
  thoughts.some(({ signature, redacted }) => (signature ?? "") !== "" || redacted !== undefined)
    ? {
      reasoning_details: thoughts.map(({ text, signature, redacted }) =>
        redacted === undefined
          ? { type: "reasoning.text", text, ...((signature ?? "") !== "" && { signature }) }
          : { type: "reasoning.encrypted", data: redacted }
      )
    }
    : undefined
