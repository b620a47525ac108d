/**
 * The fields of Ollama's requests, as a closed list.
 *
 * Every field that the API documents is here, and those besides that its server takes: what can be honoured with what
 * it must be, what only says how a server of one's own shall work (`num_gpu`, `use_mmap` …) as taken and without effect,
 * and the rest as refused. What is not here is no field of the API, and is refused too.
 *
 * @see https://docs.ollama.com/api/chat
 * @see https://docs.ollama.com/modelfile#valid-parameters-and-values
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as Fields from "./Fields.js"
import * as Values from "./Values.js"

// -----------------------------------------------------------------------------
// options
// -----------------------------------------------------------------------------

const withoutEffect = Fields.optional(Schema.Unknown)

const Options = Schema.Struct({
  temperature: Fields.optional(Values.between(0, 2)),
  top_p: Fields.optional(Values.between(0, 1)),
  top_k: Fields.optional(Values.whole(0)),
  seed: Fields.optional(Values.seed),
  stop: Fields.optional(Values.stop),
  num_predict: Fields.optional(
    Values.whole(-2).pipe(
      Schema.filter((n) => n !== 0),
      Fields.saying("must be a whole number of at least 1, or -1 or -2 for no bound")
    )
  ),
  presence_penalty: Fields.optional(Values.between(-2, 2)),
  frequency_penalty: Fields.optional(Values.between(-2, 2)),
  num_ctx: Fields.optional(Values.whole(1)),
  // these draw tokens in ways that other backends have no word for
  min_p: Fields.only(0),
  typical_p: Fields.only(1),
  tfs_z: Fields.only(1),
  mirostat: Fields.only(0),
  repeat_penalty: Fields.only(1),
  // these say how those above do it
  mirostat_eta: withoutEffect,
  mirostat_tau: withoutEffect,
  penalize_newline: withoutEffect,
  repeat_last_n: withoutEffect,
  // and these how a server of one's own shall work
  draft_num_predict: withoutEffect,
  embedding_only: withoutEffect,
  f16_kv: withoutEffect,
  logits_all: withoutEffect,
  low_vram: withoutEffect,
  main_gpu: withoutEffect,
  num_batch: withoutEffect,
  num_gpu: withoutEffect,
  num_keep: withoutEffect,
  num_thread: withoutEffect,
  numa: withoutEffect,
  use_mlock: withoutEffect,
  use_mmap: withoutEffect,
  vocab_only: withoutEffect
})

const KeepAlive = Fields.optional(
  Schema.Union(Schema.String, Schema.Number).pipe(Fields.saying("must be a number of seconds, or a text such as \"5m\""))
)

// -----------------------------------------------------------------------------
// messages
// -----------------------------------------------------------------------------

const mediaTypes: ReadonlyArray<readonly [begins: string, mediaType: string]> = [
  ["iVBORw0KGgo", "image/png"],
  ["/9j/", "image/jpeg"],
  ["R0lGOD", "image/gif"],
  ["UklGR", "image/webp"]
]

/**
 * What kind of picture it is, which base64 shows by how it begins.
 *
 * @since 0.1.0
 * @category values
 */
export const mediaTypeOf = (base64: string): string | undefined =>
  mediaTypes.find(([begins]) => base64.startsWith(begins))?.[1]

const Images = Fields.optional(
  Values.list(
    Schema.String.pipe(
      Schema.filter((image) => mediaTypeOf(image) !== undefined && /^[\w+/=-]+$/.test(image)),
      Fields.saying("must be a PNG, JPEG, GIF or WebP image in base64")
    ),
    0,
    256
  )
)

const NoImages = Fields.optional(
  Values.list(Schema.Unknown, 0, 0).pipe(Fields.saying("are not supported by this gateway, but in a user's message"))
)

const NoCalls = Fields.optional(
  Values.list(Schema.Unknown, 0, 0).pipe(Fields.saying("belong to a message of the assistant"))
)

const record = Schema.Record({ key: Schema.String, value: Schema.Unknown }).pipe(Fields.saying("must be an object"))

const ToolCall = Schema.Struct({
  id: Fields.optional(Schema.String),
  type: Fields.optional(Schema.Literal("function")),
  function: Schema.Struct({
    name: Schema.NonEmptyString,
    arguments: Fields.optional(record),
    index: Fields.optional(Schema.Number),
    description: Fields.optional(Schema.String)
  }),
  // a proof that some backends want back, given with our answers
  signature: Fields.optional(Schema.String)
})

const Thought = Schema.Struct({
  text: Schema.String,
  signature: Fields.optional(Schema.String),
  redacted: Fields.optional(Schema.String)
})

