/**
 * Reads the events of a streamed response on OpenAI's newer wire, up to `response.completed` or `response.incomplete`.
 *
 * Items are added, told in deltas, and done; a done item says all of itself once more, which counts where no delta
 * told it. There are some fifty kinds of events, and those that are not named here are skipped. There is no `[DONE]`,
 * though some who copied the wire send one, which means nothing.
 *
 * @see https://platform.openai.com/docs/api-reference/responses-streaming
 */
import type * as Completion from "@spillway/core/Completion"
import type * as LlmError from "@spillway/core/LlmError"
import * as HttpBackend from "../HttpBackend.js"
import * as Wire from "../OpenAiResponsesWire.js"
import * as OpenAiWire from "../OpenAiWire.js"
import * as Json from "./json.js"

/** An item that is being told. */
interface Item {
  /** Which of the tool calls it is. */
  call: number | undefined
  /** Whether a delta told something of it. */
  told: boolean
  /** Which piece of a reasoning the last delta belonged to. */
  piece: string | undefined
}

type Out = Array<Completion.Part>

type On = (event: unknown, out: Out) => HttpBackend.End | LlmError.LlmError | undefined | void

/** A reader for one answer. */
export const reader = (exchange: HttpBackend.Exchange<Completion.Request>): HttpBackend.Reader<Completion.Part> => {
  const items = new Map<number, Item>()
  let started = false
  let calls = 0
  let refused = false

  const start = (response: unknown, out: Out): void => {
    if (started) return
    started = true
    out.push({ _tag: "Start", ...OpenAiWire.identify(response, exchange.model) })
  }

  const itemAt = (index: number): Item => {
    let item = items.get(index)
    if (item === undefined) items.set(index, item = { call: undefined, told: false, piece: undefined })
    return item
  }

  const indexOf = (event: unknown): number => Json.count(Json.get(event, "output_index")) ?? 0

  const onText = (index: number, text: string | undefined, out: Out): void => {
    if (text === undefined) return
    itemAt(index).told = true
    out.push({ _tag: "TextDelta", text })
  }

  const onCall = (index: number, told: unknown, out: Out): number => {
    const item = itemAt(index)
    if (item.call === undefined) {
      item.call = calls++
      const { id, name } = Wire.toToolCall(told)
      out.push({ _tag: "ToolCallStart", index: item.call, id: id === "" ? `call_${item.call}` : id, name })
    }
    return item.call
  }

  const onArguments = (index: number, told: unknown, text: string | undefined, out: Out): void => {
    const call = onCall(index, told, out)
    if (text === undefined) return
    itemAt(index).told = true
    out.push({ _tag: "ToolCallDelta", index: call, arguments: text })
  }

  // pieces of one reasoning are told apart by an empty line, as in a whole answer
  const onThought = (kind: "content_index" | "summary_index"): On => (event, out) => {
    const text = Json.name(Json.get(event, "delta"))
    if (text === undefined) return
    start(undefined, out)
    const index = indexOf(event)
    const item = itemAt(index)
    const piece = `${kind} ${Json.count(Json.get(event, kind)) ?? 0}`
    const begins = item.piece !== undefined && item.piece !== piece
    item.piece = piece
    item.told = true
    out.push({ _tag: "ReasoningDelta", index, text: begins ? `\n\n${text}` : text })
  }

  const onDone = (index: number, item: unknown, out: Out): void => {
    const { told } = itemAt(index)
    switch (Json.get(item, "type")) {
      case "message": {
        const said = Wire.toText(item)
        refused ||= said.refused
        if (!told && said.text !== "") onText(index, said.text, out)
        break
      }
      case "function_call":
        onArguments(index, item, told ? undefined : Json.name(Wire.toArguments(item)), out)
        break
      case "reasoning": {
        const { redacted, signature, text } = Wire.toReasoning(item)
        if (!told && text === "" && redacted === undefined) break
        out.push({ _tag: "ReasoningDelta", index, text: told ? "" : text, ...Json.defined({ redacted, signature }) })
        break
      }
    }
  }

  const onEnd: On = (event, out) => {
    const response = Json.get(event, "response")
    start(response, out)
    const usage = Wire.toUsage(Json.get(response, "usage"))
    out.push({ _tag: "Finish", finishReason: Wire.toFinishReason(response, calls > 0, refused), usage })
    return HttpBackend.ended(usage)
  }

  const onStart: On = (event, out) => start(Json.get(event, "response"), out)

  const onFailure: On = (event) => exchange.failure(Wire.toFailure(Json.get(event, "response")))

  const delta = (event: unknown) => Json.name(Json.get(event, "delta"))

  const on: ReadonlyMap<unknown, On> = new Map<string, On>([
    ["response.created", onStart],
    ["response.queued", onStart],
    ["response.in_progress", onStart],
    ["response.output_item.added", (event, out) => {
      start(undefined, out)
      const item = Json.get(event, "item")
      if (Json.get(item, "type") === "function_call") onCall(indexOf(event), item, out)
    }],
    ["response.output_text.delta", (event, out) => {
      start(undefined, out)
      onText(indexOf(event), delta(event), out)
    }],
    ["response.refusal.delta", (event, out) => {
      refused = true
      start(undefined, out)
      onText(indexOf(event), delta(event), out)
    }],
    ["response.function_call_arguments.delta", (event, out) => {
      start(undefined, out)
      onArguments(indexOf(event), undefined, delta(event), out)
    }],
    ["response.reasoning_summary_text.delta", onThought("summary_index")],
    ["response.reasoning_text.delta", onThought("content_index")],
    ["response.output_item.done", (event, out) => {
      start(undefined, out)
      onDone(indexOf(event), Json.get(event, "item"), out)
    }],
    ["response.completed", onEnd],
    ["response.incomplete", onEnd],
    ["response.failed", onFailure],
    // one form is in the documents, the other on the wire: both have what is said of the error where it is looked for
    ["error", (event) => exchange.failure(event)]
  ])

  return {
    frame({ data, event: name }, out) {
      if (data === "[DONE]") return undefined
      const event = Json.parse(data)
      if (event === undefined) return exchange.malformed("an event that is not JSON")
      const type = Json.string(Json.get(event, "type")) ?? name
      if (type !== "error" && OpenAiWire.isError(event)) return exchange.failure(event)
      return on.get(type)?.(event, out) ?? undefined
    }
  }
}
