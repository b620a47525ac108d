/** What servers of S3 were recorded to answer, and what becomes of it. */
import { assert, describe, it } from "@effect/vitest"
import * as LlmError from "@spillway/core/LlmError"
import { Chunk, Effect, Option, Stream } from "effect"
import { absent, examples } from "./examples.js"
import { at, type Call, failure, value } from "./s3.js"

describe("S3: what was recorded", () => {
  const found = examples("s3", String)
  if (found === undefined) {
    it.skip(`${absent}`, () => {})
    return
  }
  const answers = new Map(found.map((example) => [example.name, example.answer]))
  const recorded = (name: string) => answers.get(name)!
  const tags: { readonly [name: string]: readonly [LlmError.Tag, Call] } = {
    delete_objects_200_slowdown: ["RateLimited", (store) => store.removeMany("bucket", ["a"])],
    error_400_malformed_xml: ["InvalidRequest", (store) =>
      store.definition.exchanges.complete({ ...at, id: "U" }, [], false)],
    error_404_nosuchkey: ["NotFound", (store) => store.read(at)],
    error_503_slowdown_digitalocean: ["RateLimited", (store) => store.remove(at)],
    headers_503_slowdown: ["ServerFault", (store) => store.head(at)],
    mock_error_404_head: ["NotFound", (store) => store.head(at)],
    mock_error_404_nosuchbucket: ["NotFound", (store) => Stream.runDrain(store.list({ bucket: "none" }))],
    mock_error_404_nosuchkey: ["NotFound", (store) => store.read(at)]
  }
  for (const [name, [tag, call]] of Object.entries(tags)) {
    it.effect(`${name} is ${tag}, and nobody is told to wait`, () =>
      Effect.map(failure(recorded(name), call), (error) => {
        assert.strictEqual(error._tag, tag)
        // W-37
        assert.isTrue(Option.isNone(LlmError.retryAfter(error)) || error._tag === "RateLimited")
      }))
  }

  it.effect("reads objects and what is known of them", () =>
    Effect.gen(function*() {
      const read = yield* value(recorded("mock_get_object"), (store) => store.read(at))
      assert.strictEqual(new TextDecoder().decode(read), "hello")
      const content = yield* value(recorded("mock_get_object_range"), (store) =>
        Effect.scoped(store.get(at, { start: 1, end: 2 })))
      assert.deepStrictEqual([content.info.size, content.length], [5, 2])
      const { headers } = recorded("mock_head_object")
      const told = { body: "", headers: { ...headers, "content-length": "5" } }
      assert.deepStrictEqual(yield* value(told, (store) => store.head(at)), {
        ...at,
        size: 5,
        etag: "5d41402abc4b2a76b9719d911017c592",
        lastModified: Date.UTC(2026, 10, 24, 10, 56, 36),
        contentType: "text/plain",
        metadata: { k: "v" }
      })
      const put = yield* value(recorded("mock_put_object"), (store) => store.put({ ...at, body: "hello" }))
      assert.deepInclude(put, { etag: "5d41402abc4b2a76b9719d911017c592", size: 5 })
    }))

  it.effect("reads listings", () =>
    Effect.gen(function*() {
      const page = yield* value(recorded("mock_list_objects_v2_page1"), (store) =>
        store.definition.exchanges.list({ bucket: "bkt", pageSize: 2 }))
      assert.deepStrictEqual(
        page.items.map((one) => one._tag === "Object" ? [one.info.key, one.info.size, one.info.etag] : one.prefix),
        [
          ["a.txt", 5, "5d41402abc4b2a76b9719d911017c592"],
          ["d/k0 é.txt", 1, "9dd4e461268c8034f5c8564e155c67a6"]
        ]
      )
      assert.deepStrictEqual(page.next, { token: "d4f856d2d06af85a52e15ea0082ab82d" })
      const entries = yield* value(recorded("mock_list_objects_v2_prefix_delimiter"), (store) =>
        Stream.runCollect(store.list({ bucket: "bkt", delimiter: "/" })))
      assert.deepStrictEqual(
        Chunk.toReadonlyArray(entries).map((one) => one._tag === "Object" ? one.info.key : one.prefix),
        ["a.txt", "d/"]
      )
    }))

  it.effect("reads what became of uploads, copies and removals", () =>
    Effect.gen(function*() {
      const upload = yield* value(recorded("mock_create_multipart_upload"), (store) => store.begin(at))
      assert.match(upload.id, /^x6ZMdn/)
      const part = yield* value(recorded("mock_upload_part"), (store) =>
        store.definition.exchanges.sendPart(upload, 1, new Uint8Array(3)))
      assert.deepStrictEqual(part, { number: 1, etag: "4f08eef4096726bff1125e1b1b734644", size: 3 })
      yield* value(recorded("mock_copy_object"), (store) => store.definition.exchanges.copy(at, at))
      yield* value(recorded("mock_delete_object"), (store) => store.remove(at))
      yield* value(recorded("mock_abort_multipart_upload"), (store) => store.abort(upload))
      const became = yield* value(recorded("mock_delete_objects"), (store) =>
        store.removeMany("bucket", ["a.txt", "never.txt"]))
      assert.deepStrictEqual(became, [{ key: "a.txt" }, { key: "never.txt" }])
    }))
})
