/**
 * What a journal of bulk work says, and how it is written: a line for each answer, so that a program that is killed at
 * any moment knows when it starts again what it need not ask, and pay for, again.
 *
 * ```
 * 5f0c7a31 ⇥ {"version":1,"sha256":"9b74…"} ⇥
 * 1c291ca3 ⇥ {"line":7,"inputTokens":12,"outputTokens":48,"spent":310} ⇥ {"id":"7","text":"…"}
 * ```
 *
 * The first field is the CRC-32 of what follows. A line that does not bear it out is not believed: the last one, which a
 * crash has torn, and any other that a disk has spoilt. The others stand as they are, since each speaks for itself.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import { crc32 } from "node:zlib"
import * as ByteLines from "./ByteLines.js"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * What the answers are answers to.
 *
 * @since 0.1.0
 * @category models
 */
export interface Header {
  readonly _tag: "Header"
  /** The SHA-256 of the input, in hexadecimal. */
  readonly sha256: string
  /** The model of the lines that name none; empty where there is none. */
  readonly model: string
}

/**
 * An answer.
 *
 * @since 0.1.0
 * @category models
 */
export interface Answer {
  readonly _tag: "Answer"
  /** The line of the input, from 1. */
  readonly line: number
  /** As they were told; 0 where they were not. */
  readonly inputTokens: number
  readonly outputTokens: number
  /** What the work had cost in all when this was written, as far as it is known, in millionths of a dollar. */
  readonly spent: number
  /** The line of the output: JSON. */
  readonly text: string
}

/**
 * A line of a journal.
 *
 * @since 0.1.0
 * @category models
 */
export type Entry = Header | Answer

// -----------------------------------------------------------------------------
// writing
// -----------------------------------------------------------------------------

/**
 * An entry as a line, its end included.
 *
 * @since 0.1.0
 * @category conversions
 */
export const encode = (entry: Entry): string => {
  const said = entry._tag === "Header"
    ? `${JSON.stringify({ version, sha256: entry.sha256, model: entry.model })}\t`
    : `${
      JSON.stringify({
        line: entry.line,
        inputTokens: entry.inputTokens,
        outputTokens: entry.outputTokens,
        spent: entry.spent
      })
    }\t${entry.text}`
  return `${crc32(said).toString(16).padStart(8, "0")}\t${said}\n`
}

const version = 1

// -----------------------------------------------------------------------------
// reading
// -----------------------------------------------------------------------------

/**
 * A line, its end left out, as the entry that it was.
 *
 * @since 0.1.0
 * @category conversions
 */
export const decode = (bytes: Uint8Array): Option.Option<Entry> => {
  const line = text.decode(bytes)
  const [, sum, said, head, answer] = form.exec(line) ?? []
  return sum === undefined || said === undefined || Number.parseInt(sum, 16) !== crc32(bytes.subarray(sum.length + 1))
    ? Option.none()
    : Option.flatMap(parse(head ?? ""), (head) => toEntry(head, answer ?? ""))
}

const text = new TextDecoder("utf-8", { ignoreBOM: true })

const form = /^([0-9a-f]{8})\t(([^\t]*)\t([^\t]*))$/

const parse = Option.liftThrowable((json: string): unknown => JSON.parse(json))

const toEntry = (head: unknown, answer: string): Option.Option<Entry> => {
  if (!Predicate.isRecord(head)) return Option.none()
  const { inputTokens, line, model, outputTokens, sha256, spent } = head
  if (head["version"] === version && Predicate.isString(sha256) && Predicate.isString(model)) {
    return Option.some({ _tag: "Header", sha256, model })
  }
  return Predicate.isNumber(line) && Predicate.isNumber(inputTokens) && Predicate.isNumber(outputTokens) &&
      Predicate.isNumber(spent)
    ? Option.some({ _tag: "Answer", line, inputTokens, outputTokens, spent, text: answer })
    : Option.none()
}

/**
 * Where the output's part of a line begins, counted from the line's end.
 *
 * @since 0.1.0
 * @category destructors
 */
export const answerOf = (bytes: Uint8Array): Uint8Array => bytes.subarray(bytes.lastIndexOf(tab) + 1)

const tab = 0x09

/**
 * What was found at a place of a journal: an entry, or none that can be believed.
 *
 * @since 0.1.0
 * @category models
 */
export interface Found {
  readonly offset: number
  /** In bytes, without its end. */
  readonly length: number
  readonly entry: Option.Option<Entry>
}

/**
 * Reads a journal piece by piece.
 *
 * @since 0.1.0
 * @category models
 */
export interface Reader {
  readonly feed: (piece: Uint8Array) => ReadonlyArray<Found>
  /** How many bytes there are of whole lines: what follows is torn, and is to be cut off before more is written. */
  readonly whole: () => number
}

/**
 * A reader at the beginning of a journal.
 *
 * @since 0.1.0
 * @category constructors
 */
export const reader = (): Reader => {
  const splitter = ByteLines.make()
  return {
    feed: (piece) =>
      splitter.feed(piece).map(({ bytes, offset }) => ({ offset, length: bytes.length, entry: decode(bytes) })),
    whole: () => splitter.rest().offset
  }
}
