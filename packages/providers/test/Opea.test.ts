import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Completion from "@spillway/core/Completion"
import * as LlmService from "@spillway/core/LlmService"
import * as Prompt from "@spillway/core/Prompt"
import * as Catalogue from "@spillway/providers/Catalogue"
import * as Opea from "@spillway/providers/Opea"
import * as OpeaWire from "@spillway/providers/OpeaWire"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { type Answer, fetching, through } from "./fetching.js"
import { absent, spec } from "./spec.js"

const whole = (content: string) => ({
  model: "chatqna",
  choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop", metadata: null }],
  usage: { prompt_tokens: 0, total_tokens: 0, completion_tokens: 0 }
})

const events = (...payloads: ReadonlyArray<string>): Answer => ({
  body: payloads.map((payload) => `data: ${payload}\n\n`).join(""),
  headers: { "content-type": "text/event-stream" }
})

const llm = (options?: Opea.Options) => Effect.map(Opea.make(options), ({ llm }) => llm)

/** Uses what is only OPEA's. */
const own = <A, E>(
  answer: (index: number) => Answer,
  use: (opea: Opea.Service) => Effect.Effect<A, E>,
  options?: Opea.Options
) => {
  const { fetch, sent } = fetching((_, index) => answer(index))
  let opea: Opea.Service
  const made = Effect.map(Opea.make(options), (made) => {
    opea = made.opea
    return made.llm
  })
  return Effect.map(through(fetch, made, () => use(opea)), (result) => ({ result, sent }))
}

const streamed = (answer: Answer, options?: Opea.Options) =>
  through(fetching(() => answer).fetch, llm(options), (service) =>
    Completion.collect(service.streamText({ model: "chatqna", prompt: "hi" })))

