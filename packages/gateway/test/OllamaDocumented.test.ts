/**
 * Every field that Ollama documents, of the requests that the gateway takes in its words, is honoured, or refused by its
 * name, and never dropped. What may be said and changes nothing is listed one by one: it asks for what is done anyway, or
 * says how tokens are drawn where none are.
 */
import { assert, describe, it } from "@effect/vitest"
import * as OllamaInbound from "@spillway/gateway/OllamaInbound"
import type { Refusal } from "@spillway/gateway/Refusal"
import type { Either } from "effect"
import { absent } from "../../providers/test/spec.js"
import { ollama, walk } from "./documented.js"

const holds = (
  schema: string,
  read: (body: unknown) => Either.Either<unknown, Refusal>,
  base: Readonly<Record<string, unknown>>,
  expected: { readonly honoured: ReadonlyArray<string>; readonly without: ReadonlyArray<string | RegExp> }
) =>
  it.skipIf(ollama === undefined)(`of ${schema} is honoured or refused`, () => {
    const { honoured, without, wrong } = walk(schema, {
      base,
      before: { messages: [{ role: "user", content: "hi" }] },
      values: { images: ["iVBORw0KGgo="], parameters: { type: "object" } }
    }, read, ollama)
    assert.deepStrictEqual(wrong, [])
    assert.deepStrictEqual([...honoured].sort(), [...expected.honoured].sort())
    const unexpected = [...without].filter((said) =>
      !expected.without.some((known) => typeof known === "string" ? known === said : known.test(said))
    )
    assert.deepStrictEqual(unexpected, [])
  })

const text = {
  honoured: [
    "format",
    "keep_alive",
    "options.num_ctx",
    "options.num_predict",
    "options.seed",
    "options.stop",
    "options.stop[0]",
    "options.temperature",
    "options.top_k",
    "options.top_p",
    "stream",
    "think"
  ],
  without: ["logprobs = false", "options = {}", "options.top_k = 0", "stream = true", "top_logprobs = 0"]
}

describe(`every field that Ollama documents${ollama === undefined ? ` (${absent})` : ""}`, () => {
  holds("ChatRequest", OllamaInbound.toChat, { model: "a/b", messages: [{ role: "user", content: "hi" }] }, {
    honoured: [...text.honoured, "tools[0]", "tools[0].function.description"],
    without: text.without
  })
  holds("GenerateRequest", OllamaInbound.toGenerate, { model: "a/b", prompt: "hi" }, {
    honoured: [...text.honoured, "system"],
    without: [...text.without, "raw = false"]
  })
  holds("EmbedRequest", OllamaInbound.toEmbed, { model: "a/b", input: "hi" }, {
    honoured: ["dimensions", "keep_alive", "truncate"],
    without: [/^options\b/]
  })
  holds("ShowRequest", OllamaInbound.toShow, { model: "a/b" }, { honoured: [], without: [/^verbose/] })
})
