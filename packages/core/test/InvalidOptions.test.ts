import { assert, describe, it } from "@effect/vitest"
import * as InvalidOptions from "@spillway/core/InvalidOptions"
import { Duration, Effect, Either, Schema } from "effect"

const Options = Schema.Struct({
  seats: Schema.optionalWith(InvalidOptions.whole({ atLeast: 1, atMost: 9 }), { default: () => 4 }),
  share: Schema.optionalWith(InvalidOptions.number({ atMost: 1 }), { default: () => 0.5 }),
  wait: Schema.optionalWith(InvalidOptions.duration({ atLeast: "1 second" }), { default: () => Duration.seconds(3) }),
  name: Schema.optionalWith(InvalidOptions.name, { default: () => "round" }),
  order: Schema.optionalWith(InvalidOptions.oneOf("first", "last"), { default: () => "first" as const }),
  legs: Schema.optionalWith(
    Schema.Struct({ count: Schema.optionalWith(InvalidOptions.whole({ atLeast: 0 }), { default: () => 4 }) }),
    { default: () => ({ count: 4 }) }
  )
})
const read = InvalidOptions.validate("Table", Options)
// what a program without types may hand over
const message = (options: unknown) => Either.getOrThrow(Either.flip(read(options as {}))).message

describe("InvalidOptions", () => {
  it("fills in what was not said, and takes undefined for not said", () => {
    const defaults = {
      seats: 4,
      share: 0.5,
      wait: Duration.seconds(3),
      name: "round",
      order: "first",
      legs: { count: 4 }
    }
    assert.deepStrictEqual(Either.getOrThrow(read({})), defaults)
    assert.deepStrictEqual(Either.getOrThrow(read({ seats: undefined, wait: undefined })), defaults)
  })

  it("names the module, the field, the range and the value", () => {
    for (
      const [options, expected] of [
        [{ seats: 0 }, "Table.seats: must be a whole number from 1 to 9, not 0"],
        [{ seats: 10 }, "Table.seats: must be a whole number from 1 to 9, not 10"],
        [{ seats: 1.5 }, "Table.seats: must be a whole number from 1 to 9, not 1.5"],
        [{ seats: Number.NaN }, "Table.seats: must be a whole number from 1 to 9, not NaN"],
        [{ seats: "4" }, "Table.seats: must be a whole number from 1 to 9, not \"4\""],
        [{ seats: null }, "Table.seats: must be a whole number from 1 to 9, not null"],
        [{ share: 1.5 }, "Table.share: must be a number of at most 1, not 1.5"],
        [{ share: Number.NEGATIVE_INFINITY }, "Table.share: must be a number of at most 1, not -Infinity"],
        [{ wait: "10 millis" }, "Table.wait: must be a duration of at least 1s, not \"10 millis\""],
        [{ wait: Duration.millis(10) }, "Table.wait: must be a duration of at least 1s, not 10ms"],
        [{ wait: -5 }, "Table.wait: must be a duration of at least 1s, not -5"],
        [{ wait: "soon" }, "Table.wait: must be a duration of at least 1s, not \"soon\""],
        [{ name: " " }, "Table.name: must be a text that is not empty, not \" \""],
        [{ order: "best" }, "Table.order: must be \"first\" or \"last\", not \"best\""],
        [{ legs: { count: -1 } }, "Table.legs.count: must be a whole number of at least 0, not -1"]
      ] as const
    ) assert.strictEqual(message(options), expected)
  })

  it("where there are alternatives, says what is wrong with the one that got furthest", () => {
    const guests = Schema.Union(InvalidOptions.whole({ atLeast: 1 }), Schema.Array(InvalidOptions.name))
    const read = InvalidOptions.validate("Table", Schema.Struct({ guests }))
    assert.strictEqual(
      Either.getOrThrow(Either.flip(read({ guests: ["Ada", ""] }))).message,
      "Table.guests.1: must be a text that is not empty, not \"\""
    )
  })

  it("refuses an option that does not exist, so that a misspelt one is not silently the default", () => {
    assert.match(message({ seat: 3 }), /^Table\.seat: .*unexpected/)
    assert.match(message({ legs: { cuont: 3 } }), /^Table\.legs\.cuont: .*unexpected/)
  })

  it("refuses options that are no options", () => {
    assert.match(message(3), /^Table: /)
  })

  it("does not read a negative duration as none at all", () => {
    const any = InvalidOptions.validate("Any", Schema.Struct({ wait: InvalidOptions.duration() }))
    for (const wait of [-1, "-1 seconds", -1n, [-1, 0], Number.NaN] as Array<Duration.DurationInput>) {
      assert.isTrue(Either.isLeft(any({ wait })), String(wait))
    }
    for (const wait of [0, "1 seconds", 1n, [1, 0], Duration.infinity, Duration.zero] as Array<Duration.DurationInput>) {
      assert.isTrue(Either.isRight(any({ wait })), String(wait))
    }
  })

  it.effect("is an Effect that fails with the field", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(read({ seats: 0 }))
      assert.strictEqual(error._tag, "InvalidOptions")
      assert.strictEqual(error.module, "Table")
      assert.strictEqual(error.field, "seats")
    }))

  it("encodes to JSON and back", () => {
    const error = Either.getOrThrow(Either.flip(read({ seats: 0 })))
    const json = Schema.encodeSync(InvalidOptions.InvalidOptions)(error)
    assert.deepStrictEqual(
      Schema.decodeUnknownSync(InvalidOptions.InvalidOptions)(JSON.parse(JSON.stringify(json))).message,
      error.message
    )
  })
})
