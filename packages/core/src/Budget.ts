/**
 * Keeps what calls cost within limits: in all, per backend, model or tenant, for a minute, a day, a month, any length of
 * time, or as long as the program runs.
 *
 * Money is reserved before it is spent. An attempt reserves the most it may cost, from every limit that concerns it or
 * from none; with its answer comes what it has cost, which takes the place of what it had reserved. So calls that go at
 * the same time cannot spend together what each of them alone could have. A limit is passed by no more than calls under
 * way cost beyond what they had reserved: by nothing, where they set `maxTokens` and their prompts are estimated right.
 *
 * | an attempt that | costs |
 * |---|---|
 * | was answered | what its answer's usage comes to |
 * | was answered without usage | by our own count: what was asked, and what has come of a stream, or the most that may have |
 * | broke off, or was left, in the midst of a stream | what was asked and what has come, by our own count |
 * | failed, or was interrupted, before anything came | nothing; should the backend charge for it, it does not say so |
 *
 * It stands at attempts rather than calls, as each is paid; inside the queue, since a call that waits reserves nothing;
 * and inside the circuit, which keeps back at no cost. What an attempt costs belongs to the period in which it was sent.
 *
 * One budget is made for all backends that share it, and knows what this process spends; what one key may spend is its
 * pool's to keep. Prices come from `PriceBook.CurrentPriceBook`. Only requests of the operations that every backend has are
 * counted.
 *
 * @since 0.1.0
 */
import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as BudgetOptions from "./internal/budgetOptions.js"
import * as Ledger from "./internal/ledger.js"
import * as Meter from "./internal/meter.js"
import type * as InvalidOptions from "./InvalidOptions.js"
import * as LlmError from "./LlmError.js"
import * as Monitor from "./Monitor.js"
import type * as Policy from "./Policy.js"
import * as PriceBook from "./PriceBook.js"

export { type AtLimit, type Limit, Options, type Owned, type Owner } from "./internal/budgetOptions.js"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * What one of those who have a limit each has spent under it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Account {
  /** The name of the limit. */
  readonly limit: string
  /** Whose it is; `all` where it is everybody's. */
  readonly account: string
  readonly limitMicroDollars: number
  readonly spentMicroDollars: number
  /** What calls under way may cost. */
  readonly reservedMicroDollars: number
  /** When the period began, in milliseconds since 1970; absent where there are none. */
  readonly from?: number
}

/**
 * Limits on what is spent, shared by all who were given it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Budget {
  /** Reserves, lets through or refuses, and settles; stands at attempts, next to the backend. */
  readonly policy: Policy.Policy
  /** Every account, now. */
  readonly accounts: Effect.Effect<ReadonlyArray<Account>>
  /**
   * Adds what was spent in an earlier run of the program, by what `accounts` said then; so once. Periods that are over are
   * left out, and so are limits that are no more; where there are no periods, it counts as though it had been spent now.
   */
  readonly restore: (accounts: ReadonlyArray<Account>) => Effect.Effect<void, InvalidOptions.InvalidOptions>
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * A budget of which nothing is spent. It tells the `Monitor` of itself until its scope closes.
 *
 * @since 0.1.0
 * @category constructors
 * @example
 * ```ts
 * import { Budget, LlmService, PriceBook, Resilience } from "@spillway/core"
 * import { Effect } from "effect"
 * import * as assert from "node:assert"
 *
 * const dear = LlmService.make("dear", { embed: ({ model }) => Effect.succeed({ model, vectors: [], usage: { inputTokens: 3 } }) })
 *
 * const program = Effect.gen(function*() {
 *   const budget = yield* Budget.make({ limits: [{ of: "tenant", dollars: 0.01, per: "day" }] })
 *   const service = Resilience.protect(dear, budget.policy)
 *   yield* service.embed({ model: "gold", input: ["once"] })
 *   const error = yield* Effect.flip(service.embed({ model: "platinum", input: ["never"] }))
 *   assert.strictEqual(error._tag, "BudgetExceeded")
 *   assert.strictEqual((yield* budget.accounts)[0]?.spentMicroDollars, 6000)
 * })
 *
 * const prices = PriceBook.make([
 *   { model: "gold", price: { input: 2000 } },
 *   { model: "platinum", price: { input: 20000 } }
 * ])
 * Effect.runPromise(Effect.scoped(Effect.provideServiceEffect(program, PriceBook.CurrentPriceBook, prices)))
 * ```
 */
