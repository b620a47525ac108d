import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as LlmService from "@spillway/core/LlmService"
import * as Tei from "@spillway/providers/Tei"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { type Answer, fetching, type Sent, through } from "./fetching.js"

const on = <A, E>(
  answer: (sent: Sent, index: number) => Answer,
  program: (backend: Tei.Backend) => Effect.Effect<A, E>,
  options?: Tei.Options
) => {
  const { fetch, sent } = fetching(answer)
  return Effect.map(through(fetch, Tei.make(options), program), (value) => ({ value, sent }))
}

const info = (more: object = {}) => ({
  model_id: "BAAI/bge-small-en-v1.5",
  model_sha: null,
  model_dtype: "float16",
  served_model_name: "bge",
  model_type: { embedding: { pooling: "cls" } },
  max_concurrent_requests: 512,
  max_input_length: 512,
  max_batch_tokens: 16384,
  max_batch_requests: null,
  max_client_batch_size: 32,
  auto_truncate: true,
  tokenization_workers: 2,
  version: "1.9.3",
  ...more
})

/** A server that takes so many texts at once, and answers each with something that is made of it. */
const server = (most: number, told: Answer = { body: info({ max_client_batch_size: most }) }) => ({ body, path }: Sent): Answer => {
  if (path === "/info") return told
  const texts: ReadonlyArray<any> = body.inputs?.sentences ?? body.inputs ?? body.texts ?? body.ids ?? body.input
  const count = path === "/similarity" ? texts.length + 1 : texts.length
  if (count > most) {
    return {
      status: 422,
      body: { error: `batch size ${count} > maximum allowed batch size ${most}`, error_type: "Validation" }
    }
  }
  const answers: { readonly [path: string]: (text: any, index: number) => unknown } = {
    "/embed": (text) => [Number(text)],
    "/embed_all": (text) => [[Number(text)], [0]],
    "/embed_sparse": (text) => [{ index: Number(text), value: 1 }],
    "/predict": ([text]) => [{ label: text, score: 1 }],
    "/similarity": Number,
    "/tokenize": (text) => [{ id: Number(text), text, special: false, start: 0, stop: 1 }],
    "/decode": String,
    "/v1/embeddings": (text, index) => ({ index, embedding: [Number(text)] }),
    "/rerank": (text, index) => ({ index, score: Number(text) })
  }
  const list = texts.map(answers[path]!)
  return {
    headers: { "x-compute-tokens": String(texts.length) },
    body: path === "/v1/embeddings"
      ? { model: "bge", data: list, usage: { prompt_tokens: texts.length } }
      : path === "/rerank"
      ? list.toSorted((a: any, b: any) => b.score - a.score)
      : list
  }
}

const texts = (count: number) => Array.from({ length: count }, (_, i) => String(i))

