/** LangChain's client for OpenAI, retrying as it does by itself. */
import { ChatOpenAI, OpenAIEmbeddings } from "@langchain/openai"

/** @param {import("../harness.mjs").Setup} setup */
export const setup = async ({ baseURL, keys, model = "bench" }) => {
  const settings = { model, apiKey: keys[0] ?? "", configuration: { baseURL } }
  const client = new ChatOpenAI(settings)
  const embeddings = new OpenAIEmbeddings(settings)
  return {
    chat: async () => String((await client.invoke("hello")).content),
    stream: async (/** @type {(delta: string) => void} */ onDelta) => {
      for await (const chunk of await client.stream("hello")) {
        if (chunk.content !== "") onDelta(String(chunk.content))
      }
    },
    embed: async (/** @type {ReadonlyArray<string>} */ texts) => embeddings.embedDocuments([...texts]),
    close: async () => {}
  }
}
