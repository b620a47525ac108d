import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Inference from "@spillway/core/Inference"
import type * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Tensor from "@spillway/core/Tensor"
import * as Llvm from "@spillway/providers/Llvm"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { type Answer, fetching, type Sent, through } from "./fetching.js"

const on = <A, E>(
  answer: (sent: Sent, index: number) => Answer,
  program: (backend: Llvm.Backend) => Effect.Effect<A, E>,
  options?: Llvm.Options
) => {
  const { fetch, sent } = fetching(answer)
  return Effect.map(through(fetch, Llvm.make(options), program), (value) => ({ value, sent }))
}

const ask = (llm: LlmService.Service, input: Inference.Values, more: Partial<Inference.Request> = {}) =>
  llm.infer({ model: "bert-base", input, ...more })

describe("Llvm", () => {
  it.effect("sends JSON to a model and gives its answer as it is", () =>
    Effect.gen(function*() {
      const { sent, value } = yield* on(
        () => ({ body: { result: [0.1, null], brand_new: {} } }),
        ({ llm }) => ask(llm, Inference.json({ text: "hi" }), { providerOptions: { llvm: { parameters: { k: [1] } } } })
      )
      assert.deepStrictEqual(value, {
        model: "bert-base",
        output: Inference.json({ result: [0.1, null], brand_new: {} }),
        usage: {}
      })
      const [{ body, headers, host, method, path }] = sent as [Sent]
      assert.deepStrictEqual([method, host, path], ["POST", "localhost:8090", "/models/bert-base/infer"])
      assert.deepStrictEqual(body, { input: { text: "hi" }, parameters: { k: [1] } })
      assert.isUndefined(headers["authorization"])
    }))

  it.effect("shows a key as Bearer, and names models of any name", () =>
    Effect.gen(function*() {
      const { sent } = yield* on(() => ({ body: [] }), ({ llm }) =>
        llm.infer({ model: "a/b c", input: Inference.json(1) }), {
        apiKeys: [Redacted.make("llvm-key")],
        baseUrl: "http://gpu:9/api/"
      })
      assert.deepStrictEqual([sent[0]!.host, sent[0]!.path], ["gpu:9", "/api/models/a%2Fb%20c/infer"])
      assert.strictEqual(sent[0]!.headers["authorization"], "Bearer llvm-key")
      assert.deepStrictEqual(sent[0]!.body, { input: 1 })
    }))

  it.effect("does what it can and says what it cannot", () =>
    on(() => ({ body: {} }), ({ llm }) =>
      Effect.gen(function*() {
        assert.deepStrictEqual(llm.operations, new Set(["infer", "listModels", "health"]))
        assert.strictEqual((yield* Effect.flip(llm.generateText({ model: "m", prompt: "hi" })))._tag, "Unsupported")
      })))

  const matrix = Tensor.make("x", "INT64", [2, 2], [1n, 2, -3, 4n])
  const texts = Tensor.make("t", "BYTES", [1], ["é"])

  const tensors: ReadonlyArray<readonly [string, ReadonlyArray<Tensor.Tensor>, unknown]> = [
    ["one", [matrix], [[1, 2], [-3, 4]]],
    ["several", [matrix, texts], { x: [[1, 2], [-3, 4]], t: ["é"] }],
    ["one without dimensions", [Tensor.make("x", "BOOL", [], [true])], true],
    ["one that is empty", [Tensor.make("x", "FP32", [2, 0], [])], [[], []]],
    ["one of three dimensions", [Tensor.make("x", "UINT8", [1, 2, 2], Uint8Array.of(1, 2, 3, 4))], [[[1, 2], [3, 4]]]],
    ["none", [], {}]
  ]

  for (const [name, given, input] of tensors) {
    it.effect(`sends tensors as lists of lists: ${name}`, () =>
      Effect.map(on(() => ({ body: {} }), ({ llm }) => ask(llm, Inference.tensors(...given))), ({ sent }) =>
        assert.deepStrictEqual(sent[0]!.body, { input })))
  }

  it.effect("sends nothing that it has no word for", () =>
    Effect.gen(function*() {
      const { sent, value } = yield* on(() => ({ body: {} }), ({ llm }) => {
        const flip = (input: Inference.Values, more?: Partial<Inference.Request>) => Effect.flip(ask(llm, input, more))
        return Effect.all([
          flip(Inference.json(1), { version: "1" }),
          flip(Inference.json(1), { outputs: ["y"] }),
          flip(Inference.tensors({ ...matrix, shape: [3] })),
          flip(Inference.tensors(Tensor.make("x", "INT64", [1], [2n ** 60n]))),
          flip(Inference.tensors(Tensor.make("x", "FP32", [1], [NaN]))),
          flip(Inference.tensors(Tensor.make("x", "BYTES", [1], [Uint8Array.of(255)]))),
          flip(Inference.json({ big: 1n }))
        ])
      })
      assert.deepStrictEqual(value.map(({ _tag }) => _tag), [
        "Unsupported",
        "Unsupported",
        "InvalidRequest",
        "InvalidRequest",
        "InvalidRequest",
        "InvalidRequest",
        "InvalidRequest"
      ])
      assert.deepStrictEqual(sent, [])
    }))

  const lists: ReadonlyArray<readonly [string, unknown]> = [
    ["by itself", ["a", { id: "b" }, { name: "c" }, { model_id: "d" }, {}, 1]],
    ["as models", { models: [{ name: "a" }, "b", "c", { id: "d", name: "x" }] }],
    ["as data", { data: ["a", "b", "c", "d"] }]
  ]

  for (const [name, body] of lists) {
    it.effect(`reads a list of models ${name}`, () =>
      Effect.map(on(() => ({ body }), ({ llm }) => llm.listModels), ({ sent, value }) => {
        assert.deepStrictEqual(value.map(({ id }) => id), ["a", "b", "c", "d"])
        assert.strictEqual(sent[0]!.path, "/models")
      }))
  }

  it.effect("tells of a model, has it optimized and loaded again, and tells of the server", () =>
    Effect.gen(function*() {
      const { sent, value } = yield* on(
        (_, index) => ({
          body: index === 0
            ? { name: "b", type: "nlp", batch_support: true, precision_modes: ["int8", 1], optimization_profiles: null }
            : { n: index }
        }),
        ({ llm, llvm }) =>
          Effect.all([
            llvm.info("b"),
            llvm.statistics("b"),
            llvm.optimize("b", "memory"),
            llvm.reload("b"),
            llvm.status,
            llm.health
          ])
      )
      assert.deepStrictEqual(value, [
        { id: "b", type: "nlp", batches: true, precisions: ["int8"], optimizations: [] },
        { n: 1 },
        { n: 2 },
        { n: 3 },
        { n: 4 },
        undefined
      ])
      assert.deepStrictEqual(sent.map(({ body, method, path }) => [method, path, body]), [
        ["GET", "/models/b", undefined],
        ["GET", "/models/b/statistics", undefined],
        ["POST", "/models/b/optimize", { optimization_type: "memory" }],
        ["POST", "/models/b/reload", undefined],
        ["GET", "/status", undefined],
        ["GET", "/status", undefined]
      ])
    }))

  it.effect("asks for several at once, and takes no answer that is not one for each", () =>
    Effect.gen(function*() {
      const bodies = [{ results: [1, { y: 2 }] }, { results: [1] }, {}, { error: "no" }]
      const { sent, value } = yield* on((_, index) => ({ body: bodies[index] }), ({ llvm }) => {
        const batch = llvm.batchInfer({ model: "m", inputs: ["a", ["b"]], parameters: { k: 1 } })
        return Effect.all([batch, Effect.flip(batch), Effect.flip(batch), Effect.flip(batch)])
      })
      assert.deepStrictEqual(value[0], [1, { y: 2 }])
      assert.deepStrictEqual(value.slice(1).map((error) => (error as LlmError.LlmError)._tag), [
        "MalformedResponse",
        "MalformedResponse",
        "ServerFault"
      ])
      assert.deepStrictEqual([sent[0]!.method, sent[0]!.path], ["POST", "/models/m/batch_infer"])
      assert.deepStrictEqual(sent[0]!.body, { inputs: ["a", ["b"]], parameters: { k: 1 } })
    }))

  const refusals: ReadonlyArray<readonly [number, unknown, LlmError.Tag]> = [
    [401, { error: "Unauthorized" }, "AuthenticationFailed"],
    [404, { error: { message: "model nope not found" } }, "ModelNotFound"],
    [404, "<html>not here</html>", "MalformedResponse"],
    [409, { error: "model is being optimized" }, "Conflict"],
    [422, { detail: [{ loc: ["body", "input"], msg: "field required" }] }, "InvalidRequest"],
    [429, { error: "too many requests" }, "RateLimited"],
    [500, "Internal Server Error", "ServerFault"],
    [503, { error: "busy" }, "ServerFault"],
    [200, { error: "inference failed" }, "ServerFault"],
    [200, "done", "MalformedResponse"]
  ]

  for (const [status, body, tag] of refusals) {
    it.effect(`means ${tag} by ${status} ${JSON.stringify(body)}`, () =>
      on(() => ({ status, body }), ({ llm }) =>
        Effect.map(Effect.flip(ask(llm, Inference.json(1))), (error) => {
          assert.strictEqual(error._tag, tag)
          assert.strictEqual(error.backend, "llvm")
        })))
  }

  it.effect("is not well when its status says that it failed, or is none", () =>
    on((_, index) => ({ body: index === 0 ? { error: "no model loaded" } : [] }), ({ llm }) =>
      Effect.gen(function*() {
        assert.strictEqual((yield* Effect.flip(llm.health))._tag, "ServerFault")
        assert.strictEqual((yield* Effect.flip(llm.health))._tag, "MalformedResponse")
      })))
})

