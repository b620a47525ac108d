/**
 * The keys, by their names: how each is doing, and what may be done about it.
 */
import type * as Monitor from "@spillway/core/Monitor"
import * as Actions from "./actions.js"
import { badge } from "./badge.js"
import { byId, fillTo, html, say, set } from "./element.js"
import type { Status } from "./gateway.js"
import { sum } from "./history.js"
import { type Column, plain, table } from "./table.js"
import * as Words from "./words.js"

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
