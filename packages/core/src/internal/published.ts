/**
 * A snapshot of the monitor as metrics, for those who only read metrics.
 */
import * as Record from "effect/Record"
import * as Monitor from "../Monitor.js"
import * as Metrics from "./metrics.js"

const gauges = {
  llm_queue_depth: "Calls that wait in the queue.",
  llm_queue_capacity: "Most calls that may wait.",
  llm_queue_mode: "The queue: 0 open, 1 paused, 2 draining, 3 shut down.",
  llm_queue_oldest_wait_seconds: "How long the oldest of them has waited.",
  llm_queue_wait_seconds: "How long the last calls that were admitted had waited.",
  llm_queue_per_second: "Calls that ended within the last minute.",
  llm_inflight: "Calls under way.",
  llm_concurrency_limit: "Most calls under way at once.",
  llm_breaker_state: "The circuit: 0 closed, 1 half-open, 2 open, 3 isolated by hand, 4 disabled.",
  llm_retry_budget: "Retries that all calls together may make now.",
  llm_retry_budget_reserve: "Most of them that can be saved.",
  llm_adaptive_rate: "Attempts per second that are let through; 0 while all of them are.",
  llm_adaptive_rate_waiting: "Attempts that wait for their time.",
  llm_batch_waiting: "Requests that wait for others to be sent with.",
  llm_batch_size: "Items of the last batches.",
  llm_cache_entries: "Answers that are kept.",
  llm_cache_bytes: "About how many bytes of memory they take.",
  llm_batch_wait_seconds: "How long the last requests waited for others to be sent with.",
  llm_key_inflight: "Attempts under way with the key.",
  llm_key_queued: "Calls that wait for a key, this one among those that would do.",
  llm_key_cooldown_seconds: "How long the key still rests.",
  llm_key_headroom: "Share that is left of the nearest of the key's limits.",
  llm_key_limit_per_minute: "What the key is known to be allowed, and by whom.",
  llm_key_remaining: "What the backend says is left of the key's limits.",
  llm_key_latency_seconds: "How long the key has lately taken to answer.",
  llm_keys: "Keys of the pool, by state.",
  llm_budget_limit_usd: "How much may be spent by each who has the limit.",
  llm_budget_spent_usd: "What he has spent of it who has spent the most.",
  llm_budget_reserved_usd: "What his calls under way may cost."
} as const

