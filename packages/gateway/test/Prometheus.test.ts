import { assert, describe, it } from "@effect/vitest"
import type * as Monitor from "@spillway/core/Monitor"
import * as MonitorMetrics from "@spillway/gateway/MonitorMetrics"
import * as Prometheus from "@spillway/gateway/Prometheus"
import { Effect, Metric, MetricBoundaries } from "effect"
import { read } from "./exposition.js"

describe("Prometheus", () => {
  it("says what a metric is once, for all its samples", () => {
    const family = { name: "a_total", type: "counter", help: "All of it" } as const
    assert.strictEqual(
      Prometheus.toText([
        { ...family, samples: [{ labels: { x: "1" }, value: 1 }] },
        { name: "b", type: "gauge", help: "", samples: [{ value: 2.5 }] },
        { ...family, samples: [{ labels: { x: "2" }, value: 3n }] },
        { name: "none", type: "gauge", help: "no samples", samples: [] }
      ]),
      "# HELP a_total All of it\n# TYPE a_total counter\na_total{x=\"1\"} 1\na_total{x=\"2\"} 3\n# TYPE b gauge\nb 2.5\n"
    )
  })

  it("escapes what would break a line or a label, and writes names that a scraper takes (S6)", () => {
    const text = Prometheus.toText([{
      name: "1 ä.b-c",
      type: "gauge",
      help: "a\\b\nc",
      samples: [{ labels: { "a-b": "q\"uo\\te\n}\r 1", "9": "x" }, value: Number.POSITIVE_INFINITY }]
    }])
    assert.strictEqual(
      text,
      "# HELP _1___b_c a\\\\b\\nc\n# TYPE _1___b_c gauge\n_1___b_c{_9=\"x\",a_b=\"q\\\"uo\\\\te\\n}\\n 1\"} +Inf\n"
    )
    assert.strictEqual(read(text).size, 1)
  })

  it("keeps metrics of one name apart when their types differ, and the first of samples named alike", () => {
    const samples = read(Prometheus.toText([
      { name: "a.b", type: "counter", help: "", samples: [{ value: 1 }, { value: 2 }] },
      { name: "a_b", type: "gauge", help: "", samples: [{ value: 3 }] }
    ]))
    assert.deepStrictEqual([...samples], [["a_b", 1], ["a_b_gauge", 3]])
  })

  it.effect("writes every kind of metric", () =>
    Effect.gen(function*() {
      const tagged = <A extends Metric.Metric<any, any, any>>(metric: A) => Metric.tagged(metric, "test", "prometheus")
      yield* Metric.incrementBy(tagged(Metric.counter("t.counter", { incremental: true, description: "up" })), 2)
      yield* Metric.incrementBy(tagged(Metric.counter("t.balance", { bigint: true })), -3n)
      yield* Metric.set(tagged(Metric.gauge("t.gauge")), -1.5)
      const words = tagged(Metric.frequency("t.words"))
      yield* Metric.update(words, "yes")
      yield* Metric.update(words, "n\"o")
      const histogram = tagged(Metric.histogram("t.seconds", MetricBoundaries.fromIterable([0.1, 1])))
      yield* Effect.forEach([0.05, 0.5, 0.7, 20], (value) => Metric.update(histogram, value))
      const summary = tagged(Metric.summary({ name: "t.size", maxAge: "1 day", maxSize: 10, error: 0.1, quantiles: [0.5] }))
      yield* Effect.forEach([1, 2, 3], (value) => Metric.update(summary, value))

      const pairs = yield* Metric.snapshot
      const text = Prometheus.toText(Prometheus.fromMetrics(
        pairs.filter(({ metricKey }) => metricKey.tags.some(({ value }) => value === "prometheus"))
      ))
      assert.include(text, "# HELP t_counter up\n# TYPE t_counter counter\n")
      assert.include(text, "# TYPE t_balance gauge\n")
      assert.include(text, "# TYPE t_seconds histogram\n")
      const samples = read(text)
      for (
        const [series, value] of [
          ["t_counter{test=\"prometheus\"}", 2],
          ["t_balance{test=\"prometheus\"}", -3],
          ["t_gauge{test=\"prometheus\"}", -1.5],
          ["t_words{test=\"prometheus\",key=\"yes\"}", 1],
          ["t_words{test=\"prometheus\",key=\"n\\\"o\"}", 1],
          ["t_seconds_bucket{test=\"prometheus\",le=\"0.1\"}", 1],
          ["t_seconds_bucket{test=\"prometheus\",le=\"1\"}", 3],
          ["t_seconds_bucket{test=\"prometheus\",le=\"+Inf\"}", 4],
          ["t_seconds_count{test=\"prometheus\"}", 4],
          ["t_size_sum{test=\"prometheus\"}", 6],
          ["t_size_count{test=\"prometheus\"}", 3]
        ] as const
      ) assert.strictEqual(samples.get(series), value, series)
      assert.isTrue(samples.has("t_size{test=\"prometheus\",quantile=\"0.5\"}"))
    }))

  it("shows queues, circuits and keys as they are", () => {
    const samples = read(Prometheus.toText(MonitorMetrics.fromSnapshot(snapshot)))
    assert.deepStrictEqual(Object.fromEntries(samples), {
      "spillway_queue_capacity{backend=\"openai\"}": 100,
      "spillway_queue_concurrency{backend=\"openai\"}": 5,
      "spillway_queue_waiting{backend=\"openai\"}": 2,
      "spillway_queue_in_flight{backend=\"openai\"}": 5,
      "spillway_queue_oldest_wait_seconds{backend=\"openai\"}": 1.5,
      "spillway_queue_admitted_total{backend=\"openai\"}": 40,
      "spillway_queue_rejected_total{backend=\"openai\"}": 1,
      "spillway_queue_abandoned_total{backend=\"openai\"}": 3,
      "spillway_queue_refusals_total{backend=\"openai\",reason=\"full\"}": 1,
      "spillway_queue_refusals_total{backend=\"openai\",reason=\"expired\"}": 2,
      "spillway_queue_wait_seconds{backend=\"openai\",quantile=\"0.5\"}": 0.2,
      "spillway_queue_wait_seconds{backend=\"openai\",quantile=\"0.95\"}": 1,
      "spillway_queue_wait_seconds{backend=\"openai\",quantile=\"0.99\"}": 2,
      "spillway_queue_per_second{backend=\"openai\"}": 3.5,
      "spillway_circuit_state{backend=\"openai\",state=\"closed\"}": 0,
      "spillway_circuit_state{backend=\"openai\",state=\"open\"}": 0,
      "spillway_circuit_state{backend=\"openai\",state=\"half-open\"}": 1,
      "spillway_circuit_state{backend=\"openai\",state=\"isolated\"}": 0,
      "spillway_circuit_state{backend=\"openai\",state=\"disabled\"}": 0,
      "spillway_circuit_failures{backend=\"openai\"}": 5,
      "spillway_circuit_opened_total{backend=\"openai\"}": 1,
      "spillway_circuit_transitions_total{backend=\"openai\",from=\"closed\",to=\"open\"}": 6,
      "spillway_retry_budget_balance{backend=\"openai\"}": 12.5,
      "spillway_retry_budget_reserve{backend=\"openai\"}": 500,
      "spillway_retry_budget_refused_total{backend=\"openai\"}": 3,
      "spillway_adaptive_rate_per_second{backend=\"openai\"}": 7.5,
      "spillway_adaptive_rate_waiting{backend=\"openai\"}": 2,
      "spillway_adaptive_rate_refusals_total{backend=\"openai\"}": 4,
      "spillway_batch_waiting{backend=\"openai\"}": 3,
      "spillway_batches_total{backend=\"openai\"}": 10,
      "spillway_batch_requests_total{backend=\"openai\"}": 40,
      "spillway_batch_items_total{backend=\"openai\"}": 50,
      "spillway_batches_parted_total{backend=\"openai\"}": 1,
      "spillway_batch_size{backend=\"openai\",quantile=\"0.5\"}": 4,
      "spillway_batch_size{backend=\"openai\",quantile=\"0.95\"}": 8,
      "spillway_batch_size{backend=\"openai\",quantile=\"0.99\"}": 9,
      "spillway_batch_wait_seconds{backend=\"openai\",quantile=\"0.5\"}": 0.005,
      "spillway_batch_wait_seconds{backend=\"openai\",quantile=\"0.95\"}": 0.01,
      "spillway_batch_wait_seconds{backend=\"openai\",quantile=\"0.99\"}": 0.011,
      "spillway_hedges_begun_total{backend=\"openai\"}": 6,
      "spillway_hedges_total{backend=\"openai\",winner=\"hedge\"}": 2,
      "spillway_hedges_total{backend=\"openai\",winner=\"other\"}": 3,
      "spillway_hedges_refused_total{backend=\"openai\"}": 7,
      "spillway_coalesced_made_total{backend=\"openai\"}": 20,
      "spillway_coalesced_joined_total{backend=\"openai\"}": 12,
      "spillway_cache_hits_total{backend=\"openai\"}": 9,
      "spillway_cache_misses_total{backend=\"openai\"}": 4,
      "spillway_cache_evicted_total{backend=\"openai\"}": 1,
      "spillway_cache_entries{backend=\"openai\"}": 3,
      "spillway_cache_bytes{backend=\"openai\"}": 2048,
      "spillway_key_state{backend=\"openai\",key=\"one\",state=\"ready\"}": 0,
      "spillway_key_state{backend=\"openai\",key=\"one\",state=\"cooling\"}": 1,
      "spillway_key_state{backend=\"openai\",key=\"one\",state=\"exhausted\"}": 0,
      "spillway_key_state{backend=\"openai\",key=\"one\",state=\"retired\"}": 0,
      "spillway_key_state{backend=\"openai\",key=\"one\",state=\"disabled\"}": 0,
      "spillway_key_in_flight{backend=\"openai\",key=\"one\"}": 1,
      "spillway_key_queued{backend=\"openai\",key=\"one\"}": 4,
      "spillway_key_requests_total{backend=\"openai\",key=\"one\"}": 12,
      "spillway_key_successes_total{backend=\"openai\",key=\"one\"}": 9,
      "spillway_key_failures_total{backend=\"openai\",key=\"one\",reason=\"RateLimited\"}": 2,
      "spillway_key_tokens_total{backend=\"openai\",key=\"one\",direction=\"input\"}": 100,
      "spillway_key_tokens_total{backend=\"openai\",key=\"one\",direction=\"output\"}": 200,
      "spillway_key_cost_usd_total{backend=\"openai\",key=\"one\"}": 0.25,
      "spillway_key_latency_seconds{backend=\"openai\",key=\"one\"}": 0.12,
      "spillway_key_headroom{backend=\"openai\",key=\"one\"}": 0.5,
      "spillway_key_limit_per_minute{backend=\"openai\",key=\"one\",of=\"tokens\",source=\"config\"}": 1000,
      "spillway_key_limit_per_minute{backend=\"openai\",key=\"one\",of=\"requests\",source=\"learned\",model=\"gpt\"}": 1500,
      "spillway_key_remaining{backend=\"openai\",key=\"one\",limit=\"tokens\"}": 7,
      "spillway_tenant_cost_usd_total{backend=\"openai\",tenant=\"acme\"}": 1.5,
      "spillway_tenant_cost_usd_total{backend=\"openai\",tenant=\"\"}": 0.5,
      "spillway_cost_unknown_total{backend=\"openai\"}": 3,
      "spillway_budget_limit_usd{limit=\"tenant per day\"}": 20,
      "spillway_budget_spent_usd{limit=\"tenant per day\",account=\"acme\"}": 12.5,
      "spillway_budget_spent_usd{limit=\"tenant per day\",account=\"emca\"}": 2,
      "spillway_budget_reserved_usd{limit=\"tenant per day\",account=\"acme\"}": 0.25,
      "spillway_budget_reserved_usd{limit=\"tenant per day\",account=\"emca\"}": 0,
      "spillway_budget_refused_total{limit=\"tenant per day\"}": 4
    })
  })
})

