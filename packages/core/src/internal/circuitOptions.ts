/**
 * What may be said of a circuit, and what its transitions go by.
 */
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Record from "effect/Record"
import * as Schema from "effect/Schema"
import * as InvalidOptions from "../InvalidOptions.js"
import * as LlmError from "../LlmError.js"
import * as Outcome from "./circuitOutcome.js"
import type * as Rule from "./circuitRule.js"
import * as Snapshot from "./circuitSnapshot.js"
import * as Circuit from "./circuitState.js"

/**
 * How a breaker is built.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Whose circuit it is, in errors and for the monitor. */
  readonly backend: string
  /**
   * Failures in a row that open the circuit, from 1; at least half as many as there are calls that wait for an answer.
   * Beside a `rate` either opens it.
   *
   * @default 5, or none where there is a `rate`
   */
  readonly failures?: number | undefined
  /**
   * Opens by the share of the latest calls that failed, or were slow.
   *
   * @default none
   */
  readonly rate?: Rate | undefined
  /**
   * How long an open circuit lets nothing through, from 1 millisecond.
   *
   * @default 30 seconds
   */
  readonly openFor?: Duration.DurationInput | undefined
  /**
   * How much longer the open time is each time that the circuit opens again without having closed, 1 to 100.
   *
   * @default 1: always the same
   */
  readonly growth?: number | undefined
  /**
   * Longest open time, jitter included; no shorter than `openFor`.
   *
   * @default 5 minutes, or `openFor` where that is longer
   */
  readonly maxOpenFor?: Duration.DurationInput | undefined
  /**
   * By what share of it the open time is longer or shorter, at random, so that programs that share a backend do not
   * probe it together; 0 to 1.
   *
   * @default 0
   */
  readonly jitter?: number | undefined
  /**
   * Most probes under way at once, from 1.
   *
   * @default 1
   */
  readonly probes?: number | undefined
  /**
   * Probes that must succeed before the circuit closes, from 1.
   *
   * @default 1
   */
  readonly successes?: number | undefined
  /**
   * Probes that may fail, or be slow, without opening the circuit again; from 0.
   *
   * @default 0: the first that fails opens it
   */
  readonly failedProbes?: number | undefined
  /**
   * How long a probe is waited for that does not answer; then one more goes, and so on. From 1 millisecond.
   *
   * @default openFor
   */
  readonly probeWait?: Duration.DurationInput | undefined
  /**
   * How long a call must have waited in vain to count as a failure when its caller gives it up: its deadline passes, or
   * it is interrupted. It must also have waited twice as long as the latest answers took on average (or be slow by
   * `rate.slowAfter`). Time in the queue counts, as far as another has waited so long and nobody was answered
   * since. From 1 millisecond; `Duration.infinity` for never.
   *
   * @default 1 second
   */
  readonly patience?: Duration.DurationInput | undefined
  /**
   * What errors say of the backend, where it is something else than the default: `{ RateLimited: "Failure" }`.
   *
   * @default none: faults of the backend (`LlmError.verdicts`) are failures
   */
  readonly outcomes?: { readonly [T in LlmError.Tag]?: Circuit.Outcome | undefined } | undefined
  /**
   * What an error says of the backend, by a look at it; `undefined` leaves it to `outcomes`.
   *
   * @default none
   */
  readonly judge?: ((error: LlmError.LlmError) => Circuit.Outcome | undefined) | undefined
}

/**
 * A rule by shares. Each call that ends is judged by it, successes too, and a share that is *reached* (≥) opens the
 * circuit.
 *
 * @since 0.1.0
 * @category models
 */
export interface Rate {
  /**
   * Of how many of the latest calls, 1 to 10,000. Not beside `within`.
   *
   * @default 100
   */
  readonly calls?: number | undefined
  /**
   * Of the calls of how long a time, from 10 milliseconds, to a tenth of it.
   *
   * @default none: `calls` are counted
   */
  readonly within?: Duration.DurationInput | undefined
  /**
   * Calls below which no share is known and nothing opens, from 1 and at most `calls`.
   *
   * @default 20, or `calls` where that is less
   */
  readonly minimumCalls?: number | undefined
  /**
   * The share of failures that opens the circuit, 0.001 to 1.
   *
   * @default 0.5
   */
  readonly failureRate?: number | undefined
  /**
   * From when on an answer (of a stream: its first part) is slow, from 1 millisecond. A probe that is slow has failed.
   *
   * @default none is
   */
  readonly slowAfter?: Duration.DurationInput | undefined
  /**
   * The share of slow calls that opens the circuit, 0.001 to 1. A call may be both slow and a failure.
   *
   * @default 1
   */
  readonly slowRate?: number | undefined
}

// -----------------------------------------------------------------------------
// reading
// -----------------------------------------------------------------------------

