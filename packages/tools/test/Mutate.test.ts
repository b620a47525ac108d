import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { mutations, plant } from "../mutate.mjs"
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
