/**
 * The fields of OpenAI's chat completions, and those that Groq adds to them, as a closed list.
 *
 * Every field that the API documents is here: those that can be honoured with what they must be, and the others as
 * refused. What is not here is no field of the API (`api_key`, `base_url`, `headers`), and is refused too: nothing is
 * dropped in silence, and nothing that a client sends can change where a request goes or with which key.
 *
 * @see https://platform.openai.com/docs/api-reference/chat/create
 * @see https://console.groq.com/docs/api-reference#chat-create
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as Fields from "./Fields.js"
import * as OpenAiFormat from "./OpenAiFormat.js"
import * as OpenAiOwn from "./OpenAiOwn.js"
import * as OpenAiTools from "./OpenAiTools.js"
import * as Values from "./Values.js"

// -----------------------------------------------------------------------------
// messages
// -----------------------------------------------------------------------------

const TextPart = Schema.Struct({
  type: Schema.Literal("text"),
  text: Schema.String,
  prompt_cache_breakpoint: Fields.unsupported
})

const ImagePart = Schema.Struct({
  type: Schema.Literal("image_url"),
  image_url: Schema.Struct({
    url: Values.url,
    detail: Fields.optional(Schema.Literal("auto", "low", "high"))
  }),
  prompt_cache_breakpoint: Fields.unsupported
})

const FilePart = Schema.Struct({
  type: Schema.Literal("file"),
  file: Schema.Struct({
    file_data: Values.dataUrl,
    filename: Fields.optional(Schema.String),
    file_id: Fields.unsupported
  }),
  prompt_cache_breakpoint: Fields.unsupported
})

const AudioPart = Schema.Struct({
  type: Schema.Literal("input_audio"),
  input_audio: Schema.Struct({ data: Schema.String, format: Schema.Literal("wav", "mp3") }),
  prompt_cache_breakpoint: Fields.unsupported
})

const RefusalPart = Schema.Struct({ type: Schema.Literal("refusal"), refusal: Schema.String })

const text = Schema.Union(Schema.String, Schema.Array(TextPart)).pipe(
  Fields.saying("must be a string, or a list of text parts")
)

const ToolCall = Schema.Struct({
  id: Schema.NonEmptyString,
  type: Fields.optional(Schema.Literal("function").pipe(Fields.saying("must be \"function\""))),
  function: Schema.Struct({
    name: Schema.NonEmptyString,
    arguments: Schema.String,
    // clients that send back what they received send back what they added to it
    parsed_arguments: Schema.optional(Schema.Unknown)
  }),
  // where Gemini puts what proves a call
  extra_content: Fields.optional(Schema.Struct({
    google: Fields.optional(Schema.Struct({ thought_signature: Fields.optional(Schema.String) }))
  })),
  custom: Fields.unsupported,
  index: Schema.optional(Schema.Unknown)
})

const ReasoningDetail = Schema.Union(
  Schema.Struct({
    type: Schema.Literal("reasoning.text"),
    text: Schema.String,
    signature: Fields.optional(Schema.String)
  }),
  Schema.Struct({ type: Schema.Literal("reasoning.encrypted"), data: Schema.String })
)

const instructions = <const Role extends string>(role: Role) =>
  Schema.Struct({ role: Schema.Literal(role), content: text, name: Fields.unsupported })

const Message = Schema.Union(
  instructions("system"),
  instructions("developer"),
  Schema.Struct({
    role: Schema.Literal("user"),
    content: Schema.Union(Schema.String, Values.list(Schema.Union(TextPart, ImagePart, FilePart, AudioPart), 1, 2048)).pipe(
      Fields.saying("must be a string, or a list of content parts")
    ),
    name: Fields.unsupported
  }),
  Schema.Struct({
    role: Schema.Literal("assistant"),
    content: Fields.optional(
      Schema.Union(Schema.String, Schema.Array(Schema.Union(TextPart, RefusalPart))).pipe(
        Fields.saying("must be a string, or a list of text parts")
      )
    ),
    tool_calls: Fields.optional(Values.list(ToolCall, 0, 256)),
    refusal: Fields.optional(Schema.String),
    reasoning_content: Fields.optional(Schema.String),
    reasoning: Fields.optional(Schema.String),
    reasoning_details: Fields.optional(Schema.Array(ReasoningDetail)),
    // an answer carries these, empty
    annotations: Fields.optional(Values.list(Schema.Unknown, 0, 0).pipe(Fields.saying("is not supported by this gateway"))),
    parsed: Schema.optional(Schema.Unknown),
    name: Fields.unsupported,
    audio: Fields.unsupported,
    function_call: Fields.unsupported
  }),
  Schema.Struct({
    role: Schema.Literal("tool"),
    tool_call_id: Schema.NonEmptyString,
    content: text,
    name: Fields.optional(Schema.NonEmptyString)
  })
)

// -----------------------------------------------------------------------------
// requests
// -----------------------------------------------------------------------------

const FunctionTool = OpenAiTools.tool({ function: Schema.Struct(OpenAiTools.functionFields) })

const FunctionName = Schema.Struct({
  type: Schema.Literal("function"),
  function: Schema.Struct({ name: Values.toolName })
})

const ToolChoice = Schema.Union(
  OpenAiTools.mode,
  FunctionName,
  Schema.Struct({
    type: Schema.Literal("allowed_tools"),
    allowed_tools: Schema.Struct({ mode: Schema.Literal("auto", "required"), tools: Values.list(FunctionName, 1, 256) })
  })
).pipe(Fields.saying(OpenAiTools.choiceSays))

const ResponseFormat = Schema.Union(
  ...OpenAiFormat.plain,
  Schema.Struct({ type: Schema.Literal("json_schema"), json_schema: Schema.Struct(OpenAiFormat.schemaFields) })
)

/**
 * A request for a chat completion.
 *
 * @since 0.1.0
 * @category requests
 */
