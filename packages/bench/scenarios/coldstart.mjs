/** How long it takes to import Spillway and one backend, over what it takes to import what they use of Effect. */
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { isMet, quantile, show } from "../harness.mjs"

const entries = ["@spillway/core/Resilience", "@spillway/core/LlmService", "@spillway/providers/OpenAi", "@spillway/node/UndiciClient"]

/** What others a module of ours imports, and theirs, as far as they are not ours. */
const foreign = () => {
  const seen = new Set()
  const others = new Set()
  const visit = (/** @type {string} */ url) => {
    if (seen.has(url)) return
    seen.add(url)
    for (const [, specifier = ""] of readFileSync(new URL(url), "utf8").matchAll(/^(?:import|export)[^"'()=]*["']([^"']+)["']/gm)) {
      if (specifier.startsWith("node:")) continue
      if (specifier.startsWith(".")) visit(new URL(specifier, url).href)
      else if (specifier.startsWith("@spillway/")) visit(import.meta.resolve(specifier))
      else others.add(specifier)
    }
  }
  for (const entry of entries) visit(import.meta.resolve(entry))
  return [...others]
}

const time = (/** @type {ReadonlyArray<string>} */ specifiers) => {
  const program = `const began = performance.now(); ${specifiers.map((name) => `await import(${JSON.stringify(name)});`).join("")} console.log(performance.now() - began)`
  return Number(execFileSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8", cwd: new URL("..", import.meta.url) }))
}

/** @param {{ quick: boolean }} options */
export const run = async ({ quick }) => {
  const others = foreign()
  const rounds = Array.from({ length: quick ? 5 : 15 }, () => ({ all: time([...others, ...entries]), others: time(others) }))
  const figures = [
    { what: "import of what they use of others", value: quantile(rounds.map(({ others }) => others), 0.5), unit: "ms" },
    { what: "import of core, a backend and the client over it", value: quantile(rounds.map(({ all, others }) => all - others), 0.5), unit: "ms", atMost: 100 },
    { what: "barrels of Effect among them", value: others.filter((name) => ["effect", "@effect/platform"].includes(name)).length, atMost: 0 }
  ]
  console.log(`coldstart · ${entries.join(", ")}`)
  show(figures)
  return figures.every(isMet)
}
