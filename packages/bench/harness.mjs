/**
 * What scenarios have in common: servers in processes of their own, contenders in processes of their own, and how
 * figures are summed up and shown.
 */
import { fork } from "node:child_process"
import { fileURLToPath } from "node:url"

/**
 * What takes part in a scenario.
 *
 * @typedef {object} Contender
 * @property {(options?: { priority?: "high" | "normal" | "low" | number }) => Promise<string>} chat
 * @property {(onDelta: (text: string) => void) => Promise<void>} stream
 * @property {(texts: ReadonlyArray<string>) => Promise<ReadonlyArray<ReadonlyArray<number>>>} embed
 * @property {() => Promise<void>} close
 */

/**
 * What a contender is made of.
 *
 * @typedef {object} Setup
 * @property {string} baseURL
 * @property {ReadonlyArray<string>} keys
 * @property {string} [model]
 * @property {"bare" | "resilient"} [profile]
 * @property {number} [concurrency]
 * @property {number} [retries]
 */

/** @param {string} path */
const here = (path) => fileURLToPath(new URL(path, import.meta.url))

/**
 * Runs a module in a process of its own, which says one thing when it is ready, and one more each time it is asked.
 *
 * @param {string} path from this folder
 * @param {object} [options] handed to it as JSON
 */
export const start = async (path, options = {}) => {
  const child = fork(here(path), [JSON.stringify(options)], { stdio: ["ignore", "inherit", "inherit", "ipc"] })
  const next = () =>
    new Promise((resolve, reject) => {
      const onExit = (/** @type {number | null} */ code) => reject(new Error(`${path} ended early (exit code ${code})`))
      child.once("exit", onExit)
      child.once("message", (message) => {
        child.off("exit", onExit)
        resolve(message)
      })
    })
  const ready = await next()
  return {
    ready,
    /** @param {object} question */
    ask: (question) => {
      child.send(question)
      return next()
    },
    stop: () =>
      new Promise((resolve) => {
        child.once("exit", () => resolve(undefined))
        child.kill("SIGTERM")
      })
  }
}

/**
 * The other side of `start`.
 *
 * @param {unknown} ready
 * @param {(question: any) => unknown} answer
 */
export const serve = (ready, answer) => {
  process.on("message", async (question) => process.send?.((await answer(question)) ?? {}))
  process.on("SIGTERM", () => process.exit(0))
  process.on("disconnect", () => process.exit(0))
  process.send?.(ready)
}

/** What a process was started with. */
export const settings = () => JSON.parse(process.argv[2] ?? "{}")

/**
 * The value below which a share of the sorted values lies.
 *
 * @param {ReadonlyArray<number>} values
 * @param {number} share
 */
export const quantile = (values, share) => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

/** @param {ReadonlyArray<number>} values */
export const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length

/**
 * Figures with what they should be, one a line.
 *
 * @param {ReadonlyArray<{ what: string, value: number, unit?: string, atLeast?: number, atMost?: number }>} figures
 */
export const show = (figures) => {
  for (const { atLeast, atMost, unit = "", value, what } of figures) {
    const goal = atLeast !== undefined ? `at least ${atLeast}` : atMost !== undefined ? `at most ${atMost}` : ""
    const mark = goal === "" ? " " : isMet({ value, atLeast, atMost }) ? "✓" : "✗"
    console.log(`${mark} ${what.padEnd(44)} ${`${round(value)} ${unit}`.padEnd(14)} ${goal}`)
  }
}

/** @param {{ value: number, atLeast?: number | undefined, atMost?: number | undefined }} figure */
export const isMet = ({ atLeast = -Infinity, atMost = Infinity, value }) => value >= atLeast && value <= atMost

/** @param {number} value */
const round = (value) => (Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(3))
