/**
 * Four keys, each allowed 25 requests a second (5 at once) by a server that refuses the rest, and 64 callers who ask
 * one after the other: how much of the allowed rate is used, and at what price.
 */
import { isMet, mean, quantile, show, start } from "../harness.mjs"
import { setup } from "../contender.mjs"

const keys = ["bench-1", "bench-2", "bench-3", "bench-4"]
const perSecond = 25
const burst = 5
const callers = 64

/** @param {string} retryAfter in which form the server says how long to wait @param {number} seconds */
const round = async (retryAfter, seconds) => {
  const server = await start("servers/limited.mjs", { perSecond, burst, retryAfter })
  const { chat, close } = await setup({ baseURL: server.ready.baseURL, keys, concurrency: callers, retries: 20 })
  const began = performance.now()
  const end = began + seconds * 1000
  /** @type {Array<number>} */
  const waits = []
  let inTime = 0
  let failed = 0
  const caller = async () => {
    for (let at = performance.now(); at < end; at = performance.now()) {
      await chat().then(() => {
        const now = performance.now()
        waits.push(now - at)
        if (now <= end) inTime++
      }, () => failed++)
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
  const { answers } = await server.ask({})
  await close()
  await server.stop()
  const first = answers[0].at
  const settled = answers.filter((/** @type {{ at: number }} */ { at }) => at > first + 1000)
  const refused = settled.filter((/** @type {{ status: number }} */ { status }) => status === 429).length
  // what was allowed is the rate for as long as was asked, and the burst that each key begins with
  const allowed = keys.length * (perSecond * seconds + burst)
  return [
    { what: "share of the allowed rate", value: inTime / allowed, atLeast: 0.98 },
    { what: "429s per success after the first second", value: refused / (settled.length - refused), atMost: 0.02 },
    { what: "calls that failed", value: failed, atMost: 0 },
    { what: "p99 wait × mean wait", value: quantile(waits, 0.99) / mean(waits), atMost: 1.5 },
    { what: "mean wait", value: mean(waits), unit: "ms" },
    { what: "calls", value: waits.length }
  ]
}

/** @param {{ quick: boolean }} options */
export const run = async ({ quick }) => {
  let met = true
  for (const retryAfter of ["seconds", "whole", "none"]) {
    const figures = await round(retryAfter, quick ? 8 : 20)
    console.log(`\nkeys · 4 × ${perSecond} req/s, burst ${burst}, ${callers} callers, retry-after: ${retryAfter}`)
    show(figures)
    // the goal is set for a server that says how long to wait; the others are shown for comparison
    if (retryAfter === "seconds") met = figures.every(isMet)
  }
  return met
}
