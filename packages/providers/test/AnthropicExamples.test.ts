import { assert, describe, it } from "@effect/vitest"
import * as Completion from "@spillway/core/Completion"
import type * as LlmError from "@spillway/core/LlmError"
import * as Monitor from "@spillway/core/Monitor"
import * as Prompt from "@spillway/core/Prompt"
import * as Anthropic from "@spillway/providers/Anthropic"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { absent, type Example, examples, sse } from "./examples.js"
import { fetching, refusal, through } from "./fetching.js"

const recorded = examples("anthropic", sse)

const made = Anthropic.make({ apiKeys: [Redacted.make("sk-ant-test")] })

const make = Effect.map(made, ({ llm }) => llm)

const request = { model: "asked", prompt: "hi" }

const errors: { readonly [name: string]: LlmError.Tag } = {
  error_400_invalid_request: "InvalidRequest",
  error_401_authentication: "AuthenticationFailed",
  error_404_count_tokens: "ModelNotFound",
  error_404_model: "ModelNotFound",
  error_429_rate_limit: "RateLimited",
  error_500_overloaded_as_api_error: "ServerFault", // W-21
  error_529_overloaded: "ServerFault" // W-21
}

const finishReasons: { readonly [reason: string]: Completion.FinishReason } = {
  end_turn: "stop",
  tool_use: "tool-calls"
}

/** The message that a stream builds up, by the plainest reading of its events. */
const assembled = (events: ReadonlyArray<any>) => {
  const message = { ...events.find(({ type }) => type === "message_start").message, content: [] as Array<any> }
  for (const event of events) {
    if (event.type === "content_block_start") message.content[event.index] = { ...event.content_block, json: "" }
    if (event.type === "content_block_delta") {
      const block = message.content[event.index]
      if (event.delta.type === "text_delta") block.text += event.delta.text
      if (event.delta.type === "input_json_delta") block.json += event.delta.partial_json
    }
    if (event.type === "message_delta") {
      message.stop_reason = event.delta.stop_reason
      message.usage = { ...message.usage, ...event.usage }
    }
  }
  for (const block of message.content) if (block.type === "tool_use") block.input = JSON.parse(block.json || "{}")
  return message
}

/** The blocks that the common words have: without those of the vendor's own tools, texts that meet as one. */
const spoken = (blocks: ReadonlyArray<any>, streamed: boolean) => {
  const content: Array<any> = []
  for (const { id, input, name, signature, text, thinking, type } of blocks) {
    if (type === "text" && streamed && content.at(-1)?.type === "text") content.at(-1).text += text
    else if (type === "text") content.push({ type, text })
    else if (type === "tool_use") content.push({ type, id, name, input })
    else if (type === "thinking") content.push({ type, thinking, signature })
  }
  return content
}

const says = (completion: Completion.Completion, message: any, streamed: boolean) => {
  assert.strictEqual(completion.id, message.id)
  assert.strictEqual(completion.model, message.model)
  assert.strictEqual(completion.finishReason, finishReasons[message.stop_reason])
  const { cache_creation_input_tokens, cache_read_input_tokens, input_tokens, output_tokens } = message.usage
  assert.deepStrictEqual(completion.usage, {
    inputTokens: input_tokens + cache_creation_input_tokens + cache_read_input_tokens,
    outputTokens: output_tokens,
    cachedInputTokens: cache_read_input_tokens,
    cacheWriteTokens: cache_creation_input_tokens
  })
  assert.deepStrictEqual(
    completion.content.map((part) =>
      part._tag === "ToolCall"
        ? { type: "tool_use", id: part.id, name: part.name, input: JSON.parse(part.arguments) }
        : part._tag === "Text"
        ? { type: "text", text: part.text }
        : { type: "thinking", thinking: part.text, signature: part.signature }
    ),
    spoken(message.content, streamed)
  )
}

const isStream = ({ answer }: Example) => typeof answer.body === "string"

