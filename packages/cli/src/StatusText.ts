/**
 * How a gateway is doing, as text for a terminal.
 *
 * @since 0.1.0
 */
import type * as Monitor from "@spillway/core/Monitor"
import type * as Status from "@spillway/gateway/Status"
import * as Progress from "./Progress.js"
import * as KeyTable from "./KeyTable.js"
import * as Table from "./Table.js"

/**
 * The lines: the gateway, its backends, their keys, and the budgets.
 *
 * @since 0.1.0
 * @category conversions
 */
export const lines = (status: Status.Status, url: string): ReadonlyArray<string> => {
  const { at, backends, budgets = [] } = status
  const keys = KeyTable.rows(backends)
  return [
    [
      `Spillway ${status.version ?? ""}`.trimEnd(),
      url,
      status.state,
      `up ${Progress.time(status.uptimeMillis)}`,
      `${Progress.number(status.inFlight)} in flight`
    ].join("  "),
    "",
    ...Table.lines(columns(at), backends),
    ...(keys.length === 0 ? [] : ["", ...KeyTable.usage(keys, at)]),
    ...(budgets.length === 0 ? [] : ["", ...Table.lines(budget, budgets)])
  ]
}

const right = <Row>(title: string, text: (row: Row) => string | undefined): Table.Column<Row> => ({
  title,
  align: "right",
  text: (row) => text(row) ?? ""
})

const columns = (at: number): ReadonlyArray<Table.Column<Monitor.Backend>> => [
  { title: "BACKEND", text: ({ backend }) => backend },
  { title: "CIRCUIT", text: ({ circuit }) => circuit === undefined ? "" : circuitText(circuit, at) },
  right("UNDER WAY", ({ queue }) => queue && `${queue.inFlight}/${queue.concurrency}`),
  right("WAITING", ({ queue }) => queue && `${queue.waiting}/${queue.capacity}`),
  right("OLDEST", ({ queue }) => queue && Progress.time(queue.oldestWaitMillis)),
  right("CALLS/S", ({ calls }) => calls && calls.perSecond.toFixed(1)),
  right("P50", ({ calls }) => calls && Progress.time(calls.latencyMillis.p50)),
  right("P95", ({ calls }) => calls && Progress.time(calls.latencyMillis.p95)),
  right("DONE", ({ calls }) => calls && Progress.number(calls.succeeded)),
  right("FAILED", ({ calls }) => calls && Progress.number(sum(calls.failed))),
  right("RETRIES", ({ calls }) => calls && Progress.number(sum(calls.retries))),
  right("COST", ({ spend }) => spend && Progress.money({ spent: spend.microDollars, unpriced: spend.unknown }))
]

const budget: ReadonlyArray<Table.Column<Monitor.Budget>> = [
  { title: "BUDGET", text: ({ limit }) => limit },
  right("OF EACH", ({ limitMicroDollars }) => dollars(limitMicroDollars)),
  right("WHO", ({ accounts }) => Progress.number(accounts)),
  right("MOST SPENT", ({ largest: [first] }) => first && `${dollars(first.spentMicroDollars)} (${first.account})`),
  right("REFUSED", ({ refused }) => Progress.number(refused))
]

const circuitText = ({ openUntil, state }: Monitor.Circuit, at: number): string =>
  openUntil !== undefined && openUntil > at ? `${state} for ${Progress.time(openUntil - at)}` : state

const dollars = (micro: number) => `$${(micro / 1e6).toFixed(2)}`

const sum = (counts: { readonly [name: string]: number | undefined }): number =>
  Object.values(counts).reduce<number>((sum, n) => sum + (n ?? 0), 0)
