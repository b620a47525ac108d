import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Completion from "@spillway/core/Completion"
import type * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Prompt from "@spillway/core/Prompt"
import * as Tool from "@spillway/core/Tool"
import * as Tgi from "@spillway/providers/Tgi"
import type * as TgiWire from "@spillway/providers/TgiWire"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { type Answer, fetching, through } from "./fetching.js"

/** Runs a program of a backend whose every request is answered so. */
const on = <A, E>(
  answer: Answer | ReadonlyArray<Answer>,
  program: (backend: Tgi.Backend) => Effect.Effect<A, E>,
  options?: Tgi.Options
) => {
  const answers = [answer].flat() as ReadonlyArray<Answer>
  const { fetch, sent } = fetching((_, index) => answers[index] ?? answers.at(-1)!)
  return Effect.map(through(fetch, Tgi.make(options), program), (value) => ({ value, sent }))
}

const failing = <A, E>(effect: Effect.Effect<A, E>) => Effect.flip(effect)

const chat = (message: object, more: object = {}): Answer => ({
  body: {
    object: "chat.completion",
    id: "",
    created: 1741372434,
    model: "meta-llama/Llama-3.1-8B-Instruct",
    system_fingerprint: "3.3.6-native",
    choices: [{ index: 0, message: { role: "assistant", ...message }, logprobs: null, finish_reason: "stop" }],
    usage: { prompt_tokens: 501, completion_tokens: 29, total_tokens: 530 },
    ...more
  }
})

const called = (id: string, args: unknown) => ({
  content: null,
  tool_calls: [{ id, type: "function", function: { description: null, name: "get_weather", arguments: args } }]
})

const events = (...events: ReadonlyArray<object | string>): Answer => ({
  headers: { "content-type": "text/event-stream" },
  body: events.map((event) => `data:${typeof event === "string" ? event : JSON.stringify(event)}\n\n`).join("")
})

const weather = Tool.make("get_weather", {
  description: "The weather in a city, now",
  parameters: Schema.Struct({ city: Schema.String })
})

const ask: Completion.Request = { model: "tgi", prompt: "How is the weather in Oslo?", tools: [weather] }

const asked = (id: string): ReadonlyArray<Prompt.Message> => [
  Prompt.assistant([{ _tag: "ToolCall", id, name: "get_weather", arguments: "{\"city\":\"Oslo\"}" }]),
  Prompt.tool([{ _tag: "ToolResult", id, name: "get_weather", result: "3 °C" }])
]

