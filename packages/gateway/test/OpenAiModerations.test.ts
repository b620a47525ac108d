import { assert, describe, it } from "@effect/vitest"
import * as LlmError from "@spillway/core/LlmError"
import * as Prompt from "@spillway/core/Prompt"
import * as Moderation from "@spillway/gateway/Moderation"
import type * as OpenAiModerationWire from "@spillway/providers/OpenAiModerationWire"
import * as ScriptedLlm from "@spillway/testing/ScriptedLlm"
import { Effect, Redacted } from "effect"
import { absent, spec } from "../../providers/test/spec.js"
import { json, serve } from "./web.js"

const openai = spec("openai/openapi.yaml")

const finding: OpenAiModerationWire.Finding = {
  flagged: true,
  categories: { violence: true },
  scores: { violence: 0.9 },
  appliedTo: { violence: ["text"] }
}

/** A gateway before backends that remember what they were asked. */
const moderated = (backends: Parameters<typeof Moderation.make>[0]) =>
  Effect.flatMap(ScriptedLlm.make(), (llm) =>
    serve(llm).pipe(Effect.provideService(Moderation.Moderation, Moderation.make(backends))))

describe("POST /v1/moderations", () => {
  it.effect("asks the backend that the model is prefixed with, or the first, and answers with every kind", () =>
    Effect.gen(function*() {
      const asked: Array<unknown> = []
      const backend = (name: string): Moderation.Moderate => (request) => {
        asked.push([name, request])
        return Effect.succeed({ model: "omni", findings: [finding] })
      }
      const web = yield* moderated({ openai: backend("openai"), azure: backend("azure") })
      const post = (body: object) => web.post("/v1/moderations", body, { headers: { "x-request-id": "mine" } })
      const answer = yield* Effect.flatMap(post({ input: "hi" }), json)
      assert.deepStrictEqual([answer.id, answer.model], ["modr-mine", "omni"])
      const [result] = answer.results
      assert.deepStrictEqual([result.flagged, result.categories.violence, result.categories.hate], [true, true, false])
      assert.deepStrictEqual([result.category_scores.violence, result.category_scores.hate], [0.9, 0])
      assert.deepStrictEqual(
        [result.category_applied_input_types.violence, result.category_applied_input_types.hate],
        [["text"], []]
      )
      yield* post({ model: "azure/omni-2", input: ["a", "b"] })
      yield* post({
        model: "bare",
        input: [{ type: "text", text: "a" }, { type: "image_url", image_url: { url: "https://example.org/a.png" } }]
      })
      assert.deepStrictEqual(asked, [
        ["openai", { input: "hi" }],
        ["azure", { model: "omni-2", input: ["a", "b"] }],
        ["openai", { model: "bare", input: [Prompt.text("a"), Prompt.imageUrl("https://example.org/a.png")] }]
      ])
    }))

  it.effect("says of a backend that has no moderation that it has not, and of its errors what they are", () =>
    Effect.gen(function*() {
      const limited = new LlmError.RateLimited({ backend: "openai", message: "slow down" })
      const web = yield* moderated({ openai: () => Effect.fail(limited) })
      const without = yield* serve(yield* ScriptedLlm.make())
      for (
        const [at, body, status, code, message] of [
          [web, { model: "groq/llama", input: "hi" }, 400, "unsupported", "groq has no moderation"],
          [without, { input: "hi" }, 400, "unsupported", "gateway has no moderation"],
          [without, { model: "openai/omni", input: "hi" }, 400, "unsupported", "openai has no moderation"],
          [web, { input: "hi" }, 429, "rate_limited", "slow down"],
          [web, { input: 7 }, 400, "invalid_request", "input must be a text, a list of texts, or a list of content parts"]
        ] as const
      ) {
        const response = yield* at.post("/v1/moderations", body)
        const { error } = yield* json(response)
        assert.deepStrictEqual([response.status, error.code, error.message], [status, code, message])
        assert.strictEqual(error.param, code === "invalid_request" ? "input" : null)
      }
    }))

  it.effect.skipIf(openai === undefined)(
    `answers as OpenAI describes${openai === undefined ? ` (${absent})` : ""}`,
    () =>
      Effect.gen(function*() {
        const web = yield* moderated({ openai: () => Effect.succeed({ id: "modr-1", model: "omni", findings: [finding] }) })
        const answer = yield* Effect.flatMap(web.post("/v1/moderations", { input: "hi" }), json)
        assert.deepStrictEqual(openai!.response("post", "/moderations", 200)(answer), [])
      })
  )

  it.effect("is held to the models that a client may use", () =>
    Effect.gen(function*() {
      const seen: Array<string | undefined> = []
      const backend: Moderation.Moderate = ({ model }) => {
        seen.push(model)
        return Effect.succeed({ model: "omni", findings: [] })
      }
      const key = "sk-spillway-alice-0123456789"
      const web = yield* serve(yield* ScriptedLlm.make(), {
        access: { keys: [{ name: "a", key: Redacted.make(key), models: ["openai/omni"] }] }
      }).pipe(Effect.provideService(Moderation.Moderation, Moderation.make({ openai: backend })))
      const headers = { authorization: `Bearer ${key}` }
      const statuses = yield* Effect.forEach(["openai/omni", "openai/other", undefined], (model) =>
        Effect.map(web.post("/v1/moderations", { model, input: "hi" }, { headers }), ({ status }) => status))
      assert.deepStrictEqual([statuses, seen], [[200, 404, 404], ["omni"]])
    }))
})
