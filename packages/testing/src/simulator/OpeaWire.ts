/**
 * OPEA's megaservices and component services, all at one address. No key, no limits. Megaservices stream unless it is
 * refused, each in the events of what stands last in its graph, and answer what they do not understand with a bare 500.
 *
 * @see https://github.com/opea-project/GenAIExamples
 * @see https://github.com/opea-project/GenAIComps
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Fields from "./Fields.js"
import * as Models from "./Models.js"
import * as Chat from "./OpenAiChat.js"
import * as Embeddings from "./OpenAiEmbeddings.js"
import * as Request from "./OpenAiRequest.js"
import * as OpenAi from "./OpenAiWire.js"
import * as Documents from "./OpeaDocuments.js"
import * as Reply from "./Reply.js"
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
  const documents: Documents.Documents = new Map()
  const post = (path: string, answer: Wire.Route["answer"]): Wire.Route => ({ method: "POST", path, answer })
  return {
    name: "opea",
    baseUrl: "/opea",
    variables: { baseUrl: "OPEA_BASE_URL" },
    keyed: false,
    daily: false,
    demandsJson: false,
    retryAfter: "seconds",
    credential: OpenAi.bearer,
    headers: () => ({}),
    refuse,
    // A generator that raises ends the answer where it stands.
    streamError: () => "",
    routes: [
      {
        method: "GET",
        path: "/v1/health_check",
        answer: () =>
          Either.right(
            Wire.free({ "Service Title": "simulator", Version: "1.5", "Service Description": "OPEA Microservice" })
          )
      },
      { method: "GET", path: "/health", answer: () => Either.right(Wire.free("")) },
      ...megaservices.map((mega) => post(mega.path, asked(mega))),
      // the one model behind it answers, whichever is named
      post("/v1/chat/completions", (call) => Chat.answer(dialect(models))({ ...call, body: talk(call.body) })),
      post("/v1/embeddings", (call) => Embeddings.answer(models, true)({ ...call, body: known(call.body) })),
      post("/v1/reranking", Documents.rerank),
      post("/v1/retrieval", Documents.retrieve(documents)),
      { ...post("/v1/dataprep/ingest", Documents.ingest(documents)), raw: true },
      post("/v1/dataprep/get", Documents.list(documents)),
      post("/v1/dataprep/delete", Documents.remove(documents))
    ]
  }
}

const llm = Models.make("meta-llama/Meta-Llama-3-8B-Instruct", { owner: "meta-llama", context: 8192 })

const embedder = Models.make("BAAI/bge-base-en-v1.5", { kind: "embedding", owner: "BAAI", context: 512, dimensions: 768 })

const catalogue = [llm, embedder]

const known = (body: unknown): unknown =>
  Fields.isJson(body) && Fields.stringOf(body["model"]) === "" ? { ...body, model: embedder.id } : body

// Messages may be one text, a model need not be named, and tools are not called unless one is chosen.
const talk = (body: unknown): unknown =>
  Fields.isJson(body)
    ? {
        ...body,
        model: Fields.stringOf(body["model"]) === "" ? llm.id : body["model"],
        tool_choice: body["tool_choice"] ?? "none",
        messages:
          typeof body["messages"] === "string" ? [{ role: "user", content: body["messages"] }] : body["messages"]
      }
    : body

// -----------------------------------------------------------------------------
// megaservices
// -----------------------------------------------------------------------------

interface Mega {
  readonly path: string
  readonly name: string
  /** What its events are: literals of Python's, chunks of OpenAI's chat or completions, operations on a log. */
  readonly events: (token: string, call: Wire.Call) => string
  /** The field of the text, for one that translates. */
  readonly field?: string
  /** Whether it streams if it is not told. */
  readonly streams: "unless refused" | "if asked" | "always"
  readonly document?: true
}

const data = (content: unknown): string => `data: ${JSON.stringify(content)}\n\n`

const literal = (token: string): string => `data: ${repr(token)}\n\n`

const chunk = (token: string, { id, now }: Wire.Call): string =>
  data({
    id: `chatcmpl-${Seed.identifier(id, 22)}`,
    object: "chat.completion.chunk",
    created: Math.floor(now / 1000),
    model: llm.id,
    choices: [{ index: 0, delta: { content: token }, finish_reason: null, logprobs: null }],
    usage: null
  })

const textChunk = (token: string, { now }: Wire.Call): string =>
  data({
    id: "",
    object: "text_completion",
    created: Math.floor(now / 1000),
    model: llm.id,
    choices: [{ index: 0, text: token, finish_reason: "", logprobs: null }]
  })