describe("Opea", () => {
  it.effect("asks ChatQnA on this machine, without a key, and knows nothing of tokens that were not counted", () => {
    const { fetch, sent } = fetching(() => ({ body: whole("Hello") }))
    return through(fetch, llm(), (service) =>
      Effect.map(service.generateText({ model: "chatqna", prompt: "What is OPEA?" }), (completion) => {
        assert.deepStrictEqual([completion.text, completion.finishReason, completion.usage], ["Hello", "stop", {}])
        const { body, headers, host, path } = sent[0]!
        assert.deepStrictEqual([host, path], ["127.0.0.1:8888", "/v1/chatqna"])
        assert.deepStrictEqual(body, { messages: "What is OPEA?", stream: false })
        assert.isUndefined(headers["authorization"])
        assert.deepStrictEqual(
          service.operations,
          new Set<LlmService.Operation>(["generateText", "streamText", "embed", "rerank", "health"])
        )
      }))
  })

  it.effect("sends what only a megaservice can be asked for, and the system's words as one message", () => {
    const { fetch, sent } = fetching(() => ({ body: whole("ok") }))
    return through(fetch, llm({ megaservice: "DocSum" }), (service) =>
      Effect.map(
        service.generateText({
          model: "some-model",
          prompt: [Prompt.system("Be brief."), Prompt.system("Be kind."), Prompt.user("Once upon a time …")],
          maxTokens: 9,
          topK: 3,
          providerOptions: {
            opea: { summaryType: "refine", chunkSize: 500, language: "en", k: 2, topN: 1, searchType: "mmr", fetchK: 9 }
          }
        }),
        () => {
          assert.strictEqual(sent[0]!.path, "/v1/docsum")
          assert.deepStrictEqual(sent[0]!.body, {
            model: "some-model",
            messages: [
              { role: "system", content: "Be brief.\nBe kind." },
              { role: "user", content: "Once upon a time …" }
            ],
            stream: false,
            max_tokens: 9,
            top_k: 3,
            type: "text",
            summary_type: "refine",
            chunk_size: 500,
            language: "en",
            k: 2,
            top_n: 1,
            search_type: "mmr",
            fetch_k: 9
          })
        }
      ))
  })

  it.effect("translates by a stream even where the answer is wanted whole, since these services know nothing else", () => {
    const { fetch, sent } = fetching(() =>
      events(
        JSON.stringify({ model: "m", object: "text_completion", choices: [{ index: 0, text: "ich ", finish_reason: "" }] }),
        JSON.stringify({ model: "m", object: "text_completion", choices: [{ index: 0, text: "bin", finish_reason: "length" }] }),
        "[DONE]"
      )
    )
    const request = { model: "translation", prompt: "I am", providerOptions: { opea: { from: "English", to: "German" } } }
    return through(fetch, llm({ megaservice: "Translation" }), (service) =>
      Effect.gen(function*() {
        const { finishReason, text } = yield* service.generateText(request)
        assert.deepStrictEqual([text, finishReason], ["ich bin", "length"])
        assert.deepStrictEqual(sent[0]!.body, {
          language_from: "English",
          language_to: "German",
          source_language: "I am"
        })
        const untold = yield* Effect.flip(service.generateText({ model: "translation", prompt: "I am" }))
        assert.deepInclude(untold, { _tag: "InvalidRequest", field: "providerOptions.opea.from" })
        const talk = yield* Effect.flip(
          service.generateText({ ...request, prompt: [Prompt.system("Be brief."), Prompt.user("I am")] })
        )
        assert.deepInclude(talk, { _tag: "Unsupported", feature: "conversation" })
        assert.strictEqual(sent.length, 1)
      }))
  })

  it.effect("shows VisualQnA a picture, as bytes or by its address", () => {
    const { fetch, sent } = fetching(() => ({ body: whole("a stop sign") }))
    const prompt = Prompt.user([
      Prompt.text("What is this?"),
      { _tag: "Image", source: { _tag: "Base64", mediaType: "image/png", data: "aGk=" } },
      { _tag: "Image", source: { _tag: "Url", url: "https://example.org/sign.jpg" } }
    ])
    return through(fetch, llm({ megaservice: "VisualQnA" }), (service) =>
      Effect.map(service.generateText({ model: "visualqna", prompt }), () => {
        assert.deepStrictEqual(sent[0]!.body.messages, [{
          role: "user",
          content: [
            { type: "text", text: "What is this?" },
            { type: "image_url", image_url: { url: "aGk=" } },
            { type: "image_url", image_url: { url: "https://example.org/sign.jpg" } }
          ]
        }])
      }))
  })

  describe("reads a stream", () => {
    it.effect("of literals whose characters are cut in two, without the model's own end of text (W-34)", () =>
      Effect.map(
        streamed(events("b'caf\\xc3'", "b'\\xa9 </s>'", "b'</s>'", "b' on'", "b'</s>'", "[DONE]")),
        ({ finishReason, text, usage }) =>
          assert.deepStrictEqual([text, finishReason, usage], ["café </s></s> on", "stop", {}])
      ))

    it.effect("of an agent's texts, with its bare lines in between", () =>
      Effect.map(
        streamed({ body: "Calling Tool: `search` with input `x`\n\ndata: 'It\\'s 3 °C'\n\ndata: [DONE]\n\n" }, {
          megaservice: "AgentQnA"
        }),
        ({ text }) => assert.strictEqual(text, "It's 3 °C")
      ))

    it.effect("of chunks of OpenAI's, with the tokens where they are counted", () =>
      Effect.map(
        streamed(
          events(
            JSON.stringify({ choices: [{ index: 0, delta: { role: "assistant", content: "" }, finish_reason: null }] }),
            JSON.stringify({ choices: [{ index: 0, delta: { content: "def" }, finish_reason: "length" }] }),
            JSON.stringify({ choices: [], usage: { prompt_tokens: 4, completion_tokens: 1 } }),
            "[DONE]"
          ),
          { megaservice: "CodeGen" }
        ),
        ({ finishReason, text, usage }) =>
          assert.deepStrictEqual([text, finishReason, usage], ["def", "length", { inputTokens: 4, outputTokens: 1 }])
      ))

    it.effect("of a log, each piece once", () =>
      Effect.map(
        streamed(
          events(
            JSON.stringify({ ops: [{ op: "replace", path: "", value: { id: "1" } }] }),
            JSON.stringify({
              ops: [
                { op: "add", path: "/logs/VLLM/streamed_output_str/-", value: " a" },
                { op: "add", path: "/logs/VLLM/streamed_output/-", value: " a" }
              ]
            }),
            JSON.stringify({ ops: [{ op: "add", path: "/logs/VLLM/streamed_output/-", value: " tale" }] }),
            JSON.stringify({ ops: [{ op: "add", path: "/streamed_output/-", value: " a tale" }] }),
            "[DONE]"
          ),
          { megaservice: "DocSum" }
        ),
        ({ text }) => assert.strictEqual(text, " a tale")
      ))

    it.effect("that has nothing but its end marker as the fault that it hides", () =>
      Effect.map(Effect.flip(streamed(events("[DONE]"))), (error) => {
        assert.strictEqual(error._tag, "ServerFault")
        assert.include(error.message, "the model behind it fails")
      }))

    it.effect("of an empty answer as one", () =>
      Effect.map(streamed(events("b''", "[DONE]")), ({ text }) => assert.strictEqual(text, "")))
  })

  it.effect("reads the bare text of a component or an agent", () =>
    through(fetching(() => ({ body: { id: "1", text: "Q: …", prompt: "p" } })).fetch, llm({ megaservice: "FaqGen" }), (service) =>
      Effect.map(service.generateText({ model: "faqgen", prompt: "hi" }), ({ text }) => assert.strictEqual(text, "Q: …"))))

  it.effect("ranks all documents unless told how many, equal ones apart, and none without asking", () => {
    const { fetch, sent } = fetching(() => ({
      body: { reranked_docs: [{ text: "same", score: 0.1 }, { text: "best", score: 0.9 }, { text: "same", score: 0.1 }] }
    }))
    return through(fetch, llm(), (service) =>
      Effect.gen(function*() {
        const { results } = yield* service.rerank({ model: "m", query: "q", documents: ["same", "best", "same"] })
        assert.deepStrictEqual(results, [
          { index: 1, score: 0.9, document: "best" },
          { index: 0, score: 0.1, document: "same" },
          { index: 2, score: 0.1, document: "same" }
        ])
        const { body, host, path } = sent[0]!
        assert.deepStrictEqual([host, path], ["127.0.0.1:8000", "/v1/reranking"])
        assert.deepStrictEqual(body, {
          input: "q",
          retrieved_docs: [{ text: "same" }, { text: "best" }, { text: "same" }],
          top_n: 3
        })
        assert.deepStrictEqual((yield* service.rerank({ model: "m", query: "q", documents: [] })).results, [])
        assert.strictEqual(sent.length, 1)
      }))
  })

  it.effect("is malformed as a ranking of what nobody asked about", () =>
    through(
      fetching(() => ({ body: { reranked_docs: [{ text: "other", score: 1 }] } })).fetch,
      llm(),
      (service) =>
        Effect.map(Effect.flip(service.rerank({ model: "m", query: "q", documents: ["a"] })), ({ _tag }) =>
          assert.strictEqual(_tag, "MalformedResponse"))
    ))

  it.effect("retrieves documents with what is known of them", () =>
    Effect.map(
      own(
        () => ({ body: { retrieved_docs: [{ text: "a", metadata: { source: "a.pdf" } }, { text: "b", metadata: null }] } }),
        (opea) => opea.retrieve({ query: "q", embedding: [0.5, 1], k: 2, searchType: "similarity", scoreThreshold: 0.3 })
      ),
      ({ result, sent }) => {
        assert.deepStrictEqual(result, [{ text: "a", metadata: { source: "a.pdf" } }, { text: "b", metadata: {} }])
        assert.deepStrictEqual([sent[0]!.host, sent[0]!.path], ["127.0.0.1:7000", "/v1/retrieval"])
        assert.deepStrictEqual(sent[0]!.body, {
          input: "q",
          embedding: [0.5, 1],
          k: 2,
          search_type: "similarity",
          score_threshold: 0.3
        })
      }
    ))

  it.effect("knows what was taken in, and says which file is not there", () =>
    Effect.map(
      own(
        (index) =>
          index === 0
            ? { body: [{ name: "a.pdf", id: "a.pdf", type: "File", parent: "" }] }
            : { status: 404, body: { detail: "File b.pdf not found." } },
        (opea) => Effect.zip(opea.files("all"), Effect.flip(opea.removeFile("b.pdf")))
      ),
      ({ result: [files, error], sent }) => {
        assert.deepStrictEqual(files, [{ id: "a.pdf", name: "a.pdf", parent: "" }])
        assert.strictEqual(error._tag, "NotFound")
        assert.deepStrictEqual(sent.map(({ body, host, path }) => [host, path, body]), [
          ["127.0.0.1:5000", "/v1/dataprep/get", { index_name: "all" }],
          ["127.0.0.1:5000", "/v1/dataprep/delete", { file_path: "b.pdf" }]
        ])
      }
    ))

  it.effect("asks the model behind it on OpenAI's wire, and calls a tool only by its name", () => {
    const tools = [{ name: "f", parameters: { type: "object" } }] as const
    const prompt = [
      Prompt.user("hi"),
      Prompt.assistant([{ _tag: "ToolCall", id: "1", name: "f", arguments: "{}" }]),
      Prompt.tool([{ _tag: "ToolResult", id: "1", name: "f", result: "3" }])
    ]
    return Effect.map(
      own(() => ({ body: whole("hello") }), ({ llm }) =>
        Effect.zip(
          llm.generateText({ model: "m", prompt, tools, toolChoice: { tool: "f" } }),
          Effect.flip(llm.generateText({ model: "m", prompt, tools }))
        )),
      ({ result: [completion, error], sent }) => {
        assert.strictEqual(completion.text, "hello")
        assert.deepInclude(error, { _tag: "Unsupported", feature: "toolChoice" })
        assert.strictEqual(sent.length, 1)
        assert.deepStrictEqual([sent[0]!.host, sent[0]!.path], ["127.0.0.1:9000", "/v1/chat/completions"])
        assert.strictEqual(sent[0]!.body.messages[1].content, "")
        assert.deepStrictEqual(sent[0]!.body.tool_choice, { type: "function", function: { name: "f" } })
      }
    )
  })

  describe("finds its components", () => {
    const hosts = (options: Opea.Options) => {
      const { fetch, sent } = fetching(() => ({ body: {} }))
      let opea: Opea.Service
      const made = Effect.map(Opea.make(options), (made) => {
        opea = made.opea
        return made.llm
      })
      const components = Object.keys(Opea.ports) as Array<Opea.Component>
      return Effect.map(
        through(fetch, made, ({ health }) =>
          Effect.zipRight(health, Effect.forEach(components, (component) => opea.health(component)))),
        () => sent.map(({ host, method, path }) => `${method} ${host}${path}`)
      )
    }

    it.effect("on the same host, each on its own port", () =>
      Effect.map(hosts({ baseUrl: "http://gaudi:8888" }), (asked) =>
        assert.deepStrictEqual(
          asked,
          [8888, 6000, 8000, 7000, 5000, 9000].map((port) => `GET gaudi:${port}/v1/health_check`)
        )))

    it.effect("below the address of a gateway, which has a path", () =>
      Effect.map(hosts({ baseUrl: "http://gate/opea/" }), (asked) =>
        assert.deepStrictEqual(new Set(asked), new Set(["GET gate/opea/v1/health_check"]))))

    it.effect("where it was told to look", () =>
      Effect.map(hosts({ components: { embedding: "http://tei:1", dataprep: "http://prep:2" } }), (asked) => {
        assert.strictEqual(asked[1], "GET tei:1/v1/health_check")
        assert.strictEqual(asked[4], "GET prep:2/v1/health_check")
      }))
  })

  describe("is configured", () => {
    const read = (...variables: ReadonlyArray<readonly [string, string]>) =>
      Effect.withConfigProvider(Opea.config, ConfigProvider.fromMap(new Map(variables)))

    it.effect("by nothing at all, by its variables, or by the older name of its address", () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* read(), { components: {} })
        assert.deepStrictEqual(yield* read(["OPEA_API_ENDPOINT", "http://localhost:8000/v1"]), {
          baseUrl: "http://localhost:8000",
          components: {}
        })
        const all = yield* read(
          ["OPEA_BASE_URL", "http://a:1/"],
          ["OPEA_API_ENDPOINT", "http://b:2"],
          ["OPEA_MEGASERVICE", "CodeGen"],
          ["OPEA_EMBEDDING_BASE_URL", "http://c:3"],
          ["OPEA_API_KEY", "secret-key"]
        )
        const { apiKeys, ...rest } = all
        assert.deepStrictEqual(rest, {
          baseUrl: "http://a:1",
          megaservice: "CodeGen",
          components: { embedding: "http://c:3" }
        })
        assert.strictEqual(apiKeys?.length, 1)
      }))

    it.effect("by no empty variable, and by no megaservice that there is not", () =>
      Effect.gen(function*() {
        for (
          const variable of [
            ["OPEA_BASE_URL", ""],
            ["OPEA_API_ENDPOINT", " "],
            ["OPEA_MEGASERVICE", "ChatGpt"],
            ["OPEA_LLM_BASE_URL", ""],
            ["OPEA_API_KEY", ""]
          ] as const
        ) {
          assert.include(String(yield* Effect.flip(read(variable))), variable[0])
        }
      }))

    it.effect("by no option that cannot be", () =>
      Effect.gen(function*() {
        const wrong = (options: Opea.Options) =>
          Effect.map(
            through(fetching(() => ({ body: {} })).fetch, Effect.flip(llm(options)) as never, Effect.succeed),
            (error) => (error as unknown as { readonly field: string }).field
          )
        assert.strictEqual(yield* wrong({ megaservice: "ChatGpt" as never }), "megaservice")
        assert.strictEqual(yield* wrong({ baseUrl: "gaudi:8888" }), "baseUrl")
        assert.strictEqual(yield* wrong({ components: { llm: "ftp://x" } }), "baseUrl")
      }))

    it("and is in the catalogue where it has an address", () => {
      assert.deepStrictEqual([...Catalogue.backends.opea.addressVariables], ["OPEA_BASE_URL", "OPEA_API_ENDPOINT"])
      assert.notProperty(Catalogue.backends.opea, "keyVariables")
    })
  })

  it.effect("shows a key as Bearer where it has one, to every component", () => {
    const { fetch, sent } = fetching(() => ({ body: { data: [{ index: 0, embedding: [1] }] } }))
    return through(fetch, llm({ apiKeys: [Redacted.make("opea-key")] }), (service) =>
      Effect.map(service.embed({ model: "m", input: ["a"] }), () => {
        assert.strictEqual(sent[0]!.host, "127.0.0.1:6000")
        assert.strictEqual(sent[0]!.headers["authorization"], "Bearer opea-key")
      }))
  })
})

