import { assert, describe, it } from "@effect/vitest"
import type * as Completion from "@spillway/core/Completion"
import * as LlmError from "@spillway/core/LlmError"
import * as Prompt from "@spillway/core/Prompt"
import * as OpenAiResponsesInbound from "@spillway/gateway/OpenAiResponsesInbound"
import * as ScriptedLlm from "@spillway/testing/ScriptedLlm"
import { Effect, Either, TestClock } from "effect"
import { absent, spec } from "../../providers/test/spec.js"
import { json, serve, text } from "./web.js"

const ask = { model: "scripted/parrot", input: "hi" }
const tool = { type: "function", name: "get_weather", parameters: { type: "object" }, strict: true } as const
const openai = spec("openai/openapi.yaml")

const request = (fields: object) => Either.getOrThrow(OpenAiResponsesInbound.toQuestion({ ...ask, ...fields })).request
const prompt = (...input: ReadonlyArray<object>) => Prompt.make(request({ input }).prompt)
const refused = (fields: object) => {
  const { field, message } = Either.getOrThrow(Either.flip(OpenAiResponsesInbound.toQuestion({ ...ask, ...fields })))
  return [field, message]
}

/** What each event of a stream holds; that its name is its type, and its number the next, is held here. */
const events = (response: Response): Effect.Effect<ReadonlyArray<any>> =>
  Effect.map(text(response), (text) =>
    text.split("\n\n").slice(0, -1).map((event, i) => {
      const [name, data] = event.split("\n")
      const value = JSON.parse(data!.slice("data: ".length))
      assert.deepStrictEqual([name, value.sequence_number], [`event: ${value.type}`, i])
      return value
    }))

const full: ScriptedLlm.Answer = {
  id: "answer-1",
  model: "parrot-2",
  content: [
    { _tag: "Reasoning", text: "let me think", signature: "signed" },
    { _tag: "Reasoning", text: "", redacted: "sealed" },
    Prompt.text("hello there"),
    ScriptedLlm.toolCall("get_weather", { city: "Oslo" }, "call_1"),
    { ...ScriptedLlm.toolCall("get_weather", { city: "Rome" }, "call_2"), signature: "proof" }
  ],
  usage: { inputTokens: 9, outputTokens: 3, cachedInputTokens: 4, reasoningTokens: 1 }
}

const output = [
  {
    type: "reasoning",
    id: "rs_req_0",
    summary: [{ type: "summary_text", text: "let me think" }],
    encrypted_content: "{\"signature\":\"signed\"}"
  },
  { type: "reasoning", id: "rs_req_1", summary: [], encrypted_content: "{\"redacted\":\"sealed\"}" },
  {
    type: "message",
    id: "msg_req_2",
    status: "completed",
    role: "assistant",
    content: [{ type: "output_text", text: "hello there", annotations: [], logprobs: [] }]
  },
  {
    type: "function_call",
    id: "fc_req_3",
    call_id: "call_1",
    name: "get_weather",
    arguments: "{\"city\":\"Oslo\"}",
    status: "completed"
  },
  { type: "reasoning", id: "rs_req_4", summary: [], encrypted_content: "{\"call\":\"proof\"}" },
  {
    type: "function_call",
    id: "fc_req_5",
    call_id: "call_2",
    name: "get_weather",
    arguments: "{\"city\":\"Rome\"}",
    status: "completed"
  }
]

const headers = { "x-request-id": "req" }

