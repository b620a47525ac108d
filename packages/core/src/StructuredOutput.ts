/**
 * An answer as a typed value: the request asks for JSON by the JSON Schema of a Schema, and the answer is decoded with
 * the Schema itself, so that what a backend did not hold the model to is still seen.
 *
 * Backends want an object at the top: a schema of anything else is asked for as the field `value` of one, and taken
 * out again. `LlmService.generateObject` does all of it; the parts here are for programs that call a service of their
 * own, or stream the answer.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import type * as Completion from "./Completion.js"
import * as ModelJson from "./internal/modelJson.js"
import * as LlmError from "./LlmError.js"
import * as Tool from "./Tool.js"

/**
 * What a request asks when its answer is to be a value: all but the form of the answer, which the schema says.
 *
 * @since 0.1.0
 * @category models
 */
export type Request = Omit<Completion.Request, "format">

/**
 * A value, and the answer that it was decoded from.
 *
 * @since 0.1.0
 * @category models
 */
export interface Output<A> {
  readonly value: A
  readonly completion: Completion.Completion
}

/**
 * The form of answer to ask for: named by the schema's identifier (`answer` without one), and `strict` where the
 * backends that know of it take the schema as it is.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toFormat = <A, I>(schema: Schema.Schema<A, I>): Completion.Format => {
  const json = Tool.toJsonSchema(wrap(schema))
  return { _tag: "JsonSchema", name: nameOf(schema.ast), schema: json, ...(isStrict(json) && { strict: true }) }
}

/**
 * The value in an answer, also when the model put its JSON between code fences. What does not decode is an
 * `InvalidOutput` that keeps the answer, and names the place and what was expected there.
 *
 * @since 0.1.0
 * @category conversions
 */
export const decode: {
  <A, I>(
    schema: Schema.Schema<A, I>,
    backend: string
  ): (completion: Completion.Completion) => Effect.Effect<A, LlmError.InvalidOutput>
  <A, I>(
    completion: Completion.Completion,
    schema: Schema.Schema<A, I>,
    backend: string
  ): Effect.Effect<A, LlmError.InvalidOutput>
} = dual(
  3,
  <A, I>(
    completion: Completion.Completion,
    schema: Schema.Schema<A, I>,
    backend: string
  ): Effect.Effect<A, LlmError.InvalidOutput> =>
    Effect.mapError(ModelJson.decode(wrap(schema), ModelJson.inOutline)(unfenced(completion.text)), (problem) =>
      new LlmError.InvalidOutput({
        backend,
        model: completion.model,
        text: completion.text,
        message: `the answer does not decode: ${problem}${endings[completion.finishReason]}`
      }))
)

const endings: { readonly [R in Completion.FinishReason]: string } = {
  stop: "",
  length: " (it was cut off at the token limit)",
  "tool-calls": " (the model called a tool instead)",
  "content-filter": " (the backend's content filter cut it off)",
  other: ""
}

const unfenced = (text: string): string => /^\s*```\w*\s*\n([^]*?)\n?\s*```\s*$/.exec(text)?.[1] ?? text

// `any`: what it is encoded as is only ever the JSON of a model
const wrap = <A, I>(schema: Schema.Schema<A, I>): Schema.Schema<A, any> =>
  Tool.toJsonSchema(schema)["type"] === "object" ? schema : Schema.pluck(Schema.Struct({ value: schema }), "value")

const nameOf = (ast: AST.AST): string =>
  AST.getJSONIdentifier(ast).pipe(
    Option.orElse(() => ast._tag === "Transformation" ? AST.getJSONIdentifier(ast.to) : Option.none()),
    Option.map((name) => name.replace(/[^\w-]/g, "_").slice(0, 64)),
    Option.getOrElse(() => "answer")
  )

// https://platform.openai.com/docs/guides/structured-outputs#supported-schemas: every field required, no others, few words
const isStrict = (json: unknown): boolean => {
  if (Array.isArray(json)) return json.every(isStrict)
  if (typeof json !== "object" || json === null) return true
  return Object.entries(json).every(([key, value]) =>
    key === "properties" || key === "$defs"
      ? Object.values(value).every(isStrict)
      : strictWords.has(key) && (key === "enum" || key === "const" || isStrict(value))
  ) && (!("properties" in json) || isClosed(json))
}

const isClosed = (json: { readonly [key: string]: unknown }): boolean =>
  json["additionalProperties"] === false
  && Array.isArray(json["required"])
  && Object.keys(json["properties"] as object).every((key) => (json["required"] as ReadonlyArray<unknown>).includes(key))

const strictWords: ReadonlySet<string> = new Set([
  "type",
  "properties",
  "required",
  "additionalProperties",
  "items",
  "enum",
  "const",
  "anyOf",
  "title",
  "description",
  "$ref",
  "$defs"
])
