import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as PythonLiteral from "../src/internal/pythonLiteral.js"

const short: { readonly [byte: number]: string } = { 9: "\\t", 10: "\\n", 13: "\\r", 92: "\\\\" }

/** What Python's `repr` makes of bytes. */
const repr = (bytes: Uint8Array): string => {
  const quote = bytes.includes(39) && !bytes.includes(34) ? 34 : 39
  const body = Array.from(bytes, (byte) =>
    short[byte] ?? (byte === quote
      ? `\\${String.fromCharCode(byte)}`
      : byte >= 32 && byte < 127
      ? String.fromCharCode(byte)
      : `\\x${byte.toString(16).padStart(2, "0")}`))
  const mark = String.fromCharCode(quote)
  return `b${mark}${body.join("")}${mark}`
}

/** Bytes in which quotes, backslashes and what looks like an escape are frequent. */
const bytes = FastCheck.oneof(
  FastCheck.uint8Array(),
  FastCheck.array(FastCheck.constantFrom(34, 39, 92, 120, 110, 48, 65, 10, 195, 188)).map((all) => Uint8Array.from(all))
)

const utf8 = (text: string) => new TextEncoder().encode(text)

describe("a Python literal", () => {
  it("gives the bytes back of which repr made it, whatever they are", () =>
    FastCheck.assert(FastCheck.property(bytes, (bytes) => {
      assert.deepStrictEqual(PythonLiteral.toBytes(repr(bytes)), bytes)
    })))

  it("gives the beginning of its bytes or nothing where it was cut off", () =>
    FastCheck.assert(FastCheck.property(bytes, FastCheck.nat(), (bytes, cut) => {
      const literal = repr(bytes)
      const read = PythonLiteral.toBytes(literal.slice(0, cut % literal.length))
      if (read !== undefined) assert.deepStrictEqual(read, bytes.slice(0, read.length))
    })))

  for (
    const [literal, text] of [
      ["b'plain'", "plain"],
      ["b\"it's\"", "it's"],
      ["b'it's \"raw\"'", "it's \"raw\""],
      ["b'Gr\\xc3\\xbc\\xc3\\x9fe'", "Grüße"],
      ["b'raw Grüße'", "raw Grüße"],
      ["b'raw Grüße\\n'", "raw Grüße\n"],
      ["b'\\x0b\\v\\a\\b\\f\\101\\0'", "\v\v\u0007\b\fA\0"],
      ["b'\\q\\xZ1'", "\\q\\xZ1"],
      ["b''", ""]
    ] as const
  ) {
    it(`${literal} is ${JSON.stringify(text)}`, () => {
      assert.deepStrictEqual(PythonLiteral.toBytes(literal), utf8(text))
    })
  }

  for (const text of ["", "b", "b'", "b'x", "b'x\"", "b'x\\'", "'x'", "x'x'", "[DONE]", "{\"a\":1}", "b'a\nb'"]) {
    it(`${JSON.stringify(text)} is no literal of bytes`, () => {
      assert.isUndefined(PythonLiteral.toBytes(text))
    })
  }

  for (
    const [literal, text] of [
      ["'It\\'s 3 \\u00b0C\\n'", "It's 3 °C\n"],
      ["\"it's\"", "it's"],
      ["'\\U0001f30a \\x41 \\q'", "🌊 A \\q"]
    ] as const
  ) {
    it(`${literal} is the text ${JSON.stringify(text)}`, () => {
      assert.strictEqual(PythonLiteral.toText(literal), text)
    })
  }

  it("is no text where it is of bytes, or was cut off", () => {
    for (const literal of ["b'x'", "'x", "'x\\'", "x", ""]) assert.isUndefined(PythonLiteral.toText(literal))
  })
})
