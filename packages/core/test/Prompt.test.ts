import { assert, describe, it } from "@effect/vitest"
import { Prompt } from "@spillway/core"

describe("Prompt", () => {
  it("is one user message from a text, and a list of messages from anything else", () => {
    assert.deepStrictEqual(Prompt.make("hi"), [{ role: "user", content: [{ _tag: "Text", text: "hi" }] }])
    assert.deepStrictEqual(Prompt.make(Prompt.system("brief")), [{ role: "system", content: "brief" }])
    const prompt = [Prompt.user("a"), Prompt.assistant("b")]
    assert.strictEqual(Prompt.make(prompt), prompt)
  })

  it("takes parts where it takes a text", () => {
    const picture = Prompt.imageUrl("https://example.com/cat.png")
    assert.deepStrictEqual(Prompt.user([Prompt.text("what is it?"), picture]).content, [
      { _tag: "Text", text: "what is it?" },
      { _tag: "Image", source: { _tag: "Url", url: "https://example.com/cat.png" } }
    ])
    const call = { _tag: "ToolCall", id: "1", name: "look", arguments: "{}" } as const
    assert.deepStrictEqual(Prompt.assistant([call]).content, [call])
  })

  it("grows at its end, whichever way round it is said", () => {
    const expected = [Prompt.user("a"), Prompt.assistant("b"), Prompt.user("c")]
    assert.deepStrictEqual(Prompt.append("a", [Prompt.assistant("b"), Prompt.user("c")]), expected)
    assert.deepStrictEqual(Prompt.append("c")([Prompt.user("a"), Prompt.assistant("b")]), expected)
  })

  it("carries bytes as base64, whether it is given bytes or base64", () => {
    const source = { _tag: "Base64", mediaType: "image/png", data: "AQID" } as const
    assert.deepStrictEqual(Prompt.image(new Uint8Array([1, 2, 3]), "image/png").source, source)
    assert.deepStrictEqual(Prompt.image("AQID", "image/png").source, source)
    assert.deepStrictEqual(Prompt.file("AQID", "application/pdf", "a.pdf"), {
      _tag: "File",
      source: { ...source, mediaType: "application/pdf" },
      name: "a.pdf"
    })
    assert.notProperty(Prompt.file("AQID", "application/pdf"), "name")
  })

  it("takes a data: URL apart, and puts it together again", () => {
    const url = "data:image/png;base64,AQID"
    const source = Prompt.fromUrl(url)
    assert.deepStrictEqual(source, { _tag: "Base64", mediaType: "image/png", data: "AQID" })
    assert.strictEqual(Prompt.toUrl(source), url)
    for (const other of ["https://example.com/a,b;base64,c", "data:text/plain,hello"]) {
      assert.deepStrictEqual(Prompt.fromUrl(other), { _tag: "Url", url: other })
      assert.strictEqual(Prompt.toUrl(Prompt.fromUrl(other)), other)
    }
  })
})
