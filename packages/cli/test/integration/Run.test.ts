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
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
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

const running = new Set<Spillway.Running>()
const start = (...args: Parameters<typeof Spillway.start>) => {
  const started = Spillway.start(...args)
  running.add(started)
  void started.ended.then(() => running.delete(started))
  return started
}
afterEach(async () => {
  for (const { process } of running) process.kill("SIGKILL")
  await Promise.all([...running].map(({ ended }) => ended))
})

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
  }, 180_000)
})
