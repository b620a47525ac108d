import { assert, describe, it } from "@effect/vitest"
import * as OpenAiEmbeddings from "@spillway/gateway/OpenAiEmbeddings"
import { Either } from "effect"

// as it comes over the wire: what is undefined is not there
const wire = (body: object): unknown => JSON.parse(JSON.stringify(body))

describe("texts to embed", () => {
  const embed = (fields: object) => OpenAiEmbeddings.toEmbed(wire({ model: "openai/small", input: "a", ...fields }))

  it("are one or many", () => {
    assert.deepStrictEqual(
      embed({}),
      Either.right({ request: { model: "openai/small", input: ["a"] }, base64: false })
    )
    assert.deepStrictEqual(
      embed({ input: ["a", "b"], dimensions: 256, user: "u", encoding_format: "base64" }),
      Either.right({
        request: { model: "openai/small", input: ["a", "b"], dimensions: 256, user: "u" },
        base64: true
      })
    )
    assert.deepStrictEqual(Either.map(embed({ encoding_format: "float" }), ({ base64 }) => base64), Either.right(false))
  })

  it("are no tokens", () => {
    for (
      const [fields, field] of [
        [{ input: [1, 2, 3] }, "input"],
        [{ input: [[1, 2], [3]] }, "input"],
        [{ input: [] }, "input"],
        [{ input: undefined }, "input"],
        [{ encoding_format: "int8" }, "encoding_format"],
        [{ dimensions: 0 }, "dimensions"],
        [{ api_key: "x" }, "api_key"]
      ] as const
    ) assert.include(Either.getOrThrow(Either.flip(embed(fields))).field, field)
    assert.include(
      Either.getOrThrow(Either.flip(embed({ input: [1, 2, 3] }))).message,
      "tokens are not taken"
    )
  })
})
