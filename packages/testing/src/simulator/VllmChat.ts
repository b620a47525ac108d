/**
 * vLLM's dialect of chat completions: what it takes beyond OpenAI's, and what it says beyond it.
 *
 * @see https://docs.vllm.ai/en/latest/serving/openai_compatible_server/
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Fields from "./Fields.js"
import type * as Models from "./Models.js"
import * as Chat from "./OpenAiChat.js"
import * as Request from "./OpenAiRequest.js"
import * as Seed from "./Seed.js"
import * as Wire from "./Wire.js"

/**
 * The answer of `POST /v1/chat/completions`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const answer = (models: ReadonlyArray<Models.Model>): Wire.Route["answer"] => {
  const chat = Chat.answer(dialect(models))
  return (call) => Either.flatMap(chat(call), (answer) => fits(models, call, answer))
}

const dialect = (models: ReadonlyArray<Models.Model>): Chat.Dialect => ({
  models,
  fields,
  rules,
  completionId: (id) => `chatcmpl-${Seed.identifier(id, 32, Seed.hexadecimal)}`,
  toolCallId: (id) => `chatcmpl-tool-${Seed.identifier(id, 32, Seed.hexadecimal)}`,
  reasoningIn: (body) => (body["include_reasoning"] === false ? "nowhere" : "field"),
  // under its older name too, in a stream
  reasoning: (text, streamed) => ({ reasoning: text, ...(streamed ? { reasoning_content: text } : {}) }),
  format: (body) => {
    const { choice, json }: Fields.Json = Fields.isJson(body["structured_outputs"]) ? body["structured_outputs"] : {}
    return json !== undefined
      ? { schema: json }
      : Array.isArray(choice)
        ? { literal: Fields.stringOf(choice[0]) }
        : undefined
  },
  members: () => ({}),
  wholeMembers: () => ({
    service_tier: null,
    system_fingerprint: null,
    prompt_logprobs: null,
    prompt_token_ids: null,
    kv_transfer_params: null
  }),
  messageMembers: { refusal: null, annotations: null, audio: null, function_call: null },
  firstDeltaMembers: {},
  noText: null,
  usage: ({ input, output }) => ({
    prompt_tokens: input,
    total_tokens: input + output,
    completion_tokens: output,
    prompt_tokens_details: null
  }),
  firstMembers: () => ({}),
  lastMembers: () => ({}),
  wholeToolCalls: false,
  padded: false
})

const number = Fields.nullish(Fields.number())

const integer = Fields.nullish(Fields.integer())

const fields = Fields.object(
  {
    ...Request.common,
    model: Fields.nullish(Fields.string()),
    stream_options: Fields.nullish(Fields.record),
    messages: Fields.array(Fields.record, { min: 1 }),
    reasoning_effort: Fields.nullish(Fields.oneOf("none", "low", "medium", "high")),
    top_k: integer,
    min_p: number,
    repetition_penalty: number,
    min_tokens: integer,
    stop_token_ids: Fields.nullish(Fields.array(Fields.integer())),
    bad_words: Fields.nullish(Fields.array(Fields.string())),
    ignore_eos: Fields.nullish(Fields.boolean),
    truncate_prompt_tokens: Fields.nullish(Fields.integer({ min: -1 })),
    include_reasoning: Fields.nullish(Fields.boolean),
    priority: integer,
    cache_salt: Fields.nullish(Fields.string({ min: 1 })),
    chat_template: Fields.nullish(Fields.string()),
    chat_template_kwargs: Fields.nullish(Fields.record),
    structured_outputs: Fields.nullish(Fields.record),
    vllm_xargs: Fields.nullish(Fields.record)
  },
  { open: true }
)

const rules = (body: Fields.Json): Wire.Failure | undefined => {
  const rejected = (message: string, param?: string) =>
    Wire.Failure.Rejected({ message, ...(param === undefined ? {} : { param }) })
  if ((body["stream_options"] ?? null) !== null && body["stream"] !== true) {
    return rejected("Stream options can only be defined when `stream=True`.", "stream_options")
  }
  if ((body["priority"] ?? 0) !== 0) {
    return rejected("Got priority but the server does not use priority scheduling.")
  }
  if (body["continue_final_message"] === true && body["add_generation_prompt"] !== false) {
    return rejected("Cannot set both `continue_final_message` and `add_generation_prompt` to True.")
  }
  return structureRules(body["structured_outputs"], rejected) ?? toolRules(body, rejected)
}

const structureRules = (
  structure: unknown,
  rejected: (message: string) => Wire.Failure
): Wire.Failure | undefined => {
  if (!Fields.isJson(structure)) return undefined
  const given = Object.entries(structure).filter(([, value]) => (value ?? null) !== null)
  if (given.length !== 1) return rejected("You can only use one kind of constraints for structured outputs.")
  // what it cannot keep it does not take
  return given.every(([kind]) => kind === "json" || kind === "choice")
    ? undefined
    : rejected(`The simulator keeps no structured outputs by ${given[0]?.[0]}; it knows json and choice.`)
}

const toolRules = (body: Fields.Json, rejected: (message: string) => Wire.Failure): Wire.Failure | undefined => {
  const choice = body["tool_choice"] ?? "none"
  const offered = Request.tools(body)
  if (choice !== "none" && offered.length === 0) return rejected("When using `tool_choice`, `tools` must be set.")
  const named =
    Fields.isJson(choice) && Fields.isJson(choice["function"]) ? Fields.stringOf(choice["function"]["name"]) : undefined
  return named === undefined || offered.some((tool) => tool.name === named)
    ? undefined
    : rejected("The tool specified in `tool_choice` does not match any of the specified `tools`")
}

/** Whether prompt and answer fit into the model, which is told before anything is streamed. */
const fits = (
  models: ReadonlyArray<Models.Model>,
  { body }: Wire.Call,
  answer: Wire.Answer
): Either.Either<Wire.Answer, Wire.Failure> => {
  const request: Fields.Json = Fields.isJson(body) ? body : {}
  const context = Wire.find(models, Fields.stringOf(request["model"]))?.context ?? Infinity
  const asked = request["max_completion_tokens"] ?? request["max_tokens"]
  const completion = typeof asked === "number" ? asked : 1
  const whole = answer.input + completion
  return whole <= context
    ? Either.right(answer)
    : Either.left(
        Wire.Failure.Rejected({
          message:
            `This model's maximum context length is ${context} tokens. However, you requested ${whole} tokens ` +
            `(${answer.input} in the messages, ${completion} in the completion). ` +
            "Please reduce the length of the messages or completion."
        })
      )
}
