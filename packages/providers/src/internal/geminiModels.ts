/**
 * What Gemini's models want said differently from one generation to the next: how hard to think, and who vouches for a
 * tool call.
 *
 * Up to 2.5 thinking is a budget of tokens; from 3 on it is a level, and the models want the signature of their own
 * call back. A model whose name tells no generation (`gemini-flash-latest`) is taken for a new one.
 *
 * @see https://ai.google.dev/gemini-api/docs/thinking
 * @see https://ai.google.dev/gemini-api/docs/thought-signatures
 */
import type * as Completion from "@spillway/core/Completion"

type Effort = NonNullable<Completion.Request["reasoning"]>["effort"]

/** The name of a model as a resource: `models/gemini-2.5-flash`. */
export const resource = (model: string): string => /^(models|tunedModels)\//.test(model) ? model : `models/${model}`

/** The same, as it stands in a path. */
export const path = (model: string): string => {
  const name = resource(model)
  const slash = name.indexOf("/")
  return `${name.slice(0, slash)}/${encodeURIComponent(name.slice(slash + 1))}`
}

const isNew = (model: string): boolean => /^gemini-(?![12]\b)/.test(resource(model).slice("models/".length))

/** How hard a model shall think, in its own words; `undefined` where it has none for it. */
export const thinking = (
  model: string,
  effort: Effort
): { readonly thinkingLevel: string } | { readonly thinkingBudget: number } | undefined => {
  if (isNew(model)) return { thinkingLevel: levels[effort] ?? lowest(model) }
  const cannotStop = /gemini-2\.5-pro/.test(model)
  return effort === "none" && !/gemini-2\.5/.test(model)
    ? undefined
    : { thinkingBudget: effort === "none" && cannotStop ? 128 : budgets[effort] }
}

const levels: { readonly [E in Effort]: string | undefined } = {
  none: undefined,
  minimal: undefined,
  low: "LOW",
  medium: "MEDIUM",
  high: "HIGH"
}

// none of them stops thinking, and most refuse a level below this: what is known to go lower goes lower
const lowest = (model: string): string =>
  /gemini-3(\.5)?-flash|gemini-3[\d.]*-flash-lite/.test(model) ? "MINIMAL" : "LOW"

/** @see https://ai.google.dev/gemini-api/docs/openai#thinking */
const budgets: { readonly [E in Effort]: number } = { none: 0, minimal: 1024, low: 1024, medium: 8192, high: 24_576 }

/**
 * What stands for the signature of a tool call that the model did not make itself (another backend did, before a
 * failover): without any, a new model refuses the conversation.
 */
export const signatureOfOthers = (model: string): string | undefined =>
  isNew(model) ? "skip_thought_signature_validator" : undefined
