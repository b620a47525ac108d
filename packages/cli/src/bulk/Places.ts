/**
 * Where the answer of each line stands in a journal, sixteen bytes a line.
 *
 * @since 0.1.0
 */

/**
 * Where an answer stands.
 *
 * @since 0.1.0
 * @category models
 */
export interface Place {
  readonly line: number
  readonly offset: number
  /** In bytes. */
  readonly length: number
}

/**
 * The places of answers, which go through them by their lines.
 *
 * @since 0.1.0
 * @category models
 */
export interface Places extends Iterable<Place> {
  readonly has: (line: number) => boolean
  readonly set: (line: number, offset: number, length: number) => void
}

/**
 * No place yet.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (): Places => {
  // two numbers a line, where a length of 0 is none
  let places = new Float64Array(2048)
  return {
    has: (line) => (places[2 * line + 1] ?? 0) > 0,
    set: (line, offset, length) => {
      if (2 * line + 1 >= places.length) {
        const more = new Float64Array(Math.max(2 * places.length, 2 * line + 2))
        more.set(places)
        places = more
      }
      places[2 * line] = offset
      places[2 * line + 1] = length
    },
    *[Symbol.iterator]() {
      for (let line = 0; 2 * line < places.length; line++) {
        const length = places[2 * line + 1] ?? 0
        if (length > 0) yield { line, offset: places[2 * line] ?? 0, length }
      }
    }
  }
}
