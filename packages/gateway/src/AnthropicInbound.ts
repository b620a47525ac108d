/**
 * Requests as Anthropic's clients send them, read into the words of core.
 *
 * What only Anthropic's own backends know (a budget of thinking, marks of what is kept, the finer levels of effort)
 * goes along as their provider options; for all others thinking is said in the common word, `reasoning`.
 *
 * @since 0.1.0
 */
import type * as Completion from "@spillway/core/Completion"
import type * as AnthropicWire from "@spillway/providers/AnthropicWire"
import * as Either from "effect/Either"
import { isNotNullable } from "effect/Predicate"
import * as AnthropicFields from "./AnthropicFields.js"
import * as AnthropicPrompt from "./AnthropicPrompt.js"
import * as Fields from "./Fields.js"
import { field, type Refusal } from "./Refusal.js"

/**
 * A message to be made: the request itself, and whether the client wants it as it comes.
 *
 * @since 0.1.0
 * @category models
 */
export interface Message {
  readonly request: Completion.Request
  readonly stream: boolean
}

const decodeMessage = Fields.decode(AnthropicFields.MessageRequest)
const decodeCount = Fields.decode(AnthropicFields.CountRequest)

/**
 * Reads a request for a message.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toMessage = (body: unknown): Either.Either<Message, Refusal> =>
  Either.flatMap(decodeMessage(body), (wire) =>
    wire.thinking?.type === "enabled" && wire.thinking.budget_tokens >= wire.max_tokens
      ? Either.left(field("thinking.budget_tokens", "must be less than max_tokens"))
      : Either.map(toConversation(wire), (request): Message => ({
        request: {
          ...request,
          maxTokens: wire.max_tokens,
          ...(isNotNullable(wire.temperature) && { temperature: wire.temperature }),
          ...(isNotNullable(wire.top_p) && { topP: wire.top_p }),
          ...(isNotNullable(wire.top_k) && { topK: wire.top_k }),
          ...(isNotNullable(wire.stop_sequences) && wire.stop_sequences.length > 0 && { stop: wire.stop_sequences }),
          ...(isNotNullable(wire.metadata?.user_id) && { user: wire.metadata.user_id }),
          ...withOptions({ ...optionsOf(wire), ...(isNotNullable(wire.service_tier) && { serviceTier: wire.service_tier }) })
        },
        stream: wire.stream ?? false
      })))

/**
 * Reads a request for a number of tokens.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toCount = (body: unknown): Either.Either<Completion.Request, Refusal> =>
  Either.flatMap(decodeCount(body), (wire) =>
    Either.map(toConversation(wire), (request) => ({ ...request, ...withOptions(optionsOf(wire)) })))

// -----------------------------------------------------------------------------
// translation
// -----------------------------------------------------------------------------

type Conversation = AnthropicFields.Conversation

const toConversation = (wire: Conversation): Either.Either<Completion.Request, Refusal> =>
  Either.flatMap(contradiction(wire), () =>
    Either.map(AnthropicPrompt.make(wire), (prompt): Completion.Request => {
      const choice = wire.tool_choice
      const reasoning = reasoningOf(wire)
      return {
        model: wire.model,
        prompt,
        ...(isNotNullable(wire.tools) && wire.tools.length > 0 && { tools: wire.tools.map(toTool) }),
        ...(isNotNullable(choice) && { toolChoice: choice.type === "tool" ? { tool: choice.name } : choices[choice.type] }),
        ...(isNotNullable(choice) && choice.type !== "none" && isNotNullable(choice.disable_parallel_tool_use) && {
          parallelToolCalls: !choice.disable_parallel_tool_use
        }),
        ...(isNotNullable(wire.output_config?.format) && {
          format: { _tag: "JsonSchema", name: "answer", schema: wire.output_config.format.schema }
        }),
        ...(reasoning !== undefined && { reasoning })
      }
    }))

const contradiction = ({ tool_choice: choice, tools }: Conversation): Either.Either<void, Refusal> => {
  const names = tools?.map(({ name }) => name) ?? []
  if (choice?.type === "tool" && !names.includes(choice.name)) {
    return Either.left(field("tool_choice.name", "is not among tools"))
  }
  return choice?.type === "any" && names.length === 0
    ? Either.left(field("tool_choice", "requires tools, and there are none"))
    : Either.void
}

const choices = { auto: "auto", any: "required", none: "none" } as const

const toTool = ({ description, input_schema, name, strict }: NonNullable<Conversation["tools"]>[number]) => ({
  name,
  parameters: input_schema,
  ...(isNotNullable(description) && { description }),
  ...(isNotNullable(strict) && { strict })
})

// -----------------------------------------------------------------------------
// thinking
// -----------------------------------------------------------------------------

const efforts = { low: "low", medium: "medium", high: "high", xhigh: "high", max: "high" } as const

// Who says neither how hard nor how long leaves it to the model, as every backend does by itself.
const reasoningOf = ({ output_config, thinking }: Conversation): Completion.Request["reasoning"] => {
  if (thinking?.type === "disabled") return { effort: "none" }
  if (isNotNullable(output_config?.effort)) return { effort: efforts[output_config.effort] }
  if (thinking?.type !== "enabled") return undefined
  return { effort: thinking.budget_tokens < 4096 ? "low" : thinking.budget_tokens < 16_384 ? "medium" : "high" }
}

const optionsOf = (wire: Conversation): AnthropicWire.RequestOptions => {
  const { output_config, thinking } = wire
  const cacheControl = AnthropicPrompt.cacheControlOf(wire)
  return {
    ...(isNotNullable(thinking) && {
      thinking: thinking.type === "enabled" ? { budgetTokens: thinking.budget_tokens } : thinking.type
    }),
    ...(isNotNullable(output_config?.effort) && { effort: output_config.effort }),
    ...(cacheControl !== undefined && { cacheControl })
  }
}

const withOptions = (anthropic: AnthropicWire.RequestOptions): Pick<Completion.Request, "providerOptions"> =>
  Object.keys(anthropic).length === 0 ? {} : { providerOptions: { anthropic } }
