/**
 * The messages of Ollama's chats as a prompt of core.
 *
 * How they differ: there a call need have no id, and its result names the tool, or nothing; here each has the id of its
 * call. A call without one is given one, and a result without one answers the first call of that tool that has no
 * result yet, or the first of any.
 *
 * @since 0.1.0
 */
import * as Prompt from "@spillway/core/Prompt"
import * as Either from "effect/Either"
import { isNotNullable } from "effect/Predicate"
import * as OllamaFields from "./OllamaFields.js"
import { field, type Refusal } from "./Refusal.js"

type Of<Role> = Extract<OllamaFields.Message, { readonly role: Role }>

/**
 * The prompt of a chat.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (messages: ReadonlyArray<OllamaFields.Message>): Either.Either<Prompt.Prompt, Refusal> => {
  const prompt: Array<Prompt.Message> = []
  let calls: Array<Prompt.ToolCallPart> = []
  for (const [i, message] of messages.entries()) {
    switch (message.role) {
      case "system":
        prompt.push(Prompt.system(message.content))
        break
      case "user":
        prompt.push(Prompt.user(toUserParts(message.content ?? "", message.images)))
        break
      case "assistant": {
        const asked = toCalls(message, i)
        calls = [...calls, ...asked]
        prompt.push(toAssistant(message, asked))
        break
      }
      case "tool": {
        const call = answered(calls, message)
        if (call === undefined) {
          return Either.left(
            field(`messages[${i}]`, "answers no call of a message before: say which by tool_call_id or tool_name")
          )
        }
        calls = calls.filter((other) => other !== call)
        const result: Prompt.ToolResultPart = {
          _tag: "ToolResult",
          id: call.id,
          name: call.name,
          result: message.content
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

/**
 * A text and pictures, as a user says them.
 *
 * @since 0.1.0
 * @category constructors
 */
export const toUserParts = (
  text: string,
  images: ReadonlyArray<string> | null | undefined
): ReadonlyArray<Prompt.UserPart> => [
  ...(text === "" && isNotNullable(images) && images.length > 0 ? [] : [Prompt.text(text)]),
  ...(images ?? []).map((image) => Prompt.image(image, OllamaFields.mediaTypeOf(image)!))
]

const toCalls = ({ tool_calls }: Of<"assistant">, at: number): ReadonlyArray<Prompt.ToolCallPart> =>
  (tool_calls ?? []).map(({ function: { arguments: args, name }, id, signature }, index) => ({
    _tag: "ToolCall",
    id: isNotNullable(id) && id !== "" ? id : `call_${at}_${index}`,
    name,
    arguments: JSON.stringify(args ?? {}),
    ...(isNotNullable(signature) && { signature })
  }))

const toAssistant = (
  { content, thinking, thoughts }: Of<"assistant">,
  calls: ReadonlyArray<Prompt.ToolCallPart>
): Prompt.AssistantMessage => {
  const reasoning: ReadonlyArray<Prompt.ReasoningPart> = isNotNullable(thoughts) && thoughts.length > 0
    ? thoughts.map(({ redacted, signature, text }) => ({
      _tag: "Reasoning",
      text,
      ...(isNotNullable(signature) && { signature }),
      ...(isNotNullable(redacted) && { redacted })
    }))
    : isNotNullable(thinking) && thinking !== ""
    ? [{ _tag: "Reasoning", text: thinking }]
    : []
  const said = isNotNullable(content) && content !== "" ? [Prompt.text(content)] : []
  const parts = [...reasoning, ...said, ...calls]
  // an empty answer is an answer
  return Prompt.assistant(parts.length === 0 ? "" : parts)
}

const answered = (
  calls: ReadonlyArray<Prompt.ToolCallPart>,
  { name, tool_call_id, tool_name }: Of<"tool">
): Prompt.ToolCallPart | undefined => {
  const tool = tool_name ?? name
  return isNotNullable(tool_call_id)
    ? calls.find(({ id }) => id === tool_call_id)
    : isNotNullable(tool)
    ? calls.find((call) => call.name === tool)
    : calls[0]
}
