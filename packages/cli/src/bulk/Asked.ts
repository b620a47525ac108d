/**
 * What a line of the input asks: a prompt, messages, or a line of a batch as OpenAI's batch API takes it.
 *
 * ```
 * {"id": "a", "prompt": "Why is the sky blue?"}
 * {"messages": [{"role": "user", "content": "…"}], "model": "groq/llama-3.1-8b-instant", "max_tokens": 100}
 * {"custom_id": "b", "method": "POST", "url": "/v1/embeddings", "body": {"model": "…", "input": "…"}}
 * ```
 *
 * The first two take every field of a chat request besides; like in a batch's body, one that cannot be honoured is
 * refused by its name.
 *
 * @since 0.1.0
 */
import type * as Completion from "@spillway/core/Completion"
import type * as Embedding from "@spillway/core/Embedding"
import * as JsonBody from "@spillway/gateway/JsonBody"
import * as OpenAiEmbeddings from "@spillway/gateway/OpenAiEmbeddings"
import * as OpenAiInbound from "@spillway/gateway/OpenAiInbound"
import * as Refusal from "@spillway/gateway/Refusal"
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"

/**
 * A line, read.
 *
 * @since 0.1.0
 * @category models
 */
export interface Asked {
  /** What the line calls itself; its number where it does not. */
  readonly id: string
  /** Whether the answer is wanted as the batch API gives it. */
  readonly isBatch: boolean
  readonly question: Question
}

/**
 * What is asked of a model.
 *
 * @since 0.1.0
 * @category models
 */
export type Question =
  | { readonly _tag: "Chat"; readonly request: Completion.Request }
  | { readonly _tag: "Embed"; readonly request: Embedding.Request; readonly base64: boolean }

/**
 * A line that asks nothing that can be asked.
 *
 * @since 0.1.0
 * @category models
 */
export interface Unclear {
  readonly id: string
  readonly refusal: Refusal.Refusal
}

/**
 * Reads a line, by its number. `model` is asked where the line names none.
 *
 * @since 0.1.0
 * @category conversions
 */
export const parse = (text: string, number: number, model: string | undefined): Either.Either<Asked, Unclear> =>
  Either.match(JsonBody.parse(text), {
    onLeft: (refusal) => Either.left({ id: String(number), refusal }),
    onRight: (line) =>
      Either.mapBoth(read(line, model), {
        onLeft: (refusal) => ({ id: idOf(line) ?? String(number), refusal }),
        onRight: ({ id, ...asked }) => ({ id: id ?? String(number), ...asked })
      })
  })

const read = (line: unknown, model: string | undefined): Either.Either<Read, Refusal.Refusal> =>
  !Predicate.isRecord(line)
    ? refuse("The line must be a JSON object")
    : "custom_id" in line || "url" in line || "body" in line
    ? toBatch(line, model)
    : toChat(line, model)

interface Read extends Omit<Asked, "id"> {
  readonly id: string | undefined
}

type Fields = { readonly [field: string]: unknown }

const toChat = ({ id, prompt, ...rest }: Fields, model: string | undefined): Either.Either<Read, Refusal.Refusal> => {
  if (!isId(id) && id !== undefined) return Either.left(Refusal.field("id", "must be a text, or a number"))
  if (prompt === undefined && rest["messages"] === undefined) {
    return refuse("The line has neither a prompt, nor messages, nor a body")
  }
  if (prompt !== undefined && rest["messages"] !== undefined) {
    return Either.left(Refusal.field("prompt", "is of no use beside messages"))
  }
  if (prompt !== undefined && !Predicate.isString(prompt)) {
    return Either.left(Refusal.field("prompt", "must be a text"))
  }
  const body = { ...rest, ...(prompt !== undefined && { messages: [{ role: "user", content: prompt }] }) }
  return Either.map(chat(body, model), (question) => ({ id: id === undefined ? id : String(id), isBatch: false, question }))
}

const toBatch = (line: Fields, model: string | undefined): Either.Either<Read, Refusal.Refusal> => {
  const { body, custom_id: id, method, url, ...rest } = line
  const [stranger] = Object.keys(rest)
  if (stranger !== undefined) return Either.left(Refusal.field(stranger, "is not a field of a line of a batch"))
  if (!Predicate.isString(id)) return Either.left(Refusal.field("custom_id", "must be a text"))
  if (method !== "POST") return Either.left(Refusal.field("method", "must be \"POST\""))
  if (!Predicate.isRecord(body)) return Either.left(Refusal.field("body", "must be an object"))
  const ask = Predicate.isString(url) && Object.hasOwn(urls, url) ? urls[url] : undefined
  return ask === undefined
    ? Either.left(Refusal.field("url", `must be ${Object.keys(urls).join(" or ")}`))
    : Either.map(ask(body, model), (question) => ({ id, isBatch: true, question }))
}

type Ask = (body: Fields, model: string | undefined) => Either.Either<Question, Refusal.Refusal>

const chat: Ask = (body, model) =>
  Either.flatMap(OpenAiInbound.toChat(withModel(body, model)), ({ request, stream }) =>
    stream
      ? Either.left(Refusal.field("stream", "is of no use here: answers are written whole"))
      : Either.right({ _tag: "Chat", request }))

const embed: Ask = (body, model) =>
  Either.map(OpenAiEmbeddings.toEmbed(withModel(body, model)), ({ base64, request }) => ({ _tag: "Embed", request, base64 }))

/** What a line of a batch may ask for, by its path. */
const urls: { readonly [url: string]: Ask } = { "/v1/chat/completions": chat, "/v1/embeddings": embed }

const withModel = (body: Fields, model: string | undefined): Fields =>
  model === undefined || body["model"] !== undefined ? body : { ...body, model }

const refuse = (message: string) => Either.left(new Refusal.Refusal({ reason: "InvalidRequest", message }))

/** So that a line that cannot be asked can be found again, whatever is wrong with it. */
const idOf = (line: unknown): string | undefined => {
  const id = Predicate.isRecord(line) ? line["custom_id"] ?? line["id"] : undefined
  return isId(id) ? String(id) : undefined
}

const isId = (id: unknown): id is string | number => Predicate.isString(id) || Predicate.isNumber(id)
