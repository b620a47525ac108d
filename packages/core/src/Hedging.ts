/**
 * Begins a second attempt of a call beside the first when that is slow to answer, and takes the answer that comes first.
 *
 * It shortens the longest waits, which are a backend's bad moments more than the caller's hard questions, for the price
 * of answers that nobody reads: **what both generate is paid for**. So it is off unless asked for, is best kept to
 * cheap operations (`operations`), and takes each attempt beside the first out of the retry budget.
 *
 * An attempt is slow when it has not answered (a stream has when its first part is there) some time after it got its
 * place: what it waits in the queue does not count, lest a queue that is full be filled twice. The time is given
 * (`delay`), or learned: as long as 95 of 100 lately took, for each operation and model by itself.
 *
 * **Who wins.** The first that succeeds. All others are interrupted in the same instant, and give back what they held.
 *
 * | an attempt fails, its verdict | what is done |
 * |---|---|
 * | `Never` | the call fails with it, and the others are interrupted: they would fail too |
 * | `Failover`, or a wait that the backend asks for | no further attempt is begun; those under way go on |
 * | `RotateKey`, or `Retry` at once | the next is begun at once |
 *
 * When all have failed, the call fails with the error that most may be done about (the last of them): `Retry` outside
 * of it decides. An attempt for which the money is missing (`BudgetExceeded`) does not fail the call. What a loser has
 * cost nobody is told, since it is interrupted before anything of its answer has come: `Budget` reserves for it, and
 * then counts nothing.
 *
 * Each attempt goes through the queue and takes a key like any other. Which key is the pool's choice: with strategies
 * that spread calls it is another, as the first one's is in use.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Alarms from "./internal/alarms.js"
import * as HedgeDelay from "./internal/hedgeDelay.js"
import * as Racing from "./internal/racing.js"
import * as InvalidOptions from "./InvalidOptions.js"
import * as Monitor from "./Monitor.js"
import * as Policy from "./Policy.js"
import type * as RetryBudget from "./RetryBudget.js"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * What may be asked twice.
 *
 * @since 0.1.0
 * @category models
 */
export type Operation = typeof operations[number]

const operations = ["generateText", "streamText", "embed", "rerank", "infer"] as const

/**
 * When further attempts are begun, and how many.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Whose calls they are, for the monitor. */
  readonly backend: string
  /**
   * How long the attempt begun last may take before another is begun; from 0 (all at once) to `Duration.infinity` (only
   * when one has failed).
   *
   * @default learned from the last 500 answers
   */
  readonly delay?: Duration.DurationInput | undefined
  /**
   * How many of 1 answer within the learned delay, 0.5 to 0.99. The rest is about what is asked twice.
   *
   * @default 0.95
   */
  readonly quantile?: number | undefined
  /**
   * Answers before a delay is learned, 1 to 500; until then nothing is asked twice.
   *
   * @default 50
   */
  readonly minSamples?: number | undefined
  /**
   * Shortest learned delay, from 1 millisecond.
   *
   * @default 50 milliseconds
   */
  readonly minDelay?: Duration.DurationInput | undefined
  /**
   * Most attempts beside the first, 0 to 5.
   *
   * @default 1
   */
  readonly maxExtra?: number | undefined
  /**
   * What may be asked twice. Where an answer's price matters more than its delay, leave `generateText` and `streamText`
   * out.
   *
   * @default ["generateText", "streamText", "embed", "rerank", "infer"]
   */
  readonly operations?: ReadonlyArray<Operation> | undefined
}

/**
 * How a backend's calls are asked twice.
 *
 * @since 0.1.0
 * @category models
 */
export interface Hedging {
  /** Without a queue: the time of an attempt begins with it. */
  readonly policy: Policy.Policy
  /** Around a queue, or whatever else makes an attempt wait: its time begins when that lets it through. */
  readonly around: (queue: Policy.Policy) => Policy.Policy
}

/**
 * The options as a schema, for who reads them from a file.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Options = Schema.Struct({
  delay: Schema.optionalWith(InvalidOptions.duration(), { as: "Option" }),
  quantile: Schema.optionalWith(InvalidOptions.number({ atLeast: 0.5, atMost: 0.99 }), { default: () => 0.95 }),
  minSamples: Schema.optionalWith(InvalidOptions.whole({ atLeast: 1, atMost: HedgeDelay.sampleSize }), {
    default: () => 50
  }),
  minDelay: Schema.optionalWith(InvalidOptions.duration({ atLeast: 1 }), { default: () => Duration.millis(50) }),
  maxExtra: Schema.optionalWith(InvalidOptions.whole({ atLeast: 0, atMost: 5 }), { default: () => 1 }),
  operations: Schema.optionalWith(Schema.Array(InvalidOptions.oneOf(...operations)), { default: () => operations })
})

const validate = InvalidOptions.validate("Hedging", Schema.Struct({ backend: InvalidOptions.name, ...Options.fields }))

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Second attempts by the options given, each paid for by the budget, if there is one: `Resilience` gives it that of
 * `Retry`. It tells the `Monitor` of them until its scope closes.
 *
 * @since 0.1.0
 * @category constructors
 * @example
 * ```ts
 * import { Hedging, LlmService, Resilience } from "@spillway/core"
 * import { Effect } from "effect"
 * import * as assert from "node:assert"
 *
 * let asked = 0
 * const moody = LlmService.make("moody", {
 *   embed: ({ model }) =>
 *     Effect.suspend(() => ++asked === 1 ? Effect.never : Effect.succeed({ model, vectors: [[1]], usage: {} }))
 * })
 *
 * const program = Effect.gen(function*() {
 *   const hedging = yield* Hedging.make({ backend: "moody", delay: "20 millis" })
 *   const service = Resilience.protect(moody, hedging.policy)
 *   const { vectors } = yield* service.embed({ model: "m", input: ["hi"] })
 *   assert.deepStrictEqual([vectors, asked], [[[1]], 2])
 * })
 *
 * Effect.runPromise(Effect.scoped(program))
 * ```
 */
export const make = (
  options: Options,
  budget?: Pick<RetryBudget.RetryBudget, "tryWithdraw">
): Effect.Effect<Hedging, InvalidOptions.InvalidOptions, Scope.Scope> =>
  Effect.gen(function*() {
    const { backend, delay, maxExtra, minDelay, minSamples, operations, quantile } = yield* validate(options)
    const counts = { begun: 0, won: 0, lost: 0, refused: 0 }
    yield* Monitor.register({ backend, read: () => ({ hedges: { ...counts } }) })
    const race = Racing.make({
      alarms: yield* Alarms.make,
      delays: Option.match(delay, {
        onNone: () => HedgeDelay.learned(quantile, minSamples, Duration.toMillis(minDelay)),
        onSome: (delay) => HedgeDelay.fixed(Duration.toMillis(delay))
      }),
      maxExtra,
      mayPay: budget?.tryWithdraw ?? (() => true),
      counts
    })
    const hedged: ReadonlySet<Policy.Operation> = new Set(maxExtra === 0 ? [] : operations)
    const around = (queue: Policy.Policy): Policy.Policy => (next) => {
      const way = queue((call) => {
        Racing.hasItsPlace(call)
        return next(call)
      })
      return (call) => hedged.has(call.operation) ? race(way, call) : way(call)
    }
    return { policy: around(Policy.identity), around }
  })
