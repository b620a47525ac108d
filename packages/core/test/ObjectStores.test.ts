import { assert, describe, it } from "@effect/vitest"
import * as LlmError from "@spillway/core/LlmError"
import * as Monitor from "@spillway/core/Monitor"
import * as ObjectStore from "@spillway/core/ObjectStore"
import * as ObjectStores from "@spillway/core/ObjectStores"
import * as Policy from "@spillway/core/Policy"
import * as Resilience from "@spillway/core/Resilience"
import { Chunk, Duration, Effect, Either, Exit, Fiber, Layer, Option, Scope, Stream, TestClock } from "effect"
import * as MemoryStore from "./memoryStore.js"

const at = { bucket: "models", key: "a" }
const fault = new LlmError.ServerFault({ backend: "memory", message: "broken" })
const interrupted = new LlmError.StreamInterrupted({ backend: "memory", message: "cut" })
const digits = new TextEncoder().encode("0123456789")
const piecewise = (bytes: Uint8Array) =>
  Stream.rechunk(Stream.fromIterable(Array.from(bytes, (byte) => Uint8Array.of(byte))), 1)

let names = 0

/** A store in memory within the standard policies, with what the monitor says of it. */
const make = (options: Resilience.Options = {}, of: Parameters<typeof MemoryStore.make>[0] = {}) =>
  Effect.gen(function*() {
    const backend = `stores-${++names}`
    const memory = MemoryStore.make({ backend, ...of })
    const policy = yield* Resilience.standard(backend, {
      ...options,
      retry: options.retry === false ? false : { jitter: "none", ...options.retry }
    })
    return {
      ...memory,
      plain: memory.store,
      store: ObjectStores.protect(memory.store, policy),
      monitor: Effect.map(Monitor.snapshot, ({ backends }) => backends.find((one) => one.backend === backend)!)
    }
  })

const play = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.fork(Effect.either(effect))
    yield* TestClock.adjust("10 minutes")
    return yield* Fiber.join(fiber)
  })