describe("POST /v1/responses", () => {
  it.effect("answers with a response that repeats what was asked", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(1_700_000_000_900)
      const web = yield* serve(yield* ScriptedLlm.make(full))
      const response = yield* web.post("/v1/responses", {
        ...ask,
        instructions: "be brief",
        temperature: 0.5,
        tools: [tool],
        metadata: { a: "b" },
        reasoning: { effort: "low", summary: "auto" },
        include: ["reasoning.encrypted_content"]
      }, { headers })
      assert.strictEqual(response.status, 200)
      assert.deepStrictEqual(yield* json(response), {
        id: "answer-1",
        object: "response",
        created_at: 1_700_000_000,
        status: "completed",
        model: "parrot-2",
        output,
        error: null,
        incomplete_details: null,
        background: false,
        instructions: "be brief",
        max_output_tokens: null,
        metadata: { a: "b" },
        parallel_tool_calls: true,
        previous_response_id: null,
        reasoning: { effort: "low", summary: "auto" },
        store: false,
        temperature: 0.5,
        text: { format: { type: "text" } },
        tool_choice: "auto",
        tools: [tool],
        top_p: null,
        truncation: "disabled",
        usage: {
          input_tokens: 9,
          input_tokens_details: { cached_tokens: 4, cache_write_tokens: 0 },
          output_tokens: 3,
          output_tokens_details: { reasoning_tokens: 1 },
          total_tokens: 12
        }
      })
    }))

  it.effect("streams the same, item by item", () =>
    Effect.gen(function*() {
      const web = yield* serve(yield* ScriptedLlm.make(full, full))
      const whole = yield* Effect.flatMap(web.post("/v1/responses", ask, { headers }), json)
      const response = yield* web.post("/v1/responses", { ...ask, stream: true }, { headers })
      assert.strictEqual(response.headers.get("content-type"), "text/event-stream; charset=utf-8")
      const heard = yield* events(response)
      assert.deepStrictEqual(heard.map(({ type }) => type.replace("response.", "")), [
        "created",
        "in_progress",
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
        "output_item.added",
        "output_item.done",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "output_item.added",
        "function_call_arguments.delta",
        "output_item.added",
        "output_item.done",
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
        "function_call_arguments.done",
        "output_item.done",
        "completed"
      ])
      assert.deepStrictEqual(heard.at(-1).response, whole)
      assert.deepStrictEqual(heard[0].response.output, [])
      assert.strictEqual(heard[0].response.status, "in_progress")
      const done = heard.filter(({ type }) => type === "response.output_item.done")
      assert.deepStrictEqual(done.map(({ item, output_index }) => [output_index, item]).sort(), [...output.entries()])
      assert.strictEqual(
        heard.filter(({ type }) => type === "response.output_text.delta").map(({ delta }) => delta).join(""),
        "hello there"
      )
    }))

  it.effect("keeps interleaved calls apart, and tells of a proof that comes late with the whole", () =>
    Effect.gen(function*() {
      const parts: ReadonlyArray<Completion.Part> = [
        { _tag: "Start", model: "" },
        { _tag: "ReasoningDelta", index: 0, text: "hm" },
        { _tag: "ToolCallStart", index: 7, id: "a", name: "one" },
        { _tag: "ToolCallStart", index: 9, id: "b", name: "two" },
        { _tag: "ToolCallDelta", index: 9, arguments: "[2" },
        { _tag: "ToolCallDelta", index: 7, arguments: "[1" },
        { _tag: "ToolCallDelta", index: 9, arguments: "]" },
        { _tag: "ToolCallDelta", index: 7, arguments: "]" },
        { _tag: "ReasoningDelta", index: 0, text: "", signature: "late" },
        { _tag: "Finish", finishReason: "tool-calls", usage: {} }
      ]
      const web = yield* serve(yield* ScriptedLlm.make(parts))
      const heard = yield* Effect.flatMap(web.post("/v1/responses", { ...ask, stream: true }, { headers }), events)
      const { response } = heard.at(-1)
      assert.strictEqual(response.model, "scripted/parrot")
      assert.isFalse("usage" in response, "what nobody counted is not told")
      assert.deepStrictEqual(response.output.map((item: any) => [item.call_id, item.arguments, item.encrypted_content]), [
        [undefined, undefined, "{\"signature\":\"late\"}"],
        ["a", "[1]", undefined],
        ["b", "[2]", undefined]
      ])
    }))

  it.effect("says of an answer that was cut short that it is, and why", () =>
    Effect.gen(function*() {
      for (const [finishReason, reason] of [["length", "max_output_tokens"], ["content-filter", "content_filter"]] as const) {
        const llm = yield* ScriptedLlm.make(ScriptedLlm.repeat({ content: [Prompt.text("hel")], finishReason }))
        const web = yield* serve(llm)
        const whole = yield* Effect.flatMap(web.post("/v1/responses", ask, { headers }), json)
        const heard = yield* Effect.flatMap(web.post("/v1/responses", { ...ask, stream: true }, { headers }), events)
        assert.deepStrictEqual([whole.status, whole.incomplete_details], ["incomplete", { reason }])
        assert.strictEqual(whole.output[0].status, "incomplete")
        assert.strictEqual(heard.at(-1).type, "response.incomplete")
        assert.deepStrictEqual(heard.at(-1).response, whole)
      }
    }))

  it.effect("ends a stream that breaks off with an error, and with what came", () =>
    Effect.gen(function*() {
      const common = { backend: "scripted", message: "it is so" }
      for (
        const [error, code, ownCode] of [
          [new LlmError.StreamInterrupted(common), "server_error", "stream_interrupted"],
          [new LlmError.RateLimited(common), "rate_limit_exceeded", "rate_limited"],
          [new LlmError.ContentFiltered(common), "invalid_prompt", "content_filtered"]
        ] as const
      ) {
        const web = yield* serve(
          yield* ScriptedLlm.make([{ _tag: "Start", model: "parrot" }, { _tag: "TextDelta", text: "hel" }, error])
        )
        const heard = yield* Effect.flatMap(web.post("/v1/responses", { ...ask, stream: true }, { headers }), events)
        const [told, failed] = heard.slice(-2)
        assert.deepInclude(told, { type: "error", code: ownCode, message: "it is so", param: null })
        assert.deepInclude(told.error, { code: ownCode, message: "it is so", param: null })
        assert.strictEqual(failed.type, "response.failed")
        assert.deepStrictEqual(failed.response.error, { code, message: "it is so" })
        assert.deepStrictEqual(
          failed.response.output.map(({ content, status }: any) => [status, content[0].text]),
          [["incomplete", "hel"]]
        )
      }
    }))

  describe("what is said", () => {
    it("is a text, or messages with instructions before them", () => {
      assert.deepStrictEqual(request({}), { model: "scripted/parrot", prompt: [Prompt.user("hi")] })
      assert.deepStrictEqual(request({ instructions: "be brief", input: [{ role: "user", content: "hi" }] }).prompt, [
        Prompt.system("be brief"),
        Prompt.user("hi")
      ])
      assert.deepStrictEqual(
        prompt(
          { role: "developer", content: [{ type: "input_text", text: "be" }, { type: "input_text", text: "kind" }] },
          { type: "message", role: "system", content: "and brief" },
          {
            role: "user",
            content: [
              { type: "input_text", text: "look" },
              { type: "input_image", image_url: "https://example.org/cat.png", detail: "low" },
              { type: "input_image", image_url: "data:image/png;base64,iVBO", detail: "auto" },
              { type: "input_file", file_data: "data:application/pdf;base64,JVBE", filename: "a.pdf" },
              { type: "input_file", file_url: "https://example.org/b.pdf" }
            ]
          },
          { role: "assistant", content: "hello" }
        ),
        [
          Prompt.system("be\nkind"),
          Prompt.system("and brief"),
          Prompt.user([
            Prompt.text("look"),
            { ...Prompt.imageUrl("https://example.org/cat.png"), detail: "low" },
            { ...Prompt.image("iVBO", "image/png"), detail: "auto" },
            Prompt.file("JVBE", "application/pdf", "a.pdf"),
            { _tag: "File", source: { _tag: "Url", url: "https://example.org/b.pdf" } }
          ]),
          Prompt.assistant("hello")
        ]
      )
    })

    it.effect("takes an answer back as it was given, so that a backend finds its own thoughts and proofs", () =>
      Effect.gen(function*() {
        const web = yield* serve(yield* ScriptedLlm.make(full))
        const { output } = yield* Effect.flatMap(web.post("/v1/responses", ask), json)
        assert.deepStrictEqual(
          prompt(
            { role: "user", content: "hi" },
            ...output,
            { type: "function_call_output", call_id: "call_1", output: "rain" },
            { type: "function_call_output", call_id: "call_2", output: [{ type: "input_text", text: "sun" }] }
          ),
          [
            Prompt.user("hi"),
            Prompt.assistant(full.content),
            Prompt.tool([
              { _tag: "ToolResult", id: "call_1", name: "get_weather", result: "rain" },
              { _tag: "ToolResult", id: "call_2", name: "get_weather", result: "sun" }
            ])
          ]
        )
      }))

    it("takes reasoning that OpenAI itself sealed for what it is", () => {
      const summary = [{ type: "summary_text", text: "one" }, { type: "summary_text", text: "two" }]
      assert.deepStrictEqual(
        prompt({ type: "reasoning", id: "rs_abc", summary, encrypted_content: "gAAAAAB" }, { type: "reasoning", id: "rs_d", summary }),
        [
          Prompt.assistant([
            { _tag: "Reasoning", text: "one\n\ntwo", signature: "rs_abc", redacted: "gAAAAAB" },
            { _tag: "Reasoning", text: "one\n\ntwo" }
          ])
        ]
      )
    })
  })

  describe("settings", () => {
    it("are honoured, each that core has a word for", () => {
      const { prompt: _, ...settings } = request({
        max_output_tokens: 100,
        temperature: 0,
        top_p: 0.5,
        tools: [tool, { type: "function", name: "now" }],
        tool_choice: { type: "function", name: "get_weather" },
        parallel_tool_calls: false,
        text: { format: { type: "json_schema", name: "answer", schema: { type: "object" }, strict: true } },
        reasoning: { effort: "high", summary: "auto" },
        safety_identifier: "s-1"
      })
      assert.deepStrictEqual(settings, {
        model: "scripted/parrot",
        maxTokens: 100,
        temperature: 0,
        topP: 0.5,
        tools: [
          { name: "get_weather", parameters: { type: "object" }, strict: true },
          { name: "now", parameters: { type: "object", properties: {} } }
        ],
        toolChoice: { tool: "get_weather" },
        parallelToolCalls: false,
        format: { _tag: "JsonSchema", name: "answer", schema: { type: "object" }, strict: true },
        reasoning: { effort: "high" },
        user: "s-1"
      })
      const allowed = { type: "allowed_tools", mode: "required", tools: [{ type: "function", name: "get_weather" }] }
      const { toolChoice, tools } = request({ tools: [{ type: "function", name: "now" }, tool], tool_choice: allowed })
      assert.deepStrictEqual([tools?.map(({ name }) => name), toolChoice], [["get_weather"], "required"])
    })

    it("of OpenAI's own go along to its models, and to no others", () => {
      const own = { service_tier: "priority", text: { verbosity: "high" }, prompt_cache_key: "k" }
      assert.deepStrictEqual(request({ ...own, model: "openai/gpt-5" }).providerOptions, {
        openai: { serviceTier: "priority", verbosity: "high", promptCacheKey: "k" }
      })
      const usual = { service_tier: "auto", text: { verbosity: "medium" } }
      assert.isUndefined(request({ ...usual, model: "openai/gpt-5" }).providerOptions)
      for (const [field, value] of [["service_tier", "flex"], ["prompt_cache_key", "k"]] as const) {
        assert.deepStrictEqual(refused({ [field]: value })[0], field)
      }
      assert.strictEqual(refused({ text: { verbosity: "low" } })[0], "text.verbosity")
    })

    it("that cannot be are refused by name", () => {
      for (
        const [fields, field, says] of [
          [{ store: true }, "store", "must be false: nothing else is supported by this gateway"],
          [{ previous_response_id: "resp_1" }, "previous_response_id", "is not supported by this gateway"],
          [{ conversation: "c" }, "conversation", "is not supported by this gateway"],
          [{ background: true }, "background", "must be false: nothing else is supported by this gateway"],
          [{ tools: [{ type: "web_search" }] }, "tools[0].type", "must be \"function\": other tools are not supported"],
          [{ tool_choice: "required" }, "tool_choice", "requires tools, and there are none"],
          [{ tools: [tool], tool_choice: { type: "function", name: "x" } }, "tool_choice.name", "is not among tools"],
          [
            { include: ["message.output_text.logprobs"] },
            "include[0]",
            "must be \"reasoning.encrypted_content\": nothing else is supported by this gateway"
          ],
          [{ stream_options: {} }, "stream_options", "is only of use with stream: true"],
          [{ user: "a", safety_identifier: "b" }, "user", "differs from safety_identifier, which says the same"],
          [
            { input: [{ type: "function_call_output", call_id: "c", output: "" }] },
            "input[0].call_id",
            "is not the id of a call in an item before"
          ],
          [
            { input: [{ role: "user", content: [{ type: "input_file", filename: "a" }] }] },
            "input[0].content[0]",
            "must have either file_data or file_url"
          ],
          [
            { input: [{ role: "user", content: [{ type: "input_image", file_id: "f" }] }] },
            "input[0].content[0].image_url",
            "is missing"
          ],
          [{ api_key: "x" }, "api_key", "is not a field of this API"]
        ] as const
      ) assert.deepStrictEqual(refused(fields), [field, `${field} ${says}`])
    })
  })

  it.effect.skipIf(openai === undefined)(
    `answers as OpenAI describes, whole and in every event${openai === undefined ? ` (${absent})` : ""}`,
    () =>
      Effect.gen(function*() {
        const whole = openai!.response("post", "/responses", 200)
        const event = openai!.at("/components/schemas/ResponseStreamEvent")
        assert.isNotEmpty(event({ type: "response.created", sequence_number: 0 }))
        const cut: ScriptedLlm.Answer = { content: [Prompt.text("a")], finishReason: "length", usage: { inputTokens: 1 } }
        const broken: ReadonlyArray<Completion.Part | LlmError.LlmError> = [
          { _tag: "Start", model: "parrot" },
          { _tag: "TextDelta", text: "hel" },
          new LlmError.ServerFault({ backend: "scripted", message: "it is so" })
        ]
        const web = yield* serve(yield* ScriptedLlm.make(full, full, cut, cut, broken))
        const fields = { ...ask, tools: [tool], text: { format: { type: "json_object" } }, user: "u" }
        for (let i = 0; i < 2; i++) {
          assert.deepStrictEqual(whole(yield* Effect.flatMap(web.post("/v1/responses", fields), json)), [])
          for (const heard of yield* Effect.flatMap(web.post("/v1/responses", { ...fields, stream: true }), events)) {
            assert.deepStrictEqual(event(heard), [], heard.type)
          }
        }
        const heard = yield* Effect.flatMap(web.post("/v1/responses", { ...fields, stream: true }), events)
        assert.deepStrictEqual(heard.flatMap(event), [])
      })
  )
})
