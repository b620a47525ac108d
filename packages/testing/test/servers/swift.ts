/**
 * OpenStack Swift with its S3 door, which checks every signature: five processes on loopback, on ports that nobody uses
 * and with a folder of their own, which do not outlive us.
 */
import * as ChildProcess from "node:child_process"
import * as Crypto from "node:crypto"
import * as Fs from "node:fs"
import * as Net from "node:net"
import * as Os from "node:os"
import * as Path from "node:path"
import type { Environment, Found, S3 } from "./found.js"
import { cache, onPath } from "./places.js"

const name = "S3 (Swift)"

const host = "127.0.0.1"

const stores = ["account", "container", "object"] as const

const programs = ["memcached", "swift-ring-builder", ...[...stores, "proxy"].map((store) => `swift-${store}-server`)]

/** Starts it where it is installed; how it is stopped is told before, in case that we end meanwhile. */
export const find = async (
  environment: Environment,
  stoppedBy: (stop: () => void) => void
): Promise<Found<S3>> => {
  const paths = new Map(programs.map((program) => [program, onPath(program, environment)]))
  const absent = programs.find((program) => paths.get(program) === undefined)
  if (absent !== undefined) {
    const packages = "Debian's packages are swift-proxy swift-account swift-container swift-object memcached"
    const otherwise = "or name a server in SPILLWAY_S3_ENDPOINT, SPILLWAY_S3_ACCESS_KEY and SPILLWAY_S3_SECRET_KEY"
    return { name, missing: `install OpenStack Swift (there is no ${absent}; ${packages}), ${otherwise}` }
  }
  const children: Array<ChildProcess.ChildProcess> = []
  // not among temporary files: where these are in memory, they may lack the attributes in which Swift keeps its own
  const folder = Path.join(cache(environment), `swift-${Crypto.randomUUID()}`)
  const stop = () => {
    for (const child of children) child.kill("SIGKILL")
    Fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  stoppedBy(stop)
  try {
    const url = await start((program) => paths.get(program)!, folder, children)
    const { swift }: any = await (await fetch(`${url}/info`)).json()
    const at = { url, accessKeyId: "test:tester", secretAccessKey: "testing", region: "us-east-1" }
    return { name, version: swift.version, how: `started at ${url}`, at }
  } catch (error) {
    stop()
    return { name, missing: `it could not be started: ${error instanceof Error ? error.message : String(error)}` }
  }
}

/** The address of the S3 door, when all of it listens. */
const start = async (
  pathOf: (program: string) => string,
  folder: string,
  children: Array<ChildProcess.ChildProcess>
): Promise<string> => {
  const file = (name: string) => Path.join(folder, name)
  /** Runs a program until it is killed; answers with the program if it ends before. */
  const run = (program: string, ...args: ReadonlyArray<string>): Promise<string> => {
    const log = Fs.openSync(file(`${program}.log`), "a")
    const child = ChildProcess.spawn(pathOf(program), args, { stdio: ["ignore", log, log] })
    Fs.closeSync(log)
    children.push(child)
    return new Promise((resolve) => child.on("error", () => resolve(program)).on("exit", () => resolve(program)))
  }

  const [door = 0, memory = 0, ...ports] = await freePorts(2 + stores.length)
  Fs.mkdirSync(file("devices/disk"), { recursive: true })
  Fs.writeFileSync(file("swift.conf"), general)
  Fs.writeFileSync(file("proxy.conf"), proxy(folder, door, memory))
  for (const [index, store] of stores.entries()) Fs.writeFileSync(file(`${store}.conf`), storeOf(folder, store, ports[index]!))
  await Promise.all(stores.map(async (store, index) => {
    for (const args of ringOf(ports[index]!)) {
      await new Promise<void>((resolve, reject) =>
        children.push(
          ChildProcess.execFile(pathOf("swift-ring-builder"), [file(`${store}.builder`), ...args], (error, stdout, stderr) =>
            error === null ? resolve() : reject(new Error(`swift-ring-builder: ${(stderr || stdout).trim()}`)))
        )
      )
    }
  }))
  // whoever runs it as root must say as whom else it is to run
  const user = Os.userInfo().uid === 0 ? ["-u", "nobody"] : []
  const ended = [
    run("memcached", ...user, "-l", host, "-p", String(memory), "-U", "0", "-m", "32"),
    ...[...stores, "proxy"].map((server) => run(`swift-${server}-server`, file(`${server}.conf`), "-v"))
  ]
  children.push(watch(folder, children))
  const first = await Promise.race([Promise.all([door, ...ports].map(listens)), ...ended])
  if (typeof first === "string") {
    throw new Error(`${first} ended: ${Fs.readFileSync(file(`${first}.log`), "utf8").trim().split("\n").at(-1)}`)
  }
  return `http://${host}:${door}`
}

/** Ends it where we have no time to, because we are killed: it hears that we are gone from its input, which ends then. */
const watch = (folder: string, children: ReadonlyArray<ChildProcess.ChildProcess>): ChildProcess.ChildProcess => {
  const running = children.flatMap(({ exitCode, pid }) => exitCode === null && pid !== undefined ? [String(pid)] : [])
  const script = "read -r nothing; kill -KILL \"$@\"; rm -rf \"$0\""
  // in a group of its own, since Ctrl-C would end it before us
  return ChildProcess.spawn("sh", ["-c", script, folder, ...running], { stdio: ["pipe", "ignore", "ignore"], detached: true })
}

// -----------------------------------------------------------------------------
// what it is told
// -----------------------------------------------------------------------------

const ini = (sections: { readonly [section: string]: { readonly [option: string]: string | number } }): string =>
  Object.entries(sections).map(([section, options]) =>
    [`[${section}]`, ...Object.entries(options).map(([option, value]) => `${option} = ${value}`), ""].join("\n")
  ).join("\n")

const general = ini({
  "swift-hash": { swift_hash_path_suffix: "spillway", swift_hash_path_prefix: "spillway" },
  "storage-policy:0": { name: "policy", default: "yes" }
})

const common = (folder: string, port: number) => ({
  bind_ip: host,
  bind_port: port,
  swift_dir: folder,
  user: Os.userInfo().username,
  // serves in the process that was started
  workers: 0,
  log_level: "WARNING"
})

const storeOf = (folder: string, store: string, port: number): string =>
  ini({
    DEFAULT: { ...common(folder, port), devices: Path.join(folder, "devices"), mount_check: "false", disable_fallocate: "true" },
    "pipeline:main": { pipeline: `healthcheck ${store}-server` },
    "filter:healthcheck": { use: "egg:swift#healthcheck" },
    [`app:${store}-server`]: { use: `egg:swift#${store}` }
  })

const proxy = (folder: string, port: number, memory: number): string => {
  const filters = {
    catch_errors: {},
    gatekeeper: {},
    healthcheck: {},
    cache: { use: "egg:swift#memcache", memcache_servers: `${host}:${memory}` },
    listing_formats: {},
    s3api: { location: "us-east-1", allow_multipart_uploads: "true", s3_acl: "false" },
    tempauth: { user_test_tester: "testing .admin" },
    copy: {},
    slo: {},
    dlo: {}
  }
  return ini({
    DEFAULT: common(folder, port),
    "pipeline:main": { pipeline: [...Object.keys(filters), "proxy-server"].join(" ") },
    ...Object.fromEntries(
      Object.entries(filters).map(([name, options]) => [`filter:${name}`, { use: `egg:swift#${name}`, ...options }])
    ),
    "app:proxy-server": { use: "egg:swift#proxy", allow_account_management: "true", account_autocreate: "true" }
  })
}

/** Where the only part of a store is: on the only disk. */
const ringOf = (port: number): ReadonlyArray<ReadonlyArray<string>> => {
  const place = { region: 1, zone: 1, ip: host, port, device: "disk", weight: 1 }
  return [
    ["create", "4", "1", "1"],
    ["add", ...Object.entries(place).flatMap(([option, value]) => [`--${option}`, String(value)])],
    ["rebalance"]
  ]
}

// -----------------------------------------------------------------------------
// where it listens
// -----------------------------------------------------------------------------

const freePorts = async (count: number): Promise<ReadonlyArray<number>> => {
  const servers = Array.from({ length: count }, () => Net.createServer())
  const ports = await Promise.all(servers.map((server) =>
    new Promise<number>((resolve, reject) =>
      server.on("error", reject).listen(0, host, () => resolve((server.address() as Net.AddressInfo).port))
    )
  ))
  for (const server of servers) server.close()
  return ports
}

const patience = 60_000

const listens = async (port: number): Promise<void> => {
  const end = Date.now() + patience
  const isWell = () => fetch(`http://${host}:${port}/healthcheck`).then(({ ok }) => ok, () => false)
  while (!(await isWell())) {
    if (Date.now() > end) throw new Error(`nothing listens at port ${port} after ${patience / 1000} seconds`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
