/**
 * A snapshot of the monitor as metrics, for those who only read metrics.
 */
import * as Monitor from "../Monitor.js"
import * as Metrics from "./metrics.js"

const gauges = {
  llm_queue_depth: "Calls that wait in the queue.",
  llm_queue_oldest_wait_seconds: "How long the oldest of them has waited.",
  llm_queue_wait_seconds: "How long the last calls that were admitted had waited.",
  llm_queue_per_second: "Calls that ended within the last minute.",
  llm_inflight: "Calls under way.",
  llm_concurrency_limit: "Most calls under way at once.",
  llm_breaker_state: "The circuit: 0 closed, 1 half-open, 2 open, 3 isolated by hand, 4 disabled.",
  llm_retry_budget: "Retries that all calls together may make now.",
  llm_adaptive_rate: "Attempts per second that are let through; 0 while all of them are.",
  llm_batch_size: "Items of the last batches.",
  llm_batch_wait_seconds: "How long the last requests waited for others to be sent with.",
  llm_key_inflight: "Attempts under way with the key.",
  llm_key_cooldown_seconds: "How long the key still rests.",
  llm_key_headroom: "Share that is left of the nearest of the key's limits.",
  llm_key_latency_seconds: "How long the key has lately taken to answer.",
  llm_keys: "Keys of the pool, by state.",
  llm_budget_limit_usd: "How much may be spent by each who has the limit.",
  llm_budget_spent_usd: "What he has spent of it who has spent the most.",
  llm_budget_reserved_usd: "What his calls under way may cost."
} as const

const counters = {
  llm_queue_rejected_total: "Calls that were refused when they came.",
  llm_queue_abandoned_total: "Calls that were given up while they waited.",
  llm_queue_refusals_total: "Calls that the queue sent away, by why.",
  llm_breaker_opened_total: "How often the circuit has opened.",
  llm_breaker_refused_total: "Calls that found the circuit open.",
  llm_retry_budget_refused_total: "Retries that were not made since nothing was left.",
  llm_batches_total: "Batches that were sent.",
  llm_batch_requests_total: "Requests that were sent in batches.",
  llm_hedges_total: "Attempts made beside a slow one, by who answered first.",
  llm_coalesced_total: "Callers who shared a call that was under way.",
  llm_cache_hits_total: "Calls that were answered from what was kept.",
  llm_cache_misses_total: "Calls that might have been, and were made.",
  llm_key_requests_total: "Attempts with the key, by how they ended.",
  llm_key_cost_usd_total: "What the key has cost, as far as that is known.",
  llm_budget_refused_total: "Calls for which a budget had no room.",
  llm_tenant_cost_usd_total: "What the calls of a tenant have cost."
} as const

const breakerStates: { readonly [S in Monitor.Circuit["state"]]: number } = {
  closed: 0,
  "half-open": 1,
  open: 2,
  isolated: 3,
  disabled: 4
}
const quantiles = [["p50", "0.5"], ["p95", "0.95"], ["p99", "0.99"]] as const

interface Series {
  readonly isCounter: boolean
  readonly update: Metrics.Update
  value: number
  round: number
}

// one set for the program, as Effect's metrics are
const published = new Map<string, Series>()
let round = 0

const set = (name: keyof typeof gauges | keyof typeof counters, labels: Metrics.Labels, value: number) => {
  const key = JSON.stringify([name, labels])
  let series = published.get(key)
  if (series === undefined) {
    const isCounter = name in counters
    const described = { name, description: { ...gauges, ...counters }[name] }
    series = { isCounter, update: (isCounter ? Metrics.counter : Metrics.gauge)(described, labels), value: 0, round }
    published.set(key, series)
  }
  series.round = round
  // a source that counts less than before has begun anew
  series.update(!series.isCounter ? value : value >= series.value ? value - series.value : value)
  series.value = value
}

const million = 1_000_000

