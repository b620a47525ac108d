/**
 * Ollama's chat and generate, whole and in NDJSON.
 *
 * @see https://github.com/ollama/ollama/blob/main/docs/api.md
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Fields from "./Fields.js"
import type * as Models from "./Models.js"
import * as Memory from "./OllamaMemory.js"
import * as Request from "./OllamaRequest.js"
import * as Reply from "./Reply.js"
import * as Seed from "./Seed.js"
import * as Wire from "./Wire.js"

const contentType = "application/json; charset=utf-8"

/**
 * The answer of `/api/chat` or `/api/generate`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const answer =
  (use: "chat" | "generate", loaded: Memory.Memory, call: Wire.Call) =>
  (body: Fields.Json, model: Models.Model, name: string): Either.Either<Wire.Answer, Wire.Failure> => {
    const violation = Request.requests[use](body)
    if (violation !== undefined) return Either.left(Wire.Failure.Invalid({ violation, body }))
    const broken = Request.broken(use, body, model, name)
    if (broken !== undefined) return Either.left(broken)
    Memory.touch(loaded, model, body, call.now)
    const started = { model: name, created_at: new Date(call.now).toISOString() }
    const nothing =
      use === "chat" ? Fields.objects(body["messages"]).length === 0 : Fields.stringOf(body["prompt"]) === ""
    if (nothing) {
      return Either.right(
        Wire.free(
          {
            ...started,
            ...said(use, { content: "" }),
            done: true,
            done_reason: Memory.keepAlive(body["keep_alive"]) === 0 ? "unload" : "load"
          },
          contentType
        )
      )
    }
    const reply = Reply.to(conversation(use, body, model, call.answerTokens))
    const end = {
      done: true,
      done_reason: reply.finish === "length" ? "length" : "stop",
      ...(use === "generate" ? { context: [1, 2, 3] } : {}),
      ...timings(reply.usage, call)
    }
    const calls =
      reply.finish === "length"
        ? []
        : reply.calls.map((one, index) => ({
            id: `call_${Seed.identifier(Seed.at(call.id, index), 8, "0123456789abcdefghijklmnopqrstuvwxyz")}`,
            function: {
              index,
              name: one.name,
              arguments: Either.getOrElse(
                Either.try((): unknown => JSON.parse(one.fragments.join(""))),
                () => ({})
              )
            }
          }))
    return Either.right({
      input: reply.usage.input,
      output: reply.usage.output,
      render: () => {
        if (body["stream"] === false) {
          return Wire.json(
            {
              ...started,
              ...said(use, {
                content: reply.text.join(""),
                ...(reply.reasoning.length > 0 ? { thinking: reply.reasoning.join("") } : {}),
                ...(calls.length > 0 ? { tool_calls: calls } : {})
              }),
              ...end
            },
            contentType
          )
        }
        const line = (message: Said) => `${JSON.stringify({ ...started, ...said(use, message), done: false })}\n`
        return {
          _tag: "Frames",
          contentType: "application/x-ndjson",
          opening: "",
          tokens: [
            ...reply.reasoning.map((thinking) => line({ content: "", thinking })),
            ...reply.text.map((content) => line({ content })),
            ...calls.map((one) => line({ content: "", tool_calls: [one] }))
          ],
          closing: `${JSON.stringify({ ...started, ...said(use, { content: "" }), ...end })}\n`
        }
      }
    })
  }

interface Said {
  readonly content: string
  readonly thinking?: string
  readonly tool_calls?: ReadonlyArray<unknown>
}

const said = (use: "chat" | "generate", { content, ...rest }: Said) =>
  use === "chat" ? { message: { role: "assistant", content, ...rest } } : { response: content, ...rest }

// In nanoseconds. Something always takes some time, also where the simulator takes none.
const timings = ({ input, output }: Reply.Usage, { latencyMillis, tokenDelayMillis }: Wire.Call) => {
  const load_duration = 1_000_000
  const prompt_eval_duration = Math.max(latencyMillis * 1_000_000, input * 10_000)
  const eval_duration = Math.max(tokenDelayMillis * 1_000_000, 100_000) * output
  return {
    total_duration: load_duration + prompt_eval_duration + eval_duration,
    load_duration,
    prompt_eval_count: input,
    prompt_eval_duration,
    eval_count: output,
    eval_duration
  }
}

const conversation = (
  use: "chat" | "generate",
  body: Fields.Json,
  model: Models.Model,
  length: number
): Reply.Conversation => {
  const set: Fields.Json = Fields.isJson(body["options"]) ? body["options"] : {}
  const limit = typeof set["num_predict"] === "number" && set["num_predict"] >= 0 ? set["num_predict"] : Infinity
  return {
    model: model.id,
    turns: use === "chat" ? turns(Fields.objects(body["messages"])) : prompted(body),
    tools: Fields.objects(body["tools"]).flatMap((tool) => {
      const offered = tool["function"]
      return Fields.isJson(offered)
        ? [{ name: Fields.stringOf(offered["name"]), parameters: offered["parameters"] ?? undefined }]
        : []
    }),
    choice: "auto",
    parallel: true,
    format: Fields.isJson(body["format"]) ? { schema: body["format"] } : body["format"] === "json" ? "json" : "text",
    reasoning: model.kind === "reasoning" && body["think"] !== false,
    maxTokens: limit,
    stop: Array.isArray(set["stop"]) ? set["stop"].map(Fields.stringOf) : [],
    length,
    variant: 0
  }
}

const seen = (holder: Fields.Json): ReadonlyArray<string> =>
  Array.isArray(holder["images"]) ? holder["images"].map(() => "an image") : []

const turns = (messages: ReadonlyArray<Fields.Json>): ReadonlyArray<Reply.Turn> =>
  messages.map((one) => {
    const role = Fields.stringOf(one["role"])
    return {
      role: role === "system" || role === "assistant" || role === "tool" ? role : "user",
      text: Fields.stringOf(one["content"]),
      shown: seen(one),
      tool: typeof one["tool_name"] === "string" ? one["tool_name"] : undefined
    }
  })

const prompted = (body: Fields.Json): ReadonlyArray<Reply.Turn> => [
  ...(Fields.stringOf(body["system"]) === ""
    ? []
    : [{ role: "system" as const, text: Fields.stringOf(body["system"]), shown: [] }]),
  { role: "user", text: Fields.stringOf(body["prompt"]), shown: seen(body) }
]