describe("Tei", () => {
  it.effect("speaks to the server on this machine, without a key, and names no model", () =>
    Effect.map(
      on(server(32), ({ llm }) => llm.embed({ model: "any", input: ["7"] })),
      ({ sent, value }) => {
        assert.deepStrictEqual(value, { model: "any", vectors: [[7]], usage: { inputTokens: 1 } })
        assert.deepStrictEqual(sent.map(({ host, path }) => host + path), ["127.0.0.1:3000/embed"])
        assert.deepStrictEqual(sent[0]!.body, { inputs: ["7"] })
        assert.isUndefined(sent[0]!.headers["authorization"])
      }
    ))

  it.effect("says what it can do", () =>
    Effect.map(on(server(32), ({ llm }) => Effect.succeed(llm.operations)), ({ value }) => {
      assert.deepStrictEqual(value, new Set(["embed", "rerank", "listModels", "health"]))
    }))

  it.effect("passes on what only it can be asked for", () =>
    Effect.map(
      on(server(32), ({ llm }) =>
        Effect.all([
          llm.embed({
            model: "any",
            input: ["1"],
            dimensions: 2,
            providerOptions: {
              tei: { truncate: true, truncationDirection: "left", promptName: "query", normalize: false }
            }
          }),
          llm.rerank({
            model: "any",
            query: "q",
            documents: ["1"],
            providerOptions: { tei: { rawScores: true, truncate: false, truncationDirection: "right" } }
          })
        ])),
      ({ sent }) => {
        assert.deepStrictEqual(sent.map(({ body }) => body), [
          {
            inputs: ["1"],
            truncate: true,
            truncation_direction: "Left",
            prompt_name: "query",
            normalize: false,
            dimensions: 2
          },
          { query: "q", texts: ["1"], raw_scores: true, truncate: false, truncation_direction: "Right" }
        ])
      }
    ))

  it.effect("has at OpenAI's route no word for what only it can be asked for, and sends nothing", () =>
    Effect.map(
      on(
        server(32),
        ({ llm }) =>
          Effect.flip(llm.embed({ model: "any", input: ["1"], providerOptions: { tei: { promptName: "query" } } })),
        { embedRoute: "/v1/embeddings" }
      ),
      ({ sent, value }) => {
        assert(value._tag === "Unsupported")
        assert.strictEqual(value.feature, "providerOptions.tei.promptName")
        assert.strictEqual(sent.length, 0)
      }
    ))

  it.effect("tells its one model under the name by which it is served", () =>
    Effect.map(
      on(
        (_, index) => ({ body: info(index === 0 ? {} : { served_model_name: undefined }) }),
        ({ llm }) => Effect.zip(llm.listModels, llm.listModels)
      ),
      ({ value }) => {
        assert.deepStrictEqual(value, [
          [{ id: "bge", contextWindow: 512 }],
          [{ id: "BAAI/bge-small-en-v1.5", contextWindow: 512 }]
        ])
      }
    ))

  it.effect("is well when the server says so, and is not when it does not", () =>
    Effect.map(
      on(
        (_, index) => index === 0 ? { body: "" } : { status: 503, body: { error: "unhealthy", error_type: "Unhealthy" } },
        ({ llm, tei }) => Effect.zip(llm.health, Effect.flip(tei.health))
      ),
      ({ sent, value: [, error] }) => {
        assert.deepStrictEqual(sent.map(({ method, path }) => [method, path]), [["GET", "/health"], ["GET", "/health"]])
        assert.strictEqual(error._tag, "ServerFault")
      }
    ))

  it.effect("ranks those with the same score in the order in which they were given", () =>
    Effect.map(
      on(
        () => ({ body: [{ index: 1, score: 0.5 }, { index: 2, score: 0.7 }, { index: 0, score: 0.5 }] }),
        ({ llm }) => llm.rerank({ model: "any", query: "q", documents: ["a", "b", "c"] }),
        { maxBatchSize: 3 }
      ),
      ({ value }) => {
        assert.deepStrictEqual(value, {
          model: "any",
          results: [
            { index: 2, score: 0.7, document: "c" },
            { index: 0, score: 0.5, document: "a" },
            { index: 1, score: 0.5, document: "b" }
          ],
          usage: {}
        })
      }
    ))

  const answers: ReadonlyArray<readonly [string, unknown]> = [
    ["fewer than there are documents", [{ index: 0, score: 1 }]],
    ["one of them twice", [{ index: 0, score: 1 }, { index: 0, score: 1 }]],
    ["one that is not there", [{ index: 0, score: 1 }, { index: 2, score: 1 }]],
    ["one without a score", [{ index: 0, score: 1 }, { index: 1, score: null }]]
  ]

  for (const [name, body] of answers) {
    it.effect(`does not take for a ranking ${name}`, () =>
      Effect.map(
        on(
          () => ({ body }),
          ({ llm }) => Effect.flip(llm.rerank({ model: "any", query: "q", documents: ["a", "b"] })),
          { maxBatchSize: 2 }
        ),
        ({ value }) => assert.strictEqual(value._tag, "MalformedResponse")
      ))
  }

  it.effect("does not take fewer vectors than there are texts", () =>
    Effect.map(
      on(
        () => ({ body: [[1]] }),
        ({ llm }) => Effect.flip(llm.embed({ model: "any", input: ["a", "b"] })),
        { maxBatchSize: 2 }
      ),
      ({ value }) => assert.strictEqual(value._tag, "MalformedResponse")
    ))
})

