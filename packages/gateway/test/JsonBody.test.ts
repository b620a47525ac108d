import { assert, describe, it } from "@effect/vitest"
import * as JsonBody from "@spillway/gateway/JsonBody"
import { Either } from "effect"

const fault = (text: string) => Either.getOrThrow(Either.flip(JsonBody.parse(text)))

describe("JsonBody", () => {
  it("parses what is JSON, with or without a byte order mark", () => {
    const text = "{\"a\": [1, -2.5e3, true, null, \"\\u00e9\\n\"]}"
    for (const json of [text, `\ufeff${text}`, ` \r\n\t${text} `]) {
      assert.deepStrictEqual(JsonBody.parse(json), Either.right({ a: [1, -2500, true, null, "é\n"] }))
    }
  })

  it("points to the place where a body stops being JSON", () => {
    for (
      const [text, expected] of [
        ["", "it is empty"],
        ["  \n ", "it is empty"],
        ["{\"a\": hello}", "line 1, column 7: expected a value"],
        ["{\n  \"a\": 1,\n  b: 2\n}", "line 3, column 3: expected a key in double quotes"],
        ["{'a': 1}", "line 1, column 2: expected a key in double quotes or }"],
        ["{\"a\" 1}", "line 1, column 6: expected a colon after the key"],
        ["{\"a\": 1 \"b\": 2}", "line 1, column 9: expected a comma or the closing bracket"],
        ["[1, 2,]", "line 1, column 7: expected a value"],
        ["[,]", "line 1, column 2: expected a value or ]"],
        ["{\"a\": 1,}", "line 1, column 9: expected a key in double quotes"],
        ["{\"a\": 1}}", "line 1, column 9: expected nothing more"],
        ["[1}", "line 1, column 3: expected a comma or the closing bracket"],
        ["{\"a\": 01}", "line 1, column 8: expected a comma or the closing bracket"],
        ["{\"a\": \"b\nc\"}", "line 1, column 9: expected the text to be escaped: it holds a control character"],
        ["{\"a\": \"\\x\"}", "line 1, column 8: expected an escape that JSON knows"],
        ["{\"a\": \"\\u12g4\"}", "line 1, column 8: expected an escape that JSON knows"],
        ["{\"a\": [1, 2", "it ends at line 1, column 12, where a comma or the closing bracket is expected"],
        ["{\"a\": \"b", "it ends at line 1, column 9, where the end of a text is expected"],
        ["{\n\"a\":\n", "it ends at line 3, column 1, where a value is expected"],
        ["nul", "line 1, column 1: expected a value"],
        ["-", "line 1, column 1: expected a value"]
      ] as const
    ) {
      const { reason, message } = fault(text)
      assert.strictEqual(reason, "InvalidJson")
      assert.strictEqual(message, `The body is not JSON: ${expected}`)
    }
  })

  it("finds a fault in everything that the engine refuses, and says nothing of what stands there", () => {
    const json = "{\"a\": [1, {\"b\": \"x\\\"y\"}, true], \"c\": -0.5e-7, \"d\": {}, \"e\": []}"
    for (let at = 0; at <= json.length; at++) {
      for (const put of ["", "#", "\"", "}", "]", ",", ":", "\\", "\n"]) {
        for (const text of [json.slice(0, at) + put + json.slice(at + 1), json.slice(0, at) + put + json.slice(at)]) {
          let isJson = true
          try {
            JSON.parse(text)
          } catch {
            isJson = false
          }
          const parsed = JsonBody.parse(text)
          assert.strictEqual(Either.isRight(parsed), isJson, text)
          if (Either.isLeft(parsed)) {
            assert.match(
              parsed.left.message,
              /^The body is not JSON: (?:line 1, column \d+: expected|line 2, column \d+: expected|it ends at line)/,
              text
            )
          }
        }
      }
    }
    assert.notInclude(fault("{\"prompt\": \"secret\" sk-secret").message, "secret")
  })

  it("takes bodies nested 64 deep, and no deeper (S9)", () => {
    const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth)
    assert.isTrue(Either.isRight(JsonBody.parse(nested(63))))
    assert.isTrue(Either.isRight(JsonBody.parse(nested(64))))
    assert.strictEqual(fault(nested(65)).message, "The body is nested deeper than 64 levels")
    assert.strictEqual(fault(nested(200_000)).reason, "InvalidRequest")
    assert.strictEqual(fault("{\"a\":".repeat(65) + "1" + "}".repeat(65)).reason, "InvalidRequest")
  })

  it("refuses __proto__ wherever it is a key, and leaves prototypes alone (S10)", () => {
    for (
      const [text, field] of [
        ["{\"__proto__\": {\"polluted\": true}}", "__proto__"],
        ["{\"tools\": [{\"function\": {\"parameters\": {\"__proto__\": {}}}}]}", "tools[0].function.parameters.__proto__"]
      ] as const
    ) assert.strictEqual(fault(text).field, field)
    assert.isUndefined(({} as Record<string, unknown>)["polluted"])
    assert.isTrue(Either.isRight(JsonBody.parse("{\"a\": \"__proto__\", \"constructor\": 1}")))
  })
})
