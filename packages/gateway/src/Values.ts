/**
 * What the fields of requests may hold, whichever API they belong to: numbers within bounds, lists that are not
 * endless, names of models and of tools, addresses of pictures and files.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as Fields from "./Fields.js"

// -----------------------------------------------------------------------------
// numbers and lists
// -----------------------------------------------------------------------------

/**
 * A whole number from `least` to `most`.
 *
 * @since 0.1.0
 * @category values
 */
export const whole = (least: number, most = Number.MAX_SAFE_INTEGER): Schema.Schema<number> =>
  Schema.Number.pipe(
    Schema.filter((n) => Number.isSafeInteger(n) && n >= least && n <= most),
    Fields.saying(
      most === Number.MAX_SAFE_INTEGER
        ? `must be a whole number of at least ${least}`
        : `must be a whole number from ${least} to ${most}`
    )
  )

/**
 * A number from `least` to `most`.
 *
 * @since 0.1.0
 * @category values
 */
export const between = (least: number, most: number): Schema.Schema<number> =>
  Schema.Number.pipe(
    Schema.filter((n) => n >= least && n <= most),
    Fields.saying(`must be a number from ${least} to ${most}`)
  )

/**
 * A list of `least` to `most` items.
 *
 * @since 0.1.0
 * @category values
 */
export const list = <A, I>(
  items: Schema.Schema<A, I>,
  least: number,
  most: number
): Schema.Schema<ReadonlyArray<A>, ReadonlyArray<I>> =>
  Schema.Array(items).pipe(
    Schema.filter((items) => items.length >= least && items.length <= most),
    Fields.saying(least === 0 ? `must be a list of at most ${most}` : `must be a list of ${least} to ${most}`)
  )

/**
 * What makes sampling repeatable.
 *
 * @since 0.1.0
 * @category values
 */
export const seed: Schema.Schema<number> = whole(Number.MIN_SAFE_INTEGER).pipe(Fields.saying("must be a whole number"))

/**
 * Texts at which generation ends, or one of them.
 *
 * @since 0.1.0
 * @category values
 */
export const stop: Schema.Schema<string | ReadonlyArray<string>> = Schema.Union(
  Schema.NonEmptyString,
  list(Schema.NonEmptyString, 0, 16)
).pipe(Fields.saying("must be a text, or a list of at most 16"))

// -----------------------------------------------------------------------------
// names
// -----------------------------------------------------------------------------

/**
 * The name of a model.
 *
 * @since 0.1.0
 * @category values
 */
export const model: Schema.Schema<string> = Schema.String.pipe(
  Schema.pattern(/^[^\p{Cc}\p{Zl}\p{Zp}]{1,256}$/u),
  Fields.saying("must be the name of a model, of at most 256 characters")
)

/**
 * An opaque id of an end user.
 *
 * @since 0.1.0
 * @category values
 */
export const user: Schema.Schema<string> = Schema.String.pipe(
  Schema.maxLength(512),
  Fields.saying("must be an id of at most 512 characters")
)

/**
 * The name of a tool, or of a schema.
 *
 * @since 0.1.0
 * @category values
 */
export const toolName: Schema.Schema<string> = Schema.String.pipe(
  Schema.pattern(/^[a-zA-Z0-9_-]{1,64}$/),
  Fields.saying("must be a name of 1 to 64 letters, digits, _ and -")
)

// -----------------------------------------------------------------------------
// data
// -----------------------------------------------------------------------------

/**
 * A JSON Schema, as plain data.
 *
 * @since 0.1.0
 * @category values
 */
export const jsonSchema: Schema.Schema<{ readonly [key: string]: unknown }> = Schema.Record({
  key: Schema.String,
  value: Schema.Unknown
}).pipe(Fields.saying("must be a JSON Schema, which is an object"))

/**
 * The address of something that the backend fetches, or the thing itself in base64.
 *
 * @since 0.1.0
 * @category values
 */
export const url: Schema.Schema<string> = Schema.String.pipe(
  Schema.filter((url) => /^(?:https?:\/\/\S+|data:[^;,\s]+;base64,[\w+/=-]+)$/i.test(url)),
  Fields.saying("must be an http(s) URL, or a data: URL of base64")
)

/**
 * A file itself, in base64, with its media type.
 *
 * @since 0.1.0
 * @category values
 */
export const dataUrl: Schema.Schema<string> = Schema.String.pipe(
  Schema.filter((url) => /^data:[^;,\s]+;base64,[\w+/=-]+$/i.test(url)),
  Fields.saying("must be a data: URL of base64 (data:application/pdf;base64,…)")
)
