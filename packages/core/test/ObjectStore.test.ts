import { assert, describe, it } from "@effect/vitest"
import * as LlmError from "@spillway/core/LlmError"
import * as ObjectStore from "@spillway/core/ObjectStore"
import { Chunk, Effect, Exit, FastCheck as fc, Fiber, Stream, TestClock } from "effect"
import * as MemoryStore from "./memoryStore.js"

const at = { bucket: "models", key: "a" }
const bytes = (text: string) => new TextEncoder().encode(text)
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
const streamed = (...pieces: ReadonlyArray<string>) => Stream.fromIterable(pieces.map(bytes))
const fault = new LlmError.ServerFault({ backend: "memory", message: "broken" })
const interrupted = new LlmError.StreamInterrupted({ backend: "memory", message: "cut" })

describe("ObjectStore", () => {
  describe("put", () => {
    it.effect("sends what one part holds in one exchange, with all that is said of it", () =>
      Effect.gen(function*() {
        const { asked, store, text } = MemoryStore.make()
        const described = { ...at, contentType: "text/plain", metadata: { origin: "here" } }
        const info = yield* store.put({ ...described, body: "four", ifAbsent: true })
        assert.deepInclude(info, { ...described, size: 4 })
        const whole = { ...described, body: bytes("four"), ifAbsent: true }
        assert.deepStrictEqual(asked, [{ operation: "put", input: [whole] }])
        assert.strictEqual(text(at), "four")
        const conflict = yield* Effect.flip(store.put({ ...at, body: "more", ifAbsent: true }))
        assert.strictEqual(conflict._tag, "Conflict")
      }))

    it.effect("sends a stream that one part holds in one exchange, and an empty one too", () =>
      Effect.gen(function*() {
        const { operations, store, text } = MemoryStore.make()
        yield* store.put({ ...at, body: streamed("fo", "", "ur") })
        assert.strictEqual(text(at), "four")
        yield* store.put({ ...at, body: Stream.empty })
        assert.strictEqual(text(at), "")
        assert.deepStrictEqual(operations(), ["put", "put"])
      }))

    for (const [name, body] of Object.entries({
      "bytes": bytes("0123456789"),
      "a text": "0123456789",
      "a stream": streamed("012", "3456", "789")
    })) {
      it.effect(`sends ${name} of more than a part in parts`, () =>
        Effect.gen(function*() {
          const { operations, store, text, uploads } = MemoryStore.make({ parts: { concurrency: 1 } })
          const info = yield* store.put({ ...at, body })
          assert.deepInclude(info, { size: 10, key: "a" })
          assert.deepStrictEqual(operations(), ["begin", "sendPart", "sendPart", "sendPart", "complete"])
          assert.strictEqual(text(at), "0123456789")
          assert.strictEqual(uploads.size, 0)
        }))
    }

    it.effect("gives an upload up that failed, and fails as it failed", () =>
      Effect.gen(function*() {
        const { objects, operations, store, uploads } = MemoryStore.make({
          before: ({ input, operation }) =>
            operation === "sendPart" && input[1] === 2 ? Effect.fail(fault) : Effect.void
        })
        assert.strictEqual(yield* Effect.flip(store.put({ ...at, body: "0123456789" })), fault)
        assert.strictEqual(operations().at(-1), "abort")
        assert.strictEqual(uploads.size + objects.size, 0)
      }))

    it.effect("gives an upload up whose caller went away, and waits ten seconds for that at most", () =>
      Effect.gen(function*() {
        const { operations, store } = MemoryStore.make({
          before: ({ operation }) => operation === "complete" || operation === "abort" ? Effect.never : Effect.void
        })
        const fiber = yield* Effect.fork(store.put({ ...at, body: "0123456789" }))
        yield* TestClock.adjust(0)
        const leaving = yield* Effect.fork(Fiber.interrupt(fiber))
        yield* TestClock.adjust("10 seconds")
        assert.isTrue(Exit.isInterrupted(yield* Fiber.join(leaving)))
        assert.deepStrictEqual(operations().slice(-2), ["complete", "abort"])
      }))

    it.effect("stores nothing of a stream that is longer or shorter than was announced", () =>
      Effect.gen(function*() {
        const { objects, store, uploads } = MemoryStore.make()
        const sizes = [[3, "more bytes than the 3"], [5, "fewer bytes than the 5"], [11, "fewer"], [9, "more"]] as const
        for (const [size, said] of sizes) {
          const body = size < 6 ? streamed("01", "23") : streamed("012", "3456", "789")
          const error = yield* Effect.flip(store.put({ ...at, body, size }))
          assert.deepInclude(error, { _tag: "InvalidRequest", field: "size" })
          assert.include(error.message, said)
        }
        assert.strictEqual(objects.size + uploads.size, 0)
        yield* store.put({ ...at, body: streamed("0123"), size: 4 })
      }))

    it.effect("tells what the stream failed with", () =>
      Effect.gen(function*() {
        const { store } = MemoryStore.make()
        const broken = Stream.concat(streamed("0123456"), Stream.fail(new Error("disk on fire")))
        const error = yield* Effect.flip(store.put({ ...at, body: broken }))
        assert.deepInclude(error, { _tag: "InvalidRequest", field: "body" })
        assert.include(error.message, "disk on fire")
        assert.strictEqual(yield* Effect.flip(store.put({ ...at, body: Stream.fail(fault) })), fault)
      }))

    it.effect("refuses what would need more parts than there may be", () =>
      Effect.gen(function*() {
        const { store, uploads } = MemoryStore.make({ parts: { most: 2 } })
        const error = yield* Effect.flip(store.put({ ...at, body: streamed("0123", "4567", "8") }))
        assert.deepInclude(error, { _tag: "InvalidRequest", field: "body" })
        assert.strictEqual(uploads.size, 0)
        // a known size is cut so that it fits
        yield* store.put({ ...at, body: streamed("0123", "4567", "8"), size: 9 })
        yield* store.put({ ...at, body: "012345678" })
      }))

    it.effect("takes a completion whose answer was lost for what it is", () =>
      Effect.gen(function*() {
        let lost = false
        const memory = MemoryStore.make({
          before: ({ input, operation }) => {
            if (operation !== "complete" || lost) return Effect.void
            lost = true
            // the first try reaches the backend, and what is seen of it is that the upload is gone
            return Effect.ignore(memory.store.definition.exchanges.complete(input[0], input[1], false))
          }
        })
        const info = yield* memory.store.put({ ...at, body: "0123456789" })
        assert.strictEqual(info.size, 10)
        assert.strictEqual(memory.operations().at(-1), "head")
      }))
  })

  describe("resume", () => {
    // every cut leaves behind what parts had arrived, in whatever order they did
    it.effect.prop(
      "sends what is lacking, and nothing twice, wherever it was cut",
      { size: fc.integer({ min: 0, max: 40 }), there: fc.array(fc.integer({ min: 1, max: 12 })), growth: fc.boolean() },
      ({ growth, size, there }) =>
        Effect.gen(function*() {
          const body = Array.from({ length: size }, (_, index) => String.fromCharCode(97 + index % 26)).join("")
          const first = MemoryStore.make()
          const upload = yield* first.store.begin(at)
          const sent = [...new Set(there)].filter((number) => (number - 1) * 4 < size)
          for (const number of sent) {
            const piece = bytes(body.slice((number - 1) * 4, number * 4))
            yield* first.store.definition.exchanges.sendPart(upload, number, piece)
          }
          first.asked.length = 0
          const stored = first.store.definition
          // a program that has come to like other parts goes on with those that are there
          const parts = { ...stored.parts, bytes: growth && sent.length > 0 ? 3 : 4 }
          const whole = growth ? bytes(body) : streamed(...body.match(/.{1,3}/gs) ?? [])
          yield* ObjectStore.make({ ...stored, parts }).resume(upload, whole)
          assert.strictEqual(first.text(at), body)
          const again = first.asked.filter(({ operation }) => operation === "sendPart").map(({ input }) => input[1])
          const full = sent.filter((number) => number * 4 <= size)
          assert.deepStrictEqual(again.filter((number) => full.includes(number)), [])
        }),
      { fastCheck: { numRuns: 200 } }
    )

    it.effect("sends a part again whose content is another", () =>
      Effect.gen(function*() {
        const { asked, store, text } = MemoryStore.make()
        const upload = yield* store.begin(at)
        yield* store.definition.exchanges.sendPart(upload, 1, bytes("0123"))
        yield* store.definition.exchanges.sendPart(upload, 2, bytes("????"))
        asked.length = 0
        yield* store.resume(upload, "0123456789")
        assert.deepStrictEqual(
          asked.filter(({ operation }) => operation === "sendPart").map(({ input }) => input[1]),
          [2, 3]
        )
        assert.strictEqual(text(at), "0123456789")
      }))

    it.effect("keeps the upload when it fails, to be gone on with", () =>
      Effect.gen(function*() {
        let works = false
        const { store, text, uploads } = MemoryStore.make({
          before: ({ operation }) => operation === "complete" && !works ? Effect.fail(fault) : Effect.void
        })
        const upload = yield* store.begin(at)
        assert.strictEqual(yield* Effect.flip(store.resume(upload, "0123456789")), fault)
        assert.deepStrictEqual(Chunk.toReadonlyArray(yield* Stream.runCollect(store.uploads("models"))), [upload])
        works = true
        yield* store.resume(upload, "0123456789")
        assert.strictEqual(text(at), "0123456789")
        yield* store.abort(yield* store.begin(at))
        assert.strictEqual(uploads.size, 0)
      }))
  })

  describe("reading", () => {
    /** Content that breaks off after so many bytes, so many times. */
    const breaking = (after: number, times: number) => {
      let left = times
      return (some: Uint8Array) =>
        left-- > 0
          ? Stream.concat(Stream.make(some.slice(0, after)), Stream.fail(interrupted))
          : Stream.make(some.slice(0, 2), some.slice(2))
    }

    it.effect("goes on where the bytes broke off, for as long as each try brings some", () =>
      Effect.gen(function*() {
        const { asked, store } = MemoryStore.make({ content: breaking(3, 3) })
        yield* store.put({ ...at, body: "0123" })
        yield* store.put({ ...at, body: "0123456789" })
        assert.strictEqual(text(yield* store.read(at)), "0123456789")
        assert.deepStrictEqual(
          asked.filter(({ operation }) => operation === "get").map(({ input }) => input[1]),
          [undefined, { start: 3, end: 9 }, { start: 6, end: 9 }, { start: 9, end: 9 }]
        )
      }))

    for (const [range, expected] of [
      [{ start: 2, end: 7 }, "234567"],
      [{ start: 5 }, "56789"],
      [{ last: 4 }, "6789"]
    ] as const) {
      it.effect(`goes on within the part that was asked for: ${JSON.stringify(range)}`, () =>
        Effect.gen(function*() {
          const { store } = MemoryStore.make({ content: breaking(2, 1) })
          yield* store.put({ ...at, body: "0123456789" })
          assert.strictEqual(text(yield* store.read(at, range)), expected)
        }))
    }

    it.effect("fails as it broke off where no byte came, and where the object has become another", () =>
      Effect.gen(function*() {
        const stuck = MemoryStore.make({ content: breaking(0, 1) })
        yield* stuck.store.put({ ...at, body: "0123" })
        assert.strictEqual(yield* Effect.flip(stuck.store.read(at)), interrupted)

        const changing = MemoryStore.make({ content: breaking(3, 1) })
        yield* changing.store.put({ ...at, body: "0123456789" })
        const read = changing.store.stream(at).pipe(
          Stream.tap(() => changing.store.put({ ...at, body: "9876543210" })),
          Stream.runDrain
        )
        assert.strictEqual((yield* Effect.flip(read))._tag, "Conflict")
      }))
  })

  it.effect("lists every entry once, page after page, and only the pages that are read", () =>
    Effect.gen(function*() {
      const { operations, store } = MemoryStore.make()
      for (const key of ["a", "b", "c", "d", "e"]) yield* store.put({ bucket: "models", key, body: key })
      const keys = (entries: Chunk.Chunk<any>) => Chunk.toReadonlyArray(entries).map(({ info }) => info.key)
      const entries = yield* Stream.runCollect(store.list({ bucket: "models" }))
      assert.deepStrictEqual(keys(entries), ["a", "b", "c", "d", "e"])
      assert.strictEqual(operations().filter((operation) => operation === "list").length, 3)
      yield* Stream.runCollect(Stream.take(store.list({ bucket: "models" }), 2))
      assert.strictEqual(operations().filter((operation) => operation === "list").length, 4)
    }))

  describe("removeMany", () => {
    it.effect("removes any number of keys in batches of a thousand, and says of each what became of it", () =>
      Effect.gen(function*() {
        const keys = Array.from({ length: 2500 }, (_, index) => `key-${index % 2400}`)
        const { asked, store } = MemoryStore.make({
          before: (_, index) => index === 1 ? Effect.fail(fault) : Effect.void
        })
        const became = yield* store.removeMany("models", keys)
        assert.deepStrictEqual(became.map(({ key }) => key), keys)
        assert.deepStrictEqual(asked.map(({ input }) => input[1].length), [1000, 1000, 400])
        const second = (key: string) => Math.floor(Number(key.slice(4)) / 1000) === 1
        assert.isTrue(became.every(({ error, key }) => (error === fault) === second(key)))
      }))

    it.effect("fails when nothing came of the first batch", () =>
      Effect.gen(function*() {
        const { asked, store } = MemoryStore.make({ before: () => Effect.fail(fault) })
        assert.strictEqual(yield* Effect.flip(store.removeMany("models", Array.from({ length: 3000 }, String))), fault)
        assert.strictEqual(asked.length, 1)
        assert.deepStrictEqual(yield* store.removeMany("models", []), [])
      }))
  })

  describe("copy", () => {
    it.effect("copies in one exchange, or in parts what is too large for it", () =>
      Effect.gen(function*() {
        const { operations, store, text, uploads } = MemoryStore.make({ parts: { maxCopyBytes: 16 } })
        const to = { bucket: "models", key: "b" }
        yield* store.put({ ...at, body: "0123456789" })
        yield* store.copy(at, to)
        assert.strictEqual(text(to), "0123456789")
        const large = "0123456789".repeat(2)
        yield* store.put({ ...at, body: large })
        yield* store.copy(at, to)
        assert.strictEqual(text(to), large)
        assert.strictEqual(operations().filter((operation) => operation === "copyPart").length, 10)
        assert.strictEqual(uploads.size, 0)
        assert.strictEqual((yield* Effect.flip(store.copy({ ...at, key: "none" }, to)))._tag, "NotFound")
      }))
  })

  it.effect("is found by its tag", () =>
    Effect.gen(function*() {
      const { store } = MemoryStore.make()
      yield* Effect.gen(function*() {
        yield* ObjectStore.put({ ...at, body: "0123456789" })
        assert.strictEqual((yield* ObjectStore.head(at)).size, 10)
        assert.strictEqual(text(yield* ObjectStore.read(at, { last: 3 })), "789")
        const read = yield* Stream.runFold(ObjectStore.stream(at), "", (all, some) => all + text(some))
        assert.strictEqual(read, "0123456789")
        assert.strictEqual(yield* Stream.runCount(ObjectStore.list({ bucket: "models" })), 1)
        yield* ObjectStore.remove(at)
        assert.strictEqual((yield* Effect.flip(ObjectStore.head(at)))._tag, "NotFound")
      }).pipe(Effect.provideService(ObjectStore.ObjectStore, store))
    }))
})
