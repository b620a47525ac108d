/**
 * Cases of other systems whose rule is not ours: BT-02 and the duplicates of BT-01 (identical requests are sent as
 * often as they were asked; `Coalescing` around it joins them, see there), BT-04 (nothing is cached, so no failure
 * is), BT-05 (see BT-10), the preferred sizes of BT-13 (a batch leaves when it is full or due), BT-14 (whose turn it is
 * is the queue's business, behind which a batch is one call), BT-20 (the order of an answer is the backend's own
 * module's to restore; see its tests), the reordering of BT-16 (first come, first served).
 */
import { assert, describe, it } from "@effect/vitest"
import * as Batching from "@spillway/core/Batching"
import type * as Embedding from "@spillway/core/Embedding"
import * as Inference from "@spillway/core/Inference"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Monitor from "@spillway/core/Monitor"
import * as Policy from "@spillway/core/Policy"
import type * as Rerank from "@spillway/core/Rerank"
import * as Resilience from "@spillway/core/Resilience"
import * as Tensor from "@spillway/core/Tensor"
import * as ScriptedLlm from "@spillway/testing/ScriptedLlm"
import { Effect, Either, Exit, Fiber, Layer, Option, TestClock } from "effect"
import * as VirtualClock from "./virtualClock.js"

const backend = "scripted"
const invalid = new LlmError.InvalidRequest({ backend, message: "that is no text" })

/** The vector of a text: its very characters, so that everybody can tell his own. */
const vector = (text: string) => Array.from(text, (character) => character.charCodeAt(0))

const embeddings = ({ input, model }: Embedding.Request, usage: Embedding.Embeddings["usage"] = {}): Embedding.Embeddings => ({
  model,
  vectors: input.map(vector),
  usage
})

/** Answers every text with its own vector; fails with the error that one of the texts names. */
const answer: ScriptedLlm.Step = (asked) => {
  if (asked.operation !== "embed") return new LlmError.Unsupported({ backend, feature: asked.operation, message: "no" })
  return asked.request.input.includes("poison") ? invalid : embeddings(asked.request)
}

const make = (options: Batching.Options = {}, ...script: ReadonlyArray<ScriptedLlm.Step | ScriptedLlm.Repeat>) =>
  Effect.gen(function*() {
    const monitor = Monitor.unsafeMake()
    const scripted = yield* ScriptedLlm.make(...(script.length === 0 ? [ScriptedLlm.repeat(answer)] : script))
    const service = yield* Batching.make(scripted, options).pipe(Effect.provideService(Monitor.CurrentMonitor, monitor))
    return {
      ...scripted,
      service,
      ask: (...input: ReadonlyArray<string>) => service.embed({ model: "m", input }),
      /** The texts of each call. */
      sent: Effect.map(scripted.requests, (requests) =>
        requests.map((asked) => asked.operation === "embed" ? asked.request.input : [])),
      batches: Effect.map(monitor.snapshot, ({ backends }) => backends[0]!.batches!)
    }
  })

const all = <A, E, R>(effects: ReadonlyArray<Effect.Effect<A, E, R>>) =>
  Effect.fork(Effect.forEach(effects, Effect.either, { concurrency: "unbounded" }))

const tagOf = <A>(result: Either.Either<A, LlmError.LlmError>) => Either.isLeft(result) ? result.left._tag : "success"
const settle = TestClock.adjust(0)