const logged = (token: string): string =>
  data({
    ops: [
      { op: "add", path: "/logs/VLLM/streamed_output_str/-", value: token },
      { op: "add", path: "/logs/VLLM/streamed_output/-", value: token }
    ]
  })

const megaservices: ReadonlyArray<Mega> = [
  { path: "/v1/chatqna", name: "chatqna", events: literal, streams: "unless refused" },
  { path: "/v1/codegen", name: "codegen", events: chunk, streams: "unless refused" },
  { path: "/v1/docsum", name: "docsum", events: logged, streams: "unless refused", document: true },
  { path: "/v1/translation", name: "translation", events: textChunk, streams: "always", field: "source_language" },
  { path: "/v1/codetrans", name: "codetrans", events: chunk, streams: "always", field: "source_code" },
  { path: "/v1/searchqna", name: "searchqna", events: literal, streams: "unless refused" },
  { path: "/v1/faqgen", name: "faqgen", events: logged, streams: "if asked" },
  { path: "/v1/visualqna", name: "visualqna", events: literal, streams: "if asked" }
]

// As Python writes bytes: in single quotes, unless only these stand in them.
const repr = (text: string): string => {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'"
  const shown = Array.from(encoder.encode(text), (byte) => {
    const character = String.fromCharCode(byte)
    if (character === "\\" || character === quote) return `\\${character}`
    const short = { "\n": "\\n", "\r": "\\r", "\t": "\\t" }[character]
    return short ?? (byte >= 32 && byte < 127 ? character : `\\x${byte.toString(16).padStart(2, "0")}`)
  })
  return `b${quote}${shown.join("")}${quote}`
}

const encoder = new TextEncoder()

const message = Fields.object({ role: Fields.string(), content: Fields.any }, { open: true })

const request = Fields.object(
  {
    messages: Fields.either(Fields.string(), Fields.array(message)),
    model: Fields.nullish(Fields.string()),
    stream: Fields.nullish(Fields.boolean),
    max_tokens: Fields.nullish(Fields.integer({ min: 1 })),
    temperature: Fields.nullish(Fields.number({ min: 0 })),
    top_p: Fields.nullish(Fields.number({ min: 0 })),
    top_k: Fields.nullish(Fields.integer({ min: 1 })),
    top_n: Fields.optional(Fields.integer({ min: 1 })),
    k: Fields.optional(Fields.integer({ min: 1 })),
    stop: Fields.nullish(Fields.either(Fields.string(), Fields.array(Fields.string())))
  },
  { open: true }
)

const roles: { readonly [role: string]: "system" | "user" | "assistant" } = {
  system: "system",
  user: "user",
  assistant: "assistant"
}

// Whatever is wrong is an exception in its handler, and that a 500 of no words.
const asked =
  (mega: Mega) =>
  (call: Wire.Call): Either.Either<Wire.Answer, Wire.Failure> => {
    const body: Fields.Json = Fields.isJson(call.body) ? call.body : {}
    const turns = mega.field === undefined ? conversed(body, mega) : translated(body, mega.field)
    if (turns === undefined) return Either.left(Wire.Failure.ServerError())
    const streams =
      mega.streams === "always" || (mega.streams === "unless refused" ? body["stream"] !== false : body["stream"] === true)
    const reply = Reply.to({
      model: llm.id,
      turns,
      tools: [],
      choice: "none",
      parallel: false,
      format: "text",
      reasoning: false,
      maxTokens: typeof body["max_tokens"] === "number" ? body["max_tokens"] : 1024,
      stop: [],
      length: call.answerTokens,
      variant: 0
    })
    // The model behind it refuses, and nobody says so.
    const refused = reply.usage.input > llm.context
    if (refused && !streams) return Either.left(Wire.Failure.ServerError())
    return Either.right({
      input: reply.usage.input,
      output: refused ? 0 : reply.usage.output,
      render: () =>
        streams
          ? {
              _tag: "Frames",
              contentType: "text/event-stream; charset=utf-8",
              opening: "",
              tokens: refused ? [] : reply.text.map((token) => mega.events(token, call)),
              closing: "data: [DONE]\n\n"
            }
          : Wire.json(whole(mega, call, reply.text.join("")))
    })
  }

