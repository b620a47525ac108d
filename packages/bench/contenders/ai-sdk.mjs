/** The AI SDK over its provider for whatever speaks OpenAI's wire, retrying twice as it does by itself. */
import { createOpenAICompatible } from "@ai-sdk/openai-compatible"
import { embedMany, generateText, streamText } from "ai"

/** @param {import("../harness.mjs").Setup} setup */
export const setup = async ({ baseURL, keys, model = "bench" }) => {
  const provider = createOpenAICompatible({ name: "bench", baseURL, apiKey: keys[0] ?? "" })
  return {
    chat: async () => (await generateText({ model: provider(model), prompt: "hello" })).text,
    stream: async (/** @type {(delta: string) => void} */ onDelta) => {
      for await (const delta of streamText({ model: provider(model), prompt: "hello" }).textStream) onDelta(delta)
    },
    embed: async (/** @type {ReadonlyArray<string>} */ values) =>
      (await embedMany({ model: provider.textEmbeddingModel(model), values: [...values] })).embeddings,
    close: async () => {}
  }
}
