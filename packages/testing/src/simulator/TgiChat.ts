/**
 * TGI's chat completions: OpenAI's, with a grammar for a form, at most one tool call (which always has the id "0", and
 * the reason `stop`), no id of the answer, and a `role` in every piece.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Fields from "./Fields.js"
import type * as Models from "./Models.js"
import * as OpenAiRequest from "./OpenAiRequest.js"
import * as Reply from "./Reply.js"
import * as Refusal from "./TgiRefusal.js"
import * as Request from "./TgiRequest.js"
import * as Wire from "./Wire.js"

const fingerprint = "3.3.6-simulator"

/**
 * The answer of `POST /v1/chat/completions`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const answer =
  (model: Models.Model) =>
  (call: Wire.Call): Either.Either<Wire.Answer, Wire.Failure> => {
    const body: Fields.Json = Fields.isJson(call.body) ? call.body : {}
    const violation = Request.requests.chat(body)
    if (violation !== undefined) return Either.left(Wire.Failure.Invalid({ violation, body }))
    const early = Request.untemplated(body)
    if (early !== undefined) return Either.left(early)
    const streams = body["stream"] === true
    const late = Request.broken(templated(body), parametersOf(body), streams)
    if (late !== undefined) return streams ? Either.right(inStream(late)) : Either.left(late)
    const form = Request.form(body["response_format"])
    const conversation = conversationOf(model, body, call)
    const said = form?._tag === "Regex" ? match(form.pattern, conversation) : Reply.to(conversation)
    const named = Fields.stringOf(body["model"])
    const shared = {
      id: "",
      created: Math.floor(call.now / 1000),
      model: named === "" || named === "tgi" ? model.id : named,
      system_fingerprint: fingerprint
    }
    const { input, output } = said.usage
    const usage = { prompt_tokens: input, completion_tokens: output, total_tokens: input + output }
    return Either.right({
      input,
      output,
      render: () => (streams ? streamed(shared, body, said, usage) : whole(shared, said, usage, call))
    })
  }

/**
 * The text that the model gets to see.
 *
 * @since 0.1.0
 * @category conversions
 */
export const templated = (body: Fields.Json): string =>
  `${Fields.objects(body["messages"])
    .map((message) => {
      const content = message["content"]
      const text =
        typeof content === "string"
          ? content
          : Array.isArray(content)
            ? Fields.objects(content)
                .map((part) => Fields.stringOf(part["text"]))
                .join("")
            : JSON.stringify(message["tool_calls"] ?? [])
      return `<|im_start|>${Fields.stringOf(message["role"])}\n${text}<|im_end|>\n`
    })
    .join("")}<|im_start|>assistant\n`

const parametersOf = ({ max_tokens, response_format, temperature, ...rest }: Fields.Json): Fields.Json => ({
  ...rest,
  max_new_tokens: max_tokens,
  grammar: response_format,
  // 0 stands for "do not sample"
  temperature: temperature === 0 ? undefined : temperature
})

const conversationOf = (model: Models.Model, body: Fields.Json, call: Wire.Call): Reply.Conversation => {
  const form = Request.form(body["response_format"])
  const named = Request.chosen(body["tool_choice"])
  const conversation = OpenAiRequest.conversation(body, model, call, 0)
  return {
    ...conversation,
    // older requests, and the description, have another word for what a tool takes
    tools: Fields.objects(body["tools"]).flatMap(({ function: offered }) =>
      Fields.isJson(offered)
        ? [{ name: Fields.stringOf(offered["name"]), parameters: offered["parameters"] ?? offered["arguments"] }]
        : []
    ),
    choice: named === undefined ? conversation.choice : { name: named },
    parallel: false,
    format: form?._tag === "Json" ? { schema: form.schema } : "text"
  }
}

/**
 * A reply that matches a regular expression.
 *
 * @since 0.1.0
 * @category conversions
 */
