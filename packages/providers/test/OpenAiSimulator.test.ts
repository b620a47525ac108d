/** OpenAI's and Groq's backends and the simulator, which keeps their rules and is held to their own clients. */
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Completion from "@spillway/core/Completion"
import * as Prompt from "@spillway/core/Prompt"
import * as Simulator from "@spillway/testing/Simulator"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Groq from "../src/Groq.js"
import * as OpenAi from "../src/OpenAi.js"
import { absent, spec } from "./spec.js"
import { simulated, streamed, weather } from "./simulated.js"

const model = "gpt-4o-mini"

const thinker = "gpt-5-mini"

const on = <A, E>(use: (backend: OpenAi.Backend, simulator: Simulator.Service) => Effect.Effect<A, E>) =>
  simulated(
    ({ keys: [key] }) => OpenAi.make({ baseUrl: "http://simulator/openai/v1", apiKeys: [key], api: "responses" }),
    use
  )

describe("OpenAI over Responses and the simulator", () => {
  it.effect("chat, whole and streamed, with the same answer and the same count", () =>
    on(({ llm }) =>
      Effect.gen(function*() {
        const request = { model, prompt: [Prompt.system("Be brief."), Prompt.user("Hello there")], temperature: 0 }
        const { id: _, ...whole } = yield* llm.generateText(request)
        const { id: __, ...parts } = yield* streamed(llm)(request)
        assert.match(whole.text, /^You said: “Hello there”\./)
        assert.strictEqual(whole.model, "gpt-4o-mini-2024-07-18")
        assert.deepStrictEqual(parts, whole)
      })
    ))

  it.effect("call two tools with thoughts of their own, and go on with sealed ones, whole and streamed", () =>
    on(({ llm }) =>
      Effect.gen(function*() {
        const request: Completion.Request = {
          model: thinker,
          prompt: "What is the weather in both Tokyo and Oslo?",
          tools: [weather],
          reasoning: { effort: "low" },
          providerOptions: { openai: { reasoningSummary: "auto" } }
        }
        for (const ask of [llm.generateText, streamed(llm)]) {
          const asked = yield* ask(request)
          const [thought, ...calls] = asked.content
          assert.strictEqual(asked.finishReason, "tool-calls")
          assert.strictEqual(thought?._tag, "Reasoning")
          assert.match(thought?._tag === "Reasoning" ? thought.text : "", /^The user said/)
          assert.deepStrictEqual(calls.map(({ _tag }) => _tag), ["ToolCall", "ToolCall"])
          assert.isAbove(asked.usage.reasoningTokens ?? 0, 0)
          const answer = (content: ReadonlyArray<Prompt.AssistantPart>) =>
            ask({
              ...request,
              prompt: [
                ...Prompt.make(request.prompt),
                Prompt.assistant(content),
                Prompt.tool(asked.toolCalls.map(({ id, name }) => ({ _tag: "ToolResult", id, name, result: "sunny" })))
              ]
            })
          assert.include((yield* answer(asked.content)).text, "The tool get_weather returned: sunny.")
          const forged = asked.content.map((part) => part._tag === "Reasoning" ? { ...part, redacted: "forged" } : part)
          const refused = yield* Effect.flip(answer(forged))
          assert.strictEqual(refused._tag, "InvalidRequest")
          assert.include(refused.message, "could not be verified")
        }
      })
    ))

  it.effect("answer by schema and by length, and see pictures", () =>
    on(({ llm }) =>
      Effect.gen(function*() {
        const schema = {
          type: "object",
          properties: { name: { type: "string" } },
          required: ["name"],
          additionalProperties: false
        }
        const format = { _tag: "JsonSchema", name: "person", schema, strict: true } as const
        for (const ask of [llm.generateText, streamed(llm)]) {
          const structured = yield* ask({ model, prompt: "Who?", format })
          assert.isString(JSON.parse(structured.text).name)
          const short = yield* ask({ model, prompt: "Hello", maxTokens: 16 })
          assert.strictEqual(short.finishReason, "length")
          assert.strictEqual(short.usage.outputTokens, 16)
          const seen = yield* ask({
            model,
            prompt: Prompt.user([Prompt.text("What is it?"), Prompt.image("aGk=", "image/png")])
          })
          assert.include(seen.text, "an image (image/png)")
        }
      })
    ))

  it.effect("refuse what they refuse, each with its own error", () =>
    on(({ llm, openai }, simulator) =>
      Effect.gen(function*() {
        const tag = (request: Partial<Completion.Request>) =>
          Effect.map(Effect.flip(llm.generateText({ model, prompt: "hi", ...request })), ({ _tag }) => _tag)
        assert.strictEqual(yield* tag({ model: "nobody" }), "ModelNotFound")
        assert.strictEqual(yield* tag({ reasoning: { effort: "low" } }), "InvalidRequest")
        assert.strictEqual(
          yield* tag({ providerOptions: { openai: { previousResponseId: "resp_0" } } }),
          "InvalidRequest"
        )
        assert.strictEqual((yield* Effect.flip(openai.retrieveResponse("resp_0")))._tag, "NotFound")
        yield* simulator.setKey(0, "exhausted")
        assert.strictEqual(yield* tag({}), "QuotaExhausted")
      })
    ))

  it.effect("survive faults in the midst of a stream as typed errors", () =>
    on(({ llm }, simulator) =>
      Effect.gen(function*() {
        const expected = {
          streamError: "ServerFault",
          streamCut: "StreamInterrupted",
          streamReset: "StreamInterrupted",
          malformed: "MalformedResponse",
          overloaded: "ServerFault",
          rateLimited: "RateLimited"
        } as const
        for (const [fault, tag] of Object.entries(expected)) {
          yield* simulator.inject(fault as keyof typeof expected) // `entries` forgets the names
          const error = yield* Effect.flip(Stream.runDrain(llm.streamText({ model, prompt: "hi" })))
          assert.strictEqual(error._tag, tag, fault)
        }
      })
    ))

  it.effect("count the tokens that a request turns out to have", () =>
    on(({ llm, openai }) =>
      Effect.gen(function*() {
        const request = { model, prompt: [Prompt.system("Be brief."), Prompt.user("Hello there")], tools: [weather] }
        const { usage } = yield* llm.generateText(request)
        assert.strictEqual(yield* openai.countInputTokens(request), usage.inputTokens)
      })
    ))

  it.effect("find what is of a kind that the rules forbid, text by text", () =>
    on(({ openai }) =>
      Effect.gen(function*() {
        const { findings, model } = yield* openai.moderate({ input: ["nice weather", "there was violence"] })
        assert.strictEqual(model, "omni-moderation-2024-09-26")
        assert.deepStrictEqual(findings.map(({ flagged }) => flagged), [false, true])
        assert.deepStrictEqual(findings.map(({ categories }) => categories.violence), [false, true])
        assert.isAbove(findings[1]!.scores.violence ?? 0, findings[0]!.scores.violence ?? 1)
        assert.strictEqual(
          (yield* Effect.flip(openai.moderate({ input: "x", model: "nobody" })))._tag,
          "ModelNotFound"
        )
      })
    ))
})

