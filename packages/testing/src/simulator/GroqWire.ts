/**
 * Groq's API: OpenAI's chat completions under `/openai/v1`, with `x_groq`, timings, a field for reasoning, tool calls
 * that arrive whole, limits that count requests by the day, and no end marker after an error; and speech written down.
 *
 * @see https://console.groq.com/docs/api-reference
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Fields from "./Fields.js"
import * as Refusal from "./GroqRefusal.js"
import * as Transcription from "./GroqTranscription.js"
import * as Models from "./Models.js"
import * as Chat from "./OpenAiChat.js"
import * as Embeddings from "./OpenAiEmbeddings.js"
import * as Request from "./OpenAiRequest.js"
import * as OpenAi from "./OpenAiWire.js"
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
  const listed = [...models, ...Transcription.models]
  return {
    name: "groq",
    baseUrl: "/groq",
    variables: { baseUrl: "GROQ_BASE_URL", key: "GROQ_API_KEY" },
    keyed: true,
    daily: true,
    demandsJson: true,
    retryAfter: "seconds",
    credential: OpenAi.bearer,
    headers: ({ daily, id, now, tokens }) => ({
      "cache-control": "private, max-age=0, no-store, no-cache, must-revalidate",
      vary: "Origin",
      "x-groq-region": "simulator",
      "x-request-id": requestId(id),
      // Groq's "requests" are those of the day, its "tokens" those of the minute.
      ...OpenAi.limitHeaders(daily, tokens, now)
    }),
    refuse: Refusal.refuse,
    streamError: () => `event: error\ndata: ${Refusal.inStream}\n\n`,
    routes: [
      { method: "POST", path: "/openai/v1/chat/completions", metered: true, answer: Chat.answer(dialect(models)) },
      { method: "POST", path: "/openai/v1/embeddings", metered: true, answer: Embeddings.answer(models, false) },
      {
        method: "POST",
        path: "/openai/v1/audio/transcriptions",
        metered: true,
        raw: true,
        answer: Transcription.answer(requestId)
      },
      {
        method: "GET",
        path: "/openai/v1/models",
        answer: () => Either.right(Wire.free({ object: "list", data: listed.map(described) }))
      },
      {
        method: "GET",
        path: "/openai/v1/models/*",
        answer: ({ rest }) => {
          const found = Wire.find(listed, rest)
          return found === undefined
            ? Either.left(Wire.Failure.NoModel({ model: rest }))
            : Either.right(Wire.free(described(found)))
        }
      }
    ]
  }
}

const catalogue = [
  Models.make("llama-3.3-70b-versatile", { owner: "Meta", created: 1_733_447_754, context: 131_072 }),
  Models.make("llama-3.1-8b-instant", { owner: "Meta", created: 1_693_721_698, context: 131_072 }),
  Models.make("openai/gpt-oss-120b", { kind: "reasoning", owner: "OpenAI", created: 1_754_408_224, context: 131_072 }),
  Models.make("openai/gpt-oss-20b", { kind: "reasoning", owner: "OpenAI", created: 1_754_407_957, context: 131_072 }),
  Models.make("nomic-embed-text-v1_5", { owner: "Nomic", created: 1_712_016_000, context: 8192, dimensions: 768 })
]

const described = ({ context, created, id, owner }: Models.Model) => ({
  id,
  object: "model",
  created,
  owned_by: owner,
  active: true,
  context_window: context,
  public_apps: null,
  max_completion_tokens: Math.min(context, 32_768)
})

const requestId = (id: number): string =>
  `req_${Seed.identifier(Seed.at(id, 1), 26, "0123456789abcdefghjkmnpqrstvwxyz")}`

const seedOf = (id: number): number => Seed.at(id, 2) >>> 1

const dialect = (models: ReadonlyArray<Models.Model>): Chat.Dialect => ({
  models,
  fields,
  rules,
  completionId: (id) => `chatcmpl-${uuid(id)}`,
  toolCallId: (id) => Seed.identifier(id, 9, "0123456789abcdefghijklmnopqrstuvwxyz"),
  reasoningIn: (request) =>
    request["reasoning_format"] === "hidden" || request["include_reasoning"] === false
      ? "nowhere"
      : request["reasoning_format"] === "raw"
        ? "text"
        : "field",
  members: () => ({ system_fingerprint: "fp_5117a7e512" }),
  wholeMembers: ({ id }) => ({
    usage_breakdown: null,
    service_tier: "on_demand",
    x_groq: { id: requestId(id), seed: seedOf(id) }
  }),
  messageMembers: {},
  firstDeltaMembers: {},
  noText: undefined,
  usage: ({ input, output, reasoning }, { latencyMillis, tokenDelayMillis }) => {
    // Something always takes some time, also where the simulator takes none.
    const queued = Math.max(1, latencyMillis) / 1000
    const prompted = input * 4e-5
    const completed = (output * Math.max(2, tokenDelayMillis)) / 1000
    return {
      queue_time: queued,
      prompt_tokens: input,
      prompt_time: prompted,
      completion_tokens: output,
      completion_time: completed,
      total_tokens: input + output,
      total_time: prompted + completed,
      ...(reasoning > 0 ? { completion_tokens_details: { reasoning_tokens: reasoning } } : {})
    }
  },
  firstMembers: ({ id }) => ({ x_groq: { id: requestId(id), seed: seedOf(id) } }),
  lastMembers: ({ id }, usage) => ({ x_groq: { id: requestId(id), usage }, usage }),
  wholeToolCalls: true,
  padded: false
})

const uuid = (id: number): string => {
  const digits = Seed.identifier(id, 32, Seed.hexadecimal)
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    `4${digits.slice(13, 16)}`,
    `8${digits.slice(17, 20)}`,
    digits.slice(20)
  ].join("-")
}

const fields = Fields.object({
  ...Request.common,
  messages: Request.messages(
    { image_url: Request.imagePart, document: Fields.object({ type: Fields.any, document: Fields.record }) },
    { reasoning: Fields.nullish(Fields.string()) }
  ),
  n: Fields.nullish(Fields.integer({ min: 1, max: 1 })),
  reasoning_effort: Fields.nullish(Fields.oneOf("none", "default", "low", "medium", "high")),
  reasoning_format: Fields.nullish(Fields.oneOf("hidden", "raw", "parsed")),
  include_reasoning: Fields.nullish(Fields.boolean),
  service_tier: Fields.nullish(Fields.oneOf("auto", "on_demand", "flex", "performance")),
  citation_options: Fields.nullish(Fields.any),
  compound_custom: Fields.nullish(Fields.record),
  disable_tool_validation: Fields.nullish(Fields.boolean),
  documents: Fields.nullish(Fields.array(Fields.record)),
  search_settings: Fields.nullish(Fields.record),
  exclude_domains: Fields.nullish(Fields.array(Fields.string())),
  include_domains: Fields.nullish(Fields.array(Fields.string())),
  function_call: Fields.nullish(Fields.any),
  functions: Fields.nullish(Fields.array(Fields.record))
})

const rules = (request: Fields.Json, model: Models.Model): Wire.Failure | undefined => {
  const rejected = (message: string) => Wire.Failure.Rejected({ message })
  if (request["reasoning_format"] !== undefined && request["include_reasoning"] !== undefined) {
    return rejected("`include_reasoning` and `reasoning_format` cannot be used together")
  }
  if (typeof request["reasoning_effort"] === "string" && model.kind !== "reasoning") {
    return rejected("`reasoning_effort` is not supported with this model")
  }
  const choice = request["tool_choice"]
  const offered = Request.tools(request)
  if (choice !== undefined && choice !== null && choice !== "none" && choice !== "auto" && offered.length === 0) {
    return rejected("Tool choice requires tools")
  }
  const named =
    Fields.isJson(choice) && Fields.isJson(choice["function"]) ? Fields.stringOf(choice["function"]["name"]) : undefined
  return named === undefined || offered.some((tool) => tool.name === named)
    ? undefined
    : rejected(`Tool choice is ${named}, but no such tool was given`)
}
