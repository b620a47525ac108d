/**
 * The simulator's options, and what becomes of them once they are checked.
 *
 * @since 0.1.0
 */
import * as InvalidOptions from "@spillway/core/InvalidOptions"
import * as Arr from "effect/Array"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Fault from "./Fault.js"
import * as Seed from "./Seed.js"

/**
 * How a vendor is down: it closes each connection, answers each request with its error for being overloaded, or
 * accepts the request and never answers.
 *
 * @since 0.1.0
 * @category models
 */
export type Outage = "refuse" | "error" | "hang"

/**
 * In which form a 429 says how long to wait. `vendor`: as that vendor does (OpenAI in both seconds and milliseconds,
 * the others in seconds). `seconds`: `retry-after`, rounded up. `date`: `retry-after` as an HTTP date, rounded up.
 * `milliseconds`: `retry-after-ms` alone. `none`: not at all.
 *
 * @since 0.1.0
 * @category models
 */
export type RetryAfter = "vendor" | "seconds" | "date" | "milliseconds" | "none"

/**
 * What can be set. Everything has a default: four keys, generous limits, no delay and no fault.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * The keys that are accepted, the same on every wire, or how many there shall be: at least 1, named `sim-key-1` and
   * so on. Each has limits of its own on each wire.
   * @default 4
   */
  readonly keys?: number | ReadonlyArray<string | Redacted.Redacted> | undefined
  /**
   * Requests per minute and key, greater than 0; `Infinity` lifts the limit, and its headers with it.
   * @default 500
   */
  readonly requestsPerMinute?: number | undefined
  /**
   * Tokens (in and out) per minute and key, greater than 0; `Infinity` lifts the limit.
   * @default 200000
   */
  readonly tokensPerMinute?: number | undefined
  /**
   * Requests per day and key, greater than 0; `Infinity` lifts the limit. Only Groq has such a limit, and its
   * `x-ratelimit-*-requests` headers count it instead of the minute's.
   * @default 14400
   */
  readonly requestsPerDay?: number | undefined
  /**
   * How many requests of a key's minute may come at once, at least 1.
   * @default requestsPerMinute
   */
  readonly burst?: number | undefined
  /**
   * The time until the first token, at most a day.
   * @default 0
   */
  readonly latency?: Duration.DurationInput | undefined
  /**
   * By which share of it the latency varies, up and down: 0 to 1.
   * @default 0
   */
  readonly jitter?: number | undefined
  /**
   * The time from one token to the next, at most a day; an answer that is not streamed takes as long in all.
   * @default 0
   */
  readonly tokenDelay?: Duration.DurationInput | undefined
  /**
   * How many tokens an answer in plain text is filled up to: 1 to 100000. It is never shorter than what it has to say.
   * @default 48
   */
  readonly answerTokens?: number | undefined
  /**
   * Which share of the requests meets which fault; each 0 to 1, at most 1 in all.
   * @default {}
   */
  readonly faults?: Fault.Shares | undefined
  /**
   * What the faults, the jitter and the identifiers are drawn from: the same seed, the same sequence.
   * @default 1
   */
  readonly seed?: number | string | undefined
  /**
   * Names of further models that every wire has. A name with `embed` in it is an embedding model, one that ends in
   * `-reasoning` thinks aloud.
   * @default []
   */
  readonly models?: ReadonlyArray<string> | undefined
  /**
   * Whether all vendors are down from the start, and how.
   * @default "none"
   */
  readonly outage?: Outage | "none" | undefined
  /**
   * In which form a 429 says how long to wait.
   * @default "vendor"
   */
  readonly retryAfter?: RetryAfter | undefined
  /**
   * How many of the latest requests are remembered, at least 0.
   * @default 1000
   */
  readonly log?: number | undefined
}

/**
 * The options, checked, with every default in place and every duration in milliseconds.
 *
 * @since 0.1.0
 * @category models
 */
