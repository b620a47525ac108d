/**
 * What is told in tables: the circuits and their changes, the keys, the latest failures, and what was spent.
 */
import type * as Monitor from "@spillway/core/Monitor"
import * as Actions from "./actions.js"
import { badge } from "./backends.js"
import { byId, fillTo, html, list, say, set, type Shown, svg } from "./element.js"
import type { Status } from "./gateway.js"
import { sum } from "./history.js"
import * as Words from "./words.js"

// -----------------------------------------------------------------------------
// any table
// -----------------------------------------------------------------------------

interface Column<A> {
  readonly name: string
  readonly isNumber?: boolean
  readonly make: (value: A) => Shown<A>
}

const plain = <A>(name: string, read: (value: A) => string, isNumber = false): Column<A> => ({
  name,
  isNumber,
  make: () => {
    const node = html("span")
    return { node, update: (value) => say(node, read(value)) }
  }
})

/**
 * A table; on a narrow page its rows are cards, so the roles are said: browsers forget them when a table is laid out
 * in another way.
 */
const table = <A>(
  parent: Element,
  options: {
    readonly caption: string
    readonly empty: string
    readonly columns: ReadonlyArray<Column<A>>
    readonly keyOf: (value: A) => string
  }
) => {
  const { caption, columns, empty, keyOf } = options
  const body = html("tbody", { role: "rowgroup" })
  const node = html(
    "table",
    { role: "table" },
    html("caption", {}, caption),
    html(
      "thead",
      { role: "rowgroup" },
      html("tr", { role: "row" }, ...columns.map(({ isNumber = false, name }) =>
        html("th", { role: "columnheader", scope: "col", class: isNumber && "number" }, name)))
    ),
    body
  )
  const nothing = html("p", { class: "empty" }, empty)
  parent.append(node, nothing)
  const show = list<A>(body, keyOf, (value) => {
    const cells = columns.map((column) => ({ column, shown: column.make(value) }))
    return {
      node: html("tr", { role: "row" }, ...cells.map(({ column, shown }, place) =>
        html(
          place === 0 ? "th" : "td",
          {
            role: place === 0 ? "rowheader" : "cell",
            scope: place === 0 && "row",
            class: column.isNumber && "number",
            "data-label": column.name
          },
          shown.node
        ))),
      update: (value) => {
        for (const { shown } of cells) shown.update(value)
      }
    }
  })
  return (values: ReadonlyArray<A>) => {
    set(node, "hidden", values.length === 0)
    set(nothing, "hidden", values.length > 0)
    show(values)
  }
}

// -----------------------------------------------------------------------------
// circuits
// -----------------------------------------------------------------------------

const halfHour = 30 * 60_000

interface Track {
  readonly backend: string
  readonly circuit: Monitor.Circuit
  readonly at: number
}

/** How it was, from when until when; its height tells as much as its colour. */
const stretches = ({ at, circuit }: Track) => {
  const begin = at - halfHour
  const changes = (circuit.timeline ?? []).filter((change) => change.at > begin)
  const states = [{ at: begin, state: changes[0]?.from ?? circuit.state }, ...changes.map(({ at, to }) => ({ at, state: to }))]
  return states.map(({ at: from, state }, place) => ({ from: from - begin, to: (states[place + 1]?.at ?? at) - begin, state }))
}

const heights: { readonly [M in Words.Mood]: number } = { good: 4, busy: 10, warn: 10, bad: 18, off: 2 }

const track = ({ backend }: Track): Shown<Track> => {
  const state = badge()
  const picture = svg("svg", { viewBox: `0 0 ${halfHour} 20`, preserveAspectRatio: "none", class: "track", role: "img" })
  return {
    node: html("li", {}, html("span", {}, backend), picture, state.node),
    update: (seen) => {
      const { circuit } = seen
      state.update({ mood: Words.circuitMoods[circuit.state], says: circuit.state })
      const all = stretches(seen)
      picture.replaceChildren(...all.map(({ from, state, to }) => {
        const mood = Words.circuitMoods[state]
        return svg("rect", { x: from, width: Math.max(to - from, halfHour / 300), y: 19 - heights[mood], height: heights[mood], "data-mood": mood })
      }))
      const opened = all.filter(({ state }) => state === "open").length
      set(picture, "aria-label", `${backend}: ${circuit.state} now, ${opened === 0 ? "not open" : opened === 1 ? "open once" : `open ${opened} times`} in the last half hour`)
    }
  }
}

