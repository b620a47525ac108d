import { assert, describe, it } from "@effect/vitest"
import { Effect, TestClock } from "effect"
import * as Simulator from "@spillway/testing/Simulator"
import { answer, anthropic, ask, chat, events, groq, ollama, openai, text } from "./SimulatorCalls.js"

const tool = (
  name = "look",
  parameters: object = { type: "object", properties: { at: { type: "string" } }, required: ["at"] }
) => ({
  type: "function",
  function: { name, parameters }
})

const called = (id = "call_1", name = "look") => ({
  role: "assistant",
  content: null,
  tool_calls: [{ id, type: "function", function: { name, arguments: "{}" } }]
})

describe("Simulator: OpenAI", () => {
  it.effect("frames a stream as the service does", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(1_700_000_000_000)
      const simulator = yield* Simulator.make({ answerTokens: 1 })
      const stream = yield* text(
        simulator,
        openai,
        chat("a", { max_tokens: 2, stream: true, stream_options: { include_usage: true, include_obfuscation: false } })
      )
      const id = /"id":"(chatcmpl-[A-Za-z0-9]{29})"/.exec(stream)?.[1] ?? "none"
      const head = `"id":"${id}","object":"chat.completion.chunk","created":1700000000,"model":"sim-chat","service_tier":"default","system_fingerprint":"fp_5117a7e512"`
      const piece = (delta: string, finish: string) =>
        `data: {${head},"choices":[{"index":0,"delta":${delta},"logprobs":null,"finish_reason":${finish}}],"usage":null}\n\n`
      const usage = `"usage":{"prompt_tokens":8,"completion_tokens":2,"total_tokens":10,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}`
      assert.strictEqual(
        stream,
        piece(`{"role":"assistant","content":"","refusal":null}`, "null") +
          piece(`{"content":"You"}`, "null") +
          piece(`{"content":" said"}`, "null") +
          piece("{}", `"length"`) +
          `data: {${head},"choices":[],${usage}}\n\n` +
          "data: [DONE]\n\n"
      )
    })
  )

  it.effect("pads its pieces unless that is declined, and sends the same bytes slowly as at once", () =>
    Effect.gen(function*() {
      const request = chat("hi", { stream: true })
      const quick = yield* Effect.flatMap(Simulator.make(), (simulator) => text(simulator, openai, request))
      assert.isTrue(
        events(quick)
          .slice(0, -1)
          .every((event) => /^[A-Za-z0-9]{2,17}$/.test(JSON.parse(event).obfuscation))
      )
      const slow = yield* Effect.fork(
        Effect.flatMap(Simulator.make({ tokenDelay: 1 }), (simulator) => text(simulator, openai, request))
      )
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* slow, quick)
    })
  )

  it.effect("streams a tool call in fragments that no parser expects: id and name once, then bits of arguments", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const request = chat("Look at the Moon, both of you", { tools: [tool(), tool("peek")] })
      const whole = yield* answer(simulator, openai, request)
      const deltas = events(yield* text(simulator, openai, { ...request, stream: true }))
        .slice(0, -1)
        .flatMap((event) => JSON.parse(event).choices[0].delta.tool_calls ?? [])
      for (const index of [0, 1]) {
        const mine = deltas.filter((delta) => delta.index === index)
        assert.deepStrictEqual(Object.keys(mine[0]).sort(), ["function", "id", "index", "type"])
        assert.isTrue(
          mine.slice(1).every((delta) => Object.keys(delta).length === 2 && Object.keys(delta.function).length === 1)
        )
        assert.isAbove(mine.length, 3)
        assert.strictEqual(
          mine.map((delta) => delta.function.arguments).join(""),
          whole.body.choices[0].message.tool_calls[index].function.arguments
        )
      }
      assert.deepStrictEqual(
        whole.body.choices[0].message.tool_calls.map((call: { readonly function: unknown }) => call.function),
        [
          { name: "look", arguments: '{"at":"Moon"}' },
          { name: "peek", arguments: '{"at":"Moon"}' }
        ]
      )
    })
  )

  it.effect("calls a tool when the user has spoken, never when told not to, always when told to", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const tools = [tool(), tool("peek")]
      const names = (more: object) =>
        Effect.map(answer(simulator, openai, chat("both", { tools, ...more })), ({ body }) =>
          (body.choices[0].message.tool_calls ?? []).map(
            (call: { readonly function: { readonly name: string } }) => call.function.name
          )
        )
      assert.deepStrictEqual(yield* names({}), ["look", "peek"])
      assert.deepStrictEqual(yield* names({ parallel_tool_calls: false }), ["look"])
      assert.deepStrictEqual(yield* names({ tool_choice: "none" }), [])
      assert.deepStrictEqual(yield* names({ tool_choice: { type: "function", function: { name: "peek" } } }), ["peek"])
      const after = [
        { role: "user", content: "hi" },
        called(),
        { role: "tool", tool_call_id: "call_1", content: "seen" }
      ]
      assert.deepStrictEqual(yield* names({ messages: after }), [])
      assert.deepStrictEqual(yield* names({ messages: after, tool_choice: "required" }), ["look"])
    })
  )

  it.effect("answers in JSON where that is asked for, and cuts it off where the tokens end", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const object = yield* answer(
        simulator,
        openai,
        chat("Some JSON please", { response_format: { type: "json_object" } })
      )
      assert.deepStrictEqual(JSON.parse(object.body.choices[0].message.content), {
        said: "Some JSON please",
        simulated: true
      })
      const format = {
        type: "json_schema",
        json_schema: {
          name: "it",
          schema: { type: "object", properties: { colour: { enum: ["red", "green"] } }, required: ["colour"] }
        }
      }
      const schema = yield* answer(simulator, openai, chat("I like green", { response_format: format }))
      assert.deepStrictEqual(JSON.parse(schema.body.choices[0].message.content), { colour: "green" })
      const cut = yield* answer(simulator, openai, chat("I like green", { response_format: format, max_tokens: 2 }))
      assert.strictEqual(cut.body.choices[0].finish_reason, "length")
      assert.isTrue(JSON.stringify({ colour: "green" }).startsWith(cut.body.choices[0].message.content))
    })
  )

  it.effect("stops at the first stop sequence, counts reasoning that it does not show, and acknowledges images", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const stopped = yield* answer(simulator, openai, chat("one two three", { stop: ["three", "two"] }))
      assert.strictEqual(stopped.body.choices[0].message.content, "You said: “one ")
      assert.strictEqual(stopped.body.choices[0].finish_reason, "stop")
      const reasoned = yield* answer(simulator, openai, chat("hi", { model: "gpt-5-mini" }))
      assert.isAbove(reasoned.body.usage.completion_tokens_details.reasoning_tokens, 0)
      assert.isUndefined(reasoned.body.choices[0].message.reasoning)
      const starved = yield* answer(simulator, openai, chat("hi", { model: "gpt-5-mini", max_completion_tokens: 3 }))
      assert.deepStrictEqual(
        [starved.body.choices[0].message.content, starved.body.choices[0].finish_reason],
        ["", "length"]
      )
      const content = [
        { type: "text", text: "What is this?" },
        { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0KGgo=" } }
      ]
      const seen = yield* answer(simulator, openai, { model: "gpt-4o", messages: [{ role: "user", content }] })
      assert.match(seen.body.choices[0].message.content, /You showed me an image \(image\/png\)\./)
    })
  )

  it.effect("says the same to the same, and that no model was asked", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make({ answerTokens: 200 })
      const [one, two] = yield* Effect.all([
        answer(simulator, openai, chat("hi")),
        answer(simulator, openai, chat("hi"))
      ])
      assert.strictEqual(one.body.choices[0].message.content, two.body.choices[0].message.content)
      assert.notStrictEqual(one.body.id, two.body.id)
      assert.match(one.body.choices[0].message.content, /no model was asked/)
      assert.strictEqual(one.body.usage.completion_tokens, 200)
      const endless = yield* answer(simulator, openai, chat("something endless", { max_tokens: 777 }))
      assert.deepStrictEqual(
        [endless.body.usage.completion_tokens, endless.body.choices[0].finish_reason],
        [777, "length"]
      )
    })
  )

  it.effect("refuses what is wrong and names the field", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const user = { role: "user", content: "hi" }
      const cases: ReadonlyArray<readonly [object | string, string | null, string | null, RegExp]> = [
        ['{"model":', null, null, /could not parse the JSON body/],
        ["[]", null, null, /could not parse the JSON body/],
        [{ messages: [user] }, null, null, /^you must provide a model parameter$/],
        [
          { model: 4, messages: [user] },
          "model",
          "invalid_type",
          /^Invalid type for 'model': expected a string, but got an integer instead\.$/
        ],
        [{ model: "sim-chat" }, "messages", "missing_required_parameter", /^Missing required parameter: 'messages'\.$/],
        [
          { model: "sim-chat", messages: [] },
          "messages",
          "empty_array",
          /^Invalid 'messages': empty array\. Expected an array with minimum length 1, but got an empty array instead\.$/
        ],
        [{ model: "sim-chat", messages: "hi" }, "messages", "invalid_type", /expected an array, but got a string/],
        [
          { model: "sim-chat", messages: [{ role: "wizard", content: "hi" }] },
          "messages[0].role",
          "invalid_value",
          /^Invalid value: 'wizard'\. Supported values are: 'system', 'developer', 'user', 'assistant', 'tool', and 'function'\.$/
        ],
        [
          { model: "sim-chat", messages: [{ role: "user" }] },
          "messages[0].content",
          "missing_required_parameter",
          /messages\[0\]\.content/
        ],
        [
          { model: "sim-chat", messages: [{ role: "user", content: null }] },
          "messages[0].content",
          "invalid_type",
          /expected one of a string or an array, but got null/
        ],
        [
          { model: "sim-chat", messages: [{ role: "user", content: [{ type: "poem" }] }] },
          "messages[0].content[0].type",
          "invalid_value",
          /'text', 'image_url', 'input_audio', and 'file'/
        ],
        [
          {
            model: "sim-chat",
            messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "pic.png" } }] }]
          },
          "messages[0].content[0].image_url.url",
          "invalid_value",
          /pattern/
        ],
        [
          chat("hi", { temperature: 2.1 }),
          "temperature",
          "decimal_above_max_value",
          /Expected a value <= 2, but got 2\.1 instead/
        ],
        [
          chat("hi", { max_tokens: 0 }),
          "max_tokens",
          "integer_below_min_value",
          /Expected a value >= 1, but got 0 instead/
        ],
        [chat("hi", { max_tokens: 1.5 }), "max_tokens", "invalid_type", /expected an integer, but got a decimal/],
        [
          chat("hi", { stop: ["1", "2", "3", "4", "5"] }),
          "stop",
          "array_above_max_length",
          /maximum length 4, but got an array with length 5/
        ],
        [chat("hi", { stream: "yes" }), "stream", "invalid_type", /expected a boolean, but got a string/],
        [chat("hi", { unheard: 1 }), "unheard", "unknown_parameter", /^Unknown parameter: 'unheard'\.$/],
        [chat("hi", { stream_options: {} }), "stream_options", null, /only allowed when 'stream' is enabled/],
        [chat("hi", { tool_choice: "auto" }), "tool_choice", null, /only allowed when 'tools' are specified/],
        [chat("hi", { tools: [tool("not a name")] }), "tools[0].function.name", "invalid_value", /pattern/],
        [
          chat("hi", { tools: [tool()], tool_choice: { type: "function", function: { name: "other" } } }),
          "tool_choice",
          null,
          /'other' not found/
        ],
        [chat("hi", { response_format: { type: "json_object" } }), "messages", null, /must contain the word 'json'/],
        [
          chat("hi", { response_format: { type: "json_schema", json_schema: { schema: {} } } }),
          "response_format.json_schema.name",
          "missing_required_parameter",
          /name/
        ],
        [
          chat("hi", { model: "gpt-5-mini", max_tokens: 5 }),
          "max_tokens",
          "unsupported_parameter",
          /Use 'max_completion_tokens' instead/
        ],
        [
          chat("hi", { model: "gpt-5-mini", temperature: 0 }),
          "temperature",
          "unsupported_value",
          /does not support 0 with this model/
        ],
        [
          chat("hi", { messages: [user, { role: "tool", tool_call_id: "call_1", content: "seen" }] }),
          "messages.[1].role",
          null,
          /must be a response to a preceeding message with 'tool_calls'/
        ],
        [
          chat("hi", { messages: [user, called("call_1"), { role: "tool", tool_call_id: "call_2", content: "seen" }] }),
          "messages.[2].role",
          null,
          /must be a response/
        ],
        [
          chat("hi", { messages: [user, called("call_1"), user] }),
          "messages.[1].role",
          null,
          /did not have response messages: call_1/
        ],
        [
          chat("hi", { messages: [user, called("call_1")] }),
          "messages.[1].role",
          null,
          /did not have response messages: call_1/
        ]
      ]
      for (const [request, param, code, message] of cases) {
        const { body, headers, status } = yield* answer(simulator, openai, request)
        assert.strictEqual(status, 400, JSON.stringify(request))
        assert.deepStrictEqual(Object.keys(body.error), ["message", "type", "param", "code"])
        assert.deepStrictEqual(
          [body.error.type, body.error.param, body.error.code],
          ["invalid_request_error", param, code]
        )
        assert.match(body.error.message, message)
        assert.match(headers["x-request-id"] ?? "", /^req_[0-9a-f]{32}$/)
      }
    })
  )

  it.effect("knows its keys, models and addresses", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const none = yield* answer(simulator, openai, chat("hi"), { authorization: "" })
      assert.deepStrictEqual([none.status, none.body.error.code], [401, null])
      const wrong = yield* answer(simulator, openai, chat("hi"), { authorization: "Bearer sk-something-else" })
      assert.deepStrictEqual([wrong.status, wrong.body.error.code], [401, "invalid_api_key"])
      assert.match(wrong.body.error.message, /^Incorrect API key provided: sk-\*{10}else\./)
      const model = yield* answer(simulator, openai, chat("hi", { model: "gpt-9" }))
      assert.deepStrictEqual(
        [model.status, model.body.error],
        [
          404,
          {
            message: "The model `gpt-9` does not exist or you do not have access to it.",
            type: "invalid_request_error",
            param: null,
            code: "model_not_found"
          }
        ]
      )
      assert.isUndefined(model.headers["x-ratelimit-limit-requests"])
      const path = yield* answer(simulator, "/openai/v1/nothing", {})
      assert.deepStrictEqual([path.status, path.body.error.message], [404, "Invalid URL (POST /v1/nothing)"])
      assert.strictEqual((yield* ask(simulator, openai)).status, 405)
      assert.strictEqual((yield* ask(simulator, "/openai/v1/models/gpt-9")).status, 404)
      assert.strictEqual(
        (yield* answer(simulator, openai, chat("hi", { model: "text-embedding-3-small" }))).status,
        404
      )
      assert.strictEqual(
        (yield* answer(simulator, "/openai/v1/embeddings", { model: "gpt-4o", input: "hi" })).status,
        403
      )
      const typed = yield* answer(simulator, openai, chat("hi"), { "content-type": "text/plain" })
      assert.deepStrictEqual([typed.status, typed.body.error.code], [400, "unsupported_content_type"])
    })
  )

  it.effect("embeds texts and tokens, in order, as numbers and in base64, in fewer dimensions, but not in more", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const embed = (more: object) => answer(simulator, "/openai/v1/embeddings", { model: "sim-embed", ...more })
      const several = yield* embed({ input: ["one", "two", "three"] })
      assert.deepStrictEqual(
        several.body.data.map(({ index }: { readonly index: number }) => index),
        [0, 1, 2]
      )
      assert.deepStrictEqual(several.body.data[1].embedding, (yield* embed({ input: "two" })).body.data[0].embedding)
      assert.strictEqual((yield* embed({ input: [[1, 2], [3]] })).body.data.length, 2)
      assert.strictEqual((yield* embed({ input: [1, 2, 3] })).body.data.length, 1)
      const packed = (yield* embed({ input: "two", encoding_format: "base64" })).body.data[0].embedding
      const bytes = new DataView(Uint8Array.from(atob(packed), (character) => character.charCodeAt(0)).buffer)
      several.body.data[1].embedding.forEach((value: number, index: number) =>
        assert.closeTo(bytes.getFloat32(index * 4, true), value, 1e-7)
      )
      assert.strictEqual((yield* embed({ input: "two", dimensions: 8 })).body.data[0].embedding.length, 8)
      for (const wrong of [
        { input: "" },
        { input: [] },
        { input: ["one", ""] },
        { input: "x", dimensions: 257 },
        { input: "x", dimensions: 0 },
        { input: "x", encoding_format: "hex" },
        {}
      ]) {
        assert.strictEqual((yield* embed(wrong)).status, 400, JSON.stringify(wrong))
      }
    })
  )
})

