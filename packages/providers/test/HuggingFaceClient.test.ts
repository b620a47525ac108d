/**
 * What we send to TGI, to the router and to TEI, beside what Hugging Face's own client sends when it is asked for the
 * same.
 *
 * Where they differ: the client has no word for TGI's form of a grammar, since it speaks of `response_format` as OpenAI
 * does, which the server does not read; and it continues texts over `/v1/completions`, and not over `/generate`.
 */
import { assert, describe, it } from "@effect/vitest"
import { InferenceClient } from "@huggingface/inference"
import * as Prompt from "@spillway/core/Prompt"
import * as Tool from "@spillway/core/Tool"
import * as Tei from "@spillway/providers/Tei"
import * as Tgi from "@spillway/providers/Tgi"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { type Answer, fetching, through } from "./fetching.js"

type ChatInput = Parameters<InferenceClient["chatCompletion"]>[0]

const token = "hf_secret"

const settings = { apiKeys: [Redacted.make(token)] as const, baseUrl: "http://inference:3000" }

const compare = <B>(
  answer: Answer,
  theirs: (client: InferenceClient) => Promise<unknown>,
  backend: Effect.Effect<B, unknown, any>,
  ours: (backend: B) => Effect.Effect<unknown, unknown>
) => {
  const { fetch, sent } = fetching(() => answer)
  return Effect.gen(function*() {
    yield* Effect.promise(() => theirs(new InferenceClient(token, { fetch })))
    yield* through(fetch, backend, ours)
    assert.strictEqual(sent.length, 2)
    const [their, our] = [sent[0]!, sent[1]!]
    assert.deepStrictEqual([our.method, our.host, our.path], [their.method, their.host, their.path])
    assert.strictEqual(our.headers["authorization"], their.headers["authorization"])
    assert.strictEqual(our.headers["content-type"], their.headers["content-type"])
    assert.deepStrictEqual(our.body, their.body)
  })
}

const completion = {
  id: "x",
  object: "chat.completion",
  created: 1,
  model: "m",
  system_fingerprint: "x",
  usage: {},
  choices: [{ index: 0, message: { role: "assistant", content: "Hi" }, finish_reason: "stop" }]
}

const stream: Answer = {
  headers: { "content-type": "text/event-stream" },
  body: `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: "Hi" } }] })}\n\ndata: [DONE]\n\n`
}

const weather = Tool.make("get_weather", {
  description: "The weather in a city, now",
  parameters: Schema.Struct({ city: Schema.String })
})

const theirTool = {
  type: "function",
  function: { name: "get_weather", description: "The weather in a city, now", parameters: weather.parameters }
}

describe("Hugging Face's own client sends what Tgi sends", () => {
  const tgi = Tgi.make(settings)
  const endpointUrl = settings.baseUrl

  it.effect("for a chat", () =>
    compare(
      { body: completion },
      (client) =>
        client.chatCompletion({
          endpointUrl,
          model: "tgi",
          messages: [
            { role: "system", content: "Be brief." },
            {
              role: "user",
              content: [
                { type: "text", text: "What is this?" },
                { type: "image_url", image_url: { url: "data:image/png;base64,aGk=" } }
              ]
            }
          ],
          max_tokens: 100,
          temperature: 0,
          top_p: 0.5,
          seed: 1,
          stop: ["END"],
          presence_penalty: 0.1,
          frequency_penalty: 0.2
        }),
      tgi,
      ({ llm }) =>
        llm.generateText({
          model: "tgi",
          prompt: [
            Prompt.system("Be brief."),
            Prompt.user([Prompt.text("What is this?"), Prompt.image("aGk=", "image/png")])
          ],
          maxTokens: 100,
          temperature: 0,
          topP: 0.5,
          seed: 1,
          stop: ["END"],
          presencePenalty: 0.1,
          frequencyPenalty: 0.2
        })
    ))

  it.effect("for a stream", () =>
    compare(
      stream,
      async (client) => {
        const chunks = client.chatCompletionStream({
          endpointUrl,
          model: "tgi",
          messages: [{ role: "user", content: "Hi" }],
          stream_options: { include_usage: true }
        })
        for await (const _ of chunks);
      },
      tgi,
      ({ llm }) => Stream.runDrain(llm.streamText({ model: "tgi", prompt: "Hi" }))
    ))

  it.effect("for a tool, and the turn after its call", () => {
    const messages = [
      { role: "user", content: "What is the weather in Oslo?" },
      {
        role: "assistant",
        content: null,
        tool_calls: [{ id: "0", type: "function", function: { name: "get_weather", arguments: "{\"city\":\"Oslo\"}" } }]
      },
      { role: "tool", tool_call_id: "0", content: "3 °C" }
    ] as unknown as ChatInput["messages"] // its types know no content that is null
    return compare(
      { body: completion },
      (client) =>
        client.chatCompletion({
          endpointUrl,
          model: "tgi",
          messages,
          tools: [theirTool],
          tool_choice: { function: { name: "get_weather" }, type: "function" } as NonNullable<ChatInput["tool_choice"]>,
          tool_prompt: "Choose:"
        }),
      tgi,
      ({ llm }) =>
        llm.generateText({
          model: "tgi",
          prompt: [
            Prompt.user("What is the weather in Oslo?"),
            Prompt.assistant([{ _tag: "ToolCall", id: "0", name: "get_weather", arguments: "{\"city\":\"Oslo\"}" }]),
            Prompt.tool([{ _tag: "ToolResult", id: "0", name: "get_weather", result: "3 °C" }])
          ],
          tools: [weather],
          toolChoice: { tool: "get_weather" },
          providerOptions: { tgi: { toolPrompt: "Choose:" } }
        })
    )
  })

  it.effect("through the router, where an answer of a schema is asked for as well", () =>
    compare(
      { body: completion },
      (client) =>
        client.chatCompletion({
          model: "deepseek-ai/DeepSeek-R1",
          messages: [{ role: "user", content: "Hi" }],
          response_format: { type: "json_schema", json_schema: { name: "x", schema: { type: "object" }, strict: true } }
        }),
      Tgi.make({ ...settings, baseUrl: "https://router.huggingface.co" }),
      ({ llm }) =>
        llm.generateText({
          model: "deepseek-ai/DeepSeek-R1",
          prompt: "Hi",
          format: { _tag: "JsonSchema", name: "x", schema: { type: "object" }, strict: true }
        })
    ))
})

describe("Hugging Face's own client sends what Tei sends", () => {
  const tei = Tei.make({ ...settings, maxBatchSize: 32 })

  it.effect("for embeddings", () =>
    compare(
      { body: [[1], [2]] },
      (client) =>
        client.featureExtraction({
          endpointUrl: `${settings.baseUrl}/embed`,
          inputs: ["a", "b"],
          normalize: false,
          truncate: true,
          prompt_name: "query",
          dimensions: 1
        }),
      tei,
      ({ llm }) =>
        llm.embed({
          model: "any",
          input: ["a", "b"],
          dimensions: 1,
          providerOptions: { tei: { normalize: false, truncate: true, promptName: "query" } }
        })
    ))

  it.effect("for the likeness of sentences", () =>
    compare(
      { body: [0.5, 1] },
      (client) =>
        client.sentenceSimilarity({
          endpointUrl: `${settings.baseUrl}/similarity`,
          inputs: { source_sentence: "a", sentences: ["b", "c"] }
        }),
      tei,
      ({ tei }) => tei.similarity({ source: "a", sentences: ["b", "c"] })
    ))
})
