import { assert, describe, it } from "@effect/vitest"
import type * as LlmError from "@spillway/core/LlmError"
import * as Tei from "@spillway/providers/Tei"
import * as Effect from "effect/Effect"
import { absent, examples, ndjson } from "./examples.js"
import { fetching, through } from "./fetching.js"

const recorded = examples("tei", ndjson)

const errors: { readonly [name: string]: LlmError.Tag } = {
  doc_error_400_empty: "InvalidRequest",
  doc_error_413_batch: "InvalidRequest",
  doc_error_422_tokenizer: "InvalidRequest",
  doc_error_424_backend: "ServerFault",
  doc_error_429_overloaded: "RateLimited",
  doc_v1_embeddings_error_429: "RateLimited",
  error_413_openai_compat: "InvalidRequest",
  error_validation_characters: "InvalidRequest",
  error_validation_too_long: "InvalidRequest"
}

if (recorded === undefined) {
  describe.skip(`TEI's recorded answers (${absent})`, () => {
    it("are read", () => {})
  })
} else {
  describe("TEI's recorded answers", () => {
    for (const { answer, body, name, request, status } of recorded) {
      const tag = errors[name]
      if (tag === undefined) {
        it.effect(name, () =>
          through(fetching(() => answer).fetch, Tei.make({ maxBatchSize: 32 }), ({ llm }) =>
            Effect.map(
              llm.rerank({ model: "any", query: request!.body.query, documents: request!.body.texts }),
              ({ results }) => {
                assert.deepStrictEqual(
                  results.map(({ index, score }) => ({ index, score })),
                  body
                )
              }
            )))
      } else {
        // one error has another status in another version: its record tells both (W-32)
        const statuses = typeof status === "number" ? [status] : String(status).match(/\b4\d\d\b/g)!.map(Number)
        for (const status of statuses) {
          it.effect(`${name}, with status ${status}`, () =>
            through(
              fetching(() => ({ ...answer, status })).fetch,
              Tei.make(name.includes("v1") || name.includes("compat") ? { embedRoute: "/v1/embeddings" } : {}),
              ({ llm }) =>
                Effect.map(Effect.flip(llm.embed({ model: "any", input: ["x"] })), (error) => {
                  assert.strictEqual(error._tag, tag)
                  assert.include(error.message, body.error ?? body.message)
                })
            ))
        }
      }
    }

    it("are all read", () => {
      assert.sameMembers(recorded.map(({ name }) => name), [...Object.keys(errors), "rerank"])
    })
  })
}
