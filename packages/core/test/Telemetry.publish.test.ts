/** That nothing which the monitor knows is left out of the metrics. */
import { assert, describe, it } from "@effect/vitest"
import * as Monitor from "@spillway/core/Monitor"
import * as Telemetry from "@spillway/core/Telemetry"
import { Effect, Metric, TestClock } from "effect"

const backend = "published"

let last = 1000
/** A number that occurs nowhere else, whatever it is divided by. */
const number = () => last += 7

const percentiles = () => ({ p50: number(), p95: number(), p99: number() })

const seen: Required<Omit<Monitor.Backend, "backend" | "calls">> = {
  queue: {
    mode: "draining",
    capacity: number(),
    concurrency: number(),
    waiting: number(),
    inFlight: number(),
    oldestWaitMillis: number(),
    admitted: number(),
    rejected: number(),
    abandoned: number(),
    refusals: {
      full: number(),
      "tenant-full": number(),
      displaced: number(),
      late: number(),
      expired: number(),
      "waited-too-long": number(),
      draining: number(),
      shut: number()
    },
    waitMillis: percentiles(),
    perSecond: number()
  },
  circuit: {
    state: "open",
    failures: 0,
    openUntil: 5_000_000,
    opened: number(),
    refused: number(),
    transitions: 0,
    changes: [{ from: "closed", to: "open", times: number() }, { from: "open", to: "half-open", times: number() }],
    timeline: []
  },
  retryBudget: { balance: number(), reserve: number(), refused: number() },
  adaptiveRate: { perSecond: number(), waiting: number(), refusals: number() },
  batches: {
    waiting: number(),
    sent: number(),
    requests: number(),
    items: number(),
    parted: number(),
    size: percentiles(),
    waitMillis: percentiles()
  },
  hedges: { begun: number(), won: number(), lost: number(), refused: number() },
  coalesced: { made: number(), joined: number() },
  cache: { hits: number(), misses: number(), entries: number(), bytes: number(), evicted: number() },
  spend: { microDollars: 0, byModel: {}, byTenant: { acme: number(), "": number() }, unknown: number() },
  keys: [{
    id: "key-1",
    state: "cooling",
    until: 1_000_000 + 9001,
    reason: "RateLimited",
    inFlight: number(),
    queued: number(),
    requests: 0,
    successes: number(),
    failures: { RateLimited: number(), ServerFault: number() },
    inputTokens: number(),
    outputTokens: number(),
    microDollars: number(),
    latencyMillis: number(),
    lastUsed: 0,
    remaining: { requests: number(), tokens: number() },
    limits: [
      { of: "requests", source: "config", perMinute: number(), atOnce: 0, remaining: 0 },
      { of: "tokens", source: "learned", model: "m", perMinute: number(), atOnce: 0, remaining: 0 }
    ],
    headroom: number()
  }]
}

/** Every number in it, but for what other numbers say as well: moments, sums, and what an attempt counts anyway. */
const numbersIn = (value: unknown, path = ""): ReadonlyArray<readonly [path: string, number]> =>
  typeof value === "number"
    ? value > 1000 && value < 1_000_000 ? [[path, value]] : []
    : typeof value === "object" && value !== null
    ? Object.entries(value).flatMap(([name, inner]) => numbersIn(inner, `${path}.${name}`))
    : []

describe("publish", () => {
  it.scoped("makes a metric of each number that the monitor knows of a backend", () =>
    Effect.gen(function*() {
      const monitor = Monitor.unsafeMake()
      yield* monitor.register({ backend, read: () => seen })
      yield* TestClock.setTime(1_000_000)
      yield* Effect.provideService(Telemetry.publish, Monitor.CurrentMonitor, monitor)
      const values = new Map((yield* Metric.snapshot).flatMap(({ metricKey, metricState }) => {
        const { count, value = count } = metricState as { readonly value?: number; readonly count?: number }
        const labels = metricKey.tags.map(({ key, value }) => `${key}=${value}`)
        return labels.includes(`backend=${backend}`) ? [[value, `${metricKey.name} ${labels.join(" ")}`] as const] : []
      }))
      const numbers = numbersIn(seen)
      assert.isAbove(numbers.length, 60)
      for (const [path, number] of numbers) {
        assert.isTrue([1, 1000, 1_000_000].some((unit) => values.has(number / unit)), `${path} (${number})`)
      }
      assert.strictEqual(values.get(9.001), `llm_key_cooldown_seconds backend=${backend} key=key-1`)
      assert.strictEqual(values.get(2), `llm_breaker_state backend=${backend}`)
    }))
})
