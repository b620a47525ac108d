/**
 * What several have used together, shared out among them: in whole tokens, and none lost.
 */
import type * as Completion from "../Completion.js"

/**
 * Parts of a whole number in proportion to the weights: each is the exact part rounded down or up, and they sum up to
 * the whole. With no weight at all the parts are even.
 */
export const apportion = (whole: number, weights: ReadonlyArray<number>): ReadonlyArray<number> => {
  const sum = weights.reduce((sum, weight) => sum + weight, 0)
  if (sum === 0) return weights.length === 0 ? [] : apportion(whole, weights.map(() => 1))
  // whole × weight may be more than a number holds exactly; these are not
  const times = Math.floor(whole / sum)
  const over = whole - times * sum
  const parts = weights.map((weight) => times * weight + Math.floor(over * weight / sum))
  const left = whole - parts.reduce((sum, part) => sum + part, 0)
  // the largest remainders are rounded up, the first of those that are even
  const order = weights.map((weight, index) => ({ index, remainder: over * weight % sum }))
    .sort((a, b) => b.remainder - a.remainder || a.index - b.index)
  for (const { index } of order.slice(0, left)) parts[index]!++
  return parts
}

/**
 * The usage of each, by its weight. What the backend did not tell of all, it did not tell of anybody; tokens that are
 * among others (cached ones among those of the input) are so in each share as well.
 */
export const shareOut = (usage: Completion.Usage, weights: ReadonlyArray<number>): ReadonlyArray<Completion.Usage> => {
  const inputTokens = of(usage.inputTokens, weights)
  const outputTokens = of(usage.outputTokens, weights)
  const cached = of(usage.cachedInputTokens, inputTokens ?? weights)
  const uncached = inputTokens?.map((tokens, index) => Math.max(tokens - (cached?.[index] ?? 0), 0))
  const shares = {
    inputTokens,
    outputTokens,
    cachedInputTokens: cached,
    cacheWriteTokens: of(usage.cacheWriteTokens, uncached ?? weights),
    reasoningTokens: of(usage.reasoningTokens, outputTokens ?? weights)
  }
  return weights.map((_, index) =>
    Object.fromEntries(Object.entries(shares).flatMap(([name, parts]) => parts === undefined ? [] : [[name, parts[index]]]))
  )
}

// what is no count is nobody's share
const of = (whole: number | undefined, weights: ReadonlyArray<number>) =>
  whole !== undefined && Number.isSafeInteger(whole) && whole >= 0 ? apportion(whole, weights) : undefined
