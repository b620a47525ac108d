import * as Catalogue from "@spillway/providers/Catalogue"
import * as Fs from "node:fs/promises"
import * as Http from "node:http"
import * as Net from "node:net"
import * as Os from "node:os"
import * as Path from "node:path"
import { describe, expect, it } from "vitest"
import * as Spillway from "./spillway.js"

const start = Spillway.startForTest()

const chat = (url: string, body: object, headers: Record<string, string> = {}) =>
  fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ messages: [{ role: "user", content: "Hello!" }], ...body })
  })

const lines = (text: string) => text.trimEnd().split("\n")

describe.skipIf(Spillway.missing !== undefined)(`spillway${Spillway.missing ? ` (skipped: ${Spillway.missing})` : ""}`, () => {
  it("lists the models of the simulator when there is no key, and says that it stands in", async () => {
    const { code, stderr, stdout } = await Spillway.run(["models"])
    expect(code).toBe(0)
    expect(lines(stdout)).toContain("openai/gpt-4o-mini")
    expect(lines(stdout)).toContain("ollama/llama3.2:latest")
    expect(stderr).toMatch(/^No key or address of a provider .*simulator/)
  })

  it("streams an answer to what it reads from standard input, and nothing else to standard output", async () => {
    const { code, stdout } = await Spillway.run(["chat", "-m", "anthropic/sim-chat"], {}, "a riddle\n")
    expect(code).toBe(0)
    expect(stdout).toMatch(/^You said: “a riddle/)
    expect(stdout).toMatch(/\n$/)
  })

  it("helps a stranger", async () => {
    const { code, stdout } = await Spillway.run(["--help"])
    expect(code).toBe(0)
    for (const command of ["serve", "chat", "models", "simulate"]) expect(stdout).toContain(`- ${command}`)
  })

  it("leads a second process from the simulator's variables to the simulator", async () => {
    const simulator = start(["simulate", "--port", "0", "--keys", "2", "--requests-per-minute", "1000"])
    await simulator.url
    const environment = Object.fromEntries(
      [...simulator.output().stdout.matchAll(/^export (\w+)=(\S+)$/gm)].map(([, name, value]) => [name, value])
    )
    expect(Object.keys(environment)).toEqual(expect.arrayContaining(["OPENAI_BASE_URL", "OPENAI_API_KEY_1"]))
    const { code, stderr, stdout } = await Spillway.run(["chat", "-m", "groq/sim-chat", "hi"], environment)
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
    expect(stdout).toContain("You said: “hi”")
  })

  it("checks every backend against the simulator, and reports what it saw", async () => {
    const file = Path.join(await Fs.mkdtemp(Path.join(Os.tmpdir(), "spillway-")), "report.json")
    const { code, stderr, stdout } = await Spillway.run(["check", "--simulator", "--json", file])
    const report = JSON.parse(await Fs.readFile(file, "utf8"))
    expect({ code, stderr, ok: report.ok }).toEqual({ code: 0, stderr: "", ok: true })
    const names = report.backends.map(({ backend }: { backend: string }) => backend)
    expect(names).toEqual(expect.arrayContaining(["openai", "anthropic", "groq", "ollama"]))
    expect(Catalogue.names).toEqual(expect.arrayContaining(names))
    expect(lines(stdout).map((line) => line.split(" ")[0])).toEqual(names)
    for (const { probes } of report.backends) expect(probes.reachable._tag).toBe("Passed")
    const { chat, embeddings, rerank } = report.backends[0].probes
    expect([chat._tag, embeddings._tag, rerank._tag]).toEqual(["Passed", "Passed", "Skipped"])
  })

  it("fails the check of a backend that is not there", async () => {
    const { code, stderr, stdout } = await Spillway.run(["check", "--apis", "openai"], {
      OPENAI_API_KEY: "sk-test",
      OPENAI_BASE_URL: "http://127.0.0.1:9/v1"
    })
    expect(code).toBe(1)
    expect(stdout).toMatch(/^openai +✗ reachable: .*ECONNREFUSED/)
    expect(stderr).toBe("spillway: not all is well with openai\n")
  })

  it("serves what a file says, under the names it gives, and says what is wrong with one by its lines", async () => {
    const simulator = start(["simulate", "--port", "0", "--keys", "2", "--requests-per-minute", "1000"])
    await simulator.url
    const [, address] = /^export OPENAI_BASE_URL=(\S+)$/m.exec(simulator.output().stdout) ?? []
    const folder = await Fs.mkdtemp(Path.join(Os.tmpdir(), "spillway-config-"))
    const file = Path.join(folder, "spillway.yaml")
    await Fs.writeFile(file, `backends:
  openai:
    keys: ["\${FIRST}", sim-key-2]
    address: ${address}
    policies: { queue: { concurrency: 3 } }
models:
  fast: [openai/sim-chat]
`)
    const environment = { FIRST: "sim-key-1" }
    const checked = await Spillway.run(["config", "check", file], environment)
    expect([checked.code, checked.stdout]).toEqual([0, `${file} is right: openai with 2 keys; 1 name for models\n`])
    const gateway = start(["serve", "--port", "0", "--config", file], environment)
    const url = await gateway.url
    expect((await chat(url, { model: "fast" })).status).toBe(200)
    const status: any = await (await fetch(`${url}/status.json`)).json()
    const [openai] = status.backends
    expect([openai.backend, openai.queue.concurrency, openai.keys.length]).toEqual(["openai", 3, 2])
    const wrong = await Spillway.run(["serve", "--port", "0", "--config", file])
    expect([wrong.code, wrong.stderr]).toEqual([1, `spillway: ${file}:3: backends.openai.keys.0: the environment has no FIRST\n`])
    await Fs.rm(folder, { recursive: true })
  })

  it("makes keys for the clients of a gateway, which then listens wherever it may, and takes them and no others (S12, S14)", async () => {
    const made = await Spillway.run(["config", "key", "--json"])
    const { hash, key } = JSON.parse(made.stdout)
    const other = JSON.parse((await Spillway.run(["config", "key", "--json"])).stdout)
    expect(other.key).not.toBe(key)
    const gateway = start(["serve", "--port", "0", "--host", "0.0.0.0"], {
      SPILLWAY_CLIENT_KEY: hash,
      SPILLWAY_ADMIN_KEY: other.key
    })
    const url = (await gateway.url).replace("0.0.0.0", "127.0.0.1")
    const asked = (path: string, key?: string) =>
      fetch(`${url}${path}`, { headers: key === undefined ? {} : { authorization: `Bearer ${key}` } })
    const statuses = async (path: string) =>
      (await Promise.all([asked(path), asked(path, hash), asked(path, key), asked(path, other.key)])).map(({ status }) => status)
    expect(await statuses("/v1/models")).toEqual([401, 401, 200, 200])
    expect(await statuses("/status.json")).toEqual([401, 401, 403, 200])
    expect(await statuses("/healthz")).toEqual([200, 200, 200, 200])
    expect(gateway.output().stdout + gateway.output().stderr).not.toContain(other.key)
  })

  it("without keys knows its own names, so that no page's name can be this machine's (S5, S29)", async () => {
    const gateway = start(["serve", "--port", "0"])
    const url = new URL(await gateway.url)
    const asked = (host: string, headers = {}) =>
      new Promise<number | undefined>((resolve, reject) =>
        Http.get({ host: url.hostname, port: url.port, path: "/status.json", headers: { host, ...headers } }, (response) => {
          response.resume()
          resolve(response.statusCode)
        }).on("error", reject)
      )
    for (const host of [`localhost:${url.port}`, `127.0.0.1:${url.port}`, "localhost", `[::1]:${url.port}`]) {
      expect(await asked(host)).toBe(200)
    }
    for (const host of [`evil.example:${url.port}`, "evil.example", "localhost.evil.example", "127.0.0.1.nip.io"]) {
      expect(await asked(host)).toBe(403)
    }
  })

  describe("says what is wrong in one line, with exit code 1", () => {
    const unreachable = { OPENAI_API_KEY: "sk-test", OPENAI_BASE_URL: "http://127.0.0.1:9/v1" }
    const clientKey = { SPILLWAY_CLIENT_KEY: "sk-spillway-0123456789" }
    const cases: ReadonlyArray<[string, ReadonlyArray<string>, Record<string, string>, RegExp]> = [
      ["a variable that is set but empty", ["models"], { OPENAI_API_KEY: "" }, /OPENAI_API_KEY.*empty/],
      ["a key that cannot be one", ["models"], { GROQ_API_KEY: "gsk_a b" }, /GROQ_API_KEY/],
      ["an address that is set but empty", ["models"], { OPENAI_API_KEY: "sk-test", OPENAI_BASE_URL: "" }, /OPENAI_BASE_URL: /],
      ["an address that is none", ["models"], { OPENAI_API_KEY: "sk-test", OPENAI_BASE_URL: "nowhere" }, /base URL/],
      ["an unknown model", ["chat", "-m", "openai/nope", "hi"], {}, /nope.*ModelNotFound/],
      ["an unknown backend", ["chat", "-m", "nowhere/nope", "hi"], {}, /nowhere\/nope.*ModelNotFound/],
      ["an unreachable host", ["models"], unreachable, /127\.0\.0\.1:9.*ECONNREFUSED/],
      ["nothing to say", ["chat"], {}, /nothing to say/],
      ["a port that is none", ["serve", "--port", "99999"], {}, /99999/],
      ["an address of another machine", ["serve", "--port", "0", "--host", "192.0.2.1"], clientKey, /--host/],
      ["an address that others reach (S14)", ["serve", "--host", "0.0.0.0"], {}, /SPILLWAY_CLIENT_KEY/],
      ["an address that others reach, of whatever kind (S14)", ["serve", "--host", "::"], {}, /SPILLWAY_CLIENT_KEY/],
      ["a client's key that is too short", ["serve"], { SPILLWAY_CLIENT_KEY: "short" }, /access\.keys\.0\.key/],
      ["an address of the simulator that others reach", ["simulate", "--host", "0.0.0.0"], {}, /--allow-remote/],
      ["a time that is none", ["serve", "--port", "0", "--grace", "soon"], {}, /grace.*soon/],
      ["a fault that there is not", ["simulate", "--port", "0", "--fault", "meteor=1"], {}, /meteor/],
      ["a share that is none", ["simulate", "--port", "0", "--fault", "serverError=2"], {}, /serverError/]
    ]
    it.each(cases)("%s", async (_, args, environment, message) => {
      const { code, stderr, stdout } = await Spillway.run(args, environment)
      const said = lines(stderr).filter((line) => !line.startsWith("No key or address"))
      expect(said).toHaveLength(1)
      expect(said[0]).toMatch(/^spillway: /)
      expect(said[0]).toMatch(message)
      expect({ code, stdout }).toEqual({ code: 1, stdout: "" })
    })

    it("a wrong key, without repeating it", async () => {
      const simulator = start(["simulate", "--port", "0"])
      const { code, stderr } = await Spillway.run(["chat", "-m", "openai/gpt-4o", "hi"], {
        OPENAI_BASE_URL: `${await simulator.url}/openai/v1`,
        OPENAI_API_KEY: "sk-a-key-that-nobody-knows"
      })
      expect(code).toBe(1)
      expect(lines(stderr)).toHaveLength(1)
      expect(stderr).toMatch(/AuthenticationFailed|KeysExhausted/)
      expect(stderr).not.toContain("nobody-knows")
    })

    it("a port in use", async () => {
      const taken = Net.createServer().listen(0, "127.0.0.1")
      await new Promise((resolve) => taken.once("listening", resolve))
      const { port } = taken.address() as Net.AddressInfo
      const { code, stderr } = await Spillway.run(["serve", "--port", String(port)])
      taken.close()
      expect(code).toBe(1)
      expect(lines(stderr)).toEqual([`spillway: port ${port} on 127.0.0.1 is in use; choose another with --port`])
    })
  })

  it("shows the whole cause at --log-level debug", async () => {
    const { code, stderr } = await Spillway.run(["models", "--log-level", "debug"], { OPENAI_API_KEY: "" })
    expect(code).toBe(1)
    expect(lines(stderr).length).toBeGreaterThan(1)
  })

  it("lets a stream end after Ctrl-C, refuses what is new with 503, and leaves with exit code 0", async () => {
    const simulator = start(["simulate", "--port", "0", "--token-delay", "40 millis", "--answer-tokens", "40"])
    const environment = { OPENAI_BASE_URL: `${await simulator.url}/openai/v1`, OPENAI_API_KEY: "sim-key-1" }
    const gateway = start(["serve", "--port", "0"], environment)
    const url = await gateway.url
    const stream = await chat(url, { model: "openai/sim-chat", stream: true })
    const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader()
    let text = (await reader.read()).value!
    gateway.process.kill("SIGINT")
    await expect.poll(() => gateway.output().stderr).toContain("draining")
    const refused = await chat(url, { model: "openai/sim-chat" })
    expect(refused.status).toBe(503)
    expect(refused.headers.get("retry-after")).toMatch(/^\d+$/)
    expect((await fetch(`${url}/readyz`)).status).toBe(503)
    for (let next = await reader.read(); !next.done; next = await reader.read()) text += next.value
    expect(text).toMatch(/data: \[DONE\]\n\n$/)
    expect((await gateway.ended).code).toBe(0)
  })

  it("shows no key anywhere: not in answers, the log, the status or the metrics", async () => {
    const simulator = start(["simulate", "--port", "0", "--keys", "1"])
    const keys = { good: "sim-key-1", wrong: "sk-proj-0123456789abcdefSECRETtail" }
    const gateway = start(["serve", "--port", "0", "--log-level", "debug"], {
      OPENAI_BASE_URL: `${await simulator.url}/openai/v1`,
      OPENAI_API_KEY_1: keys.wrong,
      OPENAI_API_KEY_2: keys.good
    })
    const url = await gateway.url
    const seen: Array<string> = []
    for (const model of ["openai/sim-chat", "openai/sim-chat", "openai/nope", "openai/sim-chat"]) {
      seen.push(await (await chat(url, { model })).text())
    }
    const status = await (await fetch(`${url}/status.json`)).text()
    seen.push(status, await (await fetch(`${url}/metrics`)).text())
    expect(status).toContain("\"retired\"")
    gateway.process.kill("SIGTERM")
    const { code, stderr, stdout } = await gateway.ended
    expect(code).toBe(0)
    for (const text of [...seen, stdout, stderr]) {
      expect(text).not.toContain(keys.wrong)
      expect(text).not.toContain("SECRETtail")
      expect(text).not.toContain(keys.good)
    }
  })
})
