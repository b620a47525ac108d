/** What is kept of answers, and to whom it is given: S13 and S28 of SECURITY.md. */
import { assert, describe, it } from "@effect/vitest"
import * as Caching from "@spillway/core/Caching"
import * as Coalescing from "@spillway/core/Coalescing"
import * as Completion from "@spillway/core/Completion"
import * as InvalidOptions from "@spillway/core/InvalidOptions"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Monitor from "@spillway/core/Monitor"
import * as Policy from "@spillway/core/Policy"
import * as Resilience from "@spillway/core/Resilience"
import * as ScriptedLlm from "@spillway/testing/ScriptedLlm"
import { Chunk, Effect, FastCheck as fc, Layer, Stream, TestClock } from "effect"
import * as CacheStore from "../src/internal/cacheStore.js"

const request = { model: "m", prompt: "hi", temperature: 0 }
const fault = new LlmError.ServerFault({ backend: "scripted", message: "broken" })
const start: Completion.Part = { _tag: "Start", model: "m" }
const says = (text: string): Completion.Part => ({ _tag: "TextDelta", text })
const finish: Completion.Part = { _tag: "Finish", finishReason: "stop", usage: { outputTokens: 2 } }

const make = (options: Caching.Options, ...script: ReadonlyArray<ScriptedLlm.Step | ScriptedLlm.Repeat>) =>
  Effect.gen(function*() {
    const monitor = Monitor.unsafeMake()
    const scripted = yield* ScriptedLlm.make(...script)
    const llm = yield* Caching.make(scripted, options).pipe(Effect.provideService(Monitor.CurrentMonitor, monitor))
    return {
      llm,
      interrupted: scripted.interrupted,
      calls: Effect.map(scripted.requests, (requests) => requests.length),
      cache: Effect.map(monitor.snapshot, ({ backends }) => backends[0]!.cache!)
    }
  })

const textOf = Effect.map((completion: Completion.Completion) => completion.text)
const streamed = (llm: LlmService.Service, asked: Completion.Request = request) =>
  Effect.map(Stream.runCollect(llm.streamText(asked)), Chunk.toReadonlyArray)

