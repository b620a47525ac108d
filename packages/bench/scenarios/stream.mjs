/** What a streamed answer of 200 parts costs for each part, in one burst and paced one by one, and when it begins. */
import { isMet, quantile, show } from "../harness.mjs"
import { race, ratio, table } from "../race.mjs"

/** @param {{ quick: boolean }} options */
export const run = async ({ quick }) => {
  const figures = []
  for (const model of ["burst", "paced"]) {
    const calls = model === "burst" ? quick ? 100 : 300 : quick ? 10 : 30
    const results = await race({ what: "stream", atOnce: 1, calls, rounds: quick ? 3 : 9, model })
    console.log(`\nstream · 200 parts, ${model}`)
    table(results, { per: "part", calls, atOnce: 1 })
    figures.push({ what: `CPU of a part × undici, ${model}`, value: ratio(results, "spillway"), atMost: 1.8 })
    const first = (/** @type {string} */ contender) => quantile(results[contender]?.rounds.map(({ first }) => first ?? 0) ?? [], 0.5)
    figures.push({ what: `added time to the first part, ${model}`, value: first("spillway") - first("undici"), unit: "ms", atMost: 0.3 })
  }
  show(figures)
  return figures.every(isMet)
}