/** Sets every metric to what the snapshot says; what is no longer there goes to zero. */
export const publish = (snapshot: Monitor.Snapshot): void => {
  round++
  for (const one of snapshot.backends) {
    const { adaptiveRate, backend, batches, cache, circuit, coalesced, hedges, keys, queue, retryBudget, spend } = one
    if (queue !== undefined) {
      set("llm_queue_depth", { backend }, queue.waiting)
      set("llm_queue_oldest_wait_seconds", { backend }, queue.oldestWaitMillis / 1000)
      set("llm_inflight", { backend }, queue.inFlight)
      set("llm_concurrency_limit", { backend }, queue.concurrency)
      set("llm_queue_rejected_total", { backend }, queue.rejected)
      set("llm_queue_abandoned_total", { backend }, queue.abandoned)
      set("llm_queue_per_second", { backend }, queue.perSecond ?? 0)
      for (const [reason, count] of Object.entries(queue.refusals ?? {})) {
        set("llm_queue_refusals_total", { backend, reason }, count)
      }
      for (const [name, quantile] of quantiles) {
        set("llm_queue_wait_seconds", { backend, quantile }, (queue.waitMillis?.[name] ?? 0) / 1000)
      }
    }
    if (circuit !== undefined) {
      set("llm_breaker_state", { backend }, breakerStates[circuit.state])
      set("llm_breaker_opened_total", { backend }, circuit.opened)
      set("llm_breaker_refused_total", { backend }, circuit.refused ?? 0)
    }
    if (retryBudget !== undefined) {
      set("llm_retry_budget", { backend }, retryBudget.balance)
      set("llm_retry_budget_refused_total", { backend }, retryBudget.refused)
    }
    if (adaptiveRate !== undefined) set("llm_adaptive_rate", { backend }, adaptiveRate.perSecond ?? 0)
    if (batches !== undefined) {
      set("llm_batches_total", { backend }, batches.sent)
      set("llm_batch_requests_total", { backend }, batches.requests)
      for (const [name, quantile] of quantiles) {
        set("llm_batch_size", { backend, quantile }, batches.size[name])
        set("llm_batch_wait_seconds", { backend, quantile }, batches.waitMillis[name] / 1000)
      }
    }
    if (hedges !== undefined) {
      set("llm_hedges_total", { backend, winner: "hedge" }, hedges.won)
      set("llm_hedges_total", { backend, winner: "other" }, hedges.lost)
    }
    if (coalesced !== undefined) set("llm_coalesced_total", { backend }, coalesced.joined)
    if (cache !== undefined) {
      set("llm_cache_hits_total", { backend }, cache.hits)
      set("llm_cache_misses_total", { backend }, cache.misses)
    }
    for (const [tenant, microDollars] of Object.entries(spend?.byTenant ?? {})) {
      set("llm_tenant_cost_usd_total", { backend, tenant }, microDollars / million)
    }
    for (const state of keys === undefined ? [] : Monitor.keyStates) {
      set("llm_keys", { backend, state }, keys!.filter((key) => key.state === state).length)
    }
    for (const key of keys ?? []) {
      const labels = { backend, key: key.id }
      set("llm_key_inflight", labels, key.inFlight)
      set("llm_key_cooldown_seconds", labels, Math.max((key.until ?? 0) - snapshot.at, 0) / 1000)
      if (key.headroom !== undefined) set("llm_key_headroom", labels, key.headroom)
      if (key.latencyMillis !== undefined) set("llm_key_latency_seconds", labels, key.latencyMillis / 1000)
      if (key.microDollars !== undefined) set("llm_key_cost_usd_total", labels, key.microDollars / million)
      set("llm_key_requests_total", { ...labels, outcome: "success" }, key.successes)
      for (const [outcome, count] of Object.entries(key.failures)) {
        set("llm_key_requests_total", { ...labels, outcome }, count)
      }
    }
  }
  for (const { largest: [first], limit, limitMicroDollars, refused } of snapshot.budgets ?? []) {
    set("llm_budget_limit_usd", { limit }, limitMicroDollars / million)
    set("llm_budget_spent_usd", { limit }, (first?.spentMicroDollars ?? 0) / million)
    set("llm_budget_reserved_usd", { limit }, (first?.reservedMicroDollars ?? 0) / million)
    set("llm_budget_refused_total", { limit }, refused)
  }
  for (const series of published.values()) {
    if (!series.isCounter && series.round !== round) series.update(series.value = 0)
  }
}
