import { assert, describe, it } from "@effect/vitest"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Prompt from "@spillway/core/Prompt"
import * as Moderation from "@spillway/gateway/Moderation"
import * as ScriptedLlm from "@spillway/testing/ScriptedLlm"
import { Duration, Effect, Layer } from "effect"
import OpenAI from "openai"
import { zodResponseFormat, zodTextFormat } from "openai/helpers/zod"
import type { ResponseInput } from "openai/resources/responses/responses"
import { z } from "zod"
import { collect, given, rejection, served } from "./served.js"

/** A gateway before a script, called by OpenAI's own client. */
const scripted = (...script: ReadonlyArray<ScriptedLlm.Step | ScriptedLlm.Repeat>) =>
  Effect.gen(function*() {
    const llm = yield* ScriptedLlm.make(...script)
    return { llm, ...(yield* served(Layer.succeed(LlmService.LlmService, llm))) }
  })

const hi = { model: "scripted/parrot", input: "hi" }

const weather: OpenAI.Responses.FunctionTool = {
  type: "function",
  name: "get_weather",
  parameters: { type: "object", properties: { city: { type: "string" } } },
  strict: true
}

const Person = z.object({ name: z.string(), age: z.number() })

const ada = "{\"name\":\"Ada\",\"age\":36}"

describe("OpenAI's client, over responses", () => {
  it.scopedLive("asks, with a picture, and gets text, reasoning and usage, whole and streamed", () =>
    Effect.gen(function*() {
      const { client, llm } = yield* scripted(ScriptedLlm.repeat({
        content: [{ _tag: "Reasoning", text: "hm" }, Prompt.text("hello to you all")],
        usage: { inputTokens: 3, outputTokens: 4 }
      }))
      const ask = {
        ...hi,
        instructions: "be brief",
        input: [{
          role: "user",
          content: [
            { type: "input_text", text: "what is it?" },
            { type: "input_image", image_url: "data:image/png;base64,iVBO", detail: "auto" }
          ]
        }] satisfies ResponseInput
      }
      const whole = yield* given(() => client.responses.create(ask))
      assert.strictEqual(whole.output_text, "hello to you all")
      assert.strictEqual(whole.usage?.total_tokens, 7)
      const stream = client.responses.stream(ask)
      let text = ""
      let thoughts = ""
      stream.on("response.output_text.delta", ({ delta }) => text += delta)
      stream.on("response.reasoning_summary_text.delta", ({ delta }) => thoughts += delta)
      const streamed = yield* given(() => stream.finalResponse())
      assert.deepStrictEqual([text, thoughts, streamed.output_text], ["hello to you all", "hm", "hello to you all"])
      assert.deepStrictEqual(streamed.output.map(({ type }) => type), ["reasoning", "message"])
      const [first, second] = (yield* llm.requests).map((asked) => "request" in asked && asked.request)
      assert.deepStrictEqual<unknown>(first, {
        model: "scripted/parrot",
        prompt: [
          Prompt.system("be brief"),
          Prompt.user([Prompt.text("what is it?"), { ...Prompt.image("iVBO", "image/png"), detail: "auto" }])
        ]
      })
      assert.deepStrictEqual(second, first)
    }))

  it.scopedLive("calls tools and sends everything back as it came, whole and streamed", () =>
    Effect.gen(function*() {
      const thought: Prompt.ReasoningPart = { _tag: "Reasoning", text: "hm", signature: "signed" }
      const call = { ...ScriptedLlm.toolCall("get_weather", { city: "Oslo" }, "call_1"), signature: "proof" }
      const asking: ScriptedLlm.Answer = { content: [thought, call] }
      const { client, llm } = yield* scripted(asking, "rain", asking, "rain")
      const ask = { ...hi, tools: [weather] }
      const answer = (output: ReadonlyArray<OpenAI.Responses.ResponseOutputItem>) => [
        { role: "user", content: "hi" },
        ...output,
        { type: "function_call_output", call_id: "call_1", output: "12°" }
      ] as ResponseInput
      const first = yield* given(() => client.responses.create(ask))
      const second = yield* given(() => client.responses.create({ ...ask, input: answer(first.output) }))
      assert.strictEqual(second.output_text, "rain")
      const streamed = yield* given(() => client.responses.stream(ask).finalResponse())
      const last = yield* given(() => client.responses.stream({ ...ask, input: answer(streamed.output) }).finalResponse())
      assert.strictEqual(last.output_text, "rain")
      const whole = [
        Prompt.user("hi"),
        Prompt.assistant([thought, call]),
        Prompt.tool([{ _tag: "ToolResult", id: "call_1", name: "get_weather", result: "12°" }])
      ]
      const asked = (yield* llm.requests).map((asked) => "request" in asked && "prompt" in asked.request && asked.request.prompt)
      assert.deepStrictEqual(asked, [whole.slice(0, 1), whole, whole.slice(0, 1), whole])
    }))

  it.scopedLive("parses answers of a schema, of responses and of chats", () =>
    Effect.gen(function*() {
      const { client, llm } = yield* scripted(ada, ada, ada, "yes")
      const text = { format: zodTextFormat(Person, "person") }
      const whole = yield* given(() => client.responses.parse({ ...hi, text }))
      assert.deepStrictEqual(whole.output_parsed, { name: "Ada", age: 36 })
      const streamed = yield* given(() => client.responses.stream({ ...hi, text }).finalResponse())
      assert.deepStrictEqual(streamed.output_parsed, { name: "Ada", age: 36 })
      const chat = yield* given(() =>
        client.chat.completions.parse({
          model: hi.model,
          messages: [{ role: "user", content: "hi" }],
          response_format: zodResponseFormat(Person, "person")
        })
      )
      assert.deepStrictEqual(chat.choices[0]?.message.parsed, { name: "Ada", age: 36 })
      const asked = yield* llm.requests
      assert.strictEqual(asked.length, 3)
      for (const question of asked) {
        const format = "request" in question && "format" in question.request ? question.request.format : undefined
        assert.deepInclude(format, { _tag: "JsonSchema", name: "person", strict: true })
      }
      // what was parsed may be sent back as it is
      const input = [...whole.output, { role: "user", content: "and?" }] as ResponseInput
      assert.strictEqual((yield* given(() => client.responses.create({ ...hi, input }))).output_text, "yes")
    }))

  it.scopedLive("throws its own typed errors, before a stream and in the midst of it", () =>
    Effect.gen(function*() {
      const common = { backend: "scripted", message: "it is so" }
      const { client } = yield* scripted(
        new LlmError.RateLimited({ ...common, retryAfter: Duration.seconds(7) }),
        new LlmError.ModelNotFound(common),
        [{ _tag: "Start", model: "parrot" }, { _tag: "TextDelta", text: "hel" }, new LlmError.StreamInterrupted(common)]
      )
      const limited = yield* rejection(() => client.responses.create(hi))
      assert.instanceOf(limited, OpenAI.RateLimitError)
      assert.strictEqual(limited.headers.get("retry-after"), "7")
      assert.instanceOf(yield* rejection(() => client.responses.create({ ...hi, stream: true })), OpenAI.NotFoundError)
      let text = ""
      const thrown = yield* rejection(async () => {
        for await (const event of await client.responses.create({ ...hi, stream: true })) {
          if (event.type === "response.output_text.delta") text += event.delta
        }
      })
      assert.strictEqual(text, "hel")
      assert.instanceOf(thrown, OpenAI.APIError)
      assert.strictEqual(thrown.code, "stream_interrupted")
      for (const fields of [{ previous_response_id: "resp_1" }, { background: true }, { conversation: "c" }]) {
        const wrong = yield* rejection(() => client.responses.create({ ...hi, ...fields }))
        assert.instanceOf(wrong, OpenAI.BadRequestError)
        assert.strictEqual(wrong.param, Object.keys(fields)[0])
      }
    }))
})

