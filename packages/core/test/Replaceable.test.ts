import { assert, describe, it } from "@effect/vitest"
import * as Completion from "@spillway/core/Completion"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Prompt from "@spillway/core/Prompt"
import * as Replaceable from "@spillway/core/Replaceable"
import { Chunk, Deferred, Effect, Exit, Fiber, Scope, Stream, TestClock } from "effect"

const request: Completion.Request = { model: "m", prompt: "hi" }
const answer = (text: string) =>
  Completion.make({ model: "m", content: [Prompt.text(text)], finishReason: "stop", usage: {} })

/** Services that tell of their coming and going, and answer a second later. */
const makeHouse = () => {
  const log: Array<string> = []
  const make = (name: string, implementation: LlmService.Implementation = {}) =>
    Effect.as(
      Effect.acquireRelease(Effect.sync(() => log.push(`${name} opens`)), () => Effect.sync(() => log.push(`${name} closes`))),
      LlmService.make(name, {
        generateText: () => Effect.delay(Effect.succeed(answer(name)), "1 second"),
        streamText: () =>
          Stream.repeatEffect(Effect.delay(Effect.succeed<Completion.Part>({ _tag: "TextDelta", text: name }), "1 second")).pipe(
            Stream.take(3)
          ),
        ...implementation
      })
    )
  return { log, make }
}

