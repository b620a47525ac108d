import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Completion from "@spillway/core/Completion"
import * as LlmError from "@spillway/core/LlmError"
import * as LlmService from "@spillway/core/LlmService"
import * as Prompt from "@spillway/core/Prompt"
import * as Ollama from "@spillway/providers/Ollama"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { type Answer, fetching, inPieces, refusal, through } from "./fetching.js"

const answer = {
  model: "llama3.2",
  created_at: "2026-11-24T10:52:17.616539758Z",
  message: { role: "assistant", content: "Hello" },
  done: true,
  done_reason: "stop",
  prompt_eval_count: 5,
  eval_count: 2
}

const make = (options?: Ollama.Options) => Effect.map(Ollama.make(options), ({ llm }) => llm)

describe("Ollama", () => {
  it.effect("speaks to the server on this machine, without a key", () => {
    const { fetch, sent } = fetching(() => ({ body: answer }))
    return through(fetch, make(), (service) =>
      Effect.map(service.generateText({ model: "llama3.2", prompt: "hi" }), (completion) => {
        assert.strictEqual(completion.text, "Hello")
        assert.deepStrictEqual(completion.usage, { inputTokens: 5, outputTokens: 2 })
        const { body, headers, host, method, path } = sent[0]!
        assert.deepStrictEqual([method, host, path], ["POST", "127.0.0.1:11434", "/api/chat"])
        assert.strictEqual(body.stream, false)
        assert.isUndefined(headers["authorization"])
        assert.deepStrictEqual(
          service.operations,
          new Set(["generateText", "streamText", "embed", "listModels", "health"])
        )
      }))
  })

  it.effect("shows a key as Bearer where it has one", () => {
    const { fetch, sent } = fetching(() => ({ body: answer }))
    const options = { apiKeys: [Redacted.make("ollama-key")] as const, baseUrl: "https://ollama.com" }
    return through(fetch, make(options), (service) =>
      Effect.map(service.generateText({ model: "gpt-oss:120b", prompt: "hi" }), () => {
        assert.strictEqual(sent[0]!.host, "ollama.com")
        assert.strictEqual(sent[0]!.headers["authorization"], "Bearer ollama-key")
      }))
  })

  it.effect("embeds texts in their order", () => {
    const { fetch, sent } = fetching(() => ({
      body: { model: "all-minilm", embeddings: [[0.5, 1], [2, 3]], prompt_eval_count: 8 }
    }))
    return through(fetch, make(), (service) =>
      Effect.map(service.embed({ model: "all-minilm", input: ["a", "b"] }), (embeddings) => {
        assert.deepStrictEqual(embeddings, {
          model: "all-minilm",
          vectors: [[0.5, 1], [2, 3]],
          usage: { inputTokens: 8 }
        })
        assert.deepStrictEqual([sent[0]!.method, sent[0]!.path], ["POST", "/api/embed"])
        assert.deepStrictEqual(sent[0]!.body, { model: "all-minilm", input: ["a", "b"] })
      }))
  })

  it.effect("lists the models that have been pulled", () => {
    const models = [
      { name: "a:latest", model: "a:latest", details: { context_length: 8192 } },
      { name: "b:latest", details: null },
      {}
    ]
    const { fetch, sent } = fetching(() => ({ body: { models } }))
    return through(fetch, make(), (service) =>
      Effect.map(service.listModels, (models) => {
        assert.deepStrictEqual(models, [{ id: "a:latest", contextWindow: 8192 }, { id: "b:latest" }])
        assert.deepStrictEqual([sent[0]!.method, sent[0]!.path], ["GET", "/api/tags"])
      }))
  })

  it.effect("sends nothing for a picture by address, which the server would not fetch", () => {
    const { fetch, sent } = fetching(() => ({ body: answer }))
    const prompt = Prompt.user([Prompt.imageUrl("https://example.com/a.png")])
    return through(fetch, make(), (service) =>
      Effect.map(Effect.flip(service.generateText({ model: "llava", prompt })), (error) => {
        assert.instanceOf(error, LlmError.Unsupported)
        assert.strictEqual(sent.length, 0)
      }))
  })

  const said = (error: string, status: number): Answer => ({ status, body: { error } })

  const refusals: ReadonlyArray<readonly [name: string, Answer, tag: LlmError.Tag]> = [
    ["a model that is not there", said("model 'nope' not found", 404), "ModelNotFound"],
    ["a path that is not there", { status: 404, body: "404 page not found" }, "MalformedResponse"],
    ["a method that is not there", { status: 405, body: "405 method not allowed" }, "MalformedResponse"],
    ["a missing body", said("missing request body", 400), "InvalidRequest"],
    ["tools for a model without", said("library/tiny:latest does not support tools", 400), "InvalidRequest"],
    ["a 500 about an option", said("option \"num_predict\" must be of type integer", 500), "InvalidRequest"],
    ["a 500", said("llama runner process has terminated", 500), "ServerFault"],
    ["a model that cannot embed", said("this model does not support embeddings", 501), "Unsupported"],
    ["a full queue", said("server busy, please try again.  maximum pending requests exceeded", 503), "ServerFault"],
    ["a cloud without a sign-in", { status: 401, body: { error: "unauthorized", signin_url: "x" } }, "ModelNotFound"],
    ["a cloud that is switched off", said("cloud is disabled", 403), "ModelNotFound"],
    ["a wrong key", said("unauthorized", 401), "AuthenticationFailed"],
    ["too many requests to the cloud", said("too many requests", 429), "RateLimited"],
    ["a cloud out of reach", said("bad gateway", 502), "ServerFault"],
    ["another server", { body: "Ollama is running" }, "MalformedResponse"],
    ["an answer without a message", { body: { done: true } }, "MalformedResponse"]
  ]

  for (const [name, answer, tag] of refusals) {
    it.effect(`reads ${name} as ${tag}`, () =>
      Effect.map(refusal(make(), answer), (error) => {
        assert.strictEqual(error._tag, tag)
        assert.strictEqual(error.backend, "ollama")
      }))
  }

  it.effect("says how to come by a model that is not there", () =>
    Effect.map(refusal(make(), said("model 'nope' not found", 404), "nope"), (error) => {
      assert.strictEqual(
        error.message,
        "ollama answered 404: model 'nope' not found; pull it first: ollama pull nope"
      )
    }))

  it.effect("goes on serving the local models when one of the cloud is refused", () => {
    const { fetch } = fetching((_, index) =>
      index === 0 ? { status: 401, body: { error: "unauthorized", signin_url: "x" } } : { body: answer }
    )
    return through(fetch, make(), (service) =>
      Effect.gen(function*() {
        yield* Effect.flip(service.generateText({ model: "big:cloud", prompt: "hi" }))
        assert.strictEqual((yield* service.generateText({ model: "llama3.2", prompt: "hi" })).text, "Hello")
      }))
  })
})

