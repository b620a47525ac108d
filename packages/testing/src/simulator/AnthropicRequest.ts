/**
 * The form of Anthropic's requests, and what it says of a field that is wrong.
 *
 * @see https://docs.claude.com/en/api/messages
 * @since 0.1.0
 */
import * as Fields from "./Fields.js"

/**
 * The version from which on sampling parameters are refused.
 *
 * @since 0.1.0
 * @category constants
 */
export const newest = "2026-10-21"

/**
 * The versions that are understood.
 *
 * @since 0.1.0
 * @category constants
 */
export const versions: ReadonlyArray<string> = ["2023-01-01", "2023-06-01", newest]

/**
 * How many tokens an answer may have at most.
 *
 * @since 0.1.0
 * @category constants
 */
export const maxTokens = 64_000

/**
 * What a request is for.
 *
 * @since 0.1.0
 * @category models
 */
export type Use = "message" | "count"

const text = Fields.string()
const cacheControl = {
  cache_control: Fields.nullish(
    Fields.object({ type: Fields.oneOf("ephemeral"), ttl: Fields.optional(Fields.oneOf("5m", "1h")) })
  )
}

const textBlock = Fields.object({
  type: Fields.any,
  text: Fields.string({ min: 1 }),
  citations: Fields.nullish(Fields.any),
  ...cacheControl
})

