import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { assert, describe, it } from "@effect/vitest"
import type * as Completion from "@spillway/core/Completion"
import type * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Prompt from "@spillway/core/Prompt"
import * as Tool from "@spillway/core/Tool"
import * as Vllm from "@spillway/providers/Vllm"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { type Answer, fetching, type Sent, through } from "./fetching.js"

const whole: Answer = { body: { model: "m", choices: [{ index: 0, message: { content: "Hello" } }] } }

/** What came of a question, and what was sent for it. */
const asked = <A>(
  answer: Answer | ((sent: Sent) => Answer),
  ask: (backend: Vllm.Backend) => Effect.Effect<A, LlmError.LlmError>,
  options: Vllm.Options = {}
) => {
  const { fetch, sent } = fetching(typeof answer === "function" ? answer : () => answer)
  return Effect.map(through(fetch, Vllm.make(options), ask), (value) => ({ value, sent }))
}

const refused = (answer: Answer, ask: (backend: Vllm.Backend) => Effect.Effect<unknown, LlmError.LlmError>) =>
  through(
    fetching(() => answer).fetch,
    Vllm.make(),
    (backend) => Effect.orDieWith(Effect.flip(ask(backend)), () => "it was answered")
  )

const bodyOf = (request: Partial<Completion.Request>, options?: Vllm.Options) =>
  Effect.map(
    asked(whole, ({ llm }) => llm.generateText({ model: "m", prompt: "hi", ...request }), options),
    ({ sent }) => sent[0]!.body
  )

describe("vLLM, asked for text", () => {
  it.effect("is told in its own fields what only it can be asked for", () =>
    Effect.gen(function*() {
      const body = yield* bodyOf({
        topK: 5,
        providerOptions: {
          vllm: {
            structuredOutputs: { regex: "\\d+" },
            minP: 0.1,
            repetitionPenalty: 1.1,
            minTokens: 2,
            stopTokenIds: [7],
            badWords: ["no"],
            ignoreEos: true,
            truncatePromptTokens: -1,
            includeReasoning: false,
            priority: 3,
            cacheSalt: "salt",
            chatTemplate: "{{ messages }}",
            chatTemplateKwargs: { enable_thinking: false },
            mmProcessorKwargs: { num_crops: 4 },
            continueFinalMessage: true,
            xargs: { speed: 2 }
          }
        }
      })
      assert.deepStrictEqual(body, {
        model: "m",
        messages: [{ role: "user", content: "hi" }],
        top_k: 5,
        structured_outputs: { regex: "\\d+" },
        min_p: 0.1,
        repetition_penalty: 1.1,
        min_tokens: 2,
        stop_token_ids: [7],
        bad_words: ["no"],
        ignore_eos: true,
        truncate_prompt_tokens: -1,
        include_reasoning: false,
        priority: 3,
        cache_salt: "salt",
        chat_template: "{{ messages }}",
        chat_template_kwargs: { enable_thinking: false },
        mm_processor_kwargs: { num_crops: 4 },
        continue_final_message: true,
        add_generation_prompt: false,
        vllm_xargs: { speed: 2 }
      })
    }))

  const structures = [
    [{ json: { type: "object" } }, { json: { type: "object" } }, { guided_json: { type: "object" } }],
    [{ regex: "a+" }, { regex: "a+" }, { guided_regex: "a+" }],
    [{ choice: ["yes", "no"] }, { choice: ["yes", "no"] }, { guided_choice: ["yes", "no"] }],
    [{ grammar: "root ::= x" }, { grammar: "root ::= x" }, { guided_grammar: "root ::= x" }],
    [{ structuralTag: "{}" }, { structural_tag: "{}" }, { structural_tag: "{}" }]
  ] as const

  for (const [structuredOutputs, today, before] of structures) {
    it.effect(`says ${JSON.stringify(structuredOutputs)} in the words of the server's age`, () =>
      Effect.gen(function*() {
        const request = { providerOptions: { vllm: { structuredOutputs } } }
        const { messages: _, model: __, ...fields } = yield* bodyOf(request)
        assert.deepStrictEqual(fields, { structured_outputs: today } as any)
        const { messages: ___, model: ____, ...guided } = yield* bodyOf(request, { guided: true })
        assert.deepStrictEqual(guided, before as any)
      }))
  }

  for (const field of ["reasoning", "reasoning_content"]) {
    it.effect(`reads reasoning in ${field}, and gives it back`, () =>
      Effect.gen(function*() {
        const message = { content: "4", [field]: "2 + 2" }
        const { sent } = yield* asked({ body: { model: "m", choices: [{ index: 0, message }] } }, ({ llm }) =>
          Effect.gen(function*() {
            const { content } = yield* llm.generateText({ model: "m", prompt: "2+2?" })
            assert.deepStrictEqual(content, [{ _tag: "Reasoning", text: "2 + 2" }, { _tag: "Text", text: "4" }])
            yield* llm.generateText({ model: "m", prompt: [Prompt.assistant(content), Prompt.user("sure?")] })
          }))
        assert.deepStrictEqual(sent[1]!.body.messages[0], { role: "assistant", content: "4", reasoning: "2 + 2" })
      }))
  }

  it.effect("is shown no key where there is none, and every key on every route where there is", () =>
    Effect.gen(function*() {
      const without = yield* asked(whole, ({ llm }) => llm.generateText({ model: "m", prompt: "hi" }))
      assert.isUndefined(without.sent[0]!.headers["authorization"])
      const within = yield* asked({ body: { version: "0.13.0" } }, ({ vllm }) => vllm.version, {
        apiKeys: [Redacted.make("token-abc123")]
      })
      assert.strictEqual(within.value, "0.13.0")
      assert.deepInclude(within.sent[0]!, { method: "GET", path: "/version", host: "127.0.0.1:8000" })
      assert.strictEqual(within.sent[0]!.headers["authorization"], "Bearer token-abc123")
    }))
})