describe("ObjectStores", () => {
  it.scoped("each exchange is a call of its own, so that one part is tried again and not the upload", () =>
    Effect.gen(function*() {
      let failures = 2
      const { asked, monitor, store, text } = yield* make({}, {
        before: ({ input, operation }) =>
          operation === "sendPart" && input[1] === 2 && failures-- > 0 ? Effect.fail(fault) : Effect.void
      })
      assert.isTrue(Either.isRight(yield* play(store.put({ ...at, body: digits }))))
      assert.strictEqual(text(at), "0123456789")
      assert.deepStrictEqual(
        asked.filter(({ operation }) => operation === "sendPart").map(({ input }) => input[1]).toSorted(),
        [1, 2, 2, 2, 3]
      )
      assert.deepInclude((yield* monitor).calls, { started: 5, succeeded: 5, retries: { ServerFault: 2 } })
    }))

  it.scoped("names each exchange to the policy, and says how urgent and for whom it is", () =>
    Effect.gen(function*() {
      const calls: Array<Policy.Call> = []
      const policy: Policy.Policy = (next) => (call) => {
        calls.push(call)
        return next(call)
      }
      const { store } = MemoryStore.make()
      const protect = ObjectStores.protect(policy)(store)
      const everything = Effect.gen(function*() {
        yield* protect.put({ ...at, body: "0123" })
        yield* protect.read(at)
        yield* protect.head(at)
        yield* Stream.runDrain(protect.list({ bucket: "models" }))
        yield* protect.copy(at, { ...at, key: "b" })
        yield* protect.remove(at)
        yield* protect.removeMany("models", ["b"])
        yield* protect.resume(yield* protect.begin(at), "0123")
        yield* protect.abort(yield* protect.begin(at))
        yield* Stream.runDrain(protect.uploads("models"))
        yield* protect.createBucket("x")
        yield* protect.deleteBucket("x")
        yield* protect.listBuckets
        yield* protect.definition.exchanges.copyPart(yield* protect.begin(at), 1, at, { start: 0, end: 1 })
      })
      yield* everything.pipe(Policy.withPriority("high"), Policy.withTenant("ada"), Policy.withDeadline("1 minute"))
      assert.deepStrictEqual([...new Set(calls.map(({ operation }) => operation))].toSorted(), [
        "abort",
        "begin",
        "complete",
        "copy",
        "copyPart",
        "createBucket",
        "deleteBucket",
        "get",
        "head",
        "list",
        "listBuckets",
        "listParts",
        "put",
        "remove",
        "removeMany",
        "sendPart",
        "uploads"
      ])
      for (const { deadline, ...call } of calls) {
        assert.deepInclude(call, { backend: "memory", model: "", priority: 0, tenant: "ada" })
        assert.strictEqual(Option.getOrUndefined(deadline), 60_000)
      }
    }))

  describe("content", () => {
    it.scoped("holds its place until its last byte is read", () =>
      Effect.gen(function*() {
        const options = { queue: { concurrency: 1 }, timeout: false } as const
        const { monitor, plain, store } = yield* make(options, { content: piecewise })
        yield* plain.put({ ...at, body: "012" })
        const inFlight = Effect.map(monitor, ({ queue }) => queue!.inFlight)
        const scope = yield* Scope.make()
        const content = yield* Scope.extend(store.get(at), scope)
        assert.strictEqual(yield* inFlight, 1)
        const pull = yield* Stream.toPull(content.bytes)
        const next = yield* Effect.fork(store.head(at))
        yield* TestClock.adjust(0)
        for (let i = 0; i < 3; i++) {
          assert.strictEqual(Chunk.size(yield* pull), 1)
          assert.isNull(yield* Fiber.poll(next).pipe(Effect.map(Option.getOrNull)))
        }
        assert.isTrue(Option.isNone(yield* Effect.flip(pull)))
        assert.strictEqual((yield* Fiber.join(next)).size, 3)
        assert.strictEqual(yield* inFlight, 0)
        yield* Scope.close(scope, Exit.void)
        assert.deepInclude((yield* monitor).calls, { started: 2, succeeded: 2, interrupted: 0 })
      }))

    it.scoped("gives its place back when its reader leaves, or never reads at all", () =>
      Effect.gen(function*() {
        const { monitor, plain, store } = yield* make({ timeout: false }, { content: piecewise })
        yield* plain.put({ ...at, body: digits })
        yield* Effect.scoped(store.get(at))
        yield* Stream.runDrain(Stream.take(store.stream(at), 2))
        const { calls, queue } = yield* monitor
        assert.strictEqual(queue!.inFlight, 0)
        assert.deepInclude(calls, { started: 2, succeeded: 0, interrupted: 2 })
      }))

    it.scoped("is tried again until its first byte is there; what breaks off later is the reader's", () =>
      Effect.gen(function*() {
        let breaks = [0, 0, 3]
        const { asked, monitor, plain, store } = yield* make({ breaker: false }, {
          content: (bytes) => {
            const after = breaks.shift()
            return after === undefined
              ? Stream.make(bytes)
              : Stream.concat(piecewise(bytes.slice(0, after)), Stream.fail(interrupted))
          }
        })
        yield* plain.put({ ...at, body: digits })
        asked.length = 0
        const opened = Effect.scoped(Effect.flatMap(store.get(at), ({ bytes }) => Stream.runDrain(bytes)))
        assert.deepStrictEqual(yield* play(opened), Either.left(interrupted))
        assert.strictEqual(asked.length, 3)
        assert.deepInclude((yield* monitor).calls, { started: 1, failed: { StreamInterrupted: 1 } })
        breaks = [4, 0]
        assert.deepStrictEqual(yield* play(store.read(at)), Either.right(digits))
      }))

    it.scoped("of an empty object has answered when that is known", () =>
      Effect.gen(function*() {
        const { monitor, plain, store } = yield* make()
        yield* plain.put({ ...at, body: "" })
        assert.strictEqual((yield* store.read(at)).length, 0)
        assert.deepInclude((yield* monitor).calls, { succeeded: 1 })
      }))

    it.scoped("that falls silent is cut off, and gone on with by whoever reads it all", () =>
      Effect.gen(function*() {
        let silences = 1
        const { monitor, plain, store } = yield* make({ timeout: { idle: "5 seconds" } }, {
          content: (bytes) =>
            silences-- > 0 ? Stream.concat(Stream.make(bytes.slice(0, 4)), Stream.never) : Stream.make(bytes)
        })
        yield* plain.put({ ...at, body: digits })
        assert.deepStrictEqual(yield* play(store.read(at)), Either.right(digits))
        assert.deepInclude((yield* monitor).calls, { started: 2, succeeded: 1, failed: { TimedOut: 1 } })
      }))

    it.scoped("must have ended by its deadline", () =>
      Effect.gen(function*() {
        const { plain, store } = yield* make({ timeout: { idle: Duration.infinity } }, {
          content: (bytes) => Stream.concat(Stream.make(bytes.slice(0, 4)), Stream.never)
        })
        yield* plain.put({ ...at, body: digits })
        const outcome = yield* play(Policy.withDeadline(store.read(at), "3 seconds"))
        assert.deepInclude(outcome._tag === "Left" ? outcome.left : {}, { _tag: "DeadlineExceeded", phase: "stream" })
      }))
  })

  it.effect("is a layer around a layer, with a circuit of its own", () =>
    Effect.gen(function*() {
      const { store } = MemoryStore.make({ backend: "layered", before: () => Effect.fail(fault) })
      const Live = Layer.succeed(ObjectStore.ObjectStore, store).pipe(
        ObjectStores.layer({ retry: false, breaker: { failures: 2 } })
      )
      const tag = Effect.map(Effect.flip(ObjectStore.head(at)), ({ _tag }) => _tag)
      const tags = yield* Effect.provide(Effect.replicateEffect(tag, 3), Live)
      assert.deepStrictEqual(tags, ["ServerFault", "ServerFault", "CircuitOpen"])
    }))
})
