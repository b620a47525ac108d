/**
 * A streamed answer in the events of Anthropic's wire.
 *
 * There one block is open at a time, and blocks are numbered in their order; in core tool calls may interleave. What
 * comes while a call's arguments are not yet complete JSON waits until they are, or until the answer ends.
 *
 * @see https://platform.claude.com/docs/en/build-with-claude/streaming
 * @since 0.1.0
 */
import type * as Completion from "@spillway/core/Completion"
import * as Either from "effect/Either"
import * as AnthropicFault from "./AnthropicFault.js"
import * as AnthropicOutbound from "./AnthropicOutbound.js"
import type { Writer } from "./EventStream.js"
import { event } from "./EventStream.js"
import type { Exchange } from "./Exchange.js"

/**
 * Writes a streamed answer event by event. The tokens of the prompt are known at its end only, and told there.
 *
 * @since 0.1.0
 * @category constructors
 */
export const writer = (envelope: AnthropicOutbound.Envelope, exchange: Pick<Exchange, "id">): Writer => {
  const blocks = makeBlocks()
  const write = (part: Completion.Part): string => {
    switch (part._tag) {
      case "Start": {
        const { id = envelope.id, model } = part
        return named("message_start", {
          message: AnthropicOutbound.empty({ id, model: model === "" ? envelope.model : model })
        })
      }
      case "Finish": {
        const { stop_details, stop_reason, stop_sequence } = AnthropicOutbound.ending(part.finishReason)
        return blocks.end() + named("message_delta", {
          delta: { stop_reason, stop_sequence, stop_details, container: null },
          usage: AnthropicOutbound.toUsage(part.usage)
        })
      }
      default:
        return blocks.write(part)
    }
  }
  return {
    heartbeat: ping,
    parts: (parts) => {
      let text = ""
      for (const part of parts) text += write(part)
      return text
    },
    ended: () => named("message_stop", {}),
    failed: (failure) => `event: error\n${event(JSON.stringify(AnthropicFault.toJson(failure, exchange)))}`
  }
}

const named = (type: string, fields: object): string => `event: ${type}\n${event(JSON.stringify({ type, ...fields }))}`

const ping = named("ping", {})

// -----------------------------------------------------------------------------
// blocks
// -----------------------------------------------------------------------------

type Piece = Exclude<Completion.Part, { readonly _tag: "Start" | "Finish" }>

/** The block that is open: a text, a thought, or a call with its arguments so far. */
type Open =
  | { readonly kind: "text" }
  | { readonly kind: "thought"; readonly index: number }
  | { readonly kind: "call"; readonly index: number; args: string }

const makeBlocks = () => {
  let made = 0
  let open: Open | undefined
  let waiting: Array<Piece> = []

  const close = (): string => {
    if (open === undefined) return ""
    open = undefined
    return named("content_block_stop", { index: made++ })
  }
  const begin = (next: Open | undefined, content_block: object): string => {
    const closed = close()
    open = next
    return closed + named("content_block_start", { index: made, content_block })
  }
  const delta = (delta: object): string => named("content_block_delta", { index: made, delta })

  const say = (piece: Piece): string => {
    switch (piece._tag) {
      case "TextDelta":
        if (piece.text === "") return ""
        return (open?.kind === "text" ? "" : begin({ kind: "text" }, { type: "text", text: "" })) +
          delta({ type: "text_delta", text: piece.text })
      case "ReasoningDelta":
        return think(piece)
      case "ToolCallStart":
        return begin({ kind: "call", index: piece.index, args: "" }, AnthropicOutbound.toolUse(piece))
      case "ToolCallDelta":
        if (open?.kind !== "call" || open.index !== piece.index || piece.arguments === "") return ""
        open.args += piece.arguments
        return delta({ type: "input_json_delta", partial_json: piece.arguments })
    }
  }

  const think = ({ index, redacted, signature, text }: Extract<Piece, { _tag: "ReasoningDelta" }>): string => {
    if (redacted !== undefined) {
      return begin({ kind: "thought", index }, AnthropicOutbound.sealed(redacted, signature)) + close()
    }
    if (text === "" && signature === undefined) return ""
    const begun = open?.kind === "thought" && open.index === index
      ? ""
      : begin({ kind: "thought", index }, { type: "thinking", thinking: "", signature: "" })
    return begun +
      (text === "" ? "" : delta({ type: "thinking_delta", thinking: text })) +
      (signature === undefined ? "" : delta({ type: "signature_delta", signature }))
  }

  const belongs = (piece: Piece) => open?.kind === "call" && piece._tag === "ToolCallDelta" && piece.index === open.index
  const mustWait = () => open?.kind === "call" && !isComplete(open.args)

  const write = (piece: Piece): string => {
    if (!belongs(piece) && (waiting.length > 0 || mustWait())) {
      waiting.push(piece)
      return ""
    }
    const said = say(piece)
    return waiting.length === 0 || mustWait() ? said : said + release()
  }
  const release = (): string => {
    const pieces = waiting
    waiting = []
    let text = ""
    for (const piece of pieces) text += write(piece)
    return text
  }

  return {
    write,
    end: (): string => {
      let text = close()
      while (waiting.length > 0) {
        text += release() + close()
      }
      return text
    }
  }
}

const isComplete = (json: string): boolean =>
  json.trimEnd().endsWith("}") && Either.isRight(Either.try((): unknown => JSON.parse(json)))
