/**
 * What Ollama takes for a request.
 *
 * @see https://github.com/ollama/ollama/blob/main/docs/api.md
 * @since 0.1.0
 */
import * as Fields from "./Fields.js"
import type * as Models from "./Models.js"
import * as Wire from "./Wire.js"

const string = Fields.string()

const toolCall = Fields.object(
  {
    id: Fields.optional(string),
    type: Fields.optional(string),
    function: Fields.object(
      {
        index: Fields.optional(Fields.integer()),
        name: string,
        description: Fields.optional(string),
        arguments: Fields.record
      },
      { open: true }
    )
  },
  { open: true }
)

const images = Fields.nullish(Fields.array(string))

const common = {
  model: Fields.optional(string),
  stream: Fields.nullish(Fields.boolean),
  format: Fields.nullish(Fields.either(string, Fields.record)),
  options: Fields.nullish(Fields.record),
  think: Fields.nullish(Fields.either(Fields.boolean, string)),
  keep_alive: Fields.nullish(Fields.either(string, Fields.number()))
}

/**
 * The form of the requests. Members that it does not know, Ollama passes over.
 *
 * @since 0.1.0
 * @category constructors
 */
export const requests = {
  chat: Fields.object(
    {
      ...common,
      messages: Fields.nullish(
        Fields.array(
          Fields.object(
            {
              role: string,
              content: Fields.nullish(string),
              thinking: Fields.nullish(string),
              images,
              tool_calls: Fields.nullish(Fields.array(toolCall)),
              tool_name: Fields.nullish(string),
              tool_call_id: Fields.nullish(string)
            },
            { open: true }
          )
        )
      ),
      tools: Fields.nullish(
        Fields.array(
          Fields.object(
            {
              type: string,
              function: Fields.object(
                { name: string, description: Fields.optional(string), parameters: Fields.nullish(Fields.record) },
                { open: true }
              )
            },
            { open: true }
          )
        )
      )
    },
    { open: true }
  ),
  generate: Fields.object(
    {
      ...common,
      prompt: Fields.nullish(string),
      suffix: Fields.nullish(string),
      system: Fields.nullish(string),
      template: Fields.nullish(string),
      context: Fields.nullish(Fields.array(Fields.integer())),
      raw: Fields.nullish(Fields.boolean),
      images
    },
    { open: true }
  ),
  pull: Fields.object(
    {
      model: Fields.optional(string),
      name: Fields.optional(string),
      insecure: Fields.nullish(Fields.boolean),
      stream: Fields.nullish(Fields.boolean)
    },
    { open: true }
  ),
  embed: Fields.object(
    {
      ...common,
      input: Fields.nullish(Fields.either(string, Fields.array(string))),
      truncate: Fields.nullish(Fields.boolean),
      dimensions: Fields.nullish(Fields.integer())
    },
    { open: true }
  )
}

const roles = ["system", "user", "assistant", "tool"]

const options: { readonly [option: string]: "integer" | "float32" | "array of strings" } = {
  num_predict: "integer",
  num_ctx: "integer",
  num_keep: "integer",
  seed: "integer",
  top_k: "integer",
  temperature: "float32",
  top_p: "float32",
  min_p: "float32",
  repeat_penalty: "float32",
  presence_penalty: "float32",
  frequency_penalty: "float32",
  stop: "array of strings"
}

const fits: { readonly [T in "integer" | "float32" | "array of strings"]: (value: unknown) => boolean } = {
  integer: (value) => typeof value === "number",
  float32: (value) => typeof value === "number",
  "array of strings": (value) => Array.isArray(value)
}

// A mistake in the options is found late, and answered as if it were the server's.
const badOption = (body: Fields.Json): Wire.Failure | undefined => {
  const found = Object.entries(Fields.isJson(body["options"]) ? body["options"] : {}).find(([name, value]) => {
    const type = options[name]
    return type !== undefined && value !== null && !fits[type](value)
  })
  return found === undefined
    ? undefined
    : Wire.Failure.Rejected({ status: 500, message: `option "${found[0]}" must be of type ${options[found[0]] ?? ""}` })
}

/**
 * What is wrong with a request beyond the form of its fields.
 *
 * @since 0.1.0
 * @category conversions
 */
export const broken = (
  use: "chat" | "generate",
  body: Fields.Json,
  model: Models.Model,
  name: string
): Wire.Failure | undefined => {
  const no = (message: string) => Wire.Failure.Rejected({ message })
  if (model.kind === "embedding") return no(`"${name}" does not support ${use}`)
  const format = body["format"]
  if (typeof format === "string" && format !== "" && format !== "json") {
    return no(`invalid format: "${format}"; expected "json" or a valid JSON Schema object`)
  }
  const thinks = body["think"] !== undefined && body["think"] !== null && body["think"] !== false
  if (thinks && model.kind !== "reasoning") return no(`"${name}" does not support thinking`)
  if (typeof body["think"] === "string" && !["low", "medium", "high", "max"].includes(body["think"])) {
    return no(`invalid think value: "${body["think"]}" (must be "high", "medium", "low", "max", true, or false)`)
  }
  const messages = Fields.objects(body["messages"])
  const stranger = messages.find((one) => !roles.includes(Fields.stringOf(one["role"])))
  if (stranger !== undefined) {
    return no(`invalid role: ${Fields.stringOf(stranger["role"])}, must be one of [${roles.join(", ")}]`)
  }
  const shown = [body, ...messages].flatMap((one) =>
    Array.isArray(one["images"]) ? one["images"].map(Fields.stringOf) : []
  )
  const illegal = shown.map((image) => image.search(/[^A-Za-z0-9+/=]/)).find((at) => at >= 0)
  return illegal === undefined ? badOption(body) : no(`illegal base64 data at input byte ${illegal}`)
}
