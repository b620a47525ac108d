/**
 * OpenAI's older API: a text that goes on from a prompt, without roles. Core knows conversations, so the prompt is what
 * the user says, and the text is what the model answers; reasoning has no place in it.
 *
 * @see https://platform.openai.com/docs/api-reference/completions
 * @since 0.1.0
 */
import type * as Completion from "@spillway/core/Completion"
import * as Either from "effect/Either"
import { isNotNullable } from "effect/Predicate"
import * as Schema from "effect/Schema"
import type { Writer } from "./EventStream.js"
import { event, keepAlive } from "./EventStream.js"
import * as Fields from "./Fields.js"
import * as OpenAiFault from "./OpenAiFault.js"
import * as OpenAiOutbound from "./OpenAiOutbound.js"
import { field, type Refusal } from "./Refusal.js"
import * as Values from "./Values.js"

// -----------------------------------------------------------------------------
// request
// -----------------------------------------------------------------------------

/**
 * A prompt: the request itself, and the form in which the client wants the answer.
 *
 * @since 0.1.0
 * @category models
 */
export interface Continuation {
  readonly request: Completion.Request
  /** What the text begins with: the prompt, where the client wants it back. */
  readonly echo: string
  readonly stream: boolean
  /** Whether a stream shall end with a chunk that tells the usage. */
  readonly includeUsage: boolean
}

const decode = Fields.decode(Schema.Struct({
  model: Values.model,
  prompt: Schema.Union(
    Schema.String,
    Values.list(Schema.String.pipe(Fields.saying("must be a text: tokens are not taken")), 1, 1)
  ).pipe(Fields.saying("must be one text, or a list of one")),
  max_tokens: Fields.optional(Values.whole(1)),
  temperature: Fields.optional(Values.between(0, 2)),
  top_p: Fields.optional(Values.between(0, 1)),
  top_k: Fields.optional(Values.whole(1)),
  stop: Fields.optional(Values.stop),
  seed: Fields.optional(Values.seed),
  presence_penalty: Fields.optional(Values.between(-2, 2)),
  frequency_penalty: Fields.optional(Values.between(-2, 2)),
  user: Fields.optional(Values.user),
  echo: Fields.optional(Schema.Boolean),
  stream: Fields.optional(Schema.Boolean),
  stream_options: Fields.optional(
    Schema.Struct({ include_usage: Fields.optional(Schema.Boolean), include_obfuscation: Fields.only(false) })
  ),
  n: Fields.only(1),
  best_of: Fields.only(1),
  logprobs: Fields.unsupported,
  logit_bias: Fields.unsupported,
  suffix: Fields.unsupported
}))

/**
 * Reads a request for a text.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toContinuation = (body: unknown): Either.Either<Continuation, Refusal> =>
  Either.flatMap(decode(body), (wire): Either.Either<Continuation, Refusal> => {
    if (isNotNullable(wire.stream_options) && wire.stream !== true) {
      return Either.left(field("stream_options", "is only of use with stream: true"))
    }
    const prompt = typeof wire.prompt === "string" ? wire.prompt : wire.prompt.join("")
    const { stop } = wire
    return Either.right({
      request: {
        model: wire.model,
        prompt,
        ...(isNotNullable(wire.max_tokens) && { maxTokens: wire.max_tokens }),
        ...(isNotNullable(wire.temperature) && { temperature: wire.temperature }),
        ...(isNotNullable(wire.top_p) && { topP: wire.top_p }),
        ...(isNotNullable(wire.top_k) && { topK: wire.top_k }),
        ...(isNotNullable(stop) && stop.length > 0 && { stop: typeof stop === "string" ? [stop] : stop }),
        ...(isNotNullable(wire.seed) && { seed: wire.seed }),
        ...(isNotNullable(wire.presence_penalty) && { presencePenalty: wire.presence_penalty }),
        ...(isNotNullable(wire.frequency_penalty) && { frequencyPenalty: wire.frequency_penalty }),
        ...(isNotNullable(wire.user) && { user: wire.user })
      },
      echo: wire.echo === true ? prompt : "",
      stream: wire.stream ?? false,
      includeUsage: wire.stream_options?.include_usage ?? false
    })
  })

// -----------------------------------------------------------------------------
// answer
// -----------------------------------------------------------------------------

/**
 * A whole text.
 *
 * @since 0.1.0
 * @category conversions
 */
export const fromCompletion = (completion: Completion.Completion, envelope: OpenAiOutbound.Envelope, echo: string) => {
  const usage = OpenAiOutbound.fromUsage(completion.usage)
  return {
    id: completion.id ?? envelope.id,
    object: "text_completion",
    created: Math.floor(envelope.now / 1000),
    model: completion.model === "" ? envelope.model : completion.model,
    choices: [{
      text: echo + completion.text,
      index: 0,
      logprobs: null,
      finish_reason: finishReasons[completion.finishReason]
    }],
    ...(usage !== null && { usage })
  }
}

/**
 * Writes a text as it comes.
 *
 * @since 0.1.0
 * @category constructors
 */
export const writer = (envelope: OpenAiOutbound.Envelope, echo: string, includeUsage: boolean): Writer => {
  const created = Math.floor(envelope.now / 1000)
  const usageOf = includeUsage ? ",\"usage\":null}" : "}"
  let head = ""
  const chunk = (text: string, finishReason = "null") =>
    event(
      `${head}{"text":${JSON.stringify(text)},"index":0,"logprobs":null,"finish_reason":${finishReason}}]${usageOf}`
    )
  const write = (part: Completion.Part): string => {
    switch (part._tag) {
      case "Start": {
        const model = part.model === "" ? envelope.model : part.model
        head = `{"id":${JSON.stringify(part.id ?? envelope.id)},"object":"text_completion","created":${created},"model":${
          JSON.stringify(model)
        },"choices":[`
        return echo === "" ? "" : chunk(echo)
      }
      case "TextDelta":
        return part.text === "" ? "" : chunk(part.text)
      case "Finish":
        return chunk("", JSON.stringify(finishReasons[part.finishReason])) +
          (includeUsage ? event(`${head}],"usage":${JSON.stringify(OpenAiOutbound.fromUsage(part.usage))}}`) : "")
      default:
        return ""
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

const finishReasons: { readonly [R in Completion.FinishReason]: string } = {
  stop: "stop",
  length: "length",
  // no tools are asked for here, and the wire has no word for the other
  "tool-calls": "stop",
  "content-filter": "content_filter",
  other: "stop"
}
