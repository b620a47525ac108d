/**
 * What may come into the project from outside, and how: each dependency at one version, with the digest of its archive in
 * the lockfile, running nothing when it is installed; and what programs that use Spillway get with it only by name.
 */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { filesUnder, finish, isMain, root } from "./packages.mjs"

/** What the published packages bring along. Who adds to this says in the commit why that one. */
export const direct = new Set([
  "@effect/cli",
  "@effect/cluster",
  "@effect/experimental",
  "@effect/opentelemetry",
  "@effect/platform-node",
  "@effect/printer",
  "@effect/printer-ansi",
  "@effect/rpc",
  "@effect/sql",
  "@effect/typeclass",
  "@effect/workflow",
  "@noble/hashes",
  "@pydantic/genai-prices",
  "eventsource-parser",
  "tokenx",
  "undici",
  "yaml"
])

const exact = /^\d+\.\d+\.\d+(?:-[\w.]+)?$/
const hooks = ["preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare", "postprepare"]

/** What is wrong with a package's manifest. */
export const manifest = (file, { dependencies = {}, devDependencies = {}, optionalDependencies = {}, private: isPrivate = false, scripts = {} }) => [
  ...Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })
    .filter(([, version]) => !exact.test(version))
    .map(([name, version]) => `${file}: ${name} is not at one version: ${version}`),
  ...hooks.filter((hook) => hook in scripts).map((hook) => `${file}: ${hook} would run where it is installed`),
  ...(isPrivate
    ? []
    : Object.keys({ ...dependencies, ...optionalDependencies })
      .filter((name) => !name.startsWith("@spillway/") && !direct.has(name))
      .map((name) => `${file}: ${name} would come to everybody: add it to packages/tools/supply.mjs if it must`))
]

/** What is wrong with the lockfile. */
export const lockfile = ({ lockfileVersion, packages }) => [
  ...(lockfileVersion === 3 ? [] : [`package-lock.json: its version is ${lockfileVersion}, and not 3`]),
  ...Object.entries(packages)
    .filter(([path, { inBundle, integrity, link }]) =>
      path.includes("node_modules/") && link !== true && inBundle !== true && !integrity?.startsWith("sha512-"))
    .map(([path]) => `package-lock.json: ${path} has no digest`)
]

if (isMain(import.meta.url)) {
  const read = (file) => readFileSync(join(root, file), "utf8")
  const json = (file) => JSON.parse(read(file))
  const manifests = ["package.json", ...filesUnder("packages", "package.json").filter((file) => /^packages\/\w+\/package\.json$/.test(file))]
  const lock = json("package-lock.json")
  const problems = [
    ...manifests.flatMap((file) => manifest(file, json(file))),
    ...lockfile(lock),
    ...(/^ignore-scripts=true$/m.test(read(".npmrc")) ? [] : [".npmrc: ignore-scripts=true is missing: dependencies could run code when installed"])
  ]
  finish("supply", problems, `${direct.size} dependencies by name, ${Object.keys(lock.packages).length} entries with their digests, none of which runs when installed`)
}
