/**
 * Ollama's own wire: what `/api/chat` and `/api/embed` take and give, and its translation into the common words.
 *
 * How it differs: a message is one text with its images beside it, so text parts are joined by line breaks; a tool
 * call's arguments are an object and its id may be missing; a tool's result names the tool; sampling lives in
 * `options`; durations count in nanoseconds. What it has no word for is left out: `parallelToolCalls`, `user`, an
 * image's `detail`, a tool result's `isError`. It takes no image by address, no file, and cannot be made to call a
 * tool: those requests are `Unsupported` before anything is sent.
 *
 * @see https://docs.ollama.com/api/chat
 * @see https://docs.ollama.com/api/embed
 * @since 0.1.0
 */
import * as Completion from "@spillway/core/Completion"
import type * as Embedding from "@spillway/core/Embedding"
import * as LlmError from "@spillway/core/LlmError"
import * as Prompt from "@spillway/core/Prompt"
import type * as Tool from "@spillway/core/Tool"
import * as Either from "effect/Either"
import * as HttpBackend from "./HttpBackend.js"
import * as Json from "./internal/json.js"
import * as OllamaLines from "./internal/ollamaLines.js"
import * as ToolArguments from "./internal/toolArguments.js"

declare module "@spillway/core/Completion" {
  interface ProviderOptions {
    /** What only Ollama can be asked for. */
    readonly ollama?: RequestOptions
  }
}

declare module "@spillway/core/Embedding" {
  interface ProviderOptions {
    /** What only Ollama can be asked for. */
    readonly ollama?: EmbedOptions
  }
}

/**
 * What only Ollama can be asked for, with one request for text.
 *
 * @since 0.1.0
 * @category models
 */
export interface RequestOptions {
  /** Thinking, in place of what `reasoning` would say; levels are for models that know them. */
  readonly think?: boolean | "low" | "medium" | "high" | "max"
  /** Tokens of context the model is loaded with. @default the server's */
  readonly numCtx?: number
  /** How long the model stays loaded: seconds or a text (`"5m"`); 0 unloads it, -1 keeps it. @default the server's */
  readonly keepAlive?: number | string
}

/**
 * What only Ollama can be asked for, with one request for embeddings.
 *
 * @since 0.1.0
 * @category models
 */
export interface EmbedOptions {
  /** Whether a text too long for the model is cut; `false` makes it an error. @default true (the server's) */
  readonly truncate?: boolean
  /** How long the model stays loaded: seconds, or a text such as `"5m"`. @default the server's */
  readonly keepAlive?: number | string
}

// -----------------------------------------------------------------------------
// request
// -----------------------------------------------------------------------------

interface Message {
  readonly role: "system" | "user" | "assistant" | "tool"
  readonly content: string
  readonly thinking?: string | undefined
  readonly images?: ReadonlyArray<string> | undefined
  readonly tool_calls?: ReadonlyArray<object> | undefined
  readonly tool_name?: string
  readonly tool_call_id?: string
}

/**
 * The body of `POST /api/chat`. `stream` is always said, since the server's default is to stream.
 *
 * @since 0.1.0
 * @category translations
 */
export const toBody = (
  request: Completion.Request,
  backend: string,
  stream: boolean
): Either.Either<object, LlmError.LlmError> => {
  const { providerOptions, toolChoice } = request
  if (toolChoice !== undefined && toolChoice !== "auto" && toolChoice !== "none") {
    return unsupported(backend, request, "toolChoice", "cannot be made to call a tool")
  }
  const messages: Array<Message> = []
  for (const message of Prompt.make(request.prompt)) {
    switch (message.role) {
      case "system":
        messages.push(message)
        break
      case "user": {
        const texts: Array<string> = []
        const images: Array<string> = []
        for (const part of message.content) {
          if (part._tag === "Text") texts.push(part.text)
          else if (part._tag === "File") return unsupported(backend, request, "file", "reads no files")
          else if (part.source._tag === "Base64") images.push(part.source.data)
          else return unsupported(backend, request, "image by URL", "fetches no image: send its bytes")
        }
        messages.push({ role: "user", content: texts.join("\n"), images: images.length === 0 ? undefined : images })
        break
      }
      case "assistant":
        messages.push(toAssistantMessage(message))
        break
      case "tool":
        for (const { id, name, result } of message.content) {
          messages.push({ role: "tool", content: result, tool_name: name, tool_call_id: id })
        }
        break
    }
  }
  const think = providerOptions?.ollama?.think ?? (request.reasoning && efforts[request.reasoning.effort])
  return Either.right({
    model: request.model,
    messages,
    stream,
    tools: toolChoice === "none" ? undefined : request.tools?.map(toTool),
    format: toFormat(request.format),
    think,
    options: toOptions(request, providerOptions?.ollama?.numCtx),
    keep_alive: providerOptions?.ollama?.keepAlive
  })
}

