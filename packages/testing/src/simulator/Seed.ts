/**
 * Chance that can be had again: numbers that depend on nothing but what they are asked for, so that the fate of
 * request 17 is the same whatever was asked before it and however many run at once.
 *
 * @since 0.1.0
 */

/**
 * A number of 32 bits for a text or a number.
 *
 * @since 0.1.0
 * @category constructors
 */
export const of = (value: string | number): number => {
  const text = typeof value === "number" ? value.toString() : value
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  }
  return scatter(hash)
}

/**
 * The number that stands at `index` of the sequence that begins at `seed`.
 *
 * @since 0.1.0
 * @category combinators
 */
export const at = (seed: number, index: number): number => scatter((seed + Math.imul(index + 1, 0x9e3779b9)) | 0)

/**
 * A seed as a fraction of one: at least 0, less than 1.
 *
 * @since 0.1.0
 * @category conversions
 */
export const fraction = (seed: number): number => (seed >>> 0) / 0x1_0000_0000

/**
 * A seed as one of several things.
 *
 * @since 0.1.0
 * @category conversions
 */
export const choose = <A>(seed: number, things: readonly [A, ...ReadonlyArray<A>]): A =>
  things[Math.floor(fraction(seed) * things.length)] ?? things[0]

/**
 * A seed as an identifier of letters and digits, as vendors number their answers.
 *
 * @since 0.1.0
 * @category conversions
 */
export const identifier = (seed: number, length: number, alphabet: string = base62): string => {
  let text = ""
  for (let i = 0; i < length; i++) {
    text += alphabet[(at(seed, i) >>> 0) % alphabet.length]
  }
  return text
}

/**
 * The digits of a hexadecimal identifier.
 *
 * @since 0.1.0
 * @category conversions
 */
export const hexadecimal = "0123456789abcdef"

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// The finalizer of MurmurHash3: every bit of the input moves every bit of the output.
const scatter = (n: number): number => {
  n = Math.imul(n ^ (n >>> 16), 0x85ebca6b)
  n = Math.imul(n ^ (n >>> 13), 0xc2b2ae35)
  return n ^ (n >>> 16)
}
