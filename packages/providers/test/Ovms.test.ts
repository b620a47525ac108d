import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Completion from "@spillway/core/Completion"
import * as Inference from "@spillway/core/Inference"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Tensor from "@spillway/core/Tensor"
import * as KServeWire from "@spillway/providers/KServeWire"
import * as Ovms from "@spillway/providers/Ovms"
import * as OvmsWire from "@spillway/providers/OvmsWire"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { type Answer, fetching, inPieces, type Sent, through } from "./fetching.js"

const on = <A, E>(
  answer: (sent: Sent, index: number) => Answer,
  program: (backend: Ovms.Backend) => Effect.Effect<A, E>,
  options?: Ovms.Options
) => {
  const { fetch, sent } = fetching(answer)
  return Effect.map(through(fetch, Ovms.make(options), program), (value) => ({ value, sent }))
}

/** A server of that version, whose other paths answer as they are told; the rest is no path of it. */
const server = (version: string, paths: { readonly [path: string]: Answer }) => ({ path }: Sent): Answer =>
  path === "/v2"
    ? { body: { name: "OpenVINO Model Server", version } }
    : paths[path] ?? { status: 400, body: { error: "Invalid request URL" } }

const asked = ({ method, path }: Sent) => `${method} ${path}`

const tensor = Tensor.make("0", "FP32", [1, 2], [0.5, 2])

const infer = (llm: LlmService.Service, more: Partial<Inference.Request> = {}) =>
  llm.infer({ model: "resnet", input: Inference.tensors(tensor), ...more })

const inferred = {
  model_name: "resnet",
  model_version: "3",
  outputs: [{ name: "1463", shape: [2], datatype: "FP32", data: [0.25, 1] }]
}

