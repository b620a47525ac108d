/**
 * Anthropic's wire: what the Messages API takes, said in the common words.
 *
 * How it differs: system messages stand apart from the conversation; turns alternate, so neighbours of one role become
 * one message, and tool results are part of the user's; `max_tokens` must be said; a tool's input is an object; text,
 * thinking and tool calls are blocks of one list. What it has no word for is left out: `seed`, `presencePenalty`,
 * `frequencyPenalty`, an image's `detail`, a format's `name` and `strict`. It has no "some JSON" format: `Json`
 * becomes an instruction in `system`. Reasoning that it did not sign itself is not sent back, since it would refuse it.
 *
 * @see https://platform.claude.com/docs/en/api/messages
 * @since 0.1.0
 */
import type * as Completion from "@spillway/core/Completion"
import * as LlmError from "@spillway/core/LlmError"
import * as Prompt from "@spillway/core/Prompt"
import type * as Tool from "@spillway/core/Tool"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as ToolArguments from "./internal/toolArguments.js"

declare module "@spillway/core/Completion" {
  interface ProviderOptions {
    /** What only Anthropic can be asked for. */
    readonly anthropic?: RequestOptions
  }
}

/**
 * What only Anthropic can be asked for, with one request.
 *
 * @since 0.1.0
 * @category models
 */
export interface RequestOptions {
  /**
   * How the model thinks, in place of what `reasoning` would say: models up to 4.5 know only a budget of tokens (at
   * least 1,024, less than `maxTokens`), models from 5 on only `adaptive`, with `reasoning.effort` for its depth.
   */
  readonly thinking?: "adaptive" | "between_tools" | "disabled" | { readonly budgetTokens: number }
  /** How much the model takes upon itself, in place of what `reasoning` would say, and without its thinking. */
  readonly effort?: "low" | "medium" | "high" | "xhigh" | "max"
  /** What of the request is kept for later ones that begin alike. @default nothing */
  readonly cacheControl?: CacheControl
  /** Beta features, as the `anthropic-beta` header names them. */
  readonly betas?: ReadonlyArray<string>
  /** Whether priority capacity may be used. */
  readonly serviceTier?: "auto" | "standard_only"
}

/**
 * What of a request is kept for later ones that begin alike: they cost less, this one more.
 *
 * @see https://platform.claude.com/docs/en/build-with-claude/prompt-caching
 * @since 0.1.0
 * @category models
 */
export interface CacheControl {
  /** For how long. @default "5m" */
  readonly ttl?: "5m" | "1h"
  /**
   * Up to where: the last tool, the last system message, or the end of the prompt; several make several beginnings to
   * come back to. What is not there is no place. @default ["prompt"]
   */
  readonly at?: ReadonlyArray<"tools" | "system" | "prompt">
}

// -----------------------------------------------------------------------------
// request
// -----------------------------------------------------------------------------

type CacheMark = { readonly type: "ephemeral"; readonly ttl?: "5m" | "1h" }

type TextBlock = { readonly type: "text"; readonly text: string; readonly cache_control?: CacheMark }

type BlockSource =
  | { readonly type: "base64"; readonly media_type: string; readonly data: string }
  | { readonly type: "text"; readonly media_type: "text/plain"; readonly data: string }
  | { readonly type: "url"; readonly url: string }

type Block =
  | TextBlock
  | { readonly type: "image"; readonly source: BlockSource }
  | { readonly type: "document"; readonly source: BlockSource; readonly title: string | undefined }
  | { readonly type: "thinking"; readonly thinking: string; readonly signature: string }
  | { readonly type: "redacted_thinking"; readonly data: string }
  | { readonly type: "tool_use"; readonly id: string; readonly name: string; readonly input: unknown }
  | {
    readonly type: "tool_result"
    readonly tool_use_id: string
    readonly content: string
    readonly is_error: true | undefined
  }

interface Message {
  readonly role: "user" | "assistant"
  readonly content: Array<Block>
}

/**
 * What a backend that speaks this wire decides once for all requests.
 *
 * @since 0.1.0
 * @category models
 */
