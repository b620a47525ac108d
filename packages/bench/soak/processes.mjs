/**
 * The command `spillway` as it is built, in processes of their own: what is watched is what people run.
 */
import { spawn } from "node:child_process"
import { readFileSync, readdirSync, writeFileSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const spillway = fileURLToPath(new URL("../../cli/dist/main.js", import.meta.url))

/**
 * Starts the command and waits until it listens. `flags` are Node's; `onLog` is given each line of its standard error.
 *
 * @param {ReadonlyArray<string>} words
 * @param {{ environment?: Record<string, string>, flags?: ReadonlyArray<string>, onLog?: (line: string) => void }} [options]
 */
const start = async (words, { environment = {}, flags = [], onLog = () => {} } = {}) => {
  const child = spawn(process.execPath, [...flags, spillway, ...words], {
    env: { PATH: process.env["PATH"], NO_COLOR: "1", ...environment },
    stdio: ["ignore", "pipe", "pipe"]
  })
  /** @type {Promise<number | string>} */
  const ended = new Promise((resolve) => child.once("close", (code, signal) => resolve(code ?? signal ?? "")))
  let stdout = ""
  let rest = ""
  let last = ""
  child.stderr.setEncoding("utf8").on("data", (text) => {
    const lines = (rest + text).split("\n")
    rest = lines.pop() ?? ""
    last = lines.at(-1) ?? last
    lines.forEach(onLog)
  })
  const url = await new Promise((resolve, reject) => {
    child.stdout.setEncoding("utf8").on("data", (text) => {
      stdout += text
      const found = /listens on (http:\S+[0-9])/.exec(stdout)
      if (found !== null) resolve(found[1])
    })
    ended.then((code) => reject(new Error(`spillway ${words[0]} ended with ${code}: ${rest || last}`)))
  })
  const pid = child.pid ?? 0
  return {
    url,
    output: () => stdout,
    ended,
    stop: () => (child.kill("SIGTERM"), ended),
    /** What was left of the heap by each full collection so far, in MiB; with `--trace-gc`. */
    heaps: () => [...stdout.matchAll(/Mark-Compact.*? -> ([0-9.]+) \(/g)].map(([, size]) => Number(size)),
    /** What it holds of memory, in MiB. */
    rss: () => Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]) * 4096 / 1024 ** 2,
    descriptors: () => readdirSync(`/proc/${pid}/fd`).length
  }
}

/**
 * @typedef {Awaited<ReturnType<typeof start>>} Running
 */

/**
 * A gateway before a simulator of OpenAI.
 *
 * @param {{ simulator: ReadonlyArray<string>, policies: object, flags?: ReadonlyArray<string>, onLog?: (line: string) => void }} setup
 */
export const house = async ({ policies, simulator, ...options }) => {
  const provider = await start(["simulate", "--port", "0", ...simulator])
  const variables = Object.fromEntries(
    [...provider.output().matchAll(/^export (OPENAI_\w+)=(\S+)$/gm)].map(([, name = "", value = ""]) => [name, value])
  )
  const { OPENAI_BASE_URL: address, ...keys } = variables
  const folder = await mkdtemp(join(tmpdir(), "spillway-soak-"))
  const file = join(folder, "spillway.json")
  writeFileSync(
    file,
    JSON.stringify({
      backends: { openai: { address, keys: Object.keys(keys).map((name) => `\${${name}}`), policies } }
    })
  )
  const served = await start(["serve", "--port", "0", "--config", file], {
    environment: keys,
    ...options
  })
  return {
    provider,
    gateway: served,
    close: async () => {
      const codes = [await served.stop(), await provider.stop()]
      await rm(folder, { recursive: true })
      return codes
    }
  }
}
