/**
 * Gemini's wire: what `generateContent` and its kin take and give, and its translation into the common words.
 *
 * How it differs: a conversation is a list of contents of two roles, system messages stand apart; text, thoughts, tool
 * calls, pictures and files are parts of one list; a tool call's arguments are an object, its id may be missing, and
 * the result names the tool; nearly any part may carry a signature, which is sent back as it came (that of a thought
 * only in a turn that is Gemini's own by its other signatures). Thoughts are shown when `reasoning` asks for any, and
 * counted apart from the answer. What it has no word for is left out: `parallelToolCalls`, `user`, an image's `detail`,
 * a file's `name`, a format's `name` and `strict`. A tool that is `strict` makes calls that fit its schema
 * (`VALIDATED`), where calls are not forced anyway.
 *
 * @see https://ai.google.dev/api/generate-content
 * @see https://ai.google.dev/api/embeddings
 * @since 0.1.0
 */
import type * as Completion from "@spillway/core/Completion"
import type * as Embedding from "@spillway/core/Embedding"
import * as Prompt from "@spillway/core/Prompt"
import type * as Tool from "@spillway/core/Tool"
import * as Models from "./internal/geminiModels.js"
import * as GeminiSchema from "./internal/geminiSchema.js"
import * as Json from "./internal/json.js"
import * as MediaType from "./internal/mediaType.js"
import * as ToolArguments from "./internal/toolArguments.js"

declare module "@spillway/core/Completion" {
  interface ProviderOptions {
    /** What only Gemini can be asked for. */
    readonly gemini?: RequestOptions
  }
}

declare module "@spillway/core/Embedding" {
  interface ProviderOptions {
    /** What only Gemini can be asked for. */
    readonly gemini?: EmbedOptions
  }
}

/**
 * What only Gemini can be asked for, with one request for text.
 *
 * @since 0.1.0
 * @category models
 */
export interface RequestOptions {
  /** How the model thinks, in place of what `reasoning` would say: tokens up to 2.5 (-1: as it likes), a level from 3 on. */
  readonly thinking?: { readonly budget: number } | { readonly level: "minimal" | "low" | "medium" | "high" }
  /** Whether a summary of the thoughts is part of the answer. @default true, where thinking is asked for */
  readonly includeThoughts?: boolean
  /** What is blocked from which likelihood on. @default the API's own */
  readonly safetySettings?: ReadonlyArray<{
    readonly category:
      | "HARM_CATEGORY_HARASSMENT"
      | "HARM_CATEGORY_HATE_SPEECH"
      | "HARM_CATEGORY_SEXUALLY_EXPLICIT"
      | "HARM_CATEGORY_DANGEROUS_CONTENT"
      | "HARM_CATEGORY_CIVIC_INTEGRITY"
    readonly threshold: "BLOCK_LOW_AND_ABOVE" | "BLOCK_MEDIUM_AND_ABOVE" | "BLOCK_ONLY_HIGH" | "BLOCK_NONE" | "OFF"
  }>
  /** The name of a cached beginning of the conversation (`cachedContents/…`); system messages and tools go there then. */
  readonly cachedContent?: string
  /** Google's own tools, which run at Google's. */
  readonly builtInTools?: ReadonlyArray<"googleSearch" | "urlContext" | "codeExecution" | "googleMaps">
  /** How many tokens pictures and films are worth. @default the model's */
  readonly mediaResolution?: "low" | "medium" | "high"
  /** At which price and speed. @default "standard" */
  readonly serviceTier?: "standard" | "flex" | "priority"
}

/**
 * What only Gemini can be asked for, with one request for embeddings.
 *
 * @since 0.1.0
 * @category models
 */
export interface EmbedOptions {
  /** What the vectors are for. */
  readonly taskType?:
    | "RETRIEVAL_QUERY"
    | "RETRIEVAL_DOCUMENT"
    | "SEMANTIC_SIMILARITY"
    | "CLASSIFICATION"
    | "CLUSTERING"
    | "QUESTION_ANSWERING"
    | "FACT_VERIFICATION"
    | "CODE_RETRIEVAL_QUERY"
  /** The title of the text; for `RETRIEVAL_DOCUMENT`. */
  readonly title?: string
}