const whole = ({ name }: Mega, { id, now }: Wire.Call, text: string): unknown =>
  name === "faqgen"
    ? { id: Seed.identifier(id, 32, Seed.hexadecimal), text, prompt: "" }
    : {
        id: `chatcmpl-${Seed.identifier(id, 22)}`,
        object: "chat.completion",
        created: Math.floor(now / 1000),
        model: name,
        choices: [{ index: 0, message: { role: "assistant", content: text }, finish_reason: "stop", metadata: null }],
        usage: { prompt_tokens: 0, total_tokens: 0, completion_tokens: 0 }
      }

const conversed = (body: Fields.Json, { document, name }: Mega): ReadonlyArray<Reply.Turn> | undefined => {
  if (request(body) !== undefined || (document === true && typeof body["type"] !== "string")) return undefined
  if (typeof body["messages"] === "string") return [{ role: "user", text: body["messages"], shown: [] }]
  const turns: Array<Reply.Turn> = []
  for (const { content, role } of Fields.objects(body["messages"])) {
    const as = roles[Fields.stringOf(role)]
    if (as === undefined) return undefined
    const parts = Fields.objects(content)
    const shown = parts.filter((part) => part["type"] === "image_url").map(() => "an image")
    if (shown.length > 0 && name !== "visualqna") return undefined
    const text = typeof content === "string" ? content : parts.map((part) => Fields.stringOf(part["text"])).join("\n")
    turns.push({ role: as, text, shown })
  }
  return turns
}

const translated = (body: Fields.Json, field: string): ReadonlyArray<Reply.Turn> | undefined => {
  const text = body[field]
  return typeof text === "string" && typeof body["language_from"] === "string" && typeof body["language_to"] === "string"
    ? [{ role: "user", text, shown: [] }]
    : undefined
}

// -----------------------------------------------------------------------------
// the model's own service
// -----------------------------------------------------------------------------

const dialect = (models: ReadonlyArray<Models.Model>): Chat.Dialect => ({
  models,
  fields: Fields.object(
    {
      ...Request.common,
      messages: Request.messages({ image_url: Request.imagePart }, { content: Fields.optional(Fields.string()) }),
      tool_choice: Fields.nullish(Fields.either(Fields.oneOf("none"), Fields.record))
    },
    { open: true }
  ),
  rules: () => undefined,
  completionId: (id) => `chatcmpl-${Seed.identifier(id, 32, Seed.hexadecimal)}`,
  toolCallId: (id) => `chatcmpl-tool-${Seed.identifier(id, 32, Seed.hexadecimal)}`,
  reasoningIn: () => "nowhere",
  members: () => ({}),
  wholeMembers: () => ({}),
  messageMembers: {},
  firstDeltaMembers: {},
  noText: null,
  usage: ({ input, output }) => ({
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output
  }),
  firstMembers: () => ({}),
  lastMembers: () => ({}),
  wholeToolCalls: false,
  padded: false
})

// -----------------------------------------------------------------------------
// refusals
// -----------------------------------------------------------------------------

const refusal = (status: number, detail: unknown): Wire.Refusal => ({ status, content: JSON.stringify({ detail }) })

const broken: Wire.Refusal = { status: 500, content: "Internal Server Error", contentType: "text/plain; charset=utf-8" }

const isMega = (path: string): boolean => megaservices.some((mega) => mega.path === path)

const refuse: Wire.Wire["refuse"] = {
  NoRoute: () => refusal(404, "Not Found"),
  WrongMethod: () => refusal(405, "Method Not Allowed"),
  NoKey: () => refusal(401, "Unauthorized"),
  UnknownKey: () => refusal(401, "Unauthorized"),
  KeyExhausted: () => refusal(429, "Too Many Requests"),
  NotJson: ({ reason }, { path }) =>
    isMega(path)
      ? broken
      : refusal(422, [{ type: "json_invalid", loc: ["body", 0], msg: "JSON decode error", ctx: { error: reason } }]),
  WrongContentType: () => broken,
  BodyTooLarge: () => refusal(413, "Request Entity Too Large"),
  Invalid: ({ violation: { expected, got, path, problem } }) =>
    refusal(422, [
      {
        type: problem === "Missing" ? "missing" : "value_error",
        loc: ["body", ...path],
        msg: problem === "Missing" ? "Field required" : `Input should be a valid ${expected[0] ?? "value"}`,
        input: got ?? null
      }
    ]),
  Rejected: ({ message, status = 400 }) => refusal(status, message),
  // The server behind it does not know the model; its client raises.
  NoModel: () => broken,
  RateLimited: () => ({ ...refusal(429, "Too Many Requests"), waits: true }),
  TooManyTokens: () => broken,
  ServerError: () => broken,
  Overloaded: () => refusal(503, "Service Unavailable")
}
