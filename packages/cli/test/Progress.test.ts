import { describe, expect, it } from "@effect/vitest"
import * as Progress from "../src/Progress.js"
import * as Summary from "../src/bulk/Summary.js"

const standing: Progress.Standing = {
  lines: 10_000,
  before: 2000,
  answered: 2990,
  failed: 10,
  retries: 12,
  spent: 123_456,
  unpriced: 0,
  held: 0
}

describe("Progress", () => {
  it("tells how far it is, how fast, how long it will take, and what it has cost", () => {
    expect(Progress.line(standing, 50)).toBe("5,000/10,000  50/s  1m 40s left  $0.1235  12 retries  10 failed")
  })

  it("draws a bar in the columns that are left, and is never wider than the terminal", () => {
    expect(Progress.line(standing, 50, 90)).toBe(
      "████████████░░░░░░░░░░░░ 5,000/10,000  50/s  1m 40s left  $0.1235  12 retries  10 failed"
    )
    for (let columns = 1; columns < 200; columns++) expect(Progress.line(standing, 50, columns).length).toBeLessThanOrEqual(columns)
  })

  it("knows no time that is left while nothing is done", () => {
    expect(Progress.line({ ...standing, before: 0, answered: 0, failed: 0, retries: 0, held: 3 }, 0))
      .toBe("0/10,000  0.0/s  $0.1235  3 held up")
  })

  it("says where the cost is not known, or not all of it", () => {
    expect(Progress.money({ spent: 0, unpriced: 3 })).toBe("cost unknown")
    expect(Progress.money({ spent: 1_500_000, unpriced: 3 })).toBe("$1.5000 or more")
  })

  it("the pace is that of the last while, not of the whole", () => {
    const pace = Progress.pace(1000, 0)
    expect(pace.perSecond(0, 0)).toBe(0)
    expect(pace.perSecond(500, 100)).toBe(200)
    expect(pace.perSecond(1000, 200)).toBe(200)
    expect(pace.perSecond(2000, 210)).toBe(10)
    expect(pace.perSecond(3000, 210)).toBe(0)
  })
})

describe("Summary", () => {
  const summary: Summary.Summary = {
    files: { out: "a.jsonl", failed: "a.failed.jsonl", journal: "a.jsonl.journal", lock: "a.jsonl.lock" },
    standing,
    inputTokens: 1000,
    outputTokens: 1,
    millis: 63_000,
    damaged: 1,
    stopped: { reason: "standstill", detail: "the circuit is open" }
  }

  it("tells what came of it, and how to go on", () => {
    expect(Summary.toText(summary)).toBe(`10,000 lines, 4,990 answered (2,000 of them before), 10 failed, 5,000 left
1,000 tokens in, 1 out, $0.1235, 12 retries, 1m 3s
answers: a.jsonl
failed lines: a.failed.jsonl; start again to ask them again
a.jsonl.journal has 1 damaged line, asked again
stopped: nothing has gone on for too long (the circuit is open); the same command goes on from here`)
  })

  it("ends with 0 only when every line has its answer", () => {
    const ends = (changes: Partial<Progress.Standing>, reason?: "interrupted" | "budget") =>
      Summary.exitCode({ ...summary, standing: { ...standing, ...changes }, stopped: reason && { reason } })
    expect(ends({ answered: 8000, failed: 0 })).toBe(0)
    expect(ends({ answered: 8000, failed: 0 }, "interrupted")).toBe(0)
    expect(ends({ answered: 7999, failed: 1 })).toBe(2)
    expect(ends({ answered: 7999, failed: 0 }, "budget")).toBe(2)
    expect(ends({ answered: 7999, failed: 0 }, "interrupted")).toBe(130)
  })
})