describe("Tgi", () => {
  it.effect("speaks to the server on this machine, without a key", () =>
    Effect.map(
      on(chat({ content: "Hello" }), ({ llm }) => llm.generateText({ model: "tgi", prompt: "hi" })),
      ({ sent, value }) => {
        assert.strictEqual(value.text, "Hello")
        assert.strictEqual(value.model, "meta-llama/Llama-3.1-8B-Instruct")
        assert.isUndefined(value.id)
        const { headers, host, method, path } = sent[0]!
        assert.deepStrictEqual([method, host, path], ["POST", "127.0.0.1:3000", "/v1/chat/completions"])
        assert.isUndefined(headers["authorization"])
      }
    ))

  it.effect("says what it can do", () =>
    Effect.map(on([], ({ llm }) => Effect.succeed(llm.operations)), ({ value }) => {
      assert.deepStrictEqual(value, new Set(["generateText", "streamText", "listModels", "health"]))
    }))

  it.effect("shows a key where it has one", () =>
    Effect.map(
      on(chat({ content: "Hello" }), ({ llm }) => llm.generateText({ model: "tgi", prompt: "hi" }), {
        apiKeys: [Redacted.make("hf-secret")],
        baseUrl: "https://tgi.example.com/"
      }),
      ({ sent }) => {
        assert.strictEqual(sent[0]!.host, "tgi.example.com")
        assert.strictEqual(sent[0]!.headers["authorization"], "Bearer hf-secret")
      }
    ))

  it.effect("sends nothing that the server has no word for", () =>
    Effect.map(
      on(chat({ content: "Hello" }), ({ llm }) =>
        llm.generateText({
          ...ask,
          tools: [{ ...weather, strict: true }],
          parallelToolCalls: false,
          reasoning: { effort: "low" },
          user: "someone",
          topK: 3,
          providerOptions: { tgi: { toolPrompt: "Choose:" } }
        })),
      ({ sent }) => {
        assert.deepStrictEqual(Object.keys(sent[0]!.body).toSorted(), ["messages", "model", "tool_prompt", "tools"])
        assert.deepStrictEqual(Object.keys(sent[0]!.body.tools[0].function).toSorted(), ["description", "name", "parameters"])
      }
    ))

  it.effect("asks for a schema, or a regular expression, as for a grammar", () =>
    Effect.map(
      on(chat({ content: "{}" }), ({ llm }) =>
        Effect.all([
          llm.generateText({
            model: "tgi",
            prompt: "hi",
            format: { _tag: "JsonSchema", name: "x", schema: { type: "object", properties: {} }, strict: true }
          }),
          llm.generateText({ model: "tgi", prompt: "hi", providerOptions: { tgi: { regex: "\\d+" } } }),
          llm.generateText({ model: "tgi", prompt: "hi", format: { _tag: "Text" } })
        ])),
      ({ sent }) => {
        assert.deepStrictEqual(sent.map(({ body }) => body.response_format), [
          { type: "json", value: { type: "object", properties: {} } },
          { type: "regex", value: "\\d+" },
          undefined
        ])
      }
    ))

  it.effect("cannot be held to JSON of any kind, and sends nothing", () =>
    Effect.map(
      on(chat({}), ({ llm }) => failing(llm.generateText({ model: "tgi", prompt: "hi", format: { _tag: "Json" } }))),
      ({ sent, value }) => {
        assert.strictEqual(value._tag, "Unsupported")
        assert.strictEqual(sent.length, 0)
      }
    ))

  it.effect("sends the calls of a message that has a text beside them, since the server would read only the text", () =>
    Effect.map(
      on(chat({ content: "Cold." }), ({ llm }) =>
        llm.generateText({
          ...ask,
          prompt: [
            Prompt.user("How is the weather in Oslo?"),
            Prompt.assistant([
              Prompt.text("Let me look."),
              { _tag: "ToolCall", id: "0", name: "get_weather", arguments: "{\"city\":\"Oslo\"}" }
            ]),
            Prompt.tool([{ _tag: "ToolResult", id: "0", name: "get_weather", result: "3 °C" }])
          ]
        })),
      ({ sent }) => {
        const { content, tool_calls } = sent[0]!.body.messages[1]
        assert.deepStrictEqual([content, tool_calls[0].id], [null, "0"])
      }
    ))

  it.effect("knows a call by its being there, whatever reason is given (W-31)", () =>
    Effect.map(on(chat(called("0", "{\"city\":\"Oslo\"}")), ({ llm }) => llm.generateText(ask)), ({ value }) => {
      assert.strictEqual(value.finishReason, "tool-calls")
      assert.deepStrictEqual(value.toolCalls, [
        { _tag: "ToolCall", id: "0", name: "get_weather", arguments: "{\"city\":\"Oslo\"}" }
      ])
    }))

  it.effect("reads the arguments of older servers, which are an object", () =>
    Effect.map(on(chat(called("0", { city: "Oslo" })), ({ llm }) => llm.generateText(ask)), ({ value }) => {
      assert.strictEqual(value.toolCalls[0]!.arguments, "{\"city\":\"Oslo\"}")
    }))

  it.effect("numbers the calls of a conversation, which are all \"0\" to the server", () =>
    Effect.gen(function*() {
      const prompt = [Prompt.user("How is the weather in Oslo?"), ...asked("0"), Prompt.user("And in Rome?")]
      const streamed = events(
        { choices: [{ index: 0, delta: { tool_calls: [{ index: 0, id: "0", function: { name: "get_weather", arguments: "{" } }] } }] },
        { choices: [{ index: 0, delta: { tool_calls: [{ index: 0, id: "0", function: { name: null, arguments: "}" } }] } }] },
        "[DONE]"
      )
      const { value } = yield* on([chat(called("0", "{}")), streamed, streamed], ({ llm }) =>
        Effect.all([
          llm.generateText({ ...ask, prompt }),
          Completion.collect(llm.streamText({ ...ask, prompt })),
          Completion.collect(llm.streamText({ ...ask, prompt: [...prompt, ...asked("1"), Prompt.user("And in Bern?")] }))
        ]))
      assert.deepStrictEqual(value.map(({ toolCalls }) => toolCalls.map(({ id }) => id)), [["1"], ["1"], ["2"]])
      assert.strictEqual(value[1].toolCalls[0]!.arguments, "{}")
    }))

  it.effect("reads the streamed call of older servers, which is no list", () =>
    Effect.map(
      on(
        events(
          { choices: [{ index: 0, delta: { tool_calls: { index: 0, id: "", function: { name: "get_weather", arguments: "{" } } } }] },
          { choices: [{ index: 0, delta: { tool_calls: { index: 0, id: "", function: { name: null, arguments: "}" } } } }] },
          "[DONE]"
        ),
        ({ llm }) => Completion.collect(llm.streamText(ask))
      ),
      ({ value }) => {
        assert.deepStrictEqual(value.toolCalls.map(({ arguments: args, name }) => [name, args]), [["get_weather", "{}"]])
      }
    ))

  it.effect("gives a text where the model answers in one, though a tool was wanted (W-40)", () =>
    Effect.map(
      on(chat({ content: "I am a model.", tool_calls: null }), ({ llm }) =>
        llm.generateText({ ...ask, toolChoice: "required" })),
      ({ value }) => {
        assert.deepStrictEqual([value.text, value.finishReason, value.toolCalls.length], ["I am a model.", "stop", 0])
      }
    ))

  it.effect("tells its one model, and how much fits into it", () =>
    Effect.map(
      on({ body: { model_id: "org/model", max_total_tokens: 4096, max_input_tokens: 4095 } }, ({ llm }) => llm.listModels),
      ({ sent, value }) => {
        assert.deepStrictEqual(value, [{ id: "org/model", contextWindow: 4096 }])
        assert.deepStrictEqual([sent[0]!.method, sent[0]!.path], ["GET", "/info"])
      }
    ))

  it.effect("is well when the server says so, and is not when it does not", () =>
    Effect.gen(function*() {
      const well = yield* on({ body: "" }, ({ llm }) => llm.health)
      assert.deepStrictEqual([well.sent[0]!.method, well.sent[0]!.path], ["GET", "/health"])
      const ill = yield* on(
        { status: 503, body: { error: "unhealthy", error_type: "healthcheck" } },
        ({ tgi }) => failing(tgi.health)
      )
      assert.strictEqual(ill.value._tag, "ServerFault")
    }))
})

