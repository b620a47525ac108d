/**
 * OpenAI's older wire: a text that goes on from a prompt, without roles and without a chat template.
 *
 * @see https://platform.openai.com/docs/api-reference/completions
 * @since 0.1.0
 */
import * as Completion from "@spillway/core/Completion"
import type * as LlmError from "@spillway/core/LlmError"
import * as Either from "effect/Either"
import type * as HttpBackend from "./HttpBackend.js"
import * as Json from "./internal/json.js"
import * as OpenAiWire from "./OpenAiWire.js"

/**
 * A prompt, and how to go on from it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Request extends
  Pick<
    Completion.Request,
    "model" | "maxTokens" | "temperature" | "topP" | "topK" | "stop" | "seed" | "presencePenalty" | "frequencyPenalty"
  >
{
  readonly prompt: string
  /** Whether the answer begins with the prompt. @default false */
  readonly echo?: boolean
}

/**
 * The body of `POST /completions`, with `extra` fields of the backend's own. Fields that are undefined are not sent.
 *
 * @since 0.1.0
 * @category translations
 */
export const toBody = (request: Request, stream: boolean, extra?: Json.Fields): Json.Fields => ({
  model: request.model,
  prompt: request.prompt,
  ...(stream && { stream: true, stream_options: { include_usage: true } }),
  max_tokens: request.maxTokens,
  temperature: request.temperature,
  top_p: request.topP,
  top_k: request.topK,
  stop: request.stop,
  seed: request.seed,
  presence_penalty: request.presencePenalty,
  frequency_penalty: request.frequencyPenalty,
  echo: request.echo,
  ...extra
})

/**
 * The text of an answer; only the first of several choices is read.
 *
 * @since 0.1.0
 * @category translations
 */
export const toCompletion = (
  body: unknown,
  exchange: HttpBackend.Exchange<Request>
): Either.Either<Completion.Completion, LlmError.LlmError> => {
  const choice = Json.array(Json.get(body, "choices"))[0]
  const text = Json.string(Json.get(choice, "text"))
  return text === undefined
    ? Either.left(
      OpenAiWire.isError(body) ? exchange.failure(body) : exchange.malformed("a completion without choices[0].text")
    )
    : Either.right(Completion.make({
      ...OpenAiWire.identify(body, exchange.model),
      content: text === "" ? [] : [{ _tag: "Text", text }],
      finishReason: OpenAiWire.toFinishReason(Json.get(choice, "finish_reason"), false, false),
      usage: OpenAiWire.toUsage(Json.get(body, "usage"))
    }))
}

/**
 * Reads the chunks of a streamed answer, up to its `[DONE]`.
 *
 * @since 0.1.0
 * @category translations
 */
export const reader = (exchange: HttpBackend.Exchange<Request>): HttpBackend.Reader<Completion.Part> => {
  let started = false
  let reason: unknown
  let usage: Completion.Usage = {}
  return {
    frame({ data }, out) {
      if (data === "[DONE]") {
        if (!started) return exchange.malformed("a stream that ends before its first chunk")
        out.push({ _tag: "Finish", finishReason: OpenAiWire.toFinishReason(reason, false, false), usage })
        return { _tag: "End", usage }
      }
      const chunk = Json.parse(data)
      if (chunk === undefined) return exchange.malformed("a chunk of the stream is no JSON")
      if (OpenAiWire.isError(chunk)) return exchange.failure(chunk)
      if (!started) {
        started = true
        out.push({ _tag: "Start", ...OpenAiWire.identify(chunk, exchange.model) })
      }
      const counted = Json.get(chunk, "usage")
      if (Json.isObject(counted)) usage = OpenAiWire.toUsage(counted)
      for (const choice of Json.array(Json.get(chunk, "choices"))) {
        if ((Json.count(Json.get(choice, "index")) ?? 0) !== 0) continue
        const text = Json.name(Json.get(choice, "text"))
        if (text !== undefined) out.push({ _tag: "TextDelta", text })
        const finish = Json.get(choice, "finish_reason")
        if (typeof finish === "string") reason = finish
      }
      return undefined
    }
  }
}
