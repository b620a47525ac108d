/**
 * OpenAI's newer wire: what `/responses` takes and gives, and its translation into the common words.
 *
 * A conversation is a list of items: messages, calls of tools and their results, and reasoning, which may be sealed
 * (`encrypted_content`) and is sent back as it came: `redacted` has the seal, `signature` the id of the item. Reasoning
 * that has not both is another backend's, and is left out. System messages at the beginning are `instructions`.
 *
 * What it has no word for is left out: `topK`, `seed`, `presencePenalty`, `frequencyPenalty`, a tool result's
 * `isError`. With `stop` a request is `Unsupported`, since the answer would go on where it should have ended.
 *
 * @see https://platform.openai.com/docs/api-reference/responses
 * @since 0.1.0
 */
import * as Completion from "@spillway/core/Completion"
import * as LlmError from "@spillway/core/LlmError"
import * as Prompt from "@spillway/core/Prompt"
import type * as Tool from "@spillway/core/Tool"
import * as Either from "effect/Either"
import type * as HttpBackend from "./HttpBackend.js"
import * as Json from "./internal/json.js"
import * as OpenAiWire from "./OpenAiWire.js"

declare module "@spillway/core/Completion" {
  interface ProviderOptions {
    /** What only OpenAI can be asked for. */
    readonly openai?: RequestOptions
  }
}

/**
 * What only OpenAI can be asked for, with one request, over either of its wires.
 *
 * @since 0.1.0
 * @category models
 */
export interface RequestOptions extends Options {
  /** Likelihood of tokens (by their number in the model's tokenizer), from -100 to 100. Over chat completions alone. */
  readonly logitBias?: Readonly<Record<string, number>>
}

/**
 * What can be asked for in this wire's own words.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** At which price and speed. @default "auto" */
  readonly serviceTier?: "auto" | "default" | "flex" | "scale" | "priority"
  /** How long-winded the answer is. @default "medium" */
  readonly verbosity?: "low" | "medium" | "high"
  /** Whether OpenAI keeps the answer. @default false */
  readonly store?: boolean
  /** At most 16 pairs of text, kept with a stored answer. */
  readonly metadata?: Readonly<Record<string, string>>
  /** What requests with the same long beginning have in common, so that they meet the same cache. */
  readonly promptCacheKey?: string
  /** A hash of the end user, for OpenAI's detection of misuse. */
  readonly safetyIdentifier?: string
  /** How much the model tells of its reasoning. Over Responses alone. @default nothing is told */
  readonly reasoningSummary?: "auto" | "concise" | "detailed"
  /**
   * Whether reasoning comes sealed, to be sent back in the next turn. Models that do not reason refuse to be asked.
   * Over Responses alone. @default whether `reasoning` asks for any
   */
  readonly encryptedReasoning?: boolean
  /** A stored answer that this request goes on from; the prompt holds what is new. Over Responses alone. */
  readonly previousResponseId?: string
}

/**
 * A response that OpenAI keeps: how far it is, and what came of it, once something did.
 *
 * @since 0.1.0
 * @category models
 */
export interface Kept {
  readonly id: string
  /** `queued`, `in_progress`, `completed`, `incomplete`, `failed` or `cancelled`. */
  readonly status: string
  /** The answer, or why there is none; absent while it is under way. */
  readonly outcome?: Either.Either<Completion.Completion, LlmError.LlmError>
}

// -----------------------------------------------------------------------------
// request
// -----------------------------------------------------------------------------

/**
 * The body of `POST /responses`. Fields that are undefined are not sent.
 *
 * @since 0.1.0
 * @category translations
 */
export const toBody = (
  request: Completion.Request,
  backend: string,
  options: Options = {},
  stream = false
): Either.Either<Json.Fields, LlmError.LlmError> => {
  if (request.stop !== undefined && request.stop.length > 0) {
    return Either.left(
      new LlmError.Unsupported({
        backend,
        model: request.model,
        feature: "stop",
        message: `${backend} cannot be told where to stop over Responses`
      })
    )
  }
  const effort = request.reasoning?.effort
  const tools = request.tools === undefined || request.tools.length === 0 ? undefined : request.tools.map(toTool)
  const sealed = options.encryptedReasoning ?? (effort !== undefined && effort !== "none")
  const text = { format: toFormat(request.format), verbosity: options.verbosity }
  const reasoning = { effort, summary: options.reasoningSummary }
  return Either.right({
    model: request.model,
    ...toInput(Prompt.make(request.prompt)),
    ...(stream && { stream: true }),
    store: options.store ?? false,
    ...(sealed && { include: ["reasoning.encrypted_content"] }),
    previous_response_id: options.previousResponseId,
    max_output_tokens: request.maxTokens,
    temperature: request.temperature,
    top_p: request.topP,
    ...(tools !== undefined && {
      tools,
      tool_choice: toToolChoice(request.toolChoice),
      parallel_tool_calls: request.parallelToolCalls
    }),
    ...(isSaid(text) && { text }),
    ...(isSaid(reasoning) && { reasoning }),
    user: request.user,
    service_tier: options.serviceTier,
    metadata: options.metadata,
    prompt_cache_key: options.promptCacheKey,
    safety_identifier: options.safetyIdentifier
  })
}

