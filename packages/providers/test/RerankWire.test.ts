import { assert, describe, it } from "@effect/vitest"
import type * as Rerank from "@spillway/core/Rerank"
import * as Either from "effect/Either"
import * as RerankWire from "../src/RerankWire.js"
import { exchange } from "./exchange.js"

const request: Rerank.Request = { model: "ranker", query: "the capital of France", documents: ["Rome", "Paris", "Oslo"] }

const ranking = (body: unknown, of: Rerank.Request = request) =>
  RerankWire.toRanking(body, exchange(of, "any"))

const ranked = (index: number, relevance_score: number, rest: object = {}) => ({ index, relevance_score, ...rest })

describe("a ranking", () => {
  it("is asked for in the words of Jina and Cohere", () => {
    assert.deepStrictEqual(RerankWire.toBody({ ...request, topN: 2 }), {
      model: "ranker",
      query: "the capital of France",
      documents: ["Rome", "Paris", "Oslo"],
      top_n: 2
    })
  })

  it("comes best first, with the documents as they were given", () => {
    const body = {
      model: "ranker-2",
      results: [ranked(0, 0.1), ranked(2, -3.5), ranked(1, 0.9, { document: { text: "what is this?" } })],
      usage: { prompt_tokens: 56, total_tokens: 56 }
    }
    assert.deepStrictEqual(ranking(body), Either.right({
      model: "ranker-2",
      results: [
        { index: 1, score: 0.9, document: "Paris" },
        { index: 0, score: 0.1, document: "Rome" },
        { index: 2, score: -3.5, document: "Oslo" }
      ],
      usage: { inputTokens: 56 }
    }))
  })

  it("is no longer than asked for, whatever the server makes of that", () => {
    const body = { results: [ranked(0, 0.1), ranked(1, 0.9)] }
    assert.deepStrictEqual(
      Either.map(ranking(body, { ...request, topN: 1 }), ({ results }) => results.map(({ index }) => index)),
      Either.right([1])
    )
  })

  it("may be called data, and be told with its total of tokens only", () => {
    const body = { object: "list", data: [ranked(1, 0.9, { document: "Paris" })], usage: { total_tokens: 9 } }
    assert.deepStrictEqual(ranking(body), Either.right({
      model: "ranker",
      results: [{ index: 1, score: 0.9, document: "Paris" }],
      usage: { inputTokens: 9 }
    }))
  })

  for (
    const [title, body] of [
      ["of documents that nobody asked about", { results: [ranked(3, 0.9)] }],
      ["without a place", { results: [{ relevance_score: 0.9 }] }],
      ["without a score", { results: [{ index: 0 }] }],
      ["that is none", { hello: "world" }]
    ] as const
  ) {
    it(`${title} is malformed`, () => {
      assert.strictEqual(Either.getOrThrow(Either.flip(ranking(body)))._tag, "MalformedResponse")
    })
  }

  it("may turn out to be an error", () => {
    const error = Either.getOrThrow(Either.flip(ranking({ error: { message: "no" } })))
    assert.strictEqual(error._tag, "ServerFault")
  })
})