interface Change extends Monitor.CircuitTransition {
  readonly backend: string
  readonly place: number
}

export const circuits = () => {
  const parent = byId("circuits")
  const tracks = html("ul", { class: "tracks" })
  parent.append(
    html("p", { class: "quiet key" }, "Thin: closed. Half: probed. High: open. The right edge is now."),
    tracks
  )
  const showTracks = list<Track>(tracks, ({ backend }) => backend, track)
  const showChanges = table<Change>(parent, {
    caption: "The latest changes, the last one first",
    empty: "No circuit has changed yet.",
    keyOf: ({ at, backend, place }) => `${backend} ${place} ${at}`,
    columns: [
      plain("Time", ({ at }) => Words.clock(at)),
      plain("Backend", ({ backend }) => backend),
      plain("From", ({ from }) => from),
      {
        name: "To",
        make: () => {
          const { node, update } = badge()
          return { node, update: ({ to }) => update({ mood: Words.circuitMoods[to], says: to }) }
        }
      },
      plain("Why", ({ fault, reason }) => fault === undefined ? Words.reasons[reason] : `${Words.reasons[reason]}: ${Words.spoken(fault)}`)
    ]
  })
  return ({ at, backends }: Status) => {
    showTracks(backends.flatMap(({ backend, circuit }) => circuit === undefined ? [] : [{ backend, circuit, at }])
      .toSorted((one, other) => one.backend.localeCompare(other.backend)))
    showChanges(
      backends.flatMap(({ backend, circuit }) => {
        const { timeline = [], transitions = timeline.length } = circuit ?? {}
        return timeline.map((change, index) => ({ ...change, backend, place: transitions - timeline.length + index }))
      }).toSorted((one, other) => other.at - one.at || other.place - one.place).slice(0, 12)
    )
  }
}

// -----------------------------------------------------------------------------
// keys
// -----------------------------------------------------------------------------

interface KeyRow {
  readonly backend: string
  readonly key: Monitor.Key
  readonly at: number
}

const headroom: Column<KeyRow> = {
  name: "Headroom",
  make: () => {
    const bar = html("i")
    const value = html("span")
    return {
      node: html("span", { class: "headroom" }, html("span", { class: "bar", "aria-hidden": "true" }, bar), value),
      update: ({ key }) => {
        fillTo(bar, key.headroom ?? 0)
        set(bar, "data-low", key.headroom !== undefined && key.headroom < 0.1)
        say(value, key.headroom === undefined ? "unknown" : Words.percent(key.headroom))
      }
    }
  }
}

const verdicts: { readonly [verdict: string]: string } = {
  valid: "is accepted",
  invalid: "is not accepted",
  unknown: "could not be checked"
}

const doings: Column<KeyRow> = {
  name: "Do",
  make: ({ backend, key: { id } }) => {
    let isDisabled = false
    const body = { backend, key: id }
    const switching = Actions.button("Disable", "", async () => {
      if (isDisabled) return Actions.act("key/enable", body, `${id} of ${backend} is in use again`)
      const isMeant = await Actions.confirm({
        title: `Take ${id} of ${backend} out of use?`,
        text: "Calls under way end with it. New ones use the other keys, and fail where there is none.",
        answer: "Disable",
        isHarmful: true
      })
      if (isMeant) await Actions.act("key/disable", body, `${id} of ${backend} is out of use`)
    })
    const validating = Actions.button("Validate", `Validate ${id} of ${backend}`, () =>
      Actions.act("key/validate", body, ({ error, verdict }) =>
        `${id} of ${backend} ${verdicts[verdict]}${error === undefined ? "" : ` (${Words.spoken(error)})`}`))
    const restoring = Actions.button("Take back", `Take back ${id} of ${backend}`, () =>
      Actions.act("key/restore", body, `${id} of ${backend} is in use again`))
    return {
      node: html("span", { class: "row" }, switching, validating, restoring),
      update: ({ key }) => {
        isDisabled = key.state === "disabled"
        set(restoring, "hidden", key.state === "ready" || key.state === "disabled")
        Actions.relabel(switching, isDisabled ? "Enable" : "Disable", `${isDisabled ? "Enable" : "Disable"} ${id} of ${backend}`)
      }
    }
  }
}

