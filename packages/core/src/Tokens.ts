/**
 * How many tokens a request is about to cost, before anybody has counted them.
 *
 * It is an estimate, for admission: what a call may be charged, whether a limit has room for it, how much of a turn
 * it takes. What was really used the backend says afterwards. No exact tokenizer is run, since on hostile text they
 * take seconds for a few kilobytes and hold up every other call meanwhile; the estimate takes a millisecond for a
 * hundred.
 *
 * @since 0.1.0
 */
import { estimateTokenCount } from "tokenx"
import type * as Completion from "./Completion.js"
import type * as Embedding from "./Embedding.js"
import type * as Inference from "./Inference.js"
import type * as LlmService from "./LlmService.js"
import * as Prompt from "./Prompt.js"

/**
 * What a request will take: the tokens of what it says, and the most that it lets the model generate. Where the request
 * sets no bound, `output` is absent: not zero.
 *
 * @since 0.1.0
 * @category models
 */
export interface Estimate {
  readonly input: number
  readonly output?: number
}

/**
 * What a picture or a file counts for where its size says nothing of its tokens: about what the common vision models
 * charge for one of middling size.
 *
 * @since 0.1.0
 * @category constants
 */
export const perImage = 1_000

/**
 * Estimates a request. It never fails: what is no text at all (tensors) counts for one token a value.
 *
 * @since 0.1.0
 * @category destructors
 * @example
 * ```ts
 * import { Tokens } from "@spillway/core"
 * import * as assert from "node:assert"
 *
 * const { input, output } = Tokens.estimate({ model: "any", prompt: "Why is the sky blue?", maxTokens: 100 })
 * assert.ok(input >= 5 && input <= 15)
 * assert.strictEqual(output, 100)
 * ```
 */
export const estimate = (request: LlmService.Request): Estimate => {
  if ("prompt" in request) return ofCompletion(request)
  if ("query" in request) {
    // a ranking reads the query once more with each document
    const query = ofText(request.query)
    return { input: sum(request.documents, (document) => query + ofText(document)), output: 0 }
  }
  return { input: isEmbedding(request) ? sum(request.input, ofText) : ofValues(request.input), output: 0 }
}

/**
 * Estimates a text.
 *
 * @since 0.1.0
 * @category destructors
 */
export const ofText = (text: string): number => estimateTokenCount(text)

// what frames a message on most wires: its role and its ends
const perMessage = 4

const ofCompletion = (request: Completion.Request): Estimate => ({
  input: sum(Prompt.make(request.prompt), ofMessage)
    + sum(request.tools ?? [], (tool) => ofText(`${tool.name} ${tool.description ?? ""}`) + ofJson(tool.parameters))
    + (request.format?._tag === "JsonSchema" ? ofJson(request.format.schema) : 0),
  ...(request.maxTokens !== undefined && { output: request.maxTokens })
})

const ofMessage = (message: Prompt.Message): number =>
  perMessage + (typeof message.content === "string" ? ofText(message.content) : sum(message.content, ofPart))

const ofPart = (part: Prompt.UserPart | Prompt.AssistantPart | Prompt.ToolResultPart): number => {
  switch (part._tag) {
    case "Text":
    case "Reasoning":
      return ofText(part.text)
    case "ToolCall":
      return ofText(part.name) + ofText(part.arguments)
    case "ToolResult":
      return ofText(part.result)
    case "Image":
    case "File":
      return perImage
  }
}

const isEmbedding = (request: Embedding.Request | Inference.Request): request is Embedding.Request =>
  Array.isArray(request.input)

const ofValues = (values: Inference.Values): number =>
  values._tag === "Json"
    ? ofJson(values.value)
    : sum(values.tensors, (tensor) => tensor.shape.reduce((product, size) => product * size, 1))

const ofJson = (value: unknown): number => {
  const seen = new Set<unknown>()
  const walk = (value: unknown): number => {
    if (typeof value === "string") return ofText(value)
    if (typeof value !== "object" || value === null) return 1
    if (seen.has(value)) return 0
    seen.add(value)
    return Array.isArray(value)
      ? sum(value, walk)
      : sum(Object.entries(value), ([key, value]) => ofText(key) + walk(value))
  }
  return walk(value)
}

const sum = <A>(values: ReadonlyArray<A>, of: (value: A) => number): number =>
  values.reduce((total, value) => total + of(value), 0)
