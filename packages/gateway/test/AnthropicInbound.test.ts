import { assert, describe, it } from "@effect/vitest"
import * as Prompt from "@spillway/core/Prompt"
import * as AnthropicInbound from "@spillway/gateway/AnthropicInbound"
import { Either } from "effect"

const user = { role: "user", content: "hi" }
const message = { model: "anthropic/claude-sonnet-5", max_tokens: 100, messages: [user] }
const read = (fields: object) => AnthropicInbound.toMessage(JSON.parse(JSON.stringify({ ...message, ...fields })))
const request = (fields: object) => Either.getOrThrow(read(fields)).request
const prompt = (...messages: ReadonlyArray<object>) => Prompt.make(request({ messages }).prompt)
const refused = (fields: object) => Either.getOrThrow(Either.flip(read(fields)))

const tool = { name: "get_weather", description: "now", input_schema: { type: "object" }, strict: true }
const call = { type: "tool_use", id: "toolu_1", name: "get_weather", input: { city: "Oslo" } }

describe("AnthropicInbound", () => {
  it("needs no more than a model, a bound and a message", () => {
    assert.deepStrictEqual(
      read({}),
      Either.right({
        request: { model: "anthropic/claude-sonnet-5", prompt: [Prompt.user("hi")], maxTokens: 100 },
        stream: false
      })
    )
  })

  it("honours every setting that core has a word for, or Anthropic's backends", () => {
    const { prompt: _, ...settings } = request({
      max_tokens: 5000,
      temperature: 0,
      top_p: 0.5,
      top_k: 40,
      stop_sequences: ["a", "b"],
      tools: [tool],
      tool_choice: { type: "tool", name: "get_weather", disable_parallel_tool_use: true },
      output_config: { effort: "max", format: { type: "json_schema", schema: { type: "object" } } },
      thinking: { type: "enabled", budget_tokens: 4096 },
      metadata: { user_id: "u-1" },
      service_tier: "standard_only",
      stream: true
    })
    assert.deepStrictEqual(settings, {
      model: "anthropic/claude-sonnet-5",
      tools: [{ name: "get_weather", description: "now", parameters: { type: "object" }, strict: true }],
      toolChoice: { tool: "get_weather" },
      parallelToolCalls: false,
      format: { _tag: "JsonSchema", name: "answer", schema: { type: "object" } },
      reasoning: { effort: "high" },
      maxTokens: 5000,
      temperature: 0,
      topP: 0.5,
      topK: 40,
      stop: ["a", "b"],
      user: "u-1",
      providerOptions: { anthropic: { thinking: { budgetTokens: 4096 }, effort: "max", serviceTier: "standard_only" } }
    })
  })

  it("takes null for not said", () => {
    assert.deepStrictEqual(
      request({
        system: null,
        temperature: null,
        tools: null,
        tool_choice: null,
        thinking: null,
        output_config: null,
        container: null,
        inference_geo: null,
        cache_control: null,
        speed: "standard",
        mcp_servers: []
      }),
      request({})
    )
  })

  it("says thinking in the common word for those who do not know Anthropic's", () => {
    const said = (fields: object) => {
      const { providerOptions, reasoning } = request({ max_tokens: 40_000, ...fields })
      return [reasoning?.effort, providerOptions?.anthropic?.thinking, providerOptions?.anthropic?.effort]
    }
    const budget = (budget_tokens: number) => ({ thinking: { type: "enabled", budget_tokens } })
    assert.deepStrictEqual(said({}), [undefined, undefined, undefined])
    assert.deepStrictEqual(said({ thinking: { type: "disabled" } }), ["none", "disabled", undefined])
    assert.deepStrictEqual(said({ thinking: { type: "adaptive" } }), [undefined, "adaptive", undefined])
    assert.deepStrictEqual(said({ output_config: { effort: "low" } }), ["low", undefined, "low"])
    assert.deepStrictEqual(said({ output_config: { effort: "xhigh" } }), ["high", undefined, "xhigh"])
    assert.deepStrictEqual(said({ thinking: { type: "adaptive" }, output_config: { effort: "medium" } }), [
      "medium",
      "adaptive",
      "medium"
    ])
    assert.deepStrictEqual(said(budget(1024)), ["low", { budgetTokens: 1024 }, undefined])
    assert.deepStrictEqual(said(budget(4096)), ["medium", { budgetTokens: 4096 }, undefined])
    assert.deepStrictEqual(said(budget(16_384)), ["high", { budgetTokens: 16_384 }, undefined])
  })

  it("marks up to where the request is kept: the tools, the system messages, the prompt, for the longest time said", () => {
    const kept = (fields: object) => request(fields).providerOptions?.anthropic?.cacheControl
    const cache_control = { type: "ephemeral" }
    const text = { type: "text", text: "a", cache_control }
    assert.isUndefined(kept({ system: [{ type: "text", text: "a" }] }))
    assert.deepStrictEqual(kept({ cache_control }), { at: ["prompt"] })
    assert.deepStrictEqual(kept({ system: [text, { type: "text", text: "b" }] }), { at: ["system"] })
    assert.deepStrictEqual(kept({ tools: [{ ...tool, cache_control: { type: "ephemeral", ttl: "5m" } }] }), {
      at: ["tools"],
      ttl: "5m"
    })
    assert.deepStrictEqual(
      kept({
        tools: [{ ...tool, cache_control: { type: "ephemeral", ttl: "1h" } }],
        system: [text],
        messages: [
          { role: "user", content: [text] },
          { role: "assistant", content: [{ type: "thinking", thinking: "", signature: "" }] }
        ]
      }),
      { at: ["tools", "system", "prompt"], ttl: "1h" }
    )
    const result = { type: "tool_result", tool_use_id: "toolu_1", content: [text] }
    assert.deepStrictEqual(
      kept({ messages: [{ role: "assistant", content: [call] }, { role: "user", content: [result] }] }),
      { at: ["prompt"] }
    )
  })

  describe("messages", () => {
    it("are translated role by role, with what stands before them", () => {
      assert.deepStrictEqual(
        request({
          system: [{ type: "text", text: "be brief" }, { type: "text", text: "and kind" }],
          messages: [user, { role: "assistant", content: "hello" }, { role: "system", content: "be quick" }, user]
        }).prompt,
        [
          Prompt.system("be brief\nand kind"),
          Prompt.user("hi"),
          Prompt.assistant("hello"),
          Prompt.system("be quick"),
          Prompt.user("hi")
        ]
      )
    })

    it("carry pictures and documents", () => {
      const png = { type: "base64", media_type: "image/png", data: "aGk=" }
      assert.deepStrictEqual(
        prompt({
          role: "user",
          content: [
            { type: "text", text: "look" },
            { type: "image", source: { type: "url", url: "https://example.org/cat.png" } },
            { type: "image", source: png },
            { type: "document", title: "a", source: { type: "base64", media_type: "application/pdf", data: "JVBE" } },
            { type: "document", source: { type: "url", url: "https://example.org/a.pdf" }, citations: { enabled: false } },
            { type: "document", source: { type: "text", media_type: "text/plain", data: "grüß" } },
            {
              type: "document",
              source: {
                type: "content",
                content: [{ type: "text", text: "a" }, { type: "image", source: png }, { type: "text", text: "b" }]
              }
            }
          ]
        }),
        [Prompt.user([
          Prompt.text("look"),
          Prompt.imageUrl("https://example.org/cat.png"),
          Prompt.image("aGk=", "image/png"),
          Prompt.file("JVBE", "application/pdf", "a"),
          { _tag: "File", source: { _tag: "Url", url: "https://example.org/a.pdf" } },
          Prompt.file(new TextEncoder().encode("grüß"), "text/plain"),
          Prompt.file(new TextEncoder().encode("a\nb"), "text/plain"),
          Prompt.image("aGk=", "image/png")
        ])]
      )
    })

    it("bring results before what else the user says, and their pictures right after them", () => {
      assert.deepStrictEqual(
        prompt(
          user,
          { role: "assistant", content: [{ type: "text", text: "so" }, call, { ...call, id: "toolu_2" }] },
          {
            role: "user",
            content: [
              { type: "tool_result", tool_use_id: "toolu_2" },
              {
                type: "tool_result",
                tool_use_id: "toolu_1",
                is_error: true,
                content: [
                  { type: "text", text: "a" },
                  { type: "image", source: { type: "url", url: "https://example.org/a.png" } },
                  { type: "text", text: "b" }
                ]
              },
              { type: "text", text: "and?" }
            ]
          }
        ).slice(2),
        [
          Prompt.tool([
            { _tag: "ToolResult", id: "toolu_2", name: "get_weather", result: "" },
            { _tag: "ToolResult", id: "toolu_1", name: "get_weather", result: "a\nb", isError: true }
          ]),
          Prompt.user([Prompt.imageUrl("https://example.org/a.png"), Prompt.text("and?")])
        ]
      )
    })

    it("take an answer back as it was given", () => {
      assert.deepStrictEqual(
        prompt(user, {
          role: "assistant",
          content: [
            { type: "thinking", thinking: "hm", signature: "sig" },
            { type: "thinking", thinking: "unsigned", signature: "" },
            { type: "redacted_thinking", data: "sealed", signature: "id" },
            { type: "text", text: "a", citations: null },
            { ...call, caller: { type: "direct" }, signature: "proof" }
          ]
        })[1],
        Prompt.assistant([
          { _tag: "Reasoning", text: "hm", signature: "sig" },
          { _tag: "Reasoning", text: "unsigned" },
          { _tag: "Reasoning", text: "", redacted: "sealed", signature: "id" },
          Prompt.text("a"),
          { _tag: "ToolCall", id: "toolu_1", name: "get_weather", arguments: "{\"city\":\"Oslo\"}", signature: "proof" }
        ])
      )
      assert.deepStrictEqual(prompt(user, { role: "assistant", content: [] })[1], Prompt.assistant(""))
    })
  })

  it("refuses by the name of the field, and never quotes what the client wrote", () => {
    const secret = "sk-secret"
    const content = (block: object) => ({ messages: [{ role: "user", content: [block] }] })
    for (
      const [fields, field, says] of [
        [{ max_tokens: undefined }, "max_tokens", "is missing"],
        [{ max_tokens: 0 }, "max_tokens", "must be a whole number of at least 1"],
        [{ model: `a\n${secret}` }, "model", "must be the name of a model, of at most 256 characters"],
        [{ messages: [] }, "messages", "must be a list of 1 to 2048"],
        [{ messages: [{ role: secret, content: "" }] }, "messages[0].role", "must be one of \"system\", \"user\", \"assistant\""],
        [{ messages: [{ role: "user", content: [] }] }, "messages[0].content", "must be a string, or a list of 1 to 2048 blocks"],
        [content({ type: "text" }), "messages[0].content[0].text", "is missing"],
        [
          content({ type: "image", source: { type: "url", url: `file:///${secret}` } }),
          "messages[0].content[0].source.url",
          "must be an http(s) URL"
        ],
        [
          content({ type: "image", source: { type: "file", file_id: secret } }),
          "messages[0].content[0].source.type",
          "must be one of \"base64\", \"url\""
        ],
        [
          content({ type: "document", source: { type: "text", media_type: "text/plain", data: "a" }, context: secret }),
          "messages[0].content[0].context",
          "is not supported by this gateway"
        ],
        [
          content({ type: "tool_result", tool_use_id: secret, content: "" }),
          "messages[0].content[0].tool_use_id",
          "is not the id of a call in a message before"
        ],
        [{ temperature: 1.5 }, "temperature", "must be a number from 0 to 1"],
        [
          { tools: [{ type: "web_search_20250305", name: "web_search" }] },
          "tools[0].type",
          "must be \"custom\": tools that Anthropic runs are not supported"
        ],
        [{ tools: [{ ...tool, name: "a b" }] }, "tools[0].name", "must be a name of 1 to 128 letters, digits, _ and -"],
        [{ tools: [tool], tool_choice: { type: "tool", name: "other" } }, "tool_choice.name", "is not among tools"],
        [{ tool_choice: { type: "any" } }, "tool_choice", "requires tools, and there are none"],
        [{ thinking: { type: "enabled", budget_tokens: 1000 } }, "thinking.budget_tokens", "must be a whole number of at least 1024"],
        [
          { max_tokens: 1024, thinking: { type: "enabled", budget_tokens: 1024 } },
          "thinking.budget_tokens",
          "must be less than max_tokens"
        ],
        [
          { thinking: { type: "adaptive", display: "omitted" } },
          "thinking.display",
          "must be \"summarized\": nothing else is supported by this gateway"
        ],
        [{ container: secret }, "container", "is not supported by this gateway"],
        [{ speed: "fast" }, "speed", "must be \"standard\": nothing else is supported by this gateway"],
        [{ api_key: secret }, "api_key", "is not a field of this API"],
        [{ base_url: secret }, "base_url", "is not a field of this API"]
      ] as const
    ) {
      const { field: named, message } = refused(fields)
      assert.deepStrictEqual([named, message], [field, `${field} ${says}`])
    }
  })

  it("reads a request for a number of tokens, which has no bound and no settings", () => {
    const { max_tokens: _, ...count } = message
    assert.deepStrictEqual(
      AnthropicInbound.toCount({ ...count, tools: [tool] }),
      Either.right({
        model: "anthropic/claude-sonnet-5",
        prompt: [Prompt.user("hi")],
        tools: [{ name: "get_weather", description: "now", parameters: { type: "object" }, strict: true }]
      })
    )
    for (const field of ["max_tokens", "temperature", "stream"]) {
      const refusal = Either.getOrThrow(Either.flip(AnthropicInbound.toCount({ ...count, [field]: 1 })))
      assert.strictEqual(refusal.field, field)
    }
  })
})
