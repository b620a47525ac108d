/**
 * A vitest reporter beside the usual one: says of each skipped test why, so that nothing is left out in silence, and
 * writes the totals (passed, failed, skipped) to the file named by SPILLWAY_TOTALS, from which CI makes its closing line.
 */
import { writeFileSync } from "node:fs"
import { relative } from "node:path"
import { root } from "./packages.mjs"

export default class Reporter {
  onTestRunEnd(modules, unhandledErrors) {
    const totals = { passed: 0, failed: unhandledErrors.length, skipped: 0 }
    const reasons = new Map()
    for (const module of modules) {
      const tests = [...module.children.allTests()]
      // a module that could not be read has no tests, and has failed
      if (!module.ok() && tests.every((test) => test.result().state !== "failed")) totals.failed++
      for (const test of tests) {
        const { note, state } = test.result()
        if (state === "passed" || state === "failed") totals[state]++
        else {
          totals.skipped++
          const reason = `${relative(root, module.moduleId)}: ${note ?? test.fullName}`
          reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
        }
      }
    }
    for (const [reason, count] of reasons) console.log(`skipped ${count} in ${reason}`)
    console.log(`tests: ${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`)
    const file = process.env.SPILLWAY_TOTALS
    if (file !== undefined) writeFileSync(file, `${totals.passed} ${totals.failed} ${totals.skipped}\n`)
  }
}
