/**
 * The built command line as a process, in an environment that holds what a test says and nothing else.
 */
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Url from "node:url"
import { afterEach } from "vitest"

const main = Url.fileURLToPath(new URL("../../dist/main.js", import.meta.url))

/** Why the tests cannot run here, if they cannot. */
export const missing = Fs.existsSync(main) ? undefined : "packages/cli/dist is not there: run `npm run build` first"

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  readonly process: ChildProcess.ChildProcess
  readonly output: () => { readonly stdout: string; readonly stderr: string }
  /** The address that the process says it listens on. */
  readonly url: Promise<string>
  readonly ended: Promise<Ended>
}

export const start = (args: ReadonlyArray<string>, environment: Record<string, string> = {}): Running => {
  const child = ChildProcess.spawn(process.execPath, [main, ...args], {
    env: { PATH: process.env["PATH"], NO_COLOR: "1", ...environment },
    stdio: ["pipe", "pipe", "pipe"]
  })
  let stdout = ""
  let stderr = ""
  let listening: (url: string) => void
  let failed: (error: Error) => void
  const url = new Promise<string>((resolve, reject) => {
    listening = resolve
    failed = reject
  })
  // a command that is expected to fail has no address, and nobody who asks for it
  url.catch(() => {})
  child.stdout.setEncoding("utf8").on("data", (text) => {
    stdout += text
    const found = /listens on (http:\S+[0-9])/.exec(stdout)
    if (found !== null) listening(found[1]!)
  })
  child.stderr.setEncoding("utf8").on("data", (text) => stderr += text)
  const ended = new Promise<Ended>((resolve) =>
    child.on("close", (code) => {
      failed(new Error(`the process ended with ${code}: ${stderr}`))
      resolve({ code, stdout, stderr })
    })
  )
  return { process: child, output: () => ({ stdout, stderr }), url, ended }
}

/** The same; what a test of this file has begun, and left running, is killed after it. */
export const startForTest = (): typeof start => {
  const running = new Set<Running>()
  afterEach(async () => {
    for (const { process } of running) process.kill("SIGKILL")
    await Promise.all([...running].map(({ ended }) => ended))
  })
  return (...args) => {
    const started = start(...args)
    running.add(started)
    void started.ended.then(() => running.delete(started))
    return started
  }
}

export const run = (
  args: ReadonlyArray<string>,
  environment: Record<string, string> = {},
  input = ""
): Promise<Ended> => {
  const running = start(args, environment)
  running.process.stdin!.end(input)
  return running.ended
}