export interface Settings {
  readonly backend: string
  /** The API's version, as the `anthropic-version` header carries it. */
  readonly version: string
  /** `max_tokens` where a request says none. */
  readonly maxTokens: number
}

/**
 * The body of `POST /v1/messages`. Fields that are undefined are not sent.
 *
 * @since 0.1.0
 * @category translations
 */
export const toBody = (
  request: Completion.Request,
  settings: Settings,
  stream: boolean
): Either.Either<object, LlmError.LlmError> => {
  const refused = sampling(request, settings)
  if (refused !== undefined) return Either.left(refused)
  return Either.map(toInput(request, settings), (input) => ({
    ...input,
    // thinking is paid from the same purse
    max_tokens: request.maxTokens ?? settings.maxTokens + (input.thinking?.budget_tokens ?? 0),
    stream: stream || undefined,
    temperature: request.temperature,
    top_p: request.topP,
    top_k: request.topK,
    stop_sequences: request.stop,
    metadata: request.user === undefined ? undefined : { user_id: request.user },
    service_tier: request.providerOptions?.anthropic?.serviceTier
  }))
}

/**
 * What a request says to the model, without how it is to be answered: the body of `POST /v1/messages/count_tokens`.
 *
 * @since 0.1.0
 * @category translations
 */
export const toInput = (request: Completion.Request, { backend }: Pick<Settings, "backend">) => {
  const options = request.providerOptions?.anthropic
  const { effort, thinking } = effortOf(request)
  const format = request.format?._tag === "JsonSchema"
    ? { type: "json_schema", schema: request.format.schema }
    : undefined
  const { at = ["prompt"], ...kept } = options?.cacheControl ?? { at: [] }
  const mark: CacheMark = { type: "ephemeral", ...kept }
  return Either.map(toMessages(request, backend), ({ messages, system }) => ({
    model: request.model,
    messages,
    system: system.length === 0
      ? undefined
      : at.includes("system")
      ? markLast(system, mark)
      : system.length === 1
      ? system[0]!.text
      : system,
    tools: at.includes("tools") ? markLast(request.tools?.map(toTool) ?? [], mark) : request.tools?.map(toTool),
    tool_choice: toToolChoice(request),
    thinking,
    output_config: effort === undefined && format === undefined ? undefined : { effort, format },
    cache_control: at.includes("prompt") ? mark : undefined
  }))
}

const markLast = <A extends object>(blocks: ReadonlyArray<A>, mark: CacheMark): ReadonlyArray<A> | undefined =>
  blocks.length === 0
    ? undefined
    : blocks.map((block, index) => index === blocks.length - 1 ? { ...block, cache_control: mark } : block)

const samplingSettings = ["temperature", "topP", "topK"] as const

/** @see https://platform.claude.com/docs/en/api/migration-2026-10-21 */
const sampling = (request: Completion.Request, { backend, version }: Settings): LlmError.LlmError | undefined => {
  if (version < "2026-10-21") return undefined
  const feature = samplingSettings.find((name) => request[name] !== undefined)
  return feature === undefined ? undefined : new LlmError.Unsupported({
    backend,
    model: request.model,
    feature,
    message: `${backend} takes no ${feature} from API version 2026-10-21 on: leave it out, or set version 2023-06-01`
  })
}

// A budget of tokens says how deep to think already; the models that want one know no effort, or take it beside it.
const effortOf = ({ providerOptions, reasoning }: Completion.Request) => {
  const { effort, thinking } = providerOptions?.anthropic ?? {}
  return {
    thinking: thinking !== undefined ? toThinking(thinking) : effort === undefined ? thinkingOf(reasoning) : undefined,
    effort: effort ?? (reasoning === undefined || typeof thinking === "object" ? undefined : efforts[reasoning.effort])
  }
}

const efforts = { none: undefined, minimal: "low", low: "low", medium: "medium", high: "high" } as const

interface Thinking {
  readonly type: "adaptive" | "between_tools" | "disabled" | "enabled"
  readonly budget_tokens?: number
}

const thinkingOf = (reasoning: Completion.Request["reasoning"]): Thinking | undefined =>
  reasoning === undefined ? undefined : { type: reasoning.effort === "none" ? "disabled" : "adaptive" }

