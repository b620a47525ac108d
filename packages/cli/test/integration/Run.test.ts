/**
 * `spillway run` as a process: killed at random moments, stopped by a signal, and what it ends with.
 *
 * SPILLWAY_SEED says which moments; the seed of a run that fails is in its message.
 */
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as ChildProcess from "node:child_process"
import { once } from "node:events"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Url from "node:url"
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest"
import * as Journal from "../../src/bulk/Journal.js"
import * as Spillway from "./spillway.js"

interface Counting {
  readonly environment: Record<string, string>
  /** How often each prompt was asked for, once no more requests are on their way. */
  readonly counts: () => Promise<Record<string, number>>
  readonly end: () => void
}

const counting = async (options: object): Promise<Counting> => {
  const child = ChildProcess.fork(Url.fileURLToPath(new URL("counting.mjs", import.meta.url)), [JSON.stringify(options)], {
    execArgv: []
  })
  const [environment] = await once(child, "message")
  const ask = async () => {
    child.send("counts")
    return (await once(child, "message"))[0]
  }
  return {
    environment,
    counts: async () => {
      for (let last = await ask();;) {
        const next = await ask()
        if (JSON.stringify(next) === JSON.stringify(last)) return next
        last = next
      }
    },
    end: () => child.kill("SIGKILL")
  }
}

const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "spillway-run-"))
afterAll(() => Fs.rmSync(folder, { recursive: true }))

const start = Spillway.startForTest()

const prompts = (name: string, count: number) => {
  const ids = Array.from({ length: count }, (_, at) => `${name}-${at + 1}`)
  const file = Path.join(folder, `${name}.jsonl`)
  Fs.writeFileSync(file, ids.map((id) => `${JSON.stringify({ id, prompt: `What is ${id}?` })}\n`).join(""))
  return { file, ids, out: Path.join(folder, `${name}.out.jsonl`) }
}

const read = (file: string): ReadonlyArray<any> =>
  Fs.readFileSync(file, "utf8").split("\n").filter((line) => line !== "").map((line) => JSON.parse(line))

const sleep = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

/** The lines of the input whose answers a journal has. */
const answeredIn = (journal: string): ReadonlySet<number> => {
  if (!Fs.existsSync(journal)) return new Set()
  return new Set(
    Journal.reader().feed(Fs.readFileSync(journal)).flatMap(({ entry }) =>
      Option.isSome(entry) && entry.value._tag === "Answer" ? [entry.value.line] : [])
  )
}

vi.setConfig({ testTimeout: 60_000 })

