/**
 * What we send, beside what Anthropic's own client sends when it is asked for the same.
 *
 * Where they differ by intent: the client (from 1.0 on) shows the key as `Authorization: Bearer`, we as `x-api-key`,
 * which the API takes on every version and which other servers of this wire know; and it speaks API version
 * 2026-10-21, which we do when we are told to, as here.
 */
import Client from "@anthropic-ai/sdk"
import { assert, describe, it } from "@effect/vitest"
import type * as Completion from "@spillway/core/Completion"
import type * as LlmService from "@spillway/core/LlmService"
import * as Prompt from "@spillway/core/Prompt"
import * as Tool from "@spillway/core/Tool"
import * as Anthropic from "@spillway/providers/Anthropic"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { sse } from "./examples.js"
import { type Answer, fetching, through } from "./fetching.js"

const apiKey = "sk-ant-test"

const whole: Answer = { body: { id: "m", type: "message", role: "assistant", model: "m", content: [], usage: {} } }

const streamed: Answer = {
  headers: { "content-type": "text/event-stream" },
  body: [
    { type: "message_start", message: whole.body },
    { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 1 } },
    { type: "message_stop" }
  ].map(sse).join("")
}

const models: Answer = { body: { data: [], has_more: false, first_id: null, last_id: null } }

const compare = (
  answer: Answer,
  theirs: (client: Client) => Promise<unknown>,
  ours: (service: LlmService.Service, own: Anthropic.Service) => Effect.Effect<unknown, unknown>
) => {
  const { fetch, sent } = fetching(() => answer)
  return Effect.gen(function*() {
    const client = new Client({ apiKey, authToken: null, baseURL: "https://api.anthropic.com", fetch, maxRetries: 0 })
    yield* Effect.promise(() => theirs(client))
    const make = Anthropic.make({ apiKeys: [Redacted.make(apiKey)], version: "2026-10-21" })
    yield* through(fetch, make, ({ anthropic, llm }) => ours(llm, anthropic))
    assert.strictEqual(sent.length, 2)
    const [their, our] = [sent[0]!, sent[1]!]
    assert.deepStrictEqual([our.method, our.host], [their.method, their.host])
    assert.deepStrictEqual(our.body, their.body)
    for (const name of ["anthropic-version", "content-type", "accept", "anthropic-beta"]) {
      assert.strictEqual(our.headers[name], their.headers[name], name)
    }
    const credentials = [their, our].map(({ headers }) => [headers["authorization"], headers["x-api-key"]])
    assert.deepStrictEqual(credentials, [[`Bearer ${apiKey}`, undefined], [undefined, apiKey]])
    return [our, their] as const
  })
}

const text = (text: string) => ({ type: "text" as const, text })

