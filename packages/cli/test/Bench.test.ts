import { describe, expect, it } from "@effect/vitest"
import * as Bench from "../src/Bench.js"

describe("Bench", () => {
  it("tells of those that were answered how long they took, and of the others why", () => {
    const ended = [
      ...Array.from({ length: 100 }, (_, at) => ({ millis: 100 - at, error: undefined })),
      { millis: 5000, error: "TimedOut" as const },
      { millis: 1, error: "RateLimited" as const },
      { millis: 1, error: "RateLimited" as const }
    ]
    expect(Bench.toMeasured("any", ended, 2000, { at: 0, backends: [] })).toEqual({
      setting: "any",
      answered: 100,
      failed: { TimedOut: 1, RateLimited: 2 },
      millis: 2000,
      perSecond: 50,
      latencyMillis: { p50: 51, p95: 96, p99: 100 },
      refused: 0,
      retries: 0
    })
  })

  it("has nothing to tell of times where nothing was answered", () => {
    expect(Bench.toMeasured("any", [], 0, { at: 0, backends: [] })).toMatchObject({
      answered: 0,
      perSecond: 0,
      latencyMillis: { p50: 0, p95: 0, p99: 0 }
    })
  })

  it("compares one key with several, and the strategies for them", () => {
    const settings = Bench.settings(100, 32)
    expect(settings.filter(({ isSingle }) => isSingle).map(({ name }) => name)).toEqual(["one key"])
    expect(new Set(settings.map(({ strategy }) => strategy))).toEqual(new Set(["round-robin", "least-loaded", "most-headroom"]))
    // a call that finds no place would measure the queue's capacity, not the setting
    for (const { policies: { queue } } of settings) expect(queue).toMatchObject({ capacity: 100 })
  })
})
