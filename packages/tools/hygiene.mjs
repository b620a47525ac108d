/**
 * What must not stand in a tracked file: the host of a package registry, a path of somebody's machine, a key.
 * The lockfile is read too.
 */
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { finish, isMain, root } from "./packages.mjs"

/** Each with what may stand there all the same. The patterns are written so that they do not match themselves. */
const forbidden = [
  ["the host of a package registry", /registry\.(?:npmjs|yarnpkg)\.\w+|"resolved": "https?:|\bnpm\.pkg\.github\b/],
  ["a path of somebody's machine", /(?<![\w.~-])\/(?:home|Users|root|work|tmp\/bash_jobs)\/[\w.-]+\//],
  // by the marks that the vendors put into their keys, so that tests may make up some
  ["what looks like a real key", /\bsk-[\w-]*T3Blbk\wJ|\bsk-ant-\w+-[\w-]{80,}|\bgsk_\w{20}WGdyb3F|\bAIza[\w-]{35}|\bgh[pousr]_\w{36}|\bAKIA(?!\w*EXAMPLE\b)[A-Z0-9]{16}\b/],
  ["a private key", /-----BEGIN (?:\w+ )?PRIVATE KEY-----/],
  ["a conflict mark", /^(?:<{7}|>{7}) /m]
]

/** What is wrong with the text of one file. */
export const hygiene = (file, text) =>
  forbidden.flatMap(([what, pattern]) => {
    const match = pattern.exec(text)
    return match === null ? [] : [`${file}:${text.slice(0, match.index).split("\n").length}: ${what}: ${match[0].slice(0, 24)}`]
  })

if (isMain(import.meta.url)) {
  const tracked = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: root, encoding: "utf8" })
  const files = [...new Set(tracked.split("\0").filter((file) => file !== ""))]
  const read = (file) => {
    try {
      return readFileSync(join(root, file), "utf8")
    } catch {
      return "" // deleted, but not yet in a commit
    }
  }
  finish("hygiene", files.flatMap((file) => hygiene(file, read(file))), `${files.length} files hold no registry host, machine path or key`)
}
