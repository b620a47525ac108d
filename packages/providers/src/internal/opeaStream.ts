/**
 * Reads the events of OPEA's megaservices, up to their `[DONE]`.
 *
 * What an event holds depends on what stands last in the service's graph: a Python bytes literal (ChatQnA, guardrails,
 * and whatever passes a text on), a Python text (agents), a chunk of OpenAI's wire, of chat or of text (CodeGen,
 * Translation), or operations on a log (DocSum, FaqGen). No event tells of an error: where the model behind it fails,
 * a stream with status 200 has its end marker and nothing else.
 *
 * @see https://github.com/opea-project/GenAIExamples/blob/main/ChatQnA/chatqna.py
 */
import type * as Completion from "@spillway/core/Completion"
import type * as HttpBackend from "../HttpBackend.js"
import * as OpenAiWire from "../OpenAiWire.js"
import * as Json from "./json.js"
import * as PythonLiteral from "./pythonLiteral.js"

/** A reader for one answer. */
export const reader = (exchange: HttpBackend.Exchange<Completion.Request>): HttpBackend.Reader<Completion.Part> => {
  // a character may be cut in two between events
  const decoder = new TextDecoder()
  let started = false
  // the model's own end of text, which comes as a text where it ends the stream
  let held = ""
  let reason: unknown = "stop"
  let usage: Completion.Usage = {}

  const say = (text: string, out: Array<Completion.Part>): void => {
    if (!started) {
      started = true
      out.push({ _tag: "Start", model: exchange.model })
    }
    const told = held + text
    held = text === endOfText ? text : ""
    const now = held === "" ? told : told.slice(0, -held.length)
    if (now !== "") out.push({ _tag: "TextDelta", text: now })
  }

  const readObject = (chunk: Json.Fields, out: Array<Completion.Part>): void => {
    const choice = Json.array(chunk["choices"])[0]
    if (choice !== undefined) {
      say(OpenAiWire.textOf(Json.get2(choice, "delta", "content")) ?? Json.string(Json.get(choice, "text")) ?? "", out)
      reason = Json.name(Json.get(choice, "finish_reason")) ?? reason
    }
    for (const op of Json.array(chunk["ops"])) {
      const text = Json.string(Json.get(op, "value"))
      if (text !== undefined && logged.test(Json.string(Json.get(op, "path")) ?? "")) say(text, out)
    }
    const counted = OpenAiWire.toUsage(chunk["usage"])
    if (isKnown(counted)) usage = counted
  }

  return {
    frame({ data }, out) {
      if (data === "[DONE]") {
        if (!started) return exchange.failure({ error: "it ended its stream before it began, as it does when the model behind it fails" })
        const rest = decoder.decode()
        if (rest !== "") out.push({ _tag: "TextDelta", text: rest })
        out.push({ _tag: "Finish", finishReason: OpenAiWire.toFinishReason(reason, false, false), usage })
        return { _tag: "End", usage }
      }
      const bytes = PythonLiteral.toBytes(data)
      const text = bytes === undefined ? PythonLiteral.toText(data) : decoder.decode(bytes, { stream: true })
      if (text !== undefined) {
        say(text, out)
        return undefined
      }
      const chunk = Json.parse(data)
      if (!Json.isObject(chunk)) return exchange.malformed("an event that is neither a literal of Python's nor JSON")
      if (OpenAiWire.isError(chunk)) return exchange.failure(chunk)
      readObject(chunk, out)
      return undefined
    }
  }
}

const endOfText = "</s>"

/** Where a log has the pieces of the answer: those of a chain within, as the whole chain's are the same again. */
const logged = /.\/streamed_output\/-$/

/** Whether a count is one: what was not counted comes as zero. */
export const isKnown = ({ inputTokens = 0, outputTokens = 0 }: Completion.Usage): boolean =>
  inputTokens > 0 || outputTokens > 0
