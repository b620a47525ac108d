/**
 * A thousand streams that are open at once, through one gateway: all of them come whole, and while they are open its
 * memory stays where it is.
 */
import { setTimeout as sleep } from "node:timers/promises"
import { isMet, quantile, show } from "../harness.mjs"
import * as Calls from "../soak/calls.mjs"
import * as Processes from "../soak/processes.mjs"

/** @param {{ quick: boolean }} options */
export const run = async ({ quick }) => {
  const streams = quick ? 200 : 1000
  const seconds = quick ? 10 : 30
  const house = await Processes.house({
    simulator: [
      ...["--keys", "1", "--requests-per-minute", "1000000", "--tokens-per-minute", "1000000000"],
      ...["--latency", "10 millis", "--token-delay", "1 second", "--answer-tokens", String(seconds * 2)]
    ],
    policies: { queue: { concurrency: streams, capacity: streams } }
  })
  const client = Calls.client(house.gateway.url)
  const inFlight = async () => {
    const status = /** @type {{ inFlight: number }} */ (await (await fetch(`${house.gateway.url}/status.json`)).json())
    return status.inFlight
  }
  const before = house.gateway.rss()
  let begun = 0
  const asked = Array.from({ length: streams }, (_, i) => {
    let isBegun = false
    return client.ask(`stream-${i}`, { stream: true, onPart: () => isBegun ||= Boolean(++begun) })
  })
  let ended = false
  const all = Promise.all(asked).finally(() => ended = true)
  while (begun < streams && !ended) await sleep(50)
  const open = await inFlight()
  /** @type {Array<number>} */
  const rss = []
  for (let i = 0; i < seconds && !ended; i++) {
    rss.push(house.gateway.rss())
    await sleep(1000)
  }
  const endings = await all
  const left = await inFlight()
  client.close()
  const [code] = await house.close()
  const half = Math.floor(rss.length / 2)
  const during = quantile(rss.slice(half), 0.5)
  const figures = [
    { what: "streams open at once", value: open, atLeast: streams },
    { what: "streams that came whole", value: endings.filter(({ kind }) => kind === "good").length, atLeast: streams },
    { what: "calls in flight at the end", value: left, atMost: 0 },
    { what: "memory of the second half by the first's", value: during / quantile(rss.slice(0, half), 0.5), atMost: 1.1 },
    { what: "memory for each stream", value: (during - before) * 1024 / streams, unit: "KiB" },
    { what: "exit code", value: Number(code), atMost: 0 }
  ]
  console.log(`${streams} streams at once, ${seconds} s`)
  show(figures)
  return figures.every(isMet)
}
