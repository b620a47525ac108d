/** Chromium, in which the dashboard is tried as an operator would. */
import * as ChildProcess from "node:child_process"
import { type Environment, type Found, variable } from "./found.js"
import { onPath } from "./places.js"

const name = "Chromium"
const programs = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"]

/** The one that is named, else the one on the PATH. It is run once, to hear its version: one that cannot be run is none. */
export const find = (environment: Environment): Promise<Found<string>> => {
  const program = variable(environment, "CHROMIUM") ??
    programs.map((program) => onPath(program, environment)).find((path) => path !== undefined)
  if (program === undefined) {
    return Promise.resolve({
      name,
      missing: "put chromium on the PATH, or name it in CHROMIUM (`bash .ci/servers.sh` may install it)"
    })
  }
  return new Promise((resolve) =>
    ChildProcess.execFile(program, ["--version"], { timeout: 20_000 }, (error, stdout) => {
      const [problem] = (error?.message ?? "").split("\n")
      const [version = "unknown"] = /\d+(?:\.\d+)+/.exec(stdout) ?? []
      resolve(
        error === null
          ? { name, version, how: `started by each test file (${program})`, at: program }
          : { name, missing: `${program} cannot be run: ${problem}` }
      )
    })
  )
}
