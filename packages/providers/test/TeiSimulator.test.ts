/** The backend and the simulator, which keeps TEI's rules and is held to its description elsewhere. */
import { assert, describe, it } from "@effect/vitest"
import * as Tei from "@spillway/providers/Tei"
import * as Simulator from "@spillway/testing/Simulator"
import * as Effect from "effect/Effect"
import { failFor, ofAnswers, simulated } from "./simulated.js"

const model = "any"

const on = <A, E>(
  use: (backend: Tei.Backend, simulator: Simulator.Service) => Effect.Effect<A, E>,
  options: Tei.Options = {}
) =>
  simulated(
    ({ keys: [key] }) => Tei.make({ baseUrl: "http://simulator/tei", apiKeys: [key], ...options }),
    use
  )

const texts = (count: number) => Array.from({ length: count }, (_, i) => `the text with the number ${i}`)

const length = (vector: ReadonlyArray<number>) => Math.hypot(...vector)

describe("Tei and the simulator", () => {
  it.effect("embed the same text in the same place, over either route", () =>
    Effect.gen(function*() {
      const input = ["one two", "three", "one two"]
      const own = yield* on(({ llm }) => llm.embed({ model, input }))
      const openAi = yield* on(({ llm }) => llm.embed({ model, input }), { embedRoute: "/v1/embeddings" })
      assert.deepStrictEqual(own.vectors[0], own.vectors[2])
      assert.notDeepEqual(own.vectors[0], own.vectors[1])
      assert.deepStrictEqual(own.vectors.map((vector) => vector.map((value) => value.toFixed(5))),
        openAi.vectors.map((vector) => vector.map((value) => value.toFixed(5))))
      assert.deepStrictEqual(own.usage, openAi.usage)
      for (const vector of own.vectors) assert.approximately(length(vector), 1, 1e-6)
    }))

  it.effect("embed as many texts as one likes, in order", () =>
    on(({ llm }, simulator) =>
      Effect.gen(function*() {
        const input = texts(100)
        const { usage, vectors } = yield* llm.embed({ model, input })
        assert.strictEqual(vectors.length, 100)
        for (const index of [0, 31, 32, 63, 64, 99]) {
          const alone = yield* llm.embed({ model, input: [input[index]!] })
          assert.deepStrictEqual(vectors[index], alone.vectors[0])
        }
        assert.isAbove(usage.inputTokens!, 100)
        const asked = yield* simulator.requests
        // the first one asked for the limit
        assert.deepStrictEqual(asked.slice(0, 5).map(({ url }) => url), [
          "/tei/info",
          "/tei/embed",
          "/tei/embed",
          "/tei/embed",
          "/tei/embed"
        ])
      })
    ))

  it.effect("do as the options say", () =>
    on(({ llm }) =>
      Effect.gen(function*() {
        const long = "word ".repeat(2000)
        const { vectors } = yield* llm.embed({
          model,
          input: [long],
          dimensions: 8,
          providerOptions: { tei: { truncate: true, normalize: false, promptName: "query" } }
        })
        assert.strictEqual(vectors[0]!.length, 8)
        assert.isAbove(length(vectors[0]!), 1.5)
        const tooLong = yield* Effect.flip(llm.embed({ model, input: [long] }))
        assert.strictEqual(tooLong._tag, "InvalidRequest")
        assert.include(tooLong.message, "must have less than 512 tokens")
        const unknown = yield* Effect.flip(
          llm.embed({ model, input: ["x"], providerOptions: { tei: { promptName: "nope" } } })
        )
        assert.strictEqual(unknown._tag, "InvalidRequest")
        const empty = yield* Effect.flip(llm.embed({ model, input: [] }))
        assert.strictEqual(empty._tag, "InvalidRequest")
      })
    ))

  it.effect("rank what is like the query first, in one request or in many", () =>
    on(({ llm }) =>
      Effect.gen(function*() {
        const documents = [...texts(39), "Oslo is the capital of Norway"]
        const query = "What is the capital of Norway?"
        const { results, usage } = yield* llm.rerank({ model, query, documents, topN: 3 })
        assert.strictEqual(results.length, 3)
        assert.deepStrictEqual([results[0]!.index, results[0]!.document], [39, documents[39]])
        assert.isTrue(results.every(({ score }) => score > 0 && score < 1))
        assert.isAbove(usage.inputTokens!, 0)
        const raw = yield* llm.rerank({
          model,
          query,
          documents: documents.slice(0, 2),
          providerOptions: { tei: { rawScores: true } }
        })
        assert.isTrue(raw.results.every(({ score }) => score < 0))
      })
    ))

  it.effect("do what is only TEI's", () =>
    on(({ tei }) =>
      Effect.gen(function*() {
        const all = yield* tei.embedAll({ input: ["hello there", "you"] })
        assert.isAbove(all[0]!.length, all[1]!.length)
        const sparse = yield* tei.embedSparse({ input: ["hello there hello"] })
        assert.strictEqual(sparse[0]!.length, 2)
        const [single, pair] = yield* tei.predict({ input: ["good", ["good", "bad"]] })
        for (const predictions of [single!, pair!]) {
          assert.approximately(predictions.reduce((sum, { score }) => sum + score, 0), 1, 1e-9)
          assert.isAtLeast(predictions[0]!.score, predictions[1]!.score)
        }
        const [same, other] = yield* tei.similarity({ source: "one two", sentences: ["one two", "three"] })
        assert.approximately(same!, 1, 1e-6)
        assert.isBelow(other!, 0.9)
        const input = ["Grüße, 🌊", "you"]
        const tokens = yield* tei.tokenize({ input })
        assert.deepStrictEqual(tokens[0]!.filter(({ special }) => special).map(({ text }) => text), ["[CLS]", "[SEP]"])
        const ids = tokens.map((tokens) => tokens.map(({ id }) => id))
        assert.deepStrictEqual(yield* tei.decode({ ids }), input)
        assert.deepStrictEqual(yield* tei.decode({ ids, skipSpecialTokens: false }), input.map((text) => `[CLS]${text}[SEP]`))
        assert.strictEqual((yield* tei.info).maxClientBatchSize, 32)
      })
    ))

  it.effect("know the one model, and that it is well", () =>
    on(({ llm }) =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* llm.listModels, [{ id: "BAAI/bge-small-en-v1.5", contextWindow: 512 }])
        yield* llm.health
      })
    ))

  it.effect("do not go together with a wrong key", () =>
    on(({ llm }, simulator) =>
      Effect.gen(function*() {
        yield* simulator.setKey(0, "revoked")
        const error = yield* Effect.flip(llm.embed({ model, input: ["x"] }))
        assert.strictEqual(error._tag, "AuthenticationFailed")
      })
    ))

  for (const embedRoute of ["/embed", "/v1/embeddings"] as const) {
    describe(`at ${embedRoute}`, () => {
      failFor<Tei.Backend>(
        { ...ofAnswers, overloaded: "RateLimited" },
        (use) => on(use, { embedRoute }),
        ({ llm }) => llm.embed({ model, input: ["x"] })
      )
    })
  }
})