describe("OpenAI's client", () => {
  it.scopedLive("goes on from a text, whole and streamed", () =>
    Effect.gen(function*() {
      const { client } = yield* scripted(
        ScriptedLlm.repeat({ content: [Prompt.text(" upon a time")], usage: { inputTokens: 1, outputTokens: 3 } })
      )
      const ask = { model: "scripted/parrot", prompt: "Once", echo: true }
      const whole = yield* given(() => client.completions.create(ask))
      assert.strictEqual(whole.choices[0]?.text, "Once upon a time")
      assert.strictEqual(whole.usage?.total_tokens, 4)
      const stream = { stream: true, stream_options: { include_usage: true } } as const
      const chunks = yield* given(() => client.completions.create({ ...ask, ...stream }).then(collect))
      assert.strictEqual(chunks.map((chunk) => chunk.choices[0]?.text ?? "").join(""), "Once upon a time")
      assert.strictEqual(chunks.at(-1)?.usage?.total_tokens, 4)
    }))

  it.scopedLive("has texts looked at, or hears that nobody can", () =>
    Effect.gen(function*() {
      const llm = Layer.effect(LlmService.LlmService, ScriptedLlm.make())
      const moderation = Moderation.make({
        openai: ({ input }) =>
          Effect.succeed({
            model: "omni",
            findings: [{ flagged: input === "bad", categories: { violence: true }, scores: {}, appliedTo: {} }]
          })
      })
      const { client } = yield* served(llm).pipe(Effect.provideService(Moderation.Moderation, moderation))
      const found = yield* given(() => client.moderations.create({ input: "bad" }))
      assert.deepStrictEqual([found.results[0]?.flagged, found.results[0]?.categories.violence], [true, true])
      const { client: other } = yield* served(llm)
      const thrown = yield* rejection(() => other.moderations.create({ input: "bad" }))
      assert.instanceOf(thrown, OpenAI.BadRequestError)
      assert.strictEqual(thrown.code, "unsupported")
    }))
})
