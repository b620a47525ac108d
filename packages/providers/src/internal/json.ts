/**
 * Reading JSON of unknown shape, leniently: what is absent, null or of another kind reads as `undefined`, and nothing
 * is copied. A Schema would say more about what is wrong, at a hundred times the cost; what a backend sends is not the
 * user's to correct.
 */

/** The value of a JSON text; `undefined` (which no JSON text means) when it is none. */
export const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The text of a value; `undefined` when it has none (a cycle, a bigint). */
export const stringify = (value: unknown): string | undefined => {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}

/** An object's fields, all of unknown kind. */
export type Fields = { readonly [key: string]: unknown }

/** Whether a value is an object, and no list. */
export const isObject = (u: unknown): u is Fields => typeof u === "object" && u !== null && !Array.isArray(u)

/** A field of an object; `undefined` of anything else. */
export const get = (u: unknown, key: string): unknown => isObject(u) ? u[key] : undefined

/** A field two objects down. */
export const get2 = (u: unknown, first: string, second: string): unknown => get(get(u, first), second)

/** A text. */
export const string = (u: unknown): string | undefined => typeof u === "string" ? u : undefined

/** A text that is not empty. */
export const name = (u: unknown): string | undefined => typeof u === "string" && u !== "" ? u : undefined

/** A finite number. */
export const number = (u: unknown): number | undefined => typeof u === "number" && Number.isFinite(u) ? u : undefined

/** A count: a whole number of at least zero. What a proxy makes up (negative, fractional) is not believed. */
export const count = (u: unknown): number | undefined =>
  typeof u === "number" && Number.isSafeInteger(u) && u >= 0 ? u : undefined

/** A count that is written as text. */
export const digits = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined

/** A list; empty when it is none. */
export const array = (u: unknown): ReadonlyArray<unknown> => Array.isArray(u) ? u : none

const none: ReadonlyArray<unknown> = []

/** An object's fields without those that are `undefined`. */
export const defined = <A extends object>(fields: A): { readonly [K in keyof A]: Exclude<A[K], undefined> } => {
  // what is left out is exactly what the type takes away; a copy only where there is something to leave out
  const out: Record<string, unknown> = {}
  for (const key in fields) if (fields[key] !== undefined) out[key] = fields[key]
  return out as never
}