const isSaid = (fields: object): boolean => Object.values(fields).some((value) => value !== undefined)

// absent, it is taken for true, and a schema that is not strict is refused
const toTool = ({ description, name, parameters, strict = false }: Tool.Definition) => ({
  type: "function",
  name,
  description,
  parameters,
  strict
})

const toToolChoice = (choice: Tool.Choice | undefined) =>
  typeof choice === "object" ? { type: "function", name: choice.tool } : choice

const toFormat = (format: Completion.Format | undefined): object | undefined => {
  switch (format?._tag) {
    case undefined:
      return undefined
    case "Text":
      return { type: "text" }
    case "Json":
      return { type: "json_object" }
    case "JsonSchema": {
      const { name, schema, strict } = format
      return { type: "json_schema", name, schema, strict }
    }
  }
}

const toInput = (prompt: Prompt.Prompt): { readonly instructions?: string; readonly input: ReadonlyArray<object> } => {
  const begin = prompt.findIndex(({ role }) => role !== "system")
  const instructions = prompt
    .slice(0, begin === -1 ? 0 : begin)
    .flatMap((message) => message.role === "system" ? [message.content] : [])
  return {
    ...(instructions.length > 0 && { instructions: instructions.join("\n\n") }),
    input: prompt.slice(instructions.length).flatMap(toItems)
  }
}

const toItems = (message: Prompt.Message): ReadonlyArray<object> => {
  switch (message.role) {
    case "system":
      return [{ role: "system", content: message.content }]
    case "user": {
      const [first] = message.content
      const plain = message.content.length === 1 && first?._tag === "Text"
      return [{ role: "user", content: plain ? first.text : message.content.map(toContent) }]
    }
    case "assistant":
      return message.content.flatMap(toAssistantItems)
    case "tool":
      return message.content.map(({ id, result }) => ({ type: "function_call_output", call_id: id, output: result }))
  }
}

const toContent = (part: Prompt.UserPart): object => {
  switch (part._tag) {
    case "Text":
      return { type: "input_text", text: part.text }
    case "Image":
      return { type: "input_image", image_url: Prompt.toUrl(part.source), detail: part.detail ?? "auto" }
    case "File":
      return part.source._tag === "Url"
        ? { type: "input_file", file_url: part.source.url }
        : { type: "input_file", filename: part.name ?? "file", file_data: Prompt.toUrl(part.source) }
  }
}

const toAssistantItems = (part: Prompt.AssistantPart): ReadonlyArray<object> => {
  switch (part._tag) {
    case "Text":
      return part.text === "" ? [] : [{ role: "assistant", content: part.text }]
    case "Reasoning":
      return part.signature === undefined || part.redacted === undefined ? [] : [{
        type: "reasoning",
        id: part.signature,
        summary: part.text === "" ? [] : [{ type: "summary_text", text: part.text }],
        encrypted_content: part.redacted
      }]
    case "ToolCall":
      return [{
        type: "function_call",
        call_id: part.id,
        name: part.name,
        arguments: part.arguments.trim() === "" ? "{}" : part.arguments
      }]
  }
}

// -----------------------------------------------------------------------------
// answer
// -----------------------------------------------------------------------------

/**
 * A completion from the body of a response that is done; one that failed, was cancelled or is still under way is an
 * error.
 *
 * @since 0.1.0
 * @category translations
 */
