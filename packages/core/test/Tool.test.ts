import { assert, describe, it } from "@effect/vitest"
import { Tool } from "@spillway/core"
import { Effect, Schema } from "effect"

class Place extends Schema.Class<Place>("Place")({ city: Schema.String, days: Schema.optional(Schema.Int) }) {}

describe("Tool", () => {
  it("says what it takes as JSON Schema", () => {
    const tool = Tool.make("weather", {
      description: "The weather",
      parameters: Schema.Struct({ city: Schema.String.annotations({ description: "A city" }) }),
      strict: true
    })
    const { schema: _, ...definition } = tool
    assert.deepStrictEqual(definition, {
      name: "weather",
      description: "The weather",
      strict: true,
      parameters: {
        type: "object",
        required: ["city"],
        properties: { city: { type: "string", description: "A city" } },
        additionalProperties: false
      }
    })
  })

  it("has no fields as an object without fields", () => {
    const empty = { type: "object", properties: {}, required: [], additionalProperties: false }
    assert.deepStrictEqual(Tool.make("clock", { parameters: Schema.Struct({}) }).parameters, empty)
    assert.deepStrictEqual(Tool.toJsonSchema(Schema.Struct({ a: Schema.Struct({}), b: Schema.Unknown, $id: Schema.String })), {
      type: "object",
      required: ["a", "b", "$id"],
      properties: { a: empty, b: { title: "unknown" }, $id: { type: "string" } },
      additionalProperties: false
    })
  })

  it("resolves a reference at the top, and keeps those that are needed", () => {
    const place = {
      type: "object",
      required: ["city"],
      properties: { city: { type: "string" }, days: { $ref: "#/$defs/Int" } },
      additionalProperties: false,
      $defs: { Int: { type: "integer", description: "an integer", title: "int" } }
    }
    assert.deepStrictEqual(Tool.toJsonSchema(Place), place)
    assert.deepStrictEqual(Tool.toJsonSchema(Schema.typeSchema(Place).annotations({ identifier: "a/b~c" })), place)

    interface Node {
      readonly children: ReadonlyArray<Node>
    }
    const Node = Schema.Struct({
      children: Schema.Array(Schema.suspend((): Schema.Schema<Node> => Node))
    }).annotations({ identifier: "Node" })
    const node = {
      type: "object",
      required: ["children"],
      properties: { children: { type: "array", items: { $ref: "#/$defs/Node" } } },
      additionalProperties: false
    }
    assert.deepStrictEqual(Tool.toJsonSchema(Node), { ...node, $defs: { Node: node } })
  })

  it("passes a definition on unseen", () => {
    const definition = { name: "x", parameters: { type: "object", oneOf: [] } }
    assert.strictEqual(Tool.fromJsonSchema(definition), definition)
  })

  describe("handle", () => {
    const weather = Tool.make("weather", { parameters: Schema.Struct({ city: Schema.String, days: Schema.NumberFromString }) })

    it.effect("hands the decoded parameters over, and tells a text as it is and a value as JSON", () =>
      Effect.gen(function*() {
        const told = (result: unknown) =>
          Tool.handle(weather, ({ city, days }) => Effect.succeed(result ?? `${city} ${days + 1}`))
            .run(`{ "city": "Oslo", "days": "2" }`)
        assert.strictEqual(yield* told(undefined), "Oslo 3")
        assert.strictEqual(yield* told({ celsius: [1, 2] }), `{"celsius":[1,2]}`)
        assert.strictEqual(yield* told(7), "7")
        assert.strictEqual(yield* Tool.handle(weather, () => Effect.void).run(`{ "city": "Oslo", "days": "2" }`), "null")
      }))

    it.effect("does not run for arguments that do not decode, and says where they are wrong", () =>
      Effect.gen(function*() {
        let ran = 0
        const handled = Tool.handle(weather, () => Effect.sync(() => ran++))
        for (
          const [args, problem] of [
            [`{ "city": "Oslo" }`, "days: is missing"],
            [`{ "city": 7, "days": "2" }`, "city: Expected string, actual 7"],
            [`{ "city": "Oslo", "days": "soon" }`, "days: Unable to decode \"soon\" into a number"],
            [`{ "city": "Os`, "is not JSON"],
            [`3`, "Expected { readonly city: string; readonly days: NumberFromString }, actual 3"]
          ] as const
        ) {
          const error = yield* Effect.flip(handled.run(args))
          assert.strictEqual(error._tag, "InvalidArguments")
          assert.strictEqual(error.message, `the arguments of weather do not decode: ${problem}`)
          assert.strictEqual(error.arguments, args)
        }
        assert.strictEqual(ran, 0)
      }))

    it.effect("takes no arguments at all for none", () =>
      Effect.gen(function*() {
        const clock = Tool.handle(Tool.make("clock", { parameters: Schema.Struct({}) }), () => Effect.succeed("12:00"))
        assert.strictEqual(yield* clock.run(""), "12:00")
      }))

    it.effect("fails as the handler fails", () =>
      Effect.gen(function*() {
        const handled = Tool.handle(weather, () => Effect.fail("no sky"))
        assert.strictEqual(yield* Effect.flip(handled.run(`{ "city": "Oslo", "days": "2" }`)), "no sky")
      }))

    it("defines the tool without its Schema, so that a request holds plain data", () => {
      const { tool } = Tool.handle(weather, () => Effect.void)
      assert.deepStrictEqual(Object.keys(tool), ["name", "parameters"])
    })
  })
})
