/**
 * Writes the barrel of each published package: `src/index.ts`, one namespace a module, each with the first sentence
 * of its module doc. The command line has no barrel, since nobody imports it; a module that needs an optional peer is
 * left out, so that the barrel does not. And the module that the dashboard is served from (`dashboard.mjs`). With
 * `--check` nothing is written and what is not what would be written is a failure.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { dashboard, hasDashboard, target } from "./dashboard.mjs"
import { finish, isMain, modules, needsOptionalPeer, published, root } from "./packages.mjs"

/** The text of the module doc: the comment a file begins with, unless it belongs to the declaration under it. */
export const moduleDoc = (text) => {
  const match = /^(?:#!.*\n)?\s*\/\*\*([\s\S]*?)\*\/\s*(?!export\s+[a-z])/.exec(text)
  return match?.[1]
    ?.split("\n")
    .map((line) => line.replace(/^\s*\* ?/, "").trimEnd())
    .join("\n")
    .trim()
}

/** The first sentence of a doc comment, on one line. */
export const firstSentence = (doc) => {
  const paragraph = doc.split(/\n\s*\n|\n@/)[0].replace(/\s+/g, " ").trim()
  return /^.*?[.!?](?=\s|$)/.exec(paragraph)?.[0] ?? paragraph
}

export const barrel = (name, base = root) => {
  const listed = modules(name, base)
    .filter((file) => dirname(file) === `packages/${name}/src` && !needsOptionalPeer(name, file, base))
  const blocks = listed.map((file) => {
    const doc = moduleDoc(readFileSync(join(base, file), "utf8"))
    const comment = doc === undefined ? "" : `/**\n * ${firstSentence(doc)}\n *\n * @since 0.1.0\n */\n`
    const module = basename(file, ".ts")
    return `${comment}export * as ${module} from "./${module}.js"\n`
  })
  return `// Written by \`npm run codegen\`.\n\n${blocks.join("\n")}`
}

export const codegen = ({ base = root, check }) => {
  const barrels = published.filter((name) => name !== "cli").map((name) => [`packages/${name}/src/index.ts`, barrel(name, base)])
  const written = hasDashboard(base) ? [...barrels, [target, dashboard(base)]] : barrels
  return written.flatMap(([file, wanted]) => {
    const found = existsSync(join(base, file)) ? readFileSync(join(base, file), "utf8") : undefined
    if (found === wanted) return []
    if (check) return [`${file}: not what it is written from says; run \`npm run codegen\``]
    writeFileSync(join(base, file), wanted)
    return []
  })
}

if (isMain(import.meta.url)) finish("codegen", codegen({ check: process.argv.includes("--check") }), "what is written is current")
