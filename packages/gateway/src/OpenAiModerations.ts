/**
 * Moderation as OpenAI's clients ask for it and read it: texts, each by itself, or texts and pictures that belong
 * together.
 *
 * @see https://platform.openai.com/docs/api-reference/moderations
 * @since 0.1.0
 */
import * as Prompt from "@spillway/core/Prompt"
import * as OpenAiModerationWire from "@spillway/providers/OpenAiModerationWire"
import * as Either from "effect/Either"
import { isNotNullable } from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as Fields from "./Fields.js"
import type { Refusal } from "./Refusal.js"
import * as Values from "./Values.js"

const Part = Schema.Union(
  Schema.Struct({ type: Schema.Literal("text"), text: Schema.String }),
  Schema.Struct({ type: Schema.Literal("image_url"), image_url: Schema.Struct({ url: Values.url }) })
)

const decode = Fields.decode(Schema.Struct({
  model: Fields.optional(Values.model),
  input: Schema.Union(Schema.String, Values.list(Schema.String, 1, 2048), Values.list(Part, 1, 2048)).pipe(
    Fields.saying("must be a text, a list of texts, or a list of content parts")
  )
}))

/**
 * Reads a request for moderation.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toRequest = (body: unknown): Either.Either<OpenAiModerationWire.Request, Refusal> =>
  Either.map(decode(body), ({ input, model }) => ({
    input: typeof input === "string" || isTexts(input) ? input : input.map(toPart),
    ...(isNotNullable(model) && { model })
  }))

const isTexts = (input: ReadonlyArray<string> | ReadonlyArray<typeof Part.Type>): input is ReadonlyArray<string> =>
  typeof input[0] === "string"

const toPart = (part: typeof Part.Type): Prompt.TextPart | Prompt.ImagePart =>
  part.type === "text" ? Prompt.text(part.text) : Prompt.imageUrl(part.image_url.url)

/**
 * What was found. A kind that the model does not know was not found: clients read every one of them.
 *
 * @since 0.1.0
 * @category conversions
 */
export const fromModeration = ({ findings, id, model }: OpenAiModerationWire.Moderation, own: string) => ({
  id: id ?? own,
  model,
  results: findings.map(({ appliedTo, categories, flagged, scores }) => ({
    flagged,
    categories: each((kind) => categories[kind] ?? false),
    category_scores: each((kind) => scores[kind] ?? 0),
    category_applied_input_types: each((kind) => appliedTo[kind] ?? [])
  }))
})

const each = <A>(of: (kind: OpenAiModerationWire.Category) => A) =>
  Object.fromEntries(OpenAiModerationWire.categories.map((kind) => [kind, of(kind)]))
