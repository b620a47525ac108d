/**
 * Lines of JSON from bytes cut anywhere. Blank lines are skipped; CRLF ends a line too; the last line may lack its end.
 */
import type { Frame, Framer } from "./framing.js"

/** Reads lines of at most `limit` characters each. */
export const make = (limit: number): Framer => {
  const decoder = new TextDecoder()
  // the pieces of the line that has not ended yet: joined once, when it has
  let pieces: Array<string> = []
  let length = 0
  let tooLarge = false

  const split = (text: string): ReadonlyArray<Frame> => {
    const frames: Array<Frame> = []
    let start = 0
    for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", start)) {
      const tail = text.slice(start, end)
      const line = pieces.length === 0 ? tail : pieces.join("") + tail
      pieces = []
      length = 0
      start = end + 1
      if (line.length > limit) {
        tooLarge = true
        return frames
      }
      if (line.trim() !== "") frames.push({ event: undefined, data: line })
    }
    if (start < text.length) {
      const rest = start === 0 ? text : text.slice(start)
      pieces.push(rest)
      length += rest.length
      if (length > limit) tooLarge = true
    }
    return frames
  }

  return {
    get tooLarge() {
      return tooLarge
    },
    feed: (bytes) => tooLarge ? none : split(decoder.decode(bytes, { stream: true })),
    end: () => tooLarge ? none : split(`${decoder.decode()}\n`)
  }
}

const none: ReadonlyArray<Frame> = []
