import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import * as Ndjson from "../src/internal/ndjson.js"

const encode = (text: string) => new TextEncoder().encode(text)

const lines = (text: string, cuts: ReadonlyArray<number> = [], limit = 1024): ReadonlyArray<string> => {
  const bytes = encode(text)
  const framer = Ndjson.make(limit)
  const out: Array<string> = []
  const ends = [...cuts.filter((at) => at > 0 && at < bytes.length).sort((a, b) => a - b), bytes.length]
  let start = 0
  for (const end of ends) {
    out.push(...framer.feed(bytes.subarray(start, end)).map(({ data }) => data))
    start = end
  }
  out.push(...framer.end().map(({ data }) => data))
  return framer.tooLarge ? ["too large"] : out
}

describe("lines of JSON", () => {
  for (
    const [title, text, expected] of [
      ["LF", "{\"a\":1}\n{\"b\":2}\n", ["{\"a\":1}", "{\"b\":2}"]],
      ["CRLF", "{\"a\":1}\r\n{\"b\":2}\r\n", ["{\"a\":1}\r", "{\"b\":2}\r"]],
      ["blank lines", "\n\n{\"a\":1}\n \n\r\n{\"b\":2}\n\n", ["{\"a\":1}", "{\"b\":2}"]],
      ["a last line without its end", "{\"a\":1}\n{\"b\":2}", ["{\"a\":1}", "{\"b\":2}"]],
      ["characters of several bytes", "\"Grüße 🌊\"\n", ["\"Grüße 🌊\""]],
      ["a byte order mark", "\ufeff{}\n", ["{}"]],
      ["nothing", "", []]
    ] as ReadonlyArray<readonly [string, string, ReadonlyArray<string>]>
  ) {
    it(`are read wherever they are cut: ${title}`, () => {
      const { length } = encode(text)
      for (let at = 0; at <= length; at++) assert.deepStrictEqual(lines(text, [at]), expected)
      assert.deepStrictEqual(lines(text, Array.from({ length }, (_, at) => at)), expected)
      for (const line of lines(text)) assert.isDefined(JSON.parse(line))
    })
  }

  it.prop(
    "are the same however the bytes are cut",
    [
      FastCheck.array(FastCheck.json({ maxDepth: 1 }), { maxLength: 8 }),
      FastCheck.array(FastCheck.nat(200), { maxLength: 10 })
    ],
    ([values, cuts]) => {
      assert.deepStrictEqual(lines(values.join("\n"), cuts), values)
    }
  )

  it("end at a line that is larger than allowed, in one piece or many, and take no more", () => {
    const large = `"${"x".repeat(100)}"\n`
    for (const cuts of [[], [50], Array.from({ length: large.length }, (_, at) => at)]) {
      assert.deepStrictEqual(lines(large, cuts, 64), ["too large"])
    }
    const framer = Ndjson.make(64)
    for (let i = 0; i < 100; i++) framer.feed(encode("xxxxx"))
    assert.isTrue(framer.tooLarge)
    assert.deepStrictEqual(framer.feed(encode("\n{}\n")), [])
  })

  it("give those before a line that is too large", () => {
    const framer = Ndjson.make(64)
    assert.deepStrictEqual(framer.feed(encode(`1\n${"x".repeat(100)}\n2\n`)), [{ event: undefined, data: "1" }])
    assert.isTrue(framer.tooLarge)
  })
})
