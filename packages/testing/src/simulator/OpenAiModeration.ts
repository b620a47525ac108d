/**
 * OpenAI's moderation, by a rule that needs no model: a text that holds the name of a category is of it.
 *
 * @see https://platform.openai.com/docs/api-reference/moderations
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Fields from "./Fields.js"
import * as Seed from "./Seed.js"
import * as Wire from "./Wire.js"

const categories = [
  "harassment",
  "harassment/threatening",
  "hate",
  "hate/threatening",
  "illicit",
  "illicit/violent",
  "self-harm",
  "self-harm/intent",
  "self-harm/instructions",
  "sexual",
  "sexual/minors",
  "violence",
  "violence/graphic"
]

const models: { readonly [name: string]: string } = {
  "omni-moderation-latest": "omni-moderation-2024-09-26",
  "omni-moderation-2024-09-26": "omni-moderation-2024-09-26"
}

const text = Fields.string()

const fields = Fields.object({
  model: Fields.optional(text),
  input: Fields.either(text, Fields.array(Fields.any, { min: 1 }))
})

const part = Fields.tagged("type", {
  text: Fields.object({ type: Fields.any, text }),
  image_url: Fields.object({ type: Fields.any, image_url: Fields.object({ url: text }) })
})

const withParts = Fields.object({ input: Fields.array(part) }, { open: true })

/**
 * The answer of `POST /v1/moderations`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const answer = (call: Wire.Call): Either.Either<Wire.Answer, Wire.Failure> => {
  const body: Fields.Json = Fields.isJson(call.body) ? call.body : {}
  const { input } = body
  const parts = Array.isArray(input) && !input.every((one) => typeof one === "string")
  const violation = fields(body) ?? (parts ? withParts(body) : undefined)
  if (violation !== undefined) return Either.left(Wire.Failure.Invalid({ violation, body }))
  const asked = body["model"] === undefined ? "omni-moderation-latest" : Fields.stringOf(body["model"])
  const model = Object.hasOwn(models, asked) ? models[asked] : undefined
  if (model === undefined) return Either.left(Wire.Failure.NoModel({ model: asked }))
  const looked = parts
    ? [Fields.objects(input)]
    : (Array.isArray(input) ? input : [input]).map((one) => [{ type: "text", text: one }])
  return Either.right(
    Wire.free({ id: `modr-${Seed.identifier(call.id, 4)}`, model, results: looked.map(result) })
  )
}

const result = (parts: ReadonlyArray<Fields.Json>) => {
  const said = parts
    .map((one) => Fields.stringOf(one["text"]))
    .join("\n")
    .toLowerCase()
  const found = new Set(categories.filter((category) => said.includes(category)))
  const types = parts.some((one) => one["type"] === "image_url") ? ["text", "image"] : ["text"]
  const of = <A>(value: (category: string) => A) =>
    Object.fromEntries(categories.map((category) => [category, value(category)]))
  return {
    flagged: found.size > 0,
    categories: of((category) => found.has(category)),
    category_scores: of((category) => {
      const chance = Seed.fraction(Seed.of(`${category}\n${said}`))
      return found.has(category) ? 0.9 + chance / 10 : chance / 1000
    }),
    category_applied_input_types: of(() => types)
  }
}