describe("Tei, with more texts than the server takes at once", () => {
  const embed = ({ llm }: Tei.Backend, count: number) => llm.embed({ model: "any", input: texts(count) })

  for (const embedRoute of ["/embed", "/v1/embeddings"] as const) {
    it.effect(`embeds them in several requests and joins the vectors in order, at ${embedRoute}`, () =>
      Effect.map(on(server(32), (backend) => embed(backend, 70), { embedRoute }), ({ sent, value }) => {
        assert.deepStrictEqual(value.vectors, texts(70).map((text) => [Number(text)]))
        assert.deepStrictEqual(value.usage, { inputTokens: 70 })
        assert.strictEqual(value.model, embedRoute === "/embed" ? "any" : "bge")
        assert.deepStrictEqual(sent.map(({ path }) => path), ["/info", embedRoute, embedRoute, embedRoute])
        assert.deepStrictEqual(sent.slice(1).map(({ body }) => (body.inputs ?? body.input).length), [32, 32, 6])
      }))
  }

  it.effect("asks for the limit once, however many come at the same time", () =>
    Effect.map(
      on(server(4), (backend) =>
        Effect.zipRight(
          Effect.all([embed(backend, 4), embed(backend, 5), embed(backend, 9)], { concurrency: "unbounded" }),
          embed(backend, 8)
        )),
      ({ sent }) => {
        assert.strictEqual(sent.filter(({ path }) => path === "/info").length, 1)
        assert.deepStrictEqual(
          sent.filter(({ path }) => path === "/embed").map(({ body }) => body.inputs.length).toSorted(),
          [1, 1, 4, 4, 4, 4, 4, 4]
        )
      }
    ))

  it.effect("does not ask for the limit for a single text, or where it is set", () =>
    Effect.gen(function*() {
      const one = yield* on(server(32), (backend) => embed(backend, 1))
      assert.deepStrictEqual(one.sent.map(({ path }) => path), ["/embed"])
      const set = yield* on(server(32), (backend) => embed(backend, 5), { maxBatchSize: 2 })
      assert.deepStrictEqual(set.sent.map(({ body }) => body.inputs.length), [2, 2, 1])
    }))

  it.effect("takes a server that says nothing of a limit for one that takes 32", () =>
    Effect.gen(function*() {
      const silent: ReadonlyArray<Answer> = [
        { status: 404, body: "" },
        { status: 404, body: { error: { code: 404, message: "File Not Found", type: "not_found_error" } } },
        { body: "<html></html>" },
        { body: info({ max_client_batch_size: undefined }) }
      ]
      for (const told of silent) {
        const { sent } = yield* on(server(32, told), (backend) => Effect.zip(embed(backend, 33), embed(backend, 33)))
        assert.deepStrictEqual(sent.map(({ path }) => path), ["/info", "/embed", "/embed", "/embed", "/embed"])
      }
    }))

  it.effect("fails where the limit cannot be asked for, and asks again at the next call", () =>
    Effect.gen(function*() {
      const { sent, value } = yield* on(
        (sent, index) => index === 0 ? { status: 500, body: "" } : server(32)(sent),
        (backend) => Effect.zip(Effect.flip(embed(backend, 2)), embed(backend, 2))
      )
      assert.strictEqual(value[0]._tag, "ServerFault")
      assert.deepStrictEqual(sent.map(({ path }) => path), ["/info", "/info", "/embed"])
    }))

  it.effect("asks for nothing more once a request has failed", () =>
    Effect.map(
      on(
        (sent, index) => index === 1 ? { status: 424, body: { error: "x", error_type: "Backend" } } : server(2)(sent),
        (backend) => Effect.flip(embed(backend, 6)),
        { maxBatchSize: 2 }
      ),
      ({ sent, value }) => {
        assert.strictEqual(value._tag, "ServerFault")
        assert.strictEqual(sent.length, 2)
      }
    ))

  it.effect("does not guess how many tokens were used where one answer does not tell", () =>
    Effect.map(
      on(
        (sent, index) => ({ ...server(2)(sent), ...(index === 1 && { headers: {} }) }),
        (backend) => embed(backend, 6),
        { maxBatchSize: 2 }
      ),
      ({ value }) => assert.deepStrictEqual(value.usage, {})
    ))

  it.effect("ranks them as if they had been one request", () =>
    Effect.gen(function*() {
      const documents = ["3", "9", "1", "7", "5"]
      const rank = (options: Tei.Options, topN?: number) =>
        on(
          server(32),
          ({ llm }) => llm.rerank({ model: "any", query: "q", documents, ...(topN !== undefined && { topN }) }),
          options
        )
      const whole = yield* rank({ maxBatchSize: 5 })
      const pieces = yield* rank({ maxBatchSize: 2 })
      assert.deepStrictEqual([whole.sent.length, pieces.sent.length], [1, 3])
      assert.deepStrictEqual(whole.value.results.map(({ document }) => document), ["9", "7", "5", "3", "1"])
      assert.deepStrictEqual(pieces.value, whole.value)
      const best = yield* rank({ maxBatchSize: 2 }, 2)
      assert.deepStrictEqual(best.value.results, [
        { index: 1, score: 9, document: "9" },
        { index: 3, score: 7, document: "7" }
      ])
    }))

  it.effect("splits everything else that is only its own as well", () =>
    Effect.gen(function*() {
      const input = texts(5)
      const { sent, value } = yield* on(server(3), ({ tei }) =>
        Effect.all([
          tei.embedAll({ input }),
          tei.embedSparse({ input }),
          tei.predict({ input }),
          tei.similarity({ source: "s", sentences: input }),
          tei.tokenize({ input }),
          tei.decode({ ids: input.map((text) => [Number(text)]) })
        ]), { maxBatchSize: 3 })
      assert.deepStrictEqual(value, [
        input.map((text) => [[Number(text)], [0]]),
        input.map((text) => [{ index: Number(text), value: 1 }]),
        input.map((text) => [{ label: text, score: 1 }]),
        input.map(Number),
        input.map((text) => [{ id: Number(text), text, special: false, start: 0, stop: 1 }]),
        input
      ])
      // the source is one of the texts
      const sentences = sent.filter(({ path }) => path === "/similarity").map(({ body }) => body.inputs)
      assert.deepStrictEqual(sentences.map(({ sentences, source_sentence }) => [source_sentence, sentences.length]), [
        ["s", 2],
        ["s", 2],
        ["s", 1]
      ])
    }))

  for (const maxBatchSize of [0, -1, 1.5, NaN]) {
    it.effect(`does not take ${maxBatchSize} for a size`, () =>
      Effect.map(
        Effect.flip(Effect.scoped(Tei.make({ maxBatchSize }))).pipe(Effect.provide(FetchHttpClient.layer)),
        (error) => assert.match(error.message, /^Tei\.maxBatchSize: must be a whole number of at least 1/)
      ))
  }
})

