/**
 * Gemini's `generateContent` and `streamGenerateContent`, whole, in events (`alt=sse`) and in one long list. A prompt
 * that says "block this prompt" is blocked.
 *
 * @see https://ai.google.dev/api/generate-content
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import type * as Fields from "./Fields.js"
import type * as Cache from "./GeminiCache.js"
import * as Conversation from "./GeminiConversation.js"
import * as Rules from "./GeminiRules.js"
import type * as Models from "./Models.js"
import * as Reply from "./Reply.js"
import * as Seed from "./Seed.js"
import type * as Wire from "./Wire.js"

const contentType = "application/json; charset=UTF-8"

/**
 * The answer to a good request. `cached` is what it builds upon.
 *
 * @since 0.1.0
 * @category constructors
 */
export const answer = (
  body: Fields.Json,
  model: Models.Model,
  cached: Cache.Cached | undefined,
  stream: boolean,
  call: Wire.Call
): Wire.Answer => {
  const said = Conversation.from(body, model, cached?.body, call.answerTokens)
  const identity = {
    modelVersion: model.snapshot,
    responseId: Seed.identifier(Seed.at(call.id, 3), 22)
  }
  const reply = Reply.to(said)
  const counting = count(reply, cached)
  if (/\bblock this prompt\b/i.test(said.turns.at(-1)?.text ?? "")) {
    const blocked = { promptFeedback: { blockReason: "PROHIBITED_CONTENT" }, usageMetadata: counting(0), ...identity }
    return { input: reply.usage.input, output: 0, render: () => rendered(stream, call, [], blocked) }
  }
  const isOpen = Conversation.thinkingOf(body)["includeThoughts"] === true
  const shown = isOpen ? reply.reasoning.map((text) => ({ text, thought: true })) : []
  const calls = called(reply, model, call)
  const pieces = [...shown, ...reply.text.map((text) => ({ text })), ...calls]
  const finishReason = reply.finish === "length" ? "MAX_TOKENS" : "STOP"
  const event = (parts: ReadonlyArray<Fields.Json>, tokens: number, end: Fields.Json = {}) => ({
    candidates: [{ content: { ...(parts.length === 0 ? {} : { parts }), role: "model" }, ...end, index: 0 }],
    usageMetadata: counting(tokens),
    ...identity
  })
  const total = reply.usage.output - reply.usage.reasoning
  // A thinking model vouches for its words with the last of them.
  const vouched =
    model.kind === "reasoning" && calls.length === 0 && pieces.length > 0
      ? { thoughtSignature: Rules.signature(call.seed) }
      : {}
  return {
    input: reply.usage.input,
    output: reply.usage.output,
    render: () => {
      if (!stream) {
        const texts = [
          ...(shown.length === 0 ? [] : [{ text: reply.reasoning.join(""), thought: true }]),
          ...(reply.text.length === 0 ? [] : [{ text: reply.text.join(""), ...vouched }])
        ]
        return whole(event([...texts, ...calls], total, { finishReason }))
      }
      const last = pieces.length === 0 ? [] : [{ text: "", ...vouched }]
      return rendered(
        true,
        call,
        pieces.map((piece, index) => event([piece], Math.min(total, Math.max(0, index + 1 - shown.length)))),
        event(last, total, { finishReason })
      )
    }
  }
}

const whole = (content: unknown): Wire.Body => ({
  _tag: "Whole",
  contentType,
  content: `${JSON.stringify(content, undefined, 2)}\n`
})

const rendered = (
  stream: boolean,
  { query }: Wire.Call,
  events: ReadonlyArray<unknown>,
  last: unknown
): Wire.Body => {
  if (!stream) return whole(last)
  if (query.get("alt") === "sse") {
    const framed = (event: unknown) => `data: ${JSON.stringify(event)}\r\n\r\n`
    return {
      _tag: "Frames",
      contentType: "text/event-stream",
      opening: "",
      tokens: events.map(framed),
      closing: framed(last)
    }
  }
  return {
    _tag: "Frames",
    contentType,
    opening: "[",
    tokens: events.map((event) => `${JSON.stringify(event)}\n,\r\n`),
    closing: `${JSON.stringify(last)}\n]\n`
  }
}

const count = (reply: Reply.Reply, cached: Cache.Cached | undefined) => (candidatesTokenCount: number) => {
  const { input, reasoning } = reply.usage
  return {
    promptTokenCount: input,
    ...(candidatesTokenCount === 0 ? {} : { candidatesTokenCount }),
    totalTokenCount: input + candidatesTokenCount + reasoning,
    ...(cached === undefined ? {} : { cachedContentTokenCount: cached.tokens }),
    promptTokensDetails: [{ modality: "TEXT", tokenCount: input }],
    ...(reasoning === 0 ? {} : { thoughtsTokenCount: reasoning }),
    serviceTier: "standard"
  }
}

const called = (reply: Reply.Reply, model: Models.Model, call: Wire.Call): ReadonlyArray<Fields.Json> =>
  reply.finish === "length"
    ? []
    : reply.calls.map(({ fragments, name }, index) => ({
        functionCall: {
          ...(Rules.isNew(model) ? { id: Seed.identifier(Seed.at(call.id, 40 + index), 8) } : {}),
          name,
          args: Either.getOrElse(
            Either.try((): unknown => JSON.parse(fragments.join(""))),
            () => ({})
          )
        },
        ...(model.kind === "reasoning" && index === 0 ? { thoughtSignature: Rules.signature(call.seed) } : {})
      }))
