import { describe, expect, it } from "@effect/vitest"
import type * as Monitor from "@spillway/core/Monitor"
import type * as Status from "@spillway/gateway/Status"
import * as KeyTable from "../src/KeyTable.js"
import * as PullText from "../src/PullText.js"
import * as StatusText from "../src/StatusText.js"

const at = 1_000_000
const key = (id: string, changes: Partial<Monitor.Key> = {}): Monitor.Key => ({
  id,
  state: "ready",
  inFlight: 0,
  requests: 1200,
  successes: 1190,
  failures: { RateLimited: 10 },
  inputTokens: 5000,
  outputTokens: 100,
  ...changes
})
const times = { p50: 120, p95: 1500, p99: 2000 }
const groq: Monitor.Backend = {
  backend: "groq",
  queue: { capacity: 100, concurrency: 5, waiting: 7, inFlight: 5, oldestWaitMillis: 2500, admitted: 9, rejected: 0, abandoned: 0 },
  circuit: { state: "open", failures: 5, openUntil: at + 12_000, opened: 1 },
  keys: [key("one", { microDollars: 12_300, latencyMillis: 99.6, headroom: 0.25 }), key("two", { state: "cooling", until: at + 3000, reason: "RateLimited" })],
  calls: {
    started: 0,
    succeeded: 1190,
    failed: { TimedOut: 2, ServerFault: 1 },
    interrupted: 0,
    died: 0,
    retries: { RateLimited: 10 },
    inputTokens: 0,
    outputTokens: 0,
    perSecond: 3.14,
    latencyMillis: times,
    firstPartMillis: times
  },
  spend: { microDollars: 12_300, byModel: {}, byTenant: {}, unknown: 1 }
}
const status: Status.Status = {
  version: "1.2.3",
  state: "accepting",
  startedAt: 0,
  uptimeMillis: 125_000,
  inFlight: 5,
  requests: [],
  at,
  backends: [groq, { backend: "ollama", keys: [key("anonymous")] }],
  budgets: [{
    limit: "tenant per day",
    limitMicroDollars: 10_000_000,
    refused: 3,
    accounts: 2,
    largest: [{ account: "acme", spentMicroDollars: 2_500_000, reservedMicroDollars: 0 }]
  }]
}

describe("StatusText", () => {
  it("tells of the gateway, its backends, their keys and its budgets; of no key where none is needed", () => {
    expect(StatusText.lines(status, "http://gw")).toEqual([
      "Spillway 1.2.3  http://gw  accepting  up 2m 5s  5 in flight",
      "",
      "BACKEND  CIRCUIT       UNDER WAY  WAITING  OLDEST  CALLS/S    P50  P95   DONE  FAILED  RETRIES             COST",
      "groq     open for 12s        5/5    7/100      3s      3.1  120ms   2s  1,190       3       10  $0.0123 or more",
      "ollama",
      "",
      "BACKEND  KEY  STATE                         IN FLIGHT  REQUESTS  FAILED  TOKENS IN  OUT     COST  LATENCY  LEFT",
      "groq     one  ready                                 0     1,200      10      5,000  100  $0.0123    100ms   25%",
      "groq     two  cooling for 3s (RateLimited)          0     1,200      10      5,000  100",
      "",
      "BUDGET          OF EACH  WHO    MOST SPENT  REFUSED",
      "tenant per day   $10.00    2  $2.50 (acme)        3"
    ])
  })
})

describe("KeyTable", () => {
  it("names keys by their backends", () => {
    expect(KeyTable.list(KeyTable.rows(status.backends))).toEqual(["BACKEND  KEY", "groq     one", "groq     two"])
  })

  it("tells why a key is not accepted", () => {
    expect(KeyTable.verdicts([{ backend: "groq", id: "one", verdict: "valid" }])).toEqual(["BACKEND  KEY  VERDICT", "groq     one  valid"])
  })
})

describe("PullText", () => {
  const hear = (...told: ReadonlyArray<Parameters<typeof PullText.hear>[1]>) => told.reduce(PullText.hear, PullText.nothing)

  it("tells the status while nobody knows how much there is", () => {
    expect(PullText.line(hear({ status: "pulling manifest" }))).toBe("pulling manifest")
  })

  it("adds up all layers, and loses nothing of one that is told of anew", () => {
    const told = hear(
      { status: "pulling a", digest: "a", total: 2_000_000_000, completed: 500_000_000 },
      { status: "pulling b", digest: "b", total: 1000, completed: 1000 },
      { status: "pulling a", digest: "a", total: 2_000_000_000 }
    )
    expect(PullText.line(told)).toBe("500.0 MB of 2.0 GB  pulling a")
    expect(PullText.line(told, 50)).toBe("████░░░░░░░░░░░░░░ 500.0 MB of 2.0 GB  pulling a")
  })
})
