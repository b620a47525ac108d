/**
 * `npm start`: says what to run where dependencies are missing, builds what is behind its sources, and becomes the
 * gateway (`spillway serve`) in this same process, so that signals reach it and its exit code is ours.
 * Needs nothing but Node.
 */
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, utimesSync, writeFileSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"

/** What keeps the program from starting, as the one line to print; undefined where nothing does. */
export const missing = (root, node = process.versions.node) => {
  const [major, minor] = node.split(".").map(Number)
  if (major < 20 || (major === 20 && minor < 19)) return `Node 20.19 or newer is needed, this is ${node}`
  const read = (file) => (existsSync(join(root, file)) ? JSON.parse(readFileSync(join(root, file), "utf8")).packages : undefined)
  const installed = read("node_modules/.package-lock.json")
  if (installed === undefined) return "the dependencies are not installed: run `npm ci`"
  // optional packages are those of other platforms; they may be absent
  const behind = Object.entries(read("package-lock.json")).some(([path, wanted]) => {
    if (!path.includes("node_modules/")) return false
    const found = installed[path]
    return found === undefined ? wanted.optional !== true : found.version !== wanted.version
  })
  return behind ? "the dependencies are not those of package-lock.json: run `npm ci`" : undefined
}

/** When the youngest of the files was written; a file that is not there is as old as can be. */
const youngest = (files) => Math.max(0, ...files.map((file) => (existsSync(file) ? statSync(file).mtimeMs : 0)))

/** Whether a source is younger than the last build that went well, or a package was never built. */
export const isBehind = (root, stamp) => {
  const packages = readdirSync(join(root, "packages"))
    .map((name) => join(root, "packages", name))
    .filter((path) => existsSync(join(path, "tsconfig.build.json")))
  if (packages.some((path) => !existsSync(join(path, "dist/build.tsbuildinfo")))) return true
  const files = packages.flatMap((path) => [
    join(path, "package.json"),
    join(path, "tsconfig.build.json"),
    ...readdirSync(join(path, "src"), { recursive: true }).filter((file) => file.endsWith(".ts")).map((file) => join(path, "src", file))
  ])
  return youngest([join(root, "tsconfig.base.json"), join(root, "package-lock.json"), ...files]) > youngest([stamp])
}

/** Builds what is behind; answers whether the build is good. */
const build = (root) => {
  const stamp = join(root, "node_modules/.cache/spillway-built")
  if (!isBehind(root, stamp)) return true
  console.error("building …")
  const began = new Date()
  const { status } = spawnSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-b"], { cwd: root, stdio: ["ignore", 2, 2] })
  if (status !== 0) return false
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, "")
  utimesSync(stamp, began, began)
  return true
}

/**
 * One Ctrl-C at a terminal arrives twice, from the terminal and from npm, and the gateway listens to the first only:
 * without a listener the second would end the process while it drains. A later one is meant: it ends at once.
 * (The script says `exec node`, since a shell between npm and us would die of the signal and hide our exit code.)
 */
const outliveTheEcho = () => {
  let first
  const onSignal = () => {
    first ??= Date.now()
    if (Date.now() - first > 1000) process.exit(130)
  }
  process.on("SIGINT", onSignal)
  process.on("SIGTERM", onSignal)
}

const main = async () => {
  const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..")
  const obstacle = missing(root)
  if (obstacle !== undefined) {
    console.error(`spillway: ${obstacle}`)
    process.exit(1)
  }
  if (!build(root)) {
    console.error("spillway: the build failed")
    process.exit(1)
  }
  const cli = join(root, "packages/cli/dist/main.js")
  process.argv = [process.argv[0], cli, "serve", ...process.argv.slice(2)]
  outliveTheEcho()
  await import(pathToFileURL(cli).href)
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) await main()
