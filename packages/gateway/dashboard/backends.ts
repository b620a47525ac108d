/**
 * A card for each backend: what it is at, how full it is, and what may be done about it.
 */
import type * as Monitor from "@spillway/core/Monitor"
import * as Actions from "./actions.js"
import { badge } from "./badge.js"
import { spark } from "./chart.js"
import { byId, fillTo, html, list, say, set, type Shown } from "./element.js"
import type { Status } from "./gateway.js"
import * as History from "./history.js"
import * as Words from "./words.js"

/** How much of something is taken, as a bar and in words. */
const gauge = (name: string) => {
  const bar = html("i")
  const value = html("dd", { class: "number" })
  const node = html("div", { class: "gauge" }, html("dt", {}, name), value, html("dd", { class: "bar", "aria-hidden": "true" }, bar))
  return {
    node,
    update: (taken: number, of: number, note = "") => {
      fillTo(bar, of === 0 ? 0 : taken / of)
      set(bar, "data-full", taken >= of && of > 0)
      say(value, `${Words.count(taken)} of ${Words.count(of)}${note}`)
    }
  }
}

const fact = (name: string) => {
  const value = html("dd", { class: "number" })
  return { node: html("div", {}, html("dt", {}, name), value), update: (text: string) => say(value, text) }
}

/** What stands around a backend besides, in a few words. */
const besides = ({ adaptiveRate, batches, coalesced, hedges, retryBudget }: Monitor.Backend): string =>
  [
    retryBudget !== undefined && retryBudget.balance < retryBudget.reserve &&
    `${Words.count(retryBudget.balance)} of ${Words.count(retryBudget.reserve)} retries left`,
    adaptiveRate?.perSecond !== undefined && `held to ${Words.rate(adaptiveRate.perSecond)}/s`,
    hedges !== undefined && hedges.begun > 0 && `${Words.count(hedges.begun)} hedges, ${Words.count(hedges.won)} won`,
    coalesced !== undefined && coalesced.joined > 0 && `${Words.count(coalesced.joined)} callers shared a call`,
    batches !== undefined && batches.sent > 0 && `${Words.count(batches.items)} items in ${Words.count(batches.sent)} batches`
  ].filter((words) => words !== false).join(", ")

// -----------------------------------------------------------------------------
// what may be done
// -----------------------------------------------------------------------------

const pause = async (backend: string) => {
  const isMeant = await Actions.confirm({
    title: `Pause ${backend}?`,
    text: "Calls under way end as they would. New ones wait, each until its deadline, or until you resume.",
    answer: "Pause"
  })
  if (isMeant) await Actions.act("queue/pause", { backend }, `${backend} is paused`)
}

const resume = (backend: string) => Actions.act("queue/resume", { backend }, `${backend} goes on`)

const times = [["", "until I close it"], ["60", "for 1 minute"], ["300", "for 5 minutes"], ["1800", "for 30 minutes"]] as const

const open = async (backend: string) => {
  const time = html("select", { id: "open-for" }, ...times.map(([seconds, says]) => html("option", { value: seconds }, says)))
  const isMeant = await Actions.confirm({
    title: `Open the circuit of ${backend}?`,
    text: "Every call to it fails at once, and goes to another backend where a route has one.",
    answer: "Open circuit",
    isHarmful: true,
    fields: [html("label", { for: "open-for" }, "How long"), time]
  })
  if (!isMeant) return
  const body = time.value === "" ? { backend } : { backend, seconds: Number(time.value) }
  await Actions.act("circuit/open", body, `The circuit of ${backend} is open`)
}

const close = (backend: string) => Actions.act("circuit/close", { backend }, `The circuit of ${backend} is closed`)

const limit = async (backend: string, { capacity, concurrency }: Monitor.Queue) => {
  const input = (id: string, least: number, value: number) =>
    html("input", { id, type: "number", min: least, max: 100_000, step: 1, required: true, value })
  const atOnce = input("concurrency", 1, concurrency)
  const waiting = input("capacity", 0, capacity)
  const isMeant = await Actions.confirm({
    title: `Limits of ${backend}`,
    text: "Nobody is stopped or sent away who is in already.",
    answer: "Change",
    fields: [
      html("label", { for: "concurrency" }, "Calls under way at once"),
      atOnce,
      html("label", { for: "capacity" }, "Calls that may wait"),
      waiting
    ]
  })
  if (!isMeant) return
  await Actions.act(
    "queue/limits",
    { backend, concurrency: atOnce.valueAsNumber, capacity: waiting.valueAsNumber },
    `${backend} takes ${atOnce.value} at once, and ${waiting.value} may wait`
  )
}