describe("Simulator: Groq", () => {
  it.effect("frames a stream with x_groq at both ends", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make({ answerTokens: 1 })
      const stream = events(yield* text(simulator, groq, chat("a", { max_tokens: 1, stream: true })))
      const [first, ...rest] = stream.slice(0, -1).map((event) => JSON.parse(event))
      assert.deepStrictEqual(Object.keys(first), [
        "id",
        "object",
        "created",
        "model",
        "system_fingerprint",
        "choices",
        "x_groq"
      ])
      assert.deepStrictEqual(first.choices, [
        { index: 0, delta: { role: "assistant", content: "" }, logprobs: null, finish_reason: null }
      ])
      assert.deepStrictEqual(
        rest.map((chunk) => chunk.choices[0].delta),
        [{ content: "You" }, {}]
      )
      assert.deepStrictEqual(rest[1].x_groq.usage, rest[1].usage)
      assert.strictEqual(stream.at(-1), "[DONE]")
      const asked = events(
        yield* text(
          simulator,
          groq,
          chat("a", { max_tokens: 1, stream: true, stream_options: { include_usage: true } })
        )
      )
      assert.deepStrictEqual(JSON.parse(asked.at(-2) ?? "").choices, [])
    })
  )

  it.effect("refuses in its own words", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const cases: ReadonlyArray<readonly [object | string, number, RegExp]> = [
        ["{", 400, /could not parse the JSON body/],
        [chat("hi", { n: 2 }), 400, /^'n' : number must be at most 1$/],
        [chat("hi", { unheard: 1 }), 400, /^'unheard' : property 'unheard' is unsupported$/],
        [
          { model: "sim-chat", messages: [{ role: "wizard", content: "" }] },
          400,
          /^'messages\.0\.role' : discriminator property 'role' has invalid value$/
        ],
        [{ model: "sim-chat", messages: [] }, 400, /^'messages' : minimum number of items is 1$/],
        [chat("hi", { reasoning_effort: "low" }), 400, /not supported with this model/],
        [chat("hi", { reasoning_format: "parsed", include_reasoning: true }), 400, /cannot be used together/],
        [chat("hi", { model: "nope" }), 404, /does not exist/]
      ]
      for (const [request, status, message] of cases) {
        const refused = yield* answer(simulator, groq, request)
        assert.strictEqual(refused.status, status)
        assert.match(refused.body.error.message, message)
        assert.isFalse("param" in refused.body.error)
      }
      const path = yield* answer(simulator, "/groq/openai/v1/nothing", {})
      assert.deepStrictEqual([path.status, path.body.error.code], [404, "unknown_url"])
      assert.strictEqual((yield* ask(simulator, groq)).status, 405)
      assert.deepStrictEqual((yield* answer(simulator, groq, chat("hi"), { authorization: "Bearer no" })).body.error, {
        message: "Invalid API Key",
        type: "invalid_request_error",
        code: "invalid_api_key"
      })
      assert.strictEqual(
        (yield* answer(simulator, "/groq/openai/v1/models/openai%2Fgpt-oss-20b")).body.id,
        "openai/gpt-oss-20b"
      )
    })
  )
})