describe("Tgi's own service", () => {
  const details = {
    finish_reason: "stop_sequence",
    generated_tokens: 2,
    seed: 42,
    prefill: [{ id: 1, text: "<s>", logprob: null }, { id: 4321, text: "Test", logprob: -9.1 }],
    tokens: [{ id: 5229, text: " failed", logprob: -2.5, special: false }, { id: 2, text: "</s>", logprob: 0, special: true }],
    top_tokens: [[{ id: 5229, text: " failed", logprob: -2.5, special: false }]]
  }

  it.effect("continues a text", () =>
    Effect.map(
      on(
        { body: { generated_text: " failed", details }, headers: { "x-prompt-tokens": "7", "x-generated-tokens": "2" } },
        ({ tgi }) => tgi.generate({ prompt: "Test" })
      ),
      ({ sent, value }) => {
        assert.deepStrictEqual([sent[0]!.method, sent[0]!.path], ["POST", "/generate"])
        assert.deepStrictEqual(sent[0]!.body, { inputs: "Test", parameters: { details: true } })
        const expected: TgiWire.Generation = {
          text: " failed",
          finishReason: "stop_sequence",
          seed: 42,
          usage: { inputTokens: 7, outputTokens: 2 },
          tokens: [
            { id: 5229, text: " failed", logprob: -2.5, special: false },
            { id: 2, text: "</s>", logprob: 0, special: true }
          ],
          prefill: [{ id: 1, text: "<s>", special: false }, { id: 4321, text: "Test", logprob: -9.1, special: false }],
          topTokens: [[{ id: 5229, text: " failed", logprob: -2.5, special: false }]],
          others: []
        }
        assert.deepStrictEqual(value, expected)
      }
    ))

  it.effect("says all that there is to say of how to go on", () =>
    Effect.map(
      on({ body: [{ generated_text: "" }] }, ({ tgi }) =>
        tgi.generate({
          prompt: "x",
          maxNewTokens: 20,
          doSample: true,
          temperature: 0.5,
          topK: 10,
          topP: 0.9,
          typicalP: 0.8,
          repetitionPenalty: 1.1,
          frequencyPenalty: 0.1,
          stop: ["END"],
          seed: 7,
          grammar: { _tag: "Regex", pattern: "[0-9]+" },
          adapterId: "org/lora",
          truncate: 100,
          returnFullText: false,
          watermark: true,
          topNTokens: 5,
          bestOf: 2,
          prefill: true
        })),
      ({ sent, value }) => {
        assert.strictEqual(value.text, "")
        assert.deepStrictEqual(sent[0]!.body.parameters, {
          details: true,
          max_new_tokens: 20,
          do_sample: true,
          temperature: 0.5,
          top_k: 10,
          top_p: 0.9,
          typical_p: 0.8,
          repetition_penalty: 1.1,
          frequency_penalty: 0.1,
          stop: ["END"],
          seed: 7,
          grammar: { type: "regex", value: "[0-9]+" },
          adapter_id: "org/lora",
          truncate: 100,
          return_full_text: false,
          watermark: true,
          top_n_tokens: 5,
          best_of: 2,
          decoder_input_details: true
        })
      }
    ))

  it.effect("gives the other texts of several", () =>
    Effect.map(
      on(
        { body: { generated_text: "a", details: { ...details, best_of_sequences: [{ generated_text: "b", ...details }] } } },
        ({ tgi }) => tgi.generate({ prompt: "x", bestOf: 2 })
      ),
      ({ value }) => {
        assert.deepStrictEqual(value.others.map(({ finishReason, text }) => [text, finishReason]), [["b", "stop_sequence"]])
      }
    ))

  const token = (index: number, text: string, more: object = {}) => ({
    index,
    token: { id: index, text, logprob: -0.5, special: false },
    generated_text: null,
    details: null,
    ...more
  })

  const last = token(2, " world", {
    generated_text: "hello world",
    details: { finish_reason: "length", generated_tokens: 2, input_length: 5, seed: null }
  })

  const stream = (tgi: Tgi.Service) => Effect.map(Stream.runCollect(tgi.generateStream({ prompt: "x" })), (parts) => [...parts])

  it.effect("streams a text token by token, and ends with the whole of it (W-30)", () =>
    Effect.map(on(events(token(1, "hello"), { warming: true }, last), ({ tgi }) => stream(tgi)), ({ sent, value }) => {
      assert.strictEqual(sent[0]!.path, "/generate_stream")
      assert.deepStrictEqual(value, [
        { _tag: "Token", token: { id: 1, text: "hello", logprob: -0.5, special: false }, topTokens: [] },
        { _tag: "Token", token: { id: 2, text: " world", logprob: -0.5, special: false }, topTokens: [] },
        { _tag: "Done", text: "hello world", finishReason: "length", usage: { inputTokens: 5, outputTokens: 2 } }
      ])
    }))

  it.effect("does not take what it has for the whole where the last event is missing", () =>
    Effect.gen(function*() {
      for (const answer of [events(token(1, "hello")), events(token(1, "hello"), "[DONE]"), events()]) {
        const { value } = yield* on(answer, ({ tgi }) => failing(stream(tgi)))
        assert.include(["StreamInterrupted", "MalformedResponse"], value._tag)
      }
    }))

  it.effect("is complete with an empty text", () =>
    Effect.map(on(events(token(1, "</s>", { generated_text: "" })), ({ tgi }) => stream(tgi)), ({ value }) => {
      assert.deepStrictEqual(value.at(-1), { _tag: "Done", text: "", usage: {} })
    }))

  const errors: ReadonlyArray<readonly [string, string, LlmError.Tag]> = [
    ["Model is overloaded", "overloaded", "RateLimited"],
    ["Input validation error: `temperature` must be strictly positive", "validation", "InvalidRequest"],
    ["Template error: x", "template_error", "InvalidRequest"],
    ["Missing template vatiable: x", "missing_template_variable", "InvalidRequest"],
    ["Tool error: x", "tool_error", "InvalidRequest"],
    ["Request failed during generation: x", "generation", "ServerFault"],
    ["Incomplete generation", "incomplete_generation", "ServerFault"],
    ["Incomplete generation stream", "incomplete_generation_stream", "ServerFault"],
    ["Stream event serialization error", "stream_serialization_error", "ServerFault"],
    ["something new", "a_new_type", "ServerFault"]
  ]

  for (const [error, error_type, tag] of errors) {
    it.effect(`reads ${error_type} as ${tag}, though it comes as a success`, () =>
      Effect.gen(function*() {
        const { value } = yield* on(events(token(1, "he"), { error, error_type }), ({ tgi }) => failing(stream(tgi)))
        assert.strictEqual(value._tag, tag)
        assert.include(value.message, error)
        const chat = yield* on(
          events({ error: { message: error, http_status_code: 422 } }, "[DONE]"),
          ({ llm }) => failing(Completion.collect(llm.streamText({ model: "tgi", prompt: "hi" })))
        )
        assert.strictEqual(chat.value._tag, error_type === "a_new_type" ? "InvalidRequest" : tag)
      }))
  }

  it.effect("takes a text apart", () =>
    Effect.map(
      on({ body: [{ id: 5, text: "ab", start: 0, stop: 2 }, { id: 6, text: "c", start: 2, stop: 3 }] }, ({ tgi }) =>
        tgi.tokenize("abc")),
      ({ sent, value }) => {
        assert.deepStrictEqual([sent[0]!.path, sent[0]!.body], ["/tokenize", { inputs: "abc" }])
        assert.deepStrictEqual(value, [{ id: 5, text: "ab", start: 0, stop: 2 }, { id: 6, text: "c", start: 2, stop: 3 }])
      }
    ))

  it.effect("shows a conversation as the model sees it", () =>
    Effect.map(
      on(
        { body: { templated_text: "<|user|>hi", tokenize_response: [{ id: 5, text: "<|user|>", start: 0, stop: 8 }] } },
        ({ tgi }) => tgi.chatTokenize({ model: "tgi", prompt: "hi", tools: [weather] })
      ),
      ({ sent, value }) => {
        assert.strictEqual(sent[0]!.path, "/chat_tokenize")
        assert.deepStrictEqual(sent[0]!.body.messages, [{ role: "user", content: "hi" }])
        assert.strictEqual(sent[0]!.body.tools.length, 1)
        assert.deepStrictEqual(value, { text: "<|user|>hi", tokens: [{ id: 5, text: "<|user|>", start: 0, stop: 8 }] })
      }
    ))

  it.effect("says of the server what it says of itself, old or new", () =>
    Effect.gen(function*() {
      const { value } = yield* on(
        [
          {
            body: {
              model_id: "org/model",
              version: "3.3.6",
              max_input_tokens: 4095,
              max_total_tokens: 4096,
              max_concurrent_requests: 128,
              max_stop_sequences: 4,
              max_best_of: 2,
              sha: null
            }
          },
          { body: { model_id: "org/model", max_input_length: 1024, version: "1.4.0" } },
          { body: { hello: "world" } }
        ],
        ({ tgi }) => Effect.all([tgi.info, tgi.info, failing(tgi.info)])
      )
      assert.deepStrictEqual(value[0], {
        model: "org/model",
        version: "3.3.6",
        maxInputTokens: 4095,
        maxTotalTokens: 4096,
        maxConcurrentRequests: 128,
        maxStopSequences: 4,
        maxBestOf: 2
      })
      assert.deepStrictEqual(value[1], { model: "org/model", version: "1.4.0", maxInputTokens: 1024 })
      assert.strictEqual(value[2]._tag, "MalformedResponse")
    }))

  it.effect("shares its keys and their rest with the chat", () =>
    Effect.gen(function*() {
      const { sent, value } = yield* on(
        [{ status: 429, body: { error: "Model is overloaded", error_type: "overloaded" } }],
        ({ llm, tgi }) =>
          Effect.all([failing(tgi.generate({ prompt: "x" })), failing(llm.generateText({ model: "tgi", prompt: "hi" }))])
      )
      assert.deepStrictEqual(value.map(({ _tag }) => _tag), ["RateLimited", "KeysCooling"])
      assert.strictEqual(sent.length, 1)
    }))
})

