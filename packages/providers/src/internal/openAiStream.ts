/**
 * Reads the chunks of a streamed chat completion on OpenAI's wire, up to its `[DONE]`.
 */
import type * as Completion from "@spillway/core/Completion"
import type * as HttpBackend from "../HttpBackend.js"
import * as Wire from "../OpenAiWire.js"
import * as Json from "./json.js"

/** A tool call that has begun: the index and the id under which the wire goes on with it. */
interface Begun {
  readonly index: number | undefined
  readonly id: string | undefined
}

/** A reader for one answer. */
export const reader = (exchange: HttpBackend.Exchange<Completion.Request>): HttpBackend.Reader<Completion.Part> => {
  const calls: Array<Begun> = []
  let started = false
  let reason: unknown
  let refused = false
  let usage: Completion.Usage = {}

  const onToolCall = (delta: unknown, out: Array<Completion.Part>): void => {
    const index = Json.count(Json.get(delta, "index"))
    const id = Json.name(Json.get(delta, "id"))
    let own = find(calls, index, id)
    if (own === -1) {
      own = calls.push({ index, id }) - 1
      out.push({
        _tag: "ToolCallStart",
        index: own,
        id: id ?? `call_${own}`,
        name: Json.string(Json.get2(delta, "function", "name")) ?? ""
      })
    }
    const args = Wire.argumentsOf(delta)
    if (args !== "") out.push({ _tag: "ToolCallDelta", index: own, arguments: args })
  }

  const onDelta = (delta: Json.Fields, out: Array<Completion.Part>): void => {
    const reasoning = Wire.reasoningOf(delta)
    if (reasoning !== undefined) out.push({ _tag: "ReasoningDelta", index: 0, text: reasoning })
    const text = Wire.textOf(delta["content"])
    if (text !== undefined) out.push({ _tag: "TextDelta", text })
    const refusal = Json.name(delta["refusal"])
    if (refusal !== undefined) {
      refused = true
      out.push({ _tag: "TextDelta", text: refusal })
    }
    // TGI before 3.1.2 gives the call itself, in place of a list
    const given = delta["tool_calls"]
    for (const call of Json.isObject(given) ? [given] : Json.array(given)) onToolCall(call, out)
  }

  return {
    frame({ data, event }, out) {
      if (data === "[DONE]") {
        if (!started) return exchange.malformed("a stream that ends before its first chunk")
        out.push({
          _tag: "Finish",
          finishReason: Wire.toFinishReason(reason, calls.length > 0, refused),
          usage
        })
        return { _tag: "End", usage }
      }
      const chunk = Json.parse(data)
      if (chunk === undefined) return exchange.malformed("a chunk of the stream is no JSON")
      if (event === "error" || Wire.isError(chunk)) return exchange.failure(chunk)
      const ofGroq = Json.get(chunk, "x_groq")
      const lateError = Json.name(Json.get(ofGroq, "error"))
      if (lateError !== undefined) return exchange.failure({ error: lateError })
      if (!started) {
        started = true
        out.push({ _tag: "Start", ...Wire.identify(chunk, exchange.model) })
      }
      // several times over, in some dialects: the last one counts
      const counted = Json.get(chunk, "usage") ?? Json.get(ofGroq, "usage")
      if (Json.isObject(counted)) usage = Wire.toUsage(counted)
      for (const choice of Json.array(Json.get(chunk, "choices"))) {
        if ((Json.count(Json.get(choice, "index")) ?? 0) !== 0) continue
        const delta = Json.get(choice, "delta")
        if (Json.isObject(delta)) onDelta(delta, out)
        const finish = Json.get(choice, "finish_reason")
        if (typeof finish === "string") reason = finish
      }
      return undefined
    }
  }
}

/**
 * The call that a delta goes on with. Only its first delta has an id, so an id that is new begins a call, even under an
 * index that was used: some servers give every call the same, or none.
 */
const find = (calls: ReadonlyArray<Begun>, index: number | undefined, id: string | undefined): number => {
  for (let own = calls.length - 1; own >= 0; own--) {
    const call = calls[own]!
    if (id === undefined ? index === undefined || call.index === index : call.id === id) return own
  }
  return -1
}
