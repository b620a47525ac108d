/**
 * OpenAI's Responses: a list of items, whole or in named events, and how many tokens a request has. Nothing is kept:
 * what came before is unknown by its id, and nothing is done in the background.
 *
 * @see https://platform.openai.com/docs/api-reference/responses
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Fields from "./Fields.js"
import type * as Models from "./Models.js"
import * as Request from "./OpenAiResponsesRequest.js"
import * as Reply from "./Reply.js"
import * as Seed from "./Seed.js"
import * as Wire from "./Wire.js"

/**
 * The answer of `POST /v1/responses`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const answer =
  (models: ReadonlyArray<Models.Model>) =>
  (call: Wire.Call): Either.Either<Wire.Answer, Wire.Failure> =>
    Either.flatMap(read(models, call, Request.fields), ({ body, model }) => {
      const broken = Request.rules(body, model, call.seed)
      if (broken !== undefined) return Either.left(broken)
      const reply = Reply.to(Request.conversation(body, model, call.answerTokens))
      return Either.right({
        input: reply.usage.input,
        output: reply.usage.output,
        render: () => {
          const response = made(call, body, model, reply)
          return body["stream"] === true ? streamed(call, body, response, reply) : Wire.json(response)
        }
      })
    })

/**
 * The answer of `POST /v1/responses/input_tokens`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const count =
  (models: ReadonlyArray<Models.Model>) =>
  (call: Wire.Call): Either.Either<Wire.Answer, Wire.Failure> =>
    Either.map(read(models, call, Fields.object(Request.countable)), ({ body, model }) =>
      Wire.free({
        object: "response.input_tokens",
        input_tokens: Reply.input(Request.conversation(body, model, call.answerTokens))
      })
    )

/**
 * The answer to whoever asks after a response: none is kept.
 *
 * @since 0.1.0
 * @category constructors
 */
export const missing = ({ rest }: Wire.Call): Either.Either<never, Wire.Failure> =>
  Either.left(
    Wire.Failure.Rejected({ status: 404, message: `Response with id '${rest.replace(/\/.*$/, "")}' not found.` })
  )

/**
 * The event that reports an error in the midst of a stream: what it says lies a step deeper than it is documented.
 *
 * @since 0.1.0
 * @category constructors
 */
export const streamError = (error: unknown): string =>
  `event: error\ndata: ${JSON.stringify({ type: "error", sequence_number: 4, error })}\n\n`

const read = (
  models: ReadonlyArray<Models.Model>,
  call: Wire.Call,
  fields: Fields.Check
): Either.Either<{ readonly body: Fields.Json; readonly model: Models.Model }, Wire.Failure> => {
  const body: Fields.Json = Fields.isJson(call.body) ? call.body : {}
  const violation = fields(body)
  if (violation !== undefined) return Either.left(Wire.Failure.Invalid({ violation, body }))
  const name = Fields.stringOf(body["model"])
  const model = Wire.find(models, name)
  return model === undefined || model.kind === "embedding"
    ? Either.left(
        Wire.Failure.Rejected({
          message: `The requested model '${name}' does not exist.`,
          param: "model",
          code: "model_not_found"
        })
      )
    : Either.right({ body, model })
}

const identifier = (prefix: string, { id }: Wire.Call, index: number): string =>
  `${prefix}_${Seed.identifier(Seed.at(id, index), 50, Seed.hexadecimal)}`

interface Response extends Fields.Json {
  readonly output: ReadonlyArray<Fields.Json>
}

const made = (call: Wire.Call, body: Fields.Json, model: Models.Model, reply: Reply.Reply): Response => {
  const seconds = Math.floor(call.now / 1000)
  const { input, output, reasoning } = reply.usage
  return {
    id: identifier("resp", call, 0),
    object: "response",
    created_at: seconds,
    status: reply.finish === "length" ? "incomplete" : "completed",
    background: false,
    completed_at: reply.finish === "length" ? null : seconds,
    error: null,
    incomplete_details: reply.finish === "length" ? { reason: "max_output_tokens" } : null,
    instructions: body["instructions"] ?? null,
    max_output_tokens: body["max_output_tokens"] ?? null,
    model: model.snapshot,
    output: items(call, body, reply),
    parallel_tool_calls: body["parallel_tool_calls"] ?? true,
    previous_response_id: null,
    reasoning: { effort: null, summary: null, ...(Fields.isJson(body["reasoning"]) ? body["reasoning"] : {}) },
    service_tier: "default",
    store: body["store"] ?? true,
    temperature: body["temperature"] ?? 1,
    text: { format: { type: "text" }, verbosity: "medium", ...(Fields.isJson(body["text"]) ? body["text"] : {}) },
    tool_choice: body["tool_choice"] ?? "auto",
    tools: body["tools"] ?? [],
    top_p: body["top_p"] ?? 1,
    truncation: "disabled",
    usage: {
      input_tokens: input,
      input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
      output_tokens: output,
      output_tokens_details: { reasoning_tokens: reasoning },
      total_tokens: input + output
    },
    user: body["user"] ?? null,
    metadata: body["metadata"] ?? {}
  }
}

