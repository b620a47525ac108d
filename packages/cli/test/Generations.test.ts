import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { assert, describe, it } from "@effect/vitest"
import * as KeyPool from "@spillway/core/KeyPool"
import * as Monitor from "@spillway/core/Monitor"
import { Effect, Either, Exit, Fiber, Scope, TestClock } from "effect"
import * as ConfigReading from "../src/ConfigReading.js"
import * as Generations from "../src/Generations.js"
import * as Money from "../src/Money.js"

const config = (text: string) => Either.getOrThrow(ConfigReading.parse(text, () => undefined)).config

const nobody = HttpClient.make(() => Effect.never)

const names = Effect.map(Monitor.snapshot, ({ backends }) => backends.map(({ backend }) => backend))

const prices = `pricing: { prices: [{ price: { input: 100000, output: 100000 } }] }`

/** Under a monitor of its own, with backends that nobody asks. */
const alone = <A, E>(effect: Effect.Effect<A, E, HttpClient.HttpClient | Scope.Scope>) =>
  effect.pipe(
    Effect.provideService(HttpClient.HttpClient, nobody),
    Effect.provideServiceEffect(Monitor.CurrentMonitor, Effect.sync(Monitor.unsafeMake)),
    Effect.provideServiceEffect(KeyPool.CurrentPools, Effect.sync(() => new Set<KeyPool.KeyPool>()))
  )

/** Puts a file in the place of the one before. */
const turning = Effect.map(Generations.make({}), ({ make }) => {
  let before: Scope.CloseableScope | undefined
  return (text: string) =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const service = yield* Scope.extend(make(config(text)), scope)
      if (before !== undefined) yield* Scope.close(before, Exit.void)
      before = scope
      return service
    })
})

describe("Generations", () => {
  it.scoped("release what no file speaks of any more, and nothing else", () =>
    alone(Effect.gen(function*() {
      const turn = yield* turning
      yield* turn("backends: { openai: { keys: [x] }, groq: { keys: [x] } }")
      assert.deepStrictEqual(yield* names, ["openai", "groq"])
      yield* turn("backends: { groq: { keys: [x] } }")
      assert.deepStrictEqual(yield* names, ["groq"])
      yield* turn("backends: { ollama: { address: \"http://localhost\" } }")
      assert.deepStrictEqual(yield* names, ["ollama"])
    })))

  it.scoped("keep a backend of which nothing has changed, with what it knows of its keys, however often they turn", () =>
    alone(Effect.gen(function*() {
      const turn = yield* turning
      const other = "openai: { keys: [x] }"
      yield* turn(`backends: { groq: { keys: [one, two] }, ${other} }`)
      const [groq] = Array.from(yield* KeyPool.pools)
      assert.isDefined(groq)
      yield* groq!.disable("key-2")
      for (const models of ["a", "b", "c"]) {
        yield* turn(`backends: { groq: { keys: [one, two] } }\nmodels: { ${models}: [groq/m] }`)
        assert.deepStrictEqual(yield* KeyPool.pools, [groq!])
        assert.deepStrictEqual((yield* groq!.stats).map(({ state }) => state), ["ready", "disabled"])
      }
      yield* turn("backends: { groq: { keys: [one, two, { key: three, name: spare }] } }")
      const [changed] = yield* KeyPool.pools
      assert.deepStrictEqual((yield* changed!.stats).map(({ id, state }) => [id, state]), [
        ["key-1", "ready"],
        ["key-2", "ready"],
        ["spare", "ready"]
      ])
    })))

  it.scoped("go on counting what was spent, in a budget that has changed, too", () =>
    alone(Effect.gen(function*() {
      const turn = yield* turning
      const file = (dollars: number, models = "a") =>
        turn(`backends: { groq: { keys: [x] } }\n${prices}\nbudget: { limits: [{ dollars: ${dollars} }] }\nmodels: { ${models}: [groq/m] }`)
      const spent = Effect.map(Monitor.snapshot, ({ budgets }) =>
        budgets?.map(({ accounts: _, largest, limitMicroDollars }) => [limitMicroDollars, largest.map((one) => one.reservedMicroDollars + one.spentMicroDollars)]))
      const service = yield* file(5)
      // nobody answers: it is under way, and has reserved what it may cost
      const call = yield* Effect.fork(service.generateText({ model: "groq/m", prompt: "hello", maxTokens: 2 }))
      yield* TestClock.adjust(0)
      const [[, [reserved]]] = (yield* spent) as [[number, [number]]]
      assert.isAbove(reserved, 0)
      yield* file(5, "b")
      assert.deepStrictEqual(yield* spent, [[5_000_000, [reserved]]])
      yield* file(7)
      assert.deepStrictEqual(yield* spent, [[7_000_000, [reserved]]])
      yield* Fiber.interrupt(call)
    })))

  it.scoped("moderate with those that can", () => {
    const findings = { id: "m", model: "omni", results: [{ flagged: true, categories: { violence: true }, category_scores: { violence: 0.9 } }] }
    const openai = HttpClient.make((request) =>
      Effect.succeed(HttpClientResponse.fromWeb(request, Response.json(request.url.endsWith("/moderations") ? findings : {}))))
    return Effect.gen(function*() {
      const { make } = yield* Generations.make({})
      const { moderate } = yield* make(config("backends: { groq: { keys: [x] }, openai: { keys: [x] } }"))
      assert.isTrue((yield* moderate({ input: "grr" })).findings[0]?.flagged)
      assert.strictEqual((yield* Effect.flip(moderate({ input: "grr", model: "groq/any" })))._tag, "Unsupported")
    }).pipe(
      Effect.provideService(HttpClient.HttpClient, openai),
      Effect.provideService(Monitor.CurrentMonitor, Monitor.unsafeMake())
    )
  })

  it("leave the price list alone where nothing is counted", () => {
    const counted = (text: string) => Money.isCounted(config(text))
    assert.isFalse(counted("backends: { groq: { keys: [x] } }"))
    assert.isTrue(counted(`backends: { groq: { keys: [x] } }\n${prices}`))
    assert.isTrue(counted("backends: { groq: { keys: [{ key: x, spendLimit: 5 }] } }"))
    assert.isTrue(counted("backends: { groq: { keys: [x], pool: { spendLimit: 5 } } }"))
  })
})
