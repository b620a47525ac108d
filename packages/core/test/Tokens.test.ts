import { Inference, Prompt, Tensor, Tokens } from "@spillway/core"
import { assert, describe, it } from "@effect/vitest"

describe("Tokens", () => {
  it("grows with the text", () => {
    const short = Tokens.estimate({ model: "m", prompt: "hello there" }).input
    const long = Tokens.estimate({ model: "m", prompt: "hello there ".repeat(50) }).input
    assert.isAbove(short, 2)
    assert.isBelow(short, 12)
    assert.isAbove(long, 90)
    assert.isBelow(long, 250)
  })

  it("knows the most that may be generated only where the request says so", () => {
    assert.deepStrictEqual(Object.keys(Tokens.estimate({ model: "m", prompt: "x" })), ["input"])
    assert.strictEqual(Tokens.estimate({ model: "m", prompt: "x", maxTokens: 7 }).output, 7)
  })

  it("counts every part of a conversation: system, pictures, tool calls and their results, tools, the form asked for", () => {
    const bare = Tokens.estimate({ model: "m", prompt: "x" }).input
    const parts: ReadonlyArray<readonly [string, Prompt.Input]> = [
      ["system", [Prompt.system("be brief and kind to everyone"), Prompt.user("x")]],
      ["call", [Prompt.user("x"), Prompt.assistant([{ _tag: "ToolCall", id: "1", name: "weather", arguments: "{\"in\":\"Rome\"}" }])]],
      ["result", [Prompt.user("x"), Prompt.tool([{ _tag: "ToolResult", id: "1", name: "weather", result: "sunny and warm" }])]]
    ]
    for (const [name, prompt] of parts) assert.isAbove(Tokens.estimate({ model: "m", prompt }).input, bare + 4, name)
    const seen = Tokens.estimate({ model: "m", prompt: Prompt.user([Prompt.imageUrl("https://example.com/a.png")]) })
    assert.isAtLeast(seen.input, Tokens.perImage)
    const tools = [{ name: "weather", description: "the weather somewhere", parameters: { type: "object" } }]
    assert.isAbove(Tokens.estimate({ model: "m", prompt: "x", tools }).input, bare + 4)
    const format = { _tag: "JsonSchema", name: "city", schema: { type: "object", properties: { name: { type: "string" } } } } as const
    assert.isAbove(Tokens.estimate({ model: "m", prompt: "x", format }).input, bare + 4)
  })

  it("generates nothing for vectors, rankings and tensors", () => {
    const embed = Tokens.estimate({ model: "m", input: ["one text", "another text"] })
    assert.strictEqual(embed.output, 0)
    assert.isAbove(embed.input, Tokens.estimate({ model: "m", input: ["one text"] }).input)
    const rank = Tokens.estimate({ model: "m", query: "which city is warm", documents: ["Rome", "Oslo"] })
    assert.isAbove(rank.input, 2 * Tokens.ofText("which city is warm"))
    const tensor = Tensor.make("x", "FP32", [2, 3], [1, 2, 3, 4, 5, 6])
    assert.deepStrictEqual(Tokens.estimate({ model: "m", input: Inference.tensors(tensor) }), { input: 6, output: 0 })
  })

  it("survives JSON that holds itself", () => {
    const value: { self?: unknown; text: string } = { text: "hello" }
    value.self = value
    assert.isAbove(Tokens.estimate({ model: "m", input: Inference.json(value) }).input, 0)
  })
})
