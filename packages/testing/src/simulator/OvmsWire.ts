/**
 * OpenVINO Model Server: tensors over KServe's wire, language models over OpenAI's and Cohere's under `/v3`, and its
 * configuration. Only what is posted to `/v3` wants a key.
 *
 * Under `/2025` stands a server of that year, which speaks TensorFlow Serving's wire besides.
 *
 * @see https://docs.openvino.ai/2026/model-server/ovms_what_is_openvino_model_server.html
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Fields from "./Fields.js"
import * as Models from "./Models.js"
import * as Chat from "./OpenAiChat.js"
import * as Embeddings from "./OpenAiEmbeddings.js"
import * as Request from "./OpenAiRequest.js"
import * as OpenAi from "./OpenAiWire.js"
import * as Completions from "./OvmsCompletions.js"
import * as Refusal from "./OvmsRefusal.js"
import * as Tensors from "./OvmsTensors.js"
import * as TfServing from "./OvmsTfServing.js"
import * as Seed from "./Seed.js"
import * as Wire from "./Wire.js"

/**
 * The wire, with `further` models besides its own.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (further: ReadonlyArray<string>): Wire.Wire => {
  const models = [...catalogue, ...Models.simulated(further)]
  return {
    name: "ovms",
    baseUrl: "/ovms",
    variables: { baseUrl: "OVMS_BASE_URL", key: "OVMS_API_KEY" },
    keyed: true,
    daily: false,
    demandsJson: false,
    retryAfter: "seconds",
    credential: OpenAi.bearer,
    headers: () => ({}),
    refuse: Refusal.refuse,
    streamError: (path) => Refusal.inStream(path),
    routes: [
      ...routes("", "2026.4.0.simulated", ["/v3", "/v1"], models),
      { method: "POST", path: "/v1/*", answer: () => Either.left(Wire.Failure.NoModel({ model: "" })) },
      ...routes("/2025", "2025.4.0.simulated", ["/v3"], models),
      { method: "POST", path: "/2025/v1/models/*", open: true, answer: TfServing.predict },
      { method: "GET", path: "/2025/v1/models/*", open: true, answer: TfServing.described }
    ]
  }
}

const catalogue = [
  Models.make("OpenVINO/Qwen3-8B-int4-ov", { kind: "reasoning", owner: "OVMS", context: 40_960 }),
  Models.make("OpenVINO/bge-base-en-v1.5-fp16-ov", { kind: "embedding", owner: "OVMS", dimensions: 768 }),
  Models.make("OpenVINO/bge-reranker-base-fp16-ov", { kind: "embedding", owner: "OVMS" }),
  Models.make("sim-rerank", { kind: "embedding" })
]

const routes = (
  below: string,
  version: string,
  doors: ReadonlyArray<string>,
  models: ReadonlyArray<Models.Model>
): ReadonlyArray<Wire.Route> => {
  const open = (path: string, answer: Wire.Route["answer"]): Wire.Route => ({
    method: "GET",
    path: below + path,
    open: true,
    answer
  })
  const posted = (path: string, answer: Wire.Route["answer"]): ReadonlyArray<Wire.Route> =>
    doors.map((door) => ({ method: "POST", path: below + door + path, answer }))
  return [
    open("/v2", () => free({ name: "OpenVINO Model Server", version })),
    open("/v2/health/live", nothing),
    open("/v2/health/ready", nothing),
    open("/v2/models/*", described),
    { method: "POST", path: `${below}/v2/models/*`, open: true, raw: true, answer: inferred },
    open("/v1/config", configured(models)),
    { method: "POST", path: `${below}/v1/config/reload`, open: true, raw: true, answer: configured(models) },
    open("/v3/models", ({ now }) => free({ data: names(models).map(listed(now)), object: "list" })),
    open("/v3/models/*", ({ now, rest }) =>
      names(models).includes(rest)
        ? free(listed(now)(rest))
        : Either.left(Wire.Failure.Rejected({ status: 500, message: "Model not found" }))
    ),
    ...posted("/chat/completions", known(models, Chat.answer(dialect(models)))),
    ...posted("/completions", known(models, Completions.answer(models))),
    ...posted("/embeddings", known(models, unnamed(Embeddings.answer(models, false)))),
    ...posted("/rerank", known(models, Completions.rerank)),
    ...posted("/tokenize", known(models, Completions.tokenize))
  ]
}

const free = (content: unknown): Either.Either<Wire.Answer, Wire.Failure> => Either.right(Wire.free(content))

const nothing = (): Either.Either<Wire.Answer, Wire.Failure> => Either.right(Wire.free(""))

const names = (models: ReadonlyArray<Models.Model>): ReadonlyArray<string> => [
  ...Tensors.models.map(({ name }) => name),
  ...models.map(({ id }) => id)
]

const listed = (now: number) => (id: string) => ({
  id,
  object: "model",
  created: Math.floor(now / 1000),
  owned_by: "OVMS"
})

const configured = (models: ReadonlyArray<Models.Model>) => () =>
  free(Object.fromEntries(names(models).map((name) => [name, TfServing.status])))

const described = ({ path, rest }: Wire.Call): Either.Either<Wire.Answer, Wire.Failure> => {
  const { name, verb, version } = Tensors.place(rest)
  return verb === "infer"
    ? Either.left(Wire.Failure.WrongMethod({ method: "GET", path, allowed: "POST" }))
    : Either.map(Tensors.find(name, version), (model) =>
        verb === "ready"
          ? Wire.free("")
          : Wire.free({
              name: model.name,
              versions: ["1"],
              platform: "OpenVINO",
              inputs: model.inputs,
              outputs: model.outputs
            })
      )
}

const inferred = (call: Wire.Call): Either.Either<Wire.Answer, Wire.Failure> => {
  const { name, verb, version } = Tensors.place(call.rest)
  return verb === "infer"
    ? Either.flatMap(Tensors.find(name, version), (model) => Tensors.answer(model, call))
    : Either.left(Wire.Failure.NoRoute({ method: "POST", path: call.path }))
}

/** The model is looked for before anything else is looked at. */
const known =
  (models: ReadonlyArray<Models.Model>, answer: Wire.Route["answer"]): Wire.Route["answer"] =>
  (call) => {
    const name = Fields.isJson(call.body) ? Fields.stringOf(call.body["model"]) : ""
    return Wire.find(models, name) === undefined ? Either.left(Wire.Failure.NoModel({ model: name })) : answer(call)
  }

