/**
 * Checks of a request's body that name the first field that is wrong, and how, so that each wire can say it in its
 * vendor's words.
 *
 * @since 0.1.0
 */

/**
 * What is wrong with a field.
 *
 * @since 0.1.0
 * @category models
 */
export interface Violation {
  readonly path: ReadonlyArray<string | number>
  readonly problem: Problem
  /** The kinds, values, tags or bound that would have been right. */
  readonly expected: ReadonlyArray<string>
  readonly got: unknown
}

/**
 * The ways in which a field can be wrong.
 *
 * @since 0.1.0
 * @category models
 */
export type Problem =
  | "Missing"
  | "Unknown"
  | "Type"
  | "Value"
  | "Tag"
  | "BelowMinimum"
  | "AboveMaximum"
  | "TooShort"
  | "TooLong"
  | "Pattern"

/**
 * The kinds of JSON values, integers apart.
 *
 * @since 0.1.0
 * @category models
 */
export type Kind = "string" | "number" | "integer" | "boolean" | "array" | "object" | "null"

/**
 * A check of one value.
 *
 * @since 0.1.0
 * @category models
 */
export interface Check {
  (value: unknown): Violation | undefined
  /** An object may lack this field. */
  readonly optional?: true
  /** The kinds it accepts, for a message about another kind. */
  readonly kinds: ReadonlyArray<Kind>
}

/**
 * What kind of JSON value this is.
 *
 * @since 0.1.0
 * @category accessors
 */
export const kindOf = (value: unknown): Kind =>
  value === null || value === undefined
    ? "null"
    : Array.isArray(value)
      ? "array"
      : typeof value === "number"
        ? Number.isInteger(value)
          ? "integer"
          : "number"
        : typeof value === "string"
          ? "string"
          : typeof value === "boolean"
            ? "boolean"
            : "object"

/**
 * A JSON object, as it came.
 *
 * @since 0.1.0
 * @category models
 */
export type Json = { readonly [key: string]: unknown }

/**
 * Whether a value is a JSON object.
 *
 * @since 0.1.0
 * @category guards
 */
export const isJson = (value: unknown): value is Json => kindOf(value) === "object"

/**
 * The objects of a list; nothing where there is no list.
 *
 * @since 0.1.0
 * @category accessors
 */
export const objects = (value: unknown): ReadonlyArray<Json> => (Array.isArray(value) ? value.filter(isJson) : [])

/**
 * A string; empty where there is none.
 *
 * @since 0.1.0
 * @category accessors
 */
export const stringOf = (value: unknown): string => (typeof value === "string" ? value : "")

const check = (kinds: ReadonlyArray<Kind>, test: (value: unknown) => Violation | undefined): Check =>
  Object.assign((value: unknown) => test(value), { kinds })

const violation = (problem: Problem, expected: ReadonlyArray<string>, got: unknown): Violation => ({
  path: [],
  problem,
  expected,
  got
})

const ofKind = (kinds: ReadonlyArray<Kind>, then: (value: unknown) => Violation | undefined = () => undefined): Check =>
  check(kinds, (value) => {
    const kind = kindOf(value)
    const fits = value !== undefined && (kinds.includes(kind) || (kind === "integer" && kinds.includes("number")))
    return fits ? then(value) : violation("Type", kinds, value)
  })

const within = (key: string | number, found: Violation | undefined): Violation | undefined =>
  found === undefined ? undefined : { ...found, path: [key, ...found.path] }

/**
 * Anything at all.
 *
 * @since 0.1.0
 * @category constructors
 */
export const any: Check = check([], () => undefined)

/**
 * `true` or `false`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const boolean: Check = ofKind(["boolean"])

/**
 * A text, perhaps of a certain form or length.
 *
 * @since 0.1.0
 * @category constructors
 */
export const string = (
  options: { readonly pattern?: RegExp; readonly min?: number; readonly max?: number } = {}
): Check =>
  ofKind(["string"], (value) => {
    const text = stringOf(value)
    if (text.length < (options.min ?? 0)) return violation("TooShort", [`${options.min}`], value)
    if (text.length > (options.max ?? Infinity)) return violation("TooLong", [`${options.max}`], value)
    return options.pattern === undefined || options.pattern.test(text)
      ? undefined
      : violation("Pattern", [options.pattern.source], value)
  })

