/**
 * What OpenAI's moderation takes and gives: texts and pictures, and whether and how much each is of a kind that its
 * rules forbid.
 *
 * @see https://platform.openai.com/docs/api-reference/moderations
 * @since 0.1.0
 */
import * as Prompt from "@spillway/core/Prompt"
import * as Either from "effect/Either"
import type * as HttpBackend from "./HttpBackend.js"
import * as Json from "./internal/json.js"
import * as OpenAiWire from "./OpenAiWire.js"

/**
 * What is to be looked at: a text, several texts (each by itself), or parts that belong together.
 *
 * @since 0.1.0
 * @category models
 */
export type Input = string | ReadonlyArray<string> | ReadonlyArray<Prompt.TextPart | Prompt.ImagePart>

/**
 * Texts or pictures to look at.
 *
 * @since 0.1.0
 * @category models
 */
export interface Request {
  /** @default "omni-moderation-latest" */
  readonly model?: string
  readonly input: Input
}

/**
 * The kinds that OpenAI tells apart.
 *
 * @since 0.1.0
 * @category models
 */
export type Category = typeof categories[number]

/**
 * The kinds by their names.
 *
 * @since 0.1.0
 * @category constants
 */
export const categories = [
  "harassment",
  "harassment/threatening",
  "hate",
  "hate/threatening",
  "illicit",
  "illicit/violent",
  "self-harm",
  "self-harm/instructions",
  "self-harm/intent",
  "sexual",
  "sexual/minors",
  "violence",
  "violence/graphic"
] as const

/**
 * What was found of one input. A kind that the model does not know is absent.
 *
 * @since 0.1.0
 * @category models
 */
export interface Finding {
  /** Whether it is of any of the kinds. */
  readonly flagged: boolean
  /** Whether it is of a kind. */
  readonly categories: { readonly [C in Category]?: boolean }
  /** How sure the model is of a kind, from 0 to 1. */
  readonly scores: { readonly [C in Category]?: number }
  /** Which parts a kind was looked for in, where the model tells. */
  readonly appliedTo: { readonly [C in Category]?: ReadonlyArray<string> }
}

/**
 * What was found, in the order of the inputs; parts that belong together are one input.
 *
 * @since 0.1.0
 * @category models
 */
export interface Moderation {
  readonly id?: string
  readonly model: string
  readonly findings: ReadonlyArray<Finding>
}

/**
 * The model that is asked where none is named.
 *
 * @since 0.1.0
 * @category constants
 */
export const model = "omni-moderation-latest"

/**
 * How `POST /moderations` is asked, and its answer read.
 *
 * @since 0.1.0
 * @category translations
 */
export const moderate: HttpBackend.Operation<Request, Moderation> = {
  request: ({ input, model: named = model }) =>
    Either.right({
      method: "POST",
      path: "/moderations",
      body: { model: named, input: typeof input === "string" ? input : input.map(toPart) }
    }),
  response: (body, exchange) => {
    const results = Json.get(body, "results")
    if (!Array.isArray(results)) {
      return Either.left(
        OpenAiWire.isError(body) ? exchange.failure(body) : exchange.malformed("a moderation without results")
      )
    }
    const findings: Array<Finding> = []
    for (const result of results) {
      const flagged = Json.get(result, "flagged")
      if (typeof flagged !== "boolean") {
        return Either.left(exchange.malformed("a moderation with a result that does not say whether it is flagged"))
      }
      findings.push({
        flagged,
        categories: each(Json.get(result, "categories"), (u) => typeof u === "boolean" ? u : undefined),
        scores: each(Json.get(result, "category_scores"), Json.number),
        appliedTo: each(
          Json.get(result, "category_applied_input_types"),
          (u) => Array.isArray(u) ? u.filter((type) => typeof type === "string") : undefined
        )
      })
    }
    const expected = countOf(exchange.input.input)
    return findings.length === expected
      ? Either.right({ ...OpenAiWire.identify(body, exchange.model), findings })
      : Either.left(exchange.malformed(`${findings.length} results for ${expected} inputs`))
  }
}

const toPart = (part: string | Prompt.TextPart | Prompt.ImagePart): unknown =>
  typeof part === "string"
    ? part
    : part._tag === "Text"
    ? { type: "text", text: part.text }
    : { type: "image_url", image_url: { url: Prompt.toUrl(part.source) } }

const countOf = (input: Input): number =>
  typeof input === "string" ? 1 : input.every((part) => typeof part === "string") ? input.length : 1

const each = <A>(values: unknown, read: (u: unknown) => A | undefined): { readonly [C in Category]?: A } => {
  const all: { -readonly [C in Category]?: A } = {}
  for (const category of categories) {
    const value = read(Json.get(values, category))
    if (value !== undefined) all[category] = value
  }
  return all
}
