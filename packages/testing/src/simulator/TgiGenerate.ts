/**
 * TGI's own routes: texts that are continued, at once or as a stream whose last event holds the whole, and texts that
 * are taken apart.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Fields from "./Fields.js"
import type * as Models from "./Models.js"
import * as Reply from "./Reply.js"
import * as Seed from "./Seed.js"
import * as Chat from "./TgiChat.js"
import * as Refusal from "./TgiRefusal.js"
import * as Request from "./TgiRequest.js"
import * as Tokens from "./Tokens.js"
import * as Wire from "./Wire.js"

interface Asked {
  readonly inputs: string
  readonly parameters: Fields.Json
}

const asked = (call: Wire.Call, streamed: boolean): Either.Either<Asked, Wire.Failure> => {
  const body: Fields.Json = Fields.isJson(call.body) ? call.body : {}
  const violation = Request.requests.generate(body)
  if (violation !== undefined) return Either.left(Wire.Failure.Invalid({ violation, body }))
  const inputs = Fields.stringOf(body["inputs"])
  const parameters = Fields.isJson(body["parameters"]) ? body["parameters"] : {}
  const broken = Request.broken(inputs, parameters, streamed)
  return broken === undefined ? Either.right({ inputs, parameters }) : Either.left(broken)
}

/** What the model goes on with; `variant` tells the texts of `best_of` apart. */
const replyTo = (model: Models.Model, { inputs, parameters }: Asked, call: Wire.Call, variant = 0): Reply.Reply => {
  const form = Request.form(parameters["grammar"])
  const conversation: Reply.Conversation = {
    model: model.id,
    turns: [{ role: "user", text: inputs, shown: [] }],
    tools: [],
    choice: "none",
    parallel: false,
    format: form?._tag === "Json" ? { schema: form.schema } : "text",
    reasoning: false,
    maxTokens: typeof parameters["max_new_tokens"] === "number" ? parameters["max_new_tokens"] : Infinity,
    stop: Array.isArray(parameters["stop"]) ? parameters["stop"].map(Fields.stringOf) : [],
    length: call.answerTokens,
    variant
  }
  return form?._tag === "Regex" ? Chat.match(form.pattern, conversation) : Reply.to(conversation)
}

const token = (text: string, special = false) => ({
  id: special ? 2 : (Seed.of(text) >>> 0) % 32_000,
  text,
  logprob: special ? 0 : -Seed.fraction(Seed.of(text)),
  special
})

const endOfText = token("<|im_end|>", true)

// A text that was not cut off ends with a mark of the model's own.
const tokensOf = ({ finish, stopped, text }: Reply.Reply) => [
  ...text.map((one) => token(one)),
  ...(finish === "length" || stopped !== undefined ? [] : [endOfText])
]

const finishReason = ({ finish, stopped }: Reply.Reply) =>
  finish === "length" ? "length" : stopped === undefined ? "eos_token" : "stop_sequence"

const textOf = ({ inputs, parameters }: Asked, reply: Reply.Reply): string =>
  `${parameters["return_full_text"] === true ? inputs : ""}${reply.text.join("")}`

const topTokens = ({ parameters }: Asked, tokens: ReadonlyArray<ReturnType<typeof token>>) =>
  typeof parameters["top_n_tokens"] === "number" && parameters["top_n_tokens"] > 0
    ? { top_tokens: tokens.map((one) => [one]) }
    : {}

const seedOf = ({ parameters }: Asked) => (typeof parameters["seed"] === "number" ? parameters["seed"] : null)

