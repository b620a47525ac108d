/**
 * Chats as OpenAI's clients send them, read into the words of core.
 *
 * @since 0.1.0
 */
import type * as Completion from "@spillway/core/Completion"
import * as Prompt from "@spillway/core/Prompt"
import * as Either from "effect/Either"
import { isNotNullable } from "effect/Predicate"
import * as Fields from "./Fields.js"
import * as OpenAiFields from "./OpenAiFields.js"
import * as OpenAiFormat from "./OpenAiFormat.js"
import type * as OpenAiOutbound from "./OpenAiOutbound.js"
import * as OpenAiOwn from "./OpenAiOwn.js"
import * as OpenAiTools from "./OpenAiTools.js"
import { field, type Refusal } from "./Refusal.js"

/**
 * A chat: the request itself, and the form in which the client wants the answer.
 *
 * @since 0.1.0
 * @category models
 */
export interface Chat {
  readonly request: Completion.Request
  readonly stream: boolean
  /** Whether a stream shall end with a chunk that tells the usage. */
  readonly includeUsage: boolean
  readonly thoughts: OpenAiOutbound.Thoughts
}

const decodeChat = Fields.decode(OpenAiFields.ChatRequest)

/**
 * Reads a chat request.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toChat = (body: unknown): Either.Either<Chat, Refusal> =>
  Either.flatMap(decodeChat(body), (wire) =>
    Either.flatMap(contradiction(wire), () =>
      Either.map(Either.all([toPrompt(wire.messages), toTools(wire), toOwn(wire)]), ([prompt, tools, own]): Chat => ({
        request: { ...toRequest(wire, prompt, tools), ...own },
        stream: wire.stream ?? false,
        includeUsage: wire.stream_options?.include_usage ?? false,
        thoughts: toThoughts(wire)
      }))))

// -----------------------------------------------------------------------------
// translation
// -----------------------------------------------------------------------------

type Request = typeof OpenAiFields.ChatRequest.Type

const contradiction = (wire: Request): Either.Either<void, Refusal> => {
  const refuse = (name: string, says: string) => Either.left(field(name, says))
  if (isNotNullable(wire.stream_options) && wire.stream !== true) {
    return refuse("stream_options", "is only of use with stream: true")
  }
  if (
    isNotNullable(wire.max_tokens) && isNotNullable(wire.max_completion_tokens) &&
    wire.max_tokens !== wire.max_completion_tokens
  ) return refuse("max_tokens", "differs from max_completion_tokens, which says the same")
  if (isNotNullable(wire.user) && isNotNullable(wire.safety_identifier) && wire.user !== wire.safety_identifier) {
    return refuse("user", "differs from safety_identifier, which says the same")
  }
  if (isNotNullable(wire.include_reasoning) && isNotNullable(wire.reasoning_format)) {
    return refuse("include_reasoning", "cannot be said beside reasoning_format")
  }
  return Either.void
}

const toThoughts = ({ include_reasoning: include, reasoning_format: format }: Request): OpenAiOutbound.Thoughts =>
  include === false || format === "hidden"
    ? "hidden"
    : include === true || format === "parsed"
    ? "reasoning"
    : "reasoning_content"

const toRequest = (wire: Request, prompt: Prompt.Prompt, tools: Tools): Completion.Request => {
  const maxTokens = wire.max_completion_tokens ?? wire.max_tokens
  const user = wire.safety_identifier ?? wire.user
  const { temperature, seed } = wire
  return {
    model: wire.model,
    prompt,
    ...(isNotNullable(maxTokens) && { maxTokens }),
    ...(isNotNullable(temperature) && { temperature }),
    ...(isNotNullable(wire.top_p) && { topP: wire.top_p }),
    ...(isNotNullable(wire.top_k) && { topK: wire.top_k }),
    ...(isNotNullable(wire.stop) && wire.stop.length > 0 && {
      stop: typeof wire.stop === "string" ? [wire.stop] : wire.stop
    }),
    ...(isNotNullable(seed) && { seed }),
    ...(isNotNullable(wire.presence_penalty) && { presencePenalty: wire.presence_penalty }),
    ...(isNotNullable(wire.frequency_penalty) && { frequencyPenalty: wire.frequency_penalty }),
    ...tools,
    ...(isNotNullable(wire.parallel_tool_calls) && { parallelToolCalls: wire.parallel_tool_calls }),
    ...(isNotNullable(wire.response_format) && { format: toFormat(wire.response_format) }),
    ...(isNotNullable(wire.reasoning_effort) && { reasoning: { effort: wire.reasoning_effort } }),
    ...(isNotNullable(user) && { user })
  }
}

type Tools = Pick<Completion.Request, "tools" | "toolChoice">

const toTools = ({ tool_choice: choice, tools }: Request): Either.Either<Tools, Refusal> =>
  OpenAiTools.choose((tools ?? []).map((tool) => OpenAiTools.toDefinition(tool.function)), toChoice(choice))

const toOwn = (wire: Request) =>
  OpenAiOwn.along(wire.model, [
    { field: "service_tier", value: wire.service_tier, usual: "auto", option: { serviceTier: wire.service_tier ?? "auto" } },
    { field: "verbosity", value: wire.verbosity, usual: "medium", option: { verbosity: wire.verbosity ?? "medium" } },
    { field: "store", value: wire.store, usual: false, option: { store: wire.store ?? false } },
    { field: "metadata", value: wire.metadata, option: { metadata: wire.metadata ?? {} } },
    { field: "logit_bias", value: wire.logit_bias, option: { logitBias: wire.logit_bias ?? {} } },
    { field: "prompt_cache_key", value: wire.prompt_cache_key, option: { promptCacheKey: wire.prompt_cache_key ?? "" } }
  ])

const toChoice = (choice: Request["tool_choice"]): OpenAiTools.Choice | undefined => {
  if (!isNotNullable(choice)) return undefined
  if (typeof choice === "string") return choice
  if (choice.type === "function") return { at: "tool_choice.function.name", tool: choice.function.name }
  const { mode, tools } = choice.allowed_tools
  return { at: "tool_choice.allowed_tools.tools", mode, allowed: tools.map((tool) => tool.function.name) }
}

const toFormat = (format: NonNullable<Request["response_format"]>): Completion.Format =>
  format.type === "json_schema" ? OpenAiFormat.fromSchema(format.json_schema) : OpenAiFormat.fromPlain(format)

const toPrompt = (messages: ReadonlyArray<OpenAiFields.Message>): Either.Either<Prompt.Prompt, Refusal> => {
  const prompt: Array<Prompt.Message> = []
  const names = new Map<string, string>()
  for (const [i, message] of messages.entries()) {
    switch (message.role) {
      case "system":
      case "developer":
        prompt.push(Prompt.system(toText(message.content)))
        break
      case "user":
        prompt.push(Prompt.user(typeof message.content === "string" ? message.content : message.content.map(toUserPart)))
        break
      case "assistant": {
        for (const call of message.tool_calls ?? []) names.set(call.id, call.function.name)
        const content = toAssistantParts(message)
        if (content.length === 0 && !isNotNullable(message.content)) {
          return Either.left(field(`messages[${i}].content`, "is missing"))
        }
        // an empty answer is an answer
        prompt.push(Prompt.assistant(content.length === 0 ? "" : content))
        break
      }
      case "tool": {
        const called = names.get(message.tool_call_id)
        if (called === undefined) {
          return Either.left(field(`messages[${i}].tool_call_id`, "is not the id of a call in a message before"))
        }
        const result: Prompt.ToolResultPart = {
          _tag: "ToolResult",
          id: message.tool_call_id,
          name: message.name ?? called,
          result: toText(message.content)
        }
        // results come as a message each, but answer one message of calls together
        const last = prompt.at(-1)
        if (last?.role === "tool") prompt[prompt.length - 1] = Prompt.tool([...last.content, result])
        else prompt.push(Prompt.tool([result]))
        break
      }
    }
  }
  return Either.right(prompt)
}

const toText = (content: string | ReadonlyArray<{ readonly text: string }>): string =>
  typeof content === "string" ? content : content.map((part) => part.text).join("\n")

const audioTypes = { wav: "audio/wav", mp3: "audio/mpeg" }

const toUserPart = (part: OpenAiFields.UserPart): Prompt.UserPart => {
  switch (part.type) {
    case "text":
      return Prompt.text(part.text)
    case "image_url": {
      const { url, detail } = part.image_url
      return { ...Prompt.imageUrl(url), ...(isNotNullable(detail) && { detail }) }
    }
    case "file": {
      const { file_data, filename } = part.file
      return { _tag: "File", source: Prompt.fromUrl(file_data), ...(isNotNullable(filename) && { name: filename }) }
    }
    case "input_audio":
      return Prompt.file(part.input_audio.data, audioTypes[part.input_audio.format])
  }
}

const toAssistantParts = (message: Extract<OpenAiFields.Message, { role: "assistant" }>): ReadonlyArray<Prompt.AssistantPart> => {
  const parts: Array<Prompt.AssistantPart> = []
  const { content, refusal, reasoning_details: details } = message
  const reasoning = message.reasoning_content ?? message.reasoning
  if (isNotNullable(details) && details.length > 0) {
    for (const detail of details) {
      parts.push(
        detail.type === "reasoning.encrypted"
          ? { _tag: "Reasoning", text: "", redacted: detail.data }
          : {
            _tag: "Reasoning",
            text: detail.text,
            ...(isNotNullable(detail.signature) && { signature: detail.signature })
          }
      )
    }
  } else if (isNotNullable(reasoning) && reasoning !== "") {
    parts.push({ _tag: "Reasoning", text: reasoning })
  }
  const texts = typeof content === "string"
    ? [content]
    : content?.map((part) => part.type === "text" ? part.text : part.refusal) ?? []
  // what a model refused with is what it said
  for (const said of isNotNullable(refusal) ? [...texts, refusal] : texts) {
    if (said !== "") parts.push(Prompt.text(said))
  }
  for (const call of message.tool_calls ?? []) {
    const signature = call.extra_content?.google?.thought_signature
    parts.push({
      _tag: "ToolCall",
      id: call.id,
      name: call.function.name,
      arguments: call.function.arguments,
      ...(isNotNullable(signature) && { signature })
    })
  }
  return parts
}
