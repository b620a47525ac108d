/**
 * A request for a response, as OpenAI takes it: the form of its fields, and the conversation in its items.
 *
 * @see https://platform.openai.com/docs/api-reference/responses/create
 * @since 0.1.0
 */
import * as Fields from "./Fields.js"
import type * as Models from "./Models.js"
import type * as Reply from "./Reply.js"
import * as Seed from "./Seed.js"
import * as Wire from "./Wire.js"

const text = Fields.string()
const name = Fields.string({ pattern: /^[a-zA-Z0-9_-]+$/, max: 64 })
const url = Fields.string({ pattern: /^(https?:\/\/|data:[a-z0-9.+-]+\/[a-z0-9.+-]+;base64,)/i })

const content = Fields.either(
  text,
  Fields.array(
    Fields.tagged("type", {
      input_text: Fields.object({ type: Fields.any, text, prompt_cache_breakpoint: Fields.optional(Fields.any) }),
      output_text: Fields.object({
        type: Fields.any,
        text,
        annotations: Fields.optional(Fields.array(Fields.any)),
        logprobs: Fields.optional(Fields.any)
      }),
      refusal: Fields.object({ type: Fields.any, refusal: text }),
      input_image: Fields.object({
        type: Fields.any,
        image_url: Fields.nullish(url),
        file_id: Fields.nullish(text),
        detail: Fields.optional(Fields.oneOf("auto", "low", "high", "original"))
      }),
      input_file: Fields.object({
        type: Fields.any,
        filename: Fields.optional(text),
        file_data: Fields.optional(text),
        file_url: Fields.optional(url),
        file_id: Fields.nullish(text),
        detail: Fields.optional(text)
      })
    })
  )
)

const message = Fields.object({
  type: Fields.optional(Fields.oneOf("message")),
  id: Fields.optional(text),
  status: Fields.optional(text),
  role: Fields.oneOf("user", "assistant", "system", "developer"),
  content,
  phase: Fields.nullish(text)
})

const items = {
  message,
  function_call: Fields.object({
    type: Fields.any,
    id: Fields.optional(text),
    status: Fields.nullish(text),
    call_id: Fields.string({ min: 1, max: 64 }),
    name,
    arguments: text
  }),
  function_call_output: Fields.object({
    type: Fields.any,
    id: Fields.nullish(text),
    status: Fields.nullish(text),
    call_id: Fields.string({ min: 1, max: 64 }),
    output: Fields.either(text, Fields.array(Fields.record))
  }),
  reasoning: Fields.object({
    type: Fields.any,
    id: text,
    status: Fields.nullish(text),
    summary: Fields.array(Fields.object({ type: Fields.oneOf("summary_text"), text })),
    content: Fields.optional(Fields.array(Fields.record)),
    encrypted_content: Fields.nullish(text)
  })
}

const tagged = Fields.tagged("type", items)

// an item without a type is a message
const item: Fields.Check = Object.assign(
  (value: unknown) => (Fields.isJson(value) && value["type"] !== undefined ? tagged(value) : message(value)),
  { kinds: message.kinds }
)

/**
 * The checks of all that decides on tokens, which a count of them takes as well.
 *
 * @since 0.1.0
 * @category constructors
 */
export const countable: { readonly [field: string]: Fields.Check } = {
  model: text,
  input: Fields.optional(Fields.either(text, Fields.array(item))),
  instructions: Fields.nullish(text),
  previous_response_id: Fields.nullish(text),
  conversation: Fields.nullish(Fields.any),
  tools: Fields.nullish(
    Fields.array(
      Fields.object({
        type: Fields.oneOf("function"),
        name,
        description: Fields.nullish(text),
        parameters: Fields.nullish(Fields.record),
        strict: Fields.nullish(Fields.boolean)
      }),
      { max: 128 }
    )
  ),
  tool_choice: Fields.nullish(
    Fields.either(
      Fields.oneOf("none", "auto", "required"),
      Fields.object({ type: Fields.oneOf("function"), name })
    )
  ),
  parallel_tool_calls: Fields.nullish(Fields.boolean),
  reasoning: Fields.nullish(
    Fields.object({
      effort: Fields.nullish(Fields.oneOf("none", "minimal", "low", "medium", "high", "xhigh", "max")),
      summary: Fields.nullish(Fields.oneOf("auto", "concise", "detailed"))
    })
  ),
  text: Fields.optional(
    Fields.object({
      format: Fields.optional(
        Fields.tagged("type", {
          text: Fields.object({ type: Fields.any }),
          json_object: Fields.object({ type: Fields.any }),
          json_schema: Fields.object({
            type: Fields.any,
            name,
            description: Fields.optional(text),
            schema: Fields.record,
            strict: Fields.nullish(Fields.boolean)
          })
        })
      ),
      verbosity: Fields.nullish(Fields.oneOf("low", "medium", "high"))
    })
  ),
  truncation: Fields.nullish(Fields.oneOf("auto", "disabled"))
}

