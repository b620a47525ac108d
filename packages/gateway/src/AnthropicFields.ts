/**
 * The fields of Anthropic's requests, as a closed list.
 *
 * Every field that the API documents is here: those that can be honoured with what they must be, and the others as
 * refused. What is not here is no field of the API, and is refused too.
 *
 * @see https://platform.claude.com/docs/en/api/messages/create
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as Fields from "./Fields.js"
import * as Values from "./Values.js"

// -----------------------------------------------------------------------------
// blocks
// -----------------------------------------------------------------------------

const CacheControl = Fields.optional(
  Schema.Struct({
    type: Schema.Literal("ephemeral").pipe(Fields.saying("must be \"ephemeral\"")),
    ttl: Fields.optional(Schema.Literal("5m", "1h"))
  })
)

const nothing = Fields.optional(
  Values.list(Schema.Unknown, 0, 0).pipe(Fields.saying("is not supported by this gateway"))
)

const TextBlock = Schema.Struct({
  type: Schema.Literal("text"),
  text: Schema.String,
  cache_control: CacheControl,
  // an answer carries none, and a client sends back what it received
  citations: nothing
})

const Base64 = Schema.String.pipe(Schema.pattern(/^[\w+/=-]+$/), Fields.saying("must be base64"))

const Address = Schema.String.pipe(Schema.pattern(/^https?:\/\/\S+$/i), Fields.saying("must be an http(s) URL"))

const UrlSource = Schema.Struct({ type: Schema.Literal("url"), url: Address })

const ImageBlock = Schema.Struct({
  type: Schema.Literal("image"),
  source: Schema.Union(
    Schema.Struct({
      type: Schema.Literal("base64"),
      media_type: Schema.Literal("image/jpeg", "image/png", "image/gif", "image/webp"),
      data: Base64
    }),
    UrlSource
  ),
  cache_control: CacheControl,
  transformations: Fields.unsupported
})

const DocumentBlock = Schema.Struct({
  type: Schema.Literal("document"),
  source: Schema.Union(
    Schema.Struct({
      type: Schema.Literal("base64"),
      media_type: Schema.Literal("application/pdf").pipe(Fields.saying("must be \"application/pdf\"")),
      data: Base64
    }),
    Schema.Struct({
      type: Schema.Literal("text"),
      media_type: Schema.Literal("text/plain").pipe(Fields.saying("must be \"text/plain\"")),
      data: Schema.String
    }),
    Schema.Struct({
      type: Schema.Literal("content"),
      content: Schema.Union(Schema.String, Values.list(Schema.Union(TextBlock, ImageBlock), 1, 2048)).pipe(
        Fields.saying("must be a string, or a list of text and image blocks")
      )
    }),
    UrlSource
  ),
  title: Fields.optional(Schema.String),
  cache_control: CacheControl,
  citations: Fields.optional(Schema.Struct({ enabled: Fields.only(false) })),
  context: Fields.unsupported
})

const ThinkingBlock = Schema.Struct({
  type: Schema.Literal("thinking"),
  thinking: Schema.String,
  signature: Schema.String
})

// A proof that some backends want back, other than Anthropic's, is given with what it proves, and taken back with it.
const signature = Fields.optional(Schema.String)

const RedactedThinkingBlock = Schema.Struct({
  type: Schema.Literal("redacted_thinking"),
  data: Schema.String,
  signature
})

const direct = Fields.optional(
  Schema.Struct({ type: Schema.Literal("direct").pipe(Fields.saying("must be \"direct\"")) })
)

const ToolUseBlock = Schema.Struct({
  type: Schema.Literal("tool_use"),
  id: Schema.NonEmptyString,
  name: Schema.NonEmptyString,
  input: Schema.Record({ key: Schema.String, value: Schema.Unknown }).pipe(Fields.saying("must be an object")),
  signature,
  cache_control: CacheControl,
  caller: direct,
  toolset_name: Fields.unsupported
})

const ToolResultBlock = Schema.Struct({
  type: Schema.Literal("tool_result"),
  tool_use_id: Schema.NonEmptyString,
  content: Fields.optional(
    Schema.Union(Schema.String, Values.list(Schema.Union(TextBlock, ImageBlock, DocumentBlock), 0, 2048)).pipe(
      Fields.saying("must be a string, or a list of text, image and document blocks")
    )
  ),
  is_error: Fields.optional(Schema.Boolean),
  cache_control: CacheControl,
  toolset_name: Fields.unsupported
})

// -----------------------------------------------------------------------------
// messages
// -----------------------------------------------------------------------------

const System = Schema.Union(Schema.String, Values.list(TextBlock, 0, 2048)).pipe(
  Fields.saying("must be a string, or a list of text blocks")
)

const Message = Schema.Union(
  Schema.Struct({ role: Schema.Literal("system"), content: System }),
  Schema.Struct({
    role: Schema.Literal("user"),
    content: Schema.Union(
      Schema.String,
      Values.list(Schema.Union(TextBlock, ImageBlock, DocumentBlock, ToolResultBlock), 1, 2048)
    ).pipe(Fields.saying("must be a string, or a list of 1 to 2048 blocks"))
  }),
  Schema.Struct({
    role: Schema.Literal("assistant"),
    content: Schema.Union(
      Schema.String,
      Values.list(Schema.Union(TextBlock, ThinkingBlock, RedactedThinkingBlock, ToolUseBlock), 0, 2048)
    ).pipe(Fields.saying("must be a string, or a list of at most 2048 blocks"))
  })
)

// -----------------------------------------------------------------------------
// tools
// -----------------------------------------------------------------------------

const ToolName = Schema.String.pipe(
  Schema.pattern(/^[a-zA-Z0-9_-]{1,128}$/),
  Fields.saying("must be a name of 1 to 128 letters, digits, _ and -")
)

const Tool = Schema.Struct({
  type: Fields.optional(
    Schema.Literal("custom").pipe(Fields.saying("must be \"custom\": tools that Anthropic runs are not supported"))
  ),
  name: ToolName,
  description: Fields.optional(Schema.String),
  input_schema: Values.jsonSchema,
  strict: Fields.optional(Schema.Boolean),
  cache_control: CacheControl,
  allowed_callers: Fields.optional(
    Schema.Array(Schema.Literal("direct")).pipe(
      Fields.saying("must be [\"direct\"]: nothing else is supported by this gateway")
    )
  ),
  defer_loading: Fields.only(false),
  // how finely the arguments are streamed is the backend's business
  eager_input_streaming: Fields.optional(Schema.Boolean),
  input_examples: nothing
})

const single = { disable_parallel_tool_use: Fields.optional(Schema.Boolean) }

const ToolChoice = Schema.Union(
  Schema.Struct({ type: Schema.Literal("auto"), ...single }),
  Schema.Struct({ type: Schema.Literal("any"), ...single }),
  Schema.Struct({ type: Schema.Literal("tool"), name: ToolName, ...single }),
  Schema.Struct({ type: Schema.Literal("none") })
)

// -----------------------------------------------------------------------------
// requests
// -----------------------------------------------------------------------------

const display = Fields.only("summarized")

const Thinking = Schema.Union(
  Schema.Struct({ type: Schema.Literal("enabled"), budget_tokens: Values.whole(1024), display }),
  Schema.Struct({ type: Schema.Literal("adaptive"), display }),
  Schema.Struct({ type: Schema.Literal("between_tools") }),
  Schema.Struct({ type: Schema.Literal("disabled") })
)

const OutputConfig = Schema.Struct({
  effort: Fields.optional(Schema.Literal("low", "medium", "high", "xhigh", "max")),
  format: Fields.optional(
    Schema.Struct({
      type: Schema.Literal("json_schema").pipe(Fields.saying("must be \"json_schema\"")),
      schema: Values.jsonSchema
    })
  )
})

const conversation = {
  model: Values.model,
  messages: Values.list(Message, 1, 2048),
  system: Fields.optional(System),
  tools: Fields.optional(Values.list(Tool, 0, 256)),
  tool_choice: Fields.optional(ToolChoice),
  thinking: Fields.optional(Thinking),
  output_config: Fields.optional(OutputConfig),
  cache_control: CacheControl,
  speed: Fields.only("standard"),
  user_profile_id: Fields.unsupported,
  workspace_id: Fields.unsupported,
  // of beta versions of the API
  thread: Fields.unsupported,
  fallbacks: nothing,
  context_management: Fields.unsupported,
  mcp_servers: nothing
}

/**
 * A request for a message.
 *
 * @since 0.1.0
 * @category requests
 */