describe("Anthropic sends what Anthropic's own client sends", () => {
  it.effect("for a chat", () =>
    Effect.map(
      compare(
        whole,
        (client) =>
          client.messages.create({
            model: "claude-sonnet-5",
            max_tokens: 100,
            system: "Be brief.",
            messages: [
              { role: "user", content: [text("Hi")] },
              { role: "assistant", content: [text("Hello")] },
              { role: "user", content: [text("What is the capital of Norway?")] }
            ],
            stop_sequences: ["END"],
            metadata: { user_id: "u-1" },
            thinking: { type: "adaptive" },
            output_config: { effort: "low" }
          }),
        (service) =>
          service.generateText({
            model: "claude-sonnet-5",
            maxTokens: 100,
            prompt: [
              Prompt.system("Be brief."),
              Prompt.user("Hi"),
              Prompt.assistant("Hello"),
              Prompt.user("What is the capital of Norway?")
            ],
            stop: ["END"],
            user: "u-1",
            reasoning: { effort: "low" }
          })
      ),
      ([our, their]) => assert.strictEqual(our.path, their.path)
    ))

  it.effect("for a stream", () =>
    Effect.map(
      compare(
        streamed,
        async (client) => {
          const events = await client.messages.create({
            model: "claude-sonnet-5",
            max_tokens: 100,
            messages: [{ role: "user", content: [text("Hi")] }],
            stream: true
          })
          for await (const _ of events);
        },
        (service) =>
          Stream.runDrain(service.streamText({ model: "claude-sonnet-5", maxTokens: 100, prompt: "Hi" }))
      ),
      ([our, their]) => assert.strictEqual(our.path, their.path)
    ))

  const weather = Tool.make("get_weather", {
    description: "The weather in a city, now",
    parameters: Schema.Struct({ city: Schema.String })
  })

  const tools = [{
    name: "get_weather",
    description: "The weather in a city, now",
    input_schema: weather.parameters as Client.Tool.InputSchema
  }]

  it.effect("for a tool call and the turn after it, with a picture", () => {
    const request: Completion.Request = {
      model: "claude-sonnet-5",
      maxTokens: 100,
      tools: [weather],
      toolChoice: "required",
      parallelToolCalls: false,
      prompt: [
        Prompt.user([Prompt.text("What is the weather there?"), Prompt.image("aGk=", "image/png")]),
        Prompt.assistant([
          { _tag: "Reasoning", text: "Oslo.", signature: "sig" },
          { _tag: "ToolCall", id: "toolu_1", name: "get_weather", arguments: "{\"city\":\"Oslo\"}" }
        ]),
        Prompt.tool([{ _tag: "ToolResult", id: "toolu_1", name: "get_weather", result: "none", isError: true }])
      ]
    }
    return Effect.map(
      compare(
        whole,
        (client) =>
          client.messages.create({
            model: "claude-sonnet-5",
            max_tokens: 100,
            tools,
            tool_choice: { type: "any", disable_parallel_tool_use: true },
            messages: [
              {
                role: "user",
                content: [
                  text("What is the weather there?"),
                  { type: "image", source: { type: "base64", media_type: "image/png", data: "aGk=" } }
                ]
              },
              {
                role: "assistant",
                content: [
                  { type: "thinking", thinking: "Oslo.", signature: "sig" },
                  { type: "tool_use", id: "toolu_1", name: "get_weather", input: { city: "Oslo" } }
                ]
              },
              {
                role: "user",
                content: [{ type: "tool_result", tool_use_id: "toolu_1", content: "none", is_error: true }]
              }
            ]
          }),
        (service) => service.generateText(request)
      ),
      ([our, their]) => assert.strictEqual(our.path, their.path)
    )
  })

  it.effect("for the list of models, but for asking for the longest page", () =>
    Effect.map(
      compare(models, (client) => client.models.list(), (service) => service.listModels),
      ([our, their]) => {
        assert.strictEqual(their.path, "/v1/models")
        assert.strictEqual(our.path, "/v1/models?limit=1000")
      }
    ))

  it.effect("for a count of tokens, of a prompt that is kept, with tools and a document", () =>
    Effect.map(
      compare(
        { body: { input_tokens: 14 } },
        (client) =>
          client.messages.countTokens({
            model: "claude-sonnet-5",
            system: [text("Be brief."), { ...text("Be kind."), cache_control: { type: "ephemeral", ttl: "1h" } }],
            messages: [{
              role: "user",
              content: [
                {
                  type: "document",
                  source: { type: "base64", media_type: "application/pdf", data: "aGk=" },
                  title: "report.pdf"
                },
                text("What does it say?")
              ]
            }],
            tools: [{ ...tools[0]!, cache_control: { type: "ephemeral", ttl: "1h" } }],
            tool_choice: { type: "auto", disable_parallel_tool_use: true },
            cache_control: { type: "ephemeral", ttl: "1h" }
          }),
        (_, own) =>
          own.countTokens({
            model: "claude-sonnet-5",
            maxTokens: 100,
            temperature: 0.5,
            stop: ["END"],
            prompt: [
              Prompt.system("Be brief."),
              Prompt.system("Be kind."),
              Prompt.user([
                {
                  _tag: "File",
                  name: "report.pdf",
                  source: { _tag: "Base64", mediaType: "application/pdf", data: "aGk=" }
                },
                Prompt.text("What does it say?")
              ])
            ],
            tools: [weather],
            parallelToolCalls: false,
            providerOptions: { anthropic: { cacheControl: { ttl: "1h", at: ["tools", "system", "prompt"] } } }
          })
      ),
      ([our, their]) => assert.strictEqual(our.path, their.path)
    ))

  it.effect("for one model", () =>
    Effect.map(
      compare(
        { body: { type: "model", id: "claude-opus-5-5" } },
        (client) => client.models.retrieve("claude-opus-latest"),
        (_, own) => own.model("claude-opus-latest")
      ),
      ([our, their]) => assert.strictEqual(our.path, their.path)
    ))
})