// -----------------------------------------------------------------------------
// request
// -----------------------------------------------------------------------------

type Part = { readonly [key: string]: unknown }

/**
 * A turn of a conversation, or standing instructions.
 *
 * @since 0.1.0
 * @category models
 */
export interface Content {
  readonly role: "user" | "model"
  readonly parts: ReadonlyArray<Part>
}

/**
 * What is said, and what may be called: the fields that a request and a cache have in common.
 *
 * @since 0.1.0
 * @category models
 */
export interface Conversation {
  readonly contents: ReadonlyArray<Content>
  readonly systemInstruction: Content | undefined
  readonly tools: ReadonlyArray<object> | undefined
  readonly toolConfig: object | undefined
}

/**
 * The body of `POST …:generateContent` and `POST …:streamGenerateContent`. Fields that are undefined are not sent.
 *
 * @since 0.1.0
 * @category translations
 */
export const toBody = (request: Completion.Request) => {
  const options = request.providerOptions?.gemini
  const config = toGenerationConfig(request, options)
  return {
    ...toConversation(request),
    generationConfig: Object.values(config).some((value) => value !== undefined) ? config : undefined,
    safetySettings: options?.safetySettings,
    cachedContent: options?.cachedContent,
    serviceTier: options?.serviceTier
  }
}

/**
 * What a request says and what may be called in it.
 *
 * @since 0.1.0
 * @category translations
 */
export const toConversation = (request: Completion.Request): Conversation => {
  const contents: Array<Content> = []
  const system: Array<Part> = []
  // the results of one turn's calls belong together, in however many messages they come
  let results: Array<Part> | undefined
  for (const message of Prompt.make(request.prompt)) {
    if (message.role === "tool") {
      if (results === undefined) contents.push({ role: "user", parts: results = [] })
      results.push(...message.content.map(toResult))
      continue
    }
    if (message.role === "system") {
      if (message.content !== "") system.push({ text: message.content })
      continue
    }
    results = undefined
    const parts = message.role === "user"
      ? message.content.flatMap(toUserPart)
      : toModelParts(message.content, request.model)
    if (parts.length > 0) contents.push({ role: message.role === "user" ? "user" : "model", parts })
  }
  return {
    contents,
    systemInstruction: system.length === 0 ? undefined : { role: "user", parts: system },
    tools: toTools(request),
    toolConfig: toToolConfig(request)
  }
}

const toUserPart = (part: Prompt.UserPart): ReadonlyArray<Part> => {
  if (part._tag === "Text") return part.text === "" ? [] : [{ text: part.text }]
  const { source } = part
  return source._tag === "Base64"
    ? [{ inlineData: { mimeType: source.mediaType, data: source.data } }]
    : [{ fileData: { mimeType: MediaType.ofUrl(source.url), fileUri: source.url } }]
}

const toModelParts = (content: ReadonlyArray<Prompt.AssistantPart>, model: string): ReadonlyArray<Part> => {
  const parts: Array<Part> = []
  // of calls that are made together only the first is signed
  let unsigned = Models.signatureOfOthers(model)
  // others sign thoughts too, which Gemini would refuse; nobody else signs calls and words
  const isOwn = content.some((part) => part._tag !== "Reasoning" && part.signature !== undefined)
  for (const part of content) {
    const thoughtSignature = isOwn ? part.signature : undefined
    if (part._tag === "ToolCall") {
      const { id, name } = part
      const functionCall = { id: id === "" ? undefined : id, name, args: ToolArguments.toObject(part.arguments) }
      parts.push({ functionCall, thoughtSignature: thoughtSignature ?? unsigned })
      unsigned = undefined
    } else if (part.text !== "" || thoughtSignature !== undefined) {
      parts.push({ text: part.text, thought: part._tag === "Reasoning" || undefined, thoughtSignature })
    }
  }
  return parts
}

/** An object is what the tool answered; anything else is put into one, as the API wants it. */
const toResult = ({ id, isError, name, result }: Prompt.ToolResultPart): Part => {
  const value = Json.parse(result)
  const isPlain = Json.isObject(value) && value["output"] === undefined && value["error"] === undefined
  const said = Json.isObject(value) || Array.isArray(value) ? value : result
  return {
    functionResponse: {
      id: id === "" ? undefined : id,
      name,
      response: isError === true ? { error: said } : isPlain ? value : { output: said }
    }
  }
}

