/**
 * A request for text, the whole answer, and the parts in which a streamed answer arrives.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type * as Prompt from "./Prompt.js"
import type * as Tool from "./Tool.js"

/**
 * What a backend's own module adds to this interface (by declaration merging) is what may be asked of that backend
 * and no other: typed, and ignored by all the rest.
 *
 * @since 0.1.0
 * @category models
 */
export interface ProviderOptions {}

/**
 * The form the answer must have.
 *
 * @since 0.1.0
 * @category models
 */
export type Format =
  | { readonly _tag: "Text" }
  /** Some JSON object; say in the prompt which. */
  | { readonly _tag: "Json" }
  /** JSON that matches `schema` (JSON Schema); `name` is what some backends call it. */
  | { readonly _tag: "JsonSchema"; readonly name: string; readonly schema: Tool.JsonSchema; readonly strict?: boolean }

/**
 * What is asked of a model. Only `model` and `prompt` are needed; everything left out is the backend's default.
 *
 * @since 0.1.0
 * @category models
 */
export interface Request {
  /** The backend's name of the model; `backend/model` before a router. */
  readonly model: string
  readonly prompt: Prompt.Input
  /** Most tokens to generate, a positive integer. */
  readonly maxTokens?: number
  /** Randomness, 0 to 2 (backends differ in their upper end). */
  readonly temperature?: number
  /** Nucleus sampling, 0 to 1. */
  readonly topP?: number
  /** Sample from the K likeliest tokens, where the backend can. */
  readonly topK?: number
  /** Texts at which generation ends. */
  readonly stop?: ReadonlyArray<string>
  /** Makes sampling repeatable, as far as the backend can. */
  readonly seed?: number
  /** -2 to 2: punishes tokens that were used at all. */
  readonly presencePenalty?: number
  /** -2 to 2: punishes tokens by how often they were used. */
  readonly frequencyPenalty?: number
  readonly tools?: ReadonlyArray<Tool.Definition>
  readonly toolChoice?: Tool.Choice
  /** Whether the model may ask for several tools at once. */
  readonly parallelToolCalls?: boolean
  readonly format?: Format
  /** How hard a reasoning model should think. */
  readonly reasoning?: { readonly effort: "none" | "minimal" | "low" | "medium" | "high" }
  /** An opaque id of the end user, for the backend's abuse detection. */
  readonly user?: string
  readonly providerOptions?: ProviderOptions
}

/**
 * Why the model stopped.
 *
 * @since 0.1.0
 * @category models
 */
export type FinishReason = "stop" | "length" | "tool-calls" | "content-filter" | "other"

/**
 * Tokens as the backend counted them. What it did not tell is absent, never zero. `inputTokens` includes cached
 * ones, `outputTokens` includes reasoning, whatever the backend's own habit.
 *
 * @since 0.1.0
 * @category models
 */
export interface Usage {
  readonly inputTokens?: number
  readonly outputTokens?: number
  readonly cachedInputTokens?: number
  readonly cacheWriteTokens?: number
  readonly reasoningTokens?: number
}

/**
 * A whole answer.
 *
 * @since 0.1.0
 * @category models
 */
export interface Completion {
  /** The backend's id of the answer, if it gives one. */
  readonly id?: string
  /** The model that answered, as the backend names it; may be more exact than the one asked for. */
  readonly model: string
  /** Text, reasoning and tool calls in the order in which the model made them. */
  readonly content: ReadonlyArray<Prompt.AssistantPart>
  /** All text parts, joined. */
  readonly text: string
  readonly toolCalls: ReadonlyArray<Prompt.ToolCallPart>
  readonly finishReason: FinishReason
  readonly usage: Usage
}

/**
 * A piece of a streamed answer. `Start` comes first and `Finish` last, each exactly once; between them text,
 * reasoning and tool calls as they come. A tool call is a `ToolCallStart`, then the fragments of its arguments under
 * the same `index`; calls may interleave.
 *
 * @since 0.1.0
 * @category models
 */
export type Part =
  | { readonly _tag: "Start"; readonly id?: string; readonly model: string }
  | { readonly _tag: "TextDelta"; readonly text: string; readonly signature?: string }
  /** `signature` or `redacted` arrive on a delta of their own, with empty text; `index` tells blocks apart. */
  | {
    readonly _tag: "ReasoningDelta"
    readonly index: number
    readonly text: string
    readonly signature?: string
    readonly redacted?: string
  }
  | {
    readonly _tag: "ToolCallStart"
    readonly index: number
    readonly id: string
    readonly name: string
    readonly signature?: string
  }
  | { readonly _tag: "ToolCallDelta"; readonly index: number; readonly arguments: string }
  | { readonly _tag: "Finish"; readonly finishReason: FinishReason; readonly usage: Usage }

