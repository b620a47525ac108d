import { describe, expect, it } from "@effect/vitest"
import * as Spoken from "../src/Spoken.js"

describe("Spoken", () => {
  it.each<[string, Spoken.Spoken]>([
    ["  hello there ", { _tag: "Say", text: "hello there" }],
    ["//model is a word", { _tag: "Say", text: "/model is a word" }],
    ["a/b", { _tag: "Say", text: "a/b" }],
    ["/model groq/llama", { _tag: "Model", model: "groq/llama" }],
    ["/model", { _tag: "Model", model: "" }],
    ["/image my cat.png", { _tag: "Image", file: "my cat.png" }],
    ["/image", { _tag: "Help" }],
    ["/forget", { _tag: "Forget" }],
    ["/quit", { _tag: "Quit" }],
    ["/toString", { _tag: "Unknown", command: "/toString" }],
    ["   ", { _tag: "Nothing" }]
  ])("%j is understood", (line, spoken) => {
    expect(Spoken.parse(line)).toEqual(spoken)
  })

  it("knows pictures by the names of their files", () => {
    expect(["a.PNG", "b.jpeg", "c.tiff", "png", "d.constructor"].map(Spoken.mediaType))
      .toEqual(["image/png", "image/jpeg", undefined, "image/png", undefined])
  })
})