const counters = {
  llm_queue_admitted_total: "Calls that were let through.",
  llm_queue_rejected_total: "Calls that were refused when they came.",
  llm_queue_abandoned_total: "Calls that were given up while they waited.",
  llm_queue_refusals_total: "Calls that the queue sent away, by why.",
  llm_breaker_opened_total: "How often the circuit has opened.",
  llm_breaker_refused_total: "Calls that found the circuit open.",
  llm_breaker_transitions_total: "How often the circuit became something else.",
  llm_retry_budget_refused_total: "Retries that were not made since nothing was left.",
  llm_adaptive_rate_refusals_total: "Refusals that the rate was learned from.",
  llm_batches_total: "Batches that were sent.",
  llm_batch_requests_total: "Requests that were sent in batches.",
  llm_batch_items_total: "Items in them.",
  llm_batches_parted_total: "Batches that were sent again in halves.",
  llm_hedges_begun_total: "Attempts that were begun beside a slow one.",
  llm_hedges_refused_total: "Attempts beside a slow one for which there was no retry budget.",
  llm_hedges_total: "Attempts made beside a slow one, by who answered first.",
  llm_coalesced_made_total: "Calls that may be shared.",
  llm_coalesced_total: "Callers who shared a call that was under way.",
  llm_cache_hits_total: "Calls that were answered from what was kept.",
  llm_cache_misses_total: "Calls that might have been, and were made.",
  llm_cache_evicted_total: "Answers that made room for others before their time was over.",
  llm_key_requests_total: "Attempts with the key, by how they ended.",
  llm_key_tokens_total: "Tokens used with the key.",
  llm_key_cost_usd_total: "What the key has cost, as far as that is known.",
  llm_budget_refused_total: "Calls for which a budget had no room.",
  llm_tenant_cost_usd_total: "What the calls of a tenant have cost.",
  llm_cost_unknown_total: "Answers whose cost is not known."
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

const quantilesOf = (name: keyof typeof gauges, labels: Metrics.Labels, parts: number, values?: Monitor.Percentiles) => {
  for (const [value, quantile] of quantiles) set(name, { ...labels, quantile }, (values?.[value] ?? 0) / parts)
}

type Publish<A> = (labels: Metrics.Labels, value: A, at: number) => void

const ofQueue: Publish<Monitor.Queue> = (labels, queue) => {
  if (queue.mode !== undefined) set("llm_queue_mode", labels, Monitor.queueModes.indexOf(queue.mode))
  set("llm_queue_depth", labels, queue.waiting)
  set("llm_queue_capacity", labels, queue.capacity)
  set("llm_queue_oldest_wait_seconds", labels, queue.oldestWaitMillis / 1000)
  set("llm_inflight", labels, queue.inFlight)
  set("llm_concurrency_limit", labels, queue.concurrency)
  set("llm_queue_admitted_total", labels, queue.admitted)
  set("llm_queue_rejected_total", labels, queue.rejected)
  set("llm_queue_abandoned_total", labels, queue.abandoned)
  set("llm_queue_per_second", labels, queue.perSecond ?? 0)
  for (const [reason, count] of Object.entries(queue.refusals ?? {})) {
    set("llm_queue_refusals_total", { ...labels, reason }, count)
  }
  quantilesOf("llm_queue_wait_seconds", labels, 1000, queue.waitMillis)
}

const ofCircuit: Publish<Monitor.Circuit> = (labels, circuit) => {
  set("llm_breaker_state", labels, breakerStates[circuit.state])
  set("llm_breaker_opened_total", labels, circuit.opened)
  set("llm_breaker_refused_total", labels, circuit.refused ?? 0)
  for (const { from, times, to } of circuit.changes ?? []) set("llm_breaker_transitions_total", { ...labels, from, to }, times)
}

const ofRetryBudget: Publish<Monitor.RetryBudget> = (labels, { balance, refused, reserve }) => {
  set("llm_retry_budget", labels, balance)
  set("llm_retry_budget_reserve", labels, reserve)
  set("llm_retry_budget_refused_total", labels, refused)
}

const ofAdaptiveRate: Publish<Monitor.AdaptiveRate> = (labels, { perSecond = 0, refusals, waiting }) => {
  set("llm_adaptive_rate", labels, perSecond)
  set("llm_adaptive_rate_waiting", labels, waiting)
  set("llm_adaptive_rate_refusals_total", labels, refusals)
}

const ofBatches: Publish<Monitor.Batches> = (labels, batches) => {
  set("llm_batch_waiting", labels, batches.waiting)
  set("llm_batches_total", labels, batches.sent)
  set("llm_batch_requests_total", labels, batches.requests)
  set("llm_batch_items_total", labels, batches.items)
  set("llm_batches_parted_total", labels, batches.parted)
  quantilesOf("llm_batch_size", labels, 1, batches.size)
  quantilesOf("llm_batch_wait_seconds", labels, 1000, batches.waitMillis)
}

const ofHedges: Publish<Monitor.Hedges> = (labels, { begun, lost, refused, won }) => {
  set("llm_hedges_begun_total", labels, begun)
  set("llm_hedges_refused_total", labels, refused)
  set("llm_hedges_total", { ...labels, winner: "hedge" }, won)
  set("llm_hedges_total", { ...labels, winner: "other" }, lost)
}

const ofCoalesced: Publish<Monitor.Coalesced> = (labels, { joined, made }) => {
  set("llm_coalesced_made_total", labels, made)
  set("llm_coalesced_total", labels, joined)
}

const ofCache: Publish<Monitor.Cache> = (labels, { bytes, entries, evicted, hits, misses }) => {
  set("llm_cache_hits_total", labels, hits)
  set("llm_cache_misses_total", labels, misses)
  set("llm_cache_evicted_total", labels, evicted)
  set("llm_cache_entries", labels, entries)
  set("llm_cache_bytes", labels, bytes)
}

const ofSpend: Publish<Monitor.Spend> = (labels, { byTenant, unknown }) => {
  for (const [tenant, microDollars] of Object.entries(byTenant)) {
    set("llm_tenant_cost_usd_total", { ...labels, tenant }, microDollars / million)
  }
  set("llm_cost_unknown_total", labels, unknown)
}

const ofKeys: Publish<ReadonlyArray<Monitor.Key>> = (labels, keys, at) => {
  for (const state of Monitor.keyStates) {
    set("llm_keys", { ...labels, state }, keys.filter((key) => key.state === state).length)
  }
  for (const key of keys) ofKey({ ...labels, key: key.id }, key, at)
}

const ofKey: Publish<Monitor.Key> = (labels, key, at) => {
  set("llm_key_inflight", labels, key.inFlight)
  set("llm_key_cooldown_seconds", labels, Math.max((key.until ?? 0) - at, 0) / 1000)
  if (key.queued !== undefined) set("llm_key_queued", labels, key.queued)
  if (key.headroom !== undefined) set("llm_key_headroom", labels, key.headroom)
  if (key.latencyMillis !== undefined) set("llm_key_latency_seconds", labels, key.latencyMillis / 1000)
  if (key.microDollars !== undefined) set("llm_key_cost_usd_total", labels, key.microDollars / million)
  for (const { model, of, perMinute, source } of key.limits ?? []) {
    set("llm_key_limit_per_minute", { ...labels, of, source, ...(model !== undefined && { model }) }, perMinute)
  }
  for (const [limit, left] of Object.entries(key.remaining ?? {})) set("llm_key_remaining", { ...labels, limit }, left)
  set("llm_key_tokens_total", { ...labels, direction: "input" }, key.inputTokens)
  set("llm_key_tokens_total", { ...labels, direction: "output" }, key.outputTokens)
  set("llm_key_requests_total", { ...labels, outcome: "success" }, key.successes)
  for (const [outcome, count] of Object.entries(key.failures)) {
    set("llm_key_requests_total", { ...labels, outcome }, count)
  }
}

// calls are counted where they end, see `Telemetry`
const parts: { readonly [P in Exclude<keyof Monitor.Backend, "backend" | "calls">]: Publish<NonNullable<Monitor.Backend[P]>> } = {
  queue: ofQueue,
  circuit: ofCircuit,
  retryBudget: ofRetryBudget,
  adaptiveRate: ofAdaptiveRate,
  batches: ofBatches,
  hedges: ofHedges,
  coalesced: ofCoalesced,
  cache: ofCache,
  spend: ofSpend,
  keys: ofKeys
}

const ofPart = <P extends keyof typeof parts>(part: P, seen: Monitor.Backend, at: number) => {
  const value = seen[part]
  if (value !== undefined) parts[part]({ backend: seen.backend }, value, at)
}

const ofBudget = ({ largest: [first], limit, limitMicroDollars, refused }: Monitor.Budget) => {
  set("llm_budget_limit_usd", { limit }, limitMicroDollars / million)
  set("llm_budget_spent_usd", { limit }, (first?.spentMicroDollars ?? 0) / million)
  set("llm_budget_reserved_usd", { limit }, (first?.reservedMicroDollars ?? 0) / million)
  set("llm_budget_refused_total", { limit }, refused)
}

/** Sets every metric to what the snapshot says; what is no longer there goes to zero. */
export const publish = ({ at, backends, budgets = [] }: Monitor.Snapshot): void => {
  round++
  for (const seen of backends) for (const part of Record.keys(parts)) ofPart(part, seen, at)
  budgets.forEach(ofBudget)
  for (const series of published.values()) {
    if (!series.isCounter && series.round !== round) series.update(series.value = 0)
  }
}