describe("Tgi, through the router", () => {
  const router = { baseUrl: "https://router.huggingface.co", apiKeys: [Redacted.make("hf_secret")] as const }

  it.effect("speaks OpenAI's wire, in its own words for the form of an answer", () =>
    Effect.map(
      on(chat({ content: "{}" }, { id: "abc", prompt: [], seed: 1 }), ({ llm }) =>
        llm.generateText({
          model: "deepseek-ai/DeepSeek-R1:together",
          prompt: "hi",
          user: "someone",
          format: { _tag: "JsonSchema", name: "x", schema: { type: "object" } }
        }), { ...router, billTo: "my-org" }),
      ({ sent, value }) => {
        const { body, headers, host, path } = sent[0]!
        assert.deepStrictEqual([host, path], ["router.huggingface.co", "/v1/chat/completions"])
        assert.deepStrictEqual(body.response_format, {
          type: "json_schema",
          json_schema: { name: "x", schema: { type: "object" } }
        })
        assert.strictEqual(body.user, "someone")
        assert.strictEqual(headers["authorization"], "Bearer hf_secret")
        assert.strictEqual(headers["x-hf-bill-to"], "my-org")
        assert.strictEqual(value.id, "abc")
      }
    ))

  it.effect("is the same by its layer, with an address in any form", () =>
    Effect.gen(function*() {
      const { fetch, sent } = fetching(() => chat({ content: "Hello" }))
      for (const baseUrl of [undefined, "https://router.huggingface.co/v1", "https://proxy.example.com/hf/v1/"]) {
        yield* LlmService.generateText({ model: "m", prompt: "hi" }).pipe(
          Effect.provide(Tgi.router({ apiKeys: router.apiKeys, ...(baseUrl !== undefined && { baseUrl }) })),
          Effect.provide(FetchHttpClient.layer),
          Effect.provideService(FetchHttpClient.Fetch, fetch)
        )
      }
      assert.deepStrictEqual(sent.map(({ host, path }) => host + path), [
        "router.huggingface.co/v1/chat/completions",
        "router.huggingface.co/v1/chat/completions",
        "proxy.example.com/hf/v1/chat/completions"
      ])
    }))

  it.effect("lists the models, each with the context that whoever serves it has at least", () =>
    Effect.map(
      on(
        {
          body: {
            object: "list",
            data: [
              {
                id: "a/b",
                object: "model",
                created: 1,
                owned_by: "a",
                architecture: { input_modalities: ["text"] },
                providers: [
                  { provider: "x", status: "live", context_length: 131072, pricing: { input: 1 }, supports_tools: true },
                  { provider: "y", status: "live", context_length: 32768 },
                  { provider: "z", status: "error", context_length: 4096 },
                  { provider: "w", status: "live" }
                ]
              },
              { id: "c/d", providers: null },
              { object: "model" }
            ]
          }
        },
        ({ llm }) => llm.listModels,
        router
      ),
      ({ sent, value }) => {
        assert.strictEqual(sent[0]!.path, "/v1/models")
        assert.deepStrictEqual(value, [{ id: "a/b", owner: "a", created: 1, contextWindow: 32768 }, { id: "c/d" }])
      }
    ))

  const refusals: ReadonlyArray<readonly [string, Answer, LlmError.Tag]> = [
    [
      "a model that nobody serves",
      {
        status: 400,
        body: {
          error: {
            message: "The requested model 'x/y' is not supported by any provider you have enabled.",
            type: "invalid_request_error",
            param: "model",
            code: "model_not_supported"
          }
        }
      },
      "ModelNotFound"
    ],
    [
      "a model that nobody serves, in other words",
      { status: 400, body: { error: { message: "no", type: "invalid_request_error", code: "model_not_supported" } } },
      "ModelNotFound"
    ],
    ["a model that this provider does not serve", { status: 400, body: { error: "Model not supported by provider together" } }, "ModelNotFound"],
    ["a wrong request", { status: 400, body: { error: { message: "bad", type: "invalid_request_error" } } }, "InvalidRequest"],
    ["a wrong key", { status: 401, body: { error: "Invalid username or password." } }, "AuthenticationFailed"],
    ["no credits", { status: 402, body: { error: "You have exceeded your monthly included credits" } }, "QuotaExhausted"],
    ["too many requests", { status: 429, body: { message: "slow down" } }, "RateLimited"],
    ["a provider out of reach", { status: 504, body: "<html></html>" }, "ServerFault"]
  ]

  for (const [name, answer, tag] of refusals) {
    it.effect(`reads ${name} as ${tag}`, () =>
      Effect.map(
        on(answer, ({ llm }) => failing(llm.generateText({ model: "x/y", prompt: "hi" })), router),
        ({ value }) => {
          assert.strictEqual(value._tag, tag)
          assert.strictEqual(value.backend, "huggingface")
        }
      ))
  }

  it.effect("is well when it lists its models", () =>
    Effect.map(on({ body: { data: [] } }, ({ llm, tgi }) => Effect.zip(llm.health, tgi.health), router), ({ sent }) => {
      assert.deepStrictEqual(sent.map(({ path }) => path), ["/v1/models", "/v1/models"])
    }))

  it.effect("has nothing of what is only TGI's", () =>
    Effect.gen(function*() {
      const { sent, value } = yield* on([], ({ tgi }) =>
        Effect.all([
          tgi.generate({ prompt: "x" }),
          Stream.runDrain(tgi.generateStream({ prompt: "x" })),
          tgi.tokenize("x"),
          tgi.chatTokenize({ model: "m", prompt: "x" }),
          tgi.info
        ].map(failing)), router)
      assert.deepStrictEqual(new Set(value.map(({ _tag }) => _tag)), new Set(["Unsupported"] as const))
      assert.strictEqual(sent.length, 0)
    }))
})