const ranged =
  (kind: "number" | "integer") =>
  (options: { readonly min?: number; readonly max?: number } = {}): Check =>
    ofKind([kind], (value) =>
      typeof value !== "number"
        ? undefined
        : value < (options.min ?? -Infinity)
          ? violation("BelowMinimum", [`${options.min}`, kind], value)
          : value > (options.max ?? Infinity)
            ? violation("AboveMaximum", [`${options.max}`, kind], value)
            : undefined
    )

/**
 * A number, perhaps within a range.
 *
 * @since 0.1.0
 * @category constructors
 */
export const number = ranged("number")

/**
 * A whole number, perhaps within a range.
 *
 * @since 0.1.0
 * @category constructors
 */
export const integer = ranged("integer")

/**
 * One of some texts.
 *
 * @since 0.1.0
 * @category constructors
 */
export const oneOf = (...values: ReadonlyArray<string>): Check =>
  ofKind(["string"], (value) => (values.includes(stringOf(value)) ? undefined : violation("Value", values, value)))

/**
 * A list.
 *
 * @since 0.1.0
 * @category constructors
 */
export const array = (item: Check, options: { readonly min?: number; readonly max?: number } = {}): Check =>
  ofKind(["array"], (value) => {
    const items: ReadonlyArray<unknown> = Array.isArray(value) ? value : []
    if (items.length < (options.min ?? 0)) return violation("TooShort", [`${options.min}`], value)
    if (items.length > (options.max ?? Infinity)) return violation("TooLong", [`${options.max}`], value)
    for (let i = 0; i < items.length; i++) {
      const found = within(i, item(items[i]))
      if (found !== undefined) return found
    }
    return undefined
  })

/**
 * An object of these fields, and of no others unless it is `open`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const object = (fields: { readonly [name: string]: Check }, options: { readonly open?: true } = {}): Check => {
  const entries = Object.entries(fields)
  return ofKind(["object"], (value) => {
    const given: Json = isJson(value) ? value : {}
    for (const [name, field] of entries) {
      const found =
        given[name] === undefined
          ? field.optional === true
            ? undefined
            : violation("Missing", field.kinds, undefined)
          : field(given[name])
      if (found !== undefined) return within(name, found)
    }
    if (options.open !== true) {
      for (const name in given) if (!(name in fields)) return within(name, violation("Unknown", [], given[name]))
    }
    return undefined
  })
}

/**
 * Any object.
 *
 * @since 0.1.0
 * @category constructors
 */
export const record: Check = object({}, { open: true })

/**
 * An object whose other fields depend on one of them: the role of a message, the type of a part.
 *
 * @since 0.1.0
 * @category constructors
 */
export const tagged = (tag: string, cases: { readonly [value: string]: Check }): Check =>
  ofKind(["object"], (value) => {
    const given = isJson(value) ? value[tag] : undefined
    if (given === undefined) return within(tag, violation("Missing", ["string"], undefined))
    if (typeof given !== "string") return within(tag, violation("Type", ["string"], given))
    const chosen = Object.hasOwn(cases, given) ? cases[given] : undefined
    return chosen === undefined ? within(tag, violation("Tag", Object.keys(cases), given)) : chosen(value)
  })

/**
 * One of several checks, told apart by the kind of the value.
 *
 * @since 0.1.0
 * @category constructors
 */
export const either = (...checks: ReadonlyArray<Check>): Check => {
  const kinds = checks.flatMap((one) => one.kinds)
  return check(kinds, (value) => {
    const kind = kindOf(value)
    const chosen = checks.find(
      (one) => one.kinds.includes(kind) || (kind === "integer" && one.kinds.includes("number"))
    )
    return value === undefined || chosen === undefined ? violation("Type", kinds, value) : chosen(value)
  })
}

/**
 * A field that an object may lack.
 *
 * @since 0.1.0
 * @category combinators
 */
export const optional = (field: Check): Check =>
  Object.assign((value: unknown) => field(value), { kinds: field.kinds, optional: true as const })

/**
 * A field that an object may lack, or have as `null`.
 *
 * @since 0.1.0
 * @category combinators
 */
export const nullish = (field: Check): Check => optional(nullable(field))

/**
 * A field that may be `null`.
 *
 * @since 0.1.0
 * @category combinators
 */
export const nullable = (field: Check): Check =>
  check([...field.kinds, "null"], (value) => (value === null ? undefined : field(value)))
