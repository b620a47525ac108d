import type { Refusal } from "@spillway/gateway/Refusal"
import { Either } from "effect"
import * as Fs from "node:fs"
import { parse } from "yaml"

type Schema = Readonly<Record<string, any>>

/** How to ask so that a field can be honoured at all. */
export interface Asking {
  /** A body that is taken. */
  readonly base: Readonly<Record<string, unknown>>
  /** What must be said besides, for a field to make sense. */
  readonly besides?: Readonly<Record<string, object>>
  /** What must stand before the items of a list. */
  readonly before?: Readonly<Record<string, ReadonlyArray<unknown>>>
  /** Values for strings that are not just any, by the name of their field. */
  readonly values?: Readonly<Record<string, unknown>>
  /** Fields that are needed, though the description does not say so, by the name of the schema or else of its field. */
  readonly needed?: Readonly<Record<string, ReadonlyArray<string>>>
}

/** What became of every value that a description lets a field have. */
export interface Walked {
  /** Taken, and what is asked of the backend is another thing than without it. */
  readonly honoured: ReadonlySet<string>
  /** Refused, and the refusal names the field, or one above or below it. */
  readonly refused: ReadonlySet<string>
  /** Taken without a difference. */
  readonly without: ReadonlySet<string>
  /** Refused, but not by its name, or as though it were not documented. */
  readonly wrong: ReadonlyArray<string>
}

const describedIn = (path: string): Schema | undefined => {
  const file = new URL(`../../../../shared/specs/${path}`, import.meta.url)
  return Fs.existsSync(file) ? parse(Fs.readFileSync(file, "utf8")) : undefined
}

/** OpenAI's own description of its API, if it is there. */
export const description: Schema | undefined = describedIn("openai/openapi.yaml")

/** The types of Anthropic's own client, if they are there. */
export const anthropic: Schema | undefined = describedIn("anthropic/sdk-1.12.0.derived.schema.json")

/** Ollama's own description of its API, if it is there. */
export const ollama: Schema | undefined = describedIn("ollama/openapi.yaml")

/**
 * Asks for every documented field of a request by turns, with every value of a list of values and every alternative of a
 * union, and for the fields of fields as far as those are taken.
 */