describe("Replaceable", () => {
  it.scoped("lets calls under way end with the service they began with, which closes with the last of them", () =>
    Effect.gen(function*() {
      const { log, make } = makeHouse()
      const { leaving, replace, service } = yield* Replaceable.make(make("old"))
      const calls = yield* Effect.fork(Effect.all([service.generateText(request), service.generateText(request)], {
        concurrency: "unbounded"
      }))
      yield* TestClock.adjust("500 millis")
      const late = yield* Effect.fork(service.generateText(request))
      yield* TestClock.adjust(0)
      yield* replace(make("new"))
      const after = yield* Effect.fork(service.generateText(request))
      assert.deepStrictEqual(log, ["old opens", "new opens"])
      assert.strictEqual(yield* leaving, 1)
      yield* TestClock.adjust("500 millis")
      assert.deepStrictEqual((yield* Fiber.join(calls)).map(({ text }) => text), ["old", "old"])
      assert.deepStrictEqual(log, ["old opens", "new opens"])
      yield* TestClock.adjust("500 millis")
      assert.strictEqual((yield* Fiber.join(late)).text, "old")
      assert.strictEqual((yield* Fiber.join(after)).text, "new")
      assert.deepStrictEqual(log, ["old opens", "new opens", "old closes"])
      assert.strictEqual(yield* leaving, 0)
    }))

  it.scoped("closes at once what has no call, and stands for the one in place by its name and operations", () =>
    Effect.gen(function*() {
      const { log, make } = makeHouse()
      const { replace, service } = yield* Replaceable.make(make("old"))
      assert.strictEqual(service.backend, "old")
      yield* replace(make("new", { health: Effect.void }))
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(log, ["old opens", "new opens", "old closes"])
      assert.deepStrictEqual([service.backend, service.operations.has("health")], ["new", true])
      yield* service.health
      assert.strictEqual((yield* Effect.flip(service.embed({ model: "m", input: [] })))._tag, "Unsupported")
    }))

  it.scoped("reads a stream to its end, and holds its service until then, or until its reader has gone", () =>
    Effect.gen(function*() {
      const { log, make } = makeHouse()
      const { replace, service } = yield* Replaceable.make(make("old"))
      const whole = yield* Effect.fork(Stream.runCollect(service.streamText(request)))
      const short = yield* Effect.fork(Stream.runCollect(Stream.take(service.streamText(request), 2)))
      yield* TestClock.adjust("1 second")
      yield* replace(make("new"))
      yield* TestClock.adjust("1 second")
      assert.lengthOf(yield* Fiber.join(short), 2)
      assert.deepStrictEqual(log, ["old opens", "new opens"])
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(
        Chunk.toArray(yield* Fiber.join(whole)),
        Array.from({ length: 3 }, (): Completion.Part => ({ _tag: "TextDelta", text: "old" }))
      )
      assert.deepStrictEqual(log, ["old opens", "new opens", "old closes"])
    }))

  it.scoped("asks the one in place for what only it does, and holds it meanwhile", () =>
    Effect.gen(function*() {
      const { log, make } = makeHouse()
      const own = (name: string) =>
        Effect.map(make(name), (service) => ({ ...service, rhyme: Effect.delay(Effect.succeed(`${name} rhymes`), "1 second") }))
      const { replace, use } = yield* Replaceable.make(own("old"))
      const call = yield* Effect.fork(use(({ rhyme }) => rhyme))
      yield* TestClock.adjust(0)
      yield* replace(own("new"))
      assert.deepStrictEqual(log, ["old opens", "new opens"])
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* Fiber.join(call), "old rhymes")
      assert.deepStrictEqual(log, ["old opens", "new opens", "old closes"])
    }))

  it.scoped("closes what was replaced when its last call fails, is interrupted, or is left in the midst of its stream", () =>
    Effect.gen(function*() {
      for (
        const end of [
          (service: LlmService.Service) => Effect.ignore(service.embed({ model: "m", input: [] })),
          (service: LlmService.Service) => Effect.timeoutOption(service.rerank({ model: "m", query: "", documents: [] }), "1 second"),
          (service: LlmService.Service) => Effect.timeoutOption(Stream.runDrain(service.streamText(request)), "1500 millis")
        ]
      ) {
        const { log, make } = makeHouse()
        const fails = new LlmError.ServerFault({ backend: "old", message: "no" })
        const { replace, service } = yield* Replaceable.make(make("old", {
          embed: () => Effect.delay(Effect.fail(fails), "1 second"),
          rerank: () => Effect.never
        }))
        const call = yield* Effect.fork(end(service))
        yield* TestClock.adjust(0)
        yield* replace(make("new"))
        assert.deepStrictEqual(log, ["old opens", "new opens"])
        yield* TestClock.adjust("2 seconds")
        yield* Fiber.join(call)
        assert.deepStrictEqual(log, ["old opens", "new opens", "old closes"])
      }
    }))

  it.scoped("keeps the service that is in place when another cannot be made, and closes what was made of that", () =>
    Effect.gen(function*() {
      const { log, make } = makeHouse()
      const { replace, service } = yield* Replaceable.make(make("old"))
      assert.strictEqual(yield* Effect.flip(replace(Effect.zipRight(make("new"), Effect.fail("no")))), "no")
      const stuck = yield* Effect.fork(replace(Effect.zipRight(make("stuck"), Effect.never)))
      yield* TestClock.adjust(0)
      yield* Fiber.interrupt(stuck)
      assert.deepStrictEqual(log, ["old opens", "new opens", "new closes", "stuck opens", "stuck closes"])
      assert.strictEqual(service.backend, "old")
    }))

  it.effect("replaces one after the other, and closes all of them with its scope", () =>
    Effect.gen(function*() {
      const { log, make } = makeHouse()
      const scope = yield* Scope.make()
      const { replace, service } = yield* Scope.extend(Replaceable.make(make("first")), scope)
      const gate = yield* Deferred.make<void>()
      const call = yield* Effect.fork(service.generateText(request))
      yield* TestClock.adjust(0)
      const second = yield* Effect.fork(replace(Effect.zipRight(Deferred.await(gate), make("second"))))
      const third = yield* Effect.fork(replace(make("third")))
      yield* TestClock.adjust(0)
      assert.strictEqual(service.backend, "first")
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(second)
      yield* Fiber.join(third)
      yield* TestClock.adjust(0)
      assert.strictEqual(service.backend, "third")
      assert.deepStrictEqual(log, ["first opens", "second opens", "third opens", "second closes"])
      yield* Scope.close(scope, Exit.void)
      assert.sameMembers(log.slice(4), ["first closes", "third closes"])
      yield* Fiber.interrupt(call)
      assert.lengthOf(log, 6)
    }))
})