describe("Simulator: Anthropic", () => {
  const message = (more: object = {}) => ({
    model: "sim-chat",
    max_tokens: 200,
    messages: [{ role: "user", content: "hi" }],
    ...more
  })
  const look = { name: "look", input_schema: { type: "object", properties: {} } }
  const use = { role: "assistant", content: [{ type: "tool_use", id: "toolu_1", name: "look", input: {} }] }
  const result = { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_1", content: "seen" }] }

  it.effect("frames a stream in named events, padded, with a ping", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const stream = yield* text(simulator, anthropic, message({ max_tokens: 2, stream: true }))
      const framed = stream
        .split("\n\n")
        .slice(0, -1)
        .map((event) => /^event: (\w+)\ndata: (\{.*\}) *$/.exec(event)?.slice(1) ?? [event])
      assert.deepStrictEqual(
        framed.map(([name]) => name),
        [
          "message_start",
          "content_block_start",
          "ping",
          "content_block_delta",
          "content_block_delta",
          "content_block_stop",
          "message_delta",
          "message_stop"
        ]
      )
      assert.isTrue(framed.every(([name, data]) => JSON.parse(data ?? "").type === name))
      assert.match(stream, /\} +\n\n/)
      assert.deepStrictEqual(JSON.parse(framed[6]?.[1] ?? ""), {
        type: "message_delta",
        delta: { stop_reason: "max_tokens", stop_sequence: null },
        usage: { input_tokens: 8, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 2 }
      })
    })
  )

  it.effect("streams no arguments for a tool that has none", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const stream = yield* text(simulator, anthropic, message({ tools: [look], stream: true }))
      const deltas = events(stream)
        .filter((event) => event.includes("input_json_delta"))
        .map((event) => JSON.parse(event).delta.partial_json)
      assert.deepStrictEqual(deltas, [""])
      assert.deepStrictEqual(
        (yield* answer(simulator, anthropic, message({ tools: [look] }))).body.content[0].input,
        {}
      )
    })
  )

  it.effect("takes either header for a key, and needs a version that it knows", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const refused = (headers: { readonly [name: string]: string }) => answer(simulator, anthropic, message(), headers)
      assert.strictEqual((yield* refused({})).status, 200)
      assert.strictEqual((yield* refused({ authorization: "", "x-api-key": "sim-key-2" })).status, 200)
      const none = yield* refused({ authorization: "" })
      assert.deepStrictEqual(
        [none.status, none.body.error],
        [401, { type: "authentication_error", message: "x-api-key header is required" }]
      )
      assert.match(none.body.request_id, /^req_/)
      assert.strictEqual(none.headers["request-id"], none.body.request_id)
      assert.strictEqual((yield* refused({ "x-api-key": "nope" })).status, 401)
      const unversioned = yield* refused({ "anthropic-version": "" })
      assert.deepStrictEqual(
        [unversioned.status, unversioned.body.error.message],
        [400, "anthropic-version: header is required"]
      )
      assert.match(
        (yield* refused({ "anthropic-version": "2020-02-02" })).body.error.message,
        /"2020-02-02" is not a valid version/
      )
    })
  )

  it.effect("has members in its newer version that the older one lacks", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const older = yield* answer(simulator, anthropic, message({ temperature: 0.5 }))
      assert.strictEqual(older.status, 200)
      assert.isFalse("container" in older.body)
      const newer = yield* answer(simulator, anthropic, message(), { "anthropic-version": "2026-10-21" })
      assert.isNull(newer.body.container)
      const sampled = yield* answer(simulator, anthropic, message({ temperature: 1 }), {
        "anthropic-version": "2026-10-21"
      })
      assert.strictEqual(sampled.status, 400)
      const system = message({
        messages: [
          { role: "system", content: "Be brief" },
          { role: "user", content: "hi" }
        ]
      })
      assert.strictEqual((yield* answer(simulator, anthropic, system)).status, 400)
      assert.strictEqual(
        (yield* answer(simulator, anthropic, system, { "anthropic-version": "2026-10-21" })).status,
        200
      )
    })
  )

  it.effect("refuses what is wrong in its own words", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const cases: ReadonlyArray<readonly [object | string, RegExp]> = [
        ['{"model":', /^The request body is not valid JSON: /],
        [{ model: "sim-chat", messages: [{ role: "user", content: "hi" }] }, /^max_tokens: Field required$/],
        [{ model: "sim-chat", max_tokens: 5 }, /^messages: Field required$/],
        [{ max_tokens: 5, messages: [{ role: "user", content: "hi" }] }, /^model: Field required$/],
        [message({ max_tokens: "5" }), /^max_tokens: Input should be a valid integer$/],
        [message({ max_tokens: 0 }), /^max_tokens: Input should be greater than or equal to 1$/],
        [
          message({ max_tokens: 64_001 }),
          /^max_tokens: 64001 > 64000, which is the maximum allowed number of output tokens for sim-chat$/
        ],
        [message({ messages: [] }), /^messages: at least one message is required$/],
        [
          message({ messages: [{ role: "wizard", content: "hi" }] }),
          /^messages\.0\.role: Input should be 'user' or 'assistant'$/
        ],
        [message({ messages: [{ role: "assistant", content: "hi" }] }), /first message must use the "user" role/],
        [message({ messages: [{ role: "user", content: "" }] }), /must have non-empty content/],
        [
          message({ messages: [{ role: "user", content: [{ type: "text", text: "" }] }] }),
          /^messages\.0\.content\.0\.text: text content blocks must be non-empty$/
        ],
        [
          message({ messages: [{ role: "user", content: [{ type: "poem" }] }] }),
          /^messages\.0\.content\.0: Input tag 'poem' found using 'type' does not match any of the expected tags: 'text', 'image'/
        ],
        [message({ unheard: 1 }), /^unheard: Extra inputs are not permitted$/],
        [message({ temperature: 1.5 }), /^temperature: Input should be less than or equal to 1$/],
        [message({ tools: [{ name: "look" }] }), /^tools\.0\.input_schema: Field required$/],
        [
          message({ tools: [{ type: "custom", name: "no name", input_schema: { type: "object" } }] }),
          /^tools\.0\.custom\.name: String should match pattern/
        ],
        [message({ tool_choice: { type: "any" } }), /only be specified while providing tools/],
        [
          message({ tools: [look], tool_choice: { type: "tool", name: "peek" } }),
          /^Tool 'peek' not found in provided tools$/
        ],
        [
          message({ thinking: { type: "enabled", budget_tokens: 1024 } }),
          /must be greater than `thinking\.budget_tokens`/
        ],
        [
          message({ thinking: { type: "enabled", budget_tokens: 10 } }),
          /^thinking\.budget_tokens: Input should be greater than or equal to 1024$/
        ],
        [
          message({ messages: [{ role: "user", content: "hi" }, result] }),
          /^messages\.1\.content\.0: unexpected `tool_use_id` found in `tool_result` blocks: toolu_1/
        ],
        [
          message({ messages: [{ role: "user", content: "hi" }, use] }),
          /^messages\.1: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_1/
        ],
        [
          message({
            max_tokens: 2000,
            thinking: { type: "enabled", budget_tokens: 1024 },
            tools: [look],
            messages: [{ role: "user", content: "hi" }, use, result]
          }),
          /^messages\.1\.content\.0\.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`/
        ]
      ]
      for (const [request, expected] of cases) {
        const { body, status } = yield* answer(simulator, anthropic, request)
        assert.strictEqual(status, 400, JSON.stringify(request))
        assert.deepStrictEqual([body.type, body.error.type], ["error", "invalid_request_error"])
        assert.match(body.error.message, expected)
      }
      const model = yield* answer(simulator, anthropic, message({ model: "nope" }))
      assert.deepStrictEqual(
        [model.status, model.body.error],
        [404, { type: "not_found_error", message: "model: nope" }]
      )
      assert.strictEqual((yield* ask(simulator, "/anthropic/v1/nothing", {})).status, 404)
      assert.strictEqual((yield* ask(simulator, anthropic)).status, 405)
    })
  )

  it.effect("quotes the result of a tool, and what the user says with it", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const after = yield* answer(
        simulator,
        anthropic,
        message({ tools: [look], messages: [{ role: "user", content: "hi" }, use, result] })
      )
      assert.match(after.body.content[0].text, /^The tool look returned: seen\./)
      const both = { role: "user", content: [...result.content, { type: "text", text: "And now?" }] }
      const again = yield* answer(
        simulator,
        anthropic,
        message({ tools: [look], messages: [{ role: "user", content: "hi" }, use, both] })
      )
      assert.strictEqual(again.body.stop_reason, "tool_use")
    })
  )
})

describe("Simulator: Ollama", () => {
  it.effect("streams lines of JSON by itself, the last with what it took, in nanoseconds", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const response = yield* ask(simulator, ollama, chat("a", { options: { num_predict: 2 } }), { authorization: "" })
      assert.strictEqual(response.headers["content-type"], "application/x-ndjson")
      const lines = (yield* response.text).split("\n")
      assert.strictEqual(lines.pop(), "")
      const [first, second, last] = lines.map((line) => JSON.parse(line))
      assert.deepStrictEqual(first, {
        model: "sim-chat",
        created_at: "1970-01-01T00:00:00.000Z",
        message: { role: "assistant", content: "You" },
        done: false
      })
      assert.strictEqual(second.message.content, " said")
      assert.deepStrictEqual(
        [last.done, last.done_reason, last.message, last.eval_count, last.prompt_eval_count],
        [true, "length", { role: "assistant", content: "" }, 2, 8]
      )
      assert.strictEqual(last.total_duration, last.load_duration + last.prompt_eval_duration + last.eval_duration)
    })
  )

  it.effect("loads and unloads a model that is asked nothing", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const reason = (more: object) =>
        Effect.map(
          answer(simulator, ollama, { model: "sim-chat", messages: [], ...more }),
          ({ body }) => body.done_reason
        )
      assert.strictEqual(yield* reason({}), "load")
      assert.deepStrictEqual((yield* answer(simulator, "/ollama/api/ps")).body.models.length, 1)
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual((yield* answer(simulator, "/ollama/api/ps")).body.models, [])
      yield* reason({ keep_alive: -1 })
      yield* TestClock.adjust("100 days")
      assert.deepStrictEqual((yield* answer(simulator, "/ollama/api/ps")).body.models.length, 1)
      assert.strictEqual(yield* reason({ keep_alive: 0 }), "unload")
      assert.deepStrictEqual((yield* answer(simulator, "/ollama/api/ps")).body.models, [])
    })
  )

  it.effect("refuses in one text, and in plain words what it does not route", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const cases: ReadonlyArray<readonly [string, object | string, number, string]> = [
        ["/api/chat", "", 400, "missing request body"],
        ["/api/chat", { messages: [] }, 400, "model is required"],
        ["/api/chat", { model: "nope" }, 404, "model 'nope' not found"],
        ["/api/show", { model: "nope" }, 404, "model 'nope:latest' not found"],
        ["/api/chat", chat("hi", { model: "sim-embed" }), 400, '"sim-embed" does not support chat'],
        ["/api/chat", chat("hi", { think: true }), 400, '"sim-chat" does not support thinking'],
        [
          "/api/chat",
          chat("hi", { format: "xml" }),
          400,
          'invalid format: "xml"; expected "json" or a valid JSON Schema object'
        ],
        [
          "/api/chat",
          { model: "sim-chat", messages: [{ role: "user", content: "hi", images: ["a b"] }] },
          400,
          "illegal base64 data at input byte 1"
        ],
        [
          "/api/chat",
          { model: "sim-chat", messages: [{ role: "user", content: 5 }] },
          400,
          "json: cannot unmarshal number into Go struct field Request.messages.content of type string"
        ],
        [
          "/api/chat",
          chat("hi", { options: { temperature: "hot" } }),
          500,
          'option "temperature" must be of type float32'
        ],
        ["/api/embed", { model: "sim-chat", input: "hi" }, 501, "this model does not support embeddings"]
      ]
      for (const [path, request, status, error] of cases) {
        const refused = yield* answer(simulator, `/ollama${path}`, request)
        assert.deepStrictEqual([refused.status, refused.body], [status, { error }])
      }
      const lost = yield* ask(simulator, "/ollama/api/nothing")
      assert.deepStrictEqual(
        [lost.status, lost.headers["content-type"], yield* lost.text],
        [404, "text/plain", "404 page not found"]
      )
      const got = yield* ask(simulator, ollama)
      assert.deepStrictEqual([got.status, yield* got.text], [405, "405 method not allowed"])
      assert.strictEqual(yield* text(simulator, "/ollama/"), "Ollama is running")
    })
  )

  it.effect("embeds one text or several, also by the old address", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const two = yield* answer(simulator, "/ollama/api/embed", { model: "all-minilm", input: ["one", "two"] })
      const one = yield* answer(simulator, "/ollama/api/embeddings", { model: "all-minilm", prompt: "two" })
      assert.deepStrictEqual(two.body.embeddings[1], one.body.embedding)
      assert.strictEqual(
        (yield* answer(simulator, "/ollama/api/embed", { model: "all-minilm", input: [] })).body.embeddings.length,
        0
      )
    })
  )
})
