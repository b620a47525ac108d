import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import type { Frame } from "../src/internal/framing.js"
import * as Sse from "../src/internal/sse.js"

const encode = (text: string) => new TextEncoder().encode(text)

/** The frames of a text whose bytes are cut before each of the offsets. */
const frames = (text: string, cuts: ReadonlyArray<number> = [], limit = 1024): ReadonlyArray<Frame> => {
  const bytes = encode(text)
  const framer = Sse.make(limit)
  const out: Array<Frame> = []
  const ends = [...cuts.filter((at) => at > 0 && at < bytes.length).sort((a, b) => a - b), bytes.length]
  let start = 0
  for (const end of ends) {
    out.push(...framer.feed(bytes.subarray(start, end)))
    start = end
  }
  out.push(...framer.end())
  return framer.tooLarge ? [{ data: "too large" }] : out.map(plain)
}

const plain = ({ bare, data, event }: Frame): Frame => ({
  ...(event === undefined ? {} : { event }),
  data,
  ...(bare === true ? { bare } : {})
})

const everyCut = (text: string, check: (frames: ReadonlyArray<Frame>) => void) => {
  const { length } = encode(text)
  for (let at = 0; at <= length; at++) check(frames(text, [at]))
  check(frames(text, Array.from({ length }, (_, at) => at)))
}

describe("event streams (S7, S11)", () => {
  for (
    const [title, text, expected] of [
      ["LF", "data: a\n\ndata: b\n\n", [{ data: "a" }, { data: "b" }]],
      ["CRLF", "data: a\r\n\r\ndata: b\r\n\r\n", [{ data: "a" }, { data: "b" }]],
      ["lone CR", "data: a\r\rdata: b\r\r", [{ data: "a" }, { data: "b" }]],
      ["ends of all three kinds", "data: a\r\n\ndata: b\r\r\ndata: c\n\n", [
        { data: "a" },
        { data: "b" },
        { data: "c" }
      ]],
      ["no space after the colon", "data:a\n\n", [{ data: "a" }]],
      ["more than one space after the colon", "data:  a\n\n", [{ data: " a" }]],
      ["data of several lines", "data: a\ndata: b\ndata:\n\n", [{ data: "a\nb\n" }]],
      ["named events", "event: ping\ndata: {}\n\nevent:pong\ndata: {}\n\n", [
        { event: "ping", data: "{}" },
        { event: "pong", data: "{}" }
      ]],
      ["the name after the data", "data: {}\nevent: ping\n\n", [{ event: "ping", data: "{}" }]],
      ["comments", ": keep-alive\n\ndata: a\n: in the midst\ndata: b\n\n:\n\n", [{ data: "a\nb" }]],
      ["retry and id", "retry: 500\n\nid: 7\ndata: a\n\ndata: b\n\n", [{ data: "a" }, { data: "b" }]],
      ["an event without data", "event: ping\n\ndata: a\n\n", [{ data: "a" }]],
      ["a byte order mark", "\ufeffdata: a\n\n", [{ data: "a" }]],
      ["characters of several bytes", "data: Grüße 🌊\n\n", [{ data: "Grüße 🌊" }]],
      ["a last event without its blank line", "data: a\n\ndata: b\n", [{ data: "a" }, { data: "b" }]],
      ["a last line without its end", "data: a\n\ndata: [DONE]", [{ data: "a" }, { data: "[DONE]" }]],
      ["nothing", "", []],
      ["JSON with blanks behind it", "data: {\"a\":1}   \n\n", [{ data: "{\"a\":1}   " }]],
      ["bare JSON behind events", "data: a\n\n{\"error\": \"x: \"y\"\"}\n", [
        { data: "a" },
        { data: "{\"error\": \"x: \"y\"\"}", bare: true }
      ]],
      ["bare JSON of several lines", "data: a\n\n{\n  \"error\": {\n    \"code\": 503\n  }\n}\n", [
        { data: "a" },
        { data: "{\n  \"error\": {\n    \"code\": 503\n  }\n}", bare: true }
      ]],
      ["bare JSON before an event", "{\"error\": 1}\n\ndata: [DONE]\n\n", [
        { data: "{\"error\": 1}", bare: true },
        { data: "[DONE]" }
      ]]
    ] as ReadonlyArray<readonly [string, string, ReadonlyArray<Frame>]>
  ) {
    it(`are read wherever they are cut: ${title}`, () => {
      everyCut(text, (seen) => assert.deepStrictEqual(seen, expected))
    })
  }

  const line = FastCheck.oneof(
    FastCheck.string({ unit: "grapheme", maxLength: 8 }).map((text) => `data: ${text.replace(/[\r\n]/g, "")}`),
    FastCheck.constantFrom("", "", ": comment", "event: ping", "id: 1", "retry: 5", "unknown: field", "data", "🌊: x")
  )
  const stream = FastCheck.array(
    FastCheck.tuple(line, FastCheck.constantFrom("\n", "\r\n")),
    { maxLength: 12 }
  ).map((lines) => lines.map(([text, end]) => text + end).join(""))

  it.prop(
    "are the same however the bytes are cut",
    [stream, FastCheck.array(FastCheck.nat(200), { maxLength: 10 })],
    ([text, cuts]) => {
      assert.deepStrictEqual(frames(text, cuts), frames(text))
    }
  )

  it("end at an event that is larger than allowed, in one piece or many, and take no more", () => {
    const large = `data: ${"x".repeat(100)}\n\n`
    const bytes = encode(large)
    for (const cuts of [[], [50], Array.from({ length: bytes.length }, (_, at) => at)]) {
      assert.deepStrictEqual(frames(large, cuts, 64), [{ data: "too large" }])
    }
    const framer = Sse.make(64)
    framer.feed(bytes)
    assert.isTrue(framer.tooLarge)
    assert.deepStrictEqual(framer.feed(encode("data: a\n\n")), [])
    assert.deepStrictEqual(framer.end(), [])
  })

  it("end at a line without an end that is larger than allowed", () => {
    const framer = Sse.make(64)
    for (let i = 0; i < 100; i++) framer.feed(encode("xxxxx"))
    assert.isTrue(framer.tooLarge)
  })

  it("end at bare lines that are larger than allowed", () => {
    const framer = Sse.make(64)
    for (let i = 0; i < 100; i++) framer.feed(encode("xxxxx\n"))
    assert.isTrue(framer.tooLarge)
  })

  it("take many small events that are larger together", () => {
    assert.strictEqual(frames("data: a\n\n".repeat(1000), [], 64).length, 1000)
  })
})