/**
 * The check of a request for a response.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fields = Fields.object({
  ...countable,
  stream: Fields.nullish(Fields.boolean),
  stream_options: Fields.nullish(Fields.object({ include_obfuscation: Fields.optional(Fields.boolean) })),
  max_output_tokens: Fields.nullish(Fields.integer({ min: 16 })),
  max_tool_calls: Fields.nullish(Fields.integer({ min: 1 })),
  temperature: Fields.nullish(Fields.number({ min: 0, max: 2 })),
  top_p: Fields.nullish(Fields.number({ min: 0, max: 1 })),
  top_logprobs: Fields.nullish(Fields.integer({ min: 0, max: 20 })),
  include: Fields.nullish(
    Fields.array(
      Fields.oneOf(
        "reasoning.encrypted_content",
        "message.output_text.logprobs",
        "message.input_image.image_url",
        "file_search_call.results",
        "web_search_call.results",
        "web_search_call.action.sources",
        "computer_call_output.output.image_url",
        "code_interpreter_call.outputs"
      )
    )
  ),
  store: Fields.nullish(Fields.boolean),
  background: Fields.nullish(Fields.boolean),
  metadata: Fields.nullish(Fields.record),
  service_tier: Fields.nullish(Fields.oneOf("auto", "default", "flex", "scale", "priority", "fast")),
  user: Fields.nullish(text),
  prompt_cache_key: Fields.nullish(text),
  prompt_cache_retention: Fields.nullish(text),
  safety_identifier: Fields.nullish(Fields.string({ max: 64 }))
})

/**
 * The items of a request; a text is a message of the user.
 *
 * @since 0.1.0
 * @category accessors
 */
export const inputOf = (body: Fields.Json): ReadonlyArray<Fields.Json> =>
  typeof body["input"] === "string" ? [{ role: "user", content: body["input"] }] : Fields.objects(body["input"])

/**
 * The seal on the reasoning of an item: nobody makes one up.
 *
 * @since 0.1.0
 * @category constructors
 */
export const seal = (id: string, seed: number): string => `gAAAAAB${Seed.identifier(Seed.at(Seed.of(id), seed), 80)}`

/**
 * The rules beyond the form of single fields.
 *
 * @since 0.1.0
 * @category conversions
 */
export const rules = (body: Fields.Json, model: Models.Model, seed: number): Wire.Failure | undefined => {
  const rejected = (message: string, param?: string, code?: string) =>
    Wire.Failure.Rejected({
      message,
      ...(param === undefined ? {} : { param }),
      ...(code === undefined ? {} : { code })
    })
  const given = inputOf(body)
  if (given.length === 0) return rejected("Missing required parameter: 'input'.", "input", "missing_required_parameter")
  if (body["background"] === true) return rejected("The simulator does nothing in the background.", "background")
  if (typeof body["previous_response_id"] === "string") {
    return rejected(
      `Previous response with id '${body["previous_response_id"]}' not found.`,
      "previous_response_id",
      "previous_response_not_found"
    )
  }
  const thinks = model.kind === "reasoning"
  if (!thinks && Array.isArray(body["include"]) && body["include"].includes("reasoning.encrypted_content")) {
    return rejected("Encrypted content is not supported with this model.", "include")
  }
  const reasoning = body["reasoning"]
  const effort = Fields.isJson(reasoning) && reasoning["effort"] !== null ? reasoning["effort"] : undefined
  if (!thinks && effort !== undefined) {
    return rejected(
      "Unsupported parameter: 'reasoning.effort' is not supported with this model.",
      "reasoning.effort",
      "unsupported_parameter"
    )
  }
  if (thinks && typeof body["temperature"] === "number") {
    return rejected(
      "Unsupported parameter: 'temperature' is not supported with this model.",
      "temperature",
      "unsupported_parameter"
    )
  }
  const forged = given.find(
    (one) => one["type"] === "reasoning" && one["encrypted_content"] !== seal(Fields.stringOf(one["id"]), seed)
  )
  if (forged !== undefined) {
    return typeof forged["encrypted_content"] === "string"
      ? rejected("The encrypted content could not be verified.", undefined, "invalid_encrypted_content")
      : Wire.Failure.Rejected({
          status: 404,
          message: `Item with id '${Fields.stringOf(forged["id"])}' not found. Items are not persisted when \`store\` is set to false.`,
          param: "input"
        })
  }
  return toolRules(body, rejected) ?? pairing(given, rejected) ?? formatRules(body, given, rejected)
}

type Rejected = (message: string, param?: string, code?: string) => Wire.Failure