describe("Ollama, streaming", () => {
  const lines = (...lines: ReadonlyArray<object>) => lines.map((line) => `${JSON.stringify(line)}\n`).join("")

  const piece = (message: object) => ({ ...answer, message, done: false, done_reason: undefined })

  const whole = [
    piece({ content: "", thinking: "Ω hm" }),
    piece({ content: "Grü" }),
    piece({ content: "ße 👋" }),
    piece({ content: "", tool_calls: [{ id: "t1", function: { name: "f", arguments: { a: 1 } } }] }),
    { ...answer, message: { content: "" } }
  ]

  const expected = Completion.make({
    model: "llama3.2",
    content: [
      { _tag: "Reasoning", text: "Ω hm" },
      { _tag: "Text", text: "Grüße 👋" },
      { _tag: "ToolCall", id: "t1", name: "f", arguments: "{\"a\":1}" }
    ],
    finishReason: "tool-calls",
    usage: { inputTokens: 5, outputTokens: 2 }
  })

  const streamed = (service: LlmService.Service) => service.streamText({ model: "asked", prompt: "hi" })

  it.effect("reads the same answer wherever its bytes are cut", () => {
    const bytes = new TextEncoder().encode(lines(...whole))
    const { fetch, sent } = fetching(() => ({ body: inPieces(...Array.from(bytes, (byte) => Uint8Array.of(byte))) }))
    return through(fetch, make(), (service) =>
      Effect.map(Completion.collect(streamed(service)), (completion) => {
        assert.deepStrictEqual(completion, expected)
        assert.strictEqual(sent[0]!.body.stream, true)
      }))
  })

  it.effect("never takes an answer that was cut short for a whole one", () => {
    const bytes = new TextEncoder().encode(lines(whole[1]!, whole[4]!))
    // the last byte is the line's end: the end marker is whole without it
    const cuts = bytes.length - 1
    const { fetch } = fetching((_, index) => ({ body: inPieces(bytes.slice(0, index)) }))
    return through(fetch, make(), (service) =>
      Effect.gen(function*() {
        for (let cut = 0; cut < cuts; cut++) {
          const error = yield* Effect.flip(Completion.collect(streamed(service)))
          assert.strictEqual(error._tag, "StreamInterrupted")
        }
        assert.strictEqual((yield* Completion.collect(streamed(service))).text, "Grü")
      }))
  })

  const inStream: ReadonlyArray<readonly [error: string, tag: LlmError.Tag]> = [
    ["an error was encountered while running the model: unexpected EOF", "ServerFault"],
    ["model 'nope' not found", "ModelNotFound"],
    ["option \"stop\" must be of an array of strings", "InvalidRequest"]
  ]

  for (const [words, tag] of inStream) {
    it.effect(`reads a line with the error "${words}" as ${tag}, after what came before`, () => {
      const body = lines(whole[1]!, { error: words })
      return through(fetching(() => ({ body })).fetch, make(), (service) =>
        Effect.gen(function*() {
          const parts: Array<Completion.Part> = []
          const error = yield* Effect.flip(
            Stream.runForEach(streamed(service), (part) => Effect.sync(() => parts.push(part)))
          )
          assert.strictEqual(error._tag, tag)
          assert.include(error.message, words)
          assert.deepStrictEqual(parts.map((part) => part._tag), ["Start", "TextDelta"])
        }))
    })
  }
})