export const MessageRequest = Schema.Struct({
  ...conversation,
  max_tokens: Values.whole(1),
  stop_sequences: Fields.optional(Values.list(Schema.NonEmptyString, 0, 16)),
  temperature: Fields.optional(Values.between(0, 1)),
  top_p: Fields.optional(Values.between(0, 1)),
  top_k: Fields.optional(Values.whole(1)),
  metadata: Fields.optional(Schema.Struct({ user_id: Fields.optional(Values.user) })),
  service_tier: Fields.optional(Schema.Literal("auto", "standard_only")),
  stream: Fields.optional(Schema.Boolean),
  container: Fields.unsupported,
  diagnostics: Fields.unsupported,
  inference_geo: Fields.unsupported
})

/**
 * A request for the number of tokens that a message's request would have.
 *
 * @since 0.1.0
 * @category requests
 */
export const CountRequest = Schema.Struct(conversation)

/**
 * What both requests have: what is said, with which tools, in which form the answer shall be.
 *
 * @since 0.1.0
 * @category models
 */
export type Conversation = typeof CountRequest.Type

/**
 * One message of a conversation.
 *
 * @since 0.1.0
 * @category models
 */
export type Message = typeof Message.Type

/**
 * One block of what a user says, but for the results of tools.
 *
 * @since 0.1.0
 * @category models
 */
export type UserBlock = typeof TextBlock.Type | typeof ImageBlock.Type | typeof DocumentBlock.Type

/**
 * What a tool answered.
 *
 * @since 0.1.0
 * @category models
 */
export type ToolResultBlock = typeof ToolResultBlock.Type

/**
 * One block of what the model said.
 *
 * @since 0.1.0
 * @category models
 */
export type AssistantBlock =
  | typeof TextBlock.Type
  | typeof ThinkingBlock.Type
  | typeof RedactedThinkingBlock.Type
  | typeof ToolUseBlock.Type

/**
 * Up to where a request is kept for later ones.
 *
 * @since 0.1.0
 * @category models
 */
export type CacheControl = typeof TextBlock.Type["cache_control"]
