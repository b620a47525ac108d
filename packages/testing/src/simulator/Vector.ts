/**
 * Embeddings without a model: texts that share words lie near each other, the same text lies always in the same
 * place, and every vector has length one.
 *
 * @since 0.1.0
 */
import * as Encoding from "effect/Encoding"
import * as Seed from "./Seed.js"

const word = /[\p{L}\p{N}]+/gu

// How much of a vector is the text's own noise rather than its words: enough that no two texts coincide.
const noise = 0.02

/**
 * The vector of a text.
 *
 * @since 0.1.0
 * @category constructors
 */
export const of = (text: string, dimensions: number): Float32Array => {
  const vector = new Float32Array(dimensions)
  const own = Seed.of(text)
  for (let i = 0; i < dimensions; i++) {
    vector[i] = noise * (Seed.fraction(Seed.at(own, i)) - 0.5)
  }
  for (const found of text.toLowerCase().match(word) ?? []) {
    const seed = Seed.of(found)
    for (let i = 0; i < 4; i++) {
      const drawn = Seed.at(seed, i)
      const index = (drawn >>> 1) % dimensions
      vector[index] = (vector[index] ?? 0) + ((drawn & 1) === 0 ? 1 : -1)
    }
  }
  return normalize(vector)
}

const normalize = (vector: Float32Array): Float32Array => {
  let sum = 0
  for (const value of vector) sum += value * value
  // A text whose words cancel out exactly in every place still has its noise, so the length is never zero.
  const scale = 1 / Math.sqrt(sum)
  return vector.map((value) => value * scale)
}

/**
 * How near two vectors of length one are: the cosine of the angle between them.
 *
 * @since 0.1.0
 * @category accessors
 */
export const cosine = (one: Float32Array, other: Float32Array): number =>
  one.reduce((sum, value, index) => sum + value * (other[index] ?? 0), 0)

/**
 * A vector as the base64 of its little-endian 32-bit floats, which is what OpenAI's own client asks for.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toBase64 = (vector: Float32Array): string => {
  const view = new DataView(new ArrayBuffer(vector.length * 4))
  vector.forEach((value, index) => view.setFloat32(index * 4, value, true))
  return Encoding.encodeBase64(new Uint8Array(view.buffer))
}

/**
 * A vector as JSON numbers, of no more digits than a 32-bit float has.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toJson = (vector: Float32Array): string => `[${Array.from(vector, digits).join(",")}]`

const digits = (value: number): string => Number(value.toPrecision(8)).toString()
