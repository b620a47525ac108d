/** OpenAI's own client, over chat completions and over responses, and backends that speak other wires, simulated. */
import * as HttpClient from "@effect/platform/HttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Resilience from "@spillway/core/Resilience"
import * as Router from "@spillway/core/Router"
import * as Catalogue from "@spillway/providers/Catalogue"
import * as Simulator from "@spillway/testing/Simulator"
import { ConfigProvider, Effect, Layer } from "effect"
import type OpenAI from "openai"
import type { ResponseInput } from "openai/resources/responses/responses"
import { given, served } from "./served.js"

const backends = {
  openai: "gpt-4o-mini",
  anthropic: "claude-haiku-4-5",
  gemini: "gemini-flash-lite-latest",
  groq: "llama-3.1-8b-instant",
  ollama: "llama3.2"
} as const

type Name = keyof typeof backends

/** Those whose reasoning is signed, and refused where it comes back another. */
const thinking: ReadonlySet<Name> = new Set(["anthropic", "gemini"])

const house = Effect.gen(function*() {
  const simulator = yield* Simulator.make()
  const variables = Layer.setConfigProvider(ConfigProvider.fromMap(new Map(simulator.environment("http://simulator"))))
  const layers = Object.fromEntries(
    (Object.keys(backends) as ReadonlyArray<Name>).map((name) => {
      const { layer }: Catalogue.Entry = Catalogue.backends[name]
      return [name, layer.pipe(Resilience.layer({ retry: false }), Layer.provide(variables))]
    })
  )
  return yield* served(
    Router.layer(layers).pipe(Layer.provide(Layer.succeed(HttpClient.HttpClient, simulator.client)))
  )
})

const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] }
const question = "What is the weather in Tokyo?"
const result = "21 degrees and sunny"
const image = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="

describe("any backend, for OpenAI's client", () => {
  for (const [name, model] of Object.entries(backends) as ReadonlyArray<[Name, string]>) {
    it.scopedLive(`${name} has a tool called over responses and answers with its result, whole and streamed`, () =>
      Effect.gen(function*() {
        const { client } = yield* house
        const ask = {
          model: `${name}/${model}`,
          max_output_tokens: 4000,
          tools: [{ type: "function", name: "get_weather", parameters, strict: false } as const],
          ...(thinking.has(name) && { reasoning: { effort: "low", summary: "auto" } as const })
        }
        const asks = [
          (input: ResponseInput) => client.responses.create({ ...ask, input }),
          (input: ResponseInput) => client.responses.stream({ ...ask, input }).finalResponse()
        ]
        for (const run of asks) {
          const input: ResponseInput = [{ role: "user", content: question }]
          const first = yield* given(() => run(input))
          assert.strictEqual(first.output.some(({ type }) => type === "reasoning"), thinking.has(name))
          const call = first.output.find((item) => item.type === "function_call")
          assert.deepStrictEqual(JSON.parse(call?.arguments ?? ""), { city: "Tokyo" })
          const last = yield* given(() =>
            run([
              ...input,
              ...first.output as ResponseInput,
              { type: "function_call_output", call_id: call!.call_id, output: result }
            ])
          )
          assert.include(last.output_text, result)
          assert.isAbove(last.usage?.output_tokens ?? 0, 0)
        }
      }))

    it.scopedLive(`${name} has a tool called over chat completions and answers with its result, whole and streamed`, () =>
      Effect.gen(function*() {
        const { client } = yield* house
        const ask = {
          model: `${name}/${model}`,
          max_completion_tokens: 4000,
          tools: [{ type: "function", function: { name: "get_weather", parameters } } as const],
          ...(thinking.has(name) && { reasoning_effort: "low" } as const)
        }
        type Messages = Array<OpenAI.ChatCompletionMessageParam>
        const asks = [
          (messages: Messages) => client.chat.completions.create({ ...ask, messages }),
          (messages: Messages) =>
            client.chat.completions
              .stream({ ...ask, messages, stream: true, stream_options: { include_usage: true } })
              .finalChatCompletion()
        ]
        for (const run of asks) {
          const messages: Messages = [{ role: "user", content: question }]
          const { message } = (yield* given(() => run(messages))).choices[0]!
          const [call] = message.tool_calls ?? []
          assert.deepStrictEqual(JSON.parse(call?.type === "function" ? call.function.arguments : ""), { city: "Tokyo" })
          const last = yield* given(() =>
            run([...messages, message, { role: "tool", tool_call_id: call!.id, content: result }])
          )
          assert.include(last.choices[0]?.message.content, result)
          assert.isAbove(last.usage?.completion_tokens ?? 0, 0)
        }
      }))
  }

  it.scopedLive("sees pictures, and keeps to a schema", () =>
    Effect.gen(function*() {
      const { client } = yield* house
      for (const name of ["openai", "anthropic", "gemini"] as const) {
        const model = `${name}/${backends[name]}`
        const seen = yield* given(() =>
          client.responses.create({
            model,
            max_output_tokens: 500,
            input: [{
              role: "user",
              content: [
                { type: "input_text", text: "What is this?" },
                { type: "input_image", image_url: image, detail: "auto" }
              ]
            }]
          })
        )
        assert.notStrictEqual(seen.output_text, "", name)
        const schema = { ...parameters, additionalProperties: false }
        const shaped = yield* given(() =>
          client.responses.create({
            model,
            max_output_tokens: 500,
            input: "Where?",
            text: { format: { type: "json_schema", name: "place", schema, strict: true } }
          })
        )
        assert.typeOf(JSON.parse(shaped.output_text).city, "string", name)
      }
    }))
})
