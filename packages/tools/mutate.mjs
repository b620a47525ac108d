/**
 * Shows that the tests can fail: plants the bugs that `mutations/` lists, one at a time, in a copy of the repository,
 * and runs the tests that must notice. A bug that no test notices is a problem, as is one that can be planted no more.
 *
 * `node packages/tools/mutate.mjs [WORD…]` plants all of them, or those whose module, property or name has one of the
 * words in it. A mutation is
 *
 *     { name, property?, file, find, replace, tests: [file…] }
 *
 * where `find` occurs in `file` exactly once.
 */
import { execFileSync, spawn } from "node:child_process"
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, dirname, join } from "node:path"
import { filesUnder, finish, isMain, root } from "./packages.mjs"

/** What may be planted, in the order of modules. */
export const mutations = async (base = root) => {
  const files = filesUnder("packages/tools/mutations", ".mjs", base)
  const lists = await Promise.all(files.map(async (file) => ({ module: basename(file, ".mjs"), list: (await import(join(base, file))).default })))
  return lists.flatMap(({ list, module }) => list.map((mutation) => ({ module, ...mutation })))
}

/** The file with the bug in it, or what is wrong with the mutation. */
export const plant = ({ find, replace }, text) => {
  const places = text.split(find).length - 1
  if (places !== 1) return { problem: `what it replaces occurs ${places} times, not once` }
  return find === replace ? { problem: "it changes nothing" } : { text: text.replace(find, () => replace) }
}

/** The repository as it stands, tracked or not, with the installed packages behind links and its own beside them. */
const copy = (base) => {
  const to = mkdtempSync(join(tmpdir(), "spillway-mutate-"))
  const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"], { cwd: base, encoding: "utf8" })
  for (const file of listed.split("\0").filter((file) => file !== "" && existsSync(join(base, file)))) {
    mkdirSync(join(to, dirname(file)), { recursive: true })
    cpSync(join(base, file), join(to, file))
  }
  mkdirSync(join(to, "node_modules"))
  for (const name of readdirSync(join(base, "node_modules")).filter((name) => name !== "@spillway" && name !== ".vite")) {
    symlinkSync(join(base, "node_modules", name), join(to, "node_modules", name))
  }
  cpSync(join(base, "node_modules/@spillway"), join(to, "node_modules/@spillway"), { recursive: true, verbatimSymlinks: true })
  return to
}

/** The longest that the tests of one bug may take, in milliseconds; who never ends has noticed, too. */
const patience = 300_000

/** What a test says that fails because the bug cannot be run, not because it does wrong. */
const isBroken = (message) => /^(ReferenceError|SyntaxError)|^TypeError: .* is not a (function|constructor)/m.test(message)

/**
 * What the report of a run says: the tests `passed`; one `noticed`, by what it asserts or since it had to wait too long;
 * or they are `broken`: a file could not be read, or a test met a name that is none, and nothing is known of the bug.
 */
export const verdict = (report) => {
  if (report === undefined) return "broken"
  const tests = report.testResults.flatMap(({ assertionResults }) => assertionResults)
  const messages = tests.filter(({ status }) => status === "failed").flatMap(({ failureMessages }) => failureMessages)
  if (messages.length > 0) return messages.some(isBroken) ? "broken" : "noticed"
  const isUnread = report.testResults.some(({ assertionResults, status }) => status === "failed" && assertionResults.length === 0)
  return isUnread || report.numPassedTests === 0 ? "broken" : "passed"
}

/** Runs tests in a process group of its own, so that those that never end are ended with all that they have started. */
const run = (at, args) =>
  new Promise((resolve) => {
    const vitest = spawn(join(at, "node_modules/.bin/vitest"), args, { cwd: at, stdio: "ignore", detached: true })
    const end = () => {
      try {
        process.kill(-vitest.pid, "SIGKILL")
      } catch {
        // it has ended already
      }
    }
    const timer = setTimeout(() => {
      end()
      resolve("endless")
    }, patience)
    process.once("exit", end)
    vitest.on("exit", () => {
      clearTimeout(timer)
      process.off("exit", end)
      resolve("ended")
    })
  })

const test = async (at, files) => {
  const report = join(at, "mutate-report.json")
  rmSync(report, { force: true })
  const outcome = await run(at, ["run", "--bail=1", "--reporter=json", `--outputFile=${report}`, ...files])
  if (outcome === "endless") return "noticed"
  return verdict(existsSync(report) ? JSON.parse(readFileSync(report, "utf8")) : undefined)
}

if (isMain(import.meta.url)) {
  const words = process.argv.slice(2).map((word) => word.toLowerCase())
  const isAsked = ({ module, name, property = "" }) =>
    words.length === 0 || words.some((word) => `${module} ${property} ${name}`.toLowerCase().includes(word))
  const chosen = (await mutations()).filter(isAsked)
  const problems = chosen.length === 0 ? ["there is no such mutation"] : []
  const at = copy(root)
  process.on("SIGINT", () => process.exit(130))
  process.on("exit", () => rmSync(at, { recursive: true, force: true }))

  const sound = new Map()
  const isSound = async (tests) => {
    const key = tests.join(" ")
    if (!sound.has(key)) {
      sound.set(key, (await test(at, tests)) === "passed")
    }
    return sound.get(key)
  }

  for (const mutation of chosen) {
    const title = `${mutation.module}${mutation.property === undefined ? "" : ` ${mutation.property}`}: ${mutation.name}`
    const file = join(at, mutation.file)
    const original = existsSync(file) ? readFileSync(file, "utf8") : ""
    const { problem, text } = plant(mutation, original)
    if (problem !== undefined) {
      problems.push(`${title}: ${problem} (${mutation.file})`)
      continue
    }
    if (!(await isSound(mutation.tests))) {
      problems.push(`${title}: its tests do not pass without it (${mutation.tests.join(", ")})`)
      continue
    }
    writeFileSync(file, text)
    const found = await test(at, mutation.tests)
    writeFileSync(file, original)
    if (found === "noticed") console.log(`✓ ${title}`)
    else problems.push(`${title}: ${found === "passed" ? "no test noticed" : "the tests could not be run with it"}`)
  }
  finish("mutate", problems, `${chosen.length} planted bugs, each noticed`)
}
