/**
 * What is so now, in a few numbers, and the charts of how it came to be so.
 */
import type { Status } from "./gateway.js"
import * as Chart from "./chart.js"
import { byId, html, list, say, set } from "./element.js"
import * as History from "./history.js"
import * as Words from "./words.js"

// -----------------------------------------------------------------------------
// numbers
// -----------------------------------------------------------------------------

interface Tile {
  readonly name: string
  readonly value: string
  readonly note: string
  readonly mood?: Words.Mood
}

const recent = 30

/** The average of the last moments: one second alone jumps about. */
const average = (history: History.History, read: (sample: History.Sample) => number): number => {
  const moments = history.moments().slice(-recent)
  if (moments.length === 0) return 0
  let total = 0
  for (const { samples } of moments) for (const sample of samples.values()) total += read(sample)
  return total / moments.length
}

const tilesOf = (status: Status, history: History.History): ReadonlyArray<Tile> => {
  const { backends } = status
  const calls = average(history, (sample) => sample.calls)
  const errors = average(history, (sample) => History.sum(sample.errors))
  const retries = average(history, (sample) => History.sum(sample.retries))
  const waiting = backends.reduce((all, { queue }) => all + (queue?.waiting ?? 0), 0)
  const inFlight = backends.reduce((all, { queue }) => all + (queue?.inFlight ?? 0), 0)
  const oldest = Math.max(0, ...backends.map(({ queue }) => queue?.oldestWaitMillis ?? 0))
  const called = backends.filter(({ calls }) => calls !== undefined && calls.latencyMillis.p95 > 0)
  const slowest = called.toSorted((one, other) => other.calls!.latencyMillis.p95 - one.calls!.latencyMillis.p95)[0]
  const spend = backends.reduce((all, { spend }) => all + (spend?.microDollars ?? 0), 0)
  const troubled = backends.filter((backend) => ["bad", "warn"].includes(Words.stateOf(backend, status.at).mood))
  const errorShare = calls > 0 ? errors / calls : 0
  return [
    { name: "Calls", value: `${Words.rate(calls)}/s`, note: `average of ${recent} s` },
    { name: "In flight", value: Words.count(inFlight), note: `for ${Words.count(status.inFlight)} callers` },
    { name: "Waiting", value: Words.count(waiting), note: waiting > 0 ? `the oldest for ${Words.millis(oldest)}` : "nobody" },
    {
      name: "Errors",
      value: Words.percent(errorShare),
      note: "after all retries",
      ...(errorShare > 0.05 && { mood: "bad" as const })
    },
    { name: "Retries", value: `${Words.rate(retries)}/s`, note: `average of ${recent} s` },
    {
      name: "Slowest p95",
      value: slowest === undefined ? "–" : Words.millis(slowest.calls!.latencyMillis.p95),
      note: slowest?.backend ?? "no call yet"
    },
    { name: "Spent", value: Words.money(spend), note: `in ${Words.span(status.uptimeMillis)}` },
    {
      name: "In trouble",
      value: `${troubled.length} of ${backends.length}`,
      note: troubled.length === 0 ? "all is well" : troubled.map(({ backend }) => backend).join(", "),
      ...(troubled.length > 0 && { mood: "warn" as const })
    }
  ]
}

/** The numbers at the top. */
export const tiles = (history: History.History) => {
  const show = list<Tile>(byId("tiles"), ({ name }) => name, ({ name }) => {
    const value = html("dd", { class: "value" })
    const note = html("dd", { class: "quiet" })
    const node = html("div", {}, html("dt", {}, name), value, note)
    return {
      node,
      update: (tile) => {
        say(value, tile.mood === undefined ? tile.value : `${Words.shapes[tile.mood]} ${tile.value}`)
        set(value, "data-mood", tile.mood)
        say(note, tile.note)
      }
    }
  })
  return (status: Status) => show(tilesOf(status, history))
}

// -----------------------------------------------------------------------------
// charts
// -----------------------------------------------------------------------------

type Read = (sample: History.Sample) => number | null

const everything = ""
const calm = 10

