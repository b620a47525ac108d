import { assert, describe, it } from "@effect/vitest"
import { run } from "../packages.mjs"
import { tree } from "./tree.js"

const lint = (file: string, text: string) => run("oxlint", ["--deny-warnings", "-f", "unix", "packages"], tree({ [file]: `${text}\n` }))

const core = "packages/core/src/A.ts"
const planted: ReadonlyArray<[title: string, rule: string, file: string, text: string]> = [
  ["Date.now", "no-restricted-properties", core, "export const a = Date.now()"],
  ["new Date()", "no-present-date", core, "export const a = new Date()"],
  ["Date()", "no-present-date", core, "export const a = Date()"],
  ["Math.random", "no-restricted-properties", core, "export const a = Math.random()"],
  ["process.env", "no-process-env", core, `export const a = process.env["KEY"]`],
  ["setTimeout", "no-restricted-globals", core, "setTimeout(() => {}, 1)"],
  ["globalThis.setTimeout", "no-restricted-properties", core, "globalThis.setTimeout(() => {}, 1)"],
  ["setInterval", "no-restricted-globals", "packages/gateway/src/A.ts", "setInterval(() => {}, 1)"],
  ["console", "no-console", "packages/providers/src/A.ts", "console.log(1)"],
  ["the barrel of effect", "no-restricted-imports", core, `export { Effect } from "effect"`],
  ["the type barrel of effect", "no-restricted-imports", core, `import type { Effect } from "effect"\nexport type A = Effect.Effect<1>`],
  ["@effect/schema", "no-restricted-imports", core, `import * as Schema from "@effect/schema/Schema"\nexport const a = Schema`],
  ["our own barrel", "no-restricted-imports", "packages/cli/src/A.ts", `import { Retry } from "@spillway/core"\nexport const a = Retry`],
  ["Schedule outside Retry", "only-retry-schedules", core, `import * as Schedule from "effect/Schedule"\nexport const a = Schedule`],
  ["a test that hides all others", "no-focused-tests", "packages/core/test/A.test.ts", `import { it } from "@effect/vitest"\nit.only("a", () => {})`],
  ["a fault that oxlint knows", "no-debugger", "packages/core/test/A.test.ts", "debugger"]
]

const allowed: ReadonlyArray<[title: string, file: string, text: string]> = [
  ["a Date made of a number", core, "export const a = new Date(0)"],
  ["Schedule in Retry", "packages/core/src/Retry.ts", `import * as Schedule from "effect/Schedule"\nexport const a = Schedule`],
  ["process.env in the command line", "packages/cli/src/A.ts", `export const a = process.env["KEY"]`],
  ["barrels in tests", "packages/core/test/A.test.ts", `import { Effect } from "effect"\nexport const a = Effect`]
]

describe("lint", () => {
  for (const [title, rule, file, text] of planted) {
    it(`refuses ${title}`, () => {
      const { ok, output } = lint(file, text)
      assert.isFalse(ok)
      assert.include(output, rule)
    })
  }
  for (const [title, file, text] of allowed) {
    it(`allows ${title}`, () => {
      const { ok, output } = lint(file, text)
      assert.isTrue(ok, output)
    })
  }
})
