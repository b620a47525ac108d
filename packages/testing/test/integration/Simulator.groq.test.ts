import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import Groq, { toFile } from "groq-sdk"
import type * as Simulator from "@spillway/testing/Simulator"
import { collect, rejection, served } from "./served.js"

const client = (options?: Simulator.Options, apiKey = "sim-key-1") =>
  Effect.map(served(options), ({ simulator, variable }) => ({
    simulator,
    groq: new Groq({ baseURL: variable("GROQ_BASE_URL"), apiKey, maxRetries: 0 })
  }))

const model = "llama-3.3-70b-versatile"
const user = (content: string) => [{ role: "user" as const, content }]

const weather = {
  type: "function" as const,
  function: {
    name: "get_weather",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] }
  }
}

describe("the official groq-sdk and the simulator", () => {
  it.scopedLive("chat, and a stream that adds up to it", () =>
    Effect.gen(function*() {
      const { groq } = yield* client({ tokenDelay: "1 millis" })
      const whole = yield* Effect.promise(() => groq.chat.completions.create({ model, messages: user("Hello there") }))
      assert.match(whole.choices[0]?.message.content ?? "", /^You said: “Hello there”\./)
      assert.strictEqual(whole.usage?.completion_tokens, 48)
      assert.isNumber(whole.usage?.queue_time)
      const chunks = yield* Effect.promise(async () =>
        collect(await groq.chat.completions.create({ model, messages: user("Hello there"), stream: true }))
      )
      assert.strictEqual(
        chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join(""),
        whole.choices[0]?.message.content
      )
      assert.match(chunks[0]?.x_groq?.id ?? "", /^req_/)
      assert.strictEqual(chunks.at(-1)?.x_groq?.usage?.completion_tokens, 48)
      assert.strictEqual(chunks.at(-1)?.choices[0]?.finish_reason, "stop")
    })
  )

  it.scopedLive("reasoning, in its field, in the text, or hidden", () =>
    Effect.gen(function*() {
      const { groq } = yield* client()
      const ask = (reasoning_format?: "parsed" | "raw" | "hidden") =>
        Effect.promise(() =>
          groq.chat.completions.create({
            model: "openai/gpt-oss-120b",
            messages: user("hi"),
            ...(reasoning_format === undefined ? {} : { reasoning_format })
          })
        )
      const parsed = (yield* ask("parsed")).choices[0]?.message
      assert.match(parsed?.reasoning ?? "", /^The user said “hi”/)
      assert.match((yield* ask("raw")).choices[0]?.message.content ?? "", /^<think>\nThe user said/)
      const hidden = (yield* ask("hidden")).choices[0]?.message
      assert.isUndefined(hidden?.reasoning)
      assert.strictEqual(hidden?.content, parsed?.content)
      const chunks = yield* Effect.promise(async () =>
        collect(
          await groq.chat.completions.create({ model: "openai/gpt-oss-120b", messages: user("hi"), stream: true })
        )
      )
      assert.strictEqual(chunks.map((chunk) => chunk.choices[0]?.delta.reasoning ?? "").join(""), parsed?.reasoning)
    })
  )

  it.scopedLive("tool calls and their round trip: a streamed call comes in one piece", () =>
    Effect.gen(function*() {
      const { groq } = yield* client()
      const request = { model, messages: user("What is the weather in Tokyo?"), tools: [weather] }
      const asked = yield* Effect.promise(() => groq.chat.completions.create(request))
      const message = asked.choices[0]?.message
      const call = message?.tool_calls?.[0]
      assert.deepStrictEqual(JSON.parse(call?.function.arguments ?? ""), { city: "Tokyo" })
      assert.isUndefined(message?.content)
      const chunks = yield* Effect.promise(async () =>
        collect(await groq.chat.completions.create({ ...request, stream: true }))
      )
      const pieces = chunks.flatMap((chunk) => chunk.choices[0]?.delta.tool_calls ?? [])
      assert.deepStrictEqual(
        pieces.map((piece) => piece.function?.arguments),
        [call?.function.arguments]
      )
      if (message === undefined || call === undefined) return assert.fail("no call")
      const answered = yield* Effect.promise(() =>
        groq.chat.completions.create({
          ...request,
          messages: [...request.messages, message, { role: "tool", tool_call_id: call.id, content: "rain" }]
        })
      )
      assert.match(answered.choices[0]?.message.content ?? "", /The tool get_weather returned: rain\./)
    })
  )

  it.scopedLive("structured output, embeddings, models", () =>
    Effect.gen(function*() {
      const { groq } = yield* client()
      const structured = yield* Effect.promise(() =>
        groq.chat.completions.create({
          model: "openai/gpt-oss-20b",
          messages: user("Ada is 36"),
          response_format: {
            type: "json_schema",
            json_schema: {
              name: "person",
              schema: { type: "object", properties: { age: { type: "integer" } }, required: ["age"] }
            }
          }
        })
      )
      assert.deepStrictEqual(JSON.parse(structured.choices[0]?.message.content ?? ""), { age: 36 })
      const embedded = yield* Effect.promise(() =>
        groq.embeddings.create({ model: "nomic-embed-text-v1_5", input: ["one", "two"] })
      )
      assert.deepStrictEqual(
        embedded.data.map(({ embedding, index }) => [index, embedding.length]),
        [
          [0, 768],
          [1, 768]
        ]
      )
      const models = yield* Effect.promise(() => groq.models.list())
      assert.includeMembers(
        models.data.map(({ id }) => id),
        [model, "openai/gpt-oss-120b", "sim-chat"]
      )
      assert.strictEqual((yield* Effect.promise(() => groq.models.retrieve("openai/gpt-oss-120b"))).owned_by, "OpenAI")
    })
  )

  it.scopedLive("its own errors: 401, 404, 400, 413, 429, 503, a broken connection, and an error in the stream", () =>
    Effect.gen(function*() {
      const { groq, simulator } = yield* client({ requestsPerMinute: 3, tokensPerMinute: 1000 })
      const ask =
        (more: object = {}, one = groq) =>
        () =>
          one.chat.completions.create({ model, messages: user("hi"), ...more })
      const wrong = new Groq({ baseURL: groq.baseURL, apiKey: "gsk_wrong", maxRetries: 0 })
      assert.instanceOf(yield* rejection(ask({}, wrong)), Groq.AuthenticationError)
      assert.instanceOf(yield* rejection(ask({ model: "nope" })), Groq.NotFoundError)
      const bad = yield* rejection(ask({ n: 2 }))
      assert.instanceOf(bad, Groq.BadRequestError)
      assert.match((bad as Error).message, /'n' : number must be at most 1/)
      const large = yield* rejection(ask({ messages: user("long ".repeat(1000)) }))
      assert.strictEqual((large as InstanceType<typeof Groq.APIError>).status, 413)
      yield* simulator.inject("overloaded", "connectionReset", "streamError")
      assert.strictEqual((yield* rejection(ask()) as Effect.Effect<InstanceType<typeof Groq.APIError>>).status, 503)
      assert.instanceOf(yield* rejection(ask()), Groq.APIConnectionError)
      const midway = yield* rejection(() =>
        groq.chat.completions.create({ model, messages: user("hi"), stream: true }).then(collect)
      )
      assert.instanceOf(midway, Groq.APIError)
      yield* Effect.promise(ask())
      const limited = yield* rejection(ask())
      assert.instanceOf(limited, Groq.RateLimitError)
      assert.match((limited as Error).message, /requests per minute \(RPM\): Limit 3/)
    })
  )

  it.scopedLive("speech, in each form in which it can be written down", () =>
    Effect.gen(function*() {
      const { groq } = yield* client()
      const sound = new Uint8Array([82, 73, 70, 70, 0, 13, 10, 255])
      const file = yield* Effect.promise(() => toFile(sound, "Grüße.wav"))
      const plain = yield* Effect.promise(() =>
        groq.audio.transcriptions.create({ model: "whisper-large-v3", file, language: "en" })
      )
      assert.match(plain.text, /^ You sent me a sound of 8 bytes \(wav\)\./)
      const verbose: any = yield* Effect.promise(() =>
        groq.audio.transcriptions.create({
          model: "whisper-large-v3",
          file,
          response_format: "verbose_json",
          timestamp_granularities: ["word"]
        })
      )
      assert.deepStrictEqual(verbose.words[0], { word: "You", start: 0, end: 0.25 })
      assert.notProperty(verbose, "segments")
      const remote = yield* Effect.promise(() =>
        groq.audio.transcriptions.create({ model: "whisper-large-v3-turbo", url: "https://x.test/a.mp3" })
      )
      assert.include(remote.text, "a sound by its address")
      const neither = yield* rejection(() => groq.audio.transcriptions.create({ model: "whisper-large-v3" }))
      assert.instanceOf(neither, Groq.BadRequestError)
      const odd = yield* Effect.promise(() => toFile(sound, "a.txt"))
      const refused = yield* rejection(() => groq.audio.transcriptions.create({ model: "whisper-large-v3", file: odd }))
      assert.include((refused as Error).message, "file must be one of the following types")
    })
  )
})
