/**
 * Bytes that come, or go, in pieces.
 *
 * @since 0.1.0
 */

/**
 * The pieces as one, copied.
 *
 * @since 0.1.0
 * @category constructors
 */
export const join = (pieces: ReadonlyArray<Uint8Array>): Uint8Array => {
  const bytes = new Uint8Array(pieces.reduce((size, piece) => size + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    bytes.set(piece, at)
    at += piece.length
  }
  return bytes
}
