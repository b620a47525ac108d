/**
 * A setting that cannot be meant: said when a thing is built, naming the field, the value and the range, and never at
 * the first call.
 *
 * A module describes its options as a `Schema.Struct` of the fields below, defaults included, and `validate`s what it
 * was given.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import { identity } from "effect/Function"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"

/**
 * An option has a value outside its range, or there is no such option.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidOptions extends Schema.TaggedError<InvalidOptions>("@spillway/core/InvalidOptions")(
  "InvalidOptions",
  {
    /** Whose options they are. */
    module: Schema.String,
    /** Which option; a path (`retry.cap`) where options hold options, empty when it is them all together. */
    field: Schema.String,
    /** What is wrong, for people. */
    message: Schema.String
  }
) {}

/**
 * Reads options by their schema, defaults filled in: at the first field that is wrong, or unknown, it fails with that
 * field. The result is an Effect too.
 *
 * @since 0.1.0
 * @category constructors
 * @example
 * ```ts
 * import { InvalidOptions } from "@spillway/core"
 * import { Either, Schema } from "effect"
 * import * as assert from "node:assert"
 *
 * const Options = Schema.Struct({
 *   seats: Schema.optionalWith(InvalidOptions.whole({ atLeast: 1 }), { default: () => 4 })
 * })
 * const read = InvalidOptions.validate("Table", Options)
 * assert.deepStrictEqual(read({}), Either.right({ seats: 4 }))
 * assert.strictEqual(
 *   Either.getOrThrow(Either.flip(read({ seats: 0 }))).message,
 *   "Table.seats: must be a whole number of at least 1, not 0"
 * )
 * ```
 */
export const validate = <A, I>(
  module: string,
  schema: Schema.Schema<A, I>
): (options: I) => Either.Either<A, InvalidOptions> => {
  const decode = Schema.decodeUnknownEither(schema, { errors: "first", onExcessProperty: "error" })
  return (options) =>
    Either.mapLeft(decode(options), (error) => {
      // where alternatives were tried, the one that got furthest knows best
      const [issue] = ParseResult.ArrayFormatter.formatErrorSync(error).toSorted(
        (one, other) => other.path.length - one.path.length
      )
      const field = issue?.path.map(String).join(".") ?? ""
      return new InvalidOptions({
        module,
        field,
        message: `${field === "" ? module : `${module}.${field}`}: ${issue?.message ?? error.message}`
      })
    })
}

// -----------------------------------------------------------------------------
// fields
// -----------------------------------------------------------------------------

/**
 * Where a field's values begin and end, both included.
 *
 * @since 0.1.0
 * @category models
 */
export interface Range<A> {
  readonly atLeast?: A
  readonly atMost?: A
}

const within = (n: number, { atLeast, atMost }: Range<number>) =>
  (atLeast === undefined || n >= atLeast) && (atMost === undefined || n <= atMost)

// Effect reads a duration below zero, or NaN, as zero
const isNegative = (u: unknown): boolean =>
  typeof u === "number" || typeof u === "bigint"
    ? !(u >= 0)
    : typeof u === "string"
    ? u.startsWith("-")
    : Array.isArray(u) && u.some(isNegative)

const says = (what: string, range: Range<number>, format: (n: number) => string) => {
  const { atLeast, atMost } = range
  const bounds = atLeast !== undefined && atMost !== undefined
    ? ` from ${format(atLeast)} to ${format(atMost)}`
    : atLeast !== undefined
    ? ` of at least ${format(atLeast)}`
    : atMost !== undefined
    ? ` of at most ${format(atMost)}`
    : ""
  return (issue: ParseResult.ParseIssue) => ({
    message: `must be ${what}${bounds}, not ${shown(issue.actual)}`,
    override: true
  })
}

const toBounds = ({ atLeast, atMost }: Range<number>) => ({
  ...(atLeast !== undefined && { minimum: atLeast }),
  ...(atMost !== undefined && { maximum: atMost })
})

const shown = (u: unknown): string =>
  Duration.isDuration(u)
    ? Duration.format(u)
    : typeof u === "string"
    ? `"${u.length > 40 ? `${u.slice(0, 40)}…` : u}"`
    : typeof u === "object" && u !== null || typeof u === "function"
    ? `a value of another kind (${Array.isArray(u) ? "array" : typeof u})`
    : String(u)

/**
 * A whole number: a count, a limit.
 *
 * @since 0.1.0
 * @category fields
 */
export const whole = (range: Range<number> = {}): Schema.Schema<number> =>
  Schema.Number.pipe(
    Schema.filter((n) => Number.isSafeInteger(n) && within(n, range)),
    Schema.annotations({
      message: says("a whole number", range, String),
      jsonSchema: { type: "integer", ...toBounds(range) }
    })
  )

/**
 * A number: a factor, a share.
 *
 * @since 0.1.0
 * @category fields
 */
export const number = (range: Range<number> = {}): Schema.Schema<number> =>
  Schema.Number.pipe(
    Schema.filter((n) => Number.isFinite(n) && within(n, range)),
    Schema.annotations({ message: says("a number", range, String), jsonSchema: { type: "number", ...toBounds(range) } })
  )

/**
 * A length of time, written in any way that Effect reads one. Forever is `Duration.infinity`, unless `atMost` says
 * otherwise.
 *
 * @since 0.1.0
 * @category fields
 */
export const duration = (
  range: Range<Duration.DurationInput> = {}
): Schema.Schema<Duration.Duration, Duration.DurationInput> => {
  const millis: Range<number> = {
    ...(range.atLeast !== undefined && { atLeast: Duration.toMillis(range.atLeast) }),
    ...(range.atMost !== undefined && { atMost: Duration.toMillis(range.atMost) })
  }
  return Schema.transform(
    Schema.declare((u): u is Duration.DurationInput =>
      !isNegative(u) && Option.exists(Duration.decodeUnknown(u), (read) => within(Duration.toMillis(read), millis))
    ),
    Schema.DurationFromSelf,
    { strict: true, decode: (input) => Duration.decode(input), encode: identity }
  ).annotations({
    message: says("a duration", millis, (n) => Duration.format(Duration.millis(n))),
    jsonSchema: {
      anyOf: [
        { type: "string", pattern: String.raw`^\d+(\.\d+)?\s+(nano|micro|milli|second|minute|hour|day|week)s?$` },
        { type: "number", ...toBounds({ atLeast: 0, ...millis }) }
      ]
    }
  })
}

/**
 * A text that is not empty: a name.
 *
 * @since 0.1.0
 * @category fields
 */
export const name: Schema.Schema<string> = Schema.String.pipe(
  Schema.filter((text) => text.trim() !== ""),
  Schema.annotations({
    message: says("a text that is not empty", {}, String),
    jsonSchema: { type: "string", pattern: String.raw`\S` }
  })
)

/**
 * One of a few words.
 *
 * @since 0.1.0
 * @category fields
 */
export const oneOf = <const Words extends readonly [string, ...Array<string>]>(
  ...words: Words
): Schema.Schema<Words[number]> =>
  Schema.Literal(...words).annotations({ message: says(words.map((word) => `"${word}"`).join(" or "), {}, String) })
