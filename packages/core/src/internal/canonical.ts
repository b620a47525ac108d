/**
 * Values as texts, so that two are the same text exactly when they have the same content. The text itself is what is
 * compared, and no digest of it: nothing that is different is ever taken for the same.
 */
import * as Encoding from "effect/Encoding"

/**
 * The text of plain data: scalars, lists, bytes, and records, whatever the order of their fields; a field that is
 * `undefined` is absent. None where there is anything else in it (an instance of a class, a function), whose content
 * nobody here knows, or where it is nested too deep, as in a circle.
 */
export const canonical = (value: unknown, depth = 100): string | undefined => {
  if (depth === 0) return undefined
  switch (typeof value) {
    case "string":
      return JSON.stringify(value)
    case "number":
    case "boolean":
      return String(value)
    case "bigint":
      return `${value}n`
    case "undefined":
      return "_"
    case "object":
      break
    default:
      return undefined
  }
  if (value === null) return "null"
  if (value instanceof Uint8Array) return `<${Encoding.encodeBase64(value)}>`
  if (Array.isArray(value)) return wrap("[", value.map((item) => canonical(item, depth - 1)), "]")
  if (!isRecord(value)) return undefined
  const fields = Object.keys(value).filter((key) => value[key] !== undefined).sort()
  return wrap("{", fields.map((key) => field(key, canonical(value[key], depth - 1))), "}")
}

const isRecord = (value: object): value is { readonly [key: string]: unknown } => {
  const prototype = Object.getPrototypeOf(value)
  return (prototype === Object.prototype || prototype === null) && Object.getOwnPropertySymbols(value).length === 0
}

const field = (key: string, text: string | undefined) => text === undefined ? undefined : `${JSON.stringify(key)}:${text}`

const wrap = (open: string, texts: ReadonlyArray<string | undefined>, close: string) =>
  texts.includes(undefined) ? undefined : `${open}${texts.join()}${close}`
