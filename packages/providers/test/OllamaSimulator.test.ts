/** The backend and the simulator, which keeps Ollama's rules and is held to Ollama's own client. */
import * as HttpClient from "@effect/platform/HttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Completion from "@spillway/core/Completion"
import type * as LlmError from "@spillway/core/LlmError"
import type * as LlmService from "@spillway/core/LlmService"
import * as Prompt from "@spillway/core/Prompt"
import * as Tool from "@spillway/core/Tool"
import * as Ollama from "@spillway/providers/Ollama"
import * as Simulator from "@spillway/testing/Simulator"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const model = "llama3.2"

const weather = Tool.make("get_weather", { parameters: Schema.Struct({ city: Schema.String }) })

const streamed = (service: LlmService.Service) => (request: Completion.Request) =>
  Completion.collect(service.streamText(request))

const on = <A, E>(
  use: (service: LlmService.Service, simulator: Simulator.Service) => Effect.Effect<A, E>
) =>
  Effect.scoped(Effect.gen(function*() {
    const simulator = yield* Simulator.make({ models: ["some-reasoning", "some-embed"] })
    const service = yield* Ollama.make({ baseUrl: "http://simulator/ollama" }).pipe(
      Effect.provideService(HttpClient.HttpClient, simulator.client)
    )
    return yield* use(service, simulator)
  }))

describe("Ollama and the simulator", () => {
  it.effect("chat, whole and streamed, with the same answer and the same count", () =>
    on((service) =>
      Effect.gen(function*() {
        const request = { model, prompt: [Prompt.system("Be brief."), Prompt.user("Hello there")], temperature: 0 }
        const whole = yield* service.generateText(request)
        assert.match(whole.text, /^You said: “Hello there”\./)
        assert.deepStrictEqual(yield* Completion.collect(service.streamText(request)), whole)
      })
    ))

  it.effect("call a tool and send its result back, whole and streamed", () =>
    on((service) =>
      Effect.gen(function*() {
        const request: Completion.Request = { model, prompt: "What is the weather in Tokyo?", tools: [weather] }
        for (const ask of [service.generateText, streamed(service)]) {
          const asked = yield* ask(request)
          assert.strictEqual(asked.finishReason, "tool-calls")
          const { arguments: args, id, name } = asked.toolCalls[0]!
          assert.deepStrictEqual([name, JSON.parse(args)], ["get_weather", { city: "Tokyo" }])
          const answered = yield* ask({
            ...request,
            prompt: [
              ...Prompt.make(request.prompt),
              Prompt.assistant(asked.content),
              Prompt.tool([{ _tag: "ToolResult", id, name, result: "21 degrees and sunny" }])
            ]
          })
          assert.include(answered.text, "21 degrees and sunny")
        }
      })
    ))

  it.effect("answer by schema and by length, and think aloud", () =>
    on((service) =>
      Effect.gen(function*() {
        const schema = { type: "object", properties: { name: { type: "string" } }, required: ["name"] }
        const format = { _tag: "JsonSchema", name: "person", schema } as const
        const structured = yield* service.generateText({ model, prompt: "Who?", format })
        assert.isString(JSON.parse(structured.text).name)
        const short = yield* service.generateText({ model, prompt: "Hello", maxTokens: 2 })
        assert.strictEqual(short.finishReason, "length")
        const thinking = { model: "some-reasoning", prompt: "Why?", reasoning: { effort: "high" } } as const
        const thought = yield* Completion.collect(service.streamText(thinking))
        assert.strictEqual(thought.content[0]?._tag, "Reasoning")
      })
    ))

  it.effect("embed texts and list the models", () =>
    on((service) =>
      Effect.gen(function*() {
        const { usage, vectors } = yield* service.embed({ model: "some-embed", input: ["first", "second", "first"] })
        assert.deepStrictEqual(vectors[0], vectors[2])
        assert.notDeepEqual(vectors[0], vectors[1])
        assert.isAbove(usage.inputTokens!, 0)
        assert.include((yield* service.listModels).map(({ id }) => id).join(" "), model)
      })
    ))

  it.effect("fail with ModelNotFound for an absent model, and say how to come by it", () =>
    on((service) =>
      Effect.map(Effect.flip(service.generateText({ model: "nope", prompt: "hi" })), (error) => {
        assert.strictEqual(error._tag, "ModelNotFound")
        assert.include(error.message, "ollama pull nope")
      })
    ))

  const faults: { readonly [F in Simulator.Fault]?: LlmError.Tag } = {
    connectionReset: "NetworkFailure",
    serverError: "ServerFault",
    overloaded: "ServerFault",
    rateLimited: "RateLimited",
    malformed: "MalformedResponse",
    streamError: "ServerFault",
    streamCut: "StreamInterrupted",
    streamReset: "StreamInterrupted"
  }

  for (const [fault, tag] of Object.entries(faults)) {
    it.effect(`fail with ${tag} for ${fault}`, () =>
      on((service, simulator) =>
        Effect.gen(function*() {
          yield* simulator.inject(fault as Simulator.Fault) // a key of the table above
          const error = yield* Effect.flip(Completion.collect(service.streamText({ model, prompt: "Hello there" })))
          assert.strictEqual(error._tag, tag)
        })
      ))
  }
})
