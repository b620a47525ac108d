/**
 * Gemini's own API: answers whole and in events that end in CRLF and without an end marker, embeddings, counts of
 * tokens, cached contents, and models page by page.
 *
 * @see https://ai.google.dev/api
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Fields from "./Fields.js"
import * as Cache from "./GeminiCache.js"
import * as Chat from "./GeminiChat.js"
import * as Conversation from "./GeminiConversation.js"
import * as Refusal from "./GeminiRefusal.js"
import * as Request from "./GeminiRequest.js"
import * as Rules from "./GeminiRules.js"
import * as Models from "./Models.js"
import * as Reply from "./Reply.js"
import * as Tokens from "./Tokens.js"
import * as Vector from "./Vector.js"
import * as Wire from "./Wire.js"

type Answer = Either.Either<Wire.Answer, Wire.Failure>

/**
 * The wire, with `further` models besides its own.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (further: ReadonlyArray<string>): Wire.Wire => {
  const models = [...catalogue, ...Models.simulated(further).map(thinking)]
  const caches: Cache.Caches = new Map()
  const find = (name: string) => Wire.find(models, name)
  return {
    name: "gemini",
    baseUrl: "/gemini",
    variables: { baseUrl: "GEMINI_BASE_URL", key: "GEMINI_API_KEY" },
    keyed: true,
    daily: false,
    demandsJson: false,
    // said in the body, in no header
    retryAfter: "seconds",
    credential: (headers) => headers["x-goog-api-key"],
    headers: ({ elapsedMillis }) => ({
      vary: "Origin, X-Origin, Referer",
      "server-timing": `gfet4t7; dur=${Math.round(elapsedMillis)}`,
      "x-content-type-options": "nosniff"
    }),
    refuse: Refusal.refuse,
    streamError: () => Refusal.content(503, "UNAVAILABLE", "The model is overloaded. Please try again later.", []),
    routes: [
      { method: "GET", path: "/v1beta/models", answer: ({ query }) => page(models, query) },
      {
        method: "GET",
        path: "/v1beta/models/*",
        answer: ({ rest }) => {
          const model = find(rest)
          return model === undefined ? noModel(rest) : Either.right(Wire.free(described(model)))
        }
      },
      {
        method: "POST",
        path: "/v1beta/models/*",
        metered: true,
        answer: (call) => {
          const { method, model: name } = Refusal.asked(`/models/${call.rest}`)
          const use = methods.get(method)
          if (use === undefined) return Either.left(Wire.Failure.NoRoute({ method: "POST", path: call.path }))
          const model = find(name)
          return model === undefined ? noModel(name) : use(model, call, caches)
        }
      },
      ...Cache.routes(caches, find)
    ]
  }
}

const catalogue = [
  Models.make("gemini-2.0-flash", { title: "Gemini 2.0 Flash", context: 1_048_576 }),
  Models.make("gemini-2.5-flash", { title: "Gemini 2.5 Flash", kind: "reasoning", context: 1_048_576 }),
  Models.make("gemini-2.5-pro", { title: "Gemini 2.5 Pro", kind: "reasoning", context: 1_048_576 }),
  Models.make("gemini-3.6-flash", { title: "Gemini 3.6 Flash", kind: "reasoning", context: 1_048_576 }),
  Models.make("gemini-flash-lite-latest", {
    title: "Gemini Flash-Lite Latest",
    kind: "reasoning",
    snapshot: "gemini-3.1-flash-lite",
    context: 1_048_576
  }),
  Models.make("gemini-embedding-001", { title: "Gemini Embedding 001", context: 2048, dimensions: 3072 })
]

// From 2.5 on they all think.
const thinking = (model: Models.Model): Models.Model =>
  model.kind === "chat" && (model.id.startsWith("gemini-2.5") || Rules.isNew(model))
    ? { ...model, kind: "reasoning" }
    : model

const noModel = (model: string): Answer => Either.left(Wire.Failure.NoModel({ model }))

const rejected = (message: string): Answer => Either.left(Wire.Failure.Rejected({ message }))

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

const abilities: { readonly [K in Models.Model["kind"]]: ReadonlyArray<string> } = {
  chat: ["generateContent", "countTokens", "createCachedContent", "batchGenerateContent"],
  reasoning: ["generateContent", "countTokens", "createCachedContent", "batchGenerateContent"],
  embedding: ["embedContent", "countTextTokens", "countTokens", "asyncBatchEmbedContent"]
}

const described = ({ context, id, kind, snapshot, title }: Models.Model) => ({
  name: `models/${id}`,
  version: snapshot,
  displayName: title,
  inputTokenLimit: context,
  outputTokenLimit: kind === "embedding" ? 1 : 65_536,
  supportedGenerationMethods: abilities[kind],
  ...(kind === "reasoning" ? { thinking: true } : {})
})

const page = (models: ReadonlyArray<Models.Model>, query: URLSearchParams): Answer => {
  const size = Math.min(1000, Math.max(1, Number(query.get("pageSize") ?? 50) || 50))
  const start = Number(query.get("pageToken")?.replace(/^page-/, "") ?? 0)
  if (!Number.isInteger(start)) return rejected("* ListModelsRequest.page_token: the page token is invalid.\n")
  const next = start + size
  return Either.right(
    Wire.free({
      models: models.slice(start, next).map(described),
      ...(next < models.length ? { nextPageToken: `page-${next}` } : {})
    })
  )
}

// -----------------------------------------------------------------------------
// methods
// -----------------------------------------------------------------------------

type Use = (model: Models.Model, call: Wire.Call, caches: Cache.Caches) => Answer

const bodyOf = ({ body }: Wire.Call): Fields.Json => {
  const named = Request.camel(body)
  return Fields.isJson(named) ? named : {}
}

const checked = (check: Fields.Check, body: Fields.Json, then: () => Answer): Answer => {
  const violation = check(body)
  return violation === undefined ? then() : Either.left(Wire.Failure.Invalid({ violation, body }))
}

const generate =
  (stream: boolean): Use =>
  (model, call, caches) => {
    const body = bodyOf(call)
    return checked(Request.requests.generateContent, body, () => {
      if (model.kind === "embedding") return noModel(model.id)
      const name = body["cachedContent"]
      const cached = typeof name === "string" ? Cache.find(caches, name, call.now) : undefined
      if (typeof name === "string") {
        if (cached === undefined) return Either.left(Cache.absent)
        if (cached.model !== model) {
          return rejected(
            `Model used by GenerateContent request (models/${model.id}) and CachedContent (models/${cached.model.id}) has to be the same.`
          )
        }
        if (["systemInstruction", "tools", "toolConfig"].some((field) => body[field] !== undefined)) {
          return rejected(
            "CachedContent can not be used with GenerateContent request setting system_instruction, tools or tool_config."
          )
        }
      }
      const rule = Rules.broken(body, model, call.seed)
      return rule === undefined ? Either.right(Chat.answer(body, model, cached, stream, call)) : rejected(rule)
    })
  }

const countTokens: Use = (model, call) => {
  const body = bodyOf(call)
  return checked(Request.requests.countTokens, body, () => {
    const whole = body["generateContentRequest"]
    if (whole !== undefined && body["contents"] !== undefined) {
      return rejected("* CountTokensRequest: only one of contents and generate_content_request may be set.\n")
    }
    const said = Fields.isJson(whole) ? whole : body
    const rule = Rules.broken(said, model, call.seed)
    if (rule !== undefined) return rejected(rule)
    const totalTokens = Reply.input(Conversation.from(said, model, undefined, 1))
    return Either.right(
      Wire.free({ totalTokens, promptTokensDetails: [{ modality: "TEXT", tokenCount: totalTokens }] })
    )
  })
}

// How many texts one batch may hold.
const mostTexts = 100

const batchEmbedContents: Use = (model, call) => {
  const body = bodyOf(call)
  return checked(Request.requests.batchEmbedContents, body, () => {
    const requests = Fields.objects(body["requests"])
    if (requests.length === 0) return rejected("* BatchEmbedContentsRequest.requests: requests is not specified\n")
    if (requests.length > mostTexts) {
      return rejected(`* BatchEmbedContentsRequest.requests: at most ${mostTexts} requests can be in one batch\n`)
    }
    const stranger = requests.findIndex((one) => one["model"] !== `models/${model.id}`)
    if (stranger >= 0) {
      return rejected(`* BatchEmbedContentsRequest.requests[${stranger}].model: model must match the model of the batch\n`)
    }
    return embedded(model, requests, (vectors) => `{"embeddings":[${vectors.map(valued).join(",")}]}`)
  })
}

const embedContent: Use = (model, call) => {
  const body = bodyOf(call)
  return checked(Request.requests.embedContent, body, () =>
    embedded(model, [body], ([vector = ""]) => `{"embedding":${valued(vector)}}`)
  )
}

const valued = (vector: string): string => `{"values":${vector}}`

const embedded = (
  model: Models.Model,
  requests: ReadonlyArray<Fields.Json>,
  write: (vectors: ReadonlyArray<string>) => string
): Answer => {
  if (model.kind !== "embedding") return noModel(model.id)
  const texts = requests.map((one) =>
    Rules.parts(one["content"])
      .map((part) => Fields.stringOf(part["text"]) || JSON.stringify(part["inlineData"] ?? ""))
      .join("\n")
  )
  const empty = requests.findIndex((one) =>
    [[], ...Rules.parts(one["content"])].every((part) => Array.isArray(part) || part["text"] === "")
  )
  if (empty >= 0) return rejected(`* EmbedContentRequest.content: content contains an empty Part.\n`)
  return Either.right({
    input: texts.reduce((sum, text) => sum + Math.max(1, Tokens.estimate(text.length)), 0),
    output: 0,
    render: () =>
      Wire.json(
        write(
          texts.map((text, index) => {
            const wanted = requests[index]?.["outputDimensionality"]
            const dimensions = typeof wanted === "number" && wanted > 0 ? wanted : model.dimensions
            return Vector.toJson(Vector.of(text, Math.min(dimensions, model.dimensions)))
          })
        ),
        "application/json; charset=UTF-8"
      )
  })
}

const methods: ReadonlyMap<string, Use> = new Map(Object.entries<Use>({
  generateContent: generate(false),
  streamGenerateContent: generate(true),
  countTokens,
  embedContent,
  batchEmbedContents
}))
