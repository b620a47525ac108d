/** OpenAI's own client, retrying twice as it does by itself. */
import OpenAI from "openai"

/** @param {import("../harness.mjs").Setup} setup */
export const setup = async ({ baseURL, keys, model = "bench" }) => {
  const client = new OpenAI({ baseURL, apiKey: keys[0] })
  const messages = [{ role: /** @type {const} */ ("user"), content: "hello" }]
  return {
    chat: async () => (await client.chat.completions.create({ model, messages })).choices[0]?.message.content ?? "",
    stream: async (/** @type {(delta: string) => void} */ onDelta) => {
      for await (const chunk of await client.chat.completions.create({ model, messages, stream: true })) {
        const delta = chunk.choices[0]?.delta.content
        if (delta) onDelta(delta)
      }
    },
    embed: async (/** @type {ReadonlyArray<string>} */ input) =>
      (await client.embeddings.create({ model, input: [...input], encoding_format: "float" })).data.map(({ embedding }) => embedding),
    close: async () => {}
  }
}