describe("Caching", () => {
  it.scoped("what was answered is answered again, and nobody is asked; the monitor tells how often", () =>
    Effect.gen(function*() {
      const { cache, calls, llm } = yield* make({}, "one", "two")
      const first = yield* llm.generateText(request)
      assert.deepStrictEqual(yield* llm.generateText({ temperature: 0, prompt: "hi", model: "m" }), first)
      assert.strictEqual(yield* textOf(llm.generateText({ ...request, prompt: "ho" })), "two")
      assert.strictEqual(yield* calls, 2)
      const { bytes, ...counts } = yield* cache
      assert.deepStrictEqual(counts, { hits: 1, misses: 2, entries: 2, evicted: 0 })
      assert.isAbove(bytes, 100)
    }))

  it.scoped("vectors, rankings and inferences are kept, lists of models and signs of life are not", () =>
    Effect.gen(function*() {
      const asked: Array<string> = []
      const ask = <A>(name: string, answer: A) => Effect.sync(() => (asked.push(name), answer))
      const llm = yield* Caching.make(LlmService.make("all", {
        embed: ({ model }) => ask("embed", { model, vectors: [[1]], usage: {} }),
        rerank: ({ model }) => ask("rerank", { model, results: [], usage: {} }),
        infer: ({ model }) => ask("infer", { model, output: { _tag: "Json", value: 1 }, usage: {} }),
        listModels: ask("listModels", []),
        health: ask("health", undefined)
      }))
      for (let i = 0; i < 2; i++) {
        yield* llm.embed({ model: "m", input: ["a"] })
        yield* llm.rerank({ model: "m", query: "q", documents: ["a"] })
        yield* llm.infer({ model: "m", input: { _tag: "Json", value: 1 } })
        yield* llm.listModels
        yield* llm.health
      }
      assert.deepStrictEqual(asked, ["embed", "rerank", "infer", "listModels", "health", "listModels", "health"])
    }))

  it.scoped("texts are kept where they would be the same again: with a seed, or without temperature", () =>
    Effect.gen(function*() {
      const { calls, llm } = yield* make({}, ScriptedLlm.repeat("one"))
      const ask = (more: Partial<Completion.Request>) => {
        const { temperature: _, ...rest } = request
        return Effect.repeatN(llm.generateText({ ...rest, ...more }), 1)
      }
      yield* ask({ temperature: 0 })
      yield* ask({ seed: 7 })
      assert.strictEqual(yield* calls, 2)
      yield* ask({})
      yield* ask({ temperature: 0.1 })
      assert.strictEqual(yield* calls, 6)
      const all = yield* make({ texts: "all" }, ScriptedLlm.repeat("one"))
      yield* Effect.repeatN(all.llm.generateText({ model: "m", prompt: "hi" }), 2)
      assert.strictEqual(yield* all.calls, 1)
    }))

  it.scoped("only the operations that are named are kept", () =>
    Effect.gen(function*() {
      const { calls, llm } = yield* make({ operations: ["embed"] }, ScriptedLlm.repeat("one"))
      yield* Effect.repeatN(llm.generateText(request), 1)
      yield* Effect.repeatN(streamed(llm), 1)
      assert.strictEqual(yield* calls, 4)
    }))

  it.scoped("a stream is given from what is kept, and what it gave is kept whole", () =>
    Effect.gen(function*() {
      const { calls, llm } = yield* make({}, [start, says("hel"), says("lo"), finish], "whole")
      const parts = yield* streamed(llm)
      assert.lengthOf(parts, 4)
      assert.deepStrictEqual(yield* streamed(llm), [start, says("hello"), finish])
      assert.deepStrictEqual(yield* llm.generateText(request), Completion.fromParts(parts))
      assert.strictEqual(yield* calls, 1)
      yield* llm.generateText({ ...request, prompt: "ho" })
      assert.strictEqual(Completion.fromParts(yield* streamed(llm, { ...request, prompt: "ho" })).text, "whole")
      assert.strictEqual(yield* calls, 2)
    }))

  it.scoped("no error is kept, no stream that broke or was left, and no text that a filter cut (S28)", () =>
    Effect.gen(function*() {
      const cut = (finishReason: Completion.FinishReason): ScriptedLlm.Step => [start, says("x"), { ...{ _tag: "Finish", usage: {} }, finishReason }]
      const { cache, calls, interrupted, llm } = yield* make(
        {},
        fault,
        [start, says("hel"), fault],
        [start, says("hel"), Effect.never],
        cut("content-filter"),
        cut("other"),
        { content: [{ _tag: "Text", text: "cut" }], finishReason: "content-filter" },
        [start, finish, fault],
        "whole"
      )
      yield* Effect.flip(llm.generateText(request))
      yield* Effect.flip(streamed(llm))
      yield* Stream.runDrain(Stream.take(llm.streamText(request), 2))
      assert.strictEqual(yield* interrupted, 1)
      yield* streamed(llm)
      yield* streamed(llm)
      yield* llm.generateText(request)
      yield* Effect.flip(streamed(llm))
      assert.strictEqual((yield* cache).entries, 0)
      assert.strictEqual(yield* textOf(llm.generateText(request)), "whole")
      assert.strictEqual(yield* calls, 8)
    }))

  it.scoped("what one tenant asked is given to no other (S13)", () =>
    Effect.gen(function*() {
      const { calls, llm } = yield* make({}, "for nobody", "for a", "for b")
      const ask = textOf(llm.generateText(request))
      const asked = [yield* ask, yield* Policy.withTenant(ask, "a"), yield* Policy.withTenant(ask, "b")]
      assert.deepStrictEqual(asked, ["for nobody", "for a", "for b"])
      assert.deepStrictEqual([yield* ask, yield* Policy.withTenant(ask, "a"), yield* Policy.withTenant(ask, "b")], asked)
      assert.strictEqual(yield* calls, 3)
    }))

  it.scoped("another parameter is another request (S28)", () =>
    Effect.gen(function*() {
      const others: ReadonlyArray<Partial<Completion.Request>> = [
        {},
        { model: "n" },
        { prompt: "ho" },
        { maxTokens: 5 },
        { temperature: 0, seed: 1 },
        { topP: 0.5 },
        { topK: 5 },
        { stop: ["a"] },
        { presencePenalty: 1 },
        { frequencyPenalty: 1 },
        { tools: [{ name: "t", parameters: {} }] },
        { toolChoice: "none" },
        { parallelToolCalls: false },
        { format: { _tag: "Json" } },
        { reasoning: { effort: "low" } },
        { user: "u" }
      ]
      const { calls, llm } = yield* make({}, ScriptedLlm.repeat("x"))
      for (const other of [...others, ...others]) yield* llm.generateText({ ...request, ...other })
      assert.strictEqual(yield* calls, others.length)
    }))

  it.scoped("a caller may have it asked anew, or have nothing kept of it", () =>
    Effect.gen(function*() {
      const { calls, llm } = yield* make({}, "one", "two", "three", "four")
      const ask = textOf(llm.generateText(request))
      assert.strictEqual(yield* Caching.withMode(ask, "bypass"), "one")
      assert.strictEqual(yield* ask, "two")
      assert.strictEqual(yield* ask.pipe(Caching.withMode("refresh")), "three")
      assert.strictEqual(yield* ask, "three")
      assert.strictEqual(yield* Caching.withMode(ask, "bypass"), "four")
      assert.strictEqual(yield* ask, "three")
      assert.strictEqual(yield* calls, 4)
    }))

  it.scoped("an answer is kept for its time and no longer", () =>
    Effect.gen(function*() {
      const { llm } = yield* make({ timeToLive: "10 seconds" }, "one", "two")
      const ask = textOf(llm.generateText(request))
      yield* ask
      yield* TestClock.adjust("9999 millis")
      assert.strictEqual(yield* ask, "one")
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* ask, "two")
    }))

  it.scoped("what was used the longest ago makes room", () =>
    Effect.gen(function*() {
      const { cache, calls, llm } = yield* make({ maxEntries: 2 }, ScriptedLlm.repeat("x"))
      for (const prompt of ["a", "b", "a", "c", "a", "b"]) yield* llm.generateText({ ...request, prompt })
      assert.strictEqual(yield* calls, 4)
      assert.deepInclude(yield* cache, { entries: 2, evicted: 2 })
    }))

  it.scoped("what is too large for all the room is given, and not kept", () =>
    Effect.gen(function*() {
      const long = "x".repeat(2000)
      const { cache, calls, llm } = yield* make({ maxBytes: 1024 }, long, [start, says(long), finish], "short")
      assert.strictEqual(yield* textOf(llm.generateText(request)), long)
      assert.strictEqual(Completion.fromParts(yield* streamed(llm)).text, long)
      assert.deepInclude(yield* cache, { entries: 0, bytes: 0 })
      assert.strictEqual(yield* textOf(llm.generateText(request)), "short")
      assert.strictEqual((yield* cache).entries, 1)
      assert.strictEqual(yield* calls, 3)
    }))

  it.scoped("what is asked meanwhile is asked once where it stands outside of Coalescing", () =>
    Effect.gen(function*() {
      const scripted = yield* ScriptedLlm.make(Effect.delay(Effect.succeed("one"), "1 seconds"))
      const llm = yield* Layer.build(
        Layer.succeed(LlmService.LlmService, scripted).pipe(
          Resilience.layer(),
          Coalescing.layer({ operations: ["generateText"] }),
          Caching.layer()
        )
      ).pipe(Effect.map((context) => context.unsafeMap.get(LlmService.LlmService.key) as LlmService.Service))
      const asked = yield* Effect.fork(Effect.all(Array.from({ length: 5 }, () => llm.generateText(request)), { concurrency: 5 }))
      yield* TestClock.adjust("1 seconds")
      yield* asked
      yield* llm.generateText(request)
      assert.lengthOf(yield* scripted.requests, 1)
    }))

  it.scoped("options that cannot be meant are refused by name", () =>
    Effect.gen(function*() {
      for (
        const [field, options] of [
          ["timeToLive", { timeToLive: 0 }],
          ["maxEntries", { maxEntries: 0 }],
          ["maxBytes", { maxBytes: 1 }],
          ["texts", { texts: "some" as "all" }],
          ["operations", { operations: ["health" as "embed"] }]
        ] as const
      ) {
        const error = yield* Effect.flip(Caching.make(LlmService.make("x", {}), options))
        assert.instanceOf(error, InvalidOptions.InvalidOptions)
        assert.include(error.message, field)
      }
    }))
})

