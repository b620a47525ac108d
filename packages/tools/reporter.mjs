/**
 * A vitest reporter beside the usual one: says of each skipped test why, so that nothing is left out in silence, and of
 * each real server that the tests may speak to whether they did; and writes the totals (passed, failed, skipped) to the
 * file named by SPILLWAY_TOTALS, from which CI makes its closing line.
 */
import { writeFileSync } from "node:fs"
import { relative } from "node:path"
import { root } from "./packages.mjs"

/** The servers that the setup of the integration tests has looked for, one a line. */
export const serverLines = (servers) => {
  const rows = Object.values(servers)
    .filter(({ name }) => name !== undefined)
    .map(({ how, missing, name, version = "" }) => [name, version, missing === undefined ? `used, ${how}` : `skipped: ${missing}`])
  const width = (column) => Math.max(...rows.map((row) => row[column].length))
  return rows.map(([name, version, state]) => `server ${name.padEnd(width(0))}  ${version.padEnd(width(1))}  ${state}`)
}

export default class Reporter {
  onInit(vitest) {
    this.vitest = vitest
  }

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
    const { servers = {} } = this.vitest.projects.find(({ name }) => name === "integration")?.getProvidedContext() ?? {}
    for (const line of serverLines(servers)) console.log(line)
    for (const [reason, count] of reasons) console.log(`skipped ${count} in ${reason}`)
    console.log(`tests: ${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`)
    const file = process.env.SPILLWAY_TOTALS
    if (file !== undefined) writeFileSync(file, `${totals.passed} ${totals.failed} ${totals.skipped}\n`)
  }
}