describe("Ovms, over KServe's wire", () => {
  it.effect("infers on tensors, without a key and on this machine", () =>
    Effect.gen(function*() {
      const { sent, value } = yield* on(() => ({ body: inferred }), ({ llm }) => infer(llm))
      assert.deepStrictEqual(value, {
        model: "resnet",
        version: "3",
        output: Inference.tensors(Tensor.make("1463", "FP32", [2], [0.25, 1])),
        usage: {}
      })
      const [{ body, headers, host, method, path }] = sent as [Sent]
      assert.deepStrictEqual([method, host, path], ["POST", "127.0.0.1:8000", "/v2/models/resnet/infer"])
      assert.deepStrictEqual(body, { inputs: [{ name: "0", shape: [1, 2], datatype: "FP32", data: [0.5, 2] }] })
      assert.strictEqual(headers["content-type"], "application/json")
      assert.isUndefined(headers["authorization"])
    }))

  it.effect("names a version, outputs and parameters", () =>
    Effect.gen(function*() {
      const { sent } = yield* on(() => ({ body: inferred }), ({ llm }) =>
        infer(llm, {
          version: "3",
          outputs: ["1463"],
          providerOptions: { ovms: { parameters: { priority: 2 } } }
        }))
      assert.strictEqual(sent[0]!.path, "/v2/models/resnet/versions/3/infer")
      assert.deepStrictEqual(sent[0]!.body.outputs, [{ name: "1463" }])
      assert.deepStrictEqual(sent[0]!.body.parameters, { priority: 2 })
    }))

  it.effect("reads an answer that is bytes, wherever they are cut, though its type says JSON", () =>
    Effect.gen(function*() {
      const output = { name: "1463", shape: [2], datatype: "FP32", parameters: { binary_data_size: 8 } }
      const json = new TextEncoder().encode(JSON.stringify({ model_name: "resnet", outputs: [output] }))
      const bytes = new Uint8Array([...json, 0, 0, 128, 62, 0, 0, 128, 63])
      const headers = { "content-type": "application/json", [KServeWire.lengthHeader]: String(json.length) }
      const bodies = [bytes, inPieces(...Array.from(bytes, (byte) => Uint8Array.of(byte)))]
      const { value } = yield* on(
        (_, index) => ({ headers, body: bodies[index] }),
        ({ llm }) => Effect.all([infer(llm), infer(llm)])
      )
      for (const { output } of value) {
        const got = Option.getOrThrow(Inference.tensor(output, "1463"))
        assert.deepStrictEqual(Tensor.elements<Tensor.Datatype>(got), [0.25, 1])
      }
    }))

  it.effect("sends nothing for a version that is no number, and for tensors that are wrong", () =>
    Effect.gen(function*() {
      const { sent, value } = yield* on(() => ({ body: inferred }), ({ llm, ovms }) =>
        Effect.all([
          Effect.flip(infer(llm, { version: "latest" })),
          Effect.flip(infer(llm, { input: Inference.tensors({ ...tensor, shape: [3] }) })),
          Effect.flip(ovms.metadata({ model: "resnet", version: "1/ready" }))
        ]))
      assert.deepStrictEqual(value.map(({ _tag }) => _tag), ["InvalidRequest", "InvalidRequest", "InvalidRequest"])
      assert.deepStrictEqual(sent, [])
    }))

  it.effect("tells what server it is, which tensors a model takes, and who is ready", () =>
    Effect.gen(function*() {
      const model = { name: "resnet", versions: ["1"], platform: "OpenVINO", inputs: [], outputs: [] }
      const { sent, value } = yield* on(
        server("2026.4.0.abc", {
          "/v2/models/resnet/versions/1": { body: model },
          "/v2/models/resnet/ready": { body: "" },
          "/v2/models/nope/ready": { status: 404, body: { error: "Model with requested name is not found" } },
          "/v2/models/new/ready": { status: 404, body: { error: "Model with requested version is not loaded yet" } },
          "/v2/health/live": { body: "" },
          "/v2/health/ready": { status: 503, body: { error: "Server is not ready" } }
        }),
        ({ llm, ovms }) =>
          Effect.all([
            ovms.server,
            ovms.metadata({ model: "resnet", version: "1" }),
            ovms.modelReady({ model: "resnet" }),
            ovms.modelReady({ model: "nope" }),
            ovms.modelReady({ model: "new" }),
            ovms.live,
            ovms.ready,
            Effect.map(Effect.flip(llm.health), ({ _tag }) => _tag)
          ])
      )
      assert.deepStrictEqual(value, [
        { name: "OpenVINO Model Server", version: "2026.4.0.abc", extensions: [] },
        model,
        true,
        false,
        false,
        true,
        false,
        "ServerFault"
      ])
      assert.isTrue(sent.every(({ method }) => method === "GET"))
    }))

  it.effect("does not say of a server out of reach that it is not ready", () =>
    on(() => ({ status: 404, body: "<html>not here</html>" }), ({ ovms }) =>
      Effect.map(Effect.all([Effect.flip(ovms.ready), Effect.flip(ovms.modelReady({ model: "m" }))]), (errors) => {
        assert.deepStrictEqual(errors.map(({ _tag }) => _tag), ["MalformedResponse", "MalformedResponse"])
      })))
})

const available = { version: "1", state: "AVAILABLE", status: { error_code: "OK", error_message: "OK" } }

const config = {
  resnet: { model_version_status: [available, { ...available, version: "2" }] },
  "a/b": { model_version_status: [] }
}

