/** The backend and the simulator, which checks every signature and is held to Amazon's own client. */
import * as HttpClient from "@effect/platform/HttpClient"
import { assert, describe, it } from "@effect/vitest"
import type * as LlmError from "@spillway/core/LlmError"
import * as Monitor from "@spillway/core/Monitor"
import type * as Objects from "@spillway/core/Objects"
import type * as ObjectStore from "@spillway/core/ObjectStore"
import * as ObjectStores from "@spillway/core/ObjectStores"
import * as Resilience from "@spillway/core/Resilience"
import * as S3 from "@spillway/providers/S3"
import * as Simulator from "@spillway/testing/Simulator"
import { Chunk, Clock, Effect, FastCheck as fc, Fiber, Redacted, Stream, TestClock } from "effect"

const MiB = 1024 * 1024
const bucket = "spillway"
const at = { bucket, key: "a" }
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
const keysOf = (entries: Stream.Stream<Objects.Entry, LlmError.LlmError>) =>
  Effect.map(Stream.runCollect(entries), (all) =>
    Chunk.toReadonlyArray(all).map((one) => one._tag === "Object" ? one.info.key : `${one.prefix} …`))

const endpoint = (number = 1, host = "simulator"): S3.Endpoint => ({
  url: `http://${host}/s3`,
  accessKeyId: `sim-key-${number}`,
  secretAccessKey: Redacted.make(`sim-key-${number}-secret`)
})

const on = <A, E>(
  use: (store: ObjectStore.Service, simulator: Simulator.Service, s3: S3.S3) => Effect.Effect<A, E>,
  options: Partial<S3.Options> = {}
) =>
  Effect.scoped(Effect.gen(function*() {
    const simulator = yield* Simulator.make({ models: ["some-model"] })
    const s3 = yield* S3.make({ endpoints: [endpoint()], ...options }).pipe(
      Effect.provideService(HttpClient.HttpClient, simulator.client)
    )
    yield* s3.store.createBucket(bucket)
    return yield* use(s3.store, simulator, s3)
  }))

const asked = (simulator: Simulator.Service) =>
  Effect.map(simulator.requests, (requests) => requests.map(({ method, url }) => `${method} ${url}`))