const Message = Schema.Union(
  Schema.Struct({ role: Schema.Literal("system"), content: Schema.String, images: NoImages, tool_calls: NoCalls }),
  Schema.Struct({
    role: Schema.Literal("user"),
    content: Fields.optional(Schema.String),
    images: Images,
    tool_calls: NoCalls
  }),
  Schema.Struct({
    role: Schema.Literal("assistant"),
    content: Fields.optional(Schema.String),
    images: NoImages,
    thinking: Fields.optional(Schema.String),
    // what proves the thinking, given with our answers
    thoughts: Fields.optional(Values.list(Thought, 0, 256)),
    tool_calls: Fields.optional(Values.list(ToolCall, 0, 256))
  }),
  Schema.Struct({
    role: Schema.Literal("tool"),
    content: Schema.String,
    images: NoImages,
    tool_name: Fields.optional(Schema.NonEmptyString),
    name: Fields.optional(Schema.NonEmptyString),
    tool_call_id: Fields.optional(Schema.NonEmptyString),
    tool_calls: NoCalls
  })
)

const FunctionTool = Schema.Struct({
  type: Schema.Literal("function").pipe(Fields.saying("must be \"function\"")),
  function: Schema.Struct({
    name: Values.toolName,
    description: Fields.optional(Schema.String),
    parameters: Fields.optional(Values.jsonSchema)
  })
})

// -----------------------------------------------------------------------------
// requests
// -----------------------------------------------------------------------------

const common = {
  model: Values.model,
  stream: Fields.optional(Schema.Boolean),
  format: Fields.optional(
    Schema.Union(Schema.Literal("", "json"), Values.jsonSchema).pipe(
      Fields.saying("must be \"json\", or a JSON Schema, which is an object")
    )
  ),
  options: Fields.optional(Options),
  think: Fields.optional(
    Schema.Union(Schema.Boolean, Schema.Literal("low", "medium", "high", "max")).pipe(
      Fields.saying("must be a boolean, or one of \"low\", \"medium\", \"high\", \"max\"")
    )
  ),
  keep_alive: KeepAlive,
  logprobs: Fields.only(false),
  top_logprobs: Fields.only(0),
  // whether a prompt that is too long is cut is the backend's business
  truncate: withoutEffect,
  shift: withoutEffect
}

/**
 * A request for the next message of a chat.
 *
 * @since 0.1.0
 * @category requests
 */
export const ChatRequest = Schema.Struct({
  ...common,
  messages: Fields.optional(Values.list(Message, 0, 2048)),
  tools: Fields.optional(Values.list(FunctionTool, 0, 256))
})

/**
 * A request for a text that goes on from a prompt.
 *
 * @since 0.1.0
 * @category requests
 */
export const GenerateRequest = Schema.Struct({
  ...common,
  prompt: Fields.optional(Schema.String),
  system: Fields.optional(Schema.String),
  images: Images,
  raw: Fields.only(false),
  suffix: Fields.only(""),
  template: Fields.only(""),
  context: Fields.optional(
    Values.list(Schema.Unknown, 0, 0).pipe(Fields.saying("is not supported by this gateway: send a chat"))
  )
})

/**
 * A request for the vectors of texts.
 *
 * @since 0.1.0
 * @category requests
 */
export const EmbedRequest = Schema.Struct({
  model: Values.model,
  input: Schema.Union(Schema.String, Values.list(Schema.String, 1, 2048)).pipe(
    Fields.saying("must be a text, or a list of 1 to 2048")
  ),
  dimensions: Fields.optional(Values.whole(1)),
  truncate: Fields.optional(Schema.Boolean),
  keep_alive: KeepAlive,
  options: Fields.optional(Options)
})

/**
 * A request for the vector of one text, as older clients make it.
 *
 * @since 0.1.0
 * @category requests
 */
export const EmbeddingsRequest = Schema.Struct({
  model: Values.model,
  prompt: Schema.String,
  keep_alive: KeepAlive,
  options: Fields.optional(Options)
})

/**
 * A request for what there is to know of a model; older clients say `name`.
 *
 * @since 0.1.0
 * @category requests
 */
export const ShowRequest = Schema.Struct({
  model: Fields.optional(Values.model),
  name: Fields.optional(Values.model),
  verbose: withoutEffect
})

/**
 * What both requests for text have.
 *
 * @since 0.1.0
 * @category models
 */
export type Common = Omit<typeof ChatRequest.Type, "messages" | "tools">

/**
 * One message of a chat.
 *
 * @since 0.1.0
 * @category models
 */
export type Message = typeof Message.Type
