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
import * as Stream from "effect/Stream"

const model = "llama3.2"

const weather = Tool.make("get_weather", { parameters: Schema.Struct({ city: Schema.String }) })

const streamed = (service: LlmService.Service) => (request: Completion.Request) =>
  Completion.collect(service.streamText(request))

const on = <A, E>(
  use: (service: LlmService.Service, simulator: Simulator.Service, own: Ollama.Service) => Effect.Effect<A, E>
) =>
  Effect.scoped(Effect.gen(function*() {
    const simulator = yield* Simulator.make({ models: ["some-reasoning", "some-embed"] })
    const { llm, ollama } = yield* Ollama.make({ baseUrl: "http://simulator/ollama" }).pipe(
      Effect.provideService(HttpClient.HttpClient, simulator.client)
    )
    return yield* use(llm, simulator, ollama)
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

  it.effect("pull a model, look at it, load and unload it, go on with a text, and remove it", () =>
    on((service, _, own) =>
      Effect.gen(function*() {
        const ids = Effect.map(service.listModels, (models) => models.map(({ id }) => id))
        assert.notInclude(yield* ids, "mistral:latest")
        const progress = [...yield* Stream.runCollect(own.pull({ model: "mistral" }))]
        assert.strictEqual(progress[0]!.status, "pulling manifest")
        const [first, ...rest] = progress.filter(({ total }) => total !== undefined)
        assert.isBelow(first!.completed!, first!.total!)
        assert.strictEqual(rest.at(-1)!.completed, rest.at(-1)!.total)
        assert.strictEqual(progress.at(-1)!.status, "success")
        assert.include(yield* ids, "mistral:latest")

        const details = yield* own.show("mistral")
        assert.strictEqual(details.contextWindow, 32_768)
        assert.isTrue(details.capabilities?.has("completion"))

        const loaded = yield* own.generate({ model: "mistral", keepAlive: "1h" })
        assert.deepStrictEqual([loaded.text, loaded.finishReason, loaded.usage], ["", "other", {}])
        const [running] = yield* own.running
        assert.deepInclude(running, { id: "mistral:latest", expires: 3600 })
        const request = { model: "mistral", prompt: "Once upon a time", maxTokens: 20 }
        const whole = yield* own.generate(request)
        assert.match(whole.text, /^You said/)
        const parts = [...yield* Stream.runCollect(own.generateStream(request))]
        assert.strictEqual(parts.map((part) => part._tag === "Text" ? part.text : "").join(""), whole.text)
        const { model, usage } = whole
        assert.deepStrictEqual(parts.at(-1), { _tag: "Done", finishReason: "length", model, usage })
        yield* own.generate({ model: "mistral", keepAlive: 0 })
        assert.deepStrictEqual(yield* own.running, [])

        yield* own.remove("mistral")
        const gone = yield* Effect.flip(own.remove("mistral"))
        assert.strictEqual(gone._tag, "ModelNotFound")
        assert.notInclude(gone.message, "ollama pull")
        assert.strictEqual((yield* Effect.flip(own.show("mistral")))._tag, "ModelNotFound")
      })
    ))

  it.effect("fail to pull what the registry does not have, in the midst of the stream", () =>
    on((_, __, own) =>
      Effect.gen(function*() {
        const seen: Array<string> = []
        const error = yield* Effect.flip(
          Stream.runForEach(own.pull({ model: "nope" }), ({ status }) => Effect.sync(() => seen.push(status)))
        )
        assert.deepStrictEqual(seen, ["pulling manifest"])
        assert.strictEqual(error._tag, "ModelNotFound")
      })
    ))

  it.effect("think before a text, whole and in pieces", () =>
    on((_, __, own) =>
      Effect.gen(function*() {
        const request = { model: "some-reasoning", prompt: "Why?", think: true } as const
        const { reasoning } = yield* own.generate(request)
        const parts = [...yield* Stream.runCollect(own.generateStream(request))]
        assert.notStrictEqual(reasoning, "")
        assert.strictEqual(parts.map((part) => part._tag === "Reasoning" ? part.text : "").join(""), reasoning)
      })
    ))

  it.effect("tell their version, and are well while they are there", () =>
    on((service, simulator, own) =>
      Effect.gen(function*() {
        assert.strictEqual(yield* own.version, "0.33.0")
        yield* service.health
        yield* simulator.down()
        assert.strictEqual((yield* Effect.flip(service.health))._tag, "NetworkFailure")
      })
    ))

  for (const [fault, tag] of Object.entries({ streamCut: "StreamInterrupted", streamReset: "StreamInterrupted" })) {
    it.effect(`take no pull for whole that ${fault} cut short`, () =>
      on((_, simulator, own) =>
        Effect.gen(function*() {
          for (const stream of [own.pull({ model: "mistral" }), own.generateStream({ model, prompt: "hi" })]) {
            yield* simulator.inject(fault as Simulator.Fault) // a key of the table above
            const error = yield* Effect.flip(Stream.runDrain<unknown, LlmError.LlmError, never>(stream))
            assert.strictEqual(error._tag, tag)
          }
        })
      ))
  }

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
