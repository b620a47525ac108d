/**
 * The lines that are written for the lines that were asked: an answer, or why there is none.
 *
 * @since 0.1.0
 */
import type * as Completion from "@spillway/core/Completion"
import type * as Embedding from "@spillway/core/Embedding"
import * as LlmError from "@spillway/core/LlmError"
import * as OpenAiEmbeddings from "@spillway/gateway/OpenAiEmbeddings"
import * as OpenAiOutbound from "@spillway/gateway/OpenAiOutbound"
import type { Reason } from "@spillway/gateway/Refusal"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import type * as Asked from "./Asked.js"

/**
 * What was asked, by the number of its line, and when (in milliseconds since 1970) it was answered.
 *
 * @since 0.1.0
 * @category models
 */
export interface About {
  readonly number: number
  readonly asked: Asked.Asked
  readonly now: number
}

/**
 * A chat's answer. A line of a batch is answered as the batch API does, any other in the words that people use.
 *
 * @since 0.1.0
 * @category conversions
 */
export const fromCompletion = (completion: Completion.Completion, { asked, now, number }: About): string => {
  const { request: { model } } = asked.question
  if (asked.isBatch) {
    return batch(asked.id, number, OpenAiOutbound.fromCompletion(completion, { id: `chatcmpl-${number}`, model, now }))
  }
  const reasoning = completion.content.flatMap((part) => part._tag === "Reasoning" ? [part.text] : []).join("")
  return JSON.stringify({
    id: asked.id,
    model: completion.model === "" ? model : completion.model,
    text: completion.text,
    ...(reasoning !== "" && { reasoning }),
    ...(completion.toolCalls.length > 0 && {
      toolCalls: completion.toolCalls.map(({ arguments: args, id, name }) => ({ id, name, arguments: args }))
    }),
    finishReason: completion.finishReason,
    usage: completion.usage
  })
}

/**
 * Vectors, which only a line of a batch asks for.
 *
 * @since 0.1.0
 * @category conversions
 */
export const fromEmbeddings = (embeddings: Embedding.Embeddings, { asked, number }: About, base64: boolean): string =>
  batch(asked.id, number, OpenAiEmbeddings.fromEmbeddings(embeddings, asked.question.request.model, base64))

const batch = (id: string, number: number, body: unknown): string =>
  JSON.stringify({
    id: `batch_req_${number}`,
    custom_id: id,
    response: { status_code: 200, request_id: `req_${number}`, body },
    error: null
  })

/**
 * Why a line has no answer.
 *
 * @since 0.1.0
 * @category models
 */
export interface Failed {
  readonly line: number
  readonly id: string
  readonly error: LlmError.Tag | Reason
  readonly message: string
  /** Whether anything but another request may help: time, another key, another backend. */
  readonly retriable: boolean
  readonly backend?: string
  readonly model?: string
  readonly retryAfterMillis?: number
}

/**
 * A line that could not be asked.
 *
 * @since 0.1.0
 * @category conversions
 */
export const fromUnclear = ({ id, refusal }: Asked.Unclear, line: number): Failed => ({
  line,
  id,
  error: refusal.reason,
  message: refusal.message.replace(/^The body/, "The line").replace("line 1, column", "column"),
  retriable: false
})

/**
 * A line whose call failed.
 *
 * @since 0.1.0
 * @category conversions
 */
export const fromError = (error: LlmError.LlmError, line: number, asked: Asked.Asked): Failed => {
  const wait = LlmError.retryAfter(error)
  return {
    line,
    id: asked.id,
    error: error._tag,
    message: error.message,
    retriable: LlmError.retriability(error) !== "Never",
    backend: error.backend,
    model: error.model ?? asked.question.request.model,
    ...(Option.isSome(wait) && Duration.isFinite(wait.value) && { retryAfterMillis: Duration.toMillis(wait.value) })
  }
}
