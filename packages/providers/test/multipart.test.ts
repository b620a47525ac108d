import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Multipart from "../src/internal/multipart.js"

const parsed = (fields: ReadonlyArray<Multipart.Field>) => {
  const { body, headers } = Multipart.encode(fields)
  return Effect.promise(() => new Response(body as Uint8Array<ArrayBuffer>, { headers: headers! }).formData())
}

describe("a form", () => {
  it.effect("is read by others as what was written: texts, and files byte by byte", () =>
    Effect.gen(function*() {
      const content = Uint8Array.from({ length: 512 }, (_, n) => n % 256)
      const form = yield* parsed([
        { name: "files", file: "Grüße \"x\".pdf", mediaType: "application/pdf", content },
        { name: "chunk_size", value: "1500" },
        { name: "note", value: "two\r\nlines, ünd" }
      ])
      const file = form.get("files") as File
      assert.strictEqual(file.type, "application/pdf")
      assert.strictEqual(decodeURIComponent(file.name), "Grüße \"x\".pdf")
      assert.deepStrictEqual(new Uint8Array(yield* Effect.promise(() => file.arrayBuffer())), content)
      assert.strictEqual(form.get("chunk_size"), "1500")
      assert.strictEqual(form.get("note"), "two\r\nlines, ünd")
    }))

  it.effect("has a boundary that stands in none of its contents", () =>
    Effect.gen(function*() {
      const text = "\r\n------spillway-form-boundary-0\r\n------spillway-form-boundary-1--\r\n"
      const form = yield* parsed([
        { name: "files", file: "a.txt", mediaType: "text/plain", content: new TextEncoder().encode(text) }
      ])
      assert.strictEqual(yield* Effect.promise(() => (form.get("files") as File).text()), text)
    }))

  it("lets no name begin a header of its own", () => {
    const { body } = Multipart.encode([
      { name: "a\"\r\nx: y", file: "b\r\nc", mediaType: "text/plain\r\nx: y", content: new Uint8Array() }
    ])
    assert.notMatch(new TextDecoder().decode(body as Uint8Array), /^x: y/m)
  })
})
