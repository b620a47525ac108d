/**
 * What Gemini demands of a request beyond the form of its fields.
 *
 * @see https://ai.google.dev/gemini-api/docs/function-calling
 * @see https://ai.google.dev/gemini-api/docs/thought-signatures
 * @since 0.1.0
 */
import * as Fields from "./Fields.js"
import type * as Models from "./Models.js"
import * as Seed from "./Seed.js"

/**
 * What a model says to vouch for what it made: the same for the same simulator.
 *
 * @since 0.1.0
 * @category constructors
 */
export const signature = (seed: number): string => `Eqs${Seed.identifier(Seed.at(seed, 17), 61)}`

// What a client may say in place of a signature for a call that another model made.
const substitutes = ["skip_thought_signature_validator", "context_engineering_is_the_way_to_go"]

/**
 * Whether a model belongs to those that think by levels, and want their signatures back.
 *
 * @since 0.1.0
 * @category accessors
 */
export const isNew = ({ id }: Models.Model): boolean => /^gemini-(?![12]\b)/.test(id)

/**
 * The parts of a content.
 *
 * @since 0.1.0
 * @category accessors
 */
export const parts = (content: unknown): ReadonlyArray<Fields.Json> =>
  Fields.isJson(content) ? Fields.objects(content["parts"]) : []

/**
 * The first rule that is broken, in the service's words.
 *
 * @since 0.1.0
 * @category conversions
 */
export const broken = (body: Fields.Json, model: Models.Model, seed: number): string | undefined => {
  const contents = Fields.objects(body["contents"])
  const config: Fields.Json = Fields.isJson(body["generationConfig"]) ? body["generationConfig"] : {}
  return (
    contentsRule(contents) ??
    rangeRule(config) ??
    thinkingRule(config, model) ??
    formatRule(config) ??
    toolRule(body) ??
    callRule(contents) ??
    signatureRule(contents, model, seed)
  )
}

const contentsRule = (contents: ReadonlyArray<Fields.Json>): string | undefined => {
  if (contents.length === 0) return "* GenerateContentRequest.contents: contents is not specified\n"
  for (const [index, content] of contents.entries()) {
    const role = content["role"]
    if (role !== undefined && role !== "user" && role !== "model" && role !== "function") {
      return "Please use a valid role: user, model."
    }
    if (parts(content).length === 0) {
      return `* GenerateContentRequest.contents[${index}].parts: contents.parts must not be empty.\n`
    }
    for (const [at, part] of parts(content).entries()) {
      const inline = part["inlineData"]
      const data = Fields.isJson(inline) ? Fields.stringOf(inline["data"]) : ""
      if (/[^A-Za-z0-9+/=_-]/.test(data)) {
        return `Invalid value at 'contents[${index}].parts[${at}].inline_data.data' (TYPE_BYTES), Base64 decoding failed for "${data.slice(0, 32)}"`
      }
    }
  }
  return contents.at(-1)?.["role"] === "model"
    ? "Please ensure that multiturn requests end with a user role or a function response."
    : undefined
}

const ranges: ReadonlyArray<readonly [name: string, field: string, from: number, to: number]> = [
  ["temperature", "temperature", 0, 2],
  ["topP", "top_p", 0, 1],
  ["topK", "top_k", 1, 1000],
  ["maxOutputTokens", "max_output_tokens", 1, 65_536],
  ["presencePenalty", "presence_penalty", -2, 2],
  ["frequencyPenalty", "frequency_penalty", -2, 2]
]

const rangeRule = (config: Fields.Json): string | undefined => {
  const found = ranges.find(([name, , from, to]) => {
    const value = config[name]
    return typeof value === "number" && (value < from || value > to)
  })
  return found === undefined
    ? undefined
    : `* GenerateContentRequest.generation_config.${found[1]}: ${found[1]} must be in the range [${found[2]}, ${found[3]}].\n`
}

