import { assert, describe, it } from "@effect/vitest"
import * as Completion from "@spillway/core/Completion"
import * as Opea from "@spillway/providers/Opea"
import * as Effect from "effect/Effect"
import { absent, examples } from "./examples.js"
import { fetching, through } from "./fetching.js"

// nothing of OPEA's was recorded as pieces
const recorded = examples("opea", String)

const llm = Effect.map(Opea.make(), ({ llm }) => llm)

/** The other recordings are of servers behind OPEA, which the modules Tei and Tgi speak to. */
const others = ["rerank_tei", "tgi_generate"]

if (recorded === undefined) {
  describe.skip(`OPEA's recorded answers (${absent})`, () => {
    it("are read", () => {})
  })
} else {
  describe("OPEA's recorded answers", () => {
    const own = recorded.filter(({ name }) => !others.includes(name))

    it("are one stream", () => {
      assert.deepStrictEqual(own.map(({ name }) => name), ["chatqna_stream"])
    })

    for (const { answer, name, request } of own) {
      it.effect(`${name} reads as the text that it is (W-34)`, () =>
        through(fetching(() => answer).fetch, llm, (service) =>
          Effect.map(
            Completion.collect(service.streamText({ model: "asked", prompt: "hi" })),
            ({ finishReason, text, usage }) => {
              assert.strictEqual(
                text,
                "\nAnswer: In fiscal 2023, NIKE, Inc. achieved record Revenues of $51.2 billion."
              )
              assert.deepStrictEqual([finishReason, usage], ["stop", {}])
            }
          )))

      it.effect(`${name} answers what we send`, () => {
        const { fetch, sent } = fetching(() => answer)
        const { messages, model } = request?.body ?? {}
        return through(fetch, llm, (service) =>
          Effect.map(Completion.collect(service.streamText({ model, prompt: messages })), () => {
            assert.isTrue(request!.uri.endsWith(`:8888${sent[0]!.path}`))
            assert.deepStrictEqual(sent[0]!.body, { ...request!.body, stream: true })
          }))
      })
    }
  })
}
