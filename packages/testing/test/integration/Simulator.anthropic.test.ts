import Anthropic from "@anthropic-ai/sdk"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type * as Simulator from "@spillway/testing/Simulator"
import { collect, rejection, served, until } from "./served.js"

const client = (options?: Simulator.Options, apiKey = "sim-key-1") =>
  Effect.map(served(options), ({ simulator, variable }) => ({
    simulator,
    anthropic: new Anthropic({ baseURL: variable("ANTHROPIC_BASE_URL"), apiKey, maxRetries: 0 })
  }))

const hello = {
  model: "claude-sonnet-5-5",
  max_tokens: 200,
  messages: [{ role: "user" as const, content: "Hello there" }]
}

const weather: Anthropic.Tool = {
  name: "get_weather",
  input_schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] }
}

const textOf = (message: Anthropic.Message) =>
  message.content.flatMap((block) => (block.type === "text" ? [block.text] : [])).join("")

describe("the official @anthropic-ai/sdk and the simulator", () => {
  it.scopedLive("message", () =>
    Effect.gen(function*() {
      const { anthropic, simulator } = yield* client()
      const message = yield* Effect.promise(() => anthropic.messages.create(hello))
      assert.match(textOf(message), /^You said: “Hello there”\./)
      assert.strictEqual(message.stop_reason, "end_turn")
      assert.strictEqual(message.model, "claude-sonnet-5-5")
      assert.strictEqual(message.usage.output_tokens, 48)
      assert.match(message._request_id ?? "", /^req_/)
      const cut = yield* Effect.promise(() => anthropic.messages.create({ ...hello, max_tokens: 5 }))
      assert.strictEqual(cut.stop_reason, "max_tokens")
      const stopped = yield* Effect.promise(() => anthropic.messages.create({ ...hello, stop_sequences: ["there"] }))
      assert.deepStrictEqual(
        [stopped.stop_reason, stopped.stop_sequence, textOf(stopped)],
        ["stop_sequence", "there", "You said: “Hello "]
      )
      // The client says which version it speaks, and the simulator holds it to that.
      assert.strictEqual((yield* simulator.requests)[0]?.headers["anthropic-version"], "2026-10-21")
    })
  )

  it.scopedLive("stream, which adds up to the whole message", () =>
    Effect.gen(function*() {
      const { anthropic } = yield* client({ tokenDelay: "1 millis" })
      const whole = yield* Effect.promise(() => anthropic.messages.create(hello))
      const streamed = yield* Effect.promise(() => anthropic.messages.stream(hello).finalMessage())
      assert.deepStrictEqual(streamed.content, whole.content)
      assert.strictEqual(streamed.stop_reason, whole.stop_reason)
      assert.strictEqual(streamed.usage.input_tokens, whole.usage.input_tokens)
      assert.strictEqual(streamed.usage.output_tokens, whole.usage.output_tokens)
      const events = yield* Effect.promise(async () =>
        collect(await anthropic.messages.create({ ...hello, stream: true }))
      )
      assert.deepStrictEqual(Array.from(new Set(events.map(({ type }) => type))), [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop"
      ])
    })
  )

  it.scopedLive("tool calls and their round trip, whole and streamed", () =>
    Effect.gen(function*() {
      const { anthropic } = yield* client()
      const request = {
        ...hello,
        tools: [weather],
        messages: [{ role: "user" as const, content: "What is the weather in Tokyo?" }]
      }
      const asked = yield* Effect.promise(() => anthropic.messages.create(request))
      const call = asked.content[0]
      assert.strictEqual(asked.stop_reason, "tool_use")
      if (call?.type !== "tool_use") return assert.fail("no call")
      assert.deepStrictEqual([call.name, call.input], ["get_weather", { city: "Tokyo" }])
      const streamed = yield* Effect.promise(() => anthropic.messages.stream(request).finalMessage())
      assert.deepStrictEqual(
        streamed.content[0]?.type === "tool_use" ? streamed.content[0].input : undefined,
        call.input
      )
      const answered = yield* Effect.promise(() =>
        anthropic.messages.create({
          ...request,
          messages: [
            ...request.messages,
            { role: "assistant", content: [{ type: "tool_use", id: call.id, name: call.name, input: call.input }] },
            { role: "user", content: [{ type: "tool_result", tool_use_id: call.id, content: "21 degrees and sunny" }] }
          ]
        })
      )
      assert.match(textOf(answered), /The tool get_weather returned: 21 degrees and sunny\./)
      const forced = yield* Effect.promise(() =>
        anthropic.messages.create({
          ...request,
          tool_choice: { type: "any" },
          messages: [{ role: "user", content: "both" }]
        })
      )
      assert.deepStrictEqual(
        forced.content.map(({ type }) => type),
        ["tool_use", "tool_use"]
      )
    })
  )

  it.scopedLive("thinking, whose signature is its own and has to come back", () =>
    Effect.gen(function*() {
      const { anthropic } = yield* client()
      const request = {
        ...hello,
        max_tokens: 4000,
        thinking: { type: "enabled" as const, budget_tokens: 1024 },
        tools: [weather]
      }
      const whole = yield* Effect.promise(() => anthropic.messages.create(request))
      const streamed = yield* Effect.promise(() => anthropic.messages.stream(request).finalMessage())
      assert.deepStrictEqual(
        streamed.content.map(({ type }) => type),
        ["thinking", "tool_use"]
      )
      assert.deepStrictEqual(streamed.content[0], whole.content[0])
      const [thought, call] = whole.content
      if (thought?.type !== "thinking" || call?.type !== "tool_use") return assert.fail("no thought, no call")
      const back = (signature: string) => () =>
        anthropic.messages.create({
          ...request,
          messages: [
            ...request.messages,
            {
              role: "assistant",
              content: [
                { type: "thinking", thinking: thought.thinking, signature },
                { type: "tool_use", id: call.id, name: call.name, input: call.input }
              ]
            },
            { role: "user", content: [{ type: "tool_result", tool_use_id: call.id, content: "rain" }] }
          ]
        })
      assert.strictEqual((yield* Effect.promise(back(thought.signature))).stop_reason, "end_turn")
      const forged = yield* rejection(back("forged"))
      assert.instanceOf(forged, Anthropic.BadRequestError)
      assert.match((forged as Error).message, /Invalid `signature` in `thinking` block/)
    })
  )

  it.scopedLive("structured output, images and documents in, a count of tokens", () =>
    Effect.gen(function*() {
      const { anthropic } = yield* client()
      const structured = yield* Effect.promise(() =>
        anthropic.messages.create({
          ...hello,
          messages: [{ role: "user", content: "Ada is 36" }],
          output_config: {
            format: {
              type: "json_schema",
              schema: {
                type: "object",
                properties: { age: { type: "integer" } },
                required: ["age"],
                additionalProperties: false
              }
            }
          }
        })
      )
      assert.deepStrictEqual(JSON.parse(textOf(structured)), { age: 36 })
      const messages: Array<Anthropic.MessageParam> = [
        {
          role: "user",
          content: [
            { type: "text", text: "What is this?" },
            { type: "image", source: { type: "base64", media_type: "image/png", data: "iVBORw0KGgo=" } },
            { type: "document", source: { type: "text", media_type: "text/plain", data: "some text" } }
          ]
        }
      ]
      const seen = yield* Effect.promise(() => anthropic.messages.create({ ...hello, messages }))
      assert.match(textOf(seen), /You showed me an image \(image\/png\), a document \(text\/plain\)\./)
      const counted = yield* Effect.promise(() => anthropic.messages.countTokens({ model: hello.model, messages }))
      assert.strictEqual(counted.input_tokens, seen.usage.input_tokens)
    })
  )

  it.scopedLive("models, page by page", () =>
    Effect.gen(function*() {
      const { anthropic } = yield* client()
      const models = yield* Effect.promise(() => collect(anthropic.models.list({ limit: 2 })))
      assert.deepStrictEqual(
        models.map(({ id }) => id),
        [
          "claude-sonnet-5-5",
          "claude-haiku-5-5",
          "claude-sonnet-4-5-20250929",
          "claude-haiku-4-5-20251001",
          "claude-opus-4-6",
          "sim-chat",
          "sim-reasoning"
        ]
      )
      const one = yield* Effect.promise(() => anthropic.models.retrieve("claude-haiku-4-5"))
      assert.strictEqual(one.display_name, "Claude Haiku 4.5")
    })
  )

  it.scopedLive("its own errors: 401, 404, 400, 429, 500, 529, a broken connection, and an error in the stream", () =>
    Effect.gen(function*() {
      const { anthropic, simulator } = yield* client({ requestsPerMinute: 4 })
      const ask =
        (more: object = {}, one = anthropic) =>
        () =>
          one.messages.create({ ...hello, ...more })
      const wrong = new Anthropic({ baseURL: anthropic.baseURL, apiKey: "sk-wrong", maxRetries: 0 })
      assert.instanceOf(yield* rejection(ask({}, wrong)), Anthropic.AuthenticationError)
      const missing = yield* rejection(ask({ model: "claude-nope" }))
      assert.instanceOf(missing, Anthropic.NotFoundError)
      assert.match((missing as Error).message, /model: claude-nope/)
      const bad = yield* rejection(ask({ max_tokens: 0 }))
      assert.instanceOf(bad, Anthropic.BadRequestError)
      assert.match((bad as Error).message, /max_tokens: Input should be greater than or equal to 1/)
      assert.match(String(yield* rejection(ask({ temperature: 1 }))), /sampling parameters are not supported/)
      yield* simulator.inject("serverError", "overloaded", "connectionReset", "streamError", "streamCut")
      assert.instanceOf(yield* rejection(ask()), Anthropic.InternalServerError)
      const overloaded = yield* rejection(ask())
      assert.strictEqual((overloaded as InstanceType<typeof Anthropic.InternalServerError>).status, 529)
      assert.instanceOf(yield* rejection(ask()), Anthropic.APIConnectionError)
      const midway = yield* rejection(() => anthropic.messages.create({ ...hello, stream: true }).then(collect))
      assert.instanceOf(midway, Anthropic.APIError)
      assert.match((midway as Error).message, /overloaded_error/)
      assert.match(
        String(yield* rejection(() => anthropic.messages.stream(hello).finalMessage())),
        /without producing|ended/
      )
      const limited = yield* rejection(ask())
      assert.instanceOf(limited, Anthropic.RateLimitError)
      assert.strictEqual((limited as InstanceType<typeof Anthropic.RateLimitError>).headers.get("retry-after"), "15")
    })
  )

  it.scopedLive("an abort, which the simulator sees", () =>
    Effect.gen(function*() {
      const { anthropic, simulator } = yield* client({ tokenDelay: "20 millis", answerTokens: 1000 })
      const stream = yield* Effect.promise(() => anthropic.messages.create({ ...hello, stream: true }))
      yield* Effect.promise(async () => {
        for await (const _ of stream) break
      })
      const [request] = yield* until(simulator.requests, ([one]) => one?.outcome !== "Open")
      assert.strictEqual(request?.outcome, "Aborted")
    })
  )
})
