/**
 * What a model may call: a name, what it is for, and what it takes.
 *
 * A tool made with `make` carries the Schema of its parameters, so that a handler receives typed values; a tool
 * made with `fromJsonSchema` carries only JSON Schema, for programs (the gateway) that pass tools on unseen.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import * as JSONSchema from "effect/JSONSchema"
import * as Schema from "effect/Schema"

/**
 * What a backend needs to know of a tool.
 *
 * @since 0.1.0
 * @category models
 */
export interface Definition {
  readonly name: string
  readonly description?: string
  /** JSON Schema of the arguments, an object schema. */
  readonly parameters: JsonSchema
  /** Whether the backend should hold the model to the schema, where it can. */
  readonly strict?: boolean
}

/**
 * A JSON Schema as plain data.
 *
 * @since 0.1.0
 * @category models
 */
export type JsonSchema = { readonly [key: string]: unknown }

/**
 * A tool whose arguments have a Schema.
 *
 * @since 0.1.0
 * @category models
 */
export interface Tool<Name extends string, Parameters> extends Definition {
  readonly name: Name
  readonly schema: Schema.Schema<Parameters, any>
}

/**
 * A tool together with what runs when the model calls it. A failure of the handler (`E`) ends the tool loop; what
 * the model should hear of and try again is a result, not a failure.
 *
 * @since 0.1.0
 * @category models
 */
export interface Handled<E = never, R = never> {
  readonly tool: Definition
  /** Decodes JSON text and runs the handler; `Left` is what to tell the model about arguments that do not decode. */
  readonly run: (args: string) => Effect.Effect<string, E | InvalidArguments, R>
}

/**
 * The arguments that a model wrote do not decode with the tool's schema. The tool loop tells the model, which
 * may try again; outside of the loop it is the caller's to handle.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidArguments extends Schema.TaggedError<InvalidArguments>("@spillway/core/Tool/InvalidArguments")(
  "InvalidArguments",
  { tool: Schema.String, arguments: Schema.String, message: Schema.String }
) {}

/**
 * Which tools the model may, must or must not call.
 *
 * @since 0.1.0
 * @category models
 */
export type Choice = "auto" | "none" | "required" | { readonly tool: string }

/**
 * A tool from a Schema of its parameters.
 *
 * @since 0.1.0
 * @category constructors
 * @example
 * ```ts
 * import { Tool } from "@spillway/core"
 * import * as Schema from "effect/Schema"
 *
 * const weather = Tool.make("get_weather", {
 *   description: "The weather in a city, now",
 *   parameters: Schema.Struct({ city: Schema.String })
 * })
 * ```
 */
export const make = <const Name extends string, Parameters, Encoded>(name: Name, options: {
  /** What the tool is for, in the model's eyes; the better it is said, the better it is called. */
  readonly description?: string
  /** What the tool takes: an object schema without requirements. */
  readonly parameters: Schema.Schema<Parameters, Encoded>
  /** Whether the backend should hold the model to the schema, where it can. @default undefined */
  readonly strict?: boolean
}): Tool<Name, Parameters> => ({
  name,
  parameters: toJsonSchema(options.parameters),
  schema: options.parameters,
  ...(options.description === undefined ? {} : { description: options.description }),
  ...(options.strict === undefined ? {} : { strict: options.strict })
})

/**
 * A tool from JSON Schema, for a program that passes it on without running it.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromJsonSchema = (definition: Definition): Definition => definition

/**
 * The JSON Schema (draft 7) of a Schema, as the backends want it: without `$schema`, and with a top-level
 * reference resolved.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toJsonSchema = <A, I, R>(schema: Schema.Schema<A, I, R>): JsonSchema => {
  const { $schema: _, $defs, ...root } = JSONSchema.make(schema) as JSONSchema.JsonSchema7Root & JsonSchema
  const target = typeof root["$ref"] === "string" && $defs !== undefined
    ? $defs[root["$ref"].replace("#/$defs/", "")] as unknown as JsonSchema
    : root
  return $defs === undefined || Object.keys($defs).length === 0 ? target : { ...target, $defs }
}
