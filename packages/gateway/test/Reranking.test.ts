import { assert, describe, it } from "@effect/vitest"
import type * as Rerank from "@spillway/core/Rerank"
import * as LlmError from "@spillway/core/LlmError"
import * as Reranking from "@spillway/gateway/Reranking"
import * as ScriptedLlm from "@spillway/testing/ScriptedLlm"
import { Effect, Either } from "effect"
import { json, serve } from "./web.js"

const ask = { model: "scripted/judge", query: "what barks?", documents: ["a cat", { text: "a dog" }] }

const ranking: Rerank.Ranking = {
  model: "judge-2",
  results: [{ index: 1, score: 0.9, document: "a dog" }, { index: 0, score: 0.1, document: "a cat" }],
  usage: { inputTokens: 8 }
}

describe("POST /v1/rerank", () => {
  it.effect("ranks, under each of the paths that clients know, and gives the documents back where they are wanted", () =>
    Effect.gen(function*() {
      const llm = yield* ScriptedLlm.make(ScriptedLlm.repeat(ranking))
      const web = yield* serve(llm)
      const headers = { "x-request-id": "mine" }
      for (const path of ["/v1/rerank", "/v2/rerank", "/rerank"]) {
        assert.deepStrictEqual(yield* Effect.flatMap(web.post(path, ask, { headers }), json), {
          id: "rerank-mine",
          object: "list",
          model: "judge-2",
          results: [{ index: 1, relevance_score: 0.9 }, { index: 0, relevance_score: 0.1 }],
          usage: { prompt_tokens: 8, total_tokens: 8 }
        })
      }
      const told = yield* Effect.flatMap(web.post("/rerank", { ...ask, top_n: 1, return_documents: true }), json)
      assert.deepStrictEqual(told.results[0], { index: 1, relevance_score: 0.9, document: { text: "a dog" } })
      const asked = (yield* llm.requests).map((asked) => asked.operation === "rerank" && asked.request)
      assert.deepStrictEqual(asked.slice(2), [
        { model: "scripted/judge", query: "what barks?", documents: ["a cat", "a dog"] },
        { model: "scripted/judge", query: "what barks?", documents: ["a cat", "a dog"], topN: 1 }
      ])
    }))

  it.effect("fails in OpenAI's words", () =>
    Effect.gen(function*() {
      const feature = "rerank"
      const web = yield* serve(
        yield* ScriptedLlm.make(Effect.fail(new LlmError.Unsupported({ backend: "scripted", feature, message: "no" })))
      )
      const response = yield* web.post("/v1/rerank", ask)
      assert.strictEqual(response.status, 400)
      assert.strictEqual((yield* json(response)).error.code, "unsupported")
    }))

  it("refuses by name what cannot be honoured", () => {
    for (
      const [fields, field] of [
        [{ documents: [] }, "documents"],
        [{ documents: [{ image: "x" }] }, "documents[0]"],
        [{ query: 7 }, "query"],
        [{ top_n: 0 }, "top_n"],
        [{ rank_fields: ["a"] }, "rank_fields"],
        [{ max_tokens_per_doc: 9 }, "max_tokens_per_doc"],
        [{ truncation: true }, "truncation"],
        [{ api_key: "x" }, "api_key"]
      ] as const
    ) assert.include(Either.getOrThrow(Either.flip(Reranking.toRanked({ ...ask, ...fields }))).field, field)
  })
})
