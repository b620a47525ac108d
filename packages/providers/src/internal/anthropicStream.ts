/**
 * Reads the events of a streamed message on Anthropic's wire, up to its `message_stop`.
 *
 * `message_start`, then for each block `content_block_start`, its deltas and `content_block_stop`, then
 * `message_delta` with why it stopped, then `message_stop`; `ping` and `error` may come at any time. Events, blocks and
 * deltas of unknown type are skipped, as the vendor asks.
 *
 * @see https://platform.claude.com/docs/en/build-with-claude/streaming
 */
import type * as Completion from "@spillway/core/Completion"
import * as HttpBackend from "../HttpBackend.js"
import * as Answer from "./anthropicAnswer.js"
import * as Json from "./json.js"

/** A reader for one answer. */
export const reader = (exchange: HttpBackend.Exchange<Completion.Request>): HttpBackend.Reader<Completion.Part> => {
  let started = false
  let counts = Answer.toCounts(undefined)
  let finishReason: Completion.FinishReason = "other"
  // tool calls of which no argument has come yet, and what their arguments are if none does
  const silent = new Map<number, string>()

  const start = (message: unknown, out: Array<Completion.Part>) => {
    if (started) return
    started = true
    out.push({
      _tag: "Start",
      ...Json.defined({ id: Json.name(Json.get(message, "id")) }),
      model: Json.name(Json.get(message, "model")) ?? exchange.model
    })
  }

  const breakSilence = (index: number, out: Array<Completion.Part>) => {
    const args = silent.get(index)
    if (args !== undefined && silent.delete(index)) out.push({ _tag: "ToolCallDelta", index, arguments: args })
  }

  const begin = (index: number, block: unknown, out: Array<Completion.Part>) => {
    const part = Answer.toPart(block)
    if (part === undefined) return
    if (part._tag === "ToolCall") {
      silent.set(index, part.arguments)
      out.push({ _tag: "ToolCallStart", index, id: part.id, name: part.name })
    } else if (part._tag === "Reasoning") {
      if (part.text !== "" || part.signature !== undefined || part.redacted !== undefined) {
        out.push({ ...part, _tag: "ReasoningDelta", index })
      }
    } else if (part.text !== "") {
      out.push({ _tag: "TextDelta", text: part.text })
    }
  }

  const delta = (index: number, delta: unknown, out: Array<Completion.Part>) => {
    switch (Json.get(delta, "type")) {
      case "text_delta": {
        const text = Json.name(Json.get(delta, "text"))
        if (text !== undefined) out.push({ _tag: "TextDelta", text })
        break
      }
      case "thinking_delta": {
        const text = Json.name(Json.get(delta, "thinking"))
        if (text !== undefined) out.push({ _tag: "ReasoningDelta", index, text })
        break
      }
      case "signature_delta": {
        const signature = Json.name(Json.get(delta, "signature"))
        if (signature !== undefined) out.push({ _tag: "ReasoningDelta", index, text: "", signature })
        break
      }
      case "input_json_delta": {
        const args = Json.name(Json.get(delta, "partial_json"))
        if (args === undefined) break
        silent.delete(index)
        out.push({ _tag: "ToolCallDelta", index, arguments: args })
        break
      }
    }
  }

  return {
    frame(frame, out) {
      const event = Json.parse(frame.data)
      if (event === undefined) return exchange.malformed("an event that is not JSON")
      const type = Json.get(event, "type")
      if (type === "error" || frame.event === "error") return exchange.failure(event)
      const index = Json.count(Json.get(event, "index")) ?? 0
      switch (type) {
        case "message_start": {
          const message = Json.get(event, "message")
          counts = Answer.toCounts(Json.get(message, "usage"))
          start(message, out)
          break
        }
        case "content_block_start":
          start(undefined, out)
          begin(index, Json.get(event, "content_block"), out)
          break
        case "content_block_delta":
          start(undefined, out)
          delta(index, Json.get(event, "delta"), out)
          break
        case "content_block_stop":
          breakSilence(index, out)
          break
        case "message_delta":
          counts = Answer.toCounts(Json.get(event, "usage"), counts)
          finishReason = Answer.toFinishReason(Json.get2(event, "delta", "stop_reason"))
          break
        case "message_stop": {
          start(undefined, out)
          for (const index of silent.keys()) breakSilence(index, out)
          const usage = Answer.toUsage(counts)
          out.push({ _tag: "Finish", finishReason, usage })
          return HttpBackend.ended(usage)
        }
      }
      return undefined
    }
  }
}
