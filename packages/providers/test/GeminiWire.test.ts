import { assert, describe, it } from "@effect/vitest"
import * as Completion from "@spillway/core/Completion"
import * as Prompt from "@spillway/core/Prompt"
import * as Tool from "@spillway/core/Tool"
import * as GeminiWire from "@spillway/providers/GeminiWire"
import * as Schema from "effect/Schema"

const toBody = (request: Omit<Completion.Request, "model" | "prompt"> & Partial<Completion.Request>): any =>
  // as it is sent: without what is undefined
  JSON.parse(JSON.stringify(GeminiWire.toBody({ model: "gemini-2.5-flash", prompt: "Hi", ...request })))

const contents = (prompt: Prompt.Input, model = "gemini-2.5-flash") => toBody({ prompt, model }).contents

const f = Tool.make("f", { parameters: Schema.Struct({}) })

describe("GeminiWire.toBody", () => {
  it("sends nothing but what was asked for", () => {
    assert.deepStrictEqual(toBody({}), { contents: [{ role: "user", parts: [{ text: "Hi" }] }] })
  })

  it("takes system messages out of the conversation, wherever they stand", () => {
    const body = toBody({
      prompt: [
        Prompt.system("One."),
        Prompt.user("Hi"),
        Prompt.system(""),
        Prompt.assistant("Yes?"),
        Prompt.system("Two.")
      ]
    })
    assert.deepStrictEqual(body.systemInstruction, { role: "user", parts: [{ text: "One." }, { text: "Two." }] })
    assert.deepStrictEqual(body.contents.map(({ role }: any) => role), ["user", "model"])
  })

  it("sends no empty text, and no turn in which nothing is said", () => {
    assert.deepStrictEqual(
      contents([Prompt.user([Prompt.text(""), Prompt.text("Hi")]), Prompt.assistant(""), Prompt.user("?")]),
      [{ role: "user", parts: [{ text: "Hi" }] }, { role: "user", parts: [{ text: "?" }] }]
    )
  })

  it("sends pictures and files as bytes or by their address, with the type that its end tells", () => {
    const [{ parts }] = contents(Prompt.user([
      Prompt.image(Uint8Array.of(104, 105), "image/png"),
      Prompt.imageUrl("data:image/gif;base64,aGk="),
      Prompt.imageUrl("https://example.com/a.JPG?size=1"),
      Prompt.imageUrl("https://generativelanguage.googleapis.com/v1beta/files/abc"),
      Prompt.file("aGk=", "audio/wav", "a.wav")
    ]))
    assert.deepStrictEqual(parts, [
      { inlineData: { mimeType: "image/png", data: "aGk=" } },
      { inlineData: { mimeType: "image/gif", data: "aGk=" } },
      { fileData: { mimeType: "image/jpeg", fileUri: "https://example.com/a.JPG?size=1" } },
      { fileData: { fileUri: "https://generativelanguage.googleapis.com/v1beta/files/abc" } },
      { inlineData: { mimeType: "audio/wav", data: "aGk=" } }
    ])
  })

  it("gives back every signature on its own part, and nothing that another backend has sealed", () => {
    const [{ parts }] = contents(Prompt.assistant([
      { _tag: "Reasoning", text: "Hm.", signature: "r" },
      { _tag: "Reasoning", text: "", redacted: "sealed" },
      { _tag: "Text", text: "So:", signature: "t" },
      { _tag: "ToolCall", id: "1", name: "f", arguments: "", signature: "c" },
      { _tag: "ToolCall", id: "", name: "g", arguments: "not JSON" },
      { _tag: "Text", text: "", signature: "end" }
    ]))
    assert.deepStrictEqual(parts, [
      { text: "Hm.", thought: true, thoughtSignature: "r" },
      { text: "So:", thoughtSignature: "t" },
      { functionCall: { id: "1", name: "f", args: {} }, thoughtSignature: "c" },
      { functionCall: { name: "g", args: { invalid_arguments: "not JSON" } } },
      { text: "", thoughtSignature: "end" }
    ])
  })

  it("sends the thoughts of another backend without what that one signed them with", () => {
    const [{ parts }] = contents(Prompt.assistant([
      { _tag: "Reasoning", text: "Hm.", signature: "EqQBCkYIB" },
      { _tag: "Text", text: "So:" }
    ]))
    assert.deepStrictEqual(parts, [{ text: "Hm.", thought: true }, { text: "So:" }])
  })

  it("vouches for the first of the calls that another backend made, where the model wants it", () => {
    const said = Prompt.assistant(["1", "2"].map((id) => ({ _tag: "ToolCall", id, name: "f", arguments: "{}" })))
    const signatures = (model: string) => contents(said, model)[0].parts.map((part: any) => part.thoughtSignature)
    for (const model of ["gemini-3-pro-preview", "models/gemini-10-flash", "gemini-flash-latest"]) {
      assert.deepStrictEqual(signatures(model), ["skip_thought_signature_validator", undefined])
    }
    for (const model of ["gemini-2.5-pro", "gemini-1.5-flash-002", "gemma-3-27b-it"]) {
      assert.deepStrictEqual(signatures(model), [undefined, undefined])
    }
  })

  it("puts the results of one turn together, each as an object", () => {
    const result = (id: string, result: string, isError?: boolean) =>
      Prompt.tool([{ _tag: "ToolResult", id, name: "f", result, ...(isError && { isError }) }])
    const said = contents([
      result("1", "{\"a\":1}"),
      result("2", "[1]"),
      result("3", "fine"),
      result("4", "7"),
      result("5", "{\"output\":1}"),
      result("6", "{\"a\":1}", true),
      result("", "late", true),
      Prompt.user("Well?"),
      result("8", "x")
    ])
    assert.deepStrictEqual(said.map(({ role }: any) => role), ["user", "user", "user"])
    assert.deepStrictEqual(said[0].parts.map(({ functionResponse: { id, response } }: any) => [id, response]), [
      ["1", { a: 1 }],
      ["2", { output: [1] }],
      ["3", { output: "fine" }],
      ["4", { output: "7" }],
      ["5", { output: { output: 1 } }],
      ["6", { error: { a: 1 } }],
      [undefined, { error: "late" }]
    ])
  })

  it("says which tools may, must or must not be called", () => {
    const config = (toolChoice: Tool.Choice | undefined, tools: ReadonlyArray<Tool.Definition> = [f]) =>
      toBody({ tools, ...(toolChoice && { toolChoice }) }).toolConfig?.functionCallingConfig
    assert.isUndefined(config(undefined))
    assert.deepStrictEqual(config("auto"), { mode: "AUTO" })
    assert.deepStrictEqual(config("none"), { mode: "NONE" })
    assert.deepStrictEqual(config("required"), { mode: "ANY" })
    assert.deepStrictEqual(config({ tool: "f" }), { mode: "ANY", allowedFunctionNames: ["f"] })
    const strict = [f, { ...f, strict: true }]
    assert.deepStrictEqual(config(undefined, strict), { mode: "VALIDATED" })
    assert.deepStrictEqual(config("required", strict), { mode: "ANY" })
    assert.isUndefined(config("required", []))
  })

  it("puts schemas into words that the API knows, and leaves the rest as it is", () => {
    const schema = {
      type: "object",
      properties: {
        const: { const: "a", description: "a property that is called like a word" },
        count: { type: "integer", exclusiveMinimum: 0, exclusiveMaximum: 10 },
        share: { type: "number", exclusiveMinimum: 0 },
        positive: { type: "number", allOf: [{ minimum: 1, description: "one" }, { maximum: 2 }] },
        node: { $ref: "#/$defs/Node", description: "a node" },
        list: { type: "array", items: { anyOf: [{ const: 1 }, { type: "null" }] }, minItems: 1 },
        map: { type: "object", additionalProperties: { const: true }, propertyNames: { pattern: "x" } },
        choice: { enum: ["const", { const: 1 }], default: { const: 1 } }
      },
      required: ["const"],
      additionalProperties: false,
      $defs: { Node: { type: "object", properties: { next: { $ref: "#/$defs/Node" } } } }
    }
    const read = {
      type: "object",
      properties: {
        const: { enum: ["a"], description: "a property that is called like a word" },
        count: { type: "integer", minimum: 1, maximum: 9 },
        share: { type: "number", minimum: 0 },
        positive: { type: "number", minimum: 1, maximum: 2, description: "one" },
        node: { $ref: "#/$defs/Node" },
        list: { type: "array", items: { anyOf: [{ enum: [1] }, { type: "null" }] }, minItems: 1 },
        map: { type: "object", additionalProperties: { enum: [true] }, propertyNames: { pattern: "x" } },
        choice: { enum: ["const", { const: 1 }], default: { const: 1 } }
      },
      required: ["const"],
      additionalProperties: false,
      $defs: { Node: { type: "object", properties: { next: { $ref: "#/$defs/Node" } } } }
    }
    const { generationConfig, tools } = toBody({
      format: { _tag: "JsonSchema", name: "x", schema },
      tools: [Tool.fromJsonSchema({ name: "g", parameters: schema })]
    })
    assert.deepStrictEqual(generationConfig, { responseMimeType: "application/json", responseJsonSchema: read })
    assert.deepStrictEqual(tools, [{ functionDeclarations: [{ name: "g", parametersJsonSchema: read }] }])
  })

  it("asks for JSON without a schema, and for text in so many words by saying nothing", () => {
    assert.deepStrictEqual(toBody({ format: { _tag: "Json" } }).generationConfig, {
      responseMimeType: "application/json"
    })
    assert.isUndefined(toBody({ format: { _tag: "Text" } }).generationConfig)
  })

  const thinking = (request: Partial<Completion.Request>) => toBody(request).generationConfig?.thinkingConfig

  const efforts: ReadonlyArray<readonly [model: string, ...ReadonlyArray<object | undefined>]> = [
    ["gemini-2.5-flash", ...[0, 1024, 1024, 8192, 24_576].map((thinkingBudget) => ({ thinkingBudget }))],
    ["gemini-2.5-pro", ...[128, 1024, 1024, 8192, 24_576].map((thinkingBudget) => ({ thinkingBudget }))],
    ["gemini-3.1-pro-preview", ...["LOW", "LOW", "LOW", "MEDIUM", "HIGH"].map((thinkingLevel) => ({ thinkingLevel }))],
    ["gemini-3.8-flash", ...["LOW", "LOW", "LOW", "MEDIUM", "HIGH"].map((thinkingLevel) => ({ thinkingLevel }))],
    ...["gemini-3-flash-preview", "gemini-3.5-flash", "models/gemini-3.1-flash-lite"].map((model) =>
      [model, ...["MINIMAL", "MINIMAL", "LOW", "MEDIUM", "HIGH"].map((thinkingLevel) => ({ thinkingLevel }))] as const
    )
  ]

  for (const [model, ...expected] of efforts) {
    it(`asks ${model} to think as hard as it is told, and to show its thoughts where there are any`, () => {
      for (const [index, effort] of (["none", "minimal", "low", "medium", "high"] as const).entries()) {
        const shown = effort === "none" ? {} : { includeThoughts: true }
        assert.deepStrictEqual(thinking({ model, reasoning: { effort } }), { ...expected[index], ...shown })
      }
    })
  }

  it("says nothing of thinking to a model that is not to think and cannot", () => {
    assert.isUndefined(thinking({ model: "gemini-2.0-flash", reasoning: { effort: "none" } }))
    assert.isUndefined(thinking({}))
  })

  it("thinks in Gemini's own words where they are given", () => {
    const own = (gemini: GeminiWire.RequestOptions) =>
      thinking({ reasoning: { effort: "low" }, providerOptions: { gemini } })
    assert.deepStrictEqual(own({ thinking: { budget: -1 } }), { thinkingBudget: -1, includeThoughts: true })
    assert.deepStrictEqual(own({ thinking: { budget: 0 } }), { thinkingBudget: 0 })
    assert.deepStrictEqual(own({ thinking: { level: "minimal" } }), { thinkingLevel: "MINIMAL", includeThoughts: true })
    assert.deepStrictEqual(own({ includeThoughts: false }), { thinkingBudget: 1024, includeThoughts: false })
  })
})

describe("GeminiWire.toEmbedBody", () => {
  it("names the model with every text, and sends an empty text as it is", () => {
    const body: any = GeminiWire.toEmbedBody({ model: "gemini-embedding-001", input: ["a", ""] })
    assert.deepStrictEqual(
      body.requests.map(({ content, model }: any) => [model, content.parts]),
      ["a", ""].map((text) => ["models/gemini-embedding-001", [{ text }]])
    )
  })
})