describe("Llvm, as the environment says", () => {
  const asked = (env: ReadonlyArray<readonly [string, string]>) => {
    const { fetch, sent } = fetching(() => ({ body: { status: "running" } }))
    return Effect.flatMap(LlmService.LlmService, ({ health }) => Effect.zipRight(health, Llvm.Llvm)).pipe(
      Effect.flatMap(({ status }) => status),
      Effect.map(() => [sent[0]!.host, sent[1]!.headers["authorization"]]),
      Effect.provide(Llvm.layerConfig),
      Effect.provide(FetchHttpClient.layer),
      Effect.provideService(FetchHttpClient.Fetch, fetch),
      Effect.withConfigProvider(ConfigProvider.fromMap(new Map(env)))
    )
  }

  const cases: ReadonlyArray<readonly [ReadonlyArray<readonly [string, string]>, string, string | undefined]> = [
    [[], "localhost:8090", undefined],
    [[["LLVM_BASE_URL", "http://a:1"], ["LLVM_API_URL", "http://b:2"]], "a:1", undefined],
    [[["LLVM_API_URL", "http://b:2"], ["LLVM_API_KEY", "k"]], "b:2", "Bearer k"]
  ]

  for (const [env, host, authorization] of cases) {
    it.effect(`is at ${host} for ${env.map(([name]) => name).join(" and ") || "nothing"}`, () =>
      Effect.map(asked(env), (found) => assert.deepStrictEqual(found, [host, authorization])))
  }

  for (const name of ["LLVM_BASE_URL", "LLVM_API_URL", "LLVM_API_KEY"]) {
    it.effect(`does not start when ${name} is set to nothing`, () =>
      Effect.map(Effect.flip(asked([[name, ""]])), (error) => assert.include(String(error), name)))
  }
})
