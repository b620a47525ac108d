import { assert, describe, it } from "@effect/vitest"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Monitor from "@spillway/core/Monitor"
import * as ObjectStore from "@spillway/core/ObjectStore"
import * as Policy from "@spillway/core/Policy"
import * as Protection from "@spillway/core/Protection"
import * as Resilience from "@spillway/core/Resilience"
import * as ScriptedLlm from "@spillway/testing/ScriptedLlm"
import { Chunk, Context, Deferred, Effect, Either, Exit, Fiber, Layer, Stream, TestClock } from "effect"
import * as MemoryStore from "./memoryStore.js"

const request = { model: "m", prompt: "hi" }

let names = 0

interface Pet {
  readonly name: Effect.Effect<string, LlmError.LlmError>
  readonly fetch: (what: string) => Effect.Effect<string, LlmError.LlmError>
  readonly walk: (steps: number) => Stream.Stream<number, LlmError.LlmError>
  /** Fetches twice, as one call. */
  readonly fetchBoth: Effect.Effect<string, LlmError.LlmError>
}

class Dog extends Context.Tag("Dog")<Dog, Pet>() {}
class Plain extends Context.Tag("Plain")<Plain, string | undefined>() {}

/** A backend's own service, whose answers are what `answer` says of each that it is asked. */
const pet = (backend: string, answer: (what: string) => Effect.Effect<string, LlmError.LlmError>): Pet => {
  const fetch = (what: string) => Effect.suspend(() => answer(what))
  return Protection.own(backend, ({ streamed, whole }) => ({
    name: whole({ operation: `${backend}.name`, model: "" }, fetch("name")),
    fetch: (what) =>
      whole({ operation: `${backend}.fetch`, model: what, told: () => ({ usage: { inputTokens: 3 } }) }, fetch(what)),
    walk: (steps) =>
      streamed(
        {
          operation: `${backend}.walk`,
          model: "",
          told: (step) => step === steps ? { usage: { outputTokens: step } } : undefined
        },
        Stream.rechunk(Stream.concat(Stream.drain(Stream.fromEffect(fetch("walk"))), Stream.range(1, steps)), 1)
      ),
    fetchBoth: whole({ operation: `${backend}.fetchBoth`, model: "" }, Effect.zipWith(fetch("a"), fetch("b"), (a, b) => a + b))
  }))
}

const recording = (seen: Array<unknown>): Policy.Policy => (next) => (call) => {
  seen.push([call.backend, call.operation, call.isStreamed, call.model])
  call.held.add((exit) => void seen.push(Exit.isSuccess(exit) ? exit.value : "failed"))
  return next(call)
}

const echo = (what: string) => Effect.succeed(what)

const play = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.fork(Effect.either(effect))
    yield* TestClock.adjust("10 minutes")
    return yield* Fiber.join(fiber)
  })

/** A backend with two services, as its module makes it. */
const make = (answer: (what: string) => Effect.Effect<string, LlmError.LlmError>, options: Resilience.Options = {}) => {
  const backend = `pet-${++names}`
  const llm = LlmService.make(backend, {
    generateText: () => Effect.flatMap(Effect.suspend(() => answer("text")), (text) => Effect.die(`no text ${text}`)),
    health: Effect.asVoid(Effect.suspend(() => answer("health")))
  })
  const context = Context.make(LlmService.LlmService, llm).pipe(
    Context.add(Dog, pet(backend, answer)),
    Context.add(Plain, undefined)
  )
  return {
    layer: Resilience.layer({ ...options, retry: options.retry === false ? false : { jitter: "none", ...options.retry } })(
      Layer.succeedContext(context)
    ),
    fault: new LlmError.ServerFault({ backend, message: "503" }),
    monitor: Effect.map(Monitor.snapshot, ({ backends }) => backends.find((one) => one.backend === backend)!)
  }
}

