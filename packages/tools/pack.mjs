/**
 * Packs every published package and judges the tarballs, since they are what people get: publint and attw have no
 * complaint, nothing is inside that should not be, and every module can be imported from the build alone.
 */
import { execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { finish, modules, needsOptionalPeer, published, root, run } from "./packages.mjs"

const allowed = /^(package\.json|README\.md|LICENSE|spillway\.schema\.json|CHANGELOG\.md|src\/[\w/]+\.ts|dist\/[\w/]+\.(js|d\.ts)(\.map)?)$/
const required = ["package.json", "README.md", "LICENSE"]

const sh = (program, args, cwd = root) => {
  try {
    return { ok: true, output: execFileSync(program, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }) }
  } catch (error) {
    return { ok: false, output: `${error.stdout ?? ""}${error.stderr ?? ""}` }
  }
}

/** One problem for a step that failed, none for one that passed. */
const step = (name, { ok, output }) => (ok ? [] : [`${name}:\n${output.trim()}`])

const judge = (name, directory) => {
  const packed = sh("npm", ["pack", "--json", "--ignore-scripts", "--workspace", `@spillway/${name}`, "--pack-destination", directory])
  if (!packed.ok) return step(`${name}: npm pack`, packed)
  const [{ filename, files }] = JSON.parse(packed.output)
  const tarball = join(directory, basename(filename.replace("@spillway/", "spillway-")))
  const paths = files.map(({ path }) => path)
  const stale = paths.filter((path) => path.endsWith(".js") && !paths.includes(path.replace(/^dist\/(.*)\.js$/, "src/$1.ts")))
  const unpacked = join(directory, "node_modules/@spillway", name)
  mkdirSync(unpacked, { recursive: true })
  sh("tar", ["-xzf", tarball, "-C", unpacked, "--strip-components=1"])
  // the command line has nothing to import, so there are no types to judge
  const attw = name === "cli" ? [] : step(`${name}: attw`, run("attw", [tarball, "--profile", "esm-only", "--no-emoji", "--no-color"]))
  return [
    ...paths.filter((path) => !allowed.test(path)).map((path) => `${name}: ${path} does not belong into the package`),
    ...required.filter((path) => !paths.includes(path)).map((path) => `${name}: ${path} is missing in the package`),
    ...stale.map((path) => `${name}: ${path} has no source any more: delete packages/${name}/dist`),
    ...(paths.includes("LICENSE") && readFileSync(join(unpacked, "LICENSE"), "utf8") !== readFileSync(join(root, "LICENSE"), "utf8")
      ? [`${name}: LICENSE is not the LICENSE of the root`]
      : []),
    ...step(`${name}: publint`, run("publint", ["run", tarball, "--strict"])),
    ...attw
  ]
}

/** Imports every module and barrel the way a consumer does, and checks their types: from the tarballs, without our sources. */
const importAll = (directory) => {
  for (const name of readdirSync(join(root, "node_modules"))) {
    if (name !== "@spillway" && !name.startsWith(".")) symlinkSync(join(root, "node_modules", name), join(directory, "node_modules", name))
  }
  const libraries = published.filter((name) => name !== "cli")
  const specifiers = (wanted) =>
    libraries.flatMap((name) => [
      `@spillway/${name}`,
      ...modules(name).filter((file) => wanted(name, file)).map((file) => `@spillway/${name}/${file.replace(/^packages\/\w+\/src\/|\.ts$/g, "")}`)
    ])
  // what needs vitest is imported by its own tests only
  const runnable = specifiers((name, file) => !needsOptionalPeer(name, file))
  const program = join(directory, "import-all.mjs")
  const load = (specifier) => `await import("${specifier}").catch((error) => { console.error("${specifier}:", error.message); process.exitCode = 1 })`
  writeFileSync(program, runnable.map(load).join("\n"))
  // the published types, read strictly; what effect's own say is not ours to judge
  const types = join(directory, "import-all.mts")
  writeFileSync(types, specifiers(() => true).map((specifier, i) => `export type * as M${i} from "${specifier}"`).join("\n"))
  const options = "--noEmit --strict --exactOptionalPropertyTypes --module nodenext --target es2022 --skipLibCheck false --types node"
  const { output } = run("tsc", [...options.split(" "), types], directory)
  const complaints = output.split("\n").filter((line) => /@spillway|import-all/.test(line))
  return {
    count: runnable.length,
    problems: [
      ...step("import", sh(process.execPath, [program], directory)),
      ...step("types", { ok: complaints.length === 0, output: complaints.join("\n") })
    ]
  }
}

const built = run("tsc", ["-b"])
const directory = mkdtempSync(join(tmpdir(), "spillway-pack-"))
try {
  const judged = published.flatMap((name) => judge(name, directory))
  const { count, problems } = importAll(directory)
  finish("pack", [...step("build", built), ...judged, ...problems], `${published.length} packages packed, ${count} modules imported from them`)
} finally {
  rmSync(directory, { recursive: true, force: true })
}
