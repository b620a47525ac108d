/**
 * Embeddings as OpenAI's clients ask for them and read them: texts in, and out come lists of numbers, or the same packed
 * as base64 of little-endian 32-bit floats, which its own client asks for by itself.
 *
 * @see https://platform.openai.com/docs/api-reference/embeddings
 * @since 0.1.0
 */
import type * as Embedding from "@spillway/core/Embedding"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import { isNotNullable } from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as Fields from "./Fields.js"
import type { Refusal } from "./Refusal.js"
import * as Values from "./Values.js"

/**
 * Texts to embed: the request itself, and whether the client wants the vectors as base64.
 *
 * @since 0.1.0
 * @category models
 */
export interface Embed {
  readonly request: Embedding.Request
  readonly base64: boolean
}

const decode = Fields.decode(Schema.Struct({
  model: Values.model,
  input: Schema.Union(
    Schema.String,
    Values.list(Schema.String.pipe(Fields.saying("must be a text: tokens are not taken")), 1, 2048)
  ).pipe(
    Fields.saying("must be a text, or a list of 1 to 2048")
  ),
  encoding_format: Fields.optional(Schema.Literal("float", "base64")),
  dimensions: Fields.optional(Values.whole(1)),
  user: Fields.optional(Values.user)
}))

/**
 * Reads a request for embeddings.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toEmbed = (body: unknown): Either.Either<Embed, Refusal> =>
  Either.map(decode(body), ({ model, input, dimensions, user, encoding_format }): Embed => ({
    request: {
      model,
      input: typeof input === "string" ? [input] : input,
      ...(isNotNullable(dimensions) && { dimensions }),
      ...(isNotNullable(user) && { user })
    },
    base64: encoding_format === "base64"
  }))

/**
 * Vectors, for a request of this model.
 *
 * @since 0.1.0
 * @category conversions
 */
export const fromEmbeddings = (embeddings: Embedding.Embeddings, model: string, base64: boolean) => {
  const prompt_tokens = embeddings.usage.inputTokens
  return {
    object: "list",
    data: embeddings.vectors.map((vector, index) => ({
      object: "embedding",
      index,
      embedding: base64 ? toBase64(vector) : vector
    })),
    model: embeddings.model === "" ? model : embeddings.model,
    usage: { prompt_tokens: prompt_tokens ?? 0, total_tokens: prompt_tokens ?? 0 }
  }
}

const toBase64 = (vector: ReadonlyArray<number>): string => {
  const bytes = new DataView(new ArrayBuffer(vector.length * 4))
  for (let i = 0; i < vector.length; i++) bytes.setFloat32(i * 4, vector[i]!, true)
  return Encoding.encodeBase64(new Uint8Array(bytes.buffer))
}