const toolRules = (body: Fields.Json, rejected: Rejected): Wire.Failure | undefined => {
  const choice = body["tool_choice"]
  const offered = tools(body)
  if (choice === "required" && offered.length === 0) {
    return rejected("Tool choice 'required' must be specified with 'tools' parameter.", "tool_choice")
  }
  const named = Fields.isJson(choice) ? Fields.stringOf(choice["name"]) : undefined
  return named === undefined || offered.some((tool) => tool.name === named)
    ? undefined
    : rejected(`Tool choice '${named}' not found in 'tools' parameter.`, "tool_choice")
}

const pairing = (given: ReadonlyArray<Fields.Json>, rejected: Rejected): Wire.Failure | undefined => {
  const open = new Set<string>()
  for (const one of given) {
    const id = Fields.stringOf(one["call_id"])
    if (one["type"] === "function_call") open.add(id)
    else if (one["type"] === "function_call_output" && !open.delete(id)) {
      return rejected(`No tool call found for function call output with call_id ${id}.`, "input")
    }
  }
  const [unanswered] = open
  return unanswered === undefined
    ? undefined
    : rejected(`No tool output found for function call ${unanswered}.`, "input")
}

const formatRules = (
  body: Fields.Json,
  given: ReadonlyArray<Fields.Json>,
  rejected: Rejected
): Wire.Failure | undefined => {
  const wanted = formatOf(body)
  return wanted?.["type"] === "json_object" && !/json/i.test(JSON.stringify(given))
    ? rejected(
        "Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'.",
        "input"
      )
    : undefined
}

const formatOf = (body: Fields.Json): Fields.Json | undefined => {
  const wanted = Fields.isJson(body["text"]) ? body["text"]["format"] : undefined
  return Fields.isJson(wanted) ? wanted : undefined
}

/**
 * The tools that a request offers.
 *
 * @since 0.1.0
 * @category accessors
 */
export const tools = (body: Fields.Json): ReadonlyArray<Reply.Tool> =>
  Fields.objects(body["tools"]).map((tool) => ({
    name: Fields.stringOf(tool["name"]),
    parameters: tool["parameters"] ?? undefined
  }))

/**
 * A request as a conversation.
 *
 * @since 0.1.0
 * @category conversions
 */
export const conversation = (body: Fields.Json, model: Models.Model, length: number): Reply.Conversation => {
  const reasoning = body["reasoning"]
  return {
    model: model.snapshot,
    turns: turns(body),
    tools: tools(body),
    choice: choice(body["tool_choice"]),
    parallel: body["parallel_tool_calls"] !== false,
    format: format(formatOf(body)),
    reasoning: model.kind === "reasoning" && !(Fields.isJson(reasoning) && reasoning["effort"] === "none"),
    maxTokens: typeof body["max_output_tokens"] === "number" ? body["max_output_tokens"] : Infinity,
    stop: [],
    length,
    variant: 0
  }
}

const choice = (value: unknown): Reply.Conversation["choice"] =>
  value === "none" || value === "required"
    ? value
    : Fields.isJson(value)
      ? { name: Fields.stringOf(value["name"]) }
      : "auto"

const format = (wanted: Fields.Json | undefined): Reply.Conversation["format"] =>
  wanted === undefined || wanted["type"] === "text"
    ? "text"
    : wanted["type"] === "json_object"
      ? "json"
      : { schema: wanted["schema"] }

const turns = (body: Fields.Json): ReadonlyArray<Reply.Turn> => {
  const names = new Map<unknown, string>()
  const instructions = Fields.stringOf(body["instructions"])
  const said = inputOf(body).flatMap((one): ReadonlyArray<Reply.Turn> => {
    switch (one["type"]) {
      case "reasoning":
        return []
      case "function_call":
        names.set(one["call_id"], Fields.stringOf(one["name"]))
        return [{ role: "assistant", text: Fields.stringOf(one["arguments"]), shown: [] }]
      case "function_call_output":
        return [{ role: "tool", ...shown(one["output"]), tool: names.get(one["call_id"]) }]
      default:
        return [{ role: roles[Fields.stringOf(one["role"])] ?? "user", ...shown(one["content"]) }]
    }
  })
  return instructions === "" ? said : [{ role: "system", text: instructions, shown: [] }, ...said]
}

const roles: { readonly [role: string]: Reply.Turn["role"] } = {
  system: "system",
  developer: "system",
  user: "user",
  assistant: "assistant"
}

const shown = (content: unknown): Pick<Reply.Turn, "text" | "shown"> => {
  if (typeof content === "string") return { text: content, shown: [] }
  const parts = Fields.objects(content)
  return {
    text: parts.map((part) => Fields.stringOf(part["text"])).join("\n"),
    shown: parts.flatMap((part) => {
      if (part["type"] === "input_file") return ["a file"]
      if (part["type"] !== "input_image") return []
      const type = /^data:(image\/[^;]+);/.exec(Fields.stringOf(part["image_url"]))?.[1]
      return [type === undefined ? "an image by its address" : `an image (${type})`]
    })
  }
}