describe("what is kept", () => {
  const bounds = { timeToLive: 10, maxEntries: 3, maxBytes: 100 }
  const step = fc.oneof(
    fc.record({ _tag: fc.constant("put" as const), key: fc.constantFrom("a", "b", "c", "d", "e"), bytes: fc.integer({ min: 1, max: 120 }) }),
    fc.record({ _tag: fc.constant("get" as const), key: fc.constantFrom("a", "b", "c", "d", "e") }),
    fc.record({ _tag: fc.constant("pass" as const), millis: fc.integer({ min: -2, max: 6 }) })
  )

  it("is what was put last under its key, not for longer than its time, and within its bounds", () => {
    let hits = 0
    fc.assert(
      fc.property(fc.array(step, { minLength: 10, maxLength: 60 }), (steps) => {
        const store = CacheStore.make<number>(bounds)
        const put = new Map<string, { readonly value: number; readonly at: number }>()
        let now = 100
        steps.forEach((step, i) => {
          if (step._tag === "pass") now += step.millis
          else if (step._tag === "put") {
            store.put(step.key, i, step.bytes, now)
            put.set(step.key, { value: i, at: now })
          } else {
            const found = store.get(step.key, now)
            const last = put.get(step.key)
            if (found !== undefined) {
              hits++
              assert.strictEqual(found, last?.value)
              assert.isTrue(last!.at <= now && now < last!.at + bounds.timeToLive)
            }
          }
          assert.isAtMost(store.entries(), bounds.maxEntries)
          assert.isTrue(store.bytes() <= bounds.maxBytes && store.bytes() >= 0)
          assert.strictEqual(store.bytes() === 0, store.entries() === 0)
        })
      }),
      { numRuns: 2000 }
    )
    assert.isAbove(hits, 200)
  })

  it("makes no room for what is too large for all of it", () => {
    const store = CacheStore.make<number>(bounds)
    store.put("a", 1, 10, 0)
    store.put("b", 2, 101, 0)
    assert.deepStrictEqual([store.get("a", 0), store.get("b", 0), store.entries()], [1, undefined, 1])
  })

  it("is there as long as there is room", () => {
    fc.assert(fc.property(fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 30 }), (keys) => {
      const store = CacheStore.make<string>(bounds)
      const put = new Set<string>()
      for (const key of keys) {
        assert.strictEqual(store.get(key, 0), put.has(key) ? key : undefined)
        store.put(key, key, 10, 0)
        put.add(key)
      }
      assert.deepStrictEqual([store.entries(), store.evicted()], [put.size, 0])
    }))
  })
})