describe("Tei's own service", () => {
  it.effect("gives a vector for each token", () =>
    Effect.map(
      on(() => ({ body: [[[1, 2], [3, 4]]] }), ({ tei }) => tei.embedAll({ input: ["a"], promptName: "query" })),
      ({ sent, value }) => {
        assert.deepStrictEqual([sent[0]!.path, sent[0]!.body], ["/embed_all", { inputs: ["a"], prompt_name: "query" }])
        assert.deepStrictEqual(value, [[[1, 2], [3, 4]]])
      }
    ))

  it.effect("gives sparse vectors", () =>
    Effect.map(
      on(() => ({ body: [[{ index: 7, value: 0.5 }]] }), ({ tei }) => tei.embedSparse({ input: ["a"], truncate: true })),
      ({ sent, value }) => {
        assert.deepStrictEqual([sent[0]!.path, sent[0]!.body], ["/embed_sparse", { inputs: ["a"], truncate: true }])
        assert.deepStrictEqual(value, [[{ index: 7, value: 0.5 }]])
      }
    ))

  it.effect("classifies texts, and pairs of them", () =>
    Effect.map(
      on(
        () => ({ body: [[{ score: 0.9, label: "joy" }, { score: 0.1, label: "fear" }], [{ score: 1, label: "joy" }]] }),
        ({ tei }) => tei.predict({ input: ["a", ["b", "c"]], rawScores: true }),
        { maxBatchSize: 2 }
      ),
      ({ sent, value }) => {
        assert.deepStrictEqual([sent[0]!.path, sent[0]!.body], ["/predict", { inputs: [["a"], ["b", "c"]], raw_scores: true }])
        assert.deepStrictEqual(value, [
          [{ label: "joy", score: 0.9 }, { label: "fear", score: 0.1 }],
          [{ label: "joy", score: 1 }]
        ])
      }
    ))

  it.effect("compares sentences", () =>
    Effect.map(
      on(
        () => ({ body: [0.9, 0.1] }),
        ({ tei }) => tei.similarity({ source: "s", sentences: ["a", "b"], promptName: "query" }),
        { maxBatchSize: 32 }
      ),
      ({ sent, value }) => {
        assert.deepStrictEqual([sent[0]!.path, sent[0]!.body], [
          "/similarity",
          { inputs: { source_sentence: "s", sentences: ["a", "b"] }, parameters: { prompt_name: "query" } }
        ])
        assert.deepStrictEqual(value, [0.9, 0.1])
      }
    ))

  it.effect("takes texts apart, and puts them together again", () =>
    Effect.map(
      on(
        ({ path }) => ({
          body: path === "/decode" ? ["hello"] : [[
            { id: 101, text: "[CLS]", special: true, start: null, stop: null },
            { id: 7592, text: "hello", special: false, start: 0, stop: 5 }
          ]]
        }),
        ({ tei }) =>
          Effect.zip(
            tei.tokenize({ input: ["hello"], addSpecialTokens: true }),
            tei.decode({ ids: [[101, 7592]], skipSpecialTokens: true })
          )
      ),
      ({ sent, value }) => {
        assert.deepStrictEqual(sent.map(({ body, path }) => [path, body]), [
          ["/tokenize", { inputs: ["hello"], add_special_tokens: true }],
          ["/decode", { ids: [[101, 7592]], skip_special_tokens: true }]
        ])
        assert.deepStrictEqual(value, [
          [[{ id: 101, text: "[CLS]", special: true }, { id: 7592, text: "hello", special: false, start: 0, stop: 5 }]],
          ["hello"]
        ])
      }
    ))

  it.effect("says of the server what it says of itself, whatever its model is for", () =>
    Effect.map(
      on(
        (_, index) => ({
          body: [
            info(),
            info({ model_type: { classifier: { id2label: { 0: "joy", 1: "fear" }, label2id: {} } } }),
            info({ model_type: { reranker: { id2label: { 0: "LABEL_0" }, label2id: {} } } }),
            { model_id: "old", model_type: "a new kind" },
            {}
          ][index]
        }),
        ({ tei }) => Effect.all([tei.info, tei.info, tei.info, tei.info, Effect.flip(tei.info)])
      ),
      ({ value }) => {
        assert.deepStrictEqual(value[0], {
          model: "BAAI/bge-small-en-v1.5",
          servedModel: "bge",
          kind: "embedding",
          pooling: "cls",
          version: "1.9.3",
          maxInputLength: 512,
          maxBatchTokens: 16384,
          maxClientBatchSize: 32,
          maxConcurrentRequests: 512,
          autoTruncate: true
        })
        assert.deepStrictEqual([value[1].kind, value[1].labels], ["classifier", ["joy", "fear"]])
        assert.strictEqual(value[2].kind, "reranker")
        assert.deepStrictEqual(value[3], { model: "old" })
        assert.strictEqual(value[4]._tag, "MalformedResponse")
      }
    ))

  it.effect("shares its keys and their rest with the common operations", () =>
    Effect.map(
      on(
        () => ({ status: 429, body: { error: "Model is overloaded", error_type: "Overloaded" } }),
        ({ llm, tei }) =>
          Effect.zip(
            Effect.flip(tei.predict({ input: ["a"] })),
            Effect.flip(llm.embed({ model: "any", input: ["a"] }))
          )
      ),
      ({ sent, value }) => {
        assert.deepStrictEqual(value.map(({ _tag }) => _tag), ["RateLimited", "KeysCooling"])
        assert.strictEqual(sent.length, 1)
      }
    ))
})

