import { describe, expect, it } from "@effect/vitest"
import * as Prompt from "@spillway/core/Prompt"
import * as Either from "effect/Either"
import * as Asked from "../../src/bulk/Asked.js"

const read = (line: unknown, model?: string) => Asked.parse(JSON.stringify(line), 7, model)
const said = (line: unknown, model?: string) =>
  Either.match(read(line, model), { onLeft: ({ id, refusal }) => `${id}: ${refusal.message}`, onRight: () => "asked" })

describe("Asked", () => {
  it("a prompt asks the model that is given, under the number of its line", () => {
    expect(read({ prompt: "hi" }, "groq/llama")).toEqual(Either.right({
      id: "7",
      isBatch: false,
      question: { _tag: "Chat", request: { model: "groq/llama", prompt: [Prompt.user("hi")] } }
    }))
  })

  it("messages ask the model that they name, with every field of a chat", () => {
    const line = { id: 3, model: "openai/gpt-4o", messages: [{ role: "system", content: "be brief" }, { role: "user", content: "hi" }], max_tokens: 9 }
    expect(read(line, "groq/llama")).toEqual(Either.right({
      id: "3",
      isBatch: false,
      question: {
        _tag: "Chat",
        request: { model: "openai/gpt-4o", prompt: [Prompt.system("be brief"), Prompt.user("hi")], maxTokens: 9 }
      }
    }))
  })

  it("a line of a batch asks what its body says at its url", () => {
    const line = (url: string, body: object) => ({ custom_id: "c", method: "POST", url, body })
    expect(read(line("/v1/chat/completions", { model: "m", messages: [{ role: "user", content: "hi" }] }))).toEqual(
      Either.right({ id: "c", isBatch: true, question: { _tag: "Chat", request: { model: "m", prompt: [Prompt.user("hi")] } } })
    )
    expect(read(line("/v1/embeddings", { model: "m", input: "hi", encoding_format: "base64" }))).toEqual(
      Either.right({ id: "c", isBatch: true, question: { _tag: "Embed", request: { model: "m", input: ["hi"] }, base64: true } })
    )
  })

  it.each<[unknown, string]>([
    [[], "7: The line must be a JSON object"],
    [{ id: "x" }, "x: The line has neither a prompt, nor messages, nor a body"],
    [{ id: "x", prompt: 1 }, "x: prompt must be a text"],
    [{ id: true, prompt: "hi" }, "7: id must be a text, or a number"],
    [{ prompt: "hi", messages: [] }, "7: prompt is of no use beside messages"],
    [{ prompt: "hi" }, "7: model is missing"],
    [{ prompt: "hi", model: "m", api_key: "sk" }, "7: api_key is not a field of this API"],
    [{ prompt: "hi", model: "m", stream: true }, "7: stream is of no use here: answers are written whole"],
    [{ method: "POST", url: "/v1/embeddings", body: {} }, "7: custom_id must be a text"],
    [{ custom_id: "c", method: "GET", url: "/v1/embeddings", body: {} }, "c: method must be \"POST\""],
    [{ custom_id: "c", method: "POST", url: "toString", body: {} }, "c: url must be /v1/chat/completions or /v1/embeddings"],
    [{ custom_id: "c", method: "POST", url: "/v1/embeddings" }, "c: body must be an object"],
    [{ custom_id: "c", method: "POST", url: "/v1/embeddings", body: {}, priority: 1 }, "c: priority is not a field of a line of a batch"]
  ])("%j is refused: %s", (line, message) => {
    expect(said(line)).toBe(message)
  })

  it("what is no JSON is refused with the place, and never with what stands there", () => {
    const unclear = Either.flip(Asked.parse("{\"prompt\": secret}", 7, undefined))
    expect(unclear).toMatchObject({ right: { id: "7", refusal: { reason: "InvalidJson" } } })
    expect(JSON.stringify(unclear)).not.toContain("secret")
  })
})
