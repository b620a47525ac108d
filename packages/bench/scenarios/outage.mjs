/**
 * A backend that is dead for five of fifteen seconds, refusing or hanging, while 200 calls a second are asked: how many
 * of them it is bothered with, and how soon answers come again.
 */
import { setTimeout as sleep } from "node:timers/promises"
import { isMet, show, start } from "../harness.mjs"

/** @param {{ quick: boolean }} options */
export const run = async ({ quick }) => {
  const figures = []
  for (const become of ["refusing", "hanging"]) {
    console.log(`\noutage · 200 calls a second, dead for 5 s (${become})`)
    for (const contender of quick ? ["spillway"] : ["spillway", "openai", "diy"]) {
      const server = await start("servers/faulty.mjs")
      const options = { breaker: { openFor: "1 second" }, timeout: { attempt: "2 seconds" }, queue: { concurrency: 64, capacity: 100_000 } }
      const caller = await start("caller.mjs", {
        contender,
        baseURL: server.ready.baseURL,
        keys: ["bench"],
        concurrency: 64,
        retries: 5,
        ...(contender === "spillway" && { options })
      })
      const asking = caller.ask({ perSecond: 200, seconds: 15 })
      const began = performance.now()
      await sleep(5000)
      await server.ask({ become })
      await sleep(5000)
      const { askedWhileDead } = await server.ask({ become: "well" })
      const back = performance.now() - began
      const { calls } = await Promise.race([asking, sleep(60_000, { calls: [] })])
      const first = calls.map((/** @type {{ began: number }} */ { began }) => began).reduce((/** @type {number} */ a, /** @type {number} */ b) => Math.min(a, b), Infinity)
      const after = calls.filter((/** @type {{ ok: boolean, ended: number }} */ { ended, ok }) => ok && ended - first > back)
        .map((/** @type {{ ended: number }} */ { ended }) => ended - first - back)
      const soonest = Math.min(...after)
      console.log(`${contender.padEnd(12)} asked while dead ${String(askedWhileDead).padEnd(7)} answers again after ${soonest.toFixed(0)} ms`)
      if (contender === "spillway") {
        // its threshold, a probe a second, and the calls that were under way
        figures.push({ what: `requests while dead, ${become}`, value: askedWhileDead, atMost: 5 + 5 + 64 })
        figures.push({ what: `answers again after, ${become}`, value: soonest, unit: "ms", atMost: 1200 })
      }
      await caller.stop()
      await server.stop()
    }
  }
  show(figures)
  return figures.every(isMet)
}
