import { assert, describe, it } from "@effect/vitest"
import { AIMessage, HumanMessage, SystemMessage, ToolMessage } from "@langchain/core/messages"
import { tool } from "@langchain/core/tools"
import { ChatOpenAI, OpenAIEmbeddings } from "@langchain/openai"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Prompt from "@spillway/core/Prompt"
import * as ScriptedLlm from "@spillway/testing/ScriptedLlm"
import { Effect, Layer } from "effect"
import { z } from "zod"
import { collect, given, rejection, served } from "./served.js"

/** A gateway before a script, called by LangChain as OpenAI: over chat completions, and over responses. */
const scripted = (...script: ReadonlyArray<ScriptedLlm.Step | ScriptedLlm.Repeat>) =>
  Effect.gen(function*() {
    const llm = yield* ScriptedLlm.make(...script)
    const { origin } = yield* served(Layer.succeed(LlmService.LlmService, llm))
    const configuration = { baseURL: `${origin}/v1` }
    const chat = (useResponsesApi: boolean) =>
      new ChatOpenAI({ model: "scripted/parrot", apiKey: "anything", maxRetries: 0, configuration, useResponsesApi })
    return { llm, chat, configuration }
  })

const weather = tool(async ({ city }) => `rain in ${city}`, {
  name: "get_weather",
  description: "The weather in a city, now",
  schema: z.object({ city: z.string() })
})

for (const overResponses of [false, true]) {
  describe(`LangChain, over ${overResponses ? "responses" : "chat completions"}`, () => {
    it.scopedLive("chats, whole and streamed, with usage", () =>
      Effect.gen(function*() {
        const { chat, llm } = yield* scripted(ScriptedLlm.repeat({
          content: [Prompt.text("hello to you all")],
          usage: { inputTokens: 3, outputTokens: 4 }
        }))
        const model = chat(overResponses)
        const whole = yield* given(() => model.invoke([new SystemMessage("be brief"), new HumanMessage("hi")]))
        assert.strictEqual(whole.text, "hello to you all")
        assert.deepInclude<object>(whole.usage_metadata!, { input_tokens: 3, output_tokens: 4, total_tokens: 7 })
        const chunks = yield* given(() => model.stream("hi").then(collect))
        assert.strictEqual(chunks.map((chunk) => chunk.text).join(""), "hello to you all")
        assert.isAbove(chunks.length, 4)
        const all = chunks.reduce((all, chunk) => all.concat(chunk))
        assert.deepInclude<object>(all.usage_metadata!, { input_tokens: 3, output_tokens: 4 })
        const asked = yield* llm.requests
        assert.deepStrictEqual(asked.map(({ operation }) => operation), ["generateText", "streamText"])
        assert.deepStrictEqual(asked[0]?.operation === "generateText" && asked[0].request.prompt, [
          Prompt.system("be brief"),
          Prompt.user("hi")
        ])
      }))

    it.scopedLive("calls tools and answers with their results, whole and streamed", () =>
      Effect.gen(function*() {
        const call = ScriptedLlm.toolCall("get_weather", { city: "Oslo" }, "call_1")
        const { chat, llm } = yield* scripted(call, "it rains", call)
        const model = chat(overResponses).bindTools([weather])
        const first = yield* given(() => model.invoke("hi"))
        assert.deepStrictEqual(
          first.tool_calls?.map(({ args, id, name }) => ({ args, id, name })),
          [{ args: { city: "Oslo" }, id: "call_1", name: "get_weather" }]
        )
        const result: ToolMessage = yield* given(() => weather.invoke({ ...first.tool_calls![0]!, type: "tool_call" }))
        const second = yield* given(() => model.invoke([new HumanMessage("hi"), first, result]))
        assert.instanceOf(second, AIMessage)
        assert.strictEqual(second.text, "it rains")
        const asked = (yield* llm.requests)[1]
        assert.deepStrictEqual(asked?.operation === "generateText" && asked.request.prompt, [
          Prompt.user("hi"),
          Prompt.assistant([call]),
          Prompt.tool([{ _tag: "ToolResult", id: "call_1", name: "get_weather", result: "rain in Oslo" }])
        ])
        const chunks = yield* given(() => model.stream("hi").then(collect))
        const all = chunks.reduce((all, chunk) => all.concat(chunk))
        assert.deepStrictEqual(all.tool_calls?.map(({ args, id }) => [id, args]), [["call_1", { city: "Oslo" }]])
      }))

    it.scopedLive("reads answers of a schema", () =>
      Effect.gen(function*() {
        const { chat, llm } = yield* scripted("{\"name\":\"Ada\",\"age\":36}")
        const schema = z.object({ name: z.string(), age: z.number() })
        const model = chat(overResponses).withStructuredOutput(schema, { method: "jsonSchema", name: "person" })
        assert.deepStrictEqual(yield* given(() => model.invoke("who?")), { name: "Ada", age: 36 })
        const asked = (yield* llm.requests)[0]
        assert.strictEqual(asked?.operation === "generateText" && asked.request.format?._tag, "JsonSchema")
      }))

    it.scopedLive("throws the errors of OpenAI's client, and hears of a stream that breaks off", () =>
      Effect.gen(function*() {
        const common = { backend: "scripted", message: "it is so" }
        const { chat } = yield* scripted(
          new LlmError.AuthenticationFailed(common),
          [{ _tag: "Start", model: "parrot" }, { _tag: "TextDelta", text: "hel" }, new LlmError.ServerFault(common)]
        )
        const model = chat(overResponses)
        const denied = yield* rejection(() => model.invoke("hi"))
        assert.deepInclude(denied, { status: 401, code: "authentication_failed" })
        let text = ""
        const broken = yield* rejection(async () => {
          for await (const chunk of await model.stream("hi")) text += chunk.text
        })
        assert.instanceOf(broken, Error)
        assert.include(broken.message, "it is so")
        assert.strictEqual(text, "hel")
      }))
  })
}

describe("LangChain", () => {
  it.scopedLive("embeds", () =>
    Effect.gen(function*() {
      const { configuration } = yield* scripted({ model: "small", vectors: [[0.5, -1.25], [1, 2]], usage: {} })
      const embeddings = new OpenAIEmbeddings({ model: "scripted/small", apiKey: "anything", maxRetries: 0, configuration })
      assert.deepStrictEqual(yield* given(() => embeddings.embedDocuments(["a", "b"])), [[0.5, -1.25], [1, 2]])
    }))
})
