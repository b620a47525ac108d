/**
 * Code in the README that stands under `<!-- snippet: packages/examples/src/Chat.ts -->` is that file, word for word:
 * the file is compiled and run by the tests, so the README cannot promise what does not work.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "./packages.mjs"

const mark = /(<!-- snippet: (\S+) -->\n+```(?:ts|yaml)[^\n]*\n)([\s\S]*?)(\n?```)/g

export const snippets = ({ base = root, files, write = false }) =>
  files.flatMap((file) => {
    const problems = []
    const text = readFileSync(join(base, file), "utf8")
    const fresh = text.replace(mark, (whole, before, path, code, after, offset) => {
      const at = `${file}:${text.slice(0, offset).split("\n").length}`
      if (!existsSync(join(base, path))) {
        problems.push(`${at}: the snippet's file ${path} is not there`)
        return whole
      }
      const wanted = readFileSync(join(base, path), "utf8").trimEnd()
      if (code !== wanted && !write) problems.push(`${at}: not what ${path} says; run \`npm run docs -- --write\``)
      return `${before}${wanted}\n${after.trimStart()}`
    })
    const marks = text.match(/<!-- snippet:/g)?.length ?? 0
    if (marks !== [...text.matchAll(mark)].length) problems.push(`${file}: a snippet mark has no \`\`\`ts or \`\`\`yaml fence under it`)
    if (write && fresh !== text) writeFileSync(join(base, file), fresh)
    return problems
  })