describe("vLLM, asked for vectors and ranks", () => {
  const options = { truncatePromptTokens: 512, priority: 1, activation: false }

  it.effect("embeds with its own fields", () =>
    Effect.map(
      asked({ body: { data: [{ index: 0, embedding: [1] }] } }, ({ llm }) =>
        llm.embed({ model: "m", input: ["a"], providerOptions: { vllm: options } })),
      ({ sent }) =>
        assert.deepStrictEqual(sent[0]!.body, {
          model: "m",
          input: ["a"],
          encoding_format: "float",
          truncate_prompt_tokens: 512,
          priority: 1,
          normalize: false
        })
    ))

  it.effect("ranks at its own route, with its own fields", () =>
    Effect.map(
      asked({ body: { results: [{ index: 0, relevance_score: 0.5 }] } }, ({ llm }) =>
        llm.rerank({ model: "m", query: "q", documents: ["a"], topN: 1, providerOptions: { vllm: options } })),
      ({ sent: [one], value }) => {
        assert.deepStrictEqual([one!.method, one!.path], ["POST", "/rerank"])
        assert.deepStrictEqual(one!.body, {
          model: "m",
          query: "q",
          documents: ["a"],
          top_n: 1,
          truncate_prompt_tokens: 512,
          priority: 1,
          use_activation: false
        })
        assert.deepStrictEqual(value.results, [{ index: 0, score: 0.5, document: "a" }])
      }
    ))

  it.effect("scores one text against many, in the order of the documents", () =>
    Effect.map(
      asked(
        {
          body: {
            model: "bge",
            data: [{ index: 1, object: "score", score: 0.9 }, { index: 0, object: "score", score: -1 }],
            usage: { prompt_tokens: 12 }
          }
        },
        ({ vllm }) => vllm.score({ model: "m", queries: "q", documents: ["a", "b"], activation: false })
      ),
      ({ sent: [one], value }) => {
        assert.deepStrictEqual(value, { model: "bge", scores: [-1, 0.9], usage: { inputTokens: 12 } })
        assert.deepStrictEqual([one!.method, one!.path], ["POST", "/score"])
        assert.deepStrictEqual(one!.body, { model: "m", text_1: "q", text_2: ["a", "b"], use_activation: false })
      }
    ))

  it.effect("classifies", () =>
    Effect.map(
      asked(
        {
          body: {
            model: "c",
            data: [
              { index: 0, label: "good", probs: [0.9, 0.1], num_classes: 2 },
              { index: 1, label: null, probs: [0.2, 0.8], num_classes: 2 }
            ],
            usage: { prompt_tokens: 5 }
          }
        },
        ({ vllm }) => vllm.classify({ model: "m", input: ["a", "b"], truncatePromptTokens: 9 })
      ),
      ({ sent: [one], value }) => {
        assert.deepStrictEqual(value.classes, [{ label: "good", probabilities: [0.9, 0.1] }, {
          probabilities: [0.2, 0.8]
        }])
        assert.deepStrictEqual(value.usage, { inputTokens: 5 })
        assert.deepStrictEqual([one!.method, one!.path], ["POST", "/classify"])
        assert.deepStrictEqual(one!.body, { model: "m", input: ["a", "b"], truncate_prompt_tokens: 9 })
      }
    ))

  it.effect("pools, one list of numbers for a text or one for each token", () =>
    Effect.map(
      asked(
        { body: { data: [{ index: 0, object: "pooling", data: [[1], [2]] }, { index: 1, data: [3] }] } },
        ({ vllm }) => vllm.pooling({ model: "m", input: ["a", "b"] })
      ),
      ({ sent: [one], value }) => {
        assert.deepStrictEqual(value, { model: "m", outputs: [[[1], [2]], [3]], usage: {} })
        assert.deepStrictEqual([one!.method, one!.path], ["POST", "/pooling"])
      }
    ))

  for (
    const [title, body] of [
      ["too few", { data: [{ index: 0, score: 1 }] }],
      ["the same twice", { data: [{ index: 0, score: 1 }, { index: 0, score: 1 }] }],
      ["one that is none", { data: [{ index: 0, score: 1 }, { index: 1 }] }],
      ["none", { hello: "world" }]
    ] as const
  ) {
    it.effect(`takes no answer with ${title} for scores`, () =>
      Effect.map(
        refused({ body }, ({ vllm }) => vllm.score({ model: "m", queries: "q", documents: ["a", "b"] })),
        (error) => assert.strictEqual(error._tag, "MalformedResponse")
      ))
  }
})

