/**
 * Responses as OpenAI's clients ask for them, read into the words of core.
 *
 * A conversation is a list of items. What a model thought, said and called in one turn are items each, and become one
 * message again. Reasoning comes back with what proves it: see `OpenAiReasoning`.
 *
 * @since 0.1.0
 */
import type * as Completion from "@spillway/core/Completion"
import * as Prompt from "@spillway/core/Prompt"
import * as Either from "effect/Either"
import { isNotNullable } from "effect/Predicate"
import * as Fields from "./Fields.js"
import * as OpenAiFormat from "./OpenAiFormat.js"
import * as OpenAiOwn from "./OpenAiOwn.js"
import * as OpenAiReasoning from "./OpenAiReasoning.js"
import * as OpenAiResponsesFields from "./OpenAiResponsesFields.js"
import * as OpenAiTools from "./OpenAiTools.js"
import { field, type Refusal } from "./Refusal.js"

/**
 * A question: the request itself, and what of it the answer repeats.
 *
 * @since 0.1.0
 * @category models
 */
export interface Question {
  readonly request: Completion.Request
  readonly stream: boolean
  readonly asked: OpenAiResponsesFields.Request
}

const decode = Fields.decode(OpenAiResponsesFields.Request)

/**
 * Reads a request for a response.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toQuestion = (body: unknown): Either.Either<Question, Refusal> =>
  Either.flatMap(decode(body), (asked) =>
    Either.flatMap(contradiction(asked), () =>
      Either.map(Either.all([toPrompt(asked), toTools(asked), toOwn(asked)]), ([prompt, tools, own]): Question => ({
        request: { ...toRequest(asked, prompt, tools), ...own },
        stream: asked.stream ?? false,
        asked
      }))))

type Request = OpenAiResponsesFields.Request

const contradiction = ({ safety_identifier, stream, stream_options, user }: Request): Either.Either<void, Refusal> =>
  isNotNullable(stream_options) && stream !== true
    ? Either.left(field("stream_options", "is only of use with stream: true"))
    : isNotNullable(user) && isNotNullable(safety_identifier) && user !== safety_identifier
    ? Either.left(field("user", "differs from safety_identifier, which says the same"))
    : Either.void

// -----------------------------------------------------------------------------
// settings
// -----------------------------------------------------------------------------

type Tools = Pick<Completion.Request, "tools" | "toolChoice">

const toTools = ({ tool_choice, tools }: Request): Either.Either<Tools, Refusal> =>
  OpenAiTools.choose((tools ?? []).map(OpenAiTools.toDefinition), toChoice(tool_choice))

const toOwn = ({ model, prompt_cache_key: key, service_tier: tier, text }: Request) =>
  OpenAiOwn.along(model, [
    { field: "service_tier", value: tier, usual: "auto", option: { serviceTier: tier ?? "auto" } },
    { field: "text.verbosity", value: text?.verbosity, usual: "medium", option: { verbosity: text?.verbosity ?? "medium" } },
    { field: "prompt_cache_key", value: key, option: { promptCacheKey: key ?? "" } }
  ])

const toChoice = (choice: Request["tool_choice"]): OpenAiTools.Choice | undefined =>
  !isNotNullable(choice)
    ? undefined
    : typeof choice === "string"
    ? choice
    : choice.type === "function"
    ? { at: "tool_choice.name", tool: choice.name }
    : { at: "tool_choice.tools", mode: choice.mode, allowed: choice.tools.map(({ name }) => name) }

const toRequest = (asked: Request, prompt: Prompt.Prompt, tools: Tools): Completion.Request => {
  const { max_output_tokens: maxTokens, parallel_tool_calls: parallelToolCalls, temperature, top_p: topP } = asked
  const format = asked.text?.format
  const effort = asked.reasoning?.effort
  const user = asked.safety_identifier ?? asked.user
  return {
    model: asked.model,
    prompt,
    ...(isNotNullable(maxTokens) && { maxTokens }),
    ...(isNotNullable(temperature) && { temperature }),
    ...(isNotNullable(topP) && { topP }),
    ...tools,
    ...(isNotNullable(parallelToolCalls) && { parallelToolCalls }),
    ...(isNotNullable(format) && {
      format: format.type === "json_schema" ? OpenAiFormat.fromSchema(format) : OpenAiFormat.fromPlain(format)
    }),
    ...(isNotNullable(effort) && { reasoning: { effort } }),
    ...(isNotNullable(user) && { user })
  }
}

// -----------------------------------------------------------------------------
// items
// -----------------------------------------------------------------------------

const toPrompt = ({ input, instructions }: Request): Either.Either<Prompt.Prompt, Refusal> => {
  const prompt: Array<Prompt.Message> = isNotNullable(instructions) && instructions !== ""
    ? [Prompt.system(instructions)]
    : []
  if (typeof input === "string") return Either.right([...prompt, Prompt.user(input)])
  const names = new Map<string, string>()
  let proof: { readonly signature?: string } = {}
  // who goes on where the last message stopped is in the same turn
  const model = (parts: ReadonlyArray<Prompt.AssistantPart>) => {
    const last = prompt.at(-1)
    if (parts.length === 0) return
    if (last?.role === "assistant") prompt[prompt.length - 1] = Prompt.assistant([...last.content, ...parts])
    else prompt.push(Prompt.assistant(parts))
  }
  for (const [i, item] of input.entries()) {
    if ("role" in item) {
      const at = item.role === "user" ? missing(item, `input[${i}]`) : undefined
      if (at !== undefined) return Either.left(at)
      if (item.role === "assistant") model(toSaid(item.content))
      else prompt.push(item.role === "user" ? Prompt.user(toUserParts(item)) : Prompt.system(toText(item.content)))
      continue
    }
    switch (item.type) {
      case "reasoning": {
        const thought = OpenAiReasoning.fromItem(item)
        if (thought._tag === "Proof") proof = { signature: thought.signature }
        else model([thought])
        break
      }
      case "function_call":
        names.set(item.call_id, item.name)
        model([{ _tag: "ToolCall", id: item.call_id, name: item.name, arguments: item.arguments, ...proof }])
        proof = {}
        break
      case "function_call_output": {
        const name = item.name ?? names.get(item.call_id)
        if (name === undefined) return Either.left(field(`input[${i}].call_id`, "is not the id of a call in an item before"))
        const result: Prompt.ToolResultPart = { _tag: "ToolResult", id: item.call_id, name, result: toText(item.output) }
        // results are an item each, but answer the calls of one turn together
        const last = prompt.at(-1)
        if (last?.role === "tool") prompt[prompt.length - 1] = Prompt.tool([...last.content, result])
        else prompt.push(Prompt.tool([result]))
      }
    }
  }
  return Either.right(prompt)
}

type Message<Role> = Extract<OpenAiResponsesFields.Item, { readonly role: Role }>

const missing = ({ content }: Message<"user">, at: string): Refusal | undefined => {
  const part = typeof content === "string" ? -1 : content.findIndex((part) =>
    part.type === "input_file" && isNotNullable(part.file_data) === isNotNullable(part.file_url)
  )
  return part < 0 ? undefined : field(`${at}.content[${part}]`, "must have either file_data or file_url")
}

const toText = (content: string | ReadonlyArray<{ readonly text: string }>): string =>
  typeof content === "string" ? content : content.map((part) => part.text).join("\n")

const toSaid = (content: Message<"assistant">["content"]): ReadonlyArray<Prompt.AssistantPart> =>
  // what a model refused with is what it said
  (typeof content === "string" ? [content] : content.map((part) => part.type === "refusal" ? part.refusal : part.text))
    .map(Prompt.text)

const toUserParts = ({ content }: Message<"user">): string | ReadonlyArray<Prompt.UserPart> =>
  typeof content === "string" ? content : content.map(toUserPart)

const toUserPart = (part: OpenAiResponsesFields.UserPart): Prompt.UserPart => {
  switch (part.type) {
    case "input_text":
      return Prompt.text(part.text)
    case "input_image":
      return { ...Prompt.imageUrl(part.image_url), ...(isNotNullable(part.detail) && { detail: part.detail }) }
    case "input_file":
      return {
        _tag: "File",
        source: Prompt.fromUrl(part.file_data ?? part.file_url ?? ""),
        ...(isNotNullable(part.filename) && { name: part.filename })
      }
  }
}
