/**
 * Lines out of the pieces in which a file is read, by their bytes: each with the place where it begins.
 *
 * @since 0.1.0
 */

/**
 * A line, without its end.
 *
 * @since 0.1.0
 * @category models
 */
export interface Line {
  /** Where its first byte stands. */
  readonly offset: number
  readonly bytes: Uint8Array
}

/**
 * Cuts pieces into lines.
 *
 * @since 0.1.0
 * @category models
 */
export interface Splitter {
  /** The lines that have ended with this piece. */
  readonly feed: (piece: Uint8Array) => ReadonlyArray<Line>
  /** What follows the last line that has ended; empty where nothing does. */
  readonly rest: () => Line
}

/**
 * A splitter that has seen nothing.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (): Splitter => {
  let begun: Array<Uint8Array> = []
  let offset = 0
  let seen = 0
  return {
    feed: (piece) => {
      const lines: Array<Line> = []
      let from = 0
      for (let at = piece.indexOf(newline); at >= 0; at = piece.indexOf(newline, from)) {
        begun.push(piece.subarray(from, at))
        lines.push({ offset, bytes: joined(begun) })
        begun = []
        from = at + 1
        offset = seen + from
      }
      // what was read may be read over by the next piece
      if (from < piece.length) begun.push(piece.slice(from))
      seen += piece.length
      return lines
    },
    rest: () => ({ offset, bytes: joined(begun) })
  }
}

const newline = 0x0a

const joined = (pieces: ReadonlyArray<Uint8Array>): Uint8Array =>
  pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces)
