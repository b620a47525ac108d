/**
 * The chat completions wire, as OpenAI made it and others speak it: what is the same for all of them stands here, what
 * differs is a `Dialect`.
 *
 * @see https://platform.openai.com/docs/api-reference/chat
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Fields from "./Fields.js"
import type * as Models from "./Models.js"
import * as Request from "./OpenAiRequest.js"
import * as Reply from "./Reply.js"
import * as Seed from "./Seed.js"
import * as Wire from "./Wire.js"

/**
 * How one vendor's chat completions differ.
 *
 * @since 0.1.0
 * @category models
 */
export interface Dialect {
  readonly models: ReadonlyArray<Models.Model>
  readonly fields: Fields.Check
  /** The vendor's rules beyond the form of single fields. */
  readonly rules: (body: Fields.Json, model: Models.Model) => Wire.Failure | undefined
  /** `undefined` where an answer has no id. */
  readonly completionId: (id: number) => string | undefined
  readonly toolCallId: (id: number) => string
  /** Where the model's thoughts are shown: in a field of their own, between marks in the text, or nowhere. */
  readonly reasoningIn: (body: Fields.Json) => "field" | "text" | "nowhere"
  /** That field, in a whole answer and in a piece of a streamed one. @default as Groq has it */
  readonly reasoning?: (text: string, streamed: boolean) => Fields.Json
  /** What the answer must match, by a field that only this vendor has. */
  readonly format?: (body: Fields.Json) => Reply.Conversation["format"] | undefined
  /** Members of the answer, and of each piece of a streamed one. */
  readonly members: (call: Wire.Call) => Fields.Json
  /** Members of a whole answer alone. */
  readonly wholeMembers: (call: Wire.Call) => Fields.Json
  /** Members of a message, and of the first delta. */
  readonly messageMembers: Fields.Json
  readonly firstDeltaMembers: Fields.Json
  /** What stands for the text of a message that only calls tools; `undefined` leaves it out. */
  readonly noText: null | undefined
  readonly usage: (usage: Reply.Usage, call: Wire.Call) => Fields.Json
  /** Members of the first piece of a stream, and of the last one with the reason for the end. */
  readonly firstMembers: (call: Wire.Call) => Fields.Json
  readonly lastMembers: (call: Wire.Call, usage: Fields.Json) => Fields.Json
  /** Whether a tool call is streamed in one piece. */
  readonly wholeToolCalls: boolean
  /** Whether pieces are padded against eavesdroppers who measure them. */
  readonly padded: boolean
}