describe("vLLM's tokens", () => {
  it.effect("are those of a text", () =>
    Effect.map(
      asked(
        { body: { count: 2, max_model_len: 4096, tokens: [9707, 0], token_strs: ["Hello", "!"] } },
        ({ vllm }) => vllm.tokenize({ model: "m", text: "Hello!", texts: true, addSpecialTokens: false })
      ),
      ({ sent: [one], value }) => {
        assert.deepStrictEqual(value, { count: 2, maxModelLen: 4096, tokens: [9707, 0], texts: ["Hello", "!"] })
        assert.deepStrictEqual([one!.method, one!.path], ["POST", "/tokenize"])
        assert.deepStrictEqual(one!.body, {
          model: "m",
          prompt: "Hello!",
          return_token_strs: true,
          add_special_tokens: false
        })
      }
    ))

  it.effect("are those of a chat, with its tools", () =>
    Effect.map(
      asked({ body: { count: 1, max_model_len: 8, tokens: [1], token_strs: null } }, ({ vllm }) =>
        vllm.tokenize({
          model: "m",
          prompt: [Prompt.system("Be brief."), Prompt.user("hi")],
          tools: [Tool.fromJsonSchema({ name: "f", parameters: { type: "object" } })]
        })),
      ({ sent: [one], value }) => {
        assert.deepStrictEqual(value, { count: 1, maxModelLen: 8, tokens: [1] })
        assert.deepStrictEqual(one!.body, {
          model: "m",
          messages: [{ role: "system", content: "Be brief." }, { role: "user", content: "hi" }],
          tools: [{ type: "function", function: { name: "f", parameters: { type: "object" } } }]
        })
      }
    ))

  it.effect("become text again", () =>
    Effect.map(
      asked({ body: { prompt: "Hello!" } }, ({ vllm }) => vllm.detokenize({ model: "m", tokens: [9707, 0] })),
      ({ sent: [one], value }) => {
        assert.strictEqual(value, "Hello!")
        assert.deepStrictEqual([one!.method, one!.path], ["POST", "/detokenize"])
        assert.deepStrictEqual(one!.body, { model: "m", tokens: [9707, 0] })
      }
    ))
})

