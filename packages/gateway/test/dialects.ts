/** The APIs of the gateway as tests speak them: the same conversation, in each one's words. */
import { Effect } from "effect"
import { events, json, text, type Web } from "./web.js"

/** What was answered, in words that are nobody's. */
export interface Said {
  readonly text: string
  readonly thinking: string
  readonly calls: ReadonlyArray<{ readonly id: string; readonly name: string; readonly args: unknown }>
  readonly stop: string
  readonly input: number | undefined
  readonly output: number | undefined
  /** The message as it came, to be sent back. */
  readonly message: object
}

/** A conversation of at most three turns. */
export interface Asked {
  readonly model: string
  readonly user: string
  /** A PNG, in base64. */
  readonly image?: string
  readonly tool?: boolean
  readonly think?: boolean
  /** What was answered before, with what the tool said to it. */
  readonly before?: { readonly said: Said; readonly result: string }
}

export interface Dialect {
  readonly name: string
  readonly whole: (web: Web, asked: Asked) => Effect.Effect<Said>
  readonly streamed: (web: Web, asked: Asked) => Effect.Effect<Said>
  /** The response to whatever was asked, before anybody reads it. */
  readonly ask: (web: Web, asked: Asked, stream: boolean) => Effect.Effect<Response>
  /** What a body of an error says. */
  readonly wrong: (body: any) => string
}

const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] }
const tool = { name: "get_weather", description: "The weather in a city, now" }

const make = (
  name: string,
  path: string,
  body: (asked: Asked) => object,
  whole: (body: any) => Said,
  streamed: (response: Response) => Effect.Effect<Said>,
  wrong: (body: any) => string
): Dialect => {
  const ask: Dialect["ask"] = (web, asked, stream) => web.post(path, { ...body(asked), stream })
  const good = <A>(read: (response: Response) => Effect.Effect<A>) => (response: Response) =>
    response.status === 200
      ? read(response)
      : Effect.flatMap(text(response), (said) => Effect.dieMessage(`${response.status}: ${said}`))
  return {
    name,
    ask,
    wrong,
    whole: (web, asked) => Effect.flatMap(ask(web, asked, false), good((response) => Effect.map(json(response), whole))),
    streamed: (web, asked) => Effect.flatMap(ask(web, asked, true), good(streamed))
  }
}

// -----------------------------------------------------------------------------
// OpenAI
// -----------------------------------------------------------------------------

const openai = make(
  "OpenAI's chat",
  "/v1/chat/completions",
  ({ before, image, model, think, tool: offered, user }) => ({
    model,
    messages: [
      {
        role: "user",
        content: image === undefined ? user : [
          { type: "text", text: user },
          { type: "image_url", image_url: { url: `data:image/png;base64,${image}` } }
        ]
      },
      ...(before === undefined ? [] : [
        before.said.message,
        ...before.said.calls.map(({ id }) => ({ role: "tool", tool_call_id: id, content: before.result }))
      ])
    ],
    ...(offered && { tools: [{ type: "function", function: { ...tool, parameters } }] }),
    ...(think && { reasoning_effort: "low" })
  }),
  ({ choices: [{ finish_reason, message }], usage }) => ({
    text: message.content ?? "",
    thinking: message.reasoning_content ?? "",
    calls: (message.tool_calls ?? []).map(({ function: { arguments: args, name }, id }: any) => ({
      id,
      name,
      args: JSON.parse(args)
    })),
    stop: finish_reason,
    input: usage?.prompt_tokens,
    output: usage?.completion_tokens,
    message
  }),
  (response) =>
    Effect.map(events(response), (events) => {
      const message: any = { role: "assistant", content: "", tool_calls: [] }
      let stop = ""
      for (const { choices: [choice] } of events.filter((event) => event !== "[DONE]")) {
        if (choice === undefined) continue
        const { content, reasoning_content, reasoning_details, tool_calls = [] } = choice.delta
        stop = choice.finish_reason ?? stop
        message.content += content ?? ""
        if (reasoning_content) message.reasoning_content = (message.reasoning_content ?? "") + reasoning_content
        if (reasoning_details) message.reasoning_details = reasoning_details
        for (const { index, ...call } of tool_calls) {
          const begun = message.tool_calls[index]
          if (begun === undefined) message.tool_calls[index] = call
          else begun.function.arguments += call.function.arguments
        }
      }
      return {
        text: message.content,
        thinking: message.reasoning_content ?? "",
        calls: message.tool_calls.map(({ function: { arguments: args, name }, id }: any) => ({
          id,
          name,
          args: JSON.parse(args)
        })),
        stop,
        input: undefined,
        output: undefined,
        message
      }
    }),
  ({ error }) => error.message
)

// -----------------------------------------------------------------------------
// Anthropic
// -----------------------------------------------------------------------------

