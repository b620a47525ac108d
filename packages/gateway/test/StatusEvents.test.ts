import { assert, describe, it } from "@effect/vitest"
import * as Monitor from "@spillway/core/Monitor"
import * as ScriptedLlm from "@spillway/testing/ScriptedLlm"
import { Effect, Fiber, Option, TestClock } from "effect"
import { json, serve } from "./web.js"

/** A gateway whose monitor counts how often it is asked. */
const watched = Effect.gen(function*() {
  const monitor = Monitor.unsafeMake()
  const asked = { times: 0 }
  yield* monitor.register({
    backend: "groq",
    read: () => {
      asked.times++
      return {}
    }
  })
  const web = yield* Effect.provideService(
    serve(yield* ScriptedLlm.make(ScriptedLlm.repeat("x")), { version: "1.2.3" }),
    Monitor.CurrentMonitor,
    monitor
  )
  return { web, asked }
})

const reading = (response: Response) => {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  return {
    next: Effect.map(Effect.promise(() => reader.read()), ({ done, value }) => {
      if (done) return undefined
      const [, name, data] = /^event: (\w+)\ndata: (.*)\n\n$/.exec(value) ?? []
      return { name, data: JSON.parse(data!) }
    }),
    cancel: Effect.promise(() => reader.cancel())
  }
}

describe("StatusEvents", () => {
  it.scoped("tells at once what /status.json says, and again each second", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(5000)
      const { web } = yield* watched
      const response = yield* web.fetch("/status/events")
      assert.strictEqual(response.headers.get("content-type"), "text/event-stream; charset=utf-8")
      assert.strictEqual(response.headers.get("cache-control"), "no-store")
      const { cancel, next } = reading(response)
      assert.deepStrictEqual(yield* next, {
        name: "status",
        data: yield* Effect.flatMap(web.fetch("/status.json"), (response) =>
          Effect.map(json(response), (status) => ({ ...status, requests: [] })))
      })
      const second = yield* Effect.fork(next)
      yield* TestClock.adjust("999 millis")
      assert.isTrue(Option.isNone(yield* Fiber.poll(second)))
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* Fiber.join(second))?.data.at, 6000)
      yield* cancel
    }))

  it.scoped("asks the monitor once a second, however many listen", () =>
    Effect.gen(function*() {
      const { asked, web } = yield* watched
      const all = yield* Effect.replicateEffect(Effect.map(web.fetch("/status/events"), reading), 20)
      yield* Effect.forEach(all, ({ next }) => next)
      assert.strictEqual(asked.times, 1)
      yield* Effect.forEach(all, ({ cancel }) => cancel)
    }))

  it.scoped("keeps nothing for a reader who does not read", () =>
    Effect.gen(function*() {
      const { asked, web } = yield* watched
      const { cancel, next } = reading(yield* web.fetch("/status/events"))
      yield* next
      yield* TestClock.adjust("1 hour")
      assert.isAtMost(asked.times, 5, "what a stream of the platform reads ahead, and no more")
      yield* cancel
    }))

  it.scoped("ends with the gateway, and says so", () =>
    Effect.gen(function*() {
      const { web } = yield* watched
      const { next } = reading(yield* web.fetch("/status/events"))
      yield* next
      yield* web.gateway.drain
      const last = yield* Effect.fork(next)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* Fiber.join(last), { name: "end", data: {} })
      assert.isUndefined(yield* next)
    }))
})