// -----------------------------------------------------------------------------
// cards
// -----------------------------------------------------------------------------

interface Seen {
  readonly backend: Monitor.Backend
  readonly at: number
}

const card = (first: Seen, history: History.History): Shown<Seen> => {
  const { backend: name } = first.backend
  let seen = first.backend
  const state = badge()
  const line = spark()
  const facts = { rate: fact("Calls"), latency: fact("p50 / p95"), first: fact("First token"), errors: fact("Errors"), retries: fact("Retries"), spend: fact("Spent") }
  const inFlight = gauge("Under way")
  const waiting = gauge("Waiting")
  const isPaused = () => seen.queue?.mode === "paused"
  const isOpen = () => seen.circuit !== undefined && seen.circuit.state !== "closed"
  const pausing = Actions.button("Pause", `Pause ${name}`, () => isPaused() ? resume(name) : pause(name))
  const opening = Actions.button("Open circuit", `Open circuit of ${name}`, () => isOpen() ? close(name) : open(name))
  const limiting = Actions.button("Limits", `Limits of ${name}`, async () => {
    if (seen.queue !== undefined) await limit(name, seen.queue)
  })
  const gauges = html("dl", { class: "gauges" }, inFlight.node, waiting.node)
  const others = html("p", { class: "quiet" })
  const heading = html("h3", { id: `backend-${name}` }, name)
  const article = html(
    "article",
    { "aria-labelledby": `backend-${name}` },
    html("div", { class: "heading" }, heading, state.node),
    line.node,
    html("dl", { class: "facts" }, ...Object.values(facts).map(({ node }) => node)),
    gauges,
    others,
    html("div", { class: "row" }, pausing, opening, limiting)
  )
  return {
    node: html("li", {}, article),
    update: ({ at, backend }) => {
      seen = backend
      const { calls, queue, circuit, spend } = backend
      state.update(Words.stateOf(backend, at))
      line.draw(history.moments().map(({ samples }) => samples.get(name)?.calls ?? 0))
      facts.rate.update(`${Words.rate(calls?.perSecond ?? 0)}/s`)
      const { p50 = 0, p95 = 0 } = calls?.latencyMillis ?? {}
      facts.latency.update(p95 === 0 ? "–" : Words.both(p50, p95))
      const firstPart = calls?.firstPartMillis.p50 ?? 0
      facts.first.update(firstPart === 0 ? "–" : Words.millis(firstPart))
      const all = calls === undefined ? 0 : History.ended(calls)
      const failed = calls === undefined ? 0 : History.sum(calls.failed)
      facts.errors.update(all === 0 ? "–" : `${Words.count(failed)} (${Words.percent(failed / all)})`)
      facts.retries.update(Words.count(calls === undefined ? 0 : History.sum(calls.retries)))
      facts.spend.update(spend === undefined ? "–" : Words.money(spend.microDollars))
      say(others, besides(backend))
      set(others, "hidden", others.textContent === "")
      set(gauges, "hidden", queue === undefined)
      set(pausing, "hidden", queue === undefined)
      set(limiting, "hidden", queue === undefined)
      set(opening, "hidden", circuit === undefined)
      if (queue !== undefined) {
        inFlight.update(queue.inFlight, queue.concurrency)
        waiting.update(queue.waiting, queue.capacity, queue.waiting > 0 ? `, oldest ${Words.millis(queue.oldestWaitMillis)}` : "")
      }
      Actions.relabel(pausing, isPaused() ? "Resume" : "Pause", `${isPaused() ? "Resume" : "Pause"} ${name}`)
      Actions.relabel(
        opening,
        isOpen() ? "Close circuit" : "Open circuit",
        `${isOpen() ? "Close" : "Open"} circuit of ${name}`
      )
    }
  }
}

/** All of them; those that were never called come last. */
export const cards = (history: History.History) => {
  const show = list<Seen>(byId("backends"), ({ backend }) => backend.backend, (seen) => card(seen, history))
  return ({ at, backends }: Status) =>
    show(
      backends.map((backend) => ({ backend, at }))
        .toSorted(({ backend: one }, { backend: other }) =>
          Number((other.calls?.started ?? 0) > 0) - Number((one.calls?.started ?? 0) > 0) ||
          one.backend.localeCompare(other.backend)
        )
    )
}
