/**
 * OpenAI's wire: what chat completions, embeddings and the list of models take and give, and its translation into the
 * common words. Most of the field speaks it, each in its own dialect.
 *
 * What it has no word for is left out: a tool result's `isError`, and (unless the dialect has it) `topK` and reasoning
 * that is sent back. A request without tools has no tool choice, since the API refuses one.
 *
 * @see https://platform.openai.com/docs/api-reference/chat
 * @since 0.1.0
 */
import * as Completion from "@spillway/core/Completion"
import type * as Embedding from "@spillway/core/Embedding"
import * as LlmError from "@spillway/core/LlmError"
import type * as Model from "@spillway/core/Model"
import * as Prompt from "@spillway/core/Prompt"
import type * as Tool from "@spillway/core/Tool"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import type * as HttpBackend from "./HttpBackend.js"
import * as Json from "./internal/json.js"

/**
 * How a backend's use of this wire differs from that of the others.
 *
 * @since 0.1.0
 * @category models
 */
export interface Dialect {
  readonly backend: string
  /** The field for the most tokens of an answer. @default "max_tokens", which all but OpenAI's newer models take */
  readonly maxTokensField?: "max_tokens" | "max_completion_tokens"
  /** Where earlier reasoning is sent back: a field of the message, or a part of its content. @default it is left out */
  readonly reasoningField?: "reasoning" | "reasoning_content" | "content"
  /** Whether a stream tells its usage unasked, and does not know how to be asked. @default false */
  readonly usageUnasked?: boolean
  /** Whether `top_k` is known. @default false */
  readonly topK?: boolean
  /** Whether user messages may hold files (PDF) and audio, or audio alone. @default false */
  readonly files?: boolean | "audio"
  /** Whether a JSON schema can only be asked for in the prompt, next to a format that is any JSON. @default false */
  readonly schemaInPrompt?: boolean
  /** What ids of tool calls become that another backend gave, for one that takes only its own form. @default as they are */
  readonly toolCallId?: (id: string) => string
  /** How vectors are asked for; base64 is a quarter of the bytes. @default "float" */
  readonly embeddingEncoding?: "float" | "base64"
  /** The backend's words for how hard to think. @default the common words as they are */
  readonly reasoningEfforts?: { readonly [E in NonNullable<Completion.Request["reasoning"]>["effort"]]?: string }
  /**
   * Fields that only this backend has, from its own part of `providerOptions`, or that it has under another name. They
   * take the place of those of the same name; `undefined` ones are not sent.
   */
  readonly extraFields?: (request: Completion.Request) => Json.Fields | undefined
  /** The same, for embeddings. */
  readonly extraEmbeddingFields?: (request: Embedding.Request) => Json.Fields | undefined
}

// -----------------------------------------------------------------------------
// request
// -----------------------------------------------------------------------------

/**
 * The body of `POST /chat/completions`. Fields that are undefined are not sent.
 *
 * @since 0.1.0
 * @category translations
 */
export const toChatBody = (
  request: Completion.Request,
  dialect: Dialect,
  stream: boolean
): Either.Either<object, LlmError.LlmError> =>
  Either.map(toMessages(request, dialect), (messages) => {
    const tools = request.tools === undefined || request.tools.length === 0 ? undefined : request.tools.map(toTool)
    const effort = request.reasoning?.effort
    return {
      model: request.model,
      messages,
      ...(stream && { stream: true }),
      ...(stream && dialect.usageUnasked !== true && { stream_options: { include_usage: true } }),
      ...(request.maxTokens !== undefined && { [dialect.maxTokensField ?? "max_tokens"]: request.maxTokens }),
      temperature: request.temperature,
      top_p: request.topP,
      ...(dialect.topK === true && { top_k: request.topK }),
      stop: request.stop,
      seed: request.seed,
      presence_penalty: request.presencePenalty,
      frequency_penalty: request.frequencyPenalty,
      ...(tools !== undefined && {
        tools,
        tool_choice: toToolChoice(request.toolChoice),
        parallel_tool_calls: request.parallelToolCalls
      }),
      response_format: toFormat(request.format, dialect),
      reasoning_effort: effort === undefined ? undefined : dialect.reasoningEfforts?.[effort] ?? effort,
      user: request.user,
      ...dialect.extraFields?.(request)
    }
  })

