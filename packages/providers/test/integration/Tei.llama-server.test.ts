/** TEI's rerank, and a real server that is not of our making: llama.cpp's speaks it at `/rerank`. */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Tei from "@spillway/providers/Tei"
import { Effect, Redacted } from "effect"
import * as LlamaServer from "../../../testing/test/llamaServer.js"

const query = "Which animal is it?"
const documents = ["a cat", "a bird of the sea", "the train to Bern", "Grüße aus Genève 🌊", "cats and dogs"]

const missing = LlamaServer.missing

describe("Tei and a real model server", () => {
  if (missing !== undefined) return it("is not here", ({ skip }) => skip(missing))

  const on = <A, E>(
    use: (backend: Tei.Backend, server: LlamaServer.Running) => Effect.Effect<A, E>,
    options: Tei.Options = {}
  ) =>
    Effect.gen(function*() {
      const server = yield* LlamaServer.start("ranker", "tiny-bert-rerank.gguf", "--reranking")
      const backend = yield* Tei.make({
        baseUrl: server.origin,
        apiKeys: [Redacted.make(LlamaServer.key)],
        ...options
      })
      return yield* use(backend, server)
    }).pipe(Effect.scoped, Effect.provide(FetchHttpClient.layer))

  it.live("rank documents as the server does by itself", () =>
    on(({ llm }, server) =>
      Effect.gen(function*() {
        const direct: ReadonlyArray<{ readonly index: number; readonly score: number }> = JSON.parse(
          yield* server.ask("/rerank", { query, texts: documents })
        )
        const { model, results } = yield* llm.rerank({ model: "ranker", query, documents })
        assert.strictEqual(model, "ranker")
        assert.deepStrictEqual(
          results,
          direct.map(({ index, score }) => ({ index, score, document: documents[index]! }))
        )
        const { results: best } = yield* llm.rerank({ model: "ranker", query, documents, topN: 2 })
        assert.deepStrictEqual(best, results.slice(0, 2))
      })
    ))

  it.live("rank more documents than one request holds, though the server tells no limit", () =>
    on(({ llm, tei }) =>
      Effect.gen(function*() {
        const many = Array.from({ length: 40 }, (_, index) => `${documents[index % 5]}, number ${index}`)
        const { results } = yield* llm.rerank({ model: "ranker", query, documents: many })
        assert.strictEqual(results.length, 40)
        for (const { document, index, score } of results) {
          assert.strictEqual(document, many[index])
          const alone = yield* llm.rerank({ model: "ranker", query, documents: [document] })
          assert.approximately(score, alone.results[0]!.score, 1e-4)
        }
        const scores = results.map(({ score }) => score)
        assert.deepStrictEqual(scores, scores.toSorted((one, other) => other - one))
        yield* tei.health
      })
    ))

  it.live("hear what is wrong", () =>
    on(({ llm, tei }) =>
      Effect.gen(function*() {
        const empty = yield* Effect.flip(llm.rerank({ model: "ranker", query, documents: [] }))
        assert.strictEqual(empty._tag, "InvalidRequest")
        const elsewhere = yield* Effect.flip(llm.embed({ model: "ranker", input: ["x"] }))
        assert.strictEqual(elsewhere._tag, "MalformedResponse")
        const tooLong = yield* Effect.flip(llm.rerank({ model: "ranker", query, documents: ["x ".repeat(5000)] }))
        assert.strictEqual(tooLong._tag, "InvalidRequest", tooLong.message)
        assert.strictEqual((yield* Effect.flip(tei.info))._tag, "MalformedResponse")
      })
    ))

  it.live("are not taken for one another with a wrong key", () =>
    on(
      ({ llm }) =>
        Effect.map(Effect.flip(llm.rerank({ model: "ranker", query, documents })), (error) => {
          assert.strictEqual(error._tag, "AuthenticationFailed")
        }),
      { apiKeys: [Redacted.make("a-key-that-is-wrong")], maxBatchSize: 32 }
    ))
})
