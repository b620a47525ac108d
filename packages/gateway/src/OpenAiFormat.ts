/**
 * The form of an answer that follows a JSON Schema, as OpenAI's APIs have it: chat completions in
 * `response_format.json_schema`, responses in `text.format` itself.
 *
 * @since 0.1.0
 */
import type * as Completion from "@spillway/core/Completion"
import { isNotNullable } from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as Fields from "./Fields.js"
import * as Values from "./Values.js"

/**
 * What is told of the schema.
 *
 * @since 0.1.0
 * @category fields
 */
export const schemaFields = {
  name: Values.toolName,
  description: Fields.optional(Schema.String),
  schema: Values.jsonSchema,
  strict: Fields.optional(Schema.Boolean)
}

/**
 * Forms without a schema.
 *
 * @since 0.1.0
 * @category fields
 */
export const plain = [
  Schema.Struct({ type: Schema.Literal("text") }),
  Schema.Struct({ type: Schema.Literal("json_object") })
] as const

/**
 * A form without a schema, in the words of core.
 *
 * @since 0.1.0
 * @category conversions
 */
export const fromPlain = ({ type }: typeof plain[number]["Type"]): Completion.Format => ({ _tag: type === "text" ? "Text" : "Json" })

/**
 * A form with a schema, in the words of core.
 *
 * @since 0.1.0
 * @category conversions
 */
export const fromSchema = ({ description, name, schema, strict }: Schema.Struct.Type<typeof schemaFields>): Completion.Format => ({
  _tag: "JsonSchema",
  name,
  // a schema has a place of its own for what it is for
  schema: isNotNullable(description) ? { description, ...schema } : schema,
  ...(isNotNullable(strict) && { strict })
})
