/**
 * A value that a JSON Schema accepts, with words and numbers taken from the conversation where they fit, so that
 * "weather in Tokyo" gives `{"city":"Tokyo"}`.
 *
 * @since 0.1.0
 */
import * as Seed from "./Seed.js"

/**
 * An instance of a schema. Understands `type`, `enum`, `const`, `properties`, `required`, `items`, `prefixItems`,
 * `anyOf`, `oneOf`, `allOf`, local `$ref`s (also recursive ones), the common `format`s, lengths and ranges. What it
 * does not understand it leaves out of account.
 *
 * @since 0.1.0
 * @category constructors
 */
export const of = (schema: unknown, about: string): unknown =>
  instance(schema, { root: schema, about, path: "", depth: 0 })

interface Place {
  readonly root: unknown
  readonly about: string
  readonly path: string
  readonly depth: number
}

type Schema = { readonly [key: string]: unknown }

// Deeper than this only what is required is filled in, so that a recursive schema ends.
const deep = 6

const isSchema = (value: unknown): value is Schema =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const instance = (given: unknown, place: Place): unknown => {
  if (!isSchema(given)) return given === false ? null : word(place)
  const schema = resolve(given, place)
  if ("const" in schema) return schema["const"]
  const options = list(schema["enum"])
  if (options.length > 0) return mentioned(options, place.about) ?? options[0]
  if ("default" in schema) return schema["default"]
  const examples = list(schema["examples"])
  if (examples.length > 0) return examples[0]
  const alternatives = [...list(schema["anyOf"]), ...list(schema["oneOf"])]
  if (alternatives.length > 0) return instance(preferred(alternatives, place), { ...place, depth: place.depth + 1 })
  return byType[typeOf(schema)](schema, place)
}

const list = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value : [])

// The first alternative that is not null; deep down the null, if there is one, since it ends the recursion.
const preferred = (alternatives: ReadonlyArray<unknown>, place: Place): unknown => {
  const isNull = (one: unknown) => isSchema(one) && (one["type"] === "null" || one["const"] === null)
  const wanted = place.depth >= deep ? alternatives.find(isNull) : alternatives.find((one) => !isNull(one))
  return wanted ?? alternatives[0]
}

const resolve = (schema: Schema, place: Place): Schema => {
  let current = schema
  // A chain of references longer than this is a circle.
  for (let i = 0; i < 16 && typeof current["$ref"] === "string"; i++) {
    const target = lookup(place.root, current["$ref"])
    if (!isSchema(target)) return {}
    const { $ref: _, ...siblings } = current
    current = { ...target, ...siblings }
  }
  return list(current["allOf"]).reduce<Schema>(
    (whole, part) => (isSchema(part) ? merge(whole, resolve(part, place)) : whole),
    current
  )
}

