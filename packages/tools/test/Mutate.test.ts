import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { mutations, plant, verdict } from "../mutate.mjs"
import { root } from "../packages.mjs"

describe("mutate", () => {
  it("plants a bug where its text stands once, whatever signs it has in it", () => {
    assert.deepStrictEqual(plant({ find: "a < b", replace: "$& <= $1" }, "if (a < b) go()"), { text: "if ($& <= $1) go()" })
  })

  it("refuses a text that stands nowhere or twice, and a bug that is none", () => {
    assert.property(plant({ find: "x", replace: "y" }, "abc"), "problem")
    assert.property(plant({ find: "a", replace: "y" }, "aba"), "problem")
    assert.property(plant({ find: "a", replace: "a" }, "abc"), "problem")
  })

  it("takes only what a test asserts, or waits for in vain, for a bug that was noticed", () => {
    const report = (...messages: ReadonlyArray<string>) => ({
      numPassedTests: 3,
      testResults: [{ status: "failed", assertionResults: messages.map((message) => ({ status: "failed", failureMessages: [message] })) }]
    })
    assert.strictEqual(verdict(report("AssertionError: expected 2 to equal 1\n    at Queue.test.ts")), "noticed")
    assert.strictEqual(verdict(report("Error: Property failed after 3 tests\n{ seed: 1, path: \"2\" }")), "noticed")
    assert.strictEqual(verdict(report("Error: Test timed out in 20000ms.")), "noticed")
    assert.strictEqual(verdict(report("ReferenceError: waiter is not defined")), "broken")
    assert.strictEqual(verdict(report("TypeError: Heap.put is not a function")), "broken")
    assert.strictEqual(verdict(report()), "broken", "a file that could not be read")
    assert.strictEqual(verdict({ numPassedTests: 0, testResults: [] }), "broken", "nothing ran")
    assert.strictEqual(verdict(undefined), "broken", "there is no report")
    assert.strictEqual(verdict({ numPassedTests: 1, testResults: [{ status: "passed", assertionResults: [{ status: "passed" }] }] }), "passed")
  })

  it("can plant every bug that is listed, and knows the tests that must notice", async () => {
    const listed = await mutations()
    assert.isNotEmpty(listed)
    for (const { module, name, file, tests, ...mutation } of listed) {
      const planted = plant(mutation, readFileSync(join(root, file), "utf8"))
      assert.notProperty(planted, "problem", `${module}: ${name}`)
      assert.isNotEmpty(tests, `${module}: ${name}`)
      for (const test of tests) assert.doesNotThrow(() => readFileSync(join(root, test)), `${module}: ${name}`)
    }
  })
})
