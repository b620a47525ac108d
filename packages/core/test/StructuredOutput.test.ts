import { assert, describe, it } from "@effect/vitest"
import { Completion, LlmService, Prompt, StructuredOutput } from "@spillway/core"
import { ScriptedLlm } from "@spillway/testing"
import { Effect, Schema } from "effect"

class Person extends Schema.Class<Person>("Person")({
  name: Schema.String,
  born: Schema.Struct({ year: Schema.NumberFromString })
}) {}

const request = { model: "parrot", prompt: "the prompt: who?" }
const good = `{ "name": "Ada", "born": { "year": "1815" } }`

const ask = <A, I>(schema: Schema.Schema<A, I>, ...script: ReadonlyArray<ScriptedLlm.Step>) =>
  LlmService.generateObject(request, schema).pipe(Effect.provide(ScriptedLlm.layer(...script)))

describe("LlmService.generateObject", () => {
  it.effect("asks for JSON by the schema, and decodes the answer", () =>
    Effect.gen(function*() {
      const llm = yield* ScriptedLlm.make(good)
      const { completion, value } = yield* LlmService.generateObject(Person)(request).pipe(
        Effect.provideService(LlmService.LlmService, llm)
      )
      assert.instanceOf(value, Person)
      assert.strictEqual(value.born.year, 1815)
      assert.strictEqual(completion.text, good)
      const [asked] = yield* llm.requests
      assert.deepStrictEqual(asked?.operation === "generateText" && asked.request, {
        ...request,
        format: {
          _tag: "JsonSchema",
          name: "Person",
          strict: true,
          schema: {
            type: "object",
            required: ["name", "born"],
            properties: {
              name: { type: "string" },
              born: {
                type: "object",
                required: ["year"],
                properties: { year: { $ref: "#/$defs/NumberFromString" } },
                additionalProperties: false
              }
            },
            additionalProperties: false,
            $defs: { NumberFromString: { type: "string", description: "a string to be decoded into a number" } }
          }
        }
      })
    }))

  it.effect("reads an answer between code fences", () =>
    Effect.gen(function*() {
      for (const fenced of ["```json\n" + good + "\n```", "\n```\n" + good + "```\n", "```JSON\r\n" + good + "\r\n``` "]) {
        assert.strictEqual((yield* ask(Person, fenced)).value.name, "Ada")
      }
      const code = "```js\n1\n```"
      assert.strictEqual((yield* ask(Schema.Struct({ code: Schema.String }), JSON.stringify({ code }))).value.code, code)
    }))

  it.effect("asks for what is no object as the field of one", () =>
    Effect.gen(function*() {
      const llm = yield* ScriptedLlm.make(`{ "value": ["1", "2"] }`, `{ "value": "b" }`)
      const numbers = yield* LlmService.generateObject(request, Schema.Array(Schema.NumberFromString)).pipe(
        Effect.provideService(LlmService.LlmService, llm)
      )
      assert.deepStrictEqual(numbers.value, [1, 2])
      const [asked] = yield* llm.requests
      const format = asked?.operation === "generateText" ? asked.request.format : undefined
      assert.strictEqual(format?._tag === "JsonSchema" && format.name, "answer")
      assert.strictEqual(format?._tag === "JsonSchema" && format.schema["type"], "object")
      const letter = yield* LlmService.generateObject(request, Schema.Literal("a", "b")).pipe(
        Effect.provideService(LlmService.LlmService, llm)
      )
      assert.strictEqual(letter.value, "b")
    }))

  it.effect("keeps an answer that does not decode, and says where it is wrong but not what stood there", () =>
    Effect.gen(function*() {
      for (
        const [text, problem] of [
          [`{ "name": "Ada", "born": {} }`, "born.year: is missing"],
          [`{ "name": 36666, "born": { "year": "1815" } }`, "name: expected string"],
          [`{ "name": "Ada", "born": { "year": "secret" } }`, "born.year: expected NumberFromString"],
          [`"secret"`, "expected Person (Encoded side)"],
          [`Certainly! It was Ada.`, "is not JSON"],
          [" ", "is empty"]
        ] as const
      ) {
        const error = yield* Effect.flip(ask(Person, text))
        assert.strictEqual(error._tag, "InvalidOutput")
        assert.strictEqual(error.message, `the answer does not decode: ${problem}`)
        assert.strictEqual(error._tag === "InvalidOutput" && error.text, text)
        assert.strictEqual(error.backend, "scripted")
        assert.strictEqual(error.model, "parrot")
      }
    }))

  it.effect("repeats nothing of the answer, whatever the schema would say", () =>
    Effect.gen(function*() {
      const secret = "hush"
      const Word = Schema.String.pipe(Schema.filter((text) => text === "word" || `not ${text}`))
      for (
        const [schema, value] of [
          [Word, secret],
          [Schema.Literal("a", "b"), secret],
          [Schema.Union(Schema.Number, Schema.Struct({ a: Schema.String })), { a: 1, b: secret }],
          [Schema.Union(Schema.Number, Schema.Boolean), secret],
          [Schema.Date, secret],
          [Schema.Array(Schema.Int), [1, secret]],
          [Schema.Tuple(Schema.String), [1, secret]],
          [Schema.UUID, secret],
          [Schema.String.annotations({ message: (issue) => `not ${String(issue.actual)}` }), 1234567]
        ] as ReadonlyArray<[Schema.Schema<unknown>, unknown]>
      ) {
        const error = yield* Effect.flip(ask(schema, JSON.stringify({ value })))
        assert.match(error.message, /^the answer does not decode: value.*(expected|unexpected)/)
        assert.notMatch(error.message, /hush|1234567/)
      }
    }))

  it.effect("names the place in an array", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(ask(Schema.Array(Person), `{ "value": [${good}, { "name": "Bob", "born": {} }] }`))
      assert.strictEqual(error.message, "the answer does not decode: value[1].born.year: is missing")
    }))

  it.effect("says when the answer was cut off", () =>
    Effect.gen(function*() {
      const cut = { content: [Prompt.text(good.slice(0, 20))], finishReason: "length" } as const
      const error = yield* Effect.flip(ask(Person, cut))
      assert.strictEqual(
        error.message,
        "the answer does not decode: is not JSON (it was cut off at the token limit)"
      )
    }))

  it.effect("says when the model called a tool instead", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(ask(Person, ScriptedLlm.toolCall("search", {})))
      assert.strictEqual(error.message, "the answer does not decode: is empty (the model called a tool instead)")
    }))
})

