import { assert, describe, it } from "@effect/vitest"
import { FastCheck as fc, JSONSchema, Schema } from "effect"
import * as Fault from "../src/simulator/Fault.js"
import * as GoDuration from "../src/simulator/GoDuration.js"
import * as Instance from "../src/simulator/Instance.js"
import * as Limit from "../src/simulator/Limit.js"
import * as Tokens from "../src/simulator/Tokens.js"
import * as Vector from "../src/simulator/Vector.js"

interface Tree {
  readonly name: string
  readonly children: ReadonlyArray<Tree>
}

const Tree: Schema.Schema<Tree> = Schema.Struct({
  name: Schema.String,
  children: Schema.Array(Schema.suspend((): Schema.Schema<Tree> => Tree))
}).annotations({ identifier: "Tree" })

interface Link {
  readonly value: number
  readonly next: Link | null
}

const Link: Schema.Schema<Link> = Schema.Struct({
  value: Schema.Int,
  next: Schema.NullOr(Schema.suspend((): Schema.Schema<Link> => Link))
}).annotations({ identifier: "Link" })

describe("Simulator: an instance of a schema", () => {
  const schemas: { readonly [name: string]: Schema.Schema.AnyNoContext } = {
    struct: Schema.Struct({ city: Schema.String, days: Schema.Int, hot: Schema.Boolean, nothing: Schema.Null }),
    optional: Schema.Struct({
      a: Schema.optional(Schema.Number),
      b: Schema.optionalWith(Schema.String, { exact: true })
    }),
    literals: Schema.Struct({ unit: Schema.Literal("celsius", "fahrenheit"), kind: Schema.Literal("weather") }),
    union: Schema.Struct({
      either: Schema.Union(Schema.Struct({ a: Schema.String }), Schema.Struct({ b: Schema.Int })),
      maybe: Schema.NullOr(Schema.String)
    }),
    arrays: Schema.Struct({
      many: Schema.Array(Schema.Struct({ x: Schema.Number })),
      some: Schema.NonEmptyArray(Schema.String),
      pair: Schema.Tuple(Schema.String, Schema.Int)
    }),
    counted: Schema.Array(Schema.Int).pipe(Schema.minItems(3), Schema.maxItems(4)),
    record: Schema.Struct({ by: Schema.Record({ key: Schema.String, value: Schema.Int }) }),
    ranges: Schema.Struct({
      percent: Schema.Int.pipe(Schema.between(0, 100)),
      positive: Schema.Positive,
      probability: Schema.Number.pipe(Schema.greaterThan(0), Schema.lessThan(1)),
      fives: Schema.Int.pipe(Schema.multipleOf(5), Schema.greaterThan(12)),
      negative: Schema.Int.pipe(Schema.lessThanOrEqualTo(-3))
    }),
    texts: Schema.Struct({
      long: Schema.String.pipe(Schema.minLength(20)),
      short: Schema.String.pipe(Schema.maxLength(2)),
      digits: Schema.String.pipe(Schema.pattern(/^\d+$/)),
      id: Schema.UUID,
      filled: Schema.NonEmptyString
    }),
    enums: Schema.Struct({ a: Schema.Enums({ One: "one", Two: "two" } as const) }),
    tree: Tree,
    link: Link
  }

  for (const [name, schema] of Object.entries(schemas)) {
    it(`is accepted by it: ${name}`, () => {
      for (const about of ["", "hi", "What is the weather in Tokyo for 5 days?", "…“quoted” 😀"]) {
        Schema.decodeUnknownSync(schema, { onExcessProperty: "error" })(Instance.of(JSONSchema.make(schema), about))
      }
    })
  }

  it("takes names, numbers and options from what was said", () => {
    const schema = {
      type: "object",
      properties: {
        city: { type: "string" },
        days: { type: "integer", maximum: 10 },
        unit: { enum: ["celsius", "fahrenheit"] }
      },
      required: ["city", "days", "unit"]
    }
    assert.deepStrictEqual(Instance.of(schema, "Tell me the weather in Tokyo for 30 or 7 days in Fahrenheit"), {
      city: "Fahrenheit",
      days: 7,
      unit: "fahrenheit"
    })
    assert.deepStrictEqual(Instance.of(schema, "what about Paris, 3 days"), { city: "Paris", days: 3, unit: "celsius" })
  })

  it("understands what Effect does not write: allOf, oneOf, const, default, examples, nested references", () => {
    const schema = {
      allOf: [{ properties: { a: { const: 7 } }, required: ["a"] }, { $ref: "#/$defs/more" }],
      $defs: {
        more: {
          properties: {
            b: { oneOf: [{ type: "null" }, { $ref: "#/$defs/more/properties/c" }] },
            c: { type: "string", default: "d" },
            e: { examples: [[1]] }
          },
          required: ["b"]
        }
      }
    }
    assert.deepStrictEqual(Instance.of(schema, "hi"), { a: 7, b: "d", c: "d", e: [1] })
    assert.isString(Instance.of({ $ref: "#/$defs/circle", $defs: { circle: { $ref: "#/$defs/circle" } } }, "hi"))
  })
})

