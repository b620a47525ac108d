import { assert, describe, it } from "@effect/vitest"
import * as Completion from "@spillway/core/Completion"
import type * as LlmError from "@spillway/core/LlmError"
import * as Ovms from "@spillway/providers/Ovms"
import * as Effect from "effect/Effect"
import { absent, type Example, examples, ndjson } from "./examples.js"
import { fetching, through } from "./fetching.js"
import { spec } from "./spec.js"

// some tell a status in words: the number that these begin with
const recorded = examples("ovms", ndjson)?.map((example) => {
  const status = Number.parseInt(String(example.status), 10)
  return { ...example, answer: { ...example.answer, status: Number.isNaN(status) ? 500 : status } }
})

const reading = <A, E>({ answer }: Example, program: (backend: Ovms.Backend) => Effect.Effect<A, E>) =>
  through(fetching(() => answer).fetch, Ovms.make(), program)

const request = { model: "asked", prompt: "hi" }

type Ask = (backend: Ovms.Backend) => Effect.Effect<unknown, LlmError.LlmError>

const errors: { readonly [name: string]: readonly [Ask, LlmError.Tag] } = {
  error_config_reload: [({ ovms }) => ovms.reload, "ServerFault"],
  error_model_not_found_v3: [({ llm }) => llm.generateText(request), "ModelNotFound"],
  error_v3_bad_parameter: [({ llm }) => llm.generateText(request), "InvalidRequest"]
}

const readers: { readonly [name: string]: (example: Example) => Effect.Effect<void, unknown> } = {
  chat: (example) =>
    reading(example, ({ llm }) =>
      Effect.map(llm.generateText(request), (completion) => {
        const { choices: [{ message }], model } = example.body
        assert.strictEqual(completion.text, message.content)
        assert.strictEqual(completion.model, model)
        assert.isUndefined(completion.id)
        assert.strictEqual(completion.finishReason, "stop")
        assert.deepStrictEqual(completion.usage, { inputTokens: 22, outputTokens: 38 })
      })),
  chat_stream: (example) =>
    reading(example, ({ llm }) =>
      Effect.map(Completion.collect(llm.streamText(request)), (completion) => {
        assert.deepStrictEqual(completion.content, [
          { _tag: "Reasoning", text: "Reasoning..." },
          { _tag: "Text", text: "Hello!" }
        ])
        assert.strictEqual(completion.finishReason, "stop")
      })),
  kfs_health_ready: (example) =>
    reading(example, ({ llm, ovms }) =>
      Effect.flatMap(ovms.ready, (ready) => {
        assert.isTrue(ready)
        return llm.health
      })),
  kfs_model_metadata: (example) =>
    reading(example, ({ ovms }) =>
      Effect.map(ovms.metadata({ model: "resnet" }), (metadata) => assert.deepStrictEqual(metadata, example.body))),
  kfs_server_metadata: (example) =>
    reading(example, ({ ovms }) =>
      Effect.map(ovms.server, (metadata) => assert.deepStrictEqual(metadata, { ...example.body, extensions: [] }))),
  rerank: (example) =>
    reading(example, ({ llm }) => {
      const { documents, model, query } = example.request!.body
      return Effect.map(llm.rerank({ model, query, documents }), ({ results }) =>
        assert.deepStrictEqual(
          results.map(({ index, score }) => ({ index, relevance_score: score })),
          example.body.results
        ))
    }),
  tokenize: (example) =>
    reading(example, ({ ovms }) => {
      const { model, text } = example.request!.body
      return Effect.map(ovms.tokenize({ model, texts: [text] }), (tokens) =>
        assert.deepStrictEqual(tokens, [example.body.tokens]))
    })
}

/** What no operation of ours asks for. */
const unread = new Set(["responses", "transcription_stream"])

if (recorded === undefined) {
  describe.skip(`OpenVINO Model Server's answers (${absent})`, () => {
    it("are read", () => {})
  })
} else {
  describe("OpenVINO Model Server's answers, as its documents and its tests have them", () => {
    for (const example of recorded) {
      const { name } = example
      const error = errors[name]
      if (error !== undefined) {
        const [ask, tag] = error
        it.effect(`${name} is ${tag} (W-33)`, () =>
          reading(example, (backend) =>
            Effect.map(Effect.flip(ask(backend)), (error) => {
              assert.strictEqual(error._tag, tag)
              const said: string = example.body.error ?? JSON.parse(example.body).error
              assert.include(error.message, said.split("\n")[0]!.trim())
            })))
      } else if (!unread.has(name)) {
        it.effect(`${name} reads as what it says`, () => readers[name]!(example))
      }
    }

    const kserve = spec("kserve/open_inference_rest.yaml")

    it("are described by KServe, where they are its own", () => {
      const answers: ReadonlyArray<readonly [string, string]> = [
        ["kfs_model_metadata", "/v2/models/${MODEL_NAME}/versions/${MODEL_VERSION}"]
      ]
      for (const [name, path] of answers) {
        const { body } = recorded.find((example) => example.name === name)!
        assert.deepStrictEqual(kserve!.response("get", path, 200)(body), [])
      }
    })
  })
}
