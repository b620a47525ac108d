/**
 * What there is to set of a pool and of each of its keys.
 */
import type * as Arr from "effect/Array"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as InvalidOptions from "../InvalidOptions.js"
import * as Strategy from "./keyStrategy.js"

/**
 * What may be set of a key, or of every key of a pool.
 *
 * @since 0.1.0
 * @category models
 */
export interface KeyOptions {
  /**
   * How much of the work it gets, next to the others, with the strategy `weighted`; 0.001 to 1,000,000.
   *
   * @default 1
   */
  readonly weight?: number | undefined
  /**
   * What a request costs with it, next to the others and in any unit, for the strategy `lowest-cost`; from 0.
   *
   * @default 0
   */
  readonly cost?: number | undefined
  /**
   * Most attempts under way with it, from 1; whoever comes when all keys have theirs waits, in order of arrival. The
   * place to wait is the queue: let its concurrency be no more than all of these together.
   *
   * @default no limit
   */
  readonly maxConcurrent?: number | undefined
  /**
   * Requests per minute, from 1. They come back evenly.
   *
   * @default no limit but what the backend's headers or refusals teach
   */
  readonly requestsPerMinute?: number | undefined
  /**
   * Most requests at once, from 1, where there is a limit of requests per minute.
   *
   * @default the requests of a whole minute
   */
  readonly burst?: number | undefined
  /**
   * Tokens per minute, from 1. A request takes what it is estimated to use (`Tokens.estimate`), and is charged what it
   * has used; one that is estimated at more than a minute's goes when all of them are there.
   *
   * @default no limit but what the backend's headers teach
   */
  readonly tokensPerMinute?: number | undefined
  /**
   * Requests on a day of the calendar, from 1. When they are used up, the key is out of quota until the day ends.
   *
   * @default no limit
   */
  readonly requestsPerDay?: number | undefined
  /**
   * The time zone in which a day ends (`America/Los_Angeles`, `+02:00`).
   *
   * @default "UTC"
   */
  readonly resetZone?: string | undefined
  /**
   * What it may cost, in micro-dollars (millionths of a dollar), from 0, counted since it was put into the pool or
   * taken back into use; then it is out of quota until it is taken back. It needs to be known what a call costs
   * (`PriceBook.CurrentPriceBook`), and what is under way when the limit is reached comes on top.
   *
   * @default no limit
   */
  readonly spendLimit?: number | undefined
}

/**
 * A key with a name for people; the name is what statistics, logs and errors show.
 *
 * @since 0.1.0
 * @category models
 */
export interface NamedKey extends KeyOptions {
  /**
   * The name.
   *
   * @default `key-1`, `key-2` …, by its position
   */
  readonly name?: string | undefined
  readonly key: Redacted.Redacted
}

/**
 * What is set of keys that are known by a name already, and what else they are to be called.
 *
 * @since 0.1.0
 * @category models
 */
export interface OfKeys {
  readonly [name: string]: Omit<NamedKey, "key">
}

