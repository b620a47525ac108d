/**
 * What the monitor sees of queues, circuits, keys and budgets, as metrics that are read when somebody scrapes. (Calls are
 * counted by `Telemetry`, among the program's own metrics.)
 *
 * @since 0.1.0
 */
import * as Monitor from "@spillway/core/Monitor"
import type { Family, Labels, Sample } from "./Prometheus.js"

/**
 * What the monitor sees, backend by backend.
 *
 * @since 0.1.0
 * @category conversions
 */
export const fromSnapshot = ({ backends, budgets = [] }: Monitor.Snapshot): ReadonlyArray<Family> => [
  ...backends.flatMap(fromBackend),
  ...budgets.flatMap(fromBudget)
]

const fromBackend = (seen: Monitor.Backend): ReadonlyArray<Family> => {
  const { backend, queue, circuit, retryBudget, adaptiveRate, batches, hedges, coalesced, cache, keys, spend } = seen
  return [
    ...(queue === undefined ? [] : fromQueue(backend, queue)),
    ...(circuit === undefined ? [] : fromCircuit(backend, circuit)),
    ...(retryBudget === undefined ? [] : fromRetryBudget(backend, retryBudget)),
    ...(adaptiveRate === undefined ? [] : fromAdaptiveRate(backend, adaptiveRate)),
    ...(batches === undefined ? [] : fromBatches(backend, batches)),
    ...(hedges === undefined ? [] : fromHedges(backend, hedges)),
    ...(coalesced === undefined ? [] : fromCoalesced(backend, coalesced)),
    ...(cache === undefined ? [] : fromCache(backend, cache)),
    ...(keys ?? []).flatMap((key) => fromKey(backend, key)),
    ...(spend === undefined ? [] : fromSpend(backend, spend))
  ]
}

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
    gauge(
      "queue_mode",
      "1 for the mode of the queue, 0 for the others",
      ...(queue.mode === undefined ? [] : oneHot(labels, Monitor.queueModes, queue.mode))
    ),
    gauge("queue_waiting", "Calls that wait", { labels, value: queue.waiting }),
    gauge("queue_in_flight", "Calls under way", { labels, value: queue.inFlight }),
    gauge("queue_oldest_wait_seconds", "How long the oldest waiting call has waited", {
      labels,
      value: queue.oldestWaitMillis / 1000
    }),
    counter("queue_admitted_total", "Calls that were admitted", { labels, value: queue.admitted }),
    counter("queue_rejected_total", "Calls that were refused when they came", { labels, value: queue.rejected }),
    counter("queue_abandoned_total", "Calls that were given up while waiting", { labels, value: queue.abandoned }),
    counter("queue_refusals_total", "Calls that the queue sent away, by why", ...byReason(labels, queue.refusals ?? {})),
    gauge(
      "queue_wait_seconds",
      "How long the last calls that were admitted had waited",
      ...(queue.waitMillis === undefined ? [] : quantilesOf(labels, queue.waitMillis, 1 / 1000))
    ),
    gauge("queue_per_second", "Calls that ended within the last minute", ...known(labels, queue.perSecond))
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
      ...oneHot(labels, Monitor.circuitStates, circuit.state)
    ),
    gauge("circuit_failures", "Failures in a row while closed", { labels, value: circuit.failures }),
    gauge(
      "circuit_rate",
      "Share of the latest calls, where it decides and is known",
      ...known({ ...labels, of: "failures" }, circuit.window?.failureRate),
      ...known({ ...labels, of: "slow" }, circuit.window?.slowRate)
    ),
    counter("circuit_opened_total", "How often the circuit has opened", { labels, value: circuit.opened }),
    counter("circuit_refused_total", "Calls that found the circuit open", ...known(labels, circuit.refused)),
    counter(
      "circuit_transitions_total",
      "How often the circuit became something else",
      ...(circuit.changes ?? []).map(({ from, times, to }) => ({ labels: { ...labels, from, to }, value: times }))
    )
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

const fromBatches = (backend: string, batches: Monitor.Batches): ReadonlyArray<Family> => {
  const labels = { backend }
  return [
    gauge("batch_waiting", "Requests that wait for others to be sent with", { labels, value: batches.waiting }),
    counter("batches_total", "Batches that were sent", { labels, value: batches.sent }),
    counter("batch_requests_total", "Requests that were sent in batches", { labels, value: batches.requests }),
    counter("batch_items_total", "Items that were sent in batches", { labels, value: batches.items }),
    counter("batches_parted_total", "Batches that were sent again in halves", { labels, value: batches.parted }),
    gauge("batch_size", "Items of the last batches", ...quantilesOf(labels, batches.size, 1)),
    gauge(
      "batch_wait_seconds",
      "How long the last requests waited for others",
      ...quantilesOf(labels, batches.waitMillis, 1 / 1000)
    )
  ]
}

const quantilesOf = (labels: Labels, { p50, p95, p99 }: Monitor.Percentiles, unit: number): ReadonlyArray<Sample> =>
  Object.entries({ 0.5: p50, 0.95: p95, 0.99: p99 })
    .map(([quantile, value]) => ({ labels: { ...labels, quantile }, value: value * unit }))

const fromHedges = (backend: string, hedges: Monitor.Hedges): ReadonlyArray<Family> => {
  const labels = { backend }
  return [
    counter("hedges_begun_total", "Attempts that were begun beside a slow one", { labels, value: hedges.begun }),
    counter(
      "hedges_total",
      "Attempts beside a slow one that have ended, by who answered first",
      { labels: { ...labels, winner: "hedge" }, value: hedges.won },
      { labels: { ...labels, winner: "other" }, value: hedges.lost }
    ),
    counter("hedges_refused_total", "Attempts that the retry budget did not allow", { labels, value: hedges.refused })
  ]
}

