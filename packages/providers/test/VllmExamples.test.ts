import { assert, describe, it } from "@effect/vitest"
import type * as LlmError from "@spillway/core/LlmError"
import * as Vllm from "@spillway/providers/Vllm"
import * as Effect from "effect/Effect"
import { absent, examples, sse } from "./examples.js"
import { fetching, refusal, through } from "./fetching.js"

const recorded = examples("vllm", sse)

const errors: { readonly [name: string]: LlmError.Tag } = {
  error_400_context_length: "InvalidRequest",
  error_401: "AuthenticationFailed"
}

const llm = Effect.map(Vllm.make(), ({ llm }) => llm)

if (recorded === undefined) {
  describe.skip(`vLLM's recorded answers (${absent})`, () => {
    it("are read", () => {})
  })
} else {
  describe("vLLM's recorded answers", () => {
    for (const { answer, body, name, request } of recorded) {
      const tag = errors[name]
      if (tag !== undefined) {
        it.effect(`${name} is ${tag} (W-33)`, () =>
          Effect.map(refusal(llm, answer), (error) => {
            assert.strictEqual(error._tag, tag)
            assert.include(error.message, body.error.message ?? body.error)
          }))
      } else if (name === "rerank") {
        it.effect(`${name} reads as what it says`, () => {
          const { documents, model, query } = request!.body
          return through(fetching(() => answer).fetch, llm, (service) =>
            Effect.map(service.rerank({ model, query, documents }), (ranking) => {
              assert.strictEqual(ranking.model, body.model)
              assert.deepStrictEqual(
                ranking.results,
                body.results.map(({ document, index, relevance_score }: any) => ({
                  index,
                  score: relevance_score,
                  document: document.text
                }))
              )
              assert.strictEqual(ranking.usage.inputTokens, body.usage.total_tokens)
            }))
        })
      } else if (name === "score_batch") {
        it.effect(`${name} reads as what it says`, () => {
          const { documents, model, queries } = request!.body
          return through(fetching(() => answer).fetch, Vllm.make(), ({ vllm }) =>
            Effect.map(vllm.score({ model, queries, documents }), (answer) => {
              assert.deepStrictEqual(answer.scores, body.data.map(({ score }: any) => score))
            }))
        })
      } else {
        it(`${name} is known`, () => {
          assert.fail(`nobody says what ${name} is`)
        })
      }
    }
  })
}