describe("Ovms, over TensorFlow Serving's wire", () => {
  const old = server("2026.2.1.fd742507", {
    "/v1/models/resnet:predict": { body: { predictions: [[1], [2]] } },
    "/v1/models/resnet/versions/2:predict": { body: { outputs: { y: 1 } } },
    "/v1/models/resnet/versions/2": { body: { model_version_status: [available] } }
  })

  it.effect("predicts from JSON on a server that still can, and asks once which server it is", () =>
    Effect.gen(function*() {
      const { sent, value } = yield* on(old, ({ llm, ovms }) =>
        Effect.gen(function*() {
          const instances = [{ data: [1] }, { data: [2] }]
          return [
            (yield* llm.infer({ model: "resnet", input: Inference.json({ instances }) })).output,
            (yield* llm.infer({ model: "resnet", input: Inference.json(instances) })).output,
            yield* ovms.predict({ model: "resnet", version: "2", inputs: { x: [1] }, signatureName: "s" }),
            yield* llm.infer({ model: "resnet", version: "2", input: Inference.json({ inputs: 1 }) })
          ]
        }))
      assert.deepStrictEqual(value, [
        Inference.json([[1], [2]]),
        Inference.json([[1], [2]]),
        { y: 1 },
        { model: "resnet", version: "2", output: Inference.json({ y: 1 }), usage: {} }
      ])
      assert.deepStrictEqual(sent.map(asked), [
        "GET /v2",
        "POST /v1/models/resnet:predict",
        "POST /v1/models/resnet:predict",
        "POST /v1/models/resnet/versions/2:predict",
        "POST /v1/models/resnet/versions/2:predict"
      ])
      assert.deepStrictEqual(sent[1]!.body, { instances: [{ data: [1] }, { data: [2] }] })
      assert.deepStrictEqual(sent[2]!.body, sent[1]!.body)
      assert.deepStrictEqual(sent[3]!.body, { inputs: { x: [1] }, signature_name: "s" })
    }))

  for (const version of ["2026.3.0.abc", "2027.0", "2030.1.2", "", "nightly"]) {
    it.effect(`has no word for JSON on a server of version "${version}"`, () =>
      Effect.gen(function*() {
        const { sent, value } = yield* on(server(version, {}), ({ llm, ovms }) =>
          Effect.all([
            Effect.flip(llm.infer({ model: "resnet", input: Inference.json([1]) })),
            Effect.flip(ovms.predict({ model: "resnet", inputs: 1 }))
          ]))
        for (const error of value) {
          assert.strictEqual(error._tag, "Unsupported")
          assert.include(error.message, "takes tensors alone")
        }
        assert.deepStrictEqual(sent.map(asked), ["GET /v2"])
      }))
  }

  const ancient: ReadonlyArray<readonly [string, Answer]> = [
    ["from before KServe", { status: 400, body: { error: "Invalid request URL" } }],
    ["of TensorFlow's own", { status: 404, body: { error: "Malformed request: GET /v2" } }]
  ]

  for (const [name, answer] of ancient) {
    it.effect(`predicts on a server ${name}`, () =>
      on(
        ({ path }) => path === "/v2" ? answer : { body: { predictions: [3] } },
        ({ ovms }) =>
          Effect.map(ovms.predict({ model: "m", instances: [1] }), (value) => assert.deepStrictEqual(value, [3]))
      ))
  }

  it.effect("asks again which server it is when a prediction failed, since it may have been replaced", () =>
    Effect.gen(function*() {
      let version = "2026.2.0"
      const { sent, value } = yield* on(
        (request) =>
          version === "2026.2.0"
            ? server(version, { "/v1/models/m:predict": { body: { predictions: [1] } } })(request)
            : server(version, {
              "/v1/models/m:predict": {
                status: 412,
                body: { error: "The file is not valid json - model field is missing in JSON body" }
              }
            })(request),
        ({ ovms }) =>
          Effect.gen(function*() {
            const predict = ovms.predict({ model: "m", instances: [1] })
            yield* predict
            version = "2026.4.0"
            return [(yield* Effect.flip(predict))._tag, (yield* Effect.flip(predict))._tag]
          })
      )
      assert.deepStrictEqual(value, ["InvalidRequest", "Unsupported"])
      const predict = "/v1/models/m:predict"
      assert.deepStrictEqual(sent.map(({ path }) => path), ["/v2", predict, predict, "/v2"])
    }))

  it.effect("does not take an outage for an old server", () =>
    Effect.gen(function*() {
      const { value } = yield* on(
        (sent, index) =>
          index === 0 ? { status: 503, body: { error: "Server is not ready" } } : server("2026.4", {})(sent),
        ({ ovms }) => {
          const predict = Effect.flip(ovms.predict({ model: "m", instances: [1] }))
          return Effect.all([predict, predict])
        }
      )
      assert.deepStrictEqual(value.map(({ _tag }) => _tag), ["ServerFault", "Unsupported"])
    }))

  it.effect("sends nothing for JSON that is neither instances nor inputs, or of which outputs are named", () =>
    Effect.gen(function*() {
      const { sent, value } = yield* on(old, ({ llm }) =>
        Effect.all([
          Effect.flip(llm.infer({ model: "m", input: Inference.json({ data: 1 }) })),
          Effect.flip(llm.infer({ model: "m", input: Inference.json([1]), outputs: ["y"] })),
          Effect.flip(llm.infer({ model: "m", version: "latest", input: Inference.json([1]) }))
        ]))
      assert.deepStrictEqual(value.map(({ _tag }) => _tag), ["InvalidRequest", "Unsupported", "InvalidRequest"])
      assert.deepStrictEqual(sent.filter(({ method }) => method === "POST"), [])
    }))

  it.effect("tells how the versions of a model are, on old servers and on new ones", () =>
    Effect.gen(function*() {
      const told = [{ version: "1", state: "AVAILABLE", errorCode: "OK", errorMessage: "OK" }]
      const before = yield* on(old, ({ ovms }) => ovms.status({ model: "resnet", version: "2" }))
      assert.deepStrictEqual(before.value, told)
      const { sent, value } = yield* on(server("2026.4", { "/v1/config": { body: config } }), ({ ovms }) =>
        Effect.all([
          ovms.status({ model: "resnet", version: "1" }),
          ovms.status({ model: "resnet" }),
          Effect.map(Effect.flip(ovms.status({ model: "resnet", version: "9" })), ({ _tag }) => _tag),
          Effect.map(Effect.flip(ovms.status({ model: "nope" })), ({ _tag }) => _tag)
        ]))
      assert.deepStrictEqual(value, [
        told,
        [...told, { ...told[0]!, version: "2" }],
        "ModelNotFound",
        "ModelNotFound"
      ])
      assert.strictEqual(sent.filter(({ path }) => path === "/v2").length, 1)
    }))

  it.effect("reads the configuration, and has it read again", () =>
    Effect.gen(function*() {
      const { sent, value } = yield* on(
        (_, index) => ({ status: index === 1 ? 201 : 200, body: config }),
        ({ ovms }) => Effect.all([ovms.config, ovms.reload, ovms.reload])
      )
      const [models, first, second] = value
      assert.deepStrictEqual(models.map(({ model, versions }) => [model, versions.length]), [["resnet", 2], ["a/b", 0]])
      assert.deepStrictEqual(first, { changed: true, models })
      assert.deepStrictEqual(second, { changed: false, models })
      assert.deepStrictEqual(sent.map(asked), ["GET /v1/config", "POST /v1/config/reload", "POST /v1/config/reload"])
      assert.isUndefined(sent[1]!.body)
    }))

  it("knows until which version", () => {
    const versions = ["2022.3.0.abc", "2025.4.1", "2026.0", "2026.2.1"]
    assert.isTrue(versions.every(OvmsWire.speaksTfServing))
  })
})

