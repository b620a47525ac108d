/**
 * The fields of OpenAI's responses, as a closed list.
 *
 * Nothing is kept between requests, so whatever would need that is refused: `store`, `previous_response_id`,
 * `conversation`, `background`, references to items. So are the tools that run at OpenAI itself.
 *
 * @see https://platform.openai.com/docs/api-reference/responses/create
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as Fields from "./Fields.js"
import * as OpenAiFormat from "./OpenAiFormat.js"
import * as OpenAiOwn from "./OpenAiOwn.js"
import * as OpenAiTools from "./OpenAiTools.js"
import * as Values from "./Values.js"

// -----------------------------------------------------------------------------
// content
// -----------------------------------------------------------------------------

const Text = Schema.Struct({
  type: Schema.Literal("input_text"),
  text: Schema.String,
  prompt_cache_breakpoint: Fields.unsupported
})

const Image = Schema.Struct({
  type: Schema.Literal("input_image"),
  image_url: Values.url,
  detail: Fields.optional(Schema.Literal("auto", "low", "high")),
  file_id: Fields.unsupported,
  prompt_cache_breakpoint: Fields.unsupported
})

const File = Schema.Struct({
  type: Schema.Literal("input_file"),
  file_data: Fields.optional(Values.dataUrl),
  file_url: Fields.optional(Values.url),
  filename: Fields.optional(Schema.String),
  detail: Fields.only("auto"),
  file_id: Fields.unsupported,
  prompt_cache_breakpoint: Fields.unsupported
})

// an answer carries these, empty
const none = Fields.optional(
  Values.list(Schema.Unknown, 0, 0).pipe(Fields.saying("must be empty: nothing else is supported by this gateway"))
)

const Said = Schema.Union(
  Schema.Struct({
    type: Schema.Literal("output_text"),
    text: Schema.String,
    annotations: none,
    logprobs: none,
    // OpenAI's client adds it to structured answers
    parsed: Schema.optional(Schema.Unknown)
  }),
  Schema.Struct({ type: Schema.Literal("refusal"), refusal: Schema.String })
)

// -----------------------------------------------------------------------------
// items
// -----------------------------------------------------------------------------

// What an item was called, and how far it was, is sent back as it was received; nothing hangs on it here.
const came = {
  id: Fields.optional(Schema.String),
  status: Fields.optional(Schema.Literal("in_progress", "completed", "incomplete"))
}

const message = { ...came, type: Fields.optional(Schema.Literal("message")), phase: Fields.unsupported }

const instructions = <const Role extends string>(role: Role) =>
  Schema.Struct({
    ...message,
    role: Schema.Literal(role),
    content: Schema.Union(Schema.String, Values.list(Text, 1, 2048)).pipe(
      Fields.saying("must be a string, or a list of input_text")
    )
  })

const Message = Schema.Union(
  instructions("system"),
  instructions("developer"),
  Schema.Struct({
    ...message,
    role: Schema.Literal("user"),
    content: Schema.Union(Schema.String, Values.list(Schema.Union(Text, Image, File), 1, 2048)).pipe(
      Fields.saying("must be a string, or a list of content parts")
    )
  }),
  Schema.Struct({
    ...message,
    role: Schema.Literal("assistant"),
    content: Schema.Union(Schema.String, Values.list(Said, 0, 2048)).pipe(
      Fields.saying("must be a string, or a list of output_text and refusal")
    )
  })
)

const FunctionCall = Schema.Struct({
  ...came,
  type: Schema.Literal("function_call"),
  call_id: Schema.NonEmptyString,
  name: Schema.NonEmptyString,
  arguments: Schema.String,
  namespace: Fields.unsupported,
  caller: Fields.unsupported,
  // OpenAI's client adds it
  parsed_arguments: Schema.optional(Schema.Unknown)
})

const FunctionCallOutput = Schema.Struct({
  ...came,
  type: Schema.Literal("function_call_output"),
  call_id: Schema.NonEmptyString,
  output: Schema.Union(Schema.String, Values.list(Text, 0, 2048)).pipe(
    Fields.saying("must be a string, or a list of input_text: nothing else is supported by this gateway")
  ),
  name: Fields.optional(Schema.NonEmptyString),
  namespace: Fields.unsupported,
  caller: Fields.unsupported
})

const Reasoning = Schema.Struct({
  ...came,
  type: Schema.Literal("reasoning"),
  summary: Values.list(Schema.Struct({ type: Schema.Literal("summary_text"), text: Schema.String }), 0, 2048),
  content: Fields.optional(
    Values.list(Schema.Struct({ type: Schema.Literal("reasoning_text"), text: Schema.String }), 0, 2048)
  ),
  encrypted_content: Fields.optional(Schema.String)
})

// -----------------------------------------------------------------------------
// requests
// -----------------------------------------------------------------------------

const FunctionTool = OpenAiTools.tool({
  ...OpenAiTools.functionFields,
  output_schema: Fields.unsupported,
  defer_loading: Fields.only(false),
  allowed_callers: Fields.unsupported
})

const FunctionName = Schema.Struct({ type: Schema.Literal("function"), name: Values.toolName })

const ToolChoice = Schema.Union(
  OpenAiTools.mode,
  FunctionName,
  Schema.Struct({
    type: Schema.Literal("allowed_tools"),
    mode: Schema.Literal("auto", "required"),
    tools: Values.list(FunctionName, 1, 256)
  })
).pipe(Fields.saying(OpenAiTools.choiceSays))

/**
 * A request for a response.
 *
 * @since 0.1.0
 * @category requests
 */
