import { assert, describe, it } from "@effect/vitest"
import { Duration } from "effect"
import * as Limits from "../src/internal/limits.js"
import * as RetryAfter from "../src/internal/retryAfter.js"

const now = Date.parse("Wed, 21 Oct 2026 07:27:50 GMT")

const wait = (headers: Record<string, string>) => {
  const duration = RetryAfter.fromHeaders(headers, now)
  return duration && Duration.toMillis(duration)
}

describe("retry-after (RT-27, RT-31, RT-33, S18)", () => {
  for (
    const [headers, millis] of [
      [{ "retry-after": "20" }, 20_000],
      [{ "retry-after": "0" }, 0],
      [{ "retry-after": "0.5" }, 500],
      [{ "retry-after": " 3 " }, 3000],
      [{ "retry-after": "Wed, 21 Oct 2026 07:28:00 GMT" }, 10_000],
      [{ "retry-after": "Wednesday, 21-Oct-26 07:28:00 GMT" }, 10_000],
      [{ "retry-after": "Wed Oct 21 07:28:00 2026" }, 10_000],
      // by the backend's own clock, should ours be wrong
      [{ "retry-after": "Wed, 21 Oct 2026 07:28:00 GMT", date: "Wed, 21 Oct 2026 07:27:57 GMT" }, 3000],
      [{ "retry-after": "Wed, 21 Oct 2026 07:28:00 GMT", date: "yesterday" }, 10_000],
      [{ "retry-after-ms": "1500" }, 1500],
      [{ "retry-after-ms": "0.4" }, 1],
      [{ "x-ms-retry-after-ms": "700" }, 700],
      [{ "retry-after-ms": "1500", "x-ms-retry-after-ms": "700", "retry-after": "60" }, 1500],
      [{ "x-ms-retry-after-ms": "700", "retry-after": "60" }, 700],
      [{ "retry-after-ms": "soon", "retry-after": "60" }, 60_000],
      // no more than a day, whatever is said
      [{ "retry-after": "2147484" }, 86_400_000],
      [{ "retry-after": "999999999999999999999999" }, 86_400_000],
      [{ "retry-after": "Wed, 21 Oct 2099 07:28:00 GMT" }, 86_400_000]
    ] as ReadonlyArray<readonly [Record<string, string>, number]>
  ) {
    it(`${JSON.stringify(headers)} is ${millis} ms`, () => {
      assert.strictEqual(wait(headers), millis)
    })
  }

  for (
    const text of [
      "",
      " ",
      "-1",
      "-0.5",
      "abc",
      "12abc",
      "0x10",
      "1e999",
      "1e3",
      "NaN",
      "Infinity",
      "1,5",
      "5 seconds",
      "1, 2",
      "60, 60",
      "٣",
      "abc 5 2099",
      "Wed 5 2099",
      "2026-10-21T07:28:00Z",
      "Wed, 21 Oct 2026 07:27:49 GMT",
      "Wed, 21 Oct 2026 07:27:50 GMT",
      "Mon, 99 Foo 2026 07:28:00 GMT"
    ]
  ) {
    it(`${JSON.stringify(text)} says nothing`, () => {
      assert.isUndefined(wait({ "retry-after": text }))
    })
  }
})

describe("durations of Go", () => {
  for (
    const [text, millis] of [
      ["6m0s", 360_000],
      ["1m26.4s", 86_400],
      ["7.66s", 7660],
      ["80ms", 80],
      ["2m59.56s", 179_560],
      ["1h2m3s", 3_723_000],
      ["0s", 0],
      ["12", 12_000],
      ["1500us", 1.5],
      ["250µs", 0.25],
      ["1000000ns", 1]
    ] as const
  ) {
    it(`${text} is ${millis} ms`, () => {
      assert.approximately(RetryAfter.goMillis(text)!, millis, 1e-6)
    })
  }

  for (const text of ["", "s", "-1s", "1d", "1 s", "1s ", "1m2", "2026-10-21T07:28:00Z"]) {
    it(`${JSON.stringify(text)} is none`, () => {
      assert.isUndefined(RetryAfter.goMillis(text))
    })
  }
})