describe("Groq and the simulator", () => {
  const listening = <A, E>(use: (groq: Groq.Service) => Effect.Effect<A, E>) =>
    Effect.scoped(Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const { groq } = yield* Groq.make({ baseUrl: "http://simulator/groq", apiKeys: [simulator.keys[0]!] }).pipe(
        Effect.provideService(HttpClient.HttpClient, simulator.client)
      )
      return yield* use(groq)
    }))

  const wav = { _tag: "File", name: "a.wav", content: new Uint8Array([82, 73, 70, 70, 0, 13, 10, 255]) } as const

  it.effect("write down what is said, with and without its times", () =>
    listening(({ transcribe }) =>
      Effect.gen(function*() {
        const plain = yield* transcribe({ audio: wav })
        assert.deepStrictEqual(Object.keys(plain), ["text"])
        assert.match(plain.text, /^ You sent me a sound of 8 bytes \(wav\)\..*whisper-large-v3-turbo/)
        const timed = yield* transcribe({ audio: wav, language: "en", timestamps: ["word", "segment"] })
        assert.strictEqual(timed.text, plain.text)
        assert.strictEqual(timed.language, "en")
        assert.deepStrictEqual(timed.words?.slice(0, 2), [
          { text: "You", start: 0, end: 0.25 },
          { text: "sent", start: 0.25, end: 0.5 }
        ])
        assert.deepStrictEqual(timed.segments, [{ text: plain.text, start: 0, end: timed.duration! }])
        const remote = yield* transcribe({ audio: { _tag: "Url", url: "https://x.test/a.mp3" } })
        assert.include(remote.text, "a sound by its address")
      })
    ))

  it.effect("refuse what is no sound, and models that they do not have", () =>
    listening(({ transcribe }) =>
      Effect.gen(function*() {
        const odd = yield* Effect.flip(transcribe({ audio: { ...wav, name: "a.txt" } }))
        assert.strictEqual(odd._tag, "InvalidRequest")
        assert.include(odd.message, "file must be one of the following types")
        assert.strictEqual((yield* Effect.flip(transcribe({ audio: wav, model: "nobody" })))._tag, "ModelNotFound")
      })
    ))
})