export const toCompletion = (
  body: unknown,
  exchange: Pick<HttpBackend.Exchange<unknown>, "failure" | "malformed" | "model">
): Either.Either<Completion.Completion, LlmError.LlmError> => {
  const output = Json.get(body, "output")
  const status = Json.get(body, "status")
  if (OpenAiWire.isError(body) || status === "failed") return Either.left(exchange.failure(toFailure(body)))
  if (!Array.isArray(output)) return Either.left(exchange.malformed("a response without output"))
  if (status !== "completed" && status !== "incomplete" && status !== undefined) {
    return Either.left(
      exchange.failure({ error: { code: Json.string(status), message: `the response is ${String(status)}` } })
    )
  }
  const content: Array<Prompt.AssistantPart> = []
  let refused = false
  for (const item of output) {
    switch (Json.get(item, "type")) {
      case "message": {
        const said = toText(item)
        refused ||= said.refused
        if (said.text !== "") content.push({ _tag: "Text", text: said.text })
        break
      }
      case "reasoning": {
        const thought = toReasoning(item)
        if (thought.text !== "" || thought.redacted !== undefined) content.push(thought)
        break
      }
      case "function_call":
        content.push({ ...toToolCall(item), _tag: "ToolCall", arguments: toArguments(item) })
        break
    }
  }
  const calls = content.some(({ _tag }) => _tag === "ToolCall")
  return Either.right(Completion.make({
    ...OpenAiWire.identify(body, exchange.model),
    content,
    finishReason: toFinishReason(body, calls, refused),
    usage: toUsage(Json.get(body, "usage"))
  }))
}

/**
 * What a response says of its failure, in the form in which errors come.
 *
 * @since 0.1.0
 * @category translations
 */
export const toFailure = (response: unknown): unknown =>
  Json.isObject(Json.get(response, "error")) ? response : { error: { message: "the response failed" } }

/**
 * The text of a message, and whether it is a refusal.
 *
 * @since 0.1.0
 * @category translations
 */
export const toText = (message: unknown): { readonly text: string; readonly refused: boolean } => {
  let text = ""
  let refused = false
  for (const part of Json.array(Json.get(message, "content"))) {
    const refusal = Json.get(part, "type") === "refusal"
    refused ||= refusal
    text += Json.string(Json.get(part, refusal ? "refusal" : "text")) ?? ""
  }
  return { text, refused }
}

/**
 * The reasoning of an item: what is told of it, the item's id, and its seal.
 *
 * @since 0.1.0
 * @category translations
 */
export const toReasoning = (item: unknown): Prompt.ReasoningPart =>
  Json.defined({
    _tag: "Reasoning" as const,
    text: [...Json.array(Json.get(item, "content")), ...Json.array(Json.get(item, "summary"))]
      .flatMap((part) => Json.name(Json.get(part, "text")) ?? [])
      .join("\n\n"),
    signature: Json.name(Json.get(item, "id")),
    redacted: Json.name(Json.get(item, "encrypted_content"))
  })

/**
 * Which tool an item calls. Results name the call's own id, which is not the item's.
 *
 * @since 0.1.0
 * @category translations
 */
export const toToolCall = (item: unknown): { readonly id: string; readonly name: string } => ({
  id: Json.name(Json.get(item, "call_id")) ?? Json.name(Json.get(item, "id")) ?? "",
  name: Json.string(Json.get(item, "name")) ?? ""
})

/**
 * The arguments of an item that calls a tool.
 *
 * @since 0.1.0
 * @category translations
 */
export const toArguments = (item: unknown): string => Json.string(Json.get(item, "arguments")) ?? ""

/**
 * Why the model stopped, from a response that is done.
 *
 * @since 0.1.0
 * @category translations
 */
export const toFinishReason = (response: unknown, calls: boolean, refused: boolean): Completion.FinishReason => {
  const incomplete = Json.get(response, "status") === "incomplete"
  if (incomplete) return incompleteReasons.get(Json.get2(response, "incomplete_details", "reason")) ?? "other"
  return refused ? "content-filter" : calls ? "tool-calls" : "stop"
}

const incompleteReasons: ReadonlyMap<unknown, Completion.FinishReason> = new Map([
  ["max_output_tokens", "length"],
  ["content_filter", "content-filter"]
])

/**
 * Tokens, as the wire counts them: what is cached is part of the input, reasoning part of the output.
 *
 * @since 0.1.0
 * @category translations
 */
export const toUsage = (usage: unknown): Completion.Usage =>
  Json.defined({
    inputTokens: Json.count(Json.get(usage, "input_tokens")),
    outputTokens: Json.count(Json.get(usage, "output_tokens")),
    cachedInputTokens: Json.count(Json.get2(usage, "input_tokens_details", "cached_tokens")),
    cacheWriteTokens: Json.count(Json.get2(usage, "input_tokens_details", "cache_write_tokens")),
    reasoningTokens: Json.count(Json.get2(usage, "output_tokens_details", "reasoning_tokens"))
  })
