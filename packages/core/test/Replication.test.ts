import { assert, describe, it } from "@effect/vitest"
import * as LlmError from "@spillway/core/LlmError"
import * as ObjectStore from "@spillway/core/ObjectStore"
import * as Replication from "@spillway/core/Replication"
import { Chunk, Effect, FastCheck as fc, Redacted, Stream } from "effect"
import * as MemoryStore from "./memoryStore.js"

const at = { bucket: "models", key: "a" }
const fault = new LlmError.NetworkFailure({ backend: "memory", message: "no route" })
const denied = new LlmError.PermissionDenied({ backend: "memory", message: "not you" })

const make = (...before: ReadonlyArray<NonNullable<Parameters<typeof MemoryStore.make>[0]>["before"]>) => {
  const memories = Array.from({ length: 3 }, (_, index) => {
    const one = before[index]
    return MemoryStore.make(one === undefined ? {} : { before: one })
  }) as [MemoryStore.Memory, MemoryStore.Memory, MemoryStore.Memory]
  const store = Replication.make("replicated", [
    { name: "oslo", store: memories[0].store },
    { name: "rome", store: memories[1].store },
    { name: "bonn", store: memories[2].store }
  ])
  return { memories, store, texts: (key = "a") => memories.map((memory) => memory.text({ bucket: "models", key })) }
}

/** Fails while it is down. */
const down = (error: LlmError.LlmError = fault, when: (asked: MemoryStore.Asked) => boolean = () => true) =>
(asked: MemoryStore.Asked) => when(asked) ? Effect.fail(error) : Effect.void

const fine = () => Effect.void

