/**
 * A request for a chat completion, as OpenAI made it and others take it: the form of its fields, and the conversation
 * in it.
 *
 * @see https://platform.openai.com/docs/api-reference/chat
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Fields from "./Fields.js"
import type * as Models from "./Models.js"
import type * as Reply from "./Reply.js"
import * as Wire from "./Wire.js"

/**
 * The model that a request names, if the vendor has it and it can do this.
 *
 * @since 0.1.0
 * @category accessors
 */
export const model = (
  models: ReadonlyArray<Models.Model>,
  body: Fields.Json,
  use: "chat" | "embedding"
): Either.Either<Models.Model, Wire.Failure> => {
  const name = body["model"]
  if (name === undefined || name === "") {
    return Either.left(Wire.Failure.Rejected({ message: "you must provide a model parameter" }))
  }
  if (typeof name !== "string") {
    return Either.left(
      Wire.Failure.Invalid({ violation: { path: ["model"], problem: "Type", expected: ["string"], got: name }, body })
    )
  }
  const found = Wire.find(models, name)
  if (found === undefined) return Either.left(Wire.Failure.NoModel({ model: name }))
  if ((found.kind === "embedding") === (use === "embedding")) return Either.right(found)
  return Either.left(
    use === "chat"
      ? Wire.Failure.Rejected({
          status: 404,
          message:
            "This is not a chat model and thus not supported in the v1/chat/completions endpoint. Did you mean to use v1/completions?",
          param: "model"
        })
      : Wire.Failure.Rejected({ status: 403, message: "You are not allowed to generate embeddings from this model" })
  )
}

const text = Fields.string()
const textPart = Fields.object({ type: Fields.any, text, prompt_cache_breakpoint: Fields.optional(Fields.any) })
const content = (part: Fields.Check) => Fields.either(text, Fields.array(part))

/**
 * The checks of messages: `user` says what a user may show besides text, `assistant` which members more an earlier
 * answer may carry back.
 *
 * @since 0.1.0
 * @category constructors
 */
export const messages = (
  user: { readonly [type: string]: Fields.Check },
  assistant: { readonly [member: string]: Fields.Check }
): Fields.Check => {
  const texts = content(Fields.tagged("type", { text: textPart }))
  const system = Fields.object({ role: Fields.any, content: texts, name: Fields.optional(text) })
  return Fields.array(
    Fields.tagged("role", {
      system,
      developer: system,
      user: Fields.object({
        role: Fields.any,
        content: content(Fields.tagged("type", { text: textPart, ...user })),
        name: Fields.optional(text)
      }),
      assistant: Fields.object({
        role: Fields.any,
        content: Fields.nullish(
          content(
            Fields.tagged("type", { text: textPart, refusal: Fields.object({ type: Fields.any, refusal: text }) })
          )
        ),
        name: Fields.optional(text),
        tool_calls: Fields.optional(Fields.array(toolCall, { min: 1 })),
        function_call: Fields.nullish(Fields.record),
        ...assistant
      }),
      tool: Fields.object({ role: Fields.any, content: texts, tool_call_id: text }),
      function: Fields.object({ role: Fields.any, content: Fields.nullable(text), name: text })
    }),
    { min: 1 }
  )
}

const toolCall = Fields.object({
  id: text,
  type: Fields.oneOf("function"),
  function: Fields.object({ name: text, arguments: text }),
  index: Fields.optional(Fields.integer())
})

/**
 * A part of a user's message that is an image.
 *
 * @since 0.1.0
 * @category constructors
 */
export const imagePart: Fields.Check = Fields.object({
  type: Fields.any,
  image_url: Fields.object({
    url: Fields.string({ pattern: /^(https?:\/\/|data:image\/[a-z0-9.+-]+;base64,)/i }),
    detail: Fields.optional(Fields.oneOf("auto", "low", "high", "original"))
  }),
  prompt_cache_breakpoint: Fields.optional(Fields.any)
})

const name = Fields.string({ pattern: /^[a-zA-Z0-9_-]+$/, max: 64 })

/**
 * The checks of what all dialects have in common besides messages.
 *
 * @since 0.1.0
 * @category constructors
 */
export const common: { readonly [field: string]: Fields.Check } = {
  model: text,
  stream: Fields.nullish(Fields.boolean),
  stream_options: Fields.nullish(
    Fields.object({
      include_usage: Fields.optional(Fields.boolean),
      include_obfuscation: Fields.optional(Fields.boolean)
    })
  ),
  max_tokens: Fields.nullish(Fields.integer({ min: 1 })),
  max_completion_tokens: Fields.nullish(Fields.integer({ min: 1 })),
  temperature: Fields.nullish(Fields.number({ min: 0, max: 2 })),
  top_p: Fields.nullish(Fields.number({ min: 0, max: 1 })),
  frequency_penalty: Fields.nullish(Fields.number({ min: -2, max: 2 })),
  presence_penalty: Fields.nullish(Fields.number({ min: -2, max: 2 })),
  logit_bias: Fields.nullish(Fields.record),
  logprobs: Fields.nullish(Fields.boolean),
  top_logprobs: Fields.nullish(Fields.integer({ min: 0, max: 20 })),
  seed: Fields.nullish(Fields.integer()),
  stop: Fields.nullish(Fields.either(text, Fields.array(text, { max: 4 }))),
  user: Fields.nullish(text),
  metadata: Fields.nullish(Fields.record),
  store: Fields.nullish(Fields.boolean),
  parallel_tool_calls: Fields.nullish(Fields.boolean),
  tools: Fields.nullish(
    Fields.array(
      Fields.object({
        type: Fields.oneOf("function"),
        function: Fields.object({
          name,
          description: Fields.optional(text),
          parameters: Fields.nullish(Fields.record),
          strict: Fields.nullish(Fields.boolean)
        })
      }),
      { max: 128 }
    )
  ),
  tool_choice: Fields.nullish(
    Fields.either(
      Fields.oneOf("none", "auto", "required"),
      Fields.object({ type: Fields.oneOf("function"), function: Fields.object({ name }) })
    )
  ),
  response_format: Fields.nullish(
    Fields.tagged("type", {
      text: Fields.object({ type: Fields.any }),
      json_object: Fields.object({ type: Fields.any }),
      json_schema: Fields.object({
        type: Fields.any,
        json_schema: Fields.object({
          name,
          description: Fields.optional(text),
          schema: Fields.optional(Fields.record),
          strict: Fields.nullish(Fields.boolean)
        })
      })
    })
  )
}