describe("StructuredOutput", () => {
  it("holds the backend to the schema only where the schema is one that backends take as it is", () => {
    const strict = <A, I>(schema: Schema.Schema<A, I>) => {
      const format = StructuredOutput.toFormat(schema)
      return format._tag === "JsonSchema" && format.strict === true
    }
    assert.isTrue(strict(Schema.Struct({ a: Schema.NullOr(Schema.Literal("x", "y")), b: Schema.Array(Schema.Boolean) })))
    assert.isTrue(strict(Schema.Struct({ properties: Schema.String, minLength: Schema.String })))
    assert.isFalse(strict(Schema.Struct({ a: Schema.optional(Schema.String) })))
    assert.isFalse(strict(Schema.Struct({ a: Schema.Struct({ b: Schema.optional(Schema.String) }) })))
    assert.isFalse(strict(Schema.Struct({ a: Schema.NonEmptyString })))
    assert.isFalse(strict(Schema.Record({ key: Schema.String, value: Schema.Number })))
    assert.isFalse(strict(Schema.Struct({ a: Schema.Array(Schema.Record({ key: Schema.String, value: Schema.Number })) })))
  })

  it("gives a name that backends take", () => {
    const name = (identifier: string) => {
      const format = StructuredOutput.toFormat(Schema.Struct({}).annotations({ identifier }))
      return format._tag === "JsonSchema" && format.name
    }
    assert.strictEqual(name("my/Person (v2)"), "my_Person__v2_")
    assert.strictEqual(name("x".repeat(80)), "x".repeat(64))
  })

  it.effect("decodes an answer that was streamed", () =>
    Effect.gen(function*() {
      const llm = yield* ScriptedLlm.make(good)
      const completion = yield* Completion.collect(
        llm.streamText({ ...request, format: StructuredOutput.toFormat(Person) })
      )
      const person = yield* StructuredOutput.decode(completion, Person, llm.backend)
      assert.strictEqual(person.name, "Ada")
    }))
})
