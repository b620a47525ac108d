/**
 * Answers in the words of core, written as Ollama's clients read them: whole, or as lines of JSON.
 *
 * Of the times that its server tells there is one here, `total_duration`; and what nobody counted is not there. What
 * proves a model's thinking, for backends that want it back, is in `thoughts` and in the `signature` of a call: a client
 * that sends a message back as it was received sends it back, too.
 *
 * @see https://docs.ollama.com/api/chat
 * @since 0.1.0
 */
import type * as Completion from "@spillway/core/Completion"
import type * as Embedding from "@spillway/core/Embedding"
import type * as Model from "@spillway/core/Model"
import type * as Prompt from "@spillway/core/Prompt"
import type { Writer } from "./EventStream.js"
import * as OllamaFault from "./OllamaFault.js"
import * as ToolArguments from "./ToolArguments.js"

/**
 * What the answer to one request carries besides what was said.
 *
 * @since 0.1.0
 * @category models
 */
export interface Envelope {
  /** The model to name when the backend named none. */
  readonly model: string
  /** When the request arrived, in milliseconds since 1970. */
  readonly arrived: number
  /** What time it is, in milliseconds since 1970. */
  readonly now: () => number
}

/**
 * What was said, in the words that chats and texts have in common.
 *
 * @since 0.1.0
 * @category models
 */
export interface Said {
  readonly text: string
  readonly thinking?: string
  readonly more?: object
}

/**
 * Where an answer has what was said: in a `message`, or in a `response`.
 *
 * @since 0.1.0
 * @category models
 */
export type Shape = (said: Said) => object

/**
 * The answer to a chat.
 *
 * @since 0.1.0
 * @category models
 */
export const chat: Shape = ({ more, text, thinking = "" }) => ({
  message: { role: "assistant", content: text, ...(thinking !== "" && { thinking }), ...more }
})

/**
 * The answer to a prompt.
 *
 * @since 0.1.0
 * @category models
 */
export const generate: Shape = ({ more, text, thinking = "" }) => ({
  response: text,
  ...(thinking !== "" && { thinking }),
  ...more
})

/**
 * A whole answer.
 *
 * @since 0.1.0
 * @category conversions
 */
export const fromCompletion = (completion: Completion.Completion, envelope: Envelope, shape: Shape) => {
  const thoughts = completion.content.filter((part) => part._tag === "Reasoning")
  return {
    ...head(completion.model, envelope),
    ...shape({
      text: completion.text,
      thinking: thoughts.map(({ text }) => text).join(""),
      more: { ...proofs(thoughts), ...toCalls(completion.toolCalls) }
    }),
    ...tail(completion.finishReason, completion.usage, envelope)
  }
}

/**
 * What a client hears that only wanted a model to be held ready, or no more: here nothing needs to be.
 *
 * @since 0.1.0
 * @category constructors
 */
export const held = (reason: "load" | "unload", envelope: Envelope, shape: Shape) => ({
  ...head("", envelope),
  ...shape({ text: "" }),
  done: true,
  done_reason: reason
})

/**
 * Writes a streamed answer line by line. Calls come with their arguments as an object, so they come when these are
 * complete, before the last line.
 *
 * @since 0.1.0
 * @category constructors
 */
export const writer = (envelope: Envelope, shape: Shape): Writer => {
  const calls = new Map<number, Prompt.ToolCallPart>()
  const thoughts = new Map<number, Prompt.ReasoningPart>()
  let model = ""
  const line = (fields: object) => `${JSON.stringify({ ...head(model, envelope), ...fields })}\n`
  const write = (part: Completion.Part): string => {
    switch (part._tag) {
      case "Start":
        model = part.model
        return ""
      case "TextDelta":
        return part.text === "" ? "" : line({ ...shape({ text: part.text }), done: false })
      case "ReasoningDelta": {
        const { index, redacted, signature, text } = part
        const before = thoughts.get(index)
        thoughts.set(index, {
          _tag: "Reasoning",
          ...before,
          text: (before?.text ?? "") + text,
          ...(signature !== undefined && { signature: (before?.signature ?? "") + signature }),
          ...(redacted !== undefined && { redacted })
        })
        return text === "" ? "" : line({ ...shape({ text: "", thinking: text }), done: false })
      }
      case "ToolCallStart": {
        const { _tag, index, ...call } = part
        calls.set(index, { _tag: "ToolCall", ...call, arguments: "" })
        return ""
      }
      case "ToolCallDelta": {
        const call = calls.get(part.index)
        if (call !== undefined) calls.set(part.index, { ...call, arguments: call.arguments + part.arguments })
        return ""
      }
      case "Finish": {
        const more = { ...proofs([...thoughts.values()]), ...toCalls([...calls.values()]) }
        return (Object.keys(more).length === 0 ? "" : line({ ...shape({ text: "", more }), done: false })) +
          line({ ...shape({ text: "" }), ...tail(part.finishReason, part.usage, envelope) })
      }
    }
  }
  return {
    contentType: "application/x-ndjson",
    // every line is an answer
    heartbeat: "",
    parts: (parts) => {
      let text = ""
      for (const part of parts) text += write(part)
      return text
    },
    ended: () => "",
    failed: (failure) => `${JSON.stringify(OllamaFault.toJson(failure))}\n`
  }
}

