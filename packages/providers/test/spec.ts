import { Ajv2020 } from "ajv/dist/2020.js"
import * as Fs from "node:fs"
import { parse } from "yaml"

/** What is wrong with a value: nothing, if it is as described. */
export type Check = (value: unknown) => ReadonlyArray<string>

/** A vendor's own description of its API: what it takes and what it gives. */
export interface Spec {
  /** The JSON body of a request: `spec.request("post", "/embed")`. */
  readonly request: (method: string, path: string) => Check
  /** The JSON body of an answer of that status. */
  readonly response: (method: string, path: string, status: number | string) => Check
  /** What a JSON pointer into the description leads to: `/components/schemas/Info`, `/definitions/Message`. */
  readonly at: (pointer: string) => Check
}

const root = new URL("../../../../shared/specs/", import.meta.url)

/** Why descriptions are not read. */
export const absent = "skipped: the vendors' descriptions (../shared/specs) are not beside this project"

const read = new Map<string, Spec>()

/**
 * The description in a file below `../shared/specs` (OpenAPI or JSON Schema, JSON or YAML), if it is there; its text may
 * be amended, where it is wrong.
 */
export const spec = (file: string, amend?: (text: string) => string): Spec | undefined => {
  const known = amend === undefined ? read.get(file) : undefined
  if (known !== undefined) return known
  const url = new URL(file, root)
  if (!Fs.existsSync(url)) return undefined
  const text = Fs.readFileSync(url, "utf8")
  const amended = amend === undefined ? text : amend(text)
  const made = make(file.endsWith(".json") ? JSON.parse(amended) : parse(amended))
  if (amend === undefined) read.set(file, made)
  return made
}

/** A description that has been parsed. */
export const make = (description: object): Spec => {
  // descriptions are full of words that JSON Schema does not know, and some have defects
  const ajv = new Ajv2020({ strict: false, validateSchema: false, validateFormats: false, allErrors: true, logger: false })
  ajv.addSchema(toJsonSchema(description) as object, "spec")
  const checks = new Map<string, Check>()
  const at: Spec["at"] = (pointer) => {
    const known = checks.get(pointer)
    if (known !== undefined) return known
    const validate = ajv.compile({ $ref: `spec#${pointer}` })
    const check: Check = (value) =>
      validate(value) === true
        ? []
        : (validate.errors ?? []).map(({ instancePath, message, params }) =>
          `${instancePath || "/"} ${message} ${JSON.stringify(params)}`
        )
    checks.set(pointer, check)
    return check
  }
  const operation = (method: string, path: string) => `/paths/${step(path)}/${method.toLowerCase()}`
  const schema = "content/application~1json/schema"
  return {
    at,
    request: (method, path) => at(`${operation(method, path)}/requestBody/${schema}`),
    response: (method, path, status) => at(`${operation(method, path)}/responses/${status}/${schema}`)
  }
}

/** A step of a JSON pointer, as a fragment of a URI has it. */
const step = (name: string) => encodeURIComponent(name.replaceAll("~", "~0").replaceAll("/", "~1"))

/** OpenAPI 3.0 says in words of its own what JSON Schema says otherwise: that null is allowed, that a bound is not. */
const toJsonSchema = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(toJsonSchema)
  if (typeof value !== "object" || value === null) return value
  const { exclusiveMaximum, exclusiveMinimum, maximum, minimum, nullable, ...rest } = value as Record<string, unknown>
  const schema = {
    ...Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, toJsonSchema(value)])),
    ...bound("exclusiveMinimum", exclusiveMinimum, "minimum", minimum),
    ...bound("exclusiveMaximum", exclusiveMaximum, "maximum", maximum)
  }
  return nullable === true ? { anyOf: [schema, { type: "null" }] } : schema
}

const bound = (exclusive: string, isExclusive: unknown, inclusive: string, value: unknown) =>
  isExclusive === true
    ? { [exclusive]: value }
    : {
      ...(typeof isExclusive !== "boolean" && isExclusive !== undefined && { [exclusive]: toJsonSchema(isExclusive) }),
      ...(value !== undefined && { [inclusive]: toJsonSchema(value) })
    }