export const keys = () => {
  const show = table<KeyRow>(byId("keys"), {
    caption: "Every key by its name. Of the latency the recent counts most, and a failure as 30 s",
    empty: "No backend has keys.",
    keyOf: ({ backend, key }) => `${backend} ${key.id}`,
    columns: [
      plain("Key", ({ key }) => key.id),
      plain("Backend", ({ backend }) => backend),
      {
        name: "State",
        make: () => {
          const { node, update } = badge()
          return { node, update: ({ at, key }) => update(Words.stateOfKey(key, at)) }
        }
      },
      headroom,
      plain("Under way", ({ key }) => Words.count(key.inFlight), true),
      plain("Requests", ({ key }) => Words.count(key.requests), true),
      plain("Failed", ({ key }) => Words.count(sum(key.failures)), true),
      plain("Latency", ({ key }) => key.latencyMillis === undefined || key.latencyMillis === 0 ? "–" : Words.millis(key.latencyMillis), true),
      plain("Spent", ({ key }) => key.microDollars === undefined ? "–" : Words.money(key.microDollars), true),
      plain("Last used", ({ at, key }) => Words.ago(key.lastUsed, at), true),
      doings
    ]
  })
  return ({ at, backends }: Status) =>
    show(
      backends.flatMap(({ backend, keys = [] }) => keys.map((key) => ({ backend, key, at })))
        .toSorted((one, other) => one.backend.localeCompare(other.backend) || one.key.id.localeCompare(other.key.id, "en", { numeric: true }))
    )
}

// -----------------------------------------------------------------------------
// failures
// -----------------------------------------------------------------------------

/** What failed in the same way, and when it did so last. */
interface Failures extends Monitor.CallFailure {
  readonly backend: string
  readonly times: number
}

const nameOf = ({ attempt, backend, error, model, verdict }: Failures): string => [backend, model, error, verdict, attempt].join("\n")

const alike = (backends: ReadonlyArray<Monitor.Backend>): ReadonlyArray<Failures> => {
  const found = new Map<string, Failures>()
  for (const { backend, calls } of backends) {
    for (const failure of calls?.lastFailures ?? []) {
      const one = { ...failure, backend, times: 1 }
      found.set(nameOf(one), { ...one, times: (found.get(nameOf(one))?.times ?? 0) + 1 })
    }
  }
  return [...found.values()].toSorted((one, other) => other.at - one.at).slice(0, 20)
}

export const failures = () => {
  const show = table<Failures>(byId("failures"), {
    caption: "Of the last 50 calls and attempts of each backend that failed, the latest first",
    empty: "Nothing has failed yet.",
    keyOf: nameOf,
    columns: [
      plain("Last", ({ at }) => Words.clock(at)),
      plain("Backend", ({ backend }) => backend),
      plain("Model", ({ model }) => model === "" ? "–" : model),
      plain("Error", ({ error }) => Words.spoken(error)),
      plain("What may help", ({ verdict }) => Words.verdicts[verdict]),
      {
        name: "What failed",
        make: () => {
          const { node, update } = badge()
          return {
            node,
            update: ({ attempt }) =>
              update(attempt === undefined ? { mood: "bad", says: "the call" } : { mood: "busy", says: `attempt ${attempt}` })
          }
        }
      },
      plain("Times", ({ times }) => Words.count(times), true)
    ]
  })
  return ({ backends }: Status) => show(alike(backends))
}

// -----------------------------------------------------------------------------
// spend
// -----------------------------------------------------------------------------

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
