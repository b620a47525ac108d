/**
 * What a file says of money: what models cost, and what may be spent with all backends together.
 *
 * @since 0.1.0
 */
import * as Budget from "@spillway/core/Budget"
import type * as InvalidOptions from "@spillway/core/InvalidOptions"
import * as PriceBook from "@spillway/core/PriceBook"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { ConfigFile } from "./ConfigReading.js"

/**
 * Prices, and the budget if there is one.
 *
 * @since 0.1.0
 * @category models
 */
export interface Money {
  readonly prices: PriceBook.PriceBook
  readonly budget: Option.Option<Budget.Budget>
}

/**
 * What a file must say the same of for its money to be the same.
 *
 * @since 0.1.0
 * @category models
 */
export type Sections = Pick<ConfigFile, "backends" | "budget" | "pricing">

/**
 * Whether anything in a file needs to know what calls cost. The price list takes a while to read, and is left alone
 * where nothing does.
 *
 * @since 0.1.0
 * @category combinators
 */
export const isCounted = ({ backends, budget, pricing }: Sections): boolean =>
  budget !== undefined || pricing !== undefined ||
  backends.some(({ keys, pool }) => pool.spendLimit !== undefined || keys.some(({ spendLimit }) => spendLimit !== undefined))

/**
 * The money of a file. What was spent under the budget `before` counts in the new one, and so does what calls under way
 * had reserved, as they are no business of the new one.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  sections: Sections,
  before: Option.Option<Budget.Budget> = Option.none()
): Effect.Effect<Money, InvalidOptions.InvalidOptions, Scope.Scope> =>
  Effect.gen(function*() {
    const prices = isCounted(sections) ? yield* priceList(sections.pricing) : PriceBook.empty
    if (sections.budget === undefined) return { prices, budget: Option.none() }
    const budget = yield* Effect.provideService(Budget.make(sections.budget), PriceBook.CurrentPriceBook, prices)
    if (Option.isSome(before)) {
      const accounts = yield* before.value.accounts
      yield* budget.restore(accounts.map((account) => ({
        ...account,
        spentMicroDollars: account.spentMicroDollars + account.reservedMicroDollars
      })))
    }
    return { prices, budget: Option.some(budget) }
  })

const priceList = (pricing: Sections["pricing"]) =>
  Effect.flatMap(Effect.promise(() => import("@spillway/prices/GenAiPrices")), ({ make }) => make(pricing))