describe("Replication", () => {
  it.effect("writes to all, in one part or in several", () =>
    Effect.gen(function*() {
      const { memories, store, texts } = make()
      yield* store.put({ ...at, body: "0123" })
      yield* store.put({ bucket: "models", key: "large", body: Stream.make(new TextEncoder().encode("0123456789")) })
      yield* store.copy(at, { bucket: "models", key: "b" })
      assert.deepStrictEqual(texts(), ["0123", "0123", "0123"])
      assert.deepStrictEqual(texts("large"), ["0123456789", "0123456789", "0123456789"])
      assert.deepStrictEqual(texts("b"), ["0123", "0123", "0123"])
      yield* store.remove(at)
      assert.deepStrictEqual(yield* store.removeMany("models", ["b", "large"]), [{ key: "b" }, { key: "large" }])
      assert.deepStrictEqual(memories.map(({ objects }) => objects.size), [0, 0, 0])
    }))

  it.effect("a write that reached some of them only names both, and may be made again", () =>
    Effect.gen(function*() {
      let works = false
      const { store, texts } = make(fine, (asked) => works ? Effect.void : down()(asked))
      const error = yield* Effect.flip(store.put({ ...at, body: "0123" }))
      assert.deepInclude(error, {
        _tag: "PartialFailure",
        backend: "replicated",
        message: "replicated: done with oslo, bonn; not with rome: no route",
        done: ["oslo", "bonn"],
        failed: [{ at: "rome", reason: "NetworkFailure", message: "no route" }]
      })
      assert.strictEqual(LlmError.retriability(error), "Retry")
      works = true
      yield* store.put({ ...at, body: "0123" })
      assert.deepStrictEqual(texts(), ["0123", "0123", "0123"])
    }))

  it.effect("a write that reached none fails as it failed with the first", () =>
    Effect.gen(function*() {
      const { store } = make(down(denied), down(), down())
      assert.strictEqual(yield* Effect.flip(store.put({ ...at, body: "0123" })), denied)
      assert.strictEqual(yield* Effect.flip(store.removeMany("models", ["a"])), denied)
    }))

  it.effect("an upload that not all could begin leaves nothing behind", () =>
    Effect.gen(function*() {
      const { memories, store } = make(fine, fine, down())
      assert.strictEqual((yield* Effect.flip(store.put({ ...at, body: "0123456789" })))._tag, "PartialFailure")
      assert.deepStrictEqual(memories.map(({ uploads }) => uploads.size), [0, 0, 0])
    }))

  it.effect("says of each key with whom it was not removed", () =>
    Effect.gen(function*() {
      const [easy, strict] = [MemoryStore.make().store, MemoryStore.make().store]
      const removeMany = (_: string, keys: ReadonlyArray<string>) =>
        Effect.succeed(keys.map((key) => key === "kept" ? { key, error: denied } : { key }))
      const refusing = ObjectStore.make({
        ...strict.definition,
        exchanges: { ...strict.definition.exchanges, removeMany }
      })
      const store = Replication.make("replicated", [{ name: "oslo", store: easy }, { name: "rome", store: refusing }])
      const [gone, kept] = yield* store.removeMany("models", ["gone", "kept"])
      assert.deepStrictEqual(gone, { key: "gone" })
      assert.deepInclude(kept!.error, { _tag: "PartialFailure", done: ["oslo"] })
    }))

  describe("reading", () => {
    it.effect("takes the first that has it", () =>
      Effect.gen(function*() {
        const { memories, store } = make(down())
        yield* memories[2].store.put({ ...at, body: "0123" })
        assert.strictEqual((yield* store.head(at)).size, 4)
        assert.strictEqual(new TextDecoder().decode(yield* store.read(at)), "0123")
        assert.deepStrictEqual(yield* store.listBuckets, [])
        const [listed] = yield* Stream.runCollect(store.list({ bucket: "models" }))
        assert.isUndefined(listed)
      }))

    it.effect("says that there is no such object only when all have said so", () =>
      Effect.gen(function*() {
        assert.strictEqual((yield* Effect.flip(make().store.head(at)))._tag, "NotFound")
        assert.strictEqual(yield* Effect.flip(make(fine, down()).store.head(at)), fault)
        assert.strictEqual(yield* Effect.flip(make(down(), fine, down(denied)).store.head(at)), fault)
      }))

    it.effect("does not ask the others what is wrong in itself", () =>
      Effect.gen(function*() {
        const invalid = new LlmError.InvalidRequest({ backend: "memory", message: "no such range" })
        const { memories, store } = make(down(invalid))
        assert.strictEqual(yield* Effect.flip(store.head(at)), invalid)
        assert.strictEqual(memories[1].asked.length, 0)
      }))

    it.effect("a listing stays with the one that began it", () =>
      Effect.gen(function*() {
        const { memories, store } = make(down())
        for (const memory of memories.slice(1)) {
          for (const key of ["a", "b", "c", "d", "e"]) yield* memory.store.put({ bucket: "models", key, body: key })
        }
        const entries = yield* Stream.runCollect(store.list({ bucket: "models" }))
        assert.strictEqual(Chunk.size(entries), 5)
        const lists = memories.map(({ operations }) => operations().filter((one) => one === "list").length)
        assert.deepStrictEqual(lists, [1, 3, 0])
      }))
  })

  it.effect.prop(
    "resumes an upload from what all of them have, whatever each of them lacks",
    { there: fc.array(fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 1, max: 5 }))) },
    ({ there }) =>
      Effect.gen(function*() {
        const body = "0123456789abcdefgh"
        const { memories, store, texts } = make()
        const upload = yield* store.begin(at)
        const own = memories.map(({ uploads }) => [...uploads.values()][0]!.at)
        const has = memories.map(() => new Set<number>())
        for (const [index, number] of there) {
          has[index]!.add(number)
          const piece = new TextEncoder().encode(body.slice((number - 1) * 4, number * 4))
          yield* memories[index]!.store.definition.exchanges.sendPart(own[index]!, number, piece)
        }
        memories.forEach(({ asked }) => asked.length = 0)
        yield* store.resume(upload, body)
        assert.deepStrictEqual(texts(), [body, body, body])
        const common = [1, 2, 3, 4, 5].filter((number) => has.every((one) => one.has(number)))
        for (const { asked } of memories) {
          const again = asked.filter(({ operation }) => operation === "sendPart").map(({ input }) => input[1])
          assert.deepStrictEqual(again.filter((number) => common.includes(number)), [])
        }
      }),
    { fastCheck: { numRuns: 50 } }
  )

  it.effect("uploads of one of them can be found and aborted, and are none of all", () =>
    Effect.gen(function*() {
      const { memories, store } = make()
      yield* memories[0].store.begin(at)
      yield* memories[2].store.begin(at)
      const uploads = Chunk.toReadonlyArray(yield* Stream.runCollect(store.uploads("models")))
      assert.strictEqual(uploads.length, 2)
      const partial = yield* Effect.flip(store.resume(uploads[0]!, "0123"))
      assert.deepInclude(partial, { _tag: "PartialFailure", done: ["oslo"] })
      for (const upload of uploads) yield* store.abort(upload)
      assert.deepStrictEqual(memories.map(({ uploads }) => uploads.size), [0, 0, 0])
      assert.strictEqual((yield* Effect.flip(store.resume({ ...at, id: "made up" }, "x")))._tag, "NotFound")
    }))

  it.effect("an address to read at leads to the first, and there is none to write at", () =>
    Effect.gen(function*() {
      const { store } = make()
      assert.strictEqual(Redacted.value(yield* store.presign("GET", at)), "GET models/a")
      assert.strictEqual((yield* Effect.flip(store.presign("PUT", at)))._tag, "Unsupported")
    }))

  it.effect("is for buckets what it is for objects", () =>
    Effect.gen(function*() {
      const { memories, store } = make()
      yield* store.createBucket("x")
      yield* store.deleteBucket("x")
      assert.deepStrictEqual(memories.map(({ operations }) => operations()), Array.from({ length: 3 }, () => [
        "createBucket",
        "deleteBucket"
      ]))
    }))
})