const toTool = ({ description, name, parameters, strict }: Tool.Definition) => ({
  type: "function",
  function: { name, description, parameters, strict }
})

const toToolChoice = (choice: Tool.Choice | undefined) =>
  typeof choice === "object" ? { type: "function", function: { name: choice.tool } } : choice

const toFormat = (format: Completion.Format | undefined, { schemaInPrompt }: Dialect): object | undefined => {
  switch (format?._tag) {
    case undefined:
      return undefined
    case "Text":
      return { type: "text" }
    case "Json":
      return { type: "json_object" }
    case "JsonSchema": {
      const { name, schema, strict } = format
      return schemaInPrompt === true ? { type: "json_object" } : { type: "json_schema", json_schema: { name, schema, strict } }
    }
  }
}

const toMessages = (
  request: Completion.Request,
  dialect: Dialect
): Either.Either<ReadonlyArray<object>, LlmError.LlmError> => {
  const messages: Array<object> = []
  if (dialect.schemaInPrompt === true && request.format?._tag === "JsonSchema") {
    const schema = Json.stringify(request.format.schema) ?? "{}"
    messages.push({ role: "system", content: `Answer with JSON that matches this JSON schema: ${schema}` })
  }
  for (const message of Prompt.make(request.prompt)) {
    switch (message.role) {
      case "system":
        messages.push({ role: "system", content: message.content })
        break
      case "user": {
        const content = toUserContent(message, request.model, dialect)
        if (Either.isLeft(content)) return Either.left(content.left)
        messages.push({ role: "user", content: content.right })
        break
      }
      case "assistant":
        messages.push(toAssistant(message, dialect))
        break
      case "tool":
        for (const { id, result } of message.content) {
          messages.push({ role: "tool", tool_call_id: dialect.toolCallId?.(id) ?? id, content: result })
        }
        break
    }
  }
  return Either.right(messages)
}

const toUserContent = (
  { content }: Prompt.UserMessage,
  model: string,
  dialect: Dialect
): Either.Either<unknown, LlmError.LlmError> => {
  const [first] = content
  if (content.length === 1 && first?._tag === "Text") return Either.right(first.text)
  const parts: Array<unknown> = []
  for (const part of content) {
    if (part._tag === "Text") parts.push({ type: "text", text: part.text })
    else if (part._tag === "Image") {
      parts.push({ type: "image_url", image_url: { url: Prompt.toUrl(part.source), detail: part.detail } })
    } else {
      const file = toFile(part, dialect)
      if (file === undefined) return Either.left(unsupportedFile(part, model, dialect))
      parts.push(file)
    }
  }
  return Either.right(parts)
}

/** Bytes only: the API fetches no file from an address. */
const toFile = ({ name, source }: Prompt.FilePart, dialect: Dialect): object | undefined => {
  if (source._tag === "Url" || dialect.files === undefined || dialect.files === false) return undefined
  const audio = audioFormats.get(source.mediaType)
  if (audio !== undefined) return { type: "input_audio", input_audio: { data: source.data, format: audio } }
  return dialect.files === true
    ? { type: "file", file: { filename: name ?? "file", file_data: Prompt.toUrl(source) } }
    : undefined
}

const audioFormats: ReadonlyMap<string, string> = new Map([
  ["audio/wav", "wav"],
  ["audio/x-wav", "wav"],
  ["audio/mpeg", "mp3"],
  ["audio/mp3", "mp3"]
])

