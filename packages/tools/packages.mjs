/**
 * What the tools know of the repository: where it is, which packages it holds and which files they have.
 */
import { execFileSync } from "node:child_process"
import { existsSync, readFileSync, readdirSync } from "node:fs"
import { dirname, join, relative, resolve } from "node:path"
import { fileURLToPath } from "node:url"

export const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..")

/** The packages that are published, in the order of their arrows. */
export const published = ["core", "prices", "providers", "node", "testing", "gateway", "cli"]

/** Every file under `directory` (relative to `base`) whose name ends in `ending`, sorted. */
export const filesUnder = (directory, ending, base = root) => {
  const absolute = join(base, directory)
  if (!existsSync(absolute)) return []
  return readdirSync(absolute, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => relative(base, join(entry.parentPath, entry.name)))
    .sort()
}

/** The hand-written sources of a published package: all of `src` but the generated barrel. */
export const sources = (name, base = root) =>
  filesUnder(`packages/${name}/src`, ".ts", base).filter((file) => file !== `packages/${name}/src/index.ts`)

/** The modules that may be imported from outside: folders in lower case (`internal/`) are closed by the exports map. */
export const modules = (name, base = root) => sources(name, base).filter((file) => !/\/src\/[a-z]\w*\//.test(file))

/** Whether a module runs only where an optional peer of its package is: it is imported by its own name, never by the barrel. */
export const needsOptionalPeer = (name, file, base = root) => {
  const { peerDependenciesMeta = {} } = JSON.parse(readFileSync(join(base, `packages/${name}/package.json`), "utf8"))
  const imports = [...readFileSync(join(base, file), "utf8").matchAll(/^(?:import|export) (?!type\b).*from "(.+)"/gm)].map(([, from]) => from)
  return Object.keys(peerDependenciesMeta).some((peer) => imports.some((from) => from === peer || from.startsWith(`${peer}/`)))
}

/** Runs a program of node_modules/.bin in the root and hands back `{ ok, output }`; it never throws. */
export const run = (program, args, cwd = root) => {
  try {
    const output = execFileSync(join(root, "node_modules/.bin", program), args, {
      cwd,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      maxBuffer: 1 << 28
    })
    return { ok: true, output }
  } catch (error) {
    return { ok: false, output: `${error.stdout ?? ""}${error.stderr ?? ""}` || String(error) }
  }
}

/** Ends a tool: its problems one a line and exit code 1, or one line that says what was found to be right. */
export const finish = (tool, problems, right) => {
  for (const problem of problems) console.error(problem)
  if (problems.length > 0) {
    console.error(`${tool}: ${problems.length} ${problems.length === 1 ? "problem" : "problems"}`)
    process.exitCode = 1
  } else {
    console.log(`${tool}: ${right}`)
  }
}

/** Whether this module is the program that was started, rather than one that is imported. */
export const isMain = (url) => process.argv[1] !== undefined && fileURLToPath(url) === resolve(process.argv[1])
