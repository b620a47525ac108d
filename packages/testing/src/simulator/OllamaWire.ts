/**
 * Ollama's own API: chat, generate, embed, and what tells of its models, pulls and deletes them. No key, no limits;
 * streams are NDJSON, and streaming is what happens unless it is refused.
 *
 * @see https://github.com/ollama/ollama/blob/main/docs/api.md
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Fields from "./Fields.js"
import * as Models from "./Models.js"
import * as Chat from "./OllamaChat.js"
import * as Memory from "./OllamaMemory.js"
import * as Refusal from "./OllamaRefusal.js"
import * as Request from "./OllamaRequest.js"
import * as OpenAi from "./OpenAiWire.js"
import * as Seed from "./Seed.js"
import * as Tokens from "./Tokens.js"
import * as Vector from "./Vector.js"
import * as Wire from "./Wire.js"

/**
 * The wire, with `further` models besides its own.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (further: ReadonlyArray<string>): Wire.Wire => {
  const own = [...catalogue, ...Models.simulated(further)]
  // The models on its disk; what was deleted can be pulled again.
  const models = [...own]
  const registry = [...own, ...pullable]
  // The models that were used, and until when they stay in memory.
  const loaded: Memory.Memory = new Map()
  const route = (path: string, answer: Wire.Route["answer"]): Wire.Route => ({ method: "POST", path, answer })
  return {
    name: "ollama",
    baseUrl: "/ollama",
    variables: { baseUrl: "OLLAMA_HOST" },
    keyed: false,
    daily: false,
    demandsJson: false,
    retryAfter: "seconds",
    credential: OpenAi.bearer,
    headers: () => ({}),
    refuse: Refusal.refuse,
    streamError: () => `${JSON.stringify({ error: "an error was encountered while running the model" })}\n`,
    routes: [
      { method: "GET", path: "/", answer: () => Either.right(text("Ollama is running")) },
      { method: "GET", path: "/api/version", answer: () => right({ version: "0.33.0" }) },
      { method: "GET", path: "/api/tags", answer: () => right({ models: models.map(tagged) }) },
      {
        method: "GET",
        path: "/api/ps",
        answer: ({ now }) =>
          right({
            models: Array.from(loaded)
              .filter((one) => one[1] > now)
              .map(([model, until]) => running(model, until))
          })
      },
      route("/api/show", (call) => known(models, call, (body, model) => right(shown(model, body)), ":latest")),
      route("/api/pull", pulling(registry, models)),
      { method: "DELETE", path: "/api/delete", answer: (call) => known(models, call, deleting(models, loaded)) },
      route("/api/chat", (call) => known(models, call, Chat.answer("chat", loaded, call))),
      route("/api/generate", (call) => known(models, call, Chat.answer("generate", loaded, call))),
      route("/api/embed", (call) => known(models, call, embedding(loaded, call))),
      route("/api/embeddings", (call) => known(models, call, embeddingOne(loaded, call)))
    ]
  }
}

const contentType = "application/json; charset=utf-8"

const right = (content: unknown): Either.Either<Wire.Answer, Wire.Failure> =>
  Either.right(Wire.free(content, contentType))

const text = (content: string): Wire.Answer => ({
  input: 0,
  output: 0,
  render: () => ({ _tag: "Whole", contentType: "text/plain; charset=utf-8", content })
})

const rejected = (message: string, status = 400) => Either.left(Wire.Failure.Rejected({ message, status }))

const catalogue = [
  Models.make("llama3.2", { owner: "llama", context: 131_072 }),
  Models.make("qwen3", { kind: "reasoning", owner: "qwen3", context: 40_960 }),
  Models.make("all-minilm", { kind: "embedding", owner: "bert", context: 512, dimensions: 384 })
]

// What the registry has besides.
const pullable = [
  Models.make("llama3.1", { owner: "llama", context: 131_072 }),
  Models.make("mistral", { owner: "llama", context: 32_768 }),
  Models.make("nomic-embed-text", { kind: "embedding", owner: "nomic-bert", context: 8192, dimensions: 768 })
]

const capabilities: { readonly [K in Models.Model["kind"]]: ReadonlyArray<string> } = {
  chat: ["completion", "tools", "vision"],
  reasoning: ["completion", "tools", "vision", "thinking"],
  embedding: ["embedding"]
}

const details = (model: Models.Model) => ({
  parent_model: "",
  format: "gguf",
  family: model.owner,
  families: [model.owner],
  parameter_size: "0B",
  quantization_level: "F16"
})

const size = 1_000_000

const digest = (model: Models.Model): string => Seed.identifier(Seed.of(model.id), 64, Seed.hexadecimal)

const tag = (model: Models.Model): string => (model.id.includes(":") ? model.id : `${model.id}:latest`)

const tagged = (model: Models.Model) => ({
  name: tag(model),
  model: tag(model),
  modified_at: instant(model.created * 1000),
  size,
  digest: digest(model),
  details: { ...details(model), context_length: model.context, embedding_length: model.dimensions },
  capabilities: capabilities[model.kind]
})

const running = (model: Models.Model, until: number) => ({
  name: tag(model),
  model: tag(model),
  size,
  digest: digest(model),
  details: details(model),
  expires_at: instant(until),
  size_vram: 0,
  context_length: Math.min(4096, model.context)
})

const shown = (model: Models.Model, body: Fields.Json) => ({
  modelfile: `# Modelfile generated by "ollama show"\nFROM ${tag(model)}\n`,
  parameters: "",
  template: "{{ .Prompt }}",
  details: details(model),
  model_info: {
    "general.architecture": model.owner,
    "general.file_type": 1,
    "general.parameter_count": 0,
    [`${model.owner}.context_length`]: model.context,
    [`${model.owner}.embedding_length`]: model.dimensions,
    "tokenizer.ggml.tokens": body["verbose"] === true ? [] : null
  },
  capabilities: capabilities[model.kind],
  modified_at: instant(model.created * 1000)
})

const instant = (millis: number): string => new Date(millis).toISOString()

const known = (
  models: ReadonlyArray<Models.Model>,
  call: Wire.Call,
  then: (body: Fields.Json, model: Models.Model, name: string) => Either.Either<Wire.Answer, Wire.Failure>,
  suffix = ""
): Either.Either<Wire.Answer, Wire.Failure> => {
  const body: Fields.Json = Fields.isJson(call.body) ? call.body : {}
  const name = body["model"] ?? body["name"]
  if (name !== undefined && typeof name !== "string") {
    return Either.left(
      Wire.Failure.Invalid({ violation: { path: ["model"], problem: "Type", expected: ["string"], got: name }, body })
    )
  }
  if (name === undefined || name === "") return rejected("model is required")
  const model = models.find((one) => one.id === name || tag(one) === name)
  if (model === undefined) {
    return Either.left(Wire.Failure.NoModel({ model: name.includes(":") ? name : `${name}${suffix}` }))
  }
  return then(body, model, name)
}

// Whatever goes wrong is told within the stream.
const pulling =
  (registry: ReadonlyArray<Models.Model>, models: Array<Models.Model>) =>
  (call: Wire.Call): Either.Either<Wire.Answer, Wire.Failure> => {
    const body: Fields.Json = Fields.isJson(call.body) ? call.body : {}
    const violation = Request.requests.pull(body)
    if (violation !== undefined) return Either.left(Wire.Failure.Invalid({ violation, body }))
    const name = Fields.stringOf(body["model"] ?? body["name"])
    if (name === "") return rejected("invalid model name")
    const model = registry.find((one) => one.id === name || tag(one) === name)
    const streams = body["stream"] !== false
    if (model === undefined && !streams) return rejected(noManifest, 500)
    if (model !== undefined && !models.includes(model)) models.push(model)
    const line = (progress: unknown): string => `${JSON.stringify(progress)}\n`
    const manifest = line({ status: "pulling manifest" })
    return Either.right({
      input: 0,
      output: 0,
      render: () =>
        !streams
          ? Wire.json({ status: "success" }, contentType)
          : model === undefined
            ? { ...frames, tokens: [manifest], closing: line({ error: noManifest }) }
            : {
                ...frames,
                tokens: [
                  manifest,
                  ...[0.25, 0.5, 0.75, 1].map((part) =>
                    line({
                      status: `pulling ${digest(model).slice(0, 12)}`,
                      digest: `sha256:${digest(model)}`,
                      total: size,
                      completed: part * size
                    })
                  ),
                  line({ status: "verifying sha256 digest" }),
                  line({ status: "writing manifest" })
                ],
                closing: line({ status: "success" })
              }
    })
  }

const frames = { _tag: "Frames", contentType: "application/x-ndjson", opening: "" } as const

const noManifest = "pull model manifest: file does not exist"

const deleting =
  (models: Array<Models.Model>, loaded: Memory.Memory) =>
  (_: Fields.Json, model: Models.Model): Either.Either<Wire.Answer, Wire.Failure> => {
    models.splice(models.indexOf(model), 1)
    loaded.delete(model)
    return Either.right(text(""))
  }

const embedding =
  (loaded: Memory.Memory, call: Wire.Call) =>
  (body: Fields.Json, model: Models.Model, name: string): Either.Either<Wire.Answer, Wire.Failure> => {
    const violation = Request.requests.embed(body)
    if (violation !== undefined) return Either.left(Wire.Failure.Invalid({ violation, body }))
    if (model.kind !== "embedding") return rejected("this model does not support embeddings", 501)
    Memory.touch(loaded, model, body, call.now)
    const input = body["input"]
    const texts = typeof input === "string" ? [input] : Array.isArray(input) ? input.map(Fields.stringOf) : []
    const dimensions =
      typeof body["dimensions"] === "number" && body["dimensions"] > 0
        ? Math.min(body["dimensions"], model.dimensions)
        : model.dimensions
    const tokens = texts.reduce((sum, one) => sum + Math.max(1, Tokens.estimate(one.length)), 0)
    return Either.right({
      input: tokens,
      output: 0,
      render: () => {
        const vectors = texts.map((one) => Vector.toJson(Vector.of(one, dimensions))).join(",")
        return Wire.json(
          `{"model":${JSON.stringify(name)},"embeddings":[${vectors}],"total_duration":2000000,"load_duration":1000000,"prompt_eval_count":${tokens}}`,
          contentType
        )
      }
    })
  }

const embeddingOne =
  (loaded: Memory.Memory, call: Wire.Call) =>
  (body: Fields.Json, model: Models.Model): Either.Either<Wire.Answer, Wire.Failure> => {
    if (model.kind !== "embedding") return rejected("this model does not support embeddings", 501)
    Memory.touch(loaded, model, body, call.now)
    const prompt = Fields.stringOf(body["prompt"])
    return Either.right({
      input: Tokens.estimate(prompt.length),
      output: 0,
      render: () =>
        Wire.json(
          `{"embedding":${prompt === "" ? "[]" : Vector.toJson(Vector.of(prompt, model.dimensions))}}`,
          contentType
        )
    })
  }
