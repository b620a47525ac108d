/**
 * Anthropic's answers: a message, whole or in events.
 *
 * @see https://docs.claude.com/en/docs/build-with-claude/streaming
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Request from "./AnthropicRequest.js"
import * as Rules from "./AnthropicRules.js"
import type * as Fields from "./Fields.js"
import type * as Models from "./Models.js"
import type * as Reply from "./Reply.js"
import * as Seed from "./Seed.js"
import * as Wire from "./Wire.js"

const stopReasons: { readonly [F in Reply.Reply["finish"]]: string } = {
  stop: "end_turn",
  length: "max_tokens",
  tools: "tool_use"
}

const ending = (reply: Reply.Reply) => ({
  stop_reason: reply.stopped === undefined ? stopReasons[reply.finish] : "stop_sequence",
  stop_sequence: reply.stopped ?? null
})

// The members that only the newer version has.
const newer = (call: Wire.Call, members: Fields.Json): Fields.Json =>
  call.headers["anthropic-version"] === Request.newest ? members : {}

const newerMessage = { container: null, diagnostics: null, stop_details: null }
const newerDelta = { container: null, stop_details: null }
const newerToolUse = { caller: { type: "direct" } }

const usage = (input: number, output: number) => ({
  input_tokens: input,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
  output_tokens: output,
  service_tier: "standard",
  inference_geo: "not_available"
})

/**
 * A whole message.
 *
 * @since 0.1.0
 * @category constructors
 */
export const whole = (call: Wire.Call, model: Models.Model, reply: Reply.Reply) => ({
  model: model.snapshot,
  id: messageId(call.id),
  type: "message",
  role: "assistant",
  content: [
    ...(reply.reasoning.length > 0
      ? [
          {
            type: "thinking",
            thinking: reply.reasoning.join(""),
            signature: Rules.signature(reply.reasoning.join(""), call.seed)
          }
        ]
      : []),
    ...(reply.text.length > 0 ? [{ type: "text", text: reply.text.join("") }] : []),
    ...reply.calls.map((one, index) => ({
      type: "tool_use",
      id: toolUseId(call.id, index),
      name: one.name,
      input: parsed(one.fragments.join("")),
      ...newer(call, newerToolUse)
    }))
  ],
  ...ending(reply),
  ...newer(call, newerMessage),
  usage: usage(reply.usage.input, reply.usage.output)
})

// Arguments that were cut off by max_tokens are no JSON; the service then shows none.
const parsed = (json: string): unknown =>
  Either.getOrElse(
    Either.try((): unknown => JSON.parse(json)),
    () => ({})
  )

const messageId = (id: number): string => `msg_01${Seed.identifier(id, 22)}`
const toolUseId = (id: number, index: number): string => `toolu_01${Seed.identifier(Seed.at(id, index), 22)}`

/**
 * An event of a stream. The service pads it with blanks; a parser must not mind.
 *
 * @since 0.1.0
 * @category conversions
 */
export const event = (id: number, data: Fields.Json & { readonly type: string }): string =>
  `event: ${data.type}\ndata: ${JSON.stringify(data)}${" ".repeat(Seed.of(id + data.type.length) & 15)}\n\n`

/**
 * A message in events.
 *
 * @since 0.1.0
 * @category constructors
 */
export const streamed = (call: Wire.Call, model: Models.Model, reply: Reply.Reply): Wire.Body => {
  let events = 0
  const write = (data: Fields.Json & { readonly type: string }) => event(Seed.at(call.id, events++), data)
  const ping = 'event: ping\ndata: {"type": "ping"}\n\n'
  const tokens: Array<string> = []
  let index = 0
  // What begins or ends a block comes with the token that follows or precedes it.
  const block = (start: Fields.Json, deltas: ReadonlyArray<Fields.Json>, last: ReadonlyArray<Fields.Json> = []) => {
    const position = index++
    const written = deltas.map((delta) => write({ type: "content_block_delta", index: position, delta }))
    const ended = [
      ...last.map((delta) => write({ type: "content_block_delta", index: position, delta })),
      write({ type: "content_block_stop", index: position })
    ].join("")
    const started =
      write({ type: "content_block_start", index: position, content_block: start }) + (position === 0 ? ping : "")
    const only = written.length === 0 ? [""] : written
    tokens.push(...only.map((one, at) => `${at === 0 ? started : ""}${one}${at === only.length - 1 ? ended : ""}`))
  }
  if (reply.reasoning.length > 0) {
    block(
      { type: "thinking", thinking: "", signature: "" },
      reply.reasoning.map((thinking) => ({ type: "thinking_delta", thinking })),
      [{ type: "signature_delta", signature: Rules.signature(reply.reasoning.join(""), call.seed) }]
    )
  }
  if (reply.text.length > 0 || (reply.calls.length === 0 && reply.reasoning.length === 0)) {
    block(
      { type: "text", text: "" },
      reply.text.map((text) => ({ type: "text_delta", text }))
    )
  }
  for (const [position, { fragments, name }] of reply.calls.entries()) {
    // An empty object is sent as no fragment at all but the empty one that every tool call begins with.
    const shown = fragments.join("") === "{}" ? [] : fragments
    block(
      { type: "tool_use", id: toolUseId(call.id, position), name, input: {}, ...newer(call, newerToolUse) },
      ["", ...shown].map((partial_json) => ({ type: "input_json_delta", partial_json }))
    )
  }
  const {
    cache_creation: _,
    inference_geo: __,
    service_tier: ___,
    ...counts
  } = usage(reply.usage.input, reply.usage.output)
  return {
    _tag: "Frames",
    contentType: "text/event-stream; charset=utf-8",
    opening: write({
      type: "message_start",
      message: {
        model: model.snapshot,
        id: messageId(call.id),
        type: "message",
        role: "assistant",
        content: [],
        stop_reason: null,
        stop_sequence: null,
        ...newer(call, newerMessage),
        usage: usage(reply.usage.input, 1)
      }
    }),
    tokens,
    closing:
      write({ type: "message_delta", delta: { ...ending(reply), ...newer(call, newerDelta) }, usage: counts }) +
      write({ type: "message_stop" })
  }
}
