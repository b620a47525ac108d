/**
 * How TGI's chat completions differ from OpenAI's.
 *
 * A form of the answer is a grammar, in the server's own words. An assistant's message is text or tool calls: beside a
 * text, the calls would be lost. Every call of a whole answer has the id "0", so that a second one in the same
 * conversation has an id that is taken; it gets the next number, as the server itself counts in streams.
 */
import * as Completion from "@spillway/core/Completion"
import * as LlmError from "@spillway/core/LlmError"
import * as Prompt from "@spillway/core/Prompt"
import * as Either from "effect/Either"
import type * as HttpBackend from "../HttpBackend.js"
import * as OpenAiWire from "../OpenAiWire.js"
import type * as TgiWire from "../TgiWire.js"
import * as OpenAiStream from "./openAiStream.js"

type Exchange = HttpBackend.Exchange<Completion.Request>

const dialect: OpenAiWire.Dialect = {
  backend: "tgi",
  extraFields: ({ format, providerOptions }) => ({
    response_format: providerOptions?.tgi?.regex !== undefined
      ? toGrammar({ _tag: "Regex", pattern: providerOptions.tgi.regex })
      : format?._tag === "JsonSchema"
      ? toGrammar({ _tag: "Json", schema: format.schema })
      : undefined,
    tool_prompt: providerOptions?.tgi?.toolPrompt,
    // it has no word for these
    parallel_tool_calls: undefined,
    reasoning_effort: undefined,
    user: undefined
  })
}

/** A grammar as the server writes it, in a chat's `response_format` and elsewhere. */
export const toGrammar = (grammar: TgiWire.Grammar): object =>
  grammar._tag === "Json" ? { type: "json", value: grammar.schema } : { type: "regex", value: grammar.pattern }

/** The body of `POST /v1/chat/completions` and of `POST /chat_tokenize`. */
export const toBody = (
  request: Completion.Request,
  stream: boolean
): Either.Either<object, LlmError.LlmError> =>
  request.format?._tag === "Json"
    ? Either.left(
      new LlmError.Unsupported({
        backend: dialect.backend,
        model: request.model,
        feature: "format Json",
        message: `${dialect.backend} holds a model to a schema, and not to JSON of any kind: give it a schema`
      })
    )
    : OpenAiWire.toChatBody(
      {
        ...request,
        prompt: Prompt.make(request.prompt).map(callsAlone),
        ...(request.tools !== undefined && {
          tools: request.tools.map(({ description, name, parameters }) => ({
            name,
            parameters,
            ...(description !== undefined && { description })
          }))
        })
      },
      dialect,
      stream
    )

const callsAlone = (message: Prompt.Message): Prompt.Message =>
  message.role === "assistant" && message.content.some(isCall)
    ? { role: "assistant", content: message.content.filter(isCall) }
    : message

const isCall = (part: Prompt.AssistantPart): part is Prompt.ToolCallPart => part._tag === "ToolCall"

/** The completion of a whole answer. */
export const toCompletion = (
  body: unknown,
  exchange: Exchange
): Either.Either<Completion.Completion, LlmError.LlmError> =>
  Either.map(OpenAiWire.toCompletion(body, exchange), (completion) => {
    if (completion.toolCalls.length === 0) return completion
    const { content, text: _, toolCalls: __, ...rest } = completion
    const number = numbering(exchange.input)
    return Completion.make({
      ...rest,
      content: content.map((part) => isCall(part) ? { ...part, id: number(part.id) } : part)
    })
  })

/** A reader for one streamed answer. */
export const reader = (exchange: Exchange): HttpBackend.Reader<Completion.Part> => {
  const { frame } = OpenAiStream.reader(exchange)
  const number = numbering(exchange.input)
  return {
    frame(event, out) {
      const before = out.length
      const verdict = frame(event, out)
      for (let i = before; i < out.length; i++) {
        const part = out[i]!
        if (part._tag === "ToolCallStart") out[i] = { ...part, id: number(part.id) }
      }
      return verdict
    }
  }
}

/** Ids that no call of the conversation has. */
const numbering = ({ prompt }: Completion.Request) => {
  let taken: Set<string> | undefined
  return (id: string): string => {
    if (taken === undefined) {
      taken = new Set()
      for (const { content, role } of Prompt.make(prompt)) {
        if (role !== "assistant") continue
        for (const part of content) if (isCall(part)) taken.add(part.id)
      }
    }
    let free = id
    for (let next = 0; taken.has(free); next++) free = String(next)
    taken.add(free)
    return free
  }
}
