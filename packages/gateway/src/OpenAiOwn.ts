/**
 * What only OpenAI's own models can be asked for. It goes along to the backend of that name (`openai/gpt-5`), and is
 * refused by its name for any other model: no other backend could honour it.
 *
 * @since 0.1.0
 */
import type * as Completion from "@spillway/core/Completion"
import type * as OpenAiResponsesWire from "@spillway/providers/OpenAiResponsesWire"
import * as Either from "effect/Either"
import { isNotNullable } from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as Fields from "./Fields.js"
import { field, type Refusal } from "./Refusal.js"

// -----------------------------------------------------------------------------
// fields
// -----------------------------------------------------------------------------

/**
 * At which price and speed.
 *
 * @since 0.1.0
 * @category fields
 */
export const serviceTier = Fields.optional(Schema.Literal("auto", "default", "flex", "scale", "priority"))

/**
 * How long-winded the answer is.
 *
 * @since 0.1.0
 * @category fields
 */
export const verbosity = Fields.optional(Schema.Literal("low", "medium", "high"))

/**
 * At most 16 pairs of text.
 *
 * @since 0.1.0
 * @category fields
 */
export const metadata = Fields.optional(
  Schema.Record({ key: Schema.String, value: Schema.String }).pipe(
    Schema.filter((metadata) => Object.keys(metadata).length <= 16),
    Fields.saying("must be at most 16 pairs of text")
  )
)

// -----------------------------------------------------------------------------
// translation
// -----------------------------------------------------------------------------

/**
 * Something that was asked for, by the name of its field; what asks for what is done anyway is no matter.
 *
 * @since 0.1.0
 * @category models
 */
export interface Asked {
  readonly field: string
  readonly value: unknown
  /** What asks for nothing special. */
  readonly usual?: unknown
  readonly option: OpenAiResponsesWire.RequestOptions
}

/**
 * What goes along with a request for a model.
 *
 * @since 0.1.0
 * @category conversions
 */
export const along = (
  model: string,
  asked: ReadonlyArray<Asked>
): Either.Either<Pick<Completion.Request, "providerOptions">, Refusal> => {
  const special = asked.filter(({ usual, value }) => isNotNullable(value) && value !== usual)
  const [first] = special
  if (first === undefined) return Either.right({})
  return model.startsWith("openai/")
    ? Either.right({ providerOptions: { openai: Object.assign({}, ...special.map(({ option }) => option)) } })
    : Either.left(field(first.field, "is not supported by this gateway, but for OpenAI's own models (openai/…)"))
}