const unsupportedFile = ({ source }: Prompt.FilePart, model: string, { backend, files = false }: Dialect) =>
  new LlmError.Unsupported({
    backend,
    model,
    feature: "file",
    message: files === false
      ? `${backend} takes no files in a message`
      : source._tag === "Url"
      ? `${backend} takes files as bytes, not by their address`
      : `${backend} takes no files but audio in a message`
  })

const toAssistant = (
  { content }: Prompt.AssistantMessage,
  { reasoningField, toolCallId }: Dialect
): object => {
  let text: string | undefined
  let reasoning: string | undefined
  const calls: Array<object> = []
  for (const part of content) {
    if (part._tag === "Text") text = (text ?? "") + part.text
    else if (part._tag === "Reasoning") reasoning = (reasoning ?? "") + part.text
    else {
      // some servers parse the arguments of earlier calls, and no text is no JSON
      const args = part.arguments.trim() === "" ? "{}" : part.arguments
      const id = toolCallId?.(part.id) ?? part.id
      calls.push({ id, type: "function", function: { name: part.name, arguments: args } })
    }
  }
  const told = text ?? (calls.length === 0 ? "" : null)
  return {
    role: "assistant",
    content: reasoningField === "content" && reasoning !== undefined ? withThoughts(reasoning, text) : told,
    ...(calls.length > 0 && { tool_calls: calls }),
    ...(reasoningField !== undefined && reasoningField !== "content" && reasoning !== undefined &&
      { [reasoningField]: reasoning })
  }
}

const withThoughts = (reasoning: string, text: string | undefined): ReadonlyArray<object> => [
  { type: "thinking", thinking: [{ type: "text", text: reasoning }] },
  ...(text === undefined ? [] : [{ type: "text", text }])
]

// -----------------------------------------------------------------------------
// answer
// -----------------------------------------------------------------------------

/**
 * A completion from the body of a chat completion; only the first of several choices is read.
 *
 * @since 0.1.0
 * @category translations
 */
export const toCompletion = (
  body: unknown,
  exchange: HttpBackend.Exchange<Completion.Request>
): Either.Either<Completion.Completion, LlmError.LlmError> => {
  const choice = Json.array(Json.get(body, "choices"))[0]
  const message = Json.get(choice, "message")
  if (!Json.isObject(message)) {
    return Either.left(
      isError(body) ? exchange.failure(body) : exchange.malformed("a chat completion without choices[0].message")
    )
  }
  const content: Array<Prompt.AssistantPart> = []
  const reasoning = reasoningOf(message)
  if (reasoning !== undefined) content.push({ _tag: "Reasoning", text: reasoning })
  const text = textOf(message["content"])
  if (text !== undefined) content.push({ _tag: "Text", text })
  const refusal = Json.name(message["refusal"])
  if (refusal !== undefined) content.push({ _tag: "Text", text: refusal })
  const calls = Json.array(message["tool_calls"])
  for (let i = 0; i < calls.length; i++) content.push(toToolCall(calls[i], i))
  return Either.right(Completion.make({
    ...identify(body, exchange.model),
    content,
    finishReason: toFinishReason(Json.get(choice, "finish_reason"), calls.length > 0, refusal !== undefined),
    usage: toUsage(Json.get(body, "usage"))
  }))
}

/**
 * Whether a body that came with a success is an error all the same.
 *
 * @since 0.1.0
 * @category translations
 */
export const isError = (body: unknown): boolean =>
  (Json.get(body, "error") ?? undefined) !== undefined || Json.get(body, "object") === "error"

/**
 * The id of an answer and the model that gave it; the one asked for, where it does not say.
 *
 * @since 0.1.0
 * @category translations
 */
export const identify = (body: unknown, asked: string): { readonly id?: string; readonly model: string } => {
  const id = Json.name(Json.get(body, "id"))
  const model = Json.name(Json.get(body, "model")) ?? asked
  return id === undefined ? { model } : { id, model }
}

