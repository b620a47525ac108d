/**
 * CASES.md has no section of its own for calls that are shared; what there is of other systems is here by its number:
 * duplicates (BT-01, BT-02, BT-10), and what may never be shared (S13, S28 of SECURITY.md). BT-04's rule, that failures
 * are kept until somebody clears them, is not ours: nothing is kept.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Batching from "@spillway/core/Batching"
import * as Coalescing from "@spillway/core/Coalescing"
import type * as Completion from "@spillway/core/Completion"
import * as Inference from "@spillway/core/Inference"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Monitor from "@spillway/core/Monitor"
import * as Policy from "@spillway/core/Policy"
import * as Prompt from "@spillway/core/Prompt"
import * as Resilience from "@spillway/core/Resilience"
import * as Tensor from "@spillway/core/Tensor"
import * as ScriptedLlm from "@spillway/testing/ScriptedLlm"
import { Chunk, Duration, Effect, Either, Exit, Fiber, Layer, Option, Scope, Stream, TestClock } from "effect"

const backend = "scripted"
const request = { model: "m", prompt: "hi" }
const fault = new LlmError.ServerFault({ backend, message: "broken" })
const text = (text: string): Completion.Part => ({ _tag: "TextDelta", text })
const finish: Completion.Part = { _tag: "Finish", finishReason: "stop", usage: { outputTokens: 2 } }
const later = <A, E>(value: Effect.Effect<A, E>, after: Duration.DurationInput) => Effect.delay(value, after)
const answers = (text: string, after: Duration.DurationInput): ScriptedLlm.Step => later(Effect.succeed(text), after)

const everything: Coalescing.Options = { operations: LlmService.operations }

const make = (options: Coalescing.Options, ...script: ReadonlyArray<ScriptedLlm.Step | ScriptedLlm.Repeat>) =>
  Effect.gen(function*() {
    const monitor = Monitor.unsafeMake()
    const scripted = yield* ScriptedLlm.make(...script)
    const llm = yield* Coalescing.make(scripted, options).pipe(Effect.provideService(Monitor.CurrentMonitor, monitor))
    return {
      ...scripted,
      llm,
      calls: Effect.map(scripted.requests, (requests) => requests.length),
      coalesced: Effect.map(monitor.snapshot, ({ backends }) => backends[0]!.coalesced!)
    }
  })

const settle = TestClock.adjust(0)
const all = <A, E, R>(effects: ReadonlyArray<Effect.Effect<A, E, R>>) =>
  Effect.fork(Effect.forEach(effects, Effect.either, { concurrency: "unbounded" }))
const tagOf = <A>(result: Either.Either<A, LlmError.LlmError>) => Either.isLeft(result) ? result.left._tag : "success"

describe("Coalescing", () => {
  describe("what is the same", () => {
    it.scoped("asks once for all who ask the same meanwhile, and again for who asks afterwards (BT-02)", () =>
      Effect.gen(function*() {
        const { calls, coalesced, llm } = yield* make(everything, answers("one", "1 second"), answers("two", "1 second"))
        const fiber = yield* all(Array.from({ length: 10 }, () => llm.generateText(request)))
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual((yield* Fiber.join(fiber)).map((result) => Either.getOrThrow(result).text), Array(10).fill("one"))
        assert.strictEqual(yield* calls, 1)
        const again = yield* Effect.fork(llm.generateText(request))
        yield* TestClock.adjust("1 second")
        assert.strictEqual((yield* Fiber.join(again)).text, "two")
        assert.deepStrictEqual(yield* coalesced, { made: 2, joined: 9 })
      }))

    it.scoped("takes requests for the same whatever the order of their fields, and for others when anything differs (S28)", () =>
      Effect.gen(function*() {
        const { calls, llm } = yield* make(everything, ScriptedLlm.repeat(answers("hello", "1 second")))
        const full: Completion.Request = {
          model: "m",
          prompt: [Prompt.system("be brief"), Prompt.user("hi")],
          maxTokens: 5,
          temperature: 0,
          stop: ["a", "b"],
          tools: [{ name: "t", parameters: { type: "object", properties: { a: { type: "string" }, b: { type: "number" } } } }]
        }
        const turned = (value: unknown): unknown =>
          Array.isArray(value)
            ? value.map(turned)
            : typeof value === "object" && value !== null
            ? Object.fromEntries(Object.entries(value).reverse().map(([key, value]) => [key, turned(value)]))
            : value
        yield* all([full, turned(full) as Completion.Request, { ...full, seed: undefined } as never].map((request) => llm.generateText(request)))
        yield* settle
        assert.strictEqual(yield* calls, 1)
        const others: ReadonlyArray<Completion.Request> = [
          { ...full, model: "other" },
          { ...full, prompt: [Prompt.system("be brief"), Prompt.user("hi!")] },
          { ...full, prompt: [Prompt.user("hi"), Prompt.system("be brief")] },
          { ...full, maxTokens: 6 },
          { ...full, temperature: 0.1 },
          { ...full, stop: ["b", "a"] },
          { ...full, stop: ["a,b"] },
          { ...full, user: "u" },
          { ...full, providerOptions: { a: 1 } as never },
          { ...full, providerOptions: { a: "1" } as never },
          { ...full, providerOptions: { a: null } as never }
        ]
        yield* all(others.map((request) => llm.generateText(request)))
        yield* settle
        assert.strictEqual(yield* calls, 1 + others.length)
        // a plain text is one message of the user's
        yield* all([llm.generateText(request), llm.generateText({ model: "m", prompt: [Prompt.user("hi")] })])
        yield* settle
        assert.strictEqual(yield* calls, 2 + others.length)
        yield* all([Stream.runDrain(llm.streamText(request))])
        yield* settle
        assert.strictEqual(yield* calls, 3 + others.length)
      }))

    it.scoped("compares bytes by what is in them, and shares nothing that it cannot compare", () =>
      Effect.gen(function*() {
        const { calls, llm } = yield* make(everything, ScriptedLlm.repeat(later(Effect.succeed({ model: "m", output: Inference.json(1), usage: {} }), "1 second")))
        const bytes = (...data: ReadonlyArray<number>) => llm.infer({ model: "m", input: Inference.tensors(Tensor.make("x", "UINT8", [2], Uint8Array.from(data))) })
        yield* all([bytes(1, 2), bytes(1, 2), bytes(2, 1)])
        yield* settle
        assert.strictEqual(yield* calls, 2)
        class Odd { readonly secret = 1 }
        const odd = (providerOptions: unknown) => llm.infer({ model: "m", input: Inference.json(providerOptions) })
        const circle: { self?: unknown } = {}
        circle.self = circle
        const same = (value: unknown) => [odd(value), odd(value)]
        yield* all([...same(new Odd()), ...same(() => 1), ...same(new Map()), ...same(circle), ...same({ [Symbol()]: 1 })])
        yield* settle
        assert.strictEqual(yield* calls, 12)
        yield* all([...same(1n), odd("1n"), ...same({ a: undefined }), odd({}), ...same(NaN), odd("NaN"), odd(null)])
        yield* settle
        assert.strictEqual(yield* calls, 18)
      }))

    it.scoped("never shares across tenants (S13)", () =>
      Effect.gen(function*() {
        const { llm, requests } = yield* make(everything, ScriptedLlm.repeat(answers("hello", "1 second")))
        const ask = llm.generateText(request)
        yield* all([ask, Policy.withTenant(ask, "a"), Policy.withTenant(ask, "b"), Policy.withTenant(ask, "a")])
        yield* settle
        assert.deepStrictEqual((yield* requests).map(({ tenant }) => tenant), ["", "a", "b"])
      }))

    it.scoped("shares only what is named; texts are not by themselves", () =>
      Effect.gen(function*() {
        const embeddings = later(Effect.succeed({ model: "m", vectors: [[1]], usage: {} }), "1 second")
        const { calls, llm } = yield* make({}, ScriptedLlm.repeat((asked) =>
          asked.operation === "embed" ? embeddings : asked.operation === "listModels" ? later(Effect.succeed([]), "1 second") : answers("hello", "1 second")))
        const embed = llm.embed({ model: "m", input: ["x"] })
        yield* all<unknown, LlmError.LlmError, never>([embed, embed, llm.listModels, llm.listModels, llm.generateText(request), llm.generateText(request)])
        yield* settle
        assert.strictEqual(yield* calls, 4)
        const service = LlmService.make("few", { embed: () => Effect.die("not asked") })
        const none = yield* Coalescing.make(service, { operations: ["rerank"] })
        assert.strictEqual(none.embed, service.embed)
        assert.strictEqual(none.rerank, service.rerank)
      }))

    it.scoped("keeps no failure, and tells it to all who waited for it (S28)", () =>
      Effect.gen(function*() {
        const { calls, llm } = yield* make(everything, later(fault, "1 second"), "well", later(Effect.die("a bug"), "1 second"))
        const fiber = yield* all([llm.generateText(request), llm.generateText(request)])
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(yield* Fiber.join(fiber), [Either.left(fault), Either.left(fault)])
        assert.strictEqual((yield* llm.generateText(request)).text, "well")
        const bugs = yield* Effect.fork(Effect.forEach([1, 2], () => Effect.exit(llm.generateText(request)), { concurrency: "unbounded" }))
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(yield* Fiber.join(bugs), [Exit.die("a bug"), Exit.die("a bug")])
        assert.strictEqual(yield* calls, 3)
      }))

    it.scoped("sends what is the same once, and what is left together, around Batching (BT-01, BT-02)", () =>
      Effect.gen(function*() {
        const scripted = yield* ScriptedLlm.make(ScriptedLlm.repeat((asked) =>
          asked.operation === "embed" ? { model: "m", vectors: asked.request.input.map((text) => [text.charCodeAt(0)]), usage: {} } : ""))
        const run = (maxItems: number, texts: ReadonlyArray<string>) =>
          Effect.gen(function*() {
            const before = (yield* scripted.requests).length
            const { embed } = yield* Effect.flatMap(Batching.make(scripted, { maxItems }), Coalescing.make)
            const fiber = yield* all(texts.map((text) => embed({ model: "m", input: [text] })))
            yield* TestClock.adjust("10 millis")
            const found = (yield* Fiber.join(fiber)).map((result) => String.fromCharCode(Either.getOrThrow(result).vectors[0]![0]!))
            assert.deepStrictEqual(found, texts)
            return (yield* scripted.requests).slice(before).map((asked) => asked.operation === "embed" ? asked.request.input : [])
          })
        assert.deepStrictEqual(yield* run(3, ["a", "b", "a", "a", "a", "b", "c"]), [["a", "b", "c"]])
        assert.deepStrictEqual(yield* run(2, ["1", "2", "1", "3"]), [["1", "2"], ["3"]])
      }))
  })

  describe("who shares it", () => {
    it.scoped("lets each go without the others, and gives the call up with the last", () =>
      Effect.gen(function*() {
        const { calls, inFlight, interrupted, llm } = yield* make(everything, answers("hello", "1 second"), Effect.never, answers("again", "1 second"))
        const [first, second, third] = yield* Effect.all([1, 2, 3].map(() => Effect.fork(llm.generateText(request))))
        yield* settle
        yield* Fiber.interrupt(first!)
        yield* Fiber.interrupt(third!)
        assert.strictEqual(yield* inFlight, 1)
        yield* TestClock.adjust("1 second")
        assert.strictEqual((yield* Fiber.join(second!)).text, "hello")
        const fibers = yield* Effect.all([1, 2].map(() => Effect.fork(llm.generateText(request))))
        yield* settle
        yield* Fiber.interruptAll(fibers)
        assert.deepStrictEqual([yield* inFlight, yield* interrupted], [0, 1])
        // who comes then is not let down by those who have gone
        const late = yield* Effect.fork(llm.generateText(request))
        yield* TestClock.adjust("1 second")
        assert.strictEqual((yield* Fiber.join(late)).text, "again")
        assert.strictEqual(yield* calls, 3)
      }))

    it.scoped("lets nobody join what is being given up", () =>
      Effect.gen(function*() {
        const stubborn = Effect.uninterruptible(later(Effect.succeed("too late"), "1 second"))
        const { llm } = yield* make(everything, stubborn, "fresh")
        const first = yield* Effect.fork(llm.generateText(request))
        yield* settle
        const going = yield* Effect.fork(Fiber.interrupt(first))
        yield* settle
        assert.strictEqual((yield* llm.generateText(request)).text, "fresh")
        yield* TestClock.adjust("1 second")
        assert.isTrue(Exit.isInterrupted(yield* Fiber.join(going)))
      }))

    it.scoped("ends a caller's own wait at his deadline, and the call only with the last", () =>
      Effect.gen(function*() {
        const { inFlight, llm, requests } = yield* make(everything, answers("hello", "10 seconds"), Effect.never)
        const ask = llm.generateText(request)
        const fiber = yield* all([Policy.withDeadline(ask, "2 seconds"), ask, Policy.withDeadline(ask, "20 seconds")])
        yield* TestClock.adjust("10 seconds")
        const results = yield* Fiber.join(fiber)
        assert.deepStrictEqual(results.map(tagOf), ["DeadlineExceeded", "success", "success"])
        assert.deepInclude(Either.getOrThrow(Either.flip(results[0]!)), { phase: "attempt", model: "m", backend })
        assert.isTrue(Option.isNone((yield* requests)[0]!.deadline))
        const hurried = yield* all([Policy.withDeadline(ask, "2 seconds"), Policy.withDeadline(ask, "3 seconds")])
        yield* TestClock.adjust("2 seconds")
        assert.strictEqual(yield* inFlight, 1)
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual((yield* Fiber.join(hurried)).map(tagOf), ["DeadlineExceeded", "DeadlineExceeded"])
        assert.strictEqual(yield* inFlight, 0)
        assert.deepInclude(yield* Effect.flip(Policy.withDeadline(ask, 0)), { _tag: "DeadlineExceeded", phase: "queued" })
        assert.strictEqual((yield* Effect.flip(Policy.withDeadline(llm.listModels, 0)))._tag, "DeadlineExceeded")
      }))

    it.scoped("goes as the first said, and lets nobody wait for one who is less urgent", () =>
      Effect.gen(function*() {
        const { llm, requests } = yield* make(everything, ScriptedLlm.repeat(answers("hello", "1 second")))
        const ask = llm.generateText(request)
        const [normal, high, low] = [ask, Policy.withPriority(ask, "high"), Policy.withPriority(ask, "low")]
        const fiber = yield* all([normal, low, normal, high, low, high])
        yield* settle
        assert.deepStrictEqual((yield* requests).map(({ priority }) => priority), [1, 0])
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual((yield* Fiber.join(fiber)).map(tagOf), Array(6).fill("success"))
      }))

    it.scoped("is one call for what protects the service", () =>
      Effect.gen(function*() {
        const scripted = yield* ScriptedLlm.make(fault, answers("hello", "1 second"))
        const policy = yield* Resilience.standard(backend, { retry: { jitter: "none" }, queue: { concurrency: 1, capacity: 0 } })
        const { generateText } = yield* Coalescing.make(Resilience.protect(scripted, policy), everything)
        const fiber = yield* all(Array.from({ length: 5 }, () => generateText(request)))
        yield* TestClock.adjust("2 seconds")
        assert.deepStrictEqual((yield* Fiber.join(fiber)).map(tagOf), Array(5).fill("success"))
        assert.lengthOf(yield* scripted.requests, 2)
      }))
  })

  describe("streams", () => {
    const slow = ["a", "b", "c"].map((letter) => later(Effect.succeed(text(letter)), "1 second"))
    const whole = [text("a"), text("b"), text("c"), finish]
    const collect = <E>(stream: Stream.Stream<Completion.Part, E>) => Effect.map(Stream.runCollect(stream), Chunk.toReadonlyArray)

    it.scoped("are read from the first part on by each, whenever he joins, and opened again for who comes when they have ended", () =>
      Effect.gen(function*() {
        const { calls, inFlight, llm } = yield* make(everything, [...slow, finish], [text("again"), finish])
        const stream = llm.streamText(request)
        const first = yield* Effect.fork(collect(stream))
        yield* TestClock.adjust("2500 millis")
        const second = yield* Effect.fork(collect(stream))
        yield* TestClock.adjust("500 millis")
        assert.deepStrictEqual(yield* Fiber.join(first), whole)
        assert.deepStrictEqual(yield* Fiber.join(second), whole)
        assert.deepStrictEqual([yield* calls, yield* inFlight], [1, 0])
        assert.deepStrictEqual(yield* collect(stream), [text("again"), finish])
      }))

    it.scoped("are asked for parts no sooner than somebody reads", () =>
      Effect.gen(function*() {
        let made = 0
        const service = LlmService.make("long", {
          streamText: () => Stream.take(Stream.repeatEffect(Effect.sync(() => text(String(made++)))), 10)
        })
        const { streamText } = yield* Coalescing.make(service, everything)
        const scope = yield* Scope.make()
        const pull = yield* Scope.extend(Stream.toPull(streamText(request)), scope)
        yield* settle
        assert.strictEqual(made, 0)
        yield* pull
        yield* settle
        assert.strictEqual(made, 1)
        yield* pull
        assert.strictEqual(made, 2)
        yield* Scope.close(scope, Exit.void)
      }))

    it.scoped("are left by each alone, and given up with the last", () =>
      Effect.gen(function*() {
        const { inFlight, interrupted, llm } = yield* make(everything, [...slow, finish], [text("a"), Effect.never])
        const stream = llm.streamText(request)
        const [left, gone, stays] = yield* Effect.all([
          Effect.fork(collect(Stream.take(stream, 1))),
          Effect.fork(collect(stream)),
          Effect.fork(collect(stream))
        ])
        yield* TestClock.adjust("1500 millis")
        assert.deepStrictEqual(yield* Fiber.join(left), [text("a")])
        yield* Fiber.interrupt(gone)
        assert.strictEqual(yield* inFlight, 1)
        yield* TestClock.adjust("2 seconds")
        assert.deepStrictEqual(yield* Fiber.join(stays), whole)
        const both = yield* Effect.all([Effect.fork(collect(stream)), Effect.fork(collect(stream))])
        yield* settle
        assert.strictEqual(yield* inFlight, 1)
        yield* Fiber.interruptAll(both)
        assert.deepStrictEqual([yield* inFlight, yield* interrupted], [0, 1])
      }))

    it.scoped("break off for all, after what had come", () =>
      Effect.gen(function*() {
        const { llm } = yield* make(everything, [text("a"), later(fault, "1 second")], [Effect.die("a bug")])
        const read = Effect.suspend(() => {
          const seen: Array<Completion.Part> = []
          return Effect.map(
            Effect.exit(Stream.runForEach(llm.streamText(request), (part) => Effect.sync(() => seen.push(part)))),
            (exit) => ({ seen, exit })
          )
        })
        const fibers = yield* Effect.all([Effect.fork(read), Effect.fork(read)])
        yield* TestClock.adjust("1 second")
        const broken = { seen: [text("a")], exit: Exit.fail(fault) }
        assert.deepStrictEqual(yield* Effect.forEach(fibers, Fiber.join), [broken, broken])
        assert.deepStrictEqual(yield* read, { seen: [], exit: Exit.die("a bug") })
      }))

    it.scoped("end for each at his own deadline", () =>
      Effect.gen(function*() {
        const { inFlight, llm } = yield* make(everything, [...slow, finish], [text("a"), Effect.never])
        const stream = llm.streamText(request)
        const fiber = yield* all([collect(Policy.withDeadlineStream(stream, "1500 millis")), collect(stream)])
        yield* TestClock.adjust("3 seconds")
        const [hurried, patient] = yield* Fiber.join(fiber)
        assert.deepInclude(Either.getOrThrow(Either.flip(hurried!)), {
          _tag: "DeadlineExceeded",
          phase: "stream",
          message: "the call's deadline passed before scripted had ended its answer"
        })
        assert.deepStrictEqual(Either.getOrThrow(patient!), whole)
        // the call goes with the last, also when he is not reading just then
        const scope = yield* Scope.make()
        const pull = yield* Scope.extend(Stream.toPull(Policy.withDeadlineStream(stream, "1 second")), scope)
        yield* pull
        assert.strictEqual(yield* inFlight, 1)
        yield* TestClock.adjust("1 second")
        assert.strictEqual(yield* inFlight, 0)
        assert.strictEqual(Option.getOrThrow(yield* Effect.flip(pull))._tag, "DeadlineExceeded")
        yield* Scope.close(scope, Exit.void)
        const late = yield* Effect.flip(collect(Policy.withDeadlineStream(stream, 0)))
        assert.deepInclude(late, { _tag: "DeadlineExceeded", phase: "queued" })
      }))

    it.scoped("are kept up to a number of parts: nobody joins then, and who is further behind is told", () =>
      Effect.gen(function*() {
        const parts = Array.from({ length: 10 }, (_, n) => text(String(n)))
        const { calls, llm } = yield* make({ ...everything, maxParts: 3 }, [...parts, later(Effect.succeed(finish), "1 second")], [finish])
        const stream = llm.streamText(request)
        const scope = yield* Scope.make()
        const slow = yield* Scope.extend(Stream.toPull(stream), scope)
        assert.deepStrictEqual(Chunk.toReadonlyArray(yield* slow), [text("0")])
        const quick = yield* Effect.fork(collect(stream))
        yield* settle
        // he has come too late for its beginning
        assert.deepStrictEqual(yield* collect(stream), [finish])
        assert.strictEqual(yield* calls, 2)
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(yield* Fiber.join(quick), [...parts, finish])
        assert.deepInclude(Option.getOrThrow(yield* Effect.flip(slow)), {
          _tag: "StreamInterrupted",
          message: "the caller is more than 3 parts behind another who reads the same answer"
        })
        yield* Scope.close(scope, Exit.void)
      }))
  })

  it("is told of an option that cannot be meant when it is built", () => {
    const refused = (options: object) => {
      const exit = Effect.runSyncExit(Effect.scoped(Coalescing.make(LlmService.make("x", {}), options)))
      return Exit.match(exit, { onSuccess: () => "", onFailure: (cause) => cause._tag === "Fail" ? cause.error.message : cause._tag })
    }
    assert.strictEqual(refused({ maxParts: 0 }), "Coalescing.maxParts: must be a whole number of at least 1, not 0")
    assert.include(refused({ operations: ["put"] }), "Coalescing.operations.0")
    assert.include(refused({ tenants: true }), "Coalescing.tenants")
  })

  it.effect("stands around the service of a layer, and lets the rest through", () =>
    Effect.gen(function*() {
      const llm = yield* ScriptedLlm.make(ScriptedLlm.repeat(answers("hello", "1 second")))
      const Backend = Layer.merge(Layer.succeed(LlmService.LlmService, llm), Layer.succeed(ScriptedLlm.ScriptedLlm, llm))
      const program = Effect.gen(function*() {
        const fiber = yield* all([LlmService.generateText(request), LlmService.generateText(request)])
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(fiber)
        return yield* Effect.flatMap(ScriptedLlm.ScriptedLlm, ({ requests }) => requests)
      })
      assert.lengthOf(yield* Effect.provide(program, Coalescing.layer(everything)(Backend)), 1)
    }))
})