describe("Batching", () => {
  describe("what is joined", () => {
    it.scoped("asks once for what several want within the delay, and gives each his own vectors (BT-01)", () =>
      Effect.gen(function*() {
        const { ask, sent } = yield* make({ maxDelay: "10 millis" })
        const fiber = yield* all([ask("a"), ask("b", "cc"), ask("d")])
        yield* TestClock.adjust("9 millis")
        assert.deepStrictEqual(yield* sent, [])
        yield* TestClock.adjust("1 millis")
        const answers = yield* Fiber.join(fiber)
        assert.deepStrictEqual(answers.map(Either.getOrThrow).map(({ vectors }) => vectors), [
          [vector("a")],
          [vector("b"), vector("cc")],
          [vector("d")]
        ])
        assert.deepStrictEqual(yield* sent, [["a", "b", "cc", "d"]])
      }))

    it.scoped("sends a batch at once when it is full, and what is left when its time has come (BT-01, BT-08)", () =>
      Effect.gen(function*() {
        const { ask, sent } = yield* make({ maxItems: 5 })
        yield* all(Array.from({ length: 12 }, (_, n) => ask(String(n))))
        yield* settle
        assert.deepStrictEqual((yield* sent).map((texts) => texts.length), [5, 5])
        yield* TestClock.adjust("10 millis")
        assert.deepStrictEqual(yield* sent, [["0", "1", "2", "3", "4"], ["5", "6", "7", "8", "9"], ["10", "11"]])
      }))

    it.scoped("never holds more items or tokens than it may, and keeps the order of arrival (BT-16)", () =>
      Effect.gen(function*() {
        const text = (tokens: number) => Array.from({ length: tokens }, () => "word").join(" ")
        const { ask, sent } = yield* make({ maxItems: 8, maxTokens: 8000 })
        yield* all([ask(text(5000)), ask(text(4000)), ask(text(1000))])
        yield* TestClock.adjust("10 millis")
        assert.deepStrictEqual((yield* sent).map((texts) => texts.map((text) => text.split(" ").length)), [[5000], [4000, 1000]])
        const items = yield* make({ maxItems: 8 })
        yield* all([items.ask("1", "2", "3"), items.ask("4", "5", "6"), items.ask("7", "8", "9")])
        yield* TestClock.adjust("10 millis")
        assert.deepStrictEqual(yield* items.sent, [["1", "2", "3", "4", "5", "6"], ["7", "8", "9"]])
      }))

    it.scoped("joins only what has the same model, parameters and tenant (BT-08)", () =>
      Effect.gen(function*() {
        const { sent, service } = yield* make()
        const { embed } = service
        yield* all([
          embed({ model: "m", input: ["a"] }),
          embed({ model: "other", input: ["b"] }),
          embed({ model: "m", input: ["c"], dimensions: 2 }),
          embed({ model: "m", input: ["d"], user: "u" }),
          Policy.withTenant(embed({ model: "m", input: ["e"] }), "acme"),
          embed({ input: ["f"], model: "m" }),
          embed({ dimensions: 2, model: "m", input: ["g"] }),
          Policy.withTenant(embed({ model: "m", input: ["h"] }), "acme")
        ])
        yield* TestClock.adjust("10 millis")
        assert.deepStrictEqual((yield* sent).map((texts) => texts.join("")).sort(), ["af", "b", "cg", "d", "eh"])
      }))

    it.scoped("takes no request for another, whatever its fields are called (BT-11)", () =>
      Effect.gen(function*() {
        const { sent, service } = yield* make()
        const odd = (providerOptions: string) =>
          service.embed({ model: "m", input: [providerOptions], providerOptions: JSON.parse(providerOptions) })
        yield* all([odd(`{"__proto__":1}`), odd("{}"), odd(`{"__proto__":2}`), odd(`{"a":1,"b":2}`), odd(`{"b":2,"a":1}`)])
        yield* TestClock.adjust("10 millis")
        assert.deepStrictEqual((yield* sent).map((texts) => texts.length).sort(), [1, 1, 1, 2])
      }))

    it.scoped("sends identical texts as often as they were asked (BT-05, BT-10)", () =>
      Effect.gen(function*() {
        const { ask, sent } = yield* make({ maxItems: 8 })
        yield* all([ask("A", "C", "D"), ask("C"), ask("D"), ask("A"), ask("A"), ask("B")])
        yield* settle
        assert.deepStrictEqual(yield* sent, [["A", "C", "D", "C", "D", "A", "A", "B"]])
      }))

    it.scoped("lets a request alone that is as large as a batch, holds nothing, or whose options nobody can compare", () =>
      Effect.gen(function*() {
        const { ask, sent, service } = yield* make({ maxItems: 3, maxTokens: 50 })
        const waiting = yield* all([ask("first")])
        yield* settle
        yield* ask("1", "2", "3", "4")
        yield* ask(Array.from({ length: 60 }, () => "word").join(" "))
        yield* ask()
        class Odd { a = 1 }
        const odd: object = new Odd()
        yield* service.embed({ model: "m", input: ["x"], providerOptions: odd })
        assert.deepStrictEqual((yield* sent).map((texts) => texts.length), [4, 1, 0, 1])
        yield* TestClock.adjust("10 millis")
        yield* Fiber.join(waiting)
        assert.deepStrictEqual((yield* sent).at(-1), ["first"])
      }))

    it.scoped("joins those of the same turn when there is no delay (BT-13)", () =>
      // its sleepers wake in the next turn, as those of the real clock do
      Effect.suspend(() => {
        const clock = VirtualClock.make()
        return Effect.withClock(
          Effect.gen(function*() {
            const { ask, sent } = yield* make({ maxDelay: 0 })
            yield* all([ask("a"), ask("b")])
            yield* clock.advance(0)
            yield* all([ask("c")])
            yield* clock.advance(0)
            assert.deepStrictEqual(yield* sent, [["a", "b"], ["c"]])
          }),
          clock
        )
      }))

    it.scoped("leaves alone what is not to be joined, and what the backend lacks", () =>
      Effect.gen(function*() {
        const service = LlmService.make("few", { embed: (request) => Effect.succeed(embeddings(request)) })
        const joined = yield* Batching.make(service, { operations: ["embed", "rerank"] })
        assert.notStrictEqual(joined.embed, service.embed)
        assert.strictEqual(joined.rerank, service.rerank)
        assert.strictEqual(joined.infer, service.infer)
        assert.strictEqual(joined.generateText, service.generateText)
        assert.deepStrictEqual([joined.backend, joined.operations], ["few", service.operations])
        const scripted = yield* ScriptedLlm.make()
        assert.strictEqual((yield* Batching.make(scripted)).rerank, scripted.rerank)
      }))
  })

  describe("who goes along", () => {
    it.scoped("goes with the most urgent priority and the latest deadline of all, for the tenant of all", () =>
      Effect.gen(function*() {
        const { ask, requests } = yield* make({ maxItems: 3 })
        yield* all([
          ask("a").pipe(Policy.withPriority("low"), Policy.withDeadline("1 minute")),
          ask("b").pipe(Policy.withPriority("high"), Policy.withDeadline("2 minutes")),
          ask("c").pipe(Policy.withDeadline("3 seconds"))
        ].map(Policy.withTenant("acme")))
        yield* settle
        const [asked] = yield* requests
        assert.deepInclude(asked, { priority: 0, tenant: "acme" })
        assert.strictEqual(Option.getOrUndefined(asked!.deadline), 120_000)
        yield* all([ask("a").pipe(Policy.withDeadline("1 minute")), ask("b"), ask("c")])
        yield* settle
        assert.isTrue(Option.isNone((yield* requests)[1]!.deadline))
      }))

    it.scoped("does not send what was given up before, nor a batch of nothing else", () =>
      Effect.gen(function*() {
        const { ask, batches, sent } = yield* make()
        const [a, b, c] = yield* Effect.all([Effect.fork(ask("a")), Effect.fork(ask("b")), Effect.fork(ask("c"))])
        yield* settle
        assert.strictEqual((yield* batches).waiting, 3)
        yield* Fiber.interrupt(b)
        yield* TestClock.adjust("10 millis")
        assert.deepStrictEqual(yield* sent, [["a", "c"]])
        yield* Fiber.joinAll([a, c])
        const lonely = yield* Effect.fork(ask("lonely"))
        yield* settle
        yield* Fiber.interrupt(lonely)
        assert.strictEqual((yield* batches).waiting, 0)
        yield* TestClock.adjust("1 minute")
        assert.lengthOf(yield* sent, 1)
      }))

    it.scoped("lets one go while the batch is under way, and gives it up with the last (BT-19)", () =>
      Effect.gen(function*() {
        const slow: ScriptedLlm.Step = (asked) =>
          Effect.delay(Effect.succeed(asked.operation === "embed" ? embeddings(asked.request, { inputTokens: 50 }) : ""), "1 second")
        const { ask, inFlight, interrupted } = yield* make({ maxItems: 5 }, ScriptedLlm.repeat(slow))
        const fibers = yield* Effect.forEach(["1", "2", "3", "4", "5"], (text) => Effect.fork(ask(text)))
        yield* settle
        yield* Fiber.interrupt(fibers[2]!)
        assert.strictEqual(yield* inFlight, 1)
        yield* TestClock.adjust("1 second")
        for (const n of [0, 1, 3, 4]) {
          // the share of the one who left is nobody else's
          assert.deepInclude(yield* Fiber.join(fibers[n]!), { vectors: [vector(String(n + 1))], usage: { inputTokens: 10 } })
        }
        const others = yield* Effect.forEach(["1", "2", "3", "4", "5"], (text) => Effect.fork(ask(text)))
        yield* settle
        assert.strictEqual(yield* inFlight, 1)
        yield* Fiber.interruptAll(others)
        assert.deepStrictEqual([yield* inFlight, yield* interrupted], [0, 1])
      }))

    it.scoped("ends a caller's own wait at his deadline, in the batch and under way, and nobody else's", () =>
      Effect.gen(function*() {
        const slow: ScriptedLlm.Step = (asked) => Effect.delay(Effect.succeed(asked.operation === "embed" ? embeddings(asked.request) : ""), "1 second")
        const { ask, inFlight, interrupted, sent } = yield* make({ maxDelay: "100 millis" }, ScriptedLlm.repeat(slow))
        const fiber = yield* all([ask("hurried").pipe(Policy.withDeadline("500 millis")), ask("patient")])
        yield* TestClock.adjust("599 millis")
        assert.strictEqual(yield* inFlight, 1)
        yield* TestClock.adjust("1 second")
        const [hurried, patient] = yield* Fiber.join(fiber)
        assert.deepInclude(Either.getOrThrow(Either.flip(hurried!)), {
          _tag: "DeadlineExceeded",
          phase: "attempt",
          model: "m",
          message: "the call's deadline passed before scripted answered"
        })
        assert.strictEqual(tagOf(patient!), "success")
        // when it was the last one's, the call ends with it
        const alone = yield* all([ask("alone").pipe(Policy.withDeadline("300 millis"))])
        yield* TestClock.adjust("300 millis")
        assert.deepStrictEqual((yield* Fiber.join(alone)).map(tagOf), ["DeadlineExceeded"])
        assert.deepStrictEqual([yield* inFlight, yield* interrupted], [0, 1])
        assert.lengthOf(yield* sent, 2)
        const late = yield* Effect.flip(Policy.withDeadline(ask("late"), 0))
        assert.deepInclude(late, { _tag: "DeadlineExceeded", phase: "queued" })
        assert.lengthOf(yield* sent, 2)
      }))

    it.scoped("sends a batch at once that one in it could not wait for", () =>
      Effect.gen(function*() {
        const { ask, sent } = yield* make({ maxDelay: "1 second" })
        yield* all([ask("a"), ask("b"), ask("c").pipe(Policy.withDeadline("500 millis"))])
        yield* settle
        assert.deepStrictEqual(yield* sent, [["a", "b", "c"]])
      }))

    it.scoped("is one call in the queue behind it, and one to try again", () =>
      Effect.gen(function*() {
        const fault = new LlmError.ServerFault({ backend, message: "broken" })
        const scripted = yield* ScriptedLlm.make(fault, ScriptedLlm.repeat(answer))
        const policy = yield* Resilience.standard(backend, { retry: { jitter: "none" }, queue: { concurrency: 1, capacity: 0 } })
        const { embed } = yield* Batching.make(Resilience.protect(scripted, policy), { maxItems: 20 })
        const fiber = yield* all(Array.from({ length: 20 }, (_, n) => embed({ model: "m", input: [String(n)] })))
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(new Set((yield* Fiber.join(fiber)).map(tagOf)), new Set(["success"]))
        // the same twenty (BT-22)
        const sent = (yield* scripted.requests).map((asked) => asked.operation === "embed" && asked.request.input)
        assert.deepStrictEqual(sent[0], sent[1])
        assert.lengthOf(sent, 2)
      }))
  })

  describe("what goes wrong", () => {
    it.scoped("finds out the one at fault by halves, so that the others have their answers (BT-17, BT-22)", () =>
      Effect.gen(function*() {
        const { ask, batches, sent } = yield* make({ maxItems: 8 })
        const fiber = yield* all(["1", "2", "3", "4", "5", "poison", "7", "8"].map((text) => ask(text)))
        const answers = yield* Fiber.join(fiber)
        assert.deepStrictEqual(answers.map(tagOf), [...Array(5).fill("success"), "InvalidRequest", "success", "success"])
        assert.deepStrictEqual(Either.getOrThrow(answers[6]!).vectors, [vector("7")])
        const calls = (yield* sent).map((texts) => texts.join(" "))
        assert.lengthOf(calls, 7)
        assert.sameMembers(calls, ["1 2 3 4 5 poison 7 8", "1 2 3 4", "5 poison 7 8", "5 poison", "7 8", "5", "poison"])
        assert.deepInclude(yield* batches, { parted: 3 })
      }))

    it.scoped("does not ask again for those who have gone meanwhile", () =>
      Effect.gen(function*() {
        const slow: ScriptedLlm.Step = () => Effect.delay(invalid, "1 second")
        const { ask, sent } = yield* make({ maxItems: 4 }, slow, ScriptedLlm.repeat(answer))
        const fibers = yield* Effect.forEach(["1", "2", "3", "4"], (text) => Effect.fork(Effect.either(ask(text))))
        yield* settle
        yield* Fiber.interrupt(fibers[0]!)
        yield* Fiber.interrupt(fibers[1]!)
        yield* TestClock.adjust("1 second")
        yield* Fiber.joinAll(fibers.slice(2))
        assert.deepStrictEqual(yield* sent, [["1", "2", "3", "4"], ["3"], ["4"]])
      }))

    it.scoped("fails all when the error is not one's own", () =>
      Effect.gen(function*() {
        for (
          const error of [
            new LlmError.RateLimited({ backend, message: "slow down" }),
            new LlmError.ServerFault({ backend, message: "broken" }),
            new LlmError.ModelNotFound({ backend, message: "unknown" }),
            new LlmError.AuthenticationFailed({ backend, message: "no key" }),
            new LlmError.QueueFull({ backend, capacity: 1, waiting: 1, message: "full" })
          ]
        ) {
          const { ask, sent } = yield* make({ maxItems: 3 }, ScriptedLlm.repeat(error))
          const answers = yield* Fiber.join(yield* all([ask("a"), ask("b"), ask("c")]))
          assert.deepStrictEqual(answers, Array(3).fill(Either.left(error)))
          assert.lengthOf(yield* sent, 1)
        }
        const { ask } = yield* make({ maxItems: 2 }, Effect.die("a bug"))
        const exits = yield* Effect.forEach([ask("a"), ask("b")], Effect.exit, { concurrency: "unbounded" })
        assert.deepStrictEqual(exits, [Exit.die("a bug"), Exit.die("a bug")])
      }))

    it.scoped("fails all when there are more or fewer vectors than texts, and leaves nobody waiting (BT-07)", () =>
      Effect.gen(function*() {
        for (const vectors of [[[1]], [[1], [2], [3], [4]]]) {
          const { ask, sent } = yield* make({ maxItems: 3 }, { model: "m", vectors, usage: {} })
          const answers = yield* Fiber.join(yield* all([ask("a"), ask("b"), ask("c")]))
          assert.deepStrictEqual(answers.map(tagOf), Array(3).fill("MalformedResponse"))
          assert.strictEqual(
            Either.getOrThrow(Either.flip(answers[0]!)).message,
            "scripted did not give one result for each of the 3 items that were sent together"
          )
          assert.lengthOf(yield* sent, 1)
        }
      }))

    it("is told of an option that cannot be meant when it is built", () => {
      const refused = (options: object) => {
        const exit = Effect.runSyncExit(Effect.scoped(Batching.make(LlmService.make("x", {}), options)))
        return Exit.match(exit, { onSuccess: () => "", onFailure: (cause) => cause._tag === "Fail" ? cause.error.message : cause._tag })
      }
      assert.strictEqual(refused({ maxItems: 1 }), "Batching.maxItems: must be a whole number of at least 2, not 1")
      assert.strictEqual(refused({ maxTokens: 0 }), "Batching.maxTokens: must be a whole number of at least 1, not 0")
      assert.include(refused({ maxDelay: "2 minutes" }), "Batching.maxDelay: must be a duration")
      assert.include(refused({ operations: ["generateText"] }), "Batching.operations.0: must be \"embed\" or \"rerank\" or \"infer\"")
      assert.include(refused({ maxItem: 3 }), "Batching.maxItem")
    })
  })

  describe("what it costs", () => {
    it.scoped("shares the usage out by what each asked for, in whole tokens that add up", () =>
      Effect.gen(function*() {
        const { ask } = yield* make({ maxItems: 4 }, (asked) =>
          asked.operation === "embed" ? embeddings(asked.request, { inputTokens: 11, cachedInputTokens: 3 }) : "")
        const answers = yield* Fiber.join(yield* all([ask("word"), ask("word", "word"), ask("word")]))
        const usages = answers.map((answer) => Either.getOrThrow(answer).usage)
        assert.deepStrictEqual(usages.map(({ inputTokens }) => inputTokens), [3, 5, 3])
        assert.deepStrictEqual(usages.map(({ cachedInputTokens }) => cachedInputTokens), [1, 1, 1])
        assert.deepStrictEqual(usages.map((usage) => "outputTokens" in usage), [false, false, false])
      }))

    it.scoped("leaves the answer of one alone as the backend gave it", () =>
      Effect.gen(function*() {
        const answer = { model: "exact", vectors: [[1], [2]], usage: { inputTokens: 7 } }
        const { ask } = yield* make({}, answer)
        const fiber = yield* Effect.fork(ask("a"))
        yield* TestClock.adjust("10 millis")
        assert.strictEqual(yield* Fiber.join(fiber), answer)
      }))

    it.scoped("tells the monitor of its batches", () =>
      Effect.gen(function*() {
        const { ask, batches } = yield* make({ maxItems: 3, maxDelay: "20 millis" })
        assert.deepInclude(yield* batches, { waiting: 0, sent: 0, requests: 0, items: 0, parted: 0 })
        yield* all([ask("a"), ask("b", "c")])
        yield* all([ask("d")])
        yield* settle
        assert.strictEqual((yield* batches).waiting, 1)
        yield* TestClock.adjust("20 millis")
        assert.deepStrictEqual(yield* batches, {
          waiting: 0,
          sent: 2,
          requests: 3,
          items: 4,
          parted: 0,
          size: { p50: 1, p95: 3, p99: 3 },
          waitMillis: { p50: 0, p95: 20, p99: 20 }
        })
      }))
  })

  describe("rankings", () => {
    const rank = ({ documents, model }: Rerank.Request): Rerank.Ranking => ({
      model,
      results: documents.map((document, index) => ({ index, document, score: Number(document) }))
        .sort((a, b) => b.score - a.score),
      usage: { inputTokens: documents.length }
    })

    const ranking = (step: (request: Rerank.Request) => Rerank.Ranking = rank) =>
      Effect.gen(function*() {
        const scripted = yield* ScriptedLlm.make(ScriptedLlm.repeat((asked) => asked.operation === "rerank" ? step(asked.request) : ""))
        const { rerank } = yield* Batching.make(scripted, { operations: ["rerank"] })
        return { ...scripted, rerank }
      })

    it.scoped("joins the documents for one query, and ranks each caller's own", () =>
      Effect.gen(function*() {
        const { requests, rerank } = yield* ranking()
        const ask = (query: string, topN: number | undefined, ...documents: ReadonlyArray<string>) =>
          rerank({ model: "m", query, documents, ...(topN !== undefined && { topN }) })
        const fiber = yield* all([ask("q", undefined, "1", "5", "3"), ask("q", 2, "2", "9", "4"), ask("p", undefined, "7"), ask("q", -1, "8")])
        yield* TestClock.adjust("10 millis")
        const answers = (yield* Fiber.join(fiber)).map(Either.getOrThrow)
        assert.deepStrictEqual(answers.map(({ results }) => results.map(({ document, index }) => [index, document])), [
          [[1, "5"], [2, "3"], [0, "1"]],
          [[1, "9"], [2, "4"]],
          [[0, "7"]],
          [[0, "8"]]
        ])
        const sent = (yield* requests).map((asked) => asked.operation === "rerank" ? asked.request : undefined)
        assert.deepStrictEqual(sent, [
          { model: "m", query: "q", documents: ["8"], topN: -1 },
          { model: "m", query: "q", documents: ["1", "5", "3", "2", "9", "4"] },
          { model: "m", query: "p", documents: ["7"] }
        ])
      }))

    it.scoped("fails all when it is not a ranking of just those documents", () =>
      Effect.gen(function*() {
        const result = (index: number) => ({ index, document: "", score: 0 })
        for (const indexes of [[0], [0, 0], [0, 0, 1], [0, 2], [-1, 0], [0, 1, 2]]) {
          const { rerank } = yield* ranking(({ model }) => ({ model, results: indexes.map(result), usage: {} }))
          const fiber = yield* all(["a", "b"].map((document) => rerank({ model: "m", query: "q", documents: [document] })))
          yield* TestClock.adjust("10 millis")
          assert.deepStrictEqual((yield* Fiber.join(fiber)).map(tagOf), ["MalformedResponse", "MalformedResponse"])
        }
      }))
  })

  describe("inferences", () => {
    /** Doubles every element, and tells which row it was. */
    const double = ({ input, model }: Inference.Request): Inference.Inference => {
      const [tensor] = input._tag === "Tensors" ? input.tensors : []
      const x = tensor as Tensor.Of<"FP32">
      return {
        model,
        output: Inference.tensors(
          Tensor.make("y", "FP32", x.shape, Tensor.elements(x).map((element) => element * 2)),
          Tensor.make("row", "BYTES", [x.shape[0]!, 1], Tensor.toBytes(Tensor.make("row", "BYTES", [x.shape[0]!], Array.from({ length: x.shape[0]! }, (_, row) => `row ${row}`))))
        ),
        usage: {}
      }
    }

    const inferring = (step: (request: Inference.Request) => Inference.Inference = double) =>
      Effect.gen(function*() {
        const scripted = yield* ScriptedLlm.make(ScriptedLlm.repeat((asked) => asked.operation === "infer" ? step(asked.request) : ""))
        const { infer } = yield* Batching.make(scripted, { operations: ["infer"] })
        return {
          ...scripted,
          ask: (input: Inference.Values, more: Partial<Inference.Request> = {}) => infer({ model: "m", input, ...more }),
          sent: Effect.map(scripted.requests, (requests) => requests.map((asked) => asked.operation === "infer" ? asked.request.input : undefined))
        }
      })

    const x = (shape: ReadonlyArray<number>, data: ReadonlyArray<number> | Uint8Array) => Tensor.make("x", "FP32", shape, data)

    it.scoped("joins tensors along their first dimension, lists and bytes alike, and gives each his rows", () =>
      Effect.gen(function*() {
        const { ask, sent } = yield* inferring()
        const bytes = Tensor.toBytes(x([2, 2], [5, 6, 7, 8]))
        const fiber = yield* all([
          ask(Inference.tensors(x([1, 2], [1, 2]))),
          ask(Inference.tensors(x([2, 2], bytes)))
        ])
        yield* TestClock.adjust("10 millis")
        const answers = (yield* Fiber.join(fiber)).map(Either.getOrThrow)
        const y = answers.map(({ output }) => Option.getOrThrow(Inference.tensor(output, "y")) as Tensor.Of<"FP32">)
        assert.deepStrictEqual(y.map(({ shape }) => shape), [[1, 2], [2, 2]])
        assert.deepStrictEqual(y.map(Tensor.elements), [[2, 4], [10, 12, 14, 16]])
        const rows = answers.map(({ output }) => Option.getOrThrow(Inference.tensor(output, "row")) as Tensor.Of<"BYTES">)
        assert.deepStrictEqual(rows.map(Tensor.texts), [["row 0"], ["row 1", "row 2"]])
        assert.lengthOf(yield* sent, 1)
        const both = yield* all([ask(Inference.tensors(x([1, 2], bytes.slice(0, 8)))), ask(Inference.tensors(x([1, 2], bytes.slice(8))))])
        yield* TestClock.adjust("10 millis")
        yield* Fiber.join(both)
        assert.deepStrictEqual((yield* sent)[1], Inference.tensors(x([2, 2], bytes)))
      }))

    it.scoped("joins nothing that may not be a batch: JSON, other shapes, other parameters, what is flawed", () =>
      Effect.gen(function*() {
        const { ask, sent } = yield* inferring((request) => request.input._tag === "Json" ? { model: "m", output: request.input, usage: {} } : { model: "m", output: request.input, usage: {} })
        const one = Inference.tensors(x([1, 2], [1, 2]))
        yield* all([
          ask(one),
          ask(Inference.json([1, 2])),
          ask(Inference.json([1, 2])),
          ask(Inference.tensors(x([1, 3], [1, 2, 3]))),
          ask(one, { version: "2" }),
          ask(one, { outputs: ["y"] }),
          // a row too many here would be another's there
          ask(Inference.tensors(x([1, 2], [1, 2, 3]))),
          ask(Inference.tensors(x([], [1]))),
          ask(Inference.tensors(x([1, 2], [1, 2]), Tensor.make("ids", "INT64", [2, 1], [1, 2]))),
          ask(Inference.tensors())
        ])
        yield* TestClock.adjust("10 millis")
        assert.lengthOf(yield* sent, 10)
      }))

    it.scoped("fails all when an output has not one row for each", () =>
      Effect.gen(function*() {
        const { ask } = yield* inferring(({ model }) => ({ model, output: Inference.tensors(Tensor.make("y", "FP32", [1, 2], [1, 2])), usage: {} }))
        const fiber = yield* all([ask(Inference.tensors(x([1, 2], [1, 2]))), ask(Inference.tensors(x([1, 2], [1, 2])))])
        yield* TestClock.adjust("10 millis")
        assert.deepStrictEqual((yield* Fiber.join(fiber)).map(tagOf), ["MalformedResponse", "MalformedResponse"])
      }))
  })

  it.effect("stands around the service of a layer, and lets the rest through", () =>
    Effect.gen(function*() {
      const llm = yield* ScriptedLlm.make(ScriptedLlm.repeat(answer))
      const Backend = Layer.merge(Layer.succeed(LlmService.LlmService, llm), Layer.succeed(ScriptedLlm.ScriptedLlm, llm))
      const program = Effect.gen(function*() {
        const fiber = yield* all(["a", "b"].map((text) => LlmService.embed({ model: "m", input: [text] })))
        yield* TestClock.adjust("10 millis")
        yield* Fiber.join(fiber)
        return yield* Effect.flatMap(ScriptedLlm.ScriptedLlm, ({ requests }) => requests)
      })
      assert.lengthOf(yield* Effect.provide(program, Batching.layer({ maxItems: 8 })(Backend)), 1)
    }))
})
