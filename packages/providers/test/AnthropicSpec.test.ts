/** What is sent, held against the types that Anthropic's own client is written in. */
import { assert, describe, it } from "@effect/vitest"
import type * as Completion from "@spillway/core/Completion"
import * as Prompt from "@spillway/core/Prompt"
import * as AnthropicWire from "@spillway/providers/AnthropicWire"
import * as Either from "effect/Either"
import { absent, spec } from "./spec.js"

const described = spec("anthropic/sdk-1.12.0.derived.schema.json")

const tools = [{ name: "get_weather", description: "d", parameters: { type: "object", properties: {} }, strict: true }]

const requests: { readonly [title: string]: Completion.Request } = {
  "a question": { model: "claude-sonnet-5", prompt: "hi" },
  "a conversation with tools, pictures, documents and thoughts": {
    model: "claude-sonnet-5",
    prompt: [
      Prompt.system("Be brief."),
      Prompt.user([
        Prompt.text("What is this?"),
        Prompt.image("aGk=", "image/png"),
        { _tag: "Image", source: { _tag: "Url", url: "https://example.org/a.png" } },
        { _tag: "File", name: "a.pdf", source: { _tag: "Base64", mediaType: "application/pdf", data: "aGk=" } },
        { _tag: "File", source: { _tag: "Base64", mediaType: "text/markdown", data: "aGk=" } },
        { _tag: "File", source: { _tag: "Url", url: "https://example.org/a.pdf" } }
      ]),
      Prompt.assistant([
        { _tag: "Reasoning", text: "Hm.", signature: "sig" },
        { _tag: "Reasoning", text: "", redacted: "sealed" },
        Prompt.text("Let me look."),
        { _tag: "ToolCall", id: "toolu_1", name: "get_weather", arguments: "{\"city\":\"Oslo\"}" }
      ]),
      Prompt.tool([{ _tag: "ToolResult", id: "toolu_1", name: "get_weather", result: "none", isError: true }])
    ],
    tools,
    toolChoice: { tool: "get_weather" },
    parallelToolCalls: false
  },
  "an answer by schema, kept, thought through and limited": {
    model: "claude-sonnet-5",
    prompt: [Prompt.system("One."), Prompt.system("Two."), Prompt.user("hi")],
    tools,
    toolChoice: "required",
    maxTokens: 5000,
    stop: ["END"],
    user: "u-1",
    format: { _tag: "JsonSchema", name: "n", schema: { type: "object" } },
    reasoning: { effort: "high" },
    providerOptions: {
      anthropic: {
        thinking: { budgetTokens: 1024 },
        cacheControl: { ttl: "1h", at: ["tools", "system", "prompt"] },
        serviceTier: "standard_only"
      }
    }
  }
}

const settings = { backend: "anthropic", version: "2026-10-21", maxTokens: 4096 }

if (described === undefined) {
  describe.skip(`what is sent to Anthropic (${absent})`, () => {
    it("is as described", () => {})
  })
} else {
  describe("what is sent to Anthropic is as its client describes it", () => {
    const valid = (definition: string, body: Either.Either<object, unknown>) =>
      assert.deepStrictEqual(
        described.at(`/definitions/${definition}`)(JSON.parse(JSON.stringify(Either.getOrThrow(body)))),
        []
      )

    it("and the description tells wrong from right", () => {
      const check = described.at("/definitions/MessageCreateParamsBase")
      const right = { model: "m", max_tokens: 9, messages: [{ role: "user", content: "hi" }] }
      assert.deepStrictEqual(check(right), [])
      for (const wrong of [{ max_tokens: "9" }, { messages: [{ role: "tool", content: "hi" }] }, { model: undefined }]) {
        assert.notDeepEqual(check({ ...right, ...wrong }), [])
      }
    })

    for (const [title, request] of Object.entries(requests)) {
      it(`for ${title}`, () => {
        valid("MessageCreateParamsBase", AnthropicWire.toBody(request, settings, false))
        valid("MessageCreateParamsBase", AnthropicWire.toBody(request, settings, true))
        valid("MessageCountTokensParams", AnthropicWire.toInput(request, settings))
      })
    }
  })
}
