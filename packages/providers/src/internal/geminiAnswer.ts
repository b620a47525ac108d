/**
 * What Gemini answers, in the common words: whole answers and vectors, and the pieces of them that a stream has too.
 *
 * @see https://ai.google.dev/api/generate-content#generatecontentresponse
 */
import * as Completion from "@spillway/core/Completion"
import type * as Embedding from "@spillway/core/Embedding"
import * as LlmError from "@spillway/core/LlmError"
import type * as Prompt from "@spillway/core/Prompt"
import * as Either from "effect/Either"
import type * as HttpBackend from "../HttpBackend.js"
import * as Json from "./json.js"
import * as ToolArguments from "./toolArguments.js"

/** @see https://ai.google.dev/api/generate-content#FinishReason */
const finishReasons: ReadonlyMap<unknown, Completion.FinishReason> = new Map([
  ["STOP", "stop"],
  ["MAX_TOKENS", "length"],
  ["CONTINUATION", "length"],
  ["SAFETY", "content-filter"],
  ["RECITATION", "content-filter"],
  ["LANGUAGE", "content-filter"],
  ["BLOCKLIST", "content-filter"],
  ["PROHIBITED_CONTENT", "content-filter"],
  ["SPII", "content-filter"],
  ["MODEL_ARMOR", "content-filter"],
  ["IMAGE_SAFETY", "content-filter"],
  ["IMAGE_PROHIBITED_CONTENT", "content-filter"],
  ["IMAGE_RECITATION", "content-filter"]
])

/**
 * Why the model stopped; calls are no reason of their own, and reasons of later date (or of a call gone wrong) are
 * `other`.
 */
export const toFinishReason = (reason: unknown, calls: number): Completion.FinishReason => {
  const known = finishReasons.get(reason) ?? "other"
  return known === "stop" && calls > 0 ? "tool-calls" : known
}

/**
 * Our count of tokens. Thoughts are counted apart on this wire, and so is what Google's own tools put in.
 */
export const toUsage = (metadata: unknown): Completion.Usage => {
  const count = (name: string) => Json.count(Json.get(metadata, name))
  const thoughts = count("thoughtsTokenCount")
  return Json.defined({
    inputTokens: sum(count("promptTokenCount"), count("toolUsePromptTokenCount")),
    outputTokens: sum(count("candidatesTokenCount"), thoughts),
    cachedInputTokens: count("cachedContentTokenCount"),
    reasoningTokens: thoughts
  })
}

/** What two requests used together. */
export const add = (a: Completion.Usage, b: Completion.Usage): Completion.Usage =>
  Json.defined({ ...a, inputTokens: sum(a.inputTokens, b.inputTokens) })

const sum = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined ? b : b === undefined ? a : a + b

/**
 * The part that a part of the wire is; none for what our words have no part for (a picture, code that was run). A call
 * without an id gets one that is the same whenever the same answer is read.
 */
export const toPart = (part: unknown, callId: () => string): Prompt.AssistantPart | undefined => {
  const signed = Json.defined({ signature: Json.name(Json.get(part, "thoughtSignature")) })
  const call = Json.get(part, "functionCall")
  if (Json.isObject(call)) {
    return {
      _tag: "ToolCall",
      id: Json.name(call["id"]) ?? callId(),
      name: Json.string(call["name"]) ?? "",
      arguments: ToolArguments.fromObject(call["args"]),
      ...signed
    }
  }
  const text = Json.string(Json.get(part, "text"))
  if (text === undefined || text === "" && signed.signature === undefined) return undefined
  return { _tag: Json.get(part, "thought") === true ? "Reasoning" : "Text", text, ...signed }
}

/**
 * The id of a call that came without one: of the answer's own id, and the call's place in it.
 */
export const toCallId = (body: unknown, index: number): string =>
  `call_${(Json.string(Json.get(body, "responseId")) ?? "").replace(/[^\w-]/g, "")}_${index}`

/**
 * The completion of an answer, of which the first candidate is the answer. No candidate at all is a prompt that was
 * blocked.
 */
export const toCompletion = (
  body: unknown,
  exchange: HttpBackend.Exchange<Completion.Request>
): Either.Either<Completion.Completion, LlmError.LlmError> => {
  const candidate = Json.array(Json.get(body, "candidates"))[0]
  if (!Json.isObject(candidate)) {
    return Either.left(
      Json.get(body, "error") !== undefined
        ? exchange.failure(body)
        : blocked(body, exchange) ?? exchange.malformed("an answer without candidates")
    )
  }
  const content: Array<Prompt.AssistantPart> = []
  let calls = 0
  for (const one of Json.array(Json.get2(candidate, "content", "parts"))) {
    const part = toPart(one, () => toCallId(body, calls))
    if (part === undefined) continue
    if (part._tag === "ToolCall") calls++
    content.push(part)
  }
  return Either.right(Completion.make({
    ...Json.defined({ id: Json.name(Json.get(body, "responseId")) }),
    model: Json.name(Json.get(body, "modelVersion")) ?? exchange.model,
    content,
    finishReason: toFinishReason(candidate["finishReason"], calls),
    usage: toUsage(Json.get(body, "usageMetadata"))
  }))
}

/**
 * The error of an answer that says its prompt was blocked; `undefined` when it says no such thing.
 */
export const blocked = (
  body: unknown,
  { backend, model }: Pick<HttpBackend.Exchange<unknown>, "backend" | "model">
): LlmError.ContentFiltered | undefined => {
  const reason = Json.get2(body, "promptFeedback", "blockReason")
  if (reason === undefined || reason === null) return undefined
  const code = typeof reason === "string" && /^[A-Z_]{1,64}$/.test(reason) ? reason : "OTHER"
  const message = `${backend} blocked the prompt (${code})`
  return new LlmError.ContentFiltered({ backend, model, status: 200, code, message })
}

/**
 * The vectors of an answer, in the order of the texts.
 */
export const toEmbeddings = (
  body: unknown,
  exchange: HttpBackend.Exchange<Embedding.Request>
): Either.Either<Embedding.Embeddings, LlmError.LlmError> => {
  const vectors = Json.array(Json.get(body, "embeddings")).map((embedding) => Json.get(embedding, "values"))
  return vectors.length === exchange.input.input.length && vectors.every(isVector)
    ? Either.right({ model: exchange.model, vectors, usage: toUsage(Json.get(body, "usageMetadata")) })
    : Either.left(exchange.malformed("not one vector for each text"))
}

/** Whether a value is a vector. */
export const isVector = (u: unknown): u is ReadonlyArray<number> =>
  Array.isArray(u) && u.every((n) => typeof n === "number")
