import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import OpenAI from "openai"
import type * as Simulator from "@spillway/testing/Simulator"
import { collect, rejection, served, until } from "./served.js"

const client = (options?: Simulator.Options, apiKey = "sim-key-1") =>
  Effect.map(served(options), ({ simulator, variable }) => ({
    simulator,
    openai: new OpenAI({ baseURL: variable("OPENAI_BASE_URL"), apiKey, maxRetries: 0 })
  }))

const user = (content: string) => [{ role: "user" as const, content }]

const weather = {
  type: "function" as const,
  function: {
    name: "get_weather",
    parameters: {
      type: "object",
      properties: { city: { type: "string" }, unit: { type: "string", enum: ["celsius", "fahrenheit"] } },
      required: ["city", "unit"],
      additionalProperties: false
    },
    strict: true
  }
}

describe("the official openai client and the simulator", () => {
  it.scopedLive("chat", () =>
    Effect.gen(function*() {
      const { openai } = yield* client()
      const completion = yield* Effect.promise(() =>
        openai.chat.completions.create({ model: "gpt-4o-mini", messages: user("Hello there") })
      )
      assert.match(completion.choices[0]?.message.content ?? "", /^You said: “Hello there”\./)
      assert.strictEqual(completion.choices[0]?.finish_reason, "stop")
      assert.strictEqual(completion.model, "gpt-4o-mini-2024-07-18")
      assert.strictEqual(completion.usage?.completion_tokens, 48)
      assert.match(completion._request_id ?? "", /^req_/)
    })
  )

  it.scopedLive("stream, whose pieces and usage are those of the whole answer", () =>
    Effect.gen(function*() {
      const { openai } = yield* client({ tokenDelay: "1 millis" })
      const request = { model: "gpt-4o-mini", messages: user("Hello there") }
      const whole = yield* Effect.promise(() => openai.chat.completions.create(request))
      const chunks = yield* Effect.promise(async () =>
        collect(
          await openai.chat.completions.create({ ...request, stream: true, stream_options: { include_usage: true } })
        )
      )
      assert.strictEqual(
        chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join(""),
        whole.choices[0]?.message.content
      )
      assert.deepStrictEqual(chunks.at(-1)?.choices, [])
      assert.deepStrictEqual(chunks.at(-1)?.usage, whole.usage)
      const final = yield* Effect.promise(() => openai.chat.completions.stream(request).finalChatCompletion())
      assert.strictEqual(final.choices[0]?.message.content, whole.choices[0]?.message.content)
    })
  )

  it.scopedLive("tool calls and their round trip, whole and streamed, one and two", () =>
    Effect.gen(function*() {
      const { openai } = yield* client()
      const request = {
        model: "gpt-4o-mini",
        messages: user("What is the weather in Tokyo, in celsius?"),
        tools: [weather]
      }
      const asked = yield* Effect.promise(() => openai.chat.completions.create(request))
      const message = asked.choices[0]?.message
      const call = message?.tool_calls?.[0]
      assert.strictEqual(asked.choices[0]?.finish_reason, "tool_calls")
      assert.isNull(message?.content)
      assert.deepStrictEqual(
        call?.type === "function" ? [call.function.name, JSON.parse(call.function.arguments)] : [],
        ["get_weather", { city: "Tokyo", unit: "celsius" }]
      )
      const streamed = yield* Effect.promise(() => openai.chat.completions.stream(request).finalChatCompletion())
      const again = streamed.choices[0]?.message.tool_calls?.[0]
      assert.deepStrictEqual(
        again?.type === "function" ? again.function.arguments : "",
        call?.type === "function" ? call.function.arguments : undefined
      )
      if (message === undefined || call === undefined) return assert.fail("no call")
      const answered = yield* Effect.promise(() =>
        openai.chat.completions.create({
          ...request,
          messages: [
            ...request.messages,
            message,
            { role: "tool", tool_call_id: call.id, content: "21 degrees and sunny" }
          ]
        })
      )
      assert.match(answered.choices[0]?.message.content ?? "", /The tool get_weather returned: 21 degrees and sunny\./)
      const both = yield* Effect.promise(() =>
        openai.chat.completions.create({ ...request, messages: user("Both, please") })
      )
      assert.strictEqual(both.choices[0]?.message.tool_calls?.length, 2)
      const runner = yield* Effect.promise(() =>
        openai.chat.completions
          .runTools({
            model: "gpt-4o-mini",
            messages: user("What is the weather in Tokyo?"),
            tools: [
              {
                type: "function",
                function: {
                  name: "get_weather",
                  description: "The weather of a city",
                  parameters: weather.function.parameters,
                  parse: JSON.parse,
                  function: ({ city }: { readonly city: string }) => `rain in ${city}`
                }
              }
            ]
          })
          .finalContent()
      )
      assert.match(runner ?? "", /returned: rain in Tokyo\./)
    })
  )

  it.scopedLive("structured output, and several choices", () =>
    Effect.gen(function*() {
      const { openai } = yield* client()
      const parsed = yield* Effect.promise(() =>
        openai.chat.completions.parse({
          model: "gpt-4o-mini",
          messages: user("Ada is 36"),
          response_format: {
            type: "json_schema",
            json_schema: {
              name: "person",
              strict: true,
              schema: {
                type: "object",
                properties: { name: { type: "string" }, age: { type: "integer" } },
                required: ["name", "age"],
                additionalProperties: false
              }
            }
          }
        })
      )
      assert.deepStrictEqual(Object.keys(JSON.parse(parsed.choices[0]?.message.content ?? "")), ["name", "age"])
      assert.strictEqual(JSON.parse(parsed.choices[0]?.message.content ?? "").age, 36)
      const two = yield* Effect.promise(() =>
        openai.chat.completions.create({ model: "gpt-4o-mini", messages: user("hi"), n: 2 })
      )
      assert.notStrictEqual(two.choices[0]?.message.content, two.choices[1]?.message.content)
      const streamed = yield* Effect.promise(() =>
        openai.chat.completions.stream({ model: "gpt-4o-mini", messages: user("hi"), n: 2 }).finalChatCompletion()
      )
      assert.deepStrictEqual(
        streamed.choices.map(({ message }) => message.content),
        two.choices.map(({ message }) => message.content)
      )
    })
  )

  it.scopedLive("embeddings, in the base64 that the client asks for by itself and as numbers", () =>
    Effect.gen(function*() {
      const { openai, simulator } = yield* client()
      const input = ["a red apple", "the red apple", "quantum chromodynamics"]
      const packed = yield* Effect.promise(() =>
        openai.embeddings.create({ model: "text-embedding-3-small", input, dimensions: 64 })
      )
      const plain = yield* Effect.promise(() =>
        openai.embeddings.create({ model: "text-embedding-3-small", input, dimensions: 64, encoding_format: "float" })
      )
      assert.deepStrictEqual(
        (yield* simulator.requests).map(({ body }) => (body as { readonly encoding_format: string }).encoding_format),
        ["base64", "float"]
      )
      const vectors = packed.data.map(({ embedding }) => embedding)
      const dot = (left: ReadonlyArray<number> = [], right: ReadonlyArray<number> = []) =>
        left.reduce((sum, value, index) => sum + value * (right[index] ?? 0), 0)
      assert.deepStrictEqual(
        vectors.map((vector) => vector.length),
        [64, 64, 64]
      )
      packed.data.forEach(({ embedding, index }) =>
        embedding.forEach((value, at) => assert.closeTo(value, plain.data[index]?.embedding[at] ?? NaN, 1e-6))
      )
      assert.closeTo(dot(vectors[0], vectors[0]), 1, 1e-5)
      assert.isAbove(dot(vectors[0], vectors[1]), dot(vectors[0], vectors[2]))
    })
  )

  it.scopedLive("models", () =>
    Effect.gen(function*() {
      const { openai } = yield* client()
      const models = yield* Effect.promise(() => collect(openai.models.list()))
      assert.includeMembers(
        models.map(({ id }) => id),
        ["gpt-4o-mini", "text-embedding-3-small", "sim-chat"]
      )
      const one = yield* Effect.promise(() => openai.models.retrieve("gpt-4o"))
      assert.strictEqual(one.owned_by, "system")
    })
  )

  it.scopedLive("its own errors: 401, 404, 400, 429, 500, a broken connection, and an error in the stream", () =>
    Effect.gen(function*() {
      const { openai, simulator } = yield* client({ requestsPerMinute: 3 })
      const ask =
        (model = "gpt-4o-mini", more: object = {}, one = openai) =>
        () =>
          one.chat.completions.create({ model, messages: user("hi"), ...more })
      const wrong = new OpenAI({ baseURL: openai.baseURL, apiKey: "sk-wrong", maxRetries: 0 })
      const unauthorized = yield* rejection(ask("gpt-4o-mini", {}, wrong))
      assert.instanceOf(unauthorized, OpenAI.AuthenticationError)
      assert.strictEqual((unauthorized as InstanceType<typeof OpenAI.AuthenticationError>).code, "invalid_api_key")
      const missing = yield* rejection(ask("nope"))
      assert.instanceOf(missing, OpenAI.NotFoundError)
      assert.strictEqual((missing as InstanceType<typeof OpenAI.NotFoundError>).code, "model_not_found")
      const bad = yield* rejection(ask("gpt-4o-mini", { temperature: 7 }))
      assert.instanceOf(bad, OpenAI.BadRequestError)
      assert.strictEqual((bad as InstanceType<typeof OpenAI.BadRequestError>).param, "temperature")
      yield* simulator.inject("serverError", "connectionReset", "streamError")
      assert.instanceOf(yield* rejection(ask()), OpenAI.InternalServerError)
      assert.instanceOf(yield* rejection(ask()), OpenAI.APIConnectionError)
      const midway = yield* rejection(() =>
        openai.chat.completions.create({ model: "gpt-4o-mini", messages: user("hi"), stream: true }).then(collect)
      )
      assert.instanceOf(midway, OpenAI.APIError)
      assert.match((midway as Error).message, /server had an error/)
      yield* Effect.promise(ask())
      const limited = yield* rejection(ask())
      assert.instanceOf(limited, OpenAI.RateLimitError)
      assert.strictEqual((limited as InstanceType<typeof OpenAI.RateLimitError>).code, "rate_limit_exceeded")
    })
  )

  it.scopedLive("its own time limit, when nobody answers, and a connection that is hung up", () =>
    Effect.gen(function*() {
      const { openai, simulator } = yield* client()
      const ask = (timeout?: number) =>
        openai.chat.completions.create(
          { model: "gpt-4o-mini", messages: user("hi") },
          timeout === undefined ? {} : { timeout }
        )
      yield* simulator.down("hang", "openai")
      // long enough for the request to arrive, however busy the machine is
      assert.instanceOf(yield* rejection(() => ask(500)), OpenAI.APIConnectionTimeoutError)
      yield* until(simulator.requests, ([one]) => one?.outcome === "Aborted")
      const hanging = ask()
      yield* until(simulator.total, (total) => total === 2)
      yield* simulator.hangUp
      assert.instanceOf(yield* rejection(() => hanging), OpenAI.APIConnectionError)
      assert.strictEqual((yield* simulator.requests)[1]?.outcome, "Broken")
    })
  )

  it.scopedLive("an abort, which the simulator sees", () =>
    Effect.gen(function*() {
      const { openai, simulator } = yield* client({ tokenDelay: "20 millis", answerTokens: 1000 })
      const stream = yield* Effect.promise(() =>
        openai.chat.completions.create({ model: "gpt-4o-mini", messages: user("hi"), stream: true })
      )
      yield* Effect.promise(async () => {
        for await (const _ of stream) break
      })
      const [request] = yield* until(simulator.requests, ([one]) => one?.outcome !== "Open")
      assert.strictEqual(request?.outcome, "Aborted")
      assert.isBelow(request?.streamed ?? Infinity, 1000)
    })
  )
})