/**
 * The answer of `POST /generate`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const whole =
  (model: Models.Model) =>
  (call: Wire.Call): Either.Either<Wire.Answer, Wire.Failure> =>
    Either.map(asked(call, false), (request) => {
      const { inputs, parameters } = request
      const bestOf = typeof parameters["best_of"] === "number" ? parameters["best_of"] : 1
      const replies = Array.from({ length: bestOf }, (_, variant) => replyTo(model, request, call, variant))
      const [best = replyTo(model, request, call), ...others] = replies
      const input = Tokens.estimate(inputs.length)
      const tokens = tokensOf(best)
      const sequence = (reply: Reply.Reply) => ({
        finish_reason: finishReason(reply),
        generated_tokens: tokensOf(reply).length,
        seed: seedOf(request),
        prefill:
          parameters["decoder_input_details"] === true
            ? Tokens.cut(inputs).map((text, index) => ({ id: index, text, logprob: index === 0 ? null : -1 }))
            : [],
        tokens: tokensOf(reply),
        ...topTokens(request, tokensOf(reply))
      })
      const detailed = parameters["details"] === true || parameters["decoder_input_details"] === true
      return {
        input,
        output: tokens.length,
        render: () => ({
          _tag: "Whole",
          contentType: "application/json",
          headers: {
            "x-compute-type": "simulator",
            "x-compute-characters": inputs.length.toString(),
            "x-total-time": call.latencyMillis.toString(),
            "x-prompt-tokens": input.toString(),
            "x-generated-tokens": tokens.length.toString()
          },
          content: JSON.stringify({
            generated_text: textOf(request, best),
            ...(detailed
              ? {
                  details: {
                    ...sequence(best),
                    ...(others.length === 0
                      ? {}
                      : {
                          best_of_sequences: others.map((reply) => ({
                            generated_text: textOf(request, reply),
                            ...sequence(reply)
                          }))
                        })
                  }
                }
              : {})
          })
        })
      }
    })

/**
 * The answer of `POST /generate_stream`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const streamed =
  (model: Models.Model) =>
  (call: Wire.Call): Either.Either<Wire.Answer, Wire.Failure> =>
    Either.map(asked(call, true), (request) => {
      const reply = replyTo(model, request, call)
      const tokens = tokensOf(reply)
      const input = Tokens.estimate(request.inputs.length)
      const event = (index: number, last: object) =>
        Refusal.event(
          JSON.stringify({
            index: index + 1,
            token: tokens[index] ?? endOfText,
            ...(topTokens(request, tokens.slice(index, index + 1)).top_tokens === undefined
              ? {}
              : { top_tokens: [tokens[index] ?? endOfText] }),
            generated_text: null,
            details: null,
            ...last
          })
        )
      const details =
        request.parameters["details"] === true
          ? {
              finish_reason: finishReason(reply),
              generated_tokens: tokens.length,
              seed: seedOf(request),
              input_length: input
            }
          : null
      return {
        input,
        output: tokens.length,
        render: () => ({
          _tag: "Frames",
          contentType: "text/event-stream",
          opening: "",
          tokens: tokens.slice(0, -1).map((_, index) => event(index, {})),
          closing: event(Math.max(0, tokens.length - 1), { generated_text: textOf(request, reply), details })
        })
      }
    })

const cut = (text: string) => {
  let start = 0
  return Tokens.cut(text).map((piece) => {
    const stop = start + piece.length
    const one = { id: (Seed.of(piece) >>> 0) % 32_000, text: piece, start, stop }
    start = stop
    return one
  })
}

/**
 * The answer of `POST /tokenize`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const tokens = (call: Wire.Call): Either.Either<Wire.Answer, Wire.Failure> =>
  Either.map(asked(call, false), ({ inputs }) => Wire.free(cut(inputs)))

/**
 * The answer of `POST /chat_tokenize`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const chatTokens = (call: Wire.Call): Either.Either<Wire.Answer, Wire.Failure> => {
  const body: Fields.Json = Fields.isJson(call.body) ? call.body : {}
  const violation = Request.requests.chat(body)
  if (violation !== undefined) return Either.left(Wire.Failure.Invalid({ violation, body }))
  const text = Chat.templated(body)
  return Either.right(Wire.free({ tokenize_response: cut(text), templated_text: text }))
}