describe("Protection", () => {
  describe("own", () => {
    it.effect("is the service that was made, without protection", () =>
      Effect.gen(function*() {
        const dog = pet("dog", echo)
        assert.strictEqual(yield* dog.name, "name")
        assert.strictEqual(yield* dog.fetchBoth, "ab")
        assert.deepStrictEqual(Chunk.toReadonlyArray(yield* Stream.runCollect(dog.walk(2))), [1, 2])
        assert.deepStrictEqual(Object.keys(dog), ["name", "fetch", "walk", "fetchBoth"])
      }))

    it.effect("goes through a policy once for each operation, which hears what the answer tells, and nothing else of it", () =>
      Effect.gen(function*() {
        const seen: Array<unknown> = []
        const dog = Resilience.protectOwn(pet("dog", echo), recording(seen))
        yield* dog.name
        yield* dog.fetch("stick")
        yield* dog.fetchBoth
        yield* Stream.runDrain(dog.walk(2))
        yield* Stream.runDrain(Stream.take(dog.walk(5), 1))
        assert.deepStrictEqual(seen, [
          ["dog", "dog.name", false, ""],
          undefined,
          ["dog", "dog.fetch", false, "stick"],
          { usage: { inputTokens: 3 } },
          ["dog", "dog.fetchBoth", false, ""],
          undefined,
          ["dog", "dog.walk", true, ""],
          { usage: { outputTokens: 2 } },
          ["dog", "dog.walk", true, ""],
          undefined
        ])
      }))

    it.effect("stands within several protections, the last outermost", () =>
      Effect.gen(function*() {
        const seen: Array<string> = []
        const says = (word: string): Policy.Policy => (next) => (call) => {
          seen.push(word)
          return next(call)
        }
        const dog = pet("dog", echo)
        const twice = Resilience.protectOwn(says("outer"))(Resilience.protectOwn(says("inner"))(dog))
        yield* twice.name
        yield* Stream.runDrain(twice.walk(1))
        assert.deepStrictEqual(seen, ["outer", "inner", "outer", "inner"])
        seen.length = 0
        yield* dog.name
        assert.deepStrictEqual(seen, [])
      }))

    it("leaves alone what it did not make, a copy too", () => {
      const dog = pet("dog", echo)
      for (const service of [{ ...dog }, { name: "stranger" }, Object.freeze({})]) {
        assert.strictEqual(Protection.within(service, () => assert.fail("is asked for nothing")), service)
      }
    })
  })

  describe("llm", () => {
    it.effect("goes through the protection with what is asked and what is told", () =>
      Effect.gen(function*() {
        const asked: Array<unknown> = []
        const llm = Protection.llm(yield* ScriptedLlm.make("hello", { model: "e", vectors: [], usage: {} }), {
          ...Protection.none,
          whole: ({ told, ...what }, answer) =>
            Effect.map(answer, (answer) => {
              asked.push({ ...what, told: told?.(answer) === answer })
              return answer
            })
        })
        yield* llm.generateText(request)
        yield* llm.embed({ model: "e", input: ["a"] })
        assert.deepStrictEqual(asked, [
          { operation: "generateText", model: "m", request, told: true },
          { operation: "embed", model: "e", request: { model: "e", input: ["a"] }, told: true }
        ])
      }))
  })

  describe("by the standard policies of a layer", () => {
    it.scoped("a 503 is tried again", () =>
      Effect.gen(function*() {
        let failures = 2
        const { fault, layer, monitor } = make((what) => failures-- > 0 ? Effect.fail(fault) : echo(what))
        const result = yield* Effect.gen(function*() {
          const result = yield* play(Effect.flatMap(Dog, (dog) => dog.fetch("stick")))
          assert.deepInclude((yield* monitor).calls, {
            started: 1,
            succeeded: 1,
            retries: { ServerFault: 2 },
            inputTokens: 3
          })
          return result
        }).pipe(Effect.provide(layer))
        assert.deepStrictEqual(result, Either.right("stick"))
      }))

    it.scoped("one circuit opens for all services of a backend, whichever failed", () =>
      Effect.gen(function*() {
        const { fault, layer } = make(() => Effect.fail(fault), { retry: false, breaker: { failures: 3 } })
        yield* Effect.gen(function*() {
          const llm = yield* LlmService.LlmService
          const dog = yield* Dog
          const tags = yield* Effect.forEach(
            [dog.name, llm.health, Stream.runDrain(dog.walk(1)), llm.generateText(request), dog.fetchBoth, dog.fetch("x")],
            (effect) => Effect.map(Effect.flip(Effect.asVoid(effect)), ({ _tag }) => _tag)
          )
          assert.deepStrictEqual(tags, [
            "ServerFault",
            "ServerFault",
            "ServerFault",
            "CircuitOpen",
            "CircuitOpen",
            "CircuitOpen"
          ])
        }).pipe(Effect.provide(layer))
      }))

    it.scoped("one queue counts the calls of all services", () =>
      Effect.gen(function*() {
        const gate = yield* Deferred.make<string>()
        const { layer, monitor } = make(() => Deferred.await(gate), { queue: { concurrency: 2 }, timeout: false })
        yield* Effect.gen(function*() {
          const llm = yield* LlmService.LlmService
          const dog = yield* Dog
          const fibers = yield* Effect.forEach(
            [llm.health, dog.name, Stream.runDrain(dog.walk(1)), dog.fetchBoth],
            (effect) => Effect.fork(Effect.asVoid(effect))
          )
          yield* TestClock.adjust(0)
          assert.deepInclude((yield* monitor).queue, { inFlight: 2, waiting: 2 })
          yield* Deferred.succeed(gate, "x")
          yield* Fiber.joinAll(fibers)
          assert.deepInclude((yield* monitor).queue, { inFlight: 0, waiting: 0 })
        }).pipe(Effect.provide(layer))
      }))

    it.scoped("a deadline ends an operation that has not answered, and a stream that has begun", () =>
      Effect.gen(function*() {
        const { layer } = make(() => Effect.never, { retry: false })
        const late = yield* Effect.flatMap(Dog, (dog) => play(Policy.withDeadline(dog.name, "1 second"))).pipe(
          Effect.provide(layer)
        )
        assert.isTrue(Either.isLeft(late) && late.left._tag === "DeadlineExceeded")
        const begun = Protection.own("dog", ({ streamed }) => ({
          walk: streamed({ operation: "dog.walk", model: "" }, Stream.concat(Stream.make(1), Stream.never))
        }))
        const policy = yield* Resilience.standard("dog")
        const cut = yield* play(Stream.runDrain(Policy.withDeadlineStream(
          Resilience.protectOwn(begun, policy).walk,
          "1 second"
        )))
        assert.isTrue(Either.isLeft(cut) && cut.left._tag === "DeadlineExceeded" && cut.left.phase === "stream")
      }))

    it.scoped("no stream is begun anew once its first part is there", () =>
      Effect.gen(function*() {
        let begun = 0
        const fault = new LlmError.ServerFault({ backend: "dog", message: "503" })
        const dog = Protection.own("dog", ({ streamed }) => ({
          walk: streamed(
            { operation: "dog.walk", model: "" },
            Stream.suspend(() => ++begun < 3 ? Stream.fail(fault) : Stream.concat(Stream.make(1), Stream.fail(fault)))
          )
        }))
        const policy = yield* Resilience.standard("dog", { retry: { jitter: "none" } })
        const result = yield* play(Stream.runCollect(Stream.either(Resilience.protectOwn(dog, policy).walk)))
        assert.deepStrictEqual(Either.map(result, Chunk.toReadonlyArray), Either.right([Either.right(1), Either.left(fault)]))
        assert.strictEqual(begun, 3)
      }))

    it.scoped("what knows of no policy comes out as it went in", () =>
      Effect.gen(function*() {
        const { layer } = make(echo)
        assert.isUndefined(yield* Effect.provide(Plain, layer))
      }))

    it.scoped("a store of objects beside a service goes through the same policies", () =>
      Effect.gen(function*() {
        const { store } = MemoryStore.make({ backend: "pantry" })
        const fault = new LlmError.ServerFault({ backend: "pantry", message: "503" })
        const services = Context.make(ObjectStore.ObjectStore, store).pipe(
          Context.add(LlmService.LlmService, LlmService.make("pantry", { health: Effect.fail(fault) }))
        )
        const Live = Resilience.layer({ retry: false, breaker: { failures: 1 } })(Layer.succeedContext(services))
        yield* Effect.gen(function*() {
          const at = { bucket: "b", key: "k" }
          yield* ObjectStore.put({ ...at, body: "food" })
          assert.strictEqual(new TextDecoder().decode(yield* ObjectStore.read(at)), "food")
          yield* Effect.flip(LlmService.health)
          assert.strictEqual((yield* Effect.flip(ObjectStore.read(at)))._tag, "CircuitOpen")
        }).pipe(Effect.provide(Live))
      }))

    it.scoped("a service that two layers share is protected by each of them apart, and bare beside them", () =>
      Effect.gen(function*() {
        const backend = `pet-${++names}`
        const fault = new LlmError.ServerFault({ backend, message: "503" })
        const Backend = Layer.succeedContext(
          Context.make(LlmService.LlmService, LlmService.make(backend, {})).pipe(
            Context.add(Dog, pet(backend, () => Effect.fail(fault)))
          )
        )
        const within = Resilience.layer({ retry: false, breaker: { failures: 1 } })
        const memo = yield* Layer.makeMemoMap
        const scope = yield* Effect.scope
        const askTwice = <E>(layer: Layer.Layer<Dog, E>) =>
          Effect.flatMap(Layer.buildWithMemoMap(layer, memo, scope), (services) =>
            Effect.replicateEffect(Effect.map(Effect.flip(Context.get(services, Dog).name), ({ _tag }) => _tag), 2))
        assert.deepStrictEqual(yield* askTwice(within(Backend)), ["ServerFault", "CircuitOpen"])
        assert.deepStrictEqual(yield* askTwice(within(Backend)), ["ServerFault", "CircuitOpen"])
        assert.deepStrictEqual(yield* askTwice(Backend), ["ServerFault", "ServerFault"])
      }))
  })
})
