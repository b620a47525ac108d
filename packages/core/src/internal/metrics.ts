/**
 * Metrics with their labels bound once: updating one is a synchronous addition, while `Metric.tagged` would look the
 * series up at each update.
 */
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import * as MetricKey from "effect/MetricKey"
import * as MetricLabel from "effect/MetricLabel"

/** The labels of a series. */
export type Labels = { readonly [label: string]: string }

/** What is counted, or measured. */
export interface Name {
  readonly name: string
  readonly description: string
}

/** Updates one series. */
export type Update = (value: number) => void

const labelled = (labels: Labels) => Object.entries(labels).map(([key, value]) => MetricLabel.make(key, value))

export const counter = ({ description, name }: Name, labels: Labels): Update => {
  const key = MetricKey.taggedWithLabels(MetricKey.counter(name, { description, incremental: true }), labelled(labels))
  const metric = Metric.fromMetricKey(key)
  return (value) => metric.unsafeUpdate(value, [])
}

export const gauge = ({ description, name }: Name, labels: Labels): Update => {
  const key = MetricKey.taggedWithLabels(MetricKey.gauge(name, { description }), labelled(labels))
  const metric = Metric.fromMetricKey(key)
  return (value) => metric.unsafeUpdate(value, [])
}

// 10 ms to 82 s, as OpenTelemetry has them for generative AI
const seconds = MetricBoundaries.fromIterable(Array.from({ length: 14 }, (_, n) => 0.01 * 2 ** n))

// 1 to 67 million, as it has them for tokens
const powersOfFour = MetricBoundaries.fromIterable(Array.from({ length: 14 }, (_, n) => 4 ** n))

const inBuckets = (boundaries: MetricBoundaries.MetricBoundaries) => ({ description, name }: Name, labels: Labels): Update => {
  const key = MetricKey.taggedWithLabels(MetricKey.histogram(name, boundaries, description), labelled(labels))
  const metric = Metric.fromMetricKey(key)
  return (value) => metric.unsafeUpdate(value, [])
}

/** Takes seconds. */
export const histogram = inBuckets(seconds)

/** Takes how many there are. */
export const sizes = inBuckets(powersOfFour)

/** Series that are made when they are first wanted. */
export const family = <K extends string>(make: (key: K) => Update): (key: K) => Update => {
  const made = new Map<K, Update>()
  return (key) => {
    let update = made.get(key)
    if (update === undefined) {
      update = make(key)
      made.set(key, update)
    }
    return update
  }
}
