/**
 * Gemini's contents as a conversation.
 *
 * @since 0.1.0
 */
import * as Fields from "./Fields.js"
import * as Rules from "./GeminiRules.js"
import type * as Models from "./Models.js"
import type * as Reply from "./Reply.js"

/**
 * How the answer shall be made.
 *
 * @since 0.1.0
 * @category accessors
 */
export const configOf = (body: Fields.Json): Fields.Json =>
  Fields.isJson(body["generationConfig"]) ? body["generationConfig"] : {}

/**
 * How the model shall think.
 *
 * @since 0.1.0
 * @category accessors
 */
export const thinkingOf = (body: Fields.Json): Fields.Json => {
  const thinking = configOf(body)["thinkingConfig"]
  return Fields.isJson(thinking) ? thinking : {}
}

/**
 * The conversation of a request for an answer of about `length` tokens. `before` is what was cached of it.
 *
 * @since 0.1.0
 * @category conversions
 */
export const from = (
  body: Fields.Json,
  model: Models.Model,
  before: Fields.Json | undefined,
  length: number
): Reply.Conversation => {
  const config = configOf(body)
  const limit = config["maxOutputTokens"]
  const offered = Rules.declarations(before ?? body)
  return {
    model: model.snapshot,
    turns: [...(before === undefined ? [] : turns(before)), ...turns(body)],
    tools: offered.map((one) => ({
      name: Fields.stringOf(one["name"]),
      parameters: one["parametersJsonSchema"] ?? lowered(one["parameters"])
    })),
    choice: choice(body),
    parallel: true,
    format:
      config["responseMimeType"] !== "application/json"
        ? "text"
        : config["responseJsonSchema"] !== undefined
          ? { schema: config["responseJsonSchema"] }
          : config["responseSchema"] !== undefined
            ? { schema: lowered(config["responseSchema"]) }
            : "json",
    reasoning: model.kind === "reasoning" && thinkingOf(body)["thinkingBudget"] !== 0,
    maxTokens: typeof limit === "number" ? limit : Infinity,
    stop: Array.isArray(config["stopSequences"]) ? config["stopSequences"].map(Fields.stringOf) : [],
    length,
    variant: 0
  }
}

const choice = (body: Fields.Json): Reply.Conversation["choice"] => {
  const config = Fields.isJson(body["toolConfig"]) ? body["toolConfig"]["functionCallingConfig"] : undefined
  if (!Fields.isJson(config)) return "auto"
  if (config["mode"] === "NONE") return "none"
  if (config["mode"] !== "ANY") return "auto"
  const [only] = Array.isArray(config["allowedFunctionNames"]) ? config["allowedFunctionNames"] : []
  return typeof only === "string" ? { name: only } : "required"
}

// OpenAPI's types are written in capitals here, JSON Schema's are not.
const lowered = (schema: unknown): unknown =>
  Array.isArray(schema)
    ? schema.map(lowered)
    : Fields.isJson(schema)
      ? Object.fromEntries(
          Object.entries(schema).map(([key, value]) => [
            key,
            key === "type" && typeof value === "string" ? value.toLowerCase() : lowered(value)
          ])
        )
      : schema

const turns = (body: Fields.Json): ReadonlyArray<Reply.Turn> => {
  const system = spoken(Rules.parts(body["systemInstruction"]))
  return [
    ...(system === "" ? [] : [{ role: "system" as const, text: system, shown: [] }]),
    ...Fields.objects(body["contents"]).flatMap(turnsOf)
  ]
}

const spoken = (parts: ReadonlyArray<Fields.Json>): string =>
  parts
    .filter((part) => part["thought"] !== true)
    .map((part) => Fields.stringOf(part["text"]))
    .filter((text) => text !== "")
    .join("\n")

// A content with results of functions in it is first these results, then, if there is more, what the user says.
const turnsOf = (content: Fields.Json): ReadonlyArray<Reply.Turn> => {
  const parts = Rules.parts(content)
  const results = parts.flatMap((part): ReadonlyArray<Reply.Turn> => {
    const result = part["functionResponse"]
    return Fields.isJson(result)
      ? [{ role: "tool", text: told(result["response"]), shown: [], tool: Fields.stringOf(result["name"]) }]
      : []
  })
  const role = content["role"] === "model" ? "assistant" : "user"
  const text = spoken(parts)
  return results.length > 0 && text === "" ? results : [...results, { role, text, shown: parts.flatMap(shownBy) }]
}

const told = (response: unknown): string => {
  const output = Fields.isJson(response) ? (response["output"] ?? response["error"]) : undefined
  return typeof output === "string" ? output : JSON.stringify(output ?? response ?? {})
}

const shownBy = (part: Fields.Json): ReadonlyArray<string> =>
  Fields.isJson(part["inlineData"])
    ? [Fields.stringOf(part["inlineData"]["mimeType"]) || "a file"]
    : Fields.isJson(part["fileData"])
      ? ["a file by its address"]
      : []
