/**
 * A line chart with its title and a legend that tells the values in words, for whoever does not see the lines. Lines
 * differ by dashes as well as by colour.
 */
import type UPlot from "uplot"
import { html, list, say, set, svg } from "./element.js"
import { longest } from "./history.js"

declare global {
  interface Window {
    /** Loaded by a script of its own. */
    readonly uPlot: typeof UPlot
  }
}

export interface Line {
  readonly name: string
  /** One for each time; null where nothing is known. */
  readonly values: ReadonlyArray<number | null>
}

export interface Chart {
  readonly node: Element
  readonly draw: (times: ReadonlyArray<number>, lines: ReadonlyArray<Line>) => void
  /** Takes up the colours of the page anew. */
  readonly recolour: () => void
}

/** As many lines as can be told apart. */
export const most = 6

const dashes = [[], [7, 3], [2, 3], [9, 3, 2, 3], [12, 4], [4, 2]]

const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim()

// seconds are told where the ticks are less than a minute apart
const toTime = (at: number, [first = 0, second = first + 60]: ReadonlyArray<number>): string =>
  new Date(at * 1000).toLocaleTimeString([], {
    hour: "2-digit",
    minute: "2-digit",
    ...(second - first < 60 && { second: "2-digit" })
  })

const wholes = [1, 2, 5].flatMap((one) => [1, 10, 100, 1000, 10_000].map((tens) => one * tens)).toSorted((one, other) => one - other)

export interface Options {
  readonly title: string
  readonly note: string
  readonly format: (value: number) => string
  /** Whether there is nothing between one and two. @default false */
  readonly isWhole?: boolean
}

export const make = ({ format, isWhole = false, note, title }: Options): Chart => {
  const plot = html("div", { class: "plot", role: "img" })
  const items = html("ul", { class: "legend" })
  const nothing = html("p", { class: "quiet" }, "Nothing yet")
  const node = html(
    "figure",
    { class: "chart" },
    html("figcaption", {}, html("h3", {}, title), html("p", { class: "quiet" }, note)),
    plot,
    items,
    nothing
  )

  let chart: UPlot | undefined
  let drawn = ""
  let times: ReadonlyArray<number> = []
  let lines: ReadonlyArray<Line> = []
  let pointed: number | undefined

  const toLegend = () => list<Line>(items, ({ name }) => name, ({ name }) => {
    const place = lines.findIndex((line) => line.name === name)
    const value = html("b")
    const node = html(
      "li",
      {},
      svg("svg", { viewBox: "0 0 22 8", "aria-hidden": "true", class: `line line-${place + 1}` }, svg("path", {
        d: "M1 4h20",
        "stroke-dasharray": dashes[place]!.join(" ") || undefined
      })),
      html("span", {}, name),
      value
    )
    return {
      node,
      update: ({ values }) => {
        const now = values[pointed ?? values.length - 1]
        say(value, now == null ? "–" : format(now))
      }
    }
  })

  let legend = toLegend()

  const range = (): [number, number] => {
    const last = times.at(-1) ?? 0
    return [Math.min(Math.max(times[0] ?? 0, last - longest), last - 60), last]
  }

  const options = (): UPlot.Options => {
    const axis = { stroke: colour("--quiet"), grid: { stroke: colour("--grid"), width: 1 }, ticks: { show: false }, font: "11px system-ui, sans-serif" }
    return {
      width: Math.max(plot.clientWidth, 100),
      height: 150,
      padding: [8, 4, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
      scales: { x: { range }, y: { range: (_, __, max) => [0, max > 0 ? max * 1.1 : 1] } },
      axes: [
        { ...axis, size: 24, gap: 6, space: 76, values: (_, splits) => splits.map((at) => toTime(at, splits)) },
        { ...axis, size: 54, gap: 6, space: 34, ...(isWhole && { incrs: wholes }), values: (_, splits) => splits.map(format) }
      ],
      series: [
        {},
        ...lines.map(({ name }, place) => ({
          label: name,
          stroke: colour(`--line-${place + 1}`),
          width: 1.75,
          dash: dashes[place]!,
          points: { show: false }
        }))
      ],
      hooks: {
        setCursor: [(self) => {
          pointed = self.cursor.idx ?? undefined
          legend(lines)
        }]
      }
    }
  }

  const data = (): UPlot.AlignedData => [times as Array<number>, ...lines.map(({ values }) => values as Array<number | null>)]

  const rebuild = () => {
    chart?.destroy()
    items.replaceChildren()
    legend = toLegend()
    chart = new window.uPlot(options(), data(), plot)
    drawn = lines.map(({ name }) => name).join("\n")
  }

  new ResizeObserver(() => chart?.setSize({ width: Math.max(plot.clientWidth, 100), height: 150 })).observe(plot)

  return {
    node,
    recolour: () => {
      if (chart !== undefined) rebuild()
    },
    draw(nextTimes, nextLines) {
      times = nextTimes
      lines = nextLines.slice(0, most)
      if (chart === undefined || drawn !== lines.map(({ name }) => name).join("\n")) rebuild()
      else chart.setData(data())
      legend(lines)
      set(nothing, "hidden", lines.length > 0)
      set(plot, "aria-label", `${title}: ${lines.length === 0 ? "nothing yet" : "lines; what they are at now is listed next"}`)
    }
  }
}

/** A little line without axes, for a card; what it shows is told beside it. */
export const spark = () => {
  const path = svg("path", { d: "" })
  const node = svg("svg", { viewBox: "0 0 120 28", preserveAspectRatio: "none", class: "spark", "aria-hidden": "true" }, path)
  return {
    node,
    draw: (values: ReadonlyArray<number>) => {
      const last = values.slice(-120)
      const most = Math.max(1, ...last)
      const points = last.map((value, place) => `${120 - last.length + place + 1} ${(26 - value / most * 24).toFixed(1)}`)
      set(path, "d", points.length < 2 ? "" : `M${points.join("L")}`)
    }
  }
}