const fromCoalesced = (backend: string, coalesced: Monitor.Coalesced): ReadonlyArray<Family> => {
  const labels = { backend }
  return [
    counter("coalesced_made_total", "Calls that may be shared", { labels, value: coalesced.made }),
    counter("coalesced_joined_total", "Callers who shared one that was under way", { labels, value: coalesced.joined })
  ]
}

const fromCache = (backend: string, cache: Monitor.Cache): ReadonlyArray<Family> => {
  const labels = { backend }
  return [
    counter("cache_hits_total", "Calls answered from what was kept", { labels, value: cache.hits }),
    counter("cache_misses_total", "Calls that might have been, and were made", { labels, value: cache.misses }),
    counter("cache_evicted_total", "Answers that made room for others before their time", { labels, value: cache.evicted }),
    gauge("cache_entries", "Answers that are kept", { labels, value: cache.entries }),
    gauge("cache_bytes", "Bytes of memory that they take, about", { labels, value: cache.bytes })
  ]
}

const fromKey = (backend: string, key: Monitor.Key): ReadonlyArray<Family> => {
  const labels = { backend, key: key.id }
  const { requests, tokens } = key.remaining ?? {}
  return [
    gauge(
      "key_state",
      "1 for the state of the key, 0 for the others",
      ...oneHot(labels, Monitor.keyStates, key.state)
    ),
    gauge("key_in_flight", "Attempts under way with the key", { labels, value: key.inFlight }),
    gauge("key_queued", "Calls that wait for a key, this one among those that would do", ...known(labels, key.queued)),
    counter("key_requests_total", "Attempts made with the key", { labels, value: key.requests }),
    counter("key_successes_total", "Attempts with the key that succeeded", { labels, value: key.successes }),
    counter("key_failures_total", "Attempts with the key that failed", ...byReason(labels, key.failures)),
    counter("key_tokens_total", "Tokens used with the key", ...tokensOf(labels, key)),
    counter(
      "key_cost_usd_total",
      "What the key has cost, as far as that is known",
      ...inUnits(labels, key.microDollars, 1_000_000)
    ),
    gauge(
      "key_latency_seconds",
      "How long the key has lately taken to answer",
      ...inUnits(labels, key.latencyMillis, 1000)
    ),
    gauge("key_headroom", "Share that is left of the nearest of the key's limits", ...known(labels, key.headroom)),
    gauge(
      "key_limit_per_minute",
      "What the key is known to be allowed, and by whom",
      ...limitsOf(labels, key.limits ?? [])
    ),
    gauge(
      "key_remaining",
      "What the backend says is left of the key's limits",
      ...(requests === undefined ? [] : [{ labels: { ...labels, limit: "requests" }, value: requests }]),
      ...(tokens === undefined ? [] : [{ labels: { ...labels, limit: "tokens" }, value: tokens }])
    )
  ]
}

const fromSpend = (backend: string, { byTenant, unknown }: Monitor.Spend): ReadonlyArray<Family> => [
  counter(
    "tenant_cost_usd_total",
    "What the calls of a tenant have cost",
    ...Object.entries(byTenant).map(([tenant, value]) => ({ labels: { backend, tenant }, value: value / million }))
  ),
  counter("cost_unknown_total", "Answers whose cost is not known", { labels: { backend }, value: unknown })
]

const fromBudget = (budget: Monitor.Budget): ReadonlyArray<Family> => {
  const { limit, largest, limitMicroDollars, refused } = budget
  const each = (of: (account: Monitor.Budget["largest"][number]) => number): ReadonlyArray<Sample> =>
    largest.map((account) => ({ labels: { limit, account: account.account }, value: of(account) / million }))
  return [
    gauge("budget_limit_usd", "How much may be spent by each who has the limit", {
      labels: { limit },
      value: limitMicroDollars / million
    }),
    gauge("budget_spent_usd", "What those have spent of it who have spent the most", ...each((one) => one.spentMicroDollars)),
    gauge("budget_reserved_usd", "What their calls under way may cost", ...each((one) => one.reservedMicroDollars)),
    counter("budget_refused_total", "Calls for which it had no room", { labels: { limit }, value: refused })
  ]
}

const million = 1_000_000

const inUnits = (labels: Labels, value: number | undefined, parts: number): ReadonlyArray<Sample> =>
  known(labels, value === undefined ? undefined : value / parts)

const limitsOf = (labels: Labels, limits: ReadonlyArray<Monitor.KeyLimit>): ReadonlyArray<Sample> =>
  limits.map(({ model, of, perMinute, source }) => ({
    labels: { ...labels, of, source, ...(model !== undefined && { model }) },
    value: perMinute
  }))

const byReason = (labels: Labels, counts: { readonly [reason: string]: number }): ReadonlyArray<Sample> =>
  Object.entries(counts).map(([reason, value]) => ({ labels: { ...labels, reason }, value }))

const tokensOf = (
  labels: Labels,
  { inputTokens, outputTokens }: { readonly inputTokens: number; readonly outputTokens: number }
): ReadonlyArray<Sample> => [
  { labels: { ...labels, direction: "input" }, value: inputTokens },
  { labels: { ...labels, direction: "output" }, value: outputTokens }
]