const thinkingRule = (config: Fields.Json, model: Models.Model): string | undefined => {
  const thinking = config["thinkingConfig"]
  if (!Fields.isJson(thinking)) return undefined
  const { thinkingBudget: budget, thinkingLevel: level } = thinking
  if (budget !== undefined && level !== undefined) {
    return "You can only set only one of thinking budget and thinking level."
  }
  if (model.kind !== "reasoning" && (level !== undefined || (budget !== undefined && budget !== 0))) {
    return "Thinking is not supported for this model."
  }
  if (level !== undefined && !isNew(model)) return "Thinking level is not supported for this model."
  if (/^minimal$/i.test(Fields.stringOf(level)) && !/flash-lite/.test(model.id)) {
    return "'minimal' is not a supported thinking level for this model. Allowed values are: medium, low, high."
  }
  return budget === 0 && /pro/.test(model.id) ? "Budget 0 is invalid. This model only works in thinking mode." : undefined
}

const formatRule = (config: Fields.Json): string | undefined =>
  (config["responseSchema"] !== undefined || config["responseJsonSchema"] !== undefined) &&
  config["responseMimeType"] !== "application/json"
    ? "* GenerateContentRequest.generation_config.response_schema: only allowed when the response_mime_type is application/json.\n"
    : undefined

/**
 * The functions that a request offers.
 *
 * @since 0.1.0
 * @category accessors
 */
export const declarations = (body: Fields.Json): ReadonlyArray<Fields.Json> =>
  Fields.objects(body["tools"]).flatMap((tool) => Fields.objects(tool["functionDeclarations"]))

const toolRule = (body: Fields.Json): string | undefined => {
  const offered = declarations(body)
  const misnamed = offered.findIndex(({ name }) => !/^[A-Za-z_][\w.:-]{0,127}$/.test(Fields.stringOf(name)))
  if (misnamed >= 0) {
    return `* GenerateContentRequest.tools[0].function_declarations[${misnamed}].name: Invalid function name. Must start with a letter or an underscore. Must be alphameric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 128.\n`
  }
  const config = Fields.isJson(body["toolConfig"]) ? body["toolConfig"]["functionCallingConfig"] : undefined
  if (!Fields.isJson(config)) return undefined
  if (offered.length === 0) return "Function calling config is set without function_declarations."
  const allowed = Array.isArray(config["allowedFunctionNames"]) ? config["allowedFunctionNames"] : []
  if (allowed.length > 0 && config["mode"] !== "ANY" && config["mode"] !== "VALIDATED") {
    return "Allowed function names should be set only when function calling mode is ANY or VALIDATED."
  }
  const stranger = allowed.find((name) => !offered.some((one) => one["name"] === name))
  return stranger === undefined
    ? undefined
    : `* GenerateContentRequest.tool_config.function_calling_config.allowed_function_names: ${String(stranger)} is not declared.\n`
}

const having = (content: Fields.Json | undefined, field: string): ReadonlyArray<Fields.Json> =>
  parts(content).filter((part) => Fields.isJson(part[field]))

const callRule = (contents: ReadonlyArray<Fields.Json>): string | undefined => {
  for (const [index, content] of contents.entries()) {
    const responses = having(content, "functionResponse").length
    const calls = having(contents[index - 1], "functionCall").length
    if (responses === calls) continue
    return responses === 0
      ? "Please ensure that function call turn comes immediately after a user turn or after a function response turn."
      : "Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn."
  }
  return undefined
}

// What the user said last begins the turn in which calls must be signed, the first of those made together.
const signatureRule = (
  contents: ReadonlyArray<Fields.Json>,
  model: Models.Model,
  seed: number
): string | undefined => {
  const turn = contents.findLastIndex((one) => one["role"] !== "model" && having(one, "functionResponse").length === 0)
  for (const [index, content] of contents.entries()) {
    const position = parts(content).findIndex((part) => Fields.isJson(part["functionCall"]))
    for (const [at, part] of parts(content).entries()) {
      const given = part["thoughtSignature"]
      if (typeof given === "string" && given !== signature(seed) && !substitutes.includes(given)) {
        return "Corrupted thought signature."
      }
      const call = part["functionCall"]
      if (index > turn && at === position && Fields.isJson(call) && given === undefined && isNew(model)) {
        return `Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly, and missing thought_signature may lead to degraded model performance. Additional data, function call \`default_api:${Fields.stringOf(call["name"])}\` , position ${index + 1}. Please refer to https://ai.google.dev/gemini-api/docs/thought-signatures for more details.`
      }
    }
  }
  return undefined
}