/**
 * A completion from its content; `text` and `toolCalls` are derived.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (fields: Omit<Completion, "text" | "toolCalls">): Completion => {
  let text = ""
  const toolCalls: Array<Prompt.ToolCallPart> = []
  for (const part of fields.content) {
    if (part._tag === "Text") text += part.text
    else if (part._tag === "ToolCall") toolCalls.push(part)
  }
  return { ...fields, text, toolCalls }
}

/**
 * The whole answer of a list of parts: what `generateText` would have returned. Parts without a `Finish` give
 * `finishReason: "other"` and empty usage.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromParts = (parts: Iterable<Part>): Completion => {
  const state = folding()
  for (const part of parts) state.add(part)
  return state.done()
}

/**
 * The parts in which a whole answer would have arrived, for backends that answer only at once.
 *
 * @since 0.1.0
 * @category destructors
 */
export const toParts = (completion: Completion): ReadonlyArray<Part> => {
  const parts: Array<Part> = [{
    _tag: "Start",
    model: completion.model,
    ...(completion.id === undefined ? {} : { id: completion.id })
  }]
  let calls = 0
  let thoughts = 0
  for (const { ...part } of completion.content) {
    if (part._tag === "Text") {
      parts.push({ ...part, _tag: "TextDelta" })
    } else if (part._tag === "Reasoning") {
      parts.push({ ...part, _tag: "ReasoningDelta", index: thoughts++ })
    } else {
      const { arguments: args, ...start } = part
      const index = calls++
      parts.push({ ...start, _tag: "ToolCallStart", index }, { _tag: "ToolCallDelta", index, arguments: args })
    }
  }
  parts.push({ _tag: "Finish", finishReason: completion.finishReason, usage: completion.usage })
  return parts
}

/**
 * Waits for a streamed answer to end and gives it whole.
 *
 * @since 0.1.0
 * @category combinators
 */
export const collect = <E, R>(parts: Stream.Stream<Part, E, R>): Effect.Effect<Completion, E, R> =>
  Effect.suspend(() => {
    const state = folding()
    return Effect.map(Stream.runForEachChunk(parts, (chunk) =>
      Effect.sync(() => {
        for (const part of chunk) state.add(part)
      })), state.done)
  })

/**
 * Only the text of a streamed answer, piece by piece.
 *
 * @since 0.1.0
 * @category combinators
 */
export const textOf = <E, R>(parts: Stream.Stream<Part, E, R>): Stream.Stream<string, E, R> =>
  Stream.filterMap(parts, (part) => part._tag === "TextDelta" ? Option.some(part.text) : Option.none())

type Mutable<A> = { -readonly [K in keyof A]: A[K] }

const folding = () => {
  let start: Extract<Part, { _tag: "Start" }> | undefined
  let finish: Extract<Part, { _tag: "Finish" }> | undefined
  const content: Array<Mutable<Prompt.AssistantPart>> = []
  const calls = new Map<number, Mutable<Prompt.ToolCallPart>>()
  const thoughts = new Map<number, Mutable<Prompt.ReasoningPart>>()
  const add = (part: Part): void => {
    switch (part._tag) {
      case "Start":
        start = part
        break
      case "Finish":
        finish = part
        break
      case "TextDelta": {
        const last = content.at(-1)
        if (last?._tag === "Text") last.text += part.text
        else if (part.text !== "" || part.signature !== undefined) content.push({ _tag: "Text", text: part.text })
        const now = content.at(-1)
        if (part.signature !== undefined && now?._tag === "Text") now.signature = part.signature
        break
      }
      case "ReasoningDelta": {
        let thought = thoughts.get(part.index)
        if (thought === undefined) {
          thought = { _tag: "Reasoning", text: "" }
          thoughts.set(part.index, thought)
          content.push(thought)
        }
        thought.text += part.text
        if (part.signature !== undefined) thought.signature = (thought.signature ?? "") + part.signature
        if (part.redacted !== undefined) thought.redacted = part.redacted
        break
      }
      case "ToolCallStart": {
        const { _tag: _, index, ...rest } = part
        const call: Mutable<Prompt.ToolCallPart> = { _tag: "ToolCall", ...rest, arguments: "" }
        calls.set(index, call)
        content.push(call)
        break
      }
      case "ToolCallDelta": {
        const call = calls.get(part.index)
        if (call !== undefined) call.arguments += part.arguments
        break
      }
    }
  }
  return {
    add,
    done: (): Completion =>
      make({
        model: start?.model ?? "",
        ...(start?.id === undefined ? {} : { id: start.id }),
        content,
        finishReason: finish?.finishReason ?? "other",
        usage: finish?.usage ?? {}
      })
  }
}
