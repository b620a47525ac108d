/**
 * What bulk work may cost, and has cost, over all of its starts.
 *
 * @since 0.1.0
 */
import * as Budget from "@spillway/core/Budget"
import type * as InvalidOptions from "@spillway/core/InvalidOptions"
import * as PriceBook from "@spillway/core/PriceBook"
import * as GenAiPrices from "@spillway/prices/GenAiPrices"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type * as ConfigReading from "../ConfigReading.js"

/**
 * A budget for the work, and what of it is spent.
 *
 * @since 0.1.0
 * @category models
 */
export interface Spending {
  readonly prices: PriceBook.PriceBook
  readonly budget: Budget.Budget
  /** In millionths of a dollar. */
  readonly spent: Effect.Effect<number>
}

/**
 * A budget of which `before` is spent already, in millionths of a dollar. Without a limit in `dollars` it only counts.
 * The limits and the prices of a file hold besides.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  dollars: Option.Option<number>,
  before: number,
  file: Option.Option<ConfigReading.ConfigFile>
): Effect.Effect<Spending, InvalidOptions.InvalidOptions, Scope.Scope> =>
  Effect.gen(function*() {
    const { budget: limited, pricing } = Option.getOrElse(file, (): Partial<ConfigReading.ConfigFile> => ({}))
    const prices = yield* GenAiPrices.make(pricing ?? {})
    const own = Option.match(dollars, {
      onNone: () => ({ name, dollars: mostDollars, atLimit: "warn" as const }),
      onSome: (dollars) => ({ name, dollars })
    })
    const budget = yield* Effect.provideService(
      Budget.make({ ...limited, limits: [own, ...limited?.limits ?? []] }),
      PriceBook.CurrentPriceBook,
      prices
    )
    yield* budget.restore([{
      limit: name,
      account: "all",
      limitMicroDollars: 0,
      spentMicroDollars: before,
      reservedMicroDollars: 0
    }])
    const spent = Effect.map(budget.accounts, (accounts) =>
      accounts.find(({ limit }) => limit === name)?.spentMicroDollars ?? 0)
    return { prices, budget, spent }
  })

const name = "this work"

/** The most that a limit may be. */
const mostDollars = 1_000_000_000
