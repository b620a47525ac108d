import { assert, describe, it } from "@effect/vitest"
import * as Inference from "@spillway/core/Inference"
import * as Tensor from "@spillway/core/Tensor"
import * as Llvm from "@spillway/providers/Llvm"
import type * as LlvmWire from "@spillway/providers/LlvmWire"
import * as Simulator from "@spillway/testing/Simulator"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { failFor, ofAnswers, simulated } from "./simulated.js"

const model = "bert-base"

const on = <A, E>(
  use: (backend: Llvm.Backend, simulator: Simulator.Service) => Effect.Effect<A, E>,
  options: Llvm.Options = {}
) =>
  simulated(
    ({ keys: [key] }) => Llvm.make({ baseUrl: "http://simulator/llvm", apiKeys: [key], ...options }),
    use
  )

describe("Llvm and the simulator", () => {
  it.effect("infer on JSON and on tensors, one by one and several at once", () =>
    on(({ llm, llvm }) =>
      Effect.gen(function*() {
        const { output } = yield* llm.infer({ model, input: Inference.json({ a: [1, 2], b: "x" }) })
        assert.deepStrictEqual(output, Inference.json({ model_id: model, output: { numbers: 2, sum: 3 } }))
        const tensors = yield* llm.infer({ model, input: Inference.tensors(Tensor.make("x", "FP32", [1, 2], [1, 3])) })
        assert.deepStrictEqual(tensors.output, Inference.json({ model_id: model, output: { numbers: 2, sum: 4 } }))
        const results = yield* llvm.batchInfer({ model, inputs: [1, [2, 3], "x"], parameters: { k: 1 } })
        assert.deepStrictEqual(results, [{ numbers: 1, sum: 1 }, { numbers: 2, sum: 5 }, { numbers: 0, sum: 0 }])
        assert.deepStrictEqual(yield* llvm.statistics(model), { model_id: model, requests: 5 })
        assert.strictEqual((yield* llvm.status)["requests"], 5)
      })
    ))

  it.effect("tell of models, have them optimized and loaded again", () =>
    on(({ llm, llvm }) =>
      Effect.gen(function*() {
        yield* llm.health
        const ids = (yield* llm.listModels).map(({ id }) => id)
        assert.include(ids, model)
        const info = yield* llvm.info(model)
        assert.deepStrictEqual([info.id, info.type, info.batches], [model, "nlp", true])
        assert.deepStrictEqual(info.optimizations, ["speed", "memory", "balanced"])
        assert.strictEqual((yield* llvm.optimize(model, "speed"))["optimization_type"], "speed")
        assert.strictEqual((yield* llvm.reload(model))["status"], "reloaded")
      })
    ))

  it.effect("fail for what is not there and for what is wrong", () =>
    on(({ llm, llvm }) =>
      Effect.gen(function*() {
        const tags = yield* Effect.all([
          Effect.flip(llm.infer({ model: "nope", input: Inference.json(1) })),
          Effect.flip(llvm.info("nope")),
          Effect.flip(llvm.reload("nope")),
          Effect.flip(llvm.optimize(model, "beauty" as LlvmWire.Optimization)) // what no compiler lets pass
        ])
        assert.deepStrictEqual(tags.map(({ _tag }) => _tag), [
          "ModelNotFound",
          "ModelNotFound",
          "ModelNotFound",
          "InvalidRequest"
        ])
      })
    ))

  it.effect("fail for a wrong key", () =>
    on(({ llm }) =>
      Effect.map(Effect.flip(llm.listModels), ({ _tag }) => assert.strictEqual(_tag, "AuthenticationFailed")), {
      apiKeys: [Redacted.make("of-another-server")]
    }))

  failFor(ofAnswers, on, ({ llm }) => llm.infer({ model, input: Inference.json(1) }))
})