describe.skipIf(Spillway.missing !== undefined)(`spillway run${Spillway.missing ? ` (skipped: ${Spillway.missing})` : ""}`, () => {
  let simulator: Counting
  beforeAll(async () => {
    simulator = await counting({
      requestsPerMinute: 1_000_000,
      tokensPerMinute: 1_000_000_000,
      latency: "40 millis",
      answerTokens: 16
    })
  })
  afterAll(() => simulator.end())

  const seed = Number(process.env["SPILLWAY_SEED"] ?? 7)
  const concurrency = 8

  /** Kills it so often, at moments that the seed says, and looks each time at what it left. */
  const killed = async (name: string, kills: number, random: () => number) => {
    const { file, ids, out } = prompts(name, 60 * kills)
    const journal = `${out}.journal`
    const args = ["run", file, "--out", out, "-m", "openai/sim-chat", "--concurrency", String(concurrency), "--quiet"]
    const environment = simulator.environment
    let before = { counts: {} as Record<string, number>, answered: answeredIn(journal) }
    for (let kill = 1; kill <= kills; kill++) {
      const process = start(args, environment)
      const size = () => Fs.existsSync(journal) ? Fs.statSync(journal).size : 0
      const began = size()
      // some die while they find out what was done, most while they work
      if (random() < 0.2) await sleep(random() * 1000)
      else {
        while (size() === began && process.process.exitCode === null) await sleep(5)
        await sleep(random() * 250)
      }
      process.process.kill("SIGKILL")
      expect((await process.ended).code, `seed ${seed}, kill ${kill}: it ended by itself`).toBe(null)
      const now = { counts: await simulator.counts(), answered: answeredIn(journal) }
      for (const [at, id] of ids.entries()) {
        const prompt = `What is ${id}?`
        const asked = (now.counts[prompt] ?? 0) - (before.counts[prompt] ?? 0)
        const at1 = `seed ${seed}, kill ${kill}, ${id}`
        if (before.answered.has(at + 1)) {
          expect(now.answered, `${at1}: an answer is lost`).toContain(at + 1)
          expect(asked, `${at1}: asked again although its answer was written`).toBe(0)
        }
        expect(asked, `${at1}: asked twice by one process`).toBeLessThanOrEqual(1)
      }
      // what a crash of the machine leaves, which a kill does not
      if (random() < 0.3) Fs.appendFileSync(journal, "1c291ca3\t{\"line\":1,\"inputTok")
      before = now
    }
    const last = await start(args, environment).ended
    expect(last, `seed ${seed}`).toEqual({ code: 0, stdout: "", stderr: "" })
    expect(read(out).map(({ id }) => id)).toEqual(ids)
    for (const { id, text } of read(out)) expect(text).toContain(`“What is ${id}?”`)
    expect(Fs.readdirSync(folder).filter((file) => file.startsWith(`${name}.`)).sort())
      .toEqual([`${name}.jsonl`, `${name}.out.jsonl`, `${name}.out.jsonl.journal`])
    // asked again were those under way when it was killed, and no others
    const counts = await simulator.counts()
    const again = ids.reduce((sum, id) => sum + counts[`What is ${id}?`]! - 1, 0)
    expect(again).toBeLessThanOrEqual(kills * 2 * concurrency)
  }

  it("killed fifty times, pays for no answer twice, loses none, and writes each once", async () => {
    const random = (salt: number) => {
      const values = FastCheck.sample(FastCheck.double({ min: 0, max: 1, noNaN: true }), { seed: seed + salt, numRuns: 200 })
      let at = 0
      return () => values[at++ % values.length]!
    }
    await Promise.all([killed("a", 25, random(0)), killed("b", 25, random(1))])
  }, 300_000)

  const at = (...options: ReadonlyArray<string>) => ["-m", "openai/sim-chat", ...options]

  it("answers in the order of the input, each line of a batch as the batch API does, and has failed lines apart", async () => {
    const file = Path.join(folder, "mixed.jsonl")
    const out = Path.join(folder, "mixed.out.jsonl")
    Fs.writeFileSync(file, [
      `{"id":"first","prompt":"one"}`,
      ``,
      `{"nonsense`,
      `{"messages":[{"role":"user","content":"two"}],"max_tokens":5}`,
      `{"custom_id":"b1","method":"POST","url":"/v1/chat/completions","body":{"model":"openai/sim-chat","messages":[{"role":"user","content":"three"}]}}`,
      `{"custom_id":"b2","method":"POST","url":"/v1/embeddings","body":{"model":"openai/text-embedding-3-small","input":"four"}}`,
      `{"id":"unknown","prompt":"five","model":"openai/nope"}`
    ].join("\n"))
    const { code, stderr, stdout } = await start(["run", file, "-o", out, ...at("--json")], simulator.environment).ended
    expect({ code, stderr }).toEqual({ code: 2, stderr: "" })
    expect(JSON.parse(stdout)).toMatchObject({ lines: 6, answered: 4, answeredBefore: 0, failed: 2, left: 0, out })
    const [first, two, chat, embedding] = read(out)
    expect(first).toMatchObject({ id: "first", finishReason: "stop" })
    expect(two).toMatchObject({ id: "4", finishReason: "length" })
    expect(chat).toMatchObject({ custom_id: "b1", error: null, response: { status_code: 200, body: { object: "chat.completion" } } })
    expect(embedding).toMatchObject({ custom_id: "b2", response: { body: { object: "list", data: [{ object: "embedding" }] } } })
    const failed = read(Path.join(folder, "mixed.out.failed.jsonl"))
    expect(failed).toEqual([
      expect.objectContaining({ line: 3, id: "3", error: "InvalidJson", retriable: false }),
      expect.objectContaining({ line: 7, id: "unknown", error: "ModelNotFound", backend: "openai", model: "nope" })
    ])
    expect(Fs.statSync(`${out}.journal`).mode & 0o777).toBe(0o600)
    const journal = Fs.readFileSync(`${out}.journal`, "utf8")
    for (const key of ["sim-key-1", "sim-key-2"]) expect(journal).not.toContain(key)
  })

  it("lets the calls under way end after Ctrl-C, says how to go on, and goes on", async () => {
    const { file, ids, out } = prompts("stopped", 600)
    const args = ["run", file, "-o", out, ...at("--order", "done", "--concurrency", "4")]
    const first = start(args, simulator.environment)
    while (!Fs.existsSync(out) || read(out).length < 10) await sleep(5)
    first.process.kill("SIGINT")
    const { code, stderr, stdout } = await first.ended
    expect(code).toBe(130)
    expect(stderr).toContain("letting the calls under way end")
    expect(stdout).toMatch(/^600 lines, \d+ answered, \d+ left\n/)
    expect(stdout).toMatch(/stopped: .*; the same command goes on from here\n$/)
    // whatever had been asked was answered, and written
    const asked = Object.keys(await simulator.counts()).filter((prompt) => prompt.startsWith("What is stopped-"))
    expect(read(out).map(({ id }) => `What is ${id}?`).sort()).toEqual(asked.sort())
    const second = await start(args, simulator.environment).ended
    expect(second.code).toBe(0)
    expect(second.stdout).toMatch(/^600 lines, 600 answered \(\d+ of them before\)\n/)
    expect(read(out).map(({ id }) => id).sort()).toEqual([...ids].sort())
    const counts = await simulator.counts()
    for (const id of ids) expect(counts[`What is ${id}?`]).toBe(1)
  })

  it("stops at its budget, with all that was spent told, and goes on with a larger one", async () => {
    const { file, out } = prompts("dear", 60)
    const args = ["run", file, "-o", out, "-m", "openai/gpt-4o-mini", "--json"]
    const first = await start([...args, "--budget", "0.003"], simulator.environment).ended
    expect(first.code).toBe(2)
    const { answered, dollars, left, stopped } = JSON.parse(first.stdout)
    expect([stopped, left]).toEqual(["budget", 60 - answered])
    expect(answered).toBeGreaterThan(0)
    expect(dollars).toBeGreaterThan(0)
    expect(dollars).toBeLessThanOrEqual(0.003)
    const second = await start([...args, "--budget", "1"], simulator.environment).ended
    expect([second.code, JSON.parse(second.stdout)]).toEqual([0, expect.objectContaining({ answeredBefore: answered, left: 0 })])
    expect(JSON.parse(second.stdout).dollars).toBeGreaterThan(dollars)
  })

  it("does not begin what it cannot do, with exit code 1 and one line", async () => {
    const { file, out } = prompts("refused", 2)
    const run = async (...args: ReadonlyArray<string>) => {
      const { code, stderr, stdout } = await start(["run", ...args], simulator.environment).ended
      expect({ code, stdout }).toEqual({ code: 1, stdout: "" })
      expect(stderr.trimEnd().split("\n")).toHaveLength(1)
      return stderr
    }
    expect(await run(`${file}.nowhere`, "-o", out)).toMatch(/refused\.jsonl\.nowhere cannot be read: .*ENOENT/)
    expect(await run(file, "-o", out, "--deadline", "soon")).toMatch(/--deadline: "soon" is no time/)
    Fs.writeFileSync(out, "somebody else's")
    expect(await run(file, "-o", out)).toMatch(/is there already.*--restart/)
    Fs.rmSync(out)
    expect((await start(["run", file, "-o", out, ...at("-q")], simulator.environment).ended).code).toBe(0)
    expect(await run(file, "-o", out, "-m", "openai/gpt-4o")).toMatch(/answers of openai\/sim-chat, not of openai\/gpt-4o/)
    Fs.appendFileSync(file, `{"prompt":"one more"}\n`)
    expect(await run(file, "-o", out, ...at())).toMatch(/another input, or it has changed since.*--restart/)
    expect((await start(["run", file, "-o", out, ...at("-q", "--restart")], simulator.environment).ended).code).toBe(0)
    expect(read(out)).toHaveLength(3)
  })

  it("does not begin work that another process is at, and takes it up when that one is gone", async () => {
    const { file, out } = prompts("held", 100)
    const args = ["run", file, "-o", out, ...at("-q", "--concurrency", "1")]
    const first = start(args, simulator.environment)
    while (answeredIn(`${out}.journal`).size === 0) await sleep(5)
    const second = await start(args, simulator.environment).ended
    expect([second.code, second.stderr]).toEqual([1, expect.stringContaining(`process ${first.process.pid} is at this work already`)])
    first.process.kill("SIGKILL")
    await first.ended
    const third = start([...args.slice(0, -1), "16"], simulator.environment)
    expect(await third.ended).toEqual({ code: 0, stdout: "", stderr: "" })
  })
})