/**
 * What a pool is made of. What may be set of a key is set here of every key that does not say otherwise.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends KeyOptions {
  /** The backend's name, as errors and statistics carry it. */
  readonly backend: string
  /** The keys. One that occurs twice counts once. */
  readonly keys: Arr.NonEmptyReadonlyArray<Redacted.Redacted | NamedKey>
  /**
   * Which key is taken.
   *
   * @default "round-robin"
   */
  readonly strategy?: Strategy.Strategy | undefined
  /**
   * How long a key cools after a 429 that does not say, from 0. A key that has been let through within the last second
   * is paced instead (`pacing`), and this is the longest time that it is left alone.
   *
   * @default "5 seconds"
   */
  readonly cooldown?: Duration.DurationInput | undefined
  /**
   * How long a key is set aside when its quota is used up and the backend does not say until when; from 0.
   *
   * @default "1 hour"
   */
  readonly quotaCooldown?: Duration.DurationInput | undefined
  /**
   * How long another key is preferred after a fault of the server (whatever counts against a circuit), for keys that
   * lead to servers of their own; from 0. A fault never makes a key unusable: where all have had one, the one whose
   * time is over first is taken.
   *
   * @default not at all
   */
  readonly faultCooldown?: Duration.DurationInput | undefined
  /**
   * A circuit for each key, for keys that lead to servers of their own: one that has so many faults in a row is not
   * used for `openFor`, and then tried once. The backend's circuit (`CircuitBreaker`) stands above the pool and sees
   * the faults of all keys.
   *
   * @default none
   */
  readonly circuit?: CircuitOptions | undefined
  /**
   * Whether a key is sent no more than its backend would take, once that is known by the backend's headers or its
   * refusals. As long as neither has shown a limit, it does nothing. What is set of a key holds in any case.
   *
   * @default true
   */
  readonly pacing?: boolean | undefined
  /**
   * Longest time that a call waits here for a key: for its turn with a paced one, or for one that cools. Whoever would
   * have to wait longer, or beyond his deadline, fails at once with `KeysCooling`, which says how long, and keeps no
   * place meanwhile. From 0.
   *
   * @default 10 seconds for a turn, and 1 second for a key that cools
   */
  readonly maxWait?: Duration.DurationInput | undefined
  /**
   * Whether all keys are validated, with the cheapest request that the backend has, when the pool has been made. Calls
   * do not wait for it.
   *
   * @default false
   */
  readonly validateAtStart?: boolean | undefined
  /**
   * How often keys that were not accepted are validated again, from 1 second.
   *
   * @default never
   */
  readonly revalidateEvery?: Duration.DurationInput | undefined
  /**
   * Whether keys may be added, and others put in their places, later; false where what is leased is more than a key.
   *
   * @default true
   */
  readonly canChange?: boolean | undefined
}

/**
 * When a key's own circuit opens, and for how long.
 *
 * @since 0.1.0
 * @category models
 */
export interface CircuitOptions {
  /**
   * Faults in a row that open it, from 1.
   *
   * @default 5
   */
  readonly failures?: number | undefined
  /**
   * How long it is open, from 1 millisecond.
   *
   * @default 30 seconds
   */
  readonly openFor?: Duration.DurationInput | undefined
}

const perTime = Schema.optional(InvalidOptions.number({ atLeast: 1 }))
const count = Schema.optional(InvalidOptions.whole({ atLeast: 1 }))
const from0 = (value: Duration.Duration) =>
  Schema.optionalWith(InvalidOptions.duration(), { default: () => value })

/**
 * What may be set of a key as a schema, for who reads it from a file.
 *
 * @since 0.1.0
 * @category schemas
 */
export const KeyOptions = Schema.Struct({
  weight: Schema.optional(InvalidOptions.number({ atLeast: 0.001, atMost: 1_000_000 })),
  cost: Schema.optional(InvalidOptions.number({ atLeast: 0 })),
  maxConcurrent: count,
  requestsPerMinute: perTime,
  burst: count,
  tokensPerMinute: perTime,
  requestsPerDay: count,
  resetZone: Schema.optional(
    Schema.String.pipe(
      Schema.filter((zone) => Option.isSome(DateTime.zoneFromString(zone))),
      Schema.annotations({
        message: ({ actual }) => ({ message: `must be a time zone, not ${JSON.stringify(actual)}`, override: true }),
        jsonSchema: { type: "string" }
      })
    )
  ),
  spendLimit: Schema.optional(InvalidOptions.whole({ atLeast: 0 }))
})

/**
 * What may be set of a pool as a schema, for who reads it from a file.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Options = Schema.Struct({
  ...KeyOptions.fields,
  strategy: Schema.optionalWith(InvalidOptions.oneOf(...Strategy.names), {
    default: (): Strategy.Strategy => "round-robin"
  }),
  cooldown: from0(Duration.seconds(5)),
  quotaCooldown: from0(Duration.hours(1)),
  faultCooldown: from0(Duration.zero),
  circuit: Schema.optional(
    Schema.Struct({
      failures: Schema.optionalWith(InvalidOptions.whole({ atLeast: 1 }), { default: () => 5 }),
      openFor: Schema.optionalWith(InvalidOptions.duration({ atLeast: 1 }), { default: () => Duration.seconds(30) })
    })
  ),
  pacing: Schema.optionalWith(Schema.Boolean, { default: () => true }),
  maxWait: Schema.optional(InvalidOptions.duration()),
  validateAtStart: Schema.optionalWith(Schema.Boolean, { default: () => false }),
  revalidateEvery: Schema.optional(InvalidOptions.duration({ atLeast: "1 second" })),
  canChange: Schema.optionalWith(Schema.Boolean, { default: () => true })
})