const fromMessage = ({ content, role, stop_reason, usage }: any): Said => ({
  text: content.flatMap((block: any) => block.type === "text" ? [block.text] : []).join(""),
  thinking: content.flatMap((block: any) => block.type === "thinking" ? [block.thinking] : []).join(""),
  calls: content.flatMap(({ id, input, name, type }: any) => type === "tool_use" ? [{ id, name, args: input }] : []),
  stop: stop_reason,
  input: usage.input_tokens + usage.cache_read_input_tokens,
  output: usage.output_tokens,
  message: { role, content }
})

/** The events of a stream, each held to the name before it. */
const named = (response: Response): Effect.Effect<ReadonlyArray<any>> =>
  Effect.map(text(response), (text) =>
    text.split("\n\n").slice(0, -1).map((event) => {
      const [, name, data] = /^event: (\w+)\ndata: (.*)$/.exec(event) ?? []
      const parsed = JSON.parse(data ?? "")
      if (parsed.type !== name) throw new Error(`an event of another name: ${event}`)
      return parsed
    }))

const anthropic = make(
  "Anthropic's messages",
  "/v1/messages",
  ({ before, image, model, think, tool: offered, user }) => ({
    model,
    max_tokens: 4000,
    messages: [
      {
        role: "user",
        content: image === undefined ? user : [
          { type: "text", text: user },
          { type: "image", source: { type: "base64", media_type: "image/png", data: image } }
        ]
      },
      ...(before === undefined ? [] : [
        before.said.message,
        {
          role: "user",
          content: before.said.calls.map(({ id }) => ({ type: "tool_result", tool_use_id: id, content: before.result }))
        }
      ])
    ],
    ...(offered && { tools: [{ ...tool, input_schema: parameters }] }),
    ...(think && { thinking: { type: "adaptive" }, output_config: { effort: "low" } })
  }),
  fromMessage,
  (response) =>
    Effect.map(named(response), (events) => {
      const [start, ...rest] = events
      const message = start.message
      const partial: Array<string> = []
      for (const event of rest) {
        switch (event.type) {
          case "content_block_start":
            if (event.index !== message.content.length) throw new Error("blocks out of order")
            message.content.push(event.content_block)
            partial.push("")
            break
          case "content_block_delta": {
            const block = message.content[event.index]
            const { partial_json, signature, text, thinking } = event.delta
            if (text !== undefined) block.text += text
            if (thinking !== undefined) block.thinking += thinking
            if (signature !== undefined) block.signature += signature
            partial[event.index] += partial_json ?? ""
            break
          }
          case "content_block_stop":
            if (partial[event.index] !== "") message.content[event.index].input = JSON.parse(partial[event.index]!)
            break
          case "message_delta":
            Object.assign(message, event.delta)
            Object.assign(message.usage, event.usage)
            break
        }
      }
      if (rest.at(-1).type !== "message_stop") throw new Error("a message without its end")
      return fromMessage(message)
    }),
  ({ error }) => error.message
)

// -----------------------------------------------------------------------------
// Ollama
// -----------------------------------------------------------------------------

const fromChat = ({ done_reason, eval_count, message, prompt_eval_count }: any): Said => ({
  text: message.content,
  thinking: message.thinking ?? "",
  calls: (message.tool_calls ?? []).map(({ function: { arguments: args, name }, id }: any) => ({ id, name, args })),
  stop: done_reason,
  input: prompt_eval_count,
  output: eval_count,
  message
})

const ollama = make(
  "Ollama's chat",
  "/api/chat",
  ({ before, image, model, think, tool: offered, user }) => ({
    model,
    messages: [
      { role: "user", content: user, ...(image !== undefined && { images: [image] }) },
      ...(before === undefined ? [] : [
        before.said.message,
        ...before.said.calls.map(({ name }) => ({ role: "tool", tool_name: name, content: before.result }))
      ])
    ],
    ...(offered && { tools: [{ type: "function", function: { ...tool, parameters } }] }),
    ...(think && { think: "low" })
  }),
  fromChat,
  (response) =>
    Effect.map(text(response), (text) => {
      const lines = text.split("\n").slice(0, -1).map((line) => JSON.parse(line))
      if (lines.some((line, i) => line.done !== (i === lines.length - 1))) throw new Error("done is not the end")
      const message: any = { role: "assistant", content: "" }
      for (const { message: { content, role, thinking, ...more } } of lines) {
        message.content += content
        if (thinking !== undefined) message.thinking = (message.thinking ?? "") + thinking
        Object.assign(message, more)
      }
      return fromChat({ ...lines.at(-1), message })
    }),
  ({ error }) => error
)

export const dialects: ReadonlyArray<Dialect> = [openai, anthropic, ollama]