const source = Fields.tagged("type", {
  base64: Fields.object({ type: Fields.any, media_type: text, data: Fields.string({ min: 1 }) }),
  url: Fields.object({ type: Fields.any, url: Fields.string({ pattern: /^https?:\/\// }) }),
  file: Fields.object({ type: Fields.any, file_id: text }),
  text: Fields.object({ type: Fields.any, media_type: text, data: text }),
  content: Fields.object({ type: Fields.any, content: Fields.any })
})

const imageBlock = Fields.object({
  type: Fields.any,
  source,
  transformations: Fields.nullish(Fields.any),
  ...cacheControl
})

const documentBlock = Fields.object({
  type: Fields.any,
  source,
  title: Fields.nullish(text),
  context: Fields.nullish(text),
  citations: Fields.nullish(Fields.record),
  ...cacheControl
})

const openBlock = Fields.record

const toolId = Fields.string({ pattern: /^[a-zA-Z0-9_-]+$/ })
const toolName = Fields.string({ pattern: /^[a-zA-Z0-9_-]{1,128}$/ })

// What the service's own tools leave behind is accepted as it came.
const servers = Object.fromEntries(
  [
    "server_tool_use",
    "web_search_tool_result",
    "web_fetch_tool_result",
    "code_execution_tool_result",
    "bash_code_execution_tool_result",
    "text_editor_code_execution_tool_result",
    "tool_search_tool_result",
    "container_upload",
    "search_result"
  ].map((type) => [type, openBlock])
)

const block = Fields.tagged("type", {
  text: textBlock,
  image: imageBlock,
  document: documentBlock,
  tool_use: Fields.object({
    type: Fields.any,
    id: toolId,
    name: toolName,
    input: Fields.record,
    caller: Fields.optional(Fields.any),
    toolset_name: Fields.nullish(text),
    ...cacheControl
  }),
  tool_result: Fields.object({
    type: Fields.any,
    tool_use_id: toolId,
    content: Fields.optional(
      Fields.either(
        text,
        Fields.array(
          Fields.tagged("type", {
            text: textBlock,
            image: imageBlock,
            document: documentBlock,
            search_result: openBlock,
            tool_reference: openBlock
          })
        )
      )
    ),
    is_error: Fields.optional(Fields.boolean),
    toolset_name: Fields.nullish(text),
    ...cacheControl
  }),
  thinking: Fields.object({ type: Fields.any, thinking: text, signature: text }),
  redacted_thinking: Fields.object({ type: Fields.any, data: text }),
  ...servers
})

const content = Fields.either(text, Fields.array(block))
const system = Fields.either(text, Fields.array(Fields.tagged("type", { text: textBlock })))

const message = (roles: ReadonlyArray<string>) => Fields.object({ role: Fields.oneOf(...roles), content })

const choice = (more: { readonly [field: string]: Fields.Check } = {}) =>
  Fields.object({ type: Fields.any, disable_parallel_tool_use: Fields.optional(Fields.boolean), ...more })

const shared = (roles: ReadonlyArray<string>) => ({
  model: Fields.string({ min: 1 }),
  messages: Fields.array(message(roles), { min: 1 }),
  system: Fields.optional(system),
  tools: Fields.optional(Fields.array(Fields.record)),
  tool_choice: Fields.optional(
    Fields.tagged("type", {
      auto: choice(),
      any: choice(),
      tool: choice({ name: text }),
      none: Fields.object({ type: Fields.any })
    })
  ),
  thinking: Fields.optional(
    Fields.tagged("type", {
      enabled: Fields.object({
        type: Fields.any,
        budget_tokens: Fields.integer({ min: 1024 }),
        display: Fields.nullish(text)
      }),
      adaptive: Fields.object({ type: Fields.any, display: Fields.nullish(text) }),
      between_tools: openBlock,
      disabled: Fields.object({ type: Fields.any })
    })
  ),
  output_config: Fields.optional(
    Fields.object({
      effort: Fields.nullish(Fields.oneOf("low", "medium", "high", "xhigh", "max")),
      format: Fields.nullish(Fields.object({ type: Fields.oneOf("json_schema"), schema: Fields.record }))
    })
  ),
  speed: Fields.nullish(Fields.oneOf("standard", "fast")),
  user_profile_id: Fields.optional(text),
  workspace_id: Fields.optional(text),
  ...cacheControl
})

const single = (roles: ReadonlyArray<string>, sampling: boolean) =>
  Fields.object({
    ...shared(roles),
    max_tokens: Fields.integer({ min: 1 }),
    stream: Fields.optional(Fields.boolean),
    stop_sequences: Fields.optional(Fields.array(text)),
    metadata: Fields.optional(Fields.object({ user_id: Fields.nullish(text) })),
    service_tier: Fields.optional(Fields.oneOf("auto", "standard_only")),
    container: Fields.nullish(Fields.any),
    diagnostics: Fields.nullish(Fields.any),
    inference_geo: Fields.nullish(text),
    ...(sampling
      ? {
          temperature: Fields.optional(Fields.number({ min: 0, max: 1 })),
          top_p: Fields.optional(Fields.number({ min: 0, max: 1 })),
          top_k: Fields.optional(Fields.integer({ min: 0 }))
        }
      : // Refused by a rule, with a text of its own.
        {
          temperature: Fields.optional(Fields.any),
          top_p: Fields.optional(Fields.any),
          top_k: Fields.optional(Fields.any)
        })
  })

const older = { message: single(["user", "assistant"], true), count: Fields.object(shared(["user", "assistant"])) }
const newer = {
  message: single(["user", "assistant", "system"], false),
  count: Fields.object(shared(["user", "assistant", "system"]))
}

const tool = Fields.object({
  type: Fields.nullish(Fields.oneOf("custom")),
  name: toolName,
  description: Fields.optional(text),
  input_schema: Fields.object({ type: Fields.oneOf("object") }, { open: true }),
  strict: Fields.optional(Fields.boolean),
  allowed_callers: Fields.optional(Fields.array(text)),
  defer_loading: Fields.optional(Fields.boolean),
  eager_input_streaming: Fields.nullish(Fields.boolean),
  input_examples: Fields.optional(Fields.array(Fields.record)),
  ...cacheControl
})

/**
 * The first field that is wrong.
 *
 * @since 0.1.0
 * @category conversions
 */
export const check = (body: Fields.Json, use: Use, version: string): Fields.Violation | undefined => {
  const violation = (version === newest ? newer : older)[use](body)
  if (violation !== undefined) return violation
  for (const [index, offered] of Fields.objects(body["tools"]).entries()) {
    const found = isOwn(offered) ? tool(offered) : undefined
    if (found !== undefined) {
      return { ...found, path: ["tools", index, ...(isTyped(offered) ? ["custom"] : []), ...found.path] }
    }
  }
  return undefined
}

const isTyped = (offered: Fields.Json): boolean => typeof offered["type"] === "string"

/**
 * Whether a tool is the caller's. One of another type is the service's own, which is accepted and never called.
 *
 * @since 0.1.0
 * @category guards
 */
export const isOwn = (offered: Fields.Json): boolean => !isTyped(offered) || offered["type"] === "custom"

/**
 * The blocks of a message; none where it is a text.
 *
 * @since 0.1.0
 * @category accessors
 */
export const blocks = (message: Fields.Json | undefined): ReadonlyArray<Fields.Json> =>
  Fields.objects(message?.["content"])

const kinds: { readonly [kind: string]: string } = {
  string: "string",
  number: "number",
  integer: "integer",
  boolean: "boolean",
  array: "list",
  object: "dictionary",
  null: "null"
}

const alternatives = (values: ReadonlyArray<string>): string => {
  const quoted = values.map((value) => `'${value}'`)
  return quoted.length < 2 ? quoted.join("") : `${quoted.slice(0, -1).join(", ")} or ${quoted.at(-1)}`
}

const explanations: { readonly [P in Fields.Problem]: (violation: Fields.Violation) => string } = {
  Missing: () => "Field required",
  Unknown: () => "Extra inputs are not permitted",
  Type: ({ expected: [first = ""] }) => `Input should be a valid ${kinds[first] ?? first}`,
  Value: ({ expected }) => `Input should be ${alternatives(expected)}`,
  Tag: ({ expected, got, path }) =>
    `Input tag '${Fields.stringOf(got)}' found using '${path.at(-1)}' does not match any of the expected tags: ${expected.map((one) => `'${one}'`).join(", ")}`,
  BelowMinimum: ({ expected: [bound] }) => `Input should be greater than or equal to ${bound}`,
  AboveMaximum: ({ expected: [bound] }) => `Input should be less than or equal to ${bound}`,
  TooShort: ({ got, path }) =>
    path.length === 1 && path[0] === "messages"
      ? "at least one message is required"
      : path.at(-1) === "text"
        ? "text content blocks must be non-empty"
        : `${Array.isArray(got) ? "List should have at least 1 item" : "String should have at least 1 character"}`,
  TooLong: ({ expected: [bound] }) => `should have at most ${bound} items`,
  Pattern: ({ expected: [pattern] }) => `String should match pattern '${pattern}'`
}

/**
 * What is wrong, as the service says it: the path, a colon, the reason.
 *
 * @since 0.1.0
 * @category conversions
 */
export const explained = (violation: Fields.Violation): string => {
  // The tag that was not understood belongs to the thing that has it.
  const path = violation.problem === "Tag" ? violation.path.slice(0, -1) : violation.path
  return `${path.join(".")}: ${explanations[violation.problem](violation)}`
}
