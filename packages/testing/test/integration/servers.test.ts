/** What is found of real servers, and what is said where there is none. */
import * as Fs from "node:fs"
import * as Http from "node:http"
import type * as Net from "node:net"
import * as Os from "node:os"
import * as Path from "node:path"
import { assert, describe, it, onTestFinished } from "vitest"
import * as Chromium from "../servers/chromium.js"
import * as Llama from "../servers/llama.js"
import * as Own from "../servers/own.js"
import * as Swift from "../servers/swift.js"

/** A folder with programs in it, each a few lines of shell. */
const folderOf = (programs: Readonly<Record<string, string>>): string => {
  const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "spillway-servers-"))
  onTestFinished(() => Fs.rmSync(folder, { recursive: true, force: true }))
  for (const [name, script] of Object.entries(programs)) {
    Fs.writeFileSync(Path.join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  }
  return folder
}

/** The address of a server that answers with this, whatever it is asked. */
const serving = async (status: number, body: string, asked: Array<string> = []): Promise<string> => {
  const server = Http.createServer((request, response) => {
    asked.push(request.url!)
    response.writeHead(status, { server: "Some/1" }).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as Net.AddressInfo).port}`
}

describe("a server that somebody runs", () => {
  it("is used when it answers, whatever it says of itself", async () => {
    const asked: Array<string> = []
    const url = await serving(200, `{"version":"0.11.2"}`, asked)
    assert.deepStrictEqual(await Own.vllm({ VLLM_BASE_URL: `${url}/v1/` }), {
      name: "vLLM",
      version: "0.11.2",
      how: `at ${url}`,
      at: url
    })
    assert.deepStrictEqual(asked, ["/version"])
    const silent = await serving(401, "who are you?")
    assert.deepInclude(await Own.tei({ TEI_BASE_URL: silent }), { version: "unknown", at: silent })
  })

  it("is found in any of the forms in which Ollama's own host is said", async () => {
    const url = await serving(200, `{"version":"0.33.0"}`)
    assert.deepInclude(await Own.ollama({ OLLAMA_HOST: url.replace("http://", "") }), { version: "0.33.0", at: url })
  })

  it("is missing where no variable names it, or nobody answers, and that is said", async () => {
    assert.deepStrictEqual(await Own.tgi({ TGI_BASE_URL: "" }), {
      name: "TGI",
      missing: "set TGI_BASE_URL to the address of one"
    })
    for (const address of ["http://127.0.0.1:9", "no address"]) {
      assert.deepStrictEqual(await Own.ovms({ OVMS_BASE_URL: address }), {
        name: "OVMS",
        missing: `OVMS_BASE_URL says ${address}, where nobody answers`
      })
    }
  })

  it("stores objects where its address and both its keys are named", async () => {
    const url = await serving(403, "")
    const named = { SPILLWAY_S3_ENDPOINT: url, SPILLWAY_S3_ACCESS_KEY: "a", SPILLWAY_S3_SECRET_KEY: "b" }
    assert.deepStrictEqual(await Own.s3(named), {
      name: "S3",
      version: "Some/1",
      how: `at ${url}`,
      at: { url, accessKeyId: "a", secretAccessKey: "b", region: "us-east-1" }
    })
    assert.match((await Own.s3({ ...named, SPILLWAY_S3_SECRET_KEY: "" }) as any).missing, /set .*SPILLWAY_S3_SECRET_KEY/)
    assert.isUndefined(await Own.s3({}))
  })
})

describe("llama-server", () => {
  const models = (): string => folderOf({ "scripted.gguf": "" })

  it("is the one that is named, else on the PATH, else in the cache", async () => {
    const [named, onPath, cache] = [folderOf({ "any-name": "echo version: 1" }), folderOf({ "llama-server": "echo version: 2 >&2" }), folderOf({})]
    Fs.mkdirSync(Path.join(cache, "llama"))
    Fs.writeFileSync(Path.join(cache, "llama/llama-server"), "#!/bin/sh\necho 'version: 3 (build 4)'", { mode: 0o755 })
    const environment = {
      SPILLWAY_MODELS: models(),
      SPILLWAY_LLAMA_SERVER: Path.join(named, "any-name"),
      PATH: `/nowhere${Path.delimiter}${onPath}`,
      SPILLWAY_CACHE: cache
    }
    assert.deepInclude(await Llama.find(environment), { version: "1" })
    assert.deepInclude(await Llama.find({ ...environment, SPILLWAY_LLAMA_SERVER: "" }), { version: "2" })
    assert.deepInclude(await Llama.find({ ...environment, SPILLWAY_LLAMA_SERVER: "", PATH: "" }), {
      version: "3",
      at: { command: Path.join(cache, "llama/llama-server"), models: environment.SPILLWAY_MODELS }
    })
  })

  it("is missing where there is none, or it cannot be run, or it has no models, and that is said", async () => {
    const folder = folderOf({ "llama-server": "exit 3" })
    const said = async (environment: Readonly<Record<string, string>>) =>
      (await Llama.find({ SPILLWAY_CACHE: folder, SPILLWAY_MODELS: models(), PATH: folder, ...environment }) as any).missing
    assert.match(await said({ PATH: "" }), /put llama-server on the PATH, or name it in SPILLWAY_LLAMA_SERVER/)
    assert.match(await said({}), /llama-server cannot be run/)
    assert.match(await said({ SPILLWAY_LLAMA_SERVER: "/nowhere/at/all" }), /\/nowhere\/at\/all cannot be run/)
    assert.match(await said({ SPILLWAY_MODELS: folder }), /in SPILLWAY_MODELS \(there is no scripted.gguf in/)
  })
})

describe("Chromium", () => {
  it("is the one that is named, else the one on the PATH, by any of its names", async () => {
    const folder = folderOf({ "any-name": "echo Chromium 1.2.3.4 built on Debian", "chromium-browser": "echo Chromium 5.6" })
    const named = Path.join(folder, "any-name")
    assert.deepInclude(await Chromium.find({ CHROMIUM: named, PATH: folder }), { version: "1.2.3.4", at: named })
    assert.deepInclude(await Chromium.find({ CHROMIUM: "", PATH: folder }), { version: "5.6" })
  })

  it("is missing where there is none, or it cannot be run, and that is said", async () => {
    const folder = folderOf({ chromium: "exit 3" })
    const said = async (environment: Readonly<Record<string, string>>) => (await Chromium.find(environment) as any).missing
    assert.match(await said({ PATH: "" }), /put chromium on the PATH, or name it in CHROMIUM/)
    assert.match(await said({ PATH: folder }), /chromium cannot be run/)
  })
})

describe("Swift", () => {
  it("is missing where a part of it is not installed, and that is said", async () => {
    const folder = folderOf({ memcached: "", "swift-ring-builder": "" })
    assert.match(
      (await Swift.find({ PATH: folder, SPILLWAY_CACHE: folder }, () => {}) as any).missing,
      /install OpenStack Swift \(there is no swift-account-server.*or name a server in SPILLWAY_S3_ENDPOINT/
    )
  })

  it("is missing where it does not start, which it says, and leaves nothing behind", async () => {
    const waiting = "echo $$ >> \"$(dirname \"$0\")/running\"; exec sleep 60"
    const folder = folderOf({
      memcached: waiting,
      "swift-ring-builder": "",
      "swift-account-server": waiting,
      "swift-container-server": waiting,
      "swift-object-server": waiting,
      "swift-proxy-server": "sleep 0.3; echo there is no ring >&2; exit 1"
    })
    const cache = folderOf({})
    assert.deepStrictEqual(await Swift.find({ PATH: folder, SPILLWAY_CACHE: cache }, () => {}), {
      name: "S3 (Swift)",
      missing: "it could not be started: swift-proxy-server ended: there is no ring"
    })
    assert.deepStrictEqual(Fs.readdirSync(cache), [])
    const running = Fs.readFileSync(Path.join(folder, "running"), "utf8").trim().split("\n").map(Number)
    assert.strictEqual(running.length, 4)
    const isRunning = (pid: number) => {
      try {
        return process.kill(pid, 0)
      } catch {
        return false
      }
    }
    while (running.some(isRunning)) await new Promise((resolve) => setTimeout(resolve, 5))
  })
})
