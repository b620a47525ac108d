/** The floor: undici's `request()` and one `JSON.parse`, with nothing around them. */
import { Agent, request } from "undici"

/** @param {import("../harness.mjs").Setup} setup */
export const setup = async ({ baseURL, keys, model = "bench" }) => {
  const dispatcher = new Agent({ connections: 512 })
  const headers = { "content-type": "application/json", authorization: `Bearer ${keys[0]}` }
  const ask = (/** @type {string} */ path, /** @type {object} */ body) =>
    request(baseURL + path, { dispatcher, method: "POST", headers, body: JSON.stringify({ model, ...body }) })
  const messages = [{ role: "user", content: "hello" }]
  return {
    chat: async () => {
      const { body } = await ask("/chat/completions", { messages })
      return JSON.parse(await body.text()).choices[0].message.content
    },
    stream: async (/** @type {(delta: string) => void} */ onDelta) => {
      const { body } = await ask("/chat/completions", { messages, stream: true })
      const decoder = new TextDecoder()
      let rest = ""
      for await (const piece of body) {
        const lines = (rest + decoder.decode(piece, { stream: true })).split("\n")
        rest = lines.pop() ?? ""
        for (const line of lines) {
          if (!line.startsWith("data: ") || line === "data: [DONE]") continue
          const delta = JSON.parse(line.slice(6)).choices[0].delta.content
          if (delta) onDelta(delta)
        }
      }
    },
    embed: async (/** @type {ReadonlyArray<string>} */ input) => {
      const { body } = await ask("/embeddings", { input })
      return JSON.parse(await body.text()).data.map((/** @type {{ embedding: Array<number> }} */ { embedding }) => embedding)
    },
    close: () => dispatcher.close()
  }
}
