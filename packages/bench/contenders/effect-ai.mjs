/** Effect's own package for language models, over undici, with the schedule that its users write. */
import * as LanguageModel from "@effect/ai/LanguageModel"
import * as OpenAiClient from "@effect/ai-openai/OpenAiClient"
import * as OpenAiLanguageModel from "@effect/ai-openai/OpenAiLanguageModel"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"

/** @param {import("../harness.mjs").Setup} setup */
export const setup = async ({ baseURL, keys, model = "bench" }) => {
  const client = OpenAiClient.layer({ apiUrl: baseURL, apiKey: Redacted.make(keys[0] ?? "") })
  const runtime = ManagedRuntime.make(
    OpenAiLanguageModel.layer({ model }).pipe(Layer.provide(client), Layer.provide(NodeHttpClient.layerUndici))
  )
  const again = Schedule.jittered(Schedule.intersect(Schedule.exponential("1 second"), Schedule.recurs(5)))
  return {
    chat: () =>
      runtime.runPromise(
        LanguageModel.generateText({ prompt: "hello" }).pipe(Effect.retry(again), Effect.map(({ text }) => text))
      ),
    stream: (/** @type {(delta: string) => void} */ onDelta) =>
      runtime.runPromise(Stream.runForEach(LanguageModel.streamText({ prompt: "hello" }), (part) =>
        Effect.sync(() => {
          if (part.type === "text-delta") onDelta(part.delta)
        }))),
    embed: async () => [],
    close: () => runtime.dispose()
  }
}
