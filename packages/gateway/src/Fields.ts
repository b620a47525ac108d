/**
 * Decodes a JSON body by a Schema, and says of the first field that is wrong its name and what it must be, in the way
 * that clients of HTTP APIs know (`messages[0].content must be a string`), and never the value that stood there.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import { field, Refusal } from "./Refusal.js"

/**
 * Decodes by a closed schema: a field that the schema does not name is refused too.
 *
 * @since 0.1.0
 * @category constructors
 */
export const decode = <A, I>(schema: Schema.Schema<A, I>): (body: unknown) => Either.Either<A, Refusal> => {
  const decode = Schema.decodeUnknownEither(schema, { errors: "first", onExcessProperty: "error" })
  return (body) =>
    Predicate.isRecord(body)
      ? Either.mapLeft(decode(body), (error) => {
        const { path, says } = deepest(error.issue)
        return field(toName(path), says)
      })
      : Either.left(new Refusal({ reason: "InvalidRequest", message: "The body must be a JSON object" }))
}

// -----------------------------------------------------------------------------
// fields
// -----------------------------------------------------------------------------

const Says = Symbol.for("@spillway/gateway/Fields/says")

/**
 * A field that may be left out, or be null, which is the same.
 *
 * @since 0.1.0
 * @category fields
 */
export const optional = <A, I>(schema: Schema.Schema<A, I>) =>
  Schema.optionalWith(Schema.NullOr(schema), { exact: true })

/**
 * Puts into words what a field must be, for a schema whose own description would not do.
 *
 * @since 0.1.0
 * @category fields
 */
export const saying = (says: string) => <A, I>(schema: Schema.Schema<A, I>): Schema.Schema<A, I> =>
  schema.annotations({ [Says]: says })

/**
 * A field that the API documents and that cannot be honoured: only null is taken.
 *
 * @since 0.1.0
 * @category fields
 */
export const unsupported = optional(Schema.Null.pipe(saying("is not supported by this gateway")))

/**
 * A field of which only the value that asks for nothing special can be honoured.
 *
 * @since 0.1.0
 * @category fields
 */
export const only = <const Value extends AST.LiteralValue>(value: Value) =>
  optional(Schema.Literal(value).pipe(saying(`must be ${JSON.stringify(value)}: nothing else is supported by this gateway`)))

// -----------------------------------------------------------------------------
// what is wrong
// -----------------------------------------------------------------------------

interface Fault {
  readonly path: ReadonlyArray<PropertyKey>
  readonly says: string
}

// Of the ways in which the members of a union were missed, the one that got furthest is what was meant; and that is not
// the one of which there is not even the field that tells it from the others.
const isNearer = (one: Fault, other: Fault): boolean =>
  one.path.length > other.path.length || one.path.length === other.path.length && other.says === missing && one.says !== missing

const missing = "is missing"

const deepest = (issue: ParseResult.ParseIssue): Fault => {
  switch (issue._tag) {
    case "Pointer": {
      const { path, says } = deepest(issue.issue)
      return { path: [...(typeof issue.path === "object" ? issue.path : [issue.path]), ...path], says }
    }
    case "Missing":
      return { path: [], says: missing }
    case "Unexpected":
      return { path: [], says: "is not a field of this API" }
    case "Type":
    case "Forbidden":
      return { path: [], says: describe(issue.ast) }
    case "Refinement":
    case "Transformation": {
      const inner = deepest(issue.issue)
      return inner.path.length > 0 ? inner : { path: [], says: own(issue.ast) ?? inner.says }
    }
    case "Composite": {
      const { ast, issues } = issue
      const faults = ("_tag" in issues ? [issues] : issues).map(deepest)
      const inner = faults.reduce((best, next) => isNearer(next, best) ? next : best)
      return inner.path.length > 0 ? inner : { path: [], says: AST.isUnion(ast) ? describe(ast) : inner.says }
    }
  }
}

const own = (ast: AST.AST): string | undefined => {
  const says = ast.annotations[Says]
  return typeof says === "string" ? says : undefined
}

const describe = (ast: AST.AST): string => {
  const says = own(ast)
  if (says !== undefined) return says
  if (!AST.isUnion(ast)) return `must be ${kind(ast)}`
  // null stands for what is left out, and nobody needs to be told
  const types = ast.types.filter((type) => own(type) !== undefined || !AST.isLiteral(type) || type.literal !== null)
  const literals = types.filter(AST.isLiteral)
  return literals.length > 1 && literals.length === types.length
    ? `must be one of ${literals.map(({ literal }) => JSON.stringify(literal)).join(", ")}`
    : [...new Set(types.map(describe))].join(", or ")
}

const kind = (ast: AST.AST): string =>
  AST.isTransformation(ast)
    ? kind(ast.from)
    : AST.isTypeLiteral(ast)
    ? "an object"
    : AST.isTupleType(ast)
    ? "a list"
    : Option.getOrElse(AST.getDescriptionAnnotation(ast), () => String(ast))

// a name that the client made up may be of any length
const toName = (path: ReadonlyArray<PropertyKey>): string =>
  path.reduce<string>((name, key) => {
    const step = String(key).slice(0, 100)
    return typeof key === "number" ? `${name}[${step}]` : name === "" ? step : `${name}.${step}`
  }, "")