const described = spec("opea/api_protocol.derived.schema.json")

if (described === undefined) {
  describe.skip(`what is sent to OPEA (${absent})`, () => {
    it("is as described", () => {})
  })
} else {
  describe("what is sent to OPEA is as its own code describes it", () => {
    const valid = (definition: string, body: unknown) =>
      assert.deepStrictEqual(described.at(`/definitions/${definition}`)(body), [])

    const chat: Completion.Request = {
      model: "m",
      prompt: [Prompt.system("Be brief."), Prompt.user("Hi"), Prompt.assistant([Prompt.text("Hello")]), Prompt.user("?")],
      maxTokens: 9,
      temperature: 0,
      topP: 0.5,
      topK: 3,
      stop: ["END"],
      presencePenalty: 1,
      frequencyPenalty: -1,
      seed: 7,
      user: "u",
      providerOptions: {
        opea: { k: 2, fetchK: 9, scoreThreshold: 0.1, lambdaMult: 0, distanceThreshold: 2, topN: 3, repetitionPenalty: 1.1,
          chatTemplate: "{question}", indexName: "i", language: "en", from: "a", to: "b", searchType: "mmr",
          summaryType: "stuff", chunkSize: 10, chunkOverlap: 0 }
      }
    }

    for (const [name, { takes }] of Object.entries(OpeaWire.megaservices)) {
      if (typeof takes === "object") continue
      it.effect(`to ${name}`, () =>
        Effect.map(OpeaWire.toBody(chat, name as OpeaWire.Megaservice, true), (body) =>
          valid(takes === "document" ? "DocSumChatCompletionRequest" : "ChatCompletionRequest", JSON.parse(JSON.stringify(body)))))
    }

    it.effect("with a picture, to the model with a tool and a format, to embedding, reranking and retrieval", () => {
      const { fetch, sent } = fetching(() => ({ status: 500, body: {} }))
      let opea: Opea.Service
      const made = Effect.map(Opea.make({ megaservice: "VisualQnA" }), (made) => {
        opea = made.opea
        return made.llm
      })
      const prompt = [
        Prompt.user([Prompt.text("What?"), Prompt.image("aGk=", "image/png")]),
        Prompt.assistant([{ _tag: "ToolCall", id: "1", name: "f", arguments: "{}" }]),
        Prompt.tool([{ _tag: "ToolResult", id: "1", name: "f", result: "3" }])
      ]
      return through(fetch, made, (service) =>
        Effect.gen(function*() {
          yield* Effect.exit(service.generateText({ model: "m", prompt: prompt.slice(0, 1) }))
          yield* Effect.exit(opea.llm.generateText({
            ...chat,
            prompt,
            tools: [{ name: "f", description: "d", parameters: { type: "object" } }],
            toolChoice: { tool: "f" },
            format: { _tag: "JsonSchema", name: "n", schema: { type: "object" } }
          }))
          yield* Effect.exit(Completion.collect(opea.llm.streamText({ model: "m", prompt: "hi" })))
          yield* Effect.exit(service.embed({ model: "m", input: ["a"], dimensions: 3, user: "u" }))
          yield* Effect.exit(service.rerank({ model: "m", query: "q", documents: ["a"] }))
          yield* Effect.exit(opea.retrieve({ query: "q", embedding: [1], k: 1, searchType: "similarity_score_threshold" }))
          const names = ["ChatCompletionRequest", "ChatCompletionRequest", "ChatCompletionRequest", "EmbeddingRequest",
            "RerankingRequest", "RetrievalRequest"]
          assert.strictEqual(sent.length, names.length)
          names.forEach((name, index) => valid(name, sent[index]!.body))
        }))
    })
  })
}

describe("Opea.layer", () => {
  it.effect("gives what every backend does, and what only OPEA does", () =>
    Effect.gen(function*() {
      const { fetch, sent } = fetching(({ path }) => ({ body: path === "/opea/v1/chatqna" ? whole("Hello") : [] }))
      const program = Effect.zip(
        LlmService.generateText({ model: "chatqna", prompt: "hi" }),
        Effect.flatMap(Opea.Opea, ({ files }) => files())
      )
      const [{ text }, files] = yield* program.pipe(
        Effect.provide(Opea.layer({ baseUrl: "http://gate/opea" })),
        Effect.provide(FetchHttpClient.layer),
        Effect.provideService(FetchHttpClient.Fetch, fetch)
      )
      assert.deepStrictEqual([text, files], ["Hello", []])
      assert.deepStrictEqual(sent.map(({ path }) => path), ["/opea/v1/chatqna", "/opea/v1/dataprep/get"])
    }))
})