describe("Tgi, by the environment", () => {
  const read = (variables: Record<string, string>) =>
    Effect.withConfigProvider(Tgi.config, ConfigProvider.fromMap(new Map(Object.entries(variables))))

  it.effect("is the server on this machine where nothing is said", () =>
    Effect.map(read({}), (options) => {
      assert.deepStrictEqual(options, { baseUrl: "http://127.0.0.1:3000" })
    }))

  it.effect("has the address and the keys of all variables", () =>
    Effect.map(
      read({ TGI_BASE_URL: " https://tgi.example.com ", HF_API_TOKEN: "hf_1", HF_API_TOKEN_1: "hf_2", HF_TOKEN: "hf_3" }),
      ({ apiKeys, baseUrl }) => {
        assert.strictEqual(baseUrl, "https://tgi.example.com")
        assert.deepStrictEqual(
          apiKeys?.map((key) => Redacted.value(Redacted.isRedacted(key) ? key : key.key)),
          ["hf_1", "hf_2", "hf_3"]
        )
      }
    ))

  for (const variable of ["TGI_BASE_URL", "HF_API_TOKEN", "HF_TOKEN"]) {
    it.effect(`does not take ${variable} that is set to nothing`, () =>
      Effect.map(failing(read({ [variable]: "" })), (error) => {
        assert.match(String(error), new RegExp(`^\\(Invalid data at ${variable}: `))
      }))
  }

  it.effect("gives a program both services, which know each other's address", () =>
    Effect.gen(function*() {
      const { fetch, sent } = fetching(({ path }) => path === "/tokenize" ? { body: [] } : chat({ content: "Hello" }))
      yield* Effect.gen(function*() {
        yield* LlmService.generateText({ model: "tgi", prompt: "hi" })
        yield* (yield* Tgi.Tgi).tokenize("x")
      }).pipe(
        Effect.provide(Tgi.layerConfig),
        Effect.provide(FetchHttpClient.layer),
        Effect.provideService(FetchHttpClient.Fetch, fetch),
        Effect.withConfigProvider(ConfigProvider.fromMap(new Map([["TGI_BASE_URL", "http://tgi:8080"], ["HF_TOKEN", "hf_x"]])))
      )
      assert.deepStrictEqual(sent.map(({ headers, host, path }) => [host, path, headers["authorization"]]), [
        ["tgi:8080", "/v1/chat/completions", "Bearer hf_x"],
        ["tgi:8080", "/tokenize", "Bearer hf_x"]
      ])
    }))

  it.effect("does not take an address that is none", () =>
    Effect.gen(function*() {
      const error = yield* failing(
        Effect.scoped(Tgi.make({ baseUrl: "tgi.example.com" })).pipe(Effect.provide(FetchHttpClient.layer))
      )
      assert.include(error.message, "baseUrl")
    }))
})
