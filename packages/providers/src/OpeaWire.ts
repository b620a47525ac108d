/**
 * OPEA's own wire: what its megaservices take and give, and its translation into the common words.
 *
 * A megaservice is a whole application (retrieval, reranking, a model) behind one route. What it has no word for is
 * left out: `seed`, `user`, `reasoning`, `parallelToolCalls`; `stop` is sent, and some ignore it. It calls no tools and
 * knows no format; only `VisualQnA` looks at pictures; `Translation` and `CodeTrans` take one text and two languages
 * (`providerOptions.opea`). Those requests are `Unsupported` before anything is sent. Tokens are not counted: what
 * comes as zero is unknown.
 *
 * @see https://github.com/opea-project/GenAIExamples
 * @see https://github.com/opea-project/GenAIComps/blob/main/comps/cores/proto/api_protocol.py
 * @since 0.1.0
 */
import * as Completion from "@spillway/core/Completion"
import * as LlmError from "@spillway/core/LlmError"
import * as Prompt from "@spillway/core/Prompt"
import * as Either from "effect/Either"
import type * as HttpBackend from "./HttpBackend.js"
import * as Json from "./internal/json.js"
import * as OpeaStream from "./internal/opeaStream.js"
import * as OpenAiWire from "./OpenAiWire.js"
import * as OpeaComponentWire from "./OpeaComponentWire.js"

declare module "@spillway/core/Completion" {
  interface ProviderOptions {
    /** What only OPEA can be asked for. */
    readonly opea?: RequestOptions
  }
}

/**
 * What only OPEA's megaservices can be asked for, with one request for text. Each megaservice heeds those that concern
 * it.
 *
 * @since 0.1.0
 * @category models
 */
export interface RequestOptions extends OpeaComponentWire.Search {
  /** Documents that are kept after reranking, from 1. @default 1 (the server's) */
  readonly topN?: number
  /** Punishes repetition; 1 does not. @default 1.03 (the server's) */
  readonly repetitionPenalty?: number
  /** The template of the prompt, with `{question}` and perhaps `{context}` in it. @default the server's */
  readonly chatTemplate?: string
  /** Where documents are looked for. @default none for `CodeGen`, else the server's */
  readonly indexName?: string
  /** The language of the answer: `auto`, `en`, `zh`. @default "auto" (the server's) */
  readonly language?: string
  /** How `DocSum` gets at its summary. @default "auto" (the server's) */
  readonly summaryType?: "auto" | "stuff" | "truncate" | "map_reduce" | "refine"
  /** How large the pieces are that `DocSum` cuts its document into, in tokens. @default the server's */
  readonly chunkSize?: number
  /** How many tokens two such pieces share. @default the server's */
  readonly chunkOverlap?: number
  /** The language (for `CodeTrans`, of programs) of the text: needed by `Translation` and `CodeTrans`. */
  readonly from?: string
  /** The language into which it is translated: needed by `Translation` and `CodeTrans`. */
  readonly to?: string
}

// -----------------------------------------------------------------------------
// megaservices
// -----------------------------------------------------------------------------

/**
 * How a megaservice is asked.
 *
 * @since 0.1.0
 * @category models
 */
export interface Shape {
  readonly path: string
  /** The port on which it listens, unless it was told another. */
  readonly port: number
  /** What its answers call themselves in place of a model; a request for this name says nothing of a model. */
  readonly name: string
  /** What the body is: a conversation, a document to sum up, or a text in a field of that name, to be translated. */
  readonly takes: "conversation" | "document" | { readonly field: string }
  /** Whether it looks at pictures. */
  readonly images?: true
  /** Whether it streams whatever it is asked. */
  readonly alwaysStreams?: true
}

/**
 * The megaservices. `FaqGen` is a component that is asked like one; `AgentQnA` is the supervising agent.
 *
 * @since 0.1.0
 * @category megaservices
 */
export const megaservices = {
  ChatQnA: { path: "/v1/chatqna", port: 8888, name: "chatqna", takes: "conversation" },
  CodeGen: { path: "/v1/codegen", port: 7778, name: "codegen", takes: "conversation" },
  DocSum: { path: "/v1/docsum", port: 8888, name: "docsum", takes: "document" },
  Translation: {
    path: "/v1/translation",
    port: 8888,
    name: "translation",
    takes: { field: "source_language" },
    alwaysStreams: true
  },
  CodeTrans: {
    path: "/v1/codetrans",
    port: 7777,
    name: "codetrans",
    takes: { field: "source_code" },
    alwaysStreams: true
  },
  SearchQnA: { path: "/v1/searchqna", port: 3008, name: "searchqna", takes: "conversation" },
  FaqGen: { path: "/v1/faqgen", port: 9000, name: "faqgen", takes: "conversation" },
  AgentQnA: { path: "/v1/chat/completions", port: 9090, name: "agentqna", takes: "conversation" },
  VisualQnA: { path: "/v1/visualqna", port: 8888, name: "visualqna", takes: "conversation", images: true }
} as const satisfies { readonly [name: string]: Shape }

/**
 * The name of a megaservice.
 *
 * @since 0.1.0
 * @category models
 */
export type Megaservice = keyof typeof megaservices

/**
 * The names of the megaservices.
 *
 * @since 0.1.0
 * @category megaservices
 */
export const names = Object.keys(megaservices) as [Megaservice, ...Array<Megaservice>] // the keys of the object above