const unsupported = (backend: string, { model }: Completion.Request, feature: string, what: string) =>
  Either.left(new LlmError.Unsupported({ backend, model, feature, message: `${backend} ${what}` }))

const efforts = { none: false, minimal: "low", low: "low", medium: "medium", high: "high" } as const

/**
 * The form of an answer, as the wire says it.
 *
 * @since 0.1.0
 * @category translations
 */
export const toFormat = (format: Completion.Format | undefined): "json" | Tool.JsonSchema | undefined => {
  switch (format?._tag) {
    case "Json":
      return "json"
    case "JsonSchema":
      return format.schema
    default:
      return undefined
  }
}

/**
 * How tokens are drawn, as the wire says it; nothing where nothing was asked.
 *
 * @see https://docs.ollama.com/modelfile#valid-parameters-and-values
 * @since 0.1.0
 * @category translations
 */
export const toOptions = (
  request: Omit<Completion.Request, "model" | "prompt">,
  numCtx: number | undefined
): object | undefined => {
  const options = {
    num_predict: request.maxTokens,
    temperature: request.temperature,
    top_p: request.topP,
    top_k: request.topK,
    seed: request.seed,
    stop: request.stop,
    presence_penalty: request.presencePenalty,
    frequency_penalty: request.frequencyPenalty,
    num_ctx: numCtx
  }
  return Object.values(options).some((value) => value !== undefined) ? options : undefined
}

const toTool = ({ description, name, parameters }: Tool.Definition) => ({
  type: "function",
  function: { name, description, parameters }
})

const toAssistantMessage = ({ content }: Prompt.AssistantMessage): Message => {
  let text = ""
  let thinking = ""
  const calls: Array<object> = []
  for (const part of content) {
    if (part._tag === "Text") text += part.text
    else if (part._tag === "Reasoning") thinking += part.text
    else calls.push({ id: part.id, function: { name: part.name, arguments: ToolArguments.toObject(part.arguments) } })
  }
  return {
    role: "assistant",
    content: text,
    thinking: thinking === "" ? undefined : thinking,
    tool_calls: calls.length === 0 ? undefined : calls
  }
}

/**
 * The body of `POST /api/embed`.
 *
 * @since 0.1.0
 * @category translations
 */
export const toEmbedBody = ({ dimensions, input, model, providerOptions }: Embedding.Request): object => ({
  model,
  input,
  dimensions,
  truncate: providerOptions?.ollama?.truncate,
  keep_alive: inWords(providerOptions?.ollama?.keepAlive)
})

/** For embeddings the API is described to take a text alone. */
const inWords = (keepAlive: number | string | undefined): string | undefined =>
  typeof keepAlive === "number" ? `${keepAlive}s` : keepAlive

// -----------------------------------------------------------------------------
// answer
// -----------------------------------------------------------------------------

type Exchange = HttpBackend.Exchange<Completion.Request>

/**
 * Why the model stopped: older servers give no reason, and calls are no reason of their own.
 *
 * @since 0.1.0
 * @category translations
 */
export const toFinishReason = (reason: unknown, calls: number): Completion.FinishReason => {
  if (calls > 0) return "tool-calls"
  return reason === undefined || reason === "stop" ? "stop" : reason === "length" ? "length" : "other"
}

/**
 * Tokens as the wire counts them.
 *
 * @since 0.1.0
 * @category translations
 */