// what is one of several may be two of them in the description
const described = spec("openai/openapi.yaml", (text) => text.replaceAll(/^(\s*(?:- )?)oneOf:/gm, "$1anyOf:"))

if (described === undefined) {
  describe.skip(`the simulator beside OpenAI's description (${absent})`, () => {
    it("answers as described", () => {})
  })
} else {
  describe("the simulator answers as OpenAI describes", () => {
    const asked = (path: string, body: object) =>
      Effect.gen(function*() {
        const simulator = yield* Simulator.make()
        const response = yield* simulator.client.post(`http://simulator/openai${path}`, {
          headers: { authorization: "Bearer sim-key-1" },
          body: HttpBody.unsafeJson(body)
        })
        assert.strictEqual(response.status, 200)
        return yield* response.text
      }).pipe(Effect.scoped)

    // on the wire they are null where they are not known, whatever the description says
    const known = ({ usage, user, ...response }: any) => ({
      ...response,
      ...(usage !== null && { usage }),
      ...(user !== null && { user })
    })

    const tools = [{ type: "function", name: "f", strict: false, parameters: { type: "object" } }]

    const requests = {
      text: { model: "gpt-4o", input: "hi" },
      "an end before the end": { model: "gpt-4o", input: "hi", max_output_tokens: 16 },
      "calls of tools, with thoughts": {
        model: "gpt-5-mini",
        input: "do both",
        tools,
        reasoning: { effort: "low", summary: "auto" },
        include: ["reasoning.encrypted_content"]
      }
    }

    for (const [name, request] of Object.entries(requests)) {
      it.effect(`a request for a response: ${name}`, () =>
        Effect.gen(function*() {
          const whole = known(JSON.parse(yield* asked("/v1/responses", request)))
          assert.deepStrictEqual(described.response("post", "/responses", 200)(whole), [])
          const frames = (yield* asked("/v1/responses", { ...request, stream: true })).split("\n\n").slice(0, -1)
          assert.isAbove(frames.length, 5)
          for (const frame of frames) {
            const [name, data] = frame.split("\n")
            const event = JSON.parse(data!.slice("data: ".length))
            assert.strictEqual(name, `event: ${event.type}`)
            const told = event.response === undefined ? event : { ...event, response: known(event.response) }
            assert.deepStrictEqual(described.at("/components/schemas/ResponseStreamEvent")(told), [], event.type)
          }
        }))
    }

    it.effect("a request for moderation and one for a count", () =>
      Effect.gen(function*() {
        const moderated = JSON.parse(yield* asked("/v1/moderations", { input: ["a", "violence"] }))
        assert.deepStrictEqual(described.response("post", "/moderations", 200)(moderated), [])
        const counted = JSON.parse(yield* asked("/v1/responses/input_tokens", requests.text))
        assert.deepStrictEqual(described.response("post", "/responses/input_tokens", 200)(counted), [])
      }))
  })
}