const chatted = {
  choices: [{ index: 0, finish_reason: "stop", logprobs: null, message: { role: "assistant", content: "Hi" } }],
  created: 1,
  model: "llama3",
  object: "chat.completion",
  usage: { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 }
}

describe("Ovms, over OpenAI's wire", () => {
  it.effect("chats with a key, and with what only this server knows", () =>
    Effect.gen(function*() {
      const { sent, value } = yield* on(
        () => ({ body: chatted }),
        ({ llm }) =>
          llm.generateText({
            model: "llama3",
            prompt: "hi",
            topK: 3,
            maxTokens: 9,
            user: "someone",
            parallelToolCalls: true,
            reasoning: { effort: "low" },
            providerOptions: {
              ovms: {
                minP: 0.1,
                repetitionPenalty: 1.1,
                bestOf: 2,
                lengthPenalty: 1,
                ignoreEos: false,
                includeStop: true,
                skipSpecialTokens: false,
                chatTemplateKwargs: { enable_thinking: false },
                numAssistantTokens: 5,
                assistantConfidenceThreshold: 0.5,
                maxNgramSize: 3
              }
            }
          }),
        { apiKeys: [Redacted.make("ovms-key")], baseUrl: "http://gpu:9000/ovms/" }
      )
      assert.strictEqual(value.text, "Hi")
      assert.isUndefined(value.id)
      const [{ body, headers, host, path }] = sent as [Sent]
      assert.deepStrictEqual([host, path], ["gpu:9000", "/ovms/v3/chat/completions"])
      assert.strictEqual(headers["authorization"], "Bearer ovms-key")
      assert.deepStrictEqual(body, {
        model: "llama3",
        messages: [{ role: "user", content: "hi" }],
        max_tokens: 9,
        top_k: 3,
        min_p: 0.1,
        repetition_penalty: 1.1,
        best_of: 2,
        length_penalty: 1,
        ignore_eos: false,
        include_stop_str_in_output: true,
        skip_special_tokens: false,
        chat_template_kwargs: { enable_thinking: false },
        num_assistant_tokens: 5,
        assistant_confidence_threshold: 0.5,
        max_ngram_size: 3
      })
    }))

  it.effect("embeds, ranks and lists models", () =>
    Effect.gen(function*() {
      const { sent, value } = yield* on(
        ({ path }) =>
          path === "/v3/embeddings"
            ? { body: { object: "list", data: [{ index: 0, embedding: "AACAPgAAAEA=" }], usage: { prompt_tokens: 2 } } }
            : path === "/v3/rerank"
            ? { body: { results: [{ index: 1, relevance_score: 0.9 }, { index: 0, relevance_score: 0.1 }] } }
            : { body: { object: "list", data: [{ id: "bge", object: "model", created: 1, owned_by: "OVMS" }] } },
        ({ llm }) =>
          Effect.all([
            llm.embed({ model: "bge", input: ["x"], user: "someone" }),
            llm.rerank({ model: "bge", query: "q", documents: ["a", "b"], topN: 2 }),
            llm.listModels
          ])
      )
      assert.deepStrictEqual(value, [
        { model: "bge", vectors: [[0.25, 2]], usage: { inputTokens: 2 } },
        {
          model: "bge",
          results: [{ index: 1, score: 0.9, document: "b" }, { index: 0, score: 0.1, document: "a" }],
          usage: {}
        },
        [{ id: "bge", owner: "OVMS", created: 1 }]
      ])
      assert.deepStrictEqual(sent.map(({ body }) => body), [
        { model: "bge", input: ["x"], encoding_format: "base64" },
        { model: "bge", query: "q", documents: ["a", "b"], top_n: 2 },
        undefined
      ])
    }))

  it.effect("asks for no shorter vectors, which the server would not make", () =>
    Effect.gen(function*() {
      const { sent, value } = yield* on(() => ({ body: {} }), ({ llm }) =>
        Effect.flip(llm.embed({ model: "bge", input: ["x"], dimensions: 8 })))
      assert.strictEqual(value._tag, "Unsupported")
      assert.deepStrictEqual(sent, [])
    }))

  it.effect("lists the models of the configuration where there is no other list", () =>
    Effect.gen(function*() {
      const { value } = yield* on(server("2024.5", { "/v1/config": { body: config } }), ({ llm }) => llm.listModels)
      assert.deepStrictEqual(value, [{ id: "resnet" }, { id: "a/b" }])
    }))

  const completed = {
    choices: [{ finish_reason: "length", index: 0, logprobs: null, text: " on" }],
    model: "llama3",
    object: "text_completion",
    usage: { prompt_tokens: 2, completion_tokens: 1 }
  }

  const said: Completion.Completion = {
    model: "llama3",
    content: [{ _tag: "Text", text: " on" }],
    text: " on",
    toolCalls: [],
    finishReason: "length",
    usage: { inputTokens: 2, outputTokens: 1 }
  }

  const goOn: OvmsWire.CompleteRequest = {
    model: "llama3",
    prompt: "Go",
    maxTokens: 1,
    echo: false,
    options: { minP: 0.1 }
  }

  it.effect("goes on from a text, whole and streamed", () =>
    Effect.gen(function*() {
      const chunk = (choices: ReadonlyArray<object>, more: object = {}) =>
        `data: ${JSON.stringify({ choices, model: "llama3", ...more })}\n\n`
      const stream = chunk([{ index: 0, text: " o", finish_reason: null }], { usage: null }) +
        chunk([{ index: 1, text: "other" }]) +
        chunk([{ index: 0, text: "n", finish_reason: "length" }]) +
        `${chunk([], { usage: completed.usage })}data: [DONE]\n\n`
      const { sent, value } = yield* on(
        ({ body }) => body.stream === true ? { body: stream } : { body: completed },
        ({ ovms }) => Effect.all([ovms.complete(goOn), Completion.collect(ovms.streamComplete(goOn))])
      )
      assert.deepStrictEqual(value, [said, said])
      assert.deepStrictEqual(sent.map(asked), ["POST /v3/completions", "POST /v3/completions"])
      assert.deepStrictEqual(sent[0]!.body, { model: "llama3", prompt: "Go", max_tokens: 1, echo: false, min_p: 0.1 })
      assert.deepStrictEqual(sent[1]!.body, {
        ...sent[0]!.body,
        stream: true,
        stream_options: { include_usage: true }
      })
    }))

  it.effect("never takes a text that was cut short for a whole one", () =>
    Effect.gen(function*() {
      const bodies = [
        "data: {\"choices\":[{\"index\":0,\"text\":\"o\",\"finish_reason\":\"stop\"}]}\n\n",
        "data: [DONE]\n\n",
        "data: {\n\n",
        "data: {\"error\":\"no\"}\n\n"
      ]
      const { value } = yield* on((_, index) => ({ body: bodies[index] }), ({ ovms }) =>
        Effect.forEach(bodies, () => Effect.flip(Completion.collect(ovms.streamComplete(goOn)))))
      assert.deepStrictEqual(value.map(({ _tag }) => _tag), [
        "StreamInterrupted",
        "MalformedResponse",
        "MalformedResponse",
        "ServerFault"
      ])
    }))

  it.effect("says of a completion without choices that it is none", () =>
    on((_, index) => ({ body: index === 0 ? {} : { error: "no" } }), ({ ovms }) =>
      Effect.gen(function*() {
        assert.strictEqual((yield* Effect.flip(ovms.complete(goOn)))._tag, "MalformedResponse")
        assert.strictEqual((yield* Effect.flip(ovms.complete(goOn)))._tag, "ServerFault")
      })))

  it.effect("takes texts apart, one or several", () =>
    Effect.gen(function*() {
      const bodies = [{ tokens: [1, 2] }, { tokens: [[1], [2, 3]] }, { tokens: [1, 2] }, { tokens: [["a"]] }, {}]
      const { sent, value } = yield* on((_, index) => ({ body: bodies[index] }), ({ ovms }) => {
        const tokenize = (...texts: ReadonlyArray<string>) => ovms.tokenize({ model: "m", texts, maxLength: 4 })
        return Effect.all([
          tokenize("a b"),
          tokenize("a", "b c"),
          Effect.flip(tokenize("a", "b")),
          Effect.flip(tokenize("a")),
          Effect.flip(tokenize("a"))
        ])
      })
      assert.deepStrictEqual(value.slice(0, 2), [[[1, 2]], [[1], [2, 3]]])
      for (const error of value.slice(2)) assert.instanceOf(error, LlmError.MalformedResponse)
      assert.deepStrictEqual(sent[0]!.body, { model: "m", text: ["a b"], max_length: 4 })
    }))
})