export const walk = (
  name: string,
  asking: Asking,
  read: (body: unknown) => Either.Either<unknown, Refusal>,
  from: Schema | undefined = description
): Walked => {
  const { base, before = {}, besides = {}, needed = {}, values = {} } = asking
  const honoured = new Set<string>()
  const refused = new Set<string>()
  const without = new Set<string>()
  const wrong: Array<string> = []
  const schemas: Schema = from!["definitions"] ?? from!["components"].schemas

  const resolve = (given: Schema): Schema => {
    const schema = plain(given)
    if (typeof schema["$ref"] === "string") {
      const name = schema["$ref"].split("/").at(-1)!
      return { ...resolve(schemas[name]), name }
    }
    return (schema["allOf"] ?? []).map(resolve).reduce(
      (all: Schema, one: Schema) => ({
        ...all,
        ...one,
        properties: { ...all["properties"], ...one["properties"] },
        required: [...all["required"] ?? [], ...one["required"] ?? []]
      }),
      schema
    )
  }
  const requiredOf = (schema: Schema, field: string): ReadonlyArray<string> => [
    ...schema["required"] ?? [],
    ...needed[schema["name"] ?? field] ?? []
  ]
  const alternatives = (schema: Schema): ReadonlyArray<Schema> | undefined => schema["oneOf"] ?? schema["anyOf"]

  /** The least that a schema lets stand there. */
  const least = (given: Schema, field: string): unknown => {
    if (field in values) return values[field]
    const schema = resolve(given)
    const [first] = alternatives(schema) ?? []
    if (first !== undefined) return least(first, field)
    if (schema["enum"] !== undefined) return schema["enum"][0]
    switch (schema["type"]) {
      case "integer":
      case "number":
        return numbers(schema)[0]
      case "boolean":
        return true
      case "array":
        return [least(schema["items"], field)]
      case "object":
        return Object.fromEntries(
          Object.entries<Schema>(schema["properties"] ?? {})
            .filter(([name]) => requiredOf(schema, field).includes(name))
            .map(([name, schema]) => [name, least(schema, name)])
        )
      default:
        return schema["format"] === "uri" ? "https://example.org/x" : "x"
    }
  }

  /** Whether a value is taken; without one to compare with, it is no field that could be left out. */
  const visit = (path: string, value: unknown, body: unknown, other: unknown): boolean => {
    const shown = `${path} = ${JSON.stringify(value)}`
    const outcome = read(body)
    if (Either.isLeft(outcome)) {
      const { field = "", message } = outcome.left
      const named = field !== "" && (field.startsWith(path) || path.startsWith(field))
      if (named && !message.endsWith("is not a field of this API")) refused.add(path)
      else wrong.push(`${shown}: ${message}`)
      return false
    }
    if (other !== undefined) {
      const same = JSON.stringify(Either.getOrThrow(read(other))) === JSON.stringify(outcome.right)
      if (same) without.add(shown)
      else honoured.add(path)
    }
    return true
  }

  /** `embed` puts a value in its place in a body; `other` is the body without it. */
  const go = (
    given: Schema,
    field: string,
    path: string,
    embed: (value: unknown) => unknown,
    other: unknown,
    above: ReadonlyArray<string>
  ): void => {
    const schema = resolve(given)
    if (schema["type"] === "null" || above.includes(schema["name"])) return
    const under = schema["name"] === undefined ? above : [...above, schema["name"]]
    const each = alternatives(schema)
    if (each !== undefined) return each.forEach((one) => go(one, field, path, embed, other, under))
    const look = (value: unknown) => visit(path, value, embed(value), other)
    if (schema["enum"] !== undefined) return schema["enum"].filter((value: unknown) => value !== null).forEach(look)
    switch (schema["type"]) {
      case "integer":
      case "number":
        return (field in values ? [values[field]] : numbers(schema)).forEach(look)
      case "boolean":
        return [true, false].forEach(look)
      case "array": {
        const first = before[path] ?? []
        const wrap = (value: unknown) => embed([...first, value])
        return go(schema["items"], field, `${path}[${first.length}]`, wrap, other, under)
      }
      case "object": {
        const here = least(schema, field) as Record<string, unknown>
        const properties = Object.entries<Schema>(schema["properties"] ?? {})
        if (properties.length === 0) {
          look({ a: "x" })
          return
        }
        if (!look(here)) return
        for (const [name, property] of properties) {
          const other = requiredOf(schema, field).includes(name) ? undefined : embed(here)
          go(property, name, `${path}.${name}`, (value) => embed({ ...here, [name]: value }), other, under)
        }
        return
      }
      default:
        look(least(schema, field))
    }
  }

  for (const [field, property] of Object.entries<Schema>(resolve(schemas[name])["properties"])) {
    const body = { ...base, ...besides[field] }
    go(property, field, field, (value) => ({ ...body, [field]: value }), field in base ? undefined : body, [])
  }
  return { honoured, refused, without, wrong }
}

/** A schema without what says the same in another way: one value as a list of one, and that null is taken. */
const plain = (schema: Schema): Schema => ({
  ...schema,
  ...("const" in schema && { enum: [schema["const"]] }),
  ...(Array.isArray(schema["type"]) && { type: schema["type"].find((type) => type !== "null") })
})

const numbers = ({ maximum = 1e6, minimum = 0, type }: Schema): ReadonlyArray<number> =>
  (type === "integer" ? [1, 2, minimum, minimum + 1] : [0.5, 1])
    .filter((n) => n >= minimum && n <= maximum && Number.isSafeInteger(n * 2))
