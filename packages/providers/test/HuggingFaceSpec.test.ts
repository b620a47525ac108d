/** Whatever we send to TGI and to TEI is what their own descriptions say that they take. */
import { assert, describe, it } from "@effect/vitest"
import type * as Completion from "@spillway/core/Completion"
import * as Prompt from "@spillway/core/Prompt"
import * as Tool from "@spillway/core/Tool"
import * as Tei from "@spillway/providers/Tei"
import * as Tgi from "@spillway/providers/Tgi"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { fetching, through } from "./fetching.js"
import { absent, spec } from "./spec.js"

const tgi = spec("tgi/openapi.json")
const tei = spec("tei/openapi.json")

const weather = Tool.make("get_weather", {
  description: "The weather in a city, now",
  parameters: Schema.Struct({ city: Schema.String })
})

const chat: Completion.Request = {
  model: "tgi",
  prompt: [
    Prompt.system("Be brief."),
    Prompt.user([Prompt.text("What is this?"), Prompt.image("aGk=", "image/png")]),
    Prompt.assistant([
      Prompt.text("Let me look."),
      { _tag: "ToolCall", id: "0", name: "get_weather", arguments: "{\"city\":\"Oslo\"}" }
    ]),
    Prompt.tool([{ _tag: "ToolResult", id: "0", name: "get_weather", result: "3 °C" }]),
    Prompt.assistant("It is cold."),
    Prompt.user("And now?")
  ],
  maxTokens: 100,
  temperature: 0,
  topP: 0.5,
  topK: 3,
  stop: ["END"],
  seed: 1,
  presencePenalty: 0.1,
  frequencyPenalty: 0.2,
  parallelToolCalls: true,
  reasoning: { effort: "low" },
  user: "someone"
}

const generate = {
  prompt: "x",
  maxNewTokens: 20,
  doSample: true,
  temperature: 0.5,
  topK: 10,
  topP: 0.9,
  typicalP: 0.8,
  repetitionPenalty: 1.1,
  frequencyPenalty: 0.1,
  stop: ["END"],
  seed: 7,
  grammar: { _tag: "Json", schema: { type: "object", properties: {} } },
  adapterId: "org/lora",
  truncate: 100,
  returnFullText: false,
  watermark: true,
  topNTokens: 5,
  bestOf: 2,
  prefill: true
} as const

/** What is asked; the answers are of no interest, and none of them is one. */
const sentBy = <B>(backend: Effect.Effect<B, unknown, any>, ask: (backend: B) => ReadonlyArray<Effect.Effect<unknown, unknown>>) => {
  const { fetch, sent } = fetching(() => ({ body: {} }))
  return Effect.as(
    through(fetch, backend, (backend) => Effect.forEach(ask(backend), Effect.exit, { discard: true })),
    sent
  )
}

describe.skipIf(tgi === undefined)(`Tgi${tgi === undefined ? ` (${absent})` : ""}`, () => {
  it.effect("sends what the server's description takes", () =>
    Effect.map(
      sentBy(Tgi.make(), ({ llm, tgi }) => [
        llm.generateText(chat),
        Stream.runDrain(llm.streamText(chat)),
        ...(["auto", "none", "required", { tool: "get_weather" }] as const).map((toolChoice) =>
          llm.generateText({ ...chat, tools: [weather], toolChoice, providerOptions: { tgi: { toolPrompt: "Choose:" } } })
        ),
        llm.generateText({ ...chat, format: { _tag: "JsonSchema", name: "x", schema: { type: "object", properties: {} } } }),
        llm.generateText({ ...chat, providerOptions: { tgi: { regex: "\\d+" } } }),
        tgi.generate(generate),
        Stream.runDrain(tgi.generateStream(generate)),
        tgi.generate({ prompt: "x" }),
        tgi.tokenize("x"),
        tgi.chatTokenize(chat)
      ]),
      (sent) => {
        assert.strictEqual(sent.length, 13)
        for (const { body, method, path } of sent) {
          // the description has the word in which a tool is told to the model; requests are written, and read, with OpenAI's
          const described = {
            ...body,
            ...(body.tools && {
              tools: body.tools.map((tool: any) => {
                const { parameters, ...rest } = tool.function
                return { ...tool, function: { ...rest, arguments: parameters } }
              })
            })
          }
          assert.deepStrictEqual(tgi!.request(method, path)(described), [], `${method} ${path}`)
        }
      }
    ))
})

const own = { truncate: true, truncationDirection: "left", promptName: "query" } as const

describe.skipIf(tei === undefined)(`Tei${tei === undefined ? ` (${absent})` : ""}`, () => {
  it.effect("sends what the server's description takes", () =>
    Effect.map(
      Effect.zipWith(
        sentBy(Tei.make({ maxBatchSize: 2 }), ({ llm, tei }) => [
          llm.embed({ model: "m", input: ["a"] }),
          llm.embed({
            model: "m",
            input: ["a", "b", "c"],
            dimensions: 3,
            user: "someone",
            providerOptions: { tei: { ...own, normalize: false } }
          }),
          llm.rerank({ model: "m", query: "q", documents: ["a", "b"], topN: 1 }),
          llm.rerank({
            model: "m",
            query: "q",
            documents: ["a"],
            providerOptions: { tei: { truncate: false, truncationDirection: "right", rawScores: true } }
          }),
          tei.embedAll({ input: ["a", "b"], ...own }),
          tei.embedSparse({ input: ["a"] }),
          tei.predict({ input: ["a", ["a", "b"]], truncate: true, rawScores: true }),
          tei.similarity({ source: "a", sentences: ["b"] }),
          tei.similarity({ source: "a", sentences: ["b"], ...own }),
          tei.tokenize({ input: ["a", "b"], addSpecialTokens: false, promptName: "query" }),
          tei.decode({ ids: [[1, 2], [3]], skipSpecialTokens: false })
        ]),
        sentBy(Tei.make({ embedRoute: "/v1/embeddings" }), ({ llm }) => [
          llm.embed({ model: "m", input: ["a"], dimensions: 3, user: "someone" })
        ]),
        (one, other) => [...one, ...other]
      ),
      (sent) => {
        assert.deepStrictEqual([...new Set(sent.map(({ path }) => path))].toSorted(), [
          "/decode",
          "/embed",
          "/embed_all",
          "/embed_sparse",
          "/predict",
          "/rerank",
          "/similarity",
          "/tokenize",
          "/v1/embeddings"
        ])
        for (const { body, method, path } of sent) {
          assert.deepStrictEqual(tei!.request(method, path)(body), [], `${method} ${path}`)
        }
      }
    ))
})