const head = (model: string, envelope: Envelope) => ({
  model: model === "" ? envelope.model : model,
  created_at: new Date(envelope.now()).toISOString()
})

const tail = (reason: Completion.FinishReason, usage: Completion.Usage, { arrived, now }: Envelope) => ({
  done: true,
  done_reason: doneReasons[reason],
  total_duration: (now() - arrived) * 1_000_000,
  ...(usage.inputTokens !== undefined && { prompt_eval_count: usage.inputTokens }),
  ...(usage.outputTokens !== undefined && { eval_count: usage.outputTokens })
})

const doneReasons: { readonly [R in Completion.FinishReason]: string } = {
  stop: "stop",
  length: "length",
  "tool-calls": "stop",
  // the wire has no words for these two
  "content-filter": "content_filter",
  other: "stop"
}

const proofs = (thoughts: ReadonlyArray<Prompt.ReasoningPart>) =>
  thoughts.some(({ redacted, signature }) => redacted !== undefined || signature !== undefined)
    ? { thoughts: thoughts.map(({ _tag, ...thought }) => thought) }
    : {}

const toCalls = (calls: ReadonlyArray<Prompt.ToolCallPart>) =>
  calls.length === 0 ? {} : {
    tool_calls: calls.map(({ arguments: args, id, name, signature }, index) => ({
      id,
      function: { index, name, arguments: ToolArguments.toObject(args) },
      ...(signature !== undefined && { signature })
    }))
  }

/**
 * The vectors of texts.
 *
 * @since 0.1.0
 * @category conversions
 */
export const fromEmbeddings = ({ model, usage, vectors }: Embedding.Embeddings, envelope: Envelope) => ({
  model: model === "" ? envelope.model : model,
  embeddings: vectors,
  total_duration: (envelope.now() - envelope.arrived) * 1_000_000,
  ...(usage.inputTokens !== undefined && { prompt_eval_count: usage.inputTokens })
})

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

const details = ({ contextWindow, owner }: Model.Model) => ({
  parent_model: "",
  format: "",
  family: owner ?? "",
  families: owner === undefined ? [] : [owner],
  parameter_size: "",
  quantization_level: "",
  ...(contextWindow !== undefined && { context_length: contextWindow })
})

/**
 * A model among all. It is no file of this machine: clients that show a size and a digest show noughts.
 *
 * @since 0.1.0
 * @category conversions
 */
export const fromModel = (model: Model.Model) => ({
  name: model.id,
  model: model.id,
  modified_at: modifiedAt(model),
  size: 0,
  digest: "0".repeat(64),
  details: details(model)
})

/**
 * What there is to know of a model. Backends do not tell what their models can do; `capabilities` is what the gateway
 * can ask of any.
 *
 * @since 0.1.0
 * @category conversions
 */
export const fromDetails = (model: Model.Model, capabilities: ReadonlyArray<string>) => ({
  modelfile: "",
  parameters: "",
  template: "",
  details: details(model),
  model_info: {
    "general.architecture": "gateway",
    "general.basename": model.displayName ?? model.id,
    ...(model.contextWindow !== undefined && { "gateway.context_length": model.contextWindow })
  },
  capabilities,
  modified_at: modifiedAt(model)
})

const modifiedAt = ({ created = 0 }: Model.Model) => new Date(created * 1000).toISOString()