describe("vLLM's load", () => {
  const metrics = [
    "# HELP vllm:num_requests_running Number of requests in model execution batches.",
    "# TYPE vllm:num_requests_running gauge",
    "vllm:num_requests_running{engine=\"0\",model_name=\"a \\\"}\\\" b\"} 3.0",
    "vllm:num_requests_running{engine=\"1\",model_name=\"m\"} 1.0",
    "vllm:num_requests_waiting{engine=\"0\",model_name=\"m\"} 2.0",
    "vllm:num_requests_waiting{engine=\"1\",model_name=\"m\"} NaN",
    "vllm:kv_cache_usage_perc{engine=\"0\",model_name=\"m\"} 0.25",
    "vllm:kv_cache_usage_perc{engine=\"1\",model_name=\"m\"} 0.75",
    "vllm:num_requests_running_total 1e+06",
    "process_cpu_seconds_total 12.5",
    ""
  ].join("\n")

  const serving = (metrics: string, load: Answer) => ({ path }: Sent): Answer =>
    path === "/metrics" ? { body: metrics } : path === "/load" ? load : { status: 404, body: { detail: "Not Found" } }

  it.effect("adds up its engines, and tells of the fullest cache", () =>
    Effect.map(asked(serving(metrics, { body: { server_load: 6 } }), ({ vllm }) => vllm.load), ({ value }) => {
      assert.deepStrictEqual(value, { running: 4, waiting: 2, kvCacheUsage: 0.75, inFlight: 6 })
    }))

  it.effect("is told by an older server in its own words", () =>
    Effect.map(
      asked(
        serving("vllm:num_requests_running 1\nvllm:num_requests_waiting 0\nvllm:gpu_cache_usage_perc 0.5\n", {
          status: 404,
          body: { detail: "Not Found" }
        }),
        ({ vllm }) => vllm.load
      ),
      ({ value }) => assert.deepStrictEqual(value, { running: 1, waiting: 0, kvCacheUsage: 0.5 })
    ))

  it.effect("is told by one behind Ray, and by one that has no such cache", () =>
    Effect.map(
      asked(
        serving("ray_vllm_num_requests_running{x=\"y\"} 5.0\r\nray_vllm_num_requests_waiting{} 0\n", {
          body: { server_load: 0 }
        }),
        ({ vllm }) => vllm.load
      ),
      ({ value }) => assert.deepStrictEqual(value, { running: 5, waiting: 0, inFlight: 0 })
    ))

  it.effect("is not that of another server", () =>
    Effect.map(
      refused({ body: "llamacpp:requests_processing 1\n" }, ({ vllm }) => vllm.load),
      (error) => assert.strictEqual(error._tag, "MalformedResponse")
    ))
})

describe("vLLM's health", () => {
  it.effect("is what its route says", () =>
    Effect.gen(function*() {
      const { sent } = yield* asked({ body: "" }, ({ llm }) => llm.health)
      assert.deepStrictEqual([sent[0]!.method, sent[0]!.path], ["GET", "/health"])
    }))

  it.effect("is a fault of the server where its engine is dead", () =>
    Effect.map(refused({ status: 503, body: "" }, ({ llm }) => llm.health), (error) => {
      assert.strictEqual(error._tag, "ServerFault")
    }))
})

