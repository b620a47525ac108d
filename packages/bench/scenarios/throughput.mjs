/** How many calls a second, and at what cost, when many are under way at once. */
import { isMet, quantile, show } from "../harness.mjs"
import { race, ratio, table } from "../race.mjs"

/** @param {{ quick: boolean }} options */
export const run = async ({ quick }) => {
  const figures = []
  for (const atOnce of [64, 256]) {
    const calls = quick ? 1000 : 4000
    const results = await race({ what: "chat", atOnce, calls, rounds: quick ? 3 : 9 })
    console.log(`\nthroughput · ${atOnce} at once`)
    table(results, { per: "call", calls, atOnce })
    const perSecond = (/** @type {string} */ contender) =>
      quantile(results[contender]?.rounds.map(({ wall }) => calls / wall) ?? [], 0.5)
    figures.push({ what: `CPU of a call × undici, ${atOnce} at once`, value: ratio(results, "spillway"), atMost: 1.6 })
    if (atOnce === 256) figures.push({ what: "calls a second × OpenAI's client", value: perSecond("spillway") / perSecond("openai"), atLeast: 3 })
  }
  show(figures)
  return figures.every(isMet)
}