export const Request = Schema.Struct({
  model: Values.model,
  input: Schema.Union(
    Schema.String,
    Values.list(Schema.Union(Message, FunctionCall, FunctionCallOutput, Reasoning), 1, 2048)
  ).pipe(Fields.saying("must be a text, or a list of 1 to 2048 items")),
  instructions: Fields.optional(Schema.String),
  max_output_tokens: Fields.optional(Values.whole(1)),
  temperature: Fields.optional(Values.between(0, 2)),
  top_p: Fields.optional(Values.between(0, 1)),
  tools: Fields.optional(Values.list(FunctionTool, 0, 256)),
  tool_choice: Fields.optional(ToolChoice),
  parallel_tool_calls: Fields.optional(Schema.Boolean),
  text: Fields.optional(Schema.Struct({
    format: Fields.optional(
      Schema.Union(
        ...OpenAiFormat.plain,
        Schema.Struct({ type: Schema.Literal("json_schema"), ...OpenAiFormat.schemaFields })
      )
    ),
    verbosity: OpenAiOwn.verbosity
  })),
  reasoning: Fields.optional(Schema.Struct({
    effort: Fields.optional(Schema.Literal("none", "minimal", "low", "medium", "high")),
    summary: Fields.only("auto"),
    generate_summary: Fields.only("auto"),
    mode: Fields.only("standard"),
    context: Fields.only("auto")
  })),
  user: Fields.optional(Values.user),
  safety_identifier: Fields.optional(Values.user),
  metadata: OpenAiOwn.metadata,
  stream: Fields.optional(Schema.Boolean),
  stream_options: Fields.optional(Schema.Struct({ include_obfuscation: Fields.only(false) })),
  // what seals reasoning always comes along, since nothing is kept from which it could go on
  include: Fields.optional(
    Schema.Array(
      Schema.Literal("reasoning.encrypted_content").pipe(
        Fields.saying("must be \"reasoning.encrypted_content\": nothing else is supported by this gateway")
      )
    )
  ),
  store: Fields.only(false),
  background: Fields.only(false),
  service_tier: OpenAiOwn.serviceTier,
  top_logprobs: Fields.only(0),
  truncation: Fields.only("disabled"),
  context_management: Fields.unsupported,
  conversation: Fields.unsupported,
  max_tool_calls: Fields.unsupported,
  moderation: Fields.unsupported,
  previous_response_id: Fields.unsupported,
  prompt: Fields.unsupported,
  prompt_cache_key: Fields.optional(Schema.String),
  prompt_cache_options: Fields.unsupported,
  prompt_cache_retention: Fields.unsupported
})

/**
 * What is asked.
 *
 * @since 0.1.0
 * @category models
 */
export type Request = typeof Request.Type

/**
 * One item of what is said.
 *
 * @since 0.1.0
 * @category models
 */
export type Item = Exclude<Request["input"], string>[number]

/**
 * One part of what a user says.
 *
 * @since 0.1.0
 * @category models
 */
export type UserPart = typeof Text.Type | typeof Image.Type | typeof File.Type
