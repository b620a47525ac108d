/**
 * A response as it comes: the events in which OpenAI's clients read it. Each has a name and a number; the last one holds
 * the whole response.
 *
 * A thought, and what is said, are done when something else begins; calls of tools may come interleaved, and are done at
 * the end. What proves a thought may come after the thought: it is told with the whole.
 *
 * @see https://platform.openai.com/docs/api-reference/responses-streaming
 * @since 0.1.0
 */
import type * as Completion from "@spillway/core/Completion"
import type { Writer } from "./EventStream.js"
import { event, keepAlive } from "./EventStream.js"
import * as OpenAiFault from "./OpenAiFault.js"
import * as OpenAiReasoning from "./OpenAiReasoning.js"
import * as Outbound from "./OpenAiResponsesOutbound.js"

interface Place {
  readonly id: string
  readonly index: number
  status: Outbound.Status
}

interface Message extends Place {
  readonly kind: "message"
  text: string
}

interface Thought extends Place {
  readonly kind: "thought"
  text: string
  signature?: string | undefined
  redacted?: string | undefined
}

/** What proves the call that comes next. */
interface Proof extends Place {
  readonly kind: "proof"
  readonly signature: string
}

interface Call extends Place {
  readonly kind: "call"
  readonly call: { readonly id: string; readonly name: string }
  args: string
}

type Item = Message | Thought | Proof | Call

/**
 * Writes a streamed answer event by event.
 *
 * @since 0.1.0
 * @category constructors
 */
export const writer = (envelope: Outbound.Envelope): Writer => {
  const items: Array<Item> = []
  const thoughts = new Map<number, Thought>()
  const calls = new Map<number, Call>()
  let about = { id: envelope.id, model: envelope.asked.model }
  let said = 0

  const say = (type: string, fields: object) =>
    `event: ${type}\n${event(JSON.stringify({ type, sequence_number: said++, ...fields }))}`
  const tell = (type: string, state: Omit<Outbound.State, "id" | "model" | "output">) =>
    say(type, { response: Outbound.response(envelope, { ...about, ...state, output: items.map(toJson) }) })
  const place = (kind: "msg" | "rs" | "fc"): Place => ({
    id: Outbound.itemId(kind, envelope, items.length),
    index: items.length,
    status: "in_progress"
  })
  const begin = (item: Item) => {
    const text = say("response.output_item.added", { output_index: item.index, item: toJson(item) })
    items.push(item)
    return text
  }
  const end = (item: Item, status: Outbound.Status): string => {
    if (item.status !== "in_progress") return ""
    item.status = status
    return content(item) + say("response.output_item.done", { output_index: item.index, item: toJson(item) })
  }
  const endAll = (status: Outbound.Status): string => items.map((item) => end(item, status)).join("")
  const endOthers = () => items.map((item) => item.kind === "call" ? "" : end(item, "completed")).join("")

  const content = (item: Item): string => {
    const at = { item_id: item.id, output_index: item.index }
    switch (item.kind) {
      case "message":
        return say("response.output_text.done", { ...at, content_index: 0, text: item.text, logprobs: [] }) +
          say("response.content_part.done", { ...at, content_index: 0, part: Outbound.text(item.text) })
      case "thought":
        return item.text === ""
          ? ""
          : say("response.reasoning_summary_text.done", { ...at, summary_index: 0, text: item.text }) +
            say("response.reasoning_summary_part.done", { ...at, summary_index: 0, part: summary(item.text) })
      case "proof":
        return ""
      case "call":
        return say("response.function_call_arguments.done", { ...at, name: item.call.name, arguments: item.args })
    }
  }

  const write = (part: Completion.Part): string => {
    switch (part._tag) {
      case "Start":
        about = { id: part.id ?? about.id, model: part.model === "" ? about.model : part.model }
        return tell("response.created", { status: "in_progress" }) + tell("response.in_progress", { status: "in_progress" })
      case "TextDelta": {
        if (part.text === "") return ""
        let text = ""
        let item = items.at(-1)
        if (item?.kind !== "message") {
          text = endOthers()
          item = { kind: "message", ...place("msg"), text: "" }
          text += begin(item) + say("response.content_part.added", {
            item_id: item.id,
            output_index: item.index,
            content_index: 0,
            part: Outbound.text("")
          })
        }
        item.text += part.text
        return text + say("response.output_text.delta", {
          item_id: item.id,
          output_index: item.index,
          content_index: 0,
          delta: part.text,
          logprobs: []
        })
      }
      case "ReasoningDelta": {
        let text = ""
        let item = thoughts.get(part.index)
        if (item === undefined) {
          text = endOthers()
          item = { kind: "thought", ...place("rs"), text: "" }
          thoughts.set(part.index, item)
          text += begin(item)
        }
        if (part.signature !== undefined) item.signature = (item.signature ?? "") + part.signature
        if (part.redacted !== undefined) item.redacted = part.redacted
        if (part.text === "") return text
        const at = { item_id: item.id, output_index: item.index, summary_index: 0 }
        if (item.text === "") text += say("response.reasoning_summary_part.added", { ...at, part: summary("") })
        item.text += part.text
        return text + say("response.reasoning_summary_text.delta", { ...at, delta: part.text })
      }
      case "ToolCallStart": {
        let text = endOthers()
        if (part.signature !== undefined) {
          const proof: Proof = { kind: "proof", ...place("rs"), signature: part.signature }
          text += begin(proof) + end(proof, "completed")
        }
        const item: Call = { kind: "call", ...place("fc"), call: { id: part.id, name: part.name }, args: "" }
        calls.set(part.index, item)
        return text + begin(item)
      }
      case "ToolCallDelta": {
        const item = calls.get(part.index)
        if (item === undefined || part.arguments === "") return ""
        item.args += part.arguments
        return say("response.function_call_arguments.delta", {
          item_id: item.id,
          output_index: item.index,
          delta: part.arguments
        })
      }
      case "Finish": {
        const { incomplete, status } = Outbound.ending(part.finishReason)
        return endAll(status) + tell(`response.${status}`, { status, incomplete, usage: part.usage })
      }
    }
  }

  return {
    heartbeat: keepAlive,
    parts: (parts) => {
      let text = ""
      for (const part of parts) text += write(part)
      return text
    },
    // the last event says so
    ended: () => "",
    failed: (failure) => {
      const { error } = OpenAiFault.toJson(failure)
      const { code, message, param } = error
      // documented flat, and sent nested: clients of both kinds find what they look for
      for (const item of items) if (item.status === "in_progress") item.status = "incomplete"
      return say("error", { code, message, param, error }) + tell("response.failed", { status: "failed", failure })
    }
  }
}

const summary = (text: string) => ({ type: "summary_text", text })

const toJson = (item: Item): object => {
  switch (item.kind) {
    case "message":
      return Outbound.message(item.id, item.text === "" ? undefined : item.text, item.status)
    case "thought":
      return OpenAiReasoning.toItem(item, item.id)
    case "proof":
      return OpenAiReasoning.fromProof(item.signature, item.id)
    case "call":
      return Outbound.call(item.id, item.call, item.args, item.status)
  }
}