export const ChatRequest = Schema.Struct({
  model: Values.model,
  messages: Values.list(Message, 1, 2048),
  max_tokens: Fields.optional(Values.whole(1)),
  max_completion_tokens: Fields.optional(Values.whole(1)),
  temperature: Fields.optional(Values.between(0, 2)),
  top_p: Fields.optional(Values.between(0, 1)),
  top_k: Fields.optional(Values.whole(1)),
  stop: Fields.optional(Values.stop),
  seed: Fields.optional(Values.seed),
  presence_penalty: Fields.optional(Values.between(-2, 2)),
  frequency_penalty: Fields.optional(Values.between(-2, 2)),
  tools: Fields.optional(Values.list(FunctionTool, 0, 256)),
  tool_choice: Fields.optional(ToolChoice),
  parallel_tool_calls: Fields.optional(Schema.Boolean),
  response_format: Fields.optional(ResponseFormat),
  reasoning_effort: Fields.optional(Schema.Literal("none", "minimal", "low", "medium", "high")),
  user: Fields.optional(Values.user),
  safety_identifier: Fields.optional(Values.user),
  stream: Fields.optional(Schema.Boolean),
  stream_options: Fields.optional(
    Schema.Struct({ include_usage: Fields.optional(Schema.Boolean), include_obfuscation: Fields.only(false) })
  ),
  n: Fields.only(1),
  logprobs: Fields.only(false),
  store: Fields.optional(Schema.Boolean),
  service_tier: OpenAiOwn.serviceTier,
  verbosity: OpenAiOwn.verbosity,
  modalities: Fields.optional(
    Schema.Array(Schema.String).pipe(
      Schema.filter((kinds) => kinds.length === 1 && kinds[0] === "text"),
      Fields.saying("must be [\"text\"]: nothing else is supported by this gateway")
    )
  ),
  audio: Fields.unsupported,
  function_call: Fields.unsupported,
  functions: Fields.unsupported,
  logit_bias: Fields.optional(Schema.Record({ key: Schema.String, value: Values.between(-100, 100) })),
  metadata: OpenAiOwn.metadata,
  moderation: Fields.unsupported,
  prediction: Fields.unsupported,
  prompt_cache_key: Fields.optional(Schema.String),
  prompt_cache_options: Fields.unsupported,
  prompt_cache_retention: Fields.unsupported,
  top_logprobs: Fields.unsupported,
  web_search_options: Fields.unsupported,
  // Groq's own
  reasoning_format: Fields.optional(
    Schema.Literal("parsed", "hidden").pipe(Fields.saying("must be \"parsed\" or \"hidden\": nothing else is supported by this gateway"))
  ),
  include_reasoning: Fields.optional(Schema.Boolean),
  citation_options: Fields.unsupported,
  compound_custom: Fields.unsupported,
  disable_tool_validation: Fields.unsupported,
  documents: Fields.unsupported,
  exclude_domains: Fields.unsupported,
  include_domains: Fields.unsupported,
  search_settings: Fields.unsupported
})

/**
 * One message of a chat.
 *
 * @since 0.1.0
 * @category models
 */
export type Message = typeof Message.Type

/**
 * One part of what a user says.
 *
 * @since 0.1.0
 * @category models
 */
export type UserPart = typeof TextPart.Type | typeof ImagePart.Type | typeof FilePart.Type | typeof AudioPart.Type
