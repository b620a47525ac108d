/**
 * What we send, beside what Ollama's own client sends when it is asked for the same.
 *
 * Where they differ by intent: we also send the ids of tool calls, which newer servers know and older ones skip; the
 * client's types have no word for them. A model to pull or delete we call `model`, as the description of the API does,
 * the client `name`, as it was called before.
 */
import { assert, describe, it } from "@effect/vitest"
import type * as LlmService from "@spillway/core/LlmService"
import * as Prompt from "@spillway/core/Prompt"
import * as Tool from "@spillway/core/Tool"
import * as Backend from "@spillway/providers/Ollama"
import type * as OllamaGenerateWire from "@spillway/providers/OllamaGenerateWire"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Ollama as Client, type Tool as ClientTool } from "ollama"
import { ndjson } from "./examples.js"
import { type Answer, fetching, through } from "./fetching.js"

const last = { model: "m", message: { role: "assistant", content: "Hello" }, done: true, done_reason: "stop" }

const compare = (
  answer: Answer,
  theirs: (client: Client) => Promise<unknown>,
  ours: (service: LlmService.Service, own: Backend.Service) => Effect.Effect<unknown, unknown>
) => {
  const { fetch, sent } = fetching(() => answer)
  return Effect.gen(function*() {
    yield* Effect.promise(() => theirs(new Client({ host: "http://127.0.0.1:11434", fetch })))
    yield* through(fetch, Backend.make(), ({ llm, ollama }) => ours(llm, ollama))
    assert.strictEqual(sent.length, 2)
    const [their, our] = [sent[0]!, sent[1]!]
    assert.deepStrictEqual([our.method, our.host, our.path], [their.method, their.host, their.path])
    assert.strictEqual(our.headers["accept"], their.headers["accept"])
    assert.strictEqual(our.headers["authorization"], their.headers["authorization"])
    if (their.body !== undefined) assert.strictEqual(our.headers["content-type"], their.headers["content-type"])
    return [our.body, their.body] as const
  })
}

const same = ([our, their]: readonly [any, any]) => assert.deepStrictEqual(our, their)

