/** The backend and the simulator, which keeps the rules of OpenVINO Model Server. */
import { assert, describe, it } from "@effect/vitest"
import * as Completion from "@spillway/core/Completion"
import * as Inference from "@spillway/core/Inference"
import type * as LlmError from "@spillway/core/LlmError"
import * as Prompt from "@spillway/core/Prompt"
import * as StructuredOutput from "@spillway/core/StructuredOutput"
import * as Tensor from "@spillway/core/Tensor"
import * as Ovms from "@spillway/providers/Ovms"
import * as Simulator from "@spillway/testing/Simulator"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { failFor, ofStreams, simulated, streamed, weather } from "./simulated.js"

const model = "sim-chat"

const on = <A, E>(
  use: (backend: Ovms.Backend, simulator: Simulator.Service) => Effect.Effect<A, E>,
  options: Ovms.Options = {}
) =>
  simulated(
    ({ keys: [key] }) => Ovms.make({ baseUrl: "http://simulator/ovms", apiKeys: [key], ...options }),
    use
  )

const samples: ReadonlyArray<Tensor.Tensor> = [
  Tensor.make("bool", "BOOL", [2], [true, false]),
  Tensor.make("uint8", "UINT8", [2], [0, 255]),
  Tensor.make("uint16", "UINT16", [2], [0, 65535]),
  Tensor.make("uint32", "UINT32", [2], [0, 4294967295]),
  Tensor.make("uint64", "UINT64", [2], [0n, 18446744073709551615n]),
  Tensor.make("int8", "INT8", [2], [-128, 127]),
  Tensor.make("int16", "INT16", [2], [-32768, 32767]),
  Tensor.make("int32", "INT32", [2], [-2147483648, 2147483647]),
  Tensor.make("int64", "INT64", [1, 2], [-9223372036854775808n, 9223372036854775807n]),
  Tensor.make("small int64", "INT64", [2], [-1, 1]),
  Tensor.make("fp32", "FP32", [2, 2], [0.5, -1, 3.4028234663852886e38, 2 ** -149]),
  Tensor.make("fp32 that is none", "FP32", [2], [NaN, -0]),
  Tensor.make("fp64", "FP64", [2], [0.1, 1e300]),
  Tensor.make("texts", "BYTES", [3], ["Grüße", "", "\"12345678901234567890\""]),
  Tensor.make("bytes", "BYTES", [2], [Uint8Array.of(0, 255), "a\0b"]),
  Tensor.make("empty", "FP32", [0, 3], [])
]

