/** The backend and the simulator, which keeps the vendor's rules and is held to the vendor's own client. */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import * as Completion from "@spillway/core/Completion"
import type * as LlmError from "@spillway/core/LlmError"
import type * as LlmService from "@spillway/core/LlmService"
import * as Prompt from "@spillway/core/Prompt"
import * as Tool from "@spillway/core/Tool"
import * as Anthropic from "@spillway/providers/Anthropic"
import * as Simulator from "@spillway/testing/Simulator"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"

const model = "claude-sonnet-4-5"

const weather = Tool.make("get_weather", { parameters: Schema.Struct({ city: Schema.String }) })

const streamed = (service: LlmService.Service) => (request: Completion.Request) =>
  Completion.collect(service.streamText(request))

const on = <A, E>(
  use: (service: LlmService.Service, simulator: Simulator.Service, own: Anthropic.Service) => Effect.Effect<A, E>,
  options: { readonly simulator?: Simulator.Options; readonly backend?: Partial<Anthropic.Options> } = {}
) =>
  Effect.scoped(Effect.gen(function*() {
    const simulator = yield* Simulator.make(options.simulator)
    const keys = simulator.keys as Anthropic.Options["apiKeys"] // there is at least one
    const { anthropic, llm } = yield* Anthropic.make({
      apiKeys: keys,
      baseUrl: "http://simulator/anthropic",
      ...options.backend
    }).pipe(Effect.provideService(HttpClient.HttpClient, simulator.client))
    return yield* use(llm, simulator, anthropic)
  }))