const count = InvalidOptions.whole({ atLeast: 1 })
const time = InvalidOptions.duration({ atLeast: 1 })
const share = InvalidOptions.number({ atLeast: 0.001, atMost: 1 })
const optional = <A, I>(schema: Schema.Schema<A, I>, value: A) => Schema.optionalWith(schema, { default: () => value })


const Rate = Schema.Struct({
  calls: Schema.optional(InvalidOptions.whole({ atLeast: 1, atMost: Snapshot.mostCalls })),
  within: Schema.optional(InvalidOptions.duration({ atLeast: 10 })),
  minimumCalls: Schema.optional(count),
  failureRate: optional(share, 0.5),
  slowAfter: optional(time, Duration.infinity),
  slowRate: optional(share, 1)
}).pipe(
  Schema.filter(({ calls = 100, minimumCalls = 1, within }) =>
    within === undefined && minimumCalls > calls
      ? { path: ["minimumCalls"], message: `must be at most the ${calls} calls that are counted, not ${minimumCalls}` }
      : undefined
  ),
  Schema.filter(({ calls, within }) =>
    calls !== undefined && within !== undefined
      ? { path: ["within"], message: "must not be given beside calls" }
      : undefined
  )
)

const outcome = InvalidOptions.oneOf("Success", "Refusal", "Failure", "GivenUp", "Neutral")

/**
 * The options as a schema, for who reads them from a file; no file holds a `judge`.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Options = Schema.Struct({
  failures: Schema.optional(count),
  rate: Schema.optional(Rate),
  openFor: optional(time, Duration.seconds(30)),
  growth: optional(InvalidOptions.number({ atLeast: 1, atMost: 100 }), 1),
  maxOpenFor: Schema.optional(time),
  jitter: optional(InvalidOptions.number({ atLeast: 0, atMost: 1 }), 0),
  probes: optional(count, 1),
  successes: optional(count, 1),
  failedProbes: optional(InvalidOptions.whole({ atLeast: 0 }), 0),
  probeWait: Schema.optional(time),
  patience: optional(time, Duration.seconds(1)),
  outcomes: Schema.optional(Schema.Struct(Record.map(LlmError.verdicts, () => Schema.optional(outcome))))
})

const validate = InvalidOptions.validate(
  "CircuitBreaker",
  Schema.Struct({
    backend: InvalidOptions.name,
    ...Options.fields,
    judge: Schema.optional(
      Schema.declare((u): u is NonNullable<Options["judge"]> => typeof u === "function").annotations({
        message: () => ({ message: "must be a function", override: true })
      })
    )
  }).pipe(
    Schema.filter(({ maxOpenFor, openFor }) =>
      maxOpenFor !== undefined && Duration.lessThan(maxOpenFor, openFor)
        ? { path: ["maxOpenFor"], message: `must be at least openFor, ${Duration.format(openFor)}` }
        : undefined
    )
  )
)

/** What the options come to: whose circuit, its settings, and how errors are judged. */
export interface Read {
  readonly backend: string
  readonly settings: Circuit.Settings
  readonly judge: (error: LlmError.LlmError) => Circuit.Outcome
}

/** Reads options; `seed` is what the chance of the jitter begins with. */
export const read = (options: Options, seed: number): Either.Either<Read, InvalidOptions.InvalidOptions> =>
  Either.map(validate(options), ({ backend, judge, maxOpenFor, openFor, outcomes, patience, probeWait, rate, ...rest }) => {
    const openMillis = Duration.toMillis(openFor)
    return {
      backend,
      settings: {
        rule: {
          failures: rest.failures ?? (rate === undefined ? Circuit.defaults.rule.failures : Infinity),
          ...(rate !== undefined && { rate: toRate(rate) })
        },
        openFor: openMillis,
        growth: rest.growth,
        maxOpenFor: maxOpenFor === undefined ? Math.max(Circuit.defaults.maxOpenFor, openMillis) : Duration.toMillis(maxOpenFor),
        jitter: rest.jitter,
        seed,
        probes: rest.probes,
        successes: rest.successes,
        failedProbes: rest.failedProbes,
        probeWait: probeWait === undefined ? openMillis : Duration.toMillis(probeWait),
        patience: Duration.toMillis(patience)
      },
      judge: (error) => judge?.(error) ?? outcomes?.[error._tag] ?? Outcome.ofError(error)
    }
  })

const toRate = ({ calls = 100, failureRate, minimumCalls, slowAfter, slowRate, within }: typeof Rate.Type): Rule.Rate => ({
  over: within === undefined ? { _tag: "Calls", calls } : { _tag: "Time", millis: Duration.toMillis(within) },
  minimumCalls: minimumCalls ?? (within === undefined ? Math.min(calls, 20) : 20),
  failureRate,
  slowRate,
  slowAfter: Duration.toMillis(slowAfter)
})