describe("vLLM's adapters", () => {
  const lora = { name: "sql", path: "/adapters/sql" }

  const error = (status: number, type: string, message: string): Answer => ({
    status,
    body: { error: { message, type, param: null, code: status } }
  })

  it.effect("are loaded and unloaded by their name", () =>
    Effect.map(
      asked({ body: "Success: LoRA adapter 'sql' added successfully." }, ({ vllm }) =>
        Effect.zipRight(vllm.loadLora({ ...lora, inPlace: true }), vllm.unloadLora("sql"))),
      ({ sent: [load, unload] }) => {
        assert.deepStrictEqual([load!.method, load!.path], ["POST", "/v1/load_lora_adapter"])
        assert.deepStrictEqual(load!.body, { lora_name: "sql", lora_path: "/adapters/sql", load_inplace: true })
        assert.deepStrictEqual([unload!.method, unload!.path], ["POST", "/v1/unload_lora_adapter"])
        assert.deepStrictEqual(unload!.body, { lora_name: "sql" })
      }
    ))

  const cases: ReadonlyArray<readonly [title: string, answer: Answer, load: LlmError.Tag, unload?: LlmError.Tag]> = [
    [
      "that are there already",
      error(400, "InvalidUserInput", "The lora adapter 'sql' has already been loaded."),
      "Conflict"
    ],
    ["that are not there", error(404, "NotFoundError", "The adapter cannot be found."), "NotFound", "NotFound"],
    [
      "of a server that takes none",
      { status: 404, body: { detail: "Not Found" } },
      "Unsupported",
      "Unsupported"
    ],
    ["that do not fit", error(400, "BadRequestError", "Rank 64 is more than max_lora_rank 16"), "InvalidRequest"],
    [
      "with a wrong key",
      { status: 401, body: { error: "Unauthorized" } },
      "AuthenticationFailed",
      "AuthenticationFailed"
    ]
  ]

  for (const [title, answer, load, unload] of cases) {
    it.effect(`${title} are ${load}`, () =>
      Effect.gen(function*() {
        assert.strictEqual((yield* refused(answer, ({ vllm }) => vllm.loadLora(lora)))._tag, load)
        if (unload === undefined) return
        assert.strictEqual((yield* refused(answer, ({ vllm }) => vllm.unloadLora("sql")))._tag, unload)
      }))
  }

  it.effect("of a server that takes none come with what would make it take some", () =>
    Effect.map(
      refused({ status: 404, body: { detail: "Not Found" } }, ({ vllm }) => vllm.loadLora(lora)),
      ({ message }) => assert.include(message, "VLLM_ALLOW_RUNTIME_LORA_UPDATING=True")
    ))
})

describe("Vllm.layerConfig", () => {
  const within = (environment: Record<string, string>) => {
    const { fetch, sent } = fetching(({ path }) => path.endsWith("/version") ? { body: { version: "0.13.0" } } : whole)
    return Effect.gen(function*() {
      yield* LlmService.generateText({ model: "m", prompt: "hi" })
      assert.strictEqual(yield* Effect.flatMap(Vllm.Vllm, ({ version }) => version), "0.13.0")
      return sent
    }).pipe(
      Effect.provide(Vllm.layerConfig),
      Effect.provide(FetchHttpClient.layer),
      Effect.provideService(FetchHttpClient.Fetch, fetch),
      Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(environment))))
    )
  }

  const urls = (sent: ReadonlyArray<Sent>) => sent.map(({ host, path }) => `${host}${path}`)

  for (
    const [title, environment, base] of [
      ["the server on this machine where the environment says nothing", {}, "127.0.0.1:8000"],
      ["an address without /v1", { VLLM_BASE_URL: "http://gpu:9000/" }, "gpu:9000"],
      ["an address with /v1", { VLLM_BASE_URL: "http://gpu:9000/x/v1/" }, "gpu:9000/x"],
      ["the other variable", { VLLM_API_URL: "http://gpu:9000" }, "gpu:9000"],
      ["the first variable of the two", { VLLM_BASE_URL: "http://one", VLLM_API_URL: "http://two" }, "one"]
    ] as const
  ) {
    it.effect(`takes ${title}`, () =>
      Effect.map(within(environment), (sent) => {
        assert.deepStrictEqual(urls(sent), [`${base}/v1/chat/completions`, `${base}/version`])
        assert.isUndefined(sent[0]!.headers["authorization"])
      }))
  }

  it.effect("shows the keys there are in turn", () =>
    Effect.map(within({ VLLM_API_KEY_1: "one", VLLM_API_KEY_2: "two" }), (sent) => {
      assert.deepStrictEqual(sent.map(({ headers }) => headers["authorization"]), ["Bearer one", "Bearer two"])
    }))

  it.effect("names the variable that is set to nothing", () =>
    Effect.gen(function*() {
      for (const variable of ["VLLM_BASE_URL", "VLLM_API_URL", "VLLM_API_KEY"]) {
        assert.include(String(yield* Effect.flip(within({ [variable]: "" }))), variable)
      }
    }))
})
