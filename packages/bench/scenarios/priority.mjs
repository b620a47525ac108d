/** A queue that is always full, and one call in twenty that is urgent: how long the urgent wait, and whether the others move. */
import { isMet, quantile, show, start } from "../harness.mjs"

/** @param {{ quick: boolean }} options */
export const run = async ({ quick }) => {
  const latency = 100
  const concurrency = 5
  const seconds = quick ? 8 : 20
  const perSecond = Math.round(1.3 * concurrency * 1000 / latency)
  const figures = []
  console.log(`priority · ${perSecond} calls a second where ${concurrency * 1000 / latency} can be answered, 5 % of them urgent`)
  for (const contender of ["spillway", "diy"]) {
    const server = await start("servers/faulty.mjs", { latency })
    const options = { queue: { concurrency, capacity: 100_000, maxWait: "10 minutes" } }
    const caller = await start("caller.mjs", { contender, baseURL: server.ready.baseURL, keys: ["bench"], concurrency, ...(contender === "spillway" && { options }) })
    const { calls } = await caller.ask({ perSecond, seconds, urgentEvery: 20 })
    const waits = (/** @type {string} */ wanted) =>
      calls.filter((/** @type {{ priority: string, ok: boolean }} */ { ok, priority }) => ok && priority === wanted)
        .map((/** @type {{ began: number, ended: number }} */ { began, ended }) => ended - began - latency)
    const urgent = quantile(waits("high"), 0.99)
    console.log(`${contender.padEnd(12)} urgent p99 ${urgent.toFixed(0)} ms · others ${waits("low").length} answered, p99 ${quantile(waits("low"), 0.99).toFixed(0)} ms`)
    if (contender === "spillway") {
      figures.push({ what: "p99 wait of the urgent in service times", value: urgent / latency, atMost: 2 })
      figures.push({ what: "others that were never answered", value: calls.filter((/** @type {{ ok: boolean }} */ { ok }) => !ok).length, atMost: 0 })
    }
    await caller.stop()
    await server.stop()
  }
  show(figures)
  return figures.every(isMet)
}
