/** What servers of S3 were recorded to answer, and what becomes of it. */
import { assert, describe, it } from "@effect/vitest"
import * as LlmError from "@spillway/core/LlmError"
import type * as Objects from "@spillway/core/Objects"
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

  const etag = "5d41402abc4b2a76b9719d911017c592"
  const entries = (page: ReadonlyArray<Objects.Entry>) =>
    page.map((one) => one._tag === "Object" ? [one.info.key, one.info.size, one.info.etag] : one.prefix)
  const upload = { ...at, id: "U" }
  const reads: { readonly [name: string]: readonly [Call, expected: unknown] } = {
    mock_put_object: [(store) => store.put({ ...at, body: "hello" }), { ...at, etag, size: 5, metadata: {} }],
    mock_get_object: [(store) => Effect.map(store.read(at), (bytes) => new TextDecoder().decode(bytes)), "hello"],
    mock_get_object_range: [
      (store) => Effect.map(Effect.scoped(store.get(at, { start: 1, end: 2 })), ({ info, length }) => [info.size, length]),
      [5, 2]
    ],
    mock_head_object: [(store) => store.head(at), {
      ...at,
      etag,
      size: 5,
      lastModified: Date.UTC(2026, 10, 24, 10, 56, 36),
      contentType: "text/plain",
      metadata: { k: "v" }
    }],
    mock_list_objects_v2_page1: [
      (store) =>
        Effect.map(store.definition.exchanges.list({ bucket: "bkt", pageSize: 2 }), ({ items, next }) => [
          entries(items),
          next
        ]),
      [
        [["a.txt", 5, etag], ["d/k0 é.txt", 1, "9dd4e461268c8034f5c8564e155c67a6"]],
        { token: "d4f856d2d06af85a52e15ea0082ab82d" }
      ]
    ],
    mock_list_objects_v2_prefix_delimiter: [
      (store) =>
        Effect.map(Stream.runCollect(store.list({ bucket: "bkt", delimiter: "/" })), (all) =>
          entries(Chunk.toReadonlyArray(all))),
      [["a.txt", 5, etag], "d/"]
    ],
    mock_create_multipart_upload: [(store) => Effect.map(store.begin(at), ({ id }) => id.slice(0, 6)), "x6ZMdn"],
    mock_upload_part: [
      (store) => store.definition.exchanges.sendPart(upload, 1, new Uint8Array(3)),
      { number: 1, etag: "4f08eef4096726bff1125e1b1b734644", size: 3 }
    ],
    mock_abort_multipart_upload: [(store) => store.abort(upload), undefined],
    mock_copy_object: [(store) => store.definition.exchanges.copy(at, at), undefined],
    mock_delete_object: [(store) => store.remove(at), undefined],
    mock_delete_objects: [
      (store) => store.removeMany("bucket", ["a.txt", "never.txt"]),
      [{ key: "a.txt" }, { key: "never.txt" }]
    ]
  }
  for (const [name, [call, expected]] of Object.entries(reads)) {
    it.effect(`${name} is read`, () =>
      Effect.gen(function*() {
        const answer = recorded(name)
        // whose length was answered, of a body that is not there
        const headers = name === "mock_head_object" ? { ...answer.headers, "content-length": "5" } : answer.headers
        assert.deepStrictEqual(yield* value({ ...answer, ...(headers && { headers }) }, call), expected)
      }))
  }

  it("and none is left out", () => {
    // what Amazon's clients make of answers is in S3SpecExamples
    const answers = found.map(({ name }) => name).filter((name) => !name.startsWith("sdk_"))
    assert.sameMembers([...Object.keys(tags), ...Object.keys(reads)], answers)
  })
})
