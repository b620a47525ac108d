/**
 * JSON Schema in the dialect that Gemini reads (`responseJsonSchema`, `parametersJsonSchema`). It skips words that it
 * does not know, so only what would change the meaning is put into other words: `const`, `allOf`, exclusive bounds, and
 * a `$ref` with company, which it refuses.
 *
 * @see https://ai.google.dev/api/generate-content#FIELDS.response_json_schema
 */
import type * as Tool from "@spillway/core/Tool"
import * as Json from "./json.js"

/** The schema, in Gemini's dialect. */
export const from = (schema: Tool.JsonSchema): Tool.JsonSchema => {
  let out: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(schema)) {
    if (key === "const") out["enum"] = [value]
    else if (key === "exclusiveMinimum" || key === "exclusiveMaximum") bound(out, schema, key, value)
    else if (key === "allOf" && Array.isArray(value)) {
      for (const one of value) if (Json.isObject(one)) out = { ...out, ...from(one) }
    } else out[key] = places.has(key) ? inside(value) : key === "properties" || key === "$defs" ? each(value) : value
  }
  return typeof out["$ref"] === "string"
    ? Object.fromEntries(Object.entries(out).filter(([key]) => key.startsWith("$")))
    : out
}

/** Where a schema holds a schema, or a list of them. */
const places: ReadonlySet<string> = new Set(["items", "prefixItems", "anyOf", "oneOf", "additionalProperties"])

const inside = (value: unknown): unknown =>
  Array.isArray(value) ? value.map(inside) : Json.isObject(value) ? from(value) : value

const each = (value: unknown): unknown =>
  Json.isObject(value)
    ? Object.fromEntries(Object.entries(value).map(([name, schema]) => [name, inside(schema)]))
    : value

/** Exact for whole numbers; for others the bound itself is let in, and the answer is decoded afterwards anyway. */
const bound = (
  out: Record<string, unknown>,
  { type }: Tool.JsonSchema,
  key: "exclusiveMinimum" | "exclusiveMaximum",
  value: unknown
): void => {
  const step = type === "integer" ? (key === "exclusiveMinimum" ? 1 : -1) : 0
  if (typeof value === "number") out[key === "exclusiveMinimum" ? "minimum" : "maximum"] = value + step
}
