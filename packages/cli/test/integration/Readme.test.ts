/**
 * What the README says of the command line is done: each command of its first block, against the simulator, and the
 * lines of its bulk work.
 */
import * as ChildProcess from "node:child_process"
import { once } from "node:events"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Url from "node:url"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import * as Spillway from "./spillway.js"

const at = (path: string) => Url.fileURLToPath(new URL(path, import.meta.url))

const readme = Fs.readFileSync(at("../../../../README.md"), "utf8")
const section = readme.slice(readme.indexOf("\n## Command line"), readme.indexOf("\n## Packages"))
const fences = [...section.matchAll(/```(\w+)\n([^]*?)```/g)].map(([, language, code = ""]) => ({ language, code }))
const commands = fences.find(({ language }) => language === "sh")!.code.trimEnd().split("\n")
  .map((line) => line.replace(/\s+#.*$/, "").replace(/^npx spillway /, ""))
const prompts = fences.find(({ language }) => language === "json")!.code

const isServer = (command: string) => /^(serve|simulate)\b/.test(command)

describe.skipIf(Spillway.missing !== undefined)(`README${Spillway.missing ? ` (skipped: ${Spillway.missing})` : ""}`, () => {
  const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "spillway-readme-"))
  const servers: Array<Spillway.Running> = []
  let environment: Record<string, string>
  beforeAll(async () => {
    const simulator = Spillway.start(["simulate", "--port", "0", "--requests-per-minute", "100000"])
    servers.push(simulator)
    await simulator.url
    const { stdout } = simulator.output()
    environment = Object.fromEntries([...stdout.matchAll(/^export (\w+)=(\S+)$/gm)].map(([, name = "", value = ""]) => [name, value]))
    const gateway = Spillway.start(["serve", "--port", "8787"], environment)
    servers.push(gateway)
    await gateway.url
    Fs.writeFileSync(Path.join(folder, "prompts.jsonl"), prompts)
  }, 120_000)
  afterAll(async () => {
    for (const { process } of servers) process.kill("SIGKILL")
    await Promise.all(servers.map(({ ended }) => ended))
    Fs.rmSync(folder, { recursive: true })
  })

  it.each(commands.filter((command) => !isServer(command)))("spillway %s", async (command) => {
    const child = ChildProcess.spawn("bash", ["-c", `"$0" "$1" ${command}`, process.execPath, at("../../dist/main.js")], {
      cwd: folder,
      env: { PATH: process.env["PATH"], ...environment },
      stdio: ["ignore", "pipe", "inherit"]
    })
    let stdout = ""
    child.stdout.setEncoding("utf8").on("data", (text) => stdout += text)
    const [code] = await once(child, "close")
    expect(code).toBe(0)
    expect(stdout).not.toBe("")
  }, 120_000)

  it("answers every line of its example of bulk work", () => {
    const answers = Fs.readFileSync(Path.join(folder, "answers.jsonl"), "utf8").trimEnd().split("\n").map((line) => JSON.parse(line))
    expect(answers.map((answer) => answer.id)).toEqual(["sky", "2", "batch_req_3"])
  })
})
