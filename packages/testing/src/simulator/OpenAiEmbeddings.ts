/**
 * The embeddings wire of OpenAI and those who follow it.
 *
 * @see https://platform.openai.com/docs/api-reference/embeddings
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Fields from "./Fields.js"
import type * as Models from "./Models.js"
import * as Request from "./OpenAiRequest.js"
import * as Tokens from "./Tokens.js"
import * as Vector from "./Vector.js"
import * as Wire from "./Wire.js"

/**
 * The answer of `POST …/embeddings`; not every vendor lets the number of dimensions be chosen.
 *
 * @since 0.1.0
 * @category constructors
 */
export const answer = (models: ReadonlyArray<Models.Model>, resizes: boolean) => {
  const fields = Fields.object({
    model: Fields.string(),
    input: Fields.either(
      Fields.string({ min: 1 }),
      Fields.array(
        Fields.either(
          Fields.string({ min: 1 }),
          Fields.integer({ min: 0 }),
          Fields.array(Fields.integer({ min: 0 }), { min: 1 })
        ),
        { min: 1, max: 2048 }
      )
    ),
    encoding_format: Fields.nullish(Fields.oneOf("float", "base64")),
    user: Fields.nullish(Fields.string()),
    ...(resizes ? { dimensions: Fields.nullish(Fields.integer({ min: 1 })) } : {})
  })
  return (call: Wire.Call): Either.Either<Wire.Answer, Wire.Failure> => {
    const body: Fields.Json = Fields.isJson(call.body) ? call.body : {}
    const found = Request.model(models, body, "embedding")
    if (Either.isLeft(found)) return Either.left(found.left)
    const violation = fields(body)
    if (violation !== undefined) return Either.left(Wire.Failure.Invalid({ violation, body }))
    const dimensions = typeof body["dimensions"] === "number" ? body["dimensions"] : found.right.dimensions
    if (dimensions > found.right.dimensions) {
      return Either.left(
        Wire.Failure.Rejected({
          message: `Invalid value for 'dimensions' = ${dimensions}. Must be less than or equal to ${found.right.dimensions}.`,
          param: "dimensions"
        })
      )
    }
    const inputs = texts(body["input"])
    const tokens = inputs.reduce((sum, input) => sum + Math.max(1, Tokens.estimate(input.length)), 0)
    return Either.right({
      input: tokens,
      output: 0,
      render: () => {
        const write =
          body["encoding_format"] === "base64"
            ? (vector: Float32Array) => `"${Vector.toBase64(vector)}"`
            : Vector.toJson
        const data = inputs.map(
          (input, index) => `{"object":"embedding","index":${index},"embedding":${write(Vector.of(input, dimensions))}}`
        )
        return Wire.json(
          `{"object":"list","data":[${data.join(",")}],"model":${JSON.stringify(found.right.snapshot)},"usage":{"prompt_tokens":${tokens},"total_tokens":${tokens}}}`
        )
      }
    })
  }
}

// Tokens instead of text are one text, or several.
const texts = (input: unknown): ReadonlyArray<string> =>
  typeof input === "string"
    ? [input]
    : !Array.isArray(input)
      ? []
      : typeof input[0] === "number"
        ? [input.join(" ")]
        : input.map((one) => (Array.isArray(one) ? one.join(" ") : Fields.stringOf(one)))
