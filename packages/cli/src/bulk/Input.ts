/**
 * The file of what is to be asked, line by line: it is never in memory whole.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Crypto from "node:crypto"
import type { Refused } from "../Report.js"
import * as ByteLines from "./ByteLines.js"
import * as Disk from "./Disk.js"

/**
 * A file, looked through.
 *
 * @since 0.1.0
 * @category models
 */
export interface Survey {
  /** In hexadecimal: the same for the same file only. */
  readonly sha256: string
  /** How many lines are not blank. */
  readonly lines: number
}

/**
 * A line that is not blank.
 *
 * @since 0.1.0
 * @category models
 */
export interface Line {
  /** From 1, blank lines counted. */
  readonly number: number
  readonly text: string
}

/**
 * Reads a file once to know what is in it.
 *
 * @since 0.1.0
 * @category constructors
 */
export const survey = (file: string): Effect.Effect<Survey, Refused> =>
  Effect.suspend(() => {
    const hash = Crypto.createHash("sha256")
    let count = 0
    return Stream.runForEachChunk(pieces(file, (piece) => hash.update(piece)), (lines) =>
      Effect.sync(() => {
        count += lines.length
      })).pipe(Effect.map(() => ({ sha256: hash.digest("hex"), lines: count })))
  })

/**
 * The lines of a file, read as fast as they are taken.
 *
 * @since 0.1.0
 * @category constructors
 */
export const lines = (file: string): Stream.Stream<Line, Refused> =>
  Stream.map(pieces(file), ({ bytes, number }) => ({ number, text: utf8.decode(bytes) }))

const utf8 = new TextDecoder()

const pieces = (file: string, see: (piece: Uint8Array) => void = () => {}) =>
  Stream.suspend(() => {
    const splitter = ByteLines.make()
    let number = 0
    const kept = (lines: ReadonlyArray<ByteLines.Line>) =>
      lines.flatMap(({ bytes }) => {
        number++
        return bytes.some(isInk) ? [{ bytes, number }] : []
      })
    return Disk.read(file).pipe(
      Stream.mapConcat((piece) => {
        see(piece)
        return kept(splitter.feed(piece))
      }),
      Stream.concat(Stream.suspend(() => Stream.fromIterable(kept([splitter.rest()]))))
    )
  })

const isInk = (byte: number) => byte !== 0x20 && byte !== 0x09 && byte !== 0x0d