describe("Tei, by the environment", () => {
  it.effect("gives a program both services, with the address and the keys", () =>
    Effect.gen(function*() {
      const { fetch, sent } = fetching(server(32))
      yield* Effect.gen(function*() {
        yield* LlmService.embed({ model: "any", input: ["1"] })
        yield* (yield* Tei.Tei).tokenize({ input: ["1"] })
      }).pipe(
        Effect.provide(Tei.layerConfig),
        Effect.provide(FetchHttpClient.layer),
        Effect.provideService(FetchHttpClient.Fetch, fetch),
        Effect.withConfigProvider(ConfigProvider.fromMap(
          new Map([["TEI_BASE_URL", "http://tei:8080/"], ["HF_API_TOKEN", "hf_x"]])
        ))
      )
      assert.deepStrictEqual(sent.map(({ headers, host, path }) => [host, path, headers["authorization"]]), [
        ["tei:8080", "/embed", "Bearer hf_x"],
        ["tei:8080", "/tokenize", "Bearer hf_x"]
      ])
    }))

  it.effect("is the server on this machine where nothing is said", () =>
    Effect.map(Effect.withConfigProvider(Tei.config, ConfigProvider.fromMap(new Map())), (options) => {
      assert.deepStrictEqual(options, { baseUrl: "http://127.0.0.1:3000" })
    }))

  it.effect("does not take an address that is set to nothing", () =>
    Effect.map(
      Effect.flip(Effect.withConfigProvider(Tei.config, ConfigProvider.fromMap(new Map([["TEI_BASE_URL", ""]])))),
      (error) => assert.match(String(error), /^\(Invalid data at TEI_BASE_URL: /)
    ))

  it.effect("shows a key where it has one", () =>
    Effect.map(
      on(server(32), ({ llm }) => llm.embed({ model: "any", input: ["1"] }), { apiKeys: [Redacted.make("hf-secret")] }),
      ({ sent }) => assert.strictEqual(sent[0]!.headers["authorization"], "Bearer hf-secret")
    ))
})