export const make = (
  options: BudgetOptions.Options
): Effect.Effect<Budget, InvalidOptions.InvalidOptions, Scope.Scope> =>
  Effect.gen(function*() {
    const { assumedOutput, limits, reservedFor, unknownPrice } = yield* BudgetOptions.read(options)
    const clock = yield* Effect.clock
    const book = yield* PriceBook.CurrentPriceBook
    const ledger = Ledger.make(limits)
    const refused = limits.map(() => 0)

    yield* Monitor.registerBudget((now) =>
      limits.map(({ amount, name }, place) => {
        const lines = ledger.read(now, place)
        const period = ledger.period(now, place)
        return {
          limit: name,
          limitMicroDollars: amount,
          refused: refused[place]!,
          ...(period !== undefined && { until: period.end }),
          accounts: lines.length,
          largest: largest(lines).map(({ account, reserved, spent }) => ({
            account,
            spentMicroDollars: spent,
            reservedMicroDollars: reserved
          }))
        }
      })
    )

    return {
      policy: makePolicy({
        limits,
        ledger,
        clock,
        prices: { book, otherwise: unknownPrice, output: assumedOutput },
        reservedFor: Duration.toMillis(reservedFor),
        refused: (place) => {
          refused[place]!++
        }
      }),
      accounts: Effect.sync(() => {
        const now = clock.unsafeCurrentTimeMillis()
        return limits.flatMap(({ amount, name }, place) => {
          const period = ledger.period(now, place)
          return ledger.read(now, place).map(({ account, reserved, spent }) => ({
            limit: name,
            account,
            limitMicroDollars: amount,
            spentMicroDollars: spent,
            reservedMicroDollars: reserved,
            ...(period !== undefined && { from: period.start })
          }))
        })
      }),
      restore: (saved) =>
        Effect.map(BudgetOptions.readAccounts({ accounts: saved }), ({ accounts }) => {
          const now = clock.unsafeCurrentTimeMillis()
          for (const { account, from, limit, spentMicroDollars } of accounts) {
            const place = limits.findIndex(({ name }) => name === limit)
            if (place >= 0 && ledger.period(now, place)?.start === from) ledger.add(now, place, account, spentMicroDollars)
          }
        })
    }
  })

const mostShown = 100

const largest = (lines: ReadonlyArray<Ledger.Line>): ReadonlyArray<Ledger.Line> => {
  const first = lines.slice(0, mostShown)
  const bySpent = (a: Ledger.Line, b: Ledger.Line) => b.spent + b.reserved - a.spent - a.reserved
  first.sort(bySpent)
  for (const line of lines.slice(mostShown)) {
    if (bySpent(first[mostShown - 1]!, line) <= 0) continue
    first[mostShown - 1] = line
    first.sort(bySpent)
  }
  return first
}

// -----------------------------------------------------------------------------
// the policy
// -----------------------------------------------------------------------------

interface Kept {
  readonly limits: ReadonlyArray<BudgetOptions.Kept>
  readonly ledger: Ledger.Ledger
  readonly clock: Clock.Clock
  readonly prices: Meter.Settings
  readonly reservedFor: number
  readonly refused: (place: number) => void
}

const makePolicy = ({ clock, ledger, limits, prices, refused, reservedFor }: Kept): Policy.Policy => {
  const refuse = (call: Policy.Call, places: ReadonlyArray<number>, reason: LlmError.BudgetExceeded["reason"], wait?: number) => {
    for (const place of places) refused(place)
    const { atLimit, name } = limits[places.find((place) => limits[place]!.atLimit === "refuse") ?? places[0]!]!
    return new LlmError.BudgetExceeded({
      backend: call.backend,
      model: call.model,
      limit: name,
      reason,
      atLimit: atLimit === "refuse" ? "refuse" : "failover",
      ...(wait !== undefined && { retryAfter: Duration.millis(wait) }),
      message: reason === "LimitReached"
        ? `the budget "${name}" has no room for this call`
        : `nobody knows what this model of ${call.backend} costs, and the budget "${name}" has to`
    })
  }

  return (next) => (call) => {
    const { request } = call
    if (request === undefined) return next(call)
    return Effect.suspend(() => {
      const now = clock.unsafeCurrentTimeMillis()
      const meter = Meter.make({ ...call, request }, now, prices)
      const owners = limits.map(({ ownerOf }) => ownerOf(call))
      const most = meter.most()
      const firm = limits.flatMap(({ isFirm }, place) => isFirm && owners[place] !== undefined ? [place] : [])
      if (Either.isLeft(most) && firm.length > 0) return Effect.fail(refuse(call, firm, "PriceUnknown"))

      const amount = Either.getOrElse(most, () => 0)
      const expires = Math.max(now + reservedFor, Option.getOrElse(call.deadline, () => 0))
      const answer = ledger.reserve(now, owners, amount, expires)
      if (answer._tag === "Refusal") {
        const { limits: full, retryAt } = answer
        return Effect.fail(refuse(call, full, "LimitReached", retryAt === undefined ? undefined : retryAt - now))
      }
      call.held.add((exit) =>
        ledger.settle(clock.unsafeCurrentTimeMillis(), answer.reservation, Either.getOrElse(meter.read(exit), () => amount))
      )
      if (call.operation === "streamText") call.held.watch(meter.watch)
      return answer.reached.length === 0 ? next(call) : Effect.zipRight(
        Effect.forEach(answer.reached, (place) =>
          Effect.logWarning(`the budget "${limits[place]!.name}" is used up for "${owners[place]}"`)),
        next(call)
      )
    })
  }
}

// -----------------------------------------------------------------------------
// the current budget
// -----------------------------------------------------------------------------

/**
 * The budget that the policies of `Resilience.layer` are made with: none, unless one is provided.
 *
 * @since 0.1.0
 * @category references
 */
export class CurrentBudget extends Context.Reference<CurrentBudget>()("@spillway/core/CurrentBudget", {
  defaultValue: (): Option.Option<Budget> => Option.none()
}) {}

/**
 * A budget for all backends that are made with it. Provide it where they meet (to a `Router.layer`, to the program): given
 * to each by itself, it is another one for each.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: BudgetOptions.Options): Layer.Layer<CurrentBudget, InvalidOptions.InvalidOptions> =>
  Layer.scoped(CurrentBudget, Effect.map(make(options), Option.some))
