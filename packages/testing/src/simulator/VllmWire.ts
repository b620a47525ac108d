/**
 * vLLM: OpenAI's wire with fields of its own, models that pool, adapters that come and go, and metrics. Its key
 * protects what lies under `/v1` and `/v2`.
 *
 * @see https://docs.vllm.ai/en/latest/serving/online_serving/
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Fields from "./Fields.js"
import * as Models from "./Models.js"
import * as Embeddings from "./OpenAiEmbeddings.js"
import * as OpenAi from "./OpenAiWire.js"
import * as Ranking from "./Ranking.js"
import * as Chat from "./VllmChat.js"
import * as Pooling from "./VllmPooling.js"
import * as Refusal from "./VllmRefusal.js"
import * as Wire from "./Wire.js"

/**
 * The wire, with `further` models besides its own. A real server has one; this one has one of each kind.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (further: ReadonlyArray<string>): Wire.Wire => {
  // adapters come and go
  const models: Array<Models.Model> = [...catalogue, ...Models.simulated(further)]
  const adapters = new Map<string, string>()
  const vocabulary = Pooling.vocabulary()
  const busy = business()
  const watched =
    (answer: Wire.Route["answer"]): Wire.Route["answer"] =>
    (call) =>
      Either.map(answer(call), (answered) => {
        busy.took(call, answered)
        return answered
      })
  const post = (path: string, answer: Wire.Route["answer"], open?: "open"): Wire.Route => ({
    method: "POST",
    path,
    ...(open === undefined ? { metered: true } : { open: true }),
    answer: watched(answer)
  })
  const get = (path: string, answer: (call: Wire.Call) => Wire.Answer): Wire.Route => ({
    method: "GET",
    path,
    open: true,
    answer: (call) => Either.right(answer(call))
  })
  const rank = Ranking.answer({ models, document: (text) => ({ text, multi_modal: null }) })
  const score = Pooling.score(models)
  return {
    name: "vllm",
    baseUrl: "/vllm",
    variables: { baseUrl: "VLLM_BASE_URL", key: "VLLM_API_KEY" },
    keyed: true,
    daily: false,
    demandsJson: true,
    retryAfter: "seconds",
    credential: OpenAi.bearer,
    headers: () => ({}),
    refuse: Refusal.refuse,
    streamError: () => Refusal.inStream,
    routes: [
      post("/v1/chat/completions", Chat.answer(models)),
      post("/v1/embeddings", Embeddings.answer(models, true)),
      post("/rerank", rank, "open"),
      post("/v1/rerank", rank),
      post("/v2/rerank", rank),
      post("/score", score, "open"),
      post("/v1/score", score),
      post("/classify", Pooling.classify(models), "open"),
      post("/pooling", Pooling.pooling(models), "open"),
      { method: "POST", path: "/tokenize", open: true, answer: Pooling.tokenize(models, vocabulary) },
      { method: "POST", path: "/detokenize", open: true, answer: Pooling.detokenize(models, vocabulary) },
      { method: "POST", path: "/v1/load_lora_adapter", answer: load(models, adapters) },
      { method: "POST", path: "/v1/unload_lora_adapter", answer: unload(models, adapters) },
      {
        method: "GET",
        path: "/v1/models",
        answer: ({ now }) =>
          Either.right(Wire.free({ object: "list", data: models.map((model) => described(model, adapters, now)) }))
      },
      get("/health", () => text("")),
      get("/ping", () => text("")),
      get("/version", () => Wire.free({ version: "0.13.0" })),
      get("/load", ({ now }) => Wire.free({ server_load: busy.running(now) })),
      get("/metrics", ({ now }) => text(busy.metrics(now), "text/plain; version=0.0.4; charset=utf-8"))
    ]
  }
}

const catalogue = [
  Models.make("Qwen/Qwen3-0.6B", { kind: "reasoning", owner: "vllm", context: 40_960 }),
  Models.make("Qwen/Qwen2.5-1.5B-Instruct", { kind: "chat", owner: "vllm", context: 32_768 }),
  Models.make("BAAI/bge-m3", { kind: "embedding", owner: "vllm", context: 8192, dimensions: 1024 }),
  Models.make("BAAI/bge-reranker-v2-m3", { kind: "embedding", owner: "vllm", context: 8192, dimensions: 1024 })
]

const described = ({ context, id }: Models.Model, adapters: ReadonlyMap<string, string>, now: number) => {
  const path = adapters.get(id)
  return {
    id,
    object: "model",
    created: Math.floor(now / 1000),
    owned_by: "vllm",
    root: path ?? id,
    parent: path === undefined ? null : (catalogue[0]?.id ?? null),
    max_model_len: path === undefined ? context : null,
    permission: []
  }
}

const text = (content: string, contentType = "text/plain; charset=utf-8"): Wire.Answer => ({
  input: 0,
  output: 0,
  render: () => ({ _tag: "Whole", contentType, content })
})

// -----------------------------------------------------------------------------
// adapters
// -----------------------------------------------------------------------------

const load =
  (models: Array<Models.Model>, adapters: Map<string, string>): Wire.Route["answer"] =>
  ({ body }) => {
    const request: Fields.Json = Fields.isJson(body) ? body : {}
    const [name, path] = [Fields.stringOf(request["lora_name"]), Fields.stringOf(request["lora_path"])]
    const rejected = (message: string, code = "InvalidUserInput", status = 400) =>
      Either.left(Wire.Failure.Rejected({ message, code, status }))
    if (name === "" || path === "") return rejected("Both 'lora_name' and 'lora_path' must be provided.")
    if (path.includes("missing")) {
      return rejected(`Loading lora ${name} failed: No adapter found for ${path}`, "NotFoundError", 404)
    }
    if (Wire.find(models, name) !== undefined && request["load_inplace"] !== true) {
      return rejected(
        `The lora adapter '${name}' has already been loaded. ` +
          "If you want to load the adapter in place, set 'load_inplace' to True."
      )
    }
    if (!adapters.has(name)) models.push(Models.make(name, { kind: "chat", owner: "vllm", context: 40_960 }))
    adapters.set(name, path)
    return Either.right(text(`Success: LoRA adapter '${name}' added successfully.`))
  }

const unload =
  (models: Array<Models.Model>, adapters: Map<string, string>): Wire.Route["answer"] =>
  ({ body }) => {
    const name = Fields.isJson(body) ? Fields.stringOf(body["lora_name"]) : ""
    if (!adapters.delete(name)) {
      const message = `The lora adapter '${name}' cannot be found.`
      return Either.left(Wire.Failure.Rejected({ message, code: "NotFoundError", status: 404 }))
    }
    const at = models.findIndex(({ id }) => id === name)
    models.splice(at, 1)
    return Either.right(text(`Success: LoRA adapter '${name}' removed successfully.`))
  }

// -----------------------------------------------------------------------------
// load
// -----------------------------------------------------------------------------

const business = () => {
  const counts = { requests: 0, input: 0, output: 0 }
  let ends: ReadonlyArray<number> = []
  const running = (now: number): number => {
    ends = ends.filter((end) => end > now)
    return ends.length
  }
  const metric = (name: string, type: "gauge" | "counter", help: string, value: number): string =>
    `# HELP vllm:${name} ${help}\n# TYPE vllm:${name} ${type}\n` +
    `vllm:${name}{engine="0",model_name="${catalogue[0]?.id}"} ${value.toFixed(1)}\n`
  return {
    /** A request was taken, and will have been answered when its time is over. */
    took: ({ latencyMillis, now, tokenDelayMillis }: Wire.Call, { input, output }: Wire.Answer): void => {
      counts.requests++
      counts.input += input
      counts.output += output
      ends = [...ends.filter((end) => end > now), now + latencyMillis + tokenDelayMillis * output]
    },
    running,
    metrics: (now: number): string =>
      metric("num_requests_running", "gauge", "Number of requests in model execution batches.", running(now)) +
      metric("num_requests_waiting", "gauge", "Number of requests waiting to be processed.", 0) +
      metric("kv_cache_usage_perc", "gauge", "KV-cache usage. 1 is 100 percent.", Math.min(1, ends.length / 256)) +
      metric("prompt_tokens_total", "counter", "Number of prefill tokens processed.", counts.input) +
      metric("generation_tokens_total", "counter", "Number of generation tokens processed.", counts.output) +
      metric("request_success_total", "counter", "Count of successfully processed requests.", counts.requests)
  }
}
