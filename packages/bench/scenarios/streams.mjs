/**
 * A thousand streams that are open at once, through one gateway: all of them come whole, and while they are open each
 * full collection leaves of its heap what the one before did. Between collections a heap may grow as it likes, so the
 * memory that the process holds tells nothing; the heap is kept small for there to be many of them.
 */
import { setTimeout as sleep } from "node:timers/promises"
import { isMet, show } from "../harness.mjs"
import * as Calls from "../soak/calls.mjs"
import * as Processes from "../soak/processes.mjs"

/** @param {{ quick: boolean }} options */
export const run = async ({ quick }) => {
  const streams = quick ? 200 : 1000
  const seconds = quick ? 20 : 30
  const house = await Processes.house({
    simulator: [
      ...["--keys", "1", "--requests-per-minute", "1000000", "--tokens-per-minute", "1000000000"],
      ...["--latency", "10 millis", "--token-delay", "1 second", "--answer-tokens", String(seconds * 2)]
    ],
    flags: ["--trace-gc", `--max-old-space-size=${quick ? 96 : 320}`],
    policies: { queue: { concurrency: streams, capacity: streams } }
  })
  const client = Calls.client(house.gateway.url)
  const inFlight = async () => {
    const status = /** @type {{ inFlight: number }} */ (await (await fetch(`${house.gateway.url}/status.json`)).json())
    return status.inFlight
  }
  let begun = 0
  const asked = Array.from({ length: streams }, (_, i) => {
    let isBegun = false
    return client.ask(`stream-${i}`, { stream: true, onPart: () => isBegun ||= Boolean(++begun) })
  })
  let ended = false
  const all = Promise.all(asked).finally(() => ended = true)
  while (begun < streams && !ended) await sleep(50)
  const open = await inFlight()
  const opened = house.gateway.heaps().length
  for (let i = 0; i < seconds && !ended; i++) await sleep(1000)
  const heaps = house.gateway.heaps().slice(opened)
  const endings = await all
  const left = await inFlight()
  client.close()
  const [code] = await house.close()
  const figures = [
    { what: "streams open at once", value: open, atLeast: streams },
    { what: "streams that came whole", value: endings.filter(({ kind }) => kind === "good").length, atLeast: streams },
    { what: "calls in flight at the end", value: left, atMost: 0 },
    { what: "full collections meanwhile", value: heaps.length, atLeast: 2 },
    { what: "heap after the last by that after the first", value: (heaps.at(-1) ?? NaN) / (heaps[0] ?? NaN), atMost: 1.1 },
    { what: "heap after the last", value: heaps.at(-1) ?? NaN, unit: "MiB" },
    { what: "exit code", value: Number(code), atMost: 0 }
  ]
  console.log(`${streams} streams at once, ${seconds} s`)
  show(figures)
  return figures.every(isMet)
}
