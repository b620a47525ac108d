/** llama.cpp's server, and the little models that it runs in tests. */
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { type Environment, type Found, type LlamaServer, variable } from "./found.js"
import { cache, isProgram, onPath, shared } from "./places.js"

const name = "llama-server"

/** The one that is named, else the one on the PATH, else the one that was installed into the cache. */
const command = (environment: Environment): string | undefined =>
  variable(environment, "SPILLWAY_LLAMA_SERVER") ??
    onPath(name, environment) ??
    [Path.join(cache(environment), "llama", name)].find(isProgram)

/** It is run once, to hear its version: one that is of another system, or lacks a library, is none. */
export const find = (environment: Environment): Promise<Found<LlamaServer>> => {
  const program = command(environment)
  const models = variable(environment, "SPILLWAY_MODELS") ?? shared("models")
  const missing = program === undefined
    ? "put llama-server on the PATH, or name it in SPILLWAY_LLAMA_SERVER (`bash .ci/servers.sh` may install it)"
    : !Fs.existsSync(Path.join(models, "scripted.gguf"))
    ? `name the folder of its models in SPILLWAY_MODELS (there is no scripted.gguf in ${models})`
    : undefined
  if (program === undefined || missing !== undefined) return Promise.resolve({ name, missing: missing! })
  return new Promise((resolve) =>
    ChildProcess.execFile(program, ["--version"], { timeout: 20_000 }, (error, stdout, stderr) => {
      const [, version = "unknown"] = /version: (\S+)/.exec(stdout + stderr) ?? []
      const [problem] = (error?.message ?? "").split("\n")
      resolve(
        error === null
          ? { name, version, how: `started by each test file (${program})`, at: { command: program, models } }
          : { name, missing: `${program} cannot be run: ${problem}` }
      )
    })
  )
}
