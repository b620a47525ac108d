/**
 * Keys by their names, as people read them. The keys themselves are nowhere.
 *
 * @since 0.1.0
 */
import type * as KeyPool from "@spillway/core/KeyPool"
import type * as Monitor from "@spillway/core/Monitor"
import * as Progress from "./Progress.js"
import * as Table from "./Table.js"

/**
 * A key of a backend.
 *
 * @since 0.1.0
 * @category models
 */
export interface Row {
  readonly backend: string
  readonly key: Monitor.Key
}

/**
 * Every key of these backends, those that none is needed for apart.
 *
 * @since 0.1.0
 * @category conversions
 */
export const rows = (backends: ReadonlyArray<Pick<Monitor.Backend, "backend" | "keys">>): ReadonlyArray<Row> =>
  backends.flatMap(({ backend, keys = [] }) =>
    keys.filter(({ id }) => !isAnonymous(id)).map((key) => ({ backend, key }))
  )

/**
 * Whether this is what a pool calls the key of a backend that takes none.
 *
 * @since 0.1.0
 * @category guards
 */
export const isAnonymous = (id: string): boolean => id === "anonymous"

const names: ReadonlyArray<Table.Column<Row>> = [
  { title: "BACKEND", text: ({ backend }) => backend },
  { title: "KEY", text: ({ key }) => key.id }
]

const state = ({ at }: { readonly at: number }): Table.Column<Row> => ({
  title: "STATE",
  text: ({ key: { reason, state, until } }) =>
    [
      state,
      ...(until !== undefined && until > at ? [`for ${Progress.time(until - at)}`] : []),
      ...(reason !== undefined && state !== "ready" ? [`(${reason})`] : [])
    ].join(" ")
})

/**
 * What they are called.
 *
 * @since 0.1.0
 * @category conversions
 */
export const list = (rows: ReadonlyArray<Row>): ReadonlyArray<string> => Table.lines(names, rows)

/**
 * What they have done, at a time.
 *
 * @since 0.1.0
 * @category conversions
 */
export const usage = (rows: ReadonlyArray<Row>, at: number): ReadonlyArray<string> =>
  Table.lines([
    ...names,
    state({ at }),
    number("IN FLIGHT", ({ inFlight }) => inFlight),
    number("REQUESTS", ({ requests }) => requests),
    number("FAILED", ({ failures }) => Object.values(failures).reduce((sum, n) => sum + n, 0)),
    number("TOKENS IN", ({ inputTokens }) => inputTokens),
    number("OUT", ({ outputTokens }) => outputTokens),
    { title: "COST", align: "right", text: ({ key: { microDollars } }) => microDollars === undefined ? "" : `$${(microDollars / 1e6).toFixed(4)}` },
    { title: "LATENCY", align: "right", text: ({ key: { latencyMillis } }) => latencyMillis === undefined ? "" : `${Math.round(latencyMillis)}ms` },
    { title: "LEFT", align: "right", text: ({ key: { headroom } }) => headroom === undefined ? "" : `${Math.round(headroom * 100)}%` }
  ], rows)

const number = (title: string, of: (key: Monitor.Key) => number): Table.Column<Row> => ({
  title,
  align: "right",
  text: ({ key }) => Progress.number(of(key))
})

/**
 * What asking the backend has shown of a key.
 *
 * @since 0.1.0
 * @category models
 */
export interface Judged extends KeyPool.Verdict {
  readonly backend: string
}

/**
 * Whether they are accepted.
 *
 * @since 0.1.0
 * @category conversions
 */
export const verdicts = (judged: ReadonlyArray<Judged>): ReadonlyArray<string> =>
  Table.lines([
    { title: "BACKEND", text: ({ backend }) => backend },
    { title: "KEY", text: ({ id }) => id },
    { title: "VERDICT", text: ({ error, verdict }) => error === undefined ? verdict : `${verdict}: ${error.message} (${error._tag})` }
  ], judged)