export const toUsage = (body: unknown): Completion.Usage =>
  Json.defined({
    inputTokens: Json.count(Json.get(body, "prompt_eval_count")),
    outputTokens: Json.count(Json.get(body, "eval_count"))
  })

/** Older servers give a call no id. Ours is the same whenever the same answer is read, and another for each answer. */
const toCall = (call: unknown, index: number, body: unknown): Prompt.ToolCallPart => ({
  _tag: "ToolCall",
  id: Json.name(Json.get(call, "id")) ??
    `call_${(Json.string(Json.get(body, "created_at")) ?? "").replace(/\D/g, "")}_${index}`,
  name: Json.string(Json.get2(call, "function", "name")) ?? "",
  arguments: ToolArguments.fromObject(Json.get2(call, "function", "arguments"))
})

/**
 * The completion of an answer: reasoning first, then text, then tool calls, as the wire has no order among them.
 *
 * @since 0.1.0
 * @category translations
 */
export const toCompletion = (
  body: unknown,
  exchange: Exchange
): Either.Either<Completion.Completion, LlmError.LlmError> => {
  const message = Json.get(body, "message")
  if (!Json.isObject(message)) {
    return Either.left(
      Json.get(body, "error") === undefined
        ? exchange.malformed("an answer without a message")
        : exchange.failure(body)
    )
  }
  const thinking = Json.name(message["thinking"])
  const text = Json.name(message["content"])
  const calls = Json.array(message["tool_calls"]).map((call, index) => toCall(call, index, body))
  return Either.right(Completion.make({
    model: Json.name(Json.get(body, "model")) ?? exchange.model,
    content: [
      ...(thinking === undefined ? [] : [{ _tag: "Reasoning" as const, text: thinking }]),
      ...(text === undefined ? [] : [Prompt.text(text)]),
      ...calls
    ],
    finishReason: toFinishReason(Json.get(body, "done_reason"), calls.length),
    usage: toUsage(body)
  }))
}

/**
 * Reads the lines of one streamed answer; the line that says `done` ends it. A line that holds an `error` is that
 * error: it comes with status 200, and the answer then ends as if all were well. Lines without a message are skipped.
 *
 * @since 0.1.0
 * @category translations
 */
export const reader = (exchange: Exchange): HttpBackend.Reader<Completion.Part> => {
  let started = false
  let calls = 0
  return OllamaLines.reader(exchange, (line, out) => {
    const message = line["message"]
    if (message === undefined && line["done"] !== true) return undefined
    if (!started) {
      started = true
      out.push({ _tag: "Start", model: Json.name(line["model"]) ?? exchange.model })
    }
    const thinking = Json.name(Json.get(message, "thinking"))
    if (thinking !== undefined) out.push({ _tag: "ReasoningDelta", index: 0, text: thinking })
    const text = Json.name(Json.get(message, "content"))
    if (text !== undefined) out.push({ _tag: "TextDelta", text })
    for (const call of Json.array(Json.get(message, "tool_calls"))) {
      const index = calls++
      const { arguments: args, id, name } = toCall(call, index, line)
      out.push({ _tag: "ToolCallStart", index, id, name }, { _tag: "ToolCallDelta", index, arguments: args })
    }
    if (line["done"] !== true) return undefined
    const usage = toUsage(line)
    out.push({ _tag: "Finish", finishReason: toFinishReason(line["done_reason"], calls), usage })
    return HttpBackend.ended(usage)
  })
}

/**
 * The vectors of an answer, in the order of the texts.
 *
 * @since 0.1.0
 * @category translations
 */
export const toEmbeddings = (
  body: unknown,
  exchange: HttpBackend.Exchange<Embedding.Request>
): Either.Either<Embedding.Embeddings, LlmError.LlmError> => {
  const vectors = Json.array(Json.get(body, "embeddings"))
  if (vectors.length !== exchange.input.input.length || !vectors.every(isVector)) {
    return Either.left(exchange.malformed("not one vector for each text"))
  }
  return Either.right({
    model: Json.name(Json.get(body, "model")) ?? exchange.model,
    vectors,
    usage: toUsage(body)
  })
}

const isVector = (u: unknown): u is ReadonlyArray<number> => Array.isArray(u) && u.every((n) => typeof n === "number")
