/**
 * Which models Ollama holds in memory, and until when.
 *
 * @since 0.1.0
 */
import * as Fields from "./Fields.js"
import type * as Models from "./Models.js"

/**
 * The models in memory, each with the millisecond at which it leaves.
 *
 * @since 0.1.0
 * @category models
 */
export type Memory = Map<Models.Model, number>

/**
 * For how many milliseconds a request wants its model kept: five minutes where it does not say.
 *
 * @since 0.1.0
 * @category conversions
 */
export const keepAlive = (value: unknown): number => {
  if (typeof value === "number") return value < 0 ? Infinity : value * 1000
  const [, amount, unit = "s"] = /^(-?\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(Fields.stringOf(value)) ?? []
  if (amount === undefined) return 5 * 60_000
  return Number(amount) < 0 ? Infinity : Number(amount) * ({ ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[unit] ?? 1000)
}

// The latest instant that a date can hold stands for ever.
const forever = 8.64e15

/**
 * A request has used a model: it stays, or goes if the request wants that.
 *
 * @since 0.1.0
 * @category combinators
 */
export const touch = (loaded: Memory, model: Models.Model, body: Fields.Json, now: number): void => {
  const until = keepAlive(body["keep_alive"])
  if (until === 0) loaded.delete(model)
  else loaded.set(model, Math.min(forever, now + until))
}
