/** Servers that break off without a word, as a real one was seen to do it on its OpenAI-compatible routes (W-23). */
import { assert, describe, it } from "@effect/vitest"
import * as Completion from "@spillway/core/Completion"
import { Effect, Redacted, Stream } from "effect"
import * as OpenAi from "../src/OpenAi.js"
import { absent, examples } from "./examples.js"
import { fetching, through } from "./fetching.js"

const recorded = examples("ollama", String)
const apis = {
  live_v1_error_midstream_chat: "chat-completions",
  live_v1_responses_error_midstream: "responses"
} as const

if (recorded === undefined) {
  describe.skip(`a stream that stops in silence (${absent})`, () => {
    it("is not at hand", () => {})
  })
} else {
  describe("a stream that stops in silence", () => {
    for (const [name, api] of Object.entries(apis)) {
      it.effect(`is an interrupted stream, and what came is kept: ${name} (W-23)`, () =>
        Effect.gen(function*() {
          const { answer } = recorded.find((example) => example.name === name)!
          let text = ""
          const error = yield* through(
            fetching(() => answer).fetch,
            OpenAi.make({ apiKeys: [Redacted.make("sk-test")], api }),
            ({ llm }) =>
              llm.streamText({ model: "stories260k", prompt: "Once upon a time" }).pipe(
                Completion.textOf,
                Stream.runForEach((piece) => Effect.sync(() => void (text += piece))),
                Effect.flip
              )
          )
          assert.strictEqual(error._tag, "StreamInterrupted")
          assert.isAbove(text.length, 0)
        }))
    }
  })
}