describe("Ovms, when it refuses", () => {
  const graph = (status: string, why: string) =>
    `Mediapipe execution failed. MP status - ${status}: CalculatorGraph::Run() failed: \n` +
    `Calculator::Process() for node "LLMExecutor" failed: ${why}`

  const refusals: ReadonlyArray<readonly [number, string, LlmError.Tag]> = [
    [500, "Unauthorized request due to invalid or missing api-key", "AuthenticationFailed"],
    [404, "Mediapipe graph definition with requested name is not found", "ModelNotFound"],
    [404, "Model with requested name is not found", "ModelNotFound"],
    [404, "Model with requested version is retired", "ModelNotFound"],
    [404, "Model with requested name and/or version is not found", "ModelNotFound"],
    [500, "Mediapipe is not loaded yet", "ModelNotFound"],
    [500, "Model not found", "ModelNotFound"],
    [500, "ModelInstance not found", "ModelNotFound"],
    [500, "Error while loading a model", "ModelNotFound"],
    [400, "Invalid JSON structure, missing inputs", "InvalidRequest"],
    [400, graph("INVALID_ARGUMENT", "stop is not a string or array of strings"), "InvalidRequest"],
    [400, graph("INVALID_ARGUMENT", "Unauthorized request"), "InvalidRequest"],
    [400, graph("INTERNAL", "out of memory"), "ServerFault"],
    [400, graph("RESOURCE_EXHAUSTED", "queue"), "ServerFault"],
    [400, graph("UNIMPLEMENTED", "no"), "Unsupported"],
    [400, "Invalid request URL", "Unsupported"],
    [406, "Unsupported method", "Unsupported"],
    [412, "The file is not valid json - Cannot parse JSON body", "InvalidRequest"],
    [500, "Image parsing failed", "InvalidRequest"],
    [500, "JSON nesting depth exceeds the allowed limit", "InvalidRequest"],
    [500, "Functionality not implemented", "Unsupported"],
    [500, "Internal inference error", "ServerFault"],
    [503, "Server is not ready", "ServerFault"],
    [429, "too many requests", "RateLimited"]
  ]

  for (const [status, error, tag] of refusals) {
    it.effect(`means ${tag} by ${status} ${error.slice(0, 90).replace("\n", " ")}`, () =>
      on(() => ({ status, body: { error } }), ({ llm }) =>
        Effect.gen(function*() {
          const refused = yield* Effect.flip(llm.generateText({ model: "m", prompt: "hi" }))
          assert.strictEqual(refused._tag, tag)
          assert.include(refused.message, error.split(":")[0]!)
        }), { apiKeys: [Redacted.make("ovms-key")] }))
  }

  it.effect("goes on serving tensors to one without a key, and says how to come by the rest", () =>
    Effect.gen(function*() {
      const { value } = yield* on(
        ({ path }) =>
          path.startsWith("/v3")
            ? { status: 500, body: { error: "Unauthorized request due to invalid or missing api-key" } }
            : { body: inferred },
        ({ llm }) => Effect.all([Effect.flip(llm.generateText({ model: "m", prompt: "hi" })), infer(llm)])
      )
      const [error, { model }] = value
      assert.strictEqual(error._tag, "PermissionDenied")
      assert.match(error.message, /set OVMS_API_KEY$/)
      assert.strictEqual(model, "resnet")
    }))

  const began = [{ role: "assistant", content: null }, { content: "He" }]
    .map((delta) => ({ choices: [{ index: 0, delta, finish_reason: null }], model: "m" }))
    .map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`)
    .join("")

  const inStream: ReadonlyArray<readonly [string, string, LlmError.Tag]> = [
    ["JSON", `{"error": "Internal server error"}`, "ServerFault"],
    ["JSON over several lines", "{\n\t\"error\": \"Model with requested version is retired\"\n}", "ModelNotFound"],
    ["what nobody escaped", `{"error": "${graph("INTERNAL", "a \"quoted\" word")}; error in send"}`, "ServerFault"],
    ["what nobody escaped, of the request", `{"error": "${graph("INVALID_ARGUMENT", "too long")}"}`, "InvalidRequest"]
  ]

  for (const [name, error, tag] of inStream) {
    it.effect(`means ${tag} in the midst of a stream by ${name}, after what came before`, () =>
      on(() => ({ body: `${began}${error}` }), ({ llm }) =>
        Effect.gen(function*() {
          const parts: Array<Completion.Part> = []
          const stream = llm.streamText({ model: "m", prompt: "hi" })
          const failed = yield* Effect.flip(
            Stream.runForEach(stream, (part) => Effect.sync(() => parts.push(part)))
          )
          assert.strictEqual(failed._tag, tag)
          assert.deepStrictEqual(parts.map((part) => part._tag), ["Start", "TextDelta"])
          assert.notMatch(failed.message, /\n/)
        })))

    it.effect(`means ${tag} by ${name} as the first word of a stream, as a 400 or without a status`, () =>
      on((_, index) => ({ status: index === 0 ? 400 : 200, body: error }), ({ llm }) =>
        Effect.gen(function*() {
          const ask = Effect.flip(Completion.collect(llm.streamText({ model: "m", prompt: "hi" })))
          assert.strictEqual((yield* ask)._tag, tag === "ServerFault" && name === "JSON" ? "InvalidRequest" : tag)
          assert.strictEqual((yield* ask)._tag, tag)
        })))
  }
})

