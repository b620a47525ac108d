/** OpenAI's own client, the gateway, the policies and all of the backends, before services that often fail. */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Monitor from "@spillway/core/Monitor"
import * as Resilience from "@spillway/core/Resilience"
import * as Router from "@spillway/core/Router"
import * as Catalogue from "@spillway/providers/Catalogue"
import type * as Simulator from "@spillway/testing/Simulator"
import { ConfigProvider, Effect, Layer } from "effect"
import * as Gateway from "../../../gateway/test/integration/served.js"
import { collect, served } from "./served.js"

const names = ["openai", "anthropic", "groq", "ollama"] as const

const faults = { serverError: 0.04, overloaded: 0.03, rateLimited: 0.04, connectionReset: 0.03 }

const resilient = Resilience.layer({
  // every call is to get through, however the faults fall on it
  retry: { initialDelay: "20 millis", maxDelay: "200 millis", maxRetries: 10 },
  breaker: { failures: 10 }
})

const llm = Router.layer({
  openai: resilient(Catalogue.backends.openai.layer),
  anthropic: resilient(Catalogue.backends.anthropic.layer),
  groq: resilient(Catalogue.backends.groq.layer),
  ollama: resilient(Catalogue.backends.ollama.layer)
}).pipe(Layer.provide(NodeHttpClient.layerUndici))

/** How many requests were under way at once, at most, when an end takes 10 ms to be heard of. */
const mostAtOnce = (exchanges: ReadonlyArray<Simulator.Exchange>): number => {
  const events = exchanges.flatMap(({ endedAt = Infinity, startedAt }) => [
    { at: startedAt, change: 1 },
    { at: Math.max(startedAt, endedAt - 10), change: -1 }
  ]).sort((a, b) => a.at - b.at || a.change - b.change)
  let most = 0
  let now = 0
  for (const { change } of events) most = Math.max(most, now += change)
  return most
}

describe("the whole stack", () => {
  it.scopedLive("answers 200 calls, 20 at a time, of which one request in seven fails, and asks for no more than it must", () =>
    Effect.gen(function*() {
      const { origin, simulator } = yield* served({ faults, seed: 7, latency: "20 millis", requestsPerMinute: Infinity })
      const variables = ConfigProvider.fromMap(new Map(simulator.environment(origin)))
      const { client, gateway } = yield* Effect.withConfigProvider(Gateway.served(llm), variables)

      let busiest = 0
      const watch = Effect.map(Monitor.snapshot, ({ backends }) => {
        for (const { queue } of backends) busiest = Math.max(busiest, queue?.inFlight ?? 0)
      })
      yield* Effect.forkScoped(Effect.forever(Effect.zipRight(watch, Effect.sleep("2 millis"))))

      const call = (n: number) => {
        const ask = { model: `${names[n % 4]}/sim-chat`, messages: [{ role: "user" as const, content: `question ${n}` }] }
        return n % 8 < 4
          ? client.chat.completions.create(ask).then(({ choices }) => ({
            text: choices[0]?.message.content ?? "",
            reason: choices[0]?.finish_reason
          }))
          : client.chat.completions.create({ ...ask, stream: true }).then(collect).then((chunks) => ({
            text: chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join(""),
            reason: chunks.findLast(({ choices }) => choices[0]?.finish_reason)?.choices[0]?.finish_reason
          }))
      }
      const answers = yield* Effect.forEach(
        Array.from({ length: 200 }, (_, n) => n),
        (n) => Effect.promise(() => call(n)),
        { concurrency: 20 }
      )
      for (const [n, { reason, text }] of answers.entries()) {
        assert.match(text, new RegExp(`^You said: “question ${n}”`))
        assert.strictEqual(reason, "stop")
      }

      const requests = yield* simulator.requests
      const met = new Set(requests.map(({ fault }) => fault))
      assert.includeMembers([...met], Object.keys(faults), "every fault was met")
      assert.strictEqual(requests.filter(({ fault }) => fault === undefined).length, 200, "nothing was asked twice without need")
      assert.isAtMost(requests.length / answers.length, 1.5)
      assert.notInclude(requests.map(({ key }) => key), "unknown")
      for (const name of names) assert.isAtMost(mostAtOnce(requests.filter(({ wire }) => wire === name)), 5, name)
      assert.isAtMost(busiest, 5)

      yield* Gateway.until(Effect.map(gateway.inFlight, (n) => n === 0))
      for (const { calls, keys, queue } of (yield* Monitor.snapshot).backends) {
        assert.deepInclude(queue, { inFlight: 0, waiting: 0, rejected: 0 })
        assert.deepInclude(calls, { started: 50, succeeded: 50, failed: {} })
        assert.deepStrictEqual(keys?.filter(({ inFlight, state }) => inFlight > 0 || state === "retired"), [])
      }
    }).pipe(Effect.provideService(Monitor.CurrentMonitor, Monitor.unsafeMake())), 60_000)
})
