/**
 * What a model may call: a name, what it is for, and what it takes.
 *
 * A tool made with `make` carries the Schema of its parameters, so that a handler receives typed values; a tool
 * made with `fromJsonSchema` carries only JSON Schema, for programs (the gateway) that pass tools on unseen.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as JSONSchema from "effect/JSONSchema"
import * as Schema from "effect/Schema"
import * as ModelJson from "./internal/modelJson.js"

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
  /**
   * Decodes the arguments (JSON text, as the model wrote it), runs the handler, and gives its result as text. What
   * does not decode is `InvalidArguments`; the handler has not run then.
   */
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
 * Joins a tool to what runs when the model calls it. The result is told to the model: a text as it is, anything else
 * as JSON.
 *
 * @since 0.1.0
 * @category constructors
 * @example
 * ```ts
 * import { Tool } from "@spillway/core"
 * import { Effect, Schema } from "effect"
 * import * as assert from "node:assert"
 *
 * const getWeather = Tool.make("get_weather", { parameters: Schema.Struct({ city: Schema.String }) })
 * const weather = Tool.handle(getWeather, ({ city }) => Effect.succeed({ city, celsius: 21 }))
 * const result = Effect.runSync(weather.run(`{ "city": "Oslo" }`))
 * assert.strictEqual(result, `{"city":"Oslo","celsius":21}`)
 * ```
 */
export const handle: {
  <Parameters, Result, E, R>(
    handler: (parameters: Parameters) => Effect.Effect<Result, E, R>
  ): <Name extends string>(self: Tool<Name, Parameters>) => Handled<E, R>
  <Name extends string, Parameters, Result, E, R>(
    self: Tool<Name, Parameters>,
    handler: (parameters: Parameters) => Effect.Effect<Result, E, R>
  ): Handled<E, R>
} = dual(
  2,
  <Name extends string, Parameters, Result, E, R>(
    self: Tool<Name, Parameters>,
    handler: (parameters: Parameters) => Effect.Effect<Result, E, R>
  ): Handled<E, R> => {
    const { schema, ...tool } = self
    const decode = ModelJson.decode(schema, ModelJson.inFull)
    return {
      tool,
      run: (args) =>
        // a tool without parameters is often called with no arguments at all
        decode(args.trim() === "" ? "{}" : args).pipe(
          Effect.mapError((problem) =>
            new InvalidArguments({
              tool: self.name,
              arguments: args,
              message: `the arguments of ${self.name} do not decode: ${problem}`
            })
          ),
          Effect.flatMap(handler),
          Effect.map((result) => typeof result === "string" ? result : JSON.stringify(result ?? null))
        )
    }
  }
)

/**
 * The JSON Schema (draft 7) of a Schema, as the backends want it: without `$schema` and Effect's own `$id`s, and with a
 * top-level reference resolved. No fields at all is an object without fields.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toJsonSchema = <A, I, R>(schema: Schema.Schema<A, I, R>): JsonSchema => {
  // a JSON Schema is plain data, which its type does not say
  const { $schema: _, $defs, ...root } = JSONSchema.make(schema) as JSONSchema.JsonSchema7Root & JsonSchema
  const definitions = plain({ ...$defs })
  const reference = root["$ref"]
  if (typeof reference !== "string") return withDefinitions(plain(root), definitions)
  const name = reference.slice("#/$defs/".length).replaceAll("~1", "/").replaceAll("~0", "~")
  const { [name]: target, ...others } = definitions
  const isRecursive = JSON.stringify(definitions).includes(JSON.stringify({ $ref: reference }).slice(1, -1))
  return withDefinitions(target as JsonSchema, isRecursive ? definitions : others)
}

const withDefinitions = (root: JsonSchema, definitions: JsonSchema): JsonSchema =>
  Object.keys(definitions).length === 0 ? root : { ...root, $defs: definitions }

const plain = (json: JsonSchema): JsonSchema =>
  json["$id"] === "/schemas/%7B%7D"
    ? { type: "object", properties: {}, required: [], additionalProperties: false }
    : Object.fromEntries(
      Object.entries(json)
        .filter(([key, value]) => key !== "$id" || typeof value !== "string" || !value.startsWith("/schemas/"))
        .map(([key, value]) => [key, plainValue(value)])
    )

const plainValue = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(plainValue)
    : typeof value === "object" && value !== null
    ? plain(value as JsonSchema)
    : value