describe("the details of an error", () => {
  const wait = (...details: ReadonlyArray<unknown>) => {
    const duration = RetryAfter.fromDetails(details)
    return duration && Duration.toMillis(duration)
  }

  it("name a wait in the manner of Google", () => {
    assert.strictEqual(wait({ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "26s" }), 26_000)
    assert.strictEqual(wait({ reason: "x" }, null, 1, { retryDelay: "36.429760048s" }), 36_430)
    assert.strictEqual(wait({ retryDelay: { seconds: "2", nanos: 500_000_000 } }), 2500)
    assert.strictEqual(wait({ retryDelay: { seconds: 3 } }), 3000)
    assert.strictEqual(wait({ retryDelay: "9999999999999s" }), 86_400_000)
  })

  it("say nothing otherwise", () => {
    for (const delay of ["-1s", "soon", "", 5, null, {}, { seconds: -1 }, { seconds: "NaN", nanos: 1 }, { seconds: 1, nanos: -2e9 }]) {
      assert.isUndefined(wait({ retryDelay: delay }), JSON.stringify(delay))
    }
  })
})

describe("a limit that is used up", () => {
  const seconds = now / 1000
  for (
    const [headers, millis] of [
      [{ "x-ratelimit-reset": "60", "x-ratelimit-limit": "1" }, 60_000],
      [{ "x-ratelimit-reset": "60", "x-ratelimit-remaining": "0" }, 60_000],
      [{ "x-ratelimit-reset": `${seconds + 7}` }, 7000],
      [{ "x-ratelimit-reset": `${now + 1500}` }, 1500],
      [{ "x-ratelimit-reset": "1m2s" }, 62_000],
      [{ "ratelimit-reset": "5", "ratelimit-remaining": "0" }, 5000],
      [{ ratelimit: "\"default\";r=0;t=30" }, 30_000],
      [{ ratelimit: "\"default\";r=0;t=30", "ratelimit-reset": "5" }, 30_000],
      [{ "x-ratelimit-reset": "99999999999999999999" }, 86_400_000]
    ] as ReadonlyArray<readonly [Record<string, string>, number]>
  ) {
    it(`is full again in ${millis} ms: ${JSON.stringify(headers)}`, () => {
      assert.deepStrictEqual(RetryAfter.fromReset(headers, now), Duration.millis(millis))
    })
  }

  for (
    const headers of [
      {},
      { "x-ratelimit-reset": "60", "x-ratelimit-remaining": "3" },
      { ratelimit: "\"default\";r=4;t=30", "ratelimit-reset": "5" },
      { "x-ratelimit-reset": `${seconds - 7}` },
      { "x-ratelimit-reset": "-1" },
      { "x-ratelimit-reset": "tomorrow" }
    ] as ReadonlyArray<Record<string, string>>
  ) {
    it(`is not told of by ${JSON.stringify(headers)}`, () => {
      assert.isUndefined(RetryAfter.fromReset(headers, now))
    })
  }

  it("is the one that is full last, of several; those with something left do not matter", () => {
    assert.strictEqual(
      Limits.resetMillis({ requests: { remaining: 0, resetMillis: 500 }, tokens: { remaining: 0, resetMillis: 700 } }),
      700
    )
    assert.strictEqual(
      Limits.resetMillis({ requests: { remaining: 0, resetMillis: 500 }, tokens: { remaining: 1, resetMillis: 700 } }),
      500
    )
    assert.isUndefined(Limits.resetMillis({ requests: { resetMillis: 500 }, tokens: { remaining: 0 } }))
    assert.isUndefined(Limits.resetMillis(undefined))
  })
})

describe("limits", () => {
  it("are read from all their headers", () => {
    assert.deepStrictEqual(
      Limits.fromHeaders({
        "x-ratelimit-limit-requests": "1000",
        "x-ratelimit-remaining-requests": "999",
        "x-ratelimit-reset-requests": "1m26.4s",
        "x-ratelimit-limit-tokens": "6000",
        "x-ratelimit-remaining-tokens": "5992",
        "x-ratelimit-reset-tokens": "80ms",
        "x-ratelimit-limit-input-images": "250000"
      }),
      {
        requests: { limit: 1000, remaining: 999, resetMillis: 86_400 },
        tokens: { limit: 6000, remaining: 5992, resetMillis: 80 }
      }
    )
  })

  it("leave out what is not said, or is no number", () => {
    assert.deepStrictEqual(
      Limits.fromHeaders({ "x-ratelimit-limit-requests": "100", "x-ratelimit-remaining-requests": "-1" }),
      { requests: { limit: 100 } }
    )
    assert.isUndefined(Limits.fromHeaders({ "x-ratelimit-limit-requests": "many" }))
    assert.isUndefined(Limits.fromHeaders({}))
  })
})
