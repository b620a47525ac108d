/**
 * A text of YAML (JSON is YAML), to be asked where things stand in it. `${NAME}` in a text is what the environment says,
 * so that no secret stands in the file; and what the environment said is never repeated.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Either from "effect/Either"
import * as Yaml from "yaml"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * Where something stands: names of fields, and positions in lists.
 *
 * @since 0.1.0
 * @category models
 */
export type Path = ReadonlyArray<PropertyKey>

/**
 * Something in a text that cannot be.
 *
 * @since 0.1.0
 * @category models
 */
export interface Problem {
  /** From 1; absent where it is the text as a whole. */
  readonly line?: number
  /** As `backends.groq.keys.0`; empty where it is the text as a whole. */
  readonly field: string
  readonly message: string
}

/**
 * A text, read.
 *
 * @since 0.1.0
 * @category models
 */
export interface Text {
  /** What it says, with what the environment says in its place. */
  readonly contents: unknown
  /** What is wrong with a field, by its line, or that of the nearest that it would be part of. */
  readonly problem: (path: Path, message: string) => Problem
  readonly holds: (path: Path) => boolean
}

// -----------------------------------------------------------------------------
// conversions
// -----------------------------------------------------------------------------

/**
 * Problems, one a line, as `file:line: field: message`, in the order of the file.
 *
 * @since 0.1.0
 * @category conversions
 */
export const explain = (file: string, problems: ReadonlyArray<Problem>): string =>
  problems.toSorted((one, other) => (one.line ?? 0) - (other.line ?? 0)).map(({ field, line, message }) =>
    [line === undefined ? file : `${file}:${line}`, ...(field === "" ? [] : [field]), message].join(": ")
  ).join("\n")

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Reads a text. `environment` is where `${NAME}` is looked up.
 *
 * @since 0.1.0
 * @category constructors
 */
export const parse = (
  source: string,
  environment: (name: string) => string | undefined
): Either.Either<Text, Arr.NonEmptyReadonlyArray<Problem>> => {
  const lines = new Yaml.LineCounter()
  const document = Yaml.parseDocument(source, { lineCounter: lines })
  const [broken] = document.errors
  if (broken !== undefined) {
    return Either.left([{ line: lines.linePos(broken.pos[0]).line, field: "", message: firstLine(broken.message) }])
  }
  const outer = new Set<string>()
  const problem: Text["problem"] = (path, message) => {
    const field = path.map(String).join(".")
    const place = placeOf(document.contents, path)
    return {
      field,
      message: outer.has(field) ? message.replace(/, not [^]*$/, "") : message,
      ...(place !== undefined && { line: lines.linePos(place).line })
    }
  }
  const missing: Array<Problem> = []
  const contents = substitute(document.toJS() as unknown, [], (name, path) => {
    const value = environment(name)
    outer.add(path.map(String).join("."))
    if (value === undefined) missing.push(problem(path, `the environment has no ${name}`))
    return value ?? ""
  })
  return Arr.isNonEmptyArray(missing)
    ? Either.left(missing)
    : Either.right({ contents, problem, holds: (path) => document.hasIn(path) })
}

const firstLine = (text: string) => text.split("\n", 1)[0] ?? text

/** Where a field begins, or else the nearest that it would be part of. */
const placeOf = (root: unknown, path: Path): number | undefined => {
  let node = root
  let found = startOf(node)
  for (const key of path) {
    const pair = Yaml.isMap(node) ? node.items.find((pair) => Yaml.isScalar(pair.key) && pair.key.value === key) : undefined
    node = pair === undefined && Yaml.isSeq(node) ? node.get(key, true) : pair?.value
    found = startOf(pair === undefined ? node : pair.key) ?? found
  }
  return path.length === 0 ? undefined : found
}

const startOf = (node: unknown): number | undefined => Yaml.isNode(node) ? node.range?.[0] : undefined

/** Puts in what the environment says, everywhere but in names. */
const substitute = (value: unknown, path: Path, lookUp: (name: string, path: Path) => string): unknown => {
  if (typeof value === "string") {
    return value.replace(/\$\{([A-Za-z_]\w*)\}/g, (_, name: string) => lookUp(name, path))
  }
  if (Array.isArray(value)) return value.map((item, index) => substitute(item, [...path, index], lookUp))
  return typeof value === "object" && value !== null
    ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, substitute(item, [...path, key], lookUp)]))
    : value
}