/**
 * Whether each call of a tool has its result, and each result its call.
 *
 * @since 0.1.0
 * @category conversions
 */
export const pairing = (messages: ReadonlyArray<Fields.Json>): Wire.Failure | undefined => {
  let open: ReadonlyArray<string> = []
  let from = 0
  const unanswered = () =>
    Wire.Failure.Rejected({
      message:
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. " +
        `The following tool_call_ids did not have response messages: ${open.join(", ")}`,
      param: `messages.[${from}].role`
    })
  for (const [index, message] of messages.entries()) {
    const id = message["tool_call_id"]
    if (message["role"] === "tool") {
      if (typeof id !== "string" || !open.includes(id)) {
        return Wire.Failure.Rejected({
          message:
            "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
          param: `messages.[${index}].role`
        })
      }
      open = open.filter((one) => one !== id)
      continue
    }
    if (open.length > 0) return unanswered()
    open = Fields.objects(message["tool_calls"]).map((one) => Fields.stringOf(one["id"]))
    from = index
  }
  return open.length > 0 ? unanswered() : undefined
}

/**
 * The tools that a request offers.
 *
 * @since 0.1.0
 * @category accessors
 */
export const tools = (body: Fields.Json): ReadonlyArray<Reply.Tool> =>
  Fields.objects(body["tools"]).flatMap((tool) => {
    const offered = tool["function"]
    return Fields.isJson(offered)
      ? [{ name: Fields.stringOf(offered["name"]), parameters: offered["parameters"] ?? undefined }]
      : []
  })

/**
 * A request as a conversation, for the alternative `variant` of its answer.
 *
 * @since 0.1.0
 * @category conversions
 */
export const conversation = (
  body: Fields.Json,
  model: Models.Model,
  call: Wire.Call,
  variant: number
): Reply.Conversation => ({
  model: model.snapshot,
  turns: turns(Fields.objects(body["messages"])),
  tools: tools(body),
  choice: choice(body["tool_choice"]),
  parallel: body["parallel_tool_calls"] !== false,
  format: format(body["response_format"]),
  reasoning: model.kind === "reasoning" && body["reasoning_effort"] !== "none",
  maxTokens: limit(body["max_completion_tokens"]) ?? limit(body["max_tokens"]) ?? Infinity,
  stop: Array.isArray(body["stop"]) ? body["stop"].map(Fields.stringOf) : [Fields.stringOf(body["stop"])],
  length: call.answerTokens,
  variant
})

const limit = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined)

const choice = (value: unknown): Reply.Conversation["choice"] => {
  if (value === "none" || value === "required") return value
  const named = Fields.isJson(value) ? value["function"] : undefined
  return Fields.isJson(named) ? { name: Fields.stringOf(named["name"]) } : "auto"
}

const format = (value: unknown): Reply.Conversation["format"] => {
  if (!Fields.isJson(value) || value["type"] === "text") return "text"
  const described = value["json_schema"]
  return Fields.isJson(described) ? { schema: described["schema"] ?? { type: "object" } } : "json"
}

const turns = (messages: ReadonlyArray<Fields.Json>): ReadonlyArray<Reply.Turn> => {
  const names = new Map<unknown, string>()
  return messages.map((message) => {
    for (const called of Fields.objects(message["tool_calls"])) {
      if (Fields.isJson(called["function"])) names.set(called["id"], Fields.stringOf(called["function"]["name"]))
    }
    const parts = Fields.objects(message["content"])
    return {
      role: roles[Fields.stringOf(message["role"])] ?? "user",
      text:
        typeof message["content"] === "string"
          ? message["content"]
          : parts.map((part) => Fields.stringOf(part["text"])).join("\n"),
      shown: parts.flatMap(shown),
      tool: names.get(message["tool_call_id"])
    }
  })
}

const roles: { readonly [role: string]: Reply.Turn["role"] } = {
  system: "system",
  developer: "system",
  user: "user",
  assistant: "assistant",
  tool: "tool",
  function: "tool"
}

const shown = (part: Fields.Json): ReadonlyArray<string> => {
  const image = part["image_url"]
  if (Fields.isJson(image)) {
    const type = /^data:(image\/[^;]+);/.exec(Fields.stringOf(image["url"]))?.[1]
    return [type === undefined ? "an image by its address" : `an image (${type})`]
  }
  return "input_audio" in part ? ["a sound"] : "file" in part ? ["a file"] : []
}