describe("Ollama sends what Ollama's own client sends", () => {
  it.effect("for a chat", () =>
    Effect.map(
      compare(
        { body: last },
        (client) =>
          client.chat({
            model: "llama3.2",
            messages: [
              { role: "system", content: "Be brief." },
              { role: "user", content: "What is this?", images: ["aGk="] }
            ],
            format: "json",
            think: "low",
            keep_alive: "5m",
            options: { num_predict: 100, temperature: 0, top_p: 0.5, top_k: 3, seed: 1, stop: ["END"], num_ctx: 8192 }
          }),
        (service) =>
          service.generateText({
            model: "llama3.2",
            prompt: [
              Prompt.system("Be brief."),
              Prompt.user([Prompt.text("What is this?"), Prompt.image("aGk=", "image/png")])
            ],
            format: { _tag: "Json" },
            reasoning: { effort: "low" },
            maxTokens: 100,
            temperature: 0,
            topP: 0.5,
            topK: 3,
            seed: 1,
            stop: ["END"],
            providerOptions: { ollama: { numCtx: 8192, keepAlive: "5m" } }
          })
      ),
      same
    ))

  it.effect("for a stream", () =>
    Effect.map(
      compare(
        { body: ndjson(last), headers: { "content-type": "application/x-ndjson" } },
        async (client) => {
          const lines = await client.chat({
            model: "llama3.2",
            messages: [{ role: "user", content: "Hi" }],
            stream: true
          })
          for await (const _ of lines);
        },
        (service) => Stream.runDrain(service.streamText({ model: "llama3.2", prompt: "Hi" }))
      ),
      same
    ))

  it.effect("for a tool call and the turn after it, but for the ids of calls", () => {
    const weather = Tool.make("get_weather", {
      description: "The weather in a city, now",
      parameters: Schema.Struct({ city: Schema.String })
    })
    return Effect.map(
      compare(
        { body: last },
        (client) =>
          client.chat({
            model: "llama3.2",
            messages: [
              { role: "user", content: "What is the weather in Oslo?" },
              {
                role: "assistant",
                content: "",
                thinking: "I must look.",
                tool_calls: [{ function: { name: "get_weather", arguments: { city: "Oslo" } } }]
              },
              { role: "tool", content: "3 °C", tool_name: "get_weather" }
            ],
            tools: [{
              type: "function",
              function: {
                name: "get_weather",
                description: "The weather in a city, now",
                parameters: weather.parameters as NonNullable<ClientTool["function"]["parameters"]>
              }
            }]
          }),
        (service) =>
          service.generateText({
            model: "llama3.2",
            prompt: [
              Prompt.user("What is the weather in Oslo?"),
              Prompt.assistant([
                { _tag: "Reasoning", text: "I must look." },
                { _tag: "ToolCall", id: "call_1", name: "get_weather", arguments: "{\"city\":\"Oslo\"}" }
              ]),
              Prompt.tool([{ _tag: "ToolResult", id: "call_1", name: "get_weather", result: "3 °C" }])
            ],
            tools: [weather]
          })
      ),
      ([our, their]) => {
        const { id, ...call } = our.messages[1].tool_calls[0]
        const { tool_call_id, ...result } = our.messages[2]
        assert.deepStrictEqual([id, tool_call_id], ["call_1", "call_1"])
        const messages = [our.messages[0], { ...our.messages[1], tool_calls: [call] }, result]
        assert.deepStrictEqual({ ...our, messages }, their)
      }
    )
  })

  it.effect("for embeddings", () =>
    Effect.map(
      compare(
        { body: { model: "all-minilm", embeddings: [[1], [2]] } },
        (client) => client.embed({ model: "all-minilm", input: ["a", "b"], dimensions: 1, truncate: false }),
        (service) =>
          service.embed({
            model: "all-minilm",
            input: ["a", "b"],
            dimensions: 1,
            providerOptions: { ollama: { truncate: false } }
          })
      ),
      same
    ))

  it.effect("for the list of models", () =>
    Effect.map(compare({ body: { models: [] } }, (client) => client.list(), (service) => service.listModels), same))

  const generated = { model: "m", response: "Hello", done: true, done_reason: "stop" }

  const asked: OllamaGenerateWire.Request = {
    model: "llama3.2",
    prompt: "Once",
    suffix: "end.",
    system: "Be brief.",
    images: ["aGk="],
    raw: true,
    format: { _tag: "Json" },
    think: "low",
    keepAlive: "5m",
    numCtx: 8192,
    maxTokens: 100,
    temperature: 0,
    stop: ["END"],
    seed: 1
  }

  const theirs = {
    model: "llama3.2",
    prompt: "Once",
    suffix: "end.",
    system: "Be brief.",
    images: ["aGk="],
    raw: true,
    format: "json",
    think: "low" as const,
    keep_alive: "5m",
    options: { num_ctx: 8192, num_predict: 100, temperature: 0, stop: ["END"], seed: 1 }
  }

  it.effect("for a text without a chat", () =>
    Effect.map(
      compare({ body: generated }, (client) => client.generate({ ...theirs, stream: false }), (_, own) =>
        own.generate(asked)),
      same
    ))

  it.effect("for a text in pieces", () =>
    Effect.map(
      compare(
        { body: ndjson(generated), headers: { "content-type": "application/x-ndjson" } },
        async (client) => {
          for await (const _ of await client.generate({ ...theirs, stream: true }));
        },
        (_, own) => Stream.runDrain(own.generateStream(asked))
      ),
      same
    ))

  const renamed = ([our, their]: readonly [any, any]) => {
    const { name, ...rest } = their
    assert.deepStrictEqual(our, { ...rest, model: name })
  }

  it.effect("for a model to pull", () =>
    Effect.map(
      compare(
        { body: ndjson({ status: "success" }), headers: { "content-type": "application/x-ndjson" } },
        async (client) => {
          for await (const _ of await client.pull({ model: "llama3.2", insecure: true, stream: true }));
        },
        (_, own) => Stream.runDrain(own.pull({ model: "llama3.2", insecure: true }))
      ),
      renamed
    ))

  it.effect("for a model to delete", () =>
    Effect.map(
      compare({ body: "" }, (client) => client.delete({ model: "llama3.2" }), (_, own) => own.remove("llama3.2")),
      renamed
    ))

  it.effect("for what there is to know of a model", () =>
    Effect.map(
      compare({ body: { details: {} } }, (client) => client.show({ model: "llama3.2" }), (_, own) =>
        own.show("llama3.2")),
      same
    ))

  it.effect("for the models in memory", () =>
    Effect.map(compare({ body: { models: [] } }, (client) => client.ps(), (_, own) => own.running), same))

  it.effect("for its version", () =>
    Effect.map(compare({ body: { version: "1" } }, (client) => client.version(), (_, own) => own.version), same))
})
