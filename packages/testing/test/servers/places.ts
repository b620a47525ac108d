/** Where programs may be that nobody has named. */
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Url from "node:url"
import { type Environment, variable } from "./found.js"

/** Whether a file is there that may be run. */
export const isProgram = (path: string): boolean => {
  try {
    Fs.accessSync(path, Fs.constants.X_OK)
    return Fs.statSync(path).isFile()
  } catch {
    return false
  }
}

/** The program of that name on the PATH. */
export const onPath = (name: string, environment: Environment): string | undefined =>
  (environment["PATH"] ?? "").split(Path.delimiter).filter((folder) => folder !== "")
    .map((folder) => Path.join(folder, name))
    .find(isProgram)

/** Where `.ci/servers.sh` puts what it has installed, outside the repository. */
export const cache = (environment: Environment): string =>
  variable(environment, "SPILLWAY_CACHE") ??
    Path.join(variable(environment, "XDG_CACHE_HOME") ?? Path.join(Os.homedir(), ".cache"), "spillway")

/** What may lie beside the repository. */
export const shared = (name: string): string => Url.fileURLToPath(new URL(`../../../../../shared/${name}`, import.meta.url))
