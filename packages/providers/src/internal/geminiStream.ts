/**
 * Reads the events of a streamed answer, each of which is an answer of its own with a part of the whole.
 *
 * The wire has no end marker: after the event that says why the model stopped, the connection ends, and only then is
 * the answer whole, since some servers say why in every event, and an error may still come. An event that was cut off
 * is never the end.
 *
 * @see https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent
 */
import type * as Completion from "@spillway/core/Completion"
import * as HttpBackend from "../HttpBackend.js"
import * as Answer from "./geminiAnswer.js"
import * as Json from "./json.js"

/** A reader for one answer. */
export const reader = (exchange: HttpBackend.Exchange<Completion.Request>): HttpBackend.Reader<Completion.Part> => {
  let started = false
  let broken = false
  let calls = 0
  // thoughts that follow each other are one
  let thoughts = -1
  let thinking = false
  let stopped: string | undefined
  // every event counts anew, and not everything
  let counts: Json.Fields = {}

  const start = (event: unknown, out: Array<Completion.Part>) => {
    if (started) return
    started = true
    out.push({
      _tag: "Start",
      ...Json.defined({ id: Json.name(Json.get(event, "responseId")) }),
      model: Json.name(Json.get(event, "modelVersion")) ?? exchange.model
    })
  }

  const add = (one: unknown, event: unknown, out: Array<Completion.Part>) => {
    const part = Answer.toPart(one, () => Answer.toCallId(event, calls))
    if (part === undefined) return
    if (part._tag === "Reasoning") {
      if (!thinking) thoughts++
      out.push({ ...part, _tag: "ReasoningDelta", index: thoughts })
    } else if (part._tag === "ToolCall") {
      const { arguments: args, ...call } = part
      const index = calls++
      out.push({ ...call, _tag: "ToolCallStart", index }, { _tag: "ToolCallDelta", index, arguments: args })
    } else {
      out.push({ ...part, _tag: "TextDelta" })
    }
    thinking = part._tag === "Reasoning"
  }

  return {
    frame(frame, out) {
      const event = Json.parse(frame.data)
      if (!Json.isObject(event)) {
        broken = true
        return exchange.malformed("an event that is not JSON")
      }
      if (event["error"] !== undefined) return exchange.failure(event)
      const counted = event["usageMetadata"]
      if (Json.isObject(counted)) counts = { ...counts, ...counted }
      const candidate = Json.array(event["candidates"])[0]
      if (!Json.isObject(candidate)) return Answer.blocked(event, exchange)
      start(event, out)
      for (const one of Json.array(Json.get2(candidate, "content", "parts"))) add(one, event, out)
      stopped = Json.name(candidate["finishReason"]) ?? stopped
      return undefined
    },
    end(out) {
      if (broken || stopped === undefined) return undefined
      const usage = Answer.toUsage(counts)
      out.push({ _tag: "Finish", finishReason: Answer.toFinishReason(stopped, calls), usage })
      return HttpBackend.ended(usage)
    }
  }
}
