/** In what the dialects of OpenAI's wire differ, for which no backend has a module of its own. */
import { assert, describe, it } from "@effect/vitest"
import type * as Completion from "@spillway/core/Completion"
import * as Prompt from "@spillway/core/Prompt"
import * as Either from "effect/Either"
import * as OpenAiStream from "../src/internal/openAiStream.js"
import * as OpenAiWire from "../src/OpenAiWire.js"
import { exchange, read } from "./exchange.js"

const request: Completion.Request = { model: "m", prompt: "hi" }

const sent = (fields: Partial<Completion.Request>, dialect: Partial<OpenAiWire.Dialect>): any =>
  JSON.parse(JSON.stringify(Either.getOrThrow(
    OpenAiWire.toChatBody({ ...request, ...fields }, { backend: "any", ...dialect }, false)
  )))

const completion = (body: object) => Either.getOrThrow(OpenAiWire.toCompletion(body, exchange(request, "any")))

const thinking = (...texts: ReadonlyArray<string>) => ({
  type: "thinking",
  thinking: texts.map((text) => ({ type: "text", text }))
})

describe("a dialect", () => {
  it("that knows no schema is told it in the prompt, and asked for JSON", () => {
    const schema = { type: "object", required: ["name"] }
    const format = { _tag: "JsonSchema", name: "person", schema } as const
    const { messages, response_format } = sent({ format }, { schemaInPrompt: true })
    assert.deepStrictEqual(response_format, { type: "json_object" })
    assert.deepStrictEqual(messages.map(({ role }: any) => role), ["system", "user"])
    assert.include(messages[0].content, JSON.stringify(schema))
    assert.strictEqual(sent({ format: { _tag: "Json" } }, { schemaInPrompt: true }).messages.length, 1)
  })

  it("that takes ids of its own form only is given the same one for a call and its result", () => {
    const { messages } = sent({
      prompt: [
        Prompt.assistant([{ _tag: "ToolCall", id: "call_1", name: "f", arguments: "{}" }]),
        Prompt.tool([{ _tag: "ToolResult", id: "call_1", name: "f", result: "done" }])
      ]
    }, { toolCallId: (id) => id.toUpperCase() })
    assert.deepStrictEqual([messages[0].tool_calls[0].id, messages[1].tool_call_id], ["CALL_1", "CALL_1"])
  })

  it("that takes audio takes no other file, and says so", () => {
    const files = "audio"
    const { messages } = sent({ prompt: Prompt.user([Prompt.file("aGk=", "audio/wav")]) }, { files })
    assert.deepStrictEqual(messages[0].content, [{ type: "input_audio", input_audio: { data: "aGk=", format: "wav" } }])
    const prompt = Prompt.user([Prompt.file("aGk=", "application/pdf")])
    const refused = OpenAiWire.toChatBody({ model: "m", prompt }, { backend: "any", files }, false)
    const error = Either.getOrThrow(Either.flip(refused))
    assert.deepStrictEqual([error._tag, error.message], ["Unsupported", "any takes no files but audio in a message"])
  })

  it("that has thoughts among the content gives them as reasoning, and is given them back", () => {
    const content = [thinking("2 + 2", " is 4."), { type: "text", text: "4" }]
    const answer = completion({ choices: [{ message: { content }, finish_reason: "stop" }] })
    assert.deepStrictEqual(answer.content, [
      { _tag: "Reasoning", text: "2 + 2 is 4." },
      { _tag: "Text", text: "4" }
    ])
    const back = (...parts: ReadonlyArray<Prompt.AssistantPart>) =>
      sent({ prompt: [Prompt.assistant(parts)] }, { reasoningField: "content" }).messages[0].content
    assert.deepStrictEqual(back(...answer.content), [thinking("2 + 2 is 4."), { type: "text", text: "4" }])
    assert.deepStrictEqual(back({ _tag: "Reasoning", text: "hm" }), [thinking("hm")])
    assert.strictEqual(back({ _tag: "Text", text: "4" }), "4")
  })

  it("that has thoughts among the content streams them so", () => {
    const chunk = (content: unknown, finish_reason: string | null = null) => ({
      data: JSON.stringify({ id: "c", model: "m-1", choices: [{ index: 0, delta: { content }, finish_reason }] })
    })
    const { parts } = read(OpenAiStream.reader(exchange(request, "any")), [
      chunk([thinking("Let me ")]),
      chunk([thinking("see.")]),
      chunk([{ type: "text", text: "4" }]),
      chunk("!", "stop"),
      { data: "[DONE]" }
    ])
    assert.deepStrictEqual(parts.slice(1, -1), [
      { _tag: "ReasoningDelta", index: 0, text: "Let me " },
      { _tag: "ReasoningDelta", index: 0, text: "see." },
      { _tag: "TextDelta", text: "4" },
      { _tag: "TextDelta", text: "!" }
    ])
  })

  it("that counts reasoning apart from the answer is understood", () => {
    const usage = (completion_tokens: number, reasoning_tokens: number, total_tokens: number) =>
      OpenAiWire.toUsage({
        prompt_tokens: 12,
        completion_tokens,
        total_tokens,
        completion_tokens_details: { reasoning_tokens }
      }).outputTokens
    assert.strictEqual(usage(1, 228, 241), 229)
    assert.strictEqual(usage(229, 228, 241), 229)
    assert.strictEqual(usage(5, 0, 17), 5)
  })

  it("tells how many tokens were written to a cache", () => {
    assert.strictEqual(OpenAiWire.toUsage({ prompt_tokens_details: { cache_write_tokens: 7 } }).cacheWriteTokens, 7)
  })

  it("puts its own fields in the place of the common ones", () => {
    const dialect = { backend: "any", extraEmbeddingFields: () => ({ user: undefined, output_dimension: 2 }) }
    const body = OpenAiWire.toEmbeddingBody({ model: "m", input: ["a"], user: "u" }, dialect)
    assert.deepStrictEqual(JSON.parse(JSON.stringify(body)), {
      model: "m",
      input: ["a"],
      encoding_format: "float",
      output_dimension: 2
    })
    assert.deepInclude(
      sent({ seed: 7 }, { extraFields: ({ seed }) => ({ seed: undefined, random_seed: seed }) }),
      { random_seed: 7 }
    )
  })
})

describe("a model in a list", () => {
  const models = (...data: ReadonlyArray<object>) =>
    Either.getOrThrow(OpenAiWire.toModels({ data }, exchange({ model: "" }, "any") as never))

  for (
    const [vendor, said, told] of [
      ["Groq's", { context_window: 8, max_completion_tokens: 4 }, { contextWindow: 8, maxOutputTokens: 4 }],
      ["vLLM's", { max_model_len: 8 }, { contextWindow: 8 }],
      ["Mistral's", { max_context_length: 8, name: "M" }, { contextWindow: 8, displayName: "M" }],
      ["llama.cpp's", { meta: { n_ctx_train: 8 } }, { contextWindow: 8 }],
      ["OpenRouter's", { context_length: 8, top_provider: { max_completion_tokens: 4 } }, {
        contextWindow: 8,
        maxOutputTokens: 4
      }],
      ["Together's", { context_length: 8, display_name: "M", organization: "O" }, {
        contextWindow: 8,
        displayName: "M",
        owner: "O"
      }]
    ] as const
  ) {
    it(`is read in ${vendor} words`, () => {
      assert.deepStrictEqual(models({ id: "m", object: "model", ...said }), [{ id: "m", ...told }])
    })
  }
})