/**
 * What is sent to a megaservice. `stream` is always said, since the server's default is to stream.
 *
 * @since 0.1.0
 * @category translations
 */
export const toBody = (
  request: Completion.Request,
  megaservice: Megaservice,
  stream: boolean
): Either.Either<object, LlmError.LlmError> => {
  const shape: Shape = megaservices[megaservice]
  const { model, providerOptions, tools, toolChoice } = request
  const unsupported = (feature: string, what: string) =>
    Either.left(
      new LlmError.Unsupported({ backend: "opea", feature, message: `opea: ${megaservice} ${what}`, ...named(model) })
    )
  if (tools !== undefined && tools.length > 0 && toolChoice !== "none") return unsupported("tools", "calls no tools")
  if (request.format !== undefined && request.format._tag !== "Text") {
    return unsupported("format", "answers in no format but text")
  }
  return Either.flatMap(toMessages(request, shape, unsupported), (messages): Either.Either<object, LlmError.LlmError> => {
    const options = providerOptions?.opea ?? {}
    if (typeof shape.takes === "object") {
      return typeof messages === "string"
        ? toTranslation(messages, shape.takes.field, options, request)
        : unsupported("conversation", "takes one text of the user and nothing else")
    }
    return Either.right({
      model: model === shape.name ? undefined : Json.name(model),
      messages,
      stream,
      max_tokens: request.maxTokens,
      temperature: request.temperature,
      top_p: request.topP,
      top_k: request.topK,
      stop: request.stop,
      presence_penalty: request.presencePenalty,
      frequency_penalty: request.frequencyPenalty,
      repetition_penalty: options.repetitionPenalty,
      chat_template: options.chatTemplate,
      index_name: options.indexName,
      language: options.language,
      ...OpeaComponentWire.toSearch(options),
      top_n: options.topN,
      ...(shape.takes === "document" && {
        type: "text",
        summary_type: options.summaryType,
        chunk_size: options.chunkSize,
        chunk_overlap: options.chunkOverlap
      })
    })
  })
}

const named = (model: string) => model === "" ? {} : { model }

const toTranslation = (
  text: string,
  field: string,
  { from, to }: RequestOptions,
  { model }: Completion.Request
): Either.Either<object, LlmError.LlmError> =>
  from !== undefined && to !== undefined
    ? Either.right({ language_from: from, language_to: to, [field]: text })
    : Either.left(
      new LlmError.InvalidRequest({
        backend: "opea",
        field: `providerOptions.opea.${from === undefined ? "from" : "to"}`,
        message: "opea must be told in providerOptions.opea from which language to translate, and into which",
        ...named(model)
      })
    )

/**
 * One text of the user as it is: with its role before it, documents would be searched for that as well. Of several
 * system messages a megaservice hears the last, so they are one.
 */
const toMessages = (
  { prompt }: Completion.Request,
  { images }: Shape,
  unsupported: (feature: string, what: string) => Either.Either<never, LlmError.LlmError>
): Either.Either<string | ReadonlyArray<object>, LlmError.LlmError> => {
  const system: Array<string> = []
  const messages: Array<{ readonly role: string; readonly content: string | ReadonlyArray<object> }> = []
  for (const message of Prompt.make(prompt)) {
    switch (message.role) {
      case "system":
        system.push(message.content)
        break
      case "user": {
        const texts: Array<string> = []
        const shown: Array<object> = []
        for (const part of message.content) {
          if (part._tag === "Text") texts.push(part.text)
          else if (part._tag === "File") return unsupported("file", "reads no files in a message: ingest them")
          else if (images !== true) return unsupported("image", "looks at no pictures")
          else {
            const url = part.source._tag === "Url" ? part.source.url : part.source.data
            shown.push({ type: "image_url", image_url: { url } })
          }
        }
        const text = texts.join("\n")
        messages.push({ role: "user", content: shown.length === 0 ? text : [{ type: "text", text }, ...shown] })
        break
      }
      case "assistant":
        if (message.content.some(({ _tag }) => _tag === "ToolCall")) return unsupported("tools", "calls no tools")
        messages.push({
          role: "assistant",
          content: message.content.map((part) => part._tag === "Text" ? part.text : "").join("")
        })
        break
      case "tool":
        return unsupported("tools", "calls no tools")
    }
  }
  const [first] = messages
  return Either.right(
    system.length === 0 && messages.length === 1 && first?.role === "user" && typeof first.content === "string"
      ? first.content
      : system.length === 0
      ? messages
      : [{ role: "system", content: system.join("\n") }, ...messages]
  )
}

/**
 * The completion of an answer that came whole: like a chat completion, or (from agents and components) a text.
 *
 * @since 0.1.0
 * @category translations
 */
export const toCompletion = (
  body: unknown,
  exchange: HttpBackend.Exchange<Completion.Request>
): Either.Either<Completion.Completion, LlmError.LlmError> => {
  const text = Json.string(Json.get(body, "text"))
  if (text === undefined) {
    return Either.map(OpenAiWire.toCompletion(body, exchange), (completion) =>
      OpeaStream.isKnown(completion.usage) ? completion : { ...completion, usage: {} })
  }
  return Either.right(Completion.make({
    model: exchange.model,
    content: text === "" ? [] : [Prompt.text(text)],
    finishReason: "stop",
    usage: {}
  }))
}