/**
 * The reasoning in a message or a delta; servers differ in what they call it, and Mistral has it among the content.
 *
 * @since 0.1.0
 * @category translations
 */
export const reasoningOf = (message: Json.Fields): string | undefined =>
  Json.name(message["reasoning"]) ?? Json.name(message["reasoning_content"]) ?? thoughtsIn(message["content"])

const thoughtsIn = (content: unknown): string | undefined =>
  Array.isArray(content)
    ? Json.name(content.map((part) => textOf(Json.array(Json.get(part, "thinking"))) ?? "").join(""))
    : undefined

/**
 * The text of a message or a delta, which some give as a list of parts.
 *
 * @since 0.1.0
 * @category translations
 */
export const textOf = (content: unknown): string | undefined =>
  Array.isArray(content)
    ? Json.name(content.map((part) => Json.string(Json.get(part, "text")) ?? "").join(""))
    : Json.name(content)

const toToolCall = (call: unknown, index: number): Prompt.ToolCallPart => ({
  _tag: "ToolCall",
  // some servers give none, and the result must name one
  id: Json.name(Json.get(call, "id")) ?? `call_${index}`,
  name: Json.string(Json.get2(call, "function", "name")) ?? "",
  arguments: argumentsOf(call)
})

/**
 * The arguments of a tool call as text; older servers give an object.
 *
 * @since 0.1.0
 * @category translations
 */
export const argumentsOf = (call: unknown): string => {
  const args = Json.get2(call, "function", "arguments")
  return typeof args === "string" ? args : Json.isObject(args) ? Json.stringify(args) ?? "" : ""
}

/**
 * Why the model stopped. Some servers say `stop` where tools are to be called.
 *
 * @since 0.1.0
 * @category translations
 */
export const toFinishReason = (reason: unknown, calls: boolean, refused: boolean): Completion.FinishReason => {
  if (refused) return "content-filter"
  const known = typeof reason === "string" ? finishReasons.get(reason) ?? "other" : "other"
  return calls && (known === "stop" || known === "other") ? "tool-calls" : known
}

const finishReasons: ReadonlyMap<string, Completion.FinishReason> = new Map(Object.entries<Completion.FinishReason>({
  stop: "stop",
  eos_token: "stop",
  stop_sequence: "stop",
  length: "length",
  model_length: "length",
  tool_calls: "tool-calls",
  function_call: "tool-calls",
  content_filter: "content-filter"
}))

/**
 * Tokens, as the wire counts them: what is cached is part of the prompt, reasoning part of the answer. xAI counts
 * reasoning apart from the answer, which its total gives away.
 *
 * @since 0.1.0
 * @category translations
 */
export const toUsage = (usage: unknown): Completion.Usage => {
  const input = Json.count(Json.get(usage, "prompt_tokens"))
  const output = Json.count(Json.get(usage, "completion_tokens"))
  const reasoning = Json.count(Json.get2(usage, "completion_tokens_details", "reasoning_tokens"))
  const apart = input !== undefined && output !== undefined && reasoning !== undefined && reasoning > 0 &&
    Json.count(Json.get(usage, "total_tokens")) === input + output + reasoning
  return Json.defined({
    inputTokens: input,
    outputTokens: apart ? output + reasoning : output,
    cachedInputTokens: Json.count(Json.get2(usage, "prompt_tokens_details", "cached_tokens")),
    cacheWriteTokens: Json.count(Json.get2(usage, "prompt_tokens_details", "cache_write_tokens")),
    reasoningTokens: reasoning
  })
}

// -----------------------------------------------------------------------------
// embeddings
// -----------------------------------------------------------------------------

/**
 * The body of `POST /embeddings`.
 *
 * @since 0.1.0
 * @category translations
 */
