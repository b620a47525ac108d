/** The backend and the simulator, which keeps the vendor's rules and is held to the vendor's own client. */
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import * as Completion from "@spillway/core/Completion"
import * as Prompt from "@spillway/core/Prompt"
import * as Anthropic from "@spillway/providers/Anthropic"
import * as Simulator from "@spillway/testing/Simulator"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { callTool, failFor, ofStreams, simulated, streamed, weather } from "./simulated.js"

const model = "claude-sonnet-4-5"

const on = <A, E>(
  use: (backend: Anthropic.Backend, simulator: Simulator.Service) => Effect.Effect<A, E>,
  options: Partial<Anthropic.Options> = {}
) =>
  simulated(
    ({ keys }) => Anthropic.make({ apiKeys: keys, baseUrl: "http://simulator/anthropic", ...options }),
    use
  )

describe("Anthropic and the simulator", () => {
  it.effect("chat, whole and streamed, with the same answer and the same count", () =>
    on(({ llm }) =>
      Effect.gen(function*() {
        const request = { model, prompt: [Prompt.system("Be brief."), Prompt.user("Hello there")], temperature: 0 }
        const whole = yield* llm.generateText(request)
        const inPieces = yield* streamed(llm)(request)
        assert.match(whole.text, /^You said: “Hello there”\./)
        assert.deepStrictEqual({ ...inPieces, id: whole.id! }, whole)
      })
    ))

  it.effect("call a tool and send its result back, whole and streamed", () =>
    on(({ llm }) => callTool(llm, { model, prompt: "What is the weather in Tokyo?", tools: [weather] })))

  it.effect("answer by schema, see a picture, and stop for every reason", () =>
    on(({ llm }) =>
      Effect.gen(function*() {
        const schema = {
          type: "object",
          properties: { name: { type: "string" } },
          required: ["name"],
          additionalProperties: false
        }
        const format = { _tag: "JsonSchema", name: "person", schema } as const
        const structured = yield* llm.generateText({ model, prompt: "Who?", format })
        assert.isString(JSON.parse(structured.text).name)
        const picture = Prompt.user([Prompt.text("What is this?"), Prompt.image("iVBORw0KGgo=", "image/png")])
        assert.notStrictEqual((yield* llm.generateText({ model, prompt: picture })).text, "")
        const short = yield* llm.generateText({ model, prompt: "Hello", maxTokens: 2 })
        assert.strictEqual(short.finishReason, "length")
        const stopped = yield* llm.generateText({ model, prompt: "Hello", stop: ["said"] })
        assert.deepStrictEqual([stopped.finishReason, stopped.text], ["stop", "You "])
      })
    ))

  it.effect("think aloud, and have the signed thought accepted in the next turn", () =>
    on(({ llm }) =>
      Effect.gen(function*() {
        const request: Completion.Request = {
          model,
          prompt: "Why?",
          maxTokens: 4000,
          providerOptions: { anthropic: { thinking: { budgetTokens: 1024 } } }
        }
        const thought = yield* streamed(llm)(request)
        const [reasoning] = thought.content
        assert.isTrue(reasoning?._tag === "Reasoning" && reasoning.signature !== undefined)
        const prompt = [...Prompt.make(request.prompt), Prompt.assistant(thought.content), Prompt.user("And now?")]
        assert.notStrictEqual((yield* llm.generateText({ ...request, prompt })).text, "")
      })
    ))

  it.effect("list the models", () =>
    on(({ llm }) =>
      Effect.map(llm.listModels, (models) => assert.include(models.map(({ id }) => id), "claude-sonnet-5-5"))
    ))

  it.effect("count tokens as the answer will, read documents, and are well while a key is good", () =>
    on(({ anthropic, llm }, simulator) =>
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
        const tokens = yield* anthropic.countTokens(request)
        const answer = yield* llm.generateText(request)
        assert.strictEqual(answer.usage.inputTokens, tokens)
        assert.include(answer.text, "You showed me")
        const unknown = yield* Effect.flip(anthropic.countTokens({ ...request, model: "nope" }))
        assert.strictEqual(unknown._tag, "ModelNotFound")

        yield* llm.health
        yield* simulator.setKey(0, "revoked")
        assert.strictEqual((yield* Effect.flip(llm.health))._tag, "AuthenticationFailed")
      })
    ))

  it.effect("tell of one model, by its short name too, and of all", () =>
    on(({ anthropic }) =>
      Effect.gen(function*() {
        const one = yield* anthropic.model("claude-sonnet-4-5")
        assert.deepInclude(one, { id: "claude-sonnet-4-5-20250929", lifecycle: "active", contextWindow: 200_000 })
        assert.deepInclude(yield* anthropic.models, one)
        assert.strictEqual((yield* Effect.flip(anthropic.model("nope")))._tag, "ModelNotFound")
      })
    ))

  it.effect("disagree about sampling on the later version of the API, and not on the earlier", () =>
    Effect.gen(function*() {
      const request = { model, prompt: "Hello there", temperature: 1 }
      const earlier = yield* on(({ llm }) => llm.generateText(request))
      assert.notStrictEqual(earlier.text, "")
      const [ours, tokens] = yield* on(
        ({ anthropic, llm }) => Effect.zip(Effect.flip(llm.generateText(request)), anthropic.countTokens(request)),
        { version: "2026-10-21" }
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
      ({ llm }) =>
        Effect.map(
          llm.generateText({ model, prompt: "Hello there", reasoning: { effort: "none" } }),
          (completion) => assert.notStrictEqual(completion.text, "")
        ),
      { version: "2026-10-21" }
    ))

  it.effect("fail with a typed error for an absent model and a wrong key", () =>
    Effect.gen(function*() {
      const request = { model, prompt: "Hello there" }
      const missing = yield* on(({ llm }) => Effect.flip(llm.generateText({ ...request, model: "nope" })))
      assert.strictEqual(missing._tag, "ModelNotFound")
      const wrong = yield* on(({ llm }) => Effect.flip(llm.generateText(request)), {
        apiKeys: [Redacted.make("not-a-key")]
      })
      assert.strictEqual(wrong._tag, "AuthenticationFailed")
    }))

  failFor(ofStreams, on, ({ llm }) => streamed(llm)({ model, prompt: "Hello there" }))
})