/** Embeddings do not say by which model they are. */
const unnamed =
  (answer: Wire.Route["answer"]): Wire.Route["answer"] =>
  (call) =>
    Either.map(answer(call), ({ render, ...cost }) => ({
      ...cost,
      render: () => {
        const body = render()
        return body._tag === "Whole" && typeof body.content === "string"
          ? { ...body, content: body.content.replace(/,"model":"[^"]*"/, "") }
          : body
      }
    }))

const dialect = (models: ReadonlyArray<Models.Model>): Chat.Dialect => ({
  models,
  fields,
  rules: () => undefined,
  completionId: () => undefined,
  toolCallId: (id) => Seed.identifier(id, 9, "0123456789abcdefghijklmnopqrstuvwxyz"),
  reasoningIn: (body) =>
    Fields.isJson(body["chat_template_kwargs"]) && body["chat_template_kwargs"]["enable_thinking"] === false
      ? "nowhere"
      : "field",
  reasoning: (text) => ({ reasoning_content: text }),
  members: () => ({}),
  wholeMembers: () => ({}),
  messageMembers: {},
  firstDeltaMembers: { content: null },
  noText: null,
  usage: ({ input, output }) => ({ completion_tokens: output, prompt_tokens: input, total_tokens: input + output }),
  firstMembers: () => ({}),
  lastMembers: () => ({}),
  wholeToolCalls: false,
  padded: false
})

const optional = Fields.nullish

// Of OpenAI's fields those that it does not know it passes over; a client that sends only what is known sends none.
const fields = Fields.object({
  ...Completions.common,
  messages: Request.messages({ image_url: Request.imagePart }, { reasoning_content: optional(Fields.string()) }),
  tools: Request.common["tools"] ?? Fields.any,
  tool_choice: Request.common["tool_choice"] ?? Fields.any,
  response_format: Request.common["response_format"] ?? Fields.any,
  max_completion_tokens: optional(Fields.integer({ min: 1 })),
  chat_template_kwargs: optional(Fields.record),
  n: optional(Fields.integer({ min: 1 }))
})