/** The charts, of all backends or of the one that is chosen. */
export const charts = (history: History.History) => {
  const calls = Chart.make({ title: "Calls per second", note: `that ended, average of ${calm} s`, format: Words.rate })
  const latency = Chart.make({ title: "Latency", note: "of the last 1,024 calls that succeeded", format: Words.millis })
  const first = Chart.make({ title: "First token", note: "of the last 1,024 streams", format: Words.millis })
  const queue = Chart.make({ title: "Queue", note: "calls that wait, and calls under way", format: Words.count, isWhole: true })
  const errors = Chart.make({ title: "Errors per second", note: `by reason, average of ${calm} s`, format: Words.rate })
  const retries = Chart.make({ title: "Retries per second", note: `by error, average of ${calm} s`, format: Words.rate })
  const all = [calls, latency, first, queue, errors, retries]
  byId("charts").append(...all.map(({ node }) => node))

  const choice = byId<HTMLSelectElement>("choice")
  const offer = list<string>(choice, (name) => name, (name) => ({
    node: html("option", { value: name }, name === everything ? "all" : name),
    update: () => {}
  }))

  const lineOf = (name: string, backend: string, read: Read): Chart.Line => ({
    name,
    values: history.moments().map(({ samples }) => {
      const sample = samples.get(backend)
      return sample === undefined ? null : read(sample)
    })
  })

  // what happens a few times a second would be a comb
  const smooth = ({ name, values }: Chart.Line): Chart.Line => ({
    name,
    values: values.map((value, place) => {
      if (value === null) return null
      const last = values.slice(Math.max(place - calm + 1, 0), place + 1).filter((value) => value !== null)
      return last.reduce((sum, value) => sum + value, 0) / last.length
    })
  })

  const total = (name: string, backends: ReadonlyArray<string>, read: (sample: History.Sample) => number): Chart.Line => ({
    name,
    values: history.moments().map(({ samples }) =>
      backends.reduce((all, backend) => {
        const sample = samples.get(backend)
        return sample === undefined ? all : all + read(sample)
      }, 0))
  })

  /** A line for each reason that there was, the most frequent ones first. */
  const byReason = (backends: ReadonlyArray<string>, counts: (sample: History.Sample) => { readonly [tag: string]: number }) => {
    const seen = new Map<string, number>()
    for (const { samples } of history.moments()) {
      for (const backend of backends) {
        for (const [tag, rate] of Object.entries(samples.has(backend) ? counts(samples.get(backend)!) : {})) {
          seen.set(tag, (seen.get(tag) ?? 0) + rate)
        }
      }
    }
    return [...seen].filter(([, rate]) => rate > 0).toSorted(([, one], [, other]) => other - one).slice(0, Chart.most)
      .map(([tag]) => tag).toSorted()
      .map((tag) => smooth(total(Words.spoken(tag), backends, (sample) => counts(sample)[tag] ?? 0)))
  }

  const draw = (status: Status) => {
    const names = status.backends.map(({ backend }) => backend).toSorted()
    offer([everything, ...names])
    const chosen = choice.value
    const backends = chosen === everything ? names : [chosen]
    // of more than can be told apart, those with the most calls
    const busiest = status.backends.filter(({ calls }) => (calls?.started ?? 0) > 0)
      .toSorted((one, other) => other.calls!.started - one.calls!.started)
      .slice(0, Chart.most).map(({ backend }) => backend).toSorted()
    const times = history.moments().map(({ at }) => at)
    const percentiles = (read: (sample: History.Sample) => History.Sample["latency"]): ReadonlyArray<Chart.Line> =>
      chosen === everything
        ? busiest.map((backend) => lineOf(`${backend}, p95`, backend, (sample) => read(sample)?.p95 ?? null))
          .filter(({ values }) => values.some((value) => value !== null))
        : (["p50", "p95", "p99"] as const).map((name) => lineOf(name, chosen, (sample) => read(sample)?.[name] ?? null))
    calls.draw(
      times,
      (chosen === everything ? busiest : [chosen]).map((backend) => smooth(lineOf(backend, backend, (sample) => sample.calls)))
    )
    latency.draw(times, percentiles((sample) => sample.latency))
    first.draw(times, percentiles((sample) => sample.firstPart))
    queue.draw(times, [
      total("waiting", backends, (sample) => sample.waiting),
      total("under way", backends, (sample) => sample.inFlight)
    ])
    errors.draw(times, byReason(backends, (sample) => sample.errors))
    retries.draw(times, byReason(backends, (sample) => sample.retries))
  }

  return { draw, choice, recolour: () => all.forEach((chart) => chart.recolour()) }
}
