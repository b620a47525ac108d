/**
 * What was spent: by backend, model and tenant, and of each budget.
 */
import { byId, fillTo, html, say, set } from "./element.js"
import type { Status } from "./gateway.js"
import { plain, table } from "./table.js"
import * as Words from "./words.js"

interface Share {
  readonly name: string
  readonly microDollars: number
  /** Of the largest. */
  readonly share: number
}

const toShares = (amounts: ReadonlyArray<readonly [string, number]>): ReadonlyArray<Share> => {
  const totals = new Map<string, number>()
  for (const [name, amount] of amounts) totals.set(name, (totals.get(name) ?? 0) + amount)
  const most = Math.max(1, ...totals.values())
  return [...totals].filter(([, amount]) => amount > 0).toSorted(([, one], [, other]) => other - one).slice(0, 10)
    .map(([name, microDollars]) => ({ name, microDollars, share: microDollars / most }))
}

const spent = (parent: Element, by: string) => {
  const place = html("div", {})
  parent.append(place)
  return table<Share>(place, {
    caption: `By ${by}`,
    empty: `Nothing is known of what was spent by ${by}.`,
    keyOf: ({ name }) => name,
    columns: [
      plain(by.replace(/^./, (letter) => letter.toUpperCase()), ({ name }) => name === "" ? "nobody in particular" : name),
      {
        name: "Spent",
        isNumber: true,
        make: () => {
          const bar = html("i")
          const value = html("span")
          return {
            node: html("span", { class: "headroom" }, html("span", { class: "bar", "aria-hidden": "true" }, bar), value),
            update: ({ microDollars, share }) => {
              fillTo(bar, share)
              say(value, Words.money(microDollars))
            }
          }
        }
      }
    ]
  })
}

interface Account {
  readonly limit: string
  readonly account: string
  readonly spent: number
  readonly reserved: number
  readonly of: number
  readonly refused: number
}

const budgets = () => {
  const parent = byId("budgets")
  const show = table<Account>(parent, {
    caption: "Of each budget those who have spent the most",
    empty: "Nobody has spent anything yet.",
    keyOf: ({ account, limit }) => `${limit}\n${account}`,
    columns: [
      plain("Budget", ({ limit }) => limit),
      plain("Whose", ({ account }) => account === "" ? "nobody in particular" : account),
      {
        name: "Spent",
        isNumber: true,
        make: () => {
          const bar = html("i")
          const value = html("span")
          return {
            node: html("span", { class: "headroom" }, html("span", { class: "bar", "aria-hidden": "true" }, bar), value),
            update: ({ of, reserved, spent }) => {
              fillTo(bar, (spent + reserved) / of)
              set(bar, "data-full", spent + reserved >= of)
              say(value, `${Words.money(spent)} of ${Words.money(of)}`)
            }
          }
        }
      },
      plain("Under way", ({ reserved }) => Words.money(reserved), true),
      plain("Calls refused", ({ refused }) => Words.count(refused), true)
    ]
  })
  return ({ budgets = [] }: Status) => {
    set(parent, "hidden", budgets.length === 0)
    show(
      budgets.flatMap(({ largest, limit, limitMicroDollars: of, refused }) =>
        largest.slice(0, 10).map(({ account, reservedMicroDollars: reserved, spentMicroDollars: spent }) =>
          ({ limit, account, spent, reserved, of, refused }))
      )
    )
  }
}

export const spend = () => {
  const parent = byId("spend")
  const showBudgets = budgets()
  const [backend, model, tenant] = [spent(parent, "backend"), spent(parent, "model"), spent(parent, "tenant")] as const
  return (status: Status) => {
    const { backends } = status
    showBudgets(status)
    backend(toShares(backends.map(({ backend, spend }) => [backend, spend?.microDollars ?? 0])))
    model(toShares(backends.flatMap(({ spend }) => Object.entries(spend?.byModel ?? {}))))
    tenant(toShares(backends.flatMap(({ spend }) => Object.entries(spend?.byTenant ?? {}))))
  }
}