describe("the official openai client and the simulator, over Responses", () => {
  const tool = { type: "function" as const, name: "get_weather", strict: true, parameters: weather.function.parameters }

  it.scopedLive("text, whole and in events that add up to it", () =>
    Effect.gen(function*() {
      const { openai } = yield* client()
      const request = { model: "gpt-4o-mini", instructions: "Be brief.", input: "Hello there" }
      const whole = yield* Effect.promise(() => openai.responses.create(request))
      assert.match(whole.output_text, /^You said: “Hello there”\./)
      assert.strictEqual(whole.status, "completed")
      assert.strictEqual(whole.model, "gpt-4o-mini-2024-07-18")
      const events = yield* Effect.promise(async () =>
        collect(await openai.responses.create({ ...request, stream: true }))
      )
      assert.deepStrictEqual(
        events.map(({ sequence_number }) => sequence_number),
        events.map((_, index) => index)
      )
      assert.strictEqual(
        events.map((event) => (event.type === "response.output_text.delta" ? event.delta : "")).join(""),
        whole.output_text
      )
      const last = events.at(-1)
      assert.deepStrictEqual(last?.type === "response.completed" ? last.response.usage : undefined, whole.usage)
      const final = yield* Effect.promise(() => openai.responses.stream(request).finalResponse())
      assert.strictEqual(final.output_text, whole.output_text)
    })
  )

  it.scopedLive("calls of two tools with sealed thoughts, and what follows them", () =>
    Effect.gen(function*() {
      const { openai } = yield* client()
      const request = {
        model: "gpt-5-mini",
        input: [{ role: "user" as const, content: "What is the weather in both Tokyo and Oslo, in celsius?" }],
        tools: [tool],
        store: false,
        include: ["reasoning.encrypted_content" as const],
        reasoning: { effort: "low" as const, summary: "auto" as const }
      }
      const asked = yield* Effect.promise(() => openai.responses.create(request))
      assert.deepStrictEqual(
        asked.output.map(({ type }) => type),
        ["reasoning", "function_call", "function_call"]
      )
      const [thought] = asked.output
      assert.match(thought?.type === "reasoning" ? (thought.encrypted_content ?? "") : "", /^gAAAAAB/)
      const final = yield* Effect.promise(() => openai.responses.stream(request).finalResponse())
      assert.deepStrictEqual(
        final.output.map((item) => (item.type === "function_call" ? JSON.parse(item.arguments) : item.type)),
        asked.output.map((item) => (item.type === "function_call" ? JSON.parse(item.arguments) : item.type))
      )
      assert.strictEqual(
        final.output[0]?.type === "reasoning" ? final.output[0].summary[0]?.text : "",
        thought?.type === "reasoning" ? thought.summary[0]?.text : undefined
      )
      // other kinds of items, which nobody asked for, cannot all be sent back
      const said = asked.output.filter((item) => item.type === "reasoning" || item.type === "function_call")
      const results = asked.output.flatMap((item) =>
        item.type === "function_call"
          ? [{ type: "function_call_output" as const, call_id: item.call_id, output: "sunny" }]
          : []
      )
      const answered = yield* Effect.promise(() =>
        openai.responses.create({ ...request, input: [...request.input, ...said, ...results] })
      )
      assert.include(answered.output_text, "The tool get_weather returned: sunny.")
      const unanswered = yield* rejection(() =>
        openai.responses.create({ ...request, input: [...request.input, ...said] })
      )
      assert.include((unanswered as Error).message, "No tool output found for function call")
    })
  )

  it.scopedLive("structure, and an end before the end", () =>
    Effect.gen(function*() {
      const { openai } = yield* client()
      const schema = {
        type: "object",
        properties: { city: { type: "string" } },
        required: ["city"],
        additionalProperties: false
      }
      const structured = yield* Effect.promise(() =>
        openai.responses.parse({
          model: "gpt-4o-mini",
          input: "Where?",
          text: { format: { type: "json_schema", name: "place", schema, strict: true } }
        })
      )
      assert.isString(JSON.parse(structured.output_text).city)
      const short = yield* Effect.promise(() =>
        openai.responses.create({ model: "gpt-4o-mini", input: "Hello", max_output_tokens: 16 })
      )
      assert.strictEqual(short.status, "incomplete")
      assert.strictEqual(short.incomplete_details?.reason, "max_output_tokens")
    })
  )

  it.scopedLive("the count of a request's tokens", () =>
    Effect.gen(function*() {
      const { openai } = yield* client()
      const request = { model: "gpt-4o-mini", input: "Hello there", tools: [tool] }
      const counted = yield* Effect.promise(() => openai.responses.inputTokens.count(request))
      const answered = yield* Effect.promise(() => openai.responses.create(request))
      assert.strictEqual(counted.object, "response.input_tokens")
      assert.strictEqual(counted.input_tokens, answered.usage?.input_tokens)
    })
  )

  it.scopedLive("refusals, and an error in the midst of a stream", () =>
    Effect.gen(function*() {
      const { openai, simulator } = yield* client()
      const unknown = yield* rejection(() => openai.responses.create({ model: "nobody", input: "hi" }))
      assert.instanceOf(unknown, OpenAI.BadRequestError)
      assert.strictEqual((unknown as InstanceType<typeof OpenAI.BadRequestError>).code, "model_not_found")
      const kept = yield* rejection(() => openai.responses.retrieve("resp_1"))
      assert.instanceOf(kept, OpenAI.NotFoundError)
      yield* simulator.inject("streamError")
      const broken = yield* rejection(async () =>
        collect(await openai.responses.create({ model: "gpt-4o-mini", input: "hi", stream: true }))
      )
      assert.instanceOf(broken, OpenAI.APIError)
      assert.include((broken as Error).message, "The server had an error while processing your request")
    })
  )

  it.scopedLive("moderation of texts, and of a text with a picture", () =>
    Effect.gen(function*() {
      const { openai } = yield* client()
      const texts = yield* Effect.promise(() => openai.moderations.create({ input: ["nice weather", "violence"] }))
      assert.deepStrictEqual(
        texts.results.map(({ categories, flagged }) => [flagged, categories.violence, categories["self-harm/intent"]]),
        [
          [false, false, false],
          [true, true, false]
        ]
      )
      const together = yield* Effect.promise(() =>
        openai.moderations.create({
          model: "omni-moderation-latest",
          input: [
            { type: "text", text: "nice weather" },
            { type: "image_url", image_url: { url: "https://x.test/a.png" } }
          ]
        })
      )
      assert.deepStrictEqual(together.results[0]?.category_applied_input_types.violence, ["text", "image"])
      assert.strictEqual(together.model, "omni-moderation-2024-09-26")
      const empty = yield* rejection(() => openai.moderations.create({ input: [] }))
      assert.instanceOf(empty, OpenAI.BadRequestError)
    })
  )
})
