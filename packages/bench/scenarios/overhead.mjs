/** What one call after the other costs, from the caller to the socket and back. */
import { isMet, show } from "../harness.mjs"
import { race, ratio, table } from "../race.mjs"

/** @param {{ quick: boolean }} options */
export const run = async ({ quick }) => {
  const calls = quick ? 300 : 1000
  const results = await race({ what: "chat", atOnce: 1, calls, rounds: quick ? 5 : 15, warmUp: 2000 })
  console.log("overhead · one call after the other, over loopback")
  table(results, { per: "call", calls, atOnce: 1 })
  const figures = [{ what: "CPU of a call with every policy × undici", value: ratio(results, "spillway"), atMost: 1.6 }]
  show(figures)
  return figures.every(isMet)
}
