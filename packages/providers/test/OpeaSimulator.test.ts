import { assert, describe, it } from "@effect/vitest"
import * as Completion from "@spillway/core/Completion"
import type * as LlmError from "@spillway/core/LlmError"
import * as Prompt from "@spillway/core/Prompt"
import * as Opea from "@spillway/providers/Opea"
import * as OpeaWire from "@spillway/providers/OpeaWire"
import * as Simulator from "@spillway/testing/Simulator"
import * as Effect from "effect/Effect"
import { failFor, ofStreams, simulated, streamed } from "./simulated.js"

const on = <A, E>(
  use: (backend: Opea.Backend, simulator: Simulator.Service) => Effect.Effect<A, E>,
  options: Opea.Options = {}
) => simulated(() => Opea.make({ ...options, baseUrl: "http://simulator/opea" }), use)

const utf8 = (text: string) => new TextEncoder().encode(text)

describe("OPEA and the simulator", () => {
  for (const megaservice of OpeaWire.names) {
    it.effect(`chat through ${megaservice}, whole and streamed, with the same answer`, () =>
      on(({ llm }) =>
        Effect.gen(function*() {
          const request: Completion.Request = {
            model: megaservice === "AgentQnA" ? "" : OpeaWire.megaservices[megaservice].name,
            prompt: "It's “Grüße”, \\n \"🌊\"",
            providerOptions: { opea: { from: "German", to: "English" } }
          }
          const whole = yield* llm.generateText(request)
          assert.match(whole.text, /^You said: “It's “Grüße”, \\n "🌊"”\./)
          const inPieces = yield* streamed(llm)(request)
          assert.deepStrictEqual([inPieces.text, inPieces.finishReason], [whole.text, whole.finishReason])
        }), { megaservice }))
  }

  it.effect("look at a picture", () =>
    on(({ llm }) =>
      Effect.map(
        llm.generateText({
          model: "visualqna",
          prompt: Prompt.user([Prompt.text("What is this?"), Prompt.image("aGk=", "image/png")])
        }),
        ({ text }) => assert.include(text, "You showed me an image.")
      ), { megaservice: "VisualQnA" }))

  it.effect("take documents in, find them by a vector, rank them, and forget them", () =>
    on(({ llm, opea }) =>
      Effect.gen(function*() {
        const content = utf8("The river floods in spring.\n\nGrüße aus Oslo.\n\nA spillway lets the water go.")
        const documents = { _tag: "File", name: "notes.txt", mediaType: "text/plain", content } as const
        yield* opea.ingest({ documents, chunkSize: 100 })
        yield* opea.ingest({ documents: { _tag: "Links", links: ["https://example.org/a"] } })
        const again = yield* Effect.flip(opea.ingest({ documents }))
        assert.strictEqual(again._tag, "Conflict")
        assert.include(again.message, "notes.txt already exists")
        assert.deepStrictEqual((yield* opea.files()).map(({ id }) => id), ["notes.txt", "https://example.org/a.txt"])

        const query = "water in a spillway"
        const { vectors } = yield* llm.embed({ model: "", input: [query] })
        const found = yield* opea.retrieve({ query, embedding: vectors[0]!, k: 3 })
        assert.strictEqual(found.length, 3)
        assert.deepStrictEqual(found[0], { text: "A spillway lets the water go.", metadata: { source: "notes.txt" } })
        const ranked = yield* llm.rerank({ model: "", query, documents: found.map(({ text }) => text).toReversed(), topN: 2 })
        assert.strictEqual(ranked.results.length, 2)
        assert.deepInclude(ranked.results[0], { index: 2, document: "A spillway lets the water go." })

        yield* opea.removeFile("notes.txt")
        assert.strictEqual((yield* Effect.flip(opea.removeFile("notes.txt")))._tag, "NotFound")
      })
    ))

  it.effect("ask the model directly, with a tool by its name and with a format", () =>
    on(({ opea: { llm } }) =>
      Effect.gen(function*() {
        const model = "meta-llama/Meta-Llama-3-8B-Instruct"
        const tool = { name: "get_weather", parameters: { type: "object", properties: { city: { type: "string" } } } }
        const called = yield* llm.generateText({ model, prompt: "Weather in Oslo?", tools: [tool], toolChoice: { tool: tool.name } })
        assert.deepStrictEqual(called.toolCalls.map(({ name }) => name), ["get_weather"])
        const answered = yield* Completion.collect(llm.streamText({
          model,
          prompt: [
            Prompt.user("Weather in Oslo?"),
            Prompt.assistant(called.content),
            Prompt.tool([{ _tag: "ToolResult", id: called.toolCalls[0]!.id, name: tool.name, result: "3 °C" }])
          ],
          tools: [tool],
          toolChoice: "none"
        }))
        assert.include(answered.text, "3 °C")
        assert.isAbove(answered.usage.inputTokens!, 0)
        const json = yield* llm.generateText({
          model,
          prompt: "Who?",
          format: { _tag: "JsonSchema", name: "person", schema: { type: "object" } }
        })
        assert.isObject(JSON.parse(json.text))
        assert.strictEqual((yield* Effect.flip(llm.generateText({ model: "nope", prompt: "hi" })))._tag, "ServerFault")
      })
    ))

  it.effect("are well, all of them", () =>
    on(({ llm, opea }) =>
      Effect.zipRight(
        llm.health,
        Effect.forEach(Object.keys(Opea.ports) as Array<Opea.Component>, (component) => opea.health(component))
      )
    ))

  it.effect("fail with a fault where the model refuses what is too long for it, and only the end marker comes", () =>
    on(({ llm }) =>
      Effect.gen(function*() {
        const request = { model: "chatqna", prompt: "too long ".repeat(5000) }
        assert.strictEqual((yield* Effect.flip(llm.generateText(request)))._tag, "ServerFault")
        const error = yield* Effect.flip(streamed(llm)(request))
        assert.strictEqual(error._tag, "ServerFault")
        assert.strictEqual((error as LlmError.ServerFault).status, 200)
      })
    ))

  it.effect("say which field of a request is wrong, where they look at it", () =>
    on(({ opea }) =>
      Effect.map(Effect.flip(opea.retrieve({ query: "q", embedding: [1], k: 0 })), (error) => {
        assert.strictEqual(error._tag, "InvalidRequest")
        assert.include(error.message, "\"k\"")
      })
    ))

  for (const megaservice of ["ChatQnA", "CodeGen"] as const) {
    describe(`through ${megaservice}`, () => {
      failFor<Opea.Backend>(
        { ...ofStreams, streamError: "StreamInterrupted" },
        (use) => on(use, { megaservice }),
        ({ llm }) => streamed(llm)({ model: "", prompt: "Hello there" })
      )
    })
  }
})
