/**
 * A stand-in for a tokenizer: good enough that counts are plausible, agree between a stream and a whole answer, and
 * add up to the text again.
 *
 * @since 0.1.0
 */
import * as Seed from "./Seed.js"

// Up to eight letters, or up to four signs, with the white space before them; never half of a code point.
const piece = /\s*[\p{L}\p{N}]{1,8}|\s*[^\s\p{L}\p{N}]{1,4}|\s+/gu

/**
 * A text cut into tokens, which joined are the text again.
 *
 * @since 0.1.0
 * @category conversions
 */
export const cut = (text: string): ReadonlyArray<string> => text.match(piece) ?? []

/**
 * A text cut where no parser expects it: in the middle of names, of escapes, of numbers; never within a code point.
 *
 * @since 0.1.0
 * @category conversions
 */
export const cutAwkwardly = (text: string, seed: number): ReadonlyArray<string> => {
  const pieces: Array<string> = []
  let current = ""
  let left = 0
  for (const character of text) {
    if (left === 0) {
      if (current !== "") pieces.push(current)
      current = ""
      left = 1 + ((Seed.at(seed, pieces.length) >>> 0) % 6)
    }
    current += character
    left--
  }
  if (current !== "") pieces.push(current)
  return pieces
}

/**
 * About how many tokens a prompt of so many characters has.
 *
 * @since 0.1.0
 * @category conversions
 */
export const estimate = (characters: number): number => Math.ceil(characters / 4)
