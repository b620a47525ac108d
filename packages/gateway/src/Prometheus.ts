/**
 * The text format that Prometheus scrapes, and the metrics of the program in it.
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 * @since 0.1.0
 */
import * as MetricKeyType from "effect/MetricKeyType"
import type * as MetricPair from "effect/MetricPair"
import * as MetricState from "effect/MetricState"
import * as Option from "effect/Option"

/**
 * The media type of the text.
 *
 * @since 0.1.0
 * @category constants
 */
export const contentType = "text/plain; version=0.0.4; charset=utf-8"

/**
 * One number of a metric: its labels, and its value.
 *
 * @since 0.1.0
 * @category models
 */
export interface Sample {
  readonly labels?: Labels
  readonly value: number | bigint
  /** What is added to the metric's name: `_bucket`, `_sum`, `_count`. */
  readonly suffix?: string
}

/**
 * The labels of a sample.
 *
 * @since 0.1.0
 * @category models
 */
export type Labels = { readonly [label: string]: string }

/**
 * A metric with all its samples.
 *
 * @since 0.1.0
 * @category models
 */
export interface Family {
  readonly name: string
  readonly type: "counter" | "gauge" | "histogram" | "summary"
  readonly help: string
  readonly samples: ReadonlyArray<Sample>
}

/**
 * The text. Families of one name are written as one; where their types differ, the later one is named after its type
 * too, since a scraper takes only one type for a name. Of samples that are named alike the first stays.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toText = (families: Iterable<Family>): string => {
  const written = new Map<string, { readonly type: Family["type"]; readonly head: string; readonly lines: Map<string, string> }>()
  for (const family of families) {
    let name = toName(family.name)
    if ((written.get(name)?.type ?? family.type) !== family.type) name = `${name}_${family.type}`
    let block = written.get(name)
    if (block === undefined) {
      const help = family.help === "" ? "" : `# HELP ${name} ${escapeHelp(family.help)}\n`
      block = { type: family.type, head: `${help}# TYPE ${name} ${family.type}\n`, lines: new Map() }
      written.set(name, block)
    }
    for (const { labels, value, suffix = "" } of family.samples) {
      const series = `${name}${suffix}${toLabels(labels)}`
      if (!block.lines.has(series)) block.lines.set(series, `${series} ${toNumber(value)}\n`)
    }
  }
  let text = ""
  for (const { head, lines } of written.values()) {
    if (lines.size > 0) text += head + [...lines.values()].join("")
  }
  return text
}

const toName = (name: string): string => name.replace(/[^a-zA-Z0-9_:]/g, "_").replace(/^(?=\d)/, "_")

const toLabelName = (name: string): string => name.replace(/[^a-zA-Z0-9_]/g, "_").replace(/^(?=\d)/, "_")

const toLabels = (labels: Labels | undefined): string => {
  const entries = Object.entries(labels ?? {})
  return entries.length === 0
    ? ""
    : `{${entries.map(([name, value]) => `${toLabelName(name)}="${escapeLabel(value)}"`).join(",")}}`
}

const escapeHelp = (text: string): string => text.replace(/\\/g, "\\\\").replace(/\r?\n|\r/g, "\\n")

// there are these three escapes, and a scraper stops at any other
const escapeLabel = (text: string): string =>
  text.replace(/\\/g, "\\\\").replace(/"/g, "\\\"").replace(/\r?\n|\r/g, "\\n")

const toNumber = (value: number | bigint): string =>
  value === Number.POSITIVE_INFINITY ? "+Inf" : value === Number.NEGATIVE_INFINITY ? "-Inf" : String(value)

// -----------------------------------------------------------------------------
// the program's metrics
// -----------------------------------------------------------------------------

/**
 * The metrics of a snapshot (`Metric.snapshot`).
 *
 * @since 0.1.0
 * @category conversions
 */
export const fromMetrics = (pairs: ReadonlyArray<MetricPair.MetricPair.Untyped>): ReadonlyArray<Family> =>
  pairs.flatMap(({ metricKey, metricState: state }) => {
    const labels: Labels = Object.fromEntries(metricKey.tags.map((tag) => [tag.key, tag.value]))
    const family = (type: Family["type"], samples: ReadonlyArray<Sample>): ReadonlyArray<Family> => [
      { name: metricKey.name, type, help: Option.getOrElse(metricKey.description, () => ""), samples }
    ]
    if (MetricState.isCounterState(state)) {
      const falls = MetricKeyType.isCounterKey(metricKey.keyType) && !metricKey.keyType.incremental
      return family(falls ? "gauge" : "counter", [{ labels, value: state.count }])
    }
    if (MetricState.isGaugeState(state)) return family("gauge", [{ labels, value: state.value }])
    if (MetricState.isFrequencyState(state)) {
      return family("counter", [...state.occurrences].map(([key, value]) => ({ labels: { ...labels, key }, value })))
    }
    if (MetricState.isHistogramState(state)) {
      return family("histogram", [
        ...state.buckets
          .filter(([boundary]) => boundary !== Number.POSITIVE_INFINITY)
          .map(([boundary, value]) => ({ labels: { ...labels, le: toNumber(boundary) }, value, suffix: "_bucket" })),
        { labels: { ...labels, le: "+Inf" }, value: state.count, suffix: "_bucket" },
        { labels, value: state.sum, suffix: "_sum" },
        { labels, value: state.count, suffix: "_count" }
      ])
    }
    if (MetricState.isSummaryState(state)) {
      return family("summary", [
        ...state.quantiles.map(([quantile, value]) => ({
          labels: { ...labels, quantile: String(quantile) },
          value: Option.getOrElse(value, () => Number.NaN)
        })),
        { labels, value: state.sum, suffix: "_sum" },
        { labels, value: state.count, suffix: "_count" }
      ])
    }
    return []
  })
