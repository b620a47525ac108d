/**
 * What the monitor sees of queues, circuits and keys, as metrics that are read when somebody scrapes. (Calls are
 * counted by `Telemetry`, among the program's own metrics.)
 *
 * @since 0.1.0
 */
import type * as Monitor from "@spillway/core/Monitor"
import type { Family, Labels, Sample } from "./Prometheus.js"

/**
 * What the monitor sees, backend by backend.
 *
 * @since 0.1.0
 * @category conversions
 */
export const fromSnapshot = ({ backends }: Monitor.Snapshot): ReadonlyArray<Family> =>
  backends.flatMap(({ backend, queue, circuit, retryBudget, adaptiveRate, keys }) => [
    ...(queue === undefined ? [] : fromQueue(backend, queue)),
    ...(circuit === undefined ? [] : fromCircuit(backend, circuit)),
    ...(retryBudget === undefined ? [] : fromRetryBudget(backend, retryBudget)),
    ...(adaptiveRate === undefined ? [] : fromAdaptiveRate(backend, adaptiveRate)),
    ...(keys ?? []).flatMap((key) => fromKey(backend, key))
  ])

const gauge = (name: string, help: string, ...samples: ReadonlyArray<Sample>): Family => ({
  name: `spillway_${name}`,
  type: "gauge",
  help,
  samples
})

const counter = (name: string, help: string, ...samples: ReadonlyArray<Sample>): Family => ({
  name: `spillway_${name}`,
  type: "counter",
  help,
  samples
})

const fromQueue = (backend: string, queue: Monitor.Queue): ReadonlyArray<Family> => {
  const labels = { backend }
  return [
    gauge("queue_capacity", "Calls that may wait", { labels, value: queue.capacity }),
    gauge("queue_concurrency", "Calls that may be under way at once", { labels, value: queue.concurrency }),
    gauge("queue_waiting", "Calls that wait", { labels, value: queue.waiting }),
    gauge("queue_in_flight", "Calls under way", { labels, value: queue.inFlight }),
    gauge("queue_oldest_wait_seconds", "How long the oldest waiting call has waited", {
      labels,
      value: queue.oldestWaitMillis / 1000
    }),
    counter("queue_admitted_total", "Calls that were admitted", { labels, value: queue.admitted }),
    counter("queue_rejected_total", "Calls that were refused for want of room", { labels, value: queue.rejected }),
    counter("queue_abandoned_total", "Calls that were given up while waiting", { labels, value: queue.abandoned })
  ]
}

const oneHot = <S extends string>(labels: Labels, states: ReadonlyArray<S>, now: S): ReadonlyArray<Sample> =>
  states.map((state) => ({ labels: { ...labels, state }, value: state === now ? 1 : 0 }))

const known = (labels: Labels, value: number | undefined): ReadonlyArray<Sample> =>
  value === undefined ? [] : [{ labels, value }]

const fromCircuit = (backend: string, circuit: Monitor.Circuit): ReadonlyArray<Family> => {
  const labels = { backend }
  return [
    gauge(
      "circuit_state",
      "1 for the state of the circuit, 0 for the others",
      ...oneHot(labels, ["closed", "open", "half-open", "isolated", "disabled"], circuit.state)
    ),
    gauge("circuit_failures", "Failures in a row while closed", { labels, value: circuit.failures }),
    gauge(
      "circuit_rate",
      "Share of the latest calls, where it decides and is known",
      ...known({ ...labels, of: "failures" }, circuit.window?.failureRate),
      ...known({ ...labels, of: "slow" }, circuit.window?.slowRate)
    ),
    counter("circuit_opened_total", "How often the circuit has opened", { labels, value: circuit.opened }),
    counter("circuit_refused_total", "Calls that found the circuit open", ...known(labels, circuit.refused))
  ]
}

const fromRetryBudget = (backend: string, budget: Monitor.RetryBudget): ReadonlyArray<Family> => {
  const labels = { backend }
  return [
    gauge("retry_budget_balance", "Retries that all calls together may make now", { labels, value: budget.balance }),
    gauge("retry_budget_reserve", "Most retries that can be saved", { labels, value: budget.reserve }),
    counter("retry_budget_refused_total", "Retries that were not made since nothing was left", {
      labels,
      value: budget.refused
    })
  ]
}

const fromAdaptiveRate = (backend: string, adaptive: Monitor.AdaptiveRate): ReadonlyArray<Family> => {
  const labels = { backend }
  return [
    gauge(
      "adaptive_rate_per_second",
      "Attempts that are let through; no sample while all of them are",
      ...(adaptive.perSecond === undefined ? [] : [{ labels, value: adaptive.perSecond }])
    ),
    gauge("adaptive_rate_waiting", "Attempts that wait for their time", { labels, value: adaptive.waiting }),
    counter("adaptive_rate_refusals_total", "Refusals that the rate was learned from", {
      labels,
      value: adaptive.refusals
    })
  ]
}

const fromKey = (backend: string, key: Monitor.Key): ReadonlyArray<Family> => {
  const labels = { backend, key: key.id }
  const { requests, tokens } = key.remaining ?? {}
  return [
    gauge(
      "key_state",
      "1 for the state of the key, 0 for the others",
      ...oneHot(labels, ["ready", "cooling", "exhausted", "retired"], key.state)
    ),
    gauge("key_in_flight", "Attempts under way with the key", { labels, value: key.inFlight }),
    counter("key_requests_total", "Attempts made with the key", { labels, value: key.requests }),
    counter("key_successes_total", "Attempts with the key that succeeded", { labels, value: key.successes }),
    counter("key_failures_total", "Attempts with the key that failed", ...byReason(labels, key.failures)),
    counter("key_tokens_total", "Tokens used with the key", ...tokensOf(labels, key)),
    gauge(
      "key_remaining",
      "What the backend says is left of the key's limits",
      ...(requests === undefined ? [] : [{ labels: { ...labels, limit: "requests" }, value: requests }]),
      ...(tokens === undefined ? [] : [{ labels: { ...labels, limit: "tokens" }, value: tokens }])
    )
  ]
}

const byReason = (labels: Labels, counts: { readonly [reason: string]: number }): ReadonlyArray<Sample> =>
  Object.entries(counts).map(([reason, value]) => ({ labels: { ...labels, reason }, value }))

const tokensOf = (
  labels: Labels,
  { inputTokens, outputTokens }: { readonly inputTokens: number; readonly outputTokens: number }
): ReadonlyArray<Sample> => [
  { labels: { ...labels, direction: "input" }, value: inputTokens },
  { labels: { ...labels, direction: "output" }, value: outputTokens }
]