const snapshot: Monitor.Snapshot = {
  at: 0,
  budgets: [
    {
      limit: "tenant per day",
      limitMicroDollars: 20_000_000,
      refused: 4,
      accounts: 2,
      largest: [
        { account: "acme", spentMicroDollars: 12_500_000, reservedMicroDollars: 250_000 },
        { account: "emca", spentMicroDollars: 2_000_000, reservedMicroDollars: 0 }
      ]
    }
  ],
  backends: [
    {
      backend: "openai",
      queue: {
        capacity: 100,
        concurrency: 5,
        waiting: 2,
        inFlight: 5,
        oldestWaitMillis: 1500,
        admitted: 40,
        rejected: 1,
        abandoned: 3,
        refusals: { full: 1, expired: 2 },
        waitMillis: { p50: 200, p95: 1000, p99: 2000 },
        perSecond: 3.5
      },
      circuit: { state: "half-open", failures: 5, opened: 1, changes: [{ from: "closed", to: "open", times: 6 }] },
      spend: { microDollars: 2_000_000, byModel: { "gpt-4o": 2_000_000 }, byTenant: { acme: 1_500_000, "": 500_000 }, unknown: 3 },
      retryBudget: { balance: 12.5, reserve: 500, refused: 3 },
      adaptiveRate: { perSecond: 7.5, waiting: 2, refusals: 4 },
      batches: {
        waiting: 3,
        sent: 10,
        requests: 40,
        items: 50,
        parted: 1,
        size: { p50: 4, p95: 8, p99: 9 },
        waitMillis: { p50: 5, p95: 10, p99: 11 }
      },
      hedges: { begun: 6, won: 2, lost: 3, refused: 7 },
      coalesced: { made: 20, joined: 12 },
      cache: { hits: 9, misses: 4, entries: 3, bytes: 2048, evicted: 1 },
      keys: [{
        id: "one",
        state: "cooling",
        until: 1,
        reason: "RateLimited",
        inFlight: 1,
        requests: 12,
        successes: 9,
        failures: { RateLimited: 2 },
        inputTokens: 100,
        outputTokens: 200,
        queued: 4,
        microDollars: 250_000,
        latencyMillis: 120,
        headroom: 0.5,
        limits: [
          { of: "tokens", source: "config", perMinute: 1000, atOnce: 1000, remaining: 500 },
          { of: "requests", source: "learned", model: "gpt", perMinute: 1500, atOnce: 4, remaining: 4 }
        ],
        remaining: { tokens: 7 }
      }]
    },
    { backend: "bare" }
  ]
}
