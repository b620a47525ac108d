/**
 * The JSON that a model wrote, as a value of a Schema.
 */
import * as Effect from "effect/Effect"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"

/** Says what is wrong with a value. */
export type Describe = (issue: ParseResult.ParseIssue) => string

/** Reads JSON text by a schema; fails with what is wrong. */
export const decode = <A, I>(schema: Schema.Schema<A, I>, describe: Describe) => {
  const read = Schema.decodeUnknown(schema, { errors: "first" })
  return (text: string): Effect.Effect<A, string> =>
    Effect.flatMap(parse(text), (json) => Effect.mapError(read(json), ({ issue }) => describe(issue)))
}

const parse = (text: string): Effect.Effect<unknown, string> =>
  Effect.try({ try: () => JSON.parse(text) as unknown, catch: () => text.trim() === "" ? "is empty" : "is not JSON" })

/** In the schema's own words, which may repeat what the model wrote: for the model. */
export const inFull: Describe = (issue) => {
  const first = ParseResult.ArrayFormatter.formatIssueSync(issue)[0]
  return first === undefined ? inOutline(issue) : at(first.path, first.message)
}

/** By place and expectation, never repeating what the model wrote: for logs. */
export const inOutline: Describe = (issue) => outline(issue, [])

const outline = (issue: ParseResult.ParseIssue, path: ReadonlyArray<PropertyKey>): string => {
  switch (issue._tag) {
    case "Pointer":
      return outline(issue.issue, path.concat(issue.path))
    case "Composite": {
      const [only, ...others] = "_tag" in issue.issues ? [issue.issues] : issue.issues
      return only === undefined || others.length > 0 ? at(path, `expected ${short(issue.ast)}`) : outline(only, path)
    }
    case "Refinement":
    case "Transformation":
      return issue.kind === "Predicate" || issue.kind === "Transformation"
        ? at(path, `expected ${short(issue.ast)}`)
        : outline(issue.issue, path)
    case "Type":
      return at(path, `expected ${short(issue.ast)}`)
    case "Missing":
      return at(path, "is missing")
    case "Unexpected":
      return at(path, "is unexpected")
    case "Forbidden":
      return at(path, "cannot be decoded")
  }
}

const at = (path: ReadonlyArray<PropertyKey>, what: string): string =>
  path.length === 0
    ? what
    : `${path.map((key, index) => typeof key === "number" ? `[${key}]` : `${index === 0 ? "" : "."}${String(key)}`).join("")}: ${what}`

const short = (what: unknown): string => {
  const text = String(what)
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}
