/**
 * What the calls of one backend have cost, counted: what the monitor shows of it.
 */
import * as Either from "effect/Either"
import type * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type * as Held from "../Held.js"
import type * as LlmService from "../LlmService.js"
import type * as Monitor from "../Monitor.js"
import type * as PriceBook from "../PriceBook.js"
import * as Meter from "./meter.js"

/** A call, and who pays for it. */
export interface Call {
  readonly backend: string
  readonly model: string
  readonly operation: string
  readonly tenant: string
  readonly request?: LlmService.Request
  readonly held: Held.Held
}

/** Counts in micro-dollars; times are the `Clock`'s, in milliseconds. */
export interface Spending {
  /** Begins to count a call; what is returned says what it has cost when it has ended, if that is known. */
  readonly began: (call: Call, now: number) => (exit: Exit.Exit<unknown, unknown>) => Option.Option<number>
  readonly read: () => Monitor.Spend
}

export const make = (book: PriceBook.PriceBook): Spending => {
  const settings: Meter.Settings = { book, otherwise: Option.none(), output: undefined }
  const byModel = makeCounts()
  const byTenant = makeCounts()
  let microDollars = 0
  let unknown = 0
  return {
    began(call, now) {
      const { held, model, operation, request, tenant } = call
      if (request === undefined) return Option.none
      const meter = Meter.make({ ...call, request }, now, settings)
      if (operation === "streamText") held.watch(meter.watch)
      return (exit) => {
        const cost = meter.read(exit)
        if (Either.isLeft(cost)) {
          unknown++
          return Option.none()
        }
        // who has paid nothing may have made up the names
        if (cost.right > 0) {
          microDollars += cost.right
          byModel.add(model, cost.right)
          byTenant.add(tenant, cost.right)
        }
        return Option.some(cost.right)
      }
    },
    read: () => ({ microDollars, byModel: byModel.read(), byTenant: byTenant.read(), unknown })
  }
}

const mostNames = 100
const other = "other"

const makeCounts = () => {
  const counts = new Map<string, number>()
  return {
    add(name: string, amount: number) {
      const kept = counts.has(name) || counts.size < mostNames ? name : other
      counts.set(kept, (counts.get(kept) ?? 0) + amount)
    },
    read: (): { readonly [name: string]: number } => Object.fromEntries(counts)
  }
}
