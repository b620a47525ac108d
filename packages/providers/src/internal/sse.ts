/**
 * Server-sent events from bytes cut anywhere.
 *
 * The line discipline (LF, CRLF, lone CR, comments, multi-line data, `retry:`) is `eventsource-parser`'s. What is
 * ours: UTF-8 across cuts, the limit on an event's size, the last event when its blank line is missing, and lines that
 * are no field, which are handed over as well, since some backends write their errors so.
 */
import { createParser } from "eventsource-parser"
import type { Frame, Framer } from "./framing.js"

/** Reads events of at most `limit` characters each. */
export const make = (limit: number): Framer => {
  const decoder = new TextDecoder()
  let frames: Array<Frame> = []
  let bare = ""
  let tooLarge = false

  const flushBare = () => {
    if (bare === "") return
    frames.push({ event: undefined, data: bare, bare: true })
    bare = ""
  }

  const parser = createParser({
    maxBufferSize: limit,
    onEvent(event) {
      flushBare()
      if (event.data.length > limit) tooLarge = true
      else if (!tooLarge) frames.push(event)
    },
    onError(error) {
      if (error.type === "max-buffer-size-exceeded") tooLarge = true
      else if (error.type === "unknown-field" && error.line !== undefined) {
        bare = bare === "" ? error.line : `${bare}\n${error.line}`
        if (bare.length > limit) tooLarge = true
      }
    }
  })

  const take = (): ReadonlyArray<Frame> => {
    const taken = frames
    frames = []
    return taken
  }

  return {
    get tooLarge() {
      return tooLarge
    },
    feed(bytes) {
      if (tooLarge) return none
      parser.feed(decoder.decode(bytes, { stream: true }))
      return take()
    },
    end() {
      if (tooLarge) return none
      // closes a last line that lacks its end, then the event
      parser.feed(`${decoder.decode()}\n\n`)
      flushBare()
      return take()
    }
  }
}

const none: ReadonlyArray<Frame> = []
