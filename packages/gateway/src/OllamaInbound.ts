/**
 * Requests as Ollama's clients send them, read into the words of core.
 *
 * What only Ollama's own backends know (`num_ctx`, `keep_alive`, thinking without a level) goes along as their provider
 * options; for all others thinking is said in the common word, `reasoning`.
 *
 * @since 0.1.0
 */
import type * as Completion from "@spillway/core/Completion"
import type * as Embedding from "@spillway/core/Embedding"
import * as Prompt from "@spillway/core/Prompt"
import type * as OllamaWire from "@spillway/providers/OllamaWire"
import * as Either from "effect/Either"
import { isNotNullable } from "effect/Predicate"
import * as Fields from "./Fields.js"
import * as OllamaFields from "./OllamaFields.js"
import * as OllamaPrompt from "./OllamaPrompt.js"
import { field, type Refusal } from "./Refusal.js"

/**
 * A text to be made, and whether the client wants it as it comes; or, where nothing is said to the model, only that it
 * be held ready or no more.
 *
 * @since 0.1.0
 * @category models
 */
export type Asked =
  | { readonly _tag: "Text"; readonly request: Completion.Request; readonly stream: boolean }
  | { readonly _tag: "Load" | "Unload"; readonly model: string }

/**
 * Reads a chat request.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toChat = (body: unknown): Either.Either<Asked, Refusal> =>
  Either.flatMap(decodeChat(body), (wire) =>
    Either.map(OllamaPrompt.make(wire.messages ?? []), (prompt) =>
      toAsked(wire, prompt, {
        ...(isNotNullable(wire.tools) && wire.tools.length > 0 && { tools: wire.tools.map(toTool) })
      })))

/**
 * Reads a request to go on from a prompt.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toGenerate = (body: unknown): Either.Either<Asked, Refusal> =>
  Either.map(decodeGenerate(body), (wire) => {
    const { images, prompt, system } = wire
    const isSaid = isNotNullable(prompt) && prompt !== "" || isNotNullable(images) && images.length > 0
    return toAsked(
      wire,
      isSaid
        ? [
          ...(isNotNullable(system) && system !== "" ? [Prompt.system(system)] : []),
          Prompt.user(OllamaPrompt.toUserParts(prompt ?? "", images))
        ]
        : [],
      {}
    )
  })

/**
 * Reads a request for the vectors of texts.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toEmbed = (body: unknown): Either.Either<Embedding.Request, Refusal> =>
  Either.map(decodeEmbed(body), ({ dimensions, input, keep_alive, model, truncate }) => ({
    model,
    input: typeof input === "string" ? [input] : input,
    ...(isNotNullable(dimensions) && { dimensions }),
    ...withOptions<OllamaWire.EmbedOptions>({
      ...(isNotNullable(truncate) && { truncate }),
      ...(isNotNullable(keep_alive) && { keepAlive: keep_alive })
    })
  }))

/**
 * Reads a request for the vector of one text.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toEmbeddings = (body: unknown): Either.Either<Embedding.Request, Refusal> =>
  Either.map(decodeEmbeddings(body), ({ keep_alive, model, prompt }) => ({
    model,
    input: [prompt],
    ...withOptions<OllamaWire.EmbedOptions>({ ...(isNotNullable(keep_alive) && { keepAlive: keep_alive }) })
  }))

/**
 * Reads which model a client wants to know of.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toShow = (body: unknown): Either.Either<string, Refusal> =>
  Either.flatMap(decodeShow(body), ({ model, name }) => Either.fromNullable(model ?? name, () => field("model", "is missing")))

const decodeChat = Fields.decode(OllamaFields.ChatRequest)
const decodeGenerate = Fields.decode(OllamaFields.GenerateRequest)
const decodeEmbed = Fields.decode(OllamaFields.EmbedRequest)
const decodeEmbeddings = Fields.decode(OllamaFields.EmbeddingsRequest)
const decodeShow = Fields.decode(OllamaFields.ShowRequest)

// -----------------------------------------------------------------------------
// translation
// -----------------------------------------------------------------------------

const toAsked = (
  wire: OllamaFields.Common,
  prompt: Prompt.Prompt,
  more: Pick<Completion.Request, "tools">
): Asked =>
  prompt.length === 0
    ? { _tag: wire.keep_alive === 0 || wire.keep_alive === "0" ? "Unload" : "Load", model: wire.model }
    : { _tag: "Text", request: { ...toRequest(wire, prompt), ...more }, stream: wire.stream ?? true }

const toRequest = (wire: OllamaFields.Common, prompt: Prompt.Prompt): Completion.Request => {
  const { format, keep_alive, model, think } = wire
  const options = wire.options ?? {}
  const { num_ctx, num_predict, seed, stop, temperature, top_k } = options
  return {
    model,
    prompt,
    ...(isNotNullable(num_predict) && num_predict > 0 && { maxTokens: num_predict }),
    ...(isNotNullable(temperature) && { temperature }),
    ...(isNotNullable(options.top_p) && { topP: options.top_p }),
    // 0 is all of them
    ...(isNotNullable(top_k) && top_k > 0 && { topK: top_k }),
    ...(isNotNullable(stop) && stop.length > 0 && { stop: typeof stop === "string" ? [stop] : stop }),
    ...(isNotNullable(seed) && { seed }),
    ...(isNotNullable(options.presence_penalty) && { presencePenalty: options.presence_penalty }),
    ...(isNotNullable(options.frequency_penalty) && { frequencyPenalty: options.frequency_penalty }),
    ...(isNotNullable(format) && format !== "" && { format: toFormat(format) }),
    ...(isNotNullable(think) && { reasoning: { effort: effortOf(think) } }),
    ...withOptions<OllamaWire.RequestOptions>({
      ...(isNotNullable(think) && { think }),
      ...(isNotNullable(num_ctx) && { numCtx: num_ctx }),
      ...(isNotNullable(keep_alive) && { keepAlive: keep_alive })
    })
  }
}

const withOptions = <Options extends object>(
  ollama: Options
): { readonly providerOptions?: { readonly ollama: Options } } =>
  Object.keys(ollama).length === 0 ? {} : { providerOptions: { ollama } }

const effortOf = (think: boolean | "low" | "medium" | "high" | "max") =>
  think === false ? "none" : think === true ? "medium" : think === "max" ? "high" : think

const toFormat = (format: "json" | { readonly [key: string]: unknown }): Completion.Format =>
  format === "json" ? { _tag: "Json" } : { _tag: "JsonSchema", name: "answer", schema: format }

const toTool = (
  { function: { description, name, parameters } }: NonNullable<typeof OllamaFields.ChatRequest.Type["tools"]>[number]
) => ({
  name,
  parameters: parameters ?? { type: "object", properties: {} },
  ...(isNotNullable(description) && { description })
})
