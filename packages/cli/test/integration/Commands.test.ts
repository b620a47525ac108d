/** What is asked of keys, of a running gateway, in a conversation, of Ollama and for shells, as processes. */
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest"
import * as Spillway from "./spillway.js"

vi.setConfig({ testTimeout: 60_000 })

const lines = (text: string) => text.trimEnd().split("\n")

describe.skipIf(Spillway.missing !== undefined)(`spillway${Spillway.missing ? ` (skipped: ${Spillway.missing})` : ""}`, () => {
  let simulator: Spillway.Running
  let environment: Record<string, string>
  const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "spillway-commands-"))
  beforeAll(async () => {
    simulator = Spillway.start(["simulate", "--port", "0", "--keys", "2", "--requests-per-minute", "100000"])
    const address = await simulator.url
    environment = {
      OPENAI_BASE_URL: `${address}/openai/v1`,
      OPENAI_API_KEY_1: "sim-key-1",
      OPENAI_API_KEY_2: "sim-key-2",
      OLLAMA_HOST: `${address}/ollama`
    }
  })
  afterAll(async () => {
    simulator.process.kill("SIGKILL")
    await simulator.ended
    Fs.rmSync(folder, { recursive: true })
  })

  it("names keys, and shows none", async () => {
    const { code, stdout } = await Spillway.run(["keys", "list", "--json"], environment)
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toEqual([
      { backend: "openai", key: "OPENAI_API_KEY_1" },
      { backend: "openai", key: "OPENAI_API_KEY_2" }
    ])
    expect(stdout).not.toContain("sim-key")
  })

  it("finds the key that is not accepted, and ends with 1 for it", async () => {
    const wrong = await Spillway.run(["keys", "validate"], { ...environment, OPENAI_API_KEY_2: "sk-nobody-knows-this" })
    expect(wrong.code).toBe(1)
    expect(lines(wrong.stdout)[1]).toMatch(/^openai +OPENAI_API_KEY_1 +valid$/)
    expect(lines(wrong.stdout)[2]).toMatch(/^openai +OPENAI_API_KEY_2 +invalid: .*AuthenticationFailed/)
    expect(wrong.stderr).toBe("spillway: not accepted: OPENAI_API_KEY_2 of openai\n")
    expect(wrong.stdout).not.toContain("nobody-knows")
    expect((await Spillway.run(["keys", "validate"], environment)).code).toBe(0)
  })

  it("tells how a running gateway is doing, and what its keys were used for, to its admin only", async () => {
    const admin = "an-admin-key-of-some-length"
    const gateway = Spillway.start(["serve", "--port", "0"], { ...environment, SPILLWAY_ADMIN_KEY: admin })
    try {
      const url = await gateway.url
      const asked = await fetch(`${url}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${admin}` },
        body: JSON.stringify({ model: "openai/sim-chat", messages: [{ role: "user", content: "Hello!" }] })
      })
      expect(asked.status).toBe(200)
      const key = { SPILLWAY_ADMIN_KEY: admin }
      const [top, json, usage, stranger] = await Promise.all([
        Spillway.run(["top", "--url", url], key),
        Spillway.run(["top", "--url", url, "--json"], key),
        Spillway.run(["keys", "usage", "--url", url, "--json"], key),
        Spillway.run(["top", "--url", url])
      ])
      expect([top.code, lines(top.stdout)[0]]).toEqual([0, expect.stringContaining(`${url}  accepting`)])
      expect(top.stdout).toMatch(/^openai +closed +0\/5 .* 1 +0 +0$/m)
      expect(JSON.parse(json.stdout).backends[0].calls.succeeded).toBe(1)
      expect(JSON.parse(usage.stdout).map(({ requests }: { requests: number }) => requests)).toEqual([1, 0])
      expect([stranger.code, stranger.stderr]).toEqual([1, expect.stringContaining("put it into SPILLWAY_ADMIN_KEY")])
    } finally {
      gateway.process.kill("SIGKILL")
      await gateway.ended
    }
  })

  it("talks, a line at a time, with all that was said before, other models and pictures", async () => {
    const picture = Path.join(folder, "dot.png")
    Fs.writeFileSync(picture, Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64"))
    const said = ["first", "/model openai/gpt-4o", `/image ${picture}`, "second", "/quit", "never"].join("\n")
    const { code, stderr, stdout } = await Spillway.run(["chat", "-m", "openai/sim-chat"], environment, said)
    expect([code, stderr]).toEqual([0, "asking openai/gpt-4o\n"])
    expect(lines(stdout)).toHaveLength(2)
    expect(lines(stdout)[0]).toMatch(/“first”.*in the place of sim-chat/)
    expect(lines(stdout)[1]).toMatch(/“second”.*in the place of gpt-4o/)
  })

  it("has Ollama fetch a model, and says when there is none", async () => {
    const there = await Spillway.run(["pull", "llama3.2", "--json"], environment)
    expect([there.code, JSON.parse(lines(there.stdout).at(-1)!)]).toEqual([0, { status: "success" }])
    const none = await Spillway.run(["pull", "nobody-has-this", "--host", environment["OLLAMA_HOST"]!])
    expect([none.code, none.stdout]).toEqual([1, ""])
    expect(none.stderr).toMatch(/ModelNotFound/)
  })

  it("tries out the backends that are named, with queue, backoff and keys under load", async () => {
    const file = Path.join(folder, "report.json")
    const args = ["check", "--apis", "openai", "ollama", "--ollama-host", environment["OLLAMA_HOST"]!, "--json", file]
    const { OLLAMA_HOST: _, ...without } = environment
    const { code, stdout } = await Spillway.run([...args, "--ollama-model", "sim-chat"], without)
    expect([code, lines(stdout).map((line) => line.split(" ")[0])]).toEqual([0, ["openai", "ollama"]])
    const [openai, ollama] = JSON.parse(Fs.readFileSync(file, "utf8")).backends
    const tags = ({ probes }: any) => [probes.chat, probes.queue, probes.backoff, probes.multiplexing].map(({ _tag }) => _tag)
    expect(tags(openai)).toEqual(["Passed", "Passed", "Passed", "Passed"])
    expect(tags(ollama)).toEqual(["Passed", "Passed", "Passed", "Skipped"])
    const unknown = await Spillway.run(["check", "--apis", "ollama", "--ollama-model", "nobody-has-this"], environment)
    expect([unknown.code, unknown.stdout]).toEqual([1, expect.stringContaining("✗ chat")])
  })

  it("prints completions that a shell takes", async () => {
    const { code, stdout } = await Spillway.run(["completions", "bash"])
    expect(code).toBe(0)
    for (const command of ["run", "keys", "top"]) expect(stdout).toContain(command)
    expect(ChildProcess.spawnSync("bash", ["-n"], { input: stdout }).status).toBe(0)
  })
})
