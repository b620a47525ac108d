import { assert, describe, it } from "@effect/vitest"
import * as Prompt from "@spillway/core/Prompt"
import * as OpenAiInbound from "@spillway/gateway/OpenAiInbound"
import { Either } from "effect"

const user = { role: "user", content: "hi" }
const chat = { model: "openai/gpt-4o", messages: [user] }
const request = (fields: object) => Either.getOrThrow(OpenAiInbound.toChat({ ...chat, ...fields })).request
const prompt = (...messages: ReadonlyArray<object>) => Prompt.make(request({ messages }).prompt)
// as it comes over the wire: what is undefined is not there
const wire = (body: object): unknown => JSON.parse(JSON.stringify(body))
const refused = (fields: object) =>
  Either.getOrThrow(Either.flip(OpenAiInbound.toChat(wire({ ...chat, ...fields }))))

const weather = {
  type: "function",
  function: { name: "get_weather", description: "now", parameters: { type: "object" }, strict: true }
}
const call = { id: "call_1", type: "function", function: { name: "get_weather", arguments: "{\"city\":\"Oslo\"}" } }

describe("OpenAiInbound", () => {
  describe("a chat", () => {
    it("needs no more than a model and a message", () => {
      assert.deepStrictEqual(
        OpenAiInbound.toChat(chat),
        Either.right({
          request: { model: "openai/gpt-4o", prompt: [{ role: "user", content: [{ _tag: "Text", text: "hi" }] }] },
          stream: false,
          includeUsage: false,
          thoughts: "reasoning_content"
        })
      )
    })

    it("honours every setting that core has a word for", () => {
      const { prompt: _, ...settings } = request({
        max_completion_tokens: 100,
        temperature: 0,
        top_p: 0.5,
        top_k: 40,
        stop: ["a", "b"],
        seed: -7,
        presence_penalty: -2,
        frequency_penalty: 2,
        tools: [weather],
        tool_choice: { type: "function", function: { name: "get_weather" } },
        parallel_tool_calls: false,
        response_format: {
          type: "json_schema",
          json_schema: { name: "answer", description: "the answer", schema: { type: "object" }, strict: true }
        },
        reasoning_effort: "minimal",
        user: "u-1"
      })
      assert.deepStrictEqual(settings, {
        model: "openai/gpt-4o",
        maxTokens: 100,
        temperature: 0,
        topP: 0.5,
        topK: 40,
        stop: ["a", "b"],
        seed: -7,
        presencePenalty: -2,
        frequencyPenalty: 2,
        tools: [{ name: "get_weather", description: "now", parameters: { type: "object" }, strict: true }],
        toolChoice: { tool: "get_weather" },
        parallelToolCalls: false,
        format: {
          _tag: "JsonSchema",
          name: "answer",
          schema: { description: "the answer", type: "object" },
          strict: true
        },
        reasoning: { effort: "minimal" },
        user: "u-1"
      })
    })

    it("reads the other ways of saying the same", () => {
      assert.strictEqual(request({ max_tokens: 5 }).maxTokens, 5)
      assert.strictEqual(request({ max_tokens: 5, max_completion_tokens: 5 }).maxTokens, 5)
      assert.deepStrictEqual(request({ stop: "end" }).stop, ["end"])
      assert.strictEqual(request({ safety_identifier: "s-1" }).user, "s-1")
      assert.strictEqual(request({ tools: [weather], tool_choice: "required" }).toolChoice, "required")
      assert.deepStrictEqual(request({ response_format: { type: "json_object" } }).format, { _tag: "Json" })
      assert.deepStrictEqual(request({ response_format: { type: "text" } }).format, { _tag: "Text" })
      assert.deepStrictEqual(
        request({ tools: [{ type: "function", function: { name: "now" } }] }).tools,
        [{ name: "now", parameters: { type: "object", properties: {} } }]
      )
    })

    it("hears only of the tools that are allowed", () => {
      const tool = (name: string) => ({ type: "function", function: { name } })
      const ask = (mode: string, ...allowed: ReadonlyArray<string>) => ({
        tools: ["one", "two", "three"].map(tool),
        tool_choice: { type: "allowed_tools", allowed_tools: { mode, tools: allowed.map(tool) } }
      })
      const { tools, toolChoice } = request(ask("required", "three", "one"))
      assert.deepStrictEqual([tools?.map(({ name }) => name), toolChoice], [["one", "three"], "required"])
      assert.strictEqual(request(ask("auto", "two")).toolChoice, "auto")
      const { field, message } = refused(ask("auto", "two", "four"))
      assert.deepStrictEqual(
        [field, message],
        ["tool_choice.allowed_tools.tools", "tool_choice.allowed_tools.tools is not among tools"]
      )
    })

    it("takes null for not said, and for fields that ask for nothing the value that says so", () => {
      assert.deepStrictEqual(
        request({
          temperature: null,
          tools: null,
          stop: null,
          n: 1,
          logprobs: false,
          store: false,
          service_tier: "auto",
          verbosity: "medium",
          modalities: ["text"],
          metadata: null,
          logit_bias: null,
          functions: null
        }),
        Either.getOrThrow(OpenAiInbound.toChat(chat)).request
      )
    })

    it("tells a stream from a whole answer, and whether usage is wanted", () => {
      const form = (fields: object) => {
        const { stream, includeUsage } = Either.getOrThrow(OpenAiInbound.toChat({ ...chat, ...fields }))
        return { stream, includeUsage }
      }
      assert.deepStrictEqual(form({ stream: true }), { stream: true, includeUsage: false })
      assert.deepStrictEqual(form({ stream: true, stream_options: { include_usage: true } }), {
        stream: true,
        includeUsage: true
      })
      assert.deepStrictEqual(form({ stream: false, stream_options: null }), { stream: false, includeUsage: false })
    })
  })

  it("a chat hears where its client looks for reasoning, which is Groq's field where Groq's client asks, or nowhere", () => {
    const thoughts = (fields: object) => Either.getOrThrow(OpenAiInbound.toChat({ ...chat, ...fields })).thoughts
    assert.strictEqual(thoughts({}), "reasoning_content")
    assert.strictEqual(thoughts({ reasoning_format: "parsed" }), "reasoning")
    assert.strictEqual(thoughts({ include_reasoning: true }), "reasoning")
    assert.strictEqual(thoughts({ reasoning_format: "hidden" }), "hidden")
    assert.strictEqual(thoughts({ include_reasoning: false }), "hidden")
    assert.strictEqual(refused({ reasoning_format: "raw" }).field, "reasoning_format")
    assert.strictEqual(refused({ reasoning_format: "hidden", include_reasoning: false }).field, "include_reasoning")
  })

  describe("messages", () => {
    it("are translated role by role", () => {
      assert.deepStrictEqual(
        prompt(
          { role: "system", content: "be brief" },
          { role: "developer", content: [{ type: "text", text: "and" }, { type: "text", text: "kind" }] },
          user,
          { role: "assistant", content: "hello" }
        ),
        [
          { role: "system", content: "be brief" },
          { role: "system", content: "and\nkind" },
          { role: "user", content: [{ _tag: "Text", text: "hi" }] },
          { role: "assistant", content: [{ _tag: "Text", text: "hello" }] }
        ]
      )
    })

    it("carry images, files and sound", () => {
      assert.deepStrictEqual(
        prompt({
          role: "user",
          content: [
            { type: "text", text: "look" },
            { type: "image_url", image_url: { url: "https://example.org/cat.png", detail: "low" } },
            { type: "image_url", image_url: { url: "data:image/png;base64,iVBOR/+=" } },
            { type: "file", file: { file_data: "data:application/pdf;base64,JVBE", filename: "a.pdf" } },
            { type: "input_audio", input_audio: { data: "UklGR", format: "wav" } }
          ]
        }),
        [{
          role: "user",
          content: [
            { _tag: "Text", text: "look" },
            { _tag: "Image", source: { _tag: "Url", url: "https://example.org/cat.png" }, detail: "low" },
            { _tag: "Image", source: { _tag: "Base64", mediaType: "image/png", data: "iVBOR/+=" } },
            { _tag: "File", source: { _tag: "Base64", mediaType: "application/pdf", data: "JVBE" }, name: "a.pdf" },
            { _tag: "File", source: { _tag: "Base64", mediaType: "audio/wav", data: "UklGR" } }
          ]
        }]
      )
    })

    it("bring calls and their results together", () => {
      const second = { ...call, id: "call_2" }
      assert.deepStrictEqual(
        prompt(
          user,
          { role: "assistant", content: null, tool_calls: [call, second] },
          { role: "tool", tool_call_id: "call_1", content: "rain" },
          { role: "tool", tool_call_id: "call_2", content: [{ type: "text", text: "sun" }], name: "weather" },
          user
        ),
        [
          { role: "user", content: [{ _tag: "Text", text: "hi" }] },
          {
            role: "assistant",
            content: ["call_1", "call_2"].map((id) => ({
              _tag: "ToolCall" as const,
              id,
              name: "get_weather",
              arguments: "{\"city\":\"Oslo\"}"
            }))
          },
          {
            role: "tool",
            content: [
              { _tag: "ToolResult", id: "call_1", name: "get_weather", result: "rain" },
              { _tag: "ToolResult", id: "call_2", name: "weather", result: "sun" }
            ]
          },
          { role: "user", content: [{ _tag: "Text", text: "hi" }] }
        ]
      )
    })

    it("take an answer back as it was given, with everything that clients add to it", () => {
      assert.deepStrictEqual(
        prompt(user, {
          role: "assistant",
          content: "",
          refusal: null,
          annotations: [],
          audio: null,
          function_call: null,
          parsed: null,
          reasoning_content: "hm",
          reasoning_details: [
            { type: "reasoning.text", text: "hm", signature: "sig" },
            { type: "reasoning.encrypted", data: "sealed" }
          ],
          tool_calls: [{
            ...call,
            index: 0,
            function: { ...call.function, parsed_arguments: { city: "Oslo" } },
            extra_content: { google: { thought_signature: "proof" } }
          }]
        })[1],
        {
          role: "assistant",
          content: [
            { _tag: "Reasoning", text: "hm", signature: "sig" },
            { _tag: "Reasoning", text: "", redacted: "sealed" },
            {
              _tag: "ToolCall",
              id: "call_1",
              name: "get_weather",
              arguments: "{\"city\":\"Oslo\"}",
              signature: "proof"
            }
          ]
        }
      )
      assert.deepStrictEqual(prompt(user, { role: "assistant", content: "a", reasoning: "b" })[1], {
        role: "assistant",
        content: [{ _tag: "Reasoning", text: "b" }, { _tag: "Text", text: "a" }]
      })
      assert.deepStrictEqual(
        prompt(user, { role: "assistant", content: [{ type: "refusal", refusal: "no" }], refusal: "never" })[1],
        { role: "assistant", content: [{ _tag: "Text", text: "no" }, { _tag: "Text", text: "never" }] }
      )
      assert.deepStrictEqual(prompt(user, { role: "assistant", content: "" })[1], {
        role: "assistant",
        content: [{ _tag: "Text", text: "" }]
      })
    })
  })

  describe("what is refused", () => {
    it("names the field, and never quotes what the client wrote", () => {
      const secret = "sk-secret"
      for (
        const [fields, field, says] of [
          [{ model: undefined }, "model", "is missing"],
          [{ model: 7 }, "model", "must be the name of a model, of at most 256 characters"],
          [{ model: "" }, "model", "must be the name of a model, of at most 256 characters"],
          [{ model: `a\n${secret}` }, "model", "must be the name of a model, of at most 256 characters"],
          [{ messages: undefined }, "messages", "is missing"],
          [{ messages: [] }, "messages", "must be a list of 1 to 2048"],
          [{ messages: secret }, "messages", "must be a list of 1 to 2048"],
          [{ messages: [user, secret] }, "messages[1]", "must be an object"],
          [{ messages: [{ content: secret }] }, "messages[0].role", "is missing"],
          [
            { messages: [{ role: secret, content: "" }] },
            "messages[0].role",
            "must be one of \"system\", \"developer\", \"user\", \"assistant\", \"tool\""
          ],
          [{ messages: [{ role: "user" }] }, "messages[0].content", "is missing"],
          [{ messages: [{ role: "user", content: 7 }] }, "messages[0].content", "must be a string, or a list of content parts"],
          [{ messages: [{ role: "user", content: [] }] }, "messages[0].content", "must be a string, or a list of content parts"],
          [
            { messages: [{ role: "user", content: [{ type: "text", text: secret }, { type: "text" }] }] },
            "messages[0].content[1].text",
            "is missing"
          ],
          [
            { messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: `file:///${secret}` } }] }] },
            "messages[0].content[0].image_url.url",
            "must be an http(s) URL, or a data: URL of base64"
          ],
          [
            { messages: [{ role: "user", content: [{ type: "file", file: { file_id: secret, file_data: "data:a/b;base64,c" } }] }] },
            "messages[0].content[0].file.file_id",
            "is not supported by this gateway"
          ],
          [{ messages: [{ role: "user", content: secret, name: secret }] }, "messages[0].name", "is not supported by this gateway"],
          [{ messages: [{ role: "assistant" }] }, "messages[0].content", "is missing"],
          [
            { messages: [{ role: "assistant", tool_calls: [{ id: "a", type: "custom", function: { name: "x", arguments: "" } }] }] },
            "messages[0].tool_calls[0].type",
            "must be \"function\""
          ],
          [
            { messages: [user, { role: "tool", tool_call_id: secret, content: "" }] },
            "messages[1].tool_call_id",
            "is not the id of a call in a message before"
          ],
          [{ temperature: 2.1 }, "temperature", "must be a number from 0 to 2"],
          [{ temperature: secret }, "temperature", "must be a number from 0 to 2"],
          [{ top_p: -0.1 }, "top_p", "must be a number from 0 to 1"],
          [{ max_tokens: 0 }, "max_tokens", "must be a whole number of at least 1"],
          [{ max_completion_tokens: 1.5 }, "max_completion_tokens", "must be a whole number of at least 1"],
          [{ max_tokens: 1, max_completion_tokens: 2 }, "max_tokens", "differs from max_completion_tokens, which says the same"],
          [{ seed: 1e300 }, "seed", "must be a whole number"],
          [{ stop: "" }, "stop", "must be a text, or a list of at most 16"],
          [{ user: 1 }, "user", "must be an id of at most 512 characters"],
          [{ user: "a", safety_identifier: "b" }, "user", "differs from safety_identifier, which says the same"],
          [{ tools: [{ type: "custom", custom: {} }] }, "tools[0].type", "must be \"function\": other tools are not supported"],
          [
            { tools: [{ type: "function", function: { name: "a b" } }] },
            "tools[0].function.name",
            "must be a name of 1 to 64 letters, digits, _ and -"
          ],
          [
            { tools: [{ type: "function", function: { name: "a", parameters: "{}" } }] },
            "tools[0].function.parameters",
            "must be a JSON Schema, which is an object"
          ],
          [
            { tools: [weather], tool_choice: { type: "function", function: { name: "other" } } },
            "tool_choice.function.name",
            "is not among tools"
          ],
          [{ tool_choice: "required" }, "tool_choice", "requires tools, and there are none"],
          [
            { tools: [weather], tool_choice: "some" },
            "tool_choice",
            "must be \"none\", \"auto\", \"required\", a function by its name, or allowed_tools"
          ],
          [
            { response_format: { type: "grammar" } },
            "response_format.type",
            "must be one of \"text\", \"json_object\", \"json_schema\""
          ],
          [
            { response_format: { type: "json_schema", json_schema: { name: "a" } } },
            "response_format.json_schema.schema",
            "is missing"
          ],
          [
            { reasoning_effort: "xhigh" },
            "reasoning_effort",
            "must be one of \"none\", \"minimal\", \"low\", \"medium\", \"high\""
          ],
          [{ stream: "yes" }, "stream", "must be a boolean"],
          [{ stream_options: { include_usage: true } }, "stream_options", "is only of use with stream: true"],
          [
            { stream: true, stream_options: { include_obfuscation: true } },
            "stream_options.include_obfuscation",
            "must be false: nothing else is supported by this gateway"
          ],
          [{ n: 2 }, "n", "must be 1: nothing else is supported by this gateway"]
        ] as const
      ) {
        const { field: named, message } = refused(fields)
        assert.deepStrictEqual([named, message], [field, `${field} ${says}`])
      }
    })

    it("has every documented field that cannot be honoured", () => {
      for (
        const [field, value] of [
          ["audio", { voice: "alloy", format: "wav" }],
          ["function_call", "auto"],
          ["functions", []],
          ["logit_bias", { 50256: -100 }],
          ["logprobs", true],
          ["metadata", { a: "b" }],
          ["modalities", ["text", "audio"]],
          ["moderation", { model: "m" }],
          ["prediction", { type: "content", content: "x" }],
          ["prompt_cache_key", "k"],
          ["prompt_cache_options", { mode: "implicit" }],
          ["prompt_cache_retention", "24h"],
          ["service_tier", "flex"],
          ["store", true],
          ["top_logprobs", 3],
          ["verbosity", "low"],
          ["web_search_options", {}]
        ] as const
      ) {
        const { reason, field: named, message } = refused({ model: "groq/llama", [field]: value })
        assert.deepStrictEqual([reason, named], ["InvalidRequest", field])
        assert.include(message, "supported by this gateway")
      }
    })

    it("is honoured where the model is OpenAI's own, and only what is asked for goes along", () => {
      assert.deepStrictEqual(
        request({
          service_tier: "flex",
          verbosity: "low",
          store: true,
          metadata: { a: "b" },
          logit_bias: { 50256: -100 },
          prompt_cache_key: "k"
        }).providerOptions,
        {
          openai: {
            serviceTier: "flex",
            verbosity: "low",
            store: true,
            metadata: { a: "b" },
            logitBias: { 50256: -100 },
            promptCacheKey: "k"
          }
        }
      )
      assert.isUndefined(request({ service_tier: "auto", verbosity: "medium", store: false }).providerOptions)
      assert.strictEqual(
        refused({ model: "fast", verbosity: "low" }).message,
        "verbosity is not supported by this gateway, but for OpenAI's own models (openai/…)"
      )
    })

    it("has every field that is none of the API's, above all those that would say where to go and with which key", () => {
      for (
        const field of [
          "api_key",
          "api_base",
          "base_url",
          "headers",
          "extra_headers",
          "organization",
          "proxy",
          "timeout",
          "providerOptions",
          "constructor",
          "temprature"
        ]
      ) {
        const { field: named, message } = refused({ [field]: "https://evil.example" })
        assert.deepStrictEqual([named, message], [field, `${field} is not a field of this API`])
      }
      assert.strictEqual(refused({ messages: [{ ...user, api_key: "x" }] }).field, "messages[0].api_key")
    })

    it("has more messages and tools than there may be", () => {
      const times = <A>(n: number, make: (i: number) => A) => Array.from({ length: n }, (_, i) => make(i))
      const tool = (i: number) => ({ type: "function", function: { name: `tool_${i}` } })
      assert.strictEqual((request({ messages: times(2048, () => user) }).prompt as ReadonlyArray<unknown>).length, 2048)
      assert.strictEqual(refused({ messages: times(2049, () => user) }).field, "messages")
      assert.strictEqual(request({ tools: times(256, tool) }).tools?.length, 256)
      assert.strictEqual(refused({ tools: times(257, tool) }).field, "tools")
    })

    it("has bodies that are no object", () => {
      for (const body of [null, [], "text", 7, true]) {
        assert.strictEqual(
          Either.getOrThrow(Either.flip(OpenAiInbound.toChat(body))).message,
          "The body must be a JSON object"
        )
      }
    })
  })
})