describe("Ovms and the simulator", () => {
  for (const tensor of samples) {
    it.effect(`give back a tensor as it was: ${tensor.name}`, () =>
      on(({ llm }) =>
        Effect.gen(function*() {
          const request = { model: "sim-identity", input: Inference.tensors(tensor) }
          const same = ({ output }: Inference.Inference) => {
            const got = Option.getOrThrow(Inference.tensor(output, tensor.name))
            assert.deepStrictEqual(got.shape, tensor.shape)
            assert.deepStrictEqual(Tensor.elements<Tensor.Datatype>(got), Tensor.elements<Tensor.Datatype>(tensor))
            return got
          }
          const outputs = [tensor.name]
          const providerOptions = { ovms: { form: "binary" } } as const
          assert.instanceOf(same(yield* llm.infer({ ...request, outputs, providerOptions })).data, Uint8Array)
          // JSON has no word for these, whoever writes it
          if (tensor.name !== "fp32 that is none" && tensor.name !== "bytes") {
            assert.isArray(same(yield* llm.infer(request)).data)
          }
        })
      ))
  }

  it.effect("infer over several tensors, some of which are bytes, and give those that are named", () =>
    on(({ llm }) =>
      Effect.gen(function*() {
        const { model, output, version } = yield* llm.infer({
          model: "sim-identity",
          version: "1",
          input: Inference.tensors(...samples.filter(({ name }) => name !== "fp32 that is none")),
          outputs: ["int64", "texts"],
          providerOptions: { ovms: { form: "binary" } }
        })
        assert.deepStrictEqual([model, version], ["sim-identity", "1"])
        assert.deepStrictEqual(output._tag === "Tensors" && output.tensors.map(({ name }) => name), ["int64", "texts"])
      })
    ))

  it.effect("refuse what the model does not take, and what there is not", () =>
    on(({ llm, ovms }) =>
      Effect.gen(function*() {
        const input = Tensor.make("input", "FP32", [1, 2], [1, 1])
        const ask = (tensor: Tensor.Tensor, more: Partial<Inference.Request> = {}) =>
          llm.infer({ model: "sim-infer", input: Inference.tensors(tensor), ...more })
        const { output } = yield* ask(input)
        assert.deepStrictEqual(Option.getOrThrow(Inference.tensor(output, "output")).data, [0.5, 0.5])
        const refused = (effect: Effect.Effect<unknown, LlmError.LlmError>) =>
          Effect.map(Effect.flip(effect), ({ _tag, message }) => `${_tag}: ${message}`)
        assert.match(yield* refused(ask({ ...input, name: "x" })), /^InvalidRequest: .*Missing input/)
        assert.match(yield* refused(ask({ ...input, shape: [2] })), /^InvalidRequest: .*shape dimensions/)
        assert.match(yield* refused(ask(Tensor.make("input", "FP64", [1, 1], [1]))), /^InvalidRequest: .*precision/)
        assert.match(yield* refused(ask(input, { model: "nope" })), /^ModelNotFound: /)
        assert.match(yield* refused(ask(input, { version: "2" })), /^ModelNotFound: /)
        assert.match(yield* refused(ovms.metadata({ model: "nope" })), /^ModelNotFound: /)
        // it takes them, and has no word for them
        for (const datatype of ["FP16", "BF16"] as const) {
          const identity = ask(Tensor.make("x", datatype, [1], [1]), { model: "sim-identity" })
          assert.match(yield* refused(identity), /^InvalidRequest: .*Unsupported precision/)
        }
        // what a client that knows the server less well would send
        assert.match(
          yield* refused(ask(Tensor.make("input", "FP16", [1], [1]), { providerOptions: { ovms: { form: "json" } } })),
          /^InvalidRequest: .*Could not parse input content/
        )
      })
    ))

  it.effect("tell of the server and its models, whoever asks", () =>
    on(({ llm, ovms }) =>
      Effect.gen(function*() {
        assert.match((yield* ovms.server).version, /^2026\.4/)
        assert.deepStrictEqual(yield* Effect.all([ovms.live, ovms.ready]), [true, true])
        yield* llm.health
        assert.deepStrictEqual((yield* ovms.metadata({ model: "sim-infer" })).inputs, [
          { name: "input", datatype: "FP32", shape: [-1, -1] }
        ])
        assert.isTrue(yield* ovms.modelReady({ model: "sim-infer", version: "1" }))
        assert.isFalse(yield* ovms.modelReady({ model: "nope" }))
        const names = (yield* llm.listModels).map(({ id }) => id)
        assert.include(names, model)
        assert.include(names, "sim-infer")
        assert.deepStrictEqual((yield* ovms.config).map(({ model }) => model), names)
        assert.deepStrictEqual((yield* ovms.reload).models.length, names.length)
        assert.strictEqual((yield* ovms.status({ model: "sim-infer" }))[0]?.state, "AVAILABLE")
      }), { apiKeys: [Redacted.make("of-another-server")] }))

  it.effect("predict from JSON where the server is old, and say so where it is not", () =>
    Effect.gen(function*() {
      const infer = ({ llm }: Ovms.Backend) =>
        llm.infer({ model: "sim-infer", input: Inference.json({ instances: [[1, 2], { x: 3 }] }) })
      const old = { baseUrl: "http://simulator/ovms/2025" }
      const predicted = yield* on((backend, simulator) =>
        Effect.gen(function*() {
          assert.deepStrictEqual(yield* backend.ovms.predict({ model: "sim-infer", inputs: { x: [1, 2] } }), 3)
          const absent = yield* Effect.flip(backend.ovms.predict({ model: "x", inputs: 1 }))
          assert.strictEqual(absent._tag, "ModelNotFound")
          assert.strictEqual((yield* backend.ovms.status({ model: "sim-infer", version: "1" }))[0]?.version, "1")
          const { output } = yield* infer(backend)
          assert.isTrue((yield* simulator.requests).some(({ url }) => url.endsWith("/v1/models/sim-infer:predict")))
          return output
        }), old)
      assert.deepStrictEqual(predicted, Inference.json([3, 3]))
      assert.strictEqual((yield* Effect.flip(on(infer)))._tag, "Unsupported")
    }))

  it.effect("chat, whole and streamed, with the same answer and the same count", () =>
    on(({ llm }) =>
      Effect.gen(function*() {
        const request = { model, prompt: [Prompt.system("Be brief."), Prompt.user("Hello there")] }
        const whole = yield* llm.generateText(request)
        assert.match(whole.text, /^You said: “Hello there”\./)
        assert.deepStrictEqual(yield* streamed(llm)(request), whole)
        const short = yield* streamed(llm)({ ...request, maxTokens: 3 })
        assert.deepStrictEqual([short.finishReason, short.usage.outputTokens], ["length", 3])
      })
    ))

  it.effect("think aloud, and read what was thought before", () =>
    on(({ llm }) =>
      Effect.gen(function*() {
        const request = { model: "sim-reasoning", prompt: "Why?" }
        for (const ask of [llm.generateText, streamed(llm)]) {
          const thought = yield* ask(request)
          assert.deepStrictEqual(thought.content.map(({ _tag }) => _tag), ["Reasoning", "Text"])
          const prompt = [Prompt.user("Why?"), Prompt.assistant(thought.content), Prompt.user("So?")]
          yield* ask({ ...request, prompt })
        }
        const silent = { ovms: { chatTemplateKwargs: { enable_thinking: false } } }
        const said = yield* llm.generateText({ ...request, providerOptions: silent })
        assert.deepStrictEqual(said.content.map(({ _tag }) => _tag), ["Text"])
      })
    ))

  it.effect("call a tool and answer with what it says, whole and streamed", () =>
    on(({ llm }) =>
      Effect.gen(function*() {
        for (const ask of [llm.generateText, streamed(llm)]) {
          const prompt = Prompt.make("What is the weather in Tokyo?")
          const asked = yield* ask({ model, prompt, tools: [weather], toolChoice: "required" })
          assert.strictEqual(asked.finishReason, "tool-calls")
          const { arguments: args, id, name } = asked.toolCalls[0]!
          assert.deepStrictEqual([name, JSON.parse(args)], ["get_weather", { city: "Tokyo" }])
          const answered = yield* ask({
            model,
            tools: [weather],
            prompt: [
              ...prompt,
              Prompt.assistant(asked.content),
              Prompt.tool([{ _tag: "ToolResult", id, name, result: "21 degrees and sunny" }])
            ]
          })
          assert.include(answered.text, "21 degrees and sunny")
        }
      })
    ))

  it.effect("give a value of a schema, go on from a text, and take texts apart", () =>
    on(({ llm, ovms }) =>
      Effect.gen(function*() {
        const Person = Schema.Struct({ name: Schema.String, age: Schema.Int })
        const person = yield* llm.generateText({ model, prompt: "Who?", format: StructuredOutput.toFormat(Person) })
        Schema.decodeUnknownSync(Person)(JSON.parse(person.text))
        const request = { model, prompt: "Once upon", stop: ["simulator"], echo: true, options: { bestOf: 1 } }
        const whole = yield* ovms.complete(request)
        assert.match(whole.text, /^Once upon/)
        assert.notInclude(whole.text, "simulator")
        assert.deepStrictEqual(yield* Completion.collect(ovms.streamComplete(request)), whole)
        const tokens = yield* ovms.tokenize({ model, texts: ["one two", "three"] })
        assert.deepStrictEqual(tokens.map(({ length }) => length), [2, 1])
        assert.deepStrictEqual(yield* ovms.tokenize({ model, texts: ["one two"] }), tokens.slice(0, 1))
      })
    ))

  it.effect("embed texts and rank documents", () =>
    on(({ llm }) =>
      Effect.gen(function*() {
        const { usage, vectors } = yield* llm.embed({ model: "sim-embed", input: ["first", "second", "first"] })
        assert.deepStrictEqual(vectors[0], vectors[2])
        assert.notDeepEqual(vectors[0], vectors[1])
        assert.isAbove(usage.inputTokens!, 0)
        const documents = ["a stone", "a river of water", "the water"]
        const { results } = yield* llm.rerank({ model: "sim-embed", query: "the water", documents, topN: 2 })
        assert.deepStrictEqual(results.map(({ index }) => index), [2, 1])
      })
    ))

  const refusals: ReadonlyArray<readonly [string, Completion.Request, LlmError.Tag]> = [
    ["an absent model", { model: "nope", prompt: "hi" }, "ModelNotFound"],
    ["a model without a name", { model: "", prompt: "hi" }, "InvalidRequest"],
    ["a wrong field", { model, prompt: "hi", temperature: 3 }, "InvalidRequest"]
  ]

  for (const [name, request, tag] of refusals) {
    it.effect(`fail with ${tag} for ${name}`, () =>
      on(({ llm }) =>
        Effect.gen(function*() {
          for (const ask of [llm.generateText, streamed(llm)]) {
            assert.strictEqual((yield* Effect.flip(ask(request)))._tag, tag)
          }
        })
      ))
  }

  it.effect("fail with AuthenticationFailed for a wrong key, which is a 500", () =>
    on(({ llm }) =>
      Effect.map(Effect.flip(llm.generateText({ model, prompt: "hi" })), (error) => {
        assert.strictEqual(error._tag, "AuthenticationFailed")
        assert.strictEqual("status" in error && error.status, 500)
      }), { apiKeys: [Redacted.make("of-another-server")] }))

  describe("in a chat and in a text", () => {
    failFor(
      ofStreams,
      on,
      ({ llm }) => streamed(llm)({ model, prompt: "Hello there" }),
      ({ ovms }) => Completion.collect(ovms.streamComplete({ model, prompt: "Hello there" }))
    )
  })

  it.effect("say of tensors that were cut off that they were", () =>
    on(({ llm }, simulator) =>
      Effect.gen(function*() {
        for (const form of ["json", "binary"] as const) {
          yield* simulator.inject("malformed")
          const error = yield* Effect.flip(llm.infer({
            model: "sim-identity",
            input: Inference.tensors(Tensor.make("x", "FP32", [100], Array.from({ length: 100 }, (_, i) => i))),
            outputs: ["x"],
            providerOptions: { ovms: { form } }
          }))
          assert.strictEqual(error._tag, "MalformedResponse")
        }
      })
    ))
})
