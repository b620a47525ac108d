/**
 * Ollama's wire for texts without a chat: what `/api/generate` takes and gives.
 *
 * @see https://docs.ollama.com/api/generate
 * @since 0.1.0
 */
import type * as Completion from "@spillway/core/Completion"
import * as Either from "effect/Either"
import * as HttpBackend from "./HttpBackend.js"
import * as Json from "./internal/json.js"
import * as OllamaLines from "./internal/ollamaLines.js"
import * as OllamaWire from "./OllamaWire.js"

/**
 * A text to go on from. Fields of the common words mean what they mean there.
 *
 * @since 0.1.0
 * @category models
 */
export interface Request extends
  OllamaWire.RequestOptions,
  Pick<
    Completion.Request,
    | "model"
    | "maxTokens"
    | "temperature"
    | "topP"
    | "topK"
    | "stop"
    | "seed"
    | "presencePenalty"
    | "frequencyPenalty"
    | "format"
  >
{
  /** Left out, nothing is generated: the model is loaded, or unloaded with `keepAlive: 0`. */
  readonly prompt?: string
  /** What comes after the answer, for models that fill in the middle. */
  readonly suffix?: string
  /** Standing instructions. @default those of the model */
  readonly system?: string
  /** Pictures as base64. */
  readonly images?: ReadonlyArray<string>
  /** Whether the prompt is taken as it is, without the model's template. @default false (the server's) */
  readonly raw?: boolean
}

/**
 * A text that was generated.
 *
 * @since 0.1.0
 * @category models
 */
export interface Generation {
  readonly model: string
  readonly text: string
  /** What the model thought before; empty where it did not, or did not tell. */
  readonly reasoning: string
  readonly finishReason: Completion.FinishReason
  readonly usage: Completion.Usage
}

/**
 * A piece of a text that is generated; `Done` comes last.
 *
 * @since 0.1.0
 * @category models
 */
export type Part =
  | { readonly _tag: "Reasoning"; readonly text: string }
  | { readonly _tag: "Text"; readonly text: string }
  | {
    readonly _tag: "Done"
    readonly model: string
    readonly finishReason: Completion.FinishReason
    readonly usage: Completion.Usage
  }

const toOutgoing = (request: Request, stream: boolean) => {
  const { format, images, keepAlive, model, numCtx, prompt, raw, suffix, system, think, ...sampling } = request
  return Either.right<HttpBackend.Outgoing>({
    method: "POST",
    path: "/api/generate",
    body: {
      model,
      prompt,
      suffix,
      system,
      images,
      raw,
      stream,
      think,
      format: OllamaWire.toFormat(format),
      options: OllamaWire.toOptions(sampling, numCtx),
      keep_alive: keepAlive
    }
  })
}

const toEnd = (body: unknown, exchange: HttpBackend.Exchange<Request>) => ({
  model: Json.name(Json.get(body, "model")) ?? exchange.model,
  finishReason: OllamaWire.toFinishReason(Json.get(body, "done_reason"), 0),
  usage: OllamaWire.toUsage(body)
})

/**
 * A whole text.
 *
 * @since 0.1.0
 * @category operations
 */
export const generate: HttpBackend.Operation<Request, Generation> = {
  request: (request) => toOutgoing(request, false),
  response: (body, exchange) => {
    if (Json.get(body, "error") !== undefined) return Either.left(exchange.failure(body))
    const text = Json.string(Json.get(body, "response"))
    return text === undefined
      ? Either.left(exchange.malformed("a generation without response"))
      : Either.right({ ...toEnd(body, exchange), text, reasoning: Json.string(Json.get(body, "thinking")) ?? "" })
  }
}

/**
 * A text in pieces, up to the line that says it is done.
 *
 * @since 0.1.0
 * @category operations
 */
export const generateStream: HttpBackend.Streaming<Request, Part> = {
  request: (request) => toOutgoing(request, true),
  framing: "ndjson",
  reader: (exchange) =>
    OllamaLines.reader(exchange, (line, out) => {
      const reasoning = Json.name(line["thinking"])
      if (reasoning !== undefined) out.push({ _tag: "Reasoning", text: reasoning })
      const text = Json.name(line["response"])
      if (text !== undefined) out.push({ _tag: "Text", text })
      if (line["done"] !== true) return undefined
      const end = toEnd(line, exchange)
      out.push({ _tag: "Done", ...end })
      return HttpBackend.ended(end.usage)
    })
}
