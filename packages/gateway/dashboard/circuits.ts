/**
 * The circuits: how each was in the last half hour, and how they changed.
 */
import type * as Monitor from "@spillway/core/Monitor"
import { badge } from "./badge.js"
import { byId, html, list, set, type Shown, svg } from "./element.js"
import type { Status } from "./gateway.js"
import { plain, table } from "./table.js"
import * as Words from "./words.js"

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