export const toEmbeddingBody = (request: Embedding.Request, dialect: Dialect): object => ({
  model: request.model,
  input: request.input,
  encoding_format: dialect.embeddingEncoding ?? "float",
  dimensions: request.dimensions,
  user: request.user,
  ...dialect.extraEmbeddingFields?.(request)
})

/**
 * The vectors of an answer, in the order of the texts, whatever the order in which they came.
 *
 * @since 0.1.0
 * @category translations
 */
export const toEmbeddings = (
  body: unknown,
  exchange: HttpBackend.Exchange<Embedding.Request>
): Either.Either<Embedding.Embeddings, LlmError.LlmError> => {
  const data = Json.get(body, "data")
  if (!Array.isArray(data)) {
    return Either.left(isError(body) ? exchange.failure(body) : exchange.malformed("embeddings without data"))
  }
  const expected = exchange.input.input.length
  const vectors: Array<ReadonlyArray<number>> = new Array(expected)
  let found = 0
  for (let i = 0; i < data.length; i++) {
    const index = Json.count(Json.get(data[i], "index")) ?? i
    const vector = toVector(Json.get(data[i], "embedding"))
    if (vector === undefined) return Either.left(exchange.malformed(`embeddings where data[${i}] is no vector`))
    if (index < expected && vectors[index] === undefined) found++
    vectors[index] = vector
  }
  return found === expected && vectors.length === expected
    ? Either.right({ model: identify(body, exchange.model).model, vectors, usage: toUsage(Json.get(body, "usage")) })
    : Either.left(exchange.malformed(`${data.length} embeddings for ${expected} texts`))
}

/** Numbers as they are, or base64 of little-endian floats of four bytes. */
const toVector = (embedding: unknown): ReadonlyArray<number> | undefined => {
  if (Array.isArray(embedding)) return embedding.every((n) => typeof n === "number") ? embedding : undefined
  if (typeof embedding !== "string") return undefined
  const decoded = Encoding.decodeBase64(embedding)
  if (Either.isLeft(decoded) || decoded.right.length % 4 !== 0) return undefined
  const { buffer, byteLength, byteOffset } = decoded.right
  const view = new DataView(buffer, byteOffset, byteLength)
  const vector = new Array<number>(byteLength / 4)
  for (let i = 0; i < vector.length; i++) vector[i] = view.getFloat32(i * 4, true)
  return vector
}

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * The models of `GET /models`. How long a context each takes is told under several names, or not at all.
 *
 * @since 0.1.0
 * @category translations
 */
export const toModels = (
  body: unknown,
  exchange: HttpBackend.Exchange<void>
): Either.Either<ReadonlyArray<Model.Model>, LlmError.LlmError> => {
  // Together answers with the bare list
  const data = Array.isArray(body) ? body : Json.get(body, "data")
  if (!Array.isArray(data)) {
    return Either.left(isError(body) ? exchange.failure(body) : exchange.malformed("a list of models without data"))
  }
  const models: Array<Model.Model> = []
  for (const model of data) {
    const id = Json.name(Json.get(model, "id"))
    if (id !== undefined) models.push(toModel(id, model))
  }
  return Either.right(models)
}

const toModel = (id: string, model: unknown): Model.Model =>
  Json.defined({
    id,
    owner: Json.name(Json.get(model, "owned_by")) ?? Json.name(Json.get(model, "organization")),
    created: Json.count(Json.get(model, "created")),
    contextWindow: contextWindows.map((name) => Json.count(Json.get(model, name))).find((n) => n !== undefined) ??
      Json.count(Json.get2(model, "meta", "n_ctx_train")),
    maxOutputTokens: Json.count(Json.get(model, "max_completion_tokens")) ??
      Json.count(Json.get2(model, "top_provider", "max_completion_tokens")),
    displayName: Json.name(Json.get(model, "name")) ?? Json.name(Json.get(model, "display_name"))
  })

const contextWindows = ["context_window", "context_length", "max_model_len", "max_context_length"]
