/** What is sent, held against Ollama's own description of its API. */
import { assert, describe, it } from "@effect/vitest"
import * as Completion from "@spillway/core/Completion"
import * as Prompt from "@spillway/core/Prompt"
import * as Ollama from "@spillway/providers/Ollama"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { fetching, through } from "./fetching.js"
import { absent, spec } from "./spec.js"

const described = spec("ollama/openapi.yaml")

const sampling = {
  maxTokens: 9,
  temperature: 0,
  topP: 0.5,
  topK: 3,
  seed: 1,
  stop: ["END"],
  presencePenalty: 1,
  frequencyPenalty: -1
}

const chat: Completion.Request = {
  ...sampling,
  model: "llama3.2",
  prompt: [
    Prompt.system("Be brief."),
    Prompt.user([Prompt.text("What is this?"), Prompt.image("aGk=", "image/png")]),
    Prompt.assistant([
      { _tag: "Reasoning", text: "Hm." },
      { _tag: "ToolCall", id: "call_1", name: "f", arguments: "{\"a\":1}" }
    ]),
    Prompt.tool([{ _tag: "ToolResult", id: "call_1", name: "f", result: "3" }])
  ],
  tools: [{ name: "f", description: "d", parameters: { type: "object", properties: {} } }],
  format: { _tag: "JsonSchema", name: "n", schema: { type: "object" } },
  reasoning: { effort: "high" },
  providerOptions: { ollama: { numCtx: 8192, keepAlive: "5m" } }
}

const text = { ...sampling, model: "m", prompt: "Once", suffix: "end", system: "s", images: ["aGk="], raw: true,
  think: "max", numCtx: 1, keepAlive: 0, format: { _tag: "Json" } } as const

const bodies = {
  "/api/chat": "post",
  "/api/embed": "post",
  "/api/generate": "post",
  "/api/show": "post",
  "/api/pull": "post",
  "/api/delete": "delete"
} as const

if (described === undefined) {
  describe.skip(`what is sent to Ollama (${absent})`, () => {
    it("is as described", () => {})
  })
} else {
  describe("what is sent to Ollama is as it describes it", () => {
    it.effect("whatever is asked", () => {
      const { fetch, sent } = fetching(() => ({ status: 500, body: { error: "no" } }))
      return through(fetch, Ollama.make(), ({ llm, ollama }) =>
        Effect.gen(function*() {
          yield* Effect.exit(llm.generateText(chat))
          yield* Effect.exit(llm.generateText({ model: "m", prompt: "hi" }))
          yield* Effect.exit(Completion.collect(llm.streamText(chat)))
          yield* Effect.exit(llm.embed({
            model: "m",
            input: ["a"],
            dimensions: 3,
            providerOptions: { ollama: { truncate: false, keepAlive: -1 } }
          }))
          yield* Effect.exit(ollama.generate(text))
          yield* Effect.exit(ollama.generate({ model: "m", keepAlive: 0 }))
          yield* Effect.exit(Stream.runDrain(ollama.generateStream(text)))
          yield* Effect.exit(ollama.show("m"))
          yield* Effect.exit(Stream.runDrain(ollama.pull({ model: "m", insecure: true })))
          yield* Effect.exit(ollama.remove("m"))
          assert.strictEqual(sent.length, 10)
          const asked = new Set<string>()
          for (const { body, method, path } of sent) {
            const known = bodies[path as keyof typeof bodies]
            assert.strictEqual(method.toLowerCase(), known)
            assert.deepStrictEqual(described.request(known, path)(body), [], path)
            asked.add(path)
          }
          assert.deepStrictEqual(asked, new Set(Object.keys(bodies)))
        }))
    })

    it("and the description tells wrong from right", () => {
      for (const [path, method] of Object.entries(bodies)) {
        assert.notDeepEqual(described.request(method, path)({ model: 3 }), [], path)
      }
    })
  })
}