describe("Anthropic and the simulator", () => {
  it.effect("chat, whole and streamed, with the same answer and the same count", () =>
    on((service) =>
      Effect.gen(function*() {
        const request = { model, prompt: [Prompt.system("Be brief."), Prompt.user("Hello there")], temperature: 0 }
        const whole = yield* service.generateText(request)
        const inPieces = yield* streamed(service)(request)
        assert.match(whole.text, /^You said: “Hello there”\./)
        assert.deepStrictEqual({ ...inPieces, id: whole.id! }, whole)
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

  it.effect("answer by schema, see a picture, and stop for every reason", () =>
    on((service) =>
      Effect.gen(function*() {
        const schema = {
          type: "object",
          properties: { name: { type: "string" } },
          required: ["name"],
          additionalProperties: false
        }
        const format = { _tag: "JsonSchema", name: "person", schema } as const
        const structured = yield* service.generateText({ model, prompt: "Who?", format })
        assert.isString(JSON.parse(structured.text).name)
        const picture = Prompt.user([Prompt.text("What is this?"), Prompt.image("iVBORw0KGgo=", "image/png")])
        assert.notStrictEqual((yield* service.generateText({ model, prompt: picture })).text, "")
        const short = yield* service.generateText({ model, prompt: "Hello", maxTokens: 2 })
        assert.strictEqual(short.finishReason, "length")
        const stopped = yield* service.generateText({ model, prompt: "Hello", stop: ["said"] })
        assert.deepStrictEqual([stopped.finishReason, stopped.text], ["stop", "You "])
      })
    ))

  it.effect("think aloud, and have the signed thought accepted in the next turn", () =>
    on((service) =>
      Effect.gen(function*() {
        const request: Completion.Request = {
          model,
          prompt: "Why?",
          maxTokens: 4000,
          providerOptions: { anthropic: { thinking: { budgetTokens: 1024 } } }
        }
        const thought = yield* Completion.collect(service.streamText(request))
        const [reasoning] = thought.content
        assert.isTrue(reasoning?._tag === "Reasoning" && reasoning.signature !== undefined)
        const prompt = [...Prompt.make(request.prompt), Prompt.assistant(thought.content), Prompt.user("And now?")]
        assert.notStrictEqual((yield* service.generateText({ ...request, prompt })).text, "")
      })
    ))

  it.effect("list the models", () =>
    on((service) =>
      Effect.map(service.listModels, (models) => assert.include(models.map(({ id }) => id), "claude-sonnet-5-5"))
    ))

  it.effect("count tokens as the answer will, read documents, and are well while a key is good", () =>
    on((service, simulator, own) =>
      Effect.gen(function*() {
        const data = "JVBERi0xLjQK"
        const request: Completion.Request = {
          model,
          tools: [weather],
          maxTokens: 50,
          prompt: [
            Prompt.system("Be brief."),
            Prompt.user([
              { _tag: "File", name: "a.pdf", source: { _tag: "Base64", mediaType: "application/pdf", data } },
              { _tag: "File", name: "b.txt", source: { _tag: "Base64", mediaType: "text/plain", data: "aGk=" } },
              Prompt.text("What do they say?")
            ])
          ],
          toolChoice: "none",
          providerOptions: { anthropic: { cacheControl: { at: ["tools", "system", "prompt"] } } }
        }
        const tokens = yield* own.countTokens(request)
        const answer = yield* service.generateText(request)
        assert.strictEqual(answer.usage.inputTokens, tokens)
        assert.include(answer.text, "You showed me")
        const unknown = yield* Effect.flip(own.countTokens({ ...request, model: "nope" }))
        assert.strictEqual(unknown._tag, "ModelNotFound")

        yield* service.health
        yield* simulator.setKey(0, "revoked")
        assert.strictEqual((yield* Effect.flip(service.health))._tag, "AuthenticationFailed")
      })
    ))

  it.effect("tell of one model, by its short name too, and of all", () =>
    on((_, __, own) =>
      Effect.gen(function*() {
        const one = yield* own.model("claude-sonnet-4-5")
        assert.deepInclude(one, { id: "claude-sonnet-4-5-20250929", lifecycle: "active", contextWindow: 200_000 })
        assert.deepInclude(yield* own.models, one)
        assert.strictEqual((yield* Effect.flip(own.model("nope")))._tag, "ModelNotFound")
      })
    ))

  it.effect("disagree about sampling on the later version of the API, and not on the earlier", () =>
    Effect.gen(function*() {
      const request = { model, prompt: "Hello there", temperature: 1 }
      const earlier = yield* on((service) => service.generateText(request))
      assert.notStrictEqual(earlier.text, "")
      const [ours, tokens] = yield* on(
        (service, _, own) => Effect.zip(Effect.flip(service.generateText(request)), own.countTokens(request)),
        { backend: { version: "2026-10-21" } }
      )
      assert.deepInclude(ours, { _tag: "Unsupported", feature: "temperature" })
      assert.isAbove(tokens, 0)
      // what the server itself says, were it sent
      const theirs = yield* Effect.gen(function*() {
        const simulator = yield* Simulator.make()
        const request = HttpClientRequest.post("http://simulator/anthropic/v1/messages").pipe(
          HttpClientRequest.setHeaders({ "x-api-key": "sim-key-1", "anthropic-version": "2026-10-21" }),
          HttpClientRequest.bodyUnsafeJson({
            model,
            max_tokens: 9,
            temperature: 1,
            messages: [{ role: "user", content: "Hello there" }]
          })
        )
        return yield* simulator.client.execute(request)
      })
      assert.strictEqual(theirs.status, 400)
    }))

  it.effect("speak the later version of the API too", () =>
    on(
      (service) =>
        Effect.map(
          service.generateText({ model, prompt: "Hello there", reasoning: { effort: "none" } }),
          (completion) => assert.notStrictEqual(completion.text, "")
        ),
      { backend: { version: "2026-10-21" } }
    ))

  it.effect("fail with a typed error for an absent model and a wrong key", () =>
    Effect.gen(function*() {
      const request = { model, prompt: "Hello there" }
      const missing = yield* on((service) => Effect.flip(service.generateText({ ...request, model: "nope" })))
      assert.strictEqual(missing._tag, "ModelNotFound")
      const wrong = yield* on((service) => Effect.flip(service.generateText(request)), {
        backend: { apiKeys: [Redacted.make("not-a-key")] }
      })
      assert.strictEqual(wrong._tag, "AuthenticationFailed")
    }))

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