export const match = (pattern: string, conversation: Reply.Conversation): Reply.Reply => ({
  reasoning: [],
  text: [Request.match(pattern) ?? ""],
  calls: [],
  finish: "stop",
  usage: { input: Reply.input(conversation), output: 1, reasoning: 0 }
})

const finishReasons: { readonly [F in Reply.Reply["finish"]]: string } = {
  stop: "stop",
  length: "length",
  tools: "stop"
}

const reasonOf = ({ finish, stopped }: Reply.Reply): string =>
  stopped === undefined ? finishReasons[finish] : "stop_sequence"

const inStream = (failure: Wire.Failure): Wire.Answer => ({
  input: 0,
  output: 0,
  render: () => ({
    _tag: "Frames",
    contentType: "text/event-stream",
    opening: "",
    tokens: [],
    closing: Refusal.inChat(failure._tag === "Rejected" ? failure.message : Refusal.broke)
  })
})

const whole = (shared: Fields.Json, reply: Reply.Reply, usage: Fields.Json, call: Wire.Call): Wire.Body => {
  const [called] = reply.calls
  return {
    _tag: "Whole",
    contentType: "application/json",
    headers: {
      "x-compute-type": "simulator",
      "x-total-time": call.latencyMillis.toString(),
      "x-prompt-tokens": reply.usage.input.toString(),
      "x-generated-tokens": reply.usage.output.toString()
    },
    content: JSON.stringify({
      object: "chat.completion",
      ...shared,
      choices: [
        {
          index: 0,
          message: {
            role: "assistant",
            ...(called === undefined
              ? { content: reply.text.join("") }
              : {
                  tool_calls: [
                    {
                      id: "0",
                      type: "function",
                      function: { description: null, name: called.name, arguments: called.fragments.join("") }
                    }
                  ]
                })
          },
          logprobs: null,
          finish_reason: reasonOf(reply)
        }
      ],
      usage
    })
  }
}

const streamed = (shared: Fields.Json, body: Fields.Json, reply: Reply.Reply, usage: Fields.Json): Wire.Body => {
  const options = body["stream_options"]
  const members = JSON.stringify({ object: "chat.completion.chunk", ...shared }).slice(0, -1)
  const chunk = (choices: string, used = "null") => `data: ${members},"choices":[${choices}],"usage":${used}}\n\n`
  const piece = (delta: object, reason: string | null = null) =>
    chunk(JSON.stringify({ index: 0, delta: { role: "assistant", ...delta }, logprobs: null, finish_reason: reason }))
  const [called] = reply.calls
  const fragments = called?.fragments ?? []
  const tool = (name: string | null, args: string) =>
    piece({ tool_calls: [{ index: 0, id: nextId(body), type: "function", function: { name, arguments: args } }] })
  return {
    _tag: "Frames",
    contentType: "text/event-stream",
    opening: "",
    tokens:
      called === undefined
        ? reply.text.map((content, index) =>
            // the last token of a text that was cut off says so itself
            piece({ content }, reply.finish === "length" && index === reply.text.length - 1 ? "length" : null)
          )
        : fragments.map((fragment, index) => tool(index === 0 ? called.name : null, fragment)),
    closing: [
      // a call ends with a token that is not told
      called === undefined && reply.finish !== "length" ? piece({ content: "" }, reasonOf(reply)) : "",
      Fields.isJson(options) && options["include_usage"] === true ? chunk("", JSON.stringify(usage)) : "",
      "data: [DONE]\n\n"
    ].join("")
  }
}

// In streams calls are numbered on, where all that came before were numbers.
const nextId = (body: Fields.Json): string => {
  const ids = Fields.objects(body["messages"])
    .filter(({ content }) => content === undefined || content === null)
    .flatMap((message) => Fields.objects(message["tool_calls"]).map(({ id }) => Number(Fields.stringOf(id))))
  return ids.every(Number.isInteger)
    ? Math.max(0, ...ids.map((id) => id + 1)).toString()
    : "5b0f6dd1-6a3c-4d8e-9d1c-3a1f5e0c7b42"
}
