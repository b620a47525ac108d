import * as Fs from "node:fs/promises"
import * as Os from "node:os"
import * as Path from "node:path"
import { describe, expect, it, vi } from "vitest"
import * as Spillway from "./spillway.js"

// each starts several processes
vi.setConfig({ testTimeout: 120_000 })

const start = Spillway.startForTest()

const ask = (url: string, model: string, headers: Record<string, string> = {}) =>
  fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ model, messages: [{ role: "user", content: "Hello!" }] })
  })

/** A simulator, and where it plays OpenAI. */
const simulator = async (...options: ReadonlyArray<string>) => {
  const started = start(["simulate", "--port", "0", "--keys", "4", "--requests-per-minute", "1000000", ...options])
  await started.url
  return /^export OPENAI_BASE_URL=(\S+)$/m.exec(started.output().stdout)![1]!
}

const inFolder = async (use: (folder: string) => Promise<void>) => {
  const folder = await Fs.mkdtemp(Path.join(Os.tmpdir(), "spillway-reload-"))
  await use(folder).finally(() => Fs.rm(folder, { recursive: true }))
}

const backendsOf = async (url: string) => {
  const status: any = await (await fetch(`${url}/status.json`)).json()
  return Object.fromEntries(status.backends.map((backend: any) => [backend.backend, backend]))
}

describe.skipIf(Spillway.missing !== undefined)(`a file read again${Spillway.missing ? ` (skipped: ${Spillway.missing})` : ""}`, () => {
  it("changes the backends under load, and no call fails", () =>
    inFolder(async (folder) => {
      const address = await simulator("--token-delay", "5 millis", "--answer-tokens", "20")
      const file = Path.join(folder, "spillway.yaml")
      const write = (turn: number) =>
        Fs.writeFile(file, `
backends:
  openai:
    address: ${address}
    keys: [${Array.from({ length: 1 + turn % 3 }, (_, index) => `sim-key-${index + 1}`).join(", ")}]
    policies: { queue: { concurrency: ${4 + turn}, capacity: 1000 } }
models: { fast: [openai/sim-chat], turn-${turn}: [openai/sim-chat] }
`)
      await write(0)
      const gateway = start(["serve", "--port", "0", "--config", file])
      const url = await gateway.url

      let isOver = false
      const statuses: Array<number> = []
      const callers = Array.from({ length: 16 }, async () => {
        while (!isOver) {
          const response = await ask(url, "fast")
          await response.text()
          statuses.push(response.status)
        }
      })
      const read = () => gateway.output().stderr.match(/has been read again"/g)?.length ?? 0
      for (let turn = 1; turn <= 4; turn++) {
        await write(turn)
        const before = statuses.length
        gateway.process.kill("SIGHUP")
        await expect.poll(read, { timeout: 20_000 }).toBe(turn)
        await expect.poll(() => statuses.length, { timeout: 20_000 }).toBeGreaterThan(before + 20)
        expect((await ask(url, `turn-${turn}`)).status).toBe(200)
        const { openai } = await backendsOf(url)
        expect([openai.keys.length, openai.queue.concurrency]).toEqual([1 + turn % 3, 4 + turn])
      }
      const moderated = await fetch(`${url}/v1/moderations`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ input: "hello" })
      })
      expect(moderated.status).toBe(200)
      isOver = true
      await Promise.all(callers)
      expect(new Set(statuses)).toEqual(new Set([200]))
      gateway.process.kill("SIGTERM")
      expect((await gateway.ended).code).toBe(0)
    }))

  it("lets a stream that is under way come to its end with the backend that it began with", () =>
    inFolder(async (folder) => {
      const slow = await simulator("--token-delay", "30 millis", "--answer-tokens", "40")
      const file = Path.join(folder, "spillway.json")
      const write = (backend: string) => Fs.writeFile(file, JSON.stringify({ backends: { [backend]: { address: slow, keys: ["sim-key-1"] } } }))
      await write("openai")
      const gateway = start(["serve", "--port", "0", "--config", file])
      const url = await gateway.url
      const stream = await fetch(`${url}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ model: "openai/sim-chat", stream: true, messages: [{ role: "user", content: "Hello!" }] })
      })
      const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader()
      let text = (await reader.read()).value!
      await write("groq")
      gateway.process.kill("SIGHUP")
      await expect.poll(async () => Object.keys(await backendsOf(url)), { timeout: 20_000 }).toContain("groq")
      expect((await ask(url, "openai/sim-chat")).status).toBe(404)
      expect(Object.keys(await backendsOf(url))).toContain("openai")
      for (let next = await reader.read(); !next.done; next = await reader.read()) text += next.value
      expect(text).toMatch(/data: \[DONE\]\n\n$/)
      // what nobody uses any more is released
      await expect.poll(async () => Object.keys(await backendsOf(url)), { timeout: 20_000 }).toEqual(["groq"])
    }))

  it("goes on with what it has when the file is wrong, and says what is, by line and field", () =>
    inFolder(async (folder) => {
      const address = await simulator()
      const file = Path.join(folder, "spillway.yaml")
      const write = (rest: string) => Fs.writeFile(file, `backends:\n  openai: { address: "${address}", keys: [sim-key-1] }\n${rest}`)
      await write("")
      const gateway = start(["serve", "--port", "0", "--config", file])
      const url = await gateway.url
      await write("policies:\n  queue: { capacity: -1 }\nmodel: {}\n")
      gateway.process.kill("SIGHUP")
      await expect.poll(() => gateway.output().stderr, { timeout: 20_000 }).toContain("is not used")
      expect(gateway.output().stderr).toContain(`${file}:4: policies.queue.capacity: must be a whole number of at least 0`)
      expect(gateway.output().stderr).toContain(`${file}:5: model: is unexpected`)
      expect((await ask(url, "openai/sim-chat")).status).toBe(200)
      await Fs.rm(file)
      gateway.process.kill("SIGHUP")
      await expect.poll(() => gateway.output().stderr, { timeout: 20_000 }).toContain("cannot be read")
      expect((await ask(url, "openai/sim-chat")).status).toBe(200)
    }))

  it("lets clients in by the keys that the file gives them, as it gives them", () =>
    inFolder(async (folder) => {
      const address = await simulator()
      const file = Path.join(folder, "spillway.yaml")
      const write = (...names: ReadonlyArray<string>) =>
        Fs.writeFile(file, `
gateway:
  port: 0
  access:
    keys: [${names.map((name) => `{ name: ${name}, key: sk-spillway-${name}-0123456789 }`).join(", ")}]
backends:
  openai: { address: "${address}", keys: [sim-key-1] }
`)
      await write("ada", "bob")
      const gateway = start(["serve", "--config", file])
      const url = await gateway.url
      const as = async (name: string) =>
        (await ask(url, "openai/sim-chat", { authorization: `Bearer sk-spillway-${name}-0123456789` })).status
      expect([await as("ada"), await as("bob"), await as("eve")]).toEqual([200, 200, 401])
      await write("ada", "eve")
      gateway.process.kill("SIGHUP")
      await expect.poll(() => as("eve"), { timeout: 20_000 }).toBe(200)
      expect([await as("ada"), await as("bob")]).toEqual([200, 401])
      expect(gateway.output().stderr).not.toContain("sk-spillway")
    }))

  it("is described by the schema that is published with the package", async () => {
    const { code, stdout } = await Spillway.run(["config", "schema"])
    const published = await Fs.readFile(new URL("../../spillway.schema.json", import.meta.url), "utf8")
    expect([code, JSON.parse(stdout)]).toEqual([0, JSON.parse(published)])
  })
})
