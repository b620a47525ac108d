/** The backend and the simulator, which keeps Ollama's rules and is held to Ollama's own client. */
import { assert, describe, it } from "@effect/vitest"
import type * as LlmError from "@spillway/core/LlmError"
import * as Prompt from "@spillway/core/Prompt"
import * as Ollama from "@spillway/providers/Ollama"
import * as Simulator from "@spillway/testing/Simulator"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { callTool, failFor, ofStreams, simulated, streamed, weather } from "./simulated.js"

const model = "llama3.2"

const on = <A, E>(use: (backend: Ollama.Backend, simulator: Simulator.Service) => Effect.Effect<A, E>) =>
  simulated(() => Ollama.make({ baseUrl: "http://simulator/ollama" }), use, { models: ["some-reasoning", "some-embed"] })

describe("Ollama and the simulator", () => {
  it.effect("chat, whole and streamed, with the same answer and the same count", () =>
    on(({ llm }) =>
      Effect.gen(function*() {
        const request = { model, prompt: [Prompt.system("Be brief."), Prompt.user("Hello there")], temperature: 0 }
        const whole = yield* llm.generateText(request)
        assert.match(whole.text, /^You said: “Hello there”\./)
        assert.deepStrictEqual(yield* streamed(llm)(request), whole)
      })
    ))

  it.effect("call a tool and send its result back, whole and streamed", () =>
    on(({ llm }) => callTool(llm, { model, prompt: "What is the weather in Tokyo?", tools: [weather] })))

  it.effect("answer by schema and by length, and think aloud", () =>
    on(({ llm }) =>
      Effect.gen(function*() {
        const schema = { type: "object", properties: { name: { type: "string" } }, required: ["name"] }
        const format = { _tag: "JsonSchema", name: "person", schema } as const
        const structured = yield* llm.generateText({ model, prompt: "Who?", format })
        assert.isString(JSON.parse(structured.text).name)
        const short = yield* llm.generateText({ model, prompt: "Hello", maxTokens: 2 })
        assert.strictEqual(short.finishReason, "length")
        const thinking = { model: "some-reasoning", prompt: "Why?", reasoning: { effort: "high" } } as const
        const thought = yield* streamed(llm)(thinking)
        assert.strictEqual(thought.content[0]?._tag, "Reasoning")
      })
    ))

  it.effect("embed texts and list the models", () =>
    on(({ llm }) =>
      Effect.gen(function*() {
        const { usage, vectors } = yield* llm.embed({ model: "some-embed", input: ["first", "second", "first"] })
        assert.deepStrictEqual(vectors[0], vectors[2])
        assert.notDeepEqual(vectors[0], vectors[1])
        assert.isAbove(usage.inputTokens!, 0)
        assert.include((yield* llm.listModels).map(({ id }) => id).join(" "), model)
      })
    ))

  it.effect("fail with ModelNotFound for an absent model, and say how to come by it", () =>
    on(({ llm }) =>
      Effect.map(Effect.flip(llm.generateText({ model: "nope", prompt: "hi" })), (error) => {
        assert.strictEqual(error._tag, "ModelNotFound")
        assert.include(error.message, "ollama pull nope")
      })
    ))

  it.effect("pull a model, look at it, load and unload it, go on with a text, and remove it", () =>
    on(({ llm, ollama }) =>
      Effect.gen(function*() {
        const ids = Effect.map(llm.listModels, (models) => models.map(({ id }) => id))
        assert.notInclude(yield* ids, "mistral:latest")
        const progress = [...yield* Stream.runCollect(ollama.pull({ model: "mistral" }))]
        assert.strictEqual(progress[0]!.status, "pulling manifest")
        const [first, ...rest] = progress.filter(({ total }) => total !== undefined)
        assert.isBelow(first!.completed!, first!.total!)
        assert.strictEqual(rest.at(-1)!.completed, rest.at(-1)!.total)
        assert.strictEqual(progress.at(-1)!.status, "success")
        assert.include(yield* ids, "mistral:latest")

        const details = yield* ollama.show("mistral")
        assert.strictEqual(details.contextWindow, 32_768)
        assert.isTrue(details.capabilities?.has("completion"))

        const loaded = yield* ollama.generate({ model: "mistral", keepAlive: "1h" })
        assert.deepStrictEqual([loaded.text, loaded.finishReason, loaded.usage], ["", "other", {}])
        const [running] = yield* ollama.running
        assert.deepInclude(running, { id: "mistral:latest", expires: 3600 })
        const request = { model: "mistral", prompt: "Once upon a time", maxTokens: 20 }
        const whole = yield* ollama.generate(request)
        assert.match(whole.text, /^You said/)
        const parts = [...yield* Stream.runCollect(ollama.generateStream(request))]
        assert.strictEqual(parts.map((part) => part._tag === "Text" ? part.text : "").join(""), whole.text)
        const { model, usage } = whole
        assert.deepStrictEqual(parts.at(-1), { _tag: "Done", finishReason: "length", model, usage })
        yield* ollama.generate({ model: "mistral", keepAlive: 0 })
        assert.deepStrictEqual(yield* ollama.running, [])

        yield* ollama.remove("mistral")
        const gone = yield* Effect.flip(ollama.remove("mistral"))
        assert.strictEqual(gone._tag, "ModelNotFound")
        assert.notInclude(gone.message, "ollama pull")
        assert.strictEqual((yield* Effect.flip(ollama.show("mistral")))._tag, "ModelNotFound")
      })
    ))

  it.effect("fail to pull what the registry does not have, in the midst of the stream", () =>
    on(({ ollama }) =>
      Effect.gen(function*() {
        const seen: Array<string> = []
        const error = yield* Effect.flip(
          Stream.runForEach(ollama.pull({ model: "nope" }), ({ status }) => Effect.sync(() => seen.push(status)))
        )
        assert.deepStrictEqual(seen, ["pulling manifest"])
        assert.strictEqual(error._tag, "ModelNotFound")
      })
    ))

  it.effect("think before a text, whole and in pieces", () =>
    on(({ ollama }) =>
      Effect.gen(function*() {
        const request = { model: "some-reasoning", prompt: "Why?", think: true } as const
        const { reasoning } = yield* ollama.generate(request)
        const parts = [...yield* Stream.runCollect(ollama.generateStream(request))]
        assert.notStrictEqual(reasoning, "")
        assert.strictEqual(parts.map((part) => part._tag === "Reasoning" ? part.text : "").join(""), reasoning)
      })
    ))

  it.effect("tell their version, and are well while they are there", () =>
    on(({ llm, ollama }, simulator) =>
      Effect.gen(function*() {
        assert.strictEqual(yield* ollama.version, "0.33.0")
        yield* llm.health
        yield* simulator.down()
        assert.strictEqual((yield* Effect.flip(llm.health))._tag, "NetworkFailure")
      })
    ))

  for (const [fault, tag] of Object.entries({ streamCut: "StreamInterrupted", streamReset: "StreamInterrupted" })) {
    it.effect(`take no pull for whole that ${fault} cut short`, () =>
      on(({ ollama }, simulator) =>
        Effect.gen(function*() {
          for (const stream of [ollama.pull({ model: "mistral" }), ollama.generateStream({ model, prompt: "hi" })]) {
            yield* simulator.inject(fault as Simulator.Fault) // a key of the table above
            const error = yield* Effect.flip(Stream.runDrain<unknown, LlmError.LlmError, never>(stream))
            assert.strictEqual(error._tag, tag)
          }
        })
      ))
  }

  failFor(ofStreams, on, ({ llm }) => streamed(llm)({ model, prompt: "Hello there" }))
})