const toThinking = (thinking: NonNullable<RequestOptions["thinking"]>): Thinking =>
  typeof thinking === "string" ? { type: thinking } : { type: "enabled", budget_tokens: thinking.budgetTokens }

const toTool = (tool: Tool.Definition) => ({
  name: tool.name,
  description: tool.description,
  input_schema: tool.parameters,
  strict: tool.strict
})

const choices = { auto: "auto", none: "none", required: "any" } as const

const toToolChoice = ({ parallelToolCalls, toolChoice, tools }: Completion.Request) => {
  // without tools the choice itself is an error, even "none"
  if (tools === undefined || tools.length === 0) return undefined
  const single = parallelToolCalls === false ? { disable_parallel_tool_use: true } : undefined
  if (toolChoice === undefined) return single && { type: "auto", ...single }
  if (typeof toolChoice === "object") return { type: "tool", name: toolChoice.tool, ...single }
  return toolChoice === "none" ? { type: "none" } : { type: choices[toolChoice], ...single }
}

const toMessages = (request: Completion.Request, backend: string) => {
  const system: Array<TextBlock> = []
  const messages: Array<Message> = []
  const add = (role: Message["role"], block: Block) => {
    const last = messages.at(-1)
    if (last?.role === role) last.content.push(block)
    else messages.push({ role, content: [block] })
  }
  for (const message of Prompt.make(request.prompt)) {
    switch (message.role) {
      case "system":
        if (message.content !== "") system.push({ type: "text", text: message.content })
        break
      case "user":
        for (const part of message.content) {
          if (part._tag === "Text") {
            // a block of no text is an error
            if (part.text !== "") add("user", { type: "text", text: part.text })
          } else if (part._tag === "Image") {
            add("user", { type: "image", source: toSource(part.source) })
          } else {
            const source = toDocumentSource(part, request.model, backend)
            if (Either.isLeft(source)) return Either.left(source.left)
            add("user", { type: "document", source: source.right, title: part.name })
          }
        }
        break
      case "assistant":
        for (const part of message.content) {
          const block = toAssistantBlock(part)
          if (block !== undefined) add("assistant", block)
        }
        break
      case "tool":
        for (const part of message.content) {
          add("user", {
            type: "tool_result",
            tool_use_id: part.id,
            content: part.result,
            is_error: part.isError === true || undefined
          })
        }
        break
    }
  }
  if (request.format?._tag === "Json") system.push({ type: "text", text: jsonOnly })
  return Either.right({ system, messages })
}

const jsonOnly = "Answer with one JSON object and nothing else: no text around it, no code fence."

const toSource = (source: Prompt.Source): BlockSource =>
  source._tag === "Url"
    ? { type: "url", url: source.url }
    : { type: "base64", media_type: source.mediaType, data: source.data }

const toDocumentSource = (
  { source }: Prompt.FilePart,
  model: string,
  backend: string
): Either.Either<BlockSource, LlmError.LlmError> => {
  if (source._tag === "Url" || source.mediaType === "application/pdf") return Either.right(toSource(source))
  if (!source.mediaType.startsWith("text/")) {
    const feature = `file of type ${source.mediaType}`
    return Either.left(
      new LlmError.Unsupported({ backend, model, feature, message: `${backend} reads PDF and text, no ${feature}` })
    )
  }
  return Either.mapBoth(Encoding.decodeBase64String(source.data), {
    onLeft: () =>
      new LlmError.InvalidRequest({ backend, model, field: "prompt", message: "a file's data is not base64" }),
    onRight: (data) => ({ type: "text" as const, media_type: "text/plain" as const, data })
  })
}

const toAssistantBlock = (part: Prompt.AssistantPart): Block | undefined => {
  switch (part._tag) {
    case "Text":
      return part.text === "" ? undefined : { type: "text", text: part.text }
    case "ToolCall":
      return { type: "tool_use", id: part.id, name: part.name, input: ToolArguments.toObject(part.arguments) }
    case "Reasoning":
      return part.redacted !== undefined
        ? { type: "redacted_thinking", data: part.redacted }
        : part.signature !== undefined
        ? { type: "thinking", thinking: part.text, signature: part.signature }
        : undefined
  }
}
