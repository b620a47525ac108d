/** A backend of which one answer in five is a fault: what comes through, and how often it is asked for it. */
import { isMet, mean, quantile, show, start } from "../harness.mjs"

const contenders = ["spillway", "openai", "diy", "ai-sdk", "langchain"]

/** @param {{ quick: boolean }} options */
export const run = async ({ quick }) => {
  const count = quick ? 500 : 2000
  /** @type {Array<any>} */
  let ours = []
  console.log(`faults · 10 % 500, 5 % cut, 5 % 429; ${count} calls, 64 at once`)
  console.log(`${"".padEnd(12)} ${"came through".padEnd(14)} ${"asked for each".padEnd(16)} ${"seconds".padEnd(9)} p99 (s)`)
  for (const contender of contenders) {
    const server = await start("servers/faulty.mjs", { errors: 10, resets: 5, limited: 5 })
    const caller = await start("caller.mjs", { contender, baseURL: server.ready.baseURL, keys: ["bench"], concurrency: 64, retries: 5 })
    const began = performance.now()
    const { calls } = await caller.ask({ count, atOnce: 64 })
    const seconds = (performance.now() - began) / 1000
    const { asked } = await server.ask({})
    const ok = calls.filter((/** @type {{ ok: boolean }} */ { ok }) => ok)
    const waits = ok.map((/** @type {{ began: number, ended: number }} */ { began, ended }) => ended - began)
    console.log(`${contender.padEnd(12)} ${`${(100 * ok.length / count).toFixed(1)} %`.padEnd(14)} ${(asked / ok.length).toFixed(3).padEnd(16)} ${seconds.toFixed(1).padEnd(9)} ${(quantile(waits, 0.99) / 1000).toFixed(1)}`)
    if (contender === "spillway") {
      ours = [
        { what: "share that came through", value: ok.length / count, atLeast: 1 },
        { what: "requests for each success", value: asked / ok.length, atMost: 1.3 },
        { what: "mean wait", value: mean(waits), unit: "ms" }
      ]
    }
    await caller.stop()
    await server.stop()
  }
  show(ours)
  return ours.every(isMet)
}
