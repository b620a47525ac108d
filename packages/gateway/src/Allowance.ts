/**
 * How much a client may still ask for: requests and tokens that come back evenly, and calls at once. Every step is
 * synchronous; `now` is the `Clock`'s time in milliseconds.
 *
 * Only what is granted is taken: who is refused leaves no trace. Where more was used than had been taken for it, the rest
 * is owed, and nothing is granted until it has come back.
 *
 * @since 0.1.0
 */
import * as InvalidOptions from "@spillway/core/InvalidOptions"
import * as Schema from "effect/Schema"

// -----------------------------------------------------------------------------
// options
// -----------------------------------------------------------------------------

/**
 * How much may be asked, and of what.
 *
 * @since 0.1.0
 * @category models
 */
export interface Limits {
  /** Requests per minute, from 1; those of a whole minute may come at once. @default no limit */
  readonly requestsPerMinute?: number | undefined
  /**
   * Tokens per minute, from 1. A call takes what it is estimated to use, and is charged what it has used; one that is
   * estimated at more than a minute's goes when all of them are there.
   *
   * @default no limit
   */
  readonly tokensPerMinute?: number | undefined
  /** Most calls at once, from 1; a stream is one until its last byte. @default no limit */
  readonly maxConcurrent?: number | undefined
  /**
   * Most tokens that a call may have generated, from 1. A request that asks for more is refused, and one that says
   * nothing is sent with this.
   *
   * @default no limit
   */
  readonly maxTokens?: number | undefined
  /**
   * The models that may be asked for, as clients name them; a `*` at the end stands for anything (`groq/*`). Others are
   * not there, for this client.
   *
   * @default all
   */
  readonly models?: ReadonlyArray<string> | undefined
}

/**
 * The fields of the options, as they are read.
 *
 * @since 0.1.0
 * @category schemas
 */
export const fields = {
  requestsPerMinute: Schema.optional(InvalidOptions.whole({ atLeast: 1 })),
  tokensPerMinute: Schema.optional(InvalidOptions.whole({ atLeast: 1 })),
  maxConcurrent: Schema.optional(InvalidOptions.whole({ atLeast: 1 })),
  maxTokens: Schema.optional(InvalidOptions.whole({ atLeast: 1 })),
  models: Schema.optional(Schema.Array(InvalidOptions.name))
}

// -----------------------------------------------------------------------------
// allowances
// -----------------------------------------------------------------------------

/**
 * What may still be asked for.
 *
 * @since 0.1.0
 * @category models
 */
export interface Allowance {
  readonly maxTokens: number | undefined
  readonly maxConcurrent: number
  readonly mayUse: (model: string) => boolean
  readonly requests: Bucket | undefined
  readonly tokens: Bucket | undefined
  /** Calls under way. */
  active: number
}

interface Bucket {
  readonly capacity: number
  level: number
  /** When it was at that level. */
  at: number
}

/**
 * All of it.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = ({ maxConcurrent = Infinity, maxTokens, models, requestsPerMinute, tokensPerMinute }: Limits): Allowance => ({
  maxTokens,
  maxConcurrent,
  mayUse: models === undefined ? () => true : anyOf(models),
  requests: bucket(requestsPerMinute),
  tokens: bucket(tokensPerMinute),
  active: 0
})

const anyOf = (patterns: ReadonlyArray<string>) => {
  const names = new Set(patterns)
  const beginnings = patterns.flatMap((pattern) => pattern.endsWith("*") ? [pattern.slice(0, -1)] : [])
  return (model: string) => names.has(model) || beginnings.some((beginning) => model.startsWith(beginning))
}

const bucket = (perMinute: number | undefined): Bucket | undefined =>
  perMinute === undefined ? undefined : { capacity: perMinute, level: perMinute, at: 0 }

/**
 * Takes a request, and a place for its call, from all of them or from none; in the latter case, how many milliseconds
 * from now it may be there. How long a place takes nobody knows: about a second.
 *
 * @since 0.1.0
 * @category combinators
 */
export const enter = (allowances: ReadonlyArray<Allowance>, now: number): number | undefined => {
  const wait = longest(allowances, ({ active, maxConcurrent, requests }) =>
    Math.max(active < maxConcurrent ? 0 : 1000, waitFor(requests, 1, now)))
  if (wait > 0) return wait
  for (const allowance of allowances) {
    if (allowance.requests !== undefined) allowance.requests.level--
    allowance.active++
  }
  return undefined
}

/**
 * Gives the place back.
 *
 * @since 0.1.0
 * @category combinators
 */
export const leave = (allowances: ReadonlyArray<Allowance>): void => {
  for (const allowance of allowances) allowance.active--
}

/**
 * Takes tokens from all of them or from none; in the latter case, how many milliseconds from now they are there.
 *
 * @since 0.1.0
 * @category combinators
 */
export const reserve = (allowances: ReadonlyArray<Allowance>, amount: number, now: number): number | undefined => {
  const wait = longest(allowances, ({ tokens }) => waitFor(tokens, amount, now))
  if (wait > 0) return wait
  charge(allowances, amount, now)
  return undefined
}

/**
 * Takes tokens that were used, there or not; gives them back where the amount is negative.
 *
 * @since 0.1.0
 * @category combinators
 */
export const charge = (allowances: ReadonlyArray<Allowance>, amount: number, now: number): void => {
  for (const { tokens } of allowances) {
    if (tokens !== undefined) tokens.level = Math.min(tokens.capacity, fill(tokens, now).level - amount)
  }
}

const minute = 60_000

// a clock that is set back gives nothing, and makes nobody wait for its return
const fill = (bucket: Bucket, now: number): Bucket => {
  if (now > bucket.at) {
    bucket.level = Math.min(bucket.capacity, bucket.level + (now - bucket.at) * bucket.capacity / minute)
  }
  bucket.at = now
  return bucket
}

// what is lost in adding up fractions is not waited for
const rounding = 1e-6

const waitFor = (bucket: Bucket | undefined, amount: number, now: number): number => {
  if (bucket === undefined) return 0
  const missing = Math.min(amount, bucket.capacity) - fill(bucket, now).level
  return missing <= rounding ? 0 : Math.ceil(missing / bucket.capacity * minute)
}

const longest = (allowances: ReadonlyArray<Allowance>, waitOf: (allowance: Allowance) => number): number =>
  allowances.reduce((wait, allowance) => Math.max(wait, waitOf(allowance)), 0)