const lookup = (root: unknown, reference: string): unknown =>
  reference
    .replace(/^#\/?/, "")
    .split("/")
    .filter((step) => step !== "")
    .reduce<unknown>(
      (found, step) =>
        isSchema(found) ? found[decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~")] : undefined,
      root
    )

const merge = (left: Schema, right: Schema): Schema => ({
  ...left,
  ...right,
  properties: { ...record(left["properties"]), ...record(right["properties"]) },
  required: [...list(left["required"]), ...list(right["required"])]
})

const record = (value: unknown): Schema => (isSchema(value) ? value : {})

type Type = "object" | "array" | "string" | "number" | "integer" | "boolean" | "null"

const typeOf = (schema: Schema): Type => {
  const named = schema["type"]
  const types = Array.isArray(named) ? named : [named]
  const found = types.find((type): type is Type => typeof type === "string" && type in byType && type !== "null")
  if (found !== undefined) return found
  if (types.includes("null")) return "null"
  if ("properties" in schema || "additionalProperties" in schema) return "object"
  if ("items" in schema || "prefixItems" in schema) return "array"
  if ("minimum" in schema || "maximum" in schema) return "number"
  return "string"
}

const byType: { readonly [T in Type]: (schema: Schema, place: Place) => unknown } = {
  null: () => null,
  boolean: (_, place) => (Seed.of(place.path + place.about) & 1) === 0,
  integer: (schema, place) => numeral(schema, place, true),
  number: (schema, place) => numeral(schema, place, false),
  string: (schema, place) => text(schema, place),
  array: (schema, place) => {
    // Older drafts of JSON Schema write a tuple's members where newer ones write what follows them.
    const first = [...list(schema["prefixItems"]), ...list(schema["items"])]
    const least = Math.max(count(schema["minItems"], 0), place.depth >= deep || first.length > 0 ? 0 : 1)
    const length = Math.max(first.length, Math.min(least, count(schema["maxItems"], Infinity)))
    const item = isSchema(schema["items"]) ? schema["items"] : {}
    return Array.from({ length }, (_, index) => instance(first[index] ?? item, under(place, index.toString())))
  },
  object: (schema, place) => {
    const required = list(schema["required"])
    const built: Record<string, unknown> = {}
    for (const [name, property] of Object.entries(record(schema["properties"]))) {
      if (place.depth < deep || required.includes(name)) built[name] = instance(property, under(place, name))
    }
    for (const name of required) {
      if (typeof name === "string" && !(name in built)) {
        built[name] = instance(
          isSchema(schema["additionalProperties"]) ? schema["additionalProperties"] : {},
          under(place, name)
        )
      }
    }
    return built
  }
}

const under = (place: Place, name: string): Place => ({
  ...place,
  path: `${place.path}/${name}`,
  depth: place.depth + 1
})

const count = (value: unknown, otherwise: number): number => (typeof value === "number" ? value : otherwise)

const numeral = (schema: Schema, place: Place, whole: boolean): number => {
  const step = count(schema["multipleOf"], 0)
  const above = count(schema["exclusiveMinimum"], -Infinity)
  const below = count(schema["exclusiveMaximum"], Infinity)
  const floor = Math.max(count(schema["minimum"], -Infinity), above)
  const ceiling = Math.min(count(schema["maximum"], Infinity), below)
  const fits = (n: number) =>
    n >= floor &&
    n <= ceiling &&
    n !== above &&
    n !== below &&
    (!whole || Number.isInteger(n)) &&
    (step === 0 || Number.isInteger(n / step))
  const said = (place.about.match(/-?\d+(?:\.\d+)?/g) ?? []).map(Number)
  const middle = (floor + ceiling) / 2
  const stepped = Math.ceil(floor / step) * step
  const small = 1 + ((Seed.of(place.path) >>> 0) % 9)
  const candidates = [
    small,
    step,
    stepped,
    stepped + step,
    floor,
    Math.ceil(floor),
    Math.floor(floor) + 1,
    ceiling,
    Math.ceil(ceiling) - 1,
    middle,
    0
  ]
  return [...said, ...candidates].find(fits) ?? small
}

const formats: { readonly [format: string]: string } = {
  date: "2024-01-15",
  "date-time": "2024-01-15T10:30:00Z",
  time: "10:30:00Z",
  duration: "PT1H",
  email: "simulator@example.com",
  hostname: "example.com",
  ipv4: "192.0.2.1",
  ipv6: "2001:db8::1",
  uri: "https://example.com/",
  url: "https://example.com/",
  uuid: "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
}

const text = (schema: Schema, place: Place): string => {
  const format = schema["format"]
  const known = typeof format === "string" ? formats[format] : undefined
  if (known !== undefined) return known
  const candidates = [
    word(place),
    "simulated",
    "Simulated",
    "1",
    "2024-01-15",
    "A1",
    "a",
    "simulator@example.com",
    "https://example.com/",
    ""
  ]
  const pattern = typeof schema["pattern"] === "string" ? expression(schema["pattern"]) : undefined
  const fitting = candidates.find((one) => pattern === undefined || pattern.test(one)) ?? word(place)
  const least = count(schema["minLength"], 0)
  const most = count(schema["maxLength"], Infinity)
  return fitting.length < least ? fitting + "x".repeat(least - fitting.length) : fitting.slice(0, most)
}

// A pattern of another dialect of regular expressions is no reason to answer nothing.
const expression = (pattern: string): RegExp | undefined => {
  try {
    return new RegExp(pattern, "u")
  } catch {
    return undefined
  }
}

// A name that was mentioned (a capital inside the sentence), else the last word that was said.
const word = (place: Place): string => {
  const words = place.about.match(/[\p{L}\p{N}][\p{L}\p{N}'-]*/gu) ?? []
  const names = words.slice(1).filter((one) => one.length > 1 && /^\p{Lu}/u.test(one))
  return names.at(-1) ?? words.at(-1) ?? "simulated"
}

const mentioned = (options: ReadonlyArray<unknown>, about: string): unknown =>
  options.find(
    (option) => typeof option === "string" && option !== "" && about.toLowerCase().includes(option.toLowerCase())
  )