const items = (call: Wire.Call, body: Fields.Json, reply: Reply.Reply): ReadonlyArray<Fields.Json> => {
  const status = reply.finish === "length" ? "incomplete" : "completed"
  const thought = identifier("rs", call, 1)
  return [
    ...(reply.reasoning.length === 0
      ? []
      : [
          {
            id: thought,
            type: "reasoning",
            summary: tellsSummary(body) ? [{ type: "summary_text", text: reply.reasoning.join("") }] : [],
            ...(isSealed(body) ? { encrypted_content: Request.seal(thought, call.seed) } : {})
          }
        ]),
    ...(reply.text.length === 0
      ? []
      : [
          {
            id: identifier("msg", call, 2),
            type: "message",
            status,
            role: "assistant",
            content: [{ type: "output_text", text: reply.text.join(""), annotations: [], logprobs: [] }]
          }
        ]),
    ...reply.calls.map((one, position) => ({
      id: identifier("fc", call, 3 + position),
      type: "function_call",
      status,
      call_id: `call_${Seed.identifier(Seed.at(call.id, 100 + position), 24)}`,
      name: one.name,
      arguments: one.fragments.join("")
    }))
  ]
}

const tellsSummary = ({ reasoning }: Fields.Json): boolean =>
  Fields.isJson(reasoning) && typeof reasoning["summary"] === "string"

const isSealed = ({ include }: Fields.Json): boolean =>
  Array.isArray(include) && include.includes("reasoning.encrypted_content")

const streamed = (call: Wire.Call, body: Fields.Json, response: Response, reply: Reply.Reply): Wire.Body => {
  const options = body["stream_options"]
  const padded = !(Fields.isJson(options) && options["include_obfuscation"] === false)
  let sequence_number = 0
  const event = (type: string, fields: Fields.Json): string =>
    `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: sequence_number++, ...fields })}\n\n`
  const delta = (type: string, fields: Fields.Json): string => {
    const seed = Seed.at(call.id, 1000 + sequence_number)
    return event(type, padded ? { ...fields, obfuscation: Seed.identifier(seed, 2 + (seed & 15)) } : fields)
  }
  const nothing = { completed_at: null, incomplete_details: null, output: [], usage: null }
  const begun = { ...response, status: "in_progress", ...nothing }
  const opening = event("response.created", { response: begun }) + event("response.in_progress", { response: begun })

  const tokens: Array<string> = []
  let calls = 0
  // what has no token of its own goes with the next one that comes
  let waiting = ""
  const each = (pieces: ReadonlyArray<string>, piece: (token: string) => string): void => {
    for (const token of pieces) {
      tokens.push(waiting + piece(token))
      waiting = ""
    }
  }
  const say = (type: string, fields: Fields.Json): void => void (waiting += event(type, fields))
  response.output.forEach((item, output_index) => {
    const at = { output_index, item_id: item["id"] }
    const parts = kinds[Fields.stringOf(item["type"])]?.(item, reply, calls)
    if (item["type"] === "function_call") calls++
    if (parts === undefined) return
    say("response.output_item.added", { output_index, item: { ...item, ...parts.empty } })
    if (parts.pieces !== undefined) {
      const { added, delta: name, done, index, pieces, told } = parts.pieces
      if (added !== undefined) say(`response.${added.name}.added`, { ...at, ...index, part: added.part })
      each(pieces, (token) => delta(`response.${name}.delta`, { ...at, ...index, delta: token, ...parts.logprobs }))
      say(`response.${name}.done`, { ...at, ...index, ...told, ...parts.logprobs })
      if (done !== undefined) say(`response.${done.name}.done`, { ...at, ...index, part: done.part })
    }
    say("response.output_item.done", { output_index, item })
  })
  return {
    _tag: "Frames",
    contentType: "text/event-stream; charset=utf-8",
    opening,
    tokens,
    closing: waiting + event(`response.${Fields.stringOf(response["status"])}`, { response })
  }
}

/** How an item is streamed: as what it is added, and in which pieces it is told. */
interface Told {
  readonly empty: Fields.Json
  readonly logprobs?: Fields.Json
  readonly pieces?: {
    readonly delta: string
    readonly index: Fields.Json
    readonly pieces: ReadonlyArray<string>
    readonly told: Fields.Json
    readonly added?: { readonly name: string; readonly part: Fields.Json }
    readonly done?: { readonly name: string; readonly part: unknown }
  }
}

const kinds: { readonly [type: string]: (item: Fields.Json, reply: Reply.Reply, call: number) => Told } = {
  message: ({ content }, { text }) => ({
    empty: { status: "in_progress", content: [] },
    logprobs: { logprobs: [] },
    pieces: {
      delta: "output_text",
      index: { content_index: 0 },
      pieces: text,
      told: { text: text.join("") },
      added: { name: "content_part", part: { type: "output_text", text: "", annotations: [], logprobs: [] } },
      done: { name: "content_part", part: Fields.objects(content)[0] }
    }
  }),
  function_call: ({ arguments: args, name }, { calls }, call) => ({
    empty: { status: "in_progress", arguments: "" },
    pieces: {
      delta: "function_call_arguments",
      index: {},
      pieces: calls[call]?.fragments ?? [],
      told: { name, arguments: args }
    }
  }),
  reasoning: ({ summary }, { reasoning }) => {
    const [part] = Fields.objects(summary)
    return {
      empty: { summary: [] },
      ...(part === undefined
        ? {}
        : {
            pieces: {
              delta: "reasoning_summary_text",
              index: { summary_index: 0 },
              pieces: reasoning,
              told: { text: part["text"] },
              added: { name: "reasoning_summary_part", part: { type: "summary_text", text: "" } },
              done: { name: "reasoning_summary_part", part }
            }
          })
    }
  }
}