/**
 * The answer of `POST …/chat/completions`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const answer =
  (dialect: Dialect) =>
  (call: Wire.Call): Either.Either<Wire.Answer, Wire.Failure> => {
    const body: Fields.Json = Fields.isJson(call.body) ? call.body : {}
    const found = Request.model(dialect.models, body, "chat")
    if (Either.isLeft(found)) return Either.left(found.left)
    const violation = dialect.fields(body)
    if (violation !== undefined) return Either.left(Wire.Failure.Invalid({ violation, body }))
    const broken = Request.pairing(Fields.objects(body["messages"])) ?? dialect.rules(body, found.right)
    if (broken !== undefined) return Either.left(broken)
    const count = typeof body["n"] === "number" ? body["n"] : 1
    const format = dialect.format?.(body)
    const replies = Array.from({ length: count }, (_, variant) => {
      const conversation = Request.conversation(body, found.right, call, variant)
      return Reply.to(format === undefined ? conversation : { ...conversation, format })
    })
    const usage = total(replies)
    return Either.right({
      input: usage.input,
      output: usage.output,
      render: () =>
        body["stream"] === true
          ? streamed(dialect, call, body, found.right, replies)
          : whole(dialect, call, body, found.right, replies)
    })
  }

const total = (replies: ReadonlyArray<Reply.Reply>): Reply.Usage => ({
  input: replies[0]?.usage.input ?? 0,
  output: replies.reduce((sum, { usage }) => sum + usage.output, 0),
  reasoning: replies.reduce((sum, { usage }) => sum + usage.reasoning, 0)
})

const finishReasons: { readonly [F in Reply.Reply["finish"]]: string } = {
  stop: "stop",
  length: "length",
  tools: "tool_calls"
}

const whole = (
  dialect: Dialect,
  call: Wire.Call,
  body: Fields.Json,
  model: Models.Model,
  replies: ReadonlyArray<Reply.Reply>
): Wire.Body => {
  const reasoningIn = dialect.reasoningIn(body)
  return Wire.json({
    id: dialect.completionId(call.id),
    object: "chat.completion",
    created: Math.floor(call.now / 1000),
    model: model.snapshot,
    choices: replies.map((reply, index) => ({
      index,
      message: {
        role: "assistant",
        content: reply.calls.length > 0 ? dialect.noText : spoken(reply, reasoningIn).join(""),
        ...(reply.reasoning.length > 0 && reasoningIn === "field"
          ? reasoningOf(dialect)(reply.reasoning.join(""), false)
          : {}),
        ...(reply.calls.length === 0
          ? {}
          : {
              tool_calls: reply.calls.map((one, position) => ({
                id: dialect.toolCallId(Seed.at(call.id, 100 * index + position)),
                type: "function",
                function: { name: one.name, arguments: one.fragments.join("") }
              }))
            }),
        ...dialect.messageMembers
      },
      logprobs: body["logprobs"] === true ? { content: reply.text.map(logprob), refusal: null } : null,
      finish_reason: finishReasons[reply.finish]
    })),
    usage: dialect.usage(total(replies), call),
    ...dialect.members(call),
    ...dialect.wholeMembers(call)
  })
}

const reasoningOf = ({ reasoning }: Dialect): Dialect["reasoning"] & {} =>
  reasoning ?? ((text, streamed) => ({ reasoning: text, ...(streamed ? { channel: "analysis" } : {}) }))

const spoken = ({ reasoning, text }: Reply.Reply, reasoningIn: "field" | "text" | "nowhere"): ReadonlyArray<string> =>
  reasoningIn === "text" && reasoning.length > 0 ? ["<think>\n", ...reasoning, "\n</think>\n\n", ...text] : text

const logprob = (token: string) => ({
  token,
  logprob: -Seed.fraction(Seed.of(token)),
  bytes: Array.from(new TextEncoder().encode(token)),
  top_logprobs: []
})

const streamed = (
  dialect: Dialect,
  call: Wire.Call,
  body: Fields.Json,
  model: Models.Model,
  replies: ReadonlyArray<Reply.Reply>
): Wire.Body => {
  const options: Fields.Json = Fields.isJson(body["stream_options"]) ? body["stream_options"] : {}
  const usage = dialect.usage(total(replies), call)
  const withUsage = options["include_usage"] === true
  const reasoningIn = dialect.reasoningIn(body)
  const padded = dialect.padded && options["include_obfuscation"] !== false
  const members = JSON.stringify({
    id: dialect.completionId(call.id),
    object: "chat.completion.chunk",
    created: Math.floor(call.now / 1000),
    model: model.snapshot,
    ...dialect.members(call)
  })
  // All pieces begin alike: what is the same in all of them is written once.
  const beginning = `data: ${members.slice(0, -1)},"choices":[`
  const ending = withUsage ? `],"usage":null` : "]"
  let pieces = 0
  const padding = () => {
    if (!padded) return ""
    const seed = Seed.at(call.id, 1000 + pieces++)
    return `,"obfuscation":"${Seed.identifier(seed, 2 + (seed & 15))}"`
  }
  const piece = (index: number, delta: string, finish = "null", more = "", logprobs = "null") =>
    `${beginning}{"index":${index},"delta":${delta},"logprobs":${logprobs},"finish_reason":${finish}}${ending}${more}${padding()}}\n\n`
  const first = membersOf(dialect.firstMembers(call))
  const last = membersOf(dialect.lastMembers(call, usage))

  const opening: Array<string> = []
  // A single call begins with the message itself; of several, each begins by itself.
  const joined = (reply: Reply.Reply) => reply.calls.length === 1 && !dialect.wholeToolCalls
  const lanes = replies.map((reply, index): ReadonlyArray<string> => {
    const toolPiece = (position: number, members: Fields.Json) =>
      piece(index, JSON.stringify({ tool_calls: [{ index: position, ...members }] }))
    const head = ({ name }: Reply.ToolCall, position: number) => ({
      id: dialect.toolCallId(Seed.at(call.id, 100 * index + position)),
      type: "function",
      function: { name, arguments: "" }
    })
    opening.push(
      piece(
        index,
        JSON.stringify({
          role: "assistant",
          content: reply.calls.length > 0 ? null : "",
          ...(joined(reply) ? { tool_calls: reply.calls.map((one) => ({ index: 0, ...head(one, 0) })) } : {}),
          ...dialect.firstDeltaMembers
        }),
        "null",
        first
      )
    )
    const reasoning =
      reasoningIn === "field"
        ? reply.reasoning.map((token) => piece(index, JSON.stringify(reasoningOf(dialect)(token, true))))
        : []
    const words = spoken(reply, reasoningIn).map((token) =>
      piece(
        index,
        `{"content":${JSON.stringify(token)}}`,
        "null",
        "",
        body["logprobs"] === true ? JSON.stringify({ content: [logprob(token)], refusal: null }) : "null"
      )
    )
    const calls = reply.calls.flatMap((one, position) => {
      const begun = head(one, position)
      if (dialect.wholeToolCalls) {
        return [toolPiece(position, { ...begun, function: { name: one.name, arguments: one.fragments.join("") } })]
      }
      const fragments = one.fragments.map((fragment) => toolPiece(position, { function: { arguments: fragment } }))
      return joined(reply) ? fragments : [toolPiece(position, begun) + (fragments[0] ?? ""), ...fragments.slice(1)]
    })
    return [...reasoning, ...words, ...calls]
  })
  const ends = replies.map((reply, index) => piece(index, "{}", `"${finishReasons[reply.finish]}"`, last))
  const usagePiece = withUsage ? `${beginning}],"usage":${JSON.stringify(usage)}${padding()}}\n\n` : ""
  return {
    _tag: "Frames",
    contentType: "text/event-stream; charset=utf-8",
    opening: opening.join(""),
    tokens: interleave(lanes),
    closing: `${ends.join("")}${usagePiece}data: [DONE]\n\n`
  }
}

// Members as they follow others in the text of an object.
const membersOf = (members: Fields.Json): string =>
  Object.entries(members)
    .map(([name, value]) => `,${JSON.stringify(name)}:${JSON.stringify(value)}`)
    .join("")

// Alternatives come in turns: the first token of each, the second of each, and so on.
const interleave = (lanes: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<string> => {
  const [only] = lanes
  if (only !== undefined && lanes.length === 1) return only
  const longest = Math.max(0, ...lanes.map((lane) => lane.length))
  return Array.from({ length: longest }, (_, position) =>
    lanes.flatMap((lane) => lane.slice(position, position + 1))
  ).flat()
}
