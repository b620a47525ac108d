import { assert, describe, it } from "@effect/vitest"
import { scrub } from "../src/internal/scrub.js"

const key = "sk-proj-AbCdEfGhIjKlMnOpQrStUvWxYz0123456789"

describe("what may stand in a message (S1, S19)", () => {
  for (
    const [title, text, expected] of [
      ["a key", `Incorrect key: ${key}.`, "Incorrect key: <redacted>."],
      ["a key, twice", `${key} ${key}`, "<redacted> <redacted>"],
      ["a key with its middle starred", "Incorrect key: sk-proj-****************6789.", "Incorrect key: <redacted>"],
      ["a key with its middle dotted", "Incorrect key: sk-proj-Ab...6789, sorry", "Incorrect key: <redacted>, sorry"],
      ["a key with an ellipsis", "key \"sk-p…6789\"", "key \"<redacted>\""],
      ["the end of a key", "key ****6789", "key <redacted>"],
      ["the beginning of a key", "key sk-proj-AbCd***", "key <redacted>"],
      ["a longer piece of a key", `you sent ${key.slice(5, 30)}!`, "you sent <redacted>!"]
    ] as const
  ) {
    it(`is not ${title}`, () => {
      assert.strictEqual(scrub(text, key), expected)
    })
  }

  it("is text that has nothing of the key, as it is", () => {
    const text = "Rate limit reached... try again in 6ms. **Bold** and *** are no keys."
    assert.strictEqual(scrub(text, key), text)
    assert.strictEqual(scrub(text, ""), text)
  })

  it("is on one line, without control characters", () => {
    assert.strictEqual(scrub("a\r\nb\u0000c\u001b[31md\u2028e\u0085f", key), "a b c [31md e f")
  })

  it("is at most a kibibyte and a dot", () => {
    assert.strictEqual(scrub("x".repeat(1_000_000), key).length, 1025)
  })

  it("is free of a key that stands where the text is cut", () => {
    for (let at = 960; at < 1100; at++) {
      const said = scrub(`${"x".repeat(at)}${key}`, key)
      assert.notInclude(said, key.slice(0, 12), `at ${at}`)
    }
    for (let at = 4000; at < 4200; at++) assert.notInclude(scrub(`${" ".repeat(at)}${key}`, key), key.slice(0, 12))
  })
})
