import { assert, describe, it } from "@effect/vitest"
import type * as Completion from "@spillway/core/Completion"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Policy from "@spillway/core/Policy"
import * as Resilience from "@spillway/core/Resilience"
import * as Router from "@spillway/core/Router"
import * as ScriptedLlm from "@spillway/testing/ScriptedLlm"
import { Chunk, Context, Effect, Exit, Fiber, Layer, Option, Stream, TestClock } from "effect"

const ask = (model: string): Completion.Request => ({ model, prompt: "hi" })
const text = (text: string): Completion.Part => ({ _tag: "TextDelta", text })
const finish: Completion.Part = { _tag: "Finish", finishReason: "stop", usage: {} }
const models = (...ids: ReadonlyArray<string>) => ids.map((id) => ({ id }))

/** A service that answers with its own name and the model it was asked for, and has a catalogue. */
const named = (
  name: string,
  catalogue: LlmService.Service["listModels"],
  implementation: LlmService.Implementation = {}
) => {
  let lists = 0
  const service = LlmService.make(name, {
    generateText: ({ model }) =>
      Effect.succeed({ model, content: [], text: `${name}: ${model}`, toolCalls: [], finishReason: "stop", usage: {} }),
    streamText: ({ model }) => Stream.make(text(`${name}: ${model}`), finish),
    embed: ({ model }) => Effect.succeed({ model: `${name}: ${model}`, vectors: [], usage: {} }),
    rerank: ({ model }) => Effect.succeed({ model: `${name}: ${model}`, results: [], usage: {} }),
    listModels: Effect.suspend(() => {
      lists++
      return catalogue
    }),
    ...implementation
  })
  return { service, lists: () => lists }
}

const fault = (backend: string) => new LlmError.ServerFault({ backend, message: `${backend} is broken` })