const eventsOf = ({ answer, chunks }: Example): ReadonlyArray<any> =>
  chunks ?? [...String(answer.body).matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data!))

if (recorded === undefined) {
  describe.skip(`Anthropic's recorded answers (${absent})`, () => {
    it("are read", () => {})
  })
} else {
  describe("Anthropic's recorded answers", () => {
    for (const example of recorded) {
      const { answer, body, name, status } = example
      const tag = errors[name]
      if (tag !== undefined) {
        it.effect(`${name} is ${tag}`, () =>
          Effect.map(refusal(make, answer), (error) => {
            assert.strictEqual(error._tag, tag)
            assert.include(error.message, body.error.message)
            assert.strictEqual("requestId" in error ? error.requestId : undefined, body.request_id)
          }))
      } else if (name === "headers_messages_200") {
        it.effect(`${name} tell what is left of the key's limits (W-20)`, () => {
          const body = { content: [], usage: {} }
          return through(fetching(() => ({ ...answer, body })).fetch, make, (service) =>
            Effect.gen(function*() {
              yield* service.generateText(request)
              const { backends } = yield* Monitor.snapshot
              assert.deepStrictEqual(backends[0]?.keys?.[0]?.remaining, { requests: 999, tokens: 96000 })
            })).pipe(Effect.provideService(Monitor.CurrentMonitor, Monitor.unsafeMake()))
        })
      } else if (isStream(example)) {
        it.effect(`${name} reads as the message that it streams (W-04, W-05)`, () =>
          through(fetching(() => answer).fetch, make, (service) =>
            Effect.map(
              Completion.collect(service.streamText(request)),
              (completion) => says(completion, assembled(eventsOf(example)), true)
            )))
      } else if (name === "count_tokens") {
        it.effect(`${name} reads as its count, and answers what we send`, () => {
          const { fetch, sent } = fetching(() => answer)
          const { messages: [{ content: [{ text }] }], model } = example.request?.body ?? {}
          return through(fetch, made, ({ anthropic }) =>
            Effect.map(anthropic.countTokens({ model, prompt: text }), (tokens) => {
              assert.strictEqual(tokens, body.input_tokens)
              assert.strictEqual(sent[0]!.path, "/v1/messages/count_tokens")
              assert.deepStrictEqual(sent[0]!.body, example.request!.body)
            }))
        })
      } else {
        it.effect(`${name} reads as what it says (W-06, W-20)`, () => {
          assert.strictEqual(status, 200)
          return through(fetching(() => answer).fetch, make, (service) =>
            Effect.map(service.generateText(request), (completion) => says(completion, body, false)))
        })
      }
    }

    it.effect("go back in the next turn as they came, thinking and its signature too (W-06)", () => {
      const example = recorded.find(({ name }) => name === "messages_tool_with_thinking")!
      const { fetch, sent } = fetching(() => example.answer)
      return through(fetch, make, (service) =>
        Effect.gen(function*() {
          const { content } = yield* service.generateText(request)
          const prompt = [
            Prompt.user("What is the largest city in the user country?"),
            Prompt.assistant(content),
            Prompt.tool([{ _tag: "ToolResult", id: "toolu_01YGzqpRE16Vricda3Aqcejo", name: "f", result: "Mexico" }])
          ]
          yield* service.generateText({ model: "asked", prompt })
          assert.deepStrictEqual(sent[1]!.body.messages[1].content, example.body.content)
        }))
    })

    it.effect("do not make anybody wait for a retry-after on a success (W-20)", () => {
      const example = recorded.find(({ name }) => name === "messages_200_with_retry_after")!
      const { fetch, sent } = fetching(() => example.answer)
      return through(fetch, make, (service) =>
        Effect.gen(function*() {
          yield* service.generateText(request)
          yield* service.generateText(request)
          assert.strictEqual(sent.length, 2)
        }))
    })
  })
}
