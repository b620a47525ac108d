/** OpenAI's Responses, and a real server that is not of our making. */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { assert, describe, it, layer } from "@effect/vitest"
import { Completion, Prompt, Tool } from "@spillway/core"
import * as OpenAi from "@spillway/providers/OpenAi"
import { Effect, Redacted, Schema } from "effect"
import * as LlamaServer from "../../../testing/test/llamaServer.js"

const missing = LlamaServer.missing

const text = "Hello, world! This text is scripted."

const weather = Tool.make("get_weather", {
  description: "The weather in a city, now",
  parameters: Schema.Struct({ city: Schema.String, unit: Schema.String })
})

describe("a real model server, over Responses", () => {
  if (missing !== undefined) return it("is not here", ({ skip }) => skip(missing))

  layer(LlamaServer.layer, { excludeTestServices: true, timeout: "30 seconds" })((it) => {
    const responses = (key = LlamaServer.key) =>
      Effect.flatMap(LlamaServer.LlamaServer, ({ origin }) =>
        Effect.map(
          OpenAi.make({ baseUrl: `${origin}/v1`, apiKeys: [Redacted.make(key)], api: "responses" }),
          ({ llm }) => llm
        )).pipe(Effect.provide(FetchHttpClient.layer))

    it.scoped("says its text, whole and streamed, and counts alike", () =>
      Effect.gen(function*() {
        const llm = yield* responses()
        const request = { model: "scripted", prompt: "hello" }
        const whole = yield* llm.generateText(request)
        const streamed = yield* Completion.collect(llm.streamText(request))
        assert.deepStrictEqual([whole.text, streamed.text], [text, text])
        assert.deepStrictEqual([whole.finishReason, streamed.finishReason], ["stop", "stop"])
        assert.strictEqual(whole.usage.outputTokens, streamed.usage.outputTokens)
      }))

    it.scoped("calls a tool, and answers with what it heard", () =>
      Effect.gen(function*() {
        const llm = yield* responses()
        const asked = { model: "scripted", tools: [weather] }
        const question = Prompt.make("What is the weather in Bern?")
        for (
          const answer of [
            yield* llm.generateText({ ...asked, prompt: question }),
            yield* Completion.collect(llm.streamText({ ...asked, prompt: question }))
          ]
        ) {
          const [call] = answer.toolCalls
          assert.deepStrictEqual([call?.name, JSON.parse(call?.arguments ?? "")], ["get_weather", { city: "Bern", unit: "c" }])
          const { id, name } = call!
          const heard = Prompt.tool([{ _tag: "ToolResult", id, name, result: "12" }])
          const prompt = [...question, Prompt.assistant(answer.content), heard]
          assert.strictEqual((yield* llm.generateText({ ...asked, prompt })).text, "It is 12°C in Bern.")
        }
      }))

    it.scoped("refuses a wrong key", () =>
      Effect.gen(function*() {
        const llm = yield* responses("sk-wrong-key")
        const error = yield* Effect.flip(llm.generateText({ model: "scripted", prompt: "hello" }))
        assert.strictEqual(error._tag, "AuthenticationFailed")
      }))
  })
})