describe("Ovms, as the environment says", () => {
  const asked = (env: ReadonlyArray<readonly [string, string]>) => {
    const { fetch, sent } = fetching(() => ({ body: chatted }))
    return Effect.flatMap(LlmService.LlmService, (llm) => llm.generateText({ model: "m", prompt: "hi" })).pipe(
      Effect.map(() => [sent[0]!.host, sent[0]!.headers["authorization"]]),
      Effect.provide(Ovms.layerConfig),
      Effect.provide(FetchHttpClient.layer),
      Effect.provideService(FetchHttpClient.Fetch, fetch),
      Effect.withConfigProvider(ConfigProvider.fromMap(new Map(env)))
    )
  }

  const cases: ReadonlyArray<readonly [ReadonlyArray<readonly [string, string]>, string, string | undefined]> = [
    [[], "127.0.0.1:8000", undefined],
    [[["OVMS_BASE_URL", "http://a:1"]], "a:1", undefined],
    [[["OVMS_API_URL", "http://b:2"]], "b:2", undefined],
    [[["OVMS_API_URL", "http://b:2"], ["OVMS_BASE_URL", "http://a:1"]], "a:1", undefined],
    [[["OVMS_API_KEY_1", "k1"]], "127.0.0.1:8000", "Bearer k1"]
  ]

  for (const [env, host, authorization] of cases) {
    it.effect(`is at ${host}${authorization === undefined ? "" : " with a key"} for ${env.map(([name]) => name)}`, () =>
      Effect.map(asked(env), (found) => assert.deepStrictEqual(found, [host, authorization])))
  }

  for (const name of ["OVMS_BASE_URL", "OVMS_API_URL", "OVMS_API_KEY"]) {
    it.effect(`does not start when ${name} is set to nothing`, () =>
      Effect.map(Effect.flip(asked([[name, ""]])), (error) => assert.include(String(error), name)))
  }

  it.effect("gives its own service beside the common one", () =>
    Effect.flatMap(Ovms.Ovms, ({ live }) => live).pipe(
      Effect.map((live) => assert.isTrue(live)),
      Effect.provide(Ovms.layer()),
      Effect.provide(FetchHttpClient.layer),
      Effect.provideService(FetchHttpClient.Fetch, fetching(() => ({ body: "" })).fetch)
    ))
})