const toTools = ({ providerOptions, tools = [] }: Completion.Request): Conversation["tools"] => {
  const builtIn = (providerOptions?.gemini?.builtInTools ?? []).map((name) => ({ [name]: {} }))
  const declared = tools.length === 0 ? [] : [{ functionDeclarations: tools.map(toDeclaration) }]
  return declared.length + builtIn.length === 0 ? undefined : [...declared, ...builtIn]
}

const toDeclaration = ({ description, name, parameters }: Tool.Definition) => ({
  name,
  description,
  parametersJsonSchema: GeminiSchema.from(parameters)
})

const modes = { auto: "AUTO", none: "NONE", required: "ANY" } as const

const toToolConfig = ({ toolChoice, tools = [] }: Completion.Request): object | undefined => {
  // without tools the choice itself is an error
  if (tools.length === 0) return undefined
  const validated = toolChoice === undefined || toolChoice === "auto"
    ? tools.some(({ strict }) => strict === true) ? "VALIDATED" : undefined
    : undefined
  const mode = validated ?? (typeof toolChoice === "string" ? modes[toolChoice] : toolChoice && "ANY")
  if (mode === undefined) return undefined
  const allowedFunctionNames = typeof toolChoice === "object" ? [toolChoice.tool] : undefined
  return { functionCallingConfig: { mode, allowedFunctionNames } }
}

const resolutions = {
  low: "MEDIA_RESOLUTION_LOW",
  medium: "MEDIA_RESOLUTION_MEDIUM",
  high: "MEDIA_RESOLUTION_HIGH"
} as const

const toGenerationConfig = (request: Completion.Request, options: RequestOptions | undefined) => ({
  maxOutputTokens: request.maxTokens,
  temperature: request.temperature,
  topP: request.topP,
  topK: request.topK,
  stopSequences: request.stop,
  seed: request.seed,
  presencePenalty: request.presencePenalty,
  frequencyPenalty: request.frequencyPenalty,
  responseMimeType: request.format === undefined || request.format._tag === "Text" ? undefined : "application/json",
  responseJsonSchema: request.format?._tag === "JsonSchema" ? GeminiSchema.from(request.format.schema) : undefined,
  thinkingConfig: toThinkingConfig(request, options),
  mediaResolution: options?.mediaResolution && resolutions[options.mediaResolution]
})

const toThinkingConfig = ({ model, reasoning }: Completion.Request, options: RequestOptions | undefined) => {
  const { includeThoughts, thinking } = options ?? {}
  const how = thinking === undefined
    ? reasoning && Models.thinking(model, reasoning.effort)
    : "budget" in thinking
    ? { thinkingBudget: thinking.budget }
    : { thinkingLevel: thinking.level.toUpperCase() }
  const isWanted = thinking === undefined
    ? reasoning !== undefined && reasoning.effort !== "none"
    : !("budget" in thinking) || thinking.budget !== 0
  const shown = includeThoughts ?? (isWanted || undefined)
  return how === undefined && shown === undefined ? undefined : { ...how, includeThoughts: shown }
}

/**
 * The body of `POST …:batchEmbedContents`.
 *
 * @since 0.1.0
 * @category translations
 */
export const toEmbedBody = ({ input, ...request }: Embedding.Request): object => ({
  requests: input.map((text) => toEmbedRequest(request, [Prompt.text(text)]))
})

/**
 * One content to embed: the body of `POST …:embedContent`, and an item of a batch. An empty text is sent as it is, so
 * that it is refused rather than missing.
 *
 * @since 0.1.0
 * @category translations
 */
export const toEmbedRequest = (
  { dimensions, model, providerOptions }: Omit<Embedding.Request, "input">,
  content: ReadonlyArray<Prompt.UserPart>
): object => ({
  model: Models.resource(model),
  content: {
    role: "user",
    parts: content.flatMap((part) => part._tag === "Text" ? [{ text: part.text }] : toUserPart(part))
  },
  outputDimensionality: dimensions,
  taskType: providerOptions?.gemini?.taskType,
  title: providerOptions?.gemini?.title
})