describe("Ollama.toBaseUrl", () => {
  const cases: ReadonlyArray<readonly [host: string, url: string | undefined]> = [
    ["localhost", "http://localhost:11434"],
    ["gpu-box:8080", "http://gpu-box:8080"],
    ["gpu-box:80", "http://gpu-box"],
    [":8080", "http://127.0.0.1:8080"],
    ["1.2.3.4", "http://1.2.3.4:11434"],
    ["0.0.0.0", "http://127.0.0.1:11434"],
    ["0.0.0.0:8080", "http://127.0.0.1:8080"],
    ["http://0.0.0.0:11434", "http://127.0.0.1:11434"],
    ["[::]:11434", "http://[::1]:11434"],
    ["::1", "http://[::1]:11434"],
    ["[::1]:8080", "http://[::1]:8080"],
    ["http://gpu-box", "http://gpu-box"],
    ["HTTPS://gpu-box", "https://gpu-box"],
    ["https://ollama.com/", "https://ollama.com"],
    ["https://gpu-box:11434/", "https://gpu-box:11434"],
    ["http://gpu-box/ollama/", "http://gpu-box/ollama"],
    ["gpu-box/ollama", "http://gpu-box:11434/ollama"],
    [" \"gpu-box:8080\" ", "http://gpu-box:8080"],
    ["", undefined],
    ["http://", undefined],
    ["ftp://gpu-box", undefined],
    ["gpu-box:port", undefined],
    ["gpu-box:99999", undefined],
    ["gpu box", undefined],
    ["http://user:secret@gpu-box", undefined]
  ]

  for (const [host, url] of cases) {
    it(`reads ${JSON.stringify(host)} as ${url ?? "no address"}`, () => {
      assert.strictEqual(Option.getOrUndefined(Ollama.toBaseUrl(host)), url)
    })
  }
})

describe("Ollama.layerConfig", () => {
  const sentWith = (environment: Record<string, string>) => {
    const { fetch, sent } = fetching(() => ({ body: answer }))
    return LlmService.generateText({ model: "m", prompt: "hi" }).pipe(
      Effect.map(() => sent[0]!),
      Effect.provide(Ollama.layerConfig),
      Effect.provide(FetchHttpClient.layer),
      Effect.provideService(FetchHttpClient.Fetch, fetch),
      Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(environment))))
    )
  }

  it.effect("takes the server on this machine where the environment says nothing", () =>
    Effect.map(sentWith({}), ({ host }) => assert.strictEqual(host, "127.0.0.1:11434")))

  it.effect("shows a key only to a host that is spoken to over https", () =>
    Effect.gen(function*() {
      const cloud = yield* sentWith({ OLLAMA_HOST: "https://ollama.com", OLLAMA_API_KEY: "ollama-key" })
      assert.deepStrictEqual([cloud.host, cloud.headers["authorization"]], ["ollama.com", "Bearer ollama-key"])
      const local = yield* sentWith({ OLLAMA_HOST: "gpu-box", OLLAMA_API_KEY: "ollama-key" })
      assert.deepStrictEqual([local.host, local.headers["authorization"]], ["gpu-box:11434", undefined])
    }))

  it.effect("names the variable that holds no address, and does not repeat it", () =>
    Effect.gen(function*() {
      for (const host of ["", "http://user:secret@gpu-box"]) {
        const error = String(yield* Effect.flip(sentWith({ OLLAMA_HOST: host })))
        assert.include(error, "OLLAMA_HOST")
        assert.notInclude(error, "secret")
      }
    }))
})

describe("Ollama.layer", () => {
  it.effect("gives what every backend does, and what only Ollama does", () =>
    Effect.gen(function*() {
      const { fetch, sent } = fetching(({ path }) => ({ body: path === "/api/chat" ? answer : { version: "0.33.0" } }))
      const program = Effect.gen(function*() {
        yield* LlmService.generateText({ model: "llama3.2", prompt: "hi" })
        return yield* Effect.flatMap(Ollama.Ollama, ({ version }) => version)
      })
      const version = yield* program.pipe(
        Effect.provide(Ollama.layer()),
        Effect.provide(FetchHttpClient.layer),
        Effect.provideService(FetchHttpClient.Fetch, fetch)
      )
      assert.strictEqual(version, "0.33.0")
      assert.deepStrictEqual(sent.map(({ path }) => path), ["/api/chat", "/api/version"])
    }))
})
