/**
 * The tools of a request and which of them the model may call, as OpenAI's APIs have them: chat completions say
 * `{ type: "function", function: { … } }`, responses say the same without the inner object.
 *
 * @since 0.1.0
 */
import type * as Completion from "@spillway/core/Completion"
import type * as Tool from "@spillway/core/Tool"
import * as Either from "effect/Either"
import { isNotNullable } from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as Fields from "./Fields.js"
import { field, type Refusal } from "./Refusal.js"
import * as Values from "./Values.js"

// -----------------------------------------------------------------------------
// fields
// -----------------------------------------------------------------------------

/**
 * What is told of a function.
 *
 * @since 0.1.0
 * @category fields
 */
export const functionFields = {
  name: Values.toolName,
  description: Fields.optional(Schema.String),
  parameters: Fields.optional(Values.jsonSchema),
  strict: Fields.optional(Schema.Boolean)
}

/**
 * A tool, with what is told of it. What runs at OpenAI itself cannot run anywhere else, so its kind is looked at before
 * anything else in it.
 *
 * @since 0.1.0
 * @category fields
 */
export const tool = <Told extends Schema.Struct.Fields>(told: Told) =>
  Schema.compose(
    Schema.Struct({ type: functionType }, Schema.Record({ key: Schema.String, value: Schema.Unknown })),
    Schema.Struct({ type: functionType, ...told }),
    // what the one lets through of the rest is what the other reads
    { strict: false }
  )

const functionType = Schema.Literal("function").pipe(
  Fields.saying("must be \"function\": other tools are not supported")
)

/**
 * Whether the model may, must or must not call a tool, where that is all that is said.
 *
 * @since 0.1.0
 * @category fields
 */
export const mode = Schema.Literal("none", "auto", "required")

/**
 * Puts into words what a choice must be.
 *
 * @since 0.1.0
 * @category fields
 */
export const choiceSays = "must be \"none\", \"auto\", \"required\", a function by its name, or allowed_tools"

// -----------------------------------------------------------------------------
// translation
// -----------------------------------------------------------------------------

/**
 * A tool in the words of core.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toDefinition = ({ description, name, parameters, strict }: Schema.Struct.Type<typeof functionFields>): Tool.Definition => ({
  name,
  parameters: parameters ?? { type: "object", properties: {} },
  ...(isNotNullable(description) && { description }),
  ...(isNotNullable(strict) && { strict })
})

/**
 * What was chosen, and the field that said so: one tool, or some of them.
 *
 * @since 0.1.0
 * @category models
 */
export type Choice =
  | typeof mode.Type
  | { readonly at: string; readonly tool: string }
  | { readonly at: string; readonly mode: "auto" | "required"; readonly allowed: ReadonlyArray<string> }

/**
 * The tools with the choice. Of tools of which only some are allowed, the model hears of those.
 *
 * @since 0.1.0
 * @category conversions
 */
export const choose = (
  tools: ReadonlyArray<Tool.Definition>,
  choice: Choice | undefined
): Either.Either<Pick<Completion.Request, "tools" | "toolChoice">, Refusal> => {
  const given = tools.length > 0 && { tools }
  if (choice === undefined) return Either.right({ ...given })
  if (typeof choice === "string") {
    return choice === "required" && tools.length === 0
      ? Either.left(field("tool_choice", "requires tools, and there are none"))
      : Either.right({ ...given, toolChoice: choice })
  }
  const named = "tool" in choice ? [choice.tool] : choice.allowed
  if (!named.every((name) => tools.some((tool) => tool.name === name))) {
    return Either.left(field(choice.at, "is not among tools"))
  }
  return Either.right(
    "tool" in choice
      ? { ...given, toolChoice: { tool: choice.tool } }
      : { tools: tools.filter(({ name }) => choice.allowed.includes(name)), toolChoice: choice.mode }
  )
}
