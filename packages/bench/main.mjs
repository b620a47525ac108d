/**
 * `npm run bench` runs every scenario, `npm run bench -- NAME…` those named; `--quick` takes fewer rounds. The exit
 * code is 1 where a goal was missed.
 */
import { readdirSync } from "node:fs"

const scenarios = readdirSync(new URL("scenarios/", import.meta.url)).map((file) => file.replace(/\.mjs$/, ""))
const quick = process.argv.includes("--quick")
const named = process.argv.slice(2).filter((word) => !word.startsWith("--"))
const unknown = named.filter((name) => !scenarios.includes(name))

if (unknown.length > 0) {
  console.error(`there is no scenario ${unknown.join(", ")}; there are ${scenarios.join(", ")}`)
  process.exitCode = 2
} else {
  for (const name of named.length > 0 ? named : scenarios) {
    const { run } = await import(`./scenarios/${name}.mjs`)
    if (!(await run({ quick }))) process.exitCode = 1
  }
}
