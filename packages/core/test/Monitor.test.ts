import { assert, describe, it } from "@effect/vitest"
import * as Monitor from "@spillway/core/Monitor"
import { Effect, Exit, Scope, TestClock } from "effect"

const circuit: Monitor.Circuit = { state: "closed", failures: 2, opened: 1 }

describe("Monitor", () => {
  it.scoped("shows what every source says at the moment it is asked", () =>
    Effect.gen(function*() {
      const monitor = Monitor.unsafeMake()
      let waiting = 1
      yield* monitor.register({
        backend: "groq",
        read: (now) => ({
          queue: {
            capacity: 100,
            concurrency: 5,
            waiting,
            inFlight: 5,
            oldestWaitMillis: now - 1000,
            admitted: 9,
            rejected: 0,
            abandoned: 0
          }
        })
      })
      yield* TestClock.adjust("3 seconds")
      waiting = 2
      const { at, backends } = yield* monitor.snapshot
      assert.strictEqual(at, 3000)
      assert.strictEqual(backends[0]?.queue?.waiting, 2)
      assert.strictEqual(backends[0]?.queue?.oldestWaitMillis, 2000)
    }))

  it.scoped("puts together what several sources say of one backend, and keeps backends apart", () =>
    Effect.gen(function*() {
      const monitor = Monitor.unsafeMake()
      yield* monitor.register({ backend: "groq", read: () => ({ circuit }) })
      yield* monitor.register({ backend: "openai", read: () => ({ circuit: { ...circuit, state: "open" } }) })
      yield* monitor.register({ backend: "groq", read: () => ({ keys: [] }) })
      assert.deepStrictEqual((yield* monitor.snapshot).backends, [
        { backend: "groq", circuit, keys: [] },
        { backend: "openai", circuit: { ...circuit, state: "open" } }
      ])
    }))

  it.effect("forgets a source when its scope closes", () =>
    Effect.gen(function*() {
      const monitor = Monitor.unsafeMake()
      const scope = yield* Scope.make()
      yield* Scope.extend(monitor.register({ backend: "groq", read: () => ({ circuit }) }), scope)
      assert.lengthOf((yield* monitor.snapshot).backends, 1)
      yield* Scope.close(scope, Exit.void)
      assert.lengthOf((yield* monitor.snapshot).backends, 0)
    }))

  it.scoped("is one for the whole program, unless another is provided", () =>
    Effect.gen(function*() {
      const mine = Monitor.unsafeMake()
      const source = { backend: "only-here", read: () => ({ circuit }) }
      yield* Effect.provideService(Monitor.register(source), Monitor.CurrentMonitor, mine)
      const seen = Effect.map(Monitor.snapshot, ({ backends }) => backends.map(({ backend }) => backend))
      assert.deepStrictEqual(yield* Effect.provideService(seen, Monitor.CurrentMonitor, mine), ["only-here"])
      assert.notInclude(yield* seen, "only-here")
      yield* Monitor.register({ ...source, backend: "for-all" })
      assert.include(yield* seen, "for-all")
    }))
})