describe("S3 and the simulator", () => {
  it.effect("store, describe, read and remove objects by any key", () =>
    on((store) =>
      Effect.gen(function*() {
        const keys = ["plain", "a b", "a+b%20c%", "q?#&=", "'\"<>&;:,@$*()!~", "a//b", "end/", "é ß 漢 😀", "..x"]
        for (const key of keys) {
          const metadata = { origin: "here and  there" }
          const put = yield* store.put({ bucket, key, body: `content of ${key}`, contentType: "text/plain", metadata })
          const info = yield* store.head({ bucket, key })
          const { etag = "", size } = put
          assert.deepInclude(info, { bucket, key, size, etag, contentType: "text/plain", metadata })
          assert.strictEqual(text(yield* store.read({ bucket, key })), `content of ${key}`)
        }
        assert.sameMembers([...yield* keysOf(store.list({ bucket, pageSize: 3 }))], keys)
        const all = ["never", "un\u0001speakable", ...keys]
        assert.deepStrictEqual(
          (yield* store.removeMany(bucket, all)).map(({ error, key }) => [key, error]),
          all.map((key) => [key, undefined])
        )
        assert.deepStrictEqual(yield* keysOf(store.list({ bucket })), [])
        yield* store.deleteBucket(bucket)
        assert.deepStrictEqual(yield* store.listBuckets, ["models"])
      })
    ))

  it.effect.prop(
    "list every key once, whatever the keys and the pages",
    {
      keys: fc.uniqueArray(fc.stringMatching(/^[ab/ é+😀]{1,6}$/u), { maxLength: 12 }),
      pageSize: fc.integer({ min: 1, max: 5 }),
      prefix: fc.constantFrom("", "a", "a/", "é")
    },
    ({ keys, pageSize, prefix }) =>
      on((store) =>
        Effect.gen(function*() {
          for (const key of keys) yield* store.put({ bucket, key, body: "" })
          const listed = yield* keysOf(store.list({ bucket, pageSize, prefix }))
          const wanted = keys.filter((key) => key.startsWith(prefix))
          assert.deepStrictEqual([...listed].toSorted(), wanted.toSorted())
          const after = listed[Math.floor(listed.length / 2)]
          if (after !== undefined) {
            const rest = yield* keysOf(store.list({ bucket, pageSize, prefix, after }))
            assert.deepStrictEqual(rest, listed.slice(listed.indexOf(after) + 1))
          }
          const told = new Set(wanted.map((key) => {
            const end = key.indexOf("/", prefix.length)
            return end < 0 ? key : `${key.slice(0, end + 1)} …`
          }))
          const deep = yield* keysOf(store.list({ bucket, pageSize, prefix, delimiter: "/" }))
          assert.deepStrictEqual([...deep].toSorted(), [...told].toSorted())
        })
      ),
    { fastCheck: { numRuns: 60 } }
  )

  it.effect("read parts of objects, and say when there is no such part", () =>
    on((store) =>
      Effect.gen(function*() {
        yield* store.put({ ...at, body: "0123456789" })
        assert.strictEqual(text(yield* store.read(at, { start: 2, end: 4 })), "234")
        assert.strictEqual(text(yield* store.read(at, { start: 7 })), "789")
        assert.strictEqual(text(yield* store.read(at, { last: 2 })), "89")
        const { info, length } = yield* Effect.scoped(store.get(at, { start: 2, end: 4 }))
        assert.deepStrictEqual([info.size, length], [10, 3])
        const none = yield* Effect.flip(store.read(at, { start: 10 }))
        assert.deepInclude(none, { _tag: "InvalidRequest", code: "InvalidRange" })
      })
    ))

  it.effect("copy, within a bucket and to another", () =>
    on((store) =>
      Effect.gen(function*() {
        yield* store.createBucket("other")
        yield* store.put({ ...at, key: "é +/%", body: "content", metadata: { a: "b" } })
        const info = yield* store.copy({ ...at, key: "é +/%" }, { bucket: "other", key: "x y" })
        assert.deepInclude(info, { bucket: "other", key: "x y", size: 7, metadata: { a: "b" } })
      })
    ))

  it.effect("store only what is not there yet", () =>
    on((store) =>
      Effect.gen(function*() {
        yield* store.put({ ...at, body: "first", ifAbsent: true })
        const error = yield* Effect.flip(store.put({ ...at, body: "second", ifAbsent: true }))
        assert.deepInclude(error, { _tag: "Conflict", status: 412, code: "PreconditionFailed" })
        const large = yield* Effect.flip(store.put({ ...at, body: new Uint8Array(9 * MiB), ifAbsent: true }))
        assert.strictEqual(large._tag, "Conflict")
        assert.deepStrictEqual(yield* Stream.runCollect(store.uploads(bucket)), Chunk.empty())
        assert.strictEqual(text(yield* store.read(at)), "first")
      })
    ))

  describe("uploads in parts", () => {
    const body = new Uint8Array(11 * MiB).map((_, index) => (index * 31) >> 3)

    it.effect("go on wherever they were cut", () =>
      on((store, simulator, { store: { definition: { exchanges } } }) =>
        Effect.gen(function*() {
          const part = (number: number) => body.subarray((number - 1) * 5 * MiB, number * 5 * MiB)
          for (const there of [[], [1], [2], [3], [1, 2], [1, 3], [2, 3], [1, 2, 3]]) {
            const upload = yield* store.begin(at)
            for (const number of there) yield* exchanges.sendPart(upload, number, part(number))
            const before = yield* simulator.total
            const info = yield* store.resume(upload, body)
            const sent = (yield* asked(simulator)).slice(before).filter((one) => one.startsWith("PUT"))
            assert.strictEqual(sent.length, 3 - there.length, `with ${there.join()} there`)
            assert.deepInclude(yield* store.head(at), { size: body.length, etag: info.etag! })
          }
          assert.isTrue(Buffer.from(body).equals(yield* store.read(at)))
        }), { partBytes: 5 * MiB, signContent: false }
      ))

    it.effect("are found and aborted", () =>
      on((store) =>
        Effect.gen(function*() {
          const first = yield* store.begin({ bucket, key: "a b" })
          const second = yield* store.begin({ bucket, key: "é" })
          const found = yield* Stream.runCollect(store.uploads(bucket))
          assert.deepStrictEqual(Chunk.toReadonlyArray(found), [first, second])
          yield* store.abort(first)
          yield* store.abort(first)
          const left = yield* Stream.runCollect(store.uploads(bucket, "é"))
          assert.deepStrictEqual(Chunk.toReadonlyArray(left), [second])
          assert.deepInclude(yield* Effect.flip(store.resume(first, "x")), { _tag: "NotFound", code: "NoSuchUpload" })
        })
      ))

    it.effect("are completed though the answer to it was lost, and copied though it came as a 200 that failed", () =>
      on((store, simulator) =>
        Effect.gen(function*() {
          const policy = yield* Resilience.standard("s3", { retry: { jitter: "none" } })
          const protect = ObjectStores.protect(store, policy)
          const none = "none" as const
          yield* simulator.inject(none, none, none, "streamError", none, none)
          const fiber = yield* Effect.fork(protect.put({ ...at, body }))
          yield* TestClock.adjust("1 minute")
          assert.strictEqual((yield* Fiber.join(fiber)).size, body.length)
          yield* simulator.inject("streamError", "streamCut")
          const copied = yield* Effect.fork(protect.copy(at, { bucket, key: "b" }))
          yield* TestClock.adjust("1 minute")
          const error = yield* Effect.flip(Fiber.join(copied))
          assert.strictEqual(error._tag, "MalformedResponse")
          assert.strictEqual((yield* store.copy(at, { bucket, key: "b" })).size, body.length)
        }).pipe(Effect.scoped), { partBytes: 6 * MiB }
      ))
  })

  describe("addresses to read and write at", () => {
    it.effect("are good for whoever has them, for as long as was said", () =>
      on((store, simulator) =>
        Effect.gen(function*() {
          const fetched = (method: "GET" | "PUT" | "DELETE", url: Redacted.Redacted) =>
            Effect.flatMap(
              simulator.client[method === "GET" ? "get" : method === "PUT" ? "put" : "del"](Redacted.value(url)),
              (response) => Effect.map(response.text, (text) => [response.status, text] as const)
            )
          const there = { bucket, key: "shared é+ file" }
          assert.strictEqual((yield* fetched("PUT", yield* store.presign("PUT", there)))[0], 200)
          yield* store.put({ ...there, body: "content" })
          const address = yield* store.presign("GET", there, "10 minutes")
          assert.deepStrictEqual(yield* fetched("GET", address), [200, "content"])
          assert.strictEqual((yield* fetched("DELETE", address))[0], 403)
          const forged = Redacted.make(Redacted.value(address).replace("Expires=600", "Expires=601"))
          assert.include((yield* fetched("GET", forged))[1], "SignatureDoesNotMatch")
          yield* TestClock.adjust("11 minutes")
          assert.include((yield* fetched("GET", address))[1], "Request has expired")
        })
      ))

    it.effect("are valid for one second to seven days", () =>
      on((store) =>
        Effect.gen(function*() {
          for (const validFor of ["999 millis", 604_801_000, "8 days", -1] as const) {
            const error = yield* Effect.flip(store.presign("GET", at, validFor))
            assert.deepInclude(error, { _tag: "InvalidRequest", field: "validFor" })
          }
          assert.include(Redacted.value(yield* store.presign("GET", at, "7 days")), "X-Amz-Expires=604800&")
          assert.include(Redacted.value(yield* store.presign("GET", at)), "X-Amz-Expires=3600&")
          const wrong = yield* Effect.flip(store.presign("GET", { bucket, key: "a/../b" }))
          assert.deepInclude(wrong, { _tag: "InvalidRequest", field: "key" })
        })
      ))
  })

  describe("clocks and regions", () => {
    const late = (millis: number) =>
      Effect.map(Effect.clock, (clock): Clock.Clock => ({
        ...clock,
        [Clock.ClockTypeId]: Clock.ClockTypeId,
        unsafeCurrentTimeMillis: () => clock.unsafeCurrentTimeMillis() - millis,
        currentTimeMillis: Effect.map(clock.currentTimeMillis, (now) => now - millis),
        sleep: (duration) => clock.sleep(duration)
      }))

    it.effect("that differ are set by the server's word, once, and stay so", () =>
      Effect.gen(function*() {
        yield* TestClock.setTime(Date.UTC(2026, 10, 24))
        const clock = yield* Effect.clock
        const slow = yield* late(3_600_000)
        yield* on((store, simulator) =>
          Effect.gen(function*() {
            // the simulator answers by its own clock, whoever asks
            const server: HttpClient.HttpClient = simulator.client
            const s3 = yield* S3.make({ endpoints: [endpoint()] }).pipe(
              Effect.provideService(
                HttpClient.HttpClient,
                HttpClient.make((request) => Effect.withClock(server.execute(request), clock))
              )
            )
            const before = yield* simulator.total
            yield* Effect.withClock(s3.store.put({ ...at, body: "x" }), slow)
            assert.strictEqual((yield* simulator.total) - before, 2)
            yield* Effect.withClock(s3.store.head(at), slow)
            assert.strictEqual((yield* simulator.total) - before, 3)
            const address = yield* Effect.withClock(s3.store.presign("GET", at), slow)
            assert.include(Redacted.value(address), "X-Amz-Date=20261124T000000Z")
            yield* store.remove(at)
          }).pipe(Effect.scoped)
        )
      }))

    it.effect("where a HEAD is refused without a word, the time is looked at too", () =>
      Effect.gen(function*() {
        yield* TestClock.setTime(Date.UTC(2026, 10, 24))
        const clock = yield* Effect.clock
        const slow = yield* late(3_600_000)
        yield* on((store, simulator) =>
          Effect.gen(function*() {
            yield* store.put({ ...at, body: "x" })
            const s3 = yield* S3.make({ endpoints: [endpoint()] }).pipe(
              Effect.provideService(
                HttpClient.HttpClient,
                HttpClient.make((request) => Effect.withClock(simulator.client.execute(request), clock))
              )
            )
            assert.strictEqual((yield* Effect.withClock(s3.store.head(at), slow)).size, 1)
          }).pipe(Effect.scoped)
        )
      }))

    it.effect("a bucket that is in another region is asked there, and it is remembered", () =>
      on((store, simulator) =>
        Effect.gen(function*() {
          yield* store.put({ ...at, body: "x" })
          const before = yield* simulator.total
          const s3 = yield* S3.make({ endpoints: [{ ...endpoint(), region: "eu-west-1" }] }).pipe(
            Effect.provideService(HttpClient.HttpClient, simulator.client)
          )
          assert.strictEqual(text(yield* s3.store.read(at)), "x")
          yield* s3.store.head(at)
          assert.strictEqual((yield* simulator.total) - before, 3)
        }).pipe(Effect.scoped)
      ))
  })

  const faults: { readonly [F in Simulator.Fault]?: LlmError.Tag } = {
    connectionReset: "NetworkFailure",
    serverError: "ServerFault",
    overloaded: "ServerFault",
    rateLimited: "RateLimited"
  }

  for (const [fault, tag] of Object.entries(faults)) {
    it.effect(`fail with ${tag} for ${fault}`, () =>
      on((store, simulator) =>
        Effect.gen(function*() {
          yield* store.put({ ...at, body: "content" })
          const calls = [
            store.put({ ...at, body: "x" }),
            store.read(at),
            store.head(at),
            Stream.runDrain(store.list({ bucket })),
            store.remove(at)
          ]
          for (const call of calls) {
            yield* simulator.inject(fault as Simulator.Fault) // a key of the table above
            const error = yield* Effect.flip(call)
            // a HEAD says nothing but its status
            assert.include([tag, "ServerFault"], error._tag)
            yield* TestClock.adjust("10 seconds")
          }
        })
      ))
  }

  it.effect("fail with MalformedResponse for what is no document, and does not take its beginning for all of it", () =>
    on((store, simulator) =>
      Effect.gen(function*() {
        yield* store.put({ ...at, body: "content" })
        yield* simulator.inject("malformed")
        assert.strictEqual((yield* Effect.flip(Stream.runDrain(store.list({ bucket }))))._tag, "MalformedResponse")
        yield* simulator.inject("streamCut")
        assert.strictEqual((yield* Effect.flip(store.removeMany(bucket, ["a"])))._tag, "MalformedResponse")
        yield* simulator.inject("streamError")
        assert.deepInclude(yield* Effect.flip(store.removeMany(bucket, ["a"])), {
          _tag: "ServerFault",
          status: 200,
          code: "InternalError"
        })
      })
    ))

  for (const fault of ["streamCut", "streamReset"] as const) {
    it.effect(`${fault}: an object that breaks off is told, and gone on with by whoever reads it all`, () =>
      on((store, simulator) =>
        Effect.gen(function*() {
          yield* store.put({ ...at, body: "0123456789" })
          yield* simulator.inject(fault)
          const opened = Effect.scoped(Effect.flatMap(store.get(at), ({ bytes }) => Stream.runDrain(bytes)))
          assert.strictEqual((yield* Effect.flip(opened))._tag, "StreamInterrupted")
          yield* simulator.inject(fault, fault)
          assert.strictEqual(text(yield* store.read(at)), "0123456789")
        })
      ))
  }

  describe("several endpoints", () => {
    const keyStates = Effect.map(Monitor.snapshot, ({ backends }) => {
      const { keys = [] } = backends.find(({ backend }) => backend === "s3")!
      return keys.map(({ id, requests, state }) => `${id} ${state} ${requests}`)
    })

    it.effect("are used in turns, and each signs as itself", () =>
      on((store, simulator) =>
        Effect.gen(function*() {
          yield* simulator.reset
          yield* store.createBucket(bucket)
          for (let i = 0; i < 3; i++) yield* store.put({ ...at, body: "x" })
          const keys = (yield* simulator.stats).map(({ key, requests }) => `${key} ${requests}`)
          assert.deepStrictEqual(keys, ["sim-key-1 2", "sim-key-2 2"])
        }), { endpoints: [endpoint(1), endpoint(2)], strategy: "round-robin" }
      ))

    it.effect("the first that is well serves, until it has a fault, and again when that is over", () =>
      on((store, simulator) =>
        Effect.gen(function*() {
          yield* simulator.inject("connectionReset")
          const error = yield* Effect.flip(store.put({ ...at, body: "x" }))
          assert.deepInclude(error, { _tag: "NetworkFailure" })
          yield* store.put({ ...at, body: "x" })
          assert.deepStrictEqual(yield* keyStates, ["oslo cooling 2", "rome ready 1"])
          yield* TestClock.adjust("10 seconds")
          yield* store.head(at)
          assert.deepStrictEqual(yield* keyStates, ["oslo ready 3", "rome ready 1"])
        }), { endpoints: [{ ...endpoint(1), name: "oslo" }, { ...endpoint(2), name: "rome" }] }
      ))

    it.effect("a call goes on at once with the other, and one that hangs is not what the next waits for", () =>
      on((store, simulator) =>
        Effect.gen(function*() {
          const options = { retry: { jitter: "none" }, timeout: { attempt: "15 seconds" } } as const
          const policy = yield* Resilience.standard("s3", options)
          const protect = ObjectStores.protect(store, policy)
          yield* simulator.inject("connectionReset")
          yield* protect.put({ ...at, body: "x" })
          yield* TestClock.adjust("10 seconds")
          yield* simulator.inject("hang")
          const fiber = yield* Effect.fork(protect.head(at))
          yield* TestClock.adjust("15 seconds")
          yield* TestClock.adjust("1 second")
          assert.strictEqual((yield* Fiber.join(fiber)).size, 1)
          assert.deepStrictEqual(yield* keyStates, ["endpoint-1 cooling 3", "endpoint-2 ready 2"])
        }).pipe(Effect.scoped), { endpoints: [endpoint(1), endpoint(2)] }
      ))

    it.effect("one that is throttled is left alone for a while, one whose key is refused is retired", () =>
      on((store, simulator) =>
        Effect.gen(function*() {
          yield* simulator.inject("rateLimited")
          assert.strictEqual((yield* Effect.flip(store.put({ ...at, body: "x" })))._tag, "RateLimited")
          assert.deepStrictEqual(yield* keyStates, ["endpoint-1 cooling 2", "endpoint-2 ready 0"])
          yield* simulator.setKey(1, "revoked", "s3")
          const error = yield* Effect.flip(store.put({ ...at, body: "x" }))
          assert.deepInclude(error, { _tag: "AuthenticationFailed", code: "InvalidAccessKeyId" })
          assert.deepStrictEqual(yield* keyStates, ["endpoint-1 cooling 2", "endpoint-2 retired 1"])
        }), { endpoints: [endpoint(1), endpoint(2)] }
      ))

    it.effect("what was begun with one goes on with it: listings, uploads", () =>
      on((store, simulator) =>
        Effect.gen(function*() {
          for (const key of ["a", "b", "c", "d", "e"]) yield* store.put({ bucket, key, body: key })
          yield* simulator.reset
          yield* store.createBucket(bucket)
          for (const key of ["a", "b", "c", "d", "e"]) yield* store.put({ bucket, key, body: key })
          const before = (yield* simulator.requests).length
          yield* keysOf(store.list({ bucket, pageSize: 1 }))
          const upload = yield* store.begin(at)
          assert.match(upload.at!, /^endpoint-\d$/)
          yield* store.resume(upload, "x")
          const used = (yield* simulator.requests).slice(before).map(({ key }) => key)
          assert.deepStrictEqual(used, [...Array(5).fill("sim-key-1"), ...Array(4).fill("sim-key-2")])
        }), { endpoints: [endpoint(1), endpoint(2)], strategy: "round-robin" }
      ))

    it.effect("may each have everything: what is written is written to all, and told where it was not", () =>
      Effect.scoped(Effect.gen(function*() {
        const simulators = yield* Effect.all({ oslo: Simulator.make(), rome: Simulator.make() })
        const client = HttpClient.make((request, url) =>
          simulators[url.hostname as "oslo" | "rome"].client.execute(request))
        const named = (name: string) => ({ ...endpoint(1, name), name })
        const endpoints = [named("oslo"), named("rome")] as const
        const { store } = yield* S3.make({ endpoints, strategy: "replicate", partBytes: 5 * MiB }).pipe(
          Effect.provideService(HttpClient.HttpClient, client)
        )
        yield* store.createBucket(bucket)
        const large = new Uint8Array(6 * MiB).fill(7)
        yield* store.put({ ...at, body: Stream.make(large) })
        yield* simulators.rome.down("error")
        const error = yield* Effect.flip(store.put({ bucket, key: "b", body: "b" }))
        assert.deepInclude(error, { _tag: "PartialFailure", done: ["oslo"] })
        yield* simulators.rome.up()
        yield* simulators.oslo.down("refuse")
        assert.strictEqual((yield* store.read(at)).length, large.length)
        // whether the other has it cannot be known
        assert.strictEqual((yield* Effect.flip(store.head({ bucket, key: "b" })))._tag, "NetworkFailure")
      })))
  })

  it.effect("as a backend, list the model files under a bucket and a prefix, say that they are there, no more", () =>
    on((_, simulator, { service }) =>
      Effect.gen(function*() {
        const models = yield* service.listModels
        assert.deepStrictEqual(models.map(({ id }) => id), ["sim-chat/model.gguf", "sim-embed/model.gguf"])
        assert.deepInclude(models[0], { owner: "models", created: 1_735_689_600 })
        yield* service.health
        assert.deepStrictEqual([...service.operations], ["listModels", "health"])
        const error = yield* Effect.flip(service.generateText({ model: "x", prompt: "hi" }))
        assert.deepInclude(error, { _tag: "Unsupported", feature: "generateText" })
        yield* simulator.down("error")
        assert.strictEqual((yield* Effect.flip(service.health))._tag, "ServerFault")
        const none = yield* S3.make({ endpoints: [endpoint()] }).pipe(
          Effect.provideService(HttpClient.HttpClient, simulator.client)
        )
        assert.include((yield* Effect.flip(none.service.listModels)).message, "S3_BUCKET")
        yield* simulator.up()
        yield* none.service.health
      }).pipe(Effect.scoped), { bucket: "models", prefix: "sim-", modelSuffixes: ["chat/model.GGUF", "bed/model.gguf"] }
    ))
})