describe("Simulator: a limit", () => {
  it.prop(
    "grants exactly when it says, and never more than its burst and what has flowed in since",
    [
      fc.integer({ min: 1, max: 10_000 }),
      fc.integer({ min: 1, max: 20 }),
      fc.array(fc.record({ after: fc.integer({ min: 0, max: 5000 }), wanted: fc.integer({ min: 1, max: 5 }) }), {
        maxLength: 60
      })
    ],
    ([amount, burst, requests]) => {
      const limit = Limit.make(amount, 60_000, burst, 0)
      let now = 0
      let granted = 0
      for (const { after, wanted } of requests) {
        now += after
        const wait = Limit.wait(limit, wanted, now)
        if (wanted > burst) {
          assert.strictEqual(wait, Infinity)
          continue
        }
        if (wait > 0) assert.isAbove(Limit.wait(limit, wanted, now + wait - 1), 0)
        now += wait
        assert.strictEqual(Limit.wait(limit, wanted, now), 0)
        Limit.take(limit, wanted, now)
        granted += wanted
        assert.isAtMost(granted, burst + (now * amount) / 60_000)
      }
    }
  )

  it("is full when it says that it will be", () => {
    const limit = Limit.make(7, 60_000, 7, 0)
    if (limit === undefined) return assert.fail("no limit")
    Limit.take(limit, 3, 0)
    const full = Limit.fullIn(limit, 0)
    assert.strictEqual(Limit.remaining(limit, full - 1), 6)
    assert.strictEqual(Limit.remaining(limit, full), 7)
    assert.strictEqual(Limit.fullIn(limit, full), 0)
  })
})

describe("Simulator: its parts", () => {
  it.prop(
    "tokens joined are the text, and no code point is torn",
    [fc.string({ unit: "grapheme" }), fc.integer()],
    ([text, seed]) => {
      for (const tokens of [Tokens.cut(text), Tokens.cutAwkwardly(text, seed)]) {
        assert.strictEqual(tokens.join(""), text)
        assert.isTrue(tokens.every((token) => token !== "" && !/\p{Cs}/u.test(token)))
      }
    }
  )

  it("durations are written as Go writes them", () => {
    const written = [0, 12, 999, 1000, 7660, 60_000, 86_400, 360_000, 578_016, 3_600_000, 90_061_500].map(
      GoDuration.fromMillis
    )
    assert.deepStrictEqual(written, [
      "0s",
      "12ms",
      "999ms",
      "1s",
      "7.66s",
      "1m0s",
      "1m26.4s",
      "6m0s",
      "9m38.016s",
      "1h0m0s",
      "25h1m1.5s"
    ])
  })

  it("vectors have length one, tell texts apart, and put those near each other that share words", () => {
    const cosine = (one: string, other: string) => {
      const right = Vector.of(other, 256)
      return Vector.of(one, 256).reduce((sum, value, index) => sum + value * (right[index] ?? NaN), 0)
    }
    assert.closeTo(cosine("", ""), 1, 1e-5)
    assert.closeTo(cosine("the cat sat on the mat", "the cat sat on the mat"), 1, 1e-5)
    assert.isBelow(cosine("cat mat the on sat the", "the cat sat on the mat"), 1 - 1e-5)
    assert.isAbove(
      cosine("the cat sat on the mat", "a cat on a mat"),
      cosine("the cat sat on the mat", "rate limits and retries")
    )
  })

  it("a fault depends on the seed and the number of the request alone", () => {
    const shares = { serverError: 0.5 }
    const inOrder = Array.from({ length: 64 }, (_, ordinal) => Fault.of(shares, 7, ordinal))
    const backwards = Array.from({ length: 64 }, (_, index) => Fault.of(shares, 7, 63 - index)).toReversed()
    assert.deepStrictEqual(inOrder, backwards)
    assert.isUndefined(Fault.of({}, 7, 1))
    assert.strictEqual(Fault.of({ hang: 1 }, 7, 1), "hang")
  })
})