describe("Router", () => {
  describe("by name", () => {
    it.effect("sends a prefixed name to that backend, without the prefix, in every operation", () =>
      Effect.gen(function*() {
        const router = Router.make({
          groq: named("groq", Effect.die("nobody asked")).service,
          claude: named("claude", Effect.die("nobody asked")).service
        })
        assert.strictEqual((yield* router.generateText(ask("groq/llama"))).text, "groq: llama")
        assert.strictEqual((yield* router.generateText(ask("claude/opus"))).text, "claude: opus")
        assert.deepStrictEqual(
          Chunk.toReadonlyArray(yield* Stream.runCollect(router.streamText(ask("claude/opus")))),
          [text("claude: opus"), finish]
        )
        assert.strictEqual((yield* router.embed({ model: "groq/e", input: [] })).model, "groq: e")
        assert.strictEqual((yield* router.rerank({ model: "groq/r", query: "", documents: [] })).model, "groq: r")
      }))

    it.effect("takes off no more than the first segment, and only when it is a backend", () =>
      Effect.gen(function*() {
        const router = Router.make({
          vllm: named("vllm", Effect.succeed(models("meta-llama/Llama-3"))).service,
          groq: named("groq", Effect.succeed(models("llama"))).service
        })
        assert.strictEqual((yield* router.generateText(ask("vllm/meta-llama/Llama-3"))).text, "vllm: meta-llama/Llama-3")
        assert.strictEqual((yield* router.generateText(ask("meta-llama/Llama-3"))).text, "vllm: meta-llama/Llama-3")
        for (const model of ["constructor/x", "/llama", "Groq/llama"]) {
          assert.strictEqual((yield* Effect.flip(router.generateText(ask(model))))._tag, "ModelNotFound")
        }
      }))

    it.effect("sends a bare name to the backend whose catalogue has it, in every operation", () =>
      Effect.gen(function*() {
        const router = Router.make({
          groq: named("groq", Effect.succeed(models("llama"))).service,
          claude: named("claude", Effect.succeed(models("opus"))).service
        })
        assert.strictEqual((yield* router.generateText(ask("opus"))).text, "claude: opus")
        const parts = yield* Stream.runCollect(router.streamText(ask("llama")))
        assert.deepStrictEqual(Chunk.unsafeHead(parts), text("groq: llama"))
        assert.strictEqual((yield* router.embed({ model: "opus", input: [] })).model, "claude: opus")
      }))

    it.effect("prefers the first backend where several have a model", () =>
      Effect.gen(function*() {
        const router = Router.make({
          first: named("first", Effect.succeed(models("llama"))).service,
          second: named("second", Effect.succeed(models("llama"))).service
        })
        assert.strictEqual((yield* router.generateText(ask("llama"))).text, "first: llama")
        assert.strictEqual((yield* router.generateText(ask("llama"))).text, "first: llama")
      }))

    it.effect("says what it looked at when nobody has a model", () =>
      Effect.gen(function*() {
        const router = Router.make({
          groq: named("groq", Effect.succeed(models("llama"))).service,
          claude: named("claude", fault("claude")).service,
          mute: named("mute", Effect.die("a bug")).service
        })
        const error = yield* Effect.flip(router.generateText(ask("gpt-7")))
        assert.deepInclude(error, { _tag: "ModelNotFound", backend: "router", model: "gpt-7" })
        assert.strictEqual(
          error.message,
          "no backend has a model \"gpt-7\"; looked at groq, claude, mute, but could not read the models of claude (ServerFault), mute (a bug)"
        )
        const stream = yield* Effect.flip(Stream.runDrain(router.streamText(ask("gpt-7"))))
        assert.strictEqual(stream._tag, "ModelNotFound")
        const none = yield* Effect.flip(Router.make({}).generateText(ask("x")))
        assert.strictEqual(none.message, "no backend has a model \"x\"; there are no backends")
      }))

    it.effect("passes over a catalogue that cannot be read", () =>
      Effect.gen(function*() {
        const router = Router.make({
          broken: named("broken", fault("broken")).service,
          hanging: named("hanging", Effect.never).service,
          slow: named("slow", Effect.timeoutFail(Effect.never, { duration: "2 seconds", onTimeout: () => fault("slow") })).service,
          claude: named("claude", Effect.succeed(models("opus"))).service
        })
        const first = yield* Effect.fork(router.generateText(ask("opus")))
        yield* TestClock.adjust("5 seconds")
        assert.strictEqual((yield* Fiber.join(first)).text, "claude: opus")
        assert.strictEqual((yield* router.generateText(ask("opus"))).text, "claude: opus")
        const fiber = yield* Effect.fork(Effect.flip(router.generateText(ask("gpt-7"))))
        yield* TestClock.adjust("5 seconds")
        assert.include((yield* Fiber.join(fiber)).message, "could not read the models of broken (ServerFault), slow (ServerFault), hanging (TimedOut)")
      }))

    it.effect("reads a catalogue once for all who ask, and remembers it for five minutes", () =>
      Effect.gen(function*() {
        const { lists, service } = named("claude", Effect.delay(Effect.succeed(models("opus")), "1 second"))
        const router = Router.make({ claude: service })
        const all = yield* Effect.fork(
          Effect.all(Array.from({ length: 10 }, () => router.generateText(ask("opus"))), { concurrency: "unbounded" })
        )
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(all)
        yield* TestClock.adjust("299 seconds")
        yield* router.generateText(ask("opus"))
        assert.strictEqual(lists(), 1)
        yield* TestClock.adjust("1 second")
        // what it knew is answered at once, and looked up again in the background
        yield* router.generateText(ask("opus"))
        yield* TestClock.adjust("1 second")
        assert.strictEqual(lists(), 2)
      }))

    it.effect("does not lose the others' look at the catalogue when the first who asked goes away", () =>
      Effect.gen(function*() {
        const { lists, service } = named("claude", Effect.delay(Effect.succeed(models("opus")), "1 second"))
        const router = Router.make({ claude: service })
        const first = yield* Effect.fork(router.generateText(ask("opus")))
        yield* TestClock.adjust("500 millis")
        const second = yield* Effect.fork(router.generateText(ask("opus")))
        yield* TestClock.adjust(0)
        yield* Fiber.interrupt(first)
        yield* TestClock.adjust("500 millis")
        assert.strictEqual((yield* Fiber.join(second)).text, "claude: opus")
        assert.strictEqual(lists(), 1)
      }))

    it.effect("looks the catalogue up in nobody's name", () =>
      Effect.gen(function*() {
        const llm = yield* ScriptedLlm.make(models("opus"), ScriptedLlm.repeat("hello"))
        yield* Router.make({ llm }).generateText(ask("opus")).pipe(
          Policy.withDeadline("1 hour"),
          Policy.withTenant("acme"),
          Policy.withPriority("high")
        )
        const [list, call] = yield* llm.requests
        assert.deepInclude(list, { operation: "listModels", tenant: "", priority: "normal" })
        assert.deepInclude(call, { operation: "generateText", tenant: "acme", priority: "high" })
        assert.deepStrictEqual([list, call].map((asked) => Option.getOrNull(asked!.deadline)), [null, 3_600_000])
      }))

    it.effect("tries a catalogue again soon that could not be read, and keeps what it said before", () =>
      Effect.gen(function*() {
        let broken = true
        const { lists, service } = named("claude", Effect.suspend(() => broken ? fault("claude") : Effect.succeed(models("opus"))))
        const router = Router.make({ claude: service })
        const tag = Effect.match(router.generateText(ask("opus")), { onFailure: ({ _tag }) => _tag, onSuccess: ({ text }) => text })
        assert.strictEqual(yield* tag, "ModelNotFound")
        broken = false
        yield* TestClock.adjust("9 seconds")
        assert.deepStrictEqual([yield* tag, lists()], ["ModelNotFound", 1])
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual([yield* tag, lists()], ["claude: opus", 2])
        broken = true
        yield* TestClock.adjust("10 minutes")
        assert.strictEqual(yield* tag, "claude: opus")
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(yield* tag, "claude: opus")
      }))

    it.effect("finds a model that is new when its catalogue has been read again", () =>
      Effect.gen(function*() {
        let ids = ["opus"]
        const { service } = named("claude", Effect.sync(() => models(...ids)))
        const router = Router.make({ claude: service })
        yield* router.generateText(ask("opus"))
        ids = ["opus", "opus-next"]
        assert.strictEqual((yield* Effect.flip(router.generateText(ask("opus-next"))))._tag, "ModelNotFound")
        yield* TestClock.adjust("5 minutes")
        assert.strictEqual((yield* router.generateText(ask("opus-next"))).text, "claude: opus-next")
      }))

    it.effect("lists all models under their prefixes, without those of backends that cannot", () =>
      Effect.gen(function*() {
        const { lists, service } = named("claude", Effect.succeed([{ id: "opus", contextWindow: 200_000 }]))
        const router = Router.make({
          groq: named("groq", Effect.succeed(models("llama", "meta/x"))).service,
          broken: named("broken", fault("broken")).service,
          hanging: named("hanging", Effect.never).service,
          claude: service
        })
        const fiber = yield* Effect.fork(router.listModels)
        yield* TestClock.adjust("5 seconds")
        assert.deepStrictEqual(yield* Fiber.join(fiber), [
          { id: "groq/llama" },
          { id: "groq/meta/x" },
          { id: "claude/opus", contextWindow: 200_000 }
        ])
        // and has learned them
        yield* router.generateText(ask("opus"))
        assert.strictEqual(lists(), 1)
      }))

    it.effect("fails to list with the first error when nobody can", () =>
      Effect.gen(function*() {
        const router = Router.make({ a: named("a", fault("a")).service, b: named("b", fault("b")).service })
        assert.strictEqual((yield* Effect.flip(router.listModels)).message, "a is broken")
        assert.deepStrictEqual(yield* Router.make({}).listModels, [])
      }))

    it("can do what any of its backends can", () => {
      const router = Router.make({
        chat: LlmService.make("chat", { generateText: () => Effect.die("not asked") }),
        vectors: LlmService.make("vectors", { embed: () => Effect.die("not asked") })
      })
      assert.deepStrictEqual([...router.operations].sort(), ["embed", "generateText"])
      assert.strictEqual(router.backend, "router")
    })
  })

  describe("layer", () => {
    it.effect("builds each backend on its own, and lets go of them all", () =>
      Effect.gen(function*() {
        const log: Array<string> = []
        const Backend = Layer.scoped(
          LlmService.LlmService,
          Effect.gen(function*() {
            const n = log.push("built")
            yield* Effect.addFinalizer(() => Effect.sync(() => log.push("let go")))
            return named(`build ${n}`, Effect.succeed(models("m"))).service
          })
        )
        const texts = yield* Effect.all([
          LlmService.generateText(ask("a/m")),
          LlmService.generateText(ask("b/m"))
        ]).pipe(Effect.provide(Router.layer({ a: Backend, b: Backend })))
        assert.deepStrictEqual(texts.map(({ text }) => text), ["build 1: m", "build 2: m"])
        assert.deepStrictEqual(log, ["built", "built", "let go", "let go"])
      }))

    it.effect("asks for what the layers need, and fails as they do", () =>
      Effect.gen(function*() {
        class Name extends Context.Tag("Name")<Name, string>() {}
        const Needy = Layer.effect(
          LlmService.LlmService,
          Effect.map(Name, (name) => named(name, Effect.succeed(models("m"))).service)
        )
        const Failing = Layer.fail("no key" as const)
        const answer = LlmService.generateText(ask("needy/m")).pipe(
          Effect.provide(Router.layer({ needy: Needy })),
          Effect.provideService(Name, "from outside")
        )
        assert.strictEqual((yield* answer).text, "from outside: m")
        const exit = yield* Effect.exit(Layer.build(Router.layer({ needy: Needy, failing: Failing })).pipe(
          Effect.scoped,
          Effect.provideService(Name, "from outside")
        ))
        assert.deepStrictEqual(exit, Exit.fail("no key"))
      }))
  })

  describe("failover", () => {
    const failing = (name: string, error: LlmError.LlmError) => {
      let calls = 0
      const fail = Effect.suspend((): Effect.Effect<never, LlmError.LlmError> => {
        calls++
        return Effect.fail(error)
      })
      const service = LlmService.make(name, {
        generateText: () => fail,
        streamText: () => Stream.fromEffect(fail),
        listModels: fail
      })
      return { service, calls: () => calls }
    }

    it.effect("asks the next when another backend may help, and not when nobody can", () =>
      Effect.gen(function*() {
        const invalid = new LlmError.InvalidRequest({ backend: "a", message: "no" })
        for (
          const [error, expected] of [
            [fault("a"), "b: m"],
            [new LlmError.CircuitOpen({ backend: "a", message: "open" }), "b: m"],
            [new LlmError.ModelNotFound({ backend: "a", message: "unknown" }), "b: m"],
            [new LlmError.AuthenticationFailed({ backend: "a", message: "no key" }), "b: m"],
            [new LlmError.Unsupported({ backend: "a", feature: "tools", message: "no tools" }), "b: m"],
            [invalid, "InvalidRequest"],
            [new LlmError.ContentFiltered({ backend: "a", message: "no" }), "ContentFiltered"],
            [new LlmError.DeadlineExceeded({ backend: "a", phase: "attempt", message: "late" }), "DeadlineExceeded"]
          ] as const
        ) {
          const chain = Router.failover(failing("a", error).service, named("b", Effect.succeed([])).service)
          const seen = yield* Effect.match(chain.generateText(ask("m")), {
            onFailure: ({ _tag }) => _tag as string,
            onSuccess: ({ text }) => text
          })
          assert.strictEqual(seen, expected)
          const streamed = yield* Effect.match(Stream.runHead(chain.streamText(ask("m"))), {
            onFailure: ({ _tag }) => _tag as string,
            onSuccess: (part) => (Option.getOrThrow(part) as { text: string }).text
          })
          assert.strictEqual(streamed, expected)
        }
      }))

    it.effect("asks each once, in order, and no more of them than needed", () =>
      Effect.gen(function*() {
        const a = failing("a", fault("a"))
        const b = failing("b", fault("b"))
        const d = failing("d", fault("d"))
        const chain = Router.failover(a.service, b.service, named("c", Effect.succeed(models("m"))).service, d.service)
        assert.strictEqual((yield* chain.generateText(ask("m"))).text, "c: m")
        assert.deepStrictEqual(yield* chain.listModels, models("m"))
        assert.deepStrictEqual([a.calls(), b.calls(), d.calls()], [2, 2, 0])
      }))

    it.effect("fails with the last one's error", () =>
      Effect.gen(function*() {
        const chain = Router.failover(failing("a", fault("a")).service, failing("b", fault("b")).service)
        assert.strictEqual((yield* Effect.flip(chain.generateText(ask("m")))).message, "b is broken")
        assert.strictEqual((yield* Effect.flip(Stream.runDrain(chain.streamText(ask("m"))))).message, "b is broken")
      }))

    it.effect("passes over those who lack the operation, and says what is missing when all do", () =>
      Effect.gen(function*() {
        const limited = new LlmError.RateLimited({ backend: "a", message: "slow down" })
        const a = LlmService.make("a", { embed: () => limited, streamText: () => Stream.fail(limited) })
        const b = LlmService.make("b", { generateText: () => fault("b") })
        const chain = Router.failover(b, a, b)
        assert.strictEqual(yield* Effect.flip(chain.embed({ model: "m", input: [] })), limited)
        assert.strictEqual(yield* Effect.flip(Stream.runDrain(chain.streamText(ask("m")))), limited)
        assert.strictEqual((yield* Effect.flip(chain.generateText(ask("m")))).message, "b is broken")
        const none = yield* Effect.flip(chain.rerank({ model: "m", query: "", documents: [] }))
        assert.deepInclude(none, { _tag: "Unsupported", backend: "b", feature: "rerank" })
      }))

    it.effect("never begins a stream anew elsewhere", () =>
      Effect.gen(function*() {
        const half = named("a", Effect.succeed([]), {
          streamText: () => Stream.concat(Stream.make(text("half")), Stream.fail(fault("a")))
        })
        const b = named("b", Effect.succeed([]))
        const chain = Router.failover(half.service, b.service)
        const seen: Array<Completion.Part> = []
        const stream = Stream.runForEach(chain.streamText(ask("m")), (part) => Effect.sync(() => seen.push(part)))
        assert.strictEqual((yield* Effect.flip(stream)).message, "a is broken")
        assert.deepStrictEqual(seen, [text("half")])
        // and what one run has seen is not another's concern
        assert.strictEqual((yield* Effect.flip(stream)).message, "a is broken")
      }))

    it.effect("goes across vendors, each with its own model", () =>
      Effect.gen(function*() {
        const groq = yield* ScriptedLlm.named("groq", ScriptedLlm.repeat(fault("groq")))
        const claude = named("claude", Effect.succeed([])).service
        const chain = Router.failover(Router.withModel(groq, "llama"), Router.withModel("opus")(claude))
        assert.strictEqual((yield* chain.generateText(ask("whatever"))).text, "claude: opus")
        assert.strictEqual((yield* chain.embed({ model: "x", input: [] })).model, "claude: opus")
        assert.strictEqual((yield* chain.rerank({ model: "x", query: "", documents: [] })).model, "claude: opus")
        const parts = yield* Stream.runCollect(chain.streamText(ask("whatever")))
        assert.deepStrictEqual(Chunk.unsafeHead(parts), text("claude: opus"))
        const asked = (yield* groq.requests).map((asked) => "request" in asked && asked.request.model)
        assert.deepStrictEqual(asked, ["llama", "llama", "llama", "llama"])
      }))

    it.scoped("leaves a backend whose circuit is open without delay", () =>
      Effect.gen(function*() {
        const dead = yield* ScriptedLlm.named("dead", ScriptedLlm.repeat(fault("dead")))
        const policy = yield* Resilience.standard("dead", { retry: { maxRetries: 1, jitter: "none" }, breaker: { failures: 2 } })
        const chain = Router.failover(Resilience.protect(dead, policy), named("b", Effect.succeed([])).service)
        const first = yield* Effect.fork(chain.generateText(ask("m")))
        yield* TestClock.adjust("1 second")
        assert.strictEqual((yield* Fiber.join(first)).text, "b: m")
        assert.strictEqual((yield* chain.generateText(ask("m"))).text, "b: m")
        assert.lengthOf(yield* dead.requests, 2)
      }))
  })

  describe("withNames", () => {
    it.effect("asks for the models that a name stands for, one after the other, and for others as ever", () =>
      Effect.gen(function*() {
        const { service: sound } = named("sound", Effect.succeed(models("m")))
        const { service: broken } = named("broken", Effect.succeed(models("m")), {
          generateText: () => Effect.fail(fault("broken")),
          streamText: () => Stream.fail(fault("broken"))
        })
        const service = Router.withNames(Router.make({ broken, sound }), { fast: ["broken/m", "sound/m"] })
        assert.strictEqual((yield* service.generateText(ask("fast"))).text, "sound: m")
        assert.deepStrictEqual(Chunk.toArray(yield* Stream.runCollect(service.streamText(ask("fast")))), [text("sound: m"), finish])
        assert.strictEqual((yield* service.embed({ model: "fast", input: [] })).model, "broken: m")
        assert.strictEqual((yield* Effect.flip(service.generateText(ask("broken/m"))))._tag, "ServerFault")
        assert.deepStrictEqual(yield* service.listModels, models("fast", "broken/m", "sound/m"))
      }))

    it.effect("begins with each of those that have a weight as often as it says, and goes on with the others", () =>
      Effect.gen(function*() {
        const service = Router.withNames(
          Router.make({
            heavy: named("heavy", Effect.succeed([])).service,
            light: named("light", Effect.succeed([])).service,
            broken: named("broken", Effect.succeed([]), { generateText: () => Effect.fail(fault("broken")) }).service,
            spare: named("spare", Effect.succeed([])).service
          }),
          {
            even: [{ model: "heavy/m", weight: 3 }, "spare/m", { model: "light/m", weight: 1 }],
            safe: ["spare/m", { model: "broken/m", weight: 1 }]
          }
        )
        const answers = yield* Effect.replicateEffect(Effect.map(service.generateText(ask("even")), ({ text }) => text), 8)
        const round = ["heavy: m", "heavy: m", "light: m", "heavy: m"]
        assert.deepStrictEqual(answers, [...round, ...round])
        const streams = yield* Effect.replicateEffect(Stream.runHead(service.streamText(ask("even"))), 4)
        assert.deepStrictEqual(streams.map(Option.getOrThrow), round.map(text))
        assert.strictEqual((yield* service.generateText(ask("safe"))).text, "spare: m")
      }))
  })
})
