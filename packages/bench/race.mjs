/**
 * Contenders side by side: each in a process of its own, before one server in another, in rounds that take turns
 * (A B C A B C …), so that whatever else the machine does falls on all of them alike. What is compared is the time of
 * the processor, and each figure is given beside undici's of the same round.
 */
import { quantile, start } from "./harness.mjs"

/** Everybody; undici's plain `request()` is what the others are measured by. */
export const everybody = ["undici", "spillway", "spillway-bare", "openai", "diy", "ai-sdk", "langchain", "effect-ai"]

/** @typedef {{ cpu: number, wall: number, first?: number, deltas?: number }} Round */

/**
 * @param {{ what: "chat" | "stream", atOnce: number, calls: number, rounds: number, model?: string, contenders?: ReadonlyArray<string>, warmUp?: number }} race
 * @returns {Promise<Record<string, { rounds: ReadonlyArray<Round>, ratios: ReadonlyArray<number> }>>}
 */
export const race = async ({ atOnce, calls, contenders = everybody, model = "bench", rounds, warmUp = calls, what }) => {
  const server = await start("servers/plain.mjs")
  const runners = []
  for (const contender of contenders) {
    const options = { contender, baseURL: server.ready.baseURL, keys: ["bench"], model, concurrency: Math.max(64, atOnce) }
    runners.push({ contender, worker: await start("worker.mjs", options), rounds: /** @type {Array<Round>} */ ([]) })
  }
  for (const { worker } of runners) await worker.ask({ what, atOnce, calls: warmUp })
  for (let round = 0; round < rounds; round++) {
    for (const { rounds, worker } of runners) rounds.push(await worker.ask({ what, atOnce, calls }))
  }
  for (const { worker } of runners) await worker.stop()
  await server.stop()
  const floor = runners[0]?.rounds ?? []
  return Object.fromEntries(runners.map(({ contender, rounds }) => [
    contender,
    { rounds, ratios: rounds.map(({ cpu }, round) => cpu / (floor[round]?.cpu ?? Number.NaN)) }
  ]))
}

const figure = (/** @type {number} */ value) => value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2)

/** @param {ReadonlyArray<number>} values */
const spread = (values) => `${figure(quantile(values, 0.5))} (${figure(Math.min(...values))}–${figure(Math.max(...values))})`

/**
 * The table of a race: medians, and the least and the most.
 *
 * @param {Awaited<ReturnType<typeof race>>} results
 * @param {{ per: string, calls: number, atOnce: number }} of
 */
export const table = (results, { calls, per }) => {
  console.log(`${"".padEnd(16)} ${`µs of CPU a ${per}`.padEnd(26)} ${"× undici".padEnd(22)} calls a second`)
  for (const [contender, { ratios, rounds }] of Object.entries(results)) {
    const perSecond = rounds.map(({ wall }) => calls / wall * 1000)
    console.log(`${contender.padEnd(16)} ${spread(rounds.map(({ cpu }) => cpu)).padEnd(26)} ${spread(ratios).padEnd(22)} ${spread(perSecond)}`)
  }
}

/** @param {Awaited<ReturnType<typeof race>>} results @param {string} contender */
export const ratio = (results, contender) => quantile(results[contender]?.ratios ?? [], 0.5)