export interface Settings {
  readonly keys: Arr.NonEmptyReadonlyArray<string>
  readonly requestsPerMinute: number
  readonly tokensPerMinute: number
  readonly requestsPerDay: number
  readonly burst: number
  readonly latencyMillis: number
  readonly jitter: number
  readonly tokenDelayMillis: number
  readonly answerTokens: number
  readonly faults: Fault.Shares
  readonly seed: number
  readonly models: ReadonlyArray<string>
  readonly outage: Outage | "none"
  readonly retryAfter: RetryAfter
  readonly log: number
}

// a limit may be lifted, so these may be infinite
const atLeastOne = Schema.NonNaN.pipe(Schema.filter((n) => n >= 1 || "must be at least 1"))
const positive = Schema.NonNaN.pipe(Schema.filter((n) => n > 0 || "must be greater than 0"))
const share = InvalidOptions.number({ atLeast: 0, atMost: 1 })
const millis = InvalidOptions.duration({ atMost: "1 day" })
const key = Schema.Union(Schema.String, Schema.RedactedFromSelf(Schema.String)).pipe(
  Schema.filter(
    (key) => (Redacted.isRedacted(key) ? Redacted.value(key) : key).trim() !== "" || "a key must not be empty"
  )
)

const withDefault = <A, I>(schema: Schema.Schema<A, I>, value: A) =>
  Schema.optionalWith(schema, { default: () => value })

const shares = Schema.partial(Schema.Record({ key: Schema.Literal(...Fault.all), value: share })).pipe(
  Schema.filter(
    (faults) =>
      Object.values(faults).reduce<number>((sum, one) => sum + (one ?? 0), 0) <= 1 + 1e-9 ||
      "the shares must add up to at most 1"
  )
)

const validate = InvalidOptions.validate(
  "Simulator",
  Schema.Struct({
    keys: withDefault(
      Schema.Union(
        InvalidOptions.whole({ atLeast: 1 }),
        Schema.Array(key).pipe(
          Schema.filter((keys): keys is Arr.NonEmptyReadonlyArray<string | Redacted.Redacted> => keys.length > 0, {
            message: () => "there must be a key"
          })
        )
      ),
      4
    ),
    requestsPerMinute: withDefault(positive, 500),
    tokensPerMinute: withDefault(positive, 200_000),
    requestsPerDay: withDefault(positive, 14_400),
    burst: Schema.optional(atLeastOne),
    latency: withDefault(millis, Duration.zero),
    jitter: withDefault(share, 0),
    tokenDelay: withDefault(millis, Duration.zero),
    answerTokens: withDefault(InvalidOptions.whole({ atLeast: 1, atMost: 100_000 }), 48),
    faults: withDefault(shares, {}),
    seed: withDefault(Schema.Union(Schema.NonNaN, Schema.String), 1),
    models: withDefault(Schema.Array(Schema.NonEmptyTrimmedString), []),
    outage: withDefault(InvalidOptions.oneOf("none", "refuse", "error", "hang"), "none"),
    retryAfter: withDefault(InvalidOptions.oneOf("vendor", "seconds", "date", "milliseconds", "none"), "vendor"),
    log: withDefault(InvalidOptions.whole({ atLeast: 0 }), 1000)
  })
)

/**
 * Checks options. `undefined` counts as not given.
 *
 * @since 0.1.0
 * @category conversions
 */
export const from = (options: Options): Either.Either<Settings, InvalidOptions.InvalidOptions> =>
  Either.map(validate(options), ({ burst, keys, latency, seed, tokenDelay, ...rest }) => ({
    ...rest,
    keys: typeof keys === "number"
      ? Arr.makeBy(keys, (index) => `sim-key-${index + 1}`)
      : Arr.map(keys, (key) => (Redacted.isRedacted(key) ? Redacted.value(key) : key)),
    burst: burst ?? Math.max(1, rest.requestsPerMinute),
    latencyMillis: Duration.toMillis(latency),
    tokenDelayMillis: Duration.toMillis(tokenDelay),
    seed: Seed.of(seed)
  }))
