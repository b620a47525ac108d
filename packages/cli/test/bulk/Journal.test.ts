/**
 * A journal that is cut, spoilt and written on says what was written before, and nothing that was not.
 */
import { describe, expect, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Journal from "../../src/bulk/Journal.js"

const count = FastCheck.nat({ max: 1_000_000 })
const json = Arbitrary.make(Schema.Struct({ id: Schema.String, text: Schema.String })).map((value) => JSON.stringify(value))
const answer: FastCheck.Arbitrary<Journal.Answer> = FastCheck.record({
  _tag: FastCheck.constant("Answer" as const),
  line: count,
  inputTokens: count,
  outputTokens: count,
  spent: count,
  text: json
})
const header: Journal.Header = { _tag: "Header", sha256: "9b74".repeat(16), model: "groq/llama" }
const entries = FastCheck.array(answer, { minLength: 1, maxLength: 6 })
  .map((answers): ReadonlyArray<Journal.Entry> => [header, ...answers])

const write = (entries: ReadonlyArray<Journal.Entry>) => Buffer.from(entries.map(Journal.encode).join(""))

const check = <A>(property: FastCheck.IProperty<A>, numRuns = 100) => FastCheck.assert(property, { numRuns })

/** In pieces, as a file is read. */
const read = (bytes: Uint8Array, size = 7) => {
  const reader = Journal.reader()
  const found: Array<Journal.Found> = []
  for (let at = 0; at < bytes.length; at += size) found.push(...reader.feed(bytes.subarray(at, at + size)))
  return { found, entries: found.flatMap(({ entry }) => Option.toArray(entry)), whole: reader.whole() }
}

describe("Journal", () => {
  it("says what was written, in whichever pieces it is read", () => check(FastCheck.property(entries, FastCheck.integer({ min: 1, max: 50 }), (entries, size) => {
    const bytes = write(entries)
    const { entries: seen, found, whole } = read(bytes, size)
    expect(seen).toEqual(entries)
    expect(whole).toBe(bytes.length)
    for (const [at, { length, offset }] of found.entries()) {
      const entry = entries[at]!
      const line = bytes.subarray(offset, offset + length)
      expect(`${line.toString()}\n`).toBe(Journal.encode(entry))
      expect(Buffer.from(Journal.answerOf(line)).toString()).toBe(entry._tag === "Answer" ? entry.text : "")
    }
  })))

  it("cut at any byte, keeps every entry that was whole, and goes on from there", () => check(FastCheck.property(entries, answer, (entries, next) => {
    const bytes = write(entries)
    const ends = entries.map((_, at) => write(entries.slice(0, at + 1)).length)
    for (let cut = 0; cut <= bytes.length; cut++) {
      const kept = entries.filter((_, at) => ends[at]! <= cut)
      const { entries: seen, whole } = read(bytes.subarray(0, cut))
      expect(seen).toEqual(kept)
      expect(whole).toBe(write(kept).length)
      const resumed = Buffer.concat([bytes.subarray(0, whole), write([next])])
      expect(read(resumed).entries).toEqual([...kept, next])
    }
  }), 20))

  it("with any byte spoilt, believes no entry that was not written, and loses no other than those it stood in", () => check(FastCheck.property(
    entries,
    FastCheck.nat(),
    FastCheck.integer({ min: 1, max: 255 }),
    (entries, place, change) => {
      const bytes = write(entries)
      const at = place % bytes.length
      bytes[at]! ^= change
      let end = 0
      const untouched = entries.filter((entry) => {
        const begin = end
        end += Buffer.byteLength(Journal.encode(entry))
        // a spoilt end of a line takes the next one with it
        return at < begin - 1 || at >= end
      })
      const { entries: seen } = read(bytes)
      for (const entry of seen) expect(entries).toContainEqual(entry)
      for (const entry of untouched) expect(seen).toContainEqual(entry)
    }
  )))

  it("does not believe a line of zeros, which is what a crash may leave of one", () => {
    const bytes = Buffer.concat([write([header]), Buffer.alloc(40), Buffer.from("\n")])
    expect(read(bytes).entries).toEqual([header])
  })

  it("does not believe an entry of a later version", () => {
    const line = Journal.encode(header).replace("\"version\":1", "\"version\":2")
    expect(read(Buffer.from(line)).entries).toEqual([])
  })
})
